"""Closed forms that data are often fitted to: values of constants and conditions by name, in SI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from emfem import analytic
from emfem.errors import UnknownName, choice, kind, require
from emfem.fit.curves import Curve, dimension
from emfem.gate import checked
from emfem.materials import Material
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

type Array = NDArray[np.float64]


def diffusivity(values: Mapping[str, Any], material: Material) -> Any:
    """Return D0 exp(-Ea/kT) [m2/s]."""
    return values["D0"] * np.exp(-values["Ea"] / (boltzmann * values["T"]))


def drift(values: Mapping[str, Any], material: Material) -> Any:
    """Return the drift velocity of atoms, D Z e rho(T) j/(kT), along j positive [m/s]."""
    force = values["Z"] * elementary_charge * material.law("resistivity")(values["T"]) * values["j"]
    return diffusivity(values, material) * force / (boltzmann * values["T"])


def void_length(values: Mapping[str, Any], material: Material) -> Any:
    """Return the length of a void that all atoms leave along the line, |v| t of the drift velocity [m]."""
    return np.abs(drift(values, material)) * values["t"]


def nucleation(values: Mapping[str, Any], material: Material) -> Any:
    """Return the time until a void opens in a line, as `em.analytic.nucleation_time` to 1e-7 [s]."""
    kelvin, volume = values["T"], material.atomic_volume
    size = np.asarray(values["length"], dtype=float)
    for name in ("length", "sigma_c"):
        require(np.all(np.asarray(values[name]) > 0), f"{name}, must be above 0 in the law of nucleation")
    pull = (
        np.abs(values["Z"])
        * elementary_charge
        * material.law("resistivity")(kelvin)
        * np.abs(values["j"])
        * size
        / volume
    )
    kappa = diffusivity(values, material) * material.law("bulk_modulus")(kelvin) * volume / (boltzmann * kelvin)
    with np.errstate(divide="ignore"):
        return size**2 / kappa * _rise(values["sigma_c"] / pull)


def _rise(part: Any) -> Any:
    """Return the time at which the end of a blocked line has a part of |G| L as its tension [L^2/kappa]."""
    s = -np.log1p(-2 * np.minimum(part, 0.5))  # logarithms of time and s are nearly linear, at either end exactly
    inside = np.clip(s, *RANGE)
    early, late = np.pi * (np.minimum(part, 0.5) / 2) ** 2, (s - inside) / np.pi**2
    return np.where(s < RANGE[0], early, np.exp(_spline()(np.log(inside))) + np.where(s > RANGE[1], late, 0.0))


@cache
def _spline() -> CubicSpline:
    """Return ln of the time in terms of ln s: one curve for all lines, of which each value takes a search."""
    s = np.geomspace(*RANGE, NODES)
    parts = -np.expm1(-s) / 2
    unit = SimpleNamespace(  # of a line of length 1 with G = 1 and kappa = 1
        temperature=1.0,
        effective_charge=1 / elementary_charge,
        resistivity=1.0,
        atomic_volume=1.0,
        diffusivity=boltzmann,
        bulk_modulus=1.0,
    )
    times = [
        analytic.nucleation_time(length=1.0, current_density=1.0, material=unit, critical_stress=float(part))
        for part in parts
    ]
    return CubicSpline(np.log(s), np.log(times))


def blech(values: Mapping[str, Any], material: Material) -> Any:
    """Return the product of current density and length below which no void opens [A/m]."""
    force = np.abs(values["Z"]) * elementary_charge * material.law("resistivity")(values["T"])
    return 2 * material.atomic_volume * values["sigma_c"] / force


RANGE, NODES = (1e-2, 20.0), 400  # of -ln(1 - 2 r); earlier times do not feel the other end, later ones one wave only
LAWS: dict[str, tuple[Callable[[Mapping[str, Any], Material], Any], tuple[str, ...], str]] = {  # and the unit
    "diffusivity": (diffusivity, ("D0", "Ea", "T"), "m2/s"),
    "drift": (drift, ("D0", "Ea", "Z", "T", "j"), "m/s"),
    "void_length": (void_length, ("D0", "Ea", "Z", "T", "j", "t"), "m"),
    "nucleation": (nucleation, ("D0", "Ea", "Z", "sigma_c", "T", "j", "length"), "s"),
    "blech": (blech, ("Z", "sigma_c", "T"), "A/m"),
}
UNITS = {"D0": "m2/s", "Ea": "J", "Z": "-", "sigma_c": "Pa", "T": "K", "j": "A/m2", "length": "m", "t": "s"}


def check_units(curve: Curve, wanted: Mapping[str, str], model: str) -> None:
    """Refuse a curve whose values or conditions are in a unit that is known and of another dimension than the model's.

    Args:
        curve: the curve.
        wanted: units by the name of a condition, and that of "values"; what is not among them is not compared.
        model: its name in messages.

    Raises:
        ParameterError: for the first such unit; as `em.dimensions.parsed` for one that is none.
    """
    for name, unit in {**curve.units, "values": curve.unit}.items():
        if unit and name in wanted:
            message = f"curve {curve.name!r}: {name} in {unit}, must be in {wanted[name]} or a unit like it in {model}"
            require(dimension(unit) == dimension(wanted[name]), message)


def check_stated_units(units: Any, curves: Sequence[Curve], model: str) -> None:
    """Refuse units that a function states of itself if they are none, or of what no curve has; then check the curves.

    Raises:
        ParameterError: for the first such unit; as `check_units`.
        UnknownName: for a name that is neither "values" nor a condition of a curve.
    """
    kind(f"units of {model}", units, Mapping, 'a dict such as {"values": "m/s", "T": "K"}')
    for name, unit in units.items():
        choice(f"units of {model}", name, ["values", *{name: None for curve in curves for name in curve.columns}])
        kind(f"units of {model}: {name!r}", unit, str, 'a unit such as "m/s"')
        require(bool(unit), f'units of {model}: {name!r} = \'\', must be a unit such as "m/s"; "-" for a plain number')
        dimension(unit)
    for curve in curves:
        check_units(curve, units, model)


class LawModel:
    """A closed form as a model for `em.fit.fit`.

    Its values are D0 [m2/s], Ea [J], Z [-], sigma_c [Pa], T [K], j [A/m2], length [m] and t [s], constants or
    conditions; what is none of these, such as resistivity and bulk modulus, is that of the metal.

    ==============  ====================================================  ==========================
    law             value                                                 of
    ==============  ====================================================  ==========================
    "diffusivity"   D0 exp(-Ea/kT) [m2/s]                                 D0, Ea, T
    "drift"         drift velocity of atoms, along j positive [m/s]       D0, Ea, Z, T, j
    "void_length"   length of a void, |drift velocity| times t [m]        D0, Ea, Z, T, j, t
    "nucleation"    time until a void opens in a line [s]                 D0, Ea, Z, sigma_c, T, j, length
    "blech"         (j L)_c below which no void opens [A/m]               Z, sigma_c, T
    ==============  ====================================================  ==========================

    Attributes:
        names: of the values that the law has.
        unit: of the law, in SI.
        fingerprint: a name for law, metal and fixed values.
    """

    @checked
    def __init__(self, law: str, material: Material, *, fixed: Mapping[str, float] | None = None) -> None:
        """Take the law, the metal, and values that are neither constants of the fit nor conditions of a curve.

        Raises:
            UnknownName: for a law that does not exist, or a fixed value that it does not have.
        """
        if law not in LAWS:
            raise UnknownName(law, "em.fit.LawModel", LAWS)
        self._law = law
        self._function, self.names, self.unit = LAWS[law]
        self._material, self._fixed = material, dict(fixed or {})
        for name in self._fixed:
            self._check(name)
        constants = sorted((name, repr(each)) for name, each in material.constants.items())
        self.fingerprint = f"{law} {material.name} {constants} {sorted(self._fixed.items())}"

    def __call__(self, constants: Mapping[str, float], conditions: Mapping[str, Array]) -> Array:
        """Return the values of a curve.

        Raises:
            UnknownName: for a constant or condition that the law does not have.
            ParameterError: for one that is missing.
        """
        self._check_names((*constants, *conditions))
        values = {**self._fixed, **constants, **conditions}
        n = max((np.size(x) for x in conditions.values()), default=1)
        return np.array(np.broadcast_to(self._function(values, self._material), (n,)), dtype=float)

    def check(self, unknowns: Iterable[str], curve: Curve) -> None:
        """Refuse unknowns and a curve that the law does not have, before a fit.

        Raises:
            UnknownName: as a call.
            ParameterError: as a call, and for values or conditions whose unit is known and of another dimension.
        """
        self._check_names((*unknowns, *curve.inputs))
        check_units(curve, UNITS | {"values": self.unit}, f"the law {self._law!r} of em.fit.LawModel")

    def _check_names(self, names: Sequence[str]) -> None:
        for name in names:
            self._check(name)
        missing = [name for name in self.names if name not in (*self._fixed, *names)]
        require(not missing, f"{', '.join(missing)} missing, must be unknown, a condition or fixed")

    def _check(self, name: str) -> None:
        if name not in self.names:
            raise UnknownName(name, "the law", self.names)
