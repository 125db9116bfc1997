"""Conduction: resistances, currents and fields against closed forms; laws; coupling to a film; bad input is refused.

Run as a script, it prints the numbers of `parallel_case` for the test that compares numbers of ranks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any

import emfem as em
from emfem import conduction
from emfem.errors import ParameterError, UnknownName

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

SIZES: dict[int, tuple[float, ...]] = {1: (2.0,), 2: (2.0, 0.5), 3: (2.0, 0.5, 0.25)}
SIGMA = 3.0
ENDS = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
CUPD = em.film.cupd()
# A direct solve of a few dozen unknowns: its error is rounding times a condition number of about 100.
EXACT = 1e-12
BALANCE = 1e-10


def block(dim: int) -> em.mesh.Domain:
    """A small bar along x."""
    if dim == 1:
        return em.mesh.interval(2.0, cells=3)
    make = em.mesh.rectangle if dim == 2 else em.mesh.box
    return make(SIZES[dim], cells=(4, 2, 1)[:dim])


def solved(domain: em.mesh.Domain, **arguments: Any) -> em.Model:
    given: dict[str, Any] = {"on": ENDS, "degree": 1} | arguments
    model = conduction.model(domain, **given)
    em.solve_steady(model)
    return model


@cache
def bar(dim: int) -> em.Model:
    """A uniform bar of conductivity SIGMA with 1 V from left to right."""
    return solved(block(dim), conductivity=SIGMA)


def area(dim: int) -> float:
    return math.prod(SIZES[dim][1:])


def currents(model: em.Model) -> dict[str, float]:
    return {name: conduction.current(model, name) for name in conduction.electrodes(model)}


def imbalance(model: em.Model) -> float:
    """Sum of the electrodes' currents, relative to the largest of them."""
    found = list(currents(model).values())
    return abs(sum(found)) / max(map(abs, found))


def error(model: em.Model, exact: Any) -> float:
    """L2 norm of what phi is wrong by; quadrature of degree 8 is far below it."""
    form = fem.form((model["phi"] - exact) ** 2 * model.domain.dx(8))
    return math.sqrt(em.fields.integral(form, MPI.COMM_WORLD))


def orders(errors: list[float]) -> Any:
    return np.log2(np.divide(errors[:-1], errors[1:]))


# ---- a uniform bar


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_resistance_of_a_bar_is_length_over_conductivity_and_area(dim: int):
    assert conduction.resistance(bar(dim)) == pytest.approx(2.0 / (SIGMA * area(dim)), rel=EXACT)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_current_goes_in_at_the_higher_voltage_and_out_at_the_lower(dim: int):
    through = SIGMA * area(dim) / 2.0
    assert currents(bar(dim)) == pytest.approx({"left": -through, "right": through}, rel=EXACT)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_power_is_voltage_times_current(dim: int):
    assert bar(dim).quantity("power") == pytest.approx(conduction.current(bar(dim), "right"), rel=EXACT)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_uniform_bar_has_no_crowding(dim: int):
    found = conduction.crowding(bar(dim))
    assert (found.ratio, found.peak, found.mean) == pytest.approx((1.0, SIGMA / 2, SIGMA / 2), rel=EXACT)
    assert found.place.shape == (dim,)
    assert str(found).startswith("current crowding 1.000: peak 1.5 at (")


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_field_and_current_density_point_down_the_potential(dim: int):
    x_only = np.zeros(dim)
    x_only[0] = 0.5
    for name, sigma in (("E", 1.0), ("j", SIGMA)):
        values = em.fields.discontinuous(bar(dim)[name], bar(dim).mesh, 1).x.array.reshape(-1, dim)
        assert values == pytest.approx(np.tile(sigma * x_only, (len(values), 1)), abs=EXACT)


def test_the_extremes_of_the_potential_are_the_electrodes():
    assert (bar(2).quantity("phi_min"), bar(2).quantity("phi_max")) == (0.0, 1.0)


