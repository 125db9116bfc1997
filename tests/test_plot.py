"""Pictures: their size, their colours, and that a periodic film is drawn without tears."""

from pathlib import Path

import emfem as em

import imageio.v3 as iio
import numpy as np
import pytest
import ufl
from dolfinx import fem


@pytest.fixture(scope="module")
def film() -> em.Model:
    """A wave along x on a periodic film, its crest at the seam."""
    domain = em.mesh.periodic_rectangle((4.0, 2.0), cells=(8, 4))
    return em.film.model(
        domain, em.film.cupd(), initial=lambda x: 0.3 + 0.1 * np.cos(2 * np.pi * x[0] / 4.0) + 0 * x[1]
    )


def test_field_colours_follow_the_values(film: em.Model, tmp_path: Path) -> None:
    """Crest at both edges, trough in the middle: a torn seam would show the trough's colour at the edge."""
    path = em.plot.field(film["c"], tmp_path / "made" / "c.png", colours="winter", title="c")  # blue low, green high
    image = iio.imread(path)[:, :, :3].astype(float)
    row = image[image.shape[0] // 2]
    coloured = np.flatnonzero(np.ptp(row, axis=1) > 100)
    gap = np.flatnonzero(np.diff(coloured) > 5)[0]  # between the film and the colour bar
    green = row[coloured[: gap + 1], 1]
    assert green[[3, -4]].min() > 240
    assert np.argmin(green) == pytest.approx(len(green) / 2, abs=0.03 * len(green))
    assert green.min() < 15


def test_grid_holds_every_cell_whole(film: em.Model) -> None:
    grid = em.plot.grid(film["c"])
    assert grid is not None
    assert grid.n_cells == 32
    assert grid.compute_cell_sizes()["Area"] == pytest.approx(np.full(32, 0.25))
    x = np.asarray(grid.points)[:, 0]
    assert np.asarray(grid["value"]) == pytest.approx(0.3 + 0.1 * np.cos(2 * np.pi * x / 4.0), abs=1e-12)


def test_film_strip_has_a_panel_a_time(film: em.Model, tmp_path: Path) -> None:
    one = iio.imread(em.plot.film_strip([film["c"]], tmp_path / "one.png"))
    three = iio.imread(em.plot.film_strip([film["c"]] * 3, tmp_path / "three.png", titles=["a", "b", "c"]))
    rows = iio.imread(em.plot.film_strip([film["c"]] * 3, tmp_path / "rows.png", columns=1))
    assert three.shape[1] > 1.5 * one.shape[1]
    assert rows.shape[0] > 1.5 * three.shape[0]


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
    path = em.plot.dispersion(
        em.film.cupd(), tmp_path / "d.png", mean=0.3, anisotropy=crystal, field=(0.1, 0.0), measured=[(1.0, 0.0, 0.01j)]
    )
    image = iio.imread(path)
    assert image.shape[1] > 2 * image.shape[0]
    assert np.unique(image[:, :, :3].reshape(-1, 3), axis=0).shape[0] > 20


def test_one_and_three_dimensions_are_drawn(tmp_path: Path) -> None:
    for domain in (em.mesh.interval(2.0, cells=4), em.mesh.box((1.0, 1.0, 2.0), cells=(2, 2, 2))):
        film = em.film.model(domain, em.film.cupd(), initial=lambda x: 0.3 + 0.1 * x[0] / 2.0)
        image = iio.imread(em.plot.field(film["c"], tmp_path / f"{domain.dim}.png"))
        assert image[:, :, :3].std() > 5


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda c, p: em.plot.field(c, p / "c.jpg"), "jpg', must end in .png"),
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
