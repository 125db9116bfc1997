"""Pulsed loads: the mean against the full solution, the ripple, and its limits."""

import warnings
from typing import Any

import emfem as em
from emfem.mesh import Network
from emfem.mesh.wires import build
from emfem.signoff import Layer, Technology, effective_currents, effective_density
from emfem.units import MPa, boltzmann, elementary_charge, um
from emfem.waveforms import constant, function, piecewise_linear, pulses, steps

import numpy as np
import pytest
from scipy.linalg import eigh

METAL = em.materials.copper(378.15).having(diffusivity=1e-17)
TECHNOLOGY = Technology({"M1": Layer("M1", 0.3 * um, METAL.resistivity)}, METAL, 378.15, 500 * MPa)
KAPPA = METAL.diffusivity * METAL.bulk_modulus * METAL.atomic_volume / (boltzmann * METAL.temperature)
CHARGE = METAL.effective_charge * elementary_charge * METAL.resistivity / METAL.atomic_volume
LENGTH, AREA = 20 * um, 0.2 * um * 0.3 * um
TIME = LENGTH**2 / KAPPA


def wires(lengths: Any, loads: Any, pads: Any) -> Network:
    """Wires in a row."""
    x = np.concatenate([[0.0], np.cumsum(lengths)])
    n = len(lengths)
    return build(
        np.stack([x, 0 * x], axis=1),
        np.stack([np.arange(n), np.arange(n) + 1], axis=1),
        width=0.2 * um,
        thickness=0.3 * um,
        loads=loads,
        pads=pads,
    )


LINE = wires([LENGTH], {}, {0: 1.0})


def stress_of_pulses(t: np.ndarray, period: float, duty: float, level: float) -> np.ndarray:
    """The stress at the end with the load, x = L, by the closed form of each switching; electrons enter there."""
    sigma = np.zeros_like(t)
    for k in range(int(t.max() / period) + 1):
        for begin, sign in ((k * period, 1.0), ((k + duty) * period, -1.0)):
            on = t > begin
            sigma[on] += sign * em.analytic.korhonen_line(
                LENGTH, t[on] - begin, length=LENGTH, current_density=level / AREA, material=METAL
            )
    return sigma


