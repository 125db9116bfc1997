"""Kirchhoff's laws on networks: closed forms, conservation at every node, and what cannot be solved."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import pytest

RHO = 2e-8  # Ohm m
NODES = [(0, 0), (10 * um, 0), (20 * um, 0), (10 * um, 10 * um)]
WIRES = [(0, 1), (1, 2), (1, 3)]
OHM = RHO * 10 * um / (1 * um * 0.2 * um)  # each wire: 1 Ohm


def tree(**changed: Any) -> em.mesh.Network:
    """Three wires of 1 Ohm that meet at node 1; keywords replace or add arguments."""
    given: dict[str, Any] = {"nodes": NODES, "segments": WIRES, "width": 1 * um, "thickness": 0.2 * um, "cells": 1}
    return em.mesh.network(**(given | changed)).wires()


def test_a_tree_between_pads():
    """1 Ohm from each of three pads: the middle is at their mean."""
    found = em.conduction.kirchhoff(tree(pads={0: 3.0, 2: 1.0, 3: 0.5}), RHO)
    assert pytest.approx(1.0) == OHM
    assert found.potential == pytest.approx([3.0, 1.5, 1.0, 0.5], rel=1e-14)
    assert found.current == pytest.approx([1.5, 0.5, 1.0], rel=1e-13)
    assert found.current_density == pytest.approx(found.current / 0.2e-12, rel=1e-14)
    assert found.injected == pytest.approx([1.5, 0.0, -0.5, -1.0], rel=1e-13, abs=1e-15)
    assert found.power == pytest.approx(1.5**2 + 0.5**2 + 1.0, rel=1e-12)
    assert found.residual == pytest.approx(np.zeros(4), abs=1e-15)


def test_loads_and_pads_may_be_given_apart_from_the_network():
    """A load of 0.2 A at the end of two wires: the drops add up."""
    plain = tree()
    for loads in ({2: 0.2}, [0.0, 0.0, 0.2, 0.0]):
        found = em.conduction.kirchhoff(plain, RHO, loads=loads, pads={0: 1.0})
        assert found.potential == pytest.approx([1.0, 0.8, 0.6, 0.8], rel=1e-14)
        assert found.drop == pytest.approx([0.0, 0.2, 0.4, 0.2], abs=1e-15)
    assert str(found) == (
        "largest drop 0.4 V at node 2, largest current density 1e+12 A/m2 in segment 0 (0 to 1), 0.08 W"
    )


def test_a_drop_counts_from_the_nearest_voltage_of_the_pads():
    """A tree from 1 V to a load of 8 Ohm at ground: its ends are 0.1 and 0.2 V below the pad, not above a mean."""
    plain = tree(vias=[(2, 3, 8.0)])
    found = em.conduction.kirchhoff(plain, RHO, pads={0: 1.0, 3: 0.0}, extra_resistance=[0.0, 0.0, np.inf])
    assert found.potential == pytest.approx([1.0, 0.9, 0.8, 0.0], rel=1e-13)
    assert found.drop == pytest.approx([0.0, 0.1, 0.2, 0.0], rel=1e-12, abs=1e-15)


def test_currents_without_pads_are_those_of_the_loads():
    found = em.conduction.kirchhoff(tree(), RHO, loads={0: -3.0, 2: 1.0, 3: 2.0})
    assert found.current == pytest.approx([3.0, 1.0, 2.0], rel=1e-14)
    assert found.potential == pytest.approx([0.0, -3.0, -4.0, -5.0], rel=1e-14)


def test_a_wire_that_is_cut_off_without_pad_and_load_carries_no_current():
    found = em.conduction.kirchhoff(tree(), RHO, loads={0: -3.0, 2: 3.0}, extra_resistance=[0.0, 0.0, np.inf])
    assert found.current == pytest.approx([3.0, 3.0, 0.0], rel=1e-14)
    assert found.potential == pytest.approx([0.0, -3.0, -6.0, 0.0], rel=1e-14)


def test_each_segment_may_have_its_own_resistivity_and_a_void():
    plain = tree()
    found = em.conduction.kirchhoff(plain, [RHO, 2 * RHO, RHO], loads={2: 1.0}, pads={0: 0.0})
    assert found.potential[2] == pytest.approx(-3.0, rel=1e-14)
    found = em.conduction.kirchhoff(plain, RHO, loads={2: 1.0}, pads={0: 0.0}, extra_resistance=[0.0, 4.0, 0.0])
    assert found.potential[2] == pytest.approx(-6.0, rel=1e-14)
    assert found.power == pytest.approx(6.0, rel=1e-13)


def ring(**changed: Any) -> em.mesh.Network:
    """Four wires of 1 Ohm round a square; node 0 is a pad, node 2 a load of 1 A."""
    corners = [(0, 0), (10 * um, 0), (10 * um, 10 * um), (0, 10 * um)]
    loop = {"nodes": corners, "segments": [(0, 1), (1, 2), (2, 3), (3, 0)]}
    return tree(**(loop | {"pads": {0: 0.0}, "loads": {2: 1.0}} | changed))


def test_a_cut_segment_sends_the_current_the_other_way():
    found = em.conduction.kirchhoff(ring(), RHO)
    assert found.current == pytest.approx([0.5, 0.5, -0.5, -0.5], rel=1e-14)
    cut = em.conduction.kirchhoff(ring(), RHO, extra_resistance=[np.inf, 0, 0, 0])
    assert cut.current == pytest.approx([0.0, 0.0, -1.0, -1.0], rel=1e-14)
    assert cut.potential == pytest.approx([0.0, -2.0, -2.0, -1.0], rel=1e-14, abs=1e-15)
    assert cut.power == pytest.approx(2.0, rel=1e-13)


def test_a_via_carries_current_between_pieces():
    """Two wires end to end with a via of 0.5 Ohm between: metal stops, current does not."""
    places = [(0, 0), (10 * um, 0), (10 * um, 0), (20 * um, 0)]
    for ohms in (0.5, 0.0):
        network = tree(nodes=places, segments=[(0, 1), (2, 3)], vias=[(1, 2, ohms)], pads={0: 1.0, 3: 0.0})
        found = em.conduction.kirchhoff(network, RHO)
        assert network.components.tolist() == [0, 0, 1, 1]
        assert found.current == pytest.approx([1 / (2 + ohms)] * 2, rel=1e-13)
        assert found.via_current == pytest.approx([1 / (2 + ohms)], rel=1e-13)
        assert found.residual == pytest.approx(np.zeros(4), abs=1e-15)
        assert found.power == pytest.approx(1 / (2 + ohms), rel=1e-13)


def test_shorts_in_a_loop_share_the_current_as_equal_resistances():
    """Two shorts in a row beside one: a third of the current takes the longer way."""
    places = [(0, 0), (10 * um, 0), (10 * um, 0), (20 * um, 0), (10 * um, um)]
    vias = [(1, 2, 0.0), (1, 4, 0.0), (4, 2, 0.0)]
    network = tree(nodes=places, segments=[(0, 1), (2, 3)], vias=vias, pads={0: 2.0, 3: 0.0})
    found = em.conduction.kirchhoff(network, RHO)
    assert found.via_current == pytest.approx([2 / 3, 1 / 3, 1 / 3], rel=1e-13)
    assert found.residual == pytest.approx(np.zeros(5), abs=1e-15)


def test_every_node_of_a_large_grid_conserves_current():
    """Microamperes on a supply of a volt: 1e-12 of the current through each node, more than potentials alone give."""
    rng = np.random.default_rng(1)
    load = 1e-6 * rng.random((40, 30))
    domain = em.mesh.grid_network(
        40, 30, 20 * um, width=[1 * um, 2 * um], thickness=0.3 * um, load=load, via_resistance=2.0, cells=1
    )
    network = domain.wires()
    found = em.conduction.kirchhoff(domain, RHO)
    through = np.bincount(network.segments.ravel(), np.repeat(np.abs(found.current), 2), len(network.nodes))
    through += np.bincount(network.vias.ravel(), np.repeat(np.abs(found.via_current), 2), len(network.nodes))
    assert (np.abs(found.residual) <= 1e-12 * through).all()
    fed = found.injected[list(network.pads)]
    assert fed.sum() == pytest.approx(load.sum(), rel=1e-12)
    assert found.power == pytest.approx(network.loads @ found.drop, rel=1e-10, abs=0)
    em.conduction.check_kirchhoff(domain, found.current_density)
    # Ohm's law too, not conservation alone
    resistance = RHO * network.lengths / network.cross_sections
    a, b = network.segments.T
    assert found.potential[a] - found.potential[b] == pytest.approx(found.current * resistance, abs=1e-14)


def test_the_mesh_has_the_same_currents():
    """A wheel with spokes: the conduction model on the mesh against the network's own solve."""
    angle = 2 * np.pi * np.arange(5) / 5
    places = [(0, 0), *zip(10 * um * np.cos(angle), 10 * um * np.sin(angle), strict=True)]
    wires = [(0, i) for i in range(1, 6)] + [(i, i % 5 + 1) for i in range(1, 6)]
    width = um * np.linspace(0.5, 1.4, 10)
    domain = em.mesh.network(places, wires, width=width, thickness=0.2 * um, names={1: "in", 3: "out"}, cells=1)
    model = em.conduction.model(domain, conductivity=1 / RHO, on={"in": em.fixed(1e-3), "out": em.fixed(0.0)}, degree=1)
    em.solve_steady(model)
    found = em.conduction.kirchhoff(domain, RHO, pads={1: 1e-3, 3: 0.0})
    assert domain.at_nodes(model["phi"]) == pytest.approx(found.potential, rel=1e-10, abs=1e-15)
    assert em.conduction.current(model, "in") == pytest.approx(-found.injected[1], rel=1e-10, abs=0)


