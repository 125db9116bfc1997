"""Joule heating against what mathematics says of it: driven lines up to runaway, and conductors of any shape.

Between two isothermal electrodes the potential tells the temperature (the phi-theta theorem of Kohlrausch): in every
shape, pointwise, with constant coefficients and with the Wiedemann-Franz law for any rho(T).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import emfem as em
from emfem import conduction, heat

import numpy as np
import pytest
import ufl
from dolfinx import fem
from petsc4py import PETSc

START = 300.0
RHO, SLOPE, K, C = 1.68e-8, 3.93e-3, 400.0, 3.45e6
LENGTH = 10e-6
um = em.units.um


def resistivity(t: Any) -> Any:
    return RHO * (1 + SLOPE * (t - START))


# ---- driven lines


def driven(j: float, *, length: float = LENGTH, cells: int = 100, **arguments: Any) -> em.Model:
    domain = em.mesh.interval(length, cells=cells, names=("a", "b"))
    on = {"a": em.fixed(START), "b": em.fixed(START)}
    model = heat.model(
        domain,
        resistivity=resistivity,
        conductivity=K,
        heat_capacity=C,
        current_density=j,
        on=on,
        **arguments,
    )
    em.solve_steady(model)
    return model


@pytest.mark.parametrize(("j", "volts"), [(1e11, 0.017035), (3e11, 0.057730)])
def test_voltage_of_a_driven_line(j: float, volts: float):
    assert driven(j).quantity("generated") / j == pytest.approx(volts, abs=1e-6)


@pytest.mark.parametrize("j", [1e11, 3e11, 6e11])
@pytest.mark.parametrize("loss", [0.0, 1.4e13])
def test_profile_of_a_driven_line_is_the_closed_form(j: float, loss: float):
    model = driven(j, loss=(loss, START) if loss else None)
    x = model["T"].function_space.tabulate_dof_coordinates()[:, 0]
    exact = em.analytic.heated_line(
        x,
        length=LENGTH,
        current_density=j,
        resistivity=RHO,
        conductivity=K,
        temperature=START,
        temperature_coefficient=SLOPE,
        loss=loss,
    )
    rise = exact.max() - START
    # quadratics on 100 cells are exact to 1e-9 at the nodes; residuals are solved to 1e-8
    assert model["T"].x.array == pytest.approx(exact, abs=3e-8 * rise)


@pytest.mark.parametrize("loss", [0.0, 1.4e13])
def test_runaway_lies_between_99_and_101_percent_of_the_limit(loss: float):
    limit = em.analytic.runaway_current_density(
        length=LENGTH, resistivity=RHO, conductivity=K, temperature_coefficient=SLOPE, loss=loss
    )
    assert loss or limit * LENGTH == pytest.approx(7.732661e6, rel=1e-7)
    sink = (loss, START) if loss else None
    below = driven(0.99 * limit, loss=sink)
    assert below.quantity("T_min") >= START - 1e-6
    with pytest.raises(em.ConvergenceError, match="thermal runaway"):
        driven(1.01 * limit, loss=sink)


# ---- any shape, heated by a computed current


SHAPES: dict[str, Callable[[float], em.mesh.Domain]] = {
    "line": lambda size: em.mesh.interval(8 * um, cells=round(8 / size), names=("anode", "cathode")),
    "notched strip": lambda size: em.mesh.notched_strip(
        length=8 * um, width=4 * um, notch_depth=1 * um, notch_width=1.2 * um, size=size * um, refine=size / 3 * um
    ),
    "via": lambda size: em.mesh.via(
        line_length=4 * um,
        line_width=2 * um,
        line_thickness=1 * um,
        via_radius=0.6 * um,
        via_height=1 * um,
        size=size * um,
        refine=size * um,
    ),
}


def heated(domain: em.mesh.Domain, volts: float, sigma: Any, **arguments: Any) -> tuple[em.Model, em.Model]:
    """A current between the first two boundaries, both at the start's temperature, and its heat."""
    plus, minus = domain.names[:2]
    current = conduction.model(domain, conductivity=sigma, on={plus: em.fixed(volts), minus: em.fixed(0.0)})
    on = {plus: em.fixed(START), minus: em.fixed(START)}
    warm = heat.model(domain, source=heat.joule(current), heat_capacity=C, on=on, **arguments)
    return (current.substitute(T=warm["T"]) if current.missing else current), warm


