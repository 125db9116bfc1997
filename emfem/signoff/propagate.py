"""Stress at any time while voids stay and currents are linear in time: a few ordinary equations for each tree.

M s' = b + b' t - K s is projected on a rational Krylov space V, M-orthonormal, of (M + gamma K)^-1 with a few gamma
between the shortest and the longest time wanted:

    s(t) = s0 + V y,    y' = V^T (b + b' t - K s0) - H y,    H = V^T K V = Q diag(lambda) Q^T,
    y = Q (phi_1 g + phi_2 g'),    g = Q^T V^T (b - K s0),    g' = Q^T V^T b',
    phi_1 = (1 - exp(-lambda t))/lambda,    phi_n+1 = int_0^t phi_n dt.

V grows until the stress at the nodes does not change any more at any of the times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import factorial

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.elements import Forest, Shifted

import numpy as np
from scipy.sparse import csr_array

FIRST, MORE, MOST = 9, 3, 90  # vectors at the first test, between tests, at most
DENSE = 300  # unknowns of a single tree up to which all its modes are computed
PER_DECADE = 10  # times at which the stress is tested
UNFELT = 0.5  # of the error allowed
MENDED = 100.0  # times the error allowed: what one vector more for each gamma may mend
PER_UNKNOWN = 1500  # bytes, of elements and factorisations
SERIES, TERMS = 0.02, 6  # rate times time below which a series of so many terms is taken
SMALL = 1e-10  # of a vector before it was made orthogonal: none is left, the space is complete


@dataclass(frozen=True, eq=False)
class Leg:
    """Stress of some trees from a time on, while their currents and voids stay.

    Attributes:
        forest: the elements.
        began: the time [s].
        span: for which it is wanted [s].
        state: s0 at that time, shape (size,).
        rates: lambda of each tree, shape (t, m) [1/s].
        amplitudes: g, shape (t, m).
        basis: V Q, shape (m, size); None if it was not to be stored.
        at_nodes: rows of V Q at the nodes of the forest, shape (m, k).
        error: last change of the stress at the nodes by further vectors, over the tolerance [-].
        solvers: factorised M + gamma K with their gamma [s], of which the vectors were made; none of all modes.
        turning: g' of a single tree, shape (1, m); None for currents that stay.
    """

    forest: Forest
    began: float
    span: float
    state: Floats
    rates: Floats
    amplitudes: Floats
    basis: Floats | None
    at_nodes: Floats
    error: float
    solvers: tuple[tuple[float, Shifted], ...] = ()
    turning: Floats | None = None

    def stress(self, t: Floats) -> Floats:
        """Return the stress at the nodes at times since the beginning [Pa], shape (k, times)."""
        return self.state[self.forest.unknowns][:, None] + self._summed(self.parts(t))

    def slope(self, t: Floats) -> Floats:
        """Return the rate of the stress at the nodes [Pa/s], shape (k, times)."""
        parts = self.amplitudes[..., None] * np.exp(-self.rates[..., None] * t)
        if self.turning is not None:
            parts = parts + self.turning[..., None] * integrals(self.rates, t, 1)[0]
        return self._summed(parts)

    def parts(self, t: Floats) -> Floats:
        """Return the parts of the vectors at times since the beginning, `phi_1 g + phi_2 g'`, shape (t, m, times)."""
        phi = integrals(self.rates, t, 1 if self.turning is None else 2)
        constant = self.amplitudes[..., None] * phi[0]
        return constant if self.turning is None else constant + self.turning[..., None] * phi[1]

    def node(self, i: int) -> Callable[[float], float]:
        """Return the stress at one of the nodes of a single tree as a function of the time since the beginning."""
        weights, start = self.at_nodes[:, i], self.state[self.forest.unknowns[i]]
        return lambda t: float(start + weights @ self.parts(np.array([t]))[0, :, 0])

    def of(self, i: int) -> Leg:
        """Return the leg of one of the trees, without its states."""
        if len(self.forest.which) == 1:
            return self
        first, last = self.forest.first[i], self.forest.first[i + 1]
        low, high = np.searchsorted(self.forest.unknowns, [first, last])
        forest = self.forest.only(i, low, high)
        return replace(
            self,
            forest=forest,
            state=self.state[first:last],
            rates=self.rates[i : i + 1],
            amplitudes=self.amplitudes[i : i + 1],
            basis=None,
            at_nodes=self.at_nodes[:, low:high].copy(),
            solvers=(),
        )

    def again(
        self,
        state: Floats,
        right: Floats,
        began: float,
        span: float,
        tolerance: float,
        turning: Floats | None = None,
        reach: float = np.inf,
        felt: Callable[[float], float] | None = None,
    ) -> Leg | None:
        """Return the stress of a single tree from a state on, with the vectors of this leg and a few more.

        They were made for other currents. What they make of the stress after an implicit step of each gamma, with the
        currents at its end, is compared with that of the whole system, and where that differs it is a vector more. The
        test is passed with it in any case, so None is returned where much was missing: vectors have to be made anew.

        Args:
            state: made with the same vectors.
            right: b - K s, 0 at the fixed unknowns.
            began: the time of the state [s].
            span: longest time wanted [s].
            tolerance: error allowed at the nodes [Pa].
            turning: b', 0 at the fixed unknowns; None for currents that stay.
            reach: time for which the currents turn [s].
            felt: what the other currents change of the stress in a time, at most [Pa]: where that is less than half of
                the error allowed no test is made; None for vectors that mend whatever is missing, and never None.
        """
        leg = replace(self, began=began, span=span, state=state)._towards(right, turning)
        for gamma, solver in self.solvers:
            if felt is not None and felt(gamma) <= UNFELT * tolerance:
                continue
            load = right if turning is None else right + min(gamma, reach) * turning
            exact = gamma * solver.solve(load)
            parts = gamma * (leg._basis @ load) / (1 + gamma * leg.rates[0])
            error = np.abs(exact[leg.forest.unknowns] - parts @ leg.at_nodes).max()
            if error <= tolerance:
                continue
            if felt is not None and (error > MENDED * tolerance or len(leg.at_nodes) >= MOST):
                return None
            leg = leg._with(exact)._towards(right, turning)
        return leg

    @property
    def bytes(self) -> int:
        """About the memory that states of this leg take: vectors, what they were made of, elements, factorisations."""
        return 0 if self.basis is None else 2 * self.basis.nbytes + PER_UNKNOWN * self.forest.size

    def released(self) -> Leg:
        """Return this leg of a single tree without its states: the stress at the nodes is left."""
        forest = self.forest.only(0, 0, len(self.forest.nodes))
        return replace(self, forest=forest, basis=None, solvers=(), at_nodes=self.at_nodes.copy())

    @property
    def _basis(self) -> Floats:
        assert self.basis is not None
        return self.basis

    def _towards(self, right: Floats, turning: Floats | None) -> Leg:
        """Return this leg of a single tree with the amplitudes of another b - K s and b'."""
        basis = self._basis
        return replace(
            self, amplitudes=(basis @ right)[None], turning=None if turning is None else (basis @ turning)[None]
        )

    def _with(self, vector: Floats) -> Leg:
        """Return this leg of a single tree with one vector more, and amplitudes that are not of it."""
        mass, stiffness = self.forest.matrices
        for _ in range(2):
            vector = vector - (self._basis @ (mass @ vector)) @ self._basis
        vector = vector / np.sqrt(vector @ (mass @ vector))
        last = stiffness @ vector
        projected = np.diag(np.append(self.rates[0], vector @ last))
        projected[-1, :-1] = projected[:-1, -1] = self._basis @ last
        rates, vectors = np.linalg.eigh(projected)
        basis = vectors.T @ np.concatenate([self._basis, vector[None]])
        return replace(self, rates=np.maximum(rates, 0.0)[None], basis=basis, at_nodes=basis[:, self.forest.unknowns])

    def _summed(self, weights: Floats) -> Floats:
        """Return sums over the vectors, at the nodes; `weights` of shape (t, m, times)."""
        if len(weights) == 1:
            return self.at_nodes.T @ weights[0]
        tree = self.forest.tree_of[self.forest.unknowns]
        first = np.searchsorted(tree, np.arange(len(weights) + 1))
        result = np.empty((len(tree), weights.shape[2]))
        for i, each in enumerate(weights):
            part = slice(first[i], first[i + 1])
            np.matmul(self.at_nodes[:, part].T, each, out=result[part])
        return result

    def at(self, t: float) -> Floats:
        """Return the state at a time since the beginning, shape (size,)."""
        parts = self.parts(np.array([t]))[..., 0]
        if len(parts) == 1:
            return self.state + parts[0] @ self._basis
        return self.state + (self._basis * parts.T[:, self.forest.tree_of]).sum(axis=0)


