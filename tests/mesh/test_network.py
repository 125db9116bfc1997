"""Networks of wires: what they are, the mesh of them, and physics on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import pytest
import ufl
from dolfinx import fem

CASE = Path(__file__).with_name("network_case.py")
NODES = [(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)]
WIRES = [(0, 1), (1, 2), (1, 3)]
DENSITY = [1.0e10, 1.2e10, 0.8e10]  # obeys Kirchhoff's law
NAMES = {0: "A", 1: "J", 2: "B", 3: "C"}


def star(**changed: Any) -> em.mesh.Domain:
    """A wide wire that parts into two narrow ones at node 1; keywords replace or add arguments."""
    given: dict[str, Any] = {
        "nodes": NODES,
        "segments": WIRES,
        "width": [0.2 * um, 0.1 * um, 0.1 * um],
        "thickness": 0.1 * um,
    }
    return em.mesh.network(**(given | changed))


def integral(domain: em.mesh.Domain, measure: Any, integrand: Any = 1.0) -> float:
    """An integral over a measure of the domain."""
    return em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * integrand * measure), domain.mesh.comm)


def test_a_network_knows_its_wires():
    network = star().network
    assert network is not None
    assert network.lengths == pytest.approx([20 * um, 30 * um, 10 * um], rel=1e-14, abs=0)
    assert network.directions == pytest.approx(np.array([[1, 0], [1, 0], [0, 1]]), abs=1e-15)
    assert network.cross_sections == pytest.approx([2e-14, 1e-14, 1e-14], rel=1e-14, abs=0)
    assert network.degree.tolist() == [1, 3, 1, 1]
    assert network.components.tolist() == [0, 0, 0, 0]
    assert str(network) == "network of 4 nodes, 3 segments, 0 vias, 1 piece of metal, 6e-05 m of wire"


def test_a_message_about_a_network_is_one_line():
    network = star().network
    with pytest.raises(em.ParameterError, match=r"domain = <network of 4 nodes, .* of wire>, must be one of em.mesh$"):
        em.stress.model(network, em.materials.copper(), current_density=DENSITY)  # type: ignore[arg-type]


def test_a_network_cannot_be_written_to_and_keeps_no_array_of_the_user():
    places = np.array(NODES)
    network = star(nodes=places).wires()
    places[0] = 7.0
    assert network.nodes[0].tolist() == [0, 0]
    for array in (network.nodes, network.width, network.lengths, network.degree, network.components, network.free):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_integrals_are_those_of_the_wires():
    domain = star(names=NAMES)
    assert integral(domain, domain.dx()) == pytest.approx(4e-19 + 3e-19 + 1e-19, rel=1e-13, abs=0)
    faces = [integral(domain, domain.ds(name)) for name in "ABC"]
    assert faces == pytest.approx([2e-14, 1e-14, 1e-14], rel=1e-13, abs=0)


def test_every_vertex_counts_once_in_the_vertex_measure():
    """Eight cells in each of three wires have 3 * 7 points inside and 4 nodes: a junction is one vertex."""
    domain = star(cells=8)
    assert integral(domain, ufl.dP(domain=domain.mesh)) == 25


@pytest.mark.parametrize(
    ("given", "cells"),
    [
        ({}, 31),
        ({"cells": "graded"}, 31),
        ({"cells": 8}, 24),
        ({"cells": 3}, 9),
        ({"cells": [1, 2, 5]}, 8),
        ({"size": 7 * um}, 10),
    ],
)
def test_the_number_of_cells_is_that_required(given: dict[str, Any], cells: int):
    """Graded ones are 10, 12 and 9: ln(1 + x/2 a) + ln(1 + (L - x)/2 b) over 1/2, a and b 0.03 of what is shortest."""
    assert star(**given).quality().cells == cells


def test_a_longest_cell_is_respected_and_not_divided_for_rounding():
    quality = star(size=10 * um).quality()
    assert quality.cells == 6
    assert quality.largest == pytest.approx(10 * um, rel=1e-12, abs=0)


def test_cells_are_equal_within_a_segment():
    domain = star(cells=[4, 5, 2])
    h = domain.mesh.h(1, np.arange(11, dtype=np.int32))
    assert domain.segment is not None
    for segment, size in enumerate((5 * um, 6 * um, 5 * um)):
        assert h[domain.segment == segment] == pytest.approx(size, rel=1e-12, abs=0)


def test_without_names_all_ends_are_one_boundary():
    domain = star()
    assert domain.names == ("ends",)
    assert integral(domain, domain.ds("ends")) == pytest.approx(4e-14, rel=1e-13, abs=0)


def test_nodes_may_share_a_name():
    domain = star(names={2: "far", 0: "near", 3: "far"})
    assert domain.names == ("far", "near")
    assert domain.wires().boundaries["far"].tolist() == [2, 3]
    assert integral(domain, domain.ds("far")) == pytest.approx(2e-14, rel=1e-13, abs=0)


def test_a_ring_has_no_ends():
    ring = em.mesh.network([(0, 0), (1, 0), (0, 1)], [(0, 1), (1, 2), (2, 0)], width=0.1, thickness=0.1)
    assert ring.names == ()
    assert ring.wires().components.tolist() == [0, 0, 0]


def test_values_at_nodes_are_those_of_the_function():
    domain = star()
    for degree in (1, 2, 3):
        function = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", degree)))
        function.interpolate(lambda x: x[0] + 100 * x[1])
        expected = [x + 100 * y for x, y in NODES]
        assert domain.at_nodes(function) == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_node_dofs_set_single_nodes():
    domain = star()
    function = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    nodes, dofs = domain.node_dofs(function.function_space)
    function.x.array[dofs] = 10.0 + nodes
    assert domain.at_nodes(function).tolist() == [10, 11, 12, 13]
    assert np.count_nonzero(function.x.array) == 4


def test_a_node_without_metal_has_no_value():
    domain = star(nodes=[*NODES, (0, 5 * um)], vias=[(4, 0, 1.0)])
    function = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    assert np.isnan(domain.at_nodes(function)).tolist() == [False] * 4 + [True]
    assert domain.wires().components.tolist() == [0, 0, 0, 0, -1]


def test_along_is_a_vector_along_each_wire():
    """The wires' directions: along x, against x, along y."""
    domain = star(segments=[(0, 1), (2, 1), (1, 3)])
    j = domain.along("j", [1.0e10, -1.2e10, 0.8e10])
    volumes = (4e-19, 3e-19, 1e-19)
    along = [integral(domain, domain.dx(), component) for component in (j[0], j[1])]
    assert along == pytest.approx([1.0e10 * volumes[0] + 1.2e10 * volumes[1], 0.8e10 * volumes[2]], rel=1e-13, abs=0)


