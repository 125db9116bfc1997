"""Derivatives of runs: Taylor's remainder in every physics, closed forms, the same on several ranks, wrong input."""

import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import hour, nm, um

import numpy as np
import pytest
import ufl
from dolfinx import fem
from scipy.optimize import minimize

Made = tuple[Any, Any, dict[str, Any], float | None]


def uneven(mesh: Any, mean: float, degree: int = 0) -> fem.Function:
    """A positive map, another value in each cell or at each node."""
    kind = "DG" if degree == 0 else "Lagrange"
    function = fem.Function(fem.functionspace(mesh, (kind, degree)))
    function.interpolate(lambda x: mean * (1 + 0.2 * np.sin(7 * x[0] / np.abs(x[0]).max() + 3 * x[1])))
    return function


@pytest.fixture(scope="module")
def square() -> em.mesh.Domain:
    """A square of 4 x 4 cells."""
    return em.mesh.rectangle((1.0, 1.0), cells=(4, 4))


@pytest.fixture(scope="module")
def species(square: em.mesh.Domain) -> tuple[em.Model, fem.Constant, fem.Function]:
    """Diffusion and drift, its diffusivity a constant times a map."""
    d, part = fem.Constant(square.mesh, 0.7), uneven(square.mesh, 1.0, 1)
    on = {"left": em.fixed(1.3)}
    drift = ufl.as_vector((1.0, 0.5))
    model = em.migration.model(square, diffusivity=d * part, drift=drift, initial=lambda x: 1 + x[0], on=on)
    return model, d, part


def migration() -> Made:
    square = em.mesh.rectangle((1.0, 1.0), cells=(4, 4))
    d, v = uneven(square.mesh, 1.0, 1), fem.Constant(square.mesh, np.array([1.0, 0.5]))
    model = em.migration.model(square, diffusivity=d, drift=v, initial=lambda x: 1 + x[0])
    return model, (model["c"] - 1.2) ** 2 * square.dx(), {"D": d, "drift": v, "start": model["c"]}, 0.1


def film() -> Made:
    torus = em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))
    field = fem.Constant(torus.mesh, np.array([0.3, 0.1]))
    crystal = fem.Constant(torus.mesh, np.array([[1.0, 0.1], [0.1, 2.0]]))
    noise = em.film.noise(0.08, seed=1)
    model = em.film.model(torus, em.film.cupd(), mean=0.3, field=field, anisotropy=crystal, initial=noise)
    return model, "free_energy", {"field": field, "crystal": crystal, "start": model["c"]}, 2.0


