"""`emfem mesh`: meshes are made, listed and checked without a script."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from emfem import fields, mesh, plot, write
from emfem.cli.ending import MISUSED, leave, one_sentence
from emfem.cli.values import value
from emfem.errors import EmfemError, ParameterError, UnknownName

import typer
from dolfinx import fem

MEASURES = {1: ("points", "length"), 2: ("length", "area"), 3: ("area", "volume")}  # of a boundary, of a region

meshes = typer.Typer(no_args_is_help=True, help="Make meshes, and check those that others made.")

Picture = Annotated[Path | None, typer.Option(help="Draw the mesh into this .png, .pdf or .svg file.")]


@meshes.command("shapes")
def list_shapes() -> None:
    """List the shapes there are, each with its parameters."""
    for name, maker in shapes().items():
        told = (_parameter(parameter) for parameter in _parameters(maker).values())
        write.print_root(f"{name}: {', '.join(told)}", f"    {(inspect.getdoc(maker) or '').splitlines()[0]}")


@meshes.command("make")
def make(
    shape: Annotated[str, typer.Argument(help="One of those that `emfem mesh shapes` lists.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, such as strip.msh.")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its parameters: length=50*um cells=(8,4).")
    ] = None,
    picture: Picture = None,
) -> None:
    """Make a mesh of a shape and write it."""
    try:
        maker, arguments = _call(shape, values or [])
    except EmfemError as error:
        leave(error, MISUSED)
    with one_sentence():
        domain = maker(**arguments)
        mesh.write(domain, output)
        tell(domain, picture)


@meshes.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A mesh, or a shape with --size.")],
    unit: Annotated[str, typer.Option(help="Length of 1 in the file, such as mm or 25.4*mm.")] = "1",
    size: Annotated[str | None, typer.Option(help="Edge of a cell, for a file without cells: 0.5*mm.")] = None,
    picture: Picture = None,
) -> None:
    """Read a mesh, say what is in it, and whether it can be computed on."""
    with one_sentence():
        domain = mesh.read(file, unit=value(unit), size=None if size is None else value(size))
        tell(domain if unit == "1" else domain.in_metres(), picture)


def tell(domain: mesh.Domain, picture: Path | None = None) -> None:
    """Print a domain, and the size of each boundary and region; draw it if there is a file to. Collective."""
    one = fem.Constant(domain.mesh, 1.0)
    boundary, region = MEASURES[domain.mesh.topology.dim]
    width = max(map(len, (*domain.names, *domain.regions, "whole")))
    sizes = [("whole", region, domain.dx())]
    sizes += [(name, region, domain.dx(region=name)) for name in domain.regions]
    sizes += [(name, boundary, domain.ds(name)) for name in domain.names]
    measured = [(name, words, fields.integral(fem.form(one * dx), domain.mesh.comm)) for name, words, dx in sizes]
    write.print_root(domain, *(f"  {name:<{width}}  {words} {size:.6g}" for name, words, size in measured))
    if picture is not None:
        plot.mesh(domain, picture)


# ---- what is typed ----------------------------------------------------------------------------------------------


def shapes() -> dict[str, Callable[..., mesh.Domain]]:
    """The makers of domains by name; periodic ones are left out: no file holds them."""
    makers = {name: getattr(mesh, name) for name in mesh.__all__ if name != "read" and not name.startswith("periodic_")}
    made = {name: inspect.signature(maker) for name, maker in makers.items() if inspect.isfunction(maker)}
    return {
        name: makers[name]
        for name, signature in sorted(made.items())
        if signature.return_annotation in ("Domain", mesh.Domain) and "domain" not in signature.parameters
    }


def _parameters(maker: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What can be typed for a shape."""
    return {name: p for name, p in inspect.signature(maker).parameters.items() if name != "comm"}


def _parameter(parameter: inspect.Parameter) -> str:
    """A parameter and its default as it is typed."""
    if parameter.default is parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}".replace(" ", "")


def _call(shape: str, values: list[str]) -> tuple[Callable[..., mesh.Domain], dict[str, Any]]:
    """The maker of a shape and its arguments as typed.

    Raises:
        UnknownName: for a shape or a parameter that does not exist; the message lists those there are.
        ParameterError: for what is no KEY=VALUE, twice the same key, or parameters that are missing.
    """
    makers = shapes()
    if shape not in makers:
        raise UnknownName(shape, "emfem mesh make", makers)
    known = _parameters(makers[shape])
    arguments: dict[str, Any] = {}
    for typed in values:
        name, equals, text = typed.partition("=")
        if not equals or name in arguments:
            msg = f"{typed!r}, must be KEY=VALUE" + (", each key once" if equals else "")
            raise ParameterError(msg)
        if name not in known:
            raise UnknownName(name, shape, known)
        arguments[name] = value(text)
    missing = [name for name, p in known.items() if p.default is p.empty and name not in arguments]
    if missing:
        msg = f"{shape} needs {', '.join(f'{name}=...' for name in missing)}"
        raise ParameterError(msg)
    return makers[shape], arguments
