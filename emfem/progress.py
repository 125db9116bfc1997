"""Progress of a run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from emfem import fields
from emfem.model import Model
from emfem.public import dir_of
from emfem.solve import Stepper

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []  # for `emfem.integration` alone
__dir__ = dir_of(__all__)

PLAIN = 5.0  # seconds between lines where there is no terminal


@contextmanager
def show_progress(
    models: Sequence[Model], start: float, until: float, wanted: bool
) -> Iterator[Callable[[Stepper], None]]:
    """Make a function to call after each step: it moves a bar on a terminal, prints a line now and then elsewhere."""
    unknowns, comm = [unknown for model in models for unknown in model.unknowns], models[0].mesh.comm
    shown = next((unknown for unknown in unknowns if unknown.rate is not None), unknowns[0])  # one that evolves
    last = time.perf_counter()

    def texts(stepper: Stepper) -> tuple[str, str]:
        low, high = fields.extremes(shown.function)
        state = f"step {stepper.steps}  dt {stepper.dt:.3g}  {shown.name} {low:.4g} … {high:.4g}"
        return f"t = {stepper.t:.4g}/{until:g}", state

    def print_line(stepper: Stepper) -> None:
        nonlocal last
        now = time.perf_counter()
        if comm.bcast(now - last > PLAIN, root=0):
            last = now
            line = "  ".join(texts(stepper))
            if comm.rank == 0:
                with suppress(OSError):  # the terminal may be gone
                    print(line, file=sys.stderr, flush=True)

    if not wanted:
        yield lambda stepper: None
    elif comm.bcast(sys.stderr.isatty(), root=0):
        columns = ("{task.description}", BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=comm.rank != 0, transient=True) as bar:
            task = bar.add_task("", total=until - start, state="")

            def move_bar(stepper: Stepper) -> None:
                description, state = texts(stepper)
                bar.update(task, completed=stepper.t - start, description=description, state=state)

            yield move_bar
    else:
        yield print_line
