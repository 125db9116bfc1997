"""A study of uncertain constants in a TOML file: model, distributions of its inputs, and where it is evaluated."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emfem.errors import choice, require
from emfem.fit.evaluation import source_of
from emfem.fit.tables import Forward, Reader
from emfem.gate import checked
from emfem.studies.validation import shown
from emfem.uncertainty.indices import SobolIndices, sobol_indices
from emfem.uncertainty.sampling import Array, Propagated, propagate

import numpy as np
from mpi4py import MPI
from scipy import stats

TOP = ("samples", "seed", "confidence", "scale", "model", "inputs", "at")
SCALES: dict[str, Callable[[Array], Array]] = {"linear": np.asarray, "log": np.log, "inverse": np.reciprocal}
DISTRIBUTIONS: dict[str, Callable[[float, float], Any]] = {
    "normal": stats.norm,
    "lognormal": lambda median, deviation: stats.lognorm(deviation, scale=median),
    "uniform": lambda low, high: stats.uniform(low, high - low),
}
SECOND = {"normal": "deviation", "lognormal": "plain", "uniform": "value"}


class Scaled:
    """A model whose values are those of another one on a scale.

    Attributes:
        fingerprint: of both.
    """

    def __init__(self, model: Forward, scale: str) -> None:
        """Take the model and the name of the scale."""
        self._model, self._scale = model, scale
        self.fingerprint = f"{scale} {getattr(model, 'fingerprint', None) or source_of(model)}"

    def __call__(self, constants: dict[str, float], conditions: dict[str, Array]) -> Any:
        """Return the values, one as a number."""
        with np.errstate(all="ignore"):  # what has no logarithm is no number, and so broken
            values = np.asarray(SCALES[self._scale](np.asarray(self._model(constants, conditions), dtype=float)))
        return values[0] if values.shape == (1,) else values


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Parts of the spread of a result that uncertain constants cause, and its quantiles.

    Attributes:
        indices: parts of the variance that each causes, on the scale of the study.
        results: of a sample, in the unit of the model.
        values: parts of the samples [-], at which `quantiles` are.
        quantiles: of the result.
        scale: of the indices.
    """

    indices: SobolIndices
    results: Propagated = field(repr=False)
    values: tuple[float, ...]
    quantiles: tuple[float, ...]
    scale: str

    def __str__(self) -> str:
        """Return indices and quantiles, a line each."""
        parts = ", ".join(f"{100 * q:g} %: {x:.4g}" for q, x in zip(self.values, self.quantiles, strict=True))
        of = {"linear": "the result", "log": "the logarithm of the result", "inverse": "the inverse of the result"}
        words = f"parts of the variance of {of[self.scale]}, confidence {self.indices.confidence:g}:"
        lines = [words, str(self.indices), f"result at {parts} of the samples"]
        broken = {"indices": (self.indices.broken, self.indices.samples)}
        broken["quantiles"] = self.results.broken, len(self.results.results)
        words = "which broke or have no such scale"
        lines += [f"{k} without {n} of {n + good} samples, {words}" for k, (n, good) in broken.items() if n]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, as JSON has them."""
        made = self.indices
        rows = {
            name: {
                kind: {"value": each[name].value, "low": each[name].low, "high": each[name].high}
                for kind, each in (("first", made.first), ("total", made.total))
            }
            for name in made.first
        }
        numbers = {key: getattr(made, key) for key in ("variance", "samples", "broken", "confidence")}
        quantiles = [[q, x] for q, x in zip(self.values, self.quantiles, strict=True)]
        return {"indices": rows, "quantiles": quantiles, "scale": self.scale, **numbers}


@dataclass(frozen=True, eq=False)
class SensitivityCase:
    """A study of uncertain constants as a file describes it.

    Attributes:
        inputs: distributions by name.
        at: conditions by name.
        model: the model; None if the file names none.
        scale: on which parts of the variance are taken.
        confidence: of their intervals.
        settings: samples and seed.
    """

    inputs: Mapping[str, Any]
    at: Mapping[str, float]
    model: Forward | None = field(repr=False)
    scale: str
    confidence: float
    settings: Mapping[str, Any]

    @checked(collective=MPI.COMM_WORLD)
    def run(
        self,
        folder: os.PathLike[str] | str,
        *,
        model: Callable[[dict[str, float], dict[str, Any]], Any] | None = None,
        workers: int = 1,
        scheduler: str | None = None,
    ) -> Sensitivity:
        """Return indices and quantiles; evaluations are added to a folder, and taken from there the next time.

        Args:
            folder: of evaluations.jsonl; on a scale those of the quantiles are in the folder "quantiles" in it.
            model: instead of that of the file.
            workers: as in `em.fit.fit`.
            scheduler: as in `em.fit.fit`.

        Raises:
            ParameterError: without a model, and as `sobol_indices` and `propagate`.
        """
        function = model or self.model
        require(function is not None, "[model] is missing, must name a law or a case, unless a function is the model")
        options: dict[str, Any] = {"conditions": self.at, "folder": folder, "workers": workers, "scheduler": scheduler}
        options |= self.settings
        scaled, plain = (Scaled(function, scale) for scale in (self.scale, "linear"))  # type: ignore[arg-type]
        indices = sobol_indices(scaled, self.inputs, confidence=self.confidence, **options)
        if self.scale != "linear":  # quantiles need no scale, and so no value above 0: it is another model
            options["folder"] = Path(folder) / "quantiles"
        results = propagate(plain, self.inputs, **options)
        parts = ((1 - self.confidence) / 2, 0.5, (1 + self.confidence) / 2)
        return Sensitivity(indices, results, parts, tuple(map(float, results.quantile(parts))), self.scale)


@checked(collective=MPI.COMM_WORLD)
def read_sensitivity(path: str | os.PathLike[str], *, folder: os.PathLike[str] | str) -> SensitivityCase:
    """Return the study of a TOML file; path, folder and errors are those of `em.fit.read_fit`. Collective."""
    return _Reader(path, folder).read()


class _Reader(Reader):
    """Tables of a study."""

    def read(self) -> SensitivityCase:
        """Return the study."""
        self.keys((), self.tables, TOP)
        inputs = self.table((), self.tables, "inputs")
        at = self.table((), self.tables, "at") if "at" in self.tables else {}
        scale = self.tables.get("scale", "linear")
        return SensitivityCase(
            inputs={name: self._distribution(name, each) for name, each in inputs.items()},
            at={name: self.si(("at", name), value) for name, value in at.items()},
            model=self.model(),
            scale=self.at(("scale",), lambda: choice("scale", scale, SCALES)),
            confidence=self.si(("confidence",), self.tables.get("confidence", 0.95)),
            settings={key: self.tables[key] for key in ("samples", "seed") if key in self.tables},
        )

    def _distribution(self, name: str, table: Any) -> Any:
        """Return the distribution of an input, one of `DISTRIBUTIONS` with its two numbers."""
        place = ("inputs", name)
        if not isinstance(table, Mapping) or len(table) != 1:
            words = f"must have one of {', '.join(DISTRIBUTIONS)}"
            raise self.error(place, f"inputs.{name} = {shown(table)}, {words}")
        self.keys(place, table, tuple(DISTRIBUTIONS))
        (kind,) = table
        first, second = self.pair(place, table, kind, SECOND[kind]) or (np.nan, np.nan)  # it is there
        if not (second > first if kind == "uniform" else second > 0 and (kind == "normal" or first > 0)):
            rule = {"uniform": "a lower and a higher end", "normal": "mean and a deviation above 0"}
            words = rule.get(kind, "a median above 0 and a deviation of the logarithm above 0")
            raise self.error((*place, kind), f"inputs.{name} {kind} = {shown(table[kind])}, must be {words}")
        return DISTRIBUTIONS[kind](first, second)
