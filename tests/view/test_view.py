"""The viewer: scenes without a browser, runs that are broken, the guard, and the page in a real browser."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import emfem as em
from emfem.cli import app
from emfem.dimensions import Meaning
from emfem.model import evolving
from emfem.studies import Case, Study
from emfem.studies.sweep import gather
from emfem.studies.workers import one

import imageio.v3 as iio
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import ufl
from dolfinx import fem
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("trame", reason="the extra view is not installed")

from emfem.plot import labels, rendering, style
from emfem.plot.camera import Camera
from emfem.view import picture, probing, series
from emfem.view.display_options import DisplayOptions, Size
from emfem.view.layout import Layout
from emfem.view.requests import pane_size
from emfem.view.runs import RunFolder, Sweep, _cell, called
from emfem.view.scene import Difference, Scene
from emfem.view.server import DEFAULTS, Page
from emfem.view.state import Viewer

import aiohttp
import msgpack
from wslink.chunking import UnChunker, generate_chunks

CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " + (
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, strip: Case) -> Path:
    """A run, and a sweep of two runs of it."""
    folder, told = tmp_path_factory.mktemp("view"), strip.resolved
    even = {"conductivity": 1.0, "on": told["conduction"]["on"]}  # a field that is the same everywhere
    case = Case.from_dict({**told, "domain": {**told["domain"], "cells": [8, 4]}, "conduction": even})
    case.run(folder / "run", progress=False)
    study = Study.of(case.with_(**{"time.until": 1.0}), grid={"mean": [0.3, 0.4]})
    for trial in study.trials():
        assert trial.case is not None
        one(trial.case.resolved, str(trial.folder(folder / "sweep")))
    gather(study.trials(), folder / "sweep", {})
    return folder


@pytest.fixture
def run(folders: Path) -> RunFolder:
    """The run."""
    return RunFolder(folders / "run", "run")


def called_with(page: Page, name: str, *arguments: Any) -> Any:
    """Return the answer of an action to a browser."""
    return page.server.controller.trigger_fn(name)(*arguments)


@pytest.fixture
def spoilt(folders: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copies the run and spoils some of its files."""

    def make(**files: bytes | None) -> Path:
        folder = tmp_path / "spoilt"
        shutil.copytree(folders / "run", folder)
        for name, content in files.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        return folder

    return make


# ---- scenes ------------------------------------------------------------------------------------------------------

DOMAINS: dict[str, Callable[[], em.mesh.Domain]] = {
    "interval": lambda: em.mesh.interval(2.0, cells=5),
    "rectangle": lambda: em.mesh.rectangle((2.0, 1.0), cells=(4, 2), cell="triangle"),
    "periodic": lambda: em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 3)),
    "box": lambda: em.mesh.box((2.0, 1.0, 1.0), cells=(2, 2, 2)),
    "tube": lambda: em.mesh.tube(radius=1.0, length=2.0, size=1.0),
    "network": lambda: em.mesh.network(
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], [(0, 1), (1, 2)], width=0.1, thickness=0.1, cells=3
    ),
}


def scene_of(domain: em.mesh.Domain, value: Callable[[Any], Any], degree: int = 2) -> Scene:
    """A scene of one state of a model with an unknown u, its gradient, and a number."""
    u = evolving("u", fem.functionspace(domain.mesh, ("Lagrange", degree)))
    u.function.interpolate(value)
    v = ufl.TestFunction(u.function.function_space)
    model = em.Model("made up", domain, [u], u.function * v * ufl.dx, expressions={"slope": ufl.grad(u.function)})
    stored = SimpleNamespace(
        times=np.array([0.0]), models=lambda t: [model], case=SimpleNamespace(tables=SimpleNamespace(models=dict))
    )
    return Scene(stored)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DOMAINS)
def test_values_at_points_are_those_of_the_field(name: str):
    """At all points of the cut cells, to round-off: a field of degree 2, which straight lines between nodes are not."""
    scene = scene_of(DOMAINS[name](), lambda x: 1 + x[0] * (2 - x[0]))
    x = scene.shape.points[:, 0]
    assert scene.values("u", 0.0) == pytest.approx(1 + x * (2 - x), rel=1e-12)
    assert scene.kind == {"interval": "curve", "box": "body", "tube": "body"}.get(name, "plane")
    data = rendering.dataset(scene.shape, scene.values("u", 0.0))
    assert data.n_cells == len(scene.shape.simplices)
    assert data.get_data_range("value") == pytest.approx(scene.limits("u"))


def test_a_vector_is_its_length_and_arrows():
    """The slope of 3 x - 4 y is (3, -4) everywhere."""
    scene = scene_of(DOMAINS["rectangle"](), lambda x: 3 * x[0] - 4 * x[1])
    assert scene.fields["slope"].vector
    assert scene.values("slope", 0.0) == pytest.approx(5.0, rel=1e-12)
    places, arrows = scene.arrows("slope", 0.0, across=8)
    assert arrows[:, :2] == pytest.approx(np.tile([3.0, -4.0], (len(places), 1)), rel=1e-12)
    assert 16 <= len(places) <= 50  # boxes of a quarter of the height


def test_a_component_of_a_vector_is_shown():
    """The slope of 3 x - 4 y is (3, -4); a component that a vector lacks shows its length."""
    scene = scene_of(DOMAINS["rectangle"](), lambda x: 3 * x[0] - 4 * x[1])
    assert scene.components("slope") == em.fields.components((2,)) == ("x", "y", "magnitude")
    assert scene.components("u") == ()
    for component, value in {"x": 3.0, "y": -4.0, "magnitude": 5.0, "z": 5.0}.items():
        assert scene.values("slope", 0.0, component) == pytest.approx(value, rel=1e-12)
        assert scene.limits("slope", None, component) == pytest.approx((value, value), rel=1e-12)
    assert [scene.meaning("slope", name).symbol for name in ("x", "magnitude", "z")] == ["slope_x", "slope", "slope"]
    assert str(labels.quantity(scene.meaning("slope", "y"), (-4.0, -4.0))) == "slope_y"


def test_a_vector_on_a_line_keeps_its_sign():
    """The slope of 2 x - x^2 on 0 <= x <= 2 is from 2 to -2."""
    scene = scene_of(DOMAINS["interval"](), lambda x: x[0] * (2 - x[0]))
    assert scene.limits("slope") == pytest.approx((-2.0, 2.0))
    assert str(labels.quantity(scene.fields["slope"], (-2.0, 2.0))) == "slope"


def test_a_peak_does_not_set_the_scale():
    """x^100 is above 0.37 in a hundredth of 0 <= x <= 1; the mean of an element there is no more than 0.5."""
    scene = scene_of(em.mesh.interval(1.0, cells=200), lambda x: x[0] ** 100)
    assert scene.limits("u")[1] == pytest.approx(1.0)
    assert 0.3 < scene.limits("u", peaks=False)[1] < 0.5


def test_a_body_has_no_points_twice():
    """27 corners of 2 x 2 x 2 cells, the middles of 36 faces and 8 cells."""
    scene = scene_of(DOMAINS["box"](), lambda x: x[0])
    assert rendering.dataset(scene.shape, joined=True).n_points == 27 + 36 + 8


