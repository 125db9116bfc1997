"""Atoms that move in the stress they make: Korhonen's equation in true geometry, as terms of a mechanical model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.errors import number
from emfem.mesh import Domain, bounds
from emfem.model import Driver, Fixed, Flux
from emfem.stress.inputs import field_of, metal_at
from emfem.stress.laws import ConfinedMetal, atom_flux, drive
from emfem.units import boltzmann

import numpy as np
import ufl
from dolfinx import fem

THIN = 1e-6  # of the length of the domain: layer through which atoms come from a boundary with a fixed stress


@dataclass(frozen=True, eq=False)
class Atoms:
    """Atoms of the metal in one region of a domain, and what drives them.

    Attributes:
        metal: at its temperature.
        force: f on the atoms of a volume [Pa/m].
        activation: volume by which tension eases diffusion, D exp(V sigma/(k T)) [m3].
        on: conditions on boundaries: a fixed stress, or atoms let in.
        inside: 1 in the region of the metal, 0 elsewhere.
        level: a typical stress [Pa].
        drivers: of the force.
    """

    metal: ConfinedMetal
    force: Any
    activation: float
    on: Mapping[str, Fixed | Flux]
    inside: Any
    level: float
    drivers: tuple[Driver, ...]

    def mobility(self, sigma: Any) -> Any:
        """`M = D exp(V sigma/(k T)) Omega / (k T)` [m2/(Pa s)]."""
        if not self.activation:
            return self.metal.mobility
        return self.metal.mobility * ufl.exp(self.activation * sigma / (boltzmann * self.metal.temperature))

    def flux(self, sigma: Any) -> Any:
        """`J = D/(k T) (grad sigma + f)` in the metal, 0 elsewhere [1/(m2 s)]."""
        eased = self.mobility(sigma) / self.metal.mobility if self.activation else 1.0
        return self.inside * eased * atom_flux(self.metal, sigma, self.force)


def atoms_of(
    domain: Domain,
    material: Any,
    temperature: Any,
    inside: Any,
    on: Mapping[str, Fixed | Flux] | None,
    *,
    current_density: Any,
    field: Any,
    current: Any,
    activation_volume: float,
    stresses: float,
) -> Atoms:
    """Return the atoms of a metal, with checked arguments; `stresses` is a typical stress of other causes. Collective.

    Raises:
        ParameterError: as `em.stress.model` does.
        UnknownName: for a boundary that does not exist.
    """
    conditions = models.check_boundaries(domain, on, (Fixed, Flux))
    metal = metal_at(domain, material, temperature)
    electric = field_of(domain, metal, current_density, field, current)
    force = drive(metal, electric.value)
    activation = number("activation_volume", activation_volume, unit="m3")
    lower, upper = bounds(domain.mesh)
    length = float(np.linalg.norm(upper - lower))
    share = models.mean_value(domain, inside)
    balancing = models.mean_length(domain, inside * force) / share * length / 2
    at_ends = map(abs, models.values_at_start(conditions, Fixed).values())
    natural = (
        boltzmann * models.mean_value(domain, metal.temperature) / models.mean_value(domain, metal["atomic_volume"])
    )
    level = max(balancing, stresses, *at_ends, 0.0) or natural
    return Atoms(metal, force, activation, conditions, inside, level, tuple(electric.drivers))


def balance(domain: Domain, atoms: Atoms, sigma: Any, rate: Any, q: Any, dx: Any) -> ufl.Form:
    """`int dtheta/dt q - M (grad sigma + f) . grad q dx` over the metal: `dtheta/dt = -Omega div J`, blocked edges."""
    moved = atoms.mobility(sigma) * (ufl.grad(sigma) + atoms.force)
    return atoms.inside * (rate * q - ufl.inner(moved, ufl.grad(q))) * dx


def passing(
    domain: Domain, atoms: Atoms, sigma: Any, q: Any, degree: int
) -> tuple[Any, dict[str, ufl.Form], list[Driver]]:
    """Return `-int Omega g q ds` of all atoms let in, the flux out by boundary [1/s], and the drivers.

    Where the stress is fixed, `Omega g = M (sigma_0 - sigma)/delta`: atoms come through a layer that is thin beside
    the domain, so that the stress is the fixed one to about delta over its length, and no atom is lost.
    """
    omega, (length, _) = atoms.metal["atomic_volume"], domain.extent()
    total: Any = 0
    out: dict[str, ufl.Form] = {}
    drivers: list[Driver] = []
    for name, condition in atoms.on.items():
        word = "stress" if isinstance(condition, Fixed) else "flux"
        value, moved = models.coefficient(domain, f"{word} on {name!r}", condition.value)
        ds = domain.ds(name, degree)
        if isinstance(condition, Fixed):
            layer = fem.Constant(domain.mesh, THIN * length)
            volume = atoms.mobility(sigma) * (sigma - value) / layer  # atoms go to tension: away from the boundary
        else:
            volume = omega * value
        total -= volume * q * ds
        out[name] = -volume / omega * ds
        drivers += moved
    return total, out, drivers
