"""Lines of the keys of a TOML file: tomllib gives values only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]

# Parts of a valid text that decide where a statement ends: texts, comments, brackets, ends of lines.
TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|"(?:\\.|[^"\\\n])*"'
    r"|'''.*?'{3,5}(?!')|'[^'\n]*'|#[^\n]*|[\[\]{}]|\n",
    re.DOTALL,
)


def toml_trouble(error: Exception) -> str:
    """Return the reason of an error that Python's parser of TOML raises beside its own."""
    return "its lists or tables are too deep in each other" if isinstance(error, RecursionError) else str(error)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of every table and key of a valid TOML text, the first being 1.

    The text is cut into statements; what is a key or a dotted key in them is decided by tomllib alone. What is inside
    an inline table or a list is where it begins.
    """
    lines: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        values = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _header(values, counts)
            lines.setdefault(table, line)
        else:
            for path in _paths(values):
                lines.setdefault((*table, *path), line)
    return lines


def line(lines: Mapping[Path, int], path: Sequence[str | int]) -> int:
    """Return the line of a key, or of the innermost table around it that is in the text."""
    while tuple(path) not in lines and path:
        path = path[:-1]
    return lines.get(tuple(path), 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each header and each key with its value: all up to a line's end outside of brackets."""
    depth, line, start, first = 0, 1, 0, 1
    for token in TOKEN.finditer(f"{text}\n"):
        depth += (token[0] in "[{") - (token[0] in "]}")
        line += token[0].count("\n")
        if token[0] == "\n" and depth == 0:
            statement = text[start : token.start()]
            if statement.strip() and not statement.lstrip().startswith("#"):
                yield first, statement
            start, first = token.end(), line


def _header(values: Any, counts: dict[Path, int]) -> Path:
    """Return the path of the table that a header opens; of a list of tables the next one."""
    path: Path = ()
    while values:
        if isinstance(values, list):
            counts[path] = counts.get(path, -1) + 1
            return (*path, counts[path])
        key, values = next(iter(values.items()))
        path = (*path, key)
        if path in counts and values and not isinstance(values, list):
            path = (*path, counts[path])  # a table of the last one of a list
    return path


def _paths(values: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of all that is in a value."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))
