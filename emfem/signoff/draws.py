"""Constants that differ from tree to tree and from grid to grid, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.errors import number, require
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.signoff.metal import Temperature
from emfem.signoff.rises import Rises
from emfem.technology import Technology
from emfem.units import boltzmann, eV

import numpy as np

BLOCK = 64  # samples that share a generator: the unit of work of one process
EXTREME = 6.0  # standard deviations beyond which no draw is expected: 1e-9


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
        correlation: of the normal draws behind a constant of two trees of one grid, 0 to 1: the part of each variance
            that all trees of a die have in common [-].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    activation_energy: float = 0.0
    critical_stress: float = 0.0
    effective_charge: float = 0.0
    grain_size: float | None = None
    grain_spread: float = 0.0
    paths: tuple[str, ...] | None = None
    correlation: float = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        number("activation_energy of the variation", self.activation_energy, at_least=0.0, at_most=eV, unit="J")
        for name in ("critical_stress", "effective_charge", "grain_spread"):
            number(f"{name} of the variation", getattr(self, name), at_least=0.0, at_most=5.0)
        number("correlation", self.correlation, at_least=0.0, at_most=1.0)
        if self.grain_size is None:
            spread = float(self.grain_spread)
            require(not spread, f"grain_spread = {spread:g} without grain_size, must have one")
        else:
            number("grain_size", self.grain_size, above=0.0, unit="m")


class Draws:
    """Random technologies of all trees."""

    def __init__(
        self, network: Network, technology: Technology, variation: Variation, heat: Temperature | None = None
    ) -> None:
        """Take the medians of a technology, and how it varies; energies and grains act at the mean T of a tree."""
        self.technology, self.variation = technology, variation
        of_segment = network.components[network.segments[:, 0]]
        self.trees = int(of_segment.max()) + 1
        volume = network.lengths * network.cross_sections
        total = np.bincount(of_segment, volume, self.trees)
        self.temperature = np.full(self.trees, technology.temperature)
        if heat is not None:
            self.temperature = np.bincount(of_segment, volume * _means(heat, network.lengths), self.trees) / total
        self.bamboo = self.boundary = self.width = np.zeros(self.trees)
        if variation.grain_size is None:
            return
        self.width = np.bincount(of_segment, volume * network.width, self.trees) / total
        height = np.bincount(of_segment, volume * network.thickness, self.trees) / total
        # D = a + b (1/d - 1/w) for grains smaller than the line, a for a bamboo
        self.bamboo, self.boundary = np.zeros(self.trees), np.zeros(self.trees)
        for size in {(float(w), float(h)) for w, h in zip(self.width, height, strict=True)}:
            mine = (self.width == size[0]) & (height == size[1])
            whole, halved = (self._diffusivity(*size, d, self.temperature[mine]) for d in (size[0], size[0] / 2))
            self.bamboo[mine], self.boundary[mine] = whole, (halved - whole) * size[0]

    def _diffusivity(self, width: float, height: float, grain: float, temperature: Floats) -> Floats:
        """Return D of a line over that of the technology's metal, both at temperatures."""
        paths, metal = self.variation.paths, self.technology.material
        line = metal.in_line(width=width, height=height, grain_size=grain, paths=paths)
        return np.asarray(line.law("diffusivity")(temperature) / metal.law("diffusivity")(temperature))

    def diffusivity(self, energy: Floats, grain: Floats) -> Floats:
        """Return D over that of the technology, of standard normal draws."""
        result = np.exp(-energy * self.variation.activation_energy / (boltzmann * self.temperature))
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
        generator, shared = np.random.default_rng(seed), self.variation.correlation
        own = generator.standard_normal((BLOCK, 4, self.trees))
        die = generator.standard_normal((BLOCK, 4, 1))
        draws = (np.sqrt(1 - shared) * own + np.sqrt(shared) * die)[:samples]
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


def _means(heat: Temperature, lengths: Floats) -> Floats:
    """Return the mean temperature of segments, (T_a + T_b)/2 + T_m (1 - tanh(h)/h), h = L/(2 Gamma), shape (m,)."""
    linear = (np.asarray(heat.start) + np.asarray(heat.end)) / 2
    if heat.healing_length is None:
        return linear
    half = lengths / (2 * heat.healing_length)
    return np.asarray(linear + np.asarray(heat.excess) * (1 - np.tanh(half) / half))
