"""Units of quantities and fields, against what they become when all base units are changed.

Each model is built twice on each kind of domain: in SI, and with metre, second, kilogram, ampere and kelvin replaced by
other units, so that every number that goes in is multiplied by the factor of its own unit: lengths, conductivities, the
constants of the metal, the Boltzmann constant and the elementary charge. A number that comes out must then be
multiplied by the factor of the unit that the model claims for it, as Pint takes it apart. No label is believed.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import emfem as em
from emfem.dimensions import PLAIN, SI, Meaning, Value, parsed, product
from emfem.units import MPa, nm, um

import numpy as np
import pint
import pytest
import ufl
from dolfinx import fem

# Factors of the five base units; no product of small powers of them is near 1, or near another
BASE = {"[length]": 1.0311, "[time]": 0.9573, "[mass]": 1.0687, "[current]": 0.9234, "[temperature]": 1.0173}
UNITS = pint.UnitRegistry()
Convert = Callable[[Any, str], Any]


@cache
def factor(unit: str) -> float:
    """Factor of a number in a unit when the base units change."""
    text = "" if unit == PLAIN else unit.replace("Ohm", "ohm")
    for power in "234":
        text = text.replace(f"m{power}", f"m**{power}").replace(f"K{power}", f"K**{power}")
    dimensions = UNITS.parse_units(text).dimensionality
    return math.prod(value ** float(str(dimensions.get(base, 0))) for base, value in BASE.items())


def same(value: Any, unit: str) -> Any:
    """A number in SI."""
    return value


def other(value: Any, unit: str) -> Any:
    """The same in the other units."""
    return np.asarray(value) * factor(unit) if np.ndim(value) else value * factor(unit)


@pytest.mark.parametrize(
    "text",
    ["9**9**9**9", "m**9**9**9**9", "m**(9**9**9**9)", "m⁹⁹⁹⁹", "2**99999999999", "(((1+1)**999)**999)**999**999"],
)
def test_numbers_in_units_are_refused_before_they_are_computed(text: str):
    """Each would take for ever, or all memory."""
    with pytest.raises(ValueError, match=re.escape(text)):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MPa m**0.5", "MPa * m**0.5"),
        ("MPa m^(1/2)", "MPa * m**0.5"),
        ("(m/s)**2", "m**2/s**2"),
        ("1/(m2·s⁻²)", "s**2/m**2"),
    ],
)
def test_powers_of_units(text: str, expected: str):
    assert f"{parsed(text)}" == f"{UNITS.parse_units(expected)}"


# ---- domains ----------------------------------------------------------------------------------------------------


def _plane(x: Convert, fine: int = 2) -> em.mesh.Domain:
    return em.mesh.rectangle((x(3 * um, "m"), x(2 * um, "m")), cells=(3 * fine, 2 * fine), cell="triangle").in_metres()


def _shell(x: Convert) -> em.mesh.Domain:
    """The same triangles in both units, which gmsh would not make."""
    domain = em.mesh.tube(1 * um, 3 * um, size=1 * um).in_metres()
    domain.mesh.geometry.x[:] *= x(1.0, "m")
    return domain


DOMAINS: dict[str, Callable[[Convert], em.mesh.Domain]] = {
    "line": lambda x: em.mesh.interval(x(3 * um, "m"), cells=6).in_metres(),
    "plane": _plane,
    "plate": lambda x: _plane(x).with_thickness(x(80 * nm, "m")),
    "body of revolution": lambda x: em.mesh.axisymmetric(_plane(x)),
    "network": lambda x: em.mesh.network(
        [(0, 0), (x(2 * um, "m"), 0), (x(2 * um, "m"), x(1 * um, "m")), (x(3 * um, "m"), 0)],
        [(0, 1), (1, 2), (1, 3)],
        width=x(100 * nm, "m"),
        thickness=x(50 * nm, "m"),
        cells=2,
        names={0: "left", 2: "top", 3: "right"},
    ),
    "shell": _shell,
    "body": lambda x: em.mesh.box((x(3 * um, "m"), x(2 * um, "m"), x(1 * um, "m")), cells=(2, 2, 1)).in_metres(),
}
FINE = {
    "fine plane": lambda x: _plane(x, 8),
    "fine plate": lambda x: _plane(x, 8).with_thickness(x(80 * nm, "m")),
    "fine body of revolution": lambda x: em.mesh.axisymmetric(_plane(x, 8)),
    "fine body": lambda x: em.mesh.box(tuple(x(side * um, "m") for side in (3, 2, 2)), cells=(18, 12, 12)).in_metres(),
}
BLOCKED = ("flux ", "current bottom", "phi_min")  # what may be 0: nothing passes there
FLAT = ("plane", "plate", "body of revolution", "body")

# ---- models -----------------------------------------------------------------------------------------------------


def conduction(domain: em.mesh.Domain, x: Convert) -> em.Model:
    on: dict[str, Any] = {
        "left": em.fixed(x(0.3, "V")),
        "right": em.conduction.electrode(voltage=x(0.1, "V"), contact_resistivity=x(1e-13, "Ohm m2")),
    }
    model = em.conduction.model(domain, conductivity=x(4e7, "S/m"), on=on)
    em.solve_steady(model)
    return model


def fed(domain: em.mesh.Domain, x: Convert) -> em.Model:
    """A current through one electrode, behind a contact; a current density let in."""
    area = {1: "A/m2", 2: "A/m", 3: "A"}[domain.measure]
    contact = em.conduction.electrode(current=x(2e-3, area), contact_resistivity=x(1e-13, "Ohm m2"))
    top = next(name for name in domain.names if name not in ("left", "right"))
    on: dict[str, Any] = {"left": contact, "right": em.fixed(x(0.1, "V")), top: em.flux(x(1e9, "A/m2"))}
    model = em.conduction.model(domain, conductivity=x(4e7, "S/m"), on=on)
    em.solve_steady(model)
    return model


def heat(domain: em.mesh.Domain, x: Convert) -> em.Model:
    model = em.heat.model(
        domain,
        conductivity=x(300.0, "W/(m K)"),
        heat_capacity=x(3e6, "J/(m3 K)"),
        source=x(1e16, "W/m3"),
        loss=(x(1e12, "W/(m3 K)"), x(290.0, "K")),
        on={"left": em.fixed(x(300.0, "K")), "right": em.heat.convection(x(1e6, "W/(m2 K)"), x(280.0, "K"))},
    )
    em.evolve(model, x(1e-8, "s"), fixed_step=x(5e-9, "s"), progress=False)
    return model


def species(domain: em.mesh.Domain, x: Convert) -> em.Model:
    along = np.eye(domain.dim)[0]
    model = em.migration.model(
        domain,
        diffusivity=x(1e-14, "m2/s"),
        drift=x(2e-9 * along, "m/s"),
        initial=x(3e27, "1/m3"),
        on={"left": em.fixed(x(5e27, "1/m3")), "right": em.flux(x(2e18, "1/(m2 s)"))},
        unit="1/m3",
    )
    em.evolve(model, x(20.0, "s"), fixed_step=x(10.0, "s"), progress=False)
    return model


def alloy(domain: em.mesh.Domain, x: Convert) -> em.Model:
    along = np.eye(domain.dim)[0]
    model = em.migration.alloy(
        domain,
        diffusivities=(x(1e-14, "m2/s"), x(3e-14, "m2/s")),
        forces=(x(2e5 * along, "1/m"), None),
        initial=0.4,
        on={"left": em.fixed(0.6)},
        markers=True,
        vacancies=em.migration.vacancies(equilibrium=1e-4, lifetime=x(1e-3, "s")),
    )
    em.evolve(model, x(20.0, "s"), fixed_step=x(10.0, "s"), progress=False)
    return model


def held_alloy(domain: em.mesh.Domain, x: Convert) -> em.Model:
    model = em.migration.alloy(
        domain,
        diffusivities=(x(1e-14, "m2/s"), x(3e-14, "m2/s")),
        forces=(x(2e5, "1/m"), None),
        initial=0.4,
        on={"left": em.fixed(0.6)},
        lattice="held",
    )
    em.evolve(model, x(20.0, "s"), fixed_step=x(10.0, "s"), progress=False)
    return model


def grains(domain: em.mesh.Domain, x: Convert) -> em.Model:
    """A species with fast boundaries, in exchange with their own concentration."""
    model = em.migration.model(
        em.mesh.grains(domain, 2),
        diffusivity=x(1e-14, "m2/s"),
        drift=x(np.array([2e-9, 0.0]), "m/s"),
        initial=x(3e27, "1/m3"),
        on={"left": em.fixed(x(5e27, "1/m3"))},
        grain_boundaries=em.migration.fast_path(
            width=x(1 * nm, "m"), diffusivity=x(1e-11, "m2/s"), exchange=x(1e-9, "m/s"), segregation=3.0
        ),
        unit="1/m3",
    )
    em.evolve(model, x(20.0, "s"), fixed_step=x(10.0, "s"), progress=False)
    return model


def metal(x: Convert) -> em.materials.Material:
    return em.materials.Material(
        "a metal",
        temperature=x(500.0, "K"),
        diffusivity=x(1e-15, "m2/s"),
        atomic_volume=x(1.2e-29, "m3"),
        bulk_modulus=x(2.8e10, "Pa"),
        effective_charge=-5.0,
        resistivity=x(3e-8, "Ohm m"),
        heat_of_transport=x(3e-20, "J"),
        surface_diffusivity_thickness=x(1e-20, "m3/s"),
        surface_energy=x(1.7, "J/m2"),
    )


def stress(domain: em.mesh.Domain, x: Convert) -> em.Model:
    along = np.eye(domain.dim)[0]
    networked = domain.network is not None
    model = em.stress.model(
        domain,
        metal(x),
        field=None if networked else x(100.0 * along, "V/m"),
        current_density=x(np.array([3e9, 1e9, 2e9]), "A/m2") if networked else None,
        residual_stress=x(100 * MPa, "Pa"),
        on={"left": em.fixed(x(50 * MPa, "Pa")), "right": em.flux(x(1e19, "1/(m2 s)"))},
        voids=domain.mesh.topology.dim == 1,
    )
    if "void" in model.names:
        em.stress.open_void(model, 2 if networked else "right")
    em.evolve(model, x(40.0, "s"), fixed_step=x(20.0, "s"), progress=False)
    return model


def warm(domain: em.mesh.Domain, x: Convert) -> em.Model:
    """Stress in a gradient of the temperature, which something balances."""
    place = ufl.SpatialCoordinate(domain.mesh)[0] / float(domain.mesh.geometry.x[:, 0].max())
    hot = fem.Constant(domain.mesh, float(x(500.0, "K"))) * (1 + 0.1 * place)
    field = x(100.0 * np.eye(domain.dim)[0], "V/m")
    model = em.stress.model(domain, metal(x), field=field, temperature=hot, residual_stress=x(90 * MPa, "Pa"))
    em.evolve(model, x(40.0, "s"), fixed_step=x(20.0, "s"), progress=False)
    return model


def solid(domain: em.mesh.Domain, x: Convert) -> em.Model:
    """Loads, heat, atoms and vacancies together."""
    copper = em.mechanics.Elastic(x(1e11, "Pa"), 0.3, x(2e-5, "1/K"))
    push = np.array([30.0, 20.0, 10.0]) * MPa
    on = dict.fromkeys(domain.names, em.mechanics.pressure(x(40 * MPa, "Pa")))
    on |= {"left": em.mechanics.clamped(domain), "right": em.mechanics.traction(x(push[: domain.dim], "Pa"))}
    model = em.mechanics.model(
        domain,
        copper,
        on=on,
        temperature=x(500.0, "K"),
        stress_free_temperature=x(600.0, "K"),
        atoms=metal(x),
        field=x(100.0 * np.eye(domain.dim)[0], "V/m"),
        atoms_on={"left": em.fixed(x(50 * MPa, "Pa")), "right": em.flux(x(1e19, "1/(m2 s)"))},
        vacancies=em.mechanics.Vacancies(1e-4, x(1e-3, "s")),
    )
    em.evolve(model, x(40.0, "s"), fixed_step=x(20.0, "s"), progress=False)
    return model


def surface(domain: em.mesh.Domain, x: Convert) -> em.Model:
    turned = domain.weight_lengths == 1 and domain.thickness is None
    middle = (x(1.5 * um, "m"), 0.0 if turned else x(1.05 * um, "m"), x(0.95 * um, "m"))[: domain.dim]
    model = em.surface.model(
        domain,
        metal(x),
        shape=em.surface.void(middle, x(500 * nm, "m")),
        current_density=x(1e10, "A/m2"),
        on=("left", "right"),
        interface_width=x(170 * nm, "m"),
    )
    em.evolve(model, x(1e-3, "s"), fixed_step=x(5e-4, "s"), progress=False)
    return model


def height(domain: em.mesh.Domain, x: Convert) -> em.Model:
    """A surface that is rough and uneven from the start, under a field."""
    one, two = (
        em.height.Species(x(d, "m2/s"), x(gamma, "J/m2"), z, strength=0.5, misorientation=0.3)
        for d, gamma, z in ((1e-11, 1.5, 10.0), (3e-11, 1.2, -5.0))
    )
    shared, mixing = (x(700.0, "K"), x(1.7e-29, "m3"), x(0.5 * nm, "m")), (x(1e-20, "J"), x(1e-20, "J"))
    long = x(3 * um, "m")
    model = em.height.model(
        domain,
        em.height.Alloy(one, two, *shared, *mixing),
        thickness=x(100 * nm, "m"),
        field=x(3e4 * np.eye(domain.dim)[0], "V/m"),
        height=lambda at: x(20 * nm, "m") * (0.3 + np.sin(5 * at[0] / long)),
        composition=lambda at: 0.4 + 0.1 * np.sin(2 * at[0] / long),
    )
    em.evolve(model, x(2e-3, "s"), fixed_step=x(1e-3, "s"), progress=False)
    return model


CASES = [
    *((height, name) for name in ("line", "plane")),
    *((conduction, name) for name in DOMAINS),
    *((fed, name) for name in FLAT),
    *((heat, name) for name in DOMAINS),
    *((species, name) for name in DOMAINS),
    *((alloy, name) for name in ("line", "plane", "plate")),
    (held_alloy, "line"),
    *((stress, name) for name in DOMAINS),
    *((grains, name) for name in ("plane", "plate")),
    *((warm, name) for name in ("line", "plane")),
    *((solid, name) for name in ("line", "plane", "plate", "body of revolution", "body")),
    *((surface, name) for name in FINE),
]
# Every physics on a line, and every kind of domain with some physics: each case compiles ten forms of its own
IN_SOAK = {
    height: ("plane",),
    heat: ("network", "plane", "plate"),
    species: ("network", "plane", "plate"),
    alloy: ("plane",),
    fed: ("plate",),
    stress: ("plane", "plate"),
    grains: ("plate",),
    solid: ("plane", "plate"),
    warm: ("plane",),
}
WHOLE = ("body", "shell", "body of revolution", "fine body")  # in space, as a plate is: one model of them will do


def once(make: Callable[..., em.Model], name: str) -> Any:
    """Return a case, marked if only `make soak` has it."""
    later = (name in WHOLE and make is not conduction) or name in IN_SOAK.get(make, ())
    marks = [pytest.mark.soak] if later else []
    return pytest.param(make, name, id=f"{make.__name__}-{name}", marks=marks)


def built(make: Callable[..., em.Model], name: str, x: Convert) -> em.Model:
    """A model on a domain in units, and the constants of nature in the same."""
    nature = {"boltzmann": x(em.units.boltzmann, "J/K"), "elementary_charge": x(em.units.elementary_charge, "A s")}
    with pytest.MonkeyPatch.context() as patch:
        for part in em.__all__:
            getattr(em, part)  # a module that is loaded later would keep these values
        for module in [m for key, m in sys.modules.items() if key.startswith("emfem.")]:
            for constant, value in nature.items():
                if hasattr(module, constant):
                    patch.setattr(module, constant, value)
        return make((DOMAINS | FINE)[name](x), x)


def numbers(model: em.Model) -> dict[str, Value]:
    """Every quantity, and of every field the largest size at nodes; each with the unit that it claims."""
    found = {name: Value(model.quantity(name), q.unit) for name, q in model.quantities.items()}
    for name, field in model.fields.items():
        sampled = em.fields.discontinuous(field.value, model.mesh, 1)
        values = sampled.x.array
        size = np.ptp(values) if name == "balancing_stress" else np.abs(values).max()  # that is up to a constant
        found[f"field {name}"] = Value(float(size), field.unit)
    return found


@pytest.mark.parametrize(("make", "name"), [once(*case) for case in CASES])
def test_numbers_change_as_their_units(make: Callable[..., em.Model], name: str) -> None:
    """To 1e-5: solvers stop at 1e-8 or so, and the next unit is 1 % away. A number that is 0 would prove nothing."""
    here = numbers(built(make, name, same))
    there = numbers(built(make, name, other))
    wrong = {}
    for key, value in here.items():
        expected = value.number * factor(value.unit)
        size = abs(expected) or 1e-30
        told = value.number != 0 or key.startswith(BLOCKED)
        if not told or abs(there[key].number - expected) > 1e-5 * size:
            wrong[key] = (value, there[key], expected)
    assert wrong == {}


# ---- where there is no unit ------------------------------------------------------------------------------------


def film(domain: em.mesh.Domain, alloy: em.film.Alloy | None = None) -> em.Model:
    return em.film.model(domain, alloy or em.film.cupd(), mean=0.3, initial=em.film.noise(0.08, seed=1))


def bare(domain: em.mesh.Domain) -> em.Model:
    return em.conduction.model(domain, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})


def units_of(model: em.Model) -> set[str]:
    return {told.unit for told in (*model.quantities.values(), *model.fields.values())}


@pytest.mark.parametrize("long", [62.4, 62.4e-6])
def test_without_a_system_nothing_has_a_unit(long: float) -> None:
    """Of bare numbers on a bare domain none has a unit, however long it is; neither has a film."""
    domain = em.mesh.rectangle((long, long), cells=(2, 2))
    assert units_of(bare(domain)) == units_of(film(domain)) == {PLAIN}
    assert (bare(domain).system.name, film(domain).system.name) == ("unknown", "scaled")
    assert (bare(domain).system.length, film(domain).system.length) == (PLAIN, "h")


def test_a_scaled_domain_has_no_units_with_a_material_either() -> None:
    domain = em.mesh.interval(3.0, cells=2).scaled("h")
    model = em.stress.model(domain, metal(same), current_density=1e10)
    assert units_of(model) == {PLAIN}
    assert str(model.system) == "scaled by h"


def test_a_material_is_in_si() -> None:
    """A model with a material tells units on a domain of which nobody told, one of bare numbers does not."""
    domain = em.mesh.interval(3 * um, cells=2)
    assert em.stress.model(domain, metal(same), current_density=1e10).quantities["stress"].unit == "Pa m"
    on = {"left": em.fixed(300.0)}
    assert em.heat.model(domain, em.materials.copper(), on=on).quantities["lost"].unit == "W/m2"
    assert units_of(em.heat.model(domain, conductivity=1.0, heat_capacity=1.0, on=on, initial=300.0)) == {PLAIN}


def test_a_thickness_is_in_metres_unless_the_domain_is_scaled() -> None:
    domain = em.mesh.rectangle((3.0, 3.0), cells=(2, 2))
    assert bare(domain.with_thickness(0.5)).quantities["power"].unit == "W"
    assert units_of(bare(domain.scaled().with_thickness(0.5))) == {PLAIN}


def test_a_film_in_metres_is_refused() -> None:
    plane = _plane(same)
    with pytest.raises(em.ParameterError, match="domain = rectangle in metres, must be in film thicknesses"):
        film(plane)
    assert film(plane.scaled("x0")).system.length == "x0"
    own = em.film.model(plane, em.film.cupd(), mean=0.3, initial=em.film.noise(0.01), free_energy=lambda c: c**2)
    assert own.system.length == PLAIN


def test_a_film_knows_its_scales() -> None:
    alloy = em.film.Alloy.from_physical(
        temperature=923.0,
        film_thickness=2 * nm,
        site_density=1.5e19,
        surface_energy=1.95,
        interaction_energy=1.9e-20,
        stress_coefficient=-5e8,
        gradient_coefficient=6e-11,
        diffusivity=1e-12,
    )
    model = film(em.mesh.rectangle((30.0, 30.0), cells=(2, 2)), alloy)
    assert alloy.scales is not None
    assert model.system.scales == {"m": 2 * nm, "s": alloy.scales.time}
    assert str(model.system) == f"scaled by h (1 is 2e-09 m, 1 is {alloy.scales.time:.4g} s)"


def test_an_own_model_keeps_its_units() -> None:
    """Units of a user's model are not changed by the domain, nor by filling a placeholder."""
    domain = em.mesh.rectangle((3.0, 3.0), cells=(2, 2))
    unknown = em.model.evolving("u", fem.functionspace(domain.mesh, ("Lagrange", 1)))
    (v,) = em.model.tests((unknown,))
    other_field = em.placeholder("p", domain)
    model = em.Model(
        "own",
        domain,
        (unknown,),
        (unknown.rate - other_field) * v * domain.dx(),
        quantities={"amount": em.model.Quantity(unknown.function * domain.dx(), "mol")},
        meanings={"u": Meaning("density", "mol/m2")},
    )
    filled = model.substitute(p=unknown.function)
    for each in (model, filled):
        assert (each.quantities["amount"].unit, each.fields["u"].unit) == ("mol", "mol/m2")


