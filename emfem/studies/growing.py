"""Run of a case whose voids open by tension: stress, then the voids' shape; see `em.voids.run`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emfem import voids
from emfem.checkpoints import Checkpoint
from emfem.dimensions import Value
from emfem.errors import EmfemError, ParameterError, Terminated, require
from emfem.integration import REACHED
from emfem.model import Model
from emfem.observe import Observer
from emfem.studies.recording import LAST, Recorder, States
from emfem.studies.tables import Opening
from emfem.studies.tables.run import TimeTable

__all__ = ["check_time", "check_verifiable", "grow"]

STRESS, SERIES = "stress", "series.csv"
HERE = ("until", "rtol", "solver", "stop", "conserved")  # keys of [time] that such a run has
IN_TIME = ("survived", "until")  # reasons of a run that has reached its time
MEASURES = {"nucleated": "s", "time_to_failure": "s", "bare_time_to_failure": "s", "early": "s", "uncertainty": "s"}


def check_time(table: TimeTable | None) -> None:
    """Refuse settings that a run whose voids open does not have.

    Raises:
        ParameterError: with the key.
    """
    if table is None:
        msg = "[time] is missing, must be there: [voids.nucleation] is followed in time"
        raise ParameterError(msg)
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if name not in HERE and value != field.default:
            msg = f"time.{name} = {value!r}, must be left out: with [voids.nucleation] there is {', '.join(HERE)}"
            raise ParameterError(msg)


def check_verifiable(case: Any) -> None:
    """Refuse to repeat a run on halved cells whose voids open by themselves.

    Raises:
        ParameterError: for one.
    """
    opens = any(getattr(table, "nucleation", None) is not None for table in case.tables.models().values())
    words = "sweep interface_width and cells, and take em.voids.sharp_limit of the times to failure"
    require(not opens, f"[voids.nucleation] is given, must be left out to check the resolution: {words}")


def grow(
    opening: Opening,
    settings: TimeTable,
    watch: Sequence[Observer],
    before: Sequence[Observer],
    folder: Path,
    checkpoint: Checkpoint,
    *,
    every: float | None = None,
    progress: bool = False,
    wall_time: float | str | None = None,
) -> tuple[Sequence[Model], dict[str, Any], dict[str, Value]]:
    """Run it. Collective.

    Args:
        opening: the models, and how voids open.
        settings: the table [time].
        watch: observers of the voids; the first one saves states.
        before: observers of the stress before.
        folder: of the run; that of the stress is in it.
        checkpoint: as in `em.voids.run`.
        every: period of the states of the stress; each step when left out [s].
        progress: as in `em.evolve`.
        wall_time: as in `em.evolve`.

    Returns:
        models at the end, of the voids or of the stress; content of the report; numbers of the life.
    """
    states = next(each for each in watch if isinstance(each, States))
    options = {name: value for name, value in settings.make().items() if name in ("until", "rtol", "solver")}
    try:
        models = opening.stress()
        life = voids.run(
            models,
            opening.make,
            **opening.options,
            **options,
            watch=watch,
            before=[Recorder(folder / STRESS, every=every), *before],
            checkpoint=checkpoint,
            progress=progress,
            wall_time=wall_time,
        )
    except (EmfemError, Terminated):  # on all ranks; the models have the last good state
        states.on_write_error = "warn"
        states.save(LAST)
        raise
    if life.model is None:  # the folder has the stress
        states.start(models, models[0].t)
        states.finish()
        if models[0].mesh.comm.rank == 0:
            shutil.copyfile(folder / STRESS / SERIES, folder / SERIES)
    states.save(LAST)
    numbers = {name: Value(getattr(life, name), unit) for name, unit in MEASURES.items()}
    numbers |= {"opening_stress": Value(life.stress, "Pa")}
    numbers |= {f"opening_{axis}": Value(float(x), "m") for axis, x in zip("xyz", life.place, strict=False)}
    content = {
        "t": models[0].t if life.model is None else life.model.t,
        "stopped": REACHED if life.why in IN_TIME else life.why,
        "steps": len(life.t),
        "summary": str(life),
    }
    return models if life.model is None else [life.model], content, numbers
