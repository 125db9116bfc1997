"""Films of metal that voids lose at once: how much too early, as interfaces feel each other through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.model import warn_unresolved
from emfem.observe import Observer
from emfem.spaces import nodes_on
from emfem.voids.path import nearest
from emfem.voids.tracking import Tracker

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["Films", "LostFilm", "lost_early", "lost_film"]

REACH = 2.5  # interface widths: a thinner film between a surface and a wall is drawn to it faster than it would thin
INSIDE = 0.05  # of c, below which a place in a void does not know how deep in it it lies
NOTABLE = 0.03  # of a time to failure
KNOWN = 1.2  # reaches: of a film that is thinner at the start the speed is not known
DOUBT = 0.7  # of the estimate: eight lives were at most so far from their limits, docs/physics/voids.md


@dataclass(frozen=True)
class LostFilm:
    """A film that was lost at once.

    Attributes:
        thin: time at which it was as thin as the model can follow [s].
        lost: time at which it was lost [s].
        early: by how much too early [s].
    """

    thin: float
    lost: float
    early: float


def lost_film(t: NDArray[np.float64], gap: NDArray[np.float64], reach: float, *, neck: bool = False) -> LostFilm | None:
    """Return the film that was lost, or None if it is there, or was thinner than 1.2 `reach` at the start.

    From `reach` on it would thin at the mean speed that it had last from twice that to there; if it was thinner at the
    start, from the middle between its thickness and `reach`. In a neck the current density is inverse to its width w,
    and so is that of the atoms: dw/dt = -a/w, w^2 falls steadily, and the rest of w takes a third of the time from 2 w.

    Args:
        t: times, shape (n,) [s].
        gap: thickness of the film, shape (n,); 0 or less where it is lost [m].
        reach: the thickness from which on the model does not follow it [m].
        neck: it carried the current of the line.
    """
    if gap[0] < KNOWN * reach or gap.min() > 0:
        return None
    end = int(np.argmax(gap <= 0))

    def passed(level: float) -> float:
        """Time of the last passage through a thickness."""
        i = int(np.flatnonzero(gap[:end] > level)[-1])
        return float(t[i] + (gap[i] - level) / (gap[i] - gap[i + 1]) * (t[i + 1] - t[i]))

    far = 2 * reach if gap[0] > 2 * reach else (gap[0] + reach) / 2
    thin, lost, power = passed(reach), float(t[end]), 2 if neck else 1
    rest = (thin - passed(far)) / ((far / reach) ** power - 1)
    return LostFilm(thin, lost, max(0.0, thin + rest - lost))


def lost_early(films: Sequence[LostFilm]) -> float:
    """Return by how much a failure is too early [s]: films that thin one after the other add up, others do not."""
    total = together = 0.0
    last = -np.inf
    for film in sorted(films, key=lambda film: film.lost):
        if film.thin >= last:
            total, together = total + together, 0.0
        together, last = max(together, film.early), film.lost
    return total + together


class Films(Observer):
    """Observer of the metal between each void and each named boundary, and between each two voids.

    Args:
        tracker: gives the voids their numbers; it is before this one in the list of observers.
    """

    saved = (*Observer.saved, "t", "gaps")

    def __init__(self, tracker: Tracker) -> None:
        """Begin without a film."""
        super().__init__()
        self.tracker = tracker
        self.t: list[float] = []
        self.gaps: dict[str, list[float]] = {}  # by void and boundary, "0 top", or by two voids, "0+1"; NaN of none

    def begin(self) -> None:
        """Find the nodes of the boundaries. Collective."""
        domain, space = self.models[0].domain, self.models[0]["c"].function_space
        self.width = self.models[0].quantity("interface_width")
        nodes, comm = space.tabulate_dof_coordinates(), domain.mesh.comm
        walls = [nodes[nodes_on(space, domain.facets.find(domain.tag(name)))] for name in domain.names]
        self.walls = {
            name: cKDTree(np.concatenate(comm.allgather(wall))) for name, wall in zip(domain.names, walls, strict=True)
        }

    def early(self, *, cut: bool = False) -> tuple[float, float]:
        """Return by how much the films that were lost make a failure too early, and the doubt about that [s].

        The doubt is NaN if a film was lost whose speed is not known: it was too thin from the start.

        Args:
            cut: the last step cut the path of the current, so that the films that it took were the neck.
        """
        t, films, unknown = np.array(self.t), list[LostFilm](), False
        for name, values in self.gaps.items():
            gap = np.array(values)
            known = np.isfinite(gap)
            reach = REACH * self.width * (2 if "+" in name.partition(" ")[0] else 1)
            neck = cut and gap[-1] <= 0 < gap[-2:][0]
            film = lost_film(t[known], gap[known], reach, neck=neck)
            films += [] if film is None else [film]
            unknown |= film is None and gap[known][0] > 0 >= gap[known].min()
        early = lost_early(films)
        return early, np.nan if unknown else DOUBT * early

    def warn(self, early: float, doubt: float, grown: float) -> None:
        """Warn if a time from the opening to the failure has a notable part that is not computed. Collective.

        Args:
            early: that part, by films that were lost [s].
            doubt: about it; NaN if a film is not in it [s].
            grown: the time that was computed [s].
        """
        words, thin = [], f"interface widths of {self.width:.3g} m"
        if early > NOTABLE * grown:
            words += [
                f"time from opening to failure is {grown + early:.4g} s, of which {early:.2g} s "
                f"({early / (grown + early):.0%}) are not computed but estimated: films of metal thinner than "
                f"{REACH:g} {thin} are lost at once. em.voids.sharp_limit of two widths is nearer"
            ]
        if np.isnan(doubt):
            words += [
                f"time from opening to failure, {grown + early:.4g} s, lacks that of a film of metal that was thinner "
                f"than {KNOWN * REACH:g} {thin} from its start on, should have it: a thinner interface does"
            ]
        for message in words:
            warn_unresolved(message, self.models[0].mesh.comm)

    def record(self, t: float) -> None:
        """Add the thickness of each film. Collective."""
        edges = self._edges()
        self.t.append(t)
        now: dict[str, float] = {}
        for i, (places, depth) in edges.items():
            for name, wall in self.walls.items():
                now[f"{i} {name}"] = float((wall.query(places)[0] - depth).min(initial=np.inf))
            for j, (others, deep) in edges.items():
                if j > i:
                    apart, which = nearest(self.models[0].domain, others, places)
                    now[_pair(i, j)] = float((apart - depth - deep[which]).min())
        self._join(now)
        for name in self.gaps.keys() | now.keys():
            former = self.gaps.setdefault(name, [np.nan] * (len(self.t) - 1))
            former.append(now.get(name, np.nan))

    def _edges(self) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return places at the edge of each void, shape (n, 3), and how deep they lie in it, shape (n,). Collective.

        A place in the void at a depth d, c = (1 - tanh(d / 2 l)) / 2, has a ball of that radius in it: the film to a
        wall is the least distance less the depth, that to another void the least distance less both.
        """
        c, label = self.models[0]["c"], self.tracker.label
        assert label is not None
        space, comm = c.function_space, c.function_space.mesh.comm
        mine = c.x.array[: space.dofmap.index_map.size_local]
        edge = np.flatnonzero((mine < 0.5) & (mine > INSIDE))
        rows = np.column_stack(
            [
                label.x.array[edge],
                self.width * np.log(1 / mine[edge] - 1),
                space.tabulate_dof_coordinates()[edge],
            ]
        )
        rows = np.concatenate(comm.allgather(rows))
        return {int(i): (rows[rows[:, 0] == i, 2:], rows[rows[:, 0] == i, 1]) for i in np.unique(rows[:, 0]) if i >= 0}

    def _join(self, now: dict[str, float]) -> None:
        """Note the film between two voids that have merged as lost; of the other films of both the thinner one stays.

        Args:
            now: thickness of each film [m].
        """
        voids = self.tracker.voids
        for i, void in enumerate(voids):
            into = void["merged_into"]
            if into is None or not np.isfinite(self.gaps.get(_pair(i, into), [np.nan])[-1]):
                continue
            now[_pair(i, into)] = 0.0
            others = [(_pair(i, k), _pair(into, k)) for k in range(len(voids)) if k not in (i, into)]
            for lost, left in [*((f"{i} {name}", f"{into} {name}") for name in self.walls), *others]:
                if lost in self.gaps:
                    both = self.gaps.pop(lost), self.gaps.get(left, [np.nan] * (len(self.t) - 1))
                    self.gaps[left] = np.fmin(*both).tolist()


def _pair(i: int, j: int) -> str:
    """Return the name of the film between two voids."""
    return f"{min(i, j)}+{max(i, j)}"
