"""Statistics of a system of trees: lives drawn at random, weakest link against redundancy, importance of trees."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, ResolutionWarning, count, floats, number, require, require_all, shown
from emfem.failure import Drop, FirstVoid
from emfem.gate import checked
from emfem.lifetime import Estimate, Lognormal, fit_lognormal
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.wires import node_loads
from emfem.signoff.gradients import Sensitivity
from emfem.signoff.rises import Blocked, Rises, rises
from emfem.signoff.technology import Technology
from emfem.signoff.varied import follow as followed
from emfem.units import boltzmann, eV

import numpy as np
import ufl
from numpy.typing import ArrayLike
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 64  # samples that share a generator: the unit of work of one process
RESAMPLES = 2000
EXTREME = 6.0  # standard deviations beyond which no draw is expected: 1e-9
FAR_OFF = 0.02  # of the median rise: one below it counts as this
CONNECTED = 1e-9  # part of the conductance that a cut leaves: what it isolates drops without bound, and nothing else
OVERLOADED = 1.1  # factor on a tension: lives are a fifth too long
CACHED = 400  # voids whose columns are remembered


@checked
@dataclass(frozen=True)
class Variation:
    """Variation from tree to tree; one value stands for a whole tree.

    Attributes:
        activation_energy: standard deviation of Ea, normal [J]: the diffusivity is then lognormal.
        critical_stress: standard deviation of ln sigma_c, lognormal about its median [-].
        effective_charge: standard deviation of ln |Z*|, lognormal about its median [-].
        grain_size: median of the size of grains [m]; None where all trees have the diffusivity of the technology.
        grain_spread: standard deviation of ln d, lognormal [-].
        paths: of diffusion, as in `Material.in_line`, where there are grains.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    activation_energy: float = 0.0
    critical_stress: float = 0.0
    effective_charge: float = 0.0
    grain_size: float | None = None
    grain_spread: float = 0.0
    paths: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        number("activation_energy of the variation", self.activation_energy, at_least=0.0, at_most=eV, unit="J")
        for name in ("critical_stress", "effective_charge", "grain_spread"):
            number(f"{name} of the variation", getattr(self, name), at_least=0.0, at_most=5.0)
        if self.grain_size is None:
            require(
                not self.grain_spread, f"grain_spread = {float(self.grain_spread):g} without grain_size, must have one"
            )
        else:
            number("grain_size", self.grain_size, above=0.0, unit="m")


