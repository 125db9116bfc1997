"""Lives of systems against closed forms, and the intervals of what is estimated."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.conduction import kirchhoff
from emfem.failure import FirstVoid
from emfem.mesh import Network
from emfem.mesh.wires import build
from emfem.signoff import DropLimit, Layer, Technology, Variation, monte_carlo, system_life
from emfem.signoff.metal import resolve_temperature
from emfem.units import MPa, boltzmann, eV, nm, um, year

import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from scipy import stats
from scipy.optimize import brentq

METAL = em.materials.copper(378.15).having(diffusivity=1e-18)
TECHNOLOGY = Technology({"M1": Layer("M1", 0.3 * um, 2.2e-8)}, METAL, 378.15, 500 * MPa)
MEDIAN, SIGMA = 1e8, 0.4


def lognormal(samples: int, trees: int, seed: int = 0) -> np.ndarray:
    """Lives of independent trees."""
    return MEDIAN * np.exp(SIGMA * np.random.default_rng(seed).standard_normal((samples, trees)))


def weakest(probability: float, trees: int) -> float:
    """Quantile of the least of independent lognormal lives."""
    return MEDIAN * float(np.exp(SIGMA * stats.norm.ppf(1 - (1 - probability) ** (1 / trees))))


def strongest(probability: float, trees: int) -> float:
    """Quantile of the greatest."""
    return MEDIAN * float(np.exp(SIGMA * stats.norm.ppf(probability ** (1 / trees))))


def ladder(rungs: int = 3, load: float = 1e-4) -> Network:
    """Equal wires side by side from one pad node to one load node, joined by vias: each is a tree."""
    x, y = np.tile([0.0, 40 * um], rungs + 1), np.repeat(np.arange(rungs + 1), 2) * um
    segments = np.arange(2 * rungs + 2).reshape(-1, 2)[:rungs]
    left, right = 2 * rungs, 2 * rungs + 1
    vias = [each for i in range(rungs) for each in ((2 * i, left, 1e-3), (2 * i + 1, right, 1e-3))]
    return build(
        np.stack([x, y], axis=1),
        segments,
        width=0.2 * um,
        thickness=0.3 * um,
        vias=np.array(vias),
        loads={right: load},
        pads={left: 1.0},
    )


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize(("fails", "exact"), [(FirstVoid(), weakest), (8, strongest)], ids=["series", "parallel"])
def test_quantiles_of_series_and_parallel_systems_lie_in_their_intervals(probability: float, fails: Any, exact: Any):
    sample = system_life(lognormal(4000, 8), fails=fails)
    assert exact(probability, 8) in sample.quantile(probability, confidence=0.999)
    assert probability in sample.failed_by(exact(probability, 8), confidence=0.999)


def test_the_mean_of_a_series_system_lies_in_its_interval():
    """The mean of the least by quadrature of its survival."""
    t = np.linspace(0, 6 * MEDIAN, 20001)[1:]
    exact = float(np.trapezoid(stats.norm.sf(np.log(t / MEDIAN) / SIGMA) ** 5, t)) + t[0]
    sample = system_life(lognormal(2000, 5))
    mean = sample.mttf(confidence=0.999)
    assert exact in mean
    assert (mean.high - mean.low) < 0.1 * exact


@pytest.mark.parametrize("which", ["quantile", "failed_by", "mean"])
def test_intervals_cover_the_truth_as_often_as_they_claim(which: str):
    """120 studies of 100 samples, 90 %: below 82 % or, for the mean, above 97 % has a chance below 1 %."""
    truth = {
        "quantile": weakest(0.3, 4),
        "failed_by": float(1 - stats.norm.sf(np.log(0.7) / SIGMA) ** 4),
        "mean": MEDIAN * float(np.exp(SIGMA**2 / 2)),
    }[which]
    inside = 0
    for seed in range(120):
        sample = system_life(lognormal(100, 1 if which == "mean" else 4, seed))
        estimate = {
            "quantile": lambda s: s.quantile(0.3, confidence=0.9),
            "failed_by": lambda s: s.failed_by(0.7 * MEDIAN, confidence=0.9),
            "mean": lambda s: s.mttf(confidence=0.9),
        }[which](sample)
        inside += truth in estimate
    assert 0.82 <= inside / 120 <= (0.97 if which == "mean" else 0.99)


def test_the_fit_of_one_tree_is_its_lognormal():
    sample = system_life(lognormal(2000, 1), until=1.2 * MEDIAN)
    fit = sample.fit(confidence=0.999)
    assert MEDIAN in fit.t50
    assert SIGMA in fit.sigma
    assert fit.censored == np.isinf(sample.lifetimes).sum() > 0


def test_importance_is_the_chance_of_being_the_weakest():
    """Two exponential-like classes: a tree whose ln t is lower by d is first with Phi(d / (sqrt 2 s)) against one."""
    lives = lognormal(4000, 2)
    lives[:, 1] *= np.exp(-0.3)
    table = system_life(lives).importance(confidence=0.999)
    assert table["tree"].tolist() == [1, 0]
    exact = stats.norm.cdf(0.3 / (SIGMA * np.sqrt(2)))
    assert table["decisive low"][0] < exact < table["decisive high"][0]
    assert table["first"].tolist() == table["decisive"].tolist()
    assert table["decisive"].sum() == pytest.approx(1.0)


def test_the_second_of_three_voids_is_decisive_where_two_are_needed():
    sample = system_life([[3.0, 1.0, 2.0], [np.inf, 5.0, 9.0]], fails=2, until=8.0)
    assert sample.lifetimes.tolist() == [2.0, np.inf]
    assert (sample.first.tolist(), sample.decisive.tolist(), sample.voids.tolist()) == ([1, 1], [2, -1], [2, 1])
    assert sample.with_void.tolist() == [0, 1, 1]
    table = sample.importance()
    assert table["present"].tolist() == [1.0, 1.0]
    assert sample.failed == 0.5


def test_a_system_without_failure_bounds_its_part():
    """The rule of three: 3.7/n with 97.5 % on one side."""
    sample = system_life(np.full((1000, 3), np.inf), until=1e8)
    assert sample.failed_by(1e8).low == 0.0
    assert sample.failed_by(1e8).high == pytest.approx(1 - 0.025 ** (1 / 1000), rel=1e-9)
    assert str(sample) == (
        "1000 samples, 0.00% (0.00% to 0.37%) fail until 1e+08 s; mean time to failure (MTTF) not known: "
        "1000 outlive the end"
    )
    assert str(system_life([[year], [3 * year]])).endswith(
        "half of all by 3.156e+07 (0 to inf) s = 1 (0 to inf) years, mean time to failure (MTTF) "
        "6.312e+07 (3.156e+07 to 9.467e+07) s = 2 (1 to 3) years"
    )
    assert sample.quantile(0.5).value == np.inf


def test_wires_side_by_side_fail_as_a_parallel_system():
    """The drop of the last one left is within the limit: the grid lives as long as the strongest tree."""
    network = ladder()
    alone = np.abs(kirchhoff(network, 2.2e-8, extra_resistance=[0.0, np.inf, np.inf]).drop).max()
    lives = lognormal(300, 3)
    parallel = system_life(lives, fails=DropLimit(network, TECHNOLOGY, 1.01 * alone))
    assert parallel.lifetimes == pytest.approx(lives.max(axis=1))
    second = system_life(lives, fails=DropLimit(network, TECHNOLOGY, 0.99 * alone))
    assert second.lifetimes == pytest.approx(np.sort(lives, axis=1)[:, 1])
    assert (second.voids == 2).all()


@pytest.mark.parametrize("void_length", [None, 50 * nm], ids=["cut", "liner"])
def test_drops_after_voids_are_those_of_kirchhoff(void_length: float | None):
    """A grid of two layers; a cut leaves 1e-9 of the conductance."""
    loads = np.full((5, 5), 2e-4)
    network = em.mesh.grid_network(5, 5, 20 * um, width=0.4 * um, thickness=0.3 * um, load=loads, cells=1).wires()
    liner = em.failure.Liner(2e-6, 5 * nm)
    layers = {name: Layer(name, 0.3 * um, 2.2e-8, liner=liner) for name in ("M1", "M2")}
    technology = replace(TECHNOLOGY, layers=layers)
    limit = DropLimit(network, technology, 10.0, void_length=void_length)
    order = [3, 7, 1, 8]
    drops, extra = limit.drops(order), np.zeros(len(network.segments))
    state = em.signoff.Sensitivity(network, technology)
    for tree, drop in zip(order, drops, strict=True):
        at = (network.segments == state.worst[tree]).any(axis=1)
        per_length = liner.resistance_per_length(width=0.4 * um, thickness=0.3 * um, resistivity=2.2e-8)
        extra[at] = np.inf if void_length is None else void_length * per_length
        exact = np.abs(kirchhoff(network, 2.2e-8, extra_resistance=extra).drop).max()
        assert drop == pytest.approx(exact, rel=1e-6)
    assert drops == pytest.approx(limit.drops(order))  # with the columns remembered
    assert len(set(np.round(drops, 12))) > 1


def test_a_cut_that_leaves_a_load_alone_is_failure():
    network = ladder(rungs=1)
    sample = system_life([[5.0]], fails=DropLimit(network, TECHNOLOGY, 100.0))
    assert sample.lifetimes.tolist() == [5.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: system_life([1.0, 2.0]), r"lives of shape \(2,\), must be of shape \(samples, trees\)"),
        (lambda: system_life([[1.0, -2.0]]), r"lives\[0\] = -2 s, must be at least 0"),
        (lambda: system_life([[1.0, np.nan]]), r"lives\[0\] = nan s, must be at least 0"),
        (lambda: system_life([[1.0]], fails=2), r"fails = 2, must be at most 1"),
        (lambda: system_life([[1.0]], until=0.0), r"until = 0 s, must be greater than 0"),
        (lambda: system_life([[1.0]], fails=DropLimit(ladder(), TECHNOLOGY, 1.0)), r"lives of 1 trees, must be .* 3"),
        (lambda: system_life([[1.0]], until=0.5).mttf(), r"1 of the samples outlived until = 0.5 s, must be none"),
        (lambda: system_life([[1.0]], until=2.0).failed_by(3.0), r"time = 3 s, must be at most 2 s"),
        (lambda: system_life([[1.0]]).quantile(1.0), r"probability = 1, must be less than 1"),
        (lambda: system_life([[1.0]]).quantile(0.5, confidence=1.0), r"confidence = 1, must be less than 1"),
        (lambda: DropLimit(ladder(), TECHNOLOGY, 1e-9), r"limit = 1e-09 V, must be above the drop at the start"),
        (lambda: DropLimit(ladder(), TECHNOLOGY, 1.0, nodes=[0, 0, 4]), r"nodes\[1\] = 0, must be a node of tree 1"),
        (lambda: DropLimit(ladder(), TECHNOLOGY, 1.0, void_length=0.0), r"void_length = 0 m, must be greater than 0"),
    ],
)
def test_bad_arguments_are_refused(call: Any, words: str):
    with pytest.raises(em.ParameterError, match=words):
        call()


DENSITY = 1e-3 / 3 / (0.2 * um * 0.3 * um)
NUCLEATION = em.lifetime.line_lifetime(
    METAL.having(resistivity=2.2e-8), length=40 * um, current_density=DENSITY, critical_stress=100 * MPa
).nucleation
WEAK = replace(TECHNOLOGY, critical_stress=100 * MPa)


@pytest.mark.parametrize(("fails", "exact"), [(FirstVoid(), weakest), (3, strongest)], ids=["series", "parallel"])
def test_lives_of_equal_wires_are_lognormal(fails: Any, exact: Any):
    """A normal Ea of deviation s makes lives lognormal, s/kT, about the closed form of the line."""
    energy = SIGMA * boltzmann * 378.15
    sample = monte_carlo(
        ladder(load=1e-3),
        WEAK,
        samples=2000,
        seed=3,
        until=1e3 * NUCLEATION,
        variation=Variation(activation_energy=energy),
        fails=fails,
    )
    for probability in (0.1, 0.5, 0.9):
        truth = exact(probability, 3) * NUCLEATION / MEDIAN
        assert truth in sample.quantile(probability, confidence=0.999)


def test_early_lives_go_as_the_square_of_the_critical_stress_and_of_the_charge():
    """Before the other end is felt t = (pi/4 kappa) ((sigma_c - sigma_T)/G)^2; 1e-4 of elements and interpolation."""
    same: dict[str, Any] = {"samples": 8, "seed": 5, "until": 1e5 * NUCLEATION}
    network = ladder(1, load=1e-3 / 3)
    plain = monte_carlo(network, WEAK, **same, variation=Variation()).lifetimes
    assert plain == pytest.approx(NUCLEATION, rel=2e-3)
    stress = monte_carlo(network, WEAK, **same, variation=Variation(critical_stress=0.1)).lifetimes
    charge = monte_carlo(network, WEAK, **same, variation=Variation(effective_charge=0.1)).lifetimes
    draws = np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0]).standard_normal((64, 4, 1))[:8]
    line = em.lifetime.Line(length=40 * um, current_density=DENSITY)
    metal = METAL.having(resistivity=2.2e-8)
    exact = line(metal, 100 * MPa * np.exp(0.1 * draws[:, 1, 0])).nucleation
    assert stress == pytest.approx(exact, rel=2e-3)
    charged = [metal.having(effective_charge=METAL.effective_charge * np.exp(0.1 * z)) for z in draws[:, 2, 0]]
    assert charge == pytest.approx(line(charged, 100 * MPa).nucleation, rel=2e-3)


def test_grains_are_those_of_a_line():
    metal = em.materials.copper(378.15)
    technology = Technology({"M1": Layer("M1", 0.3 * um, metal.resistivity)}, metal, 378.15, 100 * MPa)
    own: dict[str, Any] = {"width": 0.2 * um, "height": 0.3 * um}
    same: dict[str, Any] = {"samples": 30, "seed": 2, "until": 1e6 * year}
    network, line = ladder(1, load=1e-3 / 3), em.lifetime.Line(length=40 * um, current_density=DENSITY)
    spread = Variation(grain_size=0.15 * um, grain_spread=0.5)
    lives = monte_carlo(network, technology, **same, variation=spread).lifetimes
    draws = np.random.default_rng(np.random.SeedSequence(2).spawn(1)[0]).standard_normal((64, 4, 1))[:30, 3, 0]
    metals = [metal.in_line(**own, grain_size=0.15 * um * float(np.exp(0.5 * z))) for z in draws]
    assert lives == pytest.approx(line(metals, 100 * MPa).nucleation, rel=2e-3)
    assert len(set(lives)) < 30  # bamboos are all alike


@pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")  # of currents that move
def test_the_draws_do_not_depend_on_who_makes_them():
    same: dict[str, Any] = {
        "samples": 200,
        "seed": 9,
        "until": 1e4 * NUCLEATION,
        "variation": Variation(activation_energy=0.02 * eV, critical_stress=0.1),
        "fails": em.failure.Drop(1.01 * 1e-3 * 2.2e-8 * 40 * um / (0.2 * um * 0.3 * um)),
    }
    network = ladder(load=1e-3)
    alone = monte_carlo(network, WEAK, **same)
    with ThreadPoolExecutor(3) as pool:
        shared = monte_carlo(network, WEAK, **same, mapper=pool.map)
    backwards = monte_carlo(network, WEAK, **same, mapper=lambda f, x: [f(each) for each in reversed(x)][::-1])
    for other in (shared, backwards):
        assert np.array_equal(alone.lifetimes, other.lifetimes)
        assert np.array_equal(alone.decisive, other.decisive)
    fewer = monte_carlo(network, WEAK, **{**same, "samples": 70})
    assert np.array_equal(alone.lifetimes[:70], fewer.lifetimes)
    other_seed = monte_carlo(network, WEAK, **{**same, "seed": 10})
    assert not np.array_equal(alone.lifetimes, other_seed.lifetimes)


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_grids_side_by_side_on_a_dask_cluster(processes: bool):
    """Two threads, or two processes whose grids are followed: they make a block each, and the lives stay."""
    same: dict[str, Any] = {
        "samples": 66, "seed": 3, "until": 1e4 * NUCLEATION, "follow": processes, "fails": FirstVoid(),
        "variation": Variation(activation_energy=0.02 * eV),
    }  # fmt: skip
    network = ladder(load=1e-3)
    alone = monte_carlo(network, WEAK, **same)
    with (
        LocalCluster(n_workers=1 + processes, threads_per_worker=2 - processes, processes=processes,
                     dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        shared = monte_carlo(network, WEAK, **same, mapper=lambda f, blocks: client.gather(client.map(f, blocks)))
    assert len(set(alone.lifetimes)) > 60
    assert np.array_equal(alone.lifetimes, shared.lifetimes)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_trees_of_a_die_have_a_part_of_their_variance_in_common(shared: float):
    """Weakest of n equally correlated lognormals: P = 1 - int phi(u) Phi(-(z - sqrt(c) u)/sqrt(1 - c))^n du."""
    spread, rungs = 0.05 * eV, 6
    variation = Variation(activation_energy=spread, correlation=shared)
    same: dict[str, Any] = {"seed": 3, "until": 1e4 * NUCLEATION, "variation": variation}
    sample = monte_carlo(ladder(rungs, load=rungs * 1e-3 / 3), WEAK, samples=1500, **same)
    u, weight = np.polynomial.hermite_e.hermegauss(60)
    z = stats.norm.ppf(0.1) if shared == 1 else None
    if z is None:

        def failed(z: float) -> float:
            left = stats.norm.sf((z - np.sqrt(shared) * u) / np.sqrt(1 - shared)) ** rungs
            return 1 - float(weight @ left) / np.sqrt(2 * np.pi)

        z = brentq(lambda z: failed(z) - 0.1, -8.0, 8.0)
    median = monte_carlo(ladder(1, load=1e-3 / 3), WEAK, samples=1, **{**same, "variation": Variation()}).lifetimes[0]
    exact = median * np.exp(z * spread / (boltzmann * WEAK.temperature))
    assert exact in sample.quantile(0.1, confidence=0.999)


def test_the_growth_of_a_void_adds_to_its_opening():
    same: dict[str, Any] = {"samples": 20, "seed": 4, "until": 1e4 * NUCLEATION}
    slow = Variation(activation_energy=0.02 * eV)
    network = ladder(load=1e-3)
    opened = monte_carlo(network, WEAK, **same, variation=slow)
    cut = monte_carlo(network, WEAK, **same, variation=slow, growth=NUCLEATION)
    assert cut.lifetimes == pytest.approx(2 * opened.lifetimes, rel=2e-3)


def test_lives_without_variation_are_those_of_the_verdict():
    """Every tree of a grid, against `run` without growth."""
    loads = np.full((5, 5), 4e-3)
    network = em.mesh.grid_network(5, 5, 20 * um, width=0.4 * um, thickness=0.3 * um, load=loads, cells=1).wires()
    layers = {name: Layer(name, 0.3 * um, 2.2e-8) for name in ("M1", "M2")}
    technology = replace(TECHNOLOGY, layers=layers, residual_stress=50 * MPa)
    verdict = em.signoff.run(network, technology, until=1 * year, voids=False)
    trees = em.signoff.rises.Blocked.of(network, technology)
    known = em.signoff.rises.rises(trees, least=100 * MPa, span=1 * year, rtol=1e-4)
    times = np.array([known.times(i, np.array([450 * MPa]))[0] for i in range(10)])
    assert np.isfinite(times).sum() > 3
    assert times == pytest.approx(verdict.nucleation, rel=2e-3)


@pytest.mark.parametrize("heat", [None, np.array([350.0, 390.0, 370.0])], ids=["uniform", "map"])
@pytest.mark.parametrize("fails", [FirstVoid(), em.failure.VoidLength(2 * nm)], ids=["opens", "grows"])
def test_a_varied_tree_is_one_of_another_metal(fails: Any, heat: Any):
    """To rounding: the scaled equations are the same, for a void that opens and for one that grows."""
    x = np.array([0.0, 40.0, 50.0]) * um
    nodes = np.stack([x, 0 * x], axis=1)
    network = build(nodes, [[0, 1], [1, 2]], width=0.2 * um, thickness=0.3 * um, loads={2: 1e-3}, pads={0: 1.0})
    lined = Layer("M1", 0.3 * um, 2.2e-8, liner=em.failure.Liner(2e-6, 5 * nm))
    soret = METAL.having(heat_of_transport=-0.09 * eV)
    technology = replace(WEAK, layers={"M1": lined}, residual_stress=20 * MPa, material=soret)
    one = np.array([1.7]), np.array([1.2]), np.array([0.8])  # diffusivity, charge, critical stress
    life, trees, failed, _ = em.signoff.varied.follow(network, technology, one, fails, 1e9, 0.05, 1e-4, heat)
    metal = soret.having(diffusivity=1.7 * METAL.diffusivity, effective_charge=1.2 * METAL.effective_charge)
    other = replace(technology, material=metal, critical_stress=80 * MPa)
    verdict = em.signoff.run(network, other, until=1e9, fails=fails, temperature=heat)
    assert life == pytest.approx(verdict.failure, rel=1e-9)
    assert (trees.tolist(), failed) == ([0], True)


def test_lives_until_the_first_void_are_those_of_simulations():
    """The same draws, by interpolation and by the engine."""
    same: dict[str, Any] = {
        "samples": 6,
        "seed": 8,
        "until": 1e4 * NUCLEATION,
        "variation": Variation(activation_energy=0.02 * eV, critical_stress=0.2, effective_charge=0.1),
    }
    quick, simulated = (monte_carlo(ladder(load=1e-3), WEAK, **same, follow=each) for each in (False, True))
    assert quick.lifetimes == pytest.approx(simulated.lifetimes, rel=2e-3)
    assert np.array_equal(quick.first, simulated.first)
    assert np.array_equal(quick.decisive, simulated.decisive)


def test_an_activation_energy_acts_at_the_temperature_of_its_tree():
    """Trees of one draw each, at the technology's temperature and hotter: exponents go as 1/T."""
    network, variation = ladder(load=1e-3), Variation(activation_energy=0.02 * eV)
    heats = None, resolve_temperature(network, 2 * WEAK.temperature)
    draws = [em.signoff.draws.Draws(network, WEAK, variation, heat) for heat in heats]
    cool, hot = (each.factors(np.random.SeedSequence(1), 5)[0] for each in draws)
    assert np.log(cool) == pytest.approx(2 * np.log(hot), rel=1e-12)


