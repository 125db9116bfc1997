"""Functions that make waveforms of checked values."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from emfem import errors
from emfem.arrays import broadcast
from emfem.errors import PACKAGE, ParameterError, ResolutionWarning, choice, floats, number, shown
from emfem.files import read_text
from emfem.gate import checked
from emfem.waveforms.kinds import Waveform, _Combined, _Constant, _Function, _Piecewise, _Pulses, plain

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

BETWEEN = ("lines", "steps")
RARE = 1e-3  # of a period: a duty below it, and below the period, may be a time


def as_waveform(value: Any) -> Waveform:
    """Return a waveform as it is, another function of time as one to be searched for jumps."""
    return value if isinstance(value, Waveform) else _Function(value, known=False)


@checked
def constant(value: ArrayLike) -> Waveform:
    """Return a waveform that never changes.

    Args:
        value: a number, or an array.

    Raises:
        ParameterError: if it is not finite.
    """
    return _Constant(plain(_finite("value", value)))


@checked
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


@checked
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


@checked
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

    Warns:
        ResolutionWarning: for a duty that is likely to be the time of a pulse.
    """
    high, low = broadcast(level=_finite("level", level), base=_finite("base", base))
    whole, part = number("period", period, above=0.0), number("duty", duty, above=0.0, below=1.0)
    if part < min(whole, RARE):
        message = (
            f"duty = {part:g}, is the part of a period of {whole:g} that a pulse lasts, here {part * whole:.3g}: a "
            f"pulse of a time of {part:g} has duty = {part / whole:.3g}"
        )
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)
    return _Pulses(
        whole,
        part,
        plain(high.copy()),
        plain(low.copy()),
        number("start", start),
        None if count is None else errors.count("count", count, at_least=1),
    )


@checked
def function(of_time: Callable[[float], Any], *, breakpoints: ArrayLike = ()) -> Waveform:
    """Return a function of time that is smooth between its breakpoints.

    The run takes your word for it: it looks for no other jumps, only whether its steps see all of the function.

    Args:
        of_time: a function of the time that returns a number or an array.
        breakpoints: times at which it jumps or bends, increasing, shape (n,); any time when it never does.

    Raises:
        ParameterError: if it is no function, or for breakpoints that do not increase or are not finite.
    """
    return _Function(of_time, tuple(_increasing("breakpoints", breakpoints)))


@checked(collective=MPI.COMM_WORLD)
def table(
    path: os.PathLike[str] | str,
    *,
    between: str = "lines",
    period: float | None = None,
    time: float = 1.0,
    value: float = 1.0,
) -> Waveform:
    """Return the waveform of a text file: a time and a value in each line, apart by white space, comma or semicolon.

    Collective: rank 0 reads, all ranks get the same.

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
    lines = read_text(path).splitlines()
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
    with np.errstate(over="ignore"):  # what overflows is refused as not finite
        scaled = number("time", time, above=0.0) * times, number("value", value) * values
    return _piecewise(*scaled, between, period)


@checked
def combined(of_values: Callable[..., Any], *parts: Any, smooth: bool = False) -> Waveform:
    """Return a function of the values of several waveforms, with the breakpoints of all of them.

    Args:
        of_values: takes the value of each part.
        parts: waveforms, functions of time, or numbers.
        smooth: true if `of_values` jumps nowhere; otherwise the run searches it, as it does a bare function of time.
    """
    waveforms = tuple(as_waveform(part) if callable(part) else constant(part) for part in parts)
    return _Combined(of_values, waveforms, smooth and all(part.known for part in waveforms))


def _piecewise(times: ArrayLike, values: ArrayLike, between: str, period: float | None) -> Waveform:
    """Return the checked waveform of times and values."""
    at, levels = _increasing("times", times), np.atleast_1d(_finite("values", values))
    if len(at) != len(levels) or not len(at):
        msg = f"{len(at)} times and {len(levels)} values, must be as many of both, at least one"
        raise ParameterError(msg)
    if period is not None:
        span = at[-1] - at[0]
        if between == "steps" or not span:
            number("period", period, above=span)
        else:
            number("period", period, at_least=span)
        if between == "lines" and period == span:  # the last value is that of the end, where the first comes back
            if not np.array_equal(levels[0], levels[-1]):
                msg = f"values end with {levels[-1]} after a period of {period:g}, must end as they begin, {levels[0]}"
                raise ParameterError(msg)
            at, levels = at[:-1], levels[:-1]
    return _Piecewise(tuple(at), _tuple(levels), between, None if period is None else float(period))


def _tuple(values: NDArray[np.float64]) -> tuple[Any, ...]:
    return tuple(float(row) if row.ndim == 0 else _tuple(row) for row in values)


def _finite(name: str, value: Any) -> NDArray[np.float64]:
    array = floats(name, value)
    if not np.isfinite(array).all():
        msg = f"{name} = {shown(array.tolist())}, must be finite"
        raise ParameterError(msg)
    return array


def _increasing(name: str, value: Any) -> list[float]:
    times = _finite(name, value)
    if times.ndim != 1 or np.any(np.diff(times) <= 0):
        msg = f"{name} = {shown(times.tolist())}, must be a list of times that increase"
        raise ParameterError(msg)
    return [float(t) for t in times]
