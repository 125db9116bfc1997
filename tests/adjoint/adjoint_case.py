"""Value, derivatives and Taylor orders of a run of a species, as JSON."""

import json

import emfem as em

import numpy as np
import ufl
from dolfinx import fem

square = em.mesh.rectangle((1.0, 1.0), cells=(4, 4))
part = fem.Function(fem.functionspace(square.mesh, ("Lagrange", 1)))
part.interpolate(lambda x: 1 + 0.3 * np.sin(5 * x[0] + x[1]))
d = fem.Constant(square.mesh, 0.7)
on = {"left": em.fixed(1.3)}
drift = ufl.as_vector((1.0, 0.5))
model = em.migration.model(square, diffusivity=d * part, drift=drift, initial=lambda x: 1 + x[0], on=on)
controls = {"D": d, "part": part, "start": model["c"], "edge": model.conditions[0].value}
of = (model["c"] - 1.2) ** 2 * square.dx()
objective = em.adjoint.Objective(model, of, controls, until=0.1, rtol=1e-3)
value, gradient = objective.value_and_gradient()
total = square.mesh.comm.allreduce
sums = [total(float(np.sum(gradient[name] ** 2))) for name in ("part", "start")]
orders = objective.taylor_orders().tolist()
if square.mesh.comm.rank == 0:
    print(json.dumps([value, float(gradient["D"]), float(gradient["edge"]), *sums, *orders]))
