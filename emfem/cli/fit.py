"""`emfem fit`, `design` and `sensitivity`: constants of data, the next test, and what uncertain constants do."""

from __future__ import annotations

import json
import runpy
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

import emfem as em
from emfem.cli.output import Exit, echo, report_errors

import typer

RESULTS = Path("results")


File = Annotated[Path, typer.Argument(help="The fit, a TOML file: model, unknowns, curves.", show_default=False)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="The folder to write into; results/NAME of the file by default.")
]
Function = Annotated[
    str | None,
    typer.Option("--function", metavar="FILE:NAME", help="A function of a Python file as the model. The file is run."),
]
Workers = Annotated[int, typer.Option(help="Processes on this machine, of one thread each.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://..., instead.")]
Pictures = Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw them.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def fit(
    file: File,
    output: Output = None,
    function: Function = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    pictures: Pictures = True,
    quiet: Quiet = False,
) -> None:
    """Fit constants to measured curves, and write them with their intervals; an interrupted fit goes on."""
    folder, model = RESULTS / file.stem if output is None else output, loaded(function)
    with opened("fit.read_fit", file, folder) as case:
        result = case.run(folder, model=model, workers=workers, scheduler=scheduler)
        em.write.text(folder / "report.txt", f"{result}\n")
        result.write_json(folder / "fit.json")
        if not quiet:
            echo(result, folder / "fit.json")
        if pictures:
            em.fit.plot_fit(result, folder / "fit.png")
            em.fit.plot_profiles(result, folder / "profiles.png")
        if case.name:  # last: constants that the data do not determine are refused
            result.write_material(folder / "material.toml", case.constants, name=case.name, source=file.name)


def design(
    file: File,
    output: Output = None,
    function: Function = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
) -> None:
    """Rank the tests in the file of a fit by the intervals that are expected after each; the fit is made first."""
    folder, model = RESULTS / file.stem if output is None else output, loaded(function)
    with opened("fit.read_fit", file, folder) as case:
        em.errors.require(case.tests, f"{file}: [[tests]] is missing, must be at least one table")  # before the fit
        result = case.run(folder, model=model, workers=workers, scheduler=scheduler)
        proposals = case.design(result, model=model)
        em.write.text(folder / "design.txt", "".join(f"{each}\n" for each in proposals))
        em.write.text(folder / "design.json", json.dumps([each.to_dict() for each in proposals], indent=2) + "\n")
        if not quiet:
            echo(result, "", *proposals, folder / "design.json")


def sensitivity(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file: model, inputs.", show_default=False)],
    output: Output = None,
    function: Function = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    pictures: Pictures = True,
    quiet: Quiet = False,
) -> None:
    """Print which uncertain constants cause the spread of a result, Sobol' indices, and its quantiles."""
    folder, model = RESULTS / file.stem if output is None else output, loaded(function)
    with opened("uncertainty.read_sensitivity", file, folder) as case:
        result = case.run(folder, model=model, workers=workers, scheduler=scheduler)
        em.write.text(folder / "report.txt", f"{result}\n")
        em.write.text(folder / "sensitivity.json", json.dumps(result.to_dict(), indent=2) + "\n")
        if not quiet:
            echo(result, folder / "sensitivity.json")
        if pictures:
            em.uncertainty.plot_indices(result.indices, folder / "indices.png")


@contextmanager
def opened(name: str, file: Path, folder: Path) -> Iterator[Any]:
    """Read a file with a function of emfem, and lock the folder; reports have the warnings of the fit."""
    from emfem.lock import FolderLock  # loads MPI

    with report_errors(), ExitStack() as stack:
        case = attrgetter(name)(em)(file, folder=folder)
        stack.enter_context(FolderLock(folder))  # until all is written
        stack.enter_context(warnings.catch_warnings())
        for known in (em.fit.EvaluationWarning, em.fit.FitWarning):
            warnings.simplefilter("ignore", known)
        yield case


def loaded(text: str | None) -> Callable[..., Any] | None:
    """Return the function of a text FILE:NAME, None of none; the file is run. Another text ends the command."""
    if text is None:
        return None
    with report_errors(Exit.MISUSED):
        return function_of(text)


def function_of(text: str) -> Callable[..., Any]:
    """Return the function of a text FILE:NAME; the file is run.

    Raises:
        ParameterError: for another text, a file that is not there or fails, or a name that is no function in it.
    """
    path, colon, name = text.rpartition(":")
    if not colon or not Path(path).is_file():
        msg = f"function = {em.errors.shown(text)}, must be FILE:NAME, of a Python file that is there"
        raise em.ParameterError(msg)
    try:
        made = runpy.run_path(path).get(name)
    except Exception as error:  # whatever the file of the user raises
        msg = f"function = {em.errors.shown(text)}: {path} fails: {type(error).__name__}: {error}"
        raise em.ParameterError(msg) from None
    if not callable(made):
        msg = f"function = {em.errors.shown(text)}, must be the name of a function in {path}"
        raise em.ParameterError(msg)
    return made
