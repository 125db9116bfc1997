"""Migration: drift against diffusion, heat, and the two species of an alloy."""

from __future__ import annotations

from emfem import analytic, fields, materials, mesh, migration
from emfem.evolution import evolve
from emfem.model import Model, flux
from emfem.solve import solve_steady
from emfem.units import eV, hour, um
from emfem.verify import reference
from emfem.verify.convergence import interpolated, l2_norm, order
from emfem.verify.registry import Measured, check

import numpy as np
import ufl
from dolfinx import fem
from scipy.special import erfc

ENDS = [[0.0], [0.5], [1.0]]


def _blocked(cells: int = 200) -> Model:
    """Return a species in a blocked line at Pe = 5."""
    return migration.model(mesh.interval(1.0, cells=cells), diffusivity=1.0, drift=5.0, initial=1.0)


def _values(species: Model, at: list[list[float]], times: tuple[float, ...]) -> tuple[float, ...]:
    """Return the concentration at points, at one time after the other."""
    values: list[float] = []
    for t in times:
        evolve(species, t, rtol=1e-7, atol=1e-8, progress=False)
        values += fields.evaluate(species["c"], at).tolist()
    return tuple(values)


@check(
    "migration",
    source="Fourier series of the blocked line at Pe = 5, by a script of its own: x = 0, 1/2, 1 at D t/L^2 = 0.05, 0.2",
    target=(0.236039, 0.860831, 3.001057, 0.050294, 0.458578, 4.834866),
    rtol=3e-5,
)
def transient_of_a_blocked_line(full: bool) -> tuple[float, ...]:
    """Species drifts towards the end of a blocked line."""
    return _values(_blocked(), ENDS, (0.05, 0.2))


@check(
    "migration",
    source="Pe e^(Pe x)/(e^Pe - 1) at Pe = 5, by hand",
    target=(0.03391827, 0.413209, 5.03391827),
    rtol=5e-6,
)
def steady_state_of_a_blocked_line(full: bool) -> tuple[float, ...]:
    """Boltzmann's profile at rest."""
    species = _blocked()
    solve_steady(species)
    return tuple(fields.evaluate(species["c"], ENDS))


@check(
    "migration",
    source="em.analytic.blocked_drift at D t/L^2 = 0.05, itself checked by the table above",
    target=0.0,
    atol=5e-4,
    order=(2.85, 3.15),
)
def error_of_quadratic_cells(full: bool) -> Measured:
    """Cells of degree 2 leave an error of third order in L2."""
    cells = (8, 16, 32) if full else (8, 16)
    errors = []
    for n in cells:
        species = _blocked(n)
        evolve(species, 0.05, rtol=1e-7, atol=1e-9, progress=False)
        exact = interpolated(
            lambda x: analytic.blocked_drift(np.clip(x[0], 0, 1), length=1.0, peclet=5.0, time=0.05), species.domain
        )
        errors.append(l2_norm(species["c"] - exact, species.domain, 12))
    return Measured(errors[-1], order=-order(cells, errors))


@check(
    "migration",
    source="(1 + t/2)(1 + erf(sqrt(t)/2)) + sqrt(t/pi) e^(-t/4) at t = 0.1 and 1, by hand",
    target=(1.40979096, 2.72014111),
    rtol=4e-6,
)
def accumulation_at_a_wall(full: bool) -> tuple[float, ...]:
    """Uniform species drifts against a wall from afar."""
    line = mesh.interval(12.0, cells=600)
    species = migration.model(line, diffusivity=1.0, drift=-1.0, initial=1.0, on={"right": flux(1.0)})
    return _values(species, [[0.0]], (0.1, 1.0))


@check(
    "migration",
    source="v = D Z* e rho j/(k T), worked by hand for the reference line at 1e10 A/m2",
    target=reference.DRIFT,
    rtol=1e-6,
    unit="m/s",
)
def drift_of_atoms(full: bool) -> float:
    """Atoms of copper drift with the electrons: against the current."""
    metal = reference.METAL
    return float(migration.drift_velocity(metal, field=metal.resistivity * reference.DENSITY))


