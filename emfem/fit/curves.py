"""Measured curves: values, their errors, the conditions, and points of which only a bound was measured."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from emfem.errors import ParameterError, UnknownName, choice, floats, require, require_all, shown
from emfem.files import read_text
from emfem.gate import checked
from emfem.quantities import converted, quantity

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

type Array = NDArray[np.float64]

NAMED = re.compile(r"\s*(.*?)\s*\[(.*)\]\s*")  # name and unit of a column
SCALES = ("linear", "log")
MARKS = {"": 0, "nan": 0, "=": 0, "0": 0, "false": 0, ">": 1, "1": 1, "true": 1, "<": -1, "-1": -1}


@checked
@dataclass(frozen=True, eq=False)
class Curve:
    """Measured values under known conditions.

    Attributes:
        name: of the curve.
        inputs: the conditions by name, each a number or one for each point, shape (n,); the model gets all as arrays.
        measured: the values, shape (n,).
        error: standard deviation of a value, a number or shape (n,), in the unit of the values, relative with
            scale = "log"; None if it is unknown, and the scatter of all curves without one tells it.
        scale: "linear", or "log" for values above 0 whose errors are relative.
        censored: for each point 0 or False if it was measured, 1 or True if the value is above `measured` (a line that
            outlived its test), -1 if it is below (under the limit of detection), shape (n,).
        unit: of the values in their source, which `LawModel` compares with that of its law; empty if unknown.
        units: of conditions by name, for the same; numbers are in SI all the same.

    Raises:
        ParameterError: for values that are not finite, errors that are not above 0, shapes that do not fit, values
            at or below 0 with scale = "log", or a unit that does not exist.
        UnknownName: for the unit of a condition that is not there.
    """

    name: str
    inputs: Mapping[str, ArrayLike]
    measured: ArrayLike
    error: ArrayLike | None = None
    scale: str = "linear"
    censored: ArrayLike | None = None
    unit: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every value."""
        where = f"curve {self.name!r}: "
        choice(f"{where}scale", self.scale, SCALES)
        y = floats(f"{where}measured", self.measured, (None,), "a list of finite numbers", finite=True)
        require(y.size, f"{where}measured = [], must be at least one value")
        for name, values in self.inputs.items():
            array = floats(f"{where}{name}", values, finite=True, words="finite numbers")
            require(
                array.shape in ((), y.shape), f"{where}{name} of shape {array.shape}, must be a number or {y.shape}"
            )
        if self.scale == "log":
            require_all(y > 0, lambda i: f"{where}measured = {y[i]:g}, must be above 0 with scale = 'log'")
        if self.error is not None:
            s = floats(f"{where}error", self.error, finite=True, words="finite numbers")
            require(s.shape in ((), y.shape), f"{where}error of shape {s.shape}, must be a number or {y.shape}")
            require_all(s.ravel() > 0, lambda i: f"{where}error = {s.ravel()[i]:g}, must be above 0")
        if self.censored is not None:
            marks = floats(f"{where}censored", self.censored)
            require(marks.shape == y.shape, f"{where}censored of shape {marks.shape}, must be {y.shape}")
            require_all(np.isin(marks, (-1, 0, 1)), lambda i: f"{where}censored = {marks[i]:g}, must be -1, 0 or 1")
        for name, unit in self.units.items():
            if name not in self.inputs:
                raise UnknownName(name, f"{where}inputs", self.inputs)
            _in_si(f"{where}{name}", [], unit)
        _in_si(f"{where}measured", [], self.unit or "-")

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.y)

    @cached_property
    def y(self) -> Array:
        """The values, shape (n,)."""
        return np.array(self.measured, dtype=float)

    @cached_property
    def marks(self) -> NDArray[np.int64]:
        """-1, 0 or 1 of each point, shape (n,)."""
        return np.zeros(len(self.y), dtype=int) if self.censored is None else np.array(self.censored, dtype=int)

    @cached_property
    def sigma(self) -> Array | None:
        """Standard deviation of each value, shape (n,); None if it is unknown."""
        return None if self.error is None else np.broadcast_to(np.array(self.error, dtype=float), self.y.shape)

    @cached_property
    def columns(self) -> dict[str, Array]:
        """The conditions by name, each of shape (n,)."""
        return {name: np.broadcast_to(np.array(x, dtype=float), self.y.shape) for name, x in self.inputs.items()}

    def deviation(self, model: Array, scatter: float = 1.0) -> Array:
        """Return model less data over the standard deviation; `scatter` is that of data without one."""
        with np.errstate(all="ignore"):
            difference = np.log(model / self.y) if self.scale == "log" else model - self.y
        return difference / (scatter if self.sigma is None else self.sigma)

    def residuals(self, model: Array, scatter: float = 1.0) -> Array:
        """Return numbers whose squares sum up to -2 ln L.

        Tobin's likelihood: a point that is only known to be above the measured value has the probability Phi(z) of a
        deviation z, so its residual is sqrt(-2 ln Phi(z)).
        """
        z = self.deviation(model, scatter)
        side = self.marks
        with np.errstate(all="ignore"):
            bounded = np.sqrt(-2 * special.log_ndtr(side * z))
        return np.where(side == 0, z, bounded)

    def second_moment(self, model: Array, scatter: float) -> float:
        """Return the expected sum of the squares of deviations from the model, of points without an error given."""
        if self.sigma is not None:
            return 0.0
        z = self.deviation(model, scatter)
        w = -self.marks * np.where(self.marks == 0, 0.0, z)  # how far the bound lies out on the side of the value
        hazard = np.exp(stats.norm.logpdf(w) - special.log_ndtr(-w))
        return float(np.where(self.marks == 0, z**2, 1 + w * hazard).sum()) * scatter**2


