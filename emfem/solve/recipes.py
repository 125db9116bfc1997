"""Solvers of the blocks of a system, from the structure that its models state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem.model import ElasticSaddle, Model, Multigrid, PhaseField, Unknown
from emfem.solve.phase_field import PhaseFieldSolver
from emfem.solve.presets import DIRECT, Options
from emfem.solve.saddle import SaddleSolver

import numpy as np
from numpy.typing import NDArray

STEADY, STEP = 1e-11, 1e-10  # relative residual of linear systems: one Newton step solves a linear problem
SWEEP: Options = {  # over several blocks, each with the values of those before
    "ksp_type": "fgmres",
    "ksp_rtol": 1e-7,
    "ksp_gmres_restart": 60,
    "ksp_max_it": 120,
    "pc_type": "fieldsplit",
    "pc_fieldsplit_type": "multiplicative",
}
CYCLE: Options = {  # one V-cycle; of two sweeps, for the estimates of Chebyshev's fail where coefficients jump
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.01,
    "mg_levels_ksp_type": "richardson",
    "mg_levels_ksp_max_it": 2,
}
SYMMETRIC: Options = {**CYCLE, "mg_levels_pc_type": "sor", "mg_levels_pc_sor_local_forward": None}
DRIFT: Options = {**CYCLE, "mg_levels_pc_type": "bjacobi", "mg_levels_sub_pc_type": "ilu"}  # sweeps follow the drift
GMRES: Options = {"ksp_type": "gmres", "ksp_pc_side": "right", "ksp_gmres_restart": 60, "ksp_max_it": 120}
NUMBER: Options = {"ksp_type": "preonly", "pc_type": "jacobi"}  # of one number; 1 where its diagonal is 0
MASS: Options = {"ksp_type": "cg", "ksp_rtol": 1e-11, "pc_type": "jacobi"}


@dataclass(frozen=True)
class FixedOptions:
    """Solver of a block that options say all of.

    Attributes:
        alone: options for a steady system that is this block: fixed values are taken out of rows and columns.
        stepping: the same for the systems of time steps, where fixed values are rows of the identity.
        inside: options for the block of a larger system.
    """

    alone: Options
    stepping: Options
    inside: Options

    def assemble(self, shift: float) -> None:
        """Assemble nothing."""


@dataclass(frozen=True)
class Block:
    """Some unknowns of a system with a solver of their own.

    Attributes:
        name: in PETSc's options, `fieldsplit_NAME_...`.
        members: places of the unknowns in the system.
        solver: what solves it: `alone`, `stepping` and `inside` are its options, `assemble(shift)` is called after the
            Jacobian is assembled.
        stated: the model states its structure, or it is one number; else the block is factorised.
    """

    name: str
    members: tuple[int, ...]
    solver: Any
    stated: bool = True

    @property
    def context(self) -> Any:
        """The solver, if it is a preconditioner in Python, or None."""
        return self.solver if hasattr(self.solver, "apply") else None


def blocks_of(
    models: Sequence[Model], unknowns: Sequence[Unknown], names: Sequence[str], fixed: Sequence[NDArray[np.int32]]
) -> list[Block]:
    """Return the blocks of a system, those of one model after those of the model before.

    Args:
        models: the models, in the order in which they are solved for.
        unknowns: the unknowns of the system, some of the models' or all.
        names: of these unknowns.
        fixed: of each unknown the rows with Dirichlet values, of this rank.
    """
    place = {id(unknown): i for i, unknown in enumerate(unknowns)}
    blocks: list[Block] = []
    used: set[int] = set()
    for model in models:
        for stated in model.preconditioners:
            mine = stated.unknowns or tuple(u for u in model.unknowns if not _elsewhere(u, model))
            members = tuple(place[id(unknown)] for unknown in mine if id(unknown) in place)
            used |= set(members)
            if isinstance(stated, PhaseField):
                blocks += _phase_field(model, models, stated, members, names, place, fixed)
            elif isinstance(stated, ElasticSaddle):
                blocks.append(_saddle(model, models, stated, members, unknowns, fixed))
            else:
                blocks += [Block(names[i], (i,), _multigrid(stated, unknowns[i])) for i in members]
        rest = [place[id(u)] for u in model.unknowns if id(u) in place and place[id(u)] not in used]
        blocks += [Block(names[i], (i,), FixedOptions(DIRECT, DIRECT, DIRECT), _is_number(unknowns[i])) for i in rest]
    return blocks


def _is_number(unknown: Unknown) -> bool:
    """Return True for an unknown that is one number: it needs no structure."""
    return unknown.function.function_space.dofmap.index_map.size_global == 1


def _elsewhere(unknown: Unknown, model: Model) -> bool:
    """Return True for an unknown that a preconditioner of the model names."""
    return any(unknown in stated.unknowns for stated in model.preconditioners)


def _phase_field(
    model: Model,
    models: Sequence[Model],
    stated: PhaseField,
    members: tuple[int, ...],
    names: Sequence[str],
    place: dict[int, int],
    fixed: Sequence[NDArray[np.int32]],
) -> list[Block]:
    """Return the block of both unknowns; where only the potential is solved for, its mass matrix."""
    if len(members) < 2:
        return [Block(names[i], (i,), FixedOptions(MASS, MASS, MASS)) for i in members]
    evolving = place[id(stated.evolving)]
    members = tuple(sorted(members))
    solver = PhaseFieldSolver(stated, members.index(evolving), fixed[evolving])
    return [Block(_name_of(model, models), members, solver)]


def _saddle(
    model: Model,
    models: Sequence[Model],
    stated: ElasticSaddle,
    members: tuple[int, ...],
    unknowns: Sequence[Unknown],
    fixed: Sequence[NDArray[np.int32]],
) -> Block:
    """Return the block of displacement and stress, with the atoms where they are solved for."""
    members = tuple(sorted(members))
    rows = next((fixed[i] for i in members if unknowns[i] is stated.atoms), np.zeros(0, dtype=np.int32))
    return Block(_name_of(model, models), members, SaddleSolver(stated, [unknowns[i] for i in members], rows))


def _name_of(model: Model, models: Sequence[Model]) -> str:
    """Return the name of a model's block in PETSc's options, with a number where several models have it."""
    same = [other.name for other in models].count(model.name) > 1
    name = f"{model.name}{list(models).index(model) + 1}" if same else model.name
    return name.replace(" ", "_")


def _multigrid(stated: Multigrid, unknown: Unknown) -> FixedOptions:
    """Return the solver of one elliptic or parabolic unknown, or of one that is a number."""
    if unknown.function.function_space.dofmap.index_map.size_global == 1:
        return FixedOptions(DIRECT, DIRECT, NUMBER)
    cycle = dict(SYMMETRIC if stated.symmetric else DRIFT)
    if stated.singular:
        cycle["mg_coarse_pc_type"] = "svd"
    alone, stepping = ({**GMRES, "ksp_rtol": rtol, **cycle} for rtol in (STEADY, STEP))
    return FixedOptions(alone, stepping, {"ksp_type": "preonly", **cycle})


def options_of(blocks: Sequence[Block], *, steady: bool) -> Options:
    """Return the options of the whole system, steady or that of a time step: those of its only block, or a sweep."""
    if len(blocks) == 1:
        return blocks[0].solver.alone if steady else blocks[0].solver.stepping
    inner = {f"fieldsplit_{block.name}_{k}": v for block in blocks for k, v in block.solver.inside.items()}
    same_scale = any(block.context is not None for block in blocks)  # else residuals of unknowns may differ in size
    rtol = {} if same_scale and not steady else {"ksp_rtol": STEADY if steady else STEP}
    return {**SWEEP, **rtol, **{f"fieldsplit_{block.name}_ksp_type": "preonly" for block in blocks}, **inner}
