"""Laws of temperature. Each takes a number, an array or a UFL expression, and may ask for other laws of its metal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

from emfem import units
from emfem.errors import ParameterError, kind, number
from emfem.materials.windows import ACTIVATION_ENERGY, LENGTH, LORENZ_NUMBER, TEMPERATURE

import numpy as np
import ufl

AVOGADRO = 6.02214076e23  # exact by the 2019 SI [1/mol]
LORENZ = 2.44e-8  # Sommerfeld's (pi k / e)^2 / 3, rounded as in the tables [V2/K2]
Lookup = Callable[[str], Callable[[Any], Any]]


def exponential(x: Any) -> Any:
    """`exp x` of a number, an array or a UFL expression."""
    return ufl.exp(x) if isinstance(x, ufl.core.expr.Expr) else np.exp(x)


class Law(ABC):
    """How one constant follows temperature."""

    @abstractmethod
    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """The value at a temperature [K]; `law` finds the other laws of the metal by name."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The law in a few words, for the table."""


@dataclass(frozen=True)
class Uniform(Law):
    """The same value at every temperature.

    Attributes:
        value: in the unit of the constant.

    Raises:
        ParameterError: for a value that is not finite.
    """

    value: float

    def __post_init__(self) -> None:
        """Check the value."""
        number("value", self.value)

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """The value."""
        return self.value

    @property
    def words(self) -> str:
        """Nothing: the value says it all."""
        return ""


@dataclass(frozen=True)
class Linear(Law):
    """`rho0 (1 + a (T - T0))`, the resistivity of a metal well above its Debye temperature.

    Attributes:
        value: rho0 [Ohm m].
        reference_temperature: T0 [K].
        temperature_coefficient: a at T0 [1/K]; that of the metal when left out.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    value: float
    reference_temperature: float = 293.15
    temperature_coefficient: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        number("value", self.value, above=0.0)
        TEMPERATURE.check("reference_temperature", self.reference_temperature)
        if self.temperature_coefficient is not None:
            number("temperature_coefficient", self.temperature_coefficient, unit="1/K")

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """`rho0 (1 + a (T - T0))`."""
        slope = self.temperature_coefficient
        if slope is None:
            slope = law("temperature_coefficient")(self.reference_temperature)
        return self.value * (1 + slope * (temperature - self.reference_temperature))

    @property
    def words(self) -> str:
        """The value and where it holds."""
        return f"linear, {self.value:.5g} at {self.reference_temperature:g} K"


@dataclass(frozen=True)
class Slope(Law):
    """`(1/rho) drho/dT` of a resistivity that was given as a function, by a central difference over 0.2 K."""

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """The relative slope."""
        rho = law("resistivity")
        return (rho(temperature + 0.1) - rho(temperature - 0.1)) / (0.2 * rho(temperature))

    @property
    def words(self) -> str:
        """Where it comes from."""
        return "slope of the resistivity"


@dataclass(frozen=True)
class Arrhenius(Law):
    """`D0 exp(-Ea / kT)`, a thermally activated rate.

    Attributes:
        prefactor: D0, above 0, in the unit of the constant.
        activation_energy: Ea per atom [J].

    Raises:
        ParameterError: for a value out of its bounds, or an energy in eV or per mole.
    """

    prefactor: float
    activation_energy: float

    def __post_init__(self) -> None:
        """Check every value."""
        number("prefactor", self.prefactor, above=0.0)
        ACTIVATION_ENERGY.check("activation_energy", self.activation_energy)

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """`D0 exp(-Ea / kT)`."""
        return self.prefactor * exponential(-self.activation_energy / units.boltzmann / temperature)

    @property
    def words(self) -> str:
        """The two constants."""
        return f"{self.prefactor:.4g} exp(-{self.activation_energy / units.eV:.4g} eV/kT)"


@dataclass(frozen=True)
class WiedemannFranz(Law):
    """`k = L T / rho(T)`: the electrons that carry charge carry the heat.

    Attributes:
        lorenz_number: L [V2/K2].

    Raises:
        ParameterError: for a number out of its bounds.
    """

    lorenz_number: float = LORENZ

    def __post_init__(self) -> None:
        """Check the number."""
        LORENZ_NUMBER.check("lorenz_number", self.lorenz_number)

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """`L T / rho(T)`."""
        return self.lorenz_number * temperature / law("resistivity")(temperature)

    @property
    def words(self) -> str:
        """The law's name and its number."""
        return f"Wiedemann-Franz, L = {self.lorenz_number:g} V2/K2"


@dataclass(frozen=True)
class DirectAndWind(Law):
    """`Z*(T) = Zd + Zw rho(T0) / rho(T)`: the pull of the field and the wind of the electrons.

    The wind force of a current density does not depend on temperature; a resistivity that grows weakens it for a field.

    Attributes:
        direct: Zd, signed [-].
        wind: Zw at T0, signed; below 0 where electrons carry the current [-].
        reference_temperature: T0 [K].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    direct: float
    wind: float
    reference_temperature: float = 293.15

    def __post_init__(self) -> None:
        """Check every value."""
        number("direct", self.direct, at_least=-1e3, at_most=1e3)
        number("wind", self.wind, at_least=-1e3, at_most=1e3)
        TEMPERATURE.check("reference_temperature", self.reference_temperature)

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """`Zd + Zw rho(T0) / rho(T)`."""
        rho = law("resistivity")
        return self.direct + self.wind * rho(self.reference_temperature) / rho(temperature)

    @property
    def words(self) -> str:
        """The two charges."""
        return f"direct {self.direct:+g}, wind {self.wind:+g} at {self.reference_temperature:g} K"


@dataclass(frozen=True)
class Polycrystal(Law):
    """`D + delta D_gb / d`: the lattice and the boundaries between grains that no line confines.

    Attributes:
        grain_size: d [m].

    Raises:
        ParameterError: for a grain size out of its bounds.
    """

    grain_size: float

    def __post_init__(self) -> None:
        """Check the size."""
        LENGTH.check("grain_size", self.grain_size)

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """`D + delta D_gb / d`."""
        fast = law("grain_boundary_diffusivity_thickness")(temperature)
        return law("lattice_diffusivity")(temperature) + fast / self.grain_size

    @property
    def words(self) -> str:
        """The size of the grains."""
        return f"lattice and boundaries of grains of {self.grain_size / units.um:g} um"


@dataclass(frozen=True)
class Function(Law):
    """A law that the user wrote.

    Attributes:
        function: of the temperature [K]; for use in forms it must take UFL expressions.

    Raises:
        ParameterError: for something that cannot be called.
    """

    function: Callable[[Any], Any]

    def __post_init__(self) -> None:
        """Check that it can be called with one number."""
        kind("function", self.function, Callable, "a function of the temperature")  # type: ignore[arg-type]
        try:
            signature(self.function).bind(300.0)
        except TypeError as error:
            msg = f"function = {self.function!r}, must be a function of the temperature alone: {error}"
            raise ParameterError(msg) from None
        except ValueError:  # one that does not tell its arguments, as some written in C
            pass

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """What the function says."""
        return self.function(temperature)

    @property
    def words(self) -> str:
        """That it is one."""
        return "a function"
