"""Writer of the fields of models into a folder."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

from emfem import checkpoints
from emfem.errors import EmfemError, ParameterError, require
from emfem.fields import Interpolation
from emfem.files import READ_ERRORS, Arrays, reason, save_arrays, writable
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.mesh.distribute import on_root
from emfem.mesh.raw import FACETS
from emfem.model import Model
from emfem.storage.table import (
    CONTENTS,
    FORMAT,
    MESH,
    NETWORK,
    checksum,
    contents,
    mesh_file,
    tags_of,
)

import basix.ufl
import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

NEAR = 1e-9  # part of the longest edge within which nodes are the same
BLOCK = 1_000_000  # stored cells that are looked at together


@checked(collective=True)
class StateWriter:
    """Writer of the fields of models, unknown and derived, into a folder: the mesh once, then one file for each state.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: os.PathLike[str] | str, models: Sequence[Model], *, resume: bool = False) -> None:
        """Write mesh and table of contents. Collective.

        Args:
            folder: the folder; it is made.
            models: the models, on one mesh.
            resume: True to go on in a folder of the same models, on any number of ranks: its states stay valid.

        Raises:
            ParameterError: if the folder cannot be written to, or the models live on several meshes; to resume, if the
                folder is missing or damaged, or has other models or another mesh.
        """
        require(len(models) > 0, "models = [], must be at least one")
        self.folder, self.models = Path(folder), tuple(models)
        mesh = self.models[0].mesh
        self._comm = mesh.comm
        if any(model.mesh is not mesh for model in models):
            msg = f"models {', '.join(model.name for model in models)}, must be on one mesh to be saved together"
            raise ParameterError(msg)
        writable(self.folder / CONTENTS, comm=self._comm)
        self._domains = _distinct([model.domain for model in models])
        self._derived: list[Interpolation] = []
        self._functions: dict[str, fem.Function] = {}
        self._spaces: list[fem.FunctionSpace] = []
        described = [self._entry(key, model) for key, model in zip(checkpoints.keys(models), models, strict=True)]
        content = {
            "domains": [_described(domain) for domain in self._domains],
            "spaces": [_element(space) for space in self._spaces],
            "models": described,
        }
        self._generation = np.array(0)
        if resume:
            self._resume(json.loads(json.dumps(content)))
        else:
            self._begin(content)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<StateWriter of {', '.join(model.name for model in self.models)} to {self.folder}>"

    @checked
    def save(self, path: os.PathLike[str] | str) -> Path:
        """Write the present state; `em.checkpoint.load` reads its unknowns too. Collective.

        Raises:
            ParameterError: if the file cannot be written.
        """
        target = writable(path, ".npz", comm=self._comm)
        for derived in self._derived:
            derived.refresh()
        rows, shared = checkpoints.arrays(self.models)
        shared |= {"id": self._id, "generation": self._generation}
        for key, model in zip(checkpoints.keys(self.models), self.models, strict=True):
            shared[f"{key}/quantities"] = np.array([_number(model, name) for name in model.quantities])
            shared[f"{key}/held"] = np.array([float(c.value) for c in model.conditions])
        rows |= {key: checkpoints.owned(function) for key, function in self._functions.items()}
        save_arrays(target, rows, shared, comm=self._comm)
        return target

    def _entry(self, key: str, model: Model) -> dict[str, Any]:
        """Return the entry of a model in the table of contents."""
        fields = {}
        for name, field in model.fields.items():
            function = self._function(model, field.value)
            self._functions[f"{key}/{name}"] = function
            space = function.function_space
            known = [i for i, other in enumerate(self._spaces) if _same(space, other)]
            if not known:
                self._spaces.append(space)
            fields[name] = {"space": (known or [len(self._spaces) - 1])[0], "meaning": asdict(field.meaning)}
        return {
            "name": model.name,
            "key": key,
            "domain": next(i for i, domain in enumerate(self._domains) if _alike(domain, model.domain)),
            "unknowns": [unknown.name for unknown in model.unknowns],
            "system": asdict(model.system),
            "roles": model.roles,
            "fields": fields,
            "quantities": {name: asdict(quantity.meaning) for name, quantity in model.quantities.items()},
            "conditions": [[c.boundary, c.unknown.name] for c in model.conditions],
        }

    def _function(self, model: Model, field: Any) -> fem.Function:
        """Return a field as a Function; a derived one is interpolated again at each state."""
        if isinstance(field, fem.Function):
            return field
        degree = max(u.function.function_space.element.basix_element.degree for u in model.unknowns)
        self._derived.append(Interpolation(field, model.mesh, degree))
        return self._derived[-1].function

    def _begin(self, content: Mapping[str, Any]) -> None:
        """Write mesh and table of contents of a new run."""
        self._id = self._random()
        save_arrays(self.folder / MESH, self._rows() | self._dofs(), {"id": self._id, **self._wires()}, comm=self._comm)
        table = {"format": FORMAT, "id": int(self._id), "emfem": version("emfem"), **content}
        table["checksum"] = checksum(json.loads(json.dumps(table)))

        def write() -> None:
            partial = self.folder / f"{CONTENTS}.part"
            partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
            partial.replace(self.folder / CONTENTS)
            for path in self.folder.glob("mesh-*.npz"):  # of an earlier run
                path.unlink()

        on_root(f"{CONTENTS} in {self.folder}", write, self._comm)

    def _resume(self, content: Mapping[str, Any]) -> None:
        """Take the random number of the mesh file whose degrees of freedom are numbered as here, or write one more.

        Raises:
            ParameterError: if the folder has other models or another mesh.
        """
        table = contents(self.folder)
        difference = next(_differences({key: table[key] for key in content}, content), None)
        if difference:
            msg = f"{self.folder / CONTENTS} is of other models: {difference}"
            raise ParameterError(msg)
        rows = self._matched(table["id"])
        for generation in count():
            path = self.folder / mesh_file(generation)
            self._generation = np.array(generation)
            if not self._comm.bcast(path.is_file(), root=0):
                self._id = self._random()
                shared = {"id": self._id, "base": np.array(table["id"])}
                save_arrays(path, {"rows": rows, **self._dofs()}, shared, comm=self._comm)
                return
            try:
                arrays, dofs = Arrays(path, self._comm), self._dofs()
                stored = {name: arrays[name] for name in dofs}
                here = np.argsort(arrays["rows"])[rows] if generation else rows
                self._id = np.array(arrays["id"])
                of_this_run = int(arrays["base" if generation else "id"]) == table["id"]
            except READ_ERRORS:  # a damaged one is of no use
                continue
            fits = of_this_run and all(np.array_equal(stored[name][here], dofs[name]) for name in dofs)
            if self._comm.allreduce(fits, op=MPI.LAND):
                return

    def _matched(self, number: int) -> NDArray[np.int64]:
        """Return for each cell of this rank its row in the stored mesh, by place.

        Raises:
            ParameterError: if the stored mesh is damaged, or another one.
        """
        here, path = self._rows(), self.folder / MESH
        lower, upper = bounds(self.models[0].mesh)
        size = float((upper - lower).max())
        total = self._comm.allreduce(len(here["cells"]))
        try:
            arrays = Arrays(path, self._comm)
            stored = {name: arrays[name] for name in here}
            of_this_run = int(arrays["id"]) == number
        except READ_ERRORS as error:
            msg = f"{path} cannot be read: {reason(error)}"
            raise ParameterError(msg) from None
        rows = np.zeros(0, dtype=np.int64)
        alike = of_this_run and len(stored["cells"]) == total
        alike = alike and all(stored[name].shape[1:] == here[name].shape[1:] for name in here)
        if alike and len(here["cells"]):
            rows = _nearest(here, stored, size)
            alike = bool((rows >= 0).all())
            alike = alike and np.allclose(stored["geometry"][rows], here["geometry"], rtol=0.0, atol=NEAR * size)
            tags = [name for name in here if name.startswith("regions")]
            alike = alike and all(np.array_equal(stored[name][rows], here[name]) for name in tags)
        if not self._comm.allreduce(alike, op=MPI.LAND):
            msg = f"{path} has {len(stored['cells'])} cells and this mesh {total}, must be the same cells to go on"
            raise ParameterError(msg)
        return rows

    def _random(self) -> NDArray[Any]:
        """Return a random number, the same on all ranks."""
        return np.array(self._comm.bcast(int.from_bytes(os.urandom(6)), root=0))

    def _rows(self) -> dict[str, NDArray[Any]]:
        """Return a row for each cell of this rank: nodes, geometry, tags, segment."""
        mesh, topology = self.models[0].mesh, self.models[0].mesh.topology
        dim, nodes = topology.dim, mesh.geometry.dofmaps[0]
        owned = topology.index_map(dim).size_local
        topology.create_connectivity(dim, dim - 1)
        facets = topology.connectivity(dim, dim - 1).array.reshape(-1, len(FACETS[topology.cell_name()]))[:owned]
        domain = self._domains[0]
        if domain.network is None:
            cells = _dofs(fem.functionspace(mesh, ("Lagrange", mesh.geometry.cmaps[0].degree)))
        else:
            cells = mesh.geometry.input_global_indices[nodes[:owned]].astype(np.int64)
        rows = {"cells": cells, "geometry": mesh.geometry.x[nodes[:owned], : mesh.geometry.dim]}
        if domain.segment is not None:
            rows["segment"] = domain.segment[:owned]
        for i, each in enumerate(self._domains):
            rows[tags_of("facets", i)] = _dense(each.facets, dim - 1)[facets]
            none = np.zeros(owned, dtype=np.int32)
            rows[tags_of("regions", i)] = _dense(each.cells, dim)[:owned] if each.cells else none
        return rows

    def _dofs(self) -> dict[str, NDArray[np.int64]]:
        """Return the numbers of the nodes of each cell of this rank in each space."""
        return {f"dofs {i}": _dofs(space) for i, space in enumerate(self._spaces)}

    def _wires(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a network."""
        network = self._domains[0].network
        return {f"network/{name}": np.asarray(getattr(network, name)) for name in NETWORK if network is not None}


def _distinct(domains: Sequence[Domain]) -> list[Domain]:
    """Return the domains that differ, that with the most regions first."""
    result: list[Domain] = []
    for domain in sorted(domains, key=lambda each: -len(each.regions)):
        if not any(_alike(domain, other) for other in result):
            result.append(domain)
    return result


def _alike(domain: Domain, other: Domain) -> bool:
    """Return True if two domains on one mesh have the same tags and weights."""
    same_tags = domain.facets is other.facets and domain.cells is other.cells
    return same_tags and _described(domain) == _described(other)


def _differences(stored: Any, here: Any, place: str = "") -> Iterator[str]:
    """Yield a text for each difference of two tables."""
    if isinstance(stored, dict) and isinstance(here, dict):
        for key in dict.fromkeys((*here, *stored)):
            inner = f"{place}.{key}" if place else key
            if key in stored and key in here:
                yield from _differences(stored[key], here[key], inner)
            else:
                yield f"it has {inner}, must not have it" if key in stored else f"it has no {inner}"
    elif isinstance(stored, list) and isinstance(here, list) and len(stored) == len(here):
        for i, (one, other) in enumerate(zip(stored, here, strict=True)):
            yield from _differences(one, other, f"{place}[{i}]")
    elif stored != here:
        yield f"its {place} = {reprlib.repr(stored)}, must be {reprlib.repr(here)}"


def _nearest(here: Mapping[str, NDArray[Any]], stored: Mapping[str, NDArray[Any]], size: float) -> NDArray[np.int64]:
    """Return for each cell its row in the stored mesh, -1 for none, block by block."""
    tree = cKDTree(_places(here, slice(None), size))
    rows = np.full(len(here["cells"]), -1, dtype=np.int64)
    for first in range(0, len(stored["cells"]), BLOCK):
        places = _places(stored, slice(first, first + BLOCK), size)
        distance, nearest = tree.query(places, distance_upper_bound=NEAR * size)
        hit = np.flatnonzero(np.isfinite(distance))
        rows[nearest[hit]] = first + hit
    return rows


def _places(rows: Mapping[str, NDArray[Any]], part: slice, size: float) -> NDArray[np.float64]:
    """Return the middles of cells, and in a network, where wires may cross, their segments."""
    middles = rows["geometry"][part].mean(axis=1)
    return np.column_stack([middles, rows["segment"][part] * size]) if "segment" in rows else middles


def _described(domain: Domain) -> dict[str, Any]:
    """Return the attributes of a domain that are no arrays."""
    mesh, network = domain.mesh, domain.network
    return {
        "shape": domain.shape,
        "cell": mesh.topology.cell_name(),
        "dim": domain.dim,
        "degree": mesh.geometry.cmaps[0].degree,
        "period": [float(length) for length in domain.period],
        "boundaries": domain.names,
        "regions": domain.regions,
        "thickness": domain.thickness,
        "axisymmetric": domain.turned,
        "length_unit": domain.length_unit,
        "network": network
        and {
            "names": network.names,
            "wire_names": network.wire_names,
            "layers": network.layers,
            "pads": [[int(node), float(voltage)] for node, voltage in network.pads.items()],
            "boundaries": {name: np.asarray(nodes).tolist() for name, nodes in network.boundaries.items()},
        },
    }


def _element(space: fem.FunctionSpace) -> dict[str, Any]:
    """Return the element of a space."""
    element = space.element.basix_element
    return {
        "family": element.family.name,
        "degree": element.degree,
        "variant": element.lagrange_variant.name,
        "discontinuous": element.discontinuous,
        "shape": list(space.value_shape),
        "real": isinstance(space.ufl_element(), type(basix.ufl.real_element(space.mesh.basix_cell(), ()))),
    }


def _same(space: fem.FunctionSpace, other: fem.FunctionSpace) -> bool:
    """Return True if two spaces number their degrees of freedom alike. Collective."""
    alike = _element(space) == _element(other) and np.array_equal(space.dofmap.list, other.dofmap.list)
    return space.mesh.comm.allreduce(alike, op=MPI.LAND)


def _dofs(space: fem.FunctionSpace) -> NDArray[np.int64]:
    """Return global numbers of the nodes of each cell that this rank owns, shape (cells, nodes)."""
    owned = space.mesh.topology.index_map(space.mesh.topology.dim).size_local
    dofs = space.dofmap.list[:owned]
    return space.dofmap.index_map.local_to_global(dofs.ravel()).astype(np.int64).reshape(dofs.shape)


def _dense(tags: dolfinx.mesh.MeshTags, dim: int) -> NDArray[np.int32]:
    """Return the tag of each entity of this rank, 0 for none."""
    index_map = tags.topology.index_map(dim)
    values = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=np.int32)
    values[tags.indices] = tags.values
    return values


def _number(model: Model, name: str) -> float:
    """Return a quantity, NaN where it cannot be computed."""
    try:
        return model.quantity(name)
    except EmfemError:
        return np.nan
