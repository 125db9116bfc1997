"""Tables of a case: made from the signature and docstring of the function that takes their values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from emfem.errors import ParameterError
from emfem.materials import Material
from emfem.mesh import Domain
from emfem.model import Model, fixed, flux, placeholder
from emfem.studies import docstrings
from emfem.studies.units import Unit, Whole, Yes

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

SIMPLE: Mapping[str, Any] = {
    "int": Whole,
    "bool": Yes,
    "str": str,
    "Sequence[int]": tuple[Whole, ...],
    "Sequence[str]": tuple[str, ...],
}
DEFAULTS = (int, float, str, list, tuple, type(None), type(...))  # of keys; `...` for none
NUMBERS = {"float", "OfTime", "ArrayLike", "Sequence[float]"}  # annotations that are plain numbers without a unit


class Table(BaseModel):
    """A table of a case: keys that are known, values that do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    maker: ClassVar[Any] = None  # the function that takes the values as arguments
    validate_by_building: ClassVar[bool] = True  # the object costs nothing: its errors are errors of the file
    tag: ClassVar[str] = ""  # distinguishes it where one of several tables is possible

    @model_validator(mode="after")
    def _validate_by_building(self) -> Self:
        """Make the object, if that costs nothing, so that its errors are errors of the file."""
        if self.validate_by_building:
            _ = self.made
        return self

    @cached_property
    def made(self) -> Any:
        """The object that the table stands for, made once."""
        return self.make()

    def make(self) -> Any:
        """Make the object that the table stands for."""
        return None if self.maker is None else call(self.maker, self.values())

    def build(self, context: BuildContext) -> Any:
        """Return the argument of a model that the table stands for."""
        return self.made

    def values(self, *left_out: str) -> dict[str, Any]:
        """Return the values by key, without those that are None."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in named.items() if value is not None and name not in left_out}

    def one_of(self, *names: str, optional: bool = False) -> str | None:
        """Return the only one of some keys that is given; None if there is none and there need not be.

        Raises:
            ParameterError: if it is not one.
        """
        present = [name for name in names if getattr(self, name) is not None]
        if len(present) > 1 or not (present or optional):
            message = f"{' and '.join(present)} are given" if present else "nothing is given"
            msg = f"{message}, must be one of {', '.join(names)}"
            raise ParameterError(msg)
        return present[0] if present else None


class Arguments(Table):
    """A table whose values are arguments beside others: nothing is made of it alone."""

    validate_by_building: ClassVar[bool] = False

    def build(self, context: BuildContext) -> Any:
        """Return the table itself."""
        return self


@dataclass
class BuildContext:
    """Parts that the models of a case are made of, and the models made so far.

    Attributes:
        domain: where.
        tables: of the models, by name.
        metal: the material, or None.
        models: those made so far, by the table they come from.
        deferred: placeholders for fields of models that come later: who waits, the placeholder's name, what gives it.
    """

    domain: Domain
    tables: Mapping[str, Any] = field(default_factory=dict)
    metal: Material | None = None
    models: dict[str, Model] = field(default_factory=dict)
    deferred: list[tuple[str, str, Callable[[], Any]]] = field(default_factory=list)

    def material(self) -> Material:
        """Return the material of the case.

        Raises:
            ParameterError: if it has none.
        """
        if self.metal is None:
            msg = "material is missing: must be a table [material] with metal or file"
            raise ParameterError(msg)
        return self.metal

    def model(self, table: str) -> Model:
        """Return a model that was made before.

        Raises:
            ParameterError: if it is not in the case.
        """
        if table not in self.models:
            msg = f"the table [{table}] is missing, must be in the case"
            raise ParameterError(msg)
        return self.models[table]

    def defer(self, waiting: str, table: str, name: str) -> Any:
        """Return a field of a model of a later table, as a placeholder until that is there.

        Raises:
            ParameterError: if it is not in the case.
        """
        if table not in self.tables:
            msg = f"the table [{table}] is missing, must be in the case"
            raise ParameterError(msg)
        self.deferred.append((waiting, name, lambda: self.models[table][name]))
        return placeholder(name, self.domain)

    def finished(self) -> list[Model]:
        """Return all models, each with the fields it waited for."""
        for waiting, name, give in self.deferred:
            self.models[waiting] = self.models[waiting].substitute(**{name: give()})
        return list(self.models.values())


class ConditionTable(Table):
    """A condition on a boundary: a value that is fixed, or a flux, or another key; one of them."""

    def make(self) -> Any:
        """Make the condition."""
        key = str(self.one_of(*type(self).model_fields))
        value = getattr(self, key)
        return value.made if isinstance(value, Table) else {"fixed": fixed, "flux": flux}[key](value)


class Key(NamedTuple):
    """Key of a table: type, meaning, and default, `...` for one that is required; those left out are the argument's."""

    type: Any = None
    words: str = ""
    default: Any = inspect.Parameter.empty


