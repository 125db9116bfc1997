"""Resolution of meshes: numbers with a limit, and a warning where a mesh does not keep it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, ResolutionWarning, shown
from emfem.gate import checked

from mpi4py import MPI

PACKAGE = str(Path(__file__).parents[1])
AT = "at t = {:.4g}"
OF_PULSE = "at the end of a pulse of {:.4g}"


@checked
@dataclass(frozen=True, eq=False)
class Resolution:
    """A number that measures how well a mesh resolves a model.

    Attributes:
        name: of the number.
        number: function of a model and a time that returns its value in the present state, the same on all ranks; NaN
            where there is nothing to resolve.
        limit: at which the error becomes as large as `remedy` says.
        remedy: function of the number that returns the error to expect and the way to reduce it.
        at_most: the number must not be larger than the limit; else not smaller.
        timed: the number depends on the time.
        each_step: it is looked at after each step, not where results are.
    """

    name: str
    number: Callable[[Any, float], float]
    limit: float
    remedy: Callable[[float], str]
    at_most: bool = False
    timed: bool = False
    each_step: bool = False

    @checked
    def unresolved(self, model: Any, t: float, when: str = AT) -> str | None:
        """Return the sentence of the warning, or None if it is resolved. Collective."""
        value = self.number(model, t)
        if not (value > self.limit if self.at_most else value < self.limit):
            return None
        at = f" {when.format(t)}" if self.timed else ""
        must = "at most" if self.at_most else "at least"
        limit = f"should be {must} {self.limit:g}"
        return f"the {model.name} model: {self.name} = {value:.3g}{at}, {limit}: {self.remedy(value)}"


@checked
def check_resolution(models: Sequence[Any], t: float, when: str = AT, *, each_step: bool = False) -> None:
    """Warn of numbers that the meshes of models do not resolve at a time, once for each model and number. Collective.

    The warning points at the line outside of emfem. It is shown by rank 0; an error that a filter makes of it is raised
    on all ranks.

    Args:
        models: to be checked.
        t: time since the start or since a jump.
        when: words of the warning for that time.
        each_step: look at the numbers that are looked at after each step, and at no others.
    """
    for model in models:
        if not hasattr(model, "resolutions"):
            msg = f"models has {shown(model)}, must be models of emfem"
            raise ParameterError(msg)
        for resolution in model.resolutions:
            if resolution.each_step == each_step and resolution.name not in model.warned:
                message = resolution.unresolved(model, t, when)
                if message:
                    model.warned.add(resolution.name)
                    warn_unresolved(message, model.mesh.comm)


@checked
def warn_unresolved(message: str, comm: MPI.Comm) -> None:
    """Issue the warning, shown by rank 0 alone."""
    if comm.rank == 0:
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=(PACKAGE,))
        return
    with warnings.catch_warnings():
        warnings.showwarning = lambda *_, **__: None
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=(PACKAGE,))
