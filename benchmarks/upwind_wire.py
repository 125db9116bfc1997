"""Bridges of `demos/upwind_wire.py` on other grids, and with other constants: what their numbers may be off by.

    python benchmarks/upwind_wire.py grids [--forms strip turned space] [--metals tungsten gold]
    python benchmarks/upwind_wire.py doubts [--width 1.5e-9] [--metals tungsten gold]

`grids`: atoms moved by a part of the own time, under a steady current and pulses of the same mean, in a strip, a round
wire about its axis and the same in space; on a grid, on finer cells, and on those with a thinner interface. Rates of
pulses over those of the steady current stand beside what heat predicts. A run takes 5 s, in space 20 to 40 s of a
processor.

`doubts`: ends of the bridges with other constants, and how wrong a constant may be.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import emfem as em
from demos.upwind_wire import (
    BOXES,
    HALF,
    HOT,
    LENGTH,
    LORENZ,
    METALS,
    PADS,
    Bridge,
    Drive,
    Grid,
    begin,
    current_over,
    drives,
    flow,
    hottest_at,
    kelvin_at,
    line,
    predicted,
    report,
    run,
    voltage_of,
    wire,
)
from emfem.units import boltzmann, elementary_charge, nm

import numpy as np

CHARGES, ENERGIES, RESISTIVITIES = (0.25, 4.0), (0.7, 1.3), (0.9, 1.1)  # times the constants, to see what it does
COMPARED = 0.05  # of the own time, before the shortest life: when atoms moved are compared


def grids(form: str) -> list[Grid]:
    """A grid, one of finer cells, and on those a thinner interface; in space l = R/4 and R/5, else R/5 and R/7.5."""
    width, cell, part = (1.25 * nm, 1.0, 0.8) if form == "space" else (1.0 * nm, 0.8, 2 / 3)
    return [Grid(width, cell, form), Grid(width, part * cell, form), Grid(part * width, cell, form)]


def moved(metal: em.materials.Material, drive: Drive, grid: Grid) -> tuple[float, float]:
    """Atoms moved to the right by a part of the own time, and at first in a second.

    Both for each of the atoms of a section times the half-width.
    """
    models, unit, start = begin(metal, drive, grid)
    em.evolve(models, COMPARED * unit, rtol=1e-3, watch=[em.watch.conserved("metal", rtol=1e-8)], progress=False)
    atoms = grid.size / metal.law("atomic_volume")(PADS)
    return float(models[0].quantity("moved") / atoms), float(start / atoms)


def compared(name: str, form: str) -> dict[str, Any]:
    """Atoms of a metal moved on each grid and under each drive, and first rates of pulses over a steady current."""
    metal, several = wire(name), grids(form)
    found = np.array([[moved(metal, drive, grid) for grid in several] for drive in drives(metal)])
    atoms, rates = found[..., 0], found[..., 1]
    changes, ratios = atoms[:, 1:] / atoms[:, :-1] - 1, rates[1] / rates[0]
    for drive, row, change in zip(drives(metal), atoms, changes, strict=True):
        em.write.print_root(
            f"{name}, {form}, {drive.name}: the {'right' if row[0] > 0 else 'left'} end grows, atoms moved "
            f"{', '.join(f'{value:+.4f}' for value in row)}: finer cells {change[0]:+.2%}, thinner on them "
            f"{change[1]:+.2%}, at most {np.ptp(row) / abs(row[-1]):.2%}"
        )
    em.write.print_root(
        f"{name}, {form}: pulses of the same mean start {', '.join(f'{ratio:.5g}' for ratio in ratios)} times as fast, "
        f"as hot as they are {predicted(metal):.5g}"
    )
    return {"atoms": atoms, "ratios": ratios, "predicted": predicted(metal)}


def variants(name: str) -> dict[str, tuple[em.materials.Material, Drive]]:
    """A metal with other constants, under its steady current or behind a resistance.

    Another energy of D_s leaves D_s of the middle as it was at the start; another resistivity leaves the current. The
    sign of Z* mirrors the bridge, and a factor of D_s divides all times: no runs are needed for that.
    """
    metal, charge = wire(name), em.materials.metal(name).effective_charge
    steady = drives(metal)[0]
    creep: Any = metal.constants["surface_diffusivity_thickness"].law
    rho = metal.law("resistivity")
    thermal = boltzmann * hottest_at(steady.volts)

    def active(factor: float) -> em.materials.Material:
        """D_s with an energy times a factor."""
        first = creep.prefactor * np.exp((factor - 1) * creep.activation_energy / thermal)
        law = em.materials.Arrhenius(float(first), factor * creep.activation_energy)
        return metal.having(surface_diffusivity_thickness=law)

    def resistive(factor: float) -> tuple[em.materials.Material, Drive]:
        """The same current through a resistivity times a factor."""
        other = metal.having(resistivity=lambda kelvin: factor * rho(kelvin))
        return other, Drive("steady", current_over(metal, steady.volts, factor))

    return {
        **{f"Z* x {factor:g}": (wire(name, factor * charge), steady) for factor in CHARGES},
        **{f"energy of D_s x {factor:g}": (active(factor), steady) for factor in ENERGIES},
        **{f"rho x {factor:g}": resistive(factor) for factor in RESISTIVITIES},
        "voltage, R in series": (metal, Drive("voltage", steady.volts)),
    }


def bounds(metal: em.materials.Material, drive: Drive) -> dict[str, float]:
    """Errors of constants beyond which something else happens at the start, from closed forms.

    - rho: factor by which the same current melts it, (rho j)(T_melting) over (rho j)(T), as `flow` has them.
    - heat_of_transport: Q* that pulls as Z* does where D_s is a tenth of that of the middle, e Z* T |d phi/dT| [J]:
      it pulls to both ends alike, so it changes no side, but with more of it atoms leave the middle for both.
    - loss: to a substrate, of a tenth of the heat of the bridge, 0.1 V j 2R / (L mean(T - T_0)) [W/(m2 K)].
    - pull: direct charge over that of the wind where both cancel at the pads, rho(T) / rho(T_0): a ratio from 1 to
      this one makes the sign of Z* change along the wire [-].
    """
    phi, part = flow(metal, drive.volts)
    kelvin, rho = kelvin_at(phi, drive.volts), metal.law("resistivity")
    mobile, charge = metal.law("surface_diffusivity_thickness")(kelvin), metal.law("effective_charge")(kelvin)
    there = int(np.argmin(np.abs(mobile[:1001] / mobile.max() - 0.1)))
    steepness = (drive.volts / 2 - phi[there]) / (LORENZ * kelvin[there])  # dT/dphi
    melting = flow(metal, voltage_of(HOT * metal.melting_temperature))[1][-1]
    density = part[-1] / LENGTH
    heat = drive.volts * density * 2 * HALF
    rise = np.trapezoid((kelvin - PADS) / rho(kelvin), phi) / part[-1]  # over the length, which 1 / rho dphi is
    return {
        "rho": melting / part[-1],
        "heat_of_transport": elementary_charge * abs(charge[there]) * kelvin[there] / steepness,
        "loss": 0.1 * heat / (LENGTH * rise),
        "pull": rho(hottest_at(drive.volts)) / rho(PADS),
    }


def sensitivity(name: str, grid: Grid) -> dict[str, Any]:
    """Ends of a metal's steady bridge with other constants, and the bounds of its constants; printed as a table."""
    metal = wire(name)
    drive = drives(metal)[0]
    base, limits = run(metal, drive, grid), bounds(metal, drive)
    rows: dict[str, Bridge] = {"as it is": base}
    for key, (changed, driven) in variants(name).items():
        rows[key] = run(changed, driven, grid)
    for key, bridge in rows.items():
        em.write.print_root(f"{line(f'{name}, {key}', bridge)}, {bridge.time / base.time:.3g} of its time")
    em.write.print_root(
        f"{name}: rho x {limits['rho']:.3g} melts it at the same current; a Q* of "
        f"{limits['heat_of_transport'] / elementary_charge:.2g} eV pulls as Z* does; a substrate takes a tenth of the "
        f"heat at {limits['loss']:.2g} W/(m2 K); the sign of Z* changes along the wire if a pull against the wind is 1 "
        f"to {limits['pull']:.3g} times smaller than that at {PADS:g} K"
    )
    return {key: report(bridge) for key, bridge in rows.items()} | {"bounds": limits}


def main(options: Sequence[str] | None = None) -> None:
    """Compare what the command names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("grids", "doubts"))
    parser.add_argument("--metals", nargs="+", choices=METALS, default=list(METALS))
    parser.add_argument("--forms", nargs="+", choices=list(BOXES), default=list(BOXES), help="of bridges, for grids")
    parser.add_argument("--width", type=float, default=1.5 * nm, help="half-width of interfaces, for doubts [m]")
    given = parser.parse_args(options)
    for name in given.metals:
        if given.what == "doubts":
            sensitivity(name, Grid(given.width))
        else:
            for form in given.forms:
                compared(name, form)


if __name__ == "__main__":
    # necks thinner than five interface widths: what that does to the numbers is what `grids` compares
    warnings.filterwarnings("ignore", "the surface model: neck", em.ResolutionWarning)
    main()
