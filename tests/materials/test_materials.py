"""Metals as values: tables, confidence, overrides, ranges, files; and the messages for bad input."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import partial
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import ParameterError, UnknownName
from emfem.materials import Arrhenius, Constant, DirectAndWind, Linear, Material, Polycrystal, Uniform, WiedemannFranz
from emfem.materials.validity import VALIDITY
from emfem.units import eV, um

import numpy as np
import pytest
import ufl

close = partial(pytest.approx, abs=0.0)  # the default, 1e-12, accepts any atomic volume
# Omega [1e-29 m3], B, E [GPa], nu, rho [1e-8 Ohm m], k [W/(m K)], expansion [1e-6/K], melting [K], slope [1e-3/K]
TABLE = {
    "copper": (1.1806, 140, 130, 0.34, 1.678, 400, 16.5, 1357.8, 3.93),
    "aluminium": (1.6605, 76, 70, 0.35, 2.65, 235, 23.1, 933.5, 4.3),
    "gold": (1.6954, 220, 78, 0.44, 2.214, 320, 14.2, 1337.3, 3.4),
    "silver": (1.7054, 100, 83, 0.37, 1.587, 430, 18.9, 1234.9, 3.8),
    "tungsten": (1.5725, 310, 411, 0.28, 5.28, 170, 4.5, 3695, 4.5),
    "molybdenum": (1.5576, 230, 329, 0.31, 5.34, 139, 4.8, 2896, 4.7),
    "palladium": (1.4214, 180, 121, 0.39, 10.54, 72, 11.8, 1828, 3.8),
    "platinum": (1.5094, 230, 168, 0.38, 10.5, 72, 8.8, 2041, 3.9),
    "nickel": (1.0943, 180, 200, 0.31, 6.93, 91, 13.4, 1728, 6.0),
    "tin": (2.7050, 58, 50, 0.36, 11.0, 67, 22, 505, 4.2),
    "lead": (3.0321, 46, 16, 0.44, 20.8, 35, 28.9, 600.6, 3.9),
}
COLUMNS = {
    "atomic_volume": 1e-29,
    "bulk_modulus": 1e9,
    "youngs_modulus": 1e9,
    "poisson_ratio": 1.0,
    "resistivity": 1e-8,
    "thermal_conductivity": 1.0,
    "thermal_expansion": 1e-6,
    "melting_temperature": 1.0,
    "temperature_coefficient": 1e-3,
}
KJ = 1e3 / 6.02214076e23  # kJ/mol in joule per atom
# D0 [m2/s or m3/s], activation energy [J], mark
LATTICE = {
    "copper": (7.8e-5, 211 * KJ, "trusted"),
    "aluminium": (1.7e-4, 142 * KJ, "recalled"),
    "gold": (1.07e-5, 177 * KJ, "recalled"),
    "silver": (4.4e-5, 185 * KJ, "recalled"),
    "tungsten": (5.6e-4, 585 * KJ, "recalled"),
    "molybdenum": (3.8e-5, 421.7 * KJ, "trusted"),
}
BOUNDARY = {
    "copper": (3.89e-16, 84.75 * KJ, "recalled"),
    "aluminium": (5e-14, 84 * KJ, "recalled"),
    "gold": (3.1e-16, 0.88 * eV, "trusted"),
    "silver": (6.9e-15, 90 * KJ, "recalled"),
    "tungsten": (3.3e-13, 385 * KJ, "recalled"),
    "molybdenum": (5.5e-14, 263 * KJ, "recalled"),
    "lead": (6.1e-15, 0.46 * eV, "trusted"),
}
CHARGES = {
    "copper": (-5.0, "recalled"),
    "aluminium": (-3.4, "trusted"),
    "gold": (-8.5, "recalled"),
    "silver": (-8.3, "recalled"),
    "tungsten": (1.0, "placeholder"),
    "molybdenum": (1.0, "placeholder"),
    "nickel": (-3.5, "recalled"),
    "tin": (-17.5, "recalled"),
    "lead": (-47.0, "recalled"),
}
COPPER = """
name = "my copper"
temperature = 400.0
bulk_modulus = "140 GPa"
effective_charge = -4

[resistivity]
value = 1.7e-8
reference_temperature = 300.0
confidence = "trusted"
source = "four-point probe"

[temperature_coefficient]
value = 4e-3

[lattice_diffusivity]
prefactor = 7.8e-5
activation_energy = "211 kJ/mol"

[grain_boundary_diffusivity_thickness]
prefactor = "3.89e-16 m3/s"
activation_energy = "0.8784 eV"

[diffusivity]
grain_size = "0.2 um"

