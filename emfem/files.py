"""Where results go."""

from __future__ import annotations

import os
from pathlib import Path

from emfem.errors import ParameterError

from mpi4py import MPI


def writable(path: str | os.PathLike[str], *suffixes: str, comm: MPI.Comm = MPI.COMM_WORLD) -> Path:
    """`path`, with its folder made and tried on rank 0. Collective.

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
