"""Immortality: the steady stress against the critical stress that opens a void."""

from __future__ import annotations

from dataclasses import dataclass

from emfem import fields
from emfem.gate import checked
from emfem.model import Model
from emfem.stress.field import at_nodes
from emfem.stress.inputs import critical_tension
from emfem.stress.steady import steady

import numpy as np
from numpy.typing import NDArray

EQUAL = 1e-9  # of the range of stresses: places that differ by less are equally bad, and the first of them is reported


@checked
@dataclass(frozen=True, eq=False)
class Immortality:
    """A verdict on a conductor; true if it is immortal.

    Attributes:
        critical_stress: at which a void opens [Pa].
        highest: the highest steady stress [Pa].
        place: of the highest stress, shape (dim,) [m].
        node: of the place in a network; None elsewhere.
    """

    critical_stress: float
    highest: float
    place: NDArray[np.float64]
    node: int | None

    @property
    def margin(self) -> float:
        """Critical stress less the highest; negative if mortal [Pa]."""
        return self.critical_stress - self.highest

    @property
    def relative(self) -> float:
        """The margin as a part of the critical stress [-]."""
        return self.margin / self.critical_stress

    def __bool__(self) -> bool:
        """Return the true if no void ever opens."""
        return self.highest < self.critical_stress

    def __str__(self) -> str:
        """One sentence."""
        where = f"({', '.join(f'{x:.4g}' for x in self.place)}) m"
        where = where if self.node is None else f"node {self.node} {where}"
        verdict, side = ("immortal", "below") if self else ("mortal", "above")
        highest, margin, critical = self.highest / 1e6, abs(self.margin) / 1e6, self.critical_stress / 1e6
        return (
            f"{verdict}: in the end the stress is {highest:.4g} MPa at {where}, {margin:.4g} MPa "
            f"({abs(self.relative):.1%}) {side} the critical {critical:.4g} MPa"
        )


@checked(collective=True)
def immortal(model: Model, *, critical_stress: float) -> Immortality:
    """Return the verdict if the steady stress of a model stays below the critical one, and the margin. Collective.

    Only the steady state counts. A blocked line never passes it on the way from a uniform start, but a network
    may: where a line of 50 um ends in one of 500 um without a current, the tension comes to five times the steady one,
    as if the line were alone, before atoms of the long one have come. A void that opens on the way is seen by
    `em.failure.run` and `em.failure.nucleation`, which return at once where none can.

    Args:
        model: of `em.stress.model`; it stays as it is.
        critical_stress: sigma_c, at least 1e4 [Pa].

    Raises:
        ParameterError: for a critical stress that is not positive or was typed in megapascals, or where `steady`
            needs a solve.
    """
    critical = critical_tension(critical_stress)
    stress = steady(model)
    low, high = fields.extremes(stress)
    near = high - EQUAL * max(high - low, abs(high))
    domain = model.domain
    if domain.network is not None:
        node = int(np.flatnonzero(at_nodes(stress) >= near)[0])
        return Immortality(critical, high, domain.network.nodes[node], node)
    space = stress.function_space
    owned = space.dofmap.index_map.size_local
    places = space.tabulate_dof_coordinates()[:owned, : domain.dim]
    mine = [tuple(each) for each in places[stress.x.array[:owned] >= near]]
    place = min(place for part in model.mesh.comm.allgather(mine) for place in part)
    return Immortality(critical, high, np.array(place), None)
