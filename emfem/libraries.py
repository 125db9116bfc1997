"""Settings of the libraries below emfem, made once before anything is built with them."""

from __future__ import annotations

import importlib.metadata
import sys
from functools import cache, wraps
from importlib.util import find_spec
from typing import Any

from emfem.public import dir_of

if find_spec("dolfinx") is None:
    text = (
        'emfem needs DOLFINx, which is not installed: pip install "emfem[fenicsx]", or the conda environment of '
        "environment.yml"
    )
    raise ModuleNotFoundError(text, name="dolfinx")

import cffi
import ufl

__all__ = ["cache_entry_points", "prepare_ufl"]
__dir__ = dir_of(__all__)


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


def prepare_ufl() -> None:
    """Make NumPy leave arithmetic with UFL expressions to UFL, and make a field refuse to be a number.

    NumPy takes an expression for a sequence, entry by entry, and UFL looks for the number that a Function stands for in
    a recursion that doubles at each level: neither `np.float64(8.0) * E` nor `float(c)` would return.
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
