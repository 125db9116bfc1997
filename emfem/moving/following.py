"""The run on meshes that follow a surface."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem import evolution
from emfem.checkpoints import Checkpoint
from emfem.errors import ParameterError, ResolutionWarning, kind, number
from emfem.evolution import Run
from emfem.gate import checked
from emfem.mesh import Domain, refined
from emfem.model import Model
from emfem.moving.monitor import AWAY, InterfaceMonitor, ObserverProxy, surface_points
from emfem.moving.transfer import carry_over, distance_to_points, make_model, resumed_model, shape_reached
from emfem.observe import Observer, check_observers
from emfem.signals import stop_requests
from emfem.solve import Options
from emfem.surface import Shape
from emfem.surface.inputs import NoPathError
from emfem.watch import Event, Snapshots
from emfem.write import SeriesFile, Writer

import numpy as np
from numpy.typing import NDArray

__all__ = ["BROKEN", "Followed", "evolve"]

CORE = 5.0  # interface widths from a surface to where c differs from 0 or 1 by less than a hundredth
BROKEN = "the metal has broken"


@dataclass(frozen=True, eq=False)
class Followed:
    """Report of a run on moving meshes, and the model at its end.

    Attributes:
        model: the last model, on the last mesh, with the state reached.
        run: steps, solves and seconds of all meshes together, and why it ended.
        nodes: unknowns of c on each mesh, shape (n,).
    """

    model: Model
    run: Run
    nodes: NDArray[np.int64]

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.run}; {len(self.nodes)} meshes of {self.nodes.min()} to {self.nodes.max()} nodes"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked(collective=True)
def evolve(
    make: Callable[[Domain, Shape], Model],
    domain: Domain,
    until: float,
    *,
    shape: Any,
    interface_width: float,
    size: float | None = None,
    slack: float | None = None,
    first_step: float | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    watch: Sequence[Observer] = (),
    checkpoint: Checkpoint | None = None,
    progress: bool = True,
    wall_time: float | str | None = None,
    solver: str = "auto",
    petsc_options: Options | None = None,
) -> Followed:
    """Integrate a surface model on meshes that are fine where the surface is, as `em.evolve` does on one mesh.

    Metal is the same on all meshes to rounding, times go on, and observers see one run; `moved` counts from its start.
    Fields of observers (`em.watch.snapshots`) are on the mesh of their time. Where the metal has broken, and the model
    needs a path for its current, no further mesh is made: the run ends, and `run.stopped` says so.

    Args:
        make: the surface model of a domain and a shape: `lambda domain, shape: em.surface.model(domain, ...)`; it may
            turn the domain about the axis first. It is called once a mesh; later shapes are the surface reached. A
            drive is best a function of time or a number, not a field of the mesh.
        domain: the coarse mesh, of triangles or tetrahedra; not periodic, so a current goes between two boundaries.
        until: the time to reach, after 0.
        shape: of the metal at the start, as in `em.surface.model`, a true distance near the surface.
        interface_width: l, the same as that of the model [m].
        size: the widest fine cell, half of l when left out [m].
        slack: how far the surface may move until the mesh is made again, 2 l when left out [m].
        first_step: as in `em.evolve`; on later meshes that of the mesh before.
        rtol: as in `em.evolve`.
        atol: as in `em.evolve`.
        watch: observers, not those that write fields to one file.
        checkpoint: as in `em.evolve`: to go on from after whatever ended the program; then without snapshots.
        progress: as in `em.evolve`.
        wall_time: as in `em.evolve`, for all meshes together.
        solver: as in `em.evolve`.
        petsc_options: as in `em.evolve`.

    Raises:
        ParameterError: for a domain that cannot be refined, a value out of its bounds, a `make` that makes no surface
            model of that width, or an observer that needs one mesh.
        ConvergenceError: as in `em.evolve`.
        ConservationError: as in `em.evolve`.
    """
    kind("make", make, Callable, "a function of domain and shape that makes a surface model")  # type: ignore[arg-type]
    kind("shape", shape, Callable, "a function of x with shape (3, n), such as em.surface.wire(...)")  # type: ignore[arg-type]
    width = number("interface_width", interface_width, above=0.0, unit="m")
    fine = number("size", width / 2 if size is None else size, above=0.0, at_most=width, unit="m")
    far = number("slack", 2 * width if slack is None else slack, at_least=fine, unit="m")
    number("until", until, above=0.0)
    _check_one_run(watch, checkpoint)
    within = CORE * width + far
    clock = evolution.WallTime(wall_time, domain.mesh.comm)

    if checkpoint is not None:
        checkpoint.check_same(domain.mesh.comm)
        checkpoint.in_parts = True
    observers = [observer if isinstance(observer, Event) else ObserverProxy(observer) for observer in watch]
    monitor = InterfaceMonitor(far)
    goes_on = checkpoint is not None and checkpoint.resume and not checkpoint.used
    saved = checkpoint.newest(domain.mesh.comm) if checkpoint is not None and goes_on else None
    if saved is None:
        model = make_model(make, refined(domain, shape, within=within, size=fine), shape, width)
        monitor.begin_mesh(model, surface_points(model["c"]), model.quantity("metal"))
    else:
        model = resumed_model(make, domain, saved, monitor, shape, width, {"within": within, "size": fine})
    try:
        with stop_requests(domain.mesh.comm):  # a signal between two meshes ends the run on the next one
            while True:
                run = evolution.evolve(
                    model,
                    until,
                    first_step=first_step,
                    rtol=rtol,
                    atol=atol,
                    watch=[*observers, monitor],
                    checkpoint=checkpoint,
                    progress=progress,
                    wall_time=clock.left(),
                    solver=solver,
                    petsc_options=petsc_options,
                )
                monitor.add(run)
                if run.stopped != AWAY:
                    break
                first_step = monitor.step
                points = surface_points(model["c"])
                finer = refined(domain, distance_to_points(points), within=within, size=fine)
                try:
                    with warnings.catch_warnings():  # said of the first mesh
                        warnings.simplefilter("ignore", ResolutionWarning)
                        made = make_model(make, finer, shape_reached(model["c"], shape, width), width)
                except NoPathError:
                    run = replace(run, stopped=BROKEN)
                    break
                monitor.begin_mesh(made, points, monitor.metal)
                monitor.shift = carry_over(model, made, monitor.metal)
                model = made
                monitor.see(model)
        for observer in observers:
            if isinstance(observer, ObserverProxy):
                observer.observer.stopped = run.stopped
    finally:
        for observer in observers:
            if isinstance(observer, ObserverProxy):
                observer.close()
    if checkpoint is not None and run.stopped not in evolution.GOES_ON and domain.mesh.comm.rank == 0:
        checkpoint.finish()
    return Followed(model, replace(run, **monitor.counts), np.array(monitor.nodes))


def _check_one_run(watch: Sequence[Observer], checkpoint: Checkpoint | None) -> None:
    """Refuse observers that need one mesh, or, with a checkpoint, those whose meshes would be gone.

    Raises:
        ParameterError: for a file of fields, and for snapshots with a checkpoint.
    """
    check_observers(watch)
    if any(isinstance(observer, Writer) and not isinstance(observer, SeriesFile) for observer in watch):
        msg = "watch has a file of fields, must not on moving meshes: such a file holds one mesh; keep snapshots"
        raise ParameterError(msg)
    if checkpoint is not None:
        kind("checkpoint", checkpoint, Checkpoint, 'em.checkpoint("folder")')
        if any(isinstance(observer, Snapshots) for observer in watch):
            msg = "watch has snapshots, must not with a checkpoint: their meshes are gone when the run goes on"
            raise ParameterError(msg)
