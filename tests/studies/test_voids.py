"""Voids in cases: what opens and grows is what `em.voids.run` computes, whatever ended the program on the way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import emfem as em
from emfem.studies import Case, CaseError, Study
from emfem.studies.running import Heartbeat
from emfem.studies.sweep import gather
from emfem.units import nm
from tests.voids.metals import METAL

import numpy as np
import pytest

DENSITY = 2e12
FLAW = {"place": [225 * nm, 0.0], "critical_stress": 101e6, "radius": 20 * nm}


def tables(**changed: Any) -> dict[str, Any]:
    """A short line under a large current: a large void opens at a flaw, and cuts it in a few steps."""
    case: dict[str, Any] = {
        "domain": {"shape": "rectangle", "size": ["300 nm", "32 nm"], "cells": [38, 4]},
        "material": {
            "metal": "copper",
            "temperature": METAL.temperature,
            **{
                name: getattr(METAL, name)
                for name in (
                    *("diffusivity", "bulk_modulus", "atomic_volume", "effective_charge", "resistivity"),
                    *("surface_energy", "surface_diffusivity_thickness"),
                )
            },
            "temperature_coefficient": 0.0,
        },
        "voids": {
            "interface_width": "8 nm",
            "current_density": DENSITY,
            "on": ["left", "right"],
            "residual_stress": "100 MPa",
            "liner": True,
            "nucleation": {
                "critical_stress": "2 GPa",
                "seed_radius": "22 nm",
                "most": 1,
                "rise": 2.0,
                "flaws": [FLAW],
            },
        },
        "time": {"until": 200.0, "rtol": 1e-2},
        "output": {"pictures": []},
    }
    for key, value in changed.items():
        table, *path = key.split("__")
        inner = case[table]
        for name in path[:-1]:
            inner = inner[name]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
    return case


def of(**changed: Any) -> Case:
    """Its case."""
    return Case.from_dict(tables(**changed))


def report(folder: Path) -> dict[str, Any]:
    """Numbers that a run reports."""
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run."""
    folder = tmp_path_factory.mktemp("life") / "whole"
    of().run(folder, progress=False)
    return folder


pytestmark = pytest.mark.filterwarnings("ignore:seed_radius", "ignore:atoms of the seed", "ignore:time from opening")


@pytest.mark.soak
def test_a_void_in_a_case_lives_as_in_a_script(whole: Path):
    """Within the errors of steps: the current of the case is computed, with other typical numbers."""
    domain = em.mesh.rectangle((300 * nm, 32 * nm), cells=(38, 4))
    table: Any = of().tables.material
    metal = table.made
    stress = em.stress.model(domain, metal, current_density=(DENSITY, 0.0), residual_stress=100e6, degree=1)

    def critical(x: Any) -> Any:
        return 101e6 + 1899e6 * np.minimum(np.hypot(x[0] - 225 * nm, x[1]) / (20 * nm), 1.0) ** 2

    life = em.voids.run(
        stress,
        lambda shape, sigma: em.voids.model(
            domain,
            metal,
            shape=shape,
            interface_width=8 * nm,
            residual_stress=sigma,
            current_density=DENSITY,
            on=("left", "right"),
            liner=True,
        ),
        critical_stress=critical,
        seed_radius=22 * nm,
        most=1,
        rise=2.0,
        until=200.0,
        rtol=1e-2,
    )
    got = report(whole)
    assert (got["status"], got["stopped"]) == ("ok", life.why) == ("ok", "cut")
    found = got["quantities"]
    assert found["nucleated"] == pytest.approx(life.nucleated, rel=1e-3, abs=0)
    assert found["bare_time_to_failure"] == pytest.approx(life.bare_time_to_failure, rel=1e-3, abs=0)
    assert found["time_to_failure"] == found["bare_time_to_failure"] + found["early"]
    assert (found["opening_x"], found["opening_y"]) == tuple(life.place)
    assert found["void"] == pytest.approx(life.void[-1], rel=1e-3, abs=0)
    assert got["units"]["quantities.time_to_failure"] == "s"


