"""One form of argument means the same in every physics: vectors, laws, temperatures, materials, fluxes, scales."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import emfem as em
from emfem import model as models
from emfem.model import graphs
from emfem.units import nm, um

import numpy as np
import pytest
import ufl

GOLD = em.materials.gold(temperature=900.0)


@dataclass
class Measured:
    """A user's own material: laws of temperature and a temperature, nothing else."""

    temperature: float

    def law(self, name: str) -> Callable[[Any], Any]:
        """Those of gold."""
        return GOLD.law(name)


def line() -> em.mesh.Domain:
    """Ten micrometres of wire."""
    return em.mesh.interval(10 * um, cells=8)


def void(material: Any, **options: Any) -> em.Model:
    """A void in a small periodic square."""
    square = em.mesh.periodic_rectangle((60 * nm, 60 * nm), cells=(24, 24))
    shape = em.surface.void((30 * nm, 30 * nm), 15 * nm)
    return em.surface.model(square, material, shape=shape, interface_width=2.5 * nm, current_density=1e12, **options)


VECTORS: dict[str, Callable[[em.mesh.Domain, Any], em.Model]] = {
    "field": lambda domain, value: em.film.model(domain, em.film.cupd(), mean=0.3, field=value, degree=1),
    "drift": lambda domain, value: em.migration.model(domain, diffusivity=1.0, drift=value, initial=1.0),
    "forces[0]": lambda domain, value: em.migration.alloy(
        domain, diffusivities=(1.0, 2.0), forces=(value, None), initial=0.5
    ),
    "current_density": lambda domain, value: em.stress.model(domain, GOLD, current_density=value),
}


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((1.0, math.nan), " = [1.0, nan], must be a vector of 2 components, finite"),
        ((1.0, 2.0, 3.0), " = [1.0, 2.0, 3.0], must be a vector of 2 components, finite"),
        (1.0, " = 1.0, must be a vector of 2 components, finite"),
        ("x", " = 'x', must be numbers"),
        (lambda t: (1.0, math.inf), " = [1.0, inf], must be a vector of 2 components, finite"),
        (lambda x, y: 1.0, "must be a number or a function of t alone"),
        (ufl.as_vector([1.0, 2.0, 3.0]), " of shape (3,), must be a vector of 2 components"),
    ],
)
def test_a_wrong_vector_is_refused_alike(plate: em.mesh.Domain, name: str, value: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        VECTORS[name](plate, value)
    assert str(caught.value).startswith(name)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("value", [2.0, (2.0,), ufl.as_ufl(2.0), ufl.as_vector([2.0]), lambda t: 2.0 + t])
def test_in_one_dimension_a_number_is_a_vector(name: str, value: Any):
    assert VECTORS[name](line(), value).names


def test_none_is_no_vector():
    vector, drivers = models.vector_coefficient(line(), "drift", None)
    assert vector.ufl_shape == (1,)
    assert drivers == []


@pytest.mark.parametrize("law", [math.sqrt, np.sqrt, lambda c: 2 + math.sin(c), lambda c: None])
@pytest.mark.parametrize("name", ["source", "mobility", "conductivity", "diffusivities[0]"])
def test_a_law_is_made_of_ufl_functions(name: str, law: Callable[[Any], Any]):
    domain = line()
    make: dict[str, Callable[[], em.Model]] = {
        "source": lambda: em.migration.model(domain, diffusivity=1.0, initial=1.0, source=law),
        "mobility": lambda: em.film.model(domain, em.film.cupd(), mean=0.3, mobility=law),
        "conductivity": lambda: em.heat.model(
            domain, conductivity=law, heat_capacity=1.0, initial=lambda x: 300.0 + 0 * x[0]
        ),
        "diffusivities[0]": lambda: em.migration.alloy(domain, diffusivities=(law, 1.0), initial=0.5),
    }
    with pytest.raises(em.ParameterError, match=r"must be made of UFL functions, such as ufl\.exp\("):
        make[name]()


def test_every_physics_takes_a_material_of_the_user():
    own, wire = Measured(900.0), line()
    stress = [em.stress.model(wire, metal, current_density=1e10).values() for metal in (own, GOLD)]
    assert stress[0] == stress[1]
    assert em.migration.drift_velocity(own, field=1.0) == em.migration.drift_velocity(GOLD, field=1.0)
    ends = {"left": em.fixed(300.0)}
    heat = [em.heat.model(wire, metal, on=ends, hottest=1000.0).values() for metal in (own, GOLD)]
    assert heat[0] == heat[1]
    assert void(own).values()["moved"] == void(GOLD).values()["moved"] == 0.0


@pytest.mark.parametrize("material", [None, "gold", 3.0, em.stress])
def test_something_else_is_no_material(material: Any):
    message = r"material = .*, must be one of em\.materials, or have `temperature` and `law\(name\)` as they have$"
    for make in (lambda: em.stress.model(line(), material), lambda: void(material)):
        with pytest.raises(em.ParameterError, match=message):
            make()
    with pytest.raises(em.ParameterError, match=message):
        em.migration.drift_velocity(material, field=1.0)


@pytest.mark.parametrize(
    ("temperature", "message"),
    [
        (0.0, "temperature = 0 K, must be greater than 0 K"),
        (math.nan, "temperature = nan K, must be finite"),
        (lambda x: 900.0 - 1e12 * x[0], "temperature = -"),
        (lambda x: 100.0 + 0 * x[0], "temperature = 100 K, the laws of gold hold from 150 K"),
        (ufl.as_vector([1.0, 2.0]), "temperature of shape (2,), must be a scalar"),
    ],
)
def test_a_wrong_temperature_is_refused_alike(temperature: Any, message: str):
    for make in (partial(em.stress.model, line(), GOLD), partial(void, GOLD)):
        with pytest.raises(em.ParameterError) as caught:
            make(temperature=temperature)
        assert str(caught.value).startswith(message)


def test_a_temperature_is_no_model():
    heat = em.heat.model(line(), GOLD, hottest=1000.0)
    with pytest.raises(em.ParameterError, match=r"temperature = the heat model, must be one of its fields, .*\['T'\]"):
        em.stress.model(line(), GOLD, temperature=heat)


def test_a_uniform_temperature_is_the_same_as_a_function_of_place():
    as_number, as_function = void(GOLD, temperature=800.0), void(GOLD, temperature=lambda x: 800.0 + 0 * x[0])
    for model in (as_number, as_function):
        em.evolve(model, until=1e-9, first_step=1e-9, rtol=1.0, progress=False)
    for name in ("metal", "free_energy", "resistance", "x_drift"):
        assert as_number.quantity(name) == pytest.approx(as_function.quantity(name), rel=1e-6)


@pytest.mark.parametrize(
    ("make", "unknown"),
    [
        (lambda domain, on: em.migration.model(domain, diffusivity=1.0, initial=1.0, on=on), "c"),
        (lambda domain, on: em.stress.model(domain, GOLD, on=on), "sigma"),
    ],
)
def test_fluxes_that_do_not_balance_have_no_steady_state(make: Any, unknown: str):
    inflow = {"left": em.flux(2.0), "right": em.flux(-2.0)}
    assert make(line(), inflow).no_steady_state_reason == ""
    reason = make(line(), {"left": em.flux(2.0)}).no_steady_state_reason
    assert reason.startswith("on lets 2 ")
    assert reason.endswith(f"no steady state; hold {unknown} somewhere, or balance the fluxes")
    assert make(line(), {"left": em.flux(2.0), "right": em.fixed(1.0)}).no_steady_state_reason == ""


def test_means_are_sizes(plate: em.mesh.Domain):
    x = ufl.SpatialCoordinate(plate.mesh)
    longest = float(plate.mesh.geometry.x[:, 0].max())
    assert models.mean_value(plate, 3) == 3.0
    assert models.mean_value(plate, -2 * x[0]) == pytest.approx(longest, rel=1e-12)
    tensor = ufl.as_matrix([[1, 0], [0, 3]])
    assert models.mean_value(plate, tensor) == pytest.approx(2.0, rel=1e-12)
    assert models.mean_length(plate, ufl.as_vector([3, 4])) == pytest.approx(5.0, rel=1e-12)
    waiting = em.placeholder("T", plate)
    assert (models.mean_value(plate, waiting), models.mean_value(plate, 1 / waiting)) == (1.0, 1.0)
    assert models.mean_length(plate, em.placeholder("E", plate, (2,))) == 0.0


def test_flows_on_a_graph_obey_kirchhoff():
    """A square of four conductances of 1, 1 V at one corner and 0 V at the opposite one: 0.5 A along each side."""
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    values = np.array([1.0, np.nan, 0.0, np.nan])
    potential, flow = models.graph_flows(pairs, np.ones(4), np.zeros(4), values)
    assert potential == pytest.approx([1.0, 0.5, 0.0, 0.5], abs=1e-15)
    assert flow == pytest.approx([0.5, 0.5, -0.5, -0.5], abs=1e-15)
    potential, flow = models.graph_flows(pairs, np.ones(4), np.array([0.0, 0.2, 0.0, 0.0]), values)
    assert flow[0] + 0.2 == pytest.approx(flow[1], abs=1e-15)


def test_nested_dissection_of_a_grid_fills_less_than_minimum_degree():
    """Two layers of 60 stripes joined by vias: the same potentials, and 0.8 of the entries at most."""
    n = 60
    at = np.arange(2 * n * n).reshape(2, n, n)
    along, across, vias = (at[0, :, :-1], at[0, :, 1:]), (at[1, :-1], at[1, 1:]), (at[0], at[1])
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in (along, across, vias)])
    places = np.stack([np.tile(np.arange(n), 2 * n), np.tile(np.repeat(np.arange(n), n), 2)], axis=1)
    coordinates = 2e-5 * places.astype(np.float64)
    values = np.full(2 * n * n, np.nan)
    values[0] = 1.0
    arrays = pairs, np.ones(len(pairs)), np.full(len(values), -1e-3), values
    plain, nested = (graphs.graph_flows(*arrays, each)[0] for each in (None, coordinates))
    assert nested == pytest.approx(plain, rel=1e-10)
    free = np.arange(1, len(values))
    order = graphs.dissection(pairs, coordinates, free)
    assert np.array_equal(np.sort(order), np.arange(len(free)))
    matrix = graphs.laplacian(pairs, np.ones(len(pairs)), len(values))
    fill = [
        graphs.factorised(matrix[each][:, each], ordered).L.nnz
        for each, ordered in ((free, False), (free[order], True))
    ]
    assert fill[1] < 0.8 * fill[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"coordinates": np.zeros((2, 2))}, r"coordinates of shape \(2, 2\), must be of shape \(3, dim\)"),
        ({"pairs": np.array([[0, 3]])}, "pairs name the node 3, must be at least 0 and below the number of nodes, 3"),
        ({"pairs": np.array([[-1, 0]])}, "pairs name the node -1, must be at least 0 and below"),
        ({"pairs": np.array([0, 1])}, r"pairs of shape \(2,\), must be of shape \(l, 2\)"),
        ({"conductance": np.ones(2)}, r"conductance of shape \(2,\), must be 1 finite numbers"),
        ({"conductance": np.array([np.nan])}, r"conductance of shape \(1,\), must be 1 finite numbers"),
        ({"brought": np.zeros(1)}, r"brought of shape \(1,\), must be 3 finite numbers"),
        ({"values": np.zeros((3, 1))}, r"values of shape \(3, 1\), must be of shape \(n,\)"),
        ({"values": np.array([np.inf, np.nan, 0.0])}, "values are infinite, must be finite"),
        ({"values": np.array([0.0, 0.0, np.nan])}, "pairs and values make the potentials ambiguous: each node must be"),
    ],
)
def test_a_graph_whose_arrays_do_not_fit_together_is_refused(changed: dict[str, Any], message: str):
    right = {
        "pairs": np.array([[0, 1]]),
        "conductance": np.ones(1),
        "brought": np.zeros(3),
        "values": np.array([0.0, np.nan, 0.0]),
    }
    models.graph_flows(**right)
    with pytest.raises(em.ParameterError, match=f"^{message}"):
        models.graph_flows(**right | changed)


def test_a_coefficient_that_is_no_function_of_time_is_refused(plate: em.mesh.Domain):
    with pytest.raises(em.ParameterError, match=r"^rate = .*, must be a number or a function of t alone: "):
        models.coefficient(plate, "rate", lambda x, y: 1.0)
