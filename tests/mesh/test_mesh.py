"""Shapes have the sizes, names and cells asked for; periodic ones are truly without a seam; bad input is refused."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from emfem import mesh
from emfem.errors import ParameterError, UnknownName
from emfem.fields import evaluate, integral
from emfem.mesh import Domain

import dolfinx
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from scipy.sparse.linalg import spsolve

LINE, PLATE, BLOCK = 3.0, (3.0, 2.0), (3.0, 2.0, 1.5)
FACES = {"left": (0, 0), "right": (0, 1), "bottom": (1, 0), "top": (1, 1)}
FACES_3D = {"left": (0, 0), "right": (0, 1), "front": (1, 0), "back": (1, 1), "bottom": (2, 0), "top": (2, 1)}

# A shape, its edges, its boundaries: each name with its axis and side.
SHAPES: list[tuple[str, Callable[[], Domain], tuple[float, ...], dict[str, tuple[int, int]]]] = [
    ("interval", partial(mesh.interval, LINE, cells=4), (LINE,), {"left": (0, 0), "right": (0, 1)}),
    ("periodic interval", partial(mesh.periodic_interval, LINE, cells=4), (LINE,), {}),
]
for kind in ("quadrilateral", "triangle"):
    SHAPES.append((f"rectangle {kind}", partial(mesh.rectangle, PLATE, cells=(4, 3), cell=kind), PLATE, FACES))
    for axes in ("xy", "x", "y"):
        make = partial(mesh.periodic_rectangle, PLATE, cells=(4, 3), cell=kind, axes=axes)
        left = {name: place for name, place in FACES.items() if "xy"[place[0]] not in axes}
        SHAPES.append((f"periodic {kind} {axes}", make, PLATE, left))
for kind in ("hexahedron", "tetrahedron"):
    SHAPES.append((f"box {kind}", partial(mesh.box, BLOCK, cells=(4, 3, 3), cell=kind), BLOCK, FACES_3D))
    for axes in ("xyz", "xz", "y"):
        make = partial(mesh.periodic_box, BLOCK, cells=(4, 3, 3), cell=kind, axes=axes)
        left = {name: place for name, place in FACES_3D.items() if "xyz"[place[0]] not in axes}
        SHAPES.append((f"periodic {kind} {axes}", make, BLOCK, left))

shapes = pytest.mark.parametrize(("make", "lengths", "faces"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])


def integrate(form: ufl.Form) -> float:
    return integral(fem.form(form), MPI.COMM_WORLD)


@shapes
def test_volume_and_faces_match_their_names(
    make: Callable[[], Domain], lengths: tuple[float, ...], faces: dict[str, tuple[int, int]]
):
    domain = make()
    assert integrate(fem.Constant(domain.mesh, 1.0) * domain.dx()) == pytest.approx(math.prod(lengths), rel=1e-12)
    assert domain.names == tuple(faces)
    assert [domain.tag(name) for name in faces] == list(range(1, len(faces) + 1))
    for name, (axis, side) in faces.items():
        area = math.prod(lengths) / lengths[axis]
        x = ufl.SpatialCoordinate(domain.mesh)
        assert integrate(fem.Constant(domain.mesh, 1.0) * domain.ds(name)) == pytest.approx(area, rel=1e-12)
        assert integrate(x[axis] * domain.ds(name)) == pytest.approx(side * lengths[axis] * area, abs=1e-12)


@shapes
def test_every_boundary_facet_has_a_name(
    make: Callable[[], Domain], lengths: tuple[float, ...], faces: dict[str, tuple[int, int]]
):
    domain = make()
    domain.mesh.topology.create_connectivity(domain.dim - 1, domain.dim)
    outer = dolfinx.mesh.exterior_facet_indices(domain.mesh.topology)
    assert sorted(outer) == sorted(domain.facets.indices)
    assert bool(len(outer)) == bool(faces)


@shapes
def test_the_box_around_and_the_periods_are_the_edges(
    make: Callable[[], Domain], lengths: tuple[float, ...], faces: dict[str, tuple[int, int]]
):
    domain = make()
    lower, upper = mesh.bounds(domain.mesh)
    open_axes = {axis for axis, _ in faces.values()}
    assert lower == pytest.approx(np.zeros(domain.dim), abs=1e-14)
    assert upper == pytest.approx(lengths, rel=1e-14)
    assert domain.period.tolist() == [0.0 if i in open_axes else length for i, length in enumerate(lengths)]


def test_names_can_be_chosen():
    ends = mesh.interval(1.0, cells=2, names=("cathode", "anode"))
    assert ends.names == ("cathode", "anode")
    assert integrate(ufl.SpatialCoordinate(ends.mesh)[0] * ends.ds("anode")) == pytest.approx(1.0)
    strip = mesh.periodic_rectangle((1.0, 1.0), cells=(3, 3), axes="y", names=("cathode", "anode", "low", "high"))
    assert strip.names == ("cathode", "anode")


NX, NY, NZ = 5, 4, 3


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    ("make", "counts"),
    [
        (lambda: mesh.periodic_interval(1.0, cells=NX), (NX,)),
        *[
            (lambda c=cell: mesh.periodic_rectangle((1.0, 1.0), cells=(NX, NY), cell=c), (NX, NY))
            for cell in ("quadrilateral", "triangle")
        ],
        *[
            (lambda c=cell: mesh.periodic_box((1.0, 1.0, 1.0), cells=(NX, NY, NZ), cell=c), (NX, NY, NZ))
            for cell in ("hexahedron", "tetrahedron")
        ],
    ],
    ids=["interval", "quadrilateral", "triangle", "hexahedron", "tetrahedron"],
)
def test_a_torus_has_no_node_twice(make: Callable[[], Domain], counts: tuple[int, ...], degree: int):
    space = fem.functionspace(make().mesh, ("Lagrange", degree))
    assert space.dofmap.index_map.size_global == math.prod(n * degree for n in counts)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
@pytest.mark.parametrize("axes", ["x", "y"])
def test_a_cylinder_has_the_nodes_of_two_edges(axes: str, cell: str, degree: int):
    domain = mesh.periodic_rectangle((1.0, 1.0), cells=(NX, NY), cell=cell, axes=axes)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    along_x, along_y = NX * degree + (axes == "y"), NY * degree + (axes == "x")
    assert space.dofmap.index_map.size_global == along_x * along_y


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_the_unfolded_cells_all_have_the_same_size(cell: str):
    domain = mesh.periodic_rectangle((3.0, 2.0), cells=(5, 4), cell=cell)
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    assert domain.mesh.h(2, cells) == pytest.approx(math.hypot(3 / 5, 2 / 4), rel=1e-12)


@pytest.mark.parametrize(
    ("make", "near", "far"),
    [
        (lambda: mesh.periodic_interval(2.0, cells=4), [[0.0]], [[2.0]]),
        (lambda: mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3)), [[0.0, 1.3]], [[3.0, 1.3]]),
        (lambda: mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3)), [[0.7, 0.0]], [[0.7, 2.0]]),
        (lambda: mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3), cell="triangle"), [[0.0, 0.0]], [[3.0, 2.0]]),
        (lambda: mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3), axes="y"), [[0.7, 0.0]], [[0.7, 2.0]]),
        (lambda: mesh.periodic_box((1.0, 1.0, 1.0), cells=(3, 3, 3), axes="z"), [[0.2, 0.3, 0.0]], [[0.2, 0.3, 1.0]]),
    ],
)
def test_a_function_has_one_value_on_both_sides_of_the_seam(make: Callable[[], Domain], near: Any, far: Any):
    function = fem.Function(fem.functionspace(make().mesh, ("Lagrange", 2)))
    function.x.array[:] = np.random.default_rng(0).uniform(size=len(function.x.array))
    assert evaluate(function, np.array(near)) == pytest.approx(evaluate(function, np.array(far)), rel=1e-12)


def test_without_periodicity_the_two_sides_differ():
    function = fem.Function(fem.functionspace(mesh.interval(2.0, cells=4).mesh, ("Lagrange", 2)))
    function.x.array[:] = np.random.default_rng(0).uniform(size=len(function.x.array))
    assert abs(np.diff(evaluate(function, np.array([[0.0], [2.0]])))) > 0.01


def error(cell: str, axes: str, degree: int, n: int) -> float:
    """L2 error of u - lap u = f on the unit square, periodic in x at least; u has no slope at edges.

    The solution's phase is such that the seam is no place of symmetry: a seam that lets no flux through is seen.
    """
    domain = mesh.periodic_rectangle((1.0, 1.0), cells=(n, n), cell=cell, axes=axes)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    x = ufl.SpatialCoordinate(domain.mesh)
    across = ufl.sin(2 * ufl.pi * x[1] + 0.7) if "y" in axes else ufl.cos(ufl.pi * x[1])
    exact = ufl.exp(0.5 * ufl.sin(2 * ufl.pi * x[0] + 0.7)) * (1 + 0.5 * across)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    dx = domain.dx(2 * degree + 2)
    matrix = fem.assemble_matrix(fem.form((u * v + ufl.inner(ufl.grad(u), ufl.grad(v))) * dx)).to_scipy()
    vector = fem.assemble_vector(fem.form((exact - ufl.div(ufl.grad(exact))) * v * dx)).array
    solution = fem.Function(space)
    solution.x.array[:] = spsolve(matrix.tocsc(), vector)
    return math.sqrt(integrate((solution - exact) ** 2 * dx))


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(("cell", "axes"), [("quadrilateral", "xy"), ("triangle", "xy"), ("quadrilateral", "x")])
def test_poisson_converges_across_the_seam(cell: str, axes: str, degree: int):
    errors = [error(cell, axes, degree, n) for n in (8, 16, 32)]
    rates = np.log2(np.divide(errors[:-1], errors[1:]))
    # a seam that is torn or folded gives an error that does not fall at all; 0.2 is the distance from the asymptote
    assert rates == pytest.approx(degree + 1, abs=0.2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: mesh.rectangle((4.0, 3.0), cells=(4, 3)),
            "rectangle 4 x 3: 12 quadrilateral cells, diameter 1.414 to 1.414; "
            "quality 1.00 at worst, 1.00 on average; boundaries left, right, bottom, top",
        ),
        (
            lambda: mesh.periodic_rectangle((4.0, 3.0), cells=(4, 3), cell="triangle"),
            "periodic rectangle 4 x 3: 24 triangle cells, diameter 1.414 to 1.414; "
            "quality 0.82 at worst, 0.82 on average; periodic in x and y; no boundary",
        ),
        (
            lambda: mesh.periodic_rectangle((4.0, 3.0), cells=(4, 3), axes="y"),
            "periodic rectangle 4 x 3: 12 quadrilateral cells, diameter 1.414 to 1.414; "
            "quality 1.00 at worst, 1.00 on average; periodic in y; "
            "boundaries left, right",
        ),
        (
            lambda: mesh.periodic_interval(1.0, cells=4),
            "periodic interval 1: 4 interval cells, diameter 0.25 to 0.25; ",
        ),
    ],
)
def test_print_shows_cells_sizes_periodicity_and_names(make: Callable[[], Domain], words: str):
    assert str(make()).startswith(words)


def test_lengths_have_the_unit_of_the_domain():
    plate = mesh.rectangle((4e-6, 2e-6), cells=(2, 1))
    assert " m:" not in str(plate)
    assert str(plate.in_metres()).startswith("rectangle 4e-06 x 2e-06 m: 2 quadrilateral cells, diameter 2.828e-06 to ")
    assert str(plate.in_metres()).endswith("; SI")
    assert "rectangle 4e-06 x 2e-06 h: " in str(plate.scaled("h"))
    assert str(plate.scaled()).startswith("rectangle 4e-06 x 2e-06: ")


def test_sizes_are_those_of_the_domain_its_regions_and_boundaries():
    plate = mesh.grains(mesh.rectangle((4.0, 3.0), cells=(8, 6)), 3).with_thickness(0.5)
    whole, regions, boundaries = plate.sizes()
    assert whole == pytest.approx(6.0, rel=1e-12)
    assert tuple(regions) == plate.regions
    for name, size in regions.items():
        assert size == pytest.approx(integrate(fem.Constant(plate.mesh, 1.0) * plate.dx(region=name)), rel=1e-12)
    assert boundaries == pytest.approx({"left": 1.5, "right": 1.5, "bottom": 2.0, "top": 2.0}, rel=1e-12)
    assert mesh.periodic_interval(2.0, cells=3).sizes()[1:] == ({}, {})


def test_a_notebook_shows_sizes_with_units_and_no_tags_of_names():
    plate = mesh.rectangle((4.0, 3.0), cells=(2, 1), names=("<b>", "right", "bottom", "top")).in_metres()
    html = plate._repr_html_()
    assert "<tr><td>whole</td><td>12 m2</td></tr>" in html
    assert "<tr><td>boundary right</td><td>3 m</td></tr>" in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "<td>12 m3</td>" in plate.with_thickness(1.0)._repr_html_()
    assert "<tr><td>boundary right</td><td>1</td></tr>" in mesh.interval(2.0, cells=3).in_metres()._repr_html_()


def test_makers_make_domains_and_need_none():
    makers = mesh.makers()
    assert {"rectangle", "read", "network", "via", "from_gds", "periodic_cell"} <= set(makers)
    assert not {"grains", "refined", "axisymmetric", "write", "read_netlist", "bounds", "makers"} & set(makers)
    assert all(makers[name] is getattr(mesh, name) for name in makers)


def test_an_unknown_boundary_lists_those_there_are(plate: Domain):
    with pytest.raises(UnknownName, match=r"^'lef'; this mesh has left, right, bottom, top$"):
        plate.tag("lef")
    with pytest.raises(UnknownName, match=r"^'left'; this mesh, periodic in x, has no names$"):
        mesh.periodic_interval(1.0, cells=3).ds("left")


def test_a_domain_does_not_change(plate: Domain):
    with pytest.raises(dataclasses.FrozenInstanceError):
        plate.names = ()  # type: ignore[misc]


def test_dx_takes_the_degree_of_its_quadrature(plate: Domain):
    x = ufl.SpatialCoordinate(plate.mesh)
    assert integrate(x[0] ** 6 * plate.dx(6)) == pytest.approx(4**7 / 7 * 3, rel=1e-12)
    assert integrate(x[0] ** 6 * plate.dx(0)) != pytest.approx(4**7 / 7 * 3, rel=1e-3)


def changed(make: Callable[..., Domain], size: Any, cells: Any, **other: Any) -> Callable[[], Domain]:
    return lambda: make(size, cells=cells, **other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (changed(mesh.interval, 0.0, 4), "length along x = 0, must be greater than 0"),
        (changed(mesh.interval, -1.0, 4), "length along x = -1, must be greater than 0"),
        (changed(mesh.interval, math.nan, 4), "length along x = nan, must be finite"),
        (changed(mesh.interval, "1", 4), "length = '1', must be a number"),
        (changed(mesh.interval, 1.0, 0), "cells along x = 0, must be at least 1"),
        (changed(mesh.interval, 1.0, 2.5), "cells = 2.5, must be a whole number"),
        (changed(mesh.interval, 1.0, 4, names=("a", "a")), "names = ('a', 'a'), must be 2 different words"),
        (changed(mesh.interval, 1.0, 4, names="ab"), "names = 'ab', must be a list of words"),
        (changed(mesh.rectangle, (1.0, 0.0), (4, 4)), "length along y = 0, must be greater than 0"),
        (changed(mesh.rectangle, (1.0, math.inf), (4, 4)), "length along y = inf, must be finite"),
        (changed(mesh.rectangle, (1.0, 1.0), (4, 0)), "cells along y = 0, must be at least 1"),
        (changed(mesh.rectangle, (1.0, 1.0), (-4, 4)), "cells along x = -4, must be at least 1"),
        (changed(mesh.rectangle, 1.0, (4, 4)), "size = 1.0, must be a list of numbers"),
        (changed(mesh.rectangle, (1.0, 1.0), 4), "cells = 4, must be a list of whole numbers"),
        (changed(mesh.rectangle, (1.0,) * 3, (4,) * 3), "cells = (4, 4, 4), must be 2 of each"),
        (changed(mesh.rectangle, (1.0, 1.0), (4, 4), cell="hexahedron"), "'hexahedron'; cell has quadrilateral, tri"),
        (changed(mesh.rectangle, (1.0, 1.0), (10**9, 10**9)), "mesh would have about 1e18 cells, must be at most"),
        (changed(mesh.periodic_interval, 1.0, 10**9), "mesh would have about 1e9 cells, must be at most 1e+08"),
        (changed(mesh.periodic_rectangle, (1e-320, 1.0), (4, 4)), "must be at least 1e-100"),
        (changed(mesh.interval, 1e200, 4), "length along x = 1e+200, must be at most 1e+100"),
        (changed(mesh.rectangle, (1.0, 1.0), (4, 4), names=("a", "b")), "must be 4 different words"),
        (changed(mesh.rectangle, (1.0, 1.0), (4, 4), names=("a", "b", "c", "")), "must be 4 different words"),
        (changed(mesh.rectangle, (1.0, 1.0), (4, 4), names=("a", "b", "c", ["d"])), "names[3] = ['d'], must be a text"),
        (changed(mesh.box, (1.0, 1.0, -2.0), (2, 2, 2)), "length along z = -2, must be greater than 0"),
        (changed(mesh.box, (1.0, 1.0, 1.0), (2, 2, 0)), "cells along z = 0, must be at least 1"),
        (changed(mesh.box, (1.0, 1.0), (2, 2, 2)), "must be 3 of each"),
        (changed(mesh.box, (1.0, 1.0, 1.0), (2, 2, 2), cell="cube"), "'cube'; cell has hexahedron, tetrahedron"),
        (changed(mesh.box, (1.0, 1.0, 1.0), (2, 2, 2), names=tuple("abcde")), "must be 6 different words"),
        (changed(mesh.periodic_interval, 1.0, 2), "cells along x = 2, must be at least 3"),
        (changed(mesh.periodic_interval, 0.0, 4), "length along x = 0, must be greater than 0"),
        (changed(mesh.periodic_rectangle, (1.0, 1.0), (4, 2)), "cells along y = 2, must be at least 3"),
        (changed(mesh.periodic_rectangle, (1.0, 1.0), (4, 0), axes="x"), "cells along y = 0, must be at least 1"),
        (changed(mesh.periodic_rectangle, (1.0, math.nan), (4, 4)), "length along y = nan, must be finite"),
        (changed(mesh.periodic_rectangle, (1.0, 1.0), (4, 4), axes="z"), "'z'; axes has xy, x, y"),
        (changed(mesh.periodic_rectangle, (1.0, 1.0), (4, 4), axes=""), "''; axes has xy, x, y"),
        (changed(mesh.periodic_rectangle, (1.0, 1.0), (4, 4), cell="square"), "'square'; cell has quadrilateral, tri"),
        (changed(mesh.periodic_box, (1.0, 1.0, 1.0), (4, 4, 2)), "cells along z = 2, must be at least 3"),
        (changed(mesh.periodic_box, (1.0, 1.0, 1.0), (4, 4, 4), axes="zx"), "'zx'; axes has xyz, xy, xz, yz, x, y, z"),
        (changed(mesh.periodic_box, (1.0, 1.0, 1.0), (4, 4, 4), names="x"), "names = 'x', must be a list of words"),
    ],
)
def test_bad_input_is_refused(make: Callable[[], Domain], message: str):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


def test_two_cells_along_an_open_axis_are_enough():
    domain = mesh.periodic_rectangle((1.0, 1.0), cells=(3, 1), axes="x")
    assert domain.mesh.topology.index_map(2).size_global == 3


# They check kinds themselves, after the arguments of all ranks have been compared: test_read.py and others
READERS = ("from_", "network", "read", "write")
CHECKED = [
    (make, name)
    for make in map(mesh.__dict__.get, mesh.__all__)
    if callable(make)
    and not make.__name__.startswith(READERS)
    and (make is mesh.Network or make is mesh.Domain or hasattr(make, "__wrapped__"))
    for name in inspect.signature(make).parameters
    if name != "weight"  # any UFL expression
]


@pytest.mark.parametrize(("make", "name"), CHECKED)
def test_each_argument_of_another_kind_is_refused(make: Callable[..., Any], name: str):
    """Before anything else is looked at; the sentence begins with its name."""
    with pytest.raises(ParameterError, match=rf"^{name} = <object .*must be "):
        make(**{name: object()})


def test_makers_check_their_arguments():
    assert {make.__name__ for make, _ in CHECKED} >= {
        *(
            "interval",
            "rectangle",
            "box",
            "periodic_interval",
            "periodic_rectangle",
            "periodic_box",
            "refined",
            "grains",
        ),
        *("disk", "annulus", "polygon", "polycrystal", "notched_strip", "strip_with_holes", "periodic_cell", "dogbone"),
        *("bend", "hall_cross", "grid_network", "axisymmetric", "bounds", "period", "Network", "Domain", "grains"),
    }


PLATE_ARGUMENTS: list[tuple[str, tuple[Any, ...], str]] = [
    ("with_thickness", ("thin",), "thickness = 'thin', must be a number"),
    ("with_thickness", (-1.0,), "thickness = -1, must be greater than 0"),
    ("scaled", (1,), "by = 1, must be a text"),
    ("with_regions", ({},), "regions without cells: all"),
    ("with_regions", ({"a": lambda x: x[0] < 9, "b": lambda x: x[0] > 0},), "regions without cells: 'b'"),
    ("with_regions", ({"a": lambda x: x[0]},), "regions['a'], must be a function of x that returns n truth values"),
    ("with_boundary", ("via", lambda x: x[0]), "where, must be a function of x that returns n truth values"),
    ("with_boundary", ("via", lambda x: 1.0), "where, must be a function of x that returns n truth values"),
    ("with_boundary", ("left", lambda x: x[0] > 0), "name = 'left', must be none of"),
    ("tag", ([1],), r"name = [1], must be a text"),
    ("region", (None,), "name = None, must be a text"),
    ("dx", (1.5,), "degree = 1.5, must be a whole number"),
    ("dx", (2, 3), "region = 3, must be a text"),
    ("ds", (object,), "name = <class 'object'>, must be a text"),
    ("per_segment", (1, 1.0), "name = 1, must be a text"),
    ("along", (1, 1.0), "name = 1, must be a text"),
    ("node_dofs", ("P1",), "space = 'P1', must be a function space"),
    ("at_nodes", (1.0,), "function = 1.0, must be a Function"),
    ("piecewise", ("c", [1.0]), "values = [1.0], must be a mapping"),
    ("piecewise", ("c", {1: 1.0}), "key of values = 1, must be a text"),
]


@pytest.mark.parametrize(("method", "arguments", "message"), PLATE_ARGUMENTS)
def test_methods_of_a_domain_refuse_other_kinds(method: str, arguments: tuple[Any, ...], message: str):
    plate = mesh.rectangle((1.0, 1.0), cells=(2, 2))
    with pytest.raises(ParameterError, match=re.escape(message)):
        getattr(plate, method)(*arguments)


@pytest.mark.parametrize(("method", "i"), [("node", 3), ("node", -1), ("wire", 2), ("wire", 10**9), ("wire", "a")])
def test_names_of_nodes_and_segments_that_are_not_there(method: str, i: Any):
    wires = mesh.network([(0.0, 0.0), (1e-6, 0.0), (2e-6, 0.0)], [(0, 1), (1, 2)], width=1e-7, thickness=1e-7)
    with pytest.raises(ParameterError, match=r"^i = "):
        getattr(wires.wires(), method)(i)


def test_a_power_grid_of_too_many_stripes_is_refused():
    with pytest.raises(ParameterError, match=r"mesh would have about 1e12 cells, must be at most 1e\+08"):
        mesh.grid_network(10**6, 10**6, 1e-6, width=1e-7, thickness=1e-7, load=0.0)


def test_a_periodic_mesh_of_a_few_atoms_has_all_its_nodes():
    """Images are joined to 1e-9 of the extent, not to a nanometre: nodes here are half of that apart."""
    atoms = mesh.periodic_rectangle((2e-9, 2e-9), cells=(4, 4))
    assert fem.functionspace(atoms.mesh, ("Lagrange", 1)).dofmap.index_map.size_global == 16
