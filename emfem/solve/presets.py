"""Sets of PETSc options for linear systems, for `petsc_options=`."""

from __future__ import annotations

from collections.abc import Mapping

Options = Mapping[str, object]

# A sparse factorisation, the default; `Problem.prepare` takes MUMPS for it where PETSc has it.
DIRECT: Options = {"ksp_type": "preonly", "pc_type": "lu"}

# With a preconditioner that is no factorisation: applied once, as DIRECT does, it would solve nothing.
KRYLOV: Options = {"ksp_type": "gmres", "ksp_rtol": 1e-8}

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
