"""The constants of adatoms and steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from emfem.analytic.arguments import constants
from emfem.arrays import finite
from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.units import boltzmann, elementary_charge


@checked
@dataclass(frozen=True, kw_only=True)
class Surface:
    """Adatoms that diffuse, drift, evaporate and join steps.

    Attributes:
        temperature: T, above 0 [K].
        diffusivity: D of an adatom on a terrace, above 0 [m2/s].
        adatom_density: n0, next to a lone straight step in equilibrium, above 0 [1/m2].
        atom_area: Omega, the area that an atom adds to a terrace, above 0 [m2].
        force: F = Z* e E on an adatom, signed along +x [N].
        attachment_lower: k, of a step to adatoms of its lower terrace, at least 0 [m/s]. Infinite is a step that keeps
            the density beside it at equilibrium: diffusion limits. D/k far above the terraces' width: attachment does.
        attachment_upper: the same for the upper terrace [m/s]; below that of the lower one is an Ehrlich-Schwoebel
            barrier. Only one of the two may be 0.
        repulsion: A, of the energy A/l^2 per length of two neighbouring steps at the distance l that go the same way,
            elastic and entropic together, at least 0 [J m].
        line_stiffness: of a lone step, its energy for each length and that of its turning, beta + beta'', at least 0;
            of waves along the steps in `growth_rate`; those of a row are straight [J/m].
        evaporation_time: tau, after which an adatom evaporates, above 0 [s]. Infinite is no evaporation.
        deposition: atoms that arrive, at least 0 [1/(m2 s)].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    temperature: float
    diffusivity: float
    adatom_density: float
    atom_area: float
    force: float
    attachment_lower: float = math.inf
    attachment_upper: float = math.inf
    repulsion: float = 0.0
    line_stiffness: float = 0.0
    evaporation_time: float = math.inf
    deposition: float = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        for name, unit in (
            ("temperature", "K"),
            ("diffusivity", "m2/s"),
            ("adatom_density", "1/m2"),
            ("atom_area", "m2"),
        ):
            number(name, getattr(self, name), above=0.0, unit=unit)
        number("force", self.force, unit="N")
        for name, unit in (("repulsion", "J m"), ("line_stiffness", "J/m"), ("deposition", "1/(m2 s)")):
            number(name, getattr(self, name), at_least=0.0, unit=unit)
        for name in ("attachment_lower", "attachment_upper"):
            if getattr(self, name) != math.inf:
                number(name, getattr(self, name), at_least=0.0, unit="m/s")
        if self.evaporation_time != math.inf:
            number("evaporation_time", self.evaporation_time, above=0.0, unit="s")
        if self.attachment_lower == self.attachment_upper == 0.0:
            msg = "attachment_lower = attachment_upper = 0 m/s, one must be greater than 0 m/s: none joins a step"
            raise ParameterError(msg)
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    @finite
    def drift(self) -> float:
        """The force over the thermal energy, f = F/kT [1/m]."""
        return self.force / (boltzmann * self.temperature)

    @property
    @finite
    def loss(self) -> float:
        """The rate of evaporation over that of diffusion, 1/(D tau) [1/m2]."""
        return 1.0 / (self.diffusivity * self.evaporation_time)

    @property
    @finite
    def hardness(self) -> float:
        """G = 2 A Omega/kT of mu/kT = G (1/l_right^3 - 1/l_left^3), for a step down along +x [m3]."""
        return 2.0 * self.repulsion * self.atom_area / (boltzmann * self.temperature)

    @property
    @finite
    def capillary_length(self) -> float:
        """Gamma = Omega beta/kT of mu/kT = Gamma over the radius of a step [m]."""
        return self.line_stiffness * self.atom_area / (boltzmann * self.temperature)

    @property
    def kinetic_lengths(self) -> tuple[float, float]:
        """D/k of the lower and of the upper side: the resistance of attachment as a length of diffusion [m]."""
        sides = (self.attachment_lower, self.attachment_upper)
        lower, upper = (self.diffusivity / k if k else math.inf for k in sides)
        return lower, upper


@checked
def vicinal(
    material: Any,
    *,
    current_density: float,
    diffusivity: float,
    adatom_density: float,
    attachment_lower: float = math.inf,
    attachment_upper: float = math.inf,
    repulsion: float = 0.0,
    line_stiffness: float = 0.0,
    evaporation_time: float = math.inf,
    deposition: float = 0.0,
) -> Surface:
    """Return the surface of a metal under a current: F = Z* e rho j, Omega the atomic volume to the power of 2/3.

    Z* is the metal's, which need not be that of its adatoms.

    Args:
        material: with `temperature` [K], `effective_charge` [-], `resistivity` [Ohm m] and `atomic_volume` [m3].
        current_density: j, signed along +x [A/m2].
        diffusivity: of an adatom [m2/s].
        adatom_density: in equilibrium with a step [1/m2].
        attachment_lower: as in `Surface` [m/s].
        attachment_upper: as in `Surface` [m/s].
        repulsion: as in `Surface` [J m].
        line_stiffness: as in `Surface` [J/m].
        evaporation_time: as in `Surface` [s].
        deposition: as in `Surface` [1/(m2 s)].

    Raises:
        ParameterError: for a value out of its bounds, or a constant that the material lacks.
    """
    current = number("current_density", current_density, unit="A/m2")
    names = ("temperature", "effective_charge", "resistivity", "atomic_volume")
    temperature, charge, resistivity, volume = constants(material, *names)
    return Surface(
        temperature=temperature,
        diffusivity=diffusivity,
        adatom_density=adatom_density,
        atom_area=volume ** (2.0 / 3.0),
        force=charge * elementary_charge * resistivity * current,
        attachment_lower=attachment_lower,
        attachment_upper=attachment_upper,
        repulsion=repulsion,
        line_stiffness=line_stiffness,
        evaporation_time=evaporation_time,
        deposition=deposition,
    )