def test_its_folder_has_the_stress_before_and_the_void_after(whole: Path):
    """The film that was cut was thin from the start, so the doubt is unknown."""
    got = report(whole)
    numbers = got["quantities"]
    assert (got["status"], got["stopped"], numbers["uncertainty"]) == ("ok", "cut", None)
    assert numbers["nucleated"] < numbers["bare_time_to_failure"] == numbers["time_to_failure"] == got["t"]
    run, before = em.results.open(whole), em.results.open(whole / "stress")
    assert {"t", "void", "resistance", "sigma_max"} <= set(run.series)
    assert run.series["t"].iloc[0] == before.series["t"].iloc[-1] == numbers["nucleated"]
    assert before.series["sigma_max"].iloc[-1] > before.series["sigma_max"].iloc[0]
    assert run.field("c").x.array.min() < 0.5


@pytest.mark.soak
@pytest.mark.parametrize("step", [pytest.param(3, id="of the stress"), pytest.param(-4, id="of the void")])
def test_a_run_that_was_ended_goes_on_to_the_same_end(
    step: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stress, void = (len(em.results.open(folder).series) for folder in (whole / "stress", whole))
    left = [step if step > 0 else stress + void + step]
    usual = Heartbeat.record

    def record(self: Heartbeat, t: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise RuntimeError
        usual(self, t)

    case = of(output__checkpoint_every=1e-9)
    with monkeypatch.context() as patched:
        patched.setattr(Heartbeat, "record", record)
        with pytest.raises(RuntimeError):
            case.run(tmp_path, progress=False)
    assert report(tmp_path)["status"] == "failed"
    assert (tmp_path / "checkpoints/opened.npz").exists() == (step < 0)
    case.run(tmp_path, progress=False, resume=True)
    assert report(tmp_path)["quantities"] == report(whole)["quantities"]
    for name in ("series.csv", "stress/series.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_a_line_that_survives_says_so_and_has_its_stress(tmp_path: Path):
    outcome = of(time__until=1e-3).run(tmp_path / "survives", progress=False)
    got = outcome.report
    assert (got["status"], got["stopped"]) == ("ok", "reached until")
    assert got["summary"].startswith("no void: survived")
    assert got["quantities"]["nucleated"] is None
    assert got["quantities"]["time_to_failure"] is None
    assert [model.name for model in outcome.models] == ["stress"]
    run = em.results.open(tmp_path / "survives")
    assert run.series["t"].iloc[-1] == 1e-3
    assert run.field("sigma").x.array.max() == pytest.approx(got["quantities"]["sigma_max"])


@pytest.mark.soak
def test_a_sweep_over_the_current_density_has_the_times_to_failure(whole: Path, tmp_path: Path):
    study = Study.of(of(time__until=1e-3), grid={"current_density": [1e12, DENSITY]})
    for trial in study.trials():
        assert trial.case is not None
        trial.case.run(trial.folder(tmp_path), progress=False)
    table = gather(study.trials(), tmp_path, {})
    assert list(table["current_density"]) == [1e12, DENSITY]
    assert table["time_to_failure"].isna().all()
    assert {"uncertainty", "bare_time_to_failure", "opening_stress"} <= set(table)
    assert table.attrs["units"]["time_to_failure"] == "s"


@pytest.mark.soak
def test_a_current_that_follows_time_is_solved_with_the_stress():
    pulses = {"times": [0.0, 1.0], "values": [1e12, 2e12]}
    case = of(voids__current_density=pulses)
    models = case.build()
    assert [model.name for model in models] == ["voids"]
    opening = case.opening(models)
    assert opening is not None
    assert [model.name for model in opening.stress()] == ["conduction", "stress"]
    assert opening.options.keys() == {"critical_stress", "seed_radius", "most", "rise"}


@pytest.mark.soak
def test_the_expected_place_of_the_void_is_where_electrons_enter():
    """Without a flaw, at the right, or with the current turned at the left; it only shows what the model will be."""
    for density, near in ((DENSITY, 300 * nm), (-DENSITY, 0.0)):
        (model,) = of(voids__nucleation__flaws=[], voids__current_density=density).build()
        assert model.quantity("x_centre") == pytest.approx(near, abs=20 * nm)


def test_a_part_of_a_face_is_an_end_of_the_current():
    via = {"lower": ["236 nm", "32 nm"], "upper": ["300 nm", "32 nm"]}
    case = of(domain__boundaries={"via": via}, domain__cells=[75, 8], voids__on=["left", "via"])
    (model,) = case.build()
    assert "via" in model.domain.names
    assert model.domain.sizes()[2]["via"] == pytest.approx(64 * nm)
    opening = case.opening([model])
    assert opening is not None
    (stress,) = opening.stress()
    drive = em.fields.discontinuous(stress["drive"][1], model.mesh, 1)
    assert (
        np.abs(drive.x.array).max()
        > 0.3 * np.abs(em.fields.discontinuous(stress["drive"][0], model.mesh, 1).x.array).max()
    )


def test_cells_in_a_box_are_fine():
    fine = {"lower": ["240 nm", "0 nm"], "upper": ["300 nm", "32 nm"], "size": "4 nm"}
    domain = Case.from_dict(tables(domain__fine=fine, domain__cell="triangle")).tables.domain
    made, finer = domain.make(), domain.make(finer=2)
    assert made.quality().smallest <= 4 * nm * np.sqrt(2)
    assert made.quality().largest > 8 * nm
    assert finer.quality().smallest == pytest.approx(made.quality().smallest / 2)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"voids__nucleation": None}, "nothing is given, must be one of shape, nucleation"),
        ({"voids__shape": {"kind": "void", "centre": [0.0, 0.0], "radius": 1e-8}}, "shape and nucleation are given"),
        ({"voids__nucleation__critical_stress": 1e3}, "critical_stress = 1000 Pa, must be at least 10000 Pa"),
        ({"voids__nucleation__extrusion_stress": 0.0}, "extrusion_stress = 0 Pa, must be at least 10000 Pa"),
        ({"voids__nucleation__seed_radius": 0.0}, "seed_radius = 0, must be greater than 0"),
        ({"voids__nucleation__seed_radius": 40 * nm}, "must be smaller: the seed cuts the line as it opens"),
        (
            {"voids__nucleation__flaws": [FLAW | {"critical_stress": 60e6, "radius": 2e-7}]},
            "surface energy over critical stress: a smaller void",
        ),
        ({"voids__nucleation__most": 0}, "most = 0, must be at least 1"),
        ({"voids__nucleation__rise": -1.0}, "rise = -1, must be greater than 0"),
        ({"voids__nucleation__flaws": [FLAW | {"radius": 0.0}]}, "flaws.radius = 0 m, must be greater than 0 m"),
        ({"voids__nucleation__flaws": [FLAW | {"critical_stress": 1.0}]}, "flaws.critical_stress = 1 Pa, must be at l"),
        (
            {"voids__nucleation__flaws": [FLAW | {"critical_stress": 5e9}]},
            "flaws.critical_stress = 5e+09 Pa, must be at most 2e+09 Pa, that of the rest",
        ),
        ({"voids__nucleation__flaws": [FLAW | {"place": [225 * nm]}]}, "must be 2 coordinates from [0.0, 0.0] to"),
        ({"voids__nucleation__flaws": [FLAW | {"place": [1e-6, 0.0]}]}, "flaws.place = [1e-06, 0.0] m, must be"),
        ({"voids__on": None}, "on = None, must name two boundaries"),
        ({"voids__interface_width": "2 nm"}, "interface_width = 2e-09 m, must be at least"),
        ({"time__first_step": 1.0}, "time.first_step = 1.0, must be left out: with [voids.nucleation] there is until"),
        ({"domain__boundaries": {"via": {"lower": [0.0]}}}, "boundaries.via.lower = (0.0,), must be a list of 2"),
        ({"domain__fine": {"size": 1e-9}}, "must be of straight triangles or tetrahedra"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], words: str):
    with pytest.raises(CaseError, match=re.escape(words)):
        of(**changed).build()


def test_a_life_cannot_be_repeated_on_halved_cells(tmp_path: Path):
    for action in (of().check_resolution, lambda: of().run(tmp_path, verify=True)):
        with pytest.raises(em.ParameterError, match="must be left out to check the resolution: sweep interface_width"):
            action()


def test_it_is_alone_and_in_time():
    stress = {"stress": {"current_density": [DENSITY, 0.0]}}
    with pytest.raises(CaseError, match=re.escape("[stress] beside [voids.nucleation], must be left out")):
        Case.from_dict(tables() | stress).build()
    steady = {name: table for name, table in tables().items() if name != "time"}
    with pytest.raises(CaseError, match=re.escape("[time] is missing, must be there")):
        Case.from_dict(steady).build()
