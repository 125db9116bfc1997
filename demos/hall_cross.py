"""A Hall cross: the sheet resistance from four contacts, and the Hall voltage in a magnetic field.

Current runs between two arms and the others float. Without a field, between neighbouring arms, van der Pauw's formula
gives the sheet resistance from one voltage and one current. In a field the conductivity has an antisymmetric part: the
equipotentials tilt by the Hall angle, and the free arms differ by the Hall voltage. Both films are in SI units.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import emfem as em
from emfem.units import deg, elementary_charge, nm, um

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


@dataclass(frozen=True)
class Film:
    """Carriers of one kind: the field turns their current and leaves the resistivity as it is."""

    resistivity: float  # [Ohm m]
    hall: float  # R_H = 1/(q n), negative for electrons [m3/C]
    thickness: float  # [m]

    @property
    def sheet(self) -> float:
        """Sheet resistance [Ohm]."""
        return self.resistivity / self.thickness

    def conductivity(self, field: float) -> NDArray[np.float64]:
        """A tensor [S/m], from E = rho j - R_H j x B with B = `field` out of the plane [T]."""
        turned = self.hall * field
        return np.linalg.inv(np.array([[self.resistivity, -turned], [turned, self.resistivity]]))


WIDTH, ARM = 10 * um, 40 * um  # what the arms' ends do to the field falls as exp(-pi distance/width)
DENSITY = 1e22  # electrons of the doped film, chosen [1/m3]
MOBILITY = 0.85  # of electrons in pure GaAs at 300 K, S. M. Sze, Physics of Semiconductor Devices [m2/Vs]
FILMS = {
    # of the bulk at 293 K, as in textbooks; 1/(e |R_H|) = 8.7e28 /m3 is 1.5 electrons per atom
    "gold": Film(resistivity=2.44e-8, hall=-0.72e-10, thickness=50 * nm),
    "n-GaAs": Film(1 / (DENSITY * elementary_charge * MOBILITY), -1 / (DENSITY * elementary_charge), 1 * um),
}


def driven(domain: em.mesh.Domain, film: Film, field: float, source: str, drain: str, current: float) -> em.Model:
    """The cross with a current [A] from one arm to another; the other two float."""
    through = {source: em.conduction.electrode(current=current), drain: em.conduction.electrode(voltage=0.0)}
    free = {name: em.conduction.electrode(current=0.0) for name in ("left", "right", "bottom", "top")}
    model = em.conduction.model(domain, conductivity=film.conductivity(field), on=free | through)
    em.solve_steady(model)
    return model


def across(model: em.Model, plus: str, minus: str) -> float:
    """The voltage between two arms [V]."""
    return em.conduction.voltage(model, plus) - em.conduction.voltage(model, minus)


def tilt(model: em.Model) -> float:
    """Angle of the equipotentials to the cross-section of the left arm, around its middle [degrees]."""
    x = ufl.SpatialCoordinate(model.mesh)[0]
    near = ufl.exp(-(((x + (WIDTH + ARM) / 2) / (WIDTH / 3)) ** 2))
    dx, comm = model.domain.dx(6), model.mesh.comm
    along, up = (em.fields.integral(fem.form(near * model["E"][i] * dx), comm) for i in (0, 1))
    return math.atan2(-up, along) / deg


def main(
    size: float = 2 * um, field: float = 1.0, current: float = 1e-3, out: str = "results/hall_cross"
) -> dict[str, dict[str, float]]:
    """For each film: sheet resistance and Hall resistance over the true ones, and the tilt [degrees]."""
    # The current is singular at the inward corners and, in a field, at the ends of the electrodes that carry it
    places = [(x * sign, y) for x in (WIDTH / 2, WIDTH / 2 + ARM) for sign in (-1, 1) for y in (-WIDTH / 2, WIDTH / 2)]
    fine = dict.fromkeys(places, size / 20)
    plane = em.mesh.hall_cross(arm_length=ARM, arm_width=WIDTH, size=size, refine=fine)
    results = {}
    for name, film in FILMS.items():
        domain = plane.with_thickness(film.thickness)
        corner = driven(domain, film, 0.0, "left", "bottom", current)
        sheet = math.pi / math.log(2.0) * across(corner, "top", "right") / current
        # As in the laboratory, half the difference of both directions of the field: what is no Hall voltage drops out
        both = [driven(domain, film, b, "left", "right", current) for b in (-field, field)]
        hall = (across(both[1], "top", "bottom") - across(both[0], "top", "bottom")) / 2
        true = -film.hall * field / film.thickness
        results[name] = {"sheet": sheet / film.sheet, "hall": hall / (true * current), "tilt": tilt(both[1])}
        title = f"{name} in {field:g} T: equipotentials tilt by {results[name]['tilt']:.2f}°"
        em.plot.current(both[1], Path(out) / f"{name}.png", title=title, lines=10)
        em.write.print_root(
            f"{name}: sheet resistance {sheet:.5g} Ohm (true {film.sheet:.5g}), Hall voltage {hall:.5g} V "
            f"(true {true * current:.5g}), equipotentials in the arm tilt by {results[name]['tilt']:.2f}°"
        )
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=float, default=2 * um, help="edge of a cell [m]")
    options.add_argument("--field", type=float, default=1.0, help="magnetic field, out of the plane [T]")
    options.add_argument("--current", type=float, default=1e-3, help="[A]")
    options.add_argument("--out", default="results/hall_cross", help="folder for the results")
    main(**vars(options.parse_args()))
