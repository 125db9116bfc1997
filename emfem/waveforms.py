"""Waveforms: values that follow time, with the times at which they jump or bend.

A waveform stands wherever a function of time may stand: boundary values, fluxes, voltages, currents, drifts, sources.
Time steps end exactly at its breakpoints, so that no pulse is too short to be seen. At a jump its value is that after
the jump.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from emfem.errors import ParameterError, choice, count, floats, kind, number

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Waveform",
    "combined",
    "constant",
    "function",
    "piecewise_linear",
    "pulses",
    "steps",
    "table",
]

BETWEEN = ("lines", "steps")
AVERAGES = ("mean", "power")
SAME = 1e-12  # relative: times that differ by less are one
SLOPE_STEP = 1e-7  # part of the time over which a slope is taken
Value = float | NDArray[np.float64]


class Waveform(ABC):
    """A value that follows time: a number, or an array of one shape.

    Attributes:
        period: after which it repeats; None if it does not.
        linear: whether it is a straight line between breakpoints.
        constant: whether it never changes.
        known: whether its breakpoints are all there are.
    """

    period: float | None
    linear: bool = True
    constant: bool = False
    known: bool = True

    @abstractmethod
    def __call__(self, t: float) -> Value:
        """Return the value at time t; at a jump that after it."""

    @abstractmethod
    def next_breakpoint(self, t: float) -> float:
        """Return the first time after t at which the value jumps or bends; infinity if there is none."""

    def closest(self, t: float) -> tuple[float, float]:
        """Return the first two breakpoints after t; of waveforms that are combined those of one of them."""
        first = self.next_breakpoint(t)
        return first, self.next_breakpoint(first) if first < math.inf else math.inf

    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        """Return the number of breakpoints after `start` and before `stop`, counted up to `limit`."""
        found = 0
        while found < limit and (start := self.next_breakpoint(start)) < stop:
            found += 1
        return found

    def levels(self) -> NDArray[np.float64]:
        """Return the values at its breakpoints, shape (n, ...), between which all others lie; none if not known."""
        return np.zeros(0)

    def slope(self, t: float) -> Value:
        """Return the time derivative just before t, at time 0 just after it [value/time].

        It is 0 at time 0 for a function without breakpoints, of which no time scale is known.
        """
        if t <= 0.0:
            later = self.next_breakpoint(t)
            step = (later - t) / 4 if later < math.inf else 0.0
            return (self(t + 3 * step) - self(t + step)) / (2 * step) if step else 0.0 * self(t)
        step = SLOPE_STEP * t
        while (inside := self.next_breakpoint(t - 3 * step)) < t - margin(t):
            step = min((t - inside) / 4, step / 2)
        return (self(t - step) - self(t - 3 * step)) / (2 * step)

    def mean(self) -> Value:
        """Return the mean over a period, or the value if it is constant.

        Raises:
            ParameterError: if it is neither.
        """
        raise ParameterError(_NOT_PERIODIC)

    def mean_square(self) -> Value:
        """Return the mean of the square over a period.

        Raises:
            ParameterError: if it is neither periodic nor constant.
        """
        raise ParameterError(_NOT_PERIODIC)

    def ripple(self) -> Value:
        """Return the largest size of the integral of (value - mean) over any stretch of time [value * time].

        It bounds the error of `averaged("mean")` in an amount that the value lets in.

        Raises:
            ParameterError: if it is neither periodic nor constant.
        """
        raise ParameterError(_NOT_PERIODIC)

    def averaged(self, of: str = "mean") -> Waveform:
        """Return the constant drive that acts as this periodic one does over very many periods.

        With "mean" (the mean value) what is linear in the drive grows at exactly the same mean rate: atoms let in, heat
        made by a source, the stress of Korhonen's equation with a constant kappa. An amount strays from that under the
        mean by at most `ripple()`, a stress at a blocked end by `em.analytic.pulse_ripple`. With "power" (the root of
        the mean square) the mean of the square is kept: the Joule heat of a current where the resistivity is constant.
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
            return constant(self.mean())
        return constant(np.sqrt(self.mean_square()))

    def __mul__(self, factor: float) -> Waveform:
        """Return the waveform times a number."""
        return self.scaled(factor)

    __rmul__ = __mul__
    __array_ufunc__ = None  # a NumPy scalar times a waveform is left to the waveform

    def __repr__(self) -> str:
        """Return what it is in a few words."""
        again = f", period {self.period:g}" if self.period is not None else ""
        return f"<waveform: {type(self).__name__.strip('_').lower()}{again}>"

    def scaled(self, factor: float) -> Waveform:
        """Return the waveform times a number."""
        return _Scaled(number("factor", factor), self)


