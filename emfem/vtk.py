"""Fields on the cells of a mesh as VTK has them: files for ParaView, PyVista and meshio, and grids of PyVista.

Each cell has points of its own, so that jumps between cells, and the seam of a periodic mesh, are as they are. Cells
of a degree above 1 are VTK's Lagrange cells.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from emfem.errors import ParameterError
from emfem.fields import Interpolation, meaning_of
from emfem.files import SharedFile, writable
from emfem.gate import checked
from emfem.model import Model
from emfem.observe import model_with_field
from emfem.public import dir_of

import basix
import dolfinx
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyvista

__all__ = ["CellFields", "collection", "to_pyvista", "write_vtu"]
__dir__ = dir_of(__all__)

LINEAR = {"interval": 3, "triangle": 5, "quadrilateral": 9, "tetrahedron": 10, "hexahedron": 12}  # VTK's cell types
LAGRANGE = {"interval": 68, "triangle": 69, "quadrilateral": 70, "tetrahedron": 71, "hexahedron": 72}
TYPES = {np.dtype(np.float64): "Float64", np.dtype(np.int64): "Int64", np.dtype(np.uint8): "UInt8"}
ABOUT = "about"  # name of the field data with the units: JSON as bytes, as meshio reads no texts


@checked(collective=True)
class CellFields:
    """Fields of models on the cells of their mesh, interpolated with the degree of the unknowns, again and again.

    Attributes:
        domain: the domain.
        functions: discontinuous Functions by name.
    """

    def __init__(self, models: Sequence[Model], names: Sequence[str] | None = None, *, curved: bool = True) -> None:
        """Interpolate fields for the first time. Collective.

        Args:
            models: the models.
            names: of the fields, "model.name" for one that several models have; all when left out.
            curved: whether curved cells stay curved where the unknowns have a lower degree.

        Raises:
            UnknownName: if no model has a field.
            ParameterError: if several have it, or the fields live on several meshes.
        """
        every = _labels(models)
        names = list(every) if names is None else names
        chosen = [every[label] if label in every else (model_with_field(models, label), label) for label in names]
        owners = [model for model, _ in chosen]
        if len({id(model.mesh) for model in owners}) != 1:
            msg = f"fields {', '.join(names)}, must be on one mesh"
            raise ParameterError(msg)
        self.domain, mesh = owners[0].domain, owners[0].mesh
        degrees = [u.function.function_space.element.basix_element.degree for model in owners for u in model.unknowns]
        self._degree = max(*degrees, mesh.geometry.cmaps[0].degree if curved else 1)
        even = basix.LagrangeVariant.equispaced  # as VTK has its nodes
        self._copies = [Interpolation(model[name], mesh, self._degree, even) for model, name in chosen]
        self.functions = {label: copy.function for label, copy in zip(names, self._copies, strict=True)}
        for (model, name), (label, function) in zip(chosen, self.functions.items(), strict=True):
            function.name, function.meaning = label, model.fields[name].meaning

    def __repr__(self) -> str:
        """Return one line."""
        return f"<CellFields {', '.join(self.functions)}>"

    def refresh(self) -> None:
        """Interpolate the fields as they are now."""
        for copy in self._copies:
            copy.refresh()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the points of the cells of this rank, shape (n, 3), as "", and each field at these points by name."""
        mesh, function = self.domain.mesh, next(iter(self.functions.values()))
        owned = mesh.topology.index_map(mesh.topology.dim).size_local
        self._width = function.function_space.dofmap.dof_layout.num_dofs
        kind = dolfinx.mesh.to_type(mesh.topology.cell_name())
        order = np.argsort(dolfinx.cpp.io.perm_vtk(kind, self._width))
        arrays = {"": function.function_space.tabulate_dof_coordinates()}
        for name, function in self.functions.items():
            arrays[name] = _padded(function.x.array.reshape(-1, function.function_space.dofmap.index_map_bs), function)
        nodes = {name: self.functions.get(name, function).function_space.dofmap.list for name in arrays}
        return {name: values[nodes[name][:owned, order].ravel()] for name, values in arrays.items()}

    @property
    def cell_type(self) -> int:
        """VTK's type of the cells."""
        return (LINEAR if self._degree == 1 else LAGRANGE)[self.domain.mesh.topology.cell_name()]

    def regions(self) -> NDArray[np.int64]:
        """Return the number of the region of each cell of this rank from 1, 0 for none, shape (cells,)."""
        topology, tags = self.domain.mesh.topology, self.domain.cells
        numbers = np.zeros(topology.index_map(topology.dim).size_local, dtype=np.int64)
        if tags is not None:
            inside = tags.indices < len(numbers)
            numbers[tags.indices[inside]] = tags.values[inside]
        return numbers

    def about(self) -> dict[str, Any]:
        """Return names and units: of lengths, of times, of each field; names of the regions."""
        meanings = {name: meaning_of(function) for name, function in self.functions.items()}
        system = next(iter(meanings.values())).system
        return {
            "length": system.length,
            "time": system.time,
            "regions": list(self.domain.regions),
            "fields": {name: {"unit": each.unit, "label": each.label or name} for name, each in meanings.items()},
        }


