"""Maps of temperature, brought to networks."""

import re
from pathlib import Path
from typing import Any

import emfem as em
from emfem.signoff import map_temperature, read_temperature
from emfem.units import um
from tests.signoff.verdict_case import ladder, wire

import numpy as np
import pytest

PLACES = "x [um], y [um], temperature [degC]"


def csv(path: Path, *lines: str) -> Path:
    file = path / "map.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def plane(x: Any, y: Any) -> Any:
    """A temperature [K] that every linear map has exactly."""
    return 350.0 + 5e5 * np.asarray(x) + 2e5 * np.asarray(y)


def test_a_map_by_node(tmp_path: Path):
    network = ladder()
    rows = [f"{name}, {300 + i}" for i, name in reversed(list(enumerate(network.names)))]
    values = read_temperature(csv(tmp_path, "node, temperature", *rows), network)
    assert values.tolist() == [300.0 + i for i in range(8)]


def test_nodes_without_names_have_numbers_and_units_are_converted(tmp_path: Path):
    values = read_temperature(csv(tmp_path, "temperature [degC],node", "25,0", "", "26.85,1"), wire())
    assert values == pytest.approx([298.15, 300.0])


def test_a_map_by_wire_has_both_ends(tmp_path: Path):
    """Also against the direction of the wire; two ends so that it is no map by node."""
    network = ladder()
    ends = [(network.names[a], network.names[b]) for a, b in network.segments]
    rows = [f"{b},{a},{300 + i}" if i % 2 else f"{a},{b},{300 + i}" for i, (a, b) in enumerate(ends)]
    values = read_temperature(csv(tmp_path, "from,to,temperature", *reversed(rows)), network)
    assert values.tolist() == [[300.0 + i] * 2 for i in range(6)]


@pytest.mark.parametrize("grid", [True, False], ids=["grid", "scattered"])
def test_a_map_by_place_is_linear_between(tmp_path: Path, grid: bool):
    """A linear field is exact, at the edges too."""
    network = ladder()
    places = [(x, y) for x in (0, 35, 60) for y in (-10, 15)]
    if not grid:
        places += [(20, 3), (41, -4)]
    rows = [f"{x},{y},{plane(x * um, y * um) - 273.15:.12g}" for x, y in places]
    values = read_temperature(csv(tmp_path, PLACES, *rows), network)
    assert values == pytest.approx(plane(*network.nodes.T), abs=1e-9)


@pytest.mark.parametrize("grid", [True, False], ids=["grid", "scattered"])
def test_nodes_on_the_edge_are_in_the_map(tmp_path: Path, grid: bool):
    """An edge that rounding has moved by a part of 1e-12."""
    places = [(x, y) for x in (1e-9, 60 * (1 - 1e-12)) for y in (-1, 1)] + [(30, 0.5)] * (not grid)
    rows = [f"{x!r},{y},77" for x, y in places]
    assert read_temperature(csv(tmp_path, PLACES, *rows), ladder()) == pytest.approx(350.15)


def test_unit_is_that_of_coordinates_without_one(tmp_path: Path):
    network = ladder()
    file = csv(tmp_path, "x,y,temperature", "0,-1,300", "0,1,300", "60,-1,360", "60,1,360")
    assert read_temperature(file, network, unit=um)[:4] == pytest.approx([300, 320, 340, 360])


def test_a_grid_in_arrays(tmp_path: Path):
    network = ladder()
    x, y = np.array([0.0, 20.0, 60.0]) * um, np.array([-1.0, 1.0]) * um
    np.savez(tmp_path / "map.npz", x=x, y=y, temperature=plane(*np.meshgrid(x, y, indexing="ij")))
    assert read_temperature(tmp_path / "map.npz", network) == pytest.approx(plane(*network.nodes.T))


def test_functions_numbers_and_arrays(tmp_path: Path):
    network = ladder()
    exact = plane(*network.nodes.T)[network.segments]
    file = csv(tmp_path, PLACES, *(f"{x},{y},{plane(x * um, y * um) - 273.15:.12g}" for x in (0, 60) for y in (-1, 1)))
    for source in (lambda x: plane(*x.T), plane(*network.nodes.T), exact, file, str(file)):
        heat = map_temperature(source, network)
        assert np.stack([heat.start, heat.end], 1) == pytest.approx(exact)
    assert np.unique(map_temperature(350, network).end).tolist() == [350.0]
    assert map_temperature(heat, network) is heat


def test_nodes_without_metal_need_no_temperature():
    network = ladder()
    bare = em.mesh.Network(
        np.vstack([network.nodes, [[0.0, 0.0]]]), network.segments, network.width, network.thickness,
        np.vstack([network.vias, [[8, 4]]]), np.full(5, 0.1), pads={8: 1.0},
    )  # fmt: skip
    values = np.append(np.full(8, 350.0), np.nan)
    assert np.unique(map_temperature(values, bare).start).tolist() == [350.0]


