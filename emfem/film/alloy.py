"""Constants of the alloy and of the crystal of a film, dimensionless and in SI."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from emfem import units, waveforms
from emfem.arrays import finite
from emfem.errors import ParameterError, angle_in_radians, choice, number
from emfem.gate import checked

import numpy as np
from numpy.typing import NDArray

FOLDS = {"110": 1, "100": 2, "111": 3}  # N of cos^2(N phi): the symmetry of surface diffusion


@checked
@dataclass(frozen=True)
class Scales:
    """SI values of the units of a dimensionless film, all above 0.

    Attributes:
        temperature: [K].
        length: the film thickness h [m].
        site_density: surface sites per area nu [1/m2].
        surface_energy: of the solvent, gamma [J/m2]; the unit of energy per area.
        diffusivity: of the solute in the dilute limit [m2/s].
        entropy: nu k T / gamma [-].
        noise: k T / (gamma h^2) [-].

    Raises:
        ParameterError: for a value that is not positive.
    """

    temperature: float
    length: float
    site_density: float
    surface_energy: float
    diffusivity: float

    def __post_init__(self) -> None:
        """Check every value."""
        units = {"temperature": "K", "length": "m", "site_density": "1/m2", "surface_energy": "J/m2"}
        for name, unit in {**units, "diffusivity": "m2/s"}.items():
            number(name, getattr(self, name), above=0.0, unit=unit)
        for name in ("entropy", "time", "field", "noise"):  # what they are divided by must not underflow
            number(name, getattr(self, name), above=0.0)

    @property
    @finite
    def entropy(self) -> float:
        """S = nu k T / gamma [-]."""
        return self.site_density * units.boltzmann * self.temperature / self.surface_energy

    @property
    @finite
    def noise(self) -> float:
        """Strength of thermal noise, theta = k T / (gamma h^2) [-]; there are S / theta sites in a square of h."""
        return units.boltzmann * self.temperature / self.surface_energy / self.length**2

    @property
    @finite
    def time(self) -> float:
        """t0 = S h^2 / D [s], so that the dilute limit is dC/dt = D lap C."""
        return self.entropy * self.length**2 / self.diffusivity

    @property
    @finite
    def field(self) -> float:
        """E0 = gamma / (e nu h) [V/m]: the field that drives an ion of effective charge 1 with F = 1."""
        return self.surface_energy / (units.elementary_charge * self.site_density * self.length)

    @property
    def in_si(self) -> dict[str, float]:
        """SI values of the film's units of length and time, by unit [m], [s]."""
        return {"m": self.length, "s": self.time}

    @checked
    @finite
    def drive(self, voltage: float, width: float, effective_charge: float) -> float:
        """Return F = Z* (V / L) / E0 [-].

        Args:
            voltage: V across the film [V].
            width: L [m].
            effective_charge: Z*, signed [-]; negative when atoms go with the electrons.

        Raises:
            ParameterError: for a width that is not positive, or a value that is not finite.
        """
        field = number("voltage", voltage, unit="V") / number("width", width, above=0.0, unit="m")
        return number("effective_charge", effective_charge) * field / self.field

    @checked
    @finite
    def voltage(self, drive: float, width: float, effective_charge: float) -> float:
        """Return V = F E0 L / Z* [V], the inverse of `drive`.

        Raises:
            ParameterError: for a width that is not positive, a zero charge, or a value that is not finite.
        """
        charge = number("effective_charge", effective_charge)
        if charge == 0.0:
            msg = "effective_charge = 0, must not be zero: no voltage drives an uncharged atom"
            raise ParameterError(msg)
        return number("drive", drive) * self.field * number("width", width, above=0.0, unit="m") / charge


