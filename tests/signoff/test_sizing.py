"""Gradients with respect to sizes, and repair with the least metal."""

from dataclasses import replace
from typing import Any

import emfem as em
from emfem.conduction import kirchhoff
from emfem.mesh import Network
from emfem.mesh.wires import build
from emfem.signoff import Layer, Passivation, Sensitivity, Technology, Temperature, repair
from emfem.units import MPa, elementary_charge, nm, um

import numpy as np
import pytest
from scipy.optimize import minimize

METAL = em.materials.copper(378.15).having(diffusivity=1e-18)
TECHNOLOGY = Technology(
    {"M1": Layer("M1", 0.3 * um, 2.2e-8), "M2": Layer("M2", 0.5 * um, 2.6e-8)}, METAL, 378.15, 500 * MPa, 20 * MPa
)
CHARGE = METAL.effective_charge * elementary_charge / METAL.atomic_volume


def one_layer(critical: float = 500 * MPa) -> Technology:
    """A technology with one layer and no residual stress."""
    return Technology({"M1": Layer("M1", 0.3 * um, 2.2e-8)}, METAL, 378.15, critical)


def grid(stripes: int = 8, load: float = 1e-4, hot: float = 40.0, spots: Any = ((2, 3),), **changes: Any) -> Network:
    """A grid with blocks of 3 x 3 crossings that draw more."""
    loads = np.full((stripes, stripes), load)
    for i, j in spots:
        loads[i : i + 3, j : j + 3] *= hot
    options: dict[str, Any] = {"via_resistance": 0.5, "pad_every": 5, "cells": 1} | changes
    width, thickness = (0.4 * um, 0.8 * um), (0.3 * um, 0.5 * um)
    made = em.mesh.grid_network(stripes, stripes, 20 * um, width=width, thickness=thickness, load=loads, **options)
    return made.wires()


def line(current: float, lengths: Any = (40 * um,), width: Any = 0.2 * um, **options: Any) -> Network:
    """Wires in a row, with a pad at the left and a load at the right."""
    x = np.concatenate([[0.0], np.cumsum(lengths)])
    n = len(lengths)
    return build(
        np.stack([x, 0 * x], axis=1),
        np.stack([np.arange(n), np.arange(n) + 1], axis=1),
        width=width,
        thickness=0.3 * um,
        loads={n: current},
        pads={0: 1.0},
        **options,
    )


def stretched(network: Network, factor: np.ndarray) -> Network:
    """The network with segments of other lengths: their lengths are an input of resistances and volumes alone."""
    longer = replace(network)
    object.__setattr__(longer, "lengths", network.lengths * factor)
    return longer


FUNCTIONALS = {
    "largest drop": lambda s, g: s.drop(g.node if g else None),
    "norm of the drop": lambda s, _: s.drop(power=12.0),
    "drop at a node": lambda s, _: s.drop(5),
    "tension of a stripe": lambda s, g: s.tension(3, node=g.node if g else None),
    "tension in the upper layer": lambda s, g: s.tension(11, node=g.node if g else None),
}


@pytest.mark.parametrize("name", FUNCTIONALS)
@pytest.mark.parametrize("what", ["width", "length"])
def test_the_remainder_of_taylor_is_of_second_order(name: str, what: str):
    """Two-sided: half the step, a quarter of the remainder."""
    network, functional = grid(), FUNCTIONALS[name]
    start = functional(Sensitivity(network, TECHNOLOGY), None)
    way = np.random.default_rng(1).uniform(-1, 1, len(network.segments))
    size = network.width if what == "width" else network.lengths
    slope = getattr(start, what) * size @ way
    remainders = []
    for step in (0.04, 0.02, 0.01):
        factor = 1 + step * way
        changed = replace(network, width=network.width * factor) if what == "width" else stretched(network, factor)
        value = functional(Sensitivity(changed, TECHNOLOGY), start).value
        remainders.append(abs(value - start.value - step * slope))
    orders = np.log2(np.array(remainders[:-1]) / remainders[1:])
    assert orders == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("changes", [{"via_resistance": 0.0}, {"via_resistance": 2.0}], ids=["shorts", "vias"])
