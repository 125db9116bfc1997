"""Life of one line in closed form: until a void opens, and until it has grown to a length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from emfem.arrays import broadcast
from emfem.errors import ParameterError, require
from emfem.gate import checked
from emfem.lifetime.regression import Array, bounded
from emfem.materials import Material
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise
from scipy.special import erfc

BLOCK = 4096  # lines whose lives are computed together, so that the waves of all fit into memory
EARLY = 0.1  # kappa t/L^2 up to which images converge faster than waves; a few of either are exact to rounding
NEAR = 1e-6  # of |G| L: a tension reached before the other end of the line is felt, to exp(-1e12)
FAR = 0.01  # kappa t/L^2 up to which the other end is not felt, to e^-25
IMAGES, WAVES = np.arange(1, 5), np.arange(5)
MODES, TERMS = 256, 512  # of the stress after and before the void opens: errors below 1e-5 of the volume
REASONS = ("failed", "immortal", "saturated")


@dataclass(frozen=True, eq=False)
class LineLife:
    """Life of a line, or of many; all of one shape.

    Attributes:
        nucleation: time until a void opens; infinity if none ever does [s].
        growth: time from then until it has its length; infinity if it never has [s].
        why: "failed", "immortal" if no void ever opens, or "saturated" if the void stops below its length.
    """

    nucleation: Any
    growth: Any
    why: Any

    @property
    def time_to_failure(self) -> Any:
        """The sum of both [s]."""
        return self.nucleation + self.growth


@checked
@dataclass(frozen=True, eq=False)
class Line:
    """A line with blocked ends under a constant current: call it with a metal and a critical stress for its life.

    Every value is a number or an array; together they broadcast.

    Attributes:
        length: L [m].
        current_density: j, of either sign [A/m2].
        residual_stress: sigma_T, uniform before the current, tension positive [Pa].
        void_length: the void's volume over the cross-section at which the line fails; 0: when the void opens [m].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    length: ArrayLike
    current_density: ArrayLike
    residual_stress: ArrayLike = 0.0
    void_length: ArrayLike = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        length = bounded("length", self.length, "m", above=0.0)
        j = bounded("current_density", self.current_density, "A/m2")
        residual = bounded("residual_stress", self.residual_stress, "Pa")
        void = bounded("void_length", self.void_length, "m", at_least=0.0)
        length, _, _, void = broadcast(length=length, current_density=j, residual_stress=residual, void_length=void)
        if np.any(void >= length):
            msg = f"void_length = {np.max(void):g} m, must be less than the length of the line, {np.min(length):g} m"
            raise ParameterError(msg)

    @checked
    def __call__(self, material: Material | Sequence[Material], critical_stress: ArrayLike) -> LineLife:
        """Return its life: the exact Korhonen stress until a void opens, then the exact growth from that stress.

        The void opens at the end that atoms leave when the tension there is sigma_c, holds it at 0 and takes up the
        atoms that leave: V/A = int (sigma_T - sigma) dx / B. It opens at once where sigma_T is sigma_c or more.

        Args:
            material: the metal, at its temperature; or one for each sample.
            critical_stress: sigma_c, above 0 [Pa].

        Raises:
            ParameterError: for a stress out of its bounds, or a constant that the metal lacks.
        """
        critical = bounded("critical_stress", critical_stress, "Pa", above=0.0)
        kappa, per_current, stiffness = _of(material)
        own = {entry.name: np.asarray(getattr(self, entry.name), float) for entry in fields(self)}
        parts = broadcast(critical_stress=critical, **own, material=kappa)
        flat = [np.broadcast_to(x, parts[0].shape).ravel() for x in (*parts, per_current, stiffness)]
        blocks = [_lives(*(x[i : i + BLOCK] for x in flat)) for i in range(0, max(parts[0].size, 1), BLOCK)]
        return LineLife(*(np.concatenate(x).reshape(parts[0].shape)[()] for x in zip(*blocks, strict=True)))