@pytest.mark.parametrize("healing", [0.3 * um, 30 * um, 3000 * um])
def test_the_heat_of_a_wire_counts_in_the_temperature_of_its_tree(healing: float):
    """Volume mean of the linear part and of T_m (1 - cosh((x - L/2)/G)/cosh(L/(2 G))), by quadrature."""
    network = build([(0.0, 0.0), (100 * um, 0.0)], [(0, 1)], width=0.2 * um, thickness=0.3 * um, loads={1: 1e-4})
    variation = Variation(activation_energy=0.05 * eV)
    heat = em.signoff.Temperature([370.0], [386.0], excess=[50.0], healing_length=healing)
    x = (np.arange(20000) + 0.5) / 20000
    mean = float(heat.at(np.zeros(len(x), int), x, np.full(len(x), 100 * um))[0].mean())
    uniform = resolve_temperature(network, mean)
    draws = [em.signoff.draws.Draws(network, TECHNOLOGY, variation, each) for each in (heat, uniform)]
    own, same = (each.factors(np.random.SeedSequence(1), 5)[0] for each in draws)
    assert own == pytest.approx(same, rel=1e-8)
    assert mean == pytest.approx({0.3 * um: 427.7}.get(healing, mean))


def test_grains_act_at_the_temperature_of_their_tree():
    """Two trees of one section at 428 and 478 K: the factors of technologies made at those temperatures."""
    network, variation = ladder(2, load=1e-3), Variation(grain_size=0.1 * um)
    kelvin = np.array([428.0, 478.0])
    metal = em.materials.copper(378.15)
    technology = replace(TECHNOLOGY, material=metal)
    own = em.signoff.draws.Draws(
        network, technology, variation, resolve_temperature(network, np.stack([kelvin] * 2, 1))
    )
    exact = []
    for each in kelvin:
        there = metal.at(float(each))
        line = there.in_line(width=0.2 * um, height=0.3 * um, grain_size=0.1 * um)
        exact.append(line.diffusivity / there.diffusivity)
    assert own.factors(np.random.SeedSequence(1), 3)[0] == pytest.approx(np.tile(exact, (3, 1)), rel=1e-12)
    assert exact[1] > 1.02 * exact[0]


