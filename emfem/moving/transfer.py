"""From one mesh to the next: the model on it, with the surface, the time and the counts of the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from emfem import fields
from emfem.checkpoints import SavedRun
from emfem.errors import ParameterError, kind
from emfem.gate import Meeting
from emfem.mesh import Domain, bounds, refined
from emfem.model import Model, Quantity
from emfem.moving.monitor import InterfaceMonitor
from emfem.surface import Shape

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["carry_over", "distance_to_points", "make_model", "resumed_model", "shape_reached"]

SAME_NODE = 1e-10  # of the domain: two nodes that are as near are one


def distance_to_points(points: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the distance to points of a surface as a function of x of shape (3, n)."""
    tree = cKDTree(points)
    return lambda x: np.asarray(tree.query(x[: points.shape[1]].T)[0])


def make_model(make: Callable[[Domain, Shape], Model], domain: Domain, shape: Any, width: float) -> Model:
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


def shape_reached(c: fem.Function, shape: Any, width: float) -> Shape:
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


def carry_over(last: Model, model: Model, target: float) -> float:
    """Give a model on another mesh the surface, the time, the counts and warnings of `last`, and `target` of metal.

    Returns:
        what `moved` then counts beyond the model's own count.
    """
    c = model["c"]
    c.x.array[:] = _evaluator(last["c"])(c.function_space.tabulate_dof_coordinates().T)
    c.x.scatter_forward()
    _refill(model, target)
    model.t, model.warned = last.t, last.warned
    model.set_time(last.t)
    shift = last.quantity("moved") - model.quantity("moved")
    _count_on(model, shift)
    return shift


def _count_on(model: Model, shift: float) -> None:
    """Let a model count on from how far the surface had moved on earlier meshes."""
    count = model.quantities["moved"]
    model.quantities["moved"] = replace(count, value=_shifted(count, shift))


def resumed_model(
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
        model = make_model(make, refined(domain, shape, **fine), shape, width)
    else:
        places, values = saved.function(state["made"])
        tree, lower = cKDTree(places), bounds(domain.mesh)[0][: domain.dim]

        def distance(x: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
            return _distance(values[tree.query(x[: domain.dim].T - lower)[1]], width)

        of_void = isinstance(shape, Shape) and shape.of_void
        finer = refined(domain, distance_to_points(state["points"]), **fine)
        model = make_model(make, finer, Shape("the surface reached", distance, of_void=of_void), width)
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
