"""Surfaces of crystals: energy and mobility that depend on the direction of the outward normal.

The free energy is int gamma [3 W / l + 3 l G(grad c)^2] dx with G(p) = |p| a(-p/|p|), a the energy over the material's.
A surface at rest is then l a wide, and the restriction g of `terms` keeps mu the same across it, as without a crystal.
G^2 is convex where the stiffness a + a'' is positive: only then is the equation one of diffusion, and others are
refused. `FacetEnergy` is convex, with cusps that are rounded off: its shapes have facets and corners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

from emfem.analytic import wulff
from emfem.errors import ParameterError, angle_in_radians, count, floats, number, require, shown
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.surface.anisotropy import MOST
from emfem.surface.terms import FAINT

import numpy as np
import ufl
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

AROUND = 720  # directions in a plane at which an energy is checked
OVER = 150  # in space, besides the 26 along edges and diagonals of a cube
STEP = 2 * np.pi / AROUND
ROUNDING = 1e-9  # of the stiffness


@checked
@dataclass(frozen=True)
class FoldEnergy:
    """Energy of a surface in a plane over its mean: `1 + S cos(N alpha)`, alpha the direction of the outward normal.

    Attributes:
        strength: S, from 0 to 1 / (N^2 - 1), where the stiffness 1 - S (N^2 - 1) of the maxima is 0 [-].
        fold: N, from 2 to 24.
    """

    strength: float
    fold: int = 4
    maker: ClassVar[str] = "em.surface.FoldEnergy"

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ParameterError: for a value out of its bounds; the message names the bound of the stiffness.
        """
        s = number("strength", self.strength, at_least=0.0, below=1.0)
        n = count("fold", self.fold, at_least=2, at_most=MOST)
        if s * (n**2 - 1) >= 1:
            msg = (
                f"strength = {s:g} of fold {n}, must be less than {1 / (n**2 - 1):.6g}, where the stiffness "
                "1 - S (N^2 - 1) is 0: a shape with corners needs FacetEnergy"
            )
            raise ParameterError(msg)

    def __call__(self, normal: Any) -> Any:
        """Return the energy over its mean, of a normal of two components, UFL."""
        real, imaginary = normal[0], normal[1]
        for _ in range(self.fold - 1):
            real, imaginary = real * normal[0] - imaginary * normal[1], real * normal[1] + imaginary * normal[0]
        return 1 + self.strength * real


@checked
@dataclass(frozen=True)
class CubicEnergy:
    """Energy of a surface of a cubic crystal over the material's: `1 + S (4 (n_x^4 + n_y^4 + n_z^4) - 3)`.

    In the plane z = 0 it is `1 + S cos(4 alpha)`. Its stiffness, 1 - 15 |S| at the least, is positive for S from -1/15
    to 1/15; others are refused by `em.surface.model`.

    Attributes:
        strength: S, above 0 where the faces of a cube cost most [-].
    """

    strength: float
    maker: ClassVar[str] = "em.surface.CubicEnergy"

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("strength", self.strength, above=-1.0, below=1.0)

    def __call__(self, normal: Any) -> Any:
        """Return the energy over the material's, UFL."""
        return 1 + self.strength * (4 * sum(normal[i] ** 4 for i in range(len(normal))) - 3)


