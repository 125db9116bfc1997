"""The stress model: what it takes and tells, what it refuses, and that no atom gets lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.materials import DirectAndWind, Material
from emfem.stress.graph import walked
from emfem.units import MPa, um, year
from emfem.verify.reference import HIGHEST
from tests.reference import DIGITS, reference_copper

import numpy as np
import pytest
import ufl
from dolfinx import fem

CASE = Path(__file__).with_name("stress_case.py")
LENGTH = 50 * um


def wire(cells: int = 10) -> em.mesh.Domain:
    return em.mesh.interval(LENGTH, cells=cells, names=("left", "right"))


def line(material: Material | None = None, **given: Any) -> em.Model:
    """The reference line; blocked, under 1e10 A/m2 to the right unless told otherwise."""
    domain = given.pop("domain", None) or wire(given.pop("cells", 10))
    drive = {} if {"field", "current"} & given.keys() else {"current_density": 1e10}
    return em.stress.model(domain, material or reference_copper(), **(drive | given))


def ring(**given: Any) -> em.Model:
    """A square of wires between two leads: nodes 0 (in), 1, 2, 3, 4 of the square, 5 (out)."""
    corners = [(0, 0), (10 * um, 0), (20 * um, 5 * um), (20 * um, -5 * um), (30 * um, 0), (40 * um, 0)]
    pairs = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 5)]
    domain = em.mesh.network(corners, pairs, width=0.2 * um, thickness=0.1 * um, cells=2, names={0: "in", 5: "out"})
    return em.stress.model(domain, reference_copper(effective_charge=-5.0), **given)


def at_ends(function: fem.Function) -> Any:
    return em.fields.evaluate(function, [[0.0], [LENGTH]])


# ---- what it tells


def test_fields_and_quantities_have_their_names():
    model = line()
    assert model.names == ("sigma", "flux", "drive", "balancing_stress")
    assert set(model.quantities) == {
        *("sigma_max", "sigma_min", "mean", "stress", "atoms"),
        *("flux left", "flux right"),
    }
    assert line(voids=True).names == ("sigma", "void", "flux", "drive", "balancing_stress", "opened")


def test_the_sign_is_that_of_the_electrons():
    """J > 0 along x, Z* < 0: electrons and atoms go to x = 0, tension is left behind at x = L."""
    model = line()
    em.evolve(model, until=year, progress=False)
    left, right = at_ends(model["sigma"])
    assert left < 0 < right
    assert em.fields.discontinuous(model["flux"][0], model.mesh, 0).x.array.max() < 0


def test_the_typical_stress_balances_the_drive_or_is_that_of_a_boundary():
    """|G| L/2 of the separate script; errors of time steps are relative to it."""
    assert line().unknowns[0].scale == pytest.approx(HIGHEST, rel=DIGITS, abs=0)
    assert line(on={"left": em.fixed(300 * MPa)}).unknowns[0].scale == pytest.approx(300 * MPa, rel=1e-12, abs=0)


def test_mean_and_integral_are_those_of_the_start():
    model = line(residual_stress=lambda x: 1e7 + 2e12 * x[0])
    assert model.quantity("mean") == pytest.approx(1e7 + 1e12 * LENGTH, rel=1e-13, abs=0)
    assert model.quantity("stress") == pytest.approx(model.quantity("mean") * LENGTH, rel=1e-13, abs=0)


def test_atoms_are_the_sites_less_what_tension_holds_apart():
    model = line(residual_stress=28e6)
    assert model.quantity("atoms") * 1.18e-29 / LENGTH == pytest.approx(1 - 1e-3, rel=1e-14, abs=0)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_blocked_conductor_keeps_its_stress_and_its_atoms(degree: int):
    """To 1e-12 of what moves, G L^2/8 on each half: rounding of some hundred solves."""
    model = line(degree=degree, residual_stress=lambda x: 1e7 * np.sin(1e5 * x[0]))
    before = model.quantity("stress")
    em.evolve(model, until=10 * year, watch=[em.watch.conserved("atoms", rtol=1e-14)], progress=False)
    assert model.quantity("stress") == pytest.approx(before, abs=1e-12 * 3.05e12 * LENGTH**2 / 8)
    assert model.quantity("flux left") == model.quantity("flux right") == 0.0


def test_what_flows_through_a_held_end_is_what_the_line_gains():
    """The flux of the equations, against the change of the number of atoms over a short step: to its third order."""
    model = line(on={"right": em.fixed(0.0)})
    em.evolve(model, until=year, progress=False)
    before, t = model.quantity("atoms"), 1e-4 * year
    flows = [model.quantity("flux right")]
    em.evolve(model, until=year + t, fixed_step=t, progress=False)
    flows.append(model.quantity("flux right"))
    assert flows[0] < 0  # atoms come in from the void
    assert model.quantity("atoms") - before == pytest.approx(-sum(flows) / 2 * t, rel=1e-6, abs=0)


def test_atoms_let_in_press():
    model = line(current_density=None, on={"left": em.flux(1e13)})
    before = model.quantity("atoms")
    assert model.quantity("flux left") == pytest.approx(-1e13, rel=1e-14)
    em.evolve(model, until=year, progress=False)
    assert model.quantity("atoms") - before == pytest.approx(1e13 * year, rel=1e-9, abs=0)  # of 2e24 atoms
    assert model.quantity("mean") == pytest.approx(-28e9 * 1.18e-29 * 1e13 * year / LENGTH, rel=1e-12, abs=0)
    with pytest.raises(em.ParameterError, match=r"lets 1e\+13 atoms/s in and none out: no steady state"):
        em.solve_steady(model)


def test_the_drive_may_come_as_current_density_field_or_conduction():
    """All three tell E = rho j."""
    domain = wire()
    current = em.conduction.model(
        domain, conductivity=1 / 2.25e-8, on={"left": em.fixed(0.01125), "right": em.fixed(0)}
    )
    em.solve_steady(current)
    given: list[dict[str, Any]] = [
        {"current_density": 1e10},
        {"current_density": lambda t: 1e10},
        {"current_density": ufl.as_vector([fem.Constant(domain.mesh, 1e10)])},
        {"current_density": None, "field": 225.0},
        {"current_density": None, "field": current["E"]},
        {"current_density": None, "current": current},
    ]
    ends = []
    for drive in given:
        model = line(domain=domain, **drive)
        em.evolve(model, until=year, progress=False)
        ends.append(at_ends(model["sigma"]))
    assert np.ptp(ends, axis=0).max() < 1e-9 * np.abs(ends).max()  # of solvers


def test_a_current_that_is_switched_off_lets_the_stress_relax():
    model = line(current_density=lambda t: 1e10 if t < year else 0.0)
    em.evolve(model, until=year, progress=False)
    highest = model.quantity("sigma_max")
    em.evolve(model, until=1000 * year, progress=False)
    assert abs(model.quantity("sigma_max")) < 1e-4 * highest


@pytest.mark.slow
def test_fast_alternating_current_is_felt_as_its_mean():
    """100 pulses of 2 sin^2: the ripple is that of the last, G sqrt(kappa t_p), 1/30 of the stress."""
    period = 3 * year / 100
    model = line(current_density=lambda t: 2e10 * np.sin(np.pi * t / period) ** 2)
    em.evolve(model, until=3 * year, progress=False)
    assert model.quantity("sigma_max") == pytest.approx(44.669147 * MPa, rel=0.04, abs=0)


def test_no_drive_at_all_is_relaxation():
    model = line(current_density=None, residual_stress=lambda x: 1e7 * np.cos(np.pi * x[0] / LENGTH))
    assert em.fields.extremes(em.stress.steady(model)) == pytest.approx((0.0, 0.0), abs=1e-3)  # of 1e7
    em.evolve(model, until=1000 * year, progress=False)
    assert abs(model.quantity("sigma_max")) < 1e3


def test_the_start_may_be_a_function_on_the_mesh():
    domain = wire()
    given = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    given.interpolate(lambda x: 1e11 * x[0])
    assert at_ends(line(domain=domain, residual_stress=given)["sigma"]) == pytest.approx([0, 5e6], rel=1e-13, abs=1e-3)


def test_a_number_for_the_temperature_is_that_of_the_material_there():
    models = line(temperature=420.0), line(reference_copper().at(420.0))
    for model in models:
        em.evolve(model, until=0.1 * year, progress=False)
    assert models[0].quantity("sigma_max") == pytest.approx(models[1].quantity("sigma_max"), rel=1e-12, abs=0)


def test_a_temperature_may_come_later():
    domain = wire()
    model = line(domain=domain, temperature=em.placeholder("T", domain))
    warm = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    warm.x.array[:] = 420.0
    full, plain = model.substitute(T=warm), line(temperature=420.0)
    for each in (full, plain):
        em.evolve(each, until=0.1 * year, progress=False)
    assert full.quantity("sigma_max") == pytest.approx(plain.quantity("sigma_max"), rel=1e-5, abs=0)  # steps differ


# ---- steady states


@pytest.mark.parametrize("degree", [1, 2])
def test_the_steady_stress_is_that_the_line_relaxes_to(degree: int):
    model = line(degree=degree, residual_stress=lambda x: 1e6 + 2e11 * x[0])
    stress = em.stress.steady(model)
    assert model.quantity("sigma_min") == pytest.approx(1e6, rel=1e-12)  # as it was
    em.solve_steady(model)
    assert model["sigma"].x.array == pytest.approx(stress.x.array, abs=1e-10 * 76e6)  # of the solver
    assert at_ends(stress) == pytest.approx([6e6 - 76.3749455e6, 6e6 + 76.3749455e6], rel=1e-8)


def test_a_held_end_gives_the_constant():
    model = line(on={"right": em.fixed(5e6)})
    assert at_ends(em.stress.steady(model)) == pytest.approx([5e6 - 152.749891e6, 5e6], rel=1e-8)


def test_held_ends_out_of_balance_take_a_solve():
    model = line(on={"right": em.fixed(5e6), "left": em.fixed(0.0)})
    with pytest.raises(em.ParameterError, match=r"differs by up to 1\.477e\+08 Pa from balance.*em\.solve_steady"):
        em.stress.steady(model)
    em.solve_steady(model)
    assert model.quantity("flux left") == pytest.approx(-model.quantity("flux right"), rel=1e-9, abs=0)


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": lambda x: 350 + 1e6 * x[0]},  # rho(T) j is no gradient that is known
        {"current_density": None, "field": "expression"},
        {"on": {"left": em.flux(1.0), "right": em.flux(-1.0)}},
    ],
)
def test_the_message_says_that_a_solve_is_needed(given: dict[str, Any]):
    domain = wire()
    if "field" in given:
        given = given | {"field": fem.Constant(domain.mesh, 225.0)}
    model = line(domain=domain, **given)
    with pytest.raises(em.ParameterError, match=r"em\.solve_steady\(model\) finds"):
        em.stress.steady(model)
    em.solve_steady(model)


def test_a_potential_that_is_not_solved_is_reported():
    domain = wire()
    current = em.conduction.model(domain, conductivity=1.0, on={"left": em.fixed(0.01), "right": em.fixed(0.0)})
    with pytest.raises(em.ParameterError, match="depends on phi, which is not solved yet"):
        em.stress.steady(line(domain=domain, current=current))


def test_the_verdict_reports_the_margin_and_the_place():
    verdict = em.stress.immortal(line(), critical_stress=41 * MPa)
    assert not verdict
    assert verdict.margin == pytest.approx(41e6 - 76.3749455e6, rel=1e-7)
    assert verdict.relative == pytest.approx(verdict.margin / 41e6, rel=1e-14)
    assert verdict.place == pytest.approx([LENGTH])
    assert str(verdict) == (
        "mortal: in the end the stress is 76.37 MPa at (5e-05) m, 35.37 MPa (86.3%) above the critical 41 MPa"
    )
    safe = em.stress.immortal(line(current_density=5e9), critical_stress=41 * MPa)
    assert safe
    assert "immortal" in str(safe)
    assert "2.813 MPa (6.9%) below" in str(safe)


def test_residual_tension_makes_mortal():
    assert em.stress.immortal(line(current_density=5e9, residual_stress=2 * MPa), critical_stress=41 * MPa)
    assert not em.stress.immortal(line(current_density=5e9, residual_stress=3 * MPa), critical_stress=41 * MPa)


@pytest.mark.parametrize("critical", [0.0, -1e6, np.nan, "high"])
def test_a_critical_stress_must_be_positive(critical: Any):
    with pytest.raises(em.ParameterError, match="critical_stress = "):
        em.stress.immortal(line(), critical_stress=critical)


def test_a_critical_stress_in_megapascals_is_reported():
    """500 for 500 MPa: without a word any conductor would be mortal, and fail at once."""
    told = r"critical_stress = 500 Pa, must be at least 10000 Pa: megapascals written as pascals\?"
    acts: list[Callable[[], Any]] = [
        lambda: em.stress.immortal(line(), critical_stress=500),
        lambda: em.failure.run(line(voids=True), critical_stress=500, until=1e9),
        lambda: em.failure.nucleation(line(), critical_stress=500, until=1e9),
    ]
    for act in acts:
        with pytest.raises(em.ParameterError, match=told):
            act()


def test_a_network_may_pass_its_steady_stress_on_the_way():
    """At the end of 50 um under a current, joined to 500 um without, the tension reaches that of the short line, G L/2.

    A blocked line never passes its own; the joint does five times.
    """
    net = em.mesh.network(
        [(0, 0), (500 * um, 0), (550 * um, 0)],
        [(0, 1), (1, 2)],
        width=0.2 * um,
        thickness=0.1 * um,
        cells=[25, 10],
        pads={1: 0.0},  # the current leaves at the joint
    )
    model = em.stress.model(net, reference_copper(), current_density=[0.0, -2e10])
    assert em.stress.immortal(model, critical_stress=15 * MPa)
    highest = em.watch.series(["sigma_max"])
    em.evolve(model, until=1e10, watch=[highest], progress=False)
    steady = em.fields.extremes(em.stress.steady(model))[1]
    assert 5.0 < highest["sigma_max"].max() / steady < 5.5
    alone = line(current_density=-2e10)
    highest = em.watch.series(["sigma_max"])
    em.evolve(alone, until=1e10, watch=[highest], progress=False)
    assert highest["sigma_max"].max() <= em.fields.extremes(em.stress.steady(alone))[1] * (1 + 1e-4)


# ---- networks


def test_atoms_that_circulate_have_a_steady_stress_too():
    """Currents that no potential drives: the graph's equations against the time-relaxed elements."""
    model = ring(current_density=[2e10, 1.5e10, 0.5e10, 1.5e10, 0.5e10, 2e10])
    stress = em.stress.steady(model)
    em.solve_steady(model)
    assert model["sigma"].x.array == pytest.approx(stress.x.array, abs=1e-9 * np.ptp(stress.x.array))
    flow = em.fields.discontinuous(model["flux"], model.mesh, 0).x.array
    assert np.abs(flow).max() > 0.1 * np.abs(em.stress.at_nodes(stress)).max() / 1e7  # they do not rest


