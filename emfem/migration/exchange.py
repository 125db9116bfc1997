"""Grain boundaries with a concentration of their own, which they exchange with the grains beside them.

The concentration in a boundary lives on all nodes of the mesh and is 0 off the boundaries, where it is not
used: so it needs no mesh of its own, and is solved for together with that in the grains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emfem.mesh import Domain
from emfem.mesh.between import between_regions
from emfem.migration.boundaries import FastPath, along_boundaries
from emfem.model import DirichletCondition, Driver, Fixed, Unknown, dirichlet_condition, evolving
from emfem.spaces import nodes_on
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem


def in_boundaries(name: str, grains: Unknown, path: FastPath) -> Unknown:
    """Return the concentration in the boundaries, at the start in equilibrium with that of the grains."""
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
        along: dS of the flux along the boundaries.
        through: dS of storage and exchange.
        fitted: fit the flux along the boundaries exponentially.
    """
    (w, w_b), c, c_b = tests, grains.function, inside.function
    assert path.exchange is not None
    form, drivers = along_boundaries(domain, path, c_b, w_b, along, fitted=fitted)
    width, rate = fem.Constant(domain.mesh, path.width), fem.Constant(domain.mesh, path.exchange)
    segregation = fem.Constant(domain.mesh, path.segregation)
    form += (width * inside.rate * w_b + rate * (segregation * c - c_b) * (w - w_b)) * through
    # nodes off the boundaries need a place on the diagonal for their Dirichlet value
    return form + fem.Constant(domain.mesh, 0.0) * c_b * w_b * domain.dx(1), drivers


def ends(
    domain: Domain, inside: Unknown, path: FastPath, on: Mapping[str, Any]
) -> tuple[list[DirichletCondition], list[DirichletCondition], list[Driver]]:
    """Return the Dirichlet values of c_b: s c where boundaries meet an edge that holds c, 0 off them. Collective.

    Returns:
        the conditions at named edges, that off the boundaries, and the drivers.
    """
    space = inside.function.function_space
    owned = space.dofmap.index_map.size_local
    mine = np.zeros(owned + space.dofmap.index_map.num_ghosts, dtype=bool)
    mine[nodes_on(space, between_regions(domain))] = True
    conditions, drivers = [], []
    for name, condition in on.items():
        if isinstance(condition, Fixed):
            value, s = condition.value, path.segregation
            enriched = as_waveform(value).scaled(s) if callable(value) else s * value
            there, moved = dirichlet_condition(domain, inside, name, enriched)
            conditions.append(replace(there, dofs=there.dofs[mine[there.dofs]]))
            drivers += moved
    off = np.flatnonzero(~mine[:owned]).astype(np.int32)
    return conditions, [DirichletCondition("off the boundaries", inside, off, fem.Constant(domain.mesh, 0.0))], drivers
