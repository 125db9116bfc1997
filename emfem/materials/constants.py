"""Constants of a metal with confidence and source, made of the numbers, functions and laws that a user gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from emfem.errors import ParameterError, UnknownName, choice, number
from emfem.gate import checked
from emfem.materials.laws import Function, Law, Linear, Slope, Uniform, is_function
from emfem.materials.validity import CONFIDENCE, VALIDITY, valid

SAME_VOLUME = 1.25  # factor; that of aluminium is 1.41 times that of copper


class MissingConstant(ParameterError, AttributeError):
    """A constant that a metal lacks, so that `hasattr` is False."""


@dataclass(frozen=True, init=False)
class Constant:
    """A law of temperature, with its confidence and source.

    Attributes:
        law: made from a law, a number for one that is the same at every temperature, or a function of the temperature.
        confidence: "trusted" (read in a named source, and consistent), "recalled" (textbook knowledge, not looked up),
            "placeholder" (only the sign or the order is known) or "given" (by the user).
        source: where it comes from.

    Raises:
        ParameterError: for a confidence that does not exist, a source that is no text, or a law that is none.
    """

    law: Law
    confidence: str
    source: str

    @checked
    def __init__(
        self, law: float | Callable[[Any], Any] | Law, confidence: str = "given", source: str = "given by the user"
    ) -> None:
        """Check the confidence, and make a law of a number or a function."""
        if not isinstance(law, Law):
            law = Function(law) if is_function(law) else Uniform(number("value", law))
        self.__dict__.update(law=law, confidence=choice("confidence", confidence, CONFIDENCE), source=source)


type Quantity = float | Callable[[Any], Any] | Law | Constant


class Constants(TypedDict, total=False):
    """Constants of a metal by name; each a number, a function of the temperature, a law or a `Constant`."""

    melting_temperature: Quantity  # [K]
    resistivity: Quantity  # rho [Ohm m]; a number holds at T and keeps the slope, Uniform has none
    temperature_coefficient: Quantity  # a of the resistivity, at its reference [1/K]
    mean_free_path_product: Quantity  # rho0 lambda of the electrons, at every temperature [Ohm m2]
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


class KnownConstants(dict[str, Constant]):
    """Constants of a metal by name; one that is not there is reported as missing."""

    def __init__(self, metal: str, constants: Mapping[str, Constant]) -> None:
        """Take the name of the metal, for the message."""
        super().__init__(constants)
        self.metal = metal

    def __missing__(self, name: str) -> Constant:
        """Report a constant that is not there.

        Raises:
            MissingConstant: always.
        """
        msg = f"{self.metal} has no {name}: give one, as in having({name}=...)"
        raise MissingConstant(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name and constants."""
        return type(self), (self.metal, dict(self))


def merged(
    changes: Mapping[str, Any], temperature: float, base: Mapping[str, Constant] | None = None
) -> dict[str, Constant]:
    """Return the constants of a user over those of a `base`, in the order of the table.

    A resistivity that is a plain number holds at the temperature and keeps the slope of the base, converted to that
    reference. One that is a law or a function has its own slope: that of `Uniform` is 0. Any other number is the
    same at every temperature.

    Args:
        changes: by name, each a number, a function, a law or a `Constant`.
        temperature: of the metal [K].
        base: the constants of the metal that is changed.

    Raises:
        UnknownName: for a name that does not exist.
        ParameterError: for a value out of its bounds, or an atomic volume far from the trusted one of the base.
    """
    for name in changes:
        if name not in VALIDITY:
            raise UnknownName(name, "a material", VALIDITY)
    old, new = dict(base or {}), {name: _constant(name, value) for name, value in changes.items()}
    if "resistivity" in new:
        plain = not isinstance(changes["resistivity"], Constant | Law)
        new |= _resistivity(new, old, number("temperature", temperature, above=0.0, unit="K") if plain else None)
    if "atomic_volume" in new and "atomic_volume" in old:
        _check_same_metal(new["atomic_volume"], old["atomic_volume"], temperature)
    together = old | new
    _check_slope(together.get("resistivity"), together.get("temperature_coefficient"))
    return {name: together[name] for name in VALIDITY if name in together}


def _constant(name: str, value: Any) -> Constant:
    """Return the constant `name`, with its value checked where that does not depend on temperature."""
    if not isinstance(value, Constant):
        if not isinstance(value, Law) and not is_function(value):
            value = number(name, value)
        try:
            value = Constant(value)
        except ParameterError as error:
            msg = f"{name}: {error}"
            raise ParameterError(msg) from None
    if isinstance(value.law, Uniform):  # now, so that the message does not blame a law that uses it
        plain = valid(name, value.law.value)
        if name == "effective_charge" and 0.0 < abs(plain) < 1e-9:
            msg = f"effective_charge = {plain:g}, must be in units of e: coulomb written as a number of charges?"
            raise ParameterError(msg)
    return value


def _resistivity(
    new: Mapping[str, Constant], old: Mapping[str, Constant], temperature: float | None
) -> dict[str, Constant]:
    """Return a new resistivity with the slope that belongs to it; a plain number holds at the temperature."""
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
    return {"resistivity": replace(new["resistivity"], law=law), "temperature_coefficient": slope}


def _converted(old: Mapping[str, Constant], temperature: float) -> Constant:
    """Return the relative slope of the old resistivity at another reference; 0 if there is none."""
    before, slope = old.get("resistivity"), old.get("temperature_coefficient")
    if not (before and slope and isinstance(before.law, Linear) and isinstance(slope.law, Uniform)):
        return Constant(0.0, source="no slope given: the same resistivity at every temperature")
    a = slope.law.value / (1 + slope.law.value * (temperature - before.law.reference_temperature))
    return replace(slope, law=Uniform(a), source=f"{slope.source}, for a reference of {temperature:g} K")


def _check_same_metal(new: Constant, old: Constant, temperature: float) -> None:
    """Refuse an atomic volume that a metal cannot have: an alloying element or strain changes it by a few percent.

    Raises:
        ParameterError: if it is far from the trusted one of the table.
    """
    if old.confidence != "trusted":
        return
    value, known = (float(constant.law.evaluate(temperature, _no_other_law)) for constant in (new, old))
    if not known / SAME_VOLUME <= value <= known * SAME_VOLUME:
        msg = (
            f"atomic_volume = {value:g} m3, must be within {100 * (SAME_VOLUME - 1):g} percent of {known:g} m3 "
            f"({old.source}): that of another metal? One of your own is em.materials.Material(...)"
        )
        raise ParameterError(msg)


def _no_other_law(name: str) -> Any:
    """Refuse to look up another law: an atomic volume depends on none."""
    raise UnknownName(name, "an atomic volume", ())


def _check_slope(resistivity: Constant | None, slope: Constant | None) -> None:
    """Refuse a slope that is not that of the resistivity.

    Raises:
        ParameterError: if a resistivity that is a function comes with another slope, or a uniform one with any.
    """
    if resistivity is None or slope is None or isinstance(resistivity.law, Linear):
        return
    if isinstance(resistivity.law, Uniform) and slope.law != Uniform(0.0):
        value = f"{slope.law.value:g} 1/K" if isinstance(slope.law, Uniform) else "a function"
        bound = "must be 0 beside a uniform resistivity: one with a slope needs its reference_temperature"
        msg = f"temperature_coefficient = {value}, {bound}"
        raise ParameterError(msg)
    if not isinstance(resistivity.law, Uniform) and not isinstance(slope.law, Slope):
        msg = "temperature_coefficient, must not be given beside a resistivity that is a function and has its own slope"
        raise ParameterError(msg)
