"""Property: a damaged netlist, technology, report or map of temperature is read, or refused in one line with the name
of the file, in a second."""

from __future__ import annotations

import random
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mesh.wires import build
from tests.fuzz.damage import damaged
from tests.mesh.test_reports import CURRENTS, VOLTAGES

import numpy as np
import pytest

MESHES = Path(__file__).resolve().parents[2] / "meshes"
LOADS = """* Sinks
I0 ITermNode_met1_0_40 0 DC load
I1 Node_met1_20000_0 0 DC='load/4'
"""
CHIP = """* Netlist for VDD on default
.PARAM rail = 2.5 via={rail/5} ; comment
.param far='2*(rail + via) - 2**1' load = 1m
.include "loads.inc"
R0 Node_met1_0_0 ITermNode_met1_0_40 R=1.000000e-03
R2 Node_met1_0_0 Node_met1_20000_0 R={rail} $ along
R3 Node_met1_20000_0 Node_met2_20000_0 R = 'via'
R4 Node_met2_20000_0 Node_met2_20000_40000
+ R=far
R5 Node_met2_20000_0 Node_met2_20000_40000 4k
V0 Node_met2_20000_40000 0 DC 1.1
.END
"""
CHAIN = ".param a0=1\n" + "".join(f".param a{i}='a{i - 1} + 1'\n" for i in range(1, 300))
LINE = "R1 n1_0_0 n1_10_0 a299\nR2 n1_10_0 n1_20_0 1\nV1 n1_0_0 0 1\nI1 n1_20_0 0 1m\n"
LEF, DEF = (MESHES / "chip.lef", MESHES / "chip.def")
WORDS = (
    b"R",
    b".param ",
    b".include a.sp\n",
    b"=",
    b"'",
    b"{a}",
    b"+",
    b"**",
    b"(",
    b"n1_0_0",
    b"Node_met1_0_0",
    b"1_0",
)
PLACED = re.compile(
    r"line \d+|must have|has no (ground|pad|wires|layer|unit)|m across|outside of the map|a\.(sp|csv): |a\.toml|path = "
)
ROW = build([[0.0, 0.0], [2e-5, 0.0], [4e-5, 0.0]], [[0, 1], [1, 2]], width=1e-7, thickness=1e-7, pads={0: 0.0})
METAL: dict[str, Any] = {"resistivity": 2e-8, "thickness": 2e-7, "unit": 0.5e-9}
SLOW = 1.0  # s


def grid(path: Path) -> list[Any]:
    """Read a netlist, and return its numbers."""
    network = em.mesh.read_netlist(path.with_name("a.sp"), **METAL)
    return [network.nodes, network.width, network.loads, network.via_resistance]


def technology(path: Path) -> list[Any]:
    """Read a technology, and return its numbers."""
    read = em.signoff.read_technology(path)
    return [read.residual_stress, read.material.diffusivity, *(layer.resistivity for layer in read.layers.values())]


def layers(path: Path) -> list[Any]:
    """Read a LEF file, and return its numbers."""
    return [layer.thickness or 0.0 for layer in em.mesh.read_lef(path).layers.values()]


def chip(path: Path) -> list[Any]:
    """Read a technology with its LEF file, and return its numbers."""
    read = em.signoff.read_technology(path.with_name("a.toml"))
    return [each for layer in read.layers.values() for each in (layer.resistivity, layer.thickness)]


def report(path: Path) -> list[Any]:
    """Read a report, and return its numbers."""
    return [column.to_numpy(float) for name, column in em.mesh.read_report(path).items() if "[" in str(name)]


def heat(path: Path) -> list[Any]:
    """Read a map of temperature, and return its numbers."""
    return [em.signoff.read_temperature(path, ROW)]


