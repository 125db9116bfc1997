"""A row of steps: where they are, which way they go, and how fast they move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import ParameterError, choice, count, floats, number
from emfem.steps.history import History, follow
from emfem.steps.surface import Surface, checked
from emfem.steps.terrace import WALL, Ends, fluxes, scaled

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_matrix

ENDS = ("periodic", "blocked")
REACH = 2  # a step feels the neighbours of its neighbours: their repulsion sets the density that these keep
TINY = 1e-30  # of the complex step


@dataclass(frozen=True, eq=False)
class Row:
    """Steps between two ends; made by `model`.

    Attributes:
        surface: the constants.
        positions: of the steps, ascending, shape (n,) [m].
        down: 1 for each step that goes down along +x, -1 for one that goes up, shape (n,).
        length: of the period, or from wall to wall [m].
        ends: "periodic" or "blocked".
    """

    surface: Surface
    positions: NDArray[np.float64]
    down: NDArray[np.float64]
    length: float
    ends: str

    @property
    def scales(self) -> tuple[float, float]:
        """A typical width [m], and the time D n0 Omega takes to fill it [s]."""
        width = self.length / len(self.positions)
        s = self.surface
        return width, width**2 / (s.diffusivity * s.adatom_density * s.atom_area)

    def widths(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Of the terrace on the left of each step, and on the right of the last one, shape (n + 1,) [m].

        In a periodic row the last is the first once more.
        """
        return np.diff(self._with_ends(self._at(positions), self.length))

    def velocities(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Of the steps, shape (n,) [m/s]: the area Omega for each atom that joins; not numbers where steps crossed.

        v = s Omega [J(right end of the terrace on the left) - J(left end of the terrace on the right)], s = `down`.
        """
        width, time = self.scales
        return self.rates((self._at(positions) / width)[:, None])[:, 0] * width / time

    def jacobian(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """How the velocities change with the positions, to rounding, shape (n, n) [1/s]."""
        width, time = self.scales
        return self.slopes(self._at(positions) / width).toarray() / time

    def balance(self) -> NDArray[np.float64]:
        """Of the adatoms of each terrace: what leaves it to its steps, shape as `widths` [1/(m s)].

        Deposition less evaporation; nothing, to rounding, without them.
        """
        width, _ = self.scales
        left, right = self._ends_of_terraces((self.positions / width)[:, None])
        return (right - left)[:, 0] * self.surface.diffusivity * self.surface.adatom_density / width

    def height(self, x: ArrayLike, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Of the surface in atomic layers, 0 at its left end, shape of x [-]."""
        passed = floats("x", x)[..., None] > self._at(positions)
        return -(self.down * passed).sum(axis=-1)

    def run(self, until: float, *, times: ArrayLike | None = None, rtol: float = 1e-8) -> History:
        """Let the steps move, by an implicit Runge-Kutta method with the exact Jacobian.

        Where two steps of opposite directions meet, a layer is complete or gone, and so it is where a step meets a
        wall: these steps end there and the rest goes on. Steps of one direction may not meet.

        Args:
            until: the time to reach, above 0 [s].
            times: at which the positions are kept, ascending in [0, until] [s]; 201 of them when left out.
            rtol: error allowed per time step, in parts of a typical width, in [1e-12, 1e-2] [-].

        Raises:
            ParameterError: for a value out of its bounds.
            ConvergenceError: if steps of one direction meet, which a repulsion prevents.
        """
        until = number("until", until, above=0.0, unit="s")
        rtol = number("rtol", rtol, at_least=1e-12, at_most=1e-2)
        kept = np.linspace(0.0, until, 201) if times is None else floats("times", times)
        fit = kept.ndim == 1 and kept.size > 0 and np.isfinite(kept).all() and (np.diff(kept) > 0).all()
        if not fit or kept[0] < 0.0 or kept[-1] > until:
            msg = f"times = {kept.tolist()}, must be finite, ascending and in [0, {until:g}] s"
            raise ParameterError(msg)
        return follow(self, until, kept, rtol)

    def having(self, *, surface: Surface | None = None, positions: ArrayLike | None = None) -> Row:
        """The same row on another surface, as under a reversed current, or with its steps elsewhere.

        Raises:
            ParameterError: as `model`.
        """
        x = self.positions if positions is None else positions
        return model(surface or self.surface, x, length=self.length, ends=self.ends, down=self.down)

    def only(self, kept: NDArray[np.bool_], positions: NDArray[np.float64]) -> Row:
        """The row with the steps `kept` alone."""
        return replace(self, positions=positions[kept], down=self.down[kept])

    def rates(self, x: Any) -> Any:
        """Velocities in units of `scales` at positions of shape (n, m), real or complex."""
        if np.min(np.diff(self._with_ends(x.real, self._scaled_length), axis=0)) <= 0.0:
            return np.full_like(x, np.nan)
        left, right = self._ends_of_terraces(x)
        return self.down[:, None] * (right[:-1] - left[1:])

    def slopes(self, x: NDArray[np.float64]) -> csc_matrix:
        """The Jacobian of `rates` at x of shape (n,), by a complex step for all steps that do not feel each other."""
        n = len(x)
        near = 2 * REACH + 1
        colour = np.arange(n) % near
        colour[n - n % near :] += near  # the last ones feel the first ones across the period
        step = 1j * TINY * (np.arange(colour.max() + 1) == colour[:, None])
        change = self.rates(x[:, None] + step).imag / TINY
        row = np.repeat(np.arange(n), near).reshape(n, near) + np.arange(-REACH, REACH + 1)
        inside = np.ones_like(row, dtype=bool) if self.ends == "periodic" else (row >= 0) & (row < n)
        pairs = np.unique(np.stack([np.repeat(np.arange(n), near)[inside.ravel()], row[inside] % n]), axis=1)
        return csc_matrix((change[pairs[0], colour[pairs[1]]], (pairs[0], pairs[1])), shape=(n, n))

    def _at(self, positions: ArrayLike | None) -> NDArray[np.float64]:
        """The positions given, or the row's own.

        Raises:
            ParameterError: if they are not one for each step.
        """
        x = self.positions if positions is None else floats("positions", positions)
        if x.shape != self.positions.shape:
            msg = f"positions of shape {x.shape}, must be of shape {self.positions.shape}"
            raise ParameterError(msg)
        return x

    @property
    def _scaled_length(self) -> float:
        """The length in typical widths."""
        return float(len(self.positions))

    def _with_ends(self, x: Any, length: float) -> Any:
        """Positions with what bounds the outer terraces: the walls, or the steps of the neighbouring periods."""
        if self.ends == "periodic":
            return np.concatenate([x[-1:] - length, x, x[:1] + length])
        return np.concatenate([np.zeros_like(x[:1]), x, np.full_like(x[:1], length)])

    def _ends_of_terraces(self, x: Any) -> tuple[Any, Any]:
        """The scaled fluxes at the left and at the right end of each terrace."""
        width, _ = self.scales
        law, lower, upper = scaled(self.surface, width)
        gaps = np.diff(self._with_ends(x, self._scaled_length), axis=0)
        push = self.surface.hardness / width**3 * self._alike() / gaps**3
        excess = np.expm1(self.down[:, None] * (push[1:] - push[:-1]))  # exp(mu/kT) - 1
        ahead, behind = (excess[:1], excess[-1:]) if self.ends == "periodic" else (0 * excess[:1],) * 2
        held = self._held(lower, upper)
        return fluxes(law, gaps, np.concatenate([behind, excess]), np.concatenate([excess, ahead]), held)

    def _alike(self) -> NDArray[np.float64]:
        """1 for terraces between steps that go the same way: only these repel each other; shape (n + 1, 1)."""
        outer = np.array([float(self.ends == "periodic" and self.down[0] == self.down[-1])])
        return np.concatenate([outer, (self.down[1:] == self.down[:-1]).astype(float), outer])[:, None]

    def _held(self, lower: tuple[float, float], upper: tuple[float, float]) -> Ends:
        """What holds the density at both ends of each terrace; the lower one is on the right of a step down."""
        on_right = [lower if s > 0 else upper for s in self.down]
        on_left = [upper if s > 0 else lower for s in self.down]
        before, after = (on_right[-1], on_left[0]) if self.ends == "periodic" else (WALL, WALL)
        left, right = np.array([before, *on_right]), np.array([*on_left, after])
        return Ends(left[:, :1], left[:, 1:], right[:, :1], right[:, 1:])


def model(
    surface: Surface,
    positions: ArrayLike,
    *,
    length: float,
    ends: str = "periodic",
    down: int | Sequence[int] | NDArray[np.float64] = 1,
) -> Row:
    """A row of steps, ready to run.

    Adatoms are quasi-static: what leaves one step arrives at others at once, and what is under way is not counted;
    it is n0 Omega of what the steps hold. Atoms do not hop across a step without joining it.

    Args:
        surface: the constants.
        positions: of the steps, ascending, shape (n,) [m]; in a periodic row the last less than `length` above the
            first, in a blocked one all inside (0, length).
        length: of the period, or from wall to wall, above 0 [m].
        ends: "periodic", a staircase that goes on for ever (or hills, if half of the steps go up), or "blocked", walls
            that no adatom passes at 0 and at `length`.
        down: 1 if the steps go down along +x, -1 if up; for each step or for all.

    Raises:
        ParameterError: for steps out of order or out of the row, directions that are not 1 or -1, blocked ends with an
            attachment of 0 (the adatoms of an end terrace could go nowhere).
        UnknownName: for other ends.
    """
    checked(surface)
    length = number("length", length, above=0.0, unit="m")
    choice("ends", ends, ENDS)
    x = _positions(positions, length, ends)
    sign = np.broadcast_to(floats("down", down), x.shape) if np.ndim(down) == 0 else floats("down", down)
    if sign.shape != x.shape or not np.isin(sign, (-1.0, 1.0)).all():
        msg = f"down = {sign.tolist()}, must be 1 or -1 for each of {len(x)} steps"
        raise ParameterError(msg)
    if 0.0 in (surface.attachment_lower, surface.attachment_upper) and (ends == "blocked" or np.ptp(sign) > 0):
        msg = "attachment = 0 m/s of one side, must be greater than 0 m/s where a terrace has only such sides or walls"
        raise ParameterError(msg)
    x, sign = x.copy(), sign.copy()
    for values in (x, sign):
        values.setflags(write=False)
    return Row(surface, x, sign, length, ends)


def train(steps: int, width: float, *, noise: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """Positions of equidistant steps in the middles of their parts of a row of length steps times width [m].

    Args:
        steps: how many, at least 1.
        width: of each terrace, above 0 [m].
        noise: steps are moved by up to this part of the width, in [0, 0.5) [-].
        seed: of the noise.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    n = count("steps", steps, at_least=1)
    width = number("width", width, above=0.0, unit="m")
    noise = number("noise", noise, at_least=0.0, below=0.5)
    moved = np.random.default_rng(count("seed", seed, at_least=0)).uniform(-noise, noise, n)
    return (np.arange(n) + 0.5 + moved) * width


def _positions(positions: Any, length: float, ends: str) -> NDArray[np.float64]:
    """Positions that make a row.

    Raises:
        ParameterError: if they do not.
    """
    x = floats("positions", positions)
    if x.ndim != 1 or x.size == 0 or not np.isfinite(x).all():
        msg = f"positions = {x.tolist()}, must be finite numbers of shape (steps,)"
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
