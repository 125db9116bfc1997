"""Stream lines of any vector field, evenly apart: VTK follows them, and parts that come near others are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emfem.plot import rendering
from emfem.plot.simplices import Floats, SimplexMesh

import numpy as np
import pyvista
from scipy.spatial import cKDTree

__all__ = ["finite_cells", "heads", "polylines", "stream_lines"]

APART = {2: 0.045, 3: 0.1}  # distance of lines where they begin over the size of the domain, by dimension of its cells
NEAR = 0.5  # distance at which a line ends beside another one, over `APART`
SHORTEST = 2.0  # length of a line over `APART`
LONGEST = 3.0  # the same over the size of the domain
STEPS = 4  # points of a line in a distance of `NEAR`
TURN = 3 * STEPS  # points between two of a line that may be near each other
STRIDE = 0.5, 3.0  # least and largest step, in sizes of a cell; the first one on coarse meshes
WAY = 1000  # length of a line ahead and back, at most, in sizes of a cell
ACROSS = 280  # steps across the domain, at most where cells are alike: steps take the most time of a fine mesh


def stream_lines(mesh: SimplexMesh, vectors: Floats) -> list[Floats]:
    """Return lines that follow a vector, evenly apart, each of shape (k, 3) from its tail to its head; none on wires.

    They are as far apart where the field is strong as where it is weak, so that a field with sources has them too. They
    end where they leave the domain, at the seam of a periodic one, where the field vanishes, and beside other lines.

    Args:
        mesh: a plane, a shell or a body.
        vectors: the field at its points, shape (n, 1 to 3); the mean is taken where cells meet. Cells with a value that
            is not finite are no part of the domain.
    """
    finite = finite_cells(mesh, vectors)
    largest = float(np.abs(vectors[mesh.simplices[finite]]).max(initial=0.0))
    if mesh.dim < 2 or largest == 0.0:
        return []
    bounds = mesh.bounds
    origin, size = bounds[0], float(np.ptp(bounds, axis=0).max())
    first, place = mesh.joined
    points = (mesh.points[first] - origin) / size  # VTK's tolerances are absolute
    data = rendering.dataset(mesh if finite.all() else replace(mesh, simplices=mesh.simplices[finite]), joined=True)
    data.points = points
    flow = np.zeros((len(points), 3))
    known = np.where(np.isfinite(vectors), vectors, 0.0) / largest  # first: squares of 1e200 overflow
    for axis, part in enumerate(known.T):
        flow[:, axis] = np.bincount(place, part) / np.bincount(place)
    data.point_data["flow"] = flow
    apart = APART[mesh.dim]
    seeds = _seeds(points[place[mesh.simplices[finite]]].mean(axis=1), apart)
    return [size * line + origin for line in _spaced(_followed(data, seeds, surface=mesh.dim == 2), apart)]


def finite_cells(mesh: SimplexMesh, vectors: Floats) -> Any:
    """Return True for each cell at whose points a field is finite, also in the other cells there, shape (l,)."""
    place = mesh.joined[1]
    wrong = np.bincount(place, ~np.isfinite(vectors).all(axis=1)) > 0
    return ~wrong[place][mesh.simplices].any(axis=1)


def heads(lines: list[Floats], size: float) -> pyvista.PolyData:
    """Return a cone in the middle of each line that points along it.

    Args:
        lines: of `stream_lines`.
        size: length of the cones.
    """
    ends = np.array([line[len(line) // 2 - 1 : len(line) // 2 + 1] for line in lines])
    cloud = pyvista.PolyData(ends[:, 1])
    cloud.point_data["along"] = np.diff(ends, axis=1)[:, 0]
    return cloud.glyph(orient="along", scale=False, factor=size, geom=pyvista.Cone(radius=0.3))


def polylines(lines: list[Floats]) -> pyvista.PolyData:
    """Return lines as one object of VTK."""
    starts = np.cumsum([0, *map(len, lines)])
    cells = [
        np.array([len(line), *range(start, start + len(line))]) for line, start in zip(lines, starts, strict=False)
    ]
    return pyvista.PolyData(np.concatenate(lines), lines=np.concatenate(cells))


def _seeds(middles: Floats, apart: float) -> Floats:
    """Return the middles of cells, one of each box as large as the distance of lines."""
    boxes = np.maximum(middles / apart, 0.0).astype(np.int64)
    number = np.ravel_multi_index(tuple(boxes.T), tuple(boxes.max(axis=0) + 1))
    return middles[np.sort(np.unique(number, return_index=True)[1])]


def _followed(data: pyvista.DataSet, seeds: Floats, *, surface: bool) -> list[list[Floats]]:
    """Return the ways from each seed along the field and against it, the longest first."""
    step = float(np.clip(data.n_cells ** (1 / (2 if surface else 3)) / ACROSS, *STRIDE))
    traced = data.streamlines_from_source(
        pyvista.PolyData(seeds),
        "flow",
        surface_streamlines=surface,
        compute_vorticity=False,
        interpolator_type="cell",
        max_length=LONGEST,
        integrator_type=2,
        initial_step_length=step,
        max_steps=round(WAY / step),
    )
    if not traced.n_cells:
        return []
    ways = {seed: [place[None], place[None]] for seed, place in enumerate(seeds)}
    time, parts = traced.point_data["IntegrationTime"], np.split(traced.line_connectivity, traced.line_offsets[1:-1])
    for seed, part in zip(traced.cell_data["SeedIds"], parts, strict=True):
        ways[int(seed)][int(time[part[-1]] < 0)] = traced.points[part]
    return sorted(ways.values(), key=lambda both: -sum(map(_length, both)))


def _spaced(ways: list[list[Floats]], apart: float) -> list[Floats]:
    """Return the lines that keep their distance: `apart` where they begin, `NEAR` of that where they end."""
    lines: list[Floats] = []
    drawn = np.zeros((0, 3))
    for ahead, back in ways:
        if len(drawn) and cKDTree(drawn).query(ahead[0])[0] < apart:
            continue
        after = _until_near(ahead, drawn, NEAR * apart)
        before = _until_near(back, np.concatenate([drawn, after[TURN:]]), NEAR * apart)
        line = np.concatenate([before[:0:-1], after])
        if _length(line) >= SHORTEST * apart:
            lines.append(line)
            drawn = np.concatenate(lines)
    return lines


def _until_near(way: Floats, others: Floats, near: float) -> Floats:
    """Return a way as points evenly apart, up to where it comes near other points or, once round, itself."""
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    even = np.linspace(0.0, at[-1], 1 + int(np.ceil(STEPS * at[-1] / near)))
    line = np.stack([np.interp(even, at, part) for part in way.T], axis=1)
    tree = cKDTree(line)
    pairs = tree.query_pairs(near, output_type="ndarray")
    met = [pairs[pairs[:, 1] - pairs[:, 0] > TURN, 1]]
    if len(others):
        met.append(np.flatnonzero(cKDTree(others).query(line)[0] < near))
    return line[: min((int(each.min()) for each in met if len(each)), default=len(line))]


def _length(line: Floats) -> float:
    """Return the length of a line."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
