"""Reader of a folder of states."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields as attributes
from dataclasses import replace
from pathlib import Path
from typing import Any

from emfem.dimensions import Meaning, System
from emfem.errors import ParameterError, require
from emfem.files import READ_ERRORS, Arrays, reason
from emfem.gate import checked
from emfem.mesh import Domain, axisymmetric
from emfem.mesh.distribute import with_cell_geometry
from emfem.mesh.graph import Network
from emfem.mesh.network import faces
from emfem.model import Model, Quantity, Unknown
from emfem.model.conditions import DirichletCondition
from emfem.storage.table import CONTENTS, MESH, NETWORK, contents, mesh_file, tags_of

import basix.ufl
import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

HIGHEST_DEGREE = 20  # a damaged degree would never end


@checked
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


@checked(collective=True)
class StateReader:
    """Reader of a folder of `StateWriter`, on any number of ranks.

    Attributes:
        domain: the domain of the models with boundaries, regions and weight; that with the most regions if they differ.
        models: a `SavedModel` for each model, in the state that was read last.
    """

    def __init__(self, folder: os.PathLike[str] | str, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        """Read the mesh. Collective.

        Raises:
            ParameterError: if a file is missing or damaged, or of a newer format.
        """
        self.folder = Path(folder)
        table = contents(self.folder)
        self._id: int | None = table.get("id")
        self._ids: dict[int, int] = {}
        try:
            arrays = Arrays(self.folder / MESH, comm)
            self._check_id(arrays)
            mesh, self._rows = _read_mesh(table["domains"][0], arrays, comm)
            domains = [_read_domain(mesh, i, about, arrays, self._rows) for i, about in enumerate(table["domains"])]
            self._spaces = [_read_space(mesh, element) for element in table["spaces"]]
            self._sources = {0: self._source(arrays, self._rows)}
        except READ_ERRORS as error:
            msg = f"{self.folder / MESH} cannot be read: {reason(error)}"
            raise ParameterError(msg) from None
        self.domain = domains[0]
        self._functions: dict[str, tuple[fem.Function, int]] = {}
        self.models, self._keys = [], []
        try:
            for entry in table["models"]:
                functions = {}
                for name, field in entry["fields"].items():
                    functions[name] = fem.Function(self._spaces[field["space"]], name=name)
                    self._functions[f"{entry['key']}/{name}"] = functions[name], field["space"]
                domain = domains[entry.get("domain", 0)]
                self.models.append(SavedModel(entry["name"], domain, functions, entry))
                self._keys.append(entry["key"])
        except READ_ERRORS as error:
            msg = f"{self.folder / CONTENTS} cannot be read: {reason(error)}"
            raise ParameterError(msg) from None

    def __repr__(self) -> str:
        """Return one line."""
        return f"<StateReader of {', '.join(model.name for model in self.models)} in {self.folder}>"

    @checked
    def read(self, path: os.PathLike[str] | str) -> list[SavedModel]:
        """Give the models the state in a file, all of them or none. Collective.

        Raises:
            ParameterError: if it is missing or damaged, or has not all of the fields.
        """
        try:
            arrays = Arrays(path, self.domain.mesh.comm)
            sources = self._sources_of(arrays)
            t = float(arrays["t"])
            values = [
                arrays[key].reshape(-1, function.function_space.dofmap.index_map_bs)[sources[space]].reshape(-1)
                for key, (function, space) in self._functions.items()
            ]
            numbers = [
                (
                    dict(zip(model.quantities, map(float, arrays[f"{key}/quantities"]), strict=True)),
                    list(zip(model.conditions, map(float, arrays[f"{key}/held"]), strict=True)),
                )
                for key, model in zip(self._keys, self.models, strict=True)
            ]
        except READ_ERRORS as error:
            msg = f"{path} cannot be read: {reason(error)}"
            raise ParameterError(msg) from None
        for (function, _), array in zip(self._functions.values(), values, strict=True):
            function.x.array[:] = array
        for model, (quantities, levels) in zip(self.models, numbers, strict=True):
            model.t, model.numbers = t, quantities
            for condition, value in levels:
                condition.value.value = value
        return self.models

    def _sources_of(self, state: Arrays) -> list[NDArray[np.int64]]:
        """Return for each space the rows of this rank's nodes in a state, by the mesh file that it belongs to."""
        generation = int(state["generation"]) if "generation" in state else 0
        if generation == 0:
            self._check_id(state)
        elif generation not in self._sources:
            arrays = Arrays(self.folder / mesh_file(generation), self.domain.mesh.comm)
            self._check_id(arrays, "base")
            rows = np.argsort(arrays["rows"])[self._rows]
            self._sources[generation] = self._source(arrays, rows)
            self._ids[generation] = int(arrays["id"])
        if generation and int(state["id"]) != self._ids[generation]:
            msg = f"it is of another run than {self.folder / mesh_file(generation)}"
            raise ValueError(msg)
        return self._sources[generation]

    def _source(self, arrays: Arrays, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return for each space the row in a state of each node of this rank; `rows` has the rows of its cells."""
        sources = []
        for i, space in enumerate(self._spaces):
            index_map, nodes = space.dofmap.index_map, arrays[f"dofs {i}"]
            require(nodes.shape[1:] == space.dofmap.list.shape[1:], f"its dofs {i} are not those of its element")
            source = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=np.int64)
            source[space.dofmap.list] = nodes[rows]
            sources.append(source)
        return sources

    def _check_id(self, arrays: Arrays, name: str = "id") -> None:
        """Refuse a file of another run. Collective."""
        if self._id is not None and self._id != int(arrays[name]):
            msg = f"it is of another run than {self.folder / CONTENTS}"
            raise ValueError(msg)


def _read_mesh(about: Mapping[str, Any], arrays: Arrays, comm: MPI.Comm) -> tuple[dolfinx.mesh.Mesh, NDArray[np.int64]]:
    """Return the mesh, and for each cell of this rank its row in the file."""
    cells = np.array((cells := arrays["cells"])[_part(len(cells), comm)])
    nodes = comm.allreduce(int(cells.max(initial=-1)), op=MPI.MAX) + 1
    element = basix.ufl.element("Lagrange", about["cell"], _degree(about), shape=(about["dim"],))
    shape = (len(arrays["cells"]), element.dim // about["dim"], about["dim"])
    require(arrays["geometry"].shape == shape and shape[:2] == arrays["cells"].shape, "its cells have other nodes")
    network = about["network"]
    mesh = dolfinx.mesh.create_mesh(
        comm,
        cells,
        element,
        np.zeros((_part(nodes, comm).stop - _part(nodes, comm).start, about["dim"])),
        max_facet_to_cell_links=max(2, int(_read_network(network, arrays).degree.max())) if network else 2,
    )
    rows = mesh.topology.original_cell_index.astype(np.int64)
    corners = arrays["geometry"][rows]
    if any(about["period"]):
        return with_cell_geometry(mesh, element, corners, tuple(about["period"])), rows
    mesh.geometry.x[mesh.geometry.dofmaps[0].ravel(), : about["dim"]] = corners.reshape(-1, about["dim"])
    return mesh, rows


def _read_domain(
    mesh: dolfinx.mesh.Mesh, index: int, about: Mapping[str, Any], arrays: Arrays, rows: NDArray[np.int64]
) -> Domain:
    """Return a domain on the mesh."""
    topology, dim = mesh.topology, mesh.topology.dim
    topology.create_connectivity(dim, dim - 1)
    topology.create_connectivity(dim - 1, dim)
    facets = topology.index_map(dim - 1)
    tags = np.zeros(facets.size_local + facets.num_ghosts, dtype=np.int32)
    in_cells = arrays[tags_of("facets", index)][rows].ravel()
    np.maximum.at(tags, topology.connectivity(dim, dim - 1).array, in_cells)
    domain = Domain(
        mesh,
        about["shape"],
        tuple(about["boundaries"]),
        _tags(mesh, dim - 1, tags),
        tuple(about["regions"]),
        _tags(mesh, dim, arrays[tags_of("regions", index)][rows]) if about["regions"] else None,
        length_unit=about["length_unit"],
    )
    if about["thickness"] is not None:
        domain = domain.with_thickness(about["thickness"])
    if about["axisymmetric"]:
        domain = axisymmetric(domain)
    domain = replace(domain, shape=about["shape"], length_unit=about["length_unit"])
    if about["network"]:
        network = _read_network(about["network"], arrays)
        segment = arrays["segment"][rows]
        section = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="cross-section")
        section.x.array[section.function_space.dofmap.list[:, 0]] = network.cross_sections[segment]
        wires = {"network": network, "segment": segment, "weight": section, "weight_lengths": 2}
        domain = replace(domain, faces=faces(mesh, network), **wires)
    return domain


def _read_network(about: Mapping[str, Any], arrays: Arrays) -> Network:
    """Return the wires of a network."""
    return Network(
        **{name: np.array(arrays[f"network/{name}"]) for name in NETWORK},
        names=tuple(about["names"]),
        wire_names=tuple(about.get("wire_names", ())),
        layers=tuple(about["layers"]),
        pads=dict(about["pads"]),
        boundaries={name: np.array(nodes, dtype=np.int64) for name, nodes in about["boundaries"].items()},
    )


def _read_space(mesh: dolfinx.mesh.Mesh, record: Mapping[str, Any]) -> fem.FunctionSpace:
    """Return a function space."""
    shape = tuple(record["shape"])
    if record["real"]:
        return fem.functionspace(mesh, basix.ufl.real_element(mesh.basix_cell(), shape))
    element = basix.ufl.element(
        record["family"],
        mesh.basix_cell(),
        _degree(record),
        basix.LagrangeVariant[record["variant"]],
        shape=shape or None,
        discontinuous=record["discontinuous"],
    )
    return fem.functionspace(mesh, element)


def _degree(record: Mapping[str, Any]) -> int:
    """Return the degree of an element."""
    require(
        0 <= record["degree"] <= HIGHEST_DEGREE, f"its degree = {record['degree']}, must be at most {HIGHEST_DEGREE}"
    )
    return record["degree"]


def _tags(mesh: dolfinx.mesh.Mesh, dim: int, values: NDArray[np.int32]) -> dolfinx.mesh.MeshTags:
    """Return tags of the entities whose value is not 0."""
    tagged = np.flatnonzero(values).astype(np.int32)
    return dolfinx.mesh.meshtags(mesh, dim, tagged, np.ascontiguousarray(values[tagged]))


def _part(n: int, comm: MPI.Comm) -> slice:
    """Return the share of this rank in n rows."""
    return slice(n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size)


def _system(entry: Mapping[str, Any]) -> System:
    return System(**{field.name: entry[field.name] for field in attributes(System) if field.name in entry})


def _meaning(entry: Mapping[str, Any]) -> Meaning:
    known = {field.name: entry[field.name] for field in attributes(Meaning) if field.name in entry}
    return Meaning(**known | {"system": _system(entry["system"])})
