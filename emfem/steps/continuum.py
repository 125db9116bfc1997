"""The surface that many steps make: mobility and stiffness for a continuum model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emfem.arrays import finite
from emfem.errors import number, require
from emfem.gate import checked
from emfem.materials import Material
from emfem.steps.surface import Surface


@checked
@dataclass(frozen=True)
class Continuum:
    """A vicinal surface of slope p = a / l, whose steps go down, as one that knows of no steps.

    Attributes:
        temperature: T [K].
        slope: p, of the terraces to the mean surface [-].
        atomic_volume: Omega_A a, of the steps' atoms [m3].
        surface_diffusivity_thickness: D_s delta_s = a Omega_A D n0 l / (l + h) [m3/s].
        mobility_slope: m' = (h / a) l / (l + h): M over that of this slope is 1 + m' theta where the surface goes
            down by theta less [1/rad].
        stiffness: gamma + gamma'' = 6 A p / a^3, of the repulsion A / l^2 [J/m2].
    """

    temperature: float
    slope: float
    atomic_volume: float
    surface_diffusivity_thickness: float
    mobility_slope: float
    stiffness: float

    def material(self, material: Material) -> Material:
        """Return a metal with these constants in place of its own, for `em.surface.model` and `em.analytic`.

        Its atomic volume has to be theirs. The stiffness is its surface energy: of the vicinal surface alone.

        Raises:
            ParameterError: for steps that do not repel, or a metal of another atomic volume.
        """
        require(
            self.stiffness > 0.0, "stiffness = 0 J/m2, must be greater than 0: steps that repel each other have one"
        )
        volume = material.atomic_volume
        alike = math.isclose(volume, self.atomic_volume, rel_tol=1e-6)
        require(alike, f"atomic_volume = {volume:g} m3, must be that of the steps' atoms, {self.atomic_volume:g} m3")
        return material.at(
            self.temperature,
            surface_diffusivity_thickness=self.surface_diffusivity_thickness,
            surface_energy=self.stiffness,
        )


@checked
@finite
def continuum(surface: Surface, *, width: float, step_height: float) -> Continuum:
    """Return what a uniform train of steps is to waves much longer than its terraces.

    Without evaporation and deposition, for f l << 1 and with h = D/k_lower + D/k_upper, adatoms carry the volume

        Q = Omega_A a (D n0 / kT) l / (l + h) (F - d mu/dx),   mu = -Omega_A (6 A p / a^2) d2y/dx2,

    which is a surface of this diffusivity and stiffness, for small slopes p = a / l. Its long waves y have the rates of
    `growth_rate`, in the frame of the train: Re omega = Omega_A D n0 l^2 q^2 [f h/(l + h)^2 - 3 G q^2/(l^2 (l + h))].

    Args:
        surface: the constants, without evaporation and deposition.
        width: l, of the terraces [m].
        step_height: a, at most l [m].

    Raises:
        ParameterError: for a value out of its bounds, evaporation or deposition.

    References:
        W. W. Mullins, J. Appl. Phys. 28, 333 (1957), doi:10.1063/1.1722742, for the continuum.
    """
    length = number("width", width, above=0.0, unit="m")
    step = number("step_height", step_height, above=0.0, at_most=length, unit="m")
    words = "evaporation_time and deposition, must be inf and 0: atoms that come or go are not surface diffusion"
    require(surface.loss == 0.0 and surface.deposition == 0.0, words)
    h = sum(surface.kinetic_lengths)
    require(math.isfinite(h), "attachment_lower and attachment_upper, must be above 0: no atoms pass the steps else")
    passing = 1 / (1 + h / length)
    volume = surface.atom_area * step
    return Continuum(
        temperature=surface.temperature,
        slope=step / length,
        atomic_volume=volume,
        surface_diffusivity_thickness=volume * surface.diffusivity * surface.adatom_density * passing,
        mobility_slope=h / step * passing,
        stiffness=6 * surface.repulsion / (length * step**2),
    )
