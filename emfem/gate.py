"""One gate for arguments: annotations of public functions and classes are checked when they are called.

`@checked` refuses an argument of a wrong kind, `@checked(collective=True)` also one that differs between ranks, and
`collective(comm)` turns an error on one rank into an error on all. A value is never converted, and a right call never
changed: bounds, shapes and finiteness are checked by the function.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from hashlib import blake2b
from typing import Any, overload

from emfem.errors import ParameterError, real, shown
from emfem.public import dir_of

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike

__all__ = ["checked", "collective"]
__dir__ = dir_of(__all__)

EXACT = 2**53  # whole numbers below are floats, too
SMALL = 1000  # entries of an array that is compared between ranks
DEEP = 8  # levels of collections that are compared
ARRAY_LIKE = frozenset(typing.get_args(ArrayLike) or (ArrayLike,))  # older NumPy writes it as a union
CLASSES = {  # a class is described by these words, or by its name
    "Comm": "an MPI communicator",
    "Domain": "one of em.mesh",
    "Function": 'a Function, such as film["c"]',
    "FunctionSpace": "a function space of DOLFINx",
    "Intracomm": "an MPI communicator",
    "Mesh": "a mesh of DOLFINx",
    "Model": "a model of emfem",
    "Material": "one of em.materials",
    "Path": "a path",
}


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
        beyond = self is NUMBER and isinstance(value, int) and not isinstance(value, bool)
        return f"{name} = {shown(value)}, must be {'finite' if beyond else self.words}"


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return True
    result = real(value)
    return result is not None and not (isinstance(value, int) and math.isinf(result))


def _is_whole(value: Any) -> bool:
    if type(value) is int and -EXACT < value < EXACT:
        return True
    result = real(value)
    return result is not None and result.is_integer()


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
    try:
        array = np.asarray(value)
        if array.dtype.kind != "O":
            return array.dtype.kind in "biuf"
        return all(real(item) is not None for item in array.flat)
    except Exception:  # rows of different lengths, or an object that refuses
        return False


NUMBER = Kind("a number", "numbers", _is_number)
WHOLE = Kind("a whole number", "whole numbers", _is_whole)
NUMBERS = Kind("numbers", "numbers", _are_numbers)
SIMPLE: dict[Any, Kind] = {
    float: NUMBER,
    int: WHOLE,
    bool: Kind("True or False", "booleans", lambda value: isinstance(value, bool | np.bool_)),
    str: Kind("a text", "words", lambda value: isinstance(value, str)),
    bytes: Kind("bytes", "bytes", lambda value: isinstance(value, bytes)),
    None: Kind("None", "None", lambda value: value is None),
    type(None): Kind("None", "None", lambda value: value is None),
    os.PathLike: Kind("the path of a file", "paths of files", _is_path),
    Callable: Kind("a function", "functions", callable),
    ArrayLike: NUMBERS,
}


def _kind_of(hint: Any) -> Kind | None:
    """Return the kind that an annotation names; None for one that is not checked."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, _Unchecked):
        return None
    if isinstance(hint, Hashable) and hint in SIMPLE:
        return SIMPLE[hint]
    if isinstance(hint, typing.TypeAliasType):
        return _kind_of(hint.__value__)
    if isinstance(origin, typing.TypeAliasType):
        return _kind_of(origin.__value__[args])
    if origin in (types.UnionType, typing.Union):
        return _union(args)
    if origin is typing.Literal:
        return Kind(_joined([repr(arg) for arg in args]), "words", lambda value: _is_one_of(value, args))
    if origin is np.ndarray or hint is np.ndarray:
        return _array(args)
    made = origin or hint
    if made is os.PathLike or made is Callable:
        return SIMPLE[made]
    if made is tuple and args and args[-1] is not Ellipsis:
        return _row(args)
    if made in (Sequence, list, tuple) or made is Iterable:
        return _listed(_kind_of(args[0]) if args else None, iterable=made is Iterable)
    if made in (Mapping, dict):
        return _mapping(*(map(_kind_of, args) if args else (None, None)))
    return _instance(made) if isinstance(made, type) else None


def _is_one_of(value: Any, known: Sequence[Any]) -> bool:
    return any(type(value) is type(word) and value == word for word in known)


