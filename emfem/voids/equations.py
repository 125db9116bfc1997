"""The model of voids in stressed metal: a surface that moves, and the bulk that atoms come from and go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.errors import number, require
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.model import Model, OfTime, Quantity, mean_value
from emfem.model.materials import plain_number
from emfem.model.unknowns import degree_of
from emfem.stress.inputs import metal_at
from emfem.stress.inputs import start as start_stress
from emfem.stress.laws import ConfinedMetal
from emfem.stress.laws import drive as force_on_atoms
from emfem.surface.circuit import SurfaceCircuit, circuit, ends_of
from emfem.surface.equations import BEYOND, BOUNDS
from emfem.surface.equations import MEANINGS as OF_SURFACE
from emfem.surface.inputs import check_path, drive, metal, start
from emfem.surface.measures import quantities
from emfem.surface.shapes import Shape
from emfem.surface.terms import (
    WELL,
    conducts,
    distance,
    double_well,
    elastic_potential,
    error_scale,
    potential,
    restriction,
    surface_flux,
)
from emfem.voids.elastic import VoidElasticity, void_elasticity
from emfem.voids.path import holes, joined
from emfem.voids.terms import EMPTY, bulk_flux, compliance, exchange, surface_wind

import numpy as np
import ufl
from dolfinx import fem

MEANINGS = OF_SURFACE | {
    "excess": Meaning("atoms beyond those of metal without stress, by volume", "-", signed=True),
    "sigma": Meaning("stress, tension > 0", "Pa", signed=True),
    "bulk_flux": Meaning("flux of volume in the bulk", "m/s"),
    "drive": Meaning("drive", "Pa/m"),
}


@checked(collective=True)
def model(
    domain: Domain,
    material: Any,
    *,
    shape: Shape | Callable[[Any], Any],
    interface_width: float,
    current_density: OfTime | None = None,
    voltage: OfTime | None = None,
    current: OfTime | None = None,
    on: Sequence[str] | None = None,
    residual_stress: Any = 0.0,
    conductivity_ratio: float = 1e-3,
    liner: bool = False,
    elastic: bool = False,
    sliding: Sequence[str] = (),
    degree: int = 1,
) -> Model:
    """Return the model of voids in confined metal: those of `em.surface` and `em.stress` in one, that exchange atoms.

    Unknowns c (1 metal, 0 void), excess m (atoms beyond those of c, by volume), mu, sigma, with a current psi and the
    voltage. Find them with

        int (dc/dt) v - J . grad v + R v dx = 0,   J = (6 B / l^2) W (Z* e l / (gamma Omega) E - grad mu)
        int (dm/dt) v - h K . grad v - R v dx = 0,   K = M (grad sigma + Z* e rho j / Omega),   M = D Omega / (k T)
        int (m + h sigma / B_m) v dx = 0
        int g mu v - 3 W' v - 6 l^2 grad c . grad v + (l / gamma) h' sigma^2 / (2 B_m) v dx = 0
        R = 7.61 W M / l^2 (gamma mu / l + sigma)

    for all v. W = c^2 (1 - c)^2; h = k + (1 - k) c^2 (3 - 2c) is the metal's share, k = 1e-3; B_m the effective bulk
    modulus of `em.stress`. R is metal that dissolves into the bulk: it holds sigma at the surface at -gamma mu / l,
    that is at gamma times the curvature of a void, within |grad sigma| l. So a void grows by the atoms that the tension
    around it takes up. c and m together are conserved to rounding. Nothing moves but atoms, so the stress relaxes by
    diffusion alone, as in `em.stress`.

    With `elastic` the void's own elastic field is there too, by the displacement u, with e = sym grad u and the stress
    s = sigma I + 2 G dev e. In the equation of mu -(l / gamma) h' (G dev e : dev e + sigma tr e - sigma^2 / (2 K)) is
    in place of the last term, and

        int (m + h sigma / K - h tr e) v dx = 0,   int h s : sym grad v dx = 0

    All follow from one free energy, gamma times the surface and int h (G dev e : dev e + K / 2 (tr e - m / h)^2) dx,
    which falls. B_m is then K, that of bulk metal: that of a line comes out of its walls. There are u, von_mises and
    stress_xx, ..., and the quantity elastic_energy. Its linear systems are factorised.

    Fields, besides those of `em.surface.model`: sigma, excess, bulk_flux (h K), drive (Z* e rho j / Omega). Quantities,
    besides: atoms (metal and excess over Omega), excess, sigma_max, bulk_modulus, surface_energy, relaxation_time
    (L^2 / kappa along x), voids (how many are apart) and path: 1 while metal leads from the first end of the circuit to
    the last, nodes of c > 1/2 that share cells, else 0; without ends while the neck is not 0.

    Args:
        domain: plane, solid or `em.mesh.axisymmetric`; of cells fine enough where the surface is and will be.
        material: with the constants that `em.surface.model` and `em.stress.model` need.
        shape: as in `em.surface.model`; at the start with a void.
        interface_width: l, the half-width of surfaces [m].
        current_density: as in `em.surface.model` [A/m2].
        voltage: as in `em.surface.model` [V].
        current: as in `em.surface.model` [A].
        on: as in `em.surface.model`.
        residual_stress: sigma of the metal at the start: a number, a function of x with shape (3, n), or a Function
            [Pa].
        conductivity_ratio: of vacuum to metal; of a line with a liner that of the liner to the metal, both over their
            cross-sections [-].
        liner: the current may pass a void that cuts the line, which is refused otherwise [-].
        elastic: the void's own elastic field counts, of a metal with youngs_modulus and poisson_ratio that sticks to
            all its named boundaries, which do not give way.
        sliding: boundaries along which it slides instead, in planes across the axes: symmetry, or no friction.
        degree: polynomial degree of the unknowns [-].

    Raises:
        ParameterError: as `em.surface.model` and `em.stress.model`; for a bulk modulus that is a control or, beside
            `elastic`, not that of the elastic constants; for `sliding` without `elastic`.
        UnknownName: for a boundary that does not exist.
    """
    width = number("interface_width", interface_width, above=0.0, unit="m")
    ratio = number("conductivity_ratio", conductivity_ratio, above=0.0, at_most=1.0)
    degree = degree_of(degree)
    require(elastic or not sliding, f"sliding = {list(sliding)} without elastic, must be left out")
    driven = drive(on, current_density=current_density, voltage=voltage, current=current)
    laws = metal(domain, material, None, driven is not None)
    bulk = metal_at(domain, material, None)
    ends = None if driven is None else ends_of(domain, on)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    solid = models.evolving("c", space, BOUNDS, bounds_message=BEYOND, error_scale=error_scale)
    c, half = solid.function, fem.Constant(domain.mesh, width)
    start(c, domain, shape, width)
    dx = domain.dx(4 * degree)
    wired = None
    if driven is not None:
        if not liner:
            check_path(c, domain, ends, width)
        solidity = conducts(c, fem.Constant(domain.mesh, ratio))
        wired = circuit(domain, space, driven, ends, laws.conductivity, solidity)

    # electron wind: that of the current that flows there, or the field in a void would press its atoms
    wind = force_on_atoms(bulk, bulk["resistivity"] * wired.conductivity * wired.field) if wired else 0 * ufl.grad(c)
    modulus = fem.Constant(domain.mesh, plain_number(material, "bulk_modulus"))
    chemical, stress = models.algebraic("mu", space), models.algebraic("sigma", space)
    sigma = stress.function
    tension = start_stress(sigma, residual_stress)
    level = _level(domain, bulk, wired, tension, laws.surface_energy)
    excess = models.evolving("excess", space, scale=level / float(modulus))
    m, mu = excess.function, chemical.function
    empty, gamma = fem.Constant(domain.mesh, EMPTY), fem.Constant(domain.mesh, laws.surface_energy)
    _fill(m, c, sigma, float(modulus))
    share = conducts(c, empty)
    strained = void_elasticity(domain, material, sigma, share, modulus, level, sliding) if elastic else None
    parts: list[SurfaceCircuit | VoidElasticity] = [part for part in (wired, strained) if part is not None]
    unknowns = (solid, chemical, excess, stress, *(unknown for part in parts for unknown in part.unknowns))
    v, w, u, q, *others = models.tests(unknowns)

    mobility = 6 / half**2 * laws.mullins
    pull = laws.pull * half * surface_wind(c, solidity, wired.field, half) if wired else 0 * ufl.grad(mu)
    flux = surface_flux(c, mobility, pull - ufl.grad(mu))
    through = bulk_flux(bulk, sigma, wind)
    dissolved = exchange(c, mu, sigma, bulk.mobility, half, gamma)
    volume = float(np.prod(domain.extent()))
    pace = mean_value(domain, laws.mullins) / width**4
    mobile, length = mean_value(domain, bulk.mobility), domain.extent()[0]
    flow, reach = mobile * level / length**2 * volume, float(np.subtract(*reversed(bounds(domain.mesh)))[0])
    relaxation = reach**2 / (mobile * float(modulus))
    scale = [fem.Constant(domain.mesh, x) for x in (1 / (pace * volume), 1 / flow, 1 / volume, 1 / (level * volume))]
    residual = scale[0] * (solid.rate * v - ufl.inner(flux, ufl.grad(v)) + dissolved * v) * dx
    residual += scale[1] * (excess.rate * u - ufl.inner(share * through, ufl.grad(u)) - dissolved * u) * dx
    residual += scale[2] * potential(mu, c, half, w, dx)
    released, wider = (strained.release, strained.dilatation) if strained else (-(sigma**2) / (2 * modulus), 0)
    residual += scale[2] * elastic_potential(c, released, empty, half, gamma, w, dx)
    residual += scale[3] * modulus * compliance(m, sigma, share, modulus, wider) * q * dx
    fields, numbers = dict[str, Any](), dict[str, Quantity]()
    for part in parts:
        own, others = others[: len(part.unknowns)], others[len(part.unknowns) :]
        residual += part.residual(domain, own, dx)
        fields |= part.expressions(domain)
        numbers |= part.quantities(domain, dx)
    fields.pop("sigma", None)  # it is an unknown
    structure = models.PhaseField(
        evolving=solid,
        potential=chemical,
        mobility=mobility * double_well(c),
        root=ufl.Identity(domain.dim),
        gradient_energy=6 * half**2,
        dx=dx,
        weight=restriction(c),
        factor=scale[0],
        well=WELL,
    )
    whole = None if ends is None else joined(c, domain, ends)
    of_void = isinstance(shape, Shape) and shape.of_void
    stored = strained.stored if strained else share * sigma**2 / (2 * modulus)
    return Model(
        "voids",
        domain,
        unknowns,
        residual,
        conditions=[condition for part in parts for condition in part.conditions],
        expressions={"flux": flux, "distance": distance(c, half), "bulk_flux": share * through, "drive": wind} | fields,
        quantities=quantities(domain, c, flux, laws, width, of_void, dx, stored)
        | {
            "excess": Quantity(m * dx, integral("m3")),
            "atoms": Quantity((c + m) / fem.Constant(domain.mesh, laws.atomic_volume) * dx, integral("-")),
            "sigma_max": models.highest(sigma, "Pa"),
            "bulk_modulus": Quantity(lambda: float(modulus), "Pa"),
            "surface_energy": Quantity(lambda: laws.surface_energy, "J/m2"),
            "relaxation_time": Quantity(lambda: relaxation, "s"),
            "path": Quantity(lambda model: float(whole() if whole else model.quantity("neck") > 0), "-", of_model=True),
            "voids": Quantity(lambda: _count(c), "-"),
        }
        | numbers,
        drivers=wired.drivers if wired else (),
        steady_by_relaxation=True,
        system=domain.system(si=True),
        meanings=MEANINGS,
        preconditioner=None if elastic else [structure, *(part.multigrid for part in parts)],
        graded=elastic,  # in the void all terms of sigma and u are a thousandth
    )


def _count(c: fem.Function) -> float:
    """Return the number of voids that are apart. Collective."""
    return 1.0 + max(c.function_space.mesh.comm.allgather(int(holes(c).max(initial=-1))))


def _fill(m: fem.Function, c: fem.Function, sigma: fem.Function, modulus: float) -> None:
    """Set the excess to that of the stress in the metal, `-h sigma / B_m`."""
    m.x.array[:] = -conducts(c.x.array, EMPTY) * sigma.x.array / modulus


def _level(domain: Domain, bulk: ConfinedMetal, wired: SurfaceCircuit | None, tension: float, surface: float) -> float:
    """Return a typical stress: that of the start, that which balances the drive, or that of a void as wide as all.

    Args:
        domain: of the model.
        bulk: its metal.
        wired: the circuit, if there is one.
        tension: at the start [Pa].
        surface: energy of a surface [J/m2].
    """
    length, face = domain.extent()
    wind = 0.0
    if wired is not None and wired.current is not None:
        wind = abs(mean_value(domain, bulk.charge * bulk["resistivity"]) * float(wired.current)) / face * length
    elif wired is not None:
        wind = abs(mean_value(domain, bulk.charge) * float(wired.volts))
    return max(abs(tension), wind / 2, surface / length)