def test_one_value_a_segment_is_a_coefficient():
    domain = star()
    expected = 1.0 * 4e-19 + 2.0 * 3e-19 + 3.0 * 1e-19
    found = integral(domain, domain.dx(), domain.per_segment("f", [1, 2, 3]))
    assert found == pytest.approx(expected, rel=1e-13, abs=0)


def test_a_turned_wire_carries_the_other_way():
    turned = star(segments=[(0, 1), (2, 1), (1, 3)]).wires()
    assert turned.imbalance([1.0e10, -1.2e10, 0.8e10]) == pytest.approx(np.zeros(4), abs=1e-18)
    assert turned.directions[1] == pytest.approx([-1, 0], abs=1e-15)


def test_the_potential_is_linear_and_currents_obey_kirchhoff():
    """Potentials at A, B and C as 3.2e-4 A part at J into 1.2e-4 and 0.8e-4; linear elements are exact."""
    domain = star(names=NAMES, cells=2)
    on = {name: em.fixed(volts) for name, volts in (("A", 0.0), ("B", -0.0126), ("C", -0.0063))}
    model = em.conduction.model(domain, conductivity=1 / 2.25e-8, on=on, degree=1)
    em.solve_steady(model)
    currents = [em.conduction.current(model, name) for name in "ABC"]
    assert currents == pytest.approx([-2.0e-4, 1.2e-4, 0.8e-4], rel=1e-10, abs=0)
    assert sum(currents) == pytest.approx(0.0, abs=1e-15)
    assert domain.at_nodes(model["phi"]) == pytest.approx([0, -4.5e-3, -12.6e-3, -6.3e-3], rel=1e-10, abs=1e-15)
    difference = model["j"] - domain.along("j", DENSITY)
    assert integral(domain, domain.dx(2), ufl.inner(difference, difference)) < (1e-9 * 1e10) ** 2 * 1e-18


