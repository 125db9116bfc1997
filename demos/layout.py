"""A meander from a GDS file: its resistance in squares, and the composition that creeps along it.

A mask shop counts squares: length over width of each straight piece, and 0.5587 for each corner. The count holds to
0.004 of 81 squares: corners 1.5 widths apart save 0.001 a pair. The current crowds at the inner corners. An alloy film
of the same shape is driven by the field: solute goes from anode to cathode through all bends. The electrodes are
blocked, so the anode's end is emptied over F (1 - c) t, the cathode's filled over F c t, and between them the film
decomposes. The film's lengths are in film thicknesses: the line is 2 um wide and 0.25 um thick.
"""

import argparse
from pathlib import Path

import emfem as em

from dolfinx import fem

GDS = Path(__file__).resolve().parents[1] / "meshes" / "serpentine.gds"
ELECTRODES = {"anode": 10, "cathode": 11}
THICKNESS = 0.25  # of the film [um]
WIDTH = 2.0  # of the line [um]
# The straight pieces, without the corners, are 29 um, four times 28 um, and four times 3 um between them
# A corner is 0.559 squares (P. M. Hall, Thin Solid Films 1, 277 (1968)); more digits from the conformal map
SQUARES = (29 + 4 * 28 + 4 * 3) / WIDTH + 8 * 0.558729


def strip_current(size: float, refine: float, unit: float) -> em.Model:
    """The meander between electrodes at 1 and 0, solved: of conductance 1, so that a square has resistance 1.

    Args:
        size: edge of a cell.
        refine: edge of a cell at the inner corners, where the current is singular.
        unit: a micrometre.
    """
    domain = em.mesh.from_gds(GDS, layer=1, electrodes=ELECTRODES, size=size, refine=refine, unit=unit)
    model = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    em.solve_steady(model)
    return model


def main(until: float = 300.0, size: float = 1.6, drive: float = 0.1, out: str = "results/layout") -> dict[str, float]:
    """Squares found and counted, and how far the solute went over what the drift alone would do."""
    line = strip_current(size=0.5, refine=0.005, unit=1.0)
    squares = em.conduction.resistance(line)
    em.plot.mesh(line.domain, Path(out) / "mesh.png", unit="µm")
    em.plot.current(line, Path(out) / "current.png", lines=5, title="current in a meander", unit="µm")
    em.write.print_root(
        line.domain,
        f"{squares:.4f} squares, counted {SQUARES:.4f}: {squares - SQUARES:+.4f}",
        em.conduction.crowding(line),
    )

    current = strip_current(size, size / 16, 1 / THICKNESS)
    length = em.conduction.resistance(current) * WIDTH / THICKNESS  # of a straight line of as many squares
    film = em.film.model(
        current.domain,
        em.film.cupd(),
        mean=0.3,
        field=drive * length * current["E"],
        initial=em.film.noise(amplitude=0.08, seed=1, grain=1.0),
    )
    # -int c phi is how far the solute has gone down the potential; it grows as int J.E, by drift with J = c (1 - c) F
    gone = fem.form(-film["c"] * current["phi"] * current.domain.dx(6))
    start = em.fields.integral(gone, film.mesh.comm)
    solute = em.watch.conserved("solute")
    report = em.evolve(film, until, rtol=3e-3, watch=[solute])
    moved = em.fields.integral(gone, film.mesh.comm) - start
    drift = 0.3 * 0.7 * drive * length * current.quantity("power") * until
    title = f"composition at t = {until:g}"
    label = "concentration c"
    em.plot.current(
        current,
        Path(out) / "composition.png",
        over=film["c"],
        lines=3,
        title=title,
        label=label,
        unit="h",
        width="page",
    )
    em.write.print_root(
        current.domain,
        f"{report}; solute kept to {solute.worst:.1e}",
        f"solute moved {moved:.4g} down the potential, by drift alone {drift:.4g}",
    )
    return {"squares": squares, "counted": SQUARES, "moved": moved / drift, "solute": solute.worst}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=300.0, help="time to reach")
    options.add_argument("--size", type=float, default=1.6, help="edge of a cell of the film [film thicknesses]")
    options.add_argument("--drive", type=float, default=0.1, help="drift force F in the straight pieces [-]")
    options.add_argument("--out", default="results/layout", help="folder for the results")
    main(**vars(options.parse_args()))
