"""Every check names the value and the bound; every error is an EmfemError and the Python error one expects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from emfem import errors
from emfem.errors import ConservationError, ConvergenceError, EmfemError, ParameterError, UnknownName

import basix.ufl
import numpy as np
import pytest
import ufl


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (0.0, {"above": 0.0}, "size = 0, must be greater than 0"),
        (-1.5, {"at_least": 0.0}, "size = -1.5, must be at least 0"),
        (1.0, {"below": 1.0}, "size = 1, must be less than 1"),
        (2.5, {"at_most": 2.0}, "size = 2.5, must be at most 2"),
        (-1.0, {"above": 0.0, "unit": "m"}, "size = -1 m, must be greater than 0 m"),
        (math.nan, {}, "size = nan, must be finite"),
        (math.inf, {"unit": "m"}, "size = inf m, must be finite"),
        (-math.inf, {"above": 0.0}, "size = -inf, must be finite"),
        ("1", {}, "size = '1', must be a number"),
        (None, {}, "size = None, must be a number"),
        (True, {}, "size = True, must be a number"),
        (1j, {}, "size = 1j, must be a number"),
        ([1.0], {}, r"size = \[1.0\], must be a number"),
    ],
)
def test_number_names_value_and_bound(value: Any, bounds: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        errors.number("size", value, **bounds)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0)])
def test_number_takes_every_kind_of_real_number(value: Any):
    result = errors.number("size", value, at_least=2.0, at_most=2.0)
    assert type(result) is float
    assert result == 2.0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2, "cells = 2, must be at least 3"),
        (-3, "cells = -3, must be at least 3"),
        (3.5, "cells = 3.5, must be a whole number"),
        (True, "cells = True, must be a whole number"),
        (math.nan, "cells = nan, must be finite"),
        ("4", "cells = '4', must be a number"),
    ],
)
def test_count_names_value_and_bound(value: Any, message: str):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        errors.count("cells", value, at_least=3)


@pytest.mark.parametrize("value", [3, 3.0, np.int32(3)])
def test_count_takes_whole_numbers(value: Any):
    result = errors.count("cells", value, at_least=3)
    assert type(result) is int
    assert result == 3


def test_choice_lists_what_there_is():
    assert errors.choice("cell", "square", ("square", "cube")) == "square"
    with pytest.raises(UnknownName, match=r"^'disk'; cell has square, cube$") as caught:
        errors.choice("cell", "disk", ("square", "cube"))
    assert caught.value.name == "disk"
    assert caught.value.known == ("square", "cube")


def test_an_owner_without_names_has_no_names():
    assert str(UnknownName("a", "this mesh", ())) == "'a'; this mesh has no names"


@pytest.mark.parametrize("value", ["x", [1.0, "x"], [[1.0], [1.0, 2.0]], object()])
def test_floats_takes_numbers_only(value: Any):
    with pytest.raises(ParameterError, match=r"^field = .*, must be numbers$"):
        errors.floats("field", value)


def test_floats_keeps_the_shape():
    assert errors.floats("field", [[1, 2], [3, 4]]).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_kind_names_the_type_required():
    errors.kind("alloy", 1.0, float, "a float")
    with pytest.raises(ParameterError, match=r"^alloy = 'x', must be a float$"):
        errors.kind("alloy", "x", float, "a float")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ParameterError("no"), ValueError),
        (UnknownName("a", "b", "c"), ParameterError),
        (ConservationError("no"), RuntimeError),
        (ConvergenceError("no", t=1.0, dt=0.5, reason="why"), RuntimeError),
    ],
)
def test_errors_are_those_of_emfem_and_of_python(error: Exception, expected: type):
    assert isinstance(error, EmfemError)
    assert isinstance(error, expected)


def test_convergence_error_carries_time_step_and_reason():
    error = ConvergenceError("no step", t=1.0, dt=0.5, reason="why")
    assert (str(error), error.t, error.dt, error.reason) == ("no step", 1.0, 0.5, "why")


@pytest.mark.parametrize("check", [errors.number, errors.floats])
def test_a_good_value_raises_nothing(check: Callable[..., Any]):
    assert check("size", 1.5) == 1.5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, 2.0, 3.0], r"size of shape \(3,\), must be two lengths"),
        (3.0, r"size = 3.0, must be two lengths"),
        (np.zeros((3, 2)), r"size of shape \(3, 2\), must be two lengths"),
        ([1.0, math.nan], r"size of shape \(2,\), must be two lengths; it has nan"),
        ("ab", r"size = 'ab', must be numbers"),
    ],
)
def test_floats_of_another_shape_or_not_finite_are_refused(value: Any, message: str):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        errors.floats("size", value, (2,), "two lengths", finite=True)


def test_a_shape_may_leave_a_length_open():
    assert errors.floats("holes", np.ones((5, 3)), (None, 3), "(n, 3)").shape == (5, 3)
    assert np.isnan(errors.floats("x", [math.nan], (None,), "numbers")[0])
    with pytest.raises(ParameterError, match=r"holes of shape \(3, 5\), must be \(n, 3\)"):
        errors.floats("holes", np.ones((3, 5)), (None, 3), "(n, 3)")


def test_the_first_wrong_entry_is_reported():
    errors.require_all([True, True], lambda i: f"entry {i}")
    errors.require_all([], lambda i: f"entry {i}")
    with pytest.raises(ParameterError, match=r"^entry 1$"):
        errors.require_all([True, False, False], lambda i: f"entry {i}")
    with pytest.raises(ParameterError, match=r"^good = \[\[True, True\], None\], must be truth values"):
        errors.require_all([[True, True], None], lambda i: f"entry {i}")
    with pytest.raises(ParameterError, match=r"^must hold$"):
        errors.require(0, "must hold")


class Hostile:
    """An object whose methods raise."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        raise RuntimeError

    def __eq__(self, _: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


STRANGE = [
    *(Hostile(), 10**400, -(10**400), 10**5000, 1j, np.complex128(1), b"1", bytearray(b"1"), np.array("1")),
    *(
        [[]] * 9999,
        object(),
        None,
        ufl.SpatialCoordinate(ufl.Mesh(basix.ufl.element("P", "triangle", 1, shape=(2,))))[0],
    ),
    *(np.zeros(2), np.zeros(10**4), np.array([1j]), np.datetime64("2020-01-01"), "a" * 10**5, {}, object, lambda: 0),
    *(np.bool_(True), Fraction(10**400), [1.0, None], [[1.0], [1.0, 2.0]], [1, 10**400], range(10**6)),
]
CHECKS: dict[str, Callable[[Any], Any]] = {
    "number": lambda value: errors.number("x", value),
    "count": lambda value: errors.count("x", value, at_least=1),
    "choice": lambda value: errors.choice("x", value, ("a", "b")),
    "kind": lambda value: errors.kind("x", value, str | set, "a word"),  # type: ignore[arg-type]
    "floats": lambda value: errors.floats("x", value, (3,), "three numbers", finite=True),
    "positive_tensor": lambda value: errors.positive_tensor("x", value, 2),
    "known": lambda value: errors.choice("x", "z", value),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_every_check_refuses_strange_values_in_a_short_sentence(check: str, value: Any):
    if check == "kind" and isinstance(value, str):
        pytest.skip("it is a word")
    with pytest.raises(ParameterError) as caught:
        CHECKS[check](value)
    message = str(caught.value)
    assert len(message) < (10**4 if check == "known" else 500)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10**400, f"size = 1{'0' * 149} ... {'0' * 150}, must be finite"),
        (Fraction(10**400), "size = inf, must be finite"),
        (b"1", "size = b'1', must be a number"),
        (np.complex64(1), r"size = np.complex64(1+0j), must be a number"),
        (Hostile(), "size = <Hostile>, must be a number"),
    ],
)
def test_number_refuses_what_a_float_cannot_hold(value: Any, message: str):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        errors.number("size", value)


@pytest.mark.parametrize("value", ["1.5", ["1.5"], [1.0, None], np.array([1j]), [1, 10**400], b"1"])
def test_floats_takes_no_texts_and_no_complex_numbers(value: Any):
    with pytest.raises(ParameterError, match=r"^x = .*, must be numbers$"):
        errors.floats("x", value)


def test_a_whole_number_is_exact():
    assert errors.count("seed", 2**100 + 1, at_least=0) == 2**100 + 1
    assert errors.count("cells", 1e300, at_least=0) == int(1e300)


def test_choice_takes_words_only():
    with pytest.raises(UnknownName, match=r"^array\(\['a'\], dtype='<U1'\); cell has 'a', 'b'$"):
        errors.choice("cell", np.array(["a"]), ("a", "b"))
    with pytest.raises(ParameterError, match=r"^known = 3, must be names$"):
        errors.choice("cell", "a", 3)  # type: ignore[arg-type]
