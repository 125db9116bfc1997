"""The table [surface]: a surface that its curvature and a current move."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emfem import surface
from emfem.errors import ParameterError
from emfem.studies.tables.base import Key, Table, call, keys_from, keys_of, table_of
from emfem.studies.tables.physics import Coupling, Physics

SHAPES: Mapping[str, Callable[..., surface.Shape]] = {
    name: getattr(surface, name) for name in ("void", "ellipse", "wire", "strip", "flat", "bridge")
}


def _keys() -> dict[str, Key]:
    """Return the keys of all shapes."""
    keys: dict[str, Key] = {}
    for maker in SHAPES.values():
        keys = keys_of(maker, optional=True) | keys  # the void's centre is a list, that of others may be a number
    return keys


@keys_from(surface.void, keys=_keys())
class SurfaceShapeTable(Table):
    """Shape of the metal at the start; see the function of that name in em.surface.

    Attributes:
        kind: "void", "ellipse", "wire", "strip", "flat" or "bridge"; which of the other keys it takes is checked by
            `emfem check`.
    """

    kind: str

    def make(self) -> surface.Shape:
        """Make the shape."""
        if self.kind not in SHAPES:
            msg = f"kind = {self.kind!r}, must be one of {', '.join(SHAPES)}"
            raise ParameterError(msg)
        return call(SHAPES[self.kind], self.values("kind"))


SURFACE = Physics(
    "surface",
    surface.model,
    couplings={"heat": Coupling("heat", "temperature", "T", "true: the temperature is that of [heat].")},
    keys={
        "shape": Key(SurfaceShapeTable, "of the metal at the start, a table."),
        "on": "names of the boundaries where the current enters and leaves; none where the domain is periodic along x.",
        "anisotropy": Key(table_of(surface.MobilityAnisotropy), "of the mobility, a table."),
        "current_density": "mean over the whole cross-section, vacuum too, positive along x or from the first to the "
        "last of `on`; give at most one of it, voltage and current.",
        "temperature": "that of the material when left out.",
    },
    left_out=("crystal", "pulses", "wall_energy", "grain_boundary_energy", "wall_flux"),
)