def test_gradients_equal_finite_differences(changes: dict[str, float]):
    """Also with shorted layers. Differences of 1e-4 of a width: 1e-7 of truncation, 1e-10 of rounding."""
    network = grid(4, spots=((0, 1),), **changes)
    start = Sensitivity(network, TECHNOLOGY)
    drop, tension = start.drop(), start.tension(1)
    for i in (0, 7, 20):
        values = []
        for sign in (1, -1):
            width = network.width.copy()
            width[i] *= 1 + sign * 1e-4
            there = Sensitivity(replace(network, width=width), TECHNOLOGY)
            values.append((there.drop(drop.node).value, there.tension(1, node=tension.node).value))
        slopes = (np.array(values[0]) - values[1]) / (2e-4 * network.width[i])
        assert drop.width[i] == pytest.approx(slopes[0], rel=1e-5, abs=1e-7 * np.abs(drop.width).max())
        assert tension.width[i] == pytest.approx(slopes[1], rel=1e-5, abs=1e-7 * np.abs(tension.width).max())


def test_drop_and_tension_of_a_line_and_their_slopes_are_those_of_the_closed_form():
    """R I and |Z*| e rho j L / (2 Omega), both as 1/w and as L; rounding."""
    network = line(1e-3)
    state = Sensitivity(network, one_layer())
    resistance = 2.2e-8 * 40 * um / (0.2 * um * 0.3 * um)
    drop, tension = state.drop(), state.tension(0)
    assert drop.value == pytest.approx(1e-3 * resistance, rel=1e-12)
    assert (drop.node, tension.node) == (1, 1)
    assert tension.value == pytest.approx(abs(CHARGE) * 1e-3 * resistance / 2, rel=1e-10)
    for gradient in (drop, tension):
        assert gradient.width == pytest.approx([-gradient.value / (0.2 * um)], rel=1e-10)
        assert gradient.length == pytest.approx([gradient.value / (40 * um)], rel=1e-10)


@pytest.mark.parametrize("critical", [20 * MPa, 100 * MPa, 300 * MPa, 450 * MPa])
def test_the_time_to_nucleation_of_a_line_and_its_slopes_are_those_of_the_closed_form(critical: float):
    """Of Korhonen's series, by differences of 1e-4; elements of second order are right to 1e-4, slopes to 1e-3."""
    gradient = Sensitivity(line(1e-3), one_layer(critical)).nucleation(0, until=1e10)

    def life(width: float, length: float) -> float:
        return em.lifetime.line_lifetime(
            METAL.having(resistivity=2.2e-8),
            length=length,
            current_density=1e-3 / (width * 0.3 * um),
            critical_stress=critical,
        ).nucleation

    width, length, part = 0.2 * um, 40 * um, 1e-4
    assert gradient.value == pytest.approx(life(width, length), rel=2e-4)
    assert gradient.node == 1
    by_width = (life(width * (1 + part), length) - life(width * (1 - part), length)) / (2 * part * width)
    by_length = (life(width, length * (1 + part)) - life(width, length * (1 - part))) / (2 * part * length)
    assert gradient.width == pytest.approx([by_width], rel=1e-3)
    assert gradient.length == pytest.approx([by_length], rel=5e-3, abs=2e-4 * gradient.value / length)