@checked
@dataclass(frozen=True, eq=False)
class FacetEnergy:
    """Energy of a surface with facets: `sum_e sqrt((n . e)^2 + r^2 |e|^2)` over the least of it, e the edges.

    As the rounding r becomes small the shape at rest is the polygon or polyhedron that is the sum of its edges: two
    equal ones across each other make a square, three in a plane a hexagon, three in space a cube, with r the bulge of
    its facets. It is convex for any r: the cusps of the energy at facets become smooth, its corners stay sharp.

    Attributes:
        edges: each direction once, shape (m, dim), of lengths in any one unit.
        rounding: r, from 0.01 to 1: a facet is a part of a circle 1 / r times as large, and a corner r^2 [-].
    """

    edges: ArrayLike
    rounding: float = 0.1
    maker: ClassVar[str] = "em.surface.FacetEnergy"

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ParameterError: for a value out of its bounds, or edges that enclose nothing.
        """
        edges = floats("edges", self.edges, words="finite", finite=True)
        number("rounding", self.rounding, at_least=0.01, at_most=1.0)
        fits = edges.ndim == 2 and edges.shape[1] in (2, 3) and edges.shape[0] <= MOST
        require(fits, f"edges of shape {edges.shape}, must be (m, 2) or (m, 3), of at most {MOST} edges")
        spanned = np.linalg.matrix_rank(edges) == edges.shape[1] and np.linalg.norm(edges, axis=1).all()
        require(
            spanned, f"edges = {edges.tolist()}, must have {edges.shape[1]} that are independent, and none of length 0"
        )

    @cached_property
    def _scaled(self) -> Values:
        """Edges for which the least energy is 1; on a grid, as it need not be more exact."""
        edges = np.asarray(self.edges, dtype=float)
        there = directions(edges.shape[1])
        lengths = np.linalg.norm(edges, axis=1)
        return edges / np.sqrt((edges @ there) ** 2 + (self.rounding * lengths[:, None]) ** 2).sum(axis=0).min()

    def __call__(self, normal: Any) -> Any:
        """Return the energy over that of the facet with the least, UFL.

        Raises:
            ParameterError: for a normal that has not as many components as the edges.
        """
        dim = self._scaled.shape[1]
        require(
            len(normal) == dim, f"edges of {dim} components on a surface in {len(normal)} dimensions, must be alike"
        )
        total: Any = 0.0
        for edge in self._scaled.tolist():
            along = sum(edge[i] * normal[i] for i in range(dim))
            total = total + ufl.sqrt(along**2 + self.rounding**2 * sum(part**2 for part in edge))
        return total


@checked
@dataclass(frozen=True, eq=False)
class Crystal:
    """Energy and mobility of the surface of a crystal that is turned in its domain.

    Energy and mobility are functions of the outward normal in the axes of the crystal, UFL, such as `FoldEnergy`,
    `CubicEnergy`, `FacetEnergy` and `MobilityAnisotropy`, or your own: `lambda n: 1 + 0.03 * (n[0]**4 + n[1]**4)`. Away
    from the surface they are called with shorter normals, too, down to 0, and must be above 0 there.

    Attributes:
        energy: gamma over the material's; 1 when left out [-].
        mobility: D_s over the material's; 1 when left out [-].
        angle: by which the crystal is turned from x towards y [rad].
        axes: instead of an angle, the axes of the crystal in the domain, shape (3, 3), one a row: orthonormal and
            right-handed. In a plane too the functions then have normals of three components [-].
    """

    energy: Callable[[Any], Any] | None = None
    mobility: Callable[[Any], Any] | None = None
    angle: float = 0.0
    axes: ArrayLike | None = None
    maker: ClassVar[str] = "em.surface.Crystal"

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ParameterError: for an angle that is not finite, or axes that are none.
        """
        angle_in_radians("angle", self.angle)
        if self.axes is None:
            return
        require(self.angle == 0.0, f"angle = {self.angle:g} rad beside axes, must be left out")
        axes = floats("axes", self.axes, words="finite", finite=True)
        proper = axes.shape == (3, 3) and np.allclose(axes @ axes.T, np.eye(3), atol=1e-8) and np.linalg.det(axes) > 0
        require(proper, f"axes = {axes.tolist()}, must be orthonormal and right-handed, shape (3, 3)")

    def energy_of(self, normal: Any) -> Any:
        """Return gamma over the material's, of a normal in the axes of the domain, UFL.

        Raises:
            ParameterError: if the function of the user returns no number.
        """
        return self._value("energy", normal)

    def mobility_of(self, normal: Any) -> Any:
        """Return D_s over the material's, of a normal in the axes of the domain, UFL.

        Raises:
            ParameterError: if the function of the user returns no number.
        """
        return self._value("mobility", normal)

    def energies(self, normals: ArrayLike) -> Values:
        """Return gamma over the material's at unit normals in the axes of the domain, shape (dim, n), as (n,).

        Raises:
            ParameterError: for normals of another shape, or an energy that is not above 0 or not finite.
        """
        there = floats("normals", normals, words="finite", finite=True)
        fits = there.ndim == 2 and there.shape[0] in (2, 3)
        require(fits, f"normals of shape {there.shape}, must be (2, n) or (3, n)")
        return self._sampled("energy", there)

    def wulff(self, size: float, dim: int = 2) -> Values:
        """Return the corners of the shape at rest: `em.analytic.wulff` at 720 normals, in space at 5000.

        Args:
            size: its area, in space its volume [m2 or m3].
            dim: 2 or 3.

        Returns:
            places around its middle, shape (m, dim); in a plane in order around it [m].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        normals = directions(count("dim", dim, at_least=2, at_most=3), over=5000)
        return wulff(normals, self.energies(normals), size=size)

    def check(self, domain: Domain) -> tuple[float, float]:
        """Return the least and the greatest energy in a domain.

        Raises:
            ParameterError: for an energy or a mobility that is not above 0, an energy without the stiffness that keeps
                a surface stable, with the value, or one that is not symmetric to the axis of revolution.
        """
        dim = domain.dim
        rest = np.zeros((dim, 1))
        normals = directions(dim)
        if dim == 3 and self.axes is not None:
            normals = np.asarray(self.axes, dtype=float).T @ normals
        for name in ("energy", "mobility"):
            self._sampled(name, np.hstack([rest, normals]))
        energies = self._sampled("energy", normals)
        stiffness, worst = self._stiffness(normals, energies)
        if domain.weight is not None and domain.thickness is None:
            mirrored = self._sampled("energy", normals * [[1.0], [-1.0]])
            require(
                np.allclose(mirrored, energies, rtol=1e-6),
                f"energy of {shown(self)}, must be symmetric to the axis of revolution",
            )
            hoop = _hoop(energies)
            if hoop.min() < stiffness:
                stiffness, worst = float(hoop.min()), normals[:, hoop.argmin()]
        if stiffness < -ROUNDING:
            place = ", ".join(f"{part:.3g}" for part in worst)
            msg = (
                f"energy with the stiffness {stiffness:.4g} at the normal ({place}), must be at least 0 there: a shape "
                "with corners needs a convex energy such as FacetEnergy"
            )
            raise ParameterError(msg)
        return float(energies.min()), float(energies.max())

    def _stiffness(self, normals: Values, energies: Values) -> tuple[float, Values]:
        """Return the least stiffness of all normals over that of the material, and its normal.

        Along a circle of normals it is a + a''; (a(s) + a(-s) - 2 a(0) cos s) / (2 - 2 cos s) is that but for s^2, and
        exactly 0 for a cos, which has none.
        """
        bent = 2 - 2 * np.cos(STEP)
        if len(normals) == 2:
            values = (np.roll(energies, 1) + np.roll(energies, -1) - 2 * energies * np.cos(STEP)) / bent
            return float(values.min()), normals[:, values.argmin()]
        first = np.cross(normals.T, np.eye(3)[np.abs(normals).argmin(axis=0)])
        first = (first / np.linalg.norm(first, axis=1)[:, None]).T
        second = np.cross(normals.T, first.T).T

        def along(tangent: Values) -> Values:
            both = [
                self._sampled("energy", np.cos(STEP) * normals + sign * np.sin(STEP) * tangent) for sign in (1.0, -1.0)
            ]
            return np.asarray((both[0] + both[1] - 2 * energies * np.cos(STEP)) / bent)

        a, b, diagonal = along(first), along(second), along((first + second) / np.sqrt(2))
        values = (a + b) / 2 - np.hypot((a - b) / 2, diagonal - (a + b) / 2)
        return float(values.min()), normals[:, values.argmin()]

    def _turned(self, normal: Any) -> Any:
        """Return a normal in the axes of the crystal, UFL."""
        dim = len(normal)
        if self.axes is not None:
            axes = np.asarray(self.axes, dtype=float).tolist()
            return ufl.as_vector([sum(axes[i][j] * normal[j] for j in range(dim)) for i in range(3)])
        if not self.angle:
            return normal
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        plane = [cos * normal[0] + sin * normal[1], cos * normal[1] - sin * normal[0]]
        return ufl.as_vector([*plane, *(normal[i] for i in range(2, dim))])

    def _value(self, name: str, normal: Any) -> Any:
        """Return energy or mobility at a normal, UFL.

        Raises:
            ParameterError: if it is no number.
        """
        function = getattr(self, name)
        if function is None:
            return ufl.as_ufl(1.0)
        returned: Any = function
        try:
            returned = function(self._turned(normal))
            value = ufl.as_ufl(returned)
        except ParameterError:
            raise
        except Exception:  # UFL raises errors of many kinds
            msg = f"{name}(normal) = {shown(returned)}, must be a number or UFL"
            raise ParameterError(msg) from None
        require(value.ufl_shape == (), f"{name}(normal) of shape {value.ufl_shape}, must be a number")
        return value

    def _sampled(self, name: str, normals: Values) -> Values:
        """Return energy or mobility at normals of shape (dim, n).

        Raises:
            ParameterError: if one is not above 0 or not finite.
        """
        values = np.array([float(self._value(name, ufl.as_vector(normal.tolist()))(())) for normal in normals.T])
        wrong = ~(np.isfinite(values) & (values > 0))
        if wrong.any():
            place = ", ".join(f"{part:.3g}" for part in normals[:, wrong.argmax()])
            msg = f"{name} = {values[wrong.argmax()]:g} at the normal ({place}), must be above 0 and finite"
            raise ParameterError(msg)
        return values


def directions(dim: int, over: int = OVER) -> Values:
    """Return unit normals all around, shape (dim, n): in space those of a cube's faces, edges and corners first."""
    if dim == 2:
        angle = STEP * np.arange(AROUND)
        return np.stack([np.cos(angle), np.sin(angle)])
    cube = np.array([place for place in product((-1.0, 0.0, 1.0), repeat=3) if any(place)])
    height = 1 - (2 * np.arange(over) + 1) / over
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(over)
    ring = np.sqrt(1 - height**2)
    spiral = np.stack([ring * np.cos(turn), ring * np.sin(turn), height])
    return np.hstack([(cube / np.linalg.norm(cube, axis=1)[:, None]).T, spiral])