@pytest.mark.parametrize(
    ("words", "vector", "title", "label"),
    [
        ("current density", True, "j: current density", "current density |j|"),
        ("current density", False, "j: current density", "current density"),
        ("j: so much", False, "j: so much", "j: so much"),
        ("", True, "j", "|j|"),
        ("flow", True, "j: flow", "flow |j|"),
    ],
)
def test_what_a_field_is_called(words: str, vector: bool, title: str, label: str):
    meaning = Meaning(words, "A/m2", symbol="j", vector=vector)
    assert labels.entry(meaning) == title
    assert str(labels.quantity(meaning, (0.0, 3e9))) == f"{label} [10⁹ A/m²]"


def test_fields_of_a_run(run: RunFolder):
    scene = run.scene
    assert list(scene.fields) == ["phi", "E", "j", "potential", "c", "mu", "flux", "field"]
    assert [meaning.unit for meaning in scene.fields.values()] == ["-"] * 8  # a film sets the scales
    film = run.results.field("c", 1.0)
    inside = scene.shape.points[:, :2][::7]
    assert scene.values("c", 1.0)[::7] == pytest.approx(em.fields.evaluate(film, inside), rel=1e-9)
    assert scene.values("E", 2.0) == pytest.approx(0.1, rel=1e-9)


@pytest.mark.parametrize(
    ("units", "told"), [(("-", "-"), "t = 1.5"), (("s", "s"), "t = 1.5 s"), (("-", "s"), "t = 1.5")]
)
def test_a_time_has_a_unit_if_all_runs_have(
    folders: Path, monkeypatch: pytest.MonkeyPatch, units: tuple[str, str], told: str
):
    """A film has none of its own accord; beside a run in SI nothing would be right for both."""
    viewer = Viewer([folders / "run", folders / "run"])
    assert {run.scene.time_unit for run in viewer.shown} == {"-"}
    left = iter(units * 9)
    monkeypatch.setattr(Scene, "time_unit", property(lambda _: next(left)))
    assert viewer.time(1.5) == told


def test_times_do_not_mix(run: RunFolder):
    """Fields requested in any order are those of the requested time."""
    late, early = run.scene.values("c", 2.0), run.scene.values("c", 0.0)
    again = RunFolder(run.folder, "again").scene
    assert np.array_equal(again.values("c", 0.0), early)
    assert np.array_equal(again.values("c", 2.0), late)
    assert not np.array_equal(early, late)
    ends = [run.scene.limits("c", float(t)) for t in run.scene.times]
    assert run.scene.limits("c") == (min(low for low, _ in ends), max(high for _, high in ends))


@pytest.mark.parametrize(("t", "shown"), [(-1.0, 0.0), (0.0, 0.0), (0.99, 0.0), (1.0, 1.0), (1.7, 1.0), (9.0, 2.0)])
def test_a_run_shows_its_last_state_before_a_time(run: RunFolder, t: float, shown: float):
    assert run.scene.nearest(t) == pytest.approx(shown)


# ---- pictures ----------------------------------------------------------------------------------------------------


def pixels(data: bytes) -> np.ndarray:
    """A PNG as numbers between 0 and 1, shape (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255.0


def far(image: np.ndarray, colour: Any) -> np.ndarray:
    """Distance of each pixel from a colour."""
    return np.abs(image - np.asarray(mpl.colors.to_rgb(colour))).max(axis=2)


def test_colours_are_where_the_values_are():
    """x from left to right in viridis, with x = 2 at the right end; within 3 % of the colour's parts."""
    scene = scene_of(DOMAINS["rectangle"](), lambda x: x[0])
    options = DisplayOptions("u", colours="viridis", limits=(0.0, 2.0))
    image = pixels(picture.png(scene, 0.0, options, Camera(), Size(700, 500)))
    assert image.shape == (500, 700, 3)
    row = image[250]
    for share in (0.0, 0.5, 1.0):
        assert far(row[None], mpl.colormaps["viridis"](share)).min() < 0.03
    dark, light = (int(np.argmin(far(row[None], mpl.colormaps["viridis"](share))[0])) for share in (0.02, 0.98))
    assert dark < 0.25 * 700
    assert light > 0.7 * 700


