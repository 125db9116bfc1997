"""Films of metal that a void loses at once: how much too early, as interfaces feel each other through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.model import warn_unresolved
from emfem.observe import Observer
from emfem.spaces import nodes_on

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["Films", "LostFilm", "lost_early", "lost_film"]

REACH = 2.0  # interface widths: a thinner film between a surface and a wall is lost at once
INSIDE = 0.05  # of c, below which a place in a void does not know how deep in it it lies
NOTABLE = 0.03  # of a time to failure
KNOWN = 1.25  # reaches: of a film that is thinner at the start the speed is not known


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


def lost_film(t: NDArray[np.float64], gap: NDArray[np.float64], reach: float) -> LostFilm | None:
    """Return the film that was lost, or None if it is there, or was thinner than 1.25 `reach` at the start.

    From `reach` on it would thin at the mean speed that it had last from twice that to there; if it was thinner at the
    start, from the middle between its thickness and `reach`.

    Args:
        t: times, shape (n,) [s].
        gap: thickness of the film, shape (n,); 0 or less where it is lost [m].
        reach: the thickness from which on the model does not follow it [m].
    """
    if gap[0] < KNOWN * reach or gap.min() > 0:
        return None
    end = int(np.argmax(gap <= 0))

    def passed(level: float) -> float:
        """Time of the last passage through a thickness."""
        i = int(np.flatnonzero(gap[:end] > level)[-1])
        return float(t[i] + (gap[i] - level) / (gap[i] - gap[i + 1]) * (t[i + 1] - t[i]))

    far = 2 * reach if gap[0] > 2 * reach else (gap[0] + reach) / 2
    thin, lost = passed(reach), float(t[end])
    return LostFilm(thin, lost, max(0.0, thin + (thin - passed(far)) * reach / (far - reach) - lost))


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
    """Observer of the metal between a void and each named boundary."""

    saved = (*Observer.saved, "t", "gaps")

    def __init__(self) -> None:
        """Begin without a film."""
        super().__init__()
        self.t: list[float] = []
        self.gaps: list[list[float]] = []

    def begin(self) -> None:
        """Find the nodes of the boundaries. Collective."""
        domain, space = self.models[0].domain, self.models[0]["c"].function_space
        self.width = self.models[0].quantity("interface_width")
        nodes, comm = space.tabulate_dof_coordinates(), domain.mesh.comm
        walls = [nodes[nodes_on(space, domain.facets.find(domain.tag(name)))] for name in domain.names]
        self.walls = [cKDTree(np.concatenate(comm.allgather(wall))) for wall in walls]

    def early(self) -> float:
        """Return by how much the films that were lost make a failure too early [s]."""
        t, gaps = np.array(self.t), np.array(self.gaps)
        known = np.isfinite(gaps).all(axis=1)  # a void without an edge has no place
        films = [lost_film(t[known], gap, REACH * self.width) for gap in gaps[known].T]
        return lost_early([film for film in films if film is not None])

    def warn(self, early: float, grown: float) -> None:
        """Warn if a time from the opening to the failure is notably too short for the films that were lost. Collective.

        Args:
            early: by how much [s].
            grown: that time [s].
        """
        if early <= NOTABLE * grown:
            return
        message = (
            f"time from opening to failure is {grown:.4g} s, should be about {early:.2g} s ({early / grown:.0%}) "
            f"longer: films of metal thinner than {REACH:g} interface widths of {self.width:.3g} m are lost at once. "
            "em.voids.sharp_limit of two widths is nearer"
        )
        warn_unresolved(message, self.models[0].mesh.comm)

    def record(self, t: float) -> None:
        """Add the thickness of each film. Collective.

        A place in the void at a depth d, c = (1 - tanh(d / 2 l)) / 2, has a ball of that radius in it: the film is the
        least distance to the wall less the depth.
        """
        c = self.models[0]["c"]
        space, comm = c.function_space, c.function_space.mesh.comm
        mine = c.x.array[: space.dofmap.index_map.size_local]
        edge = np.flatnonzero((mine < 0.5) & (mine > INSIDE))
        depth, places = self.width * np.log(1 / mine[edge] - 1), space.tabulate_dof_coordinates()[edge]
        gaps = [float((wall.query(places)[0] - depth).min(initial=np.inf)) for wall in self.walls]
        self.t.append(t)
        self.gaps.append(np.min(comm.allgather(gaps), axis=0).tolist())
