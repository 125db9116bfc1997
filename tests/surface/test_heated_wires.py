"""Wires whose own current heats them: closed forms of their temperature, sources with a resistance, pulses averaged."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest

L, WIDTH, ENDS, LORENZ = 60 * nm, 2.5 * nm, 600.0, 2.44e-8
GOLD = em.materials.gold(temperature=900.0)
RHO = GOLD.law("resistivity")
SLOPE = (RHO(700.0) - RHO(600.0)) / 100.0 / RHO(ENDS)
ON = {"left": em.fixed(ENDS), "right": em.fixed(ENDS)}
WARM = 60 * L**2 * GOLD.volumetric_heat_capacity / GOLD.thermal_conductivity / np.pi**2  # s, 60 times its own
LOSS = GOLD.thermal_conductivity * (np.pi / L) ** 2


@pytest.fixture(scope="module")
def plane() -> em.mesh.Domain:
    """Half of a symmetric strip, vacuum above."""
    return em.mesh.rectangle((L, L / 2), cells=(24, 12))


def strip(domain: em.mesh.Domain, **options: Any) -> em.Model:
    """A strip of gold along x."""
    given: dict[str, Any] = {"on": ("left", "right")} if set(options) & {"current", "voltage"} else {}
    shape = em.surface.strip(L / 2)
    return em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, **(given | options))


def heated(domain: em.mesh.Domain, loss: float = 0.0, **drive: Any) -> tuple[em.Model, em.Model]:
    """A strip and its heat, coupled both ways."""
    wire = strip(domain, temperature=em.placeholder("T", domain), **drive)
    sink = (loss, ENDS) if loss else None
    heat = em.heat.model(domain, GOLD, source=em.heat.joule(wire), solid=wire["solid"], on=ON, loss=sink)
    return wire.substitute(T=heat["T"]), heat


@pytest.fixture(scope="module")
def across(plane: em.mesh.Domain) -> float:
    """Integral of the part of metal across the strip [m]."""
    wire = strip(plane)
    current = em.conduction.model(
        plane, conductivity=wire["solid"], on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, degree=1
    )
    em.solve_steady(current)
    return current.quantity("power") * L


def limit(loss: float) -> float:
    """Current density of runaway [A/m2]."""
    return em.analytic.runaway_current_density(
        length=L,
        resistivity=RHO(ENDS),
        conductivity=GOLD.thermal_conductivity,
        temperature_coefficient=SLOPE,
        loss=loss,
    )


def test_a_wire_of_a_surface_heats_as_the_closed_form(plane: em.mesh.Domain, across: float):
    """Half of the current of runaway, half of the heat through the ends: metal and what is left in vacuum are one."""
    j = 0.5 * limit(LOSS)
    wire, heat = heated(plane, LOSS, current=j * across)
    em.evolve([wire, heat], WARM, rtol=1e-3, progress=False)
    x = heat["T"].function_space.tabulate_dof_coordinates()[:, 0]
    exact = em.analytic.heated_line(
        np.clip(x, 0, L),
        length=L,
        current_density=j,
        resistivity=RHO(ENDS),
        conductivity=GOLD.thermal_conductivity,
        temperature=ENDS,
        temperature_coefficient=SLOPE,
        loss=LOSS,
    )
    assert heat["T"].x.array == pytest.approx(exact, abs=1e-3 * (exact.max() - ENDS))
    # heat made is heat that leaves; what is stored is that of the metal alone
    out = sum(heat.quantity(f"heat {name}") for name in ON) + heat.quantity("lost")
    assert heat.quantity("generated") == pytest.approx(out, rel=1e-3)
    assert wire.quantity("power") == pytest.approx(heat.quantity("generated"), rel=1e-6)
    assert heat.quantity("T_max") == pytest.approx(exact.max(), rel=1e-3)


def test_a_start_too_fast_for_any_step_tells_the_first_step_that_does(plane: em.mesh.Domain, tmp_path: Path):
    """A second is 1e10 of the heat's own times."""
    once = [em.watch.stop_when(lambda models, t: True, "one step")]
    with pytest.raises(em.ConvergenceError, match="no step possible at t = 0") as caught:
        em.evolve(heated(plane, voltage=0.2), 1.0, checkpoint=tmp_path / "last.npz", progress=False)
    told = re.search(r"may do: evolve\(\.\.\., first_step=([0-9.e-]+)\)", str(caught.value))
    assert told
    run = em.evolve(heated(plane, voltage=0.2), 1.0, first_step=float(told[1]), watch=once, progress=False)
    assert (run.steps, run.stopped) == (1, "one step")


