"""The folder of a run: domains of each model, going on in it on other ranks, and damage to its files."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import emfem as em
from emfem.storage import StateReader, StateWriter

import numpy as np
import pytest
from dolfinx import fem

CASE = Path(__file__).with_name("results_case.py")


def conductor(domain: em.mesh.Domain) -> em.Model:
    """Current from left to right."""
    return em.conduction.model(domain, conductivity=2.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})


def sizes(models: Sequence[em.Model]) -> list[Any]:
    """Size of each domain, of its regions and boundaries, and its text."""
    return [(model.domain.sizes(), str(model.domain), model.system) for model in models]


def plate() -> em.mesh.Domain:
    """A plane domain."""
    return em.mesh.rectangle((4.0, 3.0), cells=(6, 5))


DOMAINS: dict[str, Callable[[em.mesh.Domain], em.mesh.Domain]] = {
    "plain": lambda domain: domain,
    "thickness": lambda domain: domain.with_thickness(0.2),
    "another thickness": lambda domain: domain.with_thickness(0.7),
    "axis": em.mesh.axisymmetric,
    "metres": lambda domain: domain.in_metres(),
    "scale": lambda domain: domain.scaled("h"),
    "regions": lambda domain: em.mesh.grains(domain, 3, seed=1),
    "other regions": lambda domain: em.mesh.grains(domain, 3, seed=2),
}


@pytest.mark.parametrize("second", list(DOMAINS)[1:])
@pytest.mark.parametrize("first", ["plain", "regions"])
def test_each_model_comes_back_with_its_own_domain(tmp_path: Path, first: str, second: str):
    """Models on one mesh: weights, units and regions of one are not those of the other."""
    base = plate()
    models = [conductor(DOMAINS[name](base)) for name in (first, second)]
    path = StateWriter(tmp_path, models).save(tmp_path / "state.npz")
    back = StateReader(tmp_path).read(path)
    for (there, text, system), (here, read, units) in zip(sizes(models), sizes(back), strict=True):
        assert (text, system) == (read, units)
        assert here[0] == pytest.approx(there[0], rel=1e-12)
        assert here[1] == pytest.approx(there[1], rel=1e-12)
        assert here[2] == pytest.approx(there[2], rel=1e-12)


def test_models_on_one_domain_share_it(tmp_path: Path):
    base = plate().with_thickness(0.2)
    StateWriter(tmp_path, [conductor(base), conductor(base)])
    assert len(json.loads((tmp_path / "fields.json").read_text(encoding="utf-8"))["domains"]) == 1


# ---- going on ------------------------------------------------------------------------------------------------------


def test_a_resumed_writer_writes_no_second_mesh(tmp_path: Path):
    first = conductor(plate())
    StateWriter(tmp_path, [first]).save(tmp_path / "0.npz")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    later = conductor(plate())
    later["phi"].x.array[:] = 3.0
    later.t = 2.0
    StateWriter(tmp_path, [later], resume=True).save(tmp_path / "1.npz")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name in before} == before
    assert {path.name for path in tmp_path.iterdir()} == before.keys() | {"1.npz"}
    reader = StateReader(tmp_path)
    assert reader.read(tmp_path / "1.npz")[0]["phi"].x.array == pytest.approx(3.0)
    assert reader.models[0].t == 2.0
    assert reader.read(tmp_path / "0.npz")[0].t == 0.0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            lambda: conductor(em.mesh.rectangle((4.0, 3.0), cells=(5, 6))),
            "has 30 cells and this mesh 30, must be the same",
        ),
        (
            lambda: conductor(em.mesh.rectangle((4.0, 3.0), cells=(6, 6))),
            "has 30 cells and this mesh 36, must be the same",
        ),
        (
            lambda: conductor(plate().with_thickness(0.1)),
            r"is of other models: its domains\[0\]\.thickness = None, must be 0\.1",
        ),
        (
            lambda: em.conduction.model(plate(), conductivity=2.0, degree=1, on={"left": em.fixed(1.0)}),
            r"is of other models: its spaces\[0\]\.degree = 2, must be 1",
        ),
        (
            lambda: em.heat.model(plate(), conductivity=1.0, heat_capacity=1.0, on={"left": em.fixed(300.0)}),
            r"is of other models: domains|is of other models: it",
        ),
    ],
)
def test_a_folder_of_another_run_is_not_gone_on_with(tmp_path: Path, other: Callable[[], em.Model], message: str):
    StateWriter(tmp_path, [conductor(plate())])
    model = other()
    with pytest.raises(em.ParameterError, match=message):
        StateWriter(tmp_path, [model], resume=True)


def test_other_regions_on_the_same_cells_are_not_gone_on_with(tmp_path: Path):
    StateWriter(tmp_path, [conductor(DOMAINS["regions"](plate()))])
    with pytest.raises(em.ParameterError, match="must be the same cells"):
        StateWriter(tmp_path, [conductor(DOMAINS["other regions"](plate()))], resume=True)


@pytest.mark.parametrize("name", ["fields.json", "mesh.npz"])
def test_half_a_folder_is_not_gone_on_with(tmp_path: Path, name: str):
    StateWriter(tmp_path, [conductor(plate())])
    (tmp_path / name).unlink()
    with pytest.raises(em.ParameterError, match=f"{name} cannot be read: No such file"):
        StateWriter(tmp_path, [conductor(plate())], resume=True)


RESUMED = ("joule", "curved", "wires in space", "line")


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_run_goes_on_with_other_partitions(tmp_path: Path, run_json_on_ranks: Callable[..., Any]):
    """From 1 rank to 2, again 2, and 1; every state comes back on 1 and on 2 ranks."""
    there = run_json_on_ranks(1, CASE, "write", tmp_path, *RESUMED, timeout=500)
    there |= run_json_on_ranks(2, CASE, "resume", tmp_path, *RESUMED, timeout=500)
    run_json_on_ranks(2, CASE, "resume", tmp_path, *RESUMED, timeout=500)
    there |= run_json_on_ranks(1, CASE, "resume", tmp_path, *RESUMED, timeout=500)
    assert len(there) == 3 * len(RESUMED)
    assert {path.name for path in tmp_path.glob("*/mesh*")} == {"mesh.npz", "mesh-1.npz"}
    alike(there, run_json_on_ranks(1, CASE, "read all", tmp_path, *RESUMED, timeout=500))
    alike(there, run_json_on_ranks(2, CASE, "read all", tmp_path, *RESUMED, timeout=500))


def alike(there: Any, here: Any, place: str = "") -> None:
    """Compare nested tables of numbers, to 1e-11 of the largest of each list."""
    if isinstance(there, dict):
        assert there.keys() == here.keys(), place
        for key in there:
            alike(there[key], here[key], f"{place} {key}")
    elif isinstance(there, str):
        assert there == here, place
    else:
        numbers = np.array(there, dtype=float)
        size = np.nanmax(np.abs(numbers), initial=0.0)
        assert np.array(here, dtype=float) == pytest.approx(numbers, rel=1e-11, abs=1e-11 * size, nan_ok=True), place


# ---- damage --------------------------------------------------------------------------------------------------------


def leaves(table: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Place of each value in a table."""
    if isinstance(table, dict | list):
        items = table.items() if isinstance(table, dict) else enumerate(table)
        return [place, *(leaf for key, value in items for leaf in leaves(value, (*place, key)))]
    return [place]


