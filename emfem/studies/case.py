"""A case: a run that a file describes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem.dimensions import PLAIN, integral
from emfem.errors import EmfemError, ParameterError
from emfem.mesh import Domain as Place
from emfem.model import Model
from emfem.studies.door import Door, has_unit
from emfem.studies.positions import lines_of
from emfem.studies.problems import CaseError, Source, dotted, nearest, problems, refused
from emfem.studies.running import Outcome, run
from emfem.studies.tables import MODELS, Domain, MaterialTable, Parts, Table, scales
from emfem.studies.tables.run import March, Output, Rest

import tomli_w
from mpi4py import MPI
from pydantic import ValidationError, create_model, model_validator

SHORT = 12  # letters of the hash: two of 10 million cases share one with a chance of 0.2


class Frame(Table):
    """What every case has besides its models."""

    domain: Domain
    material: MaterialTable | None = None  # type: ignore[valid-type]
    time: March | None = None
    steady: Rest | None = None
    output: Output = Output()

    @model_validator(mode="after")
    def _complete(self) -> Frame:
        """Refuse a case without a model, or with two ways to go."""
        if not self.models():
            msg = f"no model is given, must be at least one of {', '.join(f'[{name}]' for name in MODELS)}"
            raise ParameterError(msg)
        if self.time is not None and self.steady is not None:
            msg = "[time] and [steady] are given, must be one of them"
            raise ParameterError(msg)
        return self

    def models(self) -> dict[str, Any]:
        """The tables of models, in the order they are built in."""
        return {name: getattr(self, name) for name in MODELS if getattr(self, name, None) is not None}


Schema: type[Frame] = create_model(  # type: ignore[call-overload]
    "Schema", __base__=Frame, **{name: (table | None, None) for name, table in MODELS.items()}
)


@dataclass(frozen=True, eq=False)
class Case:
    """A run as a file describes it: checked, with every value in SI or of its film's scales.

    Attributes:
        tables: what it says, each table a frozen object.
        written: what the file says, as it was written.
        folder: where the files it names are looked for.
        source: where it comes from, for messages.
    """

    tables: Frame
    written: Mapping[str, Any] = field(repr=False)
    folder: Path = Path()
    source: Source = field(default_factory=Source, repr=False)

    @classmethod
    def read(cls, path: os.PathLike[str] | str) -> Case:
        """The case of a TOML file. Collective: rank 0 reads, all ranks get the same.

        Raises:
            ParameterError: if the file cannot be read or is no TOML; or all that is wrong with the case, one line each,
                with file, line, key, value, what it must be, and the nearest key that exists.
        """
        text = read_text(path)
        return cls.of(parsed(text, path), Path(path).parent, Source(str(path), lines_of(text)))

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any], *, folder: os.PathLike[str] | str = ".") -> Case:
        """The case of tables as `tomllib` gives them.

        Args:
            tables: the tables by name, values as in a file: numbers, or texts with units.
            folder: where the files that it names are looked for.

        Raises:
            ParameterError: for all that is wrong with it, one line each.
        """
        return cls.of(tables, Path(folder), Source())

    @classmethod
    def of(cls, tables: Mapping[str, Any], folder: Path, source: Source) -> Case:
        """The case of tables that come from somewhere; raises as `read`."""
        told = deepcopy(dict(tables))
        film = told.get("film")
        door = Door(folder, film is not None, scales(film))
        try:
            return cls(Schema.model_validate(told, context=door), told, folder, source)
        except ValidationError as error:
            raise problems(error, Schema, source) from None

    def with_(self, /, **values: Any) -> Case:
        """The same case with other values: `case.with_(**{"film.field.angle": "30 deg"})`.

        Args:
            values: by dotted key; the name of the model's table may be left out, `field.angle`.

        Raises:
            UnknownName: for a key that no table has, or that more than one has.
            ParameterError: for what is then wrong with the case, one line each.
        """
        told = deepcopy(dict(self.written))
        for key, value in values.items():
            path = self.path_of(key)
            table = told
            for name in path[:-1]:
                inner = table.get(name)
                table[name] = {"name": inner} if isinstance(inner, str) else (inner or {})
                table = table[name]
            table[path[-1]] = value
        return self.of(told, self.folder, Source(self.source.name, None))

    def path_of(self, key: str) -> tuple[str, ...]:
        """The path of a dotted key.

        Raises:
            UnknownName: if no table of the case begins so, or several do.
        """
        path = tuple(next(iter(_flat(tomllib.loads(f"{key} = 0"))))) if _is_key(key) else (key,)
        if path[0] in Schema.model_fields:
            return path
        owners = [name for name in self.tables.models() if path[0] in MODELS[name].model_fields]
        if len(owners) != 1:
            known = [*Schema.model_fields, *(f for name in self.tables.models() for f in MODELS[name].model_fields)]
            hint = f"; it is in {' and '.join(owners)}" if owners else nearest(path[0], known)
            msg = f"key {key!r}, must begin with a table of the case{hint}"
            raise ParameterError(msg)
        return (owners[0], *path)

    def value(self, key: str) -> Any:
        """The value of a dotted key as it was resolved, None if it was left out."""
        value: Any = self.resolved
        for name in self.path_of(key):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """All tables with every value as a number, defaults too, as `tomllib` would give them."""
        return plain(self.tables.model_dump(exclude_none=True, serialize_as_any=True))

    def to_toml(self) -> str:
        """The resolved case as a text that `read` takes."""
        return tomli_w.dumps(self.resolved)

    @property
    def hash(self) -> str:
        """A short name for what the case computes: equal for equal values, however they are written.

        Files count by what is in them, not by their names.
        """
        told = deepcopy(self.resolved)
        for table in ("domain", "material"):
            for key in ("file", "path", "image"):
                file = Path(str(told.get(table, {}).get(key, "")))
                if key in told.get(table, {}) and file.is_file():
                    told[table][key] = hashlib.sha256(file.read_bytes()).hexdigest()
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:SHORT]

    def build(self) -> list[Model]:
        """The models, coupled, at their start. Collective.

        Raises:
            ParameterError: for all that emfem refuses of it, each sentence with the line of its key.
        """
        tables = self.tables.models()
        domain: Place = self._told("domain", self.tables.domain.make)
        domain = domain.scaled("h") if self.dimensionless else domain.in_metres()
        self._check_currents(domain)
        metal = None if self.tables.material is None else self._told("material", self.tables.material.make)
        parts = Parts(domain, metal, expected=tuple(tables))
        wrong: list[str] = []
        for name, table in tables.items():
            try:
                parts.models[name] = table.build(parts)
            except ParameterError as error:
                wrong.append(refused((name,), error, self.source))
        if wrong:
            raise CaseError(wrong[:1] if len(tables) > 1 and "is missing" in wrong[-1] else wrong)
        return parts.finished()

    def _check_currents(self, domain: Place) -> None:
        """Refuse a total current in A where the model takes one in A/m or A/m2.

        Raises:
            CaseError: telling the unit.
        """
        unit = replace(integral("A"), system=domain.system(), measure=domain.measure).unit
        electrodes = self.written.get("conduction", {}).get("on", {})
        places: dict[tuple[str, ...], Any] = {("conduction", "on", name): each for name, each in electrodes.items()}
        for place, table in (places | {("surface",): self.written.get("surface", {})}).items():
            current = table.get("current")
            if unit not in ("A", PLAIN) and has_unit(current):
                thick = ", or [domain] have a thickness" if unit == "A/m" else ""
                error = ParameterError(f"current = {current!r}, must be a plain number in {unit}{thick}")
                raise CaseError([refused(place, error, self.source)])

    @property
    def dimensionless(self) -> bool:
        """Whether a film sets the scales of lengths and times."""
        return "film" in self.tables.models()

    def measures(self, models: Sequence[Model]) -> dict[str, float]:
        """What is asked of its models at the end beside their quantities. Collective."""
        pairs = zip(self.tables.models().values(), models, strict=True)
        return {name: value for table, model in pairs for name, value in table.measures(model).items()}

    def _told(self, table: str, make: Any) -> Any:
        """What a table makes, what it refuses with the place of it."""
        try:
            return make()
        except EmfemError as error:
            told = error if isinstance(error, ParameterError) else ParameterError(str(error))
            raise CaseError([refused((table,), told, self.source)]) from None

    def run(self, folder: os.PathLike[str] | str, *, progress: bool = True) -> Outcome:
        """Run it, and write everything into a folder; see `em.studies.running`. Collective."""
        return run(self, folder, progress=progress)


def read_text(path: os.PathLike[str] | str) -> str:
    """The text of a file. Collective: rank 0 reads.

    Raises:
        ParameterError: if it cannot be read.
    """
    text, trouble = None, None
    if MPI.COMM_WORLD.rank == 0:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            trouble = getattr(error, "strerror", None) or str(error)
    text, trouble = MPI.COMM_WORLD.bcast((text, trouble), root=0)
    if text is None:
        msg = f"path = {str(path)!r}, must be a file that can be read: {trouble}"
        raise ParameterError(msg)
    return text


def parsed(text: str, path: os.PathLike[str] | str) -> dict[str, Any]:
    """The tables of a text in TOML.

    Raises:
        ParameterError: if it is none, with the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+).*\)$| \(at end of document\)$", str(error))
        at = (place and place[1]) or len(text.splitlines())
        msg = f"{path}:{at}: must be TOML: {str(error)[: place.start() if place else None]}"
        raise ParameterError(msg) from None


def plain(value: Any) -> Any:
    """A value as TOML and JSON have it: lists for tuples, no None."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted key, of tables in tables, whose first keys may be dotted already."""
    return {
        ".".join((path[0], *((dotted(path[1:]),) if path[1:] else ()))): value for path, value in _flat(tables).items()
    }


def _flat(tables: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in tables.items():
        found |= _flat(value, (*path, key)) if isinstance(value, Mapping) else {(*path, key): value}
    return found


def _is_key(key: str) -> bool:
    try:
        tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return False
    return "=" not in key and "\n" not in key
