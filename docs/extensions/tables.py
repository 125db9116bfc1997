"""The tables of a case: every key with what it is, its unit, its default, and what it means."""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import emfem as em
from emfem.materials.windows import WINDOWS
from emfem.studies import case
from emfem.studies.door import KINDS
from emfem.studies.in_time import follows
from emfem.studies.tables import (
    MODELS,
    SHAPES,
    MaterialTable,
    Table,
    conduction,
    domain,
    film,
    heat,
    migration,
    stress,
    surface,
)
from emfem.studies.tables import run as running
from extensions.markdown import cell, table

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

# Makers whose docstrings describe the keys that the docstring of their table does not have.
MAKERS: Mapping[type[Table], Sequence[Callable[..., Any]]] = {
    film.Film: (em.film.model,),
    film.Alloy: (em.film.Alloy,),
    film.PhysicalAlloy: (em.film.Alloy.from_physical,),
    film.Crystal: (em.film.Anisotropy,),
    film.Start: (em.film.noise,),
    conduction.Conduction: (em.conduction.model,),
    conduction.Nordheim: (em.conduction.nordheim,),
    heat.Heat: (em.heat.model,),
    heat.Surroundings: (em.heat.convection,),
    heat.Substrate: (em.heat.substrate,),
    migration.Migration: (em.migration.model,),
    migration.Drift: (em.migration.drift_velocity,),
    stress.Stress: (em.stress.model,),
    surface.Surface: (em.surface.model,),
    surface.Form: (em.surface.void, em.surface.wire, em.surface.strip, em.surface.flat, em.surface.bridge),
    surface.Facets: (em.surface.Anisotropy,),
    running.March: (em.evolve,),
    running.Rest: (em.solve_steady,),
    domain.Grains: (em.mesh.grains,),
}
ALIKE = {"periodic_interval": em.mesh.interval, "periodic_box": em.mesh.periodic_rectangle}
SI = re.compile(r"\s*\[(?!0|1, )[^\[\]]*\](?=[.;]|$)")  # a unit at the end of a sentence: it has a column


@cache
def documented(maker: Callable[..., Any]) -> dict[str, str]:
    """Read the description of each argument or attribute from a docstring."""
    texts: dict[str, str] = {}
    section, name = False, ""
    for line in (inspect.getdoc(maker) or "").splitlines():
        if line[:1].strip():
            section = line in ("Args:", "Attributes:")
        elif section and (entry := re.match(r" {4}(\w+): (.*)", line)):
            name = entry[1]
            texts[name] = entry[2]
        elif section and name and line.strip():
            texts[name] += " " + line.strip()
    return texts


def words(kind: type[Table], key: str) -> str:
    """Describe the meaning of a key."""
    if kind is MaterialTable and key in WINDOWS:
        window = WINDOWS[key]
        return f"of your own instead, from {window.low:g} to {window.high:g}."
    makers: list[Callable[..., Any]] = [*(k for k in kind.__mro__ if issubclass(k, Table)), *MAKERS.get(kind, ())]
    if issubclass(kind, domain.Shape) and kind is not domain.Shape:
        makers = [kind.maker, *filter(None, [ALIKE.get(kind.maker.__name__)]), *makers]
        key = kind.renamed().get(key, key)
    for maker in makers:
        if text := documented(maker).get(key):
            return text if isinstance(maker, type) and issubclass(maker, Table) else in_toml(text)
    return ""


def in_toml(text: str) -> str:
    """Turn the description of an argument into that of a key: arrays are lists, the unit has a column of its own."""
    text = re.sub(r"shape \((\d),\)", r"a list of \1", SI.sub("", text))
    return re.sub(r"shape \(n, (\d)\)", r"a list of lists of \1", text)


def validators(annotation: Any, metadata: Sequence[Any] = ()) -> Iterator[Any]:
    """Everything that a value passes through."""
    yield from metadata
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from validators(inner, more)
    else:
        for inner in get_args(annotation):
            yield from validators(inner)


def unit(field: FieldInfo) -> tuple[str, bool] | None:
    """The unit that the door brings a value to, and whether it may follow time."""
    for one in validators(field.annotation, field.metadata):
        if isinstance(one, BeforeValidator):
            closed = inspect.getclosurevars(one.func).nonlocals
            if "unit" in closed:
                return str(closed["unit"]), one.func.__qualname__.startswith(follows.__name__)
    return None


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
        several_of_them = next((words for origin, words in several.items() if origin in origins), "")
        return "table" + (f", {several_of_them}" if several_of_them else "")
    measured = unit(field)
    if measured is None:
        return plain(field.annotation)
    name, in_time = measured
    after = ", also in time" if in_time else ""
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
    """Description of a table, without that of its keys."""
    lines = (inspect.getdoc(table_) or "").split("\nAttributes:")[0].split("\nArgs:")[0]
    return " ".join(lines.split())


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
        keys(domain.Shape),
        "\n".join(nested("domain.random_grains", domain.Grains, 3)),
        shapes(),
        "\n".join(nested("material", MaterialTable, 2)),
        *("\n".join(nested(name, one, 2)) for name, one in MODELS.items()),
        "\n".join(nested("time", running.March, 2)),
        "\n".join(nested("steady", running.Rest, 2)),
        "\n".join(nested("output", running.Output, 2)),
    ]
    assert set(case.Frame.model_fields) == {"domain", "material", "time", "steady", "output"}
    return "\n".join(parts)