def _hoop(energies: Values) -> Values:
    """Return a + a' cot(theta) all around, the stiffness around the axis of revolution; 1 at the axis itself."""
    theta = STEP * np.arange(AROUND)
    slope = (np.roll(energies, -1) - np.roll(energies, 1)) / (2 * np.sin(STEP))
    sine = np.sin(theta)
    off = np.abs(sine) > STEP / 2
    return np.where(off, energies + slope * np.cos(theta) / np.where(off, sine, 1.0), 1.0)


@dataclass(frozen=True)
class CrystalTerms:
    """Terms of a crystal in the equations of a surface, UFL.

    Attributes:
        gradient: 3 l^2 dG^2/dp at p = grad c, instead of 6 l^2 grad c.
        excess: G^2 - |grad c|^2.
        mobility: D_s over the material's, over the energy: a surface of more energy is wider.
    """

    gradient: Any
    excess: Any
    mobility: Any


def crystal_terms(crystal: Crystal, c: Any, width: Any) -> CrystalTerms:
    """Return the terms of a crystal."""
    slope = ufl.variable(ufl.grad(c))
    square = ufl.inner(slope, slope)
    normal = -slope / ufl.sqrt(square + (FAINT / width) ** 2)
    energy = crystal.energy_of(normal)
    metric = energy**2 * square
    return CrystalTerms(
        gradient=3 * width**2 * ufl.diff(metric, slope),
        excess=metric - square,
        mobility=crystal.mobility_of(normal) / energy,
    )
