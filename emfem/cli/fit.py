"""`emfem fit`: from a file of data and unknowns to constants with intervals."""

from __future__ import annotations

import runpy
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import emfem as em
from emfem.cli.output import Exit, echo, report_errors

import typer

RESULTS = Path("results")


def fit(
    file: Annotated[Path, typer.Argument(help="The fit, a TOML file: model, unknowns, curves.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder to write into; results/NAME of the file by default."),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(metavar="FILE:NAME", help="A function of a Python file as the model. The file is run."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes on this machine, of one thread each.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://..., instead.")] = None,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw data and profiles.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Fit constants to measured curves, and write them with their intervals; an interrupted fit goes on."""
    from emfem.lock import FolderLock  # loads MPI

    folder = RESULTS / file.stem if output is None else output
    with report_errors(Exit.MISUSED):
        model = None if function is None else loaded(function)
    with report_errors(), ExitStack() as stack:
        case = em.fit.read_fit(file, folder=folder)
        stack.enter_context(FolderLock(folder))  # until all is written
        with warnings.catch_warnings():
            for known in (em.fit.EvaluationWarning, em.fit.FitWarning):  # the report has them
                warnings.simplefilter("ignore", known)
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


def loaded(text: str) -> Callable[..., Any]:
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
