"""Consistent fluxes: flows through Dirichlet boundaries as the discrete equations balance them, in transients too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.gate import checked
from emfem.model.conditions import DirichletCondition, node_shares
from emfem.model.unknowns import Unknown
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray

ENOUGH = 1e-14  # relative residual of the equation of the rates
STEPS = 500  # of conjugate gradients at most; a mass matrix, scaled by its diagonal, needs about 20

Values = NDArray[np.float64]


@checked
class ConsistentFlux:
    """Flow out through the boundaries where an unknown has Dirichlet values: the residual of their nodes' equations.

    Out through NAME = -F(t, u, du/dt; w) with w = 1 at its nodes. The rates are those that make F vanish at all other
    nodes: a time step does not leave them, so a mass matrix is solved for them. Then storage, sources and
    outflow balance to rounding.

    The model that its methods take is one with the unknown.
    """

    def __init__(self, unknown: Unknown, conditions: Sequence[DirichletCondition], scale: float) -> None:
        """Take an unknown of a model, its Dirichlet conditions, and the number that the residual was divided by."""
        self.unknown, self.conditions, self.scale = unknown, tuple(conditions), scale
        self._model: Any = None
        self._shares = node_shares(unknown.function.function_space, [(c.boundary, c.dofs) for c in self.conditions])

    def __repr__(self) -> str:
        """Return one line."""
        return f"<ConsistentFlux of {self.unknown.name} through {', '.join(self.boundaries)}>"

    @property
    def boundaries(self) -> tuple[str, ...]:
        """Names of the boundaries with Dirichlet values."""
        return tuple(self._shares)

    @checked
    def through(self, boundary: str, model: Any) -> float:
        """Return the flux out through a boundary; a node of several counts for each in equal parts. Collective."""
        residual, share = self.solve(model)[0], self._shares[boundary]
        return -self.scale * model.mesh.comm.allreduce(float(residual @ share[: len(residual)]))

    @checked
    def form(self, boundary: str, model: Any) -> ufl.Form:
        """Return the flux out through one boundary as a functional of the unknowns and of their rates."""
        share = fem.Function(self.unknown.function.function_space)
        share.x.array[: len(self._shares[boundary])] = self._shares[boundary]
        share.x.scatter_forward()
        block = self._block(model)
        return -self.scale * ufl.replace(block, {block.arguments()[0]: share})

    @checked
    def solve(self, model: Any) -> tuple[Values, Values]:
        """Return the residual of every node of this rank (0 but for Dirichlet nodes) and its rate. Collective.

        The rates are those with which the equation of every other node holds, and Dirichlet values follow time.
        """
        if self._model is not model:
            self._compile(model)
        at_rest = self._residual_at_rest()
        rates = np.zeros_like(at_rest)
        dirichlet = np.zeros(len(rates), dtype=bool)
        for condition in self.conditions:
            dirichlet[condition.dofs] = True
            rates[condition.dofs] = _rate_of(condition, model)
        mass = fem.assemble_matrix(self._mass)
        mass.scatter_reverse()
        rows, work = mass.to_scipy(ghosted=True)[: len(rates)], la.vector(mass.index_map(1))  # more ghosts than u

        def multiplied(values: Values) -> Values:
            work.array[: len(rates)] = values
            work.scatter_forward()
            return rows @ work.array

        rates += conjugate_gradients(
            lambda values: np.where(dirichlet, 0.0, multiplied(values)),
            np.where(dirichlet, 0.0, -at_rest - multiplied(rates)),
            np.where(dirichlet, 1.0, rows.diagonal()),  # Dirichlet nodes may store nothing
            model.mesh.comm,
        )
        return np.where(dirichlet, at_rest + multiplied(rates), 0.0), rates

    def _residual_at_rest(self) -> Values:
        """Return the residual with a rate of 0 at the nodes of this rank. Collective."""
        rate = self.unknown.rate
        assert rate is not None
        before = rate.x.array.copy()
        rate.x.array[:] = 0.0
        vector = fem.assemble_vector(self._residual)
        vector.scatter_reverse(la.InsertMode.add)
        rate.x.array[:] = before
        return vector.array[: rate.function_space.dofmap.index_map.size_local].copy()

    def _block(self, model: Any) -> ufl.Form:
        """Return the equation of the unknown."""
        block = next(i for i, unknown in enumerate(model.unknowns) if unknown.function is self.unknown.function)
        return model.residual if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)[block]

    def _compile(self, model: Any) -> None:
        """Compile the residual, and its derivative by the rate."""
        residual = self._block(model)
        trial = ufl.TrialFunction(self.unknown.function.function_space)
        self._residual = fem.form(residual)
        self._mass = fem.form(ufl.derivative(residual, self.unknown.rate, trial))
        self._model = model


def conjugate_gradients(apply: Any, load: Values, diagonal: Values, comm: Any) -> Values:
    """Return the owned part of the solution of a well conditioned symmetric system `apply(x) = load`. Collective."""

    # By hand: SciPy's takes its scalar products on one rank, and this layer does not use PETSc.
    def dot(a: Values, b: Values) -> float:
        return comm.allreduce(float(a @ b))

    x, residual = np.zeros_like(load), load.copy()
    direction = residual / diagonal
    energy = first = dot(residual, direction)
    for _ in range(STEPS):
        if not energy > ENOUGH**2 * first:
            break
        image = apply(direction)
        length = energy / dot(direction, image)
        x += length * direction
        residual -= length * image
        scaled = residual / diagonal
        energy, before = dot(residual, scaled), energy
        direction = scaled + energy / before * direction
    return x


def _rate_of(condition: DirichletCondition, model: Any) -> float:
    """Return the rate of a Dirichlet value just before the present time, at time 0 just after; see `Waveform.slope`."""
    for driver in model.drivers:
        if driver.constant is condition.value:
            return float(as_waveform(driver.of_time).slope(model.t))
    return 0.0
