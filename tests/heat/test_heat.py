"""Heat: lines, losses and ends against closed forms; balances; runaway; coupling to a current; bad input is refused.

Run as a script, it prints the numbers of `parallel_case` for the test that compares numbers of ranks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem import conduction, heat
from emfem.errors import ConvergenceError, ParameterError, UnknownName

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

START = 300.0
RHO, SLOPE, K, C = 1.68e-8, 3.93e-3, 400.0, 3.45e6
LENGTH = 10e-6
COLD = {"left": em.fixed(START), "right": em.fixed(START)}
# The residual is solved to 1e-12 of a flow at which T is known to 1e-10; a rise of some kelvins has 8 digits left.
SOLVED = 1e-8
BALANCE = 1e-9


class Metal:
    """A material with the laws that heat asks for."""

    temperature = START
    resistivity = staticmethod(lambda t: RHO * (1 + SLOPE * (t - START)))
    thermal_conductivity = staticmethod(lambda t: K + 0 * t)
    volumetric_heat_capacity = staticmethod(lambda t: C + 0 * t)

    def law(self, name: str) -> Callable[[Any], Any]:
        return getattr(self, name)


METAL = Metal()
ANYTHING: Any = "current"


def line(cells: int = 20, length: float = LENGTH) -> em.mesh.Domain:
    return em.mesh.interval(length, cells=cells)


def solved(domain: em.mesh.Domain, material: Any = METAL, *, method: str | None = None, **arguments: Any) -> em.Model:
    given: dict[str, Any] = {"on": COLD} | arguments
    model = heat.model(domain, material, **given)
    em.solve_steady(model, method=method)
    return model


def left_over(model: em.Model, stored: float = 0.0) -> float:
    """Error of the balance of heat, relative to the largest part of it."""
    parts = {name: model.quantity(name) for name in model.quantities if name.startswith("heat ")}
    made, lost = model.quantity("generated"), model.quantity("lost")
    largest = max(abs(made), abs(lost), *map(abs, parts.values()))
    return abs(made - lost - sum(parts.values()) - stored) / largest


# ---- steady lines


def test_a_uniform_source_gives_a_parabola():
    model = solved(line(), resistivity=RHO, current_density=1e11)
    x = model["T"].function_space.tabulate_dof_coordinates()[:, 0]
    exact = RHO * 1e22 / (2 * K) * x * (LENGTH - x)  # 5.25 K in the middle; quadratics hold it
    assert model["T"].x.array - START == pytest.approx(exact, abs=5.25 * SOLVED)
    assert model.quantity("T_max") == pytest.approx(START + 5.25, abs=5.25 * SOLVED)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_bar_is_a_line_in_any_dimension(dim: int):
    sizes = (LENGTH, 2e-6, 1e-6)[:dim]
    make = {
        1: lambda: line(8),
        2: lambda: em.mesh.rectangle(sizes, cells=(8, 1)),
        3: lambda: em.mesh.box(sizes, cells=(8, 1, 1)),
    }
    model = solved(make[dim](), current_density=(1e11, 0.0, 0.0)[:dim])
    assert model.quantity("T_max") == pytest.approx(START + 5.341808, abs=2e-4)  # 8 cells
    assert model.quantity("generated") == pytest.approx(1703.4963e6 * math.prod(sizes[1:]), rel=1e-5)
    assert left_over(model) < BALANCE


def test_a_source_by_region_heats_there():
    domain = em.mesh.via(
        line_length=4.0, line_width=2.0, line_thickness=1.0, via_radius=0.6, via_height=1.0, size=1.0, refine=1.0
    )
    on = {domain.names[0]: em.fixed(START)}
    source = {"lower": 0.0, "via": 2.0, "upper": 0.0}
    model = solved(domain, None, conductivity=1.0, heat_capacity=1.0, source=source, on=on, degree=1)
    volume = em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * domain.dx(0, "via")), MPI.COMM_WORLD)
    assert model.quantity("generated") == pytest.approx(2.0 * volume, rel=1e-12)
    assert left_over(model) < BALANCE


def test_convection_and_a_flux_give_a_straight_line():
    """q in on the left, h (T - T_a) out on the right: T - T_a = q/h + q (L - x)/k."""
    on = {"left": em.flux(2e9), "right": heat.convection(1e8, 310.0)}
    model = solved(line(4), on=on)
    assert model.quantity("T_max") == pytest.approx(310 + 20 + 2e9 * LENGTH / K, abs=1e-7)
    assert model.quantity("T_min") == pytest.approx(330.0, abs=1e-7)
    assert model.quantity("heat left") == pytest.approx(-2e9, rel=1e-12)
    assert model.quantity("heat right") == pytest.approx(2e9, rel=BALANCE)


def test_an_end_that_radiates_is_as_hot_as_its_heat_makes_it():
    """q in on the left, e s (T^4 - T_a^4) out on the right: T = (q / (e s) + T_a^4)^(1/4) there."""
    through, around = 3e5, 310.0
    on = {"left": em.flux(through), "right": heat.radiation(0.4, around)}
    model = solved(line(4, 1e-2), on=on)
    end = (through / (0.4 * 5.670374419e-8) + around**4) ** 0.25
    assert model.quantity("T_min") == pytest.approx(end, rel=1e-9)
    assert model.quantity("T_max") == pytest.approx(end + through * 1e-2 / K, rel=1e-9)
    assert model.quantity("heat right") == pytest.approx(through, rel=BALANCE)
    assert heat.radiated(0.4, end, around) == pytest.approx(through, rel=1e-9)


@pytest.mark.parametrize("start", [4.0, 1000.0, 3000.0])
def test_a_steady_state_of_radiation_does_not_depend_on_the_start(start: float):
    """(q/s + T_a^4)^(1/4); against the residual of a hot start all residuals of a cold body are small: 5 % off."""
    line = em.mesh.interval(1e-3, cells=4)
    on: dict[str, Any] = {"left": em.flux(1e-3), "right": em.heat.radiation(1.0, 4.0)}
    model = em.heat.model(line, on=on, initial=start, conductivity=100.0, heat_capacity=2.5e6)
    em.solve_steady(model)
    assert model.quantity("T_min") == pytest.approx((1e-3 / 5.670374419e-8 + 4.0**4) ** 0.25, rel=2e-5)
    assert model.quantity("heat right") == pytest.approx(1e-3, rel=1e-4)


def test_a_plate_that_radiates_cools_in_the_time_of_its_closed_form():
    """c L dT/dt = -e s (T^4 - T_a^4): t = c L / (4 e s T_a^3) [2 atan u + ln((u + 1) / (u - 1))], u = T / T_a."""
    thick, begun, ended, around = 1e-4, 1000.0, 500.0, 300.0
    model = heat.model(line(1, thick), METAL, on={"right": heat.radiation(1.0, around)}, initial=begun)
    late, early = (2 * math.atan(u) + math.log((u + 1) / (u - 1)) for u in (ended / around, begun / around))
    until = C * thick / (4 * 5.670374419e-8 * around**3) * (late - early)
    em.evolve(model, until, rtol=1e-5, progress=False)
    assert model.quantity("T_mean") == pytest.approx(ended, abs=0.02)


def test_heat_through_held_ends_is_that_of_the_slope():
    on = {"left": em.fixed(400.0), "right": em.fixed(300.0)}
    model = solved(line(4), on=on)
    through = K * 100.0 / LENGTH
    assert model.quantity("heat left") == pytest.approx(-through, rel=BALANCE)
    assert model.quantity("heat right") == pytest.approx(through, rel=BALANCE)


@pytest.mark.parametrize(
    "loss", [(1.4e13, START), heat.substrate(conductivity=1.4, thickness=0.5e-6, line_height=0.2e-6, temperature=START)]
)
def test_a_loss_to_the_substrate_holds_a_long_line_on_a_plateau(loss: Any):
    model = solved(line(100, 100e-6), current_density=1e11, loss=loss)
    assert model.quantity("T_max") == pytest.approx(START + 12.591203, abs=1e-5)
    assert model.quantity("lost") == pytest.approx(model.quantity("generated"), rel=0.12)  # the ends take the rest
    assert left_over(model) < BALANCE


def test_an_insulated_line_on_a_substrate_has_its_plateau_everywhere():
    """G (T - T_s) = rho(T) j^2: a rise of 12 K at constant resistivity."""
    model = solved(line(4), current_density=1e11, loss=(1.4e13, START), on={})
    exact = START + RHO * 1e22 / (1.4e13 - RHO * SLOPE * 1e22)
    assert (model.quantity("T_min"), model.quantity("T_max")) == pytest.approx((exact, exact), abs=1e-7)


def test_quantities_of_a_uniform_line():
    model = heat.model(line(), METAL, on=COLD)
    assert model.quantity("T_mean") == pytest.approx(START, rel=1e-12)
    assert model.quantity("heat") == pytest.approx(C * START * LENGTH, rel=1e-12)
    assert (model.quantity("generated"), model.quantity("lost")) == (0.0, 0.0)


def test_a_nonlinear_conductivity_has_its_kirchhoff_profile():
    """With k = k0 T/T0 and no source T^2 is linear in x."""
    on = {"left": em.fixed(300.0), "right": em.fixed(600.0)}
    model = solved(line(40), conductivity=lambda t: K * t / START, on=on)
    x = np.array([[0.25], [0.5], [0.75]]) * LENGTH
    exact = np.sqrt(300.0**2 + (600.0**2 - 300.0**2) * x[:, 0] / LENGTH)
    assert em.fields.evaluate(model["T"], x) == pytest.approx(exact, abs=1e-4)  # discretisation
    assert model.quantity("heat left") == pytest.approx(K / START * (600**2 - 300**2) / 2 / LENGTH, rel=1e-6)


def test_start_is_the_coldest_of_the_surroundings_else_the_material():
    on: dict[str, Any] = {"left": em.fixed(350.0), "right": heat.convection(1e6, 320.0)}
    assert heat.model(line(), METAL, on=on).quantity("T_min") == 320.0
    assert heat.model(line(), METAL, on=on, loss=(1.0, 310.0)).quantity("T_min") == 310.0
    assert heat.model(line(), METAL).quantity("T_max") == START


@pytest.mark.parametrize("kind", ["number", "function of x", "Function"])
def test_start_as_given(kind: str):
    domain = line(4)
    function = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    function.x.array[:] = 400.0
    starts: dict[str, Any] = {"number": 400, "function of x": lambda x: 400.0 + 0 * x[0], "Function": function}
    model = heat.model(domain, METAL, initial=starts[kind])
    assert (model.quantity("T_min"), model.quantity("T_max")) == pytest.approx((400.0, 400.0), rel=1e-14)


# ---- runaway

LIMIT = em.analytic.runaway_current_density(
    length=LENGTH, resistivity=RHO, conductivity=K, temperature_coefficient=SLOPE
)


def test_a_line_just_below_the_limit_has_its_temperature():
    j = 0.99 * LIMIT
    model = solved(line(100), current_density=j)
    exact = (1 / math.cos(0.99 * math.pi / 2) - 1) / SLOPE  # 15 945 K
    assert model.quantity("T_max") - START == pytest.approx(exact, rel=1e-6)  # 100 cells, 60 times amplified


@pytest.mark.parametrize("over", [1.01, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("method", ["newton", None])
def test_beyond_the_limit_the_runaway_is_named(over: float, method: str | None):
    """Newton's method alone finds a solution there, with a negative resistivity."""
    model = heat.model(line(), METAL, current_density=over * LIMIT, on=COLD)
    with pytest.raises(ConvergenceError) as caught:
        em.solve_steady(model, method=method)
    assert "thermal runaway: no steady temperature at this current" in str(caught.value)
    assert "a line with ends at fixed temperature (300 K) runs away at j L = 7.733e+06 A/m" in str(caught.value)
    assert (model.quantity("T_min"), model.quantity("T_max")) == (START, START)  # as it was