def _joined(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _union(args: Sequence[Any]) -> Kind | None:
    """Return the kind that is one of several; None is no word of its own: it is what a left out argument is."""
    hints = [arg for arg in args if arg is not type(None)]
    if set(hints) >= ARRAY_LIKE:
        hints = [hint for hint in hints if hint not in ARRAY_LIKE]
        kinds: list[Kind | None] = [NUMBERS]
    else:
        kinds = []
    paths = any(typing.get_origin(hint) is os.PathLike or hint is os.PathLike for hint in hints)
    kinds += [_kind_of(hint) for hint in hints if not (paths and hint is str)]
    if any(kind is None for kind in kinds):
        return None
    known = [kind for kind in kinds if kind is not None]
    optional = len(hints) < len(args) and type(None) in args
    tests = [kind.fits for kind in known]
    if optional and len(tests) == 1:
        (test,) = tests
        fits: Callable[[Any], bool] = lambda value: value is None or test(value)  # noqa: E731
    else:
        fits = lambda value: (optional and value is None) or any(test(value) for test in tests)  # noqa: E731
    if len(known) == 1:
        (kind,) = known
        return Kind(kind.words, kind.many, fits, kind.outer, kind.entry) if kind.entry else _named(kind, fits)

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        chosen = next(kind for kind in known if kind.outer(value))
        assert chosen.entry is not None
        return chosen.entry(name, value)

    nested = [kind for kind in known if kind.entry is not None]
    return Kind(
        _joined([kind.words for kind in known]),
        _joined([kind.many for kind in known]),
        fits,
        lambda value: any(kind.outer(value) for kind in nested),
        entry if nested else None,
    )


def _named(kind: Kind, fits: Callable[[Any], bool]) -> Kind:
    return Kind(kind.words, kind.many, fits)


def _array(args: Sequence[Any]) -> Kind:
    """Return the kind of an annotation such as `NDArray[np.float64]`."""
    scalar = next(iter(typing.get_args(args[1])), None) if len(args) == 2 else None
    letter = np.dtype(scalar).kind if isinstance(scalar, type) and issubclass(scalar, np.generic) else "O"
    allowed = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}.get(letter)
    content = {"f": " of numbers", "i": " of whole numbers", "u": " of whole numbers", "b": " of True and False"}
    return Kind(
        f"an array{content.get(letter, '')}",
        "arrays",
        lambda value: isinstance(value, np.ndarray) and (allowed is None or value.dtype.kind in allowed),
    )


def _listed(inner: Kind | None, *, iterable: bool = False) -> Kind:
    """Return the kind of a list, of any length, of one kind of entries."""

    def is_listed(value: Any) -> bool:
        return _is_listed(value) or (iterable and isinstance(value, Iterable) and not isinstance(value, str | bytes))

    def fits(value: Any) -> bool:
        if not is_listed(value):
            return False
        if inner is None or (iterable and not hasattr(value, "__len__")):
            return True
        if isinstance(value, np.ndarray) and inner is NUMBER and value.ndim == 1 and value.dtype.kind in "iuf":
            return True
        return all(map(inner.fits, value))

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        assert inner is not None
        return next((f"{name}[{i}]", item, inner) for i, item in enumerate(value) if not inner.fits(item))

    many = inner.many if inner else "values"
    return Kind(f"a list of {many}", f"lists of {many}", fits, is_listed, entry if inner else None)


def _row(args: Sequence[Any]) -> Kind:
    """Return the kind of a list of as many entries as `tuple[X, Y]` has."""
    kinds = [_kind_of(arg) for arg in args]
    words = kinds[0].many if kinds[0] and len({kind.many for kind in kinds if kind}) == 1 else "values"

    def outer(value: Any) -> bool:
        return _is_listed(value) and len(value) == len(kinds)

    def wrong(value: Any) -> Iterator[tuple[int, Any, Kind]]:
        pairs = enumerate(zip(value, kinds, strict=False))
        return ((i, item, kind) for i, (item, kind) in pairs if kind is not None and not kind.fits(item))

    def entry(name: str, value: Any) -> tuple[str, Any, Kind]:
        i, item, kind = next(wrong(value))
        return f"{name}[{i}]", item, kind

    number = {2: "two", 3: "three"}.get(len(kinds), str(len(kinds)))
    described = f"{number} {words}" if args != ((),) else "an empty list"
    return Kind(
        described, "rows of values", lambda value: outer(value) and next(wrong(value), None) is None, outer, entry
    )


