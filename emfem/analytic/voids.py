"""Linear stability of a round void in a large conductor under a current, and in a stressed solid.

Perturb the circle as r = R (1 + sum a_n cos(n theta)), in the frame that drifts with it. The field in the conductor is
that around a circle, to first order in a_n; then, with b = (1 - k) / (1 + k), k the conductivity of the void over that
of the metal, and chi = |Z*| e E R^2 / (gamma Omega),

    da_n/dt = -n^2 (n^2 - 1) a_n - chi (1 + b) / 2 ([n^2 - 2n] a_{n-1} + [n^2 (1 - 2b) + 2n] a_{n+1})

in B / R^4, n > 1, with theta counted from the direction of Z* E. For an insulating void, b = 1, a_2 decays alone, as
exp(-12 t), and the rates of the others are below: it is stable at any size.

References:
    W. Wang, Z. Suo, T.-H. Hao, A simulation of electromigration-induced transgranular slits, J. Appl. Phys. 79, 2394
    (1996), doi:10.1063/1.361166.
    F. Haußer, P. Kuhn, J. Krug, A. Voigt, Morphological stability of electromigration-driven vacancy islands, Phys.
    Rev. E 75, 046210 (2007), doi:10.1103/PhysRevE.75.046210.
    Z. Suo, W. Wang, Diffusive void bifurcation in stressed solid, J. Appl. Phys. 76, 3410 (1994),
    doi:10.1063/1.357471.
"""

from __future__ import annotations

from typing import Any

from emfem.analytic.arguments import constants
from emfem.analytic.surface import mullins_coefficient
from emfem.arrays import finite
from emfem.errors import count, number
from emfem.gate import checked

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

LARGEST = 1e4  # wind number; its modes reach to about its root
FEWEST = 24  # modes at the least


@checked
@finite
def void_growth_rates(wind_number: float, *, conductivity_ratio: float = 0.0) -> NDArray[np.float64]:
    """Return the growth rates of the modes of a round void under a current, fastest first, over B / R^4, shape (n,).

    Each is that of two modes, mirrored in the current and antisymmetric; real parts, in the frame that drifts. Changes
    of size and place are left out.

    Args:
        wind_number: chi = |Z*| e E R^2 / (gamma Omega), E far away, as in `em.surface.scales`; from 0 to 1e4.
        conductivity_ratio: k of void to metal, from 0, an insulator, to 1.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    rates = np.linalg.eigvals(_matrix(*_arguments(wind_number, conductivity_ratio))).real
    return np.asarray(np.sort(rates)[::-1], dtype=float)


@checked
@finite
def void_mode(wind_number: float, *, conductivity_ratio: float = 0.0) -> NDArray[np.float64]:
    """Return a_n of the fastest mode of a round void under a current, n = 2, 3, ..., over a_2, shape (n,).

    theta is counted from the direction of Z* E, which atoms of the surface drift to.

    Args:
        wind_number: as in `void_growth_rates`.
        conductivity_ratio: as there.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    rates, modes = np.linalg.eig(_matrix(*_arguments(wind_number, conductivity_ratio)))
    fastest = modes[:, np.argmax(rates.real)].real
    return np.asarray(fastest / fastest[0], dtype=float)


@checked
@finite
def critical_wind_number(conductivity_ratio: float) -> float:
    """Return chi at which a round void that conducts becomes unstable [-].

    It is 10.65 for a void that conducts as the metal, 9.90 for one that conducts half as well, and infinite without any
    conduction: an insulating void is stable at any size, and becomes a slit by finite perturbations only.

    Args:
        conductivity_ratio: k of void to metal, from 1e-4 to 1.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    ratio = number("conductivity_ratio", conductivity_ratio, at_least=1e-4, at_most=1.0)
    beyond = min(12 / ratio, LARGEST)
    return float(brentq(lambda chi: void_growth_rates(chi, conductivity_ratio=ratio)[0], 1.0, beyond))


@checked
@finite
def stressed_void_rate(mode: int, material: Any, *, radius: float, stress: float) -> float:
    """Return the growth rate n^2 (n - 1) (8 L - n - 1) B / R^4 of a wave with n crests around a stressed void [1/s].

    L = (1 - nu^2) s^2 R / (E gamma), s alike in all directions of a large plane in plane strain. n = 2 grows
    first, from L = 3/8 on: the void becomes a crack. Tension and compression are alike.

    Args:
        mode: n, at least 1.
        material: as in `mullins_coefficient`, with `youngs_modulus` [Pa] and `poisson_ratio` [-].
        radius: R, above 0 [m].
        stress: s far away [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    n, size = count("mode", mode, at_least=1), number("radius", radius, above=0.0, unit="m")
    young, poisson, energy = constants(material, "youngs_modulus", "poisson_ratio", "surface_energy")
    load = (1 - poisson**2) * (number("stress", stress, unit="Pa") / young) * (stress / energy) * size
    return n**2 * (n - 1) * (8 * load - n - 1) * mullins_coefficient(material) / size**4


def _arguments(wind_number: float, conductivity_ratio: float) -> tuple[float, float]:
    """Return both, checked.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    chi = number("wind_number", wind_number, at_least=0.0, at_most=LARGEST)
    return chi, number("conductivity_ratio", conductivity_ratio, at_least=0.0, at_most=1.0)


def _matrix(chi: float, ratio: float) -> NDArray[np.float64]:
    """Return the matrix of da_n/dt, n = 2, 3, ..., as many as matter."""
    n = np.arange(2.0, FEWEST + 2 + 4 * np.sqrt(chi))
    contrast = (1 - ratio) / (1 + ratio)
    lower, upper = n**2 - 2 * n, n**2 * (1 - 2 * contrast) + 2 * n
    wind = np.diag(lower[1:], -1) + np.diag(upper[:-1], 1)
    return np.asarray(np.diag(-(n**2) * (n**2 - 1)) - chi * (1 + contrast) / 2 * wind, dtype=float)