_NOT_PERIODIC = "the waveform has no period, must be periodic or constant to be averaged"


@dataclass(frozen=True, eq=False, repr=False)
class _Constant(Waveform):
    """The same value at all times."""

    value: Value
    period, constant = None, True

    def __call__(self, t: float) -> Value:
        return self.value

    def next_breakpoint(self, t: float) -> float:
        return math.inf

    def levels(self) -> NDArray[np.float64]:
        return np.array([self.value])

    def mean(self) -> Value:
        return self.value

    def mean_square(self) -> Value:
        return self.value**2

    def ripple(self) -> Value:
        return 0.0 * self.value


@dataclass(frozen=True, eq=False, repr=False)
class _Piecewise(Waveform):
    """Values at times, joined by lines or kept until the next time, once or with a period."""

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
        shift = self.period * math.floor((t + rounding(t) - self.times[0]) / self.period)
        return max(t - shift, self.times[0]), shift

    @cached_property
    def _closed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times and values of one period with its end, or of the table."""
        if self.period is None:
            return np.array(self.times), self._array
        end = self._array[:1] if self.between == "lines" else self._array[-1:]
        return np.append(self.times, self.times[0] + self.period), np.concatenate([self._array, end])

    def __call__(self, t: float) -> Value:
        local, _ = self._local(t)
        if self.between == "steps":
            return _plain(self._array[max(bisect_right(self.times, local + rounding(t)) - 1, 0)])
        times, values = self._closed
        after = min(max(bisect_right(times, local), 1), len(times) - 1) if len(times) > 1 else 0
        if after == 0:
            return _plain(values[0])
        width = times[after] - times[after - 1]
        part = min(max((local - times[after - 1]) / width, 0.0), 1.0)
        return _plain((1 - part) * values[after - 1] + part * values[after])

    def next_breakpoint(self, t: float) -> float:
        if self.period is None:
            later = bisect_right(self.times, t)
            return self.times[later] if later < len(self.times) else math.inf
        local, shift = self._local(t)
        for i in range(bisect_right(self.times, local), 3 * len(self.times)):
            turn, at = divmod(i, len(self.times))
            found = self.times[at] + turn * self.period + shift
            if found > t:
                return found
        return math.inf  # not reached: a period has a breakpoint

    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        if self.period is None:
            return min(sum(start < t < stop for t in self.times), limit)
        return int(min(len(self.times) * max(stop - start, 0.0) / self.period, limit))

    def levels(self) -> NDArray[np.float64]:
        return self._array

    def _of_period(self, power: int) -> Value:
        """Return the mean of a power of the value over a period; by Simpson's rule it is exact for a square."""
        if self.period is None:
            raise ParameterError(_NOT_PERIODIC)
        times, values = self._closed
        first, last = values[:-1], values[1:] if self.between == "lines" else values[:-1]
        pieces = (first**power + 4 * ((first + last) / 2) ** power + last**power) / 6
        return _plain(np.tensordot(np.diff(times), pieces, axes=1) / self.period)

    def mean(self) -> Value:
        return self._of_period(1)

    def mean_square(self) -> Value:
        return self._of_period(2)

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
        return _plain(np.ptp(total, axis=0))


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

    def __call__(self, t: float) -> Value:
        last = math.floor((t - self.start) / self.period)
        for k in (last + 1, last, last - 1):  # edges are compared as they are told, so that none is off by rounding
            if 0 <= k < self._number and t >= self._edge(k, 0.0):
                return self.level if t < self._edge(k, self.duty) else self.base
        return self.base

    def next_breakpoint(self, t: float) -> float:
        first = max(math.floor((t - self.start) / self.period) - 1, 0)
        for k in range(first, first + 4):
            if k >= self._number:
                break
            for part in (0.0, self.duty):
                if (edge := self._edge(k, part)) > t:
                    return edge
        return math.inf

    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        periods = min((stop - self.start) / self.period, self._number) - max((start - self.start) / self.period, 0.0)
        return int(min(2 * max(periods, 0.0), limit))

    def levels(self) -> NDArray[np.float64]:
        return np.array([self.level, self.base])

    def mean(self) -> Value:
        self._endless()
        return self.duty * self.level + (1 - self.duty) * self.base

    def mean_square(self) -> Value:
        self._endless()
        return self.duty * self.level**2 + (1 - self.duty) * self.base**2

    def ripple(self) -> Value:
        self._endless()
        return self.duty * (1 - self.duty) * self.period * np.abs(np.subtract(self.level, self.base))

    def _endless(self) -> None:
        if self.count is not None:
            raise ParameterError(_NOT_PERIODIC)


