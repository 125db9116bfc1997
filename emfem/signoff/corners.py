"""Corners: the same grid with more or less current, colder or hotter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emfem.errors import ParameterError, kind, number, require, shown
from emfem.gate import checked

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+_-]{0,39}")  # also the name of a folder
RESERVED = ("con", "prn", "aux", "nul")  # names of devices, where no folder can have them


@checked
@dataclass(frozen=True)
class Corner:
    """Conditions of one computation of a grid.

    Attributes:
        name: letters, digits, spaces and `.+_-`, at most 40; also the name of its folder.
        current: factor of all loads, above 0 [-].
        temperature: of the metal [K]; that of the technology if left out. A map of temperatures is shifted by the
            difference to that of the technology.

    Raises:
        ParameterError: for a name that is none, or a number out of its bounds.
    """

    name: str
    current: float = 1.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        """Check all of it."""
        good = NAME.fullmatch(self.name) and not self.name.endswith((" ", ".")) and self.name.lower() not in RESERVED
        words = "up to 40 letters, digits, spaces and .+_-, the first a letter or digit, the last no space or point"
        require(good, f"name of a corner = {shown(self.name)}, must be {words}")
        number(f"current of corner {self.name}", self.current, above=0.0)
        if self.temperature is not None:
            number(f"temperature of corner {self.name}", self.temperature, above=0.0, unit="K")


NOMINAL = Corner("nominal")


def check_corners(corners: Sequence[Corner]) -> tuple[Corner, ...]:
    """Return corners, of which there is at least one and each has a name of its own.

    Raises:
        ParameterError: for others.
    """
    if isinstance(corners, Corner):
        return (corners,)
    kind("corners", corners, Sequence, "a list of em.signoff.Corner")
    for corner in corners:
        kind("corners[...]", corner, Corner, "an em.signoff.Corner")
    require(corners, "corners = [], must be at least one")
    names = [corner.name.lower() for corner in corners]
    for i, name in enumerate(names):
        if name in names[:i]:
            msg = (
                f"corners: the name {corners[i].name!r} comes twice, must be one a corner (small letters are as large)"
            )
            raise ParameterError(msg)
    return tuple(corners)