def test_a_symmetric_ring_is_a_tree():
    model = ring(current_density=[2e10, 1e10, 1e10, 1e10, 1e10, 2e10])
    values = em.stress.at_nodes(em.stress.steady(model))
    gradient = 5 * 1.602176634e-19 * 2.25e-8 * 1e10 / 1.18e-29
    side = np.hypot(10 * um, 5 * um)
    assert np.diff(values)[[0, 1, 2, 4]] == pytest.approx(
        [2 * gradient * 10 * um, gradient * side, 0.0, 2 * gradient * 10 * um], rel=1e-10, abs=1e-3
    )
    assert values[4] - values[3] == pytest.approx(gradient * side, rel=1e-10)


@pytest.mark.parametrize("current", [0.0, 1e10])
def test_nodes_held_at_several_stresses_let_atoms_flow(current: float):
    model = ring(current_density=current * np.array([2, 1, 1, 1, 1, 2]), on={"in": em.fixed(1e7), "out": em.fixed(0.0)})
    stress = em.stress.steady(model)
    em.solve_steady(model)
    assert model["sigma"].x.array == pytest.approx(stress.x.array, abs=1e-9 * np.ptp(stress.x.array))


def test_each_piece_of_metal_keeps_its_own_mean():
    """Two wires that only a via joins."""
    domain = em.mesh.network(
        [(0, 0), (10 * um, 0), (10 * um, 0), (30 * um, 0)],
        [(0, 1), (2, 3)],
        width=0.1 * um,
        thickness=0.1 * um,
        vias=[(1, 2, 1.0)],
    )
    model = em.stress.model(
        domain, reference_copper(), current_density=[1e10, -1e10], residual_stress=lambda x: 1e12 * x[0], degree=1
    )
    before = em.stress.at_nodes(em.stress.steady(model))
    half = 3.054998e12 * 10 * um / 2
    assert before[0] + before[1] == pytest.approx(2 * 5e6, rel=1e-9)  # the mean of each, of 0 to 10 MPa
    assert before[2] + before[3] == pytest.approx(2 * 20e6, rel=1e-9)
    assert before[1] - before[0] == pytest.approx(2 * half, rel=1e-6)
    assert before[3] - before[2] == pytest.approx(-4 * half, rel=1e-6)