def test_a_material_gives_the_conductivity_and_the_units():
    copper, line = em.materials.copper(temperature=300.0), em.mesh.interval(1e-6, cells=2)
    model = conduction.model(line, copper, on={"left": em.fixed(0.1), "right": em.fixed(0.0)})
    steady = em.solve_steady(model)
    assert conduction.resistance(model) == pytest.approx(copper.resistivity * 1e-6, rel=1e-12, abs=0)
    assert (model.fields["j"].unit, model.quantities["current left"].unit) == ("A/m2", "A/m2")
    assert steady.reason == "residual below atol"
    own = conduction.model(line, copper, conductivity=2.0, on={"left": em.fixed(0.1), "right": em.fixed(0.0)})
    em.solve_steady(own)
    assert conduction.resistance(own) == pytest.approx(0.5e-6, rel=1e-12, abs=0)


def test_a_number_is_no_material():
    with pytest.raises(ParameterError, match=r"material = 59000000\.0, must have a resistivity"):
        conduction.model(em.mesh.interval(1e-6, cells=2), 5.9e7, on={"left": em.fixed(0.1)})


@pytest.mark.parametrize("voltages", [(0.0, 2.0), (-3.0, 1.0), (5.0, -1.0)])
@pytest.mark.parametrize("order", [("left", "right"), ("right", "left")])
def test_resistance_depends_neither_on_the_voltages_nor_on_their_order(
    voltages: tuple[float, float], order: tuple[str, str]
):
    on = {name: em.fixed(v) for name, v in zip(order, voltages, strict=True)}
    # the largest potential is 5 times the bar's: so is rounding
    assert conduction.resistance(solved(block(1), on=on)) == pytest.approx(2.0, rel=5 * EXACT)


# ---- several electrodes, and current let in


def test_currents_of_three_electrodes_that_meet_add_up_to_zero(plate: em.mesh.Domain):
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0), "top": em.fixed(0.3)}
    assert imbalance(solved(plate, on=on)) < BALANCE


def test_electrodes_of_one_voltage_share_the_current_by_symmetry():
    # The diagonal of the square is a mirror; left and bottom meet at a node that belongs to both.
    square = em.mesh.rectangle((1.0, 1.0), cells=(3, 3))
    hot, out = em.fixed(1.0), em.flux(-0.7)
    model = solved(square, on={"left": hot, "bottom": hot, "top": out, "right": out})
    found = currents(model)
    assert found["left"] == pytest.approx(found["bottom"], rel=EXACT)
    assert sum(found.values()) == pytest.approx(-1.4, rel=EXACT)


def test_current_let_in_comes_out_at_the_electrode(plate: em.mesh.Domain):
    model = solved(plate, conductivity=2.0, on={"left": em.fixed(0.5), "right": em.flux(0.25)})
    assert conduction.current(model, "left") == pytest.approx(0.25 * 3, rel=EXACT)
    # j = 0.25 along the 4 long plate
    assert model.quantity("phi_max") == pytest.approx(0.5 + 0.25 * 4 / 2.0, rel=EXACT)


def test_current_let_in_beside_electrodes_comes_out_of_them_all(plate: em.mesh.Domain):
    model = solved(plate, on=ENDS | {"top": em.flux(0.1), "bottom": em.flux(-0.3)})
    assert sum(currents(model).values()) == pytest.approx((0.1 - 0.3) * 4, rel=BALANCE)


# ---- rates of convergence


def graded(n: int, degree: int) -> tuple[float, float]:
    """Error of phi and of R in a line of conductivity 1 + x: phi = ln(1 + x)/ln 2, R = ln 2."""
    domain = em.mesh.interval(1.0, cells=n)
    x = ufl.SpatialCoordinate(domain.mesh)[0]
    on = {"left": em.fixed(0.0), "right": em.fixed(1.0)}
    model = solved(domain, conductivity=1 + x, on=on, degree=degree)
    return error(model, ufl.ln(1 + x) / math.log(2)), abs(conduction.resistance(model) - math.log(2))


