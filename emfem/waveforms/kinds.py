"""Kinds of waveforms: their values, breakpoints and averages."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from emfem.arrays import finite
from emfem.errors import ParameterError, choice, floats, number
from emfem.gate import checked

import numpy as np
from numpy.typing import NDArray

AVERAGES = ("mean", "power")
SAME = 1e-12  # relative: times that differ by less are one
MOST_PERIODS = 2.0**52  # from the start: beyond, the phase is lost in the rounding of the time
SLOPE_STEP = 1e-7  # part of the time over which a slope is taken
Value = float | NDArray[np.float64]


class Waveform(ABC):
    """Value that follows time: a number, or an array of one shape.

    Attributes:
        period: after which it repeats; None if it does not.
        linear: true if it is a straight line between breakpoints.
        constant: true if it never changes.
        known: true if its breakpoints are all there are.
    """

    period: float | None
    linear: bool = True
    constant: bool = False
    known: bool = True

    @abstractmethod
    def __call__(self, t: float) -> Value:
        """Return the value at time t; at a jump the one after it."""

    @abstractmethod
    def next_breakpoint(self, t: float) -> float:
        """Return the first time after t at which the value jumps or bends; infinity if there is none."""

    @checked
    def closest(self, t: float) -> tuple[float, float]:
        """Return the first two breakpoints after t; of waveforms that are combined those of one of them."""
        first = self.next_breakpoint(t)
        return first, self.next_breakpoint(first) if first < math.inf else math.inf

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        """Return the number of breakpoints after `start` and before `stop`, counted up to `limit`."""
        number_of = 0
        while number_of < limit and (start := self.next_breakpoint(start)) < stop:
            number_of += 1
        return number_of

    def levels(self) -> NDArray[np.float64]:
        """Return the values at its breakpoints, shape (n, ...), between which all others lie; none if not known."""
        return np.zeros(0)

    @checked
    @finite
    def slope(self, t: float) -> Value:
        """Return the time derivative just before t, at time 0 just after it [value/time].

        It is 0 at time 0 for a function without breakpoints, of which no time scale is known.
        """
        t = number("t", t)
        if t <= 0.0:
            later = self.next_breakpoint(t)
            step = (later - t) / 4 if later < math.inf else 0.0
            return (self(t + 3 * step) - self(t + step)) / (2 * step) if step else 0.0 * self(t)
        step = SLOPE_STEP * t
        while (inside := self.next_breakpoint(t - 3 * step)) < t - margin(t):
            step = min((t - inside) / 4, step / 2)
        return (self(t - step) - self(t - 3 * step)) / (2 * step)

    @finite
    def mean(self) -> Value:
        """Return the mean over a period, or the value if it is constant.

        Raises:
            ParameterError: if it is neither.
        """
        return self._moment(1)

    @finite
    def mean_square(self) -> Value:
        """Return the mean of the square over a period.

        Raises:
            ParameterError: if it is neither periodic nor constant.
        """
        return self._moment(2)

    def _moment(self, power: int) -> Value:
        """Return the mean of a power of the value over a period."""
        raise ParameterError(_NOT_PERIODIC)

    def ripple(self) -> Value:
        """Return the largest size of the integral of (value - mean) over any stretch of time [value * time].

        It bounds the error of `averaged("mean")` in an amount that the value lets in.

        Raises:
            ParameterError: if it is neither periodic nor constant.
        """
        raise ParameterError(_NOT_PERIODIC)

    @checked
    def averaged(self, of: str = "mean") -> Waveform:
        """Return the constant drive that acts as this periodic one does over very many periods.

        With "mean" (the mean value) what is linear in the drive grows at exactly the same mean rate: atoms let in, heat
        made by a source, the stress of Korhonen's equation with a constant kappa. An amount strays from that under the
        mean by at most `ripple()`, a stress at a blocked end by `em.analytic.pulse_ripple`. With "power" (the root of
        the mean square) the mean of the square is the same: the Joule heat of a current at constant resistivity.
        What is not linear in the drive (a drift, which multiplies the concentration; a diffusivity that follows a
        temperature) is exact only in the limit of short periods, with an error of first order in the period for a
        drift, and about (Ea dT/(k T^2))^2/4 for a diffusivity whose temperature swings as a sine of amplitude dT.

        Args:
            of: "mean", or "power" for what heats.

        Raises:
            ParameterError: if the waveform is neither periodic nor constant.
            UnknownName: for another average.
        """
        if choice("of", of, AVERAGES) == "mean":
            return _Constant(self.mean())
        return _Constant(plain(np.sqrt(self.mean_square())))

    @checked
    def scaled(self, factor: float) -> Waveform:
        """Return the waveform times a number."""
        made = _Scaled(number("factor", factor), self)
        with np.errstate(over="ignore"):
            values = made.levels()
        if not np.isfinite(values).all():
            msg = f"factor = {factor:g}, must be less: the waveform times it is infinite"
            raise ParameterError(msg)
        return made

    __mul__ = __rmul__ = scaled
    __array_ufunc__ = None  # a NumPy scalar times a waveform is left to the waveform

    def __repr__(self) -> str:
        """Return the kind and its numbers."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]
        numbers = [
            f"{name} {x:g}" for name, x in values.items() if isinstance(x, float | int) and not isinstance(x, bool)
        ]
        parts = [repr(part) for part in (values.get("part"), *values.get("parts", ())) if part is not None]
        return f"<waveform: {', '.join([type(self).__name__.strip('_').lower(), *numbers, *parts])}>"


