"""Errors and warnings of a command: sentences, and no traceback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emfem.errors import EmfemError, RecoveryWarning, ResolutionWarning, WriteWarning

import typer
from mpi4py import MPI

REFUSED, MISUSED = 1, 2  # exit codes: of a case or mesh that is refused, of a wrong command line


@contextmanager
def report_errors(code: int = REFUSED) -> Iterator[None]:
    """End the command with the sentence of an error of emfem, once, and an exit code; print warnings as a line each."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            """Print a warning of emfem without the line of code, which is none of the user's."""
            if issubclass(category, ResolutionWarning | RecoveryWarning | WriteWarning):
                typer.echo(f"warning: {message}", err=True)
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        try:
            yield
        except EmfemError as error:
            echo_error(str(error))
            raise typer.Exit(code) from None


def echo_error(text: str) -> None:
    """Print a line to the standard error, on rank 0."""
    if MPI.COMM_WORLD.rank == 0:
        typer.echo(text, err=True)