@pytest.mark.parametrize("name", ["rectangle", "box"])
def test_a_field_beside_a_moving_surface_is_drawn_where_there_is_metal(name: str):
    """In the left half, with the scale of that half; where the surface is, values of 1/2, lies a column of nodes."""
    domain = DOMAINS[name]()
    (heat,) = scene_of(domain, lambda x: x[0]).models
    c = evolving("c", fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.function.interpolate(lambda x: 1 - x[0] / 2)
    form = c.function * ufl.TestFunction(c.function.function_space) * ufl.dx
    surface = em.Model("surface", domain, [c], form, roles={"metal": "c"})

    def coloured(*models: em.Model) -> int:
        stored = SimpleNamespace(times=np.array([0.0]), models=lambda t: [*models])
        scene = Scene(stored)  # type: ignore[arg-type]
        assert scene.limits("u") == pytest.approx((0.0, 2.0 / len(models)))
        assert scene.limits("u", peaks=False)[1] <= 2.0 / len(models)
        options = DisplayOptions("u", colours="viridis", limits=(0.0, 2.0))
        return int((np.ptp(pixels(picture.png(scene, 0.0, options, Camera(), Size(420, 360))), axis=2) > 0.2).sum())

    bar = 15 * 280  # of pixels of the colour bar, at most
    whole, left = coloured(heat), coloured(heat, surface)
    assert 0.4 * (whole - bar) < left - bar < left < 0.8 * whole


@pytest.mark.parametrize("name", DOMAINS)
def test_every_kind_of_domain_is_drawn(name: str):
    """With all that can be asked for; and what is asked for changes the picture."""
    scene = scene_of(DOMAINS[name](), lambda x: x[0] * (2 - x[0]))
    plain = DisplayOptions("u", colours="viridis", limits=scene.limits("u"))
    first = pixels(picture.png(scene, 0.0, plain, Camera(), Size(420, 360), "title"))
    assert 0.003 < (far(first, "white") > 0.1).mean() < 0.9
    wanted = {"edges": True} if name == "periodic" else {"edges": True, "boundaries": True}
    if name != "network":
        full = pixels(picture.png(scene, 0.0, replace(plain, **wanted), Camera(), Size(420, 360), "title"))  # type: ignore[arg-type]
        assert (np.abs(full - first).max(axis=2) > 0.1).mean() > 0.001


def test_a_cut_and_a_turn_change_a_body():
    scene = scene_of(DOMAINS["box"](), lambda x: x[0])
    look, camera = DisplayOptions("u", colours="viridis", limits=(0.0, 2.0)), Camera()
    whole = pixels(picture.png(scene, 0.0, look, camera, Size(420, 360)))
    cut = pixels(picture.png(scene, 0.0, replace(look, cut="x", place=0.3), camera, Size(420, 360)))
    assert (far(cut, "white") > 0.1).sum() < 0.75 * (far(whole, "white") > 0.1).sum()
    camera.turn(60, 10)
    turned = pixels(picture.png(scene, 0.0, look, camera, Size(420, 360)))
    assert (np.abs(turned - whole) > 0.1).any(axis=2).mean() > 0.02


def test_a_body_is_seen_from_the_same_side_in_all_pictures(monkeypatch: pytest.MonkeyPatch):
    """Position, focal point and up of VTK's camera: of em.plot and of the viewer, and opposite from behind."""
    seen: list[np.ndarray] = []
    look_at = Camera.look_at

    def noted(self: Camera, plotter: Any, *arguments: Any) -> None:
        look_at(self, plotter, *arguments)
        seen.append(np.array([plotter.camera.position, plotter.camera.focal_point, plotter.camera.up]))

    monkeypatch.setattr(Camera, "look_at", noted)
    domain = DOMAINS["box"]()
    scene = scene_of(domain, lambda x: x[0])
    model = em.conduction.model(domain, conductivity=1.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(model)
    picture.png(scene, 0.0, DisplayOptions("u", colours="viridis"), Camera(), Size(420, 360))
    em.plot.field(model["phi"])
    em.plot.current(model, lines=2)
    em.plot.mesh(domain)
    viewer, *others, behind = seen
    assert len(others) == 3
    for other in others:
        assert other == pytest.approx(viewer, abs=1e-12)
    assert viewer[0] - viewer[1] == pytest.approx(behind[1] - behind[0], abs=1e-12)
    assert viewer[0, 0] > 2 > 0 > viewer[0, 1]  # from the right, the front and above
    assert viewer[0, 2] > 1


def test_arrows_are_drawn():
    scene = scene_of(DOMAINS["rectangle"](), lambda x: 3 * x[0] - 4 * x[1])
    look = DisplayOptions("slope", colours="viridis", limits=(4.0, 6.0))
    plain, arrows = (
        pixels(picture.png(scene, 0.0, replace(look, arrows=on), Camera(), Size(500, 400))) for on in (False, True)
    )
    assert (np.abs(arrows - plain).max(axis=2) > 0.1).mean() > 0.01


@pytest.mark.parametrize("name", ["rectangle", "box"])
def test_stream_lines_are_drawn_over_another_field(name: str):
    """Of the slope over u; a field that is no vector, or of no model, has none; a cut takes those of the part away."""
    scene = scene_of(DOMAINS[name](), lambda x: 3 * x[0] - 4 * x[1])
    look = DisplayOptions("u", colours="viridis", limits=(-4.0, 6.0), cut="x" if name == "box" else "")
    plain, *others = (
        pixels(picture.png(scene, 0.0, replace(look, streams=of), Camera(), Size(500, 400)))
        for of in ("", "slope", "u", "q")
    )
    shares = [(np.abs(other - plain).max(axis=2) > 0.1).mean() for other in others]
    assert shares[0] > 0.005
    if name == "rectangle":  # a body with lines inside is translucent
        assert shares[1:] == [0.0, 0.0]
    assert scene.streams("slope", 0.0) is scene.streams("slope", 0.0)  # not anew when the camera moves


def test_stream_lines_tell_of_what_they_leave_out():
    """The slope of 3 x - 4 y, one value of which is lost: said once for its cell and those it touches."""
    scene = scene_of(DOMAINS["rectangle"](), lambda x: 3 * x[0] - 4 * x[1])
    assert scene.stream_note("slope", 0.0) == scene.stream_note("u", 0.0) == scene.stream_note("", 0.0) == ""
    scene.vectors("slope", 0.0)[0, 0] = np.nan
    said = scene.stream_note("slope", 0.0)
    count = re.fullmatch(r"no stream lines in (\d) cells?: values are not finite", said)
    assert count, said
    assert 1 <= int(count[1]) <= 6


def test_the_camera_zooms_and_moves():
    bounds, camera = np.array([[0.0, 0.0, 0.0], [4.0, 2.0, 0.0]]), Camera()
    lower, upper = camera.window(bounds)
    assert (lower < 0).all() and (upper > [4.0, 2.0]).all()  # noqa: PT018
    for _ in range(4):
        camera.zoom_in(1)
    assert np.diff(camera.window(bounds), axis=0)[0] == pytest.approx((upper - lower) / 1.2**4)
    camera.pan(0.5, 0.0)  # the scene goes half a picture to the right
    assert camera.window(bounds).mean(axis=0) == pytest.approx([2.0 - 0.5 * (upper - lower)[0] / 1.2**4, 1.0])


# ---- the mouse ---------------------------------------------------------------------------------------------------


def drawn_at(layout: Layout, point: Any) -> tuple[float, float]:
    """Pixels of a pane, from its upper left corner, at which a point of the domain is drawn."""
    (left, bottom, width, height), _ = layout.axes
    x, y = layout.projected(np.array([point], dtype=float))[0] * [width, height] + [left, bottom]
    y = bottom + height / 2 if layout.scene.kind == "curve" else y
    return x * layout.size.width / layout.width, (layout.height - y) * layout.size.height / layout.height


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("width", [520, pytest.param(260, marks=pytest.mark.soak)])
def test_the_mouse_meets_the_place_that_is_drawn_under_it(name: str, width: int):
    """To a part of a pixel, after a turn and a zoom; the value there is that of a field of degree 2."""
    scene, camera = scene_of(DOMAINS[name](), lambda x: 1 + x[0] * (2 - x[0])), Camera()
    if scene.kind == "body":
        camera.turn(40, 10)
        camera.pan(0.05, -0.02)
    options = DisplayOptions("u", boundaries=True)
    layout, values = Layout(scene, options, camera, Size(width, 400)), []
    for point in scene.shape.points[:: max(1, len(scene.shape.points) // 20)]:
        mouse = drawn_at(layout, point)
        place = layout.place(*mouse)
        if place is None:  # the outline of a body
            continue
        assert drawn_at(layout, place) == pytest.approx(mouse, abs=1e-9)
        table = probing.values(scene, 0.0, replace(options, marks=[place.tolist()]))
        values.append(table["u"].iloc[0] - (1 + place[0] * (2 - place[0])))
    known = np.array(values)[~np.isnan(values)]
    assert len(known) >= 8
    assert np.abs(known).max() < 1e-12
    assert layout.place(1.0, 1.0) is None


@pytest.mark.parametrize("cut", ["", "x"])
@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_the_mouse_meets_the_face_of_a_body_that_is_seen(cut: str, unit: float):
    """Of 2 x 1 x 1 the half x < 1 is left by a cut, whose face is at its end."""
    domain = em.mesh.box((2.0 * unit, unit, unit), cells=(2, 2, 2))
    scene, camera = scene_of(domain, lambda x: x[0]), Camera()
    layout = Layout(scene, DisplayOptions("u", cut=cut), camera, Size(520, 400))
    right = 1.0 if cut else 2.0
    near_an_edge = [[right - 0.01, 0.2, 1.0], [right - 0.01, 0.0, 0.5], [0.5, 0.005, 1.0]]
    for point in ([right, 0.6, 0.4], [0.3, 0.0, 0.7], [0.4, 0.6, 1.0], *near_an_edge):
        place = layout.place(*drawn_at(layout, unit * np.array(point)))
        assert place is not None
        assert place / unit == pytest.approx(point, abs=1e-5)
        assert (place / unit - point) @ camera.direction() < 0  # inside of it
    hidden = layout.place(*drawn_at(layout, unit * np.array([1.9, 0.05, 0.05])))
    assert (hidden is None) == bool(cut)


def test_values_at_a_click_and_along_a_line(run: RunFolder):
    """All components with units and the length, as `probe` and `line_cut` of the results have them."""
    viewer = Viewer([run.folder])
    viewer.panes.append(RunFolder(run.folder, "again"))
    options, a, b = DisplayOptions("flux"), [0.1, 0.2, 0.0], [0.3, 0.25, 0.0]
    assert viewer.marked(options, 1.0) == {}
    point = viewer.marked(replace(options, marks=[a]), 1.0)
    assert list(point) == [0, 1]
    field = run.results.field("flux", 1.0)
    exact = em.fields.probe(field, [a[:2]]).iloc[0]
    assert point[1].iloc[0][["flux_x", "flux_y"]].tolist() == pytest.approx(exact[["flux_x", "flux_y"]].tolist())
    assert list(probing.texts(point[0])) == ["flux_x", "flux_y", "|flux|"]
    length = np.hypot(exact["flux_x"], exact["flux_y"])
    assert float(probing.texts(point[0])["|flux|"]) == pytest.approx(length, rel=1e-5)
    line = viewer.marked(replace(options, marks=[a, b]), 1.0)
    pd.testing.assert_frame_equal(line[0].drop(columns="|flux|"), em.fields.line_cut(field, a[:2], b[:2]))
    assert probing.place(line[0], run.scene) == "x = 0.3 h, y = 0.25 h"
    assert probing.shown_column(line[0], "y") == "flux_y"
    assert probing.shown_column(line[0], "magnitude") == "|flux|"
    columns = list(probing.joined({"run": line[0], "again": line[1]}))
    assert columns[:4] == ["s [h]", "x [h]", "y [h]", "run: flux_x"]
    assert len(columns) == 9
    image = viewer.profile(line, options, Size(500, 200))
    assert image is not None
    assert (far(pixels(image), style.named_colour(1)) < 0.05).sum() > 100  # the second run hides the first
    assert viewer.profile(point, options, Size(500, 200)) is None


def test_values_of_a_difference_and_beside_the_domain(run: RunFolder, folders: Path):
    viewer = Viewer([run.folder])
    viewer.panes.append(Viewer([folders / "sweep"]).panes[0])
    options = DisplayOptions("c", marks=[[0.1, 0.2, 0.0]])
    plain, less = viewer.marked(options, 1.0), viewer.marked(replace(options, difference=True), 1.0)
    assert float(less[1]["c"].iloc[0]) == pytest.approx(
        float(plain[1]["c"].iloc[0] - plain[0]["c"].iloc[0]), rel=1e-6, abs=0
    )
    assert less[1]["x"].iloc[0] == 0.1
    viewer.panes.reverse()
    assert list(viewer.marked(replace(options, difference=True), 2.0)) == [0]  # a time that the first has not
    viewer.panes.reverse()
    away = viewer.marked(replace(options, marks=[[-9.0, 0.0, 0.0]]), 1.0)
    assert probing.texts(away[0]) == {"c": "outside"}
    lost = viewer.marked(replace(options, marks=[[-9.0, 0.0, 0.0], [-8.0, 0.0, 0.0]]), 1.0)
    assert viewer.profile(lost, options, Size(500, 200)) is None
    assert viewer.marked(replace(options, marks=[[0.1, 0.2, 0.3]]), 1.0) == {}  # a place in space
    assert viewer.marked(replace(options, marks=[*options.marks, *options.marks]), 1.0) == {}  # no line


def test_marks_are_drawn_and_a_drag_makes_none(run: RunFolder):
    page = Page(Viewer([run.folder]))
    size = Size(520, 400)
    page._sizes["size_0"] = size
    x, y = drawn_at(Layout(run.scene, page.options, Camera(), size), run.scene.bounds.mean(axis=0))
    before = pixels(page.viewer.draw(0, page.options, 1.0, size)[0] or b"")
    page.mark_now(0, x, y, line=False)
    page.mark_now(0, x + 40, y, line=True)
    page.mark_now(0, x + 80, y, line=True)
    assert np.array(page.state.marks)[0] == pytest.approx(run.scene.bounds.mean(axis=0))
    assert len(page.state.marks) == 2
    marked = pixels(page.viewer.draw(0, page.options, 1.0, size)[0] or b"")
    row, column = round(y), round(x)
    changed = np.abs(marked - before).max(axis=2) > 0.1
    assert changed[row - 3 : row + 4, column + 20 : column + 60].any(axis=0).all()
    assert not changed[:, : column - 20].any()
    page.draw()
    ((name, text),) = page.state["values"]
    assert name == "c"
    assert float(text) == pytest.approx(float(page.profile().split(",")[-1]), rel=1e-5)
    assert page.profile().startswith("s [h],x [h],y [h],run: c\n0.0,")
    page.press()
    page.move(9.0, 0.0, turning=True, pane=0)
    page.mark(0, x, y, line=False)
    assert page._click is None
    page.mark_now(0, 1.0, 1.0, line=True)
    assert len(page.state.marks) == 2
    page.mark_now(0, 1.0, 1.0, line=False)
    assert page.state.marks == []


# ---- runs as they are --------------------------------------------------------------------------------------------


def test_a_whole_run(run: RunFolder):
    assert run.trouble == ""
    assert run.notes == []
    assert run.status == "ok"
    assert run.times == pytest.approx([0.0, 1.0, 2.0])
    assert {"status", "wall time", "emfem", "hash"} <= {name for name, _ in run.lines()}
    assert "rectangle" in run.about()[0]
    assert run.about()[-1] == "stopped: reached until"


@pytest.mark.parametrize(
    ("files", "trouble", "note"),
    [
        ({"report_json": None}, "", "no report: still going"),
        ({"report_json": b'{"status": "o'}, "", "report is torn"),
        ({"states__last_npz": b"PK\x03\x04 half"}, "", "1 state is torn: last.npz"),
        ({"series_csv": b""}, "", ""),
        ({"case_toml": None}, "", ""),
        ({"case_toml": None, "fields_json": None}, "it holds no run: there is no fields.json", ""),
        ({"fields_json": b"{"}, "fields.json cannot be read", ""),
        ({"mesh_npz": b"PK"}, "mesh.npz cannot be read", ""),
        ({"case_toml": b"[domain", "fields_json": None}, r"case.toml:1: must be TOML", ""),
        ({"case_toml": b"[film]", "fields_json": None}, r"domain", ""),
        ({"report_json": b'{"status": "failed", "error": "it broke"}'}, "", "failed: it broke"),
    ],
)
def test_half_a_run_states_what_is_wrong(
    spoilt: Callable[..., Path], files: dict[str, bytes | None], trouble: str, note: str
):
    run = RunFolder(spoilt(**files), "x")
    assert trouble in run.trouble
    assert bool(trouble) == bool(run.trouble)
    assert note in "; ".join(run.notes)
    image, message = Viewer([run.folder]).draw(0, DisplayOptions(), 0.0, Size(300, 250))
    assert (image is None) == bool(trouble)
    assert message == run.trouble
    assert "Traceback" not in run.trouble


@pytest.mark.parametrize(
    ("report", "content", "said"),
    [
        (True, None, "reached none of the times"),
        (False, None, "still going, or was stopped. Reload it later"),
        (False, b"PK\x03\x04", "no state can be read"),
    ],
)
def test_a_run_without_states(spoilt: Callable[..., Path], report: bool, content: bytes | None, said: str):
    folder = spoilt(**({} if report else {"report_json": None}))
    for path in (folder / "states").glob("*.npz"):
        path.unlink() if content is None else path.write_bytes(content)
    assert said in RunFolder(folder, "x").trouble


def test_a_state_that_is_torn_inside_is_a_message(spoilt: Callable[..., Path]):
    """Its list of contents is whole, what it lists is not."""
    folder = spoilt()
    path = folder / "states" / "0001.npz"
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.startswith("film"):
                data[entry.header_offset + entry.file_size // 2 + 100] ^= 1
    path.write_bytes(bytes(data))
    viewer = Viewer([folder])
    image, message = viewer.draw(0, DisplayOptions(range="this time"), 1.0, Size(300, 250))
    assert image is None
    assert "cannot be read" in message
    assert viewer.draw(0, DisplayOptions(range="this time"), 0.0, Size(300, 250))[0] is not None


def test_reload_sees_what_was_added(folders: Path, spoilt: Callable[..., Path]):
    folder = spoilt(states__0002_npz=None, states__last_npz=None, report_json=None)
    run = RunFolder(folder, "x")
    assert run.times == pytest.approx([0.0, 1.0])
    shutil.copy(folders / "run" / "states" / "last.npz", folder / "states")
    shutil.copy(folders / "run" / "report.json", folder)
    run.reload()
    assert run.times == pytest.approx([0.0, 1.0, 2.0])
    assert run.status == "ok"


def test_names_distinguish_folders(tmp_path: Path):
    paths = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "other"]
    assert list(called(paths).values()) == ["a/run", "b/run", "other"]


def test_the_table_of_a_sweep(folders: Path):
    columns, rows = Sweep(folders / "sweep").rows()
    assert columns[:3] == ["mean", "status", "stopped"]
    assert [row["stopped"] for row in rows] == ["reached until"] * 2
    assert [row["name"] for row in rows] == ["mean 0.3", "mean 0.4"]
    assert "hash" not in columns
    sweep = Sweep(folders / "sweep")
    assert sweep.heads()["pattern.wavelength"] == "pattern.wavelength [h]"
    assert "pattern.angle" not in sweep.heads()  # degrees stand in its cells, and are not taken for radians
    degrees = sweep.table()["pattern.angle"]
    assert _cell(degrees[0], "deg") == f"{degrees[0]:.4g}°"
    assert _cell(np.pi / 4, "rad") == "45°"


# ---- what is looked at -------------------------------------------------------------------------------------------


def test_runs_of_a_sweep_open_and_close(folders: Path):
    viewer = Viewer([folders / "run", folders / "sweep"])
    rows = viewer.sweeps[0].rows()[1]
    viewer.toggle(0, rows[0]["hash"])
    viewer.toggle(0, rows[1]["hash"])
    assert [run.name for run in viewer.panes] == ["run", "mean 0.3", "mean 0.4"]
    assert viewer.times == pytest.approx([0.0, 1.0, 2.0])
    viewer.toggle(0, rows[0]["hash"])
    assert [run.name for run in viewer.panes] == ["run", "mean 0.4"]
    viewer.close(0)
    viewer.close(0)
    assert len(viewer.panes) == 1  # the last one stays
    assert [run.name for run in Viewer([folders / "sweep"]).panes] == ["mean 0.3"]


def test_one_scale_for_all_runs(folders: Path):
    viewer = Viewer([folders / "run", folders / "sweep"])
    viewer.toggle(0, viewer.sweeps[0].rows()[1][1]["hash"])
    each = [run.scene.limits("c") for run in viewer.panes]
    assert viewer.limits(DisplayOptions("c"), 0.0) == (min(e[0] for e in each), max(e[1] for e in each))
    scale = viewer.limits(DisplayOptions("c"), 0.0)
    viewer.panes.reverse()
    assert viewer.limits(DisplayOptions("c"), 0.0) == scale
    first = [run.scene.limits("c", 0.0) for run in viewer.panes]
    now = viewer.limits(DisplayOptions("c", range="this time"), 0.0)
    assert now == (min(e[0] for e in first), max(e[1] for e in first))
    assert now != viewer.limits(DisplayOptions("c"), 0.0)


def test_a_run_less_another_one(folders: Path, run: RunFolder):
    """A run less itself is nothing; less another state of it, the difference of the states."""
    nothing = Difference(run.scene, RunFolder(run.folder, "again").scene)
    assert nothing.limits("c") == (0.0, 0.0)
    sweep = Viewer([folders / "sweep"]).panes[0].scene
    with pytest.raises(em.ParameterError, match=r"must be a time that both runs saved: the nearest before it is 1"):
        Difference(run.scene, sweep).values("c", 2.0)
    mixed = Difference(run.scene, sweep)
    assert mixed.values("c", 1.0) == pytest.approx(run.scene.values("c", 1.0) - sweep.values("c", 1.0), abs=1e-15)
    assert str(labels.quantity(mixed.meaning("c"), (-1.0, 1.0))).startswith("difference of ")
    other = scene_of(DOMAINS["rectangle"](), lambda x: x[0])
    with pytest.raises(em.ParameterError, match="must be the same mesh"):
        Difference(run.scene, other)


def test_runs_side_by_side_are_shown_less_the_first(run: RunFolder):
    viewer, options = Viewer([run.folder]), DisplayOptions("c", difference=True)
    viewer.panes.append(RunFolder(run.folder, "again"))
    assert viewer.limits(options, 2.0) == (-1.0, 1.0)  # of nothing
    assert viewer.colours(options) == style.SIGNED
    image, message = viewer.draw(1, options, 2.0, Size(300, 250))
    assert (message, image is None) == ("", False)
    alone = Viewer([run.folder])
    assert alone.limits(options, 2.0) == alone.limits(DisplayOptions("c"), 2.0)


def test_a_movie_has_a_frame_for_each_time(run: RunFolder):
    data = Viewer([run.folder]).movie(0, DisplayOptions("c"), Size(301, 251))
    frames = iio.imread(data, extension=".mp4")
    assert frames.shape[0] == 3
    assert frames.shape[1] % 2 == frames.shape[2] % 2 == 0
    assert np.abs(frames[2].astype(float) - frames[0]).max() > 20


def test_typed_ranges(run: RunFolder):
    viewer = Viewer([run.folder])
    assert viewer.limits(DisplayOptions("c", range="typed", low="0.2", high=" 0.5 "), 0.0) == (0.2, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("x", "1", "lowest value = 'x', must be a plain number"),
        ("0", "", "highest value = ''"),
        ("0", "3 V", "highest value = '3 V' is a voltage, must be a plain number"),
        ("2", "1", "lowest value = 2, must be less than the highest, 1"),
        ("nan", "1", "lowest value"),
    ],
)
def test_typed_ranges_that_are_none(run: RunFolder, low: str, high: str, said: str):
    viewer = Viewer([run.folder])
    with pytest.raises(em.ParameterError) as caught:
        viewer.limits(DisplayOptions("c", range="typed", low=low, high=high), 0.0)
    assert str(caught.value).startswith(said)


def test_a_constant_has_a_scale_around_it(run: RunFolder):
    low, high = Viewer([run.folder]).limits(DisplayOptions("E"), 0.0)
    assert (low, high) == pytest.approx((0.095, 0.105), rel=1e-6)


def test_signed_fields_are_symmetrical(run: RunFolder):
    low, high = Viewer([run.folder]).limits(DisplayOptions("mu", colours="coolwarm"), 0.0)
    assert -low == high > 0


@pytest.mark.parametrize("count", [0, 5])
def test_as_many_runs_as_there_is_room_for(tmp_path: Path, count: int):
    folders = [tmp_path / str(i) for i in range(count)]
    for folder in folders:
        folder.mkdir()
    with pytest.raises(em.ParameterError, match=rf"{count} runs, must be 1 to 4"):
        Viewer(folders)


def test_a_folder_that_does_not_exist(tmp_path: Path):
    with pytest.raises(em.ParameterError, match=r"folder = '.*none', must be one that exists"):
        Viewer([tmp_path / "none"])


def test_numbers_at_the_end_are_those_of_the_report(run: RunFolder):
    """A run that was stopped between two rows of its series has its last numbers in the report."""
    run.series  # noqa: B018
    table = run.results.series
    assert series.now(run, 1.7)[0] == pytest.approx(1.5)
    table.loc[table["t"] == 2.0, "c_max"] = -1.0
    assert float(series.now(run, 2.0)[1]["c_max"]) == pytest.approx(run.report["quantities"]["c_max"], rel=1e-3)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ({"T_max": 373.02, "T_min": 373.0, "power": 0.25}, ["373.02 K", "373 K", "0.25"]),
        ({"T_max": 373.0000001, "T_min": 373.0}, ["373 K", "373 K"]),  # round-off
        ({"T_max": 400.0, "T_min": 300.0, "power": 300.1}, ["400 K", "300 K", "300.1"]),
        ({"T_max": 0.0, "T_min": float("nan")}, ["0 K", "nan K"]),
    ],
)
def test_quantities_that_are_nearly_alike_have_the_digits_that_differ(values: dict[str, float], texts: list[str]):
    table = pd.DataFrame({"t": [0.0], **{name: [value] for name, value in values.items()}})
    table.attrs["units"] = {"T_max": "K", "T_min": "K"}
    run: Any = SimpleNamespace(series=table, report={})
    assert list(series.now(run, 0.0)[1].values()) == texts


def test_a_logarithmic_scale_needs_values_above_zero(run: RunFolder):
    viewer = Viewer([run.folder])
    low, high = viewer.limits(DisplayOptions("c", log=True), 0.0)
    assert 0 < low < high
    typed = DisplayOptions("c", log=True, range="typed", low="0", high="1")
    with pytest.raises(em.ParameterError, match="values from 0 to 1, must be positive for a logarithmic scale"):
        viewer.limits(typed, 0.0)
    assert viewer.limits(replace(typed, low="1e-9"), 0.0) == (1e-6, 1.0)  # six decades


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("rectangle", {"isolines": True}),
        pytest.param("rectangle", {"log": True, "limits": (0.02, 2.0)}, marks=pytest.mark.soak),
        pytest.param("interval", {"log": True, "limits": (0.02, 2.0)}, marks=pytest.mark.soak),
        pytest.param("box", {"isolines": True}, marks=pytest.mark.soak),
        ("box", {"log": True, "limits": (0.02, 2.0)}),
        pytest.param("box", {"opacity": 0.4}, marks=pytest.mark.soak),
    ],
)
def test_isolines_a_logarithmic_scale_and_opacity_change_a_picture(kind: str, changes: dict[str, Any]):
    scene = scene_of(DOMAINS[kind](), lambda x: x[0])
    plain = DisplayOptions("u", colours="viridis", limits=(0.0, 2.0))
    first, second = (
        pixels(picture.png(scene, 0.0, look, Camera(), Size(420, 360))) for look in (plain, replace(plain, **changes))
    )
    assert (np.abs(first - second).max(axis=2) > 0.1).mean() > 0.003