def test_the_limit_of_a_long_line_on_a_substrate_is_named():
    model = heat.model(line(40, 100e-6), METAL, current_density=4.7e11, on=COLD, loss=(1.4e13, START))
    with pytest.raises(ConvergenceError, match=r"a long one with this loss at j = 4\.605e\+11 A/m2"):
        em.solve_steady(model)
    solved(line(40, 100e-6), current_density=4.5e11, loss=(1.4e13, START))


def steep(t: Any) -> Any:
    """A resistivity that gives a line two steady temperatures, of which the hotter one is not stable."""
    return RHO * (1 + SLOPE * (t - START) + 1e-5 * (t - START) ** 2)


def test_a_hot_start_does_not_end_on_the_unstable_branch():
    arguments: dict[str, Any] = {"resistivity": steep, "current_density": 3e11}
    unstable = solved(line(), method="newton", initial=2000.0, **arguments).quantity("T_max")
    assert unstable > 2000.0
    for start in (300.0, 2000.0):
        # from far off the residual falls by 1e10 only
        assert solved(line(), initial=start, **arguments).quantity("T_max") == pytest.approx(357.18296, abs=1e-3)


def test_a_run_in_time_reports_the_runaway_too(in_tmp: None):
    model = heat.model(line(), METAL, current_density=2 * LIMIT, on=COLD)
    with pytest.raises(ConvergenceError, match=r"T left its bounds .*: thermal runaway"):
        em.evolve(model, 1e-3, progress=False)


