"""Atoms that move in the stress they make: Korhonen's equation in true geometry, as terms of a mechanical model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.dimensions import integral
from emfem.errors import ParameterError, number, require
from emfem.gate import checked
from emfem.mechanics.elasticity import isotropic
from emfem.mechanics.solids import outside
from emfem.mesh import Domain, bounds
from emfem.model import Balance, DirichletCondition, Driver, Fixed, Flux, Quantity, Unknown
from emfem.stress.inputs import field_of, metal_at
from emfem.stress.laws import ConfinedMetal, drive
from emfem.units import boltzmann

import numpy as np
import ufl
from dolfinx import fem

THIN = 1e-6  # of the length of the domain: layer through which atoms come from a boundary with a fixed stress
DILUTE = 0.01  # atomic fraction of vacancies that is no dilute solution any more


@checked
@dataclass(frozen=True)
class Vacancies:
    """Vacancies that come from and go to sinks of finite strength (Kirchheim), for `em.mechanics.model(vacancies=...)`.

    They are in equilibrium with the stress over distances beyond sqrt(D lifetime/equilibrium): there it is Korhonen's
    equation with D exp(Omega sigma/(k T)).

    Attributes:
        equilibrium: their atomic fraction in equilibrium without stress, above 0 and below 0.01 [-].
        lifetime: tau, above 0, in which what is too many or too few falls to 1/e [s].
    """

    equilibrium: float
    lifetime: float

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ParameterError: for one out of its bounds.
        """
        number("equilibrium", self.equilibrium, above=0.0, below=DILUTE)
        number("lifetime", self.lifetime, above=0.0, unit="s")


@dataclass(frozen=True, eq=False)
class Forces:
    """Force on the atoms of a metal, and the diffusion by which they follow it.

    Attributes:
        metal: at its temperature.
        force: f on the atoms of a volume [Pa/m].
        activation: volume by which tension eases diffusion, D exp(V sigma/(k T)) [m3].
        ratio: vacancies over those in equilibrium without stress; None where they are in equilibrium with the stress.
    """

    metal: ConfinedMetal
    force: Any
    activation: float
    ratio: Any = None

    @property
    def exponent(self) -> Any:
        """`Omega/(k T)` [1/Pa]."""
        return self.metal["atomic_volume"] / (boltzmann * self.metal.temperature)

    def mobility(self, sigma: Any) -> Any:
        """`M = D Omega/(k T)`, by vacancies that are there, or times exp(V sigma/(k T)) [m2/(Pa s)]."""
        if self.ratio is not None:
            return self.metal.mobility * self.ratio
        if not self.activation:
            return self.metal.mobility
        return self.metal.mobility * ufl.exp(self.activation * sigma / (boltzmann * self.metal.temperature))

    def potential(self, sigma: Any) -> Any:
        """Stress that atoms feel: sigma, or `k T ln(w)/Omega` of the vacancies that are there [Pa]."""
        return sigma if self.ratio is None else ufl.ln(self.ratio) / self.exponent

    def flow(self, sigma: Any) -> Any:
        """`Omega J = M (grad potential + f)` [m/s]."""
        return self.mobility(sigma) * (ufl.grad(self.potential(sigma)) + self.force)

    def into(self, stress: Any, sigma: Any, layer: Any) -> Any:
        """Volume of the atoms that come through a thin layer, by area, from where the stress is fixed [m/s]."""
        if self.ratio is None:
            return self.mobility(sigma) * (sigma - stress) / layer  # atoms go to tension: away from the boundary
        return self.metal.mobility / self.exponent * (self.ratio - ufl.exp(self.exponent * stress)) / layer


