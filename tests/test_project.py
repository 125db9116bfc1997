"""Statements of the project about itself: one version, no demo untested, nothing of one machine in a tracked file."""

import ast
import os
import re
import runpy
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import emfem
from tests import conftest

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# A package index by address, and absolute paths that only one machine has.
REGISTRY = re.compile(r"https?://[^\s/]+(/[^\s/]+)*/(simple|packages)/", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.~$})/-])/(home|root|Users|tmp|work|mnt)/\w")

CODE = ("emfem", "tests", "demos", "benchmarks", "docs", "meshes")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUESTION = re.compile(r"\W*(What|How|Whether|Where|Why|Which|When|Who)\b")

# Names that the code once had, and the standard ones; docs/developers/glossary.md explains the terms.
REPLACED = {
    "Course": "Waveform of em.waveforms",
    "Door": "UnitContext",
    "Leash": "InterfaceMonitor",
    "Parts": "RawMesh or BuildContext",
    "Relay": "ObserverProxy",
    "TORN": "READ_ERRORS",
    "Turns": "next_breakpoint of em.waveforms",
    "conducting": "positive_coefficient",
    "eye": "camera",
    "guard": "auth",
    "let_in": "neumann_term",
    "liveliest": "most_varying",
    "nowhere": "unwritable_dir",
    "stage": "rendering",
    "surplus": "unbalanced_inflow",
    "teller": "model_with_quantity",
    "told_on": "run_json_on_ranks",
    "trespass": "bounds_violation",
    "tried": "validate_by_building",
}
# Names that say nothing of what they hold; inside emfem only.
CATCH_ALL = dict.fromkeys(["told", "asked", "say", "said", "found", "given", "held", "kept"], "the name of its content")


def tracked() -> list[Path]:
    """List every file that git tracks or would add, as far as it is text and still there."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def matches(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """File, line number and text of every line that matches the pattern."""
    return [
        f"{path.name}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def sources(*folders: str) -> dict[str, str]:
    """Text of the Python files in folders of the project, by path; the built site is left out."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    names = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {name: path.read_text(encoding="utf-8") for name, path in names.items() if "/_build/" not in name}


def questions(name: str, source: str) -> list[str]:
    """Docstrings that open with a question word, each with its place."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED)]
    docstrings = [(getattr(node, "lineno", 1), ast.get_docstring(node) or "") for node in nodes]
    return [f"{name}:{line}: {text.splitlines()[0]}" for line, text in docstrings if QUESTION.match(text)]


def identifiers(name: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and name of all that a source defines: itself, functions, classes, arguments, variables, imported names."""
    yield 1, Path(name).stem
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias():
                yield node.lineno, node.asname or node.name


def replaced(name: str, source: str, words: dict[str, str]) -> list[str]:
    """Identifiers of a source that are among `words`, each with its place and the better name."""
    return [
        f"{name}:{line}: {word}, must be {words[word]}" for line, word in identifiers(name, source) if word in words
    ]


@pytest.mark.parametrize("path", dict.fromkeys((*conftest.SLOW, *conftest.LONGEST)))
def test_files_that_conftest_lists_are_there(path: str):
    """A file that was renamed would run in `make quick`, or begin last, and nobody would notice."""
    assert (ROOT / "tests" / path).exists()
    assert path.endswith("/") == (ROOT / "tests" / path).is_dir()


@pytest.mark.parametrize("fixture", [conftest.BROWSER, conftest.ON_RANKS])
def test_fixtures_that_conftest_marks_are_there(fixture: str):
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    assert any(re.search(rf"^def {fixture}\(", source, re.M) for source in sources)


def test_version_is_the_same_everywhere():
    assert emfem.__version__ == VERSION
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_changelog_has_the_version():
    headings = re.findall(r"^## \[?([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert VERSION in headings


def test_every_demo_is_tested():
    demos = runpy.run_path(str(ROOT / "tests" / "test_demos.py"))["DEMOS"]
    listed = {str(name).removeprefix("demos/").removesuffix(".py") for name in demos}
    # those of paper/ are one program, and have tests/test_paper.py
    files = [path for path in (ROOT / "demos").rglob("*.py") if path.parent.name != "paper"]
    there = {path.relative_to(ROOT / "demos").with_suffix("").as_posix() for path in files}
    assert there, "no demo found: the test looks in the wrong place"
    assert listed == there


def test_tests_mirror_the_packages():
    """A package has a folder of tests, a module a file; those of watch, results and evolution test their parts too."""
    modules = {path.name for path in (ROOT / "emfem").iterdir() if (path / "__init__.py").is_file()}
    modules |= {path.stem for path in (ROOT / "emfem").glob("[a-z]*.py")}
    assert len(modules) > 30, "modules are missing: the test looks in the wrong place"
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    files = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    assert modules - folders - files == {"integration", "observe", "progress", "vtk"}
    assert folders <= modules | {"fuzz", "mutants", "verification"}


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["registry", "path"])
def test_nothing_of_one_machine_is_tracked(pattern: re.Pattern[str]):
    paths = tracked()
    assert paths, "no tracked file found: the test looks in the wrong place"
    assert matches(pattern, paths) == []


