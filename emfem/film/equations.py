"""The film model: the terms put together into a residual for composition and chemical potential."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import METRE, PLAIN, Meaning, System, scaled
from emfem.errors import ParameterError, count, number, require
from emfem.film.alloy import Alloy
from emfem.film.coherency import Substrate, substrate
from emfem.film.noise import ThermalNoise, random_flux
from emfem.film.resolution import LEVELS, at_levels, lowest_curvature, resolutions
from emfem.film.start import Noise, start
from emfem.film.tensors import HasTensor, Tensor, gradient_tensor, tensor_of
from emfem.film.terms import degenerate_mobility, derivative, energy_of, potential, slopes, solute_flux, transport
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
NEGATIVE = 0.1  # of the mobility amid the start: what is less below 0 is an undershoot
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
        mobility: M(c) in UFL instead of c (1 - c). With both replaced, c may have any range in
            which M is not negative: a run ends where it falls below -0.1 of M amid the start.
        drift_mobility: M_F(c) in UFL, in front of F alone: the flux is -D (M grad mu - M_F F); M when left out.
        noise: `thermal_noise(...)`, a random flux of the covariance 2 theta M D; none when left out. It is no part of
            the field `flux` and of `dissipation`.
        degree: polynomial degree of both unknowns [-].

    Raises:
        ParameterError: for a mean, start or fixed composition outside (0, 1), a tensor or field of the wrong shape or
            not finite, a free energy that does not depend on c, a mobility that is negative, a domain in metres, noise
            with a tensor of UFL in space or without a strength.
        UnknownName: for a boundary that does not exist.
    """
    system = _system(domain, alloy, free_energy)
    degree = int(number("degree", count("degree", degree, at_least=1), at_most=HIGHEST_DEGREE))
    conditions = models.check_boundaries(domain, on, (Fixed, Flux))
    limits = (0.0, 1.0) if free_energy is None or mobility is None else (-np.inf, np.inf)
    _check_compositions(mean, conditions, limits)
    energy = free_energy or energy_of(alloy, lambda value: fem.Constant(domain.mesh, value))
    crystal = tensor_of(domain, "anisotropy", anisotropy)
    steep, least = gradient_tensor(domain, gradient_anisotropy)
    thinnest = least * float(alloy.gradient_energy)
    force, drivers = models.vector_coefficient(domain, "field", field)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    composition = models.evolving("c", space, (limits[0] - UNDERSHOOT, limits[1] + UNDERSHOOT), bounds_message=BEYOND)
    chemical = models.algebraic("mu", space)
    c = composition.function
    _check_energy(energy, c)
    mobile = models.scalar_law("mobility", mobility or degenerate_mobility, c)
    drifting = None if drift_mobility is None else models.scalar_law("drift_mobility", drift_mobility, c)
    start(c, domain, initial, mean, limits)
    if mobility is not None:
        _check_mobility(domain, mobility, c, limits)
        if not np.isfinite(limits).all():
            ends = _mobile_range(domain, mobility, c)
            composition = replace(composition, bounds=ends, bounds_message="there the mobility is negative")
    below = substrate(
        domain, space, float(alloy.coherency), thinnest, _curvature(domain, energy, c) if alloy.coherency else 0.0
    )
    unknowns = (composition, chemical, *below.unknowns)
    dx = domain.dx(2 * degree)
    terms = _Terms(domain, alloy, composition, chemical.function, energy, mobile, drifting, crystal, steep, force, dx)
    thermal, steps = _thermal(terms, noise, 2 * degree)
    residual = terms.residual(unknowns, thermal, below)
    entering, out, inflow_drivers = models.inflow(domain, conditions, models.tests(unknowns)[0], 2 * degree)
    values, dirichlet_drivers = models.dirichlet_conditions(domain, composition, conditions)
    reaction = models.ConsistentFlux(composition, values, 1.0)

    return Model(
        "film",
        domain,
        unknowns,
        residual - entering,
        conditions=values,
        expressions={"flux": terms.flux, "field": force},
        quantities={
            **terms.quantities(below),
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
            models.PhaseField(composition, chemical, mobile, crystal.root, terms.stiff, dx),
            *([models.Multigrid(unknowns=below.unknowns)] if below.unknowns else []),
        ],
    )