def integrals(rates: Floats, t: Floats, count: int) -> list[Floats]:
    """Return `phi_1` to `phi_count`, at most 3; shape of rates and one more, of the times.

    Where x = lambda t is small, `phi_n = t^n sum_k (-x)^k/(n + k)!` keeps their digits.
    """
    product = rates[..., None] * t
    small = product < SERIES
    safe, x = np.where(small, 1.0, product), -product[small]
    result, power = [], t
    closed = -np.expm1(-safe) / safe  # phi_n/t^n
    for n in range(1, count + 1):
        series = np.zeros_like(x)
        for k in reversed(range(TERMS)):
            series = series * x + 1 / factorial(n + k)
        closed[small] = series
        result.append(power * closed)
        closed, power = (1 / factorial(n) - closed) / safe, power * t
    return result


def propagate(
    forest: Forest,
    state: Floats,
    load: Floats,
    *,
    span: float,
    shortest: float,
    tolerance: float,
    began: float = 0.0,
    fixed: Numbers | None = None,
    store: bool = True,
) -> Leg:
    """Return the stress of some trees for a span of time.

    Args:
        forest: the elements.
        state: s0, 0 at the fixed unknowns.
        load: b.
        span: longest time wanted [s].
        shortest: time from which the stress has to be right [s].
        tolerance: error allowed at the nodes [Pa], or as a part of it, of the largest change of the tree.
        began: the time of the state [s].
        fixed: unknowns whose stress stays 0: of open nodes.
        store: the basis, from which `Leg.at` makes states.
    """
    if len(forest.which) == 1 and forest.size <= DENSE:
        return _by_modes(forest, state, load, began, span, fixed)
    mass, stiffness = forest.matrices
    times = np.geomspace(shortest, span, max(int(np.log10(span / shortest) * PER_DECADE), 2))
    poles = np.geomspace(span / 6, shortest, max(round(np.log10(span / shortest)), 1) + 1)
    solvers = [Shifted(forest, pole, fixed) for pole in poles]
    right = load - stiffness @ state
    if fixed is not None:
        right[fixed] = 0.0
    space = _Space(forest, mass, stiffness, right)
    known, error, count = None, np.inf, 0
    vector = right
    smallest = int(np.diff(forest.first).max())
    while True:
        vector = space.add(solvers[count % len(solvers)].solve(vector))
        count += 1
        complete = count >= min(MOST, smallest)
        if not complete and (count < FIRST or (count - FIRST) % MORE):
            continue
        leg = space.leg(began, span, state, store=False)
        now = leg.stress(times) - state[forest.unknowns][:, None]
        if known is not None:
            error = _difference(forest, now, known, tolerance)
        if error <= 1.0 or complete:
            break
        known = now
    leg = space.leg(began, span, state, store)
    shifted = tuple(zip(poles.tolist(), solvers, strict=True)) if store and len(forest.which) == 1 else ()
    return replace(leg, error=0.0 if count >= smallest else error, solvers=shifted)


