"""A via between two copper lines in three dimensions: current crowds, heat gathers, atoms are drawn out and pile up.

All current of the lines passes the narrow via, densest at the inner rims, where it turns; at a sharp rim it has no
bound, and the peak found is that of the cells. In the via it heats most, and copper conducts worse the hotter it is.
Atoms go with the electrons, which enter at the far end of the upper line: there tension grows. They also go from hot
to cold, which adds tension in the via. In the steady state it makes no difference how they move, nor where the current
crowds: sigma = (Z* e/Omega) (phi - <phi>) + (Q*/Omega) (ln T - <ln T>) at every place of one piece of metal. A solve
of Korhonen's equation, with a diffusivity that follows T, finds the same.

Q* was measured in other lines, 90 nm wide, so what heat alone does to the stress is an estimate. The far ends lead on
to metal that keeps its temperature, and let no atoms through.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, um

import numpy as np
import ufl
from matplotlib.figure import Figure
from mpi4py import MPI

LENGTH, WIDTH, THICKNESS, RADIUS, HEIGHT = 4 * um, 1 * um, 0.5 * um, 0.25 * um, 0.6 * um  # of the lines and the via
CURRENT = 30e-3  # A, from the lower line up
AROUND = 378.15  # K, of chip and far ends
INSULATION = 0.2 / (0.2 * um)  # W/(m2 K): 0.2 um of a dielectric of 0.2 W/(m K)
SHOWN = 4.0  # end of the scale of what crowds
COPPER = em.materials.copper(temperature=AROUND)


def hot(size: float) -> tuple[em.Model, em.Model]:
    """Current and heat, each of which changes the other, solved."""
    domain = em.mesh.via(
        line_length=LENGTH,
        line_width=WIDTH,
        line_thickness=THICKNESS,
        via_radius=RADIUS,
        via_height=HEIGHT,
        size=size,
        refine=size / 4,
    ).in_metres()
    rho = COPPER.law("resistivity")(em.placeholder("T", domain))
    feed: dict[str, Any] = {"anode": em.conduction.electrode(current=CURRENT), "cathode": em.fixed(0.0)}
    current = em.conduction.model(domain, conductivity=1 / rho, on=feed)
    cooled: dict[str, Any] = {
        "anode": em.fixed(AROUND),
        "cathode": em.fixed(AROUND),
        "sides": em.heat.convection(INSULATION, AROUND),
    }
    heat = em.heat.model(domain, COPPER, source=em.heat.joule(current), on=cooled)
    current = current.substitute(T=heat["T"])
    em.solve_steady([current, heat], method="newton")  # far below runaway there is but one state
    return current, heat


def middle(function: Any) -> Any:
    """The plane y = 0 of a field: x, z [um], triangles, values; None on other ranks. Collective."""
    grid = em.plot.grid(function)
    if grid is None:
        return None
    plane = grid.slice(normal="y", origin=(0.0, 0.0, 0.0)).triangulate()
    x, _, z = plane.points.T / um
    return x, z, plane.faces.reshape(-1, 4)[:, 1:], plane.point_data["value"]


def draw(figure: Figure, parts: dict[str, Any]) -> None:
    """One plane for each field."""
    style = em.plot.style
    panels = figure.subplots(len(parts), 1, sharex=True)
    for axis, (label, (x, z, triangles, values)) in zip(panels, parts.items(), strict=True):
        reach = np.abs(values).max()
        low, high = (-reach, reach) if values.min() < 0 else (0.0, min(reach, SHOWN))
        colours = style.SIGNED if low < 0 else style.DENSITY
        shown = axis.tripcolor(x, z, triangles, values, shading="gouraud", cmap=colours, vmin=low, vmax=high)
        beyond = "max" if high < reach else "neither"
        figure.colorbar(shown, ax=axis, label=label, pad=0.01, aspect=9, extend=beyond)
        axis.set(aspect="equal", ylabel="z [µm]")
        axis.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("x [µm], in the plane through the axis of the via")
    panels[0].annotate("", (0.9, 0.25), (2.2, 0.25), arrowprops={"arrowstyle": "<-", "color": style.INK})
    panels[0].text(2.3, 0.25, "current: in below, out above", va="center", fontsize="small")


def main(size: float = 0.25, out: str = "results/via_stress") -> dict[str, float]:
    """Crowding [-], rise of T [K], extremes of the stress [Pa], how far a solve is from the affine law [-]."""
    current, heat = hot(size * um)
    domain = current.domain
    model = em.stress.model(domain, COPPER, current=current, temperature=heat["T"])
    rest = em.stress.steady(model)
    low, high = em.fields.extremes(rest)
    cold = em.stress.model(domain, COPPER.having(heat_of_transport=0.0), current=current, temperature=heat["T"])
    by_wind = em.stress.steady(cold)
    em.solve_steady(model)
    off = float(np.abs(model["sigma"].x.array - rest.x.array).max())
    off = domain.mesh.comm.allreduce(off, op=MPI.MAX) / (high - low)
    thermal = by_wind.copy()
    thermal.x.array[:] = rest.x.array - by_wind.x.array
    nominal = CURRENT / (WIDTH * THICKNESS)
    density = em.fields.discontinuous(ufl.sqrt(ufl.inner(current["j"], current["j"])) / nominal, domain.mesh, 1)
    rise = heat["T"].copy()
    rise.x.array[:] -= AROUND
    heated = em.fields.extremes(thermal)[1]
    for stress in (rest, thermal):
        stress.x.array[:] /= MPa
    shown = {
        "|j| / |j| of lines": density,
        f"T − {AROUND:g} K [K]": rise,
        "stress [MPa]": rest,
        "by heat [MPa]": thermal,
    }
    planes = {label: middle(field) for label, field in shown.items()}
    em.plot.figure(lambda figure: draw(figure, planes), Path(out) / "planes.png", height=1.4 * len(planes) + 0.3)
    em.plot.current(current, Path(out) / "current.png", title="current in a via", width="page")
    results = {
        "crowding": float(em.conduction.crowding(current).ratio),
        "rise": heat.quantity("T_max") - AROUND,
        "tension": high,
        "compression": low,
        "thermal": heated,
        "off": off,
    }
    em.write.print_root(
        domain,
        em.conduction.crowding(current),
        f"hottest {results['rise']:.2f} K above {AROUND:g} K",
        f"steady stress from {low / MPa:.1f} to {high / MPa:.1f} MPa, of heat alone up to {heated / MPa:.1f}",
        f"a solve of Korhonen's equation is within {off:.1e} of the affine law",
    )
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=float, default=0.25, help="edge of a cell [um]")
    options.add_argument("--out", default="results/via_stress", help="folder for the results")
    main(**vars(options.parse_args()))
