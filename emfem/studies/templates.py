"""Cases to start from, shipped with emfem: each says what it is in its first line."""

from __future__ import annotations

from importlib.resources import files

from emfem.errors import choice

FOLDER = files("emfem.studies").joinpath("templates")


def names() -> tuple[str, ...]:
    """The templates there are."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in FOLDER.iterdir() if path.name.endswith(".toml")))


def text(name: str) -> str:
    """A template.

    Raises:
        UnknownName: for one that does not exist.
    """
    return FOLDER.joinpath(f"{choice('emfem new', name, names())}.toml").read_text(encoding="utf-8")


def purpose(name: str) -> str:
    """What a template is, in one line."""
    return text(name).splitlines()[0].lstrip("# ")
