"""A state goes to disk and back, on any mesh; a run from a checkpoint is the run that was not interrupted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem import model as models
from emfem import spaces
from emfem.errors import ParameterError

import numpy as np
import pytest
from dolfinx import fem

Films = Callable[..., em.Model]
CUPD = em.film.cupd()
CASE = Path(__file__).with_name("checkpoint_case.py")
pytestmark = [
    pytest.mark.usefixtures("in_tmp"),
    pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning"),
]


def random(domain: em.mesh.Domain, degree: int = 2, seed: int = 1) -> em.Model:
    """A film with another value at each node, at time 1.5."""
    model = em.film.model(domain, CUPD, mean=0.3, degree=degree)
    generator = np.random.default_rng(seed)
    for unknown in model.unknowns:
        unknown.function.x.array[:] = generator.uniform(0.1, 0.9, len(unknown.function.x.array))
    model.t = 1.5
    return model


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    "make",
    [
        lambda: em.mesh.interval(3.0, cells=5),
        lambda: em.mesh.periodic_interval(3.0, cells=5),
        lambda: em.mesh.rectangle((3.0, 2.0), cells=(4, 3)),
        lambda: em.mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3), axes="y"),
        lambda: em.mesh.periodic_rectangle((3.0, 2.0), cells=(4, 3), cell="triangle"),
        lambda: em.mesh.periodic_box((3.0, 2.0, 1.0), cells=(3, 3, 3)),
        lambda: em.mesh.periodic_rectangle((3e-9, 2e-9), cells=(4, 3)),  # in metres, far below 1e-8 of anything
    ],
)
def test_a_state_comes_back_bit_by_bit(make: Callable[[], em.mesh.Domain], degree: int):
    stored = random(make(), degree)
    path = em.checkpoint.save(stored, "out/state.npz")
    assert path == Path("out/state.npz")
    model = em.film.model(make(), CUPD, mean=0.3, degree=degree)
    em.checkpoint.load(model, path)
    assert model.t == 1.5
    for name in ("c", "mu"):
        assert np.array_equal(model[name].x.array, stored[name].x.array)


def test_several_models_of_one_name_each_get_their_own_state_back(torus: em.mesh.Domain):
    stored = random(torus, 1, seed=1), random(torus, 2, seed=2), random(torus, 1, seed=3)
    em.checkpoint.save(stored, "state.npz")
    models = [em.film.model(torus, CUPD, mean=0.3, degree=degree) for degree in (1, 2, 1)]
    em.checkpoint.load(models, "state.npz")
    for model, origin in zip(models, stored, strict=True):
        assert np.array_equal(model["c"].x.array, origin["c"].x.array)


def test_one_of_several_models_can_be_loaded_alone(torus: em.mesh.Domain, decay: Callable[..., em.Model]):
    film, other = random(torus, 1), decay(start=0.25)
    other.t = film.t
    em.checkpoint.save([film, other], "state.npz")
    alone = decay()
    em.checkpoint.load(alone, "state.npz")
    assert alone["u"].x.array.tolist() == [0.25] * 3
    assert alone.t == 1.5


def test_loading_gives_time_dependent_fields_their_time(film: Films):
    em.checkpoint.save(random(film().domain, 1), "state.npz")
    model = film(degree=1, field=lambda t: (t, 0.0))
    em.checkpoint.load(model, "state.npz")
    assert model["field"].value.tolist() == [1.5, 0.0]


def test_a_run_from_a_checkpoint_is_the_run_that_was_not_interrupted(film: Films):
    whole, first, second = (film(degree=1, field=lambda t: (0.1 + 0.01 * t, 0.0)) for _ in range(3))
    steps: dict[str, Any] = {"fixed_step": 0.25, "progress": False}
    em.evolve(whole, 4.0, **steps)
    em.evolve(first, 2.0, checkpoint="state.npz", **steps)
    em.checkpoint.load(second, "state.npz")
    run = em.evolve(second, 4.0, **steps)
    assert (run.t, run.steps) == (4.0, 8)
    # the same steps; only the factorisations are refreshed at other times, which a W-method feels below its own error
    assert second["c"].x.array == pytest.approx(whole["c"].x.array, abs=1e-6)
    em.evolve(first, 4.0, **steps)
    assert second["c"].x.array == pytest.approx(first["c"].x.array, abs=1e-12)  # the very same steps


def test_nodes_in_one_place_keep_their_own_values():
    """Wires that cross without touching, both with a node where they do."""
    nodes, segments = [(0.0, 0.0), (2e-5, 0.0), (1e-5, -1e-5), (1e-5, 1e-5)], [(0, 1), (1, 3), (3, 2)]

    def crossing() -> em.Model:
        domain = em.mesh.network(nodes, segments, width=1e-6, thickness=1e-6, cells=2)
        return em.stress.model(domain, em.materials.copper(temperature=573.0), current_density=0.0)

    stored, model = crossing(), crossing()
    stored["sigma"].x.array[:] = np.random.default_rng(1).uniform(size=len(stored["sigma"].x.array))
    em.checkpoint.save(stored, "state.npz")
    em.checkpoint.load(model, "state.npz")
    assert np.array_equal(model["sigma"].x.array, stored["sigma"].x.array)


def frame() -> em.Model:
    """A square whose boundary is one node, in the middle of which there is another node."""
    domain = em.mesh.rectangle((4.0, 4.0), cells=(4, 4))
    plain = fem.functionspace(domain.mesh, ("Lagrange", 1))
    boundary = [models.boundary_nodes(domain, plain, name) for name in domain.names]
    space = spaces.tied(plain, [np.unique(np.concatenate(boundary))])
    unknown = models.evolving("u", space)
    (v,) = models.tests([unknown])
    return em.Model("frame", domain, [unknown], unknown.rate * v * domain.dx())


def test_a_tied_node_is_no_other_node():
    stored, model = frame(), frame()
    stored["u"].x.array[:] = np.random.default_rng(1).uniform(size=10)
    em.checkpoint.save(stored, "state.npz")
    em.checkpoint.load(model, "state.npz")
    assert np.array_equal(model["u"].x.array, stored["u"].x.array)


def test_a_checkpoint_without_labels_of_tied_nodes_is_read():
    stored, model = frame(), frame()
    stored["u"].x.array[:] = np.random.default_rng(1).uniform(size=10)
    places = stored["u"].function_space.tabulate_dof_coordinates()[:, :2]
    np.savez("state.npz", **{"t": 1.0, "frame/u": stored["u"].x.array, "frame/u/x": places})
    em.checkpoint.load(model, "state.npz")
    assert np.array_equal(model["u"].x.array, stored["u"].x.array)


@pytest.mark.parametrize(
    ("written", "read"), [pytest.param(*pair, marks=pytest.mark.soak) for pair in [(2, [1, 3]), (1, [2]), (2, [2])]]
)
def test_electrodes_with_a_current_are_read_on_other_numbers_of_ranks(
    tmp_path: Path, run_json_on_ranks: Callable[..., Any], written: int, read: list[int]
):
    """Nodes tied into one, and numbers of the whole domain, are in no one place."""
    stored = run_json_on_ranks(written, CASE, "save", tmp_path)
    for ranks in read:
        loaded = run_json_on_ranks(ranks, CASE, "load", tmp_path)
        assert loaded.keys() == stored.keys()
        for name, integrals in stored.items():
            assert loaded[name] == pytest.approx(integrals, rel=1e-12), name  # sums in another order


def test_an_old_checkpoint_is_replaced_and_nothing_else_is_left(torus: em.mesh.Domain):
    em.checkpoint.save(random(torus, 1, seed=1), "state.npz")
    newer = random(torus, 1, seed=2)
    em.checkpoint.save(newer, "state.npz")
    model = em.film.model(torus, CUPD, mean=0.3, degree=1)
    em.checkpoint.load(model, "state.npz")
    assert np.array_equal(model["c"].x.array, newer["c"].x.array)
    assert [path.name for path in Path().iterdir()] == ["state.npz"]


@pytest.fixture
def stored(torus: em.mesh.Domain) -> str:
    """The name of a file with a film of degree 2 on the torus."""
    return str(em.checkpoint.save(random(torus), "stored.npz"))


@pytest.mark.parametrize(
    ("domain", "degree"),
    [
        (em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6)), 1),
        (em.mesh.periodic_rectangle((10.0, 10.0), cells=(5, 6)), 2),
        (em.mesh.periodic_rectangle((11.0, 10.0), cells=(6, 6)), 2),
        (em.mesh.periodic_rectangle((5.0, 5.0), cells=(6, 6)), 2),
        (em.mesh.periodic_rectangle((20.0, 20.0), cells=(6, 6)), 2),
        (em.mesh.periodic_rectangle((10.0, 10.0), cells=(4, 9)), 2),
        (em.mesh.rectangle((10.0, 10.0), cells=(6, 6)), 2),
        (em.mesh.periodic_interval(10.0, cells=72), 2),
    ],
    ids=["degree", "cells", "wider", "half", "double", "other cells", "not periodic", "line"],
)
def test_a_state_of_another_mesh_or_degree_is_refused(stored: str, domain: em.mesh.Domain, degree: int):
    model = em.film.model(domain, CUPD, mean=0.3, degree=degree)
    nodes = model["c"].function_space.dofmap.index_map.size_global
    with pytest.raises(ParameterError, match=rf"^stored.npz holds 144 nodes of film/c and this mesh {nodes}; must be"):
        em.checkpoint.load(model, stored)
    assert model.t == 0.0
    assert model["c"].x.array == pytest.approx(0.3)


def test_what_counts_is_where_the_nodes_are(stored: str):
    model = em.film.model(em.mesh.periodic_rectangle((10.0, 10.0), cells=(12, 12)), CUPD, mean=0.3, degree=1)
    em.checkpoint.load(model, stored)  # linear cells of half the size have the nodes of quadratic ones
    with np.load(stored) as file:
        assert em.fields.evaluate(model["c"], file["film/c/x"]) == pytest.approx(file["film/c"], abs=1e-12)


def test_a_missing_file_is_named(film: Films):
    with pytest.raises(ParameterError, match=r"^path = 'no\.npz', must be a file written by emfem\.checkpoint\.save$"):
        em.checkpoint.load(film(), "no.npz")


def test_a_damaged_file_changes_nothing(stored: str, film: Films):
    content = bytearray(Path(stored).read_bytes())
    content[content.index(np.load(stored)["film/mu"].tobytes()) + 5] ^= 1  # one bit
    Path(stored).write_bytes(content)
    model = film()
    with pytest.raises(ParameterError, match=r"^stored\.npz cannot be read: its film/mu is damaged$"):
        em.checkpoint.load(model, stored)
    assert model.t == 0.0


def test_a_file_written_with_numpy_is_read(stored: str, torus: em.mesh.Domain):
    """As they were before all ranks wrote together."""
    with np.load(stored) as file:
        np.savez("former.npz", **file)
    model = em.film.model(torus, CUPD, mean=0.3)
    em.checkpoint.load(model, "former.npz")
    assert np.array_equal(model["c"].x.array, random(torus)["c"].x.array)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x93NUMPY\x01\x00"])
def test_another_kind_of_file_is_refused(film: Films, content: bytes):
    Path("odd.npz").write_bytes(content)
    with pytest.raises(ParameterError, match=r"^path = 'odd\.npz', must be a file written by emfem\.checkpoint\.save$"):
        em.checkpoint.load(film(), "odd.npz")


def test_a_file_without_the_model_lists_what_it_has(stored: str, decay: Callable[..., em.Model]):
    with pytest.raises(ParameterError, match=r"^stored\.npz has no decay/u; it has t, film/c, film/mu$"):
        em.checkpoint.load(decay(), stored)


def test_a_second_model_that_is_not_there_changes_nothing(stored: str, film: Films):
    models = film(), film()
    before = models[0]["c"].x.array.copy()
    with pytest.raises(ParameterError, match="has no film 2/c, film 2/mu"):
        em.checkpoint.load(models, stored)
    assert np.array_equal(models[0]["c"].x.array, before)


def test_a_place_that_cannot_be_written_is_refused(film: Films, unwritable_dir: Path):
    with pytest.raises(
        ParameterError, match=re.escape(f"path = {str(unwritable_dir / 'state.npz')!r}, must be a file that")
    ):
        em.checkpoint.save(film(), unwritable_dir / "state.npz")


def test_another_ending_is_refused(film: Films):
    with pytest.raises(ParameterError, match=r"\.h5', must end in \.npz$"):
        em.checkpoint.save(film(), "state.h5")
