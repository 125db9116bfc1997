"""Executed pages as notebooks: each is offered at its top, and brings the scripts of `demos/` that it imports."""

import ast
import re
from pathlib import Path

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DEMOS = ROOT / "demos"
FOLDERS = ("tutorials/", "start")
INCLUDE = re.compile(r"```\{literalinclude\} (?P<file>\S+)\n:language: python\n:pyobject: (?P<name>\w+)\n```")
LINK = re.compile(r"\{doc\}`/?(?P<role>[^`]+)`|!?\[(?P<words>[^\]]+)\]\((?!https?:)[^)]+\)")
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.M)


def pages() -> list[Path]:
    """Pages that are notebooks too."""
    found = [path for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts]
    return [path for path in found if is_notebook(path.relative_to(DOCS).as_posix(), path.read_text(encoding="utf-8"))]


def is_notebook(name: str, text: str) -> bool:
    """Return whether a page has cells and is one for users."""
    return name.startswith(FOLDERS) and "file_format: mystnb" in text


def notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook of a page: with what it includes, the words of its links and pictures, and no output."""
    text = INCLUDE.sub(lambda found: included(path, found), path.read_text(encoding="utf-8"))
    made = read_myst_markdown_notebook(LINK.sub(lambda found: found["words"] or f"`{found['role']}`", text))
    made.metadata = nbformat.from_dict({"kernelspec": dict(made.metadata["kernelspec"])})
    code = "\n".join(cell.source for cell in made.cells if cell.cell_type == "code")
    scripts = [name for name in dict.fromkeys(IMPORT.findall(code)) if (DEMOS / f"{name}.py").is_file()]
    brought = [script_cell(name) for name in scripts]
    first = 1 + next(i for i, cell in enumerate(made.cells) if cell.cell_type == "markdown")
    made.cells[first:first] = brought
    for number, cell in enumerate(made.cells):
        cell["id"], cell["metadata"] = f"cell-{number}", nbformat.from_dict({})
    nbformat.validate(made)
    return made


def included(page: Path, found: re.Match[str]) -> str:
    """The function of a script that a page includes, as a block of code."""
    source = (page.parent / found["file"]).resolve().read_text(encoding="utf-8")
    named = next(node for node in ast.parse(source).body if getattr(node, "name", None) == found["name"])
    return f"```python\n{ast.get_source_segment(source, named)}\n```"


def script_cell(name: str) -> nbformat.NotebookNode:
    """The cell that writes a script beside the notebook."""
    source = (DEMOS / f"{name}.py").read_text(encoding="utf-8")
    return nbformat.v4.new_code_cell(f"%%writefile {name}.py\n{source.rstrip()}")


def offer(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the link below the title of a page."""
    if is_notebook(name, source[0]):
        link = (
            f'<a class="notebook" href="{name.rpartition("/")[2]}.ipynb" download>Download this page as a notebook</a>'
        )
        source[0] = re.sub(r"^(# .+)$", rf"\1\n\n{link}", source[0], count=1, flags=re.M)


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the notebooks beside their pages."""
    if error is None and app.builder.format == "html":
        for path in pages():
            target = Path(app.outdir, path.relative_to(DOCS)).with_suffix(".ipynb")
            nbformat.write(notebook(path), target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", offer)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
