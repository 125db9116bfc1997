"""Rigid motions of a body: those that its supports leave free, and the pins that take them out."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.errors import ParameterError
from emfem.mechanics.elasticity import is_axisymmetric
from emfem.mesh import Domain, bounds
from emfem.model import DirichletCondition, Unknown
from emfem.spaces import connected_components

import numpy as np
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.linalg import null_space, qr

FREE = 1e-8  # of the largest singular value: below it a motion is free
BALANCED = 1e-8  # of the sum of all forces

Values = NDArray[np.float64]


def modes(domain: Domain, points: Values) -> tuple[Values, list[str]]:
    """Return the displacements of rigid motions at points (n, dim), shape (n, dim, modes), and a word for each.

    Turns are about the middle of the domain, by an angle that moves its farthest point by about 1. A periodic domain
    does not turn in a plane with a period; a body of revolution only moves along its axis.
    """
    dim, periods = domain.dim, domain.period
    lower, upper = bounds(domain.mesh)
    reach = float(np.linalg.norm(upper - lower)) / 2
    apart = (points - (lower + upper) / 2) / reach
    axes = range(1 if is_axisymmetric(domain) else dim)
    motions = [np.broadcast_to(np.eye(dim)[i], (len(points), dim)) for i in axes]
    words = [f"moves along {'xyz'[i]}" for i in axes]
    for i, j in [] if is_axisymmetric(domain) else [(0, 1), (1, 2), (2, 0)]:
        if max(i, j) < dim and not periods[[i, j]].any():
            turn = np.zeros((len(points), dim))
            turn[:, i], turn[:, j] = -apart[:, j], apart[:, i]
            motions.append(turn)
            words.append("turns" if dim == 2 else f"turns about {'xyz'[3 - i - j]}")
    return np.stack(motions, axis=-1), words


class RigidMotions:
    """Rigid motions of each connected part of a domain, at the nodes of a displacement.

    Attributes:
        values: of all components at the nodes of this rank, shape (components, parts x motions).
        words: of each motion.
        free: a basis of the motions that no condition prevents, shape (parts x motions, m).
    """

    def __init__(self, domain: Domain, unknown: Unknown, conditions: Sequence[DirichletCondition]) -> None:
        """Find the motions that the conditions leave free. Collective."""
        space = unknown.function.function_space
        self.domain, self.unknown, self.space = domain, unknown, space
        moved, words = modes(domain, space.tabulate_dof_coordinates()[:, : domain.dim])
        scalar, places = space.sub(0).collapse() if domain.dim > 1 else (space, np.arange(len(moved)))
        part = np.empty(len(moved), dtype=np.int64)
        part[np.asarray(places) // domain.dim] = connected_components(scalar)
        parts = domain.mesh.comm.allreduce(int(part.max(initial=-1)) + 1, op=MPI.MAX)
        own = np.zeros((len(part), domain.dim, parts, len(words)))
        own[np.arange(len(part)), :, part] = moved
        self.values = own.reshape(len(part) * domain.dim, parts * len(words))
        self.words = words * parts
        dofs = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *(c.dofs for c in conditions)]))
        rows = self.values[dofs]
        gram = domain.mesh.comm.allreduce(rows.T @ rows)
        self.free = null_space(gram, rcond=FREE) if gram.any() else np.eye(len(gram))

    @property
    def owned(self) -> Values:
        """The motions at the nodes that this rank owns, shape (components, parts x motions)."""
        return self.values[: self.space.dofmap.index_map.size_local * self.domain.dim]

    @property
    def conformal(self) -> Values:
        """Motions of a solid without a change of shape, dev e(u) = 0, as `owned`: also dilation and its bending."""
        lower, upper = bounds(self.domain.mesh)
        x = (self.space.tabulate_dof_coordinates() - (lower + upper) / 2) / (float(np.linalg.norm(upper - lower)) / 2)
        bent = 2 * x[:, :, None] * x[:, None, :] - (x**2).sum(axis=1)[:, None, None] * np.eye(3)
        more = np.concatenate([x[:, :, None], bent], axis=2).reshape(-1, 4)
        return np.hstack([self.owned, more[: len(self.owned)]])

    def describe(self) -> str:
        """Return the free motions in words."""
        size = np.linalg.norm(self.free, axis=1)
        words = dict.fromkeys(word for word, part in zip(self.words, size, strict=True) if part > 1e-6)
        return " and ".join(words)

    def pins(self) -> list[DirichletCondition]:
        """Return conditions on as many components as motions are free, so that none is left. Collective."""
        comm, count = self.domain.mesh.comm, self.free.shape[1]
        rows = self.owned @ self.free
        # The components that motions move most, and most differently: pivots, first of each rank, then of all.
        mine = qr(rows.T, mode="r", pivoting=True)[1][:count] if len(rows) else np.zeros(0, dtype=int)
        everyone = comm.allgather(rows[mine])
        chosen = qr(np.concatenate(everyone).T, mode="r", pivoting=True)[1][:count]
        first = sum(len(part) for part in everyone[: comm.rank])
        here = [mine[i - first] for i in chosen if first <= i < first + len(mine)]
        zero = fem.Constant(self.domain.mesh, 0.0)
        return [DirichletCondition("pins", self.unknown, np.array(here, dtype=np.int32), zero)]

    def check_balance(self, load: fem.Form, scale: float) -> None:
        """Refuse forces with a resultant along a free motion. Collective.

        Args:
            load: the loads, a linear form.
            scale: sum of the sizes of all forces.

        Raises:
            ParameterError: if they have one.
        """
        vector = fem.assemble_vector(load)
        vector.scatter_reverse(la.InsertMode.add)
        work = self.domain.mesh.comm.allreduce(self.free.T @ (self.owned.T @ vector.array[: len(self.owned)]))
        worst = float(np.abs(work).max(initial=0.0))
        if worst > BALANCED * scale:
            msg = (
                f"tractions with a resultant of {worst:.3g} of {scale:.3g} where nothing prevents that the body "
                f"{self.describe()}, must balance each other"
            )
            raise ParameterError(msg)
