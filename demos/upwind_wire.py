"""Hot bridges of four metals under steady current and pulses: which end grows, how soon they break, what is certain.

Bridges 10 nm wide join pads at 300 K. Their current heats them, and only where they are hot do atoms move. It flows to
the right. Atoms of tungsten and molybdenum (Z* > 0) go along it, upwind, those of gold and copper (Z* < 0) against it.
The end that they leave gets a neck, the hotter the thinner it gets at a given current; with a voltage, and as much
resistance in series as the bridge has, it stays colder. Pulses of the same mean are hotter while they last: that is all
the difference for the first rate of atoms, 6 to 2300 times, and the closed form of the temperature predicts it.

Certain are signs, mirror images and scalings: no size of Z* or D_s changes an end, and a D_s that is wrong by a factor
divides all times by it. The sizes are not: D_s is scaled from platinum for gold and copper, and Z* of tungsten and
molybdenum only a sign. What weighs most is the resistivity: at the same current 10 % of it are a factor of a thousand
and more in the life of tungsten, and its end by melting. With a pull of the field against the wind the sign itself may
turn over along a wire that is hot in its middle. `benchmarks/upwind_wire.py` has these runs, and round wires.
"""

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.path import Path as MplPath
from scipy.integrate import cumulative_simpson

PADS, LORENZ = 300.0, 2.44e-8  # K, V2/K2
HALF, LENGTH, FILLET = 5 * nm, 34 * nm, 3 * nm  # m
BOXES = {  # m; half of a strip, its edge a mirror; half of the section of a round wire, turned; a quarter of it
    "strip": (54 * nm, 13 * nm),
    "turned": (54 * nm, 13 * nm),
    "space": (46 * nm, 11 * nm, 11 * nm),
}
WARM, DUTY = 0.4, 0.9  # of melting: the hottest place at the start, under the mean current; part of time of pulses
METALS = ("tungsten", "molybdenum", "gold", "copper")
THIN, HOT = 0.3, 0.95  # of the half-width and of melting: then a bridge counts as broken
LONGEST, EARLY = 8.0, 3e-4  # of the own time: the most that a bridge gets; when the first rate is seen


def wire(name: str, charge: float | None = None) -> em.materials.Material:
    """A metal as a wire 10 nm wide. Its Z* is that of hot metal, all wind: a current density pushes as in the bulk."""
    metal = em.materials.metal(name)
    hot = 0.85 * metal.melting_temperature  # where charges were measured
    law = em.materials.DirectAndWind(0.0, metal.effective_charge if charge is None else charge, hot)
    bulk = metal.at(WARM * metal.melting_temperature, effective_charge=law)
    bulk = bulk.having(thermal_conductivity=em.materials.WiedemannFranz(LORENZ))
    return bulk.with_size_effect(height=2 * HALF, width=2 * HALF)


def voltage_of(hottest: float) -> float:
    """The voltage at which the middle has a temperature, for any shape and rho(T) [V]."""
    return 2 * np.sqrt(LORENZ * (hottest**2 - PADS**2))


def hottest_at(volts: float) -> float:
    """The temperature of the middle [K]."""
    return float(np.sqrt(PADS**2 + volts**2 / (4 * LORENZ)))


def kelvin_at(phi: Any, volts: float) -> Any:
    """The temperature where the potential is phi, the same for any shape and rho(T) [K]."""
    return em.analytic.isothermal_electrodes(phi, voltage=volts, temperature=PADS, lorenz=LORENZ)


def flow(metal: em.materials.Material, volts: float) -> tuple[Any, Any]:
    """Potentials from pad to pad, and the integrals of 1 / rho(T) over the potential up to them [V, A/m].

    That at the other pad is the current over the shape factor; a part of it is the part of a volt that a cold bridge
    of this shape has there.
    """
    phi = np.linspace(0.0, volts, 2001)
    return phi, cumulative_simpson(1 / metal.law("resistivity")(kelvin_at(phi, volts)), x=phi, initial=0.0)


def current_over(metal: em.materials.Material, volts: float, factor: float) -> float:
    """The voltage at which the current is `factor` times that at another voltage [V]."""
    target = factor * flow(metal, volts)[1][-1]
    low, high = 0.0, voltage_of(0.99 * metal.melting_temperature)
    if flow(metal, high)[1][-1] < target:
        msg = f"factor = {factor:g}, must be less: {metal.name} would melt before"
        raise em.ParameterError(msg)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if flow(metal, middle)[1][-1] < target else (low, middle)
    return low


