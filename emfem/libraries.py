"""Settings of the libraries below emfem, made once before anything is built with them."""

from __future__ import annotations

import atexit
import fcntl
import importlib.metadata
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import cache, wraps
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from emfem.public import dir_of

if find_spec("dolfinx") is None:
    text = (
        'emfem needs DOLFINx, which is not installed: pip install "emfem[fenicsx]", or the conda environment of '
        "environment.yml"
    )
    raise ModuleNotFoundError(text, name="dolfinx")

import cffi
import dolfinx.jit
import dolfinx.mesh
import ffcx.codegeneration.jit
import ufl
from ufl.classes import Label
from ufl.corealg.traversal import traverse_unique_terminals

__all__ = ["cache_entry_points", "keep_meshes", "lock_compilation", "prepare_ufl"]
__dir__ = dir_of(__all__)

WAIT = 600  # seconds for which a process waits for another one that compiles the same form
UNTOUCHED = 300.0  # seconds without a new file after which a compilation without a lock is over
PAUSE = 0.05
(ALONE,) = [sys.getrefcount(each) for each in [object()]]  # references to an object that is only in a list


def cache_entry_points() -> None:
    """Make the compilation of forms search the installed packages for setuptools' plugins once, not six times a form.

    FFCx compiles each form by cffi and setuptools, which reads the entry points of every installed package again and
    again: half of the time that Python spends on a small form. Outside of cffi's compilation nothing changes.
    """
    search, compile_extension = importlib.metadata.entry_points, cffi.FFI.compile

    @cache
    def entry_points(path: tuple[str, ...]) -> importlib.metadata.EntryPoints:
        return search()

    def select(**parameters: Any) -> importlib.metadata.EntryPoints:
        return entry_points(tuple(sys.path)).select(**parameters)

    @wraps(compile_extension)
    def compile_with_cache(self: cffi.FFI, *arguments: Any, **options: Any) -> str:
        importlib.metadata.entry_points = select
        try:
            return compile_extension(self, *arguments, **options)
        finally:
            importlib.metadata.entry_points = search

    cffi.FFI.compile = compile_with_cache


