"""Grain boundaries as fast paths: layers without thickness on the facets between regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.migration.exponential_fitting import fitting
from emfem.model import Driver, is_ufl, scalar, vector_coefficient

import ufl
from dolfinx import fem


@checked
@dataclass(frozen=True)
class FastPath:
    """Boundaries between regions along which a species diffuses and drifts faster.

    Attributes:
        width: delta of a boundary [m].
        diffusivity: D along it, a number or UFL [m2/s].
        drift: v, of which the part along it counts [m/s].
        exchange: k, at which it gives and takes from the grains; None if it always has their concentration [m/s].
        segregation: s, its concentration over that of the grains in equilibrium [-].
    """

    width: float
    diffusivity: Any
    drift: Any = None
    exchange: float | None = None
    segregation: float = 1.0
    maker: ClassVar[str] = "em.migration.fast_path"


@checked
def fast_path(
    *, width: float, diffusivity: Any, drift: Any = None, exchange: float | None = None, segregation: float = 1.0
) -> FastPath:
    """Return grain boundaries for `model(grain_boundaries=...)`: every facet between two regions of the domain.

    A boundary of width delta adds int delta (D_b grad_t c - v_b c) . grad_t w dS to the grains' equation, grad_t the
    gradient along it: c is the same on both sides and in it. Its own volume, and what diffuses across it, are left out:
    delta must be much smaller than a grain. Boundaries of distance d along a line add delta D_b / d to D.

    With a rate of exchange a boundary has a concentration of its own, c_b, an unknown more that is called c_boundary
    and is 0 off the boundaries: delta dc_b/dt = -delta div_t J_b + k (s c - c_b), and the grains lose what it gains.
    Where an edge of the domain holds c, the ends of boundaries hold s c. In fast exchange it is s c everywhere.

    Args:
        width: delta, above 0 [m].
        diffusivity: D_b: a number above 0, or a UFL scalar [m2/s].
        drift: v_b, as for `model`: a vector of dim numbers, UFL, or a function of time [m/s].
        exchange: k, above 0; None if the boundary has the concentration of the grains [m/s].
        segregation: s, above 0; 1 without an exchange [-].

    Raises:
        ParameterError: for a width, diffusivity, exchange or segregation that is not positive.
    """
    number("width", width, above=0.0)
    if is_ufl(diffusivity):
        scalar("diffusivity of a boundary", diffusivity)
    else:
        number("diffusivity of a boundary", diffusivity, above=0.0)
    enriched = number("segregation", segregation, above=0.0)
    if exchange is None and enriched != 1.0:
        msg = f"segregation = {enriched:g} without an exchange, must be 1: give exchange=..., such as a fast one"
        raise ParameterError(msg)
    rate = None if exchange is None else number("exchange", exchange, above=0.0)
    return FastPath(float(width), diffusivity, drift, rate, enriched)


def along_boundaries(
    domain: Domain, path: FastPath, c: Any, w: Any, measure: ufl.Measure, *, fitted: bool
) -> tuple[ufl.Form, list[Driver]]:
    """`int delta (D_b grad_t c - v_b c) . grad_t w dS`, fitted on edges if wished; and the drivers of v_b."""
    velocity, drivers = vector_coefficient(domain, "drift of a boundary", path.drift)
    spread = path.diffusivity
    if not is_ufl(spread):
        spread = fem.Constant(domain.mesh, float(spread))
    normal = ufl.FacetNormal(domain.mesh)
    slope = _along(ufl.grad(c), normal)
    if fitted:
        edge = ufl.FacetArea(domain.mesh) * ufl.as_vector([-normal[1], normal[0]])
        slope = fitting(ufl.dot(velocity, edge) / spread) * slope
    width = fem.Constant(domain.mesh, path.width)
    return width * ufl.inner(spread * slope - velocity * c, _along(ufl.grad(w), normal)) * measure, drivers


def _along(vector: Any, normal: Any) -> Any:
    """Return the part of a vector along a boundary."""
    return vector - ufl.dot(vector, normal) * normal
