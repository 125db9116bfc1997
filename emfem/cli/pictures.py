"""`emfem plot` and `emfem movie`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import emfem as em
from emfem.cli.output import echo, report_errors
from emfem.cli.values import settings

import typer

Folder = Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)]
Name = Annotated[str | None, typer.Option("--field", help="The field; the first unknown of the last model by default.")]


def plot(
    folder: Folder,
    field: Name = None,
    time: Annotated[str | None, typer.Option(help="One of the saved times, such as 50 or 2hours; the last.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .png, .pdf or .svg file; FIELD.png in the folder.")
    ] = None,
) -> None:
    """Draw a field of a run."""
    with report_errors():
        run = em.results.open(folder)
        at = None if time is None else run.time_of(settings([f"time={time}"])["time"])
        echo(run.plot(output, field=field, t=at))


def movie(
    folder: Folder,
    field: Name = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The .mp4 or .gif file; FIELD.mp4 in the folder.")
    ] = None,
    frames_per_second: Annotated[int, typer.Option(help="Speed.")] = 10,
) -> None:
    """Draw a field at all saved times of a run, one after the other."""
    with report_errors():
        run = em.results.open(folder)
        echo(run.animation(output, field=field, frames_per_second=frames_per_second))
