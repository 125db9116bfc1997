"""Arguments of functions as their docstrings describe them: text and unit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from emfem.dimensions import parsed
from emfem.errors import ParameterError

UNIT = re.compile(r"\s*\[([^\[\]]+)\](?=[.;,]|$)")  # where a clause ends
CONDITION = re.compile(r"`(?:\w+\.)*(\w+)\([^`]*\)`[^`\[\]]* \[([^\[\]]+)\]")  # "`fixed(T)` on the surface [K]"


class Argument(NamedTuple):
    """Argument of a function.

    Attributes:
        text: its description, without the unit.
        unit: one that Pint knows, "" for a plain number, "[-]"; None if there is none.
        scaled: whether it is in the unit of a dimensionless film, "[m or -]".
    """

    text: str
    unit: str | None = None
    scaled: bool = False


@cache
def arguments(maker: Callable[..., Any]) -> dict[str, Argument]:
    """Return the entries of the sections Args or Attributes of a docstring by name."""
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
    return {name: Argument(text) if name == "on" else _argument(text) for name, text in texts.items()}


def conditions(text: str) -> dict[str, str]:
    """Return the units of the conditions that a description names, as "`fixed(T)` [K], `flux(q)` [W/m2]" does."""
    return {name: _unit(unit) or "" for name, unit in CONDITION.findall(text)}


def summary(maker: Callable[..., Any]) -> str:
    """Return what a docstring says before its sections, on one line."""
    text = re.split(r"\n(?:Args|Attributes|Raises|Returns):", inspect.getdoc(maker) or "")[0]
    return " ".join(text.split())


def _argument(text: str) -> Argument:
    matches = list(UNIT.finditer(text))
    if not matches:
        return Argument(text)
    match = matches[-1]
    unit, _, other = match[1].partition(" or ")
    return Argument(text[: match.start()] + text[match.end() :], _unit(unit), scaled=other == "-")


def _unit(text: str) -> str | None:
    """Return a unit as `Unit` takes it; None for a list, which is no unit.

    Raises:
        ParameterError: for one that does not exist, so that no slip makes a plain number of it.
    """
    unit = text.partition(";")[0].strip()
    if "," in unit:
        return None
    try:
        parsed(unit)
    except Exception as error:  # Pint passes on errors of its tokenizer, parser and registry
        msg = f"[{unit}] in a docstring, must be a unit that exists, or [-] for a plain number"
        raise ParameterError(msg) from error
    return "" if unit == "-" else unit
