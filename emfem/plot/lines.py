"""Stream lines of a field that is linear in each simplex, evenly many for what flows in."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.plot.pieces import Floats, Pieces, Whole

import numpy as np
from numpy.typing import NDArray

STRIDE = 0.3  # of the size of a simplex, one step
PATIENCE = 100  # steps in which a line must get on by more than a simplex


@dataclass(frozen=True, eq=False)
class Walker:
    """Pieces made ready to be walked through.

    Attributes:
        pieces: what they are.
        flow: the field at their points, shape (n, 3).
        neighbours: across each facet, round a periodic domain, -1 for none.
        ports: whether what flows may leave through each facet.
    """

    pieces: Pieces
    flow: Floats
    neighbours: Whole
    ports: NDArray[np.bool_]
    origin: Floats
    inverse: Floats
    size: Floats

    def weights(self, simplex: Whole, x: Floats) -> Floats:
        """Barycentric coordinates of places in (the plane of) simplices, shape (l, k)."""
        inner = np.einsum("ndk,nk->nd", self.inverse[simplex], x - self.origin[simplex])
        return np.column_stack([1.0 - inner.sum(axis=1), inner])

    def at(self, simplex: Whole, weights: Floats) -> Floats:
        """Places from barycentric coordinates."""
        return np.einsum("nk,nkj->nj", weights, self.pieces.points[self.pieces.simplices[simplex]])

    def direction(self, simplex: Whole, weights: Floats) -> Floats:
        """The field's direction there; 0 where it vanishes."""
        found = np.einsum("nk,nkj->nj", weights, self.flow[self.pieces.simplices[simplex]])
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.divide(found, length, out=np.zeros_like(found), where=length > 0)


def walker(pieces: Pieces, flow: str, ports: list[int]) -> Walker:
    """Pieces made ready; `ports` are the tags of the boundaries through which the field `flow` comes and goes."""
    corners = pieces.points[pieces.simplices]
    edges = corners[:, 1:] - corners[:, :1]
    square = np.einsum("nik,njk->nij", edges, edges)
    return Walker(
        pieces,
        pieces.values[flow],
        pieces.neighbours(pieces.places_round),
        np.isin(pieces.tags, ports),
        corners[:, 0],
        np.linalg.solve(square, edges),
        np.linalg.det(square) ** (0.5 / pieces.dim),
    )


@dataclass(frozen=True, eq=False)
class Inflow:
    """What flows in through a boundary, at places evenly spread on each of its facets.

    Attributes:
        simplices: the simplex of each place, shape (l,).
        weights: its barycentric coordinates there, shape (l, k).
        rates: what flows in at each place, negative where it flows out, shape (l,).
    """

    simplices: Whole
    weights: Floats
    rates: Floats

    @property
    def total(self) -> float:
        """What flows in, less what flows out."""
        return float(self.rates.sum())


def inflow(walk: Walker, tag: int) -> Inflow:
    """What flows in through the boundary with a tag."""
    pieces = walk.pieces
    simplex, opposite = np.nonzero((pieces.tags == tag) & (walk.neighbours < 0))
    few = max(2, int(np.ceil((2000 / max(len(simplex), 1)) ** (1 / max(pieces.dim - 1, 1)))))
    on_facet = _spread(pieces.dim - 1, min(few, 200))
    weights = np.zeros((len(simplex), len(on_facet), pieces.dim + 1))
    for i in range(pieces.dim + 1):
        weights[np.ix_(opposite == i, range(len(on_facet)), np.delete(np.arange(pieces.dim + 1), i))] = on_facet
    many, flat = np.repeat(simplex, len(on_facet)), weights.reshape(-1, pieces.dim + 1)
    field = np.einsum("nk,nkj->nj", flat, walk.flow[pieces.simplices[many]])
    # The gradient of the opposite point's coordinate points inwards; d volume times it is the facet times its normal
    gradient = np.concatenate([-walk.inverse.sum(axis=1, keepdims=True), walk.inverse], axis=1)[simplex, opposite]
    area = gradient * (walk.size[simplex] ** pieces.dim)[:, None]
    area /= np.prod(np.arange(1, pieces.dim)) * len(on_facet)
    return Inflow(many, flat, np.einsum("nk,nk->n", field, np.repeat(area, len(on_facet), axis=0)))


def _spread(dim: int, count: int) -> Floats:
    """Barycentric coordinates of evenly spread places inside a simplex, shape (l, dim + 1)."""
    if dim == 0:
        return np.ones((1, 1))
    if dim == 1:
        middle = (np.arange(count) + 0.5) / count
        return np.column_stack([1 - middle, middle])
    i, j = (index.ravel() for index in np.meshgrid(np.arange(count), np.arange(count)))
    up, down = i + j < count, i + j < count - 1
    a = np.concatenate([i[up] + 1 / 3, i[down] + 2 / 3]) / count
    b = np.concatenate([j[up] + 1 / 3, j[down] + 2 / 3]) / count
    return np.column_stack([1 - a - b, a, b])


