"""A void that drifts through a line: a mesh that is fine everywhere, and one that is fine where the surface is.

    python benchmarks/surface.py [--cube 32 [--solver iterative]]

Both have the same fine cells, so the drift should be the same, for less work. The line is longer from row to row, the
void is not, so that the uniform mesh grows and the moving one does not. The error is that of the drift over the second
half of the run, against a uniform mesh of half as wide cells (--reference, which takes longest). Seconds are of the
processor, and of this machine: look at their ratios. Where the line is 10 radii long a step on the moving mesh takes
half as long; where it is 20, a ninth. A quarter more steps are taken, most just after a mesh is made.

With --cube it is a round void in space, in the middle of a cube of so many cells along an edge: unknowns, steps, time
and the change of the metal, as JSON. Cells are half as wide as the interface, so a larger cube has a larger void.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np

RADIUS, WIDTH, COARSE, DENSITY = 12 * nm, 2 * nm, 7.5 * nm, 3e12  # interface half-width; coarse cells; A/m2
GOLD = em.materials.gold(temperature=900.0)
TIME = RADIUS**4 / em.analytic.mullins_coefficient(GOLD)


@dataclass(frozen=True)
class Row:
    """Duration of a run, and velocity of the void.

    Attributes:
        nodes: of the mesh, the most of all meshes.
        meshes: their number.
        steps: of time.
        seconds: of the processor.
        drift: of the void over the second half of the run [m/s].
        metal: largest change of the metal, relative.
    """

    nodes: int
    meshes: int
    steps: int
    seconds: float
    drift: float
    metal: float


def run(height: float, size: float, until: float, *, moving: bool) -> Row:
    """The row of one run; the line is twice as long as it is high, the void starts at a third of it."""
    shape = em.surface.void((2 * height / 3, height / 2), RADIUS)

    def make(domain: em.mesh.Domain, shape: em.surface.Shape) -> em.Model:
        ends = ("left", "right")
        return em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, current_density=DENSITY, on=ends)

    seen = em.watch.series(["x_centre", "metal"])
    coarse = COARSE if moving else size
    cells = (round(2 * height / coarse), round(height / coarse))
    domain = em.mesh.rectangle((2 * height, height), cells=cells, cell="triangle")
    began = time.process_time()
    if moving:
        history = em.moving.evolve(
            make, domain, until, shape=shape, interface_width=WIDTH, size=size, watch=[seen], progress=False
        )
        march, nodes = history.run, history.nodes
    else:
        model = make(domain, shape)
        march = em.evolve(model, until, watch=[seen], progress=False)
        nodes = np.array([len(model["c"].x.array)])
    seconds = time.process_time() - began
    late = seen.t >= until / 2
    drift = float(np.polyfit(seen.t[late], seen["x_centre"][late], 1)[0])
    strayed = float(np.ptp(seen["metal"]) / seen["metal"][0])
    return Row(int(nodes.max()), len(nodes), march.steps, seconds, drift, strayed)


def main(largest: float = 120 * nm, part: float = 0.1, *, reference: bool = False) -> None:
    """The table, for lines from 60 nm in height, each twice as high as the one before."""
    size = COARSE / 8
    run(60 * nm, 2 * size, 1e-6 * TIME, moving=False)  # compiles what is compiled once
    em.write.print_root(
        f"{'height':>6} {'mesh':>9} {'nodes':>6} {'meshes':>6} {'steps':>5} {'s':>6} {'s a step':>8} "
        f"{'drift nm/s':>10} {'error':>8} {'metal':>7}"
    )
    height = 60 * nm
    while height <= largest * (1 + 1e-9):
        exact = run(height, size / 2, part * TIME, moving=False).drift if reference else np.nan
        for moving in (False, True):
            row = run(height, size, part * TIME, moving=moving)
            em.write.print_root(
                f"{height / nm:>6.0f} {'moving' if moving else 'uniform':>9} {row.nodes:>6} {row.meshes:>6} "
                f"{row.steps:>5} {row.seconds:>6.1f} {row.seconds / row.steps:>8.3f} {row.drift / nm:>10.1f} "
                f"{row.drift / exact - 1:>8.1e} {row.metal:>7.0e}"
            )
        height *= 2


def cube(cells: int, solver: str, part: float = 1e-4) -> dict[str, Any]:
    """Return the numbers of a void in the middle of a cube; its radius is 0.3 of the edge."""
    edge = cells * WIDTH / 2
    domain = em.mesh.box((edge,) * 3, cells=(cells,) * 3)
    shape = em.surface.void((edge / 2,) * 3, 0.3 * edge)
    model = em.surface.model(
        domain, GOLD, shape=shape, interface_width=WIDTH, current_density=DENSITY, on=("left", "right")
    )
    metal = model.quantity("metal")
    began = time.process_time()
    march = em.evolve(model, part * TIME * (0.3 * edge / RADIUS) ** 4, solver=solver, progress=False)
    seconds = time.process_time() - began
    unknowns = em.solve.advise(model).unknowns
    changed = abs(model.quantity("metal") / metal - 1)
    assert changed < 1e-6, "metal is not conserved"
    return {
        "cells": cells**3,
        "unknowns": unknowns,
        "steps": march.steps,
        "iterations": march.linear_iterations / march.solves,
        "s": seconds,
        "us a step": 1e6 * seconds / unknowns / march.steps,
        "metal": changed,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--largest", type=lambda text: float(text) * nm, default=120 * nm, help="height [nm]")
    options.add_argument("--part", type=float, default=0.1, help="how long, in R^4 / B: 0.1 is about 5 nm of drift")
    options.add_argument("--reference", action="store_true", help="compare with a mesh of half as wide cells")
    options.add_argument("--cube", type=int, help="a void in space instead: cells along the edge of a cube")
    options.add_argument("--solver", default="auto", choices=em.solve.SOLVERS, help="of the void in space")
    chosen = vars(options.parse_args())
    edge_cells, linear_solver = chosen.pop("cube"), chosen.pop("solver")
    if edge_cells:
        print(json.dumps(cube(edge_cells, linear_solver)))
    else:
        main(**chosen)