def test_a_tree_is_walked_against_its_segments_too():
    """The solve for atoms that flow would hide a wrong walk."""
    places = [(0, 0), (10 * um, 0), (20 * um, 0), (10 * um, 10 * um)]
    domain = em.mesh.network(places, [(1, 0), (2, 1), (1, 3)], width=0.1 * um, thickness=0.1 * um, cells=1)
    rise = np.array([1.0, 20.0, 300.0])
    values = walked(domain.wires(), rise)
    assert (values[[0, 1, 3]] - values[[1, 2, 1]]).tolist() == rise.tolist()


def test_currents_that_pile_up_are_refused():
    with pytest.raises(em.ParameterError, match=r"1e-05 A .* more flow out than in at node 1|1e-05 A more flow out"):
        ring(current_density=[1e10, 1e10, 0.05e10, 1e10, 0.05e10, 1.05e10])


def test_currents_that_pile_up_later_are_refused_then():
    def pulses(t: float) -> list[float]:
        return [2e10, 1e10, 1e10, 1e10, 1e10, 2e10] if t < year else [2e10, 1e10, 1e10, 1e10, 1e10, 1e10]

    model = ring(current_density=pulses)
    em.evolve(model, until=0.9 * year, progress=False)
    with pytest.raises(em.ParameterError, match="more flow in than out at node 4"):
        em.evolve(model, until=2 * year, progress=False)


