"""Balances of conserved amounts: rate of change = made - out, at a moment and over a whole run.

Each term is computed in its own way. The stored amount is a functional of the unknowns, and its rate is the derivative
of the functional along the discrete rates. Sources, and flows through boundaries with a flux, are integrals. The flow
through a Dirichlet boundary is the residual of its nodes. If these add up to 0, the discrete equations conserve the
amount, nothing is counted twice or forgotten, and the rates were solved for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from emfem import fields
from emfem.dimensions import PLAIN, SI, product
from emfem.errors import ParameterError, UnknownName, kind
from emfem.gate import checked
from emfem.model.consistent_flux import ConsistentFlux
from emfem.model.described import Quantity
from emfem.model.fluxes import Balance, total_through, weighted
from emfem.model.models import Model
from emfem.model.scales import measure_size
from emfem.model.unknowns import Unknown, evolving, number_space, tests

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray


@checked
@dataclass(frozen=True)
class Flows:
    """The terms of a balance at one time; `print` shows them.

    Attributes:
        name: of the conserved amount.
        rate: of the stored amount; 0 where nothing is stored.
        out: flow out of the domain through each boundary that is not blocked.
        made: flow from each source inside, negative for a sink.
        gross: sum of the sizes of all terms, of the change node by node.
        unit: of all terms, "-" if none is known.
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
        """Size of the imbalance over `gross`; 0 where nothing flows."""
        return abs(self.imbalance) / self.gross if self.gross > 0 else 0.0

    def __str__(self) -> str:
        """Line for each term."""
        rows = [("rate of change", self.rate)]
        rows += [(f"made: {name}", flow) for name, flow in self.made.items()]
        rows += [(f"out: {name}", flow) for name, flow in self.out.items()]
        rows += [("in - out - change", self.imbalance)]
        wide = max(len(label) for label, _ in rows)
        lines = [f"{label.ljust(wide)}  {flow: .9g}" for label, flow in rows]
        unit = "" if self.unit == PLAIN else f" [{self.unit}]"
        return "\n".join([f"balance of {self.name}{unit}, relative imbalance {self.relative:.1e}", *lines])


@checked
def balance(model: Model, name: str | None = None) -> Flows:
    """Return the balance of a conserved amount of a model in its present state: rate of change, sources, flows out.

    It closes to rounding of the terms if the model is solved, as after `em.solve_steady` and `em.evolve`. Where the
    amount is not linear in the unknowns (heat with a heat capacity that follows T), it closes to the accuracy with
    which its functional is differentiated. Collective.

    Args:
        model: with a conserved amount.
        name: of the amount; may be left out where there is only one.

    Raises:
        UnknownName: if it does not conserve that; the message lists the amounts that it does.
        ParameterError: if the model is not solved yet.
    """
    name, sheet = _chosen(model, name)
    model.check_solved()
    dirichlet = sheet.dirichlet_boundaries(model.domain)
    out = {boundary: total_through(_at(sheet, boundary), boundary, model) for boundary in dirichlet}
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


