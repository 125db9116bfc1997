"""A check: a number that the program must reproduce, its source, and its tolerance."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from emfem.errors import ParameterError, choice, floats, number
from emfem.gate import checked
from emfem.studies import registry

import numpy as np

PHYSICS = (
    "materials",
    "film",
    "conduction",
    "heat",
    "migration",
    "stress",
    "mechanics",
    "networks",
    "failure",
    "lifetime",
    "signoff",
    "surface",
    "voids",
    "steps",
    "height",
)

Numbers = tuple[float, ...]


@checked
@dataclass(frozen=True)
class Measured:
    """Result of a check.

    Attributes:
        values: as many as the check has targets, in its unit.
        order: of convergence, for a check that has bounds for one.
        files: texts to write, by the name of their file, such as a curve.
    """

    values: float | Sequence[float]
    order: float | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@checked
@dataclass(frozen=True)
class Check:
    """A function with its target. Called with `full` it measures, on more meshes if that is true.

    Attributes:
        physics: one of `PHYSICS`, or one that was registered.
        name: short, unique in its physics.
        shows: one sentence.
        source: of the target.
        target: the exact values.
        tolerance: the largest error, relative to the target or absolute.
        relative: True if it is relative.
        units: of each target and value.
        order: bounds of the order of convergence, if it has one; the short form may leave it out.
        only_full: True if it takes too long for the short form.
        measure: the function itself.
    """

    physics: str
    name: str
    shows: str
    source: str
    target: Numbers
    tolerance: float
    relative: bool
    units: tuple[str, ...]
    order: tuple[float, float] | None
    only_full: bool
    measure: Callable[[bool], Measured | float | Sequence[float]]

    @checked
    def __call__(self, full: bool = False) -> Measured:
        """Measure. Collective."""
        result = self.measure(full)
        return result if isinstance(result, Measured) else Measured(result)

    @checked
    def errors(self, values: Numbers) -> Numbers:
        """Return how far each value is from its target, as the tolerance counts it; infinity where it is no number."""
        if len(values) != len(self.target):
            return (math.inf,)
        errors = [abs(v - t) / (abs(t) if self.relative else 1.0) for v, t in zip(values, self.target, strict=True)]
        return tuple(e if math.isfinite(e) else math.inf for e in errors)


@checked
def check(
    physics: str,
    *,
    source: str,
    target: float | Sequence[float],
    rtol: float | None = None,
    atol: float | None = None,
    unit: str | Sequence[str] = "-",
    order: tuple[float, float] | None = None,
    only_full: bool = False,
) -> Callable[[Callable[[bool], Measured | float | Sequence[float]]], Check]:
    """Make a check of a function of `full` that returns its values, or a `Measured`.

    Its name is that of the function, its statement the first line of the docstring.

    Args:
        physics: one of `PHYSICS`, or one that was registered with `em.studies.register`.
        source: where the target is from.
        target: the target values.
        rtol: how far they may be off, relative to the target; or
        atol: absolute. One of the two.
        unit: of target and values, one for all or one for each.
        order: bounds of the order of convergence.
        only_full: True if it takes too long for the short form.

    Raises:
        ParameterError: unless there is one tolerance, targets to be relative to, and as many units.
        UnknownName: for another physics.
    """
    wanted = tuple(floats("target", target, words="finite numbers", finite=True).ravel().tolist())
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None:
            number(name, tolerance, at_least=0.0)
    if (rtol is None) == (atol is None) or (rtol is not None and 0.0 in wanted):
        msg = f"rtol = {rtol} and atol = {atol} for target = {wanted}, must be one; rtol for targets that are not 0"
        raise ParameterError(msg)
    units = (unit,) * len(wanted) if isinstance(unit, str) else tuple(unit)
    if len(units) != len(wanted):
        msg = f"unit = {unit!r}, must be one for all of {len(wanted)} targets, or one for each"
        raise ParameterError(msg)
    choice("physics", physics, names())

    def make(function: Callable[[bool], Measured | float | Sequence[float]]) -> Check:
        name, docstring = function.__name__, inspect.getdoc(function)
        if not docstring:
            msg = f"check {name} without a docstring, its first line must state the result"
            raise ParameterError(msg)
        return Check(
            physics,
            name.replace("_", " "),
            docstring.splitlines()[0],
            source,
            wanted,
            float(rtol if rtol is not None else atol or 0.0),
            rtol is not None,
            units,
            order,
            only_full,
            function,
        )

    return make


def names() -> tuple[str, ...]:
    """Return the physics that may have checks: those of emfem, and those that were registered."""
    return tuple(dict.fromkeys((*PHYSICS, *(each.name for each in registry.own()))))


def numbers(values: float | Sequence[float]) -> Numbers:
    """Return one number or several as a tuple of floats."""
    return tuple(float(v) for v in np.atleast_1d(np.asarray(values, dtype=float)).ravel())
