"""Closed forms and cases as models, and fits in files."""

import json
from pathlib import Path
from typing import Any

import emfem as em
import emfem.cli
from emfem.units import MPa, boltzmann, eV, um

import numpy as np
import pytest
from typer.testing import CliRunner

COPPER = em.materials.copper(temperature=573.0)
CONSTANTS = {"D0": 1e-8, "Ea": 0.9 * eV, "Z": -5.0, "sigma_c": 450 * MPa}
DIFFUSIVITY = 1e-8 * np.exp(-0.9 * eV / (boltzmann * 573.0))
METAL = COPPER.having(diffusivity=float(DIFFUSIVITY), effective_charge=-5.0)
MESHES = Path(__file__).resolve().parents[2] / "meshes"

LINE = """\
[domain]
shape = "interval"
length = "50 um"
cells = 8
names = ["anode", "cathode"]
[material]
metal = "copper"
temperature = "573 K"
diffusivity = 1e-15
effective_charge = -5.0
[stress]
current_density = 2e10
[time]
until = "5 minutes"
stop = [{ quantity = "sigma_max", above = "300 MPa" }]
[output]
every = "10 s"
pictures = []
"""


@pytest.mark.parametrize("length", [50e-6, 54e-6, 60e-6, 1e-3, 0.3])
def test_nucleation_is_that_of_the_exact_stress(length: float):
    """54 um is 1 % beyond Blech's length at this current; 0.3 m is half-infinite."""
    law = em.fit.LawModel("nucleation", COPPER, fixed={"length": length})
    exact = em.analytic.nucleation_time(length=length, current_density=1e10, material=METAL, critical_stress=450 * MPa)
    assert law(CONSTANTS, {"T": np.array([573.0]), "j": np.array([-1e10])})[0] == pytest.approx(exact, rel=1e-7)


def test_the_other_laws_are_closed_forms():
    x = {"T": np.array([573.0])}
    blech = em.fit.LawModel("blech", COPPER)({"Z": -5.0, "sigma_c": 450 * MPa}, x)[0]
    assert blech == pytest.approx(em.analytic.blech_product(METAL, critical_stress=450 * MPa), rel=1e-12)
    some = {name: CONSTANTS[name] for name in ("D0", "Ea", "Z")}
    drift = em.fit.LawModel("drift", COPPER)(some, x | {"j": np.array([1e10])})[0]
    force = -5.0 * em.units.elementary_charge * COPPER.resistivity * 1e10
    assert drift == pytest.approx(DIFFUSIVITY * force / (boltzmann * 573.0), rel=1e-12, abs=0)
    with pytest.raises(em.UnknownName, match="'charge'; the law has D0"):
        em.fit.LawModel("drift", COPPER)({"charge": 1.0}, x)
    with pytest.raises(em.ParameterError, match="Z, j missing"):
        em.fit.LawModel("drift", COPPER)({"D0": 1.0, "Ea": 1e-19}, x)


def test_a_void_grows_by_the_drift_velocity():
    some = {name: CONSTANTS[name] for name in ("D0", "Ea", "Z")}
    x = {"T": np.array([573.0, 603.0]), "j": np.array([1e10, -1e10])}
    grown = em.fit.LawModel("void_length", COPPER)(some, x | {"t": np.array([60.0, 3600.0])})
    v = em.fit.LawModel("drift", COPPER)(some, x)
    assert v[0] < 0 < v[1]
    assert grown == pytest.approx([-60 * v[0], 3600 * v[1]], rel=1e-12, abs=0)


LENGTHS = "t [hour],length [um],j [MA/cm2],T [degC]\n2,0.21,2,300\n4,0.40,2,300\n8,0.83,4,300\n16,1.58,2,330\n"
UNKNOWNS = [em.fit.Unknown("D0", (1e-12, 1e-2), logarithmic=True), em.fit.Unknown("Z", (-20.0, -1.0), prior=(-5, 0.5))]


