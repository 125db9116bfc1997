"""Currents in shapes whose resistance or crowding is known in closed form.

- A small round hole doubles the current density at its sides, 1 + 1 in the formula of an elliptic hole.
- A ring from rim to rim: R = ln(b/a)/(2 pi sigma).
- A square array of round holes of area fraction f: sigma_eff/sigma = 1 - 2 f/(1 + f - 0.305827 f^4/(1 - 1.402958 f^8)
  - 0.013362 f^8) (W. T. Perrins, D. R. McKenzie, R. C. McPhedran, Proc. R. Soc. A 369, 207 (1979)).
- A disk with electrodes on two opposite quarters of its rim is its own conjugate: R sigma = 1.
- Any simply connected sheet with four small contacts: exp(-pi sigma R1) + exp(-pi sigma R2) = 1
  (L. J. van der Pauw, Philips Res. Rep. 13, 1 (1958)).
"""

from __future__ import annotations

import math
from typing import Any

import emfem as em
from emfem import conduction

import numpy as np
import pytest
import ufl
from dolfinx import fem


def solved(domain: em.mesh.Domain, source: str, drain: str, **arguments: Any) -> em.Model:
    model = conduction.model(domain, on={source: em.fixed(1.0), drain: em.fixed(0.0)}, **arguments)
    em.solve_steady(model)
    return model


def balance(model: em.Model) -> float:
    found = [conduction.current(model, name) for name in conduction.electrodes(model)]
    return abs(sum(found)) / max(map(abs, found))


def test_a_small_hole_doubles_the_current_density():
    """In a plate of finite width the mean is a little off the far field: by (pi a^2/w^2) and more at small widths."""
    width = 20.0
    hole = (width / 2, width / 2, 1.0)
    domain = em.mesh.strip_with_holes(length=width, width=width, holes=[hole], size=width / 20, refine=0.15, order=2)
    found = conduction.crowding(solved(domain, "anode", "cathode"))
    far = 1.0 / width
    assert found.peak / far == pytest.approx(2.0, rel=4.0 / width**2 + 0.01)
    assert abs(found.place[1] - width / 2) == pytest.approx(1.0, abs=0.01)
    assert found.place[0] == pytest.approx(width / 2, abs=0.1)


def ring(size: float, degree: int, order: int) -> tuple[float, float]:
    """Errors of phi in L2 and of R, relative."""
    domain = em.mesh.annulus(0.5, 1.5, size=size, refine=size, order=order)
    model = solved(domain, "inner", "outer", conductivity=2.0, degree=degree)
    assert balance(model) < 1e-10
    x = ufl.SpatialCoordinate(domain.mesh)
    exact = 1 - ufl.ln(ufl.sqrt(x[0] ** 2 + x[1] ** 2) / 0.5) / math.log(3.0)
    error = em.fields.integral(fem.form((model["phi"] - exact) ** 2 * domain.dx(8)), domain.mesh.comm)
    resistance = math.log(3.0) / (2 * math.pi * 2.0)
    return math.sqrt(error), abs(conduction.resistance(model) / resistance - 1)


def test_linear_elements_on_a_ring_of_straight_cells_are_of_order_2():
    errors = [ring(size, 1, 1) for size in (0.1, 0.05, 0.025)]
    potential = [error for error, _ in errors]
    orders = np.log2(np.divide(potential[:-1], potential[1:]))
    assert orders == pytest.approx(2.0, abs=0.25)  # gmsh's meshes are alike only on average
    assert errors[-1][1] < 1e-3


def test_straight_cells_limit_a_curved_ring_to_order_2():
    errors = [ring(size, 2, 1)[0] for size in (0.1, 0.05, 0.025)]
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx(2.0, abs=0.25)


def test_a_ring_of_any_angle_is_a_fraction_of_the_whole():
    sector = em.mesh.annulus(0.5, 1.5, angle=1.2, size=0.1, order=2)
    radial = conduction.resistance(solved(sector, "inner", "outer"))
    assert radial == pytest.approx(math.log(3.0) / 1.2, rel=1e-5)
    assert conduction.resistance(solved(sector, "start", "end")) == pytest.approx(1.2 / math.log(3.0), rel=1e-5)


def test_a_disk_between_opposite_quarters_is_one_square():
    """phi goes as the root of the distance to an electrode's end, so the error halves with the cells there."""
    found = []
    for size in (0.2, 0.1):
        electrodes = {"source": (0.3, math.pi / 2), "drain": (0.3 + math.pi, math.pi / 2)}
        domain = em.mesh.disk(1.0, electrodes=electrodes, size=size, refine=size / 20, order=2)
        found.append(conduction.resistance(solved(domain, "source", "drain")))
    assert 2 * found[1] - found[0] == pytest.approx(1.0, abs=1e-4)
    assert found[1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("radius", [0.2, 0.3])
def test_an_array_of_holes_conducts_as_rayleigh_found(radius: float):
    cell = em.mesh.periodic_cell((1.0, 1.0), holes=[(0.4, 0.6, radius)], size=0.1, order=2)
    model = conduction.model(cell, conductivity=2.0, mean_field=(0.5, 0.0))
    em.solve_steady(model)
    f = math.pi * radius**2
    exact = 1 - 2 * f / (1 + f - 0.305827 * f**4 / (1 - 1.402958 * f**8) - 0.013362 * f**8)
    assert conduction.mean_current(model) == pytest.approx([exact, 0.0], abs=5e-5)
    maxwell = (1 - f) / (1 + f)  # without what the holes do to each other: told apart at the larger radius
    assert radius < 0.3 or abs(exact - maxwell) > 5e-4


OUTLINE = [(0, 0), (3, -0.4), (4, 1), (3.2, 2.2), (2.1, 1.6), (1.2, 3), (-0.3, 2)]  # no symmetry, one inward corner
CONTACT = 0.02


def contacts() -> dict[str, list[tuple[float, float]]]:
    """Four short contacts, each in the middle of an edge of the outline, in order around it."""
    found = {}
    for name, i in zip("ABCD", (0, 2, 4, 6), strict=True):
        a, b = np.array(OUTLINE[i], dtype=float), np.array(OUTLINE[(i + 1) % len(OUTLINE)], dtype=float)
        middle, along = (a + b) / 2, (b - a) / np.linalg.norm(b - a) * CONTACT / 2
        found[name] = [tuple(middle - along), tuple(middle + along)]
    return found


def test_van_der_pauw_on_a_shape_of_no_symmetry():
    """Contacts of a hundredth of the size leave an error well below 1 %; the free ones float at no current."""
    sigma = 0.7
    sheet = em.mesh.polygon(OUTLINE, electrodes=contacts(), size=0.25, refine=CONTACT / 8)

    def four_point(source: str, drain: str, plus: str, minus: str) -> float:
        on: dict[str, Any] = {name: conduction.electrode(current=0.0) for name in (plus, minus)}
        on |= {source: conduction.electrode(current=1.0), drain: em.fixed(0.0)}
        model = conduction.model(sheet, conductivity=sigma, on=on)
        em.solve_steady(model)
        assert balance(model) < 1e-10
        return conduction.voltage(model, plus) - conduction.voltage(model, minus)

    first, second = four_point("A", "B", "D", "C"), four_point("B", "C", "A", "D")
    assert first != pytest.approx(second, rel=0.1)  # the shape has no symmetry
    found = math.exp(-math.pi * sigma * first) + math.exp(-math.pi * sigma * second)
    assert found == pytest.approx(1.0, abs=0.01)
    # reciprocity is exact in the discrete problem
    assert four_point("D", "C", "A", "B") == pytest.approx(first, rel=1e-9)
