"""A model knows its fields and quantities by name, holds what is fixed, and follows its drivers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.errors import ParameterError, UnknownName

import numpy as np
import pytest
from dolfinx import fem


def test_unknowns_are_functions_and_derived_fields_are_expressions(film: Callable[..., em.Model]):
    model = film(field=(0.1, 0.0))
    assert model.names == ("c", "mu", "flux", "field")
    assert isinstance(model["c"], fem.Function)
    assert model["c"].name == "c"
    assert model["flux"].ufl_shape == (2,)


def test_an_unknown_field_lists_the_fields(film: Callable[..., em.Model]):
    with pytest.raises(UnknownName, match=r"^'C'; the film model has c, mu, flux, field$"):
        film()["C"]


def test_an_unknown_quantity_lists_the_quantities(film: Callable[..., em.Model]):
    known = "solute, free_energy, dissipation, c_min, c_max, amplitude"
    with pytest.raises(UnknownName, match=f"^'energy'; the film model has {known}$"):
        film().quantity("energy")


def test_print_lists_fields_and_quantities(film: Callable[..., em.Model]):
    assert str(film()) == (
        "film model: fields c, mu, flux, field; quantities solute, free_energy, dissipation, c_min, c_max, amplitude"
    )


def test_a_quantity_is_a_form_or_a_function_and_follows_the_state(decay: Callable[..., em.Model]):
    model = decay(start=3.0)
    assert model.quantity("amount") == pytest.approx(6.0, rel=1e-14)
    assert model.quantity("level") == 3.0
    model["u"].x.array[:] = 1.0
    assert model.quantity("amount") == pytest.approx(2.0, rel=1e-14)
    assert model.quantity("level") == 1.0
    assert type(model.quantity("amount")) is float


def test_set_time_gives_drivers_their_value(film: Callable[..., em.Model]):
    model = film(field=lambda t: (t, 2 * t))
    assert model["field"].value.tolist() == [0.0, 0.0]
    model.set_time(3.0)
    assert model["field"].value.tolist() == [3.0, 6.0]


@pytest.mark.parametrize(
    ("value", "fine"),
    [(0.5, True), (0.0, False), (1.0, False), (-0.1, False), (1.1, False), (math.nan, False), (math.inf, False)],
)
def test_a_bounds_violation_is_a_value_not_finite_or_not_strictly_inside_the_bounds(
    decay: Callable[..., em.Model], value: float, fine: bool
):
    model = decay(bounds=(0.0, 1.0), start=0.5)
    model["u"].x.array[1] = value
    assert (model.bounds_violation() is None) is fine


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_without_bounds_a_state_must_still_be_finite(decay: Callable[..., em.Model], value: float):
    model = decay(start=-1e9)
    assert model.bounds_violation() is None
    model["u"].x.array[1] = value
    assert str(model.bounds_violation()).endswith(f"u = {value:g}")


def test_a_condition_is_held_from_the_start(plate: em.mesh.Domain):
    model = em.film.model(plate, em.film.cupd(), mean=0.3, on={"left": em.fixed(0.2)}, degree=1)
    here = np.isclose(model["c"].function_space.tabulate_dof_coordinates()[:, 0], 0.0)
    assert here.sum() == 4
    assert model["c"].x.array[here].tolist() == [0.2] * 4
    assert model["c"].x.array[~here] == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize("make", [em.fixed, em.flux])
@pytest.mark.parametrize("value", [math.nan, math.inf, "0.3", None, True])
def test_conditions_take_finite_numbers(make: Callable[[Any], Any], value: Any):
    with pytest.raises(ParameterError, match=rf"(fixed value|flux) = {value!r}, must be (finite|a number)"):
        make(value)


@pytest.mark.parametrize("make", [em.fixed, em.flux])
def test_conditions_carry_their_value_and_do_not_change(make: Callable[[float], Any]):
    condition = make(-0.25)
    assert condition.value == -0.25
    with pytest.raises(AttributeError):
        condition.value = 1.0


def test_a_condition_on_an_unknown_boundary_lists_the_boundaries(plate: em.mesh.Domain):
    with pytest.raises(UnknownName, match=r"^'anode'; this mesh has left, right, bottom, top$"):
        em.film.model(plate, em.film.cupd(), mean=0.3, on={"anode": em.fixed(0.2)})


@pytest.mark.parametrize("condition", [0.2, "fixed", None, em.fixed])
def test_a_bare_number_is_no_condition(plate: em.mesh.Domain, condition: Any):
    with pytest.raises(ParameterError, match=r"on\['left'\] = .*, must be em.fixed\(...\) or em.flux\(...\)"):
        em.film.model(plate, em.film.cupd(), mean=0.3, on={"left": condition})


def test_only_allowed_conditions_are_taken(plate: em.mesh.Domain):
    check = em.model.check_boundaries
    with pytest.raises(ParameterError, match=r"must be em.fixed\(...\)$"):
        check(plate, {"left": em.flux(1.0)}, (em.model.Fixed,))
    assert check(plate, None, (em.model.Fixed,)) == {}


def test_what_a_model_is_given_stays_as_it_is(plate: em.mesh.Domain):
    on = {"left": em.fixed(0.2)}
    field = np.array([0.1, 0.0])
    model = em.film.model(plate, em.film.cupd(), mean=0.3, on=on, field=field)
    em.evolve(model, 0.01, progress=False)
    assert on == {"left": em.fixed(0.2)}
    assert field.tolist() == [0.1, 0.0]


def test_values_are_all_quantities_of_the_present_state(decay: Callable[..., em.Model]):
    model = decay(start=3.0)
    assert model.values() == {name: model.quantity(name) for name in model.quantities}
    model["u"].x.array[:] = 1.0
    assert model.values()["level"] == 1.0


def conductor(domain: em.mesh.Domain) -> em.Model:
    """A plate of 2 S/m with 1 V across it, not solved yet."""
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    return em.conduction.model(domain.in_metres(), conductivity=2.0, on=on)


def test_fields_and_quantities_are_shown_with_unit_and_label(plate: em.mesh.Domain):
    model = conductor(plate)
    assert repr(model.fields["j"]) == "<vector j [A/m2]: current density>"
    assert repr(model.quantities["power"]) == "<power [W/m]>"
    assert "<td>current density</td><td>A/m²</td>" in model.fields["j"]._repr_html_()


def test_a_notebook_shows_ranges_and_values_once_a_model_is_solved(plate: em.mesh.Domain):
    model = conductor(plate)
    length = float(np.ptp(plate.mesh.geometry.x[:, 0]))
    table = model._repr_html_()
    assert table.count("<td>not solved yet</td>") == len(model.fields) + len(model.quantities)
    em.solve_steady(model)
    table = model._repr_html_()
    assert "not solved yet" not in table
    assert "<td>phi</td><td>potential</td><td>0 to 1</td><td>V</td>" in table
    assert f"<td>j</td><td>current density</td><td>{2 / length:.4g} to {2 / length:.4g}</td>" in table
    assert f"<td>{model.quantity('power'):.6g}</td><td>W/m</td>" in table


def test_a_notebook_shows_a_model_that_lacks_a_field(plate: em.mesh.Domain):
    force = 0.1 * em.placeholder("E", plate, (2,))
    model = em.film.model(plate, em.film.cupd(), mean=0.3, field=force, degree=1)
    assert "not solved yet" in model._repr_html_()


def test_what_substitute_returns_is_a_model_of_its_own(plate: em.mesh.Domain):
    field = em.placeholder("field", plate, (2,))
    model = em.film.model(plate, em.film.cupd(), mean=0.3, field=field, degree=1)
    model.t = 2.0
    filled = model.substitute(field=fem.Constant(plate.mesh, (1.0, 0.0)))
    assert model.missing == ("field",)
    assert filled.missing == ()
    assert filled["c"] is model["c"]
    assert (filled.t, model.t) == (0.0, 2.0)
    assert filled.warned is not model.warned
    assert list(filled.substitutions) == [field]
    with pytest.raises(ParameterError, match="field = the film model, must be one of its fields"):
        model.substitute(field=filled)


def test_roles_name_fields_that_the_model_has(plate: em.mesh.Domain):
    film = em.film.model(plate, em.film.cupd(), mean=0.3, degree=1)
    current = conductor(plate)
    assert film.roles == {"pattern": "c"}
    assert current.roles == {"potential": "phi", "current": "j"}
    assert {*film.roles.values()} <= {*film.names}
    assert {*current.roles.values()} <= {*current.names}
