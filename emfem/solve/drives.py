"""Functions of time as time steps see them: one smooth piece after the other, and nothing of them missed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from emfem.errors import ParameterError
from emfem.model import Model
from emfem.waveforms import Function, Waveform, as_waveform, bare_functions, margin

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2**15  # times of a run at which a bare function is looked at
FEW = 2**12  # the same, of a function that returns many numbers
MANY = 16  # numbers; of more, that many weighted sums are looked at
JUMP = 1e-3  # of the range of a function: a smaller jump is left to the steps
SMOOTH = 0.75  # of a change that may remain in the larger half of where it happens, if it is no jump
STEEP = 0.1  # of the range of a function: a larger change from one sample to the next hides what lies between
PIECE = 4.0  # samples in the shortest piece between two jumps; from fewer, other pieces may have none
KINK = 1e-9  # relative: a smaller difference between the sides of a breakpoint is no jump
MOST = 10**6  # breakpoints in a run
GRID = np.linspace(0.0, 1.0, 33)  # of a step: where a function is looked at
NODES = np.array([0.0, 0.73, 0.87, 1.0])  # of a step: about where the stages of the Rosenbrock method are
SEEN = 1e-3  # of the variation of a function, on average over a step: what the cubic through its nodes may lack
COARSE = 0.1  # the same, where the size of the steps is fixed
FAINT = 1e-6  # of the largest value: a variation that does not matter
REMEDY = (
    "give it as a waveform, such as em.waveforms.pulses(...), or with its breakpoints, "
    "em.waveforms.function(f, breakpoints=[...])"
)

Array = NDArray[np.float64]


class Drives:
    """The functions of time of some models, from `start` to `until`.

    Steps end at breakpoints. Within a step a function has the values of one smooth piece: at its end those just before
    a jump. A bare Python function is searched for jumps first; then each step is checked to see all of it.

    Attributes:
        edge: the next breakpoint; infinity if there is none.
    """

    def __init__(self, models: Sequence[Model], start: float, until: float, *, fixed: bool = False) -> None:
        """Search the functions.

        Raises:
            ParameterError: for one that changes too fast to be searched, or has more than a million breakpoints.
        """
        self._waveforms = [(driver.name, as_waveform(driver.of_time)) for model in models for driver in model.drivers]
        self._curved = [_Watched(name, w, start, until, fixed) for name, w in self._waveforms if not w.linear]
        for name, waveform in self._waveforms:
            if waveform.count_breakpoints(start, until, MOST) >= MOST:
                msg = (
                    f"{name} has more than {MOST} jumps between t = {start:g} and until = {until:g}: give an earlier "
                    "until, or what it is on average, waveform.averaged()"
                )
                raise ParameterError(msg)
        self._until = until
        self.restart(start)

    def left(self, t: float) -> float:
        """Return the time from t to the next edge, or to the end."""
        return min(self.edge, self._until) - t

    def _next(self, t: float) -> float:
        """Return the first breakpoint that is after t by more than rounding."""
        after = t + margin(t)
        known = [waveform.next_breakpoint(after) for _, waveform in self._waveforms]
        return min([math.inf, *known, *(watched.next_jump(after) for watched in self._curved)])

    def at_edge(self, t: float) -> bool:
        """Return whether t is the edge, or differs from it only by rounding."""
        return abs(t - self.edge) <= margin(t)

    def pass_edge(self) -> bool:
        """Go on to the next edge; return whether a function jumps at this one."""
        t = self.edge
        self.restart(t)
        sides = [(np.asarray(w(t - margin(t))), np.asarray(w(t))) for _, w in self._waveforms]
        return any(not np.allclose(before, after, rtol=KINK, atol=0.0) for before, after in sides)

    def restart(self, t: float) -> None:
        """Begin a piece at time t."""
        self._first = t + margin(t) if t else t
        self.edge = self._next(t)

    def clock(self, t: float) -> float:
        """Return the time at which functions are evaluated for time t: at breakpoints inside of the present piece."""
        near = margin(self.edge) if self.edge < math.inf else 0.0
        return max(min(t, self.edge - near), self._first)

    def missed(self, t: float, dt: float) -> str | None:
        """Return the name of a function of which a step from t over dt would miss something; None if there is none."""
        return next((watched.name for watched in self._curved if not watched.resolved(t, self.clock(t + dt))), None)


class _Watched:
    """A function of time that may do anything between its breakpoints."""

    def __init__(self, name: str, waveform: Waveform, start: float, until: float, fixed: bool) -> None:
        """Search the bare functions in it."""
        self.name, self.waveform = name, waveform
        self._tolerance = COARSE if fixed else SEEN
        self._jumps: list[float] = []
        self._times, self._values = np.zeros(0), np.zeros((0, 1))
        self._typical = self._largest = 0.0
        for function in bare_functions(waveform):
            self._times, self._values = _sampled(function, start, until)
            self._jumps += _jumps(name, function, self._times, self._values)
        if bare_functions(waveform):
            if not isinstance(waveform, Function):
                self._times, self._values = _sampled(waveform, start, until)
            middle = self._values.mean(axis=0) if len(self._values) else 0.0
            self._typical = float(np.abs(self._values - middle).mean(axis=0).max(initial=0.0))

    def next_jump(self, t: float) -> float:
        """Return the first jump found after t."""
        return min((jump for jump in self._jumps if jump > t), default=math.inf)

    def resolved(self, t: float, end: float) -> bool:
        """Return whether the cubic through four values of a step has all of the function, on average over the step."""
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
        return lacking <= self._tolerance * max(varying, 0.1 * self._typical) + FAINT * self._largest


def _cubic(x: Array) -> Array:
    """Return the weights of the values at `NODES` in the cubic through them, at places x of a step, shape (n, 4)."""
    weights = [np.prod([(x - other) / (node - other) for other in NODES if other != node], axis=0) for node in NODES]
    return np.stack(weights, axis=1)


def _evaluated(waveform: Any, times: Array) -> Array:
    """Return the values at the times until one is not finite, shape (n, components)."""
    with suppress(Exception):  # where one is no number, those before it are found one by one
        found = np.array([waveform(t) for t in times.tolist()], dtype=float).reshape(len(times), -1)
        if np.isfinite(found).all():
            return _few(found)
    rows: list[Array] = []
    for t in times.tolist():
        try:
            row = np.asarray(waveform(t), dtype=float).ravel()
        except Exception:  # of the user's own function: the run meets it, and tells of it, if it comes so far
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


def _sampled(waveform: Any, start: float, until: float) -> tuple[Array, Array]:
    """Return times from start to until, one at an irregular place in each of many equal stretches, and the values."""
    n = SAMPLES if np.size(_evaluated(waveform, np.array([start]))) < MANY else FEW
    k = np.arange(1, n + 1)
    times = start + (until - start) * np.concatenate([[0.0], (k - 1 + (k * (np.sqrt(5) - 1) / 2) % 1.0) / n, [1.0]])
    values = _evaluated(waveform, times)
    return times[: len(values)], values


def _jumps(name: str, function: Function, times: Array, values: Array) -> list[float]:
    """Return the times at which a bare function jumps, found between samples of it.

    Raises:
        ParameterError: if it changes so fast that others may have been missed.
    """
    if len(times) < 3:
        return []
    changes = np.diff(values, axis=0)
    size, span = np.abs(changes).max(axis=1), float(np.ptp(values, axis=0).max())
    spacing = (times[-1] - times[0]) / len(times)
    jumps: list[float] = []
    turns: list[float] = []  # jumps, and changes too steep for the samples
    before = np.int64(-2)
    steep = size > STEEP * span
    for i in np.flatnonzero(size > JUMP * span):
        found = _jump(function, times[i], times[i + 1], values[i], values[i + 1])
        if found is not None:
            jumps.append(found)
            turns.append(found)
        elif steep[i]:
            if not (before == i - 1 and changes[i] @ changes[i - 1] > 0):  # else one rise through several samples
                turns.append(float(times[i]))
            before = i
        shortest = turns[-1] - turns[-2] if len(turns) > 1 else math.inf
        if shortest < PIECE * spacing:
            msg = (
                f"{name} changes back within {shortest:.3g} at t = {turns[-1]:.6g}: too fast to be sure that a run to "
                f"t = {times[-1]:g} sees all of it; {REMEDY}"
            )
            raise ParameterError(msg)
    return jumps


def _jump(function: Function, a: float, b: float, low: Array, high: Array) -> float | None:
    """Return the time just after the jump between a and b; None if the function is continuous there."""
    size = float(np.abs(high - low).max())
    while b - a > 4 * math.ulp(b):
        middle = (a + b) / 2
        found = _evaluated(function, np.array([middle]))
        if not len(found):
            return None
        halves = [float(np.abs(x).max()) for x in (found[0] - low, high - found[0])]
        if max(halves) < SMOOTH * size:
            return None
        size = max(halves)
        if halves[0] >= halves[1]:
            b, high = middle, found[0]
        else:
            a, low = middle, found[0]
    return b
