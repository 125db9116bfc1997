"""Closed forms of mechanics: inclusions, holes, thick cylinders. Tension is positive."""

from __future__ import annotations

from typing import Any

from emfem.arrays import finite
from emfem.errors import ParameterError, floats, number, require
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Values = NDArray[np.float64]


@checked
@finite
def embedded_line_modulus(metal: Any, surroundings: Any, *, aspect: float = 1.0) -> float:
    """Return the effective modulus `-sigma/theta` of an elliptic line in infinite surroundings, in plane strain [Pa].

    By Eshelby's equivalent inclusion: the metal, with the eigenstrain theta/3 I, has the same stress as the
    surroundings with an eigenstrain e* would: C_m (S e* - theta/3 I) = C_s (S e* - e*), S the tensor of the elliptic
    cylinder.

    Args:
        metal: with `young_modulus` [Pa] and `poisson_ratio`, such as `em.mechanics.Elastic`.
        surroundings: the same.
        aspect: height over width, above 0 [-].

    References:
        J. D. Eshelby, Proc. R. Soc. A 241, 376 (1957), doi:10.1098/rspa.1957.0133; T. Mura, Micromechanics of Defects
        in Solids (1987), eq. (11.22).
    """
    b, a = number("aspect", aspect, above=0.0), 1.0
    nu = _poisson("surroundings", surroundings)
    whole, two = a + b, 2 * (1 - nu)
    s = np.zeros((3, 3))
    s[0, 0] = ((b**2 + 2 * a * b) / whole**2 + (1 - 2 * nu) * b / whole) / two
    s[1, 1] = ((a**2 + 2 * a * b) / whole**2 + (1 - 2 * nu) * a / whole) / two
    s[0, 1] = (b**2 / whole**2 - (1 - 2 * nu) * b / whole) / two
    s[1, 0] = (a**2 / whole**2 - (1 - 2 * nu) * a / whole) / two
    s[0, 2], s[1, 2] = 2 * nu * b / whole / two, 2 * nu * a / whole / two
    inside, outside = (_stiffness(name, each) for name, each in (("metal", metal), ("surroundings", surroundings)))
    unit = np.full(3, 1 / 3)
    equivalent = np.linalg.solve((inside - outside) @ s + outside, inside @ unit)
    return float(-(inside @ (s @ equivalent - unit)).mean())


def _poisson(name: str, solid: Any) -> float:
    """Return Poisson's ratio of a solid."""
    return number(f"poisson_ratio of {name}", getattr(solid, "poisson_ratio", None), above=-1.0, below=0.5)


def _stiffness(name: str, solid: Any) -> Values:
    """Return the stiffness between normal strains and normal stresses of an isotropic solid, shape (3, 3)."""
    nu = _poisson(name, solid)
    young = number(f"young_modulus of {name}", getattr(solid, "young_modulus", None), above=0.0, unit="Pa")
    shear = young / (2 * (1 + nu))
    return young * nu / ((1 + nu) * (1 - 2 * nu)) * np.ones((3, 3)) + 2 * shear * np.eye(3)


@checked
@finite
def confined_line_modulus(solid: Any) -> float:
    """Return `4 mu K/(3 K + 4 mu)`, the modulus of a line whose sides do not move and whose ends are clamped [Pa].

    Across the line all strain is blocked; along it metal may shift from where atoms come to where they leave, until the
    axial stress is the same everywhere. Then sigma = -B theta, if the mean of theta is 0.
    """
    nu = _poisson("solid", solid)
    young = number("young_modulus of solid", getattr(solid, "young_modulus", None), above=0.0, unit="Pa")
    shear, bulk = young / (2 * (1 + nu)), young / (3 * (1 - 2 * nu))
    return 4 * shear * bulk / (3 * bulk + 4 * shear)


@checked
@finite
def kirsch(x: ArrayLike, y: ArrayLike, *, tension: float, radius: float) -> Values:
    """Return s_xx, s_yy, s_xy around a free round hole in an infinite plate under tension along x, shape (3, ...).

    Args:
        x: place from the middle of the hole, any shape.
        y: of a shape that broadcasts with x; no point inside the hole.
        tension: far away [Pa].
        radius: of the hole, above 0.

    References:
        E. G. Kirsch, Z. Ver. Dtsch. Ing. 42, 797 (1898).
    """
    pull = number("tension", tension, unit="Pa")
    _, angle, ratio = _polar(x, y, radius)
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    radial = pull / 2 * ((1 - ratio**2) + (1 - 4 * ratio**2 + 3 * ratio**4) * c)
    hoop = pull / 2 * ((1 + ratio**2) - (1 + 3 * ratio**4) * c)
    shear = -pull / 2 * (1 + 2 * ratio**2 - 3 * ratio**4) * s
    return _cartesian(radial, hoop, shear, angle)


