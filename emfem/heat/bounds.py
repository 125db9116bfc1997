"""Between which temperatures a conductor is followed, and what it means that it leaves them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, number
from emfem.heat.boundaries import COLDEST, Loss
from emfem.heat.inputs import is_law, value_at
from emfem.heat.laws import runaway
from emfem.model import Flux, Placeholder

import numpy as np
import ufl
from dolfinx import fem
from scipy.optimize import brentq

HOTTEST = 1e6  # K; a temperature that gets there is on its way to infinity
NEARLY_ZERO = 1e-3  # K
SAMPLES = 200  # of a law from the temperatures given to the highest
FAINT = 1e-3  # of a coefficient at the temperatures given; what falls below is on its way to zero
JUST = 1e-12  # part of a temperature; bounds are exclusive, and a law may be used at the end of its range


@dataclass(frozen=True)
class Range:
    """Where temperatures may be.

    Attributes:
        lowest: below it the laws do not hold; 0 if nothing tells [K].
        highest: from it on a state is refused [K].
        reach: what a search for a steady state may pass through on its way [K].
        below: what the lowest temperature is, in words.
        above: what the highest one is, in words.
        end: where a law comes to its end on the hot side of the reach, in words; empty if none does.
    """

    lowest: float
    highest: float
    reach: tuple[float, float]
    below: str
    above: str
    end: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """What a temperature lies strictly between [K]."""
        return self.lowest * (1 - JUST), self.highest


def allowed(
    material: Any, laws: Mapping[str, Any], given: Mapping[str, Any], known: Sequence[float], hottest: float | None
) -> Range:
    """The range of temperatures: that of the material's laws where they are used, up to `hottest` or to melting.

    Args:
        material: as given.
        laws: what gives each coefficient.
        given: the same as given, None where the material's law is taken.
        known: temperatures of boundaries, substrate and start [K].
        hottest: as given [K].

    Raises:
        ParameterError: for a highest temperature that is not above those known.
    """
    rho, name = laws.get("resistivity"), getattr(material, "name", "the material")
    lowest = coldest(rho, min(known))
    least = getattr(material, "lowest_temperature", 0.0) if None in given.values() else 0.0
    below = f"the lowest temperature at which the laws of {name} hold" if least > lowest else ""
    melting = getattr(material, "melting_temperature", None)
    highest, above = HOTTEST, "any temperature of a conductor"
    if hottest is not None:
        highest, above = number("hottest", hottest, above=max(known), unit="K"), "the highest temperature allowed"
    elif melting is not None:
        highest, above = float(melting), f"the melting temperature of {name}"
        if max(known) >= highest:
            msg = f"temperature = {max(known):g} K, must be less than {highest:g} K, {above}"
            raise ParameterError(msg)
    ends = {coefficient: vanishing(laws[coefficient], max(known)) for coefficient in ("conductivity", "heat_capacity")}
    first = min(ends, key=lambda coefficient: ends[coefficient])
    farthest, end = max(HOTTEST, highest), ""
    if ends[first] < farthest:
        farthest, end = ends[first], f"{first}(T) falls to nothing"
    return Range(max(lowest, least), min(highest, farthest), (lowest, farthest), below, above, end)


def coldest(resistivity: Any, warm: float) -> float:
    """The temperature below which the law of the resistivity is not positive, 0 if it always is [K]."""
    if not is_law(resistivity) or not value_at(resistivity, NEARLY_ZERO) <= 0:
        return 0.0
    low, high = 0.0, warm
    for _ in range(60):  # halvings down to rounding
        middle = (low + high) / 2
        low, high = (low, middle) if value_at(resistivity, middle) > 0 else (middle, high)
    return low


def vanishing(law: Any, warm: float) -> float:
    """The temperature above `warm` from which on a law gives next to nothing, or less; infinity if never [K]."""
    enough = FAINT * value_at(law, warm) if is_law(law) else math.nan
    for low, high in pairwise(np.geomspace(warm, max(HOTTEST, 2 * warm), SAMPLES).tolist()):
        if value_at(law, high) <= enough:  # never of a law that gives no numbers: NaN
            return float(brentq(lambda at: value_at(law, at) - enough, low, high))
    return math.inf


def check_start(temperature: fem.Function, span: Range) -> None:
    """Refuse a start outside of the range. Collective.

    Raises:
        ParameterError: telling from where to where it is.
    """
    low, high = fields.extremes(temperature)
    least = max(COLDEST, span.lowest)
    if not (low >= least * (1 - JUST) and high < span.highest):
        words = [f"{span.highest:g} K is {span.above}"] if high >= span.highest and span.highest < HOTTEST else []
        words += [f"{span.lowest:g} K is {span.below}"] if span.below and low < least else []
        told = "".join(f"; {word}" for word in words)
        msg = f"initial temperature from {low:g} to {high:g} K, must be from {least:g} to {span.highest:g} K{told}"
        raise ParameterError(msg)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What it means that the temperature of a heat model leaves its bounds.

    Attributes:
        span: where it may be.
        temperature: the field.
        made: the heat made per volume, UFL.
        fluxes: let in through boundaries, by name.
        reference: a temperature that the model was given [K].
        limit: where a line of this metal would run away, in words; empty if it would not, or that is not known.
    """

    span: Range
    temperature: fem.Function
    made: Any
    fluxes: Mapping[str, Flux]
    reference: float
    limit: str

    @property
    def runs_away(self) -> bool:
        """Whether the heat made follows the temperature, or may do so once a placeholder is filled."""
        found = ufl.algorithms.extract_coefficients(self.made)
        return any(c is self.temperature or isinstance(c, Placeholder) for c in found)

    @property
    def unsteady(self) -> str:
        """What it may mean that no steady state is found."""
        told = [f"{self.span.end} at {self.span.reach[1]:g} K"] if self.span.end else []
        if self.runs_away:
            told += [
                "it may be thermal runaway, with no steady temperature at this current",
                *filter(None, [self.limit]),
            ]
        return "; ".join(told)

    def __call__(self, low: float, high: float) -> str:
        """Why a temperature between `low` and `high` is out of bounds. Collective."""
        reached = self.span.reach
        if high >= reached[1] and self.span.end and reached[0] < low:
            return f"it gets to {high:g} K, where {self.span.end}"
        if self.span.highest <= high < reached[1] and reached[0] < low:
            told = f"it gets to {high:g} K, above {self.span.above} ({self.span.highest:g} K)"
            return f"{told}; {self.limit}" if self.runs_away and self.limit else told
        if low <= self.span.lowest:
            sinks = self._sinks()
            if sinks:
                return f"more heat is taken out than comes in, by {' and '.join(sinks)}"
            if low > reached[0] and self.span.below:
                return f"it gets to {low:g} K, below {self.span.below} ({self.span.lowest:g} K)"
        if self.runs_away:
            told = "thermal runaway: no steady temperature at this current from this start"
            return f"{told}; {self.limit}" if self.limit else told
        if high >= reached[1]:
            return "more heat is made than can leave: is the source in W/m3?"
        return f"it gets to {low:g} K" if low <= self.span.lowest else ""

    def _sinks(self) -> list[str]:
        """What was given that takes heat out, in words. Collective."""
        mesh = self.temperature.function_space.mesh
        cool = ufl.replace(self.made, {self.temperature: fem.Constant(mesh, self.reference)})
        least = fields.extremes(fields.discontinuous(cool * fem.Constant(mesh, 1.0), mesh, 1))[0]
        found = [f"the source, {least:.4g} W/m3"] if least < 0 else []
        now = {name: flux.value(0.0) if callable(flux.value) else flux.value for name, flux in self.fluxes.items()}
        return found + [f"the flux on {name!r}, {value:.4g} W/m2" for name, value in now.items() if value < 0]


def limit_told(resistivity: Any, conductivity: Any, temperature: float, loss: Loss | None) -> str:
    """Where a line of this metal runs away, in words; empty if it does not, or the laws are not known as numbers."""
    k = value_at(conductivity, temperature)
    law: Callable[[float], float] = lambda at: value_at(resistivity, at)  # noqa: E731
    limit = runaway(law, k, temperature) if is_law(resistivity) and k > 0 else math.inf
    if not math.isfinite(limit):
        return ""
    told = f"a line with ends at fixed temperature ({temperature:g} K) runs away at j L = {limit:.4g} A/m"
    if loss:
        told += f", a long one with this loss at j = {limit / math.pi * math.sqrt(loss.coefficient / k):.4g} A/m2"
    return told
