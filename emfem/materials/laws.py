"""Laws of temperature. Each takes a number, an array or a UFL expression, and may use other laws of its metal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any, ClassVar, TypeGuard

from emfem import units
from emfem.errors import ParameterError, floats, kind, number, require
from emfem.gate import checked
from emfem.materials.validity import ACTIVATION_ENERGY, LENGTH, LORENZ_NUMBER, TEMPERATURE, VALIDITY

import numpy as np
import ufl

AVOGADRO = 6.02214076e23  # exact by the 2019 SI [1/mol]
LORENZ = 2.44e-8  # Sommerfeld's (pi k / e)^2 / 3, rounded as in the tables [V2/K2]
Lookup = Callable[[str], Callable[[Any], Any]]


def exponential(x: Any) -> Any:
    """Return `exp x` of a number, an array or a UFL expression."""
    return ufl.exp(x) if isinstance(x, ufl.core.expr.Expr) else np.exp(x)


def kelvin(temperature: Any) -> Any:
    """Return temperatures, finite and above 0, or a UFL expression as it is.

    Raises:
        ParameterError: if they are not.
    """
    if isinstance(temperature, ufl.core.expr.Expr):
        shape = temperature.ufl_shape
        require(shape == (), f"temperature of shape {shape}, must be a scalar")
        return temperature
    values = floats("temperature", temperature, words="finite", finite=True)
    if not (values > 0.0).all():
        number("temperature", np.min(values), above=0.0, unit="K")
    return values if values.ndim else float(values)


def is_function(value: Any) -> TypeGuard[Callable[[Any], Any]]:
    """Return True for a function of the temperature; UFL expressions and classes can be called, too."""
    return callable(value) and not isinstance(value, ufl.core.expr.Expr | type)


class Law(ABC):
    """One constant as a function of temperature.

    Attributes:
        checks: the check of each number of the law, by its name.
        template: of the description, with the numbers by name.
    """

    checks: ClassVar[Mapping[str, Callable[[str, Any], Any]]] = {}
    template: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Check every number.

        Raises:
            ParameterError: for a number out of its bounds; the message names the likely mistake of unit.
        """
        for name, check in self.checks.items():
            check(name, getattr(self, name))

    @abstractmethod
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the value at a temperature [K]; `law` finds the other laws of the metal by name."""

    @property
    def description(self) -> str:
        """The law in a few words, for tables; empty where its value is enough."""
        return self.template.format_map(vars(self))


@checked
@dataclass(frozen=True)
class Uniform(Law):
    """The same value at every temperature.

    Attributes:
        value: in the unit of the constant, finite.
    """

    value: float
    checks: ClassVar = {"value": number}

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the value."""
        return self.value


@checked
@dataclass(frozen=True)
class Linear(Law):
    """`rho0 (1 + a (T - T0))`, the resistivity of a metal well above its Debye temperature.

    Attributes:
        value: rho0, above 0 [Ohm m].
        reference_temperature: T0 [K].
        temperature_coefficient: a at T0 [1/K]; that of the metal when left out.
    """

    value: float
    reference_temperature: float = 293.15
    temperature_coefficient: float | None = None
    checks: ClassVar = {
        "value": partial(number, above=0.0),
        "reference_temperature": TEMPERATURE.check,
        "temperature_coefficient": lambda name, value: value is None or number(name, value, unit="1/K"),
    }
    template: ClassVar = "linear, {value:.5g} at {reference_temperature:g} K"

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return `rho0 (1 + a (T - T0))`."""
        slope = self.temperature_coefficient
        if slope is None:
            slope = law("temperature_coefficient")(self.reference_temperature)
        return self.value * (1 + slope * (kelvin(temperature) - self.reference_temperature))


@dataclass(frozen=True)
class Slope(Law):
    """`(1/rho) drho/dT` of a resistivity that is a function of the user's, by a central difference over 0.2 K."""

    template: ClassVar = "slope of the resistivity"

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the relative slope."""
        rho = law("resistivity")
        return (rho(temperature + 0.1) - rho(temperature - 0.1)) / (0.2 * rho(temperature))


@checked
@dataclass(frozen=True)
class Arrhenius(Law):
    """`D0 exp(-Ea / kT)`, a thermally activated rate.

    Attributes:
        prefactor: D0, above 0, in the unit of the constant.
        activation_energy: Ea per atom [J].
    """

    prefactor: float
    activation_energy: float
    checks: ClassVar = {"prefactor": partial(number, above=0.0), "activation_energy": ACTIVATION_ENERGY.check}

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return `D0 exp(-Ea / kT)`."""
        return self.prefactor * exponential(-self.activation_energy / units.boltzmann / kelvin(temperature))

    @property
    def description(self) -> str:
        """The two constants."""
        return f"{self.prefactor:.4g} exp(-{self.activation_energy / units.eV:.4g} eV/kT)"