[thermal_conductivity]
lorenz_number = 2.44e-8
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file, the same on every rank that reads it."""

    def to(text: str) -> Path:
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to


# ---- the metals


@pytest.mark.parametrize("name", TABLE)
def test_constants_are_those_of_the_table(name: str):
    metal = em.materials.metal(name, 293.15)
    for (constant, unit), value in zip(COLUMNS.items(), TABLE[name], strict=True):
        assert getattr(metal, constant) == close(value * unit, rel=1e-14)


@pytest.mark.parametrize("name", TABLE)
def test_the_confidence_is_that_of_the_sources(name: str):
    constants = em.materials.metal(name).constants
    for constant in COLUMNS:
        expected = "recalled" if constant == "temperature_coefficient" else "trusted"
        assert constants[constant].confidence == expected


@pytest.mark.parametrize(
    ("name", "constant", "expected"),
    [
        *((name, "lattice_diffusivity", expected) for name, expected in LATTICE.items()),
        *((name, "grain_boundary_diffusivity_thickness", expected) for name, expected in BOUNDARY.items()),
    ],
)
def test_diffusion_paths_are_those_of_the_table(name: str, constant: str, expected: tuple[float, float, str]):
    entry = em.materials.metal(name).constants[constant]
    assert isinstance(entry.law, Arrhenius)
    assert (entry.law.prefactor, entry.confidence) == (expected[0], expected[2])
    assert entry.law.activation_energy == close(expected[1], rel=1e-14)


@pytest.mark.parametrize("name", CHARGES)
def test_effective_charges_are_those_of_the_table(name: str):
    metal = em.materials.metal(name)
    assert (metal.effective_charge, metal.constants["effective_charge"].confidence) == CHARGES[name]


@pytest.mark.parametrize("name", em.materials.names())
def test_each_metal_prints_everything_with_its_source(name: str):
    metal = em.materials.metal(name)
    assert getattr(em.materials, name)().constants == metal.constants
    assert set(VALIDITY) - set(metal.constants) <= {"interface_diffusivity_thickness", "mean_free_path_product"}
    for constant in metal.constants.values():
        assert constant.confidence in ("trusted", "recalled", "placeholder")
        assert len(constant.source) > 10
        assert not constant.source.endswith(".toml")


@pytest.mark.parametrize("name", em.materials.names())
def test_each_law_holds_over_the_whole_range(name: str):
    """Inside its bounds from the lowest temperature to melting, and faster the hotter."""
    metal = em.materials.metal(name)
    temperature = np.linspace(metal.lowest_temperature, metal.melting_temperature, 30)
    for constant in metal.constants:
        values = metal.law(constant)(temperature)
        assert values.shape == temperature.shape
        if "diffusivity" in constant or constant == "resistivity":
            assert (np.diff(values) > 0.0).all()


def test_signs_of_the_effective_charge():
    """Atoms go with the electrons in copper, aluminium, gold and silver, and along the current in tungsten."""
    for name in ("copper", "aluminium", "gold", "silver"):
        assert em.materials.metal(name).effective_charge < 0.0
    for name in ("tungsten", "molybdenum"):
        assert em.materials.metal(name).effective_charge > 0.0


def test_copper_is_as_in_the_scripts():
    copper = em.materials.copper(temperature=373.0, effective_charge=-5.0)
    assert (copper.temperature, copper.effective_charge) == (373.0, -5.0)
    assert copper.resistivity == close(1.678e-8 * (1 + 3.93e-3 * (373.0 - 293.15)), rel=1e-14)


# ---- in print


def test_a_material_prints_as_a_table():
    lines = str(em.materials.copper(400.0)).splitlines()
    assert lines[0] == "copper"
    assert lines[1].split() == ["at", "400", "K", "unit", "confidence", "law", "and", "source"]
    assert len(lines) == 2 + len(VALIDITY)
    row = next(line for line in lines if line.startswith("atomic_volume"))
    assert re.split(r" {2,}", row) == [
        "atomic_volume",
        "1.1806e-29",
        "m3",
        "trusted",
        "pymatgen 2026.10, periodic table: molar volume",
    ]
    assert (
        len({line.index(mark) for line in lines[2:] for mark in em.materials.CONFIDENCE if f"  {mark}  " in line}) == 1
    )
    assert len({len(re.split(r" {2,}", line)) for line in lines[2:]}) == 1


def test_constants_of_the_user_are_marked_as_given():
    table = str(em.materials.copper(bulk_modulus=1e11))
    assert re.search(r"bulk_modulus +1e\+11 +Pa +given +given by the user", table)
    own = em.materials.copper(bulk_modulus=Constant(1e11, "trusted", "our laboratory"))
    assert re.search(r"bulk_modulus +1e\+11 +Pa +trusted +our laboratory", str(own))


def test_notebooks_show_the_same_tables():
    metal = em.materials.copper(bulk_modulus=Constant(1e11, "trusted", "<Tu & Co>"))
    table = metal._repr_html_()
    assert table.count("<tr>") == 1 + len(metal.constants)
    assert "<td>1e+11</td><td>Pa</td><td>trusted</td><td>&lt;Tu &amp; Co&gt;</td>" in table
    line = metal.derived(length=50 * um, current_density=1e10, critical_stress=1e8)
    assert "<caption>mortal: a void will open</caption>" in line._repr_html_()
    assert line._repr_html_().count("<tr>") == len(str(line).splitlines()) - 1


def test_a_metal_is_a_function_with_a_name_and_a_docstring():
    for name in em.materials.names():
        function = getattr(em.materials, name)
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__doc__.startswith(f"Return {name}")


def test_derived_numbers_print_as_a_table():
    line = em.materials.copper().derived(length=50 * um, current_density=1e10)
    assert re.search(r"^drift_velocity +-\d.*e-\d+ +m/s$", str(line), re.MULTILINE)
    assert re.search(r"^critical_product +not given +A/m$", str(line), re.MULTILINE)
    mortal = em.materials.copper().derived(length=50 * um, current_density=1e10, critical_stress=1e8)
    assert str(mortal).endswith("mortal: a void will open")


# ---- overrides


@pytest.mark.parametrize("value", [1e-24, 1e-23, 1e-22, -1e-24])
def test_the_bounds_of_a_likely_mistake_belong_to_it(value: float):
    with pytest.raises(ParameterError, match=r": cm3 written as m3\?$"):
        em.materials.copper(atomic_volume=value)


def test_any_constant_can_be_given():
    for name in VALIDITY:
        value = getattr(em.materials.copper(), name) * 1.01
        assert getattr(em.materials.copper(**{name: value}), name) == close(value, rel=1e-15)


def test_a_resistivity_holds_at_the_temperature_and_keeps_its_slope():
    given = em.materials.copper(378.15, resistivity=2.25e-8)
    tabled = em.materials.copper(378.15)
    assert given.resistivity == 2.25e-8
    ratio = given.law("resistivity")(600.0) / given.resistivity
    assert ratio == close(tabled.law("resistivity")(600.0) / tabled.resistivity, rel=1e-14)


@pytest.mark.parametrize(
    "message", [Uniform(3e-8), Constant(3e-8), Constant(Uniform(3e-8), "recalled", "a table")], ids=str
)
def test_a_uniform_resistivity_has_no_slope_of_the_metal(message: Uniform | Constant):
    """Exact: the value is handed on. Copper's slope would make 3.08e-8 of it between 350 and 358 K."""
    metal = em.materials.copper(350.0).having(resistivity=message)
    assert metal.at(358.0).resistivity == metal.law("resistivity")(600.0) == metal.resistivity == 3e-8
    assert metal.having(diffusivity=1e-15).at(500.0).resistivity == 3e-8
    assert metal.temperature_coefficient == 0.0
    constants: Any = metal.constants
    assert Material("same", temperature=400.0, **constants).resistivity == 3e-8


