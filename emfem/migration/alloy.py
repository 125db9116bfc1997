"""A binary alloy whose two species move on one lattice: interdiffusion, the lattice's own motion, and markers in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.errors import ConvergenceError, ParameterError, choice, floats, number
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.migration.inputs import check_fractions, start, typical_flow
from emfem.migration.laws import transport
from emfem.migration.vacancies import Vacancies, drawn_fluxes, vacancy_amount, vacancy_balance
from emfem.model import Fixed, Model, Quantity, Unknown, is_law, is_ufl
from emfem.model.unknowns import degree_of

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

LATTICES = ("moving", "held")
ROUNDS = 500  # of the search for a marker; each halves its error
CLOSE = 1e-12  # error of the place of a marker, over the size of the domain
MEANINGS = {
    "N": Meaning("fraction of A"),
    "vacancies": Meaning("vacancies over equilibrium"),
    "displacement": Meaning("displacement of markers", "m"),
    "flux": Meaning("flux", "m/s"),
    "velocity": Meaning("velocity of the lattice", "m/s"),
    "stress_force": Meaning("force of the stress over kT", "1/m"),
}


@checked(collective=True)
def alloy(
    domain: Domain,
    *,
    diffusivities: Sequence[Any],
    forces: Sequence[Any] | None = None,
    initial: Any,
    on: Mapping[str, Fixed] | None = None,
    thermodynamic_factor: Any = 1.0,
    vacancies: Vacancies | None = None,
    lattice: str = "moving",
    markers: bool = False,
    degree: int = 2,
) -> Model:
    """Return a binary substitutional alloy that moves by vacancies: unknown N, the atomic fraction of A.

    On the lattice J_A = D_A (-Phi grad N + N f_A) and J_B = D_B (Phi grad N + (1 - N) f_B), fluxes over the site
    density. Vacancies carry the difference. They are in equilibrium, as their sources and sinks are fast, unless
    `vacancies` gives these a strength: their ratio y to equilibrium is then one more unknown, called vacancies. The
    difference has one of two effects:

    - "moving": atoms are added and removed planes by planes, so the lattice moves, with the Kirkendall velocity
      v = -(J_A + J_B), and no stress builds up (Darken). In the frame of fixed volume J = J_A + N v.
    - "held": the alloy is confined, and a stress gradient g = Omega grad sigma / (kT), the derived field stress_force,
      joins both forces and keeps J_A + J_B = 0 (Nernst-Planck). In more than one dimension that takes a stress that
      balances the fluxes everywhere, as in slender lines.

    Find N with int dN/dt w - J . grad w dx = 0 for all w; boundaries without a condition are blocked. Derived fields:
    flux (J), velocity (v) or stress_force. Quantities: amount (int N), N_min, N_max, and for each named boundary
    `flux NAME`, of A, out of the domain positive.

    Args:
        domain: of any dimension.
        diffusivities: D_A and D_B, intrinsic: each a number above 0, UFL, or a function of N that returns UFL [m2/s].
        forces: f_A and f_B, each the force on an atom over kT, such as Z* e E / (kT): a vector of dim numbers (in one
            dimension a number), UFL, or a function of time that returns numbers; None is no force [1/m].
        initial: N at the start, in [0, 1]: a number, a function of x with shape (3, n), or a Function [-].
        on: `fixed(N)` on named boundaries.
        thermodynamic_factor: Phi: 1 in an ideal alloy; a number above 0, or a function of N that returns UFL [-].
        vacancies: `em.migration.vacancies(...)`, whose sinks are not fast; for a moving lattice.
        lattice: "moving" or "held".
        markers: follow the displacement u of a moving lattice since the start, one more unknown: du/dt + v . grad u =
            v; `positions` gives the places of markers. It has no steady state under a force, or between Dirichlet
            values.
        degree: polynomial degree [-].

    Raises:
        ParameterError: for a diffusivity or factor that is not positive (a function of N may be 0 at some), a force of
            the wrong shape, fractions outside [0, 1], markers or vacancies with lattice "held". A steady solve
            raises it for markers in a lattice that does not come to rest.
        UnknownName: for a boundary, surface or lattice that does not exist.

    References:
        L. S. Darken, Diffusion, mobility and their interrelation through free energy in binary metallic systems,
        Trans. AIME 175, 184 (1948).
    """
    degree = degree_of(degree)
    moving = choice("lattice", lattice, LATTICES) == "moving"
    if markers and not moving:
        msg = f"markers = {markers!r} with lattice = 'held', must be False: nothing moves them"
        raise ParameterError(msg)
    surfaces = _surfaces(domain, vacancies, moving)
    conditions = models.check_boundaries(domain, on, (Fixed,))
    for boundary, condition in conditions.items():
        models.of_time(f"fraction fixed on {boundary!r}", condition.value, at_least=0.0, at_most=1.0)
    pair_d, pair_f = _pair("diffusivities", diffusivities), _pair("forces", (None, None) if forces is None else forces)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    fraction = models.evolving("N", space)
    n = fraction.function
    start(n, initial, highest=1.0)
    d_a, d_b = (_of_fraction(domain, f"diffusivities[{i}]", value, n) for i, value in enumerate(pair_d))
    factor = _of_fraction(domain, "thermodynamic_factor", thermodynamic_factor, n)
    if not moving:
        a, b = (value if is_law(value) else lambda _, value=value: value for value in pair_d)
        check_fractions(domain, "D_A N + D_B (1 - N)", lambda n: a(n) * n + b(n) * (1 - n), zero=False)
    (push_a, drivers_a), (push_b, drivers_b) = (
        models.vector_coefficient(domain, f"forces[{i}]", value) for i, value in enumerate(pair_f)
    )

    of_a, of_b = intrinsic_fluxes(n, d_a, d_b, push_a, push_b, factor)
    unknowns: list[Unknown] = [fraction]
    if vacancies is not None:
        unknowns.append(models.evolving("vacancies", space, (0.0, np.inf)))
        unknowns[-1].function.x.array[:] = 1.0
        of_a, of_b = drawn_fluxes(of_a, of_b, n, unknowns[-1].function, d_a, d_b)
    flux, lattice_field = _frame(of_a, of_b, n, d_a * n + d_b * (1 - n), d_a, moving)
    if markers:
        vectors = fem.functionspace(domain.mesh, ("Lagrange", degree, (domain.dim,)))
        unknowns.append(models.evolving("displacement", vectors, scale=float(_size(domain))))
    w, *others = models.tests(unknowns)
    dx = domain.dx(3 * degree)
    total = transport(fraction.rate, w, dx, flux, dx)
    flow = typical_flow(domain, (d_a + d_b) / 2, (d_a * push_a + d_b * push_b) / 2)
    dirichlet_values, dirichlet_drivers = models.dirichlet_conditions(domain, fraction, conditions)
    reaction = models.ConsistentFlux(fraction, dirichlet_values, flow)
    sinks = _Sinks()
    if vacancies is not None:
        sinks = _sinks(domain, unknowns[1], vacancies, surfaces, lattice_field["velocity"], others[0], flow, dx)
        total += sinks.form
    if markers:
        total += following(unknowns[-1], lattice_field["velocity"], others[-1], dx)
    return Model(
        "alloy",
        domain,
        unknowns,
        fem.Constant(domain.mesh, 1 / flow) * total,
        conditions=[*dirichlet_values, *sinks.conditions],
        expressions={"flux": flux, **lattice_field},
        quantities={
            "amount": Quantity(n * dx, integral("m3")),
            "N_min": models.lowest(n),
            "N_max": models.highest(n),
            **sinks.quantities,
            **models.boundary_fluxes(domain.names, [reaction], {}, meaning=integral("m3/s")),
        },
        drivers=[*drivers_a, *drivers_b, *dirichlet_drivers],
        steady_by_relaxation=not dirichlet_values or sinks.keep_vacancies,
        no_steady_state_reason=_moving_markers(markers, (push_a, push_b), dirichlet_values),
        balances={"amount": models.Balance(n * dx, "-", (reaction,)), **sinks.balances},
        system=domain.system(),
        meanings=MEANINGS,
        preconditioner=models.Multigrid(symmetric=False, unknowns=tuple(unknowns[:-1] if markers else unknowns)),
    )


def _surfaces(domain: Domain, vacancies: Any, moving: bool) -> dict[str, Fixed]:
    """Return the boundaries at which vacancies are in equilibrium.

    Raises:
        ParameterError: for something else than vacancies, or vacancies with lattice "held".
        UnknownName: for a surface that does not exist.
    """
    if vacancies is None:
        return {}
    if not moving:
        msg = "vacancies with lattice = 'held', must be None: a stress keeps their flux at 0"
        raise ParameterError(msg)
    for name in vacancies.surfaces:
        domain.tag(name)
    return {name: Fixed(1.0) for name in vacancies.surfaces}


@dataclass(frozen=True)
class _Sinks:
    """Terms that sinks of a strength add to an alloy; none where they are fast."""

    form: Any = 0
    conditions: Sequence[models.DirichletCondition] = ()
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    balances: Mapping[str, models.Balance] = field(default_factory=dict)
    keep_vacancies: bool = False  # no sink takes or makes any


def _sinks(
    domain: Domain,
    unknown: Unknown,
    vacancies: Vacancies,
    surfaces: Mapping[str, Fixed],
    velocity: Any,
    test: Any,
    flow: float,
    dx: ufl.Measure,
) -> _Sinks:
    """Return the balance of vacancies, at equilibrium on the surfaces."""
    fixed = models.dirichlet_conditions(domain, unknown, surfaces)[0]
    reaction = models.ConsistentFlux(unknown, fixed, flow)
    ratio = unknown.function
    return _Sinks(
        vacancy_balance(domain, unknown, vacancies, velocity, test, dx),
        fixed,
        {"vacancies_min": models.lowest(ratio), "vacancies_max": models.highest(ratio)},
        {"vacancies": vacancy_amount(domain, unknown, vacancies, reaction, dx)},
        vacancies.lifetime is None and not surfaces,
    )


def _moving_markers(markers: bool, pushes: Sequence[Any], dirichlet_values: Sequence[Any]) -> str:
    """Return the reason for which an alloy with markers has no steady state, "" if it may have one."""
    forced = any(not isinstance(push, ufl.constantvalue.Zero) for push in pushes)
    if not markers or not (forced or dirichlet_values):
        return ""
    cause = "a force" if forced else "fixed fractions on boundaries"
    return (
        f"markers = True with {cause} has no steady state: the lattice goes on moving; leave markers out, or em.evolve"
    )


def intrinsic_fluxes(n: Any, d_a: Any, d_b: Any, f_a: Any, f_b: Any, factor: Any) -> tuple[Any, Any]:
    """`J_A = D_A (-Phi grad N + N f_A)` and `J_B = D_B (Phi grad N + (1 - N) f_B)`, on the lattice."""
    slope = factor * ufl.grad(n)
    return d_a * (-slope + n * f_a), d_b * (slope + (1 - n) * f_b)


def _frame(of_a: Any, of_b: Any, n: Any, both: Any, d_a: Any, moving: bool) -> tuple[Any, dict[str, Any]]:
    """Return the flux of A that changes N, and velocity or stress of the lattice; `both` is D_A N + D_B (1 - N)."""
    velocity = -(of_a + of_b)
    if moving:
        return of_a + n * velocity, {"velocity": velocity}
    return of_a + d_a * n * velocity / both, {"stress_force": velocity / both}


def following(displacement: Unknown, velocity: Any, q: Any, dx: ufl.Measure) -> ufl.Form:
    """`int (du/dt + v . grad u - v) . q dx`: u is the way of the lattice that is at a place now."""
    u = displacement.function
    return ufl.inner(displacement.rate + ufl.dot(ufl.grad(u), velocity) - velocity, q) * dx


@checked(collective=True)
def positions(model: Model, planted: ArrayLike) -> NDArray[np.float64]:
    """Return the places of markers that were planted in the lattice of an alloy with `markers=True`. Collective.

    Args:
        model: the alloy.
        planted: places at the start, shape (n, dim) [length].

    Returns:
        their places now, shape (n, dim); NaN for a marker that has left the domain.

    Raises:
        UnknownName: if the model has no displacement.
        ParameterError: for places of another shape.
        ConvergenceError: if a marker is not found, where the lattice is torn.
    """
    u, dim = model["displacement"], model.domain.dim
    start_places = floats("planted", planted)
    if start_places.ndim != 2 or start_places.shape[1] != dim:
        msg = f"planted of shape {start_places.shape}, must be (n, {dim})"
        raise ParameterError(msg)
    places, close = start_places.copy(), CLOSE * _size(model.domain)
    for _ in range(ROUNDS):
        moved = fields.evaluate(u, places).reshape(places.shape)
        off = start_places + moved - places  # x - u(x) = X, and x - u(x) grows with x
        if not (np.abs(off) > close).any():
            return places + off
        places += off / 2
    msg = f"markers not found within {np.nanmax(np.abs(off)):.3g}: the lattice is torn there"
    raise ConvergenceError(msg, t=model.t, dt=np.nan, reason="DIVERGED_MAX_IT")


def _size(domain: Domain) -> float:
    """Return the longest edge of the box around the domain."""
    lower, upper = bounds(domain.mesh)
    return float((upper - lower).max())


def _pair(name: str, values: Any) -> tuple[Any, Any]:
    """Return two values, of A and of B.

    Raises:
        ParameterError: if they are not two.
    """
    if is_ufl(values) or not isinstance(values, Sequence | np.ndarray) or len(values) != 2:
        msg = f"{name} = {values!r}, must be two: of A and of B"
        raise ParameterError(msg)
    return values[0], values[1]


def _of_fraction(domain: Domain, name: str, value: Any, n: fem.Function) -> Any:
    """Return a number above 0, UFL, or a function of N as a UFL scalar.

    Raises:
        ParameterError: if it is something else.
    """
    if is_law(value):
        expression = models.scalar_law(name, value, n)
        check_fractions(domain, f"{name}(N)", value)
        return expression
    if is_ufl(value):
        return models.check_positive(domain, name, models.scalar(name, value))
    return fem.Constant(domain.mesh, number(name, value, above=0.0))
