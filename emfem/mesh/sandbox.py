"""Files of other programs are read in a process of their own: one that crashes a library becomes an error.

The process has limits: 60 s and 20 s for each MB of the file, 4 GB and 200 bytes for each byte of it; for a shape that
gmsh meshes, 1 ms and 4 kB more for each cell. The variables EMFEM_READ_SECONDS and EMFEM_READ_GB replace the 60 and
the 4.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, ParameterError, UnknownName, number
from emfem.mesh.readers.child import NO_MEMORY

import numpy as np
from numpy.typing import NDArray

CHILD = Path(__file__).parent / "readers" / "child.py"
ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")  # nothing of MPI: it would join our ranks
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the stacks of others count as memory
SECONDS, PER_MB = 60.0, 20.0
GIGABYTES, PER_BYTE = 4.0, 200.0
LONGEST = 300  # characters of a library's message

Answer = tuple[dict[str, NDArray[Any]], dict[str, Any]]


def isolated(reader: str, path: Path, must: str, *, library: str, **options: Any) -> Answer:
    """Return the arrays and the table that a module of `emfem.mesh.readers` reads from a file.

    Args:
        reader: the module; its function `load` gets the file and the options, and returns arrays and a table.
        path: the file.
        must: beginning of the message for a file that cannot be read: "path = 'x.msh', must be ...".
        library: the module of the library that reads, for messages too.
        options: numbers, texts, lists and mappings of them.

    Raises:
        ParameterError: for a file that cannot be read, that the reader refuses, that crashes the library or takes more
            time or memory than the limits.
        UnknownName: as the reader raises it.
        EmfemError: if the library cannot be loaded.
    """
    size = path.stat().st_size
    seconds = _limit("EMFEM_READ_SECONDS", SECONDS) + PER_MB * size / 1e6
    most = _limit("EMFEM_READ_GB", GIGABYTES) * 1e9 + PER_BYTE * size
    request = {
        "reader": reader,
        "file": str(path),
        "library": library,
        "options": options,
        "path": [entry for entry in sys.path if entry],
        "seconds": seconds,
        "size": most,
    }
    status, output = run(request)
    name = library.partition(".")[0]
    if status:
        msg = f"{must}: {name} {_reason(status, seconds, most)}"
        raise ParameterError(msg)
    with np.load(io.BytesIO(output), allow_pickle=False) as archive:
        arrays = dict(archive)
    table: dict[str, Any] = json.loads(arrays.pop("table").tobytes())
    if "error" in table:
        raise _error(table, must)
    return arrays, table


def run(request: Mapping[str, Any]) -> tuple[int, bytes]:
    """Return the status and the output of the process that reads the file of a request."""
    child = subprocess.run(
        [sys.executable, "-I", CHILD],
        input=json.dumps(request).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | THREADS,
        check=False,
    )
    return child.returncode, child.stdout


def _limit(variable: str, default: float) -> float:
    """Return the number in a variable of the environment.

    Raises:
        ParameterError: if it is no number greater than 0.
    """
    text = os.environ.get(variable, "")
    if not text.strip():
        return default
    try:
        value = float(text)
    except ValueError:
        msg = f"{variable} = {text!r}, must be a number"
        raise ParameterError(msg) from None
    return number(variable, value, above=0.0)


def _reason(status: int, seconds: float, size: float) -> str:
    """Return the end of a process in words."""
    if status == NO_MEMORY:
        return f"needs more than {size / 1e9:.3g} GB (EMFEM_READ_GB allows more)"
    if status > 0:
        return f"ended with status {status}"
    if status == -signal.SIGALRM:
        return f"did not finish in {seconds:.3g} s (EMFEM_READ_SECONDS allows more)"
    if status == -signal.SIGKILL:
        return "was killed, as where memory is short"
    return f"crashed ({(signal.strsignal(-status) or f'signal {-status}').lower()})"


def _error(table: Mapping[str, Any], must: str) -> EmfemError:
    """Return the error of a reader."""
    known = {"UnknownName": UnknownName, "ParameterError": ParameterError, "EmfemError": EmfemError}
    if table["error"] in known:
        return known[table["error"]](*table["arguments"])
    return ParameterError(f"{must}: {table['arguments'][0][:LONGEST]}")
