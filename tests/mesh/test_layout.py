"""Films from GDS layouts: areas and electrodes in metres, and what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import gdstk
import pytest
from dolfinx import fem

SERPENTINE = Path(__file__).resolve().parents[2] / "meshes" / "serpentine.gds"
PADS = {"anode": 10, "cathode": 11}


def measures(domain: em.mesh.Domain) -> list[float]:
    """The area, and the length of each boundary."""
    one = fem.Constant(domain.mesh, 1.0)
    found = [domain.dx(), *(domain.ds(name) for name in domain.names)]
    return [em.fields.integral(fem.form(one * dx), domain.mesh.comm) for dx in found]


Draw = Callable[..., Path]


@pytest.fixture
def layout(tmp_path: Path) -> Draw:
    """Makes a layout of rectangles (x0, y0, x1, y1, layer, datatype) in one cell, TOP, in micrometres."""

    def make(*rectangles: tuple[float, float, float, float, int, int], also: str = "") -> Path:
        library = gdstk.Library("test")
        cell = library.new_cell("TOP")
        for x0, y0, x1, y1, layer, datatype in rectangles:
            cell.add(gdstk.rectangle((x0, y0), (x1, y1), layer=layer, datatype=datatype))
        if also:
            library.new_cell(also).add(gdstk.rectangle((0, 0), (1, 1), layer=1))
        library.write_gds(tmp_path / "test.gds")
        return tmp_path / "test.gds"

    return make


LINE = (0.0, 0.0, 10.0, 2.0, 1, 0)
LEFT, RIGHT = (-2.0, -1.0, 0.0, 3.0, 10, 0), (9.0, -1.0, 12.0, 3.0, 11, 0)  # one abuts, one overlaps


def test_a_serpentine_is_read_in_metres():
    """Five runs of 30 um and four steps of 5 um, 2 um wide; both pads end it across its width."""
    domain = em.mesh.from_gds(SERPENTINE, layer=1, electrodes=PADS, size=1 * um)
    assert domain.names == ("anode", "cathode", "sides")
    area, anode, cathode, _ = measures(domain)
    assert area == pytest.approx((5 * 30 + 4 * 5 - 1) * 2e-12, rel=1e-9, abs=0)
    assert (anode, cathode) == pytest.approx((2e-6, 2e-6), rel=1e-9)
    model = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    em.solve_steady(model)
    assert model.quantities["power"].unit == "W/m"  # the file tells its unit
    assert 75 < em.conduction.resistance(model) < 85  # 169 / 2 squares, less about 0.44 at each of 8 corners


def test_pads_may_abut_or_overlap(layout: Draw):
    domain = em.mesh.from_gds(layout(LINE, LEFT, RIGHT), layer=1, electrodes=PADS, size=1 * um)
    assert measures(domain) == pytest.approx([18e-12, 2e-6, 2e-6, 18e-6], rel=1e-9)


def test_the_unit_can_be_chosen(layout: Draw):
    domain = em.mesh.from_gds(layout(LINE, LEFT, RIGHT), layer=1, electrodes=PADS, size=1.0, unit=1.0)
    assert measures(domain) == pytest.approx([18.0, 2.0, 2.0, 18.0], rel=1e-9)


def test_a_film_is_the_union_of_its_polygons_and_references(tmp_path: Path):
    """Two overlapping rectangles in a cell that is used twice, turned once."""
    library = gdstk.Library("test")
    part, top = library.new_cell("PART"), library.new_cell("TOP")
    part.add(gdstk.rectangle((0, 0), (6, 2), layer=1), gdstk.rectangle((4, 0), (10, 2), layer=1, datatype=3))
    top.add(gdstk.Reference(part), gdstk.Reference(part, origin=(10, 0), rotation=1.5707963267948966))
    top.add(gdstk.rectangle((-1, 0), (0, 2), layer=2))
    library.write_gds(tmp_path / "test.gds")
    domain = em.mesh.from_gds(tmp_path / "test.gds", layer=1, electrodes={"left": 2}, size=1 * um)
    assert measures(domain)[:2] == pytest.approx([36e-12, 2e-6], rel=1e-9)
    only = em.mesh.from_gds(tmp_path / "test.gds", layer=(1, 0), electrodes={"left": (2, 0)}, size=1 * um)
    assert measures(only)[:2] == pytest.approx([24e-12, 2e-6], rel=1e-9)


@pytest.mark.parametrize(("tip", "fits"), [(30.0, True), (3e4, False)])
def test_a_needle_as_a_wrong_bit_makes_it_is_refused(tip: float, fits: bool, tmp_path: Path):
    library = gdstk.Library("test")
    cell = library.new_cell("top")
    cell.add(gdstk.Polygon([(0, 0), (8, 0), (8, 2), (tip, 3), (8, 4), (8, 6), (0, 6)], layer=1))
    cell.add(gdstk.rectangle((-1, 0), (0, 6), layer=2), gdstk.rectangle((0, 6), (8, 7), layer=3))
    library.write_gds(tmp_path / "a.gds")
    with (
        contextlib.nullcontext() if fits else pytest.raises(em.ParameterError, match=r"must be at least 0\.06 degrees")
    ):
        em.mesh.from_gds(tmp_path / "a.gds", layer=1, electrodes={"left": 2, "top": 3}, size=2e-6)


def test_a_cell_is_chosen_by_name(layout: Draw):
    path = layout(LINE, LEFT, RIGHT, also="OTHER")
    domain = em.mesh.from_gds(path, layer=1, electrodes=PADS, size=1 * um, cell="TOP")
    assert measures(domain)[0] == pytest.approx(18e-12, rel=1e-9, abs=0)
    with pytest.raises(em.ParameterError, match=r"must be one of the 2 at the top of test.gds: TOP, OTHER"):
        em.mesh.from_gds(path, layer=1, electrodes=PADS, size=1 * um)
    with pytest.raises(em.UnknownName, match=r"'ELSE'; test.gds has TOP, OTHER"):
        em.mesh.from_gds(path, layer=1, electrodes=PADS, size=1 * um, cell="ELSE")


@pytest.mark.parametrize(
    ("rectangles", "message"),
    [
        ((LINE, LEFT), r"electrodes\['cathode'\] = 11, must hold polygons: cell 'TOP' of test.gds has 1/0, 10/0"),
        ((LEFT, RIGHT), r"layer = 1, must hold polygons: cell 'TOP' of test.gds has 10/0, 11/0"),
        ((LINE, LEFT, (12.0, 0.0, 13.0, 2.0, 11, 0)), "electrode 'cathode' does not touch the film"),
        ((LINE, LEFT, (10.0, 2.0, 13.0, 3.0, 11, 0)), "electrode 'cathode' does not touch the film"),  # at a corner
        ((LINE, LEFT, (-1.0, 0.0, 1.0, 3.0, 11, 0)), "electrodes 'anode' and 'cathode' overlap"),
        ((LINE, LEFT, (0.0, -1.0, 12.0, 3.0, 11, 0)), "the electrodes cover all of the film"),
    ],
)
def test_a_layout_without_a_film_between_electrodes_is_refused(layout: Draw, rectangles: Any, message: str):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.from_gds(layout(*rectangles), layer=1, electrodes=PADS, size=1 * um)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x06\x00\x02", b"\x00\x06\x00\x02" + bytes(range(200))])
def test_garbage_is_no_layout(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    (tmp_path / "bad.gds").write_bytes(content)
    with pytest.raises(em.ParameterError, match="must be a GDS file"):
        em.mesh.from_gds(tmp_path / "bad.gds", layer=1, electrodes={}, size=1.0)
    begins_well = content.startswith(b"\x00\x06")  # of what does, gdstk complains
    assert begins_well or "GDSTK" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": None}, "path = None, must be the name of a file"),
        ({"path": "missing.gds"}, "path = 'missing.gds', must be a file: there is none"),
        ({"layer": -1}, "layer = -1, must be a layer's number or"),
        ({"layer": True}, "layer = True, must be a layer's number or"),
        ({"layer": (1, 0, 0)}, r"layer = \(1, 0, 0\), must be a layer's number or"),
        ({"layer": "metal"}, "layer = 'metal', must be a layer's number or"),
        ({"electrodes": 10}, "electrodes = 10, must be a mapping"),
        ({"electrodes": {"anode": "pad"}}, r"electrodes\['anode'\] = 'pad', must be a layer's number or"),
        ({"electrodes": {1: 10}}, "name of an electrode = 1, must be a word"),
        ({"electrodes": {"sides": 10}}, "a boundary named 'sides'"),
        ({"size": 0.0}, "size = 0, must be greater than 0"),
        ({"size": 1.0}, "size = 1, must be at most"),
        ({"unit": -1.0}, "unit = -1, must be greater than 0"),
        ({"cell": 3}, "cell = 3, must be the name of a cell"),
        ({"refine": 1.0}, "refine = 1, must be at most"),
    ],
)
def test_a_bad_argument_is_refused(change: dict[str, Any], message: str):
    given: dict[str, Any] = {"path": SERPENTINE, "layer": 1, "electrodes": PADS, "size": 1 * um} | change
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.from_gds(given.pop("path"), **given)
