"""Analysis of a pattern on a grid: direction, spectrum, and the free ends of skeletons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from emfem.arrays import MOST
from emfem.errors import ParameterError, floats, number, require, shown

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.morphology import thin

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
FEWEST = 2
"""Least stripes across a film of any kind: one alone looks straight in whatever pattern it is."""
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
EDGE = 0.5
"""Distance in wavelengths from the edge of the film within which no tip counts: bands that leave it stop there."""


@dataclass(frozen=True)
class Pattern:
    """The pattern of a film as `measure` finds it.

    Attributes:
        kind: `perfect stripes` (straight, uninterrupted), `zipped stripes` (forked or interrupted, but oriented),
            `connected domains` (loosely oriented), `disordered` (no preferred direction), `too few waves` (fewer than
            two stripes across, of which none of these can be told) or `uniform` (no pattern).
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


class Details(NamedTuple):
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


def analysed(grid: tuple[Array, Mask, Array], periodic: Sequence[bool]) -> tuple[Pattern, Details | None]:
    """Return the pattern of a checked grid, and its parts unless it is uniform."""
    raw, mask, spacing = grid
    contrast = float(raw[mask].std())
    flat = _detrended(raw, mask, periodic)
    scale = flat[mask].std()
    if scale < UNIFORM_CONTRAST:
        return Pattern("uniform", 0, 0.0, 0.0, np.inf, 0.0, contrast, 0, 0, 0), None
    waves, power = power_spectrum(flat, mask, spacing, periodic)
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
    stripes = round(number)
    kind = _kind(order, (ends + forks) * wavelength**2 / (share * area), stripes)
    pattern = Pattern(kind, stripes, number / area, angle, wavelength, order, contrast, ends, forks, domains)
    return pattern, Details(np.where(mask, slope, np.nan), end_places, fork_places, spacing)


def _kind(order: float, defects: float, stripes: int) -> str:
    """Return the paper's name of a pattern of an order, defects per square wavelength, and stripes across the film."""
    if stripes < FEWEST:
        return "too few waves"
    if order >= STRAIGHT_ORDER and defects == 0:
        return "perfect stripes"
    if order >= ORIENTED_ORDER and defects <= ZIPPED_DEFECTS:
        return "zipped stripes"
    return "connected domains" if order >= LOOSE_ORDER else "disordered"


def checked_grid(
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


def power_spectrum(flat: Array, mask: Mask, spacing: Array, periodic: Sequence[bool]) -> tuple[Array, Array]:
    """Return the wave vectors, shape (2, nx, ny), and |FFT(w u)|^2, w a Hann window along axes that do not close."""
    window = hann_window(mask, periodic)
    centred = window * (flat - (window * flat).sum() / window.sum())
    waves = [2 * np.pi * fft.fftfreq(n, h) for n, h in zip(flat.shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*waves, indexing="ij")), np.abs(fft.fft2(centred)) ** 2


def hann_window(mask: Mask, periodic: Sequence[bool]) -> Array:
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
    size = float(np.mean(np.abs(slope) ** 2))
    return float(angle), float(abs(twice) / size) if size else 0.0  # smoothed to nothing: no direction


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
