"""`emfem view`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import emfem as em
from emfem.cli.output import Exit, ranks, report_errors

import typer

NEEDED = ("trame", "trame_vuetify", "trame_components")


def view(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs, or of a sweep.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where on this machine; any that is free for 0.")] = 0,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open it in a browser; if there is a display by default."),
    ] = None,
) -> None:
    """Show runs on a page in the browser: fields at all times, several runs side by side, the table of a sweep."""
    with report_errors(Exit.MISUSED):
        _check()
    from emfem.view import serve  # only here: the extra may not be installed, and takes a second to import

    with report_errors():
        for folder in folders:
            empty = folder.is_dir() and not any(folder.iterdir())
            em.errors.require(not empty, f"{folder} is empty, must be the folder of a run or of a sweep")
        serve(folders, port=port, browser=browser)


def _check() -> None:
    """Refuse to serve without the extra, or on several ranks.

    Raises:
        EmfemError: if the extra is not installed.
        ParameterError: on more than one rank.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        msg = 'emfem view needs packages that are not installed: pip install "emfem[view]"'
        raise em.EmfemError(msg)
    if ranks() > 1:
        msg = f"view on {ranks()} ranks, must be on 1: start it without mpiexec"
        raise em.ParameterError(msg)
