"""The mechanical model: equilibrium of elastic solids, with atoms that move if a metal has them, as one residual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.errors import ParameterError, choice, require
from emfem.gate import checked
from emfem.mechanics import atoms as moving
from emfem.mechanics.boundaries import AXES, Support, check_overlap, displacement_conditions, loads, on_axis
from emfem.mechanics.elasticity import (
    energy_density,
    is_axisymmetric,
    isotropic,
    out_of_plane,
    strain,
    von_mises,
)
from emfem.mechanics.plasticity import plasticity_of
from emfem.mechanics.reactions import Reactions
from emfem.mechanics.rigid import RigidMotions
from emfem.mechanics.solids import (
    MIXED,
    Solids,
    check_expansion,
    check_moduli,
    check_region,
    eigenstrain_of,
    outside,
    solids_of,
    temperature_rise,
)
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, Fixed, Flux, Model, Quantity, Unknown
from emfem.model.unknowns import degree_of

import numpy as np
import ufl
from dolfinx import fem
from ufl.algorithms.apply_algebra_lowering import apply_algebra_lowering

KINEMATICS = ("plane strain", "plane stress", "generalised plane strain", "rigid")
PLAIN_STRAIN = 1e-3  # strain that residuals are scaled by where nothing else gives one
MEANINGS = {
    "u": Meaning("displacement", "m"),
    "sigma": Meaning("hydrostatic stress, tension > 0", "Pa", signed=True),
    "von_mises": Meaning("von Mises stress", "Pa"),
    "energy_density": Meaning("elastic energy", "J/m3"),
    "plastic_strain": Meaning("plastic strain", "-"),
    "plastic": Meaning("accumulated plastic strain", "-"),
    "theta": Meaning("volume of atoms that came", "-", signed=True),
    "flux": Meaning("flux of atoms", "1/(m2 s)"),
    "drive": Meaning("drive", "Pa/m"),
    "axial_strain": Meaning("strain across the plane", "-", signed=True),
}


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

    A solid with a yield_stress flows where its von Mises stress is above it, with unknowns plastic_strain (independent
    components) and plastic (accumulated): see `emfem/mechanics/plasticity.py`. Loads are then functions of time, and
    `em.evolve` follows them.

    Derived fields: sigma (the hydrostatic stress, tension positive), von_mises, the components of the stress s_xx,
    s_yy, s_zz, s_xy, ... (of a body of revolution y is the radius and z goes around), energy_density; with atoms flux
    and drive.

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
    metal_region = None if atoms is None else check_region(domain, elastic, atoms_in)
    _check_without_atoms(atoms, current_density=current_density, field=field, current=current, atoms_on=atoms_on)
    t, rise, drivers = temperature_rise(domain, temperature, stress_free_temperature, atoms)
    if rise is not None:
        check_expansion(elastic)
    prescribed, moved = eigenstrain_of(domain, elastic, eigenstrain)
    drivers += moved

    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (domain.dim,)))
    displacement = models.algebraic("u", space)
    u, rigid = displacement.function, kinematics == "rigid"
    conditions, moved = _held(domain, displacement, supports, rigid)
    drivers += moved
    motions = RigidMotions(domain, displacement, conditions)
    if motions.free.shape[1]:
        message = (
            f"nothing prevents that the body {motions.describe()}: fix components on a boundary, em.mechanics.support, "
            "or take the motion out, floating=True"
        )
        require(floating, message)
        conditions += motions.pins()

    mixed = _mixed(domain, elastic, metal_region, degree)
    check_moduli(elastic, atoms is not None)
    across = models.algebraic("axial_strain", models.number_space(domain)) if "generalised" in kinematics else None
    theta = None
    if metal_region is not None:
        theta = models.evolving("theta", mixed[metal_region].function.function_space)
    plastic = plasticity_of(domain, elastic, viscosity, degree)
    unknowns = [displacement, *mixed.values(), *([across] if across else [])]
    unknowns += [plastic.strain_unknown, plastic.amount] if plastic else []
    unknowns += [theta] if theta else []
    v, *others = models.tests(unknowns)
    test = dict(zip((id(each) for each in unknowns[1:]), others, strict=True))

    eigen = prescribed
    if rise is not None:
        eigen = eigen + elastic.expansion * rise * ufl.Identity(3)
    if plastic is not None:
        eigen = eigen + plastic.strain
    inside = None
    if theta is not None:
        inside = elastic.indicator("inside", {metal_region or ""})
        eigen = eigen + inside * isotropic(theta.function)
    e = _elastic_strain(domain, elastic, kinematics, u, across, eigen)
    sigma = _hydrostatic(elastic, mixed, e)
    s = sigma * ufl.Identity(3) + 2 * elastic.shear * ufl.dev(e)

    dx = domain.dx(2 * degree)
    load, tractions, moved = loads(domain, supports, v, 2 * degree)
    drivers += moved
    modulus, level = _scales(domain, elastic, eigen, supports, tractions)
    length, face = domain.extent()
    work = fem.Constant(domain.mesh, 1 / (level * face))
    volume = fem.Constant(domain.mesh, modulus / (level * length * face))
    residual = work * ufl.inner(s, strain(v, domain)) * dx
    if load:
        residual -= work * load
    for region, unknown in mixed.items():
        q, p = test[id(unknown)], unknown.function
        within = elastic.indicator(f"in {region}" if region else "inside", {region})
        residual += volume * within * (ufl.tr(e) - p / elastic.bulk) * q * dx
        conditions += outside(domain, unknown, {region})
    if across is not None:
        residual += fem.Constant(domain.mesh, 1 / (level * length * face)) * s[2, 2] * test[id(across)] * dx
    if plastic is not None:
        # The typical time is that in which stress above yield relaxes; it divides rates in the residual.
        relaxation = fem.Constant(domain.mesh, float(plastic.viscosity) / modulus)
        pair = test[id(plastic.strain_unknown)], test[id(plastic.amount)]
        residual += plastic.residual(s, pair, dx, relaxation * volume)
    check_overlap([c for c in conditions if c.unknown is displacement], drivers, domain.mesh.comm)
    reactions = Reactions(displacement, conditions, tractions, level * face)
    if floating and motions.free.shape[1]:
        _check_pins(domain, motions, supports, tractions, load, level * face)

    expressions = _expressions(domain, s, e, sigma, elastic)
    quantities = _quantities(domain, elastic, sigma, e, degree, reactions)
    balances: dict[str, models.Balance] = {}
    many_steady, never_steady = plastic is not None, ""
    if theta is not None:
        atomic = moving.atoms_of(
            domain,
            atoms,
            t,
            inside,
            atoms_on,
            current_density=current_density,
            field=field,
            current=current,
            activation_volume=activation_volume,
            stresses=0.0 if level == PLAIN_STRAIN * modulus else level,
        )
        p, q = mixed[metal_region or ""].function, test[id(theta)]
        theta = _with_scale(theta, atomic.level / modulus)
        unknowns[-1] = theta
        entering, out, moved = moving.passing(domain, atomic, p, q, 2 * degree)
        drivers += [*moved, *atomic.drivers]
        flow = models.mean_value(domain, atomic.metal.mobility) * atomic.level / length * face
        rate = moving.balance(domain, atomic, p, theta.rate, q, dx)
        residual += fem.Constant(domain.mesh, 1 / flow) * (rate + entering if out else rate)
        elsewhere = outside(domain, theta, {metal_region or ""})
        conditions += elsewhere
        omega, one = atomic.metal["atomic_volume"], fem.Constant(domain.mesh, 1.0)
        excess = inside * theta.function / omega * dx
        expressions |= {"flux": atomic.flux(p), "drive": inside * atomic.force}
        quantities |= {
            "atoms": Quantity(inside / omega * one * dx + excess, integral("-")),
            **models.boundary_fluxes(domain.names, [], out, meaning=integral("1/s")),
        }
        balances["atoms"] = models.Balance(excess, integral("-"), (models.ConsistentFlux(theta, elsewhere, flow),), out)
        free = not any(isinstance(c, Fixed) for c in atomic.on.values())
        many_steady = many_steady or free
        never_steady = models.unbalanced_inflow(domain, atomic.on, "atoms/s", "sigma") if free else ""
    return Model(
        "mechanics",
        domain,
        unknowns,
        residual,
        conditions=conditions,
        expressions=expressions,
        quantities=quantities,
        drivers=drivers,
        steady_by_relaxation=many_steady,
        no_steady_state_reason=never_steady,
        balances=balances,
        system=domain.system(si=True),
        preconditioner=models.Multigrid(unknowns=(displacement,), modes=motions.owned),
        meanings={**_component_meanings(domain), **{u.name: MEANINGS["sigma"] for u in mixed.values()}, **MEANINGS},
    )


def _check_domain(domain: Domain, kinematics: str) -> None:
    """Refuse networks and shells, and kinematics that the domain has not."""
    flat = domain.network is None and not domain.shell
    require(flat, f"domain = {domain.shape}, must be a line, a plane, a body of revolution or a solid")
    plane = domain.dim == 2 and not is_axisymmetric(domain)
    require(
        plane or kinematics in ("plane strain", "rigid"),
        f"kinematics = {kinematics!r} of domain = {domain.shape}, must be of a plane domain",
    )


def _check_without_atoms(atoms: Any, **arguments: Any) -> None:
    """Refuse a drive without atoms.

    Raises:
        ParameterError: naming it.
    """
    names = [name for name, value in arguments.items() if value is not None]
    if atoms is None and names:
        msg = f"{' and '.join(names)} without atoms, must be left out, or atoms be a metal of em.materials"
        raise ParameterError(msg)


def _held(
    domain: Domain, displacement: Unknown, supports: Mapping[str, Support], rigid: bool
) -> tuple[list[DirichletCondition], list[Driver]]:
    """Return the fixed components of the displacement; drivers."""
    if rigid:
        size = displacement.function.function_space.dofmap.index_map.size_local * domain.dim
        everywhere = np.arange(size, dtype=np.int32)
        zero = fem.Constant(domain.mesh, 0.0)
        return [DirichletCondition("rigid body", displacement, everywhere, zero)], []
    conditions, drivers = displacement_conditions(domain, displacement, supports)
    if is_axisymmetric(domain):
        conditions.append(on_axis(domain, displacement))
    return conditions, drivers


def _mixed(domain: Domain, elastic: Solids, metal_region: str | None, degree: int) -> dict[str, Unknown]:
    """Return the unknown hydrostatic stress of each region that has one.

    Raises:
        ParameterError: for linear elements.
    """
    regions = [name for name, each in elastic.by_region.items() if name == metal_region or each.poisson_ratio > MIXED]
    require(
        degree > 1 or not regions,
        f"degree = {degree}, must be at least 2 with atoms or a Poisson's ratio above {MIXED}",
    )
    names = ["p"] if len(regions) == 1 else [f"p {region}" for region in regions]
    space = fem.functionspace(domain.mesh, ("Lagrange", max(degree - 1, 1)))
    return {region: models.algebraic(name, space) for region, name in zip(regions, names, strict=True)}


def _elastic_strain(domain: Domain, elastic: Solids, kinematics: str, u: Any, across: Any, eigen: Any) -> Any:
    """Return the strain that makes stress, 3 x 3."""
    e = strain(u, domain, 0.0 if across is None else across.function) - eigen
    if kinematics != "plane stress":
        return e
    closed = out_of_plane(e, elastic.lame, elastic.shear)
    return ufl.as_tensor([[e[0, 0], e[0, 1], 0], [e[1, 0], e[1, 1], 0], [0, 0, closed]])


def _hydrostatic(elastic: Solids, mixed: Mapping[str, Unknown], e: Any) -> Any:
    """`p` in regions where it is an unknown, `K tr(E)` in the others."""
    sigma: Any = elastic.bulk * ufl.tr(e)
    if set(mixed) == set(elastic.by_region) and len(mixed) == 1:
        return next(iter(mixed.values())).function
    for region, unknown in mixed.items():
        within = elastic.indicator(f"in {region}", {region})
        sigma = within * unknown.function + (1 - within) * sigma
    return sigma


def _scales(
    domain: Domain, elastic: Solids, eigen: Any, supports: Mapping[str, Support], tractions: Mapping[str, Any]
) -> tuple[float, float]:
    """Return a typical modulus and a typical stress [Pa]. Collective."""
    modulus = models.mean_value(domain, elastic.shear)
    length, _ = domain.extent()
    sizes = [modulus * models.mean_value(domain, ufl.sqrt(ufl.inner(eigen, eigen)), unknown=0.0)]
    for condition in supports.values():
        moved = [abs(float(models.at_start(axis, getattr(condition, axis)) or 0.0)) for axis in AXES]
        sizes.append(modulus * max(moved) / length)
    sizes += [
        models.mean_length(domain, 1.0 * t) if _is_field(t) else 0.0 for part in tractions.values() for t, _ in part
    ]
    for name, condition in supports.items():
        if condition.pressure is not None:
            sizes.append(abs(float(models.at_start(f"pressure on {name!r}", condition.pressure))))
    return modulus, max(sizes) or PLAIN_STRAIN * modulus


def _is_field(expression: Any) -> bool:
    """Return True for UFL that can be integrated over the volume: it has no normal of a boundary."""
    return not any(
        isinstance(part, ufl.geometry.FacetNormal)
        for part in ufl.corealg.traversal.traverse_unique_terminals(expression)
    )


def _check_pins(
    domain: Domain, motions: RigidMotions, supports: Mapping[str, Support], tractions: Any, load: Any, scale: float
) -> None:
    """Refuse tractions that pins would have to carry: those that follow time, and those with a resultant."""
    for name, condition in supports.items():
        moves = callable(condition.pressure) or (callable(condition.traction) and not models.is_ufl(condition.traction))
        require(not moves, f"traction on {name!r} that follows time with floating = True, must be a number")
    if load:
        motions.check_balance(fem.form(load), scale)


def _with_scale(unknown: Unknown, scale: float) -> Unknown:
    """Return an unknown with a typical value."""
    return Unknown(unknown.function, unknown.rate, scale=scale)


def _components(domain: Domain) -> Sequence[tuple[int, int]]:
    """Return the components of the stress that a domain of its dimension has."""
    normal = [(0, 0), (1, 1), (2, 2)]
    shear = {1: [], 2: [(0, 1)], 3: [(0, 1), (0, 2), (1, 2)]}[domain.dim]
    return normal + shear


def _component_meanings(domain: Domain) -> dict[str, Meaning]:
    """Return the meaning of each component of the stress."""
    words = {"x": "axial", "y": "radial", "z": "hoop"} if is_axisymmetric(domain) else {}
    return {
        f"s_{AXES[i]}{AXES[j]}": Meaning(
            f"{words[AXES[i]]} stress" if i == j and words else f"stress {AXES[i]}{AXES[j]}", "Pa", signed=True
        )
        for i, j in _components(domain)
    }


def _expressions(domain: Domain, s: Any, e: Any, sigma: Any, elastic: Solids) -> dict[str, Any]:
    """Return the derived fields."""
    derived = {
        "sigma": sigma,
        "von_mises": von_mises(s),
        **{f"s_{AXES[i]}{AXES[j]}": s[i, j] for i, j in _components(domain)},
        "energy_density": energy_density(e, elastic.lame, elastic.shear),
    }
    return {name: apply_algebra_lowering(ufl.as_ufl(value)) for name, value in derived.items()}  # UFL estimates degrees


def _quantities(
    domain: Domain, elastic: Solids, sigma: Any, e: Any, degree: int, reactions: Reactions
) -> dict[str, Quantity]:
    """Return the numbers of the state of stress."""
    one, dx = fem.Constant(domain.mesh, 1.0), domain.dx(2 * degree)
    sampled = Sampled(degree)
    means = {}
    for region in elastic.by_region:
        within = elastic.indicator("in", {region})
        size = models.measure_size(domain, domain.dx(2, region or None))
        means[f"sigma {region}" if region else "mean"] = Quantity(
            fem.Constant(domain.mesh, 1 / size) * within * sigma * one * dx, "Pa"
        )
    names = AXES[: 1 if is_axisymmetric(domain) else domain.dim]
    forces = {
        f"force_{axis} {name}": Quantity(partial(reactions.force, name, i), integral("N"), of_model=True)
        for name in domain.names
        for i, axis in enumerate(names)
    }
    return {
        "energy": Quantity(energy_density(e, elastic.lame, elastic.shear) * dx, integral("J")),
        "sigma_max": Quantity(partial(sampled.extreme, "sigma", 1), "Pa", of_model=True),
        "sigma_min": Quantity(partial(sampled.extreme, "sigma", 0), "Pa", of_model=True),
        "von_mises_max": Quantity(partial(sampled.extreme, "von_mises", 1), "Pa", of_model=True),
        "u_max": Quantity(lambda model: _longest(model["u"]), "m", of_model=True),
        **means,
        **forces,
    }


class Sampled:
    """Extremes of derived fields at nodes in each cell, of one degree less than the displacement."""

    def __init__(self, degree: int) -> None:
        """Take the degree of the displacement."""
        self.degree = degree - 1
        self._known: dict[str, tuple[Model, fields.Interpolation]] = {}

    def extreme(self, name: str, which: int, model: Model) -> float:
        """Return the lowest (0) or highest (1) value of a field of a model. Collective."""
        known = self._known.get(name)
        if known is not None and known[0] is model:
            known[1].refresh()
        else:  # substitution of a placeholder makes another model
            known = self._known[name] = model, fields.Interpolation(model[name], model.mesh, self.degree)
        return fields.extremes(known[1].function)[which]


def _longest(u: fem.Function) -> float:
    """Return the largest length of a vector at its nodes. Collective."""
    width, owned = u.function_space.dofmap.index_map_bs, u.function_space.dofmap.index_map.size_local
    lengths = np.linalg.norm(u.x.array[: owned * width].reshape(owned, width), axis=1)
    return float(max(u.function_space.mesh.comm.allgather(lengths.max(initial=0.0))))
