"""The command `emfem`: runs, sweeps and draws cases, makes and checks meshes, without a script."""

from __future__ import annotations

import os
import traceback
from importlib.metadata import version
from typing import Annotated

import emfem as em
from emfem.cli import cases, completion, pictures
from emfem.cli.fit import design, fit, sensitivity
from emfem.cli.meshes import meshes, shapes
from emfem.cli.output import MEANINGS, Exit, echo, ranks, report_errors
from emfem.cli.signoff import signoff
from emfem.cli.values import value
from emfem.cli.verify import verify
from emfem.cli.view import view

import typer

__all__ = ["app", "main", "shapes", "value"]

app = typer.Typer(
    name="emfem",
    help="Electromigration in metals by finite elements.",
    no_args_is_help=True,
    add_completion=False,
    epilog=f"Exit codes: {'; '.join(f'{code:d} {meaning}' for code, meaning in MEANINGS.items())}.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for command in (
    cases.run,
    cases.resume,
    cases.check,
    cases.new,
    cases.sweep,
    cases.info,
    fit,
    design,
    sensitivity,
    signoff,
    pictures.plot,
    pictures.movie,
    verify,
    view,
    completion.completion,
):
    app.command()(command)
app.add_typer(meshes, name="mesh")


def main() -> None:
    """Run the command; an error on one rank only ends all of them."""
    os.environ["PETSC_OPTIONS"] = f"-no_signal_handler {os.environ.get('PETSC_OPTIONS', '')}"  # signals are ours
    if completion.VARIABLE in os.environ:
        completion.prepare()
    try:
        app(prog_name="emfem")
    except Exception:
        if ranks() == 1:
            raise
        from mpi4py import MPI

        traceback.print_exc()
        MPI.COMM_WORLD.Abort(1)


def _version(value: bool) -> None:
    if value:
        echo(f"emfem {version('emfem')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    physics: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A Python file, or module, that registers a physics of your own. It is run."),
    ] = None,
) -> None:
    """Electromigration in metals by finite elements."""
    if physics:
        with report_errors(Exit.MISUSED):
            for source in physics:
                em.studies.load(source)
