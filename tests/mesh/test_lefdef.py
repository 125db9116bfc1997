"""Layers of LEF files and wires of DEF files, and netlists and technologies that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import pytest

MESHES = Path(__file__).resolve().parents[2] / "meshes"
LEF, DEF = (MESHES / "chip.lef", MESHES / "chip.def")
NETLIST = """* Netlist for VDD on default
R0 Node_met1_0_0 Node_met1_20000_0 R=11.7647
R1 Node_met1_20000_0 Node_met2_20000_0 R=5
R2 Node_met2_20000_0 Node_met2_20000_40000 R=4.16667
R3 Node_met1_20000_0 Node_met1_20010_200 R=2
V0 Node_met2_20000_40000 0 DC 1.1
I0 Node_met1_0_0 0 DC 1e-6
I1 Node_met1_20010_200 0 DC 1e-6
"""
METAL = 'metal = {name = "copper"}\n'
HEAD = 'temperature = 378.15\ncritical_stress = 5e8\nlef = "chip.lef"\n' + METAL


def of_text(tmp_path: Path, text: str, read: Any, name: str) -> Any:
    """The content of a text, as `read` returns it."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_a_lef_file_has_layers_of_metal():
    lef = em.mesh.read_lef(LEF)
    assert list(lef.layers) == ["met1", "met2"]
    assert lef.unit == pytest.approx(0.5e-9, rel=1e-12, abs=0)
    one = lef.layers["met1"]
    sizes = [one.thickness, one.sheet_resistance, one.width, one.spacing]
    assert sizes == pytest.approx([0.1 * um, 0.2, 0.07 * um, 0.065 * um], rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("table", "ohm"),
    [
        ("PWL ( ( 1 0.3 ) ( 10 0.15 ) )", 0.15),
        ("PWL ( ( 0.3 0.2 ) ( 0.1 0.5 ) )", 0.2),
        ("PWL ((0.1 0.5) (0.3 0.2))", 0.2),
        ("PWL ( ( 0.3 ) )", None),
        ("PWL ( )", None),
        ("PWL ( ( 1 0.3 ) ( 10 ) )", None),
    ],
)
def test_a_sheet_resistance_may_be_a_table_over_widths(tmp_path: Path, table: str, ohm: float | None):
    text = LEF.read_text(encoding="utf-8").replace("RPERSQ 0.2 ;", f"RPERSQ {table} ;")
    if ohm is not None:
        assert of_text(tmp_path, text, em.mesh.read_lef, "a.lef").layers["met1"].sheet_resistance == ohm
        return
    with pytest.raises(em.ParameterError, match=r"a.lef, line \d+: RESISTANCE RPERSQ PWL, must have a table of pairs"):
        of_text(tmp_path, text, em.mesh.read_lef, "a.lef")


def test_a_def_file_has_the_width_of_each_wire():
    geometry = em.mesh.read_def(DEF)
    assert geometry.unit == pytest.approx(0.5e-9, rel=1e-12, abs=0)
    assert {name: len(corners) for name, corners in geometry.rectangles.items()} == {"met1": 3, "met2": 2}
    start = np.array([[0, 0], [0, 5], [10, 0], [0, 0]]) * um
    end = np.array([[10, 0], [10, 5], [10, 0.05], [10, 0.001]]) * um
    widths = geometry.widths("met1", start, end)
    assert widths[:2] == pytest.approx([0.17 * um, 0.17 * um], rel=1e-9, abs=0)
    assert np.isnan(widths[2:]).all()  # across a rail; neither along x nor along y
    start, end = (np.array([[10, y], [15.25, y], [3, y]]) * um for y in (2, 9))
    stripes = geometry.widths("met2", start, end)
    assert stripes[:2] == pytest.approx([0.48 * um, 0.5 * um], rel=1e-9, abs=0)
    assert np.isnan(stripes[2])
    assert np.isnan(geometry.widths("met9", start, end)).all()


def test_rectangles_may_follow_a_path_without_layer(tmp_path: Path):
    """As DEF 5.8 has it, and a path that is fixed without one."""
    net = "- VDD2 + FIXED + SHAPE RING + MASK 2 + RECT met2 ( 0 0 ) ( 400 2000 )\n ;\n- VSS + USE GROUND + FIXED ;\n"
    text = DEF.read_text(encoding="utf-8").replace("END SPECIALNETS", net + "END SPECIALNETS")
    corners = of_text(tmp_path, text, em.mesh.read_def, "a.def").rectangles["met2"]
    assert corners[-1] == pytest.approx(np.array([0, 0, 0.2, 1.0]) * um, rel=1e-9, abs=0)


