"""Result of a fit: constants with intervals, residuals, and what the data cannot tell."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem import write
from emfem.errors import ParameterError, choice, count, kind, require
from emfem.files import writable
from emfem.fit.curves import Curve
from emfem.fit.problem import Minimum, Problem
from emfem.fit.profiles import Profile, covariance
from emfem.fit.unknowns import Array, Unknown
from emfem.gate import checked
from emfem.lifetime import Estimate
from emfem.materials import Arrhenius, Constant, Material
from emfem.materials.validity import VALIDITY
from emfem.quantities import is_same_unit

import numpy as np
import tomli_w
from mpi4py import MPI

UNLIKELY = 1e-3  # probability of a misfit that is none of errors
MOST = 10**6  # points of a profile, and draws
UNIFORM = 12.0  # one over the variance of a uniform value in [0, 1]


@dataclass(frozen=True, eq=False)
class Fit:
    """Constants that data determine; with names of one value for each curve as "name[curve]".

    Attributes:
        estimates: the most likely value of each unknown with its interval.
        standard_errors: of the values, of ln(value) where the unknown is logarithmic; infinite where the data do not
            determine it.
        confidence: of the intervals.
        undetermined: what the data cannot tell, a sentence each: combinations, unknowns at a bound, open intervals.
        unreliable: numerical reasons to distrust values and intervals, a sentence each; `FitWarning` has them too.
        square: sum of the squares of residuals, -2 ln L but for a constant.
        freedom: number of measured points and priors less that of unknowns.
        scatter: standard deviation of the data without one, as they scatter; None if there are none.
        misfit: the probability that errors alone give as large a sum of squares; None if scatter or a robust loss
            stands for the errors, or some points are censored.
        agreeing: number of starts that ended at the best minimum.
        starts: number of all.
        evaluations: of the model, a curve each.
        broken: evaluations that failed and were left out.
    """

    estimates: Mapping[str, Estimate]
    standard_errors: Mapping[str, float]
    confidence: float
    undetermined: tuple[str, ...]
    unreliable: tuple[str, ...]
    square: float
    freedom: int
    scatter: float | None
    misfit: float | None
    agreeing: int
    starts: int
    evaluations: int
    broken: int
    _problem: Problem = field(repr=False)
    _best: Minimum = field(repr=False)
    _threshold: float = field(repr=False)

    @property
    def values(self) -> dict[str, float]:
        """The most likely values, by name."""
        return {name: estimate.value for name, estimate in self.estimates.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unknowns, in the order of all arrays."""
        return self._problem.space.names

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The unknowns, one for each name."""
        return self._problem.space.unknowns

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The data."""
        return tuple(self._problem.curves)

    @cached_property
    def covariance(self) -> Array:
        """Covariance of the values, of ln(value) where an unknown is logarithmic, shape (p, p)."""
        spans = self._problem.space.spans
        return np.asarray(covariance(self._best.jacobian) * np.outer(spans, spans))

    @property
    def information(self) -> Array:
        """Fisher's information about the coordinates, from 0 at one bound to 1 at the other, shape (p, p).

        That of a uniform value within the bounds is added, 12, so that a constant of which nothing is known has one.
        """
        jacobian = self._best.jacobian
        return np.asarray(jacobian.T @ jacobian + UNIFORM * np.eye(jacobian.shape[1]))

    @cached_property
    def correlation(self) -> Array:
        """Correlation of the values, shape (p, p)."""
        errors = np.sqrt(np.diagonal(self.covariance))
        return np.asarray(self.covariance / np.outer(errors, errors))

    @cached_property
    def residuals(self) -> Any:
        """Table of all points: curve, conditions, measured, model, residual, censored.

        A residual is model less data over the standard deviation, of logarithms with scale = "log"; of a censored point
        that of its bound.
        """
        import pandas as pd  # half a second that other parts can do without

        parts = []
        for curve, model in zip(self._problem.curves, self.modelled, strict=True):
            deviation = curve.deviation(model, self._problem.scatter)
            columns = {"measured": curve.y, "model": model, "residual": deviation, "censored": curve.marks}
            parts.append(pd.DataFrame({"curve": curve.name, **curve.columns, **columns}))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def modelled(self) -> list[Array]:
        """The values of the model with the best constants, for each curve."""
        (values,) = self._problem.models([self._best.point])
        require(values is not None, "the model breaks at its best constants, must be the same function as in the fit")
        return list(values or [])

    @checked
    def profile(self, name: str, points: int = 21) -> tuple[Array, Array]:
        """Return values of an unknown, and the rise of the least sum of squares with it fixed, both of shape (n,).

        The values go beyond the interval by half of it, as far as the bounds; best value and ends of the interval are
        among them. Evaluations are made one after the other.

        Args:
            name: of the unknown.
            points: at least 3.

        Raises:
            UnknownName: for another name.
        """
        index, unknown = self._index(name)
        number_of_points = count("points", points, at_least=3, at_most=MOST)
        estimate = self.estimates[name]
        low, high = (float(unknown.coordinate(end)) for end in (estimate.low, estimate.high))
        first, last = max(low - 0.25 * (high - low), 0.0), min(high + 0.25 * (high - low), 1.0)
        best = float(self._best.point[index])
        u = np.unique([*np.linspace(first, last, number_of_points), best, max(low, 0.0), min(high, 1.0)])
        return np.asarray(unknown.value(u)), Profile(self._problem, self._best, index).rises(u)

    @property
    def threshold(self) -> float:
        """Rise of the sum of squares at the ends of an interval."""
        return self._threshold

    @checked
    def sample(self, n: int, *, seed: int) -> dict[str, Array]:
        """Return constants drawn from the normal distribution of the fit, inside the bounds, by name; shape (n,) each.

        Args:
            n: number of draws, at least 1.
            seed: of the generator.

        Raises:
            ParameterError: if the data do not determine the constants.
        """
        self._require_determined("drawn from")
        generator = np.random.default_rng(count("seed", seed, at_least=0))
        spread = covariance(self._best.jacobian)
        size = count("n", n, at_least=1, at_most=MOST)
        points = generator.multivariate_normal(self._best.point, spread, size=size, method="eigh")
        points = np.clip(points, 0.0, 1.0).T
        rows = zip(self.names, self.unknowns, points, strict=True)
        return {name: np.asarray(unknown.value(u)) for name, unknown, u in rows}

    @checked
    def constant(self, name: str, source: str = "") -> Constant:
        """Return an unknown as a constant of a metal, with the source "fit" and its interval.

        Args:
            name: of the unknown; in SI.
            source: of the data, added to that of the constant.

        Raises:
            UnknownName: for another name.
            ParameterError: if the data do not determine it.
        """
        return Constant(self._determined(name), "given", self._source([name], source))

    @checked
    def arrhenius(self, prefactor: str, activation_energy: str, source: str = "") -> Constant:
        """Return two unknowns as the law of a diffusivity, D0 exp(-Ea/kT), with the source "fit" and their intervals.

        Args:
            prefactor: the name of D0 [m2/s].
            activation_energy: the name of Ea [J].
            source: of the data, added to that of the constant.

        Raises:
            UnknownName: for another name.
            ParameterError: if the data do not determine both, or one is out of its bounds.
        """
        law = Arrhenius(self._determined(prefactor), self._determined(activation_energy))
        return Constant(law, "given", self._source([prefactor, activation_energy], source))

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers and sentences, as JSON has them."""
        rows = {}
        for name, unknown in zip(self.names, self.unknowns, strict=True):
            error = self.standard_errors[name]
            rows[name] = {
                **asdict(self.estimates[name]),
                "standard_error": error if np.isfinite(error) else None,
                "unit": unknown.unit,
                "logarithmic": unknown.logarithmic,
            }
        keys = ("confidence", "square", "freedom", "scatter", "misfit", "agreeing", "starts", "evaluations", "broken")
        numbers = {key: getattr(self, key) for key in keys}
        return {
            "constants": rows,
            "undetermined": list(self.undetermined),
            "unreliable": list(self.unreliable),
            "correlation": self.correlation.tolist(),
            **numbers,
        }

    @checked(collective=MPI.COMM_WORLD, local=("self",))
    def write_json(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_dict` into a .json file. Collective.

        Raises:
            ParameterError: if it cannot be written.
        """
        target = writable(path, ".json")
        write.text(target, json.dumps(self.to_dict(), indent=2) + "\n")
        return target

    @checked(collective=MPI.COMM_WORLD, local=("self",))
    def write_material(
        self,
        path: str | os.PathLike[str],
        constants: Mapping[str, str | tuple[str, str]],
        *,
        name: str,
        source: str = "",
    ) -> Path:
        """Write constants of a metal into a .toml file that `em.materials.read` takes. Collective.

        Args:
            path: of the file.
            constants: the name of an unknown by that of the constant of `em.materials`; two, of prefactor and
                activation energy, for a law D0 exp(-Ea/kT).
            name: of the metal.
            source: of the data.

        Raises:
            UnknownName: for a name that does not exist.
            ParameterError: if the data do not determine one, it is out of the bounds of such a constant, or the unit
                of the unknown is none of such a constant.
        """
        tables: dict[str, Any] = {"name": name}
        for constant, unknown in constants.items():
            choice("em.materials", constant, VALIDITY)
            if isinstance(unknown, str):
                made = self.constant(unknown, source)
                table: dict[str, Any] = {"value": self._determined(unknown)}
            else:
                kind(f"constants[{constant!r}]", unknown, tuple, "one name, or two in a tuple")
                require(len(unknown) == 2, f"constants[{constant!r}] = {unknown}, must be one name, or two")
                made = self.arrhenius(*unknown, source)
                table = {"prefactor": self._determined(unknown[0]), "activation_energy": self._determined(unknown[1])}
            parts = (unknown,) if isinstance(unknown, str) else unknown
            for part, unit in zip(parts, (VALIDITY[constant].unit, "J"), strict=False):
                self._check_unit(part, constant, unit)
            Material(name, **{constant: made})  # type: ignore[arg-type]  # refuses values out of bounds
            tables[constant] = table | {"confidence": made.confidence, "source": made.source}
        target = writable(path, ".toml")
        write.text(target, tomli_w.dumps(tables))
        return target

    def __str__(self) -> str:
        """Each constant with its interval, then what the data cannot tell."""
        width = max(map(len, self.names))
        lines = [
            f"{name:<{width}} = {self.estimates[name]} {unknown.unit}".rstrip()
            for name, unknown in zip(self.names, self.unknowns, strict=True)
        ]
        points = sum(map(len, self.curves))
        censored = sum(int(np.count_nonzero(curve.marks)) for curve in self.curves)
        curves = "1 curve" if len(self.curves) == 1 else f"{len(self.curves)} curves"
        cut = f", {censored} of them censored" if censored else ""
        lines.append(
            f"confidence {self.confidence:g}; {curves}, {points} points{cut}; "
            f"sum of squares {self.square:.4g} with {self.freedom} degrees of freedom"
        )
        if self.scatter is not None:
            lines.append(f"scatter of the data {self.scatter:.3g}")
        if self.misfit is not None:
            lines.append(f"errors alone deviate as far with probability {self.misfit:.2g}")
        lines.append(f"{self.agreeing} of {self.starts} starts ended here; {self.evaluations} evaluations of a curve")
        if self.broken:
            lines[-1] += f", {self.broken} broken"
        if self.agreeing < 2 <= self.starts:
            lines.append("- another minimum may be lower: raise starts until several end at the same one")
        if self.misfit is not None and self.misfit < UNLIKELY:
            lines.append("- the model does not fit the data within their errors: intervals are too small")
        return "\n".join([*lines, *(f"- {sentence}" for sentence in (*self.unreliable, *self.undetermined))])

    def _index(self, name: str) -> tuple[int, Unknown]:
        """Return number and unknown of a name."""
        index = self.names.index(choice("the fit", name, self.names))
        return index, self.unknowns[index]

    def _determined(self, name: str) -> float:
        """Return a value.

        Raises:
            ParameterError: if the data do not determine it.
        """
        self._index(name)
        if not np.isfinite(self.standard_errors[name]):
            msg = f"{name} is not determined by the data: {'; '.join(self.undetermined)}"
            raise ParameterError(msg)
        return self.estimates[name].value

    def _check_unit(self, name: str, constant: str, unit: str) -> None:
        """Check that an unknown with a unit has that of a constant of a metal: values are in SI.

        Raises:
            ParameterError: for another one.
        """
        own = self._index(name)[1].unit
        if own and not is_same_unit(own, unit):
            msg = f"{name} in {own}, must be in {unit} to be a part of {constant}"
            raise ParameterError(msg)

    def _require_determined(self, purpose: str) -> None:
        wrong = [name for name in self.names if not np.isfinite(self.standard_errors[name])]
        require(not wrong, f"{', '.join(wrong)} must be determined by the data to be {purpose} a normal distribution")

    def _source(self, names: Sequence[str], source: str) -> str:
        """Return the words for the origin of constants."""
        rows = [(name, self.estimates[name], self._index(name)[1].unit) for name in names]
        texts = [f"{name} {each.low:.4g} to {each.high:.4g} {unit}".rstrip() for name, each, unit in rows]
        return f"fit: {'; '.join(texts)}, confidence {self.confidence:g}{f'; {source}' if source else ''}"