def test_what_nothing_heats_does_not_run_away(in_tmp: None):
    model = heat.model(line(), METAL, on={"left": em.flux(-1e12)})
    with pytest.raises(ConvergenceError, match=r"T left its bounds \(45\.5\d*, 1e\+06\)") as caught:
        em.evolve(model, 1.0, progress=False)
    assert "runaway" not in str(caught.value)


@pytest.mark.parametrize("method", ["newton", None])
def test_a_steady_state_above_the_highest_allowed_is_refused_and_is_no_runaway(method: str | None):
    """At 7e11 A/m2 the middle would have 1762 K."""
    assert solved(line(), current_density=6e11, hottest=1357.8).quantity("T_max") < 800
    with pytest.raises(
        ConvergenceError, match=r"it gets to 1761\.5\d* K, above the highest temperature allowed"
    ) as caught:
        solved(line(), current_density=7e11, hottest=1357.8, method=method)
    assert "(1357.8 K); a line with ends at fixed temperature (300 K) runs away at j L = 7.73" in str(caught.value)
    assert "thermal runaway" not in str(caught.value)


MELTS = r"above the melting temperature of copper \(1357\.8 K\); a line .* runs away at j L = 7\.737e\+06 A/m"


@pytest.mark.parametrize("arguments", [{}, {"conductivity": K}], ids=["its laws", "one replaced"])
def test_a_metal_is_not_followed_beyond_melting(arguments: dict[str, Any], in_tmp: None):
    """At rest and in time; with laws of one's own too, for it is still that metal. One who wishes may go on."""
    copper = em.materials.copper(temperature=START)
    with pytest.raises(ConvergenceError, match=rf"it gets to 179\d.* K, {MELTS}"):
        solved(line(), copper, current_density=7e11, **arguments)
    run = heat.model(line(), copper, current_density=2 * LIMIT, on=COLD, **arguments)
    with pytest.raises(
        ConvergenceError,
        match=rf"T left its bounds \(150, 1357\.8\) at \(.*\) m, T = 1357\.8\d* K: it gets to 1357\.8\d* K, {MELTS}",
    ):
        em.evolve(run, 1e-4, progress=False)
    assert solved(line(), copper, current_density=7e11, hottest=1e6, **arguments).quantity("T_max") > 1790
    with pytest.raises(ConvergenceError, match=r"thermal runaway: .* j L = 7\.737e\+06"):
        solved(line(), copper, current_density=1.1 * LIMIT, **arguments)


