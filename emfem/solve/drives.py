"""Functions of time as time steps see them: one smooth piece after the other, none of them missed."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from emfem.errors import ParameterError
from emfem.model import Model
from emfem.waveforms import Waveform, as_waveform, margin

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2**13  # times of a window at which a bare function is looked at
FEW = 2**10  # the same, of a function that returns many numbers
MANY = 16  # numbers; of more, that many weighted sums are looked at
AGAIN = 2**20  # times at which windows may be looked at again
DENSER = 8  # times: windows searched so much less densely than a later one needs are searched again
JUMP = 1e-3  # of the range of a function: a smaller jump is left to the steps
SMOOTH = 0.75  # of a change that may remain in the larger half of where it happens, if it is no jump
STEEP = 0.1  # of the range of a function: a larger change from one sample to the next may hide more between them
NEAR = 4  # samples: steep changes in one direction that are not further apart are one
PIECE = 4.0  # samples in the shortest piece between two turns; from fewer, other pieces may have none
SHORTEST = 1e-9  # window, as a part of the time since the start
BEFORE = 16  # last digits of a time: so far before a jump a function is on the side before it
KINK = 1e-9  # relative: a smaller difference between the sides of a breakpoint is no jump
MOST = 10**6  # breakpoints in a run
GRID = np.linspace(0.0, 1.0, 33)  # of a step: where a function is looked at
NODES = np.array([0.0, 0.73, 0.87, 1.0])  # of a step: about where the stages of the Rosenbrock method are
SEEN = 1e-3  # of the variation of a function, on average over a step: the largest error of the cubic through its nodes
COARSE = 0.1  # the same, where the size of the steps is fixed
FAINT = 1e-6  # of the largest value, or of the integral of all variation: negligible in a step
REMEDY = (
    "give it as a waveform, such as em.waveforms.pulses(...), or with its breakpoints, "
    "em.waveforms.function(f, breakpoints=[...]), without any if it is smooth"
)

SAVED = (  # of a search, in a checkpoint
    *("_searched", "_length", "_jumps", "_windows", "_times", "_values", "_passed", "_low", "_high"),
    *("_varied", "_largest", "_start"),
)

Array = NDArray[np.float64]


class Drives:
    """Functions of time of some models, from `start` to `until`.

    Steps end at breakpoints. Within a step a function has the values of one smooth piece: at its end those just before
    a jump. A bare Python function is searched for jumps ahead of the steps; then each step is checked to see all of it.

    Attributes:
        edge: the next breakpoint known; infinity if there is none.
    """

    def __init__(self, models: Sequence[Model], start: float, until: float, *, fixed: bool = False) -> None:
        """Take the functions.

        Raises:
            ParameterError: for one with more than a million breakpoints.
        """
        drivers = {id(driver.constant): driver for model in models for driver in model.drivers}  # each once
        self._waveforms = [(driver.name, as_waveform(driver.of_time)) for driver in drivers.values()]
        self._curved = [_SearchedFunction(name, w, start, until, fixed) for name, w in self._waveforms if not w.linear]
        for name, waveform in self._waveforms:
            if waveform.count_breakpoints(start, until, MOST) >= MOST:
                msg = (
                    f"{name} has more than {MOST} jumps between t = {start:g} and until = {until:g}: give an earlier "
                    "until, or what it is on average, waveform.averaged()"
                )
                raise ParameterError(msg)
        self._until = until
        self.restart(start)

    def look_ahead(self, now: float, t: float) -> None:
        """Search bare functions from now up to t.

        Raises:
            ParameterError: for a function that changes too fast to be searched.
        """
        searched = [function.search(now, t) for function in self._curved]
        if any(searched):
            self.edge = self._next(self._began)

    def left(self, t: float) -> float:
        """Return the time from t to the next edge, or to the end."""
        return min(self.edge, self._until) - t

    def _next(self, t: float) -> float:
        """Return the first breakpoint that is after t by more than rounding."""
        after = t + margin(t)
        known = [waveform.next_breakpoint(after) for _, waveform in self._waveforms]
        return min([math.inf, *known, *(function.next_jump(after) for function in self._curved)])

    def at_edge(self, t: float) -> bool:
        """Return whether t is the edge, or differs from it only by rounding."""
        return abs(t - self.edge) <= margin(t)

    def pass_edge(self) -> bool:
        """Go on to the next edge; return whether a function jumps at this one.

        Raises:
            ParameterError: for a piece so short that rounding hides it.
        """
        t = self.edge
        for name, waveform in self._waveforms:
            first, second = waveform.closest(t - margin(t))
            if second <= t + margin(t):
                msg = f"{name} changes at t = {first:.17g} and at {second:.17g}, must not within 1e-12 of the time"
                raise ParameterError(msg)
        self.restart(t)
        return self.jumps(t)

    def jumps(self, t: float) -> bool:
        """Return whether a function jumps at a breakpoint t, and does not only bend."""
        if not math.isfinite(t):
            return False
        sides = [(np.asarray(w(t - margin(t))), np.asarray(w(t + margin(t)))) for _, w in self._waveforms]
        return any(not np.allclose(before, after, rtol=KINK, atol=0.0) for before, after in sides)

    def restart(self, t: float) -> None:
        """Begin a piece at time t."""
        self._began = t
        self.edge = self._next(t)

    def state(self) -> dict[str, Any]:
        """Return what is known of the functions so far."""
        return {"until": self._until, "began": self._began, "searched": [function.state() for function in self._curved]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; the time to reach may be another one."""
        for function, known in zip(self._curved, state["searched"], strict=True):
            function.restore(known, state["until"])
        self.restart(state["began"])

    def clock(self, t: float) -> float:
        """Return the time at which functions are evaluated for time t: at breakpoints inside of the present piece."""
        first = self._began + margin(self._began)
        last = self.edge - BEFORE * math.ulp(self.edge) if self.edge < math.inf else math.inf
        return max(min(t, last), first)

    def missed(self, t: float, dt: float) -> str | None:
        """Return the name of a function that a step from t over dt does not resolve; None if there is none."""
        start, end = self.clock(t), self.clock(t + dt)
        return next((function.name for function in self._curved if not function.resolved(start, end)), None)


