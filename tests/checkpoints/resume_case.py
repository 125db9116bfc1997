"""Runs of every kind that keep checkpoints: `python resume_case.py KIND FOLDER` goes on from what is in the folder.

It prints the state at the end as JSON. With a third argument the process kills itself at that step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, nm, um
from tests.checkpoints.resume_kinds import MORE

import numpy as np
from dolfinx import fem

COPPER = em.materials.copper(temperature=573.0)
GOLD = em.materials.gold(temperature=900.0)
Body = Callable[[list[em.observe.Observer], Any], list[em.Model]]


class Step(em.observe.Observer):
    """Calls a function at a step."""

    saved = (*em.observe.Observer.saved, "count")

    def __init__(self, at: int, action: Callable[[], Any]) -> None:
        super().__init__()
        self.at, self.action, self.count = at, action, 0

    def record(self, t: float) -> None:
        """Count."""
        self.count += 1
        if self.count == self.at:
            self.action()


def driven(t: float) -> tuple[float, float]:
    """A field that the steps have to follow."""
    return 0.1 + 0.02 * np.sin(t), 0.0


def film(watch: list[em.observe.Observer], checkpoint: Any, **options: Any) -> list[em.Model]:
    """A film whose field changes."""
    domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))
    model = em.film.model(domain, em.film.cupd(), mean=0.3, field=driven, initial=em.film.noise(0.08, seed=1))
    em.evolve(model, 12.0, watch=watch, checkpoint=checkpoint, progress=False, **options)
    return [model]


def iterative(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """The same film, solved iteratively."""
    return film(watch, checkpoint, solver="iterative")


def coupled(watch: list[em.observe.Observer], checkpoint: Any, coupling: str = "monolithic") -> list[em.Model]:
    """A film whose field is that of a current fed in, which stops and starts."""
    domain = em.mesh.rectangle((10.0, 5.0), cells=(6, 3))
    pulses = em.waveforms.pulses(level=1.0, period=3.0, duty=0.5)
    feed = em.conduction.electrode(current=pulses if coupling == "monolithic" else lambda t: 0.3 + 0.1 * np.sin(t))
    current = em.conduction.model(domain, conductivity=1.0, on={"left": feed, "right": em.fixed(0.0)})
    model = em.film.model(domain, em.film.cupd(), mean=0.3, field=current["E"], initial=em.film.noise(0.08, seed=1))
    em.evolve([current, model], 6.0, watch=watch, checkpoint=checkpoint, progress=False, coupling=coupling)
    return [current, model]


def staggered(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """The same, one model after the other."""
    return coupled(watch, checkpoint, "staggered")


def stress(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """A line to failure: voids open, and the currents change."""
    nodes = np.array([(0, 0), (40, 0), (40, 40), (0, 40), (60, 0)]) * um
    wires = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 4)]
    domain = em.mesh.network(nodes, wires, width=0.2 * um, thickness=0.1 * um, cells=8, pads={0: 0.02, 2: 0.0})
    density = em.conduction.kirchhoff(domain, COPPER.resistivity).current_density
    model = em.stress.model(domain, COPPER, current_density=density, voids=True)
    em.failure.run(
        model, critical_stress=8 * MPa, until=1e9, fails=em.failure.Drop(14e-3), resistivity=COPPER.resistivity,
        liner=em.failure.Liner(2e-6, 5 * nm), watch=watch, checkpoint=checkpoint,
    )  # fmt: skip
    return [model]


def nucleation(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """A line until its first void can open."""
    model = em.stress.model(em.mesh.interval(50 * um, cells=16), COPPER, current_density=1e10)
    found = em.failure.nucleation(model, critical_stress=20 * MPa, until=1e9, watch=watch, checkpoint=checkpoint)
    assert found.why in ("nucleated", "interrupted")
    return [model]


def surface(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """A strip under a current."""
    domain = em.mesh.rectangle((60 * nm, 30 * nm), cells=(24, 12))
    shape = em.surface.strip(30 * nm)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=2.5 * nm, on=("left", "right"), current=1e3)
    time = (30 * nm) ** 4 / em.analytic.mullins_coefficient(GOLD)
    em.evolve(model, 1e-3 * time, rtol=1e-3, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def moving(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """A void that drifts, on meshes that follow it."""
    width, radius = 1.5 * nm, 6 * nm
    time = radius**4 / em.analytic.mullins_coefficient(GOLD)

    def make(domain: em.mesh.Domain, shape: Any) -> em.Model:
        return em.surface.model(
            domain, GOLD, shape=shape, interface_width=width, current_density=2e13, on=("left", "right")
        )

    domain = em.mesh.rectangle((48 * nm, 24 * nm), cells=(8, 4), cell="triangle")
    shape = em.surface.void((18 * nm, 12 * nm), radius)
    run = em.moving.evolve(
        make, domain, 0.12 * time, shape=shape, interface_width=width, size=width, slack=width, rtol=1e-3,
        watch=watch, checkpoint=checkpoint, progress=False,
    )  # fmt: skip
    return [run.model]


def heat(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """A strip that its current heats, and the sums of its balance."""
    domain = em.mesh.rectangle((4 * um, 1 * um), cells=(12, 4)).in_metres()
    temperature = em.placeholder("T", domain)
    volts, ends = {"left": em.fixed(0.2), "right": em.fixed(0.0)}, {"left": em.fixed(300.0), "right": em.fixed(300.0)}
    current = em.conduction.model(domain, conductivity=1e7 * (1 - 1e-3 * (temperature - 300.0)), on=volts)
    warm = em.heat.model(
        domain, source=em.heat.joule(current), conductivity=400.0, heat_capacity=3.4e6, on=ends, initial=300.0
    )
    current = current.substitute(T=warm["T"])
    sums = em.accumulate(warm)
    em.evolve([current, warm, sums], 2e-7, watch=watch, checkpoint=checkpoint, progress=False)
    return [current, warm, sums]


def species(watch: list[em.observe.Observer], checkpoint: Any) -> list[em.Model]:
    """Solute that a drift carries and a reaction takes, in a field of steps that is a bare function of time."""
    domain = em.mesh.interval(1.0, cells=30)
    model = em.migration.model(
        domain, diffusivity=0.1, drift=lambda t: (1.0 if t % 1.0 < 0.5 else -1.0,), initial=lambda x: 1 + x[0],
        on={"left": em.fixed(1.0)},
    )  # fmt: skip
    em.evolve(model, 3.0, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


KINDS: dict[str, Callable[..., list[em.Model]]] = {
    make.__name__: make
    for make in (film, iterative, coupled, staggered, heat, species, stress, nucleation, surface, moving, *MORE)
}


def integrals(model: em.Model) -> dict[str, float]:
    """Squares of the unknowns, integrated: the same on any number of ranks."""
    return {
        f"{model.name}/{u.name}": em.fields.integral(fem.form(u.function**2 * model.domain.dx()), model.mesh.comm)
        for u in model.unknowns
    }


class Stopped(Exception):
    """The end of a run at a step."""


def stop() -> None:
    """End the run by an error."""
    raise Stopped


def kill() -> None:
    """End the process at once, as a machine that dies."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(
    kind: str, folder: Path, *, every: float | str = "10 min", at: int = 0, action: Callable[[], Any] = stop
) -> dict[str, Any]:
    """Run, or go on from what is in the folder; return the state at the end: numbers, series, snapshots, events.

    Args:
        kind: one of `KINDS`.
        folder: for checkpoints and the table.
        every: seconds between checkpoints.
        at: number of the step at which the run ends by `action`.
        action: called then.
    """
    rows, table = em.watch.series([]), em.write.series(folder / "series.csv")
    checkpoint = em.checkpoint(folder / "checkpoints", every=every, resume=True)
    models = KINDS[kind]([rows, table, Step(at, action)], checkpoint)
    state: dict[str, Any] = {"t": models[0].t, "times": rows.t.tolist()}
    for model in models:
        state |= integrals(model)
    return state


if __name__ == "__main__":
    name, path, every, step, how = sys.argv[1:]
    actions = {"stop": sys.exit, "kill": kill}
    em.write.print_root(json.dumps(run(name, Path(path), every=float(every), at=int(step), action=actions[how])))
