"""Analysis of composition patterns: stripes, their number, direction, spacing and defects.

The direction and its sharpness come from the structure tensor, the spacing and the count from the Fourier spectrum, and
the defects from the free ends of the skeletons of the high and of the low bands. Where a low band ends, the two high
bands beside it merge: each end of a low band is one fork of a high one, so the ends count all dislocations.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from emfem import fields
from emfem.arrays import MOST
from emfem.errors import ParameterError, count, floats, number, require, shown
from emfem.fields import Grid
from emfem.gate import checked
from emfem.mesh import bounds
from emfem.public import dir_of

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage, stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.morphology import thin
from ufl.core.expr import Expr

__all__ = [
    "Defects",
    "Errors",
    "Pattern",
    "Spectrum",
    "Survival",
    "defects",
    "direction",
    "errors",
    "measure",
    "measure_grid",
    "structure_factor",
    "survival",
]
__dir__ = dir_of(__all__)

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

UNIFORM_CONTRAST = 1e-3
"""Least standard deviation (less the trend of an open film) of a pattern: a hundredth of a developed one's 0.1."""
STRAIGHT_ORDER = 0.8
"""Least order of perfect stripes: <cos 2 delta> = 0.8 is an angular spread of 18 degrees (root mean square)."""
ORIENTED_ORDER = 0.7
"""Least order of zipped stripes: directions spread evenly over +-40 degrees have <cos 2 delta> = 0.71."""
LOOSE_ORDER = 0.3
"""Least order of connected domains: an isotropic pattern of 100 square wavelengths reaches 0.2 by chance."""
ZIPPED_DEFECTS = 0.4
"""Most defects per square wavelength of zipped stripes: one per 2.5 wavelengths of band; labyrinths have 0.6."""
SMOOTHING = 0.12
"""Width of the Gaussian filter in wavelengths: passes 3/4 of the pattern and stops noise of single pixels."""
SPUR = 0.35
"""Length in wavelengths of the skeleton twigs that are cut off: about the half width of a band."""
SHORTEST = 1e-100
"""Bound of lengths, and its inverse of values, whose products and squares neither overflow nor vanish."""
UNEQUAL = 16
"""Most sides of a pixel that the other one is as long as, in a film of the finest resolution."""
FINEST = 4096
"""Most pixels along the longer side of a film."""
BLOCK = 2.0
"""Edge in wavelengths of the blocks of the bootstrap: what is so far apart counts as independent."""
RESAMPLES = 1000
"""Samples of the bootstrap: their spread is known to 2 %."""
EDGE = 0.5
"""Distance in wavelengths from the edge of the film within which no tip counts: bands that leave it stop there."""


@dataclass(frozen=True)
class Pattern:
    """The pattern of a film as `measure` finds it.

    Attributes:
        kind: `perfect stripes` (straight, uninterrupted), `zipped stripes` (forked or interrupted, but oriented),
            `connected domains` (loosely oriented), `disordered` (no preferred direction) or `uniform` (no pattern).
        stripes: high-concentration stripes that a straight line meets on its way across the whole film,
            perpendicular to the mean stripe direction, rounded.
        density: the same number before rounding over the area of the film [1/length^2].
        angle: mean stripe direction to the x axis, in [0, 180) [degrees].
        wavelength: mean spacing of neighbouring stripes, measured across each of them [length].
        order: sharpness of the direction, from 0 (isotropic) to 1 (all parallel).
        contrast: standard deviation of the field.
        ends: free ends of high-concentration bands inside the film; an island has two.
        forks: free ends of low-concentration bands inside the film, around which two high bands merge.
        domains: connected regions of high concentration, counted through the periodic edges.
    """

    kind: str
    stripes: int
    density: float
    angle: float
    wavelength: float
    order: float
    contrast: float
    ends: int
    forks: int
    domains: int

    @property
    def defects(self) -> int:
        """Number of dislocations of the stripes, the ends and the forks together."""
        return self.ends + self.forks

    def __str__(self) -> str:
        """Return the report on one line."""
        if self.kind == "uniform":
            return f"uniform: contrast {self.contrast:.3g}"
        return (
            f"{self.kind}: {self.stripes} stripes at {self.angle:.1f} deg, wavelength {self.wavelength:.4g}, "
            f"density {self.density:.4g}, order {self.order:.3f}, contrast {self.contrast:.3g}, "
            f"ends {self.ends}, forks {self.forks}, domains {self.domains}"
        )