def crystal(n: int, degree: int) -> tuple[float, float]:
    """Error of phi and of R in a square whose conductivity tensor is made to fit a potential and a stream function.

    With j = rot psi and E = -grad phi, sigma = j j^T/(j.E) + e e^T has sigma E = j where e is E turned by 90 degrees.
    phi is 0 and 1 on the electrodes and psi is 0 and -1 on the insulated edges, so R = 1.
    """
    domain = em.mesh.rectangle((1.0, 1.0), cells=(n, n))
    x, y = ufl.SpatialCoordinate(domain.mesh)
    phi = x + 0.1 * ufl.sin(ufl.pi * x) * ufl.cos(2 * y)
    psi = -y - 0.1 * ufl.sin(ufl.pi * y) * ufl.cos(2 * x)
    j, field = ufl.as_vector((psi.dx(1), -psi.dx(0))), -ufl.grad(phi)
    turned = ufl.as_vector((-field[1], field[0]))
    sigma = ufl.outer(j, j) / ufl.inner(j, field) + ufl.outer(turned, turned)
    on = {"left": em.fixed(0.0), "right": em.fixed(1.0)}
    model = solved(domain, conductivity=sigma, on=on, degree=degree)
    return error(model, phi), abs(conduction.resistance(model) - 1.0)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("case", [graded, crystal])
def test_potential_converges_at_order_p_plus_1_and_resistance_at_2p(case: Callable[..., Any], degree: int):
    potential, resistance = zip(*(case(n, degree) for n in (4, 8, 16)), strict=True)
    assert orders(list(potential)) == pytest.approx(degree + 1, abs=0.15)  # not yet asymptotic on 4 cells
    assert orders(list(resistance)) == pytest.approx(2 * degree, abs=0.2)  # R is an energy, of twice the order of j
    assert potential[-1] < 10.0 ** -(degree + 1)


# ---- jumps and tensors


@pytest.mark.parametrize("axis", [0, 1], ids=["series", "parallel"])
def test_a_jump_of_conductivity_between_cells_is_exact(axis: int):
    domain = block(2)
    place = ufl.SpatialCoordinate(domain.mesh)[axis]
    sigma = ufl.conditional(ufl.lt(place, SIZES[2][axis] / 2), 1.0, 4.0)
    model = solved(domain, conductivity=sigma)
    exact = (1 / 1.0 + 1 / 4.0) / 0.5 if axis == 0 else 2.0 / (0.25 * (1.0 + 4.0))
    assert conduction.resistance(model) == pytest.approx(exact, rel=EXACT)
    assert model.quantity("power") == pytest.approx(1 / exact, rel=EXACT)
    # in series the current is the same everywhere, in parallel it is densest in the better half
    found = conduction.crowding(model)
    assert found.ratio == pytest.approx(1.0 if axis == 0 else 4.0 / 2.5, rel=EXACT)
    assert axis == 0 or found.place[1] >= 0.25


HALL = [[2.0, 0.6], [-0.6, 2.0]]
TILTED = [[2.0, 1.0], [1.0, 2.0]]  # conductivities 3 and 1 along the diagonals


@pytest.mark.parametrize("given", [list, ufl.as_matrix], ids=["numbers", "UFL"])
@pytest.mark.parametrize("tensor", [TILTED, HALL], ids=["at 45 degrees", "Hall"])
def test_a_tensor_gives_the_voltages_of_its_inverse_along_and_across_a_long_strip(
    tensor: list[list[float]], given: Callable[..., Any]
):
    # No current crosses the insulated edges: halfway E = rho j, exact but for what the ends do, exp(-6 pi) = 7e-9.
    model = solved(em.mesh.rectangle((12.0, 1.0), cells=(24, 4)), conductivity=given(tensor), degree=2)
    points = np.array([[5.5, 0.0], [6.5, 0.0], [6.0, 0.0], [6.0, 1.0]])
    before, after, bottom, top = em.fields.evaluate(model["phi"], points)
    through = conduction.current(model, "right")
    rho = np.linalg.inv(tensor)
    # elements a quarter of the width decay a little slower than exp(-pi x)
    assert ((before - after) / through, (bottom - top) / through) == pytest.approx((rho[0, 0], rho[1, 0]), rel=1e-6)
    assert imbalance(model) < BALANCE


def test_a_multiple_of_the_identity_is_a_number(plate: em.mesh.Domain):
    on = {"left": em.fixed(1.0), "top": em.fixed(0.0)}
    number, tensor = (solved(plate, conductivity=c, on=on) for c in (SIGMA, SIGMA * np.eye(2)))
    assert tensor["phi"].x.array == pytest.approx(number["phi"].x.array, abs=EXACT)
    assert currents(tensor) == pytest.approx(currents(number), rel=EXACT)


