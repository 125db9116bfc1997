"""`dir()` and completion: public names, without what a module imports."""

from pathlib import Path
from typing import Any

import emfem as em
from emfem.solve import Problem

import pytest

MODULES = [em, *(value for name in em.__all__ if type(value := getattr(em, name)) is type(em))]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_dir_shows_public_names_and_hides_imports(module: Any):
    names = set(dir(module))
    assert names
    assert all(hasattr(module, name) for name in names)
    assert not {"np", "math", "fem", "annotations", "dir_of", "Any", "importlib"} & names
    assert not [name for name in names if name.startswith("_")]
    if hasattr(module, "__all__"):  # em.units has none: its names are its variables
        assert dir(module) == sorted(module.__all__)


def test_objects_without_fields_print_one_line(tmp_path: Path):
    line = em.mesh.interval(1.0, cells=4)
    species = em.migration.model(line, diffusivity=1.0, initial=1.0, on={"left": em.fixed(1.0)})
    stepper = em.solve.TimeStepper([species], 1.0)
    assert repr(stepper) == "<TimeStepper at t = 0, 0 steps>"
    stepper.close()
    assert repr(Problem([species])) == "<Problem of c>"
    assert repr(em.fields.Sampler(line.mesh, [[0.5], [1.0]])) == "<Sampler of 2 points>"
    assert repr(em.fields.Pixels(line.mesh, (3,))) == "<Pixels of 3 points>"
    assert repr(em.fields.Interpolation(species["c"], line.mesh, 1)) == "<Interpolation of c>"
    assert repr(em.vtk.CellFields([species], ["c", "drift"])) == "<CellFields c, drift>"
    assert repr(em.storage.StateWriter(tmp_path, [species])) == f"<StateWriter of migration to {tmp_path}>"
    assert repr(em.storage.StateReader(tmp_path)) == f"<StateReader of migration in {tmp_path}>"
    flux = em.model.ConsistentFlux(species.unknowns[0], species.conditions, 1.0)
    assert repr(flux) == "<ConsistentFlux of c through left>"
