"""Round particles become crystals: surfaces creep to the shape of least energy, which Wulff's construction draws.

The energy of a surface depends on its direction. A weak dependence makes a circle angular, a strong one gives it facets
and corners. Metal is neither won nor lost. Lines are Wulff's shapes of the same area; the crystal of the last particle
is turned by 15 degrees.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

TUNGSTEN = em.materials.tungsten(temperature=1800.0)
RADIUS = 10 * nm
SIXTY = np.pi / 3 * np.arange(3)
CRYSTALS = {
    "weak, four-fold": em.surface.Crystal(em.surface.FoldEnergy(0.06)),
    "facets, four-fold": em.surface.Crystal(em.surface.FacetEnergy(np.eye(2))),
    "facets, six-fold, turned": em.surface.Crystal(
        em.surface.FacetEnergy(np.stack([np.cos(SIXTY), np.sin(SIXTY)], axis=1)), angle=np.pi / 12
    ),
}


def main(part: float = 0.1, until: float = 0.6, out: str = "results/crystals") -> dict[str, float]:
    """Greatest distance of a tangent of each particle from that of Wulff's shape, over the radius [-]."""
    results, outlines = {}, {}
    for name, crystal in CRYSTALS.items():
        outlines[name] = relaxed(crystal, part, until)
        results[name] = distance(outlines[name], crystal)
        em.write.print_root(f"{name}: {100 * results[name]:.2f} % from Wulff's shape")
    em.plot.figure(lambda figure: draw(figure, outlines), Path(out) / "shapes.png", height=2.7)
    return results


def relaxed(crystal: em.surface.Crystal, part: float, until: float) -> np.ndarray:
    """Places on the surface of a particle that has relaxed, around its middle, shape (n, 2) [m]."""
    side = 3.2 * RADIUS
    cells = int(np.ceil(side / (0.7 * part * RADIUS)))
    model = em.surface.model(
        em.mesh.rectangle((side, side), cells=(cells, cells)),
        TUNGSTEN,
        shape=em.surface.Shape("particle", lambda x, _: RADIUS - np.linalg.norm(x[:2] - side / 2, axis=0)),
        interface_width=part * RADIUS,
        crystal=crystal,
    )
    time = until * RADIUS**4 / em.analytic.mullins_coefficient(TUNGSTEN)
    em.evolve(model, until=time, watch=[em.watch.conserved("metal", rtol=1e-10)], progress=False)
    return em.moving.surface_points(model["c"]) - side / 2


def distance(outline: np.ndarray, crystal: em.surface.Crystal) -> float:
    """Greatest difference of the tangents' distances from the middle, over the radius."""
    angle = np.linspace(0, 2 * np.pi, 361)
    normals = np.stack([np.cos(angle), np.sin(angle)])
    tangents = [(places @ normals).max(axis=0) for places in (outline, crystal.wulff(np.pi * RADIUS**2))]
    return float(np.abs(tangents[0] - tangents[1]).max() / RADIUS)


def draw(figure: Figure, outlines: dict[str, np.ndarray]) -> None:
    """Particles, and the shapes of Wulff."""
    for i, (axes, (name, outline)) in enumerate(zip(figure.subplots(1, len(outlines)), outlines.items(), strict=True)):
        shape = CRYSTALS[name].wulff(np.pi * RADIUS**2) / nm
        ring = outline[np.argsort(np.arctan2(outline[:, 1], outline[:, 0]))] / nm
        axes.fill(*ring.T, color=em.plot.style.named_colour(i), alpha=0.3, label="particle")
        axes.plot(*np.vstack([shape, shape[:1]]).T, color=em.plot.style.named_colour(i), linewidth=1.0, label="Wulff")
        start = np.linspace(0, 2 * np.pi, 200)
        axes.plot(10 * np.cos(start), 10 * np.sin(start), color=em.plot.style.GREY, linewidth=0.7, linestyle="dotted")
        axes.set(title=name, aspect="equal", xlabel="x [nm]", xlim=(-15, 15), ylim=(-15, 15))
    figure.axes[0].set_ylabel("y [nm]")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--part", type=float, default=0.1, help="half-width of the interface over the radius")
    options.add_argument("--until", type=float, default=0.6, help="time over R^4/B")
    options.add_argument("--out", default="results/crystals", help="folder for the results")
    main(**vars(options.parse_args()))