def test_a_value_can_be_fixed_at_a_junction():
    """T - T0 = s L^2 / (2 k) at the blocked end of a wire of length L that is heated inside and held at the other."""
    domain = star(names=NAMES)
    heat = em.heat.model(
        domain, conductivity=400.0, heat_capacity=3e6, source=1e12, on={"J": em.fixed(300.0)}, initial=300.0
    )
    em.solve_steady(heat)
    expected = [300 + 1e12 * length**2 / 800 for length in (20 * um, 0.0, 30 * um, 10 * um)]
    assert domain.at_nodes(heat["T"]) == pytest.approx(expected, rel=1e-9)


def test_a_closed_network_keeps_its_amount():
    domain = star()
    c = em.migration.model(domain, diffusivity=1e-12, drift=domain.along("v", [1e-7, 1.2e-7, 0.8e-7]), initial=1.0)
    em.evolve(c, until=20.0, progress=False)
    assert c.quantity("amount") == pytest.approx(8e-19, rel=1e-12, abs=0)
    assert domain.at_nodes(c["c"])[2] > 1.5  # it did move


def test_a_network_in_space_is_the_same_network():
    flat = star()
    tilted = star(nodes=[(0.6 * x, y, 0.8 * x) for x, y in NODES])
    assert tilted.dim == 3
    assert integral(tilted, tilted.dx()) == pytest.approx(integral(flat, flat.dx()), rel=1e-13, abs=0)
    assert tilted.wires().directions[0] == pytest.approx([0.6, 0, 0.8])


def test_crossing_wires_do_not_touch():
    cross = em.mesh.network(
        [(0, 0), (2, 2), (0, 2), (2, 0)], [(0, 1), (2, 3)], width=0.1, thickness=0.1, vias=[(0, 2, 1.0)]
    )
    assert cross.wires().components.tolist() == [0, 0, 1, 1]


def test_the_imbalance_is_what_flows_in_and_not_out():
    network = star().wires()
    assert network.imbalance(DENSITY) == pytest.approx(np.zeros(4), abs=1e-18)
    assert network.imbalance([1.0e10, 1.2e10, 0.7e10]) == pytest.approx([0, 1e-5, 0, 0], rel=1e-9, abs=1e-18)
    injected = [0, -1e-5, 0, 0]
    assert network.imbalance([1.0e10, 1.2e10, 0.7e10], injected=injected) == pytest.approx(np.zeros(4), abs=1e-18)


def test_loads_count_and_vias_and_pads_are_free():
    uneven = [1.0e10, 1.2e10, 0.7e10]
    assert star(loads={1: 1e-5}).wires().imbalance(uneven) == pytest.approx(np.zeros(4), abs=1e-18)
    assert not star(pads={1: 1.0}).wires().imbalance(uneven).any()
    assert not star(nodes=[*NODES, (0, 5 * um)], vias=[(4, 1, 1.0)]).wires().imbalance(uneven).any()


def test_currents_that_violate_kirchhoff_are_refused_with_the_node_and_the_amount():
    with pytest.raises(em.ParameterError, match=r"1e-05 A more flow in than out at node 1, 0.0513 of what passes it"):
        star().wires().check_balance([1.0e10, 1.2e10, 0.7e10])
    with pytest.raises(em.ParameterError, match=r"more flow out than in at node 1"):
        star().wires().check_balance([1.0e10, 1.2e10, 0.9e10])
    star().wires().check_balance([1.0e10, 1.2e10, 0.8e10 * (1 + 1e-7)])  # rounding of the user's numbers


def test_a_branch_without_a_current_may_have_that_of_rounding():
    """As `em.conduction.kirchhoff` leaves it, 1e-40 of the currents elsewhere."""
    places, wires = [(k * um, 0.0) for k in range(4)], [(0, 1), (1, 2), (2, 3)]
    line = em.mesh.network(places, wires, width=1e-7, thickness=1e-7, cells=2, loads={1: 1e-4}).wires()
    line.check_balance([1e10, 3e-30, -1e-31])
    with pytest.raises(em.ParameterError, match="more flow in than out at node 2"):
        line.check_balance([1e10, 3e3, -1e3])


def test_a_via_drawn_as_a_segment_is_told_of():
    """Atoms pass it: two lines of 5 um would be one of 10 um. A wire that goes up alone joins no layers."""
    nodes = [(0, 0, 0), (5e-6, 0, 0), (5e-6, 0, 1e-6), (10e-6, 0, 1e-6)]
    sizes: dict[str, Any] = {"width": 1e-7, "thickness": 1e-7, "cells": 2}
    with pytest.warns(em.ResolutionWarning, match=r"segment 1 .*makes one piece of metal.*no segment but one of vias"):
        em.mesh.network(nodes, [(0, 1), (1, 2), (2, 3)], **sizes)
    with pytest.warns(em.ResolutionWarning, match=r"segment 1 .*, and so do 1 more"):  # in two pieces
        em.mesh.network([*nodes, (5e-6, 0, 5e-7)], [(0, 1), (1, 4), (4, 2), (2, 3)], **sizes)
    em.mesh.network(nodes, [(0, 1), (2, 3)], vias=[(1, 2, 2.0)], **sizes)
    em.mesh.network(nodes[:3], [(0, 1), (1, 2)], **sizes)