def _mapping(key: Kind | None, item: Kind | None) -> Kind:
    """Return the kind of a mapping."""

    def is_mapping(value: Any) -> bool:
        return isinstance(value, Mapping)

    def wrong(name: str, value: Any) -> Iterator[tuple[str, Any, Kind]]:
        for k, v in value.items():
            if key is not None and not key.fits(k):
                yield f"key of {name}", k, key
            if item is not None and not item.fits(v):
                yield f"{name}[{shown(k)}]", v, item

    return Kind(
        f"a mapping{f' of {key.many} to {item.many}' if key and item else ''}",
        "mappings",
        lambda value: isinstance(value, Mapping) and next(wrong("", value), None) is None,
        is_mapping,
        lambda name, value: next(wrong(name, value)),
    )


def _instance(made: type) -> Kind | None:
    """Return the kind of the instances of a class; None for UFL expressions and what cannot be tested."""
    module = made.__module__.partition(".")[0]
    if made is object or getattr(made, "_is_protocol", False):
        return None
    if module == "ufl" and made.__name__ not in ("Form", "Measure"):
        return None
    name = made.__name__
    article = "an" if name[0] in "AEIOU" else "a"
    words = CLASSES.get(name, f"{article} {name}")
    return Kind(words, f"{name} objects", lambda value: isinstance(value, made))


class _Unchecked:
    """Stands for a name that exists for type checkers only, in any annotation."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> Any:
        return self

    def __call__(self) -> None: ...  # typing wants something that can be called

    def __or__(self, _: Any) -> Any:
        return Any

    __ror__ = __or__


def _hints(thing: Any) -> dict[str, Any]:
    """Return the annotations of a function or dataclass; names that exist for type checkers only are not checked."""
    missing: dict[str, Any] = {}
    while True:
        try:
            return typing.get_type_hints(thing, localns=missing)
        except NameError as error:
            if error.name in missing:
                return {}
            missing[str(error.name)] = _Unchecked()
        except Exception:  # an annotation that does not evaluate is not checked
            return {}


def _annotated(thing: Any, function: Any) -> dict[str, Any]:
    """Return annotations by parameter, those of a dataclass from its fields: its `__init__` knows one module only."""
    if isinstance(thing, type) and is_dataclass(thing) and "__init__" in vars(thing):
        hints = _hints(thing)
        return {name: getattr(hint, "type", hint) for name, hint in hints.items()}
    return _hints(function)


class Signature:
    """Kinds of the arguments of a function, read from its annotations at the first call."""

    def __init__(self, thing: Any, function: Callable[..., Any]) -> None:
        """Read them."""
        hints = _annotated(thing, function)
        self.signature = inspect.signature(function)
        self.name = f"{function.__module__}.{function.__qualname__}"
        kinds = {name: _kind_of(hints[name]) if name in hints else None for name in self.signature.parameters}
        places: list[Kind | None] = []
        self.names: list[str] = []
        self.rest: tuple[str, Kind | None] = ("", None)
        self.others: Kind | None = None
        self.known: dict[str, Kind | None] = {}
        for name, parameter in self.signature.parameters.items():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                places.append(kinds[name])
                self.names.append(name)
            if parameter.kind is parameter.VAR_POSITIONAL:
                self.rest = name, kinds[name]
            elif parameter.kind is parameter.VAR_KEYWORD:
                self.others = kinds[name]
            elif parameter.kind is not parameter.POSITIONAL_ONLY:
                self.known[name] = kinds[name]
        self.places = places
        self.tests = [kind.fits if kind else _anything for kind in places]
        self.by_name = {name: kind.fits if kind else _anything for name, kind in self.known.items()}
        self.plain = not self.rest[1] and not self.others

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse arguments of a wrong kind.

        Raises:
            ParameterError: for the first of them.
        """
        try:
            fits = self.plain and self._fit(args, kwargs)
        except Exception:  # an unknown name, or an object whose methods raise: one by one
            fits = False
        if fits:
            return
        for i, (test, value) in enumerate(zip(self.tests, args, strict=False)):
            if not _passes(test, value):
                self._refuse(self.names[i], value, self.places[i])
        others = self.others.fits if self.others else _anything
        for name, value in kwargs.items():
            if not _passes(self.by_name.get(name, others), value):
                self._refuse(name, value, self.known.get(name, self.others))
        name, kind = self.rest
        if kind is not None:
            for i, value in enumerate(args[len(self.tests) :]):
                if not _passes(kind.fits, value):
                    self._refuse(f"{name}[{i}]", value, kind)

    def _fit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        for test, value in zip(self.tests, args, strict=False):
            if not test(value):
                return False
        by_name = self.by_name
        for name in kwargs:
            if not by_name[name](kwargs[name]):
                return False
        return True

    def _refuse(self, name: str, value: Any, kind: Kind | None) -> None:
        assert kind is not None
        try:
            msg = kind.fault(name, value)
        except Exception:  # an object that cannot even be read
            msg = f"{name} = {shown(value)}, must be {kind.words}"
        raise ParameterError(msg) from None

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return all arguments by name, those left out too; none for a call that does not fit the signature."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return {}
        bound.apply_defaults()
        return dict(bound.arguments)


