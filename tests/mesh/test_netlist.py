"""Networks from files: netlists of power grids, TOML and CSV tables."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import pytest

MESHES = Path(__file__).resolve().parents[2] / "meshes"
GRID = MESHES / "grid.sp"
METAL: dict[str, Any] = {"resistivity": 2e-8, "thickness": 0.2 * um, "unit": um}

# A line of two wires in layer 1 from a pad to a load.
LINE = """a title
R1 n1_0_0 n1_10_0 1
R2 n1_10_0 n1_20_0 1
V1 n1_0_0 0 1
I1 n1_20_0 0 1m
.end
"""


def read(tmp_path: Path, text: str, **changed: Any) -> em.mesh.Network:
    """The network of a netlist."""
    path = tmp_path / "some.sp"
    path.write_text(text, encoding="utf-8")
    return em.mesh.read_netlist(path, **(METAL | changed))


def test_the_example_has_its_wires_vias_loads_and_pad():
    domain = em.mesh.from_netlist(GRID, **METAL, cells=2)
    network = domain.wires()
    assert (len(network.nodes), len(network.segments), len(network.vias)) == (11, 6, 5)
    assert domain.regions == network.layers == ("1", "2")
    assert network.layer.tolist() == [0, 0, 0, 0, 1, 1]
    assert network.width == pytest.approx(np.full(6, 1 * um), rel=1e-12, abs=0)
    named = dict(zip(network.names, range(11), strict=True))
    assert network.pads == {named["_X_n2_0_0"]: 1.0}
    assert network.loads[named["n1_20_0"]] == pytest.approx(2e-4)
    assert network.loads[named["n1_20_20"]] == pytest.approx(4e-4)
    assert sorted(network.via_resistance.tolist()) == [0.0, 0.25, 0.5, 0.5, 0.5]
    assert domain.quality().cells == 12


def test_metal_of_different_layers_is_joined_electrically_only():
    network = em.mesh.read_netlist(GRID, **METAL)
    assert network.components.max() + 1 == 4  # two stripes in each layer
    package = network.names.index("_X_n2_0_0")
    assert network.components[package] == -1
    assert network.degree[package] == 0
    assert np.isfinite(network.nodes).all()


def test_a_resistor_between_layers_is_a_via_however_long(tmp_path: Path):
    text = LINE.replace("R2 n1_10_0 n1_20_0", "RV n1_10_0 n2_12_0 1\nR2 n2_12_0 n2_20_0").replace("I1 n1", "I1 n2")
    network = read(tmp_path, text)
    assert (len(network.segments), network.via_resistance.tolist()) == (2, [1.0])
    assert network.components.tolist() == [0, 0, 1, 1]


def test_the_example_carries_the_currents_of_its_circuit():
    """By hand: from n2_0_0 two ways of 0.5 + 2 and 2 + 0.5 + 2 Ohm lead to the loads, joined at the far side."""
    found = em.conduction.kirchhoff(em.mesh.read_netlist(GRID, **METAL), 2e-8)
    network = found.network
    volts = dict(zip(network.names, found.potential, strict=True))
    assert volts["n2_0_0"] == pytest.approx(1 - 0.25 * 6e-4, rel=1e-12)
    # loop: 0.5 + 2 (i) to I1, 2 + 0.5 + 2 (k) to I2, and 2 + 0.5 + 2 + 0 + 2 (i - 2e-4 on) between the loads
    i = (4.5 * 6e-4 + 6.5 * 2e-4) / (2.5 + 6.5 + 4.5)
    assert volts["n1_20_0"] == pytest.approx(volts["n2_0_0"] - 2.5 * i, rel=1e-12)
    assert volts["n1_20_20"] == pytest.approx(volts["n2_0_0"] - 4.5 * (6e-4 - i), rel=1e-12)
    assert volts["n1_40_20"] == volts["n2_40_20"]
    assert found.residual == pytest.approx(np.zeros(11), abs=1e-18)


def test_a_line_has_the_drop_of_its_resistance(tmp_path: Path):
    network = read(tmp_path, LINE)
    assert network.names == ("n1_0_0", "n1_10_0", "n1_20_0")
    found = em.conduction.kirchhoff(network, 2e-8)
    assert found.drop == pytest.approx([0, 1e-3, 2e-3], rel=1e-12, abs=1e-15)


def test_names_with_a_net_and_a_layer_are_understood(tmp_path: Path):
    """As in the CAD contest of 2023: net, layer with its letter, x and y."""
    text = LINE.replace("R2 n1_10_0 n1_20_0", "RV n1_10_0 n2_10_0 1\nR2 n2_10_0 n2_20_0").replace("I1 n1", "I1 n2")
    network = read(tmp_path, text.replace("n1_", "n1_m1_").replace("n2_", "n1_M4_"))
    assert network.layers == ("m1", "M4")
    assert network.nodes == pytest.approx(read(tmp_path, text).nodes, rel=0, abs=0)
    assert network.names[0] == "n1_m1_0_0"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("2.", 2.0),
        ("1e-1", 0.1),
        ("5E-1Ohm", 0.5),
        ("500m", 0.5),
        ("500M", 0.5),
        ("0.001k", 1.0),
        ("2e-6meg", 2.0),
        ("1e6u", 1.0),
        ("1e9nOhm", 1.0),
        ("1e12p", 1.0),
        ("1.8ohm", 1.8),
    ],
)
def test_numbers_have_suffixes_and_units(tmp_path: Path, word: str, value: float):
    network = read(tmp_path, LINE.replace("n1_10_0 1\n", f"n1_10_0 {word}\n"))
    assert network.width[0] == pytest.approx(1 * um / value, rel=1e-12, abs=0)


CHIP = """* Netlist for VDD on default
.PARAM rail = 2.5 via={rail/5} ; comment
.param far='2*(rail + via) - 2**1' load = 1m
.include "loads.inc"
R0 Node_met1_0_0 ITermNode_met1_0_40 R=1.000000e-03
R1 Node_met1_0_0 ITermNode_met1_0_40 R=1.000000e-03
R2 Node_met1_0_0 Node_met1_20000_0 R={rail} $ along
R3 Node_met1_20000_0 Node_TOP_M_20000_0 R = 'via'
R4 Node_TOP_M_20000_0 Node_TOP_M_20000_40000
+ R=far
V0 Node_TOP_M_20000_40000 0 DC 1.1
.END
"""
LOADS = """* Sinks
I0 ITermNode_met1_0_40 0 DC load
I1 Node_met1_20000_0 0 DC='load/4'
"""


def chip(tmp_path: Path, text: str = CHIP, **changed: Any) -> em.mesh.Network:
    """The network of a netlist with its loads in another file."""
    (tmp_path / "loads.inc").write_text(LOADS, encoding="utf-8")
    return read(tmp_path, text, **({"unit": 0.5e-9} | changed))


def test_a_netlist_of_openroad_is_understood_by_itself(tmp_path: Path):
    network = chip(tmp_path)
    assert network.names[0] == "ITermNode_met1_0_40"
    named = dict(zip(network.names, range(6), strict=False))
    assert network.layers == ("met1", "TOP_M")
    assert network.lengths == pytest.approx([10 * um, 20 * um], rel=1e-12, abs=0)
    # a cell's terminal has no metal: what leads to it are vias, however far it is
    assert sorted(network.via_resistance.tolist()) == [1e-3, 1e-3, 0.5]
    assert network.components[named["ITermNode_met1_0_40"]] == -1
    assert network.nodes[named["ITermNode_met1_0_40"]] == pytest.approx([0.0, 0.02 * um], rel=1e-12, abs=0)
    assert network.loads[named["ITermNode_met1_0_40"]] == pytest.approx(1e-3)
    # R = 2.5 and 2 (2.5 + 0.5) - 2 = 4 Ohm
    assert network.width == pytest.approx([2e-8 * 10 / 2.5 / 0.2, 2e-8 * 20 / 4 / 0.2], rel=1e-12, abs=0)
    found = em.conduction.kirchhoff(network, 2e-8)
    assert found.drop.max() == pytest.approx(1e-3 * (0.5e-3 + 2.5) + 1.25e-3 * (0.5 + 4), rel=1e-12)


def test_the_unit_of_openroad_must_be_known(tmp_path: Path):
    with pytest.raises(
        em.ParameterError, match=r"unit = None, must be .* of some.sp \[m\], such as 0.5e-9 where the DEF"
    ):
        chip(tmp_path, unit=None)
    with pytest.raises(em.ParameterError, match=r"unit = None, must be .*, such as 1e-6 for micrometres"):
        read(tmp_path, LINE, unit=None)


def test_loads_of_a_ground_net_of_openroad_are_turned_round(tmp_path: Path):
    """Currents come in from the cells; as they are written, wires that fail and wires that are safe change places."""
    text = CHIP.replace("DC 1.1", "DC 0.000000")
    with pytest.warns(em.ResolutionWarning, match=r"some.sp: all pads are at 0 V and loads draw 0.00125 A from this"):
        network = chip(tmp_path, text)
    assert network.loads.sum() == pytest.approx(-1.25e-3)
    assert em.conduction.kirchhoff(network, 2e-8).potential.max() == pytest.approx(1e-3 * 2.5005 + 1.25e-3 * 4.5)
    assert chip(tmp_path, text, ground=False).loads.sum() == pytest.approx(1.25e-3)
    assert chip(tmp_path, text, ground=True).loads.sum() == pytest.approx(-1.25e-3)
    assert chip(tmp_path).loads.sum() == pytest.approx(1.25e-3)  # pads at 1.1 V
    both = LOADS.replace("I1 Node_met1_20000_0 0", "I1 0 Node_met1_20000_0")
    (tmp_path / "loads.inc").write_text(both, encoding="utf-8")
    assert read(tmp_path, text, unit=0.5e-9).loads.sum() == pytest.approx(0.75e-3)  # written with both signs


def test_errors_in_an_included_file_have_its_name_and_line(tmp_path: Path):
    with pytest.raises(em.ParameterError, match=r"loads.inc, line 2: I0 = 'load', must be of parameters|must be one n"):
        chip(tmp_path, CHIP.replace("load = 1m", ""))
    (tmp_path / "again.inc").write_text("R9 a b 1\n.include loads.inc\n", encoding="utf-8")
    with pytest.raises(em.ParameterError, match=r"again.inc, line 2: .include 'loads.inc', must be .* not included"):
        chip(tmp_path, CHIP.replace("R0 Node", ".inc again.inc\nR0 Node"))
    outside = tmp_path / "inside"
    outside.mkdir()
    (outside / "link.inc").symlink_to(tmp_path / "loads.inc")
    with pytest.raises(
        em.ParameterError, match=r"line 1: .include 'link.inc', must be a file in the folder of some.sp"
    ):
        read(outside, LINE.replace("a title", ".include link.inc"))


def test_wires_side_by_side_are_one_of_the_summed_width(tmp_path: Path):
    text = LINE.replace("R2 n1", "R5 n1_20_0 n1_10_0 3\nR2 n1")
    with pytest.warns(
        em.ResolutionWarning, match=r"wires side by side, such as R5 and R2 between .* \(1 more than one"
    ):
        network = read(tmp_path, text)
    assert network.width == pytest.approx([1 * um, 4 / 3 * um], rel=1e-12, abs=0)
    assert em.conduction.kirchhoff(network, 2e-8).drop == pytest.approx([0, 1e-3, 1.75e-3], rel=1e-12, abs=1e-15)


def test_the_width_of_a_wire_comes_before_that_of_its_layer_and_of_its_resistance(tmp_path: Path):
    assert read(tmp_path, LINE, width=1.05 * um).width.tolist() == [1.05 * um] * 2
    assert read(tmp_path, LINE, width={"1": 1.05 * um, "R2": 0.95 * um}).width.tolist() == [1.05 * um, 0.95 * um]
    assert read(tmp_path, LINE, width={"R1": 0.95 * um}).width == pytest.approx([0.95 * um, 1 * um], rel=1e-12, abs=0)
    message = (
        r"some.sp: 1 wires have another resistance by their width than in the netlist, R2 of some.sp, line 3 0.5 ti"
    )
    with pytest.warns(em.ResolutionWarning, match=message):
        assert read(tmp_path, LINE, width={"R2": 2 * um}).width[1] == 2 * um
    with pytest.raises(em.UnknownName, match=r"'R9'; width, of layers and wires of some.sp, has 1, R1, R2"):
        read(tmp_path, LINE, width={"R9": 1 * um})
    with pytest.raises(em.ParameterError, match=r"width\['1'\] = 0 m, must be greater than 0"):
        read(tmp_path, LINE, width={"1": 0.0})


def test_a_technology_has_all_that_a_netlist_lacks():
    technology = em.signoff.read_technology(MESHES / "technology.toml")
    plain = em.mesh.read_netlist(GRID, **METAL)
    network = em.mesh.read_netlist(GRID, technology=technology)
    assert network.nodes.tolist() == plain.nodes.tolist()
    assert network.width == pytest.approx(plain.width, rel=1e-12, abs=0)
    assert em.mesh.read_netlist(GRID, technology=technology, unit=2e-6).lengths[0] == pytest.approx(40 * um)
    assert em.mesh.read_netlist(GRID, technology=technology, thickness=0.4 * um).thickness.tolist() == [0.4 * um] * 6
    with pytest.raises(em.ParameterError, match=r"resistivity = None, must be a number .* or come of technology="):
        em.mesh.read_netlist(GRID, thickness=1e-7, unit=um)
    wrong: Any = 7
    with pytest.raises(em.ParameterError, match=r"technology = 7, must be that of em.signoff.read_technology"):
        em.mesh.read_netlist(GRID, technology=wrong)


def test_openroads_ground_net_has_its_voltages_and_currents(public_data: Callable[[str], Path]):
    """Voltages are printed to 1 uV, currents to 4 digits; loads in the netlist too, and their rounding adds up."""
    path = public_data("openroad_gcd_vss.sp")
    with pytest.warns(em.ResolutionWarning, match="OpenROAD writes it"):
        network = em.mesh.read_netlist(path, resistivity=2e-8, thickness=0.1 * um, unit=0.5e-9)
    found = em.conduction.kirchhoff(network, 2e-8)
    volts = dict(zip(network.names, found.potential, strict=True))
    printed = csv.DictReader(public_data("openroad_gcd_vss_voltages.csv").open(encoding="utf-8"))
    off = [volts[of_openroad(row, "", "ITermNode")] - float(row["Voltage"]) for row in printed]
    assert len(off) == 624
    assert np.abs(off).max() < 0.51e-6
    current: dict[tuple[str, ...], float] = defaultdict(float)
    for pair, amperes in zip(
        np.concatenate([network.segments, network.vias]), np.append(found.current, found.via_current), strict=True
    ):
        current[tuple(sorted(network.names[node] for node in pair))] += abs(amperes)
    rows = list(csv.DictReader(public_data("openroad_gcd_vss_currents.csv").open(encoding="utf-8")))
    pairs = [tuple(sorted(of_openroad(row, f"Node{end} ", "Node") for end in (0, 1))) for row in rows]
    true = np.array([float(row["Current"]) for row in rows])
    off = np.array([current[pair] for pair in pairs]) - true
    large = true > 1e-8
    assert large.sum() == 1393
    assert (np.abs(off[large]) / true[large]).max() < 5.5e-4


def of_openroad(row: dict[str, str], end: str, kind: str) -> str:
    """The name of a node in a report, whose coordinates are in micrometres of 2000 units."""
    x, y = (round(2000 * float(row[f"{end}{axis} location"])) for axis in "XY")
    return f"{kind}_{row[f'{end}Layer']}_{x}_{y}"


def test_ibms_grid_has_its_official_voltages(public_data: Callable[[str], Path]):
    """To 6 digits, of up to 1.8 V."""
    network = em.mesh.read_netlist(public_data("ibmpg1.spice"), resistivity=2e-8, thickness=0.5 * um, unit=um)
    volts = dict(zip(network.names, em.conduction.kirchhoff(network, 2e-8).potential, strict=True))
    lines = public_data("ibmpg1.solution").read_text(encoding="utf-8").split()
    official = dict(zip(lines[::2], map(float, lines[1::2]), strict=True))
    assert len(volts) == 30635
    assert max(abs(volts[name] - official[name]) for name in volts) < 1e-5


def test_comments_continued_cards_and_commands_are_understood(tmp_path: Path):
    text = """* a comment