@pytest.mark.slow
def test_a_metal_is_not_followed_below_its_laws(in_tmp: None):
    cooled = heat.model(line(4), em.materials.copper(START), on={"left": em.fixed(lambda t: START - 100 * t)})
    with pytest.raises(
        ConvergenceError, match=r"below the lowest temperature at which the laws of copper hold \(150 K\)"
    ):
        em.evolve(cooled, 10.0, progress=False)
    coldest = solved(line(4), em.materials.copper(START), on={"left": em.fixed(150.0)})
    assert coldest.quantity("T_max") == pytest.approx(150.0)


@pytest.mark.parametrize(
    "arguments", [{"resistivity": steep}, {"conductivity": heat.wiedemann_franz(METAL.resistivity)}]
)
@pytest.mark.parametrize("over", [1.2, 30.0, 1e3, 1e8])
@pytest.mark.parametrize("method", ["newton", None])
def test_the_limit_is_named_however_the_solve_ends(arguments: dict[str, Any], over: float, method: str | None):
    """Newton's method diverges, and at 1e8 times the limit no step in time is small enough."""
    with pytest.raises(ConvergenceError, match=r"thermal runaway.*runs away at j L = [78]\.\d+e\+06 A/m"):
        solved(line(), current_density=over * LIMIT, method=method, **arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"source": -1e17}, r"more heat is taken out than comes in, by the source, -1e\+17 W/m3"),
        ({"on": COLD | {"left": em.flux(-1e12)}}, r"than comes in, by the flux on 'left', -1e\+12 W/m2"),
        (
            {"on": COLD | {"left": em.flux(-1e12)}, "current_density": 1e11},
            r"than comes in, by the flux on 'left', -1e\+12 W/m2",
        ),
        ({"source": 1e21}, r"more heat is made than can leave: is the source in W/m3\?"),
    ],
)
def test_what_is_no_runaway_is_not_called_one(arguments: dict[str, Any], told: str):
    with pytest.raises(ConvergenceError, match=told) as caught:
        solved(line(), **arguments)
    assert "thermal runaway" not in str(caught.value)


def falling(t: Any) -> Any:
    """Nothing is left of a coefficient that follows this at 320 K."""
    return 1 - (t - START) / 20


@pytest.mark.parametrize(("name", "value"), [("heat_capacity", C), ("conductivity", K)])
@pytest.mark.parametrize("written", ["function", "UFL"])
def test_a_coefficient_that_falls_to_nothing_is_named(name: str, value: float, written: str, in_tmp: None):
    domain = line()
    law = (lambda t: value * falling(t)) if written == "function" else value * falling(em.placeholder("T", domain))
    changed: dict[str, Any] = {name: law}
    model = heat.model(domain, METAL, current_density=4e11, on=COLD, **changed)
    for solve in (em.solve_steady, lambda m: em.evolve(m, 1e-5, progress=False)):
        with pytest.raises(ConvergenceError, match=rf"it gets to 319\.9\d* K, where {name}\(T\) falls to nothing"):
            solve(model)


def test_the_residual_does_not_hang_on_the_start():
    """The same state, reached by models that start elsewhere: what is left of the equations is counted alike."""
    left = []
    for start in (300.0, 3000.0):
        model = heat.model(line(8), METAL, on=COLD, current_density=1e11, initial=start)
        model["T"].x.array[:] = 310.0
        problem = em.solve.Problem([model])
        problem.apply_conditions(0.0)
        f = problem.x.duplicate()
        problem.residual(0.0, problem.x, None, f)
        left.append(f.norm())
    assert left[1] == pytest.approx(left[0], rel=1e-12)


def test_a_copper_line_of_the_materials():
    copper = em.materials.copper(temperature=START)
    model = heat.model(line(), copper, current_density=3e11, on=COLD)
    em.solve_steady(model)
    rho = copper.law("resistivity")
    exact = em.analytic.heated_line(
        LENGTH / 2,
        length=LENGTH,
        current_density=3e11,
        resistivity=copper.resistivity,
        conductivity=copper.thermal_conductivity,
        temperature=START,
        temperature_coefficient=(rho(400.0) - rho(300.0)) / 100 / copper.resistivity,
    )
    assert model.quantity("T_max") == pytest.approx(float(exact), abs=1e-4)  # of 20 cells


# ---- time


def wave(domain: em.mesh.Domain, **arguments: Any) -> em.Model:
    """A line between ends at 300 K that starts 10 K warmer in the middle, in a sine."""
    start = lambda x: START + 10 * np.sin(np.pi * x[0] / LENGTH)  # noqa: E731
    return heat.model(domain, METAL, on=COLD, initial=start, **arguments)


RATE = K / C * (math.pi / LENGTH) ** 2  # at which a sine decays [1/s]


def test_a_sine_decays_at_its_rate():
    model = wave(line(20))
    em.evolve(model, 1 / RATE, fixed_step=0.05 / RATE, progress=False)
    # third order at steps of 1/20; of the space 1e-7
    assert model.quantity("T_max") - START == pytest.approx(10 * math.exp(-1), rel=1e-5)


def test_heat_through_ends_is_reported_during_a_run():
    """D heat/dt = -(sum of what goes out): both decay at one rate, the discrete one."""
    model = wave(line(20))
    made = []
    for t in (0.5 / RATE, 0.6 / RATE):
        em.evolve(model, t, fixed_step=0.01 / RATE, progress=False)
        made.append(
            (model.quantity("heat") - C * START * LENGTH, model.quantity("heat left"), model.quantity("heat right"))
        )
    for content, left, right in made:
        assert left == pytest.approx(right, rel=1e-9)
        assert left + right == pytest.approx(RATE * content, rel=1e-6)  # of the space: the discrete rate
    assert made[1][1] / made[0][1] == pytest.approx(math.exp(-0.1), rel=1e-6)
    assert made[0][1] == pytest.approx(K * 10 * math.pi / LENGTH * math.exp(-0.5), rel=1e-5)


