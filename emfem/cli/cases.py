"""`emfem run`, `check`, `new`, `sweep` and `info`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, Any

from emfem import write
from emfem.cli.errors import echo_error, report_errors
from emfem.cli.values import settings
from emfem.errors import ParameterError, Terminated
from emfem.solve import petsc_info
from emfem.studies import Case, Study, templates, versions
from emfem.studies.running import check_names
from emfem.studies.sweep import ended_early, finished

import typer
from mpi4py import MPI

RESULTS = Path("results")

CaseFile = Annotated[Path, typer.Argument(help="The case, a TOML file: see `emfem new`.", show_default=False)]
Folder = Annotated[
    Path | None, typer.Option("--output", "-o", help="The folder to write into; results/NAME of the file by default.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Another value of a key: field.angle=45deg. May be repeated."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished run that is in the folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def run(
    file: CaseFile, output: Folder = None, set_: Settings = None, force: Force = False, quiet: Quiet = False
) -> None:
    """Run a case, and write its results into a folder; a run that failed or was interrupted there starts again."""
    with report_errors():
        case = _case(file, set_)
        folder = RESULTS / file.stem if output is None else output
        if not force:
            _refuse_finished(folder)
        outcome = case.run(folder, progress=not quiet)
        if not quiet:
            write.print_root(outcome)
    if outcome.report["status"] == "interrupted":
        raise Terminated(signal.SIGINT)


def check(file: CaseFile, set_: Settings = None) -> None:
    """Check a case, and print what it is: its mesh and models are made, nothing is solved."""
    with report_errors():
        case = _case(file, set_)
        models = case.build()
        check_names(case, models)
        write.print_root(f"{file}: case {case.hash}", models[0].domain, *models)


def new(
    template: Annotated[str | None, typer.Argument(help="The kind of case; without it all kinds are listed.")] = None,
) -> None:
    """Print a case to start from: `emfem new film > case.toml`."""
    with report_errors():
        if template is not None:
            write.print_root(templates.text(template).rstrip())
            return
        width = max(map(len, templates.names()))
        write.print_root(*(f"{name:<{width}}  {templates.purpose(name)}" for name in templates.names()))


def sweep(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file: a case, and a grid or runs.")],
    output: Folder = None,
    workers: Annotated[int, typer.Option(help="Processes on this machine, of one thread each.")] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://..., instead.")] = None,
    quiet: Quiet = False,
) -> None:
    """Run a case with many values, without runs that are finished, and gather one table."""
    with report_errors():
        folder = RESULTS / file.stem if output is None else output
        table = Study.read(file).run(folder, workers=workers, scheduler=scheduler, progress=not quiet)
        failed = table[table["status"] != "ok"]
        if not quiet:
            write.print_root(f"{len(table) - len(failed)} of {len(table)} runs done; {folder / 'results.csv'}")
            write.print_root(*(f"{number} ended early: {reason}" for reason, number in ended_early(table).items()))
        for _, lost in failed.iterrows():
            echo_error(f"{lost['hash'] or 'refused'}: {lost['error'] or lost['status']}")
    if len(failed):
        raise typer.Exit(1)


def info() -> None:
    """Print the versions of emfem and of its libraries, and the solvers there are."""
    lines: dict[str, Any] = versions() | {"ranks": MPI.COMM_WORLD.size, "solvers": ", ".join(petsc_info.packages())}
    width = max(map(len, lines))
    write.print_root(*(f"{name:<{width}}  {value}" for name, value in lines.items()))


def _refuse_finished(folder: Path) -> None:
    """Refuse a folder with a finished run. Collective.

    Raises:
        ParameterError: on all ranks, if there is one.
    """
    comm = MPI.COMM_WORLD
    if comm.bcast(finished(folder) if comm.rank == 0 else None, root=0):
        msg = f"output = {str(folder)!r}, must be another folder, for it holds a finished run: --force replaces it"
        raise ParameterError(msg)


def _case(file: Path, typed: list[str] | None) -> Case:
    """Return the case of a file, with the values that were typed."""
    case = Case.read(file)
    return case.with_(**settings(typed)) if typed else case