@dataclass(frozen=True, eq=False, repr=False)
class SystemSample:
    """Lives of a system drawn at random.

    Attributes:
        lifetimes: of each sample; infinite if it outlived `until`, shape (n,) [s].
        until: end of the time that was looked at [s].
        first: tree of the first void of each sample; -1 if there is none, shape (n,).
        decisive: tree whose void made the system fail; -1 if it did not, shape (n,).
        voids: number of voids at failure, or at `until`, shape (n,).
        with_void: number of samples that failed in which each tree had a void by then, shape (trees,).
        overload: factor by which voids, before the decisive one, raise the steady tension of another tree, which lives
            under a `DropLimit` leave out, shape (n,); 1 without such a limit.
    """

    lifetimes: Floats
    until: float
    first: Numbers
    decisive: Numbers
    voids: Numbers
    with_void: Numbers
    overload: Floats

    @property
    def failed(self) -> float:
        """Part of the samples that failed until `until` [-]."""
        return float(np.isfinite(self.lifetimes).mean())

    @checked
    def failed_by(self, time: float, *, confidence: float = 0.95) -> Estimate:
        """Return the part that has failed by a time, with the exact interval of Clopper and Pearson [-].

        Args:
            time: above 0, at most `until` [s].
            confidence: of the interval, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("time", time, above=0.0, at_most=self.until, unit="s")
        return _part(int((self.lifetimes <= time).sum()), len(self.lifetimes), confidence)

    @checked
    def quantile(self, probability: float, *, confidence: float = 0.95) -> Estimate:
        """Return the time by which a part of all has failed, whatever their distribution [s].

        The ends of the interval are order statistics, chosen by the binomial distribution; 0 or infinite where the
        samples are too few for an end.

        Args:
            probability: in (0, 1) [-].
            confidence: of the interval, at least this, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("probability", probability, above=0.0, below=1.0)
        n, tail = len(self.lifetimes), (1 - _level(confidence)) / 2
        order = np.concatenate([[0.0], np.sort(self.lifetimes), [np.inf]])
        low = int(stats.binom.ppf(tail, n, probability))  # P(fewer than this many failed by the quantile) <= tail
        high = int(stats.binom.ppf(1 - tail, n, probability)) + 1
        middle = min(max(int(np.ceil(probability * n)), 1), n)
        return Estimate(float(order[middle]), float(order[low]), float(order[high]))

    @checked
    def mttf(self, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
        """Return the mean time to failure, with its interval by the bootstrap (bias-corrected, accelerated) [s].

        Args:
            confidence: of the interval, in (0, 1) [-].
            seed: of the resamples, at least 0.

        Raises:
            ParameterError: if samples outlived `until`: their mean is not known.
        """
        if self.failed < 1:
            msg = (
                f"{1 - self.failed:.3g} of the samples outlived until = {self.until:g} s, must be none for a mean: "
                "take a longer one, or mean_until(), quantile(...), fit()"
            )
            raise ParameterError(msg)
        return _mean(self.lifetimes, confidence, seed)

    @checked
    def mean_until(self, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
        """Return the mean of the time in service until failure or `until`, with its interval by the bootstrap [s].

        Args:
            confidence: of the interval, in (0, 1) [-].
            seed: of the resamples, at least 0.
        """
        return _mean(np.minimum(self.lifetimes, self.until), confidence, seed)

    @checked
    def fit(self, *, confidence: float = 0.95) -> Lognormal:
        """Fit a lognormal distribution to the lives; those that outlived `until` are censored.

        The weakest of many is not lognormal: far from the median `quantile` is the better one.

        Raises:
            ParameterError: as em.lifetime.fit_lognormal.
        """
        return fit_lognormal(np.minimum(self.lifetimes, self.until), np.isinf(self.lifetimes), confidence=confidence)

    @checked
    def importance(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the table of the trees that matter, most decisive first.

        Columns: tree; "first", the part of all samples in which it had the first void; "decisive", the part in which
        its void made the system fail, with the interval "decisive low" to "decisive high" of Clopper and Pearson;
        "present", the part of the failures in which it had a void by then.

        Args:
            confidence: of the intervals, in (0, 1) [-].
        """
        import pandas as pd  # slow to import

        trees, n = len(self.with_void), len(self.lifetimes)
        counts = {
            name: np.bincount(which[which >= 0], minlength=trees)
            for name, which in (("first", self.first), ("decisive", self.decisive))
        }
        parts = [_part(int(each), n, confidence) for each in counts["decisive"]]
        failures = max(int(np.isfinite(self.lifetimes).sum()), 1)
        table = pd.DataFrame(
            {
                "tree": np.arange(trees),
                "first": counts["first"] / n,
                "decisive": counts["decisive"] / n,
                "decisive low": [each.low for each in parts],
                "decisive high": [each.high for each in parts],
                "present": self.with_void / failures,
            }
        )
        table = table[(counts["first"] > 0) | (self.with_void > 0)]
        return table.sort_values(["decisive", "first", "tree"], ascending=[False, False, True], ignore_index=True)

    def __str__(self) -> str:
        """One line, with intervals of 95 %."""
        n = len(self.lifetimes)
        part = _part(int(np.isfinite(self.lifetimes).sum()), n, 0.95)
        end = f" until {self.until:.4g} s" if np.isfinite(self.until) else ""
        text = f"{n} samples, {part.value:.2%} ({part.low:.2%} to {part.high:.2%}) fail{end}"
        return f"{text}, half of all by {self.quantile(0.5)} s" if self.failed > 0.5 else text

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked
def system_life(
    lives: ArrayLike,
    *,
    fails: FirstVoid | DropLimit | int = FirstVoid(),  # noqa: B008
    until: float | None = None,
) -> SystemSample:
    """Return the lives of systems from those of their trees.

    Args:
        lives: time of the void of each tree of each sample, infinite if none opens, shape (n, trees) [s].
        fails: `em.failure.FirstVoid()`, the weakest link; a number k, when k trees have a void (1 is the weakest link,
            their number the parallel system); or `DropLimit(...)`, when the voids, one after another, have brought a
            node of the grid below its limit.
        until: end of the time that is looked at [s]; without end if left out.

    Raises:
        ParameterError: for lives that are no times, or a number of trees out of its bounds.
    """
    times = floats("lives", lives)
    require(times.ndim == 2 and times.size, f"lives of shape {times.shape}, must be of shape (samples, trees)")
    require_all((times >= 0).all(axis=1), lambda i: f"lives[{i}] = {times[i].min():g} s, must be at least 0")
    end = np.inf if until is None else number("until", until, above=0.0, unit="s")
    needed = _needed(fails, times.shape[1])
    parts = [_failure(row, end, needed) for row in times]
    return _gathered([parts], end, times.shape[1])


@checked
def monte_carlo(
    network: Network,
    technology: Technology,
    *,
    samples: int,
    seed: int,
    until: float,
    variation: Variation,
    fails: Any = FirstVoid(),  # noqa: B008
    growth: ArrayLike = 0.0,
    follow: bool = False,
    update: float = 0.05,
    loads: Mapping[int, float] | ArrayLike | None = None,
    rtol: float = 1e-3,
    map: Callable[..., Iterable[Any]] = map,
) -> SystemSample:
    """Return the lives of grids whose trees differ at random.

    The rise of tension of every tree is computed once. Korhonen's equation is linear in the current and its times go
    as 1/D: the void of a tree whose diffusivity is d, and whose charge z times that of the technology, opens when the
    tension of the technology has risen by (sigma_c - sigma_T)/z, d times sooner. The draws depend on the seed alone:
    not on the number of processes, nor on which variations are 0.

    Currents stay those without voids while voids open: with redundancy the others carry more from then on, so lives
    under `Drop` are too long, in a grid with much redundancy by a factor. With `follow` every sample is a simulation of
    its own, as by `em.signoff.run`: voids grow, and the currents of the whole grid follow.

    Args:
        network: of the wires.
        technology: of the chip: medians.
        samples: number of grids, at least 1.
        seed: of the generators, at least 0.
        until: end of the time that is looked at [s].
        variation: `Variation(...)`.
        fails: as in `system_life`; `em.failure.Drop(limit)` stands for the `DropLimit` whose voids are where the trees
            of the technology have theirs.
        growth: time from the opening of a void until it cuts its wires, of the technology, a number or one a tree [s];
            with D and Z* it goes as 1/(D |Z*|).
        follow: True to simulate each grid; `fails` is then any criterion of `em.failure`.
        update: as in `em.signoff.run`, with `follow`.
        loads: current drawn from nodes [A]; those of the network if left out.
        rtol: error allowed in the stress, as a part of the lowest critical one [-].
        map: a function like Python's, such as `ThreadPoolExecutor().map`, by which blocks of 64 samples are computed
            side by side.

    Raises:
        ParameterError: for an argument out of its bounds, or a residual stress that is not below the critical one.

    Warns:
        ResolutionWarning: where voids raise the tension of other trees by more than a tenth before the grid fails.
    """
    require(not isinstance(map, ufl.core.expr.Expr), "map is a UFL expression, must be a function as Python's map")
    samples, until = count("samples", samples, at_least=1), number("until", until, above=0.0, unit="s")
    rtol = number("rtol", rtol, at_least=1e-8, at_most=0.1)
    seeds = np.random.SeedSequence(count("seed", seed, at_least=0)).spawn(-(-samples // BLOCK))
    if loads is not None:
        network = replace(network, loads=node_loads(loads, len(network.nodes)))
    median = technology.critical_stress - technology.residual_stress
    require(median > 0, f"residual_stress = {technology.residual_stress:g} Pa, must be below the critical stress")
    draws = _Draws(network, technology, variation)
    blocks = [(one, min(BLOCK, samples - i * BLOCK)) for i, one in enumerate(seeds)]
    if follow:
        number("update", update, at_least=1e-4, at_most=1.0)
        require(np.all(np.equal(growth, 0.0)), "growth with follow, must be left out: voids grow as they do")
        message = f"fails = {shown(fails)}, must be a criterion of em.failure where currents are followed"
        require(not isinstance(fails, int | DropLimit), message)

        def simulated(one: tuple[np.random.SeedSequence, int]) -> list[tuple[float, Numbers, bool, float]]:
            factors = zip(*draws.factors(*one), strict=True)
            return [followed(network, technology, each, fails, until, update, rtol) for each in factors]

        return _gathered(map(simulated, blocks), until, draws.trees)
    trees = Blocked.of(network, technology)
    lowest = technology.critical_stress * np.exp(-EXTREME * variation.critical_stress) - technology.residual_stress
    lowest = max(float(lowest * np.exp(-EXTREME * variation.effective_charge)), FAR_OFF * median)
    known = rises(trees, least=lowest, span=until * draws.fastest(), rtol=rtol)
    if isinstance(fails, Drop):
        fails = DropLimit(network, technology, fails.limit, nodes=known.nodes(median))
    needed = _needed(fails, trees.trees.count)
    grown = floats("growth", growth)
    require_all(np.ravel(grown >= 0), lambda i: f"growth = {grown.flat[i]:g} s, must be at least 0")
    require(grown.shape in ((), (trees.trees.count,)), f"growth of shape {grown.shape}, must be one a tree")

    def block(one: tuple[np.random.SeedSequence, int]) -> list[tuple[float, Numbers, bool, float]]:
        lives = draws.lives(*one, known, grown)
        return [_failure(row, until, needed) for row in lives]

    sample = _gathered(map(block, blocks), until, trees.trees.count)
    typical = float(np.median(sample.overload))
    if typical > OVERLOADED:
        warnings.warn(
            f"voids raise the tension of other trees by a factor of {typical:.3g} (median) before the grid fails, "
            f"should be at most {OVERLOADED:g}: lives are too long, by its square or more: give follow=True",
            ResolutionWarning,
            stacklevel=3,
        )
    return sample


class _Draws:
    """Random technologies of all trees."""

    def __init__(self, network: Network, technology: Technology, variation: Variation) -> None:
        self.technology, self.variation = technology, variation
        of_segment = network.components[network.segments[:, 0]]
        self.trees = int(of_segment.max()) + 1
        self.thermal = boltzmann * technology.temperature
        self.bamboo = self.boundary = self.width = np.zeros(self.trees)
        if variation.grain_size is None:
            return
        volume = network.lengths * network.cross_sections
        total = np.bincount(of_segment, volume, self.trees)
        self.width = np.bincount(of_segment, volume * network.width, self.trees) / total
        height = np.bincount(of_segment, volume * network.thickness, self.trees) / total
        # D = a + b (1/d - 1/w) for grains smaller than the line, a for a bamboo
        self.bamboo, self.boundary = np.zeros(self.trees), np.zeros(self.trees)
        for size in {(float(w), float(h)) for w, h in zip(self.width, height, strict=True)}:
            mine = (self.width == size[0]) & (height == size[1])
            whole, halved = (self._diffusivity(*size, d) for d in (size[0], size[0] / 2))
            self.bamboo[mine], self.boundary[mine] = whole, (halved - whole) * size[0]

    def _diffusivity(self, width: float, height: float, grain: float) -> float:
        """Return D of a line over that of the technology."""
        paths, metal = self.variation.paths, self.technology.material
        line = metal.in_line(width=width, height=height, grain_size=grain, paths=paths)
        return float(line.diffusivity / metal.diffusivity)

    def diffusivity(self, energy: Floats, grain: Floats) -> Floats:
        """Return D over that of the technology, of standard normal draws."""
        result = np.exp(-energy * self.variation.activation_energy / self.thermal)
        if self.variation.grain_size is None:
            return result
        size = self.variation.grain_size * np.exp(grain * self.variation.grain_spread)
        return result * (self.bamboo + self.boundary * np.maximum(1 / size - 1 / self.width, 0.0))

    def fastest(self) -> float:
        """Return the largest D over that of the technology that a draw may have."""
        extreme = np.full(self.trees, EXTREME)
        return max(float(self.diffusivity(-extreme, -extreme).max()), 1.0)

    def factors(self, seed: np.random.SeedSequence, samples: int) -> tuple[Floats, Floats, Floats]:
        """Return the factors on D, Z* and the critical stress of some samples, shape (samples, trees) each.

        The draws of a block are always all made.
        """
        draws = np.random.default_rng(seed).standard_normal((BLOCK, 4, self.trees))[:samples]
        diffusivity = self.diffusivity(draws[:, 0], draws[:, 3])
        critical = np.exp(draws[:, 1] * self.variation.critical_stress)
        return diffusivity, np.exp(draws[:, 2] * self.variation.effective_charge), critical

    def lives(self, seed: np.random.SeedSequence, samples: int, known: Rises, growth: Floats) -> Floats:
        """Return the lives of some samples, shape (samples, trees)."""
        diffusivity, charge, critical = self.factors(seed, samples)
        rise = (critical * self.technology.critical_stress - self.technology.residual_stress) / charge
        result = np.empty((samples, self.trees))
        for tree in range(self.trees):
            result[:, tree] = known.times(tree, np.maximum(rise[:, tree], 0.0))
        return (result + growth / charge) / diffusivity


class DropLimit:
    """Failure of a grid when its voids, one after another, have brought a node below the limit of the IR drop.

    A void cuts all wires of its tree at its node, or raises them by its length of liner. Each is an update of low rank:
    no system is factorised again.

    Attributes:
        limit: of the drop [V].
        trees: their number.
    """

    @checked
    def __init__(
        self,
        network: Network,
        technology: Technology,
        limit: float,
        *,
        nodes: ArrayLike | None = None,
        void_length: float | None = None,
    ) -> None:
        """Solve Kirchhoff's laws without voids.

        Args:
            network: of the wires, with pads.
            technology: of the chip.
            limit: of the IR drop, above that without voids [V].
            nodes: where each tree gets its void, shape (trees,); that of its highest steady tension if left out.
            void_length: of a void whose liner carries the current on [m]; if left out, or in layers without liner, a
                void cuts its wires.

        Raises:
            ParameterError: for a network without pads, a limit that is passed without voids, nodes of another shape or
                outside of their trees, or a length that is not above 0.
        """
        state = Sensitivity(network, technology)
        require(network.pads, "a grid without pads has no drop, must have pads")
        self._state, self._drop0 = state, state.currents.drop
        self.limit, self.trees = number("limit", limit, above=0.0, unit="V"), state.trees
        start = float(np.abs(self._drop0).max())
        require(start < self.limit, f"limit = {self.limit:g} V, must be above the drop at the start, {start:g} V")
        places = state.worst if nodes is None else floats("nodes", nodes, (state.trees,), f"one a tree ({state.trees})")
        require_all(
            network.components[places.astype(np.int64)] == np.arange(state.trees),
            lambda i: f"nodes[{i}] = {places[i]:g}, must be a node of tree {i}",
        )
        self._nodes = places.astype(np.int64)
        self._left = np.full(len(network.segments), CONNECTED)  # part of the conductance beside a void
        if void_length is not None:
            length = number("void_length", void_length, above=0.0, unit="m")
            self._left = self._lined(network, technology, length)
        ends = network.segments.ravel()
        order = np.argsort(ends, kind="stable")
        self._first = np.searchsorted(ends[order], np.arange(len(network.nodes) + 1))
        self._at = order // 2
        self._columns: OrderedDict[int, Floats] = OrderedDict()

    @checked
    def drops(self, trees: ArrayLike) -> list[float]:
        """Return the largest drop after each of these voids, in their order, up to the first above the limit [V].

        Args:
            trees: with a void, in the order of their opening.
        """
        return self.walk(trees)[0]

    @checked
    def walk(self, trees: ArrayLike) -> tuple[list[float], float]:
        """Return what `drops` does, and how far the voids before the last raise the tension of the other trees.

        That is the largest factor by which the rise of a steady tension grows, of trees where it is then half of what
        opens a void or more; at least 1.
        """
        network, conductance = self._state.network, self._state.conductance
        phi, result = self._state.currents.potential, list[float]()
        done: list[int] = []
        columns, moved = np.zeros((len(phi), 0)), np.zeros(len(phi))
        before, numbers = moved, floats("trees", trees, (None,), "numbers of trees").tolist()
        order = [count(f"trees[{i}]", each, at_least=0, at_most=self.trees - 1) for i, each in enumerate(numbers)]
        for tree in order:
            before = moved
            new = [each for each in self._wires(tree) if each not in done]
            at = [self._wires(tree).index(each) for each in new]
            columns = np.concatenate([columns, self._column(tree)[:, at]], axis=1)
            done += new
            a, b = network.segments[done].T
            lost = conductance[done] * (1 - self._left[done])
            small = columns[a] - columns[b] - np.diag(1 / lost)
            moved = -columns @ np.linalg.solve(small, phi[a] - phi[b])
            result.append(float(np.abs(self._drop0 - moved).max()))
            if result[-1] > self.limit:
                return result, self._overload(before, order[: len(result) - 1])
        return result, self._overload(moved, order)

    def _overload(self, moved: Floats, voids: list[int]) -> float:
        """Return the factor on the tension of the trees without void, where potentials have moved."""
        technology = self._state.technology
        needed = technology.critical_stress - technology.residual_stress
        rise = self._state.steady_at(self._state.currents.potential + moved) - technology.residual_stress
        known = np.maximum(self._state.steady - technology.residual_stress, needed / 2)
        others = rise >= needed / 2
        others[voids] = False
        return max(float((rise[others] / known[others]).max(initial=1.0)), 1.0)

    def _wires(self, tree: int) -> list[int]:
        """Return the segments that meet at the void of a tree."""
        node = self._nodes[tree]
        return self._at[self._first[node] : self._first[node + 1]].tolist()

    def _column(self, tree: int) -> Floats:
        """Return the potentials of unit currents from end to start of each wire at the void of a tree."""
        if tree in self._columns:
            self._columns.move_to_end(tree)
            return self._columns[tree]
        a, b = self._state.network.segments[self._wires(tree)].T
        right = np.zeros((len(self._drop0), len(a)))
        right[a, range(len(a))] = 1.0
        right[b, range(len(a))] = -1.0
        self._columns[tree] = self._state.adjoint(right)
        if len(self._columns) > CACHED:
            self._columns.popitem(last=False)
        return self._columns[tree]

    @staticmethod
    def _lined(network: Network, technology: Technology, length: float) -> Floats:
        """Return the part of the conductance of each segment with a void of this length; a cut without liner."""
        result = np.full(len(network.segments), CONNECTED)
        for layer, mine in technology.of_segments(network):
            if layer.liner is None:
                continue
            width, thickness = network.width[mine], network.thickness[mine]
            metal = layer.resistivity * network.lengths[mine] / (width * thickness)
            added = length * layer.liner.resistance_per_length(
                width=width, thickness=thickness, resistivity=layer.resistivity
            )
            result[mine] = metal / (metal + added)
        return result


def _needed(fails: Any, trees: int) -> int | DropLimit:
    """Return the number of voids that are failure, or the limit of the drop."""
    if isinstance(fails, DropLimit):
        require(fails.trees == trees, f"lives of {trees} trees, must be those of the grid's {fails.trees}")
        return fails
    return 1 if isinstance(fails, FirstVoid) else count("fails", fails, at_least=1, at_most=trees)


def _failure(lives: Floats, until: float, needed: int | DropLimit) -> tuple[float, Numbers, bool, float]:
    """Return the life of one system, its trees with a void then, in order, True if it failed, and the overload."""
    order = np.argsort(lives, kind="stable")
    order = order[: np.searchsorted(lives[order], until, side="right")]
    order = order[np.isfinite(lives[order])]
    if isinstance(needed, int):
        failed, at, overload = len(order) >= needed, needed, 1.0
    else:
        drops, overload = needed.walk(order)
        failed, at = bool(drops) and drops[-1] > needed.limit, len(drops)
    return (float(lives[order[at - 1]]), order[:at], True, overload) if failed else (np.inf, order, False, overload)


def _gathered(blocks: Iterable[list[tuple[float, Numbers, bool, float]]], until: float, trees: int) -> SystemSample:
    """Return the sample of the systems of all blocks."""
    rows = [row for block in blocks for row in block]
    with_void = np.zeros(trees, dtype=np.int64)
    for _, order, failed, _ in rows:
        if failed:
            with_void[order] += 1
    return SystemSample(
        np.array([life for life, _, _, _ in rows]),
        until,
        np.array([order[0] if len(order) else -1 for _, order, _, _ in rows]),
        np.array([order[-1] if failed else -1 for _, order, failed, _ in rows]),
        np.array([len(order) for _, order, _, _ in rows]),
        with_void,
        np.array([overload for _, _, _, overload in rows]),
    )


def _level(confidence: float) -> float:
    return number("confidence", confidence, above=0.0, below=1.0)


def _part(successes: int, n: int, confidence: float) -> Estimate:
    """Return a part of n with the interval of Clopper and Pearson."""
    interval = stats.binomtest(successes, n).proportion_ci(_level(confidence), method="exact")
    return Estimate(successes / n, float(interval.low), float(interval.high))


def _mean(values: Floats, confidence: float, seed: int) -> Estimate:
    """Return a mean with its interval by the bootstrap."""
    level, mean = _level(confidence), float(values.mean())
    generator = np.random.default_rng(count("seed", seed, at_least=0))
    if len(values) < 2 or not np.ptp(values):
        return Estimate(mean, mean, mean)
    interval = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=RESAMPLES, random_state=generator, batch=100
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))