@pytest.mark.parametrize("what", ["width", "length"])
@pytest.mark.parametrize("tree", [3, 4])
def test_the_remainder_of_the_time_to_nucleation_is_of_second_order(tree: int, what: str):
    network = grid()
    start = Sensitivity(network, TECHNOLOGY).nucleation(tree, until=1e12)
    way = np.random.default_rng(1).uniform(-1, 1, len(network.segments))
    size = network.width if what == "width" else network.lengths
    remainders = []
    for step in (0.02, 0.01):
        factor = 1 + step * way
        changed = replace(network, width=network.width * factor) if what == "width" else stretched(network, factor)
        later = Sensitivity(changed, TECHNOLOGY).nucleation(tree, until=1e12, node=start.node)
        remainders.append(abs(later.value - start.value - step * getattr(start, what) * size @ way))
    assert np.log2(remainders[0] / remainders[1]) == pytest.approx(2.0, abs=0.15)


def test_the_time_to_nucleation_is_that_of_the_verdict():
    network = grid()
    verdict = em.signoff.run(network, TECHNOLOGY, until=1e8, voids=False)
    state = Sensitivity(network, TECHNOLOGY)
    mortal = np.flatnonzero(np.isfinite(verdict.nucleation)).tolist()
    assert len(mortal) > 2
    for tree in mortal:
        assert state.nucleation(tree, until=1e8).value == pytest.approx(verdict.nucleation[tree], rel=2e-3)


def test_the_norm_of_the_drop_bounds_the_largest():
    state = Sensitivity(grid(), TECHNOLOGY)
    largest, norms = state.drop().value, [state.drop(power=p).value for p in (1.0, 8.0, 64.0, 1000.0)]
    assert norms == sorted(norms, reverse=True)
    assert largest <= norms[-1] <= 1.01 * largest


def test_tension_without_pads_is_that_with_them():
    """Only differences of the potential count; the loads say what the pads would bring."""
    fed = line(1e-3, (40 * um, 20 * um), (0.2 * um, 0.3 * um))
    loose = replace(fed, pads={}, loads=np.array([-1e-3, 0.0, 1e-3]))
    one, other = (Sensitivity(each, one_layer()).tension(0) for each in (fed, loose))
    assert other.value == pytest.approx(one.value, rel=1e-12)
    assert other.width == pytest.approx(one.width, rel=1e-9)


def test_a_line_is_widened_by_its_tension_over_the_limit():
    """The tension goes as 1/w; the repair stays 1e-4 below the limit and stops at 1e-3."""
    network, critical = line(1e-3), 50 * MPa
    before = Sensitivity(network, one_layer()).steady[0]
    result = repair(network, one_layer(critical), margin=0.1)
    assert result.factor == pytest.approx([before / (0.9 * critical)], rel=1.1e-3)
    assert result.steady.max() <= 0.9 * critical
    assert result.part == pytest.approx(result.factor[0] - 1, rel=1e-12)
    assert result.uniform == pytest.approx(result.extra, rel=2e-3, abs=0)


def test_the_drop_along_a_line_is_shared_out_as_lagrange_has_it():
    """Least sum h L w with sum rho L I / (w h) fixed: widths go as the root of the current."""
    network = replace(line(1e-3, (40 * um, 40 * um)), loads=np.array([0.0, 3e-3, 1e-3]))
    before = Sensitivity(network, one_layer(5e9)).drop().value
    result = repair(network, one_layer(5e9), largest_drop=before / 4, rtol=1e-6)
    assert result.network.width[0] / result.network.width[1] == pytest.approx(2.0, rel=1e-3)
    assert result.drop == pytest.approx(before / 4, rel=2e-4)
    assert result.drop <= before / 4


def test_repair_finds_the_minimum_of_a_general_method():
    """Against SLSQP with its own finite differences, on a grid of 12 wires; 1e-3 of the metal."""
    network, limit = grid(3, spots=((0, 0),), hot=150.0), 0.9 * TECHNOLOGY.critical_stress
    result = repair(network, TECHNOLOGY, margin=0.1, rtol=1e-5)
    volume = network.lengths * network.cross_sections

    def tensions(factor: np.ndarray) -> np.ndarray:
        state = Sensitivity(replace(network, width=network.width * factor), TECHNOLOGY)
        metal = network.components >= 0
        return 1 - state.stress[metal] / limit

    best = minimize(
        lambda x: float(volume @ (x - 1) / volume.sum()),
        np.full(len(volume), 2.0),
        bounds=[(1.0, 20.0)] * len(volume),
        constraints={"type": "ineq", "fun": tensions},
        method="SLSQP",
        options={"maxiter": 300, "ftol": 1e-9},
    )
    assert best.success
    assert result.part == pytest.approx(best.fun, rel=2e-3)
    assert result.steady.max() <= limit


