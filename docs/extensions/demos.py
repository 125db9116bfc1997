"""The gallery: a picture of each demo, its first sentence, and a page with its script."""

import ast
import html
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extensions.notebooks import script_cell

import nbformat
from sphinx.application import Sphinx

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
                f":target: gallery/{path.stem}.html",
                f":alt: {first(path)}",
                "",
                first(path) + "  ",
                f"`python demos/{path.stem}.py`",
                ":::",
                "",
            ]
    return "\n".join(["::::{container} gallery wide", *figures, "::::", ""])


def script_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Page of each demo: its picture, its script, and a link that downloads it."""
    for path in sorted((ROOT / "demos").glob("*.py")):
        title, name = html.escape(first(path)), path.stem
        script = app.builder.highlighter.highlight_block(path.read_text(encoding="utf-8"), "python")
        downloaded = f' or <a href="{name}.ipynb" download>a notebook</a> that runs it'
        body = (
            f'<h1>{html.escape(name)}</h1><p>{title}</p><p><img alt="{title}" src="{name}.png"></p>'
            f'<p>Run <code>python demos/{name}.py</code>, or download <a href="{name}.py" download>the script</a>'
            f"{downloaded if runs_anywhere(path) else ''}; "
            f'back to the <a href="../gallery.html">gallery</a>.</p>{script}'
        )
        yield f"gallery/{name}", {"title": f"{name}: {title}", "body": body}, "page.html"


def runs_anywhere(path: Path) -> bool:
    """Return whether a demo needs no file of the checkout."""
    return "parents[1]" not in path.read_text(encoding="utf-8")


def notebook(path: Path) -> nbformat.NotebookNode:
    """Return the notebook that brings a demo, runs it and shows its pictures."""
    v4, name = nbformat.v4, path.stem
    shown = "from pathlib import Path\n\nfrom IPython.display import Image, display\n\n"
    shown += f'for picture in sorted(Path("results/{name}").glob("*.png")):\n    display(Image(picture, width=700))'
    cells = [
        v4.new_markdown_cell(f"# {name}\n\n{first(path)}"),
        script_cell(name),
        v4.new_code_cell(f"%run {name}.py"),
        v4.new_code_cell(shown),
    ]
    for number, cell in enumerate(cells):  # the same name for the same cell in each build
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "name": "python3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def copy_scripts(app: Sphinx, error: Exception | None) -> None:
    """Put scripts and pictures beside their pages."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir, "gallery")
        for path in sorted((ROOT / "demos").glob("*.py")):
            for file in (path, PICTURES / f"{path.stem}.png"):
                shutil.copy(file, target)
            if runs_anywhere(path):
                nbformat.write(notebook(path), target / f"{path.stem}.ipynb")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: pages of scripts are added to those that are written."""
    app.connect("html-collect-pages", script_pages)
    app.connect("build-finished", copy_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