@pytest.mark.slow
def test_pulsed_currents_on_a_network_follow_time():
    """After the pulse the network relaxes; it is as if it had been one current all the time before."""
    density = np.array([2e10, 1e10, 1e10, 1e10, 1e10, 2e10])
    pulsed, plain = ring(current_density=lambda t: density * (t < 1e6)), ring(current_density=density)
    for model in (pulsed, plain):
        with pytest.warns(em.ResolutionWarning, match="diffusion length"):  # of two cells a wire
            em.evolve(model, until=9e5, progress=False)
    assert em.stress.at_nodes(pulsed) == pytest.approx(em.stress.at_nodes(plain), rel=1e-12)
    em.evolve(pulsed, until=1e12, progress=False)
    assert np.abs(em.stress.at_nodes(pulsed)).max() < 1e-3 * np.abs(em.stress.at_nodes(plain)).max()


def test_at_nodes_wants_a_stress_on_a_network():
    with pytest.raises(em.ParameterError, match="must be a network"):
        em.stress.at_nodes(line())
    with pytest.raises(em.ParameterError, match=r"^stress = .*, must be a model of emfem or a Stress$"):
        em.stress.at_nodes(fem.Function(fem.functionspace(wire().mesh, ("Lagrange", 1))))


# ---- voids at nodes