def test_the_message_about_currents_through_a_via_has_the_loads_that_balance_them():
    """Following the advice of the message makes it pass."""
    with pytest.raises(em.ParameterError) as caught:
        em.stress.model(star(), em.materials.copper(), current_density=[1.0e10, 1.2e10, 0.7e10])
    assert str(caught.value).endswith(
        "as through a via, must be given to the network: em.mesh.network(..., loads={1: 1e-05}) [A]"
    )
    em.stress.model(star(loads={1: 1e-5}), em.materials.copper(), current_density=[1.0e10, 1.2e10, 0.7e10])


def test_the_worst_nodes_are_listed_and_the_others_counted():
    """A chain of nine inner nodes, the k-th of which loses k microamperes less; by hand: 1e-14 m2 times the drop."""
    x = np.arange(11) * 10 * um
    line = em.mesh.network(
        nodes=np.stack([x, 0 * x], axis=1), segments=[(i, i + 1) for i in range(10)], width=0.1 * um, thickness=0.1 * um
    )
    lost = 1e8 * np.arange(1, 10)
    with pytest.raises(
        em.ParameterError, match=r"9e-06 A more flow in than out at node 9,.* and at 8 other nodes"
    ) as caught:
        line.wires().check_balance(1e11 - np.concatenate([[0.0], np.cumsum(lost)]))
    listed = "loads={9: 9e-06, 8: 8e-06, 7: 7e-06, 6: 6e-06, 5: 5e-06, 4: 4e-06, ... (9 nodes)}) [A]"
    assert str(caught.value).endswith(listed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"nodes": [(0, 0), (np.nan, 0), (1, 0), (1, 1)]}, r"nodes\[1\] = \[nan, 0.0\], must be finite"),
        ({"nodes": [0, 1, 2]}, r"nodes of shape \(3,\), must be points"),
        ({"nodes": "abc"}, r"nodes = 'abc', must be numbers"),
        ({"segments": []}, r"no segments, must be at least one"),
        ({"segments": [(0, 1), (1, 4), (1, 3)]}, r"segments\[1\] = \(1, 4\), must be two node numbers from 0 to 3"),
        ({"segments": [(0, 1), (1, -1), (1, 3)]}, r"segments\[1\] = \(1, -1\), must be two node numbers"),
        ({"segments": [(0, 1), (1, 1.5), (1, 3)]}, r"segments\[1\] = \(1, 1.5\), must be two node numbers"),
        ({"segments": [(0, 1, 2)]}, r"segments of shape \(1, 3\), must be pairs"),
        ({"segments": [(0, 1), (1, 1), (1, 3)]}, r"segment 1 \(1 to 1\), must join two different nodes"),
        ({"segments": [(0, 1), (1, 2), (1, 0)]}, r"segment 2 \(1 to 0\) joins the nodes of segment 0 \(0 to 1\)"),
        ({"nodes": [(0, 0), (0, 0), (1, 0), (1, 1)]}, r"segment 0 \(0 to 1\) of length 0 m, must be greater than 0"),
        (
            {"segments": [(0, 1), (1, 2)], "width": um},
            r"node 3 is connected to nothing, must be where a segment or a via",
        ),
        (
            {"segments": [(0, 1), (2, 3)], "width": um},
            r"into 2 pieces, such as nodes 0, 1 and nodes 2, 3: must be connected",
        ),
        ({"width": [um, 0.0, um]}, r"width = 0 m of segment 1 \(1 to 2\), must be greater than 0"),
        ({"width": -um}, r"width = -1e-06 m of segment 0 \(0 to 1\), must be greater than 0"),
        ({"width": [um, um]}, r"width of shape \(2,\), must be a number or one a segment, shape \(3,\)"),
        ({"width": [um, np.inf, um]}, r"width = inf at segment 1 \(1 to 2\), must be finite"),
        ({"width": 0.2}, r"width = 0.2 m of segment 0 .*extent of 5e-05 m: micrometres written as metres\?"),
        ({"thickness": 0.0}, r"thickness = 0 m of segment 0"),
        ({"thickness": 0.1}, r"thickness = 0.1 m of segment 0 .* micrometres written as metres\?"),
        ({"cells": 0}, r"cells = 0, must be at least 1"),
        ({"cells": 2.5}, r"cells = 2.5, must be a whole number"),
        ({"cells": [1, 0, 2]}, r"cells = 0 of segment 1 \(1 to 2\), must be a whole number of at least 1"),
        ({"size": 0.0}, r"size = 0 m, must be greater than 0"),
        ({"size": um, "cells": 2}, r"cells = 2 and size = 1e-06, must be one or the other"),
        ({"names": {4: "end"}}, r"names: node 4, must be a node number from 0 to 3"),
        ({"names": {0: ""}}, r"names\[0\] = '', must be a word"),
        ({"names": ["A"]}, r"names = \['A'\], must be a mapping"),
        ({"vias": [(0, 1)]}, r"vias of shape \(1, 2\), must be \(node, node, resistance\) each"),
        ({"vias": [(0, 9, 1.0)]}, r"vias\[0\] = \(0, 9\), must be two node numbers"),
        ({"vias": [(0, 2, -1.0)]}, r"resistance of vias\[0\] = -1 Ohm, must be at least 0"),
        ({"vias": [(2, 2, 1.0)]}, r"vias\[0\] from node 2 to itself, must join two nodes"),
        ({"loads": {7: 1.0}}, r"loads: node 7, must be a node number from 0 to 3"),
        ({"loads": {0: np.inf}}, r"loads\[0\] = inf A, must be finite"),
        ({"loads": [1.0, 2.0]}, r"loads of shape \(2,\), must be 4 finite numbers"),
        ({"pads": {"A": 1.0}}, r"pads: node 'A', must be a node number"),
        ({"pads": [1.0]}, r"pads = \[1.0\], must be a mapping"),
        (
            {"nodes": np.array(NODES) * 1e6},
            r"width = 2e-07 m of segment 0 .*, must be at least 1e-06 of its length of 20 m",
        ),
        ({"size": 1e-18}, r"size = 1e-18 m makes 6e\+13 cells, must make at most 5e\+07"),
        ({"cells": 10**12}, r"cells: 3e\+12 in all, must be at most 5e\+07"),
    ],
)
def test_bad_input_is_refused(changed: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        star(**changed)


def test_a_name_needs_metal():
    with pytest.raises(em.ParameterError, match=r"names\[4\] = 'pad': node 4 has no metal"):
        star(nodes=[*NODES, (0, 5 * um)], vias=[(4, 0, 1.0)], names={4: "pad"})


def test_pieces_with_a_pad_each_are_a_network():
    domain = star(segments=[(0, 1), (2, 3)], width=um, pads={0: 1.0, 2: 0.0})
    assert domain.wires().components.tolist() == [0, 0, 1, 1]


def test_what_is_let_in_at_a_junction_flows_off_through_the_ends():
    """A flux g through the faces of three wires: g (0.02 + 0.01 + 0.01) um2."""
    domain = star(names=NAMES)
    assert integral(domain, domain.ds("J")) == pytest.approx(4e-14, rel=1e-13, abs=0)
    on: dict[str, Any] = {"J": em.flux(1e10), "A": em.fixed(0.0), "B": em.fixed(0.0), "C": em.fixed(0.0)}
    model = em.conduction.model(domain, conductivity=1 / 2.25e-8, on=on)
    em.solve_steady(model)
    # the wires' conductances are as A / L: 0.02 / 20, 0.01 / 30, 0.01 / 10
    shares = np.array([1 / 1000, 1 / 3000, 1 / 1000])
    expected = 4e-4 * shares / shares.sum()
    assert [em.conduction.current(model, name) for name in "ABC"] == pytest.approx(expected, rel=1e-9, abs=0)


def test_a_current_can_enter_at_a_junction():
    domain = star(names=NAMES)
    electrode = em.conduction.electrode(current=3e-4)
    model = em.conduction.model(domain, conductivity=1 / 2.25e-8, on={"J": electrode, "A": em.fixed(0.0)}, degree=1)
    em.solve_steady(model)
    assert em.conduction.current(model, "A") == pytest.approx(3e-4, rel=1e-10, abs=0)
    assert em.conduction.voltage(model, "J") == pytest.approx(3e-4 * 2.25e-8 * 20e-6 / 2e-14, rel=1e-10, abs=0)


def test_an_unknown_boundary_is_refused():
    with pytest.raises(em.UnknownName, match=r"'anode'; this mesh has A, J, B, C"):
        star(names=NAMES).ds("anode")


def test_only_networks_have_nodes():
    line = em.mesh.interval(1.0, cells=2)
    function = fem.Function(fem.functionspace(line.mesh, ("Lagrange", 1)))
    for ask in (
        lambda: line.along("j", 1.0),
        lambda: line.per_segment("j", 1.0),
        lambda: line.at_nodes(function),
    ):
        with pytest.raises(em.ParameterError, match=r"domain = interval, must be a network"):
            ask()


@pytest.mark.parametrize("element", [("DG", 1), ("DG", 0), ("Lagrange", 1, (2,))])
def test_only_continuous_scalars_have_values_at_nodes(element: tuple[Any, ...]):
    domain = star()
    function = fem.Function(fem.functionspace(domain.mesh, element))
    with pytest.raises(em.ParameterError, match="must be of continuous scalar functions"):
        domain.at_nodes(function)
    with pytest.raises(em.ParameterError, match=r"function = 1.0, must be a Function"):
        domain.at_nodes(1.0)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, np.nan, 1.0], "fast"])