def test_what_changes_steadily_is_shown_first():
    """Noise and what is kept are not."""
    t = np.linspace(0.0, 1.0, 21)
    table = pd.DataFrame({"t": t, "kept": 1.0, "noise": np.cos(20 * np.pi * t), "grows": 1 + t, "falls": 3 - t})
    assert series.most_varying([SimpleNamespace(series=table)]) == "grows"  # type: ignore[list-item]
    assert series.most_varying([SimpleNamespace(series=None)]) == ""  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (3.2e8, "Pa", "320 MPa"),
        (5.67e-4, "W", "567 µW"),
        (5.67e-4, "1/s", "0.000567 1/s"),
        (4.2e24, "-", "4.2·10²⁴"),
        (0.0, "V", "0 V"),
    ],
)
def test_numbers_have_units(value: float, unit: str, told: str):
    assert labels.series("x", abs(value), unit, powers=False).text(value) == told


# ---- the command -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_the_extra_there_is_one_sentence():
    """And nothing of it is imported before the command runs."""
    code = (
        "import sys; sys.modules['trame'] = None; import emfem.cli; assert 'emfem.view' not in sys.modules; "
        "sys.argv = ['emfem', 'view', 'x']; emfem.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.strip() == 'emfem view needs packages that are not installed: pip install "emfem[view]"'


def test_a_port_that_is_taken(run: RunFolder):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(app, ["view", str(run.folder), "--port", port, "--no-browser"])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"port = {port}, must be one that is free")


