"""A row of steps: velocities, runs and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem.arrays import MOST, finite
from emfem.errors import ParameterError, choice, count, floats, number, require, shown
from emfem.gate import checked
from emfem.steps.equations import Equations, fluxes_at_ends, rates, slopes
from emfem.steps.integration import integrate
from emfem.steps.surface import Surface

import numpy as np
from numpy.typing import ArrayLike, NDArray

ENDS = ("periodic", "blocked")
LONGEST = 1e100  # of a run, over the time that fills a terrace; nothing overflows until then


@dataclass(frozen=True, eq=False)
class Row(Equations):
    """Steps between two ends; made by `model`.

    Attributes:
        surface: the constants.
        positions: of the steps, ascending, shape (n,) [m].
        down: 1 for each step that goes down along +x, -1 for one that goes up, shape (n,).
        length: of the period, or from wall to wall [m].
        ends: "periodic" or "blocked".
    """

    @checked
    def velocities(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return velocities of the steps, shape (n,) [m/s]: the area Omega for each atom that joins.

        They are not numbers where steps crossed.
        v = s Omega [J(right end of the terrace on the left) - J(left end of the terrace on the right)], s = `down`.
        """
        width, time = self.scales
        return rates(self, (self.checked_positions(positions) / width)[:, None])[:, 0] * width / time

    @checked
    def jacobian(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the derivatives of the velocities by the positions, to rounding, shape (n, n) [1/s]."""
        width, time = self.scales
        x, size = self.checked_positions(positions) / width, len(self.positions) ** 2
        require(size <= MOST, f"the Jacobian has {size} entries, must be at most {MOST}: {len(x)} steps are too many")
        return slopes(self, x).toarray() / time

    def balance(self) -> NDArray[np.float64]:
        """Return the adatoms that each terrace loses to its steps, shape as `widths` [1/(m s)].

        Deposition less evaporation; 0, to rounding, without them.
        """
        width, _ = self.scales
        left, right = fluxes_at_ends(self, (self.positions / width)[:, None])
        return (right - left)[:, 0] * self.surface.diffusivity * self.surface.adatom_density / width

    @checked
    def height(self, x: ArrayLike, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the height of the surface in atomic layers, 0 at its left end, shape of x [-]."""
        passed = floats("x", x)[..., None] > self.checked_positions(positions)
        return -(self.down * passed).sum(axis=-1)

    @checked
    def run(self, until: float, *, times: ArrayLike | None = None, rtol: float = 1e-8) -> History:
        """Move the steps, by an implicit Runge-Kutta method with the exact Jacobian.

        Where two steps of opposite directions meet, a layer is complete or gone, and so it is where a step meets a
        wall: these steps end there and the rest goes on. Steps of one direction may not meet.

        Args:
            until: the time to reach, above 0 [s].
            times: at which positions are recorded, ascending in [0, until] [s]; 201 of them when left out.
            rtol: error allowed per time step, in parts of a typical width, in [1e-12, 1e-2] [-].

        Raises:
            ParameterError: for a value out of its bounds.
            ConvergenceError: if steps of one direction meet, which a repulsion prevents.
        """
        until = number("until", until, above=0.0, at_most=LONGEST * self.scales[1], unit="s")
        rtol = number("rtol", rtol, at_least=1e-12, at_most=1e-2)
        t = np.linspace(0.0, until, 201) if times is None else floats("times", times)
        valid = t.ndim == 1 and t.size > 0 and np.isfinite(t).all() and (np.diff(t) > 0).all()
        if not valid or t[0] < 0.0 or t[-1] > until:
            msg = f"times = {shown(t.tolist())}, must be finite, ascending and in [0, {until:g}] s"
            raise ParameterError(msg)
        recorded = t.size * len(self.positions)
        require(recorded <= MOST, f"{t.size} times of {len(self.positions)} positions, must be at most {MOST} numbers")
        records, some_left = integrate(self, until, t, rtol)
        at, positions, alive = (np.array(column) for column in zip(*records, strict=True))
        return History(self, at, positions, alive, "reached until" if some_left else "no step left")

    @checked
    def having(self, *, surface: Surface | None = None, positions: ArrayLike | None = None) -> Row:
        """Return the same row on another surface, as under a reversed current, or with its steps elsewhere.

        Raises:
            ParameterError: as `model`.
        """
        x = self.positions if positions is None else positions
        return model(surface or self.surface, x, length=self.length, ends=self.ends, down=self.down)


@dataclass(frozen=True, eq=False)
class History:
    """Positions of the steps in time.

    Attributes:
        row: at the start.
        t: times, shape (n_t,) [s]; all `times` of the run.
        positions: shape (n_t, n) [m]. A step that ended stays where it did.
        alive: True for each step that has not ended, shape (n_t, n).
        stopped: "reached until", or "no step left".
    """

    row: Row
    t: NDArray[np.float64]
    positions: NDArray[np.float64]
    alive: NDArray[np.bool_]
    stopped: str

    @property
    def widths(self) -> NDArray[np.float64]:
        """Widths of the terraces from each step to the next, shape (n_t, n) [m]; (n_t, n - 1) in a blocked row."""
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
        """Atoms that joined the steps since the start, per length of the steps, shape (n_t,) [1/m]."""
        return (self.positions - self.positions[0]) @ self.row.down / self.row.surface.atom_area

    @checked
    def wave(self, phase: float) -> NDArray[np.complex128]:
        """Return the amplitude of the wave exp(i phase j) in the positions of the steps j, complex, shape (n_t,) [m].

        For a periodic row, with a phase that is a multiple of 2 pi over the number of steps.

        Raises:
            ParameterError: for a phase that is not finite.
        """
        steps = np.arange(self.positions.shape[1])
        uniform = self.row.length / len(steps) * steps
        basis = np.exp(-1j * number("phase", phase) * steps) / len(steps)
        return np.asarray(np.dot(self.positions - uniform, basis))


@checked
def model(
    surface: Surface,
    positions: ArrayLike,
    *,
    length: float,
    ends: str = "periodic",
    down: int | Sequence[int] | NDArray[np.float64] = 1,
) -> Row:
    """Make a row of steps, ready to run.

    Adatoms are quasi-static: atoms that leave one step arrive at others at once, and those on the way are not
    counted; they are n0 Omega of those in the steps. Atoms do not hop across a step without joining it.

    Args:
        surface: the constants.
        positions: of the steps, ascending, shape (n,) [m]; in a periodic row the last less than `length` above the
            first, in a blocked one all inside (0, length).
        length: of the period, or from wall to wall, above 0 [m].
        ends: "periodic", an endless staircase (or hills, if half of the steps go up), or "blocked", walls
            that no adatom passes at 0 and at `length`.
        down: 1 if the steps go down along +x, -1 if up; for each step or for all.

    Raises:
        ParameterError: for steps out of order or out of the row, directions that are not 1 or -1, blocked ends with an
            attachment of 0 (the adatoms of an end terrace could go nowhere).
        UnknownName: for other ends.
    """
    length = number("length", length, above=0.0, unit="m")
    choice("ends", ends, ENDS)
    x = _positions(positions, length, ends)
    sign = np.broadcast_to(floats("down", down), x.shape) if np.ndim(down) == 0 else floats("down", down)
    if sign.shape != x.shape or not np.isin(sign, (-1.0, 1.0)).all():
        msg = f"down = {shown(sign.tolist())}, must be 1 or -1 for each of {len(x)} steps"
        raise ParameterError(msg)
    if 0.0 in (surface.attachment_lower, surface.attachment_upper) and (ends == "blocked" or np.ptp(sign) > 0):
        msg = "attachment = 0 m/s of one side, must be greater than 0 m/s where a terrace has only such sides or walls"
        raise ParameterError(msg)
    x, sign = x.copy(), sign.copy()
    for values in (x, sign):
        values.setflags(write=False)
    row = Row(surface, x, sign, length, ends)
    finite(row.velocities)()
    return row


@checked
def train(steps: int, width: float, *, noise: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """Return positions of equidistant steps in the middles of their parts of a row of length steps times width [m].

    Args:
        steps: number of steps, at least 1.
        width: of each terrace, above 0 [m].
        noise: steps are moved by up to this part of the width, in [0, 0.5) [-].
        seed: of the noise.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    n = count("steps", steps, at_least=1)
    number("steps", n, at_most=MOST)
    width = number("width", width, above=0.0, at_most=1e300, unit="m")
    noise = abs(number("noise", noise, at_least=0.0, below=0.5))  # -0.0 would be no range to draw from
    moved = np.random.default_rng(count("seed", seed, at_least=0)).uniform(-noise, noise, n)
    return (np.arange(n) + 0.5 + moved) * width


def _positions(positions: Any, length: float, ends: str) -> NDArray[np.float64]:
    """Return positions that make a row.

    Raises:
        ParameterError: if they do not.
    """
    x = floats("positions", positions)
    if x.ndim != 1 or x.size == 0 or not np.isfinite(x).all():
        msg = f"positions = {shown(x.tolist())}, must be finite numbers of shape (steps,)"
        raise ParameterError(msg)
    if (np.diff(x) <= 0.0).any():
        first = int(np.argmax(np.diff(x) <= 0.0))
        msg = f"positions {x[first]:g} and {x[first + 1]:g} m, must be ascending: steps do not cross"
        raise ParameterError(msg)
    if ends == "periodic" and x[-1] - x[0] >= length:
        msg = f"positions from {x[0]:g} to {x[-1]:g} m, must be less than the period of {length:g} m apart"
        raise ParameterError(msg)
    if ends == "blocked" and (x[0] <= 0.0 or x[-1] >= length):
        msg = f"positions from {x[0]:g} to {x[-1]:g} m, must be between the walls at 0 and {length:g} m"
        raise ParameterError(msg)
    return x
