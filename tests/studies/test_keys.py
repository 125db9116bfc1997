"""All keys of cases, with type, unit and default, against a stored list: a signature or docstring that changes shows.

After a change that is meant: `python tests/studies/test_keys.py > tests/data/case_keys.txt`, and read the difference.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import emfem as em
from emfem.studies import docstrings
from emfem.studies.case import _schema
from emfem.studies.tables import PHYSICS, Table
from emfem.studies.tables.base import table_of
from emfem.studies.tables.domain import ShapeTable
from emfem.studies.units import Unit

import pytest
from pydantic import BeforeValidator, Strict

LIST = Path(__file__).parent.parent / "data" / "case_keys.txt"


def note(each: Any) -> str:
    """Return the effect of a validator on a value; nothing for one that only distinguishes tables."""
    if isinstance(each, Unit):
        flags = ("scaled", "in_time", "lists", "turn")
        return f"[{' '.join([each.unit or '-', *(flag for flag in flags if getattr(each, flag))])}]"
    return each.func.__name__ if isinstance(each, BeforeValidator) else "strict" if isinstance(each, Strict) else ""


def written(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """A type with its units."""
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        return written(annotation, (*more, *metadata))
    inner = ", ".join("None" if part is type(None) else written(part) for part in get_args(annotation))
    name = "any of" if get_origin(annotation) in (Union, UnionType) else getattr(annotation, "__name__", "...")
    return " ".join(filter(None, [f"{name} ({inner})" if inner else name, *map(note, metadata)]))


def tables(annotation: Any) -> Iterator[type[Table]]:
    """All tables that a type speaks of, and those inside of them."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
        for field in annotation.model_fields.values():
            yield from tables(field.annotation)
    for part in get_args(annotation):
        yield from tables(part)


def lines() -> list[str]:
    """One line for each key."""
    result = []
    for table in dict.fromkeys(tables(_schema(PHYSICS))):
        common = table.common() if issubclass(table, ShapeTable) else ()
        for key, field in table.model_fields.items():
            if key not in common or key == "shape":
                default = "required" if field.is_required() else repr(field.default)
                kind = written(field.annotation, tuple(field.metadata))
                result.append(f"{table.__name__}.{key}: {kind} = {default}")
    return sorted(result)


def test_the_docstrings_of_all_tables_are_read():
    """The pages of the keys read those of tables too: a bracket at the end of a sentence must be a unit."""
    for table in dict.fromkeys(tables(_schema(PHYSICS))):
        for each in (*(kind for kind in table.__mro__ if issubclass(kind, Table)), table.maker):
            assert each is None or docstrings.arguments(each) is not None


def test_every_key_has_the_type_unit_and_default_of_the_list():
    stored = LIST.read_text(encoding="utf-8").splitlines()
    assert len(stored) > 300
    assert lines() == stored


@pytest.mark.parametrize(
    ("annotation", "text", "default", "message"),
    [
        (
            "str | Method",
            "the method.",
            ...,
            "argument 'a' of mine, must have a unit in its docstring, [-] for",
        ),
        ("Any", "a tensor.", ..., "argument 'a' of mine, must have a unit"),
        ("float", "a conductivity [S.m-1].", ..., "[S.m-1] in a docstring, must be a unit that exists, or [-]"),
        ("Any", "a tensor [m2/s].", abs, "default of argument 'a' of mine = <built-in function abs>, must be one that"),
        ("Mapping[str, Fixed | Flux] | None", "`fixed(c)` holds it.", None, "on lacks units in its docstring, must"),
    ],
)
def test_no_annotation_becomes_a_plain_number_in_silence(annotation: str, text: str, default: Any, message: str):
    name = "on" if "Fixed" in annotation else "a"

    def model(domain: em.mesh.Domain) -> em.Model:
        raise NotImplementedError

    model.__doc__ = f"Return a model.\n\nArgs:\n    {name}: {text}\n"
    empty = inspect.Parameter.empty if default is ... else default
    more = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=empty)
    domain = inspect.Parameter("domain", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    model.__signature__ = inspect.Signature([domain, more])  # type: ignore[attr-defined]
    with pytest.raises(em.ParameterError) as caught:
        em.studies.register(em.studies.Physics("mine", model))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "unit"), [("a tensor [-].", ""), ("a tensor [m2/s].", "m2/s"), ("D, in [0, 1] [m2/s].", "m2/s")]
)
def test_an_annotation_of_any_kind_has_the_unit_of_the_docstring(text: str, unit: str):
    def model(a: Any) -> None: ...

    model.__doc__ = f"Return nothing.\n\nArgs:\n    a: {text}\n"
    assert table_of(model).model_fields["a"].metadata == [Unit(unit, lists=True)]


if __name__ == "__main__":
    print("\n".join(lines()))
