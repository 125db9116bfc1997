"""Tests of a mutant, in a copy of the project: which tests execute its line, and whether one of them fails."""

from __future__ import annotations

import ast
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.sites import Mutant

import pytest
from coverage import CoverageData

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("emfem", "tests", "demos", "docs", "meshes", "pyproject.toml")
QUICK, ALL = "not slow and not parallel", "not parallel"

# Tests that mirror a package, and slower ones that depend on its numbers.
MIRRORS = {
    **{name: (name,) for name in ("mesh", "materials", "analytic", "film", "conduction", "heat", "migration")},
    **{name: (name,) for name in ("stress", "surface", "steps")},
    **{name: (f"test_{name}.py",) for name in ("waveforms", "fields", "spaces")},
    "model": ("model", "test_model_inputs.py", "test_resolution.py", "test_new_physics.py"),
    "observe": ("test_watch.py", "test_evolution.py"),
}
SLOWER = {
    "mesh": ("network_layout",),
    "materials": ("material_numbers",),
    "waveforms": ("pulses",),
    "analytic": (
        *("korhonen", "joule_heating", "migration_profiles", "surface_drift", "surface_waves", "material_numbers"),
    ),
    "model": ("balances",),
    "film": ("film_laws", "film_symmetries", "film_waves", "film_shell"),
    "conduction": ("conduction_shapes", "network_layout"),
    "heat": ("joule_heating",),
    "migration": tuple(f"migration_{name}" for name in ("alloy", "boundaries", "exchange", "profiles", "vacancies")),
    "stress": ("korhonen", "stress_shapes"),
    "surface": ("surface_drift", "surface_waves"),
    "steps": ("step_flow",),
}
CHECKS = "verify/test_verify.py"

SHARE_OF_TIME = 20.0  # s of processor time for the tests of a mutant at first; the rest is for survivors
START, SLACK, PATIENCE = 30.0, 2.0, 10.0  # limit: s, times the time of the tests; of the clock, times that
LONG = 300.0  # s for the slow tests of a package
HANGS = 90.0  # s of the clock for one quick test
MEMORY = 6 * 2**30
RECORD = ("coverage", "seconds.json")


@dataclass(frozen=True)
class Outcome:
    """Result of the tests of a mutant.

    Attributes:
        kind: "killed", "timeout" (killed too), or "survived".
        tests: number of test functions that were chosen.
        by: the test that failed, or how it ended.
    """

    kind: str
    tests: int
    by: str = ""


@dataclass
class Record:
    """Test functions by line, and their processor times.

    Attributes:
        lines: tests by file and line.
        seconds: of each test.
    """

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]
    files: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        """Add up the times of files."""
        self.files = {}
        for test, seconds in self.seconds.items():
            name = test.partition("::")[0]
            self.files[name] = self.files.get(name, 0.0) + seconds

    def covering(self, mutant: Mutant, source: str) -> list[str]:
        """Return the tests that execute the statement, those of the package and of quick files first.

        Of a statement outside functions they are those that execute its file; of a file that is executed in other
        processes only, which coverage does not see, all of the package.
        """
        lines, mirrors = self.lines.get(mutant.path, {}), tuple(f"tests/{path}" for path in MIRRORS[mutant.package])
        tests = {test for line in _statement(source, mutant.line) or lines for test in lines.get(line, [])}
        if not any(test in self.seconds for of_line in lines.values() for test in of_line):
            tests = {test for test in self.seconds if test.startswith(mirrors)}

        def rank(test: str) -> tuple[bool, float, str, float]:
            name = test.partition("::")[0]
            return not test.startswith(mirrors), self.files[name], name, self.seconds[test]

        return sorted(tests & self.seconds.keys(), key=rank)

    def split(self, tests: Sequence[str]) -> int:
        """Return how many of the tests there is time for at first."""
        total = itertools.accumulate(self.seconds[test] for test in tests)
        return max(1, sum(seconds <= SHARE_OF_TIME for seconds in total))


