"""Forces on a body at its boundaries, as the discrete equations balance them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emfem.model import DirichletCondition, Model, Unknown

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray


class Reactions:
    """Forces of supports: the residual of the equations of fixed components; and the tractions beside them."""

    def __init__(
        self,
        unknown: Unknown,
        conditions: Sequence[DirichletCondition],
        tractions: Mapping[str, Sequence[tuple[Any, Any]]],
        scale: float,
    ) -> None:
        """Take the displacement, its conditions, each traction with its measure, and the divisor of the residual."""
        space = unknown.function.function_space
        self.unknown, self.tractions, self.scale = unknown, tractions, scale
        self._size = space.dofmap.index_map.size_local * space.dofmap.index_map_bs
        self._width = space.dofmap.index_map_bs
        mine = [c for c in conditions if c.unknown is unknown]
        counts = np.zeros(self._size)
        shares: dict[str, NDArray[np.float64]] = {}
        for condition in mine:
            share = shares.setdefault(condition.boundary, np.zeros(self._size))
            share[condition.dofs] = 1.0
        for share in shares.values():
            counts += share
        self._shares = {name: share / np.maximum(counts, 1.0) for name, share in shares.items()}
        self._model: Any = None

    def force(self, name: str, axis: int, model: Model) -> float:
        """Return the force along an axis on the body at a boundary: reactions and tractions. Collective."""
        if self._model is not model:  # substitution of a placeholder makes another one
            self._compile(model)
        comm, total = model.mesh.comm, 0.0
        if name in self._shares:
            share = self._shares[name][axis :: self._width]
            total += self.scale * comm.allreduce(float(self._residual_now()[axis :: self._width] @ share))
        if name in self._loads:
            self._direction.value[:] = np.arange(self._width) == axis
            total += comm.allreduce(fem.assemble_scalar(self._loads[name]))
        return total

    def _compile(self, model: Model) -> None:
        """Compile the equations of the displacement, and the tractions on each boundary."""
        blocks = [model.residual] if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)
        place = next(i for i, u in enumerate(model.unknowns) if u.function is self.unknown.function)
        self._residual = fem.form(blocks[place])
        self._direction = fem.Constant(model.mesh, np.zeros(self._width))
        self._loads = {
            name: fem.form(sum(ufl.inner(ufl.replace(t, model.substitutions), self._direction) * ds for t, ds in parts))
            for name, parts in self.tractions.items()
        }
        self._model = model

    def _residual_now(self) -> NDArray[np.float64]:
        """Return the residual of the equations of the displacement, of this rank."""
        vector = fem.assemble_vector(self._residual)
        vector.scatter_reverse(la.InsertMode.add)
        return vector.array[: self._size]
