"""Shapes of metal: functions of place that return the distance into the metal, negative in vacuum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from emfem.errors import ParameterError, floats, number, require
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
TINY = 1e-14  # distance from the long axis, in short half axes, that keeps the nearest point of an ellipse unique
BISECTIONS = 100
SLENDER = 1e3


@checked
@dataclass(frozen=True)
class Shape:
    """A shape of metal.

    Attributes:
        words: its name.
        distance: function of places x, shape (3, n), and the periods of the domain, shape (3,), that returns the depth
            in the metal, shape (n,) [m]; negative in vacuum.
        of_void: quantities such as the drift are those of the vacuum, not of the metal.
        wavelength: of its edges along x, which must fit a period [m]; None for straight ones.
        place: coordinates of the user [m]; empty if the place is one number alone.
        place_name: name of the argument of the place.
        lengths: of the user, by the names of their arguments [m].
    """

    words: str
    distance: Callable[[Values, Values], Values]
    of_void: bool = False
    wavelength: float | None = None
    place: tuple[float, ...] = ()
    place_name: str = ""
    lengths: Mapping[str, float] = field(default_factory=dict)
    maker: ClassVar[str] = "em.surface.wire"

    def __call__(self, x: Values) -> Values:
        """Return the distance into the metal in a domain without periods, shape (n,) [m]."""
        return self.distance(np.asarray(x, dtype=float), np.zeros(3))


@checked
def void(centre: ArrayLike, radius: float) -> Shape:
    """Return a round hole in metal: a disk in a plane, a ball in space or about the axis; it may cross a periodic seam.

    Args:
        centre: x and y, in space also z [m].
        radius: above 0 [m].

    Raises:
        ParameterError: for a centre that is no point or a radius that is not positive.
    """
    middle, size = _point("centre", centre), number("radius", radius, above=0.0, unit="m")

    def distance(x: Values, period: Values) -> Values:
        return np.linalg.norm(_apart(x, middle, period), axis=0) - size

    lengths = {"radius": size}
    return Shape("void", distance, of_void=True, place=_coordinates(centre), place_name="centre", lengths=lengths)


@checked
def ellipse(centre: ArrayLike, semi_axes: ArrayLike, *, angle: float = 0.0) -> Shape:
    """Return an elliptic hole in metal, in a plane; it may cross a periodic seam.

    Args:
        centre: x and y [m].
        semi_axes: a and b, each above 0, within a factor of 1000 [m].
        angle: of the axis a, from x towards y, within a full turn [rad].

    Raises:
        ParameterError: for a centre or semi-axes that are not two numbers, or one out of its bounds.
    """
    middle = floats("centre", centre, (2,), "finite", finite=True)
    axes = floats("semi_axes", semi_axes, (2,), "finite", finite=True)
    for axis in axes:
        number("semi_axes", axis, above=0.0, unit="m")
    require(max(axes) < SLENDER * min(axes), f"semi_axes = {axes.tolist()} m, must be within a factor of {SLENDER:g}")
    turn = number("angle", angle, at_least=-2 * np.pi, at_most=2 * np.pi, unit="rad")
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def distance(x: Values, period: Values) -> Values:
        return _to_ellipse(turned @ _apart(x, middle, period)[:2], axes)

    lengths = {"semi_axes": float(max(axes))}
    return Shape("ellipse", distance, of_void=True, place=_coordinates(centre), place_name="centre", lengths=lengths)


@checked
def wire(
    radius: float,
    *,
    axis: ArrayLike = (0.0, 0.0),
    amplitude: float = 0.0,
    wavelength: float | None = None,
    phase: float = 0.0,
) -> Shape:
    """Return a wire along x of radius R + a cos(2 pi x / lambda + phase); in a plane a strip of half-width R.

    Args:
        radius: R, above 0 [m].
        axis: its y, in space y and z [m]. At the axis of a body of revolution and, as half of a symmetric
            wire, at an edge y = 0 it is 0.
        amplitude: a, less than R [m].
        wavelength: lambda, above 0; needed with an amplitude [m].
        phase: of the wave [rad]; at 0 it is thickest at x = 0.

    Raises:
        ParameterError: for a radius or wavelength that is not positive, an amplitude that is not less than the radius
            or has no wavelength.
    """
    size, place = number("radius", radius, above=0.0, unit="m"), _point("axis", axis, shift=1)
    wave = _wave(amplitude, wavelength, phase, size)

    def distance(x: Values, _: Values) -> Values:
        return size + wave(x[0]) - np.linalg.norm(x[1:] - place[1:, None], axis=0)

    lengths = {"radius": size}
    return Shape("wire", distance, wavelength=wavelength, place=_coordinates(axis), place_name="axis", lengths=lengths)


@checked
def strip(
    width: float,
    *,
    centre: float = 0.0,
    amplitude: float = 0.0,
    wavelength: float | None = None,
    phase: float = 0.0,
) -> Shape:
    """Return a strip along x of half-width w/2 + a cos(2 pi x / lambda + phase) about y = centre.

    Args:
        width: w, above 0 [m].
        centre: y of its middle [m].
        amplitude: a, less than w/2 [m].
        wavelength: lambda, above 0; needed with an amplitude [m].
        phase: of the wave [rad]; at 0 it is widest at x = 0.

    Raises:
        ParameterError: as `wire`.
    """
    half = number("width", width, above=0.0, unit="m") / 2
    middle, wave = number("centre", centre, unit="m"), _wave(amplitude, wavelength, phase, half)

    def distance(x: Values, _: Values) -> Values:
        return half + wave(x[0]) - np.abs(x[1] - middle)

    return Shape("strip", distance, wavelength=wavelength, lengths={"width": 2 * half, "centre": middle})


@checked
def flat(height: float, *, amplitude: float = 0.0, wavelength: float | None = None, phase: float = 0.0) -> Shape:
    """Return metal below the surface y = height + a cos(2 pi x / lambda + phase).

    Args:
        height: of the surface [m].
        amplitude: a [m].
        wavelength: lambda, above 0; needed with an amplitude [m].
        phase: of the wave [rad].

    Raises:
        ParameterError: for a value that is not finite, or an amplitude without a wavelength.
    """
    level, wave = number("height", height, unit="m"), _wave(amplitude, wavelength, phase, np.inf)

    def distance(x: Values, _: Values) -> Values:
        return level + wave(x[0]) - x[1]

    return Shape("flat surface", distance, wavelength=wavelength, lengths={"height": level})


@checked
def bridge(
    length: float,
    radius: float,
    *,
    middle: float,
    axis: ArrayLike = (0.0, 0.0),
    fillet: float = 0.0,
) -> Shape:
    """Return a thin wire along x between two pads that fill the rest of the domain; in a plane a strip of half-width R.

    Args:
        length: of the wire, above 0 [m].
        radius: R, above 0 [m].
        middle: x of its middle [m].
        axis: as in `wire` [m].
        fillet: radius of the corners between wire and pads, at most half the length [m].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    half = number("length", length, above=0.0, unit="m") / 2
    size, centre = number("radius", radius, above=0.0, unit="m"), number("middle", middle, unit="m")
    place, rounding = _point("axis", axis, shift=1), number("fillet", fillet, at_least=0.0, at_most=half, unit="m")

    def distance(x: Values, _: Values) -> Values:
        """To the vacuum around the wire, a box with rounded corners."""
        apart = np.linalg.norm(x[1:] - place[1:, None], axis=0)
        corner = np.stack([np.abs(x[0] - centre) - half + rounding, size + rounding - apart])
        return np.linalg.norm(np.maximum(corner, 0.0), axis=0) + np.minimum(corner.max(axis=0), 0.0) - rounding

    lengths = {"length": 2 * half, "radius": size, "middle": centre}
    return Shape("bridge", distance, place=_coordinates(axis), place_name="axis", lengths=lengths)


