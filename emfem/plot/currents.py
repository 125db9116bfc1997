"""Pictures of solved conduction models: current density, equipotentials, stream lines and electrodes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem import fields
from emfem.dimensions import printed
from emfem.errors import ParameterError, count, kind
from emfem.gate import checked
from emfem.model import Model, Quantity
from emfem.plot import cells, labels, style
from emfem.plot.labels import AxisLabel
from emfem.plot.lines import Inflow, inflow, shares, stream, walker
from emfem.plot.scenes import CurrentPicture, figure_of
from emfem.plot.simplices import Floats, SimplexMesh, simplex_mesh

import numpy as np
import ufl
from dolfinx import fem, la
from matplotlib.figure import Figure

COMMON, PEAK = 0.98, 4.0  # share of the domain that sets the scale of |j| where the peak is PEAK times higher
ROUND_OFF = 1e-10  # largest relative difference of potentials or currents that is round-off
UNSEEN = 5e-5  # voltage over the range of the potential that four digits of the others do not show
SMALL = 1e-3  # voltage over the unit of the others below which it has a prefix of its own: 9.5 µV beside 10 mV
NOISE = 1e-60  # potential differences below it are left from an earlier solution [V, or the unit of its scale]


@checked(collective=True)
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
        label: of the colour bar, with a unit, for undivided values; that of the field when left out.
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
        cells.check_scalar(over)
    inches, wanted = style.inches(width), labels.unit_request(length, unit)
    target = style.picture(path, model.mesh.comm)
    degree = model["phi"].function_space.element.basix_element.degree
    fine = max(2, degree, model.mesh.geometry.cmaps[0].degree + 1)
    density = ufl.sqrt(ufl.inner(model["j"], model["j"]))
    potential = model["potential"] if "potential" in model.names else model["phi"]
    mesh = simplex_mesh(model.domain, fine, j=model["j"], density=density, phi=potential)
    gathered = None if over is None else fields.gather(over)
    ends = None if over is None else fields.extremes(over)
    terminals, described = _terminals(model), model.fields
    amperes = printed(replace(described["j"].meaning, si="A", extent=1).unit)
    turned = model.domain.weight is not None and model.domain.thickness is None  # lines of a cut share no current

    def render() -> Figure:
        assert mesh is not None
        still = _no_current(mesh.values["phi"])
        if still:  # otherwise round-off would be drawn, on a scale of its own
            mean = mesh.values["phi"].mean()
            mesh.values["density"][:], mesh.values["phi"][:] = 0.0, mean if abs(mean) > NOISE else 0.0
        phi = mesh.values["phi"]
        volts = labels.quantity(described["phi"].meaning, (phi.min(), phi.max()))
        electrodes = {name: terminal.text(volts, amperes) for name, terminal in terminals.items()}
        cell = mesh if electrodes else mesh.opened(len(model.domain.names) + 1)  # a mean field drives it
        lines_of_flow, carried = _stream_lines(
            cell, _ports(cell, model.domain.names, electrodes), 0 if still else lines
        )
        meaning = described["j"].meaning if over is None else fields.meaning_of(over)
        colours = style.DENSITY if over is None else labels.colours(meaning)
        limits = ends or (0.0, 1.0 if still else _top(mesh))
        shown = labels.quantity(meaning, limits, label)
        by = labels.lengths(mesh.points, model.system.length, wanted)
        scene = CurrentPicture(
            mesh.divided(by.scale, density=shown.scale if over is None else 1.0),
            model.domain.names,
            electrodes,
            [line / by.scale for line in lines_of_flow],
            None if gathered is None else cells.divided(gathered, by.scale, shown.scale),
            labels.symmetric((limits[0] / shown.scale, limits[1] / shown.scale), colours),
            shown,
            colours,
            volts,
            by,
            inches,
        )
        figure = figure_of(scene, model.domain.dim)
        share = _amperes(carried * (model.domain.thickness or 1.0), amperes)
        each = f"each line carries a current of {share}" if lines_of_flow and not turned else ""
        heading = filter(None, [title, "no current flows" if still else each])
        figure.suptitle(style.wrapped("\n".join(heading), inches), fontsize="medium")
        return style.written(figure, target)

    return style.draw(model.mesh.comm, render)


def _amperes(current: float, unit: str) -> str:
    """Return the size of a current as text, with a prefix before its unit if it has one."""
    return AxisLabel("", *labels.prefixed(abs(current), unit)).text(abs(current))


def _top(mesh: SimplexMesh) -> float:
    """Return the end of the colour scale of |j|: its maximum, unless that is only in a singular corner."""
    values = mesh.values["density"]
    means = values[mesh.simplices].mean(axis=1)
    most = np.quantile(means, COMMON, weights=mesh.measures, method="inverted_cdf")
    largest = float(values.max())
    return largest if largest < PEAK * most else float(PEAK / 2 * most)


def _no_current(phi: Floats) -> bool:
    """Return True if differences of the potential are round-off."""
    low, high = float(phi.min()), float(phi.max())
    return high - low <= max(ROUND_OFF * max(abs(low), abs(high)), NOISE)


@dataclass(frozen=True)
class Terminal:
    """Boundary through which current passes.

    Attributes:
        name: of the boundary.
        voltage: None if it has no single one.
        current: out of the domain positive; None if it is unknown.
        unit: of the voltage, as pictures have it.
    """

    name: str
    voltage: float | None
    current: float | None
    unit: str = ""

    def text(self, volts: AxisLabel, unit: str) -> str:
        """Return name, voltage and current for the legend; currents have a unit, or none."""
        parts = [self.name]
        if self.voltage is not None:
            small = 0 < abs(self.voltage) < SMALL * volts.scale
            label = AxisLabel("", *labels.prefixed(abs(self.voltage), self.unit)) if small else volts
            parts.append(f"voltage {label.text(self.voltage)}")
        if self.current is not None:
            way = "out" if self.current > 0 else "in"
            parts.append(f"current {_amperes(self.current, unit)} {way}" if self.current else "no current")
        return ", ".join(parts)


def _terminals(model: Model) -> dict[str, Terminal]:
    """Return the boundaries through which current passes, by name. Collective.

    A current or a voltage that is round-off is 0, and so is a computed voltage that four digits of the others do not
    show and that is less than the error of the mesh: it would be that of cells that are not as symmetric as the body.
    """
    fixed = {condition.boundary: condition.value for condition in model.conditions}
    measured = {name.partition(" ")[2] for name in model.quantities if name.startswith(("voltage ", "current "))}
    names = [name for name in model.domain.names if name in fixed or name in measured]
    out = {name: model.quantity(f"current {name}") for name in names if f"current {name}" in model.quantities}
    largest = max(map(abs, out.values()), default=0.0)
    extremes = fields.extremes(model["phi"])
    still, reach = _no_current(np.array(extremes)), extremes[1] - extremes[0]
    unknown = [name for name in names if name not in fixed and _solved_for(model.quantities.get(f"voltage {name}"))]
    small = any(abs(model.quantity(f"voltage {name}")) < UNSEEN * reach for name in unknown)
    error = min(_energy_error(model), UNSEEN) if small and not still else 0.0
    terminals = {}
    for name in names:
        voltage = float(fixed[name]) if name in fixed else None
        if f"voltage {name}" in model.quantities:
            voltage = model.quantity(f"voltage {name}")
        if voltage is not None and abs(voltage) <= max(ROUND_OFF, error if name in unknown else 0.0) * reach:
            voltage = 0.0
        current = out.get(name)
        if current is not None and (still or abs(current) <= ROUND_OFF * largest):
            current = 0.0
        terminals[name] = Terminal(name, voltage, current, printed(model.fields["phi"].unit))
    return terminals


def _solved_for(quantity: Quantity | None) -> bool:
    """Return False for a number that is given, as the voltage behind a contact resistance may be."""
    return quantity is not None and getattr(quantity.value, "func", None) is not float


def _energy_error(model: Model) -> float:
    """Return int |(j - Gj) . (E - GE)| dx over int j . E dx, G the mean round each node: voltages' error. Collective.

    The indicator of Zienkiewicz and Zhu, doi:10.1002/nme.1620240206.
    """
    mesh, dx = model.mesh, ufl.dx(model.mesh)
    space = fem.functionspace(mesh, ("Lagrange", 1, (mesh.geometry.dim,)))
    v = ufl.TestFunction(space)

    def mean(field: Any) -> fem.Function:
        sums = [fem.assemble_vector(fem.form(ufl.inner(each, v) * dx)) for each in (field, ones)]
        for each in sums:
            each.scatter_reverse(la.InsertMode.add)
        smooth = fem.Function(space)
        smooth.x.array[:] = sums[0].array / sums[1].array
        smooth.x.scatter_forward()
        return smooth

    ones = ufl.as_vector([fem.Constant(mesh, 1.0)] * mesh.geometry.dim)
    j, field = model["j"], model["E"]
    error = abs(ufl.inner(j - mean(j), field - mean(field))) * dx(degree=2)
    missed, power = (fields.integral(fem.form(each), mesh.comm) for each in (error, ufl.inner(j, field) * dx))
    return missed / power


def _ports(mesh: SimplexMesh, names: tuple[str, ...], electrodes: Mapping[str, str]) -> dict[int, Inflow]:
    """Return the inflow at each electrode, or through the opened seam of a periodic cell without any."""
    if mesh.dim == 1:
        return {}
    walk = walker(mesh, "j", [])
    tags = [tag for tag, name in enumerate(names, start=1) if name in electrodes] or [len(names) + 1]
    return {tag: inflow(walk, tag) for tag in tags}


def _stream_lines(mesh: SimplexMesh, ports: dict[int, Inflow], count: int) -> tuple[list[Floats], float]:
    """Return lines that carry equal shares of the current, and the share."""
    carried = sum(entered.rates.clip(min=0.0).sum() for entered in ports.values())
    if not count or not carried > 0:
        return [], 0.0
    walk = walker(mesh, "j", list(ports))
    share = np.array([entered.rates.clip(min=0.0).sum() for entered in ports.values()]) * count / carried
    each = share.astype(int)
    each[np.argsort(each - share)[: count - each.sum()]] += 1
    chosen = [
        shares(walk.at(entered.simplices, entered.weights), entered.rates.clip(min=0.0), int(n))
        for entered, n in zip(ports.values(), each, strict=True)
    ]
    simplices = np.concatenate([p.simplices[at] for p, at in zip(ports.values(), chosen, strict=True)])
    weights = np.concatenate([p.weights[at] for p, at in zip(ports.values(), chosen, strict=True)])
    lines = [line for line in stream(walk, simplices, weights) if np.nanstd(line, axis=0).any()]
    return lines, float(f"{carried / count:.3g}")
