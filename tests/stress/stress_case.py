"""Script that test_stress.py starts with mpiexec: it prints one line of JSON on rank 0."""

from __future__ import annotations

import json
from typing import Any

import emfem as em
from emfem.units import MPa, um

from mpi4py import MPI


def numbers() -> dict[str, Any]:
    """Numbers of a star with a void, its steady states, and of a bend under a computed current."""
    net = em.mesh.network(
        nodes=[(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
        segments=[(0, 1), (1, 2), (1, 3)],
        width=[0.2 * um, 0.1 * um, 0.1 * um],
        thickness=0.1 * um,
        cells=4,
    )
    metal = em.materials.copper(temperature=500.0)
    star = em.stress.model(net, metal, current_density=[1.0e10, 1.2e10, 0.8e10], voids=True)
    blocked = em.stress.at_nodes(em.stress.steady(star))
    verdict = em.stress.immortal(star, critical_stress=50 * MPa)
    em.stress.open_void(star, 1)
    em.evolve(star, until=1e6, progress=False)
    bend = em.mesh.bend(width=2 * um, arms=(8 * um, 6 * um), size=0.8 * um)
    current = em.conduction.model(bend, conductivity=1e7, on={"start": em.fixed(0.01), "end": em.fixed(0.0)})
    em.solve_steady(current)
    corner = em.stress.model(bend, metal, current=current)
    judged = em.stress.immortal(corner, critical_stress=50 * MPa)
    em.solve_steady(corner)
    return {
        "blocked": blocked.tolist(),
        "verdict": [verdict.highest, float(verdict.node or 0)],
        "stress": em.stress.at_nodes(star).tolist(),
        "voided": em.stress.at_nodes(em.stress.steady(star)).tolist(),
        "voids": net.at_nodes(star["void"]).tolist(),
        "atoms": star.quantity("atoms"),
        "judged": [judged.highest, *judged.place.tolist()],
        "corner": [corner.quantity(name) for name in ("sigma_max", "sigma_min", "mean")],
    }


if __name__ == "__main__":
    answer = numbers()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(answer))
