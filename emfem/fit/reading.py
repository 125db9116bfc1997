"""A fit in a TOML file: model, unknowns, curves, tests to choose from, and the constants of a metal that come of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

from emfem.errors import ParameterError, choice, require
from emfem.fit.curves import Curve, read_curves, read_table
from emfem.fit.designing import CRITERIA, Proposal, Test, design
from emfem.fit.fitting import fit
from emfem.fit.result import Fit
from emfem.fit.tables import Forward, Reader
from emfem.fit.unknowns import Unknown
from emfem.gate import checked
from emfem.quantities import in_si
from emfem.studies.validation import nearest, shown

from mpi4py import MPI

SETTINGS = ("confidence", "loss", "starts", "seed", "intervals", "step")
TOP = (*SETTINGS, "model", "unknowns", "curves", "material", "tests", "criterion")
UNKNOWN = ("bounds", "logarithmic", "start", "prior", "unit", "shared")
TESTS = ("name", "inputs", "by", "error", "scale", "samples", "until")
CURVES = ("file", "measured", "inputs", "by", "error", "scale", "censored")

NOUNS = {dict: "table", list: "list", str: "text"}


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
        tests: that could be made.
        criterion: by which the best of them is.
    """

    unknowns: Sequence[Unknown]
    curves: Sequence[Curve]
    model: Forward | None = field(repr=False)
    settings: Mapping[str, Any]
    name: str
    constants: Mapping[str, str | tuple[str, str]]
    tests: Sequence[Test] = ()
    criterion: str = "widest"

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
        return fit(
            self._function(model),
            self.curves,
            self.unknowns,
            folder=folder,
            workers=workers,
            scheduler=scheduler,
            **self.settings,
        )

    @checked
    def design(
        self, result: Fit, *, model: Callable[[dict[str, float], dict[str, Any]], Any] | None = None
    ) -> list[Proposal]:
        """Return the tests of the file with the intervals that are expected after each, the best first.

        Args:
            result: of `run`.
            model: as in `run`.

        Raises:
            ParameterError: for a file without tests, and as `em.fit.design`.
        """
        require(self.tests, "[[tests]] is missing, must be at least one table")
        options = {key: self.settings[key] for key in ("step",) if key in self.settings}
        return design(self._function(model), result, self.tests, criterion=self.criterion, **options)

    def _function(self, model: Forward | None) -> Forward:
        function = model or self.model
        if function is None:
            msg = "[model] is missing, must name a law or a case, unless a function is the model"
            raise ParameterError(msg)
        return function


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
    return _Reader(path, folder).read()