@checked
def curves(
    frame: Any,
    *,
    measured: str,
    inputs: Sequence[str],
    by: Sequence[str] = (),
    error: str | float | None = None,
    scale: str = "linear",
    censored: str | None = None,
    name: str = "curve",
) -> list[Curve]:
    """Return the curves in a table of pandas.

    Args:
        frame: the table, in the units of the model.
        measured: column of the values.
        inputs: columns of the conditions.
        by: columns whose different values make different curves; one curve of all rows when left out.
        error: column of the standard deviations, or one number; None if unknown.
        scale: as in `Curve`.
        censored: column of marks: ">", 1 or True where the value is above, "<" or -1 where it is below; else empty.
        name: of the curve, or what the names of several begin with.

    Raises:
        UnknownName: for a column that is not there.
        ParameterError: as `Curve`, or for a mark that is none.
    """
    require(hasattr(frame, "columns"), f"frame = {shown(frame)}, must be a table of pandas")
    wanted = [measured, *inputs, *by, *([censored] if censored else []), *([error] if isinstance(error, str) else [])]
    for column in wanted:
        if column not in frame.columns:
            raise UnknownName(column, "frame", [str(each) for each in frame.columns])
    require(len(frame), "frame of 0 rows, must have at least one")
    groups = [(name, frame)]
    if len(by):
        parts = frame.groupby(list(by), sort=True, dropna=False)
        groups = [
            (
                ", ".join(
                    f"{k} = {v:g}" if isinstance(v, float | int) else f"{k} = {v}" for k, v in zip(by, key, strict=True)
                ),
                part,
            )
            for key, part in parts
        ]
    return [
        Curve(
            name=label,
            inputs={column: part[column].to_numpy() for column in dict.fromkeys(inputs)},
            measured=part[measured].to_numpy(),
            error=part[error].to_numpy() if isinstance(error, str) else error,
            scale=scale,
            censored=None if censored is None else [_mark(each) for each in part[censored]],
        )
        for label, part in groups
    ]


