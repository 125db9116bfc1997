"""Pulses against exact answers: random square trains in stress, migration, heat, a film and failure, known and bare.

Each line is a train: its physics, periods, duty, tolerance, whether it was a bare function of Python, its error against
the integral (against superposed closed forms for stress), steps and seconds. At the end: how many were right to 1e-3,
how many were refused with the remedy, of how many it was warned that the mesh does not resolve what a pulse does, and
how many were wrong in silence, which must be none.

    python benchmarks/pulses.py --trains 100
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np

SPAN = {"stress": 3e4, "migration": 1.0, "heat": 1.0, "film": 10.0, "nucleation": 3e4}  # [s], of the film: its own
LENGTH, DENSITY = 50 * um, 2e10  # [m], [A/m2]
COPPER = em.materials.copper(temperature=573.0)
RIGHT = 1e-3


def bare(*, period: float, duty: float, level: float) -> Callable[[float], float]:
    """Return the pulses as a user writes them in Python."""
    return lambda t: level if (t / period) % 1.0 < duty else 0.0


def superposed(t: float, period: float, duty: float) -> float:
    """Return the largest stress of a line after pulses, from closed forms of steps of current [Pa]."""
    line: dict[str, Any] = {"length": LENGTH, "current_density": DENSITY, "material": COPPER}
    starts = period * np.arange(math.floor(t / period) + 1)
    edges = [(at, 1.0) for at in starts] + [(at + duty * period, -1.0) for at in starts]
    ends = np.array([0.0, LENGTH])
    parts = [sign * em.analytic.korhonen_line(ends, t - at, **line) for at, sign in edges if t > at]
    return float(np.sum(parts, axis=0).max())


def error(kind: str, drive: Any, period: float, duty: float, level: float, rtol: float) -> tuple[float, int]:
    """Return the relative error at the end of a run, and its steps."""
    span = SPAN[kind]
    if kind in ("stress", "nucleation"):
        line = em.mesh.interval(LENGTH, cells=200, names=("a", "b"))
        model = em.stress.model(line, COPPER, current_density=drive)
        end = (math.floor(span / period * 0.6) + 0.99 * duty) * period
        exact = superposed(end, period, duty)
        if kind == "stress":
            steps = em.evolve(model, end, rtol=rtol, progress=False).steps
            return model.quantity("sigma_max") / exact - 1, steps
        first = em.failure.nucleation(model, critical_stress=exact, until=span, rtol=rtol)
        return superposed(first.t, period, duty) / exact - 1 if math.isfinite(first.t) else math.inf, 0
    line = em.mesh.interval(8.0 if kind == "film" else 1.0, cells=16, names=("a", "b"))
    on = {"a": em.flux(drive)}
    if kind == "migration":
        model, name, start = em.migration.model(line, diffusivity=0.02, initial=1.0, on=on), "amount", 1.0
    elif kind == "heat":
        model = em.heat.model(line, conductivity=1.0, heat_capacity=1.0, source=drive, initial=300.0)
        name, start = "T_mean", 300.0
    else:
        model = em.film.model(line, em.film.cupd(), mean=0.25, initial=lambda x: 0.25 + 0 * x[0], on=on)
        name, start = "solute", 2.0
    steps = em.evolve(model, span, rtol=rtol, progress=False).steps
    return (model.quantity(name) - start) / (level * duty * span) - 1, steps


def main() -> None:
    """Run the trains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trains", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=float, default=1000, help="periods of a train at most")
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    counts = {"right": 0, "refused": 0, "warned": 0, "wrong": 0}
    for _ in range(arguments.trains):
        periods = int(math.exp(random.uniform(math.log(5), math.log(arguments.most))))
        duty, rtol = math.exp(random.uniform(math.log(1e-3), math.log(0.5))), float(random.choice([1e-2, 1e-4, 1e-6]))
        kind, is_bare = str(random.choice(list(SPAN))), bool(random.random() < 0.7)
        period = SPAN[kind] / periods
        level = {"heat": 100.0, "migration": 1.0, "film": 0.005 / duty}.get(kind, DENSITY)
        make = bare if is_bare else em.waveforms.pulses
        began, text = time.perf_counter(), ""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", em.ResolutionWarning)
                wrong, steps = error(kind, make(period=period, duty=duty, level=level), period, duty, level, rtol)
            warned = any("diffusion length" in str(warning.message) for warning in caught)
            result = "right" if abs(wrong) <= RIGHT else "warned" if warned else "wrong"
            text = f"error {wrong: .1e}  {steps:6d} steps"
        except em.ParameterError as refused:
            result, text = "refused", str(refused)[:60]
        counts[result] += 1
        form = "bare" if is_bare else "waveform"
        print(
            f"{kind:10} {periods:4d} periods  duty {100 * duty:6.2f} %  rtol {rtol:.0e}  {form:8}  {result:7}  {text}"
            f"  {time.perf_counter() - began:.1f} s",
            flush=True,
        )
    print(", ".join(f"{count} {result}" for result, count in counts.items()))


if __name__ == "__main__":
    main()
