"""Cases: what a file says is checked, built, run and written; errors name their line."""

from __future__ import annotations

import json
import math
import pickle
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.studies import Case, CaseError, templates
from emfem.studies.tables import PHYSICS, SHAPES, BuildContext, base
from emfem.studies.toml_locations import lines_of
from emfem.studies.units import in_unit

import numpy as np
import pytest

# six cells each way: the tests are of cases, not of patterns
COARSE = pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
FILM = """\
[domain]
shape = "periodic_rectangle"
size = [10.4, 10.4]
cells = [6, 6]

[film]
alloy = "cupd"
mean = 0.3
initial = { amplitude = 0.08, seed = 1 }
[film.field]
strength = 0.1
angle = "45 deg"

[time]
until = 5.0
rtol = 1e-3
"""
LINE = '[domain]\nshape = "interval"\nlength = "10 um"\ncells = 8\n'
COPPER = '[material]\nmetal = "copper"\ntemperature = "300 K"\n'

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a case into a file called case.toml."""

    def to_file(text: str) -> Path:
        path = tmp_path / "case.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def errors_of(path: Path, *, build: bool = False) -> list[str]:
    """The sentences by which a case is refused, without the folder."""
    with pytest.raises(em.ParameterError) as caught:
        Case.read(path).build() if build else Case.read(path)
    return str(caught.value).replace(f"{path.parent}/", "").split("\n")


# ---- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "written", "expected"),
    [
        ("film.field.angle", "45 deg", math.pi / 4),
        ("film.field.angle", 0.5, 0.5),
        ("film.field.angle", "0.25 turn", math.pi / 2),
        ("film.field.angle", "45*deg", math.pi / 4),
        ("film.field.angle", "90deg/2", math.pi / 4),
        ("film.field.strength", "30 percent", 0.3),
        ("film.mean", "0.3", 0.3),
        ("time.until", 7, 7.0),
        ("film.degree", 1, 1),
    ],
)
def test_values_become_numbers(write: Write, key: str, written: Any, expected: float):
    assert Case.read(write(FILM)).with_(**{key: written}).value(key) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('current_density = "30 MA/cm2"', 3e11),
        ('current_density = "-3e11 A/m2"', -3e11),
        ('current_density = "30*MA/cm2"', 3e11),
        ('resistivity = "2 uOhm cm"', 2e-8),
        ('conductivity = "4 W/(cm K)"', 400.0),
        ('hottest = "1000 degC"', 1273.15),
    ],
)
def test_units_become_si(write: Write, written: str, expected: float):
    case = Case.read(write(f"{LINE}{COPPER}[heat]\n{written}\n"))
    assert case.value("domain.length") == pytest.approx(1e-5, rel=1e-14)
    assert case.value(f"heat.{written.split(' = ')[0]}") == pytest.approx(expected, rel=1e-12, abs=0)


def test_an_energy_may_be_one_per_mole(write: Write):
    """19.3 kJ/mol over Avogadro's number, by hand."""
    case = Case.read(write(f'{LINE}{COPPER}heat_of_transport = "19.2970664 kJ/mol"\n[heat]\ncurrent_density = 1.0\n'))
    assert case.value("material.heat_of_transport") == pytest.approx(19297.0664 / 6.02214076e23, rel=1e-12, abs=0)


def test_a_film_with_physical_constants_has_scales():
    """S = nu k T/gamma, t0 = S h^2/D, F = Z* (V/L) e nu h/gamma, worked out by hand."""
    case = Case.from_dict(tomllib.loads(templates.text("physical_film")))
    entropy = 1.5e19 * 1.380649e-23 * 923 / 1.95
    assert case.value("domain.size") == pytest.approx([31.2, 31.2], rel=1e-12)
    assert case.value("time.until") == pytest.approx(0.3 / (entropy * 1e-16 / 1e-14), rel=1e-12)
    film = case.tables.models()["film"]
    force = -10 * (0.76 / 312e-9) * 1.602176634e-19 * 1.5e19 * 1e-8 / 1.95
    context = BuildContext(em.mesh.interval(1.0, cells=1))
    assert np.hypot(*film.field.force(film.alloy.made, context)) == pytest.approx(abs(force), rel=1e-12)


def test_a_film_sets_the_units_of_the_domain_the_times_and_its_start():
    """A length of anything else stays in metres."""
    case = Case.from_dict(tomllib.loads(templates.text("physical_film")))
    thickness = case.value("film.alloy.film_thickness")
    tenth = f"{thickness / 10!r} m"
    changed = case.with_(**{"domain.size": [tenth, "1 um"], "film.initial.grain": tenth})
    assert changed.value("domain.size")[0] == pytest.approx(0.1, rel=1e-12)
    assert changed.value("film.initial.grain") == pytest.approx(0.1, rel=1e-12)
    assert case.with_(**{"film.alloy.film_thickness": "20 nm"}).value("film.alloy.film_thickness") == 2e-8
    for key in ("domain.size", "film.initial.grain", "time.until"):
        value = ["1 um", "1 um"] if key == "domain.size" else "1 s" if key == "time.until" else "1 um"
        with pytest.raises(em.ParameterError, match="must be a plain number: the film is dimensionless"):
            Case.from_dict(tomllib.loads(FILM)).with_(**{key: value})