@dataclass(frozen=True, eq=False, repr=False)
class Function(Waveform):
    """Any function of time, smooth between its breakpoints.

    Attributes:
        of_time: the function.
        times: its breakpoints, increasing.
        known: whether the breakpoints are all there are; a bare function is searched for jumps by the run.
    """

    of_time: Callable[[float], Any]
    times: tuple[float, ...] = ()
    known: bool = True
    period, linear = None, False

    def __call__(self, t: float) -> Any:
        """Return its value; beside a breakpoint that of the side t is on, whatever rounding does inside."""
        if not self.times:
            return self.of_time(t)
        later = bisect_right(self.times, t)
        if later:
            t = max(t, self.times[later - 1] + margin(self.times[later - 1]))
        if later < len(self.times):
            t = min(t, self.times[later] - margin(self.times[later]))
        return self.of_time(t)

    def next_breakpoint(self, t: float) -> float:
        """Return the first breakpoint after t."""
        later = bisect_right(self.times, t)
        return self.times[later] if later < len(self.times) else math.inf


@dataclass(frozen=True, eq=False, repr=False)
class _Scaled(Waveform):
    """A waveform times a number."""

    factor: float
    part: Waveform

    def __post_init__(self) -> None:
        for name in ("period", "linear", "constant", "known"):
            object.__setattr__(self, name, getattr(self.part, name))

    def __call__(self, t: float) -> Any:
        return np.multiply(self.factor, self.part(t))

    def next_breakpoint(self, t: float) -> float:
        return self.part.next_breakpoint(t)

    def closest(self, t: float) -> tuple[float, float]:
        return self.part.closest(t)

    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        return self.part.count_breakpoints(start, stop, limit)

    def levels(self) -> NDArray[np.float64]:
        return self.factor * self.part.levels()

    def mean(self) -> Value:
        return self.factor * self.part.mean()

    def mean_square(self) -> Value:
        return self.factor**2 * self.part.mean_square()

    def ripple(self) -> Value:
        return abs(self.factor) * self.part.ripple()


@dataclass(frozen=True, eq=False, repr=False)
class _Combined(Waveform):
    """A function of the values of several waveforms; it may jump where none of them does."""

    of_values: Callable[..., Any]
    parts: tuple[Waveform, ...]
    known: bool
    period, linear = None, False

    def __call__(self, t: float) -> Any:
        return _plain(np.asarray(self.of_values(*(part(t) for part in self.parts)), dtype=float))

    def next_breakpoint(self, t: float) -> float:
        return min((part.next_breakpoint(t) for part in self.parts), default=math.inf)

    def closest(self, t: float) -> tuple[float, float]:
        return min((part.closest(t) for part in self.parts), key=lambda two: two[1], default=(math.inf, math.inf))

    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        return min(sum(part.count_breakpoints(start, stop, limit) for part in self.parts), limit)