@checked(collective=True)
def measure(field: fem.Function, *, resolution: int = 192) -> Pattern:
    """Return the pattern of a finite-element field; every rank gets the same answer.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh.
        resolution: pixels along the longer side of the film, at least 16; a stripe needs 8 for its wavelength.

    Raises:
        ParameterError: if the mesh is not two-dimensional or the resolution is too small.
    """
    grid = _sampled(field, resolution)
    return measure_grid(grid.values, grid.lengths, periodic=grid.periodic, inside=~np.isnan(grid.values))


def _sampled(field: fem.Function, resolution: int) -> Grid:
    """Return the values of a field on a grid of nearly square pixels, NaN outside the film. Collective.

    Raises:
        ParameterError: if the mesh is not two-dimensional or the resolution is too small.
    """
    pixels = count("resolution", resolution, at_least=16)
    number("resolution", pixels, at_most=FINEST)
    mesh = field.function_space.mesh
    if mesh.geometry.dim != 2:
        msg = f"the pattern needs a two-dimensional film, but the mesh has {mesh.geometry.dim} dimension(s)"
        raise ParameterError(msg)
    lower, upper = bounds(mesh)
    extent = np.asarray(upper - lower)
    nx, ny = np.maximum(np.rint(pixels * extent / extent.max()).astype(int), 4)
    return fields.sample_grid(field, (int(nx), int(ny)))


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
    waves, power = _spectrum(np.where(mask, values, 0.0), mask, spacing, grid.periodic)
    window = _window(mask, grid.periodic)
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
    _, details = _analysed(_of_grid(grid), grid.periodic)
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
    pattern, details = _analysed(_of_grid(grid), grid.periodic)
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
    return _checked(grid.values, grid.lengths, grid.periodic, ~np.isnan(grid.values))


@dataclass(frozen=True)
class Survival:
    """Part of the runs that have not come to something yet, Kaplan and Meier's estimate.

    Attributes:
        times: at which runs came to it, increasing, shape (n,).
        waiting: part that still waits after each of them, shape (n,).
        low: lower limit of that part, shape (n,).
        high: upper limit of that part, shape (n,).
        runs: number of runs.
        reached: number of those that came to it.
    """

    times: Array
    waiting: Array
    low: Array
    high: Array
    runs: int
    reached: int

    def quantile(self, part: float) -> float:
        """Return the time by which a part of the runs has come to it; infinity if that is not known.

        Raises:
            ParameterError: for a part that is not between 0 and 1.
        """
        late = self.times[self.waiting <= 1 - number("part", part, above=0.0, below=1.0) + 1e-12]
        return float(late[0]) if len(late) else np.inf

    @property
    def median(self) -> float:
        """Time by which half of the runs have come to it; infinity if less than half have."""
        return self.quantile(0.5)


@checked
def survival(times: ArrayLike, reached: ArrayLike, *, confidence: float = 0.95) -> Survival:
    """Return the statistic of the time to something, such as perfect stripes, over runs that may end before it.

    Args:
        times: at which each run came to it or ended, at least 0, shape (n,).
        reached: True for a run that came to it, False for one that ended before, shape (n,).
        confidence: of the limits, by the variance of Greenwood and the logarithm of -log(waiting).

    Raises:
        ParameterError: for times that are negative or not finite, none of them, shapes that differ, or a run that has
            neither True nor False.

    References:
        E. L. Kaplan and P. Meier, J. Am. Stat. Assoc. 53 (1958) 457.
    """
    at = floats("times", times)
    flags = floats("reached", reached)
    require(np.isin(flags, (0.0, 1.0)).all(), f"reached = {shown(flags.tolist())}, must be True or False of every run")
    done = np.asarray(flags != 0.0)
    confidence = number("confidence", confidence, above=0.0, below=1.0)
    if at.ndim != 1 or at.shape != done.shape or not at.size:
        msg = f"times of shape {at.shape} and reached of shape {done.shape}, must be one each of every run"
        raise ParameterError(msg)
    if not (np.isfinite(at) & (at >= 0)).all():
        msg = f"times = {shown(at.tolist())}, must be finite and at least 0"
        raise ParameterError(msg)
    if not done.any():
        nothing = np.zeros(0)
        return Survival(nothing, nothing, nothing, nothing, at.size, 0)
    curve = stats.ecdf(stats.CensoredData(uncensored=at[done], right=at[~done])).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no limits where all wait, or none
        limits = curve.confidence_interval(confidence, method="log-log")
    own = np.isin(curve.quantiles, at[done])
    low, high = (
        np.where(np.isfinite(each.probabilities), each.probabilities, default)[own]
        for each, default in ((limits.low, 0.0), (limits.high, 1.0))
    )
    return Survival(curve.quantiles[own], curve.probabilities[own], low, high, at.size, int(done.sum()))


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
    return _analysed(_checked(values, lengths, periodic, inside), periodic)[0]


