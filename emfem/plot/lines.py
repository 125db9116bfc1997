"""Stream lines of a field that is linear in each simplex, each with an equal share of the inflow."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.plot.simplices import Floats, SimplexMesh, Whole

import numpy as np
from numpy.typing import NDArray

STRIDE = 0.3  # length of a step over the size of a simplex
PATIENCE = 100  # steps in which a line must advance by more than a simplex


@dataclass(frozen=True, eq=False)
class Walker:
    """Mesh prepared for walks from simplex to simplex.

    Attributes:
        mesh: the simplices.
        flow: the field at its points, shape (n, 3).
        neighbours: across each facet, round a periodic domain, -1 for none.
        ports: True for the facets through which the flow may leave.
        origin: first corner of each simplex.
        inverse: rows that give the barycentric coordinates of all other corners.
        size: of each simplex.
    """

    mesh: SimplexMesh
    flow: Floats
    neighbours: Whole
    ports: NDArray[np.bool_]
    origin: Floats
    inverse: Floats
    size: Floats

    def weights(self, simplex: Whole, x: Floats) -> Floats:
        """Return the barycentric coordinates of places in (the plane of) simplices, shape (l, k)."""
        inner = np.einsum("ndk,nk->nd", self.inverse[simplex], x - self.origin[simplex])
        return np.column_stack([1.0 - inner.sum(axis=1), inner])

    def at(self, simplex: Whole, weights: Floats) -> Floats:
        """Return places from barycentric coordinates."""
        return np.einsum("nk,nkj->nj", weights, self.mesh.points[self.mesh.simplices[simplex]])

    def direction(self, simplex: Whole, weights: Floats) -> Floats:
        """Return the field's direction there; 0 where it vanishes."""
        field = np.einsum("nk,nkj->nj", weights, self.flow[self.mesh.simplices[simplex]])
        length = np.linalg.norm(field, axis=1, keepdims=True)
        return np.divide(field, length, out=np.zeros_like(field), where=length > 0)


def walker(mesh: SimplexMesh, flow: str, ports: list[int]) -> Walker:
    """Prepare a mesh; `ports` are the tags of the boundaries through which the field `flow` enters and leaves."""
    corners = mesh.points[mesh.simplices]
    edges = corners[:, 1:] - corners[:, :1]
    square = np.einsum("nik,njk->nij", edges, edges)
    return Walker(
        mesh,
        mesh.values[flow],
        mesh.neighbours(mesh.places_round),
        np.isin(mesh.tags, ports),
        corners[:, 0],
        np.linalg.solve(square, edges),
        np.linalg.det(square) ** (0.5 / mesh.dim),
    )


@dataclass(frozen=True, eq=False)
class Inflow:
    """Flow through a boundary into the domain, at places evenly spread on each of its facets.

    Attributes:
        simplices: the simplex of each place, shape (l,).
        weights: its barycentric coordinates there, shape (l, k).
        rates: inflow at each place, negative where it flows out, shape (l,).
    """

    simplices: Whole
    weights: Floats
    rates: Floats


def inflow(walk: Walker, tag: int) -> Inflow:
    """Return the inflow through the boundary with a tag."""
    mesh = walk.mesh
    simplex, opposite = np.nonzero((mesh.tags == tag) & (walk.neighbours < 0))
    few = max(2, int(np.ceil((2000 / max(len(simplex), 1)) ** (1 / max(mesh.dim - 1, 1)))))
    on_facet = _spread(mesh.dim - 1, min(few, 200))
    weights = np.zeros((len(simplex), len(on_facet), mesh.dim + 1))
    for i in range(mesh.dim + 1):
        weights[np.ix_(opposite == i, range(len(on_facet)), np.delete(np.arange(mesh.dim + 1), i))] = on_facet
    many, flat = np.repeat(simplex, len(on_facet)), weights.reshape(-1, mesh.dim + 1)
    field = np.einsum("nk,nkj->nj", flat, walk.flow[mesh.simplices[many]])
    # The gradient of the opposite point's coordinate points inwards; d volume times it is the facet times its normal
    gradient = np.concatenate([-walk.inverse.sum(axis=1, keepdims=True), walk.inverse], axis=1)[simplex, opposite]
    area = gradient * (walk.size[simplex] ** mesh.dim)[:, None]
    area /= np.prod(np.arange(1, mesh.dim)) * len(on_facet)
    return Inflow(many, flat, np.einsum("nk,nk->n", field, np.repeat(area, len(on_facet), axis=0)))


def _spread(dim: int, count: int) -> Floats:
    """Return barycentric coordinates of evenly spread places inside a simplex, shape (l, dim + 1)."""
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
    """Choose places in the middle of `count` parts of equal weight: parts are halved across their longest side."""
    grain = 1e-9 * max(float(np.ptp(places, axis=0).max(initial=0.0)), 1e-300)
    rounded = np.round((places - places.min(axis=0, initial=np.inf)) / grain)  # ties must not depend on round-off
    chosen, waiting = [], [(np.flatnonzero(weights > 0), count)]
    while waiting:
        part, n = waiting.pop()
        if n < 1 or not len(part):
            continue
        axis = int(np.ptp(rounded[part], axis=0).argmax())
        part = part[np.lexsort((*rounded[part].T, rounded[part, axis]))]
        if n == 1:
            middle = np.average(rounded[part], axis=0, weights=weights[part])
            chosen.append(part[np.round(np.linalg.norm(rounded[part] - middle, axis=1), -3).argmin()])
            continue
        below = np.cumsum(weights[part]) - weights[part] / 2
        split = int(np.searchsorted(below, (1 - 1e-9) * weights[part].sum() * (n // 2) / n))
        waiting += [(part[split:], n - n // 2), (part[:split], n // 2)]
    return np.array(chosen, dtype=np.int64)


def stream(walk: Walker, simplex: Whole, weights: Floats) -> list[Floats]:
    """Return stream lines from places to where the field leaves the domain, walking from simplex to simplex.

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
    """Step from places to places x: return the ends, their simplices, the shifts at seams, and True where it leaves."""
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
    """Return the shift of places from one simplex into its neighbour: a period at a seam, else 0."""
    if not walk.mesh.period.any():
        return np.zeros((len(here), 3))
    shared = walk.mesh.facet(here, facet)[:, 0]
    corners = walk.mesh.simplices[there]
    places = walk.mesh.places_round
    same = (places[corners] == places[shared][:, None]).argmax(axis=1)
    moved = walk.mesh.points[corners[np.arange(len(there)), same]] - walk.mesh.points[shared]
    period = walk.mesh.period
    return np.where((period > 0) & (np.abs(moved) > period / 2), moved, 0.0)
