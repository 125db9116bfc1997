"""Excerpts below the results of a search where the site is opened as files: a browser reads no other file by itself."""

import html
import json
import re
from pathlib import Path

from sphinx.application import Sphinx

PAGES = "pages.js"
ARTICLE = re.compile(r'<article role="main"[^>]*>(.*)</article>', re.S)
UNREAD = re.compile(r"<(svg|script|style)\b.*?</\1>|<a class=\"headerlink\".*?</a>", re.S)
# Sphinx' search asks for each page it found; as files they are answered from a script that the page of the search loads
ANSWER = """
if (location.protocol === "file:")
  window.fetch = async (page) => {
    const name = new URL(page, location.href).href.replace(new URL(".", location.href).href, "");
    return new Response(`<div role="main"><p>${PAGES[name] || ""}</p></div>`);
  };
"""


def words(page: Path) -> str:
    """Return the text of a page, as HTML without marks."""
    found = ARTICLE.search(page.read_text(encoding="utf-8"))
    text = re.sub(r"<[^>]+>", " ", UNREAD.sub(" ", found[1] if found else ""))
    return html.escape(html.unescape(re.sub(r"\s+", " ", text)).strip(), quote=False)


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the texts of all pages into one script."""
    if error is None and app.builder.format == "html":
        site = Path(app.outdir)
        texts = {page.relative_to(site).as_posix(): words(page) for page in sorted(site.rglob("*.html"))}
        script = f"const PAGES = {json.dumps(texts, ensure_ascii=False)};\n{ANSWER.lstrip()}"
        (site / "_static" / PAGES).write_text(script, encoding="utf-8")


def load(app: Sphinx, name: str, template: str, context: dict[str, object], doctree: object) -> None:
    """Load the texts on the page of the search."""
    if name == "search":
        app.add_js_file(PAGES)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", load)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
