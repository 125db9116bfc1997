"""Conduction: shapes whose resistance or crowding is known in closed form."""

from __future__ import annotations

import math

from emfem import conduction, mesh
from emfem.model import Model, fixed
from emfem.solve import solve_steady
from emfem.verify.convergence import l2_norm, order
from emfem.verify.registry import Measured, check

import ufl


def _between(domain: mesh.Domain, source: str, drain: str, conductivity: float = 1.0) -> Model:
    """Return a conductor with a volt between two boundaries."""
    model = conduction.model(domain, conductivity=conductivity, on={source: fixed(1.0), drain: fixed(0.0)})
    solve_steady(model)
    return model


@check(
    "conduction",
    source="1 - (2/pi) ln 2, by conformal mapping; P. M. Hall, Thin Solid Films 1, 277 (1968)",
    target=0.558729,
    atol=2e-5,
    unit="squares",
    order=(1.13, 1.53),
)
def corner_of_a_bend(full: bool) -> Measured:
    """Right-angle bend adds the squares of its corner; extrapolated with the order 4/3 of the corner."""
    sizes = (0.2, 0.1, 0.05) if full else (0.2, 0.1)
    added = []
    for size in sizes:
        domain = mesh.bend(width=1.0, arms=(2.5, 2.5), size=size, refine=size / 20)
        added.append(conduction.resistance(_between(domain, "start", "end")) - 5.0)
    extrapolated = added[-1] + (added[-1] - added[-2]) / (2 ** (4 / 3) - 1)
    return Measured(extrapolated, order=order(sizes, [squares - 0.558729 for squares in added]))


@check("conduction", source="the field of a round hole in an infinite plate, 1 + a/b with a = b", target=2.0, rtol=7e-3)
def crowding_at_a_hole(full: bool) -> float:
    """Small round hole doubles the current density at its sides: a hole of 1/40 of the plate's width."""
    width = 40.0
    hole = (width / 2, width / 2, 1.0)
    domain = mesh.strip_with_holes(
        length=width, width=width, holes=[hole], size=width / 20, refine=0.08 if full else 0.15, order=2
    )
    return conduction.crowding(_between(domain, "anode", "cathode")).peak * width


@check(
    "conduction",
    source="R = ln(b/a)/(2 pi sigma), by hand",
    target=0.087424788,
    rtol=1e-4,
    unit="Ohm",
    order=(2.7, 3.3),
)
def resistance_of_a_ring(full: bool) -> Measured:
    """Ring from rim to rim on curved cells of degree 2; the potential converges with order 3."""
    sizes = (0.1, 0.05, 0.025) if full else (0.1, 0.05)
    errors = []
    for size in sizes:
        domain = mesh.annulus(0.5, 1.5, size=size, refine=size, order=2)
        model = _between(domain, "inner", "outer", conductivity=2.0)
        x = ufl.SpatialCoordinate(domain.mesh)
        exact = 1 - ufl.ln(ufl.sqrt(x[0] ** 2 + x[1] ** 2) / 0.5) / math.log(3.0)
        errors.append(l2_norm(model["phi"] - exact, domain, 8))
    return Measured(conduction.resistance(model), order=order(sizes, errors))


@check(
    "conduction",
    source="W. T. Perrins, D. R. McKenzie, R. C. McPhedran, Proc. R. Soc. A 369, 207 (1979), area fraction 0.2827",
    target=0.558485388,
    rtol=2e-4,
)
def array_of_holes(full: bool) -> float:
    """Square array of round holes conducts as in Rayleigh's series."""
    cell = mesh.periodic_cell((1.0, 1.0), holes=[(0.4, 0.6, 0.3)], size=0.1, order=2)
    model = conduction.model(cell, conductivity=2.0, mean_field=(0.5, 0.0))
    solve_steady(model)
    return float(conduction.mean_current(model)[0])


@check(
    "conduction",
    source="0.7 x 1 + 0.3 x 3 + 0.3 x 0.7 x 2 by hand; L. Nordheim, Ann. Phys. 401, 641 (1931)",
    target=1 / 2.02,
    rtol=1e-9,
)
def current_through_an_alloy(full: bool) -> float:
    """Square of an alloy of 30 % solute between electrodes conducts by Nordheim's rule; in = out."""
    square = mesh.rectangle((1.0, 1.0), cells=(4, 4))
    rho = conduction.nordheim(0.3, solvent=1.0, solute=3.0, disorder=2.0)
    model = _between(square, "left", "right", conductivity=1 / rho)
    into, out = conduction.current(model, "left"), conduction.current(model, "right")
    return (abs(into) + abs(out)) / 2 + abs(into + out)
