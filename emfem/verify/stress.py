"""Stress: Korhonen's line, trees, and conductors of any shape."""

from __future__ import annotations

from typing import Any

from emfem import analytic, conduction, fields, mesh, stress, watch
from emfem.evolution import evolve
from emfem.materials import Material
from emfem.model import fixed
from emfem.solve import solve_steady
from emfem.units import MPa, boltzmann, elementary_charge, eV, nm, um, year
from emfem.verify import reference
from emfem.verify.convergence import interpolated, l2_norm, order
from emfem.verify.reference import DENSITY, HIGHEST, KAPPA, LENGTH, METAL, line, stressed_star
from emfem.verify.registry import Measured, check

import numpy as np
from dolfinx import fem


@check(
    "stress",
    source="M. A. Korhonen et al., J. Appl. Phys. 73, 3790 (1993), the series by a script of its own",
    target=(25.921030, 44.669147, 69.732801),
    rtol=2e-6,
    unit="MPa",
)
def stress_of_a_blocked_line(full: bool) -> tuple[float, ...]:
    """Cathode of the reference line after 1, 3 and 10 years."""
    model = line(80)
    probe = watch.probe("sigma", at=LENGTH, times=np.array([1, 3, 10]) * year)
    evolve(model, 10 * year, rtol=1e-7, atol=1e-9, watch=[probe], progress=False)
    return tuple(probe.values / MPa)


@check(
    "stress",
    source="constants of github.com/sheldonucr/physics_based_em_assessment_analysis, the series by a script of its own",
    target=(75.76400, 238.9109, 325.9835, 415.4528, 432.7843),
    rtol=3e-6,
    unit="MPa",
)
def public_line(full: bool) -> tuple[float, ...]:
    """Line of a public benchmark at five times: B = 1e11 Pa, Z* = -10, T = 373 K, 3e9 A/m2, 100 um."""
    metal = Material(  # with its rounded k and e put into D and Z*
        "benchmark",
        temperature=373.0,
        diffusivity=1.857748e-16 * boltzmann / 1.38e-23,
        bulk_modulus=1e11,
        atomic_volume=1.66e-29,
        resistivity=3e-8,
        effective_charge=-10 * 1.6e-19 / elementary_charge,
    )
    model = stress.model(mesh.interval(100 * um, cells=60), metal, current_density=3e9)
    probe = watch.probe("sigma", at=100 * um, times=[1e3, 1e4, 2e4, 5e4, 1e5])
    evolve(model, 1e5, rtol=1e-7, atol=1e-9, watch=[probe], progress=False)
    return tuple(probe.values / MPa)


@check(
    "stress",
    source="em.analytic.korhonen_line, itself checked by the numbers above",
    target=0.0,
    atol=2e-5,
    order=(2.9, 3.1),
)
def error_of_quadratic_cells(full: bool) -> Measured:
    """Cells of degree 2 leave an error of third order in L2, over G L."""
    cells = (8, 16, 32) if full else (8, 16)
    case: dict[str, Any] = {"length": LENGTH, "current_density": DENSITY, "material": METAL}
    time, errors = 0.05 * LENGTH**2 / KAPPA, []
    for n in cells:
        model = line(n)
        evolve(model, time, rtol=1e-8, atol=1e-10, progress=False)
        exact = interpolated(lambda x: analytic.korhonen_line(np.clip(x[0], 0, LENGTH), time, **case), model.domain)
        errors.append(l2_norm(model["sigma"] - exact, model.domain, 12) / LENGTH**0.5 / (2 * HIGHEST))
    return Measured(errors[-1], order=-order(cells, errors))


@check(
    "stress",
    source="the series of the blocked line at 41 MPa, by a script of its own; (j L)_c = 2 Omega sigma_c/(Z* e rho)",
    target=(reference.NUCLEATION, 2.684126e5),
    rtol=2e-6,
    unit=("s", "A/m"),
)
def nucleation_of_a_void(full: bool) -> tuple[float, float]:
    """Return the reference line reaches its critical stress, located between time steps; and its Blech product."""
    reached = watch.event("sigma_max", above=reference.CRITICAL)
    run = evolve(line(), 10 * year, rtol=1e-7, atol=1e-9, watch=[reached], progress=False)
    return run.t, analytic.blech_product(METAL, critical_stress=reference.CRITICAL)


@check(
    "stress",
    source="the series of the line with a void at its end, by a script of its own: after 1, 3, 10 and 100 years",
    target=reference.VOID_LENGTHS,
    rtol=2e-6,
    unit="nm",
)
def growth_of_a_void(full: bool) -> tuple[float, ...]:
    """Length of a void at the end of the reference line."""
    content = watch.series(["stress"], times=np.array(reference.VOID_YEARS) * year)
    model = line(80, on={"right": fixed(0.0)})
    evolve(model, 100 * year, rtol=1e-7, atol=1e-9, watch=[content], progress=False)
    return tuple(-content["stress"] / METAL.bulk_modulus / nm)


@check(
    "stress",
    source="G L summed along the wires and a volume mean of 0, by hand; Z* = -5, (1, 1.2, 0.8)e10 A/m2",
    target=reference.STAR_STRESS,
    rtol=3e-6,
    unit="MPa",
)
def steady_stress_of_a_star(full: bool) -> tuple[float, ...]:
    """Steady stress of three wires that meet, at their four nodes, by elements."""
    model = stressed_star()
    solve_steady(model)
    return tuple(stress.at_nodes(model) / MPa)


@check(
    "stress",
    source="sigma - <sigma> = (Z* e/Omega)(phi - <phi>) in any blocked conductor, by hand; at 10 mV e V/Omega",
    target=(0.0, 1.0),
    atol=1e-6,
)
def affine_law_in_a_bend(full: bool) -> tuple[float, float]:
    """Steady stress of a bend follows the potential at every node; its range over 135.77768 MPa."""
    domain = mesh.bend(width=2 * um, arms=(10 * um, 8 * um), size=0.5 * um)
    current = conduction.model(domain, conductivity=1 / METAL.resistivity, on={"start": fixed(0.01), "end": fixed(0.0)})
    solve_steady(current)
    model = stress.model(domain, METAL, current=current)
    solve_steady(model)
    comm, dx, phi = domain.mesh.comm, domain.dx(4), current["phi"]
    volume, total = (fields.integral(fem.form(f * dx), comm) for f in (fem.Constant(domain.mesh, 1.0), phi))
    scale = 135.77768 * MPa
    wrong = fields.discontinuous(model["sigma"] + scale / 0.01 * (phi - total / volume), domain.mesh, 2)
    low, high = fields.extremes(model["sigma"])
    return max(map(abs, fields.extremes(wrong))) / scale, (high - low) / scale


@check(
    "stress",
    source="sigma(T2) - sigma(T1) = (Q*/Omega) ln(T2/T1), by hand: 0.1 eV, 300 to 400 K",
    target=390.60805,
    rtol=1e-5,
    unit="MPa",
)
def stress_of_a_temperature_gradient(full: bool) -> float:
    """Heat alone stretches the hot end of a blocked line and compresses the cold one."""
    domain = mesh.interval(LENGTH, cells=40)
    metal = METAL.having(heat_of_transport=0.1 * eV)
    model = stress.model(domain, metal, temperature=lambda x: 300 + 100 * x[0] / LENGTH)
    solve_steady(model)
    ends = fields.evaluate(model["sigma"], [[0.0], [LENGTH]])
    return float(ends[1] - ends[0]) / MPa