@pytest.mark.parametrize("degree", [1, 2])
def test_what_leaves_a_void_fills_the_line(degree: int):
    """Int sigma/B + V is what it was, to 1e-13 of V; the surface is at 1e-6 of the stress of one of ten cells."""
    model = line(voids=True, degree=degree)
    em.stress.open_void(model, "right")
    em.evolve(model, until=10 * year, watch=[em.watch.conserved("atoms", rtol=1e-14)], progress=False)
    void = model.quantity("void")
    assert void == pytest.approx(55.860853e-9, rel=2.5e-3 if degree == 1 else 1e-4, abs=0)  # ten cells
    assert void + model.quantity("stress") / 28e9 == pytest.approx(0.0, abs=1e-13 * void)
    assert abs(at_ends(model["sigma"])[1]) < 2e-7 * abs(at_ends(model["sigma"])[0])


def test_a_void_that_is_not_open_does_nothing():
    models = line(voids=True), line()
    for model in models:
        em.evolve(model, until=year, progress=False, rtol=1e-7, atol=1e-9)
    assert models[0].quantity("void") == 0.0
    assert models[0]["sigma"].x.array == pytest.approx(models[1]["sigma"].x.array, abs=1e-6 * 25e6)  # steps differ


def test_a_void_opens_in_a_running_model_and_closes_again():
    model = line(voids=True, residual_stress=40e6)
    em.evolve(model, until=year, progress=False)
    em.stress.open_void(model, "right")
    em.evolve(model, until=2 * year, progress=False)
    grown = model.quantity("void")
    assert grown > 6e-9
    em.stress.open_void(model, "right", open=False)
    em.evolve(model, until=3 * year, progress=False)
    assert model.quantity("void") == pytest.approx(grown, rel=1e-12, abs=0)
    assert at_ends(model["sigma"])[1] > 1e6


