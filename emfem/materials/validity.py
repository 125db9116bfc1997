"""Constants of a metal: the unit of each, the range in which it is valid, and the usual mistakes outside of it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

from emfem.errors import PACKAGE, ParameterError, ResolutionWarning, number

CONFIDENCE = {
    "trusted": "read in a named source, and consistent",
    "recalled": "textbook knowledge, not looked up",
    "placeholder": "only the sign or the order is known",
    "given": "by the user",
}


@dataclass(frozen=True)
class ValidRange:
    """Bounds of a quantity.

    Attributes:
        unit: as printed.
        low: the least value.
        high: the greatest value.
        mistakes: ranges of the size of values out of bounds, (from, to, the likely mistake).
        doubt_above: a value inside the bounds that is hardly meant is above this,
        doubt_below: and below this.
        doubt: what it is likely to be.
    """

    unit: str
    low: float
    high: float
    mistakes: tuple[tuple[float, float, str], ...] = ()
    doubt_above: float = -math.inf
    doubt_below: float = -math.inf
    doubt: str = ""

    def check(self, name: str, value: object) -> float:
        """Return `value` as a float inside the bounds.

        Raises:
            ParameterError: if it is no number, or outside; the message names the likely mistake.

        Warns:
            ResolutionWarning: if it is one that is hardly meant.
        """
        unit = self.unit.strip("-")
        result = number(name, value, unit=unit)
        if self.low <= result <= self.high:
            if self.doubt_above < result < self.doubt_below:
                message = f"{name} = {result:g} {unit}, is below {self.doubt_below:g} {unit}: {self.doubt}?"
                warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)
            return result
        hint = next((f": {mistake}?" for low, high, mistake in self.mistakes if low <= abs(result) <= high), "")
        with_unit = f" {unit}" if unit else ""
        msg = f"{name} = {result:g}{with_unit}, must be between {self.low:g} and {self.high:g}{with_unit}{hint}"
        raise ParameterError(msg)


def _length(high: float) -> ValidRange:
    """Return the bounds of a length up to `high` [m]: a larger one was a number of micrometres."""
    return ValidRange("m", 1e-10, high, ((high, 1e12, "nm or um written as m"), (0.0, 1e-10, "smaller than an atom")))


_ENERGY = ((1e-3, 1e3, "eV written as J"), (1e3, 1e7, "J/mol written as J"))
_EXPANSION = ((0.1, 1e3, "ppm/K written as 1/K"),)
_MODULUS = ((1.0, 1e3, "GPa written as Pa"), (1e3, 1e6, "MPa written as Pa"))
_RESISTIVITY = (
    (1e-2, 1e3, "microohm centimetre written as Ohm m"),
    (1e5, 1e9, "a conductivity written as a resistivity"),
)
_PRODUCT = ((1e-13, 1e-10, "Ohm cm2 written as Ohm m2"), (1e-9, 1e-4, "a resistivity or a length alone"))
_HEAT_CAPACITY = ((50.0, 5e3, "J/(kg K) written as J/(m3 K)"), (0.1, 10.0, "J/(cm3 K) written as J/(m3 K)"))
_VOLUME = (
    (1e-24, 1e-22, "cm3 written as m3"),
    (1e-7, 1e-3, "m3/mol written as m3"),
    (1.0, 1e3, "cm3/mol or cubic angstrom written as m3"),
)
_DIFFUSIVITY = ValidRange("m2/s", 0.0, 1e-6, ((1e-6, 1e12, "cm2/s or um2/s written as m2/s"),))
_THICKNESS = ((1e-11, 1e-5, "a diffusivity without the thickness"), (1e-5, 1e12, "cm3/s or um3/s written as m3/s"))
_PATH = ValidRange("m3/s", 0.0, 1e-12, _THICKNESS)

ACTIVATION_ENERGY = ValidRange("J", 1e-21, 3e-18, _ENERGY)
LORENZ_NUMBER = ValidRange("V2/K2", 1e-8, 1e-7)
TEMPERATURE = ValidRange(
    "K", 1.0, 5000.0, doubt_above=20.0, doubt_below=100.0, doubt="degrees Celsius written as kelvin"
)
LENGTH, SECTION, LINE = _length(1.0), _length(1e-2), _length(0.1)  # of grains; of cross-sections and of lines
CURRENT_DENSITY = ValidRange("A/m2", -1e15, 1e15)
STRESS = ValidRange("Pa", 1e3, 1e11, ((1.0, 1e3, "MPa written as Pa"),))
LEAST_CURRENT = 1e3  # A/m2, if not 0: a thousandth of a current density that moves atoms in any metal

# The names of all constants, in the order they are printed. Bounds are wider than the metals, and reject units.
VALIDITY: dict[str, ValidRange] = {
    "melting_temperature": ValidRange("K", 200.0, 5000.0),
    "resistivity": ValidRange("Ohm m", 1e-9, 1e-5, _RESISTIVITY),
    "temperature_coefficient": ValidRange("1/K", -0.01, 0.05, ((1.0, 1e5, "ppm/K written as 1/K"),)),
    "mean_free_path_product": ValidRange("Ohm m2", 1e-17, 1e-14, _PRODUCT),
    "thermal_conductivity": ValidRange("W/(m K)", 0.1, 1e4, ((1e-3, 0.1, "W/(um K) or W/(mm K) written as W/(m K)"),)),
    "volumetric_heat_capacity": ValidRange("J/(m3 K)", 1e5, 1e7, _HEAT_CAPACITY),
    "thermal_expansion": ValidRange("1/K", -1e-5, 2e-4, _EXPANSION),
    "atomic_volume": ValidRange("m3", 5e-30, 1e-28, _VOLUME),
    "bulk_modulus": ValidRange("Pa", 1e9, 1e12, _MODULUS),
    "youngs_modulus": ValidRange("Pa", 1e9, 2e12, _MODULUS),
    "poisson_ratio": ValidRange("-", -1.0, 0.4999),
    "effective_charge": ValidRange("-", -1e3, 1e3),
    "diffusivity": _DIFFUSIVITY,
    "lattice_diffusivity": _DIFFUSIVITY,
    "grain_boundary_diffusivity_thickness": _PATH,
    "interface_diffusivity_thickness": _PATH,
    "surface_diffusivity_thickness": _PATH,
    "heat_of_transport": ValidRange("J", -2e-18, 2e-18, _ENERGY),
    "surface_energy": ValidRange("J/m2", 0.01, 10.0, ((100.0, 1e4, "erg/cm2 or mJ/m2 written as J/m2"),)),
}


def current(name: str, value: object) -> float:
    """Return `value` as a current density that a wire may have, or 0 [A/m2].

    Raises:
        ParameterError: if it is none, or so small that another unit was meant.
    """
    result = CURRENT_DENSITY.check(name, value)
    if 0.0 < abs(result) < LEAST_CURRENT:
        bound = f"must be 0 or at least {LEAST_CURRENT:g} A/m2: MA/cm2 (1e10 A/m2) written as A/m2?"
        msg = f"{name} = {result:g} A/m2, {bound}"
        raise ParameterError(msg)
    return result


def valid(name: str, value: object) -> float:
    """Return `value` as a float that the constant `name` can have.

    Raises:
        ParameterError: if it cannot; the message names the likely mistake of unit.
    """
    result = VALIDITY[name].check(name, value)
    if "diffusivity" in name:  # one of zero moves nothing, and times are divided by it
        number(name, result, above=0.0, unit=VALIDITY[name].unit)
    return result
