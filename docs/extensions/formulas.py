"""Formulas become pictures in the page (SVG) when the site is built: they need no network, no script and no font."""

import html
from functools import cache

import ziamath
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxTranslator

SIZE = 20.0  # units of a picture to one em of the text around it
STEM = 1.05  # letters of formulas to those of the text

ziamath.config.svg2 = False  # outlines at each place: symbols of several pictures would share their names


@cache  # a third of the formulas are there more than once
def picture(latex: str, inline: bool) -> str:
    """Return a formula as SVG in the colour of the text, on its line if it is `inline`, with its LaTeX as description.

    Raises:
        ExtensionError: for a command that is not known, which would be written as a word.
    """
    formula = ziamath.Latex(latex, size=SIZE, inline=inline, color="currentColor")
    if "\\" in formula.mathmlstr():
        msg = f"a command in the formula {latex!r} cannot be drawn"
        raise ExtensionError(msg)
    drawn = formula.svgxml()
    for name in ("width", "height"):
        drawn.set(name, f"{float(drawn.get(name)) / SIZE * STEM:.3f}em")
    drawn.set("style", f"vertical-align: {formula.getyofst() / SIZE * STEM:.3f}em")
    drawn.set("role", "img")
    drawn.set("aria-label", " ".join(latex.split()))
    return ziamath.zmath.ET.tostring(drawn, encoding="unicode")


def visit_inline(translator: SphinxTranslator, node: nodes.math) -> None:
    """Write a formula between words."""
    translator.body.append(f'<span class="formula">{picture(node.astext(), inline=True)}</span>')
    raise nodes.SkipNode


def visit_display(translator: SphinxTranslator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own; a long one is scrolled."""
    name = "".join(f' id="{html.escape(name)}"' for name in node["ids"][:1])
    translator.body.append(f'<div class="formula"{name}>{picture(node.astext(), inline=False)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: the renderer "pictures" of formulas."""
    app.add_html_math_renderer("pictures", inline_renderers=(visit_inline, None), block_renderers=(visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
