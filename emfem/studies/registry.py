"""Registry of physics: those of emfem, of installed packages, and of files that the user names.

A case never names code: opening somebody's file must not run it. Whoever runs emfem names the file of a physics, with
`em.studies.load`, `emfem --physics FILE`, or the variable EMFEM_PHYSICS, a list as PATH is one; a package that is
installed names its modules as entry points of the group "emfem.physics".
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from emfem.errors import ParameterError, Terminated, kind
from emfem.studies.tables import PHYSICS, Physics

VARIABLE = "EMFEM_PHYSICS"
GROUP = "emfem.physics"

# What was registered and loaded in this process: the only state of emfem between calls.
_registered: dict[str, Physics] = {}
_loaded: set[str] = set()


def register(physics: Physics) -> Physics:
    """Make a physics known to cases, `emfem` and `emfem verify`; again, if its file is loaded anew.

    Raises:
        ParameterError: if another physics has its name, or no table of a case can be made of it.
    """
    kind("physics", physics, Physics, "em.studies.Physics(...)")
    _ = physics.table  # its errors are those of the file, not of the first case
    former = next((each for each in (*PHYSICS, *_registered.values()) if each.name == physics.name), None)
    if former is not None and _origin(former) != _origin(physics):
        msg = f"name = {physics.name!r}, must be another: a physics of {former.model.__module__} has it"
        raise ParameterError(msg)
    _registered[physics.name] = physics
    return physics


def _origin(physics: Physics) -> tuple[str, str]:
    return str(physics.source or physics.model.__module__), physics.model.__qualname__


def known() -> Mapping[str, Physics]:
    """Return all physics by name, in the order in which models are built.

    Raises:
        ParameterError: for a file or module of EMFEM_PHYSICS that cannot be loaded.
    """
    for source in (*_installed(), *filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))):
        load(source)
    return {each.name: each for each in (*PHYSICS, *_registered.values())}


@cache
def _installed() -> tuple[str, ...]:
    return tuple(each.value for each in entry_points(group=GROUP))


def own() -> tuple[Physics, ...]:
    """Return the physics that were registered in this process, none of those that come with emfem."""
    return tuple(_registered.values())


def load(source: os.PathLike[str] | str) -> None:
    """Run a Python file, or import a module, that registers a physics; once.

    Raises:
        ParameterError: if that fails, or registers none.
    """
    name = str(Path(source).resolve()) if str(source).endswith(".py") else str(source)
    if name in _loaded:
        return
    before, loaded = dict(_registered), set(_loaded)
    _loaded.add(name)
    try:
        module = _run(Path(name)) if name.endswith(".py") else importlib.import_module(name)
        if _registered == before and module.__name__ not in {each.model.__module__ for each in before.values()}:
            msg = "it registers none, em.studies.register(em.studies.Physics(...))"
            raise ParameterError(msg)
    except BaseException as error:
        _loaded.intersection_update(loaded)
        _registered.clear()
        _registered.update(before)
        if isinstance(error, KeyboardInterrupt | Terminated):
            raise
        reason = str(error) if isinstance(error, ParameterError) else f"{type(error).__name__}: {error}"
        msg = f"physics = {str(source)!r}, must be a file or module that registers a physics: {reason}"
        raise ParameterError(msg) from error


def _run(path: Path) -> ModuleType:
    """Return the module of a file, under a name of its own."""
    name = f"emfem_physics_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def sources(names: set[str]) -> list[str]:
    """Return the files or modules of physics, for processes that must load them.

    Raises:
        ParameterError: for one that is in no file, or in the script that runs.
    """
    files = []
    for physics in own():
        if physics.name in names:
            if physics.source is None or physics.model.__module__ == "__main__":
                msg = f"physics {physics.name!r}, must be in a file of its own: other processes have to load it"
                raise ParameterError(msg)
            module = physics.model.__module__
            files.append(module if module in _loaded else str(physics.source))  # a package's file needs its package
    return files