def test_a_line_of_a_uniform_resistivity_lives_as_long_as_it_predicts():
    """The field is rho j: with copper's slope 8 % at 20 K above."""
    metal = em.materials.copper(350.0, resistivity=Uniform(3e-8)).at(370.0)
    derived = metal.in_line(width=um, height=um, grain_size=um).derived(length=50 * um, current_density=1e10)
    assert derived.field == close(3e-8 * 1e10, rel=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda: em.materials.copper(resistivity=Uniform(3e-8), temperature_coefficient=4e-3),
        lambda: em.materials.copper(resistivity=Uniform(3e-8)).having(temperature_coefficient=4e-3),
        lambda: em.materials.copper().having(resistivity=Constant(3e-8), temperature_coefficient=4e-3),
    ],
)
def test_a_uniform_resistivity_refuses_a_slope(make: Callable[[], Material]):
    message = "temperature_coefficient = 0.004 1/K, must be 0 beside a uniform resistivity"
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_file_with_a_slope_needs_its_reference(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nresistivity = 3e-8\ntemperature_coefficient = 4e-3\n')
    with pytest.raises(ParameterError, match="needs its reference_temperature"):
        em.materials.read(file)


def test_a_resistivity_and_its_slope_hold_at_the_temperature():
    metal = em.materials.copper(300.0, resistivity=1.68e-8, temperature_coefficient=4e-3)
    assert metal.law("resistivity")(400.0) == close(1.68e-8 * 1.4, rel=1e-14)
    assert metal.temperature_coefficient == 4e-3


def test_a_linear_law_brings_its_slope():
    metal = em.materials.copper(500.0, resistivity=Linear(2e-8, 300.0, 1e-3))
    assert metal.resistivity == close(2.4e-8, rel=1e-14)
    assert metal.temperature_coefficient == 1e-3


def test_a_function_brings_its_slope():
    metal = em.materials.copper(400.0, resistivity=lambda T: 2e-8 * (T / 300.0) ** 2)
    assert metal.resistivity == close(2e-8 * 16 / 9, rel=1e-14)
    assert metal.temperature_coefficient == close(2 / 400.0, rel=1e-6)  # a difference over 0.2 K


def test_the_conductivity_follows_a_resistivity_through_wiedemann_franz():
    metal = em.materials.copper(400.0, resistivity=3e-8, thermal_conductivity=WiedemannFranz(2.5e-8))
    assert metal.thermal_conductivity == close(2.5e-8 * 400.0 / 3e-8, rel=1e-14)


def test_other_temperatures_keep_what_was_given():
    metal = em.materials.copper(378.15, resistivity=2.25e-8, diffusivity=1e-15)
    hot = metal.at(600.0)
    assert hot.diffusivity == 1e-15
    assert hot.resistivity == metal.law("resistivity")(600.0) > 2.25e-8
    assert hot.at(378.15).resistivity == 2.25e-8
    assert hot.having(diffusivity=2e-15).constants["resistivity"] == metal.constants["resistivity"]


def test_a_material_can_be_made_from_nothing():
    metal = Material("ideal", temperature=300.0, diffusivity=Arrhenius(1e-6, 1.0 * eV), resistivity=1e-8)
    assert metal.law("resistivity")(900.0) == 1e-8
    assert "no slope given" in metal.constants["temperature_coefficient"].source
    assert metal.law("diffusivity")(900.0) > metal.diffusivity > 0.0


def test_a_material_can_be_made_of_the_constants_of_another():
    metal = Material("cold nickel", temperature=170.0, lowest_temperature=160.0, **em.materials.nickel().constants)
    assert metal.resistivity == em.materials.nickel(temperature=300.0).having().constants["resistivity"].law.evaluate(
        170.0, metal.law
    )


def test_a_missing_constant_is_named_where_it_is_used():
    metal = Material("bare", temperature=300.0)
    with pytest.raises(ParameterError, match="bare has no bulk_modulus: give one"):
        _ = metal.bulk_modulus
    with pytest.raises(ParameterError, match="bare has no diffusivity"):
        metal.law("diffusivity")
    with pytest.raises(ParameterError, match="bare has no resistivity"):
        metal.derived(length=1 * um, current_density=1e10)
    with pytest.raises(AttributeError, match="colour"):
        _ = metal.colour
    assert not hasattr(metal, "bulk_modulus")
    assert not hasattr(pickle.loads(pickle.dumps(metal)), "bulk_modulus")


# ---- values do not change


def test_a_material_does_not_change():
    copper = em.materials.copper()
    for name in ("resistivity", "temperature", "name", "colour"):
        with pytest.raises(FrozenInstanceError):
            setattr(copper, name, 1.0)
    with pytest.raises(FrozenInstanceError):
        del copper.resistivity
    copper.constants.clear()
    copper.having(resistivity=1e-7, effective_charge=3.0)
    copper.at(900.0)
    copper.in_line(width=1 * um, height=1 * um, grain_size=1 * um)
    assert str(copper) == str(em.materials.copper())
    with pytest.raises(FrozenInstanceError):
        copper.constants["resistivity"].confidence = "trusted"  # type: ignore[misc]


def test_a_material_travels_between_processes():
    copper = em.materials.copper(500.0, effective_charge=DirectAndWind(1.0, -6.0)).in_line(
        width=1 * um, height=1 * um, grain_size=0.2 * um
    )
    for twin in (pickle.loads(pickle.dumps(copper)), copy.deepcopy(copper)):
        assert str(twin) == str(copper)
        assert twin.law("diffusivity")(600.0) == copper.law("diffusivity")(600.0)


# ---- ranges


def test_laws_hold_from_the_lowest_temperature_to_melting():
    rho = em.materials.copper().law("resistivity")
    assert 0.0 < rho(150.0) < rho(1357.8)
    for temperature in (149.9, 1357.9, np.nan, [300.0, 1400.0], np.inf):
        with pytest.raises(ParameterError, match=r"the laws of copper hold from 150 K to melting at 1357.8 K"):
            rho(temperature)


@pytest.mark.parametrize(
    ("temperature", "message"),
    [
        (25.0, r"temperature = 25 K, the laws of copper hold from 150 K .*: degrees Celsius written as kelvin\?"),
        (1400.0, r"temperature = 1400 K, the laws of copper hold .* melting at 1357.8 K$"),
        (0.0, "temperature = 0 K, must be greater than 0"),
        (-10.0, "temperature = -10 K, must be greater than 0"),
        (np.nan, "temperature = nan K, must be finite"),
        ("warm", "temperature = 'warm', must be a number"),
        (None, "temperature = None, must be a number"),
    ],
)
def test_a_temperature_out_of_range_is_refused(temperature: Any, message: str):
    with pytest.raises(ParameterError, match=message):
        em.materials.copper(temperature)
    with pytest.raises(ParameterError, match=message):
        em.materials.copper().at(temperature)


def test_a_resistivity_that_falls_to_zero_is_refused():
    metal = em.materials.copper(400.0, resistivity=Linear(1e-8, 400.0, 5e-3))
    with pytest.raises(ParameterError, match=r"resistivity = .*, must be between"):
        metal.law("resistivity")([400.0, 190.0])


def test_of_a_ufl_expression_nothing_is_known():
    square = ufl.Mesh(em.mesh.interval(1.0, cells=2).mesh.ufl_domain().ufl_coordinate_element())
    expression = em.materials.copper().law("diffusivity")(ufl.SpatialCoordinate(square)[0])
    assert isinstance(expression, ufl.core.expr.Expr)


# ---- bad input


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("melting_temperature", 1e4, "melting_temperature = 10000 K"),
        ("melting_temperature", lambda T: 1300.0, "melting_temperature = .*must be a number"),
        ("resistivity", 1.7, r"microohm centimetre written as Ohm m\?"),
        ("resistivity", 6e7, r"a conductivity written as a resistivity\?"),
        ("resistivity", -1e-8, r"resistivity = -1e-08"),
        ("temperature_coefficient", 3930.0, r"ppm/K written as 1/K\?"),
        ("thermal_conductivity", -400.0, "thermal_conductivity = -400"),
        ("thermal_conductivity", 0.05, r"W/\(um K\) or W/\(mm K\) written as W/\(m K\)\?"),
        ("thermal_conductivity", 5e-4, r"must be between 0\.1 and 10000 W/\(m K\)$"),  # far from any: no hint
        ("volumetric_heat_capacity", 0.5, r"J/\(cm3 K\) written as J/\(m3 K\)\?"),
        ("volumetric_heat_capacity", 385.0, r"J/\(kg K\) written as J/\(m3 K\)\?"),
        ("volumetric_heat_capacity", 3.4, r"J/\(cm3 K\) written as J/\(m3 K\)\?"),
        ("thermal_expansion", 16.5, r"ppm/K written as 1/K\?"),
        ("atomic_volume", 7.11, r"cm3/mol or cubic angstrom written as m3\?"),
        ("atomic_volume", 7.11e-6, r"m3/mol written as m3\?"),
        ("atomic_volume", 1.18e-23, r"cm3 written as m3\?"),
        ("atomic_volume", 4.9e-30, "atomic_volume = 4.9e-30 m3, must be between 5e-30 and 1e-28 m3$"),
        ("bulk_modulus", 140.0, r"GPa written as Pa\?"),
        ("bulk_modulus", 140e3, r"MPa written as Pa\?"),
        ("youngs_modulus", 130.0, r"GPa written as Pa\?"),
        ("poisson_ratio", 0.5, "poisson_ratio = 0.5, must be between"),
        ("effective_charge", -1001.0, "effective_charge = -1001, must be between -1000 and 1000$"),
        ("effective_charge", -8.0e-19, r"coulomb written as a number of charges\?"),
        ("diffusivity", 0.0, "diffusivity = 0 m2/s, must be greater than 0"),
        ("diffusivity", -1e-15, "diffusivity = -1e-15"),
        ("diffusivity", 0.1, r"cm2/s or um2/s written as m2/s\?"),
        ("lattice_diffusivity", 0.1, r"cm2/s or um2/s written as m2/s\?"),
        ("grain_boundary_diffusivity_thickness", 1e-9, r"a diffusivity without the thickness\?"),
        ("interface_diffusivity_thickness", 1e-9, r"a diffusivity without the thickness\?"),
        ("surface_diffusivity_thickness", 1e-9, r"a diffusivity without the thickness\?"),
        ("heat_of_transport", 0.5, r"eV written as J\?"),
        ("heat_of_transport", -22e3, r"J/mol written as J\?"),
        ("surface_energy", 1790.0, r"mJ/m2 written as J/m2\?"),
        ("surface_energy", 0.0, "surface_energy = 0 J/m2"),
        ("bulk_modulus", lambda T: 140.0, r"GPa written as Pa\?"),  # what a function says is looked at too
        ("bulk_modulus", lambda T: None, "bulk_modulus = None, must be a number"),
    ],
)
def test_a_value_out_of_its_bounds_is_refused_with_the_likely_mistake(name: str, value: Any, message: str):
    with pytest.raises(ParameterError, match=message):
        em.materials.copper(**{name: value})
    with pytest.raises(ParameterError, match=message):
        Material("mine", temperature=373.0, **{name: value})


