"""Boundaries of heat: fixed temperatures, convection, radiation, fluxes, the substrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.heat.laws import exchange, radiated
from emfem.materials.validity import SECTION
from emfem.mesh import Domain
from emfem.model import (
    Driver,
    Fixed,
    Flux,
    OfTime,
    at_start,
    boundary_nodes,
    coefficient,
    neumann_term,
    of_time,
    untouched_place,
)

import ufl
from dolfinx import fem

COLDEST = 1.0  # K; a lower temperature is a mistake, such as a rise taken for a temperature


@checked
@dataclass(frozen=True)
class Convection:
    """Surroundings that take heat through a boundary.

    Attributes:
        coefficient: h [W/(m2 K)].
        ambient: temperature of the surroundings [K]; a number or a function of time.
    """

    coefficient: float
    ambient: OfTime
    maker: ClassVar[str] = "em.heat.convection"

    def __post_init__(self) -> None:
        """Check both."""
        h = number("convection coefficient", self.coefficient, above=0.0, unit="W/(m2 K)")
        object.__setattr__(self, "coefficient", h)
        object.__setattr__(self, "ambient", kelvin("ambient", self.ambient))

    def leaving(self, temperature: Any, ambient: Any, mesh: Any) -> Any:
        """Return the heat out by area, UFL [W/m2]."""
        return exchange(fem.Constant(mesh, self.coefficient), temperature, ambient)


@checked
@dataclass(frozen=True)
class Radiation:
    """Surroundings that a boundary glows at.

    Attributes:
        emissivity: of the boundary, grey and diffuse [-].
        ambient: temperature of the surroundings [K]; a number or a function of time.
    """

    emissivity: float
    ambient: OfTime
    maker: ClassVar[str] = "em.heat.radiation"

    def __post_init__(self) -> None:
        """Check both."""
        object.__setattr__(self, "emissivity", number("emissivity", self.emissivity, above=0.0, at_most=1.0))
        object.__setattr__(self, "ambient", kelvin("ambient", self.ambient))

    def leaving(self, temperature: Any, ambient: Any, mesh: Any) -> Any:
        """Return the heat out by area, UFL [W/m2]."""
        return radiated(fem.Constant(mesh, self.emissivity), temperature, ambient)


@checked
@dataclass(frozen=True)
class Loss:
    """A substrate that takes heat from every place.

    Attributes:
        coefficient: g [W/(m3 K)].
        temperature: of the substrate [K]; a number or a function of time.
    """

    coefficient: float
    temperature: OfTime
    maker: ClassVar[str] = "em.heat.substrate"

    def __post_init__(self) -> None:
        """Check both."""
        g = number("loss coefficient", self.coefficient, above=0.0, unit="W/(m3 K)")
        object.__setattr__(self, "coefficient", g)
        object.__setattr__(self, "temperature", kelvin("temperature of the substrate", self.temperature))


def kelvin(name: str, value: Any) -> OfTime:
    """Return `value` if it is a temperature, a number or a function of time.

    Raises:
        ParameterError: if it is below 1 K, as degrees Celsius may be.
    """
    return of_time(name, value, at_least=COLDEST, unit="K")


@checked
def convection(coefficient: float, ambient: OfTime) -> Convection:
    """Let `h (T - T_a)` of heat per area out through a boundary.

    Args:
        coefficient: h, above 0 [W/(m2 K)].
        ambient: T_a, a number or a function of time [K].

    Raises:
        ParameterError: for a coefficient that is not positive or a temperature below 1 K.
    """
    return Convection(coefficient, ambient)


@checked
def radiation(emissivity: float, ambient: OfTime) -> Radiation:
    """Let `e s (T^4 - T_a^4)` of heat per area out through a boundary, s the constant of Stefan and Boltzmann.

    The boundary sees surroundings at T_a that are black or much larger than the body, and no other part of itself.

    Args:
        emissivity: e, of the boundary, above 0 and at most 1 [-].
        ambient: T_a, a number or a function of time [K].

    Raises:
        ParameterError: for an emissivity out of its bounds or a temperature below 1 K.
    """
    return Radiation(emissivity, ambient)


@checked
def substrate(*, conductivity: float, thickness: float, line_height: float, temperature: OfTime) -> Loss:
    """Return the loss of a flat line to a substrate through an insulator, `g = k/(t h)` per volume of the line.

    Args:
        conductivity: k, of the insulator between them [W/(m K)].
        thickness: t, of the insulator [m].
        line_height: h, of the line [m].
        temperature: of the substrate, a number or a function of time [K].

    Raises:
        ParameterError: for a value that is not positive, a thickness above 1 cm (micrometres written as metres), or a
            temperature below 1 K.
    """
    k = number("conductivity", conductivity, above=0.0, unit="W/(m K)")
    t = SECTION.check("thickness", number("thickness", thickness, above=0.0, unit="m"))
    h = SECTION.check("line_height", number("line_height", line_height, above=0.0, unit="m"))
    return Loss(k / (t * h), temperature)


def as_loss(loss: Any) -> Loss | None:
    """Return a loss, of itself or of a pair (coefficient, temperature).

    Raises:
        ParameterError: if it is something else, or out of its bounds.
    """
    if loss is None or isinstance(loss, Loss):
        return loss
    if not isinstance(loss, tuple | list) or len(loss) != 2:
        msg = f"loss = {loss!r}, must be (coefficient, temperature of the substrate) or em.heat.substrate(...)"
        raise ParameterError(msg)
    return Loss(*loss)


def check_temperatures(on: Mapping[str, Any]) -> None:
    """Refuse a temperature below 1 K on a boundary."""
    for name, condition in on.items():
        if isinstance(condition, Fixed):
            kelvin(f"temperature fixed on {name!r}", condition.value)


def surroundings(on: Mapping[str, Any], loss: Loss | None) -> list[float]:
    """Return the temperatures of boundaries and substrate at time 0 [K]."""
    temperatures = [c.value if isinstance(c, Fixed) else c.ambient for c in on.values() if not isinstance(c, Flux)]
    temperatures += [loss.temperature] if loss else []
    return [float(at_start("temperature", value)) for value in temperatures]


def insulated(domain: Domain, space: fem.FunctionSpace, on: Mapping[str, Any], loss: Loss | None) -> str:
    """Return the reason for which there is no steady temperature, a piece that heat cannot leave; or ""."""
    if loss:
        return ""
    cooled = [boundary_nodes(domain, space, name) for name, c in on.items() if not isinstance(c, Flux)]
    place = untouched_place(domain, space, cooled)
    return place and (
        f"the piece at {place} has no steady temperature: no boundary takes its heat away, must have "
        "em.fixed(...), em.heat.convection(...) or em.heat.radiation(...) on one, or a loss to a substrate"
    )


def let_out(
    domain: Domain, on: Mapping[str, Any], temperature: Any, v: Any, degree: int
) -> tuple[dict[str, ufl.Form], list[Driver]]:
    """Return the heat out through each boundary with surroundings or a flux, tested with v; and its drivers."""
    flows: dict[str, ufl.Form] = {}
    drivers: list[Driver] = []
    for name, c in on.items():
        if isinstance(c, Flux):
            form, moved = neumann_term(domain, {name: c}, v, degree)
            flows[name] = -form
            drivers += moved
        elif isinstance(c, Convection | Radiation):
            ambient, moved = coefficient(domain, f"ambient of {name!r}", c.ambient)
            flows[name] = c.leaving(temperature, ambient, domain.mesh) * v * domain.ds(name, degree)
            drivers += moved
    return flows, drivers
