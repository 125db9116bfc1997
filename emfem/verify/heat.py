"""Heat: lines that a current heats up to runaway, and conductors whose potential determines their temperature."""

from __future__ import annotations

import math
from typing import Any

from emfem import conduction, fields, heat, mesh
from emfem.errors import ConvergenceError
from emfem.model import Model, fixed, placeholder
from emfem.solve import solve_steady
from emfem.units import um
from emfem.verify.registry import check

START = 300.0  # K
RHO, SLOPE, K, C = 1.68e-8, 3.93e-3, 400.0, 3.45e6  # Ohm m, 1/K, W/(m K), J/(m3 K): copper


def _resistivity(t: Any) -> Any:
    return RHO * (1 + SLOPE * (t - START))


def _driven(j: float, *, length: float = 10 * um, cells: int = 100, loss: Any = None) -> Model:
    """Return a line with ends at 300 K that a current density heats."""
    model = heat.model(
        mesh.interval(length, cells=cells, names=("a", "b")),
        resistivity=_resistivity,
        conductivity=K,
        heat_capacity=C,
        current_density=j,
        on={"a": fixed(START), "b": fixed(START)},
        loss=loss,
    )
    solve_steady(model)
    return model


@check(
    "heat",
    source="k T'' + rho(T) j^2 = 0 between ends at 300 K, by hand: (sec(m L/2) - 1)/a, m^2 = j^2 rho0 a/k",
    target=(5.341808, 55.86166),
    rtol=5e-7,
    unit="K",
)
def rise_of_a_driven_line(full: bool) -> tuple[float, ...]:
    """Line of 10 um at 1e11 and 3e11 A/m2 warms as in its closed form."""
    return tuple(_driven(j).quantity("T_max") - START for j in (1e11, 3e11))


@check("heat", source="j L = pi sqrt(k/(rho0 a)), by hand", target=7.732661e6, rtol=1e-2, unit="A/m")
def limit_of_runaway(full: bool) -> float:
    """Line is solved at 0.99 of its runaway current and refused at 1.01: the middle between the two."""
    limit = 7.732661e6
    _driven(0.99 * limit / (10 * um))
    try:
        _driven(1.01 * limit / (10 * um))
    except ConvergenceError as error:
        return limit if "thermal runaway" in str(error) else math.nan
    return math.inf


@check(
    "heat",
    source="one-dimensional fin on an oxide of 0.5 um: sqrt(k/g), and its rise at 1e11 A/m2, by hand",
    target=(5.34522e-6, 12.591203),
    rtol=1e-6,
    unit=("m", "K"),
)
def line_on_an_oxide(full: bool) -> tuple[float, float]:
    """Long line loses heat through an oxide over a thermal length; its rise there."""
    sink = heat.substrate(conductivity=1.4, thickness=0.5 * um, line_height=0.2 * um, temperature=START)
    model = _driven(1e11, length=100 * um, cells=400, loss=sink)
    return math.sqrt(K / sink.coefficient), model.quantity("T_max") - START


@check(
    "heat", source="F. Kohlrausch, Ann. Phys. 306, 132 (1900): T = T0 + phi (V - phi)/(2 rho k)", target=0.0, atol=5e-4
)
def potential_tells_the_temperature(full: bool) -> float:
    """Phi-theta theorem at every point of a notched strip: largest distance over the greatest rise."""
    size, volts = (0.4 if full else 0.8), 0.05
    domain = mesh.notched_strip(
        length=8 * um, width=4 * um, notch_depth=um, notch_width=1.2 * um, size=size * um, refine=size / 3 * um
    )
    current, warm = _heated(domain, volts, 1 / RHO, conductivity=K)
    phi = current["phi"]
    wrong = warm["T"] - (START + phi * (volts - phi) / (2 * RHO * K))
    most = max(map(abs, fields.extremes(fields.discontinuous(wrong, domain.mesh, 2))))
    return most / (volts**2 / (8 * RHO * K))


@check(
    "heat",
    source="T_max^2 = T0^2 + V^2/(4 L) with L = 2.44e-8 W Ohm/K2 and V = 0.2 V, by hand",
    target=706.990846,
    rtol=1e-6,
    unit="K",
)
def hottest_place_of_a_metal(full: bool) -> float:
    """Conductor between electrodes at 300 K whose conductivities obey Wiedemann-Franz, whatever rho(T) is."""
    domain = mesh.interval(8 * um, cells=64, names=("anode", "cathode"))
    sigma = 1 / _resistivity(placeholder("T", domain))
    _, warm = _heated(domain, 0.2, sigma, conductivity=heat.wiedemann_franz(_resistivity))
    return warm.quantity("T_max")


def _heated(domain: mesh.Domain, volts: float, sigma: Any, *, conductivity: Any) -> tuple[Model, Model]:
    """Return a current between the first two boundaries, both at 300 K, and its heat."""
    plus, minus = domain.names[:2]
    current = conduction.model(domain, conductivity=sigma, on={plus: fixed(volts), minus: fixed(0.0)})
    on = {plus: fixed(START), minus: fixed(START)}
    warm = heat.model(domain, source=heat.joule(current), heat_capacity=C, on=on, conductivity=conductivity)
    current = current.substitute(T=warm["T"]) if current.missing else current
    solve_steady([current, warm])
    return current, warm
