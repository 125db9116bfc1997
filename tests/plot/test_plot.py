"""Pictures: their size, their colours, and that a periodic film is drawn without tears."""

import inspect
import json
import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import emfem as em
from emfem.dimensions import Meaning
from emfem.mesh.distribute import distribute
from emfem.mesh.raw import RawMesh
from emfem.plot import labels, rendering, style
from emfem.plot.cells import grid_of, mirrored
from emfem.plot.currents import Terminal, _terminals
from emfem.plot.labels import AxisLabel
from emfem.plot.lines import inflow, shares, stream, walker
from emfem.plot.simplices import simplex_mesh
from emfem.studies.pictures import picture
from emfem.units import MPa, um

import imageio.v3 as iio
import numpy as np
import pytest
import ufl
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from mpi4py import MPI


@pytest.fixture(autouse=True)
def _coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer pixels take less time."""
    monkeypatch.setattr(style, "DPI", 160)


@pytest.fixture(scope="module")
def film() -> em.Model:
    """A wave along x on a periodic film, its crest at the seam."""
    domain = em.mesh.periodic_rectangle((4.0, 2.0), cells=(8, 4))
    return em.film.model(
        domain, em.film.cupd(), initial=lambda x: 0.3 + 0.1 * np.cos(2 * np.pi * x[0] / 4.0) + 0 * x[1]
    )


def saved(draw: Callable[..., Figure | None], subject: object, path: Path, **options: Any) -> Path:
    """Write a picture, check that the figure is returned as well, and return the path."""
    assert isinstance(draw(subject, path, **options), Figure)
    return path


def test_field_colours_follow_the_values(film: em.Model, tmp_path: Path) -> None:
    """Crest at both edges, trough in the middle: a torn seam would show the trough's colour at the edge."""
    path = saved(
        em.plot.field, film["c"], tmp_path / "made" / "c.png", colours="winter", title="c"
    )  # blue low, green high
    image = iio.imread(path)[:, :, :3].astype(float)
    row = image[image.shape[0] // 2]
    coloured = np.flatnonzero(np.ptp(row, axis=1) > 100)
    gap = np.flatnonzero(np.diff(coloured) > 5)[0]  # between the film and the colour bar
    green = row[coloured[: gap + 1], 1]
    assert green[[3, -4]].min() > 240
    assert np.argmin(green) == pytest.approx(len(green) / 2, abs=0.03 * len(green))
    assert green.min() < 15


def test_a_field_is_drawn_where_there_is_metal(film: em.Model, tmp_path: Path) -> None:
    """Left of the middle: nothing of the right half, neither its colours nor its values on the bar."""
    x = ufl.SpatialCoordinate(film.mesh)
    left = 1 - x[0] / 4  # 1/2 in the middle
    ends = []
    for name, solid in (("half", left), ("whole", None)):
        path = saved(em.plot.field, x[0], tmp_path / f"{name}.png", colours="winter", limits=(0.0, 4.0), solid=solid)
        image = iio.imread(path)[:, :, :3].astype(float)
        coloured = np.flatnonzero(np.ptp(image[image.shape[0] // 2], axis=1) > 100)
        ends.append((coloured[0], coloured[np.flatnonzero(np.diff(coloured) > 5)[0]]))  # where the bar begins
    assert ends[0][0] == ends[1][0]
    assert ends[0][1] - ends[0][0] == pytest.approx((ends[1][1] - ends[1][0]) / 2, rel=0.02)
    figure = em.plot.field(x[0], solid=left)
    assert figure is not None
    assert figure.axes[1].get_ylim() == pytest.approx((0.0, 2.0))
    assert em.plot.field(x[0], solid=0 * left) is not None  # no metal anywhere


def test_the_title_of_a_flat_picture_is_on_it() -> None:
    figure = em.plot.field(
        ufl.SpatialCoordinate(em.mesh.rectangle((8.0, 1.0), cells=(8, 1)).mesh)[0], title="t = 10 ns"
    )
    assert figure is not None
    figure.canvas.draw()
    assert figure.axes[0].title.get_window_extent().y1 <= figure.bbox.y1


def test_grid_holds_every_cell_whole(film: em.Model) -> None:
    grid = em.plot.grid(film["c"])
    assert grid is not None
    assert grid.n_cells == 32
    assert grid.compute_cell_sizes()["Area"] == pytest.approx(np.full(32, 0.25))
    x = np.asarray(grid.points)[:, 0]
    assert np.asarray(grid["value"]) == pytest.approx(0.3 + 0.1 * np.cos(2 * np.pi * x / 4.0), abs=1e-12)


def test_film_strip_has_a_panel_a_time(film: em.Model, tmp_path: Path) -> None:
    three = em.plot.film_strip([film["c"]] * 3, titles=["a", "b", "c"])
    rows = em.plot.film_strip([film["c"]] * 3, tmp_path / "rows.png", columns=1, width="column")
    assert three is not None
    assert rows is not None
    assert [axes.get_title() for axes in three.axes] == ["a", "b", "c", ""]  # the last is the colour bar
    assert rows.get_figheight() > 1.5 * three.get_figheight()
    assert iio.imread(tmp_path / "rows.png").shape[:2] == pytest.approx(rows.get_size_inches()[::-1] * style.DPI, abs=1)


@pytest.mark.parametrize(("length", "rows"), [(1.0, 1), (4.0, 2), (12.0, 6)])
def test_panels_of_long_domains_go_into_further_rows(length: float, rows: int) -> None:
    domain = em.mesh.rectangle((length, 1.0), cells=(4, 2))
    value = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)), name="u")
    figure = made(em.plot.film_strip([value] * 6))
    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    assert (grid.nrows, grid.ncols) == (rows, -(-6 // rows))


@pytest.mark.parametrize(("degree", "sign"), [(1, 1), (2, 1), (1, -1)])
def test_the_other_half_is_the_mirror_image(degree: int, sign: int) -> None:
    """Twice the area, the same values on both sides, and what is drawn of a turned wire without asking."""
    domain = em.mesh.rectangle((3.0, 1.0), cells=(3, 2))
    value = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", degree)), name="u")
    value.interpolate(lambda x: x[0] + 2 * x[1])
    half = em.fields.gather(value)
    assert half is not None
    whole = grid_of(mirrored(half, sign))
    assert whole.compute_cell_sizes()["Area"].sum() == pytest.approx(6.0)
    there = np.where(np.arange(whole.n_points) < len(half.points), 1, sign)
    assert whole.point_data["value"] == pytest.approx(there * (whole.points[:, 0] + 2 * abs(whole.points[:, 1])))
    assert made(em.plot.field(value, mirror=True)).axes[0].get_ylim() == pytest.approx((-1.0, 1.0))


def test_what_points_away_from_the_axis_changes_its_sign_below() -> None:
    """The scale reaches as far below 0 as above, though the half that is computed has no negative value."""
    domain = em.mesh.rectangle((3.0, 1.0), cells=(3, 2))
    outward = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1, (2,))), name="f")
    outward.interpolate(lambda x: np.array([x[0], x[1]]))
    for component, ends in (("y", (-1.0, 1.0)), ("x", (0.0, 3.0))):
        figure = made(em.plot.field(outward, component=component, mirror=True))
        assert figure.axes[-1].get_ylim() == pytest.approx(ends)


