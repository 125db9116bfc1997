"""Thermal noise of a film: a random flux of solute with the covariance of the fluctuation-dissipation theorem.

    dC/dt = div{ M D (grad mu - F) + sqrt(2 theta M) R xi },   R R^T = D,   <xi_i(x,t) xi_j(y,s)> = d_ij d(x-y) d(t-s)

In the discrete equations xi is constant in intervals of time, and normal numbers at the points of the quadrature, of
variance 1/(weight * volume * interval): the random loads of the nodes then have the covariance 2 theta A/interval, with
A the very matrix of M D in the drift, on every mesh and element.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, count, number, require, shown
from emfem.film.alloy import Alloy
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Driver
from emfem.waveforms import Waveform

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

BLOCK = 256  # cells whose numbers are one stream: a rank makes those of the blocks that it has cells of
MOST_SEED = 2**64 - 1
LEAST_MOBILITY = 1e-30  # below it, noise has no derivative


@checked
@dataclass(frozen=True)
class ThermalNoise:
    """Thermal noise of a film: a random flux, the same on any number of ranks, however time steps lie.

    Attributes:
        interval: time in which the flux is constant, above 0.
        seed: of the random numbers.
        strength: theta = k T/(gamma h^2), at least 0; that of the alloy's scales when left out.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    interval: float
    seed: int = 0
    strength: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        number("interval", self.interval, above=0.0)
        number("seed", count("seed", self.seed, at_least=0), at_most=MOST_SEED)
        if self.strength is not None:
            number("strength", self.strength, at_least=0.0)

    @checked
    def strength_in(self, alloy: Alloy) -> float:
        """Return theta of a film: its own, or k T/(gamma h^2) of the alloy's scales [-].

        Raises:
            ParameterError: if there is neither.
        """
        if self.strength is not None:
            return self.strength
        if alloy.scales is None:
            msg = "strength = None, must be given: the alloy has no scales, of which k T/(gamma h^2) would follow"
            raise ParameterError(msg)
        return alloy.scales.noise

    @checked
    def seen(self, rate: ArrayLike | NDArray[np.complex128] | complex) -> NDArray[np.float64]:
        """Return the part of the white noise that a wave of some growth rate sees, tanh(x)/x with x = rate interval/2.

        A wave that travels sees less: x (sinh^2 x + sin^2 y)/((x^2 + y^2) sinh x cosh x), y = frequency interval/2.

        Args:
            rate: growth rates, negative for those that decay; complex for waves that travel [1/time].

        Raises:
            ParameterError: for rates that are not finite.
        """
        rates = np.asarray(rate, dtype=complex)
        require(np.isfinite(rates).all(), f"rate = {shown(rate)}, must be finite")
        half = rates * (self.interval / 2)
        x, y = np.abs(half.real), half.imag
        still = x == 0
        damped = np.where(still, 1.0, np.tanh(x) / np.where(still, 1.0, x))
        size = np.where(still & (y == 0), 1.0, x**2 + y**2)
        sine = np.sin(y) ** 2
        steep = np.where(still, 1.0, np.sinh(2 * np.minimum(x, 300.0)) / 2)
        turning = np.where(still, sine, x**2 * damped + sine * x / steep)
        return np.where(y == 0, damped, turning / size)


@checked
def thermal_noise(interval: float, seed: int = 0, *, strength: float | None = None) -> ThermalNoise:
    """Return the thermal noise of a film, for `em.film.model(..., noise=...)`.

    Args:
        interval: time in which the random flux is constant [s or -]; waves that change much within it see less of the
            noise, by `tanh(x)/x` with x = rate * interval/2: take it well below the time of growth.
        seed: whole number; the same seed gives the same film on any number of ranks.
        strength: theta = k T/(gamma h^2), the thermal energy over that of a square of the film's thickness; that of the
            alloy's physical constants when left out [-].

    Raises:
        ParameterError: for an interval that is not positive, a seed that is no whole number >= 0, a negative strength.
    """
    return ThermalNoise(interval, seed, strength)