def test_lives_that_voids_shorten_are_warned_of():
    """Of three wires side by side: the second void leaves the last with three times its tension."""
    network = ladder(load=1e-3)
    alone = np.abs(kirchhoff(network, 2.2e-8, extra_resistance=[0.0, np.inf, np.inf]).drop).max()
    same: dict[str, Any] = {"samples": 20, "seed": 8, "until": 1e4 * NUCLEATION}
    options: dict[str, Any] = {
        "variation": Variation(activation_energy=0.02 * eV),
        "fails": em.failure.Drop(1.01 * alone),
    }
    with pytest.warns(em.ResolutionWarning, match=r"by a factor of 3 \(median\) .* at most 1.1: lives are too long"):
        quick = monte_carlo(network, WEAK, **same, **options)
    assert quick.overload == pytest.approx(3.0, rel=1e-3)
    simulated = monte_carlo(network, WEAK, **same, **options, follow=True)
    assert (simulated.lifetimes < quick.lifetimes).all()
    assert simulated.lifetimes == pytest.approx(quick.lifetimes, rel=0.9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": 0}, r"samples = 0, must be at least 1"),
        ({"seed": -1}, r"seed = -1, must be at least 0"),
        ({"until": 0.0}, r"until = 0 s, must be at least 0.001 s"),
        ({"until": 1e300}, r"until = 1e\+300 s, must be at most 1e\+14 s"),
        ({"rtol": 1.0}, r"rtol = 1, must be at most 0.1"),
        ({"growth": -1.0}, r"growth = -1 s, must be at least 0"),
        ({"temperature": 380.0}, r"temperature without follow, must be left out: give follow=True"),
        ({"temperature": -1.0, "follow": True}, r"temperature 'start' of segment 0 = -1 K, must be above 0"),
        ({"growth": 1.0, "follow": True}, r"growth with follow, must be left out"),
        ({"fails": 2, "follow": True}, r"fails = 2, must be a criterion of em.failure"),
        ({"update": 2.0, "follow": True}, r"update = 2, must be at most 1"),
        ({"growth": [1.0, 2.0]}, r"growth of shape \(2,\), must be one a tree"),
        ({"technology": replace(WEAK, residual_stress=100 * MPa)}, r"residual_stress = 1e\+08 Pa, must be below"),
    ],
)
def test_bad_arguments_of_monte_carlo_are_refused(changes: dict[str, Any], words: str):
    right: dict[str, Any] = {"technology": WEAK, "samples": 4, "seed": 1, "until": 1e6, "variation": Variation()}
    with pytest.raises(em.ParameterError, match=words):
        monte_carlo(ladder(), **{**right, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"activation_energy": -1e-21}, r"activation_energy of the variation = -1e-21 J, must be at least 0"),
        ({"critical_stress": 6.0}, r"critical_stress of the variation = 6, must be at most 5"),
        ({"effective_charge": -0.1}, r"effective_charge of the variation = -0.1, must be at least 0"),
        ({"grain_spread": 0.1}, r"grain_spread = 0.1 without grain_size, must have one"),
        ({"grain_size": 0.0}, r"grain_size = 0 m, must be greater than 0"),
    ],
)
def test_bad_variations_are_refused(changes: dict[str, Any], words: str):
    with pytest.raises(em.ParameterError, match=words):
        Variation(**changes)
