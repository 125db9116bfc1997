"""`emfem completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from emfem.cli.output import echo

import typer

VARIABLE = "_EMFEM_COMPLETE"  # set by the shell when it asks for completions


class Shell(StrEnum):
    """Shells whose completion can be printed."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)]) -> None:
    """Print the completion of commands and options for a shell: `source <(emfem completion bash)`."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    echo(get_completion_script(prog_name="emfem", complete_var=VARIABLE, shell=shell))


def prepare() -> None:
    """Make the command answer what a shell asks for."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