def test_a_case_is_parsed_once_and_its_alloy_made_once(write: Write, monkeypatch: pytest.MonkeyPatch):
    texts: list[str] = []
    makers: list[Any] = []
    loads, call = tomllib.loads, base.call

    def count_loads(text: str) -> Any:
        texts.append(text)
        return loads(text)

    def count_calls(maker: Any, values: Any) -> Any:
        makers.append(maker)
        return call(maker, values)

    monkeypatch.setattr(tomllib, "loads", count_loads)
    monkeypatch.setattr(base, "call", count_calls)
    Case.read(write(templates.text("physical_film"))).build()
    assert len(texts) == 1
    assert makers.count(em.film.Alloy.from_physical) == 1


def test_a_resolved_case_is_read_again(write: Write):
    case = Case.read(write(FILM))
    again = Case.from_dict(tomllib.loads(case.to_toml()))
    assert (again.hash, again.resolved) == (case.hash, case.resolved)


def test_the_hash_is_of_what_is_computed(write: Write, tmp_path: Path):
    case = Case.read(write(FILM))
    assert case.with_(**{"field.angle": math.radians(45)}).hash == case.hash
    assert case.with_(**{"field.angle": "46 deg"}).hash != case.hash
    mesh = tmp_path / "a.msh"
    em.mesh.write(em.mesh.rectangle((2.0, 1.0), cells=(2, 2)), mesh)
    (tmp_path / "b.msh").write_bytes(mesh.read_bytes())
    one, other = (case.of({**case.written, "domain": {"file": f}}, tmp_path, case.source) for f in ("a.msh", "b.msh"))
    assert one.hash == other.hash  # the same content
    mesh.write_bytes(mesh.read_bytes() + b"\n")
    assert one.hash != other.hash


def test_a_key_may_leave_out_the_table_of_the_model(write: Write):
    case = Case.read(write(FILM))
    assert case.path_of("field.angle") == case.path_of("film.field.angle") == ("film", "field", "angle")
    changed = case.with_(**{"alloy.enthalpy": 0.16, "initial.seed": 4})
    assert changed.value("film.alloy") == {"name": "cupd", "enthalpy": 0.16}
    assert case.value("initial.seed") == 1  # the case itself stays


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("fild.angle", 1, "key 'fild.angle', must begin with a table of the case; did you mean 'field'?"),
        ("film.field.angel", 1, "[film.field] there is no key 'angel'; did you mean 'angle'?"),
        ("film.mean", "3 nm", "film.mean = '3 nm' is a length, must be a plain number"),
        ("a b", 1, "key 'a b', must begin with a table of the case"),
    ],
)
def test_wrong_overrides(write: Write, key: str, value: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        Case.read(write(FILM)).with_(**{key: value})
    assert message in str(caught.value)


def test_an_ambiguous_key_is_refused():
    both = Case.from_dict(tomllib.loads(templates.text("strip")))
    with pytest.raises(em.ParameterError, match="it is in conduction and film"):
        both.with_(**{"on.anode.fixed": 2.0})


# ---- what is wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"45 deg"',
            '"3 nm"',
            "case.toml:12: film.field.angle = '3 nm' is a length, must be an angle, such as '45 deg'",
        ),
        ('"45 deg"', "45", "case.toml:12: film.field.angle = 45 is in rad, must be within a full turn: for degrees"),
        (
            '"45 deg"',
            '"45 degg"',
            "case.toml:12: film.field.angle = '45 degg', must have a unit that exists: there is no 'degg'; did",
        ),
        ('"45 deg"', '"deg"', "case.toml:12: film.field.angle = 'deg', must be an angle, such as '45 deg'"),
        ('"45 deg"', '"1/0"', "case.toml:12: film.field.angle = '1/0', must not be divided by 0"),
        ('"45 deg"', '"1 deg/0.0"', "case.toml:12: film.field.angle = '1 deg/0.0', must not be divided by 0"),
        (
            '"45 deg"',
            '"1 (deg**9)**9**9**9"',
            "case.toml:12: film.field.angle = '1 (deg**9)**9**9**9', must have a unit that exists",
        ),
        ("angle", "angel", "case.toml:12: [film.field] there is no key 'angel'; did you mean 'angle'?"),
        ("mean = 0.3", "mean = true", "case.toml:8: film.mean = True, must be a plain number"),
        ("mean = 0.3", 'degree = "2"', "case.toml:8: film.degree = '2', must be a whole number"),
        (
            "strength = 0.1",
            "",
            "case.toml:10: [film.field] nothing is given, must be one of strength, voltage, components",
        ),
        ("cells = [6, 6]", "", "case.toml:1: [domain] cells is missing"),
        ("periodic_rect", "periodic_ect", "case.toml:2: domain.shape = 'periodic_ectangle', must be a shape; did you"),
        ("shape =", "# shape =", "case.toml:1: [domain] shape is missing"),
        ("amplitude = 0.08", "amplitude = -1", "case.toml:9: [film.initial] amplitude = -1, must be greater than 0"),
        ('"cupd"', '{ name = "cupd", entropy = -1 }', "case.toml:7: [film.alloy] entropy = -1, must be at least 0"),
        ('"cupd"', "{ entropy = 0.1 }", "case.toml:7: [film.alloy] enthalpy and solute_expansion and gradient_energy"),
        ('"cupd"', '"cupt"', "case.toml:7: [film.alloy] name = 'cupt', must be cupd"),
        ("[10.4, 10.4]", '["9 nm", 10]', "case.toml:3: domain.size = ['9 nm', 10] is a length, must be a plain number"),
        ("until = 5.0", "until = -5.0", "case.toml:15: [time] until = -5, must be greater than 0"),
        ("rtol = 1e-3", 'method = "euler"', "case.toml:16: [time] 'euler'; method has rosenbrock, bdf"),
        ("[film.field]", "[film.on.left]\nfixed = 1\nflux = 2\n[film.field]", "case.toml:11: [film.on.left] fixed and"),
        ("[time]", "[tiem]", "case.toml:14: there is no key 'tiem'; did you mean 'time'?"),
        ("[time]", "[steady]\n[time]", "case.toml:15: [time] and [steady] are given, must be one of them"),
        ("[time]", "[output]\nevery = 0\n[time]", "case.toml:15: [output] every = 0, must be greater than 0"),
        ("[time]", "[output]\nstates_at = [2, 1]\n[time]", "case.toml:15: [output] states_at = [2.0, 1.0], must be"),
        (
            "[time]",
            '[material]\nmetal = "coper"\n[time]',
            "case.toml:14: [material] 'coper'; emfem.materials has copper",
        ),
    ],
)
def test_each_wrong_value_is_reported_in_one_line(write: Write, old: str, new: str, message: str):
    assert FILM.count(old) == 1 or old == "angle"
    sentences = errors_of(write(FILM.replace(old, new)))
    assert any(sentence.startswith(message) for sentence in sentences), sentences


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[10.4, 10.4]", "[10.4, -1]", "case.toml:3: [domain] length along y = -1, must be greater than 0"),
        ("mean = 0.3", "mean = 1.3", "case.toml:8: [film] mean = 1.3, must be less than 1"),
        ("strength = 0.1", "voltage = 1.0", "case.toml:11: [film.field] width is missing, must be given with voltage"),
        (
            "[film.field]",
            "[film.on.left]\nfixed = 0.3\n[film.field]",
            "case.toml:10: [film] 'left'; this mesh, periodic",
        ),
        (
            'strength = 0.1\nangle = "45 deg"',
            "conduction = 8.0",
            "case.toml:11: [film] the table [conduction] is missing",
        ),
    ],
)
def test_errors_of_a_physics_name_its_table(write: Write, old: str, new: str, message: str):
    sentences = errors_of(write(FILM.replace(old, new)), build=True)
    assert len(sentences) == 1
    assert message in sentences[0]


