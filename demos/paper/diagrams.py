"""Diagrams of the patterns over angles of field and crystal, diffusivities and field, solute and field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.plot import style

import numpy as np
from book import Book, Finding
from films import Record, load
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from measures import Spread, over, sharpened, tilt
from pictures import Draw, page
from summary import KINDS

STRIPED = ("perfect stripes", "zipped stripes")
BAR = 0.3  # half length of a bar that shows a direction, in the distance of neighbouring films
APART = 0.17  # of the films from different starts, from the middle of their place
FAINT = 0.02  # contrast below which a pattern has not grown, or fades: a fifth of that of stripes, half of the start
MARKS = {kind: {"marker": KINDS[kind], "color": style.named_colour(i)} for i, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Axis:
    """One axis of a diagram.

    Attributes:
        quantity: attribute of the films.
        label: what it is called.
    """

    quantity: str
    label: str


FIELD_ANGLE = Axis("angle", "angle of the field φE [°]")
CRYSTAL_ANGLE = Axis("misorientation", "misorientation φx [°]")
RATIO = Axis("ratio", "ratio of diffusivities Λ")
FIELD = Axis("field", "field F")
CONTENT = Axis("mean", "solute C0")


def crystal(book: Book) -> list[Finding]:
    """Over the angles of field and crystal, [110], Lambda = 1.4, beta = 1, F = 0.2."""
    films = found(book, "crystal")
    page(book.out / "crystal.png", [], [diagram(films, FIELD_ANGLE, CRYSTAL_ANGLE), off_drift(films)])
    striped = directed(films)
    off = np.array([abs(tilt(r.patterns[-1].angle, r.film.drift)) for r in striped])
    turned = np.array([abs(tilt(r.patterns[-1].angle, r.film.angle)) for r in striped])
    skews = [r.film.skew for r in films]
    return [
        Finding("crystal", "which kinds of pattern are there", counted(films), "–"),
        Finding(
            "crystal",
            "where do the stripes lie",
            f"off the drift {np.median(off):.1f}° (median), {off.max():.1f}° (most); off the field {turned.max():.1f}° "
            f"(most); skew Λ fy/fx from {min(skews):.2f} to {max(skews):.2f}",
            "–",
        ),
    ]


def ratio(book: Book) -> list[Finding]:
    """Over the ratio of the diffusivities and the strength of a field at 45 degrees."""
    films = found(book, "ratio")
    page(book.out / "ratio.png", [], [diagram(films, RATIO, FIELD), times(films, RATIO)])
    told = [Finding("ratio", "which kinds of pattern are there", counted(films), "–")]
    for value, group in grouped(films, RATIO).items():
        least = weakest(group)
        told.append(Finding("ratio", f"weakest field that orients stripes, Λ = {value:g}", least, "–"))
    power, error, count = time_law(films)
    law = f"order ≥ 0.9 from t ~ F^n, n = {power:.2f} ± {error:.2f} ({count} films)"
    return [*told, Finding("ratio", "time of formation against the field", law, "–")]


def content(book: Book) -> list[Finding]:
    """Over the solute content and the strength of a field along x, isotropic."""
    films = found(book, "content")
    edges = spinodal()
    page(book.out / "content.png", [], [diagram(films, CONTENT, FIELD, marks=edges), growth()])
    there = [r for r in films if not faint(r)]
    inside = [r for r in films if edges[0] < r.film.mean < edges[1]]
    return [
        Finding("content", "which kinds of pattern are there", counted(films), "–"),
        Finding(
            "content",
            "is there a pattern where linear theory has one",
            f"unstable from C0 = {edges[0]:.3f} to {edges[1]:.3f}; patterns in {len(there)} of {len(films)} films, "
            f"{len([r for r in there if r in inside])} of them of the {len(inside)} inside",
            "–",
        ),
    ]


def found(book: Book, name: str) -> list[Record]:
    """The films of a study that have been run.

    Raises:
        EmfemError: if there is none.
    """
    records = [record for film in book.films(name) if (record := load(film, book.out / "runs")) is not None]
    if not records:
        msg = f"study {name}: no film has been run"
        raise em.EmfemError(msg)
    return records


def faint(record: Record) -> bool:
    """True if there is hardly a pattern at the end."""
    return bool(record.patterns[-1].contrast < FAINT)


def directed(films: Sequence[Record]) -> list[Record]:
    """Those with stripes at the end that have grown."""
    return [record for record in films if record.patterns[-1].kind in STRIPED and not faint(record)]


def counted(films: Sequence[Record]) -> str:
    """Number of films with each kind of pattern at the end."""
    kinds = ["faint" if faint(record) else record.patterns[-1].kind for record in films]
    counts = [f"{kinds.count(kind)} {kind}" for kind in (*KINDS, "faint") if kind in kinds]
    return ", ".join(counts) + f", of {len(films)} films"


def grouped(films: Sequence[Record], axis: Axis) -> dict[float, list[Record]]:
    """The films by their value on an axis."""
    values = sorted({getattr(record.film, axis.quantity) for record in films})
    return {v: [record for record in films if getattr(record.film, axis.quantity) == v] for v in values}


def weakest(films: Sequence[Record]) -> str:
    """The weakest field from which on all films have stripes along the drift."""
    last = None
    for field, group in sorted(grouped(films, FIELD).items(), reverse=True):
        if len(directed(group)) < len(group):
            break
        last = field
    return "none of these" if last is None else f"F = {last:g}"


def time_law(films: Sequence[Record]) -> tuple[float, float, int]:
    """The exponent n of sharpened ~ F^n, the mean over the ratios, with its standard error, and how many films."""
    slopes, count = [], 0
    for group in grouped(films, RATIO).values():
        there = [(r.film.field, sharpened(r)) for r in group if not np.isnan(sharpened(r))]
        if len({field for field, _ in there}) > 1:
            slopes.append(float(np.polyfit(*np.log(np.array(there)).T, 1)[0]))
            count += len(there)
    error = float(np.std(slopes, ddof=1) / np.sqrt(len(slopes))) if len(slopes) > 1 else np.inf
    return float(np.mean(slopes)) if slopes else np.nan, error, count


def spinodal() -> tuple[float, float]:
    """The contents between which the film is unstable, from f'' = S / (C (1 - C)) - 2 W + alpha (1 - 2 C) < 0."""
    alloy = em.film.cupd()
    c = np.linspace(0.05, 0.5, 45001)
    slope = alloy.entropy / (c * (1 - c)) - 2 * alloy.enthalpy + alloy.solute_expansion * (1 - 2 * c)
    unstable = c[slope < 0]
    return float(unstable[0]), float(unstable[-1])


def growth() -> Draw:
    """The time in which the fastest wave grows by e, against the solute content."""

    def draw(axes: Axes) -> None:
        waves = np.outer(np.linspace(0.01, 1.6, 200), (1.0, 0.0))
        contents = np.linspace(0.18, 0.4, 45)
        rates = [em.film.growth_rate(waves, em.film.cupd(), mean=float(c)).real.max() for c in contents]
        axes.plot(contents, [1 / rate if rate > 0 else np.nan for rate in rates], color=style.named_colour(0))
        axes.set(xlabel=CONTENT.label, ylabel="time of growth by e", yscale="log", ylim=(100, 1e5))

    return draw


def diagram(films: Sequence[Record], across: Axis, up: Axis, marks: Sequence[float] = ()) -> Draw:
    """A marker for each film: its kind by shape and colour, its order by size, its stripes and drift by bars."""
    xs, ys = list(grouped(films, across)), list(grouped(films, up))
    seeds = sorted({record.film.seed for record in films})

    def draw(axes: Axes) -> None:
        for record in films:
            film, last = record.film, record.patterns[-1]
            shift = APART * (2 * seeds.index(film.seed) - len(seeds) + 1)
            place = np.array([xs.index(getattr(film, across.quantity)) + shift, ys.index(getattr(film, up.quantity))])
            if film.field:
                bar(axes, place, film.drift, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 1)), zorder=1)
            if directed([record]):
                bar(axes, place, last.angle, color=style.INK, linewidth=1.2, zorder=2)
            axes.scatter(*place, s=8 + 40 * last.order, **look(last.kind, hollow=faint(record)), zorder=3)
        for mark in marks:
            axes.axvline(float(np.interp(mark, xs, range(len(xs)))), color=style.GREY, linewidth=0.8, linestyle=":")
        axes.set(xlabel=across.label, ylabel=up.label, aspect="equal")
        axes.set(xlim=(-0.6, len(xs) - 0.4), ylim=(-0.6, len(ys) - 0.4))
        axes.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
        axes.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
        kinds = [kind for kind in KINDS if any(record.patterns[-1].kind == kind for record in films)]
        keys = [Line2D([], [], linestyle="", markersize=6, label=kind, **MARKS[kind]) for kind in kinds]
        if any(map(faint, films)):
            keys += [Line2D([], [], linestyle="", marker="o", markerfacecolor="white", color=style.GREY, label="faint")]
        keys += [Line2D([], [], color=style.INK, linewidth=1.2, label="stripes")]
        keys += [Line2D([], [], color=style.GREY, linewidth=0.8, linestyle=(0, (2, 1)), label="drift")]
        axes.legend(handles=keys, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, columnspacing=1.0)

    return draw


def bar(axes: Axes, place: np.ndarray, angle: float, **options: object) -> None:
    """A bar through a place, at an angle [degrees]."""
    along = BAR * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    axes.plot(*np.array([place - along, place + along]).T, **options)


def look(kind: str, *, hollow: bool) -> dict[str, Any]:
    """Marker and colours of a kind of pattern."""
    mark = MARKS[kind]
    if mark["marker"] == "x":  # has no inside
        return {**mark, "alpha": 0.4 if hollow else 1.0}
    return {"marker": mark["marker"], "edgecolors": mark["color"], "facecolors": "white" if hollow else mark["color"]}


def off_drift(films: Sequence[Record]) -> Draw:
    """Angles from the field and from the drift to the stripes, against the angle between field and drift."""

    def draw(axes: Axes) -> None:
        striped = directed(films)
        between = [tilt(r.film.drift, r.film.angle) for r in striped]
        turned = [tilt(r.patterns[-1].angle, r.film.angle) for r in striped]
        axes.plot([-30, 30], [-30, 30], color=style.GREY, linestyle="--", label="along the drift", zorder=1)
        axes.plot(between, turned, "o", markersize=4, color=style.named_colour(0), label="films")
        axes.set(xlabel="drift, from the field [°]", ylabel="stripes, from the field [°]", aspect="equal")
        axes.legend()

    return draw


def times(films: Sequence[Record], axis: Axis) -> Draw:
    """Time at which stripes have their direction (order 0.9), against the field."""

    def draw(axes: Axes) -> None:
        for index, (value, group) in enumerate(grouped(films, axis).items()):
            each = {field: over(those, sharpened) for field, those in grouped(group, FIELD).items()}
            drawn({f: t for f, t in each.items() if t.reached}, axes, style.named_colour(index), f"Λ = {value:g}")
        ends = np.array([0.1, 0.8])
        axes.plot(ends, 150 / ends, color=style.GREY, linestyle="--", label="~ 1/F")
        axes.set(xscale="log", yscale="log", xlabel=FIELD.label, ylabel="order ≥ 0.9 from t")
        fields = list(grouped(films, FIELD))
        axes.set_xticks(fields, [f"{field:g}" for field in fields])
        axes.minorticks_off()
        axes.legend(ncols=2)

    return draw


def drawn(each: dict[float, Spread], axes: Axes, colour: str, label: str) -> None:
    """Means with their spread."""
    if each:
        means, deviations = [s.mean for s in each.values()], [s.deviation for s in each.values()]
        axes.errorbar(list(each), means, yerr=deviations, fmt="o-", capsize=3, markersize=4, color=colour, label=label)


DIAGRAMS: dict[str, Callable[[Book], list[Finding]]] = {"crystal": crystal, "ratio": ratio, "content": content}
