"""What flows through boundaries where values are held, as the discrete equations balance it, also in transients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.model.conditions import Condition
from emfem.model.models import Model
from emfem.model.unknowns import Unknown
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray

ENOUGH = 1e-14  # of what is left of the rates' equation, relative
STEPS = 500  # of conjugate gradients at most; a mass matrix, scaled by its diagonal, needs about 20

Values = NDArray[np.float64]


class ConsistentFlux:
    """What flows out through the boundaries where an unknown is held: what the equations of their nodes lack.

    Out through NAME = -F(t, u, du/dt; w) with w = 1 at its nodes. The rates are those that make F vanish at all other
    nodes: a time step does not leave them, so a mass matrix is solved for them. Then what is stored, made and let out
    balances to rounding.
    """

    def __init__(self, unknown: Unknown, conditions: Sequence[Condition], scale: float) -> None:
        """Remember an unknown of a model, what is held of it, and what the residual was divided by."""
        self.unknown, self.conditions, self.scale = unknown, tuple(conditions), scale
        self._model: Model | None = None
        self._shares = _shares(unknown, self.conditions)

    @property
    def boundaries(self) -> tuple[str, ...]:
        """Names of the boundaries where the unknown is held."""
        return tuple(self._shares)

    def through(self, boundary: str, model: Model) -> float:
        """The flux out through one boundary; a node that several share counts for each in equal parts. Collective."""
        lack, share = self.solve(model)[0], self._shares[boundary]
        return -self.scale * model.mesh.comm.allreduce(float(lack @ share[: len(lack)]))

    def form(self, boundary: str, model: Model) -> ufl.Form:
        """The flux out through one boundary, a functional of the unknowns and of their rates."""
        share = fem.Function(self.unknown.function.function_space)
        share.x.array[: len(self._shares[boundary])] = self._shares[boundary]
        share.x.scatter_forward()
        block = self._block(model)
        return -self.scale * ufl.replace(block, {block.arguments()[0]: share})

    def solve(self, model: Model) -> tuple[Values, Values]:
        """What the equation of every held node of this rank lacks, and the rate of every node. Collective.

        The rates are those with which the equation of every other node holds, and held values move as they are told.
        """
        if self._model is not model:
            self._compile(model)
        rate = self.unknown.rate
        assert rate is not None
        owned = self.unknown.function.function_space.dofmap.index_map.size_local
        held, rates = np.zeros(owned, dtype=bool), np.zeros(owned)
        for condition in self.conditions:
            held[condition.dofs] = True
            rates[condition.dofs] = _rate_of(condition, model)
        kept = rate.x.array.copy()
        rate.x.array[:] = 0.0
        still = _assembled(self._residual, owned)
        rate.x.array[:] = kept
        mass = fem.assemble_matrix(self._mass)
        mass.scatter_reverse()
        rows, work = mass.to_scipy(ghosted=True)[:owned], la.vector(mass.index_map(1))  # it has more ghosts than u

        def weighed(values: Values) -> Values:
            work.array[:owned] = values
            work.scatter_forward()
            return rows @ work.array

        def free(values: Values) -> Values:
            return np.where(held, 0.0, weighed(values))

        rates += conjugate_gradients(
            free,
            np.where(held, 0.0, -still - weighed(rates)),
            np.where(held, 1.0, rows.diagonal()),  # held nodes may store nothing
            model.mesh.comm,
        )
        return np.where(held, still + weighed(rates), 0.0), rates

    def _block(self, model: Model) -> ufl.Form:
        """The equation of the unknown."""
        block = next(i for i, unknown in enumerate(model.unknowns) if unknown.function is self.unknown.function)
        return model.residual if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)[block]

    def _compile(self, model: Model) -> None:
        """The residual, and its derivative by the rate."""
        residual = self._block(model)
        trial = ufl.TrialFunction(self.unknown.function.function_space)
        self._residual = fem.form(residual)
        self._mass = fem.form(ufl.derivative(residual, self.unknown.rate, trial))
        self._model = model


def conjugate_gradients(apply: Any, load: Values, diagonal: Values, comm: Any) -> Values:
    """The owned part of the solution of a well conditioned symmetric system, which `apply` multiplies by. Collective.

    It is here because this layer knows no PETSc.
    """

    def dot(a: Values, b: Values) -> float:
        return comm.allreduce(float(a @ b))

    x, left = np.zeros_like(load), load.copy()
    direction = left / diagonal
    energy = first = dot(left, direction)
    for _ in range(STEPS):
        if not energy > ENOUGH**2 * first:
            break
        image = apply(direction)
        length = energy / dot(direction, image)
        x += length * direction
        left -= length * image
        scaled = left / diagonal
        energy, before = dot(left, scaled), energy
        direction = scaled + energy / before * direction
    return x


def _assembled(form: fem.Form, owned: int) -> Values:
    """The vector of a linear form, owned part."""
    vector = fem.assemble_vector(form)
    vector.scatter_reverse(la.InsertMode.add)
    return vector.array[:owned].copy()


def _rate_of(condition: Condition, model: Model) -> float:
    """Return how fast a held value moves just before the present time, at time 0 just after; see `Waveform.slope`."""
    for driver in model.drivers:
        if driver.constant is condition.value:
            return float(as_waveform(driver.of_time).slope(model.t))
    return 0.0


def _shares(unknown: Unknown, conditions: Sequence[Condition]) -> dict[str, Values]:
    """For each boundary 1 at its nodes, the part of it where several hold a node, 0 elsewhere."""
    shares = {c.boundary: np.zeros(len(unknown.function.x.array)) for c in conditions}
    for condition in conditions:
        shares[condition.boundary][condition.dofs] = 1.0
    total = sum(shares.values(), np.zeros(len(unknown.function.x.array)))
    return {name: share / np.maximum(total, 1.0) for name, share in shares.items()}
