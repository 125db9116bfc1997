"""Limits of a network as functions of its widths, and the least metal with which they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emfem.errors import floats, number, require
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.signoff.gradients import Sensitivity
from emfem.signoff.metal import Metal
from emfem.signoff.spacing import widest_allowed
from emfem.signoff.transient import highest_until
from emfem.technology import Technology

import numpy as np
from scipy.optimize import brentq, minimize

__all__ = ["Problem"]

NEAR = 0.2  # a tree or a drop this near to its limit is bounded in the next round
STEP = 2.0  # largest factor of a width in one round
SMALLEST_STEP = 1.001
AIM = 1e-4  # part of a limit to stay below it, so that what is returned keeps it
WIDENED = 1e-4  # a width that grows by less stays
ROUNDS = 100
BLOCK = 64  # functionals whose adjoints are solved for together
MOST_UNIFORM = 2.0**20


class _State(Sensitivity):
    """Potentials and stress of a network whose tension is limited.

    Attributes:
        limited: the highest tension of each tree, steady or until a time, shape (trees,) [Pa].
        worst_now: the node where, shape (trees,).
    """

    def __init__(
        self, network: Network, technology: Technology, limit: float, until: float | None, feed: Mapping[str, Any]
    ) -> None:
        super().__init__(network, technology, **feed)
        self.limited, self.worst_now, self._until = self.steady, self.worst, until
        if until is None:
            return
        self.limited, self.worst_now = self.limited.copy(), self.worst.copy()
        self._times = np.zeros(len(network.nodes))
        self._highest = self.stress.copy()
        above = self._rest.peak(self.currents.current_density, self.metal.residual_stress, self.stress)
        for tree in np.flatnonzero(above > (1 - NEAR) * limit).tolist():
            end = min(until, float(self._blocked.settled[tree]))
            nodes, highest, times = highest_until(self._blocked, tree, limit, end)
            self._highest[nodes], self._times[nodes] = highest, times
            self.limited[tree], self.worst_now[tree] = highest.max(), nodes[highest.argmax()]

    def tensions(self, nodes: list[int]) -> tuple[Floats, Floats]:
        """Return the limited tension of nodes, shape (k,), and derivatives by the logarithms of widths, (k, m)."""
        if self._until is None:
            slopes, explicit, _ = self.tension_slopes(nodes)
            return self.stress[nodes], self.through_circuit(slopes) + explicit * self.network.width
        rows = np.zeros((len(nodes), len(self.network.segments)))
        for i, node in enumerate(nodes):
            if self._times[node] > 0.0:
                tree = int(self.network.components[node])
                rows[i] = self.tension_at(tree, node=node, time=float(self._times[node]))[0].width
        return self._highest[nodes], rows * self.network.width


class Problem:
    """Limits of a network, as functions of the factors by which groups of segments are widened."""

    def __init__(
        self,
        network: Network,
        technology: Technology,
        *,
        margin: float,
        until: float | None,
        largest_drop: float | None,
        widest: Any,
        spacing: Any,
        together: Any,
        feed: Mapping[str, Any],
    ) -> None:
        """Take the limits and the bounds of the widths; `feed` is for `Sensitivity`."""
        self.network, self.technology = network, technology
        self.feed = feed
        self.stress = technology.critical_stress * (1 - number("margin", margin, at_least=0.0, below=1.0))
        start = float(Metal(network, technology, feed["temperature"]).residual_stress.max())
        require(
            start < self.stress,
            f"residual_stress = {start:g} Pa, must be less than the limit of {self.stress:g} Pa: no width changes it",
        )
        self.until = until if until in (None, np.inf) else number("until", until, above=0.0, unit="s")
        self.most_drop = None if largest_drop is None else number("largest_drop", largest_drop, above=0.0, unit="V")
        if largest_drop is not None:
            require(
                network.pads if feed["pads"] is None else feed["pads"],
                "largest_drop needs a network with pads, must be left out",
            )
        segments = len(network.segments)
        limit = widest_allowed(network, widest, spacing) / network.width
        self.group = np.arange(segments)
        if together is not None:
            own = floats("together", together, (segments,), f"one number a segment, shape ({segments},)", finite=True)
            self.group = np.unique(own, return_inverse=True)[1]
        self.groups = int(self.group.max()) + 1
        self.highest = np.full(self.groups, np.inf)
        np.minimum.at(self.highest, self.group, limit)
        volume = network.lengths * network.cross_sections
        self.metal = float(volume.sum())
        self.cost = np.bincount(self.group, volume / self.metal, self.groups)

    def widths(self, factor: Floats) -> Floats:
        """Return the width of each segment."""
        return self.network.width * factor[self.group]

    def state(self, factor: Floats) -> _State:
        """Return potentials and stress."""
        network = replace(self.network, width=self.widths(factor))
        return _State(network, self.technology, self.stress, self.until, self.feed)

    def drop(self, state: _State) -> float:
        """Return the largest drop; 0 without pads."""
        return float(np.abs(state.currents.drop).max())

    def overshoot(self, state: _State) -> tuple[int, ...]:
        """Return the trees that pass their limit on the way to a steady state that does not."""
        if self.until is not None:
            return ()
        always = _State(state.network, self.technology, self.stress, np.inf, self.feed)
        return tuple(
            np.flatnonzero((always.limited > self.stress * (1 + AIM)) & (state.limited <= self.stress)).tolist()
        )

    def violation(self, state: _State, aim: float = 0.0) -> Floats:
        """Return what each tree's tension, and then the drop, is above its limit, as a part of it."""
        parts = state.limited / (self.stress * (1 - aim)) - 1
        if self.most_drop is None:
            return parts
        return np.append(parts, self.drop(state) / (self.most_drop * (1 - aim)) - 1)

    def minimise(self, penalty: float, rtol: float) -> tuple[Floats, list[tuple[float, float]]]:
        """Return the factors, and the history."""
        factor, step = np.ones(self.groups), STEP
        state = self.state(factor)
        bounded: dict[tuple[str, int], float] = {}  # multiplier of each limit, by its kind and node
        history: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            violation = self.violation(state, AIM)
            added = float(self.cost @ (factor - 1))
            merit = added + penalty * float(np.maximum(violation, 0.0).sum())
            history.append((added, float(violation.max())))
            if added == 0.0 and self.violation(state).max() <= 0.0:
                break
            self._bound(state, bounded)
            if not bounded:
                break
            values, slopes = self._linearised(state, bounded)
            low, high = np.maximum(1 / factor, 1 / step), np.minimum(self.highest / factor, step)
            start = np.array(list(bounded.values()))
            ratio, multipliers = least(self.cost * factor, values, slopes, low, high, penalty, start)
            bounded = dict(zip(bounded, multipliers.tolist(), strict=True))
            trial = np.clip(factor * ratio, 1.0, self.highest)
            trial[trial < 1 + WIDENED] = 1.0
            later = self.state(trial)
            next_violation = self.violation(later, AIM)
            next_merit = float(self.cost @ (trial - 1)) + penalty * float(np.maximum(next_violation, 0.0).sum())
            if next_merit < merit:
                gain = merit - next_merit
                factor, state = trial, later
                if gain <= rtol * next_merit and next_violation.max() <= AIM:
                    break
            else:
                step = np.sqrt(step)
                if step < SMALLEST_STEP:
                    break
        history.append((float(self.cost @ (factor - 1)), float(self.violation(state, AIM).max())))
        return factor, history

    def _bound(self, state: _State, bounded: dict[tuple[str, int], float]) -> None:
        """Add the nodes that are near their limits: the worst of each tree."""
        near = state.worst_now[state.limited > (1 - NEAR) * self.stress]
        for node in near.tolist():
            bounded.setdefault(("stress", node), 0.0)
        if self.most_drop is not None:
            size, piece = np.abs(state.currents.drop), state.network.components
            order = np.lexsort((-size, piece))
            worst = order[np.unique(piece[order], return_index=True)[1]]
            for node in worst[size[worst] > (1 - NEAR) * self.most_drop].tolist():
                bounded.setdefault(("drop", node), 0.0)

    def _linearised(self, state: _State, bounded: Mapping[tuple[str, int], float]) -> tuple[Floats, Floats]:
        """Return values of the limits, and their derivatives by the logarithms of the factors, shape (k, groups)."""
        values, rows = np.zeros(len(bounded)), np.zeros((len(bounded), self.groups))
        for kind in ("stress", "drop"):
            at = [i for i, (name, _) in enumerate(bounded) if name == kind]
            nodes = [node for name, node in bounded if name == kind]
            for first in range(0, len(at), BLOCK):
                some, part = nodes[first : first + BLOCK], at[first : first + BLOCK]
                if kind == "stress":
                    limit = self.stress * (1 - AIM)
                    size, by_log = state.tensions(some)
                else:
                    assert self.most_drop is not None
                    limit, size = self.most_drop * (1 - AIM), np.abs(state.currents.drop[some])
                    by_log = state.through_circuit(state.drop_slopes(some))
                values[part] = size / limit - 1
                for row, each in zip(part, by_log / limit, strict=True):
                    rows[row] = np.bincount(self.group, each, self.groups)
        return values, rows

    def uniform(self) -> float:
        """Return the metal that one factor for all widths adds to meet the limits [m3]; infinite if none does."""

        def factors(log: float) -> Floats:
            return np.minimum(np.exp(log), self.highest)

        def worst(log: float) -> float:
            return float(self.violation(self.state(factors(log))).max())

        if worst(0.0) <= 0:
            return 0.0
        log = np.log(2.0)
        while worst(log) > 0:
            log *= 2
            if log > np.log(MOST_UNIFORM):
                return np.inf
        log = float(brentq(worst, 0.0, log, xtol=1e-4))
        return self.metal * float(self.cost @ (factors(log) - 1))

    def complaint(self, state: _State) -> str:
        """Return the message for limits that no widths meet."""
        violation = self.violation(state)
        worst = int(violation.argmax())
        if worst == len(state.limited):
            node = int(np.abs(state.currents.drop).argmax())
            where, value, limit = self.network.node(node), f"{self.drop(state):.4g} V", f"{self.most_drop:.4g} V"
            name = "largest drop"
        else:
            where = f"{self.network.node(int(state.worst_now[worst]))} of tree {worst}"
            value, limit = f"{state.limited[worst] / 1e6:.4g} MPa", f"{self.stress / 1e6:.4g} MPa"
            name = "highest steady tension" if self.until is None else "highest tension"
        others = int((violation > 0).sum()) - 1
        more = f" (and {others} other limit{'s are' if others > 1 else ' is'} not met)" if others else ""
        return (
            f"no widths in their bounds were reached that meet the limits: the {name} at {where} is {value}, must be "
            f"at most {limit}{more}"
        )


