"""The gallery: a picture of each demo, its first sentence, and the command that makes it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures" / "gallery"


def first(path: Path) -> str:
    """The first line of a demo."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


def page() -> str:
    """A grid of those that have a picture."""
    figures = []
    for path in sorted((ROOT / "demos").glob("*.py")):
        if (PICTURES / f"{path.stem}.png").exists():
            figures += [
                f":::{{figure}} pictures/gallery/{path.stem}.png",
                f":alt: {first(path)}",
                "",
                first(path) + "  ",
                f"`python demos/{path.stem}.py`",
                ":::",
                "",
            ]
    return "\n".join(["::::{container} gallery wide", *figures, "::::", ""])
