"""The example of a new physics in the developers' pages: it converges, keeps what it must, refuses, and is checked."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import emfem as em
from emfem import verify

import numpy as np
import pytest
from dolfinx import fem

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "developers"
FILE = FOLDER / "trapping.py"


def load() -> Any:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("trapping", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trapping = load()
CHECKS = (trapping.wave_between_traps, trapping.traps_at_rest)
RIGHT: dict[str, Any] = {"diffusivity": 1.0, "traps": 2.0, "capture": 3.0, "release": 2.0, "initial": 1.0}


def line(cells: int = 8) -> em.mesh.Domain:
    return em.mesh.interval(1.0, cells=cells)


# ---- the checks


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_of_the_example_passes(check: verify.Check):
    report = verify.run([check])
    assert not report.failed, verify.troubles(report)


def test_a_percent_in_the_code_is_found(monkeypatch: pytest.MonkeyPatch):
    """Traps that capture a percent too fast change the rates, and what they hold in the end."""
    former = trapping.trapping
    monkeypatch.setattr(trapping, "trapping", lambda k, *rest: former(1.01 * k, *rest))
    assert [result.ok for result in verify.run(CHECKS).results] == [False, False]


# ---- closed forms and laws


def test_the_closed_form_begins_as_it_must():
    """With empty traps a' = -(D k^2 + k N) and b' = k N: 9.869604 + 5 and 5, to first order in 1e-6."""
    a, b = trapping.decay(1e-6, wave_number=np.pi, **trapping.CASE)
    assert (1 - a) / 1e-6 == pytest.approx(14.869604, rel=1e-5)
    assert b / 1e-6 == pytest.approx(5.0, rel=1e-5)


def test_full_traps_hold_no_more_than_there_are():
    assert trapping.langmuir([0.0, 2 / 3, 1e12], traps=2.0, capture=3.0, release=2.0) == pytest.approx([0.0, 1.0, 2.0])


def test_free_and_trapped_solute_are_kept_together():
    """A drift against a blocked end, traps half full: 1e-10 is what the steps' linear solves leave."""
    solute = trapping.model(line(), drift=[4.0], **RIGHT)
    kept = em.watch.conserved("amount", rtol=1e-10)
    em.evolve(solute, 1.0, watch=[kept], progress=False)
    assert 0.5 < solute.quantity("trapped") < 0.9
    assert kept.worst < 1e-10


def test_what_is_let_in_is_there_afterwards():
    solute = trapping.model(line(), on={"left": em.flux(0.5)}, **RIGHT)
    em.evolve(solute, 2.0, progress=False)
    assert solute.quantity("amount") == pytest.approx(1.0 + 0.5 * 2.0, rel=1e-9)


@pytest.mark.parametrize(("degree", "cells"), [(1, (16, 32)), (2, (6, 12))])
def test_error_in_space_falls_as_degree_plus_one(degree: int, cells: tuple[int, int]):
    """Against the closed form at t = 0.05, which holds to the 1e-6 that traps are full."""
    wave, errors = trapping.decay(0.05, wave_number=np.pi, **trapping.CASE)[0], []
    for n in cells:
        domain = line(n)
        on = {"left": em.fixed(0.0), "right": em.fixed(0.0)}
        start = lambda x: np.sin(np.pi * x[0])  # noqa: E731
        solute = trapping.model(domain, **trapping.CASE, initial=start, on=on, degree=degree)
        em.evolve(solute, 0.05, rtol=1e-8, atol=1e-13, progress=False)
        exact = fem.Function(fem.functionspace(domain.mesh, ("DG", 6)))
        exact.interpolate(lambda x: wave * np.sin(np.pi * x[0]))
        form = fem.form((solute["c"] - exact) ** 2 * domain.dx(12))
        errors.append(em.fields.integral(form, domain.mesh.comm) ** 0.5)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(degree + 1, abs=0.15)


# ---- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"diffusivity": 0.0}, r"diffusivity = 0, must be greater than 0"),
        ({"traps": -1.0}, r"traps = -1, must be greater than 0"),
        ({"capture": np.nan}, r"capture = nan, must be finite"),
        ({"release": "2"}, r"release = '2', must be a number"),
        ({"initial": -0.1}, r"initial = -0.1, must be at least 0"),
        ({"drift": [1.0, 0.0]}, r"drift = \[1.0, 0.0\], must be 1 finite numbers"),
        ({"degree": 0}, r"degree = 0, must be at least 1"),
        ({"on": {"top": em.fixed(1.0)}}, r"'top'; .* has left, right"),
        ({"on": {"left": 1.0}}, r"on\['left'\] = 1.0, must be em.fixed\(...\) or em.flux\(...\)"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        trapping.model(line(), **(RIGHT | change))


def test_what_is_no_domain_is_refused():
    with pytest.raises(em.ParameterError, match=r"must be one of em\.mesh"):
        trapping.model("line", **RIGHT)


# ---- ranks, and the page


@pytest.mark.parallel
def test_two_ranks_find_the_same(run_json_on_ranks: Any):
    """Steps are chosen from norms, which differ by rounding: 1e-8."""
    (result,) = verify.run(CHECKS[:1]).results
    assert run_json_on_ranks(2, FILE)[result.check.name] == pytest.approx(list(result.values), rel=1e-8, abs=0)


def test_the_page_shows_this_file():
    """Every part of the file between two marks is shown, in its order."""
    text = (FOLDER / "new_physics.md").read_text(encoding="utf-8")
    shown = re.findall(r":start-after: \"# \[(\w+)\]\"", text)
    assert shown == re.findall(r"^# \[(\w+)\]$", FILE.read_text(encoding="utf-8"), re.MULTILINE)[:-1]
