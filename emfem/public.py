"""The public names of a module: `dir()` and completion show these, and hide the module's imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def dir_of(names: Iterable[str]) -> Callable[[], list[str]]:
    """Return the function that a module names `__dir__` to show `names` only, those of its `__all__`."""
    shown = sorted(names)
    return lambda: list(shown)