def rounding(t: float) -> float:
    """Return what rounding may have done to a time t that was computed from periods."""
    return 4 * math.ulp(t)


def margin(t: float) -> float:
    """Return by how much two times about t may differ and still be one: what rounding does to sums of a thousand."""
    return SAME * abs(t)


def _plain(value: NDArray[np.float64]) -> Value:
    """Return a float of an array without axes, else the array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def as_waveform(value: Any) -> Waveform:
    """Return a function of time as a waveform: one of emfem's as it is, another as a function to be searched."""
    return value if isinstance(value, Waveform) else Function(value, known=False)


def constant(value: ArrayLike) -> Waveform:
    """Return a waveform that never changes.

    Args:
        value: a number, or an array.

    Raises:
        ParameterError: if it is not finite.
    """
    return _Constant(_plain(_finite("value", value)))


def piecewise_linear(times: ArrayLike, values: ArrayLike, *, period: float | None = None) -> Waveform:
    """Return a waveform of straight lines between values; before the first time and after the last it is constant.

    With a period it repeats both ways.

    Args:
        times: increasing, shape (n,).
        values: at these times, shape (n,) or (n, ...).
        period: after which all repeats, at least the span of the times; a line joins the last value and the first.

    Raises:
        ParameterError: for times that do not increase, values of another number or not finite, too short a period.
    """
    return _piecewise(times, values, "lines", period)


def steps(times: ArrayLike, values: ArrayLike, *, period: float | None = None) -> Waveform:
    """Return a waveform that keeps each value until the next time; before the first time it has the first value.

    With a period it repeats both ways.

    Args:
        times: increasing, shape (n,).
        values: from these times on, shape (n,) or (n, ...).
        period: after which all repeats, longer than the span of the times.

    Raises:
        ParameterError: for times that do not increase, values of another number or not finite, too short a period.
    """
    return _piecewise(times, values, "steps", period)


def pulses(
    *,
    period: float,
    duty: float,
    level: ArrayLike,
    base: ArrayLike = 0.0,
    start: float = 0.0,
    count: int | None = None,
) -> Waveform:
    """Return square pulses: `level` for the first part `duty` of each period, `base` for the rest and before `start`.

    Args:
        period: from one pulse to the next, above 0 [time].
        duty: part of the period that a pulse lasts, above 0 and below 1 [-].
        level: value during a pulse, a number or an array.
        base: value between pulses, of the same shape or a number.
        start: time of the first pulse.
        count: how many pulses there are; without end when left out.

    Raises:
        ParameterError: for a value out of its bounds or not finite.
    """
    high, low = np.broadcast_arrays(_finite("level", level), _finite("base", base))
    return _Pulses(
        number("period", period, above=0.0),
        number("duty", duty, above=0.0, below=1.0),
        _plain(high.copy()),
        _plain(low.copy()),
        number("start", start),
        None if count is None else _count(count),
    )


def _count(value: Any) -> int:
    return count("count", value, at_least=1)


def function(of_time: Callable[[float], Any], *, breakpoints: ArrayLike = ()) -> Waveform:
    """Return a function of time that is smooth between its breakpoints.

    The run takes your word for it: it looks for no other jumps, only whether its steps see all of the function.

    Args:
        of_time: a function of the time that returns a number or an array.
        breakpoints: times at which it jumps or bends, increasing, shape (n,); any time when it never does.

    Raises:
        ParameterError: if it is no function, or for breakpoints that do not increase or are not finite.
    """
    kind("of_time", of_time, Callable, "a function of the time")  # type: ignore[arg-type]
    return Function(of_time, tuple(_increasing("breakpoints", breakpoints)))


