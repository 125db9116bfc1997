"""A film with a fixed composition and a flux, solved iteratively or directly; run by test_preconditioners.py.

`preconditioner_case.py SOLVER` prints what PETSc keeps though Python gave it up, then one line of JSON.
"""

from __future__ import annotations

import json
import sys

import emfem as em

from mpi4py import MPI
from petsc4py import PETSc


def numbers(solver: str) -> dict[str, float]:
    """Numbers of the film at the end."""
    film = em.film.model(
        em.mesh.rectangle((4.0, 3.0), cells=(8, 6)),
        em.film.cupd(),
        mean=0.3,
        field=(0.1, 0.05),
        on={"left": em.fixed(0.25), "top": em.flux(1e-3)},
        initial=em.film.noise(0.08, seed=3),
        degree=1,
    )
    run = em.evolve(film, 1.0, solver=solver, progress=False)
    PETSc.garbage_view(film.mesh.comm)  # PETSc prints it
    return {
        **{name: film.quantity(name) for name in ("free_energy", "c_min", "c_max", "solute")},
        "steps": run.steps,
        "iterations": run.linear_iterations / run.solves,
    }


if __name__ == "__main__":
    result = numbers(sys.argv[1])
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(result))
