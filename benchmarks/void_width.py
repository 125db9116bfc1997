"""Life of a void with interface width, mesh and step halved: time of failure and shape, a row each.

    python benchmarks/void_width.py [--widths 8 4 2]

A blocked line of 304 nm by 32 nm, a flaw 80 nm before the end that electrons enter by, and a liner. The shape is the
thickness of the metal along x 0.2 s after the void opened; the difference is that to the last row, root mean square
over the width of the line.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from numpy.typing import NDArray

LINE, DENSITY = (304 * nm, 32 * nm), 2e12
SEED = 24.6 * nm  # half a disk of this radius is as large as the seed, the tail of its interface with it
COPPER = em.materials.Material(
    "line of copper",
    temperature=573.15,
    diffusivity=1e-17,
    bulk_modulus=28e9,
    atomic_volume=1.18e-29,
    effective_charge=-5.0,
    resistivity=3.5e-8,
    surface_energy=1.7,
    surface_diffusivity_thickness=3e-23,
)
SHAPE = 0.2  # s after the void opened


def critical(x: Any) -> Any:
    """Critical stress: lower near a flaw; smooth, or the place of the void would be one of nodes near a jump."""
    return np.minimum(120e6 + 280e6 * ((x[0] - 224 * nm) / (5 * nm)) ** 2, 1e9)


def life(width: float, size: float, rtol: float) -> tuple[em.voids.VoidLife, NDArray[np.float64]]:
    """The life of a void, and the thickness of the metal along x some time after it opened."""
    domain = em.mesh.rectangle(LINE, cells=[round(side / size) for side in LINE])
    stress = em.stress.model(domain, COPPER, current_density=(DENSITY, 0.0), residual_stress=100e6)
    shapes: list[NDArray[np.float64]] = []
    opened: list[float] = []

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain,
            COPPER,
            shape=shape,
            interface_width=width,
            residual_stress=sigma,
            current_density=DENSITY,
            on=("left", "right"),
            liner=True,
            conductivity_ratio=0.02,
        )

    def keep(models: Any, t: float) -> bool:
        opened.append(t)
        if t - opened[0] <= SHAPE or not shapes:
            shapes.append(em.surface.profile(models[0], 300)[1])
        return False

    report = em.voids.run(
        stress,
        make,
        critical_stress=critical,
        seed_radius=np.sqrt(SEED**2 - (np.pi * width) ** 2 / 3),
        until=400.0,
        rise=1.0,
        most=1,
        rtol=rtol,
        watch=[em.watch.stop_when(keep, "never")],
    )
    return report, shapes[-1]


def main(widths: list[float]) -> None:
    """Print the table."""
    cases = [(widths[0], widths[0], 1e-4), (widths[0], widths[0], 1e-5), (widths[0], widths[0] / 2, 1e-4)]
    cases += [(width, width, 1e-4) for width in widths[1:]]
    rows = []
    for width, size, rtol in cases:
        begin = time.process_time()
        report, shape = life(width * nm, size * nm, rtol)
        rows.append((report, shape))
        spent = time.process_time() - begin
        print(f"l {width:g} nm, cells {size:g} nm, rtol {rtol:g}: {report} ({spent:.0f} s)", flush=True)
    _, last = rows[-1]
    for (width, size, rtol), (report, shape) in zip(cases, rows, strict=True):
        grown = report.time_to_failure - report.nucleated
        off = np.sqrt(np.mean((shape - last) ** 2)) / LINE[1]
        print(
            f"l {width:g} nm, cells {size:g} nm, rtol {rtol:g}: {grown:.5g} s from opening to failure, shape {off:.2%}"
        )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--widths", type=float, nargs="+", default=[8.0, 4.0, 2.0], help="interface widths [nm]")
    main(**vars(options.parse_args()))
