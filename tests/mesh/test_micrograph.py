"""Films from micrographs: areas of drawn shapes, electrodes on the image's frame, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import imageio.v3 as imageio
import numpy as np
import pytest
from dolfinx import fem
from numpy.typing import NDArray

MICROGRAPH = Path(__file__).resolve().parents[2] / "meshes" / "micrograph.png"


def measures(domain: em.mesh.Domain) -> dict[str, float]:
    """The area under "", and the length of each boundary."""
    one = fem.Constant(domain.mesh, 1.0)
    found = {"": domain.dx()} | {name: domain.ds(name) for name in domain.names}
    return {name: em.fields.integral(fem.form(one * dx), domain.mesh.comm) for name, dx in found.items()}


def band(rows: int = 40, columns: int = 60) -> NDArray[np.float64]:
    """Bright rows 10 to 29 across a dark image, with a round pore of radius 6 at column 30, row 20."""
    y, x = np.mgrid[:rows, :columns] + 0.5
    return np.where((y > 10) & (y < 30) & (np.hypot(x - 30, y - 20) > 6), 200.0, 50.0)


def test_a_micrograph_becomes_a_film_between_the_frame():
    """Its bright pixels cover the film's area to 2 %: smoothing eats corners, and small pores are left out."""
    domain = em.mesh.from_image(MICROGRAPH, pixel=0.1 * um, size=0.5 * um)
    assert domain.names == ("left", "right", "sides")
    bright = np.count_nonzero(imageio.imread(MICROGRAPH) > 120)
    assert measures(domain)[""] == pytest.approx(bright * (0.1 * um) ** 2, rel=0.02)
    lower, upper = em.mesh.bounds(domain.mesh)
    assert (lower[0], upper[0]) == pytest.approx((0.0, 14.4 * um), abs=1e-15)
    model = em.conduction.model(domain, on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, degree=1)
    em.solve_steady(model)
    assert 1.9 < em.conduction.resistance(model) < 3.0  # 14.4 over 7.6 squares, more for the pores


def test_a_band_with_a_pore_has_its_area_and_edges():
    """The outline at half brightness lies on the edge of the pixels, to a tenth of a pixel."""
    domain = em.mesh.from_image(band(), pixel=1.0, size=5.0, smooth=0.5, simplify=0.1)
    found = measures(domain)
    assert found[""] == pytest.approx(60 * 20 - math.pi * 36, rel=0.01)
    assert (found["left"], found["right"]) == pytest.approx((20.0, 20.0), abs=0.2)
    lower, upper = em.mesh.bounds(domain.mesh)
    assert [*lower, *upper] == pytest.approx([0.0, 10.0, 60.0, 30.0], abs=0.15)


def test_x_points_right_and_y_up():
    image = np.zeros((20, 30))
    image[:5] = 1.0  # the first rows are the top
    given: dict[str, Any] = {"pixel": 1.0, "size": 3.0, "smooth": 0.0, "simplify": 0.0}
    top = em.mesh.from_image(image, **given)
    right = em.mesh.from_image(image.T[:, ::-1], electrodes=["right"], **given)
    for domain, box in ((top, [0.0, 15.0, 30.0, 20.0]), (right, [15.0, 0.0, 20.0, 30.0])):
        assert np.ravel(em.mesh.bounds(domain.mesh)) == pytest.approx(box, abs=1e-9)


def test_dark_metal_colours_and_depths_give_the_same_film(tmp_path: Path):
    expected = measures(em.mesh.from_image(band(), pixel=1.0, size=5.0))
    imageio.imwrite(tmp_path / "colours.png", np.repeat(band()[:, :, None], 3, axis=2).astype(np.uint8))
    imageio.imwrite(tmp_path / "deep.tif", (band() * 200).astype(np.uint16))
    for image, invert in ((255.0 - band(), True), (tmp_path / "colours.png", False), (tmp_path / "deep.tif", False)):
        found = measures(em.mesh.from_image(image, pixel=1.0, size=5.0, invert=invert))
        assert found == pytest.approx(expected, rel=1e-6)


def test_specks_and_islands_are_left_out():
    given: dict[str, Any] = {"pixel": 1.0, "size": 5.0, "smooth": 0.0, "simplify": 0.0, "threshold": 0.5}
    clean = measures(em.mesh.from_image(band(), **given))
    dirty = band()
    dirty[3, 5] = dirty[35:38, 10:20] = 200.0  # a hot pixel; an island that reaches no electrode
    dirty[20, 10] = 50.0  # a dead pixel
    assert measures(em.mesh.from_image(dirty, **given)) == pytest.approx(clean, rel=1e-9)


