"""Files that gmsh reads: its own meshes, shapes of CAD programs, closed surfaces."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emfem.errors import require
from emfem.mesh.readers.gmsh_model import content, session, set_cell_sizes
from emfem.mesh.readers.limits import extend

import numpy as np
from numpy.typing import NDArray

CAD = (".step", ".stp", ".brep")
SHARP = math.radians(40)  # triangles of an .stl that meet at a sharper angle lie on different faces
LABELLED = 1_000_000  # number of the first group of a label, above those of faces
ROUND = 12  # cells around a full circle of a .step, where `size` is not finer
PER_CELL = 1e-3, 4096.0  # time [s] and memory [bytes] for each cell
LARGEST = 2**31 - 1  # tag of a group
TABLE = re.compile(rb"^\$(MeshFormat|PhysicalNames|Nodes|Elements|NOD|ELM)[ \r]*\n", re.MULTILINE)
GROUP = re.compile(r'\s*([0-3])\s+(-?[0-9]{1,10})\s+"(.*)"\s*')


def load(path: Path, size: float | None, faces: Sequence[int]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the mesh in a file of gmsh, or of a shape that gmsh meshes, as `content` does.

    Args:
        path: the file.
        size: edge of a cell, for a shape.
        faces: numbers of faces of a shape that become groups.

    Raises:
        ParameterError: for a file that cannot be a mesh.
    """
    with session("file") as gmsh:
        if path.suffix.lower() == ".stl":
            _fill(gmsh, path)
        elif path.suffix.lower() in CAD:
            _import(gmsh, path, faces)
        else:
            check_tables(path)
            gmsh.merge(str(path))
        if size is not None:
            cells = set_cell_sizes(gmsh, size)
            extend(*(cells * each for each in PER_CELL))
            gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", ROUND)
            gmsh.model.mesh.generate(gmsh.model.getDimension())
        _check_kinds(gmsh)
        return content(gmsh)


def check_tables(path: Path) -> None:
    """Check the format, the groups and the sizes of the tables of a .msh before gmsh sees them.

    gmsh takes the dimension and the tag of a group for places in its memory, and runs a file that does not begin with
    $MeshFormat as a script.

    Raises:
        ParameterError: for a file without them, or with a wrong one.
    """
    start = f"path = {str(path)!r}, must be a mesh of gmsh:"
    text = path.read_bytes()
    begins = text.startswith((b"$MeshFormat", b"$Comments", b"$NOD"))
    require(begins, f"{start} it does not begin with $MeshFormat")
    binary = False
    for match in TABLE.finditer(text):
        name, at = match[1].decode(), match.end()
        line = text[at : at + 200].split(b"\n", 1)[0].decode("latin-1")
        if name == "MeshFormat":
            words = line.split()
            good = len(words) == 3 and words[0][:1] in "124" and words[1] in "01" and words[2] == "8"
            require(good, f"{start} its format is {line[:40]!r}, must be as in '4.1 0 8'")
            binary = words[1] == "1"
        elif name == "PhysicalNames":
            _check_groups(text, at, start)
        elif not binary:
            counts = line.split()
            good = bool(counts) and all(word.isdecimal() and len(word) < 20 for word in counts)
            require(good, f"{start} its ${name} begin with {line[:40]!r}, must be whole numbers")
            most = max(map(int, counts[:2]))  # of blocks and rows; largest tags may be far above
            bound = f"must be at most {len(text)}, the size of the file"
            require(most <= len(text), f"{start} its ${name} have {most} rows, {bound}")


def _check_groups(text: bytes, at: int, start: str) -> None:
    """Check that groups have a dimension of 0 to 3 and a tag that fits into 32 bits."""
    end = text.find(b"$EndPhysicalNames", at)
    require(end >= 0, f"{start} its $PhysicalNames do not end")
    first, *rows = text[at:end].decode("utf-8", "replace").split("\n")
    rows = [row for row in rows if row.strip()]
    words = f"{start} its $PhysicalNames have {len(rows)} rows, must have {first.strip()[:40]!r}"
    require(first.strip() == str(len(rows)), words)
    for row in rows:
        match = GROUP.fullmatch(row)
        fits = match and abs(int(match[2])) <= LARGEST
        words = f"must be a dimension of 0 to 3, a tag of at most {LARGEST} and a name"
        require(fits, f"{start} the group {row.strip()[:60]!r}, {words}")


def _check_kinds(gmsh: Any) -> None:
    """Check that cells are of degree 1 or 2 and have all nodes: quadrilaterals of 8 have not."""
    for element in gmsh.model.mesh.getElementTypes(gmsh.model.getDimension()):
        words, _, degree, width, *_ = gmsh.model.mesh.getElementProperties(element)
        base = str(words).split()[0]
        full = {"Quadrilateral": (degree + 1) ** 2, "Hexahedron": (degree + 1) ** 3}.get(base, width)
        complete = degree <= 2 and width == full
        require(complete, f"cells of the kind {words}, must be of degree 1 or 2 with all their nodes")


def _import(gmsh: Any, path: Path, numbers: Sequence[int]) -> None:
    """Import the shapes of a CAD file, joined where they touch, with groups for labels and for numbers of faces."""
    occ, model = gmsh.model.occ, gmsh.model
    gmsh.option.setNumber("Geometry.OCCImportLabels", 1)
    occ.importShapes(str(path))
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
    for number in numbers:
        if images.get((dim - 1, number)):
            model.addPhysicalGroup(dim - 1, [t for _, t in images[dim - 1, number]], tag=number)
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
    start = f"path = {str(path)!r}, must hold"
    with path.open("rb") as file:
        header = file.read(84)
    if not header.lstrip().startswith(b"solid") and len(header) == 84:
        (rows,), room = struct.unpack("<I", header[80:]), (path.stat().st_size - 84) // 50
        require(rows <= room, f"{start} {rows} triangles: the file ends after {room}")
    gmsh.merge(str(path))
    mesh = gmsh.model.mesh
    _, triangles = mesh.getElementsByType(2)
    require(len(triangles), f"{start} triangles: there are none")
    require(np.isfinite(mesh.getNodes()[1]).all(), f"{start} finite numbers: a corner has none")
    corners = np.sort(triangles.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(corners, axis=0, return_counts=True)
    require(
        (counts == 2).all(),
        f"{start} a closed surface: {np.count_nonzero(counts != 2)} edges of its "
        f"{len(triangles) // 3} triangles belong to one triangle only, or to more than two",
    )
    if len(triangles) == 12:  # gmsh splits a surface of four triangles for ever
        mesh.refine()
    mesh.classifySurfaces(SHARP, True, True, math.pi)
    mesh.createGeometry()
    loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()