def drift(metal: em.materials.Material, volts: float) -> float:
    """Flux of volume of surface atoms in the middle over the current density there, D_s delta_s Z* e rho / kT."""
    return em.analytic.surface_drift(metal.at(hottest_at(volts)), current_density=1.0)


@dataclass(frozen=True)
class Grid:
    """Resolution of a bridge.

    Attributes:
        width: half-width of interfaces [m].
        cell: of the mesh, over that width.
        form: "strip", "turned", a round wire about its axis, or "space", the same on cells in space.
    """

    width: float
    cell: float = 0.8
    form: str = "strip"

    @property
    def box(self) -> tuple[float, ...]:
        """Sides of the domain [m]."""
        return BOXES[self.form]

    @property
    def thickness(self) -> float:
        """That of the wire at first, as `em.surface.profile` has it: a quarter of a disk is one of half the radius."""
        return HALF / 2 if self.form == "space" else HALF

    @property
    def size(self) -> float:
        """The section of the wire in the domain, as a part of it, times its half-width [m2, in a round wire m3]."""
        return {"strip": 1.0, "turned": np.pi * HALF, "space": np.pi / 4 * HALF}[self.form] * HALF**2

    def domain(self) -> em.mesh.Domain:
        """The mesh."""
        cells = tuple(int(np.ceil(side / (self.cell * self.width))) for side in self.box)
        if self.form == "space":
            return em.mesh.box(self.box, cells=cells)
        plane = em.mesh.rectangle(self.box, cells=cells)
        return em.mesh.axisymmetric(plane) if self.form == "turned" else plane


@dataclass(frozen=True)
class Drive:
    """Drive of a bridge.

    Attributes:
        name: "steady", "pulses" or "voltage".
        volts: of the bridge at the start, while the current flows [V].
        duty: part of the time that it flows.
    """

    name: str
    volts: float
    duty: float = 1.0


class Outlines(em.observe.Observer):
    """Half of the width along the bridge, and temperature on its axis, seen now and then."""

    def begin(self) -> None:
        """Nothing was seen yet."""
        self.half: list[Any] = []
        self.kelvin: list[Any] = []

    def record(self, t: float) -> None:
        """Keep the outline."""
        surface, heat = self.models
        self.x, half = em.surface.profile(surface)
        self.half.append(half)
        self.kelvin.append(em.fields.evaluate(heat["T"], np.stack([self.x, 0 * self.x], axis=1)))


@dataclass(frozen=True)
class Bridge:
    """Results of one bridge.

    Attributes:
        metal: it was made of.
        drive: it had.
        end: of its life.
        time: of that [s].
        unit: its own time [s].
        seen: outlines.
        trace: quantities.
        start: atoms moved to the right in a second at the start, a metre of width [1/(m s)].
    """

    metal: em.materials.Material
    drive: Drive
    end: str
    time: float
    unit: float
    seen: Outlines
    trace: Any
    start: float


def own_time(metal: em.materials.Material, drive: Drive, density: float) -> float:
    """The time R^2 over the mean drift of surface atoms in the middle, at the start [s]."""
    return HALF**2 / abs(drive.duty * drift(metal, drive.volts) * density)


def on_axis(one_volt: em.Model, middle: float) -> float:
    """The field of one volt in the middle of the axis [1/m].

    Not that of a mean over the section: the interface of a round wire conducts 1.3 (l/R)^2 more than a sharp one.
    """
    places = np.zeros((2, one_volt.domain.dim))
    places[:, 0] = middle - HALF / 4, middle + HALF / 4
    before, behind = em.fields.evaluate(one_volt["phi"], places)
    return float(before - behind) / (HALF / 2)


def cold(domain: em.mesh.Domain, solid: Any) -> em.Model:
    """The current of one volt where the conductivity of the metal is 1; its power is the shape factor."""
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    model = em.conduction.model(domain, conductivity=solid, on=on, degree=1)
    em.solve_steady(model)
    return model


def warmth(model: em.Model, metal: em.materials.Material, volts: float) -> Any:
    """The steady temperature of a bridge [K], from the potential that it would have if it was cold."""
    temperature, (phi, part) = em.fields.copied(model["phi"]), flow(metal, volts)
    there = np.interp(temperature.x.array, part / part[-1], phi)
    temperature.x.array[:] = kelvin_at(there, volts)
    return temperature