def test_a_mirror_image_of_what_is_on_both_sides_is_refused() -> None:
    both = em.mesh.rectangle((1.0, 2.0), cells=(1, 1))
    both.mesh.geometry.x[:, 1] -= 1.0
    value = fem.Function(fem.functionspace(both.mesh, ("Lagrange", 1)))
    with pytest.raises(em.ParameterError, match="from y = -1 to 1, must not reach below 0"):
        em.plot.field(value, mirror=True)


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_animation_has_a_frame_a_snapshot(film: em.Model, tmp_path: Path, ending: str) -> None:
    other = film["c"].copy()
    other.x.array[:] = 0.6 - other.x.array
    path = em.plot.animation([film["c"], other, film["c"]], tmp_path / f"film.{ending}")
    frames = np.array([frame[:, :, :3] for frame in iio.imiter(path)]).astype(float)
    assert len(frames) == 3
    assert np.abs(frames[0] - frames[1]).mean() > 5 * np.abs(frames[0] - frames[2]).mean()


def test_dispersion_is_drawn(tmp_path: Path) -> None:
    crystal = em.film.Anisotropy(surface="111", strength=2.0, misorientation=0.3, ratio=3.0)
    path = saved(
        em.plot.dispersion,
        em.film.cupd(),
        tmp_path / "d.png",
        mean=0.3,
        anisotropy=crystal,
        field=(0.1, 0.0),
        measured=[(1.0, 0.0, 0.01j)],
    )
    image = iio.imread(path)
    assert image.shape[1] > 2 * image.shape[0]
    assert np.unique(image[:, :, :3].reshape(-1, 3), axis=0).shape[0] > 20


def test_one_and_three_dimensions_are_drawn(tmp_path: Path) -> None:
    for domain in (em.mesh.interval(2.0, cells=4), em.mesh.box((1.0, 1.0, 2.0), cells=(2, 2, 2))):
        film = em.film.model(domain, em.film.cupd(), initial=lambda x: 0.3 + 0.1 * x[0] / 2.0)
        image = iio.imread(saved(em.plot.field, film["c"], tmp_path / f"{domain.dim}.png"))
        assert image[:, :, :3].std() > 5


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda c, p: em.plot.field(c, p / "c.jpg"), "jpg', must end in .png or .pdf or .svg"),
        (lambda c, p: em.plot.film_strip([], p / "c.png"), "0 fields, must be at least one"),
        (lambda c, p: em.plot.film_strip([c], p / "c.png", titles=["a", "b"]), "titles: 2, must be as many as the 1"),
        (lambda c, p: em.plot.animation([c], p / "c.avi"), "avi', must end in .mp4 or .gif"),
        (lambda c, p: em.plot.animation([c], p / "c.gif", frames_per_second=0), "frames_per_second = 0"),
        (
            lambda c, p: em.plot.field(em.fields.discontinuous(_gradient(c), c.function_space.mesh, 1), p / "c.png"),
            "sc",
        ),
    ],
)
def test_bad_input_is_named(film: em.Model, tmp_path: Path, draw: object, told: str) -> None:
    assert callable(draw)
    with pytest.raises(em.ParameterError, match=told):
        draw(film["c"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def _gradient(c: fem.Function) -> fem.Function:
    return em.fields.discontinuous(ufl.grad(c), c.function_space.mesh, 1)


# ---- what all pictures have in common ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line() -> em.Model:
    """A conductor of 50 um by 20 um in metres, under 10 mV."""
    domain = em.mesh.rectangle((50 * um, 20 * um), cells=(5, 2), cell="triangle").in_metres()
    return solved(domain, {"left": em.fixed(0.01), "right": em.fixed(0.0)}, conductivity=5e7)


def stretched(domain: em.mesh.Domain, name: str = "sigma") -> fem.Function:
    """A stress from -60 to 140 MPa along x."""
    found = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)), name=name)
    long = float(domain.mesh.geometry.x[:, 0].max())
    found.interpolate(lambda x: 200 * MPa * (x[0] / long - 0.3))
    if name == "sigma":
        found.meaning = Meaning("stress, tension > 0", "Pa", signed=True, symbol="sigma")
    return found


def made(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


def bar_of(figure: Figure) -> Any:
    """The colour bar: the only axes that are one, on its own or beside others."""
    every = [*figure.axes, *(inner for axes in figure.axes for inner in axes.child_axes)]
    (found,) = [axes for axes in every if axes.get_label() == "<colorbar>"]
    return found


def said(axes: Any) -> str:
    """Label of a colour bar, on one line."""
    return (axes.get_ylabel() or axes.get_xlabel()).replace("\n", " ")


def test_a_figure_is_restyled_and_saved_again(line: em.Model, tmp_path: Path) -> None:
    figure = made(em.plot.field(line["phi"], tmp_path / "before.png"))
    figure.axes[0].set_title("another title")
    figure.savefig(tmp_path / "after.png")
    before, after = (seen(tmp_path / f"{name}.png", style.INK) for name in ("before", "after"))
    assert before.shape == after.shape
    assert after.sum() > before.sum() + 200  # the pixels of the title that are of the whole colour


@pytest.mark.parametrize(
    "draw",
    [
        lambda model: em.plot.field(model["phi"]),
        lambda model: em.plot.film_strip([model["phi"], model["phi"]]),
        lambda model: em.plot.mesh(model.domain),
        lambda model: em.plot.current(model, lines=0),
        lambda _: em.plot.dispersion(em.film.cupd(), mean=0.3),
        lambda _: em.plot.figure(lambda figure: figure.subplots()),
    ],
)
def test_without_a_path_nothing_is_written(
    line: em.Model, draw: Callable[[em.Model], Figure | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Figure, "savefig", None)
    assert isinstance(draw(line), Figure)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_ending_decides_the_format(line: em.Model, ending: str, start: bytes, tmp_path: Path) -> None:
    path = saved(em.plot.field, line["phi"], tmp_path / f"phi.{ending}")
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(("width", "wide"), [("column", 3.4), ("page", 6.9), (5, 5.0)])
def test_figures_are_as_wide_as_requested(line: em.Model, width: Any, wide: float) -> None:
    for figure in (em.plot.field(line["phi"], width=width), em.plot.current(line, width=width, lines=0)):
        assert made(figure).get_figwidth() == wide
        texts = [text for text in made(figure).findobj(Text) if isinstance(text, Text) and text.get_text()]
        assert min(float(text.get_fontsize()) for text in texts) >= 6.5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"width": "wide"}, "width = 'wide', must be 'column', 'page' or a number of inches"),
        ({"width": 0.2}, "width = 0.2 inches, must be at least 1 inches"),
        ({"width": 100}, "width = 100 inches, must be at most 40 inches"),
        ({"length": 0.0}, "length = 0, must be greater than 0"),
        ({"unit": 1}, "unit = 1, must be a text"),
        ({"scale": -1.0}, "scale = -1, must be greater than 0"),
        ({"colours": "rainbows"}, "colours = 'rainbows', must be a colour map of Matplotlib"),
    ],
)
def test_bad_looks_are_named(line: em.Model, options: dict[str, Any], told: str) -> None:
    with pytest.raises(em.ParameterError, match=told):
        em.plot.field(line["phi"], **options)


def test_axes_and_bars_state_quantity_and_unit(line: em.Model) -> None:
    """Ends of scales: 10 mV; |j| = 5e7 S/m 0.01 V/50 um = 1e10 A/m2."""
    figure = made(em.plot.field(line["phi"]))
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("x [µm]", "y [µm]")
    assert figure.axes[0].get_xlim() == pytest.approx((0.0, 50.0))
    assert said(bar_of(figure)) == "potential [mV]"
    assert bar_of(figure).get_ylim() == pytest.approx((0.0, 10.0))
    figure = made(em.plot.current(line, lines=0))
    assert figure.axes[0].get_xlabel() == "x [µm]"
    assert said(bar_of(figure)) == "current density |j| [10¹⁰ A/m²]"
    assert bar_of(figure).get_ylim() == pytest.approx((0.0, 1.0))
    figure = made(em.plot.mesh(line.domain))
    assert figure.axes[0].get_xlabel() == "x [µm]"
    assert "diameter 14.1 µm" in figure.get_suptitle()


