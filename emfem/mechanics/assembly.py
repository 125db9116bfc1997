"""Parts of a mechanical model put together: its unknowns, its residual, and what is derived from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from emfem import model as models
from emfem.dimensions import Meaning
from emfem.mechanics.atoms import Atoms
from emfem.mechanics.body import Body, Scales
from emfem.mechanics.boundaries import Tractions, check_overlap, work_of
from emfem.mechanics.elasticity import strain
from emfem.mechanics.plasticity import Plasticity
from emfem.mechanics.pressures import Pressures
from emfem.mechanics.reactions import Reactions
from emfem.mechanics.results import component_meanings, expressions, quantities
from emfem.mechanics.solids import Solids
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, Model, Unknown
from emfem.model.resolution import Resolution

import numpy as np
import ufl
from dolfinx import fem

MEANINGS = {
    "u": Meaning("displacement", "m"),
    "sigma": Meaning("hydrostatic stress, tension > 0", "Pa", signed=True),
    "von_mises": Meaning("von Mises stress", "Pa"),
    "energy_density": Meaning("elastic energy", "J/m3"),
    "plastic_strain": Meaning("plastic strain", "-"),
    "plastic": Meaning("accumulated plastic strain", "-"),
    "theta": Meaning("volume of atoms that came", "-", signed=True),
    "w": Meaning("vacancies over those in equilibrium without stress", "-"),
    "vacancies": Meaning("atomic fraction of vacancies", "-"),
    "flux": Meaning("flux of atoms", "1/(m2 s)"),
    "drive": Meaning("drive", "Pa/m"),
    "axial_strain": Meaning("strain across the plane", "-", signed=True),
}
ALONG = Meaning("stress that works on arriving atoms, tension > 0", "Pa", signed=True)


@dataclass(frozen=True, eq=False)
class Assembly:
    """Parts of a mechanical model.

    Attributes:
        domain: where.
        elastic: the solids.
        body: the displacement.
        pressures: stress that is an unknown.
        plastic: plastic strain, or None.
        atoms: those that move, or None.
        eigenstrain: that is prescribed or of the temperature, 3 x 3.
        tractions: forces by area.
        scales: sizes that residuals are divided by.
        degree: of the displacement.
    """

    domain: Domain
    elastic: Solids
    body: Body
    pressures: Pressures
    plastic: Plasticity | None
    atoms: Atoms | None
    eigenstrain: Any
    tractions: Tractions
    scales: Scales
    degree: int

    @cached_property
    def unknowns(self) -> list[Unknown]:
        """All unknowns; those that evolve come last."""
        parts = (self.plastic, self.atoms)
        moving = [unknown for part in parts if part is not None for unknown in part.unknowns]
        return [self.body.displacement, *self.pressures.unknowns, *self.body.unknowns_across, *moving]

    @cached_property
    def tests(self) -> dict[int, Any]:
        """The test function of each unknown, by its id."""
        return dict(zip(map(id, self.unknowns), models.tests(self.unknowns), strict=True))

    @cached_property
    def strain(self) -> Any:
        """`E = e(u) - eigenstrain - plastic strain - theta N`, 3 x 3."""
        eigen = self.eigenstrain
        for part in (self.plastic, self.atoms):
            eigen = eigen if part is None else eigen + part.strain
        return self.body.elastic_strain(self.elastic, eigen)

    @cached_property
    def hydrostatic(self) -> Any:
        """`p` where it is an unknown, else `K tr(E)`."""
        return self.pressures.hydrostatic(self.strain)

    @cached_property
    def stress(self) -> Any:
        """`s = sigma I + 2 mu dev(E)`."""
        return self.hydrostatic * ufl.Identity(3) + 2 * self.elastic.shear * ufl.dev(self.strain)

    @property
    def dx(self) -> Any:
        """The measure of the volume."""
        return self.domain.dx(2 * self.degree)

    @property
    def force(self) -> float:
        """A typical force, of the domain's measure."""
        return self.scales.stress * self.scales.face

    def constant(self, value: float) -> fem.Constant:
        """Return a number as a coefficient: forms are then the same whatever it is."""
        return fem.Constant(self.domain.mesh, value)

    def residual(self) -> Any:
        """`int s : e(v) dx - int t . v ds`, and the equations of the other unknowns, each by its size."""
        volume = self.constant(self.scales.modulus / (self.force * self.scales.length))
        total = self._equilibrium() + volume * self.pressures.residual(self.strain, self.stress, self.tests, self.dx)
        if self.body.across is not None:
            size = self.constant(1 / (self.force * self.scales.length))
            total += size * self.stress[2, 2] * self.tests[id(self.body.across)] * self.dx
        if self.plastic is not None:
            # The typical time is that in which stress above yield relaxes; it divides rates in the residual.
            relaxation = self.constant(float(self.plastic.viscosity) / self.scales.modulus)
            first, second = (self.tests[id(unknown)] for unknown in self.plastic.unknowns)
            total += self.plastic.residual(self.stress, (first, second), self.dx, relaxation * volume)
        return total

    def _equilibrium(self) -> Any:
        """`int s : e(v) dx - int t . v ds`."""
        v, size = self.tests[id(self.body.displacement)], self.constant(1 / self.force)
        inner = size * ufl.inner(self.stress, strain(v, self.domain)) * self.dx
        load = work_of(self.tractions, v)
        return inner - size * load if load else inner

    def model(self, drivers: Sequence[Driver]) -> Model:
        """Return the model of all parts; `drivers` are those of loads and temperature. Collective."""
        conditions: list[DirichletCondition] = [*self.body.conditions, *self.pressures.conditions()]
        mine = [each for each in conditions if each.unknown is self.body.displacement]
        drivers = [*drivers, *self.body.drivers]
        check_overlap(mine, drivers, self.domain.mesh.comm)
        reactions = Reactions(self.body.displacement, conditions, self.tractions, self.force)
        state = self.domain, self.elastic, self.hydrostatic, self.strain
        derived = expressions(self.domain, self.stress, self.strain, self.hydrostatic, self.elastic)
        numbers = quantities(*state, self.degree, reactions)
        residual, balances = self.residual(), {}
        if self.atoms is not None:
            entering, out, moved = self.atoms.passing(self.tests, 2 * self.degree)
            elsewhere = self.atoms.conditions()
            residual += self.atoms.residual(self.tests, self.dx, entering)
            balances = {"atoms": self.atoms.balance(self.dx, elsewhere, out)}
            derived |= self.atoms.expressions()
            numbers |= self.atoms.quantities(self.dx, out)
            conditions += elsewhere
            drivers += [*moved, *self.atoms.drivers]
        return Model(
            "mechanics",
            self.domain,
            self.unknowns,
            residual,
            conditions=conditions,
            expressions=derived,
            quantities=numbers,
            drivers=drivers,
            steady_by_relaxation=self.plastic is not None or (self.atoms is not None and self.atoms.is_closed),
            no_steady_state_reason=self.atoms.no_steady_state if self.atoms else "",
            balances=balances,
            resolutions=[Unloaded()] if drivers else [],
            system=self.domain.system(si=True),
            preconditioner=self._structure(),
            meanings={**component_meanings(self.domain), **self._pressure_meanings(), **MEANINGS},
        )

    def _structure(self) -> models.Multigrid | models.ElasticSaddle:
        """Return the structure of the linear systems, of the displacement alone where that of the rest is not known."""
        multigrid = models.Multigrid(unknowns=(self.body.displacement,), modes=self.body.motions.owned)
        # With a deposit stress depends on the direction of a wave, with vacancies there are three rows at each node.
        local = self.plastic is not None or self.pressures.deposit or (self.atoms and self.atoms.ratio)
        if local or not self.pressures.unknowns or self.domain.dim < 3:  # a factorisation of a plane is cheap
            return multigrid
        multigrid = replace(multigrid, modes=self.body.motions.conformal)
        return models.ElasticSaddle(multigrid, self.pressures.structure(), self.atoms.volume if self.atoms else None)

    def _pressure_meanings(self) -> dict[str, Meaning]:
        """Return the meaning of each stress that is an unknown."""
        hydrostatic = self.pressures.hydrostatic_regions.values()
        return {u.name: MEANINGS["sigma"] if u in hydrostatic else ALONG for u in self.pressures.unknowns}


class Unloaded(Resolution):
    """Warning of a steady state without any load, of a body whose loads follow time."""

    def __init__(self) -> None:
        """Measure the largest value of all unknowns but the vacancies."""
        super().__init__("largest displacement", _largest, limit=np.nextafter(0.0, 1.0), remedy=lambda _: "")

    def unresolved(self, model: Any, t: float, when: str = "") -> str | None:
        """Return the sentence of the warning after a steady solve that changed nothing. Collective."""
        if math.isfinite(t) or self.number(model, t) > 0:
            return None
        return (
            f"the {model.name} model: nothing loads the body at t = {model.t:g}, the time of its steady state, but "
            "what follows time may do so later: em.evolve follows it"
        )


def _largest(model: Any, _: float) -> float:
    """Return the largest size of the displacement and of all stress that is an unknown. Collective."""
    mine = [np.abs(u.function.x.array).max(initial=0.0) for u in model.unknowns if u.name != "w"]
    return float(max(model.mesh.comm.allgather(max(mine))))
