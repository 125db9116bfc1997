"""The failure engine: criteria, circuits, reports, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import emfem as em
from emfem.failure import Drop, FirstVoid, Liner, ResistanceRise, VoidLength
from emfem.failure.circuit import Circuit
from emfem.units import MPa, nm, um

import numpy as np
import pytest

close = partial(pytest.approx, abs=0.0)
LINER = Liner(2e-6, 5 * nm)
RHO = 2.25e-8


@pytest.fixture(scope="module")
def copper() -> em.materials.Material:
    return em.materials.copper(temperature=573.0, resistivity=RHO)


def wire(copper: em.materials.Material, current_density: Any = (1e10,), **more: Any) -> em.Model:
    """Two wires end to end, 0 to 1 to 2."""
    given = {"width": 0.2 * um, "thickness": 0.1 * um, "cells": 4} | more
    net = em.mesh.network([(0.0, 0.0), (50 * um, 0.0), (80 * um, 0.0)], [(0, 1), (1, 2)], **given)
    return em.stress.model(net, copper, current_density=np.broadcast_to(current_density, 2), voids=True)


def bridge(copper: em.materials.Material, **more: Any) -> em.Model:
    """A ring of four wires with pads at opposite nodes, and a stub."""
    nodes = np.array([(0, 0), (40, 0), (40, 40), (0, 40), (60, 0)]) * um
    given: dict[str, Any] = {"width": 0.2 * um, "thickness": 0.1 * um, "cells": 4, "pads": {0: 0.1, 2: 0.0}} | more
    net = em.mesh.network(nodes, [(0, 1), (1, 2), (2, 3), (3, 0), (1, 4)], **given)
    j = em.conduction.kirchhoff(net, RHO).current_density
    return em.stress.model(net, copper, current_density=j, voids=True)


# ---- liner


def test_a_liner_takes_over_from_the_metal():
    """rho_l/(h_l (2H + W)) - rho/(HW) by hand: 2e-6/(5e-9 * 4e-7) - 2.25e-8/2e-14."""
    each = LINER.resistance_per_length(width=0.2 * um, thickness=0.1 * um, resistivity=RHO)
    assert each == close(1e9 - 1.125e6, rel=1e-12)


def test_a_rise_and_the_length_that_makes_it(copper: em.materials.Material):
    void = LINER.void_length(copper, rise=0.1, length=50 * um, width=0.2 * um, thickness=0.1 * um)
    assert void * (1e9 - 1.125e6) == close(0.1 * 56.25, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: Liner(0.0, 5 * nm), r"resistivity = 0 Ohm m, must be greater than 0 Ohm m"),
        (lambda m: Liner(2e-6, -1.0), r"thickness = -1 m, must be greater than 0 m"),
        (lambda m: Liner(2e-6, 5.0), r"thickness = 5 m, must be at most 1e-05 m"),
        (lambda m: rises(width=0.0), r"width = 0 m, must be greater than 0 m"),
        (lambda m: rises(thickness=np.nan), r"thickness = nan m, must be greater than 0 m and finite"),
        (lambda m: rises(resistivity=-1.0), r"resistivity = -1 Ohm m"),
        (lambda m: rises(liner=Liner(1e-9, 1e-6)), r"liner of 1e-09 Ohm m conducts as well as the metal"),
        (lambda m: cut(m, rise=0.0), r"rise = 0, must be greater than 0"),
        (lambda m: cut(m, length=0.0), r"length = 0 m, must be greater than 0 m"),
        (
            lambda m: cut(m, rise=1e5),
            r"rise = 100000 would take a void of .* m, must be less than with all of 5e-05 m cut",
        ),
    ],
)
def test_a_liner_refuses(copper: em.materials.Material, call: Callable[..., Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call(copper)


def rises(**changed: Any) -> Any:
    given: dict[str, Any] = {"liner": LINER, "width": 1e-7, "thickness": 1e-7, "resistivity": RHO} | changed
    return given.pop("liner").resistance_per_length(**given)


def cut(material: em.materials.Material, **changed: Any) -> float:
    given: dict[str, Any] = {"rise": 0.1, "length": 5e-5, "width": 1e-7, "thickness": 1e-7} | changed
    return LINER.void_length(material, **given)


# ---- circuit


def test_a_void_at_a_junction_cuts_all_wires_there(copper: em.materials.Material):
    circuit = Circuit(bridge(copper), RHO, LINER, 0.0)
    lengths = np.array([0.0, 3 * nm, 0.0, 1 * nm, 0.0])
    assert circuit.extra(lengths) / (1e9 - 1.125e6) == close(np.array([3, 3, 1, 1, 3]) * nm, rel=1e-12)
    later = Circuit(bridge(copper), RHO, LINER, 2 * nm)
    assert later.extra(lengths) / (1e9 - 1.125e6) == close(np.array([3, 3, 0, 0, 3]) * nm, rel=1e-12)


def test_without_a_liner_a_void_opens_the_circuit(copper: em.materials.Material):
    circuit = Circuit(bridge(copper), RHO, None, 0.0)
    one = circuit.extra(np.array([0.0, 1 * nm, 0.0, 0.0, 0.0]))
    assert np.isinf(one).tolist() == [True, True, False, False, True]
    assert circuit.closed(one)  # round the other side
    around = circuit.currents(one)
    assert around.current_density[[0, 1, 4]] == pytest.approx(0.0)
    assert -around.current_density[2] == close(0.1 / (2 * RHO * 40 * um), rel=1e-9)
    both = circuit.extra(np.array([0.0, 1 * nm, 0.0, 1 * nm, 0.0]))
    assert circuit.closed(both)  # no load: pads alone want no way
    assert np.isinf(circuit.between(0, 2, both))
    assert circuit.between(0, 2, one) == close(2 * RHO * 40 * um / 2e-14, rel=1e-9)


def test_a_load_without_a_way_is_open(copper: em.materials.Material):
    circuit = Circuit(bridge(copper, loads={4: 1e-5}), RHO, None, 0.0)
    assert circuit.closed(np.zeros(5))
    assert not circuit.closed(circuit.extra(np.array([0.0, 1 * nm, 0.0, 0.0, 0.0])))


def test_currents_without_pads_are_fed_as_they_were(copper: em.materials.Material):
    circuit = Circuit(wire(copper), RHO, LINER, 0.0)
    assert not circuit.moves
    assert circuit.density == close(np.array([1e10, 1e10]), rel=1e-9)
    assert circuit.network.loads == close(np.array([-2e-4, 0.0, 2e-4]), abs=1e-18)


# ---- runs


def test_the_first_void_is_failure_by_default(copper: em.materials.Material):
    life = em.failure.run(wire(copper), critical_stress=500 * MPa, until=1e9)
    assert life.why == FirstVoid.reason
    assert life.nucleation == {2: life.time_to_failure}
    assert life.t[-1] == life.time_to_failure
    assert life.highest[-1] == close(500 * MPa, rel=1e-6)
    assert life.resistance is None
    assert str(life).startswith("failed after ")


def test_compression_is_failure_where_metal_is_squeezed_out(copper: em.materials.Material):
    """As much compression as tension in a line: the lower limit comes first."""
    life = em.failure.run(wire(copper), critical_stress=500 * MPa, until=1e9, hillock_stress=300 * MPa)
    assert life.why == "hillock"
    assert life.lowest[-1] == close(-300 * MPa, rel=1e-6)
    assert not life.voids
    other = em.failure.run(wire(copper), critical_stress=500 * MPa, until=1e9, hillock_stress=700 * MPa)
    assert other.why == "a void opened"


def test_time_may_run_out(copper: em.materials.Material):
    model = wire(copper)
    with pytest.warns(em.ResolutionWarning, match="diffusion length"):
        life = em.failure.run(model, critical_stress=500 * MPa, until=1.0)
    assert life.why == "survived"
    assert np.isinf(life.time_to_failure)
    assert model.t == 1.0
    assert str(life) == f"survived 1 s; voids: none; {life.steps} steps"


def test_an_immortal_line_is_reported_at_once(copper: em.materials.Material):
    model = wire(copper, (1e8, 1e8))
    life = em.failure.run(model, critical_stress=500 * MPa, until=1e9)
    assert life.immortal
    assert life.steps == 0
    assert model.t == 0.0


def test_a_wire_that_is_cut_is_open(copper: em.materials.Material):
    """Without a liner, from 2 nm on: the time at which the void has that length."""
    life = em.failure.run(
        wire(copper),
        critical_stress=500 * MPa,
        until=1e9,
        resistivity=RHO,
        cut=2 * nm,
        fails=ResistanceRise(0.1, between=(0, 2)),
    )
    assert life.why == "open"
    assert life.voids[0].length == close(2 * nm, rel=1e-5)  # of the time at which it jumps


def test_a_drop_is_failure(copper: em.materials.Material):
    """The load at the far end draws 2e-4 A: the drop grows with the resistance, from 18 mV to 20 mV."""
    model = wire(copper, -1e10, pads={2: 0.1}, loads={0: 2e-4})
    life = em.failure.run(model, critical_stress=500 * MPa, until=1e9, resistivity=RHO, liner=LINER, fails=Drop(20e-3))
    assert life.why == "a node dropped by 0.02 V"
    assert life.voids[0].length == close(2e-3 / 2e-4 / (1e9 - 1.125e6), rel=1e-4)


def test_as_many_voids_open_as_may(copper: em.materials.Material):
    """All three nodes start above the critical stress."""
    given: dict[str, Any] = {"critical_stress": 500 * MPa, "until": 1e9, "fails": VoidLength(1 * nm)}
    every = wire(copper)
    every["sigma"].x.array[:] = 600 * MPa
    with pytest.warns(em.ResolutionWarning, match="diffusion length"):  # a void of 1 nm is there at once
        assert set(em.failure.run(every, **given).nucleation) == {0, 1, 2}
    one = wire(copper)
    one["sigma"].x.array[:] = 600 * MPa
    with pytest.warns(em.ResolutionWarning, match="diffusion length"):
        assert len(em.failure.run(one, most=1, **given).nucleation) == 1


def test_observers_look_on(copper: em.materials.Material):
    seen = em.watch.series(["sigma_max"])
    em.failure.run(wire(copper), critical_stress=500 * MPa, until=1e9, watch=[seen])
    assert seen["sigma_max"][-1] == close(500 * MPa, rel=1e-6)


def test_a_void_heals_when_the_current_turns(copper: em.materials.Material):
    """Soon after the current turns the void has given back what it took; in the end the other end opens."""
    opens = em.failure.run(wire(copper), critical_stress=500 * MPa, until=1e9).time_to_failure
    net = wire(copper).domain
    turning = em.stress.model(
        net, copper, current_density=lambda t: np.full(2, 1e10 if t < 1.05 * opens else -1e10), voids=True
    )
    life = em.failure.run(turning, critical_stress=500 * MPa, until=1e9, fails=VoidLength(50 * nm))
    assert list(life.nucleation) == [2, 0]
    assert abs(life.voids[0].volume) < 1e-3 * life.voids[1].volume  # what counts as healed
    assert life.volume.max() == close(life.voids[1].volume, rel=1e-3)


def test_nothing_opens_inside_of_a_segment_unseen(copper: em.materials.Material):
    """A start that is stretched between the nodes belongs to em.failure.nucleation."""
    model = wire(copper)
    model["sigma"].interpolate(lambda x: 600 * MPa * np.exp(-(((x[0] - 25 * um) / (5 * um)) ** 2)))
    with pytest.raises(em.ParameterError, match=r"tension of .* between nodes passes critical_stress"):
        em.failure.run(model, critical_stress=500 * MPa, until=1e9)


BAD: list[tuple[str, Callable[[em.materials.Material], Any], str]] = [
    ("model", lambda m: go("star"), r"model = 'star', must be a model of emfem"),
    ("voids", lambda m: go(plain(m)), r"the stress model has no voids, must be em.stress.model\(..., voids=True\)"),
    ("critical", lambda m: go(wire(m), critical_stress=0.0), r"critical_stress = 0 Pa, must be greater than 0 Pa"),
    ("nan", lambda m: go(wire(m), critical_stress=np.nan), r"critical_stress = nan Pa, must be finite"),
    ("until", lambda m: go(wire(m), until=0.0), r"until = 0, must be after the models' time 0"),
    ("hillock", lambda m: go(wire(m), hillock_stress=-1e8), r"hillock_stress = -1e\+08 Pa, must be greater"),
    ("most", lambda m: go(wire(m), most=0), r"most = 0, must be at least 1"),
    ("update", lambda m: go(wire(m), update=0.0), r"update = 0, must be at least 0.0001"),
    ("update above", lambda m: go(wire(m), update=2.0), r"update = 2, must be at most 1"),
    ("cut", lambda m: go(wire(m), resistivity=RHO, cut=-1.0), r"cut = -1 m, must be at least 0 m"),
    ("cut alone", lambda m: go(wire(m), cut=1e-9), r"cut = 1e-09 m is given without resistivity: give that of the me"),
    ("rho", lambda m: go(wire(m), resistivity=0.0), r"resistivity = 0 Ohm m"),
    ("rho shape", lambda m: go(wire(m), resistivity=[RHO] * 3), r"resistivity of shape \(3,\)"),
    ("no rho", lambda m: go(wire(m), liner=LINER), r"liner is given without resistivity"),
    ("liner", lambda m: go(wire(m), liner=5e-9, resistivity=RHO), r"liner = 5e-09, must be em.failure.Liner"),
    ("rise", lambda m: ResistanceRise(0.0), r"part of the resistance = 0, must be greater than 0"),
    ("both", lambda m: ResistanceRise(0.1, (0, 1), 0), r"between = \(0, 1\) and segment = 0, must be one of them"),
    ("no circuit", lambda m: go(wire(m), fails=ResistanceRise(0.1)), r"ResistanceRise needs a network and its resis"),
    ("segment", lambda m: ohms(m, ResistanceRise(0.1, segment=2)), r"2; the network, among its segments, has '0', '1'"),
    ("node", lambda m: ohms(m, ResistanceRise(0.1, (0, 9))), r"9; the network, among its nodes, has '0', '1', '2'"),
    ("same", lambda m: ohms(m, ResistanceRise(0.1, (1, 1))), r"between = \(1, 1\), must be two different nodes"),
    ("ends", lambda m: ohms(m, ResistanceRise(0.1), bridge(m, pads={0: 0.1})), r"between is left out and there are 1"),
    ("one node", lambda m: ohms(m, ResistanceRise(0.1, 5)), r"between = 5, must be two whole numbers"),  # type: ignore[arg-type]
    ("words", lambda m: ohms(m, ResistanceRise(0.1, "ab")), r"between = 'ab', must be two whole numbers"),  # type: ignore[arg-type]
    ("no liner", lambda m: Liner("big", 5e-9), r"resistivity = 'big', must be a number"),  # type: ignore[arg-type]
    (
        "thin",
        lambda m: Liner(2e-6, 5e-324).resistance_per_length(width=1e-7, thickness=1e-7, resistivity=1e-8),
        "finite",
    ),
    ("length text", lambda m: VoidLength("long"), r"limit = 'long', must be a number"),  # type: ignore[arg-type]
    ("drop text", lambda m: em.failure.Drop("deep"), r"limit = 'deep', must be a number"),  # type: ignore[arg-type]
    ("watch", lambda m: go(wire(m), watch=True), r"watch = True, must be a list"),
    ("options", lambda m: go(wire(m), petsc_options=3), r"petsc_options = 3, must be a mapping"),
    ("rtol", lambda m: go(wire(m), rtol="small"), r"rtol = 'small', must be a number"),
    ("length", lambda m: VoidLength(0.0), r"limit of the void's length = 0 m"),
    (
        "long",
        lambda m: go(wire(m), fails=VoidLength(20.0)),
        r"void's length = 20 m, must be at most .* wire, 5e-05 m",
    ),
    ("long line", lambda m: go(plain(m, voids=True), fails=VoidLength(1.0)), r"must be at most .*, 5e-05 m"),
    ("drop", lambda m: Drop(-1.0), r"limit of the drop = -1 V"),
    ("no pads", lambda m: ohms(m, Drop(0.1)), r"Drop needs a network with pads"),
    ("low", lambda m: ohms(m, Drop(1e-3), bridge(m)), r"limit of the drop = 0.001 V, must be above the drop at the st"),
    ("pads", lambda m: ohms(m, FirstVoid(), wire(m, pads={0: 1.0, 2: 0.0})), r"current_density differs by up to"),
    ("fails", lambda m: go(wire(m), fails=0.1), r"fails = 0.1, must be FirstVoid\(\), VoidLength"),
    ("class", lambda m: go(wire(m), fails=FirstVoid), r"fails = <class .*FirstVoid'>, must be FirstVoid\(\)"),
    ("watch", lambda m: go(wire(m), watch=em.watch.series(["void"])), r"watch = <.*Series.*>, must be a list of obs"),
    (
        "nucleation",
        lambda m: em.failure.nucleation(wire(m), critical_stress=-1.0, until=1.0),
        r"critical_stress = -1 Pa",
    ),
]


def plain(material: em.materials.Material, **given: Any) -> em.Model:
    return em.stress.model(em.mesh.interval(5e-5, cells=2), material, current_density=1e10, **given)


def go(model: Any, **changed: Any) -> em.failure.FailureHistory:
    given: dict[str, Any] = {"critical_stress": 5e8, "until": 1e9} | changed
    return em.failure.run(model, **given)


def ohms(material: em.materials.Material, fails: Any, model: em.Model | None = None) -> em.failure.FailureHistory:
    return go(wire(material) if model is None else model, resistivity=RHO, liner=LINER, fails=fails)


@pytest.mark.parametrize(("call", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_the_engine_refuses(copper: em.materials.Material, call: Callable[..., Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call(copper)
