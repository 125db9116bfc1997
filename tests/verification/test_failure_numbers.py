"""Voids of the finite elements against closed forms: when they open, how they grow, what the circuit feels."""

from __future__ import annotations

from functools import partial
from typing import Any

import emfem as em
from emfem.failure import Liner, ResistanceRise, VoidLength
from emfem.materials import Material
from emfem.units import MPa, eV, nm, um, year
from emfem.verify.reference import CONSTANTS, NUCLEATION, STAR_STRESS
from tests.reference import STAR, STAR_CURRENTS

import numpy as np
import pytest

close = partial(pytest.approx, abs=0.0)
CRITICAL = 41 * MPa
STEPS = 3e-5  # of a time, from steps accurate to 1e-4 of the stress each
LINER = Liner(2e-6, 5 * nm)
WIDE, HIGH = 0.2 * um, 0.1 * um


def reference(**changed: Any) -> Material:
    """Reference copper with these constants only, without copper's heat of transport and temperature coefficient."""
    return Material("reference", **(CONSTANTS | changed))


REF = reference()


def line(
    *, current_density: Any = 1e10, length: float = 50 * um, material: Material = REF, cells: int = 40, **more: Any
) -> em.Model:
    """A line along x with ends left and right; a current along x stretches the right one where Z* < 0."""
    domain = em.mesh.interval(length, cells=cells, names=("left", "right"))
    return em.stress.model(domain, material, current_density=current_density, voids=True, **more)


def wire(*, current_density: float = 1e10, **more: Any) -> em.Model:
    """The same as a network of one segment."""
    net = em.mesh.network([(0.0, 0.0), (50 * um, 0.0)], [(0, 1)], width=WIDE, thickness=HIGH, cells=40)
    return em.stress.model(net, REF, current_density=[current_density], voids=True, **more)


def test_a_void_opens_at_the_known_time():
    life = em.failure.run(line(), critical_stress=CRITICAL, until=1e9)
    assert life.time_to_failure == close(NUCLEATION, rel=STEPS)
    assert life.nucleation == {"right": life.time_to_failure}
    assert life.why == "a void opened"


def test_tungsten_opens_at_the_other_end_at_the_same_time():
    life = em.failure.run(line(material=REF.having(effective_charge=1.0)), critical_stress=CRITICAL, until=1e9)
    assert list(life.nucleation) == ["left"]
    assert life.time_to_failure == close(NUCLEATION, rel=STEPS)


@pytest.mark.parametrize(("void", "exact_to"), [(1 * nm, 0.015), (10 * nm, 1e-3), (50 * nm, 3e-5), (100 * nm, 3e-5)])
def test_a_void_grows_as_the_closed_form_from_the_stress_it_opened_at(void: float, exact_to: float):
    """From 1/400 of the time it took to open to ten times that; the first void grows out of half a cell."""
    life = em.failure.run(line(), critical_stress=CRITICAL, until=1e12, fails=VoidLength(void))
    exact = em.lifetime.line_lifetime(
        REF, length=50 * um, current_density=1e10, critical_stress=CRITICAL, void_length=void
    )
    assert life.time_to_failure == close(exact.time_to_failure, rel=STEPS)
    assert life.time_to_failure - life.voids[0].nucleated == close(exact.growth, rel=exact_to)


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
@pytest.mark.parametrize(("t", "exact_to"), [(0.1 * year, 5e-3), (1.0 * year, 5e-4), (10.0 * year, 5e-5)])
def test_a_void_under_residual_stress_grows_as_worked_out(t: float, exact_to: float):
    """em.analytic.void_growth from 100 MPa, just below the critical stress: the cell at the jump costs early steps."""
    given: dict[str, Any] = {"length": 50 * um, "current_density": 1e10, "residual_stress": 100 * MPa}
    void = float(em.analytic.void_growth(t, material=REF, **given))
    model = line(residual_stress=100 * MPa)
    life = em.failure.run(model, critical_stress=100.001 * MPa, until=1e11, fails=VoidLength(void))
    assert life.time_to_failure == close(t, rel=exact_to)
    assert list(life.nucleation) == ["right"]


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
def test_both_ends_of_a_stretched_line_open_at_once():
    life = em.failure.run(
        line(residual_stress=100 * MPa), critical_stress=CRITICAL, until=1e11, fails=VoidLength(1 * nm)
    )
    assert life.nucleation == {"left": 0.0, "right": 0.0}