def test_repair_of_a_grid_takes_a_fifth_of_uniform_widening_or_less():
    network = grid(12, spots=((2, 3), (7, 6)), hot=60.0)
    limit = 0.9 * Sensitivity(network, TECHNOLOGY).drop().value
    mortal = (Sensitivity(network, TECHNOLOGY).steady > 500 * MPa).sum()
    result = repair(network, TECHNOLOGY, largest_drop=limit)
    assert mortal > 5
    assert result.uniform > 5 * result.extra > 0
    flow = kirchhoff(result.network, result.network.layer * 0.4e-8 + 2.2e-8)  # by itself
    piece, metal = result.network.components, result.network.components >= 0
    start, end = result.network.segments.T
    volume = result.network.lengths * result.network.cross_sections
    mean = np.bincount(piece[start], volume * (flow.potential[start] + flow.potential[end]) / 2)
    mean /= np.bincount(piece[start], volume)
    tension = 20 * MPa + CHARGE * (flow.potential[metal] - mean[piece[metal]])
    assert tension.max() == pytest.approx(result.steady.max(), rel=1e-9)
    assert tension.max() <= 500 * MPa
    assert np.abs(flow.drop).max() <= limit
    assert (result.network.width >= network.width).all()
    table = result.wires()
    assert len(table) == (result.factor > 1).sum() < 0.3 * len(network.segments)
    assert table["extra metal [m3]"].sum() == pytest.approx(result.extra, rel=1e-9, abs=0)
    assert "wires widened" in str(result)


def test_what_is_immortal_stays_as_it_is():
    network = grid(4, load=1e-6, hot=1.0)
    result = repair(network, TECHNOLOGY, largest_drop=1.0)
    assert (result.extra, result.part, result.uniform) == (0.0, 0.0, 0.0)
    assert np.array_equal(result.network.width, network.width)


def test_a_line_lasts_until_the_time_wanted():
    """Its void opens then, by the closed form; the repair stays 1e-4 below the critical stress, 2e-4 of the time."""
    until, critical = 1e6, 50 * MPa
    result = repair(line(1e-3), one_layer(critical), until=until)
    life = em.lifetime.line_lifetime(
        METAL.having(resistivity=2.2e-8),
        length=40 * um,
        current_density=1e-3 / (result.network.width[0] * 0.3 * um),
        critical_stress=critical,
    ).nucleation
    assert life == pytest.approx(until, rel=2e-3)
    assert life >= until
    assert result.extra < repair(line(1e-3), one_layer(critical)).extra


def test_a_tree_whose_stress_overshoots_is_named_and_mended():
    """The steady bound alone is passed on the way; `until=inf` holds at all times, as the verdict finds."""
    network = grid()
    steady, always = repair(network, TECHNOLOGY), repair(network, TECHNOLOGY, until=np.inf)
    assert len(steady.overshoot) == 1
    assert f"above the limit in tree {steady.overshoot[0]}" in str(steady)
    opened = em.signoff.run(steady.network, TECHNOLOGY, until=1e9, voids=False).nucleation
    assert np.flatnonzero(np.isfinite(opened)).tolist() == list(steady.overshoot)
    assert not always.overshoot
    assert em.signoff.run(always.network, TECHNOLOGY, until=1e9, voids=False).immortal.all()
    assert steady.extra < always.extra < 1.1 * steady.extra
    assert always.tension.max() <= 500 * MPa


