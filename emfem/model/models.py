"""A model: unknowns, one residual, conditions and quantities. It knows no solver, no file and no clock."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from emfem import fields
from emfem.dimensions import Meaning, System, Value, printed
from emfem.errors import EmfemError, ParameterError, UnknownName, choice
from emfem.gate import checked, collective
from emfem.mesh import Domain
from emfem.model.coefficients import Driver
from emfem.model.conditions import DirichletCondition
from emfem.model.described import Field, Quantity, html_table
from emfem.model.fluxes import Balance
from emfem.model.preconditioner import Preconditioner, as_preconditioners
from emfem.model.resolution import Resolution
from emfem.model.unknowns import Placeholder, Unknown

import dolfinx
import numpy as np
import ufl
from dolfinx import fem


@checked
class Model:
    """Unknowns u with residual F(t, u, du/dt; v) = 0 for every test function v.

    `model["name"]` is an unknown or a derived field; `model.quantity("name")` is a float, the same on all ranks.

    Attributes:
        name: of the physics.
        domain: with the mesh.
        unknowns: the fields it solves for.
        residual: the UFL form F, its tests those of `tests(unknowns)`.
        conditions: Dirichlet values.
        expressions: derived fields, UFL.
        quantities: numbers by name, each with unit and label.
        drivers: coefficients that follow time.
        steady_by_relaxation: there are many steady states (such as one for each amount of solute); the one that the
            model relaxes to is wanted.
        no_steady_state_reason: why it has no steady state, one sentence; empty if it may have one.
        balances: conserved amounts, for `em.balance` and `em.accumulate`.
        resolutions: numbers that its mesh must resolve.
        roles: names of fields that reports and pictures treat in a way of their own, by role: "pattern" (measured as
            one in a plane), "potential" and "current" (drawn with lines of current), "metal" (part of a place that a
            moving surface leaves to it: fields of other models are drawn where it is above 1/2).
        warned: names of the resolutions that were warned of.
        preconditioners: structure of its linear systems, for solvers whose cost grows as the mesh does.
        graded: coefficients of coupled equations differ by orders of magnitude from place to place: a factorisation
            must match rows and columns by size.
        substitutions: fields that `substitute` put in place of placeholders.
        system: of units: SI, scaled and by which lengths, or not known.
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
        conditions: Sequence[DirichletCondition] = (),
        expressions: Mapping[str, Any] | None = None,
        quantities: Mapping[str, Quantity] | None = None,
        drivers: Sequence[Driver] = (),
        steady_by_relaxation: bool = False,
        no_steady_state_reason: str = "",
        balances: Mapping[str, Balance] | None = None,
        resolutions: Sequence[Resolution] = (),
        roles: Mapping[str, str] | None = None,
        system: System | None = None,
        meanings: Mapping[str, Meaning] | None = None,
        preconditioner: Preconditioner | Sequence[Preconditioner] | None = None,
        graded: bool = False,
    ) -> None:
        """Gather the parts; nothing is compiled yet.

        Without a system the units of quantities and fields stay as they are; with one they are those of a body in
        space, and become those of the domain.
        """
        self.name, self.domain = name, domain
        self.unknowns, self.residual = tuple(unknowns), residual
        self.conditions = tuple(conditions)
        self.expressions = dict(expressions or {})
        self.quantities = dict(quantities or {})
        self.steady_by_relaxation, self.no_steady_state_reason = steady_by_relaxation, no_steady_state_reason
        self.balances = dict(balances or {})
        self.resolutions, self.warned = tuple(resolutions), set[str]()
        self.roles = dict(roles or {})
        self.preconditioners, self.graded = as_preconditioners(preconditioner), graded
        self.substitutions: dict[Any, Any] = {}
        self._check_meshes()
        self.t = 0.0
        self.drivers = tuple(drivers)
        self._compiled: dict[str, fem.Form] = {}
        self._set_meanings(system, meanings or {})
        for condition in self.conditions:
            condition.apply()

    def _set_meanings(self, system: System | None, meanings: Mapping[str, Meaning]) -> None:
        """Set the meaning of every quantity and field here; a Function carries it, so that pictures know."""
        self._system, self.system = system, system or self.domain.system()
        self.quantities = {name: replace(q, meaning=self.here(q.meaning, name)) for name, q in self.quantities.items()}
        self._meanings = {
            name: self.here(
                meanings.get(name, Meaning()), name, vector=ufl.as_ufl(self[name]).ufl_shape not in ((), (1,))
            )
            for name in self.names
        }
        for unknown in self.unknowns:
            unknown.function.meaning = self._meanings[unknown.name]

    @checked
    def here(self, meaning: Meaning | str, name: str = "", *, vector: bool = False) -> Meaning:
        """Return the meaning in this model, on its domain, of a meaning or unit for a body in space."""
        body = Meaning(si=meaning) if isinstance(meaning, str) else meaning
        measure = body.measure if self._system is None else self.domain.measure
        return replace(body, system=self._system or body.system, measure=measure, symbol=name, vector=vector)

    @property
    def fields(self) -> dict[str, Field]:
        """Unknowns and derived fields by name, each with its meaning."""
        return {name: Field(self[name], meaning) for name, meaning in self._meanings.items()}

    def _check_meshes(self) -> None:
        """Refuse coefficients of another mesh."""
        for c in self.residual.coefficients():
            if c.function_space.mesh is not self.domain.mesh:
                msg = f"the {self.name} model uses {c.name}, must be a field on its own mesh: it is on another"
                raise ParameterError(msg)

    def _check_known(self, name: str, value: ufl.Form) -> None:
        """Refuse a functional of a field of another model that is not solved for."""
        mine = [unknown.function for unknown in self.unknowns]
        for c in value.coefficients():
            if not getattr(c, "known", True) and not any(c is function for function in mine):
                msg = f"{name} of the {self.name} model depends on {c.name}, which is not solved yet: solve it first"
                raise ParameterError(msg)

    def is_known(self) -> bool:
        """Return True if every unknown has a value."""
        return all(getattr(unknown.function, "known", True) for unknown in self.unknowns)

    def check_solved(self) -> None:
        """Refuse a model that is not solved.

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
        """Return the unknown or derived field `name`.

        Raises:
            UnknownName: if there is none; the message lists the names.
        """
        choice(f"the {self.name} model", name, self.names)
        return next((unknown.function for unknown in self.unknowns if unknown.name == name), self.expressions.get(name))

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the placeholders in its residual."""
        return tuple(sorted(c.name for c in self.residual.coefficients() if isinstance(c, Placeholder)))

    def substitute(self, **fields: Any) -> Model:
        """Return the same model, on the same unknowns, with fields of other models in place of its placeholders.

        Args:
            fields: a Function or UFL expression for each placeholder, by its name.

        Raises:
            UnknownName: for a name that no placeholder has.
            ParameterError: for a field of another shape.
        """
        known = {c.name: c for c in self.residual.coefficients() if isinstance(c, Placeholder)}
        for name, field in fields.items():
            if name not in known:
                raise UnknownName(name, f"the {self.name} model, among its placeholders,", known)
            refuse_model(name, field)
            if ufl.as_ufl(field).ufl_shape != known[name].ufl_shape:
                msg = f"{name} of shape {ufl.as_ufl(field).ufl_shape}, must be {known[name].ufl_shape}"
                raise ParameterError(msg)
        new = {known[name]: field for name, field in fields.items()}
        made = copy.copy(self)
        made.residual = ufl.replace(self.residual, new)
        made.expressions = {name: ufl.replace(e, new) for name, e in self.expressions.items()}
        made.quantities = {
            name: replace(q, value=ufl.replace(q.value, new)) if isinstance(q.value, ufl.Form) else q
            for name, q in self.quantities.items()
        }
        made.balances = {name: balance.replaced(new) for name, balance in self.balances.items()}
        made.preconditioners = tuple(each.replaced(new) for each in self.preconditioners)
        made.substitutions = {**self.substitutions, **new}
        made.t, made.warned, made._compiled = 0.0, set(), {}
        made._check_meshes()
        return made

    def quantity(self, name: str) -> float:
        """Return the number `name` of the present state, the same on all ranks. Collective.

        Raises:
            UnknownName: if there is none; the message lists the names.
            ParameterError: if it depends on a field of another model that is not solved for yet.
        """
        choice(f"the {self.name} model", name, self.quantities)
        value = self.quantities[name].value
        if isinstance(value, ufl.Form):
            self._check_known(name, value)
        if callable(value) and not isinstance(value, ufl.Form):
            return float(value(self) if self.quantities[name].of_model else value())
        if name not in self._compiled:
            self._compiled[name] = fem.form(value)
        return fields.integral(self._compiled[name], self.mesh.comm)

    def values(self) -> dict[str, float]:
        """Return all quantities of the present state by name. Collective.

        Raises:
            ParameterError: if one depends on a field of another model that is not solved for yet.
        """
        return {name: self.quantity(name) for name in self.quantities}

    @checked
    def set_time(self, t: float) -> None:
        """Set every coefficient that depends on time to its value at t. Collective.

        Raises:
            ParameterError: if one is not finite then, of another shape than at the start, or differs between ranks.
        """
        if self.drivers:
            with collective(self.mesh.comm) as same:  # a function of the user may fail on one rank only
                values = [driver.value(t) for driver in self.drivers]
                same |= {f"{d.name} at t = {t:g}": v for d, v in zip(self.drivers, values, strict=True)}
            for driver, value in zip(self.drivers, values, strict=True):
                driver.constant.value = value

    @checked
    def bounds_violation(self, *, searching: bool = False) -> str | None:
        """Return a sentence on an unknown that is not finite or left its bounds; None if all are inside. Collective.

        Args:
            searching: apply the wider bounds of a search for a steady state.
        """
        for unknown in self.unknowns:
            for lowest, highest, within in unknown.limits(searching=searching):
                low, high = fields.extremes(unknown.function, within)
                if not (lowest < low and high < highest):
                    place = self._farthest(unknown, lowest, highest, within)
                    message = f"{unknown.name} left its bounds ({lowest:g}, {highest:g}){place}"
                    reason = unknown.bounds_message
                    why = reason(low, high) if callable(reason) else reason
                    return f"{message}: {why}" if why else message
        return None

    def _farthest(self, unknown: Unknown, lowest: float, highest: float, within: fem.Function | None) -> str:
        """Return where an unknown is farthest beyond bounds, and its value there, as part of a sentence. Collective."""
        value, place = fields.farthest_out(unknown.function, lowest, highest, within)
        length = printed(self.system.length)
        where = "" if place is None else f" at ({', '.join(f'{x:.4g}' for x in place)}) {length}".rstrip()
        return f"{where}, {unknown.name} = {Value(value, self.fields[unknown.name].unit)}"

    def __str__(self) -> str:
        """Model with the names of its fields and quantities."""
        return f"{self.name} model: fields {', '.join(self.names)}; quantities {', '.join(self.quantities)}"

    def __repr__(self) -> str:
        """One line."""
        units = f"units: {self.system}"
        return f"<{self.name} model on {self.domain.shape}, t = {self.t:g}; {', '.join(self.names)}; {units}>"

    def _repr_html_(self) -> str:
        """Tables of fields with their ranges and of quantities with their values, for notebooks.

        On several ranks without numbers: those are collective, and a notebook shows a model on one of them.
        """
        fields = [(f.symbol, f.label, self._range(name), printed(f.unit)) for name, f in self.fields.items()]
        numbers = [(name, q.label, self._shown(name), printed(q.unit)) for name, q in self.quantities.items()]
        caption = f"{self.name} model on {self.domain.shape}, t = {self.t:g}; units: {self.system}"
        return html_table(("field", "", "range", "unit"), fields, caption) + html_table(
            ("quantity", "", "value", "unit"), numbers
        )

    def _shown(self, name: str) -> str:
        """Return the value of a quantity as text."""
        if self.mesh.comm.size > 1:
            return ""
        try:
            return f"{self.quantity(name):.6g}" if self.is_known() and not self.missing else "not solved yet"
        except (EmfemError, ArithmeticError):  # of an unsolved field of another model, or without a value in this state
            return "not known"

    def _range(self, name: str) -> str:
        """Return the range of a field, of a vector that of its length, as text."""
        if self.mesh.comm.size > 1:
            return ""
        if not self.is_known() or self.missing:
            return "not solved yet"
        function = fields.sampled(self[name])
        values = np.linalg.norm(function.x.array.reshape(-1, function.function_space.dofmap.index_map_bs), axis=1)
        low, high = (values.min(), values.max()) if function.ufl_shape else fields.extremes(function)
        return f"{low:.4g} to {high:.4g}"


@checked
def refuse_model(name: str, value: Any) -> None:
    """Refuse a model where one of its fields is needed.

    Raises:
        ParameterError: if the value is a model.
    """
    if isinstance(value, Model):
        msg = f"{name} = the {value.name} model, must be one of its fields, such as model[{value.names[0]!r}]"
        raise ParameterError(msg)
