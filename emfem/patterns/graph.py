"""The skeleton of a pattern as a graph: its ends, forks, branches and loops, on films that close on themselves too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from emfem.errors import ParameterError, number, require
from emfem.fields import Grid
from emfem.gate import checked
from emfem.patterns.analysis import EDGE, SMOOTHING, SPUR, Array, Mask, _level, analysed
from emfem.patterns.measures import BLOCK, _of_grid, _sampled

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from skimage.morphology import skeletonize

__all__ = ["Skeleton", "skeleton"]

FEWEST = 4.0  # pixels of a wavelength: a band and a gap of two each
MARGIN = 1.5  # wavelengths that a film is continued by across its periodic edges
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # from a pixel to half of its neighbours


@dataclass(frozen=True)
class Skeleton:
    """The middle lines of the bands of high concentration, as a graph of ends, forks and the branches between them.

    Attributes:
        ends: places of free ends inside the film; an island without branches has one place, shape (n, 2) [length].
        forks: places where three branches or more meet, shape (m, 2) [length].
        branching: number of branches that meet at each fork, shape (m,).
        lengths: of the branches between ends and forks, and of lines that close on themselves, shape (b,) [length].
        pieces: connected pieces.
        loops: closed ways that are independent of each other, those around the film included.
        ends_error: standard error of the number of ends, as if the film were cut from a large one.
        forks_error: that of the number of forks.
    """

    ends: Array
    forks: Array
    branching: NDArray[np.int64]
    lengths: Array
    pieces: int
    loops: int
    ends_error: float
    forks_error: float


class _Graph(NamedTuple):
    """Pixels of a skeleton, and what they are: each pixel belongs to a fork or to a branch."""

    pixels: NDArray[np.int64]  # shape (n, 2)
    links: csr_array  # lengths between neighbours, shape (n, n)
    degree: NDArray[np.int64]  # shape (n,)
    part: NDArray[np.int64]  # number of the fork or branch, shape (n,); forks come first
    forks: int
    arms: NDArray[np.int64]  # of each fork: branches that leave it; of each branch: links to forks
    parts: int


@checked
def skeleton(field: fem.Function | Grid, *, resolution: int = 192) -> Skeleton:
    """Return the skeleton of the bands of high concentration; every rank gets the same.

    The field is smoothed and cut as in `measure` and thinned to lines of one pixel, which neighbours join to a graph,
    across periodic edges too. Twigs shorter than 0.35 wavelengths are cut off. Nothing counts as an end within half a
    wavelength of an open edge: bands that leave the film stop there.

    Errors are those of the bootstrap over blocks of two wavelengths, `sqrt(blocks var(number in a block))`. They are
    too small where waves are coherent across the film: 4.2 of 17 ends in 24 labyrinths of random waves, 8 wavelengths
    wide, whose spread was 6.7. Other rules for twigs count others: these 1.8 +- 1.3 ends and 2.3 +- 2.8 forks more
    than `measure`, which takes ends of low bands for forks.

    Args:
        field: DOLFINx function, a scalar on a two-dimensional mesh, or a grid of `em.fields.sample_grid`.
        resolution: as in `measure`.

    Raises:
        ParameterError: as in `measure`, and for a film that is uniform, or whose waves are as fine as its pixels.
    """
    grid = field if isinstance(field, Grid) else _sampled(field, resolution)
    raw, mask, spacing = _of_grid(grid)
    pattern, details = analysed((raw, mask, spacing), grid.periodic)
    if details is None:
        msg = f"a pattern of contrast {pattern.contrast:.3g}, must be more than uniform to have a skeleton"
        raise ParameterError(msg)
    pixels = pattern.wavelength / spacing
    words = f"a wavelength of {pixels.min():.3g} pixels, must be at least {FEWEST:g} to have a skeleton"
    require(pixels.min() >= FEWEST, words)
    lines, inside = _lines(raw, mask, pixels, grid.periodic)
    graph = _pruned(lines, spacing, SPUR * pattern.wavelength, grid.periodic)
    first = np.unique(graph.part, return_index=True)[1]
    fork = np.flatnonzero(graph.arms[: graph.forks] >= 3)
    end = np.flatnonzero((graph.degree <= 1) & inside[tuple(graph.pixels.T)])
    ends, forks = graph.pixels[end], graph.pixels[first[fork]]
    blocks = np.maximum(np.floor(raw.shape / (BLOCK * pixels)).astype(int), 1)
    pieces = int(connected_components(graph.links, directed=False)[0])
    return Skeleton(
        ends=grid.lower + (ends + 0.5) * spacing,
        forks=grid.lower + (forks + 0.5) * spacing,
        branching=graph.arms[fork],
        lengths=_lengths(graph),
        pieces=pieces,
        loops=graph.links.nnz // 2 - len(graph.pixels) + pieces,
        ends_error=_error(ends, raw.shape, blocks),
        forks_error=_error(forks, raw.shape, blocks),
    )


def _lines(raw: Array, mask: Mask, pixels: Array, periodic: tuple[bool, ...]) -> tuple[Mask, Mask]:
    """Return the skeleton of the high phase, and where its ends count."""
    nearest = tuple(ndimage.distance_transform_edt(~mask, 1 / pixels, False, True))
    mode = ["wrap" if closed else "nearest" for closed in periodic]
    smooth = ndimage.gaussian_filter(raw[nearest], np.maximum(SMOOTHING * pixels, 0.8), mode=mode)
    high = (smooth > _level(smooth[mask])) & mask
    film, margin = mask, np.ceil(MARGIN * pixels).astype(int)
    for axis, closed in enumerate(periodic):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (int(margin[axis]),) * 2
        both = np.stack([high, film])
        high, film = np.pad(both, [(0, 0), *pad], mode="wrap" if closed else "constant")
    crop = tuple(slice(m, m + n) for m, n in zip(margin, mask.shape, strict=True))
    apart = ndimage.distance_transform_edt(film, 1 / pixels) > EDGE if not film.all() else film
    return skeletonize(high)[crop], apart[crop]


def _graph(lines: Mask, spacing: Array, periodic: tuple[bool, ...]) -> _Graph:
    """Return the graph of a skeleton: diagonal neighbours are joined where no other pixel joins them."""
    pixels = np.argwhere(lines)
    number_of = np.full(lines.shape, -1)
    number_of[tuple(pixels.T)] = np.arange(len(pixels))

    def at(step: tuple[int, int]) -> NDArray[np.int64]:
        there = pixels + step
        beyond = ((there < 0) | (there >= np.array(lines.shape))) & ~np.array(periodic)
        return np.asarray(np.where(beyond.any(axis=1), -1, number_of[tuple((there % np.array(lines.shape)).T)]))

    pairs, lengths = [], []
    for step in STEPS:
        other = at(step)
        joined = other >= 0
        if 0 not in step:
            joined &= (at((step[0], 0)) < 0) & (at((0, step[1])) < 0)
        pairs.append(np.stack([np.flatnonzero(joined), other[joined]]))
        lengths.append(np.full(joined.sum(), float(np.linalg.norm(step * spacing))))
    ends, length = np.concatenate(pairs, axis=1), np.concatenate(lengths)
    n = len(pixels)
    half = coo_array((length, tuple(ends)), shape=(n, n))
    links = csr_array(half + half.T)
    degree = np.diff(links.indptr)
    fork = degree >= 3
    same = fork[ends[0]] == fork[ends[1]]
    inner = coo_array((length[same], tuple(ends[:, same])), shape=(n, n))
    parts, label = connected_components(inner, directed=False)
    is_fork = np.zeros(parts, dtype=bool)
    is_fork[label[fork]] = True
    part = np.argsort(np.argsort(~is_fork, kind="stable"))[label]
    across = part[ends[:, ~same]]
    arms = np.bincount(across.ravel(), minlength=parts)
    return _Graph(pixels, links, degree, part, int(is_fork.sum()), arms, parts)


def _lengths(graph: _Graph) -> Array:
    """Return the length of each branch, the links to its forks included."""
    links = graph.links.tocoo()
    row, column = graph.part[links.row], graph.part[links.col]
    of = np.where(row == column, 0.5, 1.0) * (row >= graph.forks) * links.data
    return np.asarray(np.bincount(row, of, graph.parts)[graph.forks :])


def _pruned(lines: Mask, spacing: Array, least: float, periodic: tuple[bool, ...]) -> _Graph:
    """Return the graph without branches shorter than `least` from a fork to a free end."""
    while True:
        graph = _graph(lines, spacing, periodic)
        tip = np.zeros(graph.parts, dtype=bool)
        tip[graph.part[graph.degree == 1]] = True
        tip &= graph.arms == 1
        tip[: graph.forks] = False
        tip[graph.forks :] &= _lengths(graph) < least
        if not tip.any():
            return graph
        lines = lines.copy()
        lines[tuple(graph.pixels[tip[graph.part]].T)] = False


def _error(places: NDArray[np.int64], shape: tuple[int, ...], blocks: NDArray[np.int64]) -> float:
    """Return `sqrt(n var(number in a block))`, which the bootstrap over n blocks would give."""
    n = int(number("blocks", int(blocks.prod()), at_least=1))
    block = np.ravel_multi_index(tuple((places * blocks // np.array(shape)).T), tuple(blocks))
    return float(np.sqrt(n * np.var(np.bincount(block, minlength=n))))
