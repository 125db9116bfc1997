"""Small waves on a uniform train of steps, and the narrowest terrace of a bunch."""

from __future__ import annotations

from dataclasses import replace

from emfem.arrays import finite
from emfem.errors import ParameterError, count, floats, number
from emfem.gate import checked
from emfem.steps.surface import Surface
from emfem.steps.terrace import EndConditions, response, scaled, slopes_at_ends

import numpy as np
from numpy.typing import ArrayLike, NDArray


@checked
@finite
def growth_rate(
    phase: ArrayLike, surface: Surface, *, width: float, wave_number: ArrayLike = 0.0
) -> complex | NDArray[np.complex128]:
    """Return omega of a small wave x_j = j l + v t + eps exp(i k j + i q y + omega t) of a uniform train down +x.

    With n_0(x), J_0(x) of the uniform terrace of width l and J_0' = deposition - n_0/tau, a wave changes
        the density by n exp(iqy), D n'' - D f n' - (1/tau + D q^2) n = 0,
        n at a step by its excess less n_0' times its shift; J there by J + J_0' times its shift,
        mu_j/kT = G (1/l_right^3 - 1/l_left^3) - Gamma d2x_j/dy2 by M eps, M = 6 G (1 - cos k)/l^4 + Gamma q^2.
    So omega/Omega = [J(l) + J_0'(l)] of the terrace on the left - [J(0) + J_0'(0)] of that on the right of a step
    that is shifted by 1, its neighbours by exp(-ik) and exp(ik); Gamma = Omega beta/kT, beta the line's stiffness.

    Without evaporation and deposition, and with f l << 1, h = D/k_lower + D/k_upper and f = F/kT,
        Re omega = 2 Omega D n0 (1 - cos k) [f h/(l + h)^2 - 6 G (1 - cos k)/(l^4 (l + h))].
    A force down the steps bunches them, the more the slower they take up atoms; one up the steps heals. With
    instantaneous attachment (h = 0) the drift alone does neither; slow evaporation, l^2 << D tau, then puts
    - f l/(6 D tau) in place of the first term: a force up the steps bunches.

    Steps that all meander alike (k = 0) with long waves, q l << 1, without evaporation and to the first order in f and
    in the deposition F, for h_+ = D/k_lower, h_- = D/k_upper,
        omega = Omega q^2 [F l^2 (h_- - h_+)/(2(l + h)) + D n0 f l h/(l + h) - D n0 l Gamma q^2].
    Growth with an Ehrlich-Schwoebel barrier (h_- > h_+) makes straight steps meander, and so does a force down the
    steps where they take up atoms slowly.

    For a train that goes up along +x the rate is that under the opposite force.

    Args:
        phase: k, from one step to the next [rad]; pi is the pairing of steps; any shape.
        surface: the constants.
        width: l, of the terraces, above 0 [m].
        wave_number: q, along the steps; 0 are straight ones; of a shape that goes with that of phase [rad/m].

    Returns:
        omega, complex, shape of both [1/s]: growth rate, and minus the angular frequency in the frame of the train.

    Raises:
        ParameterError: for a value out of its bounds, or shapes that do not go together.

    References:
        G. S. Bales, A. Zangwill, Phys. Rev. B 41, 5500 (1990), doi:10.1103/PhysRevB.41.5500, for steps that meander.
    """
    k = floats("phase", phase, words="finite numbers", finite=True)
    width = number("width", width, above=0.0, unit="m")
    q = width * floats("wave_number", wave_number, words="finite numbers", finite=True)
    try:
        np.broadcast_shapes(k.shape, q.shape)
    except ValueError:
        msg = f"wave_number of shape {q.shape}, must go with that of phase, {k.shape}"
        raise ParameterError(msg) from None
    eq, lower, upper = scaled(surface, width)
    flow = surface.diffusivity * surface.adatom_density * surface.atom_area / width**2
    ends = EndConditions(*lower, *upper)
    of_shift, rise = slopes_at_ends(eq, ends)
    excess = 6 * surface.hardness / width**3 * (1 - np.cos(k)) + surface.capillary_length / width * q**2
    at_left, at_right = ends.alpha_left * excess - of_shift.left, ends.alpha_right * excess - of_shift.right
    wavy = replace(eq, d=eq.d + q**2, g=0.0)
    before = response(wavy, ends, np.exp(-1j * k) * at_left, at_right).right + rise.right
    behind = response(wavy, ends, at_left, np.exp(1j * k) * at_right).left + rise.left
    omega = flow * (before - behind)
    return complex(omega) if omega.ndim == 0 else omega


@checked
@finite
def tightest_terrace(surface: Surface, *, steps: int, width: float) -> float:
    """Return the narrowest terrace of a bunch of many steps at rest, without evaporation and deposition [m].

    Steps rest when all terraces carry the same flux. With f l << 1, mu << kT and h = D/k_lower + D/k_upper it is
    D n0 [f l - (mu_r - mu_l)/kT]/(l + h), summed over the train D n0 f L/(L + h) with L the mean width. Where l << L,
    from step to step mu/kT then falls by f h L/(L + h); it is the difference of G/l^3 from terrace to terrace, which so
    is a parabola over the N terraces of the bunch:
        1/l_min^3 = f h L/(L + h) N^2/(8 G),     l_min ~ N^(-2/3).
    The exponent is -2/(n + 1) for repulsions 1/l^n, here with n = 2, as reviewed in the reference.

    Args:
        surface: the constants, with a force down the steps, slow attachment and a repulsion.
        steps: N, at least 3.
        width: L, the mean width, of the bunch and the wide terrace beside it, above 0 [m].

    Raises:
        ParameterError: for a value out of its bounds, or a surface whose steps do not bunch like this.

    References:
        K. Siewierska, V. Tonchev, arXiv:1611.09963: l_min ~ (A/(l_c F N^2))^(1/(n+1)).
    """
    n = count("steps", steps, at_least=3)
    width = number("width", width, above=0.0, unit="m")
    if surface.loss or surface.deposition:
        msg = (
            f"evaporation_time = {surface.evaporation_time:g} s, deposition = {surface.deposition:g} 1/(m2 s), "
            "must be inf and 0 for a bunch at rest"
        )
        raise ParameterError(msg)
    h = sum(surface.kinetic_lengths)
    fall = surface.drift / (1 / h + 1 / width) if h > 0.0 else 0.0
    if fall <= 0.0 or surface.hardness == 0.0:
        msg = (
            f"force = {surface.force:g} N, D/k = {h:g} m, repulsion = {surface.repulsion:g} J m, "
            "must all be greater than 0 for a bunch at rest"
        )
        raise ParameterError(msg)
    return float((8 * surface.hardness / (fall * n**2)) ** (1 / 3))
