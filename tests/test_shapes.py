"""Shapes that gmsh meshes: sizes, names, and what cannot be drawn."""

import math

import emfem as em

import pytest
from dolfinx import fem

STRIP = {"length": 8.0, "width": 4.0, "notch_depth": 1.0, "notch_width": 1.2, "size": 0.3}


def measure(domain: em.mesh.Domain, measures: list[object]) -> list[float]:
    one = fem.Constant(domain.mesh, 1.0)
    return [em.fields.integral(fem.form(one * m), domain.mesh.comm) for m in measures]


@pytest.mark.parametrize("notch_width", [1.2, 3.0])
def test_a_notched_strip_has_its_area_edges_and_names(notch_width: float):
    """Deeper than wide, and wider than deep; a chord of 0.1 on a radius of about 1 leaves 1e-3 of the notch."""
    domain = em.mesh.notched_strip(**STRIP | {"notch_width": notch_width})
    assert domain.names == ("anode", "cathode", "sides")
    area, anode, cathode = measure(domain, [domain.dx(), domain.ds("anode"), domain.ds("cathode")])
    assert area == pytest.approx(32.0 - math.pi * notch_width / 4, abs=5e-3)
    assert (anode, cathode) == pytest.approx((4.0, 4.0), rel=1e-12)
    lower, upper = em.mesh.bounds(domain.mesh)
    assert [*lower, *upper] == pytest.approx([0.0, 0.0, 8.0, 4.0], abs=1e-12)
    assert "notched strip 8 x 4" in str(domain)


def test_cells_are_smaller_at_the_notch():
    domain = em.mesh.notched_strip(**STRIP)
    text = str(domain)
    smallest, largest = (float(word) for word in text.split("diameter ")[1].split(";")[0].split(" to "))
    assert smallest < 0.5 * 0.3
    assert 0.25 < largest < 0.5


def test_the_current_crowds_at_the_tip_of_the_notch():
    """An elliptic notch in a wide plate crowds by 1 + depth / half width = 2.667 over the far field.

    The strip is four notches wide and its mean holds the crowded part: 2.69 measured.
    """
    domain = em.mesh.notched_strip(**STRIP)
    model = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    em.solve_steady(model)
    found = em.conduction.crowding(model)
    assert found.place == pytest.approx([4.0, 3.0], abs=0.15)
    assert found.ratio == pytest.approx(1 + 1.0 / 0.6, rel=0.05)
    currents = [em.conduction.current(model, name) for name in ("anode", "cathode")]
    assert currents[0] + currents[1] == pytest.approx(0.0, abs=1e-10 * abs(currents[0]))
    assert em.conduction.resistance(model) > 8.0 / 4.0


def test_a_film_between_electrodes_keeps_its_solute_and_moves_it_along_the_field():
    domain = em.mesh.notched_strip(**STRIP)
    current = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    film = em.film.model(domain, em.film.cupd(), mean=0.3, field=2.0 * current["E"], degree=1)
    before = film.quantity("solute")
    em.evolve([current, film], 2.0, rtol=1e-3, progress=False, watch=[em.watch.conserved("solute")])
    assert film.quantity("solute") == pytest.approx(before, rel=1e-10)
    ends = em.fields.evaluate(film["c"], [[0.05, 2.0], [7.95, 2.0]])
    assert ends[0] < 0.27
    assert ends[1] > 0.33


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"length": 0.0}, "length = 0, must be greater than 0"),
        ({"width": -1.0}, "width = -1, must be greater than 0"),
        ({"notch_depth": 4.0}, "notch_depth = 4, must be less than 4"),
        ({"notch_width": 9.0}, "notch_width = 9, must be less than 8"),
        ({"size": 0.0}, "size = 0, must be greater than 0"),
        ({"size": 5.0}, "size = 5, must be at most 4"),
        ({"notch_depth": math.nan}, "notch_depth = nan, must be finite"),
    ],
)
def test_a_strip_that_cannot_be_is_refused(change: dict[str, float], told: str):
    with pytest.raises(em.ParameterError, match=told):
        em.mesh.notched_strip(**STRIP | change)