def test_current_is_densest_in_a_hot_spot_of_conductivity():
    domain = em.mesh.rectangle((4.0, 3.0), cells=(16, 12))
    x = ufl.SpatialCoordinate(domain.mesh)
    spot = np.array([2.75, 1.0])
    sigma = 1 + 9 * ufl.exp(-((x[0] - spot[0]) ** 2 + (x[1] - spot[1]) ** 2) / 0.25)
    found = conduction.crowding(solved(domain, conductivity=sigma, degree=2))
    assert np.linalg.norm(found.place - spot) < 0.25  # one cell
    # on four times as many cells along each edge it is 2.043; sigma falls by a fifth across a cell here
    assert found.ratio == pytest.approx(2.043, rel=0.02)
    assert found.ratio == pytest.approx(found.peak / found.mean, rel=EXACT)


def test_without_current_there_is_no_crowding(plate: em.mesh.Domain):
    with pytest.raises(ParameterError, match=r"mean \|j\| = 0, must be greater than 0"):
        conduction.crowding(solved(plate, on={"left": em.fixed(0.0)}))


@pytest.mark.parametrize("degree", [1, 2])
def test_the_iterations_of_multigrid_do_not_grow_with_the_mesh(degree: int):
    """On 16 times as many cells; `benchmarks/conduction.py` goes on to a million."""
    counts = []
    for rows in (16, 64):
        domain = em.mesh.rectangle((2.0, 1.0), cells=(2 * rows, rows))
        x = ufl.SpatialCoordinate(domain.mesh)
        sigma = 1 + 9 * ufl.exp(-((x[0] - 1.0) ** 2 + (x[1] - 0.5) ** 2) / 0.02)
        on: dict[str, Any] = {"left": conduction.electrode(current=1.0), "right": em.fixed(0.0)}
        model = conduction.model(domain, conductivity=sigma, on=on, degree=degree)
        counts.append(em.solve_steady(model, petsc_options=em.solve.MULTIGRID).linear_iterations)
        assert imbalance(model) < BALANCE
    assert counts[1] <= counts[0] + 4
    assert counts[1] < 30


# ---- with a film


def film_on(domain: em.mesh.Domain, field: Any) -> em.Model:
    return em.film.model(domain, CUPD, mean=0.3, field=field, initial=em.film.noise(0.05, seed=2), degree=1)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_a_film_in_the_field_of_a_current_is_one_in_a_uniform_field(plate: em.mesh.Domain):
    current = conduction.model(plate, on={"left": em.fixed(0.2), "right": em.fixed(0.0)}, degree=1)
    coupled, alone, still = film_on(plate, 2 * current["E"]), film_on(plate, (0.1, 0.0)), film_on(plate, None)
    for models in ([current, coupled], alone, still):
        em.evolve(models, 2.0, first_step=0.01, progress=False)
    # the same equations and the same steps: what differs is rounding, far below the step's tolerance
    assert coupled["c"].x.array == pytest.approx(alone["c"].x.array, abs=1e-8)
    assert abs(alone["c"].x.array - still["c"].x.array).max() > 1e-3
    assert imbalance(current) < BALANCE


def nordheim(c: Any) -> Any:
    """Conductivity of a random alloy: resistivity linear in c, and a part from disorder."""
    return 1 / conduction.nordheim(c, solvent=1.0, solute=3.0, disorder=2.0)


def coupled_both_ways(domain: em.mesh.Domain) -> tuple[em.Model, em.Model]:
    """A current in the conductivity of a film, and the film in the field of that current."""
    on = {"left": em.fixed(0.2), "right": em.fixed(0.0)}
    current = conduction.model(domain, conductivity=nordheim(em.placeholder("c", domain)), on=on, degree=1)
    film = film_on(domain, 2 * current["E"])
    return current.substitute(c=film["c"]), film


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.parametrize("method", ["rosenbrock", "bdf"])
def test_a_current_and_a_film_that_change_each_other_conserve_charge_and_solute(plate: em.mesh.Domain, method: str):
    current, film = coupled_both_ways(plate)
    solute = film.quantity("solute")
    em.evolve([current, film], 1.0, first_step=0.01, method=method, progress=False)
    assert film.quantity("solute") == pytest.approx(solute, rel=1e-10)
    assert imbalance(current) < BALANCE
    em.solve_steady(current)  # of the c that was reached
    assert imbalance(current) < BALANCE
    # between the conductances of uniform films of the compositions there are
    low, high = (nordheim(film.quantity(name)) * 0.2 * 3 / 4 for name in ("c_max", "c_min"))
    assert low < conduction.current(current, "right") < high


