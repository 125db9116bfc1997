"""Bounds of the temperature of a conductor, and the reasons for which it may leave them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, number
from emfem.heat.boundaries import COLDEST, Loss
from emfem.heat.inputs import value_at
from emfem.heat.laws import runaway
from emfem.model import Flux, has_placeholder, is_law, values_at_start

import numpy as np
import ufl
from dolfinx import fem
from scipy.optimize import brentq

HOTTEST = 1e6  # K; a temperature that gets there is on its way to infinity
NEARLY_ZERO = 1e-3  # K
SAMPLES = 200  # of a law from the highest temperature of the model on
FAINT = 1e-3  # of a coefficient at the temperatures of the model; below it counts as zero
JUST = 1e-12  # part of a temperature; bounds are exclusive, and a law may be used at the end of its range


@dataclass(frozen=True)
class Range:
    """Range of temperatures.

    Attributes:
        lowest: below it the laws do not hold; 0 if it is not known [K].
        highest: from it on a state is refused [K].
        search: wider range, for a search for a steady state [K].
        below: words for the lowest temperature.
        above: words for the highest one.
        end: words for the law that ends at the hot side of the search, "" if none does.
    """

    lowest: float
    highest: float
    search: tuple[float, float]
    below: str
    above: str
    end: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Exclusive bounds of a temperature [K]."""
        return self.lowest * (1 - JUST), self.highest


def allowed(
    material: Any, laws: Mapping[str, Any], own: Mapping[str, Any], known: Sequence[float], hottest: float | None
) -> Range:
    """Return the range of temperatures: that of the material's laws where they are used, up to `hottest` or to melting.

    Args:
        material: of the model.
        laws: of each coefficient.
        own: the coefficients of the user, None where the law is the material's.
        known: temperatures of boundaries, substrate and start [K].
        hottest: of the user [K].

    Raises:
        ParameterError: for a highest temperature that is not above those known.
    """
    rho, name = laws.get("resistivity"), getattr(material, "name", "the material")
    lowest = coldest(rho, min(known))
    least = getattr(material, "lowest_temperature", 0.0) if None in own.values() else 0.0
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
    """Return the temperature below which the law of the resistivity is not positive, 0 if it always is [K]."""
    if not is_law(resistivity) or not value_at(resistivity, NEARLY_ZERO) <= 0:
        return 0.0
    low, high = 0.0, warm
    for _ in range(60):  # halvings down to rounding
        middle = (low + high) / 2
        low, high = (low, middle) if value_at(resistivity, middle) > 0 else (middle, high)
    return low


def vanishing(law: Any, warm: float) -> float:
    """Return the temperature above `warm` from which on a law is about 0 or less; infinity if never [K]."""
    enough = FAINT * value_at(law, warm) if is_law(law) else math.nan
    for low, high in pairwise(np.geomspace(warm, max(HOTTEST, 2 * warm), SAMPLES).tolist()):
        if value_at(law, high) <= enough:  # never of a law that gives no numbers: NaN
            return float(brentq(lambda at: value_at(law, at) - enough, low, high))
    return math.inf


def check_start(temperature: fem.Function, span: Range) -> None:
    """Refuse a start outside of the range. Collective.

    Raises:
        ParameterError: with the lowest and highest temperature.
    """
    low, high = fields.extremes(temperature)
    least = max(COLDEST, span.lowest)
    if not (low >= least * (1 - JUST) and high < span.highest):
        words = [f"{span.highest:g} K is {span.above}"] if high >= span.highest and span.highest < HOTTEST else []
        words += [f"{span.lowest:g} K is {span.below}"] if span.below and low < least else []
        bounds = "".join(f"; {word}" for word in words)
        msg = f"initial temperature from {low:g} to {high:g} K, must be from {least:g} to {span.highest:g} K{bounds}"
        raise ParameterError(msg)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Reasons for which the temperature of a heat model leaves its bounds.

    Attributes:
        span: range of temperatures.
        temperature: the field.
        made: the heat made per volume, UFL.
        fluxes: let in through boundaries, by name.
        reference: one of the temperatures of the model [K].
        limit: words for the current at which a line of this metal runs away; "" if it does not, or it is not known.
    """

    span: Range
    temperature: fem.Function
    made: Any
    fluxes: Mapping[str, Flux]
    reference: float
    limit: str

    @property
    def runs_away(self) -> bool:
        """True if the heat made follows the temperature, or may do so when a placeholder is replaced."""
        return self.temperature in ufl.algorithms.extract_coefficients(self.made) or has_placeholder(self.made)

    @property
    def unsteady(self) -> str:
        """Likely reasons if no steady state is found."""
        reasons = [f"{self.span.end} at {self.span.search[1]:g} K"] if self.span.end else []
        if self.runs_away:
            reasons += ["it may be thermal runaway, with no steady temperature at this current", self.limit]
        return "; ".join(filter(None, reasons))

    def __call__(self, low: float, high: float) -> str:
        """Return the reason for which temperatures from `low` to `high` are out of bounds. Collective."""
        coldest, hottest = self.span.search
        if high >= hottest and self.span.end and coldest < low:
            return f"it gets to {high:g} K, where {self.span.end}"
        if self.span.highest <= high < hottest and coldest < low:
            message = f"it gets to {high:g} K, above {self.span.above} ({self.span.highest:g} K)"
            return f"{message}; {self.limit}" if self.runs_away and self.limit else message
        if low <= self.span.lowest:
            sinks = self._sinks()
            if sinks:
                return f"more heat is taken out than comes in, by {' and '.join(sinks)}"
            if low > coldest and self.span.below:
                return f"it gets to {low:g} K, below {self.span.below} ({self.span.lowest:g} K)"
        if self.runs_away:
            message = "thermal runaway: no steady temperature at this current from this start"
            return f"{message}; {self.limit}" if self.limit else message
        if high >= hottest:
            return "more heat is made than can leave: is the source in W/m3?"
        return f"it gets to {low:g} K" if low <= self.span.lowest else ""

    def _sinks(self) -> list[str]:
        """Return words for the source and the fluxes that take heat out. Collective."""
        mesh = self.temperature.function_space.mesh
        cool = ufl.replace(self.made, {self.temperature: fem.Constant(mesh, self.reference)})
        least = fields.extremes(fields.discontinuous(cool * fem.Constant(mesh, 1.0), mesh, 1))[0]
        words = [f"the source, {least:.4g} W/m3"] if least < 0 else []
        now = values_at_start(self.fluxes, Flux)
        return words + [f"the flux on {name!r}, {value:.4g} W/m2" for name, value in now.items() if value < 0]


def runaway_limit(resistivity: Any, conductivity: Any, temperature: float, loss: Loss | None) -> str:
    """Return words for the current at which a line of this metal runs away; "" if it does not, or it is not known."""
    k = value_at(conductivity, temperature)
    law: Callable[[float], float] = lambda at: value_at(resistivity, at)  # noqa: E731
    try:
        limit = runaway(law, k, temperature) if is_law(resistivity) and k > 0 else math.inf
    except ParameterError:  # at the end of the range of a law its slope is not known
        limit = math.inf
    if not math.isfinite(limit):
        return ""
    words = f"a line with ends at fixed temperature ({temperature:g} K) runs away at j L = {limit:.4g} A/m"
    if loss:
        words += f", a long one with this loss at j = {limit / math.pi * math.sqrt(loss.coefficient / k):.4g} A/m2"
    return words
