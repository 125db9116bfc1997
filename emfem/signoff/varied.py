"""A grid whose trees differ in diffusivity, effective charge and critical stress, to failure.

Each tree is scaled to the one critical stress of the engine: with s = sigma_c of the tree over that of the technology,

    sigma / s,   B / s,   d s D,   z Z* / s   in place of   sigma, B, D, Z*

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

    @cached_property
    def _uniform(self) -> tuple[Floats, Floats]:
        """Mobility and force per current density of each segment."""
        mobility, force = Metal._uniform.func(self)  # type: ignore[attr-defined]
        return mobility * self.diffusivity * self.stress, force * self.charge / self.stress

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
    """
    tree = network.components[network.segments[:, 0]]
    temperature = resolve_temperature(network, technology.temperature)
    metal = VariedMetal(network, technology, temperature, *(each[tree] for each in factors))
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
    verdict = simulation.verdict()
    trees = [int(network.components[int(void.node)]) for void in verdict.voids if void.nucleated <= verdict.failure]
    order = np.array(list(dict.fromkeys(trees)), dtype=np.int64)
    return verdict.failure, order, bool(np.isfinite(verdict.failure)), 1.0
