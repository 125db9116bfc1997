"""Vacancies of an alloy that are not in equilibrium: fluxes, sources and sinks.

With y the fraction of vacancies over that in equilibrium, mu_V = kT ln y and atoms jump y times as often:

    J_A = D_A [y (-Phi grad N + N f_A) + N grad y]
    J_B = D_B [y (Phi grad N + (1 - N) f_B) + (1 - N) grad y]

Vacancies are dilute: what is of the order of their fraction is left out, but for their own storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Balance, ConsistentFlux, Unknown

import ufl
from dolfinx import fem

DILUTE = 0.01  # atomic fraction; that of a metal at its melting point is about a tenth of it


@checked
@dataclass(frozen=True)
class Vacancies:
    """Vacancies, their sources and their sinks.

    Attributes:
        equilibrium: their atomic fraction in equilibrium [-].
        lifetime: tau, after which a vacancy meets a sink; None if there are none inside [s].
        surfaces: boundaries at which vacancies are in equilibrium.
    """

    equilibrium: float
    lifetime: float | None
    surfaces: tuple[str, ...] = ()
    maker: ClassVar[str] = "em.migration.vacancies"


@checked
def vacancies(*, equilibrium: float, lifetime: float | None, surfaces: Sequence[str] = ()) -> Vacancies:
    """Return vacancies with sources and sinks of finite strength, for `alloy(vacancies=...)`.

    They keep to equilibrium over the distance sqrt(D tau / equilibrium), D = N D_A + (1 - N) D_B: over longer ones the
    lattice moves as with fast sinks, over shorter ones it does not.

    Args:
        equilibrium: their atomic fraction in equilibrium, above 0 and below 0.01 [-].
        lifetime: tau, above 0, in which what is too many or too few falls to 1/e; None if nothing inside makes or takes
            vacancies [s].
        surfaces: names of boundaries at which they are in equilibrium, such as free ones; elsewhere none pass.

    Raises:
        ParameterError: for a value out of its bounds, or surfaces that are no names.
    """
    fraction = number("equilibrium", equilibrium, above=0.0, below=DILUTE)
    if isinstance(surfaces, str) or not all(isinstance(name, str) for name in surfaces):
        msg = f"surfaces = {surfaces!r}, must be a list of names of boundaries"
        raise ParameterError(msg)
    tau = None if lifetime is None else number("lifetime", lifetime, above=0.0, unit="s")
    return Vacancies(fraction, tau, tuple(surfaces))


def drawn_fluxes(of_a: Any, of_b: Any, n: Any, y: Any, d_a: Any, d_b: Any) -> tuple[Any, Any]:
    """`y J_A + D_A N grad y` and `y J_B + D_B (1 - N) grad y`, of the fluxes with vacancies in equilibrium."""
    slope = ufl.grad(y)
    return y * of_a + d_a * n * slope, y * of_b + d_b * (1 - n) * slope


def vacancy_balance(
    domain: Domain, ratio: Unknown, vacancies: Vacancies, velocity: Any, q: Any, dx: ufl.Measure
) -> ufl.Form:
    """`int e dy/dt q - (1 + e y) v . grad q + (e/tau) (y - 1) q`, e the equilibrium fraction, v = -(J_A + J_B)."""
    y, e = ratio.function, fem.Constant(domain.mesh, vacancies.equilibrium)
    total = (e * ratio.rate * q - (1 + e * y) * ufl.inner(velocity, ufl.grad(q))) * dx
    if vacancies.lifetime is not None:
        total += fem.Constant(domain.mesh, vacancies.equilibrium / vacancies.lifetime) * (y - 1) * q * dx
    return total


def vacancy_amount(
    domain: Domain, ratio: Unknown, vacancies: Vacancies, reaction: ConsistentFlux, dx: ufl.Measure
) -> Balance:
    """Return the balance of the amount int e y dx: sinks make `int (e/tau) (1 - y) dx`, surfaces take up a flux."""
    y, made = ratio.function, {}
    if vacancies.lifetime is not None:
        made["sinks"] = fem.Constant(domain.mesh, vacancies.equilibrium / vacancies.lifetime) * (1 - y) * dx
    return Balance(fem.Constant(domain.mesh, vacancies.equilibrium) * y * dx, "-", (reaction,), {}, made)
