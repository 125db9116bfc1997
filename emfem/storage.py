"""Fields of models on disk, with the mesh they live on: a folder that describes itself.

`fields.json` holds the version of the format and says what is there: the domain, the function spaces, and the fields
of each model with their units. `mesh.npz` holds one row for each cell: its nodes, its geometry, the tags of its facets,
its region, and the numbers of its degrees of freedom in each space. A state holds the values of these degrees of
freedom, and what `em.checkpoint.load` needs. All ranks write and read their own rows; nothing is gathered. The three
have the same random number: files of different runs do not fit each other, even where their sizes do.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from dataclasses import fields as attributes
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from emfem import checkpoint
from emfem.dimensions import Meaning, System
from emfem.errors import EmfemError, ParameterError
from emfem.fields import Interpolation
from emfem.files import Arrays, save_arrays, writable
from emfem.mesh import Domain, axisymmetric
from emfem.mesh.distribute import with_cell_geometry
from emfem.mesh.graph import Network
from emfem.mesh.network import faces
from emfem.mesh.raw import FACETS
from emfem.model import Model, Quantity, Unknown
from emfem.model.conditions import DirichletCondition
from emfem.public import dir_of

import basix.ufl
import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

__all__ = ["SavedModel", "StateReader", "StateWriter", "contents"]
__dir__ = dir_of(__all__)

FORMAT = 1
CONTENTS, MESH = "fields.json", "mesh.npz"
READ_ERRORS = (  # of half a file
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError),
    *(BadZipFile, zlib.error),
)
NETWORK = ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer")


class StateWriter:
    """Writer of the fields of models, unknown and derived, into a folder: the mesh once, then one file for each state.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: os.PathLike[str] | str, models: Sequence[Model]) -> None:
        """Write mesh and table of contents. Collective.

        Raises:
            ParameterError: if the folder cannot be written to, or the models live on several meshes.
        """
        self.folder, self.models = Path(folder), tuple(models)
        self._domain = max((model.domain for model in models), key=lambda domain: len(domain.regions))
        self._comm = self._domain.mesh.comm
        if any(model.mesh is not self._domain.mesh for model in models):
            msg = f"models {', '.join(model.name for model in models)}, must be on one mesh to be saved together"
            raise ParameterError(msg)
        writable(self.folder / CONTENTS, comm=self._comm)
        self._derived: list[Interpolation] = []
        self._functions: dict[str, fem.Function] = {}
        spaces: list[tuple[dict[str, Any], fem.FunctionSpace]] = []
        described = []
        for key, model in zip(checkpoint.keys(models), models, strict=True):
            fields = {}
            for name, field in model.fields.items():
                function = self._function(model, field.value)
                self._functions[f"{key}/{name}"] = function
                space = function.function_space
                known = [i for i, (_, other) in enumerate(spaces) if _same(space, other)]
                if not known:
                    spaces.append((_element(space), space))
                fields[name] = {"space": (known or [len(spaces) - 1])[0], "meaning": asdict(field.meaning)}
            described.append(
                {
                    "name": model.name,
                    "key": key,
                    "unknowns": [unknown.name for unknown in model.unknowns],
                    "system": asdict(model.system),
                    "roles": model.roles,
                    "fields": fields,
                    "quantities": {name: asdict(quantity.meaning) for name, quantity in model.quantities.items()},
                    "conditions": [[c.boundary, c.unknown.name] for c in model.conditions],
                }
            )
        self._id = np.array(self._comm.bcast(int.from_bytes(os.urandom(6)), root=0))
        self._write_mesh([space for _, space in spaces])
        content = {
            "format": FORMAT,
            "id": int(self._id),
            "emfem": version("emfem"),
            "domain": _described(self._domain),
            "spaces": [element for element, _ in spaces],
            "models": described,
        }
        content["checksum"] = _checksum(content)
        if self._comm.rank == 0:
            (self.folder / CONTENTS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        self._comm.barrier()

    def __repr__(self) -> str:
        """Return one line."""
        return f"<StateWriter of {', '.join(model.name for model in self.models)} to {self.folder}>"

    def save(self, path: os.PathLike[str] | str) -> Path:
        """Write the present state; `em.checkpoint.load` reads its unknowns too. Collective.

        Raises:
            ParameterError: if the file cannot be written.
        """
        target = writable(path, ".npz", comm=self._comm)
        for derived in self._derived:
            derived.refresh()
        rows, shared = checkpoint.arrays(self.models)
        shared["id"] = self._id
        for key, model in zip(checkpoint.keys(self.models), self.models, strict=True):
            shared[f"{key}/quantities"] = np.array([_number(model, name) for name in model.quantities])
            shared[f"{key}/held"] = np.array([float(c.value) for c in model.conditions])
        rows |= {key: checkpoint.owned(function) for key, function in self._functions.items()}
        save_arrays(target, rows, shared, comm=self._comm)
        return target

    def _function(self, model: Model, field: Any) -> fem.Function:
        """Return a field as a Function; a derived one is interpolated again at each state."""
        if isinstance(field, fem.Function):
            return field
        degree = max(u.function.function_space.element.basix_element.degree for u in model.unknowns)
        self._derived.append(Interpolation(field, model.mesh, degree))
        return self._derived[-1].function

    def _write_mesh(self, spaces: Sequence[fem.FunctionSpace]) -> None:
        """Write a row for each cell."""
        domain, mesh, topology = self._domain, self._domain.mesh, self._domain.mesh.topology
        dim, nodes = topology.dim, mesh.geometry.dofmaps[0]
        owned = topology.index_map(dim).size_local
        topology.create_connectivity(dim, dim - 1)
        facets = topology.connectivity(dim, dim - 1).array.reshape(-1, len(FACETS[topology.cell_name()]))[:owned]
        if domain.network is None:
            identity = _dofs(fem.functionspace(mesh, ("Lagrange", mesh.geometry.cmaps[0].degree)))
        else:
            identity = mesh.geometry.input_global_indices[nodes[:owned]].astype(np.int64)
        rows = {
            "cells": identity,
            "geometry": mesh.geometry.x[nodes[:owned], : mesh.geometry.dim],
            "facets": _dense(domain.facets, dim - 1)[facets],
            "regions": _dense(domain.cells, dim)[:owned] if domain.cells else np.zeros(owned, dtype=np.int32),
            **{f"dofs {i}": _dofs(space) for i, space in enumerate(spaces)},
        }
        shared = {"id": self._id}
        if domain.network is not None and domain.segment is not None:
            rows["segment"] = domain.segment[:owned]
            shared |= {f"network/{name}": np.asarray(getattr(domain.network, name)) for name in NETWORK}
        save_arrays(self.folder / MESH, rows, shared, comm=self._comm)


def contents(folder: os.PathLike[str] | str) -> dict[str, Any]:
    """Return the table of contents of a folder.

    Raises:
        ParameterError: if it is missing or damaged, or of a newer format.
    """
    path = Path(folder) / CONTENTS
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        version_of_format = int(table["format"])
        checksum = table.pop("checksum", None)  # of folders that were written before there is none
    except READ_ERRORS as error:
        msg = f"{path} cannot be read: {_reason(error)}"
        raise ParameterError(msg) from None
    if version_of_format > FORMAT:
        msg = (
            f"{path} has format {version_of_format}, must be at most {FORMAT}: take emfem {table.get('emfem')} or newer"
        )
        raise ParameterError(msg)
    missing = {"domain", "spaces", "models"} - table.keys()
    if missing:
        msg = f"{path} cannot be read: it has no {', '.join(sorted(missing))}"
        raise ParameterError(msg)
    if checksum not in (None, _checksum(table)):
        msg = f"{path} cannot be read: it is damaged"
        raise ParameterError(msg)
    return table


def _checksum(table: Mapping[str, Any]) -> int:
    """Return the checksum of a table of contents."""
    return zlib.crc32(json.dumps(table).encode())


class SavedModel(Model):
    """The fields of a model in a saved state, with their units, and its numbers. It has no equations."""

    def __init__(
        self, name: str, domain: Domain, functions: Mapping[str, fem.Function], entry: Mapping[str, Any]
    ) -> None:
        """Take the fields, whose values come later, and the entry of the model in the table of contents."""
        self.name, self.domain, self.t, self.system = name, domain, 0.0, _system(entry["system"])
        self.unknowns = tuple(Unknown(functions[unknown]) for unknown in entry["unknowns"])
        self.expressions = {name: function for name, function in functions.items() if name not in entry["unknowns"]}
        self._meanings = {name: _meaning(field["meaning"]) for name, field in entry["fields"].items()}
        self.roles, self.drivers, self.resolutions = dict(entry.get("roles", {})), (), ()
        self.balances: dict[str, Any] = {}
        self.numbers: dict[str, float] = {}
        self.quantities = {
            name: Quantity(lambda name=name: self.numbers[name], _meaning(meaning))
            for name, meaning in entry["quantities"].items()
        }
        nothing = np.zeros(0, dtype=np.int32)
        self.conditions = tuple(
            DirichletCondition(
                boundary, next(u for u in self.unknowns if u.name == unknown), nothing, fem.Constant(domain.mesh, 0.0)
            )
            for boundary, unknown in entry["conditions"]
        )
        for key, function in functions.items():
            function.name, function.meaning = key, self._meanings[key]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the placeholders: none."""
        return ()

    @property
    def residual(self) -> Any:
        """Refuse: a run can go on only from a model with equations.

        Raises:
            ParameterError: always.
        """
        msg = f"the {self.name} model is one of results, must be built again to be solved: it has fields, no equations"
        raise ParameterError(msg)


class StateReader:
    """Reader of a folder of `StateWriter`, on any number of ranks.

    Attributes:
        domain: the domain on its mesh, with boundaries, regions and weight.
        models: a `SavedModel` for each model, in the state that was read last.
    """

    def __init__(self, folder: os.PathLike[str] | str, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        """Read the mesh. Collective.

        Raises:
            ParameterError: if a file is missing or damaged, or of a newer format.
        """
        self.folder = Path(folder)
        table = contents(self.folder)
        self._id = table.get("id")
        try:
            arrays = Arrays(self.folder / MESH, comm)
            self._check_id(arrays)
            self.domain, rows = _read_domain(table["domain"], arrays, comm)
            self._spaces = [
                _read_space(self.domain.mesh, element, arrays[f"dofs {i}"][rows])
                for i, element in enumerate(table["spaces"])
            ]
        except READ_ERRORS as error:
            msg = f"{self.folder / MESH} cannot be read: {_reason(error)}"
            raise ParameterError(msg) from None
        self._functions: dict[str, tuple[fem.Function, NDArray[np.int64]]] = {}
        self.models, self._keys = [], []
        for entry in table["models"]:
            functions = {}
            for name, field in entry["fields"].items():
                space, source = self._spaces[field["space"]]
                functions[name] = fem.Function(space, name=name)
                self._functions[f"{entry['key']}/{name}"] = functions[name], source
            self.models.append(SavedModel(entry["name"], self.domain, functions, entry))
            self._keys.append(entry["key"])

    def __repr__(self) -> str:
        """Return one line."""
        return f"<StateReader of {', '.join(model.name for model in self.models)} in {self.folder}>"

    def read(self, path: os.PathLike[str] | str) -> list[SavedModel]:
        """Give the models the state in a file, all of them or none. Collective.

        Raises:
            ParameterError: if it is missing or damaged, or has not all of the fields.
        """
        try:
            arrays = Arrays(path, self.domain.mesh.comm)
            self._check_id(arrays)
            t = float(arrays["t"])
            values = [
                arrays[key].reshape(-1, function.function_space.dofmap.index_map_bs)[source].reshape(-1)
                for key, (function, source) in self._functions.items()
            ]
            numbers = [(arrays[f"{key}/quantities"], arrays[f"{key}/held"]) for key in self._keys]
        except READ_ERRORS as error:
            msg = f"{path} cannot be read: {_reason(error)}"
            raise ParameterError(msg) from None
        for (function, _), array in zip(self._functions.values(), values, strict=True):
            function.x.array[:] = array
        for model, (quantities, levels) in zip(self.models, numbers, strict=True):
            model.t = t
            model.numbers = dict(zip(model.quantities, map(float, quantities), strict=True))
            for condition, value in zip(model.conditions, levels, strict=True):
                condition.value.value = value
        return self.models

    def _check_id(self, arrays: Arrays) -> None:
        """Refuse a file of another run. Collective."""
        if self._id is not None and self._id != int(arrays["id"]):
            msg = f"it is of another run than {self.folder / CONTENTS}"
            raise ValueError(msg)


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
        "axisymmetric": domain.weight is not None and domain.thickness is None and network is None,
        "length_unit": domain.length_unit,
        "network": network
        and {
            "names": network.names,
            "layers": network.layers,
            "pads": [[int(node), float(voltage)] for node, voltage in network.pads.items()],
            "boundaries": {name: np.asarray(nodes).tolist() for name, nodes in network.boundaries.items()},
        },
    }


def _read_domain(about: Mapping[str, Any], arrays: Arrays, comm: MPI.Comm) -> tuple[Domain, NDArray[np.int64]]:
    """Return the domain, and for each cell of this rank its row in the file."""
    cells = np.array((cells := arrays["cells"])[_part(len(cells), comm)])
    nodes = comm.allreduce(int(cells.max(initial=-1)), op=MPI.MAX) + 1
    element = basix.ufl.element("Lagrange", about["cell"], about["degree"], shape=(about["dim"],))
    network = _read_network(about["network"], arrays) if about["network"] else None
    mesh = dolfinx.mesh.create_mesh(
        comm,
        cells,
        element,
        np.zeros((_part(nodes, comm).stop - _part(nodes, comm).start, about["dim"])),
        max_facet_to_cell_links=2 if network is None else max(2, int(network.degree.max())),
    )
    topology, dim = mesh.topology, mesh.topology.dim
    rows = topology.original_cell_index.astype(np.int64)
    corners = arrays["geometry"][rows]
    if any(about["period"]):
        mesh = with_cell_geometry(mesh, element, corners, tuple(about["period"]))
    else:
        mesh.geometry.x[mesh.geometry.dofmaps[0].ravel(), : about["dim"]] = corners.reshape(-1, about["dim"])
    topology.create_connectivity(dim, dim - 1)
    topology.create_connectivity(dim - 1, dim)
    facets = topology.index_map(dim - 1)
    tags = np.zeros(facets.size_local + facets.num_ghosts, dtype=np.int32)
    np.maximum.at(tags, topology.connectivity(dim, dim - 1).array, arrays["facets"][rows].ravel())
    domain = Domain(
        mesh,
        about["shape"],
        tuple(about["boundaries"]),
        _tags(mesh, dim - 1, tags),
        tuple(about["regions"]),
        _tags(mesh, dim, arrays["regions"][rows]) if about["regions"] else None,
        length_unit=about["length_unit"],
    )
    if about["thickness"] is not None:
        domain = domain.with_thickness(about["thickness"])
    if about["axisymmetric"]:
        domain = replace(axisymmetric(domain), shape=about["shape"])
    if network is not None:
        segment = arrays["segment"][rows]
        section = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="cross-section")
        section.x.array[section.function_space.dofmap.list[:, 0]] = network.cross_sections[segment]
        wires = {"network": network, "segment": segment, "weight": section, "weight_lengths": 2}
        domain = replace(domain, faces=faces(mesh, network), **wires)
    return domain, rows


def _read_network(about: Mapping[str, Any], arrays: Arrays) -> Network:
    """Return the wires of a network."""
    return Network(
        **{name: np.array(arrays[f"network/{name}"]) for name in NETWORK},
        names=tuple(about["names"]),
        layers=tuple(about["layers"]),
        pads=dict(about["pads"]),
        boundaries={name: np.array(nodes, dtype=np.int64) for name, nodes in about["boundaries"].items()},
    )


def _read_space(
    mesh: dolfinx.mesh.Mesh, record: Mapping[str, Any], dofs: NDArray[np.int64]
) -> tuple[fem.FunctionSpace, NDArray[np.int64]]:
    """Return a function space, and for each node of this rank its row in a state."""
    shape = tuple(record["shape"])
    if record["real"]:
        element = basix.ufl.real_element(mesh.basix_cell(), shape)
    else:
        element = basix.ufl.element(
            record["family"],
            mesh.basix_cell(),
            record["degree"],
            basix.LagrangeVariant[record["variant"]],
            shape=shape or None,
            discontinuous=record["discontinuous"],
        )
    space = fem.functionspace(mesh, element)
    index_map = space.dofmap.index_map
    source = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=np.int64)
    source[space.dofmap.list] = dofs
    return space, source


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


def _tags(mesh: dolfinx.mesh.Mesh, dim: int, values: NDArray[np.int32]) -> dolfinx.mesh.MeshTags:
    """Return tags of the entities whose value is not 0."""
    tagged = np.flatnonzero(values).astype(np.int32)
    return dolfinx.mesh.meshtags(mesh, dim, tagged, np.ascontiguousarray(values[tagged]))


def _part(n: int, comm: MPI.Comm) -> slice:
    """Return the share of this rank in n rows."""
    return slice(n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size)


def _number(model: Model, name: str) -> float:
    """Return a quantity, NaN where it cannot be computed."""
    try:
        return model.quantity(name)
    except EmfemError:
        return np.nan


def _system(entry: Mapping[str, Any]) -> System:
    return System(**{field.name: entry[field.name] for field in attributes(System) if field.name in entry})


def _meaning(entry: Mapping[str, Any]) -> Meaning:
    known = {field.name: entry[field.name] for field in attributes(Meaning) if field.name in entry}
    return Meaning(**known | {"system": _system(entry["system"])})


def _reason(error: Exception) -> str:
    """Return a short reason of an error."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return str(getattr(error, "strerror", None) or error)
