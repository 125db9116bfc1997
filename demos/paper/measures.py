"""Measures of the films for the figures: time, number and straightness of stripes, and the spread over the seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import emfem as em
from emfem.patterns.analysis import ORIENTED_ORDER

import numpy as np
from films import Record
from numpy.typing import ArrayLike, NDArray

STAYS = 3  # measurements in a row that make a pattern perfect: one alone may be a moment between two forks
SHARP = 0.9  # order of stripes that have their direction: an angular spread of 13 degrees (root mean square)
VISIBLE = 0.5  # part of its highest contrast at which a pattern has emerged: below, it is what is left of the start
LATE = 0.4  # from this part of the whole time on, contrast has saturated and what goes on is coarsening


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a number over the seeds; those that are NaN (not reached) are left out."""

    mean: float
    deviation: float
    reached: int
    seeds: int

    def told(self, digits: int = 1) -> str:
        """As text; how many seeds reached it, if not all did."""
        if self.reached == 0:
            return "not reached"
        few = "" if self.reached == self.seeds else f" ({self.reached} of {self.seeds})"
        mean, deviation = (round(value, digits) + 0.0 for value in (self.mean, self.deviation))  # no -0.0
        return f"{mean:.{digits}f} ± {deviation:.{digits}f}{few}"


def spread(values: ArrayLike) -> Spread:
    """Mean and spread of what was reached."""
    found = np.asarray(values, dtype=float)
    there = found[~np.isnan(found)]
    if there.size == 0:
        return Spread(math.nan, math.nan, 0, found.size)
    return Spread(float(there.mean()), float(there.std()), there.size, found.size)


def over(records: Iterable[Record], measure: Callable[[Record], float]) -> Spread:
    """A measure of each film, over the seeds."""
    return spread([measure(record) for record in records])


def emerged(record: Record) -> NDArray[np.bool_]:
    """True where the pattern is there, shape (n,): contrast has fallen from that of the start, where diffusion is slow
    by far less than half at first, and has risen to `VISIBLE` of its highest."""
    contrast, later = record.of("contrast").astype(float), record.t > record.t[0]
    if not later.any():
        return later
    highest = int(np.argmax(np.where(later, contrast, -np.inf)))
    lowest = int(np.argmin(np.where(later[: highest + 1], contrast[: highest + 1], np.inf)))
    return np.asarray((np.arange(len(contrast)) >= lowest) & later & (contrast >= VISIBLE * contrast[highest]))


def formed(record: Record) -> float:
    """The first time from which on the stripes are there and perfect in `STAYS` measurements in a row; NaN if never."""
    perfect = (record.of("kind") == "perfect stripes") & emerged(record)
    for index in range(len(perfect) - STAYS + 1):
        if perfect[index : index + STAYS].all():
            return float(record.t[index])
    return math.nan


def waiting(records: Iterable[Record], time: Callable[[Record], float] = formed) -> em.patterns.Survival:
    """Statistic of the time to something; a film that did not come to it has waited until its end."""
    found = [(time(record), record.film.until) for record in records]
    return em.patterns.survival([end if np.isnan(t) else t for t, end in found], [not np.isnan(t) for t, _ in found])


def half_by(found: em.patterns.Survival) -> str:
    """As text after "half of them did it": the time by which they had, if they had, and how many did at all."""
    when = f"by t = {found.median:.0f}" if math.isfinite(found.median) else "not by the end"
    return f"{when} ({found.reached} of {found.runs})"


def joined(record: Record) -> float:
    """The part of the measurements since the pattern emerged in which bands along x or y are joined to domains.

    Bands that are not joined are as many domains as stripes; forks that join some make the domains fewer, whatever
    the directions and the number of forks are. (Tilted stripes are one domain through the periodic edges.)
    """
    patterns = [pattern for pattern, there in zip(record.patterns, emerged(record), strict=True) if there]
    return float(np.mean([pattern.defects > 0 and pattern.domains < pattern.stripes for pattern in patterns]))


def sharpened(record: Record, order: float = SHARP) -> float:
    """The first time from which on the pattern is there with `order` or more until the end; NaN if it does not."""
    below = np.flatnonzero((record.of("order") < order) | ~emerged(record))
    first = below[-1] + 1 if below.size else 0
    return float(record.t[first]) if first < len(record.t) else math.nan


def number_when(record: Record, t: float) -> float:
    """Stripes at a time, before rounding; NaN when the time is."""
    return math.nan if math.isnan(t) else record.at(t).density * record.film.edge**2


def number_formed(record: Record) -> float:
    """Stripes when they become perfect; NaN if never."""
    return number_when(record, formed(record))


