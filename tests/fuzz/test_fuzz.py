"""Property: whatever is put into a public function, a case or a file, the answer is a result or an error of emfem.

Calls are those of `tests.fuzz.api`, `.cases` and `.files`, a few hundred, always the same; EMFEM_SOAK=20 makes
twenty times as many. Places in known.txt are errors that are known; nothing is to be added to it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fuzz import api, cases, damage, files, fixtures, pool, soak
from tests.fuzz.pool import Call, Worker

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

MORE = int(os.environ.get("EMFEM_SOAK", "1"))
KNOWN = frozenset(Path(__file__).with_name("known.txt").read_text(encoding="utf-8").split("\n"))
OPTIONS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate, Phase.shrink),
}
pytestmark = pytest.mark.timeout(600 * MORE)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as made:
        yield made


def check(worker: Worker, call: Call) -> None:
    """The outcome of a call is fine, or known."""
    outcome = worker.execute(call)
    assert outcome["kind"] in pool.FINE or pool.key(outcome) in KNOWN, f"{outcome}: {call.text}"


COMMON = [target for target in api.targets() if api.period(target) <= 2]


@settings(max_examples=200 * MORE, **OPTIONS)
@given(rng=st.randoms(use_true_random=False))
def test_public_functions_take_or_refuse_hostile_arguments(worker: Worker, rng: random.Random):
    check(worker, rng.choice(COMMON).mutated(rng))


@settings(max_examples=80 * MORE, **OPTIONS)
@given(rng=st.randoms(use_true_random=False))
def test_hostile_cases_are_taken_or_refused(worker: Worker, rng: random.Random):
    check(worker, cases.one(rng))


@settings(max_examples=60 * MORE, **OPTIONS)
@given(kind=st.sampled_from(files.KINDS), seed=st.integers(0, 10**6))
def test_damaged_files_are_taken_or_refused(worker: Worker, kind: str, seed: int):
    check(worker, Call(f"open_damaged({kind!r}, {seed})", kind, nan_allowed=True))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("em.film.noise(0.1)", "ok"),
        ("em.film.noise(-1.0)", "refused"),
        ("em.film.noise()", "call"),
        ("float('nan')", "nan"),
        ("[np.ones(3), {'x': np.array([1.0, nan])}]", "nan"),
        ("int('x')", "raw"),
        ("em.film.degenerate_mobility(c=0.5) and 0 / 0", "raw"),
        ("__import__('os').abort()", "crash"),
        ("bytearray(10**12)", "raw"),
    ],
)
def test_outcomes_are_told_apart(worker: Worker, text: str, kind: str):
    assert worker.execute(Call(text, "harness"))["kind"] == kind


def test_a_call_that_never_ends_is_stopped_and_its_place_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "LIMIT", 1.0)
    with Worker() as impatient:
        outcome = impatient.execute(Call("em.film.model(torus(), em.film.cupd(), mean=0.3, mobility=forever)", "x"))
        assert outcome["kind"] == "hang"
        assert outcome["place"].startswith(("film/", "model/"))  # where emfem calls it
        assert impatient.execute(Call("1 + 1", "x"))["kind"] == "ok"


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_memory_is_flat_over_many_steps():
    few = soak.soak(early=100, late=300)
    assert few.growth == pytest.approx(0.0, abs=0.05)


def test_calls_are_the_same_for_the_same_seed():
    def first(calls: Callable[[int], Iterator[Call]], seed: int) -> list[str]:
        return [call.text for call, _ in zip(calls(seed), range(50), strict=False)]

    for calls in (cases.calls, files.calls, lambda seed: api.calls((), seed)):
        assert first(calls, 1) == first(calls, 1) != first(calls, 2)


def test_every_public_module_has_callables_under_test():
    tested = {target.owner.split(".")[1] for target in api.targets()}
    modules = {name.split(".")[1] for name in api.modules() if "." in name}
    assert modules - tested <= {"units"}


def test_damage_changes_files():
    content = (fixtures.MESHES / "plate.msh").read_bytes()
    changed = sum(damage.damaged(content, random.Random(seed)) != content for seed in range(50))
    assert changed > 45
