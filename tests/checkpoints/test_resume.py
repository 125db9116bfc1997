"""A run that goes on from a checkpoint is the run that was not interrupted, whatever ended it."""

from __future__ import annotations

import functools
import itertools
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import EmfemError, ParameterError, RecoveryWarning, Terminated
from tests.checkpoints import resume_case, resume_kinds
from tests.checkpoints.resume_case import KINDS, Step, Stopped

import numpy as np
import pytest

CASE, MANY = (Path(__file__).with_name(name) for name in ("resume_case.py", "ranks_case.py"))
Films = Callable[..., em.Model]
pytestmark = [
    pytest.mark.usefixtures("in_tmp"),
    pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning"),
]


def difference(first: dict[str, Any], second: dict[str, Any]) -> float:
    """Largest relative difference of the numbers of two states."""
    assert first.keys() == second.keys()
    numbers = [name for name in first if name != "times"]
    # A potential without a current is 0, and its square on other ranks another number near the smallest there is.
    return max(abs(first[name] - second[name]) / max(abs(second[name]), 1e-200) for name in numbers)


# ---- the same run


ALSO = tuple(make.__name__ for make in resume_kinds.MORE)
SOAK = ("coupled", "heat", "species", "stress", "surface", *ALSO)  # their parts are in the others


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.soak] * (kind in SOAK)) for kind in KINDS])
def test_a_run_interrupted_twice_is_the_one_that_was_not(kind: str, tmp_path: Path):
    """To the last digit: unknowns, times of all steps, and the bytes of the table."""
    whole = resume_case.run(kind, tmp_path / "whole")
    steps = len(whole["times"])
    first = random.Random(kind).randrange(2, steps - 4)
    for step in (first, first + 3):
        with pytest.raises(Stopped):
            resume_case.run(kind, tmp_path / "parts", at=step)
    again = resume_case.run(kind, tmp_path / "parts")
    assert again["times"] == whole["times"]
    assert difference(again, whole) == 0.0
    assert (tmp_path / "parts/series.csv").read_bytes() == (tmp_path / "whole/series.csv").read_bytes()


def test_a_process_that_is_killed_loses_what_came_after_its_last_checkpoint_only(tmp_path: Path):
    whole = resume_case.run("film", tmp_path / "whole")
    command = [sys.executable, str(CASE), "film", str(tmp_path / "parts"), "0.05", "20", "kill"]
    killed = subprocess.run(command, capture_output=True, timeout=100, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert difference(resume_case.run("film", tmp_path / "parts"), whole) == 0.0
    assert (tmp_path / "parts/series.csv").read_bytes() == (tmp_path / "whole/series.csv").read_bytes()


@functools.cache
def uninterrupted(kind: str) -> dict[str, Any]:
    """Return the state at the end of a run on one rank."""
    with tempfile.TemporaryDirectory() as folder:
        return resume_case.run(kind, Path(folder))


PAIRS = [(1, 2), (2, 1), (2, 3), (3, 1), (3, 3)]


@pytest.mark.parametrize(
    ("kinds", "written", "read"),
    [
        (["film"], 1, 2),
        (["surface"], 2, 1),
        *(pytest.param(list(KINDS), *pair, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]) for pair in PAIRS),
    ],
)
def test_runs_go_on_with_other_ranks(
    kinds: list[str], written: int, read: int, tmp_path: Path, mpiexec: Callable[..., tuple[int, str, str]],
    run_json_on_ranks: Callable[..., Any],
):  # fmt: skip
    """Stopped in the middle; all kinds with one start of the ranks, which takes longer than most of them."""
    halves = [f"{kind}:{len(uninterrupted(kind)['times']) // 2}" for kind in kinds]
    status, out, err = mpiexec(written, sys.executable, MANY, tmp_path, *halves, timeout=1800)
    assert status == 0, (out, err)
    assert {path.parts[-3] for path in tmp_path.glob("*/checkpoints/*.npz")} == set(kinds)
    ends = run_json_on_ranks(read, MANY, tmp_path, *(f"{kind}:0" for kind in kinds), timeout=1800)
    assert [len(ends[kind]["times"]) for kind in kinds] == [len(uninterrupted(kind)["times"]) for kind in kinds]
    off = {kind: difference(ends[kind], uninterrupted(kind)) for kind in kinds}
    assert max(off.values()) < 1e-8, off


