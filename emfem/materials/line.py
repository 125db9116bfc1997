"""The diffusion paths of a line, summed to one diffusivity and one effective charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, UnknownName
from emfem.materials.constants import Constant
from emfem.materials.laws import Law, Lookup, Polycrystal
from emfem.materials.validity import CONFIDENCE, SECTION, VALIDITY

# The paths, and the constant that holds the diffusivity of each (of the lattice) or its product with the thickness.
PATHS = {
    "lattice": "lattice_diffusivity",
    "grain_boundary": "grain_boundary_diffusivity_thickness",
    "interface": "interface_diffusivity_thickness",
    "surface": "surface_diffusivity_thickness",
}


def weights(width: float, height: float, grain_size: float) -> dict[str, float]:
    """Return the factor of each path's constant in the sum: 1 for the lattice, a density per length for the others.

    Raises:
        ParameterError: for a size out of its bounds.
    """
    w, h, d = (
        SECTION.check(name, value) for name, value in (("width", width), ("height", height), ("grain_size", grain_size))
    )
    return {
        "lattice": 1.0,
        "grain_boundary": max(0.0, 1 - d / w) / d,  # a bamboo has no boundary along the line
        "interface": 2 / w + 1 / h,
        "surface": 1 / h,
    }


@dataclass(frozen=True)
class Paths(Law):
    """`sum_p s_p D_p`, the effective diffusivity of a line.

    Attributes:
        shares: s_p by the name of the path: 1, or thickness over cross-section per thickness [1/m].
    """

    shares: Mapping[str, float]

    def rates(self, temperature: Any, law: Lookup) -> dict[str, Any]:
        """Return `s_p D_p` of each path at a temperature."""
        return {path: share * law(PATHS[path])(temperature) for path, share in self.shares.items()}

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the sum at a temperature."""
        return sum(self.rates(temperature, law).values())

    @property
    def description(self) -> str:
        """The paths there are."""
        return "sum over " + ", ".join(path.replace("_", " ") for path in self.shares)


@dataclass(frozen=True)
class PathCharges(Law):
    """`sum_p Z_p s_p D_p / sum_p s_p D_p`, the effective charge that belongs to the effective diffusivity.

    Attributes:
        paths: the effective diffusivity.
        charges: Z_p by the name of the path, signed [-].
        other: the charge on the paths that have none of their own.
    """

    paths: Paths
    charges: Mapping[str, float]
    other: Law | None

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """Return the mean at a temperature."""
        rates = self.paths.rates(temperature, law)
        charges: dict[str, Any] = dict(self.charges)
        if self.other is not None:
            charges = dict.fromkeys(rates, self.other.evaluate(temperature, law)) | charges
        return sum(rate * charges[path] for path, rate in rates.items()) / sum(rates.values())

    @property
    def description(self) -> str:
        """The charges of the paths."""
        return "mean of " + ", ".join(f"{path.replace('_', ' ')} {z:+g}" for path, z in self.charges.items())


def in_line(
    constants: Mapping[str, Constant],
    width: float,
    height: float,
    grain_size: float,
    paths: Sequence[str] | None,
    charges: Mapping[str, float],
) -> Any:
    """Return diffusivity and effective charge of a line of the metal with these constants; see `Material.in_line`."""
    shares = weights(width, height, grain_size)
    if paths is None:
        paths = [path for path, name in PATHS.items() if name in constants and path != "surface"]
    for path, names in (*((path, PATHS) for path in paths), *((path, paths) for path in charges)):
        if path not in names:
            raise UnknownName(path, "the line", names)
    if "diffusivity" in constants and not isinstance(constants["diffusivity"].law, Polycrystal):
        msg = "diffusivity was given as a whole; in_line sums up that of the paths: give lattice_diffusivity, ..."
        raise ParameterError(msg)
    confidences = [constants[PATHS[path]].confidence for path in paths]
    summed = Paths({path: shares[path] for path in paths})
    if not any(summed.shares.values()):
        msg = f"paths = {tuple(paths)}, must have one that this line has: no atom could move"
        raise ParameterError(msg)
    source = f"line {width:g} m wide, {height:g} m high, grains of {grain_size:g} m"
    result = {"diffusivity": Constant(summed, max(confidences, key=list(CONFIDENCE).index), source)}
    if charges:
        own = {path: VALIDITY["effective_charge"].check(f"charges[{path!r}]", z) for path, z in charges.items()}
        other = None if set(paths) <= set(own) else constants["effective_charge"].law
        result["effective_charge"] = Constant(PathCharges(summed, own, other), "given", source)
    return result