# ---- thickness --------------------------------------------------------------------------------------------------


def test_a_thickness_multiplies_what_is_integrated_and_nothing_else() -> None:
    """Half the thickness: half the current and power, the same potential."""
    plane = _plane(same)
    found = []
    for domain in (plane, plane.with_thickness(0.5)):
        model = bare(domain)
        em.solve_steady(model)
        phi = em.fields.evaluate(model["phi"], [(1 * um, 1 * um)])[0]
        found.append(
            (model.quantity("power"), em.conduction.resistance(model), phi, em.conduction.crowding(model).mean)
        )
    assert found[1] == pytest.approx([0.5 * found[0][0], 2 * found[0][1], *found[0][2:]], rel=1e-9)


def test_a_void_in_a_plate_drifts_along_both_axes() -> None:
    """About an axis along x alone: a thickness is no axis."""
    for name, domain in FINE.items():
        model = em.surface.model(domain(same), metal(same), shape=em.surface.flat(1 * um), interface_width=170 * nm)
        assert ("y_drift" in model.quantities) is ("revolution" not in name)


def test_the_mean_current_density_of_a_plate_is_that_of_the_plane() -> None:
    plane = em.mesh.periodic_rectangle((2.0, 1.0), cells=(4, 3))
    for domain in (plane, plane.with_thickness(0.25)):
        model = em.conduction.model(domain, conductivity=3.0, mean_field=(1.0, 0.0))
        em.solve_steady(model)
        assert em.conduction.mean_current(model) == pytest.approx([3.0, 0.0], abs=1e-9)


