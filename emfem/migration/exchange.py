"""Grain boundaries with a concentration of their own, which they exchange with the grains beside them.

The concentration in a boundary lives on all nodes of the mesh and is held at 0 off the boundaries, where nothing looks
at it: so it needs no mesh of its own, and is solved for together with that in the grains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import fields
from emfem.mesh import Domain
from emfem.migration.boundaries import FastPath, along_boundaries, between_regions
from emfem.model import Condition, Driver, Fixed, Unknown, coefficient, evolving
from emfem.spaces import nodes_on
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem


def in_boundaries(name: str, grains: Unknown, path: FastPath) -> Unknown:
    """The concentration in the boundaries, at the start in equilibrium with that of the grains."""
    unknown = evolving(name, grains.function.function_space, scale=grains.scale * path.segregation)
    unknown.function.x.array[:] = path.segregation * grains.function.x.array
    return unknown


def exchanged(
    domain: Domain,
    path: FastPath,
    grains: Unknown,
    inside: Unknown,
    tests: tuple[Any, Any],
    along: ufl.Measure,
    through: ufl.Measure,
    *,
    fitted: bool,
) -> tuple[ufl.Form, list[Driver]]:
    """`int delta dc_b/dt w_b + delta (D_b grad_t c_b - v_b c_b) . grad_t w_b + k (s c - c_b) (w - w_b) dS`.

    Args:
        domain: with regions.
        path: the boundaries.
        grains: c.
        inside: c_b.
        tests: w and w_b.
        along: dS for what runs along the boundaries.
        through: dS for what they store and exchange.
        fitted: whether the flux along is fitted.
    """
    (w, w_b), c, c_b = tests, grains.function, inside.function
    assert path.exchange is not None
    form, drivers = along_boundaries(domain, path, c_b, w_b, along, fitted=fitted)
    width, rate = fem.Constant(domain.mesh, path.width), fem.Constant(domain.mesh, path.exchange)
    segregation = fem.Constant(domain.mesh, path.segregation)
    form += (width * inside.rate * w_b + rate * (segregation * c - c_b) * (w - w_b)) * through
    # nodes off the boundaries need a place on the diagonal, to be held there
    return form + fem.Constant(domain.mesh, 0.0) * c_b * w_b * domain.dx(1), drivers


def ends(
    domain: Domain, inside: Unknown, path: FastPath, on: Mapping[str, Any]
) -> tuple[list[Condition], list[Condition], list[Driver]]:
    """What holds c_b: s c where boundaries meet an edge that holds c, 0 at nodes off the boundaries. Collective.

    Returns:
        the conditions at named edges, that off the boundaries, and what moves them.
    """
    space = inside.function.function_space
    owned = space.dofmap.index_map.size_local
    mine = np.zeros(owned + space.dofmap.index_map.num_ghosts, dtype=bool)
    mine[nodes_on(space, between_regions(domain))] = True
    conditions, drivers = [], []
    for name, condition in on.items():
        if isinstance(condition, Fixed):
            value, moved = coefficient(domain, f"{inside.name} on {name!r}", _times(path.segregation, condition.value))
            nodes = nodes_on(space, domain.facets.find(domain.tag(name)))
            nodes = nodes[nodes < owned]
            conditions.append(Condition(name, inside, nodes[mine[nodes]], value))
            drivers += moved
    off = np.flatnonzero(~mine[:owned]).astype(np.int32)
    return conditions, [Condition("off the boundaries", inside, off, fem.Constant(domain.mesh, 0.0))], drivers


def _times(factor: float, value: Any) -> Any:
    """Return a number or a function of time, multiplied."""
    return as_waveform(value).scaled(factor) if callable(value) else factor * value


def highest(inside: Unknown) -> float:
    """The highest concentration in the boundaries. Collective."""
    return fields.extremes(inside.function)[1]
