"""Random grids with voids against the whole grid as one system of ordinary equations.

The stress of all trees, in their modes, and the volumes of all voids are unknowns of M s' = b(j) - K s with j of
Kirchhoff's laws at every time: no tree has a step of its own. SciPy's method of Radau of fifth order, at 1e-7.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import emfem as em
from emfem.failure import Drop
from emfem.signoff import run
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.elements import forest, graded_sizes
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.trees import Trees
from emfem.units import um
from tests.signoff.test_simulation import CRITICAL, SIZE, shared_grid, technology

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import eigh, solve

TIGHT, VOLUME = 1e-7, 1e-22  # m3
SHAPES = [(2, 3), (3, 3), (3, 4), (2, 4), (4, 4)]


def random_grid(seed: int) -> em.mesh.Network:
    """Two layers of stripes with vias, so that currents have loops, and random currents drawn at their crossings."""
    if seed == 0:
        return shared_grid()
    rng = np.random.default_rng(seed)
    a, b = SHAPES[seed % len(SHAPES)]
    net = em.mesh.grid_network(a, b, rng.uniform(12, 30) * um, load=1e-3, cells=1, **SIZE).wires()
    drawn = rng.normal(0, rng.uniform(2, 8) * 1e-3, a * b)
    return replace(net, loads=np.concatenate([drawn, np.zeros(a * b)]))


class Whole:
    """A grid from void to void; none of them may heal."""

    def __init__(self, net: em.mesh.Network) -> None:
        self.net, made = net, technology("M1", "M2")
        metal = Metal(net, made, resolve_temperature(net, 573.0))
        trees = Trees(net)
        elements = forest(trees, np.arange(trees.count), metal, graded_sizes(trees))
        self.mass, self.stiffness = (matrix.toarray() for matrix in elements.matrices)
        self.load = np.stack([elements.load(unit) for unit in np.eye(len(net.segments))], axis=1)
        self.at = np.zeros(len(net.nodes), dtype=int)
        self.at[elements.nodes] = elements.unknowns
        self.faces = np.zeros(len(net.nodes))
        np.add.at(self.faces, net.segments, net.cross_sections[:, None])
        self.circuit = GridCircuit(net, made, metal.resistivity)
        self.conductance = 1 / net.via_resistance
        self.pairs = np.concatenate([net.segments, net.vias])

    def currents(self, nodes: list[int], volumes: np.ndarray) -> np.ndarray:
        """Current densities with voids at some nodes, by a dense matrix."""
        lengths, net = np.zeros(len(self.net.nodes)), self.net
        lengths[nodes] = volumes / self.faces[nodes]
        wires = 1 / (self.circuit.resistances + self.circuit.extra(lengths))
        conductance, ends = np.concatenate([wires, self.conductance]), np.eye(len(net.nodes))
        across = ends[self.pairs[:, 0]] - ends[self.pairs[:, 1]]
        matrix, potential = across.T @ (conductance[:, None] * across), np.zeros(len(net.nodes))
        potential[list(net.pads)] = list(net.pads.values())
        free = np.setdiff1d(np.arange(len(net.nodes)), list(net.pads))
        right = -net.loads - matrix @ potential
        potential[free] = solve(matrix[np.ix_(free, free)], right[free], assume_a="pos")
        return (across @ potential)[: len(wires)] * wires / net.cross_sections

    def run(self, until: float) -> tuple[dict[int, float], dict[int, float]]:
        """Return when voids open, and how long they are at the end."""
        state, t, opened = np.zeros(len(self.mass)), 0.0, dict[int, float]()
        volumes = np.zeros(0)
        while t < until:
            nodes = list(opened)
            fixed = self.at[nodes]
            free = np.setdiff1d(np.arange(len(state)), fixed)
            inside = np.ix_(free, free)
            near = np.zeros_like(state)  # the nearest state with 0 at the voids, which get what it lacks
            near[free] = solve(self.mass[inside], (self.mass @ state)[free], assume_a="pos")
            volumes = volumes + (self.mass @ (state - near))[fixed]
            leg = _Leg(self, near, free, nodes, volumes, t)
            t, state, volumes = leg.until(until)
            if t < until:
                closed = np.setdiff1d(np.arange(len(self.at)), nodes)
                new = closed[state[self.at[closed]] >= (1 - 1e-6) * CRITICAL]
                opened |= dict.fromkeys(new.tolist(), t)
                volumes = np.append(volumes, np.zeros(len(new)))
        return opened, dict(zip(opened, volumes / self.faces[list(opened)], strict=True))


class _Leg:
    """The grid while its voids are the same: s = s0 + Q y, and V = V0 + int (b - K s)_n dt - M_n Q y of each void."""

    def __init__(
        self, whole: Whole, state: np.ndarray, free: np.ndarray, nodes: list[int], volumes: np.ndarray, t: float
    ) -> None:
        self.whole, self.state, self.nodes, self.start, self.t = whole, state, nodes, volumes, t
        inside, fixed = np.ix_(free, free), whole.at[nodes]
        rates, vectors = eigh(whole.stiffness[inside], whole.mass[inside])
        self.rates, self.modes = np.maximum(rates, 0.0), np.zeros((len(state), len(free)))
        self.modes[free] = vectors
        self.push, self.pull = self.modes.T @ whole.load, -self.modes.T @ (whole.stiffness @ state)
        self.mass, self.stiffness = whole.mass[fixed] @ self.modes, whole.stiffness[fixed] @ self.modes
        self.gain, self.loss = whole.load[fixed], whole.stiffness[fixed] @ state
        self.still = whole.currents([], np.zeros(0)) if not nodes else None

    def volumes(self, z: np.ndarray) -> np.ndarray:
        m = len(self.rates)
        return self.start + VOLUME * z[m:] - self.mass @ z[:m]

    def currents(self, volumes: np.ndarray) -> np.ndarray:
        return self.whole.currents(self.nodes, volumes) if self.still is None else self.still

    def rate(self, t: float, z: np.ndarray) -> np.ndarray:
        y, flow = z[: len(self.rates)], self.currents(self.volumes(z))
        grown = self.gain @ flow - self.loss - self.stiffness @ y
        return np.concatenate([self.push @ flow + self.pull - self.rates * y, grown / VOLUME])

    def jacobian(self, t: float, z: np.ndarray) -> np.ndarray:
        m, volumes = len(self.rates), self.volumes(z)
        result = np.diag(np.concatenate([-self.rates, np.zeros(len(volumes))]))
        result[m:, :m] = -self.stiffness / VOLUME
        flow, changes = self.currents(volumes), np.diag(1e-6 * np.maximum(volumes, 1e-3 * volumes.max(initial=VOLUME)))
        turned = [(self.currents(volumes + each) - flow) / each.sum() for each in changes]
        if turned:
            by_state = np.stack(turned, 1) @ np.concatenate([-self.mass, VOLUME * np.eye(len(volumes))], axis=1)
            result += np.concatenate([self.push @ by_state, self.gain @ by_state / VOLUME])
        return result

    def until(self, end: float) -> tuple[float, np.ndarray, np.ndarray]:
        """Return time, stress and volumes at the next void, or at the end."""
        closed = self.whole.at[np.setdiff1d(np.arange(len(self.whole.at)), self.nodes)]
        start, modes = self.state[closed], self.modes[closed]

        def beyond(t: float, z: np.ndarray) -> float:
            return float((start + modes @ z[: len(self.rates)]).max()) - CRITICAL

        beyond.terminal, beyond.direction = True, 1  # type: ignore[attr-defined]
        size = CRITICAL * np.sqrt(self.whole.mass.sum())
        absolute = TIGHT * np.concatenate([np.full(len(self.rates), size), np.ones(len(self.nodes))])
        given: dict[str, Any] = {"method": "Radau", "jac": self.jacobian, "rtol": TIGHT, "atol": absolute}
        found = solve_ivp(self.rate, (self.t, end), np.zeros(len(absolute)), events=beyond,
                          first_step=max(1e-6 * self.t, 1e-3), **given)  # fmt: skip
        t, z = (found.t_events[0][0], found.y_events[0][0]) if found.status == 1 else (end, found.y[:, -1])
        assert found.status >= 0, found.message
        volumes = self.volumes(z)
        assert (volumes > -1e-3 * VOLUME).all()
        return float(t), self.state + self.modes @ z[: len(self.rates)], volumes


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (0, 1, 2, 5, 6, 7))])
def test_a_random_grid_is_as_the_whole_solution(seed: int):
    """Times of voids and lengths at rest; in grid 2 tension is nearly at rest when it reaches the critical one."""
    net = random_grid(seed)
    opened, lengths = Whole(net).run(3e6)
    verdict = run(net, technology("M1", "M2"), until=3e6, fails=Drop(50.0))
    assert len(opened) >= 4
    assert {void.node: void.nucleated for void in verdict.voids} == pytest.approx(opened, rel=1e-3, abs=0.0)
    assert {void.node: void.length for void in verdict.voids} == pytest.approx(lengths, rel=1e-3, abs=0.0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 6, 7])
def test_voids_of_a_random_grid_open_when_they_do_whatever_the_end(seed: int):
    """With `until` just behind each void, and up to a thousand times later."""
    net = random_grid(seed)
    opened, _ = Whole(net).run(3e6)
    for t in sorted(set(opened.values())):
        for until in np.multiply(t, [1.002, 10.0, 1000.0]):
            voids = run(net, technology("M1", "M2"), until=until, fails=Drop(50.0)).voids
            known = {node: when for node, when in opened.items() if when < until}
            found = {void.node: void.nucleated for void in voids if void.node in known or until < 3e6}
            assert found == pytest.approx(known, rel=1e-3, abs=0.0), until


def test_first_voids_are_those_that_opened():
    """Currents turn: a tree gets its first void 1.2 times later than those of the start tell.

    The last opens just before the end: it lacked much of the critical stress there by the currents of before, and was
    0.5 % late where it was followed less closely for that.
    """
    net = random_grid(1)
    verdict = run(net, technology("M1", "M2"), until=6e3, fails=Drop(50.0))
    assert {v.node: v.nucleated for v in verdict.voids} == pytest.approx(Whole(net).run(6e3)[0], rel=1e-3, abs=0.0)
    opened = np.full(len(verdict.nucleation), np.inf)
    for void in verdict.voids:
        tree = net.components[int(void.node)]
        opened[tree] = min(opened[tree], void.nucleated)
    assert verdict.nucleation.tolist() == opened.tolist()
    early = run(net, technology("M1", "M2"), until=6e3, voids=False).nucleation
    assert opened[5] > 1.2 * early[5]
    assert np.isnan(verdict.sensitivity).tolist() == np.isinf(opened).tolist()
