"""Sensitivities: two methods against derivatives by hand, and Taylor's test of both right and wrong ones."""

from functools import partial
from typing import Any

import emfem as em
from emfem.units import MPa

import numpy as np
import pytest

VALUES = {"D0": 2.0, "Ea": 0.7}
X = {"T": np.array([0.5, 1.0, 2.0])}


def arrhenius(c: dict[str, Any], x: dict[str, Any]) -> Any:
    return c["D0"] * np.exp(-c["Ea"] / x["T"])


@pytest.mark.parametrize(("method", "error"), [("central", 1e-7), ("complex", 1e-14)])
def test_derivatives_are_those_by_hand(method: str, error: float):
    found = em.fit.sensitivities(arrhenius, VALUES, conditions=X, method=method)
    value = arrhenius(VALUES, X)
    assert found["D0"] == pytest.approx(value / 2.0, rel=error)
    assert found["Ea"] == pytest.approx(-value / X["T"], rel=error)


def test_taylors_remainder_falls_at_second_order_unless_a_derivative_is_wrong():
    derivatives = em.fit.sensitivities(arrhenius, VALUES, conditions=X, method="complex")
    assert em.fit.taylor_orders(arrhenius, VALUES, derivatives, conditions=X) == pytest.approx([2.0] * 4, abs=0.05)
    wrong = derivatives | {"Ea": 1.1 * derivatives["Ea"]}
    assert em.fit.taylor_orders(arrhenius, VALUES, wrong, conditions=X)[-1] < 1.2


def test_the_time_of_an_event_is_differentiable():
    """Korhonen's time until a void opens, by D0, Ea, Z* and critical stress: central differences, order 2."""
    law = em.fit.LawModel("nucleation", em.materials.copper())
    values = {"D0": 1e-8, "Ea": 0.9 * em.units.eV, "Z": -5.0, "sigma_c": 450 * MPa}
    x = {"T": np.array([573.0]), "j": np.array([2e10]), "length": np.array([6e-5])}
    derivatives = em.fit.sensitivities(law, values, conditions=x, step=1e-5)
    orders = em.fit.taylor_orders(law, values, derivatives, conditions=x, step=1e-3)
    assert orders == pytest.approx([2.0] * 4, abs=0.05)
    assert derivatives["D0"] == pytest.approx(-law(values, x) / 1e-8, rel=1e-8)


def test_a_model_that_loses_imaginary_parts_is_refused():
    with pytest.raises(em.ParameterError, match="loses imaginary parts"):
        em.fit.sensitivities(lambda c, x: np.abs(c["D0"]), VALUES, method="complex")
    with pytest.raises(em.ParameterError, match="refuses a complex D0"):
        em.fit.sensitivities(lambda c, x: float(c["D0"]), VALUES, method="complex")
    with pytest.raises(em.ParameterError, match="remainder is 0"):
        em.fit.taylor_orders(lambda c, x: c["a"], {"a": 1.0}, {"a": 1.0})


def test_functions_of_other_arguments_are_refused_in_a_sentence():
    """A fit would have ended with a TypeError of Python."""
    unknown, curve = em.fit.Unknown("a", (0.0, 1.0)), em.fit.Curve("line", {}, [1.0, 2.0], 0.1)
    start = "must take two arguments, constants and"
    one: Any = lambda c: 1.0  # noqa: E731
    none: Any = lambda: 1.0  # noqa: E731
    three: Any = lambda a, b, c: 1.0  # noqa: E731
    for call, name in (
        (partial(em.fit.fit, one, [curve], [unknown]), f"model = <lambda>(c), {start} conditions"),
        (partial(em.fit.sensitivities, none, {"a": 1.0}), f"model = <lambda>(), {start} conditions"),
        (partial(em.fit.taylor_orders, three, {"a": 1.0}, {"a": 1.0}), "missing a required argument: 'c'"),
        (partial(em.fit.emulate, one, [unknown]), f"simulate = <lambda>(c), {start} a seed"),
    ):
        with pytest.raises(em.ParameterError) as refused:
            call()
        assert name in str(refused.value)
