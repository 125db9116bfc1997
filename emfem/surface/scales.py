"""Lengths, times and speeds of a surface to know before a run, with the constants that are only placeholders."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from emfem.analytic import (
    mullins_coefficient,
    rayleigh_plateau_wavelength,
    surface_drift,
    void_drift_velocity,
)
from emfem.errors import number
from emfem.gate import checked
from emfem.materials import CONFIDENCE, Material
from emfem.surface.inputs import DRIVEN, NEEDED

ATOM = 1e-10  # m; a surface has no smaller radius
PRINTED = {  # unit, and words for it
    "mullins_coefficient": ("m4/s", "B, by which curvature moves a surface"),
    "levelling_time": ("s", "a slightly oval circle becomes round"),
    "breaking_wavelength": ("m", "between the drops into which a wire breaks fastest"),
    "breaking_time": ("s", "necks of a wire grow by a factor e"),
    "drift": ("m2/s", "speed of atoms in the field times the thickness of their layer"),
    "void_velocity": ("m/s", "of a round void, positive along the current"),
    "drift_time": ("s", "such a void drifts by one radius"),
    "wind_number": ("-", "pull of the field on surface atoms over that of curvature at the radius"),
}


@checked
@dataclass(frozen=True)
class SurfaceScales:
    """Numbers of a surface of radius R under a current density; signs are those along the current.

    Attributes:
        mullins_coefficient: B = D_s delta_s gamma Omega / (k T), by which curvature moves a surface [m4/s].
        levelling_time: R^4 / (12 B), in which a slightly oval circle becomes round [s].
        breaking_wavelength: 2 pi sqrt(2) R, at which a wire of radius R breaks into drops fastest [m].
        breaking_time: 4 R^4 / B, in which its necks grow by a factor e [s].
        drift: A Z* e rho j, A = D_s delta_s / (k T), speed of atoms in the field times their layer's thickness [m2/s].
        void_velocity: -2 A Z* e rho j / R of a round void, a cylinder across the current [m/s].
        drift_time: R over its size, in which such a void drifts by one radius; infinite without a current [s].
        wind_number: |Z*| e rho j R^2 / (gamma Omega), the pull of the field over that of curvature [-].
        doubts: of the constants used, those that are placeholders, each with its source.
    """

    mullins_coefficient: float
    levelling_time: float
    breaking_wavelength: float
    breaking_time: float
    drift: float
    void_velocity: float
    drift_time: float
    wind_number: float
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        """One line for each number, with its unit and words; then the placeholders among the constants."""
        wide = max(map(len, PRINTED))
        rows = [
            f"{name.ljust(wide)}  {getattr(self, name):12.6g}  {unit:4}  {words}"
            for name, (unit, words) in PRINTED.items()
        ]
        return "\n".join([*rows, *(f"placeholder, {CONFIDENCE['placeholder']}: {doubt}" for doubt in self.doubts)])


@checked
def scales(material: Material, *, radius: float, current_density: float) -> SurfaceScales:
    """Return the numbers of a surface of this metal at its temperature; `print` shows them and the placeholders.

    Args:
        material: as in `em.surface.model`.
        radius: R of a void, a wire or a bump, from 1e-10, of an atom, to 1 [m].
        current_density: j, signed [A/m2].

    Raises:
        ParameterError: for a value out of its bounds, or a constant that the material lacks.
    """
    size = number("radius", radius, at_least=ATOM, at_most=1.0, unit="m")
    levelling, drift = mullins_coefficient(material), surface_drift(material, current_density=current_density)
    speed = void_drift_velocity(material, radius=size, current_density=current_density)
    used = [(name, material.constants[name]) for name in (*NEEDED, *DRIVEN)]
    return SurfaceScales(
        mullins_coefficient=levelling,
        levelling_time=size**4 / (12 * levelling),
        breaking_wavelength=rayleigh_plateau_wavelength(size),
        breaking_time=4 * size**4 / levelling,
        drift=drift,
        void_velocity=speed,
        drift_time=size / abs(speed) if speed else inf,
        wind_number=abs(drift) * size**2 / levelling,
        doubts=tuple(
            f"{name} = {getattr(material, name):.4g} of {material.name} ({entry.source})"
            for name, entry in used
            if entry.confidence == "placeholder"
        ),
    )