@pytest.mark.parametrize("name", VALIDITY)
@pytest.mark.parametrize("value", [np.nan, np.inf, "high", True, None, [1.0, 2.0]])
def test_a_constant_must_be_a_number(name: str, value: Any):
    with pytest.raises(ParameterError, match=rf"^{name} = .*must be"):
        em.materials.copper(**{name: value})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Arrhenius(1e-9, 0.8), r"activation_energy = 0.8 J, must be .*: eV written as J\?"),
        (lambda: Arrhenius(1e-9, 84.75), r"eV written as J\?"),
        (lambda: Arrhenius(1e-9, 84750.0), r"J/mol written as J\?"),
        (lambda: Arrhenius(1e-9, -1e-19), "activation_energy = -1e-19 J"),
        (lambda: Arrhenius(0.0, 1e-19), "prefactor = 0, must be greater than 0"),
        (lambda: Linear(0.0), "value = 0"),
        (lambda: Linear(1e-8, -5.0), "reference_temperature = -5 K"),
        (lambda: Linear(1e-8, 300.0, np.nan), "temperature_coefficient = nan"),
        (lambda: WiedemannFranz(2.44), "lorenz_number = 2.44 V2/K2"),
        (lambda: DirectAndWind(2000.0, -3.0), "direct = 2000"),
        (lambda: DirectAndWind(2.0, np.nan), "wind = nan"),
        (lambda: DirectAndWind(2.0, -3.0, 0.0), "reference_temperature = 0 K"),
        (lambda: Polycrystal(200.0), r"grain_size = 200 m, .*: nm or um written as m\?"),
        (lambda: Uniform(np.inf), "value = inf"),
        (lambda: Constant(1.0, "sure"), "'sure'; confidence has trusted, recalled, placeholder, given"),
        (lambda: Constant(1.0, "trusted", 3), "source = 3, must be a text"),  # type: ignore[arg-type]
        (lambda: Constant("high"), "law = 'high', must be a number, a function or a Law"),  # type: ignore[arg-type]
        (lambda: Material(3, temperature=300.0), "name = 3, must be a text"),  # type: ignore[arg-type]
        (lambda: Material("mine", temperature=300.0, lowest_temperature=0.0), "lowest_temperature = 0 K"),
        (
            lambda: em.materials.copper(resistivity=lambda T: 2e-8, temperature_coefficient=4e-3),
            "temperature_coefficient, must not be given beside",
        ),
        (lambda: em.materials.copper().law("resistance"), "'resistance'; law has melting_temperature, resistivity"),
        (lambda: em.materials.copper().cancellation_temperature(), "must be a DirectAndWind"),
        (
            lambda: em.materials.copper(effective_charge=DirectAndWind(-2.0, -3.0)).cancellation_temperature(),
            "do not cancel between 150 K and 1357.8 K",
        ),
    ],
)
def test_bad_input_is_named(make: Callable[[], Any], message: str):
    with pytest.raises(ParameterError, match=message):
        make()