@dataclass(frozen=True, eq=False)
class Atoms:
    """Atoms of the metal in one region of a domain, as unknowns.

    Attributes:
        domain: where.
        region: of the metal; "" for the whole domain.
        inside: 1 in the region of the metal, 0 elsewhere.
        deposit: eigenstrain by the volume of atoms, None for I/3.
        forces: what moves them.
        stress: p, the unknown stress that they feel.
        volume: theta, relative, of the atoms that came.
        ratio: w, vacancies over those in equilibrium without stress, or None.
        vacancies: their constants, or None.
        on: conditions on boundaries: a fixed stress, or atoms let in.
        flow: of volume, for scaling [m3/s].
        drivers: of the force.
    """

    domain: Domain
    region: str
    inside: Any
    deposit: Any
    forces: Forces
    stress: Any
    volume: Unknown
    ratio: Unknown | None
    vacancies: Vacancies | None
    on: Mapping[str, Fixed | Flux]
    flow: float
    drivers: tuple[Driver, ...]

    @property
    def unknowns(self) -> list[Unknown]:
        """The volume of the atoms, and the vacancies if they are not in equilibrium."""
        return [self.volume, *([self.ratio] if self.ratio else [])]

    @property
    def strain(self) -> Any:
        """`theta I/3`, or `theta N` with the deposit N, in the metal."""
        theta = self.volume.function
        return self.inside * (isotropic(theta) if self.deposit is None else theta * self.deposit)

    @property
    def added(self) -> Any:
        """`theta - e w`: atoms that were added, by those of the metal, with the fraction e w of vacancies."""
        return self.volume.function - self._empty(self.ratio.function if self.ratio else 0)

    @property
    def flux(self) -> Any:
        """`J = D/(k T) (grad p + f)` in the metal, 0 elsewhere [1/(m2 s)]."""
        return self.inside / self.forces.metal["atomic_volume"] * self.forces.flow(self.stress)

    def _empty(self, ratio: Any) -> Any:
        """Return the atomic fraction of vacancies."""
        return 0 if self.vacancies is None else fem.Constant(self.domain.mesh, self.vacancies.equilibrium) * ratio

    def residual(self, tests: Mapping[int, Any], dx: Any, entering: Any) -> Any:
        """`int d(theta - e w)/dt q - Omega J . grad q dx` over the metal, blocked edges; and the sinks' balance."""
        q, scale = tests[id(self.volume)], fem.Constant(self.domain.mesh, 1 / self.flow)
        rate = self.volume.rate - self._empty(self.ratio.rate if self.ratio else 0)
        moved = self.inside * (rate * q - ufl.inner(self.forces.flow(self.stress), ufl.grad(q))) * dx
        total = scale * (moved + entering if self.on else moved)
        return total if self.ratio is None else total + scale * self._sinks(tests, dx)

    def _sinks(self, tests: Mapping[int, Any], dx: Any) -> Any:
        """`int (dtheta/dt + e (w - exp(Omega p/(k T)))/tau) q dx`: sinks take lattice sites with the vacancies."""
        assert self.ratio is not None
        assert self.vacancies is not None
        rest = ufl.exp(self.forces.exponent * self.stress)
        per_time = fem.Constant(self.domain.mesh, self.vacancies.equilibrium / self.vacancies.lifetime)
        gone = self.volume.rate + per_time * (self.ratio.function - rest)
        return self.inside * gone * tests[id(self.ratio)] * dx

    def passing(self, tests: Mapping[int, Any], degree: int) -> tuple[Any, dict[str, ufl.Form], list[Driver]]:
        """Return `-int Omega g q ds` of all atoms let in, the flux out by boundary [1/s], and the drivers.

        Where the stress is fixed, `Omega g = M (sigma - sigma_0)/delta`: atoms come through a layer that is thin beside
        the domain, so that the stress is the fixed one to about delta over its length, and no atom is lost.
        """
        q, omega = tests[id(self.volume)], self.forces.metal["atomic_volume"]
        layer = fem.Constant(self.domain.mesh, THIN * self.domain.extent()[0])
        total: Any = 0
        out: dict[str, ufl.Form] = {}
        drivers: list[Driver] = []
        for name, condition in self.on.items():
            fixed = isinstance(condition, Fixed)
            word = f"{'stress' if fixed else 'flux'} on {name!r}"
            value, moved = models.coefficient(self.domain, word, condition.value)
            volume = self.forces.into(value, self.stress, layer) if fixed else omega * value
            total -= volume * q * self.domain.ds(name, degree)
            out[name] = -volume / omega * self.domain.ds(name, degree)
            drivers += moved
        return total, out, drivers

    def conditions(self) -> list[DirichletCondition]:
        """Return the conditions that nothing comes outside of the metal."""
        return [
            each
            for unknown in self.unknowns
            for each in outside(self.domain, unknown, {self.region}, 0.0 if unknown is self.volume else 1.0)
        ]

    def expressions(self) -> dict[str, Any]:
        """Return the derived fields."""
        fields = {"flux": self.flux, "drive": self.inside * self.forces.force}
        return fields if self.ratio is None else {**fields, "vacancies": self._empty(self.ratio.function) * self.inside}

    def quantities(self, dx: Any, out: Mapping[str, ufl.Form]) -> dict[str, Quantity]:
        """Return the number of atoms, and the flux out through each boundary."""
        omega, one = self.forces.metal["atomic_volume"], fem.Constant(self.domain.mesh, 1.0)
        return {
            "atoms": Quantity(self.inside / omega * one * dx + self._excess(dx), integral("-")),
            **models.boundary_fluxes(self.domain.names, [], out, meaning=integral("1/s")),
        }

    def balance(self, dx: Any, elsewhere: list[DirichletCondition], out: Mapping[str, ufl.Form]) -> Balance:
        """Return the balance of the atoms."""
        mine = [condition for condition in elsewhere if condition.unknown is self.volume]
        reaction = models.ConsistentFlux(self.volume, mine, self.flow)
        return Balance(self._excess(dx), integral("-"), (reaction,), dict(out))

    def _excess(self, dx: Any) -> ufl.Form:
        """`int (theta - e w)/Omega dx`."""
        return self.inside * self.added / self.forces.metal["atomic_volume"] * dx

    @property
    def is_closed(self) -> bool:
        """True where no boundary fixes the stress: the steady state is the one that the atoms come to."""
        return not any(isinstance(c, Fixed) for c in self.on.values())

    @property
    def no_steady_state(self) -> str:
        """The reason that there is no steady state, or nothing."""
        return models.unbalanced_inflow(self.domain, self.on, "atoms/s", "sigma") if self.is_closed else ""