def test_voids_open_at_any_node_of_a_network():
    model = ring(current_density=[2e10, 1e10, 1e10, 1e10, 1e10, 2e10], voids=True)
    em.stress.open_void(model, 4)
    em.evolve(model, until=1e8, watch=[em.watch.conserved("atoms", rtol=1e-14)], progress=False)
    volumes = model.domain.at_nodes(model["void"])
    assert (volumes > 0).tolist() == [False] * 4 + [True, False]
    assert model.quantity("void") == pytest.approx(volumes.sum(), rel=1e-12, abs=0)
    stress = em.stress.at_nodes(model)
    assert abs(stress[4]) < 1e-6 * np.abs(stress).max()


@pytest.mark.parametrize("node", ["left", 0])
def test_a_void_opens_only_in_tension(node: int | str):
    """It would grow backwards: -2.6e-22 m3 it was, after a second."""
    model = ring(voids=True, residual_stress=-50 * MPa) if node == 0 else line(voids=True, residual_stress=-50 * MPa)
    with pytest.raises(
        em.errors.ParameterError, match=r"stress of -5e\+07 Pa at node ('left'|0), must be at least 0: a void opens"
    ):
        em.stress.open_void(model, node)
    assert (model["opened"].x.array == 0.0).all()
    em.stress.open_void(model, node, open=False)


def test_a_void_that_is_open_may_be_opened_again_and_one_without_stress_opens():
    model = line(voids=True)
    em.stress.open_void(model, "right")
    model["sigma"].x.array[:] = -1e3
    em.stress.open_void(model, "right")
    assert model["opened"].x.array.sum() == 1.0


def test_steady_and_the_verdict_see_open_voids():
    model = line(voids=True)
    em.stress.open_void(model, "right")
    assert at_ends(em.stress.steady(model)) == pytest.approx([-152.749891e6, 0.0], rel=1e-8, abs=1.0)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: em.stress.open_void(line(), "right"), "'opened'; the stress model has sigma"),
        (lambda: em.stress.open_void(line(voids=True), "middle"), "'middle'; this mesh has left, right"),
        (
            lambda: em.stress.open_void(line(voids=True), 1),
            "1; this line, among its ends, has 'left', 'right'|1; this line",
        ),
        (lambda: em.stress.open_void(ring(voids=True), 6), "node = 6, must be the number of a node"),
        (lambda: em.stress.open_void(ring(voids=True), True), "node = True, must be a whole number or a text"),
        (lambda: em.stress.open_void(None, 0), r"model = None, must be a model of emfem"),  # type: ignore[arg-type]
        (lambda: em.stress.open_void(ring(voids=True), 0, open="no"), "open = 'no', must be True or False"),  # type: ignore[arg-type]
    ],
)
def test_a_void_that_cannot_open_is_reported(act: Callable[[], None], told: str):
    with pytest.raises(em.ParameterError, match=told):
        act()


# ---- bad input

OTHER = em.mesh.interval(1.0, cells=2)


@pytest.mark.parametrize(("length", "density"), [(50.0, 1e10), (5e-5, 1e18)])
def test_a_stress_far_beyond_the_bulk_modulus_is_a_warning(length: float, density: float):
    """Micrometres written as metres, or a current density that no metal carries."""
    line = em.mesh.interval(length, cells=4)
    with pytest.warns(em.ResolutionWarning, match=r"^stress in balance with the drive.* should be far below the bulk"):
        em.stress.model(line, em.materials.copper(temperature=573.0), current_density=density)


