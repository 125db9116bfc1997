"""Networks of wires: Kirchhoff's laws, on the graph and on elements."""

from __future__ import annotations

from emfem import conduction, mesh
from emfem.model import fixed
from emfem.solve import solve_steady
from emfem.units import um
from emfem.verify.reference import METAL, star
from emfem.verify.registry import check

import numpy as np

WIRE = 0.1 * um  # width and thickness
RHO = METAL.resistivity


@check(
    "networks",
    source="a ladder of equal resistors without end: the golden ratio (1 + sqrt 5)/2",
    target=1.6180339887,
    rtol=1e-9,
)
def ladder_of_resistors(full: bool) -> float:
    """Resistance of a ladder of 20 rungs from its end, over that of a wire."""
    rungs, long = 20, 10 * um
    nodes = [(i * long, 0.0) for i in range(rungs + 1)] + [(i * long, long) for i in range(1, rungs + 1)]
    rail = [(i, i + 1) for i in range(rungs)]
    down = [(i, rungs + i) for i in range(1, rungs + 1)]
    pads = dict.fromkeys(range(rungs + 1, 2 * rungs + 1), 0.0)
    net = mesh.network(nodes, [*rail, *down], width=WIRE, thickness=WIRE, loads={0: -1e-3}, pads=pads)
    potential = conduction.kirchhoff(net, RHO).potential
    return float(potential[0]) / (1e-3 * RHO * long / WIRE**2)


@check(
    "networks",
    source="R = rho L/(w h) and the currents of a node sum to 0, by hand",
    target=(-2.0e-4, 1.2e-4, 0.8e-4),
    rtol=1e-9,
    unit="A",
)
def currents_of_a_star(full: bool) -> tuple[float, ...]:
    """Three wires between voltages, on linear elements."""
    on = {name: fixed(volts) for name, volts in (("A", 0.0), ("B", -0.0126), ("C", -0.0063))}
    model = conduction.model(star(), conductivity=1 / RHO, on=on, degree=1)
    solve_steady(model)
    return tuple(conduction.current(model, name) for name in "ABC")


@check(
    "networks",
    source="R = rho L/(w h) by hand: a load of 5e-4 A parts as 1/50 to 1/75",
    target=(1.5e10, 1.0e10, 0.01125 * 1.5),
    rtol=1e-9,
    unit=("A/m2", "A/m2", "V"),
)
def two_wires_side_by_side(full: bool) -> tuple[float, ...]:
    """Two wires of 50 and 75 um between vias without resistance share a current; and the voltage over both."""
    net = mesh.network(
        np.array([(0, 0), (50, 0), (0, 5), (75, 5)]) * um,
        [(0, 1), (2, 3)],
        width=0.2 * um,
        thickness=0.1 * um,
        vias=[(0, 2, 0.0), (1, 3, 0.0)],
        loads={2: -5e-4},
        pads={3: 0.0},
    )
    state = conduction.kirchhoff(net, RHO)
    return (*map(float, state.current_density), float(state.potential[0]))
