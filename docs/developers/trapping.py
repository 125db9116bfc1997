"""A solute that traps hold up: diffusion and drift of what is free, capture and release of what is not.

    dc/dt + dq/dt = -div J,   J = -D grad c + v c
    dq/dt = k c (N - q) - p q

after A. McNabb and P. K. Foster, Trans. Metall. Soc. AIME 227, 618 (1963). At rest q = N K c/(1 + K c), K = k/p.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

# [model]
from emfem import fields, studies
from emfem.dimensions import Meaning, integral
from emfem.errors import ParameterError, count, floats, kind, number
from emfem.mesh import Domain
from emfem.model import (
    Fixed,
    Flux,
    Model,
    Quantity,
    check_boundaries,
    coefficient,
    dirichlet_conditions,
    evolving,
    neumann_term,
    tests,
)

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

MEANINGS = {
    "c": Meaning("free solute", "1/m3"),
    "q": Meaning("trapped solute", "1/m3"),
    "flux": Meaning("flux of free solute", "1/(m2 s)"),
}


def free_flux(diffusivity: Any, velocity: Any, c: Any) -> Any:
    """`J = -D grad c + v c`, of what is free."""
    return -diffusivity * ufl.grad(c) + velocity * c


def trapping(capture: Any, release: Any, traps: Any, c: Any, q: Any) -> Any:
    """`k c (N - q) - p q`: empty traps take up what is free, full ones let go."""
    return capture * c * (traps - q) - release * q


def model(
    domain: Domain,
    *,
    diffusivity: float,
    traps: float,
    capture: float,
    release: float,
    initial: Callable[[NDArray[np.float64]], ArrayLike] | float,
    drift: ArrayLike | None = None,
    on: Mapping[str, Fixed | Flux] | None = None,
    degree: int = 2,
) -> Model:
    """The trapping model on `domain`: unknowns c (free) and q (trapped), both per volume.

    Find c, q with int (dc/dt + dq/dt) w - J . grad w dx = int g w ds and
    int (dq/dt - k c (N - q) + p q) s dx = 0 for all w, s. Boundaries without a condition are
    blocked. Traps are empty at the start.

    Quantities: amount (int c + q), trapped (int q), fullest (the largest q/N).

    Args:
        domain: of any dimension and shape.
        diffusivity: D, above 0 [m2/s].
        traps: N, above 0 [1/m3].
        capture: k, above 0 [m3/s].
        release: p, above 0 [1/s].
        initial: c at the start, a number at least 0 or a function of x with shape (3, n) [1/m3].
        drift: v, dim numbers; None is no drift [m/s].
        on: conditions on named boundaries: `fixed(c)` [1/m3] holds what is free, `flux(g)` [1/(m2 s)] lets in.
        degree: polynomial degree of both [-].

    Raises:
        ParameterError: for a value out of its bounds, or a drift of the wrong shape.
        UnknownName: for a boundary that does not exist.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    degree = count("degree", degree, at_least=1)
    conditions = check_boundaries(domain, on, (Fixed, Flux))
    given = {"diffusivity": diffusivity, "traps": traps, "capture": capture, "release": release}
    checked = (number(name, value, above=0.0) for name, value in given.items())
    d, n, k, p = (fem.Constant(domain.mesh, value) for value in checked)
    if not callable(initial):
        number("initial", initial, at_least=0.0)
    v, drivers = velocity(domain, drift)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    free, trapped = evolving("c", space), evolving("q", space, scale=float(traps))
    c, q = free.function, trapped.function
    fields.set_initial(c, initial, "initial")
    w, s = tests((free, trapped))
    dx, one = domain.dx(2 * degree), fem.Constant(domain.mesh, 1.0)
    flux = free_flux(d, v, c)
    balance = (free.rate + trapped.rate) * w * dx - ufl.inner(flux, ufl.grad(w)) * dx
    exchange = (trapped.rate - trapping(k, p, n, c, q)) * s * dx
    inflow, moved = neumann_term(domain, conditions, w, 2 * degree)
    values, moving = dirichlet_conditions(domain, free, conditions)
    length, face = domain.extent()
    flow = float(diffusivity) / length * face  # of a concentration of 1 from end to end
    filled = float(release) * float(traps) * length * face
    balance = fem.Constant(domain.mesh, 1 / flow) * (balance - inflow)
    exchange = fem.Constant(domain.mesh, 1 / filled) * exchange
    return Model(
        "trapping",
        domain,
        (free, trapped),
        balance + exchange,
        conditions=values,
        expressions={"flux": flux},
        quantities={
            "amount": Quantity((c + q) * one * dx, integral("-")),
            "trapped": Quantity(q * one * dx, integral("-")),
            "fullest": Quantity(lambda: fields.extremes(q)[1] / float(traps)),
        },
        drivers=[*drivers, *moved, *moving],
        system=domain.system(),
        meanings=MEANINGS,
        steady_by_relaxation=not values,  # its amount is what it was: there is a steady state for each
    )