def test_all_errors_are_reported_at_once(write: Write):
    text = FILM.replace("mean = 0.3", 'mean = "x"').replace("cells = [6, 6]", "").replace("until = 5.0", "until = 0")
    result = errors_of(write(text))
    assert [line.split(": ")[0] for line in result] == ["case.toml:1", "case.toml:8", "case.toml:15"]


def test_errors_travel_between_processes():
    error = CaseError(["one", "two", "one"])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.sentences) == ("one\ntwo", ("one", "two"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[domain]\nsize = [1,\n", "case.toml:2: must be TOML: "),
        ("a = 1\na = 2\n", "case.toml:2: must be TOML: Cannot overwrite a value"),
        ("", "case.toml:1: [domain] is missing"),
        ('[domain]\nshape = "disk"\nradius = 1.0\nelectrodes = 2\nsize = 0.2\n', "case.toml:1: no model is given"),
    ],
)
def test_what_is_no_case(write: Write, text: str, message: str):
    result = errors_of(write(text))
    assert result[0].startswith(message.replace("[domain] is", "domain is"))


def test_a_file_that_is_not_there(tmp_path: Path):
    assert errors_of(tmp_path / "none.toml") == [
        "path = 'none.toml', must be a file that can be read: No such file or directory"
    ]


# ---- lines --------------------------------------------------------------------------------------------------------


def test_lines_of_tables_dotted_keys_and_long_values():
    text = '''# a comment
a = 1
"b c".d = [
  1,  # [not.a.table]
  2,
]
t = """
[also.not]
x = 1
"""
[e]
f.g = { h = 1 }
[e."i.j"]
k = 1
[[runs]]
l = 1
[[runs]]
l = 2
[runs.m]
n = 3
'''
    lines = lines_of(text)
    expected = {
        ("a",): 2,
        ("b c", "d"): 3,
        ("b c", "d", 1): 3,
        ("t",): 7,
        ("e",): 11,
        ("e", "f", "g", "h"): 12,
        ("e", "i.j", "k"): 14,
        ("runs", 0, "l"): 16,
        ("runs", 1, "l"): 18,
        ("runs", 1, "m", "n"): 20,
    }
    assert {path: lines[path] for path in expected} == expected
    assert ("x",) not in lines
    assert ("also", "not") not in lines


# ---- tables -------------------------------------------------------------------------------------------------------


def test_every_public_shape_has_a_table():
    assert {"file" if name == "read" else name for name in em.mesh.makers()} == set(SHAPES)
    assert {"notched_strip", "periodic_rectangle", "disk", "polycrystal", "via", "file"} <= set(SHAPES)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({"shape": "disk", "radius": "2 um", "electrodes": 2, "size": "0.5 um"}, ("electrode 1", "electrode 2", "rim")),
        (
            {"shape": "disk", "radius": 2, "electrodes": {"e": ["0 deg", "60 deg"], "w": ["180 deg", 1]}, "size": 0.5},
            ("e", "w", "rim"),
        ),
        (
            {
                "shape": "polygon",
                "outline": [[0, 0], [2, 0], [0, 2]],
                "electrodes": {"a": [[0, 0], [2, 0]]},
                "size": 0.5,
            },
            ("a", "sides"),
        ),
        (
            {"file": str(Path(__file__).parents[2] / "meshes" / "plate.msh"), "unit": "1 mm"},
            ("source", "drain", "sides"),
        ),
    ],
)
def test_domains_are_made(table: dict[str, Any], names: tuple[str, ...]):
    case = Case.from_dict({"domain": table, "conduction": {}})
    assert set(names) <= set(case.tables.domain.make().names)