def test_a_curve_states_quantity_and_unit() -> None:
    figure = made(em.plot.field(stretched(em.mesh.interval(50 * um, cells=4))))
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x [µm]", "stress, tension > 0 [MPa]")
    x, y = np.asarray(axes.lines[0].get_xydata()).T
    assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((0.0, 50.0, -60.0, 140.0))


def test_a_film_has_a_scale_and_no_unit(film: em.Model) -> None:
    figure = made(em.plot.field(film["c"]))
    assert figure.axes[0].get_xlabel() == "x [h]"
    assert said(bar_of(figure)) == "concentration c"
    assert made(em.plot.field(film["c"], unit="x0")).axes[0].get_xlabel() == "x [x0]"


@pytest.mark.parametrize("long", [50 * um, 50.0])
def test_the_size_of_a_domain_has_no_unit(long: float) -> None:
    """A model of bare numbers on a domain of which nobody told the unit: no unit, however small it is."""
    domain = em.mesh.rectangle((long, 0.4 * long), cells=(5, 2), cell="triangle")
    model = solved(domain, {"left": em.fixed(0.01), "right": em.fixed(0.0)})
    figure = made(em.plot.current(model, lines=3))
    assert (figure.axes[0].get_xlabel(), said(bar_of(figure))) == ("x", "current density |j|")
    assert re.search(r"carries a current of [^ ]+$", figure.get_suptitle())
    assert made(em.plot.field(em.fields.discontinuous(model["phi"], domain.mesh, 1))).axes[0].get_xlabel() == "x"
    assert made(em.plot.mesh(domain)).axes[0].get_xlabel() == "x"


def test_lines_carry_their_share_of_the_plate() -> None:
    """50 um by 20 um by 100 nm of 5e7 S/m under 10 mV: 1e10 A/m2, 20 mA, 2 mA a line; 20 kA/m without thickness."""
    on = {"left": em.fixed(0.01), "right": em.fixed(0.0)}
    plane = em.mesh.rectangle((50 * um, 20 * um), cells=(5, 2), cell="triangle")
    found = []
    for domain in (plane.with_thickness(100 * em.units.nm), plane.in_metres()):
        figure = made(em.plot.current(solved(domain, on, conductivity=5e7), lines=10))
        found.append((figure.get_suptitle(), figure.legends[0].get_texts()[0].get_text()))
    assert found == [
        ("each line carries a current of 2 mA", "left, voltage 10 mV, current 20 mA in"),
        ("each line carries a current of 20 kA/m", "left, voltage 10 mV, current 200 kA/m in"),
    ]


def test_units_are_those_requested(line: em.Model) -> None:
    figure = made(
        em.plot.field(line["phi"], length=em.units.nm, label="voltage [V]", scale=1.0, limits=(0.0, 0.02), title="t")
    )
    assert figure.axes[0].get_xlabel() == "x [nm]"
    assert figure.axes[0].get_xlim() == pytest.approx((0.0, 5e4))
    assert said(bar_of(figure)) == "voltage [V]"
    assert bar_of(figure).get_ylim() == pytest.approx((0.0, 0.02))
    figure = made(em.plot.field(line["phi"], length=2 * um, unit="2 µm", limits=(0.0, 0.02)))
    assert figure.axes[0].get_xlabel() == "x [2 µm]"
    assert figure.axes[0].get_xlim() == pytest.approx((0.0, 25.0))
    assert bar_of(figure).get_ylim() == pytest.approx((0.0, 20.0))  # limits in V, told in mV


def test_stress_has_signs_in_colour(line: em.Model) -> None:
    """Symmetric about 0 by itself, unless its limits or another map are asked for."""
    stress = stretched(line.domain)
    assert bar_of(made(em.plot.field(stress))).get_ylim() == pytest.approx((-140.0, 140.0))
    assert bar_of(made(em.plot.field(stress, limits=(0.0, 1e8)))).get_ylim() == pytest.approx((0.0, 100.0))
    assert bar_of(made(em.plot.field(stress, colours="viridis"))).get_ylim() == pytest.approx((-60.0, 140.0))
    other = stretched(line.domain, "other")
    assert bar_of(made(em.plot.field(other))).get_ylim() == pytest.approx((-60e6, 140e6))
    assert bar_of(made(em.plot.field(other, colours=style.SIGNED, scale=MPa))).get_ylim() == pytest.approx((-140, 140))


