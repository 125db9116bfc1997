"""Cost of checkpoints: `python -m tests.checkpoints.cost [CELLS]`, on any number of ranks.

A film of CELLS x CELLS cells takes some steps and writes a file after each; the time of the slowest file is compared
with the ten minutes between two files. Part of `make soak`.
"""

from __future__ import annotations

import sys
from typing import Any

import emfem as em

INTERVAL = 600.0  # s, the default of em.checkpoint
MOST = 0.01  # of the time of a run


class Seconds(em.observe.Observer):
    """Collects the time that the last file took."""

    def __init__(self, checkpoint: em.checkpoint) -> None:
        super().__init__()
        self.checkpoint, self.seconds = checkpoint, [0.0]

    def state(self) -> dict[str, Any]:
        """Return nothing of its own."""
        return super().state()

    def record(self, t: float) -> None:
        """Note it."""
        self.seconds.append(self.checkpoint.seconds)


def cost(cells: int, folder: str) -> tuple[float, int]:
    """Return the time of the slowest of some files [s], and the number of unknowns. Collective."""
    domain = em.mesh.periodic_rectangle((cells / 4, cells / 4), cells=(cells, cells))
    model = em.film.model(domain, em.film.cupd(), mean=0.3, initial=em.film.noise(0.05, seed=1))
    checkpoint = em.checkpoint(folder, every=1e-9)
    seconds = Seconds(checkpoint)
    em.evolve(model, 4e-3, fixed_step=1e-3, watch=[seconds], checkpoint=checkpoint, progress=False, solver="iterative")
    return max(seconds.seconds), sum(u.function.function_space.dofmap.index_map.size_global for u in model.unknowns)


if __name__ == "__main__":
    slowest, unknowns = cost(int(sys.argv[1]) if sys.argv[1:] else 200, "results/soak/cost")
    part = slowest / INTERVAL
    em.write.print_root(f"{unknowns} unknowns: {slowest:.3f} s a file, {part:.2%} of a run that writes every 10 min")
    sys.exit(part > MOST)
