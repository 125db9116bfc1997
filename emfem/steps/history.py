"""How a row of steps moved, and the march that finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem.errors import ConvergenceError, number

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

if TYPE_CHECKING:
    from emfem.steps.row import Row

MET = 1e-3  # parts of a typical width below which steps have met; far less than an atom for any real surface


@dataclass(frozen=True, eq=False)
class History:
    """Where the steps were.

    Attributes:
        row: at the start.
        t: times, shape (n_t,) [s]; fewer than wished if no step was left before.
        positions: shape (n_t, n) [m]. A step that ended stays where it did.
        alive: whether a step is still one, shape (n_t, n).
        stopped: "reached until", or "no step left".
    """

    row: Row
    t: NDArray[np.float64]
    positions: NDArray[np.float64]
    alive: NDArray[np.bool_]
    stopped: str

    @property
    def widths(self) -> NDArray[np.float64]:
        """Of the terraces from each step to the next, shape (n_t, n) [m]; (n_t, n - 1) in a blocked row."""
        inner = np.diff(self.positions, axis=1)
        if self.row.ends == "blocked":
            return inner
        across = self.positions[:, :1] + self.row.length - self.positions[:, -1:]
        return np.concatenate([inner, across], axis=1)

    @property
    def bunching(self) -> NDArray[np.float64]:
        """Standard deviation of the widths over their mean, shape (n_t,) [-].

        0 for a uniform train; about sqrt(n) once all steps are in one bunch.
        """
        return self.widths.std(axis=1) / self.widths.mean(axis=1)

    @property
    def atoms(self) -> NDArray[np.float64]:
        """That joined the steps since the start, per length of the steps, shape (n_t,) [1/m]."""
        return (self.positions - self.positions[0]) @ self.row.down / self.row.surface.atom_area

    def wave(self, phase: float) -> NDArray[np.complex128]:
        """The amplitude of the wave exp(i phase j) in the positions of the steps j, complex, shape (n_t,) [m].

        For a periodic row, with a phase that is a multiple of 2 pi over the number of steps.

        Raises:
            ParameterError: for a phase that is not finite.
        """
        steps = np.arange(self.positions.shape[1])
        uniform = self.row.length / len(steps) * steps
        basis = np.exp(-1j * number("phase", phase) * steps) / len(steps)
        return np.asarray(np.dot(self.positions - uniform, basis))


def follow(row: Row, until: float, times: NDArray[np.float64], rtol: float) -> History:
    """March to `until`, from one meeting of steps to the next.

    Raises:
        ConvergenceError: if steps that go the same way meet, or the march fails.
    """
    now, x, met = 0.0, row.positions.copy(), MET * row.scales[0]
    alive = np.ones(len(x), dtype=bool)
    kept: list[tuple[float, NDArray[np.float64], NDArray[np.bool_]]] = []
    while alive.any() and now < until:
        part = row.only(alive, x)
        if part.widths().min() <= met * (1 + 1e-6):
            alive = alive.copy()
            alive[np.flatnonzero(alive)[_ended(part, now)]] = False
            continue
        now, reached, seen = _march(part, now, until, times[len(kept) :], met, rtol)
        kept += [(t, _put(x, alive, places), alive) for t, places in seen]
        x = _put(x, alive, reached)
    kept += [(float(t), x, alive) for t in times[len(kept) :]]  # without steps nothing moves
    t, positions, living = zip(*kept, strict=True)
    told = "reached until" if alive.any() else "no step left"
    return History(row, np.array(t), np.array(positions), np.array(living), told)


def _march(
    row: Row, start: float, until: float, times: NDArray[np.float64], met: float, rtol: float
) -> tuple[float, NDArray[np.float64], list[tuple[float, NDArray[np.float64]]]]:
    """The time and the positions at the next meeting or at the end, and those at the times passed.

    Raises:
        ConvergenceError: if the march fails.
    """
    width, time = row.scales

    def apart(_: float, x: NDArray[np.float64]) -> float:
        return float((row.widths(x * width).min() - met) / width)

    apart.terminal, apart.direction = True, -1.0  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):  # steps that cross in a trial give no numbers, and the time step is halved
        found: Any = solve_ivp(
            lambda _, x: row.rates(x[:, None])[:, 0],
            (start / time, until / time),
            row.positions / width,
            method="Radau",
            jac=lambda _, x: row.slopes(x),
            dense_output=True,
            events=apart,
            rtol=rtol,
            atol=rtol,
        )
    reached = float(found.t[-1] * time) if found.status else until
    if found.status < 0:
        _stop(row, reached, "the time step became too small")
    seen = [(float(t), found.sol(min(t / time, found.t[-1])) * width) for t in times[times <= reached]]
    return reached, found.y[:, -1] * width, seen


def _put(x: NDArray[np.float64], alive: NDArray[np.bool_], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """All positions, with the living ones at `places`."""
    moved = x.copy()
    moved[alive] = places
    return moved


def _ended(row: Row, now: float) -> list[int]:
    """Which steps ended: two that go opposite ways and met, or one at a wall.

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


def _stop(row: Row, now: float, why: str) -> None:
    """Say that the steps cannot go on.

    Raises:
        ConvergenceError: always.
    """
    msg = f"the row of {len(row.positions)} steps stopped at t = {now:g} s: {why}"
    raise ConvergenceError(msg, t=now, dt=float("nan"), reason=why)