def _by_modes(forest: Forest, state: Floats, load: Floats, began: float, span: float, fixed: Numbers | None) -> Leg:
    """Return the stress of a small tree by all its modes, which serve all legs with the same voids."""
    rates, modes = forest.modes(() if fixed is None else tuple(np.sort(fixed).tolist()))
    amplitudes = modes @ (load - forest.matrices[1] @ state)
    at_nodes = modes[:, forest.unknowns]
    return Leg(forest, began, span, state, rates[None], amplitudes[None], modes, at_nodes, 0.0)


def _difference(forest: Forest, now: Floats, before: Floats, tolerance: float) -> float:
    """Return the largest change at the nodes over what is allowed."""
    tree = forest.tree_of[forest.unknowns]
    first = np.searchsorted(tree, np.arange(len(forest.which)))
    change = np.maximum.reduceat(np.abs(now - before), first, axis=0)
    largest = np.maximum.reduceat(np.abs(now), first, axis=0)
    return float((change / np.maximum(tolerance, 0.1 * tolerance / 1e8 * largest)).max())


class _Space:
    """The M-orthonormal vectors, tree by tree, and the projected equations."""

    def __init__(self, forest: Forest, mass: csr_array, stiffness: csr_array, right: Floats) -> None:
        """Begin without a vector."""
        self.forest, self.mass, self.stiffness, self.right = forest, mass, stiffness, right
        self.basis = np.zeros((FIRST, forest.size))
        self.count, total = 0, len(forest.which)
        self.projected, self.amplitudes = np.zeros((total, MOST, MOST)), np.zeros((total, MOST))

    def add(self, vector: Floats) -> Floats:
        """Add a vector; return M times what it became."""
        m, forest = self.count, self.forest
        if m == len(self.basis):
            self.basis = np.concatenate([self.basis, np.zeros_like(self.basis)])[:MOST]
        before = forest.sums(vector * (self.mass @ vector))
        for _ in range(2 if m else 0):
            parts = self._dots(self.mass @ vector)
            vector = vector - self._combined(parts)
        weighted = self.mass @ vector
        norm = forest.sums(vector * weighted)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(norm > SMALL**2 * before, 1 / np.sqrt(norm), 0.0)[forest.tree_of]
        self.basis[m] = vector * scale
        self.count = m + 1
        rows = self._dots(self.stiffness @ self.basis[m])
        self.projected[:, : m + 1, m] = self.projected[:, m, : m + 1] = rows.T
        self.amplitudes[:, m] = forest.sums(self.basis[m] * self.right)
        return weighted * scale

    def leg(self, began: float, span: float, state: Floats, store: bool) -> Leg:
        """Return the solution of the projected equations."""
        m, forest = self.count, self.forest
        rates, vectors = np.linalg.eigh(self.projected[:, :m, :m])
        amplitudes = np.einsum("tij,ti->tj", vectors, self.amplitudes[:, :m])
        at_nodes = self._rotated(self.basis[:m, forest.unknowns], vectors, forest.tree_of[forest.unknowns])
        basis = self._rotated(self.basis[:m], vectors, forest.tree_of) if store else None
        return Leg(forest, began, span, state, np.maximum(rates, 0.0), amplitudes, basis, at_nodes, np.inf)

    def _dots(self, vector: Floats) -> Floats:
        """Return the products with all vectors, shape (m, t)."""
        if len(self.forest.which) == 1:
            return (self.basis[: self.count] @ vector)[:, None]
        return self.forest.sums(self.basis[: self.count] * vector)

    def _combined(self, parts: Floats) -> Floats:
        """Return the sum of the vectors with these parts, shape (m, t)."""
        if len(self.forest.which) == 1:
            return parts[:, 0] @ self.basis[: self.count]
        return np.einsum("mn,mn->n", self.basis[: self.count], parts[:, self.forest.tree_of])

    def _rotated(self, basis: Floats, vectors: Floats, tree: Numbers) -> Floats:
        """Return `Q^T V` tree by tree."""
        first = np.searchsorted(tree, np.arange(len(vectors) + 1))
        result = np.empty_like(basis)
        for i, each in enumerate(vectors):
            part = slice(first[i], first[i + 1])
            np.matmul(each.T, basis[:, part], out=result[:, part])
        return result
