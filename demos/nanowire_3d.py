"""A round wire between two pads, in space: in tungsten its atoms go upwind, in gold with the electrons.

A quarter of the bridge, symmetric about its axis. The current flows to the right, so electrons come from the right. It
crowds where the wire meets the pads, and where the wire is thin; atoms of the surface drift along it (Z* > 0) or
against it (Z* < 0), and curvature levels. The end beside one pad grows, the other thins, and the thin one decides on
the resistance. The size of tungsten's Z* is a placeholder, only its sign is known. Resistivities are those of the
bulk: wires so thin have 1.4 (tungsten) and 2.1 times (gold) as much, and do the same at currents that much smaller.

With --to-break a wire of one metal lives under a steady voltage until it breaks, on tetrahedra that follow its surface.
Its states are kept, so that --resume goes on after whatever ended it:

    mpiexec -n 2 python demos/nanowire_3d.py --to-break tungsten --width 0.32e-9
"""

import argparse
import resource
import warnings
from pathlib import Path
from time import process_time
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np

KELVIN, DENSITY = 900.0, 3e13  # K; A/m2 in the wire
RADIUS, LENGTH, FILLET = 5 * nm, 26 * nm, 3 * nm
BOX = (44 * nm, 10 * nm, 10 * nm)
THIN = 0.6  # of the radius, where a run ends
LINEAR = 0.01  # error of linear systems as a part of that of a step
FIRST = 1e-3  # first step of a life, over l^4 / B, in which a profile comes to rest
ENDS = 6 * nm  # of the wire beside each pad, where its radius is compared


