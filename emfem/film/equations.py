"""The film model: the terms put together into a residual for composition and chemical potential."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import METRE, PLAIN, Meaning, System, scaled
from emfem.errors import ParameterError, count, number, require
from emfem.film.alloy import Alloy
from emfem.film.coherency import substrate
from emfem.film.noise import ThermalNoise, random_flux
from emfem.film.resolution import lowest_curvature, resolutions
from emfem.film.start import Noise, start
from emfem.film.tensors import HasTensor, gradient_tensor, tensor_of
from emfem.film.terms import degenerate_mobility, derivative, mixing_energy, potential, slopes, solute_flux, transport
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Fixed, Flux, Model, OfTime, Quantity

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray
from ufl.algorithms import expand_derivatives
from ufl.core.expr import Expr

MEANINGS = {
    "c": Meaning("concentration c"),
    "mu": Meaning("chemical potential"),
    "flux": Meaning("flux of solute"),
    "field": Meaning("driving field"),
}
BEYOND = "a field too strong for the cells, or lengths that are not in film thicknesses"
NO_REST = "its thermal noise never rests: leave `noise` out"
HIGHEST_DEGREE = 12  # of elements; that of their products is the highest of the quadrature rules
UNDERSHOOT = 0.01  # of the discrete c below 0 or above 1 where a field uses one species up, before a step is repeated


@checked(collective=True)
def model(
    domain: Domain,
    alloy: Alloy,
    *,
    mean: float | None = None,
    anisotropy: HasTensor | ArrayLike | Mapping[str, HasTensor | ArrayLike] | Expr | OfTime | None = None,
    gradient_anisotropy: HasTensor | ArrayLike | Mapping[str, HasTensor | ArrayLike] | None = None,
    field: Any = None,
    initial: Noise | Callable[[NDArray[np.float64]], NDArray[np.float64]] | fem.Function | None = None,
    on: Mapping[str, Fixed | Flux] | None = None,
    free_energy: Callable[[Any], Any] | None = None,
    mobility: Callable[[Any], Any] | None = None,
    drift_mobility: Callable[[Any], Any] | None = None,
    noise: ThermalNoise | None = None,
    degree: int = 2,
) -> Model:
    """Return the film model on `domain`: unknowns c (solute fraction) and mu (chemical potential).

    Find c, mu with int (dc/dt) v + M(c) D (grad mu - F) . grad v dx = 0 and
    int mu w - f'(c) w - eps grad c . grad w dx = 0 for all v, w. Edges without a condition are blocked. Coherency
    stress takes q |k| c from mu, by unknowns `average j` of which |k| is made, see `film/coherency.py`; the free energy
    is then not local, and known once they are solved for.
    Quantities: solute, free_energy, dissipation, c_min, c_max, amplitude (sqrt 2 times the rms deviation: that of a
    single wave), and `flux NAME` for each named boundary (out of the domain positive): where c is fixed it is the
    reaction of the discrete equations, so fluxes and the change of the solute balance to rounding, see `em.balance`.

    Args:
        domain: of any dimension and shape.
        alloy: the constants; with a `free_energy` of your own only the gradient energy and coherency are used.
        mean: mean solute fraction; needed with noise, otherwise `initial` gives it (and must agree with it) [-].
        anisotropy: the crystal, or any law with a method `tensor()`, such as `Activated`, or a diffusion tensor, array,
            UFL or a function of time, shape (dim, dim); one of them for each region by name, a polycrystal; isotropic
            when left out. On a surface in space the tensor has shape (2, 2), its axes those of `on_surface` [-].
        gradient_anisotropy: G of the gradient energy (eps/2) grad c . G grad c, numbers in the same way; the unit
            tensor when left out [-].
        field: drift force F: a vector of dim numbers, a UFL vector, or a function of t that returns dim numbers; None
            is no drift [-].
        initial: `noise(...)` about the mean, a function of x with shape (3, n) that gives c, or a Function [-].
        on: conditions on named boundaries: `fixed(c)` holds a composition [-], `flux(J)` lets solute in [-]. The
            equation for mu imposes n . grad c = 0 weakly on every edge, one that holds a composition too.
        free_energy: f(c) in UFL instead of the alloy's; mu follows from it.
        mobility: M(c) in UFL instead of c (1 - c). With both replaced, c may have any range.
        drift_mobility: M_F(c) in UFL, in front of F alone: the flux is -D (M grad mu - M_F F); M when left out.
        noise: `thermal_noise(...)`, a random flux of the covariance 2 theta M D; none when left out. It is no part of
            the field `flux` and of `dissipation`.
        degree: polynomial degree of both unknowns [-].

    Raises:
        ParameterError: for a mean, start or fixed composition outside (0, 1), a tensor or field of the wrong shape or
            not finite, a free energy that does not depend on c, a domain in metres, noise with a tensor of UFL in space
            or without a strength.
        UnknownName: for a boundary that does not exist.
    """
    system = _system(domain, alloy, free_energy)
    degree = count("degree", degree, at_least=1)
    number("degree", degree, at_most=HIGHEST_DEGREE)
    conditions = models.check_boundaries(domain, on, (Fixed, Flux))
    free = free_energy is not None and mobility is not None
    limits = (-np.inf, np.inf) if free else (0.0, 1.0)
    bounds = (limits[0] - UNDERSHOOT, limits[1] + UNDERSHOOT)
    if mean is not None:
        number("mean", mean, above=None if free else 0.0, below=None if free else 1.0)
    for name, condition in conditions.items():
        if isinstance(condition, Fixed) and not free:
            models.of_time(f"composition fixed on {name!r}", condition.value, above=0.0, below=1.0)
    constants = {
        name: fem.Constant(domain.mesh, float(getattr(alloy, name)))
        for name in ("entropy", "enthalpy", "solute_expansion", "energy_ratio")
    }
    energy = free_energy or (lambda c: mixing_energy(c, **constants))
    mobile = mobility or degenerate_mobility
    crystal = tensor_of(domain, "anisotropy", anisotropy)
    steep, least = gradient_tensor(domain, gradient_anisotropy)
    thinnest = least * float(alloy.gradient_energy)
    force, drivers = models.vector_coefficient(domain, "field", field)
    strength = None if noise is None else noise.strength_in(alloy)
    message = "anisotropy, must be numbers in space with noise: the matrix root of UFL or of a law of time is not known"
    require(noise is None or crystal.exact_root, message)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    composition = models.evolving("c", space, bounds, bounds_message=BEYOND)
    chemical = models.algebraic("mu", space)
    c, mu, rate = composition.function, chemical.function, composition.rate
    _check_energy(energy, c)
    models.apply_law("mobility", mobile, c)
    drifting = None if drift_mobility is None else models.apply_law("drift_mobility", drift_mobility, c)
    start(c, domain, initial, mean, limits)

    curvature = lowest_curvature(domain, energy) if alloy.coherency else 0.0
    below = substrate(domain, space, float(alloy.coherency), thinnest, curvature)
    unknowns = (composition, chemical, *below.unknowns)

    v, w, *others = models.tests(unknowns)
    dx = domain.dx(2 * degree)
    eps = fem.Constant(domain.mesh, float(alloy.gradient_energy))
    flux = solute_flux(mobile(c), crystal.value, mu, force, drifting)
    stiff = eps if steep is None else eps * ufl.tr(steep) / steep.ufl_shape[0]
    thermal: Any = ufl.zero(domain.dim)
    steps: list[models.Driver] = []
    if noise is not None and strength:
        thermal, steps = random_flux(domain, noise, strength, mobile(c), crystal.root, 2 * degree)
    residual = transport(rate, flux + thermal, v, dx) + potential(mu, derivative(energy, c), eps, c, w, dx, steep)
    if below.unknowns:
        residual += below.residual(c, w, others, dx)
    stored = energy(c) * dx + eps / 2 * slopes(c, c, steep) * dx
    entering, out, inflow_drivers = models.inflow(domain, conditions, v, 2 * degree)
    dirichlet_values, dirichlet_drivers = models.dirichlet_conditions(domain, composition, conditions)
    reaction = models.ConsistentFlux(composition, dirichlet_values, 1.0)

    return Model(
        "film",
        domain,
        unknowns,
        residual - entering,
        conditions=dirichlet_values,
        expressions={"flux": flux, "field": force},
        quantities={
            **_quantities(domain, c, stored, flux, ufl.grad(mu) - force, dx),
            **({"free_energy": below.quantity(stored, c, dx)} if below.unknowns else {}),
            **models.boundary_fluxes(domain.names, [reaction], out),
        },
        drivers=[*drivers, *crystal.drivers, *steps, *inflow_drivers, *dirichlet_drivers],
        steady_by_relaxation=True,
        no_steady_state_reason=NO_REST if steps else "",
        balances={"solute": models.Balance(c * dx, "-", (reaction,), out)},
        resolutions=resolutions(domain, energy, thinnest, degree),
        roles={"pattern": "c"},
        system=system,
        meanings=MEANINGS,
        preconditioner=[
            models.PhaseField(composition, chemical, mobile(c), crystal.root, stiff, dx),
            *([models.Multigrid(unknowns=below.unknowns)] if below.unknowns else []),
        ],
    )


def _system(domain: Domain, alloy: Alloy, free_energy: Any) -> System:
    """Return the system of units: scaled by the film's thickness h, or as the domain or a user's free energy has it.

    Raises:
        ParameterError: for a domain in metres, unless the free energy is a user's, with scales of its own.
    """
    if domain.length_unit == METRE and free_energy is None:
        msg = f"domain = {domain.shape} in metres, must be in film thicknesses: use domain.scaled('h') if it is"
        raise ParameterError(msg)
    unit = domain.length_unit if domain.length_unit not in (None, METRE) else "h" if free_energy is None else PLAIN
    return scaled(str(unit), alloy.scales.in_si if alloy.scales else None)


def _quantities(
    domain: Domain, c: fem.Function, free_energy: ufl.Form, flux: Any, force: Any, dx: ufl.Measure
) -> dict[str, Quantity]:
    """Return the quantities: solute, energy, -int J . force (the power lost), and the spread of c."""
    comm, area = domain.mesh.comm, models.measure_size(domain, dx)
    first, second = fem.form(c * dx), fem.form(c**2 * dx)

    def amplitude() -> float:
        """sqrt(2 <(c - <c>)^2>): the amplitude of c if it is a single wave."""
        mean, square = (fields.integral(moment, comm) / area for moment in (first, second))
        return math.sqrt(max(0.0, 2 * (square - mean**2)))

    return {
        "solute": Quantity(c * dx),
        "free_energy": Quantity(free_energy),
        "dissipation": Quantity(-ufl.inner(flux, force) * dx),
        "c_min": models.lowest(c),
        "c_max": models.highest(c),
        "amplitude": Quantity(amplitude),
    }


def _check_energy(energy: Callable[[Any], Any], c: fem.Function) -> None:
    """Refuse a free energy that is no scalar or does not depend on c."""
    value = models.apply_law("free_energy", energy, c)
    slope = expand_derivatives(derivative(lambda x: ufl.as_ufl(energy(x)), c)) if value.ufl_shape == () else None
    if slope is None or isinstance(slope, ufl.constantvalue.Zero):
        msg = f"free_energy(c) = {value}, must be a scalar that depends on c"
        raise ParameterError(msg)