class _Details(NamedTuple):
    """Parts of an analysis, each of the shape of the grid.

    Attributes:
        gradient: g_x + i g_y of the smoothed field; NaN outside.
        ends: free ends of high bands at each pixel.
        forks: free ends of low bands at each pixel.
        spacing: size of a pixel.
    """

    gradient: NDArray[np.complex128]
    ends: NDArray[np.int64]
    forks: NDArray[np.int64]
    spacing: Array


def _analysed(grid: tuple[Array, Mask, Array], periodic: Sequence[bool]) -> tuple[Pattern, _Details | None]:
    """Return the pattern of a checked grid, and its parts unless it is uniform."""
    raw, mask, spacing = grid
    contrast = float(raw[mask].std())
    flat = _detrended(raw, mask, periodic)
    scale = flat[mask].std()
    if scale < UNIFORM_CONTRAST:
        return Pattern("uniform", 0, 0.0, 0.0, np.inf, 0.0, contrast, 0, 0, 0), None
    waves, power = _spectrum(flat, mask, spacing, periodic)
    near = _near_peak(waves, power)
    wavelength = float(2 * np.pi / np.average(np.hypot(*waves)[near], weights=power[near]))
    filled = (flat / scale)[tuple(ndimage.distance_transform_edt(~mask, spacing, False, True))]
    width = np.maximum(SMOOTHING * wavelength / spacing, 0.8)
    slope = _slope(filled, spacing, width, periodic)
    angle, order = _direction(slope[mask])
    normal = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))])
    across = np.average(abs(np.tensordot(normal, waves, 1))[near], weights=power[near])
    number = float(_extent(mask, spacing, normal) * across / (2 * np.pi))
    (end_places, fork_places), domains, share = _topology(filled, mask, width, wavelength / spacing, periodic)
    ends, forks = int(end_places.sum()), int(fork_places.sum())
    area = float(mask.sum() * spacing.prod())
    kind = _kind(order, (ends + forks) * wavelength**2 / (share * area))
    pattern = Pattern(kind, round(number), number / area, angle, wavelength, order, contrast, ends, forks, domains)
    return pattern, _Details(np.where(mask, slope, np.nan), end_places, fork_places, spacing)


def _kind(order: float, defects: float) -> str:
    """Return the paper's name of a pattern of the given order and number of defects per square wavelength."""
    if order >= STRAIGHT_ORDER and defects == 0:
        return "perfect stripes"
    if order >= ORIENTED_ORDER and defects <= ZIPPED_DEFECTS:
        return "zipped stripes"
    return "connected domains" if order >= LOOSE_ORDER else "disordered"


