"""One or several models as PETSc sees them: a residual, a Jacobian, and the blocks of their unknowns."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.errors import choice, require
from emfem.gate import checked
from emfem.model import DirichletCondition, Model, Multigrid, Unknown
from emfem.solve.choice import SOLVERS, check_iterative, choose, ordered_by_fill, warn_beyond_memory
from emfem.solve.fallback import Fallback
from emfem.solve.options import (
    PREFIX,
    SOLVES,
    check_options,
    combined,
    merge,
    prefer_matching,
    prefer_minimum_fill,
    prefer_mumps,
    set_options,
    split_fields,
)
from emfem.solve.presets import Options
from emfem.solve.recipes import blocks_of, options_of
from emfem.solve.system import derivative, option_names, residual_blocks

import dolfinx.fem.petsc as fem_petsc
import numpy as np
from dolfinx import fem
from petsc4py import PETSc


@checked
class Problem:
    """F(t, u, du/dt; v) = 0 for some unknowns of some models, in blocks, one for each unknown.

    PETSc solves for the vector of all owned values, unknown after unknown. The Jacobian is
    shift * dF/d(du/dt) + dF/du, derived by UFL.

    Attributes:
        models: the models.
        unknowns: those solved for.
        names: of these unknowns in PETSc's options, `unknown`, or `model.unknown` where several models have the name.
        solver: "direct" or "iterative".
        blocks: parts of the system that an iterative solver treats one after the other, as the models state them.
        size: unknowns of the discrete system, of all ranks.
        iterative: the solver prepared last is the iterative one of the models; False where options choose another.
        matrix: the Jacobian, of the linear systems; for iterative solvers of several unknowns a matrix of blocks.
        x: the values of all unknowns.
        unread: names of the user's options that the solver made last did not read.
    """

    def __repr__(self) -> str:
        """Return one line: the unknowns, by their names in PETSc's options."""
        return f"<Problem of {', '.join(self.names)}>"

    def __init__(self, models: Sequence[Model], *, only_algebraic: bool = False, solver: str = "direct") -> None:
        """Derive and compile the blocks of every unknown, or of those that do not evolve.

        Args:
            models: the models.
            only_algebraic: solve for the unknowns that do not evolve alone.
            solver: "direct", "iterative", or "auto", the faster one for this system.

        Raises:
            ParameterError: without a model, or for an iterative solver where no model states its structure.
            UnknownName: for another solver.
        """
        require(models, f"models = {models!r}, must be at least one")
        choice("solver", solver, SOLVERS)
        self.models = tuple(models)
        self.unread: set[str] = set()
        blocks = [block for model in models for block in residual_blocks(model)]
        unknowns = [unknown for model in models for unknown in model.unknowns]
        chosen = [i for i, u in enumerate(unknowns) if u.rate is None or not only_algebraic]
        self.unknowns: list[Unknown] = [unknowns[i] for i in chosen]
        self._all_names = option_names(models)
        self.names = [self._all_names[i] for i in chosen]
        residuals = [blocks[i] for i in chosen]
        self.comm = models[0].mesh.comm
        spaces = [u.function.function_space for u in self.unknowns]
        self._shifts = [fem.Constant(space.mesh, 0.0) for space in spaces]
        jacobians = [
            [derivative(r, *pair) for pair in zip(self.unknowns, self._shifts, strict=True)] for r in residuals
        ]
        single = len(residuals) == 1  # DOLFINx takes one block bare
        self.residual_form = fem.form(residuals[0] if single else residuals)
        self.jacobian_form = fem.form(jacobians[0][0] if single else jacobians)
        sizes = [space.dofmap.index_map.size_local * space.dofmap.index_map_bs for space in spaces]
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])
        self._work = fem_petsc.create_vector(spaces[0] if single else spaces)
        self.x = self._work.duplicate()
        self.conditions = [c for m in models for c in m.conditions if c.unknown in self.unknowns]
        self._fixed = [self._fixed_dofs(unknown) for unknown in self.unknowns]
        self.size = self.x.getSize()
        self.blocks = blocks_of(self.models, self.unknowns, self.names, self._fixed)
        if solver == "iterative":
            check_iterative(models, stated=any(block.stated for block in self.blocks))
        self.solver = choose(self.models, self.unknowns) if solver == "auto" else solver
        warn_beyond_memory(self.solver, self.models, self.unknowns)
        self.iterative = False
        self._fallback: Fallback | None = None
        self._matrix: PETSc.Mat | None = None

    @property
    def repeated_iterations(self) -> int:
        """Iterations of second attempts at linear systems that failed, of the solver prepared last."""
        return self._fallback.iterations if self._fallback else 0

    def _fixed_dofs(self, unknown: Unknown) -> np.ndarray:
        """Return the places of the fixed values of an unknown among its own values."""
        dofs = [condition.dofs for condition in self.conditions if condition.unknown is unknown]
        return np.concatenate([np.zeros(0, dtype=np.int32), *dofs])

    @property
    def matrix(self) -> PETSc.Mat:
        """The Jacobian: of the type that the solver prepared last needs."""
        nested = self.iterative and len(self.unknowns) > 1
        if self._matrix is None or nested != (self._matrix.getType() == "nest"):
            self._matrix = fem_petsc.create_matrix(self.jacobian_form, "nest" if nested else None)
            self._set_modes(self._matrix, nested=nested)
        return self._matrix

    def _set_modes(self, matrix: PETSc.Mat, *, nested: bool) -> None:
        """Give the blocks of a matrix the near kernels that the models state. Collective."""
        stated = [getattr(each, "displacement", each) for model in self.models for each in model.preconditioners]
        for multigrid in (each for each in stated if isinstance(each, Multigrid) and each.modes is not None):
            for i in (i for i, unknown in enumerate(self.unknowns) if unknown in multigrid.unknowns):
                if nested or len(self.unknowns) == 1:
                    block = matrix.getNestSubMatrix(i, i) if nested else matrix
                    block.setNearNullSpace(near_kernel(block, multigrid.modes))

    def free_unreferenced(self) -> None:
        """Free PETSc's objects that Python has given up: on several ranks PETSc keeps them until asked. Collective.

        Ranks give up at different times, and to free an object takes all of them.
        """
        PETSc.garbage_cleanup(self.comm)

    def _rows(self, condition: DirichletCondition) -> np.ndarray:
        """Return the places of fixed values in the local part of the vector."""
        return condition.dofs + self._offsets[self.unknowns.index(condition.unknown)]

    @property
    def matrices(self) -> tuple[PETSc.Mat, PETSc.Mat]:
        """Matrix of the linear systems, and the one that preconditioners are made from: the Jacobian for both.

        All solvers take the pair from here, after `prepare`.
        """
        return self.matrix, self.matrix

    def prepare(
        self, solver: PETSc.SNES | PETSc.TS, settings: Options, options: Options | None, *, solve: str = ""
    ) -> Options:
        """Set options on a solver of this problem, and name the unknowns to fieldsplit: `fieldsplit_c_pc_type`.

        Args:
            solver: SNES or TS.
            settings: options of emfem.
            options: those of the user, which come last.
            solve: beginning of the user's options that are for this kind of solve only.

        Returns:
            all options, to be put into an `option_scope` again while it solves.

        Raises:
            ParameterError: if PETSc refuses an option.
            UnknownName: if a block is to be made of an unknown that does not exist.
        """
        if options is not None:
            check_options("petsc_options", options)
        snes = solver.getSNES() if isinstance(solver, PETSc.TS) else solver
        self.iterative = self.solver == "iterative" and "pc_type" not in combined(settings, options, solve)
        if self.iterative:
            settings = {**options_of(self.blocks, steady=snes is solver), **settings}
        chosen = merge(settings, options, solve)
        solver.setOptionsPrefix(PREFIX)
        if self.iterative:
            self._set_blocks(snes.getKSP())
        elif chosen["pc_type"] == "fieldsplit":
            blocks = split_fields(chosen, self.names, self._all_names)
            if len(blocks) > 1:
                preconditioner = snes.getKSP().getPC()
                preconditioner.setType("fieldsplit")
                preconditioner.setFieldSplitIS(*((name, self._index_set(of)) for name, of in blocks.items()))
        prefer_mumps(chosen)
        if ordered_by_fill(self.models, self.size):
            prefer_minimum_fill(chosen)
        if any(model.graded for model in self.models):
            prefer_matching(chosen)
        source = f"petsc_options = {dict(options)}" if options else f"options = {dict(settings)}"
        unread = set_options(solver, chosen, source)
        self.unread = {key for key in options or {} if _other(key, solve) or key.removeprefix(solve) in unread}
        return chosen

    def _set_blocks(self, ksp: PETSc.KSP) -> None:
        """Give a linear solver the preconditioners of the blocks, and a way out if it fails."""
        pc = ksp.getPC()
        parts = [pc]
        if len(self.blocks) > 1:
            pc.setType("fieldsplit")
            names = [[self.names[i] for i in block.members] for block in self.blocks]
            for block, of in zip(self.blocks, names, strict=True):  # PETSc crashes at others
                adjacent = max(block.members) - min(block.members) < len(block.members)
                require(adjacent, f"unknowns {', '.join(of)} of one preconditioner, must be neighbours in their model")
            pc.setFieldSplitIS(*((b.name, self._index_set(n)) for b, n in zip(self.blocks, names, strict=True)))
            parts = [part.getPC() for part in pc.getFieldSplitSubKSP()]
        for block, part in zip(self.blocks, parts, strict=True):
            if block.context is not None:
                part.setType("python")
                part.setPythonContext(block.context)
        self._fallback = Fallback(self.size, self.models[0].mesh.topology.dim)
        ksp.setPostSolve(self._after_solve, (self._fallback,))

    def _after_solve(self, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec, fallback: Fallback) -> None:
        """Try again if a linear solve failed; then conserve what the equations conserve."""
        fallback(ksp, b, x)
        conserving = [block for block in self.blocks if block.context is not None]
        if conserving and ksp.getConvergedReason() > 0:
            left = b.duplicate()
            ksp.getOperators()[0].mult(x, left)
            left.aypx(-1.0, b)
            for block in conserving:
                block.context.conserve(left, x, self.part(block.members[block.context.evolving]))
            left.destroy()

    def _index_set(self, names: Sequence[str]) -> PETSc.IS:
        """Return the rows of some unknowns that this rank owns."""
        first = self.x.getOwnershipRange()[0]
        parts = [self.part(self.names.index(name)) for name in names]
        rows = np.concatenate([np.arange(part.start, part.stop) for part in parts]) + first
        return PETSc.IS().createGeneral(rows.astype(PETSc.IntType), comm=self.comm)

    def part(self, index: int) -> slice:
        """Return the place of the owned values of one unknown in the local part of a vector."""
        return slice(self._offsets[index], self._offsets[index + 1])

    def load(self, x: PETSc.Vec, rates: PETSc.Vec | None = None) -> None:
        """Give the models the values of `x`, and their rates those of `rates`."""
        for i, unknown in enumerate(self.unknowns):
            for vector, function in ((x, unknown.function), (rates, unknown.rate)):
                if vector is not None and function is not None:
                    values = vector.array_r[self.part(i)]
                    function.x.array[: len(values)] = values
                    function.x.scatter_forward()

    def store(self) -> None:
        """Give `x` the values of the models."""
        for i, unknown in enumerate(self.unknowns):
            values = self.x.array[self.part(i)]
            values[:] = unknown.function.x.array[: len(values)]

    def zero_rates(self) -> None:
        """Set all rates to zero."""
        for unknown in self.unknowns:
            if unknown.rate is not None:
                unknown.rate.x.array[:] = 0.0

    def residual(self, t: float, x: PETSc.Vec, rates: PETSc.Vec | None, f: PETSc.Vec) -> None:
        """Give `f` the value F(t, x, rates); in rows of fixed values the distance of x to them."""
        self.load(x, rates)
        for model in self.models:
            model.set_time(t)
        with self._work.localForm() as local:
            local.set(0.0)
        fem_petsc.assemble_vector(self._work, self.residual_form)
        self._work.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        self._work.copy(f)
        for condition in self.conditions:
            rows = self._rows(condition)
            f.array[rows] = x.array_r[rows] - float(condition.value)

    def apply_conditions(self, t: float) -> None:
        """Give the models, and `x`, the fixed values of time t."""
        for model in self.models:
            model.set_time(t)
        for condition in self.conditions:
            condition.apply()
        self.store()

    def jacobian(self, t: float, x: PETSc.Vec, shift: float, matrix: PETSc.Mat, *, symmetric: bool = False) -> None:
        """Give `matrix` the value shift * dF/d(rates) + dF/dx; rows of fixed values are those of the identity.

        With `symmetric`, columns too: the solver may then be one for symmetric matrices, but x must have the fixed
        values already.
        """
        self.load(x)
        for model in self.models:
            model.set_time(t)
        for constant in self._shifts:
            constant.value = shift
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self.jacobian_form, bcs=[])
        matrix.assemble()
        if self.conditions:
            self._fix(matrix, symmetric=symmetric)
        for block in self.blocks if self.iterative else ():
            block.solver.assemble(shift)

    def _fix(self, matrix: PETSc.Mat, *, symmetric: bool) -> None:
        """Make the rows of fixed values, and with `symmetric` their columns, those of the identity."""
        if matrix.getType() != "nest":
            rows = np.concatenate([dofs + self._offsets[i] for i, dofs in enumerate(self._fixed)])
            rows = (rows + matrix.getOwnershipRange()[0]).astype(PETSc.IntType)
            (matrix.zeroRowsColumns if symmetric else matrix.zeroRows)(rows, diag=1.0)
            return
        for i, dofs in enumerate(self._fixed):
            for j in range(len(self._fixed)):
                part = matrix.getNestSubMatrix(i, j)
                if part:
                    rows = (dofs + part.getOwnershipRange()[0]).astype(PETSc.IntType)
                    part.zeroRows(rows, diag=float(i == j))
        matrix.assemble()

    def bounds_violation(self, *, searching: bool = False) -> str | None:
        """Return a sentence on an unknown that is not finite or not inside its bounds; None if all are."""
        messages = [model.bounds_violation(searching=searching) for model in self.models]
        return next(filter(None, messages), None)


def near_kernel(matrix: PETSc.Mat, modes: np.ndarray) -> PETSc.NullSpace:
    """Return the space of some vectors, orthonormal; each column is one, its rows those of this rank. Collective."""
    vectors: list[PETSc.Vec] = []
    for column in modes.T:
        vector = matrix.createVecRight()
        vector.array[:] = column
        for other in vectors:
            vector.axpy(-vector.dot(other), other)
        vector.normalize()
        vectors.append(vector)
    return PETSc.NullSpace().create(vectors=vectors, comm=matrix.comm)


def _other(key: str, solve: str) -> bool:
    """Return True for an option that is for another kind of solve."""
    return key.startswith(SOLVES) and not (solve and key.startswith(solve))
