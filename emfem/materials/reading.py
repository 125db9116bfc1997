"""Metals in TOML files: each constant a table with its numbers, its confidence and its source."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emfem import units
from emfem.errors import ParameterError, number
from emfem.files import read_text
from emfem.gate import checked
from emfem.materials.constants import Constant
from emfem.materials.laws import AVOGADRO, Arrhenius, DirectAndWind, Law, Linear, Polycrystal, Uniform, WiedemannFranz
from emfem.materials.material import LOWEST, Material
from emfem.materials.validity import VALIDITY

from mpi4py import MPI

TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)\s*")
# Units that a text may have instead of the SI unit, and their values in SI; Pint would cost its import in every run
CONVERSIONS: dict[str, dict[str, float]] = {
    "J": {"J": 1.0, "eV": units.eV, "kJ/mol": 1e3 / AVOGADRO},
    "Pa": {"Pa": 1.0, "MPa": units.MPa, "GPa": units.GPa},
    "m": {"m": 1.0, "um": units.um, "nm": units.nm},
}
# The laws by the key that identifies each: the unit of each number (None: that of the constant), the law it makes.
LAWS: dict[str, tuple[dict[str, str | None], Callable[..., Law]]] = {
    "activation_energy": ({"prefactor": None, "activation_energy": "J"}, Arrhenius),
    "direct": ({"direct": None, "wind": None, "reference_temperature": "K"}, DirectAndWind),
    "lorenz_number": ({"lorenz_number": "V2/K2"}, WiedemannFranz),
    "grain_size": ({"grain_size": "m"}, Polycrystal),
    "reference_temperature": ({"value": None, "reference_temperature": "K"}, Linear),
    "value": ({"value": None}, Uniform),
}
METAL = ("name", "temperature", "lowest_temperature")
ORIGIN = ("confidence", "source")
RENAMED = {"mark": "confidence"}


@checked(collective=MPI.COMM_WORLD)
def read(path: str | os.PathLike[str], temperature: float | None = None) -> Material:
    """Return the metal of a TOML file. Collective: rank 0 reads, all ranks get the same.

    A constant is a number in SI, or a table with the numbers of its law and with `confidence` and `source`. A number
    may be a text with its unit: "0.88 eV", "84.75 kJ/mol", "140 GPa". The keys identify the law: `value`; `value`
    and `reference_temperature` (linear, the resistivity); `prefactor` and `activation_energy`; `direct`, `wind` and
    `reference_temperature` (the effective charge); `lorenz_number` (the thermal conductivity); `grain_size` (the
    diffusivity of a polycrystal). `name`, `temperature` and `lowest_temperature` stand at the top.

    Args:
        path: of the file.
        temperature: T [K]; that of the file, or 373 K, when left out.

    Raises:
        ParameterError: if it cannot be read, is no TOML, lacks a number, or has a value out of its bounds or a unit or
            a key that does not exist; the message names the key, and the nearest that does.
    """
    return parsed(read_text(path), Path(path).name, temperature)


def parsed(text: str, file: str, temperature: float | None = None) -> Material:
    """Return the metal of a text in TOML, called `file` in messages; see `read`."""
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number of 5000 digits, and of tables in tables
        msg = f"{file}, must be TOML: {error}"
        raise ParameterError(msg) from None
    _check_keys(file, table, (*METAL, *VALIDITY))
    if not isinstance(table.get("name"), str):
        msg = f"{file}: name, must be a text: the name of the metal"
        raise ParameterError(msg)
    options = {"temperature": table.get("temperature", 373.0) if temperature is None else temperature}
    options["lowest_temperature"] = table.get("lowest_temperature", LOWEST)
    constants: Any = {name: constant(file, name, table[name]) for name in VALIDITY if name in table}
    try:
        return Material(table["name"], **options, **constants)
    except ParameterError as error:
        msg = f"{file}: {error}"
        raise ParameterError(msg) from None


def constant(file: str, name: str, entry: Any) -> Constant:
    """Return the constant of one entry of a file, called `file` in messages.

    Raises:
        ParameterError: for a key that does not exist or is missing, or a value out of its bounds.
    """
    table = entry if isinstance(entry, Mapping) else {"value": entry}
    where = f"{file}, {name}"
    key = next((key for key in LAWS if key in table), None)
    if key is None:
        _check_keys(where, table, (*(key for numbers, _ in LAWS.values() for key in numbers), *ORIGIN))
        msg = f"{where}, must have one of {', '.join(LAWS)}"
        raise ParameterError(msg)
    numbers, law = LAWS[key]
    _check_keys(where, table, (*numbers, *ORIGIN))
    for missing in numbers.keys() - table.keys():
        msg = f"{where}: {missing} is missing beside {key}"
        raise ParameterError(msg)
    values = {key: _number(f"{where}: {key}", table[key], unit or VALIDITY[name].unit) for key, unit in numbers.items()}
    try:
        return Constant(law(**values), table.get("confidence", "given"), table.get("source", file))
    except ParameterError as error:
        msg = f"{where}: {error}"
        raise ParameterError(msg) from None


def _number(where: str, value: Any, unit: str) -> float:
    """Return a number in SI, of a number or of a text with its unit."""
    if not isinstance(value, str):
        return number(where, value, unit=unit)
    match, known = TEXT.fullmatch(value), CONVERSIONS.get(unit, {unit: 1.0})
    if match is None or match[2] not in known:
        msg = f"{where} = {value!r}, must be a number in {' or '.join(known)}"
        raise ParameterError(msg)
    return number(where, float(match[1]) * known[match[2]], unit=unit)


def _check_keys(where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Refuse keys that do not exist, naming the nearest."""
    for key in table:
        if key not in keys:
            near = [RENAMED[key]] if RENAMED.get(key) in keys else get_close_matches(key, keys, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(dict.fromkeys(keys))}"
            msg = f"{where}: there is no key {key!r}; {hint}"
            raise ParameterError(msg)
