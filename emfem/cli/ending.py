"""How a command ends that cannot do what was asked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emfem.errors import EmfemError, ResolutionWarning

import typer
from mpi4py import MPI

REFUSED, MISUSED = 1, 2  # exit codes: what was asked for cannot be; it was not asked for rightly


@contextmanager
def one_sentence() -> Iterator[None]:
    """Whatever emfem refuses ends the command with its sentence, or one a line, and no traceback."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            """Print a warning of emfem without the line of code, which is none of the user's."""
            if issubclass(category, ResolutionWarning):
                typer.echo(f"warning: {message}", err=True)
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        try:
            yield
        except EmfemError as error:
            leave(error, REFUSED)


def leave(error: EmfemError, code: int) -> None:
    """End the command with a sentence, told once."""
    typer.echo(str(error) if MPI.COMM_WORLD.rank == 0 else "", err=True, nl=MPI.COMM_WORLD.rank == 0)
    raise typer.Exit(code)
