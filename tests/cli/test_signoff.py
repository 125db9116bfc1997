"""The command `emfem signoff`."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.cli import app
from emfem.cli.output import Exit
from emfem.cli.signoff import parsed_corner, parsed_criterion, volts
from emfem.errors import Terminated
from emfem.signoff import Corner, folder, signing
from emfem.units import year
from tests.signoff.verdict_case import MESHES, TECHNOLOGY, MadeRun, ladder

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

GRID = str(MESHES / "grid.sp")
USUAL = ["signoff", GRID, "--tech", str(TECHNOLOGY), "--years", "10"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., MadeRun]:
    """Put verdicts made by hand in the place of the computation; results go into a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folder, "draw", lambda *arguments, **more: {})

    def make(nucleation: Any = None, **values: Any) -> MadeRun:
        stand_in = MadeRun(nucleation, **values)
        monkeypatch.setattr(signing, "run", stand_in)
        return stand_in

    return make


def test_the_files_that_emfem_prints_are_those_of_the_examples_and_run(tmp_path: Path):
    for name, ending in {"grid": "sp", "technology": "toml"}.items():
        text = run("new", name)[1]
        assert text == (MESHES / f"{name}.{ending}").read_text(encoding="utf-8")
        (tmp_path / f"{name}.{ending}").write_text(text, encoding="utf-8")
    files = (str(tmp_path / "grid.sp"), "--tech", str(tmp_path / "technology.toml"))
    code, out, err = run("signoff", *files, "--years", "10", "--out", str(tmp_path / "out"))
    assert (code, err) == (0, "")
    wires = pd.read_csv(tmp_path / "out" / "corners" / "nominal" / "wires.csv")
    assert [*wires["name"]] == ["R1", "R2", "R3", "R4", "R5", "R6"]
    assert out.startswith("nominal: lasts. 4 trees")


def test_a_grid_that_lasts_ends_with_0(made: Callable[..., MadeRun]):
    stand_in = made()
    code, out, err = run(*USUAL)
    assert (code, err) == (0, "")
    assert out.startswith("nominal: lasts. 4 trees, 4 immortal at first, 0 with a void; IR drop 0.0015")
    assert out.endswith("results/grid/report.html\n")
    assert stand_in.calls[0]["until"] == 10 * year
    content = json.loads(Path("results/grid/verdict.json").read_text(encoding="utf-8"))
    assert content["title"] == "grid.sp"
    assert set(content["inputs"]) == {"netlist", "technology"}
    assert content["inputs"]["netlist"]["file"] == "grid.sp"
    assert len(content["inputs"]["netlist"]["sha256"]) == 64


def test_violations_end_with_a_code_of_their_own(made: Callable[..., MadeRun]):
    made([np.inf, 3 * year, np.inf, 2 * year])
    code, out, err = run(*USUAL)
    assert (code, err) == (Exit.VIOLATED, "")
    assert (
        "nominal: FAILS: it fails after 2 years: a void opened, in tree 3 of layer 2 at node n2_40_20 (wire R6). 4"
        in out
    )
    assert "4 trees, 2 immortal at first, 2 with a void" in out


def test_a_limit_of_the_drop_counts_too(made: Callable[..., MadeRun]):
    made()
    assert run(*USUAL, "--drop-limit", "1 mV", "-o", "low")[0] == Exit.VIOLATED
    assert run(*USUAL, "--drop-limit", "1%", "-o", "high")[0] == 0


def test_corners_and_maps_reach_the_computation(made: Callable[..., MadeRun], tmp_path: Path):
    stand_in = made()
    heat = tmp_path / "map.csv"
    heat.write_text("x [um],y [um],temperature [degC]\n0,0,100\n40,0,110\n0,20,100\n40,20,110\n", encoding="utf-8")
    corners = ["--corner", "cold: temperature=25degC", "--corner", "hot: current=1.1, temperature=125 degC"]
    assert run(*USUAL, *corners, "--temperature", str(heat), "-q")[:2] == (0, "")
    cold, hot = stand_in.calls
    assert cold["technology"].temperature == pytest.approx(298.15)
    assert hot["loads"].sum() == pytest.approx(1.1 * 0.6e-3)
    assert cold["temperature"].start.min() == pytest.approx(298.15 - 5.0)
    assert hot["temperature"].end.max() == pytest.approx(398.15 + 5.0)
    content = json.loads(Path("results/grid/verdict.json").read_text(encoding="utf-8"))
    assert [corner["name"] for corner in content["corners"]] == ["cold", "hot"]
    assert "temperature" in content["inputs"]


def test_a_layout_gives_each_wire_its_width(made: Callable[..., MadeRun]):
    stand_in = made()
    usual = ["signoff", str(MESHES / "chip.sp"), "--tech", str(MESHES / "chip.toml"), "--years", "10", "-q"]
    assert run(*usual, "--def", str(MESHES / "chip.def"), "-o", "true")[:2] == (0, "")
    layout = em.mesh.read_def(MESHES / "chip.def")
    wires = stand_in.calls[0]["network"]
    on_met2 = wires.segments[wires.layer == wires.layers.index("met2")]
    own = layout.widths("met2", *wires.nodes[on_met2].transpose(1, 0, 2))
    assert wires.width[wires.layer == wires.layers.index("met2")] == pytest.approx(own, rel=1e-9, abs=0)
    content = json.loads(Path("true/verdict.json").read_text(encoding="utf-8"))
    assert content["inputs"]["geometry"]["file"] == "chip.def"