@pytest.mark.soak
@pytest.mark.parametrize("loss", [0.0, LOSS])
def test_a_wire_of_a_surface_runs_away_within_a_percent_of_the_limit(plane: em.mesh.Domain, across: float, loss: float):
    def steady(part: float) -> em.Model:
        shape = strip(plane)["solid"]
        on: dict[str, Any] = {
            "left": em.fixed(0.0),
            "right": em.conduction.electrode(current=-part * limit(loss) * across),
        }
        rho = em.materials.Linear(RHO(ENDS), ENDS, SLOPE)
        current = em.conduction.model(
            plane, conductivity=shape / rho.evaluate(em.placeholder("T", plane), RHO), on=on, degree=2
        )
        heat = em.heat.model(
            plane,
            source=em.heat.joule(current),
            solid=shape,
            on=ON,
            loss=(loss, ENDS) if loss else None,
            conductivity=GOLD.thermal_conductivity,
            heat_capacity=GOLD.volumetric_heat_capacity,
        )
        em.solve_steady([current.substitute(T=heat["T"]), heat])
        return heat

    assert steady(0.99).quantity("T_min") >= ENDS - 1e-6
    with pytest.raises(em.ConvergenceError, match="runaway"):
        steady(1.01)


@pytest.mark.soak
def test_a_bridge_has_the_temperature_of_its_potential():
    """Kohlrausch's theorem with Wiedemann's and Franz's law, in metal and beside it, at any shape: 1e-3 of the rise."""
    domain = em.mesh.rectangle((54 * nm, 13 * nm), cells=(40, 10))
    metal = em.materials.tungsten(1200.0, thermal_conductivity=em.materials.WiedemannFranz(LORENZ))
    shape = em.surface.bridge(34 * nm, 5 * nm, middle=27 * nm, fillet=3 * nm)
    warm = em.placeholder("T", domain)
    wire = em.surface.model(
        domain, metal, shape=shape, interface_width=nm, voltage=0.4, on=("left", "right"), temperature=warm, degree=2
    )
    on = {"left": em.fixed(300.0), "right": em.fixed(300.0)}
    heat = em.heat.model(domain, metal, source=em.heat.joule(wire), solid=wire["solid"], on=on)
    wire = wire.substitute(T=heat["T"])
    em.evolve([wire, heat], 1e-8, rtol=1e-3, progress=False)
    exact = em.analytic.isothermal_electrodes(0.4 * wire["psi"].x.array, voltage=0.4, temperature=300.0, lorenz=LORENZ)
    assert heat["T"].x.array == pytest.approx(exact, abs=1e-3 * (exact.max() - 300.0))
    assert heat.quantity("T_max") == pytest.approx(np.sqrt(300.0**2 + 0.4**2 / (4 * LORENZ)), rel=1e-3)


def test_a_source_with_a_resistance_shares_its_voltage_with_the_wire(plane: em.mesh.Domain, across: float):
    """Three times the wire's: a quarter of the voltage is left to it, and the current is that of the whole."""
    resistance = RHO(GOLD.temperature) * L / across
    wire = strip(plane, voltage=-0.2, series_resistance=3 * resistance)
    em.evolve(wire, 1e-15, fixed_step=1e-15, progress=False)
    assert wire.quantity("voltage") == pytest.approx(-0.2 / 4, rel=1e-8)
    assert wire.quantity("current") == pytest.approx(-0.2 / (4 * resistance), rel=1e-8)


