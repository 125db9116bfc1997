"""`emfem signoff`: from a netlist and a technology to a verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import emfem as em
from emfem.cli.output import Exit, echo, echo_error, report_errors
from emfem.cli.values import in_si

import typer

RESULTS = Path("results")
CRITERIA = "void, drop:50mV, drop:10% (of the supply) or resistance:10%"
CORNER = "'NAME: current=1.1, temperature=125degC', either or both"


def signoff(
    netlist: Annotated[Path, typer.Argument(help="The power grid, a SPICE netlist.", show_default=False)],
    tech: Annotated[Path, typer.Option(metavar="FILE", help="The technology, a TOML file.", show_default=False)],
    years: Annotated[float, typer.Option(metavar="X", help="Time that the grid has to last.", show_default=False)],
    corner: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help=f"A corner, {CORNER}; current is a factor. May be repeated."),
    ] = None,
    fails: Annotated[str, typer.Option(metavar="WHEN", help=f"What counts as failure: {CRITERIA}.")] = "void",
    drop_limit: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="Largest IR drop allowed at the start: 50mV, or 5% of the supply."),
    ] = None,
    temperature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A map of temperature, .csv or .npz, by node, wire or place.")
    ] = None,
    geometry: Annotated[
        Path | None, typer.Option("--def", metavar="FILE", help="A DEF file, for the true width of each wire.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Length of 1 in coordinates, such as 0.5nm; else as named.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "--out", "-o", help="The folder to write into; results/NAME of the file by default."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the sign-off in the folder.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a sign-off in the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Compute the life of a power grid, and write a report; the exit code is 4 if the grid does not last."""
    folder = RESULTS / netlist.stem if output is None else output
    with report_errors(Exit.MISUSED):
        until = em.errors.number("years", years, above=0.0) * em.units.year
        corners = [em.signoff.Corner("nominal")] if not corner else [parsed_corner(text) for text in corner]
        check_exclusive(resume, force)
        length = None if unit is None else in_si("unit", unit, "m")
    with report_errors():
        technology = em.signoff.read_technology(tech)
        wires = None if geometry is None else em.mesh.read_def(geometry)
        network = em.mesh.read_netlist(netlist, technology=technology, geometry=wires, unit=length)
        scale = 1.0 if length is None else length
        heat = None if temperature is None else em.signoff.read_temperature(temperature, network, unit=scale)
    with report_errors(Exit.MISUSED):
        criterion = parsed_criterion(fails, network)
        limit = None if drop_limit is None else volts("drop-limit", drop_limit, network)
    files = {"netlist": netlist, "technology": tech, "geometry": geometry, "temperature": temperature}
    with report_errors(), bar(not quiet) as progress:
        try:
            outcome = em.signoff.sign_off(
                network,
                technology,
                folder,
                until=until,
                corners=corners,
                temperature=heat,
                fails=criterion,
                drop_limit=limit,
                title=netlist.name,
                inputs={name: path for name, path in files.items() if path is not None},
                resume=resume,
                force=force,
                progress=progress,
            )
        except em.Terminated:
            echo_error(f"the same command with --resume goes on from {folder}")
            raise
    if not quiet:
        widen = [] if outcome.lasts else ["which wires to widen: em.signoff.repair, in a script"]
        echo(outcome, *widen, folder / "report.html")
    if not outcome.lasts:
        raise typer.Exit(Exit.VIOLATED)


def check_exclusive(resume: bool, force: bool) -> None:
    """Check that a folder is not both to go on and to be replaced.

    Raises:
        ParameterError: if it is.
    """
    if resume and force:
        msg = "--resume and --force, must be one of them: to go on, or to begin anew"
        raise em.ParameterError(msg)


def parsed_corner(text: str) -> em.signoff.Corner:
    """Return the corner of a text such as "hot: current=1.1, temperature=125degC".

    Raises:
        ParameterError: for another text, or a number out of its bounds.
    """
    name, _, rest = text.partition(":")
    values: dict[str, float] = {}
    units = {"current": "", "temperature": "K"}
    for part in filter(None, (piece.strip() for piece in rest.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in units or key in values:
            msg = f"corner = {em.errors.shown(text)}, must be {CORNER}, each once"
            raise em.ParameterError(msg)
        values[key] = in_si(f"{key} of corner {name.strip()}", value, units[key])
    return em.signoff.Corner(name.strip(), **values)


def parsed_criterion(text: str, network: em.mesh.Network) -> em.failure.Criterion:
    """Return the criterion of a text such as "drop:10%".

    Raises:
        ParameterError: for another text, or a number out of its bounds.
    """
    kind, _, value = (part.strip() for part in text.partition(":"))
    if kind == "void" and not value:
        return em.failure.FirstVoid()
    if value and is_bare(value):
        msg = f"fails = {em.errors.shown(text)}, must have a unit or %: {CRITERIA}"
        raise em.ParameterError(msg)
    if kind == "drop" and value:
        return em.failure.Drop(volts("fails", value, network))
    if kind == "resistance" and value:
        return em.failure.ResistanceRise(part_of_one("fails", value))
    msg = f"fails = {em.errors.shown(text)}, must be {CRITERIA}"
    raise em.ParameterError(msg)


def is_bare(text: str) -> bool:
    """Return True for a number without a unit: 10 may be meant as 10 V or as 10 %."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def part_of_one(name: str, text: str) -> float:
    """Return a number such as 0.1 or 10%.

    Raises:
        ParameterError: for another text.
    """
    if text.endswith("%"):
        return in_si(name, text.removesuffix("%").strip(), "") / 100
    return in_si(name, text, "")


def volts(name: str, text: str, network: em.mesh.Network) -> float:
    """Return a voltage, of a text such as 50mV, or 10% of the highest voltage of the pads.

    Raises:
        ParameterError: for another text, or a part of pads at 0 V.
    """
    if not text.endswith("%"):
        return in_si(name, text, "V")
    supply = max(map(abs, network.pads.values()), default=0.0)
    if supply == 0.0:
        msg = f"{name} = {em.errors.shown(text)} of pads at 0 V, must be in volts for a grid of ground, such as 50mV"
        raise em.ParameterError(msg)
    return part_of_one(name, text) * supply


@contextmanager
def bar(wanted: bool) -> Iterator[Callable[[float, str], None] | None]:
    """Show a bar on a terminal; yield the function that moves it, None without one."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown_bar:
        task = shown_bar.add_task("", total=1.0)
        yield lambda part, words: shown_bar.update(task, completed=part, description=words.replace("[", "\\["))