def test_a_grid_lasts_until_the_time_wanted():
    network, until = grid(), 1e7
    first = em.signoff.run(network, TECHNOLOGY, until=until, voids=False).nucleation.min()
    result = repair(network, TECHNOLOGY, until=until)
    assert first < 0.5 * until
    later = em.signoff.run(result.network, TECHNOLOGY, until=4 * until, voids=False).nucleation.min()
    assert until <= later
    assert 0 < result.extra < 0.2 * result.uniform


def test_segments_together_keep_one_factor():
    network = grid()
    group = network.components[network.segments[:, 0]]
    result, free = repair(network, TECHNOLOGY, together=group), repair(network, TECHNOLOGY)
    for one in np.unique(group):
        assert np.ptp(result.factor[group == one]) == pytest.approx(0.0, abs=1e-12)
    assert result.extra > free.extra


def test_no_wire_is_wider_than_allowed():
    network = grid()
    free = repair(network, TECHNOLOGY)
    most = {"M1": 0.9 * free.network.width[network.layer == 0].max(), "M2": 4 * um}
    result = repair(network, TECHNOLOGY, widest=most)
    assert result.network.width[network.layer == 0].max() <= most["M1"] < free.network.width[network.layer == 0].max()
    assert result.extra >= free.extra


def test_neighbours_share_the_gap_between_them():
    """Three wires 2 um apart, of 0.2, 0.4 and 0.6 um, and one across: gaps less the spacing of 0.5 um."""
    y = np.array([0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 5.0, 9.0]) * um
    x = np.array([0.0, 10.0, 0.0, 10.0, 2.0, 8.0, 5.0, 5.0]) * um
    segments = np.arange(8).reshape(4, 2)
    network = build(
        np.stack([x, y], axis=1),
        segments,
        width=np.array([0.2, 0.4, 0.6, 0.2]) * um,
        thickness=0.3 * um,
        pads=dict.fromkeys(range(0, 8, 2), 0.0),
    )
    growth = em.signoff.spacing.widest_allowed(network, None, 0.5 * um) - network.width
    first = 2.0 - 0.3 - 0.5
    second = 2.0 - 0.5 - 0.5
    up = 2 * (1.0 - 0.3 - 0.5)  # the wire across does not grow along itself
    assert growth / um == pytest.approx([first, min(first, second), min(second, up), np.inf])


def test_repair_obeys_the_spacing():
    """Stripes 2 um apart: each pair of neighbours has its distance afterwards."""
    lines = [line(1e-3 * (i == 1) + 1e-5) for i in range(3)]
    nodes = np.concatenate([each.nodes + np.array([0, i * um]) for i, each in enumerate(lines)])
    network = build(
        nodes,
        [[0, 1], [2, 3], [4, 5]],
        width=0.2 * um,
        thickness=0.3 * um,
        loads={1: 1e-5, 3: 1e-3, 5: 1e-5},
        pads=dict.fromkeys((0, 2, 4), 1.0),
    )
    with pytest.raises(em.ParameterError, match=r"highest steady tension at node 3 of tree 1 is .* must be at most"):
        repair(network, one_layer(20 * MPa), spacing=0.3 * um)
    wide = repair(network, one_layer(200 * MPa), spacing=0.3 * um)
    assert wide.factor[1] > 1.5
    assert (1.0 * um - (wide.network.width[:-1] + wide.network.width[1:]) / 2 >= 0.3 * um).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"margin": 1.0}, r"margin = 1, must be less than 1"),
        ({"until": 0.0}, r"until = 0 s, must be greater than 0"),
        ({"largest_drop": 0.0}, r"largest_drop = 0 V, must be greater than 0"),
        ({"largest_drop": 1e-3, "pads": {}, "loads": [-1e-3, 1e-3]}, r"largest_drop needs a network with pads"),
        ({"widest": 0.1 * um}, r"widest = 1e-07 m of segment 0 \(0 to 1\), must be at least its width of 2e-07 m"),
        ({"widest": {"M9": 1.0}}, r"'M9'; the network, among its layers, has"),
        ({"spacing": 0.0}, r"spacing = 0 m of segment 0 \(0 to 1\), must be greater than 0"),
        ({"together": [0, 1]}, r"together of shape \(2,\), must be one number a segment"),
        ({"rtol": 0.0}, r"rtol = 0, must be greater than 0"),
        ({"temperature": [350.0, 360.0, 370.0]}, r"temperature of shape \(3,\), must be a number, one a node"),
        ({"temperature": []}, r"temperature of shape \(0,\), must be a number, one a node"),
        ({"temperature": 85.0}, r"temperature of segment 0 \(0 to 1\) = 85 K, must be between 150 and 3700 K: degrees"),
        ({"widest": 0.3 * um}, r"tension at node 1 of tree 0 is .* MPa, must be at most 50 MPa"),
        ({"largest_drop": 1e-9, "widest": 20 * um}, r"the largest drop at node 1 is .* V, must be at most 1e-09 V"),
    ],
)
def test_bad_arguments_of_repair_are_refused(changes: dict[str, Any], words: str):
    with pytest.raises(em.ParameterError, match=words):
        repair(line(1e-3), one_layer(50 * MPa), **changes)


