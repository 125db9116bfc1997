"""A line with blocked ends under a current: the stress builds up until a void opens at the cathode.

Electrons carry copper's atoms from the cathode to the anode, and where none can come or go tension grows at the one end
and compression at the other. At first it spreads as if the line had no other end, sigma = 2 G sqrt(kappa t/pi) at the
cathode; in the end the stress is a straight line that holds the atoms back. On the way the tension passes the critical
stress, and an event finds the time. All is compared with Korhonen's closed form. What is drawn after that time is a
line in which no void opens: `em.failure.run` goes on with one.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, eV, um, year

import numpy as np
from matplotlib.figure import Figure

LENGTH, CURRENT = 50 * um, -1e10  # m, A/m2; against x, so electrons enter at x = 0
CRITICAL = 41 * MPa
COPPER = em.materials.copper(  # the effective constants of a line in a compliant dielectric
    temperature=378.15,
    diffusivity=em.materials.Arrhenius(1.3e-9, 0.8 * eV),
    bulk_modulus=28e9,
    atomic_volume=1.18e-29,
    resistivity=2.25e-8,
    effective_charge=-1.0,
)
CASE: dict[str, Any] = {"length": LENGTH, "current_density": CURRENT, "material": COPPER}
DRAWN = np.array([0.1, 0.5, 2.0, 5.0, 10.0, 100.0]) * year
TIMES = np.union1d(DRAWN, np.geomspace(0.03, 100.0, 60) * year)


def draw(figure: Figure, probe: em.watch.Probe, opens: float) -> None:
    """Profiles, and the tension at the cathode: lines are the closed form, dots the computation."""
    style = em.plot.style
    along, against = figure.subplots(1, 2)
    fine = np.linspace(0.0, LENGTH, 201)
    x, times, stress = probe.at[:, 0], np.array(probe.t), np.array(probe.values) / MPa
    for i, t in enumerate(DRAWN):
        colour, at = style.named_colour(i), int(np.argmin(np.abs(times - t)))
        along.plot(fine / um, em.analytic.korhonen_line(fine, t, **CASE) / MPa, color=colour)
        along.plot(x / um, stress[at], "o", color=colour, markersize=3.5, label=f"{t / year:g}")
    along.axhline(CRITICAL / MPa, color=style.WARNING, linestyle="dashed")
    along.text(LENGTH / um, CRITICAL / MPa + 2, "a void opens", color=style.WARNING, ha="right")
    along.set(xlabel="distance from the cathode [µm]", ylabel="stress, tension positive [MPa]", xlim=(0, LENGTH / um))
    along.legend(loc="lower left", ncols=2, title="years", columnspacing=1.0, handletextpad=0.1)
    along.set_title("lines: closed form, dots: computed")
    smooth = np.geomspace(TIMES[0], TIMES[-1], 300)
    early = em.analytic.korhonen_half_line(0.0, smooth, material=COPPER, current_density=CURRENT)
    against.loglog(smooth / year, early / MPa, color=style.GREY, linestyle="dotted", label="a line without end")
    exact = em.analytic.korhonen_line(0.0, smooth, **CASE)
    against.loglog(smooth / year, exact / MPa, color=style.INK, label="closed form")
    against.loglog(times / year, stress[:, 0], "o", color=style.named_colour(0), markersize=3.0, label="computed")
    against.axhline(CRITICAL / MPa, color=style.WARNING, linestyle="dashed")
    against.plot(opens / year, CRITICAL / MPa, "D", color=style.WARNING, markersize=7)
    against.annotate(
        f"void after {opens / year:.3f} years",
        (opens / year, CRITICAL / MPa),
        (opens / year, 0.45 * CRITICAL / MPa),
        color=style.WARNING,
        arrowprops={"arrowstyle": "-", "color": style.WARNING},
    )
    against.set(xlabel="time [years]", ylabel="tension at the cathode [MPa]", ylim=(3, 200))
    against.legend(loc="lower right")


def main(cells: int = 40, out: str = "results/korhonen") -> dict[str, float]:
    """Time of the void, computed and exact [s], error of stresses over G L [-], the line's (j L) over critical."""
    line = em.mesh.interval(LENGTH, cells=cells, names=("cathode", "anode"))
    model = em.stress.model(line, COPPER, current_density=CURRENT)
    probe = em.watch.probe("sigma", at=np.linspace(0.0, LENGTH, 21)[:, None], times=TIMES)
    opening = em.watch.event("sigma_max", above=CRITICAL, reason="a void would open")
    accurate: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-8, "progress": False}
    first = em.evolve(model, until=TIMES[-1], watch=[probe, opening], **accurate)
    em.evolve(model, until=TIMES[-1], watch=[probe], **accurate)
    exact = em.analytic.nucleation_time(critical_stress=CRITICAL, **CASE)
    whole = 2 * COPPER.derived(length=LENGTH, current_density=CURRENT).greatest_stress
    closed = em.analytic.korhonen_line(probe.at[:, 0], probe.t[:, None], **CASE)
    error = float(np.abs(probe.values - closed).max() / whole)
    product = em.analytic.blech_product(COPPER, critical_stress=CRITICAL)
    em.plot.figure(lambda figure: draw(figure, probe, first.t), Path(out) / "line.png", height=3.0)
    em.write.print_root(
        f"{first.stopped} after {first.t:.6e} s, in closed form {exact:.6e} s",
        f"stresses within {error:.1e} of the whole difference; j L is {abs(CURRENT) * LENGTH / product:.3f} critical",
    )
    return {"computed": first.t, "exact": exact, "error": error, "product": abs(CURRENT) * LENGTH / product}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=40, help="along the line")
    options.add_argument("--out", default="results/korhonen", help="folder for the results")
    main(**vars(options.parse_args()))