r1 n1_0_0
+ n1_10_0 1 ; the rest is a comment
* between
R2 n1_10_0 n1_20_0
* inside
+1

.OP
.print all
v1 n1_0_0 GND DC 1
I1 n1_20_0 0 1m
.END
this is not read
"""
    plain, dressed = read(tmp_path, LINE), read(tmp_path, text)
    assert dressed.names == plain.names
    assert dressed.width.tolist() == plain.width.tolist()
    assert (dressed.pads, dressed.loads.tolist()) == (plain.pads, plain.loads.tolist())


def test_sources_count_from_their_first_node_to_their_second(tmp_path: Path):
    """A ground grid: current comes in where it is injected, and the pad is at -(-0.5) V."""
    text = LINE.replace("V1 n1_0_0 0 1", "V1 0 n1_0_0 -0.5").replace("I1 n1_20_0 0 1m", "I1 0 n1_20_0 1m")
    network = read(tmp_path, text)
    assert network.pads == {0: 0.5}
    assert network.loads.tolist() == [0, 0, -1e-3]
    assert em.conduction.kirchhoff(network, 2e-8).potential[2] == pytest.approx(0.5 + 2e-3)


def test_shorts_and_resistors_of_no_length_are_vias(tmp_path: Path):
    text = LINE + ""
    text = text.replace(".end\n", "R3 n1_20_0 n1_20_10 0\nV2 n1_10_0 n2_10_0 0\nR4 n2_10_0 n2_30_0 1\n.end\n")
    network = read(tmp_path, text)
    assert len(network.segments) == 3
    assert network.via_resistance.tolist() == [0.0, 0.0]
    assert network.components[network.names.index("n1_20_10")] == -1
    assert network.components.max() == 1


def test_a_resistor_to_ground_makes_ground_a_node_at_0(tmp_path: Path):
    network = read(tmp_path, LINE.replace("I1 n1_20_0 0 1m", "RL n1_20_0 0 8"))
    assert network.names[-1] == "0"
    assert network.pads == {0: 1.0, 3: 0.0}
    assert em.conduction.kirchhoff(network, 2e-8).current == pytest.approx([0.1, 0.1], rel=1e-12)


def test_coordinates_may_come_from_elsewhere(tmp_path: Path):
    text = LINE.replace("n1_0_0", "in").replace("n1_10_0", "mid").replace("n1_20_0", "out")
    places = {"in": ("top", 0, 0), "mid": ("top", 10, 0), "out": ("top", 10, 10)}
    network = read(tmp_path, text, coordinates=places)
    assert network.layers == ("top",)
    assert network.nodes[2] == pytest.approx([10 * um, 10 * um], rel=1e-14, abs=0)
    again = read(tmp_path, text, coordinates=places.get)
    assert again.nodes.tolist() == network.nodes.tolist()


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (7, r"coordinates = 7, must be a mapping of nodes' names to \(layer, x, y\), or a function"),
        (lambda name: 3, r"coordinates of 'n1_0_0' = 3, must be \(layer, x, y\)"),
        (lambda name: "top", r"coordinates of 'n1_0_0' = 'top', must be \(layer, x, y\)"),
        ({"n1_0_0": (1, 0)}, r"coordinates of 'n1_0_0' = \(1, 0\), must be \(layer, x, y\)"),
        (lambda name: (1, "east", 0), r"x of 'n1_0_0' = 'east', must be a number"),
        (lambda name: (1, 0, np.nan), r"y of 'n1_0_0' = nan, must be finite"),
    ],
)
def test_bad_coordinates_are_refused(tmp_path: Path, places: Any, message: str):
    with pytest.raises(em.ParameterError, match=message):
        read(tmp_path, LINE, coordinates=places)


def test_a_name_with_a_broken_number_is_no_place(tmp_path: Path):
    """A resistor to it is a via, whose node no wire leads from."""
    network = read(tmp_path, LINE.replace(".end", "RX n1_20_0 n1_3.0.0_0 1\n.end"))
    assert network.degree[network.names.index("n1_3.0.0_0")] == 0


def test_a_grid_of_metres_is_refused(tmp_path: Path):
    with pytest.raises(
        em.ParameterError, match=r"some.sp is 20 m across with unit = 1 m, must be at most 1 m: check unit"
    ):
        read(tmp_path, LINE, unit=1.0)


def test_layers_have_their_own_metal(tmp_path: Path):
    text = LINE.replace("R2 n1_10_0 n1_20_0", "RV n1_10_0 n2_10_0 1\nR2 n2_10_0 n2_20_0").replace("I1 n1", "I1 n2")
    thick = read(tmp_path, text, thickness={1: 0.2 * um, "2": 0.4 * um}, resistivity={"1": 2e-8, 2: 4e-8})
    assert thick.width == pytest.approx([1 * um, 1 * um], rel=1e-12, abs=0)
    assert thick.thickness == pytest.approx([0.2 * um, 0.4 * um], rel=1e-12, abs=0)
    with pytest.raises(em.UnknownName, match=r"'2'; some.sp, line 4: thickness, by the layer in names of nodes, has 1"):
        read(tmp_path, text, thickness={1: 0.2 * um})
    with pytest.raises(
        em.UnknownName, match=r"'2'; some.sp, line 4: resistivity, by the layer in names of nodes, has 1"
    ):
        read(tmp_path, text, resistivity={1: 2e-8})


def test_boundaries_are_named_by_nodes(tmp_path: Path):
    path = tmp_path / "line.sp"
    path.write_text(LINE, encoding="utf-8")
    domain = em.mesh.from_netlist(path, **METAL, names={"n1_0_0": "pad"}, size=5 * um)
    assert domain.names == ("pad",)
    assert domain.quality().cells == 4
    with pytest.raises(em.UnknownName, match=r"'n1_5_5'; some.sp has n1_0_0, n1_10_0"):
        read(tmp_path, LINE, names={"n1_5_5": "pad"})


def replaced(old: str, new: str) -> str:
    assert old in LINE
    return LINE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (replaced("R2 n", "C2 n"), r"some.sp, line 3: 'C2 n1_10_0 n1_20_0 1', must be an R, V or I card"),
        (replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 1"), r"line 3: 'R2 n1_10_0 1', must be a card of two nodes and"),
        (replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 fat"), r"line 3: R2 = 'fat', must be one number"),
        (replaced("1m\n", "PULSE(0 1)\n"), r"line 5: I1 = 'PULSE\(0 1\)', must be one number"),
        (replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 -1"), r"line 3: R2 = -1 Ohm, must be at least 0"),
        (replaced("R2 n", "r1 n"), r"line 3: 'r1' is there already in line 2, must be one name a card"),
        (replaced("n1_10_0 n1_20_0", "n1_10_0 n1_10_0"), r"line 3: R2 from 'n1_10_0' to itself"),
        (replaced(".end", ".subckt cell a b"), r"line 6: '.subckt', must be R, V and I cards only: flatten"),
        ("+ 1\n", r"line 1: '\+', must continue a card"),
        (replaced("V1 n1_0_0 0 1", "").replace(" 0 1m", " n1_0_0 1m"), r"some.sp has no ground, must have a card"),
        (replaced("V1 n1_0_0 0 1", ""), r"some.sp has no pad, must have a voltage source"),
        (replaced("V1 n1_0_0 0 1", "V1 n1_0_0 n1_20_0 1"), r"line 4: 1 V between two nodes, must be to ground"),
        (replaced("V1 n1_0_0 0 1", "V1 n1_0_0 0 1\nV2 n1_0_0 0 2"), r"line 5: 2 V at 'n1_0_0', which is at 1 V"),
        (
            replaced("I1 n1_20_0", "I1 n1_30_0"),
            r"line 5: node 'n1_30_0' is connected to nothing, must be where a resistor ends; is 'n1_0_0' meant\?",
        ),
        (
            replaced("R2 n1_10_0 n1_20_0", "R2 n1_30_0 n1_20_0"),
            r"line 3: node 'n1_.*' leads to no pad, .* 1 more",
        ),
        (
            replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 R=1 tc1=0"),
            r"line 3: R2 = 'R=1 tc1=0', must be one num",
        ),
        (
            replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 {a}"),
            r"line 3: R2 = '{a}', must be of parameters that e",
        ),
        (replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 1e999"), r"line 3: R2 = '1e999', must be one number"),
        (replaced("a title", ".param a=1 a=2"), r"line 1: .param 'a', must be defined once"),
        (replaced("a title", ".param a=b b='2*a'"), r"line 1: .param [ab]=.*, must not need itself"),
        (replaced("a title", ".param a='1/0'"), r"line 1: .param a='1/0', must not be divided by 0"),
        (replaced("a title", ".param a='f(2)'"), r"line 1: .param a='f\(2\)', must be an expression"),
        (replaced("a title", ".param a='9**9**9'"), r"line 1: .param a=.*, must be finite, not inf"),
        (replaced("a title", ".param a"), r"line 1: .param 'a', must be name=number or name='expression'"),
        (replaced("a title", ".include none.sp"), r"line 1: .include 'none.sp', must be a file in .*: there is none"),
        (replaced("a title", ".include ../some.sp"), r"line 1: .include '../some.sp', must be a file in the folder of"),
        (replaced("a title", ".include /etc/hosts"), r"line 1: .include '/etc/hosts', must be a file in the folder"),
        (replaced("a title", ".include 'some.sp'"), r"line 1: .include 'some.sp', must be .* not included already"),
        (LINE.replace("n1_", "x"), r"some.sp has no wires, must have resistors between two points of one layer"),
        (
            replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 1u"),
            r"line 3: 1e-06 Ohm over 1e-05 m .* 1 m wide",
        ),
        (
            replaced("R2 n1_10_0 n1_20_0 1", "R2 n1_10_0 n1_20_0 1meg"),
            r"line 3: .* 1e-12 m wide, must be an atom's",
        ),
        ("", r"some.sp has no ground"),
    ],
)
def test_bad_netlists_are_refused_with_the_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(em.ParameterError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"unit": 0.0}, r"unit = 0 m, must be greater than 0"),
        ({"resistivity": -1.0}, r"resistivity = -1 Ohm m, must be greater than 0"),
        ({"thickness": 0.0}, r"thickness = 0 m, must be greater than 0"),
        ({"thickness": {1: np.nan}}, r"thickness\[1\] = nan m, must be finite"),
        ({"names": ["pad"]}, r"names = \['pad'\], must be a mapping"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, changed: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        read(tmp_path, LINE, **changed)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(em.ParameterError, match=r"none.sp', must be a file: there is none"):
        em.mesh.read_netlist(tmp_path / "none.sp", **METAL)
    number: Any = 3
    with pytest.raises(em.ParameterError, match=r"path = 3, must be the name of a file"):
        em.mesh.from_netlist(number, **METAL)


STAR = (MESHES / "star.toml").read_text(encoding="utf-8")


def table(tmp_path: Path, text: str, **changed: Any) -> em.mesh.Network:
    """The network of a TOML file."""
    path = tmp_path / "some.toml"
    path.write_text(text, encoding="utf-8")
    return em.mesh.read_network(path, **changed).wires()


def test_a_toml_file_is_a_network():
    domain = em.mesh.read_network(MESHES / "star.toml", cells=3)
    network = domain.wires()
    assert domain.names == ("left", "right", "top")
    assert network.names == ("A", "J", "B", "C")
    assert network.lengths == pytest.approx([20 * um, 30 * um, 10 * um], rel=1e-12, abs=0)
    assert network.width == pytest.approx([0.2 * um, 0.1 * um, 0.1 * um], rel=1e-12, abs=0)
    assert network.thickness == pytest.approx(np.full(3, 0.1 * um), rel=1e-12, abs=0)
    assert domain.quality().cells == 9


def test_toml_arrays_are_as_good_as_tables(tmp_path: Path):
    text = """width = 2
