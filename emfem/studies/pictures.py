"""Pictures of a run: fields of its models, each as the field is drawn best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emfem import fields, observe, plot
from emfem.model import Model

import ufl
from dolfinx import fem

__all__ = ["function", "picture", "pictures", "scalar"]


def pictures(models: Sequence[Model], names: Sequence[str] | None, folder: Path, *, titled: bool) -> None:
    """Draw fields, the first as final.png, the others as final-NAME.png; without names the first one. Collective."""
    if names is None:
        names = (models[-1].names[0],)
    names = [name for name in names if any(name in model.names for model in models)]  # a void may not have opened
    for i, name in enumerate(names):
        title = plot.labels.time(models[0]) if titled else ""
        picture(models, name, folder / (f"final-{name}.png" if i else "final.png"), title)


def picture(models: Sequence[Model], name: str, path: Path, title: str = "", component: str | None = None) -> Path:
    """Draw a field: the current of a conductor with its lines, of a vector its length or a component. Collective."""
    model_with_field = observe.model_with_field(models, name)
    if (
        component is None
        and name in ("phi", "j")
        and "current" in model_with_field.roles
        and model_with_field.mesh.topology.dim == 2
    ):
        over = {"over": model_with_field["phi"], "lines": 8} if name == "phi" else {}
        plot.current(model_with_field, path, title=title, **over)
    else:
        around = observe.metal_around(models, name)
        solid = None if around is None else observe.model_with_field(models, around)[around]
        turned = model_with_field.domain.turned
        shown = function if component else scalar
        plot.field(shown(model_with_field, name), path, component=component, title=title, solid=solid, mirror=turned)
    return path


def scalar(model: Model, name: str) -> fem.Function:
    """Return a field of a model as a scalar Function, of a vector or tensor its length."""
    field = function(model, name)
    if field.ufl_shape == ():
        return field
    length = fields.discontinuous(ufl.sqrt(ufl.inner(field, field)), model.mesh, _degree(model))
    length.name, length.meaning = name, replace(model.fields[name].meaning, vector=True)
    return length


def function(model: Model, name: str) -> fem.Function:
    """Return a field of a model as a Function: an unknown itself, of a derived field its values, cell by cell."""
    field = model[name]
    if isinstance(field, fem.Function):
        return field
    made = fields.discontinuous(field, model.mesh, _degree(model))
    made.name, made.meaning = name, model.fields[name].meaning
    return made


def _degree(model: Model) -> int:
    return max(u.function.function_space.element.basix_element.degree for u in model.unknowns)