def test_nothing_but_this_machine(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAME_ARGS", "--host 0.0.0.0")
    with pytest.raises(em.ParameterError, match=r"host = '0\.0\.0\.0', must be '127\.0\.0\.1'"):
        Page(Viewer([run.folder])).serve(0, browser=False)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("close", [-1], "pane = -1, must be a whole number from 0 to 1"),
        ("close", [2], "pane = 2, must be a whole number from 0 to 1"),
        ("close", [], "0 arguments, must be 1"),
        ("picture", [99], "pane = 99, must be a whole number from 0 to 1"),
        ("movie", ["a"], "pane = 'a', must be a whole number from 0 to 1"),
        ("toggle", [99, "x"], "sweep = 99, must be a whole number from 0 to 0"),
        ("toggle", [0, "../run"], "name = '../run', must be the hash of a run of the sweep"),
        ("toggle", [0, 5], "name = 5, must be a text"),
        ("mark", [0, "x", 1.0, False], "x = 'x', must be a number"),
        ("mark", [0, 1.0, 1.0, 1], "line = 1, must be True or False"),
        ("move", [float("nan"), 1.0, False, 0], "dx = nan, must be finite"),
        ("move", [1e300, 1.0, False, 0], "dx = 1e+300, must be at most 100000"),
        ("wheel", [None], "delta = None, must be a number"),
    ],
)
def test_calls_with_wrong_arguments_are_answered_with_a_sentence(
    folders: Path, name: str, arguments: list[Any], said: str
):
    page = Page(Viewer([folders / "run", folders / "sweep"]))
    page.toggle(0, page.viewer.sweeps[0].rows()[1][0]["hash"])
    before, camera = list(page.viewer.panes), replace(page.viewer.camera)
    assert called_with(page, name, *arguments) == f"{name}: {said}"
    assert page.viewer.panes == before
    assert page.viewer.camera == camera
    assert page._click is None


