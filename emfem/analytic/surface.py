"""Closed forms of moving surfaces: growth of waves on them, drift of voids, and conductivity with holes.

Signs are those of the models: j and velocities are positive along +x. B = D_s delta_s gamma Omega / (k T)
drives curvature away; A Z* e E = D_s delta_s Z* e E / (k T) is what the field does.

References:
    W. W. Mullins, Theory of thermal grooving, J. Appl. Phys. 28, 333 (1957), doi:10.1063/1.1722742.
    F. A. Nichols, W. W. Mullins, Surface- (interface-) and volume-diffusion contributions to morphological changes
    driven by capillarity, Trans. Metall. Soc. AIME 233, 1840 (1965).
    P. S. Ho, Motion of inclusion induced by a direct current and a temperature gradient, J. Appl. Phys. 41, 64 (1970),
    doi:10.1063/1.1658375.
    R. J. Asaro, W. A. Tiller, Interface morphology development during stress corrosion cracking: Part I. Via surface
    diffusion, Metall. Trans. 3, 1789 (1972), doi:10.1007/BF02642562.
    M. A. Grinfeld, Instability of the separation boundary between a nonhydrostatically stressed elastic body and a
    melt, Sov. Phys. Dokl. 31, 831 (1986).
    Lord Rayleigh, On the influence of obstacles arranged in rectangular order upon the properties of a medium, Phil.
    Mag. 34, 481 (1892), doi:10.1080/14786449208620364.
"""

from __future__ import annotations

import math
from typing import Any

from emfem.analytic.arguments import constants
from emfem.arrays import finite
from emfem.errors import ParameterError, choice, count, floats, number, require
from emfem.gate import checked
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.special import i0e, i1e

FLAT = 40.0  # widths of a groove from its root, where it is flat to 1e-14
LAST, WAVES = 2.6, 521  # of the integral over waves


@checked
@finite
def mullins_coefficient(material: Any) -> float:
    """Return B = D_s delta_s gamma Omega / (k T): a wave on a surface decays at the rate B k^4 [m4/s].

    Args:
        material: with `temperature` [K], `surface_diffusivity_thickness` [m3/s], `surface_energy` [J/m2] and
            `atomic_volume` [m3].
    """
    names = ("temperature", "surface_diffusivity_thickness", "surface_energy", "atomic_volume")
    temperature, diffusivity_thickness, energy, volume = constants(material, *names)
    return diffusivity_thickness * (energy * volume) / (boltzmann * temperature)


@checked
@finite
def surface_drift(material: Any, *, current_density: float) -> float:
    """Return A Z* e rho j = D_s delta_s Z* e rho j / (k T): drift of surface atoms times thickness of the layer [m2/s].

    Args:
        material: with `temperature` [K], `surface_diffusivity_thickness` [m3/s], `effective_charge` [-] and
            `resistivity` [Ohm m].
        current_density: j, signed [A/m2].

    Raises:
        ParameterError: for a current density that is not finite.
    """
    names = ("temperature", "surface_diffusivity_thickness", "effective_charge", "resistivity")
    temperature, diffusivity_thickness, charge, resistivity = constants(material, *names)
    force = charge * elementary_charge * (resistivity * number("current_density", current_density, unit="A/m2"))
    return diffusivity_thickness * force / (boltzmann * temperature)


@checked
@finite
def void_drift_velocity(
    material: Any,
    *,
    radius: float,
    current_density: float,
    area_fraction: float = 0.0,
    dimension: int = 2,
    contrast: bool = True,
) -> float:
    """Return the velocity of a round void, along +x positive: -2 A Z* e E / R, of a ball -3 A Z* e E / R [m/s].

    It moves against its surface atoms: along j if Z* < 0. In a cell of which it takes the fraction f, E is
    rho j / (1 - f), j the mean over the cell. If the void conducted as the metal does, its velocity
    would be -A Z* e E / R, that of a ball -2 A Z* e E / R, for any f.

    Args:
        material: as in `surface_drift`.
        radius: R, above 0 [m].
        current_density: j, signed, mean over the cell or far away [A/m2].
        area_fraction: f, from 0 for an infinite conductor to less than 1; in three dimensions of the volume [-].
        dimension: 2 for a cylinder across the current, 3 for a ball.
        contrast: True for a void that insulates, False for one that conducts as the metal.

    Raises:
        ParameterError: for a value out of its bounds.
        UnknownName: for another dimension.

    References:
        P. S. Ho (1970) for the infinite conductor, Lord Rayleigh (1892) for the cell, to first order in f.
    """
    size = number("radius", radius, above=0.0, unit="m")
    fraction = number("area_fraction", area_fraction, at_least=0.0, below=1.0)
    round_way = {"2": 1.0, "3": 2.0}[choice("dimension", str(dimension), ("2", "3"))]
    drift = surface_drift(material, current_density=current_density)
    return -drift / size * ((round_way + 1) / (1 - fraction) if contrast else round_way)


