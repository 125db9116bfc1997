"""Design of the next experiment: the information that a test would add, before it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import choice, floats, kind, number, require
from emfem.fit.evaluation import Evaluator
from emfem.fit.result import Fit
from emfem.fit.unknowns import Array, Space, Unknown
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CRITERIA = {"widest": "widest", "A": "mean", "D": "volume"}  # numbers of a proposal
SCALES = ("linear", "log")


@checked
@dataclass(frozen=True, eq=False)
class Test:
    """A test that could be made: conditions, and the error of what it measures.

    Attributes:
        name: of the test.
        inputs: the conditions by name, each a number or one for each point, shape (n,).
        error: standard deviation of a value, relative with scale = "log".
        scale: as in `em.fit.Curve`.
        samples: number of lines that are tested alike.
        until: the largest value that the test can measure, such as its duration for times; what is larger is censored.

    Raises:
        ParameterError: for a value out of its bounds, or conditions of different lengths.
    """

    name: str
    inputs: Mapping[str, ArrayLike]
    error: float
    scale: str = "linear"
    samples: int = 1
    until: float | None = None

    __test__ = False  # none of pytest's

    def __post_init__(self) -> None:
        """Check every value."""
        choice("scale", self.scale, SCALES)
        number("error", self.error, above=0.0)
        number("samples", self.samples, at_least=1)
        if self.until is not None:
            number("until", self.until, above=0.0 if self.scale == "log" else None)
        require(self.inputs, f"test {self.name!r} has no inputs, must have at least one")
        shapes = {
            floats(f"test {self.name!r}: {name}", x, finite=True, words="finite numbers").shape
            for name, x in self.inputs.items()
        }
        require(
            all(len(shape) < 2 for shape in shapes), f"test {self.name!r}: inputs, must be numbers or lists of them"
        )
        require(len(shapes - {()}) < 2, f"test {self.name!r} has inputs of several lengths, must have one")

    def __len__(self) -> int:
        """Return the number of points of one sample."""
        return max((np.size(x) for x in self.inputs.values()), default=1)

    @property
    def columns(self) -> dict[str, Array]:
        """The conditions by name, each of shape (n,)."""
        return {name: np.broadcast_to(np.array(x, dtype=float), (len(self),)) for name, x in self.inputs.items()}

    def rows(self, model: Array, jacobian: Array) -> Array:
        """Return derivatives of residuals, weighted so that the information of all samples is rows^T rows."""
        with np.errstate(all="ignore"):
            slope = 1 / model if self.scale == "log" else np.ones_like(model)
            known = np.ones_like(model)
            if self.until is not None:
                limit = (np.log(self.until / model) if self.scale == "log" else self.until - model) / self.error
                known = _information(limit)
            weight = np.sqrt(self.samples * known) * slope / self.error
        rows = jacobian * weight[:, None]
        return np.where(np.isfinite(rows), rows, 0.0)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A test, and the intervals that are expected with it.

    Attributes:
        test: the test.
        standard_errors: expected, by name; of ln(value) where the unknown is logarithmic.
        widest: the widest interval after the test over the widest before, each relative to its value [-].
        name: of the unknown with the widest interval, before the test.
        volume: the factor by which the region of all constants shrinks, of criterion "D" [-].
        mean: the factor by which the root of the mean variance shrinks, of criterion "A" [-].
    """

    test: Test
    standard_errors: Mapping[str, float]
    widest: float
    name: str
    volume: float
    mean: float

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, as JSON has them."""
        keys = ("widest", "name", "mean", "volume")
        return {"test": self.test.name, "standard_errors": dict(self.standard_errors)} | {
            key: getattr(self, key) for key in keys
        }

    def __str__(self) -> str:
        """One line."""
        factors = self.widest, self.mean, self.volume
        if all(float(f"{each:.3g}") == 1.0 for each in factors):
            return f"{self.test.name}: adds nothing"
        return (
            f"{self.test.name}: widest interval, that of {self.name}, times {self.widest:.3g}, "
            f"mean times {self.mean:.3g}, volume times {self.volume:.3g}"
        )


@checked
def design(
    model: Callable[[dict[str, float], dict[str, Array]], Any],
    fit: Fit,
    tests: Sequence[Test],
    *,
    criterion: str = "widest",
    step: float = 1e-4,
) -> list[Proposal]:
    """Return the tests with the intervals that are expected after each, the best first.

    The information of a test, Fisher's, is that at the best constants of the fit, and adds to that of its data. A value
    beyond `Test.until` tells only that; its information is that of Tobin's likelihood. Constants that the data do not
    determine have the width of their bounds.

    Args:
        model: as in `em.fit.fit`; it computes the tests.
        fit: of the data there are.
        tests: that could be made.
        criterion: by which the best is: "widest", the widest interval relative to its value; "A", the mean variance of
            these; "D", the volume of the region of all constants.
        step: as in `em.fit.fit`.

    Raises:
        ParameterError: for no test, a test of which the model breaks, or constants that are not shared by all curves.
        UnknownName: for another criterion.
    """
    choice("criterion", criterion, CRITERIA)
    require(tests, "tests = [], must be at least one")
    for test in tests:
        kind("tests", test, Test, "em.fit.Test(...)")
    require(
        all(each.shared for each in fit.unknowns), "unknowns of a single curve, must be shared: a test is another curve"
    )
    number("step", step, at_least=1e-8, at_most=0.1)
    space, spans = Space.of(fit.unknowns, [""]), np.array([each.natural_span for each in fit.unknowns])
    point = space.point(fit.values)
    before = fit.information
    with Evaluator(model, [test.columns for test in tests], [len(test) for test in tests]) as evaluate:
        added = [test.rows(*_derivatives(evaluate, i, test, space, point, step)) for i, test in enumerate(tests)]
    scales = spans / _sizes(fit.unknowns, fit.values)
    old = _errors(before, scales)

    def proposal(test: Test, rows: Array) -> Proposal:
        after = before + rows.T @ rows
        new = _errors(after, scales)
        return Proposal(
            test=test,
            standard_errors=dict(zip(space.names, _errors(after, spans).tolist(), strict=True)),
            widest=float(new.max() / old.max()),
            name=space.names[int(np.argmax(old))],
            volume=float(np.exp((np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1]) / 2)),
            mean=float(np.sqrt((new**2).mean() / (old**2).mean())),
        )

    return sorted(map(proposal, tests, added), key=lambda each: getattr(each, CRITERIA[criterion]))


def _derivatives(
    evaluate: Evaluator, index: int, test: Test, space: Space, point: Array, step: float
) -> tuple[Array, Array]:
    """Return the values of a test, and their derivatives by the coordinates, shape (n, p).

    Raises:
        ParameterError: if the model breaks.
    """
    low, high = (np.clip(point + side * step * np.eye(len(space)), 0.0, 1.0) for side in (-1, 1))  # one moved a row
    here, *there = evaluate([(index, space.of_curve(each, "")) for each in (point, *low, *high)])
    require(here is not None and all(each is not None for each in there), f"test {test.name!r}: {evaluate.reason}")
    below, above = np.split(np.array(there, dtype=float), 2)
    with np.errstate(invalid="ignore"):
        return np.asarray(here), (above - below).T / np.diagonal(high - low)


def _information(limit: Array) -> Array:
    """Return the information of a normal value that is censored above a limit, over that of one that is not."""
    hazard = np.exp(stats.norm.logpdf(limit) - stats.norm.logsf(limit))
    known = stats.norm.cdf(limit) - limit * stats.norm.pdf(limit) + hazard * stats.norm.pdf(limit)
    return np.where(np.isposinf(limit), 1.0, np.where(np.isneginf(limit), 0.0, known))


def _sizes(unknowns: Sequence[Unknown], values: Mapping[str, float]) -> Array:
    """Return what an interval is relative to: the value, 1 for logarithms, the bounds for a value of 0."""
    pairs = zip(unknowns, values.values(), strict=True)
    return np.array([1.0 if each.logarithmic else abs(value) or each.natural_span for each, value in pairs])


def _errors(information: Array, scales: Array) -> Array:
    """Return standard errors of unknowns, from those of coordinates, shape (p,)."""
    return np.asarray(np.sqrt(np.diagonal(np.linalg.inv(information))) * scales)
