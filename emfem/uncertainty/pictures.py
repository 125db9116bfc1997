"""A picture of Sobol' indices."""

from __future__ import annotations

import os

from emfem import plot
from emfem.gate import checked
from emfem.plot import style
from emfem.uncertainty.indices import SobolIndices

import numpy as np
from matplotlib.figure import Figure
from mpi4py import MPI


@checked(collective=MPI.COMM_WORLD, local=("indices",))
def plot_indices(
    indices: SobolIndices, path: str | os.PathLike[str] | None = None, *, width: str | float = "page"
) -> Figure | None:
    """Draw first and total indices of each constant as bars, with their intervals. Collective.

    Args:
        indices: of `sobol_indices`.
        path: as in `em.plot.field`.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for a file that cannot be written.
    """
    names = list(indices.first)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = np.arange(len(names))
        for i, (label, rows) in enumerate((("alone", indices.first), ("with all others", indices.total))):
            values = np.array([rows[name].value for name in names])
            ends = np.array([[rows[name].low for name in names], [rows[name].high for name in names]])
            reach = np.abs(ends - values)
            axes.barh(places + 0.4 * i - 0.2, values, 0.38, xerr=reach, color=style.named_colour(i), label=label)
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.set(xlabel="part of the variance of the result", xlim=(min(0.0, axes.get_xlim()[0]), None))
        axes.legend()

    return plot.figure(draw, path, width=width)
