"""emfem: quadrilaterals of degree 2, Rosenbrock-W with error control."""

from __future__ import annotations

from typing import Any

import emfem as em
from benchmarks.peers.problem import SIDE, Array, Case, sample_points, start

import numpy as np


class Film:
    """A film on `cells` by `cells` quadrilaterals."""

    def __init__(self, case: Case, cells: int, rtol: float, **options: Any) -> None:
        """Make the mesh and the model."""
        domain = em.mesh.periodic_rectangle((SIDE, SIDE), cells=(cells, cells))
        self.case, self.rtol, self.options = case, rtol, options
        self.steps: int | None = None  # those taken
        self.model = em.film.model(
            domain,
            em.film.cupd(),
            initial=lambda x: start(x[0], x[1]),
            field=case.drift,
            anisotropy=np.diag(case.diffusion),
        )
        self.unknowns = sum(u.function.function_space.dofmap.index_map.size_global for u in self.model.unknowns)

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or a little of the way."""
        until = self.case.until * (1 if steps is None else 1e-5)
        run = em.evolve(self.model, until, rtol=self.rtol, progress=False, **self.options)
        self.steps = run.steps if steps is None else None

    def sample(self) -> Array:
        """Return C at the sample points."""
        return np.asarray(em.fields.evaluate(self.model["c"], sample_points()))