def lock_compilation() -> None:
    """Make a process wait for minutes for another one that compiles the same form, and not at all for a dead one.

    FFCx takes a file NAME.c without NAME.c.cached for a compilation under way and waits for 10 s, also if it was killed
    last week. Here the process that compiles locks NAME.c.lock besides; the system frees it when the process ends,
    however it ends. The option `timeout` of DOLFINx, where a user sets it, replaces the minutes.
    """
    jit, options = ffcx.codegeneration.jit, dolfinx.jit.DOLFINX_DEFAULT_JIT_OPTIONS
    options["timeout"] = (max(options["timeout"][0], WAIT), *options["timeout"][1:])
    locks: ContextVar[ExitStack | None] = ContextVar("locks", default=None)
    look_up = jit.get_cached_module
    if hasattr(look_up, "__wrapped__"):  # this module was reloaded: a second lock would wait for the first
        return

    @wraps(look_up)
    def get_cached_module(name: str, objects: list[str], folder: Path, timeout: int) -> Any:
        source = Path(folder, f"{name}.c")
        until_compiled = locks.get()
        if until_compiled and not _is_compiled(source):
            until_compiled.enter_context(_exclusive(source, timeout))
        module = _load(source) if source.exists() and _is_compiled(source) else None
        if module is None:
            return look_up(name, objects, folder, timeout)
        return [getattr(module.lib, each) for each in objects], module

    def unlocked_at_the_end(compile_all: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(compile_all)
        def compile_locked(*arguments: Any, **parameters: Any) -> Any:
            with ExitStack() as until_compiled:
                outer = locks.set(until_compiled)
                try:
                    return compile_all(*arguments, **parameters)
                finally:
                    locks.reset(outer)

        return compile_locked

    jit.get_cached_module = get_cached_module
    jit.compile_forms = unlocked_at_the_end(jit.compile_forms)
    jit.compile_expressions = unlocked_at_the_end(jit.compile_expressions)


@contextmanager
def _exclusive(source: Path, timeout: float) -> Iterator[None]:
    """Wait until no process compiles a file, remove what a dead one left of it, and keep others out for the block.

    Raises:
        TimeoutError: if it is still being compiled after `timeout` seconds.
    """
    end, path = time.monotonic() + timeout, source.with_suffix(".c.lock")
    lock = _locked(path, end)
    if lock is None:
        yield
        return
    try:
        while source.exists() and not _is_compiled(source):
            # The lock was free: its file is not empty if an owner died; if it is, FFCx compiles without emfem
            if os.fstat(lock).st_size or time.time() - _last_change(source) > UNTOUCHED:
                _remove(source)
            else:
                _pause(source, end)
        os.write(lock, str(os.getpid()).encode())
        try:
            yield
        finally:
            if not _is_compiled(source):  # interrupted; after an error FFCx has renamed it
                source.unlink(missing_ok=True)
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _locked(path: Path, end: float) -> int | None:
    """Return a lock file when it is free, open and locked; None where FFCx is left to its own ways, without locks."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # a folder that is only read
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except (BlockingIOError, PermissionError, FileNotFoundError):  # locked, or removed by its last owner
            pass
        except OSError:  # a file system without locks
            os.close(lock)
            path.unlink(missing_ok=True)
            return None
        os.close(lock)
        _pause(path.with_suffix(""), end)


def _pause(source: Path, end: float) -> None:
    """Let others compile for a moment, unless the time is over."""
    if time.monotonic() > end:
        msg = f"{source} is still being compiled by another process: increase the JIT option timeout of DOLFINx"
        raise TimeoutError(msg)
    time.sleep(PAUSE)


def _is_compiled(source: Path) -> bool:
    """Return True if FFCx has put its sign of a finished compilation beside the file."""
    return source.with_suffix(".c.cached").exists()


def _load(source: Path) -> ModuleType | None:
    """Return what was compiled of a file; FFCx lists the whole cache for each, 30 ms where it has 30 000 files."""
    files = (source.with_suffix(suffix) for suffix in EXTENSION_SUFFIXES)
    file = next((file for file in files if file.exists()), None)
    spec = None if file is None else spec_from_file_location(source.stem, file)
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _last_change(source: Path) -> float:
    """Return the time at which the newest file of a compilation was written."""
    times = [0.0]
    for file in _files(source):
        with suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return max(times)


def _remove(source: Path) -> None:
    """Remove the files of a compilation, the source last: without it another process may begin."""
    for file in sorted(_files(source), key=lambda file: file == source):
        file.unlink(missing_ok=True)


def _files(source: Path) -> list[Path]:
    """Return all files of a compilation but its lock."""
    return [file for file in source.parent.glob(f"{source.stem}.*") if file.suffix != ".lock"]


def keep_meshes() -> None:
    """Free meshes when the next one is made or given up, not in the middle of an exception.

    When an MPI communicator is freed, mpi4py forgets its locks. Where the last reference to a mesh goes because an
    exception passes, such as that of a loop `for domain in (mesh(), mesh())`, Python runs mpi4py's function with the
    exception pending: it takes a lock, fails, and never gives it back. The exception of the user is lost, and the
    next mesh that is freed waits for ever. A finaliser alone would not do: spaces and forms hold the mesh of C++ too.
    """
    if "__del__" in vars(dolfinx.mesh.Mesh):  # this module was reloaded, or DOLFINx has a finaliser of its own
        return
    make, meshes = dolfinx.mesh.Mesh.__init__, list[Any]()

    def free() -> None:
        """Free meshes that nothing else refers to: Python has put a pending exception aside."""
        meshes[:] = [mesh for mesh in meshes if sys.getrefcount(mesh) > ALONE]

    @wraps(make)
    def make_and_keep(self: Any, *arguments: Any, **parameters: Any) -> None:
        free()
        make(self, *arguments, **parameters)
        meshes.append(self._cpp_object)

    dolfinx.mesh.Mesh.__init__ = make_and_keep
    dolfinx.mesh.Mesh.__del__ = lambda _: free()
    atexit.register(meshes.clear)


def prepare_ufl() -> None:
    """Prepare UFL: for numbers of NumPy, for a field that is no number, and for signatures that do not count variables.

    NumPy takes an expression for a sequence, entry by entry, and UFL looks for the number that a Function stands for in
    a recursion that doubles at each level: neither `np.float64(8.0) * E` nor `float(c)` would return. The variable of a
    derivative, such as that of an energy, is counted from the start of the process, and the count is part of the
    signature by which FFCx looks for an expression in its cache: it is the same here for the same expression.
    """
    ufl.core.expr.Expr.__array_ufunc__ = None  # NumPy's own switch: a number works, an array raises TypeError
    look_up = ufl.core.terminal.Terminal.evaluate

    def evaluate(self: Any, x: Any, mapping: Any, component: Any, index_values: Any, derivatives: Any = ()) -> Any:
        """Return the value that the mapping has for it; there is no other."""
        if self not in mapping:
            msg = f"{self} is a field, not a number: values at points are em.fields.evaluate(...)"
            raise TypeError(msg)
        return look_up(self, x, mapping, component, index_values, derivatives)

    ufl.Coefficient.evaluate = evaluate

    signature = ufl.algorithms.signature.compute_expression_signature

    @wraps(signature)
    def signature_without_counts(expression: Any, numbers: dict[Any, int]) -> str:
        labels = (terminal for terminal in traverse_unique_terminals(expression) if isinstance(terminal, Label))
        return signature(expression, {label: number for number, label in enumerate(dict.fromkeys(labels))} | numbers)

    ufl.algorithms.signature.compute_expression_signature = signature_without_counts
