"""Pulsed and alternating loads: the constant currents that act as they do, and the ripple that these leave out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem.conduction import Currents, kirchhoff
from emfem.errors import ParameterError, ResolutionWarning, kind, number, require
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.technology import Technology
from emfem.units import boltzmann, elementary_charge
from emfem.waveforms import Waveform
from emfem.waveforms.kinds import _Scaled

import numpy as np
from numpy.typing import NDArray

SHORT = 0.25  # kappa P / L^2 up to which a segment's other end does not feel a period: e^(-4) of its ripple
SMALL = 0.01  # of the stress that opens a void: a ripple below it changes no verdict
MOST_BREAKPOINTS = 100_000  # in one period


@dataclass(frozen=True, eq=False, repr=False)
class EffectiveCurrents:
    """Constant currents that act as periodic ones do, and the size of what they leave out.

    Attributes:
        loads: mean current drawn from each node [A], shape (n,).
        currents: of the mean loads.
        ripple: bound of the difference of the stress at each node, at any time [Pa], shape (n,); 0 without metal.
        period: the longest of the drives [s]; 0 if all are constant.
        ratio: period over the time in which stress passes the shortest segment of each tree, shape (trees,) [-].
        enough: True for each tree in which the mean is enough: ripple below 1 % of the rise of stress that opens a
            void, ratio up to 0.25, shape (trees,).
    """

    loads: Floats
    currents: Currents
    ripple: Floats
    period: float
    ratio: Floats
    enough: NDArray[np.bool_]

    def __str__(self) -> str:
        """One line."""
        return (
            f"periods up to {self.period:.4g} s, {self.ratio.max():.3g} of the shortest diffusion time; ripple of the "
            f"stress up to {self.ripple.max() / 1e6:.4g} MPa; the mean is enough in {self.enough.sum()} of "
            f"{len(self.enough)} trees"
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked
def effective_currents(
    network: Network, technology: Technology, loads: Mapping[int, Waveform | float]
) -> EffectiveCurrents:
    """Return the constant currents that act as pulsed loads do on the stress, and the ripple they leave out.

    Korhonen's equation is linear in the current, so under a constant kappa the stress of the mean current is the mean
    of the stress: what one direction moved, the other brings back, and nothing is lost between pulses. What is left is
    a ripple at nodes where current comes or goes. With f the drive less its mean, |f| <= F, its integral over any time
    within Q, and G the force of the net current that enters the metal of the node over all cross-section there,

        |sigma - sigma_mean| <= 2 G sqrt(2 kappa F Q / pi)

    of the order of G sqrt(kappa P), at all times from the start on, while a period is short against the time
    L^2/kappa of each segment at the node. For square pulses of half duty it is 1.9 times the largest ripple. Heat goes
    with the square: use `Waveform.averaged("power")` for it.

    Args:
        network: of the wires, with pads.
        technology: of the chip.
        loads: current drawn from nodes, a number or a periodic waveform [A]; nodes left out keep their loads.

    Raises:
        ParameterError: for a waveform that is not periodic (its mean is no effective current), or nodes that do not
            exist.

    Warns:
        ResolutionWarning: where the period is too long for the mean: that needs the full solution.
    """
    mean = network.loads.copy()
    drives: dict[int, tuple[Waveform, Floats]] = {}  # by the waveform that several loads share
    for node, load in loads.items():
        require(0 <= node < len(mean), f"loads: node {node}, must be a node number from 0 to {len(mean) - 1}")
        if not isinstance(load, Waveform):
            mean[node] = number(f"loads[{node}]", load, unit="A")
            continue
        mean[node] = _mean(node, load)
        factor, base = (load.factor, load.part) if isinstance(load, _Scaled) else (1.0, load)
        if not base.constant:
            drives.setdefault(id(base), (base, np.zeros(len(mean))))[1][node] += factor
    resistivity = technology.resistivities(network)
    currents = kirchhoff(network, resistivity, loads=mean)
    metal = technology.material
    kappa = metal.diffusivity * metal.bulk_modulus * metal.atomic_volume / (boltzmann * metal.temperature)
    ripple = np.zeros(len(mean))
    for base, pattern in drives.values():
        largest, area = _swing(base), float(np.asarray(base.ripple()))
        ripple += 2 * math.sqrt(2 * kappa * largest * area / math.pi) * _entering(network, technology, pattern)
    period = max((float(base.period or 0.0) for base, _ in drives.values()), default=0.0)
    piece, of_segment = network.components, network.components[network.segments[:, 0]]
    trees = int(piece.max(initial=-1)) + 1
    shortest, highest = np.full(trees, np.inf), np.zeros(trees)
    np.minimum.at(shortest, of_segment, network.lengths)
    np.maximum.at(highest, piece[piece >= 0], ripple[piece >= 0])
    ratio = np.where(highest > 0, kappa * period / shortest**2, 0.0)
    rise = technology.critical_stress - technology.residual_stress
    enough = (ratio <= SHORT) & (highest <= SMALL * rise)
    if (ratio > SHORT).any():
        tree = int(ratio.argmax())
        warnings.warn(
            f"a period of {period:.4g} s is {ratio[tree]:.3g} of the time in which stress passes the shortest segment "
            f"of tree {tree}, should be at most {SHORT:g}: the ripple is an estimate there, solve for the stress under "
            "the waveform itself",
            ResolutionWarning,
            stacklevel=3,
        )
    return EffectiveCurrents(mean, currents, ripple, period, ratio, enough)


@checked
def effective_density(drive: Waveform, *, recovery: float = 1.0) -> float:
    """Return the constant current density that acts as a periodic one: <j+> - recovery <j->.

    With full recovery, 1, it is the mean, which is what the equations have: atoms come back as they went. Less than 1
    is a rule of thumb for damage that does not heal, on the safe side.

    Args:
        drive: the current density of a wire, periodic or constant [A/m2].
        recovery: part of the damage of one direction that the other takes back, from 0 to 1 [-].

    Raises:
        ParameterError: for a waveform that is neither periodic nor constant, or has values that are no numbers.
    """
    part = number("recovery", recovery, at_least=0.0, at_most=1.0)
    mean = _scalar(drive.mean())
    if drive.constant or drive.period is None:
        size = abs(mean)
    else:
        size = _mean_size(drive, drive.period)
    forward, back = (size + mean) / 2, (size - mean) / 2
    return forward - part * back if forward >= back else part * forward - back


def _mean_size(drive: Waveform, period: float) -> float:
    """Return the mean of |value| over a period of a waveform that is linear between its breakpoints."""
    require(drive.linear, "drive has curved pieces, must be linear between its breakpoints")
    t = drive.next_breakpoint(0.0)  # pulses may begin later than at 0
    end, total = t + period, 0.0
    for _ in range(MOST_BREAKPOINTS):
        later = min(drive.next_breakpoint(t), end)
        width = later - t
        first, last = (_scalar(drive(t + x * width)) for x in (0.25, 0.75))
        middle, half = (first + last) / 2, last - first  # values from middle - half to middle + half
        inside = abs(middle) < abs(half)
        total += width * ((middle**2 + half**2) / (2 * abs(half)) if inside else abs(middle))
        if later >= end:
            return total / period
        t = later
    msg = f"drive has more than {MOST_BREAKPOINTS} breakpoints in a period, must have fewer"
    raise ParameterError(msg)


def _scalar(value: Any) -> float:
    """Return a value that is a number.

    Raises:
        ParameterError: for an array.
    """
    require(np.ndim(value) == 0, f"drive with values of shape {np.shape(value)}, must be numbers")
    return float(value)


def _mean(node: int, load: Waveform) -> float:
    """Return the mean of the load of a node.

    Raises:
        ParameterError: if it has none, or its values are no numbers.
    """
    kind(f"loads[{node}]", load, Waveform, "a waveform")
    try:
        return number(f"mean of loads[{node}]", load.mean(), unit="A")
    except ParameterError as error:
        msg = f"loads[{node}]: {error}"
        raise ParameterError(msg) from None


def _swing(drive: Waveform) -> float:
    """Return the largest distance of a waveform from its mean."""
    return float(np.abs(drive.levels() - drive.mean()).max())


def _entering(network: Network, technology: Technology, loads: Floats) -> Floats:
    """Return the force |sum s A G| / sum A at each node, per unit of a drive of these loads [Pa/m], shape (n,).

    The pads are at rest: they take up what the loads draw.
    """
    resistivity = technology.resistivities(network)
    pads = dict.fromkeys(network.pads, 0.0)
    current = kirchhoff(network, resistivity, loads=loads, pads=pads).current
    metal = technology.material
    force = metal.effective_charge * elementary_charge / metal.atomic_volume * resistivity * current  # A G
    start, end = network.segments.T
    nodes = len(network.nodes)
    net = np.bincount(start, force, nodes) - np.bincount(end, force, nodes)
    area = np.bincount(network.segments.ravel(), np.repeat(network.cross_sections, 2), nodes)
    return np.abs(net) / np.where(area > 0, area, 1.0)