def test_a_finished_run_is_not_run_again(tmp_path: Path):
    first = resume_case.run("film", tmp_path)
    again = resume_case.run("film", tmp_path, at=1)  # no step is taken
    assert again == first


def film_to(until: float, make: Films, folder: str, *watch: em.observe.Observer, **options: Any) -> em.evolution.Run:
    """Run a film with a checkpoint in a folder."""
    checkpoint = em.checkpoint(folder, **options)
    return em.evolve(make(degree=1), until, watch=list(watch), checkpoint=checkpoint, progress=False)


def test_a_run_goes_on_to_a_later_time(film: Films):
    model = film(degree=1)
    em.evolve(model, 2.0, checkpoint=em.checkpoint("state"), progress=False)
    again = film(degree=1)
    run = em.resume("state", again, until=4.0, progress=False)
    em.evolve(model, 4.0, progress=False)
    assert (run.t, again.t, run.stopped) == (4.0, 4.0, "reached until")
    assert again["c"].x.array == pytest.approx(model["c"].x.array, abs=1e-4)


def test_resume_takes_the_settings_of_the_run(film: Films):
    stop = em.watch.stop_when(lambda models, t: t > 1.0, "half way")
    whole, half, again = (film(degree=1) for _ in range(3))
    options: dict[str, Any] = {"rtol": 1e-3, "fixed_step": 0.25, "method": "bdf", "progress": False}
    em.evolve(whole, 2.0, **options)
    em.evolve(half, 2.0, checkpoint=em.checkpoint("state"), watch=[Stop(1.0)], **options)
    assert stop.reason == "half way"
    run = em.resume("state", again, watch=[Stop(np.inf)], progress=False)
    assert run.t == 2.0
    assert again["c"].x.array == pytest.approx(whole["c"].x.array, abs=1e-4)  # BDF begins anew


