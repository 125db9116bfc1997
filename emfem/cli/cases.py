"""`emfem run`, `check`, `new`, `sweep` and `info`."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import emfem as em
from emfem.cli.output import Exit, echo, echo_error, ranks, report_errors
from emfem.cli.values import settings
from emfem.versions import solvers, versions

import typer

RESULTS = Path("results")
GO_ON = "emfem resume {} goes on"

CaseFile = Annotated[Path, typer.Argument(help="The case, a TOML file: see `emfem new`.", show_default=False)]
Folder = Annotated[
    Path | None, typer.Option("--output", "-o", help="The folder to write into; results/NAME of the file by default.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Another value of a key: field.angle=45deg. May be repeated."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a run in the folder that is finished, or could go on.")]
WallTime = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help=f"End, with a checkpoint and exit code {Exit.OUT_OF_TIME:d}, before it takes so long: 11.5h.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def run(
    file: CaseFile,
    output: Folder = None,
    set_: Settings = None,
    force: Force = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint in the folder.")] = False,
    wall_time: WallTime = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Repeat the run with half the tolerance and on half the mesh, and print what changes."
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run a case, and write its results into a folder; see also `emfem resume`."""
    with report_errors():
        case = _case(file, set_)
        folder = RESULTS / file.stem if output is None else output
        if not (force or resume):
            _refuse_finished(folder)
        with _resumable(folder):
            outcome = case.run(
                folder, progress=not quiet, resume=resume, force=force, wall_time=_seconds(wall_time), verify=verify
            )
        if not quiet:
            echo(outcome, *(() if outcome.resolution is None else (outcome.resolution,)))
    _end(outcome)


def resume(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)],
    until: Annotated[str | None, typer.Option(help="Another time to reach, as in the case: 200, '2 hours'.")] = None,
    wall_time: WallTime = None,
    quiet: Quiet = False,
) -> None:
    """Go on with the run in a folder from its newest checkpoint, after whatever ended it, on any number of ranks."""
    with report_errors():
        results = em.results.open(folder)
        new = {} if until is None else settings([f"time.until={until}"])
        case = results.case.with_(**new) if new else results.case
        with _resumable(folder):
            outcome = case.run(folder, progress=not quiet, resume=True, wall_time=_seconds(wall_time))
        if not quiet:
            echo(outcome)
    _end(outcome)


def _seconds(text: str | None) -> float | str | None:
    """Return a time that was typed without a unit as a number of seconds."""
    return float(text) if text is not None and text.replace(".", "", 1).isdecimal() else text


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Print the command by which a run goes on that a signal ended with its process."""
    try:
        yield
    except em.Terminated:
        if (folder / "checkpoints").is_dir():
            echo_error(GO_ON.format(folder))
        raise


def _end(outcome: em.studies.Outcome) -> None:
    """End with the exit code of a run that was interrupted, or that has used its wall time."""
    status = outcome.report["status"]
    if status in ("interrupted", "out of time"):
        echo_error(GO_ON.format(outcome.folder))
    if status == "interrupted":
        raise em.Terminated(signal.SIGINT)
    if status == "out of time":
        raise typer.Exit(Exit.OUT_OF_TIME)


def check(file: CaseFile, set_: Settings = None) -> None:
    """Check a case, and print what it is: its mesh and models are made, nothing is solved."""
    with report_errors():
        from emfem.studies.checking import check_case

        case, models = check_case(file, settings(set_ or []))
        echo(f"{file}: case {case.hash}", models[0].domain, *models)


def _templates(incomplete: str) -> list[str]:
    """Return the names of shipped templates that begin so, by their files: the shell waits, and em.studies is slow."""
    folder = Path(em.__file__).parent / "studies" / "templates"
    return sorted(path.stem for path in folder.rglob("*.*") if path.stem.startswith(incomplete))


def new(
    template: Annotated[
        str | None,
        typer.Argument(help="The kind of file; without it all kinds are listed.", autocompletion=_templates),
    ] = None,
) -> None:
    """Print a file to start from: `emfem new film > case.toml`; of a sign-off `grid` and `technology`."""
    with report_errors():
        templates = em.studies.templates
        if template is not None:
            echo(templates.text(template).rstrip())
            return
        names = [*templates.names(), *sorted(templates.signoff())]
        width = max(map(len, names))
        echo(*(f"{name:<{width}}  {templates.purpose(name)}" for name in names))


def sweep(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file: a case, and a grid or runs.")],
    output: Folder = None,
    workers: Annotated[int, typer.Option(help="Processes on this machine, of one thread each.")] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://..., instead.")] = None,
    quiet: Quiet = False,
) -> None:
    """Run a case with many values, without runs that are finished, and gather one table."""
    with report_errors():
        from emfem.studies.sweep import ended_early

        folder = RESULTS / file.stem if output is None else output
        table = em.studies.Study.read(file).run(folder, workers=workers, scheduler=scheduler, progress=not quiet)
        failed = table[table["status"] != "ok"]
        if not quiet:
            echo(f"{len(table) - len(failed)} of {len(table)} runs done; {folder / 'results.csv'}")
            echo(*(f"{number} ended early: {reason}" for reason, number in ended_early(table).items()))
        for _, lost in failed.iterrows():
            echo_error(f"{lost['hash'] or 'refused'}: {lost['error'] or lost['status']}")
    if len(failed):
        raise typer.Exit(Exit.REFUSED)


def info(
    case: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A case: print its solver, memory and time a step too; nothing is solved."),
    ] = None,
    set_: Settings = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print the versions of emfem and of its libraries, the solvers there are, and what a case will take."""
    with report_errors():
        lines: dict[str, Any] = versions() | {"ranks": ranks(), "solvers": solvers()}
        if case is not None:
            lines["case"] = _case(case, set_).advice()
        elif set_:
            msg = f"--set {' '.join(set_)}, must be with --case"
            raise em.ParameterError(msg)
    if as_json:
        advice = {"case": asdict(lines["case"])} if "case" in lines else {}
        echo(json.dumps(lines | advice, indent=2))
        return
    width = max(map(len, lines))
    lines["solvers"] = ", ".join(lines["solvers"])
    echo(*(f"{name:<{width}}  {value}" for name, value in lines.items()))


def _refuse_finished(folder: Path) -> None:
    """Refuse a folder with a finished run. Collective.

    Raises:
        ParameterError: on all ranks, if there is one.
    """
    from emfem.studies.workers import finished

    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.bcast(finished(folder) if comm.rank == 0 else None, root=0):
        msg = f"output = {str(folder)!r}, must be another folder, for it holds a finished run: --force replaces it"
        raise em.ParameterError(msg)


def _case(file: Path, typed: list[str] | None) -> em.studies.Case:
    """Return the case of a file, with the values that were typed."""
    case = em.studies.Case.read(file)
    return case.with_(**settings(typed)) if typed else case