def test_a_strip_glows_by_the_length_of_its_surface(plane: em.mesh.Domain):
    """e s T^4 L for its one side in half a plane; a thousandth is lost in a vacuum that is 1e-3 of the metal."""
    wire = strip(plane)
    glow = em.heat.radiated(0.5, em.placeholder("T", plane), 1.0) * em.heat.area_density(wire)
    heat = em.heat.model(plane, GOLD, source=-glow, solid=wire["solid"], on=ON, degree=1)
    assert -heat.quantity("generated") == pytest.approx(0.5 * 5.670374419e-8 * ENDS**4 * L, rel=2e-3)


def test_only_the_metal_must_not_melt(plane: em.mesh.Domain):
    """The little that vacuum conducts may make it hot: it is neither in T_max nor refused; nonsense is, everywhere."""
    wire = strip(plane)
    heat = em.heat.model(plane, GOLD, solid=wire["solid"], on=ON, degree=1)
    values, metal = heat["T"].x.array, wire["c"].x.array > 0.499  # half metal is metal
    values[:] = np.where(metal, 700.0, 2000.0)
    values[np.flatnonzero(metal)[0]] = 650.0
    assert (heat.quantity("T_max"), heat.quantity("T_min")) == (700.0, 650.0)
    assert 700.0 < heat.quantity("T_mean") < 800.0  # nodes amid the surface have a part of both
    assert heat.bounds_violation() is None
    values[metal] = 1500.0
    assert "T = 1500 K: it gets to 1500 K, above the melting temperature of gold" in str(heat.bounds_violation())
    values[metal], values[~metal] = 700.0, 2e6
    assert "T left its bounds (0, 1e+06)" in str(heat.bounds_violation())


def void(domain: em.mesh.Domain, temperature: Any = 900.0, **options: Any) -> em.Model:
    """A round void under a current."""
    given: dict[str, Any] = {"current_density": 1e12, "temperature": temperature}
    shape = em.surface.void((30 * nm, 30 * nm), 15 * nm)
    return em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, **(given | options))


@pytest.fixture(scope="module")
def cell() -> em.mesh.Domain:
    """A periodic square."""
    return em.mesh.periodic_rectangle((L, L), cells=(24, 24))


def drift(model: em.Model) -> float:
    """Velocity of a void at the start [m/s]."""
    em.evolve(model, 1e-12, fixed_step=1e-12, progress=False)
    return float(em.surface.drift_velocity(model)[0])


def test_pulses_drive_a_void_for_their_part_of_the_time(cell: em.mesh.Domain):
    """A round void has no curvature to even out: only the field moves it, at the rate of the pulse times the duty."""
    always = drift(void(cell))
    assert drift(void(cell, pulses=em.surface.Pulses(0.25, 700.0))) == pytest.approx(0.25 * always, rel=1e-6, abs=0)


@pytest.mark.soak
def test_pulses_that_are_followed_move_as_many_atoms_as_their_average(cell: em.mesh.Domain):
    """Five pulses whose heat follows at once, against the mean of them, while the void goes a tenth of its radius."""
    duty, way, pause = 0.25, 1.5 * nm, 700.0
    averaged = void(cell, pulses=em.surface.Pulses(duty, pause))
    until = way / abs(drift(averaged))
    period = until / 5
    train = em.waveforms.pulses(period=period, duty=duty, level=1e12)
    fast = GOLD.volumetric_heat_capacity / (1e-3 * duty * period)  # W/(m3 K)
    hot = em.waveforms.pulses(period=period, duty=duty, level=fast * (900.0 - pause))
    heat = em.heat.model(cell, GOLD, source=hot, loss=(fast, pause), degree=1)
    followed = void(cell, heat["T"], current_density=train)
    places = []
    for models in ([averaged], [followed, heat]):
        em.evolve(models, until, rtol=1e-4, progress=False)
        places.append(models[0].quantity("x_centre") - 30 * nm)
    assert abs(places[0]) == pytest.approx(way, rel=0.05)
    assert places[1] == pytest.approx(places[0], rel=0.01, abs=0)