def models_of(metal: em.materials.Material, drive: Drive, grid: Grid) -> tuple[list[em.Model], float]:
    """Surface and heat of a bridge, coupled, and its own time [s]."""
    domain, middle = grid.domain(), grid.box[0] / 2
    shape = em.surface.bridge(LENGTH, HALF, middle=middle, fillet=FILLET)
    bare = em.surface.model(domain, metal, shape=shape, interface_width=grid.width)
    one_volt = cold(domain, bare["solid"])
    current = flow(metal, drive.volts)[1][-1] * one_volt.quantity("power")
    source: dict[str, Any] = {"current": current}
    if drive.name == "voltage":
        source = {"voltage": 2 * drive.volts, "series_resistance": drive.volts / current}
    if drive.duty < 1:
        source["pulses"] = em.surface.Pulses(drive.duty, PADS)
    warm = em.placeholder("T", domain)
    surface = em.surface.model(
        domain, metal, shape=shape, interface_width=grid.width, on=("left", "right"), temperature=warm, **source
    )
    pads = {"left": em.fixed(PADS), "right": em.fixed(PADS)}
    heat = em.heat.model(
        domain,
        metal,
        source=em.heat.joule(surface),
        solid=surface["solid"],
        on=pads,
        initial=warmth(one_volt, metal, drive.volts),
        degree=1,
    )
    density = flow(metal, drive.volts)[1][-1] * on_axis(one_volt, middle)
    return [surface.substitute(T=heat["T"]), heat], own_time(metal, drive, density)


def begin(metal: em.materials.Material, drive: Drive, grid: Grid) -> tuple[list[em.Model], float, float]:
    """A bridge after its first moments, by themselves, in steps that suit them; its own time, and the first rate."""
    models, unit = models_of(metal, drive, grid)
    em.evolve(models, EARLY * unit, rtol=1e-3, progress=False)
    return models, unit, models[0].quantity("moved") / models[0].t


def run(metal: em.materials.Material, drive: Drive, grid: Grid) -> Bridge:
    """A bridge until it is thin, melts, or has lived long."""
    models, unit, start = begin(metal, drive, grid)
    seen, trace = Outlines(every=unit / 4), em.watch.series(["resistance", "moved", "neck", "T_max", "voltage"])
    # both at their very times: a bridge that has become thin within a step may have melted before
    thin = em.watch.event("neck", below=THIN * grid.thickness, reason="thin", rtol=1e-6)
    melts = em.watch.event("T_max", above=HOT * metal.melting_temperature, reason="melts", rtol=1e-6)
    watch = [seen, trace, thin, melts, em.watch.conserved("metal", rtol=1e-8)]
    end = em.evolve(models, LONGEST * unit, rtol=1e-3, watch=watch, progress=False)
    em.write.print_root(f"{metal.name}, {drive.name}: {end}")
    return Bridge(metal, drive, end.stopped, end.t, unit, seen, trace, start)


def drives(metal: em.materials.Material) -> list[Drive]:
    """A steady current, and pulses of the same mean."""
    volts = voltage_of(WARM * metal.melting_temperature)
    return [Drive("steady", volts), Drive("pulses", current_over(metal, volts, 1 / DUTY), DUTY)]


def show(axis: Any, bridge: Bridge, kelvin: Any) -> Any:
    """One bridge at its end, coloured by its temperature, and how it began."""
    style, seen = em.plot.style, bridge.seen
    x, now, before, warm = seen.x / nm, seen.half[-1] / nm, seen.half[0] / nm, seen.kelvin[-1]
    image = axis.imshow(
        warm[None] / bridge.metal.melting_temperature,
        extent=(x[0], x[-1], -BOXES["strip"][1] / nm, BOXES["strip"][1] / nm),
        aspect="equal",
        cmap=style.DENSITY,
        norm=kelvin,
    )
    outline = np.concatenate([np.stack([x, now], axis=1), np.stack([x, -now], axis=1)[::-1]])
    image.set_clip_path(MplPath(outline), axis.transData)
    for sign in (-1, 1):
        axis.plot(x, sign * now, color=style.INK, linewidth=0.8)
        axis.plot(x, sign * before, color=style.GREY, linestyle="dashed", linewidth=0.8)
    axis.set(xlim=(0, BOXES["strip"][0] / nm), ylim=(-BOXES["strip"][1] / nm, BOXES["strip"][1] / nm), ylabel="y [nm]")
    axis.set_title(f"{bridge.metal.name}, {bridge.drive.name}\n{words(bridge)} after {span(bridge.time)}")
    return image


def span(time: float) -> str:
    """A time in words."""
    return f"{time * 1e3:.3g} ms" if time > 999e-6 else f"{time * 1e6:.3g} µs"


def words(bridge: Bridge) -> str:
    """The end of a bridge."""
    return bridge.end if bridge.end in {"thin", "melts"} else "whole"