@pytest.mark.filterwarnings("error::emfem.ResolutionWarning")
def test_the_longest_lines_that_are_simulated_are_no_warning():
    copper = em.materials.copper(temperature=573.0)
    assert em.stress.model(em.mesh.interval(0.01, cells=4), copper, current_density=1e11).t == 0.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"field": 3.0, "current_density": 1e10}, "current_density and field are given, must be only one of"),
        ({"current_density": (1.0, 2.0)}, r"current_density = \[1.0, 2.0\], must be a number, finite"),
        ({"current_density": np.inf}, "current_density = inf, must be a number, finite"),
        ({"current_density": lambda t: np.nan}, "current_density = nan, must be a number, finite"),
        ({"field": "strong"}, "field = 'strong', must be numbers"),
        ({"current": 3}, "current = 3, must be a model of emfem"),
        ({"temperature": -3.0}, "temperature = -3 K, must be greater than 0 K"),
        ({"temperature": 2000.0}, "temperature = 2000 K, the laws of copper hold from"),
        ({"temperature": lambda x: x[0] - 1}, "temperature = -1 K, must be greater than 0 K"),
        ({"residual_stress": np.nan}, "residual_stress = nan, must be finite"),
        ({"residual_stress": "none"}, "residual_stress = 'none', must be a number"),
        ({"on": {"top": em.fixed(0.0)}}, "'top'; this mesh has left, right"),
        ({"on": {"left": 0.0}}, r"on\['left'\] = 0.0, must be em.fixed\(...\) or em.flux\(...\)"),
        ({"voids": 1}, "voids = 1, must be True or False"),
        ({"degree": 0}, "degree = 0, must be at least 1"),
        ({"degree": 13}, "degree = 13, must be at most 12"),
        ({"residual_stress": lambda x: None}, "must be numbers"),
        (
            {"temperature": ufl.SpatialCoordinate(OTHER.mesh)[0]},
            "temperature = .* of another mesh, must be on the mesh",
        ),
        ({"field": ufl.SpatialCoordinate(OTHER.mesh)}, "field = .* of another mesh, must be on the mesh"),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], told: str):
    with pytest.raises(em.ParameterError, match=told):
        line(**given)


def test_a_material_must_have_what_is_needed():
    with pytest.raises(em.ParameterError, match=r"material = 3, must be one of em\.materials"):
        em.stress.model(wire(), 3)
    with pytest.raises(em.ParameterError, match="x has no atomic_volume: give one"):
        em.stress.model(wire(), Material("x", diffusivity=1e-20))


def test_models_of_the_wrong_kind_are_reported():
    other = em.conduction.model(wire(), on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    with pytest.raises(em.ParameterError, match="current = the conduction model of another mesh"):
        line(current=other)
    with pytest.raises(em.ParameterError, match="temperature = the conduction model, must be one of its fields"):
        line(temperature=other)
    domain = wire()
    stress = line(domain=domain)
    with pytest.raises(em.UnknownName, match="'E'; the stress model has sigma"):
        line(domain=domain, current=stress)


def test_a_temperature_field_must_be_positive():
    domain = wire()
    cold = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    with pytest.raises(em.ParameterError, match=r"temperature = 0 at .*must be greater than 0"):
        line(domain=domain, temperature=cold)
    with pytest.raises(em.ParameterError, match=r"temperature of shape \(1,\), must be a scalar"):
        line(domain=domain, temperature=ufl.grad(cold))


def test_voids_need_a_line():
    square = em.mesh.rectangle((1 * um, 1 * um), cells=(2, 2))
    with pytest.raises(em.ParameterError, match="voids on rectangle, must be on a line or a network"):
        em.stress.model(square, reference_copper(), current_density=(1e10, 0.0), voids=True)


def test_a_charge_that_follows_temperature_needs_it_uniform_for_a_potential():
    metal = reference_copper(effective_charge=DirectAndWind(1.0, -6.0))
    model = line(metal, current_density=None, field=225.0, temperature=lambda x: 350 + 1e6 * x[0])
    assert "balancing_stress" not in model.names


# ---- in parallel


@pytest.mark.soak
@pytest.mark.parallel
def test_numbers_do_not_depend_on_the_ranks(run_json_on_ranks: Callable[..., Any]):
    """Of a star with a void, and its steady state: to what solvers leave, 1e-9."""
    one, two = (run_json_on_ranks(ranks, CASE) for ranks in (1, 2))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert two[name] == pytest.approx(value, rel=1e-9, abs=1e-9 * np.abs(value).max()), name
