"""What gmsh reads and writes: its own meshes, shapes of CAD programs, closed surfaces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.mesh import exchange
from emfem.mesh.gather import facet_nodes
from emfem.mesh.mesher import extract, grade, session
from emfem.mesh.parts import DIMENSION, Parts, Source

import dolfinx.io.gmsh
import numpy as np
from numpy.typing import NDArray

CAD = (".step", ".stp", ".brep")
SHARP = math.radians(40)  # triangles of an .stl that meet at a sharper angle lie on different faces
NAMED = 1_000_000  # numbers of groups that a label makes begin here, above those of faces
ROUND = 12  # cells around a full circle of a .step, where `size` is not finer
FAMILIES = {
    "interval": "Line",
    "triangle": "Triangle",
    "quadrilateral": "Quadrangle",
    "tetrahedron": "Tetrahedron",
    "hexahedron": "Hexahedron",
}


def load(path: Path, size: float, names: Mapping[str, Source]) -> tuple[Parts, dict[int, str]]:
    """The mesh in a file of gmsh, or of a shape that gmsh meshes; and names of boundaries by their numbers."""
    ending = path.suffix.lower()
    with session(path.name) as gmsh:
        if ending == ".msh":
            _merge(gmsh, path)
        elif ending == ".stl":
            _fill(gmsh, path)
        else:
            _import(gmsh, path, names)
        if ending != ".msh":
            grade(gmsh, size)
            gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", ROUND)
            gmsh.model.mesh.generate(gmsh.model.getDimension())
        _check_kinds(gmsh)
        parts = extract(gmsh)
        groups = gmsh.model.getPhysicalGroups(DIMENSION[parts.cell] - 1)
        return parts, {tag: gmsh.model.getPhysicalName(dim, tag) or str(tag) for dim, tag in groups}


def _merge(gmsh: Any, path: Path) -> None:
    """Let gmsh read a file.

    Raises:
        ParameterError: if it cannot. What does not begin like a mesh, gmsh would run as a script.
    """
    with path.open("rb") as file:
        begin = file.read(64).lstrip()
    if path.suffix.lower() == ".msh" and not begin.startswith(b"$"):
        msg = f"path = {str(path)!r}, must be a mesh of gmsh: it does not begin with $MeshFormat"
        raise ParameterError(msg)
    try:
        gmsh.merge(str(path))
    except Exception as error:
        msg = f"path = {str(path)!r}, must be a {path.suffix} file that gmsh reads: {error}"
        raise ParameterError(msg) from error


def _check_kinds(gmsh: Any) -> None:
    """Refuse cells without all of their nodes, such as quadrilaterals of 8, and of degree above 2."""
    for element in gmsh.model.mesh.getElementTypes(gmsh.model.getDimension()):
        words, _, degree, width, *_ = gmsh.model.mesh.getElementProperties(element)
        base = str(words).split()[0]
        full = {"Quadrilateral": (degree + 1) ** 2, "Hexahedron": (degree + 1) ** 3}.get(base, width)
        if degree > 2 or width != full:
            msg = f"cells of the kind {words}, must be of degree 1 or 2 with all their nodes"
            raise ParameterError(msg)


def _import(gmsh: Any, path: Path, names: Mapping[str, Source]) -> None:
    """The shapes of a CAD file, glued where they touch, with groups for their labels and for numbers in `names`."""
    occ, model = gmsh.model.occ, gmsh.model
    gmsh.option.setNumber("Geometry.OCCImportLabels", 1)
    try:
        bodies = occ.importShapes(str(path))
    except Exception as error:
        msg = f"path = {str(path)!r}, must be a {path.suffix} file that gmsh reads: {error}"
        raise ParameterError(msg) from error
    occ.synchronize()
    dim = model.getDimension()
    if dim < 2:
        msg = f"path = {str(path)!r}, must hold a solid or a surface"
        raise ParameterError(msg)
    bodies, faces = model.getEntities(dim), model.getEntities(dim - 1)
    labels = {entity: model.getEntityName(*entity).rpartition("/")[2] for entity in (*bodies, *faces)}
    became = {entity: [entity] for entity in labels}
    if len(bodies) > 1:
        before = {face: _centre(gmsh, face) for face in faces}
        _, pieces = occ.fragment(bodies, [])
        occ.synchronize()
        after = {face: _centre(gmsh, face) for face in model.getEntities(dim - 1)}
        became = dict(zip(bodies, pieces, strict=True)) | {
            face: [new for new, there in after.items() if np.allclose(here, there, rtol=1e-6, atol=1e-6 * max(here))]
            for face, here in before.items()
        }
    groups: dict[tuple[int, str], list[int]] = {}
    for (d, tag), label in labels.items():
        if label and not label.startswith("Open CASCADE"):  # a name that its writer made up
            groups.setdefault((d, label), []).extend(t for _, t in became[d, tag])
    for source in names.values():
        if isinstance(source, int | np.integer) and became.get((dim - 1, int(source))):
            model.addPhysicalGroup(dim - 1, [t for _, t in became[dim - 1, int(source)]], tag=int(source))
    for (d, label), tags in groups.items():
        if tags:
            model.addPhysicalGroup(d, sorted(set(tags)), tag=NAMED + len(model.getPhysicalGroups()), name=label)


def _centre(gmsh: Any, face: tuple[int, int]) -> tuple[float, ...]:
    """What a face is known by when gmsh has numbered anew: its size as a length, and its centre."""
    return gmsh.model.occ.getMass(*face) ** (1 / face[0]), *gmsh.model.occ.getCenterOfMass(*face)


def _fill(gmsh: Any, path: Path) -> None:
    """The volume inside the closed surface of an .stl.

    Raises:
        ParameterError: if it is not closed.
    """
    _merge(gmsh, path)
    mesh = gmsh.model.mesh
    _, triangles = mesh.getElementsByType(2)
    if not len(triangles):
        msg = f"path = {str(path)!r}, must hold triangles: there are none"
        raise ParameterError(msg)
    corners = np.sort(triangles.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(corners, axis=0, return_counts=True)
    if (counts != 2).any():
        msg = (
            f"path = {str(path)!r}, must hold a closed surface: {np.count_nonzero(counts != 2)} edges of its "
            f"{len(triangles) // 3} triangles belong to one triangle only, or to more than two"
        )
        raise ParameterError(msg)
    mesh.classifySurfaces(SHARP, True, True, math.pi)
    mesh.createGeometry()
    loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()


def save(parts: Parts, path: Path) -> None:
    """Let gmsh write the parts: discrete entities, one a region and one a boundary, each with its group."""
    dim = DIMENSION[parts.cell]
    with session(path.stem) as gmsh:
        model = gmsh.model
        regions = _with_rest(parts)
        boundaries = {name: facet_nodes(parts, facets) for name, facets in parts.boundaries.items()}
        entities = [model.addDiscreteEntity(dim) for _ in regions]
        points = np.zeros((len(parts.nodes), 3))
        points[:, : parts.nodes.shape[1]] = parts.nodes
        model.mesh.addNodes(dim, entities[0], np.arange(1, len(points) + 1), points.ravel())
        for entity, (name, members) in zip(entities, regions.items(), strict=True):
            _add(gmsh, entity, parts.cell, parts.cells[members], parts.degree)
            if name:
                model.addPhysicalGroup(dim, [entity], name=name)
        for name, nodes in boundaries.items():
            entity = model.addDiscreteEntity(dim - 1)
            _add(gmsh, entity, exchange.FACET[parts.cell], nodes, parts.degree)
            model.addPhysicalGroup(dim - 1, [entity], name=name)
        gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
        gmsh.option.setNumber("Mesh.Binary", 0)
        gmsh.option.setNumber("Mesh.SaveAll", 1)  # cells without a region have no group
        gmsh.write(str(path))


def _with_rest(parts: Parts) -> dict[str, NDArray[np.int64]]:
    """The regions and what is left of the mesh: named rest beside regions, nameless without."""
    if not parts.regions:
        return {"": np.arange(len(parts.cells))}
    left = np.setdiff1d(np.arange(len(parts.cells)), np.concatenate(list(parts.regions.values())))
    name = "rest" if "rest" not in parts.regions else ""
    return dict(parts.regions) | ({name: left} if len(left) else {})


def _add(gmsh: Any, entity: int, cell: str, nodes: NDArray[np.int64], degree: int) -> None:
    """Add cells, or facets, to an entity of gmsh, their nodes in gmsh's order."""
    if cell == "vertex":
        element, order = gmsh.model.mesh.getElementType("Point", 1), np.zeros(1, dtype=np.intp)
    else:
        element = gmsh.model.mesh.getElementType(FAMILIES[cell], degree)
        order = np.argsort(dolfinx.io.gmsh.cell_perm_array(dolfinx.mesh.CellType[cell], nodes.shape[1]))
    gmsh.model.mesh.addElementsByType(entity, element, [], (nodes[:, order] + 1).ravel())
