"""Run on several ranks: models of every kind are written and read; values inside cells as JSON."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import emfem as em
from emfem.storage import StateReader, StateWriter
from emfem.studies import Case, templates

import dolfinx
import numpy as np
from dolfinx import fem

SMALL: dict[str, dict[str, Any]] = {
    "film": {"domain.cells": [5, 4]},
    "strip": {"domain.size": 8},
    "conduction": {"domain.size": "0.5um"},
    "heat": {"domain.cells": 10},
    "joule": {"domain.size": "3um"},
    "migration": {"domain.cells": 10},
    "stress": {"domain.cells": 12},
    "surface": {"domain.cells": [32, 16], "surface.interface_width": "50nm"},
}
CUPD = em.film.cupd()
COPPER = em.materials.copper(temperature=573.0)
NODES = [(0.0, 0.0, 0.0), (2e-5, 0.0, 0.0), (2e-5, 3e-5, 0.0), (1.2e-5, -2e-5, 1e-5), (1.2e-5, 1e-5, 0.0)]


def wires(dim: int) -> em.Model:
    """A network in which wires meet, and one crosses another without touching it."""
    nodes = [node[:dim] for node in NODES]
    domain = em.mesh.network(
        nodes, [(0, 1), (1, 2), (0, 4), (4, 3)], width=1e-6, thickness=5e-7, cells=3, names={0: "pad", 2: "end"}
    )
    return em.stress.model(domain, COPPER, current_density=[0.0, 0.0, 0.0, 0.0])


def regions() -> em.Model:
    """A plate of two regions with a thickness."""
    domain = em.mesh.grains(em.mesh.rectangle((4.0, 3.0), cells=(5, 4)), 3, seed=1).with_thickness(0.2)
    return em.conduction.model(domain, conductivity=2.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})


GEOMETRIES: dict[str, Callable[[], em.Model]] = {
    "line": lambda: em.film.model(em.mesh.periodic_interval(10.0, cells=5), CUPD, mean=0.3, field=(0.1,), degree=1),
    "curved": lambda: em.film.model(
        em.mesh.periodic_cell((4.0, 4.0), holes=[(2.0, 2.0, 0.5)], size=1.0, order=2), CUPD, mean=0.3, field=(0.1, 0.2)
    ),
    "hexahedra": lambda: em.film.model(
        em.mesh.periodic_box((3.0, 2.0, 2.0), cells=(3, 3, 3)), CUPD, mean=0.3, field=(0.1, 0.2, 0.3)
    ),
    "tetrahedra": lambda: em.stress.model(
        em.mesh.box((4e-6, 2e-6, 1e-6), cells=(3, 2, 2), cell="tetrahedron"), COPPER, current_density=(1e10, 0.0, 0.0)
    ),
    "cubic": lambda: em.stress.model(
        em.mesh.rectangle((4e-6, 2e-6), cells=(3, 2), cell="triangle"), COPPER, current_density=(1e10, 0.0), degree=3
    ),
    "axisymmetric": lambda: em.conduction.model(
        em.mesh.axisymmetric(em.mesh.rectangle((2.0, 1.0), cells=(4, 3))),
        conductivity=1.0,
        on={"left": em.fixed(1.0), "right": em.fixed(0.0)},
    ),
    "shell": lambda: em.conduction.model(
        em.mesh.tube(radius=1.0, length=2.0, size=0.7).with_thickness(0.1),
        conductivity=1.0,
        on={"left": em.fixed(1.0), "right": em.fixed(0.0)},
    ),
    "two cells": lambda: em.stress.model(
        em.mesh.rectangle((2e-6, 1e-6), cells=(2, 1)), COPPER, current_density=(1e10, 0.0)
    ),
    "plane wires": lambda: wires(2),
    "wires in space": lambda: wires(3),
    "regions": regions,
}


def models_of(name: str) -> list[em.Model]:
    """The models of a small template, or of a geometry, in a state that differs everywhere."""
    if name in GEOMETRIES:
        models = [GEOMETRIES[name]()]
    else:
        models = Case.from_dict(tomllib.loads(templates.text(name))).with_(**SMALL[name]).build()
    for model in models:
        lower, upper = em.mesh.bounds(model.mesh)
        model.t = 1.5
        for i, unknown in enumerate(model.unknowns):
            function = unknown.function
            function.known = True
            if function.function_space.dofmap.index_map.size_global == 1:
                function.x.array[:] = 0.5 * unknown.scale
                continue
            start = function.x.array.copy()
            phases = (2 * np.pi * (i + 1) * (x - low) / (high - low) for x, low, high in _axes(function, lower, upper))
            function.x.array[:] = start + 0.03 * unknown.scale * sum(np.sin(phase) for phase in phases)
            function.x.scatter_forward()
    return models


def _axes(function: Any, lower: np.ndarray, upper: np.ndarray) -> list[tuple[np.ndarray, float, float]]:
    """Coordinates of the nodes along each axis that has a length, and the ends of it."""
    x = function.function_space.tabulate_dof_coordinates().T
    return [(x[i], lower[i], upper[i]) for i in range(len(lower)) if upper[i] > lower[i]]


def places(mesh: dolfinx.mesh.Mesh) -> np.ndarray:
    """Points inside cells, at no node, in an order that does not depend on ranks, shape (n, dim)."""
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    nodes = mesh.geometry.dofmaps[0][:owned]
    corners = mesh.geometry.x[nodes]
    inside = 0.42 * corners.mean(axis=1) + 0.37 * corners[:, 0] + 0.21 * corners[:, 1]
    found = np.concatenate(mesh.comm.allgather(inside))[:, : mesh.geometry.dim]
    rounded = np.round((found - found.min(axis=0)) / np.ptp(found), 9)
    return found[np.lexsort(rounded.T)][:: max(1, len(found) // 25)]


def values(models: Sequence[Any], points: np.ndarray) -> dict[str, Any]:
    """Every field of every model at points, and what the domain is."""
    domain = models[-1].domain
    found = {
        f"{model.name} {name}": em.fields.evaluate(_at_degree(model, name), points).tolist()
        for model in models
        for name in model.names
    }
    ends = {
        name: em.fields.integral(fem.form(_one(domain) * domain.ds(name, 2)), domain.mesh.comm) for name in domain.names
    }
    parts = {
        name: em.fields.integral(fem.form(_one(domain) * domain.dx(2, name)), domain.mesh.comm)
        for name in domain.regions
    }
    numbers = {f"{model.name} {name}": model.quantity(name) for model in models for name in model.quantities}
    units = {f"{model.name} {name}": field.unit for model in models for name, field in model.fields.items()}
    return {"fields": found, "ends": ends, "parts": parts, "domain": str(domain), "units": units, "numbers": numbers}


def _one(domain: em.mesh.Domain) -> Any:
    return fem.Constant(domain.mesh, 1.0)


def _at_degree(model: Any, name: str) -> Any:
    """A derived field as it is stored: interpolated with the degree of the unknowns."""
    if isinstance(model[name], fem.Function):
        return model[name]
    degree = max(u.function.function_space.element.basix_element.degree for u in model.unknowns)
    return em.fields.discontinuous(model[name], model.mesh, degree)


def main(modes: str, folder: Path, names: list[str]) -> None:
    """Print what models hold after each of the modes, such as "write" or "write and read"."""
    told = [held(mode, folder, names) for mode in modes.split(" and ")]
    em.write.print_root(json.dumps(told if len(told) > 1 else told[0]))


def held(mode: str, folder: Path, names: list[str]) -> dict[str, Any]:
    """Write the models, write another state on other ranks, or read one or all; return what they hold."""
    told = {}
    for name in names:
        place, points = folder / name, folder / name / "points.npy"
        if mode == "write":
            models: Sequence[em.Model] = models_of(name)
            StateWriter(place, models).save(place / "state.npz")
            fields = em.vtk.CellFields(models)
            em.vtk.write_vtu(place / "fields.vtu", fields, 1.5)
            inside = places(models[-1].mesh)
            if models[-1].mesh.comm.rank == 0:
                np.save(points, inside)
            told[name] = values(models, inside)
        elif mode == "resume":
            models = models_of(name)
            writer, ranks = StateWriter(place, models, resume=True), models[0].mesh.comm.size
            for unknown in (unknown for model in models for unknown in model.unknowns):
                unknown.function.x.array[:] *= 1.0 + 0.01 * ranks
            writer.save(place / f"resumed-{ranks}.npz")
            told[f"{name} resumed-{ranks}"] = values(models, np.load(points))
        else:
            states = ["state"] if mode == "read" else ["resumed-2", "resumed-1", "state"]
            reader = StateReader(place)
            for state in states:
                key = name if state == "state" else f"{name} {state}"
                told[key] = values(reader.read(place / f"{state}.npz"), np.load(points))
    return told


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:] or [*SMALL, *GEOMETRIES])