@check(
    "migration",
    source="c = A exp(Q*/(k T)) in a blocked line from 300 to 400 K, Q* = 0.1 eV, by hand",
    target=(1.633633, 0.940081, 0.621116),
    rtol=2e-6,
)
def soret_profile(full: bool) -> tuple[float, ...]:
    """Heat drives atoms to the cold end, whatever D(T) is."""
    line = mesh.interval(um, cells=100)
    temperature = 300 + 100 * ufl.SpatialCoordinate(line.mesh)[0] / um
    atom = materials.Material(
        "soret", temperature=300.0, diffusivity=materials.Arrhenius(1e-6, 0.5 * eV), heat_of_transport=0.1 * eV
    )
    drift = migration.drift_velocity(atom, temperature=temperature, temperature_gradient=ufl.grad(temperature))
    species = migration.model(line, diffusivity=atom.law("diffusivity")(temperature), drift=drift, initial=1.0)
    solve_steady(species)
    return tuple(fields.evaluate(species["c"], [[0.0], [0.5 * um], [um]]))


@check(
    "migration",
    source="Ding et al., IITC 2025, doi:10.1109/IITC66087.2025.11075352: at 125 C -0.8 K/um lengthens a life by 10 %, "
    "+1.0 shortens it by 10 %; to half a percent, as it is printed",
    target=0.90,
    atol=0.005,
)
def lives_in_a_temperature_gradient(full: bool) -> float:
    """Loss of life by a gradient follows from the gain by its reverse, if lives go as one over the flux."""
    copper = materials.copper(temperature=398.15)
    drift = float(migration.drift_velocity(copper, field=1.0))  # per V/m; the current is not known, so it is eliminated
    heat = float(migration.drift_velocity(copper, temperature_gradient=1e6))  # per K/um
    field = 1.1 * heat * 0.8 / (0.1 * drift)  # drift field = 1.1 (drift field - 0.8 heat)
    return drift * field / (drift * field + 1.0 * heat)


@check(
    "migration",
    source="N/(1 - N) = K exp(5 x/L) with mean 0.3, by hand; the stress takes up (e E L/Omega)(0.3 Z_A + 0.7 Z_B)",
    target=(0.02361858, 0.22761637, 0.78213986, -3.5),
    rtol=5e-5,
)
def confined_alloy(full: bool) -> tuple[float, ...]:
    """Alloy that cannot move as a whole rests on the logistic profile, whatever its diffusivities."""
    line = mesh.interval(1.0, cells=60)
    alloy = migration.alloy(line, diffusivities=(1.0, 0.2), forces=(7.0, 2.0), initial=0.3, lattice="held")
    solve_steady(alloy)
    drop = fields.integral(fem.form(alloy["stress_force"][0] * line.dx(8)), line.mesh.comm)
    return (*fields.evaluate(alloy["N"], ENDS).tolist(), drop)


@check(
    "migration",
    source="x = 2 xi sqrt(D t), xi = -e^(-xi^2)/(2 sqrt(pi)): Darken (1948), by hand for D = d = 1e-14 m2/s",
    target=(-31.58552, 0.645143),
    rtol=3e-5,
    unit=("um", "-"),
)
def kirkendall_marker(full: bool) -> tuple[float, float]:
    """Marker of a diffusion couple after 100 hours, and the fraction of the faster species where it is."""
    d, half, begin = 1e-14, 400 * um, 1 * hour  # a couple that is an hour old has no step for the mesh to smear
    alloy = migration.alloy(
        mesh.interval(2 * half, cells=400),
        diffusivities=(lambda n: d + n * d, lambda n: d - (1 - n) * d),
        initial=lambda x: erfc((x[0] - half) / 2 / np.sqrt(d * begin)) / 2,
        markers=True,
    )
    evolve(alloy, 100 * hour - begin, rtol=1e-6, atol=1e-8, progress=False)
    # 100 hours after the start the way is ten times that after one
    place = migration.positions(alloy, [[half - 3.158552 * um]])
    return float(place[0, 0] - half) / um, float(fields.evaluate(alloy["N"], place)[0])
