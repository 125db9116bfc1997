"""Checksums of networks, technologies, maps of temperature, files and settings: sign-offs that are alike have one."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.files import reason
from emfem.mesh import Network
from emfem.signoff.metal import Temperature
from emfem.signoff.summary import constants, plain
from emfem.technology import Technology

import numpy as np

__all__ = ["checksum", "described", "heat_digest", "key_of", "network_digest", "technology_digest", "versions"]

LIBRARIES = ("emfem", "numpy", "scipy", "pandas", "matplotlib")


def checksum(path: os.PathLike[str] | str) -> dict[str, str]:
    """Return the name and the SHA-256 of a file.

    Raises:
        ParameterError: if it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return {"file": Path(path).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be read: {reason(error)}"
        raise ParameterError(msg) from None


def versions() -> dict[str, str]:
    """Return the versions that the numbers may depend on."""
    return {name: version(name) for name in LIBRARIES} | {"Python": platform.python_version()}


def described(criterion: Any) -> str:
    """Return a text that is the same for the same criterion."""
    return (
        f"{type(criterion).__name__} {criterion!r}" if hasattr(criterion, "__dataclass_fields__") else repr(criterion)
    )


def key_of(content: Any) -> str:
    """Return a checksum of settings."""
    return hashlib.sha256(json.dumps(plain(content), sort_keys=True, default=repr).encode()).hexdigest()


def heat_digest(heat: Temperature | None) -> Any:
    """Return checksums of temperatures, None for none."""
    return None if heat is None else [_digest(heat.start), _digest(heat.end), _digest(heat.excess), heat.healing_length]


def _digest(values: Any) -> str:
    """Return a checksum of numbers."""
    array = np.ascontiguousarray(values)
    return hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()


def network_digest(network: Network) -> str:
    """Return a checksum of a network: of all that its currents and stress follow from, and of its names."""
    parts = ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer")
    digests = [_digest(getattr(network, part)) for part in parts]
    return key_of([digests, sorted(network.pads.items()), network.names, network.layers])


def technology_digest(technology: Technology) -> str:
    """Return a checksum of a technology: of the constants of the metal, and of the layers."""
    rest = {f.name: getattr(technology, f.name) for f in fields(technology) if f.name not in ("layers", "material")}
    return key_of([constants(technology), {name: repr(layer) for name, layer in technology.layers.items()}, repr(rest)])