class _Reader(Reader):
    """Tables of a fit."""

    def read(self) -> FitCase:
        """Return the fit."""
        self._measured: list[str] = []  # of each table of curves, 1 in its unit
        self.keys((), self.tables, TOP)
        unknowns = self.table((), self.tables, "unknowns")
        curves = self.tables.get("curves")
        if not isinstance(curves, list) or not curves or not all(isinstance(each, Mapping) for each in curves):
            raise self.error(("curves",), "[[curves]] is missing, must be at least one table")
        settings = {key: self.tables[key] for key in SETTINGS if key in self.tables}
        made = [self._unknown(name, each) for name, each in unknowns.items()]
        return FitCase(
            unknowns=made,
            curves=self._named([self._curves(i, each) for i, each in enumerate(curves)]),
            model=self.model(),
            tests=self._tests(),
            criterion=self.at(
                ("criterion",), lambda: choice("criterion", self.tables.get("criterion", "widest"), CRITERIA)
            ),
            settings=settings,
            **self._material([each.name for each in made]),
        )

    def _unknown(self, name: str, table: Any) -> Unknown:
        place = ("unknowns", name)
        if not isinstance(table, Mapping):
            raise self.error(place, f"unknowns.{name} = {shown(table)}, must be a table with bounds")
        self.keys(place, table, UNKNOWN)
        bounds = self.pair(place, table, "bounds")
        if bounds is None:
            raise self.error(place, f"[unknowns.{name}] bounds is missing")
        options = {key: table[key] for key in ("logarithmic", "unit", "shared") if key in table}
        if "start" in table:
            options["start"] = self.si((*place, "start"), table["start"])
            self.alike((*place, "start"), table["start"], table["bounds"])
        if "prior" in table:
            of_logarithm = table.get("logarithmic") is True
            options["prior"] = self.pair(place, table, "prior", "plain" if of_logarithm else "deviation")
            self.alike((*place, "prior"), table["prior"][0], table["bounds"])
        return self.at(place, lambda: Unknown(name, bounds, **options))

    def _curves(self, index: int, table: Mapping[str, Any]) -> list[Curve]:
        place = ("curves", index)
        self.keys(place, table, CURVES)
        for key in ("file", "measured", "inputs"):
            if key not in table:
                raise self.error(place, f"[[curves]] {key} is missing")
        for key in ("file", "measured", "scale", "censored"):
            if not isinstance(table.get(key, ""), str):
                raise self.error((*place, key), f"{key} = {shown(table[key])}, must be a text")
        for key in ("inputs", "by"):
            value = table.get(key, [])
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise self.error((*place, key), f"{key} = {shown(value)}, must be a list of columns")
        error, scale = table.get("error"), table.get("scale", "linear")
        own = error if isinstance(error, str) and error[:1] in "0123456789.+-" else None  # a number, else a column
        if own is not None:
            error = self._error((*place, "error"), own, scale)
        options = {key: table[key] for key in ("inputs", "by", "measured", "scale", "censored") if key in table}
        file, measured = self.beside / table["file"], table["measured"]
        made: list[Curve] = self.at(place, lambda: read_curves(file, error=error, **options))
        unit = read_table(file, [measured])[1][measured].strip("- ")
        self._measured.append(f"1 {unit or 'percent'}")
        if scale != "log":
            self.alike((*place, "error"), own, self._measured[-1:])
        return made

    def _error(self, place: tuple[str | int, ...], value: Any, scale: Any) -> float:
        """Return a standard deviation, which on the scale "log" is a plain number."""
        if scale == "log":
            return float(self.at(place, lambda: in_si("error", value, "")))
        return self.deviation(place, value)

    def _tests(self) -> list[Test]:
        """Return the tests; with `by` one for each combination of the values of these inputs."""
        tables = self.tables.get("tests", [])
        if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
            raise self.error(("tests",), f"tests = {shown(tables)}, must be tables: [[tests]]")
        return [test for i, table in enumerate(tables, 1) for test in self._combined(i, table)]

    def _combined(self, number: int, table: Mapping[str, Any]) -> list[Test]:
        place = ("tests", number - 1)
        self.keys(place, table, TESTS)
        for key, words in {"inputs": dict, "by": list, "name": str}.items():
            if not isinstance(table.get(key, words()), words):
                raise self.error((*place, key), f"[[tests]] {key} = {shown(table[key])}, must be a {NOUNS[words]}")
        for key in ("inputs", "error"):
            if key not in table:
                raise self.error(place, f"[[tests]] {key} is missing")
        inputs = {
            key: [self.si((*place, "inputs", key), each) for each in value]
            if isinstance(value, list)
            else self.si((*place, "inputs", key), value)
            for key, value in table["inputs"].items()
        }
        by = table.get("by", [])
        for key in by:
            if not isinstance(inputs.get(key), list):
                raise self.error((*place, "by"), f"[[tests]] by = {shown(by)}, must be inputs that are lists")
        options = {key: table[key] for key in ("scale", "samples") if key in table}
        options["error"] = self._error((*place, "error"), table["error"], table.get("scale", "linear"))
        if "until" in table:
            options["until"] = self.si((*place, "until"), table["until"])
        for key in ("until",) if table.get("scale") == "log" else ("until", "error"):
            self.alike((*place, key), table.get(key), self._measured)

        def test(values: Sequence[float]) -> Test:
            chosen = dict(zip(by, values, strict=True))
            words = [table.get("name", ""), *(f"{key} = {value:g}" for key, value in chosen.items())]
            return Test(", ".join(filter(None, words)) or f"test {number}", inputs | chosen, **options)

        lists: list[Any] = [inputs[key] for key in by]
        return [self.at(place, partial(test, values)) for values in product(*lists)]

    @staticmethod
    def _named(parts: Sequence[Sequence[Curve]]) -> list[Curve]:
        """Return all curves, those of a name that is there twice numbered by their tables."""
        labels = [curve.name for part in parts for curve in part]
        made = []
        for i, part in enumerate(parts, 1):
            for curve in part:
                label = curve.name if labels.count(curve.name) == 1 else f"{curve.name} ({i})"
                made.append(replace(curve, name=label))
        return made

    def _material(self, unknowns: Sequence[str]) -> dict[str, Any]:
        """Return name and constants of the metal that is written."""
        table = self.tables.get("material", {})
        if not isinstance(table, Mapping):
            raise self.error(("material",), f"material = {shown(table)}, must be a table")
        constants: dict[str, str | tuple[str, str]] = {}
        for key, value in table.items():
            if key == "name":
                continue
            words = [value] if isinstance(value, str) else value
            if not isinstance(words, list) or len(words) not in (1, 2) or not all(each in unknowns for each in words):
                message = f"{key} = {shown(value)}, must be one of the unknowns, or two{nearest('', unknowns)}"
                raise self.error(("material", key), f"[material] {message}")
            constants[key] = words[0] if len(words) == 1 else (words[0], words[1])
        name = self.text(("material",), table, "name") if table else ""
        return {"name": name, "constants": constants}
