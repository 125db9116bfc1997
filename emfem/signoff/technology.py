"""Technology of a chip: its layers of metal, the metal itself, its liner and the stress at which voids open."""

from __future__ import annotations

import os
import re
import reprlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, kind, number, require, shown
from emfem.failure import Liner
from emfem.files import read_text
from emfem.gate import checked
from emfem.materials import Material, metal, names, read
from emfem.materials.reading import constant
from emfem.materials.validity import SECTION, STRESS, TEMPERATURE, VALIDITY
from emfem.mesh import Network, read_lef
from emfem.quantities import in_si

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

EXPANSION, MODULUS, RESISTIVITY = VALIDITY["thermal_expansion"], VALIDITY["bulk_modulus"], VALIDITY["resistivity"]
TOP = ("temperature", "critical_stress", "residual_stress", "unit", "metal", "passivation", "liner", "lef", "layers")
METAL = ("name", "file", "line", *VALIDITY)
LINE = ("width", "height", "grain_size")
PASSIVATION = ("thermal_expansion", "stress_free_temperature", "modulus")
LINER = ("resistivity", "thickness")
BARE = re.compile(r"[\w-]{1,60}")  # keys that stand in a message as they are
LAYER = ("thickness", "resistivity", "sheet_resistance", "width", "liner")


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