@pytest.mark.parametrize("unit", ["mm", "1 mm", 1e-3])
def test_the_unit_of_a_mesh_may_be_its_name_alone(unit: Any):
    table = {"file": str(Path(__file__).parents[2] / "meshes" / "plate.msh"), "unit": unit}
    case = Case.from_dict({"domain": table, "conduction": {}})
    whole = Case.from_dict({"domain": table | {"unit": 1.0}, "conduction": {}})
    assert case.tables.domain.make().extent()[0] == pytest.approx(1e-3 * whole.tables.domain.make().extent()[0])


def test_grains_and_bodies_of_revolution():
    square = {"shape": "rectangle", "size": [2.0, 1.0], "cells": [4, 4]}
    grains = Case.from_dict({"domain": {**square, "random_grains": {"count": 3, "seed": 1}}, "conduction": {}})
    assert len(grains.tables.domain.make().regions) == 3
    body = Case.from_dict({"domain": {**square, "axisymmetric": True}, "conduction": {}})
    assert body.tables.domain.make().weight is not None


def test_a_plane_may_have_a_thickness():
    square = {"shape": "rectangle", "size": ["2 um", "1 um"], "cells": [2, 2], "thickness": "50 nm"}
    assert Case.from_dict({"domain": square, "conduction": {}}).tables.domain.make().thickness == pytest.approx(
        5e-8, rel=1e-12, abs=0
    )
    wire = {"shape": "network", "nodes": [[0, 0], ["1 um", 0]], "segments": [[0, 1]], "width": "90 nm"}
    domain = Case.from_dict({"domain": {**wire, "thickness": "50 nm"}, "conduction": {}}).tables.domain.make()
    assert domain.wires().cross_sections == pytest.approx([90e-9 * 50e-9], rel=1e-12, abs=0)  # of wires it is their own


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"conduction": {"on": {"left": {"current": "1 mA"}, "right": {"fixed": 0.0}}}},
            "[conduction.on.left] current = '1 mA', must be a plain number in A/m, or [domain] have a thickness",
        ),
        (
            {"surface": {"current": "1 mA", "interface_width": "0.1 um", "shape": {"kind": "flat", "height": "1 um"}}},
            "[surface] current = '1 mA', must be a plain number in A/m, or [domain] have a thickness",
        ),
    ],
)
def test_a_current_of_a_plane_is_no_ampere(tables: dict[str, Any], message: str):
    """It was taken for as many A/m: 10 million times too little in a film of 100 nm."""
    square = {"shape": "rectangle", "size": ["2 um", "1 um"], "cells": [2, 2]}
    material = {"metal": "copper", "surface_diffusivity_thickness": 1e-20}
    with pytest.raises(em.ParameterError, match=re.escape(message)):
        Case.from_dict({"domain": square, "material": material, **tables}).build()


def test_a_case_is_in_si_unless_a_film_sets_the_scales():
    square = {"shape": "rectangle", "size": [2.0, 1.0], "cells": [2, 2]}
    on = {"left": {"fixed": 1.0}, "right": {"fixed": 0.0}}
    current = {"domain": square, "conduction": {"on": on}}
    film = {"alloy": "cupd", "mean": 0.3}
    (alone,), (beside, _) = Case.from_dict(current).build(), Case.from_dict({**current, "film": film}).build()
    assert [q.unit for q in alone.quantities.values()] == ["W/m", "V", "V", "V", "V", "A/m", "A/m"]
    assert {q.unit for q in beside.quantities.values()} == {"-"}
    assert (str(alone.system), str(beside.system)) == ("SI", "scaled by h")