@checked
@dataclass(frozen=True)
class Alloy:
    """The dimensionless constants of a binary film; the concentration C is that of the solute.

    The free energy is f = G C + S [C ln C + (1-C) ln(1-C)] + W C (1-C) + alpha (C^2/2 - C^3/3).

    Attributes:
        entropy: S, at least 0 [-].
        enthalpy: W [-]; without stress f is convex for W < 2 S.
        solute_expansion: alpha, the compositional stress [-]; negative destabilises for C < 1/2.
        gradient_energy: eps of (eps/2) |grad C|^2, above 0 [-].
        energy_ratio: Gamma = gamma_B / gamma_A, above 0 [-]; G = Gamma - 1.
        scales: the SI units of the film, or None for one that is only dimensionless.
        coherency: q of the coherency stress, -(q/2) |k| |C_k|^2 of each wave, at least 0; 0 without a substrate [-].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    entropy: float
    enthalpy: float
    solute_expansion: float
    gradient_energy: float
    energy_ratio: float = 1.0
    scales: Scales | None = None
    coherency: float = 0.0

    def __post_init__(self) -> None:
        """Check every constant."""
        number("entropy", self.entropy, at_least=0.0)
        number("coherency", self.coherency, at_least=0.0, at_most=1e100)  # its square must not overflow
        for name in ("enthalpy", "solute_expansion"):
            number(name, getattr(self, name))
        for name in ("gradient_energy", "energy_ratio"):
            number(name, getattr(self, name), above=0.0)

    @classmethod
    @checked
    def from_physical(
        cls,
        *,
        temperature: float,
        film_thickness: float,
        site_density: float,
        surface_energy: float,
        interaction_energy: float,
        stress_coefficient: float,
        gradient_coefficient: float,
        diffusivity: float,
        energy_ratio: float = 1.0,
        coherency_coefficient: float = 0.0,
    ) -> Alloy:
        """Return the dimensionless film of physical constants; its `scales` lead back.

        S = nu k T/gamma, W = nu w/gamma, alpha = a h/gamma, eps = K/(gamma h), q = Q/(gamma h).

        Args:
            temperature: T [K].
            film_thickness: h [m].
            site_density: nu, surface sites per area [1/m2].
            surface_energy: gamma of the solvent [J/m2].
            interaction_energy: w, regular-solution energy per site [J]; w = 1.5 k T gives W = 1.5 S.
            stress_coefficient: a [J/m3].
            gradient_coefficient: K [J/m].
            diffusivity: of the solute [m2/s].
            energy_ratio: surface energy of the pure solute over that of the solvent [-].
            coherency_coefficient: Q, at least 0, as `coherency_coefficient` makes it of a substrate [J/m].

        Raises:
            ParameterError: for a value out of its bounds, naming it.
        """
        number("film_thickness", film_thickness, above=0.0, unit="m")
        scales = Scales(temperature, film_thickness, site_density, surface_energy, diffusivity)
        number("interaction_energy", interaction_energy, unit="J")
        if abs(interaction_energy) > 1e-17:
            energy = f"interaction_energy = {interaction_energy:g} J"
            msg = f"{energy}, must be an energy per site in joule: eV written as J?"
            raise ParameterError(msg)
        number("stress_coefficient", stress_coefficient, unit="J/m3")
        number("gradient_coefficient", gradient_coefficient, above=0.0, unit="J/m")
        number("coherency_coefficient", coherency_coefficient, at_least=0.0, unit="J/m")
        return cls(
            entropy=scales.entropy,
            enthalpy=site_density * interaction_energy / surface_energy,
            solute_expansion=stress_coefficient * film_thickness / surface_energy,
            gradient_energy=gradient_coefficient / (surface_energy * film_thickness),
            energy_ratio=energy_ratio,
            scales=scales,
            coherency=coherency_coefficient / (surface_energy * film_thickness),
        )

    @finite
    def to_physical(self) -> dict[str, float]:
        """Return the arguments of `from_physical` that give this film.

        Raises:
            ParameterError: if the film has no scales.
        """
        if self.scales is None:
            msg = "this alloy has no scales: make it with Alloy.from_physical(...)"
            raise ParameterError(msg)
        scales = self.scales
        per_length = scales.surface_energy * scales.length
        substrate = {"coherency_coefficient": self.coherency * per_length} if self.coherency else {}
        return substrate | {
            "temperature": scales.temperature,
            "film_thickness": scales.length,
            "site_density": scales.site_density,
            "surface_energy": scales.surface_energy,
            "interaction_energy": self.enthalpy * scales.surface_energy / scales.site_density,
            "stress_coefficient": self.solute_expansion * scales.surface_energy / scales.length,
            "gradient_coefficient": self.gradient_energy * per_length,
            "diffusivity": scales.diffusivity,
            "energy_ratio": self.energy_ratio,
        }


def cupd() -> Alloy:
    """Return a CuPd-like film at 923 K: unstable at C = 0.3 by compositional stress alone, wavelength 5.2 thicknesses.

    S = 0.1 is nu = 1.5e19 /m2 and gamma = 1.95 J/m2 (0.098); W = 1.5 S is convex; alpha and eps are chosen so that the
    film shows what arXiv:2004.08314 describes, whose own table could not be read.
    """
    return Alloy(entropy=0.1, enthalpy=0.15, solute_expansion=-0.55, gradient_energy=0.015)


@checked
@dataclass(frozen=True)
class Anisotropy:
    """Diffusion along the crystal's axes, D = diag(f_x, Lambda f_y) with f_i = 1 + beta cos^2(N phi_i).

    Attributes:
        surface: "110" (N = 1), "100" (N = 2) or "111" (N = 3).
        strength: beta, above -1 [-].
        misorientation: phi_x, of the crystal to the x axis [rad].
        ratio: Lambda, of diffusion along y to that along x, 0.001 to 1000 [-].
        misorientation_y: phi_y [rad]; pi/2 - phi_x when left out.

    Raises:
        UnknownName: for another surface.
        ParameterError: for a value out of its bounds.
    """

    surface: str = "110"
    strength: float = 0.0
    misorientation: float = 0.0
    ratio: float = 1.0
    misorientation_y: float | None = None

    def __post_init__(self) -> None:
        """Check every constant."""
        choice("surface", self.surface, FOLDS)
        number("strength", self.strength, above=-1.0)
        angle_in_radians("misorientation", self.misorientation)
        number("ratio", self.ratio, at_least=1e-3, at_most=1e3)
        if self.misorientation_y is not None:
            angle_in_radians("misorientation_y", self.misorientation_y)
        for rate in self.rates:
            number("diffusion along an axis", rate, above=0.0)

    @property
    def rates(self) -> tuple[float, float]:
        """(f_x, Lambda f_y) [-]."""
        along = self.misorientation
        across = math.pi / 2 - along if self.misorientation_y is None else self.misorientation_y
        f_x, f_y = (1 + self.strength * math.cos(FOLDS[self.surface] * phi) ** 2 for phi in (along, across))
        return f_x, self.ratio * f_y

    def tensor(self) -> NDArray[np.float64]:
        """Return D, shape (2, 2)."""
        return np.diag(self.rates)

    @checked
    def turned(self, angle: float) -> NDArray[np.float64]:
        """Return D of the crystal turned in the plane, `R D R^T`, shape (2, 2): for the grains of a polycrystal.

        Args:
            angle: by which its axes are turned against x and y [rad].

        Raises:
            ParameterError: if the angle is not finite, or beyond a full turn.
        """
        angle = angle_in_radians("angle", angle)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        return turn @ self.tensor() @ turn.T


@checked
def uniform_field(strength: Any, angle: Any = 0.0) -> Any:
    """Return the drift force F (cos phi, sin phi) of a uniform field; a waveform of it if one of the two follows time.

    Args:
        strength: F, a number or a waveform [-].
        angle: phi to the x axis, a number or a waveform [rad].

    Raises:
        ParameterError: if either is not finite, or the angle is beyond a full turn.
    """
    if callable(strength) or callable(angle):
        return waveforms.combined(uniform_field, strength, angle, smooth=True)
    strength, angle = number("field strength", strength), angle_in_radians("field angle", angle)
    return strength * math.cos(angle), strength * math.sin(angle)
