"""The decorator that checks the arguments of public functions and classes."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, overload

from emfem.errors import ParameterError, shown
from emfem.gate.kinds import Kind, kind_of, parameter_annotations, passes
from emfem.gate.ranks import comm_of, disagreement

from mpi4py import MPI

UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")


@overload
def checked[T: Callable[..., Any]](thing: T, /) -> T: ...
@overload
def checked[T: Callable[..., Any]](
    *, collective: bool | MPI.Comm = False, local: Sequence[str] = (), kinds: bool = True
) -> Callable[[T], T]: ...
def checked(
    thing: Any = None, /, *, collective: bool | MPI.Comm = False, local: Sequence[str] = (), kinds: bool = True
) -> Any:
    """Check arguments by their annotations: of a function, a method, or the constructor of a class.

    Args:
        thing: the function or class.
        collective: all ranks of the communicator among its arguments (a communicator, or a domain, model, Function or
            mesh that has one) call it together. Numbers, words and small arrays must then be the same on all ranks, and
            an argument that is refused on one rank is refused on all of them. A communicator stands for that of a
            function with none among its arguments, such as a reader of files.
        local: names of arguments that may differ between ranks, such as values at the nodes of each rank.
        kinds: False for a collective function that checks the kinds itself: arguments are compared only.

    Raises:
        ParameterError: at the call, for an argument of a wrong kind, or one that differs between ranks.
    """
    ranks = _Ranks(frozenset(local), kinds, None if isinstance(collective, bool) else collective)
    together = ranks if collective else None
    return (lambda made: _checked(made, together)) if thing is None else _checked(thing, together)


@dataclass(frozen=True)
class _Ranks:
    """Options of a collective function; `comm` is that of a function without one among its arguments."""

    local: frozenset[str]
    kinds: bool
    comm: MPI.Comm | None


def _checked(thing: Any, ranks: _Ranks | None) -> Any:
    """Return the function with checks around it, or the class with checks around its constructor."""
    if not isinstance(thing, type):
        return _wrapped(thing, thing, ranks)
    setattr(thing, "__init__", _wrapped(thing, thing.__init__, ranks))  # type: ignore[misc]  # noqa: B010
    return thing


def _wrapped(thing: Any, function: Any, ranks: _Ranks | None) -> Any:
    """Return the function with checks around it, on all ranks together if there are `ranks`."""

    @functools.cache  # at the first call: annotations may name what is imported later
    def parameters() -> Parameters:
        return Parameters(thing, function)

    @functools.wraps(function)
    def alone(*args: Any, **kwargs: Any) -> Any:
        parameters().check(args, kwargs)
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            parameters().explain(error)
            raise

    @functools.wraps(function)
    def together(*args: Any, **kwargs: Any) -> Any:
        assert ranks is not None
        parameters().check_together(args, kwargs, ranks)
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            parameters().explain(error)
            raise

    return alone if ranks is None else together


class Parameters:
    """Kinds of the arguments of a function, read from its annotations at the first call."""

    def __init__(self, thing: Any, function: Callable[..., Any]) -> None:
        """Read them."""
        hints = parameter_annotations(thing, function)
        self.signature = inspect.signature(function)
        self.name = f"{function.__module__}.{function.__qualname__}"
        kinds = {name: kind_of(hints[name]) if name in hints else None for name in self.signature.parameters}
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

    def explain(self, error: TypeError) -> None:
        """Add what the function takes to the error of a call that does not fit; not to one from inside of it."""
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            words = ", ".join(name for name in self.names if name != "self")
            by_name = ", ".join(name for name in self.known if name not in self.names)
            unknown = UNEXPECTED.search(str(error))
            near = get_close_matches(unknown[1], self.known, n=1) if unknown else []
            meant = f"Did you mean {near[0]!r}? " if near else ""
            error.add_note(f"{meant}It takes {words or 'nothing by place'}; by name {by_name or 'nothing else'}.")

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
            if not passes(test, value):
                self._refuse(self.names[i], value, self.places[i])
        others = self.others.fits if self.others else _anything
        for name, value in kwargs.items():
            if not passes(self.by_name.get(name, others), value):
                self._refuse(name, value, self.known.get(name, self.others))
        name, kind = self.rest
        if kind is not None:
            for i, value in enumerate(args[len(self.tests) :]):
                if not passes(kind.fits, value):
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

    def check_together(self, args: tuple[Any, ...], kwargs: dict[str, Any], ranks: _Ranks) -> None:
        """Refuse arguments of a wrong kind, and those that differ between ranks. Collective.

        Raises:
            ParameterError: on all ranks alike.
            TypeError: if arguments are missing or unknown.
        """
        comm = ranks.comm or self._comm(args, kwargs)
        if comm is None or comm.size == 1:
            if ranks.kinds:
                self.check(args, kwargs)
            return
        error: Exception | None = None
        values: dict[str, Any] = {}
        try:
            if ranks.kinds:
                self.check(args, kwargs)
            bound = self.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            values = {name: value for name, value in bound.arguments.items() if name not in ranks.local}
        except (ParameterError, TypeError) as trouble:  # that of Python for a missing or an unknown argument
            error = trouble
        sentence = disagreement(comm, values, error, self.name)
        if isinstance(error, TypeError):
            raise error
        if sentence:
            raise ParameterError(sentence)

    def _comm(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MPI.Comm | None:
        """Return the communicator of the arguments, or of the default of one that is left out."""
        defaults = (p.default for name, p in self.signature.parameters.items() if name not in kwargs)
        return next((comm for value in (*args, *kwargs.values(), *defaults) if (comm := comm_of(value))), None)


def _anything(_: Any) -> bool:
    return True