def film_with_its_current() -> Made:
    strip = em.mesh.rectangle((8.0, 6.0), cells=(5, 4))
    sigma = uneven(strip.mesh, 1.0)
    current = em.conduction.model(strip, conductivity=sigma, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    noise = em.film.noise(0.08, seed=1)
    alloy = em.film.model(strip, em.film.cupd(), mean=0.3, field=0.8 * current["E"], initial=noise)
    return [current, alloy], "free_energy", {"sigma": sigma, "start": alloy["c"]}, 2.0


def conduction() -> Made:
    plate = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    sigma = uneven(plate.mesh, 2.0)
    drain = em.conduction.electrode(current=0.7, contact_resistivity=0.1)
    model = em.conduction.model(plate, conductivity=sigma, on={"left": em.fixed(1.0), "right": drain})
    return model, "power", {"sigma": sigma}, None


def heat() -> Made:
    plate = em.mesh.rectangle((3 * um, 2 * um), cells=(4, 3)).in_metres()
    k, source = uneven(plate.mesh, 300.0), fem.Constant(plate.mesh, 1e16)
    model = em.heat.model(
        plate,
        conductivity=lambda T: k * (1 + 1e-3 * (T - 300)),
        heat_capacity=3e6,
        source=source,
        on={"left": em.fixed(300.0), "right": em.heat.convection(1e6, 280.0)},
    )
    edge = model.conditions[0].value
    return model, (model["T"] - 300) ** 2 * plate.dx(), {"k": k, "source": source, "T": model["T"], "edge": edge}, 1e-8


def interdiffusion() -> Made:
    line = em.mesh.interval(1.0, cells=20)
    d = uneven(line.mesh, 1.0)
    model = em.migration.alloy(line, diffusivities=(d, 3.0), forces=(0.5, None), initial=lambda x: 0.3 + 0.2 * x[0])
    c = model.unknowns[0].function
    return model, {0.01: c**2 * ufl.dx, 0.03: c**3 * ufl.dx}, {"D": d, "start": c}, 0.03


def mechanics() -> Made:
    plate = em.mesh.rectangle((3.0, 2.0), cells=(4, 3))
    swelling = uneven(plate.mesh, 1e-3)
    on = {"left": em.mechanics.clamped(plate)}
    model = em.mechanics.model(plate, em.mechanics.Elastic(70e9, 0.3), eigenstrain=swelling, on=on)
    return model, "energy", {"swelling": swelling}, None


def surface() -> Made:
    bar = em.mesh.rectangle((3 * um, 2 * um), cells=(48, 32), cell="triangle").in_metres()
    metal = em.materials.Material(
        "a metal",
        temperature=500.0,
        atomic_volume=1.2e-29,
        effective_charge=-5.0,
        resistivity=3e-8,
        surface_diffusivity_thickness=1e-20,
        surface_energy=1.7,
    )
    void = em.surface.void((1.5 * um, 1.05 * um), 500 * nm)
    options: dict[str, Any] = {"current_density": 1e10, "on": ("left", "right"), "interface_width": 170 * nm}
    model = em.surface.model(bar, metal, shape=void, **options)
    return model, 1e12 * model["c"] ** 2 * bar.dx(), {"start": model["c"]}, 1e-3


def stressed_line() -> tuple[em.mesh.Domain, em.Model, fem.Constant]:
    """Korhonen's line of copper, with its field as a constant."""
    line = em.mesh.interval(50 * um, cells=40, names=("anode", "cathode")).in_metres()
    copper = em.materials.copper(temperature=573.0)
    field = fem.Constant(line.mesh, np.array([2e10 * copper.law("resistivity")(573.0)]))
    return line, em.stress.model(line, copper, field=field), field


def stress() -> Made:
    line, model, field = stressed_line()
    return model, 1e-18 * model["sigma"] ** 2 * line.ds("anode"), {"field": field, "start": model["sigma"]}, 100 * hour


def height() -> Made:
    line = em.mesh.periodic_interval(8.0, cells=12).scaled()
    first, second = (
        em.height.Species(diffusivity=1.0, surface_energy=1.0, effective_charge=charge) for charge in (1.0, -0.5)
    )
    layer: dict[str, Any] = {"temperature": 1.0, "atomic_volume": 1.0, "layer": 0.8, "scaled": True}
    alloy = em.height.Alloy(first, second, interaction_energy=1.0, gradient_coefficient=0.1, **layer)
    field = fem.Constant(line.mesh, np.array([0.4]))
    model = em.height.model(
        line,
        alloy,
        thickness=5.0,
        field=field,
        height=lambda x: 0.3 * np.cos(np.pi * x[0] / 4),
        composition=lambda x: 0.4 + 0.1 * np.sin(np.pi * x[0] / 4),
    )
    return model, (model["h"] - 0.1) ** 2 * line.dx(), {"field": field, "start": model["h"]}, 0.3


PHYSICS: list[Callable[[], Made]] = [conduction, film_with_its_current, migration]
MORE: list[Callable[[], Made]] = [film, heat, height, interdiffusion, mechanics, stress, surface]


@pytest.mark.parametrize("make", [*PHYSICS, *(pytest.param(each, marks=pytest.mark.soak) for each in MORE)])
def test_taylors_remainder_is_of_second_order(make: Callable[[], Made]):
    models, of, controls, until = make()
    objective = em.adjoint.Objective(models, of, controls, until=until)
    assert objective.taylor_orders() == pytest.approx(2.0, abs=0.02)
    if until is not None:
        assert objective.value() == pytest.approx(objective.reference, rel=1e-3)


def test_the_time_of_nucleation_has_the_derivative_of_its_closed_form():
    """Early on it goes as the inverse square of the field: dt/dE = -2 t/E; the closed form has it at any time."""
    line, model, field = stressed_line()
    copper = em.materials.copper(temperature=573.0)
    limit, rho = 3e8, copper.law("resistivity")(573.0)
    tension = model["sigma"] * line.ds("cathode")
    objective = em.adjoint.Objective(model, tension, {"field": field}, until=100 * hour, passes=limit, refine=2)

    def exact(j: float) -> float:
        return em.analytic.nucleation_time(current_density=j, length=50 * um, material=copper, critical_stress=limit)

    t, gradient = objective.value_and_gradient()
    assert t == pytest.approx(exact(2e10), rel=2e-3)
    slope = (exact(2.001e10) - exact(1.999e10)) / (0.002e10 * rho)
    assert gradient["field"][0] == pytest.approx(slope, rel=2e-3)
    assert objective.taylor_orders() == pytest.approx(2.0, abs=0.05)


def test_every_kind_of_control(species: tuple[em.Model, fem.Constant, fem.Function]):
    """A constant, a map, initial and Dirichlet values; models and controls are left as they were."""
    model, d, part = species
    controls = {"D": d, "part": part, "start": model["c"], "edge": model.conditions[0].value}
    before = model["c"].x.array.copy()
    objective = em.adjoint.Objective(model, (model["c"] - 1.2) ** 2 * model.domain.dx(), controls, until=0.1, rtol=1e-3)
    assert objective.taylor_orders() == pytest.approx(2.0, abs=0.01)
    assert model.t == 0.0
    assert np.array_equal(model["c"].x.array, before)
    function, vector = objective.as_function()
    value, gradient = function(vector)
    assert value == objective.value()
    assert gradient[0] == objective.gradient()["D"]
    assert d.value == 0.7


def test_less_memory_gives_the_same_derivatives(species: tuple[em.Model, fem.Constant, fem.Function]):
    """Steps are made again from states that were kept: to the bit. So is a step that ends where a value is passed."""
    model, d, part = species
    of = (model["c"] - 1.2) ** 2 * model.domain.dx()
    for options in ({"of": {0.03: of, 0.1: of}}, {"of": of, "passes": 0.25}):
        made = [
            em.adjoint.Objective(
                model,
                controls={"D": d, "part": part, "start": model["c"]},
                until=0.1,
                rtol=1e-3,
                memory=memory,
                **options,
            )
            for memory in (2**32, 12e3)
        ]
        (value, gradient), (again, other) = (each.value_and_gradient() for each in made)
        assert made[1]._run.segment < len(made[1].times) == made[0]._run.segment
        assert again == value
        for name, values in gradient.items():
            assert np.array_equal(other[name], values)


@pytest.mark.soak
def test_a_field_of_ten_thousand_values():
    """One number in each of 10 000 cells: order 2, and value and gradient for at most three times the value alone."""
    square = em.mesh.rectangle((1.0, 1.0), cells=(100, 100), cell="quadrilateral")
    d, drift = uneven(square.mesh, 1.0), fem.Constant(square.mesh, np.array([1.0, 0.5]))
    assert d.x.array.size == 10_000
    model = em.migration.model(square, diffusivity=d, drift=drift, initial=lambda x: 1 + x[0])
    of = (model["c"] - 1.2) ** 2 * square.dx()
    objective = em.adjoint.Objective(model, of, {"D": d}, until=0.1, rtol=1e-3)
    objective.value_and_gradient()  # compiled
    clocks = []
    for _ in range(3):
        began = time.process_time()
        objective.value()
        between = time.process_time()
        objective.value_and_gradient()
        clocks.append([between - began, time.process_time() - between])
    alone, both = np.min(clocks, axis=0)
    print(f"value {alone:.3g} s, with its gradient {both:.3g} s: {both / alone:.3g} times")
    assert both < 3 * alone
    assert objective.taylor_orders() == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("make", [migration, *(pytest.param(each, marks=pytest.mark.soak) for each in (heat, stress))])
def test_iterative_solvers_give_the_same_derivatives(make: Callable[[], Made]):
    model, of, controls, until = make()
    direct, iterative = (
        em.adjoint.Objective(model, of, controls, until=until, rtol=1e-3, solver=solver).gradient()
        for solver in ("direct", "iterative")
    )
    for name, values in direct.items():
        assert np.abs(iterative[name] - values).max() < 1e-8 * np.abs(values).max()


def test_an_optimiser_finds_the_constant(species: tuple[em.Model, fem.Constant, fem.Function]):
    """From the number that the true one makes."""
    model, d, _ = species
    number = em.adjoint.Objective(model, model["c"] * model.domain.ds("right"), {"D": d}, until=0.1, rtol=1e-3)
    wanted, (function, _) = number.value(), number.as_function()

    def misfit(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(vector)
        return 1e4 * (value - wanted) ** 2, 2e4 * (value - wanted) * gradient

    assert minimize(misfit, [1.1], jac=True, method="L-BFGS-B").x[0] == pytest.approx(0.7, rel=1e-4)
    d.value = 0.7


def test_what_cannot_be_derived_is_refused(species: tuple[em.Model, fem.Constant, fem.Function]):
    model, d, _ = species
    of = model["c"] * model.domain.dx()
    unused = fem.Constant(model.mesh, 1.0)
    wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
        (of, {"D": unused}, {"until": 0.1}, r"controls\['D'\], must be what the models depend on"),
        (of, {}, {"until": 0.1}, "at least one"),
        (of, {"D": 3.0}, {"until": 0.1}, r"controls\['D'\] = 3.0, must be a fem.Constant or a fem.Function"),
        ("c_max", {"D": d}, {"until": 0.1}, "must be an integral: .* or one of amount"),
        ("nothing", {"D": d}, {"until": 0.1}, "nothing"),
        (of, {"start": model["c"]}, {}, "an unknown as a control, must come with until"),
        (of, {"rate": model.unknowns[0].rate}, {"until": 0.1}, "must not be a rate"),
        (fem.Constant(model.mesh, 1.0) * model.domain.dx(), {"d": d}, {"until": 0.1}, "must depend on an unknown"),
        (of, {"d": d, "again": d}, {"until": 0.1}, r"controls\['again'\], must be another one than controls\['d'\]"),
        (of, {"D": d}, {"passes": 1.0}, "must come with until"),
        (of, {"D": d}, {"until": 0.0}, "until"),
        ({0.2: of}, {"D": d}, {"until": 0.1}, "a time in of = 0.2"),
        (of, {"D": d}, {"until": 0.1, "memory": 0.0}, "memory = 0, must be greater than 0"),
        (of, {"D": d}, {"until": 0.1, "memory": 100.0}, "memory = 100 bytes, must be at least .* for .* steps"),
        (of, {"D": d}, {"until": 0.1, "passes": 99.0}, "passes = 99, must be passed until 0.1: of goes from 1.5"),
    ]
    for form, controls, options, message in wrong:
        with pytest.raises(em.EmfemError, match=message):
            em.adjoint.Objective(model, form, controls, **options)
    on = {"left": em.fixed(lambda t: 1.0 + t)}
    current, alloy = film_with_its_current()[0]
    with pytest.raises(em.ParameterError, match="solver = 'iterative' of 3 unknowns, must be 'direct' of several"):
        em.adjoint.Objective([current, alloy], "free_energy", {"c": alloy["c"]}, until=1.0, solver="iterative")
    driven = em.migration.model(model.domain, diffusivity=d, initial=1.0, on=on)
    edge = {"edge": driven.conditions[0].value}
    with pytest.raises(em.ParameterError, match=r"controls\['edge'\], must not be a function of time"):
        em.adjoint.Objective(driven, driven["c"] * model.domain.dx(), edge, until=0.1)
    blocked = em.migration.model(model.domain, diffusivity=d, initial=1.0)
    with pytest.raises(em.ParameterError, match="many steady states"):
        em.adjoint.Objective(blocked, blocked["c"] ** 2 * model.domain.dx(), {"d": d})


def test_ranks_have_the_same_derivatives(run_json_on_ranks: Callable[..., Any]):
    case = Path(__file__).with_name("adjoint_case.py")
    alone = runpy.run_path(str(case))["numbers"]()
    together = run_json_on_ranks(2, case, timeout=300.0)
    assert together[:5] == pytest.approx(alone[:5], rel=1e-9)
    assert together[5:8] == pytest.approx([2.0] * 3, abs=0.01)
    assert (alone[-1], together[-1]) == (False, True)
