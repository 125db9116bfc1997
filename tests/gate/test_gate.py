"""The gate for arguments: wrong kinds are refused in one sentence, right calls are untouched, ranks agree."""

from __future__ import annotations

import inspect
import os
import pickle
import timeit
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import emfem as em
from emfem.errors import ParameterError
from emfem.gate import checked, collective

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

CASE = Path(__file__).with_name("gate_case.py")


class Hostile:
    """An object whose methods raise."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError

    def __getitem__(self, _: int) -> int:
        raise RuntimeError

    def __float__(self) -> float:
        raise RuntimeError

    def __fspath__(self) -> str:
        raise RuntimeError


@checked
def takes(
    *rest: float,
    number: float = 0.0,
    whole: int = 0,
    yes: bool = False,
    text: str = "",
    word: Literal["a", "b"] = "a",
    maybe: float | None = None,
    path: os.PathLike[str] | str | None = None,
    words: Sequence[str] = (),
    numbers: ArrayLike = 0.0,
    lists: Sequence[Sequence[float]] = (),
    pair: tuple[float, float] = (0.0, 1.0),
    several: tuple[str, ...] = (),
    array: NDArray[np.float64] | None = None,
    mapping: Mapping[str, float] | None = None,
    function: Callable[[float], float] | None = None,
    of_time: float | Callable[[float], float] = 0.0,
    domain: em.mesh.Domain | None = None,
    models: em.Model | Sequence[em.Model] = (),
    field: fem.Function | None = None,
    many: Iterable[str] = (),
    anything: Any = None,
    expression: ufl.core.expr.Expr | None = None,
    measure: ufl.Measure | None = None,
    table: pd.DataFrame | None = None,
    **others: float,
) -> dict[str, Any]:
    """Return the arguments."""
    return dict(locals())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"number": "1"}, "number = '1', must be a number"),
    ({"number": b"1"}, "number = b'1', must be a number"),
    ({"number": True}, "number = True, must be a number"),
    ({"number": np.True_}, "number = np.True_, must be a number"),
    ({"number": None}, "number = None, must be a number"),
    ({"number": 1j}, "number = 1j, must be a number"),
    ({"number": np.complex128(1)}, "number = np.complex128(1+0j), must be a number"),
    ({"number": np.array("1")}, "number = array('1', dtype='<U1'), must be a number"),
    ({"number": [1.0]}, "number = [1.0], must be a number"),
    ({"number": 10**400}, f"number = 1{'0' * 149} ... {'0' * 150}, must be finite"),
    ({"number": 10**5000}, "number = <int>, must be finite"),
    ({"number": Hostile()}, "number = <Hostile>, must be a number"),
    ({"whole": "a"}, "whole = 'a', must be a whole number"),
    ({"whole": 1.5}, "whole = 1.5, must be a whole number"),
    ({"whole": float("nan")}, "whole = nan, must be a whole number"),
    ({"whole": True}, "whole = True, must be a whole number"),
    ({"whole": 10**400}, f"whole = 1{'0' * 149} ... {'0' * 150}, must be finite"),
    ({"yes": 1}, "yes = 1, must be True or False"),
    ({"yes": None}, "yes = None, must be True or False"),
    ({"text": 3}, "text = 3, must be a text"),
    ({"text": None}, "text = None, must be a text"),
    ({"word": "c"}, "word = 'c', must be 'a' or 'b'"),
    ({"word": np.zeros(2)}, "word = array([0., 0.]), must be 'a' or 'b'"),
    ({"maybe": "1"}, "maybe = '1', must be a number"),
    ({"path": 3}, "path = 3, must be the path of a file"),
    ({"path": b"a"}, "path = b'a', must be the path of a file"),
    ({"path": "a\0b"}, r"path = 'a\x00b', must be the path of a file"),
    ({"path": "\ud800"}, r"path = '\ud800', must be the path of a file"),
    ({"path": Hostile()}, "path = <Hostile>, must be the path of a file"),
    ({"words": "one"}, "words = 'one', must be a list of words"),
    ({"words": ["a", 3]}, "words[1] = 3, must be a text"),
    ({"words": 3}, "words = 3, must be a list of words"),
    ({"words": {"a": 1}}, "words = {'a': 1}, must be a list of words"),
    ({"words": Hostile()}, "words = <Hostile>, must be a list of words"),
    ({"numbers": "1.5"}, "numbers = '1.5', must be numbers"),
    ({"numbers": [[1.0], [1.0, 2.0]]}, "numbers = [[1.0], [1.0, 2.0]], must be numbers"),
    ({"numbers": [1.0, None]}, "numbers = [1.0, None], must be numbers"),
    ({"numbers": [1, 10**400][1:]}, f"numbers = [1{'0' * 148} ... {'0' * 149}], must be numbers"),
    ({"numbers": np.array([1j])}, "numbers = array([0.+1.j]), must be numbers"),
    ({"lists": [(1.0,), (2.0, "a")]}, "lists[1][1] = 'a', must be a number"),
    ({"pair": (1.0,)}, "pair = (1.0,), must be two numbers"),
    ({"pair": 3.0}, "pair = 3.0, must be two numbers"),
    ({"pair": (1.0, "a")}, "pair[1] = 'a', must be a number"),
    ({"several": (1,)}, "several[0] = 1, must be a text"),
    ({"array": [1.0]}, "array = [1.0], must be an array of numbers"),
    ({"array": np.array(["a"])}, "array = array(['a'], dtype='<U1'), must be an array of numbers"),
    ({"mapping": [1]}, "mapping = [1], must be a mapping of words to numbers"),
    ({"mapping": {"a": "b"}}, "mapping['a'] = 'b', must be a number"),
    ({"mapping": {3: 1.0}}, "key of mapping = 3, must be a text"),
    ({"function": 3}, "function = 3, must be a function"),
    ({"of_time": "3"}, "of_time = '3', must be a number or a function"),
    ({"domain": "a"}, "domain = 'a', must be one of em.mesh"),
    ({"models": 3}, "models = 3, must be a model of emfem or a list of models"),
    ({"models": [3]}, "models[0] = 3, must be a model of emfem"),
    ({"field": np.zeros(3)}, 'field = array([0., 0., 0.]), must be a Function, such as film["c"]'),
    ({"expression": 3}, "expression = 3, must be a Function or a UFL expression"),
    ({"measure": 3}, "measure = 3, must be a measure, such as domain.dx()"),
    ({"many": "word"}, "many = 'word', must be a list of words"),
    ({"many": 3}, "many = 3, must be a list of words"),
    ({"other": "a"}, "other = 'a', must be a number"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_a_wrong_kind_is_refused_in_one_sentence(arguments: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        takes(**arguments)
    assert str(caught.value) == message


def test_arguments_by_place_are_checked():
    with pytest.raises(ParameterError, match=r"^rest\[1\] = 'a', must be a number$"):
        takes(1.0, "a")  # type: ignore[arg-type]


@pytest.mark.parametrize("large", [np.zeros(10000), list(range(10000)), "a" * 10000, {i: i for i in range(10000)}])
def test_a_large_value_makes_no_long_message(large: Any):
    with pytest.raises(ParameterError) as caught:
        takes(number=large)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_right_call_is_untouched(plate: em.mesh.Domain, film: Callable[..., em.Model]):
    model = film()
    right: dict[str, Any] = {
        "number": np.float32(1),
        "whole": 3.0,
        "yes": np.True_,
        "text": "a\0b",
        "word": "b",
        "maybe": np.array(2.0),
        "path": Path("a"),
        "words": np.array(["a"]),
        "numbers": [[1, 2], [3, True]],
        "lists": np.zeros((2, 2)),
        "pair": np.zeros(2),
        "several": ["a"],
        "array": np.zeros(2, dtype=np.int32),
        "mapping": {"a": 1},
        "function": np.sin,
        "of_time": em.waveforms.constant(1.0),
        "domain": plate,
        "models": [model],
        "field": model["c"],
        "many": iter(["a"]),
        "anything": Hostile(),
        "expression": ufl.grad(model["c"]),
        "measure": plate.dx(),
        "table": "not checked",
    }
    found = takes(1, 2.0, **right, other=float("nan"))
    assert found["rest"] == (1, 2.0)
    for name, value in right.items():
        assert found[name] is value, name


def test_a_constant_of_the_mesh_is_a_number(plate: em.mesh.Domain):
    constant = fem.Constant(plate.mesh, 2.0)
    assert takes(number=constant, numbers=[constant])["number"] is constant


def plain(a: float, b: int = 1, *, c: str = "x") -> float:
    """Return a."""
    return a


gated = checked(plain)


def test_name_document_and_signature_stay():
    assert inspect.signature(gated) == inspect.signature(plain)
    assert (gated.__name__, gated.__doc__, gated.__module__) == (plain.__name__, plain.__doc__, __name__)
    assert inspect.isfunction(gated)
    assert pickle.loads(pickle.dumps(em.dimensions.printed)) is em.dimensions.printed


def test_a_text_with_a_unit_is_told_how_units_are_written():
    with pytest.raises(
        em.ParameterError, match=r"^length = '2 um', must be a number, and units are factors, such as 2"
    ):
        em.mesh.interval("2 um", cells=2)  # type: ignore[arg-type]
    with pytest.raises(em.ParameterError, match=r"^length = 'long', must be a number$"):
        em.mesh.interval("long", cells=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [{}, {"a": 1.0, "d": 2}])
def test_missing_and_unknown_arguments_are_errors_of_python(arguments: dict[str, Any]):
    with pytest.raises(TypeError, match=r"^plain\(\) ") as caught:
        gated(**arguments)
    (note,) = caught.value.__notes__  # what it takes
    assert note.startswith("It takes a")


def test_the_check_costs_microseconds():
    times = [min(timeit.repeat(lambda f=f: f(1.0, 2, c="y"), number=2000, repeat=5)) / 2000 for f in (plain, gated)]  # type: ignore[misc]
    assert times[1] - times[0] < 50e-6  # 2e-6 on a machine that is not busy


@checked
@dataclass(frozen=True)
class Value:
    """A frozen dataclass."""

    x: float
    names: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    shared: ClassVar[int] = 3


class Maker:
    """A class with a method."""

    @checked
    def __init__(self, size: float) -> None:
        self.size = size

    @checked
    def grown(self, by: float) -> float:
        """Return the size after growth."""
        return self.size + by


def test_a_dataclass_is_checked():
    value = Value(1, ("a",))
    assert value == Value(1.0, names=("a",))
    assert isinstance(value, Value)
    assert pickle.loads(pickle.dumps(value)) == value
    assert list(inspect.signature(Value).parameters) == ["x", "names", "table"]
    with pytest.raises(ParameterError, match=r"^x = 'a', must be a number$"):
        replace(value, x="a")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"^names = 'a', must be a list of words$"):
        Value(1.0, "a")  # type: ignore[arg-type]


def test_a_method_is_checked():
    assert Maker(1.0).grown(2.0) == 3.0
    with pytest.raises(ParameterError, match=r"^by = 'a', must be a number$"):
        Maker(1.0).grown("a")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"^size = 'a', must be a number$"):
        Maker("a")  # type: ignore[arg-type]


PUBLIC = [
    (module, name, thing)
    for module in (em.model, em.fields, em.spaces, em.dimensions)
    for name in module.__all__
    if callable(thing := getattr(module, name)) and inspect.signature(thing).parameters
]
UNCHECKED = {  # they check in words of their own, or are made by emfem alone
    *("MaterialLaws", "Placeholder", "Symbol", "fixed", "flux", "of_time"),
}


@pytest.mark.parametrize(("module", "name", "thing"), PUBLIC, ids=[name for _, name, _ in PUBLIC])
def test_public_functions_of_the_lower_layers_are_checked(module: Any, name: str, thing: Any):
    function = vars(thing).get("__init__") if isinstance(thing, type) else thing
    assert hasattr(function, "__wrapped__") or name in UNCHECKED


def test_an_error_in_a_collective_block_is_raised_as_it_is():
    with collective(MPI.COMM_WORLD) as same:
        same["a"] = 1
    with pytest.raises(ZeroDivisionError), collective(MPI.COMM_WORLD):
        _ = 1 // 0


# ---- ranks


@pytest.fixture(scope="module")
def on_two_ranks(run_json_on_ranks: Callable[..., Any]) -> Any:
    return run_json_on_ranks(2, CASE, timeout=300)  # many cases with one start


SAME = "must be the same on all ranks"
EXPECTED = {
    "same": ("1.0", "1.0"),
    "equal": ("1", "1.0"),
    "number": (f"ParameterError: a = 0.3 on rank 0 and 0.4 on rank 1, {SAME}",) * 2,
    "words": (f"ParameterError: words = ('a',) on rank 0 and ('b',) on rank 1, {SAME}",) * 2,
    "array": (f"ParameterError: b = array([0, 1]) on rank 0 and array([1, 2]) on rank 1, {SAME}",) * 2,
    "nested": (f"ParameterError: b = {{'x': [0]}} on rank 0 and {{'x': [1]}} on rank 1, {SAME}",) * 2,
    "left out": (f"ParameterError: b = 1 on rank 0 and None on rank 1, {SAME}",) * 2,
    "value": (f"ParameterError: b = Value(x=0) on rank 0 and Value(x=1) on rank 1, {SAME}",) * 2,
    "functions": ("0.0", "0.0"),
    "local": ("0.0", "0.0"),
    "kind on all": ("ParameterError: a = 'a', must be a number",) * 2,
    "kind on one": ("ParameterError: a = 'a', must be a number (on rank 1)",) * 2,
    "kind on one, equal texts": ("ParameterError: a = 'a', must be a number (on rank 0)",) * 2,
    "callee": (f"ParameterError: call = __main__.first on rank 0 and __main__.second on rank 1, {SAME}",) * 2,
    "block": ("None", "None"),
    "block differs": (f"ParameterError: v = 0 on rank 0 and 1 on rank 1, {SAME}",) * 2,
    "block fails": (
        "ZeroDivisionError: integer division or modulo by zero",
        "ParameterError: ZeroDivisionError: integer division or modulo by zero (on rank 0)",
    ),
    "block interrupted": ("ParameterError: KeyboardInterrupt:  (on rank 1)", "KeyboardInterrupt: "),
    "function of time fails": (
        "ParameterError: ZeroDivisionError: float division by zero (on rank 1)",
        "ZeroDivisionError: float division by zero",
    ),
    "function of time differs": (
        f"ParameterError: field at t = 3 = array([0., 0.]) on rank 0 and array([1., 0.]) on rank 1, {SAME}",
    )
    * 2,
    "function of time is nan": (
        "ParameterError: field = [nan, 0.0] at t = 3, must be finite (on rank 1)",
        "ParameterError: field = [nan, 0.0] at t = 3, must be finite",
    ),
    "function of x fails": (
        "ParameterError: ZeroDivisionError: float division by zero (on rank 1)",
        "ZeroDivisionError: float division by zero",
    ),
}

EXPECTED |= {  # of public doors
    "mean": (f"ParameterError: mean = 0.3 on rank 0 and 0.4 on rank 1, {SAME}",) * 2,
    "size": (f"ParameterError: size = (4.0, 3.0) on rank 0 and (5.0, 3.0) on rank 1, {SAME}",) * 2,
    "cells of another kind": ("ParameterError: cells = '43', must be a list of whole numbers (on rank 1)",) * 2,
    "until": (f"ParameterError: until = 1.0 on rank 0 and 2.0 on rank 1, {SAME}",) * 2,
    "rtol": ("ParameterError: rtol = 'a', must be a number (on rank 1)",) * 2,
    "times of observers": (f"ParameterError: times of watch = [0.1] on rank 0 and [0.2] on rank 1, {SAME}",) * 2,
    "reason of one rank": (f"ParameterError: reason to stop = None on rank 0 and 'ends' on rank 1, {SAME}",) * 2,
    "folder of checkpoints": (
        f"ParameterError: folder = PosixPath('a') on rank 0 and PosixPath('b') on rank 1, {SAME}",
    )
    * 2,
    "resume": (f"ParameterError: resume = False on rank 0 and True on rank 1, {SAME}",) * 2,
    "technology": ("ParameterError: path = 3, must be the path of a file (on rank 1)",) * 2,
    "material": (f"ParameterError: path = 'a.toml' on rank 0 and 'b.toml' on rank 1, {SAME}",) * 2,
    "case": ("ParameterError: path = 3, must be the path of a file (on rank 1)",) * 2,
    "study": ("ParameterError: path = 3, must be the path of a file (on rank 1)",) * 2,
    "fit of a file": ("ParameterError: path = 3, must be the path of a file (on rank 0)",) * 2,
    "curves": ("ParameterError: path = 3, must be the path of a file (on rank 1)",) * 2,
    "waveform": (f"ParameterError: time = 1.0 on rank 0 and 2.0 on rank 1, {SAME}",) * 2,
    "table": ("ParameterError: path = 3, must be the path of a file (on rank 1)",) * 2,
    "tables": (f"ParameterError: path = PosixPath('a.csv') on rank 0 and PosixPath('b.csv') on rank 1, {SAME}",) * 2,
    "text": ("ParameterError: path = 3, must be the path of a file (on rank 0)",) * 2,
    "starts": (f"ParameterError: starts = 1 on rank 0 and 2 on rank 1, {SAME}",) * 2,
    "folder of a fit": (f"ParameterError: folder = 'fit' on rank 0 and None on rank 1, {SAME}",) * 2,
    "model breaks": (
        "ParameterError: the model breaks wherever it was tried, 25 evaluations: ZeroDivisionError: division by zero",
    )
    * 2,
    "model differs": ("ParameterError: the model returns other values on other ranks, must return the same",) * 2,
    "distribution": (f"ParameterError: a = 0.977232534474364 on rank 0 and 1.977232534474364 on rank 1, {SAME}",) * 2,
    "samples": (f"ParameterError: samples = 4 on rank 0 and 8 on rank 1, {SAME}",) * 2,
}


@pytest.mark.parallel
@pytest.mark.parametrize("case", EXPECTED)
def test_ranks_agree(on_two_ranks: Any, case: str):
    assert tuple(on_two_ranks[case]) == EXPECTED[case]


@pytest.mark.parallel
def test_all_cases_are_looked_at(on_two_ranks: Any):
    assert set(on_two_ranks) == set(EXPECTED)


def test_a_keyword_with_a_slip_is_told_the_one_that_was_meant():
    with pytest.raises(TypeError, match="cels") as caught:
        em.mesh.interval(1.0, cels=2)  # type: ignore[call-arg]
    assert caught.value.__notes__ == ["Did you mean 'cells'? It takes length; by name cells, names, comm."]
