"""Observers of a run on several meshes: what all meshes share, and how far the surface has moved on this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emfem import fields
from emfem.evolution import Run
from emfem.model import Model
from emfem.observe import Observer

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["AWAY", "InterfaceMonitor", "ObserverProxy", "surface_points"]

AWAY = "the surface nears the edge of its fine cells"


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


def _size(model: Model) -> int:
    """Return the number of nodes of c."""
    return int(model["c"].function_space.dofmap.index_map.size_global)
