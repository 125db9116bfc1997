"""Errors of a case: one sentence for each, with the line, the key, the value and what it must be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, get_args

from emfem.errors import ParameterError, UnknownName
from emfem.gate import checked
from emfem.studies.registry import VARIABLE
from emfem.studies.tables import Table
from emfem.studies.toml_locations import Path, line, lines_of

from pydantic import ValidationError

BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that needs no quotes in TOML
WORD = re.compile(r"[\w-]+")
OTHERS = {  # keys that other files have at their top
    "case": "a study, for emfem sweep",
    "curves": "a fit, for emfem fit",
    "domain": "a case, for emfem run",
    "inputs": "an analysis of uncertain constants, for emfem sensitivity",
    "layers": "a technology, for emfem signoff --tech",
}
PHRASES = {  # instead of pydantic's messages, which are for programmers
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
}


class Located(str):
    """A sentence with the path of the key that it is about."""

    path: Path = ()


@dataclass(frozen=True)
class Source:
    """Origin of a case.

    Attributes:
        name: of the file, as the user called it; empty for a case that is from none.
        text: of the file, if its lines are those of the case.
        prefix: of the case inside the file.
    """

    name: str = ""
    text: str | None = None
    prefix: Path = ()

    @cached_property
    def lines(self) -> Mapping[Path, int]:
        """The line of each key; only errors need it."""
        return {} if self.text is None else lines_of(self.text)

    def located(self, path: Sequence[str | int], sentence: str) -> str:
        """Return a sentence with the place of the key it is about."""
        if self.name:
            number = "" if self.text is None else f":{line(self.lines, (*self.prefix, *path))}"
            sentence = f"{self.name}{number}: {sentence}"
        located = Located(sentence)
        located.path = tuple(path)
        return located

    def line_of(self, sentence: str) -> int:
        """Return the line that a sentence names; 0 if it names none."""
        number = sentence.removeprefix(f"{self.name}:").partition(":")[0]
        return int(number) if number.isdigit() else 0


@checked
class CaseError(ParameterError):
    """All errors of a case, one line each."""

    def __init__(self, sentences: Sequence[str]) -> None:
        """Keep the sentences, each once."""
        self.sentences = tuple(dict.fromkeys(sentences))
        super().__init__("\n".join(self.sentences))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by its arguments: errors travel between processes."""
        return type(self), (self.sentences,)


def validation_errors(error: ValidationError, schema: type[Table], source: Source) -> CaseError:
    """Return all errors that pydantic collected, in the order of their lines."""
    sentences = [_sentence(dict(each), schema, source) for each in error.errors(include_url=False)]
    return CaseError(sorted(sentences, key=source.line_of))


def refused(table: Path, error: ParameterError, source: Source) -> str:
    """Return the sentence with which emfem refuses a table, with the line of the key that it names."""
    sentence = str(error)
    words = WORD.findall(sentence)
    if isinstance(error, UnknownName):
        words = [*WORD.findall(str(error.owner))[:1], *words]
    known = [path for path in source.lines if path[: len(source.prefix) + len(table)] == (*source.prefix, *table)]
    below = {str(path[-1]): path[len(source.prefix) :] for path in reversed(known) if len(path) > len(table)}
    key = next((below[word] for word in words if word in below), table)
    return source.located(key, f"[{dotted(table)}] {sentence}" if table else sentence)


def _sentence(error: dict[str, Any], schema: type[Table], source: Source) -> str:
    """Return the sentence for one error of pydantic."""
    path, tables = walk(schema, error["loc"])
    kind, value = error["type"], error["input"]
    above, key = path[:-1], path[-1] if path else ""
    where = f"[{dotted(above)}] " if above else ""
    if kind == "missing":
        return source.located(above, f"{where}{key} is missing")
    if kind == "extra_forbidden":
        hint = nearest(str(key), fields(tables))
        if not above and isinstance(value, Mapping) and "did you mean" not in hint:
            hint += f"; a physics of your own is loaded by emfem --physics FILE, or {VARIABLE}"
        return source.located(path, f"{where}there is no key {key!r}{hint}")
    if kind == "union_tag_not_found":
        return source.located(path, f"[{dotted(path)}] shape is missing")
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in error["ctx"]["expected_tags"].split(",")]
        tag = error["ctx"]["tag"]
        return source.located(
            (*path, "shape"), f"{dotted((*path, 'shape'))} = {tag!r}, must be a shape{nearest(tag, tags)}"
        )
    if kind == "value_error":
        return refused(path, error["ctx"]["error"], source)
    if kind == "refused":
        return source.located(path, f"{dotted(path)} = {shown(value)}{error['msg']}")
    words = PHRASES.get(kind, error["msg"].removeprefix("Input should be "))
    return source.located(path, f"{dotted(path)} = {shown(value)}, must be {words}")


def walk(schema: type[Table], loc: Sequence[str | int]) -> tuple[Path, list[type[Table]]]:
    """Return the keys that lead to a place, without pydantic's own tags, and the tables that hold the last of them."""
    path: list[str | int] = []
    tables: list[type[Table]] = [schema]
    holders = tables
    for key in loc:
        known = [table for table in tables if key in table.model_fields]
        tagged = [table for table in tables if table.tag and table.tag == key] if len(tables) > 1 else []
        if tagged:
            tables = holders = tagged
        elif known:
            holders, annotations = known, [table.model_fields[str(key)].annotation for table in known]
            tables = [inner for each in annotations for inner in _tables(each)]
            path.append(key)
        else:
            holders = tables
            path.append(key)
    return tuple(path), holders


def _tables(annotation: Any) -> Iterator[type[Table]]:
    """Yield the tables that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)


def fields(tables: Sequence[type[Table]]) -> list[str]:
    """Return the keys of tables."""
    return list(dict.fromkeys(name for table in tables for name in table.model_fields))


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint at what was meant, of a key of another kind of file at that kind, or at all there is."""
    if name in OTHERS and name not in known:
        return f"; it is one of {OTHERS[name]}"
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as it is written."""
    return ".".join(str(part) if BARE.fullmatch(str(part)) else json.dumps(part) for part in path)


def shown(value: Any) -> str:
    """Return a value as it is written, not too long."""
    try:
        text = repr(list(value) if isinstance(value, tuple) else value)
    except Exception:  # a whole number of too many digits, lists too deep in each other
        text = f"<{type(value).__name__}>"
    return text if len(text) < 80 else text[:76] + " ..."