def test_tension_is_red(line: em.Model, tmp_path: Path) -> None:
    image = iio.imread(saved(em.plot.field, stretched(line.domain), tmp_path / "s.png"))[:, :, :3].astype(int)
    row = image[image.shape[0] // 3]
    inked = np.flatnonzero(np.ptp(row, axis=1) > 40)
    left, right = row[inked[5]], row[inked[inked < 0.75 * len(row)][-5]]
    assert left[2] > left[0] + 40
    assert right[0] > right[2] + 40


@pytest.mark.parametrize(
    ("largest", "unit", "told"),
    [
        (5e7, "Pa", (1e6, "MPa")),
        (1e6, "Pa", (1e6, "MPa")),
        (300e-9, "m", (1e-9, "nm")),
        (0.0, "V", (1.0, "V")),
        (7.65e11, "A/m²", (1e11, "10¹¹ A/m²")),
        (300.0, "K", (1.0, "K")),
        (4e-5, "W/m²", (1e-5, "10⁻⁵ W/m²")),
        (1e9, "", (1.0, "")),
    ],
)
def test_units_have_prefixes_or_powers(largest: float, unit: str, told: tuple[float, str]) -> None:
    scale, found = labels.prefixed(largest, unit)
    assert scale == pytest.approx(told[0], rel=1e-12, abs=0)
    assert found == told[1]


def test_lines_of_a_cut_through_the_axis_carry_no_equal_currents() -> None:
    """They share what flows in the plane, not 2 pi y times that."""
    on = {"left": em.fixed(0.01), "right": em.fixed(0.0)}
    wire = em.mesh.axisymmetric(em.mesh.rectangle((50 * um, 20 * um), cells=(5, 2), cell="triangle")).in_metres()
    figure = made(em.plot.current(solved(wire, on, conductivity=5e7), lines=4))
    assert "carries" not in figure.get_suptitle()
    assert figure.legends[0].get_texts()[0].get_text() == "left, voltage 10 mV, current 12.57 A in"  # pi 20 um^2 1e10


@pytest.mark.parametrize(
    ("t", "unit", "told"),
    [
        ([0.0, 3600.0, 36000.0], "s", ["t = 0 h", "t = 1 h", "t = 10 h"]),
        ([2e-6], "s", ["t = 2 µs"]),
        ([5 * 3.15576e7], "s", ["t = 5 years"]),
        ([0.0], "s", ["t = 0"]),
        ([300.0], "-", ["t = 300"]),
    ],
)
def test_times_have_units_in_si(t: list[float], unit: str, told: list[str]) -> None:
    assert labels.times(np.array(t), unit) == told


def test_pictures_of_a_run_state_what_its_models_know(
    film: em.Model, line: em.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(style, "written", lambda figure, _: figures.append(figure))
    for models, name in (([film], "c"), ([line], "phi"), ([line], "j"), ([line], "E")):
        assert picture(models, name, tmp_path / "p.png") == tmp_path / "p.png"
    assert [said(bar_of(figure)) for figure in figures] == [
        "concentration c",
        "potential [mV]",
        "current density |j| [10¹⁰ A/m²]",
        "electric field |E| [V/m]",
    ]
    assert [figure.axes[0].get_xlabel() for figure in figures] == ["x [h]", *3 * ["x [µm]"]]


def test_figures_of_your_own_have_the_look(tmp_path: Path) -> None:
    def draw(figure: Figure) -> None:
        figure.subplots().plot([0, 1], [0, 1], label="a line")

    figure = made(em.plot.figure(draw, tmp_path / "own.pdf", width="column", height=2.0))
    assert figure.get_size_inches() == pytest.approx([3.4, 2.0])
    assert not figure.axes[0].spines["top"].get_visible()
    assert (tmp_path / "own.pdf").stat().st_size > 1000


def test_films_of_your_own_have_the_frames_requested(tmp_path: Path) -> None:
    def draw(figure: Figure, frame: int) -> None:
        figure.subplots().bar([0], [frame + 1], color=style.INK)

    path = em.plot.movie(draw, 3, tmp_path / "own.gif", width=1.5, height=1.0)
    frames = [frame[:, :, :3].astype(float) for frame in iio.imiter(path)]
    assert [frame.shape for frame in frames] == [(200, 300, 3)] * 3


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda p: em.plot.figure(str, p / "a.jpg"), "jpg', must end in .png or .pdf or .svg"),
        (lambda p: em.plot.figure(str, p / "a.png", height=0.0), "height = 0 inches, must be greater than 0"),
        (lambda p: em.plot.movie(print, 0, p / "a.gif"), "frames = 0, must be at least 1"),
        (lambda p: em.plot.movie(print, 1, p / "a.png"), "png', must end in .mp4 or .gif"),
    ],
)
def test_bad_figures_of_your_own_are_named(draw: Callable[[Path], Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(em.ParameterError, match=told):
        draw(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_held_electrode_is_drawn_where_it_is() -> None:
    """Its nodes are one unknown, which is in no one place: cells there must not be drawn to it."""
    domain = em.mesh.rectangle((2.0, 1.0), cells=(4, 4), cell="triangle")
    model = solved(domain, {"left": em.conduction.electrode(current=1.0), "right": em.fixed(0.0)})
    grid = em.plot.grid(model["phi"])
    assert grid is not None
    assert grid.compute_cell_sizes()["Area"] == pytest.approx(np.full(32, 2.0 / 32))


def parallel_case() -> dict[str, Any]:
    """Result of each picture on each rank, and the message on all ranks about a bad one."""
    domain = em.mesh.rectangle((50 * um, 20 * um), cells=(5, 2), cell="triangle").in_metres()
    model = solved(domain, {"left": em.fixed(0.01), "right": em.fixed(0.0)}, conductivity=5e7)
    figures = {
        "field": em.plot.field(model["phi"]),
        "strip": em.plot.film_strip([model["phi"]] * 2),
        "mesh": em.plot.mesh(domain),
        "current": em.plot.current(model, lines=3),
        "network": em.plot.network(em.mesh.network([(0, 0), (um, 0)], [(0, 1)], width=um, thickness=um)),
        "dispersion": em.plot.dispersion(em.film.cupd(), mean=0.3),
        "surface": em.plot.surface(metal()),
        "custom": em.plot.figure(lambda figure: figure.subplots()),
    }
    comm = MPI.COMM_WORLD
    kinds = {name: comm.gather(type(figure).__name__) for name, figure in figures.items()}
    try:
        em.plot.figure(lambda _: float("no number"))
        trouble = ""
    except em.EmfemError as error:
        trouble = str(error)
    wide = figures["field"].axes[0].get_xlim()[1] if figures["field"] else 0.0
    return {"kinds": kinds, "troubles": comm.gather(trouble), "wide": float(wide)}


@pytest.mark.soak
@pytest.mark.parallel
def test_only_rank_0_has_the_figures(run_json_on_ranks: Callable[..., Any]) -> None:
    found = run_json_on_ranks(2, __file__)
    assert list(found["kinds"].values()) == [["Figure", "NoneType"]] * 8
    assert found["wide"] == pytest.approx(50.0)
    assert len(found["troubles"]) == 2
    assert found["troubles"][0] == found["troubles"][1] != ""


# ---- meshes and currents ----------------------------------------------------------------------------------------

HALF: Any = 0.5  # of a line


def ribbon(cell: str = "quadrilateral", ends: tuple[float, float] = (1.0, 0.0), **options: Any) -> em.Model:
    """A solved rectangle 3 x 1 between electrodes at its left and right ends."""
    domain = em.mesh.rectangle((3.0, 1.0), cells=(6, 3), cell=cell)
    return solved(domain, {"left": em.fixed(ends[0]), "right": em.fixed(ends[1])}, **options)


def solved(domain: em.mesh.Domain, on: dict[str, Any], **options: Any) -> em.Model:
    model = em.conduction.model(domain, on=on, **options)
    em.solve_steady([model])
    return model


def traced(model: em.Model, count: int = 9) -> list[Any]:
    """Stream lines from the first boundary of a model to its second."""
    found = simplex_mesh(model.domain, 2, j=model["j"])
    assert found is not None
    walk = walker(found, "j", [1, 2])
    entering = inflow(walk, 1)
    seeds = shares(walk.at(entering.simplices, entering.weights), entering.rates, count)
    return stream(walk, entering.simplices[seeds], entering.weights[seeds])


def tent() -> em.mesh.Domain:
    """A shell: two squares that lean on each other, held at both feet."""
    nodes = np.array([(x, y, 1.0 - abs(x)) for x in (-1.0, 0.0, 1.0) for y in (0.0, 1.0)])
    cells = np.array([(0, 2, 1), (1, 2, 3), (2, 4, 3), (3, 4, 5)])
    feet = {"low": np.array([(0, 1)]), "high": np.array([(4, 5)])}
    return distribute("tent", RawMesh(nodes, cells, "triangle", feet), MPI.COMM_WORLD)


def seen(path: Path, colour: str) -> Any:
    """Mask of the pixels of a colour, with the tolerance that smooth edges need, shape (height, width)."""
    image = iio.imread(path)[:, :, :3] / 255.0
    return np.abs(image - np.array(to_rgb(colour))).max(axis=2) < 0.04


@pytest.mark.parametrize(
    ("domain", "size", "end"),
    [
        (em.mesh.interval(3.0, cells=3), 3.0, 1.0),
        (em.mesh.rectangle((3.0, 2.0), cells=(3, 2), cell="triangle"), 6.0, 2.0),
        (em.mesh.rectangle((3.0, 2.0), cells=(3, 2)), 6.0, 2.0),
        (em.mesh.box((3.0, 2.0, 1.0), cells=(3, 2, 1), cell="tetrahedron"), 6.0, 2.0),
        (em.mesh.box((3.0, 2.0, 1.0), cells=(3, 2, 1)), 6.0, 2.0),
    ],
)
def test_pieces_fill_the_domain_and_fit(domain: em.mesh.Domain, size: float, end: float) -> None:
    found = simplex_mesh(domain, 2)
    assert found is not None
    edges = found.points[found.simplices][:, 1:] - found.points[found.simplices][:, :1]
    volumes = np.sqrt(np.linalg.det(edges @ edges.transpose(0, 2, 1))) / math.factorial(found.dim)
    assert volumes.sum() == pytest.approx(size)
    facets, tags = found.skin
    assert (tags > 0).all()  # every outer facet of a block has a name, so nothing inside was left unpaired
    sides = found.points[facets[tags == 1]]
    assert sides[..., 0] == pytest.approx(0.0)
    if found.dim > 1:
        edges = sides[:, 1:] - sides[:, :1]
        areas = np.sqrt(np.linalg.det(edges @ edges.transpose(0, 2, 1))) / math.factorial(found.dim - 1)
        assert areas.sum() == pytest.approx(end)


def test_a_curved_cell_is_cut_along_its_curve() -> None:
    """The area of a quarter of a disk: straight sides would lack 10 %."""
    half = np.sqrt(0.5)
    nodes = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (half, half), (0.0, 0.5), (0.5, 0.0)])
    quarter = distribute("quarter", RawMesh(nodes, np.arange(6)[None], "triangle", degree=2), MPI.COMM_SELF)
    found = simplex_mesh(quarter, 20)
    assert found is not None
    edges = found.points[found.simplices][:, 1:, :2] - found.points[found.simplices][:, :1, :2]
    assert np.abs(np.linalg.det(edges)).sum() / 2 == pytest.approx(np.pi / 4, rel=0.02)  # a parabola is not a circle


def test_a_seam_is_no_end() -> None:
    found = simplex_mesh(em.mesh.periodic_rectangle((4.0, 2.0), cells=(4, 3), axes="x"))
    assert found is not None
    assert len(found.edge) == 14
    assert found.edge.sum() == 8


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shares_of_a_straight_electrode_are_evenly_spaced(count: int) -> None:
    places = np.zeros((1000, 3))
    places[:, 1] = (np.arange(1000) + 0.5) / 1000
    found = np.sort(places[shares(places, np.ones(1000), count), 1])
    assert found == pytest.approx((np.arange(count) + 0.5) / count, abs=2e-3)  # two of the 1000 places


def test_shares_follow_the_current() -> None:
    """Half of a current that grows as x goes in beyond sqrt(1/2)."""
    places = np.zeros((1000, 3))
    places[:, 0] = (np.arange(1000) + 0.5) / 1000
    found = places[shares(places, places[:, 0], 10), 0]
    assert np.count_nonzero(found > np.sqrt(0.5)) == 5


def test_inflow_is_the_current() -> None:
    for model in (ribbon("triangle"), ribbon()):
        found = simplex_mesh(model.domain, 2, j=model["j"])
        assert found is not None
        walk = walker(found, "j", [])
        totals = [inflow(walk, tag).rates.sum() for tag in (1, 2, 3)]
        assert totals == pytest.approx([1 / 3, -1 / 3, 0.0], abs=1e-10)


def test_lines_in_a_body_are_straight_and_go_through() -> None:
    domain = em.mesh.box((2.0, 1.0, 1.0), cells=(4, 2, 2))
    lines = traced(solved(domain, {"left": em.fixed(1.0), "right": em.fixed(0.0)}), 4)
    assert len(lines) == 4
    ends = np.array([line[[0, -1]] for line in lines])
    assert ends[:, :, 0] == pytest.approx(np.tile([0.0, 2.0], (4, 1)))
    assert ends[:, 1, 1:] == pytest.approx(ends[:, 0, 1:], abs=1e-9)


def test_lines_go_round_a_notch_and_reach_the_cathode() -> None:
    strip = em.mesh.notched_strip(length=8.0, width=4.0, notch_depth=2.0, notch_width=1.0, size=0.5)
    lines = traced(solved(strip, {"anode": em.fixed(1.0), "cathode": em.fixed(0.0)}), 40)
    for line in lines:
        x, y, _ = line.T
        assert x[-1] == pytest.approx(8.0)
        assert (((x - 4.0) / 0.5) ** 2 + ((y - 4.0) / 2.0) ** 2).min() > 0.9  # the notch is a polygon in the ellipse
        assert np.abs(y - 2.0).max() <= 2.0 + 1e-9


def test_lines_go_along_a_wall() -> None:
    """A flow that blows down on the bottom leaves at the right end; what hits the bottom, by its corner."""
    domain = em.mesh.rectangle((3.0, 1.0), cells=(6, 4), cell="triangle")
    found = simplex_mesh(domain, 2, j=fem.Constant(domain.mesh, (1.0, -0.1)))
    assert found is not None
    walk = walker(found, "j", [1, 2])
    entering = inflow(walk, 1)
    seeds = shares(walk.at(entering.simplices, entering.weights), entering.rates, 10)
    ends = np.array([line[-1] for line in stream(walk, entering.simplices[seeds], entering.weights[seeds])])
    assert ends[:, 0] == pytest.approx(3.0)
    heights = (np.arange(10) + 0.5) / 10
    assert np.sort(ends[:, 1]) == pytest.approx(np.maximum(heights - 0.3, 0.0), abs=2e-3)  # as the seeds


def test_lines_cross_a_seam_and_are_broken_there() -> None:
    """An anisotropic conductor bends the current by 45 degrees: a line rises by the length of the strip."""
    domain = em.mesh.periodic_rectangle((3.0, 1.0), cells=(6, 4), axes="y")
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    for line in traced(solved(domain, on, conductivity=[[1.0, 1.0], [1.0, 2.0]]), 3):
        breaks = np.flatnonzero(np.isnan(line[:, 0]))
        assert len(breaks) == 3
        assert line[breaks - 1, 0] == pytest.approx(line[breaks + 1, 0])
        assert line[breaks - 1, 1] - line[breaks + 1, 1] == pytest.approx(1.0)
        assert line[-1, 1] + 3.0 - line[0, 1] == pytest.approx(3.0, abs=1e-6)
        assert np.nanmax(line[:, 1]) < 1.2


def test_lines_stay_on_a_shell() -> None:
    for x, _, z in np.concatenate(traced(solved(tent(), {"low": em.fixed(1.0), "high": em.fixed(0.0)}))):
        assert z == pytest.approx(1.0 - abs(x), abs=1e-9)


def test_mesh_shows_its_boundaries(tmp_path: Path) -> None:
    path = saved(em.plot.mesh, em.mesh.rectangle((3.0, 1.0), cells=(6, 3)), tmp_path / "m.png")
    left, right, bottom, top = (seen(path, colour).nonzero() for colour in style.NAMED[:4])
    middle = iio.imread(path).shape[1] / 2
    for near, far in ((left, right), (top, bottom)):
        assert len(near[0]) > 200
        assert len(far[0]) > 200
    in_map = right[1] > middle
    assert left[1].min() < 0.2 * 2 * middle
    assert np.count_nonzero(in_map) > 200
    assert top[0].min() < bottom[0].min()


def test_bad_cells_are_redder(tmp_path: Path) -> None:
    redness = []
    for height in (3.0, 1.0):  # cells as long as high, then three times as long; no boundary has a colour
        domain = em.mesh.periodic_rectangle((3.0, height), cells=(3, 3), cell="triangle")
        image = iio.imread(saved(em.plot.mesh, domain, tmp_path / "m.png"))[:, :, :3].astype(float)
        redness.append((image[:, :, 0] - image[:, :, 1])[: image.shape[0] // 2].max())
    assert redness[1] > 2 * redness[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: em.mesh.interval(2.0, cells=4),
        lambda: em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 3)),
        lambda: em.mesh.box((1.0, 1.0, 2.0), cells=(2, 2, 2)),
        tent,
    ],
)
def test_every_mesh_is_drawn(make: Callable[[], em.mesh.Domain], tmp_path: Path) -> None:
    domain = make()
    path = saved(em.plot.mesh, domain, tmp_path / "m.png", title="a mesh")
    for i in range(len(domain.names)):
        assert seen(path, style.named_colour(i)).any()
    assert iio.imread(path)[:, :, :3].std() > 5


