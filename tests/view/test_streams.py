"""Stream lines of the viewer against closed forms: in a plane, on a shell, in a body, and what has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.plot.simplices import SimplexMesh, simplex_mesh
from emfem.view.streams import APART, NEAR, finite_cells, heads, polylines, stream_lines

import numpy as np
import pytest
from scipy.spatial.distance import cdist

NANO = 1e-9  # lengths of the domains: tolerances of VTK are absolute


def lines_of(domain: em.mesh.Domain, flow: Callable[[Any], Any], fine: int = 2) -> tuple[SimplexMesh, list[np.ndarray]]:
    """The mesh of a domain, and the stream lines of a field whose components are functions of x, y, z."""
    mesh = simplex_mesh(domain, fine)
    assert mesh is not None
    return mesh, stream_lines(mesh, np.stack(np.broadcast_arrays(*flow(mesh.points.T)), axis=1))


def least_distance(lines: list[np.ndarray]) -> float:
    """The least distance between points of two lines."""
    return min(float(cdist(one, other).min()) for i, one in enumerate(lines) for other in lines[:i])


@pytest.mark.parametrize("cell", ["triangle", "quadrilateral"])
def test_lines_of_a_rotation_are_circles_once_round(cell: str):
    """Anticlockwise, closed but for the distance at which a line ends, and none nearer to another than that."""
    plate = em.mesh.rectangle((2 * NANO, NANO), cells=(40, 20), cell=cell)
    _, lines = lines_of(plate, lambda x: (NANO / 2 - x[1], x[0] - NANO))
    size, whole = 2 * NANO, 0
    assert len(lines) > 8
    for line in lines:
        x, y = (line - [NANO, NANO / 2, 0.0])[:, :2].T
        radius, angle = np.hypot(x, y), np.unwrap(np.arctan2(y, x))
        assert np.ptp(radius) < 0.02 * size  # chords of linear pieces, and steps of half a cell
        assert (np.diff(angle) > 0).all()
        if radius.mean() + np.ptp(radius) < NANO / 2:
            whole += 1
            assert 2 * np.pi - 1.5 * NEAR * APART[2] * size / radius.min() < np.ptp(angle) < 2 * np.pi
    assert whole >= 3
    assert least_distance(lines) > 0.99 * NEAR * APART[2] * size
    tails = np.diff(heads(lines, 0.02 * size).points, axis=0)
    assert np.isfinite(tails).all()
    assert polylines(lines).n_points == sum(map(len, lines))


def test_lines_in_a_body_are_straight_and_pass_through():
    """A uniform field along (2, 1, 0): each line keeps z and 2 y - x, and most begin and end near a face."""
    box = em.mesh.box((2 * NANO, NANO, NANO), cells=(12, 6, 6))
    mesh, lines = lines_of(box, lambda x: (2 + 0 * x[0], 1.0, 0.0), 1)
    assert len(lines) > 10
    for line in lines:
        assert np.ptp(line[:, 2]) < 1e-6 * NANO
        assert np.ptp(2 * line[:, 1] - line[:, 0]) < 1e-6 * NANO
        assert (np.diff(line[:, 0]) > 0).all()
    assert least_distance(lines) > 0.99 * NEAR * APART[3] * 2 * NANO
    ends = np.concatenate([line[[0, -1]] for line in lines])
    depth = np.minimum(ends, mesh.bounds[1] - ends).min(axis=1)
    assert np.median(depth) < 0.1 * NANO  # a step of half a cell


def test_lines_on_a_shell_stay_on_it():
    """The current along a tube."""
    tube = em.mesh.tube(radius=NANO, length=4 * NANO, size=0.3 * NANO)
    first, last = tube.names[:2]
    model = em.conduction.model(tube, conductivity=1.0, on={first: em.fixed(1.0), last: em.fixed(0.0)})
    em.solve_steady(model)
    mesh = simplex_mesh(tube, 1, v=model["j"])
    assert mesh is not None
    lines = stream_lines(mesh, mesh.values["v"])
    assert len(lines) > 10
    axis = int(np.ptp(mesh.points, axis=0).argmax())
    off = np.delete(np.concatenate(lines), axis, axis=1)
    assert np.linalg.norm(off, axis=1) == pytest.approx(NANO, rel=0.05)  # flat triangles
    along = [np.ptp(line[:, axis]) / np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines]
    assert np.median(along) > 0.99


def test_cells_that_are_not_finite_are_left_out():
    """A uniform field with one NaN in one cell and one infinity in another: lines everywhere else, straight."""
    mesh, lines = lines_of(em.mesh.rectangle((1.0, 1.0), cells=(20, 20)), lambda x: (1 + 0 * x[0], 0.0))
    flow = np.tile([1.0, 0.0], (len(mesh.points), 1))
    holes = np.array([[0.3, 0.3, 0.0], [0.7, 0.6, 0.0]])
    at = [int(np.linalg.norm(mesh.points - hole, axis=1).argmin()) for hole in holes]
    flow[at[0], 1], flow[at[1], 0] = np.nan, np.inf
    assert 0 < (~finite_cells(mesh, flow)).sum() < 0.05 * len(mesh.simplices)
    others = stream_lines(mesh, flow)
    assert len(lines) <= len(others) <= len(lines) + 4
    assert max(np.ptp(line[:, 1]) for line in others) < 1e-6
    assert cdist(np.concatenate(others), holes).min() > 0.01


def test_lines_do_not_depend_on_the_size_of_the_field():
    mesh, lines = lines_of(em.mesh.rectangle((1.0, 1.0), cells=(8, 8)), lambda x: (1 + x[1], x[0]))
    flow = np.stack([1 + mesh.points[:, 1], mesh.points[:, 0]], axis=1)
    for factor in (1e-200, 1e200, 1e307):
        others = stream_lines(mesh, factor * flow)
        assert len(others) == len(lines) > 5
        assert np.concatenate(others) == pytest.approx(np.concatenate(lines), abs=1e-6)


def test_what_has_no_lines():
    """No field, one that is not finite, and a wire."""
    mesh, _ = lines_of(em.mesh.rectangle((1.0, 1.0), cells=(4, 4)), lambda x: (0 * x[0], 0.0))
    still = np.zeros((len(mesh.points), 2))
    assert stream_lines(mesh, still) == []
    assert stream_lines(mesh, np.full_like(still, np.nan)) == []
    _, lines = lines_of(em.mesh.interval(1.0, cells=4), lambda x: (1 + 0 * x[0],))
    assert lines == []