@dataclass(frozen=True, eq=False, repr=False)
class Intervals(Waveform):
    """Number of the interval in which a time is, 0 from time 0 on; the values jump at multiples of the interval."""

    interval: float
    period = None

    @checked
    def __call__(self, t: float) -> float:
        """Return the number; at a multiple that of the interval after it."""
        k = math.floor(t / self.interval)
        return float(next(i for i in (k + 1, k, k - 1) if i * self.interval <= t))  # the edges of next_breakpoint

    @checked
    def next_breakpoint(self, t: float) -> float:
        """Return the first multiple after t."""
        return next(later for i in range(3) if (later := (self(t) + i) * self.interval) > t)

    @checked
    def count_breakpoints(self, start: float, stop: float, limit: int) -> int:
        """Return the number of multiples between two times, counted up to `limit`."""
        return int(min(max(stop - start, 0.0) / self.interval, limit))


class RandomFlux:
    """Random vectors xi at the points of a quadrature, of unit variance per volume, which a driver makes anew.

    Attributes:
        function: normal numbers over the root of the weight of their point, shape (dim,).
        ufl_shape: of the value, the number of the interval.
    """

    ufl_shape = ()

    def __init__(self, domain: Domain, degree: int, seed: int) -> None:
        """Make those of interval 0.

        Args:
            domain: any.
            degree: of the quadrature.
            seed: of the random numbers.
        """
        mesh = domain.mesh
        cell, self._dim, self._seed = mesh.basix_cell(), domain.dim, seed
        element = basix.ufl.quadrature_element(cell, value_shape=(domain.dim,), degree=degree)
        self._weights = basix.make_quadrature(cell, degree)[1]
        require(bool(np.all(self._weights > 0)), f"quadrature of degree {degree}, must have positive weights for noise")
        self.function = fem.Function(fem.functionspace(mesh, element), name="thermal_noise")
        self._cells = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
        self._value = 0.0
        self._fill()

    @property
    def value(self) -> float:
        """Number of the interval."""
        return self._value

    @value.setter
    def value(self, interval: ArrayLike) -> None:
        if float(np.asarray(interval)) != self._value:
            self._value = float(np.asarray(interval))
            self._fill()

    def _fill(self) -> None:
        """Make the numbers of the present interval: each block of original cells has a stream of its own."""
        points = len(self._weights)
        values = np.empty((len(self._cells), points, self._dim))
        block = self._cells // BLOCK
        for number_of in np.unique(block):
            mine = block == number_of
            stream = np.random.Philox(key=self._seed, counter=[0, 0, int(self._value) % 2**64, int(number_of)])
            normal = np.random.Generator(stream).standard_normal((BLOCK, points, self._dim))
            values[mine] = normal[self._cells[mine] % BLOCK]
        values /= np.sqrt(self._weights)[:, None]
        self.function.x.array.reshape(-1, self._dim)[self.function.function_space.dofmap.list] = values


def random_flux(
    domain: Domain, noise: ThermalNoise, strength: float, mobility: Any, root: Any, degree: int
) -> tuple[Any, list[Driver]]:
    """Return the random flux `sqrt(2 theta M) R xi` as UFL, and the driver that makes it anew in each interval.

    Args:
        domain: any.
        noise: its intervals and seed.
        strength: theta.
        mobility: M at the present composition; the product is that of Stratonovich.
        root: R with R R^T = D, UFL of shape (dim, dim).
        degree: of the quadrature, that of the measure of the term.
    """
    numbers = RandomFlux(domain, degree, noise.seed)
    amplitude = fem.Constant(domain.mesh, math.sqrt(2 * strength / noise.interval))
    volume = abs(ufl.JacobianDeterminant(domain.mesh)) * (1 if domain.weight is None else domain.weight)
    size = amplitude * ufl.sqrt(ufl.max_value(mobility, LEAST_MOBILITY) / volume)
    return size * ufl.dot(root, numbers.function), [Driver("noise", numbers, Intervals(noise.interval))]
