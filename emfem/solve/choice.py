"""Choice between a factorisation and an iterative solver, from costs that were measured."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emfem.errors import ResolutionWarning, require
from emfem.model import Model, PhaseField, Unknown

from mpi4py import MPI

SOLVERS = ("auto", "direct", "iterative")
PACKAGE = str(Path(__file__).parents[1])
SMALL = 10_000  # unknowns up to which a factorisation takes no time worth a choice
FILM_IN_SPACE = {1: 11_000, 2: 20_000}  # by degree: unknowns from which it is faster; never in the plane
PART = 0.5  # of the machine's memory that a factorisation may take: estimates are right within a factor of two
PROCESS, MESH = 0.16e9, 500.0  # bytes of a process with its libraries; of mesh and forms, an unknown
AT = 1e5  # unknowns at which costs are measured
STAGES, REUSE = 4, 2.5  # linear systems in a time step; steps with one factorisation or one preconditioner
REUSE_COUPLED = 1.3  # of several unknowns, whose Jacobian follows them
COUPLED = 0.5  # a factorisation of n unknowns at each node takes n to this as long, and as much memory, as of one alone
MOST_BY_FILL = 300_000  # unknowns of a plane or a network whose factors are ordered by minimum fill, on one rank
ANALYSIS = 6e-6  # time to order more of them, or on several ranks, by nested dissection [s an unknown]
PARALLEL = {"direct": 0.5, "iterative": 0.9}  # a solve on n ranks takes n to the minus this of the time on one


@dataclass(frozen=True)
class Cost:
    """Cost of a linear solver at `AT` unknowns, on one core of 2.5 GHz with 8 GB/s of memory.

    Attributes:
        setup: factorisation, or set-up of a preconditioner [s an unknown].
        solve: one linear system [s an unknown].
        memory: of matrix, factors or levels, and vectors [bytes an unknown].
        growth: powers of the number of unknowns by which the three grow.
    """

    setup: float
    solve: float
    memory: float
    growth: tuple[float, float, float] = (0.0, 0.0, 0.0)


IN_PLANE, IN_SPACE = (0.15, 0.1, 0.1), (0.6, 0.25, 0.3)  # of factorisations, by nested dissection
# By solver, dimension of the cells, and degree, 2 for all above 1. See docs/scale.md.
SECOND_ORDER = {
    ("direct", 2, 1): Cost(2.0e-6, 0.25e-6, 1.6e3, IN_PLANE),
    ("direct", 2, 2): Cost(2.3e-6, 0.25e-6, 1.8e3, IN_PLANE),
    ("direct", 3, 1): Cost(50e-6, 1.1e-6, 10e3, IN_SPACE),
    ("direct", 3, 2): Cost(55e-6, 1.1e-6, 11e3, IN_SPACE),
    ("iterative", 2, 1): Cost(1.3e-6, 1.0e-6, 0.8e3),
    ("iterative", 2, 2): Cost(2e-6, 1.9e-6, 1.3e3),
    ("iterative", 3, 1): Cost(6e-6, 1.7e-6, 1.8e3),
    ("iterative", 3, 2): Cost(16e-6, 4.0e-6, 4.2e3),
}
# Of a film or a phase field, at any degree: four stages of a block factorisation with two V-cycles.
FOURTH_ORDER = {
    ("direct", 2): Cost(6e-6, 0.9e-6, 3.5e3, IN_PLANE),
    ("direct", 3): Cost(100e-6, 11e-6, 45e3, IN_SPACE),
    ("iterative", 2): Cost(4e-6, 3e-6, 1.6e3),
    ("iterative", 3): Cost(5e-6, 5e-6, 2.5e3),
}
LINE = Cost(4e-6, 0.3e-6, 0.6e3)  # of a line or a network, where a factorisation has no more entries than the matrix


def cost_of(solver: str, models: Sequence[Model]) -> Cost:
    """Return the cost of a solver for a system of models."""
    dim = models[0].mesh.topology.dim
    if dim == 1:
        return LINE
    if has_phase_field(models):
        return FOURTH_ORDER[solver, dim]
    return SECOND_ORDER[solver, dim, degree_of(models)]


def degree_of(models: Sequence[Model]) -> int:
    """Return the largest degree of the unknowns, 2 for all above 1."""
    highest = max(u.function.function_space.element.basix_element.degree for m in models for u in m.unknowns)
    return min(max(highest, 1), 2)


def has_phase_field(models: Sequence[Model]) -> bool:
    """Return True if one of the models is a film or a phase field."""
    return any(isinstance(stated, PhaseField) for model in models for stated in model.preconditioners)


def size_of(unknowns: Sequence[Unknown]) -> int:
    """Return the number of unknowns of a discrete system, of all ranks."""
    maps = [unknown.function.function_space.dofmap for unknown in unknowns]
    return sum(dofs.index_map.size_global * dofs.index_map_bs for dofs in maps)


def seconds(solver: str, models: Sequence[Model], unknowns: Sequence[Unknown]) -> float:
    """Return about the time of a step: in time if an unknown evolves, else of Newton's method [s]."""
    cost, size = cost_of(solver, models), size_of(unknowns)
    setup, solve = (c * size * (size / AT) ** p for c, p in zip((cost.setup, cost.solve), cost.growth, strict=False))
    setup *= coupling(solver, models, unknowns)
    evolves = any(unknown.rate is not None for unknown in unknowns)
    analysed = solver == "direct" and models[0].mesh.topology.dim < 3 and not ordered_by_fill(models, size)
    analysis = ANALYSIS * size if analysed else 0.0  # once in a run
    reuse = REUSE if at_a_node(unknowns) == 1 or has_phase_field(models) else REUSE_COUPLED
    alone = setup / reuse + STAGES * solve if evolves else analysis + setup + solve
    return alone * models[0].mesh.comm.size ** -PARALLEL[solver]


