"""Units of the numbers of a report, in one table: `report["units"]`, by dotted name, "-" for a plain number.

The numbers of a list share the name of the list. A number that has no entry there is a mistake of emfem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from emfem.dimensions import PLAIN
from emfem.model import Model
from emfem.studies.tables import Table
from emfem.studies.units import PLAIN as PLAIN_KEYS
from emfem.studies.units import TIMES, Unit
from emfem.waveforms import Waveform

from pydantic.fields import FieldInfo

COUNTS = ("pid", "ranks", "steps", "rejected", "solves", "factorisations", "linear_iterations")
RUN = dict.fromkeys(COUNTS, PLAIN) | {"wall": "s"}
SECONDS = Unit("s", scaled=True)
OF_A_QUANTITY = "that of its quantity"  # of the limit of an event
OF_A_ROW = "that of its row"  # of the value beside its unit in the check of the resolution
PATTERN = ("stripes", "order", "contrast", "ends", "forks", "domains")  # the pattern's plain numbers


def numbers(value: Any, name: str = "") -> Iterator[str]:
    """Yield the dotted names of all numbers in tables and lists as JSON has them."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from numbers(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name


def unit_of_key(field: FieldInfo) -> Unit | None:
    """Return the validator that brings the value of a key of a case to its unit."""
    return next((one for one in _validators(field.annotation, field.metadata) if isinstance(one, Unit)), None)


def _validators(annotation: Any, metadata: Sequence[Any] = ()) -> Iterator[Any]:
    """Yield everything that a value passes through."""
    yield from metadata
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _validators(inner, more)
    else:
        for inner in get_args(annotation):
            yield from _validators(inner)


def units_of(value: Any, unit: Unit | None = None, *, scaled: bool, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted name and the unit of each number in the tables of a case; `scaled` for one of a film."""
    if isinstance(value, Table):
        for key, field in type(value).model_fields.items():
            inner = unit_of_key(field)
            yield from units_of(getattr(value, key), inner, scaled=scaled, name=f"{name}.{key}" if name else key)
    elif isinstance(value, Waveform):
        units = dict.fromkeys(vars(value), unit) | dict.fromkeys(TIMES, SECONDS) | dict.fromkeys(PLAIN_KEYS)
        yield from ((f"{name}.{key}", _text(each, scaled)) for key, each in units.items())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from units_of(item, unit, scaled=scaled, name=f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from units_of(item, unit, scaled=scaled, name=name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, _text(unit, scaled)


def _text(unit: Unit | None, scaled: bool) -> str:
    if unit is None or (unit.scaled and scaled):
        return PLAIN
    return OF_A_QUANTITY if unit.unit == "SI" else unit.unit or PLAIN


def of_run(models: Sequence[Model]) -> dict[str, str]:
    """Return the units of what a run reports of its models: times, and the check of its resolution."""
    time = models[0].system.time
    changes = {f"resolution.changes.{name}": PLAIN for name in ("by_tolerance", "by_mesh")}
    resolution = {"resolution.t": time, "resolution.cells": PLAIN, "resolution.bound": PLAIN}
    return RUN | {"t": time, "until": time} | resolution | {"resolution.changes.value": OF_A_ROW} | changes


def of_pattern(length: str) -> dict[str, str]:
    """Return the units of a measured pattern, from the unit of lengths."""
    area = PLAIN if length == PLAIN else f"1/{length}2"
    units = dict.fromkeys(PATTERN, PLAIN) | {"angle": "deg", "wavelength": length, "density": area}
    return {f"pattern.{name}": unit for name, unit in units.items()}


def units(report: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return the known units of the numbers that a report has."""
    return {name: known[name] for name in dict.fromkeys(numbers(report)) if name in known}