JUNK: tuple[Any, ...] = (None, -1, 0, 3, 10**30, 1e300, "", "x", [], {}, [None], {"x": 1}, True)


def damaged_table(text: str, rng: random.Random) -> bytes:
    """A table of contents with one value replaced or removed, or some bytes changed or cut."""
    if rng.random() < 0.3:
        content = bytearray(text.encode())
        at = rng.randrange(len(content))
        if rng.random() < 0.5:
            return bytes(content[:at])
        content[at] = rng.randrange(256)
        return bytes(content)
    table = json.loads(text)
    *place, last = rng.choice(leaves(table)[1:])
    inner = table
    for key in place:
        inner = inner[key]
    if rng.random() < 0.4:
        del inner[last]
    else:
        inner[last] = rng.choice(JUNK)
    return json.dumps(table).encode()


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes cut, flipped, overwritten, or moved."""
    at, kind = rng.randrange(len(content)), rng.randrange(4)
    if kind == 0:
        return content[:at]
    changed = bytearray(content)
    if kind == 1:
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        changed[at : at + 8] = rng.randbytes(8)
    else:
        del changed[at : at + rng.randrange(1, 64)]
    return bytes(changed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two models, and a network in another."""
    path = tmp_path_factory.mktemp("whole")
    base = plate()
    StateWriter(path, [conductor(base), conductor(DOMAINS["thickness"](base))]).save(path / "state.npz")
    return path


def former(text: str) -> str:
    """The same table in the former format, without a checksum."""
    table = json.loads(text)
    table |= {"format": 1, "domain": table["domains"][0]}
    for model in table["models"]:
        del model["domain"]
    return json.dumps({key: value for key, value in table.items() if key not in ("domains", "checksum")})


@pytest.mark.parametrize(
    "name", ["fields.json", pytest.param("former fields.json", marks=pytest.mark.soak), "mesh.npz", "state.npz"]
)
def test_damage_is_one_sentence(folder: Path, tmp_path: Path, name: str):
    """350 damages of each file: a sentence, or fields as they were; never another error or other values."""
    rng = random.Random(name)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    text = (folder / "fields.json").read_text(encoding="utf-8")
    if name.startswith("former"):
        text, name = former(text), "fields.json"
    (tmp_path / "fields.json").write_text(text, encoding="utf-8")
    whole = (tmp_path / name).read_bytes()
    there = fields(tmp_path)
    refused = 0
    for _ in range(350):
        change = damaged_table(text, rng) if name == "fields.json" else damaged_bytes(whole, rng)
        (tmp_path / name).write_bytes(change)
        here = fields_or_sentence(tmp_path)
        if isinstance(here, str):
            refused += 1
            assert here.startswith(str(tmp_path))
            assert "\n" not in here
        elif '"checksum"' in text:  # without one a changed number is a number
            alike(there, here)
    assert refused > 150


def fields_or_sentence(folder: Path) -> dict[str, Any] | str:
    """Fields of the models in a folder, or why they cannot be read."""
    try:
        return fields(folder)
    except em.ParameterError as error:
        return str(error)


def fields(folder: Path) -> dict[str, Any]:
    """Fields and sizes of the models in a folder."""
    models = StateReader(folder).read(folder / "state.npz")
    return {
        f"{i} {name}": em.fields.integral(fem.form(model[name] ** 2 * model.domain.dx(4)), model.mesh.comm)
        for i, model in enumerate(models)
        for name in model.names
        if not model[name].ufl_shape
    }
