"""Surfaces on meshes that follow them: fine near the surface, coarse elsewhere, made again when it has moved.

Where a surface goes next is not known, so the mesh of a run is either fine everywhere, or follows. The fine band
reaches `CORE` interface widths to either side of the surface and a few more that it may move through; then the mesh
is made again from the coarse one. Both meshes have the same nodes near the surface, so c is not changed there; what the
coarse parts lose is added at the surface.

Drifts differ by 0.1 % to 0.3 % from those of a mesh that is fine everywhere, less than the error of either. It saves
the part of the domain that is far from a surface: it pays where that is more than half (benchmarks/surface.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from emfem import evolution, fields
from emfem.checkpoints import Checkpoint, SavedRun
from emfem.errors import ParameterError, kind, number
from emfem.evolution import Run
from emfem.gate import Meeting, checked
from emfem.mesh import Domain, bounds, refined
from emfem.model import Model, Quantity
from emfem.observe import Observer, check_observers
from emfem.public import dir_of
from emfem.signals import stop_requests
from emfem.solve import Options
from emfem.surface import Shape
from emfem.surface.inputs import NoPathError
from emfem.watch import Event, Snapshots
from emfem.write import SeriesFile, Writer

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["BROKEN", "Followed", "evolve"]
__dir__ = dir_of(__all__)

CORE = 5.0  # interface widths from a surface to where c differs from 0 or 1 by less than a hundredth
AWAY = "the surface nears the edge of its fine cells"
BROKEN = "the metal has broken"
SAME_NODE = 1e-10  # of the domain: two nodes that are as near are one


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
    check_observers(watch)
    if any(isinstance(observer, Writer) and not isinstance(observer, SeriesFile) for observer in watch):
        msg = "watch has a file of fields, must not on moving meshes: such a file holds one mesh; keep snapshots"
        raise ParameterError(msg)
    within = CORE * width + far
    clock = evolution.WallTime(wall_time, domain.mesh.comm)

    if checkpoint is not None:
        kind("checkpoint", checkpoint, Checkpoint, 'em.checkpoint("folder")')
        if any(isinstance(observer, Snapshots) for observer in watch):
            msg = "watch has snapshots, must not with a checkpoint: their meshes are gone when the run goes on"
            raise ParameterError(msg)
        checkpoint.check_same(domain.mesh.comm)
        checkpoint.in_parts = True
    observers = [observer if isinstance(observer, Event) else ObserverProxy(observer) for observer in watch]
    monitor = InterfaceMonitor(far)
    goes_on = checkpoint is not None and checkpoint.resume and not checkpoint.used
    saved = checkpoint.newest(domain.mesh.comm) if checkpoint is not None and goes_on else None
    if saved is None:
        model = _made(make, refined(domain, shape, within=within, size=fine), shape, width)
        monitor.begin_mesh(model, surface_points(model["c"]), model.quantity("metal"))
    else:
        model = _resumed(make, domain, saved, monitor, shape, width, {"within": within, "size": fine})
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
                finer = refined(domain, _nearness(points), within=within, size=fine)
                try:
                    made = _made(make, finer, _reached(model["c"], shape, width), width)
                except NoPathError:
                    run = replace(run, stopped=BROKEN)
                    break
                monitor.begin_mesh(made, points, monitor.metal)
                monitor.shift = _carry(model, made, monitor.metal)
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


class ObserverProxy(Observer):
    """Observer that shows several meshes to another one as one run."""

    def __init__(self, observer: Observer) -> None:
        """Take the observer."""
        super().__init__()
        self.observer, self._started = observer, False

    def state(self) -> dict[str, Any]:
        """Return the state of the observer."""
        return self.observer.state()

    def resume(self, models: Sequence[Model], state: Mapping[str, Any]) -> None:
        """Let the observer go on."""
        self._started = True
        self.observer.resume(models, state)

    def start(self, models: Sequence[Model], t: float) -> None:
        """Start the observer on the first mesh; on later ones only give it the models."""
        if self._started:
            self.observer.models = tuple(models)
        else:
            self._started = True
            self.observer.start(models, t)

    @property
    def next_time(self) -> float:
        """Return the next time that the observer chose."""
        return self.observer.next_time

    def is_due(self, t: float) -> bool:
        """Ask the observer."""
        return self.observer.is_due(t)

    def look(self, t: float, *, last: bool = False) -> str | None:
        """Let the observer look."""
        return self.observer.look(t, last=last)

    def close(self) -> None:
        """Finish the observer after the last mesh."""
        if self._started:
            self.observer.finish()


class InterfaceMonitor(Observer):
    """Observer that stops a run when the surface has moved by more than `slack`; it knows what all meshes share.

    Attributes:
        metal: on all meshes, as at the start.
        nodes: unknowns of c on each mesh so far.
        counts: steps, solves and seconds of the meshes before the present one.
        made: c as the present model was made with it.
        points: of the surface that the present mesh is fine near, shape (n, dim).
        shift: what `moved` counts beyond the present model's own count.
    """

    saved = (*Observer.saved, "metal", "nodes", "counts", "made", "points", "begun", "shift", "_t")

    def __init__(self, slack: float) -> None:
        """Take the distance."""
        super().__init__()
        self._slack, self._t = slack, list[float]()
        self.metal, self.shift, self.nodes = 0.0, 0.0, list[int]()
        self.counts: dict[str, Any] = dict.fromkeys(("steps", "rejected", "solves", "factorisations", "wall"), 0)

    def begin_mesh(self, model: Model, points: NDArray[np.float64], metal: float) -> None:
        """Take a model as it is made, on a mesh that is fine near `points`."""
        self.made, self.points, self.metal = fields.copied(model["c"]), points, metal
        self.nodes.append(_size(model))
        self.see(model)

    def see(self, model: Model) -> None:
        """Take the surface that the distance counts from."""
        self.begun, self._t = surface_points(model["c"]), []

    def add(self, run: Run) -> None:
        """Add the steps of a mesh."""
        self.counts = {name: count + getattr(run, name) for name, count in self.counts.items()}

    def look(self, t: float, *, last: bool = False) -> str | None:
        """Record, but not at the end of the run, where no mesh follows."""
        return None if last else self.record(t)

    def record(self, t: float) -> str | None:
        """Measure the distance that the surface has moved."""
        self._t = [*self._t[-3:], t]
        now = surface_points(self.models[0]["c"])
        return AWAY if len(now) and cKDTree(self.begun).query(now)[0].max() > self._slack else None

    @property
    def step(self) -> float | None:
        """The longest of the last three steps; None before the first."""
        return max(np.diff(self._t).tolist(), default=None)


def surface_points(c: fem.Function) -> NDArray[np.float64]:
    """Return the points where edges of cells cross c = 1/2, shape (n, dim), the same on all ranks. Collective.

    Along an edge the distance to the surface is close to linear, and so, near the surface, is c.
    """
    space = c.function_space
    mesh = space.mesh
    dim = mesh.geometry.dim
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    corners = [entity[0] for entity in space.element.basix_element.entity_dofs[0]]
    over = c.x.array[space.dofmap.list[:owned][:, corners]] - 0.5
    places = mesh.geometry.x[mesh.geometry.dofmaps[0][:owned, : len(corners)], :dim]
    points = []
    for i in range(len(corners)):
        for j in range(i):
            cut = np.flatnonzero((over[:, i] >= 0) != (over[:, j] >= 0))
            part = (over[cut, i] / (over[cut, i] - over[cut, j]))[:, None]
            points.append(places[cut, i] + part * (places[cut, j] - places[cut, i]))
    return np.concatenate(mesh.comm.allgather(np.concatenate(points)))


def _nearness(points: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the distance to points of a surface as a function of x of shape (3, n)."""
    tree = cKDTree(points)
    return lambda x: np.asarray(tree.query(x[: points.shape[1]].T)[0])


