"""Fixtures of several test files: a tiny film, an equation of known solution, and a path that nobody can write."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emfem as em
from emfem.signals import REASONS

import pytest

if TYPE_CHECKING:  # slow to import, and of no use to a process that only starts others
    from emfem.studies import Case

# Shells ignore SIGINT for what they start in the background; the tests of interrupts need it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Files and folders that `make quick` leaves out beside the tests in `slow.txt`, and the fixture of tests in a browser.
SLOW = (
    *("verification/", "verify/test_checks.py", "studies/test_sweeps.py", "studies/test_running.py"),
    *("test_demos.py", "test_dimensions.py", "test_docs.py", "test_paper.py", "test_readme.py", "failure/"),
    *("checkpoints/test_resume.py", "fuzz/", "test_new_physics.py", "test_resolution.py"),
)
BROWSER, ON_RANKS = "tab", "run_json_on_ranks"

# Files that take longest begin first, so that no process is left alone with one of them at the end; before them the
# checks, whose results the site takes.
LONGEST = (
    *("verify/test_checks.py", "test_docs.py", "test_demos.py", "test_results.py", "test_parallel.py"),
    *("verification/", "studies/"),
)


# Ranks that wait for others call sched_yield for ever: with more ranks than cores that is most of their time.
PATIENT = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1000000000L * t.tv_sec + t.tv_nsec;
}

/* Yield as before for a short wait; sleep for some microseconds at each call of a longer one. */
int sched_yield(void)
{
    static __thread long last;
    static __thread int calls;
    struct timespec pause = {0, 10000};
    calls = now() - last > 20000 ? 0 : calls + 1;
    int status = calls < 300 ? (int)syscall(SYS_sched_yield) : nanosleep(&pause, 0);
    last = now();
    return status;
}
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the folder of data with published answers."""
    parser.addoption("--data", help="folder of public data, instead of ../shared/public or EMFEM_PUBLIC_DATA")


