"""Growth rates, velocities and structure factors of small waves on a uniform film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.arrays import finite
from emfem.errors import ParameterError, floats, number, positive_tensor, require, shown
from emfem.film.alloy import Alloy
from emfem.film.noise import ThermalNoise
from emfem.film.tensors import HasTensor, values_of
from emfem.film.terms import degenerate_mobility, derivative, energy_of
from emfem.gate import checked

import basix.ufl
import numpy as np
import ufl
from numpy.typing import ArrayLike, NDArray


@checked
@dataclass(frozen=True)
class UniformFilm:
    """A uniform film: its constants, of which the growth of small waves follows.

    Attributes:
        alloy: the constants of the alloy.
        mean: C0 [-].
        anisotropy: as in `model`, numbers only.
        gradient_anisotropy: as in `model`.
        field: F, shape (dim,); None is no drift.
        free_energy: as in `model`.
        mobility: as in `model`.
        drift_mobility: as in `model`.

    Raises:
        ParameterError: for a mean outside (0, 1) when energy or mobility are the alloy's.
    """

    alloy: Alloy
    mean: float
    anisotropy: Any = None
    gradient_anisotropy: Any = None
    field: Sequence[float] | None = None
    free_energy: Callable[[Any], Any] | None = None
    mobility: Callable[[Any], Any] | None = None
    drift_mobility: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        """Check the mean."""
        free = self.free_energy is not None and self.mobility is not None
        number("mean", self.mean, above=None if free else 0.0, below=None if free else 1.0)

    @checked
    @finite
    def diffusion(self, wavevector: ArrayLike) -> NDArray[np.float64]:
        """Return M(C0) k.D k: the rate at which a unit of mu flattens a wave, shape () or (n,).

        Args:
            wavevector: k, shape (dim,) or (n, dim) [1/length].

        Raises:
            ParameterError: as in `growth_rate`.
        """
        k = _wavevectors(wavevector)
        tensor = _tensor("anisotropy", self.anisotropy, k.shape[-1])
        mobility = _number("mobility", self.mobility or degenerate_mobility, self.mean)
        return np.asarray(mobility * np.einsum("...i,ij,...j", k, tensor, k))

    @checked
    @finite
    def stiffness(self, wavevector: ArrayLike) -> NDArray[np.float64]:
        """Return f''(C0) + eps k.G k - q |k|: mu by composition of a wave, shape () or (n,).

        Args:
            wavevector: k, shape (dim,) or (n, dim) [1/length].

        Raises:
            ParameterError: as in `growth_rate`.
        """
        k, alloy = _wavevectors(wavevector), self.alloy
        steep = _tensor("gradient_anisotropy", self.gradient_anisotropy, k.shape[-1])
        energy = self.free_energy or energy_of(alloy)
        curvature = _number("free_energy", lambda c: derivative(lambda x: derivative(energy, x), c), self.mean)
        bent = curvature + alloy.gradient_energy * np.einsum("...i,ij,...j", k, steep, k)
        return np.asarray(bent - alloy.coherency * np.linalg.norm(k, axis=-1))

    @checked
    @finite
    def growth_rate(self, wavevector: ArrayLike) -> complex | NDArray[np.complex128]:
        """Return omega of a small wave C = C0 + a exp(i k.r + omega t), see `em.film.growth_rate`.

        Args:
            wavevector: k, shape (dim,) or (n, dim) [1/length].

        Raises:
            ParameterError: for a wrong shape, or a tensor that is not positive definite.
        """
        k = _wavevectors(wavevector)
        dim = k.shape[-1]
        force = np.zeros(dim) if self.field is None else floats("field", self.field, (dim,), _fits(dim), finite=True)
        drifting = self.drift_mobility or self.mobility or degenerate_mobility
        drift = np.einsum("...i,ij,j", k, _tensor("anisotropy", self.anisotropy, dim), force)
        omega = -self.diffusion(k) * self.stiffness(k)
        omega = omega - 1j * _number("mobility", lambda c: derivative(drifting, c), self.mean) * drift
        return complex(omega) if k.ndim == 1 else omega


@checked
def growth_rate(
    wavevector: ArrayLike,
    alloy: Alloy,
    *,
    mean: float,
    anisotropy: HasTensor | ArrayLike | None = None,
    gradient_anisotropy: HasTensor | ArrayLike | None = None,
    field: Sequence[float] | None = None,
    free_energy: Callable[[Any], Any] | None = None,
    mobility: Callable[[Any], Any] | None = None,
    drift_mobility: Callable[[Any], Any] | None = None,
) -> complex | NDArray[np.complex128]:
    """Return omega of a small wave C = mean + a exp(i k.r + omega t) in the uniform film.

    omega = -M K(k) [f''(C0) + eps k.G k - q |k|] - i M' F.D k,  K(k) = k.D k,  M and M' taken at C0.
    The real part is the growth rate; the wave travels with velocity M' D F. M' is that of a mobility of the drift.

    Args:
        wavevector: k, shape (dim,) or (n, dim) [1/length].
        alloy: the constants; all of what follows is as in `UniformFilm`.
        mean: C0 [-].
        anisotropy: D.
        gradient_anisotropy: G.
        field: F.
        free_energy: f(c).
        mobility: M(c).
        drift_mobility: M_F(c).

    Returns:
        omega [1/time], complex; shape (n,) for n wavevectors.

    Raises:
        ParameterError: for a mean outside (0, 1) when energy or mobility are the alloy's, a wrong shape, or a tensor
            that is not positive definite.
    """
    laws = free_energy, mobility, drift_mobility
    return UniformFilm(alloy, mean, anisotropy, gradient_anisotropy, field, *laws).growth_rate(wavevector)


@checked
@finite
def structure_factor(
    wavevector: ArrayLike, t: float, film: UniformFilm, noise: ThermalNoise, *, start: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Return the structure factor of small waves that noise starts on a uniform film, Cook's linear theory.

    S(k, t) = S0 exp(2 w t) + theta M k.Dk (exp(2 w t) - 1)/w tanh(x)/x,  w the growth rate, x = w interval/2,

    where S(k) = A <|c_k|^2> and c_k is the mean of C exp(-i k.r) over the film's area A. The waves that decay come to
    theta/(f'' + eps k.G k - q |k|), times the tanh(x)/x that intervals let through. A field changes nothing but that
    part, which is smaller for waves that travel, see `noise.seen`.

    Args:
        wavevector: k, shape (dim,) or (n, dim) [1/length].
        t: time since the start; exact at multiples of the interval of the noise.
        film: its constants.
        noise: its strength and interval.
        start: S(k, 0), a number or one for each wavevector, at least 0 [area].

    Returns:
        S [area]; shape (n,) for n wavevectors.

    Raises:
        ParameterError: as in `growth_rate`, and for a time or a start below 0.
    """
    t = number("t", t, at_least=0.0)
    omega = film.growth_rate(wavevector)
    rate = np.asarray(omega).real
    first = floats("start", start)
    fits = first.shape in ((), rate.shape) and (first >= 0).all()
    require(fits, f"start = {shown(first.tolist())}, must be at least 0, and a number or one for each wavevector")
    still = rate == 0.0
    grown = np.where(still, 2 * t, np.expm1(2 * rate * t) / np.where(still, 1.0, rate))
    born = noise.strength_in(film.alloy) * film.diffusion(wavevector) * noise.seen(omega) * grown
    return np.asarray(first * np.exp(2 * rate * t) + born)