def test_current_has_the_lines_requested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of pixels between two equipotentials crosses each line once, evenly spaced."""
    monkeypatch.setattr(style, "DPI", 300)
    for lines in (5, 12):
        path = saved(em.plot.current, ribbon(), tmp_path / "c.png", lines=lines)
        anode, cathode = (seen(path, colour) for colour in style.NAMED[:2])
        anode[-140:] = cathode[-140:] = False  # the legend
        at = [np.median(where.nonzero()[1]) for where in (anode, cathode)]
        rows = np.flatnonzero(anode.any(axis=1))
        red = iio.imread(path)[rows[0] + 8 : rows[-1] - 7, round(at[0] + 0.55 * (at[1] - at[0])), 0]
        starts = np.flatnonzero((red[1:] < 120) & (red[:-1] >= 120))  # lines have no red, the scale of |j| has
        assert len(starts) == lines
        assert np.ptp(np.diff(starts)) <= 2  # pixels


@pytest.mark.parametrize(("lines", "arrows"), [(4, 4), (20, 7), (50, 8)])
def test_few_lines_of_many_have_arrows(lines: int, arrows: int) -> None:
    """An arrow on each of many lines, all as far on their way, would be a heap."""
    assert len(made(em.plot.current(ribbon(), lines=lines)).axes[0].lines) == arrows


def test_current_recognises_electrodes_by_their_quantities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels: list[str] = []
    monkeypatch.setattr(style, "legend", lambda _, handles: labels.extend(h.get_label() for h in handles))
    model = ribbon()
    constants = {"voltage top": 0.25, "voltage left": 1.0, "voltage bottom": -9.519e-6, "current left": -1 / 3}
    for name, value in constants.items():
        model.quantities[name] = em.model.Quantity(partial(float, value))
    em.plot.current(model, tmp_path / "c.png")
    assert labels[0] == "left, voltage 1, current 0.3333 in"
    assert labels[1].startswith("right, voltage 0")
    texts = dict(text.split(", ", 1) for text in labels)
    assert texts["top"].startswith("voltage 0.25")
    assert texts["bottom"].startswith("voltage -9.519·10⁻⁶")  # small, and real
    assert Terminal("probe", 2.5e-6, None, "V").text(AxisLabel("", 1.0, "V"), "A") == "probe, voltage 2.5 µV"


def test_a_probe_at_less_than_the_error_of_the_mesh_is_at_zero() -> None:
    """A probe in the plane of symmetry is at 0, but for cells that have none; where cells make no error it is shown."""
    disk = em.mesh.disk(20.0, electrodes=4, width=np.pi / 4, size=1.3)
    probe, first, ground, second = disk.names[:4]
    currents = {probe: 0.0, first: 1.0, second: -1.0}
    drives = {name: em.conduction.electrode(current=value) for name, value in currents.items()}
    model = solved(disk, drives | {ground: em.fixed(0.0)})
    voltages = [em.conduction.voltage(model, name) for name in (probe, first)]
    assert 1e-9 < abs(voltages[0]) < 5e-5 * voltages[1]
    assert _terminals(model)[probe].voltage == 0.0
    drain = em.conduction.electrode(current=-(1 - 2e-5) / 3)
    line = solved(em.mesh.rectangle((3.0, 1.0), cells=(6, 3)), {"left": em.fixed(1.0), "right": drain})
    assert _terminals(line)["right"].voltage == pytest.approx(2e-5, rel=1e-6)


def test_current_let_in_has_lines_and_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels: list[str] = []
    monkeypatch.setattr(style, "legend", lambda _, handles: labels.extend(h.get_label() for h in handles))
    domain = em.mesh.rectangle((3.0, 1.0), cells=(6, 3))
    em.plot.current(solved(domain, {"left": em.flux(0.5), "right": em.fixed(0.0)}), tmp_path / "c.png")
    assert labels[0] == "left, current 0.5 in"
    assert len(labels) == 2


def test_no_current_is_drawn_without_lines(tmp_path: Path) -> None:
    """Equal voltages leave round-off for a current: it has no lines."""
    still = saved(em.plot.current, ribbon(ends=(0.7, 0.7)), tmp_path / "still.png")
    bare = saved(em.plot.current, ribbon(ends=(0.7, 0.7)), tmp_path / "bare.png", lines=0)
    assert np.array_equal(iio.imread(still), iio.imread(bare))


@pytest.mark.parametrize("noise", [0.0, 1e-108])
@pytest.mark.parametrize("dim", [1, 2])
def test_no_current_is_reported(dim: int, noise: float) -> None:
    """Noise where nothing drives a current is no picture of one: the title says so, and the scale is 0 to 1."""
    domain = em.mesh.interval(2.0, cells=4) if dim == 1 else em.mesh.rectangle((3.0, 1.0), cells=(6, 3))
    model = solved(domain.in_metres(), {"left": em.fixed(0.0), "right": em.fixed(0.0)})
    model["phi"].x.array[:] = noise * np.sin(np.arange(len(model["phi"].x.array)))
    figure = made(em.plot.current(model, title="rest"))
    assert figure.get_suptitle() == "rest\nno current flows"
    texts = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
    assert not [text for text in texts if "10⁻" in text]
    assert [text for text in texts if "[A/m²]" in text]
    assert figure.legends[0].get_texts()[0].get_text() == "left, voltage 0 V, no current"
    drawn = figure.axes[1].lines[0].get_ydata() if dim == 1 else figure.axes[0].collections[0].get_array()
    assert not np.any(np.asarray(drawn))


def test_current_is_coloured_by_another_field(tmp_path: Path) -> None:
    """The field rises from the left, dark in viridis, to the right, bright; it may live on another mesh."""
    other = em.mesh.rectangle((3.0, 1.0), cells=(5, 2), cell="triangle")
    rising = fem.Function(fem.functionspace(other.mesh, ("Lagrange", 1)), name="rising")
    rising.interpolate(lambda x: x[0])
    image = iio.imread(saved(em.plot.current, ribbon(), tmp_path / "c.png", over=rising, lines=3))[:, :, :3]
    row = image[image.shape[0] // 3].astype(float)
    green = row[np.ptp(row, axis=1) > 60, 1]
    assert green[20:60].mean() < 60
    assert green[-120:-80].mean() > 150


@pytest.mark.parametrize(
    "make",
    [
        lambda: (em.mesh.interval(2.0, cells=4), ("left", "right"), False),
        lambda: (em.mesh.interval(2.0, cells=4), ("left", "right"), True),
        lambda: (em.mesh.box((1.0, 1.0, 2.0), cells=(2, 2, 2), cell="tetrahedron"), ("left", "top"), False),
        lambda: (em.mesh.periodic_box((1.0, 1.0, 2.0), cells=(3, 3, 3), axes="xy"), ("bottom", "top"), True),
        lambda: (tent(), ("low", "high"), False),
    ],
)
def test_currents_on_every_mesh_are_drawn(make: Callable[[], Any], tmp_path: Path) -> None:
    domain, (high, low), over = make()
    model = solved(domain, {high: em.fixed(1.0), low: em.fixed(0.0)})
    field = model["phi"] if over else None
    path = saved(em.plot.current, model, tmp_path / "c.png", over=field, title="a current", lines=4)
    assert iio.imread(path)[:, :, :3].std() > 5
    assert seen(path, style.named_colour(domain.names.index(high))).any()


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda m, p: em.plot.mesh(m.domain, p / "m.jpg"), "jpg', must end in .png"),
        (lambda m, p: em.plot.mesh(m, p / "m.png"), "must be one of em.mesh"),
        (lambda m, p: em.plot.current(m, p / "m.jpg"), "jpg', must end in .png"),
        (lambda m, p: em.plot.current(m.domain, p / "m.png"), "must be a model of emfem"),
        (lambda m, p: em.plot.current(m, p / "m.png", lines=-1), "lines = -1, must be at least 0"),
        (lambda m, p: em.plot.current(m, p / "m.png", lines=HALF), "lines = 0.5, must be a whole number"),
        (lambda m, p: em.plot.current(m, p / "m.png", over="c"), "over = 'c', must be a Function"),
        (
            lambda m, p: em.plot.current(m, p / "m.png", over=em.fields.discontinuous(m["E"], m.mesh, 1)),
            "must be a scalar",
        ),
    ],
)
def test_bad_input_of_meshes_and_currents_is_named(tmp_path: Path, draw: Callable[..., Any], told: str) -> None:
    with pytest.raises(em.ParameterError, match=told):
        draw(ribbon(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_film_has_no_current(film: em.Model, tmp_path: Path) -> None:
    with pytest.raises(em.ParameterError, match=r"the film model has c, mu.* must have phi and j"):
        em.plot.current(film, tmp_path / "c.png")


def test_borders_lie_between_regions_and_are_drawn(tmp_path: Path) -> None:
    domain = em.mesh.polycrystal((2.0, 2.0), 3, size=0.4, seed=1)
    found = simplex_mesh(domain)
    assert found is not None
    ends = found.points[found.borders]
    inside = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum()
    around = sum(
        em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * domain.ds(name)), MPI.COMM_WORLD)
        for name in domain.names
    )
    assert around == pytest.approx(8.0)
    assert 2.0 < inside < 6.0  # three grains meet: about as long as the edge of a side or two
    middles = ends.mean(axis=1)
    assert ((middles[:, :2] > 1e-9) & (middles[:, :2] < 2 - 1e-9)).all()
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)), name="c")
    plain, outlined = (
        iio.imread(saved(em.plot.field, c, tmp_path / f"{name}.png", limits=(0, 1), regions=regions))[:, :, :3].astype(
            int
        )
        for name, regions in (("plain", None), ("outlined", domain))
    )
    white = (np.abs(plain - outlined).max(axis=2) > 100) & (outlined.min(axis=2) > 200)
    assert white.sum() > 500
    with pytest.raises(em.ParameterError, match=r"regions = 'grains', must be one of em\.mesh"):
        em.plot.field(c, tmp_path / "c.png", regions="grains")  # type: ignore[arg-type]


def test_lines_of_a_mean_field_go_from_seam_to_seam() -> None:
    """In a periodic cell without electrodes the seam is where they begin and end; each carries an equal share."""
    cell = em.mesh.periodic_cell((4.0, 3.0), holes=[(2.0, 1.5, 0.7)], size=0.4)
    model = em.conduction.model(cell, mean_field=(1.0, 0.0))
    em.solve_steady(model)
    found = simplex_mesh(cell, 2, j=model["j"], phi=model["potential"])
    assert found is not None
    opened = found.opened(9)
    walk = walker(opened, "j", [9])
    entered = inflow(walk, 9)
    came = entered.rates.clip(min=0.0)
    # what enters over one side, 3 wide, at the mean current density; j is sampled on cells of half a radius
    assert came.sum() == pytest.approx(3.0 * em.conduction.mean_current(model)[0], rel=0.02)
    chosen = shares(walk.at(entered.simplices, entered.weights), came, 7)
    for line in stream(walk, entered.simplices[chosen], entered.weights[chosen]):
        assert line[0, 0] == pytest.approx(0.0, abs=1e-9)
        assert line[-1, 0] == pytest.approx(4.0, abs=1e-6)
        assert (np.hypot(line[:, 0] - 2.0, line[:, 1] - 1.5) > 0.6).all()


# ---- metal with a surface

RADIUS = 20e-9


def metal(dim: int = 2) -> em.Model:
    """A void in a square of gold of 5 radii, or a ball of gold in a box of 3."""
    gold, width = em.materials.gold(temperature=900.0), 0.2 * RADIUS
    if dim == 2:
        domain = em.mesh.periodic_rectangle((5 * RADIUS,) * 2, cells=(30, 30), axes="x")
        void = em.surface.void((2.5 * RADIUS,) * 2, RADIUS)
        return em.surface.model(domain, gold, shape=void, interface_width=width, current_density=1e12)
    domain = em.mesh.box((3 * RADIUS,) * 3, cells=(15, 15, 15))
    return em.surface.model(
        domain,
        gold,
        shape=lambda x: RADIUS - np.linalg.norm(x - 1.5 * RADIUS, axis=0),
        interface_width=width,
    )


def area(axes: Any) -> float:
    """Area of the triangles that have colours."""
    triangles = axes.collections[0]._triangulation
    corners = np.stack([triangles.x, triangles.y], axis=1)[triangles.triangles]
    edges = corners[:, 1:] - corners[:, :1]
    return float(np.abs(np.linalg.det(edges)).sum() / 2)


def test_metal_ends_at_its_surface() -> None:
    """The square less the void, and its circle, to 1 % with nodes R/6 apart."""
    figure = made(em.plot.surface(metal()))
    (axes,) = figure.axes  # one colour needs no bar
    assert axes.get_xlabel() == "x [nm]"
    assert area(axes) == pytest.approx(100.0**2 - np.pi * 20.0**2, rel=0.005)
    circle = np.concatenate(axes.collections[1].get_segments())  # type: ignore[attr-defined]
    assert np.hypot(*(circle - 50.0).T) == pytest.approx(20.0, rel=0.01)


def test_metal_has_the_colours_of_a_field() -> None:
    """Named, or as a Function: the same; of the phase only what is above 1/2; a vector by its component."""
    model = metal()
    figures = [made(em.plot.surface(model, over=over)) for over in ("c", model["c"])]
    assert [said(bar_of(figure)) for figure in figures] == ["c: metal 1, void 0"] * 2
    values = np.asarray(figures[0].axes[0].collections[0].get_array())
    assert values.min() == pytest.approx(0.5, abs=1e-6)
    assert said(bar_of(made(em.plot.surface(model, over="distance")))) == "distance from the surface [nm]"
    assert "current density x" in said(bar_of(made(em.plot.surface(model, over="j", component="x"))))


def test_states_of_metal_stand_side_by_side(tmp_path: Path) -> None:
    c = metal()["c"]
    figure = made(em.plot.surface([c, c], tmp_path / "two.png", titles=["a", "b"], width="page"))
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert (tmp_path / "two.png").stat().st_size > 5000


def test_metal_in_space_is_a_closed_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ball's volume to 4 %: its surface is cut from cells of R/5."""
    drawn: list[Any] = []
    add = rendering.add_field

    def noted(plotter: Any, data: Any, *rest: Any) -> None:
        drawn.append(data)
        add(plotter, data, *rest)

    monkeypatch.setattr(rendering, "add_field", noted)
    figure = made(em.plot.surface(metal(3)))
    assert drawn[0].volume == pytest.approx(4 / 3 * np.pi * 20.0**3, rel=0.04)
    assert np.ptp(np.asarray(figure.axes[0].images[0].get_array()), axis=(0, 1)).max() > 100


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda m, f: em.plot.surface(f), r"the film model has c, mu.*, must have c and distance, as surface has"),
        (lambda m, f: em.plot.surface([m["c"]], over="c"), "over with snapshots, must come with a model"),
        (lambda m, f: em.plot.surface([m["c"]], titles=["a", "b"]), "titles: 2, must be as many as the 1"),
        (lambda m, f: em.plot.surface(m, titles=["a", "b"]), "titles: 2, must be as many as the 1"),
        (lambda m, f: em.plot.surface(m, over="phase"), "'phase'; the surface model has c, mu"),
        (lambda m, f: em.plot.surface(m, over="j"), "must be a scalar or come with component"),
        (lambda m, f: em.plot.surface(m, columns=0), "columns = 0, must be at least 1"),
        (lambda m, f: em.plot.surface([f["c"]]), r"c up to 0\.4.* must be above 0.5 somewhere in a plane or a body"),
        (lambda m, f: em.plot.surface([]), "0 fields, must be at least one"),
    ],
)
def test_what_has_no_surface_is_refused(film: em.Model, draw: Callable[..., Any], message: str) -> None:
    with pytest.raises(em.EmfemError, match=message):
        draw(metal(), film)