@pytest.mark.parametrize("duty", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("ratio", [1e-3, 1e-2, 0.1])
def test_the_stress_of_pulses_is_that_of_their_mean_within_the_ripple(duty: float, ratio: float):
    """The closed form of every switching; the bound is at most 2.3 times the largest difference."""
    period, level = ratio * TIME, 1e-3
    result = effective_currents(LINE, TECHNOLOGY, {1: pulses(period=period, duty=duty, level=level)})
    assert result.loads == pytest.approx([0.0, duty * level])
    assert result.currents.current == pytest.approx([duty * level])
    t = period * np.concatenate([np.linspace(0, 3, 200), 12 + np.append(np.linspace(0, 1, 80), duty)])[1:]
    mean = em.analytic.korhonen_line(
        LENGTH, t, length=LENGTH, current_density=result.currents.current_density[0], material=METAL
    )
    largest = np.abs(stress_of_pulses(t, period, duty, level) - mean).max()
    assert largest <= result.ripple[1] <= 2.3 * largest
    assert result.ripple[0] == pytest.approx(result.ripple[1])
    assert result.ratio == pytest.approx([ratio])


def test_a_ripple_goes_as_the_root_of_the_period():
    periods = [1.0, 4.0, 1e-9]
    ripples = [
        effective_currents(LINE, TECHNOLOGY, {1: pulses(period=p, duty=0.5, level=1e-3)}).ripple[1] for p in periods
    ]
    assert ripples == pytest.approx([ripples[0], 2 * ripples[0], ripples[0] * 1e-9**0.5])
    assert ripples[2] < 1e3  # Pa, at 1 GHz


def test_at_a_tap_the_ripple_is_that_of_both_arms():
    """A finite-volume solution of a line fed from both ends, with the load in its middle, where both arms share it."""
    lengths = (LENGTH, 1.5 * LENGTH)
    network = wires(lengths, {}, {0: 1.0, 2: 1.0})
    period, duty, level = 0.05 * TIME, 0.3, 2e-3
    result = effective_currents(network, TECHNOLOGY, {1: pulses(period=period, duty=duty, level=level)})
    share = level * np.array([1.5, -1.0]) / 2.5  # Kirchhoff, along x
    cells = 500
    h = sum(lengths) / cells
    centre = (np.arange(cells - 1) + 1) * h  # faces
    force = np.where(centre < LENGTH - h / 4, share[0], share[1]) * CHARGE / AREA
    tap = round(LENGTH / h)
    matrix = np.diag(np.full(cells, 2.0)) - np.eye(cells, k=1) - np.eye(cells, k=-1)
    matrix[0, 0] = matrix[-1, -1] = 1.0
    source = np.zeros(cells)
    np.add.at(source, np.arange(cells - 1), force / h)  # d sigma/dt = kappa d/dx(d sigma/dx + G)
    np.add.at(source, np.arange(1, cells), -force / h)
    rates, modes = eigh(matrix * KAPPA / h**2)
    weights = modes.T @ (source * KAPPA)

    def stress(t: float, amount: Any) -> float:
        """Stress beside the tap, of a drive that is constant between switchings."""
        state, now, level_now = np.zeros(cells), 0.0, 0.0
        for later, value in [*amount, (t, None)]:
            step = min(later, t) - now
            if step > 0:
                decay = np.exp(-rates * step)
                rise = np.where(rates * step > 1e-12, -np.expm1(-rates * step) / np.maximum(rates, 1e-300), step)
                state, now = decay * state + rise * weights * level_now, now + step
            level_now = value if value is not None else 0.0
        return float(modes[[tap - 1, tap]].mean(axis=0) @ state)

    switches = [each for k in range(6) for each in ((k * period, 1.0), ((k + duty) * period, 0.0))]
    times = period * np.append(np.linspace(3.02, 5.0, 60), 4 + duty)
    off = [stress(t, switches) - stress(t, [(0.0, duty)]) for t in times]
    assert np.abs(off).max() <= 1.01 * result.ripple[1]  # cells: 1 %
    assert np.abs(off).max() >= 0.4 * result.ripple[1]


def test_alternating_current_moves_nothing():
    drive = steps([0.0, 0.5], [1e-3, -1e-3], period=1.0)
    result = effective_currents(LINE, TECHNOLOGY, {1: drive})
    assert np.abs(result.currents.current).max() == pytest.approx(0.0, abs=1e-18)
    assert result.ripple.max() > 0


def test_loads_of_one_waveform_add_up_and_others_stay():
    """Two taps of one clock, one constant load, one of the network."""
    clock = pulses(period=1.0, duty=0.25, level=1.0)
    network = wires([LENGTH] * 3, {3: 2e-4}, {0: 1.0})
    result = effective_currents(network, TECHNOLOGY, {1: clock * 1e-3, 2: -1e-3 * clock})
    assert result.loads == pytest.approx([0.0, 2.5e-4, -2.5e-4, 2e-4])
    both = effective_currents(network, TECHNOLOGY, {1: clock * 1e-3})
    assert result.ripple[0] == pytest.approx(0.0, abs=1e-9 * both.ripple[0])  # what they draw cancels at the pad
    assert result.ripple[1] == pytest.approx(both.ripple[1])
    shifted = pulses(period=1.0, duty=0.25, level=1.0, start=0.5)  # another one: nothing cancels in the bound
    apart = effective_currents(network, TECHNOLOGY, {1: clock * 1e-3, 2: -1e-3 * shifted})
    assert apart.ripple[0] == pytest.approx(2 * both.ripple[0])


def test_a_slow_drive_is_warned_of_and_not_enough():
    drive = pulses(period=TIME, duty=0.5, level=1e-3)
    with pytest.warns(em.ResolutionWarning, match=r"a period of .* is 1 of the time .* should be at most 0.25"):
        result = effective_currents(LINE, TECHNOLOGY, {1: drive})
    assert result.enough.tolist() == [False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast = effective_currents(LINE, TECHNOLOGY, {1: pulses(period=1e-6, duty=0.5, level=1e-3)})
    assert fast.enough.tolist() == [True]
    assert "the mean is enough in 1 of 1 trees" in str(fast)


def test_constant_loads_have_no_ripple():
    result = effective_currents(LINE, TECHNOLOGY, {1: constant(1e-3)})
    assert (result.ripple.max(), result.period, result.ratio[0]) == (0.0, 0.0, 0.0)
    assert result.enough.all()


@pytest.mark.parametrize(
    ("drive", "recovery", "density"),
    [
        (pulses(period=2.0, duty=0.25, level=4.0), 0.3, 1.0),
        (pulses(period=2.0, duty=0.25, level=4.0, base=-1.0), 1.0, 0.25),
        (pulses(period=2.0, duty=0.25, level=4.0, base=-1.0), 0.5, 1.0 - 0.5 * 0.75),
        (pulses(period=2.0, duty=0.25, level=-4.0, base=1.0), 0.5, -1.0 + 0.5 * 0.75),
        (piecewise_linear([0.0, 1.0, 3.0], [0.0, 1.0, -1.0], period=4.0), 0.0, 0.25),
        (piecewise_linear([0.0, 1.0], [-1.0, 3.0], period=2.0), 1.0, 1.0),
        (piecewise_linear([0.0, 1.0], [-1.0, 3.0], period=2.0), 0.0, 9 / 8),
        (constant(-2.0), 0.5, -2.0),
        (pulses(period=2.0, duty=0.25, level=4.0, start=5.5), 0.5, 1.0),
    ],
)
def test_the_effective_density_takes_back_a_part(drive: Any, recovery: float, density: float):
    assert effective_density(drive, recovery=recovery) == pytest.approx(density)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: effective_currents(LINE, TECHNOLOGY, {1: function(abs)}), r"loads\[1\]: the waveform has no period"),
        (lambda: effective_currents(LINE, TECHNOLOGY, {7: 1e-3}), r"loads: node 7, must be a node number from 0 to 1"),
        (lambda: effective_currents(LINE, TECHNOLOGY, {1: constant([1.0, 2.0])}), r"mean of loads\[1\] = .* a number"),
        (lambda: effective_density(function(abs)), r"the waveform has no period"),
        (lambda: effective_density(constant([1.0, 2.0])), r"values of shape \(2,\), must be numbers"),
        (lambda: effective_density(constant(1.0), recovery=2.0), r"recovery = 2, must be at most 1"),
    ],
)
def test_bad_arguments_are_refused(call: Any, words: str):
    with pytest.raises(em.ParameterError, match=words):
        call()
