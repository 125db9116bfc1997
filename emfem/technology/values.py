"""Values of a technology: its layers of metal, the metal itself, its liner and the stress at which voids open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import UnknownName, kind, number, require
from emfem.failure import Liner
from emfem.gate import checked
from emfem.materials import Material
from emfem.materials.validity import SECTION, STRESS, TEMPERATURE, VALIDITY
from emfem.mesh import Network

import numpy as np
from numpy.typing import NDArray

EXPANSION, MODULUS, RESISTIVITY = VALIDITY["thermal_expansion"], VALIDITY["bulk_modulus"], VALIDITY["resistivity"]


@checked
@dataclass(frozen=True)
class Layer:
    """A layer of metal.

    Attributes:
        name: as in the netlist: "metal1" of OpenROAD, "1" of n1_0_0.
        thickness: h of the metal [m].
        resistivity: rho at the temperature of the technology [Ohm m].
        width: w of its wires [m]; None where that follows from each wire's resistance.
        liner: that carries the current past a void; None for a layer without.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    name: str
    thickness: float
    resistivity: float
    width: float | None = None
    liner: Liner | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        require(self.name, "name = '', must be a word")
        SECTION.check("thickness", self.thickness)
        RESISTIVITY.check("resistivity", self.resistivity)
        if self.width is not None:
            SECTION.check("width", self.width)

    @property
    def sheet_resistance(self) -> float:
        """Resistance of a square [Ohm]: rho / h."""
        return self.resistivity / self.thickness


@checked
@dataclass(frozen=True)
class Passivation:
    """Surroundings of the metal, which hold it in its shape while it cools.

        sigma = M (alpha_metal - alpha) (T_free - T)

    Attributes:
        thermal_expansion: alpha of the surroundings, linear; 2.6e-6 of silicon [1/K].
        stress_free_temperature: T_free, at which the metal was enclosed [K].
        modulus: M that stress and misfit obey [Pa]; the bulk modulus of the metal if left out.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    thermal_expansion: float
    stress_free_temperature: float
    modulus: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        EXPANSION.check("thermal_expansion", self.thermal_expansion)
        TEMPERATURE.check("stress_free_temperature", self.stress_free_temperature)
        if self.modulus is not None:
            MODULUS.check("modulus", self.modulus)

    def stress(self, material: Material, temperature: Any) -> Any:
        """Return the stress at a temperature, tension positive [Pa].

        Args:
            material: the metal, with its thermal expansion, and its bulk modulus unless `modulus` stands for it.
            temperature: T, a number or an array [K].

        Raises:
            ParameterError: for a constant that the metal lacks, or a temperature out of the range of its laws.
        """
        misfit = material.law("thermal_expansion")(temperature) - self.thermal_expansion
        modulus = material.law("bulk_modulus")(temperature) if self.modulus is None else self.modulus
        return modulus * misfit * (self.stress_free_temperature - temperature)


@checked
@dataclass(frozen=True, eq=False)
class Technology:
    """Technology of a chip.

    Attributes:
        layers: of metal, by name.
        material: the metal, at the temperature.
        temperature: T [K].
        critical_stress: tension at which a void opens [Pa].
        residual_stress: of the metal without current, at the temperature, tension positive [Pa].
        unit: length of 1 in the coordinates of a netlist [m]; None if it follows from the netlist.
        passivation: of which the residual stress comes at another temperature; None for one that never changes.

    Raises:
        ParameterError: for a value out of its bounds, no layer, a layer under another name than its own, or a material
            at another temperature.
    """

    layers: Mapping[str, Layer]
    material: Material
    temperature: float
    critical_stress: float
    residual_stress: float = 0.0
    unit: float | None = None
    passivation: Passivation | None = None

    def __post_init__(self) -> None:
        """Check every value, and copy the layers."""
        require(self.layers, "layers = {}, must be at least one")
        for name, layer in self.layers.items():
            kind(f"layers[{name!r}]", layer, Layer, "an em.signoff.Layer")
            require(layer.name == name, f"layers[{name!r}] has the name {layer.name!r}, must be one")
        TEMPERATURE.check("temperature", self.temperature)
        own = self.material.temperature
        message = f"material at {own:g} K in a technology at {float(self.temperature):g} K, must be at one temperature"
        require(own == self.temperature, message)
        STRESS.check("critical_stress", self.critical_stress)
        number("residual_stress", self.residual_stress, at_least=-STRESS.high, at_most=STRESS.high, unit="Pa")
        if self.unit is not None:
            number("unit", self.unit, above=0.0, at_most=1.0, unit="m")
        object.__setattr__(self, "layers", dict(self.layers))

    @checked
    def of_segments(self, network: Network) -> list[tuple[Layer, NDArray[np.bool_]]]:
        """Return the layers that have wires, each with a mask of its segments, shape (m,).

        Raises:
            UnknownName: for a layer with wires that the technology lacks.
            ParameterError: for a network without layers where the technology has several.
        """
        if not network.layers:
            message = f"a network without layers in a technology of {len(self.layers)}, must have one layer"
            require(len(self.layers) == 1, message)
            return [(next(iter(self.layers.values())), np.ones(len(network.segments), dtype=bool))]
        used = [(i, network.layers[i]) for i in np.unique(network.layer)]
        for _, name in used:
            if name not in self.layers:
                raise UnknownName(name, "the technology, which needs every layer with wires,", self.layers)
        return [(self.layers[name], network.layer == i) for i, name in used]

    @checked
    def resistivities(self, network: Network) -> NDArray[np.float64]:
        """Return the resistivity of each segment of a network at the technology's temperature [Ohm m], shape (m,).

        Raises:
            UnknownName: for a layer with wires that the technology lacks.
            ParameterError: for a network without layers where the technology has several.
        """
        result = np.empty(len(network.segments))
        for layer, own in self.of_segments(network):
            result[own] = layer.resistivity
        return result

    @checked
    def at(self, temperature: float) -> Technology:
        """Return the technology at another temperature [K].

        Resistivities of layers follow that of the metal, and the residual stress follows the passivation, if there is
        one.

        Raises:
            ParameterError: for a temperature out of the range of the laws of the metal.
        """
        material = self.material.at(temperature)
        ratio = material.resistivity / self.material.resistivity
        layers = {name: replace(layer, resistivity=layer.resistivity * ratio) for name, layer in self.layers.items()}
        stress = self.residual_stress
        if self.passivation is not None:
            stress = self.passivation.stress(material, temperature)
        return replace(self, layers=layers, material=material, temperature=temperature, residual_stress=stress)