def strays(temperature: Any, exact: Any, domain: em.mesh.Domain) -> tuple[float, float]:
    """The largest distance between two fields, at the points of cells' quadratics, and the root mean square one [K]."""
    largest = max(map(abs, em.fields.extremes(em.fields.discontinuous(temperature - exact, domain.mesh, 2))))
    dx, one = domain.dx(6), fem.Constant(domain.mesh, 1.0)
    square, volume = (em.fields.integral(fem.form(f * dx), domain.mesh.comm) for f in ((temperature - exact) ** 2, one))
    return largest, math.sqrt(square / volume)


@cache
def constant(name: str, size: float) -> Any:
    """Largest and mean difference of T from the phi-theta theorem, relative to its greatest rise."""
    domain, volts = SHAPES[name](size), 0.05
    current, warm = heated(domain, volts, 1 / RHO, conductivity=K)
    em.solve_steady([current, warm])
    phi = current["phi"]
    top = volts**2 / (8 * RHO * K)
    assert warm.quantity("T_max") - START == pytest.approx(top, rel=0.03)
    return np.divide(strays(warm["T"], START + phi * (volts - phi) / (2 * RHO * K), domain), top)


@cache
def electronic(name: str, size: float, volts: float) -> tuple[Any, float]:
    """Largest and mean difference of T from its closed form, relative to its greatest rise; and its maximum."""
    domain = SHAPES[name](size)
    sigma = 1 / resistivity(em.placeholder("T", domain))
    electrons = heat.wiedemann_franz(resistivity, lorenz=2.44e-8)
    current, warm = heated(domain, volts, sigma, conductivity=electrons)
    em.solve_steady([current, warm])
    out = [warm.quantity(f"heat {name}") for name in domain.names[:2]]
    assert sum(out) == pytest.approx(current.quantity("power"), rel=1e-9)
    phi, top = current["phi"], math.sqrt(START**2 + volts**2 / (4 * 2.44e-8))
    strayed = strays(warm["T"], ufl.sqrt(START**2 + phi * (volts - phi) / 2.44e-8), domain)
    return np.divide(strayed, top - START), warm.quantity("T_max")


@pytest.mark.parametrize(
    ("name", "sizes", "within"),
    [("line", (0.5, 0.25), 1e-7), ("notched strip", (0.8, 0.4), 2e-4), ("via", (0.8, 0.5), 4e-3)],
)
def test_the_potential_gives_the_temperature_pointwise(name: str, sizes: tuple[float, float], within: float):
    coarse, fine = (constant(name, size) for size in sizes)
    assert fine[0] < within
    assert fine[1] < 0.5 * coarse[1] or fine[0] < 1e-7  # on the line phi is linear and T quadratic: exact


@pytest.mark.parametrize(
    ("name", "sizes", "within"),
    [("line", (0.5, 0.25), 1e-5), ("notched strip", (0.8, 0.4), 2e-4), ("via", (0.8, 0.5), 4e-3)],
)
def test_wiedemann_franz_gives_the_temperature_too(name: str, sizes: tuple[float, float], within: float):
    coarse, fine = (electronic(name, size, 0.2)[0] for size in sizes)
    assert fine[0] < within
    assert fine[1] < 0.5 * coarse[1]


@pytest.mark.parametrize(("volts", "top"), [(0.05, 340.02170), (0.1, 438.70151), (0.2, 706.99085), (0.3, 1006.04729)])
def test_hottest_place_depends_on_the_voltage_alone(volts: float, top: float):
    exact = float(em.analytic.isothermal_electrodes(volts / 2, voltage=volts, temperature=START, lorenz=2.44e-8))
    assert exact == pytest.approx(top, abs=1e-5)
    # a node of the line lies in its middle; the error of 64 quadratics there
    assert electronic("line", 0.125, volts)[1] == pytest.approx(top, abs=2e-5)
    assert electronic("notched strip", 0.8, volts)[1] - START == pytest.approx(top - START, rel=1e-4)


def test_hottest_place_of_a_solid_has_the_temperature_of_its_voltage():
    assert electronic("via", 0.5, 0.2)[1] - START == pytest.approx(406.99085, rel=2e-3)


