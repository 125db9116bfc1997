"""Models as one system: which may be solved together, their blocks, and the names of these."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.model import Model, Unknown

import ufl
from dolfinx import fem
from ufl.algorithms import expand_derivatives


@checked
def as_models(models: Model | Sequence[Model]) -> tuple[Model, ...]:
    """Return one model or several as a tuple.

    Raises:
        ParameterError: if there is none, one twice or something else among them, or they are at different times.
    """
    checked = tuple(models) if isinstance(models, Sequence) else (models,)
    if not checked or not all(isinstance(m, Model) for m in checked) or len(set(checked)) != len(checked):
        msg = f"models = {models!r}, must be a model or a sequence of different models"
        raise ParameterError(msg)
    functions = {unknown.function for model in checked for unknown in model.unknowns}
    for model in checked:
        if model.missing:
            missing = ", ".join(model.missing)
            msg = f"the {model.name} model lacks {missing}: put a field there, model.substitute({model.missing[0]}=...)"
            raise ParameterError(msg)
        for c in model.residual.coefficients():
            if not getattr(c, "known", True) and c not in functions:
                msg = f"the {model.name} model uses {c.name} of a model that is not solved: solve it first, or with it"
                raise ParameterError(msg)
    if len({m.t for m in checked}) != 1:
        msg = f"models at t = {', '.join(f'{m.t:g}' for m in checked)}, must be at the same time"
        raise ParameterError(msg)
    return checked


def derivative(residual: ufl.Form, unknown: Unknown, shift: fem.Constant) -> ufl.Form | None:
    """Return the form shift * d(residual)/d(rate) + d(residual)/d(value), or None if it depends on neither."""
    trial = ufl.TrialFunction(unknown.function.function_space)
    form = ufl.derivative(residual, unknown.function, trial)
    if unknown.rate is not None:
        form += ufl.derivative(residual, unknown.rate, shift * trial)
    form = expand_derivatives(form)
    return None if form.empty() else form


def residual_blocks(model: Model) -> list[ufl.Form]:
    """Return the residual of a model, one form for each unknown."""
    return [model.residual] if len(model.unknowns) == 1 else list(ufl.extract_blocks(model.residual))


def option_names(models: Sequence[Model]) -> list[str]:
    """Return the name of each unknown in PETSc's options, the shortest that no other has."""
    owners = [(i, model.name, unknown.name) for i, model in enumerate(models, 1) for unknown in model.unknowns]
    columns = [[text.format(*owner).replace(" ", "_") for owner in owners] for text in ("{2}", "{1}.{2}", "{1}{0}.{2}")]
    return [next(name for names, name in zip(columns, row, strict=True) if names.count(name) == 1)
            for row in zip(*columns, strict=True)]  # fmt: skip