@checked(collective=MPI.COMM_WORLD)
def read_technology(path: str | os.PathLike[str], temperature: float | None = None) -> Technology:
    """Return the technology of a TOML file. Collective: rank 0 reads, all ranks get the same.

    Numbers are in SI, or texts with their unit: "0.14 um", "0.38 ohm", "105 degC", "500 MPa".

    At the top stand `temperature`, `critical_stress` and, if wanted, `residual_stress` and `unit`, the length of 1 in
    coordinates of netlists. `[metal]` has a `name` of em.materials, or the `file` of a metal beside this one, constants
    to be put in their place, each as in `em.materials.read`, and in `[metal.line]` the width, height and grain size of
    `Material.in_line`. `[passivation]` has thermal_expansion, stress_free_temperature and modulus: the residual stress
    follows. `[liner]` has resistivity and thickness, for all layers without their own. `[layers.NAME]`, one a layer,
    has thickness, resistivity or sheet_resistance (that of the metal if left out), width and liner, false for none.
    `lef` is a LEF file beside this one: its layers with a thickness, their sheet resistances and the unit, unless they
    stand here. Resistivities are those at `temperature`.

    Args:
        path: of the file.
        temperature: T [K], at which the technology is returned; that of the file if left out.

    Raises:
        ParameterError: if it cannot be read, is no TOML, lacks a number, or has a value out of its bounds or a unit or
            a key that does not exist; the message names file and key.
    """
    text, file = read_text(path), Path(path)
    try:
        table = _Table(file.name, "", tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        reason = "its lists or tables are too deep in each other" if isinstance(error, RecursionError) else error
        msg = f"{file.name}, must be TOML: {reason}"
        raise ParameterError(msg) from None
    technology = _technology(table, file.parent)
    return technology if temperature is None else technology.at(temperature)


def _technology(table: _Table, folder: Path) -> Technology:
    """Return the technology of a file in a folder."""
    table.check_keys(TOP)
    kelvin = table.number("temperature", "K", TEMPERATURE.check)
    material = _material(table.table("metal"), kelvin, folder)
    surroundings = table.table("passivation") if "passivation" in table.values else None
    passivation = None if surroundings is None else _passivation(surroundings)
    if surroundings is not None and passivation is not None:
        require(
            "residual_stress" not in table.values, f"{table.file}: residual_stress, must not stand beside passivation"
        )
        residual = surroundings.made(lambda: passivation.stress(material, kelvin))
    else:
        residual = table.number("residual_stress", "Pa", default=0.0)
    common = _liner(table.table("liner")) if "liner" in table.values else None
    layers, unit = _layers(table, folder)
    return table.made(
        lambda: Technology(
            {name: _layer(name, layers.table(name), material, common) for name in layers.values},
            material,
            kelvin,
            table.number("critical_stress", "Pa", STRESS.check),
            residual,
            table.number("unit", "m") if "unit" in table.values else unit,
            passivation,
        )
    )


def _material(table: _Table, kelvin: float, folder: Path) -> Material:
    """Return the metal of a table, at a temperature."""
    table.check_keys(METAL)
    sources = [key for key in ("name", "file") if key in table.values]
    require(len(sources) == 1, f"{table.file}: {table.path}, must have a name, of {', '.join(names())}, or a file")
    word = table.text(sources[0])
    constants: Any = {key: table.constant(key) for key in VALIDITY if key in table.values}
    if sources == ["name"]:
        material = table.made(lambda: metal(word, kelvin, **constants))
    else:
        material = table.made(lambda: read(folder / table.beside("file"), kelvin).having(**constants))
    if "line" not in table.values:
        return material
    line = table.table("line")
    line.check_keys(LINE)
    sizes: Any = {key: line.number(key, "m", SECTION.check) for key in LINE}
    return line.made(lambda: material.in_line(**sizes))


def _passivation(table: _Table) -> Passivation:
    """Return the passivation of a table."""
    table.check_keys(PASSIVATION)
    return Passivation(
        table.number("thermal_expansion", "1/K", EXPANSION.check),
        table.number("stress_free_temperature", "K", TEMPERATURE.check),
        table.number("modulus", "Pa", MODULUS.check) if "modulus" in table.values else None,
    )


def _liner(table: _Table) -> Liner:
    """Return the liner of a table."""
    table.check_keys(LINER)
    resistivity, thickness = table.number("resistivity", "Ohm m"), table.number("thickness", "m")
    return table.made(lambda: Liner(resistivity, thickness))


def _layers(table: _Table, folder: Path) -> tuple[_Table, float | None]:
    """Return the table of layers, put together from the file and the LEF file it names, and the unit of that."""
    if "lef" not in table.values:
        return table.table("layers"), None
    lef = table.made(lambda: read_lef(folder / table.beside("lef")))
    own = table.table("layers").values if "layers" in table.values else {}
    layers: dict[str, Any] = {}
    for name, layer in lef.layers.items():
        sizes = {"thickness": layer.thickness, "sheet_resistance": layer.sheet_resistance}
        mine = own.get(name, {})
        if not isinstance(mine, Mapping) or (name not in own and layer.thickness is None):
            continue  # refused below, or a layer that cannot be computed with
        left = {key for key in sizes if sizes[key] is not None and not (key != "thickness" and "resistivity" in mine)}
        layers[name] = {key: sizes[key] for key in left} | dict(mine)
    return _Table(table.file, "layers", {**own, **layers}), lef.unit


def _layer(name: str, table: _Table, material: Material, common: Liner | None) -> Layer:
    """Return the layer of a table; its resistivity is that of the metal, its liner the common one if it has none."""
    table.check_keys(LAYER)
    thickness = table.number("thickness", "m", SECTION.check)
    both = "resistivity" in table.values and "sheet_resistance" in table.values
    require(not both, f"{table.where('sheet_resistance')}, must not stand beside resistivity")
    if "sheet_resistance" in table.values:
        resistivity = table.number("sheet_resistance", "Ohm") * thickness
    else:
        resistivity = table.number("resistivity", "Ohm m", RESISTIVITY.check, material.resistivity)
    width = table.number("width", "m", SECTION.check) if "width" in table.values else None
    liner = common
    if "liner" in table.values:
        liner = None if table.values["liner"] is False else _liner(table.table("liner"))
    return table.made(lambda: Layer(name, thickness, resistivity, width, liner))


@dataclass(frozen=True)
class _Table:
    """A table of a file.

    Attributes:
        file: its name.
        path: keys that lead to the table, "" for the whole file.
        values: by key.
    """

    file: str
    path: str
    values: Mapping[str, Any]

    def where(self, key: str) -> str:
        """Return file and key, for messages."""
        return f"{self.file}: {self.key(key)}"

    def key(self, key: str) -> str:
        """Return the keys that lead to one of the table, which a message can have."""
        word = key if BARE.fullmatch(key) else reprlib.repr(key)
        return f"{self.path}.{word}" if self.path else word

    def check_keys(self, known: tuple[str, ...]) -> None:
        """Check that there are no other keys.

        Raises:
            ParameterError: for a key that does not exist, with the nearest that does.
        """
        for key in self.values:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
                msg = f"{self.where(key)}, must be a key that exists; {hint}"
                raise ParameterError(msg)

    def table(self, key: str) -> _Table:
        """Return the table of a key.

        Raises:
            ParameterError: if it is missing, or no table.
        """
        value = self.values.get(key)
        require(isinstance(value, Mapping), f"{self.where(key)}, must be a table")
        return _Table(self.file, self.key(key), value or {})

    def text(self, key: str) -> str:
        """Return the text of a key.

        Raises:
            ParameterError: for something else.
        """
        value = self.values[key]
        if not isinstance(value, str) or not value:
            msg = f"{self.where(key)} = {shown(value)}, must be a text"
            raise ParameterError(msg)
        return value

    def beside(self, key: str) -> str:
        """Return the name of a file beside this one.

        Raises:
            ParameterError: for one elsewhere.
        """
        word = self.text(key)
        beside = Path(word).name == word
        require(beside, f"{self.where(key)} = {shown(word)}, must be the name of a file beside {self.file}")
        return word

    def number(
        self,
        key: str,
        unit: str,
        check: Callable[[str, object], float] | None = None,
        default: float | None = None,
    ) -> float:
        """Return a number in SI, or the text with a unit, of a key; the default if it is left out.

        Raises:
            ParameterError: if it is missing, or out of its bounds.
        """
        if key not in self.values and default is not None:
            return default
        require(key in self.values, f"{self.where(key)} is missing, must be a number in {unit}")
        value = in_si(self.where(key), self.values[key], unit)
        return check(self.where(key), value) if check else value

    def constant(self, key: str) -> Any:
        """Return a constant of a metal: a number, with or without a unit, or the table of a law."""
        value = self.values[key]
        if isinstance(value, Mapping):
            return constant(f"{self.file}: {self.path}", key, value)
        return self.number(key, VALIDITY[key].unit, VALIDITY[key].check)

    def made[T](self, make: Callable[[], T]) -> T:
        """Return what `make` returns, with file and table in front of its errors.

        Raises:
            ParameterError: as `make` raises it.
        """
        try:
            return make()
        except ParameterError as error:
            if str(error).startswith(self.file):
                raise
            start = f"{self.file}: {self.path}".removesuffix(": ")
            msg = f"{start}: {error}"
            raise ParameterError(msg) from None