def test_the_resistance_of_a_uniform_film_is_that_of_its_composition(plate: em.mesh.Domain):
    film = em.film.model(plate, CUPD, mean=0.3, degree=1)
    model = solved(plate, conductivity=nordheim(film["c"]))
    assert conduction.resistance(model) == pytest.approx(4 / 3 / nordheim(0.3), rel=EXACT)
    film["c"].x.array[:] = 0.6  # the conductivity follows
    em.solve_steady(model)
    assert conduction.resistance(model) == pytest.approx(4 / 3 / nordheim(0.6), rel=EXACT)


# ---- any number of ranks


def parallel_case() -> dict[str, Any]:
    """Numbers of a conductor with three electrodes and a hot spot, of a bend, and of a film in the field of a bar."""
    plate = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    x = ufl.SpatialCoordinate(plate.mesh)
    sigma = 1 + 9 * ufl.exp(-((x[0] - 2.75) ** 2) - (x[1] - 1.0) ** 2)
    three = solved(plate, conductivity=sigma, on=ENDS | {"top": em.fixed(0.3), "bottom": em.flux(0.1)})
    found = conduction.crowding(three)
    nodes = [(float(i), float(j)) for i in range(5) for j in range(4)]  # E jumps there, between ranks as well
    bent = solved(em.mesh.bend(width=1.0, arms=(2.0, 2.0), size=0.5), on={"start": em.fixed(1.0), "end": em.fixed(0.0)})
    with pytest.warns(em.ResolutionWarning) if MPI.COMM_WORLD.rank == 0 else nullcontext():
        corner = conduction.crowding(bent).corner
    assert corner is not None
    current, film = coupled_both_ways(plate)
    em.evolve([current, film], 1.0, first_step=0.01, progress=False)
    return {
        "E": em.fields.evaluate(three["E"], nodes).ravel().tolist(),
        "corner": [*corner.place, corner.angle, corner.exponent],
        "currents": list(currents(three).values()),
        "crowding": [found.ratio, found.peak, found.mean, *found.place],
        "power": three.quantity("power"),
        "resistance": conduction.resistance(solved(plate, conductivity=sigma)),
        "film": [film.quantity("solute"), film.quantity("c_max"), conduction.current(current, "right")],
    }


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.soak
@pytest.mark.parallel
def test_numbers_are_the_same_on_two_ranks(run_json_on_ranks: Callable[..., Any]):
    expected, found = parallel_case(), run_json_on_ranks(2, __file__)  # forms are compiled in serial
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # solvers sum in another order; a few steps of the film amplify that a little
        assert found[name] == pytest.approx(value, rel=1e-8), name


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"domain": "plate"}, "domain = 'plate', must be one of em.mesh"),
        ({"conductivity": 0}, "conductivity = 0, must be greater than 0"),
        ({"conductivity": -2.5}, "conductivity = -2.5, must be greater than 0"),
        ({"conductivity": math.nan}, "conductivity = nan, must be finite"),
        ({"conductivity": math.inf}, "conductivity = inf, must be finite"),
        ({"conductivity": "copper"}, "conductivity = 'copper', must be a number"),
        ({"conductivity": "2"}, "conductivity = '2', must be a number"),
        ({"conductivity": True}, "conductivity = True, must be a number"),
        ({"conductivity": (1.0, 2.0)}, "conductivity = [1.0, 2.0], must be a finite tensor of shape (2, 2)"),
        ({"conductivity": np.eye(3)}, "must be a finite tensor of shape (2, 2)"),
        ({"conductivity": [[math.nan, 0], [0, 1]]}, "must be a finite tensor of shape (2, 2)"),
        ({"conductivity": [[1, 2], [2, 1]]}, "[[1.0, 2.0], [2.0, 1.0]], must be positive definite"),
        ({"conductivity": [[1, -4], [0, 1]]}, "must be positive definite"),  # its eigenvalues are, j . E is not
        ({"conductivity": [[1, 0], [0, 0]]}, "must be positive definite"),
        ({"conductivity": ufl.as_vector([1, 2])}, "conductivity of shape (2,), must be () or (2, 2)"),
        ({"conductivity": ufl.Identity(3)}, "conductivity of shape (3, 3), must be () or (2, 2)"),
        ({"on": {}}, "on = {}, must hold at least one electrode at a voltage, em.fixed(...)"),
        ({"on": None}, "must hold at least one electrode at a voltage, em.fixed(...)"),
        ({"on": {"left": em.flux(1.0)}}, "{'left': Flux(value=1.0)}, must hold at least one electrode"),
        (
            {"on": {"left": 1.0}},
            "on['left'] = 1.0, must be em.fixed(...), em.flux(...) or em.conduction.electrode(...)",
        ),
        ({"degree": 0}, "degree = 0, must be at least 1"),
        ({"degree": 1.5}, "degree = 1.5, must be a whole number"),
        ({"degree": 13}, "degree = 13, must be at most 12"),
        ({"degree": 10**400}, "must be finite"),
        ({"domain": 3}, "domain = 3, must be one of em.mesh"),
        ({"conductivity": "good"}, "conductivity = 'good', must be a number"),
        (
            {"conductivity": ufl.SpatialCoordinate(em.mesh.interval(1.0, cells=2).mesh)[0]},
            "of another mesh, must be on",
        ),
        ({"on": 3}, "on = 3, must be a mapping"),
        ({"on": {3: em.fixed(1.0)}}, "on = 3, must be a text"),
    ],
)
def test_bad_input_is_refused(plate: em.mesh.Domain, arguments: dict[str, Any], message: str):
    given: dict[str, Any] = {"domain": plate, "on": ENDS} | arguments
    with pytest.raises(ParameterError) as caught:
        conduction.model(**given)
    assert message in str(caught.value)


