"""Life of a void with interface width, mesh and step halved: time of failure and shape, a row each, and their limit.

    python benchmarks/void_width.py [--flaw 0] [--widths 6 4 3 2]

A blocked line of 2400 nm by 60 nm, a flaw of its upper side 90 nm before the end that electrons enter by, or at that
end (`--flaw 0`), and a liner. The void opens there, creeps into the corner, grows by the tension of the line, and cuts
it. Seeds are of one size, tail and all. The shape is the thickness of the metal along x, 20 s after the void opened;
the difference is that to the last row, root mean square over the last 180 nm, over the width of the line. The limit of
thin interfaces is that of the computed times, without films, in the rows whose cells are as large as the interface.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from numpy.typing import NDArray

LINE, FINE, DENSITY = (2400 * nm, 60 * nm), 180 * nm, 4e11  # m; of small cells; A/m2
SEED = 20 * nm  # half a disk of this radius is as large as the seed, its tail with it
COPPER = em.materials.copper(573.15).having(
    diffusivity=1e-16, bulk_modulus=28e9, surface_diffusivity_thickness=1e-23, surface_energy=1.7
)
SHAPE = 20.0  # s after the void opened


def line(size: float) -> em.mesh.Domain:
    """The line, with cells of one size in its last part, and longer and longer ones away from it."""
    length, height = LINE
    fine = round(FINE / size)
    coarse = fine // 2
    domain = em.mesh.rectangle((float(fine + coarse), height), cells=(fine + coarse, round(height / size)))
    away = fine + coarse - domain.mesh.geometry.x[:, 0]
    rest = length - (fine + coarse) * size
    domain.mesh.geometry.x[:, 0] = length - away * size - rest * (np.maximum(away - fine, 0) / coarse) ** 3
    return domain


def critical(flaw: float) -> Any:
    """Critical stress: lower near a flaw; smooth, or the place of the void would be one of nodes near a jump."""

    def stress(x: Any) -> Any:
        away = np.hypot(x[0] - (LINE[0] - flaw), x[1] - LINE[1])
        return np.minimum(300e6 + 100e6 * (away / (10 * nm)) ** 2, 2e9)

    return stress


def life(flaw: float, width: float, size: float, rtol: float) -> tuple[em.voids.VoidLife, NDArray[np.float64]]:
    """The life of a void, and the thickness of the metal along x some time after it opened."""
    domain = line(size)
    stress = em.stress.model(domain, COPPER, current_density=(DENSITY, 0.0), residual_stress=100e6)
    shapes = em.watch.snapshots("c", every=SHAPE)

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
            conductivity_ratio=2e-3,
        )

    report = em.voids.run(
        stress,
        make,
        critical_stress=critical(flaw),
        seed_radius=np.sqrt(SEED**2 - (np.pi * width) ** 2 / 3),
        until=3000.0,
        most=1,
        rtol=rtol,
        watch=[shapes],
    )
    assert report.model is not None
    report.model["c"].x.array[:] = shapes.functions[1].x.array
    x, thickness = em.surface.profile(report.model, 2400)
    return report, thickness[x > LINE[0] - FINE]


def main(widths: list[float], flaw: float) -> None:
    """Print the table."""
    first = widths[0]
    cases = [(first, first, 1e-4), (first, first / 2, 1e-3), *((width, width, 1e-3) for width in widths)]
    bare, times, shapes = [], [], []
    for width, size, rtol in cases:
        begin = time.process_time()
        report, shape = life(flaw * nm, width * nm, size * nm, rtol)
        bare.append(report.bare_time_to_failure - report.nucleated)
        times.append(report.time_to_failure - report.nucleated)
        shapes.append(shape)
        spent = time.process_time() - begin
        print(f"l {width:g} nm, cells {size:g} nm, rtol {rtol:g}: {report} ({spent:.0f} s)", flush=True)
    for (width, size, rtol), computed, failed, shape in zip(cases, bare, times, shapes, strict=True):
        off = np.sqrt(np.mean((shape - shapes[-1]) ** 2)) / LINE[1]
        took = f"{failed:.5g} s from opening to failure, {computed:.5g} s of it computed"
        print(f"l {width:g} nm, cells {size:g} nm, rtol {rtol:g}: {took}, shape {off:.2%}")
    for last in range(2, len(widths) + 1):
        limit, error = em.voids.sharp_limit(widths[:last], bare[2 : 2 + last])
        print(f"limit of the computed times of widths down to {widths[last - 1]:g} nm: {limit:.5g} s +- {error:.2g} s")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--widths", type=float, nargs="+", default=[6.0, 3.0], help="interface widths [nm]")
    options.add_argument("--flaw", type=float, default=90.0, help="distance of the flaw before the end [nm]")
    main(**vars(options.parse_args()))
