"""Run a case: everything that comes of it is written into one folder.

- case.toml: the case with every value resolved; `emfem run` takes it
- report.json: status, versions, wall time, steps, quantities and pattern at the end
- series.csv: quantities against time
- fields.json, mesh.npz: what fields there are, in which units, and the mesh they live on; see `em.storage`
- states/: all fields at the chosen times, and last.npz, the last state
- fields.pvd, fields/: fields for ParaView, PyVista and meshio, if the case names any
- final.png: the last state
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from emfem import fields, observe, patterns, plot, write
from emfem.errors import EmfemError, Terminated
from emfem.evolution import Run, evolve
from emfem.files import writable
from emfem.model import Model
from emfem.signals import REASONS, stop_requests
from emfem.solve import solve_steady
from emfem.studies.recording import (
    LAST,
    REPORT,
    STATES,
    Report,
    States,
    clear,
    quantities,
    read_report,
    status_of,
)

import ufl
from dolfinx import fem


class Runnable(Protocol):
    """A case, as far as a run needs it."""

    @property
    def tables(self) -> Any:
        """Its tables, checked."""

    @property
    def hash(self) -> str:
        """A short name of its physics."""

    @property
    def resolved(self) -> dict[str, Any]:
        """All tables with every value as a number."""

    def build(self) -> list[Model]:
        """Return the models at their start."""

    def measures(self, models: Sequence[Model]) -> dict[str, float]:
        """Return numbers at the end that the models do not have among their quantities."""

    def to_toml(self) -> str:
        """Return the text of the case."""


@dataclass(frozen=True)
class Outcome:
    """Result of a run of a case.

    Attributes:
        folder: where everything is.
        report: the content of its report.json.
        models: the models in their last state.
    """

    folder: Path
    report: dict[str, Any]
    models: Sequence[Model] = field(repr=False)

    def __str__(self) -> str:
        """One line."""
        return f"{self.report['summary']}; {self.folder}"


def run(case: Runnable, folder: os.PathLike[str] | str, *, progress: bool = True) -> Outcome:
    """Run a case, and write everything into a folder. Collective.

    Args:
        case: the case.
        folder: where to; it is made, and files of an earlier run in it are replaced.
        progress: as in `em.evolve`.

    Raises:
        ParameterError: for all that is refused when the models are built.
        EmfemError: as the run raises it; the report says so too.
    """
    target, settings = Path(folder), case.tables.time
    writable(target / REPORT)
    until = None if settings is None else settings.until
    report = Report(target, {"hash": case.hash, "case": case.resolved, "until": until})
    with ExitStack() as stack:
        if settings is not None:  # a steady solve has nothing to save
            stack.enter_context(stop_requests())
        report.begin()
        try:
            clear(target)
            models = case.build()
            check_names(case, models)
            write.text(target / "case.toml", f"# emfem {version('emfem')}, case {case.hash}\n{case.to_toml()}")
            ended = _go(case, models, target, report, progress)
            ended |= {"quantities": quantities(models) | case.measures(models), "pattern": _pattern(models)}
            _pictures(case, models, target)
            report.end(status_of(ended["stopped"]), **ended)
        except Terminated as error:
            reason = REASONS[signal.Signals(error.signal)]
            report.end(status_of(reason), stopped=reason, t=models[0].t)
            raise
        except BaseException as error:
            report.fail(str(error) if isinstance(error, EmfemError) else f"{type(error).__name__}: {error}")
            raise
    return Outcome(target, read_report(target), models)


def check_names(case: Runnable, models: Sequence[Model]) -> None:
    """Check that the models have the fields and quantities that a case names, before anything is computed.

    Raises:
        UnknownName: if none has one.
        ParameterError: if several have it.
    """
    march, output = case.tables.time, case.tables.output
    for name in (*output.fields, *(output.pictures or ())):
        observe.model_with_field(models, name)
    for name in () if march is None else (*march.conserved, *(stop.quantity for stop in march.stop)):
        observe.model_with_quantity(models, name)


class Heartbeat(observe.Observer):
    """Shows that the run is alive after each step."""

    def __init__(self, report: Report) -> None:
        """Take the report."""
        super().__init__()
        self.report = report

    def record(self, t: float) -> None:
        """Show it."""
        self.report.beat(t)


def _go(case: Runnable, models: Sequence[Model], folder: Path, report: Report, progress: bool) -> dict[str, Any]:
    """Integrate the models in time, or solve for the steady state; return the content of the report."""
    tables, settings = case.tables, case.tables.time
    output, last = tables.output, folder / STATES / LAST
    chosen = output.states_every is not None or output.states_at is not None
    states = States(folder, output.states_every, output.states_at if chosen else ())
    observers: list[observe.Observer] = [states, write.series(folder / "series.csv", every=output.every)]
    if output.fields:
        observers.append(
            write.vtu(
                folder / "fields.pvd", output.fields, **_times(output, None if settings is None else settings.until)
            )
        )
    if settings is None:
        steady = solve_steady(models, **({} if tables.steady is None else tables.steady.make()))
        for observer in observers:
            observer.start(models, models[0].t)
            observer.finish()
        states.save(LAST)
        return {"t": None, "stopped": steady.reason, "summary": str(steady)}
    watch = [*observers, *settings.observers(), Heartbeat(report)]
    try:
        finished: Run = evolve(models, **settings.make(), watch=watch, checkpoint=last, progress=progress)
    except (EmfemError, Terminated):  # on all ranks; the models have the last good state
        states.save(LAST, essential=False)
        raise
    states.save(LAST)
    return asdict(finished) | {"summary": str(finished)}


def _times(output: Any, until: float | None) -> dict[str, Any]:
    """Return the times of fields for ParaView: those of the states, or start and end."""
    if output.states_at is not None:
        return {"times": output.states_at}
    return {"every": output.states_every or until}


def _pattern(models: Sequence[Model]) -> dict[str, Any] | None:
    """Pattern of a film in a plane."""
    films = [model for model in models if "pattern" in model.roles and model.mesh.geometry.dim == 2]
    return asdict(patterns.measure(films[0][films[0].roles["pattern"]])) if films else None


def _pictures(case: Runnable, models: Sequence[Model], folder: Path) -> None:
    """Draw the fields that the case names; the first as final.png."""
    names = case.tables.output.pictures
    if names is None:
        names = (models[-1].names[0],)
    for i, name in enumerate(names):
        title = plot.labels.time(models[0]) if case.tables.time else ""
        picture(models, name, folder / (f"final-{name}.png" if i else "final.png"), title)


def picture(models: Sequence[Model], name: str, path: Path, title: str = "") -> Path:
    """Draw a field: the current of a conductor with its lines, of a vector its length. Collective."""
    model_with_field = observe.model_with_field(models, name)
    if name in ("phi", "j") and "current" in model_with_field.roles and model_with_field.mesh.topology.dim == 2:
        over = {"over": model_with_field["phi"], "lines": 8} if name == "phi" else {}
        plot.current(model_with_field, path, title=title, **over)
    else:
        plot.field(scalar(model_with_field, name), path, title=title)
    return path


def scalar(model: Model, name: str) -> fem.Function:
    """Return a field of a model as a scalar Function, of a vector or tensor its length."""
    field = function(model, name)
    if field.ufl_shape == ():
        return field
    length = fields.discontinuous(ufl.sqrt(ufl.inner(field, field)), model.mesh, _degree(model))
    length.name, length.meaning = name, replace(model.fields[name].meaning, vector=True)
    return length


def function(model: Model, name: str) -> fem.Function:
    """Return a field of a model as a Function: an unknown itself, of a derived field its values, cell by cell."""
    field = model[name]
    if isinstance(field, fem.Function):
        return field
    made = fields.discontinuous(field, model.mesh, _degree(model))
    made.name, made.meaning = name, model.fields[name].meaning
    return made


def _degree(model: Model) -> int:
    return max(u.function.function_space.element.basix_element.degree for u in model.unknowns)