def test_a_polycrystal_has_a_crystal_in_each_grain():
    case = Case.from_dict(
        {
            "domain": {"shape": "polycrystal", "size_xy": [8.0, 8.0], "grains": 2, "size": 2.0},
            "film": {
                "alloy": "cupd",
                "mean": 0.3,
                "anisotropy": {"strength": 1.0, "turned": {"grain 1": "0 deg", "grain 2": "90 deg"}},
            },
        }
    )
    turned = case.tables.models()["film"].anisotropy.on(case.tables.domain.make())
    assert np.allclose(turned["grain 1"], turned["grain 2"][::-1, ::-1])
    assert case.build()[0].name == "film"


GRAINS: dict[str, Any] = {
    "domain": {
        "shape": "periodic_rectangle",
        "size": [8.0, 8.0],
        "cells": [8, 8],
        "random_grains": {"count": 4, "seed": 1},
    },
    "film": {"alloy": "cupd", "mean": 0.3, "anisotropy": {"ratio": 0.1, "scattered": {"spread": "30 deg", "seed": 2}}},
}


def test_grains_are_turned_at_random_within_a_spread():
    """Both ways, by other angles for another seed, and in proportion to the spread."""
    case = Case.from_dict(GRAINS)
    domain = case.tables.domain.make()

    def turns(**values: Any) -> Any:
        film = case.with_(**values).tables.models()["film"]
        return np.array([film.anisotropy.turns(domain)[region] for region in domain.regions])

    first = turns()
    assert np.abs(first).max() <= np.pi / 6
    assert first.min() < 0 < first.max()
    assert np.allclose(turns(**{"film.anisotropy.scattered.spread": "60 deg"}), 2 * first, rtol=1e-12)
    assert not np.isclose(turns(**{"film.anisotropy.scattered.seed": 3}), first).any()
    assert case.build()[0].name == "film"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("film.anisotropy.scattered.spread", -0.1, "[film.anisotropy.scattered] spread = -0.1 rad, must be at least 0"),
        ("film.anisotropy.scattered.seed", -1, "[film.anisotropy.scattered] seed = -1, must be at least 0"),
        ("film.anisotropy.turned", {"grain 1": 0.1}, "turned and scattered are given, must be one of"),
    ],
)
def test_wrong_scatter(key: str, value: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        Case.from_dict(GRAINS).with_(**{key: value})
    assert message in str(caught.value)


def test_scatter_needs_grains():
    one = {**GRAINS, "domain": {key: value for key, value in GRAINS["domain"].items() if key != "random_grains"}}
    with pytest.raises(em.ParameterError, match="scattered is given, must be left out: the domain has no regions"):
        Case.from_dict(one).build()


def test_current_and_resistance():
    """10 x 1 of copper, 0.1 um thick: R = 10 rho / t."""
    plate = {"shape": "rectangle", "size": ["10 um", "1 um"], "cells": [10, 1], "thickness": "0.1 um"}
    case = Case.from_dict(
        {
            "domain": plate,
            "material": {"metal": "copper", "resistivity": "2e-8 Ohm m"},
            "conduction": {"on": {"left": {"current": "2 A"}, "right": {"voltage": "0 V"}}},
        }
    )
    (model,) = case.build()
    em.solve_steady(model)
    measured = case.measures([model])
    assert {name: value.number for name, value in measured.items()} == pytest.approx(
        {"resistance": 2.0, "crowding": 1.0}, rel=1e-9, abs=0
    )
    assert [value.unit for value in measured.values()] == ["Ohm", "-"]
    del plate["thickness"]
    (bare,) = case.with_(**{"domain": plate, "conduction.on.left": {"voltage": 1.0}}).build()
    em.solve_steady(bare)
    resistance = case.measures([bare])["resistance"]
    assert resistance.number == pytest.approx(2e-7, rel=1e-9, abs=0)  # 10 rho
    assert resistance.unit == "Ohm m"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"current": 1.0, "voltage": 1.0}, "voltage and current are given, must be one of"),
        ({"flux": 1.0, "contact_resistivity": 1.0}, "flux and contact_resistivity are given"),
        ({"contact_resistivity": 1.0}, "nothing is given, must be one of fixed, voltage, current, flux"),
        ({"fixed": "1 K"}, "conduction.on.left.fixed = '1 K' is a temperature, must be a voltage"),
    ],
)
def test_wrong_electrodes(condition: dict[str, Any], message: str):
    square = {"shape": "rectangle", "size": [1.0, 1.0], "cells": [1, 1]}
    with pytest.raises(em.ParameterError) as caught:
        Case.from_dict({"domain": square, "conduction": {"on": {"left": condition}}})
    assert message in str(caught.value)


# ---- values that follow time ----------------------------------------------------------------------------------------


def turning(**waveform: Any) -> Case:
    """A film whose field turns."""
    field = {"strength": 0.1, "angle": {"times": [10, 20], "values": ["0 deg", "90 deg"], **waveform}}
    square = {"shape": "periodic_rectangle", "size": [8.0, 8.0], "cells": [4, 4]}
    return Case.from_dict({"domain": square, "film": {"alloy": "cupd", "mean": 0.3, "field": field}})


def test_a_value_may_follow_time_along_lines_or_in_steps():
    """Before the first time it has the first value, from the last time on the last one."""
    at = (0.0, 10.0, 15.0, 19.9, 20.0, 99.0)
    lines = turning().tables.models()["film"].field.angle
    assert [lines(t) for t in at] == pytest.approx([0.0, 0.0, np.pi / 4, 0.99 * np.pi / 2, np.pi / 2, np.pi / 2])
    steps = turning(between="steps").tables.models()["film"].field.angle
    assert [steps(t) for t in at] == pytest.approx([0.0, 0.0, 0.0, 0.0, np.pi / 2, np.pi / 2])