def test_a_domain_made_of_another_keeps_what_it_is() -> None:
    plane = _plane(same)
    plate = em.mesh.grains(plane.with_thickness(80 * nm), 2)
    assert (plate.thickness, plate.measure, plate.length_unit) == (80 * nm, 3, "m")
    finer = em.mesh.refined(plane, lambda x: x[0], within=1 * nm, size=0.5 * um)
    assert (finer.length_unit, em.mesh.axisymmetric(finer).measure) == ("m", 3)
    assert em.mesh.axisymmetric(plane.scaled("h")).length_unit == "h"


@pytest.mark.parametrize(
    ("domain", "thickness", "told"),
    [
        (lambda: em.mesh.interval(1.0, cells=2), 1.0, "must be of a plane domain or a shell"),
        (lambda: em.mesh.box((1.0, 1.0, 1.0), cells=(1, 1, 1)), 1.0, "must be of a plane domain or a shell"),
        (lambda: em.mesh.axisymmetric(_plane(same)), 1.0, "that is not weighted already"),
        (lambda: _plane(same).with_thickness(1.0), 1.0, "that is not weighted already"),
        (lambda: _plane(same), 0.0, "thickness = 0, must be greater than 0"),
        (lambda: _plane(same), float("nan"), "thickness = nan, must be finite"),
    ],
)
def test_bad_thicknesses_are_named(domain: Callable[[], em.mesh.Domain], thickness: float, told: str) -> None:
    with pytest.raises(em.ParameterError, match=told):
        domain().with_thickness(thickness)


