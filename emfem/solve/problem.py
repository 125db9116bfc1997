"""One or several models as PETSc sees them: a residual, a Jacobian, and options that stay on one solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from emfem.errors import ParameterError, kind
from emfem.model import DirichletCondition, Model, Unknown

import dolfinx.fem.petsc as fem_petsc
import numpy as np
import ufl
from dolfinx import fem
from petsc4py import PETSc
from ufl.algorithms import expand_derivatives

Options = Mapping[str, object]
PREFIX = "emfem_"
# For large symmetric problems, such as conduction: conjugate gradients with algebraic multigrid. The number of
# iterations does not grow with the mesh.
MULTIGRID: Options = {
    "ksp_type": "cg",
    "ksp_norm_type": "unpreconditioned",  # the norm that Newton looks at, so one step is enough for a linear problem
    "ksp_rtol": 1e-11,
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.01,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "jacobi",
}


def as_models(models: Model | Sequence[Model]) -> tuple[Model, ...]:
    """One model or several, as a tuple.

    Raises:
        ParameterError: if there is none, one twice or something else among them, or they are at different times.
    """
    found = tuple(models) if isinstance(models, Sequence) else (models,)
    if not found or not all(isinstance(m, Model) for m in found) or len(set(found)) != len(found):
        msg = f"models = {models!r}, must be a model or a sequence of different models"
        raise ParameterError(msg)
    for model in found:
        if model.missing:
            lacks = ", ".join(model.missing)
            msg = f"the {model.name} model lacks {lacks}: put a field there, model.substitute({model.missing[0]}=...)"
            raise ParameterError(msg)
    mine = [unknown.function for model in found for unknown in model.unknowns]
    for model in found:
        for c in model.residual.coefficients():
            if not getattr(c, "known", True) and not any(c is function for function in mine):
                msg = f"the {model.name} model uses {c.name} of a model that is not solved: solve it first, or with it"
                raise ParameterError(msg)
    if len({m.t for m in found}) != 1:
        msg = f"models at t = {', '.join(f'{m.t:g}' for m in found)}, must be at the same time"
        raise ParameterError(msg)
    return found


class Problem:
    """F(t, u, du/dt; v) = 0 for some unknowns of some models, in blocks, one for each unknown.

    The vector of all owned values, unknown after unknown, is what PETSc solves for. The Jacobian is
    shift * dF/d(du/dt) + dF/du, derived by UFL.
    """

    def __init__(self, models: Sequence[Model], *, only_algebraic: bool = False) -> None:
        """Derive and compile the blocks of every unknown, or of those that do not evolve."""
        self.models = tuple(models)
        blocks = [block for model in models for block in _blocks(model)]
        unknowns = [unknown for model in models for unknown in model.unknowns]
        chosen = [i for i, u in enumerate(unknowns) if u.rate is None or not only_algebraic]
        self.unknowns: list[Unknown] = [unknowns[i] for i in chosen]
        residuals = [blocks[i] for i in chosen]
        self.comm = models[0].mesh.comm
        self._shifts = [fem.Constant(u.function.function_space.mesh, 0.0) for u in self.unknowns]
        jacobians = [
            [_derivative(r, *pair) for pair in zip(self.unknowns, self._shifts, strict=True)] for r in residuals
        ]
        single = len(residuals) == 1  # DOLFINx takes one block bare
        self.residual_form = fem.form(residuals[0] if single else residuals)
        self.jacobian_form = fem.form(jacobians[0][0] if single else jacobians)
        sizes = [u.function.function_space.dofmap.index_map.size_local for u in self.unknowns]
        widths = [u.function.function_space.dofmap.index_map_bs for u in self.unknowns]
        self._offsets = np.concatenate([[0], np.cumsum(np.multiply(sizes, widths))])
        spaces = [u.function.function_space for u in self.unknowns]
        self._work = fem_petsc.create_vector(spaces[0] if single else spaces)
        self.matrix = fem_petsc.create_matrix(self.jacobian_form)
        self.x = self._work.duplicate()
        self.conditions = [c for m in models for c in m.conditions if c.unknown in self.unknowns]
        self._held = np.concatenate(
            [np.zeros(0, dtype=np.int32), *(self._rows(condition) for condition in self.conditions)]
        )

    def _rows(self, condition: DirichletCondition) -> np.ndarray:
        """Places of held values in the local part of the vector."""
        return condition.dofs + self._offsets[self.unknowns.index(condition.unknown)]

    def part(self, index: int) -> slice:
        """Where the owned values of one unknown lie in the local part of a vector."""
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

    def stop(self) -> None:
        """Set all rates to zero."""
        for unknown in self.unknowns:
            if unknown.rate is not None:
                unknown.rate.x.array[:] = 0.0

    def residual(self, t: float, x: PETSc.Vec, rates: PETSc.Vec | None, f: PETSc.Vec) -> None:
        """Give `f` the value F(t, x, rates); in held rows the value's distance to what it is held at."""
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

    def hold(self, t: float) -> None:
        """Give the models, and `x`, the held values of time t."""
        for model in self.models:
            model.set_time(t)
        for condition in self.conditions:
            condition.apply()
        self.store()

    def jacobian(self, t: float, x: PETSc.Vec, shift: float, matrix: PETSc.Mat, *, symmetric: bool = False) -> None:
        """Give `matrix` the value shift * dF/d(rates) + dF/dx; held rows are those of the identity.

        With `symmetric`, held columns too: the solver may then be one for symmetric matrices, but x must have the held
        values already.
        """
        self.load(x)
        for model in self.models:
            model.set_time(t)
        for constant in self._shifts:
            constant.value = shift
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self.jacobian_form)
        matrix.assemble()
        if self.conditions:
            rows = (self._held + matrix.getOwnershipRange()[0]).astype(PETSc.IntType)
            (matrix.zeroRowsColumns if symmetric else matrix.zeroRows)(rows, diag=1.0)

    def bounds_violation(self, *, searching: bool = False) -> str | None:
        """Which unknown is not finite or not inside its bounds; None if all are."""
        return next(
            (told for told in [model.bounds_violation(searching=searching) for model in self.models] if told), None
        )


