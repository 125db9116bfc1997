"""The model of height and composition: the terms put together into one residual."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import METRE, Meaning, System, integral, scaled
from emfem.errors import ParameterError, number, require
from emfem.gate import checked
from emfem.height.alloy import Alloy, Species
from emfem.height.resolution import resolutions
from emfem.height.terms import (
    fraction,
    growth,
    inclination_factor,
    layer_balance,
    mixing_energy,
    surface_energy,
    taken_up,
    volume_flux,
)
from emfem.mesh import Domain
from emfem.model import Model, Quantity
from emfem.model.preconditioner import matrix_root
from emfem.model.unknowns import degree_of

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

UNDERSHOOT = 0.01  # of the discrete c below 0 or above 1 where a field uses one species up, before a step is repeated
USED_UP = "a surface too steep or a field too strong for the cells, or one species is used up"
THROUGH = "the surface has reached the substrate"
MEANINGS = {
    "h": Meaning("height of the surface", "m", signed=True),
    "c": Meaning("composition c of the layer"),
    "mu_solvent": Meaning("potential of the solvent over kT", signed=True),
    "mu_solute": Meaning("potential of the solute over kT", signed=True),
    "buried": Meaning("solute below the layer", "m"),
    "stored": Meaning("energy of mixing below the layer", "m", signed=True),
    "flux_solvent": Meaning("flux of the solvent", "1/(m s)"),
    "flux_solute": Meaning("flux of the solute", "1/(m s)"),
    "field": Meaning("electric field", "V/m"),
    "below": Meaning("composition below the layer"),
    "slope": Meaning("slope of the surface"),
}


@checked(collective=True)
def model(
    domain: Domain,
    alloy: Alloy,
    *,
    thickness: float,
    mean: float | None = None,
    field: Any = None,
    height: Callable[[NDArray[np.float64]], NDArray[np.float64]] | fem.Function | None = None,
    composition: Callable[[NDArray[np.float64]], NDArray[np.float64]] | fem.Function | None = None,
    degree: int = 2,
) -> Model:
    """Return the model of height and composition on `domain`: unknowns h, c, mu_solvent, mu_solute, buried, stored.

    With A the solvent, B the solute, mu in k T, l = Omega gamma/kT and K' = Omega K/kT, find them with

        int h_t v - Omega (J_A + J_B) . grad v dx = 0
        int (delta c_t + b_t) w - Omega J_B . grad w dx = 0,   b_t = c h_t where h rises, b/H h_t where it falls
        int [(1 - c) mu_A + c mu_B - g(c)] r - l grad h . grad r / q dx = 0
        int [delta (mu_B - mu_A) - l' q - delta g'(c)] s - K' grad c . grad s dx = 0
        Omega J_i = -(delta D_i x_i) M_i(grad h) R_i P R_i (grad mu_i - Z_i* e E/kT),   x_A = 1 - c, x_B = c

    for all v, w, r, s. q = sqrt(1 + |grad h|^2), P = q I - grad h grad h/q is the metric of the surface, R the root of
    a tensor. b, the field `buried`, is the solute in the column of alloy below the layer, H = thickness + h - delta
    high: a surface that rises leaves alloy of its own composition behind, one that falls takes up the mean of the
    column. In the same way `stored` is its energy of mixing. Solvent and solute are conserved to rounding; without a
    field free_energy falls where the surface energy hardly depends on c. Edges are blocked, and the surface meets them
    at a right angle. E lies in the plane and is not changed by the surface: the film is thick against its roughness.

    Fields: also flux_solvent, flux_solute, field, slope, below (b/H). Quantities: volume (int h), solute (int delta c +
    b), free_energy, dissipation (-int J_i . (grad mu_i - F_i), the power lost on the surface), roughness and contrast
    (rms of h and of c about their means), h_min, h_max, c_min, c_max.

    Args:
        domain: a line or a plane; the surface above it is a graph, so there are no overhangs.
        alloy: the constants.
        thickness: of the film below the level h = 0, above that of the layer; a run ends where the surface comes to the
            substrate [m].
        mean: composition at the start; may be left out with `composition` [-].
        field: E: a vector of dim numbers, a UFL vector such as the E of a conduction model, or a function of t that
            returns dim numbers; none when left out [V/m].
        height: h at the start, a function of x with shape (3, n), or a Function; 0 when left out [m].
        composition: c at the start, of layer and film, in the same way; the mean when left out [-].
        degree: polynomial degree of the unknowns [-].

    Raises:
        ParameterError: for a domain that is neither a line nor a plane, or has other units than the alloy; a start
            outside (0, 1), or below the substrate; a field of the wrong shape or not finite.
    """
    system = _system(domain, alloy)
    degree = degree_of(degree)
    if mean is not None:
        number("mean", mean, above=0.0, below=1.0)
    require(mean is not None or composition is not None, "mean = None, must be given, or the start by `composition`")
    lowest = alloy.layer - number("thickness", thickness, above=alloy.layer, unit="" if alloy.scaled else "m")
    voltage_slope, drivers = models.vector_coefficient(domain, "field", field)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    surface = models.evolving("h", space, (lowest, math.inf), alloy.layer, THROUGH)
    layer = models.evolving("c", space, (-UNDERSHOOT, 1 + UNDERSHOOT), bounds_message=USED_UP)
    potentials = models.algebraic("mu_solvent", space), models.algebraic("mu_solute", space)
    below = models.evolving("buried", space, scale=alloy.layer), models.evolving("stored", space, scale=alloy.layer)
    unknowns = (surface, layer, *potentials, *below)
    h, c = surface.function, layer.function
    _start(surface, layer, domain, mean, height, composition, lowest)

    dx = domain.dx(3 * degree)
    terms = _Terms(domain, alloy, thickness, h, c)
    for one, density in zip(below, (c, mixing_energy(c, terms.interaction)), strict=True):
        one.function.interpolate(fem.Expression(density * terms.column, space.element.interpolation_points))
    forces = [constant * voltage_slope for constant in terms.pulls]
    fluxes = [
        terms.flux(i, potential.function, force)
        for i, (potential, force) in enumerate(zip(potentials, forces, strict=True))
    ]
    residual, factor = _residual(domain, alloy, unknowns, fluxes, terms, dx)
    lost = sum(ufl.inner(j, f - ufl.grad(p.function)) for j, f, p in zip(fluxes, forces, potentials, strict=True))
    return Model(
        "height",
        domain,
        unknowns,
        residual,
        expressions={
            "flux_solvent": fluxes[0] / terms.volume,
            "flux_solute": fluxes[1] / terms.volume,
            "field": voltage_slope,
            "below": below[0].function / terms.column,
            "slope": ufl.sqrt(ufl.inner(ufl.grad(h), ufl.grad(h))),
        },
        quantities=_quantities(domain, terms, h, c, [one.function for one in below], lost, dx),
        drivers=drivers,
        steady_by_relaxation=True,
        balances={"volume": models.Balance(h * dx, integral("m4"), (models.ConsistentFlux(surface, [], factor),))},
        resolutions=resolutions(domain, alloy, c, voltage_slope, degree),
        system=system,
        meanings=MEANINGS,
    )


class _Terms:
    """The constants of an alloy on a domain, as UFL, and what is made of them."""

    def __init__(self, domain: Domain, alloy: Alloy, thickness: float, h: fem.Function, c: fem.Function) -> None:
        """Make the constants: a number in a form would be another form for each value."""

        def constant(value: Any) -> fem.Constant:
            return fem.Constant(domain.mesh, np.asarray(value, dtype=float))

        kt, size = alloy.thermal_energy, alloy.atomic_volume
        self.h, self.c = h, c
        self.layer, self.volume = constant(alloy.layer), constant(size)
        self.column = constant(thickness - alloy.layer) + h
        self.interaction = constant(alloy.interaction_energy / kt)
        self.gradient = constant(size * alloy.gradient_coefficient / kt)
        self.density = constant(kt / size)  # of energy
        self.pulls = [constant(charge / kt) for charge in alloy.charges]
        self.capillary = [constant(size * one.surface_energy / kt) for one in alloy.species]
        self.species = [_constants(constant, one, domain.dim) for one in alloy.species]

    def energy(self) -> Any:
        """Energy of surface and layer in k T/Omega, by area of the plane."""
        solvent, solute = self.capillary
        line = lambda c: solvent + (solute - solvent) * c  # noqa: E731
        return surface_energy(self.c, self.h, line, self.interaction, self.layer, self.gradient)

    def flux(self, which: int, mu: Any, force: Any) -> Any:
        """Omega J of the solvent (0) or the solute (1)."""
        diffusivity, root, *inclined = self.species[which]
        share = fraction(self.c if which else 1 - self.c)
        mobility = self.layer * diffusivity * inclination_factor(self.h, *inclined)
        return volume_flux(share, mobility, root, self.h, mu, force)


def _constants(constant: Callable[[Any], fem.Constant], one: Species, dim: int) -> list[fem.Constant]:
    """Return D, the root of the tensor, direction, strength, folds and misorientation of a species."""
    root, inclined = matrix_root(one.tensor(dim)), (one.strength, one.folds, one.misorientation)
    return [constant(v) for v in (one.diffusivity, root, one.direction(dim), *inclined)]


def _residual(
    domain: Domain, alloy: Alloy, unknowns: Any, fluxes: Any, terms: _Terms, dx: ufl.Measure
) -> tuple[ufl.Form, float]:
    """Return the residual, its parts divided by typical flows and energies, and what that of h was divided by."""
    surface, layer, _, _, buried, stored = unknowns
    h, c, a, b = (one.function for one in unknowns[:4])
    v, w, r, s, below, energy_below = models.tests(unknowns)
    length, face = domain.extent()
    pace = max(one.diffusivity for one in alloy.species) / length**2
    flow = alloy.layer * pace * length * face

    def over(value: float) -> fem.Constant:
        return fem.Constant(domain.mesh, 1 / value)

    mixing, energy = mixing_energy(c, terms.interaction), terms.energy() * dx
    by_h = ufl.derivative(energy, h, r) + mixing * r * dx
    by_c = ufl.derivative(energy, c, s)
    moved = taken_up(surface.rate, c, buried.function / terms.column)
    heat = taken_up(surface.rate, mixing, stored.function / terms.column)
    residual = over(flow) * growth(surface.rate, fluxes[0] + fluxes[1], v, dx)
    residual += over(flow) * layer_balance(layer.rate, moved, terms.layer, fluxes[1], w, dx)
    residual += over(length * face) * (((1 - c) * a + c * b) * r * dx - by_h)
    residual += over(alloy.layer * length * face) * (terms.layer * (b - a) * s * dx - by_c)
    residual += over(flow) * (buried.rate - moved) * below * dx
    residual += over(flow) * (stored.rate - heat) * energy_below * dx
    return residual, flow


def _quantities(
    domain: Domain, terms: _Terms, h: Any, c: Any, below: Any, lost: Any, dx: ufl.Measure
) -> dict[str, Quantity]:
    """Return the quantities; the energy in joule."""
    buried, stored = below
    comm, area = domain.mesh.comm, models.measure_size(domain, dx)

    def spread(function: fem.Function) -> Callable[[], float]:
        """Return a function that gives the rms of a field about its mean."""
        mean = fem.Constant(domain.mesh, 0.0)
        first, second = fem.form(function * dx), fem.form((function - mean) ** 2 * dx)

        def rms() -> float:
            mean.value = fields.integral(first, comm) / area
            return math.sqrt(fields.integral(second, comm) / area)

        return rms

    return {
        "volume": Quantity(h * dx, integral("m4")),
        "solute": Quantity((terms.layer * c + buried) * dx, integral("m4")),
        "free_energy": Quantity(terms.density * (terms.energy() + stored) * dx, integral("J m")),
        "dissipation": Quantity(terms.density * lost * dx, integral("W m")),
        "roughness": Quantity(spread(h), "m"),
        "contrast": Quantity(spread(c)),
        "h_min": models.lowest(h, "m"),
        "h_max": models.highest(h, "m"),
        "c_min": models.lowest(c),
        "c_max": models.highest(c),
    }


def _system(domain: Domain, alloy: Alloy) -> System:
    """Return the system of units.

    Raises:
        ParameterError: for another domain than a line or a plane, or one whose units are not those of the alloy.
    """
    flat = domain.dim in (1, 2) and domain.mesh.topology.dim == domain.dim == domain.measure
    require(flat, f"domain = {domain.shape} in {domain.dim} dimensions, must be a line or a plane without a thickness")
    if not alloy.scaled:
        in_metres = domain.length_unit in (None, METRE)
        require(in_metres, f"domain = {domain.shape} scaled, must be in metres as the alloy, or Alloy(scaled=True)")
        return domain.system(si=True)
    if domain.length_unit == METRE:
        msg = f"domain = {domain.shape} in metres, must be without units as the alloy: scaled = True"
        raise ParameterError(msg)
    return scaled(domain.length_unit or "-")


def _start(surface: Any, layer: Any, domain: Domain, mean: Any, height: Any, composition: Any, lowest: float) -> None:
    """Set h and c to their initial values. Collective.

    Raises:
        ParameterError: for a start that is none, leaves its limits, or has another mean.
    """
    h, c = surface.function, layer.function
    fields.set_initial(h, 0.0 if height is None else height, "height")
    fields.set_initial(c, mean if composition is None else composition, "composition")
    low, high = fields.extremes(h)
    require(np.isfinite([low, high]).all(), f"height from {low:g} to {high:g}, must be finite")
    require(low > lowest, f"height from {low:g}, must be greater than {lowest:g}: the layer lies on the substrate")
    low, high = fields.extremes(c)
    require(0 < low and high < 1, f"composition from {low:g} to {high:g}, must stay inside (0, 1)")
    if mean is not None and composition is not None:
        dx = domain.dx(c.function_space.element.basix_element.degree)
        actual = fields.integral(fem.form(c * dx), domain.mesh.comm) / models.measure_size(domain, dx)
        agrees = abs(actual - mean) <= 1e-3
        require(agrees, f"mean = {mean:g}, but `composition` has mean {actual:g}: leave one of them out")
