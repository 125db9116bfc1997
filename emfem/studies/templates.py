"""Files to start from, their first line a summary: cases, of emfem and of each registered physics, and a sign-off."""

from __future__ import annotations

from importlib.resources import files

from emfem.errors import choice
from emfem.studies import registry

FOLDER = files("emfem.studies").joinpath("templates")
SIGNOFF = FOLDER.joinpath("signoff")  # a netlist and its technology, those of meshes/


def texts() -> dict[str, str]:
    """Return the templates of cases by name."""
    shipped = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir() if path.name.endswith(".toml")}
    registered = {f"{each.name}.toml": each.template for each in registry.known().values() if each.template}
    return {name.removesuffix(".toml"): text for name, text in sorted((shipped | registered).items())}


def signoff() -> dict[str, str]:
    """Return the files that `emfem signoff` takes by name: a grid, and the technology."""
    return {path.name.partition(".")[0]: path.read_text("utf-8") for path in SIGNOFF.iterdir() if path.is_file()}


def names() -> tuple[str, ...]:
    """Return the names of the templates of cases."""
    return tuple(texts())


def text(name: str) -> str:
    """Return a template.

    Raises:
        UnknownName: for one that does not exist.
    """
    known = texts() | dict(sorted(signoff().items()))
    return known[choice("emfem new", name, known)]


def purpose(name: str) -> str:
    """Return the purpose of a template, in one line."""
    return text(name).splitlines()[0].lstrip("#* ")