KINDS: dict[str, tuple[bytes, Callable[[Path], list[Any]]]] = {
    "a.sp": (CHIP.encode(), grid),
    "a.sp of grid": ((MESHES / "grid.sp").read_bytes(), grid),
    "a.sp of chain": (("title\n" + CHAIN + LINE).encode(), grid),
    "loads.inc": (LOADS.encode(), grid),
    "a.toml": ((MESHES / "technology.toml").read_bytes(), technology),
    "a.lef": (LEF.read_bytes(), layers),
    "chip.lef": (LEF.read_bytes(), chip),
    "a.csv of voltages": (VOLTAGES.encode(), report),
    "a.csv of currents": (CURRENTS.encode(), report),
    "a.csv of nodes": (b"node, temperature [degC]\n0, 85\n1, 95.5\n2, 1.1e2\n", heat),
    "a.csv of wires": (b"from,to,temperature\n0,1,350\n2,1,360\n", heat),
    "a.csv of places": (b"x [um],y [um],temperature\n-1,-1,350\n40,-1,360\n40,5,370\n-1,5,365\n", heat),
    "a.def": (DEF.read_bytes(), lambda path: list(em.mesh.read_def(path).rectangles.values())),
}


def mutated(rng: random.Random) -> tuple[str, bytes]:
    """A kind of file, and a damaged one."""
    kind = rng.choice(list(KINDS))
    content = damaged(KINDS[kind][0], rng)
    if rng.random() < 0.3:
        at, word = rng.randrange(len(content) + 1), rng.choice(WORDS)
        content = content[:at] + word * rng.choice((1, 1, 2, 1000)) + content[at:]
    return kind, content


def check(folder: Path, seed: int) -> bool:
    """Read a damaged file, and return True if it was taken."""
    kind, content = mutated(random.Random(seed))
    path = folder / kind.partition(" ")[0]
    for name in ("a.sp", "loads.inc"):
        (folder / name).write_bytes(KINDS[name][0])
    if kind == "chip.lef":
        (folder / "a.toml").write_bytes((MESHES / "chip.toml").read_bytes())
    path.write_bytes(content)
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", em.ResolutionWarning)
            for numbers in KINDS[kind][1](path):
                assert np.isfinite(numbers).all()
    except em.ParameterError as error:
        message = str(error)
        assert "\n" not in message, (seed, message[:700])
        assert len(message) < 700, (seed, message[:700])
        assert any(name in message for name in (path.name, "a.sp", "a.toml", "loads.inc")), (seed, message)
        assert PLACED.search(message), (seed, message)
        return False
    except Exception as error:
        raise AssertionError(seed) from error
    finally:
        assert time.process_time() - began < SLOW, seed
    return True


def test_damaged_netlists_and_technologies_are_read_or_refused(tmp_path: Path):
    taken = sum(check(tmp_path, seed) for seed in range(200))
    assert 10 < taken < 150


@pytest.mark.soak
def test_ten_thousand_damaged_netlists_are_read_or_refused(tmp_path: Path):
    taken = sum(check(tmp_path, seed) for seed in range(200, 10_200))
    assert 600 < taken < 7500


def test_a_long_chain_of_parameters_is_computed_in_time(tmp_path: Path):
    """In reverse order, too: each needs one that comes later."""
    count = 20_000
    chain = "".join(f".param a{i}='a{i - 1} + 1'\n" for i in range(count, 0, -1))
    path = tmp_path / "a.sp"
    path.write_text(
        "title\n" + chain + f".param a0='1 - {count}'\n" + LINE.replace("a299", f"a{count}"), encoding="utf-8"
    )
    began = time.process_time()
    network = em.mesh.read_netlist(path, resistivity=2e-8, thickness=2e-7, unit=1e-6)
    assert network.width[0] == pytest.approx(1e-6, rel=1e-9, abs=0)
    assert time.process_time() - began < SLOW


def test_files_that_include_each_other_are_refused(tmp_path: Path):
    for i in range(200):
        (tmp_path / f"{i}.sp").write_text(f".include {i + 1}.sp\n.include {i + 1}.sp\n", encoding="utf-8")
    with pytest.raises(em.ParameterError, match=r"\d+.sp, line 1: .include '\d+.sp', must be one of at most 100 files"):
        em.mesh.read_netlist(tmp_path / "0.sp", resistivity=2e-8, thickness=2e-7, unit=1e-6)
    (tmp_path / "5.sp").write_text(".include 0.sp\n", encoding="utf-8")
    with pytest.raises(em.ParameterError, match=r"5.sp, line 1: .include '0.sp', must be .* not included already"):
        em.mesh.read_netlist(tmp_path / "0.sp", resistivity=2e-8, thickness=2e-7, unit=1e-6)