class _SearchedFunction:
    """Function of time that may do anything between its breakpoints.

    A bare one is searched in windows: samples in each, one at an irregular place of each of many equal stretches, and
    every jump between two samples located to the last digit. Where it changes back within a few samples others may be
    missed: the window is made shorter. If windows before were searched less densely than that, they are searched again.
    """

    def __init__(self, name: str, waveform: Waveform, start: float, until: float, fixed: bool) -> None:
        """Search nothing yet."""
        self.name, self.waveform = name, waveform
        self._tolerance = COARSE if fixed else SEEN
        self._start, self._until = start, until
        self._searched = start if not waveform.known else math.inf
        self._length = 0.0  # of the last window
        self._jumps: list[float] = []
        self._windows: list[tuple[float, float, float]] = []  # begin, end, spacing of samples
        self._times, self._values = np.zeros(0), np.zeros((0, 1))  # samples for the steps at most
        self._passed = start
        self._low, self._high = np.inf, -np.inf  # of all samples
        self._varied = self._largest = 0.0  # integral of |value - mean| so far; largest |value|

    def state(self) -> dict[str, Any]:
        """Return what the search has found."""
        return {name: getattr(self, name) for name in SAVED}

    def restore(self, state: Mapping[str, Any], until: float) -> None:
        """Take back what a search up to `until` had found."""
        for name in SAVED:
            setattr(self, name, state[name])
        self._windows = [(begin, end, spacing) for begin, end, spacing in state["_windows"]]
        if not self.waveform.known and self._searched == math.inf and until < self._until:
            self._searched = until

    def next_jump(self, t: float) -> float:
        """Return the first jump after t."""
        later = bisect_right(self._jumps, t)
        return self._jumps[later] if later < len(self._jumps) else math.inf

    def search(self, now: float, t: float) -> bool:
        """Search up to t, and on, in windows that double; return whether there was anything to search.

        Raises:
            ParameterError: if no window is short enough, or jumps like those in it may have been missed before.
        """
        if t <= self._searched:
            return False
        recent = self._times >= self._passed  # a step may be repeated from where the last one began
        self._times, self._values, self._passed = self._times[recent], self._values[recent], now
        while self._searched < t:
            self._search_window(t)
        return True

    def _search_window(self, t: float) -> None:
        """Search the next window: up to t at first, later twice as long as the last one."""
        begin = self._searched
        length = min(self._until - begin, 2 * self._length or t - begin)
        shortest, shrunk = SHORTEST * max(length, begin - self._start), False
        while True:
            times, values = _sampled(self.waveform, begin, begin + length)
            jumps, unsure = self._turns(times, values)
            if unsure is None:
                break
            length, shrunk = length / 4, True
            if length < shortest or begin + length <= begin + margin(begin):
                msg = f"{self.name} changes too fast at t = {unsure:.6g} to be followed; {REMEDY}"
                raise ParameterError(msg)
        spacing = length / max(len(times), 1)
        if shrunk:
            self._search_again(spacing)
        self._windows.append((begin, begin + length, spacing))
        self._jumps += jumps
        new = values
        if len(values) and values.shape[1] == self._values.shape[1]:
            times, values = np.concatenate([self._times, times]), np.concatenate([self._values, values])
        self._times, self._values, self._length = times, values, length
        if len(new):
            self._varied += float(np.abs(new - new.mean(axis=0)).mean(axis=0).max(initial=0.0)) * length
        stopped = len(times) < 3  # it is no number there: the run says so, if it comes so far
        is_last = stopped or begin + length >= self._until * (1 - 1e-15)
        self._searched = math.inf if is_last else begin + length

    def _turns(self, times: Array, values: Array) -> tuple[list[float], float | None]:
        """Return the jumps between samples, and a time at which others may be missed, or None."""
        if len(times) < 3:
            return [], None
        self._low, self._high = min(self._low, float(values.min())), max(self._high, float(values.max()))
        changes, span = np.diff(values, axis=0), self._high - self._low
        size, spacing = np.abs(changes).max(axis=1), (times[-1] - times[0]) / len(times)
        steep = size > STEEP * span
        jumps: list[float] = []
        turns: list[float] = []  # jumps, and changes too steep for the samples
        before = np.int64(-NEAR)
        for i in np.flatnonzero(size > JUMP * span):
            jump = _jump(self.waveform, times[i], times[i + 1], values[i], values[i + 1])
            if jump is not None:
                jumps.append(jump)
                turns.append(jump)
            elif steep[i]:
                if i - before > NEAR or not (changes[before:i] @ changes[i] > 0).all():  # else one rise through several
                    turns.append(float(times[i]))
                before = i
            if len(turns) > 1 and turns[-1] - turns[-2] < PIECE * spacing:
                return jumps, turns[-1]
        return jumps, None

    def _search_again(self, spacing: float) -> None:
        """Search windows before that were searched less densely than with `spacing`.

        Raises:
            ParameterError: if a jump is found that was missed, or there are too many places to look at.
        """
        coarse = [(a, b, s) for a, b, s in self._windows if s > DENSER * spacing]
        missed = None if sum(b - a for a, b, _ in coarse) <= AGAIN * spacing else math.nan
        for a, b, s in coarse if missed is None else ():
            parts = np.linspace(a, b, 1 + math.ceil(s / spacing))
            for first, last in pairwise(parts):
                jumps, unsure = self._turns(*_sampled(self.waveform, first, last))
                new = [j for j in jumps if not any(abs(j - known) <= margin(j) for known in self._jumps)]
                missed = unsure if unsure is not None else new[0] if new else missed
        if missed is not None:
            where = "" if math.isnan(missed) else f", and did at t = {missed:.6g}"
            msg = f"{self.name} changes faster than could be seen before t = {self._searched:.6g}{where}; {REMEDY}"
            raise ParameterError(msg)

    def resolved(self, t: float, end: float) -> bool:
        """Return True if the cubic through four values of a step follows the function, on average over the step."""
        if end <= t:
            return True  # shorter than rounding
        first, last = np.searchsorted(self._times, (t, end))
        if last - first > len(GRID):
            times, values = self._times[first:last], self._values[first:last]
        else:
            times = t + (end - t) * GRID
            values = _evaluated(self.waveform, times)
        nodes = t + (end - t) * NODES
        known = _evaluated(self.waveform, nodes)
        if len(values) < len(times) or len(known) < len(nodes):
            return True  # it is no number there: the step says so
        cubic = _cubic((times - t) / (end - t)) @ known
        self._largest = max(self._largest, float(np.abs(values).max()))
        lacking, varying = (
            float(np.abs(off).mean(axis=0).max()) for off in (values - cubic, values - values.mean(axis=0))
        )
        typical = self._varied / (end - self._start) if end > self._start else 0.0
        faint = FAINT * (self._largest + self._varied / (end - t))
        return lacking <= self._tolerance * max(varying, 0.1 * typical) + faint