def shares(places: Floats, weights: Floats, count: int) -> Whole:
    """`count` of the places, in the middle of parts of equal weight: parts are halved across their longest side."""
    grain = 1e-9 * max(float(np.ptp(places, axis=0).max(initial=0.0)), 1e-300)
    rounded = np.round((places - places.min(axis=0, initial=np.inf)) / grain)  # ties must not hang on round-off
    found, waiting = [], [(np.flatnonzero(weights > 0), count)]
    while waiting:
        part, n = waiting.pop()
        if n < 1 or not len(part):
            continue
        axis = int(np.ptp(rounded[part], axis=0).argmax())
        part = part[np.lexsort((*rounded[part].T, rounded[part, axis]))]
        if n == 1:
            middle = np.average(rounded[part], axis=0, weights=weights[part])
            found.append(part[np.round(np.linalg.norm(rounded[part] - middle, axis=1), -3).argmin()])
            continue
        below = np.cumsum(weights[part]) - weights[part] / 2
        split = int(np.searchsorted(below, (1 - 1e-9) * weights[part].sum() * (n // 2) / n))
        waiting += [(part[split:], n - n // 2), (part[:split], n // 2)]
    return np.array(found, dtype=np.int64)


def stream(walk: Walker, simplex: Whole, weights: Floats) -> list[Floats]:
    """Stream lines from places to where the field leaves the domain, walking from simplex to simplex.

    A line cannot cross the boundary: at a wall it goes along it. Round a periodic domain it is broken by a row of NaN.

    Returns:
        One path a place, each of shape (l, 3).
    """
    x = walk.at(simplex, weights)
    paths = [[place] for place in x.copy()]
    alive = np.arange(len(x))
    simplex, landmark = simplex.copy(), x.copy()
    step = 0
    while len(alive):
        step += 1
        now = simplex[alive]
        stride = STRIDE * walk.size[now][:, None]
        half = x[alive] + 0.5 * stride * walk.direction(now, walk.weights(now, x[alive]))
        ahead = walk.direction(now, walk.weights(now, half))
        target, now, jump, over = _step(walk, now, x[alive], x[alive] + stride * ahead)
        for i, place, shift in zip(alive, target, jump, strict=True):
            if shift.any():
                paths[i] += [place - shift, np.full(3, np.nan)]
            paths[i].append(place)
        x[alive], simplex[alive] = target, now
        landmark[alive] += jump
        over |= np.linalg.norm(ahead, axis=1) == 0
        if step % PATIENCE == 0:
            over |= np.linalg.norm(x[alive] - landmark[alive], axis=1) < walk.size[now]
            landmark[alive] = x[alive]
        alive = alive[~over]
    return [np.array(path) for path in paths]


def _step(walk: Walker, simplex: Whole, start: Floats, x: Floats) -> tuple[Floats, Whole, Floats, NDArray[np.bool_]]:
    """Go from places to places x: where one gets, in which simplex, by how much a seam moved it, and whether out."""
    simplex, start, x = simplex.copy(), start.copy(), x.copy()
    jump, out = np.zeros_like(x), np.zeros(len(x), dtype=bool)
    weights = walk.weights(simplex, x)
    for _ in range(50):
        worst = weights.argmin(axis=1)
        beyond = np.flatnonzero(weights.min(axis=1) < -1e-12)
        if not len(beyond):
            break
        here, facet = simplex[beyond], worst[beyond]
        there = walk.neighbours[here, facet]
        wall, at = beyond[there < 0], facet[there < 0]
        left = walk.ports[simplex[wall], at]
        out[wall] |= left
        before = walk.weights(simplex[wall], start[wall])[np.arange(len(wall)), at]
        after = weights[wall, at]
        share = np.where(left, np.clip(before, 0.0, None) / (np.clip(before, 0.0, None) - after), 1.0)
        x[wall] = start[wall] + share[:, None] * (x[wall] - start[wall])  # as far as the facet, if it lets one out
        weights[wall] = walk.weights(simplex[wall], x[wall])
        wall = wall[~left]
        weights[wall] = np.maximum(weights[wall], 0.0)
        weights[wall] /= weights[wall].sum(axis=1, keepdims=True)
        on = beyond[there >= 0]
        here, facet, there = here[there >= 0], facet[there >= 0], there[there >= 0]
        shift = _seam(walk, here, facet, there)
        start[on] += shift
        x[on] += shift
        jump[on] += shift
        simplex[on] = there
        weights[on] = walk.weights(there, x[on])
    weights = np.maximum(weights, 0.0)  # onto the plane of a bent surface
    return walk.at(simplex, weights / weights.sum(axis=1, keepdims=True)), simplex, jump, out


def _seam(walk: Walker, here: Whole, facet: Whole, there: Whole) -> Floats:
    """By how much places move from one simplex into its neighbour: a period at a seam, else 0."""
    if not walk.pieces.period.any():
        return np.zeros((len(here), 3))
    shared = walk.pieces.facet(here, facet)[:, 0]
    corners = walk.pieces.simplices[there]
    places = walk.pieces.places_round
    same = (places[corners] == places[shared][:, None]).argmax(axis=1)
    moved = walk.pieces.points[corners[np.arange(len(there)), same]] - walk.pieces.points[shared]
    period = walk.pieces.period
    return np.where((period > 0) & (np.abs(moved) > period / 2), moved, 0.0)