@pytest.mark.parametrize("method", ["rosenbrock", "bdf"])
def test_heat_that_comes_in_stays_in(method: str):
    """Insulated but for a flux: heat grows by what was made and let in, to 1e-10 of it."""
    model = heat.model(line(8), METAL, source=3e14, on={"left": em.flux(2e9)})
    before = model.quantity("heat")
    em.evolve(model, 1e-6, progress=False, method=method)
    assert model.quantity("heat") - before == pytest.approx((3e14 * LENGTH + 2e9) * 1e-6, rel=1e-10)


def test_rates_balance_at_every_moment():
    """The flow through the boundaries in a run is its loss: d heat/dt from a step's difference, to its order."""
    on: dict[str, Any] = {"left": em.fixed(START), "right": heat.convection(1e7, 320.0)}
    model = heat.model(line(8), METAL, current_density=2e11, loss=(1e12, 310.0), on=on)
    em.evolve(model, 2e-7, fixed_step=2e-9, progress=False)
    kept, taken = [], []
    for i in range(3):
        kept.append(model.quantity("heat"))
        parts = [model.quantity(name) for name in ("lost", "heat left", "heat right")]
        taken.append(model.quantity("generated") - sum(parts))
        if i < 2:
            em.evolve(model, 2e-7 + (i + 1) * 1e-9, fixed_step=1e-10, progress=False)
    simpson = 1e-9 / 3 * (taken[0] + 4 * taken[1] + taken[2])
    assert kept[2] - kept[0] == pytest.approx(
        simpson, rel=1e-6
    )  # of Simpson's rule and of the digits of the difference


def test_ends_and_currents_may_follow_time():
    model = heat.model(
        line(8),
        METAL,
        current_density=lambda t: 1e11 * (1 + t),
        source=lambda t: 1e14 * t,
        loss=(1e12, lambda t: 300 + t),
        on={"left": em.fixed(lambda t: 300 + t), "right": heat.convection(1e8, lambda t: 300 + 2 * t)},
    )
    model.set_time(2.0)
    heated = RHO * 9e22 * LENGTH + 2e14 * LENGTH
    assert model.quantity("generated") == pytest.approx(heated, rel=1e-12)
    assert model.quantity("lost") == pytest.approx(-2e12 * LENGTH, rel=1e-9)
    assert model.quantity("heat right") == pytest.approx(-4e8, rel=1e-9)


def test_a_heat_capacity_that_follows_temperature_counts_as_heat():
    """C = C0 T/T0: a constant source warms T^2 at a constant rate."""
    model = heat.model(line(4), METAL, heat_capacity=lambda t: C * t / START, source=3e14)
    em.evolve(model, 1e-4, rtol=1e-6, progress=False)
    exact = math.sqrt(START**2 + 2 * START * 3e14 * 1e-4 / C)
    assert model.quantity("T_mean") == pytest.approx(exact, rel=1e-5)  # the steps' tolerance, summed
    assert model.quantity("heat") == pytest.approx(C * LENGTH * (START + (exact**2 - START**2) / (2 * START)), rel=2e-5)


def error(model: em.Model, exact: Any) -> float:
    """L2 norm of what T is wrong by; quadrature of degree 8 is far below it."""
    return math.sqrt(em.fields.integral(fem.form((model["T"] - exact) ** 2 * model.domain.dx(8)), MPI.COMM_WORLD))


@pytest.mark.parametrize("degree", [1, 2])
def test_temperature_converges_at_order_p_plus_1(degree: int):
    """A square in SI with k = k0 (T/T0) and the source that makes T = T0 (1 + sin sin/2) steady."""
    side, errors = 1e-6, []
    for n in (4, 8, 16):
        domain = em.mesh.rectangle((side, side), cells=(n, n))
        x, y = ufl.SpatialCoordinate(domain.mesh) * (ufl.pi / side)
        exact = START * (1 + ufl.sin(x) * ufl.sin(y) / 2)
        source = -ufl.div(K * exact / START * ufl.grad(exact))
        on = {name: em.fixed(START) for name in domain.names}
        errors.append(
            error(solved(domain, conductivity=lambda t: K * t / START, source=source, on=on, degree=degree), exact)
        )
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders == pytest.approx(degree + 1, abs=0.2)  # not yet asymptotic on 4 cells
    assert errors[-1] / (START * side) < 10.0 ** -(degree + 1.5)


def test_time_steps_have_the_methods_order():
    errors = []
    for step in (0.2, 0.1, 0.05):
        model = wave(line(12), degree=3)
        em.evolve(model, 1 / RATE, fixed_step=step / RATE, progress=False)
        errors.append(abs(model.quantity("T_max") - START - 10 * math.exp(-1)))
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx(3.0, abs=0.4)


# ---- with a current


