"""Stripes: an electric field draws the composition of a CuPd film into bands.

One film, one field at 45 degrees, two crystal surfaces. On [100] the two diffusion directions are equally fast, and the
stripes lie along the field. On [110] diffusion along x is twice as fast as along y, so the drift, and the stripes with
it, turn to atan(1/2) = 26.6 degrees. Dimensionless: lengths in film thicknesses.
"""

import argparse
import math
from pathlib import Path

import emfem as em
from emfem.units import deg


def run(surface: str, out: Path, angle: float, until: float, cells: int) -> tuple[em.Model, float]:
    """Grow the pattern on one crystal surface; the film, and the direction of the drift [degrees]."""
    domain = em.mesh.periodic_rectangle((62.4, 62.4), cells=(cells, cells))
    crystal = em.film.Anisotropy(surface=surface, strength=1.0)
    field = em.film.uniform_field(0.3, angle=angle * deg)
    film = em.film.model(
        domain,
        em.film.cupd(),
        mean=0.3,
        anisotropy=crystal,
        field=field,
        initial=em.film.noise(amplitude=0.08, seed=1),
    )
    picture = em.watch.snapshots("c", times=[until / 10, until / 4, until])
    frames = em.watch.snapshots("c", every=until / 20)
    solute = em.watch.conserved("solute", rtol=1e-10)
    report = em.evolve(
        film,
        until,
        rtol=3e-3,
        watch=[
            solute,
            picture,
            frames,
            em.write.series(out / "series.csv", every=until / 20),
            em.write.vtu(out / "fields.pvd", ["c", "mu"], every=until / 20),
        ],
    )
    em.plot.film_strip(picture, out / "strip.png", label="concentration c", unit="h")
    em.plot.animation(frames, out / "stripes.mp4", frames_per_second=6, label="concentration c", unit="h")
    em.write.print_root(f"[{surface}] {report}; solute kept to {solute.worst:.1e}")
    fast, slow = crystal.rates
    drift = math.degrees(math.atan2(slow * field[1], fast * field[0])) % 180
    return film, drift


def main(until: float = 1000.0, cells: int = 48, out: str = "results/stripes", angle: float = 45.0) -> dict[str, float]:
    """Both surfaces; the angles of their stripes [degrees]."""
    films, lines, titles, angles = [], [], [], {}
    for surface in ("100", "110"):
        film, drift = run(surface, Path(out) / surface, angle, until, cells)
        pattern = em.patterns.measure(film["c"])
        lines.append(f"[{surface}] field at {angle:g}°, drift at {drift:.1f}°  ->  {pattern}")
        titles.append(f"[{surface}]: field {angle:g}°, drift {drift:.1f}°, stripes {pattern.angle:.1f}°")
        films.append(film["c"])
        angles[surface] = pattern.angle
    em.plot.film_strip(films, Path(out) / "surfaces.png", titles=titles, label="concentration c", unit="h")
    em.write.text(Path(out) / "patterns.txt", "\n".join(lines) + "\n")
    em.write.print_root(*lines, f"pictures, films, tables and ParaView files: {out}/")
    return angles


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1000.0, help="time to reach")
    options.add_argument("--cells", type=int, default=48, help="cells along each edge")
    options.add_argument("--angle", type=float, default=45.0, help="of the field [degrees]")
    options.add_argument("--out", default="results/stripes", help="folder for the results")
    main(**vars(options.parse_args()))