NODES = [f"{name},350" for name in ladder().names]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "map.csv has no rows"),
        (["node,temperature"], "map.csv has no rows"),
        (["node,temperatur", "a0,350"], "'temperatur'; map.csv, line 1: a table of temperatures has temperature"),
        (
            ["node,x,temperature", "a0,1,350"],
            "map.csv, line 1, has columns node x temperature, must be node temperature, or",
        ),
        (["node,temperature,temperature [K]", "a0,350,350"], "map.csv, line 1, has two columns temperature"),
        (["node,temperature", "a0,350,1"], "map.csv, line 2: 3 cells, must be 2: node, temperature"),
        (["node,temperature", *NODES, "c0,350"], "'c0'; map.csv, line 10: the network, among its nodes, has a0"),
        (["node,temperature", *NODES, "a1,351"], "map.csv, line 10: node 'a1' as in line 3, must be there once"),
        (["node,temperature", *NODES[:-2]], "map.csv has no temperature of 2 of 8 nodes, such as node 'b2'"),
        (["node,temperature", "a0,hot"], "map.csv, line 2: temperature = 'hot', must be a finite number"),
        (["node,temperature", "a0,nan"], "map.csv, line 2: temperature = 'nan', must be a finite number"),
        (["node,temperature", "a0,1e999"], "map.csv, line 2: temperature = '1e999', must be a finite number"),
        (["node,temperature", "a0,85"], "map.csv, line 2: temperature = 85 K, must be between 150 and 3700 K: degrees"),
        (["node,temperature [volt]", "a0,85"], "map.csv, line 1: column temperature in 'volt', must be in a unit of K"),
        (["node,temperature [9**9]", "a0,85"], "map.csv, line 1: column temperature in '9**9', must be in a unit of K"),
        (["from,to,temperature", "a0,a2,350"], "map.csv, line 2: no wire joins node 'a0' and node 'a2'"),
        (["from,to,temperature", "a0,a1,350"], "map.csv has no temperature of 5 of 6 wires, such as segment 1"),
        (
            ["from,to,temperature", "a0,a1,350", "a1,a0,351"],
            "map.csv, line 3: node 'a1' to node 'a0' as in line 2, must be there once",
        ),
        ([PLACES, "0,0,50", "60,0,50"], "map.csv has places on one line"),
        ([PLACES, "0,0,50", "30,30,50", "60,60,50"], "map.csv has places on one line"),
        ([PLACES, "0,0,50", "0,0,51", "1,1,50"], "map.csv, line 3: the place (0, 0) m as in line 2"),
        (
            [PLACES, "0,-1,50", "0,1,50", "41,-1,50", "41,1,50"],
            "map.csv: 2 of 8 nodes are outside of the map, such as node 'a3' at (6e-05, 0) m; it has x from 0 to 4",
        ),
        ([PLACES, "0,-1,50", "2,3,50", "41,-1,50", "41,1,50", "7,7,5"], "map.csv: 4 of 8 nodes are outside of the map"),
        (["node,temperature", '"a0,350'], "path = "),
    ],
)
def test_what_is_no_map_is_refused_with_its_line(tmp_path: Path, lines: list[str], message: str):
    with pytest.raises(em.ParameterError, match=f"^{re.escape(message)}") as error:
        read_temperature(csv(tmp_path, *lines), ladder())
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    (tmp_path / "half.npz").write_bytes(b"PK\x03\x04")
    np.savez(tmp_path / "lacking.npz", x=[0.0, 1.0])
    np.savez(tmp_path / "falling.npz", x=[1.0, 0.0], y=[0.0, 1.0], temperature=np.full((2, 2), 350.0))
    np.savez(tmp_path / "shape.npz", x=[0.0, 1.0], y=[0.0, 1.0], temperature=np.full((2, 3), 350.0))
    np.savez(tmp_path / "celsius.npz", x=[0.0, 1.0], y=[0.0, 1.0], temperature=np.full((2, 2), 85.0))
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}]), y=[0.0, 1.0], temperature=np.full((2, 2), 350.0))
    for name, message in (
        ("binary.csv", "must be a table of temperatures in CSV"),
        ("missing.csv", "must be a table of temperatures in CSV: No such file"),
        ("map.txt", r"must end in .csv or .npz"),
        ("half.npz", "must be a .npz file with x, y and temperature"),
        ("lacking.npz", "must be a .npz file with x, y and temperature"),
        ("falling.npz", "x in falling.npz, must be at least two numbers that increase"),
        ("shape.npz", r"temperature in shape.npz of shape \(2, 3\), must be finite, of shape \(2, 2\)"),
        ("celsius.npz", "temperature in celsius.npz = 85 K, must be between"),
        ("objects.npz", "must be a .npz file with x, y and temperature"),
    ):
        with pytest.raises(em.ParameterError, match=message):
            read_temperature(tmp_path / name, ladder())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.array([350.0] * 3 + [85.0] + [350.0] * 4),
            "temperature of segment 2 ('a2' to 'a3') = 85 K, must be between",
        ),
        (np.full(7, 350.0), "temperature of shape (7,), must be a number, one a node (8), one a segment (6) or two"),
        (lambda x: np.full(8, np.nan), "temperature of node 'a0' = nan K, must be finite"),
        (lambda x: 350.0, "temperature = 350.0, must be one number a node, shape (8,)"),
        (4000.0, "temperature of segment 0 ('a0' to 'a1') = 4000 K, must be between 150 and 3700 K"),
        (85, "temperature of segment 0 ('a0' to 'a1') = 85 K, must be between 150 and 3700 K: degrees Celsius"),
    ],
)
def test_values_of_a_script_are_checked(values: Any, message: str):
    with pytest.raises(em.ParameterError, match=f"^{re.escape(message)}"):
        map_temperature(values, ladder())
