"""What all tables of a case have in common, and what models are put together from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from emfem.errors import ParameterError
from emfem.materials import Material
from emfem.mesh import Domain
from emfem.model import Model, fixed, flux, placeholder

from pydantic import BaseModel, ConfigDict, model_validator


class Table(BaseModel):
    """A table of a case: keys that are known, values that do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tried: ClassVar[bool] = False  # whether what it makes is made at once, so that what emfem refuses is told early
    tag: ClassVar[str] = ""  # what tells it apart where several tables may stand

    @model_validator(mode="after")
    def _attempt(self) -> Self:
        """Make what costs nothing, to hear of what is wrong with it."""
        if self.tried:
            self.make()
        return self

    def make(self) -> Any:
        """What the table stands for."""
        raise NotImplementedError

    def build(self, parts: Parts) -> Model:
        """The model of the table, if it is one of a model. Collective."""
        raise NotImplementedError

    def measures(self, model: Model) -> dict[str, float]:
        """What is asked of the model at the end beside its quantities. Collective."""
        return {}

    def given(self, *left_out: str) -> dict[str, Any]:
        """What the table says, by key, without what it leaves out."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in named.items() if value is not None and name not in left_out}

    def one_of(self, *names: str, optional: bool = False) -> str | None:
        """The only one of some keys that is given; None if there is none and there need not be.

        Raises:
            ParameterError: if it is not one.
        """
        found = [name for name in names if getattr(self, name) is not None]
        if len(found) > 1 or not (found or optional):
            told = f"{' and '.join(found)} are given" if found else "nothing is given"
            msg = f"{told}, must be one of {', '.join(names)}"
            raise ParameterError(msg)
        return found[0] if found else None


@dataclass
class Parts:
    """What the models of a case are made of, and those that are made.

    Attributes:
        domain: where.
        metal: the material, or None.
        models: those made so far, by the table they come from.
        promised: placeholders for fields of models that come later: who waits, the placeholder's name, what gives it.
    """

    domain: Domain
    metal: Material | None = None
    models: dict[str, Model] = field(default_factory=dict)
    promised: list[tuple[str, str, Callable[[], Any]]] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def material(self) -> Material:
        """The material of the case.

        Raises:
            ParameterError: if it has none.
        """
        if self.metal is None:
            msg = "material is missing: must be a table [material] with metal or file"
            raise ParameterError(msg)
        return self.metal

    def model(self, table: str) -> Model:
        """A model that was made before.

        Raises:
            ParameterError: if it is not in the case.
        """
        if table not in self.models:
            msg = f"the table [{table}] is missing, must be in the case"
            raise ParameterError(msg)
        return self.models[table]

    def later(self, waiting: str, table: str, name: str) -> Any:
        """A field of a model of a later table, as a placeholder until that is there.

        Raises:
            ParameterError: if it is not in the case.
        """
        if table not in self.expected:
            msg = f"the table [{table}] is missing, must be in the case"
            raise ParameterError(msg)
        self.promised.append((waiting, name, lambda: self.models[table][name]))
        return placeholder(name, self.domain)

    def finished(self) -> list[Model]:
        """All models, each with the fields it waited for."""
        for waiting, name, give in self.promised:
            self.models[waiting] = self.models[waiting].substitute(**{name: give()})
        return list(self.models.values())


class Condition(Table):
    """What holds on a boundary: each physics says in which units."""

    tried: ClassVar[bool] = True

    def make(self) -> Any:
        """The condition."""
        if self.one_of("fixed", "flux") == "fixed":
            return fixed(self.fixed)  # type: ignore[attr-defined]
        return flux(self.flux)  # type: ignore[attr-defined]


def conditions(on: dict[str, Any] | None) -> dict[str, Any] | None:
    """The conditions on boundaries, as models take them."""
    return None if on is None else {name: condition.make() for name, condition in on.items()}


def made(maker: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What a maker makes of arguments.

    Raises:
        ParameterError: for those that are missing, that it does not know, or that it refuses.
    """
    known = inspect.signature(maker).parameters
    stray = [name for name in arguments if name not in known]
    if stray:
        msg = f"{' and '.join(stray)} given, must be left out: there is {', '.join(known)}"
        raise ParameterError(msg)
    needed = [name for name, p in known.items() if p.default is p.empty and name not in arguments]
    if needed:
        msg = f"{' and '.join(needed)} missing, must be given"
        raise ParameterError(msg)
    return maker(**arguments)
