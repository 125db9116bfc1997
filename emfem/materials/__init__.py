"""Metals as frozen values: laws of temperature whose every constant has a unit, a confidence and a source.

    copper = em.materials.copper(temperature=373.0, effective_charge=-5.0)
    copper.resistivity                      a float, at that temperature
    copper.law("resistivity")(T)            at any other: a number, an array or a UFL expression
    print(copper)                           the table

Signs: the force on an atom is Z* e E, so Z* is below 0 where atoms go with the electrons; tension is positive.
Temperatures are in kelvin, energies in joule per atom.

Resistivities are linear in temperature, diffusivities thermally activated. The thermal conductivity is the tabulated
one at every temperature, because that of a pure metal changes little above 300 K. The law of Wiedemann and Franz,
`thermal_conductivity=em.materials.WiedemannFranz()`, differs from the tables at room temperature by a quarter in
tungsten and by up to 13 percent in the others. The diffusivity of a metal is that of a film with grains of 0.2 um;
`material.in_line(...)` sums up the paths of a line; `material.with_size_effect(...)` has the resistivity of a thin film
or wire.
"""

from emfem.materials.constants import Constant, Constants
from emfem.materials.estimates import Derived
from emfem.materials.laws import Arrhenius, DirectAndWind, Law, Linear, Polycrystal, Uniform, WiedemannFranz
from emfem.materials.material import Material
from emfem.materials.metals import (
    aluminium,
    copper,
    gold,
    lead,
    metal,
    molybdenum,
    names,
    nickel,
    palladium,
    platinum,
    silver,
    tin,
    tungsten,
)
from emfem.materials.reading import read
from emfem.materials.resistivity import fuchs_sondheimer, mayadas_shatzkes
from emfem.materials.validity import CONFIDENCE
from emfem.public import dir_of

__all__ = [
    "CONFIDENCE",
    "Arrhenius",
    "Constant",
    "Constants",
    "Derived",
    "DirectAndWind",
    "Law",
    "Linear",
    "Material",
    "Polycrystal",
    "Uniform",
    "WiedemannFranz",
    "aluminium",
    "copper",
    "fuchs_sondheimer",
    "gold",
    "lead",
    "mayadas_shatzkes",
    "metal",
    "molybdenum",
    "names",
    "nickel",
    "palladium",
    "platinum",
    "read",
    "silver",
    "tin",
    "tungsten",
]
__dir__ = dir_of(__all__)
