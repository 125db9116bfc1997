"""A metal: its laws of temperature, each with its mark and its source, and their values at one temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

from emfem.errors import ParameterError, choice, floats, kind, number
from emfem.materials.entries import Constant, Constants, stated
from emfem.materials.laws import DirectAndWind, Uniform
from emfem.materials.line import in_line
from emfem.materials.preview import Derived, derived
from emfem.materials.table import aligned
from emfem.materials.windows import TEMPERATURE, WINDOWS, checked

import numpy as np
import ufl
from numpy.typing import NDArray
from scipy.optimize import brentq

LOWEST = 150.0  # [K]; below about half the Debye temperature resistivities are no longer linear
BEYOND = 1e6  # [K]; far above melting, to tell where a law would have led


class MissingConstant(ParameterError, AttributeError):
    """A constant that the metal was not given: `hasattr` says no."""


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Material:
    """A metal at a temperature. Its values do not change; `at` and `having` make others of it.

    `material.resistivity` is a float, the value at `material.temperature`; `material.law("resistivity")(T)` is the
    value at any other temperature. Only what was given is there. `print(material)` tells everything with its source.

    Attributes:
        name: of the metal.
        temperature: T [K].
        lowest_temperature: below it the laws do not hold [K]; above they hold up to the melting temperature.
        constants: the laws by name, with mark and source.
    """

    name: str
    temperature: float
    lowest_temperature: float
    melting_temperature: float
    resistivity: float
    temperature_coefficient: float
    thermal_conductivity: float
    volumetric_heat_capacity: float
    thermal_expansion: float
    atomic_volume: float
    bulk_modulus: float
    youngs_modulus: float
    poisson_ratio: float
    effective_charge: float
    diffusivity: float
    lattice_diffusivity: float
    grain_boundary_diffusivity_thickness: float
    interface_diffusivity_thickness: float
    surface_diffusivity_thickness: float
    heat_of_transport: float
    surface_energy: float
    _constants: dict[str, Constant]

    def __init__(
        self,
        name: str,
        *,
        temperature: float = 373.0,
        lowest_temperature: float = LOWEST,
        **constants: Unpack[Constants],
    ) -> None:
        """Take the constants, and work out their values at the temperature.

        Args:
            name: of the metal.
            temperature: T [K].
            lowest_temperature: where the laws end [K].
            constants: see `Constants`: numbers, functions of the temperature, laws, or `Constant` with mark and source.

        Raises:
            ParameterError: for a temperature that the laws do not reach, or a value out of its window; the message
                tells the likely slip of unit.
            UnknownName: for a constant that does not exist.
        """
        kind("name", name, str, "a text")
        number("temperature", temperature, above=0.0, unit="K")
        _fill(self, name, temperature, lowest_temperature, stated(constants, temperature))

    @property
    def constants(self) -> dict[str, Constant]:
        """The laws by name, each with its mark and its source; a copy."""
        return dict(self._constants)

    def law(self, name: str) -> Callable[[Any], Any]:
        """The law of a constant, as a function of the temperature [K]: a number, an array, or a UFL expression.

        Numbers and arrays outside of the range where the laws hold are refused. Of a UFL expression nothing is known
        until it is evaluated.

        Raises:
            UnknownName: if there is no such constant.
            ParameterError: if this material was not given it.
        """
        choice("law", name, WINDOWS)
        if name not in self._constants:
            raise MissingConstant(self._lacks(name))
        return partial(self._evaluate, name)

    def at(self, temperature: float, **constants: Unpack[Constants]) -> Material:
        """The same metal at another temperature [K], with other constants if any are given; see `Constants`.

        Raises:
            ParameterError: for a temperature that the laws do not reach, or a value out of its window.
            UnknownName: for a constant that does not exist.
        """
        number("temperature", temperature, above=0.0, unit="K")
        made = Material.__new__(Material)
        told = stated(constants, temperature, self._constants)
        _fill(made, self.name, temperature, self.lowest_temperature, told)
        return made

    def having(self, **constants: Unpack[Constants]) -> Material:
        """The same metal with other constants; see `Constants`.

        Raises:
            ParameterError: for a value out of its window.
            UnknownName: for a constant that does not exist.
        """
        return self.at(self.temperature, **constants)

    def in_line(
        self,
        *,
        width: float,
        height: float,
        grain_size: float,
        paths: tuple[str, ...] | None = None,
        charges: dict[str, float] | None = None,
    ) -> Material:
        """The metal as a line of it: diffusivity and effective charge summed over its paths.

            D = D_lattice + (delta D)_gb (1/d) (1 - d/w) + (delta D)_i (2/w + 1/h) + (delta D)_s / h
            Z* D = the same sum with each path's D multiplied by its Z*

        With grains as wide as the line or wider, a bamboo, no boundary runs along it and its term is 0.

        Args:
            width: w [m].
            height: h [m].
            grain_size: d [m].
            paths: of "lattice", "grain_boundary", "interface" and "surface" those that the line has; when left out the
                lattice, the boundaries and, where the metal was given it, the interface to the cap and the liner.
            charges: Z* of a path, by its name [-]; the metal's own when left out.

        Raises:
            ParameterError: for a size out of its bounds, a diffusivity that was given as a whole, or a path whose
                diffusivity is missing.
            UnknownName: for a path that does not exist.
        """
        return self.having(**in_line(self, width, height, grain_size, paths, charges or {}))

    def cancellation_temperature(self) -> float:
        """The temperature at which direct and wind force cancel [K]: below it the wind wins, above it the field.

        Raises:
            ParameterError: if the charge is not the sum of both, or if they do not cancel in the range of the laws.
        """
        law = self._constants["effective_charge"].law if "effective_charge" in self._constants else None
        if not isinstance(law, DirectAndWind):
            msg = f"effective_charge of {self.name}, must be a DirectAndWind(direct=..., wind=...) to cancel"
            raise ParameterError(msg)
        charge, low, high = self._raw("effective_charge"), self.lowest_temperature, self._highest
        if charge(low) * charge(high) <= 0.0:
            return float(brentq(charge, low, high, xtol=1e-12, rtol=1e-15))
        told = f"direct {law.direct:+g} and wind {law.wind:+g} of {self.name}"
        if charge(high) * charge(BEYOND) < 0.0:
            beyond = brentq(charge, high, BEYOND)
            msg = f"{told} would cancel at {beyond:.6g} K, above the melting temperature of {high:g} K: they never do"
        else:
            msg = f"{told} do not cancel between {low:g} K and {high:g} K"
        raise ParameterError(msg)

    def derived(self, *, length: float, current_density: float, critical_stress: float | None = None) -> Derived:
        """What a current does in a line of this metal, before any run: see `Derived`; `print` shows a table.

        Args:
            length: L of the line [m].
            current_density: j, signed [A/m2].
            critical_stress: sigma_c at which a void opens, above 0 [Pa].

        Raises:
            ParameterError: for a value out of its bounds, or a constant that the metal was not given.
        """
        return derived(self, length=length, current_density=current_density, critical_stress=critical_stress)

    def __str__(self) -> str:
        """The table of all constants: value at the temperature, unit, mark, law and source."""
        rows = [("", f"at {self.temperature:g} K", "unit", "mark", "law and source")]
        for name, entry in self._constants.items():
            words = entry.law.words
            told = f"{words}; {entry.source}" if words else entry.source
            rows.append((name, f"{getattr(self, name):.5g}", WINDOWS[name].unit, entry.mark, told))
        return "\n".join([self.name, *aligned(rows)])

    def __repr__(self) -> str:
        """Name and temperature."""
        return f"Material({self.name!r}, temperature={self.temperature:g})"

    def __getattr__(self, name: str) -> Any:
        """Say what is missing: Python asks here for what was not found."""
        if name in WINDOWS:
            raise MissingConstant(self._lacks(name))
        raise AttributeError(f"{type(self).__name__} has no {name!r}")  # noqa: EM102 - Python's own sentence

    @property
    def _highest(self) -> float:
        """The highest temperature that the laws reach [K]."""
        return self.__dict__.get("melting_temperature", TEMPERATURE.high)

    def _lacks(self, name: str) -> str:
        return f"{self.name} has no {name}: give one, as in having({name}=...)"

    def _evaluate(self, name: str, temperature: Any) -> Any:
        """A law at a temperature in its range, its value inside its window."""
        if isinstance(temperature, ufl.core.expr.Expr):
            return self._raw(name)(temperature)
        place = floats("temperature", temperature)
        self._reach(place)
        if not place.ndim:
            return checked(name, self._raw(name)(float(place)))
        value = np.broadcast_to(self._raw(name)(place), place.shape).copy()
        for extreme in (value.min(), value.max()) if value.size else ():
            checked(name, extreme)
        return value

    def _raw(self, name: str) -> Callable[[Any], Any]:
        """A law that does not check its range."""
        if name not in self._constants:
            raise MissingConstant(self._lacks(name))
        return partial(self._constants[name].law.evaluate, law=self._raw)

    def _reach(self, temperature: NDArray[np.float64]) -> None:
        """Refuse temperatures that the laws do not reach."""
        low, high = self.lowest_temperature, self._highest
        wrong = temperature[~((temperature >= low) & (temperature <= high))]
        if wrong.size:
            worst = wrong.flat[0]
            melting = "melting at " if "melting_temperature" in self._constants else ""
            told = f"from {low:g} K to {melting}{high:g} K"
            slip = ": degrees Celsius written as kelvin?" if -100.0 <= worst < low else ""
            msg = f"temperature = {worst:g} K, the laws of {self.name} hold {told}{slip}"
            raise ParameterError(msg)


def _fill(
    material: Material, name: str, temperature: float, lowest_temperature: float, constants: dict[str, Constant]
) -> None:
    """Check the constants, and give them to a new material with their values."""
    state = material.__dict__  # the one place that goes round the frozen dataclass
    state |= {"name": name, "_constants": dict(constants)}
    state["lowest_temperature"] = number("lowest_temperature", lowest_temperature, above=0.0, unit="K")
    melting = constants.get("melting_temperature")
    if melting is not None:
        kind("melting_temperature", melting.law, Uniform, "a number")
        state["melting_temperature"] = checked("melting_temperature", melting.law.evaluate(0.0, material.law))
    state["temperature"] = number("temperature", temperature, unit="K")
    material._reach(np.asarray(state["temperature"]))
    state |= {constant: checked(constant, material._raw(constant)(state["temperature"])) for constant in constants}