def test_a_repair_at_another_temperature_is_that_of_the_technology_there():
    network, made = line(1e-3), one_layer(50 * MPa)
    hot = repair(network, made, temperature=made.temperature + 40.0)
    assert hot.extra == repair(network, made.at(made.temperature + 40.0)).extra
    assert hot.extra > 1.01 * repair(network, made).extra  # the resistivity rises


def test_a_residual_stress_above_the_limit_is_refused():
    technology = replace(one_layer(50 * MPa), residual_stress=60 * MPa)
    with pytest.raises(em.ParameterError, match=r"residual_stress = 6e\+07 Pa, must be less than the limit of 5e\+07"):
        repair(line(1e-3), technology)


def test_a_slanted_wire_with_a_spacing_is_refused():
    network = build([[0.0, 0.0], [1e-5, 1e-6]], [[0, 1]], width=nm * 200, thickness=nm * 200, pads={0: 0.0})
    with pytest.raises(em.ParameterError, match=r"segment 0 \(0 to 1\) with a spacing, must run along x or along y"):
        repair(network, one_layer(), spacing=1e-7)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.drop(9), r"node = 9, must be at most 1"),
        (lambda s: s.drop(0, power=2.0), r"node = 0 and power = 2, must be one of them"),
        (lambda s: s.drop(power=0.5), r"power = 0.5, must be at least 1"),
        (lambda s: s.tension(1), r"tree = 1, must be at most 0"),
        (lambda s: s.nucleation(1, until=1.0), r"tree = 1, must be at most 0"),
        (lambda s: s.nucleation(0, until=0.0), r"until = 0 s, must be at least 1e-30 s"),
        (lambda s: s.nucleation(0, until=1e-3), r"tree 0 has no void until 0.001 s, must have one"),
        (lambda s: s.nucleation(0, until=1e9, node=0), r"node 0 of tree 0 has no void until 1e\+09 s, must have one"),
    ],
)
def test_bad_arguments_of_gradients_are_refused(call: Any, words: str):
    with pytest.raises(em.ParameterError, match=words):
        call(Sensitivity(line(1e-3), one_layer()))


def test_networks_that_do_not_fit_the_technology_are_refused():
    with pytest.raises(em.ParameterError, match=r"a network without layers in a technology of 2, must have one layer"):
        Sensitivity(line(1e-3), TECHNOLOGY)
    with pytest.raises(em.UnknownName, match=r"'M2'; the technology, which needs every layer with wires, has M1"):
        Sensitivity(grid(4), one_layer())
    loose = replace(line(1e-3), pads={}, loads=np.array([-1e-3, 1e-3]))
    with pytest.raises(em.ParameterError, match="a drop needs a network with pads"):
        Sensitivity(loose, one_layer()).drop()
    with pytest.raises(em.ParameterError, match=r"node 2 is in tree 0, must be in tree 1"):
        Sensitivity(grid(4), TECHNOLOGY).tension(1, node=2)