@pytest.mark.parametrize(("step", "t"), [("abc", 0.0), (-5, 0.0), (None, 0.0), (np.nan, 0.0), (1e300, 2.0), (1, 1.0)])
def test_a_time_that_is_none_is_the_next_one(run: RunFolder, step: Any, t: float):
    page = Page(Viewer([run.folder]))
    page.state.step = step
    assert page.t == t
    page.reload()
    page.draw()


@pytest.mark.parametrize("wrong", ["abc", -5, None, {"a": 1}, [[1, 2]], [[0, 0, "x"]], np.inf])
def test_choices_that_are_none_are_left_out(run: RunFolder, wrong: Any):
    """Whatever a browser sets: the page is drawn, and right choices after it work."""
    page = Page(Viewer([run.folder]))
    page._sizes["size_0"] = Size(300, 200)
    page.state.update(dict.fromkeys([*DEFAULTS, "step", "quantity", "size_0", "drawn", "last_step"], wrong))
    page.draw()
    page.reload()
    page._resized()
    assert page._sizes == {}
    page.state.update(DEFAULTS | {"field": "c", "step": 2})
    assert page.options == DisplayOptions(field="c")
    assert page.t == 2.0


@pytest.mark.parametrize(
    ("sides", "ratio", "drawn"),
    [
        ((1e5, 1e5), 1.0, (8192, 8192)),
        ((1e5, 1e5), 1e9, (8192, 8192)),
        ((600, 500), 1e9, (600, 500)),
        ((600, 500), -1.0, (600, 500)),
        ((600, 500), "x", (600, 500)),
        ((600, 500), 2.0, (600, 500)),
        ((600, -500), 1.0, None),
        ((600, np.inf), 1.0, None),
        (("600", 500), 1.0, None),
    ],
)
def test_the_size_of_a_page_is_bounded(sides: tuple[Any, Any], ratio: Any, drawn: tuple[int, int] | None):
    size = pane_size({"size": {"width": sides[0], "height": sides[1]}, "pixelRatio": ratio})
    assert (size is None) == (drawn is None)
    if size is not None:
        assert (size.width, size.height) == drawn
        assert 0.25 <= size.ratio <= 4.0
        assert size.width * size.height * size.ratio**2 < 1.001 * 2**25
        assert size.ratio == 2.0 or ratio != 2.0