def both_ways(
    domain: em.mesh.Domain, on: dict[str, Any], *, ends: Any = COLD, **arguments: Any
) -> tuple[em.Model, em.Model]:
    """A current whose conductivity follows the temperature, and the heat it makes."""
    current = conduction.model(domain, conductivity=1 / METAL.resistivity(em.placeholder("T", domain)), on=on)
    warm = heat.model(domain, METAL, source=heat.joule(current), on=ends, **arguments)
    return current.substitute(T=warm["T"]), warm


def test_a_current_given_in_total_heats_as_its_density_does():
    domain = em.mesh.rectangle((LENGTH, 1e-6), cells=(20, 1))
    on = {"left": conduction.electrode(current=3e11 * 1e-6), "right": em.fixed(0.0)}
    current, warm = both_ways(domain, on)
    em.solve_steady([current, warm])
    assert warm.quantity("T_max") == pytest.approx(START + 55.86166, abs=1e-4)  # of 20 cells
    assert conduction.resistance(current) * 3e5 == pytest.approx(0.057730, abs=1e-6)
    assert warm.quantity("generated") == pytest.approx(current.quantity("power"), rel=1e-12)
    assert left_over(warm) < BALANCE


def test_a_total_current_beyond_the_limit_runs_away():
    domain = em.mesh.rectangle((LENGTH, 1e-6), cells=(8, 1))
    on = {"left": conduction.electrode(current=1.05 * LIMIT * 1e-6), "right": em.fixed(0.0)}
    with pytest.raises(ConvergenceError, match=r"thermal runaway: no steady .* j L = 7\.733e\+06 A/m"):
        em.solve_steady(both_ways(domain, on))


def test_heat_and_current_march_together():
    on = {"left": em.fixed(0.05773), "right": em.fixed(0.0)}
    current, warm = both_ways(line(10), on)
    steady = both_ways(line(10), on)
    em.solve_steady(steady)
    em.solve_steady(current)  # of the cold line
    before = warm.quantity("generated")
    em.evolve([current, warm], 20 / RATE, progress=False)
    assert warm.quantity("generated") < 0.9 * before  # what is hot conducts less
    assert warm.quantity("T_max") == pytest.approx(steady[1].quantity("T_max"), abs=0.05)  # rtol of T is 0.03 K


def test_placeholders_of_other_names_are_given_later():
    domain = line(4)
    warm = heat.model(domain, METAL, source=em.placeholder("power", domain), on=COLD)
    assert warm.missing == ("power",)
    warm = warm.substitute(power=fem.Constant(domain.mesh, 1.68e14))
    em.solve_steady(warm)
    assert warm.quantity("T_max") == pytest.approx(START + 5.25, abs=1e-6)
    assert left_over(warm) < BALANCE


def test_wiedemann_franz_is_lorenz_t_over_rho():
    assert heat.wiedemann_franz(METAL.resistivity)(400.0) == pytest.approx(2.44e-8 * 400 / METAL.resistivity(400.0))
    assert heat.wiedemann_franz(2e-8, lorenz=2e-8)(300.0) == pytest.approx(300.0)


def test_runaway_product_of_a_resistivity_that_does_not_rise_is_infinite():
    assert heat.runaway(METAL.resistivity, K, START) == pytest.approx(7.732661e6, rel=1e-6)
    assert heat.runaway(lambda t: RHO, K, START) == math.inf
    assert heat.runaway(lambda t: RHO * (2 - t / START), K, START) == math.inf


# ---- any number of ranks


def parallel_case() -> dict[str, Any]:
    """Numbers of a line, of a plate with ends that meet on a substrate, in time, and of a current coupled both ways."""
    plate = em.mesh.rectangle((LENGTH, 4e-6), cells=(8, 4))
    on = {"left": em.fixed(310.0), "bottom": em.fixed(300.0), "right": heat.convection(1e8, 320.0), "top": em.flux(1e9)}
    arguments: dict[str, Any] = {"current_density": 2e11, "loss": (1e12, 305.0), "on": on}
    still, moving = solved(plate, **arguments), heat.model(plate, METAL, **arguments)
    em.evolve(moving, 1e-7, fixed_step=1e-8, progress=False)
    current, warm = both_ways(plate, {"left": em.fixed(0.1), "right": em.fixed(0.0)})
    em.solve_steady([current, warm])
    try:
        em.solve_steady(heat.model(plate, METAL, current_density=2 * LIMIT, on=COLD))
        told = ""
    except ConvergenceError as failure:
        told = str(failure).partition("after")[0]
    return {
        "still": [still.quantity(name) for name in still.quantities],
        "moving": [moving.quantity(name) for name in moving.quantities],
        "warm": [warm.quantity(name) for name in warm.quantities],
        "left over": left_over(still) < BALANCE,
        "told": told,
    }


