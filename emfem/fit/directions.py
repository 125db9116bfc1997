"""Combinations of constants that the data determine, and those that they do not, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from emfem.fit.problem import Minimum, Problem
from emfem.fit.unknowns import Array, Unknown

import numpy as np
from scipy import stats
from scipy.sparse.csgraph import connected_components

SMALL = 1e-5  # of the largest singular value: what central differences leave of a zero
LINKED = 0.02  # entry of the projection on flat directions that counts, in coordinates or in logarithms
MOVE = 0.05  # along a flat direction, in coordinates, to see that the sum stays
SIMPLE = 0.03  # difference of an exponent to a simple fraction that counts as none
EDGE = 1e-4  # coordinate of an unknown at a bound


@dataclass(frozen=True)
class Blindness:
    """Unknowns that the data do not determine.

    Attributes:
        sentences: one for each set of unknowns that only go together, or have no effect.
        names: of these unknowns.
    """

    sentences: tuple[str, ...]
    names: frozenset[str]


def blindness(problem: Problem, best: Minimum, threshold: float) -> Blindness:
    """Return what the data cannot tell: directions along which a 95 % interval is wider than the bounds."""
    p = len(problem.space)
    _, sizes, rows = np.linalg.svd(best.jacobian, full_matrices=True)
    whole = np.zeros(p)
    whole[: len(sizes)] = sizes
    least = max(2 * stats.norm.ppf(0.975), SMALL * whole.max(initial=0.0))
    flat = rows[whole < least]
    projection = flat.T @ flat
    linked = np.maximum(np.abs(projection), np.abs(_of_logarithms(problem, best, flat))) > LINKED
    involved = np.flatnonzero(np.diagonal(linked))
    _, labels = connected_components(linked[np.ix_(involved, involved)], directed=False)
    sentences = []
    for label in dict.fromkeys(labels):
        group = involved[labels == label]
        sentences.append(_sentence(problem, best, group, projection[np.ix_(group, group)], threshold))
    return Blindness(tuple(sentences), frozenset(problem.space.names[i] for i in involved))


def _of_logarithms(problem: Problem, best: Minimum, flat: Array) -> Array:
    """Return the projection on flat directions in ln |v|, shape (p, p): a change by e counts the same in any bounds."""
    rows = zip(problem.space.unknowns, best.point, strict=True)
    scales = [
        float(1 / _slopes([each], each.value(u[None]), product=True)[0]) if _is_factor(each) else 1.0
        for each, u in rows
    ]
    _, _, basis = np.linalg.svd(flat * scales, full_matrices=False)
    return np.asarray(basis.T @ basis)


def _is_factor(unknown: Unknown) -> bool:
    """Return True if an unknown has a logarithm, of its magnitude."""
    return unknown.logarithmic or unknown.bounds[0] * unknown.bounds[1] > 0


def at_bounds(names: Sequence[str], unknowns: Sequence[Unknown], point: Array) -> list[str]:
    """Return a sentence for each unknown whose best value is one of its bounds."""
    made = []
    for name, unknown, u in zip(names, unknowns, point, strict=True):
        if u < EDGE or u > 1 - EDGE:
            word, bound = ("lower", unknown.bounds[0]) if u < EDGE else ("upper", unknown.bounds[1])
            unit = f" {unknown.unit}" if unknown.unit else ""
            made.append(f"{name} lies at its {word} bound, {bound:g}{unit}")
    return made


def _sentence(problem: Problem, best: Minimum, group: Array, projection: Array, threshold: float) -> str:
    """Return the words for a set of unknowns that flat directions link."""
    names = [problem.space.names[i] for i in group]
    unknowns = [problem.space.unknowns[i] for i in group]
    weights, vectors = np.linalg.eigh(projection)
    determined, free = vectors[:, weights < 0.5].T, vectors[:, weights >= 0.5].T
    if not len(determined):
        return f"the data do not determine {_joined(names)}"
    values = np.array([each.value(best.point[i]) for i, each in zip(group, unknowns, strict=True)])
    forms = [True, False] if all(map(_is_factor, unknowns)) else [False]
    together = f"{_joined(names)} are not determined one by one"
    for product in forms:
        slopes = _slopes(unknowns, values, product)
        if _stays(problem, best, group, free[-1], product, threshold):
            return f"only {_only(_combinations(names, unknowns, determined * slopes, product))}: {together}"
    slopes = _slopes(unknowns, values, forms[0])
    local = _only(_combinations(names, unknowns, determined * slopes, forms[0]))
    return f"near these values only {local}: {together}"


def _only(texts: Sequence[str]) -> str:
    return f"{_joined(texts)} {'is' if len(texts) == 1 else 'are'} determined"


def _slopes(unknowns: Sequence[Unknown], values: Array, product: bool) -> Array:
    """Return du/dn of each unknown, n = ln |v| in a product, else ln v if logarithmic and v if not."""
    logs = [product or each.logarithmic for each in unknowns]
    spans = [each.bounds[1] - each.bounds[0] for each in unknowns]
    rows = zip(unknowns, values, logs, spans, strict=True)
    return np.array([1 / u.natural_span if u.logarithmic else (v if log else 1.0) / span for u, v, log, span in rows])


def _stays(problem: Problem, best: Minimum, group: Array, direction: Array, product: bool, threshold: float) -> bool:
    """Return True if the sum stays within the threshold along a finite way on which the combinations are the same."""
    unknowns = [problem.space.unknowns[i] for i in group]
    values = np.array([each.value(best.point[i]) for i, each in zip(group, unknowns, strict=True)])
    natural = direction / _slopes(unknowns, values, product) * (MOVE / np.abs(direction).max())
    points = []
    for side in (-1, 1):
        point = best.point.copy()
        for i, unknown, v, n in zip(group, unknowns, values, side * natural, strict=True):
            point[i] = unknown.coordinate(v * np.exp(n) if product or unknown.logarithmic else v + n)
        if np.all((point >= 0) & (point <= 1)):
            points.append(point)
    rises = [problem.square(each) - best.square for each in problem.residuals(points)]
    return bool(points) and max(rises) < threshold


def _combinations(names: Sequence[str], unknowns: Sequence[Unknown], rows: Array, product: bool) -> list[str]:
    """Return combinations as texts, of their rows of exponents or factors in reduced form."""
    made = []
    for row in _reduced(rows):
        first = row[np.flatnonzero(np.abs(row) > 1e-9)[0]]
        terms = [(name, each, float(x / first)) for name, each, x in zip(names, unknowns, row, strict=True)]
        terms = [term for term in terms if abs(term[2]) > 1e-3 or not product]
        if product:
            made.append(_product([(name, x) for name, _, x in terms]))
        else:
            parts = [(f"ln({name})" if each.logarithmic else name, x) for name, each, x in terms if x]
            text = "".join(
                f" {'-' if x < 0 else '+'} {'' if abs(abs(x) - 1) < 1e-9 else f'{abs(x):.3g}*'}{part}"
                for part, x in parts
            )
            made.append(text.removeprefix(" + "))
    return made


def _product(terms: Sequence[tuple[str, float]]) -> str:
    """Return a product of powers as a text, such as D0*Z^2/sigma^2."""
    above = [f"{name}{_power(x)}" for name, x in terms if x > 0]
    below = [f"{name}{_power(-x)}" for name, x in terms if x < 0]
    return "*".join(above or ["1"]) + "".join(f"/{each}" for each in below)


def _power(x: float) -> str:
    """Return an exponent as it is written, a simple fraction if it is one."""
    simple = Fraction(x).limit_denominator(4)
    if abs(float(simple) - x) < SIMPLE:
        text = str(simple) if simple.denominator == 1 else f"({simple})"
    else:
        text = f"{x:.3g}"
    return "" if text == "1" else f"^{text}"


def _reduced(rows: Array) -> Array:
    """Return the reduced row echelon form, pivots by size."""
    matrix, row = np.array(rows, dtype=float), 0
    scale = np.abs(matrix).max(axis=0)
    scale[scale == 0] = 1.0
    matrix = matrix / scale  # factors of other units may differ by decades
    for column in range(matrix.shape[1]):
        if row == len(matrix):
            break
        pivot = row + int(np.argmax(np.abs(matrix[row:, column])))
        if abs(matrix[pivot, column]) < 1e-6:
            continue
        matrix[[row, pivot]] = matrix[[pivot, row]]
        matrix[row] /= matrix[row, column]
        for other in range(len(matrix)):
            if other != row:
                matrix[other] -= matrix[other, column] * matrix[row]
        row += 1
    matrix[np.abs(matrix) < 1e-4] = 0.0
    return np.asarray(matrix * scale)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
