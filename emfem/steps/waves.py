"""Small waves on a uniform train of steps, and the narrowest terrace of a bunch."""

from __future__ import annotations

from emfem.arrays import finite
from emfem.errors import ParameterError, count, floats, number
from emfem.gate import checked
from emfem.steps.surface import Surface
from emfem.steps.terrace import EndConditions, derivatives, scaled

import numpy as np
from numpy.typing import ArrayLike, NDArray


@checked
@finite
def growth_rate(phase: ArrayLike, surface: Surface, *, width: float) -> complex | NDArray[np.complex128]:
    """Return omega of a small wave x_j = j l + v t + eps exp(i k j + omega t) of steps of a uniform train down +x.

    With J(0) and J(l) the fluxes at the ends of a terrace between steps of excess density m_j = mu_j/kT,
    v_j = Omega [J(l)|_{j-1} - J(0)|_j], and a wave changes
        the terrace on the left of step j by 1 - exp(-ik) and that on its right by exp(ik) - 1, times eps,
        mu_j/kT = G (1/l_right^3 - 1/l_left^3) by M eps, M = 6 G (1 - cos k)/l^4.
    So, with a prime for the derivative by l and l, r for those by the excess of the left and the right step,
        omega/Omega = J(l)' (1 - e^{-ik}) - J(0)' (e^{ik} - 1) + M [J(l)_l e^{-ik} + J(l)_r - J(0)_l - J(0)_r e^{ik}].

    Without evaporation and deposition, and with f l << 1, h = D/k_lower + D/k_upper and f = F/kT,
        Re omega = 2 Omega D n0 (1 - cos k) [f h/(l + h)^2 - 6 G (1 - cos k)/(l^4 (l + h))].
    A force down the steps bunches them, the more the slower they take up atoms; one up the steps heals. With
    instantaneous attachment (h = 0) the drift alone does neither; slow evaporation, l^2 << D tau, then puts
    - f l/(6 D tau) in place of the first term: a force up the steps bunches.

    For a train that goes up along +x the rate is that under the opposite force.

    Args:
        phase: k, from one step to the next [rad]; pi is the pairing of steps; any shape.
        surface: the constants.
        width: l, of the terraces, above 0 [m].

    Returns:
        omega, complex, shape of phase [1/s]: growth rate, and minus the angular frequency in the frame of the train.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    k = floats("phase", phase, words="finite numbers", finite=True)
    width = number("width", width, above=0.0, unit="m")
    eq, lower, upper = scaled(surface, width)
    flow = surface.diffusivity * surface.adatom_density * surface.atom_area / width**2
    at_left, at_right = derivatives(eq, EndConditions(*lower, *upper))
    push = 6 * surface.hardness / width**3 * (1 - np.cos(k))
    on, back = np.exp(1j * k), np.exp(-1j * k)
    omega = at_right[0] * (1 - back) - at_left[0] * (on - 1)
    omega = omega + push * (at_right[1] * back + at_right[2] - at_left[1] - at_left[2] * on)
    return complex(flow * omega) if k.ndim == 0 else flow * omega


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
