"""Meshes from files and into files, the names of their boundaries and regions kept."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, kind, number
from emfem.mesh import exchange
from emfem.mesh.domain import Domain
from emfem.mesh.gather import facet_nodes, gather
from emfem.mesh.mesher import extract, grade, session
from emfem.mesh.parts import DIMENSION, Parts, Predicate
from emfem.mesh.share import on_root, share

import dolfinx.io.gmsh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

CAD = (".step", ".stp", ".brep")
READABLE = (".msh", *CAD, ".stl", *exchange.ENDINGS)
WRITABLE = (".msh", *exchange.WRITABLE)
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
Source = str | int | Predicate
Path_ = str | os.PathLike[str]


def read(
    path: Path_,
    *,
    unit: float = 1.0,
    names: Mapping[str, Source] | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The mesh in a file. Collective; rank 0 reads.

    A mesh of gmsh (.msh) brings its physical groups: groups of cells are regions, groups of facets boundaries. So do
    .vtu, .vtk, .xdmf, .inp, .med, .mesh, .vol, .bdf and .nas through meshio, by number where the format has no names;
    sets of points name the facets between them. Shapes of a CAD program (.step, .stp, .brep) and closed surfaces (.stl)
    are meshed here; labels in a .step are names. The cells are those of the highest dimension, all of one kind.

    Args:
        path: the file.
        unit: length of 1 in the file [m or -]: a file in millimetres with `unit=mm` gives metres. gmsh gives every
            .step in millimetres.
        names: the boundaries, instead of the file's: for each name the file's own, its number (in CAD files the face's,
            as gmsh shows it, unless a body that touches it splits it), or a function of x, shape (gdim, n), in the
            units of the result, true on the boundary.
        size: edge of a cell, in the units of the result, for the endings that hold no cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing, not readable, of an unknown ending or without named boundaries; a
            mesh of several kinds of cells, or that cannot be computed on; a unit or size out of bounds.
        UnknownName: for a name or number that is not in the file; the message lists those that are.
    """
    path, ending = _ending(path, READABLE)
    unit = number("unit", unit, above=0.0)
    _check_names(names)
    empty = ending in (*CAD, ".stl")
    if empty and size is None:
        msg = f"size = None, must be the edge of a cell: a {ending} file holds a shape and no mesh"
        raise ParameterError(msg)
    if size is not None and not empty:
        msg = f"size = {size!r}, must be left out: a {ending} file holds its cells"
        raise ParameterError(msg)
    edge = 0.0 if size is None else number("size", size, above=0.0) / unit

    def make() -> Parts:
        _there(path)
        if ending in exchange.ENDINGS:
            parts, numbers = exchange.load(path)
        else:
            parts, numbers = _through_gmsh(path, edge, names or {})
        return _renamed(replace(parts, nodes=parts.nodes * unit), numbers, names, path)

    return share(path.name, make, comm)


def write(domain: Domain, path: Path_) -> None:
    """Write the mesh of `domain` with its names, so that `read` gives the same domain. Collective; rank 0 writes.

    .msh holds boundaries and regions as physical groups; if there are regions, cells in none of them go into one named
    rest. .inp and .med hold names as sets; .vtu, .vtk, .xdmf and .mesh hold numbers in the order of the names, from 1.

    Args:
        domain: of any shape, not periodic, with cells of degree 1 or 2.
        path: the file; its folder is made. It appears when it is complete.

    Raises:
        ParameterError: for a periodic domain, an unknown ending, or a file that cannot be written.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    path, _ = _ending(path, WRITABLE)
    if any(domain.period):
        msg = f"domain = {domain.shape}, must not be periodic: a file would need both copies of its seam"
        raise ParameterError(msg)
    degree = domain.mesh.geometry.cmaps[0].degree
    if degree > 2:
        msg = f"cells of degree {degree}, must be at most 2 to be written"
        raise ParameterError(msg)
    parts = gather(domain)

    def save() -> None:
        if parts is not None:
            _write(parts, path)

    on_root(f"file {str(path)!r}", save, domain.mesh.comm)


def _ending(path: Any, known: tuple[str, ...]) -> tuple[Path, str]:
    """`path` and its ending, in lower case."""
    try:
        path = Path(path)
    except TypeError:
        msg = f"path = {path!r}, must be the name of a file"
        raise ParameterError(msg) from None
    ending = path.suffix.lower()
    if ending not in known:
        msg = f"path = {str(path)!r}, must end in {', '.join(known[:-1])} or {known[-1]}"
        raise ParameterError(msg)
    return path, ending


def _check_names(names: Mapping[str, Source] | None) -> None:
    """Refuse names that are no mapping of words to names, numbers or functions."""
    if names is None:
        return
    kind("names", names, Mapping, "a mapping of names to the file's names or numbers, or functions of x")
    for name, source in names.items():
        if not isinstance(name, str) or not name:
            msg = f"names = {dict(names)!r}, must be words for boundaries: {name!r} is none"
            raise ParameterError(msg)
        if isinstance(source, bool) or not (isinstance(source, str | int | np.integer) or callable(source)):
            msg = f"names[{name!r}] = {source!r}, must be a name or number in the file, or a function of x"
            raise ParameterError(msg)


def _there(path: Path) -> None:
    """Refuse what is no file with something in it."""
    if not path.is_file():
        msg = f"path = {str(path)!r}, must be a file: there is {'a folder' if path.is_dir() else 'none'}"
        raise ParameterError(msg)
    if not path.stat().st_size:
        msg = f"path = {str(path)!r}, must be a mesh: the file is empty"
        raise ParameterError(msg)
    if not os.access(path, os.R_OK):
        msg = f"path = {str(path)!r}, must be a file that can be read: permission denied"
        raise ParameterError(msg)


def _renamed(parts: Parts, numbers: Mapping[int, str], names: Mapping[str, Source] | None, path: Path) -> Parts:
    """The parts with the boundaries that `names` asks for."""
    if names is None:
        if not parts.boundaries and len(parts.outer()):
            words = "by functions of x" if path.suffix.lower() == ".stl" else "in gmsh"
            msg = (
                f"path = {str(path)!r} has no physical groups for boundaries of its {parts.cell} cells: "
                f"name the electrodes {words}, or give names={{...}}"
            )
            raise ParameterError(msg)
        return parts
    found: dict[str, NDArray[np.int64]] = {}
    for name, source in names.items():
        if callable(source):
            found[name] = parts.where(source, name)
            continue
        known = source if isinstance(source, str) else numbers.get(int(source), "")
        if known not in parts.boundaries:
            there = parts.boundaries if isinstance(source, str) else numbers
            raise UnknownName(source, f"the boundary in {path.name}", map(str, there))
        found[name] = parts.boundaries[known]
    return parts.named(found)


# ---- gmsh reads -------------------------------------------------------------------------------------------------


def _through_gmsh(path: Path, size: float, names: Mapping[str, Source]) -> tuple[Parts, dict[int, str]]:
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


# ---- and writes -------------------------------------------------------------------------------------------------


def _write(parts: Parts, path: Path) -> None:
    """Write the parts beside `path`, then move them there: a file that is there is complete."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix.lower()}")
    save: Callable[[Parts, Path], None] = _save if beside.suffix == ".msh" else exchange.save
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch()  # gmsh does not say why it cannot write
        save(parts, beside)
        beside.replace(path)
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be written: {error.strerror}"
        raise ParameterError(msg) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _save(parts: Parts, path: Path) -> None:
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