def maps(network: Network) -> dict[str, Any]:
    """Temperatures: one a node, jumps between wires, which stress follows round loops, and Joule heat of each wire."""
    rng, segments = np.random.default_rng(3), len(network.segments)
    x, y = network.nodes[:, 0] / 140e-6, network.nodes[:, 1] / 140e-6
    smooth = 370.0 + 25.0 * x * (1 - y)
    return {
        "smooth": smooth,
        "jumps": rng.uniform(350.0, 400.0, (segments, 2)),
        "Joule": Temperature(
            smooth[network.segments[:, 0]], smooth[network.segments[:, 1]], rng.uniform(0.0, 15.0, segments), 8 * um
        ),
    }


PASSIVATED = replace(TECHNOLOGY, passivation=Passivation(1.2e-5, 500.0))
"""Its residual stress is not that of the passivation: at other temperatures that of a map is."""


def looped(stripes: int = 4) -> Network:
    """A grid in one layer: one tree with loops."""
    made = grid(stripes, spots=((0, 1),), hot=60.0)
    joined = np.concatenate([made.segments, made.vias])
    nodes = made.nodes[:, :2].copy()
    nodes[stripes**2 :] += 5 * um  # crossings are wires of their own
    width, loads = np.full(len(joined), 0.4 * um), made.loads
    return build(nodes, joined, width=width, thickness=0.3 * um, loads=loads, pads=made.pads, layers=("M1",))


@pytest.mark.parametrize("case", ["smooth", "jumps", "Joule", "loops", "passivated"])
def test_the_remainder_of_taylor_is_of_second_order_with_a_map_of_temperature(case: str):
    network, made = (
        (looped() if case == "loops" else grid(hot=80.0)),
        PASSIVATED if case == "passivated" else TECHNOLOGY,
    )
    heat = maps(network)[{"loops": "jumps", "passivated": "jumps"}.get(case, case)]
    tree = 0 if case == "loops" else 4
    functionals: tuple[Any, ...] = (
        lambda s, g: s.drop(g.node if g else None),
        lambda s, g: s.tension(tree, node=g.node if g else None),
        lambda s, g: s.nucleation(tree, until=1e12, node=g.node if g else None),
    )
    way = np.random.default_rng(1).uniform(-1, 1, len(network.segments))
    for what in ("width",) if case == "Joule" else ("width", "length"):
        states = []
        for step in (0.0, 0.01, 0.005):
            changed = replace(network, width=network.width * (1 + step * way))
            if what == "length":
                changed = stretched(network, 1 + step * way)
            states.append(Sensitivity(changed, made, temperature=heat))
        size = network.width if what == "width" else network.lengths
        for functional in functionals:
            start = functional(states[0], None)
            first, second = (functional(state, start).value - start.value for state in states[1:])
            slope = getattr(start, what) * size @ way
            order = np.log2(abs(first - 0.01 * slope) / abs(second - 0.005 * slope))
            assert order == pytest.approx(2.0, abs=0.15)


def test_stress_of_the_start_that_jumps_counts_by_the_widths():
    """The mean where a passivation at two temperatures meets is that of the metal; differences of 1e-3 of a width."""
    network, heat = line(1e-5, (40 * um, 20 * um), (0.2 * um, 0.3 * um)), [[340.0, 340.0], [420.0, 420.0]]
    made = replace(one_layer(), passivation=PASSIVATED.passivation)

    def tension(factor: float) -> Any:
        changed = replace(network, width=network.width * np.array([factor, 1.0]))
        return Sensitivity(changed, made, temperature=heat).tension_at(0, node=1, time=1e5)[0]

    difference = (tension(1.001).value - tension(0.999).value) / (0.002 * network.width[0])
    assert abs(difference * network.width[0]) > 5 * MPa
    assert tension(1.0).width[0] == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("reach", [1e-8, 1e-6, 1e-4, 1e-2])
