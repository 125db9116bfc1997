"""Plasticity of metals: von Mises' criterion with linear hardening, as plastic strain that evolves (Perzyna).

    deps_p/dt = g 3/2 dev(s)/s_v,   g = <s_v - s_y - H k>/eta,   dk/dt = g

s_v is the von Mises stress. Where loads change slowly, so that eta dk/dt is far below s_y, it is plasticity without
rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.errors import number, require
from emfem.mechanics.solids import Solids, coefficient_of
from emfem.mesh import Domain
from emfem.model import Unknown

import numpy as np
import ufl
from dolfinx import fem

SMALL = 1e-6  # of the yield stress: below it the direction of flow does not matter
NEVER = 1.0  # yield stress in the formulas of a solid that never yields, which are multiplied by 0


@dataclass(frozen=True, eq=False)
class Plasticity:
    """Plastic strain of the solids of a domain.

    Attributes:
        strain_unknown: independent components of the plastic strain, which has no trace.
        amount: accumulated plastic strain.
        yields: 1 in solids that yield, 0 in others.
        yield_stress: s_y [Pa].
        hardening: H [Pa].
        viscosity: eta [Pa s].
    """

    strain_unknown: Unknown
    amount: Unknown
    yields: Any
    yield_stress: Any
    hardening: Any
    viscosity: Any

    @property
    def unknowns(self) -> list[Unknown]:
        """Both unknowns."""
        return [self.strain_unknown, self.amount]

    @property
    def strain(self) -> Any:
        """The plastic strain, 3 x 3, without trace."""
        return _tensor(self.strain_unknown.function)

    def residual(self, s: Any, tests: tuple[Any, Any], dx: Any, time: Any) -> Any:
        """`int (deps_p/dt - g 3/2 dev(s)/s_v) : r + (dk/dt - g) q dx`, times a time.

        Args:
            s: stress.
            tests: of both unknowns.
            dx: measure.
            time: that divides rates.
        """
        deviator = ufl.dev(s)
        size = ufl.sqrt(1.5 * ufl.inner(deviator, deviator) + (SMALL * self.yield_stress) ** 2)
        above = size - self.yield_stress - self.hardening * self.amount.function
        rate = self.yields * ufl.max_value(above, 0.0) / self.viscosity
        flow = _components(1.5 * rate / size * deviator, self.strain_unknown.function)
        moved = ufl.inner(self.strain_unknown.rate - flow, tests[0]) + (self.amount.rate - rate) * tests[1]
        return time * moved * dx


def plasticity_of(domain: Domain, solids: Solids, viscosity: float | None, degree: int) -> Plasticity | None:
    """Return the plastic strain of solids that yield, None without one.

    Raises:
        ParameterError: for solids that yield without a viscosity, or the reverse.
    """
    yielding = {name: np.isfinite(each.yield_stress) for name, each in solids.by_region.items()}
    if not any(yielding.values()):
        require(viscosity is None, "viscosity without a yield_stress of a solid, must be left out")
        return None
    require(viscosity is not None, "viscosity is left out, must be a number above 0 [Pa s] where a solid yields")
    require(degree > 1, f"degree = {degree}, must be at least 2 where a solid yields")
    eta = number("viscosity", viscosity, above=0.0, unit="Pa s")
    components = {1: 1, 2: 3, 3: 5}[domain.dim]
    space = fem.functionspace(domain.mesh, ("DG", degree - 1, (components,)))
    levels = {n: each.yield_stress if yielding[n] else NEVER for n, each in solids.by_region.items()}
    scale = max(each.yield_stress / each.young_modulus for n, each in solids.by_region.items() if yielding[n])
    return Plasticity(
        models.evolving("plastic_strain", space, scale=scale),
        models.evolving("plastic", fem.functionspace(domain.mesh, ("DG", degree - 1)), scale=scale),
        coefficient_of(domain, "yields", {name: float(each) for name, each in yielding.items()}),
        coefficient_of(domain, "yield_stress", levels),
        coefficient_of(domain, "hardening", {name: each.hardening for name, each in solids.by_region.items()}),
        fem.Constant(domain.mesh, eta),
    )


def _tensor(c: Any) -> Any:
    """Return the tensor without trace of its independent components: 1, 3 or 5 of them."""
    if len(c) == 1:
        return ufl.as_tensor([[c[0], 0, 0], [0, -c[0] / 2, 0], [0, 0, -c[0] / 2]])
    last = -c[0] - c[1]
    xz, yz = (c[3], c[4]) if len(c) == 5 else (0, 0)
    return ufl.as_tensor([[c[0], c[2], xz], [c[2], c[1], yz], [xz, yz, last]])


def _components(tensor: Any, like: Any) -> Any:
    """Return the independent components of a tensor without trace, as many as a function has."""
    places = ((0, 0),) if len(like) == 1 else ((0, 0), (1, 1), (0, 1), (0, 2), (1, 2))[: len(like)]
    return ufl.as_vector([tensor[i, j] for i, j in places])