def _wavevectors(value: ArrayLike) -> NDArray[np.float64]:
    """Return wavevectors, shape (dim,) or (n, dim)."""
    k = floats("wavevector", value)
    if k.ndim not in (1, 2) or not k.shape[-1] or not np.isfinite(k).all():
        msg = f"wavevector of shape {k.shape}, must be finite numbers of shape (dim,) or (n, dim)"
        raise ParameterError(msg)
    return k


def _fits(dim: int) -> str:
    return f"finite and fit {dim} components of k"


def _tensor(name: str, law: Any, dim: int) -> NDArray[np.float64]:
    """Return the tensor of a law, shape (dim, dim)."""
    if law is None:
        return np.eye(dim)
    return positive_tensor(name, floats(name, values_of(law), (dim, dim), _fits(dim), finite=True), dim)


def _number(name: str, function: Callable[[Any], Any], value: float) -> float:
    """Return the value of a UFL function of one variable as a number.

    Raises:
        ParameterError: if it is no scalar made of UFL functions, or not finite.
    """
    symbol = ufl.Constant(ufl.Mesh(basix.ufl.element("Lagrange", "interval", 1, shape=(1,))))
    try:
        result = float(ufl.as_ufl(function(symbol))((), {symbol: value}))
    except Exception as error:  # UFL raises errors of many kinds
        msg = f"{name}({value:g}) must be a scalar made of UFL functions, such as ufl.exp(c): {error}"
        raise ParameterError(msg) from None
    return number(f"{name}({value:g}) or its derivative", result)
