"""The migration model: diffusion and drift of one species put together into a residual for its concentration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emfem import model as models
from emfem.dimensions import PLAIN, Meaning, integral, parsed, product
from emfem.errors import ParameterError, choice
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.migration.boundaries import FastPath
from emfem.migration.exchange import fast_paths, in_boundaries
from emfem.migration.exponential_fitting import SIMPLICES, fitted_flux, rules
from emfem.migration.inputs import start, typical_flow
from emfem.migration.laws import species_flux, transport
from emfem.migration.measures import peclet, resolutions
from emfem.model import Fixed, Flux, Model, Quantity, Unknown
from emfem.model.fluxes import weighted
from emfem.model.unknowns import degree_of

import numpy as np
import ufl
from dolfinx import fem

STABILISATIONS = ("fitted",)
# `petsc_options=ITERATIVE` for large meshes: drift makes the matrix unsymmetric, and multigrid alone stalls then.
ITERATIVE: Mapping[str, object] = {
    "ksp_type": "gmres",
    "ksp_gmres_restart": 100,
    "ksp_rtol": 1e-11,
    "pc_type": "asm",
    "sub_pc_type": "ilu",
    "sub_pc_factor_levels": 2,
}


@checked(collective=True)
def model(
    domain: Domain,
    *,
    diffusivity: Any,
    drift: Any = None,
    initial: Any,
    on: Mapping[str, Fixed | Flux] | None = None,
    source: Callable[[Any], Any] | None = None,
    grain_boundaries: FastPath | None = None,
    stabilisation: str | None = None,
    degree: int | None = None,
    name: str = "c",
    unit: str | None = None,
) -> Model:
    """Return the migration model: unknown c (concentration), derived fields flux, drift, diffusivity.

    Find c with int dc/dt w - J . grad w dx = int g w dx + int h w ds for all w, J = -D grad c + v c, g the source and h
    the flux let in. The drift is in conservative form: div v need not be 0. Boundaries without a condition are
    blocked. Several species are several models, each with its own name, in one `evolve` or `solve_steady`. A blocked
    species has a steady state for every amount, and `solve_steady` finds the one with the amount of the start.

    Quantities: amount (int c), c_min, c_max, peclet (the largest cell Peclet number), and `flux NAME` for each named
    boundary (total, out of the domain positive): where c is fixed it is the reaction of the discrete equations, so
    fluxes and the change of the amount balance to rounding. A species with a name of its own has it in all of them:
    `amount Ag`, `Ag_min`, `flux anode Ag`.

    The residual is divided by a typical flow, and time steps count absolute errors in parts of the largest
    concentration of the start and the boundaries, so that tolerances mean the same in every unit.

    Args:
        domain: of any dimension and shape.
        diffusivity: D: a number, a tensor of shape (dim, dim), either of them for each region by name, or UFL of either
            kind [m2/s].
        drift: v: a vector of dim numbers (in one dimension a number), UFL, such as one of another model's fields, or a
            function of time that returns numbers; None is no drift [m/s].
        initial: c at the start, at least 0: a number, a function of x with shape (3, n), or a Function.
        on: conditions on named boundaries: `fixed(c)` holds a concentration [-], `flux(h)` lets a flux in [-],
            both in the unit of c.
        source: a function of c that returns g in UFL, such as `sinks(...)`.
        grain_boundaries: `fast_path(...)` makes the boundaries between regions fast paths, with the concentration of
            the grains or, in exchange with them, one of their own; the amount counts that too.
        stabilisation: None, or "fitted" for exponential fitting. Take it where c has layers thinner than a cell: where
            the cell Peclet number |v| h / (2 D) exceeds 1 and drift meets a boundary, or c jumps. There plain elements
            oscillate and c becomes negative; fitted steady states do neither on intervals, triangles and tetrahedra
            without obtuse angles (in time within the steps' error). In the drift of a linear potential a blocked steady
            state is exact at the nodes. The price is diffusion of |v| h / 2 along the drift: order 2 while cells
            resolve what c does, 1 where they do not.
        degree: polynomial degree of c; 2 when left out, and 1, the only one there is, with fitting. Plain elements of
            degree 2 are the default because they resolve smooth problems, and pulses far from boundaries, best [-].
        name: of the species.
        unit: of its concentration, such as "1/m3", or "-" for a fraction; without it amounts and fluxes have none.

    Raises:
        ConvergenceError: of a solve, where a source drives c below 0 by more than the largest concentration.
        ParameterError: for a diffusivity that is not positive, a drift of the wrong shape, a start or a fixed
            concentration that is negative or not finite, fitting on cells that are not simplices.
        UnknownName: for a boundary, region or stabilisation that does not exist.
    """
    _word(name)
    _known_unit(unit)
    fitted = stabilisation is not None and choice("stabilisation", stabilisation, STABILISATIONS) == "fitted"
    degree = _degree(domain, degree, fitted)
    conditions = models.check_boundaries(domain, on, (Fixed, Flux))
    _check(domain, conditions, grain_boundaries, fitted)
    spread = models.positive_coefficient(domain, "diffusivity", diffusivity)
    velocity, drivers = models.vector_coefficient(domain, "drift", drift)

    species, scale = _species(domain, name, degree, initial, conditions, typical_flow(domain, spread, velocity), source)
    inside = in_boundaries(species, grain_boundaries)
    unknowns = [each for each in (species, inside) if each is not None]
    tests = models.tests(unknowns)
    dx = domain.dx(2 * degree)
    dt, middle = rules(domain) if fitted else (dx, dx)
    flux = species_flux(spread, velocity, species.function)
    moved = (fitted_flux(domain, spread, velocity, species.function), middle) if fitted else (flux, dx)
    sources = _sources(source, species.function, dt)
    paths = fast_paths(domain, grain_boundaries, conditions, unknowns, tests, 2 * degree, fitted=fitted)
    entering, out, inflow_drivers = models.inflow(domain, conditions, tests[0], 2 * degree, paths.edges)
    dirichlet_values, dirichlet_drivers = models.dirichlet_conditions(domain, species, conditions)
    balance = transport(species.rate, tests[0], dt, *moved) + paths.form - entering
    for made in sources.values():
        balance -= weighted(made, tests[0])

    reactions = [
        models.ConsistentFlux(unknown, fixed, scale)
        for unknown, fixed in zip(unknowns, (dirichlet_values, paths.conditions), strict=False)
    ]
    free = source is None and not dirichlet_values  # its amount is that of the start and of the fluxes
    mark = "" if name == "c" else f" {name}"
    stored = species.function * dx + paths.stored
    amount, flow = (_integral(unit, seconds) for seconds in (0, -1))
    return Model(
        f"migration of {name}" if mark else "migration",
        domain,
        unknowns,
        fem.Constant(domain.mesh, 1 / scale) * balance,
        conditions=[*dirichlet_values, *paths.conditions],
        expressions={f"flux{mark}": flux, f"drift{mark}": velocity, f"diffusivity{mark}": spread},
        quantities={
            f"amount{mark}": Quantity(stored, amount),
            f"{name}_min": models.lowest(species.function, unit or PLAIN),
            **{f"{each.name}_max": models.highest(each.function, unit or PLAIN) for each in unknowns},
            f"peclet{mark}": Quantity(lambda model: peclet(model).value, of_model=True),
            **models.boundary_fluxes(domain.names, reactions, out, meaning=flow, label=f"flux {{}}{mark}"),
        },
        drivers=[*drivers, *paths.drivers, *inflow_drivers, *dirichlet_drivers],
        steady_by_relaxation=free,
        no_steady_state_reason=models.unbalanced_inflow(domain, conditions, f"of {name}", name) if free else "",
        balances={f"amount{mark}": models.Balance(stored, amount, tuple(reactions), out, sources)},
        resolutions=[] if fitted else resolutions(domain, degree),
        system=domain.system(),
        meanings={
            name: Meaning("concentration", unit or PLAIN),
            f"{name}_boundary": Meaning("concentration in boundaries", unit or PLAIN),
            f"flux{mark}": Meaning("flux", PLAIN if unit is None else product(unit, metres=1, seconds=-1)),
            f"drift{mark}": Meaning("drift velocity", "m/s"),
            f"diffusivity{mark}": Meaning("diffusivity", "m2/s"),
        },
        preconditioner=models.Multigrid(symmetric=drift is None),
    )


def _species(
    domain: Domain, name: str, degree: int, initial: Any, conditions: Mapping[str, Any], flow_of_one: float, source: Any
) -> tuple[Unknown, float]:
    """Return the unknown c at its start, and a typical flow of it.

    Both are scaled by the largest concentration of start and boundaries, without one by what a flux let in makes.
    """
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    c, rate = fem.Function(space, name=name), fem.Function(space, name=f"rate of {name}")
    highest = max(start(c, initial), *models.values_at_start(conditions, Fixed).values(), 0.0)
    inflow = max(map(abs, models.inflows(domain, conditions)), default=0.0)
    level = highest or inflow / flow_of_one or 1.0
    species = Unknown(
        c,
        rate,
        (-level if source is not None and highest > 0 else -np.inf, np.inf),
        scale=level,
        bounds_message="the source takes more than there is, or grows with the concentration: there is no such state",
        unsteady="" if source is None else f"with its source {name} may have no steady state",
    )
    return species, max(level * flow_of_one, inflow)


def _sources(source: Callable[[Any], Any] | None, c: fem.Function, dx: ufl.Measure) -> dict[str, ufl.Form]:
    """`int g(c) dx`, by the name of its term in the balance of the amount."""
    if source is None:
        return {}
    # a source that is a number has no mesh of its own
    return {"source": models.scalar_law("source", source, c) * fem.Constant(c.function_space.mesh, 1.0) * dx}


def _known_unit(unit: Any) -> None:
    """Refuse a unit that Pint does not know.

    Raises:
        ParameterError: if it does not.
    """
    if unit is not None:
        parsed(unit)


def _integral(unit: str | None, seconds: int = 0) -> Meaning:
    """Return the meaning of an amount, or of a flow with -1 second; no unit where the concentration has none."""
    return Meaning() if unit is None else integral(product(unit, metres=3, seconds=seconds))


def _check(domain: Domain, conditions: Mapping[str, Any], grain_boundaries: Any, fitted: bool) -> None:
    """Refuse conditions or grain boundaries that cannot be used.

    Raises:
        ParameterError: if one cannot.
    """
    for boundary, condition in conditions.items():
        if isinstance(condition, Fixed):
            models.of_time(f"concentration fixed on {boundary!r}", condition.value, at_least=0.0)
    if grain_boundaries is not None and domain.dim != 2 and fitted:
        msg = f"stabilisation = 'fitted' with grain_boundaries in {domain.dim} dimensions, must be in 2"
        raise ParameterError(msg)


def _word(name: Any) -> None:
    """Refuse a name that is no word, or one that a quantity or field has.

    Raises:
        ParameterError: if it is.
    """
    if not isinstance(name, str) or not name or name.startswith(("flux", "drift", "amount", "peclet")):
        msg = f"name = {name!r}, must be a word, not flux, drift, amount or peclet"
        raise ParameterError(msg)


def _degree(domain: Domain, degree: int | None, fitted: bool) -> int:
    """Return the polynomial degree: that of the user, 2, or 1 with fitting.

    Raises:
        ParameterError: for fitting of another degree or on cells that are not simplices.
    """
    if not fitted:
        return degree_of(2 if degree is None else degree)
    if degree is not None and degree_of(degree) != 1:
        msg = f"degree = {degree!r}, must be 1 with stabilisation = 'fitted'"
        raise ParameterError(msg)
    cell = domain.mesh.topology.cell_name()
    if cell not in SIMPLICES:
        msg = f"stabilisation = 'fitted' on {cell} cells, must be on one of {', '.join(SIMPLICES)}: mesh with cell=..."
        raise ParameterError(msg)
    return 1
