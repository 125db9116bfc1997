"""In - out - change closes to rounding: every model that conserves something, held and open edges, 1-D to 3-D.

At a moment the terms of `em.balance` each have their own path (integrals, residuals of held nodes, the functional's
derivative along the discrete rates), and over a run those of `em.accumulate` are stepped beside the model. Both are
exact statements about the discrete equations, so meshes are coarse and steps are few: 1e-10 is asked for, and the sums
of some hundred terms in double precision leave 1e-15 to 1e-12.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import emfem as em
from emfem.units import MPa, nm, um

import numpy as np
import pytest
from mpi4py import MPI

CLOSED = 1e-10
COPPER = em.materials.copper(temperature=500.0)
Case = tuple[Sequence[em.Model], float]  # the models, the one looked at first, and the time to march to; 0 is steady


def shapes() -> dict[str, Callable[[], em.mesh.Domain]]:
    """A domain of each kind, 4 units long, with the boundaries left and right."""
    return {
        "line": lambda: em.mesh.interval(4.0, cells=7),
        "quadrilaterals": lambda: em.mesh.rectangle((4.0, 3.0), cells=(4, 3)),
        "triangles": lambda: em.mesh.rectangle((4.0, 3.0), cells=(4, 3), cell="triangle"),
        "hexahedra": lambda: em.mesh.box((4.0, 2.0, 2.0), cells=(3, 2, 2)),
        "tetrahedra": lambda: em.mesh.box((4.0, 2.0, 2.0), cells=(2, 2, 2), cell="tetrahedron"),
        "revolved": lambda: em.mesh.axisymmetric(em.mesh.rectangle((4.0, 3.0), cells=(4, 3), cell="triangle")),
        "network": lambda: em.mesh.network(
            [(0.0, 0.0), (2.0, 0.0), (4.0, 0.5), (2.0, 3.0)],
            [(0, 1), (1, 2), (1, 3)],
            width=[0.2, 0.1, 0.1],
            thickness=0.1,
            cells=3,
            names={0: "left", 2: "right", 3: "top"},
        ),
    }


EDGES: dict[str, Callable[[], dict[str, Any]]] = {
    "blocked": dict,
    "held": lambda: {"left": em.fixed(0.25), "right": em.fixed(lambda t: 0.3 + 0.01 * t)},
    "open": lambda: {"left": em.fixed(0.25), "right": em.flux(lambda t: 0.02 * (1 + t))},
    "let in": lambda: {"left": em.flux(0.01), "right": em.flux(-0.02)},
}


def wave(x: np.ndarray) -> np.ndarray:
    return 0.3 + 0.05 * np.cos(1.3 * x[0] + x[1])


def film(domain: em.mesh.Domain, on: dict[str, Any]) -> Case:
    field = tuple([0.1, 0.05, 0.02][: domain.dim])
    return [em.film.model(domain, em.film.cupd(), field=field, initial=wave, on=on)], 2.0


def migration(domain: em.mesh.Domain, on: dict[str, Any], **more: Any) -> Case:
    drift = tuple([1.5, 0.4, 0.2][: domain.dim])
    return [em.migration.model(domain, diffusivity=0.5, drift=drift, initial=wave, on=on, **more)], 0.5


def fitted(domain: em.mesh.Domain, on: dict[str, Any]) -> Case:
    sinks = em.migration.sinks(equilibrium=0.4, lifetime=2.0)
    return migration(domain, on, stabilisation="fitted", source=sinks)


def heat(domain: em.mesh.Domain, on: dict[str, Any]) -> Case:
    scaled = {name: _times(100.0, c) for name, c in on.items()}
    if "top" in domain.names:
        scaled["top"] = em.heat.convection(0.3, 20.0)
    conductivity = lambda t: 2.0 + 1e-3 * t  # noqa: E731
    given: dict[str, Any] = {"conductivity": conductivity, "heat_capacity": 1.5, "source": 3.0, "loss": (0.2, 25.0)}
    return [em.heat.model(domain, on=scaled, initial=lambda x: 100.0 * wave(x), **given)], 2.0


def _times(factor: float, condition: Any) -> Any:
    value = condition.value
    return type(condition)((lambda t: factor * value(t)) if callable(value) else factor * value)


def test_print():
    for name, make in shapes().items():
        for edges, on in EDGES.items():
            for physics in (film, migration, fitted, heat):
                try:
                    models, until = physics(make(), on())
                    told = closed(models, until)
                except Exception as e:
                    told = repr(e)[:150]
                print(f"{name:15s} {edges:8s} {physics.__name__:10s}", told)


def closed(models: Sequence[em.Model], until: float) -> dict[str, float]:
    """The relative imbalances at the end and over the run, of all that the first model conserves."""
    found = {}
    books = {}
    for name, sheet in models[0].balances.items():
        if sheet.held(models[0]) or sheet.out or sheet.made:
            books[name] = em.accumulate(models[0], name)
    em.evolve([*models, *books.values()], until, rtol=1e-2, progress=False)
    for name in models[0].balances:
        found[name] = em.balance(models[0], name).relative
    for name, book in books.items():
        found[f"{name} run"] = abs(book.quantity(f"{name} imbalance")) / book.quantity(f"{name} turnover")
    return found
