"""Calls of every public function with hostile arguments: `python -m tests.fuzz.api --module film,mesh --calls 2000`.

A call is fine if it returns, without a NaN that was not in, or raises an error of emfem; the rest is listed by place.
"""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import emfem as em
from tests.fuzz import arguments, command, pool
from tests.fuzz.pool import Call

NAN = ("nan", "NaN", "pd.NA", "masked", "inf", "1e999")
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)


@dataclass(frozen=True)
class Target:
    """A callable of the public interface.

    Attributes:
        name: the text that calls it, `em.film.model` or `plate().ds`.
        owner: its name in the report and in the tables of arguments.py.
        parameters: of its signature, in order.
        property_: True for a property, which takes none.
    """

    name: str
    owner: str
    parameters: tuple[inspect.Parameter, ...]
    property_: bool = False

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The right arguments that arguments.py has for it."""
        own = arguments.BY_CALL.get(self.owner, {})
        required = {p.name: arguments.BY_NAME.get(p.name) for p in self.parameters if p.default is p.empty}
        return {name: text for name, text in required.items() if text is not None} | own

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, those of keywords without a name included."""
        rest = (inspect.Parameter.VAR_KEYWORD,)
        listed = [p.name for p in self.parameters if p.kind not in rest]
        return tuple(dict.fromkeys((*listed, *arguments.BY_CALL.get(self.owner, {}))))

    def text(self, values: Mapping[str, str]) -> str:
        """Return the call with arguments."""
        if self.property_:
            return self.name
        kinds = {p.name: p.kind for p in self.parameters}
        listed = []
        rest = any(kind is inspect.Parameter.VAR_POSITIONAL for kind in kinds.values())
        for name in self.names:
            kind = kinds.get(name, inspect.Parameter.KEYWORD_ONLY)
            if kind is inspect.Parameter.VAR_POSITIONAL:
                listed.append(values.get(name, arguments.REST.get(name, "")))
            elif name in values:
                bare = kind in POSITIONAL or (rest and kind is inspect.Parameter.POSITIONAL_OR_KEYWORD)
                listed.append(values[name] if bare else f"{name}={values[name]}")
        return f"{self.name}({', '.join(filter(None, listed))})"

    def base(self) -> Call:
        """Return the call with right arguments."""
        return self._call(self.text(self.known))

    def mutated(self, rng: random.Random) -> Call:
        """Return a call with one or two hostile arguments."""
        values = dict(self.known)
        for parameter in self.parameters:
            if parameter.default is not parameter.empty and parameter.name in arguments.OPTIONAL:
                if parameter.name not in values and rng.random() < 0.2:
                    values[parameter.name] = arguments.OPTIONAL[parameter.name]
        if self.names:
            for name in rng.sample(self.names, min(len(self.names), rng.choice((1, 1, 1, 2)))):
                values[name] = hostile(rng, name, values.get(name))
        return self._call(self.text(values))

    def _call(self, text: str) -> Call:
        allowed = self.owner in arguments.NAN_ALLOWED or any(word in text for word in NAN)
        return Call(text, self.owner, nan_allowed=allowed, fresh=self.owner in arguments.CHANGING)


def hostile(rng: random.Random, name: str, right: str | None) -> str:
    """Return a hostile value for a parameter, as text."""
    if name in ("path", "folder", "source", "image", "segments", "vias", "checkpoint") and rng.random() < 0.6:
        return rng.choice(arguments.PATHS)
    value = rng.choice(arguments.HOSTILE)
    if rng.random() < 0.25:
        wrapper = rng.choice(arguments.WRAPPED)
        if not (value.startswith("range(10") and "dtype=object" in wrapper):  # NumPy would make a list of 10^9 objects
            return wrapper.format(right or value, value)
    if right is not None and rng.random() < 0.1:
        factor = rng.choice(("1e300", "-1", "0", "1e-300", "2"))
        return f"({right}) * {'1e3' if name == 'until' and factor == '1e300' else factor}"  # a long run takes long
    return value