def _derivative(residual: ufl.Form, unknown: Unknown, shift: fem.Constant) -> ufl.Form | None:
    """The form shift * d(residual)/d(rate) + d(residual)/d(value), or None if it depends on neither."""
    trial = ufl.TrialFunction(unknown.function.function_space)
    form = ufl.derivative(residual, unknown.function, trial)
    if unknown.rate is not None:
        form += ufl.derivative(residual, unknown.rate, shift * trial)
    form = expand_derivatives(form)
    return None if form.empty() else form


def _blocks(model: Model) -> list[ufl.Form]:
    """The residual of a model, one form for each unknown."""
    return [model.residual] if len(model.unknowns) == 1 else list(ufl.extract_blocks(model.residual))


def configure(solver: PETSc.Object, settings: Options, options: Options | None) -> dict[str, object]:
    """Set PETSc options on one solver: `settings`, a sparse direct solve (MUMPS where PETSc has it), the user's.

    Returns:
        all of them, to be `given` again while it solves.

    Raises:
        ParameterError: if PETSc refuses one.
    """
    if options is not None:
        kind("petsc_options", options, Mapping, 'a mapping such as {"ksp_type": "cg"}')
    chosen = {"ksp_type": "preonly", "pc_type": "lu"} | dict(settings) | dict(options or {})
    if chosen["pc_type"] in ("lu", "cholesky") and PETSc.Sys.hasExternalPackage("mumps"):
        chosen.setdefault("pc_factor_mat_solver_type", "mumps")
    solver.setOptionsPrefix(PREFIX)
    with option_scope(chosen):
        trouble = attempt(solver.setFromOptions)
    if trouble:
        msg = f"petsc_options = {dict(options or {})}, must be options that this PETSc has: {trouble}"
        raise ParameterError(msg)
    return chosen


@contextmanager
def option_scope(options: Options) -> Iterator[None]:
    """PETSc options in its global database, and out again; solvers inside a solver read theirs when first used."""
    database = PETSc.Options(PREFIX)
    for key, value in options.items():
        database[key] = value
    try:
        yield
    finally:
        for key in options:
            del database[key]


def attempt(action: Callable[[], None]) -> str | None:
    """Let PETSc act; the error it ends with, or None. An exception of the user's own function comes out as it is."""
    try:
        action()
    except PETSc.Error as error:
        if error.__cause__ is not None:
            raise error.__cause__ from None
        return f"PETSc error {error.ierr}, {str(error).splitlines()[-1].split('] ')[-1]}"
    return None


def reason(code: int, kind: type) -> str:
    """PETSc's name for a convergence reason."""
    names = {v: k for k, v in vars(kind).items() if isinstance(v, int) and not k.startswith("_")}
    return names.get(code, str(code))