def draw(figure: Figure, bridges: Sequence[Bridge]) -> None:
    """The bridges at their ends; their necks and hottest places in time."""
    style, kelvin = em.plot.style, Normalize(0.0, 1.0)
    halves: Any = figure.subfigures(1, 2, width_ratios=(2.3, 1.0))
    left, right = halves
    panels = left.subplots(len(bridges) // 2, 2, sharex=True, sharey=True, squeeze=False)
    for axis, bridge in zip(panels.flat, bridges, strict=True):
        image = show(axis, bridge, kelvin)
        axis.label_outer()
    for axis in panels[-1]:
        axis.set_xlabel("x [nm]; the current flows to the right")
    left.colorbar(image, ax=panels, label="temperature over that of melting", shrink=0.5, location="bottom", aspect=40)
    neck, warm = right.subplots(2, 1, sharex=True)
    for i, bridge in enumerate(bridges):
        line = {"color": style.named_colour(i // 2), "linestyle": ("solid", "dashed")[i % 2]}
        label = f"{bridge.metal.name}, {bridge.drive.name}"
        time = bridge.trace.t / bridge.unit
        neck.plot(time, bridge.trace["neck"] / HALF, **line)
        warm.plot(time, bridge.trace["T_max"] / bridge.metal.melting_temperature, label=label, **line)
    neck.set(ylabel="neck over that at first", ylim=(0, 1.05))
    warm.set(ylabel="hottest place over melting", ylim=(0, 1), xlabel="time, in the drift's own")
    warm.legend(fontsize="x-small", loc="lower left")


def side(bridge: Bridge) -> str:
    """The side that atoms went to."""
    return "right" if bridge.trace["moved"][-1] > 0 else "left"


def line(name: str, bridge: Bridge) -> str:
    """A row of the table."""
    rise = bridge.trace["T_max"][-1] / bridge.metal.melting_temperature
    return (
        f"{name:30} atoms to the {side(bridge):5}  {words(bridge):5} after {bridge.time:9.3g} s, "
        f"{bridge.time / bridge.unit:5.2f} own times, at {rise:.2f} of melting"
    )


def report(bridge: Bridge) -> dict[str, Any]:
    """Numbers of a bridge."""
    return {
        "side": side(bridge),
        "end": words(bridge),
        "time": bridge.time,
        "own": bridge.time / bridge.unit,
        "moved": float(bridge.trace["moved"][-1]),
        "outline": bridge.seen.half[-1],
    }


def predicted(metal: em.materials.Material) -> float:
    """First rate of pulses over that of a steady current, by what heat makes of the constants of the middle."""
    steady, pulsed = drives(metal)
    return drift(metal, pulsed.volts) / drift(metal, steady.volts)


def main(
    width: float = 1.0 * nm,
    metals: Sequence[str] = METALS,
    out: str = "results/upwind_wire",
) -> dict[str, Any]:
    """For each metal how steady current and pulses end, and how far heat predicts the first rate of pulses."""
    results: dict[str, Any] = {}
    bridges, grid = list[Bridge](), Grid(width)
    for name in metals:
        metal = wire(name)
        steady, pulsed = (run(metal, drive, grid) for drive in drives(metal))
        bridges += [steady, pulsed]
        seen = pulsed.start / steady.start
        results[name] = {
            "steady": report(steady),
            "pulses": report(pulsed),
            "seen": seen,
            "predicted": predicted(metal),
        }
    em.plot.figure(lambda figure: draw(figure, bridges), Path(out) / "bridges.png", height=1.1 + 1.4 * len(metals))
    for bridge in bridges:
        em.write.print_root(line(f"{bridge.metal.name}, {bridge.drive.name}", bridge))
    for name in metals:
        row = results[name]
        em.write.print_root(
            f"{name}: pulses of the same mean start {row['seen']:.4g} times as fast, as hot as they are "
            f"{row['predicted']:.4g}"
        )
    for name in metals:
        for key in ("effective_charge", "surface_diffusivity_thickness"):
            constant = em.materials.metal(name).constants[key]
            em.write.print_root(f"{name}: {key}: {constant.confidence}, {constant.source}")
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=1.0 * nm, help="half-width of interfaces [m]")
    options.add_argument("--metals", nargs="+", default=list(METALS), help="of the bridges")
    options.add_argument("--out", default="results/upwind_wire", help="folder for the results")
    # a bridge ends with a neck of one and a half interface widths, by intent
    warnings.filterwarnings("ignore", "the surface model: neck", em.ResolutionWarning)
    main(**vars(options.parse_args()))
