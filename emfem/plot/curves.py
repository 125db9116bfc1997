"""Pictures of the linear theory of films."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from emfem import film
from emfem.errors import number
from emfem.gate import checked
from emfem.plot import style

import numpy as np
from matplotlib.figure import Figure
from mpi4py import MPI
from numpy.typing import ArrayLike


@checked(collective=MPI.COMM_WORLD)
def dispersion(
    alloy: film.Alloy,
    path: str | os.PathLike[str] | None = None,
    *,
    mean: float,
    anisotropy: film.Anisotropy | ArrayLike | None = None,
    field: Sequence[float] | None = None,
    directions: Sequence[float] = (0.0, np.pi / 2),
    largest: float | None = None,
    measured: Sequence[tuple[float, float, complex]] = (),
    width: str | float = "page",
) -> Figure | None:
    """Draw growth rate and frequency of small waves against the wavenumber, one curve a direction. Collective.

    Wavenumbers are in 1/h and rates in 1/t0, h the thickness of the film and t0 its unit of time.

    Args:
        alloy: the constants.
        path: as in `em.plot.field`.
        mean: C0 [-].
        anisotropy: as in `em.film.growth_rate`.
        field: F, shape (2,).
        directions: angles of the wavevectors to the x axis [rad].
        largest: the largest wavenumber drawn; a little beyond the cutoff when left out.
        measured: points (k, direction, omega) to draw on top.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for constants out of their bounds, or a file that cannot be written.
    """
    inches = style.inches(width)
    target = style.picture(path)
    options: dict[str, Any] = {"mean": mean, "anisotropy": anisotropy, "field": field}
    slow = complex(np.asarray(film.growth_rate((1e-4, 0.0), alloy, mean=mean)))
    curvature = -slow.real / 1e-8 / (mean * (1 - mean))
    cutoff = np.sqrt(max(-curvature, 0.1 * abs(curvature), 1e-12) / alloy.gradient_energy)
    k = np.linspace(0.0, number("largest", largest, above=0.0) if largest else 1.15 * cutoff, 200)
    curves = {
        angle: np.asarray(film.growth_rate(np.outer(k, (np.cos(angle), np.sin(angle))), alloy, **options))
        for angle in directions
    }

    def render() -> Figure:
        figure = style.blank(inches, 0.4 * inches)
        growth, frequency = figure.subplots(1, 2)
        for i, (angle, omega) in enumerate(curves.items()):
            colour = style.named_colour(i)
            points = np.array([(p[0], p[2].real, p[2].imag) for p in measured if np.isclose(p[1], angle)])
            for axes, line, column in ((growth, omega.real, 1), (frequency, omega.imag, 2)):
                axes.plot(k, line, color=colour, label=f"k at {np.degrees(angle):.0f}°")
                axes.plot(*points.reshape(-1, 3)[:, [0, column]].T, "o", color=colour)
        for axes, name in ((growth, "growth rate Re ω [1/t₀]"), (frequency, "frequency Im ω [1/t₀]")):
            axes.axhline(0.0, color=style.GREY, linewidth=0.8)
            axes.set(xlabel="wavenumber k [1/h]", ylabel=name, xlim=(0, k[-1]))
        growth.legend()
        if len(measured):
            growth.set_title("lines: linear theory, dots: measured")
        return style.written(figure, target)

    return style.draw(MPI.COMM_WORLD, render)