def least(
    cost: Floats, values: Floats, slopes: Floats, low: Floats, high: Floats, penalty: float, start: Floats
) -> tuple[Floats, Floats]:
    """Return the ratios y, shape (m,), of least cost, and the multipliers, shape (k,), of a separable convex problem.

        minimise cost . y   with   values + P (1/y - 1) + Q (y - 1) <= 0,   low <= y <= high,     Q - P = slopes

    P and Q are the negative and the positive part of the slopes. At multipliers l the minimum is at
    y^2 = l P / (cost + l Q); the concave dual is maximised within 0 <= l <= penalty.

    Args:
        cost: above 0, shape (m,).
        values: of the limits at y = 1, shape (k,).
        slopes: derivatives of the limits at y = 1, shape (k, m).
        low: bound of y, shape (m,).
        high: bound of y, shape (m,).
        penalty: bound of the multipliers, for limits that cannot be met.
        start: multipliers to start from, shape (k,).

    References:
        C. Fleury, Structural Optimization 1, 81 (1989), 10.1007/BF01637664: convex linearisation and its dual.
    """
    fall, rise = np.maximum(-slopes, 0.0), np.maximum(slopes, 0.0)
    scale = 1 / np.maximum((fall / cost).max(axis=1), 1e-12)  # about where the first wire of a limit gets wider

    def ratios(multipliers: Floats) -> tuple[Floats, Floats, Floats]:
        p, q = multipliers @ fall, multipliers @ rise
        return p, q, np.clip(np.sqrt(p / (cost + q)), low, high)

    def dual(scaled: Floats) -> tuple[float, Floats]:
        multipliers = scaled * scale
        p, q, y = ratios(multipliers)
        value = cost @ (y - 1) + p @ (1 / y - 1) + q @ (y - 1) + multipliers @ values
        slope = values + fall @ (1 / y - 1) + rise @ (y - 1)
        return -100 * float(value), -100 * slope * scale

    result = minimize(
        dual,
        np.clip(start, 0.0, penalty) / scale,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, penalty / each) for each in scale],
        options={"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-9, "maxcor": 30},
    )
    multipliers = result.x * scale
    return ratios(multipliers)[2], multipliers
