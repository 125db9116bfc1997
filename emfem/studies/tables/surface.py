"""The table [surface]: a surface that its curvature and a current move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emfem import surface
from emfem.errors import ParameterError
from emfem.studies.tables.base import Key, Table, call, keys_of, table_of
from emfem.studies.tables.physics import Coupling, Physics

SHAPES: Mapping[str, Callable[..., surface.Shape]] = {
    name: getattr(surface, name) for name in ("void", "wire", "strip", "flat", "bridge")
}


class _Shape(Table):
    kind: str

    def make(self) -> surface.Shape:
        """Make the shape."""
        if self.kind not in SHAPES:
            msg = f"kind = {self.kind!r}, must be one of {', '.join(SHAPES)}"
            raise ParameterError(msg)
        return call(SHAPES[self.kind], self.values("kind"))


def _shape_table() -> Any:
    """Return the table of a shape, with the keys of all of them."""
    keys: dict[str, Key] = {}
    for maker in SHAPES.values():
        keys = keys_of(maker, optional=True) | keys  # the void's centre is a list, that of others may be a number
    words = '"void", "wire", "strip", "flat" or "bridge"; which of the keys below it takes is told by `emfem check`.'
    document = "Shape of the metal at the start; see the function of that name in em.surface."
    return table_of(
        surface.void, document, name="shape", base=_Shape, optional=True, keys={"kind": Key(str, words, ...), **keys}
    )


SURFACE = Physics(
    "surface",
    surface.model,
    couplings={"heat": Coupling("heat", "temperature", "T", "true: the temperature is that of [heat].")},
    keys={
        "shape": Key(_shape_table(), "of the metal at the start, a table."),
        "on": "names of the boundaries where the current enters and leaves; left out where the domain is periodic along "
        "x.",
        "anisotropy": Key(table_of(surface.Anisotropy), "of the mobility, a table."),
        "current_density": "mean over the whole cross-section, vacuum too, positive along x or from the first to the "
        "last of `on`; give at most one of it, voltage and current.",
        "temperature": "that of the material when left out.",
    },
)
