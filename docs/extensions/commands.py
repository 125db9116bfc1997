"""The commands of `emfem` with their arguments and options."""

from collections.abc import Iterator
from typing import Any

from emfem.cli import app
from emfem.cli.output import MEANINGS
from extensions.markdown import cell, table

import typer


def commands() -> Iterator[tuple[str, Any]]:
    """Each command with the words it is called by, groups left out."""
    yield from _below("emfem", typer.main.get_command(app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from _below(f"{words} {name}", one)


def written(parameter: Any) -> str:
    """A parameter as it is typed."""
    several = parameter.multiple or parameter.nargs == -1
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        name = name if parameter.required else f"[{name}]"
        return f"`{name}{' ...' if several else ''}`"
    value = "" if parameter.is_flag else f" {parameter.metavar or kind(parameter)}"
    return ", ".join(f"`{name}{value}`" for name in (*parameter.opts, *parameter.secondary_opts))


def kind(parameter: Any) -> str:
    """Placeholder for the value of an option: FILE, N, X or TEXT."""
    return {"Path": "FILE", "int": "N", "float": "X"}.get(parameter.type_descriptor.annotation.__name__, "TEXT")


def exit_codes() -> str:
    """Table of the exit codes."""
    return table(["exit code", ""], [[f"{code:d}", cell(meaning)] for code, meaning in MEANINGS.items()])


def usage(words: str, command: Any) -> str:
    """Synopsis of a command, in one line."""
    arguments = [written(p).strip("`") for p in command.params if p.param_type_name == "argument"]
    options = ["[OPTIONS]"] if any(p.param_type_name == "option" for p in command.params) else []
    return " ".join([words, *options, *arguments])


def section(words: str, command: Any) -> str:
    """Section about a command: its help, its synopsis, and the table of its arguments."""
    rows = []
    for parameter in command.params:
        default = parameter.default
        notes = f" Default: `{default}`." if not parameter.required and default not in (None, False, ()) else ""
        if parameter.min is not None and parameter.max is not None:
            notes += f" From {parameter.min} to {parameter.max}."
        rows.append([written(parameter), cell(f"{parameter.help or ''}{notes}")])
    parts = [f"## {words}\n", command.help or "", f"```text\n{usage(words, command)}\n```\n"]
    return "\n".join([*parts, *([table(["", ""], rows)] if rows else [])])


def page() -> str:
    """All of them."""
    return "\n".join(section(words, command) for words, command in commands())