class Stop(em.observe.Observer):
    """Interrupts at a time."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def record(self, t: float) -> None:
        """Interrupt as a user would."""
        if t >= self.at:
            signal.raise_signal(signal.SIGINT)


# ---- files


def test_as_many_files_are_kept_as_are_wanted(film: Films):
    film_to(2.0, film, "state", every=1e-9, keep=3)
    names = sorted(path.name for path in Path("state").iterdir())
    assert len(names) == 3
    assert all(re.fullmatch(r"\d{6}\.npz", name) for name in names)


def test_files_are_written_at_times_of_the_models(film: Films):
    checkpoint, model = em.checkpoint("state", every_time=0.5, keep=100), film(degree=1)
    em.evolve(model, 2.0, checkpoint=checkpoint, fixed_step=0.1, progress=False)
    assert len(checkpoint.files()) == 4  # the last of them is of the end


def test_a_damaged_file_is_left_out_with_a_warning(film: Films):
    film_to(1.0, film, "state", every=1e-9, keep=2)
    newest = max(Path("state").glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-1000])
    with pytest.warns(RecoveryWarning, match=rf"{newest.name} cannot be read: .*; going on from "):
        run = film_to(1.0, film, "state", resume=True)
    assert run.t == 1.0


def test_damage_of_all_files_is_an_error(film: Films):
    film_to(1.0, film, "state")
    for path in Path("state").glob("*.npz"):
        path.write_bytes(b"")
    with pytest.raises(ParameterError, match=r"^state/000000\.npz cannot be read"):
        film_to(1.0, film, "state", resume=True)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 6))])
def test_every_damage_is_noticed(film: Films, seed: int):
    """Bits flipped, parts cut off or zeroed: a damaged file is refused with a sentence, or gives the same state."""
    film_to(1.0, film, "state", keep=1)
    (path,) = Path("state").glob("*.npz")
    whole, generator = path.read_bytes(), np.random.default_rng(seed)
    model = film(degree=1)
    right = em.evolve(model, 1.0, checkpoint=em.checkpoint("state", resume=True), progress=False)
    values = model["c"].x.array.copy()
    for _ in range(40):
        content, place = bytearray(whole), int(generator.integers(len(whole)))
        match generator.integers(3):
            case 0:
                content[place] ^= 1 << int(generator.integers(8))
            case 1:
                del content[place:]
            case 2:
                content[place : place + 64] = bytes(len(content[place : place + 64]))
        path.write_bytes(content)
        again = film(degree=1)
        try:
            run = em.evolve(again, 1.0, checkpoint=em.checkpoint("state", resume=True), progress=False)
        except EmfemError:
            continue
        assert run.steps == right.steps
        assert np.array_equal(again["c"].x.array, values)


# ---- refused


def test_states_of_a_run_that_did_not_end_are_not_lost(film: Films):
    film_to(2.0, film, "state", Stop(0.5))
    with pytest.raises(ParameterError, match=r"^folder = 'state', must be another one: it holds the state at t = "):
        film_to(2.0, film, "state")
    film_to(2.0, film, "state", Stop(np.inf), resume=True)
    film_to(2.0, film, "state")  # the run has ended: another one may begin


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"alloy": em.film.Alloy(entropy=0.1, enthalpy=0.2, solute_expansion=-0.55, gradient_energy=0.015)},
            "must be the same$",
        ),
        ({"field": (0.5, 0.0)}, "must be the same; their numbers differ: .* by another emfem, [0-9]"),
        ({"domain": em.mesh.periodic_rectangle((10.0, 10.0), cells=(5, 6))}, "must be the same nodes"),
    ],
)
def test_other_models_are_refused(film: Films, options: dict[str, Any], message: str):
    film_to(2.0, film, "state", Stop(0.5))
    with pytest.raises(ParameterError, match=message):
        em.resume("state", film(degree=1, **options), watch=[Stop(np.inf)], progress=False)


def test_other_observers_are_refused(film: Films):
    film_to(2.0, film, "state", Stop(0.5))
    with pytest.raises(ParameterError, match=r"^watch has Series, must have the observers of the run in state: Stop$"):
        em.resume("state", film(degree=1), watch=[em.watch.series(["solute"])], progress=False)


def test_a_table_that_is_gone_is_refused(film: Films):
    film_to(2.0, film, "state", em.write.series("a.csv"), Stop(0.5))
    shutil.copy("a.csv", "b.csv")
    Path("a.csv").unlink()
    with pytest.raises(ParameterError, match=r"^path = 'a\.csv', must have the rows of the run that goes on"):
        film_to(2.0, film, "state", em.write.series("a.csv"), Stop(np.inf), resume=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "10 parsec"}, "every = '10 parsec', must be a time in seconds or with its unit"),
        ({"every": 0}, "every = 0 s, must be greater than 0 s"),
        ({"every_time": -1.0}, "every_time = -1, must be greater than 0"),
        ({"keep": 0}, "keep = 0, must be at least 1"),
        ({"on_write_error": "ignore"}, "'ignore'; on_write_error has warn, stop"),
    ],
)
def test_wrong_values_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=re.escape(message)):
        em.checkpoint("state", **options)


def test_a_folder_without_files_is_refused(film: Films):
    with pytest.raises(ParameterError, match=r"^folder = 'state', must hold checkpoints of a run: it has none$"):
        em.resume("state", film())


@pytest.mark.parametrize(("former", "other"), [(0.1, 0.05), (0.1, None), (None, 0.1)])
def test_another_fixed_step_is_refused(former: float | None, other: float | None, film: Films):
    checkpoint = em.checkpoint("state")
    em.evolve(film(degree=1), 2.0, checkpoint=checkpoint, watch=[Stop(0.5)], fixed_step=former, progress=False)
    again = em.checkpoint("state", resume=True)
    with pytest.raises(ParameterError, match=rf"^fixed_step = {other}, must be that of the run in state, {former}$"):
        em.evolve(film(degree=1), 2.0, checkpoint=again, watch=[Stop(np.inf)], fixed_step=other, progress=False)


def test_observers_of_other_quantities_are_refused(film: Films):
    film_to(2.0, film, "state", em.watch.series(["solute"]), Stop(0.5))
    with pytest.raises(ParameterError, match=r"has other names than in the run in state, must have the same: solute$"):
        film_to(2.0, film, "state", em.watch.series(["energy"]), Stop(np.inf), resume=True)


# ---- rows


class Refuses(em.observe.Observer):
    """Cannot record the first time after t = 0.5."""

    def __init__(self, works: bool) -> None:
        super().__init__(every=0.3)
        self.works = works
        self.seen: list[float] = []

    saved = (*em.observe.Observer.saved, "seen")

    def record(self, t: float) -> None:
        """Fail, as on a full disk."""
        if t > 0.5 and not self.works:
            msg = "the disk is full"
            raise OSError(msg)
        self.seen.append(t)


def test_what_could_not_be_recorded_is_recorded_when_the_run_goes_on(film: Films):
    with pytest.raises(OSError, match="full"):
        film_to(1.0, film, "state", Refuses(works=False))
    again = Refuses(works=True)
    film_to(1.0, film, "state", again, resume=True)
    assert again.seen == pytest.approx([0.0, 0.3, 0.6, 0.9, 1.0])


def test_rows_that_wait_are_not_lost(film: Films, monkeypatch: pytest.MonkeyPatch):
    table = em.write.series("a.csv", every=0.1)

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table, "_append", full)
    with pytest.warns(em.errors.WriteWarning, match="No space left"):
        film_to(1.0, film, "state", table, Stop(0.5))
    film_to(1.0, film, "state", em.write.series("a.csv", every=0.1), Stop(np.inf), resume=True)
    assert np.loadtxt("a.csv", delimiter=",", skiprows=1)[:, 0] == pytest.approx(np.linspace(0, 1, 11))


# ---- the disk


class Halfway(em.observe.Observer):
    """Calls a function at the first step after t = 0.5."""

    def __init__(self, action: Callable[[], Any]) -> None:
        super().__init__(times=[0.5])
        self.action = action

    def record(self, t: float) -> None:
        """Call it."""
        if 0.5 <= t < 0.6:
            self.action()


def nothing() -> None:
    """Stand for an action."""


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Return a function after which the system refuses all but the first 100 bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("on_write_error", ["warn", "stop"])
def test_a_full_disk_leaves_the_last_whole_state(film: Films, full_disk: Callable[[], None], on_write_error: str):
    options: dict[str, Any] = {"fixed_step": 0.1, "progress": False}
    whole, model, again = (film(degree=1) for _ in range(3))
    em.evolve(whole, 1.0, watch=[Halfway(nothing)], **options)
    checkpoint = em.checkpoint("state", every=1e-9, on_write_error=on_write_error)
    if on_write_error == "warn":
        with pytest.warns(
            RecoveryWarning,
            match=r"^checkpoint not written: path = .*, must be a file that can be written: File too large$",
        ):
            assert em.evolve(model, 1.0, checkpoint=checkpoint, watch=[Halfway(full_disk)], **options).t == 1.0
    else:
        with pytest.raises(ParameterError, match=r"^path = .*, must be a file that can be written: File too large$"):
            em.evolve(model, 1.0, checkpoint=checkpoint, watch=[Halfway(full_disk)], **options)
    assert [path.suffix for path in Path("state").iterdir()] == [".npz"] * 2  # whole ones; no part of a third
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    em.evolve(again, 1.0, checkpoint=em.checkpoint("state", resume=True), watch=[Halfway(nothing)], **options)
    assert np.array_equal(again["c"].x.array, whole["c"].x.array)


def test_a_folder_that_is_removed_is_made_again(film: Films):
    model, again = film(degree=1), film(degree=1)
    checkpoint = em.checkpoint("state", every=1e-9)
    em.evolve(
        model,
        1.0,
        checkpoint=checkpoint,
        watch=[Halfway(lambda: shutil.rmtree("state"))],
        fixed_step=0.1,
        progress=False,
    )
    assert em.resume("state", again, watch=[Halfway(nothing)], progress=False).t == 1.0
    assert np.array_equal(again["c"].x.array, model["c"].x.array)


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(film: Films, unwritable_dir: Path):
    model = film(degree=1)
    with pytest.raises(ParameterError, match=r"^path = '.*', must be a file that can be written: Not a directory$"):
        em.evolve(model, 1.0, checkpoint=em.checkpoint(unwritable_dir), progress=False)
    assert model.t == 0.0


# ---- parts, time


def test_parts_shorter_than_the_time_between_two_files_are_saved(film: Films):
    checkpoint, comm = em.checkpoint("state", every_time=1.0), film().mesh.comm
    checkpoint.in_parts = True
    checkpoint.begin(0.0, comm=comm)
    checkpoint.begin(0.9, comm=comm)
    assert not checkpoint.due(0.99)
    assert checkpoint.due(1.01)


class Ends(em.observe.Observer):
    """Interrupts between the first part of a run and the second."""

    parts = 0

    def record(self, t: float) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Interrupt."""
        self.parts += 1
        if self.parts == 1:
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_between_two_parts_of_a_run_to_failure_saves_the_next_one(tmp_path: Path):
    between, checkpoint = Ends(), em.checkpoint(tmp_path)
    with pytest.raises(Terminated):
        KINDS["stress"]([between], checkpoint)
    assert between.parts == 2
    assert len(checkpoint.files()) == 1


