"""Program of the process that reads a file; `emfem.mesh.sandbox` starts it and has the protocol.

It takes a request as JSON from its input and writes the arrays of an .npz file to its output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

PACKAGE = Path(__file__).resolve().parents[2]
NO_MEMORY = 12  # status of this process, as the system's error ENOMEM


def main() -> None:
    """Read the file of the request."""
    request = json.loads(sys.stdin.buffer.read())
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        silence = os.open(os.devnull, os.O_RDWR)  # libraries print what they think of a file
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        try:
            answer(request, output)
        except MemoryError:
            os._exit(NO_MEMORY)
    os._exit(0)  # no library runs its code for the end


def answer(request: dict[str, Any], output: BinaryIO) -> None:
    """Write the arrays, or the error, of a request."""
    sys.path += [path for path in request["path"] if path not in sys.path]
    _without_its_imports("emfem", PACKAGE)
    _without_its_imports("emfem.mesh", PACKAGE / "mesh")
    importlib.import_module("emfem.mesh.readers.limits").begin(request["seconds"], request["size"])
    errors, numpy = importlib.import_module("emfem.errors"), importlib.import_module("numpy")
    arrays: dict[str, Any] = {}
    table: dict[str, Any]
    try:
        importlib.import_module(request["library"])
        reader = importlib.import_module(f"emfem.mesh.readers.{request['reader']}")
    except (ImportError, OSError) as error:
        table = {"error": "EmfemError", "arguments": [f"{request['library']} cannot be loaded: {error}"]}
    else:
        try:
            arrays, table = reader.load(Path(request["file"]), **request["options"])
        except errors.UnknownName as error:
            table = {"error": "UnknownName", "arguments": [error.name, error.owner, error.known]}
        except errors.EmfemError as error:
            table = {"error": "ParameterError", "arguments": [str(error)]}
        except MemoryError:
            raise
        except Exception as error:
            table = {"error": "unreadable", "arguments": [" ".join(str(error).split()) or type(error).__name__]}
    numpy.savez(output, table=numpy.frombuffer(json.dumps(table).encode(), dtype=numpy.uint8), **arrays)


def _without_its_imports(name: str, folder: Path) -> None:
    """Enter a package whose modules can be imported, and whose `__init__.py`, which imports DOLFINx, does not run."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


if __name__ == "__main__":
    main()
