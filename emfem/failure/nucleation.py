"""The first void in a conductor of any shape: when and where."""

from __future__ import annotations

from collections.abc import Sequence

from emfem import fields
from emfem import watch as watching
from emfem.checkpoints import FINISHED, Checkpoint
from emfem.evolution import evolve
from emfem.failure.history import Nucleation
from emfem.failure.immortality import cell_time, immortality
from emfem.gate import checked
from emfem.model import Model
from emfem.observe import Observer, model_with_field
from emfem.solve import Options, as_models
from emfem.stress.inputs import critical_tension

import numpy as np

CALM = 1e-3  # of the time that stress takes through a cell: the first step
SAME = 1e-9  # of the stress: places that differ by less are equal


@checked(collective=True)
def nucleation(
    models: Model | Sequence[Model],
    *,
    critical_stress: float,
    until: float,
    rtol: float = 1e-4,
    watch: Sequence[Observer] = (),
    checkpoint: Checkpoint | None = None,
    wall_time: float | str | None = None,
    solver: str = "auto",
    petsc_options: Options | None = None,
) -> Nucleation:
    """Integrate a model of stress, in any dimension, until the tension reaches the critical one anywhere. Collective.

    The time is located as exactly as the steps are. It returns at once where no void can ever open.

    Args:
        models: one of `em.stress.model`, or it and those that it is coupled to; they keep the state reached.
        critical_stress: sigma_c, at least 1e4 [Pa].
        until: the time to give up at, after that of the models [s].
        rtol: error allowed in a step, as in `em.evolve`.
        watch: observers.
        checkpoint: as in `em.evolve`: to go on from after whatever ended the program.
        wall_time: as in `em.evolve`.
        solver: as in `em.evolve`.
        petsc_options: as in `em.evolve`.

    Raises:
        ParameterError: for a value out of its bounds.
        UnknownName: if none of the models has the field sigma.
    """
    critical = critical_tension(critical_stress)
    model = model_with_field(as_models(models), "sigma")
    ends = watching.event("sigma_max", above=critical, reason="nucleated")
    alone = len(as_models(models)) == 1
    safe = immortality(model, critical) if alone else None
    events = [event for event in (ends, safe) if event is not None]
    first_step = CALM * cell_time(model)
    watch = [*events, *watch]
    run = evolve(
        models,
        until,
        first_step=first_step,
        rtol=rtol,
        watch=watch,
        checkpoint=checkpoint,
        wall_time=wall_time,
        progress=False,
        solver=solver,
        petsc_options=petsc_options,
    )
    why = "survived" if run.stopped == FINISHED else run.stopped
    stress, place = _highest(model)
    return Nucleation(run.t if why == "nucleated" else np.inf, place, stress, why)


def _highest(model: Model) -> tuple[float, np.ndarray]:
    """Return the highest stress and its place, of equal ones the first along x, y, z. Collective."""
    space = model["sigma"].function_space
    owned = space.dofmap.index_map.size_local
    values, places = model["sigma"].x.array[:owned], space.tabulate_dof_coordinates()[:owned, : model.domain.dim]
    low, high = fields.extremes(model["sigma"])
    near = places[values >= high - SAME * max(abs(low), abs(high))]
    every = np.concatenate(model.mesh.comm.allgather(near))
    return high, np.array(min(every.tolist()))
