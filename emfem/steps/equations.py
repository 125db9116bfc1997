"""The equations of a row of steps: scaled velocities of the steps, and their Jacobian."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from emfem.arrays import finite
from emfem.errors import ParameterError, floats
from emfem.gate import checked
from emfem.steps.surface import Surface
from emfem.steps.terrace import TINY, WALL, EndConditions, fluxes, scaled

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_matrix

REACH = 2  # a step feels the neighbours of its neighbours: their repulsion sets the density that these keep


@dataclass(frozen=True, eq=False)
class Equations:
    """Equations of motion of steps between two ends.

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
    @finite
    def scales(self) -> tuple[float, float]:
        """A typical width [m], and the time D n0 Omega takes to fill it [s]."""
        width = self.length / len(self.positions)
        s = self.surface
        return width, width**2 / (s.diffusivity * s.adatom_density * s.atom_area)

    @checked
    def widths(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the width of the terrace on the left of each step, and on the right of the last, shape (n + 1,) [m].

        In a periodic row the last is the first once more.
        """
        return np.diff(with_ends(self, self.checked_positions(positions), self.length))

    def checked_positions(self, positions: ArrayLike | None) -> NDArray[np.float64]:
        """Return `positions`, or the row's own.

        Raises:
            ParameterError: if they are not one for each step.
        """
        x = self.positions if positions is None else floats("positions", positions)
        if x.shape != self.positions.shape:
            msg = f"positions of shape {x.shape}, must be of shape {self.positions.shape}"
            raise ParameterError(msg)
        return x


def only(row: Equations, chosen: NDArray[np.bool_], positions: NDArray[np.float64]) -> Equations:
    """Return the row with the chosen steps alone."""
    return replace(row, positions=positions[chosen], down=row.down[chosen])


def rates(row: Equations, x: Any) -> Any:
    """Return velocities in units of `scales` at positions of shape (n, m), real or complex."""
    if np.min(np.diff(with_ends(row, x.real, float(len(row.positions))), axis=0)) <= 0.0:
        return np.full_like(x, np.nan)
    left, right = fluxes_at_ends(row, x)
    return row.down[:, None] * (right[:-1] - left[1:])


def slopes(row: Equations, x: NDArray[np.float64]) -> csc_matrix:
    """Return the Jacobian of `rates` at x of shape (n,), by complex differences, many columns at once."""
    n = len(x)
    near = 2 * REACH + 1
    colour = np.arange(n) % near
    colour[n - n % near :] += near  # the last ones feel the first ones across the period
    step = 1j * TINY * (np.arange(colour.max() + 1) == colour[:, None])
    change = rates(row, x[:, None] + step).imag / TINY
    beside = np.repeat(np.arange(n), near).reshape(n, near) + np.arange(-REACH, REACH + 1)
    inside = np.ones_like(beside, dtype=bool) if row.ends == "periodic" else (beside >= 0) & (beside < n)
    pairs = np.unique(np.stack([np.repeat(np.arange(n), near)[inside.ravel()], beside[inside] % n]), axis=1)
    return csc_matrix((change[pairs[0], colour[pairs[1]]], (pairs[0], pairs[1])), shape=(n, n))


def with_ends(row: Equations, x: Any, length: float) -> Any:
    """Return positions with the bounds of the outer terraces: walls, or the steps of the neighbouring periods."""
    if row.ends == "periodic":
        return np.concatenate([x[-1:] - length, x, x[:1] + length])
    return np.concatenate([np.zeros_like(x[:1]), x, np.full_like(x[:1], length)])


def fluxes_at_ends(row: Equations, x: Any) -> tuple[Any, Any]:
    """Return the scaled fluxes at the left and at the right end of each terrace."""
    width, _ = row.scales
    law, lower, upper = scaled(row.surface, width)
    gaps = np.diff(with_ends(row, x, float(len(row.positions))), axis=0)
    push = row.surface.hardness / width**3 * same_direction(row) / gaps**3
    excess = np.expm1(row.down[:, None] * (push[1:] - push[:-1]))  # exp(mu/kT) - 1
    ahead, behind = (excess[:1], excess[-1:]) if row.ends == "periodic" else (0 * excess[:1],) * 2
    conditions = end_conditions(row, lower, upper)
    return fluxes(law, gaps, np.concatenate([behind, excess]), np.concatenate([excess, ahead]), conditions)


def same_direction(row: Equations) -> NDArray[np.float64]:
    """Return 1 for terraces between steps that go the same way: only these repel each other; shape (n + 1, 1)."""
    outer = np.array([float(row.ends == "periodic" and row.down[0] == row.down[-1])])
    return np.concatenate([outer, (row.down[1:] == row.down[:-1]).astype(float), outer])[:, None]


def end_conditions(row: Equations, lower: tuple[float, float], upper: tuple[float, float]) -> EndConditions:
    """Return the conditions at both ends of each terrace; the lower one is on the right of a step down."""
    on_right = [lower if s > 0 else upper for s in row.down]
    on_left = [upper if s > 0 else lower for s in row.down]
    before, after = (on_right[-1], on_left[0]) if row.ends == "periodic" else (WALL, WALL)
    left, right = np.array([before, *on_right]), np.array([*on_left, after])
    return EndConditions(left[:, :1], left[:, 1:], right[:, :1], right[:, 1:])
