"""Voids of a run, one by one: where and when each opened, how large it is, which one it merged with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem.model import Model
from emfem.observe import Observer
from emfem.surface import Shape
from emfem.voids.path import holes, nearest

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray

NONE = -1  # number of no void


@dataclass(frozen=True, eq=False)
class OneVoid:
    """One void of a run.

    Attributes:
        nucleated: when it opened, or broke off from another one [s].
        place: where, shape (dim,) [m].
        stress: the tension there then; NaN of one without a seed: it broke off, or such a large tension tore the metal
            that the phase field opened it by itself [Pa].
        volume: at the times of the run, shape (n,); 0 before it opened, and after it merged or closed [m3].
        merged_into: number of the void, from 0, that it is a part of since then; None if it did not merge.
        broke_off: number of the void that it was a part of before; None of one that opened.
    """

    nucleated: float
    place: NDArray[np.float64]
    stress: float
    volume: NDArray[np.float64]
    merged_into: int | None = None
    broke_off: int | None = None

    def __str__(self) -> str:
        """Return one line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        origin = "opened" if self.broke_off is None else f"broke off from void {self.broke_off}"
        end = "" if self.merged_into is None else f", merged into void {self.merged_into}"
        return f"{origin} at {self.nucleated:.6g} s at ({where}) m{end}"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<void that {self}>"


class Tracker(Observer):
    """Observer of the voids of a run: parts of c < 1/2, which keep their numbers from step to step.

    A part keeps the number of the void that it overlaps: of several, which then have merged, the first one's. Of parts
    of one void the largest keeps its number. Volumes are those of the nodes that are nearest to a void, and add up to
    that of all.

    Args:
        most: how many voids may open; any number if None.
    """

    saved = (*Observer.saved, "most", "voids", "rows", "label")

    def __init__(self, most: int | None = None) -> None:
        """Begin without a void."""
        super().__init__()
        self.most = most
        self.voids: list[dict[str, Any]] = []
        self.rows: list[list[float]] = []
        self.label: fem.Function | None = None  # number of the void of each node

    @property
    def full(self) -> bool:
        """True if no more voids may open."""
        seeds = sum(void["seed"] for void in self.voids)
        return self.most is not None and seeds >= self.most

    def open(self, made: Model, seed: Shape, opened: tuple[float, NDArray[np.float64], float]) -> None:
        """Take a seed in a model, and time, place and stress of its opening. Collective."""
        space = made["c"].function_space
        if self.label is None:
            self.label = fem.Function(space, name="void")
            self.label.x.array[:] = NONE
        period = np.zeros(3)
        period[: made.domain.dim] = made.domain.period
        inside = seed.distance(space.tabulate_dof_coordinates().T, period) < 0
        self.label.x.array[inside & (made["c"].x.array < 0.5)] = len(self.voids)
        self._add(*opened)

    def _add(
        self, t: float, place: Sequence[float] | NDArray[np.float64], stress: float, of: int | None = None
    ) -> None:
        """Add a void to the list."""
        where, seed = [float(x) for x in place], bool(np.isfinite(stress))
        self.voids.append(
            {"t": t, "place": where, "stress": stress, "merged_into": None, "broke_off": of, "seed": seed}
        )

    def begin(self) -> None:
        """Assemble the weights of the nodes."""
        model, space = self.models[0], self.models[0]["c"].function_space
        dx = model.domain.dx(4 * space.element.basix_element.degree)
        weights = fem.assemble_vector(fem.form(ufl.TestFunction(space) * dx))
        weights.scatter_reverse(la.InsertMode.add)
        self._weights = weights.array

    def record(self, t: float) -> None:
        """Give each part of the void its number, and add a row of volumes."""
        assert self.label is not None
        piece = holes(self.models[0]["c"])
        numbers = self._numbers(piece, t)
        self.label.x.array[:] = np.append(numbers, NONE)[piece]
        self.rows.append(self._volumes(sorted(set(numbers.tolist()))))

    def _numbers(self, piece: NDArray[np.int64], t: float) -> NDArray[np.int64]:
        """Return the number of the void that each part is, shape (parts,); note those that merged or broke off."""
        assert self.label is not None
        space = self.label.function_space
        comm, owned = space.mesh.comm, space.dofmap.index_map.size_local
        parts = 1 + max(comm.allgather(int(piece.max(initial=NONE))))
        shared = np.zeros((parts, len(self.voids) + 1), dtype=np.int64)
        here = piece[:owned] >= 0
        before = self.label.x.array[:owned].astype(np.int64)
        np.add.at(shared, (piece[:owned][here], before[here]), 1)  # the last column is of none
        shared = np.sum(comm.allgather(shared), axis=0)[:, :-1]
        numbers = np.full(parts, NONE)
        for number in np.flatnonzero(shared.any(axis=0)):
            heir = int(shared[:, number].argmax())
            if numbers[heir] == NONE:
                numbers[heir] = number
            else:
                self.voids[number]["merged_into"] = int(numbers[heir])
        for part in np.flatnonzero(numbers == NONE):
            of = int(shared[part].argmax()) if shared[part].any() else None
            numbers[part] = len(self.voids)
            self._add(t, self._deepest(piece == part), np.nan, of)
        return numbers

    def _deepest(self, nodes: NDArray[np.bool_]) -> list[float]:
        """Return the place of the emptiest of some nodes. Collective."""
        c = self.models[0]["c"]
        space = c.function_space
        comm, owned, dim = space.mesh.comm, space.dofmap.index_map.size_local, space.mesh.geometry.dim
        mine = np.flatnonzero(nodes[:owned])
        places = space.tabulate_dof_coordinates()[mine, :dim]
        rows = np.concatenate(comm.allgather(np.column_stack([c.x.array[mine], places])))
        return min(rows.tolist())[1:]

    def _volumes(self, present: Sequence[int]) -> list[float]:
        """Return the volume of each void so far, 0 of those that are not there. Collective."""
        assert self.label is not None
        model, volumes = self.models[0], np.zeros(len(self.voids))
        if len(present) < 2:
            volumes[present] = model.quantity("void")
            return volumes.tolist()
        space = self.label.function_space
        comm, owned = space.mesh.comm, space.dofmap.index_map.size_local
        nodes, mine = space.tabulate_dof_coordinates()[:owned], self.label.x.array[:owned]
        rows = np.concatenate(comm.allgather(np.column_stack([nodes, mine])[mine >= 0]))
        owner = rows[nearest(model.domain, rows[:, :3], nodes)[1], 3].astype(np.int64)
        np.add.at(volumes, owner, self._weights[:owned] * (1 - model["c"].x.array[:owned]))
        return np.sum(comm.allgather(volumes), axis=0).tolist()

    def report(self) -> tuple[OneVoid, ...]:
        """Return the voids."""
        volumes = np.zeros((len(self.rows), len(self.voids)))
        for row, volume in zip(self.rows, volumes, strict=True):
            volume[: len(row)] = row
        return tuple(
            OneVoid(v["t"], np.array(v["place"]), v["stress"], volumes[:, i], v["merged_into"], v["broke_off"])
            for i, v in enumerate(self.voids)
        )