def test_an_unknown_boundary_is_answered_with_the_names(plate: em.mesh.Domain):
    with pytest.raises(UnknownName, match=r"^'anod'; this mesh has left, right, bottom, top$"):
        conduction.model(plate, on={"anod": em.fixed(1.0)})


@pytest.mark.parametrize("name", ["right", "top", "unwritable_dir"])
def test_current_is_reported_only_for_electrodes(plate: em.mesh.Domain, name: str):
    model = conduction.model(plate, on={"left": em.fixed(1.0), "bottom": em.fixed(0.0), "right": em.flux(1.0)})
    with pytest.raises(UnknownName, match=rf"^'{name}'; electrode has left, bottom$"):
        conduction.current(model, name)


@pytest.mark.parametrize(
    "voltages", [{"left": 1.0}, {"left": 1.0, "right": 0.0, "top": 0.5}, {"left": 2.0, "right": 2.0}]
)
def test_resistance_needs_two_electrodes_at_different_voltages(plate: em.mesh.Domain, voltages: dict[str, float]):
    model = solved(plate, on={name: em.fixed(v) for name, v in voltages.items()})
    with pytest.raises(ParameterError) as caught:
        conduction.resistance(model)
    assert str(caught.value) == f"electrodes {voltages}, must be two at different voltages for a resistance"


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_a_model_that_is_not_solved_does_not_answer(plate: em.mesh.Domain):
    model = conduction.model(plate, on=ENDS)
    film = em.film.model(plate, CUPD, mean=0.3, field=model["E"], degree=1)
    asked: tuple[Callable[[], Any], ...] = (
        lambda: conduction.resistance(model),
        lambda: conduction.current(model, "left"),
        lambda: conduction.voltage(model, "left"),
        lambda: conduction.crowding(model),
    )
    for ask in asked:
        with pytest.raises(ParameterError, match="the conduction model is not solved yet"):
            ask()
    with pytest.raises(ParameterError, match="the film model uses phi of a model that is not solved"):
        em.evolve(film, 1.0, progress=False)
    em.solve_steady(model)
    assert conduction.resistance(model) == pytest.approx(4 / 3, rel=EXACT)
    em.evolve(film, 0.1, progress=False)


