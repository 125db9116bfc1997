"""Closed form of small waves of height and composition on the surface of a binary alloy.

References:
    M. Khenner, M. Bandegi, Electromigration-driven evolution of the surface morphology and composition for a
    bi-component solid film, Math. Model. Nat. Phenom. 10(4), 83 (2015), doi:10.1051/mmnp/201510405, for such a model;
    J. Krug, H. T. Dobbs, Current-induced faceting of crystal surfaces, Phys. Rev. Lett. 73, 1947 (1994), for the
    instability by a mobility that depends on the inclination. The matrix was derived anew: docs/physics/film_height.md.
"""

from __future__ import annotations

from typing import Any

from emfem.arrays import finite
from emfem.errors import ParameterError, floats, number, require, shown
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray


@checked
@finite
def height_composition_matrix(
    wavevector: ArrayLike,
    *,
    mean: float,
    thermal_energy: float,
    atomic_volume: float,
    layer: float,
    diffusivities: ArrayLike,
    surface_energies: ArrayLike,
    interaction_energy: float = 0.0,
    gradient_coefficient: float = 0.0,
    forces: ArrayLike | None = None,
    tensors: ArrayLike | None = None,
    slopes: ArrayLike | None = None,
) -> NDArray[np.complex128]:
    """Return A of d(h, c)/dt = A (h, c) for a small wave exp(i k.x) of a flat layer of composition c0.

    With x_A = 1 - c0, x_B = c0, L_i = delta D_i/kT, K_i = k.T_i k, W_i = k.T_i F_i, s_i = k.m_i,
    gamma' = gamma_B - gamma_A and G = delta g''(c0) + Omega K k^2, the atoms of each species arrive at the rates
        a_h = L_A x_A [s_A W_A - K_A Omega gamma k^2],   a_c = L_A [i W_A + x_A K_A (Omega gamma' + c0 G)/delta],
        b_h = L_B x_B [s_B W_B - K_B Omega gamma k^2],   b_c = -L_B [i W_B + x_B K_B ((1 - c0) G - Omega gamma')/delta]
    per h and per c, and A = [[a_h + b_h, a_c + b_c], [(1 - c0) b - c0 a, the same of c]/delta].

    Args:
        wavevector: k, shape (dim,) or (n, dim) [1/m].
        mean: c0, in (0, 1) [-].
        thermal_energy: k T, above 0 [J].
        atomic_volume: Omega, above 0 [m3].
        layer: delta, above 0 [m].
        diffusivities: of solvent and solute, at least 0, shape (2,) [m2/s].
        surface_energies: of both alone, above 0, shape (2,) [J/m2].
        interaction_energy: w of the energy of mixing g = kT [c ln c + (1 - c) ln(1 - c)] + w c (1 - c) [J].
        gradient_coefficient: K of (K/2) |grad c|^2, at least 0 [J].
        forces: F on an atom of each, shape (2, dim); none when left out [N].
        tensors: T, diffusion over D, shape (2, dim, dim); isotropic when left out [-].
        slopes: m = d ln M / d grad h of the mobilities on a flat surface, shape (2, dim); 0 when left out [-].

    Returns:
        A, complex, shape (2, 2) or (n, 2, 2).

    Raises:
        ParameterError: for a value out of its bounds, or a wrong shape.
    """
    k, c = _wavevectors(wavevector), number("mean", mean, above=0.0, below=1.0)
    dim, kt, volume = (
        k.shape[-1],
        number("thermal_energy", thermal_energy, above=0.0, unit="J"),
        number("atomic_volume", atomic_volume, above=0.0, unit="m3"),
    )
    delta = number("layer", layer, above=0.0, unit="m")
    mobility = _array("diffusivities", diffusivities, (2,), np.zeros(2)) * delta / kt
    require((mobility >= 0).all(), f"diffusivities = {shown(diffusivities)}, must be at least 0")
    pure = _array("surface_energies", surface_energies, (2,), np.ones(2))
    require((pure > 0).all(), f"surface_energies = {shown(surface_energies)}, must be greater than 0")
    w = number("interaction_energy", interaction_energy, unit="J")
    stiff = number("gradient_coefficient", gradient_coefficient, at_least=0.0, unit="J")
    force = _array("forces", forces, (2, dim), np.zeros((2, dim)))
    tensor = _array("tensors", tensors, (2, dim, dim), np.broadcast_to(np.eye(dim), (2, dim, dim)))
    slope = _array("slopes", slopes, (2, dim), np.zeros((2, dim)))

    squared = np.sum(k * k, axis=-1)
    spread = np.einsum("...i,sij,...j->s...", k, tensor, k)
    wind = np.einsum("...i,sij,sj->s...", k, tensor, force)
    steep = np.einsum("...i,si->s...", k, slope)
    gamma, change = pure[0] + (pure[1] - pure[0]) * c, volume * (pure[1] - pure[0])
    bent = delta * (kt / (c * (1 - c)) - 2 * w) + volume * stiff * squared
    share = (1 - c, c)
    by_height = [mobility[i] * share[i] * (steep[i] * wind[i] - spread[i] * volume * gamma * squared) for i in range(2)]
    by_solvent = mobility[0] * (1j * wind[0] + share[0] * spread[0] * (change + c * bent) / delta)
    by_solute = -mobility[1] * (1j * wind[1] + share[1] * spread[1] * ((1 - c) * bent - change) / delta)
    columns = [(by_height[0] + 0j, by_height[1] + 0j), (by_solvent, by_solute)]
    rows = [[a + b for a, b in columns], [((1 - c) * b - c * a) / delta for a, b in columns]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


@checked
@finite
def height_composition_rates(matrix: ArrayLike | NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the growth rates of a small wave: both eigenvalues of `height_composition_matrix`, the faster one first.

    omega = tr/2 +- sqrt((tr/2)^2 - det). The real part is the growth rate; the wave exp(i k.x + omega t) travels along
    k with the velocity -Im(omega)/|k|.

    Args:
        matrix: A, shape (2, 2) or (n, 2, 2) [1/s].

    Returns:
        omega, complex, shape (2,) or (n, 2) [1/s].

    Raises:
        ParameterError: for another shape, or what is no finite number.
    """
    try:
        of = np.asarray(matrix, dtype=complex)
    except (TypeError, ValueError, OverflowError):
        of = np.array(np.nan)
    message = f"matrix = {shown(matrix)}, must be finite numbers of shape (2, 2) or (n, 2, 2)"
    require(of.ndim in (2, 3) and of.shape[-2:] == (2, 2) and bool(np.isfinite(of).all()), message)
    half, gap = (of[..., 0, 0] + of[..., 1, 1]) / 2, (of[..., 0, 0] - of[..., 1, 1]) / 2
    root = np.sqrt(gap**2 + of[..., 0, 1] * of[..., 1, 0])  # its real part is at least 0
    larger = half + np.where((half.conj() * root).real >= 0, root, -root)
    # The smaller one from the determinant: their sum would lose the digits of a slow wave
    determinant = of[..., 0, 0] * of[..., 1, 1] - of[..., 0, 1] * of[..., 1, 0]
    smaller = np.where(larger == 0, 0, determinant / np.where(larger == 0, 1, larger))
    pair = np.stack([larger, smaller], axis=-1)
    return np.take_along_axis(pair, np.argsort(-pair.real, axis=-1, kind="stable"), axis=-1)


def _wavevectors(value: ArrayLike) -> NDArray[np.float64]:
    """Return wavevectors, shape (..., dim).

    Raises:
        ParameterError: for another shape, or numbers that are not finite.
    """
    k = floats("wavevector", value)
    if k.ndim not in (1, 2) or not k.shape[-1] or not np.isfinite(k).all():
        msg = f"wavevector of shape {k.shape}, must be finite numbers of shape (dim,) or (n, dim)"
        raise ParameterError(msg)
    return k


def _array(name: str, value: Any, shape: tuple[int, ...], default: Any) -> NDArray[np.float64]:
    """Return an array of this shape."""
    words = f"finite numbers of shape {shape}"
    return np.asarray(default) if value is None else floats(name, value, shape, words, finite=True)
