"""A metal: its laws of temperature, each with confidence and source, and their values at one temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

from emfem.arrays import broadcast
from emfem.errors import ParameterError, choice, floats, kind, number
from emfem.gate import checked
from emfem.materials.constants import Constant, Constants, KnownConstants, merged
from emfem.materials.estimates import Derived, derived
from emfem.materials.laws import DirectAndWind, Uniform
from emfem.materials.line import in_line
from emfem.materials.resistivity import with_size_effect
from emfem.materials.table import aligned, as_html
from emfem.materials.validity import SECTION, TEMPERATURE, VALIDITY, valid

import numpy as np
import ufl
from numpy.typing import NDArray
from scipy.optimize import brentq

LOWEST = 150.0  # [K]; below about half the Debye temperature resistivities are no longer linear
BEYOND = 1e6  # [K]; far above melting, to find where a law would have led


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Material:
    """A metal at a temperature. Its values do not change; `at` and `having` make others of it.

    `material.resistivity` is a float, the value at `material.temperature`; `material.law("resistivity")(T)` is the
    value at any other temperature. It has only the constants that it was made with; `print(material)` lists them all,
    each with its source.

    Attributes:
        name: of the metal.
        temperature: T [K].
        lowest_temperature: below it the laws do not hold [K]; above they hold up to the melting temperature.
        constants: the laws by name, with confidence and source.
    """

    name: str
    temperature: float
    lowest_temperature: float
    melting_temperature: float
    resistivity: float
    temperature_coefficient: float
    mean_free_path_product: float
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
    _constants: KnownConstants

    @checked
    def __init__(
        self,
        name: str,
        *,
        temperature: float = 373.0,
        lowest_temperature: float = LOWEST,
        **constants: Unpack[Constants],
    ) -> None:
        """Take the constants, and evaluate them at the temperature.

        Args:
            name: of the metal.
            temperature: T [K].
            lowest_temperature: where the laws end [K].
            constants: see `Constants`: numbers, functions of the temperature, laws, or `Constant` with a source.

        Raises:
            ParameterError: for a temperature out of the range of the laws, or a value out of its bounds; the message
                names the likely mistake of unit.
            UnknownName: for a constant that does not exist.
        """
        kelvin = number("temperature", temperature, above=0.0, unit="K")
        known = KnownConstants(name, merged(constants, temperature))
        state = self.__dict__  # the one place that goes round the frozen dataclass
        state |= {"name": name, "temperature": kelvin, "_constants": known}
        state["lowest_temperature"] = number("lowest_temperature", lowest_temperature, above=0.0, unit="K")
        if (melting := known.get("melting_temperature")) is not None:
            kind("melting_temperature", melting.law, Uniform, "a number")
            state["melting_temperature"] = melting.law.evaluate(0.0, self.law)
        self._check_range(np.asarray(kelvin))
        state |= {constant: valid(constant, self._unchecked(constant)(kelvin)) for constant in known}

    @property
    def constants(self) -> dict[str, Constant]:
        """The laws by name, each with its confidence and source; a copy."""
        return dict(self._constants)

    @checked
    def law(self, name: str) -> Callable[[Any], Any]:
        """Return the law of a constant, as a function of the temperature [K]: number, array, or UFL expression.

        Numbers and arrays outside of the range where the laws hold are refused; a UFL expression is not checked.

        Raises:
            UnknownName: if there is no such constant.
            ParameterError: if this material lacks it.
        """
        self._constants[choice("law", name, VALIDITY)]
        return partial(self._evaluate, name)

    @checked
    def at(self, temperature: float, **constants: Unpack[Constants]) -> Material:
        """Return the same metal at another temperature [K], with other constants if there are any; see `Constants`.

        Raises:
            ParameterError: for a temperature out of the range of the laws, or a value out of its bounds.
            UnknownName: for a constant that does not exist.
        """
        number("temperature", temperature, above=0.0, unit="K")
        known: Any = merged(constants, temperature, self._constants)
        return Material(self.name, temperature=temperature, lowest_temperature=self.lowest_temperature, **known)

    @checked
    def having(self, **constants: Unpack[Constants]) -> Material:
        """Return the same metal with other constants; see `Constants`.

        Raises:
            ParameterError: for a value out of its bounds.
            UnknownName: for a constant that does not exist.
        """
        return self.at(self.temperature, **constants)

    @checked
    def in_line(
        self,
        *,
        width: float,
        height: float,
        grain_size: float,
        paths: Sequence[str] | None = None,
        charges: Mapping[str, float] | None = None,
    ) -> Material:
        """Return the metal as a line of it: diffusivity and effective charge summed over its paths.

            D = D_lattice + (delta D)_gb (1/d) (1 - d/w) + (delta D)_i (2/w + 1/h) + (delta D)_s / h
            Z* D = the same sum with each path's D multiplied by its Z*

        With grains as wide as the line or wider, a bamboo, no boundary runs along it and its term is 0.

        Args:
            width: w [m].
            height: h [m].
            grain_size: d [m].
            paths: of "lattice", "grain_boundary", "interface" and "surface" those that the line has; when left out the
                lattice, the boundaries and, where the metal has it, the interface to the cap and the liner.
            charges: Z* of a path, by its name [-]; the metal's own when left out.

        Raises:
            ParameterError: for a size out of its bounds, a diffusivity that was given as a whole, or a path whose
                diffusivity is missing.
            UnknownName: for a path that does not exist.
        """
        return self.having(**in_line(self._constants, width, height, grain_size, paths, charges or {}))

    @checked
    def with_size_effect(
        self,
        *,
        height: float,
        width: float | None = None,
        specularity: float = 0.0,
        grain_size: float | None = None,
        reflection: float | None = None,
    ) -> Material:
        """Return the metal as a film, or as a wire of rectangular section, whose surfaces and grains scatter electrons.

            rho(T) = rho0(T) (1 + (F_h - 1) + (F_w - 1) + (G - 1)),   lambda(T) = (rho0 lambda) / rho0(T)

        F is `fuchs_sondheimer`, G `mayadas_shatzkes`. For a wide section that is rho0 + 3/8 (1 - p) (rho0 lambda)
        (1/h + 1/w) + 3/2 (rho0 lambda) R / (1 - R) / d. A charge that is `DirectAndWind` keeps the wind force of a
        current density: Z_wind rho is that of the bulk. Any other charge stays what it was, and so does a thermal
        conductivity that is not `WiedemannFranz()`.

        Args:
            height: h [m].
            width: w; a film when left out [m].
            specularity: p of the surfaces, 0 for diffuse scattering, to 1 [-].
            grain_size: d, mean distance of boundaries along the current; none when left out [m].
            reflection: R of the boundaries, from 0 to below 1; given with the grain size [-].

        Raises:
            ParameterError: for a value out of its bounds, a constant that is missing, or a size below a hundredth of
                the mean free path.
        """
        sizes = [SECTION.check("height", height), *([] if width is None else [SECTION.check("width", width)])]
        made = with_size_effect(self._constants, tuple(sizes), specularity, grain_size, reflection)
        return self.having(**made)

    def cancellation_temperature(self) -> float:
        """Return the temperature at which direct and wind force cancel [K]: below it the wind wins, above it the field.

        Raises:
            ParameterError: if the charge is not the sum of both, or if they do not cancel in the range of the laws.
        """
        constant = self._constants.get("effective_charge")
        if constant is None or not isinstance(constant.law, DirectAndWind):
            msg = f"effective_charge of {self.name}, must be a DirectAndWind(direct=..., wind=...) to cancel"
            raise ParameterError(msg)
        charge, low, high = self._unchecked("effective_charge"), self.lowest_temperature, self._highest
        if charge(low) * charge(high) <= 0.0:
            return float(brentq(charge, low, high, xtol=1e-12, rtol=1e-15))
        both = f"direct {constant.law.direct:+g} and wind {constant.law.wind:+g} of {self.name}"
        if charge(high) * charge(BEYOND) < 0.0:
            beyond = brentq(charge, high, BEYOND)
            msg = f"{both} would cancel at {beyond:.6g} K, above the melting temperature of {high:g} K: they never do"
        else:
            msg = f"{both} do not cancel between {low:g} K and {high:g} K"
        raise ParameterError(msg)

    @checked
    def derived(self, *, length: float, current_density: float, critical_stress: float | None = None) -> Derived:
        """Return the numbers of a line of this metal under a current, before any run; `print` shows a table.

        Args:
            length: L of the line [m].
            current_density: j, signed along the line; 0, or at least 1e3 [A/m2].
            critical_stress: sigma_c above the stress without current, at which a void opens [Pa].

        Raises:
            ParameterError: for a value out of its bounds, or a constant that the metal lacks.
        """
        return derived(self, length=length, current_density=current_density, critical_stress=critical_stress)

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the table of all constants: value at the temperature, unit, confidence, law and source."""
        rows: list[tuple[str, ...]] = [("", f"at {self.temperature:g} K", "unit", "confidence", "law and source")]
        for name, constant in self._constants.items():
            origin = "; ".join(filter(None, (constant.law.description, constant.source)))
            rows.append((name, f"{getattr(self, name):.5g}", VALIDITY[name].unit, constant.confidence, origin))
        return rows

    def __str__(self) -> str:
        """Table of all constants."""
        return "\n".join([self.name, *aligned(self._rows())])

    def _repr_html_(self) -> str:
        """Table of all constants, for notebooks."""
        return as_html(self._rows(), self.name)

    def __repr__(self) -> str:
        """Name and temperature."""
        return f"Material({self.name!r}, temperature={self.temperature:g})"

    def __getattr__(self, name: str) -> Any:
        """Report a missing constant: Python calls this for attributes that do not exist."""
        if name in VALIDITY:
            self._constants[name]
        msg = f"{type(self).__name__} has no {name!r}"
        if name[0] != "_":  # Python asks for those of an object that is not ready
            public = {each for each in dir(type(self)) if each[0] != "_"}
            msg += f"; it has {', '.join(sorted(public | set(self._constants)))}"
        raise AttributeError(msg)

    @property
    def _highest(self) -> float:
        """The highest temperature at which the laws hold [K]."""
        return self.__dict__.get("melting_temperature", TEMPERATURE.high)

    def _evaluate(self, name: str, temperature: Any) -> Any:
        """Return the value of a law at temperatures in its range, inside its bounds."""
        if isinstance(temperature, ufl.core.expr.Expr):
            return self._unchecked(name)(temperature)
        kelvin = floats("temperature", temperature)
        self._check_range(kelvin)
        if not kelvin.ndim:
            return valid(name, self._unchecked(name)(float(kelvin)))
        value = np.array(broadcast(**{name: floats(name, self._unchecked(name)(kelvin)), "temperature": kelvin})[0])
        for extreme in (value.min(), value.max()) if value.size else ():
            valid(name, extreme)
        return value

    def _unchecked(self, name: str) -> Callable[[Any], Any]:
        """Return a law that does not check its range."""
        return partial(self._constants[name].law.evaluate, law=self._unchecked)

    def _check_range(self, temperature: NDArray[np.float64]) -> None:
        """Refuse temperatures out of the range of the laws."""
        low, high = self.lowest_temperature, self._highest
        wrong = temperature[~((temperature >= low) & (temperature <= high))]
        if wrong.size:
            worst = wrong.flat[0]
            melting = "melting at " if "melting_temperature" in self._constants else ""
            hint = ": degrees Celsius written as kelvin?" if -100.0 <= worst < low else ""
            msg = f"temperature = {worst:g} K, the laws of {self.name} hold from {low:g} K to {melting}{high:g} K{hint}"
            raise ParameterError(msg)
