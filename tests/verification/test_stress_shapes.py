"""Stress in shapes: the affine law in any blocked conductor, and one line in one, two and three dimensions."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.units import MPa, elementary_charge, um, year
from tests.reference import reference_copper

import numpy as np
import pytest
from dolfinx import fem

LENGTH = 50 * um
DENSITY = 1e10


def bend() -> em.mesh.Domain:
    return em.mesh.bend(width=2 * um, arms=(10 * um, 8 * um), size=0.5 * um)


def holed() -> em.mesh.Domain:
    return em.mesh.strip_with_holes(length=20 * um, width=6 * um, holes=[(8 * um, 3.5 * um, 1 * um)], size=0.7 * um)


def via() -> em.mesh.Domain:
    return em.mesh.via(
        line_length=4 * um, line_width=1 * um, line_thickness=0.5 * um, via_radius=0.3 * um, via_height=0.6 * um,
        size=0.4 * um,
    )  # fmt: skip


def turned() -> em.mesh.Domain:
    """A cylinder, as a body of revolution."""
    return em.mesh.axisymmetric(em.mesh.rectangle((20 * um, 1 * um), cells=(20, 2)))


SHAPES = {"bend": (bend, 2), "strip with a hole": (holed, 2), "via": (via, 1), "cylinder": (turned, 2)}
ENDS = {"bend": ("start", "end"), "cylinder": ("left", "right")}


@pytest.mark.parametrize("shape", SHAPES)
def test_steady_stress_follows_the_potential_at_every_node(shape: str):
    """sigma - <sigma> = (Z* e/Omega)(phi - <phi>), relaxed in time, against the closed form: solvers' tolerance."""
    make, degree = SHAPES[shape]
    domain = make()
    first, last = ENDS.get(shape, ("anode", "cathode"))
    on = {first: em.fixed(0.01), last: em.fixed(0.0)}
    current = em.conduction.model(domain, conductivity=1 / 2.25e-8, on=on, degree=degree)
    em.solve_steady(current)
    model = em.stress.model(domain, reference_copper(), current=current, residual_stress=5 * MPa, degree=degree)
    stress = em.stress.steady(model)
    em.solve_steady(model)
    one, phi = fem.Constant(domain.mesh, 1.0), current["phi"]
    volume, total = (em.fields.integral(fem.form(f * domain.dx(4)), domain.mesh.comm) for f in (one, phi))
    exact = 5 * MPa - elementary_charge / 1.18e-29 * (phi.x.array - total / volume)
    assert stress.x.array == pytest.approx(exact, abs=1e-12 * np.ptp(exact))
    assert model["sigma"].x.array == pytest.approx(exact, abs=1e-9 * np.ptp(exact))
    assert np.ptp(exact) == pytest.approx(135.77768 * MPa, rel=1e-6)  # e V/Omega
    assert model.quantity("mean") == pytest.approx(5 * MPa, rel=1e-9)


def test_steady_stress_does_not_depend_on_the_path():
    """A regional diffusivity changes nothing; here a law of temperature does, with the same Z*."""
    stresses = []
    for metal in (reference_copper(), reference_copper(diffusivity=1e-18, bulk_modulus=1e11)):
        domain = bend()
        on = {"start": em.fixed(0.01), "end": em.fixed(0.0)}
        current = em.conduction.model(domain, conductivity=1 / 2.25e-8, on=on)
        em.solve_steady(current)
        model = em.stress.model(domain, metal, current=current)
        em.solve_steady(model)
        stresses.append(model["sigma"].x.array)
    assert stresses[0] == pytest.approx(stresses[1], abs=1e-9 * np.ptp(stresses[0]))


def test_one_line_in_every_dimension():
    """At 1 and 10 years the highest stress of line, strip, bar, cylinder and wire agrees, and is exact to 0.5 %."""
    cells, across = 20, 1 * um
    bodies: dict[str, tuple[em.mesh.Domain, Any]] = {
        "line": (em.mesh.interval(LENGTH, cells=cells), DENSITY),
        "strip": (em.mesh.rectangle((LENGTH, across), cells=(cells, 1)), (DENSITY, 0.0)),
        "bar": (em.mesh.box((LENGTH, across, across), cells=(cells, 1, 1)), (DENSITY, 0.0, 0.0)),
        "cylinder": (
            em.mesh.axisymmetric(em.mesh.rectangle((LENGTH, across), cells=(cells, 1))),
            (DENSITY, 0.0),
        ),
        "wire": (
            em.mesh.network(
                [(0, 0), (0.6 * LENGTH, 0.8 * LENGTH)], [(0, 1)], width=across, thickness=across, cells=cells
            ),
            DENSITY,
        ),
    }
    found = {}
    for name, (domain, density) in bodies.items():
        model = em.stress.model(domain, reference_copper(), current_density=density)
        series = em.watch.series(["sigma_max"], times=np.array([1, 10]) * year)
        em.evolve(model, until=10 * year, watch=[series], rtol=1e-6, atol=1e-8, progress=False)
        found[name] = series["sigma_max"]
    exact = np.array([25.921030, 69.732801]) * MPa
    for values in found.values():
        assert values == pytest.approx(exact, rel=1e-5)  # asked for: 0.5 %; error of 20 cells and the steps
        assert values == pytest.approx(found["line"], rel=2e-6)


def test_a_layout_agrees_with_the_network_of_it():
    """A plane L of thin wires against two segments: the corner, a width across, is all that differs: 2 % of 30 um."""
    width = 0.5 * um
    domain = em.mesh.bend(width=width, arms=(20 * um, 10 * um), size=0.25 * um)
    on = {"start": em.fixed(0.006), "end": em.fixed(0.0)}
    current = em.conduction.model(domain, conductivity=1 / 2.25e-8, on=on)
    em.solve_steady(current)
    plane = em.stress.steady(em.stress.model(domain, reference_copper(), current=current))
    density = abs(em.conduction.current(current, "end")) / width
    length = em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * domain.dx(1)), domain.mesh.comm) / width
    net = em.mesh.network(
        [(0, 0), (2 / 3 * length, 0), (2 / 3 * length, length / 3)], [(0, 1), (1, 2)], width=width, thickness=um
    )
    wires = em.stress.at_nodes(em.stress.steady(em.stress.model(net, reference_copper(), current_density=density)))
    low, high = em.fields.extremes(plane)
    assert [wires.min(), wires.max()] == pytest.approx([low, high], rel=0.02)
