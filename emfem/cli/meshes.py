"""`emfem mesh`: meshes are made, listed and checked without a script."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import emfem as em
from emfem.cli.output import Exit, echo, report_errors
from emfem.cli.values import value

import typer

MEASURES = {1: ("points", "length"), 2: ("length", "area"), 3: ("area", "volume")}  # of a boundary, of a region

meshes = typer.Typer(no_args_is_help=True, help="Make meshes, and check those that others made.")

Picture = Annotated[Path | None, typer.Option(help="Draw the mesh into this .png, .pdf or .svg file.")]


@meshes.command("shapes")
def list_shapes() -> None:
    """List the shapes there are, each with its parameters."""
    with report_errors():
        for name, maker in shapes().items():
            words = (_parameter(parameter) for parameter in _parameters(maker).values())
            echo(f"{name}: {', '.join(words)}", f"    {(inspect.getdoc(maker) or '').splitlines()[0]}")


@meshes.command("make")
def make(
    shape: Annotated[str, typer.Argument(help="One of those that `emfem mesh shapes` lists.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, such as strip.msh.")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its parameters: length=50um cells=(8,4).")
    ] = None,
    picture: Picture = None,
) -> None:
    """Make a mesh of a shape and write it."""
    with report_errors(Exit.MISUSED):
        maker, arguments = _call(shape, values or [])
    with report_errors():
        domain = maker(**arguments)
        em.mesh.write(domain, output)
        report(domain, picture)


@meshes.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A mesh, or a shape with --size.")],
    unit: Annotated[str, typer.Option(help="Length of 1 in the file, such as 1mm or 25.4*mm.")] = "1",
    size: Annotated[str | None, typer.Option(help="Edge of a cell, for a file without cells: 0.5mm.")] = None,
    picture: Picture = None,
) -> None:
    """Read a mesh, list its content, and check that it can be computed on."""
    with report_errors():
        domain = em.mesh.read(file, unit=value(unit), size=None if size is None else value(size))
        report(domain if unit == "1" else domain.in_metres(), picture)


def report(domain: em.mesh.Domain, picture: Path | None = None) -> None:
    """Print a domain, and the size of each boundary and region; draw it if there is a file to. Collective."""
    from dolfinx import fem

    one = fem.Constant(domain.mesh, 1.0)
    boundary, region = MEASURES[domain.mesh.topology.dim]
    width = max(map(len, (*domain.names, *domain.regions, "whole")))
    sizes = [("whole", region, domain.dx())]
    sizes += [(name, region, domain.dx(region=name)) for name in domain.regions]
    sizes += [(name, boundary, domain.ds(name)) for name in domain.names]
    measured = [(name, words, em.fields.integral(fem.form(one * dx), domain.mesh.comm)) for name, words, dx in sizes]
    echo(domain, *(f"  {name:<{width}}  {words} {size:.6g}" for name, words, size in measured))
    if picture is not None:
        em.plot.mesh(domain, picture)


# ---- arguments --------------------------------------------------------------------------------------------------


def shapes() -> dict[str, Callable[..., em.mesh.Domain]]:
    """Return the makers of domains by name, without periodic ones, which no file holds, and that of files."""
    return {
        name: maker for name, maker in em.mesh.makers().items() if name != "read" and not name.startswith("periodic_")
    }


def _parameters(maker: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a shape that can be typed."""
    return {name: p for name, p in inspect.signature(maker).parameters.items() if name != "comm"}


def _parameter(parameter: inspect.Parameter) -> str:
    """Return a parameter and its default as it is typed."""
    if parameter.default is parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}".replace(" ", "")


def _call(shape: str, values: list[str]) -> tuple[Callable[..., em.mesh.Domain], dict[str, Any]]:
    """Return the maker of a shape and its arguments as typed.

    Raises:
        UnknownName: for a shape or a parameter that does not exist; the message lists those there are.
        ParameterError: for a text that is not KEY=VALUE, twice the same key, or parameters that are missing.
    """
    if shape not in shapes():
        raise em.UnknownName(shape, "emfem mesh make", shapes())
    maker = shapes()[shape]
    known = _parameters(maker)
    arguments: dict[str, Any] = {}
    for typed in values:
        name, equals, text = typed.partition("=")
        if not equals or name in arguments:
            msg = f"{typed!r}, must be KEY=VALUE" + (", each key once" if equals else "")
            raise em.ParameterError(msg)
        if name not in known:
            raise em.UnknownName(name, shape, known)
        arguments[name] = value(text)
    missing = [name for name, p in known.items() if p.default is p.empty and name not in arguments]
    if missing:
        msg = f"{shape} needs {', '.join(f'{name}=...' for name in missing)}"
        raise em.ParameterError(msg)
    return maker, arguments
