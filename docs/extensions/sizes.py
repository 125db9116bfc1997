"""Figures below cells are shown at half their dots: sharp on every screen, letters as large as those of the text."""

from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx


def resize(app: Sphinx, page: nodes.document) -> None:
    """Give the pictures that cells made a width, those that have none."""
    for image in page.findall(nodes.image):
        path = Path(app.srcdir, image["uri"])
        made = "jupyter_execute" in image["uri"] and path.suffix == ".png"
        if made and "width" not in image and path.is_file():
            with Image.open(path) as picture:
                image["width"] = f"{picture.width // 2}px"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: images are resized after a page has been read."""
    app.connect("doctree-read", resize)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
