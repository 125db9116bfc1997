"""Processes that run cases side by side, by Dask; a case that kills its worker does not end the others."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError
from emfem.studies import registry
from emfem.studies.case import Case
from emfem.studies.recording import RUNNING, report_of, write_report

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from dask.distributed import Client

LAUNCHERS = ("PMI_", "PMIX_", "HYDRA_", "MPI_LOCAL", "OMPI_")  # by which MPI would take a worker for a rank of ours
NO_WORKERS = (
    "the workers did not start: in a script each imports it again, so the call must stand below "
    "`if __name__ == '__main__':`"
)
SETTINGS = {
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": "1",
    "distributed.admin.low-level-log-length": 0,
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.allowed-failures": 0,  # a case that kills its worker would kill the next one too
}
LOCAL: dict[str, Any] = {
    "threads_per_worker": 1,
    "silence_logs": "CRITICAL",
    "dashboard_address": None,
    "scheduler_kwargs": {"dashboard_address": ":0"},  # any port: other sweeps may run
}


def compute(
    client: Client,
    todo: Mapping[str, tuple[Case, Path]],
    physics: Sequence[str],
    failures: dict[str, str],
    step: Callable[[bool], None],
) -> None:
    """Compute cases on workers; errors that kill a worker are noted in `failures`.

    When a worker dies, the cases that wait on it are lost too; all of these are tried once more, each alone on one
    worker, so that none is taken for the culprit that is not.
    """
    from dask.distributed import KilledWorker, as_completed

    def collect(places: Mapping[str, str | None], attempt: str = "") -> list[str]:
        """Compute cases, each on its worker or on any; return those whose worker died at the first attempt."""
        futures: dict[Any, str] = {
            client.submit(
                *(one, todo[name][0].resolved, str(todo[name][1].resolve()), physics),
                key=f"case-{name}{attempt}",
                pure=False,
                workers=worker,
            ): name
            for name, worker in places.items()
        }
        dead = []
        for future in as_completed(futures):
            name, error = futures[future], future.exception() if future.status == "error" else None
            if isinstance(error, KilledWorker) and not attempt:
                dead.append(name)
                continue
            if isinstance(error, KilledWorker):
                failures[name] = "the process of its worker died twice: out of memory, or killed from outside"
            elif error is not None:
                failures[name] = f"{type(error).__name__}: {error}"
            elif future.status == "cancelled":
                failures[name] = "cancelled"
            step(name not in failures and finished(todo[name][1]))
        return dead

    dead = collect(dict.fromkeys(todo))
    while dead:
        client.wait_for_workers(1)  # the dead ones are replaced
        alone = dict(zip(dead, client.scheduler_info()["workers"], strict=False))
        dead = dead[len(alone) :]
        collect(alone, "-again")


def one(tables: dict[str, Any], folder: str, physics: Sequence[str] = ()) -> None:
    """Run one case in a worker, which first loads the files of its physics; errors are in its report."""
    target = Path(folder)
    began = time.perf_counter()
    try:
        for file in physics:
            registry.load(file)
        Case.from_dict(tables).run(target, progress=False, resume=True)
    except Exception as error:  # whatever it is, the other cases go on
        if report_of(target).get("status") not in ("failed", RUNNING):  # of another process, which has the folder
            wall, message = time.perf_counter() - began, f"{type(error).__name__}: {error}"
            write_report(target, {"status": "failed", "error": message, "wall": wall})
    gc.collect()  # PETSc's objects of this case, before the next one


def finished(folder: Path) -> bool:
    """Return whether the run in a folder reached its end."""
    return report_of(folder).get("status") == "ok"


@contextmanager
def cluster_client(workers: int, scheduler: str | None) -> Iterator[Client]:
    """Give a client of the scheduler, or of workers of our own: spawned, one thread each, and no ranks of our MPI."""
    import dask  # slow to import, so only when a sweep runs
    from dask.distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=10)
        except (OSError, ValueError, TimeoutError) as error:
            msg = f"scheduler = {scheduler!r}, must be the address of a Dask scheduler: {error}"
            raise ParameterError(msg) from None
        with client:
            yield client
        return
    hidden = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith(LAUNCHERS)}
    try:
        with (
            dask.config.set(SETTINGS),
            LocalCluster(n_workers=workers, **LOCAL) as cluster,
            Client(cluster) as client,
        ):
            yield client
    except RuntimeError as error:
        if "failed to start" not in str(error):
            raise
        raise ParameterError(NO_WORKERS) from None
    finally:
        os.environ.update(hidden)


@contextmanager
def bar(wanted: bool, total: int, missing: int) -> Iterator[Callable[[bool], None]]:
    """Show a bar that counts the runs that are done, and those that failed."""
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=not wanted) as shown:
        task, failed = shown.add_task("", total=total, completed=total - missing), 0

        def step(well: bool) -> None:
            nonlocal failed
            failed += not well
            shown.update(task, advance=1, description=f"{failed} failed" if failed else "")

        yield step