def test_a_signal_between_two_meshes_saves_the_run_on_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    checkpoint, model, made = em.checkpoint(tmp_path), em.surface.model, []

    def signalled(*args: Any, **options: Any) -> em.Model:
        made.append(model(*args, **options))
        if len(made) == 2:
            signal.raise_signal(signal.SIGTERM)
        return made[-1]

    monkeypatch.setattr(em.surface, "model", signalled)
    with pytest.raises(Terminated):
        KINDS["moving"]([], checkpoint)
    assert len(made) == 2
    assert len(checkpoint.files()) == 1


@pytest.mark.parametrize(
    ("kind", "owner", "name", "place"),
    [
        ("stress", em.failure, "run", "emfem.failure.simulation.evolve"),
        ("moving", em.moving, "evolve", "emfem.evolution.evolve"),
    ],
)
def test_all_parts_of_a_run_share_its_wall_time(
    kind: str, owner: Any, name: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The first part has an hour, each later one less."""
    left: list[float] = []

    def part(*args: Any, wall_time: float, **options: Any) -> em.Run:
        left.append(wall_time)
        return evolve(*args, wall_time=wall_time, **options)

    evolve = em.evolve
    monkeypatch.setattr(owner, name, functools.partial(getattr(owner, name), wall_time="1 h"))
    monkeypatch.setattr(place, part)
    KINDS[kind]([], em.checkpoint(tmp_path))
    assert len(left) > 1
    assert all(earlier > later > 3500.0 for earlier, later in itertools.pairwise([3600.0, *left]))


@pytest.mark.parametrize(("kind", "name"), [("stress", "run"), ("nucleation", "nucleation")])
def test_a_run_without_a_failure_in_its_wall_time_says_so(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, ends = getattr(em.failure, name), []

    def short(*args: Any, **options: Any) -> Any:
        ends.append(whole(*args, wall_time=1e-3, **options))
        raise Stopped

    monkeypatch.setattr(em.failure, name, short)
    checkpoint = em.checkpoint(tmp_path)
    with pytest.raises(Stopped):
        KINDS[kind]([], checkpoint)
    assert ends[0].why == "wall time"
    assert np.isinf(ends[0].time_to_failure if kind == "stress" else ends[0].t)
    assert len(checkpoint.files()) == 1


def test_a_second_run_to_failure_with_the_same_checkpoint_begins_at_its_start(tmp_path: Path):
    checkpoint, rows = em.checkpoint(tmp_path, resume=True), em.watch.series([])
    for observers in ([Step(30, resume_case.stop)], [Step(3, resume_case.stop), rows]):
        with pytest.raises(Stopped):
            KINDS["stress"](observers, checkpoint)
    assert rows.t[0] == 0.0


def test_a_run_to_failure_goes_on_with_its_settings_only(tmp_path: Path):
    domain = em.mesh.interval(1e-4, cells=20)
    options: dict[str, Any] = {"fails": em.failure.VoidLength(1e-6), "until": 1e9}

    def run(critical: float, *watch: em.observe.Observer) -> em.failure.FailureHistory:
        model = em.stress.model(domain, resume_case.COPPER, current_density=1e10, voids=True)
        checkpoint = em.checkpoint(tmp_path, resume=True)
        return em.failure.run(model, critical_stress=critical, watch=watch, checkpoint=checkpoint, **options)

    with pytest.raises(Stopped):
        run(8e6, Step(5, resume_case.stop))
    with pytest.raises(ParameterError, match=r"^critical_stress of another value, must be as in the run in "):
        run(9e6, Step(0, resume_case.stop))


def test_a_run_that_an_observer_has_ended_is_at_its_end(film: Films):
    half = em.watch.stop_when(lambda models, t: t > 1.0, "half way")
    assert film_to(2.0, film, "state", half).stopped == "half way"
    assert film_to(2.0, film, "state").stopped == "reached until"


def test_a_run_that_ended_is_not_taken_for_the_one_that_replaces_it(film: Films):
    """That one dies before its first checkpoint."""
    film_to(1.0, film, "state")
    checkpoint = em.checkpoint("state")
    checkpoint.check_free(film().mesh.comm)
    checkpoint.begin(0.0, comm=film().mesh.comm)
    assert checkpoint.files() == []


def test_files_of_others_are_no_checkpoints(film: Films):
    Path("state").mkdir()
    names = {"1.npz", "0042.npz", "2024.npz"}
    for name in names:
        np.savez(Path("state") / name, a=np.zeros(1))
    film_to(1.0, film, "state", every=1e-9)
    assert names < {path.name for path in Path("state").iterdir()}


def test_a_second_part_goes_on_with_its_observers(film: Films):
    rows, table = em.watch.series(["solute"]), em.write.series("a.csv", every=0.3)
    whole, model = em.write.series("b.csv", every=0.3), film(degree=1)
    em.evolve(film(degree=1), 2.0, watch=[whole], fixed_step=0.1, progress=False)
    for until in (0.9, 2.0):
        em.evolve(model, until, watch=[rows, table], fixed_step=0.1, progress=False)
    assert np.all(np.diff(rows.t) > 0)
    parts, once = (np.loadtxt(name, delimiter=",", skiprows=1)[:, 0] for name in ("a.csv", "b.csv"))
    assert parts == pytest.approx(once, abs=1e-12)


def test_the_time_of_a_machine_may_be_short(film: Films):
    checkpoint = em.checkpoint("state")
    run = em.evolve(film(), 1e4, checkpoint=checkpoint, wall_time=1.0, fixed_step=0.01, progress=False)
    assert run.stopped == "wall time"
    assert run.t < 1e4
    assert checkpoint.files()


# ---- what is not in a state


def test_another_start_is_refused(film: Films):
    film_to(2.0, film, "state", Stop(0.5))
    with pytest.raises(ParameterError, match=r"^the film model has other start than in the run in state, must be the "):
        em.resume("state", film(degree=1, initial=em.film.noise(0.08, seed=2)), watch=[Stop(np.inf)], progress=False)


class Forgetful(em.observe.Observer):
    """Its state is none that a file can hold."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def record(self, t: float) -> None:
        """Do nothing."""

    def state(self) -> dict[str, Any]:
        """Return it."""
        return super().state() | {"value": self.value}


@pytest.mark.parametrize("value", [{1, 2}, {1: 2.0}, object()])
def test_a_state_that_cannot_be_kept_is_refused_at_the_start(film: Films, value: Any):
    model = film(degree=1)
    with pytest.raises(ParameterError, match=r"^the state of Forgetful cannot be kept in a checkpoint: "):
        em.evolve(model, 1.0, watch=[Forgetful(value)], checkpoint=em.checkpoint("state"), progress=False)
    assert model.t == 0.0


def test_a_state_of_another_version_is_a_warning(film: Films, monkeypatch: pytest.MonkeyPatch):
    film_to(2.0, film, "state", Stop(0.5))
    monkeypatch.setattr("emfem.checkpoints.folder.version", lambda name: "99.0")
    with pytest.warns(RecoveryWarning, match=r"is of emfem 0\.1\.0, this is 99\.0: steps may differ$"):
        em.resume("state", film(degree=1), watch=[Stop(np.inf)], progress=False)
