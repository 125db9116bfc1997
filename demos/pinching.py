"""A wire pinches off as Rayleigh and Plateau tell, and a current moves its necks but lets them grow as before.

A wire longer than it is round gains by breaking into drops: surface atoms creep from the neck to where the wire is
thick. The wave that grows fastest is 2 pi sqrt(2) R long and grows by a factor e in 4 R^4/B. Under a current the same
wave grows at the same rate, but travels: gold's atoms go with the electrons, the neck goes with the current. It
travels as in the linear theory, and in this coarse run grows a tenth faster. When deep it outruns the theory, and the
wire breaks at another place than without a current. The resistivity is that of the bulk: a wire so thin has 2.1 times
as much, and the same happens to it at a current that much smaller.
"""

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import ufl
from dolfinx import fem
from matplotlib.figure import Figure

GOLD = em.materials.gold(temperature=900.0)
RADIUS, AMPLITUDE = 5 * nm, 0.05  # m, R
LONG = em.analytic.rayleigh_plateau_wavelength(RADIUS)
UNIT = RADIUS**4 / em.analytic.mullins_coefficient(GOLD)  # s
DENSITY = 5e12  # A/m2
SMALL = 0.12  # of R: the amplitude up to which the linear theory is compared


class Neck(em.observe.Observer):
    """The outline of a wire and its wave, whose crest is at the angle of `a`, seen now and then."""

    def begin(self) -> None:
        """Make the forms of the wave."""
        model = self.models[0]
        self.t: list[float] = []
        self.a: list[complex] = []
        self.radius: list[Any] = []
        turns = ufl.SpatialCoordinate(model.mesh)[0] * fem.Constant(model.mesh, 2 * np.pi / LONG)
        self.forms = [fem.form(model["c"] * wave(turns) * model.domain.dx(4)) for wave in (ufl.cos, ufl.sin)]

    def record(self, t: float) -> None:
        """Keep outline and wave: the integral of pi r^2 cos(k x) is pi R a L, with a the amplitude of r."""
        model = self.models[0]
        real, imaginary = (em.fields.integral(form, model.mesh.comm) for form in self.forms)
        self.x, radius = em.surface.profile(model)
        self.t.append(t)
        self.a.append(complex(real, imaginary) / (np.pi * RADIUS * LONG))
        self.radius.append(radius)


@dataclass(frozen=True)
class Wire:
    """A wire that was run until it was thin.

    Attributes:
        seen: its outlines and its wave.
        rate: growth rate while the wave was small, an imaginary part for its travel [1/s].
        neck: how far along x the neck moved [m].
    """

    seen: Neck
    rate: complex
    neck: float


def run(current_density: float | None, part: float, until: float) -> Wire:
    """A wire until its neck is a third of its radius."""
    width, top = part * RADIUS, 2.2 * RADIUS
    cells = (int(np.ceil(LONG / (1.2 * width))), int(np.ceil(top / (0.6 * width))))
    domain = em.mesh.axisymmetric(em.mesh.periodic_rectangle((LONG, top), cells=cells, axes="x"))
    shape = em.surface.wire(RADIUS, amplitude=AMPLITUDE * RADIUS, wavelength=LONG)
    current = None if current_density is None else current_density * np.pi * RADIUS**2
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=width, current=current)
    seen, thin = Neck(every=0.2 * UNIT), em.surface.neck_below(RADIUS / 3)
    watch = [seen, em.watch.conserved("metal", rtol=1e-8), em.watch.stop_when(thin, "the neck is thin")]
    em.write.print_root(em.evolve(model, until * UNIT, watch=watch, progress=False))
    t, a = np.array(seen.t), np.array(seen.a)
    small = (np.abs(a) < SMALL * RADIUS) & (t > 0.3 * UNIT)
    growth = np.polyfit(t[small], np.log(np.abs(a[small])), 1)[0]
    turning = np.polyfit(t[small], np.unwrap(np.angle(a[small])), 1)[0]
    crest = np.unwrap(np.angle(a))
    return Wire(seen, complex(growth, -turning), float(crest[-1] - crest[0]) * LONG / (2 * np.pi))


