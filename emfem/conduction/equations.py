"""The conduction model: Ohm's law and conservation of charge put together into a residual for the potential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import model as models
from emfem.conduction.electrodes import Electrode, attach, check_floating, check_touching, electrodes_of
from emfem.conduction.laws import continuity, ohmic_flux
from emfem.dimensions import Meaning, integral
from emfem.errors import ParameterError, floats, number, require, shown
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Fixed, Flux, Model, Quantity
from emfem.model.unknowns import degree_of
from emfem.spaces import tied

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike

MEANINGS = {
    "phi": Meaning("potential", "V"),
    "potential": Meaning("potential", "V"),
    "E": Meaning("electric field", "V/m"),
    "j": Meaning("current density", "A/m2"),
}


@checked(collective=True)
def model(
    domain: Domain,
    material: Any = None,
    *,
    conductivity: Any = None,
    on: Mapping[str, Fixed | Flux | Electrode] | None = None,
    mean_field: ArrayLike | None = None,
    degree: int = 2,
) -> Model:
    """Return the conduction model: unknown phi (potential), derived fields E, j and potential (phi - E0 . x).

    Find phi with int -sigma (E0 - grad phi) . grad v dx = int g v ds for all v, g the current density let in and E0 the
    mean field along periodic axes, 0 elsewhere. Boundaries without a condition are insulated. An electrode that carries
    a total current I has one unknown for all its nodes, so it is an equipotential, and gets the load I; a contact of
    specific resistance r adds int (phi - V)/r v ds. In a cell without electrodes the mean of phi is 0. The residual is
    divided by a typical current, so that tolerances mean the same in every unit.

    Quantities: power (int j.E), phi_min, phi_max, for each electrode `voltage NAME`, and for each and for boundaries
    with a flux `current NAME` (out of the domain positive).

    Args:
        domain: of any dimension and shape.
        material: one of em.materials, or anything with a `resistivity` [Ohm m]; the model is then in SI.
        conductivity: sigma instead of the material's, 1 if both are left out: a number, a tensor of shape (dim, dim),
            either of them for each region by name, or a UFL expression of either kind, such as one of another model's
            fields [S/m].
        on: conditions on named boundaries: `fixed(V)` is an electrode at a voltage, `conduction.electrode(...)` one at
            a voltage or a total current, with or without a contact resistance, `flux(j)` lets current in. Electrodes at
            different voltages should not touch: the exact current is infinite, that on a mesh the mesh's.
        mean_field: E0, which drives the current through a periodic domain, dim numbers; phi is then periodic and
            E = E0 - grad phi [V/m].
        degree: polynomial degree of phi [-].

    Raises:
        ParameterError: for a material without a resistivity, a conductivity that is not positive or of the wrong shape,
            a piece of the domain without an electrode at a voltage (its potential would float), electrodes that touch
            where one carries a current, or a mean field along an axis that is not periodic.
        UnknownName: for a boundary or region that does not exist.
    """
    degree = degree_of(degree)
    conditions = models.check_boundaries(domain, on, (Fixed, Flux, Electrode))
    driven = _mean_field(domain, mean_field)
    electrodes = electrodes_of(conditions)
    grounded = any(e.voltage is not None for e in electrodes.values())
    if not grounded and (mean_field is None or conditions):
        msg = f"on = {conditions!r}, must hold at least one electrode at a voltage, em.fixed(...): the potential floats"
        raise ParameterError(msg)
    sigma = models.positive_coefficient(domain, "conductivity", _conductivity(material, conductivity))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    nodes = {name: models.boundary_nodes(domain, space, name) for name in electrodes}
    check_touching(domain, electrodes, nodes)
    if any(e.tied for e in electrodes.values()):
        space = tied(space, [nodes[name] for name, e in electrodes.items() if e.tied])
        nodes = {name: models.boundary_nodes(domain, space, name) for name in electrodes}
    check_floating(domain, space, electrodes, nodes)

    potential = models.algebraic("phi", space)
    phi = potential.function
    numbers = models.number_space(domain)
    balanced = [name for name, e in electrodes.items() if e.balanced]
    levels = {name: models.algebraic(f"voltage of {name}", numbers) for name in balanced}
    if not grounded:
        levels["gauge"] = models.algebraic("gauge", numbers)  # holds the mean of phi at 0; itself 0 at the solution
    v, *others = models.tests((potential, *levels.values()))
    tested = {name: (unknown, w) for (name, unknown), w in zip(levels.items(), others, strict=True)}
    dx = domain.dx(2 * degree)
    field, place = driven - ufl.grad(phi), ufl.SpatialCoordinate(domain.mesh)
    current = ohmic_flux(sigma, field)
    entering, leaving, inflow_drivers = models.inflow(domain, conditions, v, 2 * degree)
    added = attach(domain, electrodes, nodes, potential, tested, continuity(current, v, dx) - entering, v, 2 * degree)
    typical = _typical_current(domain, sigma, conditions, driven)
    through = {name: q.value for name, q in added.currents.items()} | leaving
    residual = fem.Constant(domain.mesh, 1 / typical) * (added.flow + added.balance)
    if not grounded:
        gauge, w = tested["gauge"]
        residual += gauge.function * v * dx + phi * w * dx
    return Model(
        "conduction",
        domain,
        (potential, *levels.values()),
        residual,
        conditions=added.conditions,
        expressions={"E": field, "j": current, "potential": phi - ufl.inner(driven, place)},
        quantities={
            "power": Quantity(ufl.inner(current, field) * dx, integral("W")),
            "phi_min": models.lowest(phi, "V"),
            "phi_max": models.highest(phi, "V"),
            **added.quantities,
            **{f"current {name}": Quantity(form, integral("A")) for name, form in leaving.items()},
        },
        drivers=[*added.drivers, *inflow_drivers],
        balances={"current": models.Balance(None, integral("A"), out=through)},
        roles={"potential": "phi", "current": "j"},
        system=domain.system(si=material is not None),
        meanings=MEANINGS | {unknown.name: Meaning("voltage of an electrode", "V") for unknown in levels.values()},
        preconditioner=models.Multigrid(singular=not grounded),
    )


def _conductivity(material: Any, conductivity: Any) -> Any:
    """Return the conductivity that was given, else 1/rho of the material, else 1.

    Raises:
        ParameterError: for a material without a resistivity.
    """
    words = f"material = {shown(material)}, must have a resistivity, as those of em.materials do"
    require(material is None or hasattr(material, "resistivity"), words)
    if conductivity is None and material is not None:
        return 1 / number("resistivity", material.resistivity, above=0.0, unit="Ohm m")
    return 1.0 if conductivity is None else conductivity


def _mean_field(domain: Domain, mean_field: ArrayLike | None) -> Any:
    """Return E0 as UFL; zero when left out.

    Raises:
        ParameterError: if it is not dim finite numbers, or has a part along an axis that is not periodic.
    """
    if mean_field is None:
        return ufl.zero(domain.dim)
    values = floats("mean_field", mean_field)
    if values.shape != (domain.dim,) or not np.isfinite(values).all():
        msg = f"mean_field = {values.tolist()}, must be {domain.dim} finite numbers"
        raise ParameterError(msg)
    if (values[domain.period == 0] != 0).any():
        msg = f"mean_field = {values.tolist()}, must be 0 along axes that are not periodic: electrodes drive there"
        raise ParameterError(msg)
    return fem.Constant(domain.mesh, values)


def _typical_current(domain: Domain, sigma: Any, conditions: Mapping[str, Any], driven: Any) -> float:
    """Return a current of the order of those that flow, for scaling: it need not be more than that. Collective."""
    length, face = domain.extent()
    conductance = models.mean_value(domain, sigma) * face / length
    electrodes = electrodes_of(conditions).values()
    levels = [models.at_start("voltage", e.voltage) for e in electrodes if e.voltage is not None]
    currents = [abs(models.at_start("current", e.current)) for e in electrodes if e.current is not None]
    currents += [abs(flux) * face for flux in models.values_at_start(conditions, Flux).values()]
    volts = max(levels, default=0.0) - min(levels, default=0.0)
    volts += length * float(np.linalg.norm(driven.value)) if isinstance(driven, fem.Constant) else 0.0
    return max(conductance * volts, *currents, 0.0) or conductance * abs(max(levels, default=0.0)) or 1.0