def test_bad_values_along_wires_are_refused(values: Any):
    with pytest.raises(em.ParameterError, match="must be"):
        star().along("j", values)


def grid(**changed: Any) -> em.mesh.Domain:
    given: dict[str, Any] = {
        "rows": 3,
        "columns": 4,
        "pitch": 10 * um,
        "width": [1 * um, 2 * um],
        "thickness": 0.2 * um,
    }
    return em.mesh.grid_network(**(given | {"load": 1e-5, "cells": 1} | changed))


def test_a_power_grid_has_stripes_in_two_layers_and_a_via_at_each_crossing():
    domain = grid()
    network = domain.wires()
    assert (len(network.nodes), len(network.segments), len(network.vias)) == (24, 3 * 3 + 4 * 2, 12)
    assert network.components.max() + 1 == 3 + 4
    assert network.layers == domain.regions == ("M1", "M2")
    assert integral(domain, domain.dx(region="M1")) == pytest.approx(9 * 10 * um * 0.2e-12, rel=1e-12, abs=0)
    assert integral(domain, domain.dx(region="M2")) == pytest.approx(8 * 10 * um * 0.4e-12, rel=1e-12, abs=0)
    assert sorted(network.pads) == [12, 15, 20, 23]
    assert network.loads.sum() == pytest.approx(12e-5, rel=1e-12)
    assert sorted(grid(pad_every=2).wires().pads) == [12, 14, 20, 22]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": 1}, "rows = 1, must be at least 2"),
        ({"columns": 1.5}, "columns = 1.5, must be a whole number"),
        ({"pitch": 0.0}, "pitch = 0 m, must be greater than 0"),
        ({"width": [1 * um] * 3}, r"width of shape \(3,\), must be a number or one for each of the two layers"),
        ({"thickness": -1.0}, "thickness = -1 m"),
        ({"width": 30 * um}, "width = 3e-05 m, must be less than the pitch of 1e-05 m"),
        ({"load": np.ones((4, 3))}, r"load of shape \(4, 3\), must be a finite number or numbers of shape \(3, 4\)"),
        ({"supply": np.nan}, "supply = nan V, must be finite"),
        ({"via_resistance": -1.0}, "via_resistance = -1 Ohm, must be at least 0"),
        ({"pad_every": 0}, "pad_every = 0, must be at least 1"),
    ],
)
def test_bad_grids_are_refused(changed: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        grid(**changed)


@pytest.mark.parallel
def test_numbers_do_not_depend_on_the_ranks(run_json_on_ranks: Callable[..., Any]):
    """Direct solves and the time stepper repeat themselves to rounding, 1e-9 leaves room for their order of sums."""
    alone = run_json_on_ranks(1, CASE, "numbers")
    assert alone["vertices"] == 32
    found = run_json_on_ranks(2, CASE, "numbers")
    assert found.pop("said") == alone["said"]
    for name, value in found.items():
        assert value == pytest.approx(alone[name], rel=1e-9, abs=1e-15), name


@pytest.mark.parallel
def test_all_ranks_refuse_alike(run_json_on_ranks: Callable[..., Any]):
    messages = run_json_on_ranks(2, CASE, "refused")["messages"]
    assert len(messages) == 2
    assert len(set(messages)) == 1
