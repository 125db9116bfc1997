"""The metals that come with emfem; their constants, with marks and sources, are the files in `data`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Unpack

from emfem.errors import UnknownName
from emfem.materials.entries import Constants
from emfem.materials.material import Material
from emfem.materials.reading import parsed

NAMES = (
    "copper",
    "aluminium",
    "gold",
    "silver",
    "tungsten",
    "molybdenum",
    "palladium",
    "platinum",
    "nickel",
    "tin",
    "lead",
)


def names() -> tuple[str, ...]:
    """The names that `metal` knows."""
    return NAMES


def metal(name: str, temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """A metal by name, at a temperature, with constants of your own over those of the tables.

    Args:
        name: one of `names()`.
        temperature: T [K].
        constants: see `Constants`: a number, a function of the temperature, a law, or a `Constant` with its source.
            A number is the same at every temperature; only a resistivity given as one holds at T, and keeps its slope:
            one without a slope is `Uniform(3e-8)`.

    Raises:
        UnknownName: for a metal or a constant that does not exist; the message lists those that do.
        ParameterError: for a temperature that the laws do not reach, or a value out of its window; the message tells
            the likely slip of unit.
    """
    if name not in NAMES:
        raise UnknownName(name, "emfem.materials", NAMES)
    return _table(name).at(temperature, **constants)


@cache
def _table(name: str) -> Material:
    """The metal of the file, at 373 K."""
    text = files("emfem.materials").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    return parsed(text, f"{name}.toml")


def copper(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Copper. Arguments as in `metal`."""
    return metal("copper", temperature, **constants)


def aluminium(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Aluminium. Arguments as in `metal`."""
    return metal("aluminium", temperature, **constants)


def gold(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Gold. Arguments as in `metal`."""
    return metal("gold", temperature, **constants)


def silver(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Silver. Arguments as in `metal`."""
    return metal("silver", temperature, **constants)


def tungsten(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Tungsten; that its atoms go along the current is known, how strongly is not. Arguments as in `metal`."""
    return metal("tungsten", temperature, **constants)


def molybdenum(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Molybdenum; that its atoms go along the current is known, how strongly is not. Arguments as in `metal`."""
    return metal("molybdenum", temperature, **constants)


def palladium(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Palladium; the sign of its charge is hardly known. Arguments as in `metal`."""
    return metal("palladium", temperature, **constants)


def platinum(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Platinum; the sign of its charge is hardly known. Arguments as in `metal`."""
    return metal("platinum", temperature, **constants)


def nickel(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Nickel; above 200 K. Arguments as in `metal`."""
    return metal("nickel", temperature, **constants)


def tin(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """White tin, diffusing across its c axis. Arguments as in `metal`."""
    return metal("tin", temperature, **constants)


def lead(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Lead. Arguments as in `metal`."""
    return metal("lead", temperature, **constants)
