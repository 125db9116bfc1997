"""All mistakes of a case at once: what is wrong is left out, and the rest is checked again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.files import read_text
from emfem.model import Model
from emfem.studies.case import Case
from emfem.studies.running import named_results
from emfem.studies.toml_tables import copied, parsed
from emfem.studies.validation import CaseError, Source

__all__ = ["check_case"]

Place = tuple[str | int, ...]

MOST = 20  # rounds
FOLLOWS = (
    "is missing",
    "missing, must be given",
    "material is left out",
    "nothing is given",
    "no model is given",
    "= None, must be given",
)  # as what was left out makes it
OF_DOMAIN = ("this mesh has", "domain of ", "must be a plain number in")  # and as a domain without a key makes it


def check_case(path: os.PathLike[str] | str, values: Mapping[str, Any] | None = None) -> tuple[Case, list[Model]]:
    """Return the case of a file and its models; nothing is solved. Collective.

    After an error the keys that it is about are left out and the others are checked: a wrong metal hides no wrong name
    of a boundary. Errors that may follow from what was left out are not told.

    Args:
        path: of the file.
        values: other values by dotted key, as in `Case.with_`.

    Raises:
        CaseError: for all mistakes that can be found so, in the order of their lines.
        ParameterError: for a file that cannot be read, or keys of `values` that do not exist.
    """
    text = read_text(path)
    tables, source, folder = parsed(text, path), Source(str(path), text), Path(path).parent
    if values:
        changed = Case.read(path).with_(**values)
        tables, source = dict(changed.written), changed.source
    tables = copied(tables, source)
    mistakes: list[str] = []
    emptied: set[Place] = set()  # tables that a key was left out of
    for _ in range(MOST):
        try:
            case = Case.of(tables, folder, source)
            models = case.build()
            if wrong := list(_unknown_results(case, models)):
                raise CaseError(wrong)
            if not mistakes:
                return case, models
            break
        except CaseError as error:
            places = {each: tuple(getattr(each, "path", ())) for each in error.sentences if each not in mistakes}
            new = [each for each, place in places.items() if not _follows(each, place, emptied)]
            mistakes += new
            wrong_places = [places[each] for each in new] or [place[:1] for place in places.values() if mistakes]
            left_out = [place for each in wrong_places for place in _left_out(tables, each)]
            emptied |= {place[:i] for place in left_out for i in range(len(place))}
            if not left_out:
                break
    raise CaseError(sorted(mistakes, key=source.line_of))


def _follows(sentence: str, path: Place, emptied: set[Place]) -> bool:
    """Return True for an error that may be due to keys that were left out."""
    words = FOLLOWS + (OF_DOMAIN if ("domain",) in emptied else ())
    return bool(emptied) and (path in emptied or any(each in sentence for each in words))


def _left_out(tables: dict[str, Any], path: Place) -> Iterator[Place]:
    """Take a key out of its table, of a list the whole list, and yield its path; nothing if it is not there."""
    table: Any = tables
    for i, key in enumerate(path):
        inner = table.get(key)
        if i == len(path) - 1 or not isinstance(inner, Mapping):
            if key in table:
                del table[key]
                yield path[: i + 1]
            return
        table = inner


def _unknown_results(case: Case, models: list[Model]) -> Iterator[str]:
    """Yield a sentence for each field or quantity that the case names and the models have not."""
    for path, name, find in named_results(case):
        try:
            find(models, name)
        except ParameterError as error:
            yield case.source.located(path, f"[{path[0]}] {error}")
