"""Metal along the wires of a network: temperature, mobility of the atoms, drive, resistivity, stress at the start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emfem.errors import ParameterError, floats, number, require
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.technology import Technology
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import ArrayLike

PANELS = 8  # of a segment whose temperature varies, with 5 Gauss points each, for integrals along it
BLOCK = 50_000  # segments at a time
ENDS = (0.0, 0.5, 1.0)  # places at which the largest value along a segment is looked for
RESOLVED = 0.3  # size of a cell at a node over the healing length of the temperature


@checked
@dataclass(frozen=True, eq=False)
class Temperature:
    """Temperature along each segment: linear between its ends, and the excess of its own Joule heat.

        T(x) = T_a + (T_b - T_a) x/L + T_m (1 - cosh((x - L/2)/Gamma)/cosh(L/(2 Gamma)))

    Attributes:
        start: T_a [K], shape (m,).
        end: T_b [K], shape (m,).
        excess: T_m, what an infinite wire would have [K], shape (m,); none if left out.
        healing_length: Gamma, over which heat leaves the wire [m]; needed with an excess.

    Raises:
        ParameterError: for temperatures that are not positive, other shapes, or an excess without a healing length.
    """

    start: ArrayLike
    end: ArrayLike
    excess: ArrayLike | None = None
    healing_length: float | None = None

    def __post_init__(self) -> None:
        """Check every value, and copy the arrays."""
        size = np.shape(self.start)
        for name in ("start", "end", "excess"):
            value = np.zeros(size) if getattr(self, name) is None else getattr(self, name)
            array = floats(name, value, size, f"one a segment, shape {size}").copy()
            wrong = np.flatnonzero(~np.isfinite(array) | ((array <= 0) & (name != "excess")))
            if len(wrong):
                bound = "finite" if name == "excess" else "above 0"
                msg = f"temperature {name!r} of segment {wrong[0]} = {array.flat[wrong[0]]:g} K, must be {bound}"
                raise ParameterError(msg)
            object.__setattr__(self, name, array)
        if self.healing_length is not None:
            number("healing_length", self.healing_length, above=0.0, unit="m")
        elif np.any(self.excess):
            msg = "excess is given without healing_length: give the length over which heat leaves the wire"
            raise ParameterError(msg)

    @property
    def uniform(self) -> bool:
        """True if no segment has a gradient."""
        return bool(np.array_equal(self.start, self.end) and not np.any(self.excess))

    def at(self, segment: Numbers, place: Floats, length: Floats) -> tuple[Floats, Floats]:
        """Return T and dT/dx at `place`, the part of the way along segments of these lengths [K, K/m]."""
        first, last, excess = (np.asarray(each)[segment] for each in (self.start, self.end, self.excess))
        value, slope = first + (last - first) * place, (last - first) / length
        if self.healing_length is None:
            return value, slope * np.ones_like(value)
        half, x = length / (2 * self.healing_length), (place - 0.5) * length / self.healing_length
        scale = np.exp(np.abs(x) - half) / (1 + np.exp(-2 * half))  # cosh x / cosh half without overflow
        cosh, sinh = (scale * (1 + sign * np.exp(-2 * np.abs(x))) for sign in (1.0, -1.0))
        return value + excess * (1 - cosh), slope - excess * np.sign(x) * sinh / self.healing_length


@checked
def resolve_temperature(network: Network, temperature: Any) -> Temperature:
    """Return the temperature along segments, from one number, one a node, one a segment, or ends of shape (m, 2).

    Raises:
        ParameterError: for another shape; where there are as many nodes as segments, one a node is meant.
    """
    if isinstance(temperature, Temperature):
        good = np.shape(temperature.start) == (len(network.segments),)
        require(good, f"temperature of {np.size(temperature.start)} segments, must have {len(network.segments)}")
        return temperature
    values = floats("temperature", temperature)
    nodes, segments = len(network.nodes), len(network.segments)
    if values.ndim == 0:
        return Temperature(np.full(segments, values), np.full(segments, values))
    if values.shape == (nodes,):
        return Temperature(*values[network.segments].T)
    if values.shape == (segments,):
        return Temperature(values, values)
    words = f"a number, one a node ({nodes}), one a segment ({segments}) or two a segment ({segments}, 2)"
    require(values.shape == (segments, 2), f"temperature of shape {values.shape}, must be {words}")
    return Temperature(*values.T)


@dataclass(frozen=True, eq=False)
class Metal:
    """Laws of the metal along the segments of a network.

    Attributes:
        network: of the wires.
        technology: of the chip.
        temperature: along the segments.
    """

    network: Network
    technology: Technology
    temperature: Temperature

    @cached_property
    def layer_resistivity(self) -> Floats:
        """The resistivity of each segment at the technology's temperature [Ohm m], shape (m,)."""
        return self.technology.resistivities(self.network)

    @cached_property
    def modulus(self) -> Floats:
        """B of each segment, at the temperature of its middle [Pa], shape (m,)."""
        every = np.arange(len(self.network.segments))
        return self._law("bulk_modulus", self._temperature(every, np.full(len(every), 0.5))[0])

    @cached_property
    def resistivity(self) -> Floats:
        """The mean resistivity of each segment [Ohm m], shape (m,)."""
        return self._averages[0]

    @cached_property
    def residual_stress(self) -> Floats:
        """The stress of each segment at the start, its mean [Pa], shape (m,)."""
        technology = self.technology
        if technology.passivation is None:
            return np.full(len(self.network.segments), technology.residual_stress)
        every = np.arange(len(self.network.segments))
        at = [self._temperature(every, np.full(len(every), place))[0] for place in ENDS]
        low, middle, high = (technology.passivation.stress(technology.material, each) for each in at)
        return np.broadcast_to((low + 4 * middle + high) / 6, every.shape)

    def mobility(self, segment: Numbers, place: Floats) -> Floats:
        """`M = D Omega/(k T)` at places along segments [m2/(Pa s)]."""
        if self.temperature.uniform:
            return self._uniform[0][segment]
        return self._mobility(self._temperature(segment, place)[0])

    def drive(self, segment: Numbers, place: Floats) -> tuple[Floats, Floats]:
        """`Z* e rho/Omega` and `-Q* T'/(Omega T)`: the force on the atoms is the first times j, plus the second."""
        if self.temperature.uniform:
            return self._uniform[1][segment], np.zeros(np.broadcast(segment, place).shape)
        kelvin, slope = self._temperature(segment, place)
        return self._charge(segment, kelvin), -self._thermal(kelvin) * slope / kelvin

    @property
    def kappa(self) -> Floats:
        """The largest kappa = M B in each segment [m2/s], shape (m,)."""
        return self._kappa.max(axis=0)

    @property
    def slowest(self) -> Floats:
        """The least kappa in each segment [m2/s], shape (m,)."""
        return self._kappa.min(axis=0)

    @cached_property
    def _kappa(self) -> Floats:
        every = np.arange(len(self.network.segments))
        return np.array([self.mobility(every, np.full(len(every), place)) for place in ENDS]) * self.modulus

    def steepest(self, density: Floats) -> Floats:
        """Return the largest force in each segment at its current density [Pa/m], shape (m,)."""
        every = np.arange(len(density))
        drives = [self.drive(every, np.full(len(every), place)) for place in ENDS]
        return np.max([np.abs(charge * density) + np.abs(thermal) for charge, thermal in drives], axis=0)

    def moments(self) -> tuple[Floats, ...]:
        """Return integrals along each segment, each shape (m, 2): of c, of t and of 1/M, and those times (L - x).

        The force is f = c j + t. Integrals times (L - x) are those of the running integral from the start.
        """
        lengths, total = self.network.lengths, len(self.network.segments)
        if self.temperature.uniform:
            halves, every = np.stack([lengths, lengths**2 / 2], axis=1), np.arange(total)
            mobility, charge = self.mobility(every, np.zeros(total)), self.drive(every, np.zeros(total))[0]
            return charge[:, None] * halves, np.zeros((total, 2)), halves / mobility[:, None]
        place, weight = _composite()
        result = np.zeros((3, total, 2))
        for begin in range(0, total, BLOCK):
            segment = np.arange(begin, min(begin + BLOCK, total))[:, None]
            length = lengths[segment]
            charge, thermal = self.drive(segment, place)
            for k, value in enumerate((charge, thermal, 1 / self.mobility(segment, place))):
                result[k, segment[:, 0], 0] = (value * length) @ weight
                result[k, segment[:, 0], 1] = (value * length**2 * (1 - place)) @ weight
        return tuple(result)

    def _temperature(self, segment: Numbers, place: Floats) -> tuple[Floats, Floats]:
        return self.temperature.at(segment, place, self.network.lengths[segment])

    @cached_property
    def _uniform(self) -> tuple[Floats, Floats]:
        """Mobility and `Z* e rho/Omega` of each segment, where temperature does not vary along it."""
        kelvin = np.asarray(self.temperature.start)
        return self._mobility(kelvin), self._charge(np.arange(len(kelvin)), kelvin)

    def _mobility(self, kelvin: Floats) -> Floats:
        return self._law("diffusivity", kelvin) * self._law("atomic_volume", kelvin) / (boltzmann * kelvin)

    def _charge(self, segment: Numbers, kelvin: Floats) -> Floats:
        rho = self.layer_resistivity[segment] * self._rise(kelvin)
        return self._law("effective_charge", kelvin) * elementary_charge * rho / self._law("atomic_volume", kelvin)

    def _thermal(self, kelvin: Floats) -> Floats:
        return self._law("heat_of_transport", kelvin) / self._law("atomic_volume", kelvin)

    def _rise(self, kelvin: Floats) -> Floats:
        """Return the resistivity over that at the technology's temperature."""
        own = np.full(1, self.technology.temperature)
        return self._law("resistivity", kelvin) / self._law("resistivity", own)

    def _law(self, name: str, kelvin: Floats) -> Floats:
        """Return a constant of the metal at temperatures; uniform ones are evaluated once."""
        law = self.technology.material.law(name)
        if kelvin.size and kelvin.min() == kelvin.max():
            return np.full(kelvin.shape, law(float(kelvin.flat[0])))
        return np.broadcast_to(law(kelvin), kelvin.shape)

    @cached_property
    def _averages(self) -> tuple[Floats]:
        """Means along segments of the resistivity."""
        total, place, weight = len(self.network.segments), *_composite()
        kelvin = np.asarray(self.temperature.start)
        if self.temperature.uniform:
            return (self.layer_resistivity * self._rise(kelvin),)
        result = np.zeros(total)
        for begin in range(0, total, BLOCK):
            segment = np.arange(begin, min(begin + BLOCK, total))[:, None]
            result[segment[:, 0]] = self._rise(self._temperature(segment, place)[0]) @ weight
        return (self.layer_resistivity * result,)


def _composite() -> tuple[Floats, Floats]:
    """Return places from 0 to 1 and weights of Gauss's rule with 5 points in each of the panels."""
    points, weights = np.polynomial.legendre.leggauss(5)
    places = (np.arange(PANELS)[:, None] + (points + 1) / 2) / PANELS
    return places.ravel(), np.tile(weights / 2 / PANELS, PANELS)
