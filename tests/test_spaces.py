"""Spaces with tied nodes, and the pieces a space falls into."""

from __future__ import annotations

import emfem as em
from emfem.spaces import connected_components, nodes_on, tied

import dolfinx
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI


def sides(domain: em.mesh.Domain, space: fem.FunctionSpace, *names: str) -> list[np.ndarray]:
    return [nodes_on(space, domain.facets.find(domain.tag(name))) for name in names]


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("names", [("left",), ("left", "right")])
def test_a_group_becomes_one_node(plate: em.mesh.Domain, degree: int, names: tuple[str, ...]):
    space = fem.functionspace(plate.mesh, ("Lagrange", degree))
    made = tied(space, sides(plate, space, *names))
    per_side = 3 * degree + 1
    before, after = (s.dofmap.index_map.size_global for s in (space, made))
    assert after == before - len(names) * (per_side - 1)
    function = fem.Function(made)
    for i, group in enumerate(sides(plate, made, *names)):
        assert len(group) == 1
        function.x.array[group] = i + 1.0
    # the value is that of the whole side, and the next row of nodes is free
    y = np.linspace(0.0, 3.0, 7)
    assert em.fields.evaluate(function, np.stack([0 * y, y], axis=1)) == pytest.approx(np.ones(7))
    if len(names) == 2:
        assert em.fields.evaluate(function, np.stack([4 + 0 * y, y], axis=1)) == pytest.approx(2 * np.ones(7))
    assert em.fields.evaluate(function, np.stack([1 + 0 * y, y], axis=1)) == pytest.approx(np.zeros(7))


def test_functions_of_the_tied_space_are_interpolated_and_integrated(plate: em.mesh.Domain):
    space = fem.functionspace(plate.mesh, ("Lagrange", 2))
    function = fem.Function(tied(space, sides(plate, space, "left")))
    function.interpolate(lambda x: x[0] ** 2)  # constant on the left, so it is in the space
    x = ufl.SpatialCoordinate(plate.mesh)
    assert em.fields.integral(fem.form((function - x[0] ** 2) ** 2 * plate.dx(4)), plate.mesh.comm) < 1e-24


def pairs() -> em.mesh.Domain:
    """Two separate quadrilaterals, as one mesh."""
    nodes = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [3, 0], [2, 1], [3, 1]], dtype=float)
    raw = em.mesh.raw.RawMesh(nodes, np.array([[0, 1, 2, 3], [4, 5, 6, 7]]), "quadrilateral")
    return em.mesh.distribute.distribute("pair", raw, MPI.COMM_WORLD)


def test_components_are_distinct_and_joined_by_links():
    domain = pairs()
    space = fem.functionspace(domain.mesh, ("Lagrange", 2))
    found = connected_components(space)
    assert sorted(set(found.tolist())) == [0, 1]
    assert (found == found[0]).sum() == 9
    ends = dolfinx.mesh.locate_entities_boundary(domain.mesh, 1, lambda x: np.isclose(x[0], 1) | np.isclose(x[0], 2))
    assert set(connected_components(space, [nodes_on(space, ends)]).tolist()) == {0}
    assert set(connected_components(tied(space, [nodes_on(space, ends)])).tolist()) == {0}


def test_a_connected_domain_is_one_piece(plate: em.mesh.Domain, torus: em.mesh.Domain):
    for domain in (plate, torus):
        assert set(connected_components(fem.functionspace(domain.mesh, ("Lagrange", 1))).tolist()) == {0}


def test_components_of_some_of_the_nodes(plate: em.mesh.Domain):
    """Two columns of nodes with one between them, and all three."""
    space = fem.functionspace(plate.mesh, ("Lagrange", 1))
    x = space.tabulate_dof_coordinates()[:, 0]
    columns = np.unique(x.round(9))
    apart = np.isclose(x, columns[0]) | np.isclose(x, columns[2])
    found = connected_components(space, within=apart)
    assert (found[~apart] == -1).all()
    assert sorted({*found[np.isclose(x, columns[0])], *found[np.isclose(x, columns[2])]}) == [0, 1]
    assert set(connected_components(space, within=x < columns[2] + 1e-9)[x < columns[2] + 1e-9]) == {0}
    assert set(connected_components(space, within=x < -1.0)) == {-1}
