"""Conduction: the potential and the current in a conductor between electrodes.

    -div(sigma grad phi) = 0,   E = -grad phi,   j = sigma E

Units are the user's: volt and metre give A/m2, in two dimensions for a film of unit thickness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, choice, count, kind, number, positive_tensor
from emfem.mesh import Domain
from emfem.model import Fixed, Flux, Model, Quantity, algebraic, check_boundaries, held, let_in, tests

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


def ohmic_flux(conductivity: Any, phi: Any) -> Any:
    """`j = -sigma grad phi`, Ohm's law."""
    if ufl.as_ufl(conductivity).ufl_shape:
        return -ufl.dot(conductivity, ufl.grad(phi))
    return -conductivity * ufl.grad(phi)


def continuity(flux: Any, v: Any, dx: ufl.Measure) -> ufl.Form:
    """`int -j . grad v dx`: no current is lost, insulated edges natural."""
    return -ufl.inner(flux, ufl.grad(v)) * dx


def model(domain: Domain, *, conductivity: Any = 1.0, on: Mapping[str, Fixed | Flux], degree: int = 2) -> Model:
    """The conduction model on `domain`: unknown phi (potential), derived fields E and j.

    Find phi with int sigma grad phi . grad v dx = int g v ds for all v, g the current density let in. Boundaries
    without a condition are insulated. Quantities: power (int j.E), phi_min, phi_max.

    Args:
        domain: of any dimension and shape.
        conductivity: sigma: a number, a tensor of shape (dim, dim), or a UFL expression of either kind, such as one of
            another model's fields [S/m].
        on: conditions on named boundaries: `fixed(V)` is an electrode at a voltage, `flux(j)` lets current in.
        degree: polynomial degree of phi.

    Raises:
        ParameterError: for a conductivity that is not positive or of the wrong shape, or no electrode at a voltage (the
            potential would float).
        UnknownName: for a boundary that does not exist.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    degree = count("degree", degree, at_least=1)
    conditions = check_boundaries(domain, on, (Fixed, Flux))
    if not any(isinstance(condition, Fixed) for condition in conditions.values()):
        msg = f"on = {conditions!r}, must hold at least one electrode at a voltage, em.fixed(...): the potential floats"
        raise ParameterError(msg)
    sigma = _conductivity(domain, conductivity)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    potential = algebraic("phi", space)
    phi = potential.function
    (v,) = tests((potential,))
    dx = domain.dx(2 * degree)
    current = ohmic_flux(sigma, phi)
    residual = continuity(current, v, dx) - let_in(domain, conditions, v, 2 * degree)
    return Model(
        "conduction",
        domain,
        (potential,),
        residual,
        conditions=held(domain, potential, conditions),
        expressions={"E": -ufl.grad(phi), "j": current},
        quantities={
            "power": Quantity(-ufl.inner(current, ufl.grad(phi)) * dx),
            "phi_min": Quantity(lambda: fields.extremes(phi)[0]),
            "phi_max": Quantity(lambda: fields.extremes(phi)[1]),
        },
    )


def _conductivity(domain: Domain, conductivity: Any) -> Any:
    """The conductivity as UFL, checked if it is numbers."""
    if isinstance(conductivity, ufl.core.expr.Expr):
        if conductivity.ufl_shape not in ((), (domain.dim, domain.dim)):
            msg = f"conductivity of shape {conductivity.ufl_shape}, must be () or ({domain.dim}, {domain.dim})"
            raise ParameterError(msg)
        return conductivity
    if np.ndim(conductivity) == 0:
        return fem.Constant(domain.mesh, number("conductivity", conductivity, above=0.0))
    return fem.Constant(domain.mesh, positive_tensor("conductivity", conductivity, domain.dim))


# ---- what is asked of a solved model ----------------------------------------------------------------------------


def current(model: Model, name: str) -> float:
    """Total current through the electrode `name`, out of the domain positive [A; per thickness in 2-D]. Collective.

    I = int j . grad w dx + int g w ds with w = 1 at the electrode's nodes and 0 at all others: the flux that the
    discrete equations balance, so the currents of all electrodes add up to what is let in, to solver accuracy. A node
    that electrodes share, at a corner, counts for each of them in equal parts.

    Raises:
        UnknownName: if no voltage is held there; the message lists the electrodes.
    """
    choice("electrode", name, [c.boundary for c in model.conditions])
    condition = next(c for c in model.conditions if c.boundary == name)
    indicator = fem.Function(condition.unknown.function.function_space)
    indicator.x.array[condition.dofs] = 1.0 / sum(np.isin(condition.dofs, c.dofs) for c in model.conditions)
    indicator.x.scatter_forward()
    reaction = ufl.replace(model.residual, {model.residual.arguments()[0]: indicator})
    return -fields.integral(fem.form(reaction), model.mesh.comm)


def resistance(model: Model) -> float:
    """Voltage over current between the two electrodes of a solved model [Ohm, times unit thickness in 2-D]. Collective.

    Raises:
        ParameterError: if there are not exactly two electrodes, or no voltage between them.
    """
    ends = [(c.boundary, c.value) for c in model.conditions]
    if len(ends) != 2 or ends[0][1] == ends[1][1]:
        msg = f"electrodes {dict(ends)}, must be two at different voltages for a resistance"
        raise ParameterError(msg)
    return (ends[1][1] - ends[0][1]) / current(model, ends[0][0])


@dataclass(frozen=True)
class Crowding:
    """Where the current is densest, and how much denser than on average.

    Attributes:
        ratio: peak over mean [-]. At a sharp inward corner the exact peak is infinite: it grows as the mesh is refined.
        peak: largest |j|.
        mean: mean of |j| over the domain.
        place: where the peak is, shape (dim,).
    """

    ratio: float
    peak: float
    mean: float
    place: NDArray[np.float64]

    def __str__(self) -> str:
        """One line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        return f"current crowding {self.ratio:.3f}: peak {self.peak:.4g} at ({where}), mean {self.mean:.4g}"


def crowding(model: Model) -> Crowding:
    """Current crowding of a solved model. Collective.

    Raises:
        ParameterError: if no current flows.
    """
    degree = model["phi"].function_space.element.basix_element.degree
    # Projected cell by cell: at a node on a jump of the conductivity, j itself would pair sigma with the other side's E
    j = _projected(model["j"], model.domain, degree)
    sampled = fields.discontinuous(ufl.sqrt(ufl.inner(j, j)), model.mesh, degree)
    owned = sampled.function_space.dofmap.index_map.size_local
    values = sampled.x.array[:owned]
    places = sampled.function_space.tabulate_dof_coordinates()[:owned, : model.domain.dim]
    best = (float(values.max()), places[values.argmax()]) if owned else (-1.0, places.sum(axis=0))
    peak, place = max(model.mesh.comm.allgather(best), key=lambda found: found[0])
    dx = model.domain.dx(2 * degree)
    density, one = ufl.sqrt(ufl.inner(model["j"], model["j"])), fem.Constant(model.mesh, 1.0)
    total, volume = (fields.integral(fem.form(f * dx), model.mesh.comm) for f in (density, one))
    if not total > 0:
        msg = f"mean |j| = {total / volume:g}, must be greater than 0 for a crowding"
        raise ParameterError(msg)
    return Crowding(peak * volume / total, peak, total / volume, np.asarray(place))


def _projected(j: Any, domain: Domain, degree: int) -> fem.Function:
    """The vector `j` on polynomials of `degree` in each cell, by moments: it is looked at inside the cells only."""
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