nodes = [[0, 0, 0], [20, 0, 0], [50, 0, 5], [60, 0, 5]]
segments = [[0, 1], [1, 2, 3.0, 0.5]]
thickness = 1
vias = [[2, 3, 0.5]]
"""
    network = table(tmp_path, text, unit=um)
    assert network.nodes.shape == (4, 3)
    assert network.width == pytest.approx([2 * um, 3 * um], rel=1e-12, abs=0)
    assert network.thickness == pytest.approx([1 * um, 0.5 * um], rel=1e-12, abs=0)
    assert network.via_resistance.tolist() == [0.5]
    assert network.names == ()


def test_loads_and_pads_come_with_the_nodes(tmp_path: Path):
    text = STAR.replace('boundary = "left"', "voltage = 1.0").replace('boundary = "right"', "load = 1e-3")
    network = table(tmp_path, text)
    assert network.pads == {0: 1.0}
    assert network.loads.tolist() == [0, 0, 1e-3, 0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit = 1e-6", "unit = 0", r"extent|length 0|unit"),
        ("unit = 1e-6", "units = 1e-6", r"'units'; a network in some.toml has unit, width"),
        ('name = "C"', 'name = "B"', r"nodes\[3\] in some.toml is named 'B', as is nodes\[2\]"),
        ('to = "C"', 'to = "D"', r"'D'; segments\[2\] in some.toml: among the nodes, it has A, J, B, C"),
        ('from = "A", ', "", r"segments\[0\] in some.toml has no from, must have one"),
        ("width = 0.2", "breadth = 0.2", r"'breadth'; segments\[0\] in some.toml has from, to, width, thickness"),
        (", width = 0.2", "", r"width of segments\[0\]|segments\[0\] in some.toml has no width, must have one"),
        ("width = 0.2", 'width = "wide"', r"width of segments\[0\] in some.toml = 'wide', must be a number"),
        ("x = 20, y = 0", "x = 20", r"nodes\[1\] in some.toml has no y, must have one"),
        ("width = 0.2", "width = 0", r"width = 0 m of segment 0 \('A' to 'J'\), must be greater than 0"),
        ("unit = 1e-6", "unit = ", r"must be TOML"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, old: str, new: str, message: str):
    assert old in STAR
    with pytest.raises(em.ParameterError, match=message):
        table(tmp_path, STAR.replace(old, new, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"some.toml has no nodes, must have some"),
        ("nodes = [[0, 0], [1, 0]]", r"some.toml has no segments, must have some"),
        ("nodes = 3", r"nodes in some.toml, must be tables \[\[nodes\]\] or a list of lists"),
        ("nodes = [[0, 0, 0, 0]]\nsegments = [[0, 1]]", r"nodes\[0\] = \[0, 0, 0, 0\] in some.toml, must be at most 3"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(em.ParameterError, match=message):
        table(tmp_path, text)


def test_csv_files_are_a_network(tmp_path: Path):
    (tmp_path / "nodes.csv").write_text("name, x, y, voltage\nA, 0, 0, 1.0\nJ, 20, 0,\nB, 20, 10,\n", encoding="utf-8")
    (tmp_path / "wires.csv").write_text("from,to,width,thickness\nA,J,2,0.5\nB,J,1,0.5\n", encoding="utf-8")
    (tmp_path / "vias.csv").write_text("from,to,resistance\nA,B,3\n", encoding="utf-8")
    files: dict[str, Any] = {"segments": tmp_path / "wires.csv", "vias": tmp_path / "vias.csv"}
    network = em.mesh.read_network(tmp_path / "nodes.csv", **files, unit=um).wires()
    assert network.segments.tolist() == [[0, 1], [2, 1]]
    assert network.width == pytest.approx([2 * um, 1 * um], rel=1e-12, abs=0)
    assert network.pads == {0: 1.0}
    assert network.via_resistance.tolist() == [3.0]


def test_csv_files_go_together(tmp_path: Path):
    (tmp_path / "nodes.csv").write_text("x,y\n0,0\n1,1\n", encoding="utf-8")
    with pytest.raises(em.ParameterError, match=r"segments = None, must be a .csv file too"):
        em.mesh.read_network(tmp_path / "nodes.csv")
    with pytest.raises(em.ParameterError, match=r"must be left out: the .toml file holds them"):
        em.mesh.read_network(MESHES / "star.toml", segments=tmp_path / "nodes.csv")
    with pytest.raises(em.ParameterError, match=r"wires.csv', must be a file: there is none"):
        em.mesh.read_network(tmp_path / "nodes.csv", segments=tmp_path / "wires.csv")
    with pytest.raises(em.ParameterError, match=r"must end in .toml or .csv"):
        em.mesh.read_network(tmp_path / "nodes.txt")
    with pytest.raises(em.ParameterError, match=r"unit = -1 m, must be greater than 0"):
        em.mesh.read_network(MESHES / "star.toml", unit=-1.0)


# ---- likely mistakes


@pytest.mark.parametrize(
    ("old", "new", "changed", "message"),
    [
        (
            "R1",
            "R1",
            {"unit": 1e-9},
            "with unit = 1e-09 m the grid is 4e-08 m across, its wires 1e-09 m wide and 2e-08 m",
        ),
        (
            "R1",
            "R1",
            {"unit": 1e-3},
            "with unit = 0.001 m the grid is 0.04 m across, its wires 0.001 m wide and 0.02 m",
        ),
        ("R3 n1_0_20  n1_20_20", "R3 n1_0_20  n1_20_2", {}, "R3 ends at node 'n1_20_2', .* is 'n1_20_20' meant?"),
        ("R6 n2_40_0  n2_40_20", "R6 n2_40_0  n2_40_2", {}, "R6 ends at node 'n2_40_2', .* is 'n2_40_20' meant?"),
        ("RV2 n1_0_20  n2_0_20", "RV2 n1_0_20  n2_0_2", {}, "a via from node 'n1_0_20' ends at .* is 'n2_0_20' meant?"),
        (
            ".op",
            "R9 n1_60_0 n1_80_0 2\nV9 n1_60_0 0 1",
            {},
            "no load draws from nodes 'n1_60_0', 'n1_80_0', though from o",
        ),
    ],
)
def test_what_is_likely_to_be_a_mistake_is_a_warning(
    tmp_path: Path, old: str, new: str, changed: dict[str, Any], message: str
):
    text = GRID.read_text(encoding="utf-8")
    assert old in text
    with pytest.warns(em.ResolutionWarning, match=f"^some.sp: {message}".replace("?", r"\?")) as told:
        read(tmp_path, text.replace(old, new, 1), **changed)
    assert len(told) == 1
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    "more",
    [
        "R9 n1_40_0 n1_60_0 2",  # the end of a stripe
        "R9 n1_40_0 n2_40_0 2",  # a second via in the same place
        "R9 n1_20_0 n3_20_0 1\nR10 n1_40_20 ITermNode_metal1_0_0 1",  # vias to a layer above and to a cell
        "R9 n1_60_0 n1_80_0 2\nV9 n1_60_0 0 1\nI9 n1_80_0 0 1m",  # another net
    ],
)
def test_what_layouts_have_is_no_mistake(tmp_path: Path, more: str, recwarn: pytest.WarningsRecorder):
    read(tmp_path, GRID.read_text(encoding="utf-8").replace(".op", more))
    assert [str(each.message) for each in recwarn] == []


@pytest.mark.parametrize(("name", "unit"), [("ibmpg1.spice", 1e-6), ("openroad_gcd_vss.sp", 0.5e-9)])
def test_real_grids_are_not_doubted(
    public_data: Callable[[str], Path], name: str, unit: float, recwarn: pytest.WarningsRecorder
):
    em.mesh.read_netlist(public_data(name), resistivity=2e-8, thickness=0.2 * um, unit=unit)
    assert not [
        str(each.message) for each in recwarn if " meant?" in str(each.message) or "unit = " in str(each.message)
    ]
