"""Table of contents of a folder, and the names of its files."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.files import READ_ERRORS, reason
from emfem.gate import checked

FORMAT = 2  # 1: one domain for all models, no checksum of the table
CONTENTS, MESH = "fields.json", "mesh.npz"
NETWORK = ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer")


@checked
def contents(folder: os.PathLike[str] | str) -> dict[str, Any]:
    """Return the table of contents of a folder, as the present format has it.

    Raises:
        ParameterError: if it is missing or damaged, or of a newer format.
    """
    path = Path(folder) / CONTENTS
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        version_of_format = int(table["format"])
    except READ_ERRORS as error:
        msg = f"{path} cannot be read: {reason(error)}"
        raise ParameterError(msg) from None
    if version_of_format > FORMAT:
        msg = (
            f"{path} has format {version_of_format}, must be at most {FORMAT}: take emfem {table.get('emfem')} or newer"
        )
        raise ParameterError(msg)
    if version_of_format == 1 and "domain" in table:
        table["domains"] = [table.pop("domain")]
    missing = {"domains", "spaces", "models"} - table.keys()
    if missing:
        msg = f"{path} cannot be read: it has no {', '.join(sorted(missing))}"
        raise ParameterError(msg)
    if (version_of_format > 1 or "checksum" in table) and table.get("checksum") != checksum(table):
        msg = f"{path} cannot be read: its checksum is wrong, it is damaged"
        raise ParameterError(msg)
    return table


def checksum(table: Mapping[str, Any]) -> int:
    """Return the CRC-32 of a table of contents without its checksum."""
    rest = {key: value for key, value in table.items() if key != "checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


def mesh_file(generation: int) -> str:
    """Return the name of the file with the numbers of degrees of freedom: "mesh.npz", then "mesh-1.npz" and so on."""
    return f"mesh-{generation}.npz" if generation else MESH


def tags_of(name: str, domain: int) -> str:
    """Return the name of the tags of a domain in the file of the mesh: "facets", "facets 1" and so on."""
    return f"{name} {domain}" if domain else name
