"""Checks of the files that meshes are read from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from emfem.errors import kind, require


def file_path(name: str, path: Any, endings: tuple[str, ...] = ()) -> Path:
    """Return `path`, the argument `name`, as a Path.

    Raises:
        ParameterError: if it is no name of a file, or has another ending than one of `endings`.
    """
    kind(name, path, (str, os.PathLike), "the name of a file")
    path = Path(path)
    words = f"{', '.join(endings[:-1])} or {endings[-1]}" if endings else ""
    require(not endings or path.suffix.lower() in endings, f"{name} = {str(path)!r}, must end in {words}")
    return path


def check_file(name: str, path: Path) -> None:
    """Check that `path`, the argument `name`, is a file that can be read.

    Raises:
        ParameterError: if it is not.
    """
    start = f"{name} = {str(path)!r}, must be"
    require(path.is_file(), f"{start} a file: there is {'a folder' if path.is_dir() else 'none'}")
    require(os.access(path, os.R_OK), f"{start} a file that can be read: permission denied")