def test_a_void_stops_where_the_closed_form_predicts():
    """In the end V/A = 136.3838 nm, and a criterion beyond it is never met."""
    life = em.failure.run(line(), critical_stress=CRITICAL, until=1e12, fails=VoidLength(140 * nm))
    assert life.why == "survived"
    assert np.isinf(life.time_to_failure)
    assert life.voids[0].length == close(136.3838 * nm, rel=1e-5)  # |f| delta at the void and its seven digits
    assert np.all(np.diff(life.volume) > -1e-5 * life.volume[-1])  # what a step may err


def test_metal_and_void_keep_their_volume():
    """int sigma/B dV + V stays what it was, to rounding."""
    model = wire(residual_stress=10 * MPa)
    before = model.quantity("atoms")
    em.failure.run(model, critical_stress=CRITICAL, until=1e12, fails=VoidLength(50 * nm))
    assert model.quantity("void") == close(50 * nm * WIDE * HIGH, rel=1e-6)
    assert model.quantity("atoms") == close(before, rel=1e-12)


def test_the_liner_carries_the_current_past_a_void():
    """10 % at the void that the liner's closed form tells; resistance rises from rho L/A."""
    life = em.failure.run(
        wire(), critical_stress=CRITICAL, until=1e12, resistivity=2.25e-8, liner=LINER, fails=ResistanceRise(0.1)
    )
    void = LINER.void_length(REF, rise=0.1, length=50 * um, width=WIDE, thickness=HIGH)
    exact = em.lifetime.line_lifetime(
        REF, length=50 * um, current_density=1e10, critical_stress=CRITICAL, void_length=void
    )
    assert life.time_to_failure == close(exact.time_to_failure, rel=STEPS)
    assert life.resistance is not None
    assert life.resistance[0] == close(2.25e-8 * 50 * um / (WIDE * HIGH), rel=1e-12)
    assert life.resistance[-1] / life.resistance[0] == close(1.1, rel=1e-6)
    assert life.voids[0].node == 1
    assert life.redistributions == 0  # a wire between two ends has unwritable_dir to send its current


def test_the_steady_stress_of_the_star_predicts_the_node_that_opens():
    """The end that ends at 515.5 MPa: with 500 MPa it opens, with 520 MPa nothing does."""
    net = em.mesh.network(**STAR, cells=10)
    metal = REF.having(effective_charge=-5.0)
    make = partial(em.stress.model, net, metal, current_density=STAR_CURRENTS, voids=True)
    mortal = em.failure.run(make(), critical_stress=500 * MPa, until=1e12)
    assert list(mortal.nucleation) == [2]
    safe = em.failure.run(make(), critical_stress=520 * MPa, until=1e12)
    assert safe.immortal
    assert safe.highest.max() == close(max(STAR_STRESS) * MPa, rel=0.02)  # stopped when no more was to come
    assert safe.t[-1] < 1e11


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
def test_a_reservoir_hides_a_mortal_line_from_its_steady_stress():
    """A long passive arm takes the tension off the junction in the end, but not in time: a void opens on the way."""
    net = em.mesh.network(
        [(0.0, 0.0), (500 * um, 0.0), (550 * um, 0.0)],
        [(0, 1), (1, 2)],
        width=WIDE,
        thickness=HIGH,
        cells=[50, 20],
        pads={1: 0.0, 2: 0.0225},  # the current leaves at the junction
    )
    model = em.stress.model(net, REF, current_density=[0.0, -2e10], voids=True)
    steady = em.stress.immortal(model, critical_stress=15 * MPa)
    assert bool(steady)  # it judges the steady state, and says so
    life = em.failure.run(model, critical_stress=15 * MPa, until=1e12)
    assert life.why == "a void opened"
    assert list(life.nucleation) == [1]
    later = em.stress.model(net, REF, current_density=[0.0, -2e10], voids=True)
    safe = em.failure.run(later, critical_stress=200 * MPa, until=1e12)
    assert safe.immortal


def constant_voltage(update: float) -> tuple[em.failure.FailureHistory, em.Model]:
    """A wire between pads at 11.25 mV, 1e10 A/m2 at first, until its resistance has risen by half."""
    net = em.mesh.network(
        [(0.0, 0.0), (50 * um, 0.0)], [(0, 1)], width=WIDE, thickness=HIGH, cells=10, pads={0: 11.25e-3, 1: 0.0}
    )
    model = em.stress.model(net, REF, current_density=[1e10], voids=True)
    life = em.failure.run(
        model,
        critical_stress=CRITICAL,
        until=1e12,
        resistivity=2.25e-8,
        liner=LINER,
        fails=ResistanceRise(0.5),
        update=update,
    )
    return life, model


