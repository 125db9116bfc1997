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


def test_print_tells_what_can_be_asked(film: Callable[..., em.Model]):
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
def test_a_trespass_is_a_value_not_finite_or_not_strictly_inside_the_bounds(
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
    assert model.bounds_violation() is not None


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
