"""Currents, resistance, mean current and crowding of a solved conduction model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.conduction.corners import Corner, corner_at
from emfem.dimensions import PLAIN
from emfem.errors import ParameterError, choice
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.model import Model, boundary_nodes, measure_size, warn_unresolved
from emfem.spaces import connected_components

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


@checked
def electrodes(model: Model) -> tuple[str, ...]:
    """Return the names of the model's electrodes.

    Raises:
        ParameterError: if it is no conduction model.
    """
    return tuple(name.removeprefix("voltage ") for name in model.quantities if name.startswith("voltage "))


@checked(collective=True)
def current(model: Model, name: str) -> float:
    """Return the total current out through an electrode [A; A/m in a bare plane]. Collective.

    I = int j . grad w dx + int g w ds with w = 1 at the electrode's nodes and 0 at all others: the flux that the
    discrete equations balance, so the currents of all electrodes and fluxes add up to 0, to solver accuracy. A node
    that electrodes share, at a corner, counts for each of them in equal parts.

    Raises:
        UnknownName: if there is no such electrode; the message lists those there are.
        ParameterError: if the model is not solved yet.
    """
    return _of_electrode(model, "current", name)


@checked(collective=True)
def voltage(model: Model, name: str) -> float:
    """Return the voltage of an electrode [V], behind its contact resistance if it has one. Collective.

    Raises:
        UnknownName: if there is no such electrode; the message lists those there are.
        ParameterError: if the model is not solved yet.
    """
    return _of_electrode(model, "voltage", name)


def _of_electrode(model: Model, quantity: str, name: str) -> float:
    """Return the voltage or the current of an electrode of a solved model. Collective."""
    choice("electrode", name, electrodes(model))
    model.check_solved()
    return model.quantity(f"{quantity} {name}")


@checked(collective=True)
def resistance(model: Model, *ends: str) -> float:
    """Return voltage over current between two electrodes of a solved model [Ohm; Ohm m in a bare plane]. Collective.

    Args:
        model: of conduction, solved.
        ends: the two electrodes; may be left out where there are only two. The current is that of the first: others
            should float at no current.

    Raises:
        ParameterError: if they are not two, at one voltage, or in pieces that no current joins; or if the model is not
            solved yet.
        UnknownName: for an electrode that does not exist.
    """
    chosen = ends or electrodes(model)
    model.check_solved()
    volts = {name: voltage(model, name) for name in chosen}
    if len(chosen) != 2 or len(set(volts.values())) != 2:
        msg = f"electrodes {volts}, must be two at different voltages for a resistance"
        raise ParameterError(msg)
    if not _joined(model, *chosen):
        msg = f"electrodes {' and '.join(map(repr, chosen))} lie on pieces apart, must be on one for a resistance"
        raise ParameterError(msg)
    first, second = chosen
    return (volts[second] - volts[first]) / current(model, first)


def _joined(model: Model, first: str, second: str) -> bool:
    """Return True if two boundaries lie on one piece of the domain. Collective."""
    space, domain = model["phi"].function_space, model.domain
    piece = connected_components(space)
    on = [set(piece[boundary_nodes(domain, space, name)].tolist()) for name in (first, second)]
    one, other = (set().union(*domain.mesh.comm.allgather(each)) for each in on)
    return bool(one & other)


@checked(collective=True)
def mean_current(model: Model) -> NDArray[np.float64]:
    """Return the mean of j over the cell of a solved periodic model, holes included, shape (dim,) [A/m2]. Collective.

    Over the mean field it is the effective conductivity. Along an axis that is not periodic the width is that of the
    box around the domain.
    """
    lower, upper = bounds(model.mesh)
    cell = np.where(model.domain.period > 0, model.domain.period, upper - lower).prod() * (model.domain.thickness or 1)
    dx = model.domain.dx(2 * model["phi"].function_space.element.basix_element.degree)
    return np.array([fields.integral(fem.form(component * dx), model.mesh.comm) for component in model["j"]]) / cell


@checked
@dataclass(frozen=True)
class Crowding:
    """Peak of the current density over its mean, and its place.

    Attributes:
        ratio: peak over mean [-].
        peak: largest |j|.
        mean: mean of |j| over the domain.
        place: where the peak is, shape (dim,).
        corner: at the peak, where the exact density is infinite, so that the peak grows with refinement; or None.
        unit: of |j|, "-" if none is known.
    """

    ratio: float
    peak: float
    mean: float
    place: NDArray[np.float64]
    corner: Corner | None = None
    unit: str = PLAIN

    def __str__(self) -> str:
        """One line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        unit = "" if self.unit == PLAIN else f" {self.unit}"
        text = f"current crowding {self.ratio:.3f}: peak {self.peak:.4g}{unit} at ({where}), mean {self.mean:.4g}{unit}"
        return text if self.corner is None else f"{text}; the peak is at {self.corner}"