@dataclass(frozen=True, eq=False)
class _Terms:
    """The laws of a film at its present composition, and the terms that are made of them."""

    domain: Domain
    alloy: Alloy
    composition: models.Unknown
    mu: fem.Function
    energy: Callable[[Any], Any]
    mobility: Any
    drift_mobility: Any
    crystal: Tensor
    steep: Any
    force: Any
    dx: ufl.Measure

    @cached_property
    def gradient_energy(self) -> fem.Constant:
        """Gradient energy eps."""
        return fem.Constant(self.domain.mesh, float(self.alloy.gradient_energy))

    @property
    def stiff(self) -> Any:
        """`eps tr G/dim`, the mean of the gradient energy over the directions."""
        eps, steep = self.gradient_energy, self.steep
        return eps if steep is None else eps * ufl.tr(steep) / steep.ufl_shape[0]

    @property
    def flux(self) -> Any:
        """`J = -M D (grad mu - F)`."""
        return solute_flux(self.mobility, self.crystal.value, self.mu, self.force, self.drift_mobility)

    @property
    def stored(self) -> ufl.Form:
        """`int f(c) + (eps/2) grad c . G grad c dx`."""
        c = self.composition.function
        return self.energy(c) * self.dx + self.gradient_energy / 2 * slopes(c, c, self.steep) * self.dx

    def residual(self, unknowns: Sequence[models.Unknown], thermal: Any, below: Substrate) -> ufl.Form:
        """`int (dc/dt) v - (J + J_thermal) . grad v + (mu - f' + q |k| c) w - eps grad c . G grad w dx`."""
        v, w, *others = models.tests(unknowns)
        c, dx = self.composition.function, self.dx
        form = transport(self.composition.rate, self.flux + thermal, v, dx)
        form += potential(self.mu, derivative(self.energy, c), self.gradient_energy, c, w, dx, self.steep)
        return form + below.residual(c, w, others, dx) if below.unknowns else form

    def quantities(self, below: Substrate) -> dict[str, Quantity]:
        """Return solute, energy, -int J . (grad mu - F) (the power lost), and the spread of c."""
        c, dx, comm = self.composition.function, self.dx, self.domain.mesh.comm
        area = models.measure_size(self.domain, dx)
        first, second = fem.form(c * dx), fem.form(c**2 * dx)

        def amplitude() -> float:
            """sqrt(2 <(c - <c>)^2>): the amplitude of c if it is a single wave."""
            mean, square = (fields.integral(moment, comm) / area for moment in (first, second))
            return math.sqrt(max(0.0, 2 * (square - mean**2)))

        return {
            "solute": Quantity(c * dx),
            "free_energy": below.quantity(self.stored, c, dx) if below.unknowns else Quantity(self.stored),
            "dissipation": Quantity(-ufl.inner(self.flux, ufl.grad(self.mu) - self.force) * dx),
            "c_min": models.lowest(c),
            "c_max": models.highest(c),
            "amplitude": Quantity(amplitude),
        }


def _thermal(terms: _Terms, noise: ThermalNoise | None, degree: int) -> tuple[Any, list[models.Driver]]:
    """Return the random flux of thermal noise, and what makes it anew.

    Raises:
        ParameterError: if the tensor of diffusion has no root, or the noise no strength.
    """
    if noise is None:
        return ufl.zero(terms.domain.dim), []
    strength = noise.strength_in(terms.alloy)
    message = "anisotropy, must be numbers in space with noise: the matrix root of UFL or of a law of time is not known"
    require(terms.crystal.exact_root, message)
    if strength == 0.0:
        return ufl.zero(terms.domain.dim), []
    return random_flux(terms.domain, noise, strength, terms.mobility, terms.crystal.root, degree)


def _check_compositions(mean: float | None, conditions: Mapping[str, Any], limits: tuple[float, float]) -> None:
    """Refuse a mean or a fixed composition that is not inside the limits."""
    low, high = limits
    if mean is not None:
        number("mean", mean, above=low, below=high)
    for name, condition in conditions.items():
        if isinstance(condition, Fixed) and np.isfinite(limits).all():
            models.of_time(f"composition fixed on {name!r}", condition.value, above=low, below=high)


def _check_mobility(
    domain: Domain, mobility: Callable[[Any], Any], c: fem.Function, limits: tuple[float, float]
) -> None:
    """Refuse a mobility that is negative somewhere between 0 and 1, or in a film without limits amid its start.

    Laws such as 1 - c^2 are negative at the outermost compositions of a start; one that is no number there fails later.
    """
    low, high = fields.extremes(c)
    middle, quarter = (low + high) / 2, (high - low) / 4
    levels = LEVELS if np.isfinite(limits).all() else np.linspace(middle - quarter, middle + quarter, len(LEVELS))
    values = at_levels(domain, mobility, levels)
    negative = np.flatnonzero(values < 0.0)
    if len(negative):
        lowest = negative[values[negative].argmin()]
        number(f"mobility({levels[lowest]:.3g})", float(values[lowest]), at_least=0.0)


def _mobile_range(domain: Domain, mobility: Callable[[Any], Any], c: fem.Function) -> tuple[float, float]:
    """Return the compositions on both sides of the start where M first falls below -0.1 of M amid it. Collective.

    They are at least the usual undershoot beyond the first negative M.
    """
    low, high = fields.extremes(c)
    middle = (low + high) / 2
    away = np.concatenate([[0.0], max(high - low, UNDERSHOOT) * np.geomspace(0.6, 1e3, 60)])
    ends = [-np.inf, np.inf]
    for index, side in enumerate((-1.0, 1.0)):
        values = at_levels(domain, mobility, middle + side * away)
        negative = np.flatnonzero(values < -NEGATIVE * abs(values[0]))
        if len(negative):
            least = away[np.flatnonzero(values < 0)[0]] + UNDERSHOOT
            ends[index] = middle + side * max(away[negative[0]], least)
    return ends[0], ends[1]


def _curvature(domain: Domain, energy: Callable[[Any], Any], c: fem.Function) -> float:
    """Return the least f'' between 0 and 1, and about the start where that is beyond. Collective."""
    low, high = fields.extremes(c)
    span = max(1.0, high - low)
    beyond = [] if low >= 0.0 and high <= 1.0 else [np.linspace(low - span, high + span, 2 * len(LEVELS))]
    return lowest_curvature(domain, energy, np.concatenate([LEVELS, *beyond]))


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


def _check_energy(energy: Callable[[Any], Any], c: fem.Function) -> None:
    """Refuse a free energy that is no scalar or does not depend on c."""
    value = models.apply_law("free_energy", energy, c)
    slope = expand_derivatives(derivative(lambda x: ufl.as_ufl(energy(x)), c)) if value.ufl_shape == () else None
    if slope is None or isinstance(slope, ufl.constantvalue.Zero):
        msg = f"free_energy(c) = {value}, must be a scalar that depends on c"
        raise ParameterError(msg)