@checked
def accumulate(model: Model, name: str | None = None) -> Model:
    """Return a model of the time integrals of a balance, for `em.evolve([model, accumulated], ...)`.

    Its unknowns are the time integrals of the terms of `balance`, one number each, which start at 0. They are stepped
    with the model by the same scheme, which conserves sums of unknowns exactly: in - out - change closes to rounding
    over any number of steps, whatever their error, if the amount is linear in the unknowns. Each integral alone is as
    exact as the steps.

    Quantities, after the name of the amount: `NAME out BOUNDARY` for each boundary that is not blocked, `NAME made
    SOURCE` for each source, `NAME change` (of the stored amount since the model was made), `NAME imbalance` (in - out -
    change) and `NAME turnover` (the sum of the sizes of all terms, of the change node by node).

    Args:
        model: with a conserved amount and a time derivative.
        name: of the amount; may be left out where there is only one.

    Raises:
        UnknownName: if it does not conserve that; the message lists the amounts that it does.
        ParameterError: for a model without a time, or one with placeholders.
    """
    name, sheet = _chosen(model, name)
    if sheet.stored is None:
        msg = f"the {model.name} model stores no {name}, must evolve: em.balance(model) has its flows"
        raise ParameterError(msg)
    if model.missing:
        msg = f"the {model.name} model lacks {', '.join(model.missing)}: put a field there first, model.substitute(...)"
        raise ParameterError(msg)
    dirichlet = sheet.dirichlet_boundaries(model.domain)
    if not sheet.is_open(model.domain):
        msg = f"{name} of the {model.name} model passes no boundary, must have one that is open: it is conserved"
        raise ParameterError(msg)
    domain, book = model.domain, _Book(model, sheet)
    space = number_space(domain)
    out = [f"{name} out {boundary}" for boundary in (*dirichlet, *sheet.out)]
    made = [f"{name} made {source}" for source in sheet.made]
    unknowns = [evolving(label, space, scale=book.typical) for label in (*out, *made)]
    terms = [sum(reaction.form(boundary, model) for reaction in _at(sheet, boundary)) for boundary in dirichlet]
    terms += [*sheet.out.values(), *sheet.made.values()]
    dx = domain.dx(2)  # with one point FFCx would use its value at the points of the other rules of a form
    per_volume = fem.Constant(domain.mesh, 1 / measure_size(domain, dx))
    residual = sum(
        per_volume * unknown.rate * w * dx - weighted(term, w)
        for unknown, w, term in zip(unknowns, tests(unknowns), terms, strict=True)
    )
    totals = {unknown.name: partial(_number_of, unknown.function) for unknown in unknowns}

    def imbalance() -> float:
        return sum(totals[label]() for label in made) - sum(totals[label]() for label in out) - book.change()

    def turnover() -> float:
        return sum(abs(total()) for total in totals.values()) + book.moved()

    sums = {**totals, f"{name} change": book.change, f"{name} imbalance": imbalance, f"{name} turnover": turnover}
    quantities = {label: Quantity(value, sheet.meaning) for label, value in sums.items()}
    title = f"{name} accumulated"
    made_model = Model(
        title, domain, unknowns, residual, quantities=quantities, drivers=model.drivers, system=model.system
    )
    made_model.t = model.t
    return made_model


class _Book:
    """The stored amount of a model, and its change since the object was made.

    Attributes:
        typical: size of the amount, above 0.
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
        """Return the change of the amount. Collective."""
        return fields.integral(self._stored, self._comm) - self._begun

    def moved(self) -> float:
        """Return the sum of the sizes of the changes at the nodes. Collective."""
        changes = [float(np.abs(slope) @ np.abs(_owned(u) - start)) for slope, u, start in self._parts]
        return self._comm.allreduce(sum(changes))


def _chosen(model: Model, name: str | None) -> tuple[str, Balance]:
    """Return the balance called `name`, or the only one."""
    kind("model", model, Model, "a model of emfem")
    known = tuple(model.balances)
    if name is None and len(known) == 1:
        (name,) = known
    if name is None and known:
        msg = f"name = None, must be one of {', '.join(known)}: the {model.name} model conserves several amounts"
        raise ParameterError(msg)
    if name not in known:
        raise UnknownName(name, f"the {model.name} model, among its balances,", known)
    return name, model.balances[name]


def _at(sheet: Balance, boundary: str) -> list[ConsistentFlux]:
    """Return the consistent fluxes of a boundary."""
    return [reaction for reaction in sheet.reactions if boundary in reaction.boundaries]


def _value(model: Model, form: ufl.Form) -> float:
    """Return a functional of the present state. Collective."""
    return fields.integral(fem.form(form), model.mesh.comm)


def _owned(unknown: Unknown) -> NDArray[np.float64]:
    """Return the values of an unknown that this rank owns."""
    dofs = unknown.function.function_space.dofmap
    return unknown.function.x.array[: dofs.index_map.size_local * dofs.index_map_bs]


def _slope(stored: ufl.Form, unknown: Unknown) -> NDArray[np.float64]:
    """Return the derivative of a functional by the values of an unknown that this rank owns. Collective."""
    form = ufl.derivative(stored, unknown.function, ufl.TestFunction(unknown.function.function_space))
    vector = fem.assemble_vector(fem.form(form))
    vector.scatter_reverse(la.InsertMode.add)
    return vector.array[: len(_owned(unknown))].copy()


def _number_of(function: fem.Function) -> float:
    """Return the one value of a function of a real space. Collective."""
    return fields.extremes(function)[1]