def test_a_field_that_turns_is_the_force_on_the_film():
    case = turning()
    force = case.tables.models()["film"].field.force(em.film.cupd(), None)
    assert force(20.0) == pytest.approx((0.0, 0.1), abs=1e-15)
    assert [driver.name for driver in case.build()[0].drivers] == ["field"]


def test_a_value_that_follows_time_is_resolved_and_hashed(tmp_path: Path):
    case = turning(between="steps")
    (tmp_path / "case.toml").write_text(case.to_toml(), encoding="utf-8")
    assert Case.read(tmp_path / "case.toml").hash == case.hash
    assert case.value("film.field.angle")["values"] == pytest.approx([0.0, np.pi / 2])
    assert turning().hash != case.hash


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        ({"values": [0.0]}, "has 2 times and 1 values, must be as many of both, at least one"),
        ({"times": [20, 10]}, "has times = [20.0, 10.0], must be a list of times that increase"),
        ({"times": [10, 10]}, "has times = [10.0, 10.0], must be a list of times that increase"),
        ({"times": [0, math.inf]}, "must be finite"),
        ({"period": "1 s"}, "has period = 1, must be at least 10"),
        ({"times": 10}, "must have a list of times"),
        ({"values": [0.0, 45]}, "is in rad, must be within a full turn"),
        ({"values": ["0 deg", "1 K"]}, "is a temperature, must be an angle"),
        ({"between": "curves"}, "has between = 'curves', must be one of lines, steps"),
        ({"time": [0, 1]}, "must be a table with times and values (and between, period) or with"),
    ],
)
def test_wrong_waveforms(waveform: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as caught:
        turning(**waveform)
    assert "film.field.angle = " in str(caught.value)
    assert message in str(caught.value)


def test_a_list_is_no_waveform():
    with pytest.raises(em.ParameterError, match="must be one value, or a table with times and values"):
        turning().with_(**{"film.field.angle": [0.0, 1.0]})


def test_steps_hit_the_times_at_which_a_voltage_bends(tmp_path: Path):
    """2 V at t = 1 s, then switched off at 1.7 s: each row of the series has the voltage of its time."""
    case = Case.from_dict(
        {
            "domain": {"shape": "rectangle", "size": [1.0, 1.0], "cells": [2, 2]},
            "conduction": {
                "conductivity": 1.0,
                "on": {
                    "left": {"voltage": {"times": [0, "1 s", 1.7, 1.7001], "values": [0, "2 V", 2, 0]}},
                    "right": {"current": {"times": [0.0, 0.4], "values": [0.0, 1.0], "between": "steps"}},
                },
            },
            "migration": {"initial": 1.0, "diffusivity": 1e-3},
            "time": {"until": 3.0},
            "output": {"pictures": []},
        }
    )
    case.run(tmp_path, progress=False)
    series = em.results.open(tmp_path).series
    assert {0.4, 1.0, 1.7} <= set(series["t"])
    expected = np.interp(series["t"], [0.0, 1.0, 1.7, 1.7001], [0.0, 2.0, 2.0, 0.0])
    assert series["voltage left"].to_numpy() == pytest.approx(expected, abs=1e-9)


def test_stress_of_a_steady_line():
    """Both ends blocked: the stress rises linearly, by Z* e rho j L/Omega from end to end."""
    case = Case.from_dict(
        {
            "domain": {"shape": "interval", "length": "20 um", "cells": 4},
            "material": {"metal": "copper", "temperature": "573 K"},
            "stress": {"current_density": "1 MA/cm2"},
        }
    )
    (model,) = case.build()
    em.solve_steady(model)
    copper = em.materials.copper(573.0)
    rise = copper.effective_charge * 1.602176634e-19 * copper.resistivity * 1e10 * 20e-6 / copper.atomic_volume
    assert model.quantity("sigma_max") - model.quantity("sigma_min") == pytest.approx(abs(rise), rel=1e-8)


def test_drift_by_a_current():
    """v = D Z* e rho j/(k T), at 573 K, of the numbers given."""
    metal = {
        "metal": "copper",
        "temperature": 573.0,
        "effective_charge": -5.0,
        "resistivity": 3e-8,
        "diffusivity": 1e-14,
    }
    case = Case.from_dict(
        {
            "domain": {"shape": "interval", "length": "1 um", "cells": 4},
            "material": metal,
            "migration": {"initial": 1.0, "drift": {"current_density": "1 MA/cm2"}},
        }
    )
    (model,) = case.build()
    speed = em.fields.discontinuous(model["drift"], model.mesh, 1).x.array
    expected = 1e-14 * -5 * 1.602176634e-19 * 3e-8 * 1e10 / (1.380649e-23 * 573)
    assert speed == pytest.approx(np.full(len(speed), expected), rel=1e-10, abs=0)


def test_a_value_and_a_coupling_for_it_exclude_each_other():
    """The value was ignored without a word."""
    heat = {"current_density": 1.0, "on": {"left": {"fixed": 300.0}}}
    tables = {"material": {"metal": "copper"}, "heat": heat, "stress": {"heat": True, "temperature": 400.0}}
    with pytest.raises(em.ParameterError, match=r"\[stress\] heat and temperature are given, must be one of them"):
        Case.from_dict({"domain": tomllib.loads(LINE)["domain"], **tables}).build()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"temperature": 300, "coefficient": "2 W/(m3 K)"}, (2.0, 300.0)),
        (
            {"temperature": 300, "conductivity": 1.0, "thickness": "1 um", "line_height": "0.5 um"},
            em.heat.substrate(conductivity=1.0, thickness=1e-6, line_height=0.5e-6, temperature=300.0),
        ),
        ({"temperature": 300}, None),
        ({"temperature": 300, "thickness": 1.0}, None),
        ({"temperature": 300, "thickness": 1.0, "coefficient": 1.0}, None),
    ],
)
def test_losses(loss: dict[str, Any], expected: Any):
    tables = {"domain": tomllib.loads(LINE)["domain"], "heat": {"loss": loss, "conductivity": 1.0}}
    if expected is None:
        with pytest.raises(em.ParameterError, match="loss must have coefficient, or conductivity, thickness and"):
            Case.from_dict(tables)
    else:
        assert Case.from_dict(tables).tables.models()["heat"].loss.make() == expected


