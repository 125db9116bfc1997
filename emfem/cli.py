"""The command `emfem`: meshes are made, listed and checked without a script."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from emfem import fields, mesh, plot, units, write
from emfem.errors import EmfemError, ParameterError, UnknownName

import typer
from dolfinx import fem
from mpi4py import MPI

REFUSED, MISUSED = 1, 2  # exit codes: what was asked for cannot be; it was not asked for rightly
MEASURES = {1: ("points", "length"), 2: ("length", "area"), 3: ("area", "volume")}  # of a boundary, of a region

app = typer.Typer(
    name="emfem",
    help="Electromigration in metals by finite elements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
meshes = typer.Typer(no_args_is_help=True, help="Make meshes, and check those that others made.")
app.add_typer(meshes, name="mesh")

Picture = Annotated[Path | None, typer.Option(help="Draw the mesh into this .png file.")]


def main() -> None:
    """Run the command."""
    app()


@contextmanager
def one_sentence() -> Iterator[None]:
    """Whatever emfem refuses ends the command with its sentence and no traceback."""
    try:
        yield
    except EmfemError as error:
        _leave(error, REFUSED)


def _leave(error: EmfemError, code: int) -> None:
    """End the command with a sentence, told once."""
    typer.echo(str(error) if MPI.COMM_WORLD.rank == 0 else "", err=True, nl=MPI.COMM_WORLD.rank == 0)
    raise typer.Exit(code)


def _version(asked: bool) -> None:
    if asked:
        write.say(f"emfem {version('emfem')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version, and leave.")
    ] = False,
) -> None:
    """Electromigration in metals by finite elements."""


@meshes.command("shapes")
def list_shapes() -> None:
    """List the shapes there are, each with its parameters."""
    for name, maker in shapes().items():
        told = (_parameter(parameter) for parameter in _parameters(maker).values())
        write.say(f"{name}: {', '.join(told)}", f"    {(inspect.getdoc(maker) or '').splitlines()[0]}")


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
        _leave(error, MISUSED)
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
        tell(mesh.read(file, unit=value(unit), size=None if size is None else value(size)), picture)


def tell(domain: mesh.Domain, picture: Path | None = None) -> None:
    """Print a domain, and the size of each boundary and region; draw it if there is a file to. Collective."""
    one = fem.Constant(domain.mesh, 1.0)
    boundary, region = MEASURES[domain.mesh.topology.dim]
    width = max(map(len, (*domain.names, *domain.regions, "whole")))
    sizes = [("whole", region, domain.dx())]
    sizes += [(name, region, domain.dx(region=name)) for name in domain.regions]
    sizes += [(name, boundary, domain.ds(name)) for name in domain.names]
    measured = [(name, words, fields.integral(fem.form(one * dx), domain.mesh.comm)) for name, words, dx in sizes]
    write.say(domain, *(f"  {name:<{width}}  {words} {size:.6g}" for name, words, size in measured))
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


def value(text: str) -> Any:
    """What `text` says: a Python literal, in which a number may be a product with units, 50*um; else the text itself.

    Nothing in it is run: names are those of emfem.units, operators * and /.
    """
    try:
        return _literal(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return text


def _literal(node: ast.expr) -> Any:
    """The value of a literal with units.

    Raises:
        ValueError: if it is something else.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        left, right = float(_literal(node.left)), float(_literal(node.right))
        return (operator.mul if isinstance(node.op, ast.Mult) else operator.truediv)(left, right)
    if isinstance(node, ast.Name) and isinstance(getattr(units, node.id, None), float):
        return getattr(units, node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    if isinstance(node, ast.Tuple):
        return tuple(map(_literal, node.elts))
    if isinstance(node, ast.List):
        return list(map(_literal, node.elts))
    if isinstance(node, ast.Dict) and None not in node.keys:
        pairs = zip(node.keys, node.values, strict=True)
        return {_literal(key): _literal(item) for key, item in pairs if key is not None}
    return ast.literal_eval(node)