# ---- served ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(folders: Path) -> Iterator[str]:
    """`emfem view` of the run, half a run and the sweep; at the end Ctrl-C, and it leaves without a word."""
    half = folders / "half"
    shutil.copytree(folders / "run", half)
    for path in (half / "report.json", *(half / "states").glob("*.npz")):
        path.unlink()
    command = [sys.executable, "-c", "from emfem.cli import main; main()", "view", "--no-browser"]
    paths = [str(folders / name) for name in ("run", "half", "sweep")]
    with subprocess.Popen([*command, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        line = served.stdout.readline()
        try:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?secret=[\w-]{32}  \(Ctrl-C ends it\)\n", line), line
            yield line.split()[0]
        finally:
            served.send_signal(signal.SIGINT)
            said, wrong = served.communicate(timeout=20)
    assert served.returncode == 0
    assert said == ""
    assert "Traceback" not in wrong, wrong


def asked(address: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of an answer."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace"), dict(answer.getheaders())


def token(address: str) -> str:
    """Secret in the address."""
    return parse_qs(urlsplit(address).query)["secret"][0]


@pytest.mark.parametrize("path", ["/", "/index.html", "/vue.global.js", "/ws", "/no/such/thing"])
@pytest.mark.parametrize("secret", ["", "?secret=", "?secret=wslink-secret", "?secret=é"])
def test_nothing_without_the_token(address: str, path: str, secret: str):
    status, text, headers = asked(address, path + secret.replace("é", "%C3%A9"))
    assert status == 403
    assert text == "Open the whole address that emfem view printed: it holds a token.\n"
    assert "Set-Cookie" not in headers


def test_the_token_opens_and_leaves_a_cookie(address: str):
    status, _, headers = asked(address, f"/?secret={token(address)}")
    assert status == 302
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    status, text, _ = asked(address, "/vue.global.js", {"Cookie": cookie.partition(";")[0]})
    assert status == 200
    assert "createApp" in text


@pytest.mark.parametrize("headers", [{"Host": "evil.example:80"}, {"Origin": "http://evil.example"}])
def test_pages_of_others_get_nothing(address: str, headers: dict[str, str]):
    assert asked(address, f"/index.html?secret={token(address)}", headers)[:2] == (
        403,
        "emfem view answers its own page only.\n",
    )


def test_the_socket_asks_for_the_token_too(address: str):
    """The handshake without the cookie is refused; with it, a wrong secret gets an error and no state."""
    place, cookie = urlsplit(address).netloc, f"emfem_{urlsplit(address).port}={token(address)}"

    async def talk(headers: dict[str, str], secret: str) -> list[Any]:
        said = []
        async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{place}/ws", headers=headers) as ws:
            for kind, method, arguments in (
                ("system", "wslink.hello", [{"secret": secret}]),
                ("rpc", "trame.state.get", []),
            ):
                told = {"wslink": "1.0", "id": f"{kind}:c0:1", "method": method, "args": arguments, "kwargs": {}}
                for chunk in generate_chunks(msgpack.packb(told), 0):
                    await ws.send_bytes(chunk)
                whole, read = None, UnChunker()
                read.set_max_message_size(2**24)
                while whole is None:
                    whole = read.process_chunk((await ws.receive(timeout=10)).data)
                said.append(whole)
        return said

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(talk({}, token(address)))
    wrong = asyncio.run(talk({"Cookie": cookie}, "wslink-secret"))
    assert all("error" in answer and "result" not in answer for answer in wrong)
    right = asyncio.run(talk({"Cookie": cookie}, token(address)))
    assert "result" in right[0]
    assert "state" in right[1]["result"]


# ---- in a browser ------------------------------------------------------------------------------------------------


PAGE = "document.querySelector('.page').dataset"
PAINTED = """async () => {
    await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


class Tab:
    """The page in a browser."""

    def __init__(self, page: Any) -> None:
        """Take a page of playwright."""
        self.page = page
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def settle(self, do: Callable[[], Any]) -> None:
        """Do something and wait until what follows is drawn."""
        self.page.wait_for_function(f"{PAGE}.busy === 'false'")
        before = self.drawn
        do()
        self.page.wait_for_function(
            f"n => Number({PAGE}.drawn) > n && {PAGE}.busy === 'false'", arg=before, timeout=20000
        )
        self.page.evaluate(PAINTED)

    @property
    def drawn(self) -> int:
        """Number of times that the page was drawn."""
        return int(self.page.locator(".page").get_attribute("data-drawn"))

    def pane(self, number: int = 0) -> np.ndarray:
        """Screenshot of a pane."""
        return pixels(self.page.locator(f"#pane_{number}").screenshot())

    def choose(self, what: str, words: str) -> None:
        """Choose in a list."""
        self.page.locator(f".v-select:has(#{what})").click()
        self.page.get_by_role("option", name=words, exact=True).click()

    def set(self, step: int) -> None:
        """Move the slider by its keys."""
        thumb = self.page.locator(".time .v-slider-thumb")
        thumb.focus()
        thumb.press("Home")
        for _ in range(step):
            thumb.press("ArrowRight")
        self.page.wait_for_function("t => document.querySelector('#when').innerText === t", arg=f"t = {step}")


@pytest.fixture(scope="module")
def tab(address: str) -> Iterator[Tab]:
    """The page, opened in a headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no browser is installed: none of " + ", ".join(names))
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=CHROMIUM.split())
        found = Tab(opened.new_page(viewport={"width": 1400, "height": 900}))
        found.page.goto(address)
        found.page.wait_for_selector("#pane_0 img", timeout=30000)
        found.page.wait_for_function(f"{PAGE}.busy === 'false'")
        found.page.evaluate(PAINTED)
        yield found
        opened.close()


def differ(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that differ."""
    assert one.shape == other.shape
    return float((np.abs(one - other).max(axis=2) > 0.05).mean())


def test_it_opens(tab: Tab):
    """A picture in the first pane, what is wrong in the second, the series and the numbers; the token not in sight."""
    assert (far(tab.pane(), "white") > 0.2).mean() > 0.1
    message = tab.page.locator("#pane_1 .message").inner_text()
    assert message == "half: no state is saved yet: the run is still going, or was stopped. Reload it later"
    assert tab.page.locator("#when").inner_text() == "t = 2"
    assert tab.page.locator("#chart").is_visible()
    assert "c_max" in tab.page.locator("#numbers").inner_text()
    assert "secret" not in tab.page.url
    assert tab.wrong == []


def test_the_slider_changes_the_picture(tab: Tab):
    last = tab.pane()
    tab.settle(lambda: tab.set(1))
    assert tab.page.locator("#when").inner_text() == "t = 1"
    assert differ(tab.pane(), last) > 0.02
    numbers = tab.page.locator("#numbers").inner_text()
    assert numbers.startswith("Quantities at t = 1")


def test_quantity_colours_and_mesh_change_the_picture(tab: Tab):
    seen = [tab.pane()]
    for do in (
        lambda: tab.choose("field", "phi: potential"),
        lambda: tab.choose("map", "magma"),
        lambda: tab.page.locator("#edges").click(),
        lambda: tab.page.locator("#boundaries").click(),
        lambda: tab.choose("field", "c: concentration"),
    ):
        tab.settle(do)
        seen.append(tab.pane())
        assert differ(seen[-2], seen[-1]) > 0.003
    for name in ("edges", "boundaries"):
        tab.settle(tab.page.locator(f"#{name}").click)


def test_a_component_is_chosen(tab: Tab):
    """The list is there for vectors only."""
    assert not tab.page.locator(".v-select:has(#component)").is_visible()
    tab.settle(lambda: tab.choose("field", "flux: flux of solute"))
    length = tab.pane()
    tab.settle(lambda: tab.choose("component", "y"))
    assert differ(tab.pane(), length) > 0.02
    plain = tab.pane()
    tab.settle(lambda: tab.choose("streams", "of flux: flux of solute"))
    assert differ(tab.pane(), plain) > 0.005
    tab.settle(lambda: tab.choose("streams", "none"))
    assert differ(tab.pane(), plain) == 0.0
    tab.settle(lambda: tab.choose("field", "c: concentration"))
    assert not tab.page.locator(".v-select:has(#component)").is_visible()


def test_a_range_is_typed(tab: Tab):
    before = tab.pane()
    tab.settle(lambda: tab.choose("range", "typed"))
    tab.settle(lambda: tab.page.locator("#high").fill("0.9"))
    assert differ(tab.pane(), before) > 0.02
    tab.settle(lambda: tab.page.locator("#high").fill("much"))
    assert "highest value = 'much', must be a plain number" in tab.page.locator("#choices").inner_text()
    tab.settle(lambda: tab.choose("range", "all times"))


def test_it_plays_to_the_end(tab: Tab):
    tab.settle(lambda: tab.set(0))
    assert tab.page.locator("#when").inner_text() == "t = 0"
    tab.page.locator("#play").click()
    tab.page.wait_for_function("document.querySelector('#when').innerText === 't = 2'", timeout=15000)


def test_the_mouse_zooms(tab: Tab):
    before = tab.pane()
    tab.page.locator("#pane_0 img").hover()
    tab.settle(lambda: tab.page.mouse.wheel(0, -300))
    assert differ(tab.pane(), before) > 0.05
    tab.settle(tab.page.locator("#pane_0 img").dblclick)
    assert differ(tab.pane(), before) < 0.01


def test_a_picture_is_saved(tab: Tab):
    with tab.page.expect_download() as caught:
        tab.page.locator("#pane_0 .save").click()
    assert caught.value.suggested_filename == "run_c_t2.png"
    saved = pixels(Path(caught.value.path()).read_bytes())
    assert saved.shape[1] == 2 * tab.page.locator("#pane_0 img").bounding_box()["width"]


def test_a_row_of_the_sweep_opens_its_run(tab: Tab):
    tab.settle(tab.page.locator("#sweep tr.row").nth(1).click)
    assert tab.page.locator(".pane").count() == 3
    tab.page.wait_for_selector("#pane_2 img")
    assert (far(tab.pane(2), "white") > 0.2).mean() > 0.1
    assert "open" in tab.page.locator("#sweep tr.row").nth(1).get_attribute("class")
    tab.settle(tab.page.locator("#sweep tr.row").nth(1).click)
    assert tab.page.locator(".pane").count() == 2


def test_the_case_and_the_report_are_shown(tab: Tab):
    tab.page.locator("#details").click()
    told = tab.page.locator(".v-dialog").inner_text()
    assert "[conduction.on.left]" in told or "[conduction.on" in told
    assert json.loads((Path(told.split("folder\t")[1].split("\n")[0]) / "report.json").read_text())["hash"] in told
    tab.page.locator("#close_details").click()


def test_a_run_that_goes_on_is_reloaded(tab: Tab, folders: Path):
    assert tab.page.locator("#pane_1 .message").is_visible()
    shutil.copytree(folders / "run" / "states", folders / "half" / "states", dirs_exist_ok=True)
    tab.settle(tab.page.locator("#reload").click)
    tab.page.wait_for_selector("#pane_1 img")
    assert "no report" in tab.page.locator("#pane_1 .notes").inner_text()


def test_one_slider_moves_both_runs_and_the_mark_in_the_chart(tab: Tab):
    """There and back: the pictures of the first time are those of another one, those of the last are there again."""

    def seen() -> list[np.ndarray]:
        chart = pixels(tab.page.locator("#chart").screenshot())
        return [tab.pane(0), tab.pane(1), chart]

    last = seen()
    tab.settle(lambda: tab.set(0))
    first = seen()
    changed = [differ(*both) for both in zip(first, last, strict=True)]
    assert changed[0] > 0.02
    assert changed[1] > 0.02
    assert 0.0005 < changed[2] < 0.1
    assert tab.page.locator("#numbers").inner_text().startswith("Quantities at t = 0")
    tab.settle(lambda: tab.set(2))
    assert [differ(*both) < 0.001 for both in zip(seen(), last, strict=True)] == [True] * 3


@pytest.mark.soak
def test_a_click_shows_the_values_and_shift_the_line(tab: Tab):
    """Numbers of the line are saved; a double click and a drag mark nothing."""
    image, before = tab.page.locator("#pane_0 img"), tab.pane()
    box = image.bounding_box()
    assert not tab.page.locator("#values").is_visible()
    tab.settle(lambda: image.click(position={"x": 0.4 * box["width"], "y": 0.5 * box["height"]}))
    assert re.search(r"c at x = .*, y = .*\n(.*\n)?c\s+0\.\d+", tab.page.locator("#values").inner_text())
    end = {"x": 0.6 * box["width"], "y": 0.5 * box["height"]}
    image.click(position=end, modifiers=["Shift"])
    tab.page.wait_for_selector("#profile img")
    with tab.page.expect_download() as caught:
        tab.page.locator("#save_profile").click()
    assert re.fullmatch(r"run_c_t\d_line\.csv", caught.value.suggested_filename)
    table = pd.read_csv(caught.value.path())
    assert list(table)[:4] == ["s [h]", "x [h]", "y [h]", "run: c"]
    assert len(table) == 200
    tab.settle(lambda: image.click(position={"x": 3, "y": 3}))
    tab.page.wait_for_selector("#profile", state="detached")
    tab.page.wait_for_function(f"{PAGE}.busy === 'false'")
    tab.settle(image.dblclick)
    assert not tab.page.locator("#values").is_visible()
    assert differ(tab.pane(), before) < 0.01


@pytest.mark.soak
def test_it_is_there_after_f5(tab: Tab):
    tab.page.reload()
    tab.page.wait_for_selector("#pane_0 img", timeout=30000)
    assert tab.wrong == []