def memory(solver: str, models: Sequence[Model], unknowns: Sequence[Unknown]) -> float:
    """Return about the memory of all processes [bytes]."""
    cost, size = cost_of(solver, models), size_of(unknowns)
    of_solver = cost.memory * (size / AT) ** cost.growth[2] * coupling(solver, models, unknowns)
    return models[0].mesh.comm.size * PROCESS + size * (MESH + of_solver)


def coupling(solver: str, models: Sequence[Model], unknowns: Sequence[Unknown]) -> float:
    """Return the factor that several unknowns at each node add to a factorisation; costs of films have it in them."""
    return at_a_node(unknowns) ** COUPLED if solver == "direct" and not has_phase_field(models) else 1.0


def at_a_node(unknowns: Sequence[Unknown]) -> int:
    """Return how many of the unknowns are fields; the voltage of an electrode is one number."""
    return sum(size_of([unknown]) > 1 for unknown in unknowns)


def ordered_by_fill(models: Sequence[Model], size: int) -> bool:
    """Return True if minimum fill is the better order of a factorisation: not in space, large, or on several ranks."""
    mesh = models[0].mesh
    return bool(mesh.topology.dim < 3 and mesh.comm.size == 1 and size <= MOST_BY_FILL)


def is_stated(models: Sequence[Model], unknowns: Sequence[Unknown]) -> bool:
    """Return True if the models state the structure of the system of some of their unknowns."""
    covered = set[int]()
    for model in models:
        rest = any(not stated.unknowns for stated in model.preconditioners)
        named = [u for stated in model.preconditioners for u in stated.unknowns]
        covered |= {id(unknown) for unknown in (model.unknowns if rest else named)}
    return all(id(unknown) in covered for unknown in unknowns)


def check_iterative(models: Sequence[Model], *, stated: bool) -> None:
    """Refuse an iterative solver for models that do not state the structure of their linear systems.

    Raises:
        ParameterError: naming the models.
    """
    names = " and ".join(model.name for model in models)
    message = (
        f"solver = 'iterative' for the {names} model, must be 'direct': it does not state the structure of its linear "
        "systems (nor do voids with elastic=True: they are factorised only); petsc_options may have a pc_type"
    )
    require(stated, message)


def choose(models: Sequence[Model], unknowns: Sequence[Unknown]) -> str:
    """Return "direct" or "iterative", whichever takes less time a step and fits the machine.

    It is "direct" for a small system, on lines and networks, and if a model does not state its structure.
    """
    size, dim = size_of(unknowns), models[0].mesh.topology.dim
    if size <= SMALL or dim == 1 or not is_stated(models, unknowns):
        return "direct"
    fits = memory("direct", models, unknowns) < PART * machine_memory(models[0].mesh.comm)
    if has_phase_field(models):
        faster = dim > 2 and size >= FILM_IN_SPACE[degree_of(models)]
    else:
        faster = seconds("iterative", models, unknowns) < seconds("direct", models, unknowns)
    return "iterative" if faster or not fits else "direct"


def machine_memory(comm: MPI.Comm) -> float:
    """Return the memory of all machines of a communicator [bytes]. Collective."""
    here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    total: float = comm.allreduce(here / node.size)
    node.Free()
    return total


def warn_beyond_memory(solver: str, models: Sequence[Model], unknowns: Sequence[Unknown]) -> None:
    """Warn if a solver would take more memory than there is. Collective."""
    needed, there = memory(solver, models, unknowns), machine_memory(models[0].mesh.comm)
    if needed > there and models[0].mesh.comm.rank == 0:
        better = ", or solver='iterative'" if solver == "direct" and is_stated(models, unknowns) else ""
        message = (
            f"{size_of(unknowns)} unknowns with solver = {solver!r} take about {needed / 1e9:.3g} GB, this machine has "
            f"{there / 1e9:.3g} GB: take more nodes{better}"
        )
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=(PACKAGE,))
