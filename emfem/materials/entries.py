"""What is said of a metal: constants with mark and source, and how plain numbers and functions become such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from emfem.errors import ParameterError, UnknownName, choice, kind, number
from emfem.materials.laws import Function, Law, Linear, Slope, Uniform
from emfem.materials.windows import MARKS, WINDOWS, checked


@dataclass(frozen=True, init=False)
class Constant:
    """A law of temperature, and what it is worth.

    Attributes:
        law: made from a law, a number for one that is the same at every temperature, or a function of the temperature.
        mark: "trusted" (read in a named source, and consistent), "recalled" (textbook knowledge, not looked up),
            "placeholder" (only the sign or the order is known) or "given" (by the user).
        source: where it comes from.

    Raises:
        ParameterError: for a mark that does not exist, a source that is no text, or a law that is none.
    """

    law: Law
    mark: str
    source: str

    def __init__(
        self,
        law: float | Callable[[Any], Any] | Law,
        mark: str = "given",
        source: str = "given by the user",
    ) -> None:
        """Check the mark, and make a law of a number or a function."""
        if not isinstance(law, Law):
            law = Function(law) if callable(law) else Uniform(number("value", law))
        kind("source", source, str, "a text")
        self.__dict__.update(law=law, mark=choice("mark", mark, MARKS), source=source)


SAME_VOLUME = 1.25  # factor; that of aluminium is 1.41 times that of copper

type Quantity = float | Callable[[Any], Any] | Law | Constant


class Constants(TypedDict, total=False):
    """What can be said of a metal; each a number, a function of the temperature, a law or a `Constant`."""

    melting_temperature: Quantity  # [K]
    resistivity: Quantity  # rho [Ohm m]; a number holds at T and keeps the slope, Uniform has none
    temperature_coefficient: Quantity  # a of the resistivity, at its reference [1/K]
    thermal_conductivity: Quantity  # k [W/(m K)]
    volumetric_heat_capacity: Quantity  # rho_m c_p [J/(m3 K)]
    thermal_expansion: Quantity  # linear [1/K]
    atomic_volume: Quantity  # Omega, within 25 percent of that of a metal of the tables [m3]
    bulk_modulus: Quantity  # B [Pa]
    youngs_modulus: Quantity  # E [Pa]
    poisson_ratio: Quantity  # nu [-]
    effective_charge: Quantity  # Z*, signed, below 0 where atoms go with the electrons [-]
    diffusivity: Quantity  # D, effective [m2/s]
    lattice_diffusivity: Quantity  # [m2/s]
    grain_boundary_diffusivity_thickness: Quantity  # delta D_gb [m3/s]
    interface_diffusivity_thickness: Quantity  # delta_i D_i [m3/s]
    surface_diffusivity_thickness: Quantity  # delta_s D_s [m3/s]
    heat_of_transport: Quantity  # Q*, above 0 where atoms go to the cold side [J]
    surface_energy: Quantity  # gamma [J/m2]


def stated(
    given: Mapping[str, Any], temperature: float, base: Mapping[str, Constant] | None = None
) -> dict[str, Constant]:
    """The constants that a user gave, over those of a `base`; both in the order of the table.

    A resistivity given as a plain number holds at the temperature and keeps the slope of the base, converted to that
    reference. One given as a law or a function brings its own slope: that of `Uniform` is 0. Any other number is the
    same at every temperature.

    Args:
        given: by name, each a number, a function, a law or a `Constant`.
        temperature: of the metal [K].
        base: the constants of the metal that is changed.

    Raises:
        UnknownName: for a name that does not exist.
        ParameterError: for a value out of its window, or an atomic volume far from the trusted one of the base.
    """
    for name in given:
        if name not in WINDOWS:
            raise UnknownName(name, "a material", WINDOWS)
    old, new = dict(base or {}), {name: _constant(name, value) for name, value in given.items()}
    if "resistivity" in new:
        plain = not isinstance(given["resistivity"], Constant | Law)
        new = _resistivity(new, old, number("temperature", temperature, above=0.0, unit="K") if plain else None)
    _same_metal(new, old, temperature)
    merged = old | new
    _agree(merged)
    return {name: merged[name] for name in WINDOWS if name in merged}


def _constant(name: str, value: Any) -> Constant:
    """A constant of what a user can write for one."""
    if not isinstance(value, Constant | Law) and callable(value):
        try:
            value = Constant(value)
        except ParameterError as error:
            msg = f"{name}: {error}"
            raise ParameterError(msg) from None
    if not isinstance(value, Constant):
        value = Constant(value if isinstance(value, Law) else number(name, value))
    if isinstance(value.law, Uniform):  # now, so that no law that leans on it is blamed
        told = checked(name, value.law.value)
        if name == "effective_charge" and 0.0 < abs(told) < 1e-9:
            msg = f"effective_charge = {told:g}, must be in units of e: coulomb written as a number of charges?"
            raise ParameterError(msg)
    return value


def _resistivity(new: dict[str, Constant], old: dict[str, Constant], temperature: float | None) -> dict[str, Constant]:
    """The new constants with the slope that a new resistivity goes with; a plain number holds at the temperature."""
    law, slope = new["resistivity"].law, new.get("temperature_coefficient")
    if isinstance(law, Uniform) and temperature is not None:
        law = Linear(law.value, temperature)
    if isinstance(law, Uniform):
        slope = slope or Constant(0.0, source="the resistivity is uniform")
    elif not isinstance(law, Linear):
        slope = slope or Constant(Slope(), source="slope of the given function")
    elif law.temperature_coefficient is not None:
        slope = slope or replace(new["resistivity"], law=Uniform(law.temperature_coefficient))
        law = replace(law, temperature_coefficient=None)
    else:
        slope = slope or _converted(old, law.reference_temperature)
    return new | {"resistivity": replace(new["resistivity"], law=law), "temperature_coefficient": slope}


def _converted(old: dict[str, Constant], temperature: float) -> Constant:
    """The relative slope of the old resistivity at another reference; 0 if there is none."""
    before = old["resistivity"].law if "resistivity" in old else None
    slope = old["temperature_coefficient"].law if "temperature_coefficient" in old else None
    if not isinstance(before, Linear) or not isinstance(slope, Uniform):
        return Constant(0.0, source="no slope given: the same resistivity at every temperature")
    a = slope.value / (1 + slope.value * (temperature - before.reference_temperature))
    told = f"{old['temperature_coefficient'].source}, for a reference of {temperature:g} K"
    return replace(old["temperature_coefficient"], law=Uniform(a), source=told)


def _same_metal(new: Mapping[str, Constant], old: Mapping[str, Constant], temperature: float) -> None:
    """Refuse an atomic volume that a metal cannot have: an alloying element or strain changes it by a few percent.

    Raises:
        ParameterError: if it is far from the trusted one of the table.
    """
    if "atomic_volume" not in new or "atomic_volume" not in old or old["atomic_volume"].mark != "trusted":
        return
    value, known = (float(c["atomic_volume"].law.evaluate(temperature, _none)) for c in (new, old))
    if not known / SAME_VOLUME <= value <= known * SAME_VOLUME:
        msg = (
            f"atomic_volume = {value:g} m3, must be within {100 * (SAME_VOLUME - 1):g} percent of {known:g} m3 "
            f"({old['atomic_volume'].source}): that of another metal? One of your own is em.materials.Material(...)"
        )
        raise ParameterError(msg)


def _none(name: str) -> Any:
    """No other law: an atomic volume leans on none."""
    raise UnknownName(name, "an atomic volume", ())


def _agree(constants: dict[str, Constant]) -> None:
    """Refuse a slope that is not that of the resistivity.

    Raises:
        ParameterError: if a resistivity given as a function has a slope of its own, or a uniform one has any.
    """
    slope, rho = constants.get("temperature_coefficient"), constants.get("resistivity")
    if slope and rho and isinstance(rho.law, Uniform):
        if slope.law != Uniform(0.0):
            told = f"{slope.law.value:g} 1/K" if isinstance(slope.law, Uniform) else "a function"
            msg = (
                f"temperature_coefficient = {told}, must be 0 beside a uniform resistivity: one with a slope needs its "
                "reference_temperature"
            )
            raise ParameterError(msg)
    elif slope and rho and not isinstance(rho.law, Linear) and not isinstance(slope.law, Slope):
        msg = "temperature_coefficient, must not be given beside a resistivity that is a function and has its own slope"
        raise ParameterError(msg)