def _checked(
    values: ArrayLike, lengths: ArrayLike, periodic: Sequence[bool], inside: ArrayLike | None
) -> tuple[Array, Mask, Array]:
    """Return the values, the mask and the pixel sizes, or complain."""
    raw = floats("values", values)
    if raw.ndim != 2 or min(raw.shape) < 4:
        msg = f"the values have shape {raw.shape}, but need two axes of at least 4 points each"
        raise ParameterError(msg)
    size = floats("lengths", lengths)
    if size.shape != (2,) or not (np.isfinite(size) & (size > 0)).all():
        msg = f"the lengths are {size.tolist()}, but must be two finite numbers above 0"
        raise ParameterError(msg)
    if len(periodic) != 2:
        msg = f"periodic is {shown(periodic)}, but must hold two truth values, for x and for y"
        raise ParameterError(msg)
    spacing = size / raw.shape
    pixels = float(size.max()) / max(float(spacing.min()), 1e-300)
    message = f"lengths = {size.tolist()} make pixels so unequal that {pixels:.3g} of the shorter sides span the film"
    require(pixels <= FINEST * UNEQUAL and size.min() > SHORTEST and size.max() < 1 / SHORTEST, message)
    mask = np.ones(raw.shape, bool) if inside is None else np.asarray(floats("inside", inside) != 0.0)
    if mask.shape != raw.shape or mask.sum() < 16:
        msg = f"inside has shape {mask.shape} and {mask.sum()} true points, but needs shape {raw.shape} and at least 16"
        raise ParameterError(msg)
    if not np.isfinite(raw[mask]).all():
        msg = f"the values hold {(~np.isfinite(raw[mask])).sum()} NaN or infinite numbers inside the film, but need 0"
        raise ParameterError(msg)
    highest = float(np.abs(raw[mask]).max())
    number("size of the values", highest, at_most=1 / SHORTEST)
    return raw, mask, spacing


def _detrended(raw: Array, mask: Mask, periodic: Sequence[bool]) -> Array:
    """Return the values less their mean and their linear trend along the axes that do not close; 0 outside."""
    axes = [x for x, closed in zip(np.indices(raw.shape, dtype=float), periodic, strict=True) if not closed]
    terms = np.stack([np.ones(raw.shape), *axes])
    fit = np.linalg.lstsq(terms[:, mask].T, raw[mask], rcond=None)[0]
    return np.where(mask, raw - np.tensordot(fit, terms, 1), 0.0)


def _spectrum(flat: Array, mask: Mask, spacing: Array, periodic: Sequence[bool]) -> tuple[Array, Array]:
    """Return the wave vectors, shape (2, nx, ny), and |FFT(w u)|^2, w a Hann window along axes that do not close."""
    window = _window(mask, periodic)
    centred = window * (flat - (window * flat).sum() / window.sum())
    waves = [2 * np.pi * fft.fftfreq(n, h) for n, h in zip(flat.shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*waves, indexing="ij")), np.abs(fft.fft2(centred)) ** 2


def _window(mask: Mask, periodic: Sequence[bool]) -> Array:
    """Return a Hann window along the axes that do not close, 0 outside the film."""
    taper = [
        np.ones(n) if closed else np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
        for n, closed in zip(mask.shape, periodic, strict=True)
    ]
    return np.asarray(np.outer(*taper) * mask)


def _near_peak(waves: Array, power: Array) -> Mask:
    """Return a mask of the waves whose |k| is 1/2 to 3/2 of that of the strongest shell of the spectrum."""
    size = np.hypot(*waves)
    step = min(waves[0, 1, 0], waves[1, 0, 1])
    shells = np.bincount(np.rint(2 * size / step).astype(int).ravel(), power.ravel())
    peak = 0.5 * step * max(int(ndimage.gaussian_filter1d(shells, 1.5, mode="constant").argmax()), 1)
    return np.asarray((size > 0.5 * peak) & (size < 1.5 * peak))


def _slope(filled: Array, spacing: Array, width: Array, periodic: Sequence[bool]) -> NDArray[np.complex128]:
    """Return g_x + i g_y of the smoothed field, shape (nx, ny)."""
    mode = ["wrap" if closed else "nearest" for closed in periodic]
    gx, gy = (
        ndimage.gaussian_filter(filled, width, order, mode=mode) / h
        for order, h in zip([(1, 0), (0, 1)], spacing, strict=True)
    )
    return np.asarray(gx + 1j * gy)


def _direction(slope: NDArray[np.complex128]) -> tuple[float, float]:
    """Return the stripe angle in degrees and the order from the gradient g_x + i g_y of the smoothed field.

    With z = <(g_x + i g_y)^2> over the film, angle = arg(z) / 2 + 90 degrees and order = |z| / <|g|^2>.
    """
    twice = np.mean(slope**2)
    angle = (np.degrees(np.angle(twice)) / 2 + 90) % 180
    return float(angle), float(abs(twice) / np.mean(np.abs(slope) ** 2))