def test_resistance_is_reported_between_two_of_several_electrodes(plate: em.mesh.Domain):
    on = {
        "left": em.fixed(1.0),
        "right": em.fixed(0.0),
        "top": conduction.electrode(current=0.0, contact_resistivity=1.0),
    }
    model = solved(plate, on=on)
    with pytest.raises(ParameterError, match="must be two at different voltages for a resistance"):
        conduction.resistance(model)
    assert 0.5 * 4 / 3 < conduction.resistance(model, "left", "right") < 0.99 * 4 / 3  # the top is a shunt
    assert conduction.resistance(model, "right", "left") == pytest.approx(conduction.resistance(model, "left", "right"))
    with pytest.raises(UnknownName, match="'bottom'; electrode has left, right, top"):
        conduction.resistance(model, "left", "bottom")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: -(1 + x[0]), "conductivity = -"),
        (lambda x: x[0] - 2, r"conductivity = -[12] at \(.*\), must be greater than 0"),
        (lambda x: 0 * x[0], "conductivity = 0 at"),
        (lambda x: ufl.as_matrix([[1, 0], [0, x[1] - 1]]), "must be greater than 0"),
    ],
)
def test_a_conductivity_in_ufl_is_positive_everywhere(plate: em.mesh.Domain, make: Callable[[Any], Any], message: str):
    with pytest.raises(ParameterError, match=message):
        conduction.model(plate, conductivity=make(ufl.SpatialCoordinate(plate.mesh)), on=ENDS)


def test_fields_of_another_mesh_are_refused(plate: em.mesh.Domain):
    other = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    film = em.film.model(other, CUPD, mean=0.3, degree=1)
    model = conduction.model(plate, conductivity=1 + em.placeholder("c", plate), on=ENDS)
    with pytest.raises(ParameterError, match="the conduction model uses c, must be a field on its own mesh"):
        model.substitute(c=film["c"])
    with pytest.raises(ParameterError, match=r"c = the film model, must be one of its fields, such as model\['c'\]"):
        model.substitute(c=film)


def test_a_coefficient_with_a_test_function_is_refused(plate: em.mesh.Domain):
    v = ufl.TestFunction(fem.functionspace(plate.mesh, ("Lagrange", 1)))
    with pytest.raises(ParameterError, match=r"^conductivity = .* with a test function, must be made of Functions"):
        conduction.model(plate, conductivity=1 + v, on=ENDS)


GRADIENT = ufl.as_vector([1.0, 0.0])
PURE: dict[str, Any] = {"solvent": 1.0, "solute": 2.0, "disorder": 3.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda dx: conduction.ohmic_flux("good", GRADIENT), "conductivity = 'good', must be numbers"),
        (lambda dx: conduction.ohmic_flux(ufl.Identity(3), GRADIENT), "must fit together in ohmic_flux: "),
        (lambda dx: conduction.continuity(None, GRADIENT, dx), "flux = None, must be numbers"),
        (lambda dx: conduction.continuity(GRADIENT, GRADIENT, 3), "dx = 3, must be a"),
        (lambda dx: conduction.contact(GRADIENT[0], 1.0, 0.0, GRADIENT[0], dx), "must fit together in contact: "),
        (lambda dx: conduction.nordheim([0.1, "a"], **PURE), "c = [0.1, 'a'], must be numbers"),
        (lambda dx: conduction.nordheim(0.3, **PURE | {"solvent": math.nan}), "solvent = nan Ohm m, must be finite"),
        (lambda dx: conduction.nordheim(0.3, **PURE | {"solute": math.inf}), "solute = inf Ohm m, must be finite"),
        (lambda dx: conduction.nordheim(0.3, **PURE | {"disorder": "big"}), "disorder = 'big', must be a number"),
        (lambda dx: conduction.nordheim(1e200, **PURE), "nordheim = -inf, must be finite: its arguments are too large"),
    ],
)
def test_bad_terms_of_laws_are_refused(plate: em.mesh.Domain, make: Callable[[Any], Any], message: str):
    with pytest.raises(ParameterError) as caught:
        make(plate.dx())
    assert message in str(caught.value)


def test_numbers_beside_ufl_become_ufl(plate: em.mesh.Domain):
    phi = fem.Function(fem.functionspace(plate.mesh, ("Lagrange", 1)))
    assert conduction.ohmic_flux(np.eye(2), ufl.grad(phi)).ufl_shape == (2,)
    assert conduction.nordheim(np.array([0.0, 1.0]), **PURE) == pytest.approx([1.0, 2.0])
    assert np.isnan(conduction.nordheim(np.array([np.nan, 1.0]), **PURE)).tolist() == [True, False]


if __name__ == "__main__":
    answer = parallel_case()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(answer), flush=True)
