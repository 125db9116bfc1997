"""The metals that come with emfem; their constants, with confidence and sources, are the files in `data`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Protocol, Unpack

from emfem.errors import UnknownName
from emfem.gate import checked
from emfem.materials.constants import Constants
from emfem.materials.material import Material
from emfem.materials.reading import parsed

NAMES = tuple("copper aluminium gold silver tungsten molybdenum palladium platinum nickel tin lead".split())


def names() -> tuple[str, ...]:
    """Return the names that `metal` knows."""
    return NAMES


@checked
def metal(name: str, temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
    """Return a metal by name, at a temperature, with constants of your own over those of the tables.

    Args:
        name: one of `names()`.
        temperature: T [K].
        constants: see `Constants`: a number, a function of the temperature, a law, or a `Constant` with its source.
            A number is the same at every temperature; only a resistivity given as one holds at T, and keeps its slope:
            one without a slope is `Uniform(3e-8)`.

    Raises:
        UnknownName: for a metal or a constant that does not exist; the message lists those that do.
        ParameterError: for a temperature out of the range of the laws, or a value out of its bounds; the message names
            the likely mistake of unit.
    """
    if name not in NAMES:
        raise UnknownName(name, "emfem.materials", NAMES)
    return _table(name).at(temperature, **constants)


@cache
def _table(name: str) -> Material:
    """Return the metal of the file, at 373 K."""
    text = files("emfem.materials").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    return parsed(text, f"{name}.toml")


class Metal(Protocol):
    """A function that returns a metal."""

    def __call__(self, temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
        """Return the metal; arguments as in `metal`."""


def _function(name: str, remark: str = "") -> Metal:
    """Return the function for the metal `name`."""

    def at(temperature: float = 373.0, **constants: Unpack[Constants]) -> Material:
        return metal(name, temperature, **constants)

    at.__name__ = at.__qualname__ = name
    at.__doc__ = f"Return {name}{remark}. Arguments as in `metal`."
    return at


copper = _function("copper")
aluminium = _function("aluminium")
gold = _function("gold")
silver = _function("silver")
tungsten = _function("tungsten", "; its atoms move along the current, the size of its charge is not known")
molybdenum = _function("molybdenum", "; its atoms move along the current, the size of its charge is not known")
palladium = _function("palladium", "; the sign of its charge is hardly known")
platinum = _function("platinum", "; the sign of its charge is hardly known")
nickel = _function("nickel", ", above 200 K")
tin = _function("tin", " (white), diffusing across its c axis")
lead = _function("lead")
