"""Grain boundaries with a concentration of their own, which they exchange with the grains beside them.

The concentration in a boundary lives on all nodes of the mesh and is 0 off the boundaries, where it is not
used: so it needs no mesh of its own, and is solved for together with that in the grains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.mesh import Domain
from emfem.mesh.between import between_regions, measure, surfaces
from emfem.migration.boundaries import FastPath, along_boundaries
from emfem.model import DirichletCondition, Driver, Fixed, Unknown, dirichlet_condition, evolving
from emfem.spaces import nodes_on
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem


@dataclass(frozen=True)
class Paths:
    """Grain boundaries in the model of a species; without them its parts are empty.

    Attributes:
        form: what they add to the balance.
        stored: what is in them, a functional.
        edges: measures of the named boundaries, which share data with those of the form.
        conditions: Dirichlet values of their own concentration.
        drivers: of their drift and of their Dirichlet values.
    """

    form: Any = 0
    stored: Any = 0
    edges: Mapping[str, ufl.Measure] | None = None
    conditions: Sequence[DirichletCondition] = ()
    drivers: Sequence[Driver] = ()


def in_boundaries(grains: Unknown, path: FastPath | None) -> Unknown | None:
    """Return the concentration in the boundaries, at the start in equilibrium with that of the grains.

    None without boundaries, or if they have the concentration of the grains.
    """
    if path is None or path.exchange is None:
        return None
    space, factor = grains.function.function_space, path.segregation
    unknown = evolving(f"{grains.name}_boundary", space, scale=grains.scale * factor)
    unknown.function.x.array[:] = factor * grains.function.x.array
    return unknown


def fast_paths(
    domain: Domain,
    path: FastPath | None,
    on: Mapping[str, Any],
    unknowns: Sequence[Unknown],
    tests: Sequence[Any],
    degree: int,
    *,
    fitted: bool,
) -> Paths:
    """Return what boundaries add to the model of a species. Collective.

    Args:
        domain: with regions.
        path: the boundaries, None for none.
        on: conditions on named boundaries.
        unknowns: c, and c_b if they have a concentration of their own.
        tests: of the unknowns.
        degree: of the quadrature.
        fitted: fit the flux along the boundaries exponentially.
    """
    if path is None:
        return Paths()
    faces, tag = surfaces(domain)
    edges = {name: measure(domain, faces, domain.tag(name), degree) for name in domain.names}
    along = measure(domain, faces, tag, 1 if fitted else degree)
    if len(unknowns) == 1:
        form, drivers = along_boundaries(domain, path, unknowns[0].function, tests[0], along, fitted=fitted)
        return Paths(form, edges=edges, drivers=drivers)
    through = measure(domain, faces, tag, degree)
    form, drivers = exchanged(domain, path, unknowns, tests, along, through, fitted=fitted)
    stored = fem.Constant(domain.mesh, path.width) * unknowns[1].function * through
    conditions, moving = ends(domain, unknowns[1], path, on)
    return Paths(form, stored, edges, conditions, [*drivers, *moving])


def exchanged(
    domain: Domain,
    path: FastPath,
    unknowns: Sequence[Unknown],
    tests: Sequence[Any],
    along: ufl.Measure,
    through: ufl.Measure,
    *,
    fitted: bool,
) -> tuple[ufl.Form, list[Driver]]:
    """`int delta dc_b/dt w_b + delta (D_b grad_t c_b - v_b c_b) . grad_t w_b + k (s c - c_b) (w - w_b) dS`.

    Args:
        domain: with regions.
        path: the boundaries.
        unknowns: c and c_b.
        tests: w and w_b.
        along: dS of the flux along the boundaries.
        through: dS of storage and exchange.
        fitted: fit the flux along the boundaries exponentially.
    """
    (grains, inside), (w, w_b) = unknowns, tests
    c, c_b = grains.function, inside.function
    form, drivers = along_boundaries(domain, path, c_b, w_b, along, fitted=fitted)
    assert path.exchange is not None
    width, rate = fem.Constant(domain.mesh, path.width), fem.Constant(domain.mesh, path.exchange)
    segregation = fem.Constant(domain.mesh, path.segregation)
    form += (width * inside.rate * w_b + rate * (segregation * c - c_b) * (w - w_b)) * through
    # nodes off the boundaries need a place on the diagonal for their Dirichlet value
    return form + fem.Constant(domain.mesh, 0.0) * c_b * w_b * domain.dx(1), drivers


def ends(
    domain: Domain, inside: Unknown, path: FastPath, on: Mapping[str, Any]
) -> tuple[list[DirichletCondition], list[Driver]]:
    """Return Dirichlet values of c_b: s c where boundaries meet an edge that holds c, 0 off them; and their drivers."""
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
    return [*conditions, DirichletCondition("off the boundaries", inside, off, fem.Constant(domain.mesh, 0.0))], drivers