def number_last(record: Record) -> float:
    """Stripes at the end."""
    return number_when(record, float(record.t[-1]))


def number_sharp(record: Record) -> float:
    """Stripes when their direction is sharp; NaN if never."""
    return number_when(record, sharpened(record))


def spacing_sharp(record: Record) -> float:
    """Spacing of the stripes when their direction is sharp [film thicknesses]; NaN if never."""
    t = sharpened(record)
    return math.nan if math.isnan(t) else record.at(t).wavelength


def spacing_growth(record: Record) -> float:
    """Spacing at the end over that when the pattern emerged; NaN if there is none."""
    there = np.flatnonzero(emerged(record))
    if not there.size:
        return math.nan
    first, last = record.patterns[int(there[0])].wavelength, record.patterns[-1].wavelength
    return last / first if math.isfinite(first) and math.isfinite(last) else math.nan


def stays_perfect(record: Record) -> float:
    """The part of the measurements after `formed` that are perfect; NaN if none is."""
    t = formed(record)
    after = record.of("kind")[record.t >= t]
    return float(np.mean(after == "perfect stripes")) if after.size else math.nan


def tilt(angle: float, reference: float) -> float:
    """The angle from one direction to another, in (-90, 90] [degrees]: directions have no arrow."""
    return 90.0 - (90.0 - (angle - reference)) % 180.0


def mean_angle(records: Sequence[Record]) -> float:
    """Mean direction of the stripes at the end, in [0, 180) [degrees], each film weighted with its order."""
    last = [record.patterns[-1] for record in records]
    twice = sum(p.order * np.exp(2j * np.radians(p.angle)) for p in last)
    return float(np.degrees(np.angle(twice)) / 2 % 180.0)


def turned(records: Sequence[Record], reference: float) -> Spread:
    """Angle from a direction to the stripes at the end, over the seeds [degrees]."""
    return over(records, lambda record: tilt(record.patterns[-1].angle, reference))


def kinds(records: Iterable[Record], t: float | None = None) -> str:
    """The kinds of pattern at a time (at the end when left out), each with the number of films."""
    found = [(record.patterns[-1] if t is None else record.at(t)).kind for record in records]
    order = ("perfect stripes", "zipped stripes", "connected domains", "disordered", "too few waves", "uniform")
    told = [(kind.removesuffix(" stripes"), found.count(kind)) for kind in order if kind in found]
    return ", ".join(f"{count} {kind}" for kind, count in told)


@dataclass(frozen=True)
class Law:
    """A quantity ~ t^exponent, with the standard error of the exponent over films.

    Attributes:
        exponent: mean over the films.
        error: standard error of this mean; infinite for one film.
        since: start of the window that was fitted.
        films: how many.
        until: its end, or None for the end of the films.
    """

    exponent: float
    error: float
    since: float
    films: int
    until: float | None = None

    def __str__(self) -> str:
        """On one line."""
        window = f"t > {self.since:g}" if self.until is None else f"t from {self.since:g} to {self.until:g}"
        return f"{self.exponent:.2f} ± {self.error:.2f} ({window}, {self.films} films)"


def coarsening(records: Sequence[Record], since: float | None = None, until: float | None = None) -> Law:
    """Growth of the spacing of the stripes."""
    return power_law(records, "wavelength", LATE * records[0].film.until if since is None else since, until)


def power_law(records: Sequence[Record], quantity: str, start: float, until: float | None = None) -> Law:
    """Fit log quantity against log t at times spread evenly in log t, in each film where it does not vanish."""
    slopes: list[float] = []
    for record in records:
        times = np.geomspace(start, record.t[-1] if until is None else until, 12)
        values = np.interp(times, record.t, record.of(quantity))
        if (values > 0).all():
            slopes.append(float(np.polyfit(np.log(times), np.log(values), 1)[0]))
    if not slopes:
        return Law(math.nan, math.inf, start, 0, until)
    error = float(np.std(slopes, ddof=1) / math.sqrt(len(slopes))) if len(slopes) > 1 else math.inf
    return Law(float(np.mean(slopes)), error, start, len(slopes), until)


def number_most(record: Record) -> float:
    """The largest number of stripes once the pattern is oriented; NaN if it never is."""
    there = record.of("density")[record.of("order") >= ORIENTED_ORDER]
    return float(there.max() * record.film.edge**2) if there.size else math.nan


def common(records: Sequence[Record], quantity: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times, and a quantity of the pattern at them in each film, shape (films, n); all must have run as long."""
    return records[0].t, np.array([record.of(quantity) for record in records], dtype=float)
