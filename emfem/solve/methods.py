"""Integrators in time: PETSc's TS types with the options that belong to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from emfem.errors import count
from emfem.gate import checked
from emfem.solve.options import check_options
from emfem.solve.presets import Options


@checked
@dataclass(frozen=True)
class Method:
    """Integrator in time for `em.evolve(..., method=...)`.

        em.evolve(model, until, method=em.solve.Method("dirk", order=3, options={"ts_dirk_type": "es324sal"}))
        em.solve.METHODS["dirk"] = em.solve.Method(...)  # from then on method="dirk", in case files too

    It must solve F(t, u, du/dt) = 0 with algebraic unknowns (stiffly accurate). PETSc's error estimate sets the steps;
    an integrator without one needs `fixed_step`.

    Attributes:
        ts_type: PETSc's TS type, such as "rosw", "dirk", "arkimex", "bdf".
        order: order of the error in the step.
        options: PETSc options for TS, SNES and KSP that belong to it, without prefix; `petsc_options` come after them.
        reuse: accepted steps of equal size for which one Jacobian and its factorisation may serve; 0 for an integrator
            that needs the Jacobian of each stage, or converges faster with it.

    Raises:
        ParameterError: for a type that is no text, options that are no mapping, an order below 1, a reuse below 0.
    """

    ts_type: str
    order: int
    options: Options = field(default_factory=dict)
    reuse: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        check_options("options", self.options)
        count("order", self.order, at_least=1)
        count("reuse", self.reuse, at_least=0)


METHODS: dict[str, Method] = {
    # Rosenbrock-W, stiffly accurate. If its Jacobian is never updated its order falls to 2.
    "rosenbrock": Method("rosw", order=3, options={"ts_rosw_type": "ra34pw2", "snes_type": "ksponly"}, reuse=15),
    "bdf": Method("bdf", order=2, options={"ts_bdf_order": 2, "snes_rtol": 1e-8}),
}
