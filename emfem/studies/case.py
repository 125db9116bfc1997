"""A case: a run that a file describes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from emfem.dimensions import PLAIN, Value, integral
from emfem.errors import EmfemError, ParameterError, count, kind
from emfem.files import read_text
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Model
from emfem.resolution import ResolutionReport
from emfem.solve import Advice, advise
from emfem.studies import registry
from emfem.studies.growing import check_time
from emfem.studies.report_units import units_of
from emfem.studies.running import Outcome, check, run
from emfem.studies.tables import ALLOY, BuildContext, DomainTable, MaterialTable, Opening, Physics, Table, scales
from emfem.studies.tables.run import OutputTable, SteadyTable, TimeTable
from emfem.studies.toml_tables import copied, key_path, parsed, plain
from emfem.studies.units import UnitContext, has_unit
from emfem.studies.validation import CaseError, Source, dotted, nearest, refused, shown, validation_errors

import tomli_w
from mpi4py import MPI
from pydantic import ValidationError, create_model, model_validator

SHORT = 12  # letters of the hash: two of 10 million cases share one with a chance of 0.2


class Frame(Table):
    """Tables that every case has besides its models."""

    domain: DomainTable
    material: MaterialTable | None = None  # type: ignore[valid-type]
    time: TimeTable | None = None
    steady: SteadyTable | None = None
    output: OutputTable = OutputTable()

    physics: ClassVar[tuple[Physics, ...]] = ()

    @model_validator(mode="after")
    def _complete(self) -> Frame:
        """Refuse a case without a model, or with both [time] and [steady]."""
        if not self.models():
            msg = f"no model is given, must be at least one of {', '.join(f'[{each.name}]' for each in self.physics)}"
            raise ParameterError(msg)
        if self.time is not None and self.steady is not None:
            msg = "[time] and [steady] are given, must be one of them"
            raise ParameterError(msg)
        return self

    def models(self) -> dict[str, Any]:
        """Return the tables of models, in the order they are built in."""
        return {each.name: getattr(self, each.name) for each in self.physics if getattr(self, each.name) is not None}


@cache
def _schema(physics: tuple[Physics, ...]) -> type[Frame]:
    """Return the schema of a case with these physics."""
    fields: Any = {each.name: (each.table | None, None) for each in physics}
    made: type[Frame] = create_model("Schema", __base__=Frame, **fields)
    made.physics = physics
    return made


def schema() -> type[Frame]:
    """Return the schema of a case with all physics there are."""
    return _schema(tuple(registry.known().values()))


@dataclass(frozen=True, eq=False)
class Case:
    """A run as a file describes it: checked, with every value in SI or of its film's scales.

    Attributes:
        tables: its tables, each a frozen object.
        written: the tables as they were written.
        folder: where the files it names are looked for.
        source: where it comes from, for messages.
    """

    tables: Frame
    written: Mapping[str, Any] = field(repr=False)
    folder: Path = Path()
    source: Source = field(default_factory=Source, repr=False)

    @classmethod
    @checked(collective=MPI.COMM_WORLD)
    def read(cls, path: os.PathLike[str] | str) -> Case:
        """Return the case of a TOML file. Collective: rank 0 reads, all ranks get the same.

        Raises:
            ParameterError: if the file cannot be read or is no TOML; or all errors of the case, one line each, with
                file, line, key, value, what it must be, and the nearest key that exists.
        """
        text = read_text(path)
        return cls.of(parsed(text, path), Path(path).parent, Source(str(path), text))

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any], *, folder: os.PathLike[str] | str = ".") -> Case:
        """Return the case of tables as `tomllib` gives them.

        Args:
            tables: the tables by name, values as in a file: numbers, or texts with units.
            folder: where the files that it names are looked for.

        Raises:
            ParameterError: for all errors, one line each.
        """
        kind("folder", folder, (str, os.PathLike), "the path of a folder")
        return cls.of(tables, Path(folder), Source())

    @classmethod
    def of(cls, tables: Mapping[str, Any], folder: Path, source: Source) -> Case:
        """Return the case of tables of any origin; raises as `read`."""
        values = copied(tables, source)
        film = values.get("film")
        units = UnitContext(folder, film is not None)
        checked = values
        if isinstance(film, Mapping) and "alloy" in film:
            with suppress(ValidationError):  # which is reported with all others below
                alloy = ALLOY.validate_python(film["alloy"], context=units)
                units = replace(units, scales=scales(alloy))
                checked = values | {"film": {**film, "alloy": alloy}}
        tables_of = schema()
        try:
            return cls(tables_of.model_validate(checked, context=units), values, folder, source)
        except ValidationError as error:
            raise validation_errors(error, tables_of, source) from None

    def with_(self, /, **values: Any) -> Case:
        """Return the same case with other values: `case.with_(**{"film.field.angle": "30 deg"})`.

        Args:
            values: by dotted key; the name of the model's table may be left out, `field.angle`.

        Raises:
            UnknownName: for a key that no table has, or that more than one has.
            ParameterError: for the errors that the case then has, one line each.
        """
        tables = deepcopy(dict(self.written))
        for key, value in values.items():
            path = self.path_of(key)
            table = tables
            for i, name in enumerate(path[:-1], start=1):
                inner = table.get(name)
                if not isinstance(inner, Mapping | str | None):
                    msg = f"key {key!r}, must be that of a value: {dotted(path[:i])} = {shown(inner)} is no table"
                    raise ParameterError(msg)
                table[name] = {"name": inner} if isinstance(inner, str) else (inner or {})
                table = table[name]
            table[path[-1]] = value
        return self.of(tables, self.folder, Source(self.source.name))

    @checked
    def path_of(self, key: str) -> tuple[str, ...]:
        """Return the path of a dotted key.

        Raises:
            UnknownName: if no table of the case begins so, or several do.
        """
        kind("key", key, str, "a text, dots between names")
        path = key_path(key)
        tables = type(self.tables).model_fields
        if path[0] in tables:
            return path
        models = self.tables.models()
        owners = [name for name, table in models.items() if path[0] in type(table).model_fields]
        if len(owners) != 1:
            names = [*tables, *(name for table in models.values() for name in type(table).model_fields)]
            hint = f"; it is in {' and '.join(owners)}" if owners else nearest(path[0], names)
            msg = f"key {shown(key)}, must begin with a table of the case{hint}"
            raise ParameterError(msg)
        return (owners[0], *path)

    @checked
    def value(self, key: str) -> Any:
        """Return the value of a dotted key as it was resolved, None if it was left out."""
        value: Any = self.resolved
        for name in self.path_of(key):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """All tables with every value as a number, defaults too, as `tomllib` would give them."""
        return plain(self.tables.model_dump(exclude_none=True, serialize_as_any=True))

    def to_toml(self) -> str:
        """Return the resolved case as a text that `read` takes."""
        return tomli_w.dumps(self.resolved)

    @property
    def hash(self) -> str:
        """A short name for the computation: equal for equal values, however they are written.

        Files count by their content, not by their names; so does the file of a physics that is not emfem's own.
        """
        tables = deepcopy(self.resolved)
        for table in ("domain", "material"):
            for key in ("file", "path", "image"):
                file = Path(str(tables.get(table, {}).get(key, "")))
                if key in tables.get(table, {}) and file.is_file():
                    tables[table][key] = _content(file)
        codes = {each.name: _content(each.source) for each in registry.own() if each.source and each.name in tables}
        text = json.dumps(tables | ({"physics": codes} if codes else {}), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:SHORT]

    @property
    def units(self) -> dict[str, str]:
        """Units of all its numbers by dotted key."""
        return dict(units_of(self.tables, scaled=self.dimensionless))

    @checked
    def build(self, finer: int = 1) -> list[Model]:
        """Return the models, coupled, at their start. Collective.

        Args:
            finer: 1 for the mesh of the case, 2 for one whose cells are halved.

        Raises:
            ParameterError: for all that emfem refuses of it, each sentence with the line of its key.
        """
        count("finer", finer, at_least=1, at_most=2)
        tables = self.tables.models()
        domain: Domain = self._make("domain", lambda: self.tables.domain.make(finer))
        domain = domain.scaled("h") if self.dimensionless else domain.in_metres()
        self._check_currents(domain)
        metal = None if self.tables.material is None else self._make("material", lambda: self.tables.material.made)
        context = BuildContext(domain, tables, metal)
        errors: list[str] = []
        for physics in self._used():
            try:
                context.models[physics.name] = physics.build(tables[physics.name], context)
            except ParameterError as error:
                errors.append(refused((physics.name,), error, self.source))
        if errors:
            raise CaseError(errors[:1] if len(tables) > 1 and "is missing" in errors[-1] else errors)
        models = context.finished()
        self.opening(models)  # what it refuses of [time] is an error of the file
        return models

    @checked
    def opening(self, models: Sequence[Model]) -> Opening | None:
        """Return how voids open in its run, on the domain of its models; None if none do, or they are there already."""
        tables, metal = self.tables.models(), self.tables.material
        context = BuildContext(models[0].domain, tables, None if metal is None else metal.made)
        each = [physics.opening(tables[physics.name], context) for physics in self._used() if physics.opening]
        opening = next((one for one in each if one is not None), None)
        if opening is not None:
            self._make("time", lambda: check_time(self.tables.time))
        return opening

    def _used(self) -> list[Physics]:
        """Return the physics whose tables it has, in the order of its models."""
        return [each for each in self.tables.physics if each.name in self.tables.models()]

    def _check_currents(self, domain: Domain) -> None:
        """Refuse a total current in A where the model takes one in A/m or A/m2.

        Raises:
            CaseError: with the unit.
        """
        unit = replace(integral("A"), system=domain.system(), measure=domain.measure).unit
        electrodes = self.written.get("conduction", {}).get("on", {})
        places: dict[tuple[str, ...], Any] = {("conduction", "on", name): each for name, each in electrodes.items()}
        surfaces = {(name,): self.written.get(name, {}) for name in ("surface", "voids")}
        for place, table in (places | surfaces).items():
            current = table.get("current")
            if unit not in ("A", PLAIN) and has_unit(current):
                thick = ", or [domain] have a thickness" if unit == "A/m" else ""
                error = ParameterError(f"current = {current!r}, must be a plain number in {unit}{thick}")
                raise CaseError([refused(place, error, self.source)])

    @property
    def dimensionless(self) -> bool:
        """True if a film sets the scales of lengths and times, see `em.studies.units`."""
        return "film" in self.tables.models()

    def advice(self) -> Advice:
        """Return the solver that its run gets, with about its memory and time a step; nothing is solved. Collective.

        With coupling = "staggered" it is that of the models that evolve.

        Raises:
            ParameterError: as `build`.
        """
        models, table = self.build(), self.tables.time or self.tables.steady
        if self.tables.time is not None and self.tables.time.values()["coupling"] == "staggered":
            models = [model for model in models if any(unknown.rate is not None for unknown in model.unknowns)]
        return advise(models, solver="auto" if table is None else table.values().get("solver", "auto"))

    @checked
    def measures(self, models: Sequence[Model]) -> dict[str, Value]:
        """Return the numbers of its models at the end beside their quantities, by name. Collective.

        Raises:
            ParameterError: for other models than those of the case.
        """
        physics = self._used()
        if len(models) != len(physics):
            msg = (
                f"models, {len(models)} of them, must be those of the case: {', '.join(each.name for each in physics)}"
            )
            raise ParameterError(msg)
        pairs = zip(physics, models, strict=True)
        return {name: value for each, model in pairs if each.measures for name, value in each.measures(model).items()}

    def _make(self, table: str, make: Callable[[], Any]) -> Any:
        """Return what a table stands for; errors name its place."""
        try:
            return make()
        except EmfemError as error:
            parameter_error = error if isinstance(error, ParameterError) else ParameterError(str(error))
            raise CaseError([refused((table,), parameter_error, self.source)]) from None

    @checked(collective=MPI.COMM_WORLD)
    def run(
        self,
        folder: os.PathLike[str] | str,
        *,
        progress: bool = True,
        resume: bool = False,
        force: bool = False,
        wall_time: float | str | None = None,
        verify: bool = False,
    ) -> Outcome:
        """Run it, and write everything into a folder; see `em.studies.running.run`. Collective.

        Args:
            folder: where to.
            progress: as in `em.evolve`.
            resume: go on from the newest checkpoint in the folder, from the start if there is none.
            force: replace a run in the folder that could go on.
            wall_time: as in `em.evolve`.
            verify: check the resolution afterwards, as `check_resolution` does, and add it to the report.
        """
        return run(self, folder, progress=progress, resume=resume, force=force, wall_time=wall_time, verify=verify)

    @checked
    def check_resolution(self, until: float | None = None, *, bound: float = 0.01) -> ResolutionReport:
        """Repeat the run with half the tolerance, and on half the mesh; see `em.check_resolution`. Collective.

        Args:
            until: the time to reach, of a stretch; that of the case when left out.
            bound: largest change of a run that is resolved, relative.

        Raises:
            ParameterError: for cells that cannot be halved.
            EmfemError: if one of the runs fails.
        """
        return check(self, until, bound=bound)


def _content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
