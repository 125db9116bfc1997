"""Choice between a factorisation and an iterative solver."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.solve.recipes import Block

SOLVERS = ("auto", "direct", "iterative")
PLANE, SPACE = 500_000, 30_000  # unknowns from which an iterative solver is faster, or needs less memory


def choose(blocks: Sequence[Block], *, size: int, dim: int, ranks: int) -> str:
    """Return "direct" or "iterative", whichever is faster for a system.

    It is "direct" if a model of the system does not state its structure.

    Args:
        blocks: of the system.
        size: unknowns, of all ranks.
        dim: of the cells.
        ranks: processes.
    """
    del ranks
    if not all(block.stated for block in blocks):
        return "direct"
    return "iterative" if size >= (SPACE if dim > 2 else PLANE) else "direct"
