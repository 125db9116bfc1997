"""Cases to start from, of emfem and of each registered physics that has one; the first line is a summary."""

from __future__ import annotations

from importlib.resources import files

from emfem.errors import choice
from emfem.studies import registry

FOLDER = files("emfem.studies").joinpath("templates")


def texts() -> dict[str, str]:
    """Return the templates by name."""
    shipped = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir() if path.name.endswith(".toml")}
    registered = {f"{each.name}.toml": each.template for each in registry.known().values() if each.template}
    return {name.removesuffix(".toml"): text for name, text in sorted((shipped | registered).items())}


def names() -> tuple[str, ...]:
    """Return the names of the templates."""
    return tuple(texts())


def text(name: str) -> str:
    """Return a template.

    Raises:
        UnknownName: for one that does not exist.
    """
    return texts()[choice("emfem new", name, names())]


def purpose(name: str) -> str:
    """Return the purpose of a template, in one line."""
    return text(name).splitlines()[0].lstrip("# ")
