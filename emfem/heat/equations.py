"""The heat model: storage, spreading, sources and losses put together into a residual for the temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.gate import checked
from emfem.heat import inputs
from emfem.heat.boundaries import (
    Convection,
    Loss,
    Radiation,
    as_loss,
    check_temperatures,
    insulated,
    let_out,
    surroundings,
)
from emfem.heat.bounds import Diagnosis, allowed, check_start, runaway_limit
from emfem.heat.laws import driven, exchange, fourier_flux, spreading, storage
from emfem.mesh import Domain
from emfem.model import Driver, Fixed, Flux, Model, Quantity
from emfem.model.unknowns import degree_of

import numpy as np
import ufl
from dolfinx import fem

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)  # exact for heat capacities of up to degree 15 in T
ROUNDING = 0.01  # of the heat between neighbours at a difference of T: the residual's rounding is then 1e-13

MEANINGS = {
    "T": Meaning("temperature", "K"),
    "flux": Meaning("heat flux", "W/m2"),
    "source": Meaning("heat source", "W/m3"),
}


@checked(collective=True)
def model(
    domain: Domain,
    material: Any = None,
    *,
    source: Any = None,
    current_density: Any = None,
    on: Mapping[str, Fixed | Flux | Convection | Radiation] | None = None,
    loss: Loss | tuple[float, Any] | None = None,
    initial: Any = None,
    conductivity: Any = None,
    heat_capacity: Any = None,
    resistivity: Any = None,
    hottest: float | None = None,
    solid: Any = None,
    degree: int = 2,
) -> Model:
    """Return the heat model on `domain`: unknown T (temperature), derived fields flux (-k grad T) and source.

    Find T with int c dT/dt v + k(T) grad T . grad v - (s - g (T - T_sub)) v dx + int h (T - T_a) v ds = int q v ds for
    all v: c the heat capacity, s the sum of the sources. What radiates has e s (T^4 - T_a^4) in place of h (T - T_a).
    Boundaries without a condition are insulated. A placeholder named T in any of the arguments is this T. The residual
    is divided by a heat flow at which it is known to 1e-13, so that tolerances mean the same in every unit; time steps
    are accurate to rtol times T itself, in kelvin.

    Where the source follows T, a steady solve follows dT/dt from the present state: it ends at the branch that a line
    would go to, or reports that T runs away. With method="newton" it may find one that is not stable. A steady state
    above melting is refused as such: the line would melt first.

    With `solid`, the part of each place that a moving surface leaves to the metal, k, c, rho j^2 and g are those of the
    metal times it: `heat.model(domain, metal, solid=wire["solid"], source=heat.joule(wire), ...)` is the heat of a wire
    whose shape changes. Atoms that move take their heat along, so there is no balance of heat then. T_max, T_min and
    T_mean are those of the metal, and the metal alone must not melt: what little the vacuum conducts makes it hot.

    Quantities: T_max, T_min, T_mean, heat (int c T; with c(T), that at the start and what was stored since), generated,
    lost (to the substrate), and `heat NAME` (out of the domain positive) for each boundary with a condition. Where T is
    fixed it is the one that the discrete equations balance: d heat/dt = generated - lost - the sum of `heat NAME` to
    solver accuracy, as long as fixed temperatures do not change.

    Args:
        domain: of any dimension and shape.
        material: one of em.materials, or anything with `law(name)` that gives resistivity, thermal_conductivity and
            volumetric_heat_capacity as functions of T; may be left out if the three below replace what is needed.
        source: heat made per volume: a number, a function of time, a number for each region by name, or UFL, such as
            `em.heat.joule(current)` [W/m3].
        current_density: of a driven line, which adds rho(T) j^2: a number, dim numbers, a function of time that returns
            either, or UFL [A/m2].
        on: conditions on named boundaries: `fixed(T)` [K], `flux(q)` into the domain [W/m2], `heat.convection(...)`,
            `heat.radiation(...)`.
        loss: `heat.substrate(...)`, or the pair (g [W/(m3 K)], temperature of the substrate [K]).
        initial: T at the start, a number, a function of x with shape (3, n), or a Function; when left out, the coldest
            temperature of boundaries and substrate, or without any that of the material [K].
        conductivity: k instead of the material's: a number, a function of T, such as `heat.wiedemann_franz(...)`, a
            number for each region by name, or UFL [W/(m K)].
        heat_capacity: rho_m c_p instead of the material's, in the same ways [J/(m3 K)].
        resistivity: rho instead of the material's, in the same ways [Ohm m].
        hottest: temperature from which on a state is refused; when left out, the melting temperature of the material,
            or if it has none 1e6 K, where T has run away. A steady solve may pass through hotter states on its way [K].
        solid: part of a place that is metal, above 0 and at most 1; UFL, such as the field of that name of an
            `em.surface.model`; all of it when left out [-].
        degree: polynomial degree of T [-].

    Raises:
        ParameterError: for a temperature below 1 K, a law that is not positive at the start, or a value of the wrong
            kind or shape. A steady solve raises it where no boundary takes the heat away.
        UnknownName: for a boundary or region that does not exist.
    """
    degree = degree_of(degree)
    conditions = models.check_boundaries(domain, on, (Fixed, Flux, Convection, Radiation))
    check_temperatures(conditions)
    sink = as_loss(loss)
    around = surroundings(conditions, sink)
    start = inputs.reference(initial, around, material)
    own = {"conductivity": conductivity, "heat_capacity": heat_capacity}
    if current_density is not None or resistivity is not None or hasattr(material, "resistivity"):
        own["resistivity"] = resistivity
    laws = {name: inputs.law(name, value, material) for name, value in own.items()}
    for name, law in laws.items():
        for level in (*around, start):
            inputs.check_law(name, law, level)
    span = allowed(material, laws, own, [start, *around], hottest)
    density, density_drivers = None, list[Driver]()
    if current_density is not None:
        shapes, words = ((), (domain.dim,)), f"a number or {domain.dim} of them"
        density, density_drivers = models.shaped_coefficient(
            domain, "current_density", current_density, shapes, words, "A/m2"
        )
    made, source_drivers = inputs.source(domain, source)
    share = inputs.solid(domain, solid)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    cold, rho = min(around, default=start), laws.get("resistivity")
    temperature, rate = fem.Function(space, name="T"), fem.Function(space, name="rate of T")
    fields.set_initial(temperature, initial if callable(initial) else start)
    check_start(temperature, span)
    k, c = (share * inputs.at(domain, name, laws[name], temperature) for name in ("conductivity", "heat_capacity"))
    if density is not None:
        made = made + share * driven(inputs.at(domain, "resistivity", rho, temperature), density)
    made = inputs.own(made, temperature)
    metal = inputs.metal(share, space)
    diagnosis = Diagnosis(
        span,
        temperature,
        made,
        {name: flux for name, flux in conditions.items() if isinstance(flux, Flux)},
        cold,
        runaway_limit(rho, laws["conductivity"], cold, sink),
    )
    unknown = models.Unknown(
        temperature,
        rate,
        span.bounds,
        bounds_message=diagnosis,
        search_bounds=span.search,
        unsteady=diagnosis.unsteady,
        within=metal,
    )

    (v,) = models.tests((unknown,))
    dx, one = domain.dx(2 * degree), fem.Constant(domain.mesh, 1.0)
    lost, loss_drivers = _lost(domain, sink, temperature, share)
    flux = fourier_flux(k, temperature)
    flows, flow_drivers = let_out(domain, conditions, temperature, v, 2 * degree)
    total = storage(c, rate, v, dx) + spreading(flux, v, dx) - (made - lost) * v * dx + sum(flows.values())
    dirichlet_values, dirichlet_drivers = models.dirichlet_conditions(domain, unknown, conditions)
    scale = _scale(domain, space, k, temperature, max(around, default=start))
    causes = ufl.algorithms.extract_coefficients(made)
    radiates = density is None and causes == [temperature]  # a source of T alone may take the heat away
    volume = models.measure_size(domain, dx)
    reaction = models.ConsistentFlux(unknown, dirichlet_values, scale)
    out = {name: ufl.replace(form, {v: one}) for name, form in flows.items()}
    stored = share * _stored(domain, laws["heat_capacity"], temperature, start) * one * dx
    sources = {"generated": made * one * dx, "lost": -lost * one * dx}
    balance = models.Balance(stored, integral("J"), (reaction,), out, sources)
    return Model(
        "heat",
        domain,
        (unknown,),
        fem.Constant(domain.mesh, 1 / scale) * total,
        conditions=dirichlet_values,
        expressions={"flux": flux, "source": made},
        quantities={
            "T_max": models.highest(temperature, "K", metal),
            "T_min": models.lowest(temperature, "K", metal),
            "T_mean": Quantity(_mean(domain, temperature, share, dx, volume), "K"),
            "heat": Quantity(stored, integral("J")),
            "generated": Quantity(made * one * dx, integral("W")),
            "lost": Quantity(lost * one * dx, integral("W")),
            **models.boundary_fluxes(conditions, [reaction], out, meaning=integral("W"), label="heat {}"),
        },
        drivers=[*density_drivers, *source_drivers, *loss_drivers, *flow_drivers, *dirichlet_drivers],
        steady_by_relaxation=temperature in causes,
        no_steady_state_reason="" if radiates else insulated(domain, space, conditions, sink),
        balances={"heat": balance} if solid is None else {},
        system=domain.system(si=material is not None),
        meanings=MEANINGS,
        preconditioner=models.Multigrid(),
    )


def _mean(domain: Domain, temperature: fem.Function, share: Any, dx: Any, volume: float) -> Any:
    """`int s T dx / int s dx`, s the part of metal; where all is metal a functional."""
    if not models.is_ufl(share):
        return temperature / volume * dx
    whole, amount = fem.form(share * temperature * dx), fem.form(share * dx)
    return lambda: fields.integral(whole, domain.mesh.comm) / fields.integral(amount, domain.mesh.comm)


def _lost(domain: Domain, loss: Loss | None, temperature: fem.Function, share: Any) -> tuple[Any, list[Driver]]:
    """Return the heat lost to the substrate per volume, and its drivers."""
    if loss is None:
        return fem.Constant(domain.mesh, 0.0), []
    ambient, drivers = models.coefficient(domain, "temperature of the substrate", loss.temperature)
    return exchange(share * fem.Constant(domain.mesh, loss.coefficient), temperature, ambient), drivers


def _stored(domain: Domain, law: Any, temperature: fem.Function, start: float) -> Any:
    """Return the heat per volume: c T, or for c(T) that at the start and the integral of c(T) from there on."""
    if not models.is_law(law):
        return inputs.at(domain, "heat_capacity", law, temperature) * temperature
    rise = temperature - start
    mean = sum(w / 2 * law(start + (1 + s) / 2 * rise) for s, w in zip(NODES, WEIGHTS, strict=True))
    return law(fem.Constant(domain.mesh, start)) * start + mean * rise


def _scale(
    domain: Domain, space: fem.FunctionSpace, conductivity: Any, temperature: fem.Function, level: float
) -> float:
    """Return a heat flow so large that rounding of T leaves less than 1e-13 of it in the residual [W]. Collective.

    T in kelvin is known to 1e-16 T, so the heat k T times face over distance between neighbours is to as much. T is
    taken at a level that surroundings give: the start must not decide when a steady state is found.
    """
    length, face = domain.extent()
    conductivity = ufl.replace(conductivity, {temperature: fem.Constant(domain.mesh, level)})
    mean, nodes = models.mean_value(domain, conductivity), space.dofmap.index_map.size_global
    return ROUNDING * mean * level * face / length * nodes ** (2 / domain.mesh.topology.dim - 0.5)
