"""Value, derivatives and Taylor orders of a run of a species, as JSON."""

import json

import emfem as em

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI


def numbers() -> list[float]:
    """Value, derivatives by a constant, an edge's value, a map and the start (sums of squares), Taylor's orders."""
    square = em.mesh.rectangle((1.0, 1.0), cells=(4, 4))
    part = fem.Function(fem.functionspace(square.mesh, ("Lagrange", 1)))
    part.interpolate(lambda x: 1 + 0.3 * np.sin(5 * x[0] + x[1]))
    d = fem.Constant(square.mesh, 0.7)
    on, drift = {"left": em.fixed(1.3)}, ufl.as_vector((1.0, 0.5))
    model = em.migration.model(square, diffusivity=d * part, drift=drift, initial=lambda x: 1 + x[0], on=on)
    controls = {"D": d, "part": part, "start": model["c"], "edge": model.conditions[0].value}
    objective = em.adjoint.Objective(model, (model["c"] - 1.2) ** 2 * square.dx(), controls, until=0.1, rtol=1e-3)
    value, gradient = objective.value_and_gradient()
    sums = [MPI.COMM_WORLD.allreduce(float(np.sum(gradient[name] ** 2))) for name in ("part", "start")]
    several = MPI.COMM_WORLD.size > 1
    orders = objective.taylor_orders().tolist() if several else []  # on one rank other tests have them
    return [value, float(gradient["D"]), float(gradient["edge"]), *sums, *orders, float(is_compared(model, d))]


def is_compared(model: em.Model, d: fem.Constant) -> bool:
    """Return True if a constant with another value on each rank is refused."""
    d.value = 1.0 + MPI.COMM_WORLD.rank
    try:
        em.adjoint.Objective(model, model["c"] * model.domain.dx(), {"D": d}, until=0.1, rtol=1e-3)
    except em.ParameterError as error:
        return "must be the same on all ranks" in str(error)
    return False


if __name__ == "__main__":
    made = numbers()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(made))
