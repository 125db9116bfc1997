"""A solved conduction model in one picture: where the current flows, how densely, and between which electrodes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from emfem import fields
from emfem.dimensions import printed
from emfem.errors import ParameterError, count, kind
from emfem.model import Model
from emfem.plot import cells, labels, style
from emfem.plot.labels import Shown
from emfem.plot.lines import Inflow, inflow, shares, stream, walker
from emfem.plot.pieces import Floats, Pieces, pieces
from emfem.plot.scenes import Scene, figure_of

import numpy as np
import ufl
from dolfinx import fem
from matplotlib.figure import Figure

COMMON, PEAK = 0.98, 4.0  # the share of the domain that sets the scale of |j| if the peak is so many times higher
STILL = 1e-10  # relative differences of potential or current that are but round-off


def current(
    model: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    over: fem.Function | None = None,
    title: str = "",
    lines: int = 20,
    label: str | None = None,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a solved conduction model: current density, equipotentials, stream lines and electrodes. Collective.

    Every stream line carries the same share of the current, so they are dense where the current is. They run from where
    it enters the domain to where it leaves. Equipotentials are dashed, at equal steps of the potential. Units are those
    of the model: in a plane without a thickness currents are in A/m.

    Args:
        model: of `em.conduction.model`, after `em.solve_steady`.
        path: as in `em.plot.field`.
        over: a scalar Function to colour by instead of |j|, such as film["c"].
        title: written above the picture.
        lines: number of stream lines; 0 for none.
        label: of the colour bar, with a unit, for values as they are; by what is drawn when left out.
        length: as in `em.plot.field`.
        unit: as in `em.plot.field`.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

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
    inches, wanted = style.inches(width), labels.asked(length, unit)
    target = style.picture(path, model.mesh.comm)
    degree = model["phi"].function_space.element.basix_element.degree
    fine = max(2, degree, model.mesh.geometry.cmaps[0].degree + 1)
    density = ufl.sqrt(ufl.inner(model["j"], model["j"]))
    potential = model["potential"] if "potential" in model.names else model["phi"]
    found = pieces(model.domain, fine, j=model["j"], density=density, phi=potential)
    gathered = None if over is None else fields.gather(over)
    ends = None if over is None else fields.extremes(over)
    told_of, described = _electrodes(model), model.fields
    amperes = printed(replace(described["j"].meaning, si="A", extent=1).unit)
    turned = model.domain.weight is not None and model.domain.thickness is None  # lines of a cut share no current

    def render() -> Figure:
        assert found is not None
        phi = found.values["phi"]
        volts = labels.shown(described["phi"].meaning, (phi.min(), phi.max()), None, None)
        electrodes = {name: known.told(volts, amperes) for name, known in told_of.items()}
        cell = found if electrodes else found.opened(len(model.domain.names) + 1)  # a mean field drives it
        drawn, carried = _stream_lines(cell, _ports(cell, model.domain.names, electrodes), lines)
        named = described["j"].meaning if over is None else fields.meaning_of(over)
        colours = style.DENSITY if over is None else labels.colours(named, None)
        limits = ends or (0.0, _top(found))
        shown = labels.shown(named, limits, label, None)
        by = labels.lengths(found.points, wanted, model.system.length)
        scene = Scene(
            labels.scaled_pieces(found, by.scale, {"density": shown.scale} if over is None else {}),
            model.domain.names,
            electrodes,
            [line / by.scale for line in drawn],
            None if gathered is None else labels.scaled(gathered, by.scale, shown.scale),
            labels.ends((limits[0] / shown.scale, limits[1] / shown.scale), colours),
            shown,
            colours,
            volts,
            by,
            inches,
        )
        figure = figure_of(scene, model.domain.dim)
        share = _amperes(carried * (model.domain.thickness or 1.0), amperes)
        heading = [title, f"each line carries a current of {share}" if drawn and not turned else ""]
        figure.suptitle(style.wrapped("\n".join(filter(None, heading)), inches), fontsize="medium")
        return style.written(figure, target)

    return style.draw(model.mesh.comm, render)


def _amperes(current: float, unit: str) -> str:
    """A current in words, in a unit with a prefix, or bare."""
    return Shown("", *(labels.prefixed(abs(current), unit))).told(abs(current))


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


@dataclass(frozen=True)
class Electrode:
    """What is known of a boundary through which current passes.

    Attributes:
        name: of the boundary.
        voltage: None if it has no one.
        current: out of the domain positive; None if it is not known.
        still: whether it is but round-off.
    """

    name: str
    voltage: float | None
    current: float | None
    still: bool

    def told(self, volts: labels.Shown, unit: str) -> str:
        """All that in words, currents in a unit, or bare."""
        known = [self.name]
        if self.voltage is not None:
            known.append(f"voltage {volts.told(self.voltage)}")
        if self.current is not None:
            way = "out" if self.current > 0 else "in"
            known.append("no current" if self.still else f"current {_amperes(self.current, unit)} {way}")
        return ", ".join(known)


def _electrodes(model: Model) -> dict[str, Electrode]:
    """What is known of each boundary through which current passes, by name. Collective."""
    held = {condition.boundary: condition.value for condition in model.conditions}
    told_of = {name.partition(" ")[2] for name in model.quantities if name.startswith(("voltage ", "current "))}
    names = [name for name in model.domain.names if name in held or name in told_of]
    out = {name: model.quantity(f"current {name}") for name in names if f"current {name}" in model.quantities}
    largest = max(map(abs, out.values()), default=0.0)
    still = _still(*fields.extremes(model["phi"]))
    known = {}
    for name in names:
        voltage = float(held[name]) if name in held else None
        if f"voltage {name}" in model.quantities:
            voltage = model.quantity(f"voltage {name}")
        none = still or abs(out.get(name, 0.0)) <= STILL * largest
        known[name] = Electrode(name, voltage, out.get(name), none)
    return known


def _ports(found: Pieces, names: tuple[str, ...], electrodes: Mapping[str, str]) -> dict[int, Inflow]:
    """What flows in at each electrode, or through the opened seam of a periodic cell without any."""
    phi = found.values["phi"]
    if found.dim == 1 or _still(phi.min(), phi.max()):
        return {}
    walk = walker(found, "j", [])
    tags = [tag for tag, name in enumerate(names, start=1) if name in electrodes] or [len(names) + 1]
    return {tag: inflow(walk, tag) for tag in tags}


def _stream_lines(found: Pieces, ports: dict[int, Inflow], wanted: int) -> tuple[list[Floats], float]:
    """Lines that carry equal shares of the current, and what a share is."""
    carried = sum(entered.rates.clip(min=0.0).sum() for entered in ports.values())
    if not wanted or not carried > 0:
        return [], 0.0
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
    return lines, float(f"{carried / wanted:.3g}")