@checked(collective=MPI.COMM_WORLD)
def read_curves(
    path: str | os.PathLike[str],
    *,
    measured: str,
    inputs: Sequence[str],
    by: Sequence[str] = (),
    error: str | float | None = None,
    scale: str = "linear",
    censored: str | None = None,
) -> list[Curve]:
    """Return the curves of a CSV file whose first line names the columns, each with its unit: `t [h], T [degC]`.

    All numbers become SI. Names are those without the unit. Lines that begin with # are left out. Collective: rank 0
    reads.

    Args:
        path: of the file.
        measured: as in `curves`.
        inputs: as in `curves`.
        by: as in `curves`; texts or numbers.
        error: as in `curves`; a column in percent has the unit [percent].
        scale: as in `curves`.
        censored: as in `curves`.

    Raises:
        ParameterError: if it cannot be read, has a column of numbers without a unit, [-] for none, a unit that does not
            exist, errors of another unit than the values, or a cell that is no number.
        UnknownName: for a column that is not there.
    """
    frame, units = read_table(path, numbers=[measured, *inputs, *([error] if isinstance(error, str) else [])])
    if isinstance(error, str) and error in units and measured in units:
        wanted = "-" if scale == "log" else units[measured]
        message = f"{path}: column {error} in {units[error]}, must be in {wanted} or a unit like it"
        require(dimension(units[error]) == dimension(wanted), f"{message} with scale = {scale!r}")
    made = curves(
        frame, measured=measured, inputs=inputs, by=by, error=error, scale=scale, censored=censored, name=measured
    )
    return [replace(each, unit=units[measured], units={name: units[name] for name in each.inputs}) for each in made]


def read_table(path: str | os.PathLike[str], numbers: Sequence[str]) -> tuple[Any, dict[str, str]]:
    """Return a CSV file as a table, columns of numbers in SI, others as texts, and the units in it by column.

    Raises:
        ParameterError: if it cannot be read, or for a unit or a number that is none.
    """
    import pandas as pd  # half a second that other commands can do without

    try:
        frame = pd.read_csv(
            io.StringIO(read_text(path)), comment="#", skipinitialspace=True, dtype=str, keep_default_na=False
        )
    except ValueError as error:
        msg = f"path = {str(path)!r}, must be a table with a line of names: {error}"
        raise ParameterError(msg) from None
    made: dict[str, Any] = {}
    units: dict[str, str] = {}
    for column in frame.columns:
        match = NAMED.fullmatch(str(column))
        name, unit = (match[1], match[2]) if match else (str(column).strip(), "")
        require(name not in made, f"{path}: column {name!r} is there twice, must be once")
        made[name] = frame[column].str.strip()
        if name in numbers:
            require(unit.strip(), f"{path}: column {name} has no unit, must be like '{name} [s]', or '{name} [-]'")
            made[name], units[name] = _in_si(f"{path}: column {name}", frame[column], unit), unit
    return pd.DataFrame(made), units


def dimension(unit: str) -> Any:
    """Return the dimension of a unit that exists."""
    return quantity(f"1 {unit.strip().strip('-')}".strip()).dimensionality


def _in_si(where: str, column: Any, unit: str) -> Array:
    """Return a column in SI.

    Raises:
        ParameterError: for a unit that does not exist, or a cell that is no number.
    """
    values = np.empty(len(column))
    for i, cell in enumerate(column):
        try:
            values[i] = float(cell)
        except ValueError:
            msg = f"{where}, row {i + 1}: {shown(cell)}, must be a number"
            raise ParameterError(msg) from None
    if unit.strip() == "-":
        return values
    try:
        zero, one = (converted(f"{n} {unit}", "SI") for n in (0, 1))  # degC has a zero of its own
    except ParameterError as error:
        msg = f"{where}: unit {shown(unit)}{error}"
        raise ParameterError(msg) from None
    return zero + (one - zero) * values


def _mark(cell: Any) -> int:
    """Return -1, 0 or 1 for a mark of a censored point.

    Raises:
        ParameterError: for another one.
    """
    if isinstance(cell, bool | np.bool_):
        return int(cell)
    text = str(int(cell)) if isinstance(cell, float | int | np.number) and cell in (-1, 0, 1) else str(cell)
    if text.strip().lower() not in MARKS:
        msg = f"censored = {shown(cell)}, must be >, < or empty"
        raise ParameterError(msg)
    return MARKS[text.strip().lower()]
