"""A film with a fixed composition and a flux, solved iteratively or directly; run by test_preconditioners.py.

`preconditioner_case.py SOLVER` prints what PETSc keeps though Python gave it up, then one line of JSON, with the memory
that the set-up takes if the solver is iterative.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

import emfem as em
from emfem.solve import phase_field

from mpi4py import MPI
from petsc4py import PETSc


class Heap(ctypes.Structure):
    """`struct mallinfo2` of the C library."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def allocated() -> int:
    """Return the memory that this process has asked for and not freed [bytes]; 0 where the C library cannot tell."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return 0
    library.mallinfo2.restype = Heap
    heap = library.mallinfo2()
    return int(heap.uordblks + heap.hblkhd)


def setup_memory() -> list[int]:
    """Return the memory that the set-up of the preconditioner takes, as it is and with all data of products kept."""
    set_up, options = phase_field.PhaseFieldSolver.setUp, phase_field.PRODUCTS
    taken: list[int] = []

    def measured(self: phase_field.PhaseFieldSolver, pc: PETSc.PC) -> None:
        before = allocated()
        set_up(self, pc)
        taken.append(allocated() - before)

    phase_field.PhaseFieldSolver.setUp = measured  # type: ignore[method-assign]
    for chosen in (options, options, {}):  # the first one loads what is loaded once
        phase_field.PRODUCTS = chosen
        em.evolve(film(3), 1e-3, fixed_step=1e-3, solver="iterative", progress=False)
    return taken[1:]


def film(finer: int = 1) -> em.Model:
    """Return the film at its start, on so many times finer a mesh."""
    return em.film.model(
        em.mesh.rectangle((4.0, 3.0), cells=(8 * finer, 6 * finer)),
        em.film.cupd(),
        mean=0.3,
        field=(0.1, 0.05),
        on={"left": em.fixed(0.25), "top": em.flux(1e-3)},
        initial=em.film.noise(0.08, seed=3),
        degree=1,
    )


def numbers(solver: str) -> dict[str, float]:
    """Numbers of the film at the end."""
    model = film()
    run = em.evolve(model, 1.0, solver=solver, progress=False)
    PETSc.garbage_view(model.mesh.comm)  # PETSc prints it
    return {
        **{name: model.quantity(name) for name in ("free_energy", "c_min", "c_max", "solute")},
        "steps": run.steps,
        "iterations": run.linear_iterations / run.solves,
    }


if __name__ == "__main__":
    result: dict[str, Any] = numbers(sys.argv[1])
    result["memory"] = MPI.COMM_WORLD.allgather(setup_memory())
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(result))
