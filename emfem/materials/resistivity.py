"""Resistivity of thin films and narrow wires: electrons are scattered by surfaces and by boundaries between grains.

The product rho0 lambda of bulk resistivity and mean free path is that of the Fermi surface alone: it does not depend
on temperature, so lambda(T) = (rho0 lambda) / rho0(T).

References:
    K. Fuchs, The conductivity of thin metallic films according to the electron theory of metals, Math. Proc. Camb.
    Phil. Soc. 34, 100 (1938), doi:10.1017/S0305004100019952.
    E. H. Sondheimer, The mean free path of electrons in metals, Adv. Phys. 1, 1 (1952), doi:10.1080/00018735200101151.
    A. F. Mayadas, M. Shatzkes, Electrical-resistivity model for polycrystalline films: the case of arbitrary reflection
    at external surfaces, Phys. Rev. B 1, 1382 (1970), doi:10.1103/PhysRevB.1.1382.
    D. Gall, Electron mean free path in elemental metals, J. Appl. Phys. 119, 085101 (2016), doi:10.1063/1.4942216.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import PACKAGE, ParameterError, ResolutionWarning, floats, kind, number, require
from emfem.gate import checked
from emfem.materials.constants import Constant
from emfem.materials.laws import DirectAndWind, Law, Linear, Lookup, Uniform, WiedemannFranz, exponential
from emfem.materials.validity import CONFIDENCE, LENGTH

import numpy as np
import ufl

POINTS, POWER = 16, 3  # of the rule; with s = x^3 its error is below 4e-5 where a film is above a hundredth of lambda
THINNEST = 1e-2  # film over mean free path; where films are thinner the laws themselves end


def _rule() -> list[tuple[float, float]]:
    """Return points and weights of an integral over (0, 1), denser near 0."""
    x, weights = np.polynomial.legendre.leggauss(POINTS)
    x, weights = (1 + x) / 2, weights / 2
    return list(zip((x**POWER).tolist(), (POWER * x ** (POWER - 1) * weights).tolist(), strict=True))


@checked
def fuchs_sondheimer(thickness: float, mean_free_path: Any, specularity: float = 0.0) -> Any:
    """Return the resistivity of a film over that of the bulk, of electrons scattered at its two surfaces.

        rho0 / rho = 1 - 3 (1 - p) / (2 k) int_1^inf (t^-3 - t^-5) (1 - e^{-k t}) / (1 - p e^{-k t}) dt

    with k = h / lambda. It is 1 + 3 (1 - p) lambda / (8 h) for a thick film, and 1 for p = 1. The integral is computed
    to 4e-5, for k above 0.1 to 2e-6.

    Args:
        thickness: h [m].
        mean_free_path: lambda of the bulk: a number, an array, or UFL; at most 100 h [m].
        specularity: p, the part of the electrons that a surface reflects as a mirror, from 0 to 1 [-].

    Returns:
        rho / rho0, as the mean free path is.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, p = LENGTH.check("thickness", thickness), _part("specularity", specularity)
    path = _path(mean_free_path, size / THINNEST)
    ratio = size / path
    total: Any = 0.0
    for s, weight in _rule():  # the integral with s = 1 / t, and 3/2 int 1 - s^2 ds = 1
        free = exponential(-ratio / s)
        total = total + 1.5 * weight * (1 - s**2) * (1 - (1 - p) * (s / ratio) * (1 - free) / (1 - p * free))
    return 1 / total


@checked
def mayadas_shatzkes(grain_size: float, mean_free_path: Any, reflection: float) -> Any:
    """Return the resistivity of a polycrystal over that of the bulk, of electrons that boundaries reflect.

        rho0 / rho = 1 - 3 a / 2 + 3 a^2 - 3 a^3 ln(1 + 1 / a),   a = (lambda / d) R / (1 - R)

    It is 1 + 3 a / 2 for large grains, and 4 a / 3 for small ones.

    Args:
        grain_size: d, mean distance of boundaries along the current [m].
        mean_free_path: lambda of the bulk: a number, an array, or UFL [m].
        reflection: R, the part of the electrons that a boundary reflects, from 0 to below 1 [-].

    Returns:
        rho / rho0, as the mean free path is.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, part = LENGTH.check("grain_size", grain_size), number("reflection", reflection, at_least=0.0, below=1.0)
    a = _path(mean_free_path, np.inf) * (part / (1 - part) / size)
    # 3 int_0^1 s^3 / (s + a) ds, which does not cancel where a is large
    return 1 / (3 * sum((weight * s**3 / (s + a) for s, weight in _rule()), start=0.0))


@dataclass(frozen=True)
class SizeEffect(Law):
    """`rho0 (1 + sum_h (F_h - 1) + (G - 1))`: Matthiessen's sum of the bulk, pairs of surfaces, and boundaries.

    F is that of Fuchs and Sondheimer for each of the two sizes of a rectangular wire, or the one of a film; G that of
    Mayadas and Shatzkes.

    Attributes:
        bulk: rho0(T).
        product: rho0 lambda [Ohm m2].
        sizes: distances of the pairs of surfaces [m].
        specularity: p of the surfaces [-].
        grain_size: d [m]; None without boundaries.
        reflection: R of the boundaries [-].
    """

    bulk: Law
    product: float
    sizes: tuple[float, ...]
    specularity: float = 0.0
    grain_size: float | None = None
    reflection: float = 0.0

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the resistivity."""
        rho = self.bulk.evaluate(temperature, law)
        path, ratio = self.product / rho, 1.0
        for size in self.sizes:
            ratio = ratio + fuchs_sondheimer(size, path, self.specularity) - 1
        if self.grain_size is not None:
            ratio = ratio + mayadas_shatzkes(self.grain_size, path, self.reflection) - 1
        return rho * ratio

    @property
    def description(self) -> str:
        """The sizes."""
        sizes = " x ".join(f"{size / 1e-9:g}" for size in self.sizes)
        grains = ""
        if self.grain_size is not None:
            grains = f", grains of {self.grain_size / 1e-9:g} nm with R = {self.reflection:g}"
        return f"size effect of {sizes} nm with p = {self.specularity:g}{grains}"


