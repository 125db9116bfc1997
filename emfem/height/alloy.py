"""Constants of a binary alloy whose surface moves: two species, and what they share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emfem.arrays import finite
from emfem.errors import ParameterError, angle_in_radians, count, number
from emfem.gate import checked
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import NDArray

FASTEST = 1.0  # m2/s: a larger diffusivity has another unit
MOST_FOLDS = 12


@checked
@dataclass(frozen=True)
class Species:
    """One of the two species of atoms on the surface.

    Diffusion is D along the direction `axis` of the plane and `ratio` D across it. On a surface inclined by theta along
    that direction it is faster by M = (1 + beta cos^2(N (theta + phi))) / (1 + beta cos^2(N phi)), which is 1 where the
    surface is flat. On a line, which is along x, the diffusivity is that of the tensor along x, and theta counts along
    +x times cos(axis).

    Attributes:
        diffusivity: D, at least 0 [m2/s].
        surface_energy: of a surface of this species alone, above 0 [J/m2].
        effective_charge: Z*, signed; negative when atoms go with the electrons [-].
        ratio: of diffusion across `axis` to that along it, 0.001 to 1000 [-].
        axis: its angle to the x axis [rad].
        strength: beta, above -1; with 0 the inclination does not matter [-].
        folds: N, 1 to 12.
        misorientation: phi, of the flat surface against the crystal [rad].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    diffusivity: float
    surface_energy: float
    effective_charge: float = 0.0
    ratio: float = 1.0
    axis: float = 0.0
    strength: float = 0.0
    folds: int = 1
    misorientation: float = 0.0

    def __post_init__(self) -> None:
        """Check every constant."""
        number("diffusivity", self.diffusivity, at_least=0.0, unit="m2/s")
        number("surface_energy", self.surface_energy, above=0.0, unit="J/m2")
        number("effective_charge", self.effective_charge)
        number("ratio", self.ratio, at_least=1e-3, at_most=1e3)
        number("strength", self.strength, above=-1.0)
        count("folds", self.folds, at_least=1, at_most=MOST_FOLDS)
        for name in ("axis", "misorientation"):
            angle_in_radians(name, getattr(self, name))

    @checked
    @finite
    def direction(self, dim: int) -> NDArray[np.float64]:
        """Return the components of the unit vector along `axis`, shape (dim,)."""
        return np.array([math.cos(self.axis), math.sin(self.axis)])[:dim]

    @checked
    @finite
    def tensor(self, dim: int) -> NDArray[np.float64]:
        """Return diffusion in the plane over D, shape (dim, dim)."""
        along = self.direction(2)
        plane = self.ratio * np.eye(2) + (1 - self.ratio) * np.outer(along, along)
        return plane[:dim, :dim]

    @property
    @finite
    def steepening(self) -> float:
        """Slope d ln M / d theta of a flat surface, -beta N sin(2 N phi) / (1 + beta cos^2(N phi)) [1/rad]."""
        turn = self.folds * self.misorientation
        return -self.strength * self.folds * math.sin(2 * turn) / (1 + self.strength * math.cos(turn) ** 2)


@checked
@dataclass(frozen=True)
class Alloy:
    """A solvent and a solute that share a surface layer; the composition c is the solute fraction of the layer.

    The surface energy is gamma = gamma_A + (gamma_B - gamma_A) c, the energy of mixing per atom
    g = k T [c ln c + (1 - c) ln(1 - c)] + w c (1 - c).

    Attributes:
        solvent: species A.
        solute: species B.
        temperature: T, above 0 [K].
        atomic_volume: Omega, of both species, above 0 [m3].
        layer: delta, thickness of the layer in which atoms move, above 0 [m].
        interaction_energy: w, of mixing; above 2 k T the layer separates into phases [J].
        gradient_coefficient: K of the energy (K/2) |grad c|^2 per area of the plane, at least 0; above 0 where the
            layer separates [J].
        scaled: True for numbers without units: temperature is then k T, and effective charges are charges.

    Raises:
        ParameterError: for a value out of its bounds, or two species of which neither moves.
    """

    solvent: Species
    solute: Species
    temperature: float
    atomic_volume: float
    layer: float
    interaction_energy: float = 0.0
    gradient_coefficient: float = 0.0
    scaled: bool = False

    def __post_init__(self) -> None:
        """Check every constant."""
        for name, unit in {"temperature": "K", "atomic_volume": "m3", "layer": "m"}.items():
            number(name, getattr(self, name), above=0.0, unit="" if self.scaled else unit)
        number("interaction_energy", self.interaction_energy, unit="" if self.scaled else "J")
        number("gradient_coefficient", self.gradient_coefficient, at_least=0.0, unit="" if self.scaled else "J")
        if not self.scaled:
            self._check_units()
        if self.solvent.diffusivity == self.solute.diffusivity == 0.0:
            msg = "diffusivity = 0 of solvent and solute, must be greater than 0 of one of them"
            raise ParameterError(msg)
        if self.interaction_energy > 2 * self.thermal_energy and self.gradient_coefficient == 0.0:
            msg = (
                f"gradient_coefficient = 0, must be greater than 0: at interaction_energy = {self.interaction_energy:g}"
                f", above 2 k T = {2 * self.thermal_energy:g}, the layer separates on every length"
            )
            raise ParameterError(msg)

    def _check_units(self) -> None:
        """Refuse values in SI that no metal has: they are in other units."""
        number("atomic_volume", self.atomic_volume, at_most=1e-27, unit="m3")
        number("layer", self.layer, at_most=1e-6, unit="m")
        number("interaction_energy", abs(self.interaction_energy), at_most=1e-17, unit="J")
        for name in ("solvent", "solute"):
            number(f"diffusivity of the {name}", getattr(self, name).diffusivity, at_most=FASTEST, unit="m2/s")

    @property
    def species(self) -> tuple[Species, Species]:
        """Solvent and solute."""
        return self.solvent, self.solute

    @property
    @finite
    def thermal_energy(self) -> float:
        """Thermal energy k T [J]."""
        return self.temperature if self.scaled else boltzmann * self.temperature

    @property
    @finite
    def charges(self) -> tuple[float, float]:
        """Z* e of solvent and solute: the force in a field is that times the field [A s]."""
        unit = 1.0 if self.scaled else elementary_charge
        return self.solvent.effective_charge * unit, self.solute.effective_charge * unit