@pytest.mark.slow
def test_a_network_at_constant_voltage_sends_less_current_past_a_void():
    """At 3/2 of the resistance the current is 2/3, to one update; the life is longer than at constant current.

    Its error is of second order in the update or better: differences shrink by 4; a first order would shrink by 2.
    """
    found = [constant_voltage(update) for update in (0.2, 0.1, 0.05)]
    first, second = np.diff([life.time_to_failure for life, _ in found])
    assert first / second > 3.0
    life, model = found[-1]
    assert abs(second) < 4e-3 * life.time_to_failure
    drive = np.abs(em.fields.discontinuous(model["drive"], model.mesh, 0).x.array).max()
    assert drive == close(3.054998e12 / 1.5, rel=0.05)
    constant = em.lifetime.line_lifetime(
        REF, length=50 * um, current_density=1e10, critical_stress=CRITICAL, void_length=life.voids[0].length
    )
    assert life.time_to_failure > 1.05 * constant.time_to_failure


def test_current_goes_over_to_the_wire_without_a_void():
    """Two wires side by side, joined by vias, 1.5 and 1.0 e10 A/m2 at first: the shorter one opens and is relieved."""
    net = em.mesh.network(
        np.array([(0, 0), (50, 0), (0, 5), (75, 5)]) * um,
        [(0, 1), (2, 3)],
        width=WIDE,
        thickness=HIGH,
        cells=8,
        vias=[(0, 2, 0.0), (1, 3, 0.0)],
        loads={2: -5e-4},
        pads={3: 0.0},
    )
    before = em.conduction.kirchhoff(net, REF.resistivity).current_density
    assert before == close([1.5e10, 1.0e10], rel=1e-9)
    model = em.stress.model(net, REF, current_density=before, voids=True)
    life = em.failure.run(
        model,
        critical_stress=CRITICAL,
        until=1e12,
        resistivity=REF.resistivity,
        liner=LINER,
        fails=ResistanceRise(0.5, segment=0),
        update=0.1,
        most=1,
    )
    assert list(life.nucleation) == [1]
    force = REF.effective_charge * em.units.elementary_charge * REF.resistivity / REF.atomic_volume
    drives = em.fields.discontinuous(model["drive"], net.mesh, 0).x.array.reshape(-1, 2)[:, 0] / force
    after = sorted({float(x) for x in np.round(drives[drives != 0] / 1e10, 6)})
    assert sum(after) == close(2.5, rel=1e-6)  # all of the load
    assert after[0] < 1.27  # 2.5 / (1 + 1.5 / 1.5) with half as much resistance again, to one update
    assert after[-1] > 1.23
    assert life.redistributions >= 4


def test_tests_at_several_temperatures_give_back_the_activation_energy():
    """Without scatter in the metal: ln t50 against 1/kT is Ea - kT between the two temperatures, to 1e-4 eV."""
    found = []
    for kelvin in (523.0, 623.0):
        metal = reference(temperature=kelvin)
        sample = em.lifetime.monte_carlo(
            metal,
            lambda material, stress: em.failure.run(
                line(material=material, cells=10), critical_stress=stress, until=1e12
            ),
            samples=2,
            seed=1,
            critical_stress=CRITICAL,
            spread=em.lifetime.Spread(activation_energy=0.02 * eV),
        )
        assert sample.why.tolist() == ["a void opened"] * 2
        shift = np.exp(sample.energy_shift / (em.units.boltzmann * kelvin))
        assert sample.lifetimes / shift == close(np.full(2, sample.lifetimes[0] / shift[0]), rel=1e-4)
        found.append(float(sample.lifetimes[0] / shift[0]))
    kt = em.units.boltzmann * np.array([523.0, 623.0])
    energy = np.diff(np.log(found))[0] / np.diff(1 / kt)[0]
    expected = 0.8 * eV + np.log(523.0 / 623.0) / (1 / kt[0] - 1 / kt[1])
    assert energy == close(expected, rel=2e-4)


def test_a_plate_opens_where_the_line_does():
    """A 2-D strip: the time of the line, at the end where its atoms leave."""
    plate = em.mesh.rectangle((50 * um, 2 * um), cells=(20, 1))
    model = em.stress.model(plate, REF, current_density=(1e10, 0.0))
    found = em.failure.nucleation(model, critical_stress=CRITICAL, until=1e9)
    assert found.t == close(NUCLEATION, rel=STEPS)
    assert found.place[0] == close(50 * um, rel=1e-9)
    assert found.stress == close(CRITICAL, rel=1e-6)
    slow = em.stress.model(plate, REF, current_density=(5e9, 0.0))
    safe = em.failure.nucleation(slow, critical_stress=CRITICAL, until=1e13)
    assert safe.why == "immortal"
    assert slow.t < 1e10
