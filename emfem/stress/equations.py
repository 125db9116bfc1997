"""The stress model: Korhonen's equation put together into a residual, on domains of any dimension and networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.model import Fixed, Flux, Model, Quantity, Unknown, mean_length, mean_value
from emfem.model.unknowns import degree_of
from emfem.stress.field import Stress
from emfem.stress.inputs import ElectricField, field_of, metal_at, start
from emfem.stress.laws import ConfinedMetal, atom_flux, balance, drive, uniform
from emfem.stress.resolution import resolutions
from emfem.stress.voids import Voids
from emfem.units import boltzmann

import numpy as np
import ufl
from dolfinx import fem

BEYOND = 100.0  # bulk moduli; a line far longer than stress ever reaches may be in balance with several
MEANINGS = {
    "sigma": Meaning("stress, tension > 0", "Pa", signed=True),
    "balancing_stress": Meaning("balancing stress", "Pa", signed=True),
    "flux": Meaning("flux of atoms", "1/(m2 s)"),
    "drive": Meaning("drive", "Pa/m"),
    "opened": Meaning("voids"),
    "void": integral("m3", "volume of voids"),
}


@checked(collective=True)
def model(
    domain: Domain,
    material: Any,
    *,
    current_density: Any = None,
    field: Any = None,
    current: Model | None = None,
    temperature: Any = None,
    residual_stress: Any = 0.0,
    on: Mapping[str, Fixed | Flux] | None = None,
    voids: bool = False,
    degree: int = 2,
) -> Model:
    """Return the stress model on `domain`: unknown sigma, the hydrostatic stress, tension positive [Pa].

    dsigma/dt = div kappa (grad sigma + f), f = Z* e E/Omega - Q* grad T/(Omega T), kappa = D B Omega/(k T). Atoms of
    Z* < 0 go against the current and leave tension behind. Find sigma with int (dsigma/dt / B) v + M (grad sigma + f) .
    grad v dx + int Omega g v ds = 0 for all v, M = kappa/B and g the atoms let in. Boundaries without a condition are
    blocked. A blocked conductor has a steady state for every number of atoms, and `solve_steady` finds the one with
    that of the start; `em.stress.steady` gives it without a solve where mathematics can.

    Derived fields: flux (J = D/(k T) (grad sigma + f), atoms [1/(m2 s)]), drive (f [Pa/m]) and, where f is known to be
    a gradient, balancing_stress: the stress that would balance it, up to a constant.

    Quantities: sigma_max, sigma_min, mean (over the volume), stress (its integral), atoms (their number, those
    that stress has squeezed in or drawn out counted: a blocked conductor keeps it), and for each named boundary
    `flux NAME` [1/s], atoms out of the domain positive: where sigma is fixed it is the reaction of the discrete
    equations. A void there grows by the volume of the atoms that it gives.

    The residual is divided by a typical flow of volume, and time steps count absolute errors in parts of a typical
    stress: that which balances the drive from end to end, that of the start or that of a boundary.

    Degree 2 is the default: in a line at kappa t/L^2 = 0.05, 8 cells of it give the stress at the ends to 4e-6 and 32
    cells of degree 1 to 4e-4; on a grid of 1e4 wires 2 cells a wire are nearer than 8 of degree 1, at half the cost.
    Steady states of networks are exact at the nodes with either.

    Args:
        domain: of any dimension, a body of revolution or a network.
        material: one of `em.materials`, with diffusivity, bulk_modulus, atomic_volume, effective_charge, and, where
            they are needed, resistivity and heat_of_transport.
        current_density: j: dim numbers (in one dimension a number; on a network one for each segment, along its
            direction), a function of time that returns them, or UFL; then E = rho(T) j. At inner nodes of a network no
            current may be lost [A/m2].
        field: E instead: dim numbers, a function of time that returns them, or UFL [V/m].
        current: a conduction model on the same domain instead, which gives E, and phi to `steady`.
        temperature: T: that of the material when left out, a number, a function of x with shape (3, n), or UFL such as
            heat["T"]. Where it is not a number, all constants follow it, and its gradient drives too [K].
        residual_stress: sigma at the start: a number, a function of x with shape (3, n), or a Function [Pa].
        on: conditions on named boundaries: `fixed(sigma)` [Pa] is a reservoir, or with 0 the surface of a void;
            `flux(g)` [1/(m2 s)] lets atoms in, g per area and time, which press on those that are there.
        voids: allow voids to open at the nodes of a line or network, see `open_void`: adds the unknown void, the volume
            at each node [m3], the coefficient opened, and the quantity void, their sum.
        degree: polynomial degree of sigma [-].

    Raises:
        ParameterError: for a second drive, one of the wrong shape, currents that pile up at a node of a network, a
            temperature that is not positive, a stress that is not finite, a constant that the material lacks,
            or voids on domains of more dimensions than one.
        UnknownName: for a boundary that does not exist, or a current model without E.

    Warns:
        ResolutionWarning: if stress would come to more than 100 times the bulk modulus, so that a unit must be wrong.

    References:
        M. A. Korhonen, P. Borgesen, K. N. Tu, C.-Y. Li, Stress evolution due to electromigration in confined metal
        lines, J. Appl. Phys. 73, 3790 (1993), doi:10.1063/1.354073.
    """
    degree = degree_of(degree)
    if voids and domain.mesh.topology.dim != 1:
        msg = f"voids on {domain.shape}, must be on a line or a network: elsewhere hold sigma = 0 on a boundary"
        raise ParameterError(msg)
    conditions = models.check_boundaries(domain, on, (Fixed, Flux))
    metal = metal_at(domain, material, temperature)
    electric = field_of(domain, metal, current_density, field, current)
    force = drive(metal, electric.value)

    sigma = Stress(domain, fem.functionspace(domain.mesh, ("Lagrange", degree)))
    largest = start(sigma, residual_stress)
    level = _level(domain, metal, force, conditions, largest)
    _warn_beyond_elastic(domain, metal, level)
    flow = _flow(domain, metal, force, level)
    stress = Unknown(sigma, fem.Function(sigma.function_space, name="rate of sigma"), scale=level)
    empty = Voids(domain, metal, level) if voids else None
    unknowns = (stress, *((empty.unknown,) if empty else ()))
    v, *others = models.tests(unknowns)
    dx, omega = domain.dx(2 * degree + 1), metal["atomic_volume"]
    entering, out, inflow_drivers = models.inflow(domain, conditions, omega * v, 2 * degree)
    residual = balance(metal, sigma, stress.rate, force, v, dx) + entering
    if empty:
        residual += empty.residual(sigma, v, others[0])
    dirichlet_values, dirichlet_drivers = models.dirichlet_conditions(domain, stress, conditions)
    free, per_atom = not dirichlet_values, mean_value(domain, omega)
    # Atoms that leave make tension: their flow is negative.
    reaction = models.ConsistentFlux(stress, dirichlet_values, -flow / per_atom)
    inside = [] if empty is None else [models.ConsistentFlux(empty.unknown, [], -flow / per_atom)]
    excess = _excess(metal, sigma, empty, dx)
    return Model(
        "stress",
        domain,
        unknowns,
        fem.Constant(domain.mesh, 1 / flow) * residual,
        conditions=dirichlet_values,
        expressions={
            "flux": atom_flux(metal, sigma, force),
            "drive": force,
            **_balancing(metal, electric, conditions),
            **({"opened": empty.opened} if empty else {}),
        },
        quantities={
            **_quantities(domain, metal, sigma, empty, excess, dx),
            **models.boundary_fluxes(domain.names, [reaction], out, meaning=integral("1/s")),
        },
        drivers=[*electric.drivers, *inflow_drivers, *dirichlet_drivers],
        steady_by_relaxation=free,
        no_steady_state_reason=models.unbalanced_inflow(domain, conditions, "atoms/s", "sigma") if free else "",
        balances={"atoms": models.Balance(excess, integral("-"), (reaction, *inside), out)},
        resolutions=resolutions(domain, metal, force, bool(conditions), degree),
        system=domain.system(si=True),
        meanings=MEANINGS,
        preconditioner=models.Multigrid(unknowns=(stress,)),
    )


def _level(domain: Domain, metal: ConfinedMetal, force: Any, conditions: Mapping[str, Any], largest: float) -> float:
    """Return a typical stress: that balances the drive, of the start or of boundaries; kT/Omega if all are 0."""
    lower, upper = bounds(domain.mesh)
    balancing = mean_length(domain, force) * float(np.linalg.norm(upper - lower)) / 2
    at_ends = map(abs, models.values_at_start(conditions, Fixed).values())
    natural = boltzmann * mean_value(domain, metal.temperature) / mean_value(domain, metal["atomic_volume"])
    return max(balancing, largest, *at_ends, 0.0) or natural


def _warn_beyond_elastic(domain: Domain, metal: ConfinedMetal, level: float) -> None:
    """Warn if stress would come to many times the bulk modulus: lengths or currents of another unit. Collective."""
    modulus = mean_value(domain, metal["bulk_modulus"])
    if level > BEYOND * modulus:
        message = (
            f"stress in balance with the drive, at the start or on boundaries is {level:.3g} Pa, should be far below "
            f"the bulk modulus of {modulus:.3g} Pa: is the domain, of {domain.extent()[0]:.3g} m, in metres, and the "
            "current density in A/m2?"
        )
        models.warn_unresolved(message, domain.mesh.comm)


def _flow(domain: Domain, metal: ConfinedMetal, force: Any, level: float) -> float:
    """Return a flow of volume of the order of those through the domain, for scaling."""
    length, face = domain.extent()
    return mean_value(domain, metal.mobility) * (mean_length(domain, force) + level / length) * face


def _balancing(metal: ConfinedMetal, electric: ElectricField, conditions: Mapping[str, Any]) -> dict[str, Any]:
    """`Psi = (Z* e / Omega) phi + (Q* / Omega) ln T`, whose gradient is -f, if there is such a thing."""
    known = electric.potential is not None and uniform(metal.charge)
    if not known or any(isinstance(c, Flux) for c in conditions.values()):
        return {}
    psi = metal.charge * electric.potential
    if not uniform(metal.temperature):
        if not uniform(metal.thermal):
            return {}
        psi = psi + metal.thermal * ufl.ln(metal.temperature)
    return {"balancing_stress": ufl.as_ufl(psi)}


def _quantities(
    domain: Domain, metal: ConfinedMetal, sigma: Any, empty: Voids | None, excess: ufl.Form, dx: Any
) -> dict[str, Quantity]:
    """Return the numbers of the stress field, of the atoms and of the voids."""
    one, volume = fem.Constant(domain.mesh, 1.0), models.measure_size(domain, dx)
    return {
        "sigma_max": models.highest(sigma, "Pa"),
        "sigma_min": models.lowest(sigma, "Pa"),
        "mean": Quantity(fem.Constant(domain.mesh, 1 / volume) * sigma * dx, "Pa"),
        "stress": Quantity(sigma * dx, integral("Pa m3")),
        "atoms": Quantity(1 / metal["atomic_volume"] * one * dx + excess, integral("-")),
        **({"void": Quantity(empty.unknown.function * empty.points, integral("m3"))} if empty else {}),
    }


def _excess(metal: ConfinedMetal, sigma: Any, empty: Voids | None, dx: Any) -> ufl.Form:
    """`-int sigma/(B Omega) dx - sum V/Omega`: the atoms beyond those of the metal without stress and voids."""
    omega = metal["atomic_volume"]
    beyond = -sigma / (metal["bulk_modulus"] * omega) * dx
    if empty:
        beyond -= empty.unknown.function / omega * empty.points
    return beyond
