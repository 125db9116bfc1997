"""Balances of what models conserve: rate of change = made - out, at a moment and over a whole run.

Each term has its own path. The stored amount is a functional of the unknowns, and its rate is the functional's
derivative along the discrete rates. What is made, and what passes boundaries with a given flux, are integrals. What
passes boundaries where values are held is the residual of their nodes. That these add up to 0 says that the discrete
equations conserve the amount, that nothing is counted twice or forgotten, and that the rates were solved for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emfem import fields
from emfem.dimensions import PLAIN, SI, Meaning, product
from emfem.errors import ParameterError, UnknownName, kind
from emfem.model.consistent_flux import ConsistentFlux
from emfem.model.fluxes import total_through, weighted
from emfem.model.models import Model, Quantity
from emfem.model.unknowns import Unknown, evolving, tests

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Balance:
    """d(stored)/dt = sum of made - sum of out, as the discrete equations of a model have it.

    Attributes:
        stored: the amount, a functional of the unknowns; None for a model that stores nothing.
        meaning: of the amount; where nothing is stored, of the flows; or a unit.
        reactions: of the unknowns whose equations, tested with 1 and scaled, add up to the balance.
        out: the flows out through boundaries where nothing is held, functionals by name.
        made: what is made inside, negative if lost, functionals by name.
    """

    stored: ufl.Form | None
    meaning: Meaning | str
    reactions: tuple[ConsistentFlux, ...] = ()
    out: Mapping[str, ufl.Form] = field(default_factory=dict)
    made: Mapping[str, ufl.Form] = field(default_factory=dict)

    def replaced(self, put: Mapping[Any, Any]) -> Balance:
        """The same balance with other coefficients in its functionals."""
        out, made = ({k: ufl.replace(f, put) for k, f in forms.items()} for forms in (self.out, self.made))
        stored = None if self.stored is None else ufl.replace(self.stored, put)
        return Balance(stored, self.meaning, self.reactions, out, made)

    def held(self, model: Model) -> tuple[str, ...]:
        """Names of the boundaries where an unknown of it is held."""
        found = {name for reaction in self.reactions for name in reaction.boundaries}
        return tuple(name for name in model.domain.names if name in found)

    def crossings(self, model: Model) -> bool:
        """Whether anything is made inside or may pass a boundary."""
        return bool(self.held(model) or self.out or self.made)


@dataclass(frozen=True)
class Flows:
    """The terms of a balance at one time; `print` shows them.

    Attributes:
        name: of what is conserved.
        rate: at which the stored amount changes; 0 for what stores nothing.
        out: flow out of the domain through each boundary that is not blocked.
        made: flow from each source inside, negative if lost.
        gross: sum of the sizes of all terms, changes of the amount counted node by node.
        unit: of all terms, "-" where none is known.
    """

    name: str
    rate: float
    out: Mapping[str, float]
    made: Mapping[str, float]
    gross: float
    unit: str

    @property
    def imbalance(self) -> float:
        """In - out - change: sum of made - sum of out - rate."""
        return sum(self.made.values()) - sum(self.out.values()) - self.rate

    @property
    def relative(self) -> float:
        """The size of the imbalance over `gross`; 0 where nothing flows."""
        return abs(self.imbalance) / self.gross if self.gross > 0 else 0.0

    def __str__(self) -> str:
        """A line for each term."""
        rows = [("rate of change", self.rate)]
        rows += [(f"made: {name}", flow) for name, flow in self.made.items()]
        rows += [(f"out: {name}", flow) for name, flow in self.out.items()]
        rows += [("in - out - change", self.imbalance)]
        wide = max(len(label) for label, _ in rows)
        told = [f"{label.ljust(wide)}  {flow: .9g}" for label, flow in rows]
        unit = "" if self.unit == PLAIN else f" [{self.unit}]"
        return "\n".join([f"balance of {self.name}{unit}, relative imbalance {self.relative:.1e}", *told])


def balance(model: Model, name: str | None = None) -> Flows:
    """The balance of what a model conserves, in its present state: rate of change, what is made, what goes out.

    To rounding of the terms where the model is solved: `em.solve_steady` and the end of `em.evolve` leave it so. Where
    the amount is not linear in the unknowns (heat with a heat capacity that follows T), to the accuracy with which its
    functional is differentiated. Collective.

    Args:
        model: any that conserves something.
        name: of what it conserves; may be left out where there is only one.

    Raises:
        UnknownName: if it does not conserve that; the message lists what it does.
        ParameterError: if the model is not solved yet.
    """
    name, sheet = _chosen(model, name)
    model.check_solved()
    held = sheet.held(model)
    out = {boundary: total_through(_at(sheet, boundary), boundary, model) for boundary in held}
    out |= {boundary: _value(model, form) for boundary, form in sheet.out.items()}
    made = {source: _value(model, form) for source, form in sheet.made.items()}
    rate = gross = 0.0
    for reaction in sheet.reactions if sheet.stored is not None else ():
        slope, rates = _slope(sheet.stored, reaction.unknown), reaction.solve(model)[1]
        rate += model.mesh.comm.allreduce(float(slope @ rates))
        gross += model.mesh.comm.allreduce(float(np.abs(slope) @ np.abs(rates)))
    gross += sum(map(abs, [*out.values(), *made.values()]))
    unit = model.here(sheet.meaning).unit
    if sheet.stored is not None and model.system == SI:
        unit = product(unit, seconds=-1)
    return Flows(name, rate, out, made, gross, unit)


def accumulate(model: Model, name: str | None = None) -> Model:
    """A model of what a run lets through each boundary and makes inside, for `em.evolve([model, accumulated], ...)`.

    Its unknowns are the time integrals of the terms of `balance`, one number each, which start at 0. They are stepped
    with the model by the same scheme, which keeps sums of unknowns exactly: in - out - change closes to rounding over
    any number of steps, whatever their error, if the amount is linear in the unknowns. Each integral alone is as exact
    as the steps.

    Quantities, after the name of what is conserved: `NAME out BOUNDARY` for each boundary that is not blocked,
    `NAME made SOURCE` for each source, `NAME change` (of the stored amount since it was made), `NAME imbalance`
    (in - out - change) and `NAME turnover` (the sum of the sizes of all terms, changes counted node by node).

    Args:
        model: any that conserves something and evolves.
        name: of what it conserves; may be left out where there is only one.

    Raises:
        UnknownName: if it does not conserve that; the message lists what it does.
        ParameterError: for a model without a time, or one with placeholders.
    """
    name, sheet = _chosen(model, name)
    if sheet.stored is None:
        msg = f"the {model.name} model stores no {name}, must evolve: em.balance(model) tells its flows"
        raise ParameterError(msg)
    if model.missing:
        msg = f"the {model.name} model lacks {', '.join(model.missing)}: put a field there first, model.substitute(...)"
        raise ParameterError(msg)
    held = sheet.held(model)
    if not sheet.crossings(model):
        msg = f"{name} of the {model.name} model passes no boundary, must have one that is open: it is conserved"
        raise ParameterError(msg)
    domain, book = model.domain, _Book(model, sheet)
    space = fem.functionspace(domain.mesh, basix.ufl.real_element(domain.mesh.basix_cell(), ()))
    out = [f"{name} out {boundary}" for boundary in (*held, *sheet.out)]
    made = [f"{name} made {source}" for source in sheet.made]
    unknowns = [evolving(label, space, scale=book.typical) for label in (*out, *made)]
    terms = [sum(reaction.form(boundary, model) for reaction in _at(sheet, boundary)) for boundary in held]
    terms += [*sheet.out.values(), *sheet.made.values()]
    dx = domain.dx(2)  # FFCx takes what it has at a single point for the points of the other rules of a form
    volume = fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * dx), domain.mesh.comm)
    per_volume = fem.Constant(domain.mesh, 1 / volume)
    residual = sum(
        per_volume * unknown.rate * w * dx - weighted(term, w)
        for unknown, w, term in zip(unknowns, tests(unknowns), terms, strict=True)
    )
    totals = {unknown.name: partial(_number, unknown.function) for unknown in unknowns}

    def imbalance() -> float:
        return sum(totals[label]() for label in made) - sum(totals[label]() for label in out) - book.change()

    def turnover() -> float:
        return sum(abs(total()) for total in totals.values()) + book.moved()

    told = {**totals, f"{name} change": book.change, f"{name} imbalance": imbalance, f"{name} turnover": turnover}
    quantities = {label: Quantity(value, sheet.meaning) for label, value in told.items()}
    found = Model(
        f"{name} accumulated",
        domain,
        unknowns,
        residual,
        quantities=quantities,
        drivers=model.drivers,
        system=model.system,
    )
    found.t = model.t
    return found


class _Book:
    """The stored amount of a model since now.

    Attributes:
        typical: a size of the amount, above 0.
    """

    def __init__(self, model: Model, sheet: Balance) -> None:
        """Remember the present state. Collective."""
        assert sheet.stored is not None
        self._comm, self._stored = model.mesh.comm, fem.form(sheet.stored)
        parts = [(_slope(sheet.stored, reaction.unknown), reaction.unknown) for reaction in sheet.reactions]
        self._parts = [(slope, unknown, _owned(unknown).copy()) for slope, unknown in parts]
        self._begun = fields.integral(self._stored, self._comm)
        spread = [self._comm.allreduce(float(np.abs(slope).sum())) * unknown.scale for slope, unknown in parts]
        self.typical = max(abs(self._begun), *spread) or 1.0

    def change(self) -> float:
        """By how much the amount has changed. Collective."""
        return fields.integral(self._stored, self._comm) - self._begun

    def moved(self) -> float:
        """The sum of the sizes of the changes at the nodes. Collective."""
        changes = [float(np.abs(slope) @ np.abs(_owned(u) - start)) for slope, u, start in self._parts]
        return self._comm.allreduce(sum(changes))


def _chosen(model: Model, name: str | None) -> tuple[str, Balance]:
    """The balance called `name`, or the only one."""
    kind("model", model, Model, "a model of emfem")
    known = tuple(model.balances)
    if name is None and len(known) == 1:
        (name,) = known
    if name is None and known:
        msg = f"name = None, must be one of {', '.join(known)}: the {model.name} model conserves several amounts"
        raise ParameterError(msg)
    if name not in known:
        raise UnknownName(name, f"the {model.name} model, among what it conserves,", known)
    return name, model.balances[name]


def _at(sheet: Balance, boundary: str) -> list[ConsistentFlux]:
    """The reactions of a boundary."""
    return [reaction for reaction in sheet.reactions if boundary in reaction.boundaries]


def _value(model: Model, form: ufl.Form) -> float:
    """A functional of the present state. Collective."""
    return fields.integral(fem.form(form), model.mesh.comm)


def _owned(unknown: Unknown) -> NDArray[np.float64]:
    """The values of an unknown of this rank."""
    dofs = unknown.function.function_space.dofmap
    return unknown.function.x.array[: dofs.index_map.size_local * dofs.index_map_bs]


def _slope(stored: ufl.Form, unknown: Unknown) -> NDArray[np.float64]:
    """The derivative of a functional by the values of an unknown of this rank. Collective."""
    form = ufl.derivative(stored, unknown.function, ufl.TestFunction(unknown.function.function_space))
    vector = fem.assemble_vector(fem.form(form))
    vector.scatter_reverse(la.InsertMode.add)
    return vector.array[: len(_owned(unknown))].copy()


def _number(function: fem.Function) -> float:
    """The one value of a function of a real space. Collective."""
    return fields.extremes(function)[1]
