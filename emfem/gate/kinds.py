"""Kinds of values, as annotations name them: the test that a value has to pass, and the words for messages."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import is_real, real, real_array, shown

import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import ArrayLike

EXACT = 2**53  # whole numbers below are floats, too
ARRAY_LIKE = frozenset(typing.get_args(ArrayLike) or (ArrayLike,))  # older NumPy writes it as a union
NUMBERS_OF = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}  # kinds of NumPy types that will do for another
CONTENT = {"f": " of numbers", "i": " of whole numbers", "u": " of whole numbers", "b": " of True and False"}
UNITS = re.compile(r"\s*[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*[A-Za-zµ].*")  # a text such as "2 um"
QUICK = {"a number": "iuf", "a whole number": "iu"}  # kinds of arrays whose entries are all of a kind
CLASSES = {  # words for one and for many instances, where the name of the class is not enough
    "Domain": ("one of em.mesh", "domains"),
    "Fixed": ("em.fixed(...)", "conditions"),
    "Flux": ("em.flux(...)", "conditions"),
    "Function": ('a Function, such as film["c"]', "Functions"),
    "Expr": ("a Function or a UFL expression", "UFL expressions"),
    "Form": ("a UFL form", "UFL forms"),
    "FunctionSpace": ("a function space of DOLFINx", "function spaces"),
    "Intracomm": ("an MPI communicator", "communicators"),
    "Material": ("a metal of em.materials", "metals"),
    "Measure": ("a measure, such as domain.dx()", "measures"),
    "Mesh": ("a mesh of DOLFINx", "meshes"),
    "Model": ("a model of emfem", "models"),
    "Observer": ("an observer, such as em.watch.series(...)", "observers"),
    "Path": ("a path", "paths"),
}


class Unchecked:
    """Stands for a name that exists for type checkers only, in any annotation."""

    def __getattr__(self, name: str) -> Any:
        """Return itself for an attribute of a module that is not imported."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> Any:
        """Return itself for any arguments of a generic class."""
        return self

    def __call__(self) -> None:
        """Do nothing; `typing` refuses annotations that cannot be called."""

    def __or__(self, _: Any) -> Any:
        """Return what is not checked."""
        return Any

    __ror__ = __or__


@dataclass(frozen=True)
class Kind:
    """Kind of a value.

    Attributes:
        words: for messages: "a number".
        many: the same in the plural.
        fits: returns True for a value of this kind.
        outer: returns True for a collection whose entries may be of a wrong kind.
        entry: returns name, value and kind of the first entry of a wrong kind.
    """

    words: str
    many: str
    fits: Callable[[Any], bool]
    outer: Callable[[Any], bool] = lambda _: False
    entry: Callable[[str, Any], tuple[str, Any, Kind]] | None = None

    def fault(self, name: str, value: Any) -> str:
        """Return the sentence on a value that does not fit."""
        if self.entry is not None and self.outer(value):
            part, item, kind = self.entry(name, value)
            return kind.fault(part, item)
        beyond = isinstance(value, int) and self.fits(1) and math.isinf(real(value) or 0.0)
        text = self in (NUMBER, NUMBERS) and isinstance(value, str) and UNITS.fullmatch(value) is not None
        hint = ", and units are factors, such as 2 * um with `from emfem.units import um`" if text else ""
        return f"{name} = {shown(value)}, must be {'finite' if beyond else self.words}{hint}"


def passes(test: Callable[[Any], bool], value: Any) -> bool:
    """Return the result of a test; False if methods of the value raise."""
    try:
        return test(value)
    except Exception:  # whatever an object of the user raises
        return False


def _is_number(value: Any) -> bool:
    return type(value) is float or is_real(value)


def _is_whole(value: Any) -> bool:
    if type(value) is int and -EXACT < value < EXACT:
        return True
    result = real(value)
    return result is not None and result.is_integer()


def _is_text(value: Any) -> bool:
    """Return True for a text that UTF-8 can hold: no lone surrogates, which C++ libraries refuse."""
    return isinstance(value, str) and (value.isascii() or value == value.encode("utf-8", "ignore").decode())


def _is_path(value: Any) -> bool:
    try:
        text = os.fspath(value)
        return isinstance(text, str) and "\0" not in text and bool(os.fsencode(text))
    except Exception:  # no path at all, or a text that no file system can hold
        return False


def _is_listed(value: Any) -> bool:
    """Return True for a list, a tuple, an array, and what else has a length and an order."""
    if isinstance(value, list | tuple):
        return True
    if isinstance(value, str | bytes | bytearray | Mapping):
        return False
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) or all(hasattr(value, name) for name in ("__len__", "__getitem__", "__iter__"))