@checked(collective=True)
def crowding(model: Model) -> Crowding:
    """Return the current crowding of a solved model: the peak of |j| over its mean over the whole domain.

    At a sharp inward corner, and where an electrode ends on a straight boundary, the exact peak is infinite: the number
    grows as the mesh is refined, the result says so, and so does a warning. Collective.

    Raises:
        ParameterError: if no current flows, or the model is not solved yet.

    Warns:
        ResolutionWarning: if the peak is at such a corner.
    """
    model.check_solved()
    degree = model["phi"].function_space.element.basix_element.degree
    # Projected cell by cell: at a node on a jump of the conductivity, j itself would pair sigma with the other side's E
    j = _projected(model["j"], model.domain, degree)
    sampled = fields.discontinuous(ufl.sqrt(ufl.inner(j, j)), model.mesh, degree)
    owned = sampled.function_space.dofmap.index_map.size_local
    values = sampled.x.array[:owned]
    places = sampled.function_space.tabulate_dof_coordinates()[:owned, : model.domain.dim]
    best = (-1.0, places.sum(axis=0), 0.0)
    if owned:
        cell = np.flatnonzero((sampled.function_space.dofmap.list == values.argmax()).any(axis=1)).astype(np.int32)
        best = (float(values.max()), places[values.argmax()], float(model.mesh.h(model.mesh.topology.dim, cell)[0]))
    peak, place, size = max(model.mesh.comm.allgather(best), key=lambda best: best[0])
    dx = model.domain.dx(2 * degree)
    total = fields.integral(fem.form(ufl.sqrt(ufl.inner(model["j"], model["j"])) * dx), model.mesh.comm)
    volume = measure_size(model.domain, dx)
    if not total > 0:
        msg = f"mean |j| = {total / volume:g}, must be greater than 0 for a crowding"
        raise ParameterError(msg)
    corner = corner_at(model.domain, np.asarray(place), size, _equipotential(model))
    result = Crowding(peak * volume / total, peak, total / volume, np.asarray(place), corner, model.fields["j"].unit)
    if corner is not None and "crowding" not in model.warned:
        model.warned.add("crowding")
        where = ", ".join(f"{x:.4g}" for x in corner.place)
        message = (
            f"the crowding of {result.ratio:.3g} is at ({where}), {corner}: it is that of the mesh; "
            "round the corner, or compare at one size of cells"
        )
        warn_unresolved(message, model.mesh.comm)
    return result


def _equipotential(model: Model) -> list[str]:
    """Return the electrodes whose nodes all have one potential: those without a contact resistance."""
    phi, names = model["phi"], []
    low, high = fields.extremes(phi)
    for name in electrodes(model):
        values = phi.x.array[boundary_nodes(model.domain, phi.function_space, name)]
        ends = model.mesh.comm.allgather((values.min(initial=np.inf), values.max(initial=-np.inf)))
        if max(end[1] for end in ends) - min(end[0] for end in ends) <= 1e-12 * (high - low):
            names.append(name)
    return names


def _projected(j: Any, domain: Domain, degree: int) -> fem.Function:
    """Return the vector `j` projected on polynomials of `degree` in each cell, from values inside the cells only."""
    element = basix.ufl.element(
        "Lagrange",
        domain.mesh.basix_cell(),
        degree,
        lagrange_variant=basix.LagrangeVariant.legendre,
        shape=(domain.dim,),
        discontinuous=True,
    )
    projected = fem.Function(fem.functionspace(domain.mesh, element))
    fields.refresh(projected, j)
    return projected