@checked
@finite
def heated_hole(
    x: ArrayLike, y: ArrayLike, *, gradient: float, radius: float, young_modulus: float, expansion: float
) -> Values:
    """Return s_xx, s_yy, s_xy around an insulated free hole in a thin plate, heat flowing along y, shape (3, ...).

    Far away T rises by `gradient` along y; around the hole T = gradient (r + a^2/r) sin(angle). On the rim the hoop
    stress is `-E alpha gradient a sin(angle)`: compression where it is hot.

    Args:
        x: place from the middle of the hole, any shape [m].
        y: of a shape that broadcasts with x; no point inside the hole [m].
        gradient: of the temperature far away [K/m].
        radius: a, above 0 [m].
        young_modulus: E, of plane stress [Pa].
        expansion: alpha, linear [1/K].

    References:
        A. L. Florence and J. N. Goodier, J. Appl. Mech. 26, 293 (1959).
    """
    _, angle, ratio = _polar(x, y, radius)
    level = number("young_modulus", young_modulus, above=0.0) * number("expansion", expansion) * float(radius) / 2
    level *= number("gradient", gradient)
    radial = -level * (ratio - ratio**3) * np.sin(angle)
    hoop = -level * (ratio + ratio**3) * np.sin(angle)
    shear = level * (ratio - ratio**3) * np.cos(angle)
    return _cartesian(radial, hoop, shear, angle)


def _polar(x: ArrayLike, y: ArrayLike, radius: float) -> tuple[Values, Values, Values]:
    """Return the distance to the origin, the angle, and radius over distance."""
    a = number("radius", radius, above=0.0)
    px, py = np.broadcast_arrays(floats("x", x), floats("y", y))
    r = np.hypot(px, py)
    lowest = float(np.min(r, initial=np.inf))
    require(lowest >= a * (1 - 1e-9), f"a point at {lowest:g} from the middle, must be outside of the radius {a:g}")
    return r, np.arctan2(py, px), a / r


def _cartesian(radial: Values, hoop: Values, shear: Values, angle: Values) -> Values:
    """Return the components of a stress along x and y, shape (3, ...)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack(
        [
            radial * c**2 + hoop * s**2 - 2 * shear * s * c,
            radial * s**2 + hoop * c**2 + 2 * shear * s * c,
            (radial - hoop) * s * c + shear * (c**2 - s**2),
        ]
    )


@checked
@finite
def thick_cylinder(r: ArrayLike, *, inner: float, outer: float, pressure: float) -> Values:
    """Return the radial and the hoop stress in a tube under a pressure inside, shape (2, ...), by G. Lame (1852).

    Args:
        r: distances to the axis, from `inner` to `outer`, any shape.
        inner: radius a, above 0.
        outer: radius b, above `inner`.
        pressure: inside [Pa].
    """
    a = number("inner", inner, above=0.0)
    b, load = number("outer", outer, above=a), number("pressure", pressure)
    place = floats("r", r)
    level = load * a**2 / (b**2 - a**2)
    return np.stack([level * (1 - b**2 / place**2), level * (1 + b**2 / place**2)])


@checked
@finite
def plastic_radius(*, inner: float, outer: float, pressure: float, yield_stress: float) -> float:
    """Return the radius up to which a tube of perfect plasticity has yielded under a pressure inside.

    c of `p = k (2 ln(c/a) + 1 - c^2/b^2)`, k = yield_stress/sqrt(3), of plane strain without change of volume; `inner`
    as long as nothing yields.

    Args:
        inner: radius a, above 0.
        outer: radius b, above `inner`.
        pressure: inside, below that at which all of the tube yields [Pa].
        yield_stress: in a tensile test, above 0 [Pa].

    References:
        R. Hill, The Mathematical Theory of Plasticity (1950), chapter V.
    """
    a = number("inner", inner, above=0.0)
    b = number("outer", outer, above=a)
    k = number("yield_stress", yield_stress, above=0.0, unit="Pa") / np.sqrt(3)
    load = number("pressure", pressure, at_least=0.0, unit="Pa")

    def excess(c: float) -> float:
        return float(k * (2 * np.log(c / a) + 1 - (c / b) ** 2) - load)

    if excess(b) < 0.0:
        msg = f"pressure = {load:g} Pa, must be below {load + excess(b):g} Pa, at which all of the tube yields"
        raise ParameterError(msg)
    return a if excess(a) >= 0.0 else float(brentq(excess, a, b, xtol=1e-15 * b, rtol=1e-14))
