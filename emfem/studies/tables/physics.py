"""A physics: the function that makes its model, and the little that cases need beyond its signature and docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem.dimensions import Value
from emfem.errors import ParameterError, UnknownName, kind
from emfem.gate import checked
from emfem.model import Model
from emfem.studies.tables.base import Arguments, BuildContext, Key, Table, conditions_of, table_of
from emfem.studies.units import Yes

RESERVED = ("domain", "material", "time", "steady", "output")  # tables of every case
TAKEN = ("models", "physics")  # names of their own in the schema of a case


@checked
@dataclass(frozen=True)
class Coupling:
    """Argument of a model that is taken from the model of another table, where a key of its own is true.

    Attributes:
        table: the other table.
        argument: the argument.
        of: of the other model, the name of a field or quantity, or a function of the model.
        words: meaning of the key.
    """

    table: str
    argument: str
    of: str | Callable[[Model], Any]
    words: str = ""

    def value(self, context: BuildContext) -> Any:
        """Return the value of the argument."""
        model = context.model(self.table)
        return self.of(model) if callable(self.of) else model[self.of]


@checked
@dataclass(frozen=True, eq=False)
class Physics:
    """A physics that cases and `emfem verify` know by its name.

    The keys of its table are the arguments of the model function. `domain` and `material` come from the tables of these
    names; a key's type follows from the annotation, its unit from the `[unit]` in the docstring of the argument, units
    of conditions from "`fixed(c)` [1/m3], `flux(g)` [1/(m2 s)]" in that of `on`.

    Attributes:
        name: of the table, and of the physics in `emfem verify`.
        model: the function; its first argument is the domain.
        template: a case to start from, in TOML, for `emfem new NAME`; its first line is a comment that names it.
        keys: for a key of the table another type or other words, see `table_of`; also keys that are no arguments.
        couplings: arguments from models of other tables, by the key that asks for it.
        left_out: arguments that are no keys.
        in_time: arguments that may follow time.
        arguments: makes arguments of table and context, instead of those that the keys give.
        measures: numbers of the model at the end of a run beside its quantities, by name. Collective.
        opening: returns how voids open in a case, of table and context; None if they do not. The run is then that of
            `em.voids.run`.
    """

    name: str
    model: Callable[..., Model]
    template: str = ""
    keys: Mapping[str, Any] = field(default_factory=dict)
    couplings: Mapping[str, Coupling] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    in_time: Sequence[str] = ()
    arguments: Callable[[Any, BuildContext], dict[str, Any]] | None = None
    measures: Callable[[Model], dict[str, Value]] | None = None
    opening: Callable[[Any, BuildContext], Any] | None = None

    def __post_init__(self) -> None:
        """Check name and function.

        Raises:
            ParameterError: for a name that is no word or one of the tables of every case, or no function of a domain.
            UnknownName: for an argument left out, in time or coupled that the function does not have.
        """
        taken = self.name in (*RESERVED, *TAKEN) or hasattr(Table, str(self.name)) or str(self.name).startswith("_")
        if not isinstance(self.name, str) or not self.name.isidentifier() or taken:
            msg = f"name = {self.name!r}, must be a word for a table, other than {', '.join(RESERVED)}"
            raise ParameterError(msg)
        if not hasattr(self.model, "__qualname__") or next(iter(self.parameters), "") != "domain":
            msg = f"model = {self.model!r}, must be a function whose first argument is domain"
            raise ParameterError(msg)
        kind("template", self.template, str, "a text in TOML")
        for name in (*self.left_out, *self.in_time, *(each.argument for each in self.couplings.values())):
            if name not in self.parameters:
                raise UnknownName(name, f"the model function of {self.name!r}", self.parameters)
        for key in (*self.parameters, *self.keys):
            if hasattr(Table, key) and key not in self.left_out:
                msg = f"argument {key!r}, must have another name: tables of a case have one like it"
                raise ParameterError(msg)

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The arguments of the model function."""
        return inspect.signature(self.model).parameters

    @cached_property
    def table(self) -> type[Table]:
        """The table of a case."""
        keys = {name: Key(Yes, each.words, default=False) for name, each in self.couplings.items()}
        if "on" not in self.keys and "Mapping" in str(getattr(self.parameters.get("on"), "annotation", "")):
            keys["on"] = Key(
                conditions_of(self.model), "a condition for each boundary by name; nothing passes the others."
            )
        return table_of(
            self.model,
            name=self.name,
            base=Arguments,
            keys=keys | dict(self.keys),
            left_out=("domain", "material", *self.left_out),
            in_time=self.in_time,
        )

    def build(self, table: Table, context: BuildContext) -> Model:
        """Return the model of its table in a case. Collective."""
        values = {name: _built(value, context) for name, value in table.values(*self.couplings).items()}
        if self.arguments is not None:
            values |= self.arguments(table, context)
        for name, coupling in self.couplings.items():
            if getattr(table, name):
                if values.get(coupling.argument) is not None:
                    msg = f"{name} and {coupling.argument} are given, must be one of them"
                    raise ParameterError(msg)
                values[coupling.argument] = coupling.value(context)
        if "material" in self.parameters:
            optional = self.parameters["material"].default is None
            values["material"] = context.metal if optional else context.material()
        return self.model(context.domain, **{name: value for name, value in values.items() if name in self.parameters})

    @property
    def source(self) -> Path | None:
        """The file of the model function; None for one that is not in a file."""
        file = inspect.getsourcefile(inspect.unwrap(self.model))
        return Path(file).resolve() if file is not None and Path(file).is_file() else None


def _built(value: Any, context: BuildContext) -> Any:
    """Return the argument of a model for the value of a key."""
    if isinstance(value, Table):
        return value.build(context)
    if isinstance(value, Mapping):
        return {key: _built(item, context) for key, item in value.items()}
    return value
