"""Every constant of a metal: its unit, the window it must lie in, and the slip that a stray value hints at."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.errors import ParameterError, number

MARKS = {
    "trusted": "read in a named source, and consistent",
    "recalled": "textbook knowledge, not looked up",
    "placeholder": "only the sign or the order is known",
    "given": "by the user",
}


@dataclass(frozen=True)
class Window:
    """Where a quantity can lie.

    Attributes:
        unit: as printed.
        low: the least value.
        high: the greatest value.
        slips: ranges outside of the window, (from, to, what was probably meant).
    """

    unit: str
    low: float
    high: float
    slips: tuple[tuple[float, float, str], ...] = ()

    def check(self, name: str, value: object) -> float:
        """`value` as a float inside the window.

        Raises:
            ParameterError: if it is none, or outside; the message tells the likely slip.
        """
        unit = self.unit.strip("-")
        result = number(name, value, unit=unit)
        if self.low <= result <= self.high:
            return result
        told = next((f": {slip}?" for low, high, slip in self.slips if low <= abs(result) <= high), "")
        with_unit = f" {unit}" if unit else ""
        msg = f"{name} = {result:g}{with_unit}, must be between {self.low:g} and {self.high:g}{with_unit}{told}"
        raise ParameterError(msg)


_ENERGY = ((1e-3, 1e3, "eV written as J"), (1e3, 1e7, "J/mol written as J"))
_THICKNESS = ((1e-11, 1e-5, "a diffusivity without the thickness"), (1e-5, 1e12, "cm3/s or um3/s written as m3/s"))
ACTIVATION_ENERGY = Window("J", 1e-21, 3e-18, _ENERGY)
LORENZ_NUMBER = Window("V2/K2", 1e-8, 1e-7)
TEMPERATURE = Window("K", 1.0, 5000.0)
LENGTH = Window("m", 1e-10, 1.0, ((1.0, 1e12, "nm or um written as m"), (0.0, 1e-10, "smaller than an atom")))
# Cross-sections and grains of lines, and their lengths: what is larger was a number of micrometres.
SECTION = Window("m", 1e-10, 1e-2, ((1e-2, 1e12, "nm or um written as m"), (0.0, 1e-10, "smaller than an atom")))
LINE = Window("m", 1e-10, 0.1, ((0.1, 1e12, "nm or um written as m"), (0.0, 1e-10, "smaller than an atom")))
CURRENT_DENSITY = Window("A/m2", -1e15, 1e15)
STRESS = Window("Pa", 1e3, 1e11, ((1.0, 1e3, "MPa written as Pa"),))
LEAST_CURRENT = 1e3  # A/m2, unless there is none: a thousandth of what moves an atom anywhere

# The names of all constants, in the order they are printed. Bounds are wider than the metals, and reject units.
WINDOWS: dict[str, Window] = {
    "melting_temperature": Window("K", 200.0, 5000.0),
    "resistivity": Window(
        "Ohm m",
        1e-9,
        1e-5,
        (
            (1e-2, 1e3, "microohm centimetre written as Ohm m"),
            (1e5, 1e9, "a conductivity written as a resistivity"),
        ),
    ),
    "temperature_coefficient": Window("1/K", -0.01, 0.05, ((1.0, 1e5, "ppm/K written as 1/K"),)),
    "thermal_conductivity": Window("W/(m K)", 0.1, 1e4, ((1e-3, 0.1, "W/(um K) or W/(mm K) written as W/(m K)"),)),
    "volumetric_heat_capacity": Window(
        "J/(m3 K)",
        1e5,
        1e7,
        ((50.0, 5e3, "J/(kg K) written as J/(m3 K)"), (0.1, 10.0, "J/(cm3 K) written as J/(m3 K)")),
    ),
    "thermal_expansion": Window("1/K", -1e-5, 2e-4, ((0.1, 1e3, "ppm/K written as 1/K"),)),
    "atomic_volume": Window(
        "m3",
        5e-30,
        1e-28,
        (
            (1e-24, 1e-22, "cm3 written as m3"),
            (1e-7, 1e-3, "m3/mol written as m3"),
            (1.0, 1e3, "cm3/mol or cubic angstrom written as m3"),
        ),
    ),
    "bulk_modulus": Window("Pa", 1e9, 1e12, ((1.0, 1e3, "GPa written as Pa"), (1e3, 1e6, "MPa written as Pa"))),
    "youngs_modulus": Window("Pa", 1e9, 2e12, ((1.0, 1e3, "GPa written as Pa"), (1e3, 1e6, "MPa written as Pa"))),
    "poisson_ratio": Window("-", -1.0, 0.4999),
    "effective_charge": Window("-", -1e3, 1e3),
    "diffusivity": Window("m2/s", 0.0, 1e-6, ((1e-6, 1e12, "cm2/s or um2/s written as m2/s"),)),
    "lattice_diffusivity": Window("m2/s", 0.0, 1e-6, ((1e-6, 1e12, "cm2/s or um2/s written as m2/s"),)),
    "grain_boundary_diffusivity_thickness": Window("m3/s", 0.0, 1e-12, _THICKNESS),
    "interface_diffusivity_thickness": Window("m3/s", 0.0, 1e-12, _THICKNESS),
    "surface_diffusivity_thickness": Window("m3/s", 0.0, 1e-12, _THICKNESS),
    "heat_of_transport": Window("J", -2e-18, 2e-18, _ENERGY),
    "surface_energy": Window("J/m2", 0.01, 10.0, ((100.0, 1e4, "erg/cm2 or mJ/m2 written as J/m2"),)),
}
# A diffusivity of zero moves nothing, and times are divided by it.
POSITIVE = tuple(name for name in WINDOWS if "diffusivity" in name)


def current(name: str, value: object) -> float:
    """`value` as a current density that a wire may have, or 0 [A/m2].

    Raises:
        ParameterError: if it is none, or so small that another unit was meant.
    """
    result = CURRENT_DENSITY.check(name, number(name, value, unit="A/m2"))
    if 0.0 < abs(result) < LEAST_CURRENT:
        msg = (
            f"{name} = {result:g} A/m2, must be 0 or at least {LEAST_CURRENT:g} A/m2: "
            "MA/cm2 (1e10 A/m2) written as A/m2?"
        )
        raise ParameterError(msg)
    return result


def checked(name: str, value: object) -> float:
    """`value` as a float that the constant `name` can have.

    Raises:
        ParameterError: if it cannot; the message tells the likely slip of unit.
    """
    result = WINDOWS[name].check(name, value)
    if name in POSITIVE:
        number(name, result, above=0.0, unit=WINDOWS[name].unit)
    return result