def _extent(mask: Mask, spacing: Array, normal: Array) -> float:
    """Return the width of the film along the normal, from the far corners of its pixels."""
    along = np.argwhere(mask) @ (normal * spacing)
    return float(np.ptp(along) + abs(normal) @ spacing)


def _topology(
    filled: Array, mask: Mask, width: Array, pixels: Array, periodic: Sequence[bool]
) -> tuple[list[NDArray[np.int64]], int, float]:
    """Return the ends of high and of low bands at each pixel, the connected high domains, and the share searched."""
    smooth = ndimage.gaussian_filter(filled, width, mode=["wrap" if closed else "nearest" for closed in periodic])
    high = smooth > _level(smooth[mask])
    margin = np.ceil(1.5 * pixels).astype(int)
    padded = np.prod(mask.shape + 2.0 * margin)
    require(padded <= 10 * MOST, f"a wavelength of {pixels.max():.3g} pixels, must be less: take more equal pixels")
    phases = np.stack([high & mask, ~high & mask, mask])
    for axis, closed in enumerate(periodic):
        pad = [(0, 0), (0, 0), (0, 0)]
        pad[axis + 1] = (int(margin[axis]),) * 2
        phases = np.pad(phases, pad, mode="wrap" if closed else "constant")
    film = phases[2]
    counted = np.full(film.shape, True) if film.all() else ndimage.distance_transform_edt(film, 1 / pixels) > EDGE
    steps = int(np.ceil(SPUR * pixels.min()))
    crop = (slice(margin[0], margin[0] + mask.shape[0]), slice(margin[1], margin[1] + mask.shape[1]))
    tips = [_free_ends(phase, steps, counted)[crop] for phase in phases[:2]]
    return tips, _domains(phases[0][crop], periodic), max(counted[crop].sum(), 1) / mask.sum()


def _level(values: Array) -> float:
    """Return the level s = (<u | u > s> + <u | u <= s>) / 2 halfway between the two phases, found from the mean on.

    It is Otsu's threshold without a histogram, so that u -> -u gives exactly -s; a change of sign exchanges the phases.

    References:
        T. W. Ridler and S. Calvard, IEEE Trans. Syst. Man Cybern. 8 (1978) 630.
    """
    level = float(values.mean())
    for _ in range(100):
        above = values > level
        last, level = level, float(values[above].mean() + values[~above].mean()) / 2
        if level == last:
            break
    return level


def _free_ends(phase: Mask, steps: int, searched: Mask) -> NDArray[np.int64]:
    """Return the free ends of a phase's skeleton at each pixel searched: 1 at each tip, 2 at a single dot, else 0.

    All tips are drawn in by the given number of pixels, which takes shorter twigs away and leaves each island a rest;
    tips outside the searched region stay, since the band goes on outside the film.
    """
    lines = np.pad(thin(phase), 1)
    place = np.flatnonzero(lines)
    number = np.full(lines.size, place.size)
    number[place] = np.arange(place.size)
    row = lines.shape[1]
    near = number[place[:, None] + [-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1]]
    inside = np.pad(searched, 1).ravel()[place]
    alive = np.append(np.ones(place.size, bool), False)
    for _ in range(steps):
        tips = np.append(alive[:-1] & inside & (alive[near].sum(axis=1) == 1), False)
        # Two tips side by side are the rest of an island.
        alive[:-1] &= ~(tips[:-1] & ~tips[near].any(axis=1))
    free = np.zeros(lines.size, dtype=np.int64)
    free[place] = np.where(alive[:-1] & inside, np.maximum(2 - alive[near].sum(axis=1), 0), 0)
    return free.reshape(lines.shape)[1:-1, 1:-1]


def _domains(high: Mask, periodic: Sequence[bool]) -> int:
    """Return the number of connected domains (over edges and corners), joined through the periodic edges.

    One more line of pixels is copied across each seam; a pixel and its copy belong to the same domain.
    """
    pad = [(int(closed),) * 2 for closed in periodic]
    label, labels = ndimage.label(np.pad(high, pad, mode="wrap"), np.ones((3, 3)))
    own = label[tuple(slice(p, p + n) for (p, _), n in zip(pad, high.shape, strict=True))]
    pairs = np.stack([label, np.pad(own, pad, mode="wrap")])[:, label > 0] - 1
    links = coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(labels, labels))
    return int(connected_components(links, directed=False)[0])
