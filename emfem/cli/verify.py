"""`emfem verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import emfem as em
from emfem.cli.output import Exit, echo, echo_error, rank, report_errors

import typer

if TYPE_CHECKING:
    from rich.table import Table

FILES = Path("results", "verify")  # where curves go


def verify(
    physics: Annotated[
        list[str] | None, typer.Argument(help="Some of those that --list names. All when left out.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="More meshes, longer runs: minutes instead of one or two.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write a report that programs read into this file.")] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only list what is checked, and where each number is from.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print failures only.")] = False,
) -> None:
    """Check every physics against closed forms and published numbers; the exit code is 1 if one is missed."""
    with report_errors(Exit.MISUSED):
        from emfem.files import writable

        chosen = em.verify.checks(physics or (), full=full or list_)
        files = writable(json) if json is not None else None
    if list_:
        _print(em.verify.listing(chosen))
        return
    with report_errors():
        report = em.verify.run(chosen, full=full, on_start=None if quiet else _progress)
    for result in report.results:
        for name, text in result.files.items():
            em.write.text(FILES / name, text)
    if files is not None:
        em.write.text(files, report.json())
    if not quiet:
        _print(em.verify.table(report))
        written = sorted(name for result in report.results for name in result.files)
        passed = len(report.results) - len(report.failed)
        echo(
            "", f"{passed} of {len(report.results)} checks passed in {report.wall:.0f} s", *(FILES / n for n in written)
        )
    if report.failed:
        for line in em.verify.troubles(report):
            echo_error(line)
        raise typer.Exit(Exit.REFUSED)


def _progress(one: em.verify.Check) -> None:
    """Print which check is running, on a terminal, where the table will be."""
    if rank() == 0 and sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{one.physics}: {one.name}")
        sys.stderr.flush()


def _print(table: Table) -> None:
    """Print a table, as wide as it needs to be where there is no terminal; on rank 0."""
    from rich.console import Console

    if rank() == 0:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        Console(width=None if sys.stdout.isatty() else 200).print(table)