def profile(distance: Values, width: float) -> Values:
    """`(1 + tanh(n / 2 l)) / 2`, the fraction of metal of a surface at rest."""
    return (1 + np.tanh(distance / (2 * width))) / 2


def _apart(x: Values, middle: Values, period: Values) -> Values:
    """Return places less the nearest image of a point, shape (3, n)."""
    apart = np.array(x, dtype=float)
    apart[: len(middle)] -= middle[:, None]
    around = period > 0
    apart[around] -= period[around, None] * np.rint(apart[around] / period[around, None])
    return apart


def _to_ellipse(places: Values, axes: Values) -> Values:
    """Return the signed distance of places in the axes of an ellipse from it, shape (n,); negative inside.

    The nearest point is (a^2 x / (t + a^2), b^2 y / (t + b^2)), a >= b, with the t > -b^2 that puts it on the
    ellipse. It is bisected in u = 1 + t / b^2, so that places near the long axis lose no digits (D. Eberly, Distance
    from a point to an ellipse, 2013).
    """
    order = np.argsort(-axes)
    (a, b), (x, y) = axes[order], np.abs(places[order])
    ratio, far, near = (a / b) ** 2, x / a, np.maximum(y / b, TINY)

    def on(u: Values) -> tuple[Values, Values]:
        return ratio * far / (u + (ratio - 1)), near / u

    low, high = near, np.hypot(ratio * far, near)
    for _ in range(BISECTIONS):
        u = (low + high) / 2
        outside = np.hypot(*on(u)) > 1
        low, high = np.where(outside, u, low), np.where(outside, high, u)
    along, across = on((low + high) / 2)
    return np.hypot(x - a * along, y - b * across) * np.sign(np.hypot(far, y / b) - 1)


def _wave(amplitude: float, wavelength: float | None, phase: float, limit: float) -> Callable[[Values], Values]:
    """Return the wave of an edge as a function of x."""
    size = number("amplitude", amplitude, unit="m")
    number("abs(amplitude)", abs(size), below=limit, unit="m")
    start = number("phase", phase)
    if wavelength is None:
        if size != 0.0:
            msg = f"amplitude = {size:g} m without wavelength, must come with one"
            raise ParameterError(msg)
        return np.zeros_like
    wave_number = 2 * np.pi / number("wavelength", wavelength, above=0.0, unit="m")
    return lambda x: size * np.cos(wave_number * x + start)


def _coordinates(place: ArrayLike) -> tuple[float, ...]:
    """Return the coordinates of a place, as many as it has."""
    return tuple(np.atleast_1d(np.asarray(place, dtype=float)).tolist())


def _point(name: str, value: Any, *, shift: int = 0) -> Values:
    """Return a point as three coordinates, from two or three less the first `shift` of them."""
    place = np.atleast_1d(floats(name, value))
    if place.ndim != 1 or not 2 - shift <= len(place) <= 3 - shift or not np.isfinite(place).all():
        msg = f"{name} = {place.tolist()}, must be {2 - shift} or {3 - shift} finite coordinates"
        raise ParameterError(msg)
    point = np.zeros(3)
    point[shift : shift + len(place)] = place
    return point