def _anything(_: Any) -> bool:
    return True


def _passes(test: Callable[[Any], bool], value: Any) -> bool:
    try:
        return test(value)
    except Exception:  # of an object whose methods raise
        return False


@overload
def checked[T: Callable[..., Any]](thing: T, /) -> T: ...
@overload
def checked[T: Callable[..., Any]](*, collective: bool = False, local: Sequence[str] = ()) -> Callable[[T], T]: ...
def checked(thing: Any = None, /, *, collective: bool = False, local: Sequence[str] = ()) -> Any:
    """Check arguments by their annotations: of a function, a method, or the constructor of a class.

    Args:
        thing: the function or class.
        collective: all ranks of the communicator among its arguments (a communicator, or a domain, model, Function or
            mesh that has one) call it together. Numbers, words and small arrays must then be the same on all ranks, and
            an argument that is refused on one rank is refused on all of them.
        local: names of arguments that may differ between ranks, such as values at the nodes of each rank.

    Raises:
        ParameterError: at the call, for an argument of a wrong kind, or one that differs between ranks.
    """
    if thing is None:
        return lambda made: checked_by(made, collective=collective, local=tuple(local))
    return checked_by(thing, collective=collective, local=tuple(local))


def checked_by(thing: Any, *, collective: bool, local: tuple[str, ...]) -> Any:
    """Return the function with the checks around it, or the class with checks around its constructor."""
    if not isinstance(thing, type):
        return _wrapped(thing, thing, collective, local)
    setattr(thing, "__init__", _wrapped(thing, thing.__init__, collective, local))  # type: ignore[misc]  # noqa: B010
    return thing


def _wrapped(thing: Any, function: Any, collective: bool, local: tuple[str, ...]) -> Any:
    known: list[Signature] = []  # made at the first call: annotations may name what is imported later

    def signature() -> Signature:
        if not known:
            known.append(Signature(thing, function))
        return known[0]

    @functools.wraps(function)
    def alone(*args: Any, **kwargs: Any) -> Any:
        (known[0] if known else signature()).check(args, kwargs)
        return function(*args, **kwargs)

    @functools.wraps(function)
    def together(*args: Any, **kwargs: Any) -> Any:
        _check_together(signature(), args, kwargs, local)
        return function(*args, **kwargs)

    return together if collective else alone


def _check_together(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any], local: tuple[str, ...]
) -> None:
    """Refuse arguments on all ranks alike. Collective."""
    arguments = signature.bound(args, kwargs)
    comm = next((comm for value in arguments.values() if (comm := comm_of(value)) is not None), None)
    if comm is None or comm.size == 1:
        signature.check(args, kwargs)
        return
    values = {name: value for name, value in arguments.items() if name not in local}
    try:
        signature.check(args, kwargs)
    except ParameterError as error:
        agree(comm, values, error, signature.name)
        raise
    agree(comm, values, None, signature.name)


def comm_of(value: Any) -> MPI.Comm | None:
    """Return the communicator of a value, or of the first in a list that has one; None if none has."""
    if isinstance(value, MPI.Comm):
        return value if value != MPI.COMM_NULL else None
    if isinstance(value, list | tuple):
        return next((comm for item in value[:DEEP] if (comm := comm_of(item)) is not None), None)
    for path in (("comm",), ("mesh", "comm"), ("function_space", "mesh", "comm")):
        found = value
        for name in path:
            try:
                found = getattr(found, name, None)
            except Exception:  # a property that raises: this is no communicator
                found = None
        if isinstance(found, MPI.Comm):
            return found
    return None


@contextmanager
def collective(comm: MPI.Comm) -> Iterator[dict[str, Any]]:
    """Run a block, which must not communicate, on all ranks: an error on one of them is one on all. Collective.

    Yields a dict: values that the block puts there must be the same on all ranks at its end.

        with collective(comm) as same:
            same["stop_when"] = stop_when(models, t)

    Raises:
        ParameterError: with rank and message of the first rank that failed, on ranks where the block did not; if values
            differ, on all.
    """
    values: dict[str, Any] = {}
    try:
        yield values
    except BaseException as error:  # whatever it is, the other ranks must know before they wait
        if comm.size > 1:
            agree(comm, values, error, keep=True)
        raise
    if comm.size > 1:
        agree(comm, values, None, keep=True)


