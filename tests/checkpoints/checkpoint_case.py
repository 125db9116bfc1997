"""Run on several ranks: unknowns that are in no one place are saved and loaded; integrals of them as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import emfem as em

import ufl
from dolfinx import fem

GROUND = em.fixed(0.0)


CURRENT = em.conduction.electrode(current=1.0)


def ring() -> em.Model:
    """An electrode around the body."""
    domain = em.mesh.annulus(inner=1.0, outer=2.0, size=0.5)
    return em.conduction.model(domain, conductivity=1.0, on={"inner": GROUND, "outer": CURRENT})


def seam() -> em.Model:
    """An electrode across the seam of a periodic mesh."""
    domain = em.mesh.periodic_rectangle((4.0, 3.0), cells=(9, 7), axes="y", cell="triangle")
    return em.conduction.model(domain, conductivity=1.0, on={"left": CURRENT, "right": GROUND}, degree=2)


def contact() -> em.Model:
    """An electrode whose voltage is an unknown number."""
    domain = em.mesh.rectangle((4.0, 3.0), cells=(9, 7))
    left = em.conduction.electrode(current=1.0, contact_resistivity=0.3)
    return em.conduction.model(domain, conductivity=1.0, on={"left": left, "right": GROUND})


def strip() -> em.Model:
    """Triangles of gmsh, whose order is not that of their places."""
    domain = em.mesh.notched_strip(length=80.0, width=40.0, notch_depth=10.0, notch_width=8.0, size=8.0)
    return em.conduction.model(domain, conductivity=1.0, on={"anode": CURRENT, "cathode": GROUND})


def integrals(model: em.Model) -> list[float]:
    """Integrals of each unknown with a weight that differs everywhere."""
    x = ufl.SpatialCoordinate(model.mesh)
    weight = 1 + ufl.sin(x[0]) + ufl.cos(2 * x[1])
    forms = [fem.form(unknown.function * weight * ufl.dx) for unknown in model.unknowns]
    return [em.fields.integral(form, model.mesh.comm) for form in forms]


def main(mode: str, folder: Path) -> None:
    """Save the models, or load them; print what they hold."""
    answers = {}
    for make in (seam, contact, ring, strip):
        model, path = make(), folder / f"{make.__name__}.npz"
        if mode == "save":
            em.solve_steady(model)
            em.checkpoint.save(model, path)
        else:
            em.checkpoint.load(model, path)
        answers[make.__name__] = integrals(model)
    em.write.print_root(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