def test_early_tension_at_an_end_is_that_of_a_half_space_and_of_no_length(reach: float):
    """2 f sqrt(kappa t/pi), by 1/w; a load decides on the current, so neither its wire's length nor the other's.

    Cells of half of the diffusion length make 2.3e-5.
    """
    network = line(1e-3, (20 * um, 40 * um))
    state = Sensitivity(network, one_layer())
    time = (reach * 40 * um) ** 2 / state.metal.kappa[0]
    force = CHARGE * 2.2e-8 * state.currents.current_density[0]
    tension, rate = state.tension_at(0, node=0, time=time)
    assert abs(tension.value) == pytest.approx(2 * abs(force) * reach * 40 * um / np.sqrt(np.pi), rel=4e-5)
    assert 2 * time * rate == pytest.approx(tension.value, rel=4e-5)
    assert tension.width[0] * network.width[0] == pytest.approx(-tension.value, rel=1e-9)
    assert abs(tension.width[1] * network.width[1]) < 1e-6 * abs(tension.value)
    assert tension.length * network.lengths == pytest.approx(np.zeros(2), abs=4e-5 * abs(tension.value))


def test_a_time_before_any_diffusion_warns():
    state = Sensitivity(line(1e-3), one_layer())
    time = (1e-10 * 40 * um) ** 2 / state.metal.kappa[0]
    with pytest.warns(em.errors.ResolutionWarning, match="stress has diffused 4e-15 m, less than a cell, 4e-14 m"):
        state.tension_at(0, node=0, time=time)


@pytest.mark.parametrize("case", ["smooth", "jumps", "Joule"])
def test_with_a_map_tension_and_nucleation_are_those_of_the_verdict(case: str):
    network = grid(hot=80.0)
    state = Sensitivity(network, PASSIVATED, temperature=maps(network)[case])
    verdict = em.signoff.run(network, PASSIVATED, until=1e8, voids=False, temperature=maps(network)[case])
    assert state.steady == pytest.approx(verdict.steady_stress, rel=1e-9)
    assert np.ptp(state.steady - Sensitivity(network, PASSIVATED).steady) > 10 * MPa
    mortal = np.flatnonzero(np.isfinite(verdict.nucleation)).tolist()
    assert len(mortal) > 2
    for tree in mortal:
        assert state.nucleation(tree, until=1e8).value == pytest.approx(verdict.nucleation[tree], rel=2e-3)


def test_lengths_have_no_gradient_where_the_joule_heat_of_a_wire_depends_on_its_length():
    network = grid()
    gradient = Sensitivity(network, TECHNOLOGY, temperature=maps(network)["Joule"]).tension(3)
    assert np.isnan(gradient.length).all()
    assert np.isfinite(gradient.width).all()


@pytest.mark.parametrize("until", [None, pytest.param(1e7, marks=pytest.mark.soak)])
def test_a_grid_with_a_map_is_repaired_at_its_temperatures(until: float | None):
    """As the verdict at the map finds, where a repair at the coldest fails; a fifth of uniform widening."""
    network = grid()
    heat = 370.0 + 40.0 * np.exp(-(((network.nodes[:, :2] - 70 * um) / (40 * um)) ** 2).sum(axis=1))
    result, cold = (repair(network, TECHNOLOGY, until=until, temperature=each) for each in (heat, 370.0))
    assert result.uniform > 5 * result.extra > 0
    failing = []
    for each in (result, cold):
        verdict = em.signoff.run(each.network, TECHNOLOGY, until=until or 1e9, voids=False, temperature=heat)
        failing.append(np.flatnonzero(np.isfinite(verdict.nucleation)).tolist())
    assert failing[0] == list(result.overshoot)
    assert set(failing[1]) - set(failing[0])
