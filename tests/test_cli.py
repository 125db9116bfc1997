"""The command `emfem`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import ast
from pathlib import Path

import emfem as em
from emfem.cli import app, shapes, value

import pytest
from typer.testing import CliRunner

PLATE = str(Path(__file__).resolve().parents[1] / "meshes" / "plate.msh")
RECTANGLE = ["mesh", "make", "rectangle", "size=(2*um,1*um)", "cells=(4,2)"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_it_says_its_version():
    assert run("--version") == (0, f"emfem {em.__version__}\n", "")


def test_shapes_are_listed_with_their_parameters():
    code, out, _ = run("mesh", "shapes")
    assert code == 0
    assert "notched_strip: length, width, notch_depth, notch_width, size" in out
    assert "rectangle: size, cells, cell='quadrilateral', names=('left','right','bottom','top')" in out
    assert not {"read", "write", "grains", "bounds", "periodic_box"} & set(shapes())


def test_a_shape_is_made_and_can_be_read(tmp_path: Path):
    code, out, err = run(*RECTANGLE, "cell=triangle", "-o", str(tmp_path / "mesh.msh"))
    assert (code, err) == (0, "")
    assert "16 triangle cells" in out
    assert "  whole   area 2e-12\n  left    length 1e-06\n" in out
    assert em.mesh.read(tmp_path / "mesh.msh").names == ("left", "right", "bottom", "top")


def test_a_mesh_is_checked():
    code, out, err = run("mesh", "check", PLATE, "--unit", "mm")
    assert (code, err) == (0, "")
    assert out.startswith("plate.msh 0.02 x 0.01: ")
    assert "\n  copper     area 9.37" in out
    assert "\n  source     length 0.01\n" in out


@pytest.mark.skipif(not hasattr(em.plot, "mesh"), reason="no pictures of meshes yet")
@pytest.mark.parametrize("command", [RECTANGLE, ["mesh", "check", PLATE]])
def test_a_mesh_is_drawn(command: list[str], tmp_path: Path):
    output = ["-o", str(tmp_path / "mesh.msh")] if "make" in command else []
    assert run(*command, *output, "--picture", str(tmp_path / "mesh.png"))[0] == 0
    assert (tmp_path / "mesh.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["mesh", "make", "pentagon"], 2, "'pentagon'; emfem mesh make has annulus, bend, box, "),
        ([*RECTANGLE, "depth=1"], 2, "'depth'; rectangle has size, cells, cell, names"),
        ([*RECTANGLE, "cells"], 2, "'cells', must be KEY=VALUE"),
        ([*RECTANGLE, "cells=(1,1)"], 2, "'cells=(1,1)', must be KEY=VALUE, each key once"),
        (["mesh", "make", "rectangle", "size=(1,1)"], 2, "rectangle needs cells=..."),
        (["mesh", "make", "rectangle", "size=(1,0)", "cells=(1,1)"], 1, "length along y = 0, must be greater than 0"),
        (["mesh", "make", "interval", "length=5*ummm", "cells=3"], 1, "length along x = '5*ummm', must be a number"),
    ],
)
def test_a_shape_that_cannot_be_made_is_told_in_one_sentence(
    arguments: list[str], code: int, told: str, tmp_path: Path
):
    found, out, err = run(*arguments, "-o", str(tmp_path / "mesh.msh"))
    assert (found, out) == (code, "")
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.msh"], "path = 'missing.msh', must be a file: there is none\n"),
        ([PLATE, "--unit", "feet"], "unit = 'feet', must be a number\n"),
        ([PLATE, "--size", "1*mm"], "size = 0.001, must be left out: a .msh file holds its cells\n"),
        ([__file__], f"path = {__file__!r}, must end in .msh"),
    ],
)
def test_a_file_that_is_refused_is_told_in_one_sentence(arguments: list[str], told: str):
    code, out, err = run("mesh", "check", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50*um", 50 * 1e-6),
        ("-25.4*mm/2", -0.0127),
        ("90*deg", pytest.approx(1.5707963267948966)),
        ("(1*um, 2)", (1e-6, 2)),
        ("[(0, 0), (1, 0)]", [(0, 0), (1, 0)]),
        ("{'left': (0*deg, 30*deg)}", {"left": (0.0, pytest.approx(0.5235987755982988))}),
        ("True", True),
        ("None", None),
        ("triangle", "triangle"),
        ("'triangle'", "triangle"),
        ("meshes/a.png", "meshes/a.png"),
        ("1/0", "1/0"),
        ("2*pie", "2*pie"),
        ("", ""),
    ],
)
def test_a_value_is_read(text: str, expected: object):
    assert value(text) == expected
    assert type(value(text)) is type(expected) or isinstance(value(text), float)


@pytest.mark.parametrize("text", ["__import__('os').getcwd()", "units.__dict__", "9**9**9", "[x for x in (1, 2)]"])
def test_nothing_in_a_value_is_run(text: str):
    assert value(text) == text
    ast.parse(text, mode="eval")  # it is an expression, and still only text