def test_a_run_that_a_signal_ends_can_go_on(made: Callable[..., MadeRun], monkeypatch: pytest.MonkeyPatch):
    made()

    def ended(*arguments: Any, **more: Any) -> Any:
        raise Terminated(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(signing, "run", ended)
        code, _, err = run(*USUAL)
    assert code == 128 + signal.SIGTERM
    assert err == "the same command with --resume goes on from results/grid\n"
    assert run(*USUAL)[0] == 1
    assert run(*USUAL, "--resume")[0] == 0
    code, _, err = run(*USUAL)
    assert code == 1
    assert err == (
        "folder = 'results/grid', must be another folder, for it holds a finished sign-off: force replaces it\n"
    )
    assert run(*USUAL, "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["signoff", "nowhere.sp", *USUAL[2:]], 1, "path = 'nowhere.sp', must be a file"),
        ([*USUAL[:2], "--tech", "nowhere.toml", "--years", "10"], 1, "path = 'nowhere.toml', must be a file that can"),
        ([*USUAL, "--temperature", "nowhere.csv"], 1, "path = 'nowhere.csv', must be a table of temperatures in CSV"),
        ([*USUAL, "--def", "nowhere.def"], 1, "path = 'nowhere.def', must be a file"),
        ([*USUAL[:-1], "0"], 2, "years = 0, must be greater than 0"),
        ([*USUAL[:-1], "nan"], 2, "years = nan, must be finite"),
        ([*USUAL, "--corner", "hot: curent=1.1"], 2, "corner = 'hot: curent=1.1', must be 'NAME: current=1.1, temp"),
        ([*USUAL, "--corner", "hot: current=1, current=2"], 2, "corner = 'hot: current=1, current=2', must be"),
        ([*USUAL, "--corner", "../x: current=1"], 2, "name of a corner = '../x', must be up to 40 letters"),
        ([*USUAL, "--corner", "a: temperature=3V"], 2, "temperature of corner a = '3V' is a voltage, must be a temp"),
        ([*USUAL, "--corner", "a: current=-1"], 2, "current of corner a = -1, must be greater than 0"),
        ([*USUAL, "--corner", "a", "--corner", "A"], 1, "corners: the name 'A' comes twice"),
        ([*USUAL, "--corner", "a: temperature=125"], 1, "temperature = 125 K, the laws of copper hold from"),
        ([*USUAL, "--fails", "drop:10"], 2, "fails = 'drop:10', must have a unit or %: void, drop:50mV, drop:10%"),
        ([*USUAL, "--fails", "soon"], 2, "fails = 'soon', must be void, drop:50mV, drop:10% (of the supply)"),
        ([*USUAL, "--fails", "drop:"], 2, "fails = 'drop:', must be void"),
        ([*USUAL, "--fails", "drop:-10%"], 2, "limit of the drop = -0.1 V, must be greater than 0 V"),
        ([*USUAL, "--fails", "resistance:ten%"], 2, "fails = 'ten', must be a plain number"),
        ([*USUAL, "--drop-limit", "5 MPa"], 2, "drop-limit = '5 MPa' is a stress, must be a voltage"),
        ([*USUAL, "--unit", "1 V"], 2, "unit = '1 V' is a voltage, must be a length"),
        ([*USUAL, "--resume", "--force"], 2, "--resume and --force, must be one of them"),
        ([*USUAL, "-o", f"{GRID}/out"], 1, "path = "),
    ],
)
def test_wrong_arguments_are_reported_in_one_line(
    made: Callable[..., MadeRun], arguments: list[str], code: int, message: str
):
    made()
    ended, out, err = run(*arguments)
    assert (ended, out) == (code, "")
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("text", "corner"),
    [
        ("hot", Corner("hot")),
        (" hot : current = 1.1 ", Corner("hot", 1.1)),
        ("hot: temperature=400K,current=110/100", Corner("hot", 1.1, 400.0)),
    ],
)
def test_corners_are_read(text: str, corner: Corner):
    assert parsed_corner(text) == corner


def test_criteria_are_read():
    network = ladder()
    assert parsed_criterion("void", network) == em.failure.FirstVoid()
    assert parsed_criterion("drop:10%", network) == em.failure.Drop(0.1)
    assert parsed_criterion("drop: 50 mV", network) == em.failure.Drop(0.05)
    assert parsed_criterion("resistance:10%", network) == em.failure.ResistanceRise(0.1)
    assert volts("drop-limit", "0.02", network) == 0.02


def test_a_part_of_ground_is_refused():
    network = em.mesh.Network(**{**vars_of(ladder()), "pads": {4: 0.0}})
    with pytest.raises(em.ParameterError, match="of pads at 0 V, must be in volts for a grid of ground"):
        volts("fails", "10%", network)


def vars_of(network: em.mesh.Network) -> dict[str, Any]:
    """Return what a network is made of."""
    return {name: getattr(network, name) for name in network.__dataclass_fields__}
