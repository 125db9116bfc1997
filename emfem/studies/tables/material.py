"""The table [material]: a metal by name or from a file, at a temperature, with constants of one's own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, cast

from emfem import materials
from emfem.materials.validity import VALIDITY
from emfem.studies.door import File, Temperature, through
from emfem.studies.tables.base import Table

from pydantic import create_model


class Metal(Table):
    """A metal; the constants are those of `em.materials.Constants`.

    A resistivity holds at the temperature and keeps the metal's slope; with `temperature_coefficient = 0` it has none.

    Attributes:
        metal: its name; or
        file: one of your own, a TOML file.
        temperature: at which its constants are taken; 373 K, or that of the file, when left out.
    """

    tried: ClassVar[bool] = True

    metal: str | None = None
    file: File | None = None
    temperature: Temperature | None = None

    def make(self) -> materials.Material:
        """The metal. Collective."""
        constants = cast(Any, self.given("metal", "file", "temperature"))
        if self.one_of("metal", "file") == "metal":
            at = 373.0 if self.temperature is None else self.temperature
            return materials.metal(str(self.metal), at, **constants)
        return materials.read(str(self.file), self.temperature).having(**constants)


MaterialTable: type[Metal] = create_model(  # type: ignore[call-overload]
    "MaterialTable",
    __base__=Metal,
    **{name: (Annotated[float, through(window.unit.strip("-"))] | None, None) for name, window in VALIDITY.items()},
)
