"""Effect of the tolerance of a stiff solver on a film on Fourier modes.

    python demos/paper/stiff.py                         Fig. 4 on [100] at five tolerances, from five starts
    python demos/paper/stiff.py --study fig7 --value 1  Fig. 7 at Lambda = 1

The paper has the method of lines, a pseudospectral discretization and "a stiff ODE solver in time", and no tolerance.
Such solvers are mostly backward differentiation formulas of orders 1 to 5 with steps from an estimate of their error;
1e-3 is a usual tolerance. SciPy has these formulas; what it has not is room for the full Jacobian of a spectral film.
Here its systems are solved by GMRES, preconditioned with the linear part of the film.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import emfem as em

import numpy as np
from book import SIZES, STARTS
from films import WAVELENGTH, Film, Record, study
from measures import emerged, formed
from numpy.typing import NDArray
from scipy import fft, sparse
from scipy.integrate import BDF
from scipy.sparse.linalg import LinearOperator, gmres
from spectral import POINTS, Law, start

ACCURATE = 1e-2  # of the linear systems: Newton's method wants 0.03 of the tolerance
TOLERANCES = (1e-3, 3e-2, 5e-2, 0.1, 0.3)
TINY = 1e-6  # of the composition, for the derivative of the rate along a direction


class Rate:
    """The rate of change of a film at the points of its grid, and what solves (1 - h J) x = b."""

    def __init__(self, film: Film, n: int) -> None:
        self.law, self.shape = Law(film, n), (n, n)
        law, mean = self.law, film.mean
        slope = law.alloy.entropy / (mean * (1 - mean)) - 2 * law.alloy.enthalpy
        slope += law.alloy.solute_expansion * (1 - 2 * mean)
        # |f''|: the preconditioner is to be positive where the film is unstable
        self.linear = -mean * (1 - mean) * law.spread * (abs(slope) + law.gradient) - 1j * law.travels

    def __call__(self, t: float, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """dc/dt, shape (points,)."""
        spectrum = fft.rfft2(c.reshape(self.shape)) * self.law.kept
        rate = self.law.rest(spectrum) + self.law.taken * spectrum
        return fft.irfft2(rate, s=self.shape).ravel()

    def solve(self, h: float, about: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve (1 - h J) x = b with the Jacobian J at a composition."""
        here, size = self(0.0, about), about.size

        def times(x: NDArray[np.float64]) -> NDArray[np.float64]:
            small = TINY / max(float(abs(x).max()), 1e-300)
            return x - h * (self(0.0, about + small * x) - here) / small

        def divided(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return fft.irfft2(fft.rfft2(x.reshape(self.shape)) / (1 - h * self.linear), s=self.shape).ravel()

        operator = LinearOperator((size, size), times, dtype=float)
        inverse = LinearOperator((size, size), divided, dtype=float)
        return np.asarray(gmres(operator, b, rtol=ACCURATE, M=inverse, restart=30, maxiter=3)[0])


class Implicit(BDF):
    """SciPy's formulas with a Jacobian that is never a matrix: its `J` is the composition about which it is taken."""

    def __init__(self, rate: Rate, c: NDArray[np.float64], until: float, rtol: float) -> None:
        super().__init__(rate, 0.0, c, until, rtol=rtol, atol=1e-3 * rtol)
        self.jac, self.J = (lambda t, c: About(c)), About(c)
        self.I, self.lu = One(), lambda system: system
        self.solve_lu = lambda system, b: rate.solve(system.h, system.about, b)

    def _validate_jac(self, jac: Any, sparsity: Any) -> tuple[None, Any]:
        return None, sparse.eye_array(self.n, format="csc")


class About:
    """A composition, which times h is a system (1 - h J)."""

    def __init__(self, about: NDArray[np.float64], h: float = 0.0) -> None:
        self.about, self.h = about.copy(), h

    def __rmul__(self, h: float) -> "About":
        return About(self.about, float(h))


class One:
    """The 1 in 1 - h J."""

    def __sub__(self, other: About) -> About:
        return other


def run(film: Film, rtol: float, points: int = POINTS) -> tuple[Record, int]:
    """Evolve a film; its record, and the steps that it took."""
    began, n = time.process_time(), 2 * round(film.edge / WAVELENGTH * points / 2)
    rate = Rate(film, n)
    c = fft.irfft2(fft.rfft2(start(film, n)) * rate.law.kept, s=(n, n)).ravel()
    solver, steps, patterns = Implicit(rate, c, film.until, rtol), 0, []
    for look in film.looks:
        while solver.t < look:
            if said := solver.step():
                msg = f"the stiff solver ended at t = {solver.t:g}: {said}"
                raise em.EmfemError(msg)
            steps += 1
        c = solver.dense_output()(look) if look > 0 else c
        patterns.append(em.patterns.measure_grid(c.reshape(n, n), (film.edge, film.edge)))
    cpu = time.process_time() - began
    return Record(
        film, np.array(film.looks), tuple(patterns), np.array([]), np.empty((0, n, n), np.float32), cpu
    ), steps


def told(record: Record, steps: int) -> str:
    """Return the end of a film, on a line."""
    first = int(np.flatnonzero(emerged(record))[0])
    last = record.patterns[-1]
    return (
        f"{steps} steps; {record.patterns[first].defects} forks and ends when it emerges (t = {record.t[first]:g}),"
        f" perfect from {formed(record):g}; at t = {record.t[-1]:g} {last.kind}, {last.defects} forks and ends;"
        f" {record.cpu:.0f} s"
    )


def main(
    name: str = "fig4",
    value: str = "100",
    until: float = 800.0,
    seeds: Sequence[int] = STARTS,
    tolerances: Sequence[float] = TOLERANCES,
) -> dict[float, list[Record]]:
    """Run one case of a study at each tolerance; the records."""
    found: dict[float, list[Record]] = {}
    films = study(name, seeds=seeds, **SIZES["ensemble"].changes)
    chosen = [film for film in films if value in (film.surface, f"{film.ratio:g}") and film.angle < 180.0]
    for rtol in tolerances:
        for film in chosen:
            looks = tuple(np.linspace(0.0, until, 41))
            record, steps = run(replace(film, until=until, looks=looks), rtol)
            found.setdefault(rtol, []).append(record)
            em.write.print_root(f"rtol {rtol:g}, start {film.seed}: {told(record, steps)}")
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--study", dest="name", default="fig4", help="a file in studies/")
    options.add_argument("--value", default="100", help="surface or ratio of diffusivities")
    options.add_argument("--until", type=float, default=800.0)
    options.add_argument("--seeds", type=int, nargs="*", default=STARTS, help="of the random starts")
    options.add_argument("--tolerances", type=float, nargs="*", default=TOLERANCES)
    main(**vars(options.parse_args()))
