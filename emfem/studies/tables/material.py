"""The table [material]: a metal by name or from a file, at a temperature, with constants of one's own."""

from __future__ import annotations

from typing import Annotated, Any, cast

from emfem import materials
from emfem.materials.validity import VALIDITY
from emfem.studies.tables.base import Table
from emfem.studies.units import File, Temperature, Unit

from pydantic import Field, create_model


class _Material(Table):
    """A metal; the constants are those of `em.materials.Constants`.

    A resistivity holds at the temperature and keeps the metal's slope; with `temperature_coefficient = 0` it has none.

    Attributes:
        metal: its name; or
        file: one of your own, a TOML file.
        temperature: at which its constants are taken; 373 K, or that of the file, when left out.
    """

    metal: str | None = None
    file: File | None = None
    temperature: Temperature | None = None

    def make(self) -> materials.Material:
        """Make the metal. Collective."""
        constants = cast(Any, self.values("metal", "file", "temperature"))
        if self.one_of("metal", "file") == "metal":
            at = 373.0 if self.temperature is None else self.temperature
            return materials.metal(str(self.metal), at, **constants)
        return materials.read(str(self.file), self.temperature).having(**constants)


def _constant(window: Any) -> Any:
    words = f"of your own instead, from {window.low:g} to {window.high:g}."
    return Annotated[float, Unit(window.unit.strip("-"))] | None, Field(None, description=words)


MaterialTable: type[_Material] = create_model(
    "MaterialTable",
    __base__=_Material,
    __doc__=_Material.__doc__,
    **{name: _constant(window) for name, window in VALIDITY.items()},
)
