"""Files of other programs cannot take the program with them: a crash, a hang or a flood becomes one sentence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mesh.readers import child, gds_files
from emfem.mesh.sandbox import isolated
from tests.fuzz import damaged_files

import gdstk
import pytest
from dolfinx import fem

MESHES = Path(__file__).resolve().parents[2] / "meshes"
PLATE = MESHES / "plate.msh"
START = f"path = {str(PLATE)!r}, must be a mesh"
Library = Callable[[str], str]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Makes a library that does something else than read, and returns its name."""

    def make(code: str) -> str:
        (tmp_path / "brittle.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return "brittle"

    return make


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import ctypes; ctypes.string_at(0)", r"brittle crashed \(segmentation fault\)"),
        ("import os; os.abort()", r"brittle crashed \(aborted\)"),
        ("while True: pass", r"brittle did not finish in 1.55 s \(EMFEM_READ_SECONDS allows more\)"),
        ("import time; time.sleep(99)", "brittle did not finish in 1.55 s"),
        ("numbers = bytes(10**11)", r"brittle needs more than 4.01 GB \(EMFEM_READ_GB allows more\)"),
        ("import os; os._exit(3)", "brittle ended with status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "brittle was killed, as where memory is short"),
    ],
)
def test_a_library_that_fails_is_one_sentence(
    code: str, message: str, library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EMFEM_READ_SECONDS", "1")
    with pytest.raises(em.ParameterError, match=f"^path = .*plate.msh', must be a mesh: {message}"):
        isolated("gmsh_files", PLATE, START, library=library(code))


def test_a_library_that_is_missing_is_not_the_fault_of_the_file(library: Library):
    with pytest.raises(em.EmfemError, match=r"brittle cannot be loaded: libGLU\.so\.1: no such file") as caught:
        isolated("gmsh_files", PLATE, START, library=library("raise OSError('libGLU.so.1: no such file')"))
    assert not isinstance(caught.value, em.ParameterError)


def test_what_a_library_prints_is_not_taken_for_arrays(library: Library):
    code = "import os, sys; print('hello', flush=True); os.write(2, b'hello'); import gmsh"
    arrays, _ = isolated("gmsh_files", PLATE, START, library=library(code), size=None, faces=[])
    assert len(arrays["nodes"]) > 300


@pytest.mark.parametrize("name", ["EMFEM_READ_SECONDS", "EMFEM_READ_GB"])
@pytest.mark.parametrize(("value", "message"), [("soon", "'soon', must be a number"), ("0", "0, must be greater")])
def test_a_limit_that_is_no_number_is_refused(name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(em.ParameterError, match=f"{name} = {message}"):
        em.mesh.read(PLATE)


def test_the_process_that_reads_has_no_mpi():
    """It would join the ranks of the program, or wait for them."""
    options = {"reader": "gmsh_files", "library": "gmsh", "file": str(PLATE), "path": [], "seconds": 60, "size": 4e9}
    request = json.dumps(options | {"options": {"size": None, "faces": []}})
    code = f"""
import io, json, runpy, sys
child = runpy.run_path({child.__file__!r})
child["answer"](json.loads({request!r}), io.BytesIO())
print(json.dumps(sorted(sys.modules)))
"""
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(out.splitlines()[-1])}
    assert "gmsh" in loaded
    assert not loaded & {"dolfinx", "dolfinx_solver", "mpi4py", "petsc4py", "pyvista"}


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_the_program_and_the_process_that_reads(sent: signal.Signals, library: Library, tmp_path: Path):
    place = tmp_path / "pid"
    code = f"import os, pathlib\npathlib.Path({str(place)!r}).write_text(str(os.getpid()))\nwhile True: pass"
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import emfem as em
from emfem.mesh.sandbox import isolated
isolated("gmsh_files", em.mesh.files.Path({str(PLATE)!r}), "path", library={library(code)!r})
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    try:
        reader = int(wait_for(lambda: place.read_text(encoding="utf-8") if place.is_file() else ""))
        process.send_signal(sent)
        assert process.wait(30) != 0
        wait_for(lambda: not Path(f"/proc/{reader}").exists() or "(zombie)" in status(reader))
    finally:
        process.kill()


def status(process: int) -> str:
    """The kernel's description of a process."""
    try:
        return Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return "(zombie)"


def wait_for(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first answer that is not empty."""
    for _ in range(int(seconds / 0.05)):
        if answer := look():
            return answer
        time.sleep(0.05)
    raise TimeoutError


# ---- tables that are checked before a library sees them -----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('1 1 "source"', '9 1 "source"', "the group '9 1 \"source\"', must be a dimension of 0 to 3, a tag of at most"),
        ('1 1 "source"', '1 999999999999 "source"', "the group '1 999999999999 \"source\"', must be"),
        ('1 1 "source"', '1 x "source"', "must be a dimension of 0 to 3"),
        ("$PhysicalNames\n6", "$PhysicalNames\n999999999", r"its \$PhysicalNames have 6 rows, must have '999999999'"),
        ("$EndPhysicalNames", "$EndPhysical", r"its \$PhysicalNames do not end"),
        ("$MeshFormat\n4.1 0 8", "$MeshFormat\n4.1 7 8", "its format is '4.1 7 8', must be as in '4.1 0 8'"),
        ("$MeshFormat\n", "$MeshForm;\n", r"it does not begin with \$MeshFormat"),
        ("$Nodes\n", "$Nodes\n99999999999 ", r"its \$Nodes have 99999999999 rows, must be at most"),
        ("$Nodes\n", "$Nodes\n² ", r"its \$Nodes begin with"),
    ],
)
def test_a_wrong_table_of_gmsh_is_refused(old: str, new: str, message: str, tmp_path: Path):
    text = PLATE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "wrong.msh").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(em.ParameterError, match=message) as caught:
        em.mesh.read(tmp_path / "wrong.msh")
    assert "\n" not in str(caught.value)


def test_a_tetrahedron_in_an_stl_is_filled(tmp_path: Path):
    """gmsh splits a surface of four triangles for ever."""
    corners = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    rows = ["solid t"]
    for triangle in ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)):
        vertices = [f"vertex {x} {y} {z}" for x, y, z in (corners[i] for i in triangle)]
        rows += ["facet normal 0 0 0", "outer loop", *vertices, "endloop", "endfacet"]
    (tmp_path / "t.stl").write_text("\n".join([*rows, "endsolid t", ""]), encoding="utf-8")
    domain = em.mesh.read(tmp_path / "t.stl", size=0.4, names={"floor": lambda x: x[2] < 1e-9})
    one = fem.Constant(domain.mesh, 1.0)
    volume, floor = (
        em.fields.integral(fem.form(one * dx), domain.mesh.comm) for dx in (domain.dx(), domain.ds("floor"))
    )
    assert (volume, floor) == pytest.approx((1 / 6, 1 / 2), rel=1e-9)


def test_an_stl_that_ends_too_early_is_refused(tmp_path: Path):
    (tmp_path / "t.stl").write_bytes(bytes(80) + (10**9).to_bytes(4, "little") + bytes(150))
    with pytest.raises(em.ParameterError, match="must hold 1000000000 triangles: the file ends after 3"):
        em.mesh.read(tmp_path / "t.stl", size=1.0, names={})


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (2, 0x40, "at byte 0 it has record 64, must begin with 0"),
        (1, 0x07, "at byte 0 record 0 has 3 bytes of kind 2"),
        (6, 0xFF, "at byte 6 is no record: length 65308"),
        (8, 0x05, r"at byte 6 record 5 is inside of \[\]"),
        (9, 0x09, "at byte 6 is no record: length 28, kind 1, data 9"),
    ],
)
def test_a_wrong_record_of_a_layout_is_refused(at: int, value: int, message: str, tmp_path: Path):
    content = bytearray((MESHES / "serpentine.gds").read_bytes())
    content[at] = value
    (tmp_path / "wrong.gds").write_bytes(content)
    with pytest.raises(em.ParameterError, match=f"must be a GDS file: {message}"):
        gds_files.check_records(tmp_path / "wrong.gds")


def test_a_layout_with_every_kind_of_element_has_right_records(tmp_path: Path):
    library = gdstk.Library("all")
    part, top = library.new_cell("PART"), library.new_cell("TOP")
    part.add(gdstk.rectangle((0, 0), (1, 1)), gdstk.Label("text", (0, 0), rotation=1.0, magnification=2.0))
    part.add(gdstk.FlexPath([(0, 0), (0, 3)], 0.5, simple_path=True, ends=(0.1, 0.2)))
    top.add(gdstk.Reference(part, columns=3, rows=2, spacing=(2, 2), rotation=0.3, x_reflection=True))
    top.polygons and top.polygons[0].set_property("name", "value")
    for shape in part.polygons:
        shape.set_gds_property(1, "value")
    library.write_gds(tmp_path / "all.gds")
    gds_files.check_records(tmp_path / "all.gds")
    assert len(gdstk.read_gds(tmp_path / "all.gds").cells) == 2


# ---- damaged files ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, damaged_files.Kind]:
    return damaged_files.kinds(tmp_path_factory.mktemp("intact"))


MESH_FILES = ("msh", "vtu", "vtk", "xdmf", "inp", "med", "mesh", "vol", "bdf", "step", "brep", "stl")


FEW = ("msh", "vtu", "stl", "step", "gds", "netlist")  # one of each reader; the others are in `make soak`


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind in FEW else [pytest.mark.soak])
        for kind in (*MESH_FILES, "gds", "image", "toml", "csv", "netlist")
    ],
)
def test_a_damaged_file_is_read_or_refused(
    kind: str, kinds: dict[str, damaged_files.Kind], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EMFEM_READ_SECONDS", "2")
    assert len(kinds[kind].contents) >= 1
    for name, content in kinds[kind].contents.items():
        (tmp_path / name).write_bytes(content)
        with damaged_files.forked_readers():
            assert damaged_files.outcome(kinds[kind], tmp_path / name) == ("read", "")
    outcomes = [(result, text) for result, text, _ in damaged_files.attempts(kinds[kind], tmp_path, 10, 3)]
    assert [text for result, text in outcomes if result == "raw"] == []