def test_nets_may_be_named_like_statements_and_be_shields(tmp_path: Path):
    shield = "+ SHIELD VDD met1 200 ( 0 30000 ) ( 40000 * )\n  + RECT"
    text = (
        DEF.read_text(encoding="utf-8").replace("- VSS", "- NEW").replace("- VDD", "- RECT").replace("+ RECT", shield)
    )
    geometry = of_text(tmp_path, text, em.mesh.read_def, "a.def")
    assert {name: len(corners) for name, corners in geometry.rectangles.items()} == {"met1": 4, "met2": 2}
    assert geometry.rectangles["met1"][3] == pytest.approx(np.array([0, 14.95, 20, 15.05]) * um, rel=1e-9, abs=1e-18)


def test_a_netlist_takes_widths_and_unit_of_its_def_file(tmp_path: Path):
    """R = 0.2 Ohm 10/0.17 and 0.1 Ohm 20/0.48; the wire that lies askew keeps the width of its resistance."""
    path = tmp_path / "a.sp"
    path.write_text(NETLIST, encoding="utf-8")
    (tmp_path / "chip.lef").write_bytes(LEF.read_bytes())
    technology = of_text(tmp_path, HEAD, em.signoff.read_technology, "a.toml")
    geometry = em.mesh.read_def(DEF)
    network = em.mesh.read_netlist(path, technology=technology, geometry=geometry)
    askew = 0.2 * np.hypot(0.005, 0.1) * um / 2
    assert network.width == pytest.approx([0.17 * um, 0.48 * um, askew], rel=1e-9, abs=0)
    assert network.lengths[:2] == pytest.approx([10 * um, 20 * um], rel=1e-12, abs=0)
    plain = em.mesh.read_netlist(path, technology=technology)  # the unit is that of the LEF file
    assert plain.width == pytest.approx(network.width, rel=1e-5, abs=0)
    own = em.mesh.read_netlist(path, technology=technology, geometry=geometry, width={"R0": 0.175 * um})
    assert own.width[0] == 0.175 * um
    path.write_text(NETLIST.replace("11.7647", "23.5"), encoding="utf-8")
    with pytest.warns(em.ResolutionWarning, match=r"1 wires have another resistance .*, R0 of a.sp, line 2 0.501 t"):
        assert em.mesh.read_netlist(path, technology=technology, geometry=geometry).width[0] == pytest.approx(
            0.17 * um, rel=1e-6, abs=0
        )
    wrong: Any = DEF
    with pytest.raises(em.ParameterError, match=r"geometry = .*, must be that of em.mesh.read_def"):
        em.mesh.read_netlist(path, technology=technology, geometry=wrong)