def keys_of(
    maker: Callable[..., Any], left_out: Iterable[str] = (), in_time: Iterable[str] = (), optional: bool = False
) -> dict[str, Key]:
    """Return the keys that stand for the arguments of a function.

    The type of a key follows from the annotation, its unit from the `[unit]` in the docstring, its meaning from the
    words there. A number without a unit there is a plain one; `[m or -]` is a length of the domain. Other annotations
    without a unit, not even `[-]`, have no type: the table must give one.

    Args:
        maker: takes the values; or a class of constants.
        left_out: arguments that are no keys.
        in_time: arguments that may follow time; those annotated OfTime may anyway.
        optional: whether all keys may be left out.
    """
    texts, keys = docstrings.arguments(maker), {}
    for name, parameter in inspect.signature(maker).parameters.items():
        if name not in left_out:
            text = texts.get(name, docstrings.Argument(""))
            default = None if optional else ... if parameter.default is parameter.empty else parameter.default
            keys[name] = Key(_type_of(parameter.annotation, text, name in in_time), text.text, default)
    return keys


def _type_of(annotation: Any, text: docstrings.Argument, in_time: bool) -> Any:
    """Return the type of a key for an argument, from its annotation and the unit in its docstring; None for neither."""
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    parts = [part for part in written.split(" | ") if part != "None"]
    if len(parts) == 1 and parts[0] in SIMPLE:
        return SIMPLE[parts[0]]
    if text.unit is None and not NUMBERS.issuperset(parts):
        return None
    one = parts in (["float"], ["OfTime"])
    follows = in_time or "OfTime" in parts
    unit = Unit(text.unit or "", scaled=text.scaled, in_time=follows, lists=not one, turn=one and text.unit == "rad")
    return Annotated[float if parts == ["float"] and not follows else Any, unit]


def table_of(
    maker: Callable[..., Any],
    document: str | None = None,
    *,
    name: str = "",
    base: type[Table] = Table,
    keys: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Return the table whose keys are the arguments of a function.

    Args:
        maker: takes the values.
        document: what the table is; the summary of `maker` when left out.
        name: of the table; that of `maker` when left out.
        base: what the table inherits from.
        keys: for a key another type, or a text with other words, or a `Key`; also keys that are no arguments.
        options: as in `keys_of`.
    """
    all_keys = keys_of(maker, **options)
    for each, value in (keys or {}).items():
        own = value if isinstance(value, Key) else Key(words=value) if isinstance(value, str) else Key(value)
        former = all_keys.get(each, Key(default=None))
        default = former.default if own.default is inspect.Parameter.empty else own.default
        all_keys[each] = Key(own.type or former.type, own.words or former.words, default)
    table = _table(name or maker.__name__, base, all_keys, document or docstrings.summary(maker))
    table.maker = staticmethod(maker)
    return table


def keys_from(maker: Callable[..., Any], **options: Any) -> Callable[[type[Table]], Any]:
    """Return a decorator that gives a table keys for the arguments of a function; options are those of `table_of`."""
    return lambda table: table_of(maker, table.__doc__, name=table.__name__, base=table, **options)


def conditions_of(maker: Callable[..., Any], **others: Key) -> Any:
    """Return the type of the key `on` of a physics: for each boundary a condition in the units of the docstring.

    Raises:
        ParameterError: if that has none for one of them.
    """
    units = docstrings.conditions(docstrings.arguments(maker).get("on", docstrings.Argument("")).text)
    words = {"fixed": "value on the boundary.", "flux": "flux into the domain through the boundary, by its area."}
    if not words.keys() <= units.keys():
        msg = "on lacks units in its docstring, must have them: `fixed(c)` [1/m3], `flux(g)` [1/(m2 s)], or [-]"
        raise ParameterError(msg)
    keys = {each: Key(Annotated[Any, Unit(units[each], in_time=True)], words[each], None) for each in words}
    return dict[str, _table("Condition", ConditionTable, keys | others, ConditionTable.__doc__)]  # type: ignore[misc]


def _table(name: str, base: type[Table], keys: Mapping[str, Key], document: str | None) -> Any:
    """Return a table with these keys.

    Raises:
        ParameterError: for a key without a type, or with a default that no file can have.
    """
    for each, key in keys.items():
        if not isinstance(key.default, DEFAULTS):
            msg = f"default of argument {each!r} of {name} = {key.default!r}, must be one that TOML has, or None"
            raise ParameterError(msg)
    untyped = [each for each, key in keys.items() if key.type is None]
    if untyped:
        msg = (
            f"argument {untyped[0]!r} of {name}, must have a unit in its docstring, [-] for plain numbers, a type in "
            "`keys`, or be left out"
        )
        raise ParameterError(msg)
    fields: Any = {
        each: (key.type | None if key.default is None else key.type, Field(key.default, description=key.words))
        for each, key in keys.items()
    }
    return create_model(name, __base__=base, __doc__=document, **fields)


def call(maker: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a function with the values of a table.

    Raises:
        ParameterError: for those that are missing, that it does not know, or that it refuses.
    """
    known = inspect.signature(maker).parameters
    unknown = [name for name in arguments if name not in known]
    if unknown:
        msg = f"{' and '.join(unknown)} given, must be left out: there is {', '.join(known)}"
        raise ParameterError(msg)
    needed = [name for name, p in known.items() if p.default is p.empty and name not in arguments]
    if needed:
        msg = f"{' and '.join(needed)} missing, must be given"
        raise ParameterError(msg)
    return maker(**arguments)