def _cubic(x: Array) -> Array:
    """Return the weights of the values at `NODES` in the cubic through them, at places x of a step, shape (n, 4)."""
    weights = [np.prod([(x - other) / (node - other) for other in NODES if other != node], axis=0) for node in NODES]
    return np.stack(weights, axis=1)


def _evaluated(waveform: Waveform, times: Array) -> Array:
    """Return the values at the times until one is not finite, shape (n, components)."""
    with suppress(Exception):  # where one is no number, those before it are evaluated one by one
        values = np.array([waveform(t) for t in times.tolist()], dtype=float).reshape(len(times), -1)
        if np.isfinite(values).all():
            return _few(values)
    rows: list[Array] = []
    for t in times.tolist():
        try:
            row = np.asarray(waveform(t), dtype=float).ravel()
        except Exception:  # of the user's own function: the run reports it if it gets there
            break
        if not np.isfinite(row).all() or (rows and row.shape != rows[0].shape):
            break
        rows.append(row)
    return _few(np.array(rows)) if rows else np.zeros((0, 1))


def _few(values: Array) -> Array:
    """Return some weighted sums of many components, few components as they are."""
    if values.shape[1] <= MANY:
        return values
    return values @ np.random.default_rng(0).standard_normal((values.shape[1], MANY))


def _sampled(waveform: Waveform, begin: float, end: float) -> tuple[Array, Array]:
    """Return times from begin to end, one at an irregular place in each of many equal stretches, and the values."""
    n = SAMPLES if np.size(_evaluated(waveform, np.array([begin]))) < MANY else FEW
    k = np.arange(1, n + 1)
    times = begin + (end - begin) * np.concatenate([[0.0], (k - 1 + (k * (np.sqrt(5) - 1) / 2) % 1.0) / n, [1.0]])
    values = _evaluated(waveform, times)
    return times[: len(values)], values


def _jump(waveform: Waveform, a: float, b: float, low: Array, high: Array) -> float | None:
    """Return the time just after the jump between a and b; None if the function is continuous there."""
    size = float(np.abs(high - low).max())
    while b - a > 4 * math.ulp(b):
        middle = (a + b) / 2
        values = _evaluated(waveform, np.array([middle]))
        if not len(values):
            return None
        halves = [float(np.abs(x).max()) for x in (values[0] - low, high - values[0])]
        if max(halves) < SMOOTH * size:
            return None
        size = max(halves)
        if halves[0] >= halves[1]:
            b, high = middle, values[0]
        else:
            a, low = middle, values[0]
    return float(b)
