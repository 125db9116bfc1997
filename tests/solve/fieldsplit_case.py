"""Films and a conduction solved in named blocks and directly; run by test_solve.py.

`fieldsplit_case.py WAY ...` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import emfem as em

from mpi4py import MPI

OUTER = {"ksp_type": "fgmres", "ksp_rtol": 1e-12, "pc_type": "fieldsplit"}
BLOCKS: dict[str, dict[str, object]] = {
    "multiplicative": OUTER | {"pc_fieldsplit_type": "multiplicative"},
    "schur": OUTER
    | {
        "pc_fieldsplit_type": "schur",
        "pc_fieldsplit_schur_precondition": "selfp",
        "fieldsplit_c_pc_type": "bjacobi",
    },
    "coarse": OUTER | {"ksp_rtol": 1e-2, "fieldsplit_c_pc_type": "jacobi", "fieldsplit_mu_pc_type": "jacobi"},
}
COUPLED = OUTER | {"pc_fieldsplit_type": "multiplicative", "pc_fieldsplit_alloy_fields": "c,mu"}


def film(domain: em.mesh.Domain, field: Any) -> em.Model:
    start = em.film.noise(0.08, seed=3)
    return em.film.model(domain, em.film.cupd(), mean=0.3, field=field, initial=start, degree=1)


def single(options: Mapping[str, object] | None) -> dict[str, float]:
    """Numbers of a periodic film after two steps."""
    model = film(em.mesh.periodic_rectangle((15.6, 15.6), cells=(6, 6)), (0.1, 0.05))
    em.evolve(model, 1.0, fixed_step=0.5, petsc_options=options, progress=False)
    return {name: model.quantity(name) for name in ("free_energy", "c_min", "c_max")}


def coupled(options: Mapping[str, object] | None) -> dict[str, float]:
    """Numbers of a film in the field of a conduction, in one system."""
    domain = em.mesh.rectangle((8.0, 4.0), cells=(8, 4))
    current = em.conduction.model(
        domain, conductivity=1.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, degree=1
    )
    model = film(domain, current["E"])
    em.evolve([current, model], 0.1, fixed_step=0.1, petsc_options=options, progress=False)
    return {name: model.quantity(name) for name in ("free_energy", "c_min", "c_max")}


WAYS: Mapping[str, Any] = {
    "direct": lambda: single(None),
    **{name: partial(single, options) for name, options in BLOCKS.items()},
    "coupled directly": lambda: coupled(None),
    "coupled in blocks": lambda: coupled(COUPLED),
}


def numbers(ways: Sequence[str] = tuple(WAYS)) -> dict[str, dict[str, float]]:
    """Numbers of some ways to solve."""
    return {name: WAYS[name]() for name in ways}


if __name__ == "__main__":
    result = numbers(sys.argv[1:])
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(result))
