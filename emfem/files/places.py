"""Places to write to, texts, and what went wrong with a file."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from emfem.errors import ParameterError
from emfem.gate import checked

from mpi4py import MPI

__all__ = ["READ_ERRORS", "not_written", "read_text", "reason", "replace_text", "sync", "writable"]

READ_ERRORS = (  # of half a file, or a damaged one
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
)
OTHER = "Other I/O error "  # of MPI, before the words of the system


@checked(collective=True, local=("path",))
def writable(path: str | os.PathLike[str], *suffixes: str, comm: MPI.Comm = MPI.COMM_WORLD) -> Path:
    """Return `path`, with its folder made and tried on rank 0. Collective.

    Args:
        path: a file (or folder) to write.
        suffixes: the endings allowed; any when left out.
        comm: the ranks that wait for the answer.

    Raises:
        ParameterError: for another ending, or if the folder cannot be made or written to; on all ranks.
    """
    path = Path(path)
    if suffixes and path.suffix not in suffixes:
        msg = f"path = {str(path)!r}, must end in {' or '.join(suffixes)}"
        raise ParameterError(msg)
    trouble = None
    if comm.rank == 0:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK | os.X_OK):
                trouble = "permission denied"
            elif path.exists() and path.is_dir() != (path.suffix == ".bp"):  # ADIOS2 writes folders
                trouble = "it is a folder" if path.is_dir() else "it is a file"
        except OSError as error:
            trouble = error.strerror
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"path = {str(path)!r}, must be a file that can be written: {trouble}"
        raise ParameterError(msg)
    return path


@checked(collective=True)
def read_text(path: os.PathLike[str] | str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> str:
    """Return the text of a file. Collective: rank 0 of `comm` reads.

    Raises:
        ParameterError: if it cannot be read.
    """
    text, trouble = None, None
    if comm.rank == 0:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # no UTF-8, or a zero byte in the path
            trouble = reason(error)
    text, trouble = comm.bcast((text, trouble), root=0)
    if text is None:
        msg = f"path = {str(path)!r}, must be a file that can be read: {trouble}"
        raise ParameterError(msg)
    return text


def sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: Path, content: str) -> None:
    """Write a text, aside first: at any moment the old or the new one is there, all of it. On one rank.

    Raises:
        OSError: if it cannot be written.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(content, encoding="utf-8")
        sync(partial)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def not_written(path: Path, trouble: str) -> ParameterError:
    """Return the error of a file that could not be written."""
    return ParameterError(f"path = {str(path)!r}, must be a file that can be written: {trouble}")


def reason(error: Exception) -> str:
    """Return a short reason of an error of reading or writing."""
    if isinstance(error, MPI.Exception):
        first, *stack = error.Get_error_string().splitlines()
        _, unnamed, of_the_system = "".join(stack[-1:]).rpartition(OTHER)  # MPI has no name for a full disk
        return of_the_system if unnamed else first.partition(", error stack")[0].strip()
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
