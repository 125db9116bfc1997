"""Warnings of a wire about itself: its own current density, thin necks, a break, electrons at its surfaces."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest

R, BOX, WIDTH = 10 * nm, 30 * nm, 2.5 * nm
GOLD = em.materials.gold(temperature=900.0)
TIME = R**4 / em.analytic.mullins_coefficient(GOLD)


def wire(material: Any = GOLD, *, turned: bool = True, amplitude: float = 0.0, **drive: Any) -> em.Model:
    """A round wire in a box three times as wide, or half of a strip in a plane; an amplitude makes a neck."""
    box = em.mesh.periodic_rectangle((100 * nm, BOX), cells=(40, 12), axes="x")
    shape = em.surface.wire(R, amplitude=amplitude, wavelength=100 * nm if amplitude else None)
    domain = em.mesh.axisymmetric(box) if turned else box
    return em.surface.model(domain, material, shape=shape, interface_width=WIDTH, **drive)


def told(call: Any) -> list[str]:
    """Return the warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(("turned", "part", "area"), [(True, 1 / 9, np.pi * R**2), (False, 1 / 3, R)])
def test_a_mean_over_a_box_of_vacuum_is_warned_of_and_the_current_it_names_is_right(
    turned: bool, part: float, area: float
):
    (words,) = [w for w in told(lambda: wire(turned=turned, current_density=1e11)) if "mean over" in w]
    assert f"metal fills {part:.3g} of it" in words
    assert f"{1 / part:.3g} times as large there" in words
    assert f"current=j * {area:.4g} [m" in words
    assert not [w for w in told(lambda: wire(turned=turned, current=1e-5)) if "mean over" in w]


def test_the_density_in_the_neck_is_that_of_a_wire_of_its_section():
    """The current is prescribed: over the wire's section it is the density that was wanted."""
    model = wire(current=1e11 * np.pi * R**2)
    em.evolve(model, 1e-6 * TIME, progress=False)
    assert model.quantity("neck_current_density") == pytest.approx(1e11, rel=1e-3, abs=0)
    assert model.quantities["neck_current_density"].unit == "A/m2"


def test_a_line_around_a_void_is_all_metal():
    box = em.mesh.periodic_rectangle((60 * nm, 40 * nm), cells=(24, 16), axes="x")
    void = em.surface.void((30 * nm, 20 * nm), 15 * nm)  # a quarter of the section is left beside it
    assert not told(lambda: em.surface.model(box, GOLD, shape=void, interface_width=WIDTH, current_density=1e11))


def test_a_thin_wire_of_the_bulks_resistivity_is_warned_of():
    """With the factor that `with_size_effect` has; not with it, nor where electrons are scattered before."""
    (words,) = told(lambda: wire(voltage=1e-3))
    thin = GOLD.with_size_effect(height=2 * R, width=2 * R)
    assert f"{thin.resistivity / GOLD.resistivity:.3g} times as large" in words
    assert "gold.with_size_effect(height=2e-08, width=2e-08)" in words
    assert not told(lambda: wire(thin, voltage=1e-3))
    assert not told(lambda: wire(em.materials.tungsten(1500.0), voltage=1e-3))
    plain = em.materials.Material("plain", temperature=900.0, **{name: getattr(GOLD, name) for name in NEEDED})
    assert not told(lambda: wire(plain, voltage=1e-3))


NEEDED = ("surface_diffusivity_thickness", "surface_energy", "atomic_volume", "effective_charge", "resistivity")


@pytest.fixture(scope="module")
def breaking() -> list[str]:
    """Warnings of the run of a wire with a thin neck that breaks at 0.03 of its own time."""
    model = wire(amplitude=6 * nm, voltage=1e-3)
    return told(lambda: em.evolve(model, 0.1 * TIME, rtol=1e-2, first_step=1e-6 * TIME, progress=False))


def test_a_neck_thinner_than_five_widths_is_warned_of_once(breaking: list[str]):
    (words,) = [w for w in breaking if "neck = " in w]
    assert "neck = 4.02e-09 at t = " in words
    assert "should be at least 1.25e-08: 5 times interface_width = 2.5e-09 m" in words


def test_a_wire_that_breaks_says_so_once_with_the_time(breaking: list[str]):
    (words,) = [w for w in breaking if "broken" in w]
    time = float(words.split("at t = ")[1].split(",")[0])
    assert 0.01 < time / TIME < 0.05
    assert "conducts 0.001 times as well" in words
    assert "em.surface.neck_below(0)" in words


