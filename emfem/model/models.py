"""A model: unknowns, one residual, conditions and quantities. It knows no solver, no file and no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.dimensions import PLAIN, Meaning, System
from emfem.errors import ParameterError, UnknownName, floats
from emfem.mesh import Domain
from emfem.model.conditions import Condition, Driver
from emfem.model.unknowns import Placeholder, Unknown

import dolfinx
import numpy as np
import ufl
from dolfinx import fem

if TYPE_CHECKING:
    from emfem.model.balances import Balance
    from emfem.model.resolution import Resolution


class Described:
    """What says what it is: unit, label, symbol, sign."""

    meaning: Meaning

    @property
    def unit(self) -> str:
        """Its unit, "-" for a plain number, or where none is known."""
        return self.meaning.unit

    @property
    def label(self) -> str:
        """What it is in words."""
        return self.meaning.label or self.meaning.symbol

    @property
    def symbol(self) -> str:
        """What its model calls it."""
        return self.meaning.symbol

    @property
    def signed(self) -> bool:
        """Whether 0 is the middle of its values."""
        return self.meaning.signed


@dataclass(frozen=True)
class Quantity(Described):
    """A number a model can tell: a UFL functional, or a function that computes it; and what it is.

    Attributes:
        value: the functional or the function.
        meaning: what it is, or only its unit.
        of_model: whether the function is one of the model, so that it sees what `Model.substitute` put in its residual.
    """

    value: ufl.Form | Callable[..., float]
    meaning: Any = PLAIN
    of_model: bool = False

    def __post_init__(self) -> None:
        """Make a meaning of a unit alone."""
        if isinstance(self.meaning, str):
            object.__setattr__(self, "meaning", Meaning(si=self.meaning))


@dataclass(frozen=True, eq=False)
class Field(Described):
    """An unknown or a derived field, with what it is.

    Attributes:
        value: a Function or a UFL expression.
        meaning: unit, label, symbol, whether it is signed, whether it is a vector.
    """

    value: Any
    meaning: Meaning

    @property
    def vector(self) -> bool:
        """Whether it has components."""
        return self.meaning.vector

    def __repr__(self) -> str:
        """One line."""
        return f"<{'vector ' if self.vector else ''}{self.symbol} [{self.unit}]: {self.label}>"


class Model:
    """Unknowns u with residual F(t, u, du/dt; v) = 0 for every test function v.

    `model["name"]` is an unknown or a derived field; `model.quantity("name")` is a float, the same on all ranks.

    Attributes:
        name: what it models.
        domain: where.
        unknowns: the fields it solves for.
        residual: the UFL form F, its tests those of `tests(unknowns)`.
        conditions: held boundary values.
        expressions: derived fields, UFL.
        quantities: the numbers it can tell.
        drivers: what moves its coefficients in time.
        steady_by_relaxation: there are many steady states (one for each amount of solute, say); the one that the
            model relaxes to is wanted.
        no_steady_state_reason: why it has no steady state, one sentence; empty if it may have one.
        balances: what it conserves, for `em.balance` and `em.accumulate`.
        resolutions: what its mesh must resolve.
        warned: names of those that a warning was given of.
        put: what `substitute` put in place of placeholders.
        system: what its numbers are measured in: SI, scaled and by what, or not told.
        fields: unknowns and derived fields by name, each with unit, label and sign.
        t: the time of the present state.
    """

    def __init__(
        self,
        name: str,
        domain: Domain,
        unknowns: Sequence[Unknown],
        residual: ufl.Form,
        *,
        conditions: Sequence[Condition] = (),
        expressions: Mapping[str, Any] | None = None,
        quantities: Mapping[str, Quantity] | None = None,
        drivers: Sequence[Driver] = (),
        steady_by_relaxation: bool = False,
        no_steady_state_reason: str = "",
        balances: Mapping[str, Balance] | None = None,
        resolutions: Sequence[Resolution] = (),
        system: System | None = None,
        meanings: Mapping[str, Meaning] | None = None,
    ) -> None:
        """Gather the parts; nothing is compiled yet.

        Without a system the units of quantities and fields are as they are given; with one they are those of a body
        in space, and become those of the domain.
        """
        self.name, self.domain = name, domain
        self.unknowns, self.residual = tuple(unknowns), residual
        self.conditions = tuple(conditions)
        self.expressions = dict(expressions or {})
        self.quantities = dict(quantities or {})
        self.steady_by_relaxation, self.no_steady_state_reason = steady_by_relaxation, no_steady_state_reason
        self.balances = dict(balances or {})
        self.resolutions, self.warned = tuple(resolutions), set[str]()
        self.put: dict[Any, Any] = {}
        self._check_meshes()
        self.t = 0.0
        self.drivers = tuple(drivers)
        self._compiled: dict[str, fem.Form] = {}
        self._settle(system, meanings or {})
        for condition in self.conditions:
            condition.apply()

    def _settle(self, system: System | None, meanings: Mapping[str, Meaning]) -> None:
        """Say of every quantity and field what it is here; a Function carries it, so that pictures know."""
        self._given_system, self.system = system, system or self.domain.system()
        self.quantities = {name: replace(q, meaning=self.here(q.meaning, name)) for name, q in self.quantities.items()}
        self._meanings = {
            name: self.here(
                meanings.get(name, Meaning()), name, vector=ufl.as_ufl(self[name]).ufl_shape not in ((), (1,))
            )
            for name in self.names
        }
        for unknown in self.unknowns:
            unknown.function.meaning = self._meanings[unknown.name]

    def here(self, meaning: Meaning | str, name: str = "", *, vector: bool = False) -> Meaning:
        """Return what a number, of this meaning or unit in a body in space, is in this model on its domain."""
        found = Meaning(si=meaning) if isinstance(meaning, str) else meaning
        given = self._given_system
        measure = found.measure if given is None else self.domain.measure
        return replace(found, system=given or found.system, measure=measure, symbol=name, vector=vector)

    @property
    def fields(self) -> dict[str, Field]:
        """Unknowns and derived fields by name, with what they are."""
        return {name: Field(self[name], meaning) for name, meaning in self._meanings.items()}

    def _check_meshes(self) -> None:
        """Refuse coefficients of another mesh."""
        for c in self.residual.coefficients():
            if c.function_space.mesh is not self.domain.mesh:
                msg = f"the {self.name} model uses {c.name}, must be a field on its own mesh: that one lives on another"
                raise ParameterError(msg)

    def _check_known(self, name: str, value: ufl.Form) -> None:
        """Refuse to tell what hangs on a field of another model that is not solved for."""
        mine = [unknown.function for unknown in self.unknowns]
        for c in value.coefficients():
            if not getattr(c, "known", True) and not any(c is function for function in mine):
                msg = f"{name} of the {self.name} model hangs on {c.name}, which is not solved yet: solve it first"
                raise ParameterError(msg)

    def is_known(self) -> bool:
        """Whether every unknown has been solved for or given."""
        return all(getattr(unknown.function, "known", True) for unknown in self.unknowns)

    def check_solved(self) -> None:
        """Refuse to go on without every unknown.

        Raises:
            ParameterError: if one has not been solved for.
        """
        if not self.is_known():
            msg = f"the {self.name} model is not solved yet: em.solve_steady(...) or em.evolve(...) it first"
            raise ParameterError(msg)

    @property
    def mesh(self) -> dolfinx.mesh.Mesh:
        """The mesh of its domain."""
        return self.domain.mesh

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields `model[name]` knows."""
        return (*(u.name for u in self.unknowns), *self.expressions)

    def __getitem__(self, name: str) -> Any:
        """The unknown or derived field `name`.

        Raises:
            UnknownName: if there is none; the message lists the names.
        """
        for unknown in self.unknowns:
            if unknown.name == name:
                return unknown.function
        if name not in self.expressions:
            raise UnknownName(name, f"the {self.name} model", self.names)
        return self.expressions[name]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the placeholders in its residual."""
        return tuple(sorted(c.name for c in self.residual.coefficients() if isinstance(c, Placeholder)))

    def substitute(self, **fields: Any) -> Model:
        """The same model, on the same unknowns, with fields of other models in place of its placeholders.

        Args:
            fields: a Function or UFL expression for each placeholder, by its name.

        Raises:
            UnknownName: for a name that no placeholder has.
            ParameterError: for a field of another shape.
        """
        found = {c.name: c for c in self.residual.coefficients() if isinstance(c, Placeholder)}
        for name, field in fields.items():
            if name not in found:
                raise UnknownName(name, f"the {self.name} model, among its placeholders,", found)
            if isinstance(field, Model):
                msg = f"{name} = the {field.name} model, must be one of its fields, such as model[{field.names[0]!r}]"
                raise ParameterError(msg)
            if ufl.as_ufl(field).ufl_shape != found[name].ufl_shape:
                msg = f"{name} of shape {ufl.as_ufl(field).ufl_shape}, must be {found[name].ufl_shape}"
                raise ParameterError(msg)
        put = {found[name]: field for name, field in fields.items()}
        found_model = Model(
            self.name,
            self.domain,
            self.unknowns,
            ufl.replace(self.residual, put),
            conditions=self.conditions,
            expressions={name: ufl.replace(e, put) for name, e in self.expressions.items()},
            quantities={
                name: replace(q, value=ufl.replace(q.value, put)) if isinstance(q.value, ufl.Form) else q
                for name, q in self.quantities.items()
            },
            drivers=self.drivers,
            steady_by_relaxation=self.steady_by_relaxation,
            no_steady_state_reason=self.no_steady_state_reason,
            balances={name: balance.replaced(put) for name, balance in self.balances.items()},
            resolutions=self.resolutions,
            system=self._given_system,
            meanings=self._meanings,
        )
        found_model.put = {**self.put, **put}
        return found_model

    def quantity(self, name: str) -> float:
        """The number `name` of the present state, reduced over all ranks. Collective.

        Raises:
            UnknownName: if there is none; the message lists the names.
            ParameterError: if it hangs on a field of another model that is not solved for yet.
        """
        if name not in self.quantities:
            raise UnknownName(name, f"the {self.name} model", self.quantities)
        value = self.quantities[name].value
        if isinstance(value, ufl.Form):
            self._check_known(name, value)
        if callable(value) and not isinstance(value, ufl.Form):
            return float(value(self) if self.quantities[name].of_model else value())
        if name not in self._compiled:
            self._compiled[name] = fem.form(value)
        return fields.integral(self._compiled[name], self.mesh.comm)

    def set_time(self, t: float) -> None:
        """Give every coefficient that depends on time its value at t.

        Raises:
            ParameterError: if one is not finite then, or of another shape than at the start.
        """
        for driver in self.drivers:
            value = floats(driver.name, driver.of_time(t))
            if not np.isfinite(value).all():
                msg = f"{driver.name} = {value.tolist()} at t = {t:g}, must be finite"
                raise ParameterError(msg)
            if value.shape != driver.constant.ufl_shape:
                was = driver.constant.ufl_shape
                msg = f"{driver.name} of shape {value.shape} at t = {t:g}, must be of shape {was} as at the start"
                raise ParameterError(msg)
            driver.constant.value = value

    def bounds_violation(self, *, searching: bool = False) -> str | None:
        """Which unknown is not finite or not inside its bounds, the same on all ranks; None if all are. Collective.

        Args:
            searching: on the way to a steady state, where the wider bounds count.
        """
        for unknown in self.unknowns:
            low, high = fields.extremes(unknown.function)
            lowest, highest = unknown.search_bounds if searching and unknown.search_bounds else unknown.bounds
            if not (lowest < low and high < highest):
                told = f"{unknown.name} left its bounds ({lowest:g}, {highest:g})"
                why = unknown.bounds_message(low, high) if callable(unknown.bounds_message) else unknown.bounds_message
                return f"{told}: {why}" if why else told
        return None

    def __str__(self) -> str:
        """The model and what it can tell."""
        return f"{self.name} model: fields {', '.join(self.names)}; quantities {', '.join(self.quantities)}"

    def __repr__(self) -> str:
        """One line."""
        units = f"units: {self.system}"
        return f"<{self.name} model on {self.domain.shape}, t = {self.t:g}; {', '.join(self.names)}; {units}>"
