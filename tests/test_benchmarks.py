"""The programs of `benchmarks/peers` solve one problem: Fourier codes, emfem and others installed agree."""

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.__main__ import ROOT, SECTIONS, SIZES, Job, main, table
from benchmarks.peers.__main__ import reason, run
from benchmarks.peers.child import affordable, measure
from benchmarks.peers.problem import CASES, SAMPLES, SIDE, error, sample_grid, sample_points, start
from benchmarks.peers.programs import PROGRAMS
from benchmarks.peers.pseudospectral import Film

import numpy as np
import pytest
from numpy.typing import NDArray

SHORT = CASES["film"].shorter(20.0)


@cache
def reference() -> NDArray[np.float64]:
    """Composition at t = 20, from 64 points and small steps."""
    film = Film(SHORT, 64, 1.0, "rk4")
    film.run()
    return film.sample()


def moved() -> float:
    """Return the distance of the film from its start, in the measure of the error."""
    return error(start(*sample_points().T), reference())


def test_samples_of_a_grid_are_those_of_the_function() -> None:
    places = (np.arange(32) + 0.5) * SIDE / 32
    sampled = sample_grid(start(places[:, None], places[None, :]), 0.5)
    assert sampled == pytest.approx(start(*sample_points().T), abs=1e-12)
    assert len(sampled) == SAMPLES**2


@pytest.mark.parametrize("case", list(CASES))
def test_fourier_codes_agree(case: str) -> None:
    """They share the right-hand side, not the step; emfem is the witness of the former."""
    short = CASES[case].shorter(CASES[case].until / 15)
    films = [Film(short, 48, short.until / 20, method) for method in ("rk4", "etdrk4")]
    for film in films:
        film.run()
    first, second = (film.sample() for film in films)
    assert error(first, second) < 1e-4


def test_explicit_steps_of_the_size_left_open_are_stable_and_not_much_smaller_than_that() -> None:
    """Each step times the fastest decay is the limit; Euler's method is of first order, RK4 exact beside it."""
    errors = []
    for method in ("euler", "rk4"):
        film = Film(SHORT, 64, None, method)
        film.run()
        errors.append(error(film.sample(), reference()))
    assert errors[1] < 0.01 * errors[0] < 1e-3
    film = Film(CASES["film"], 64, 2 * film.step, "rk4")
    with np.errstate(all="ignore"):
        film.run()
    assert not np.isfinite(film.values).all()


# The largest error of each at this coarseness, twice what it was; the film itself moves by more than all of them.
TINY = {
    "emfem": ({"cells": 24, "rtol": 1e-3}, 0.05),
    "scikit-fem": ({"cells": 20, "step": 10.0}, 0.09),
    "dolfinx": ({"n": 48, "step": 10.0}, 0.04),
    "fipy": ({"n": 48, "step": 10.0, "sweeps": 2}, 0.09),
}


@pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning", "ignore::DeprecationWarning:fipy")
@pytest.mark.parametrize("name", list(TINY))
def test_a_program_agrees_with_the_fourier_code(name: str) -> None:
    if PROGRAMS[name].missing():
        pytest.skip(f"{PROGRAMS[name].title} is not installed")
    settings, bound = TINY[name]
    film: Any = importlib.import_module(f"benchmarks.peers.{PROGRAMS[name].module}").Film(SHORT, **settings)
    film.run()
    wrong = error(film.sample(), reference())
    assert wrong < bound < moved() / 3


def test_a_long_run_is_limited_to_steps_that_fit() -> None:
    film = Film(CASES["film"], 32, 0.01, "rk4")
    steps, each = affordable(film, 0.2)
    assert steps is not None
    assert 3 <= steps < film.steps == 30000
    assert each * steps < 0.2 or steps == 3
    assert affordable(Film(SHORT, 16, 10.0, "rk4"), 1e3)[0] is None


def test_steps_that_alone_take_the_limit_are_the_run(tmp_path: Path) -> None:
    """They are not repeated, and stand for the whole."""
    found = measure("rk4", CASES["film"], {"n": 32, "step": 0.01, "method": "rk4"}, "", 1e-6)
    assert (found["steps"], found["share"], found["error"]) == (30000, 1e-4, None)
    assert 1.0 < found["cpu"] < 3000.0  # 10 s on a quiet machine
    row = run("rk4", CASES["film"], tmp_path, 1.0, 0.0)
    assert reason(row) == "stopped: the time of all is over"
    assert reason(found) is None


@pytest.mark.parametrize("size", SIZES)
def test_every_row_of_all_benchmarks_is_a_program_that_is_there(size: str) -> None:
    jobs = [job for section in SECTIONS.values() for job in section(size)]
    assert {job.ranks for job in jobs} == {1, 2}
    assert all((ROOT / "benchmarks" / str(job.arguments[0])).is_file() for job in jobs)


def test_a_benchmark_that_fails_is_a_row_with_the_reason() -> None:
    row = Job({"film": "none"}, ("missing.py",)).run(60.0)
    assert "missing.py" in row["failed"]
    lines = table([{"film": "one", "s": 1.23456}, row]).splitlines()
    assert lines[0] == "| film | s | failed |"
    assert lines[2] == "| one | 1.235 |  |"
    assert Job({}, ("film.py",)).run(0.01) == {"stopped": "not done after 0.01 s"}
    assert Job({}, ("film.py",)).run(-0.01) == {"stopped": "not begun: the time of all is over"}


def test_all_benchmarks_end_in_a_known_time(tmp_path: Path) -> None:
    assert main("small", ["peers", *SECTIONS], repeat=1, limit=1.0, minutes=0.0, output=tmp_path)
    sections = json.loads((tmp_path / "bench.json").read_text())["sections"]
    assert list(sections) == ["peers", *SECTIONS]
    rows = [row for name in SECTIONS for row in sections[name]["rows"]]
    assert len(rows) >= 15
    assert all(row["stopped"].startswith("not begun") for row in (*rows, sections["peers"]["rows"]))