@checked
@finite
def flat_growth_rate(
    wave_number: ArrayLike, material: Any, *, current_density: float = 0.0, mobility_slope: float = 0.0
) -> NDArray[np.complex128]:
    """Return the growth rate omega of a wave exp(i k x + omega t) on flat metal, shape of k [1/s].

    omega = -B k^4 + i A Z* e E k |k| + m' A Z* e E k^2: without a current it decays; a current makes it travel, with
    the phase speed -Im(omega)/k; and makes it grow or decay where mobility changes as 1 + m' theta with the slope.

    Args:
        wave_number: k [1/m].
        material: as in `mullins_coefficient` and, with a current, `surface_drift`.
        current_density: j in the metal, signed, along x; the metal lies below [A/m2].
        mobility_slope: m' [1/rad].

    Raises:
        ParameterError: for a value that is not finite.

    References:
        W. W. Mullins (1957) for the decay.
    """
    k, slope = floats("wave_number", wave_number), number("mobility_slope", mobility_slope)
    drift = surface_drift(material, current_density=current_density) if current_density else 0.0
    decay, travel = -mullins_coefficient(material) * k**4, drift * k * np.abs(k)
    return np.asarray(decay + slope * drift * k**2 + 1j * travel, dtype=complex)


@checked
@finite
def stressed_growth_rate(wave_number: ArrayLike, material: Any, *, stress: float) -> NDArray[np.float64]:
    """Return the growth rate B k^3 (k_c - k) of a wave on a stressed solid in plane strain, shape of k [1/s].

    k_c = 2 (1 - nu^2) s^2 / (E gamma): longer waves grow, fastest those of 3/4 k_c, under tension and compression
    alike. The solid is deep, and the wave low, against 1 / k.

    Args:
        wave_number: k, at least 0 [1/m].
        material: as in `mullins_coefficient`, with `youngs_modulus` [Pa] and `poisson_ratio` [-].
        stress: s along the flat surface [Pa].

    Raises:
        ParameterError: for a value out of its bounds.

    References:
        R. J. Asaro, W. A. Tiller (1972); M. A. Grinfeld (1986).
    """
    k = floats("wave_number", wave_number)
    require(np.isfinite(k).all() and (k >= 0).all(), f"wave_number = {k.tolist()} 1/m, must be at least 0")
    young, poisson, energy = constants(material, "youngs_modulus", "poisson_ratio", "surface_energy")
    critical = 2 * (1 - poisson**2) * (number("stress", stress, unit="Pa") / energy) * (stress / young)
    return np.asarray(mullins_coefficient(material) * k**3 * (critical - k), dtype=float)


@checked
@finite
def wire_growth_rate(
    wave_number: ArrayLike, material: Any, *, radius: float, current_density: float = 0.0, mobility_slope: float = 0.0
) -> NDArray[np.complex128]:
    """Return the growth rate omega of a neck wave exp(i k x + omega t) around a wire, shape of k [1/s].

    omega = B k^2 (1/R^2 - k^2) + m' A Z* e E k^2 - i k A Z* e E (1/R - k I0(kR)/I1(kR)): waves longer than 2 pi R grow,
    fastest at `rayleigh_plateau_wavelength`. A current alone only makes them travel, with the phase speed
    -Im(omega)/k: against the pull Z* e E on the atoms.

    Args:
        wave_number: k, above 0 [1/m].
        material: as in `flat_growth_rate`.
        radius: R, above 0 [m].
        current_density: j in the wire, signed [A/m2].
        mobility_slope: m' [1/rad].

    Raises:
        ParameterError: for a value out of its bounds.

    References:
        F. A. Nichols, W. W. Mullins (1965) for the growth.
    """
    k, size = floats("wave_number", wave_number), number("radius", radius, above=0.0, unit="m")
    positive = np.isfinite(k).all() and (k > 0).all()
    require(positive, f"wave_number = {k.tolist()} 1/m, must be greater than 0")
    slope = number("mobility_slope", mobility_slope)
    drift = surface_drift(material, current_density=current_density) if current_density else 0.0
    crowding = 1 / size - k * i0e(k * size) / i1e(k * size)
    return mullins_coefficient(material) * k**2 * (1 / size**2 - k**2) + drift * (slope * k**2 - 1j * k * crowding)