def table(
    path: os.PathLike[str] | str,
    *,
    between: str = "lines",
    period: float | None = None,
    time: float = 1.0,
    value: float = 1.0,
) -> Waveform:
    """Return the waveform of a text file: a time and a value in each line, apart by white space, comma or semicolon.

    Args:
        path: the file; empty lines, those that begin with #, and one line of headings are passed over.
        between: "lines" from one value to the next, or "steps".
        period: after which all repeats.
        time: what 1 in the column of times is, such as `em.units.hour`.
        value: what 1 in the column of values is, such as `em.units.MPa`.

    Raises:
        ParameterError: if the file cannot be read, or a line of it, named with its number.
        UnknownName: for another `between`.
    """
    choice("between", between, BETWEEN)
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, TypeError, UnicodeDecodeError) as error:
        msg = f"path = {path!r}, must be a text file with times and values: {error}"
        raise ParameterError(msg) from None
    rows: list[tuple[float, float]] = []
    headed = False
    for i, line in enumerate(lines, 1):
        cells = line.split("#")[0].replace(",", " ").replace(";", " ").split()
        if not cells:
            continue
        try:
            first, second = map(float, cells)
        except ValueError:
            if not (rows or headed):
                headed = True
                continue
            msg = f"{path}, line {i}: {line.strip()!r}, must be a time and a value"
            raise ParameterError(msg) from None
        rows.append((first, second))
    if not rows:
        msg = f"{path} has no line with a time and a value, must have at least one"
        raise ParameterError(msg)
    times, values = np.array(rows).T
    return _piecewise(number("time", time, above=0.0) * times, number("value", value) * values, between, period)


def combined(of_values: Callable[..., Any], *parts: Any, smooth: bool = False) -> Waveform:
    """Return a function of the values of several waveforms, with the breakpoints of all of them.

    Args:
        of_values: takes the value of each part.
        parts: waveforms, functions of time, or numbers.
        smooth: whether `of_values` jumps nowhere; otherwise the run searches it, as it does a bare function of time.
    """
    found = tuple(as_waveform(part) if callable(part) else constant(part) for part in parts)
    return _Combined(of_values, found, smooth and all(part.known for part in found))


def _piecewise(times: ArrayLike, values: ArrayLike, between: str, period: float | None) -> Waveform:
    """Return the checked waveform of times and values."""
    at, found = _increasing("times", times), np.atleast_1d(_finite("values", values))
    if len(at) != len(found) or not len(at):
        msg = f"{len(at)} times and {len(found)} values, must be as many of both, at least one"
        raise ParameterError(msg)
    if period is not None:
        span = float(at[-1] - at[0])
        if between == "steps" or not span:
            number("period", period, above=span)
        else:
            number("period", period, at_least=span)
        if between == "lines" and period == span:  # the last value is that of the end, where the first comes back
            if not np.array_equal(found[0], found[-1]):
                msg = f"values end with {found[-1]} after a period of {period:g}, must end as they begin, {found[0]}"
                raise ParameterError(msg)
            at, found = at[:-1], found[:-1]
    return _Piecewise(tuple(map(float, at)), _tuple(found), between, None if period is None else float(period))


def _tuple(values: NDArray[np.float64]) -> tuple[Any, ...]:
    return tuple(float(row) if row.ndim == 0 else _tuple(row) for row in values)


def _finite(name: str, value: Any) -> NDArray[np.float64]:
    found = floats(name, value)
    if not np.isfinite(found).all():
        msg = f"{name} = {found.tolist()}, must be finite"
        raise ParameterError(msg)
    return found


def _increasing(name: str, value: Any) -> list[float]:
    found = _finite(name, value)
    if found.ndim != 1 or np.any(np.diff(found) <= 0):
        msg = f"{name} = {found.tolist()}, must be a list of times that increase"
        raise ParameterError(msg)
    return [float(t) for t in found]