def peak() -> float:
    """Most memory that this rank has had [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Costs(em.observe.Observer):
    """A line for each step of a life: where it is, the processor time of each rank, and the memory of all."""

    saved = (*em.observe.Observer.saved, "step", "metal")
    step, metal = -1, 0.0

    def __init__(self, own: float) -> None:
        """Take the time that times are printed over [s]."""
        super().__init__()
        self.own = own

    def record(self, t: float) -> None:
        """Print the line."""
        (model,), self.step = self.models, self.step + 1
        metal, neck, comm = model.quantity("metal"), model.quantity("neck"), model.mesh.comm
        self.metal = self.metal or metal
        spent = ", ".join(f"{seconds:.0f}" for seconds in comm.allgather(process_time()))
        memory = sum(comm.allgather(peak())) / 1e9
        em.write.print_root(
            f"step {self.step}: {t / self.own:.6f} own times, neck {2 * neck / RADIUS:.4f} of the radius, metal "
            f"{metal / self.metal - 1:+.1e}; {spent} s of the ranks' processors, {memory:.3g} GB"
        )


def ends(model: em.Model) -> tuple[float, float]:
    """Mean radius of the wire beside the left pad and beside the right [m]; the section is four times that computed."""
    x, radius = em.surface.profile(model)
    left, right = (BOX[0] - LENGTH) / 2 + FILLET, (BOX[0] + LENGTH) / 2 - FILLET
    beside = (x > left) & (x < left + ENDS), (x > right - ENDS) & (x < right)
    return 2 * float(radius[beside[0]].mean()), 2 * float(radius[beside[1]].mean())


def run(metal: str, width: float, until: float, solver: str, rtol: float, out: Path) -> dict[str, float]:
    """Radii of both ends [m], and the resistance over that at first."""
    material = em.materials.metal(metal, temperature=KELVIN)
    model = em.surface.model(
        em.mesh.box(BOX, cells=tuple(int(np.ceil(side / (0.8 * width))) for side in BOX)),
        material,
        shape=em.surface.bridge(LENGTH, RADIUS, middle=BOX[0] / 2, fillet=FILLET),
        interface_width=width,
        current=DENSITY * np.pi * RADIUS**2 / 4,
        on=("left", "right"),
    )
    em.write.print_root(metal, em.solve.advise(model, solver=solver))
    time = until * RADIUS**2 / abs(em.surface.scales(material, radius=RADIUS, current_density=DENSITY).drift)
    trace, thin = em.watch.series(["resistance", "moved"]), em.surface.neck_below(THIN * RADIUS / 2)
    stop = em.watch.stop_when(thin, "the neck is thin")
    watch = [
        trace,
        stop,
        em.watch.conserved("metal", rtol=1e-8),
        em.write.vtu(out / f"{metal}.pvd", ["c"], every=time / 4),
    ]
    em.write.print_root(em.evolve(model, time, rtol=rtol, watch=watch, solver=solver))
    em.plot.surface(model, out / f"{metal}.png", over="j", component="magnitude")
    left, right = ends(model)
    resistance = float(trace["resistance"][-1] / trace["resistance"][0])
    em.write.print_root(
        f"{metal}: radius {left / nm:.2f} nm beside the left pad, {right / nm:.2f} nm beside the right; "
        f"resistance x {resistance:.3f} in {model.t:.3g} s"
    )
    return {"left": left, "right": right, "resistance": resistance, "moved": float(trace["moved"][-1])}


def to_break(
    metal: str, width: float, cell: float, solver: str, rtol: float, out: Path, resume: bool
) -> dict[str, float]:
    """Life of a wire under a steady voltage until it is cut, and what the computation of it takes; it can go on."""
    material = em.materials.metal(metal, temperature=KELVIN)
    fine, shape = cell * width, em.surface.bridge(LENGTH, RADIUS, middle=BOX[0] / 2, fillet=FILLET)
    halvings = int(np.log2(min(BOX) / 3 / fine))
    coarse = em.mesh.box(
        BOX, cells=tuple(int(np.ceil(side / (fine * 2**halvings))) for side in BOX), cell="tetrahedron"
    )
    cells = list[int]()

    def make(domain: em.mesh.Domain, shape: em.surface.Shape) -> em.Model:
        model = em.surface.model(
            domain,
            material,
            shape=shape,
            interface_width=width,
            voltage=DENSITY * material.law("resistivity")(KELVIN) * LENGTH,
            on=("left", "right"),
        )
        cells.append(domain.quality().cells)
        em.write.print_root(f"{cells[-1]} cells", em.solve.advise(model, solver=solver))
        return model

    own = RADIUS**2 / abs(em.surface.scales(material, radius=RADIUS, current_density=DENSITY).drift)
    trace = em.watch.series(["metal", "neck", "resistance", "moved"])
    watch = [trace, Costs(own), em.watch.stop_when(em.surface.neck_below(0.0), em.moving.BROKEN)]
    began = process_time()
    life = em.moving.evolve(
        make,
        coarse,
        own,
        shape=shape,
        interface_width=width,
        size=fine,
        first_step=FIRST * width**4 / em.analytic.mullins_coefficient(material),
        rtol=rtol,
        watch=watch,
        checkpoint=em.checkpoint(out / f"{metal}-states", resume=resume),
        solver=solver,
        petsc_options={"ksp_rtol": LINEAR * rtol},
    )
    found = {
        "cells": float(cells[0]),
        "meshes": float(len(life.nodes)),
        "steps": float(life.run.steps),
        "own times": life.model.t / own,
        "broken": float(life.run.stopped == em.moving.BROKEN),
        "metal": float(np.ptp(trace["metal"]) / trace["metal"][0]),
        "minutes": life.run.wall / 60,
        "microseconds": (process_time() - began) * 1e6 / life.run.steps / cells[0],
        "memory": peak(),
    }
    em.write.print_root(f"{life}")
    em.write.print_root(
        f"{metal}: {life.run.stopped} at {found['own times']:.3f} own times; {cells[0]} cells at the start, "
        f"{life.run.steps} steps on {len(life.nodes)} meshes, metal kept to {found['metal']:.1e}; on this rank "
        f"{found['microseconds']:.2g} us a cell and step, {found['memory'] / 1e9:.2g} GB, "
        f"{found['minutes']:.3g} minutes"
    )
    return found


def main(
    width: float = 1.5 * nm,
    until: float = 0.4,
    solver: str = "auto",
    breaking: str | None = None,
    out: str = "results/nanowire_3d",
    rtol: float = 1e-3,
    resume: bool = False,
    cell: float = 0.8,
) -> dict[str, Any]:
    """For each metal the radii of both ends [m], atoms moved, and the resistance over that at first; or a life."""
    if breaking:
        return {breaking: to_break(breaking, width, cell, solver, rtol, Path(out), resume)}
    return {metal: run(metal, width, until, solver, rtol, Path(out)) for metal in ("tungsten", "gold")}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=1.5 * nm, help="half-width of interfaces [m]")
    options.add_argument("--cell", type=float, default=0.8, help="of a life: width of the fine cells over that")
    options.add_argument("--until", type=float, default=0.4, help="of each metal's own time")
    options.add_argument("--solver", default="auto", choices=em.solve.SOLVERS, help="of the linear systems")
    options.add_argument(
        "--to-break", dest="breaking", metavar="METAL", help="the life of a wire of that metal instead"
    )
    options.add_argument("--rtol", type=float, default=1e-3, help="error allowed in a step")
    options.add_argument("--resume", action="store_true", help="go on from the last state of a life")
    options.add_argument("--out", default="results/nanowire_3d", help="folder for the results")
    # the docstring has the one; a wire ends with a thin neck, by intent, and a small run has wide interfaces
    warnings.filterwarnings("ignore", "the (resistivity|surface model: neck)", em.ResolutionWarning)
    main(**vars(options.parse_args()))
