"""Values that are typed on the command line."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

import emfem as em

QUOTED = r"'[^']*'|\"[^\"]*\""
UNIT = r"\s*\*?\s*[A-Za-zµΩ][^,()\[\]{}:]*"


def value(text: str) -> Any:
    """Return the value of a text: a Python literal in which numbers may have units, 50*um or 50um; or the text.

    Units are those of a case, converted to SI; one alone, mm, is 1 of it. Nothing in the text is run.
    """
    from emfem.quantities import NUMBER

    if isinstance(unit := getattr(em.units, text.strip(), None), float):
        return unit
    try:
        return ast.literal_eval(re.sub(rf"{QUOTED}|(?<![\w.]){NUMBER}{UNIT}", _in_si, text.strip()))
    except Exception:  # Pint passes on errors of its tokenizer, parser and registry; literals may be too deep
        return text


def _in_si(match: re.Match[str]) -> str:
    """Return a number with a unit as one in SI; a text in quotes as it is."""
    from emfem.quantities import quantity

    return match[0] if match[0][0] in "'\"" else repr(float(quantity(match[0]).to_base_units().magnitude))


def in_si(name: str, text: str, unit: str) -> float:
    """Return a quantity that was typed, in SI.

    Raises:
        ParameterError: for another text, or another kind of unit; the message names it.
    """
    from emfem import quantities  # with all of emfem: too slow for the help

    return quantities.in_si(name, text, unit)


def settings(typed: list[str]) -> dict[str, Any]:
    """Return values by dotted key, of texts KEY=VALUE: a value as in a TOML file, or else a text, such as 45deg.

    Raises:
        ParameterError: for a text that is not KEY=VALUE, or twice the same key.
    """
    values: dict[str, Any] = {}
    for text in typed:
        key, equals, written = (part.strip() for part in text.partition("="))
        if not equals or not key or key in values:
            msg = f"{em.errors.shown(text)}, must be KEY=VALUE" + (", each key once" if key in values else "")
            raise em.ParameterError(msg)
        values[key] = _toml_value(written)
    return values


def _toml_value(written: str) -> Any:
    """Return a value as a TOML file has it; the text itself if it is none.

    Raises:
        ParameterError: for a number of too many digits, or lists too deep in each other.
    """
    from emfem.studies.toml_locations import toml_trouble

    try:
        tables = tomllib.loads(f"value = {written}")
    except tomllib.TOMLDecodeError:
        return written
    except (ValueError, RecursionError) as error:
        msg = f"value {em.errors.shown(written)}, must be one of TOML: {toml_trouble(error)}"
        raise em.ParameterError(msg) from None
    return tables["value"] if len(tables) == 1 else written
