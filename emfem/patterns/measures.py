"""Measures of a field: its pattern, direction, structure factor, the places of defects, and errors of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem import fields
from emfem.errors import ParameterError, count, floats, number, require, shown
from emfem.fields import Grid
from emfem.gate import checked
from emfem.mesh import bounds
from emfem.patterns.analysis import (
    FINEST,
    Array,
    Mask,
    Pattern,
    analysed,
    checked_grid,
    hann_window,
    power_spectrum,
)

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray
from ufl.core.expr import Expr

BLOCK = 2.0
"""Edge in wavelengths of the blocks of the bootstrap: what is so far apart counts as independent."""
RESAMPLES = 1000
"""Samples of the bootstrap: their spread is known to 2 %."""


@checked(collective=True)
def measure(field: fem.Function, *, within: ArrayLike | None = None, resolution: int = 192) -> Pattern:
    """Return the pattern of a finite-element field; every rank gets the same answer.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh.
        within: lower and upper corner of a rectangle that is measured alone, shape (2, 2): a straight part of a film in
            which the field turns.
        resolution: pixels along the longer side of the film, at least 16; a stripe needs 8 for its wavelength.

    Raises:
        ParameterError: if the mesh is not two-dimensional, the resolution is too small, or the rectangle is none or
            beside the film.
    """
    grid = _sampled(field, resolution) if within is None else _part(field, resolution, within)
    return measure_grid(grid.values, grid.lengths, periodic=grid.periodic, inside=~np.isnan(grid.values))


def _sampled(field: fem.Function, resolution: int) -> Grid:
    """Return the values of a field on a grid of nearly square pixels, NaN outside the film. Collective.

    Raises:
        ParameterError: if the mesh is not two-dimensional or the resolution is too small.
    """
    lower, upper = bounds(field.function_space.mesh)
    return fields.sample_grid(field, _pixels(field, resolution, upper - lower))


def _part(field: fem.Function, resolution: int, within: ArrayLike) -> Grid:
    """Return the values of a field on a grid of nearly square pixels in a rectangle, NaN outside the film. Collective.

    Raises:
        ParameterError: as `measure`.
    """
    lower, upper = floats("within", within, (2, 2), "two corners, shape (2, 2)", finite=True)
    require(bool((upper > lower).all()), f"within = {shown(within)}, must be a lower and an upper corner")
    shape = _pixels(field, resolution, upper - lower)
    axes = (low + (np.arange(n) + 0.5) * (high - low) / n for low, high, n in zip(lower, upper, shape, strict=True))
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = fields.evaluate(field, points.reshape(-1, 2)).reshape(shape)
    require(bool(np.isfinite(values).any()), f"within = {shown(within)}, must have a part of the film in it")
    return Grid(values, lower, upper - lower, (False, False))


def _pixels(field: fem.Function, resolution: int, extent: Array) -> tuple[int, int]:
    """Return the pixels along both sides of a rectangle of these lengths.

    Raises:
        ParameterError: if the mesh is not two-dimensional or the resolution is too small.
    """
    pixels = count("resolution", resolution, at_least=16)
    number("resolution", pixels, at_most=FINEST)
    mesh = field.function_space.mesh
    if mesh.geometry.dim != 2:
        on, remedy = f"mesh of dimension {mesh.geometry.dim}", ""
        if mesh.topology.dim == 2:  # directions on it are not those of one plane
            on, remedy = "shell", ": unroll it, with the values of em.fields.evaluate for em.patterns.measure_grid"
        msg = f"field on a {on}, must be on a film in a plane{remedy}"
        raise ParameterError(msg)
    nx, ny = np.maximum(np.rint(pixels * extent / extent.max()).astype(int), 4)
    return int(nx), int(ny)


@checked(collective=True)
def direction(field: fem.Function, *, dx: ufl.Measure | None = None, weight: float | Expr = 1.0) -> tuple[float, float]:
    """Return the mean direction of the bands of a field and its sharpness, on a mesh of any shape. Collective.

    The bands lie across the mean of grad c grad c^T (the structure tensor), taken over the film or a part of it.

    Args:
        field: DOLFINx function, a scalar on a mesh of a plane.
        dx: where, such as `domain.dx(region="grain 1")`; everywhere when left out.
        weight: of each place, UFL or a number, at least 0; it may vanish outside a window.

    Returns:
        The angle to the x axis in [0, 180) [degrees], and the order, from 0 (isotropic) to 1 (all parallel).

    Raises:
        ParameterError: if the field is no scalar function in a plane, or has no gradient there.
    """
    mesh = field.function_space.mesh
    if mesh.geometry.dim != 2 or field.ufl_shape != ():
        msg = f"the direction needs a scalar in a plane, this field has {mesh.geometry.dim} dimension(s)"
        raise ParameterError(msg)
    slope = ufl.grad(field)
    over = dx if dx is not None else ufl.dx(mesh)
    pairs = (slope[0] ** 2, slope[1] ** 2, slope[0] * slope[1])
    try:
        forms = [fem.form(weight * pair * over) for pair in pairs]
    except (RuntimeError, TypeError, ValueError) as error:
        msg = f"dx and weight must belong to the mesh of the field, and the weight be a scalar: {error}"
        raise ParameterError(msg) from None
    xx, yy, xy = (fields.integral(form, mesh.comm) for form in forms)
    number("mean square gradient", xx + yy, above=0.0)
    # of the gradient's axis; the bands lie at a right angle to it
    angle = np.degrees(np.arctan2(2 * xy, xx - yy) / 2 + np.pi / 2)
    return float(angle % 180.0), float(np.hypot(xx - yy, 2 * xy) / (xx + yy))


@dataclass(frozen=True)
class Spectrum:
    """Structure factor of a pattern, S(k) = A |c_k|^2, c_k the mean of (C - <C>) exp(-i k.r) over the film's area A.

    Attributes:
        wavenumber: mean |k| in each shell, shape (n,) [1/length].
        power: mean S over the shell, shape (n,) [area].
        error: of the power, one standard deviation of waves with random phases, shape (n,) [area].
        modes: number of independent waves in the shell, shape (n,); of the waves that a window joins a part, 0.51 for
            each axis that is not periodic.
        angle: of k to the x axis, the middle of each sector of 180 degrees, shape (m,) [degrees].
        power_by_angle: mean S in each sector of each shell, NaN where there is no wave, shape (n, m) [area].
    """

    wavenumber: Array
    power: Array
    error: Array
    modes: Array
    angle: Array
    power_by_angle: Array


@checked
def structure_factor(
    field: fem.Function | Grid, *, resolution: int = 192, sectors: int = 12, width: float | None = None
) -> Spectrum:
    """Return the structure factor of a film in shells and sectors of wave vectors; every rank gets the same.

    An axis that is not periodic has a Hann window, of which the power is divided out. What is finer than a pixel is
    seen as longer waves: take pixels several times smaller than the nodes' distance where the field is noise.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh, or a grid of `em.fields.sample_grid`.
        resolution: pixels along the longer side of the film, at least 16.
        sectors: number of angles, at least 1.
        width: of a shell [1/length]; the distance of two wave vectors along the longer side when left out.

    Raises:
        ParameterError: for a mesh that is not two-dimensional, a value out of its bounds, or a field not finite.
    """
    number("sectors", count("sectors", sectors, at_least=1), at_most=FINEST)
    grid = field if isinstance(field, Grid) else _sampled(field, resolution)
    values, mask, spacing = _of_grid(grid)
    waves, power = power_spectrum(np.where(mask, values, 0.0), mask, spacing, grid.periodic)
    window = hann_window(mask, grid.periodic)
    power = power * spacing.prod() / np.sum(window**2)
    size = np.hypot(*waves)
    least = 2 * np.pi / float(np.max(spacing * mask.shape))
    shell_width = least if width is None else number("width", width, at_least=least / 2)
    half = (waves[0] > 0) | ((waves[0] == 0) & (waves[1] > 0))  # k and -k are one wave
    half &= size <= np.pi / spacing.max()
    shell = np.rint(size[half] / shell_width).astype(int)
    angle = np.degrees(np.arctan2(waves[1], waves[0]))[half] % 180.0
    sector = np.minimum((angle * sectors / 180.0).astype(int), sectors - 1)
    n = int(shell.max()) + 1
    together = np.bincount(shell * sectors + sector, power[half], n * sectors).reshape(n, sectors)
    number_of = np.bincount(shell * sectors + sector, minlength=n * sectors).reshape(n, sectors)
    there = number_of.sum(axis=1) > 0
    total = number_of.sum(axis=1)[there]
    mean = together.sum(axis=1)[there] / total
    modes = total * np.sum(window**2) ** 2 / (window.size * np.sum(window**4))
    with np.errstate(invalid="ignore"):
        by_angle = np.where(number_of > 0, together / number_of, np.nan)[there]
    wavenumber = np.bincount(shell, size[half], n)[there] / total
    middle = (np.arange(sectors) + 0.5) * 180.0 / sectors
    return Spectrum(wavenumber, mean, mean / np.sqrt(modes), modes, middle, by_angle)


@dataclass(frozen=True)
class Defects:
    """Places of the dislocations of a pattern.

    Attributes:
        ends: of the free ends of high bands, shape (n, 2); an island has two [length].
        forks: of the free ends of low bands, around which two high bands merge, shape (m, 2) [length].
    """

    ends: Array
    forks: Array


@checked
def defects(field: fem.Function | Grid, *, resolution: int = 192) -> Defects:
    """Return where the ends and forks are that `measure` counts; every rank gets the same.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh, or a grid of `em.fields.sample_grid`.
        resolution: as in `measure`.

    Raises:
        ParameterError: as in `measure`.
    """
    grid = field if isinstance(field, Grid) else _sampled(field, resolution)
    _, details = analysed(_of_grid(grid), grid.periodic)
    if details is None:
        return Defects(np.zeros((0, 2)), np.zeros((0, 2)))
    places = (np.repeat(np.argwhere(tips), tips[tips > 0], axis=0) for tips in (details.ends, details.forks))
    return Defects(*(grid.lower + (place + 0.5) * details.spacing for place in places))


@dataclass(frozen=True)
class Errors:
    """Standard errors of the measures of one film, as if it were cut from a large one.

    Attributes:
        angle: a lower limit [degrees]; 52 where the direction is not known at all.
        order: a lower limit [-].
        ends: number of free ends of high bands.
        forks: number of free ends of low bands.
        blocks: number of blocks of the film that were drawn from.
    """

    angle: float
    order: float
    ends: float
    forks: float
    blocks: int


@checked
def errors(field: fem.Function | Grid, *, resolution: int = 192, seed: int = 0) -> Errors:
    """Return the standard errors of what `measure` returns, by the bootstrap over blocks; every rank gets the same.

    The film is cut into blocks of two wavelengths or more, and films of as many blocks are drawn from them. What is the
    same in all blocks has no error, such as zero ends. Errors of ends and forks come out within 10 %, those of angle
    and order half as large as the spread over several starts where waves are coherent across the film.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh, or a grid of `em.fields.sample_grid`.
        resolution: as in `measure`.
        seed: of the draws.

    Raises:
        ParameterError: as in `measure`, and for a film that is uniform or has less than 4 blocks.

    References:
        B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8.
    """
    draws = np.random.default_rng(count("seed", seed, at_least=0))
    grid = field if isinstance(field, Grid) else _sampled(field, resolution)
    pattern, details = analysed(_of_grid(grid), grid.periodic)
    if details is None:
        msg = f"a pattern of contrast {pattern.contrast:.3g}, must be more than uniform to have errors"
        raise ParameterError(msg)
    shape = details.gradient.shape
    edge = BLOCK * pattern.wavelength / details.spacing  # in pixels
    parts = np.maximum(np.floor(shape / edge).astype(int), 1)
    number("blocks of two wavelengths", int(parts.prod()), at_least=4)
    row, column = (np.arange(n) * p // n for n, p in zip(shape, parts, strict=True))
    block = (row[:, None] * parts[1] + column).ravel()
    steepness = np.abs(details.gradient) ** 2
    columns = (details.gradient**2, steepness, details.ends, details.forks)
    sums = np.stack([_block_sums(each, block, int(parts.prod())) for each in columns], axis=1)
    sums = sums[np.bincount(block, np.isfinite(details.gradient).ravel(), int(parts.prod())) > 0]
    twice, steep, ends, forks = sums[draws.integers(len(sums), size=(RESAMPLES, len(sums)))].sum(axis=1).T
    mean = sums[:, 0].sum()
    turned = np.degrees(np.angle(twice * np.conj(mean))) / 2
    return Errors(
        angle=float(np.sqrt(np.mean(turned**2))),
        order=float(np.std(np.abs(twice) / steep.real)),
        ends=float(np.std(ends.real)),
        forks=float(np.std(forks.real)),
        blocks=len(sums),
    )


def _block_sums(values: NDArray[np.generic], block: NDArray[np.int64], blocks: int) -> NDArray[np.complex128]:
    """Return the sum of the values in each block, without those that are not finite."""
    flat = np.where(np.isfinite(values), values, 0.0).ravel()
    return np.asarray(np.bincount(block, flat.real, blocks) + 1j * np.bincount(block, np.imag(flat), blocks))


def _of_grid(grid: Grid) -> tuple[Array, Mask, Array]:
    """Return the values, the mask and the pixel sizes of a grid, or complain."""
    return checked_grid(grid.values, grid.lengths, grid.periodic, ~np.isnan(grid.values))


@checked
def measure_grid(
    values: ArrayLike,
    lengths: ArrayLike,
    *,
    periodic: Sequence[bool] = (True, True),
    inside: ArrayLike | None = None,
) -> Pattern:
    """Return the pattern of a field on a regular grid.

    With the spectrum P(k) near its strongest wave number and the direction n across the stripes,

        wavelength = 2 pi / <|k|>,   stripes = W <|k . n|> / (2 pi),   <q> = sum q P / sum P,

    where W is the width of the film along n. Stripes of wave vector 2 pi (m / Lx, n / Ly) in a periodic rectangle
    number |m| + |n|: the bands that one sees in the picture.

    Args:
        values: concentration, shape (nx, ny), at the points ((i + 1/2) Lx / nx, (j + 1/2) Ly / ny); along a periodic
            axis the grid may be shifted, but must not repeat its first line at the end.
        lengths: size (Lx, Ly) of the rectangle that the grid fills [length].
        periodic: whether the film closes on itself along x and along y.
        inside: True where the film is, shape (nx, ny); all of the rectangle if omitted.

    Raises:
        ParameterError: if the shapes, the lengths or the values inside are unusable.
    """
    return analysed(checked_grid(values, lengths, periodic, inside), periodic)[0]