def pytest_configure(config: pytest.Config) -> None:
    """Make ranks that wait for long sleep instead of spin, where there is a compiler."""
    compiler = shutil.which("gcc")
    if compiler and sys.platform == "linux":
        folder = tempfile.TemporaryDirectory(prefix="emfem-tests-")
        config.add_cleanup(folder.cleanup)
        source, library = Path(folder.name, "patient.c"), Path(folder.name, "patient.so")
        source.write_text(PATIENT, encoding="utf-8")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
        os.environ["LD_PRELOAD"] = str(library)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Leave out what only `make soak` has, mark as slow what `make quick` leaves out, and put the longest first."""
    _mark_listed(items, "soak")
    _mark_listed(items, "slow")
    if "EMFEM_SOAK" not in os.environ:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
    rank = {}
    for item in items:
        path = item.path.relative_to(Path(__file__).parent).as_posix()
        rank[item] = next((i for i, beginning in enumerate(LONGEST) if path.startswith(beginning)), len(LONGEST))
        if path.startswith(SLOW) or BROWSER in item.fixturenames:
            item.add_marker(pytest.mark.slow)
        if ON_RANKS in item.fixturenames:
            item.add_marker(pytest.mark.parallel)
    items.sort(key=rank.__getitem__)


def _mark_listed(items: list[pytest.Function], mark: str) -> None:
    """Mark the tests that `soak.txt` or `slow.txt` lists, alone or with all their cases."""
    lines = (Path(__file__).parent / f"{mark}.txt").read_text(encoding="utf-8").splitlines()
    listed = {f"tests/{line}" for line in lines if not line.startswith("#")}
    for item in items:
        if item.nodeid in listed or item.nodeid.partition("[")[0] in listed:
            item.add_marker(getattr(pytest.mark, mark))


@pytest.fixture(autouse=True)
def handlers_of_signals() -> Iterator[None]:
    """Refuse a test that leaves other handlers behind: later ones in its process could not be interrupted."""
    before = {number: signal.getsignal(number) for number in REASONS}
    yield
    assert {number: signal.getsignal(number) for number in REASONS} == before


@pytest.fixture(scope="session")
def public_data(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return a file of the folder of public data by its name; the test is skipped if it is not there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "public"
    folder = Path(request.config.getoption("--data") or os.environ.get("EMFEM_PUBLIC_DATA") or beside)

    def file(name: str) -> Path:
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}")
        return folder / name

    return file


@pytest.fixture(scope="session")
def torus() -> em.mesh.Domain:
    """A periodic square of 6 x 6 quadrilaterals, two pattern wavelengths wide."""
    return em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))


@pytest.fixture(scope="session")
def plate() -> em.mesh.Domain:
    """A rectangle of 4 x 3 quadrilaterals with four edges."""
    return em.mesh.rectangle((4.0, 3.0), cells=(4, 3))


@pytest.fixture
def film(torus: em.mesh.Domain) -> Callable[..., em.Model]:
    """Make the CuPd film on the torus from a random initial state; keywords replace or add arguments."""

    def make(**arguments: Any) -> em.Model:
        options: dict[str, Any] = {"mean": 0.3, "initial": em.film.noise(0.08, seed=1)} | arguments
        return em.film.model(options.pop("domain", torus), options.pop("alloy", em.film.cupd()), **options)

    return make


@pytest.fixture
def decay() -> Callable[..., em.Model]:
    """Make du/dt = source(u) on a line of two cells, from u = start; the source is -u by default."""
    from dolfinx import fem

    line = em.mesh.interval(2.0, cells=2)

    def make(
        source: Callable[[Any], Any] = lambda u: -u,
        *,
        start: float = 1.0,
        name: str = "decay",
        bounds: tuple[float, float] = (-float("inf"), float("inf")),
        drivers: tuple[em.model.Driver, ...] = (),
    ) -> em.Model:
        unknown = em.model.evolving("u", fem.functionspace(line.mesh, ("Lagrange", 1)), bounds)
        unknown.function.x.array[:] = start
        (v,) = em.model.tests([unknown])
        residual = (unknown.rate - source(unknown.function)) * v * line.dx()
        quantities = {
            "amount": em.model.Quantity(unknown.function * line.dx(), "mol"),
            "level": em.model.Quantity(lambda: em.fields.extremes(unknown.function)[1], "mol/m"),
        }
        return em.Model(name, line, [unknown], residual, quantities=quantities, drivers=drivers)

    return make


@pytest.fixture
def unwritable_dir(tmp_path: Path) -> Path:
    """A folder that cannot be made, not even by root: it would lie in a file."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    return tmp_path / "file" / "folder"


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder of its own: a failed run leaves its state where it was started."""
    monkeypatch.chdir(tmp_path)


STRIP = """\
[domain]
shape = "rectangle"
size = [10.0, 5.0]
cells = [4, 2]
[conduction]
nordheim = { solvent = 1.0, solute = 3.0, disorder = 2.0 }
[conduction.on]
left = { fixed = 1.0 }
right = { fixed = 0.0 }
[film]
alloy = "cupd"
mean = 0.3
field = { conduction = 2.0 }
initial = { amplitude = 0.08, seed = 1 }
[time]
until = 2.0
rtol = 1e-2
[output]
every = 0.5
states_every = 1.0
pictures = []
"""


@pytest.fixture(scope="session")
def strip() -> Case:
    """A film between electrodes that saves three states on its way to t = 2."""
    from emfem.studies import Case

    return Case.from_dict(tomllib.loads(STRIP))


def on_ranks_settings() -> dict[str, str]:
    """Return the variables of the environment of ranks."""
    here = str(Path(em.__file__).parents[1])
    return {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]),
        # Open MPI counts cores and users; MPICH does not look at these
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        # Ranks of MPICH that wait sleep: three on two shared cores take a third of the time
        "MPIR_CVAR_ENABLE_HEAVY_YIELD": "1",
        "MPIR_CVAR_POLLS_BEFORE_YIELD": "10",
    }


def on_ranks(ranks: int, *command: object, timeout: float = 120.0) -> tuple[int, str, str]:
    """Return exit status and output of a command on several ranks; those that never end are killed with their group."""
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    assert launcher, "no mpiexec beside this Python or on PATH"
    process = subprocess.Popen(
        [launcher, "-n", str(ranks), *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | on_ranks_settings(),
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{' '.join(map(str, command))} on {ranks} ranks did not end within {timeout} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, out, err


@pytest.fixture(scope="session")
def mpiexec() -> Callable[..., tuple[int, str, str]]:
    """Run a command on several ranks: `mpiexec(2, sys.executable, ...)` returns its exit status and output."""
    return on_ranks


@pytest.fixture(scope="session")
def run_json_on_ranks() -> Callable[..., Any]:
    """Run a Python file on several ranks: `run_json_on_ranks(2, CASE, ...)` is the JSON in its last line of output."""

    def run(ranks: int, case: str | Path, *arguments: object, timeout: float = 120.0) -> Any:
        status, out, err = on_ranks(ranks, sys.executable, case, *arguments, timeout=timeout)
        assert status == 0, err
        return json.loads(out.splitlines()[-1])

    return run
