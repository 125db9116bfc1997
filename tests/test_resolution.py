"""Changes of a run on half the mesh and with half the tolerance are as large as its errors."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.cli import app
from emfem.studies import Case
from emfem.units import um

import numpy as np
import pytest
from mpi4py import MPI
from typer.testing import CliRunner

PLATE = str(Path(__file__).resolve().parents[1] / "meshes" / "plate.msh")
COPPER = em.materials.copper(temperature=573.0)
LENGTH, CURRENT = 50 * um, 2e10
KAPPA = COPPER.diffusivity * COPPER.bulk_modulus * COPPER.atomic_volume / (em.units.boltzmann * 573.0)
UNTIL = 0.01 * LENGTH**2 / KAPPA
UNRESOLVED = pytest.mark.filterwarnings("ignore:.* changes by .* on half the mesh:emfem.ResolutionWarning")
ROD = {
    "domain": {"shape": "interval", "length": "10 um", "cells": 20, "names": ["a", "b"]},
    "material": {"metal": "copper", "temperature": "300 K"},
    "heat": {"current_density": "30 MA/cm2", "on": {"a": {"fixed": "300 K"}, "b": {"fixed": "300 K"}}},
    "output": {"pictures": []},
}
LINE = """\
[domain]
shape = "interval"
length = "50 um"
cells = {cells}
names = ["anode", "cathode"]
[material]
metal = "copper"
temperature = "573 K"
[stress]
current_density = "2 MA/cm2"
[time]
until = "1 hour"
stop = [{{ quantity = "sigma_max", above = "150 MPa" }}]
[output]
pictures = []
"""


def lines(cells: int, **given: Any) -> Callable[[int], em.Model]:
    """Blocked lines of so many cells, and twice as many."""

    def make(finer: int) -> em.Model:
        domain = em.mesh.interval(LENGTH, cells=cells * finer)
        return em.stress.model(domain, COPPER, current_density=CURRENT, degree=1, **given)

    return make


def films(cells: int, **given: Any) -> Callable[[int], em.Model]:
    """Films on a line."""

    def make(finer: int) -> em.Model:
        domain = em.mesh.periodic_interval(20.0, cells=cells * finer)
        return em.film.model(domain, em.film.cupd(), mean=0.3, initial=em.film.noise(0.08, seed=1), **given)

    return make


def exact(x: Any, t: float = UNTIL) -> Any:
    """Stress in the blocked line."""
    return em.analytic.korhonen_line(x, t, length=LENGTH, current_density=CURRENT, material=COPPER)


@UNRESOLVED
@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
@pytest.mark.parametrize("cells", [10, 20, 40])
def test_the_change_on_half_the_mesh_is_as_large_as_the_error(cells: int):
    report = em.check_resolution(lines(cells), UNTIL, rtol=1e-6, atol=1e-8)
    top = float(np.max(np.abs(exact([0.0, LENGTH]))))
    error = abs(report["sigma_max"].value - top) / top
    assert error / 2 < report["sigma_max"].by_mesh < 2 * error
    line = lines(cells)(1)
    em.evolve(line, UNTIL, rtol=1e-6, atol=1e-8, progress=False)
    middles = (np.arange(cells) + 0.5) * LENGTH / cells
    wrong = em.fields.evaluate(line["sigma"], middles[:, None]) - exact(middles)
    error = float(np.sqrt(np.mean(wrong**2))) / (2 * top)
    assert error / 2 < report["sigma at points"].by_mesh < 2 * error
    assert report["sigma_max"].by_tolerance < 0.01 * report["sigma_max"].by_mesh


@pytest.mark.filterwarnings("ignore:.* changes by .* with half the tolerance:emfem.ResolutionWarning")
def test_the_change_with_half_the_step_is_as_large_as_the_error():
    report = em.check_resolution(lines(400), UNTIL, fixed_step=UNTIL / 4)
    line = lines(400)(1)
    em.evolve(line, UNTIL, rtol=1e-8, atol=1e-10, progress=False)
    top = line.quantity("sigma_max")
    error = abs(report["sigma_max"].value - top) / top
    assert error > 1e-5
    assert error / 2 < report["sigma_max"].by_tolerance < 2 * error
    assert report["sigma_max"].by_mesh < report["sigma_max"].by_tolerance


def test_half_the_tolerance_is_half_of_both():
    seen = []

    def make(finer: int) -> em.Model:
        seen.append(finer)
        return lines(20)(finer)

    loose, tight = (em.check_resolution(make, UNTIL, rtol=r, atol=r / 100) for r in (1e-3, 1e-7))
    assert seen == [1, 1, 2] * 2
    assert tight["sigma_max"].by_tolerance < 1e-2 * loose["sigma_max"].by_tolerance
    assert loose["sigma_max"].by_tolerance > 0.0


@pytest.mark.filterwarnings("error")
def test_a_film_that_is_resolved_is_reported_without_a_warning():
    report = em.check_resolution(films(48), 60.0, same_start=True)
    assert report.ok()
    assert report.cells == (48, 96)
    assert not report.ok(report.worst.largest / 2)
    assert "!" not in str(report)


def test_a_film_that_is_not_resolved_is_reported_with_number_and_name():
    with pytest.warns(em.ResolutionWarning) as caught:
        report = em.check_resolution(films(8), 60.0, same_start=True)
    assert len(caught) == 1  # not that of nodes in an interface
    worst = report.worst
    assert worst.by_mesh > 0.02
    text = str(caught[0].message)
    assert text.startswith(f"{worst.name} = {worst.value:.6g} at t = 60 changes by {100 * worst.by_mesh:.2g} % on half")
    assert text.endswith("more change too much: take finer cells")
    assert caught[0].filename == __file__
    assert not report.ok()
    assert report[worst.name] is worst
    assert f"largest change: {worst.name}, " in str(report)
    assert sum(line.endswith("!") for line in str(report).splitlines()) == 1 + int(text.split("and ")[1].split()[0])


@UNRESOLVED
def test_a_random_start_is_carried_over_to_the_finer_cells():
    """After a moment nothing has happened yet: all that changes is the start."""
    other, same = (em.check_resolution(films(8, degree=1), 1e-7, same_start=same) for same in (False, True))
    assert other["c at points"].by_mesh > 0.1
    assert same["c at points"].by_mesh < 1e-3


@UNRESOLVED
def test_a_number_that_is_zero_but_for_rounding_does_not_change():
    report = em.check_resolution(lines(20), UNTIL)
    assert abs(report["stress"].value) < 1e-6
    assert report["stress"].largest < 1e-6
    assert report["mean"].largest < 1e-6


def test_a_steady_state_is_compared_on_half_the_mesh_only():
    report = Case.from_dict(ROD).check_resolution()
    assert math.isnan(report["T highest"].by_tolerance)
    assert 0.0 < report["T highest"].by_mesh < 1e-2
    assert report.cells == (20, 40)
    assert "-" in str(report).splitlines()[2]


def test_only_some_numbers_are_compared_and_others_added():
    def measures(models: Any) -> dict[str, Any]:
        return {"cells": 40.0, "life": em.dimensions.Value(3.0, "h")}

    report = em.check_resolution(lines(40), UNTIL, quantities=["sigma_max", "life", "cells"], measures=measures)
    assert [(change.name, change.unit) for change in report.changes] == [
        ("sigma_max", "Pa"),
        ("life", "h"),
        ("cells", "-"),
    ]
    assert report["life"].value == 3.0
    assert report["cells"].largest == 0.0
    with pytest.raises(em.ParameterError, match=r"number = \(3.0, 'h'\), must be"):
        em.check_resolution(lines(20), UNTIL, measures=lambda models: {"life": (3.0, "h")})  # type: ignore[dict-item]


@pytest.mark.filterwarnings("ignore:.* changes by:emfem.ResolutionWarning")
@pytest.mark.parametrize("finer_value", [math.nan, math.inf])
def test_a_value_that_is_lost_on_the_finer_mesh_is_not_resolved(finer_value: float):
    def measures(models: Any) -> dict[str, float]:
        cells = models[0].mesh.topology.index_map(1).size_global
        return {"odd": 1.0 if cells == 20 else finer_value, "never": math.nan}

    report = em.check_resolution(lines(20), UNTIL, measures=measures)
    assert report.worst.name == "odd"
    assert report.worst.by_mesh == math.inf
    assert math.isnan(report["never"].largest)


MADE = lines(10)(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: MADE, "make(1) returns models that it returned before, must make new ones in each call"),
        (lambda _: lines(10)(1), "make(2) has 10 cells, must have at least 13: make(1) has 10"),
        (lambda finer: [lines(10)(1), films(10)(2)][finer - 1], "make(2) returns ['film'] at t = 0, must return"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(make: Any, message: str):
    with pytest.raises(em.ParameterError) as error:
        em.check_resolution(make, UNTIL * (1 if make(1) is not MADE else 1 + MADE.t / UNTIL))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bound": 0.0}, "bound = 0, must be greater than 0"),
        ({"steps": 3}, "'steps'; settings has first_step, rtol"),
        ({"watch": []}, "'watch'; settings has first_step, rtol"),
        ({"quantities": ["sigma"]}, "'sigma'; the run has sigma_max"),
        ({"quantities": []}, "quantities = [], must be at least one name"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as error:
        em.check_resolution(lines(4), UNTIL / 100, **given)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "domain",
    [
        {"shape": "interval", "length": 3.0, "cells": 5},
        {"shape": "rectangle", "size": [2.0, 1.0], "cells": [4, 3]},
        {"shape": "periodic_box", "size": [1.0, 1.0, 1.0], "cells": [3, 3, 4]},
        {"shape": "bend", "width": 1.0, "arms": [3.0, 2.0], "size": 0.3},
        {"shape": "bend", "width": 1.0, "arms": [3.0, 2.0], "size": 0.3, "refine": 0.1},
        {"shape": "polycrystal", "size_xy": [4.0, 3.0], "grains": 4, "size": 0.3},
        {"shape": "tube", "radius": 1.0, "length": 2.0, "size": 0.4},
        {"shape": "network", "nodes": [[0, 0], [1e-5, 0], [3e-5, 0]], "segments": [[0, 1], [1, 2]], "width": 1e-7}
        | {"thickness": 1e-7, "cells": [4, 6]},
        {"shape": "network", "nodes": [[0, 0], [1e-5, 0], [3e-5, 0]], "segments": [[0, 1], [1, 2]], "width": 1e-7}
        | {"thickness": 1e-7, "size": 2e-6},
        {"file": PLATE, "unit": 1.0},
    ],
    ids=lambda domain: f"{domain.get('shape', 'file')}-{'-'.join(domain)}",
)
def test_cells_of_a_case_are_halved(domain: dict[str, Any]):
    table = Case.from_dict({"domain": domain, "conduction": {}}).tables.domain
    whole, half = table.make(), table.make(2)
    dim = whole.mesh.topology.dim
    cells = [each.mesh.topology.index_map(dim).size_global for each in (whole, half)]
    assert 0.7 < cells[1] / cells[0] / 2**dim < 1.4
    assert (whole.names, whole.regions) == (half.names, half.regions)
    assert half.extent()[0] == pytest.approx(whole.extent()[0], rel=1e-2)


def test_a_mesh_is_halved_with_its_names_and_regions():
    whole = em.mesh.read(PLATE, unit=1e-3)
    half = em.mesh.halved(whole)
    assert half.quality().largest < 0.75 * whole.quality().largest
    assert half.mesh.topology.index_map(2).size_global == 4 * whole.mesh.topology.index_map(2).size_global
    for name in whole.names:
        measures = [em.model.measure_size(each, each.ds(name)) for each in (whole, half)]
        assert measures[1] == pytest.approx(measures[0], rel=1e-12)
    assert half.regions == whole.regions
    assert len(half.regions)
    assert whole.cells is not None
    assert half.cells is not None
    assert (half.cells.values == 1).sum() == 4 * (whole.cells.values == 1).sum()


@pytest.mark.parametrize("shape", ["interval", "rectangle", "periodic_rectangle"])
def test_a_mesh_of_other_cells_is_not_halved(shape: str):
    domain = em.mesh.interval(1.0, cells=4) if shape == "interval" else getattr(em.mesh, shape)((1, 1), cells=(4, 4))
    with pytest.raises(em.ParameterError, match="must be of straight triangles or tetrahedra"):
        em.mesh.halved(domain)


def emfem(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
@pytest.mark.parametrize(("cells", "resolved"), [(200, True), (3, False)])
def test_the_command_verifies_a_run(cells: int, resolved: bool, tmp_path: Path):
    (tmp_path / "line.toml").write_text(LINE.format(cells=cells), encoding="utf-8")
    code, out, err = emfem("run", tmp_path / "line.toml", "-o", tmp_path / "out", "--verify")
    assert code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "ok"
    assert report["resolution"]["ok"] is resolved
    assert report["resolution"]["cells"] == [cells, 2 * cells]
    assert report["resolution"]["t"] == report["t"]
    assert f"resolution at t = {report['t']:g}: {cells} cells" in out
    assert ("on half the mesh, should be at most 1 %" in err) is not resolved
    assert em.results.open(tmp_path / "out").case.tables.time is not None


def test_a_check_that_is_not_possible_is_a_warning(tmp_path: Path):
    (tmp_path / "line.toml").write_text(LINE.format(cells='"graded"'), encoding="utf-8")
    code, out, err = emfem("run", tmp_path / "line.toml", "-o", tmp_path / "out", "--verify")
    assert code == 0
    assert "warning: the resolution of the run is not known: " in err
    assert "cells = 'graded', must be a number to be halved" in err
    assert "resolution at" not in out
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "ok"
    assert "graded" in report["resolution"]["error"]


def on_ranks() -> dict[str, float]:
    """Changes of a film with a random start."""
    report = em.check_resolution(films(8), 20.0, same_start=True, bound=1.0)
    return {
        f"{change.name} {part}": getattr(change, part) for change in report.changes for part in ("value", "by_mesh")
    }


@pytest.mark.soak
def test_it_is_the_same_on_two_ranks(run_json_on_ranks: Callable[..., Any]):
    expected = on_ranks()
    assert run_json_on_ranks(2, __file__) == pytest.approx(expected, rel=1e-4, abs=1e-8)


if __name__ == "__main__":
    result = on_ranks()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(result))
