"""Folders of fits, studies and voids: two runs in one, a full disk, one that is removed or cannot be made."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import ParameterError, WriteWarning
from emfem.files import LineFile
from emfem.fit import Curve, Unknown
from emfem.lock import FolderLock

import numpy as np
import pytest
from scipy.stats import norm

pytestmark = pytest.mark.usefixtures("in_tmp")

X = np.linspace(0.0, 1.0, 12)
Y = 1 + 2 * X + 0.01 * np.cos(9 * X)
INPUTS = {"a": norm(1.0, 0.1), "b": norm(2.0, 0.1)}
Model = Callable[[dict[str, float], dict[str, Any]], Any]


def line(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Straight line."""
    return c["a"] + c["b"] * x["x"]


def fitted(model: Model, folder: Path, **options: Any) -> Any:
    """Fit a straight line."""
    unknowns = [Unknown("a", (-10.0, 10.0)), Unknown("b", (-10.0, 10.0))]
    return list(em.fit.fit(model, [Curve("line", {"x": X}, Y)], unknowns, folder=folder, starts=1, **options).values)


def propagated(model: Model, folder: Path, **options: Any) -> Any:
    """Propagate two constants to the end of a line."""
    conditions = {"x": np.ones(1)}
    return list(
        em.uncertainty.propagate(model, INPUTS, samples=64, conditions=conditions, folder=folder, **options).mean
    )


def indices(model: Model, folder: Path, **options: Any) -> Any:
    """Return Sobol' indices of the same."""

    def end(c: dict[str, float], x: dict[str, Any]) -> float:
        return float(model(c, {"x": 1.0}))

    end.fingerprint = "end"  # type: ignore[attr-defined]
    return em.uncertainty.sobol_indices(end, INPUTS, samples=16, folder=folder, **options).variance


def lives(model: Model, folder: Path) -> Any:
    """Compute ten lives one by one."""

    def life(metal: Any, critical: float) -> float:
        return float(model({"a": critical, "b": 0.0}, {"x": 0.0}))

    spread = em.lifetime.Spread(critical_stress=0.1)
    copper = em.materials.copper(temperature=573.0)
    options: dict[str, Any] = {"samples": 40, "seed": 1, "critical_stress": 1e8, "spread": spread}
    return em.lifetime.monte_carlo(copper, life, checkpoint=folder / "lives.jsonl", **options).lifetimes.tolist()


STUDIES = [fitted, propagated, indices, lives]
LOCKED = STUDIES[:3]


class Acts:
    """Model that calls a function once, at its fifth evaluation; the same model wherever it is made."""

    fingerprint = "a line"

    def __init__(self, action: Callable[[], object]) -> None:
        self.action, self.calls = action, 0

    def __call__(self, c: dict[str, float], x: dict[str, Any]) -> Any:
        self.calls += 1
        if self.calls == 5:
            self.action()
        return line(c, x)


def nothing() -> None:
    """Stand for an action."""


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Return a function after which the system refuses all but the first 500 bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("study", STUDIES)
def test_a_full_disk_costs_no_study_and_its_file_stays_whole(study: Any, full_disk: Callable[[], None], tmp_path: Path):
    whole, (soft, hard) = study(Acts(nothing), tmp_path / "whole"), resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.warns(
        WriteWarning, match=r"^line not written: path = .*, must be a file that can be written: File too"
    ):
        assert study(Acts(full_disk), tmp_path / "full") == whole
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    again = Acts(nothing)
    assert study(again, tmp_path / "full") == whole
    assert 0 < again.calls
    (file,) = (tmp_path / "full").glob("*.jsonl")
    (other,) = (tmp_path / "whole").glob("*.jsonl")
    assert file.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("study", STUDIES)
def test_a_folder_that_is_removed_costs_no_study(study: Any, tmp_path: Path):
    whole = study(Acts(nothing), tmp_path / "whole")
    with pytest.warns(WriteWarning, match="must be a file that can be written: No such file or directory"):
        assert study(Acts(lambda: shutil.rmtree(tmp_path / "gone")), tmp_path / "gone") == whole


@pytest.mark.parametrize("study", STUDIES)
def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_computed(study: Any, unwritable_dir: Path):
    model = Acts(nothing)
    with pytest.raises(ParameterError, match=r"must be a file that can be written: Not a directory$"):
        study(model, unwritable_dir)
    assert model.calls == 0


@pytest.fixture
def in_use(tmp_path: Path) -> Iterator[Path]:
    """Folder that another process writes to."""
    with FolderLock(tmp_path):
        file = tmp_path / "run.lock"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"process": "another"}))
        yield tmp_path


@pytest.mark.parametrize("study", LOCKED)
def test_a_folder_in_use_is_refused(study: Any, in_use: Path):
    model = Acts(nothing)
    with pytest.raises(ParameterError, match=r"must not be in use: process \d+ on host "):
        study(model, in_use)
    assert model.calls == 0
    assert [path.name for path in in_use.iterdir()] == ["run.lock"]


def test_two_studies_that_write_one_file_do_not_mix(tmp_path: Path):
    first, second = LineFile(tmp_path / "a.jsonl"), LineFile(tmp_path / "a.jsonl")
    first.add("1")
    for _ in range(2):
        with pytest.warns(WriteWarning, match=r"a\.jsonl', must be a file that can be written: "):
            second.add("2")
    first.add("3")
    assert LineFile(tmp_path / "a.jsonl").lines == ["1", "3"]


def dies(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Kill the process for some constants."""
    if c["a"] > 1.1:
        os.kill(os.getpid(), signal.SIGKILL)
    return line(c, x)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:.*samples broke:emfem.fit.EvaluationWarning")
def test_an_evaluation_that_kills_its_workers_is_a_broken_one(tmp_path: Path):
    conditions = {"x": np.ones(1)}
    result = em.uncertainty.propagate(dies, INPUTS, samples=8, conditions=conditions, folder=tmp_path, workers=2)
    assert result.broken == 1
