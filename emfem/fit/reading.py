"""A fit in a TOML file: model, unknowns, curves, and the constants of a metal that come of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, ParameterError
from emfem.files import read_text
from emfem.fit.cases import CaseModel
from emfem.fit.curves import Curve, read_curves
from emfem.fit.fitting import fit
from emfem.fit.laws import LawModel
from emfem.fit.result import Fit
from emfem.fit.unknowns import Unknown
from emfem.gate import checked
from emfem.materials import Material, metal, names, read
from emfem.quantities import in_si
from emfem.studies import Case
from emfem.studies.case import parsed
from emfem.studies.validation import Source, nearest, shown

from mpi4py import MPI

TOP = ("confidence", "loss", "starts", "seed", "intervals", "step", "model", "unknowns", "curves", "material")
SETTINGS = TOP[:6]
MODEL = ("law", "metal", "fixed", "case", "output", "constants", "conditions")
UNKNOWN = ("bounds", "logarithmic", "start", "prior", "unit", "shared")
CURVES = ("file", "measured", "inputs", "by", "error", "scale", "censored")

type Forward = Callable[[dict[str, float], dict[str, Any]], Any]


@dataclass(frozen=True, eq=False)
class FitCase:
    """A fit as a file describes it.

    Attributes:
        unknowns: the constants.
        curves: the data.
        model: the model; None if the file names none.
        settings: other arguments of `em.fit.fit`.
        name: of the metal that the constants are written for; empty for none.
        constants: as in `Fit.write_material`.
    """

    unknowns: Sequence[Unknown]
    curves: Sequence[Curve]
    model: Forward | None = field(repr=False)
    settings: Mapping[str, Any]
    name: str
    constants: Mapping[str, str | tuple[str, str]]

    @checked(collective=MPI.COMM_WORLD)
    def run(
        self,
        folder: os.PathLike[str] | str,
        *,
        model: Callable[[dict[str, float], dict[str, Any]], Any] | None = None,
        workers: int = 1,
        scheduler: str | None = None,
    ) -> Fit:
        """Return the fit; its evaluations are added to a folder, and taken from there the next time.

        Args:
            folder: of evaluations.jsonl.
            model: instead of that of the file.
            workers: as in `em.fit.fit`.
            scheduler: as in `em.fit.fit`.

        Raises:
            ParameterError: without a model, and as `em.fit.fit`.
        """
        function = model or self.model
        if function is None:
            msg = "[model] is missing, must name a law or a case, unless a function is the model"
            raise ParameterError(msg)
        return fit(
            function,
            self.curves,
            self.unknowns,
            folder=folder,
            workers=workers,
            scheduler=scheduler,
            **self.settings,
        )


@checked(collective=MPI.COMM_WORLD)
def read_fit(path: str | os.PathLike[str], *, folder: os.PathLike[str] | str) -> FitCase:
    """Return the fit of a TOML file. Collective: rank 0 reads.

    Numbers are in SI or texts with their unit; files are looked for beside it.

    Args:
        path: of the file.
        folder: of the runs of a case.

    Raises:
        ParameterError: if it cannot be read, or for a key that does not exist, is missing, or has a wrong value; the
            sentence has file, line and key.
    """
    text = read_text(path)
    return _Reader(parsed(text, path), Path(path).parent, Source(str(path), text), Path(folder)).read()


class _Reader:
    """Tables of a file; an error names its place."""

    def __init__(self, tables: Mapping[str, Any], beside: Path, source: Source, folder: Path) -> None:
        self.tables, self.beside, self.source, self.folder = tables, beside, source, folder

    def read(self) -> FitCase:
        """Return the fit."""
        self._keys((), self.tables, TOP)
        unknowns = self._table((), self.tables, "unknowns")
        curves = self.tables.get("curves")
        if not isinstance(curves, list) or not curves or not all(isinstance(each, Mapping) for each in curves):
            raise self._error(("curves",), "[[curves]] is missing, must be at least one table")
        settings = {key: self.tables[key] for key in SETTINGS if key in self.tables}
        made = [self._unknown(name, each) for name, each in unknowns.items()]
        return FitCase(
            unknowns=made,
            curves=self._named([self._curves(i, each) for i, each in enumerate(curves)]),
            model=self._model() if "model" in self.tables else None,
            settings=settings,
            **self._material([each.name for each in made]),
        )

    def _unknown(self, name: str, table: Any) -> Unknown:
        place = ("unknowns", name)
        if not isinstance(table, Mapping):
            raise self._error(place, f"unknowns.{name} = {shown(table)}, must be a table with bounds")
        self._keys(place, table, UNKNOWN)
        bounds = self._numbers(place, table, "bounds", 2)
        if bounds is None:
            raise self._error(place, f"[unknowns.{name}] bounds is missing")
        options = {key: table[key] for key in ("logarithmic", "unit", "shared") if key in table}
        if "start" in table:
            options["start"] = self._si((*place, "start"), table["start"])
        if "prior" in table:
            options["prior"] = self._numbers(place, table, "prior", 2)
        return self._at(place, lambda: Unknown(name, bounds, **options))

    def _curves(self, index: int, table: Mapping[str, Any]) -> list[Curve]:
        place = ("curves", index)
        self._keys(place, table, CURVES)
        for key in ("file", "measured", "inputs"):
            if key not in table:
                raise self._error(place, f"[[curves]] {key} is missing")
        for key in ("file", "measured", "scale", "censored"):
            if not isinstance(table.get(key, ""), str):
                raise self._error((*place, key), f"{key} = {shown(table[key])}, must be a text")
        for key in ("inputs", "by"):
            value = table.get(key, [])
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise self._error((*place, key), f"{key} = {shown(value)}, must be a list of columns")
        error = table.get("error")
        if isinstance(error, str) and error[:1] in "0123456789.+-":  # a number with its unit, else a column
            error = self._si((*place, "error"), error)
        options = {key: table[key] for key in ("inputs", "by", "measured", "scale", "censored") if key in table}
        return self._at(place, lambda: read_curves(self.beside / table["file"], error=error, **options))

    @staticmethod
    def _named(parts: Sequence[Sequence[Curve]]) -> list[Curve]:
        """Return all curves, those of a name that is there twice numbered by their tables."""
        labels = [curve.name for part in parts for curve in part]
        made = []
        for i, part in enumerate(parts, 1):
            for curve in part:
                label = curve.name if labels.count(curve.name) == 1 else f"{curve.name} ({i})"
                made.append(Curve(label, curve.inputs, curve.measured, curve.error, curve.scale, curve.censored))
        return made

    def _model(self) -> Forward:
        table = self._table((), self.tables, "model")
        self._keys(("model",), table, MODEL)
        if ("law" in table) == ("case" in table):
            raise self._error(("model",), "[model] must have a law or a case, one of the two")
        return self._law(table) if "law" in table else self._case(table)

    def _law(self, table: Mapping[str, Any]) -> LawModel:
        self._only(table, ("law", "metal", "fixed"))
        name = self._text(("model",), table, "metal")
        material: Material = self._at(
            ("model", "metal"), lambda: metal(name) if name in names() else read(self.beside / name)
        )
        fixed = table.get("fixed", {})
        if not isinstance(fixed, Mapping):
            raise self._error(("model", "fixed"), f"fixed = {shown(fixed)}, must be a table")
        values = {key: self._si(("model", "fixed", key), value) for key, value in fixed.items()}
        law = self._text(("model",), table, "law")
        return self._at(("model", "law"), lambda: LawModel(law, material, fixed=values))

    def _case(self, table: Mapping[str, Any]) -> CaseModel:
        self._only(table, ("case", "output", "constants", "conditions"))
        file, output = self._text(("model",), table, "case"), self._text(("model",), table, "output")
        case = self._at(("model", "case"), lambda: Case.read(self.beside / file))
        keys = {name: table.get(name, {}) for name in ("constants", "conditions")}
        return self._at(("model",), lambda: CaseModel(case, output, folder=self.folder, **keys))

    def _material(self, unknowns: Sequence[str]) -> dict[str, Any]:
        """Return name and constants of the metal that is written."""
        table = self.tables.get("material", {})
        if not isinstance(table, Mapping):
            raise self._error(("material",), f"material = {shown(table)}, must be a table")
        constants: dict[str, str | tuple[str, str]] = {}
        for key, value in table.items():
            if key == "name":
                continue
            words = [value] if isinstance(value, str) else value
            if not isinstance(words, list) or len(words) not in (1, 2) or not all(each in unknowns for each in words):
                message = f"{key} = {shown(value)}, must be one of the unknowns, or two{nearest('', unknowns)}"
                raise self._error(("material", key), f"[material] {message}")
            constants[key] = words[0] if len(words) == 1 else (words[0], words[1])
        name = self._text(("material",), table, "name") if table else ""
        return {"name": name, "constants": constants}

    def _only(self, table: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key in table:
            if key not in keys:
                raise self._error(("model", key), f"[model] {key} does not go with {keys[0]}")

    def _table(self, place: tuple[str, ...], table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = table.get(key)
        if not isinstance(value, Mapping):
            raise self._error((*place, key), f"[{key}] is missing, must be a table")
        return value

    def _text(self, place: tuple[str, ...], table: Mapping[str, Any], key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str):
            what = "is missing" if value is None else f"= {shown(value)}, must be a text"
            raise self._error((*place, key), f"[{'.'.join(place)}] {key} {what}")
        return value

    def _numbers(
        self, place: tuple[str, ...], table: Mapping[str, Any], key: str, n: int
    ) -> tuple[float, float] | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != n:
            raise self._error(
                (*place, key), f"[{'.'.join(place)}] {key} = {shown(value)}, must be a list of {n} numbers"
            )
        low, high = (self._si((*place, key), each) for each in value)
        return low, high

    def _si(self, place: tuple[str | int, ...], value: Any) -> float:
        return self._at(place, lambda: in_si(str(place[-1]), value, "SI" if isinstance(value, str) else ""))

    def _keys(self, place: tuple[str | int, ...], table: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key in table:
            if key not in keys:
                where = f"[{'.'.join(str(each) for each in place if isinstance(each, str))}] " if place else ""
                raise self._error((*place, key), f"{where}there is no key {key!r}{nearest(key, keys)}")

    def _at(self, place: tuple[str | int, ...], make: Callable[[], Any]) -> Any:
        """Return what a function makes; its error gets the place."""
        try:
            return make()
        except EmfemError as error:
            raise self._error(place, str(error)) from None

    def _error(self, place: Sequence[str | int], sentence: str) -> ParameterError:
        return ParameterError(self.source.located(place, sentence))
