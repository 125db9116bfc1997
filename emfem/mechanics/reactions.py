"""Forces on a body at its boundaries, as the discrete equations balance them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emfem.model import DirichletCondition, Model, Unknown

import numpy as np
import ufl
from dolfinx import fem, la


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
        shares: dict[str, np.ndarray] = {}
        for condition in mine:
            share = shares.setdefault(condition.boundary, np.zeros(self._size))
            share[condition.dofs] = 1.0
        for share in shares.values():
            counts += share
        self._shares = {name: share / np.maximum(counts, 1.0) for name, share in shares.items()}
        self._forms: dict[Any, Any] = {}

    def force(self, name: str, axis: int, model: Model) -> float:
        """Return the force along an axis on the body at a boundary: reactions and tractions. Collective."""
        comm, total = model.mesh.comm, 0.0
        if name in self._shares:
            values = self._residual(model)[axis :: self._width]
            total += self.scale * comm.allreduce(float(values @ self._shares[name][axis :: self._width]))
        for i, (value, ds) in enumerate(self.tractions.get(name, ())):
            key = (id(model), name, axis, i)
            if key not in self._forms:
                part = ufl.replace(value, model.substitutions)[axis]
                self._forms[key] = fem.form(part * fem.Constant(model.mesh, 1.0) * ds)
            total += comm.allreduce(fem.assemble_scalar(self._forms[key]))
        return total

    def _residual(self, model: Model) -> np.ndarray:
        """Return the residual of the equations of the displacement, of this rank."""
        key = id(model)
        if key not in self._forms:
            blocks = [model.residual] if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)
            place = next(i for i, u in enumerate(model.unknowns) if u.function is self.unknown.function)
            self._forms[key] = fem.form(blocks[place])
        vector = fem.assemble_vector(self._forms[key])
        vector.scatter_reverse(la.InsertMode.add)
        return vector.array[: self._size]