def with_size_effect(
    constants: Mapping[str, Constant],
    sizes: tuple[float, ...],
    specularity: float,
    grain_size: float | None,
    reflection: float | None,
) -> Any:
    """Return resistivity and effective charge of a thin metal with these constants; see `Material.with_size_effect`."""
    bulk, product = constants["resistivity"], constants["mean_free_path_product"]
    if isinstance(bulk.law, SizeEffect):
        msg = f"resistivity has the {bulk.law.description} already, must be that of the bulk"
        raise ParameterError(msg)
    require((grain_size is None) == (reflection is None), "grain_size and reflection, must be given together")
    law = bulk.law
    if isinstance(law, Linear) and law.temperature_coefficient is None:
        slope = constants["temperature_coefficient"].law.evaluate(law.reference_temperature, _no_other_law)
        law = replace(law, temperature_coefficient=slope)
    kind("mean_free_path_product", product.law, Uniform, "a number: it does not depend on temperature")
    if grain_size is not None:
        LENGTH.check("grain_size", grain_size)
    thin = SizeEffect(
        law,
        product.law.evaluate(0.0, _no_other_law),
        sizes,
        _part("specularity", specularity),
        grain_size,
        number("reflection", reflection or 0.0, at_least=0.0, below=1.0),
    )
    confidence = max(bulk.confidence, product.confidence, key=list(CONFIDENCE).index)
    result = {"resistivity": Constant(thin, confidence, f"{bulk.source}; {product.source}")}
    charge = constants.get("effective_charge")
    if charge is not None and isinstance(charge.law, DirectAndWind):
        at = charge.law.reference_temperature
        weaker = law.evaluate(at, _no_other_law) / thin.evaluate(at, _no_other_law)
        result["effective_charge"] = replace(charge, law=replace(charge.law, wind=charge.law.wind * weaker))
    _warn_of_bulk_laws(constants)
    return result


def _warn_of_bulk_laws(constants: Mapping[str, Constant]) -> None:
    """Warn of constants that follow the resistivity and are plain numbers, those of the bulk."""
    charge, heat = constants.get("effective_charge"), constants.get("thermal_conductivity")
    words = []
    if charge is not None and not isinstance(charge.law, DirectAndWind):
        words.append("effective_charge stays, so that the wind grows with the resistivity: DirectAndWind keeps it")
    if heat is not None and not isinstance(heat.law, WiedemannFranz):
        words.append("thermal_conductivity stays that of the bulk: WiedemannFranz() lets it fall")
    if words:
        message = f"resistivity with a size effect: {'; '.join(words)}"
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)


def _no_other_law(name: str) -> Any:
    """Refuse to look up another law."""
    msg = f"resistivity, must not depend on the {name} of a metal with a size effect"
    raise ParameterError(msg)


def _part(name: str, value: float) -> float:
    """Return a number from 0 to 1."""
    return number(name, value, at_least=0.0, at_most=1.0)


def _path(value: Any, most: float) -> Any:
    """Return a mean free path, above 0 and at most `most`; UFL as it is.

    Raises:
        ParameterError: if it is not.
    """
    if isinstance(value, ufl.core.expr.Expr):
        return value
    paths = floats("mean_free_path", value, words="finite", finite=True)
    for worst in (np.min(paths), np.max(paths)) if paths.size else ():
        number("mean_free_path", worst, above=0.0, at_most=None if most == np.inf else most, unit="m")
    return paths if paths.ndim else float(paths)