@checked
@dataclass(frozen=True)
class WiedemannFranz(Law):
    """`k = L T / rho(T)`: the electrons that carry charge carry the heat.

    Attributes:
        lorenz_number: L [V2/K2].
    """

    lorenz_number: float = LORENZ
    checks: ClassVar = {"lorenz_number": LORENZ_NUMBER.check}
    template: ClassVar = "Wiedemann-Franz, L = {lorenz_number:g} V2/K2"

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return `L T / rho(T)`."""
        return self.lorenz_number * kelvin(temperature) / law("resistivity")(temperature)


@checked
@dataclass(frozen=True)
class DirectAndWind(Law):
    """`Z*(T) = Zd + Zw rho(T0) / rho(T)`: the force of the field and that of the electron wind.

    The wind force of a current density does not depend on temperature; a resistivity that grows weakens it for a field.

    Attributes:
        direct: Zd, signed [-].
        wind: Zw at T0, signed; below 0 where electrons carry the current [-].
        reference_temperature: T0 [K].
    """

    direct: float
    wind: float
    reference_temperature: float = 293.15
    checks: ClassVar = {
        "direct": VALIDITY["effective_charge"].check,
        "wind": VALIDITY["effective_charge"].check,
        "reference_temperature": TEMPERATURE.check,
    }
    template: ClassVar = "direct {direct:+g}, wind {wind:+g} at {reference_temperature:g} K"

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return `Zd + Zw rho(T0) / rho(T)`."""
        rho = law("resistivity")
        return self.direct + self.wind * rho(self.reference_temperature) / rho(temperature)


@checked
@dataclass(frozen=True)
class Polycrystal(Law):
    """`D + delta D_gb / d`: the lattice and the boundaries between grains that no line confines.

    Attributes:
        grain_size: d [m].
    """

    grain_size: float
    checks: ClassVar = {"grain_size": LENGTH.check}

    @checked
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return `D + delta D_gb / d`."""
        fast = law("grain_boundary_diffusivity_thickness")(temperature)
        return law("lattice_diffusivity")(temperature) + fast / self.grain_size

    @property
    def description(self) -> str:
        """The size of the grains."""
        return f"lattice and boundaries of grains of {self.grain_size / units.um:g} um"


@dataclass(frozen=True)
class Function(Law):
    """A law that the user wrote.

    Attributes:
        function: of the temperature [K]; for use in forms it must take UFL expressions.
    """

    function: Callable[[Any], Any]
    template: ClassVar = "a function"

    def __post_init__(self) -> None:
        """Check that it can be called with one number.

        Raises:
            ParameterError: for something that cannot be called.
        """
        kind("function", self.function, Callable, "a function of the temperature")  # type: ignore[arg-type]
        try:
            signature(self.function).bind(300.0)
        except TypeError as error:
            msg = f"function = {self.function!r}, must be a function of the temperature alone: {error}"
            raise ParameterError(msg) from None
        except ValueError:  # one without a signature, as some written in C
            pass

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the value of the function."""
        return self.function(temperature)
