"""Figures 7 to 10 and the text about them: the ratio of diffusivities, misorientation, the strength of the field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import emfem as em

import numpy as np
from book import Book, Finding, verdict
from films import Film, Record
from measures import (
    Spread,
    formed,
    half_by,
    kinds,
    mean_angle,
    number_formed,
    number_last,
    number_sharp,
    over,
    sharpened,
    spacing_sharp,
    tilt,
    turned,
    waiting,
)
from orientation import STRAYS, domains, mostly_perfect, told_joined
from pictures import Draw, page, picture, points

Groups = dict[Any, list[Record]]


def text1(book: Book) -> list[Finding]:
    """The field along x against Lambda (no figure in the paper)."""
    groups = book.groups("text1", "ratio")
    _ladder(book, "text1", groups, "Λ = {:g}", numbers_of(groups, "Λ"))
    horizontal = {ratio: abs(tilt(mean_angle(records), 0.0)) < STRAYS for ratio, records in groups.items()}
    sharp = {ratio: over(records, number_sharp) for ratio, records in groups.items()}
    there = [ratio for ratio in groups if sharp[ratio].reached]
    falls = _trend(there, [sharp[ratio].mean for ratio in there])
    stripes = [ratio for ratio, records in groups.items() if horizontal[ratio] and mostly_perfect(records)]
    past = [records for ratio, records in groups.items() if ratio > max(stripes, default=np.inf)]
    return [
        Finding(
            "text",
            "φE = 0, β = 0: horizontal stripes at smaller Λ, connected domains beyond",
            "; ".join(
                f"Λ = {ratio:g}: {over(each, formed).reached} of {len(each)} became perfect, {told_joined(each)}"
                for ratio, each in groups.items()
            ),
            verdict(bool(past) and all(map(domains, past)), partly=horizontal[min(groups)]),
        ),
        Finding(
            "text",
            "φE = 0, β = 0: density falls as Λ grows, in one range",
            "stripes once sharp: " + _listed(sharp),
            verdict(falls < 0 if len(there) > 1 else None),
        ),
    ]


def fig7(book: Book) -> list[Finding]:
    """The field along y: number of stripes and time of formation against Lambda."""
    slow = book.groups("fig7", "ratio")
    groups = slow | book.groups("fig7fast", "ratio")
    first, last = _each(groups, number_formed), _each(slow, number_last)
    time, sharp = _each(groups, formed), _each(groups, sharpened)
    wait = {ratio: waiting(records) for ratio, records in groups.items()}
    count = points([("when perfect", *_xy(first)), ("at the end", *_xy(last))], **AGAINST_RATIO, ylabel="stripes")
    when = points([("perfect", *_xy(time)), ("order ≥ 0.9", *_xy(sharp))], **AGAINST_RATIO, ylabel="time of formation")
    _ladder(book, "fig7", groups, "Λ = {:g}", count, when)
    low = min(groups)
    reached = {ratio: t for ratio, t in time.items() if t.reached}
    early = {ratio: t for ratio, t in sharp.items() if t.reached}
    # the median over all films; a mean over those that came so far would leave out the late ones
    formation = {ratio: found.median for ratio, found in wait.items() if np.isfinite(found.median)}
    falls = _trend(list(formation), list(formation.values()))
    ends = list(formation.values())[-2:]
    levels = len(ends) == 2 and abs(ends[1] - ends[0]) < 0.3 * ends[0]
    counted = [first[ratio].mean for ratio in reached]
    dips = len(counted) > 2 and 0 < int(np.argmin(counted)) < len(counted) - 1
    order = over(groups[low], lambda record: record.patterns[-1].order)
    return [
        Finding(
            "7",
            "smallest Λ: disordered, as without a field",
            f"Λ = {low:g}: {kinds(groups[low])}, order {order.told(2)}, at {mean_angle(groups[low]):.0f}°",
            verdict(all("disordered" in kinds([r]) for r in groups[low]), partly=not time[low].reached),
        ),
        Finding(
            "7",
            "larger Λ: perfect vertical stripes",
            "; ".join(f"Λ = {ratio:g}: {kinds(records)}" for ratio, records in groups.items() if ratio > low),
            verdict(bool(reached) and _vertical({r: groups[r] for r in reached}) if reached else None),
        ),
        Finding(
            "7a",
            "number when the stripes form: falls with Λ, then rises to 7 or 8",
            _listed({ratio: first[ratio] for ratio in reached}) or "no film perfect",
            verdict(dips if len(counted) > 2 else None, partly=len(counted) > 2 and counted[-1] > counted[0] + 0.5),
        ),
        Finding(
            "7b",
            "formation time falls fast with Λ, to a least value (1000), and stays",
            f"half of them perfect {_waited(wait)}; order ≥ 0.9 from {_listed(early, 0) or 'no Λ'}",
            verdict(falls < 0 and levels if len(formation) > 2 else None, partly=falls < 0),
        ),
    ]


def fig8(book: Book) -> list[Finding]:
    """A tilted field against Lambda."""
    groups = book.groups("fig8", "ratio")
    angles = {ratio: _angles(records) for ratio, records in groups.items()}
    sharp = _each(groups, number_sharp)
    spacing = _each(groups, spacing_sharp)
    turn = points(
        [("stripes", *_xy(angles))], [_drift_line(groups)], **AGAINST_RATIO, ylabel="angle of the stripes [°]"
    )
    count = points([("stripes", *_xy(sharp))], **AGAINST_RATIO, ylabel="stripes once their direction is sharp")
    _ladder(book, "fig8", groups, "Λ = {:g}", turn, count)
    there = [ratio for ratio in groups if sharp[ratio].reached]
    rises = len(there) > 2 and 0 < int(np.argmax([sharp[r].mean for r in there])) < len(there) - 1
    off = max(abs(tilt(angles[ratio].mean, records[0].film.drift)) for ratio, records in groups.items())
    # only stripes have an angle to turn
    means = [angles[ratio].mean for ratio, records in groups.items() if _striped(records)]
    low = min(groups)
    return [
        Finding(
            "8",
            "zipped at small Λ, perfect beyond",
            "; ".join(f"Λ = {ratio:g}: {kinds(records)}" for ratio, records in groups.items()),
            verdict(
                not over(groups[low], formed).reached
                and any(over(records, formed).reached for ratio, records in groups.items() if ratio >= 1)
            ),
        ),
        Finding(
            "8",
            "density rises with Λ, then falls",
            f"stripes: {_listed(sharp)}; their spacing: {_listed(spacing, 2)}",
            verdict(rises if len(there) > 2 else None),
        ),
        Finding(
            "8",
            "stripes turn towards the vertical as Λ grows",
            f"{_listed(angles, 0)} (degrees); at most {off:.0f}° from the drift, atan(Λ)",
            verdict(bool(np.all(np.diff(means) > 0))),
        ),
    ]


def fig9(book: Book) -> list[Finding]:
    """Misorientation on [110] under a tilted field."""
    groups = book.groups("fig9", "misorientation")
    angles = {phi: _angles(records) for phi, records in groups.items()}
    sharp = _each(groups, number_sharp)
    defects = {phi: over(records, lambda r: r.at(r.film.until / 2).defects) for phi, records in groups.items()}
    kept = {phi: over(records, lambda r: r.patterns[-1].defects) for phi, records in groups.items()}
    options = {"xlabel": "misorientation φx [°]", "xticks": list(groups)}
    turn = points([("stripes", *_xy(angles))], [_drift_line(groups)], **options, ylabel="angle of the stripes [°]")
    count = points([("stripes", *_xy(sharp))], **options, ylabel="stripes once their direction is sharp")
    _ladder(book, "fig9", groups, "φx = {:g}°", turn, count)
    field = next(iter(groups.values()))[0].film.angle
    follows = [phi for phi in groups if abs(tilt(angles[phi].mean, field)) < STRAYS]
    off = max(abs(tilt(angles[phi].mean, records[0].film.drift)) for phi, records in groups.items())
    there = [phi for phi in groups if sharp[phi].reached]
    ends = [sharp[phi].mean for phi in (min(groups), max(groups))]
    within = [sharp[phi].mean for phi in there if min(groups) < phi < max(groups)]
    worst = max(defects, key=lambda phi: defects[phi].mean)
    others = [found.mean for phi, found in defects.items() if phi != worst]
    stands_out = defects[worst].mean - defects[worst].deviation > max(others)
    return [
        Finding(
            "9",
            "only at one φx do the stripes follow the field (constructive)",
            f"at {', '.join(f'{phi:g}°' for phi in follows) or 'none'}; angles {_listed(angles, 0)}",
            verdict(len(follows) == 1, partly=30.0 in follows),
        ),
        Finding(
            "9",
            "in between the angle is a balance of field and anisotropy",
            f"within {off:.1f}° of the drift, tan = Λ fy/fx tan φE, at every φx",
            verdict(off < STRAYS),
        ),
        Finding(
            "9",
            "at one other φx the stripes are doubly zipped (destructive)",
            f"forks and ends at half time {_listed(defects)}; at the end {_listed(kept)}",
            verdict(stands_out and worst not in follows and kept[worst].mean >= 1, partly=stands_out),
        ),
        Finding(
            "9",
            "density is largest at the ends of the range of φx",
            f"stripes once sharp: {_listed(sharp)}",
            verdict(min(ends) > max(within) if len(there) == len(groups) else None),
        ),
    ]


def text2(book: Book) -> list[Finding]:
    """Stripes along the field on [111] too."""
    groups = book.groups("text2", "misorientation")
    angles = {phi: turned(records, records[0].film.angle) for phi, records in groups.items()}
    drift = {phi: records[0].film.drift - records[0].film.angle for phi, records in groups.items()}
    _ladder(book, "text2", groups, "φx = {:g}°")
    told = ", ".join(f"φx = {phi:g}°: {angles[phi].told()}° (drift {drift[phi]:.1f}°)" for phi in groups)
    holds = abs(angles[10.0].mean) < STRAYS < abs(angles[30.0].mean)
    says = "[111] at 45° follows the field for particular misorientations only"
    return [Finding("text", says, f"turned from the field by {told}", verdict(holds))]


def fig10(book: Book) -> list[Finding]:
    """The strength of the field."""
    groups = book.groups("fig10", "field")
    sharp, wait = _each(groups, number_sharp), {field: waiting(records) for field, records in groups.items()}
    ends = _each(groups, number_last)
    defects = {field: over(records, lambda r: r.patterns[-1].defects) for field, records in groups.items()}
    order = {field: over(records, lambda r: r.patterns[-1].order) for field, records in groups.items()}
    off = {field: turned(records, records[0].film.angle) for field, records in groups.items()}
    options = {"xscale": "log", "xlabel": "field F"}
    quality = points([("forks and ends", *_xy(defects))], **options, ylabel="forks and ends at the end")
    count = points([("once sharp", *_xy(sharp)), ("at the end", *_xy(ends))], **options, ylabel="stripes")
    _ladder(book, "fig10", groups, "F = {:g}", quality, count)
    strong = sorted(groups)
    better = defects[strong[-1]].mean < defects[strong[0]].mean and order[strong[-1]].mean > order[strong[0]].mean
    denser = ends[strong[-1]].mean > ends[strong[0]].mean
    times = {field: t for field, t in _each(groups, sharpened).items() if t.reached}
    halves = [wait[field].median for field in strong]
    faster = halves[-1] < halves[0] and bool(np.all(np.diff([t for t in halves if np.isfinite(t)]) <= 0))
    closer = abs(off[strong[-1]].mean) < abs(off[strong[len(strong) // 2]].mean) - 1
    stops = abs(ends[strong[-1]].mean - ends[strong[-2]].mean) < 1 and (
        abs(tilt(off[strong[-1]].mean, off[strong[-2]].mean)) < STRAYS
    )
    return [
        Finding(
            "10",
            "a higher voltage makes better stripes",
            f"order at the end {_listed(order, 2)}; forks and ends {_listed(defects)}",
            verdict(bool(better)),
        ),
        Finding("10", "and more of them", f"stripes at the end {_listed(ends)}", verdict(bool(denser))),
        Finding(
            "10",
            "the alignment with the field does not improve",
            f"turned from the field by {_listed(off)} (degrees)",
            verdict(not closer),
        ),
        Finding(
            "10",
            "beyond some voltage nothing changes",
            f"F = {strong[-2]:g} and {strong[-1]:g}: {ends[strong[-2]].told()} and {ends[strong[-1]].told()} stripes",
            verdict(bool(stops)),
        ),
        Finding(
            "end",
            "a stronger field forms stripes sooner",
            f"half of them perfect {_waited(wait)}; order ≥ 0.9 from {_listed(times, 0) or 'no F'}",
            verdict(faster),
        ),
    ]


AGAINST_RATIO: dict[str, Any] = {"xscale": "log", "xlabel": "ratio of diffusivities Λ"}


def numbers_of(groups: Groups, name: str) -> Draw:
    """The number of stripes once sharp, against the ratio of diffusivities."""
    return points([("", *_xy(_each(groups, number_sharp)))], **AGAINST_RATIO, ylabel="stripes once sharp")


def _ladder(book: Book, name: str, groups: Groups, title: str, *curves: Draw) -> None:
    """Draw the last state of the first seed at each value of the parameter, and curves below."""
    shown = [picture(records[0], 1e9, title.format(value) + ", t = {t}") for value, records in groups.items()]
    page(book.out / f"{name}.png", shown, curves, columns=4 if len(shown) > 3 else len(shown))


def _each(groups: Groups, measure: Any) -> dict[Any, Spread]:
    """A measure over the seeds, at each value of the parameter."""
    return {value: over(records, measure) for value, records in groups.items()}


def _xy(spreads: dict[Any, Spread]) -> tuple[list[float], list[float], list[float]]:
    """The values of the parameter, means and deviations."""
    return list(spreads), [s.mean for s in spreads.values()], [s.deviation for s in spreads.values()]


def _listed(spreads: dict[Any, Spread], digits: int = 1) -> str:
    """Values of the parameter with what was found at each."""
    return ", ".join(f"{value:g}: {found.told(digits)}" for value, found in spreads.items())


def _waited(found: dict[Any, em.patterns.Survival]) -> str:
    """Values of the parameter with the time by which half of the films have come to something."""
    return ", ".join(f"{value:g}: {half_by(times)}" for value, times in found.items())


def _angles(records: Sequence[Record]) -> Spread:
    """The direction of the stripes at the end [degrees], about their common mean."""
    mean = mean_angle(records)
    found = over(records, lambda record: mean + tilt(record.patterns[-1].angle, mean))
    return found


def _trend(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of y against log x; 0 for fewer than two points."""
    return float(np.polyfit(np.log(x), y, 1)[0]) if len(x) > 1 else 0.0


def _striped(records: Sequence[Record]) -> bool:
    """True if most films have stripes at the end, perfect or zipped."""
    return sum("stripes" in record.patterns[-1].kind for record in records) > len(records) / 2


def _vertical(groups: Groups) -> bool:
    """True if the stripes stand upright."""
    return all(abs(tilt(mean_angle(records), 90.0)) < STRAYS for records in groups.values())


def _drift_line(groups: Groups) -> tuple[str, Any, Any]:
    """The direction of the drift against the parameter of a study."""
    films: list[Film] = [records[0].film for records in groups.values()]
    return "drift D F", list(groups), [film.drift for film in films]