def _are_numbers(value: Any) -> bool:
    return (type(value) is np.ndarray and value.dtype.kind in "biuf") or real_array(value) is not None


NUMBER = Kind("a number", "numbers", _is_number)
WHOLE = Kind("a whole number", "whole numbers", _is_whole)
NUMBERS = Kind("numbers", "numbers", _are_numbers)
SIMPLE: Mapping[Any, Kind] = {
    float: NUMBER,
    int: WHOLE,
    bool: Kind("True or False", "booleans", lambda value: isinstance(value, bool | np.bool_)),
    str: Kind("a text", "words", _is_text),
    bytes: Kind("bytes", "bytes", lambda value: isinstance(value, bytes)),
    None: Kind("None", "None", lambda value: value is None),
    type(None): Kind("None", "None", lambda value: value is None),
    os.PathLike: Kind("the path of a file", "paths of files", _is_path),
    Callable: Kind("a function", "functions", callable),
    ArrayLike: NUMBERS,
    MPI.Comm: Kind(
        "an MPI communicator",
        "communicators",
        lambda value: isinstance(value, MPI.Comm) and value != MPI.COMM_NULL,
    ),
}


def kind_of(hint: Any) -> Kind | None:
    """Return the kind that an annotation names; None for one that is not checked."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, Unchecked):
        return None
    if isinstance(hint, Hashable) and hint in SIMPLE:
        return SIMPLE[hint]
    if isinstance(hint, typing.TypeAliasType):
        return kind_of(hint.__value__)
    if isinstance(origin, typing.TypeAliasType):
        return kind_of(origin.__value__[args])
    if origin in (types.UnionType, typing.Union):
        return _union(args)
    if origin is typing.Literal:
        return _one_of(args)
    if origin is np.ndarray or hint is np.ndarray:
        return _array(args)
    made = origin or hint
    if made is os.PathLike or made is Callable:
        return SIMPLE[made]
    if made is tuple and args and args[-1] is not Ellipsis:
        return _row(args)
    if made in (Sequence, list, tuple) or made is Iterable:
        return _listed(kind_of(args[0]) if args else None, iterable=made is Iterable)
    if made in (Mapping, dict):
        return _mapping(*(map(kind_of, args) if args else (None, None)))
    return _instance(made) if isinstance(made, type) else None


def _one_of(words: Sequence[Any]) -> Kind:
    """Return the kind of an annotation such as `Literal["a", "b"]`."""
    return Kind(
        joined(map(repr, words)),
        "words",
        lambda value: any(type(value) is type(word) and value == word for word in words),
    )


def joined(words: Iterable[str]) -> str:
    """Return "a, b or c"; the same words only once."""
    *others, last = dict.fromkeys(words)
    return f"{', '.join(others)} or {last}" if others else last


def _union(args: Sequence[Any]) -> Kind | None:
    """Return the kind that is one of several; None has no words: an argument that is left out is None."""
    hints = [arg for arg in args if arg is not type(None)]
    optional = len(hints) < len(args)
    if set(hints) >= ARRAY_LIKE:
        hints = [ArrayLike, *(hint for hint in hints if hint not in ARRAY_LIKE)]
    if any(os.PathLike in (hint, typing.get_origin(hint)) for hint in hints):
        hints = [hint for hint in hints if hint is not str]  # a path may be a text
    kinds = [kind for hint in hints if (kind := kind_of(hint)) is not None]
    if len(kinds) < len(hints):
        return None
    tests = tuple(kind.fits for kind in kinds)
    first = tests[0]

    def fits(value: Any) -> bool:
        if value is None:
            return optional
        return first(value) or any(test(value) for test in tests[1:])

    nested = [kind for kind in kinds if kind.entry is not None]

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        chosen = next(kind for kind in nested if kind.outer(value))
        assert chosen.entry is not None
        return chosen.entry(name, value)

    words, many = joined(kind.words for kind in kinds), joined(kind.many for kind in kinds)
    return Kind(words, many, fits, lambda value: any(kind.outer(value) for kind in nested), entry if nested else None)


def _array(args: Sequence[Any]) -> Kind:
    """Return the kind of an annotation such as `NDArray[np.float64]`."""
    scalar = next(iter(typing.get_args(args[1])), None) if len(args) == 2 else None
    letter = np.dtype(scalar).kind if isinstance(scalar, type) and issubclass(scalar, np.generic) else ""
    allowed = NUMBERS_OF.get(letter)

    def fits(value: Any) -> bool:
        return isinstance(value, np.ndarray) and (allowed is None or value.dtype.kind in allowed)

    return Kind(f"an array{CONTENT.get(letter, '')}", "arrays", fits)


def _listed(inner: Kind | None, *, iterable: bool = False) -> Kind:
    """Return the kind of a list, of any length, of one kind of entries."""

    def is_listed(value: Any) -> bool:
        return _is_listed(value) or (iterable and isinstance(value, Iterable) and not isinstance(value, str | bytes))

    def fits(value: Any) -> bool:
        if not is_listed(value):
            return False
        if inner is None or (iterable and not hasattr(value, "__len__")):
            return True
        if isinstance(value, range):  # its entries are of one kind, and may be very many
            value = value[:1]
        if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in QUICK.get(inner.words, ""):
            return True
        return all(map(inner.fits, value))

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        assert inner is not None
        return next((f"{name}[{i}]", item, inner) for i, item in enumerate(value) if not passes(inner.fits, item))

    many = inner.many if inner else "values"
    return Kind(f"a list of {many}", f"lists of {many}", fits, is_listed, entry if inner else None)


def _row(args: Sequence[Any]) -> Kind:
    """Return the kind of a list of as many entries as `tuple[X, Y]` has."""
    kinds = [kind_of(arg) for arg in args]
    words = kinds[0].many if kinds[0] and len({kind.many for kind in kinds if kind}) == 1 else "values"

    def outer(value: Any) -> bool:
        return _is_listed(value) and len(value) == len(kinds)

    def wrong(value: Any) -> Iterator[tuple[int, Any, Kind]]:
        pairs = enumerate(zip(value, kinds, strict=False))
        return ((i, item, kind) for i, (item, kind) in pairs if kind is not None and not passes(kind.fits, item))

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        i, item, kind = next(wrong(value))
        return f"{name}[{i}]", item, kind

    number = {2: "two", 3: "three"}.get(len(kinds), str(len(kinds)))
    fits: Callable[[Any], bool] = lambda value: outer(value) and next(wrong(value), None) is None  # noqa: E731
    return Kind(f"{number} {words}", "rows of values", fits, outer, entry)


def _mapping(key: Kind | None, item: Kind | None) -> Kind:
    """Return the kind of a mapping."""

    def is_mapping(value: Any) -> bool:
        return isinstance(value, Mapping)

    def wrong(name: str, value: Any) -> Iterator[tuple[str, Any, Kind]]:
        for k, v in value.items():
            if key is not None and not passes(key.fits, k):
                yield f"key of {name}", k, key
            if item is not None and not passes(item.fits, v):
                yield f"{name}[{shown(k)}]", v, item

    return Kind(
        f"a mapping{f' of {key.many} to {item.many}' if key and item else ''}",
        "mappings",
        lambda value: isinstance(value, Mapping) and next(wrong("", value), None) is None,
        is_mapping,
        lambda name, value: next(wrong(name, value)),
    )


def _instance(made: type) -> Kind | None:
    """Return the kind of the instances of a class; None for what cannot be tested."""
    if made is object or getattr(made, "_is_protocol", False):
        return None
    name = made.__name__
    maker = getattr(made, "maker", None)
    if isinstance(maker, str):  # as of conditions on boundaries
        return Kind(f"{maker}(...)", f"{name} objects", lambda value: isinstance(value, made))
    if made is ufl.Measure:  # or a measure with a weight
        return Kind(*CLASSES[name], lambda value: isinstance(getattr(value, "measure", value), ufl.Measure))
    words, many = CLASSES.get(name, (f"{'an' if name[0] in 'AEIOU' else 'a'} {name}", f"{name} objects"))
    return Kind(words, many, lambda value: isinstance(value, made))


def hints_of(thing: Any) -> dict[str, Any]:
    """Return the annotations of a function or dataclass; names that exist for type checkers only are not checked."""
    missing: dict[str, Any] = {}
    while True:
        try:
            return typing.get_type_hints(thing, localns=missing)
        except NameError as error:
            if error.name in missing:
                return {}
            missing[str(error.name)] = Unchecked()
        except Exception:  # an annotation that does not evaluate is not checked
            return {}


def parameter_annotations(thing: Any, function: Any) -> dict[str, Any]:
    """Return annotations by parameter, those of a dataclass from its fields: its `__init__` knows one module only."""
    if thing is function or not dataclasses.is_dataclass(thing):
        return hints_of(function)
    return {k: v.type if isinstance(v, dataclasses.InitVar) else v for k, v in hints_of(thing).items()}
