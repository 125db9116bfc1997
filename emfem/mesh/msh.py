"""Files that gmsh reads and writes: its own meshes, shapes of CAD programs, closed surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emfem.mesh.mesher import CELLS, arranged
from emfem.mesh.raw import DIMENSION, RawMesh, Source
from emfem.mesh.readers.gmsh_model import session
from emfem.mesh.sandbox import isolated

import dolfinx.io.gmsh
import numpy as np

FAMILIES = {cell: name for name, cell in CELLS.items()} | {"quadrilateral": "Quadrangle", "point": "Point"}  # of gmsh


def load(path: Path, size: float | None, names: Mapping[str, Source]) -> tuple[RawMesh, dict[int, str]]:
    """Return the mesh in a file of gmsh, or of a shape that gmsh meshes; and the boundaries' names by number.

    Raises:
        ParameterError: if gmsh cannot read it.
    """
    faces = [int(source) for source in names.values() if isinstance(source, int | np.integer)]
    must = f"path = {str(path)!r}, must be a {path.suffix} file that gmsh reads"
    arrays, table = isolated("gmsh_files", path, must, library="gmsh", size=size, faces=faces)
    raw = arranged(arrays, table)
    return raw, {tag: name for d, tag, name in table["groups"] if d == DIMENSION[raw.cell] - 1}


def save(raw: RawMesh, path: Path) -> None:
    """Write a mesh with gmsh: one discrete entity with its group for each region and each boundary."""
    dim = DIMENSION[raw.cell]
    left = np.setdiff1d(np.arange(len(raw.cells)), np.concatenate([*raw.regions.values(), np.zeros(0, np.int64)]))
    rest = "rest" if raw.regions and "rest" not in raw.regions else ""  # without regions the cells have no group
    with session(path.stem) as gmsh:
        model = gmsh.model
        groups = [(dim, name, raw.cell, raw.cells[members]) for name, members in raw.regions.items()]
        groups += [(dim, rest, raw.cell, raw.cells[left])] if len(left) else []
        groups += [(dim - 1, name, raw.facet, raw.facet_nodes(facets)) for name, facets in raw.boundaries.items()]
        for d, name, cell, nodes in groups:
            entity = model.addDiscreteEntity(d)
            if entity == 1 and d == dim:
                model.mesh.addNodes(dim, entity, np.arange(1, len(raw.nodes) + 1), raw.points.ravel())
            element = model.mesh.getElementType(FAMILIES[cell], raw.degree if d else 1)
            order = np.argsort(dolfinx.io.gmsh.cell_perm_array(dolfinx.mesh.CellType[cell], nodes.shape[1]))
            model.mesh.addElementsByType(entity, element, [], (nodes[:, order] + 1).ravel())
            if name:
                model.addPhysicalGroup(d, [entity], name=name)
        gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
        gmsh.option.setNumber("Mesh.Binary", 0)
        gmsh.option.setNumber("Mesh.SaveAll", 1)  # also cells without a group
        gmsh.write(str(path))
