"""Pictures of a fit: data against model with residuals, and profiles."""

from __future__ import annotations

import os
from typing import Any

from emfem import plot
from emfem.errors import UnknownName
from emfem.fit.result import Fit
from emfem.gate import checked
from emfem.plot import style

import numpy as np
from matplotlib.figure import Figure
from mpi4py import MPI

CURVES = 12  # named in the legend
COLUMNS = 4  # of profiles side by side


@checked(collective=MPI.COMM_WORLD, local=("fit",))
def plot_fit(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    x: str | None = None,
    width: str | float = "page",
) -> Figure | None:
    """Draw data against model, and the residuals below. Collective.

    Args:
        fit: the fit.
        path: as in `em.plot.field`.
        x: the condition on the axis; measured against modelled values when left out.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        UnknownName: for a condition that a curve does not have.
        ParameterError: for a file that cannot be written.
    """
    for curve in fit.curves:
        if x is not None and x not in curve.inputs:
            raise UnknownName(x, f"curve {curve.name!r}", curve.inputs)
    rows = list(
        zip(fit.curves, fit.modelled, [part for _, part in fit.residuals.groupby("curve", sort=False)], strict=True)
    )

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for i, (curve, model, table) in enumerate(rows):
            colour = style.named_colour(i)
            place = model if x is None else curve.columns[x]
            order = np.argsort(place, kind="stable")
            whole, label = curve.marks == 0, curve.name if i < CURVES else None
            above.plot(place[whole], curve.y[whole], "o", color=colour, markersize=3, label=label)
            above.plot(place[~whole], curve.y[~whole], "o", color=colour, markersize=3, fillstyle="none")
            above.plot(place[order], model[order], color=colour if x else style.GREY, linewidth=1.0)
            below.plot(place[whole], table["residual"].to_numpy()[whole], "o", color=colour, markersize=2)
        _log_axes(above, x, rows)
        below.axhline(0.0, color=style.GREY, linewidth=0.8)
        below.axhspan(-2, 2, color=style.PALE, zorder=0)
        above.set(ylabel="measured" if x is None else "value")
        below.set(xlabel="model" if x is None else x, ylabel="residual [σ]")
        if 1 < len(rows):
            above.legend(handletextpad=0.2)
        hollow = " (hollow: a bound only)" if any(np.any(curve.marks) for curve, *_ in rows) else ""
        above.set_title(f"lines: model, dots: data{hollow}")

    return plot.figure(draw, path, width=width, height=3.8)


@checked(collective=MPI.COMM_WORLD, local=("fit",))
def plot_profiles(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    points: int = 21,
    width: str | float = "page",
) -> Figure | None:
    """Draw the profile of each unknown: the rise of the least sum of squares, and the interval. Collective.

    Args:
        fit: the fit.
        path: as in `em.plot.field`.
        points: of each profile.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for a file that cannot be written.
    """
    curves = {name: fit.profile(name, points) for name in fit.names}

    def draw(figure: Figure) -> None:
        columns = min(COLUMNS, len(curves))
        axes = np.atleast_1d(figure.subplots(-(-len(curves) // columns), columns, sharey=True)).ravel()
        for axis, name, unknown in zip(axes, fit.names, fit.unknowns, strict=False):
            values, rise = curves[name]
            estimate = fit.estimates[name]
            axis.axvspan(estimate.low, estimate.high, color=style.TINTS[0], zorder=0)
            axis.axhline(fit.threshold, color=style.GREY, linestyle="dashed", linewidth=0.8)
            axis.axvline(estimate.value, color=style.GREY, linewidth=0.8)
            axis.plot(values, rise, color=style.named_colour(0))
            if unknown.logarithmic and values[-1] > 3 * values[0]:
                axis.set_xscale("log")
            axis.locator_params(axis="x", nbins=3) if axis.get_xscale() == "linear" else None
            axis.set(
                xlabel=f"{name} [{unknown.unit}]" if unknown.unit else name,
                ylim=(0, 3 * fit.threshold),
                xlim=(values[0], values[-1]),
            )
        for axis in axes[len(curves) :]:
            axis.remove()
        axes[0].set_ylabel("rise of the sum of squares")

    return plot.figure(draw, path, width=width, height=2.2 * -(-len(curves) // COLUMNS))


def _log_axes(axis: Any, x: str | None, rows: Any) -> None:
    """Make axes logarithmic where all curves are."""
    if all(curve.scale == "log" for curve, *_ in rows):
        axis.set_yscale("log")
        if x is None:
            axis.set_xscale("log")
