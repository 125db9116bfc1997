"""Mutants that are made, and tests that they meet."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.__main__ import equivalents, share
from tests.mutants.sites import PACKAGES, Mutant, mutants, sample
from tests.mutants.trial import MIRRORS, ROOT, SLOWER, Record

import pytest

SOURCE = '''"""Half of 1 + 1."""
__all__ = ["half"]


@dataclass(frozen=True)
class Part:
    size: int | None = None


@cache
def half(x: int | float, *, one=1) -> float | None:
    """Return x/2."""
    if x < 0:
        msg = f"{x + one:.3g}"
        raise ValueError(msg if one > 0 else 3)
    return x / 2
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one file."""
    (tmp_path / "emfem").mkdir()
    (tmp_path / "emfem" / "film.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_mutants_are_of_code_that_is_executed_and_not_of_messages(project: Path):
    found = {(mutant.line, mutant.operator) for mutant in mutants(project, "film")}
    assert found == {
        (11, "NumberReplacer"),
        (13, "NumberReplacer"),
        (13, "AddNot"),
        (13, "ReplaceComparisonOperator_Lt_LtE"),
        (13, "ReplaceComparisonOperator_Lt_GtE"),
        (16, "NumberReplacer"),
        (16, "ReplaceBinaryOperator_Div_Mul"),
    }


def test_a_mutant_changes_one_place(project: Path):
    (mutant,) = (mutant for mutant in mutants(project, "film") if mutant.operator.endswith("Div_Mul"))
    assert mutant.code(SOURCE) == SOURCE.replace("x / 2", "x * 2")
    assert mutant.definition(SOURCE) == "half"
    assert mutant.package == "film"


def test_a_sample_is_that_of_its_seed(project: Path):
    one, counts = sample(project, 4, 1, ("film",))
    assert len(set(one)) == 4
    assert counts == {"film": 10}  # each number twice, one up and one down
    assert sample(project, 4, 1, ("film",))[0] == one
    assert sample(project, 4, 2, ("film",))[0] != one


def test_tests_of_a_line_are_those_that_execute_its_statement():
    lines = {"emfem/film.py": {11: [""], 13: ["tests/film/a.py::one"], 16: ["tests/b.py::two", "tests/film/a.py::one"]}}
    record = Record(lines, {"tests/film/a.py::one": 15.0, "tests/b.py::two": 1.0, "tests/film/c.py::three": 2.0})
    chosen = {line: record.covering(Mutant("emfem/film.py", "", 0, line, 0), SOURCE) for line in (7, 13, 15, 16)}
    assert chosen == {
        7: ["tests/film/a.py::one", "tests/b.py::two"],  # outside functions: all that execute the file
        13: ["tests/film/a.py::one"],
        15: [],
        16: ["tests/film/a.py::one", "tests/b.py::two"],
    }
    elsewhere = Mutant("emfem/film/other.py", "", 0, 16, 0)
    assert record.covering(elsewhere, SOURCE) == ["tests/film/c.py::three", "tests/film/a.py::one"]
    assert record.split(chosen[16]) == 2
    assert Record(lines, {"tests/b.py::two": 30.0, "tests/film/a.py::one": 15.0}).split(chosen[16]) == 1


def test_the_share_leaves_out_equivalent_mutants():
    kinds = ["killed", "timeout", "survived", "equivalent"]
    assert share([{"kind": kind} for kind in kinds]) == pytest.approx(2 / 3)


def test_every_package_has_its_tests():
    assert set(MIRRORS) == set(PACKAGES) >= set(SLOWER)
    paths = [path for mirrors in MIRRORS.values() for path in mirrors]
    paths += [f"verification/test_{name}.py" for names in SLOWER.values() for name in names]
    assert [path for path in paths if not (ROOT / "tests" / path).exists()] == []


def test_equivalent_mutants_are_of_lines_that_exist():
    for (path, definition, *diff), reason in equivalents().items():
        lines = {line.strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines()}
        assert {line[2:] for line in diff if line.startswith("- ")} <= lines, definition
        assert reason
