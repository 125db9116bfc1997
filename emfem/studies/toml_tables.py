"""Tables of TOML as Python has them: read, copied with their limits, and by dotted key."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from emfem.errors import ParameterError
from emfem.studies.toml_locations import toml_trouble
from emfem.studies.validation import CaseError, Source, dotted, shown

DEEPEST = 20  # tables and lists in each other: a case has five
LARGEST = 2**63  # whole numbers of TOML have 64 bits


def parsed(text: str, path: os.PathLike[str] | str) -> dict[str, Any]:
    """Return the tables of a text in TOML.

    Raises:
        ParameterError: if it is none, with the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+).*\)$| \(at end of document\)$", str(error))
        at = (place and place[1]) or len(text.splitlines())
        msg = f"{path}:{at}: must be TOML: {str(error)[: place.start() if place else None]}"
    except (ValueError, RecursionError) as error:  # which Python's parser passes on
        msg = f"{path}: must be TOML: {toml_trouble(error)}"
    raise ParameterError(msg)


def copied(tables: Any, source: Source) -> dict[str, Any]:
    """Return a copy of tables: what can be in a file of TOML, not too deep.

    Raises:
        CaseError: for other keys than texts, tables or lists in each other more than `DEEPEST` times, and whole numbers
            of more than 64 bits.
    """
    if not isinstance(tables, Mapping):
        msg = f"case = {shown(tables)}, must be tables by name"
        raise ParameterError(msg)
    copy: dict[str, Any] = _checked_copy(tables, (), source)
    return copy


def _checked_copy(value: Any, path: tuple[str | int, ...], source: Source) -> Any:
    if isinstance(value, Mapping | list | tuple) and len(path) > DEEPEST:
        msg = f"{dotted(path[:3])} ..., must be at most {DEEPEST} tables and lists in each other"
        raise CaseError([source.located(path, msg)])
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                msg = f"key {shown(key)}, must be a text"
                raise CaseError([source.located(path, f"[{dotted(path)}] {msg}" if path else msg)])
        return {key: _checked_copy(item, (*path, key), source) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_checked_copy(item, (*path, i), source) for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        msg = f"{dotted(path)} = {shown(value)}, must be a whole number of at most 64 bits"
        raise CaseError([source.located(path, msg)])
    return value


def plain(value: Any) -> Any:
    """Return a value as TOML and JSON have it: lists for tuples, no None, and no infinity, which is a default only."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None and item != math.inf}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted key, of tables in tables, whose first keys may be dotted already."""
    return {
        ".".join((path[0], *((dotted(path[1:]),) if path[1:] else ()))): value for path, value in _flat(tables).items()
    }


def _flat(tables: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    values: dict[tuple[str, ...], Any] = {}
    for key, value in tables.items():
        values |= _flat(value, (*path, key)) if isinstance(value, Mapping) else {(*path, key): value}
    return values


def key_path(key: str) -> tuple[str, ...]:
    """Return the names of a dotted key as TOML has it; a text that is none is one name."""
    if "=" in key or "\n" in key:
        return (key,)
    try:
        tables: Any = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        return (key,)
    path: tuple[str, ...] = ()
    while isinstance(tables, dict) and len(tables) == 1:
        (name, tables), *_ = tables.items()
        path = (*path, name)
    return path if tables == 0 else (key,)
