"""The mechanical model: equilibrium of elastic solids, with atoms that move if a metal has them, as one residual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import model as models
from emfem.errors import choice, require
from emfem.gate import checked
from emfem.mechanics.assembly import Assembly
from emfem.mechanics.atoms import Vacancies, atoms_of, check_without_atoms
from emfem.mechanics.body import KINEMATICS, body_of, scales_of
from emfem.mechanics.boundaries import Support, tractions_of
from emfem.mechanics.elasticity import is_axisymmetric
from emfem.mechanics.plasticity import plasticity_of
from emfem.mechanics.pressures import deposit_of, pressures_of
from emfem.mechanics.solids import check_moduli, check_region, misfit_of, solids_of
from emfem.mesh import Domain
from emfem.model import Fixed, Flux, Model
from emfem.model.unknowns import degree_of


@checked(collective=True)
def model(
    domain: Domain,
    solids: Any,
    *,
    on: Mapping[str, Support] | None = None,
    kinematics: str = "plane strain",
    eigenstrain: Any = None,
    temperature: Any = None,
    stress_free_temperature: Any = None,
    floating: bool = False,
    atoms: Any = None,
    atoms_in: str | None = None,
    current_density: Any = None,
    field: Any = None,
    current: Model | None = None,
    atoms_on: Mapping[str, Fixed | Flux] | None = None,
    activation_volume: float = 0.0,
    deposit: Any = None,
    vacancies: Vacancies | None = None,
    viscosity: float | None = None,
    degree: int = 2,
) -> Model:
    """Return the mechanical model on `domain`: elastic equilibrium, and the atoms of a metal that move in its stress.

    Find u with int s : e(v) dx = int t . v ds for all v that vanish where u is fixed: e(v) = (grad v + grad v^T)/2, s =
    lambda tr(E) I + 2 mu E, E = e(u) - eigenstrain - alpha (T - T_0) I - theta/3 I. Boundaries without a condition are
    free of traction. In regions with a Poisson's ratio above 0.45, and where atoms move, the hydrostatic stress p is an
    unknown of its own, one degree below u (Taylor-Hood): int (tr(E) - p/K) q dx = 0, s = p I + 2 mu dev(E).

    With `atoms`, theta is the relative volume of the atoms that came: dtheta/dt = -Omega div J, J = D/(k T) (grad p +
    f), with f as in `em.stress.model`. If nothing moves (kinematics = "rigid") that is Korhonen's equation with B = K.
    With a `deposit` N the eigenstrain is theta N in place of theta/3 I, and p the stress N : s that works on it, the
    normal one where atoms go into boundaries. With `vacancies` they are w times those in equilibrium without
    stress: J = D w/(k T) (grad(k T ln w/Omega) + f), dtheta/dt = -e (w - exp(Omega p/(k T)))/tau, and theta - e w is
    what is conserved.

    A solid with a yield_stress flows where its von Mises stress is above it, with unknowns plastic_strain (independent
    components) and plastic (accumulated): see `emfem/mechanics/plasticity.py`. Loads are then functions of time, and
    `em.evolve` follows them.

    Derived fields: sigma (the hydrostatic stress, tension positive), von_mises, the components of the stress s_xx,
    s_yy, s_zz, s_xy, ... (of a body of revolution y is the radius and z goes around), energy_density; with atoms flux
    and drive, and vacancies, their atomic fraction.

    Quantities: energy (elastic), sigma_max, sigma_min, von_mises_max, u_max (the largest displacement), `sigma REGION`
    (mean in the region; "mean" of a domain in one piece), and `force_x NAME`, ... for each named boundary: the force on
    the body there, reactions of the discrete equations and tractions. With atoms: atoms (their number) and `flux NAME`
    [1/s], atoms out of the domain positive.

    Args:
        domain: line, plane, body of revolution or solid.
        solids: `em.mechanics.Elastic(...)` or a metal of `em.materials` with youngs_modulus and poisson_ratio; or one
            of them for each region by name.
        on: `em.mechanics.support(...)`, `traction(...)`, `pressure(...)`, `roller()` on named boundaries.
        kinematics: of a plane: "plane strain", "plane stress", or "generalised plane strain", with one strain across
            the plane such that no force acts across it; or "rigid": no displacement anywhere.
        eigenstrain: strain without stress: a relative change of volume, or a 3 x 3 tensor; numbers, a function of time
            or UFL, or numbers for some regions by name [-].
        temperature: T: a number, a function of time or of x with shape (3, n), or UFL such as heat["T"]; that of the
            metal with atoms when left out [K].
        stress_free_temperature: T_0, a number or a function of time; without it there is no thermal strain [K].
        floating: True takes out the rigid motions that no support prevents, by pins that carry no force; without it
            they are refused.
        atoms: the metal of `em.materials` whose atoms move: diffusivity, atomic_volume, effective_charge, ...; None for
            elasticity alone.
        atoms_in: the region that they move in; may be left out if the domain has one material.
        current_density: j: dim numbers, a function of time that returns them, or UFL [A/m2].
        field: E instead, in the same ways [V/m].
        current: a conduction model on the same domain instead.
        atoms_on: conditions for atoms on named boundaries: `fixed(sigma)` [Pa] is the surface of a void or a reservoir;
            `flux(g)` [1/(m2 s)] lets atoms in. Others are blocked.
        activation_volume: V: D exp(V sigma/(k T)) in place of D; Omega for vacancies in equilibrium [m3].
        deposit: N, the strain by arriving atoms: a direction, the normal of the grain boundaries that take them (dim
            numbers); or a symmetric 3 x 3 tensor with a trace of 1, numbers or UFL; I/3 when left out [-].
        vacancies: `em.mechanics.Vacancies(...)`: sources and sinks of finite strength; without them vacancies are in
            equilibrium: with the stress if activation_volume is Omega, as without stress if it is 0.
        viscosity: of solids that yield: stress above the yield stress by rate of plastic strain [Pa s]. Where it is
            far below the yield stress times the time over which loads change, over the strain that comes, plasticity
            does not depend on it.
        degree: polynomial degree of u, at least 2 where p is an unknown or a solid yields [-].

    Raises:
        ParameterError: for a value out of its bounds or of the wrong shape, a rigid motion that nothing prevents, or
            tractions that do not balance where pins take it out.
        UnknownName: for a boundary or region that does not exist, or other kinematics.
    """
    degree = degree_of(degree)
    _check_domain(domain, choice("kinematics", kinematics, KINEMATICS))
    supports = models.check_boundaries(domain, on, (Support,))
    require(kinematics != "rigid" or not supports, "on with kinematics = 'rigid', must be left out: nothing moves")
    elastic = solids_of(domain, solids)
    region = None if atoms is None else check_region(domain, elastic, atoms_in)
    drives = {"current_density": current_density, "field": field, "current": current}
    check_without_atoms(atoms, **drives, atoms_on=atoms_on, deposit=deposit, vacancies=vacancies)
    misfit = misfit_of(domain, elastic, eigenstrain, temperature, stress_free_temperature, atoms)
    body = body_of(domain, supports, kinematics, degree, floating)
    inside = None if region is None else elastic.indicator("inside", {region})
    strain_of_atoms = deposit_of(domain, deposit, inside)
    pressures = pressures_of(elastic, region, degree, strain_of_atoms)
    check_moduli(elastic, atoms is not None)
    plastic = plasticity_of(domain, elastic, viscosity, degree)
    tractions, loading = tractions_of(domain, supports, 2 * degree)
    scales = scales_of(domain, elastic, misfit.strain, supports, tractions)
    if floating and body.motions.free.shape[1]:
        body.check_pins(supports, tractions, scales)
    atomic = None
    if region is not None:
        atomic = atoms_of(
            domain,
            atoms,
            misfit.temperature,
            region,
            pressures.by_region[region],
            inside,
            strain_of_atoms,
            atoms_on,
            **drives,
            activation_volume=activation_volume,
            vacancies=vacancies,
            stresses=scales.stress if scales.driven else 0.0,
            modulus=scales.modulus,
        )
    parts = Assembly(domain, elastic, body, pressures, plastic, atomic, misfit.strain, tractions, scales, degree)
    return parts.model([*misfit.drivers, *loading])


def _check_domain(domain: Domain, kinematics: str) -> None:
    """Refuse networks and shells, and kinematics that the domain has not."""
    flat = domain.network is None and not domain.shell
    require(flat, f"domain = {domain.shape}, must be a line, a plane, a body of revolution or a solid")
    plane = domain.dim == 2 and not is_axisymmetric(domain)
    require(
        plane or kinematics in ("plane strain", "rigid"),
        f"kinematics = {kinematics!r} of domain = {domain.shape}, must be of a plane domain",
    )