_NOT_PERIODIC = "the waveform has no period, must be periodic or constant to be averaged"


@dataclass(frozen=True, eq=False, repr=False)
class _Constant(Waveform):
    """The same value at all times."""

    value: Value
    period, constant = None, True

    @checked
    def __call__(self, t: float) -> Value:
        return self.value

    @checked
    def next_breakpoint(self, t: float) -> float:
        return math.inf

    def levels(self) -> NDArray[np.float64]:
        return np.array([self.value])

    def _moment(self, power: int) -> Value:
        return self.value**power

    def ripple(self) -> Value:
        return 0.0 * self.value


@dataclass(frozen=True, eq=False, repr=False)
class _Piecewise(Waveform):
    """Values at times, joined by lines or constant until the next time, once or with a period."""

    times: tuple[float, ...]
    values: tuple[Any, ...]
    between: str
    period: float | None = None

    @cached_property
    def _array(self) -> NDArray[np.float64]:
        return np.array(self.values)

    def _local(self, t: float) -> tuple[float, float]:
        """Return the time within the table, and by how much it was moved there."""
        if self.period is None:
            return t, 0.0
        shift = self.period * periods(t + rounding(t), self.times[0], self.period)
        return max(t - shift, self.times[0]), shift

    @cached_property
    def _closed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times and values of one period with its end, or of the table."""
        if self.period is None:
            return np.array(self.times), self._array
        end = self._array[:1] if self.between == "lines" else self._array[-1:]
        return np.append(self.times, self.times[0] + self.period), np.concatenate([self._array, end])

    @checked
    def __call__(self, t: float) -> Value:
        local, _ = self._local(t)
        if self.between == "steps":
            return plain(self._array[max(bisect_right(self.times, local + rounding(t)) - 1, 0)])
        times, values = self._closed
        after = min(max(bisect_right(times, local), 1), len(times) - 1) if len(times) > 1 else 0
        if after == 0:
            return plain(values[0])
        width = times[after] - times[after - 1]
        part = min(max((local - times[after - 1]) / width, 0.0), 1.0)
        return plain((1 - part) * values[after - 1] + part * values[after])

    @checked
    def next_breakpoint(self, t: float) -> float:
        t = float(t)
        if self.period is None:
            return _next(self.times, t)
        local, shift = self._local(t)
        for i in range(bisect_right(self.times, local), 3 * len(self.times)):
            turn, at = divmod(i, len(self.times))
            later = self.times[at] + turn * self.period + shift
            if later > t:
                return later
        return math.inf  # not reached: a period has a breakpoint

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        start, stop = number("start", start), number("stop", stop)
        if self.period is None:
            return min(sum(start < t < stop for t in self.times), limit)
        return int(min(len(self.times) * max(stop - start, 0.0) / self.period, limit))

    def levels(self) -> NDArray[np.float64]:
        return self._array

    def _moment(self, power: int) -> Value:
        """Return the mean of a power by Simpson's rule, which is exact for a square."""
        if self.period is None:
            raise ParameterError(_NOT_PERIODIC)
        times, values = self._closed
        first, last = values[:-1], values[1:] if self.between == "lines" else values[:-1]
        pieces = (first**power + 4 * ((first + last) / 2) ** power + last**power) / 6
        return plain(np.tensordot(np.diff(times), pieces, axes=1) / self.period)

    @finite
    def ripple(self) -> Value:
        mean = np.asarray(self.mean())
        times, values = self._closed
        spots = [times[0]]
        for i, width in enumerate(np.diff(times)):  # extremes lie at breakpoints and where value = mean
            first, last = values[i], values[i + 1] if self.between == "lines" else values[i]
            with np.errstate(divide="ignore", invalid="ignore"):
                crossing = np.ravel((mean - first) / (last - first))
            spots += [times[i] + width * part for part in crossing if 0 < part < 1] + [times[i + 1]]
        spots.sort()
        middle = np.array([self((a + b) / 2) for a, b in pairwise(spots)]) - mean
        total = np.concatenate([np.zeros_like(middle[:1]), np.cumsum((np.diff(spots) * middle.T).T, axis=0)])
        return plain(np.ptp(total, axis=0))


