"""Where in a TOML file a key is: tomllib tells values, not lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]


def lines_of(text: str) -> dict[Path, int]:
    """The line of every table and key of a valid TOML text, the first being 1.

    The text is cut into statements, each the fewest lines that tomllib takes, so that what is a key, a dotted key or a
    text over several lines is decided by tomllib alone. What is inside an inline table or a list is where it begins.
    """
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        told = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _header(told, counts)
            found.setdefault(table, line)
        else:
            for path in _paths(told):
                found.setdefault((*table, *path), line)
    return found


def line(lines: Mapping[Path, int], path: Sequence[str | int]) -> int:
    """The line of a key, or of the innermost table around it that is in the text."""
    while tuple(path) not in lines and path:
        path = path[:-1]
    return lines.get(tuple(path), 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each header and each key with its value."""
    rows = text.split("\n")
    start = 0
    while start < len(rows):
        end = start + 1
        if rows[start].strip() and not rows[start].lstrip().startswith("#"):
            while end < len(rows) and not _complete("\n".join(rows[start:end])):
                end += 1
            yield start + 1, "\n".join(rows[start:end])
        start = end


def _complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _header(told: Any, counts: dict[Path, int]) -> Path:
    """The path of the table that a header opens; of a list of tables the next one."""
    path: Path = ()
    while told:
        if isinstance(told, list):
            counts[path] = counts.get(path, -1) + 1
            return (*path, counts[path])
        key, told = next(iter(told.items()))
        path = (*path, key)
        if path in counts and told and not isinstance(told, list):
            path = (*path, counts[path])  # a table of the last one of a list
    return path


def _paths(told: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all that is in a value."""
    items = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))