def _made(make: Callable[[Domain, Shape], Model], domain: Domain, shape: Any, width: float) -> Model:
    """Return the model that the user makes of a domain and a shape.

    Raises:
        ParameterError: if it is no surface model on that mesh, of that width.
    """
    with closing(Meeting(domain.mesh.comm)) as meeting, meeting:  # make may fail on one rank only
        model = make(domain, shape)
        kind("make(domain, shape)", model, Model, "one of em.surface.model")
        if "neck" not in model.quantities or model.mesh is not domain.mesh:
            start = f"make(domain, shape) = the {model.name} model, must be one of em.surface.model"
            msg = f"{start} on the domain it is given"
            raise ParameterError(msg)
    actual = model.quantity("interface_width")
    if not np.isclose(actual, width, rtol=1e-9, atol=0):
        msg = f"interface_width = {width:g} m, must be that of the model that `make` makes, {actual:g} m"
        raise ParameterError(msg)
    return model


def _reached(c: fem.Function, shape: Any, width: float) -> Shape:
    """Return the shape that a surface has reached, to be evaluated on all ranks together."""
    values = _evaluator(c)

    def distance(x: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
        return _distance(values(x), width)

    return Shape("the surface reached", distance, of_void=isinstance(shape, Shape) and shape.of_void)


def _distance(c: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return the distance from the surface that belongs to c, l log(c/(1 - c))."""
    inside = np.clip(c, 1e-12, 1 - 1e-12)
    return width * np.log(inside / (1 - inside))


def _evaluator(c: fem.Function) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return c as a function of places of this rank, shape (3, n). Collective: each rank has its own places.

    Most nodes of the next mesh are nodes of this one, and have their values, as the basis would say. To search for the
    many cells around each node takes longer than a step.
    """
    mesh = c.function_space.mesh
    comm, dim = mesh.comm, mesh.geometry.dim
    nodes = cKDTree(c.function_space.tabulate_dof_coordinates()[:, :dim])
    lower, upper = bounds(mesh)
    same = SAME_NODE * float(np.max(upper - lower))

    def values(x: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = comm.allgather(x[:dim].T)
        before, places = sum(map(len, parts[: comm.rank])), np.concatenate(parts)
        apart, nearest = nodes.query(places, distance_upper_bound=same)
        there = np.full(len(places), -np.inf)
        there[np.isfinite(apart)] = c.x.array[nearest[np.isfinite(apart)]]
        comm.Allreduce(MPI.IN_PLACE, there, op=MPI.MAX)
        between = np.isinf(there)
        if between.any():  # the same on all ranks
            there[between] = fields.evaluate(c, places[between])
        return there[before : before + x.shape[1]]

    return values


def _carry(last: Model, model: Model, target: float) -> float:
    """Give a model on another mesh the surface, the time and the counts of `last`, and `target` of metal.

    Returns:
        what `moved` then counts beyond the model's own count.
    """
    c = model["c"]
    c.x.array[:] = _evaluator(last["c"])(c.function_space.tabulate_dof_coordinates().T)
    c.x.scatter_forward()
    _refill(model, target)
    model.t = last.t
    model.set_time(last.t)
    shift = last.quantity("moved") - model.quantity("moved")
    _count_on(model, shift)
    return shift


def _count_on(model: Model, shift: float) -> None:
    """Let a model count on from how far the surface had moved on earlier meshes."""
    count = model.quantities["moved"]
    model.quantities["moved"] = replace(count, value=_shifted(count, shift))


def _resumed(
    make: Callable[[Domain, Shape], Model],
    domain: Domain,
    saved: SavedRun,
    monitor: InterfaceMonitor,
    shape: Any,
    width: float,
    fine: Mapping[str, float],
) -> Model:
    """Return the model of a checkpoint, on its mesh, which is made again. Collective.

    Raises:
        ParameterError: if the checkpoint is of another run.
    """
    state = saved.observer(type(monitor).__name__)
    if len(state["nodes"]) == 1:
        model = _made(make, refined(domain, shape, **fine), shape, width)
    else:
        places, values = saved.function(state["made"])
        tree, lower = cKDTree(places), bounds(domain.mesh)[0][: domain.dim]

        def distance(x: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
            return _distance(values[tree.query(x[: domain.dim].T - lower)[1]], width)

        of_void = isinstance(shape, Shape) and shape.of_void
        finer = refined(domain, _nearness(state["points"]), **fine)
        model = _made(make, finer, Shape("the surface reached", distance, of_void=of_void), width)
        saved.load([model])
        _count_on(model, state["shift"])
    return model


def _refill(model: Model, target: float) -> None:
    """Add `a c^2 (1 - c)^2`, which is 0 away from the surface, to c, with a such that `int c dx = target`."""
    c = model["c"].x.array
    reached, before = model.quantity("metal"), c.copy()
    well = before**2 * (1 - before) ** 2
    c[:] = well
    c[:] = before + (target - reached) / model.quantity("metal") * well


def _shifted(count: Quantity, by: float) -> Callable[[], float]:
    """Return a count that goes on from an earlier one."""
    value: Any = count.value
    return lambda: float(value()) + by


def _size(model: Model) -> int:
    """Return the number of nodes of c."""
    return int(model["c"].function_space.dofmap.index_map.size_global)