# ---- networks


@pytest.fixture(scope="module")
def star() -> em.mesh.Domain:
    """Three wires that meet."""
    um = em.units.um
    return em.mesh.network(
        [(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
        [(0, 1), (1, 2), (1, 3)],
        width=[0.2 * um, 0.1 * um, 0.1 * um],
        thickness=0.1 * um,
    )


def colours_of(path: Path) -> int:
    """Number of different colours of a picture, coarsely."""
    image = iio.imread(path)[:, :, :3] // 32
    return len(np.unique(image.reshape(-1, 3), axis=0))


def test_a_network_is_drawn_by_the_values_of_its_wires(star: em.mesh.Domain, tmp_path: Path):
    plain = saved(em.plot.network, star, tmp_path / "plain.png")
    valued = saved(
        em.plot.network, star, tmp_path / "valued.png", values=[1.0, 2.0, 3.0], label="j", marks={"void": [2]}
    )
    assert colours_of(valued) > colours_of(plain) > 1


def test_a_network_is_drawn_by_the_values_along_its_wires(star: em.mesh.Domain, tmp_path: Path):
    """Each wire in equal pieces from its start to its end, drawn by value, as thick as the whole wire."""
    net = star.wires()
    values = np.arange(2.0 * len(net.segments)).reshape(-1, 2)
    figure, whole = em.plot.network(star, values=values), em.plot.network(star, values=values[:, 0])
    assert figure is not None
    assert whole is not None
    wires, plain = (each.axes[0].collections[0] for each in (figure, whole))
    assert isinstance(wires, LineCollection)
    assert np.asarray(wires.get_array()).tolist() == values.ravel().tolist()
    middle = net.nodes[net.segments].mean(axis=1) / um
    for i, (first, second) in enumerate(zip(wires.get_segments()[::2], wires.get_segments()[1::2], strict=True)):
        assert first[1] == pytest.approx(middle[i])
        assert second[0] == pytest.approx(middle[i])
        assert second[1] == pytest.approx(net.nodes[net.segments[i, 1]] / um)
    assert set(np.unique(wires.get_linewidth())) == set(np.unique(plain.get_linewidth()))
    with pytest.raises(
        em.ParameterError, match=r"values of shape .* must be finite, one a segment or one a piece of it"
    ):
        em.plot.network(star, values=np.zeros((1, 2)))


def test_a_field_on_a_network_is_drawn(star: em.mesh.Domain, tmp_path: Path):
    for degree in (1, 2):
        field = fem.Function(fem.functionspace(star.mesh, ("Lagrange", degree)), name="sigma")
        field.interpolate(lambda x: x[0])
        assert colours_of(saved(em.plot.field, field, tmp_path / f"field{degree}.png")) > 10
        assert colours_of(saved(em.plot.network, star, tmp_path / f"network{degree}.png", values=field)) > 10


def test_the_mesh_of_a_network_is_drawn(star: em.mesh.Domain, tmp_path: Path):
    assert colours_of(saved(em.plot.mesh, star, tmp_path / "mesh.png")) > 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"values": [1.0, 2.0]}, "values of shape"),
        ({"marks": {"void": [4]}}, "node 4, must be below 4"),
    ],
)
def test_what_a_network_has_not_is_refused(star: em.mesh.Domain, tmp_path: Path, given: dict[str, Any], told: str):
    with pytest.raises(em.ParameterError, match=told):
        em.plot.network(star, tmp_path / "no.png", **given)