def test_a_checkpoint_of_other_pulses_is_refused(plane: em.mesh.Domain, tmp_path: Path):
    def bar(duty: float, between: float) -> em.Model:
        return strip(plane, voltage=0.1, pulses=em.surface.Pulses(duty, between))

    em.evolve(bar(0.5, 300.0), 1e-12, progress=False, checkpoint=em.checkpoint(tmp_path))
    for duty, between in ((0.25, 300.0), (0.5, 400.0)):
        with pytest.raises(em.ParameterError, match="the surface model has other constants than in the run in"):
            em.evolve(bar(duty, between), 2e-12, progress=False, checkpoint=em.checkpoint(tmp_path, resume=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: em.surface.Pulses(0.0, 300.0), "duty = 0, must be greater than 0"),
        (lambda d: em.surface.Pulses(1.5, 300.0), "duty = 1.5, must be at most 1"),
        (lambda d: em.surface.Pulses(0.5, -20.0), "temperature = -20 K, must be between 1 and 5000 K"),
        (lambda d: strip(d, pulses=em.surface.Pulses(0.5, 300.0)), "pulses without a current, must come with a drive"),
        (lambda d: strip(d, current=1.0, series_resistance=1.0), "series_resistance beside current, must come with a"),
        (lambda d: strip(d, series_resistance=1.0), "series_resistance beside no drive, must come with a voltage"),
        (lambda d: strip(d, voltage=1.0, series_resistance=0.0), "series_resistance = 0, must be greater than 0"),
        (lambda d: strip(d, wall_energy={"left": 1.6}), "abs(wall_energy['left']) = 1.6 J/m2, must be less than 1.51"),
        (lambda d: strip(d, wall_energy={"left": np.nan}), "wall_energy['left'] = nan J/m2, must be finite"),
        (lambda d: strip(d, wall_flux={"left": np.inf}), "wall_flux['left'] = inf m2/s, must be finite"),
        (lambda d: strip(d, wall_flux={"left": "much"}), "wall_flux['left'] = 'much', must be"),
        (lambda d: strip(d, grain_boundary_energy=0.3), "grain_boundary_energy on rectangle with regions ()"),
        (lambda d: strip(d, grain_boundary_energy=-0.1), "grain_boundary_energy = -0.1 J/m2, must be at least 0"),
        (lambda d: strip(d, grain_boundary_energy=3.1), "grain_boundary_energy = 3.1 J/m2, must be less than 3.02"),
        (lambda d: em.heat.model(d, GOLD, solid=0.5), "solid = 0.5, must be UFL, such as the field of that name"),
        (lambda d: em.heat.model(d, GOLD, solid=2 * strip(d)["solid"]), "solid = 1.99996, must be at most 1"),
        (lambda d: em.heat.model(d, GOLD, solid=strip(d)["solid"] - 0.5), "solid"),
    ],
)
def test_what_cannot_be_is_refused(plane: em.mesh.Domain, make: Callable[[em.mesh.Domain], Any], message: str):
    with pytest.raises(em.ParameterError, match=re.escape(message)):
        make(plane)


def test_an_unknown_wall_is_refused(plane: em.mesh.Domain):
    for argument in ("wall_energy", "wall_flux"):
        with pytest.raises(em.UnknownName, match="middle"):
            strip(plane, **{argument: {"middle": 0.3}})


@pytest.mark.parametrize(
    ("duty", "temperature", "message"),
    [
        (0.1, 27.0, "temperature = 27 K, is below 100 K: degrees Celsius written as kelvin?"),
        (1e-6, 300.0, "duty = 1e-06, is at most 1e-06: it is the part of the time that current flows"),
    ],
)
def test_pulses_that_are_hardly_meant_are_a_warning(duty: float, temperature: float, message: str):
    with pytest.warns(em.ResolutionWarning, match=f"^{re.escape(message)}") as told:
        em.surface.Pulses(duty, temperature)
    assert len(told) == 1
    assert told[0].filename == __file__


def test_rare_pulses_of_a_cold_stage_are_meant():
    """50 ns each millisecond, in liquid helium."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        em.surface.Pulses(5e-5, 4.2)
