"""Unknown constants of a fit, and their coordinates: each runs from 0 at its lower bound to 1 at its upper one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, floats, number, require
from emfem.gate import checked

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
LONGEST = 60  # letters of a name
MOST = 50  # unknowns of a fit


@checked
@dataclass(frozen=True)
class Unknown:
    """A constant that the data are to determine.

    Attributes:
        name: of the constant, as the model reads it.
        bounds: lowest and highest value, both finite; one at which it ends is named in the result.
        logarithmic: True for a constant above 0 whose order of magnitude is unknown, such as a diffusivity.
        start: the first value tried; the middle of the bounds when left out.
        prior: an earlier value and its standard deviation, of ln(value) if logarithmic; it counts as one measurement.
        unit: for the report.
        shared: True if all curves have the same value, False if each has its own.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    name: str
    bounds: tuple[float, float]
    logarithmic: bool = False
    start: float | None = None
    prior: tuple[float, float] | None = None
    unit: str = ""
    shared: bool = True

    def __post_init__(self) -> None:
        """Check every value."""
        require(0 < len(self.name) <= LONGEST, f"name = {self.name!r}, must be a text of 1 to {LONGEST} letters")
        low, high = floats(f"bounds of {self.name}", self.bounds, (2,), "two finite numbers", finite=True)
        number(f"bounds of {self.name}", high, above=low)
        require(np.isfinite(high - low), f"bounds of {self.name} = {self.bounds}, must be closer to each other")
        if self.logarithmic:
            number(f"bounds of {self.name}, which is logarithmic,", low, above=0.0)
        if self.start is not None:
            number(f"start of {self.name}", self.start, at_least=low, at_most=high)
        if self.prior is not None:
            value, deviation = floats(
                f"prior of {self.name}", self.prior, (2,), "a value and its deviation", finite=True
            )
            number(f"deviation of the prior of {self.name}", deviation, above=0.0)
            if self.logarithmic:
                number(f"prior of {self.name}, which is logarithmic,", value, above=0.0)

    @property
    def natural_span(self) -> float:
        """Distance of the bounds in the natural coordinate: ln(high/low) if logarithmic, else high - low."""
        low, high = self.bounds
        return float(np.log(high / low)) if self.logarithmic else float(high - low)

    def value(self, u: Any) -> Any:
        """Return the value at a coordinate in [0, 1]."""
        low, high = self.bounds
        value = low * np.exp(self.natural_span * u) if self.logarithmic else low + self.natural_span * u
        return np.clip(value, low, high)

    def coordinate(self, value: Any) -> Any:
        """Return the coordinate of a value."""
        low, _ = self.bounds
        shift = np.log(value / low) if self.logarithmic else value - low
        return shift / self.natural_span


@dataclass(frozen=True, eq=False)
class Space:
    """The unknowns of a fit in their order; one that curves do not share is there once for each curve.

    Attributes:
        unknowns: one for each coordinate.
        names: of the coordinates, "name" or "name[curve]".
        owners: the curve of each, None for one that all share.
    """

    unknowns: tuple[Unknown, ...]
    names: tuple[str, ...]
    owners: tuple[str | None, ...]

    @classmethod
    def of(cls, unknowns: Sequence[Unknown], curves: Sequence[str]) -> Space:
        """Return the space of unknowns for curves of these names.

        Raises:
            ParameterError: for no unknown, too many, or a name twice.
        """
        rows = [
            (each, each.name if each.shared else f"{each.name}[{curve}]", None if each.shared else curve)
            for each in unknowns
            for curve in ([""] if each.shared else curves)
        ]
        names = [name for _, name, _ in rows]
        require(rows, "unknowns = [], must be at least one")
        number("number of unknowns", len(rows), at_most=MOST)
        twice = next((name for name in names if names.count(name) > 1), None)
        require(twice is None, f"unknowns have the name {twice!r} twice, must have each once")
        made, labels, owners = zip(*rows, strict=True)
        return cls(made, labels, owners)

    def __len__(self) -> int:
        """Return the number of coordinates."""
        return len(self.unknowns)

    def values(self, point: Array) -> dict[str, float]:
        """Return the values at a point, by the names of the coordinates."""
        pairs = zip(self.names, self.unknowns, point, strict=True)
        return {name: float(unknown.value(u)) for name, unknown, u in pairs}

    def of_curve(self, point: Array, curve: str) -> dict[str, float]:
        """Return the values that the model gets for a curve, by the names of the unknowns."""
        rows = zip(self.unknowns, self.owners, point, strict=True)
        return {unknown.name: float(unknown.value(u)) for unknown, owner, u in rows if owner in (None, curve)}

    def point(self, values: Mapping[str, float]) -> Array:
        """Return the point of values by the names of the coordinates.

        Raises:
            ParameterError: for a name that is missing, or a value out of its bounds.
        """
        point = np.empty(len(self))
        for i, (name, unknown) in enumerate(zip(self.names, self.unknowns, strict=True)):
            if name not in values:
                msg = f"values have no {name!r}, must have {', '.join(self.names)}"
                raise ParameterError(msg)
            low, high = unknown.bounds
            point[i] = unknown.coordinate(number(name, values[name], at_least=low, at_most=high))
        return point

    @property
    def start(self) -> Array:
        """The first point tried."""
        return np.array([0.5 if each.start is None else each.coordinate(each.start) for each in self.unknowns])

    @property
    def spans(self) -> Array:
        """Distance of the bounds of each in its natural coordinate."""
        return np.array([each.natural_span for each in self.unknowns])

    def prior(self, point: Array) -> Array:
        """Return the residuals of the priors."""
        rows = zip(self.unknowns, point, strict=True)
        return np.array(
            [(u - each.coordinate(each.prior[0])) * each.natural_span / each.prior[1] for each, u in rows if each.prior]
        )

    def prior_rows(self) -> Array:
        """Return the derivatives of the residuals of the priors, shape (priors, coordinates)."""
        rows = [(i, each.natural_span / each.prior[1]) for i, each in enumerate(self.unknowns) if each.prior]
        jacobian = np.zeros((len(rows), len(self)))
        for row, (i, slope) in enumerate(rows):
            jacobian[row, i] = slope
        return jacobian