def test_metal_inside_a_pore_is_no_pore():
    """A ring of gap around a core: with an electrode on the core it is part of the film."""
    image = np.ones((40, 40))
    y, x = np.mgrid[:40, :40] + 0.5
    image[(np.hypot(x - 20, y - 20) < 12) & (np.hypot(x - 20, y - 20) > 6)] = 0.0
    area = measures(em.mesh.from_image(image, pixel=1.0, size=4.0, electrodes={"left": "left"}))[""]
    assert area == pytest.approx(1600 - math.pi * 144, rel=0.01)
    where = {"left": lambda x: x[0] < 1e-9}
    area = measures(em.mesh.from_image(image, pixel=1.0, size=4.0, electrodes=where))[""]
    assert area == pytest.approx(1600 - math.pi * (144 - 36), rel=0.01)


def test_sides_of_the_image_can_be_named():
    image = np.ones((20, 30))
    image[8:12, 8:12] = 0.0
    domain = em.mesh.from_image(image, pixel=1.0, size=4.0, electrodes={"anode": "bottom", "cathode": "top"})
    found = measures(domain)
    assert (found["anode"], found["cathode"]) == pytest.approx((30.0, 30.0), rel=1e-9)
    path = em.mesh.from_image(image, pixel=1.0, size=4.0, electrodes={"tap": [(5.0, 0.0), (12.0, 0.0)]})
    assert measures(path)["tap"] == pytest.approx(7.0, rel=1e-9)


def test_the_threshold_moves_the_outline():
    ramp = np.repeat(np.linspace(0.0, 1.0, 41)[:, None], 20, axis=1)
    for threshold in (0.25, 0.75):
        found = measures(em.mesh.from_image(ramp, pixel=1.0, size=3.0, threshold=threshold, smooth=0.0))
        assert found["left"] == pytest.approx(0.5 + 40 * (1 - threshold), abs=0.01)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.ones((20, 20)), "image of one brightness, 1, must hold metal and gaps"),
        (np.ones((20, 20, 2)), r"image of shape \(20, 20, 2\), must be \(rows, columns\)"),
        (np.ones(20), r"image of shape \(20,\)"),
        (np.ones((2, 20)), "at least 3 x 3"),
        (np.full((20, 20), np.nan), "a pixel's brightness is not a finite number"),
        ("missing.png", "image = 'missing.png', must be a file: there is none"),
        (__file__, "must be an image that can be read"),
        ({"a": 1}, "must be numbers"),
    ],
)
def test_what_is_no_image_is_refused(image: Any, message: str):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.from_image(image, pixel=1.0, size=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixel": 0.0}, "pixel = 0, must be greater than 0"),
        ({"size": -1.0}, "size = -1, must be greater than 0"),
        ({"size": 50.0}, "size = 50, must be at most"),
        ({"threshold": 0.0}, "threshold = 0, must be greater than 0"),
        ({"threshold": 1.0}, "threshold = 1, must be less than 1"),
        ({"threshold": 0.999, "smooth": 30.0}, "threshold = 0.999, must be between .* is darker"),
        ({"threshold": 0.001, "smooth": 30.0}, "threshold = 0.001, must be between .* is brighter"),
        ({"smooth": -1.0}, "smooth = -1, must be at least 0"),
        ({"simplify": -1.0}, "simplify = -1, must be at least 0"),
        ({"invert": 1}, "invert = 1, must be True or False"),
        ({"electrodes": "left"}, "electrodes = 'left', must be a list of sides or a mapping"),
        ({"electrodes": 3}, "electrodes = 3, must be a list of sides or a mapping"),
        ({"electrodes": ["lft"]}, "'lft'; sides of an image for electrode 'lft' has left, right, bottom, top"),
        ({"electrodes": ["top"]}, "electrode 'top': no metal touches the top edge of the image"),
        ({"electrodes": {"a": "left", "b": "left"}}, "boundaries 'a' and 'b' overlap"),
        ({"electrodes": {"a": [(0.0, 0.0), (1.0, 0.0)]}}, "boundary 'a' does not lie on the outline"),
    ],
)
def test_a_bad_argument_is_refused(change: dict[str, Any], message: str):
    given: dict[str, Any] = {"pixel": 1.0, "size": 5.0} | change
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.from_image(band(), **given)


def test_an_image_of_specks_is_refused():
    image = np.zeros((20, 20))
    image[5, 5] = 1.0
    with pytest.raises(em.ParameterError, match="must leave metal larger than 4 pixels"):
        em.mesh.from_image(image, pixel=1.0, size=1.0, smooth=0.0)
