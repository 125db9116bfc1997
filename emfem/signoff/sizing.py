"""Repair of a grid: the least extra metal with which every tree lasts and the IR drop is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emfem.conduction import Currents
from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.signoff.thermal import Source, map_temperature
from emfem.signoff.widening import Problem
from emfem.technology import Technology

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd

PENALTIES = (10.0, 1e3, 1e5)  # of a violation of 1, in parts of all metal: an exact penalty is above all multipliers
LISTED = 6  # trees that a line lists


@dataclass(frozen=True, eq=False, repr=False)
class Repair:
    """A network repaired.

    Attributes:
        network: with its new widths.
        before: the network as it was.
        extra: metal added [m3].
        part: the same as a part of all metal before [-].
        uniform: metal that one factor for all widths would take to meet the same limits [m3]; infinite if none does.
        steady: highest steady tension of each tree, shape (trees,) [Pa].
        tension: what the limit holds for: the same, or the highest until a time, shape (trees,) [Pa].
        drop: largest IR drop [V]; 0 without pads.
        overshoot: trees whose steady tension is below the limit, but not that on the way there; none with `until`.
        currents: in the repaired network.
        history: (part of metal added, largest violation as a part of its limit) of each round.
    """

    network: Network
    before: Network
    extra: float
    part: float
    uniform: float
    steady: Floats
    tension: Floats
    drop: float
    overshoot: tuple[int, ...]
    currents: Currents
    history: tuple[tuple[float, float], ...]

    @property
    def factor(self) -> Floats:
        """New width over the old of each segment, shape (m,)."""
        return self.network.width / self.before.width

    def wires(self) -> pd.DataFrame:
        """Return the table of the wires that are widened, most metal first."""
        import pandas as pd  # slow to import

        before, network = self.before, self.network
        at = np.flatnonzero(network.width > before.width)
        extra = ((network.width - before.width) * network.lengths * network.thickness)[at]
        at, extra = at[np.argsort(-extra, kind="stable")], np.sort(extra)[::-1]
        ends = [[network.node(int(n)).removeprefix("node ").strip("'") for n in network.segments[i]] for i in at]
        return pd.DataFrame(
            {
                "segment": at,
                "name": [network.wire_names[i] if network.wire_names else "" for i in at],
                "start": [each[0] for each in ends],
                "end": [each[1] for each in ends],
                "layer": [network.layers[k] if network.layers else "" for k in network.layer[at]],
                "tree": network.components[network.segments[at, 0]],
                "length [m]": network.lengths[at],
                "width [m]": before.width[at],
                "new width [m]": network.width[at],
                "extra metal [m3]": extra,
            }
        )

    def __str__(self) -> str:
        """One line."""
        widened = int((self.network.width > self.before.width).sum())
        whole = self.extra / self.part if self.part else np.inf
        uniform = f"{self.uniform / whole:.3%}" if np.isfinite(self.uniform) else "impossible"
        trees = ", ".join(map(str, self.overshoot[:LISTED])) + (", ..." if len(self.overshoot) > LISTED else "")
        late = f"; on the way to it above the limit in tree {trees}: repair with until=inf" if self.overshoot else ""
        return (
            f"{widened} of {len(self.before.segments)} wires widened, {self.part:.3%} more metal (uniform widening: "
            f"{uniform}); highest tension {self.tension.max() / 1e6:.4g} MPa, largest drop {self.drop:.4g} V{late}"
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked
def repair(
    network: Network,
    technology: Technology,
    *,
    margin: float = 0.0,
    until: float | None = None,
    temperature: Source | None = None,
    largest_drop: float | None = None,
    widest: ArrayLike | Mapping[str, float] | None = None,
    spacing: ArrayLike | Mapping[str, float] | None = None,
    together: ArrayLike | None = None,
    loads: Mapping[int, float] | ArrayLike | None = None,
    pads: Mapping[int, float] | None = None,
    rtol: float = 1e-3,
) -> Repair:
    """Return the network with the least extra metal with which every tree is immortal, or lasts until a time.

        minimise sum L h (w' - w)   over   w <= w' <= widest
        with     tension of every tree <= (1 - margin) critical stress,      every |drop| <= largest_drop

    Loads and pads stay; resistances, currents and volumes follow the widths. In rounds: limits are replaced by the
    convex approximation that is linear in 1/w where they fall with w, and linear in w where they rise; it is minimised
    exactly by its dual, which has one unknown for each limit. Trees and drops within 20 % of their limits are bounded.

    The tension is that of trees without voids: the steady one, or with `until` the highest until then. Temperatures
    stay as they are. On the way to the steady state a tree that has arms of very different lengths may be under a
    higher tension for a time: `Repair.overshoot` names such trees, and until=inf bounds that, too.

    Args:
        network: the wires.
        technology: of the chip.
        margin: part of the critical stress to stay below it, from 0 to below 1 [-].
        until: time that every tree has to last without a void [s], which may be infinite; if left out, only the steady
            tension is bounded, which takes less work.
        temperature: of the metal: see `em.signoff.map_temperature`; that of the technology if left out.
        largest_drop: limit of the IR drop [V]; none if left out.
        widest: limit of the widths, a number, one a segment, or one for each named layer [m].
        spacing: least distance of the edges of two wires in a layer, a number or one for each named layer [m]; both
            neighbours may use half of what the gap has beyond it.
        together: a number for each segment, shape (m,); segments with the same number are widened by one factor. Each
            by its own if left out.
        loads: current drawn from nodes [A]; those of the network if left out.
        pads: nodes at a voltage [V]; those of the network if left out.
        rtol: change of the extra metal, as a part of it, at which the rounds end [-].

    Raises:
        ParameterError: for an argument out of its bounds, or if no widths meet the limits, naming the worst violation.
        UnknownName: for a layer that network or technology lacks.
    """
    number("rtol", rtol, above=0.0, at_most=0.1)
    kelvin = map_temperature(technology.temperature if temperature is None else temperature, network)
    problem = Problem(
        network, technology, margin=margin, until=until, largest_drop=largest_drop, widest=widest, spacing=spacing,
        together=together, feed={"temperature": kelvin, "loads": loads, "pads": pads},
    )  # fmt: skip
    for penalty in PENALTIES:
        factor, history = problem.minimise(penalty, rtol)
        state = problem.state(factor)
        if problem.violation(state).max() <= 0:
            break
    else:
        raise ParameterError(problem.complaint(state))
    widths = problem.widths(factor)
    extra = float((network.lengths * network.thickness) @ (widths - network.width))
    return Repair(
        state.network,
        network,
        extra,
        extra / problem.metal,
        problem.uniform(),
        state.steady,
        state.limited,
        problem.drop(state),
        problem.overshoot(state),
        state.currents,
        tuple(history),
    )
