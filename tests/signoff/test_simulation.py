"""The trees of a grid: closed forms, the filter, and voids and currents against the coupled solution of the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import emfem as em
from emfem.failure import Drop, FirstVoid, Liner, ResistanceRise, VoidLength
from emfem.mesh.wires import build
from emfem.signoff import Layer, Technology, Temperature, run
from emfem.signoff.circuit import Course, GridCircuit
from emfem.signoff.elements import Shifted, forest
from emfem.signoff.filter import Filter
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.outcome import verdict_of
from emfem.signoff.propagate import propagate
from emfem.signoff.resuming import restore, state_of
from emfem.signoff.simulation import Simulation
from emfem.signoff.trees import Trees
from emfem.units import MPa, eV, nm, um

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve
from scipy.sparse import csr_array, diags_array

close = partial(pytest.approx, abs=0.0)
RHO = 2.25e-8
LINER = Liner(2e-6, 5 * nm)
COPPER = em.materials.copper(temperature=573.0, resistivity=RHO)
CRITICAL = 500 * MPa
SIZE: dict[str, Any] = {"width": 0.2 * um, "thickness": 0.1 * um}
RING = np.array([(0, 0), (40, 0), (40, 40), (0, 40), (60, 0)]) * um, [(0, 1), (1, 2), (2, 3), (3, 0), (1, 4)]
KAPPA = COPPER.diffusivity * COPPER.bulk_modulus * COPPER.atomic_volume / (em.units.boltzmann * 573.0)


def technology(*names: str, liner: Liner | None = LINER, **more: Any) -> Technology:
    layers = {name: Layer(name, 0.1 * um, RHO, liner=liner) for name in names or ("metal",)}
    return Technology(layers, COPPER, 573.0, CRITICAL, **more)


def gradient(density: float) -> float:
    """G = |Z*| e rho j/Omega."""
    charge = abs(COPPER.effective_charge) * em.units.elementary_charge
    return charge * RHO * density / COPPER.atomic_volume


def row(*lengths: float, **more: Any) -> em.mesh.Network:
    """Wires in a row."""
    x = np.concatenate([[0.0], np.cumsum(lengths)])
    count = np.arange(len(lengths))
    return build(np.stack([x, 0 * x], 1), np.stack([count, count + 1], 1), **SIZE, **more)


# ---- one tree in time


@pytest.mark.parametrize("dense", [True, False])
def test_a_line_follows_korhonen(dense: bool, monkeypatch: pytest.MonkeyPatch):
    """Elements of L/33 at the ends are right to 1e-5; both ways to integrate are."""
    monkeypatch.setattr("emfem.signoff.propagate.DENSE", 1000 if dense else 0)
    length, density = 50 * um, np.array([2e10])
    net = row(length)
    metal = Metal(net, technology(), resolve_temperature(net, 573.0))
    elements = forest(Trees(net), np.array([0]), metal, np.full(2, length / 33))
    span = length**2 / KAPPA
    leg = propagate(
        elements, np.zeros(elements.size), elements.load(density), span=span, shortest=1e-3 * span, tolerance=1e3
    )
    t = np.array([1e-3, 1e-2, 0.05, 0.3, 1.0]) * span
    exact = em.analytic.korhonen_line(0.0, t, length=length, current_density=2e10, material=COPPER)
    ends = [int(np.flatnonzero(elements.nodes == node)[0]) for node in (0, 1)]
    assert leg.stress(t)[ends[0]] == close(np.ravel(exact), rel=1e-4)
    assert leg.stress(t)[ends[1]] == close(-np.ravel(exact), rel=1e-4)
    assert leg.slope(t)[ends[0]][2] == close(np.gradient(leg.stress(t[2] * np.array([0.999, 1, 1.001]))[ends[0]],
                                             1e-3 * t[2])[1], rel=1e-4)  # fmt: skip


def test_vectors_of_other_currents_do_or_get_more(monkeypatch: pytest.MonkeyPatch):
    """A leg that goes on under other currents against one that is made for them."""
    monkeypatch.setattr("emfem.signoff.propagate.DENSE", 0)
    net = row(*np.linspace(20 * um, 60 * um, 8))
    metal = Metal(net, technology(), resolve_temperature(net, 573.0))
    elements = forest(Trees(net), np.array([0]), metal, np.full(9, 2 * um))
    span = (100 * um) ** 2 / KAPPA
    given: dict[str, Any] = {"span": span, "shortest": 1e-4 * span, "tolerance": 1e3}
    flow = np.full(8, 1e10)
    first = propagate(elements, np.zeros(elements.size), elements.load(flow), **given)
    state, t = first.at(0.1 * span), np.geomspace(1e-3, 1.0, 30) * span
    part = np.array([1, 1, 1.003, 0.998, 1, 1, 1, 1.002])
    for changed, more in ((flow * 1.1, False), (flow * part, True)):
        load = elements.load(changed)
        exact = propagate(elements, state, load, **given).stress(t)
        again = first.again(state, load - elements.matrices[1] @ state, 0.1 * span, span, 1e5, felt=lambda t: 2e5)
        assert again is not None
        assert (len(again.rates[0]) > len(first.rates[0])) is more
        assert np.abs(again.stress(t) - exact).max() < 1e5
    load = elements.load(flow * np.array([1, 1, 1.3, 0.2, 1, 1, -1, 2]))
    right = load - elements.matrices[1] @ state
    assert first.again(state, right, 0.1 * span, span, 1e5, felt=lambda t: 2e5) is None
    unfelt = first.again(state, right, 0.1 * span, span, 1e5, felt=lambda t: 4e4)
    assert unfelt is not None
    assert len(unfelt.rates[0]) == len(first.rates[0])


def test_a_long_line_nucleates_as_a_half_space():
    """sigma = 2 G sqrt(kappa t/pi) at the end."""
    verdict = run(row(1000 * um), technology(), until=1e9, currents=np.array([-3e10]), voids=False)
    exact = np.pi / KAPPA * (CRITICAL / (2 * gradient(3e10))) ** 2
    assert verdict.nucleation == close([exact], rel=1e-4)
    assert verdict.nucleation_node.tolist() == [0]
    assert verdict.sensitivity == close([2.0], rel=1e-4)
    assert verdict.failure == verdict.nucleation[0]


def test_the_stress_is_right_long_before_trees_rest():
    """Trees that may be immortal are integrated until they rest; what is reported is their stress at `until`."""
    rng, long = np.random.default_rng(0), 1000 * um
    x = np.cumsum(rng.uniform(20, 60, 12)) * um
    nodes = np.concatenate([np.stack([x, 0 * x], 1), [[0, 1 * um], [long, 1 * um]]])
    pairs = np.concatenate([np.stack([np.arange(11), np.arange(1, 12)], 1), [[12, 13]]])
    net, flow = build(nodes, pairs, pads={0: 0.0, 12: 0.0}, **SIZE), rng.normal(size=12)
    flow[:-1] *= 0.8 * CRITICAL / bounds(net, flow).highest[0]
    flow[-1] = 0.8 * 2 * CRITICAL / (gradient(1.0) * long)
    given: dict[str, Any] = {"until": 4e-6 * long**2 / KAPPA, "currents": flow, "voids": False}
    usual, tight = (run(net, technology(), rtol=rtol, **given).stress for rtol in (1e-4, 1e-9))
    assert np.abs(tight).max() > 0.03 * CRITICAL
    assert np.abs(usual - tight).max() < 1e-5 * CRITICAL  # a tenth of rtol


def test_no_void_between_two_samples_is_missed():
    """The tension where a line meets a long one passes a maximum: a critical stress just below it is found."""
    net = row(50 * um, 500 * um)
    filter_ = bounds(net, density := np.array([3e10, 0.0]))
    elements = forest(filter_.trees, np.array([0]), filter_.metal, np.full(3, 1 * um))
    leg = propagate(elements, np.zeros(elements.size), elements.load(density), span=1e7, shortest=1.0, tolerance=10.0)
    t = np.geomspace(10.0, 1e7, 20_000)
    highest = float(leg.stress(t).max())
    assert highest > 1.5 * filter_.highest[0]  # on the way, and falls again
    made = Technology(technology().layers, COPPER, 573.0, highest * (1 - 1e-4))
    verdict = run(net, made, until=1e7, currents=density, voids=False, rtol=1e-6)
    assert not verdict.immortal[0]
    assert verdict.nucleation[0] < 1e7
    above = Technology(technology().layers, COPPER, 573.0, highest * 1.001)
    assert run(net, above, until=1e7, currents=density, voids=False).immortal[0]  # shown by the integration


def test_a_state_on_other_cells_has_the_same_atoms():
    """A smooth state to its values, and any state to as many atoms as the quadrature sees."""
    net = row(40 * um, 40 * um)
    metal, trees = Metal(net, technology(), resolve_temperature(net, 573.0)), Trees(net)
    coarse, fine = (forest(trees, np.array([0]), metal, np.full(3, size * um)) for size in (10.0, 2.0))
    state = np.random.default_rng(3).random(coarse.size)
    moved = fine.taken(coarse, state)
    atoms = [float((each.matrices[0] @ values).sum()) for each, values in ((coarse, state), (fine, moved))]
    assert atoms[1] == close(atoms[0], rel=1e-2)
    smooth = [np.cos(each.places()[0] + each.places()[1]) for each in (coarse, fine)]
    moved = fine.taken(coarse, smooth[0])
    atoms = [float((each.matrices[0] @ values).sum()) for each, values in ((coarse, smooth[0]), (fine, moved))]
    assert atoms[1] == close(atoms[0], rel=1e-5)
    assert moved == close(smooth[1], abs=2e-2)


# ---- the filter


def bounds(net: em.mesh.Network, density: np.ndarray, **more: Any) -> Filter:
    metal = Metal(net, technology(*net.layers), resolve_temperature(net, 573.0))
    initial = np.zeros(len(net.segments))
    return Filter(metal, density=density, initial=initial, critical=CRITICAL, until=1e9, **more)


def test_the_steady_stress_is_that_of_the_model():
    """Two trees of a ring, where atoms circulate, and a branch: as em.stress finds it with the mesh."""
    points = np.concatenate([RING[0], [(0.0, 1e-4), (5e-5, 1e-4)]])
    domain = em.mesh.network(points, [*RING[1], (5, 6)], width=np.array([2, 1, 2, 3, 1, 1]) * 1e-7, thickness=1e-7,
                             vias=[(0, 5, 1.0)], loads={1: -1e-3, 2: 3e-3, 6: -2e-3})  # fmt: skip
    flow = em.conduction.kirchhoff(domain, RHO).current_density
    flow[:4] += 1e-4 / domain.wires().cross_sections[:4]  # round the ring: no potential makes that
    model = em.stress.model(domain, COPPER, current_density=flow)
    exact = em.stress.at_nodes(em.stress.steady(model))
    assert bounds(domain.wires(), flow).steady == close(exact, rel=1e-9)


def test_a_line_is_immortal_as_by_blech():
    """Below its product a line never opens, though the bound alone, twice the stress, does not show it."""
    product = em.analytic.blech_product(COPPER, critical_stress=CRITICAL)
    for part, expected in ((0.4, True), (0.95, True), (1.05, False)):
        density = np.array([part * product / (50 * um)])
        verdict = run(row(50 * um), technology(), until=1e3, currents=density, voids=False)
        assert bool(verdict.immortal[0]) is expected
        assert verdict.margin[0] == close((1 - part) * CRITICAL, rel=1e-6)
    assert bounds(row(50 * um), np.array([0.4 * product / (50 * um)])).immortal[0]
    assert not bounds(row(50 * um), np.array([0.95 * product / (50 * um)])).immortal[0]


def test_nodes_of_first_voids_are_in_their_trees():
    net = em.mesh.grid_network(5, 4, 20 * um, load=2e-3, cells=1, **SIZE).wires()
    verdict = run(net, technology("M1", "M2"), until=1e9, voids=False)
    opened = np.isfinite(verdict.nucleation)
    assert opened.sum() > 3
    assert (net.components[verdict.nucleation_node[opened]] == np.flatnonzero(opened)).all()


# ---- currents


def test_changed_wires_do_not_need_another_factorisation():
    net = em.mesh.grid_network(6, 5, 20 * um, load=1e-4, cells=1, **SIZE).wires()
    circuit = GridCircuit(net, technology("M1", "M2"), np.full(len(net.segments), RHO))
    rng = np.random.default_rng(2)
    for _ in range(3):
        extra = np.where(rng.random(len(net.segments)) < 0.2, rng.exponential(100.0, len(net.segments)), 0.0)
        extra[3] = np.inf
        exact = em.conduction.kirchhoff(net, RHO, extra_resistance=extra)
        density, drop = circuit.flows(extra)
        assert (
            density == close(exact.current_density, rel=1e-7)
            or np.abs(density - exact.current_density).max() < 1e-9 * np.abs(exact.current_density).max()
        )
        assert drop == close(np.abs(exact.drop).max(), rel=1e-9)


# ---- voids, against the coupled solution


def coupled(domain: em.mesh.Domain, made: Technology, *, rtol: float = 1e-4, **given: Any) -> tuple[Any, Any]:
    """Return the history of the model of the whole network and the verdict."""
    flow = em.conduction.kirchhoff(domain, RHO).current_density
    model = em.stress.model(domain, COPPER, current_density=flow, voids=True, residual_stress=made.residual_stress)
    liner = next(iter(made.layers.values())).liner
    life = em.failure.run(model, critical_stress=CRITICAL, resistivity=RHO, liner=liner, rtol=rtol, **given)
    return life, run(domain, made, stop_at_failure=True, **given)


def ring(**more: Any) -> em.mesh.Domain:
    given: dict[str, Any] = {"pads": {0: 0.1, 2: 0.0}, "cells": 12, **SIZE, **more}
    return em.mesh.network(*RING, **given)


CASES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "first void": lambda: coupled(ring(), technology(), until=1e9, fails=FirstVoid()),
    "no liner": lambda: coupled(
        ring(pads={0: 0.1}, loads={2: 1e-3, 4: 5e-4}), technology(liner=None), until=1e9, fails=Drop(1.0)
    ),
    "length and residual stress": lambda: coupled(
        ring(), technology(residual_stress=150 * MPa), until=1e9, fails=VoidLength(20 * nm), update=0.2
    ),
    "rise": lambda: coupled(ring(), technology(), until=1e9, fails=ResistanceRise(0.2), update=0.2),
    "drop": lambda: coupled(
        ring(pads={0: 0.1}, loads={2: 1e-3, 4: 5e-4}), technology(), until=1e9, fails=Drop(0.11), update=0.5
    ),
    "layers and vias": lambda: coupled(
        em.mesh.grid_network(3, 2, 20 * um, load=4e-3, cells=8, **SIZE), technology("M1", "M2"), until=1e9,
        fails=VoidLength(20 * nm), update=0.2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_voids_are_those_of_the_coupled_solution(case: str):
    life, verdict = CASES[case]()
    assert np.isfinite(life.time_to_failure)
    assert verdict.failure == close(life.time_to_failure, rel=1e-3)
    assert verdict.why == life.why
    assert {void.node for void in verdict.voids} == {void.node for void in life.voids}
    for void, other in zip(*(sorted(each, key=lambda void: void.node) for each in (verdict.voids, life.voids)),
                           strict=True):  # fmt: skip
        assert void.nucleated == close(other.nucleated, rel=1e-3)
        if other.length > 1 * nm:
            assert void.volume == close(other.volume, rel=1e-3)


def shared_grid() -> em.mesh.Network:
    """A grid with six voids in four trees whose currents they share."""
    drawn = np.array([9.3, -1.5, -6.9, 7.6, 2.5, -11.7, -1.8, -6.2]) * 1e-3
    net = em.mesh.grid_network(2, 4, 17 * um, load=1e-3, cells=1, **SIZE).wires()
    return replace(net, loads=np.concatenate([drawn, np.zeros(8)]))


def test_voids_at_rest_hold_each_other():
    """Six voids in four trees whose currents they share, against the steady state of the whole network.

    In each tree no force is left between two voids, and they have what the steady stress has driven out.
    """
    net, made = shared_grid(), technology("M1", "M2")
    verdict = run(net, made, until=3e6, fails=Drop(50.0))
    found = {void.node: void.length for void in verdict.voids}
    circuit = GridCircuit(net, made, np.full(len(net.segments), RHO))
    nodes, trees, volume = np.array(list(found)), Trees(net), net.lengths * net.cross_sections
    faces = np.zeros(len(net.nodes))
    np.add.at(faces, net.segments, net.cross_sections[:, None])
    assert len(np.unique(trees.of_node[nodes])) < len(nodes) == 6

    def unbalanced(part: np.ndarray) -> np.ndarray:
        lengths = np.zeros(len(net.nodes))
        lengths[nodes] = part * np.array(list(found.values()))
        current = circuit.currents(circuit.extra(lengths)).current_density
        steady, result = trees.walked(gradient(1.0) * current * net.lengths), []
        for tree in np.unique(trees.of_node[nodes]):
            first, *others = nodes[trees.of_node[nodes] == tree]
            stress = (steady[net.segments].mean(axis=1) - steady[first]) * (trees.of_segment == tree)
            lost, voids = -(stress * volume).sum() / COPPER.bulk_modulus, lengths * faces * (trees.of_node == tree)
            result += [voids.sum() / lost - 1, *((steady[node] - steady[first]) / CRITICAL for node in others)]
        return np.array(result)

    steady, _, good, _ = fsolve(unbalanced, np.ones(6), full_output=True, xtol=1e-10)
    assert good == 1
    assert steady == close(1.0, rel=1e-3)


def test_lengths_of_voids_converge_with_update():
    """Steps that are coarse, and the default: the error falls as their ratio, and is small."""
    lengths = [
        {void.node: void.length for void in run(shared_grid(), technology("M1", "M2"), until=2e3, fails=Drop(50.0),
                                                update=update, rtol=1e-5).voids}
        for update in (0.4, 0.05, 0.025)
    ]  # fmt: skip
    assert len(lengths[0]) == 5
    errors = [max(abs(each[node] / lengths[2][node] - 1) for node in each) for each in lengths[:2]]
    assert errors[1] < 1e-4
    assert errors[1] < errors[0] / 8


def test_a_failure_does_not_depend_on_until():
    limit: dict[str, Any] = {"fails": VoidLength(200 * nm), "stop_at_failure": True}
    first, *others = (
        run(shared_grid(), technology("M1", "M2"), until=until, **limit).failure for until in (1e4, 3.1e4, 1e6)
    )
    assert np.isfinite(first)
    assert others == close([first] * 2, rel=1e-5)


def test_a_void_heals():
    """Atoms of a long wire fill the void that a short one has opened, until it closes."""
    points, drawn = [(0, 0), (20 * um, 0), (120 * um, 0)], {0: 1e-3, 1: -1.8e-3, 2: 8e-4}
    domain = em.mesh.network(points, [(0, 1), (1, 2)], cells=16, **SIZE, loads=drawn)
    flow = em.conduction.kirchhoff(domain, RHO).current_density
    model = em.stress.model(domain, COPPER, current_density=flow, voids=True)
    given: dict[str, Any] = {"until": 5e5, "fails": VoidLength(20 * um)}
    life = em.failure.run(model, critical_stress=CRITICAL, resistivity=RHO, liner=LINER, **given)
    verdict = run(domain, technology(), **given)
    assert {void.node for void in verdict.voids} == {void.node for void in life.voids} == {0, 2}
    volume = {void.node: void.volume for void in verdict.voids}
    assert volume[0] == 0.0
    assert volume[2] == close(next(void.volume for void in life.voids if void.node == 2), rel=1e-3)
    assert verdict.stress[0] < -100 * MPa  # the void holds it no more
    assert verdict.stress == close(em.stress.at_nodes(model), rel=2e-3, abs=1e-3 * CRITICAL)


def test_a_healed_void_leaves_no_resistance_behind():
    """As above, with a pad at the node between, so that voids change currents."""
    net = build(np.array([(0, 0), (20, 0), (120, 0)]) * um, [(0, 1), (1, 2)], **SIZE, loads={0: 1e-3, 2: 8e-4},
                pads={1: 0.0})  # fmt: skip
    metal = Metal(net, technology(), resolve_temperature(net, 573.0))
    circuit = GridCircuit(net, technology(), metal.resistivity)
    simulation = Simulation(metal, circuit, initial=metal.residual_stress, fails=VoidLength(20 * um), until=5e5)
    largest = 0.0
    while simulation.advance():
        largest = max(largest, simulation.planner.extra[0])
    assert [void.healed for void in sorted(simulation.voids, key=lambda void: void.node)] == [True, False]
    assert largest > 1.0
    assert simulation.planner.extra[0] < 1e-6
    assert simulation.planner.extra[1] > 1.0
    course = simulation.circuit.course
    assert course.density == close(simulation.circuit.currents(simulation.planner.extra).current_density, rel=1e-3)


# ---- temperature


def rail(table: np.ndarray, **more: Any) -> dict[str, Any]:
    """Segments in a row with temperatures, a gradient of them, and a stress at the start of their own."""
    material = em.materials.Material(
        "rail", temperature=350.0, lowest_temperature=250.0, bulk_modulus=1e11, atomic_volume=1.181e-29,
        diffusivity=em.materials.laws.Arrhenius(7.5e-8, 0.86 * eV), resistivity=3e-8, effective_charge=-10.0,
        heat_of_transport=-0.09 * eV,
    )  # fmt: skip
    made = Technology({"rail": Layer("rail", 0.1 * um, 3e-8)}, material, 350.0, CRITICAL)
    return {
        "network": row(*np.full(len(table), 100 * um)), "technology": made, "until": 2e8, "voids": False,
        "currents": table[:, 1], "residual_stress": table[:, 5],
        "temperature": Temperature(table[:, 2], table[:, 3], table[:, 4], 6.921285402e-6), **more,
    }  # fmt: skip


def finite_volumes(table: np.ndarray, cells: int) -> float:
    """Return when the stress at a node of a rail reaches the critical one, by finite volumes graded to the nodes."""
    length, decay = 100 * um, 6.921285402e-6
    ratio, inside = length / decay, (1 - np.cos(np.linspace(0, np.pi, cells + 1))) / 2
    edges = np.concatenate([[0.0], ((np.arange(len(table))[:, None] + inside[1:]) * length).ravel()])
    half, segment = np.diff(edges) / 2, np.repeat(np.arange(len(table)), cells)

    def laws(place: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """kappa, and G + M."""
        xi, (_, j, left, right, excess, _) = place / length - k, table[k].T
        bent = (xi - 0.5) * ratio
        kelvin = left + (right - left) * xi + excess * (1 - np.cosh(bent) / np.cosh(ratio / 2))
        slope = (right - left) / length - excess / decay * np.sinh(bent) / np.cosh(ratio / 2)
        heat = em.units.boltzmann * kelvin
        kappa = 7.5e-8 * np.exp(-0.86 * eV / heat) * 1e11 * 1.181e-29 / heat
        return kappa, (-10 * em.units.elementary_charge * 3e-8 * j + 0.09 * eV * slope / kelvin) / 1.181e-29

    # kappa (sigma' + G + M) is continuous from the middle of a cell to that of the next
    k_left, f_left = laws(edges[1:-1] - half[:-1] / 2, segment[:-1])
    k_right, f_right = laws(edges[1:-1] + half[1:] / 2, segment[1:])
    resistance = half[:-1] / k_left + half[1:] / k_right
    push = f_left * half[:-1] + f_right * half[1:]

    def flux(y: np.ndarray) -> np.ndarray:
        return (np.diff(y) + push) / resistance

    def beyond(t: float, y: np.ndarray) -> float:
        at_edges = y[:-1] + half[:-1] * (flux(y) / k_left - f_left)
        ends = y[0] + half[0] * f_left[0], y[-1] - half[-1] * f_right[-1]
        return max(float(at_edges[cells - 1 :: cells].max()), *ends) - CRITICAL

    beyond.terminal = True  # type: ignore[attr-defined]
    through = diags_array([1 / resistance], offsets=[0]) @ diags_array(
        [-1.0, 1.0], offsets=[0, 1], shape=(len(push), len(half))
    )
    out = diags_array([1.0, -1.0], offsets=[0, -1], shape=(len(half), len(push)))
    jacobian = csr_array(diags_array(0.5 / half) @ out @ through)
    found = solve_ivp(
        lambda t, y: np.diff(flux(y), prepend=0.0, append=0.0) / (2 * half), (0.0, 2e8), table[segment, 5],
        method="BDF", jac=jacobian, events=beyond, rtol=1e-7, atol=1e2,
    )  # fmt: skip
    return float(found.t_events[0][0])


def extrapolated(table: np.ndarray) -> float:
    """Return the same of two grids, extrapolated: their error is of second order."""
    coarse, fine = (finite_volumes(table, cells) for cells in (40, 80))
    assert coarse == close(fine, rel=1e-2)
    return fine + (fine - coarse) / 3


TABLE = np.array(
    [
        (0, 4.7e9, 349.0, 352.0, 0.08, 2.39e8),
        (1, 1.2e9, 352.0, 356.0, 0.005, 2.35e8),
        (2, -4.7e9, 356.0, 358.0, 0.08, 2.32e8),
        (3, 4.7e9, 358.0, 353.0, 0.08, 2.30e8),
    ]
)


def test_temperatures_that_vary_along_wires():
    """Diffusivity, Soret force and stress at the start: as finite volumes, extrapolated from two grids."""
    exact = extrapolated(TABLE)
    assert run(**rail(TABLE)).nucleation[0] == close(exact, rel=1e-4)
    assert run(**rail(TABLE, temperature=353.0)).nucleation[0] != close(exact, rel=1e-2)


def test_a_rail_as_comsol_has_it(public_data: Callable[[str], Path]):
    """Its output times are a tenth of a decade apart."""
    table = np.loadtxt(public_data("comsol_rail_0.csv"), delimiter=",")
    verdict = run(**rail(table))
    assert verdict.nucleation[0] == close(7.554416621e7, rel=5e-3)
    assert verdict.nucleation[0] == close(extrapolated(table), rel=1e-4)


def test_temperatures_have_one_shape_of_four():
    net = row(1e-5, 1e-5, 1e-5)
    ends = np.array([(300.0, 310.0), (310.0, 305.0), (305.0, 300.0)])
    for given, start, end in (
        (300.0, 300.0, 300.0),
        ([300.0, 310.0, 305.0, 300.0], *ends.T),
        ([300.0, 310.0, 320.0], *([300.0, 310.0, 320.0],) * 2),
        (ends, *ends.T),
    ):
        made = resolve_temperature(net, given)
        assert np.array_equal(made.start, np.broadcast_to(start, 3))
        assert np.array_equal(made.end, np.broadcast_to(end, 3))
    for wrong, message in (
        (np.ones((2, 2)), r"temperature of shape \(2, 2\), must be a number, one a node \(4\)"),
        (-1.0, r"temperature 'start' of segment 0 = -1 K, must be above 0"),
    ):
        with pytest.raises(em.ParameterError, match=message):
            resolve_temperature(net, wrong)
    with pytest.raises(em.ParameterError, match="excess is given without healing_length"):
        Temperature([300.0], [300.0], [1.0])


# ---- results, and going on


def simulation() -> Simulation:
    net = em.mesh.grid_network(4, 3, 20 * um, load=3e-3, cells=1, **SIZE).wires()
    made = technology("M1", "M2")
    metal = Metal(net, made, resolve_temperature(net, 573.0))
    circuit = GridCircuit(net, made, metal.resistivity)
    return Simulation(metal, circuit, initial=metal.residual_stress, fails=VoidLength(30 * nm), until=2e4, update=0.3)


@pytest.mark.parametrize("memory", [1 << 30, 200_000])
def test_a_run_goes_on_from_any_state(memory: int, monkeypatch: pytest.MonkeyPatch):
    """With room for the states of all trees, and of a few."""
    monkeypatch.setattr("emfem.signoff.followed.MOST_BYTES", memory)
    first, states = simulation(), []
    while first.advance():
        states.append(state_of(first))
    whole = verdict_of(first)
    assert len(whole.voids) > 3
    assert np.isfinite(whole.failure)
    for state in (states[0], states[1], states[len(states) // 2], states[-1]):
        again = simulation()
        restore(again, state)
        while again.advance():
            pass
        verdict = verdict_of(again)
        assert verdict.voids == whole.voids
        for name in ("nucleation", "tree_failure", "t", "drop", "resistance_rise", "failure", "why"):
            assert np.array_equal(getattr(verdict, name), getattr(whole, name)), name
        assert np.array_equal(verdict.stress, whole.stress, equal_nan=True)


def test_a_grid_that_failed_before_its_voids_cut_it_has_failed_by_that():
    net = em.mesh.grid_network(4, 3, 20 * um, load=3e-3, cells=1, **SIZE).wires()
    verdicts = [
        run(net, technology("M1", "M2", liner=None), until=1e9, temperature=573.0, update=1.0, fails=fails)
        for fails in (Drop(1e-2), Drop(1e3))
    ]
    assert [(each.failure, each.why) for each in verdicts] == [
        (0.0, Drop(1e-2).reason),
        (verdicts[1].t[-1], "open"),
    ]


def test_a_state_of_a_former_version_is_refused_in_one_sentence():
    """Before currents were linear in time a state had no course of them."""
    run = simulation()
    state = {name: value for name, value in state_of(run).items() if name != "course"}
    with pytest.raises(em.ParameterError, match=r"^state of the checkpoint without course, must be of this ver"):
        restore(run, state)
    others: tuple[Any, ...] = (3, [], "text")
    for other in others:
        with pytest.raises(em.ParameterError, match=r"^state = .*, must be what the checkpoint was given to write$"):
            restore(run, other)


def test_currents_that_are_off_are_followed_before_it_matters():
    """A force that is wrong by df for a time makes the stress wrong by 2 df sqrt(kappa time/pi) at an end."""
    made = simulation()
    while not made.voids:
        made.advance()
    planner, t, void = made.planner, made.t, int(made.trees.of_node[made.voids[0].node])
    density, still = made.circuit.course.at(t), np.zeros(len(made.network.segments))
    made.circuit.course = Course(t, density, still)
    planner.currents.take(range(made.trees.count), t)
    planner.highest[:], planner.seen[:] = CRITICAL, np.inf  # all of them are near it
    other = (void + 1) % made.trees.count
    segments = made.bounds.members(other)[1]
    off = 5e-4 * np.abs(density[segments]).max()
    changed = density.copy()
    changed[segments] += off
    made.circuit.course = Course(t, changed, still)
    rate = 2 * gradient(off) * np.sqrt(KAPPA / np.pi)
    allowed = (5e-5 * CRITICAL / rate) ** 2
    assert allowed > 1.1 * 0.02 * t
    assert gradient(off) * made.network.lengths[segments].sum() > 5e-5 * CRITICAL
    before, after = ((t + part * allowed) / 1.02 for part in (0.99, 1.01))
    assert planner.moved(before, made.followed) == []
    assert planner.moved(after, made.followed) == [other]
    made.circuit.course = Course(t, density, (changed - density) / (after - t))  # comes to it in time
    assert planner.moved(after, made.followed) == [other]
    planner.currents.take([other], t)  # and is expected
    assert planner.moved(after, made.followed) == []


def test_what_a_leg_has_missed_is_made_up_for():
    """Two courses, one after the other: a line with their moments; and of one course its very stress."""
    made = simulation()
    made.begin()
    tree, t = made.followed[0], np.array([1.0, 1.3, 2.0])
    start, turning = made.first_density, np.random.default_rng(1).normal(size=len(made.first_density)) * 1e12
    currents = made.planner.currents
    currents.note(t[0])  # nothing was off until then
    made.circuit.course = Course(t[0], start, turning)
    (none, slope), span = currents.missed(t[1], tree)
    assert np.abs(none).max() < 1e-12 * np.abs(slope).max()
    assert slope == close(turning[tree.segments], rel=1e-9)
    state, elements = made.legs.state(tree, t[0])
    missing = made.legs.driven(tree, np.stack([none, slope]), span)
    then = made.legs.state(tree, t[1])[0] + missing
    made.legs.restart(tree, t[0], state, elements, {}, tree.sizes, np.stack([start, turning])[:, tree.segments])
    exact = made.legs.state(tree, t[1])[0]
    assert np.abs(missing).max() > 1e-3 * CRITICAL
    assert then == close(exact, rel=1e-5, abs=1e-6 * np.abs(missing).max())
    currents.note(t[1])
    made.circuit.course = Course(t[1], start - turning, 3 * turning)
    (first, slope), span = currents.missed(t[2], tree)
    parts = (t[1] - t[0]) ** 2 / 2, -(t[2] - t[1]) + 3 * (t[2] - t[1]) ** 2 / 2
    assert first * span + slope * span**2 / 2 == close(sum(parts) * turning[tree.segments], rel=1e-9)
    u = np.array([0.3, 1.0])  # of the second course: int (-1 + 3 (u - 0.3)) u du
    moment = u[0] ** 3 / 3 + np.diff(u**3)[0] - 1.9 * np.diff(u**2)[0] / 2
    assert first * span**2 / 2 + slope * span**3 / 3 == close(moment * turning[tree.segments], rel=1e-9)
    currents.take([0], t[2])
    assert not currents.missed(t[2], tree)[0].any()


def test_matrices_of_trees_with_loops_have_a_narrow_band():
    """Factorised in that order, they are those of the elements."""
    net = em.mesh.network(*RING, cells=1, **SIZE).wires()
    metal = Metal(net, technology(), resolve_temperature(net, 573.0))
    elements = forest(Trees(net), np.array([0]), metal, np.full(5, 0.5 * um))
    assert elements.band is not None
    mass, stiffness = (matrix.toarray() for matrix in elements.matrices)
    right = np.random.default_rng(1).random(elements.size)
    fixed = np.array([int(elements.unknowns[2])])
    solution = Shifted(elements, 10.0, fixed).solve(right)
    free = np.setdiff1d(np.arange(elements.size), fixed)
    exact = np.linalg.solve((mass + 10.0 * stiffness)[np.ix_(free, free)], right[free])
    assert solution[fixed] == 0.0
    assert solution[free] == close(exact, rel=1e-9, abs=1e-12 * np.abs(exact).max())


def test_tables_have_a_row_for_each_tree_and_wire():
    net = em.mesh.grid_network(4, 3, 20 * um, load=3e-3, cells=1, **SIZE).wires()
    verdict = run(net, technology("M1", "M2"), until=6e3)
    trees, wires = verdict.trees(), verdict.wires()
    assert (len(trees), len(wires)) == (7, len(net.segments))
    assert trees["segments"].sum() == len(wires)
    assert trees["voids"].sum() == len(verdict.voids)
    longest = max(void.length for void in verdict.voids)
    assert longest <= wires["void length [m]"].max() <= 2 * longest
    assert trees["void length [m]"].max() == longest
    assert (wires["current density [A/m2]"] == verdict.currents.current_density).all()
    assert str(verdict).startswith("7 trees, ")
    assert verdict.drop[-1] > verdict.drop[0] == close(np.abs(verdict.currents.drop).max(), rel=1e-12)
    assert verdict.resistance_rise[-1] > 0.1


def test_a_drop_that_is_passed_at_the_start_is_a_failure_at_0():
    net = em.mesh.grid_network(3, 3, 20 * um, load=1e-4, cells=1, **SIZE).wires()
    verdict = run(net, technology("M1", "M2"), until=1e3, fails=Drop(1e-6))
    assert verdict.failure == 0.0
    assert "a node dropped by" in verdict.why


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loads": np.zeros(18)}, "no current flows"),
        (
            {"loads": np.r_[np.zeros(8), 10.0, np.zeros(9)]},
            r"A/m2 in segment .*, 2e-07 m wide: chips have 1e11 A/m2 at",
        ),
        ({"pads": {9: 1.0, 17: 0.9}}, r"pads of one net are at 0.9 V and 1 V: 0\.\d+ A flow from pad to pad"),
    ],
)
def test_currents_that_may_be_a_mistake_are_warned_of(changed: dict[str, Any], message: str):
    net = em.mesh.grid_network(3, 3, 20 * um, load=1e-4, cells=1, **SIZE).wires()
    with pytest.warns(em.ResolutionWarning, match=message):
        run(net, technology("M1", "M2"), until=1e3, **changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loads": np.full(18, 1e30)}, r"A/m2 in .* must be at most 1e\+15 A/m2"),
        ({"until": 1e300}, r"until = 1e\+300 s, must be at most 1e\+14 s"),
        ({"temperature": np.nan}, "temperature 'start' of segment 0 = nan K, must be above 0"),
        ({"until": 0.0}, "until = 0 s, must be at least 0.001 s"),
        ({"update": 2.0}, "update = 2, must be"),
        ({"rtol": 1.0}, "rtol = 1, must be"),
        ({"fails": Drop}, "must be FirstVoid"),
        ({"currents": [1.0, 2.0]}, "currents"),
        ({"residual_stress": np.nan}, "residual_stress = nan"),
        ({"technology": technology("M5")}, "'M1'"),
        ({"temperature": 1e5}, "temperature = 100000 K"),
    ],
)
def test_what_a_run_refuses(changed: dict[str, Any], message: str):
    net = em.mesh.grid_network(3, 3, 20 * um, load=1e-4, cells=1, **SIZE).wires()
    given: dict[str, Any] = {"network": net, "technology": technology("M1", "M2"), "until": 1e3}
    with pytest.raises(em.EmfemError, match=message):
        run(**(given | changed))
