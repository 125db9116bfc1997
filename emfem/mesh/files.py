"""Meshes from files and into files, with the names of boundaries and regions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from emfem.errors import ParameterError, UnknownName, kind, number, require
from emfem.gate import checked
from emfem.mesh import exchange, msh
from emfem.mesh.distribute import distribute_from_root, gather, on_root
from emfem.mesh.domain import Domain
from emfem.mesh.paths import check_file, file_path
from emfem.mesh.raw import Integers, RawMesh, Source
from emfem.mesh.readers.gmsh_files import CAD

import numpy as np
from mpi4py import MPI

READABLE = (".msh", *CAD, ".stl", *exchange.READABLE)
WRITABLE = (".msh", *exchange.WRITABLE)
Path_ = str | os.PathLike[str]


@checked(collective=True, kinds=False)
def read(
    path: Path_,
    *,
    unit: float = 1.0,
    names: Mapping[str, Source] | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the mesh in a file. Collective; rank 0 reads.

    The physical groups of a gmsh mesh (.msh) become regions (groups of cells) and boundaries (groups of facets). So do
    groups in .vtu, .vtk, .xdmf, .inp, .med, .mesh, .vol, .bdf and .nas, through meshio, by number where the format has
    no names; sets of points name the facets between them. Shapes of a CAD program (.step, .stp, .brep) and closed
    surfaces (.stl) are meshed; labels in a .step are names. The cells are those of the highest dimension, of one type.

    The file is read in a process of its own, which may take 60 s and 20 s for each MB, and 4 GB and 200 bytes for each
    byte of it; to mesh a shape, 1 ms and 4 kB more for each cell. The variables EMFEM_READ_SECONDS and EMFEM_READ_GB
    replace the 60 and the 4.

    Args:
        path: the file.
        unit: length of 1 in the file [m or -]: a file in millimetres with `unit=mm` gives metres. gmsh gives every
            .step in millimetres.
        names: the boundaries, instead of the file's: for each name the file's own, its number (in CAD files the face's,
            as gmsh shows it, unless a body that touches it splits it), or a function of x, shape (gdim, n), in the
            units of the result, true on the boundary.
        size: edge of a cell, in the units of the result, for files without cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing, not readable, of an unknown ending or without named boundaries, or
            that crashes the library that reads it or takes more than these limits; a mesh of several kinds of cells, or
            that cannot be computed on; a unit or size out of bounds.
        UnknownName: for a name or number that is not in the file; the message lists those that are.
    """
    path = file_path("path", path, READABLE)
    ending = path.suffix.lower()
    unit = number("unit", unit, above=0.0)
    _check_names(names)
    if ending in (*CAD, ".stl"):
        require(size is not None, f"size = None, must be the edge of a cell: a {ending} file holds a shape and no mesh")
        size = number("size", size, above=0.0) / unit
    else:
        require(size is None, f"size = {size!r}, must be left out: a {ending} file holds its cells")

    def make() -> RawMesh:
        check_file("path", path)
        require(path.stat().st_size, f"path = {str(path)!r}, must be a mesh: the file is empty")
        if ending in exchange.READABLE:
            raw, numbers = exchange.load(path)
        else:
            raw, numbers = msh.load(path, size, names or {})
        return _renamed(replace(raw, nodes=raw.nodes * unit), numbers, names, path)

    return distribute_from_root(path.name, make, comm)


@checked(collective=True, kinds=False)
def write(domain: Domain, path: Path_) -> None:
    """Write the mesh of `domain` with its names, so that `read` gives the same domain. Collective; rank 0 writes.

    In .msh boundaries and regions are physical groups; if there are regions, cells in none of them are in one named
    rest. In .inp and .med names are sets; .vtu, .vtk, .xdmf and .mesh have numbers in the order of the names, from 1.

    Args:
        domain: of any shape, not periodic, with cells of degree 1 or 2.
        path: the file; its folder is made. It is moved to its place when it is complete.

    Raises:
        ParameterError: for a periodic domain, an unknown ending, or a file that cannot be written.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    path = file_path("path", path, WRITABLE)
    message = f"domain = {domain.shape}, must not be periodic: a file would need both copies of its seam"
    require(not any(domain.period), message)
    degree = domain.mesh.geometry.cmaps[0].degree
    require(degree <= 2, f"cells of degree {degree}, must be at most 2 to be written")
    raw = gather(domain)

    def save() -> None:
        assert raw is not None  # on rank 0, where this is called
        _write(raw, path)

    on_root(f"file {str(path)!r}", save, domain.mesh.comm)


def _check_names(names: Mapping[str, Source] | None) -> None:
    """Check that `names` is a mapping of words to names, numbers or functions."""
    if names is None:
        return
    kind("names", names, Mapping, "a mapping of names to the file's names or numbers, or functions of x")
    for name, source in names.items():
        word = isinstance(name, str) and name
        require(word, f"names = {dict(names)!r}, must be words for boundaries: {name!r} is none")
        usable = not isinstance(source, bool) and (isinstance(source, str | int | np.integer) or callable(source))
        require(usable, f"names[{name!r}] = {source!r}, must be a name or number in the file, or a function of x")


def _renamed(raw: RawMesh, numbers: Mapping[int, str], names: Mapping[str, Source] | None, path: Path) -> RawMesh:
    """Return the mesh with the boundaries of `names`."""
    if names is None:
        words = "by functions of x" if path.suffix.lower() == ".stl" else "in gmsh"
        require(
            raw.boundaries or not len(raw.exterior()),
            f"path = {str(path)!r} has no physical groups for boundaries of its {raw.cell} cells: "
            f"name the electrodes {words}, or give names={{...}}",
        )
        return raw
    boundaries: dict[str, Integers] = {}
    for name, source in names.items():
        if callable(source):
            boundaries[name] = raw.locate(source, name)
            continue
        known = source if isinstance(source, str) else numbers.get(int(source), "")
        if known not in raw.boundaries:
            there = raw.boundaries if isinstance(source, str) else numbers
            raise UnknownName(source, f"{path.name}, among its boundaries,", map(str, there))
        boundaries[name] = raw.boundaries[known]
    return raw.with_boundaries(boundaries)


def _write(raw: RawMesh, path: Path) -> None:
    """Write a temporary file beside `path`, then move it there: `path` is always complete."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix.lower()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()  # gmsh does not report why it cannot write
        (msh.save if temporary.suffix == ".msh" else exchange.save)(raw, temporary)
        temporary.replace(path)
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be written: {error.strerror}"
        raise ParameterError(msg) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