@checked
def line_lifetime(
    material: Material | Sequence[Material],
    *,
    length: ArrayLike,
    current_density: ArrayLike,
    critical_stress: ArrayLike,
    residual_stress: ArrayLike = 0.0,
    void_length: ArrayLike = 0.0,
) -> LineLife:
    """Return the life of lines with blocked ends in closed form; arguments as in `Line`, all together broadcast.

    Raises:
        ParameterError: for a value out of its bounds, or a constant that the metal lacks.
    """
    return Line(length, current_density, residual_stress, void_length)(material, critical_stress)


def _lives(
    sigma_c: Array,
    length: Array,
    j: Array,
    sigma_t: Array,
    void: Array,
    kappa: Array,
    per_current: Array,
    stiffness: Array,
) -> tuple[Array, Array, NDArray[np.str_]]:
    """Return times of nucleation and growth, and the reasons, of lines; all of shape (n,)."""
    nucleation, growth = np.full(len(j), np.inf), np.full(len(j), np.inf)
    with np.errstate(all="ignore"):
        force = np.abs(per_current * j) * length  # |G| L [Pa]
        tension = np.maximum(sigma_c - sigma_t, 0.0)
        mortal = tension < force / 2
        unit = length[mortal] ** 2 / kappa[mortal]
        risen = tension[mortal] / force[mortal]
        tau = rise_time(risen)
        nucleation[mortal] = unit * tau
        target = void[mortal] * stiffness[mortal] / (length[mortal] * force[mortal])
        growth[mortal] = unit * growth_time(tau, risen, sigma_t[mortal] / force[mortal], target)
    finite = np.isfinite(force).all() and np.isfinite(nucleation[mortal]).all() and not np.isnan(growth).any()
    require(finite, "the lives of these lines lead beyond the range of floating-point numbers")
    why = np.where(~mortal, REASONS[1], np.where(np.isinf(growth), REASONS[2], REASONS[0]))
    growth[~mortal] = 0.0  # nothing grows: the nucleation time is infinite
    return nucleation, growth, why


def rise_time(risen: Array) -> Array:
    """Return `kappa t/L^2` at which the tension at the end has risen by `risen` |G| L, in [0, 1/2), shape (n,)."""
    times = np.pi * (risen / 2) ** 2
    some = risen > NEAR
    wanted = risen[some]
    first = np.pi * (wanted / 2) ** 2  # of the half line: the other end only slows it down
    last = -np.log1p(-2 * wanted) / np.pi**2  # as if every wave decayed as slowly as the first
    result = elementwise.find_root(lambda s, w: risen_by(s) / w - 1, (0.99 * first, 1.01 * last), args=(wanted,))
    times[some] = result.x
    return times


def risen_by(tau: Array) -> Array:
    """Return the rise of the tension at the end of a blocked line over |G| L: early by images, later by waves."""
    root = np.sqrt(tau)
    early = 2 * root * (1 / np.sqrt(np.pi) + 2 * _images(root))
    k2 = (np.pi * (2 * WAVES + 1)) ** 2
    return np.where(tau <= EARLY, early, 0.5 - 4 * (np.exp(-k2 * tau[..., None]) / k2).sum(axis=-1))


def growth_time(tau: Array, risen: Array, residual: Array, target: Array) -> Array:
    """Return `kappa t/L^2` that a void takes to grow to `target`, infinity where it stops before; all of shape (n,).

    Args:
        tau: `kappa t/L^2` at which it opened.
        risen: rise of the tension until then, over |G| L.
        residual: sigma_T over |G| L.
        target: volume, over the cross-section, times B / (|G| L^2).
    """
    times = np.where(target > 0, np.inf, 0.0)
    some = np.flatnonzero((target > 0) & (target < 0.5 + residual))
    if len(some):
        volume = _Volume(tau[some], risen[some], residual[some])
        last = 4 / np.pi**2 * np.log(8 * (0.5 + residual[some]) / (0.5 + residual[some] - target[some]))
        place = np.arange(len(some))
        result = elementwise.find_root(
            lambda s, i, v: volume(s, i.astype(int)) / v - 1, (0 * last, last), args=(place, target[some])
        )
        times[some] = result.x
    return times


