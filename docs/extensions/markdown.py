"""Pieces of Markdown."""

from collections.abc import Sequence


def cell(text: str) -> str:
    """A text in a table: on one line, and no letter that ends the cell or means anything but itself."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    parts[::2] = [
        part.replace("*", "\\*").replace("<", "\\<").replace("[", "\\[").replace("_", "\\_") for part in parts[::2]
    ]
    return "`".join(parts)


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are escaped where they are made."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