def test_a_conductivity_that_follows_the_temperature_is_one_system():
    """The models hang together both ways: neither is left with a placeholder."""
    models = Case.from_dict(tomllib.loads(templates.text("joule"))).build()
    assert [model.missing for model in models] == [(), ()]
    film = Case.from_dict(tomllib.loads(templates.text("strip"))).build()
    assert [model.missing for model in film] == [(), ()]


def test_every_model_can_be_left_out_but_not_all():
    assert {physics.name for physics in PHYSICS} >= {"conduction", "film", "heat", "migration", "stress", "surface"}


# ---- runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> em.studies.Outcome:
    """A small film that was run."""
    tables = tomllib.loads(FILM) | {
        "output": {"every": 1.0, "states_every": 2.5, "fields": ["c"], "pictures": ["c", "mu"]}
    }
    return Case.from_dict(tables).run(tmp_path_factory.mktemp("run"), progress=False)


@COARSE
def test_a_run_writes_everything(outcome: em.studies.Outcome):
    folder = outcome.folder
    there = sorted(path.name for path in folder.iterdir())
    assert there == [
        *(
            "case.toml",
            "checkpoints",
            "fields",
            "fields.json",
            "fields.pvd",
            "final-mu.png",
            "final.png",
            "mesh.npz",
            "report.json",
        ),
        *("series.csv", "states"),
    ]
    assert sorted(path.name for path in (folder / "states").iterdir()) == [
        "0000.npz",
        "0001.npz",
        "0002.npz",
        "last.npz",
    ]
    assert len((folder / "series.csv").read_text(encoding="utf-8").splitlines()) == 7
    assert Case.read(folder / "case.toml").hash == outcome.report["hash"]


