"""Script that test_network.py starts with mpiexec: it prints one line of JSON on rank 0."""

from __future__ import annotations

import json
import sys
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

NODES = [(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)]
STAR: dict[str, Any] = {
    "nodes": NODES,
    "segments": [(0, 1), (1, 2), (1, 3)],
    "width": [0.2 * um, 0.1 * um, 0.1 * um],
    "thickness": 0.1 * um,
    "names": {0: "A", 1: "J", 2: "B", 3: "C"},
}


def numbers() -> dict[str, Any]:
    """Measures, a steady and a transient solution on a star, and fields on a grid of many pieces."""
    comm = MPI.COMM_WORLD
    star = em.mesh.network(**STAR)
    one = fem.Constant(star.mesh, 1.0)
    on = {name: em.fixed(volts) for name, volts in (("A", 0.0), ("B", -0.0126), ("C", -0.0063))}
    current = em.conduction.model(star, conductivity=1 / 2.25e-8, on=on)
    em.solve_steady(current)
    species = em.migration.model(star, diffusivity=1e-12, drift=star.along("v", [1e-7, 1.2e-7, 0.8e-7]), initial=1.0)
    em.evolve(species, until=20.0, progress=False)
    grid = em.mesh.grid_network(6, 5, 10 * um, width=1 * um, thickness=0.2 * um, load=1e-5, cells=3)
    place = fem.Function(fem.functionspace(grid.mesh, ("Lagrange", 2)))
    place.interpolate(lambda x: x[0] / um + 1000 * x[1] / um)
    return {
        "vertices": comm.allreduce(fem.assemble_scalar(fem.form(one * ufl.dP(domain=star.mesh)))),
        "volume": em.fields.integral(fem.form(one * star.dx()), comm),
        "faces": [em.fields.integral(fem.form(one * star.ds(name)), comm) for name in "ABC"],
        "potential": star.at_nodes(current["phi"]).tolist(),
        "currents": [em.conduction.current(current, name) for name in "ABC"],
        "concentration": star.at_nodes(species["c"]).tolist(),
        "places": grid.at_nodes(place).tolist(),
        "layer": em.fields.integral(fem.form(fem.Constant(grid.mesh, 1.0) * grid.dx(region="M2")), comm),
        "drop": float(np.abs(em.conduction.kirchhoff(grid, 2e-8).drop).max()),
        "said": str(star),
    }


def refused() -> dict[str, Any]:
    """Collect the message about a bad network on every rank."""
    try:
        em.mesh.network(**(STAR | {"width": 0.2}))
    except em.ParameterError as error:
        return {"messages": MPI.COMM_WORLD.gather(str(error))}
    return {}


def main() -> None:
    """Print the answer of the requested case."""
    answer = {"numbers": numbers, "refused": refused}[sys.argv[1]]()
    if MPI.COMM_WORLD.rank == 0:
        em.write.print_root(json.dumps(answer))


if __name__ == "__main__":
    main()