def velocity(domain: Domain, drift: ArrayLike | None) -> tuple[Any, list[Any]]:
    """Return v as UFL, and what moves it.

    Raises:
        ParameterError: if it is not dim finite numbers.
    """
    if drift is None:
        return ufl.zero(domain.dim), []
    values = floats("drift", drift)
    if values.shape != (domain.dim,) or not np.isfinite(values).all():
        msg = f"drift = {values.tolist()}, must be {domain.dim} finite numbers"
        raise ParameterError(msg)
    return coefficient(domain, "drift", values)


# [registration]
TEMPLATE = """\
# Solute drifts in a blocked line whose traps hold it up, in SI.

[domain]
shape = "interval"
length = "10 um"
cells = 40

[trapping]
diffusivity = "1e-12 m2/s"
traps = "1e24 1/m3"
capture = "1e-25 m3/s"
release = "0.05 1/s"
initial = "1e23 1/m3"
drift = ["2e-7 m/s"]

[time]
until = "5 minutes"

[output]
every = "10 s"
states_every = "1 minute"
"""
studies.register(studies.Physics("trapping", model, TEMPLATE))


# [analytic]
def langmuir(c: ArrayLike, *, traps: float, capture: float, release: float) -> NDArray[np.float64]:
    """Return the trapped solute in equilibrium with c: `q = N K c/(1 + K c)`, K = k/p."""
    filled = capture / release * np.asarray(c, dtype=float)
    return traps * filled / (1 + filled)


def decay(
    t: float, *, wave_number: float, diffusivity: float, traps: float, capture: float, release: float
) -> NDArray[np.float64]:
    """Return the amplitudes of c and q at time t, of a wave that starts with c = 1 and q = 0.

    Where traps are far from full a' = -(D k^2 + k N) a + p b and b' = k N a - p b, which the
    eigenvectors of the matrix solve.
    """
    rate = capture * traps
    matrix = np.array([[-diffusivity * wave_number**2 - rate, release], [rate, -release]])
    values, vectors = np.linalg.eig(matrix)
    return np.real(vectors @ (np.exp(values * t) * np.linalg.solve(vectors, [1.0, 0.0])))


# [check]
from emfem import mesh, verify  # noqa: E402 in a file of its own these would be at the top
from emfem.evolution import evolve  # noqa: E402
from emfem.model import fixed  # noqa: E402
from emfem.solve import solve_steady  # noqa: E402

CASE: dict[str, float] = {"diffusivity": 1.0, "traps": 1e6, "capture": 5e-6, "release": 2.0}


@verify.check(
    "trapping",
    source="two linear equations for the amplitudes of a wave, exp of their matrix: D pi^2 = 9.87, k N = 5, p = 2",
    target=(0.08165635, 0.25536061),
    rtol=1e-5,
)
def wave_between_traps(full: bool) -> tuple[float, float]:
    """A wave of solute between empty traps decays in two stages: c and q at t = 0.2."""
    line = mesh.interval(1.0, cells=40 if full else 20)
    ends = {"left": fixed(0.0), "right": fixed(0.0)}
    solute = model(line, **CASE, initial=lambda x: np.sin(np.pi * x[0]), on=ends)
    evolve(solute, 0.2, rtol=1e-7, atol=1e-12, progress=False)
    c, q = (float(fields.evaluate(solute[name], [[0.5]])[0]) for name in "cq")
    return c, q


@verify.check(
    "trapping",
    source="q = N K c/(1 + K c), N = 2, K = 1.5, c Boltzmann's profile exp(3 x), by hand",
    target=0.0,
    atol=1e-5,
)
def traps_at_rest(full: bool) -> float:
    """Under drift what is free rests in Boltzmann's profile, and fills the traps as it must."""
    traps = {"traps": 2.0, "capture": 3.0, "release": 2.0}
    line = mesh.interval(1.0, cells=40)
    solute = model(line, diffusivity=1.0, drift=[3.0], initial=1.0, **traps)
    solve_steady(solute)
    x = np.linspace(0.0, 1.0, 9)
    c, q = (fields.evaluate(solute[name], x[:, None]) for name in "cq")
    boltzmann = c[0] * np.exp(3.0 * x)
    wrong = c / boltzmann - 1, q / langmuir(boltzmann, **traps) - 1
    return float(np.abs(wrong).max())


# [run]
if __name__ == "__main__":
    from emfem import write

    write.print_root(json.dumps({wave_between_traps.name: wave_between_traps().values}))
