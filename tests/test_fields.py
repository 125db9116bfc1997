"""Measures of functions on every kind of mesh: extremes, integrals, values at points, samples, cells."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

from emfem import fields, mesh
from emfem.errors import ParameterError
from emfem.mesh import Domain

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

Array = NDArray[np.float64]


def linear(x: Array) -> Array:
    return 1.0 + 2.0 * x[0] - 3.0 * x[1]


def quadratic(x: Array) -> Array:
    return 1.0 + x[0] * x[1] - 0.5 * x[1] ** 2 + x[0] ** 2


def function(domain: Domain, degree: int, value: Callable[[Array], Array]) -> fem.Function:
    result = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", degree)), name="f")
    result.interpolate(value)
    return result


def random(domain: Domain, degree: int) -> fem.Function:
    """Different values at all nodes; on a periodic mesh a periodic function."""
    result = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", degree)))
    result.x.array[:] = np.random.default_rng(3).uniform(size=len(result.x.array))
    return result


def test_extremes_are_the_lowest_and_highest_nodal_value(plate: Domain):
    assert fields.extremes(function(plate, 1, linear)) == pytest.approx((-8.0, 9.0), rel=1e-14)


def test_extremes_of_a_vector_look_at_all_components(plate: Domain):
    vector = fem.Function(fem.functionspace(plate.mesh, ("Lagrange", 1, (2,))))
    vector.x.array[3] = -7.0
    assert fields.extremes(vector) == (-7.0, 0.0)


def test_extremes_do_not_hide_a_nan(plate: Domain):
    broken = function(plate, 1, linear)
    broken.x.array[2] = math.nan
    assert all(math.isnan(value) for value in fields.extremes(broken))


def test_integral_is_that_of_the_functional(plate: Domain):
    found = fields.integral(fem.form(function(plate, 1, linear) * plate.dx()), MPI.COMM_WORLD)
    assert found == pytest.approx(12 * (1 + 2 * 2 - 3 * 1.5), rel=1e-13)


@pytest.mark.parametrize(
    ("domain", "points"),
    [
        (mesh.interval(2.0, cells=3), [[0.0], [0.3], [2.0]]),
        (mesh.rectangle((2.0, 1.0), cells=(3, 2)), [[0.0, 0.0], [0.3, 0.9], [2.0, 1.0], [1.0, 0.5]]),
        (mesh.rectangle((2.0, 1.0), cells=(3, 2), cell="triangle"), [[0.1, 0.2], [1.9, 0.9]]),
        (mesh.box((2.0, 1.0, 1.0), cells=(2, 2, 2)), [[0.3, 0.2, 0.7], [2.0, 1.0, 1.0]]),
    ],
)
def test_evaluate_is_exact_for_what_the_elements_contain(domain: Domain, points: list[list[float]]):
    def value(x: Array) -> Array:
        return 2.0 - x[0] ** 2 + 0.5 * x[domain.dim - 1]

    at = np.array(points)
    assert fields.evaluate(function(domain, 2, value), at) == pytest.approx(value(at.T), abs=1e-13)


def test_outside_the_mesh_there_is_no_value(plate: Domain):
    points = np.array([[1.0, 1.0], [4.1, 1.0], [1.0, -0.1], [9.0, 9.0]])
    assert np.isnan(fields.evaluate(function(plate, 1, linear), points)).tolist() == [False, True, True, True]


def test_a_periodic_mesh_has_no_values_outside_its_box_either(torus: Domain):
    assert np.isnan(fields.evaluate(random(torus, 1), np.array([[10.5, 1.0], [-0.5, 1.0]]))).all()


def test_the_seam_has_the_same_value_on_its_four_corners(torus: Domain):
    corners = np.array(list(itertools.product((0.0, 10.0), repeat=2)))
    values = fields.evaluate(random(torus, 2), corners)
    assert values == pytest.approx(values[0], rel=1e-12)


def test_no_points_give_no_values(plate: Domain):
    assert fields.evaluate(function(plate, 1, linear), np.zeros((0, 2))).shape == (0,)


def plane_vector(domain: Domain) -> fem.Function:
    result = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2, (2,))), name="u")
    result.interpolate(lambda x: np.stack([quadratic(x), linear(x)]))
    return result


POINTS = np.array([[0.11, 0.23], [0.71, 0.52], [0.25, 0.5], [0.5, 0.5], [1.0, 1.0]])
EXPECTED = np.stack([quadratic(POINTS.T), linear(POINTS.T)], axis=1)
ROUNDING = 1e-13  # of a few sums of numbers of about 1; exact otherwise: the elements contain the polynomials


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_vectors_are_evaluated_component_by_component(cell: str):
    """The last three points lie on edges and nodes, where several cells meet."""
    u = plane_vector(mesh.rectangle((1.0, 1.0), cells=(4, 4), cell=cell))
    assert fields.evaluate(u, POINTS) == pytest.approx(EXPECTED, abs=ROUNDING)
    assert fields.evaluate(2.0 * u, POINTS) == pytest.approx(2.0 * EXPECTED, abs=ROUNDING)
    assert fields.evaluate(u[1], POINTS) == pytest.approx(EXPECTED[:, 1], abs=ROUNDING)
    slopes = np.stack(
        [
            [POINTS[:, 1] + 2.0 * POINTS[:, 0], POINTS[:, 0] - POINTS[:, 1]],
            [2.0 + 0 * POINTS[:, 0], -3.0 + 0 * POINTS[:, 0]],
        ]
    )
    assert fields.evaluate(ufl.grad(u), POINTS) == pytest.approx(np.moveaxis(slopes, 2, 0), abs=10 * ROUNDING)
    assert np.isnan(fields.evaluate(u, [[2.0, 2.0]])).all()


def test_a_place_is_a_field_too():
    plate = mesh.rectangle((1.0, 1.0), cells=(3, 3))
    assert fields.evaluate(ufl.SpatialCoordinate(plate.mesh), POINTS) == pytest.approx(POINTS, abs=ROUNDING)


def test_a_gradient_that_jumps_is_the_mean_of_the_cells_that_meet():
    """|x| has slopes -1 and 1: at the kink 0, beside it -1 or 1, on whichever rank."""
    line = mesh.interval(2.0, cells=4)
    kink = function(line, 1, lambda x: np.abs(x[0] - 1.0))
    found = fields.evaluate(ufl.grad(kink), [[0.9], [1.0], [1.1]])
    assert found == pytest.approx(np.array([[-1.0], [0.0], [1.0]]), abs=ROUNDING)


def test_what_lives_on_no_mesh_is_not_evaluated():
    with pytest.raises(ParameterError, match=r"must be on one mesh, not on 0"):
        fields.evaluate(ufl.as_vector([1.0, 2.0]), POINTS)
    with pytest.raises(ParameterError, match=r"field = 3.0, must be a Function or a UFL expression"):
        fields.evaluate(3.0, POINTS)


def test_samples_of_vectors_have_their_components_last(plate: Domain):
    grid = fields.sample_grid(ufl.grad(plane_vector(plate)[1]), (3, 5))
    assert grid.values == pytest.approx(np.broadcast_to([2.0, -3.0], (3, 5, 2)), abs=10 * ROUNDING)


@pytest.mark.parametrize(("chosen", "values", "name"), [("x", EXPECTED[:, 0], "u_x"), ("y", EXPECTED[:, 1], "u_y")])
def test_a_component_is_a_scalar_field(plate: Domain, chosen: str, values: Array, name: str):
    part = fields.component(plane_vector(plate), chosen)
    assert fields.evaluate(part, POINTS) == pytest.approx(values, abs=ROUNDING)
    assert part.name == name


def test_the_magnitude_is_the_length_at_the_nodes(plate: Domain):
    nodes = np.array([[0.0, 0.0], [1.0, 1.0]])
    part = fields.component(plane_vector(plate), "magnitude")
    expected = np.hypot(quadratic(nodes.T), linear(nodes.T))
    assert fields.evaluate(part, nodes) == pytest.approx(expected, abs=ROUNDING)
    assert part.name == "u"


@pytest.mark.parametrize(
    ("field", "chosen", "told"),
    [
        (plane_vector, "z", "'z'; field 'u' has x, y, magnitude"),
        (
            plane_vector,
            None,
            "field 'u' of shape (2,), must be a scalar or come with component='x' or 'y' or 'magnitude'",
        ),
        (
            lambda plate: plane_vector(plate)[0],
            "x",
            "component = 'x' of field 'field' of shape (), must be that of a vector",
        ),
        (
            lambda plate: ufl.grad(plane_vector(plate)),
            "x",
            "component = 'x' of field 'field' of shape (2, 2), must be that",
        ),
    ],
)
def test_components_that_do_not_exist_are_refused(
    plate: Domain, field: Callable[[Domain], Any], chosen: str, told: str
):
    with pytest.raises(ParameterError, match=re.escape(told)):
        fields.component(field(plate), chosen)


@pytest.mark.parametrize(("degree", "value"), [(1, linear), (2, quadratic)])
@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_samples_lie_at_pixel_centres(cell: str, degree: int, value: Callable[[Array], Array]):
    domain = mesh.rectangle((4.0, 3.0), cells=(4, 3), cell=cell)
    grid = fields.sample_grid(function(domain, degree, value), (7, 5))
    x, y = np.meshgrid((np.arange(7) + 0.5) * 4 / 7, (np.arange(5) + 0.5) * 3 / 5, indexing="ij")
    assert grid.values == pytest.approx(value(np.array([x, y])), abs=1e-12)
    assert grid.lower == pytest.approx([0.0, 0.0])
    assert grid.lengths == pytest.approx([4.0, 3.0])
    assert grid.periodic == (False, False)


def test_samples_of_a_half_periodic_mesh_are_exact_along_the_open_axis():
    domain = mesh.periodic_rectangle((4.0, 3.0), cells=(4, 3), axes="x")
    grid = fields.sample_grid(function(domain, 2, lambda x: x[1] ** 2 - x[1]), (8, 6))
    y = (np.arange(6) + 0.5) / 2
    assert grid.values == pytest.approx(np.tile(y**2 - y, (8, 1)), abs=1e-13)
    assert grid.periodic == (True, False)


def test_samples_of_a_periodic_mesh_have_the_function_s_integral(torus: Domain):
    # P1 on 6 x 6 cells is bilinear between samples of 12 x 12 pixels, so the midpoint rule is exact
    values = random(torus, 1)
    grid = fields.sample_grid(values, (12, 12))
    assert grid.periodic == (True, True)
    whole = fields.integral(fem.form(values * torus.dx()), MPI.COMM_WORLD)
    assert grid.values.mean() * 100.0 == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 4), ()])
def test_a_grid_needs_the_dimension_of_the_mesh(plate: Domain, shape: Any):
    with pytest.raises(ParameterError, match=r"^shape = \(.*\), this mesh has 2 dimensions$"):
        fields.sample_grid(function(plate, 1, linear), shape)


MESHES = {
    "interval": lambda: mesh.periodic_interval(10.0, cells=6),
    "quadrilateral": lambda: mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6)),
    "triangle": lambda: mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6), cell="triangle"),
    "hexahedron": lambda: mesh.periodic_box((10.0, 10.0, 10.0), cells=(3, 3, 3)),
    "open": lambda: mesh.rectangle((10.0, 10.0), cells=(6, 6)),
    "half": lambda: mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6), axes="y"),
}


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", MESHES)
def test_gathered_cells_are_all_there_with_their_values_and_untorn(name: str, degree: int):
    domain = MESHES[name]()
    values = random(domain, degree)
    found = fields.gather(values)
    assert found is not None
    nodes = int(found.cells[0])
    cells = found.cells.reshape(-1, nodes + 1)[:, 1:]
    assert len(cells) == len(found.types) == domain.mesh.topology.index_map(domain.dim).size_global
    assert sorted(set(cells.ravel())) == list(range(len(found.points)))
    spans = np.ptp(found.points[cells], axis=1)[:, : domain.dim]
    assert spans == pytest.approx(spans[0, 0], rel=1e-12)  # a torn cell would span the whole mesh
    assert found.values == pytest.approx(fields.evaluate(values, found.points[:, : domain.dim]), abs=1e-12)


def test_gathered_vectors_keep_their_components(torus: Domain):
    gradient = fields.discontinuous(ufl.grad(random(torus, 2)), torus.mesh, 1)
    found = fields.gather(gradient)
    assert found is not None
    assert found.values.shape == (6 * 6 * 4, 2)


def test_an_expression_becomes_a_function_cell_by_cell(plate: Domain):
    x = ufl.SpatialCoordinate(plate.mesh)
    slope = fields.discontinuous(ufl.grad(function(plate, 2, quadratic))[0], plate.mesh, 1)
    away = fem.form((slope - (x[1] + 2 * x[0])) ** 2 * plate.dx(4))
    assert fields.integral(away, MPI.COMM_WORLD) == pytest.approx(0.0, abs=1e-24)
    assert slope.name == "field"


def test_a_discontinuous_copy_has_both_places_of_a_seam_node(torus: Domain):
    place = fields.discontinuous(ufl.SpatialCoordinate(torus.mesh)[0], torus.mesh, 1)
    assert fields.extremes(place) == pytest.approx((0.0, 10.0), abs=1e-12)


def test_refresh_follows_the_source(plate: Domain):
    source = function(plate, 1, linear)
    copy = fields.discontinuous(source, plate.mesh, 1)
    assert copy.name == "f"
    source.x.array[:] = 5.0
    assert fields.extremes(copy) == pytest.approx((-8.0, 9.0))
    fields.refresh(copy, source)
    assert fields.extremes(copy) == pytest.approx((5.0, 5.0), rel=1e-14)  # values times a matrix of ones and zeros


@pytest.mark.parametrize("scale", [2.0**-30, 2.0**-17, 2.0**-4, 2.0**20])
@pytest.mark.parametrize("cell", ["triangle", "quadrilateral"])
def test_points_are_found_in_meshes_of_any_size(scale: float, cell: str):
    """From nanometres to kilometres: every value is that of the same mesh one large, bit for bit."""

    def values(size: float) -> Array:
        domain = mesh.rectangle((size, size), cells=(16, 16), cell=cell)
        wave = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
        wave.interpolate(lambda x: np.sin(7 * x[0] / size) * np.cos(5 * x[1] / size))
        points = np.random.default_rng(3).uniform(0.02, 0.98, (300, 2)) * size
        before = domain.mesh.geometry.x.copy()
        found = fields.evaluate(wave, points)
        assert (domain.mesh.geometry.x == before).all()  # the mesh is as it was
        return found

    assert values(scale) == pytest.approx(values(1.0), abs=1e-12)


# ---- tables and arrays


def test_a_line_cut_is_a_table_with_units(plate: Domain):
    table = fields.line_cut(function(plate, 2, quadratic), (0.5, 0.5), (2.5, 0.5), 5)
    assert table.columns.tolist() == ["s", "x", "y", "f"]
    assert table["s"].tolist() == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert table["f"].to_numpy() == pytest.approx(quadratic(table[["x", "y"]].to_numpy().T), rel=1e-12)
    assert set(table.attrs["units"]) == set(table.columns)


def test_a_vector_has_a_column_for_each_component(plate: Domain):
    table = fields.probe(ufl.grad(function(plate, 1, linear)), [(0.3, 0.4), (-9.0, 0.0)])
    assert table.columns[2:].str.rpartition("_").get_level_values(2).tolist() == ["x", "y"]
    assert table.iloc[0, 2:].tolist() == pytest.approx([2.0, -3.0], rel=1e-12)
    assert table.iloc[1, 2:].isna().all()


def test_a_line_of_one_dimension_has_numbers_as_ends():
    line = mesh.interval(2.0, cells=4)
    table = fields.line_cut(function(line, 1, lambda x: 3 * x[0]), 0.0, 2.0, 3)
    assert table["f"].tolist() == pytest.approx([0.0, 3.0, 6.0])


def test_a_labelled_array_has_axes_and_units(plate: Domain):
    found = fields.to_xarray(function(plate, 1, linear), (4, 3))
    grid = fields.sample_grid(function(plate, 1, linear), (4, 3))
    assert found.dims == ("x", "y")
    assert np.array_equal(found.to_numpy(), grid.values)
    expected = linear(np.meshgrid(found["x"], found["y"], indexing="ij"))  # type: ignore[arg-type]
    assert found.to_numpy() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "n", "message"),
    [
        ((0.0, 0.0), (0.0, 0.0), 5, r"^a = \[0.0, 0.0\] and b = \[0.0, 0.0\], must be two different points$"),
        ((0.0, 0.0), 1.0, 5, "must be two different points"),
        (0.0, 1.0, 5, r"must be \(n, 2\)"),
        ((0.0, 0.0), (1.0, 0.0), 1, "n = 1, must be at least 2"),
    ],
)
def test_a_line_that_is_none_is_refused(plate: Domain, a: Any, b: Any, n: int, message: str):
    with pytest.raises(ParameterError, match=message):
        fields.line_cut(function(plate, 1, linear), a, b, n)