@checked
@finite
def mullins_groove(
    x: ArrayLike, t: float, material: Any, *, slope: float, current_density: float = 0.0, boundary_flux: float = 0.0
) -> NDArray[np.float64]:
    """Return the height of a flat surface on which a grain boundary at x = 0 makes a groove, shape of x [m].

    y = m w Z(|x| / w) with w = (B t)^(1/4) and the slope m at the root, small: its ridges are 0.973 m w above the root
    and 4.6 w apart. Z'''' - u Z' / 4 + Z / 4 = 0 with Z'(0) = 1 and Z'''(0) = 0 is
    Z = u - 1 / (sqrt(2) Gamma(5/4)) - (2 / pi) int_0^inf exp(-k^4) (1 - cos k u) / k^2 dk.

    A current across the boundary, along x in metal much thicker than w, makes one ridge higher than the other: waves
    have the rate s = -k^4 + i b k^2 there, in units of 1 / t and 1 / w, with b = A Z* e E t / w^2, and

        Z = -(2 / pi) Re int_0^inf k^2 (exp(s) - 1) / s exp(i k u) dk.

    Atoms that come out of the boundary, a volume q a second for each metre of it, half to each side, add a ridge

        y = q w^3 / (pi B) int_0^inf (1 - exp(-k^4)) / k^4 cos k u dk,

    at the root q w^3 / (pi B) Gamma(1/4) / 3: it grows as t^(3/4), the groove as t^(1/4), so it comes out on top.

    Args:
        x: places [m].
        t: time since the surface was flat, above 0 [s].
        material: as in `mullins_coefficient`.
        slope: m, of the surface at its root: gamma_b / (2 gamma) of a boundary of energy gamma_b [-].
        current_density: j, along x; to 1e-5 of the depth for |b| up to 10, and no more of it is taken [A/m2].
        boundary_flux: q, negative for atoms that go in; not beside a current [m2/s].

    Raises:
        ParameterError: for a value out of its bounds, or a flux beside a current.

    References:
        W. W. Mullins (1957); with a current or a flux by the same transform.
    """
    places, steepness = floats("x", x), number("slope", slope)
    width = (mullins_coefficient(material) * number("t", t, above=0.0, unit="s")) ** 0.25
    u = np.minimum(np.abs(places) / width, FLAT)
    waves, total = np.linspace(0.0, LAST, WAVES), u**2 / 4
    for k in waves[1:].tolist():  # by trapezoids, exact to rounding for an even function
        total = total + math.exp(-(k**4)) * (1 - np.cos(k * u)) / k**2
    shape = u - 1 / (math.sqrt(2) * math.gamma(1.25)) - 2 / math.pi * waves[1] * total
    density = number("current_density", current_density, unit="A/m2")
    if density:
        drift = float(surface_drift(material, current_density=density)) * t / width**2
        number("abs(A Z* e E t / w^2)", abs(drift), at_most=10.0)
        shape = shape - 2 / math.pi * _carried(np.sign(places) * u, drift)
    fed = number("boundary_flux", boundary_flux, unit="m2/s")
    require(not (fed and density), "boundary_flux beside a current_density, must be left out: waves travel then")
    ridge = fed * t / (math.pi * width) * _ridge(u) if fed else 0.0  # w^3 / B = t / w
    return np.asarray(steepness * width * shape + ridge, dtype=float)