@pytest.mark.soak
@pytest.mark.parallel
def test_numbers_are_the_same_on_two_ranks(run_json_on_ranks: Callable[..., Any]):
    expected, found = parallel_case(), run_json_on_ranks(2, __file__)  # forms are compiled in serial
    assert found.keys() == expected.keys()
    assert "thermal runaway" in expected["told"]
    for name, value in expected.items():
        # heat through ends is a small difference of large numbers: 1e-9 of it is left
        assert found[name] == (value if isinstance(value, str | bool) else pytest.approx(value, rel=1e-7)), name


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"domain": "line"}, "domain = 'line', must be one of em.mesh"),
        ({"degree": 0}, "degree = 0, must be at least 1"),
        ({"material": None}, "conductivity is left out and material is left out: must be one of them"),
        ({"material": 3.0}, "conductivity is left out and material is 3.0, which has no laws"),
        ({"conductivity": -1.0}, "conductivity = -1 W/(m K), must be greater than 0 W/(m K)"),
        ({"conductivity": math.nan}, "conductivity = nan W/(m K), must be finite"),
        ({"conductivity": "high"}, "conductivity = 'high', must be a number"),
        ({"conductivity": lambda t: 300 - t}, "conductivity = 0 at T = 300 K, must be greater than 0"),
        ({"conductivity": lambda t: math.log(t)}, "conductivity(T) must be made of UFL functions"),
        ({"conductivity": ufl.as_vector([1, 2])}, "conductivity of shape (2,), must be a scalar"),
        ({"conductivity": {"metal": 1.0}}, "'metal'; this mesh, among its regions, has no names"),
        ({"conductivity": {"metal": -1.0}}, "conductivity['metal'] = -1 W/(m K), must be greater than 0"),
        ({"heat_capacity": 0.0}, "heat_capacity = 0 J/(m3 K), must be greater than 0 J/(m3 K)"),
        ({"resistivity": -1.0, "current_density": 1.0}, "resistivity = -1 Ohm m, must be greater than 0 Ohm m"),
        ({"current_density": math.inf}, "current_density = inf A/m2, must be a number or 1 of them, finite"),
        ({"current_density": (1.0, 2.0)}, "current_density = [1.0, 2.0] A/m2, must be a number or 1 of them, finite"),
        ({"current_density": "3e11"}, "current_density = '3e11', must be numbers"),
        ({"current_density": ufl.as_vector([1, 2])}, "current_density of shape (2,), must be a number or 1 of them"),
        ({"current_density": lambda: 1.0}, "must be a number or a function of t alone"),
        ({"conductivity": lambda t: "high"}, "conductivity(T) must be made of UFL functions"),
        ({"source": math.nan}, "source = nan W/m3, must be finite"),
        ({"source": "hot"}, "source = 'hot', must be a number"),
        ({"source": ufl.as_vector([1, 2])}, "source of shape (2,), must be a scalar"),
        ({"source": {"metal": math.inf}}, "source['metal'] = inf W/m3, must be finite"),
        ({"on": {"left": em.fixed(0.0)}}, "temperature fixed on 'left' = 0 K, must be at least 1 K"),
        ({"on": {"left": em.fixed(-20.0)}}, "temperature fixed on 'left' = -20 K, must be at least 1 K"),
        ({"on": {"left": em.fixed(lambda t: t)}}, "temperature fixed on 'left' at t = 0 = 0 K, must be at least 1 K"),
        ({"on": {"left": em.fixed(25.0)}}, "25 degrees Celsius would be 298.15 K"),
        ({"on": {"left": 300.0}}, "em.flux(...), em.heat.convection(...) or em.heat.radiation(...)"),
        ({"loss": 3.0}, "loss = 3.0, must be em.heat.substrate(...) or two numbers"),
        ({"loss": (1.0, 2.0, 3.0)}, "must be em.heat.substrate(...) or two numbers"),
        ({"loss": (0.0, 300.0)}, "loss coefficient = 0 W/(m3 K), must be greater than 0"),
        ({"loss": (1.0, 0.0)}, "temperature of the substrate = 0 K, must be at least 1 K"),
        ({"hottest": 300.0}, "hottest = 300 K, must be greater than 300 K"),
        ({"hottest": 310.0, "initial": lambda x: 320.0 + 0 * x[0]}, "must be from 45.5471 to 310 K"),
        ({"initial": 0.0}, "initial = 0 K, must be at least 1 K"),
        ({"initial": "warm"}, "initial = 'warm', must be a number"),
        ({"initial": lambda x: 0 * x[0]}, "initial temperature from 0 to 0 K, must be from 45.5471 to 1e+06 K"),
        ({"initial": lambda x: np.array([300.0, 300.0, 300.0])}, "initial(x) of shape (3,)"),
        (
            {"material": None, "conductivity": 1.0, "heat_capacity": 1.0, "on": {}},
            "initial = None, must be given: no boundary, substrate or material gives a temperature",
        ),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], message: str):
    given: dict[str, Any] = {"domain": line(4), "material": METAL, "on": COLD} | arguments
    with pytest.raises(ParameterError) as caught:
        heat.model(given.pop("domain"), given.pop("material"), **given)
    assert message in str(caught.value)


