"""Docstrings are plain text, as a terminal shows them: here they become reStructuredText.

In them `Z*` is a letter with a star, `|grad T|` a length, and what stands in backticks is code. Lines that are indented
are an equation or an example, and are shown as they stand.
"""

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"``[^`]+``|`[^`]+`")
SECTION = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Note|Example|Examples):$")
ITEM = re.compile(r"[-*] ")
VALUES = ("attribute", "data", "property")
BEFORE, AFTER = 400, 600  # napoleon, which makes fields of the sections, has 500


def escaped(text: str) -> str:
    """A text in which no letter means anything but itself."""
    text = text.replace("\\", "\\\\").replace("*", "\\*").replace("|", "\\|")
    return re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", text)


def line(text: str) -> str:
    """A line of plain text, what stands in backticks as code."""
    done, at = [], 0
    for code in CODE.finditer(text):
        done += [escaped(text[at : code.start()]), f"``{code[0].strip('`')}``"]
        at = code.end()
    return "".join([*done, escaped(text[at:])])


def plain(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    output: list[str] = []
    section = block = item = False
    for text in lines:
        indented = text[:1].isspace()
        if not text.strip():
            output.append("")
            continue
        if not indented:
            if block and output[-1]:
                output.append("")
            block, section, item = False, bool(SECTION.match(text)), bool(ITEM.match(text))
        elif not (section or block or item):
            output += ["", ".. code-block:: text", ""]
            block = True
        output.append(text if block or (item and not indented) else line(text))
    return output


def before(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Plain text; an empty comment before that of a value, or napoleon takes what precedes a colon for its type."""
    lines[:] = [*(["..", ""] if what in VALUES else []), *plain(lines)]


def after(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Types of attributes, which napoleon writes down: numpy.str_ is no reference."""
    lines[:] = [re.sub(r"_(?=\W|$)", r"\\_", text) if text.startswith(":vartype") else text for text in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Before and after napoleon."""
    app.connect("autodoc-process-docstring", before, priority=BEFORE)
    app.connect("autodoc-process-docstring", after, priority=AFTER)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
