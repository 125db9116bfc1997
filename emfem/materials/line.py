"""The paths that atoms take in a line, summed up to one diffusivity and one effective charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, UnknownName
from emfem.materials.entries import Constant
from emfem.materials.laws import Law, Lookup, Polycrystal
from emfem.materials.windows import MARKS, SECTION, WINDOWS

if TYPE_CHECKING:
    from emfem.materials.material import Material

# The paths, and the constant that holds the diffusivity of each (of the lattice) or its product with the thickness.
PATHS = {
    "lattice": "lattice_diffusivity",
    "grain_boundary": "grain_boundary_diffusivity_thickness",
    "interface": "interface_diffusivity_thickness",
    "surface": "surface_diffusivity_thickness",
}


def weights(width: float, height: float, grain_size: float) -> dict[str, float]:
    """What each path's constant is multiplied by in the sum: 1 for the lattice, a density per length for the others.

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

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """The sum at a temperature."""
        return sum(share * law(PATHS[path])(temperature) for path, share in self.shares.items())

    @property
    def words(self) -> str:
        """Which paths there are."""
        return "sum over " + ", ".join(path.replace("_", " ") for path in self.shares)


@dataclass(frozen=True)
class PathCharges(Law):
    """`sum_p Z_p s_p D_p / sum_p s_p D_p`, the effective charge that goes with the effective diffusivity.

    Attributes:
        shares: s_p by the name of the path.
        charges: Z_p by the name of the path, signed [-].
        other: the charge on the paths that have none of their own.
    """

    shares: Mapping[str, float]
    charges: Mapping[str, float]
    other: Law | None

    def evaluate(self, temperature: Any, law: Lookup) -> Any:
        """The mean at a temperature."""
        rates = {path: share * law(PATHS[path])(temperature) for path, share in self.shares.items()}
        moved = sum(rate * self._charge(path, temperature, law) for path, rate in rates.items())
        return moved / sum(rates.values())

    def _charge(self, path: str, temperature: Any, law: Lookup) -> Any:
        if path in self.charges or self.other is None:
            return self.charges[path]
        return self.other.evaluate(temperature, law)

    @property
    def words(self) -> str:
        """The charges that were given."""
        return "mean of " + ", ".join(f"{path.replace('_', ' ')} {z:+g}" for path, z in self.charges.items())


def in_line(
    material: Material,
    width: float,
    height: float,
    grain_size: float,
    paths: Sequence[str] | None,
    charges: Mapping[str, float],
) -> Any:
    """Diffusivity and effective charge of a line of the material, by name; see `Material.in_line`."""
    constants = material.constants
    every = weights(width, height, grain_size)
    if paths is None:
        paths = [path for path, name in PATHS.items() if name in constants and path != "surface"]
    for path, known in (*((path, PATHS) for path in paths), *((path, paths) for path in charges)):
        if path not in known:
            raise UnknownName(path, "the line", known)
    if "diffusivity" in constants and not isinstance(constants["diffusivity"].law, Polycrystal):
        msg = "diffusivity was given as a whole; in_line sums up that of the paths: give lattice_diffusivity, ..."
        raise ParameterError(msg)
    for path in paths:
        material.law(PATHS[path])  # says what is missing
    shares = {path: every[path] for path in paths}
    if not any(shares.values()):
        msg = f"paths = {tuple(paths)}, must have one that this line has: no atom could move"
        raise ParameterError(msg)
    source = f"line {width:g} m wide, {height:g} m high, grains of {grain_size:g} m"
    worth = max((constants[PATHS[path]].mark for path in paths), key=list(MARKS).index)
    result = {"diffusivity": Constant(Paths(shares), worth, source)}
    if charges:
        own = {path: WINDOWS["effective_charge"].check(f"charges[{path!r}]", z) for path, z in charges.items()}
        other = constants["effective_charge"].law if "effective_charge" in constants else None
        if other is None and not set(shares) <= set(own):
            material.law("effective_charge")  # says that it is missing
        result["effective_charge"] = Constant(PathCharges(shares, own, other), "given", source)
    return result
