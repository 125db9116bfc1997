"""Verification: closed forms and published numbers that every physics of the program must reproduce.

    emfem verify                     every check, in less than two minutes
    emfem verify film heat --full    these two, on more meshes and for longer
    emfem verify --list              the checks, and the source of each number

A check is a function beside its target and citation; it runs the library, and copies none of its formulas:

    @check("heat", source="...", target=55.86166, rtol=2e-7, unit="K")
    def rise_of_a_driven_line(full: bool) -> float:
        ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from emfem.errors import choice
from emfem.gate import checked
from emfem.public import dir_of
from emfem.studies.registry import known, own
from emfem.verify import (
    conduction,
    failure,
    film,
    heat,
    height,
    lifetime,
    materials,
    mechanics,
    migration,
    networks,
    pfhub,
    signoff,
    steps,
    stress,
    surface,
    voids,
)
from emfem.verify.registry import PHYSICS, Check, Measured, check, names
from emfem.verify.report import Report, Result, listing, table, troubles
from emfem.verify.running import run

__all__ = ["PHYSICS", "Check", "Measured", "Report", "Result", "check", "checks", "listing", "run", "table", "troubles"]
__dir__ = dir_of(__all__)

MODULES = (
    materials,
    film,
    pfhub,
    conduction,
    heat,
    migration,
    stress,
    mechanics,
    networks,
    failure,
    lifetime,
    signoff,
    surface,
    voids,
    steps,
    height,
)


@checked
def checks(physics: Iterable[str] = (), *, full: bool = False) -> tuple[Check, ...]:
    """Return the checks there are, in order; those of a registered physics are in the module of its model function.

    Args:
        physics: those that are wanted; all when empty.
        full: also those that take too long for the short form.

    Raises:
        UnknownName: for a physics that does not exist.
    """
    known()  # loads those of the user
    wanted = [choice("physics", name, names()) for name in physics] or names()
    modules = dict.fromkeys((*MODULES, *(sys.modules[each.model.__module__] for each in own())))
    all_ = dict.fromkeys(one for module in modules for one in vars(module).values() if isinstance(one, Check))
    return tuple(one for one in all_ if one.physics in wanted and (full or not one.only_full))
