"""Tensors of a film: of crystals, arrays, UFL or functions of time, the same everywhere or one for each region."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from emfem import model as models
from emfem import units, waveforms
from emfem.errors import angle_in_radians, number, positive_tensor, real_array, require, shown
from emfem.film.alloy import Anisotropy
from emfem.film.surface import on_surface
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Driver
from emfem.model.preconditioner import matrix_root

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


@runtime_checkable
class HasTensor(Protocol):
    """Anything with a tensor: `Anisotropy`, `Activated`, or a law of your own."""

    def tensor(self) -> Any:
        """Return the tensor: an array or UFL, shape (dim, dim), or a function of time that returns an array."""


@checked
@dataclass(frozen=True)
class Activated:
    """Diffusion along the axes of a crystal that is thermally activated, D_i exp(-(E_i/k) (1/T - 1/T0)).

    The constants of the alloy, among them the entropy and the unit of time, are those of the reference temperature.

    Attributes:
        crystal: D at the reference temperature.
        activation_energy: E, or one along each axis of the crystal, at least 0 [J].
        reference_temperature: T0, above 0 [K].
        temperature: T, above 0: a number, a function of time, or UFL such as the field of a heat model [K].
        turn: angle by which the crystal's axes are turned against x and y [rad].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    crystal: Anisotropy
    activation_energy: Any
    reference_temperature: float
    temperature: Any
    turn: float = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        both = np.ndim(self.activation_energy) == 1 and np.size(self.activation_energy) == 2
        words = f"activation_energy = {shown(self.activation_energy)}, must be a number or one along each axis"
        require(both or np.ndim(self.activation_energy) == 0, words)
        for energy in self.energies:
            number("activation_energy", energy, at_least=0.0, at_most=1e-17, unit="J")
        number("reference_temperature", self.reference_temperature, above=0.0, unit="K")
        angle_in_radians("turn", self.turn)
        if not models.is_ufl(self.temperature):
            models.of_time("temperature", self.temperature, above=0.0, unit="K")
        else:
            models.scalar("temperature", self.temperature)

    @property
    def energies(self) -> tuple[Any, Any]:
        """The activation energies along both axes [J]."""
        one = self.activation_energy
        return (one, one) if np.ndim(one) == 0 else (one[0], one[1])

    def tensor(self) -> Any:
        """Return D: an array, a function of time, or UFL, as the temperature is."""
        if callable(self.temperature) and not models.is_ufl(self.temperature):
            return waveforms.combined(self.at, self.temperature, smooth=True)
        return self.at(self.temperature)

    def at(self, temperature: Any) -> Any:
        """Return D at a temperature, an array or UFL."""
        field = models.is_ufl(temperature)
        exp: Callable[[Any], Any] = ufl.exp if field else np.exp
        if not field:
            number("temperature", temperature, above=0.0, unit="K")
        hotter = 1 / self.reference_temperature - 1 / temperature
        with np.errstate(over="ignore"):  # where numbers are used, they must be finite
            rates = [
                rate * exp(energy / units.boltzmann * hotter)
                for rate, energy in zip(self.crystal.rates, self.energies, strict=True)
            ]
        axes = [np.outer(axis, axis) for axis in self._axes()]
        if not field:
            return rates[0] * axes[0] + rates[1] * axes[1]
        return sum(rate * ufl.as_matrix(axis.tolist()) for rate, axis in zip(rates, axes, strict=True))

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the unit vectors along the crystal's axes."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        return np.array([c, s]), np.array([-s, c])


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor in the forms of a film.

    Attributes:
        value: UFL of shape (dim, dim).
        root: its matrix root, for preconditioners.
        drivers: that keep it up to date.
        least: its least eigenvalue, if all of it are numbers; else None.
        exact_root: False if the root is that of an isotropic tensor of the same trace.
    """

    value: Any
    root: Any
    drivers: tuple[Driver, ...] = ()
    least: float | None = None
    exact_root: bool = True


def tensor_of(domain: Domain, name: str, value: Any) -> Tensor:
    """Return a tensor as the user gave it: None is isotropic. Collective.

    Raises:
        ParameterError: for numbers that are not positive definite, or another shape.
    """
    if value is None:
        return Tensor(ufl.Identity(domain.dim), ufl.Identity(domain.dim), (), 1.0)
    if not isinstance(value, Mapping):
        return _one(domain, name, value)
    laws = {region: values_of(law) for region, law in value.items()}
    if any(models.is_ufl(law) or callable(law) for law in laws.values()):
        parts = {region: _one(domain, f"{name}[{region!r}]", law) for region, law in laws.items()}
        inside = {
            region: domain.piecewise(name, {other: float(other == region) for other in value}) for region in parts
        }
        whole = sum(inside[region] * part.value for region, part in parts.items())
        root = sum(inside[region] * part.root for region, part in parts.items())
        drivers = tuple(driver for part in parts.values() for driver in part.drivers)
        return Tensor(whole, root, drivers, exact_root=all(part.exact_root for part in parts.values()))
    grains = {region: _positive(f"{name}[{region!r}]", domain, law) for region, law in laws.items()}
    roots = {region: matrix_root(tensor) for region, tensor in grains.items()}
    pair = domain.piecewise(name, grains), domain.piecewise(f"root of {name}", roots)
    least = min(float(np.linalg.eigvalsh(tensor + tensor.T)[0]) / 2 for tensor in grains.values())
    return Tensor(on_surface(domain, pair[0]), on_surface(domain, pair[1]), (), least)


def gradient_tensor(domain: Domain, value: Any) -> tuple[Any, float]:
    """Return the tensor G of the gradient energy (eps/2) grad c . G grad c, and its least eigenvalue. Collective.

    It is None if there is none.

    Raises:
        ParameterError: unless it is made of numbers, positive definite.
    """
    if value is None:
        return None, 1.0
    tensor = tensor_of(domain, "gradient_anisotropy", value)
    require(tensor.least is not None, f"gradient_anisotropy = {shown(value)}, must be made of numbers")
    return ufl.sym(tensor.value), float(tensor.least or 0.0)


def _one(domain: Domain, name: str, value: Any) -> Tensor:
    """Return a tensor that is the same law everywhere."""
    law = values_of(value)
    if models.is_ufl(law) or callable(law):
        in_plane = not models.is_ufl(law) and domain.shell
        shape = (2, 2) if in_plane else (domain.dim, domain.dim)
        if callable(law) and not models.is_ufl(law):
            _positive(f"{name} at t = 0", domain, models.at_start(name, law))
            law = waveforms.combined(lambda now: _later(name, domain, now), law, smooth=True)
        tensor, drivers = models.shaped_coefficient(domain, name, law, (shape,), str(shape))
        root, exact = models.tensor_root(tensor), tensor.ufl_shape[0] < 3
        if in_plane:
            tensor, root = on_surface(domain, tensor), on_surface(domain, root)
        return Tensor(tensor, root, tuple(drivers), exact_root=exact)
    numbers = _positive(name, domain, law)
    tensor, root = fem.Constant(domain.mesh, numbers), fem.Constant(domain.mesh, matrix_root(numbers))
    least = float(np.linalg.eigvalsh(numbers + numbers.T)[0]) / 2
    return Tensor(on_surface(domain, tensor), on_surface(domain, root), (), least)


def _later(name: str, domain: Domain, value: Any) -> Any:
    """Return the value of a function of time, refused if it is no longer positive definite."""
    numbers = real_array(value)
    return value if numbers is None or not np.isfinite(numbers).all() else _positive(name, domain, numbers)


def values_of(law: Any) -> Any:
    """Return the tensor of a law that has one, and anything else as it is."""
    return law.tensor() if isinstance(law, HasTensor) and not isinstance(law, type) else law


def _positive(name: str, domain: Domain, tensor: Any) -> NDArray[np.float64]:
    """Return D of one crystal as numbers, in the axes of the plane or space, or those of a surface in space."""
    return positive_tensor(name, tensor, domain.mesh.topology.dim if domain.shell else domain.dim)
