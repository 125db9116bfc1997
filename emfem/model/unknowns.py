"""Unknown fields of a model, and placeholders for fields of other models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import count
from emfem.gate import checked
from emfem.mesh import Domain

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

HIGHEST = 12  # degree of polynomials
LONGEST = 9  # components of a placeholder along an axis


@checked
@dataclass(frozen=True, eq=False)
class Unknown:
    """One unknown field of a model.

    Attributes:
        function: its value.
        rate: its time derivative; None for an algebraic unknown, which has none.
        bounds: of its values, exclusive; a step that leaves them is repeated with a smaller one.
        scale: a typical value; absolute errors of time steps are relative to it.
        bounds_message: reason to give when it leaves its bounds: a text, or a function of its lowest and highest value
            that returns one.
        search_bounds: wider bounds that hold during a search for a steady state; `bounds` when left out.
        unsteady: likely reason if no steady state is found, for messages.
        error_scale: of its values, what the relative error of a time step is a part of; |value| when left out.
        within: function that returns the part of each node that is metal: `bounds` hold where it is above 1/2, and
            elsewhere those of a search; everywhere when left out.
    """

    function: fem.Function
    rate: fem.Function | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)
    scale: float = 1.0
    bounds_message: str | Callable[[float, float], str] = ""
    search_bounds: tuple[float, float] | None = None
    unsteady: str = ""
    error_scale: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    within: Callable[[], fem.Function] | None = None

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.function.name

    def limits(self, *, searching: bool = False) -> list[tuple[float, float, fem.Function | None]]:
        """Return the bounds that hold now, each with the part of the nodes where it does, None for all."""
        widest = self.search_bounds or self.bounds
        if self.within is None or searching:
            return [(*(widest if searching else self.bounds), None)]
        return [(*widest, None), (*self.bounds, self.within())]


@checked
def evolving(
    name: str,
    space: fem.FunctionSpace,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    scale: float = 1.0,
    bounds_message: str | Callable[[float, float], str] = "",
    search_bounds: tuple[float, float] | None = None,
    unsteady: str = "",
    error_scale: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> Unknown:
    """Return an unknown whose time derivative is in the residual."""
    value, rate = fem.Function(space, name=name), fem.Function(space, name=f"rate of {name}")
    return Unknown(value, rate, bounds, scale, bounds_message, search_bounds, unsteady, error_scale)


@checked
def algebraic(name: str, space: fem.FunctionSpace) -> Unknown:
    """Return an unknown without a time derivative; its function has `known = False` until it is solved for."""
    function = fem.Function(space, name=name)
    function.known = False
    return Unknown(function)


def degree_of(value: Any) -> int:
    """Return a polynomial degree.

    Raises:
        ParameterError: unless it is a whole number from 1 to `HIGHEST`: the work on a cell grows as its sixth power.
    """
    return count("degree", value, at_least=1, at_most=HIGHEST)


@checked
def number_space(domain: Domain) -> fem.FunctionSpace:
    """Return the space of functions that are one number on the whole domain."""
    return fem.functionspace(domain.mesh, basix.ufl.real_element(domain.mesh.basix_cell(), ()))


@checked
def tests(unknowns: Sequence[Unknown]) -> Sequence[ufl.Argument]:
    """Return one test function per unknown, of one mixed space."""
    return ufl.TestFunctions(ufl.MixedFunctionSpace(*(u.function.function_space for u in unknowns)))


class Placeholder(fem.Function):
    """A field of another model, not known yet: `Model.substitute` replaces it in all forms."""


@checked
def placeholder(name: str, domain: Domain, shape: tuple[int, ...] = ()) -> Placeholder:
    """Return a field of a model that does not exist yet, for two models that each need a field of the other.

    Args:
        name: of the argument of `Model.substitute` that replaces it.
        domain: of both models.
        shape: () for a scalar, (dim,) for a vector.

    Raises:
        ParameterError: for lengths that are no whole numbers from 1 to 9.
    """
    lengths = tuple(count(f"shape[{i}]", n, at_least=1, at_most=LONGEST) for i, n in enumerate(shape))
    element = basix.ufl.element("Lagrange", domain.mesh.basix_cell(), 1, shape=lengths or None)
    return Placeholder(fem.functionspace(domain.mesh, element), name=name)