def _ridge(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return int_0^inf (1 - exp(-k^4)) / k^4 cos k u dk, to 2e-6: from 60 on it is less."""
    k = np.linspace(0.0, 60.0, 6001)[1:]
    weight = -np.expm1(-(k**4)) / k**4
    flat = np.ravel(u)
    values = [
        k[0] / 2 * (1 + weight[0] * np.cos(k[0] * each)) + np.trapezoid(weight * np.cos(k * each), k) for each in flat
    ]
    return np.reshape(values, np.shape(u))


def _carried(u: NDArray[np.float64], drift: float) -> NDArray[np.float64]:
    """Return Re int_0^inf k^2 [(exp(s) - 1) / s - (1 - exp(-k^4)) / k^4] exp(i k u) dk: it falls as k^-4."""
    k = np.linspace(0.0, 60.0, 6001)[1:]
    rate = k**2 * (1j * drift - k**2)
    excess = k**2 * (np.expm1(rate) / rate + np.expm1(-(k**4)) / k**4)
    flat = np.ravel(u)
    values = [np.trapezoid((excess * np.exp(1j * k * each)).real, k) for each in flat]
    return np.reshape(values, np.shape(u))


@checked
@finite
def rayleigh_plateau_wavelength(radius: float) -> float:
    """Return the wavelength 2 pi sqrt(2) R at which necks of a wire grow fastest, at the rate B/(4 R^4) [m].

    Args:
        radius: R, above 0 [m].

    Raises:
        ParameterError: for a radius that is not positive.

    References:
        F. A. Nichols, W. W. Mullins (1965).
    """
    return 2 * math.pi * math.sqrt(2) * number("radius", radius, above=0.0, unit="m")


@checked
@finite
def circle_decay_rate(mode: int, material: Any, *, radius: float) -> float:
    """Return n^2 (n^2 - 1) B / R^4, the decay rate of a wave with n crests around a circle [1/s].

    Args:
        mode: n, at least 1; n = 1 is a shift of the circle, and does not decay.
        material: as in `mullins_coefficient`.
        radius: R, above 0 [m].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    n, size = count("mode", mode, at_least=1), number("radius", radius, above=0.0, unit="m")
    return n**2 * (n**2 - 1) * mullins_coefficient(material) / size**4


@checked
def rayleigh_conductivity(area_fraction: float) -> float:
    """Return the conductivity of a square array of round holes over that without: 1 - 2 f / (1 + f - 0.3058 f^4) [-].

    Args:
        area_fraction: f of the holes, from 0 to pi/4, where they touch [-].

    Raises:
        ParameterError: for a value out of its bounds.

    References:
        Lord Rayleigh (1892).
    """
    f = number("area_fraction", area_fraction, at_least=0.0, below=math.pi / 4)
    return 1 - 2 * f / (1 + f - 0.3058 * f**4)


@checked
@finite
def wulff(normals: ArrayLike, energies: ArrayLike, *, size: float | None = None) -> NDArray[np.float64]:
    """Return the corners of Wulff's shape, of least surface energy for its volume: n . x <= gamma(n) for all normals n.

    It is the dual of the convex hull of n / gamma(n): each face of that has a corner here. Directions that are missing
    on the shape do not count.

    Args:
        normals: n, all around, shape (dim, m) in a plane or in space; of any length.
        energies: gamma of each, above 0, shape (m,); in any unit if there is a size.
        size: area or volume that it is scaled to; when left out, corners are in the unit of the energies.

    Returns:
        places around its middle, shape (k, dim); in a plane in order around it.

    Raises:
        ParameterError: for arrays of other shapes, energies that are not above 0, or normals that enclose nothing.

    References:
        G. Wulff, Z. Kristallogr. 34, 449 (1901); C. Herring, Phys. Rev. 82, 87 (1951), doi:10.1103/PhysRev.82.87.
    """
    there, gamma = floats("normals", normals), floats("energies", energies)
    fits = there.ndim == 2 and there.shape[0] in (2, 3) and gamma.shape == there.shape[1:]
    require(fits, f"normals of shape {there.shape} and energies of shape {gamma.shape}, must be (2 or 3, m) and (m,)")
    require(bool(np.isfinite(there).all() and (there != 0).any(axis=0).all()), "normals, must be finite, and none be 0")
    require(bool(np.isfinite(gamma).all() and (gamma > 0).all()), "energies, must be finite and above 0")
    enclosed = "normals, must be all around: there is a direction in which nothing encloses the shape"
    try:
        hull = ConvexHull((there / (np.linalg.norm(there, axis=0) * gamma)).T)
    except (QhullError, ValueError):  # too few, or all in a plane
        raise ParameterError(enclosed) from None
    require(bool((hull.equations[:, -1] < -1e-12 / gamma.max()).all()), enclosed)
    corners = hull.equations[:, :-1] / -hull.equations[:, -1:]
    if size is not None:
        volume = ConvexHull(corners).volume
        corners = corners * (number("size", size, above=0.0) / volume) ** (1 / len(there))
    if len(there) == 2:
        corners = corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]
    return np.asarray(corners, dtype=float)