def test_a_technology_takes_layers_of_a_lef_file(tmp_path: Path):
    (tmp_path / "chip.lef").write_bytes(LEF.read_bytes())
    technology = of_text(tmp_path, HEAD, em.signoff.read_technology, "a.toml")
    assert list(technology.layers) == ["met1", "met2"]
    assert technology.layers["met2"].resistivity == pytest.approx(2e-8, rel=1e-12, abs=0)
    assert technology.layers["met2"].width is None  # that of the file is for signals
    more = """unit = "1 nm"
metal.name = "copper"
layers.met2.thickness = "0.4 um"
layers.met1.resistivity = 3e-8
layers.top.thickness = 1e-6
"""
    technology = of_text(tmp_path, HEAD.replace(METAL, more), em.signoff.read_technology, "a.toml")
    assert technology.unit == pytest.approx(1e-9, rel=1e-6, abs=0)
    assert set(technology.layers) == {"met1", "met2", "top"}
    assert technology.layers["met2"].resistivity == pytest.approx(4e-8, rel=1e-12, abs=0)  # 0.1 Ohm x 0.4 um
    assert technology.layers["met1"].resistivity == 3e-8
    assert technology.layers["met1"].thickness == pytest.approx(0.1 * um, rel=1e-6, abs=0)
    for word, message in (
        ("none.lef", r"a.toml: path = .*none.lef', must be a file"),
        ("../a.lef", "file beside a.toml"),
    ):
        with pytest.raises(em.ParameterError, match=message):
            of_text(tmp_path, HEAD.replace("chip.lef", word), em.signoff.read_technology, "a.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("THICKNESS 0.1 ", "THICKNESS fat ", r"a.lef, line 12: THICKNESS 'fat', must be a positive number"),
        ("THICKNESS 0.1 ", "THICKNESS -1 ", r"a.lef, line 12: THICKNESS '-1', must be a positive number"),
        ("RPERSQ 0.2", "RPERSQ 1e999", r"a.lef, line 11: RESISTANCE RPERSQ '1e999', must be a positive number"),
        ("MICRONS 2000", "MICRONS 0", r"a.lef, line 4: DATABASE MICRONS '0', must be a positive number"),
        ("END met1", "", r"a.lef, line 7: LAYER met1, must have an END"),
        ("TYPE ROUTING", "TYPE CUT", r"a.lef has no layer of metal, must have LAYER \.\.\. TYPE ROUTING"),
    ],
)
def test_bad_lef_files_are_refused_with_the_line(tmp_path: Path, old: str, new: str, message: str):
    text = LEF.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(em.ParameterError, match=message):
        of_text(tmp_path, text.replace(old, new), em.mesh.read_lef, "a.lef")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("( 40000 * )", "( far * )", r"a.def, line 8: coordinate 'far', must be a number"),
        ("( 0 0 ) ( 40000 * )", "( 0 * ) ( 40000 * )", r"a.def, line 8: coordinate '\*', must be a number"),
        ("( 0 0 ) ( 40000 * )", "( 0 0 ) ( 40000 )", r"a.def, line 8: a point of 1 numbers, must have x and y"),
        (
            "ROUTED met1 340 + SHAPE FOLLOWPIN ( 0 0 )",
            "ROUTED met1 + ( 0 0 )",
            r"line 8: width of a wire '\+', must be a n",
        ),
        (
            "DISTANCE MICRONS 2000",
            "DISTANCE MICRONS x",
            r"a.def, line 4: UNITS DISTANCE MICRONS 'x', must be a positive",
        ),
        ("UNITS DISTANCE MICRONS 2000 ;", "", r"a.def has no unit, must have UNITS DISTANCE MICRONS before its nets"),
        ("SPECIALNETS", "NETS", r"a.def has no wires of special nets, must have SPECIALNETS"),
    ],
)
def test_bad_def_files_are_refused_with_the_line(tmp_path: Path, old: str, new: str, message: str):
    text = DEF.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(em.ParameterError, match=message):
        of_text(tmp_path, text.replace(old, new), em.mesh.read_def, "a.def")


def test_half_a_def_file_is_refused(tmp_path: Path):
    text = DEF.read_text(encoding="utf-8")
    with pytest.raises(em.ParameterError, match=r"a.def, line 8: '\(', must not be the end of the file"):
        of_text(tmp_path, text[: text.index("40000 * )")], em.mesh.read_def, "a.def")


def test_a_wire_of_negative_width_is_refused(tmp_path: Path):
    text = DEF.read_text(encoding="utf-8").replace("met1 340 ", "met1 -340 ")
    with pytest.raises(em.ParameterError, match=r"a.def, line \d+: width of a wire = -340, must not be negative"):
        of_text(tmp_path, text, em.mesh.read_def, "a.def")


def test_the_unit_of_a_technology_comes_before_that_of_a_layout(tmp_path: Path):
    """A netlist in micrometres, and a DEF file of the same wires in database units."""
    netlist = tmp_path / "grid.sp"
    netlist.write_text("R1 n1_0_0 n1_20_0 4\nV1 n1_20_0 0 1\nI1 n1_0_0 0 1e-6\n", encoding="utf-8")
    layer, copper = em.signoff.Layer("1", 0.1 * um, 2e-8, width=1 * um), em.materials.copper(temperature=378.0)
    technology = em.signoff.Technology({"1": layer}, copper, 378.0, 5e8, unit=1 * um)
    network = em.mesh.read_netlist(netlist, technology=technology, geometry=em.mesh.read_def(DEF))
    assert network.lengths == pytest.approx([20 * um], rel=1e-12, abs=0)