@checked(collective=True)
def write_vtu(path: os.PathLike[str] | str, cells: CellFields, t: float) -> None:
    """Write one .vtu file, all ranks their own cells. Collective.

    The arrays lie behind the XML, each after its length in bytes.

    Raises:
        ParameterError: for another ending than .vtu, or if the file cannot be written.
    """
    path = writable(path, ".vtu", comm=cells.domain.mesh.comm)
    comm, arrays = cells.domain.mesh.comm, cells.arrays()
    points = arrays.pop("")
    width, owned = cells._width, len(points) // cells._width
    count = comm.allreduce(owned)
    first = comm.exscan(owned) or 0
    corners = np.arange(first * width, (first + owned) * width, dtype=np.int64).reshape(owned, width)
    if cells.cell_type == LAGRANGE["hexahedron"]:  # two edges were numbered the other way round in files of version 1
        n = round(width ** (1 / 3)) - 2
        a, b, end = 8 + 10 * n, 8 + 11 * n, 8 + 12 * n
        corners = corners[:, [*range(a), *range(b, end), *range(a, b), *range(end, width)]]
    root = comm.rank == 0
    about = np.frombuffer(json.dumps(cells.about()).encode(), dtype=np.uint8)
    sections: dict[str, dict[str, NDArray[Any]]] = {
        "FieldData": {"TimeValue": np.array([float(t)])[: int(root)], ABOUT: about[: len(about) * root]},
        "Points": {"Points": points},
        "Cells": {
            "connectivity": corners.ravel(),
            "offsets": np.arange(first + 1, first + owned + 1, dtype=np.int64) * width,
            "types": np.full(owned, cells.cell_type, dtype=np.uint8),
        },
        "PointData": arrays,
        "CellData": {"region": cells.regions()} if cells.domain.regions else {},
    }
    lines, blocks, offset = [], [], 0
    for section, content in sections.items():
        lines.append(f"<{section}>")
        for name, block in content.items():
            total = comm.allreduce(block.nbytes)
            shape = f' NumberOfComponents="{block.shape[1]}"' if block.ndim == 2 else ""
            if section == "FieldData":
                shape = f' NumberOfTuples="{total // block.itemsize}"'
            kind = f'type="{TYPES[block.dtype]}" Name={quoteattr(name)}{shape}'
            lines.append(f'<DataArray {kind} format="appended" offset="{offset}"/>')
            blocks.append((np.uint64(total).tobytes(), block))
            offset += total + 8
        lines.append(f"</{section}>")
        if section == "FieldData":
            lines.append(f'<Piece NumberOfPoints="{count * width}" NumberOfCells="{count}">')
    head = '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">'
    tail = ["</Piece>", "</UnstructuredGrid>", '<AppendedData encoding="raw">', "_"]
    file = SharedFile(path, comm)
    file.text("\n".join(['<?xml version="1.0"?>', head, "<UnstructuredGrid>", *lines, *tail]).encode())
    for length, block in blocks:
        file.text(length)
        file.rows(block)
    file.text(b"\n</AppendedData>\n</VTKFile>\n")
    file.close()
    file.finish()


@checked
def collection(files: Mapping[str, float]) -> str:
    """Return the text of a .pvd file: files by name, each with its time."""
    entries = [f'<DataSet timestep="{t!r}" part="0" file={quoteattr(name)}/>' for name, t in files.items()]
    head = '<VTKFile type="Collection" version="0.1" byte_order="LittleEndian">'
    return "\n".join(['<?xml version="1.0"?>', head, "<Collection>", *entries, "</Collection>", "</VTKFile>", ""])


@checked(collective=True)
def to_pyvista(models: Model | Sequence[Model], names: Sequence[str] | None = None) -> pyvista.UnstructuredGrid | None:
    """Return fields as a grid of PyVista on rank 0, None elsewhere. Collective.

    Units are in its field data, one text for each field: `grid.field_data["unit of c"]`; regions are cell data.

    Args:
        models: one model or several.
        names: of the fields, "model.name" for one that several models have; all when left out.

    Raises:
        UnknownName: if no model has a field.
        ParameterError: if several have it, or the fields live on several meshes.
    """
    import pyvista  # slow to import

    cells = CellFields((models,) if isinstance(models, Model) else tuple(models), names)
    parts = cells.domain.mesh.comm.gather((cells.arrays(), cells.regions()), root=0)
    if parts is None:
        return None
    arrays = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    points, width = arrays.pop(""), cells._width
    corners = np.arange(len(points)).reshape(-1, width)
    grid = pyvista.UnstructuredGrid(
        np.insert(corners, 0, width, axis=1).ravel(), np.full(len(corners), cells.cell_type, np.uint8), points
    )
    for name, values in arrays.items():
        grid.point_data[name] = values
    about = cells.about()
    if about["regions"]:
        grid.cell_data["region"] = np.concatenate([part[1] for part in parts])
        grid.field_data["regions"] = about["regions"]
    grid.field_data["unit of length"] = [about["length"]]
    for name, field in about["fields"].items():
        grid.field_data[f"unit of {name}"] = [field["unit"]]
    return grid


def _labels(models: Sequence[Model]) -> dict[str, tuple[Model, str]]:
    """Return model and name of each field by its label: its name, "model.name" where several models have it."""
    every = [name for model in models for name in model.names]
    labels: dict[str, tuple[Model, str]] = {}
    for i, model in enumerate(models):
        again = sum(other.name == model.name for other in models[:i])
        owner = f"{model.name} {again + 1}" if again else model.name
        labels |= {(name if every.count(name) == 1 else f"{owner}.{name}"): (model, name) for name in model.names}
    return labels


def _padded(values: NDArray[np.float64], function: Any) -> NDArray[np.float64]:
    """Return values of a scalar, shape (n,), of a vector, (n, 3), or of a tensor, (n, 9), filled up with zeros."""
    shape = function.ufl_shape
    if shape in ((), (1,)) or len(shape) > 2:
        return values[:, 0] if shape in ((), (1,)) else values
    full = np.zeros((len(values), *([3] * len(shape))))
    full[(slice(None), *map(slice, shape))] = values.reshape(len(values), *shape)
    return full.reshape(len(values), 3 ** len(shape))
