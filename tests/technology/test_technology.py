"""Technologies from TOML files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import emfem as em
from emfem.signoff.digests import technology_digest
from emfem.studies.tables.domain import SHAPES
from emfem.units import MPa, nm, um

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "meshes" / "technology.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
LAYER = em.signoff.Layer("1", 0.2 * um, 2e-8)
COPPER = em.materials.copper(378.15)


def read(tmp_path: Path, text: str, **arguments: Any) -> em.signoff.Technology:
    """The technology of a text."""
    path = tmp_path / "some.toml"
    path.write_text(text, encoding="utf-8")
    return em.signoff.read_technology(path, **arguments)


def replaced(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_the_example_has_its_layers_metal_liner_and_stress():
    technology = em.signoff.read_technology(EXAMPLE)
    assert technology.temperature == technology.material.temperature == pytest.approx(378.15, rel=1e-12)
    assert technology.critical_stress == 500 * MPa
    assert technology.unit == pytest.approx(1e-6, rel=1e-12, abs=0)
    assert list(technology.layers) == ["1", "2"]
    liner = technology.layers["2"].liner
    assert liner is not None
    assert [liner.resistivity, liner.thickness] == pytest.approx([2e-6, 5 * nm], rel=1e-12, abs=0)
    for layer in technology.layers.values():
        assert [layer.thickness, layer.resistivity] == pytest.approx([0.2 * um, 2e-8], rel=1e-12, abs=0)
        assert layer.sheet_resistance == pytest.approx(0.1)
        assert layer.width is None
    line = COPPER.having(effective_charge=-1.0).in_line(width=0.2 * um, height=0.2 * um, grain_size=0.2 * um)
    assert technology.material.diffusivity == pytest.approx(line.diffusivity, rel=1e-12, abs=0)
    assert technology.material.effective_charge == -1.0
    # 30 GPa (16.5e-6 - 2.6e-6) (250 - 105) K, tension: the metal would be shorter than what holds it
    assert technology.residual_stress == pytest.approx(30e9 * (COPPER.thermal_expansion - 2.6e-6) * 145, rel=1e-12)
    assert technology.residual_stress == pytest.approx(60.5 * MPa, rel=0.01)


def test_resistivity_and_residual_stress_follow_the_temperature():
    technology = em.signoff.read_technology(EXAMPLE)
    hot = em.signoff.read_technology(EXAMPLE, 423.15)
    assert hot.temperature == hot.material.temperature == 423.15
    assert hot.residual_stress == pytest.approx(technology.residual_stress * 100 / 145, rel=1e-12)
    ratio = COPPER.at(423.15).resistivity / COPPER.resistivity
    assert hot.layers["1"].resistivity == pytest.approx(2e-8 * ratio, rel=1e-12, abs=0)
    assert ratio > 1.1
    assert hot.at(378.15).layers["1"].resistivity == pytest.approx(2e-8, rel=1e-12, abs=0)
    fixed = em.signoff.Technology({"1": LAYER}, COPPER, 378.15, 500 * MPa, residual_stress=1e7)
    assert fixed.at(423.15).residual_stress == 1e7


def test_misfit_of_a_rail_at_its_temperatures_is_the_stress_of_a_published_comparison(public_data: Any):
    """B (16.5e-6 - 2.6e-6) (250 degC - T), B = 1e11 Pa, T the mean of each segment; 7 digits are printed."""
    rows = [
        [float(word) for word in line.split(",")]
        for line in public_data("comsol_rail_0.csv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    metal = COPPER.having(thermal_expansion=1.65e-5)
    passivation = em.signoff.Passivation(2.6e-6, 523.15, modulus=1e11)
    half = 100 * um / 6.921285402e-6 / 2
    for _, _, left, right, excess, stress in rows:
        mean = (left + right) / 2 + excess * (1 - np.tanh(half) / half)
        assert passivation.stress(metal, mean) == pytest.approx(stress, rel=1e-6)
    assert len(rows) == 40


def test_without_a_modulus_the_misfit_is_that_of_the_bulk():
    passivation = em.signoff.Passivation(2.6e-6, 500.0)
    misfit = (COPPER.thermal_expansion - 2.6e-6) * (500.0 - 378.15)
    assert passivation.stress(COPPER, 378.15) == pytest.approx(COPPER.bulk_modulus * misfit, rel=1e-12)


def test_layers_may_have_widths_liners_of_their_own_and_the_resistivity_of_the_metal(tmp_path: Path):
    text = replaced('sheet_resistance = "0.1 ohm"', 'width = 4e-7\nliner = {resistivity = 3e-6, thickness = "3 nm"}')
    text = text.replace('resistivity = "20 nohm m"', "liner = false\nresistivity = 3e-8")
    layers = read(tmp_path, text).layers
    assert layers["1"].liner is None
    assert layers["1"].resistivity == 3e-8
    assert layers["2"].liner == em.failure.Liner(3e-6, 3 * nm)
    assert layers["2"].width == 4e-7
    assert layers["2"].resistivity == COPPER.resistivity


def test_the_metal_may_be_a_name_alone(tmp_path: Path):
    head, layer = "temperature = 400\ncritical_stress = 4e8\n", '[layers.M1]\nthickness = "0.1 um"\n'
    table = '[metal]\nname = "copper"\n'
    short, long = read(tmp_path, head + 'metal = "copper"\n' + layer), read(tmp_path, head + layer + table)
    assert technology_digest(short) == technology_digest(long)
    with pytest.raises(em.ParameterError, match=r"some.toml: metal: .*'coper'"):
        read(tmp_path, head + 'metal = "coper"\n' + layer)


def test_the_metal_may_be_a_file_beside_it_and_have_laws(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nresistivity = 3e-8\natomic_volume = 1.18e-29\nbulk_modulus = "100 GPa"\neffective_charge = -2\n'
        'diffusivity = {prefactor = 1e-9, activation_energy = "0.86 eV"}\n',
        encoding="utf-8",
    )
    head = 'temperature = 400\ncritical_stress = 4e8\n[layers.M1]\nthickness = "0.1 um"\n[metal]\nfile = "mine.toml"\n'
    mine = read(tmp_path, head + 'diffusivity = {prefactor = 2e-9, activation_energy = "0.86 eV"}\n')
    exact = 2e-9 * np.exp(-0.86 * em.units.eV / (em.units.boltzmann * 400.0))
    assert mine.material.diffusivity == pytest.approx(exact, rel=1e-12, abs=0)
    assert mine.layers["M1"].resistivity == 3e-8
    assert (mine.residual_stress, mine.unit, mine.passivation) == (0.0, None, None)
    for name in ("../mine.toml", "/etc/hosts", "a/mine.toml"):
        with pytest.raises(em.ParameterError, match=r"some.toml: metal.file = .*, must be the name of a file beside"):
            read(tmp_path, head.replace("mine.toml", name))


def test_a_technology_travels_between_processes():
    technology = pickle.loads(pickle.dumps(em.signoff.read_technology(EXAMPLE)))  # as Dask does
    assert technology.layers["1"].liner == em.failure.Liner(technology.layers["1"].liner.resistivity, 5e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"105 degC"', '"105 lm"', r"some.toml: temperature = '105 lm' is .*, must be a temperature"),
        ('"105 degC"', "105", r"some.toml: temperature|some.toml: metal: temperature = 105 K, the laws of copper hold"),
        ('temperature = "105 degC"', "", r"some.toml: temperature is missing, must be a number in K"),
        ('"500 MPa"', '"500 nm"', r"some.toml: critical_stress = '500 nm' is a length, must be a stress"),
        ('"500 MPa"', "500", r"some.toml: critical_stress = 500 Pa, must be between .*: MPa written as Pa\?"),
        ('"500 MPa"', '"0.5 GPx"', r"some.toml: critical_stress = '0.5 GPx', must have a unit that exists"),
        ('"500 MPa"', "true", r"some.toml: critical_stress = True, must be a number"),
        (
            "critical_stress",
            "critical_strain",
            r"some.toml: critical_strain, must be a key .*; did you mean 'critical_st",
        ),
        ('"1 um"', "-1", r"some.toml: unit = -1 m, must be greater than 0 m"),
        ('"copper"', '"unobtainium"', r"some.toml: metal: 'unobtainium'; emfem.materials has copper"),
        ('name = "copper"', "", r"some.toml: metal, must have a name, of copper, .*, or a file"),
        ('"copper"', "3", r"some.toml: metal.name = 3, must be a text"),
        (
            "effective_charge = -1.0",
            "charge = -1.0",
            r"some.toml: metal.charge, must be a key that exists; did you mean",
        ),
        ("effective_charge = -1.0", "bulk_modulus = 140", r"some.toml: metal.bulk_modulus = 140 Pa, must be between"),
        ("effective_charge = -1.0", "diffusivity = {x = 1}", r"some.toml: metal, diffusivity: there is no key 'x'"),
        ('grain_size = "0.2 um"', "", r"some.toml: metal.line.grain_size is missing, must be a number in m"),
        (
            '"250 degC"',
            '"250 V"',
            r"some.toml: passivation.stress_free_temperature = '250 V' is a voltage, must be a te",
        ),
        ('unit = "1 um"', "residual_stress = 1e7", r"some.toml: residual_stress, must not stand beside passivation"),
        ('thickness = "5 nm"', "", r"some.toml: liner.thickness is missing, must be a number in m"),
        ('thickness = "5 nm"', 'thickness = "5 cm"', r"some.toml: liner: thickness = 0.05 m, must be at most 1e-05"),
        (
            'thickness = "0.2 um"',
            "thickness = 0.2",
            r"some.toml: layers.1.thickness = 0.2 m, must be .*um written as m",
        ),
        (
            'thickness = "0.2 um"',
            "thick = 0.2",
            r"some.toml: layers.1.thick, must be a key .*; did you mean 'thickness'",
        ),
        (
            '"0.1 ohm"',
            '"0.1 ohm m"',
            r"some.toml: layers.2.sheet_resistance = '0.1 ohm m' is a resistivity, must be a r",
        ),
        ('"0.1 ohm"', '"100 ohm"', r"some.toml: layers.2: resistivity = 2e-05 Ohm m, must be between"),
        (
            'sheet_resistance = "0.1 ohm"',
            "resistivity = 2e-8\nsheet_resistance = 0.1",
            r"sheet_resistance, must not stand",
        ),
        ("[layers.1]", "[layers.1]\nliner = 3", r"some.toml: layers.1.liner, must be a table"),
        ("[layers.1]", "[[layers.1]]", r"some.toml: layers.1, must be a table"),
        ("[layers.1]", "[layers.1", r"some.toml, must be TOML: .*line \d+"),
        ("[layers.2]", "[layers.1]", r"some.toml, must be TOML"),
    ],
)
def test_bad_files_are_refused_with_file_and_key(tmp_path: Path, old: str, new: str, message: str):
    with pytest.raises(em.ParameterError, match=message) as caught:
        read(tmp_path, replaced(old, new))
    assert "\n" not in str(caught.value)


def test_a_file_without_layers_or_one_that_is_missing_is_refused(tmp_path: Path):
    with pytest.raises(em.ParameterError, match=r"some.toml: layers, must be a table"):
        read(tmp_path, TEXT[: TEXT.index("[layers.1]")])
    with pytest.raises(em.ParameterError, match=r"some.toml: layers = \{\}, must be at least one"):
        read(tmp_path, TEXT[: TEXT.index("[layers.1]")] + "[layers]")
    with pytest.raises(em.ParameterError, match=r"some.toml, must be TOML: its lists or tables are too deep"):
        read(tmp_path, "x = " + "[" * 20000)
    with pytest.raises(em.ParameterError, match=r"none.toml', must be a file that can be read"):
        em.signoff.read_technology(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: em.signoff.Layer("", 1e-7, 2e-8), r"name = '', must be a word"),
        (lambda: em.signoff.Layer("1", 0.1, 2e-8), r"thickness = 0.1 m, must be between 1e-10 and 0.01 m"),
        (lambda: em.signoff.Layer("1", 1e-7, 2.0), r"resistivity = 2 Ohm m, must be between"),
        (lambda: em.signoff.Layer("1", 1e-7, 2e-8, width=0.0), r"width = 0 m, must be between"),
        (lambda: em.signoff.Passivation(2.6, 500.0), r"thermal_expansion = 2.6 1/K, .*: ppm/K written as 1/K\?"),
        (lambda: em.signoff.Passivation(2.6e-6, -5.0), r"stress_free_temperature = -5 K, must be between"),
        (lambda: em.signoff.Passivation(2.6e-6, 500.0, 30.0), r"modulus = 30 Pa, .*: GPa written as Pa\?"),
        (lambda: em.signoff.Technology({}, COPPER, 378.15, 5e8), r"layers = \{\}, must be at least one"),
        (
            lambda: em.signoff.Technology({"2": LAYER}, COPPER, 378.15, 5e8),
            r"layers\['2'\] has the name '1', must be o",
        ),
        (
            lambda: em.signoff.Technology({"1": LAYER}, COPPER, 400.0, 5e8),
            r"material at 378.15 K in a technology at 400",
        ),
        (lambda: em.signoff.Technology({"1": LAYER}, COPPER, 378.15, 500.0), r"critical_stress = 500 Pa, must be betw"),
        (
            lambda: em.signoff.Technology({"1": LAYER}, COPPER, 378.15, 5e8, 1e12),
            r"residual_stress = 1e\+12 Pa, must b",
        ),
        (
            lambda: em.signoff.Technology({"1": LAYER}, COPPER, 378.15, 5e8, unit=2.0),
            r"unit = 2 m, must be at most 1 m",
        ),
    ],
)
def test_bad_values_are_refused(make: Any, message: str):
    with pytest.raises(em.ParameterError, match=message):
        make()


def test_a_domain_of_a_case_has_a_technology():
    """The key takes the file, for the wires of a netlist."""
    meshes = Path(__file__).parents[2] / "meshes"
    given = {"shape": "from_netlist", "path": str(meshes / "grid.sp"), "cells": 2}
    table = SHAPES["from_netlist"].model_validate(given | {"technology": str(meshes / "technology.toml")})
    technology = em.signoff.read_technology(meshes / "technology.toml")
    made, wires = table.make().wires(), em.mesh.read_netlist(meshes / "grid.sp", technology=technology)
    assert np.array_equal(made.width, wires.width)
    assert np.array_equal(made.thickness, wires.thickness)
    with pytest.raises(em.ParameterError, match=r"path = '.*none.toml', must be a file that can be read"):
        SHAPES["from_netlist"].model_validate(given | {"technology": str(meshes / "none.toml")}).make()


@pytest.mark.parametrize(
    ("kelvin", "message"),
    [
        (
            "250",
            r"^some.toml: passivation.stress_free_temperature = 250 K, is below the temperature of 378.15 K, so that ",
        ),
        ("25", r"^stress_free_temperature = 25 K, is below 100 K: degrees Celsius written as kelvin\?"),
    ],
)
def test_a_temperature_without_its_unit_is_a_warning(tmp_path: Path, kelvin: str, message: str):
    """250 degrees of an oven read as kelvin would make compression of the tension after cooling."""
    with pytest.warns(em.ResolutionWarning, match=message) as told:
        technology = read(tmp_path, replaced('"250 degC"', kelvin))
    assert len(told) == 1
    assert technology.residual_stress < 0