def test_only_networks_are_drawn_as_such(tmp_path: Path):
    with pytest.raises(em.ParameterError, match="must be a network"):
        em.plot.network(em.mesh.interval(1.0, cells=2), tmp_path / "no.png")


if __name__ == "__main__":  # on more ranks, for the test above
    told = parallel_case()
    em.write.print_root(json.dumps(told))


def slanted() -> fem.Function:
    """A vector whose x grows along x, whose y falls along y, and whose length is neither."""
    domain = em.mesh.rectangle((4.0, 2.0), cells=(4, 2))
    found = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1, (2,))), name="u")
    found.interpolate(lambda x: np.stack([3.0 + x[0], 4.0 - 2.0 * x[1]]))
    return found


@pytest.mark.parametrize(("component", "ends"), [("x", (3.0, 7.0)), ("y", (0.0, 4.0)), ("magnitude", (3.0, 65**0.5))])
def test_a_vector_is_drawn_by_component(component: str, ends: tuple[float, float]) -> None:
    """The ends of the colour scale are those of the component; the length is 5, 7, 3 and √65 at the corners."""
    for vector in (slanted(), 1.0 * slanted()):
        figure = em.plot.field(vector, component=component)
        assert figure is not None
        shown = figure.axes[0].collections[0]
        assert shown.get_clim() == pytest.approx(ends, rel=1e-12)


