"""Times and bounds of a stress model: the fastest change, and the time from which no void can open."""

from __future__ import annotations

from collections.abc import Sequence

from emfem import fields, stress, watch
from emfem.errors import ParameterError
from emfem.model import Model

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI


def cell_time(model: Model) -> float:
    """Return the shortest time in which stress passes a cell [s], the least mass over stiffness. Collective.

    It is the scale of first steps: `until` may be any.
    """
    first = model.unknowns[0]
    assert first.rate is not None  # stress evolves
    residual = model.residual if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)[0]
    mass, stiffness = (
        fem.assemble_matrix(fem.form(ufl.derivative(residual, of, ufl.TrialFunction(of.function_space))))
        for of in (first.rate, first.function)
    )
    owned = first.function.function_space.dofmap.index_map.size_local
    matrices = [matrix.to_scipy().diagonal()[:owned] for matrix in (stiffness, mass)]
    fastest = float(np.max(matrices[0] / matrices[1], initial=0.0))
    return 1 / model.mesh.comm.allreduce(fastest, op=MPI.MAX)


def immortality(model: Model, critical_stress: float) -> watch.Event | None:
    """Return an event that stops a run once no stress can reach the critical one; None if it may or is not known.

    The difference to the steady stress, w = sigma - sigma_s, obeys a diffusion equation without drive, so its largest
    value falls: sigma(x, t') <= sigma_s(x) + max w(t) for all t' > t. The steady stress alone is no bound: a short line
    on a long reservoir is stretched far beyond it on the way. Collective.
    """
    if model.drivers:
        return None
    try:
        steady = stress.steady(model)
    except ParameterError:
        return None
    highest = fields.extremes(steady)[1]
    if highest >= critical_stress:
        return None
    difference = fem.Function(steady.function_space)

    def bound(models: Sequence[Model], t: float) -> float:
        difference.x.array[:] = model["sigma"].x.array - steady.x.array
        return (highest + fields.extremes(difference)[1]) / critical_stress

    event = watch.event(bound, below=1.0, reason="immortal", rtol=1e-3)
    event.check_resolution = False  # only that nothing will happen counts
    return event
