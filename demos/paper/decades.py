"""The law of coarsening: large films over decades of time."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.plot import style

import numpy as np
from book import Book, Finding
from diagrams import found
from films import Record
from matplotlib.axes import Axes
from measures import coarsening, over, power_law
from pictures import Draw, Picture, page

SINCE = 1000.0  # contrast has saturated before: what goes on is coarsening


def law(book: Book) -> list[Finding]:
    """Spacing and defects against time, without a field and with one."""
    films = found(book, "coarsening")
    groups = {field: [r for r in films if r.film.field == field] for field in sorted({r.film.field for r in films})}
    shown = [
        Picture(f"F = {field:g}, t = {t:g}", values, records[0].film.edge, records[0].film.angle if field else None)
        for field, records in groups.items()
        for t, values in (records[0].picture(part * records[0].film.until) for part in (0.05, 0.25, 1.0))
    ]
    page(book.out / "coarsening.png", shown, [spacings(groups), defects(groups)])
    return [row for field, records in groups.items() for row in rows(field, records)]


def rows(field: float, records: Sequence[Record]) -> list[Finding]:
    """Results at one strength of the field."""
    until = float(records[0].t[-1])
    early, late = coarsening(records, SINCE, until / 4), coarsening(records, until / 4)
    first, last = (over(records, lambda r, t=t: r.at(t).wavelength) for t in (SINCE, until))
    lost = power_law(records, "defects", SINCE)
    many, left = (over(records, lambda r, t=t: r.at(t).defects) for t in (SINCE, until))
    fall = f", ~ t^m, m = {lost}" if lost.films else ""
    return [
        Finding("coarsening", f"F = {field:g}: spacing ~ t^n", f"n = {early}, {late}", "–"),
        Finding(
            "coarsening",
            f"F = {field:g}: from t = {SINCE:g} to {until:g}",
            f"spacing {first.told(2)} to {last.told(2)}; forks and ends {many.told(0)} to {left.told(0)}{fall}",
            "–",
        ),
    ]


def spacings(groups: dict[float, list[Record]]) -> Draw:
    """Spacing against time, each film a line, over powers of time."""

    def draw(axes: Axes) -> None:
        for index, (field, records) in enumerate(groups.items()):
            for number, record in enumerate(records):
                label = f"F = {field:g}" if number == 0 else None
                axes.plot(record.t, record.of("wavelength"), color=style.named_colour(index), linewidth=1, label=label)
        t = np.array([1500.0, 20000.0])
        for power, name, dashes in ((1 / 3, "1/3", "--"), (1 / 4, "1/4", ":")):
            axes.plot(t, 9.0 * (t / t[0]) ** power, color=style.GREY, linestyle=dashes, label=f"~ t^({name})")
        axes.set(xscale="log", yscale="log", xlabel="time", ylabel="spacing of the stripes")
        axes.set_yticks([5, 6, 8, 10, 15, 20], ["5", "6", "8", "10", "15", "20"])
        axes.minorticks_off()
        axes.legend()

    return draw


def defects(groups: dict[float, list[Record]]) -> Draw:
    """Forks and ends by area against time."""

    def draw(axes: Axes) -> None:
        for index, (field, records) in enumerate(groups.items()):
            for number, record in enumerate(records):
                density = record.of("defects") / record.film.edge**2
                density[density == 0] = np.nan  # on a logarithmic axis
                label = f"F = {field:g}" if number == 0 else None
                axes.plot(record.t, density, color=style.named_colour(index), linewidth=1, label=label)
        some = any(record.of("defects").any() for records in groups.values() for record in records)
        axes.set(xscale="log", yscale="log" if some else "linear", xlabel="time", ylabel="forks and ends by area")
        axes.legend()

    return draw
