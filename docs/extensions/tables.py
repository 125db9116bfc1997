"""The tables of a case: every key with its type, its unit, its default, and its meaning."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import emfem as em
from emfem.quantities import KINDS
from emfem.studies import case, docstrings
from emfem.studies.report_units import unit_of_key
from emfem.studies.tables import PHYSICS, SHAPES, MaterialTable, Table, domain
from emfem.studies.tables import run as running
from extensions.markdown import cell, table

from pydantic.fields import FieldInfo

ALIKE: Mapping[Any, Any] = {
    em.mesh.periodic_interval: em.mesh.interval,
    em.mesh.periodic_box: em.mesh.periodic_rectangle,
}


def words(kind: type[Table], key: str) -> str:
    """Return the meaning of a key."""
    field = kind.model_fields[key]
    if field.description:
        return in_toml(field.description)
    for maker in (*(each for each in kind.__mro__ if issubclass(each, Table)), ALIKE.get(kind.maker, kind.maker)):
        if maker is not None and key in (texts := docstrings.arguments(maker)):
            return in_toml(texts[key].text)
    return ""


def in_toml(text: str) -> str:
    """Return what a docstring says of an argument, as said of a key: arrays are lists."""
    text = re.sub(r"shape \((\d),\)", r"a list of \1", text)
    return re.sub(r"shape \(n, (\d)\)", r"a list of lists of \1", text)


def inner(annotation: Any) -> Iterator[type[Table]]:
    """The tables that a value may be."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for part in get_args(annotation):
        yield from inner(part)


def plain(annotation: Any) -> str:
    """Name the type of a value without a unit."""
    if get_origin(annotation) in (Union, UnionType, Annotated):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return plain(parts[0])
    if get_origin(annotation) is Literal:
        return " or ".join(map(repr, get_args(annotation)))
    if get_origin(annotation) is tuple:
        return "list of texts" if get_args(annotation)[0] is str else "list of numbers"
    return {str: "text", int: "whole number", bool: "true or false", float: "number"}.get(annotation, "number or list")


def kind(field: FieldInfo) -> str:
    """Describe the value of a key, in Markdown."""
    tables = list(inner(field.annotation))
    if tables:
        several = {dict: "one for each name", tuple: "a list of them"}
        origins = {get_origin(part) for part in (field.annotation, *get_args(field.annotation))}
        told = next((words for origin, words in several.items() if origin in origins), "")
        return "table" + (f", {told}" if told else "")
    measured = unit_of_key(field)
    if measured is None:
        return plain(field.annotation)
    name, after = measured.unit, ", also in time" if measured.in_time else ""
    text = KINDS.get(name, "a number").removeprefix("a ").removeprefix("an ").removeprefix("plain ")
    if name in ("", "SI"):
        return ("number" if name == "" else "number, or one with a unit") + after
    return f"{text} [{name}]{after}"


def default(field: FieldInfo) -> str:
    """Default of a key; empty where the description has it in words."""
    if field.is_required():
        return "needed"
    value = field.default
    if value is None or isinstance(value, Table) or value == ():
        return ""
    text = json.dumps(value)  # as TOML has numbers, texts, lists and truth
    return f"`{text}`"


def rows(table_: type[Table], left_out: Sequence[str] = ()) -> list[list[str]]:
    """A row for each key."""
    return [
        [f"`{key}`", cell(kind(field)), default(field), cell(words(table_, key))]
        for key, field in table_.model_fields.items()
        if key not in left_out
    ]


def keys(table_: type[Table], left_out: Sequence[str] = ()) -> str:
    """The keys of a table."""
    return table(["key", "value", "default", "meaning"], rows(table_, left_out)) + "\n"


def heading(table_: type[Table]) -> str:
    """Return what a table is, in a sentence or more, without what is said of its keys."""
    return docstrings.summary(table_)


def nested(name: str, table_: type[Table], level: int) -> Iterator[str]:
    """A table and those inside of it, each once."""
    yield f"{'#' * level} [{name}]\n\n{cell(heading(table_))}\n\n{keys(table_)}"
    for key, field in table_.model_fields.items():
        several = [get_origin(part) for part in (field.annotation, *get_args(field.annotation))]
        for one in dict.fromkeys(inner(field.annotation)):
            inside = f"{name}.{key}" + (".NAME" if dict in several else "")
            yield from nested(inside, one, level + 1)


def shapes() -> str:
    """The shapes of [domain]."""
    parts = []
    for name, shape in sorted(SHAPES.items()):
        first = (inspect.getdoc(shape.maker) or "").split("\n\n")[0]
        written = 'file = "..."' if name == "file" else f'shape = "{name}"'
        parts.append(f"### {written}\n\n{cell(first)}\n\n{keys(shape, shape.common())}")
    return "\n".join(parts)


def page() -> str:
    """All tables."""
    parts = [
        "## [domain]\n",
        keys(domain.ShapeTable),
        "\n".join(nested("domain.random_grains", domain.GrainsTable, 3)),
        shapes(),
        "\n".join(nested("material", MaterialTable, 2)),
        *("\n".join(nested(name, one, 2)) for name, one in ((each.name, each.table) for each in PHYSICS)),
        "\n".join(nested("time", running.TimeTable, 2)),
        "\n".join(nested("steady", running.SteadyTable, 2)),
        "\n".join(nested("output", running.OutputTable, 2)),
    ]
    assert set(case.Frame.model_fields) == {"domain", "material", "time", "steady", "output"}
    return "\n".join(parts)