def test_newton_converges_quadratically_on_current_and_heat_together():
    """Its Jacobian has all four blocks: the residual's exponent doubles at each step."""
    domain = SHAPES["notched strip"](0.8)
    sigma = 1 / resistivity(em.placeholder("T", domain))
    models = heated(domain, 0.1, sigma, conductivity=heat.wiedemann_franz(resistivity))
    em.solve_steady(models[0])
    problem = em.solve.Problem(models)
    problem.apply_conditions(0.0)
    problem.zero_rates()
    residual, step = problem.x.duplicate(), problem.x.duplicate()
    solver = PETSc.KSP().create()
    solver.setType("preonly")
    solver.getPC().setType("lu")
    found = []
    for _ in range(7):
        problem.residual(0.0, problem.x, None, residual)
        found.append(residual.norm())
        problem.jacobian(0.0, problem.x, 0.0, problem.matrix)
        solver.setOperators(problem.matrix)
        solver.solve(residual, step)
        problem.x.axpy(-1.0, step)
    falling = np.log10([norm / found[0] for norm in found if norm > 1e-11])
    assert len(falling) >= 4
    assert falling[-1] / falling[-2] > 1.7
    assert min(found) < 1e-12


# ---- the closed forms themselves

LINE: dict[str, Any] = {
    "length": LENGTH,
    "current_density": 3e11,
    "resistivity": RHO,
    "conductivity": K,
    "temperature": START,
    "temperature_coefficient": SLOPE,
    "loss": 1e13,
}


@pytest.mark.parametrize("loss", [0.0, 1e10, RHO * SLOPE * 9e22, 6.0e12, 1e14])
@pytest.mark.parametrize("slope", [0.0, SLOPE])
def test_heated_line_solves_its_equation(loss: float, slope: float):
    x = np.linspace(0.0, LENGTH, 4001)
    rise = em.analytic.heated_line(x, **(LINE | {"loss": loss, "temperature_coefficient": slope})) - START
    curvature = np.diff(rise, 2) / (x[1] - x[0]) ** 2
    source = RHO * (1 + slope * rise) * 9e22 - loss * rise
    # second differences lose 6 of the digits of T
    assert -K * curvature == pytest.approx(source[1:-1], abs=3e-5 * RHO * 9e22)
    assert rise[[0, -1]] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_limits_without_a_slope_and_without_ends():
    assert em.analytic.runaway_current_density(
        length=LENGTH, resistivity=RHO, conductivity=K, temperature_coefficient=0.0
    ) == pytest.approx(np.inf)
    limit = em.analytic.runaway_current_density(
        length=np.inf, resistivity=RHO, conductivity=K, temperature_coefficient=SLOPE, loss=1.4e13
    )
    assert limit == pytest.approx(4.604825e11, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"length": 0.0}, "length = 0 m, must be greater than 0"),
        ({"resistivity": -1.0}, "resistivity = -1 Ohm m, must be greater than 0"),
        ({"conductivity": 0.0}, r"conductivity = 0 W/\(m K\), must be greater than 0"),
        ({"temperature": 0.0}, "temperature = 0 K, must be greater than 0"),
        ({"temperature_coefficient": np.nan}, "temperature_coefficient = nan 1/K, must be finite"),
        ({"loss": -1.0}, r"loss = -1 W/\(m3 K\), must be at least 0"),
        ({"current_density": np.inf}, "current_density = inf A/m2, must be finite"),
        ({"current_density": 1e12}, r"current_density = 1e\+12 A/m2, must be less than"),
    ],
)
def test_bad_input_of_a_heated_line_is_named(change: dict[str, float], told: str):
    with pytest.raises(em.ParameterError, match=told):
        em.analytic.heated_line(0.0, **(LINE | change))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "give the first two or L"),
        ({"resistivity": 1.0}, "give the first two or L"),
        ({"resistivity": 1.0, "conductivity": 1.0, "lorenz": 1.0}, "give the first two or L"),
        ({"resistivity": 0.0, "conductivity": 1.0}, "resistivity = 0 Ohm m, must be greater than 0"),
        ({"lorenz": -1.0}, "lorenz = -1 W Ohm/K2, must be greater than 0"),
        ({"lorenz": 1.0, "voltage": np.nan}, "voltage = nan V, must be finite"),
        ({"lorenz": 1.0, "temperature": -1.0}, "temperature = -1 K, must be greater than 0"),
    ],
)
def test_bad_input_of_isothermal_electrodes_is_named(given: dict[str, Any], told: str):
    with pytest.raises(em.ParameterError, match=told):
        em.analytic.isothermal_electrodes(0.1, **({"voltage": 0.2, "temperature": START} | given))
