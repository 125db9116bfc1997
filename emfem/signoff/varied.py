"""A grid whose trees differ in diffusivity, effective charge and critical stress, to failure.

Each tree is scaled to the one critical stress of the engine: with s = sigma_c of the tree over that of the technology,

    sigma / s,   B / s,   d s D,   z Z* / s,   Q* / s   in place of   sigma, B, D, Z*, Q*

obey the same equations, with the same times and volumes of voids.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.outcome import verdict_of
from emfem.signoff.simulation import Simulation
from emfem.technology import Technology

import numpy as np


@dataclass(frozen=True, eq=False)
class VariedMetal(Metal):
    """Metal whose trees differ; factors on the technology's values, one a segment.

    Attributes:
        diffusivity: on D.
        charge: on Z*.
        stress: on the critical stress.
    """

    diffusivity: Floats
    charge: Floats
    stress: Floats

    def mobility(self, segment: Numbers, place: Floats) -> Floats:
        """`M = D Omega/(k T)` at places along segments [m2/(Pa s)]."""
        return super().mobility(segment, place) * (self.diffusivity * self.stress)[segment]

    def drive(self, segment: Numbers, place: Floats) -> tuple[Floats, Floats]:
        """`Z* e rho/Omega` and `-Q* T'/(Omega T)`."""
        charge, thermal = super().drive(segment, place)
        return charge * (self.charge / self.stress)[segment], thermal / self.stress[segment]

    @cached_property
    def modulus(self) -> Floats:
        """B of each segment."""
        return Metal.modulus.func(self) / self.stress  # type: ignore[attr-defined]

    @cached_property
    def residual_stress(self) -> Floats:
        """Stress of each segment at the start."""
        return Metal.residual_stress.func(self) / self.stress  # type: ignore[attr-defined]


def follow(
    network: Network,
    technology: Technology,
    factors: tuple[Floats, Floats, Floats],
    fails: Any,
    until: float,
    update: float,
    rtol: float,
    temperature: Any = None,
) -> tuple[float, Numbers, bool, float]:
    """Return the life of a grid, its trees with a void by then, in their order, True if it failed, and 1.

    Args:
        network: of the wires.
        technology: of the chip.
        factors: on diffusivity, charge and critical stress, one a tree.
        fails: criterion of em.failure.
        until: end of the time that is looked at [s].
        update: as in `em.signoff.run`.
        rtol: as well.
        temperature: as well.
    """
    tree = network.components[network.segments[:, 0]]
    heat = resolve_temperature(network, technology.temperature if temperature is None else temperature)
    metal = VariedMetal(network, technology, heat, *(each[tree] for each in factors))
    circuit = GridCircuit(network, technology, metal.resistivity)
    simulation = Simulation(
        metal,
        circuit,
        initial=metal.residual_stress,
        fails=fails,
        until=until,
        update=update,
        rtol=rtol,
        stop_at_failure=True,
    )
    while simulation.advance():
        pass
    verdict = verdict_of(simulation, pieces=1)  # which needs no states
    trees = [int(network.components[int(void.node)]) for void in verdict.voids if void.nucleated <= verdict.failure]
    order = np.array(list(dict.fromkeys(trees)), dtype=np.int64)
    return verdict.failure, order, bool(np.isfinite(verdict.failure)), 1.0
