"""The motion of a surface: what moves its metal, and the residual, structure and measures that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emfem import model as models
from emfem.dimensions import integral
from emfem.mesh import Domain
from emfem.model import Balance, PhaseField, Quantity, Unknown
from emfem.surface.circuit import SurfaceCircuit
from emfem.surface.crystal import CrystalTerms
from emfem.surface.elastic import SurfaceElasticity
from emfem.surface.inputs import SurfaceMetal
from emfem.surface.measures import quantities, section
from emfem.surface.terms import (
    WELL,
    conducts,
    distance,
    double_well,
    elastic_potential,
    outflow,
    potential,
    restriction,
    surface_flux,
    transport,
    wall,
)

import numpy as np
import ufl
from dolfinx import fem


@dataclass(frozen=True, eq=False)
class SurfaceMotion:
    """Metal that moves along its surface, and what moves it.

    Attributes:
        domain: with the metal.
        metal: its constants.
        solid: the unknown c.
        chemical: the unknown mu.
        width: l [m].
        dx: measure.
        walls: energies of boundaries [J/m2], each with its measure.
        sources: metal that comes out of boundaries, by name [m2/s], each with its measure.
        factor: of the mobility, by the direction of the surface.
        crystal: terms of a crystal, if it is one.
        circuit: of the current, if there is one.
        elastic: elasticity, if the metal is strained.
        softness: stiffness of vacuum over that of the metal, where there is elasticity.
    """

    domain: Domain
    metal: SurfaceMetal
    solid: Unknown
    chemical: Unknown
    width: fem.Constant
    dx: Any
    walls: Sequence[tuple[fem.Constant, Any]] = ()
    sources: Mapping[str, tuple[fem.Constant, Any]] = field(default_factory=dict)
    factor: Any = None
    crystal: CrystalTerms | None = None
    circuit: SurfaceCircuit | None = None
    elastic: SurfaceElasticity | None = None
    softness: Any = None

    @property
    def parts(self) -> list[SurfaceCircuit | SurfaceElasticity]:
        """Those with unknowns of their own: the circuit, the elasticity."""
        return [part for part in (self.circuit, self.elastic) if part is not None]

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """All unknowns: c, mu, and those of the parts."""
        return (self.solid, self.chemical, *(unknown for part in self.parts for unknown in part.unknowns))

    @cached_property
    def mobility(self) -> Any:
        """`6 B / l^2`, times what the direction of the surface makes of it; M over c^2 (1 - c)^2."""
        mobility = 6 / self.width**2 * self.metal.mullins
        return mobility if self.factor is None else mobility * self.factor

    @cached_property
    def flux(self) -> Any:
        """`M c^2 (1 - c)^2 (Z* e l / (gamma Omega) E - grad mu)`, the flux of metal [m/s]."""
        force = -ufl.grad(self.chemical.function)
        if self.circuit:
            force += self.metal.pull * self.width * self.circuit.field
        return surface_flux(self.solid.function, self.mobility, force)

    @cached_property
    def entering(self) -> dict[str, tuple[Any, Any]]:
        """`30 q c^2 (1 - c)^2 |grad_t c|` by boundary, with its measure: the metal that comes out of it [m/s]."""
        c, normal = self.solid.function, ufl.FacetNormal(self.domain.mesh)
        return {name: (outflow(c, rate, self.width, normal), ds) for name, (rate, ds) in self.sources.items()}

    @cached_property
    def volume(self) -> float:
        """Volume of the box around the domain [m3]."""
        return float(np.prod(self.domain.extent()))

    @cached_property
    def pace(self) -> float:
        """`B / l^4` times the volume: the equation of c is divided by it."""
        mean = models.mean_value(self.domain, self.metal.mullins, unknown=self.metal.typical)
        return mean / float(self.width) ** 4 * self.volume

    @cached_property
    def scale(self) -> fem.Constant:
        """The factor of the equation of c."""
        return fem.Constant(self.domain.mesh, 1 / self.pace)

    @cached_property
    def tension(self) -> fem.Constant:
        """Gamma [J/m2]."""
        return fem.Constant(self.domain.mesh, self.metal.surface_energy)

    def residual(self) -> ufl.Form:
        """Balances of metal, of potentials, and those of the parts, each with its factor."""
        v, w, *others = models.tests(self.unknowns)
        form = self.scale * transport(self.solid.rate, self.flux, v, self.dx)
        form += self._potentials(w)
        for entering, ds in self.entering.values():
            form -= self.scale * entering * v * ds
        for part in self.parts:
            own, others = others[: len(part.unknowns)], others[len(part.unknowns) :]
            form += part.residual(self.domain, own, self.dx)
        return form

    def _potentials(self, w: Any) -> ufl.Form:
        """`g mu = l dF/dc` over the volume: of the surface, of walls, of the elastic energy."""
        c, width, each = self.solid.function, self.width, fem.Constant(self.domain.mesh, 1 / self.volume)
        gradient = self.crystal.gradient if self.crystal else None
        form = each * potential(self.chemical.function, c, width, w, self.dx, gradient)
        for energy, ds in self.walls:
            form += each * wall(c, energy, width, self.tension, w, ds)
        if self.elastic:
            form += each * elastic_potential(c, self.elastic.energy, self.softness, width, self.tension, w, self.dx)
        return form

    def structure(self) -> PhaseField:
        """Structure of the linear systems of c and mu, for preconditioners."""
        return PhaseField(
            evolving=self.solid,
            potential=self.chemical,
            mobility=self.mobility * double_well(self.solid.function),
            root=ufl.Identity(self.domain.dim),
            gradient_energy=6 * self.width**2,
            dx=self.dx,
            weight=restriction(self.solid.function),
            factor=self.scale,
            well=WELL,
        )

    def balance(self) -> Balance:
        """Metal is kept, but for what comes out of boundaries."""
        flux = models.ConsistentFlux(self.solid, [], self.pace)
        leaving = {name: -entering * ds for name, (entering, ds) in self.entering.items()}
        return Balance(self.solid.function * self.dx, integral("m3"), (flux,), out=leaving)

    def expressions(self, conducting: Any) -> dict[str, Any]:
        """Return the fields: flux, distance, what conducts of a place, and those of the parts."""
        fields = {"flux": self.flux, "distance": distance(self.solid.function, self.width), "solid": conducting}
        for part in self.parts:
            fields |= part.expressions(self.domain)
        return fields

    def quantities(self, of_void: bool) -> dict[str, Quantity]:
        """Return the measures of metal or void, and those of the parts. Collective."""
        c, stored = self.solid.function, self.elastic.stored if self.elastic else 0
        if self.crystal:
            stored += 3 * self.width * self.tension * self.crystal.excess
        at_walls = sum(energy * conducts(c, 0) * ds for energy, ds in self.walls) if self.walls else None
        width = float(self.width)
        numbers = quantities(self.domain, c, self.flux, self.metal, width, of_void, self.dx, stored, at_walls)
        for part in self.parts:
            numbers |= part.quantities(self.domain, self.dx)
        if self.circuit and not self.circuit.along_x:
            numbers["neck"] = Quantity(lambda: np.nan, "m")
        if self.circuit:
            numbers["neck_current_density"] = Quantity(self._density, "A/m2", of_model=True)
        return numbers

    def _density(self, model: models.Model) -> float:
        """Return the mean current density where the metal is thinnest, 0 where it is broken; NaN not along x [A/m2]."""
        neck = model.quantity("neck")
        return model.quantity("current") / section(self.domain, neck) if neck else 0.0