def test_given_currents_are_checked():
    em.conduction.check_kirchhoff(tree(), [3.0, 1.0, 2.0])
    with pytest.raises(em.ParameterError, match=r"2e-13 A more flow in than out at node 1, 0.4 of what passes it"):
        em.conduction.check_kirchhoff(tree(), [3.0, 1.0, 1.0])
    em.conduction.check_kirchhoff(tree(), [3.0, 1.0, 1.0], injected=[0.0, -2e-13, 0.0, 0.0])
    for rtol, told in ((np.nan, "rtol = nan, must be finite"), (-1.0, "rtol = -1, must be at least 0")):
        with pytest.raises(em.ParameterError, match=told):
            em.conduction.check_kirchhoff(tree(), [3.0, 1.0, 1.0], rtol=rtol)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"resistivity": 0.0}, r"resistivity = 0 Ohm m of segment 0 \(0 to 1\), must be greater than 0"),
        ({"resistivity": [RHO, -RHO, RHO]}, r"resistivity = -2e-08 Ohm m of segment 1"),
        ({"resistivity": [RHO, RHO]}, r"resistivity of shape \(2,\), must be a number or one a segment"),
        ({"resistivity": np.nan}, r"resistivity = nan at segment 0"),
        ({"extra_resistance": -1.0}, r"extra_resistance = -1 Ohm of segment 0 \(0 to 1\), must be at least 0"),
        ({"extra_resistance": [0.0, np.nan, 0.0]}, r"extra_resistance = nan at segment 1"),
        ({"extra_resistance": "much"}, r"extra_resistance = 'much', must be numbers"),
        ({"loads": {9: 1.0}}, r"loads: node 9, must be a node number from 0 to 3"),
        ({"pads": {9: 1.0}}, r"pads: node 9, must be a node number"),
        ({"pads": {}, "loads": {0: 1.0}}, r"loads of nodes 0, 1, 2, 3 sum to 1 A, must cancel where there is no pad"),
        ({"extra_resistance": [0.0, np.inf, 0.0]}, r"node 2 has no pad, must be joined to one: .* floats"),
        ({"network": em.materials}, r"network = <module .*, must be a Network or one of em.mesh"),
        ({"network": em.mesh.interval(1.0, cells=1)}, r"domain = interval, must be a network"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], told: str):
    given: dict[str, Any] = {"network": tree(pads={0: 0.0}), "resistivity": RHO} | arguments
    with pytest.raises(em.ParameterError, match=told):
        em.conduction.kirchhoff(given.pop("network"), **given)


def test_a_floating_part_is_named():
    with pytest.raises(em.ParameterError, match=r"nodes 2, 3 have no pad, must be joined to one"):
        em.conduction.kirchhoff(tree(segments=[(0, 1), (2, 3)], pads={0: 1.0, 2: 0.0}), RHO, pads={0: 1.0})


def test_shorted_pads_must_agree():
    network = tree(vias=[(0, 2, 0.0)])
    with pytest.raises(em.ParameterError, match=r"node 0 at 1 V and node 2 at 2 V are shorted, must be at one voltage"):
        em.conduction.kirchhoff(network, RHO, pads={0: 1.0, 2: 2.0})
    assert em.conduction.kirchhoff(network, RHO, pads={0: 1.0, 2: 1.0}).power == pytest.approx(0.0, abs=1e-30)
