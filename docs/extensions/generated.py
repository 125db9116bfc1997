"""Parts of pages that are generated from the program: commands, tables of a case, demos, units."""

from collections.abc import Callable, Mapping

from extensions import commands, demos, tables, units

from sphinx.application import Sphinx

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands.page,
    "exit codes": commands.exit_codes,
    "case": tables.page,
    "demos": demos.page,
    "units": units.page,
}


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace `% generated: NAME` by the part of that name."""
    for name, make in PARTS.items():
        if f"% generated: {name}\n" in source[0]:
            source[0] = source[0].replace(f"% generated: {name}\n", make())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: parts are put in before a page is parsed."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