def test_a_gradient_is_drawn_by_component() -> None:
    current = em.conduction.model(
        em.mesh.rectangle((4.0, 2.0), cells=(4, 2)),
        conductivity=1.0,
        on={"left": em.fixed(8.0), "right": em.fixed(0.0)},
    )
    em.solve_steady(current)
    figure = em.plot.field(current["E"], component="x", limits=(0.0, 4.0))
    assert figure is not None
    shown = np.asarray(figure.axes[0].collections[0].get_array())
    assert shown == pytest.approx(np.full(shown.shape, 2.0), rel=1e-9)  # 8 V over 4


@pytest.mark.parametrize(
    ("component", "told"),
    [
        (None, "must be a scalar or come with component='x' or 'y' or 'magnitude'"),
        ("z", "'z'; field 'u' has x, y, magnitude"),
    ],
)
def test_a_vector_without_a_component_names_those_it_has(component: str | None, told: str) -> None:
    with pytest.raises(em.ParameterError, match=told):
        em.plot.field(slanted(), component=component)


CHECKED = [
    (draw, name)
    for draw in (getattr(em.plot, name) for name in em.plot.__all__)
    if hasattr(draw, "__wrapped__")
    for name in inspect.signature(draw).parameters
    if name not in ("snapshots", "source", "function", "over", "solid")  # of several kinds, checked by hand
]


@pytest.mark.parametrize(("draw", "name"), CHECKED)
def test_each_argument_of_another_kind_is_refused(draw: Callable[..., Any], name: str):
    """Before anything is drawn; the sentence begins with its name."""
    with pytest.raises(em.ParameterError, match=rf"^{name} = <object .*must be "):
        draw(**{name: object()})


def test_pictures_check_their_arguments():
    names = ("animation", "current", "dispersion", "field", "figure", "film_strip", "grid", "mesh", "movie", "network")
    assert {draw.__name__ for draw, _ in CHECKED} >= {*names, "surface"} - {"grid"}


def test_a_figure_is_shown_in_a_notebook_without_a_magic_word():
    """IPython asks an object for its picture; a plain Figure has none."""
    drawn = em.plot.figure(lambda figure: figure.subplots().plot([0, 1]), width="column")
    assert isinstance(drawn, style.NotebookFigure)
    assert iio.imread(drawn._repr_png_()).shape[:2] == pytest.approx((2.8 * 200, 3.4 * 200), abs=1)
