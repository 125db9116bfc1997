"""Meshes from files and into files, the names of their boundaries and regions kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, kind, number
from emfem.mesh import exchange, msh
from emfem.mesh.domain import Domain
from emfem.mesh.gather import gather
from emfem.mesh.parts import Parts, Source
from emfem.mesh.share import on_root, share

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

READABLE = (".msh", *msh.CAD, ".stl", *exchange.ENDINGS)
WRITABLE = (".msh", *exchange.WRITABLE)
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
    empty = ending in (*msh.CAD, ".stl")
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
            parts, numbers = msh.load(path, edge, names or {})
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
            raise UnknownName(source, f"{path.name}, among its boundaries,", map(str, there))
        found[name] = parts.boundaries[known]
    return parts.named(found)


def _write(parts: Parts, path: Path) -> None:
    """Write the parts beside `path`, then move them there: a file that is there is complete."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix.lower()}")
    save: Callable[[Parts, Path], None] = msh.save if beside.suffix == ".msh" else exchange.save
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
