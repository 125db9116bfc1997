"""A slab between a cold and a hot side: atoms drift in the temperature gradient until diffusion holds against it.

With a heat of transport Q* > 0 they gather at the cold side. The rest state c = A exp(Q*/kT) does not depend on how
fast they diffuse, which changes along the slab by two orders of magnitude: the hot side is there first.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem.plot import style
from emfem.units import boltzmann, eV, minute, um

import numpy as np
import ufl
from matplotlib.figure import Figure
from numpy.typing import NDArray

COLD, HOT, LENGTH = 300.0, 400.0, 1 * um
LAWS = {
    "diffusivity": lambda t: 1e-9 * ufl.exp(-0.5 * eV / (boltzmann * t)),
    "heat_of_transport": lambda t: 0.1 * eV,
}
ATOM: Any = SimpleNamespace(temperature=COLD, law=LAWS.get)
TIMES = np.array([2.0, 10.0, 60.0]) * minute


def main(cells: int = 100, out: str = "results/soret") -> dict[str, float]:
    """The concentrations at the cold side, in the middle and at the hot side, at rest, over their mean."""
    slab = em.mesh.interval(LENGTH, cells=cells, names=("cold", "hot"))
    temperature = COLD + (HOT - COLD) * ufl.SpatialCoordinate(slab.mesh)[0] / LENGTH
    drift = em.migration.drift_velocity(ATOM, temperature=temperature, temperature_gradient=ufl.grad(temperature))
    atoms = em.migration.model(slab, diffusivity=ATOM.law("diffusivity")(temperature), drift=drift, initial=1.0)
    x = np.linspace(0.0, LENGTH, 201)
    profiles = []
    for t in TIMES:
        em.evolve(atoms, t, watch=[em.watch.conserved("amount")], progress=False)
        profiles.append(em.fields.evaluate(atoms["c"], x[:, None]))
    report = em.solve_steady(atoms)
    profiles.append(em.fields.evaluate(atoms["c"], x[:, None]))
    em.plot.figure(lambda figure: draw(figure, x, profiles), Path(out) / "slab.png", width="column", height=2.6)
    cold, middle, hot = em.fields.evaluate(atoms["c"], [[0.0], [LENGTH / 2], [LENGTH]])
    em.write.print_root(slab, report, f"c at rest: {cold:.6f} cold, {middle:.6f} in the middle, {hot:.6f} hot")
    return {"cold": cold, "middle": middle, "hot": hot}


def draw(figure: Figure, x: NDArray[np.float64], profiles: list[NDArray[np.float64]]) -> None:
    """The concentration along the slab at some times and at rest."""
    axes = figure.subplots()
    names = [*(f"{t / minute:g} min" for t in TIMES), "at rest"]
    for i, (name, profile) in enumerate(zip(names, profiles, strict=True)):
        axes.plot(x / um, profile, color=style.named_colour(i), label=name)
    axes.set(xlabel=f"x [µm], {COLD:.0f} K to {HOT:.0f} K", ylabel="concentration over its mean")
    axes.legend()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=100, help="number of cells")
    options.add_argument("--out", default="results/soret", help="folder for the results")
    main(**vars(options.parse_args()))
