"""Property: a damaged netlist or technology is read, or refused in one line with the name of the file, in a second."""

from __future__ import annotations

import random
import re
import time
import warnings
from pathlib import Path

import emfem as em
from tests.fuzz.damage import damaged

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
NETLISTS = (CHIP, (MESHES / "grid.sp").read_text(encoding="utf-8"), "title\n" + CHAIN + LINE)
FILES = (*(text.encode() for text in NETLISTS), LOADS.encode(), (MESHES / "technology.toml").read_bytes())
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
UNKNOWN = re.compile(r"line \d+|must have|has no (ground|pad|wires)|m across|a\.(sp|toml): |a\.toml|path = |unit = ")
SLOW = 1.0  # s


def mutated(rng: random.Random) -> tuple[int, bytes]:
    """A file by its number, damaged."""
    i = rng.randrange(len(FILES))
    content = damaged(FILES[i], rng)
    if rng.random() < 0.3:
        at, word = rng.randrange(len(content) + 1), rng.choice(WORDS)
        content = content[:at] + word * rng.choice((1, 1, 2, 1000)) + content[at:]
    return i, content


def check(folder: Path, seed: int) -> bool:
    """Read a damaged file, and return True if it was taken."""
    i, content = mutated(random.Random(seed))
    netlist, technology = i < len(NETLISTS), i == len(FILES) - 1
    (folder / "loads.inc").write_bytes(LOADS.encode() if netlist or technology else content)
    path = folder / ("a.toml" if technology else "a.sp")
    path.write_bytes(content if netlist or technology else CHIP.encode())
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", em.ResolutionWarning)
            if technology:
                read = em.signoff.read_technology(path)
                assert np.isfinite([read.residual_stress, read.material.diffusivity]).all()
            else:
                network = em.mesh.read_netlist(path, resistivity=2e-8, thickness=2e-7, unit=0.5e-9)
                for values in (network.nodes, network.width, network.loads, network.via_resistance):
                    assert np.isfinite(values).all()
    except em.ParameterError as error:
        message = str(error)
        assert "\n" not in message, (seed, message)
        assert len(message) < 700, (seed, message)
        assert "a.sp" in message or "a.toml" in message or "loads.inc" in message, (seed, message)
        assert UNKNOWN.search(message), (seed, message)
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
