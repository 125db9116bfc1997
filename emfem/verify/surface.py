"""Moving surfaces: waves that level, necks that grow, voids that drift, against the sharp surface."""

from __future__ import annotations

import math

from emfem import analytic, materials, mesh, surface, watch
from emfem.evolution import evolve
from emfem.fields import integral
from emfem.model import Model
from emfem.units import nm
from emfem.verify.convergence import order
from emfem.verify.registry import Measured, check

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

GOLD = materials.gold(temperature=900.0)
B = analytic.mullins_coefficient(GOLD)
LONG = 100 * nm  # of a wave on a flat surface
RADIUS = 5 * nm  # of a wire


def amplitudes(model: Model, length: float, until: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and the wave |int c cos(k x) dx| in a run: smooth in time, where the place of a contour is not."""
    seen = watch.snapshots("c", every=until / 20)
    evolve(model, until, watch=[seen], progress=False)
    wave = ufl.cos(fem.Constant(model.mesh, 2 * math.pi / length) * ufl.SpatialCoordinate(model.mesh)[0])
    a = [integral(fem.form(c * wave * model.domain.dx(4)), model.mesh.comm) for c in seen.functions]
    return seen.t, np.abs(a)


def _growth_rate(model: Model, length: float, until: float) -> float:
    """Return d ln a/dt of a wave, without the beginning, in which the interface relaxes."""
    t, a = amplitudes(model, length, until)
    late = t > 0.4 * t[-1]
    return float(np.polyfit(t[late], np.log(a[late]), 1)[0])


def flat_wave(part: float) -> Model:
    """Return a wave on a flat surface of gold, the width of the interface in parts of its length."""
    width, height = part * LONG, max(0.35, 9 * part) * LONG
    cells = (int(np.ceil(LONG / (0.6 * width))), int(np.ceil(2 * height / (0.6 * width))))
    domain = mesh.periodic_rectangle((LONG, 2 * height), cells=cells, axes="x")
    shape = surface.flat(height, amplitude=0.01 * LONG, wavelength=LONG)
    return surface.model(domain, GOLD, shape=shape, interface_width=width, degree=2)


@check(
    "surface",
    source="B = D_s delta_s gamma Omega/(k T) and A = D_s delta_s Z* e rho j/(k T), by hand from the table of gold"
    " at 900 K",
    target=(8.3437383e-31, -3.0102780e-16),
    rtol=1e-6,
    unit=("m4/s", "m2/s"),
)
def constants_of_gold(full: bool) -> tuple[float, float]:
    """Coefficients of levelling of a gold surface, and of the drift of its atoms at 1e11 A/m2."""
    return B, analytic.surface_drift(GOLD, current_density=1e11)


@check("surface", source="W. W. Mullins, J. Appl. Phys. 28, 333 (1957): B k^4", target=1.0, rtol=3e-3, order=(1.6, 2.4))
def decay_of_a_wave(full: bool) -> Measured:
    """Wave on a flat surface levels as the sharp surface does, extrapolated to a sharp surface."""
    k = 2 * math.pi / LONG
    parts = (0.056, 0.04, 0.028) if full else (0.056, 0.04)
    rates = [-_growth_rate(flat_wave(part), LONG, 0.4 / (B * k**4)) / (B * k**4) for part in parts]
    return Measured(_sharp(parts, rates), order=order(parts, [1 - rate for rate in rates]))


def _sharp(parts: tuple[float, ...], values: list[float]) -> float:
    """Return the last two values, whose error is of second order in the interface width, extrapolated to 0."""
    ratio = (parts[-2] / parts[-1]) ** 2
    return (ratio * values[-1] - values[-2]) / (ratio - 1)


@check(
    "surface",
    source="R. J. Asaro, W. A. Tiller, Metall. Trans. 3, 1789 (1972); M. A. Grinfeld, Sov. Phys. Dokl. 31, 831 (1986):"
    " B k^3 (k_c - k), at k_c = 2 k",
    target=1.0,
    rtol=2e-2,
    only_full=True,
)
def growth_on_a_stressed_solid(full: bool) -> float:
    """Wave on a stressed solid grows below the critical wave number, over B k^4, extrapolated to a sharp surface."""
    parts = np.array((0.04, 0.028, 0.02))  # errors of second and fourth order in the width
    return float(np.polyfit(parts**2, [_stressed(part) for part in parts], 2)[-1])


def _stressed(part: float) -> float:
    """Return the growth rate at k_c = 2 k over that of the sharp surface; between mirrors half a wave apart."""
    metal, k, width = GOLD.having(youngs_modulus=80e9, poisson_ratio=0.3), 2 * math.pi / LONG, part * LONG
    modulus = 80e9 / (1 - 0.3**2)  # of plane strain
    strain = math.sqrt(k * metal.surface_energy / modulus)
    depth, height = 0.75 * LONG, 1.1 * LONG
    cells = (int(np.ceil(0.5 / (1.2 * part))), int(height / (0.6 * width)))
    model = surface.model(
        mesh.rectangle((LONG / 2, height), cells=cells),
        metal,
        shape=surface.flat(depth, amplitude=0.004 * LONG, wavelength=LONG),
        interface_width=width,
        strain=(strain, 0.0),
        rollers=("left", "right", "bottom"),
    )
    exact = analytic.stressed_growth_rate(k, metal, stress=modulus * strain)
    return _growth_rate(model, LONG, 0.05 / (B * k**4)) / float(exact)


@check(
    "surface",
    source="F. A. Nichols, W. W. Mullins, Trans. Metall. Soc. AIME 233, 1840 (1965): B/(4 R^4) at k R = 1/sqrt 2",
    target=0.25,
    rtol=1e-2,
)
def necks_of_a_wire(full: bool) -> float:
    """Necks of a wire grow as Rayleigh and Plateau predict, over B/R^4, extrapolated to a sharp surface."""
    parts = (0.085, 0.06) if full else (0.12, 0.085)
    return _sharp(parts, [_necks(part) for part in parts])


def _necks(part: float) -> float:
    """Return the growth rate of the fastest necks over B/R^4."""
    length, width, top = 2 * math.pi * RADIUS * math.sqrt(2), part * RADIUS, (1 + 10 * part) * RADIUS
    cells = (int(np.ceil(length / (2.0 * width))), int(np.ceil(top / (0.8 * width))))
    domain = mesh.axisymmetric(mesh.periodic_rectangle((length, top), cells=cells, axes="x"))
    shape = surface.wire(RADIUS, amplitude=0.02 * RADIUS, wavelength=length)
    model = surface.model(domain, GOLD, shape=shape, interface_width=width, degree=2)
    return _growth_rate(model, length, 0.6 * RADIUS**4 / B) * RADIUS**4 / B


@check(
    "surface",
    source="P. S. Ho, J. Appl. Phys. 41, 64 (1970): -2 A Z* e E/R, with field and conductivity of a cell by Lord"
    " Rayleigh (1892)",
    target=(1.0, 1.0),
    rtol=6e-3,
)
def drift_of_a_void(full: bool) -> tuple[float, float]:
    """Drift velocity of a void of gold, and conductivity of its cell, over those of the sharp surface; extrapolated."""
    parts = (0.14, 0.1, 0.07) if full else (0.14, 0.1)
    velocities, conductivities = zip(*(_drift(part) for part in parts), strict=True)
    return _sharp(parts, list(velocities)), _sharp(parts, list(conductivities))


def _drift(part: float) -> tuple[float, float]:
    """Return velocity of a void and conductivity of its cell over those of the sharp surface; half of the cell."""
    radius = 20 * nm
    width, length = part * radius, 5 * radius
    n = int(np.ceil(length / (0.5 * width) / 2))
    domain = mesh.periodic_rectangle((length, length / 2), cells=(2 * n, n), axes="x")
    shape = surface.void((length / 2, 0.0), radius)
    model = surface.model(domain, GOLD, shape=shape, interface_width=width, current_density=1e11)
    seen = watch.series(["x_centre"])
    until = 0.2 * radius**4 / B
    evolve(model, until, watch=[seen], progress=False)
    late = seen.t > until / 2
    velocity = float(np.polyfit(seen.t[late], seen["x_centre"][late], 1)[0])
    fraction = math.pi * radius**2 / length**2
    exact = analytic.void_drift_velocity(GOLD, radius=radius, current_density=1e11, area_fraction=fraction)
    conductivity = 2 * model.quantity("conductance") * GOLD.resistivity  # of a square: twice that of a half
    return velocity / exact, conductivity / analytic.rayleigh_conductivity(fraction)