def test_a_start_on_another_mesh_is_refused():
    function = fem.Function(fem.functionspace(line(4).mesh, ("Lagrange", 1)), name="other")
    with pytest.raises(ParameterError, match="initial = other, must be a scalar Function on the mesh of this domain"):
        heat.model(line(4), METAL, initial=function)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: heat.convection(0.0, 300.0), "convection coefficient = 0 W/(m2 K), must be greater than 0"),
        (lambda: heat.convection(1.0, -5.0), "ambient = -5 K, must be at least 1 K"),
        (lambda: heat.radiation(0.0, 300.0), "emissivity = 0, must be greater than 0"),
        (lambda: heat.radiation(1.1, 300.0), "emissivity = 1.1, must be at most 1"),
        (lambda: heat.radiation(1.0, -5.0), "ambient = -5 K, must be at least 1 K"),
        (lambda: heat.radiated("e", 1.0, 1.0), "emissivity = 'e', must be numbers"),
        (lambda: heat.area_density(heat.model(line(4), METAL)), "surface = the heat model, must have a field solid"),
        (lambda: heat.runaway(ANYTHING, 1.0, 300.0), "resistivity = 'current', must be a function"),
        (lambda: heat.runaway(lambda t: None, 1.0, 300.0), "resistivity(299.5 K) = None, must be a number"),  # type: ignore[arg-type,return-value]
        (lambda: heat.runaway(lambda t: math.nan, 1.0, 300.0), "resistivity(299.5 K) = nan Ohm m, must be finite"),
        (lambda: heat.fourier_flux("good", ufl.as_ufl(1.0)), "conductivity = 'good', must be numbers"),
        (lambda: heat.fourier_flux(1.0, {}), "temperature = {}, must be numbers"),
        (lambda: heat.driven(1.0, "big"), "current_density = 'big', must be numbers"),
        (lambda: heat.driven(None, 1.0), "resistivity = None, must be numbers"),
        (lambda: heat.Loss("big", 300.0), "coefficient = 'big', must be a number"),  # type: ignore[arg-type]
        (lambda: heat.Convection(-1.0, 300.0), "convection coefficient = -1 W/"),
        (lambda: heat.Radiation(5.0, 300.0), "emissivity = 5, must be at most 1"),
        (lambda: heat.Radiation(0.5, -3.0), "ambient = -3 K, must be at least 1"),
        (lambda: heat.Convection(1.0, "hot"), "ambient = 'hot', must be a number or a function"),  # type: ignore[arg-type]
        (lambda: heat.runaway(ufl.as_ufl(1.0), 1.0, 300.0), "resistivity = 1.0, must be a function"),
        (lambda: heat.runaway(lambda t: t, 0.0, 300.0), "conductivity = 0 W/(m K), must be greater than 0"),
        (lambda: heat.runaway(lambda t: t, 1.0, 0.0), "temperature = 0 K, must be greater than 0.5"),
        (lambda: heat.wiedemann_franz(0.0), "resistivity = 0 Ohm m, must be greater than 0"),
        (lambda: heat.wiedemann_franz(1.0, lorenz=-1.0), "lorenz = -1 W Ohm/K2, must be greater than 0"),
        (lambda: heat.joule(ANYTHING), "current = 'current', must be a model of emfem"),
        (
            lambda: heat.joule(heat.model(line(4), METAL)),
            "the heat model with T, flux, source, must have fields j and E",
        ),
    ],
)
def test_bad_parts_are_refused(make: Callable[[], Any], message: str):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


SUBSTRATE = {"conductivity": 1.4, "thickness": 5e-7, "line_height": 2e-7, "temperature": 300.0}


@pytest.mark.parametrize("name", SUBSTRATE)
def test_bad_parts_of_a_substrate_are_refused(name: str):
    with pytest.raises(ParameterError, match=rf"{name}.* = 0 .*must be (greater than|at least)"):
        heat.substrate(**(SUBSTRATE | {name: 0.0}))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial": lambda x: 50 + 0 * x[0]}, "150 K is the lowest temperature at which the laws of copper hold"),
        ({"initial": lambda x: 2e3 + 0 * x[0]}, "to 1357.8 K; 1357.8 K is the melting temperature of copper"),
        ({"initial": 50.0}, "temperature = 50 K, the laws of copper hold from 150 K to melting at 1357.8 K"),
        ({"initial": 2e3}, "temperature = 2000 K, the laws of copper hold from 150 K to melting at 1357.8 K"),
        ({"on": {"left": em.fixed(1357.8)}}, "must be less than 1357.8 K, the melting temperature of copper"),
    ],
)
def test_temperatures_that_the_metal_s_laws_do_not_reach_are_refused(arguments: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        heat.model(line(4), em.materials.copper(START), **({"on": COLD} | arguments))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["thickness", "line_height"])
def test_micrometres_written_as_metres_are_refused_in_a_substrate(name: str):
    with pytest.raises(ParameterError, match=rf"{name} = 0\.5 m, must be between .*: nm or um written as m\?"):
        heat.substrate(**(SUBSTRATE | {name: 0.5}))


def test_an_unknown_boundary_is_answered_with_the_names():
    with pytest.raises(UnknownName, match=r"^'end'; this mesh has left, right$"):
        heat.model(line(4), METAL, on={"end": em.fixed(300.0)})


@pytest.mark.parametrize("on", [{}, {"left": em.flux(1.0)}])
def test_heat_that_cannot_leave_is_refused_before_a_steady_solve(on: dict[str, Any]):
    model = heat.model(line(4), METAL, current_density=1e10, on=on)
    with pytest.raises(ParameterError, match=r"at \(.*\) has no steady temperature: no boundary takes its heat away"):
        em.solve_steady(model)


def test_joule_heat_that_cannot_leave_is_refused_before_a_steady_solve():
    models = both_ways(line(4), {"left": em.fixed(0.1), "right": em.fixed(0.0)}, ends={})
    with pytest.raises(ParameterError, match="no boundary takes its heat away"):
        em.solve_steady(models)


def test_a_source_that_falls_with_temperature_may_take_the_heat_away():
    domain = line(4)
    source = 1e14 - 1e12 * (em.placeholder("T", domain) - START)
    assert solved(domain, source=source, on={}).quantity("T_max") == pytest.approx(400.0, abs=1e-6)


if __name__ == "__main__":
    answer = parallel_case()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(answer), flush=True)
