"""Initial compositions of a film: random, a function of place, or a Function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.arrays import MOST
from emfem.errors import ParameterError, count, number, shown
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.model import measure_size

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from ufl.core.expr import Expr

LARGEST = 1e300  # amplitude, so that the range of random values does not overflow


@checked
@dataclass(frozen=True)
class Noise:
    """A random composition, the same function of place on every mesh and any number of ranks.

    Attributes:
        amplitude: largest deviation from the mean, above 0 [-].
        seed: of the random numbers.
        grain: distance between independent values; 1/64 of the domain's longest side when left out.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    amplitude: float
    seed: int
    grain: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        number("amplitude", self.amplitude, above=0.0, at_most=LARGEST)
        count("seed", self.seed, at_least=0)
        if self.grain is not None:
            number("grain", self.grain, above=0.0)

    @checked
    def on(self, domain: Domain) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the noise as a function of x, shape (3, n): uniform random values on a lattice, joined linearly.

        Raises:
            ParameterError: for a grain so small that there are more than `MOST` values.
        """
        lower, upper = bounds(domain.mesh)
        lengths = upper - lower
        grain = self.grain or lengths.max() / 64
        wanted = np.maximum(1.0, np.rint(lengths / max(grain, float(lengths.max()) / MOST / 2)))
        if not np.prod(wanted) <= MOST:
            msg = f"grain = {grain:g} makes {np.prod(wanted):.3g} random values, must make at most {MOST}"
            raise ParameterError(msg)
        steps = wanted.astype(int)
        periodic = domain.period > 0
        lattice = np.random.default_rng(self.seed).uniform(-self.amplitude, self.amplitude, steps + 1)
        for axis in np.flatnonzero(periodic):
            first, last = ([slice(None)] * len(steps) for _ in range(2))
            first[axis], last[axis] = slice(0, 1), slice(-1, None)
            lattice[tuple(last)] = lattice[tuple(first)]

        def value(x: NDArray[np.float64]) -> NDArray[np.float64]:
            place = ((x[: len(steps)].T - lower) / lengths * steps).T
            return map_coordinates(lattice, place, order=1, mode="nearest")

        return value


@checked
def noise(amplitude: float, seed: int = 0, *, grain: float | None = None) -> Noise:
    """Return a random start of uniform deviations in +-amplitude about the mean.

    `noise(...).on(domain)` is the deviation as a function of x, which the start of any other model takes.

    Args:
        amplitude: [-].
        seed: whole number; the same seed gives the same film on any mesh and any number of ranks.
        grain: distance between independent values [m or -]; take it well below the pattern's wavelength.

    Raises:
        ParameterError: for an amplitude or grain that is not positive, or a seed that is no whole number >= 0.
    """
    return Noise(amplitude, seed, grain)


def start(c: fem.Function, domain: Domain, initial: Any, mean: float | None, limits: tuple[float, float]) -> None:
    """Set c to its initial values. Collective.

    Raises:
        ParameterError: for a start that is none, leaves its limits, or has another mean.
    """
    random = isinstance(initial, Noise)
    if (initial is None or random) and mean is None:
        msg = "mean = None, must be given unless `initial` gives the composition itself"
        raise ParameterError(msg)
    if initial is None:
        c.x.array[:] = mean
    elif random:
        c.interpolate(initial.on(domain))
    elif callable(initial) and (isinstance(initial, fem.Function) or not isinstance(initial, Expr)):
        fields.set_initial(c, initial)
    else:
        msg = f"initial = {shown(initial)}, must be noise(...), a function of x, or a Function"
        raise ParameterError(msg)
    c.x.scatter_forward()
    dx = domain.dx(c.function_space.element.basix_element.degree)
    actual = fields.integral(fem.form(c * dx), domain.mesh.comm) / measure_size(domain, dx)
    if random and mean is not None:
        c.x.array[:] += mean - actual
    elif mean is not None and not abs(actual - mean) <= 1e-3:
        msg = f"mean = {mean:g}, but the initial composition has mean {actual:g}: leave one of them out"
        raise ParameterError(msg)
    low, high = fields.extremes(c)
    if not (limits[0] < low and high < limits[1]):
        msg = f"initial composition from {low:g} to {high:g}, must stay inside ({limits[0]:g}, {limits[1]:g})"
        raise ParameterError(msg)
