"""Files that gmsh reads and writes: its own meshes, shapes of CAD programs, closed surfaces."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, require
from emfem.mesh.mesher import CELLS, extract, session, set_cell_sizes
from emfem.mesh.raw import DIMENSION, RawMesh, Source

import dolfinx.io.gmsh
import numpy as np

CAD = (".step", ".stp", ".brep")
SHARP = math.radians(40)  # triangles of an .stl that meet at a sharper angle lie on different faces
LABELLED = 1_000_000  # number of the first group of a label, above those of faces
ROUND = 12  # cells around a full circle of a .step, where `size` is not finer
FAMILIES = {cell: name for name, cell in CELLS.items()} | {"quadrilateral": "Quadrangle", "point": "Point"}  # of gmsh


def load(path: Path, size: float | None, names: Mapping[str, Source]) -> tuple[RawMesh, dict[int, str]]:
    """Return the mesh in a file of gmsh, or of a shape that gmsh meshes; and the boundaries' names by number."""
    with session(path.name) as gmsh:
        if path.suffix.lower() == ".stl":
            _fill(gmsh, path)
        elif path.suffix.lower() in CAD:
            _import(gmsh, path, names)
        else:
            with path.open("rb") as file:  # gmsh would run anything else as a script
                mesh = file.read(64).lstrip().startswith(b"$")
            require(mesh, f"path = {str(path)!r}, must be a mesh of gmsh: it does not begin with $MeshFormat")
            _try(gmsh.merge, path)
        if size is not None:
            set_cell_sizes(gmsh, size)
            gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", ROUND)
            gmsh.model.mesh.generate(gmsh.model.getDimension())
        _check_kinds(gmsh)
        raw = extract(gmsh)
        groups = gmsh.model.getPhysicalGroups(DIMENSION[raw.cell] - 1)
        return raw, {tag: gmsh.model.getPhysicalName(dim, tag) or str(tag) for dim, tag in groups}


def _try(read: Callable[[str], Any], path: Path) -> Any:
    """Return the result of a function of gmsh that reads a file.

    Raises:
        ParameterError: if gmsh cannot read it.
    """
    try:
        return read(str(path))
    except Exception as error:
        msg = f"path = {str(path)!r}, must be a {path.suffix} file that gmsh reads: {error}"
        raise ParameterError(msg) from error


def _check_kinds(gmsh: Any) -> None:
    """Check that cells are of degree 1 or 2 and have all nodes: quadrilaterals of 8 have not."""
    for element in gmsh.model.mesh.getElementTypes(gmsh.model.getDimension()):
        words, _, degree, width, *_ = gmsh.model.mesh.getElementProperties(element)
        base = str(words).split()[0]
        full = {"Quadrilateral": (degree + 1) ** 2, "Hexahedron": (degree + 1) ** 3}.get(base, width)
        complete = degree <= 2 and width == full
        require(complete, f"cells of the kind {words}, must be of degree 1 or 2 with all their nodes")


def _import(gmsh: Any, path: Path, names: Mapping[str, Source]) -> None:
    """Import the shapes of a CAD file, joined where they touch, with groups for labels and for numbers in `names`."""
    occ, model = gmsh.model.occ, gmsh.model
    gmsh.option.setNumber("Geometry.OCCImportLabels", 1)
    _try(occ.importShapes, path)
    occ.synchronize()
    dim = model.getDimension()
    require(dim >= 2, f"path = {str(path)!r}, must hold a solid or a surface")
    bodies, faces = model.getEntities(dim), model.getEntities(dim - 1)
    labels = {entity: model.getEntityName(*entity).rpartition("/")[2] for entity in (*bodies, *faces)}
    images = {entity: [entity] for entity in labels}  # of each entity after the bodies were joined
    if len(bodies) > 1:
        before = {face: _centre(gmsh, face) for face in faces}
        _, pieces = occ.fragment(bodies, [])
        occ.synchronize()
        after = {face: _centre(gmsh, face) for face in model.getEntities(dim - 1)}
        images = dict(zip(bodies, pieces, strict=True)) | {
            face: [new for new, there in after.items() if np.allclose(here, there, rtol=1e-6, atol=1e-6 * max(here))]
            for face, here in before.items()
        }
    groups: dict[tuple[int, str], list[int]] = {}
    for (d, tag), label in labels.items():
        if label and not label.startswith("Open CASCADE"):  # a default name of the program
            groups.setdefault((d, label), []).extend(t for _, t in images[d, tag])
    for source in names.values():
        if isinstance(source, int | np.integer) and images.get((dim - 1, int(source))):
            model.addPhysicalGroup(dim - 1, [t for _, t in images[dim - 1, int(source)]], tag=int(source))
    for (d, label), tags in groups.items():
        if tags:
            model.addPhysicalGroup(d, sorted(set(tags)), tag=LABELLED + len(model.getPhysicalGroups()), name=label)


def _centre(gmsh: Any, face: tuple[int, int]) -> tuple[float, ...]:
    """Return the size of a face as a length, and its centre: they identify it when gmsh has renumbered the faces."""
    return gmsh.model.occ.getMass(*face) ** (1 / face[0]), *gmsh.model.occ.getCenterOfMass(*face)


def _fill(gmsh: Any, path: Path) -> None:
    """Make the volume inside the closed surface of an .stl.

    Raises:
        ParameterError: if it is not closed.
    """
    _try(gmsh.merge, path)
    mesh = gmsh.model.mesh
    _, triangles = mesh.getElementsByType(2)
    require(len(triangles), f"path = {str(path)!r}, must hold triangles: there are none")
    corners = np.sort(triangles.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(corners, axis=0, return_counts=True)
    require(
        (counts == 2).all(),
        f"path = {str(path)!r}, must hold a closed surface: {np.count_nonzero(counts != 2)} edges of its "
        f"{len(triangles) // 3} triangles belong to one triangle only, or to more than two",
    )
    mesh.classifySurfaces(SHARP, True, True, math.pi)
    mesh.createGeometry()
    loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()


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
