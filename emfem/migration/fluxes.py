"""Fluxes through named boundaries, as the discrete equations balance them, in steady states and on the way there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from emfem.mesh import Domain
from emfem.model import Condition, Model, Quantity, Unknown

import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

ENOUGH = 1e-14  # of what is left of the rates' equation, relative
NEAR = 1e-5  # part of the time by which a held value is looked at before and after
STEPS = 500  # of conjugate gradients at most; a mass matrix, scaled by its diagonal, needs about 20


class Reaction:
    """What flows out through the boundaries where values are held: what the equations of their nodes lack."""

    def __init__(self, unknown: Unknown, conditions: list[Condition], scale: float) -> None:
        """Remember the first unknown of a model, what is held, and what its residual was divided by."""
        self.unknown, self.conditions, self.scale = unknown, conditions, scale
        self._model: Model | None = None
        self._compiled: tuple[fem.Form, Any, NDArray[np.float64], dolfinx.la.Vector] | None = None
        self._shares = _shares(unknown, conditions)

    def through(self, boundary: str, model: Model) -> float:
        """The flux out through one boundary; a node that boundaries share counts for each in equal parts. Collective.

        The residual, with the rates that the present state has, is summed over the nodes of the boundary. So the
        fluxes add up to what is lost, in the discrete equations to rounding.
        """
        lack = self._lack(model)
        share = self._shares[boundary]
        owned = len(lack)
        return -self.scale * self.unknown.function.function_space.mesh.comm.allreduce(float(lack @ share[:owned]))

    def _lack(self, model: Model) -> NDArray[np.float64]:
        """The residual of every node of this rank, with the rates that make it vanish wherever nothing is held."""
        form, mass, diagonal, work = self._compile(model)
        space, rate = self.unknown.function.function_space, self.unknown.rate
        assert rate is not None
        owned, comm = space.dofmap.index_map.size_local, space.mesh.comm
        held, rates = np.zeros(owned, dtype=bool), np.zeros(owned)
        for condition in self.conditions:
            held[condition.dofs] = True
            rates[condition.dofs] = _rate_of(condition, model)
        kept = rate.x.array.copy()
        rate.x.array[:] = 0.0
        still = self._assembled(form, owned)
        rate.x.array[:] = kept

        def weighed(values: NDArray[np.float64]) -> NDArray[np.float64]:
            work.array[:owned] = values
            work.scatter_forward()
            return mass @ work.array

        def dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
            return comm.allreduce(float(a @ b))

        # conjugate gradients for M r = -F(u, 0) at free nodes; held values move as they are told to
        left = np.where(held, 0.0, -still - weighed(rates))
        first = dot(left, left / diagonal)
        direction = left / diagonal
        energy = first
        for _ in range(STEPS):
            if energy <= ENOUGH**2 * first:
                break
            image = np.where(held, 0.0, weighed(direction))
            length = energy / dot(direction, image)
            rates += length * direction
            left -= length * image
            scaled = left / diagonal
            energy, before = dot(left, scaled), energy
            direction = scaled + energy / before * direction
        return np.where(held, still + weighed(rates), 0.0)

    def _compile(self, model: Model) -> tuple[fem.Form, Any, NDArray[np.float64], dolfinx.la.Vector]:
        """The residual, the owned rows of the mass matrix, its diagonal, and a vector of its columns."""
        if self._compiled is None or self._model is not model:
            single = len(model.unknowns) == 1
            residual = model.residual if single else ufl.extract_blocks(model.residual)[0]
            space = self.unknown.function.function_space
            owned = space.dofmap.index_map.size_local
            trial = ufl.TrialFunction(space)
            matrix = fem.assemble_matrix(fem.form(ufl.derivative(residual, self.unknown.rate, trial)))
            matrix.scatter_reverse()
            mass = matrix.to_scipy(ghosted=True)[:owned]
            columns = dolfinx.la.vector(matrix.index_map(1))
            self._model = model
            self._compiled = fem.form(residual), mass, mass.diagonal(), columns
        return self._compiled

    @staticmethod
    def _assembled(form: fem.Form, owned: int) -> NDArray[np.float64]:
        """The vector of a linear form, owned part."""
        vector = fem.assemble_vector(form)
        vector.scatter_reverse(dolfinx.la.InsertMode.add)
        return vector.array[:owned].copy()


def _rate_of(condition: Condition, model: Model) -> float:
    """How fast a held value moves, by a difference about the present time; 0 at time 0, which has no scale."""
    step = NEAR * model.t
    for driver in model._drivers:
        if driver.constant is condition.value and step > 0:
            return float(driver.of_time(model.t + step) - driver.of_time(model.t - step)) / (2 * step)
    return 0.0


def boundary_fluxes(
    domain: Domain,
    unknown: Unknown,
    conditions: list[Condition],
    given: Mapping[str, ufl.Form],
    *,
    scale: float,
    mark: str = "",
) -> dict[str, Quantity]:
    """The flux out through each named boundary: the reaction where values are held, what is let in, or none."""
    reaction = Reaction(unknown, conditions, scale)
    found: dict[str, Quantity] = {}
    for name in domain.names:
        if any(condition.boundary == name for condition in conditions):
            told = Quantity(partial(reaction.through, name), of_model=True)
        else:
            told = Quantity(given.get(name, float))  # blocked: float() is 0
        found[f"flux {name}{mark}"] = told
    return found


def _shares(unknown: Unknown, conditions: list[Condition]) -> dict[str, NDArray[np.float64]]:
    """For each boundary 1 at its nodes, the part of it where several hold a node, 0 elsewhere."""
    shares = {c.boundary: np.zeros(len(unknown.function.x.array)) for c in conditions}
    for condition in conditions:
        shares[condition.boundary][condition.dofs] = 1.0
    total = sum(shares.values(), np.zeros(len(unknown.function.x.array)))
    return {name: share / np.maximum(total, 1.0) for name, share in shares.items()}