def test_the_report_has_status_numbers_and_versions(outcome: em.studies.Outcome):
    report = json.loads((outcome.folder / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "ok"
    assert report["stopped"] == "reached until"
    assert report["t"] == 5.0
    assert report["quantities"]["solute"] == pytest.approx(0.3 * 10.4**2, rel=1e-10)
    assert report["pattern"]["kind"]
    assert set(report["versions"]) == {"emfem", "DOLFINx", "PETSc", "MPI", "Python"}


@COARSE
def test_a_run_is_the_same_as_its_script(outcome: em.studies.Outcome):
    film = em.film.model(
        em.mesh.periodic_rectangle((10.4, 10.4), cells=(6, 6)),
        em.film.cupd(),
        mean=0.3,
        field=em.film.uniform_field(0.1, math.pi / 4),
        initial=em.film.noise(0.08, seed=1),
    )
    em.evolve(
        film, 5.0, rtol=1e-3, watch=[em.write.series(outcome.folder / "script" / "s.csv", every=1.0)], progress=False
    )
    expected = {name: film.quantity(name) for name in film.quantities}
    assert outcome.report["quantities"] == pytest.approx(expected, rel=1e-4)  # of the steps, which states cut too


@COARSE
def test_an_event_stops_a_run(tmp_path: Path):
    tables = tomllib.loads(FILM)
    tables["time"] |= {"stop": [{"quantity": "amplitude", "below": 0.025}], "conserved": ["solute"], "until": 50.0}
    report = Case.from_dict(tables).run(tmp_path, progress=False).report
    assert report["stopped"] == "amplitude fell to 0.025"
    assert report["quantities"]["amplitude"] == pytest.approx(0.025, rel=1e-6)


def test_a_run_that_fails_is_reported_as_failed(tmp_path: Path):
    tables = tomllib.loads(FILM)
    tables["film"]["mean"] = 1.5
    with pytest.raises(CaseError):
        Case.from_dict(tables).run(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["status"], report["error"]) == ("failed", "[film] mean = 1.5, must be less than 1")


@pytest.mark.parametrize("name", templates.names())
def test_templates_are_cases(name: str):
    """Each is checked; test_cli runs them small."""
    text = templates.text(name)
    assert text.startswith("# ")
    case = Case.from_dict(tomllib.loads(text))
    assert case.tables.models()


def test_the_surface_of_a_template_becomes_rough():
    """Its first line says so: the fastest wave grows by e^10 and more, and cells resolve it."""
    tables: Any = Case.from_dict(tomllib.loads(templates.text("height"))).tables
    table, domain = tables.height, tables.domain
    waves = np.arange(1, 40)
    k = 2 * np.pi * waves[:, None] / domain.length
    rates = em.height.growth_rates(k, table.alloy.made, mean=table.mean, field=[table.field.strength])[:, 0].real
    assert rates.max() * tables.time.until > 10
    assert domain.cells > 8 * waves[rates.argmax()]


def test_there_is_a_template_for_every_model():
    used = {
        model
        for name in templates.names()
        for model in Case.from_dict(tomllib.loads(templates.text(name))).tables.models()
    }
    assert used == {physics.name for physics in PHYSICS}


@pytest.mark.parametrize("text", ["1e22 1/m3", "1e22/m3", "1e22 /m3", "1e16/cm3", "1e16 cm**-3"])
def test_a_density_may_be_written_in_several_ways(text: str):
    assert in_unit(text, "1/m3") == pytest.approx(1e22)


def nested(depth: int) -> Any:
    """Lists in each other."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nested(30), "film.mean.0 ..., must be at most 20 tables and lists in each other"),
        (nested(5000), "film.mean.0 ..., must be at most 20 tables and lists in each other"),
        (10**400, "film.mean = 1000"),
        (-(2**63) - 1, "film.mean = -9223372036854775809, must be a whole number of at most 64 bits"),
        (10**5000, "film.mean = <int>, must be a whole number of at most 64 bits"),
        (math.inf, "film.mean = inf, must be finite"),
        (math.nan, "film.mean = nan, must be finite"),
        ("1e400", "film.mean = '1e400', must be finite"),
        ("1" * 5000, "must be a plain number, such as 0.5"),
        ("1 " + "m*" * 3000 + "m", "must be a plain number, such as 0.5"),
        ("1 (deg**9)**9**9**9", "must have a unit that exists"),
        ("1 Ym**99", "must have a unit that exists"),
        ({1: 2}, "[film.mean] key 1, must be a text"),
        ([[]], "must be"),
    ],
    ids=range(14),
)
def test_values_that_no_file_should_hold(strip: Case, value: Any, message: str):
    tables = dict(strip.written) | {"film": dict(strip.written["film"]) | {"mean": value}}
    began = time.monotonic()
    with pytest.raises(em.ParameterError) as caught:
        Case.from_dict(tables)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300
    assert time.monotonic() - began < 5.0


def test_tables_that_are_none_are_refused():
    values: tuple[Any, ...] = (None, 1, [], "film", (i for i in range(3)))
    for value in values:
        with pytest.raises(em.ParameterError, match="must be tables by name"):
            Case.from_dict(value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("time.until.x", "key 'time.until.x', must be that of a value: time.until = 2.0 is no table"),
        ("film.mean.x.y", "key 'film.mean.x.y', must be that of a value: film.mean = 0.3 is no table"),
        ("#", "key '#', must begin with a table of the case"),
        ("", "key '', must begin with a table of the case"),
        ("a." * 5000 + "b", "must begin with a table of the case"),
        ("film." + "x." * 50 + "y", "film.x.x ..., must be at most 20 tables and lists in each other"),
        (7, "key = 7, must be a text"),
    ],
    ids=range(7),
)
def test_keys_that_are_none(strip: Case, key: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        strip.with_(**{key: 1.0}) if isinstance(key, str) else strip.path_of(key)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 5000, "its lists or tables are too deep in each other"),
        ("x = " + "9" * 5000, "Exceeds the limit"),
        ("[film]\nmean = 1e400\n", "must be"),
    ],
)
def test_files_that_the_parser_cannot_take(tmp_path: Path, text: str, message: str):
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(em.ParameterError, match=message) as caught:
        Case.read(path)
    assert str(caught.value).startswith(str(path))


def test_lines_of_long_lists_are_known_at_once():
    rows = [f"  [{i}, 1.0],  # a comment" for i in range(5000)]
    text = "\n".join(['a = """x [ #', '"""', "nodes = [", *rows, "]", "b = '[' # [", '[t."a]b"]  # ]', "c = 1", ""])
    began = time.monotonic()
    lines = lines_of(text)
    assert time.monotonic() - began < 5.0
    assert (lines["a",], lines["nodes",], lines["b",]) == (1, 3, 5005)
    assert (lines["t", "a]b"], lines["t", "a]b", "c"]) == (5006, 5007)


def test_a_current_density_that_is_a_table_is_refused():
    tables = tomllib.loads(templates.text("migration"))
    tables["migration"]["drift"]["current_density"] = {"times": [0], "values": [1]}
    with pytest.raises(em.ParameterError, match=r"current_density = .*, must be numbers"):
        Case.from_dict(tables).build()
