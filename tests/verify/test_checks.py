"""One test for each check of `emfem verify`; tests/verification/ compares with other numbers, and in other ways."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import emfem as em
from emfem import verify

import pytest

# Their long form is a rate over three meshes, and takes some seconds; `emfem verify --full` runs all of them at length.
AT_LENGTH = {"corner of a bend", "kink between phases", "resistance of a ring"}
CHECKS = verify.checks()
BOOK = Path(__file__).resolve().parents[2] / "docs" / "verification" / "book.py"


@pytest.fixture(scope="module")
def results() -> Iterator[dict[verify.Check, verify.Result]]:
    """Results of the short form; once all are there the site takes them instead of running the checks again."""
    path, date = stored_report(), datetime.now(UTC).isoformat(timespec="seconds")
    found: dict[verify.Check, verify.Result] = {}
    yield found
    if found.keys() == set(CHECKS) and path is not None and path == stored_report():
        done = tuple(found[check] for check in CHECKS)
        report = verify.Report(done, False, sum(result.wall for result in done), date)
        em.write.text(path.with_suffix(".part"), report.json())
        path.with_suffix(".part").replace(path)  # whole, or not there


def stored_report() -> Path | None:
    """Path at which the verification book looks for a report, named by the state of the code; None without IPython."""
    if importlib.util.find_spec("IPython") is None:
        return None
    spec = importlib.util.spec_from_file_location("book", BOOK)
    assert spec
    assert spec.loader
    book = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(book)
    return Path(book.stored())


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.physics} {check.name}")
def test_check_passes(check: verify.Check, results: dict[verify.Check, verify.Result]):
    for full in (False, True) if check.name in AT_LENGTH else (False,):
        (result,) = verify.run([check], full=full).results
        assert result.ok, f"{result.values}, order {result.order}, must be {check.target}; {result.trouble}"
        if not full:
            results[check] = result