@pytest.mark.parametrize(
    ("law", "change", "inputs", "message"),
    [
        ("drift", ("", ""), ["j", "T"], "values in um, must be in m/s or a unit like it in the law 'drift'"),
        ("void_length", ("t [hour]", "t [um]"), ["t", "j", "T"], "t in um, must be in s or a unit like it"),
        ("void_length", ("T [degC]", "T [-]"), ["t", "j", "T"], "T in -, must be in K or a unit like it"),
        ("drift", ("length [um]", "length [nm/s]"), ["t", "j", "T"], "'t'; the law has D0, Ea, Z, T, j"),
        ("drift", ("length [um]", "length [nm/s]"), ["T"], "j missing, must be unknown, a condition or fixed"),
    ],
)
def test_data_of_another_law_are_refused_before_an_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, law: str, change: tuple[str, str], inputs: list[str], message: str
):
    def never(*_: Any) -> None:
        raise AssertionError

    path = tmp_path / "void.csv"
    path.write_text(LENGTHS.replace(*change) if change[0] else LENGTHS, encoding="utf-8")
    curves = em.fit.read_curves(path, measured="length", inputs=inputs, error=0.05, scale="log")
    model = em.fit.LawModel(law, COPPER, fixed={"Ea": 0.9 * eV})
    monkeypatch.setattr(em.fit.LawModel, "__call__", never)
    with pytest.raises(em.ParameterError, match=message):
        em.fit.fit(model, curves, UNKNOWNS)


def test_data_in_other_units_than_a_function_says_are_refused_before_an_evaluation(tmp_path: Path):
    def never(constants: Any, conditions: Any) -> Any:
        raise AssertionError

    (tmp_path / "void.csv").write_text(LENGTHS, encoding="utf-8")
    curves = em.fit.read_curves(tmp_path / "void.csv", measured="length", inputs=["t", "T"], error=0.05, scale="log")
    for units, message in (
        ({"values": "m/s"}, "values in um, must be in m/s or a unit like it in the model 'never'"),
        ({"values": "m", "t": "K"}, "t in hour, must be in K or a unit like it in the model 'never'"),
        ({"T": "nonsense"}, "nonsense"),
        ({"Values": "m"}, "'Values'"),
        ({"temperature": "K"}, "'temperature'"),
        ({"values": 3}, "'values' = 3, must be a unit such as"),
        ({"values": ""}, "'values' = '', must be a unit such as"),
        (["m"], r"units of the model 'never' = \['m'\], must be a dict such as"),
    ):
        never.units = units  # type: ignore[attr-defined]
        with pytest.raises((em.ParameterError, em.UnknownName), match=message):
            em.fit.fit(never, curves, UNKNOWNS)


def test_lengths_of_voids_give_the_diffusivity(tmp_path: Path):
    """Some 0.1 um an hour at 2 MA/cm2: ln D0 to the error of the charge, 10 %, and of four points of 5 %."""
    (tmp_path / "void.csv").write_text(LENGTHS.rsplit("16", 1)[0], encoding="utf-8")
    options: dict[str, Any] = {"measured": "length", "inputs": ["t", "j", "T"], "error": 0.05, "scale": "log"}
    (curve,) = em.fit.read_curves(tmp_path / "void.csv", **options)
    model = em.fit.LawModel("void_length", COPPER, fixed={"Ea": 0.9 * eV})
    fit = em.fit.fit(model, [curve], UNKNOWNS, starts=1, intervals="normal")
    per_unit = model({"D0": 1.0, "Z": -5.0}, curve.columns)
    assert fit.values["D0"] == pytest.approx(np.exp(np.log(curve.y / per_unit).mean()), rel=1e-4)
    assert fit.standard_errors["D0"] == pytest.approx(np.hypot(0.1, 0.05 / np.sqrt(3)), rel=0.01)


def test_a_case_refuses_a_condition_without_a_key_before_a_run(tmp_path: Path):
    (tmp_path / "line.toml").write_text(LINE, encoding="utf-8")
    case = em.studies.Case.read(tmp_path / "line.toml")
    model = em.fit.CaseModel(case, "sigma_max", constants={"Z": "material.effective_charge"}, folder=tmp_path / "runs")
    curve = em.fit.Curve("stress", {"t": [60.0, 120.0], "i": 1.0}, [1e7, 2e7], 1e6)
    with pytest.raises(em.UnknownName, match="'i'; the keys of the case has Z"):
        em.fit.fit(model, [curve], [em.fit.Unknown("Z", (-20.0, -1.0))])
    assert not list(tmp_path.glob("runs/*/report.json"))


