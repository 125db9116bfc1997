"""Numbers as integrals, and vectors of their derivatives by functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.errors import ParameterError, UnknownName, require, shown
from emfem.model import Model

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray
from ufl.algorithms import expand_derivatives

type Array = NDArray[np.float64]


def number_form(models: Sequence[Model], of: Any) -> ufl.Form:
    """Return a number as a form of fields of the models.

    Args:
        models: the models.
        of: the name of a quantity, or a form.

    Raises:
        UnknownName: for a quantity that no model has.
        ParameterError: for one that is no integral, depends on rates, or on no unknown.
    """
    known = {name: q.value for model in models for name, q in model.quantities.items()}
    if isinstance(of, str) and of not in known:
        raise UnknownName(of, "these models, among their quantities,", known)
    form = known[of] if isinstance(of, str) else of
    if not isinstance(form, ufl.Form) or form.arguments():
        names = [name for name, value in known.items() if isinstance(value, ufl.Form)]
        msg = f"of = {shown(of)}, must be an integral: a UFL form without test functions"
        raise ParameterError(msg + (f", or one of {', '.join(names)}" if names else ""))
    unknowns, used = [u for model in models for u in model.unknowns], set(form.coefficients())
    require(not used & {u.rate for u in unknowns}, f"of = {shown(of)}, must not depend on rates")
    require(used & {u.function for u in unknowns}, f"of = {shown(of)}, must depend on an unknown of these models")
    return form


def derivative(forms: Sequence[ufl.Form], function: fem.Function) -> fem.Form | None:
    """Return the compiled derivative of a sum of numbers by a function; None if none depends on it."""
    test = ufl.TestFunction(function.function_space)
    made = expand_derivatives(sum((ufl.derivative(form, function, test) for form in forms), ufl.Form([])))
    return None if made.empty() else fem.form(made)


def assembled(form: fem.Form) -> Array:
    """Return the values of a linear form that this rank owns. Collective."""
    vector = fem.assemble_vector(form)
    vector.scatter_reverse(la.InsertMode.add)
    return np.asarray(vector.array[: vector.index_map.size_local * vector.block_size])
