"""Technology of a TOML file."""

from __future__ import annotations

import os
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emfem.errors import PACKAGE, ParameterError, ResolutionWarning, require
from emfem.failure import Liner
from emfem.files import read_text
from emfem.gate import checked
from emfem.materials import Material, metal, names, read
from emfem.materials.validity import SECTION, STRESS, TEMPERATURE, VALIDITY
from emfem.mesh import read_lef
from emfem.technology.table import FileTable
from emfem.technology.values import RESISTIVITY, Layer, Passivation, Technology
from emfem.units import MPa

from mpi4py import MPI

TOP = ("temperature", "critical_stress", "residual_stress", "unit", "metal", "passivation", "liner", "lef", "layers")
METAL = ("name", "file", "line", *VALIDITY)
LINE = ("width", "height", "grain_size")
PASSIVATION = ("thermal_expansion", "stress_free_temperature", "modulus")
LINER = ("resistivity", "thickness")
LAYER = ("thickness", "resistivity", "sheet_resistance", "width", "liner")


@checked(collective=MPI.COMM_WORLD)
def read_technology(path: str | os.PathLike[str], temperature: float | None = None) -> Technology:
    """Return the technology of a TOML file. Collective: rank 0 reads, all ranks get the same.

    Numbers are in SI, or texts with their unit: "0.14 um", "0.38 ohm", "105 degC", "500 MPa".

    At the top stand `temperature`, `critical_stress` and, if wanted, `residual_stress` and `unit`, the length of 1 in
    coordinates of netlists. `[metal]` has a `name` of em.materials (alone: `metal = "copper"`), or the `file` of a
    metal beside this one, constants to be put in their place, each as in `em.materials.read`, and in `[metal.line]` the
    width, height and grain size of `Material.in_line`. `[passivation]` has thermal_expansion, stress_free_temperature
    and modulus: the residual stress follows. `[liner]` has resistivity and thickness, for all layers without their own.
    `[layers.NAME]`, one a layer, has thickness, resistivity or sheet_resistance (that of the metal if left out), width
    and liner, false for none. `lef` is a LEF file beside this one: its layers with a thickness, their sheet resistances
    and the unit, unless they stand here. Resistivities are those at `temperature`.

    Args:
        path: of the file.
        temperature: T [K], at which the technology is returned; that of the file if left out.

    Raises:
        ParameterError: if it cannot be read, is no TOML, lacks a number, or has a value out of its bounds or a unit or
            a key that does not exist; the message names file and key.

    Warns:
        ResolutionWarning: for temperatures in kelvin that are likely to be meant in degrees Celsius.
    """
    text, file = read_text(path), Path(path)
    try:
        table = FileTable(file.name, "", tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        reason = "its lists or tables are too deep in each other" if isinstance(error, RecursionError) else error
        msg = f"{file.name}, must be TOML: {reason}"
        raise ParameterError(msg) from None
    technology = _technology(table, file.parent)
    return technology if temperature is None else technology.at(temperature)


def _technology(table: FileTable, folder: Path) -> Technology:
    """Return the technology of a file in a folder."""
    table.check_keys(TOP)
    kelvin = table.number("temperature", "K", TEMPERATURE.check)
    material = _material(_of_name(table).table("metal"), kelvin, folder)
    surroundings = table.table("passivation") if "passivation" in table.values else None
    passivation = None if surroundings is None else _passivation(surroundings)
    if surroundings is not None and passivation is not None:
        require(
            "residual_stress" not in table.values, f"{table.file}: residual_stress, must not stand beside passivation"
        )
        residual = surroundings.made(lambda: passivation.stress(material, kelvin))
        free = passivation.stress_free_temperature
        if TEMPERATURE.doubt_below <= free < kelvin:
            message = (
                f"{surroundings.where('stress_free_temperature')} = {free:g} K, is below the temperature of {kelvin:g} "
                f"K, so that the metal starts under {residual / MPa:.4g} MPa: degrees Celsius written as kelvin?"
            )
            warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)
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


def _of_name(table: FileTable) -> FileTable:
    """Return the table of a file, where `metal = "copper"` stands for a table with that name."""
    word = table.values.get("metal")
    return replace(table, values={**table.values, "metal": {"name": word}}) if isinstance(word, str) else table


def _material(table: FileTable, kelvin: float, folder: Path) -> Material:
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


def _passivation(table: FileTable) -> Passivation:
    """Return the passivation of a table."""
    table.check_keys(PASSIVATION)
    expansion, free = table.number("thermal_expansion", "1/K"), table.number("stress_free_temperature", "K")
    modulus = table.number("modulus", "Pa") if "modulus" in table.values else None
    return table.made(lambda: Passivation(expansion, free, modulus))


def _liner(table: FileTable) -> Liner:
    """Return the liner of a table."""
    table.check_keys(LINER)
    resistivity, thickness = table.number("resistivity", "Ohm m"), table.number("thickness", "m")
    return table.made(lambda: Liner(resistivity, thickness))


def _layers(table: FileTable, folder: Path) -> tuple[FileTable, float | None]:
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
    return FileTable(table.file, "layers", {**own, **layers}), lef.unit


def _layer(name: str, table: FileTable, material: Material, common: Liner | None) -> Layer:
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