@pytest.mark.slow
@pytest.mark.usefixtures("in_tmp")
@pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")
def test_a_case_is_a_model(tmp_path: Path):
    """At its end, over time, and by the time of an event; 8 quadratics have the tension to a percent or two."""
    Path("line.toml").write_text(LINE, encoding="utf-8")
    case = em.studies.Case.read("line.toml")
    keys: dict[str, Any] = {"constants": {"Z": "material.effective_charge"}, "folder": tmp_path}
    metal = em.materials.copper(temperature=573.0, diffusivity=1e-15, effective_charge=-5.0)
    options: dict[str, Any] = {"length": 50e-6, "current_density": 2e10, "material": metal}
    event = em.fit.CaseModel(case, "t", conditions={"j": "stress.current_density"}, **keys)
    opened = event({"Z": -5.0}, {"j": np.array([2e10, 2e9, 2e10])})
    exact = em.analytic.nucleation_time(critical_stress=300 * MPa, **options)
    assert opened == pytest.approx([exact, np.inf, exact], rel=0.03)
    assert len(list(tmp_path.glob("*/report.json"))) == 2
    series = em.fit.CaseModel(case, "sigma_max", **keys)
    times = np.array([0.5, 0.9]) * exact
    tension = series({"Z": -5.0}, {"t": times})
    assert tension == pytest.approx(em.analytic.korhonen_line([50e-6, 50e-6], times, **options), rel=0.06)
    assert len(list(tmp_path.glob("*/report.json"))) == 2  # that run is there already
    with pytest.raises(em.EmfemError, match="before the time"):
        series({"Z": -5.0}, {"t": np.array([1e9])})
    with pytest.raises(em.UnknownName, match="'charge'; the keys of the case"):
        series({"charge": -5.0}, {})
    with pytest.raises(em.ParameterError, match="effective_charges"):
        em.fit.CaseModel(case, "t", constants={"Z": "material.effective_charges.x"}, folder=tmp_path)({"Z": 1.0}, {})


def test_the_command_writes_report_numbers_metal_and_pictures(tmp_path: Path):
    done = CliRunner().invoke(emfem.cli.app, ["fit", str(MESHES / "fit.toml"), "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    names = {"evaluations.jsonl", "fit.json", "fit.png", "material.toml", "profiles.png", "report.txt"}
    assert names <= {path.name for path in tmp_path.iterdir()}
    constants = json.loads((tmp_path / "fit.json").read_text())["constants"]
    assert constants["D0"]["low"] < 1e-8 < constants["D0"]["high"]
    assert constants["Ea"]["low"] < 0.9 * eV < constants["Ea"]["high"]
    assert "fit: D0" in em.materials.read(tmp_path / "material.toml").constants["diffusivity"].source
    assert "2 of them censored" in done.output


def test_the_command_takes_a_function(tmp_path: Path):
    (tmp_path / "model.py").write_text("def constant(c, x):\n    return c['D0'] + 0 * x['T']\n", encoding="utf-8")
    text = (MESHES / "fit.toml").read_text().replace("nucleation.csv", str(MESHES / "nucleation.csv"))
    text = text.replace("[unknowns.Ea]", "[unknowns.E]").replace('diffusivity = ["D0", "Ea"]', "")
    (tmp_path / "fit.toml").write_text(text, encoding="utf-8")
    command = ["fit", str(tmp_path / "fit.toml"), "-o", str(tmp_path), "--no-pictures", "--function"]
    good = CliRunner().invoke(emfem.cli.app, [*command, f"{tmp_path}/model.py:constant"])
    assert good.exit_code == 0, good.output
    assert "the data do not determine E" in good.output
    for wrong in ("model.py", f"{tmp_path}/model.py:other"):
        assert CliRunner().invoke(emfem.cli.app, [*command, wrong]).exit_code == 2


def test_the_command_ranks_tests(tmp_path: Path):
    """A test 200 kelvins below the data tells most; one whose lines outlive it tells nothing; again it is read."""
    command = ["design", str(MESHES / "fit.toml"), "-o", str(tmp_path)]
    done = CliRunner().invoke(emfem.cli.app, command)
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "design.json").read_text())
    assert len(rows) == 6
    assert rows[0]["test"] == "T = 423.15, j = 2e+10"
    assert rows[0]["widest"] < 0.5
    assert (rows[-1]["test"], rows[-1]["widest"]) == ("T = 423.15, j = 1e+10", pytest.approx(1.0, abs=1e-6))
    assert done.output.index(rows[0]["test"]) < done.output.index(rows[1]["test"])
    ranked = (tmp_path / "design.txt").read_text()
    assert (ranked.count("widest interval"), ranked.count("j = 1e+10: adds nothing\n")) == (5, 1)
    again = CliRunner().invoke(emfem.cli.app, [*command, "--quiet"])
    assert (again.exit_code, again.output) == (0, "")
    (tmp_path / "bare.toml").write_text((MESHES / "fit.toml").read_text().split("[[tests]]")[0], encoding="utf-8")
    (tmp_path / "nucleation.csv").write_text((MESHES / "nucleation.csv").read_text())
    bare = CliRunner().invoke(emfem.cli.app, ["design", str(tmp_path / "bare.toml"), "-o", str(tmp_path / "bare")])
    assert bare.exit_code == 1
    assert "[[tests]] is missing" in bare.output