class Trial:
    """A copy of the project in which one file at a time is mutated."""

    def __init__(self, folder: Path, cache: Path) -> None:
        """Make the copy.

        Args:
            folder: for it.
            cache: folder of compiled forms; what mutants add to it is removed.
        """
        self.folder, self.cache = folder, cache
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
            else:
                shutil.copy2(source, folder / name)

    def source(self, mutant: Mutant) -> str:
        """Return the file of a mutant as it is in the copy, which later edits of the project do not change."""
        return (self.folder / mutant.path).read_text(encoding="utf-8")

    def record(self, store: Path) -> Record:
        """Return which quick test executes which line; it is stored for the next time."""
        data, times = (store / name for name in RECORD)
        self._times = times
        tests = [f"tests/{path}" for path in sorted({*(path for paths in MIRRORS.values() for path in paths), CHECKS})]
        if times.exists():
            done = self._pytest(QUICK, ["--collect-only", *tests])  # compiles emfem and the tests to bytecode
        else:
            command = ["coverage", "run", f"--data-file={data}", "--source=emfem", "-m"]
            done = self._pytest(QUICK, tests, before=command, times=times)
        if done.returncode:
            remove_record(store)
            msg = f"the tests fail without any mutant:\n{done.stdout[-3000:]}"
            raise RuntimeError(msg)
        found = CoverageData(str(data))
        found.read()
        lines = {}
        for path in found.measured_files():
            name = path.rpartition("/emfem/")[2]
            lines[f"emfem/{name}"] = found.contexts_by_lineno(path)
        return Record(lines, json.loads(times.read_text(encoding="utf-8")))

    def quick(self, mutant: Mutant, record: Record) -> Outcome:
        """Return the outcome of the first of the quick tests that execute the line."""
        tests = record.covering(mutant, self.source(mutant))
        return self._outcome(mutant, QUICK, tests[: record.split(tests)], record)

    def thorough(self, mutant: Mutant, record: Record) -> Outcome:
        """Return the outcome of the other quick tests, and of the slow ones and those that are not in the record."""
        tests = record.covering(mutant, self.source(mutant))
        outcome = self._outcome(mutant, QUICK, tests[record.split(tests) :], record)
        if outcome.kind != "survived":
            return outcome
        slower = (f"verification/test_{name}.py" for name in SLOWER.get(mutant.package, ()))
        return self._outcome(mutant, ALL, [f"tests/{path}" for path in (*MIRRORS[mutant.package], *slower)], record)

    def _outcome(self, mutant: Mutant, marks: str, tests: Sequence[str], record: Record) -> Outcome:
        if not tests:
            return Outcome("survived", 0, "no test")
        source, path = self.source(mutant), self.folder / mutant.path
        seconds = sum(record.seconds[test] for test in tests) if marks == QUICK else LONG
        code = mutant.code(source)
        assert code is not None
        before = set(_compiled(self.cache))
        for stale in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            stale.unlink()
        path.write_text(code, encoding="utf-8")
        try:
            done = self._pytest(marks, tests, limit=START + SLACK * seconds, recorded=marks == QUICK)
        except subprocess.TimeoutExpired:
            return Outcome("timeout", len(tests), "clock")
        finally:
            path.write_text(source, encoding="utf-8")
            for added in set(_compiled(self.cache)) - before:
                added.unlink(missing_ok=True)
        if done.returncode == pytest.ExitCode.USAGE_ERROR and "ERROR: not found" in done.stdout and not _failed(done):
            msg = f"the tests have changed, so that --resume cannot be used:\n{done.stdout[-3000:]}"
            raise RuntimeError(msg)
        if done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return Outcome("survived", len(tests))
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return Outcome("timeout", len(tests), signal.Signals(-done.returncode).name)
        by = _failed(done) or f"exit code {done.returncode}: {done.stdout.strip()[-300:]}"
        return Outcome("timeout" if "Timeout (>" in done.stdout else "killed", len(tests), by)

    def _pytest(
        self,
        marks: str,
        tests: Sequence[str],
        *,
        before: Sequence[str] = (),
        times: Path | None = None,
        limit: float | None = None,
        recorded: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run tests in the copy, with a limit of processor time, and write no bytecode of mutants."""
        plugins = ("tests.mutants.recorder", "no:cacheprovider", "no:xdist", "no:hypothesispytest")
        options = [word for name in plugins for word in ("-p", name)]
        settings = {
            "PYTHONPATH": str(self.folder),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
            "XDG_CACHE_HOME": str(self.cache),
            "PYTHONDONTWRITEBYTECODE": "1" if limit else "",
            **({"MUTANTS_SECONDS": str(times)} if times else {}),
            **({} if recorded else {"MUTANTS_RECORDED": str(self._times)}),
        }

        def limits() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
            if sys.platform == "linux":
                resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

        if marks == QUICK and limit:
            options.append(f"--timeout={HANGS}")
        command = [sys.executable, "-m", *before, "pytest", "-x", "--tb=line", *options, "-m", marks, *tests]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=limits,
        )
        try:
            out, _ = process.communicate(timeout=limit and PATIENCE * limit)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return subprocess.CompletedProcess(command, process.returncode, out)


def remove_record(store: Path) -> None:
    """Remove what `Trial.record` has stored."""
    for name in RECORD:
        (store / name).unlink(missing_ok=True)


def _compiled(cache: Path) -> Iterator[Path]:
    """Return the files of compiled forms."""
    return (path for path in cache.rglob("*") if path.is_file())


def _failed(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line of the first test, or file of tests, that failed."""
    return next((line[:200] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))), "")


def _statement(source: str, line: int) -> range | None:
    """Return the lines of the innermost statement without its body, or None if it is executed at import."""
    inside, found, length = False, range(line, line + 1), sys.maxsize
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt):
            continue
        begin, end = node.lineno, node.end_lineno or node.lineno
        body: list[ast.stmt] = getattr(node, "body", [])
        if isinstance(node, ast.FunctionDef) and body[0].lineno <= line <= end:
            inside = True
        if body:
            end = max(begin, body[0].lineno - 1)
        if begin <= line <= end and end - begin < length:
            found, length = range(begin, end + 1), end - begin
    return found if inside else None