# Put together here, so that this file passes its own test.
INDEX = "https:/" + "/index.example.org"
HOME, TEMPORARY = (f"/{top}/someone" for top in ("home", "tmp"))


@pytest.mark.parametrize(
    ("pattern", "line", "hit"),
    [
        (REGISTRY, f"url = {INDEX}/simple/numpy/", True),
        (REGISTRY, f"url = {INDEX}/a/packages/numpy.whl", True),
        (REGISTRY, f"see {INDEX}/a-simple/page", False),
        (MACHINE_PATH, f'open("{HOME}/mesh.msh")', True),
        (MACHINE_PATH, f"cd {TEMPORARY}", True),
        (MACHINE_PATH, f"results{TEMPORARY}/a.png", False),
        (MACHINE_PATH, f"{INDEX}{HOME}", False),
    ],
)
def test_patterns_match_as_they_should(tmp_path: Path, pattern: re.Pattern[str], line: str, hit: bool):
    path = tmp_path / "file.txt"
    path.write_text(line, encoding="utf-8")
    assert bool(matches(pattern, [path])) is hit


def test_no_docstring_opens_with_a_question_word():
    files = sources(*CODE)
    assert len(files) > 100, "files are missing: the test looks in the wrong place"
    lines = [line for name, source in files.items() for line in questions(name, source)]
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize(("folders", "words"), [(CODE, REPLACED), (("emfem",), CATCH_ALL)], ids=["names", "catch-all"])
def test_replaced_names_are_not_used(folders: tuple[str, ...], words: dict[str, str]):
    lines = [line for name, source in sources(*folders).items() for line in replaced(name, source, words)]
    assert not lines, "\n".join(lines)


def test_question_words_and_replaced_names_are_reported():
    source = '''"""Where it is."""
from files import told as text, Door
class Leash:
    """The wheel's: Whether."""
    def reach(self, eye, wheel):
        """`How` it is done."""
        self.held = wheel.eye = [tried for tried in eye]
        wheel.told(Turns, teller=1)
'''
    assert questions("a.py", source) == ["a.py:1: Where it is.", "a.py:5: `How` it is done."]
    names = [line.split(",")[0].rsplit(" ")[-1] for line in replaced("emfem/guard.py", source, REPLACED)]
    assert sorted(names) == ["Door", "Leash", "eye", "eye", "guard", "tried"]


@pytest.fixture
def fake_machine(tmp_path: Path) -> Path:
    """A copy of the Makefile, and a folder bin/ that is to be the whole PATH: basic tools, no Python yet."""
    if not shutil.which("make"):
        pytest.skip("no make here")
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in ("make", "sh", "touch", "mkdir"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "/bin/false")
    return tmp_path


def add_python(machine: Path, name: str, minor: int, ensurepip: bool = True) -> None:
    """Add a stand-in for an interpreter: it answers the Makefile's questions, and its `-m venv` leaves only a note."""
    script = machine / "bin" / name
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f'    *"version_info <"*) exit {int(minor < 12)} ;;\n'
        f"    *version_info*) echo 3.{minor} ;;\n"
        f"    *ensurepip*) exit {int(not ensurepip)} ;;\n"
        f"    *venv*) echo made by {name} > made; exit 7 ;;\n"
        "esac\n",
        encoding="utf-8",
    )
    script.chmod(0o755)


def make_install(machine: Path) -> subprocess.CompletedProcess[str]:
    """Run `make install` with nothing on PATH but the fake machine's bin/."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    env = keep | {"PATH": str(machine / "bin")}
    return subprocess.run(["make", "install"], cwd=machine, env=env, text=True, capture_output=True, timeout=60)


def test_make_reports_that_no_python_is_new_enough(fake_machine: Path):
    add_python(fake_machine, "python3", 9)
    done = make_install(fake_machine)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert lines[0].startswith("emfem needs Python 3.12 or newer")
    assert not (fake_machine / ".venv").exists()


def test_make_names_the_package_to_install_without_ensurepip(fake_machine: Path):
    add_python(fake_machine, "python3", 13, ensurepip=False)
    done = make_install(fake_machine)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert "python3.13-venv" in lines[0]


def test_make_skips_pythons_that_do_not_run(fake_machine: Path):
    add_python(fake_machine, "python3", 11)
    broken = fake_machine / "bin" / "python3.14"
    broken.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    add_python(fake_machine, "python3.13", 13)
    add_python(fake_machine, "python3.12", 12)
    done = make_install(fake_machine)
    assert (fake_machine / "made").read_text(encoding="utf-8") == "made by python3.13\n"
    assert done.returncode != 0  # the venv did not come about, so nothing may be marked as installed
    assert not (fake_machine / ".venv" / ".installed").exists()


@pytest.mark.parametrize("mark", ["soak", "slow"])
def test_tests_that_are_left_out_exist(mark: str):
    """A test that has another name now would be in `make test` or `make quick` again, in silence."""
    lines = (ROOT / "tests" / f"{mark}.txt").read_text(encoding="utf-8").splitlines()
    listed = {line.partition("[")[0] for line in lines if not line.startswith("#")}
    assert len(listed) > 50
    for name in listed:
        file, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), name