@dataclass(frozen=True, eq=False, repr=False)
class _Pulses(Waveform):
    """Square pulses: `level` for the part `duty` of each period from `start` on, `base` otherwise."""

    period: float
    duty: float
    level: Value
    base: Value
    start: float = 0.0
    count: int | None = None

    @property
    def _number(self) -> float:
        return math.inf if self.count is None else self.count

    def _edge(self, period: float, part: float) -> float:
        return self.start + (period + part) * self.period

    @checked
    def __call__(self, t: float) -> Value:
        last = periods(t, self.start, self.period)
        for k in (last + 1, last, last - 1):  # edges are those of next_breakpoint, so that none is off by rounding
            if 0 <= k < self._number and t >= self._edge(k, 0.0):
                return self.level if t < self._edge(k, self.duty) else self.base
        return self.base

    @checked
    def next_breakpoint(self, t: float) -> float:
        t = float(t)
        first = max(periods(t, self.start, self.period) - 1, 0)
        for k in range(first, first + 4):
            if k >= self._number:
                break
            for part in (0.0, self.duty):
                if (edge := self._edge(k, part)) > t:
                    return edge
        return math.inf

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        start, stop = number("start", start), number("stop", stop)
        periods = min((stop - self.start) / self.period, self._number) - max((start - self.start) / self.period, 0.0)
        return int(min(2 * max(periods, 0.0), limit))

    def levels(self) -> NDArray[np.float64]:
        return np.array([self.level, self.base])

    def _moment(self, power: int) -> Value:
        if self.count is not None:
            raise ParameterError(_NOT_PERIODIC)
        return self.duty * self.level**power + (1 - self.duty) * self.base**power

    @finite
    def ripple(self) -> Value:
        if self.count is not None:
            raise ParameterError(_NOT_PERIODIC)
        return self.duty * (1 - self.duty) * self.period * np.abs(np.subtract(self.level, self.base))


@dataclass(frozen=True, eq=False, repr=False)
class _Function(Waveform):
    """Function of time, smooth between its breakpoints `times`; the run searches one that is not `known` for jumps."""

    of_time: Callable[[float], Any]
    times: tuple[float, ...] = ()
    known: bool = True
    period, linear = None, False

    @checked
    def __call__(self, t: float) -> Any:
        """Return its value; beside a breakpoint that of the side t is on, whatever rounding does inside."""
        later = bisect_right(self.times, t)
        if later:
            t = max(t, self.times[later - 1] + margin(self.times[later - 1]))
        if later < len(self.times):
            t = min(t, self.times[later] - margin(self.times[later]))
        return self.of_time(t)

    @checked
    def next_breakpoint(self, t: float) -> float:
        return _next(self.times, t)


@dataclass(frozen=True, eq=False, repr=False)
class _Scaled(Waveform):
    """Waveform times a number."""

    factor: float
    part: Waveform

    def __post_init__(self) -> None:
        for name in ("period", "linear", "constant", "known"):
            object.__setattr__(self, name, getattr(self.part, name))

    @checked
    def __call__(self, t: float) -> Any:
        return np.multiply(self.factor, self.part(t))

    @checked
    def next_breakpoint(self, t: float) -> float:
        return self.part.next_breakpoint(t)

    @checked
    def closest(self, t: float) -> tuple[float, float]:
        return self.part.closest(t)

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        return self.part.count_breakpoints(start, stop, limit)

    def levels(self) -> NDArray[np.float64]:
        return self.factor * self.part.levels()

    def _moment(self, power: int) -> Value:
        return self.factor**power * self.part._moment(power)

    @finite
    def ripple(self) -> Value:
        return abs(self.factor) * self.part.ripple()


@dataclass(frozen=True, eq=False, repr=False)
class _Combined(Waveform):
    """Function of the values of several waveforms; it may have jumps of its own."""

    of_values: Callable[..., Any]
    parts: tuple[Waveform, ...]
    known: bool
    period, linear = None, False

    @checked
    def __call__(self, t: float) -> Any:
        return plain(floats("value", self.of_values(*(part(t) for part in self.parts))))

    @checked
    def next_breakpoint(self, t: float) -> float:
        return min((part.next_breakpoint(t) for part in self.parts), default=math.inf)

    @checked
    def closest(self, t: float) -> tuple[float, float]:
        return min((part.closest(t) for part in self.parts), key=lambda two: two[1], default=(math.inf, math.inf))

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        return min(sum(part.count_breakpoints(start, stop, limit) for part in self.parts), limit)


def periods(t: float, start: float, period: float) -> int:
    """Return the number of whole periods from a start to a time, below 0 before it.

    Raises:
        ParameterError: if they are so many that the time has no phase.
    """
    passed = (t - start) / period
    if not abs(passed) < MOST_PERIODS:
        msg = f"t = {t:g}, must be less than {MOST_PERIODS:g} periods of {period:g} from {start:g}"
        raise ParameterError(msg)
    return math.floor(passed)


def rounding(t: float) -> float:
    """Return the error of rounding of a time t computed from periods."""
    return 4 * math.ulp(t)


def margin(t: float) -> float:
    """Return by how much two times about t may differ and still be one: what rounding does to sums of a thousand."""
    return SAME * abs(t)


def plain(value: NDArray[np.float64]) -> Value:
    """Return a float of an array without axes, else the array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def _next(times: tuple[float, ...], t: float) -> float:
    """Return the first of the times after t; infinity if there is none."""
    later = bisect_right(times, t)
    return times[later] if later < len(times) else math.inf