def test_a_folder_has_the_profile_of_its_wire(tmp_path: Path):
    """The outline as the run had it, at every time that was saved."""
    model = wire(amplitude=2 * nm)
    em.evolve(model, 1e-4 * TIME, watch=[em.results.Recorder(tmp_path / "run", every=0.5e-4 * TIME)], progress=False)
    saved = em.results.open(tmp_path / "run")
    assert np.array_equal(em.surface.profile(saved.models()[0]), em.surface.profile(model))
    assert em.surface.neck(saved.models(0.0)[0]) == pytest.approx(8 * nm, rel=1e-2, abs=0)
    line = em.conduction.model(em.mesh.interval(1.0, cells=2), on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    with pytest.raises(em.ParameterError, match=r"must be one of em\.surface\.model"):
        em.surface.profile(line)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"shape": em.surface.wire(6.0)},
            "radius = 6 m in a domain of 6e-08 m, must be one of its lengths: did you mean 6 * nm?",
        ),
        ({"shape": em.surface.void((30.0, 0.0), 6 * nm)}, "centre = 30 m in a domain whose corners are up to 6e-08 m"),
        ({"shape": em.surface.strip(2.0)}, "width = 2 m"),
        ({"shape": em.surface.flat(2.0)}, "height = 2 m"),
        ({"shape": em.surface.ellipse((3e-8, 0.0), (6.0, 5.0))}, "semi_axes = 6 m"),
        ({"shape": em.surface.bridge(34.0, 6 * nm, middle=30 * nm)}, "length = 34 m"),
        ({"shape": em.surface.bridge(34 * nm, 6 * nm, middle=30.0)}, "did you mean 30 * nm?"),
        ({"interface_width": 2.0}, "interface_width = 2 m"),
        ({"size": 60.0}, "domain = 60 m long, must be at most 0.1 m: did you mean 60 * nm?"),
    ],
)
def test_a_length_without_its_unit_is_told_with_what_was_meant(options: dict[str, Any], words: str):
    size = options.pop("size", 60 * nm)
    domain = em.mesh.rectangle((size, size / 2), cells=(4, 2))
    given: dict[str, Any] = {"shape": em.surface.wire(15 * nm), "interface_width": 25 * nm}
    with pytest.raises(em.ParameterError, match=re.escape(words)):
        em.surface.model(domain, GOLD, **(given | options))


def test_a_run_that_ends_with_its_wire_does_not_say_that_it_goes_on():
    model = wire(amplitude=6 * nm, voltage=1e-3)
    stop = em.watch.stop_when(em.surface.neck_below(0))
    run: list[em.Run] = []
    words = told(lambda: run.append(em.evolve(model, TIME, rtol=1e-2, first_step=1e-6 * TIME, watch=[stop])))
    assert run[0].stopped == "broken"
    assert not [w for w in words if "the wire is broken" in w]


def test_a_domain_may_lie_far_from_the_origin():
    """Coordinates of a layout: the place is compared with the corners, lengths with the edges."""
    far, box = 4e-4, em.mesh.rectangle((60 * nm, 40 * nm), cells=(24, 16))
    box.mesh.geometry.x[:, 0] += far
    void = em.surface.void((far + 30 * nm, 20 * nm), 12 * nm)
    assert em.surface.model(box, GOLD, shape=void, interface_width=WIDTH).quantity("void") > 0


def test_a_wire_along_y_has_no_neck_along_x():
    box = em.mesh.rectangle((40 * nm, 60 * nm), cells=(16, 24))
    along_y = em.surface.model(
        box,
        GOLD,
        shape=lambda x: 8 * nm - abs(x[0] - 20 * nm),
        interface_width=WIDTH,
        voltage=0.01,
        on=("bottom", "top"),
    )
    assert np.isnan(along_y.quantity("neck"))
    with pytest.raises(em.ParameterError, match="the neck is looked for along x, but the current flows otherwise"):
        em.surface.neck_below(0)([along_y], 0.0)


def test_islands_without_a_current_have_no_neck_to_warn_of():
    box = em.mesh.periodic_rectangle((60 * nm, 30 * nm), cells=(24, 12), axes="x")
    island = em.surface.model(
        box, GOLD, shape=lambda x: 15 * nm - np.hypot(x[0] - 30 * nm, x[1]), interface_width=WIDTH
    )
    assert not told(lambda: em.evolve(island, 1e-3 * TIME, progress=False))