def test_an_unknown_metal_brings_the_list():
    with pytest.raises(UnknownName, match=r"'coper'; emfem\.materials has copper, aluminium, .*lead"):
        em.materials.metal("coper")
    assert set(em.materials.names()) == set(TABLE)


def test_an_unknown_constant_brings_the_list():
    with pytest.raises(UnknownName, match=r"'bulk_modulis'; a material has .*bulk_modulus"):
        em.materials.copper(bulk_modulis=1e11)  # type: ignore[call-arg]
    with pytest.raises(UnknownName, match="'activation_energy'; a material has"):
        em.materials.copper(activation_energy=1e-19)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"width": 0.0}, "width = 0 m"),
        ({"width": 100.0}, r"width = 100 m, .*: nm or um written as m\?"),
        ({"width": 0.1}, r"width = 0\.1 m, must be between 1e-10 and 0\.01 m: nm or um written as m\?"),
        ({"grain_size": 0.02}, r"grain_size = 0\.02 m, must be between .*: nm or um written as m\?"),
        ({"height": -1e-6}, "height = -1e-06 m"),
        ({"grain_size": 1e-12}, r"grain_size = 1e-12 m, .*: smaller than an atom\?"),
        ({"paths": ("bulk",)}, "'bulk'; the line has lattice, grain_boundary, interface, surface"),
        ({"paths": ()}, "must have one that this line has: no atom could move"),
        ({"paths": ("grain_boundary",), "grain_size": 1e-5}, "must have one that this line has: no atom could move"),
        ({"charges": {"surface": -3.0}}, "'surface'; the line has lattice, grain_boundary, interface"),
        ({"charges": {"lattice": 5000.0}}, r"charges\['lattice'\] = 5000"),
    ],
)
def test_a_line_that_cannot_be_is_refused(changed: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        em.materials.copper().in_line(**({"width": 1e-6, "height": 1e-6, "grain_size": 2e-7} | changed))


@pytest.mark.parametrize(
    "volume", [1.66e-29, lambda T: 1.66e-29, em.materials.Constant(1.66e-29, "given", "a paper"), 8.78e-30]
)
def test_the_atomic_volume_of_another_metal_is_refused(volume: Any):
    """Aluminium's was used for copper in papers; a metal of one's own may have any."""
    message = r"atomic_volume = .* m3, must be within 25 percent of 1\.1806e-29 m3 \(.*\): that of another metal\?"
    with pytest.raises(ParameterError, match=message):
        em.materials.copper(atomic_volume=volume)
    with pytest.raises(ParameterError, match=message):
        em.materials.copper().at(500.0, atomic_volume=volume)
    assert em.materials.copper(atomic_volume=1.18e-29).atomic_volume == 1.18e-29
    assert em.materials.Material("mine", atomic_volume=volume).atomic_volume < 2e-29


@pytest.mark.parametrize("law", [lambda: 1e-16, lambda a, b: 1e-16])
def test_a_law_takes_one_temperature(law: Any):
    with pytest.raises(
        ParameterError, match=r"diffusivity: function = .*, must be a function of the temperature alone"
    ):
        em.materials.copper(diffusivity=law)


def test_a_file_has_a_path():
    with pytest.raises(ParameterError, match="path = None, must be the path of a file"):
        em.materials.read(None)  # type: ignore[arg-type]


def test_no_current_is_a_current():
    assert em.materials.copper().derived(length=1e-5, current_density=0.0).force == 0.0


def test_a_line_needs_its_paths():
    size: dict[str, Any] = {"width": 1e-6, "height": 1e-6, "grain_size": 2e-7}
    with pytest.raises(ParameterError, match="gold has no interface_diffusivity_thickness"):
        em.materials.gold().in_line(**size, paths=("lattice", "interface"))
    with pytest.raises(ParameterError, match="diffusivity was given as a whole"):
        em.materials.copper(diffusivity=1e-15).in_line(**size)


def test_a_path_has_its_own_charge_and_the_others_that_of_the_metal():
    size: dict[str, Any] = {"width": 1e-6, "height": 1e-6, "grain_size": 2e-7}
    paths = ("lattice", "grain_boundary")
    line = em.materials.copper().in_line(**size, paths=paths, charges={"grain_boundary": -2.0})
    slow, fast = line.lattice_diffusivity, line.grain_boundary_diffusivity_thickness * (1 - 0.2) / 2e-7
    assert line.effective_charge == close((-5.0 * slow - 2.0 * fast) / (slow + fast), rel=1e-14)


def test_the_confidence_of_a_line_is_that_of_its_worst_path():
    size: dict[str, Any] = {"width": 1e-6, "height": 1e-6, "grain_size": 2e-7}
    copper = em.materials.copper()
    assert copper.in_line(**size).constants["diffusivity"].confidence == "placeholder"
    assert copper.in_line(**size, paths=("lattice", "grain_boundary")).constants["diffusivity"].confidence == "recalled"
    assert copper.in_line(**size, paths=("lattice",)).constants["diffusivity"].confidence == "trusted"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"length": 50.0}, r"length = 50 m, .*: nm or um written as m\?"),
        ({"length": 0.0}, "length = 0 m"),
        ({"current_density": np.nan}, "current_density = nan A/m2"),
        ({"current_density": 1e16}, "current_density = 1e"),
        (
            {"current_density": 1.0},
            r"current_density = 1 A/m2, must be 0 or .*: MA/cm2 \(1e10 A/m2\) written as A/m2\?",
        ),
        ({"current_density": -3.0}, "current_density = -3 A/m2, must be 0 or at least 1000 A/m2"),
        ({"length": 0.5}, r"length = 0\.5 m, .*: nm or um written as m\?"),
        ({"critical_stress": 41.0}, r"critical_stress = 41 Pa, .*: MPa written as Pa\?"),
        ({"critical_stress": -1e8}, "critical_stress = -1e"),
    ],
)
def test_a_current_that_cannot_be_is_refused(changed: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        em.materials.copper().derived(**({"length": 5e-5, "current_density": 1e10} | changed))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        ({"direct": np.nan}, "direct = nan"),
        ({"wind": "strong"}, "wind = 'strong'"),
        ({"wind": 3.0}, "direct = 2 and wind = 3, must have opposite signs"),
        ({"direct": 0.0}, "direct = 0 and wind = -3, must have opposite signs"),
        ({"temperature_coefficient": 0.0}, "temperature_coefficient = 0 1/K"),
        ({"reference_temperature": 0.0}, "reference_temperature = 0 K"),
        ({"melting_temperature": -1.0}, "melting_temperature = -1"),
        ({"direct": 60.0, "wind": -1.0, "temperature_coefficient": 1e-3}, "not above 0 K: they never do"),
    ],
)
def test_a_cancellation_that_cannot_be_is_refused(make: dict[str, Any], message: str):
    given: dict[str, Any] = {"direct": 2.0, "wind": -3.0, "temperature_coefficient": 4.5e-3} | make
    with pytest.raises(ParameterError, match=message):
        em.analytic.cancellation_temperature(given.pop("direct"), given.pop("wind"), **given)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"critical_stress": 0.0}, "critical_stress = 0 Pa, must be greater than 0 Pa"),
        ({"critical_stress": 1e8, "residual_stress": 2e8}, "critical_stress = 1e.08 Pa, must be greater than 2e.08 Pa"),
        ({"residual_stress": np.nan}, "residual_stress = nan Pa"),
    ],
)
def test_a_blech_product_that_cannot_be_is_refused(changed: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        em.analytic.blech_product(em.materials.copper(), **({"critical_stress": 1e8} | changed))


def test_an_uncharged_atom_has_no_blech_product():
    with pytest.raises(ParameterError, match="effective_charge = 0, must not be zero"):
        em.analytic.blech_product(em.materials.copper(effective_charge=0.0), critical_stress=1e8)


# ---- files


def test_a_metal_is_read_from_a_file(write: Callable[[str], Path]):
    metal = em.materials.read(write(COPPER))
    assert (metal.name, metal.temperature) == ("my copper", 400.0)
    assert (metal.bulk_modulus, metal.effective_charge) == (140e9, -4.0)
    assert metal.resistivity == close(1.7e-8 * 1.4, rel=1e-14)
    assert metal.constants["resistivity"].source == "four-point probe"
    assert (metal.constants["bulk_modulus"].confidence, metal.constants["bulk_modulus"].source) == ("given", "my.toml")
    assert metal.lattice_diffusivity == close(em.materials.copper(400.0).lattice_diffusivity, rel=1e-14)
    assert metal.diffusivity == close(em.materials.copper(400.0).diffusivity, rel=1e-3)  # 0.8784 eV is rounded
    assert metal.thermal_conductivity == close(2.44e-8 * 400.0 / metal.resistivity, rel=1e-14)
    assert metal.in_line(width=1e-6, height=1e-6, grain_size=2e-7).diffusivity < metal.diffusivity


def test_the_temperature_of_a_file_can_be_overruled(write: Callable[[str], Path]):
    assert em.materials.read(write(COPPER), temperature=500.0).temperature == 500.0
    assert em.materials.read(write('name = "bare"')).temperature == 373.0


@pytest.mark.parametrize("name", em.materials.names())
def test_the_tables_of_the_metals_can_be_copied(name: str):
    """Files that come with emfem are in the format that users write."""
    path = Path(em.materials.__file__).parent / "data" / f"{name}.toml"
    assert str(em.materials.read(path)) == str(em.materials.metal(name))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bulk_modulus", "bulk_modulos", "my.toml: there is no key 'bulk_modulos'; did you mean 'bulk_modulus'"),
        ("bulk_modulus", "xyzzy", "my.toml: there is no key 'xyzzy'; it has name, temperature"),
        ("prefactor = 7.8e-5", "prefacter = 7.8e-5", "lattice_diffusivity: there is no key 'prefacter'; did you mean"),
        ('"211 kJ/mol"', "211", r"lattice_diffusivity: activation_energy = 211 J, must .*: eV written as J\?"),
        ('"211 kJ/mol"', '"211 kcal/mol"', "must be a number in J or eV or kJ/mol"),
        ('"211 kJ/mol"', '"1.2.3 eV"', "must be a number in J or eV or kJ/mol"),
        ('"3.89e-16 m3/s"', '"3.89e-16 m2/s"', "must be a number in m3/s"),
        ("prefactor = 7.8e-5\n", "", "lattice_diffusivity: prefactor is missing beside activation_energy"),
        ("grain_size =", "grains =", "my.toml, diffusivity: there is no key 'grains'; did you mean 'grain_size'"),
        ('grain_size = "0.2 um"', 'confidence = "trusted"', "my.toml, diffusivity, must have one of activation_energy"),
        ("value = 4e-3", "value = true", "temperature_coefficient: value = True, must be a number"),
        ('"trusted"', '"sure"', "'sure'; confidence has trusted"),
        ("confidence =", "mark =", "resistivity: there is no key 'mark'; did you mean 'confidence'"),
        ('"140 GPa"', "140", r"my.toml: bulk_modulus = 140 Pa, .*: GPa written as Pa\?"),
        ("temperature = 400.0", "temperature = 20.0", "my.toml: temperature = 20 K, the laws of my copper hold"),
        ('"my copper"', "29", "my.toml: name, must be a text"),
        ('name = "my copper"\n', "", "my.toml: name, must be a text"),
        ("[resistivity]", "[resistivity", "my.toml, must be TOML"),
        pytest.param("400.0", "9" * 5000, "my.toml, must be TOML: Exceeds the limit", id="digits"),
        pytest.param("400.0", "[" * 5000, "my.toml, must be TOML: ", id="nested"),
    ],
)
def test_a_bad_file_names_the_key(write: Callable[[str], Path], old: str, new: str, message: str):
    assert old in COPPER
    with pytest.raises(ParameterError, match=message):
        em.materials.read(write(COPPER.replace(old, new, 1)))


def test_a_missing_file_is_reported(tmp_path: Path):
    with pytest.raises(ParameterError, match=r"must be a file that can be read"):
        em.materials.read(tmp_path / "no.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match=r"must be a file that can be read"):
        em.materials.read(tmp_path / "my.toml")


@pytest.mark.parametrize("name", VALIDITY)
def test_no_valid_value_is_a_likely_mistake(name: str):
    span = VALIDITY[name]
    assert span.low < span.high
    for low, high, _ in span.mistakes:
        assert low < high
        assert high <= span.low or low >= span.high
