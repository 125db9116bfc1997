"""The film where field or crystal are not the same everywhere: a strip with a notch, and a polycrystal.

Both are sweeps of cases, run and read as any other: `emfem sweep`, `em.results`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import emfem as em
from emfem.plot import style
from emfem.studies.sweep import run_folder
from emfem.studies.workers import finished, one

import numpy as np
import ufl
from book import Book, Finding
from dolfinx import fem
from films import STUDIES, WAVELENGTH
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpi4py import MPI
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PIXEL = WAVELENGTH / 12  # of the grids on which patterns are measured
SCALE = (0.12, 0.48)  # of the colours: the two phases of bands
PHASES = (0.08, 0.55)  # beyond these no band has been
PARTS = (0.3, 0.7)  # of the strip's length between which it is measured: ends and what has come in are left out
TILTED = 20.0  # from this angle between field and strip on, it matters which of them the bands follow [degrees]
SEEN = 2 * WAVELENGTH**2  # least area from which an alignment is told
BINS = np.array([0.02, 0.04, 0.065, 0.09, 0.13, 0.2, 0.4])  # of the local force


def runs(name: str, book: Book, workers: int) -> list[em.results.Results]:
    """The runs of a study, those that are missing run first; 0 workers run them in this process.

    Raises:
        EmfemError: if none has come to its end.
    """
    study = em.studies.Study.read(STUDIES / f"{name}.toml")
    study = replace(study, case=study.case.with_(**book.changes)) if book.changes else study
    folder = book.out / name
    cases = {trial.case.hash: trial.case for trial in study.trials() if trial.case is not None}
    if workers:
        study.run(folder, workers=workers)
    for key, case in cases.items():
        if not workers and not finished(run_folder(folder, key)):
            one(case.resolved, str(run_folder(folder, key)))
    places = [run_folder(folder, key) for key in cases]
    found = [em.results.open(place) for place in places if finished(place)]
    if not found:
        msg = f"study {name}: no case has been run"
        raise em.EmfemError(msg)
    return found


# ---- a strip with a notch -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """A film in a notched strip at the end, on a grid of pixels [ix, iy]; NaN outside.

    Attributes:
        force: F of a field of 1.
        depth: of the notch.
        c: composition.
        field: E, shape (2, nx, ny).
        lengths: of the grid along x and y.
    """

    force: float
    depth: float
    c: Floats
    field: Floats
    lengths: Floats

    @classmethod
    def of(cls, result: em.results.Results) -> Strip:
        """The last state of a run."""
        current, film = result.models()
        lengths = np.array([result.case.value("domain.length"), result.case.value("domain.width")])
        shape = tuple(int(n) for n in np.rint(lengths / PIXEL))
        parts = [em.fields.discontinuous(current["E"][axis], current.mesh, 2) for axis in range(2)]
        c, *field = (em.fields.sample_grid(function, shape).values for function in (film["c"], *parts))
        force = result.case.value("film.field.conduction")
        return cls(force, result.case.value("domain.notch_depth"), c, np.array(field), lengths)

    @property
    def places(self) -> tuple[Floats, Floats]:
        """x and y of the pixels along their axes."""
        x, y = (length * (np.arange(n) + 0.5) / n for length, n in zip(self.lengths, self.c.shape, strict=True))
        return x, y

    @property
    def strength(self) -> Floats:
        """|E|."""
        return np.hypot(*self.field)

    def alignment(self, where: NDArray[np.bool_] | None = None, *, local: bool = True) -> float:
        """<|grad c|^2 cos 2 delta> / <|grad c|^2>, delta from bands to the local field, or to the strip; NaN nowhere.

        Args:
            where: the pixels to take, all that are measured when left out.
            local: compare with the field in each place.
        """
        steps = self.lengths / self.c.shape
        gx, gy = np.gradient(self.c, *steps)
        ex, ey = self.field / self.strength if local else (np.ones_like(gx), np.zeros_like(gx))
        chosen = self.measured if where is None else self.measured & where
        across, along = ((gy * ex - gx * ey) ** 2)[chosen], ((gx * ex + gy * ey) ** 2)[chosen]
        total = float((across + along).sum())
        return float((across - along).sum()) / total if total else np.nan

    @property
    def measured(self) -> NDArray[np.bool_]:
        """The pixels that are measured: not those at the ends, nor at the edges, where no gradient is known."""
        part = (np.arange(self.c.shape[0]) + 0.5) / self.c.shape[0]
        inner = (part > PARTS[0]) & (part < PARTS[1])
        return np.isfinite(sum(np.gradient(self.c))) & np.isfinite(self.strength) & inner[:, None]

    @property
    def tilted(self) -> NDArray[np.bool_]:
        """True where the field is turned from the strip by more than `TILTED`."""
        return np.abs(np.degrees(np.arctan2(self.field[1], self.field[0]))) > TILTED


def notch(book: Book, workers: int) -> list[Finding]:
    """Do bands follow a field that bends around a notch, and the better the stronger it is there?"""
    strips = [Strip.of(result) for result in runs("notch", book, workers)]
    render(book.out / "notch.png", lambda: _strips(strips))
    told = [Finding("notch", f"F = {s.force:g}, notch {s.depth:g} deep", _followed(s), "–") for s in strips]
    driven = [s for s in strips if s.force]
    found = [f"{low:g} to {high:g}: {value:.2f}" for low, high, value in _binned(driven) if np.isfinite(value)]
    return [*told, Finding("notch", "alignment against the local force F E", "; ".join(found) or "no field", "–")]


def _followed(strip: Strip) -> str:
    """Direction of the bands of a strip."""
    there, bent = strip.alignment(), strip.alignment(strip.tilted)
    straight = strip.alignment(strip.tilted, local=False)
    return (
        f"alignment with the field {there:.2f}; where it is turned by more than {TILTED:g}°: "
        f"{bent:.2f} with the field, {straight:.2f} with the strip"
    )


def _binned(strips: Sequence[Strip]) -> list[tuple[float, float, float]]:
    """Alignment in ranges of the local force: the mean over the strips."""
    rows = []
    for low, high in itertools.pairwise(BINS):
        inside = [(s, (s.force * s.strength >= low) & (s.force * s.strength < high)) for s in strips]
        values = [s.alignment(where) for s, where in inside if (where & s.measured).sum() * PIXEL**2 > SEEN]
        rows.append((float(low), float(high), float(np.mean(values)) if values else np.nan))
    return rows


def _strips(strips: Sequence[Strip]) -> Figure:
    """Compositions with lines of the field, and the alignment against the local force."""
    forces, depths = sorted({s.force for s in strips}), sorted({s.depth for s in strips})
    figure = style.blank(max(3.6 * len(depths), 6.0), 1.15 * len(forces) + 2.5)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.15 * len(forces), 2.5])
    grid = top.subplots(len(forces), len(depths), squeeze=False)
    image = None
    for s in strips:
        axes = grid[forces.index(s.force), depths.index(s.depth)]
        x, y = s.places
        extent = (0.0, s.lengths[0], 0.0, s.lengths[1])
        image = axes.imshow(s.c.T, origin="lower", extent=extent, cmap=style.COLOURS, vmin=SCALE[0], vmax=SCALE[1])
        axes.streamplot(x, y, s.field[0].T, s.field[1].T, color="white", linewidth=0.4, density=0.35, arrowsize=0.5)
        axes.set_title(f"F = {s.force:g}, notch {s.depth:g} deep")
        axes.set_xticks([0, s.lengths[0]], ["0", f"{s.lengths[0]:g}"])
        axes.set_yticks([0, s.lengths[1]], ["0", f"{s.lengths[1]:g}"])
        axes.set(xlim=(0, s.lengths[0]), ylim=(0, s.lengths[1]))
    top.colorbar(image, ax=grid, label="c", shrink=0.7, fraction=0.03)
    against_force(bottom.subplots(1, 1), strips)
    return figure


def against_force(axes: Axes, strips: Sequence[Strip]) -> None:
    """The alignment against the local force, each strip a line."""
    for index, s in enumerate(s for s in strips if s.force):
        rows = [(np.sqrt(low * high), value) for low, high, value in _binned([s])]
        label = f"F = {s.force:g}, notch {s.depth:g}"
        axes.plot(*np.array(rows).T, "o-", markersize=4, color=style.named_colour(index), label=label)
    axes.set(xscale="log", xlabel="local force F E", ylabel="alignment with the local field", ylim=(-0.2, 1))
    axes.set_xticks([0.03, 0.05, 0.1, 0.2, 0.3], ["0.03", "0.05", "0.1", "0.2", "0.3"])
    axes.minorticks_off()
    axes.axhline(0, color=style.GREY, linewidth=0.7)
    axes.legend(loc="lower right")


# ---- a polycrystal ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grain:
    """Pattern of one grain of a polycrystal.

    Attributes:
        slow: direction of slow diffusion to the x axis [degrees].
        angle: of its bands [degrees].
        order: their sharpness.
        area: of the grain.
    """

    slow: float
    angle: float
    order: float
    area: float


def grains_of(result: em.results.Results) -> list[Grain]:
    """The grains of a run at the end."""
    (film,) = result.models()
    tensors = result.case.tables.models()["film"].anisotropy.on(film.domain)
    found = []
    for region in film.domain.regions:
        # 1 in the grain and 0 elsewhere: one form for all grains, where a measure would be compiled for each of them
        inside = film.domain.piecewise("inside", {name: float(name == region) for name in film.domain.regions})
        angle, order = em.patterns.direction(film["c"], weight=inside)
        values, vectors = np.linalg.eigh(tensors[region])
        slow = float(np.degrees(np.arctan2(*vectors[::-1, int(values.argmin())])) % 180.0)
        found.append(Grain(slow, angle, order, area(inside)))
    return found


def area(inside: fem.Function) -> float:
    """The area of the part of a film where a function is 1, which is 0 elsewhere."""
    mesh = inside.function_space.mesh
    return em.fields.integral(fem.form(inside * ufl.dx(mesh)), mesh.comm)


def alignment(grains: Sequence[Grain]) -> float:
    """<order cos 2 (bands - slow axis)>, the mean over the area of the grains."""
    weight = np.array([grain.area for grain in grains])
    value = [grain.order * np.cos(2 * np.radians(grain.angle - grain.slow)) for grain in grains]
    return float(weight @ value / weight.sum())


def used_up(c: Floats) -> float:
    """The part of a film that has been emptied or filled beyond the two phases of bands."""
    return float(np.mean((c < PHASES[0]) | (c > PHASES[1])))


@dataclass(frozen=True)
class Crystals:
    """A polycrystal at the end.

    Attributes:
        force: F.
        count: of grains.
        spread: of their turns to both sides [degrees].
        grains: what each of them has.
        c: composition, on a grid of pixels [ix, iy].
        number: of the grain in each pixel.
        lengths: of the grid along x and y.
    """

    force: float
    count: int
    spread: float
    grains: list[Grain]
    c: Floats
    number: Floats
    lengths: Floats

    @classmethod
    def of(cls, result: em.results.Results) -> Crystals:
        """The last state of a run."""
        (film,), case = result.models(), result.case
        lengths = np.array(case.value("domain.size"))
        shape = tuple(int(n) for n in np.rint(lengths / PIXEL))
        tags = film.domain.piecewise("grains", {name: float(i) for i, name in enumerate(film.domain.regions)})
        c, number = (em.fields.sample_grid(function, shape).values for function in (film["c"], tags))
        spread = round(float(np.degrees(case.value("film.anisotropy.scattered.spread"))), 6)
        force, count = case.value("film.field.strength"), case.value("domain.random_grains.count")
        return cls(force, count, spread, grains_of(result), c, number, lengths)


def polycrystal(book: Book, workers: int) -> list[Finding]:
    """Has each grain bands of its own, and what does a field do to them?"""
    films = [Crystals.of(result) for result in runs("polycrystal", book, workers)]
    render(book.out / "polycrystal.png", lambda: _polycrystals(films))
    told = []
    for (force, count), group in _sets(films).items():
        bands = "; ".join(f"±{film.spread:g}°: {alignment(film.grains):.2f}" for film in group)
        gone = "; ".join(f"±{film.spread:g}°: {100 * used_up(film.c):.0f} %" for film in group)
        where = f"F = {force:g}, {count} grains"
        told.append(Finding("polycrystal", f"{where}: alignment of bands with their slow axis", bands, "–"))
        told.append(Finding("polycrystal", f"{where}: part of the film that is used up", gone, "–"))
    return told


def _sets(films: Sequence[Crystals]) -> dict[tuple[float, int], list[Crystals]]:
    """The films by field and number of grains."""
    keys = dict.fromkeys((film.force, film.count) for film in films)
    return {key: [film for film in films if (film.force, film.count) == key] for key in keys}


def _polycrystals(films: Sequence[Crystals]) -> Figure:
    """Compositions with the boundaries of the grains, and alignment and what is used up against the spread."""
    spreads, sets = sorted({film.spread for film in films}), _sets(films)
    figure = style.blank(max(1.75 * len(spreads), 6.0), 1.75 * len(sets) + 2.6)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.75 * len(sets), 2.6])
    grid = top.subplots(len(sets), len(spreads), squeeze=False)
    for row, group in zip(grid, sets.values(), strict=True):
        for film in group:
            axes = row[spreads.index(film.spread)]
            _composition(axes, film)
            axes.set_title(f"F = {film.force:g}, turns ±{film.spread:g}°")
    bands, gone = bottom.subplots(1, 2)
    for index, ((force, count), group) in enumerate(sets.items()):
        options = {"markersize": 4, "color": style.named_colour(index), "label": f"F = {force:g}, {count} grains"}
        bands.plot([film.spread for film in group], [alignment(film.grains) for film in group], "o-", **options)
        gone.plot([film.spread for film in group], [100 * used_up(film.c) for film in group], "o-", **options)
    bands.set(xlabel="spread of the turns [± °]", ylabel="alignment with slow axis", ylim=(-1, 1))
    gone.set(xlabel="spread of the turns [± °]", ylabel="film that is used up [%]", ylim=(-5, 105))
    bands.axhline(0, color=style.GREY, linewidth=0.7)
    bands.legend(loc="upper center", bbox_to_anchor=(1.1, -0.22), ncols=3)
    return figure


def _composition(axes: Axes, film: Crystals) -> None:
    """A composition and the boundaries of its grains."""
    borders = np.zeros(film.c.shape, bool)
    borders[:-1] |= np.diff(film.number, axis=0) != 0
    borders[:, :-1] |= np.diff(film.number, axis=1) != 0
    extent = (0.0, film.lengths[0], 0.0, film.lengths[1])
    axes.imshow(film.c.T, origin="lower", extent=extent, cmap=style.COLOURS, vmin=SCALE[0], vmax=SCALE[1])
    shown = np.where(borders.T, 1.0, np.nan)
    axes.imshow(shown, origin="lower", extent=extent, cmap="Greys", vmin=2.0, vmax=3.0, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def render(target: Path, make: Callable[[], Figure]) -> None:
    """Draw a figure into a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    style.draw(MPI.COMM_WORLD, lambda: make().savefig(target, dpi=style.DPI))


PLACES: dict[str, Callable[[Book, int], list[Finding]]] = {"notch": notch, "polycrystal": polycrystal}