def atoms_of(
    domain: Domain,
    material: Any,
    temperature: Any,
    region: str,
    stress: Unknown,
    inside: Any,
    deposit: Any,
    on: Mapping[str, Fixed | Flux] | None,
    *,
    current_density: Any,
    field: Any,
    current: Any,
    activation_volume: float,
    vacancies: Vacancies | None,
    stresses: float,
    modulus: float,
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
    require(not (vacancies and activation), "activation_volume and vacancies, must be one of them")
    omega, heat = (models.mean_value(domain, each) for each in (metal["atomic_volume"], metal.temperature))
    natural = boltzmann * heat / omega
    level = _level(domain, inside, force, conditions, stresses) or natural
    space = stress.function.function_space
    ratio = None
    if vacancies is not None:
        ratio = models.evolving("w", space, (0.0, np.inf), min(level / natural, 1.0), "vacancies are not below 0")
        ratio.function.x.array[:] = 1.0
    length, face = domain.extent()
    return Atoms(
        domain,
        region,
        inside,
        deposit,
        Forces(metal, force, activation, ratio.function if ratio else None),
        stress.function,
        models.evolving("theta", space, scale=level / modulus),
        ratio,
        vacancies,
        conditions,
        models.mean_value(domain, metal.mobility) * level / length * face,
        tuple(electric.drivers),
    )


def _level(domain: Domain, inside: Any, force: Any, on: Mapping[str, Fixed | Flux], stresses: float) -> float:
    """Return a typical stress: that balances the drive, of boundaries or of other causes; 0 if all are [Pa]."""
    lower, upper = bounds(domain.mesh)
    length = float(np.linalg.norm(upper - lower))
    share = models.mean_value(domain, inside)
    balancing = models.mean_length(domain, inside * force) / share * length / 2
    at_ends = map(abs, models.values_at_start(on, Fixed).values())
    return max(balancing, stresses, *at_ends, 0.0)


def check_without_atoms(atoms: Any, **arguments: Any) -> None:
    """Refuse what is about atoms where none move.

    Raises:
        ParameterError: naming it.
    """
    names = [name for name, value in arguments.items() if value is not None]
    if atoms is None and names:
        msg = f"{' and '.join(names)} without atoms, must be left out, or atoms be a metal of em.materials"
        raise ParameterError(msg)
