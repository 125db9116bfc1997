"""What is wrong with a case: one sentence for each thing, with the line, the key, the value and what it must be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from emfem.errors import ParameterError, UnknownName
from emfem.studies.positions import Path, line
from emfem.studies.tables import Table

from pydantic import ValidationError

BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that needs no quotes in TOML
WORD = re.compile(r"[\w-]+")
PHRASES = {  # pydantic's words for what a value must be that are no English of a user's
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
}


@dataclass(frozen=True)
class Source:
    """Where a case comes from.

    Attributes:
        name: of the file, as the user called it; empty for a case that is from none.
        lines: the line of each key.
        prefix: of the case inside the file.
    """

    name: str = ""
    lines: Mapping[Path, int] | None = None
    prefix: Path = ()

    def told(self, path: Sequence[str | int], sentence: str) -> str:
        """A sentence with the place of the key it is about."""
        if not self.name:
            return sentence
        if self.lines is None:
            return f"{self.name}: {sentence}"
        return f"{self.name}:{line(self.lines, (*self.prefix, *path))}: {sentence}"

    def line_of(self, sentence: str) -> int:
        """The line that a sentence tells; 0 if it tells none."""
        number = sentence.removeprefix(f"{self.name}:").partition(":")[0]
        return int(number) if number.isdigit() else 0


class CaseError(ParameterError):
    """All that is wrong with a case, one line each."""

    def __init__(self, sentences: Sequence[str]) -> None:
        """Keep the sentences, each once."""
        self.sentences = tuple(dict.fromkeys(sentences))
        super().__init__("\n".join(self.sentences))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what it was made of: errors travel between processes."""
        return type(self), (self.sentences,)


def problems(error: ValidationError, schema: type[Table], source: Source) -> CaseError:
    """Everything that pydantic found."""
    told = [_sentence(dict(found), schema, source) for found in error.errors(include_url=False)]
    return CaseError(sorted(told, key=source.line_of))


def refused(table: Path, error: ParameterError, source: Source) -> str:
    """What emfem itself refused of a table; its sentence begins with the key, or names it."""
    sentence = str(error)
    words = WORD.findall(sentence)
    if isinstance(error, UnknownName):
        words = [*WORD.findall(str(error.owner))[:1], *words]
    known = [path for path in source.lines or {} if path[: len(source.prefix) + len(table)] == (*source.prefix, *table)]
    below = {str(path[-1]): path[len(source.prefix) :] for path in reversed(known) if len(path) > len(table)}
    key = next((below[word] for word in words if word in below), table)
    return source.told(key, f"[{dotted(table)}] {sentence}" if table else sentence)


def _sentence(found: dict[str, Any], schema: type[Table], source: Source) -> str:
    """One thing that is wrong."""
    path, tables = walk(schema, found["loc"])
    kind, given = found["type"], found["input"]
    above, key = path[:-1], path[-1] if path else ""
    where = f"[{dotted(above)}] " if above else ""
    if kind == "missing":
        return source.told(above, f"{where}{key} is missing")
    if kind == "extra_forbidden":
        return source.told(path, f"{where}there is no key {key!r}{nearest(str(key), fields(tables))}")
    if kind == "union_tag_not_found":
        return source.told(path, f"[{dotted(path)}] shape is missing")
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in found["ctx"]["expected_tags"].split(",")]
        tag = found["ctx"]["tag"]
        return source.told(
            (*path, "shape"), f"{dotted((*path, 'shape'))} = {tag!r}, must be a shape{nearest(tag, tags)}"
        )
    if kind == "value_error":
        return refused(path, found["ctx"]["error"], source)
    if kind == "refused":
        return source.told(path, f"{dotted(path)} = {shown(given)}{found['msg']}")
    words = PHRASES.get(kind, found["msg"].removeprefix("Input should be "))
    return source.told(path, f"{dotted(path)} = {shown(given)}, must be {words}")


def walk(schema: type[Table], loc: Sequence[str | int]) -> tuple[Path, list[type[Table]]]:
    """The keys that lead to a place, without pydantic's own tags, and the tables that hold the last of them."""
    path: list[str | int] = []
    tables: list[type[Table]] = [schema]
    holders = tables
    for key in loc:
        known = [table for table in tables if key in table.model_fields]
        tagged = [table for table in tables if table.tag and table.tag == key] if len(tables) > 1 else []
        if tagged:
            tables = holders = tagged
        elif known:
            holders, found = known, [table.model_fields[str(key)].annotation for table in known]
            tables = [inner for each in found for inner in _tables(each)]
            path.append(key)
        else:
            holders = tables
            path.append(key)
    return tuple(path), holders


def _tables(annotation: Any) -> Iterator[type[Table]]:
    """The tables that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)


def fields(tables: Sequence[type[Table]]) -> list[str]:
    """The keys of tables."""
    return list(dict.fromkeys(name for table in tables for name in table.model_fields))


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint at what was meant, or at all there is."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"


def dotted(path: Sequence[str | int]) -> str:
    """A path as it is written."""
    return ".".join(str(part) if BARE.fullmatch(str(part)) else json.dumps(part) for part in path)


def shown(value: Any) -> str:
    """A value as it is written, not too long."""
    told = repr(list(value) if isinstance(value, tuple) else value)
    return told if len(told) < 80 else told[:76] + " ..."
