"""Values that are typed on the command line."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

from emfem import units
from emfem.errors import ParameterError
from emfem.quantities import NUMBER, quantity
from emfem.studies.toml_locations import toml_trouble
from emfem.studies.validation import shown

QUOTED = r"'[^']*'|\"[^\"]*\""
WITH_UNIT = re.compile(rf"{QUOTED}|(?<![\w.]){NUMBER}\s*\*?\s*[A-Za-zµΩ][^,()\[\]{{}}:]*")


def value(text: str) -> Any:
    """Return the value of a text: a Python literal in which numbers may have units, 50*um or 50um; or the text.

    Units are those of a case, converted to SI; one alone, mm, is 1 of it. Nothing in the text is run.
    """
    if isinstance(unit := getattr(units, text.strip(), None), float):
        return unit
    try:
        return ast.literal_eval(WITH_UNIT.sub(_in_si, text.strip()))
    except Exception:  # Pint passes on errors of its tokenizer, parser and registry; literals may be too deep
        return text


def _in_si(match: re.Match[str]) -> str:
    """Return a number with a unit as one in SI; a text in quotes as it is."""
    return match[0] if match[0][0] in "'\"" else repr(float(quantity(match[0]).to_base_units().magnitude))


def settings(typed: list[str]) -> dict[str, Any]:
    """Return values by dotted key, of texts KEY=VALUE: a value as in a TOML file, or else a text, such as 45deg.

    Raises:
        ParameterError: for a text that is not KEY=VALUE, or twice the same key.
    """
    values: dict[str, Any] = {}
    for text in typed:
        key, equals, written = (part.strip() for part in text.partition("="))
        if not equals or not key or key in values:
            msg = f"{shown(text)}, must be KEY=VALUE" + (", each key once" if key in values else "")
            raise ParameterError(msg)
        values[key] = _toml_value(written)
    return values


def _toml_value(written: str) -> Any:
    """Return a value as a TOML file has it; the text itself if it is none.

    Raises:
        ParameterError: for a number of too many digits, or lists too deep in each other.
    """
    try:
        tables = tomllib.loads(f"value = {written}")
    except tomllib.TOMLDecodeError:
        return written
    except (ValueError, RecursionError) as error:
        msg = f"value {shown(written)}, must be one of TOML: {toml_trouble(error)}"
        raise ParameterError(msg) from None
    return tables["value"] if len(tables) == 1 else written