def agree(
    comm: MPI.Comm,
    values: Mapping[str, Any],
    error: BaseException | None,
    place: str = "",
    *,
    keep: bool = False,
) -> None:
    """Raise on all ranks if one has an error, or if the values differ between ranks; one short exchange. Collective.

    Args:
        comm: of the ranks.
        values: by name; functions, UFL, large arrays and the like are not compared.
        error: of this rank.
        place: the function that is called; must be the same on all ranks.
        keep: a rank with an error returns, to raise its own.

    Raises:
        ParameterError: on all ranks alike; with `keep` not on those that have an error.
    """
    codes = {name: _code(value) for name, value in values.items()} if error is None else {}
    hashed = blake2b(repr((place, codes, error and str(error))).encode("utf-8", "replace"), digest_size=15).digest()
    mine = np.frombuffer(bytes([error is not None]) + hashed, dtype=np.uint8)
    every = np.empty((comm.size, len(mine)), dtype=np.uint8)
    comm.Allgather(mine, every)
    if not every[:, 0].any() and (every == every[0]).all():
        return
    sentences = comm.allgather(None if error is None else f"{type(error).__name__}: {error}")
    plain = comm.allgather(isinstance(error, ParameterError))
    failed = [rank for rank, sentence in enumerate(sentences) if sentence is not None]
    if failed:
        if keep and error is not None:
            return
        first = failed[0]
        sentence = sentences[first].partition(": ")[2] if plain[first] else sentences[first]
        alike = len(set(sentences)) == 1
        raise ParameterError(sentence if alike else f"{sentence} (on rank {first})")
    raise ParameterError(_difference(comm, values, codes, place))


def _difference(comm: MPI.Comm, values: Mapping[str, Any], codes: Mapping[str, str], place: str) -> str:
    """Return the sentence on the first value that differs between ranks. Collective."""
    every = comm.allgather((place, {name: (codes[name], shown(values[name])) for name in codes}))
    other = next(rank for rank in range(comm.size) if _codes(every[rank]) != _codes(every[0]))
    if every[other][0] != every[0][0]:
        return f"{every[0][0]} is called on rank 0 and {every[other][0]} on rank {other}, must be the same on all ranks"
    first, second = every[0][1], every[other][1]
    absent = ("", "nothing")
    name = next(name for name in (*first, *second) if first.get(name, absent)[0] != second.get(name, absent)[0])
    return (
        f"{name} = {first.get(name, absent)[1]} on rank 0 and {second.get(name, absent)[1]} on rank {other}, "
        "must be the same on all ranks"
    )


def _codes(told: tuple[str, Mapping[str, tuple[str, str]]]) -> tuple[str, list[tuple[str, str]]]:
    return told[0], sorted((name, code) for name, (code, _) in told[1].items())


def _code(value: Any, deep: int = 0) -> str:
    """Return a text that is the same for equal values; numbers of all types alike, other objects not compared."""
    if value is None or isinstance(value, str | bytes | bool | np.bool_):
        return repr(value)
    if isinstance(value, int):
        return f"{value:x}"
    if isinstance(value, float | complex | np.number):
        plain: Any = value.item() if isinstance(value, np.number) else value
        whole = isinstance(plain, float) and plain.is_integer()
        return f"{int(plain):x}" if whole or isinstance(plain, int) else repr(plain)
    if deep > DEEP:
        return "..."
    if isinstance(value, list | tuple | Mapping) and len(value) > SMALL:
        return f"{len(value)} entries"
    if isinstance(value, list | tuple):
        return f"[{','.join(_code(item, deep + 1) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{_code(k, deep + 1)}:{_code(v, deep + 1)}' for k, v in value.items()))}}}"
    if isinstance(value, np.ndarray):
        small = value.size <= SMALL and value.dtype.kind in "biufU"
        return _code(value.tolist(), deep) if small else "array"
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    if is_dataclass(value) and not isinstance(value, type) and comm_of(value) is None:
        parts = {field.name: getattr(value, field.name, None) for field in fields(value)}
        return type(value).__name__ + _code(parts, deep + 1)
    return "function" if callable(value) else "object"
