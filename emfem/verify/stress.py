"""Stress: Korhonen's line, trees, and conductors of any shape."""

from __future__ import annotations

from typing import Any

from emfem import analytic, conduction, fields, mesh, stress, watch
from emfem.evolution import evolve
from emfem.materials import Material
from emfem.model import Model, fixed
from emfem.solve import solve_steady
from emfem.units import MPa, boltzmann, elementary_charge, eV, nm, um, year
from emfem.verify.materials import REFERENCE
from emfem.verify.registry import Measured, check

import numpy as np
from dolfinx import fem

LENGTH = 50 * um
DENSITY = 1e10  # A/m2
HIGHEST = 76.37495e6  # Pa, of the reference line in the end


def _line(cells: int = 50, **given: Any) -> Model:
    """The reference line."""
    domain = mesh.interval(LENGTH, cells=cells, names=("anode", "cathode"))
    return stress.model(domain, REFERENCE, **({"current_density": DENSITY} | given))


def star() -> mesh.Domain:
    """Three wires that meet, of 20, 30 and 10 um."""
    return mesh.network(
        nodes=[(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
        segments=[(0, 1), (1, 2), (1, 3)],
        width=[0.2 * um, 0.1 * um, 0.1 * um],
        thickness=0.1 * um,
        names={0: "A", 1: "J", 2: "B", 3: "C"},
    )


@check(
    "stress",
    source="M. A. Korhonen et al., J. Appl. Phys. 73, 3790 (1993), the series by a script of its own",
    target=(25.921030, 44.669147, 69.732801),
    rtol=2e-6,
    unit="MPa",
)
def stress_of_a_blocked_line(full: bool) -> tuple[float, ...]:
    """The cathode of the reference line after 1, 3 and 10 years."""
    model = _line(80)
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
    """A line of a public benchmark at five times: B = 1e11 Pa, Z* = -10, T = 373 K, 3e9 A/m2, 100 um."""
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
    source="em.analytic.korhonen_line, itself held to the numbers above",
    target=0.0,
    atol=2e-5,
    order=(2.9, 3.1),
)
def error_of_quadratic_cells(full: bool) -> Measured:
    """Cells of degree 2 leave an error of third order in L2, over G L."""
    cells = (8, 16, 32) if full else (8, 16)
    errors = []
    kappa = 1.791718e-18
    for n in cells:
        model = _line(n)
        evolve(model, 0.05 * LENGTH**2 / kappa, rtol=1e-8, atol=1e-10, progress=False)
        exact = fem.Function(fem.functionspace(model.mesh, ("DG", 8)))
        exact.interpolate(
            lambda x, t=model.t: analytic.korhonen_line(
                np.clip(x[0], 0, LENGTH), t, length=LENGTH, current_density=DENSITY, material=REFERENCE
            )
        )
        square = fem.form((model["sigma"] - exact) ** 2 * model.domain.dx(12))
        errors.append(float(np.sqrt(fields.integral(square, model.mesh.comm) / LENGTH)) / (2 * HIGHEST))
    return Measured(errors[-1], order=float(np.log2(errors[0] / errors[-1])) / (len(cells) - 1))


@check(
    "stress",
    source="the series of the blocked line at 41 MPa, by a script of its own; (j L)_c = 2 Omega sigma_c/(Z* e rho)",
    target=(7.929436e7, 2.684126e5),
    rtol=2e-6,
    unit=("s", "A/m"),
)
def nucleation_of_a_void(full: bool) -> tuple[float, float]:
    """When the reference line reaches its critical stress, met on the way; and its Blech product."""
    run = evolve(_line(), 10 * year, rtol=1e-7, atol=1e-9, watch=[watch.event("sigma_max", above=41e6)], progress=False)
    return run.t, analytic.blech_product(REFERENCE, critical_stress=41 * MPa)


@check(
    "stress",
    source="the series of the line with a void at its end, by a script of its own: after 1, 3, 10 and 100 years",
    target=(6.169165, 18.464977, 55.860853, 135.853092),
    rtol=2e-6,
    unit="nm",
)
def growth_of_a_void(full: bool) -> tuple[float, ...]:
    """The length of a void at the end of the reference line."""
    model = _line(80, on={"cathode": fixed(0.0)})
    taken = watch.series(["stress"], times=np.array([1, 3, 10, 100]) * year)
    evolve(model, 100 * year, rtol=1e-7, atol=1e-9, watch=[taken], progress=False)
    return tuple(-taken["stress"] / 28e9 / nm)


@check(
    "stress",
    source="G L summed along the wires and a volume mean of 0, by hand; Z* = -5, (1, 1.2, 0.8)e10 A/m2",
    target=(-339.8685, -34.3687, 515.5309, 87.8312),
    rtol=3e-6,
    unit="MPa",
)
def steady_stress_of_a_star(full: bool) -> tuple[float, ...]:
    """The four nodes of three wires that meet, relaxed on the elements."""
    metal = REFERENCE.having(effective_charge=-5.0)
    model = stress.model(star(), metal, current_density=[1.0e10, 1.2e10, 0.8e10], degree=1)
    solve_steady(model)
    return tuple(stress.at_nodes(model) / MPa)


@check(
    "stress",
    source="sigma - <sigma> = (Z* e/Omega)(phi - <phi>) in any blocked conductor, by hand; at 10 mV e V/Omega",
    target=(0.0, 1.0),
    atol=1e-6,
)
def affine_law_in_a_bend(full: bool) -> tuple[float, float]:
    """The steady stress of a bend follows the potential at every node; its range over 135.77768 MPa."""
    domain = mesh.bend(width=2 * um, arms=(10 * um, 8 * um), size=0.5 * um)
    current = conduction.model(domain, conductivity=1 / 2.25e-8, on={"start": fixed(0.01), "end": fixed(0.0)})
    solve_steady(current)
    model = stress.model(domain, REFERENCE, current=current)
    solve_steady(model)
    comm, dx, phi = domain.mesh.comm, domain.dx(4), current["phi"]
    volume, total = (fields.integral(fem.form(f * dx), comm) for f in (fem.Constant(domain.mesh, 1.0), phi))
    exact = -135.77768 * MPa / 0.01 * (phi - total / volume)
    wrong = fields.discontinuous(model["sigma"] - exact, domain.mesh, 2)
    low, high = fields.extremes(model["sigma"])
    return max(map(abs, fields.extremes(wrong))) / (135.77768 * MPa), (high - low) / (135.77768 * MPa)


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
    metal = REFERENCE.having(heat_of_transport=0.1 * eV)
    model = stress.model(domain, metal, temperature=lambda x: 300 + 100 * x[0] / LENGTH)
    solve_steady(model)
    ends = fields.evaluate(model["sigma"], [[0.0], [LENGTH]])
    return float(ends[1] - ends[0]) / MPa
