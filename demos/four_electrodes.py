"""A disk with four electrodes: the field is turned by switching from one pair to the other, and the stripes follow.

First the current flows from the electrode on the right to the one on the left, then from the top one to the one at the
bottom; the two that rest are equipotentials that carry no current. All four hold the composition, so fresh film drifts
in on one side, decomposes on its way, and its stripes lie along the current: first level, then upright.
"""

import argparse
import math
from pathlib import Path

import emfem as em
from emfem import conduction

import ufl

# less stable than CuPd, so that it decomposes before it has drifted across: wavelength 4 film thicknesses
ALLOY = em.film.Alloy(entropy=0.1, enthalpy=0.2, solute_expansion=-0.55, gradient_energy=0.03)
RADIUS = 20.0
DRIFT = 0.2  # drift force F in the middle of the disk


def main(switch: float = 300.0, size: float = 1.3, out: str = "results/four_electrodes") -> dict[str, float]:
    """Direction of the stripes in the middle before and after the switch, in degrees to the x axis."""
    disk = em.mesh.disk(RADIUS, electrodes=4, width=math.pi / 4, size=size)

    def drives(first: float, second: float) -> conduction.Electrode:
        return conduction.electrode(current=lambda t: first if t <= switch else second)

    right, top, left, bottom = disk.names[:4]
    on = {right: drives(1.0, 0.0), top: drives(0.0, 1.0), left: em.fixed(0.0), bottom: drives(0.0, -1.0)}
    current = conduction.model(disk, on=on)
    em.solve_steady(current)
    in_the_middle = conduction.voltage(current, right) / (2 * RADIUS)  # the mean field, near enough
    film = em.film.model(
        disk,
        ALLOY,
        mean=0.3,
        field=DRIFT / in_the_middle * current["E"],
        on={name: em.fixed(0.3) for name in (right, top, left, bottom)},
        initial=em.film.noise(amplitude=0.08, seed=1),
    )
    x = ufl.SpatialCoordinate(disk.mesh)
    window = ufl.conditional(ufl.lt(ufl.inner(x, x), (0.6 * RADIUS) ** 2), 1.0, 0.0)
    frames = em.watch.snapshots("c", every=switch / 15)
    angles = {}
    for state, until in (("before", switch), ("after", 2 * switch)):
        run = em.evolve([current, film], until, rtol=3e-3, watch=[frames] if state == "after" else [])
        angles[state], order = em.patterns.direction(film["c"], weight=window)
        em.write.print_root(run, f"{state} the switch: stripes at {angles[state]:.1f} deg, order {order:.2f}")
        title = f"{state} the switch, t = {until:g}"
        em.plot.current(
            current, Path(out) / f"{state}.png", over=film["c"], title=title, label="concentration c", unit="h"
        )
    em.plot.animation(frames, Path(out) / "turning.mp4", label="concentration c", unit="h")
    return angles


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--switch", type=float, default=300.0, help="time of the switch, half of the run")
    options.add_argument("--size", type=float, default=1.3, help="edge of a cell")
    options.add_argument("--out", default="results/four_electrodes", help="folder for the results")
    main(**vars(options.parse_args()))
