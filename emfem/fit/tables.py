"""A TOML file of a study with a model: its tables, and sentences that name the place of what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, ParameterError
from emfem.files import read_text
from emfem.fit.cases import CaseModel
from emfem.fit.laws import LawModel
from emfem.materials import Material, metal, names, read
from emfem.quantities import QUANTITY, converted, in_si, quantity
from emfem.studies import Case
from emfem.studies.toml_tables import parsed
from emfem.studies.validation import Source, nearest, shown

__all__ = ["Forward", "Reader"]

MODEL = ("law", "metal", "fixed", "case", "output", "constants", "conditions")

type Forward = Callable[[dict[str, float], dict[str, Any]], Any]


class Reader:
    """Tables of a file; an error names its place.

    Attributes:
        tables: of the file.
        beside: the folder in which it is, and other files that it names.
    """

    def __init__(self, path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
        """Read a file; runs of a case go into the folder. Collective: rank 0 reads.

        Raises:
            ParameterError: if it cannot be read, or is no TOML.
        """
        text = read_text(path)
        self.tables: Mapping[str, Any] = parsed(text, path)
        self.beside, self._source, self._folder = Path(path).parent, Source(str(path), text), Path(folder)

    def model(self) -> Forward | None:
        """Return the law or the case; None if the file has none."""
        if "model" not in self.tables:
            return None
        table = self.table((), self.tables, "model")
        self.keys(("model",), table, MODEL)
        if ("law" in table) == ("case" in table):
            raise self.error(("model",), "[model] must have a law or a case, one of the two")
        return self._law(table) if "law" in table else self._case(table)

    def _law(self, table: Mapping[str, Any]) -> LawModel:
        self._only(table, ("law", "metal", "fixed"))
        name = self.text(("model",), table, "metal")
        material: Material = self.at(
            ("model", "metal"), lambda: metal(name) if name in names() else read(self.beside / name)
        )
        fixed = table.get("fixed", {})
        if not isinstance(fixed, Mapping):
            raise self.error(("model", "fixed"), f"fixed = {shown(fixed)}, must be a table")
        values = {key: self.si(("model", "fixed", key), value) for key, value in fixed.items()}
        law = self.text(("model",), table, "law")
        return self.at(("model", "law"), lambda: LawModel(law, material, fixed=values))

    def _case(self, table: Mapping[str, Any]) -> CaseModel:
        self._only(table, ("case", "output", "constants", "conditions"))
        file, output = self.text(("model",), table, "case"), self.text(("model",), table, "output")
        case = self.at(("model", "case"), lambda: Case.read(self.beside / file))
        keys = {name: table.get(name, {}) for name in ("constants", "conditions")}
        return self.at(("model",), lambda: CaseModel(case, output, folder=self._folder, **keys))

    def _only(self, table: Mapping[str, Any], keys: Sequence[str]) -> None:
        """Refuse keys of [model] that do not go with the first of some."""
        for key in table:
            if key not in keys:
                raise self.error(("model", key), f"[model] {key} does not go with {keys[0]}")

    def table(self, place: tuple[str, ...], table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Return a table that must be there."""
        value = table.get(key)
        if not isinstance(value, Mapping):
            raise self.error((*place, key), f"[{key}] is missing, must be a table")
        return value

    def text(self, place: tuple[str, ...], table: Mapping[str, Any], key: str) -> str:
        """Return a text that must be there."""
        value = table.get(key)
        if not isinstance(value, str):
            what = "is missing" if value is None else f"= {shown(value)}, must be a text"
            raise self.error((*place, key), f"[{'.'.join(place)}] {key} {what}")
        return value

    def pair(
        self, place: tuple[str, ...], table: Mapping[str, Any], key: str, second: str = "value"
    ) -> tuple[float, float] | None:
        """Return two numbers in SI, None if they are not there; the second a "value", "deviation" or "plain" number."""
        pair, where = table.get(key), (*place, key)
        if pair is None:
            return None
        if not isinstance(pair, list) or len(pair) != 2:
            raise self.error(where, f"[{'.'.join(place)}] {key} = {shown(pair)}, must be a list of 2 numbers")
        value = self.si(where, pair[0])
        if second == "plain":
            return value, self.at(where, lambda: in_si(key, pair[1], ""))
        other = self.deviation(where, pair[1]) if second == "deviation" else self.si(where, pair[1])
        self.alike(where, pair[1], [pair[0]])
        return value, other

    def deviation(self, place: tuple[str | int, ...], value: Any) -> float:
        """Return a difference in SI, of a number or a text; a unit with a zero of its own, degC, has none."""
        made = self.si(place, value)
        if _unit(value) and converted(f"0 {_unit(value)}", "SI"):
            raise self.error(place, f"{place[-1]} = {shown(value)}, must be a difference, in K: it would be {made:g} K")
        return made

    def alike(self, place: tuple[str | int, ...], value: Any, others: Sequence[Any]) -> None:
        """Refuse a text whose unit is like that of none of some texts; a number without one is in SI."""
        units = [each for each in others if _unit(each)]
        if units and _unit(value) and all(_dimension(value) != _dimension(each) for each in units):
            words = " or ".join(dict.fromkeys(shown(each) for each in units))
            raise self.error(place, f"{place[-1]} = {shown(value)}, must have a unit like that of {words}")

    def si(self, place: tuple[str | int, ...], value: Any) -> float:
        """Return a number in SI, of a number or a text with a unit."""
        return self.at(place, lambda: in_si(str(place[-1]), value, "SI" if isinstance(value, str) else ""))

    def keys(self, place: tuple[str | int, ...], table: Mapping[str, Any], keys: Sequence[str]) -> None:
        """Refuse keys that a table does not have."""
        for key in table:
            if key not in keys:
                where = f"[{'.'.join(str(each) for each in place if isinstance(each, str))}] " if place else ""
                raise self.error((*place, key), f"{where}there is no key {key!r}{nearest(key, keys)}")

    def at(self, place: tuple[str | int, ...], make: Callable[[], Any]) -> Any:
        """Return what a function makes; its error gets the place."""
        try:
            return make()
        except EmfemError as error:
            raise self.error(place, str(error)) from None

    def error(self, place: Sequence[str | int], sentence: str) -> ParameterError:
        """Return an error with file, line and key."""
        return ParameterError(self._source.located(place, sentence))


def _unit(value: Any) -> str:
    """Return the unit of a text, "" of a number."""
    return QUANTITY.fullmatch(value)[2] if isinstance(value, str) else ""  # type: ignore[index]  # it was read


def _dimension(value: str) -> Any:
    """Return the dimension of a text with a unit that exists."""
    return quantity(value).dimensionality
