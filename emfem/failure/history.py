"""Reports of failure: when voids opened, how they grew, and when that was failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem.failure.nodes import Array
from emfem.gate import checked
from emfem.quantities import duration

import numpy as np


@checked
@dataclass(frozen=True)
class Void:
    """A void.

    Attributes:
        node: the number of its node, or the name of the end of a line.
        nucleated: when it opened [s].
        volume: at the end [m3]; on a line over the cross-section [m].
        length: what it has cut of each wire at its node, at the end [m].
    """

    node: int | str
    nucleated: float
    volume: float
    length: float


@checked
@dataclass(frozen=True, eq=False)
class FailureHistory:
    """History of a network or a line to its failure, or until it was given up.

    Attributes:
        time_to_failure: infinity if it never failed or not before `until` [s].
        why: what ended it: a criterion, "hillock", "open", or, without failure, "immortal", "survived", or what ended
            the run before: "wall time", a signal, an observer.
        voids: in the order in which they opened.
        t: times of all steps, shape (n,) [s].
        volume: of all voids together at those times [m3].
        resistance: that of the criterion at those times, shape (n,), or None [Ohm].
        highest: the highest stress at those times [Pa].
        lowest: the lowest stress at those times [Pa].
        steps: steps that the stress took.
        redistributions: how often currents were computed again.
    """

    time_to_failure: float
    why: str
    voids: tuple[Void, ...]
    t: Array
    volume: Array
    resistance: Array | None
    highest: Array
    lowest: Array
    steps: int
    redistributions: int

    @property
    def immortal(self) -> bool:
        """True if no void can ever open."""
        return self.why == "immortal"

    @property
    def nucleation(self) -> dict[int | str, float]:
        """Time at which a void first opened at each node that has one [s]."""
        first: dict[int | str, float] = {}
        for void in self.voids:
            first.setdefault(void.node, void.nucleated)
        return first

    def __str__(self) -> str:
        """Return one line."""
        if np.isinf(self.time_to_failure):
            end = "immortal" if self.immortal else f"{self.why} {duration(float(self.t[-1]), also=True)}"
        else:
            end = f"failed after {duration(self.time_to_failure, also=True)}: {self.why}"
        opened = ", ".join(
            f"{void.node} at {duration(void.nucleated, also=True)}, {void.length:.3g} m long" for void in self.voids
        )
        return f"{end}; voids: {opened or 'none'}; {self.steps} steps"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked
@dataclass(frozen=True, eq=False)
class Nucleation:
    """Time and place at which the first void opens.

    Attributes:
        t: when; infinity if none opens before `until` [s].
        place: where the tension was highest then, shape (dim,) [m].
        stress: that tension [Pa].
        why: "nucleated", "immortal" if no void can ever open, "survived", or what ended the run before: "wall time", a
            signal, an observer.
    """

    t: float
    place: Any
    stress: float
    why: str

    @property
    def time_to_failure(self) -> float:
        """The same as t: the first void counts as failure [s]."""
        return self.t

    def __str__(self) -> str:
        """Return one line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        when = "" if np.isinf(self.t) else f" at {duration(self.t, also=True)}"
        return f"{self.why}{when}: {self.stress:.4g} Pa at ({where}) m"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"
