"""Cases of solids: several materials as boxes of the domain, the temperature of a heat model, atoms."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.studies import Case

import pytest

PLANE = {"shape": "rectangle", "size": ["2 um", "1 um"], "cells": [4, 4]}


def domain_of(**table: Any) -> em.mesh.Domain:
    """Domain of a case with a table [domain]."""
    return Case.from_dict({"domain": {**PLANE, **table}, "heat": {"conductivity": 1.0}}).tables.domain.make()


def test_boxes_are_regions_in_their_order():
    lower = {"upper": ["2 um", "0.5 um"]}
    domain = domain_of(regions={"via": {"lower": ["1 um", 0], "upper": ["1.5 um", "0.5 um"]}, "oxide": lower, "cu": {}})
    assert domain.regions == ("via", "oxide", "cu")
    assert domain.cells is not None
    assert [len(domain.cells.find(domain.region(name))) for name in domain.regions] == [2, 6, 8]


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ({"cu": {"upper": ["2 um", "0.4 um"]}}, r"regions.cu.upper\[1\] = 4e-07, must be on edges of cells: it goes"),
        ({"cu": {"lower": ["0.7 um", 0]}}, r"regions.cu.lower\[0\] = 7e-07, must be on edges"),
        ({"cu": {"upper": ["2 um"]}}, "regions.cu.upper = .*, must be a list of 2 lengths"),
        ({"cu": {"lower": ["1 um", 0], "upper": ["1 um", "1 um"]}}, "must have upper above lower"),
        ({"cu": {}, "oxide": {}}, "regions without cells: 'oxide'"),
        ({}, "regions without cells: all"),
    ],
)
def test_boxes_that_are_no_regions_are_refused(regions: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        domain_of(regions=regions)


def test_boxes_and_grains_are_not_both():
    with pytest.raises(em.ParameterError, match="must be one of them"):
        domain_of(regions={"cu": {}}, random_grains={"count": 2})


def test_two_materials_in_the_temperature_of_a_heat_model():
    """Uniaxial strain of two rods in series: one stress along them, `s sum h/M = -sum 3 K alpha/M int (T - T_0)`."""
    case = {
        "domain": {
            "shape": "interval",
            "length": "2 um",
            "cells": 4,
            "regions": {"copper": {"upper": ["1 um"]}, "oxide": {}},
        },
        "material": {"metal": "copper", "temperature": "300 K"},
        "heat": {"on": {"left": {"fixed": "300 K"}, "right": {"fixed": "400 K"}}, "conductivity": 400.0},
        "mechanics": {
            "heat": True,
            "stress_free_temperature": "300 K",
            "solids": {"oxide": {"young_modulus": "71 GPa", "poisson_ratio": 0.17, "expansion": 5e-7}},
            "on": {"left": {"clamped": True}, "right": {"clamped": True}},
        },
        "steady": {},
    }
    models = Case.from_dict(case).build()
    em.solve_steady(models)
    rods = em.mechanics.elastic(em.materials.copper(temperature=300.0)), em.mechanics.Elastic(71e9, 0.17, 5e-7)
    moduli = [rod.bulk_modulus + 4 / 3 * rod.shear_modulus for rod in rods]
    warm = zip(rods, moduli, (25.0, 75.0), strict=True)  # means of T - T_0 in both halves
    blocked = sum(3 * rod.bulk_modulus * (rod.expansion or 0.0) / m * rise for rod, m, rise in warm)
    exact = -blocked / sum(1 / m for m in moduli)
    assert em.fields.evaluate(models[1]["s_xx"], [[3e-7], [1.7e-6]]) == pytest.approx([exact, exact], rel=1e-8)


@pytest.mark.soak
def test_atoms_of_a_case_with_vacancies_in_one_of_two_materials():
    case = {
        "domain": {**PLANE, "cells": [4, 2], "regions": {"oxide": {"upper": ["2 um", "0.5 um"]}, "copper": {}}},
        "material": {"metal": "copper", "temperature": "500 K"},
        "mechanics": {
            "atoms": True,
            "atoms_in": "copper",
            "vacancies": {"equilibrium": 1e-5, "lifetime": "1 ms"},
            "deposit": [1.0, 0.0],
            "current_density": ["1 MA/cm2", 0.0],
            "solids": {"oxide": {"young_modulus": "71 GPa", "poisson_ratio": 0.17}},
            "on": {"bottom": {"clamped": True}},
        },
        "time": {"until": "10 s"},
    }
    made = Case.from_dict(case).build()[0]
    before = made.quantity("atoms")
    em.evolve(made, 10.0, progress=False)
    assert made.quantity("atoms") == pytest.approx(before, rel=1e-13, abs=0)
    assert made.quantity("sigma_max") > 0
