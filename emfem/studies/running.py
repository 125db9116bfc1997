"""Run a case: everything that comes of it is written into one folder.

- case.toml: the case with every value resolved; `emfem run` takes it
- report.json: from the first second on status, process and sign of life; at the end versions, wall time, steps,
  quantities and pattern
- series.csv: quantities against time
- fields.json, mesh.npz: what fields there are, in which units, and the mesh they live on; see `em.storage`
- states/: all fields at the chosen times, and last.npz, the last state
- stress/: of a case whose voids open, a folder of results of its own, until the first one opens
- checkpoints/: what the run needs to go on after whatever ended it; see `em.checkpoint`
- fields.pvd, fields/: fields for ParaView, PyVista and meshio, if the case names any
- final.png: the last state
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from emfem import observe, patterns, write
from emfem.checkpoints import Checkpoint, seconds
from emfem.dimensions import PLAIN, Value
from emfem.errors import EmfemError, ParameterError, Terminated
from emfem.evolution import Run, evolve
from emfem.files import writable
from emfem.integration import WALL_TIME
from emfem.lock import FolderLock
from emfem.model import Model, warn_unresolved
from emfem.resolution import ResolutionReport, check_resolution
from emfem.signals import REASONS, stop_requests
from emfem.solve import solve_steady
from emfem.studies import report_units
from emfem.studies.growing import check_verifiable, grow
from emfem.studies.pictures import pictures
from emfem.studies.recording import (
    LAST,
    REPORT,
    Report,
    States,
    clear,
    measured,
    read_report,
    report_of,
    status_of,
    write_report,
)
from emfem.studies.tables import Opening

from mpi4py import MPI

CHECKPOINTS, CHECKPOINT_EVERY = "checkpoints", "10 min"


class Runnable(Protocol):
    """A case, as far as a run needs it."""

    @property
    def tables(self) -> Any:
        """Its tables, checked."""

    @property
    def hash(self) -> str:
        """A short name of its physics."""

    @property
    def resolved(self) -> dict[str, Any]:
        """All tables with every value as a number."""

    def build(self, finer: int = 1) -> list[Model]:
        """Return the models at their start, on the cells of the case or on halved ones."""

    @property
    def units(self) -> dict[str, str]:
        """Units of all its numbers by dotted key."""

    def measures(self, models: Sequence[Model]) -> dict[str, Value]:
        """Return numbers at the end that the models do not have among their quantities."""

    def opening(self, models: Sequence[Model]) -> Opening | None:
        """Return how voids open in the run, None if they do not."""

    def to_toml(self) -> str:
        """Return the text of the case."""


@dataclass(frozen=True)
class Outcome:
    """Result of a run of a case.

    Attributes:
        folder: where everything is.
        report: the content of its report.json.
        models: the models in their last state.
        resolution: the check of its resolution, if that was wanted and possible.
    """

    folder: Path
    report: dict[str, Any]
    models: Sequence[Model] = field(repr=False)
    resolution: ResolutionReport | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """One line."""
        return f"{self.report['summary']}; {self.folder}"


def run(
    case: Runnable,
    folder: os.PathLike[str] | str,
    *,
    progress: bool = True,
    resume: bool = False,
    force: bool = False,
    wall_time: float | str | None = None,
    verify: bool = False,
) -> Outcome:
    """Run a case, and write everything into a folder. Collective.

    Args:
        case: the case.
        folder: where to; it is made, and files of an earlier run in it are replaced.
        progress: as in `em.evolve`.
        resume: go on from the newest checkpoint in the folder, from the start if there is none.
        force: replace a run that could go on.
        wall_time: as in `em.evolve`.
        verify: check the resolution when the run has reached its end, and add it to the report.

    Raises:
        ParameterError: for all that is refused when the models are built; if another run writes into the folder; if it
            holds the checkpoints of a run that did not reach its end, unless `resume` or `force` is set.
        Terminated: after SIGTERM or SIGUSR1, with state and report written.
        EmfemError: as the run raises it; the report says so too.
    """
    target, settings = Path(folder), case.tables.time
    if wall_time is not None:
        seconds("wall_time", wall_time)
    writable(target / REPORT)
    until = None if settings is None else settings.until
    if verify:
        check_verifiable(case)
    report = Report(target, {"hash": case.hash, "case": case.resolved, "until": until})
    report.units |= {f"case.{name}": unit for name, unit in case.units.items()}
    report.units["until"] = report.units["t"] = report.units.get("case.time.until", PLAIN)
    with ExitStack() as stack:
        if settings is not None:  # a steady solve has nothing to save
            stack.enter_context(stop_requests())
        stack.enter_context(report.locked())
        checkpoint = Checkpoint(
            target / CHECKPOINTS, every=case.tables.output.checkpoint_every or CHECKPOINT_EVERY, resume=resume
        )
        goes_on = _goes_on(case, target, checkpoint, force=force, progress=progress)
        report.begin()
        models: Sequence[Model] = ()
        try:
            if not goes_on:
                clear(target, CHECKPOINTS)
            models = case.build()
            check_names(case, models)
            write.text(target / "case.toml", f"# emfem {version('emfem')}, case {case.hash}\n{case.to_toml()}")
            models, ended, measures = _go(case, models, report, checkpoint, progress=progress, wall_time=wall_time)
            values = measured(report, models, measures)
            ended |= {"quantities": values, "pattern": _pattern(report, models)}
            pictures(models, case.tables.output.pictures, target, titled=bool(case.tables.time))
            report.end(status_of(ended["stopped"]), **ended)
        except Terminated as error:
            reason = REASONS[signal.Signals(error.signal)]
            report.end(status_of(reason), stopped=reason, t=models[0].t if models else None)
            raise
        except BaseException as error:
            report.fail(error)
            raise
    whole = ended["stopped"] not in (REASONS[signal.SIGINT], WALL_TIME)
    resolution = _verify(case, target, report) if verify and whole else None
    return Outcome(target, read_report(target), models, resolution)


def _goes_on(case: Runnable, folder: Path, checkpoint: Checkpoint, *, force: bool, progress: bool) -> bool:
    """Return True if a run goes on from a checkpoint in its folder. Collective.

    Raises:
        ParameterError: if that is of another case; if there is one, and the run is neither to go on nor to replace it.
    """
    goes_on: bool = checkpoint.resume and MPI.COMM_WORLD.bcast(bool(checkpoint.files()), root=0)
    if goes_on:
        _check_same(case, folder)
    elif not force:
        _refuse_unfinished(folder)
    if checkpoint.resume and not goes_on and progress:
        write.print_root(f"no checkpoint in {folder}: the run starts anew")
    return goes_on


def _verify(case: Runnable, folder: Path, written: Report) -> ResolutionReport | None:
    """Check the resolution of the run in a folder, and add it to its report; None if that fails. Collective.

    A check that fails is a warning: the run itself has ended well.
    """
    with FolderLock(folder):
        report = read_report(folder)
        t = MPI.COMM_WORLD.bcast(report["t"], root=0)
        resolution: ResolutionReport | None = None
        try:
            resolution = check(case, t)
            content = resolution.to_dict()
        except EmfemError as error:
            content = {"error": str(error)}
            warn_unresolved(f"the resolution of the run is not known: {error}", MPI.COMM_WORLD)
        write_report(folder, written.with_units(report | {"resolution": content}))
    return resolution


def check(case: Runnable, until: float | None, *, bound: float = 0.01) -> ResolutionReport:
    """Repeat the run of a case with half the tolerance, and on half the mesh; see `em.check_resolution`. Collective."""
    check_verifiable(case)
    tables = case.tables
    if tables.time is None:
        settings = {} if tables.steady is None else tables.steady.make()
    else:
        settings = tables.time.make()
        end = settings.pop("until")
        until = end if until is None else until
    random = "initial" in case.resolved.get("film", {})
    return check_resolution(case.build, until, measures=case.measures, same_start=random, bound=bound, **settings)


def _refuse_unfinished(folder: Path) -> None:
    """Refuse a folder with a run that could go on. Collective.

    Raises:
        ParameterError: on all ranks, if there is one.
    """
    try:
        Checkpoint(folder / CHECKPOINTS).check_free(MPI.COMM_WORLD)
    except ParameterError as error:
        reached = str(error).partition("it holds ")[2].partition(";")[0]
        msg = (
            f"folder = {str(folder)!r}, must be another one, for it holds {reached}: "
            "--resume (resume=True) goes on from there, --force (force=True) replaces it"
        )
        raise ParameterError(msg) from None


def _check_same(case: Runnable, folder: Path) -> None:
    """Check that the run in a folder is one of this case, but for its end and its output. Collective.

    Its report is left as it is by what is refused here: a run that has ended well stays so.

    Raises:
        ParameterError: with the first key that differs, or for an end before the time that it has reached.
    """
    report = report_of(folder)
    reached, until = MPI.COMM_WORLD.bcast(report.get("t"), root=0), getattr(case.tables.time, "until", None)
    if isinstance(reached, float) and until is not None and until < reached:
        msg = f"until = {until:g}, must be at least the time {reached:g} that the run in {folder} has reached"
        raise ParameterError(msg)
    theirs, mine = (_comparable(tables) for tables in (report.get("case"), case.resolved))
    theirs, mine = MPI.COMM_WORLD.bcast((theirs, mine), root=0)
    different = [key for key in mine | theirs if mine.get(key) != theirs.get(key)] if theirs else []
    if different:
        key = different[0]
        msg = f"{key} = {mine.get(key)!r}, must be {theirs.get(key)!r} as in the run in {folder} that is to go on"
        raise ParameterError(msg)


def _comparable(tables: Any) -> dict[str, Any]:
    """Return the values of a case by table and key that a run cannot change on its way."""
    fixed = {name: table for name, table in (tables or {}).items() if name != "output" and isinstance(table, dict)}
    values = {f"{name}.{key}": value for name, table in fixed.items() for key, value in table.items()}
    return json.loads(json.dumps({key: value for key, value in values.items() if key != "time.until"}))


def check_names(case: Runnable, models: Sequence[Model]) -> None:
    """Check that the models have the fields and quantities that a case names, before anything is computed.

    Raises:
        UnknownName: if none has one.
        ParameterError: if several have it.
    """
    for _, name, find in named_results(case):
        find(models, name)


def named_results(case: Runnable) -> Iterator[tuple[tuple[str, ...], str, Callable[[Sequence[Model], str], Model]]]:
    """Yield place, name and search of each field and quantity that a case names."""
    march, output = case.tables.time, case.tables.output
    for key, names in (("fields", output.fields), ("pictures", output.pictures or ())):
        for name in names:
            yield ("output", key), name, observe.model_with_field
    for key, names in (
        ()
        if march is None
        else (
            ("conserved", march.conserved),
            ("stop", [stop.quantity for stop in march.stop]),
        )
    ):
        for name in names:
            yield ("time", key), name, observe.model_with_quantity


class Heartbeat(observe.Observer):
    """Shows that the run is alive after each step."""

    def __init__(self, report: Report) -> None:
        """Take the report."""
        super().__init__()
        self.report = report

    def record(self, t: float) -> None:
        """Show it."""
        self.report.beat(t)


def _go(
    case: Runnable,
    models: Sequence[Model],
    report: Report,
    checkpoint: Checkpoint,
    *,
    progress: bool,
    wall_time: float | str | None,
) -> tuple[Sequence[Model], dict[str, Any], dict[str, Value]]:
    """Integrate the models in time, or solve for the steady state.

    Returns:
        models at the end, which are others if voids opened; content of the report; numbers beside their quantities.
    """
    tables, settings, folder = case.tables, case.tables.time, report.folder
    output = tables.output
    chosen = output.states_every is not None or output.states_at is not None
    states = States(folder, output.states_every, output.states_at if chosen else ())
    observers: list[observe.Observer] = [states, write.series(folder / "series.csv", every=output.every)]
    if output.fields:
        observers.append(
            write.vtu(
                folder / "fields.pvd", output.fields, **_times(output, None if settings is None else settings.until)
            )
        )
    if settings is None:
        steady = solve_steady(models, **({} if tables.steady is None else tables.steady.make()))
        for observer in observers:
            observer.start(models, models[0].t)
            observer.finish()
        states.save(LAST)
        return models, {"t": None, "stopped": steady.reason, "summary": str(steady)}, case.measures(models)
    watch = [*observers, *settings.observers(), Heartbeat(report)]
    opening = case.opening(models)
    try:
        if opening is not None:
            return grow(
                opening,
                settings,
                watch,
                [Heartbeat(report)],
                folder,
                checkpoint,
                every=output.every,
                progress=progress,
                wall_time=wall_time,
            )
        finished: Run = evolve(
            models, **settings.make(), watch=watch, checkpoint=checkpoint, progress=progress, wall_time=wall_time
        )
    except (EmfemError, Terminated):  # on all ranks; the models have the last good state
        states.on_write_error = "warn"
        states.save(LAST)
        raise
    states.save(LAST)
    content = {key: value for key, value in asdict(finished).items() if key != "unit"} | {"summary": str(finished)}
    return models, content, case.measures(models)


def _times(output: Any, until: float | None) -> dict[str, Any]:
    """Return the times of fields for ParaView: those of the states, or start and end."""
    if output.states_at is not None:
        return {"times": output.states_at}
    return {"every": output.states_every or until}


def _pattern(report: Report, models: Sequence[Model]) -> dict[str, Any] | None:
    """Pattern of a film in a plane."""
    films = [model for model in models if "pattern" in model.roles and model.mesh.geometry.dim == 2]
    if not films:
        return None
    report.units |= report_units.of_pattern(films[0].system.length)
    return asdict(patterns.measure(films[0][films[0].roles["pattern"]]))
