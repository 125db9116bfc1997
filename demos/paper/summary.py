"""Results of all films together: Remark 5, the conclusions, and results beyond the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.plot import style

import numpy as np
from book import Book, Finding, verdict
from films import WAVELENGTH, Record
from matplotlib.axes import Axes
from measures import (
    Spread,
    coarsening,
    emerged,
    formed,
    half_by,
    over,
    spacing_growth,
    spacing_sharp,
    stays_perfect,
    tilt,
    waiting,
)
from orientation import STRAYS
from pictures import Draw, page, points
from scipy.stats import f_oneway

KINDS = {
    "perfect stripes": "o",
    "zipped stripes": "s",
    "connected domains": "^",
    "disordered": "x",
    "uniform": ".",
    "too few waves": "+",
}
FIELD = 0.25  # of the studies, but for that of the voltage
WHEN = "at a quarter of the time, or when they emerged if that was later,"  # see `_was_later`
COARSER = 1.05  # growth of the mean spacing of a case that coarsens
DRIVEN = 0.2  # field from which on it, and not the start, decides on a direction


def remark5(book: Book, names: Sequence[str]) -> list[Finding]:
    """Coarsening, and which patterns become which, in all films with a field."""
    films = [record for record in book.everything(names) if record.film.field > 0]
    became = [record for record in films if not np.isnan(formed(record))]
    cases = _cases(films)
    # the paper speaks of its cases, and a film can stop on the way: a case coarsens if its starts do on the average
    growth = {case: over(records, spacing_growth) for case, records in cases.items()}
    grown = [found for found in growth.values() if found.reached]
    coarser = [found for found in grown if found.mean > COARSER]
    # a tilted pattern that has become perfect is held by the periodic square: waves that are twice as long do not fit
    held = [r.film for case, records in cases.items() if growth[case].mean <= COARSER for r in records]
    freed = {case: over(records, spacing_growth) for case, records in _cases(book.along(held)).items()}
    loose = len(freed) + len(coarser) == len(grown) and all(found.mean > COARSER for found in freed.values())
    told = f"; in squares along the drift these grow by {_each_told(freed)}" if freed else ""
    least = min(grown, key=lambda found: found.mean) if grown else None
    stay = over(became, stays_perfect)
    at_once = [record for record in became if _at_once(record)]
    whole = [records for records in _cases(films).values() if all(map(_at_once, records))]
    domains = [record for record in films if _was_later(record, "connected domains")]
    healed = [record for record in domains if not np.isnan(formed(record))]
    zipped = [record for record in films if _was_later(record, "zipped stripes")]
    sewn = [record for record in zipped if not np.isnan(formed(record))]
    late = half_by(waiting(zipped)) if zipped else "not by the end"
    return [
        Finding(
            "Rem. 5",
            "coarsening in all cases",
            f"the mean spacing grows in {len(coarser)} of {len(grown)} cases (sets of parameters with a field) from the"
            f" time the pattern is there to the end, least by a factor {least.told(2) if least else 'not reached'}"
            + told,
            verdict(loose if grown else None, partly=len(coarser) > len(grown) / 2),
        ),
        Finding(
            "Rem. 5",
            "a perfect pattern stays perfect",
            f"perfect in {100 * stay.mean:.0f} % of the measurements after it became so" if became else "no film did",
            verdict(stay.mean > 0.9 if became else None),
        ),
        Finding(
            "Rem. 5",
            "a perfect pattern is perfect from its first emergence",
            f"{len(at_once)} of {len(became)} perfect patterns were so when they emerged,"
            f" in {len(whole)} cases from every start; the others were zipped before",
            verdict(len(at_once) > len(became) / 2 if became else None, partly=bool(whole)),
        ),
        Finding(
            "Rem. 5",
            "connected domains never become perfect stripes",
            f"{len(healed)} of {len(domains)} films with connected domains {WHEN} did",
            verdict(not healed if domains else None, partly=len(healed) < len(domains) / 4),
        ),
        Finding(
            "Rem. 5",
            "zipped stripes become perfect seldom and late",
            f"{len(sewn)} of {len(zipped)} zipped {WHEN} did, half of them {late}",
            verdict(len(sewn) < len(zipped) / 4 if zipped else None, partly=len(sewn) < len(zipped) / 2),
        ),
    ]


def conclusion(book: Book, names: Sequence[str]) -> list[Finding]:
    """One number decides the direction; the density is not that of the fastest wave."""
    films = [record for record in book.everything(names) if record.film.field >= DRIVEN]
    found = [(r.film.drift, tilt(r.patterns[-1].angle, r.film.drift), r) for r in films if _has_direction(r)]
    page(book.out / "drift.png", [], [_master(found)])
    spacings = [s for r in films if not np.isnan(s := spacing_sharp(r))]
    last = [r.patterns[-1].wavelength for r in films if _has_direction(r)]
    spread = f"spacing {np.median(spacings):.1f} (median) once sharp" if spacings else "no film sharp"
    late = f", {min(last):.1f} to {max(last):.1f} at the end" if last else ""
    cases = _cases([r for r in films if _has_direction(r)])
    ends = [over(records, lambda r: r.patterns[-1].wavelength) for records in cases.values() if len(records) > 1]
    ratio = max(end.mean for end in ends) / min(end.mean for end in ends) if ends else np.nan
    groups = [[r.patterns[-1].wavelength for r in records] for records in cases.values() if len(records) > 1]
    chance = float(f_oneway(*groups).pvalue) if len(groups) > 1 else np.nan
    off = np.array([abs(delta) for _, delta, _ in found])
    near = f"median {np.median(off):.1f}°, 90 % within {np.quantile(off, 0.9):.1f}°" if found else "no film"
    return [
        Finding(
            "end",
            "the stripe density is unrelated to the fastest wave of linear theory",
            f"{spread}{late}; means of the {len(ends)} cases with stripes differ by a factor {ratio:.2f}, by chance"
            f" with p = {chance:.0e} (analysis of variance); the fastest wave has {WAVELENGTH:g} in all",
            # the paper's argument: the density changes where linear theory has one and the same wave
            verdict(ratio > 1.3 and chance < 0.01 if ends else None, partly=ratio > 1.3),
        ),
        Finding(
            "end",
            "the field's angle tunes the orientation",
            f"stripes of {len(found)} films lie along the drift D F: {near}",
            verdict(bool(np.median(off) < STRAYS) if found else None),
        ),
    ]


def beyond(book: Book, names: Sequence[str]) -> list[Finding]:
    """Coarsening of the stripes, and the map of patterns: every crystal is its skew Lambda f_y / f_x."""
    films = book.everything(names)
    page(book.out / "diagram.png", [], [_diagram([r for r in films if r.film.field == FIELD])])
    free = [r for r in films if r.film.field == 0.0 and r.film.skew == 1.0]
    driven = [r for r in films if r.film.field == FIELD and r.film.strength == 0.0 and r.film.skew == 1.0]
    groups = {"F = 0": free, f"F = {FIELD:g}": driven}
    told = [f"{name}: spacing ~ t^n, n = {coarsening(part)}" for name, part in groups.items() if part]
    return [Finding("beyond", "the law of coarsening was not quantified", "; ".join(told) or "no films", "–")]


def _cases(films: Sequence[Record]) -> dict[tuple[Any, ...], list[Record]]:
    """Films by their case: those of one differ in the start alone."""
    found: dict[tuple[Any, ...], list[Record]] = {}
    for r in films:
        film = r.film
        key = film.field, film.angle, film.surface, film.strength, film.misorientation, film.ratio
        found.setdefault(key, []).append(r)
    return found


def _each_told(found: dict[tuple[Any, ...], Spread]) -> str:
    """Result of each case."""
    return "; ".join(f"{spread.told(2)}" for spread in found.values())


def _diagram(films: Sequence[Record]) -> Draw:
    """The kind of pattern at the end against the angle of the field and the skew; seeds side by side."""

    def draw(axes: Axes) -> None:
        for index, (kind, marker) in enumerate(KINDS.items()):
            found = [r for r in films if r.patterns[-1].kind == kind]
            if found:
                x = [r.film.angle % 180.0 + 2.5 * (r.film.seed - 2) for r in found]
                axes.plot(x, [r.film.skew for r in found], marker, color=style.named_colour(index), label=kind)
        axes.set(yscale="log", xlabel="angle of the field [°]", ylabel="skew Λ fy / fx", xticks=[0, 45, 90])
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    return draw


def _has_direction(record: Record) -> bool:
    """True if the pattern has stripes at the end."""
    return record.patterns[-1].kind in ("perfect stripes", "zipped stripes")


def _master(found: Sequence[tuple[float, float, Record]]) -> Draw:
    """Stripe direction against drift direction, for all films."""
    drift = np.array([a for a, _, _ in found])
    angle = drift + np.array([delta for _, delta, _ in found])

    def draw(axes: Axes) -> None:
        points([("films", drift, angle, np.zeros_like(drift))], [("equal", [-5, 95], [-5, 95])])(axes)
        axes.set(xlabel="direction of the drift D F [°]", ylabel="direction of the stripes [°]", aspect="equal")

    return draw


def _at_once(record: Record) -> bool:
    """True if a pattern became perfect when it emerged."""
    there = record.t[emerged(record)]
    return bool(there.size and there[0] == formed(record))


def _was_later(record: Record, kind: str) -> bool:
    """True if a pattern was of a kind at a quarter of the whole time, or when it emerged if that was later."""
    later = np.flatnonzero(emerged(record) & (record.t >= record.film.until / 4))
    return bool(later.size and record.patterns[int(later[0])].kind == kind)