class _Volume:
    """Volume of a void times B / (A |G| L^2) at a time after it opened, for many lines.

    Before the other end matters it is that of the half line, with t0 the time at which it opened (all times
    `kappa t/L^2`):

        t + 2 s_T sqrt(t/pi) + (2/pi) (sqrt(t0 t) - t atan sqrt(t0/t) + t0 atan sqrt(t/t0))

    Later the waves sin(k x/L), k = (n + 1/2) pi, of the stress that the void relaxes. The part that decays slowest with
    k comes from the jump of the stress at the void, s_c, and is summed up in closed form.
    """

    def __init__(self, tau: Array, risen: Array, residual: Array) -> None:
        """Compute the waves."""
        self.tau, self.residual, self.jump = tau, residual, risen + residual
        k, overlap, m2 = _overlaps()
        sign = (-1.0) ** np.arange(MODES)
        before = -np.expm1(-m2[:, None] * tau) / m2[:, None]
        waves = 2 * residual / k[:, None] + 2 * (sign / k**2)[:, None] + 8 * overlap @ before
        self.rest = (waves - 2 * self.jump / k[:, None]) / k[:, None]

    def __call__(self, t: Array, index: NDArray[np.int_]) -> Array:
        """Return the volume at times of the lines `index`, both of shape (n,)."""
        t0, residual, safe = self.tau[index], self.residual[index], np.maximum(t, 1e-300)
        corner = np.sqrt(t0 * t) - t * np.arctan(np.sqrt(t0 / safe)) + t0 * np.arctan2(np.sqrt(t), np.sqrt(t0))
        early = t + 2 * residual * np.sqrt(t / np.pi) + 2 / np.pi * corner
        decayed = -np.expm1(-(_overlaps()[0][:, None] ** 2) * t)
        late = np.einsum("kn,kn->n", self.rest[:, index], decayed) + self.jump[index] * _relaxed(t)
        return np.where(t0 + t <= FAR, early, late)


@cache
def _overlaps() -> tuple[Array, Array, Array]:
    """Return k after and m^2 before the void opens, and `k/(k^2 - m^2)` of shape (MODES, TERMS)."""
    k = np.asarray(np.pi * (np.arange(MODES) + 0.5))
    m2 = np.asarray((np.pi * (2 * np.arange(TERMS) + 1)) ** 2)
    return k, k[:, None] / (k[:, None] ** 2 - m2), m2


def _relaxed(tau: Array) -> Array:
    """Return the part of a uniform stress that has left through an open end, the other one blocked."""
    root = np.sqrt(tau)
    early = 2 * root * (1 / np.sqrt(np.pi) + 2 * _images(root / 2))
    k2 = (np.pi * (WAVES + 0.5)) ** 2
    return np.where(tau <= EARLY, early, 1 - 2 * (np.exp(-k2 * tau[..., None]) / k2).sum(axis=-1))


def _images(root: Array) -> Array:
    """Return `sum_m (-1)^m ierfc(m / (2 root))`, m from 1."""
    z = IMAGES / (2 * np.maximum(root, 1e-150)[..., None])
    return ((-1.0) ** IMAGES * (np.exp(-(z**2)) / np.sqrt(np.pi) - z * erfc(z))).sum(axis=-1)


def _of(material: Any) -> tuple[Array, Array, Array]:
    """Return `kappa` [m2/s], `G / j` [Pa m/A] and `B` [Pa] of a metal, or of each of several."""
    several = isinstance(material, Sequence)
    metals = material if several else (material,)
    require(len(metals), "material = [], must be at least one metal of em.materials")
    known = {id(metal): _numbers(metal) for metal in {id(metal): metal for metal in metals}.values()}
    kappa, per_current, stiffness = np.array([known[id(metal)] for metal in metals]).T
    return (kappa, per_current, stiffness) if several else (kappa[0], per_current[0], stiffness[0])


def _numbers(metal: Material) -> tuple[float, float, float]:
    """Return `kappa`, `G / j` and `B` of a metal."""
    thermal = boltzmann * metal.temperature
    return (
        metal.diffusivity * metal.bulk_modulus * metal.atomic_volume / thermal,
        metal.effective_charge * elementary_charge * metal.resistivity / metal.atomic_volume,
        metal.bulk_modulus,
    )