def test_the_command_tells_what_causes_the_spread(tmp_path: Path):
    """ln t of Korhonen's early times is a sum: parts of Ea and D0 in closed form, the median that of all medians."""
    text = (MESHES / "sensitivity.toml").read_text().replace("samples = 512", "samples = 256")
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(emfem.cli.app, ["sensitivity", str(tmp_path / "study.toml"), "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "sensitivity.json").read_text())
    parts = {name: each["total"]["value"] for name, each in found["indices"].items()}
    ratio = (0.02 * eV / (boltzmann * 573.0) / 0.3) ** 2
    assert parts["Ea"] / parts["D0"] == pytest.approx(ratio, rel=0.05)
    assert sum(parts.values()) == pytest.approx(1.0, abs=0.02)
    median = em.fit.LawModel("nucleation", COPPER, fixed={"length": 60 * um})(
        {"D0": 1e-8, "Ea": 0.9 * eV, "Z": -5.0, "sigma_c": 450 * MPa}, {"T": np.array([573.0]), "j": np.array([2e10])}
    )
    assert found["quantiles"][1] == [0.5, pytest.approx(median[0], rel=0.05)]
    assert {"indices.png", "report.txt", "evaluations.jsonl"} <= {path.name for path in tmp_path.iterdir()}
    assert "D0       first" in done.output


def test_quantiles_need_no_logarithm_and_what_has_none_is_told(tmp_path: Path):
    """a - 1 of a uniform from 0 to 2: half of it has no logarithm; its quantiles are those of the uniform."""
    text = 'samples = 64\nscale = "log"\n[inputs.a]\nuniform = ["0 degC", "2 degC"]\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    case = em.uncertainty.read_sensitivity(tmp_path / "study.toml", folder=tmp_path)
    with pytest.warns(em.fit.EvaluationWarning, match="samples broke"):
        found = case.run(tmp_path / "run", model=lambda c, _: c["a"] - 274.15)
    assert found.quantiles == pytest.approx([-0.95, 0.0, 0.95], abs=0.02)
    assert found.results.broken == 0
    assert f"indices without {found.indices.broken} of 64 samples, which broke or have no such scale" in str(found)
    assert "quantiles without" not in str(found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lognormal = ", "lognomal = ", "there is no key 'lognomal'; did you mean 'lognormal'?"),
        ("uniform = [-6.0, -4.0]", "uniform = [-4.0, -6.0]", "must be a lower and a higher end"),
        ('["0.9 eV", "0.02 eV"]', '["0.9 eV", 0.0]', "must be mean and a deviation above 0"),
        ('["1e-8 m2/s", 0.3]', '["0 m2/s", 0.3]', "must be a median above 0"),
        ('["0.9 eV", "0.02 eV"]', '["0.9 eV", "0.02 V"]', "'0.02 V', must have a unit like that of '0.9 eV'"),
        ('["0.9 eV", "0.02 eV"]', '["0.9 eV", "5 %"]', "'5 %', must have a unit like that of '0.9 eV'"),
        ('["0.9 eV", "0.02 eV"]', '["300 degC", "10 degC"]', "'10 degC', must be a difference, in K"),
        ('["1e-8 m2/s", 0.3]', '["1e-8 m2/s", "0.3 m2/s"]', "must be a plain number"),
        ("uniform = [-6.0, -4.0]", 'uniform = ["0 degC", "5 m"]', "'5 m', must have a unit like that of '0 degC'"),
        ("uniform = [-6.0, -4.0]", "", "inputs.Z = {}, must have one of normal, lognormal, uniform"),
        ('scale = "log"', 'scale = "ln"', "'ln'; scale has linear"),
        ('T = "573 K"', 'T = "573 Kelvins of"', "unit"),
        ("samples = 512", "sample = 512", "there is no key 'sample'"),
    ],
)
def test_wrong_studies_are_refused_with_line_and_key(tmp_path: Path, old: str, new: str, message: str):
    text = (MESHES / "sensitivity.toml").read_text()
    assert old in text
    (tmp_path / "study.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(em.EmfemError) as refused:
        em.uncertainty.read_sensitivity(tmp_path / "study.toml", folder=tmp_path)
    assert message in str(refused.value)
    assert "study.toml:" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('by = ["T", "j"]', 'by = ["T", "i"]', "by = ['T', 'i'], must be inputs that are lists"),
        ("error = 0.05\nscale", "scale", "[[tests]] error is missing"),
        ("error = 0.05\nscale", "error = -0.05\nscale", "error = -0.05, must be greater than 0"),
        ("error = 0.05\nscale", 'error = "5 hours"\nscale', "must be a plain number"),
        ('error = 0.05\nscale = "log"', 'error = "5 m"', "'5 m', must have a unit like that of '1 hour'"),
        ('error = 0.05\nscale = "log"', 'error = "5 degC"', "'5 degC', must be a difference, in K"),
        ('scale = "log"   ', 'error = "5 hours"\nscale = "log"   ', "must be a plain number"),
        ('scale = "log"   ', 'error = "5 m"\n', "'5 m', must have a unit like that of '1 hour'"),
        ('"30 days"', '"30 m"', "'30 m', must have a unit like that of '1 hour'"),
        ('"0.5 eV"', '"0.5 V"', "must have a unit like that of '0.5 V'"),
        ("logarithmic = true", 'start = "1e-8 m"', "'1e-8 m', must have a unit like that of '1e-12 m2/s'"),
        ("logarithmic = true", 'prior = ["1e-8 m", "1 m"]', "must have a unit like that of '1e-12 m2/s'"),
        ("logarithmic = true", 'logarithmic = true\nprior = ["1e-8 m2/s", "1 m2/s"]', "must be a plain number"),
        ('until = "30 days"', 'untill = "30 days"', "there is no key 'untill'"),
        ("inputs = { T =", "inputs = 3 # { T =", "[[tests]] inputs = 3, must be a table"),
        ("[[tests]]", "[tests]", "must be tables: [[tests]]"),
        ("[model]", 'criterion = "best"\n[model]', "'best'"),
        ("bounds = [", "bonds = [", "there is no key 'bonds'; did you mean 'bounds'?"),
        ('["1e-12 m2/s", "1e-4 m2/s"]', '["1e-12 m2/s"]', "must be a list of 2 numbers"),
        ('"1e-12 m2/s"', '"1e-12 m2/sparrow"', "must have a unit that exists"),
        ('"0.5 eV"', '"5 eV"', "must be greater than"),
        ('law = "nucleation"', 'law = "nuclear"', "'nuclear'; em.fit.LawModel has diffusivity"),
        ('law = "nucleation"', "", "must have a law or a case"),
        ('metal = "copper"', "", "[model] metal is missing"),
        ("length =", "size =", "'size'; the law has D0"),
        ('file = "nucleation.csv"', 'file = "none.csv"', "must be a file that can be read"),
        ('inputs = ["T", "j"]', 'inputs = ["T", "i"]', "'i'; frame has T, j, t, mark"),
        ('["D0", "Ea"]', '["D0", "E"]', "must be one of the unknowns"),
        ("[[curves]]", "[curves]", "[[curves]] is missing"),
        ("logarithmic = true", "logarithmic = 1", "logarithmic = 1, must be True or False"),
    ],
)
def test_wrong_files_are_refused_with_line_and_key(tmp_path: Path, old: str, new: str, message: str):
    text = (MESHES / "fit.toml").read_text()
    assert old in text
    (tmp_path / "nucleation.csv").write_text((MESHES / "nucleation.csv").read_text())
    (tmp_path / "fit.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(em.ParameterError) as refused:
        em.fit.read_fit(tmp_path / "fit.toml", folder=tmp_path)
    sentence = str(refused.value)
    assert message in sentence
    assert "fit.toml:" in sentence
    assert "\n" not in sentence