def modules() -> dict[str, ModuleType]:
    """Return emfem and its public modules by name."""
    listed = {"em": em}
    waiting = [("em", em)]
    while waiting:
        prefix, module = waiting.pop()
        for name in getattr(module, "__all__", ()):
            inner = getattr(module, name)
            if inspect.ismodule(inner) and inner.__name__.startswith("emfem.") and inner not in listed.values():
                listed[f"{prefix}.{name}"] = inner
                waiting.append((f"{prefix}.{name}", inner))
    return listed


def targets(chosen: Sequence[str] = ()) -> list[Target]:
    """Return all public callables, or those of some modules: functions, classes, methods of values."""
    made: dict[str, Target] = {}
    seen: set[int] = set()
    for prefix, module in sorted(modules().items(), key=lambda item: -item[0].count(".")):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if callable(value) and not inspect.ismodule(value) and id(value) not in seen:
                seen.add(id(value))
                owner = _shortest(name, prefix, value)
                made |= {each.owner: each for each in _of(owner, owner, value)}
    for owner, instance in arguments.INSTANCES.items():
        made |= {each.owner: each for each in _methods(owner, instance)}
    wanted = [f"em.{name.removeprefix('em.')}" for name in chosen]
    return [
        target
        for owner, target in sorted(made.items())
        if not wanted or any(owner == name or owner.startswith(f"{name}.") for name in wanted)
    ]


def _shortest(name: str, prefix: str, value: Any) -> str:
    return f"em.{name}" if getattr(em, name, None) is value and name in em.__all__ else f"{prefix}.{name}"


def _of(name: str, owner: str, value: Any) -> Iterator[Target]:
    """Yield the target of a callable, unless it is not called, or has no signature."""
    if owner in arguments.SKIPPED:
        return
    try:
        parameters = tuple(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return
    yield Target(name, owner, parameters)


def _methods(owner: str, instance: str) -> Iterator[Target]:
    """Yield the methods and properties of a class."""
    cls: Any = em
    for part in owner.split(".")[1:]:
        cls = getattr(cls, part)
    for name, value in inspect.getmembers(cls):
        if name.startswith("_") or f"{owner}.{name}" in arguments.SKIPPED:
            continue
        if callable(value) and getattr(value, "__module__", "").startswith("emfem"):
            for target in _of(f"{instance}.{name}", f"{owner}.{name}", value):
                first = int(not inspect.ismethod(value) and _bound(cls, name))  # without self
                yield replace(target, parameters=target.parameters[first:])
        elif isinstance(inspect.getattr_static(cls, name), property) or hasattr(value, "func"):
            yield Target(f"{instance}.{name}", f"{owner}.{name}", (), property_=True)


def _bound(cls: type, name: str) -> bool:
    return not isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod)


def period(target: Target) -> int:
    """Return one in how many rounds a target is called."""
    if target.property_ or not target.names:
        return 50
    found = [count for name, count in arguments.RARE.items() if f"{target.owner}.".startswith(f"{name}.")]
    return max(found, default=1)


def calls(chosen: Sequence[str], seed: int) -> Iterator[Call]:
    """Yield calls without end: round by round each target in turn, the rare ones now and then."""
    listed = targets(chosen)
    generators = {target.owner: random.Random(f"{seed} {target.owner}") for target in listed}
    number = 0
    while listed:
        for target in listed:
            if number % period(target) == 0:
                yield target.mutated(generators[target.owner])
        number += 1


def main(arguments_: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 if there are findings."""
    parser = command.parser(__doc__, "calls")
    parser.add_argument("--module", default="", help="names as film,mesh or evolve; all by default")
    parser.add_argument("--bases", action="store_true", help="only call everything with right arguments; list failures")
    options = parser.parse_args(arguments_)
    chosen = [name for name in options.module.split(",") if name]
    if options.bases:
        return _print_bases(targets(chosen))
    return command.execute(options, calls(chosen, options.seed))


def _print_bases(listed: Sequence[Target]) -> int:
    """Print the calls with right arguments that do not return."""
    failed = 0
    with pool.Worker() as worker:
        for target in listed:
            call = target.base()
            outcome = worker.execute(call)
            if outcome["kind"] != "ok":
                failed += 1
                print(f"{outcome['kind']:8} {call.text}\n         {outcome.get('place', '')} {outcome['message']}")
    print(f"{len(listed) - failed} of {len(listed)} calls return")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
