"""Current through contacts and the heat it makes, solved iteratively or directly; run by test_multigrid.py.

`multigrid_case.py SOLVER` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import emfem as em
from emfem import conduction

import ufl
from mpi4py import MPI


def heated(solver: str, rows: int = 8) -> tuple[list[em.Model], em.solve.Steady]:
    """A plate whose conductivity jumps by 1e4 and falls with temperature, solved in one system."""
    plate = em.mesh.rectangle((2.0, 1.0), cells=(2 * rows, rows))
    x, temperature = ufl.SpatialCoordinate(plate.mesh), em.placeholder("T", plate)
    jumps = ufl.conditional(ufl.lt(abs(x[0] - 1.0), 0.25), 1e4, 1.0)
    on: dict[str, Any] = {
        "left": conduction.electrode(current=10.0, contact_resistivity=0.1),
        "right": em.fixed(0.0),
        "top": conduction.electrode(current=0.0, contact_resistivity=1e-3),
    }
    current = conduction.model(plate, conductivity=jumps * 300.0 / temperature, on=on, degree=1)
    source, cold = em.heat.joule(current), {"left": em.fixed(300.0)}
    heat = em.heat.model(plate, source=source, on=cold, conductivity=1.0, heat_capacity=1.0, degree=1)
    models = [current.substitute(T=heat["T"]), heat]
    return models, em.solve_steady(models, method="newton", solver=solver)


def numbers(solver: str) -> dict[str, float]:
    """Voltages, power and the highest temperature."""
    models, _ = heated(solver)
    names = ("voltage left", "voltage top", "power")
    return {name: models[0].quantity(name) for name in names} | {"T_max": models[1].quantity("T_max")}


if __name__ == "__main__":
    found = numbers(sys.argv[1])
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(found))
