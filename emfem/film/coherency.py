"""Coherency stress: a film that pulls at its elastic substrate, whose answer reaches along the film.

The surface stress of a film follows its composition, and its gradient drags the substrate along. What the half-space
gives back lowers the energy by (q/2) |k| |C_k|^2 in each wave (W. Lu, Z. Suo, J. Mech. Phys. Solids 49, 1937 (2001)).
The operator |k| is local in a few more unknowns: averages u of C over lengths l, u - l^2 lap u = C, for

    |k| = (2/pi) int_0^inf k^2/(k^2 + s^2) ds,  about  sum_j w_j (1 - 1/(1 + l_j^2 k^2)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.arrays import finite
from emfem.errors import ParameterError, number, require
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.model import Quantity, Unknown

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from scipy.special import ellipj, ellipk

ERROR = 1e-3  # of |k|, relative, in the band of waves that matter
MARGIN = 3.0  # the band ends at so many times the shortest wave that grows: beyond, eps k^2 is far above q |k|
MOST = 20  # averages; a band of 1 to 1e7 waves has so many


@checked
@finite
def coherency_coefficient(*, surface_stress: float, young_modulus: float, poisson_ratio: float) -> float:
    """Return Q = 2 (1 - nu^2) phi^2/E [J/m] of a film on an elastic, isotropic half-space.

    A wave of composition pulls with the traction k phi C, and the half-space answers with 2 (1 - nu^2)/(E k) of it.

    Args:
        surface_stress: phi, the change of the film's surface stress from C = 0 to 1 [N/m]; for a layer of thickness h
            with the misfit strain eta, and modulus E' and ratio nu' of its own, E' eta h/(1 - nu').
        young_modulus: E of the substrate, above 0 [Pa].
        poisson_ratio: nu of the substrate, above -1, at most 0.5 [-].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    stress = number("surface_stress", surface_stress, unit="N/m")
    ratio = number("poisson_ratio", poisson_ratio, above=-1.0, at_most=0.5)
    return 2 * (1 - ratio**2) * stress * (stress / number("young_modulus", young_modulus, above=0.0, unit="Pa"))


def averages(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lengths l and weights w with sum_j w_j (1 - 1/(1 + l_j^2 k^2)) = |k| to `ERROR` for k from low to high.

    The midpoint rule after s = low sn(t)/cn(t), whose error is equal at all its extremes, the two ends among them
    (N. Hale, N. J. Higham, L. N. Trefethen, SIAM J. Numer. Anal. 46, 2505 (2008)).

    Raises:
        ParameterError: for a band so wide that it needs more than `MOST`.
    """
    squared = (1 - low / high) * (1 + low / high)
    quarter = ellipk(squared)
    for n in range(1, MOST + 1):
        sn, cn, dn, _ = ellipj((np.arange(n) + 0.5) * quarter / n, squared)
        rates, weights = low * sn / cn, 2 / math.pi * quarter / n * low * dn / cn**2
        if abs(np.sum(weights * low / (low**2 + rates**2)) - 1) <= ERROR:
            return 1 / rates, weights
    msg = f"domain of {high / low:.3g} wavelengths, must be smaller for a film with coherency stress"
    raise ParameterError(msg)


@dataclass(frozen=True, eq=False)
class Substrate:
    """The half-space under a film: averages of its composition, in place of |k|.

    Attributes:
        strength: q, a constant of the forms [-].
        unknowns: the averages u of c, each algebraic.
        lengths: over which they are, constants [h].
        weights: w of |k| = sum w (1 - average) [1/h].
    """

    strength: fem.Constant
    unknowns: tuple[Unknown, ...] = ()
    lengths: tuple[fem.Constant, ...] = ()
    weights: tuple[fem.Constant, ...] = ()

    def wave_number(self, c: Any) -> Any:
        """|k| c, `sum_j w_j (c - u_j)`."""
        parts = (w * (c - u.function) for w, u in zip(self.weights, self.unknowns, strict=True))
        return sum(parts, ufl.as_ufl(0.0))

    def residual(self, c: Any, w: Any, tests: Sequence[Any], dx: ufl.Measure) -> Any:
        """`int q |k| c w dx` of the potential, and `int (u - c) v + l^2 grad u . grad v dx` of each average."""
        form = self.strength * self.wave_number(c) * w * dx
        for unknown, length, v in zip(self.unknowns, self.lengths, tests, strict=True):
            u = unknown.function
            form += (u - c) * v * dx + length**2 * ufl.inner(ufl.grad(u), ufl.grad(v)) * dx
        return form

    def quantity(self, local: ufl.Form, c: Any, dx: ufl.Measure) -> Quantity:
        """Return the free energy, `local - int (q/2) c |k| c dx`, refused before the averages are solved for."""
        form = fem.form(local - self.strength / 2 * c * self.wave_number(c) * dx)

        def energy() -> float:
            solved = all(getattr(unknown.function, "known", True) for unknown in self.unknowns)
            require(solved, "free_energy of a film with coherency stress, must be taken after a solve: it is not local")
            return fields.integral(form, self.strength.ufl_domain().ufl_cargo().comm)

        return Quantity(energy)


def substrate(
    domain: Domain, space: fem.FunctionSpace, strength: float, gradient_energy: float, curvature: float
) -> Substrate:
    """Return the half-space under a film, without unknowns if the film does not pull at it. Collective.

    Args:
        domain: a flat film, or a line of one.
        space: of the composition.
        strength: q, at least 0 [-].
        gradient_energy: eps [-].
        curvature: the least f'', so that no wave beyond k = (q + sqrt(q^2 - 4 eps f''))/(2 eps) grows [-].

    Raises:
        ParameterError: for a domain that is no flat film.
    """
    constant = fem.Constant(domain.mesh, strength)
    if strength == 0.0:
        return Substrate(constant)
    tdim = domain.mesh.topology.dim
    revolved = tdim == 2 and domain.weight is not None and domain.thickness is None
    flat = tdim < 3 and not domain.shell and domain.network is None and not revolved
    require(flat, f"domain = {domain.shape}, must be a plane or a line for a film with coherency stress")
    shortest = (strength + math.sqrt(max(0.0, strength**2 - 4 * gradient_energy * curvature))) / (2 * gradient_energy)
    low = _longest_wave(domain)
    lengths, weights = averages(low, max(MARGIN * shortest, 2 * low))
    unknowns = tuple(models.algebraic(f"average {i + 1}", space) for i in range(len(lengths)))
    of_mesh = [[fem.Constant(domain.mesh, float(value)) for value in values] for values in (lengths, weights)]
    return Substrate(constant, unknowns, *map(tuple, of_mesh))


def _longest_wave(domain: Domain) -> float:
    """Return the wave number of the longest wave: of a period, or half a wave across what is not periodic."""
    lower, upper = bounds(domain.mesh)
    sides, periodic = upper - lower, domain.period > 0
    waves = list(2 * math.pi / sides[periodic])
    if not periodic.all():
        waves.append(math.pi / np.linalg.norm(sides[~periodic]))
    return float(min(waves))