def shown(axis: Any, wire: Wire, frame: int) -> None:
    """A wire from the side, one wavelength and a half, and how it began."""
    style, x = em.plot.style, wire.seen.x / nm
    along = np.concatenate([x, x + LONG / nm])
    now, before = (np.tile(wire.seen.radius[i] / nm, 2) for i in (frame, 0))
    axis.fill_between(along, -now, now, color=style.DENSITY(0.55), linewidth=0)
    for sign in (-1, 1):
        axis.plot(along, sign * before, color=style.INK, linestyle="dashed", linewidth=0.8)
    axis.set(aspect="equal", xlim=(0, 1.5 * LONG / nm), ylim=(-10, 10), ylabel="r [nm]")
    axis.set_title(f"{wire.seen.t[frame] * 1e3:.2g} ms")


def waves(axes: Any, wires: dict[str, Wire]) -> None:
    """Amplitudes and places of the necks, against the linear theory."""
    style = em.plot.style
    amplitude, place = axes
    for i, (name, wire) in enumerate(wires.items()):
        t, a = np.array(wire.seen.t), np.array(wire.seen.a)
        theory = complex(exact(None if i == 0 else DENSITY))
        colour = style.named_colour(i)
        amplitude.semilogy(t * 1e3, np.abs(a) / nm, "o", color=colour, markersize=5 - 2 * i, label=name)
        place.plot(t * 1e3, np.unwrap(np.angle(a)) * LONG / (2 * np.pi) / nm, "o", color=colour, markersize=3)
        place.plot(t * 1e3, -theory.imag * t * LONG / (2 * np.pi) / nm, color=style.GREY, linestyle="dashed")
    start = np.abs(wires["no current"].seen.a[0]) / nm
    amplitude.semilogy(t * 1e3, start * np.exp(theory.real * t), color=style.GREY, linestyle="dashed", label="theory")
    amplitude.set(xlabel="time [ms]", ylabel="amplitude of the wave [nm]")
    amplitude.legend()
    place.set(xlabel="time [ms]", ylabel="the neck moved by [nm]")


def exact(current_density: float | None) -> complex:
    """The linear theory's growth rate [1/s]."""
    k = 2 * np.pi / LONG
    return complex(em.analytic.wire_growth_rate(k, GOLD, radius=RADIUS, current_density=current_density or 0.0))


def draw(figure: Figure, wires: dict[str, Wire]) -> None:
    """The wires near breaking, and their waves in time."""
    panels = figure.subplots(2, 2)
    for axis, (name, wire) in zip(panels[0], wires.items(), strict=True):
        shown(axis, wire, -1)
        axis.set(title=f"{name}, {axis.get_title()}", xlabel="x [nm]")
    waves(panels[1], wires)


def both(figure: Figure, wires: dict[str, Wire], frame: int) -> None:
    """A frame of the film: both wires, one above the other."""
    for axis, (name, wire) in zip(figure.subplots(2, 1), wires.items(), strict=True):
        shown(axis, wire, frame)
        axis.set(title=f"{name}, {axis.get_title()}", xlabel="x [nm]")


def main(part: float = 0.13, until: float = 8.0, out: str = "results/pinching") -> dict[str, Any]:
    """Growth rates without and with a current over the theory, the speed of the neck over it, how far the neck went."""
    wires = {"no current": run(None, part, until), "under a current to the right": run(DENSITY, part, until)}
    em.plot.figure(lambda figure: draw(figure, wires), Path(out) / "wires.png", height=4.0)
    frames = min(len(wire.seen.t) for wire in wires.values())
    film = Path(out) / "wires.mp4"
    em.plot.movie(lambda figure, frame: both(figure, wires, frame), frames, film, width=4.6, height=3.6)
    still, driven = wires.values()
    theory = exact(DENSITY)
    found = {
        "still": still.rate.real / theory.real,
        "driven": driven.rate.real / theory.real,
        "speed": driven.rate.imag / theory.imag,
        "strayed": still.neck / RADIUS,
        "moved": driven.neck / RADIUS,
    }
    em.write.print_root(*(f"{name} {value:.4f}" for name, value in found.items()))
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--part", type=float, default=0.13, help="interface width over radius")
    options.add_argument("--until", type=float, default=8.0, help="in units of R^4/B, if the neck is not thin before")
    options.add_argument("--out", default="results/pinching", help="folder for the results")
    # the docstring has the one; wires end with necks of 2.6 interface widths, by intent
    warnings.filterwarnings("ignore", "the (resistivity|surface model: neck)", em.ResolutionWarning)
    main(**vars(options.parse_args()))
