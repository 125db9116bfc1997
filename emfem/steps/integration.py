"""Time integration of a row of steps, from one meeting of steps to the next."""

from __future__ import annotations

from typing import Any

from emfem.errors import ConvergenceError
from emfem.steps.equations import Equations, only, rates, slopes

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

MOST_STEPS = 200_000  # from one meeting to the next; runs take hundreds
MET = 1e-3  # parts of a typical width below which steps have met; far less than an atom for any real surface
type Array = NDArray[np.float64]
type Records = list[tuple[float, Array, NDArray[np.bool_]]]


def integrate(row: Equations, until: float, times: Array, rtol: float) -> tuple[Records, bool]:
    """Return time, positions and the steps that are left at each of `times`, and True if any is left at the end.

    Raises:
        ConvergenceError: if steps that go the same way meet, or the integration fails.
    """
    now, x, met = 0.0, row.positions.copy(), MET * row.scales[0]
    alive = np.ones(len(x), dtype=bool)
    records: Records = []
    while alive.any() and now < until:
        part = only(row, alive, x)
        if part.widths().min() <= met * (1 + 1e-6):
            alive = alive.copy()
            alive[np.flatnonzero(alive)[_ended(part, now)]] = False
            continue
        now, reached, seen = _to_next_meeting(part, now, until, times[len(records) :], met, rtol)
        records += [(t, _with_moved(x, alive, positions), alive) for t, positions in seen]
        x = _with_moved(x, alive, reached)
    records += [(float(t), x, alive) for t in times[len(records) :]]  # without steps nothing moves
    return records, bool(alive.any())


def _to_next_meeting(
    row: Equations, start: float, until: float, times: Array, met: float, rtol: float
) -> tuple[float, Array, list[tuple[float, Array]]]:
    """Return time and positions at the next meeting or at the end, and those at the `times` before.

    Raises:
        ConvergenceError: if the integration fails.
    """
    width, time = row.scales

    calls = 0

    def apart(t: float, x: Array) -> float:
        nonlocal calls
        calls += 1
        if calls > MOST_STEPS:
            _stop(row, t * time, f"it took {MOST_STEPS} time steps; a larger rtol takes fewer")
        return float((row.widths(x * width).min() - met) / width)

    apart.terminal, apart.direction = True, -1.0  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):  # steps that cross in a trial give no numbers, and the time step is halved
        solution: Any = solve_ivp(
            lambda _, x: rates(row, x[:, None])[:, 0],
            (start / time, until / time),
            row.positions / width,
            method="Radau",
            jac=lambda _, x: slopes(row, x),
            dense_output=True,
            events=apart,
            rtol=rtol,
            atol=rtol,
        )
    reached = float(solution.t[-1] * time) if solution.status else until
    if solution.status < 0:
        _stop(row, reached, "the time step became too small")
    seen = [(float(t), solution.sol(min(t / time, solution.t[-1])) * width) for t in times[times <= reached]]
    return reached, solution.y[:, -1] * width, seen


def _with_moved(x: Array, alive: NDArray[np.bool_], moved: Array) -> Array:
    """Return all positions, with those of the living steps replaced."""
    result = x.copy()
    result[alive] = moved
    return result


def _ended(row: Equations, now: float) -> list[int]:
    """Return the steps that ended: two that go opposite ways and met, or one at a wall.

    Raises:
        ConvergenceError: if they go the same way.
    """
    n = len(row.positions)
    gap = int(np.argmin(row.widths()))
    if row.ends == "blocked" and gap in (0, n):
        return [min(gap, n - 1)]
    pair = [(gap - 1) % n, gap % n]
    if row.down[pair[0]] == row.down[pair[1]]:
        place = row.positions[pair[0]]
        _stop(row, now, f"two steps that go the same way met at x = {place:g} m; a larger repulsion keeps them apart")
    return pair


def _stop(row: Equations, now: float, why: str) -> None:
    """Report that the steps cannot go on.

    Raises:
        ConvergenceError: always.
    """
    msg = f"the row of {len(row.positions)} steps stopped at t = {now:g} s: {why}"
    raise ConvergenceError(msg, t=now, dt=float("nan"), reason=why)
