"""Plugin of pytest: which test executes which lines, if coverage is on, and the processor time of each test."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

SECONDS: dict[str, float] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record a test with its fixtures; parameters count as one test."""
    name = item.nodeid.partition("[")[0]
    if (recording := coverage.Coverage.current()) is not None:
        recording.switch_context(name)
    began = time.process_time()
    yield
    SECONDS[name] = SECONDS.get(name, 0.0) + time.process_time() - began


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests that are recorded, if wished: a mutant met those that execute its line before."""
    if "MUTANTS_RECORDED" in os.environ:
        recorded = json.loads(Path(os.environ["MUTANTS_RECORDED"]).read_text(encoding="utf-8"))
        items[:] = [item for item in items if item.nodeid.partition("[")[0] not in recorded]


def pytest_sessionfinish() -> None:
    """Write the times; the emfem that was tested must be the one in this folder."""
    if "emfem" in sys.modules:
        assert Path(str(sys.modules["emfem"].__file__)).is_relative_to(Path.cwd())
    if "MUTANTS_SECONDS" in os.environ:
        Path(os.environ["MUTANTS_SECONDS"]).write_text(json.dumps(SECONDS), encoding="utf-8")
