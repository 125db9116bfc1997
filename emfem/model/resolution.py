"""What a mesh must resolve: numbers with a limit, told in a warning where it does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emfem.errors import ResolutionWarning
from emfem.model.models import Model

PACKAGE = str(Path(__file__).parents[1])
AT = "at t = {:.4g}"
OF_PULSE = "at the end of a pulse of {:.4g}"


@dataclass(frozen=True, eq=False)
class Resolution:
    """A number that says how well a mesh resolves a model.

    Attributes:
        name: of the number.
        number: its value in the present state at a time, the same on all ranks; NaN where there is nothing to resolve.
        limit: at which the error becomes as large as `remedy` says.
        remedy: what is at stake and what to do, made of the number.
        at_most: whether the number must not be larger than the limit, or not smaller.
        timed: whether it depends on the time.
    """

    name: str
    number: Callable[[Model, float], float]
    limit: float
    remedy: Callable[[float], str]
    at_most: bool = False
    timed: bool = False

    def unresolved(self, model: Model, t: float, when: str = AT) -> str | None:
        """Return the sentence of the warning, or None if it is resolved. Collective."""
        found = self.number(model, t)
        if not (found > self.limit if self.at_most else found < self.limit):
            return None
        at = f" {when.format(t)}" if self.timed else ""
        must = "at most" if self.at_most else "at least"
        told = f"{self.name} = {found:.3g}{at}, should be {must} {self.limit:g}"
        return f"the {model.name} model: {told}: {self.remedy(found)}"


def check_resolution(models: Sequence[Model], t: float, when: str = AT) -> None:
    """Warn of what the models do not resolve at a time that is looked at, once for each model and number. Collective.

    The warning points at the line outside of emfem. It is shown by rank 0; an error that a filter makes of it is raised
    on all ranks.

    Args:
        models: those that are looked at.
        t: since when something happens that the mesh must resolve: the time of the models, or that since a jump.
        when: how the warning says so.
    """
    for model in models:
        for resolution in model.resolutions:
            if resolution.name not in model.warned:
                told = resolution.unresolved(model, t, when)
                if told:
                    model.warned.add(resolution.name)
                    warn_unresolved(told, model.mesh.comm)


def warn_unresolved(message: str, comm: Any) -> None:
    """Issue the warning, unseen on other ranks than 0."""
    if comm.rank == 0:
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=(PACKAGE,))
        return
    with warnings.catch_warnings():
        warnings.showwarning = lambda *_, **__: None
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=(PACKAGE,))
