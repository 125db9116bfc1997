"""Electrodes: total currents, contact resistances, voltages in time, regions, pieces; against closed forms of a bar."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import emfem as em
from emfem import conduction
from emfem.conduction import electrode
from emfem.errors import ParameterError, UnknownName
from emfem.mesh.outline import area

import dolfinx
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from shapely import MultiPolygon, box

SIGMA, LENGTH, WIDTH = 2.0, 4.0, 3.0
BAR = LENGTH / (SIGMA * WIDTH)  # resistance of the plate from left to right
GROUND = electrode(voltage=0.0, contact_resistivity=0.6)
EXACT = 1e-11  # a direct solve of some dozens of unknowns: rounding times the condition number


def solved(domain: em.mesh.Domain, on: dict[str, Any], **arguments: Any) -> em.Model:
    model = conduction.model(domain, on=on, **({"conductivity": SIGMA, "degree": 1} | arguments))
    em.solve_steady(model)
    return model


# ---- a given current


@pytest.mark.parametrize("degree", [1, 2])
def test_a_given_current_finds_its_voltage(plate: em.mesh.Domain, degree: int):
    model = solved(plate, {"left": electrode(current=1.5), "right": em.fixed(0.5)}, degree=degree)
    assert conduction.voltage(model, "left") == pytest.approx(0.5 + 1.5 * BAR, rel=EXACT)
    assert conduction.voltage(model, "right") == 0.5
    assert conduction.current(model, "left") == pytest.approx(-1.5, rel=EXACT)
    assert conduction.current(model, "right") == pytest.approx(1.5, rel=EXACT)
    assert conduction.resistance(model) == pytest.approx(BAR, rel=EXACT)


def notched() -> em.mesh.Domain:
    return em.mesh.notched_strip(length=8.0, width=4.0, notch_depth=1.0, notch_width=1.2, size=0.5)


def test_a_given_current_is_the_inverse_of_a_given_voltage():
    """The same discrete problem asked the other way round: not only to discretisation error but to rounding."""
    domain = notched()
    volts = solved(domain, {"anode": em.fixed(0.7), "cathode": em.fixed(0.0)}, degree=2)
    through = conduction.current(volts, "cathode")
    amperes = solved(domain, {"anode": electrode(current=through), "cathode": em.fixed(0.0)}, degree=2)
    assert conduction.voltage(amperes, "anode") == pytest.approx(0.7, rel=1e-10)
    assert amperes.quantity("power") == pytest.approx(volts.quantity("power"), rel=1e-10)


def test_an_electrode_that_carries_a_current_is_an_equipotential():
    model = solved(notched(), {"anode": electrode(current=1.0), "cathode": em.fixed(0.0)}, degree=2)
    y = np.linspace(0.05, 3.95, 14)
    values = em.fields.evaluate(model["phi"], np.stack([np.zeros_like(y), y], axis=1))
    assert np.ptp(values) < 1e-13 * values.max()


def test_an_electrode_with_a_current_must_not_touch_another(plate: em.mesh.Domain):
    with pytest.raises(ParameterError, match="electrodes 'left' and 'bottom' touch, must be apart"):
        conduction.model(plate, on={"left": electrode(current=1.0), "bottom": em.fixed(0.0)})
    on = {"left": electrode(current=1.0), "top": electrode(current=-1.0), "right": electrode(voltage=0.0)}
    with pytest.raises(ParameterError, match="electrodes 'left' and 'top' touch, must be apart"):
        conduction.model(plate, on=on)


def test_reciprocity_of_separate_electrodes():
    """Voltage at b for a current into a equals voltage at a for the same current into b: the matrix is symmetric."""
    cross = em.mesh.hall_cross(arm_length=2.0, arm_width=1.0, size=0.4)

    def found(driven: str, other: str) -> float:
        on = {driven: electrode(current=1.0), other: electrode(current=0.0), "right": em.fixed(0.0)}
        return conduction.voltage(solved(cross, on), other)

    assert found("left", "top") == pytest.approx(found("top", "left"), rel=1e-10)
    assert 0 < found("left", "top")


def test_a_floating_electrode_takes_the_potential_between(plate: em.mesh.Domain):
    cross = em.mesh.hall_cross(arm_length=2.0, arm_width=1.0, size=0.4)
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0), "top": electrode(current=0.0)}
    model = solved(cross, on)
    # the mirror x -> -x of the geometry, which the mesh need not have
    assert conduction.voltage(model, "top") == pytest.approx(0.5, abs=2e-3)
    assert conduction.current(model, "top") == pytest.approx(0.0, abs=1e-12)


# ---- contact resistance


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    "on",
    [
        {
            "left": electrode(voltage=1.0, contact_resistivity=0.3),
            "right": electrode(voltage=0, contact_resistivity=0.6),
        },
        {
            "left": electrode(current=2.0, contact_resistivity=0.3),
            "right": electrode(voltage=0, contact_resistivity=0.6),
        },
    ],
    ids=["voltage", "current"],
)
def test_contacts_add_their_resistances(plate: em.mesh.Domain, on: dict[str, Any], degree: int):
    model = solved(plate, on, degree=degree)
    total = BAR + (0.3 + 0.6) / WIDTH
    assert conduction.resistance(model) == pytest.approx(total, rel=EXACT)
    through = conduction.voltage(model, "left") / total
    assert conduction.current(model, "right") == pytest.approx(through, rel=EXACT)
    # the conductor's own potential jumps by r j at each contact
    low, high = model.quantity("phi_min"), model.quantity("phi_max")
    assert (low, high) == pytest.approx((0.2 * through, conduction.voltage(model, "left") - 0.1 * through), rel=EXACT)


def test_a_contact_of_little_resistance_is_nearly_a_perfect_one(plate: em.mesh.Domain):
    on: dict[str, Any] = {"left": electrode(voltage=1.0, contact_resistivity=1e-6), "right": em.fixed(0.0)}
    # the voltage across the contact, 1e-6 of the whole, is a difference of numbers known to 1e-15
    assert conduction.resistance(solved(plate, on)) == pytest.approx(BAR + 1e-6 / WIDTH, rel=1e-8)


def test_currents_of_all_kinds_of_electrodes_balance():
    cross = em.mesh.hall_cross(arm_length=2.0, arm_width=1.0, size=0.4)
    on = {
        "left": electrode(current=1.0),
        "top": electrode(current=-0.4, contact_resistivity=0.5),
        "bottom": electrode(voltage=0.2, contact_resistivity=0.1),
        "right": em.fixed(0.0),
        "sides": em.flux(0.05),
    }
    model = solved(cross, on)
    entering = 0.05 * em.fields.integral(fem.form(fem.Constant(cross.mesh, 1.0) * cross.ds("sides")), cross.mesh.comm)
    found = [conduction.current(model, name) for name in conduction.electrodes(model)]
    assert found[:2] == pytest.approx([-1.0, 0.4], rel=1e-10)
    assert sum(found) == pytest.approx(entering, rel=1e-10)


# ---- units, time, regions


@pytest.mark.parametrize("current", [1e-12, 1e3])
def test_a_nanowire_in_si_is_solved_to_the_same_tolerance(current: float):
    """R = L/(sigma A) = 1.667 Ohm; currents from picoampere on: tolerances are relative to what flows."""
    wire = em.mesh.box((1e-6, 1e-7, 1e-7), cells=(8, 2, 2))
    model = solved(wire, {"left": electrode(current=current), "right": em.fixed(0.0)}, conductivity=6e7)
    assert conduction.resistance(model) == pytest.approx(1e-6 / (6e7 * 1e-14), rel=1e-9)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.slow
def test_voltages_and_currents_may_follow_time(plate: em.mesh.Domain):
    sources: tuple[Any, ...] = (
        em.fixed(lambda t: 0.1 + 0.05 * t),
        electrode(current=lambda t: (0.1 + 0.05 * t) / BAR),
        em.flux(lambda t: (0.1 + 0.05 * t) / BAR / WIDTH),
    )
    for source in sources:
        on = {"left": source, "right": em.fixed(0.0)}
        current = conduction.model(plate, conductivity=SIGMA, on=on, degree=1)
        film = em.film.model(plate, em.film.cupd(), mean=0.3, field=current["E"], degree=1)
        em.evolve([current, film], 2.0, progress=False)
        assert current.quantity("phi_max") == pytest.approx(0.2, rel=1e-9)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_a_voltage_that_is_not_finite_later_is_reported(plate: em.mesh.Domain):
    current = conduction.model(
        plate, on={"left": em.fixed(lambda t: 1 / (1 - t) if t < 1 else math.inf), "right": em.fixed(0.0)}
    )
    film = em.film.model(plate, em.film.cupd(), mean=0.3, field=0.01 * current["E"], degree=1)
    with pytest.raises(ParameterError, match=r"voltage of 'left' = inf at t = "):
        em.evolve([current, film], 2.0, fixed_step=0.5, progress=False)


def halves(axis: int = 0) -> em.mesh.Domain:
    """A rectangle of 2 x 1 cut in two regions across an axis, `first` where it is lower."""
    domain = em.mesh.rectangle((2.0, 1.0), cells=(4, 2))
    owned = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    middle = dolfinx.mesh.compute_midpoints(domain.mesh, 2, owned)[:, axis]
    cells = dolfinx.mesh.meshtags(domain.mesh, 2, owned, np.where(middle < (1.0, 0.5)[axis], 1, 2).astype(np.int32))
    return replace(domain, regions=("first", "second"), cells=cells)


TWO = {"first": 1.0, "second": 4.0}


@pytest.mark.parametrize(("axis", "resistance"), [(0, 1.0 / 1.0 + 1.0 / 4.0), (1, 2.0 / (0.5 * 1.0 + 0.5 * 4.0))])
def test_regions_conduct_each_in_its_own_way(axis: int, resistance: float):
    """In series the resistances add, in parallel the conductances."""
    model = solved(halves(axis), {"left": em.fixed(1.0), "right": em.fixed(0.0)}, conductivity=TWO)
    assert conduction.resistance(model) == pytest.approx(resistance, rel=EXACT)


def test_tensors_by_region():
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    tensors = {name: np.diag([sigma, 7.0]) for name, sigma in TWO.items()}
    assert conduction.resistance(solved(halves(), on, conductivity=tensors)) == pytest.approx(1.25, rel=EXACT)


# ---- pieces


def islands() -> em.mesh.Domain:
    """Two squares side by side, not joined: lower left corners at (0, 0) and (2, 0)."""
    names = {
        "in": lambda x: x[0] < 1e-9,
        "out": lambda x: np.isclose(x[0], 1.0),
        "there": lambda x: np.isclose(x[0], 2.0),
        "far": lambda x: x[0] > 3 - 1e-9,
    }
    region = MultiPolygon([box(0, 0, 1, 1), box(2, 0, 3, 1)])
    return area("islands", region, size=0.5, boundaries=names, comm=MPI.COMM_WORLD)


def test_a_piece_without_an_electrode_is_found_before_the_solve():
    with pytest.raises(ParameterError, match=r"the piece of the conductor at \([23].*\) touches no electrode"):
        conduction.model(islands(), on={"in": em.fixed(1.0), "out": em.fixed(0.0)})


def test_a_piece_with_a_current_but_no_voltage_floats():
    on: dict[str, Any] = {
        "in": em.fixed(1.0),
        "out": em.fixed(0.0),
        "there": electrode(current=1.0),
        "far": electrode(current=-1.0),
    }
    with pytest.raises(ParameterError, match="its potential floats"):
        conduction.model(islands(), on=on)


def test_two_pieces_with_electrodes_of_their_own_are_solved():
    on = {"in": em.fixed(1.0), "out": em.fixed(0.0), "far": electrode(current=0.5), "there": em.fixed(2.0)}
    model = solved(islands(), on, conductivity=1.0)
    assert conduction.current(model, "out") == pytest.approx(1.0, rel=EXACT)
    assert conduction.voltage(model, "far") == pytest.approx(2.5, rel=EXACT)


# ---- a mean field in a periodic cell


def test_a_uniform_cell_carries_the_mean_field():
    cell = em.mesh.periodic_rectangle((2.0, 1.0), cells=(6, 4))
    tensor = [[2.0, 0.5], [-0.5, 1.0]]
    model = conduction.model(cell, conductivity=tensor, mean_field=(0.5, 1.0), degree=1)
    em.solve_steady(model)
    assert conduction.mean_current(model) == pytest.approx([2.0 * 0.5 + 0.5, -0.25 + 1.0], rel=EXACT)
    assert (model.quantity("phi_min"), model.quantity("phi_max")) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_layers_conduct_as_their_means():
    """Along the layers the mean conductivity, across them the harmonic mean."""
    cell = em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 3))
    sigma = ufl.conditional(ufl.lt(ufl.SpatialCoordinate(cell.mesh)[0], 1.0), 1.0, 4.0)
    model = conduction.model(cell, conductivity=sigma, mean_field=(1.0, 1.0), degree=1)
    em.solve_steady(model)
    assert conduction.mean_current(model) == pytest.approx([1.6, 2.5], rel=EXACT)


def test_a_field_along_a_periodic_strip_adds_to_that_of_its_electrodes():
    strip = em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 2), axes="x")
    on = {"bottom": em.fixed(0.0), "top": em.fixed(2.0)}
    model = conduction.model(strip, conductivity=3.0, on=on, mean_field=(0.5, 0.0), degree=1)
    em.solve_steady(model)
    assert conduction.mean_current(model) == pytest.approx([1.5, -6.0], rel=EXACT)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ((1.0,), "mean_field = [1.0], must be 2 finite numbers"),
        ((math.nan, 0.0), "must be 2 finite numbers"),
        ((0.0, 1.0), "mean_field = [0.0, 1.0], must be 0 along axes that are not periodic"),
    ],
)
def test_bad_mean_fields_are_refused(field: Any, message: str):
    with pytest.raises(ParameterError) as caught:
        conduction.model(em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 2), axes="x"), mean_field=field)
    assert message in str(caught.value)


def test_current_let_into_a_cell_needs_an_electrode():
    strip = em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 2), axes="x")
    with pytest.raises(ParameterError, match="must hold at least one electrode at a voltage"):
        conduction.model(strip, on={"top": em.flux(1.0)}, mean_field=(1.0, 0.0))


# ---- two models that need each other


def test_a_model_with_a_placeholder_is_not_solved(plate: em.mesh.Domain):
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    model = conduction.model(plate, conductivity=1 + em.placeholder("c", plate), on=on)
    assert model.missing == ("c",)
    missing = r"the conduction model lacks c: put a field there, model.substitute\(c=...\)"
    with pytest.raises(ParameterError, match=missing):
        em.solve_steady(model)
    with pytest.raises(UnknownName, match="'d'; the conduction model, among its placeholders, has c"):
        model.substitute(d=1.0)
    with pytest.raises(ParameterError, match=r"c of shape \(2,\), must be \(\)"):
        model.substitute(c=ufl.as_vector((1.0, 2.0)))


def test_what_fills_a_placeholder_is_in_fields_and_quantities_too(plate: em.mesh.Domain):
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    film = em.film.model(plate, em.film.cupd(), mean=0.3, degree=1)
    empty = conduction.model(plate, conductivity=1 + em.placeholder("c", plate), on=on, degree=1)
    model = empty.substitute(c=film["c"])
    em.solve_steady(model)
    assert model.quantity("power") == pytest.approx(1.3 * WIDTH / LENGTH, rel=EXACT)
    assert conduction.crowding(model).mean == pytest.approx(1.3 / LENGTH, rel=EXACT)
    assert conduction.resistance(model) == pytest.approx(LENGTH / WIDTH / 1.3, rel=EXACT)
    assert empty.missing == ("c",)  # the one it came from is as it was


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "voltage = None and current = None, must be one or the other"),
        ({"voltage": 1.0, "current": 1.0}, "voltage = 1.0 and current = 1.0, must be one or the other"),
        ({"voltage": math.nan}, "voltage = nan V, must be finite"),
        ({"current": math.inf}, "current = inf A, must be finite"),
        ({"current": "1 mA"}, "current = '1 mA', must be a number"),
        ({"current": lambda t: math.nan}, "current at t = 0 = nan A, must be finite"),
        ({"voltage": 1.0, "contact_resistivity": -1.0}, "contact_resistivity = -1 Ohm m2, must be at least 0"),
    ],
)
def test_bad_electrodes_are_refused(arguments: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        electrode(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("conductivity", "message"),
    [
        ({"first": 1.0}, r"must name every region: 4 cells get none \(second left out\)"),
        ({"first": 1.0, "third": 1.0}, "'third'; this mesh, among its regions, has first, second"),
        ({"first": 1.0, "second": -1.0}, r"conductivity\['second'\] = -1, must be greater than 0"),
        ({"first": 1.0, "second": np.eye(2)}, "must be values of one shape"),
    ],
)
def test_bad_conductivities_by_region_are_refused(conductivity: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        conduction.model(halves(), conductivity=conductivity, on={"left": em.fixed(0.0)})
