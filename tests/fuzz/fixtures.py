"""Names that the text of a call may use: small domains, models and files, made on first use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from functools import cache
from math import inf, nan
from pathlib import Path
from typing import Any

import emfem as em
from emfem.studies import Case
from emfem.studies.validation import Source

import basix
import dolfinx
import numpy as np
import pandas as pd
import tomli_w
import ufl
from dolfinx import fem
from mpi4py import MPI
from scipy import stats

__all__ = ["MPI", "Case", "Path", "Source", "basix", "date", "dolfinx", "em", "fem", "inf", "nan", "np", "pd", "ufl"]

MESHES = Path(__file__).resolve().parents[2] / "meshes"
STAR: dict[str, Any] = {"nodes": [(0, 0), (2e-5, 0), (5e-5, 0), (2e-5, 1e-5)], "segments": [(0, 1), (1, 2), (1, 3)]}
CASE: dict[str, Any] = {
    "domain": {"shape": "rectangle", "size": [10.0, 5.0], "cells": [4, 2]},
    "film": {"alloy": "cupd", "mean": 0.3, "initial": {"amplitude": 0.08, "seed": 1}},
    "time": {"until": 0.1, "rtol": 1e-2},
    "output": {"states_every": 0.1, "pictures": []},
}
_made: list[Callable[[], None]] = []


def _changing[T](make: Callable[[], T]) -> Callable[[], T]:
    """Return a maker whose result lives until the next `refresh`."""
    once = cache(make)
    _made.append(once.cache_clear)
    return once


def refresh() -> None:
    """Forget models, and remove the files of former calls."""
    for forget in _made:
        forget()
    for path in Path().iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def forever(*_: Any) -> Any:
    """Never return."""
    while True:
        pass


# ---- domains ----------------------------------------------------------------------------------------------------


@cache
def line() -> em.mesh.Domain:
    """Return an interval of 4 cells."""
    return em.mesh.interval(2.0, cells=4)


@cache
def micro() -> em.mesh.Domain:
    """Return an interval of 50 um."""
    return em.mesh.interval(5e-5, cells=8)


@cache
def plate() -> em.mesh.Domain:
    """Return a rectangle of 4 x 3 cells with four edges."""
    return em.mesh.rectangle((4.0, 3.0), cells=(4, 3))


@cache
def triangles() -> em.mesh.Domain:
    """Return a rectangle of triangles."""
    return em.mesh.rectangle((4.0, 3.0), cells=(4, 3), cell="triangle")


@cache
def torus() -> em.mesh.Domain:
    """Return a periodic square of 6 x 6 cells."""
    return em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))


@cache
def cells() -> em.mesh.Domain:
    """Return a periodic square of 60 nm."""
    return em.mesh.periodic_rectangle((6e-8, 6e-8), cells=(24, 24))


@cache
def wires() -> em.mesh.Domain:
    """Return a network of three wires."""
    names = {0: "A"}
    return em.mesh.network(**STAR, width=1e-7, thickness=1e-7, cells=2, loads={2: 1e-4}, pads={0: 1.0}, names=names)


@cache
def mosaic() -> em.mesh.Domain:
    """Return a domain of three regions."""
    return em.mesh.grains(triangles(), 3, seed=1)


# ---- values -----------------------------------------------------------------------------------------------------


@cache
def copper() -> em.materials.Material:
    """Return a metal with all constants of stress."""
    from emfem.units import eV

    return em.materials.copper(
        temperature=378.15,
        diffusivity=em.materials.Arrhenius(1.3e-9, 0.8 * eV),
        bulk_modulus=28e9,
        atomic_volume=1.18e-29,
        resistivity=2.25e-8,
        effective_charge=-1.0,
    )


@cache
def gold() -> em.materials.Material:
    """Return a metal with the constants of surfaces."""
    return em.materials.gold(temperature=900.0)


@cache
def terraces() -> em.steps.Surface:
    """Return a stepped surface."""
    return em.steps.Surface(
        temperature=1000.0, diffusivity=1e-10, adatom_density=1e17, atom_area=1e-19, force=1e-15, attachment_lower=1.0
    )


def row() -> em.steps.Row:
    """Return steps on a surface."""
    return em.steps.model(terraces(), em.steps.train(4, 1e-7), length=4e-7)


@cache
def void() -> em.surface.Shape:
    """Return a void in the middle of `cells`."""
    return em.surface.void((3e-8, 3e-8), 1.5e-8)


@cache
def function() -> fem.Function:
    """Return a function on the plate."""
    made = fem.Function(fem.functionspace(plate().mesh, ("Lagrange", 1)), name="u")
    made.interpolate(lambda x: 1.0 + x[0])
    return made


@cache
def periodic_function() -> fem.Function:
    """Return the concentration of the film."""
    return film_model()["c"]


@cache
def space() -> fem.FunctionSpace:
    """Return the space of `function`."""
    return function().function_space


@cache
def unknown() -> em.model.Unknown:
    """Return an unknown on the plate."""
    return em.model.evolving("u", space())


@cache
def test_function() -> Any:
    """Return its test function."""
    return em.model.tests([unknown()])[0]


def straight(constants: Any, conditions: Any) -> Any:
    """Return the values of a straight line, a model of two constants."""
    return constants["a"] + constants["b"] * np.asarray(conditions["x"])


def noisy(constants: Any, seed: int) -> Any:
    """Return one measure of a model of two constants and a start."""
    return [constants["a"] + 0.1 * np.random.default_rng(seed).standard_normal()]


def emulator(material: Any = None) -> em.fit.Emulator:
    """Return the emulator of that model."""
    return em.fit.emulate(noisy, unknowns(), samples=16, degree=1)


def curve() -> em.fit.Curve:
    """Return four points near a straight line."""
    return em.fit.Curve("line", {"x": [0.0, 1.0, 2.0, 3.0]}, [1.0, 3.1, 4.9, 7.0], 0.1)


def unknowns() -> list[em.fit.Unknown]:
    """Return the two constants of a straight line."""
    return [em.fit.Unknown("a", (-10.0, 10.0)), em.fit.Unknown("b", (0.1, 10.0), logarithmic=True)]


def spreads() -> dict[str, Any]:
    """Return distributions of the two constants of a straight line."""
    return {"a": stats.norm(0, 1), "b": stats.norm(1, 2)}


def fitted(material: Any = None) -> em.fit.Fit:
    """Return the fit of a straight line."""
    return em.fit.fit(straight, [curve()], unknowns(), starts=1, intervals="normal")


def line_lifetime(material: Any = None) -> em.lifetime.Line:
    """Return the lifetime of a line."""
    return em.lifetime.Line(length=5e-5, current_density=2e10, void_length=1e-7)


def sample(spread: float) -> Any:
    """Return lifetimes by chance."""
    width = em.lifetime.Spread(activation_energy=spread)
    return em.lifetime.monte_carlo(copper(), line_lifetime(), samples=10, seed=1, critical_stress=5e7, spread=width)


@cache
def physical_alloy() -> em.film.Alloy:
    """Return an alloy with scales."""
    return em.film.Alloy.from_physical(
        temperature=923.0,
        film_thickness=1e-8,
        site_density=1.5e19,
        surface_energy=1.95,
        interaction_energy=1.9e-20,
        stress_coefficient=-1e8,
        gradient_coefficient=1e-10,
        diffusivity=1e-12,
    )


@cache
def height_alloy() -> em.height.Alloy:
    """Return an alloy whose surface moves."""
    species = em.height.Species(1e-12, 1.5, 10.0), em.height.Species(3e-12, 1.4)
    return em.height.Alloy(*species, temperature=700.0, atomic_volume=1.7e-29, layer=5e-10)


@cache
def micrometre_line() -> em.mesh.Domain:
    """Return a periodic line of 1 um."""
    return em.mesh.periodic_interval(1e-6, cells=6)


def case() -> Case:
    """Return a small film."""
    return Case.from_dict(CASE)


# ---- models -----------------------------------------------------------------------------------------------------


@_changing
def film_model() -> em.Model:
    """Return a film on the torus."""
    return em.film.model(torus(), em.film.cupd(), mean=0.3, initial=em.film.noise(0.05, seed=1), degree=1)


@_changing
def current_model() -> em.Model:
    """Return a current through the plate."""
    return em.conduction.model(plate(), on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, degree=1)


@_changing
def electrode_model() -> em.Model:
    """Return a current between electrodes."""
    electrode = em.conduction.electrode
    on = {"left": electrode(current=1.0), "right": electrode(voltage=0.0)}
    return em.conduction.model(plate(), conductivity=2.0, on=on, degree=1)


@_changing
def solved_model() -> em.Model:
    """Return a conduction, solved."""
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    model = em.conduction.model(plate(), on=on, degree=1)
    em.solve_steady(model)
    return model


@_changing
def objective() -> em.adjoint.Objective:
    """Return the power of a conduction by one of its voltages."""
    model = solved_model()
    return em.adjoint.Objective(model, "power", {"edge": model.conditions[0].value})


@_changing
def heat_model() -> em.Model:
    """Return a heated plate."""
    return em.heat.model(plate(), conductivity=1.0, heat_capacity=1.0, on={"left": em.fixed(300.0)}, degree=1)


@_changing
def migration_model() -> em.Model:
    """Return atoms that drift along a line."""
    return em.migration.model(line(), diffusivity=1.0, drift=0.5, initial=0.5, degree=1)


@_changing
def open_model() -> em.Model:
    """Return atoms that leave a line at its end."""
    return em.migration.model(line(), diffusivity=1.0, initial=0.5, on={"right": em.fixed(0.1)}, degree=1)


@_changing
def boundary_model() -> em.Model:
    """Return atoms with a fast path along grain boundaries."""
    path = em.migration.fast_path(width=0.01, diffusivity=10.0)
    return em.migration.model(mosaic(), diffusivity=1.0, initial=0.5, grain_boundaries=path, degree=1)


@_changing
def alloy_model() -> em.Model:
    """Return two species with markers."""
    return em.migration.alloy(line(), diffusivities=[1.0, 2.0], initial=0.4, markers=True, degree=1)


@_changing
def stress_model() -> em.Model:
    """Return the stress in a line."""
    return em.stress.model(micro(), copper(), current_density=1e10, degree=1)


@_changing
def wires_model() -> em.Model:
    """Return the stress in a network with voids."""
    return em.stress.model(wires(), copper(), current_density=[1e10, 1e10, 0.0], voids=True, degree=1)


@_changing
def surface_model() -> em.Model:
    """Return a void under a current."""
    return em.surface.model(cells(), gold(), shape=void(), interface_width=2.5e-9, current_density=1e12, degree=1)


@_changing
def stepped_model() -> em.Model:
    """Return a void under a current after a step."""
    model = em.surface.model(cells(), gold(), shape=void(), interface_width=2.5e-9, current_density=1e12, degree=1)
    em.evolve(model, 1e-9, fixed_step=1e-9, progress=False)
    return model


# ---- files ------------------------------------------------------------------------------------------------------


def a_file(suffix: str = "") -> str:
    """Return a file whose content is no such file."""
    path = Path(f"some{suffix}")
    path.write_bytes(b"\x00\xffnot so\n1,2\n")
    return str(path)


def a_folder(name: str = "folder.d") -> str:
    """Return an empty folder."""
    Path(name).mkdir(exist_ok=True)
    return name


def table() -> str:
    """Return a table of times and values."""
    Path("table.csv").write_text("time,value\n0,1\n1,2\n2,0\n")
    return "table.csv"


def saved() -> str:
    """Return a checkpoint of the film."""
    return str(em.checkpoint.save(film_model(), "film.npz"))


def mesh_file() -> str:
    """Return a mesh in a file."""
    if not Path("plate.msh").exists():
        shutil.copy(MESHES / "plate.msh", "plate.msh")
    return "plate.msh"


def case_file() -> str:
    """Return a case in a file."""
    Path("some-case.toml").write_text(tomli_w.dumps(CASE))
    return "some-case.toml"


def study_file() -> str:
    """Return a study in a file."""
    Path("study.toml").write_text(tomli_w.dumps({"case": CASE, "grid": {"film.mean": [0.3, 0.4]}}))
    return "study.toml"


def network_file() -> str:
    """Return a network in a file."""
    return str(MESHES / "star.toml")


def material_file() -> str:
    """Return a material in a file."""
    Path("metal.toml").write_text(
        'name = "metal"\ntemperature = 400\nmelting_temperature = 1300\nresistivity = { value = 2e-8, source = "a" }\n'
    )
    return "metal.toml"


def technology() -> em.signoff.Technology:
    """Return a technology of two layers."""
    return em.signoff.read_technology(MESHES / "technology.toml")


def grid() -> em.mesh.Network:
    """Return a power grid of two layers, without a mesh."""
    return em.mesh.read_netlist(MESHES / "grid.sp", technology=technology())


def pulses() -> em.waveforms.Waveform:
    """Return the current of a load."""
    return em.waveforms.pulses(period=1e-9, duty=0.5, level=1e-4)


@cache
def verdict() -> em.signoff.Verdict:
    """Return the verdict on the grid."""
    return em.signoff.run(grid(), technology(), until=1e9)


def heat_file() -> str:
    """Return a map of temperature for the grid."""
    Path("heat.csv").write_text("x [um],y [um],temperature\n0,0,370\n40,0,380\n0,20,370\n40,20,380\n")
    return "heat.csv"


def report_file() -> str:
    """Return a report of the current of a wire."""
    head = ",".join(f"Node{end} {column}" for end in (0, 1) for column in ("Layer", "X location", "Y location"))
    Path("report.csv").write_text(f"{head},Current\n,0.0,0.0,,20.0,0.0,1e-3\n")
    return "report.csv"


def physics_file() -> str:
    """Return a Python file that registers no physics."""
    Path("physics.py").write_text("x = 1\n")
    return "physics.py"


def picture() -> np.ndarray:
    """Return an image of a strip."""
    image = np.zeros((16, 24))
    image[5:11] = 1.0
    return image


def results_folder() -> str:
    """Return the folder of a run."""
    folder = Path("..", "run")  # beside the folder that `refresh` empties
    if not folder.exists():
        case().run(folder, progress=False)
    return str(folder)


def results() -> Any:
    """Return the results of a run."""
    return em.results.open(results_folder())


# ---- cases ------------------------------------------------------------------------------------------------------


def nested(depth: int, value: Any) -> Any:
    """Return a value in so many lists."""
    for _ in range(depth):
        value = [value]
    return value


def tabled(depth: int, value: Any) -> Any:
    """Return a value in so many tables."""
    for _ in range(depth):
        value = {"x": value}
    return value


def check_case(tables: dict[str, Any]) -> None:
    """Check a case, as `emfem check` does before it builds."""
    checked = Case.from_dict(tables)
    checked.to_toml()
    assert checked.hash


def build_case(tables: dict[str, Any]) -> None:
    """Check a case and build its models."""
    Case.from_dict(tables).build()


def read_case(text: str) -> None:
    """Check the case of a text in a file."""
    Path("case.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert Case.read("case.toml").hash


def set_case(name: str, typed: list[str], *, build: bool = False) -> None:
    """Check the case of a template with values as `--set` takes them; build it too if it is to be."""
    from emfem.cli.values import settings
    from emfem.studies import templates

    Path("case.toml").write_text(templates.text(name))
    checked = Case.read("case.toml").with_(**settings(typed))
    if build:
        checked.build()
