"""A solved conduction model in one picture: where the current flows, how densely, and between which electrodes."""

from __future__ import annotations

import os
from pathlib import Path

from emfem import fields
from emfem.errors import ParameterError, count, kind
from emfem.files import writable
from emfem.model import Model
from emfem.plot import cells, style
from emfem.plot.lines import Inflow, inflow, shares, stream, walker
from emfem.plot.pieces import Floats, Pieces, pieces
from emfem.plot.scenes import Scene, figure_of

import numpy as np
import ufl
from dolfinx import fem

COMMON, PEAK = 0.98, 4.0  # the share of the domain that sets the scale of |j| if the peak is so many times higher
STILL = 1e-10  # relative differences of potential or current that are but round-off


def current(
    model: Model,
    path: str | os.PathLike[str],
    *,
    over: fem.Function | None = None,
    title: str = "",
    lines: int = 20,
) -> Path:
    """Draw a solved conduction model as a PNG: current density, equipotentials, stream lines and electrodes.

    Every stream line carries the same share of the current, so they are dense where the current is. They run from where
    it enters the domain to where it leaves. Equipotentials are dashed, at equal steps of the potential. Collective.

    Args:
        model: of `em.conduction.model`, after `em.solve_steady`.
        path: a name ending in .png; its folder is made.
        over: a scalar Function to colour by instead of |j|, such as film["c"].
        title: written above the picture.
        lines: number of stream lines; 0 for none.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: for a model without phi and j, a field with components, or a file that cannot be written.
    """
    kind("model", model, Model, "one of em.conduction.model")
    lines = count("lines", lines, at_least=0)
    if not {"phi", "j"} <= set(model.names):
        msg = f"the {model.name} model has {', '.join(model.names)}, must have phi and j, as conduction has"
        raise ParameterError(msg)
    model.check_solved()
    if over is not None:
        fields.is_function(over)
        cells.is_scalar(over)
    target = writable(path, ".png", comm=model.mesh.comm)
    degree = model["phi"].function_space.element.basix_element.degree
    fine = max(2, degree, model.mesh.geometry.cmaps[0].degree + 1)
    density = ufl.sqrt(ufl.inner(model["j"], model["j"]))
    potential = model["potential"] if "potential" in model.names else model["phi"]
    found = pieces(model.domain, fine, j=model["j"], density=density, phi=potential)
    gathered = None if over is None else fields.gather(over)
    ends = None if over is None else fields.extremes(over)
    electrodes = _electrodes(model)

    def render() -> None:
        assert found is not None
        cell = found if electrodes else found.opened(len(model.domain.names) + 1)  # a mean field drives it
        through = _ports(cell, model.domain.names, electrodes)
        drawn, told = _stream_lines(cell, through, lines)
        scene = Scene(
            found,
            model.domain.names,
            electrodes,
            drawn,
            told,
            gathered,
            ends or (0.0, _top(found)),
            "current density |j|" if over is None else over.name,
        )
        figure = figure_of(scene, model.domain.dim)
        heading = "\n".join(part for part in (title, told if drawn else "") if part)
        figure.suptitle(heading, fontsize=9)
        figure.savefig(target, dpi=style.DPI)

    style.draw(model.mesh.comm, render)
    return target


def _top(found: Pieces) -> float:
    """The end of the colour scale of |j|: its maximum, unless a singular corner alone has it; 1 if none flows."""
    values = found.values["density"]
    corners = found.points[found.simplices]
    edges = corners[:, 1:] - corners[:, :1]
    volumes = np.sqrt(np.linalg.det(np.einsum("nik,njk->nij", edges, edges)))
    means = values[found.simplices].mean(axis=1)
    order = np.argsort(means)
    most = float(means[order][np.searchsorted(np.cumsum(volumes[order]), COMMON * volumes.sum())])
    largest = float(values.max())
    if _still(found.values["phi"].min(), found.values["phi"].max()):
        return 1.0
    return largest if largest < PEAK * most else PEAK / 2 * most


def _still(low: float, high: float) -> bool:
    """Whether no current flows between such a lowest and highest potential, but for round-off."""
    return high - low <= STILL * max(abs(low), abs(high))


def _electrodes(model: Model) -> dict[str, str]:
    """What is known of each boundary through which current passes, by name. Collective."""
    held = {condition.boundary: condition.value for condition in model.conditions}
    told_of = {name.partition(" ")[2] for name in model.quantities if name.startswith(("voltage ", "current "))}
    names = [name for name in model.domain.names if name in held or name in told_of]
    told = {}
    out = {name: model.quantity(f"current {name}") for name in names if f"current {name}" in model.quantities}
    largest = max(map(abs, out.values()), default=0.0)
    still = _still(*fields.extremes(model["phi"]))
    for name in names:
        known = [name]
        if f"voltage {name}" in model.quantities:
            known.append(f"voltage {model.quantity(f'voltage {name}'):.4g}")
        elif name in held:
            known.append(f"voltage {float(held[name]):.4g}")
        if name in out:
            none = still or abs(out[name]) <= STILL * largest
            known.append("no current" if none else f"current {abs(out[name]):.4g} {'out' if out[name] > 0 else 'in'}")
        told[name] = ", ".join(known)
    return told


def _ports(found: Pieces, names: tuple[str, ...], electrodes: dict[str, str]) -> dict[int, Inflow]:
    """What flows in at each electrode, or through the opened seam of a periodic cell without any."""
    phi = found.values["phi"]
    if found.dim == 1 or _still(phi.min(), phi.max()):
        return {}
    walk = walker(found, "j", [])
    tags = [tag for tag, name in enumerate(names, start=1) if name in electrodes] or [len(names) + 1]
    return {tag: inflow(walk, tag) for tag in tags}


def _stream_lines(found: Pieces, ports: dict[int, Inflow], wanted: int) -> tuple[list[Floats], str]:
    """Lines that carry equal shares of the current, and what a share is, in words."""
    carried = sum(entered.rates.clip(min=0.0).sum() for entered in ports.values())
    if not wanted or not carried > 0:
        return [], ""
    walk = walker(found, "j", list(ports))
    share = np.array([entered.rates.clip(min=0.0).sum() for entered in ports.values()]) * wanted / carried
    each = share.astype(int)
    each[np.argsort(each - share)[: wanted - each.sum()]] += 1
    chosen = [
        shares(walk.at(entered.simplices, entered.weights), entered.rates.clip(min=0.0), int(n))
        for entered, n in zip(ports.values(), each, strict=True)
    ]
    simplices = np.concatenate([p.simplices[at] for p, at in zip(ports.values(), chosen, strict=True)])
    weights = np.concatenate([p.weights[at] for p, at in zip(ports.values(), chosen, strict=True)])
    lines = [line for line in stream(walk, simplices, weights) if np.nanstd(line, axis=0).any()]
    return lines, f"each line carries a current of {carried / wanted:.2g}"