def test_a_scale_has_a_name() -> None:
    with pytest.raises(em.ParameterError, match="by = 3, must be a text"):
        _plane(same).scaled(3)  # type: ignore[arg-type]


# ---- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "metres", "seconds", "told"),
    [
        ("Pa m3", -2, 0, "Pa m"),
        ("A", -1, 0, "A/m"),
        ("Ohm", 2, 0, "Ohm m2"),
        ("1/s", -1, 0, "1/(m s)"),
        ("m3", -3, 0, "-"),
        ("-", -2, 0, "1/m2"),
        ("m4/s", -1, 0, "m3/s"),
        ("1/m3", 1, -1, "1/(m2 s)"),
        ("W/(m K)", 1, 0, "W/K"),
        ("mol/m3", 3, -1, "mol/s"),
    ],
)
def test_products_of_units_are_short(unit: str, metres: int, seconds: int, told: str) -> None:
    assert product(unit, metres=metres, seconds=seconds) == told


def test_a_species_has_the_unit_it_is_given() -> None:
    domain = em.mesh.interval(3 * um, cells=2).in_metres()
    for unit, told in (
        (None, (PLAIN, PLAIN, PLAIN)),
        ("mol/m3", ("mol/m2", "mol/(m2 s)", "mol/m3")),
        ("-", ("m", "m/s", "-")),
    ):
        model = em.migration.model(domain, diffusivity=1e-14, initial=1.0, unit=unit)
        quantities = model.quantities
        assert (quantities["amount"].unit, quantities["flux left"].unit, quantities["c_max"].unit) == told
    with pytest.raises(em.ParameterError, match="unit = 'parsnips', must be one that exists"):
        em.migration.model(domain, diffusivity=1e-14, initial=1.0, unit="parsnips")


def test_models_and_fields_describe_themselves() -> None:
    model = bare(_plane(same).with_thickness(80 * nm))
    assert repr(model) == "<conduction model on rectangle, t = 0; phi, E, j, potential; units: SI>"
    assert repr(model.domain) == ("<rectangle of 48 triangle cells in 2-D; boundaries left, right, bottom, top; SI>")
    assert repr(model.fields["j"]) == "<vector j [A/m2]: current density>"
    assert (model.quantities["power"].symbol, model.quantities["power"].label) == ("power", "power")
    assert SI.length == "m"
