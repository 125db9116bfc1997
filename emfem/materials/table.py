"""Tables as text, and as HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line a row, each column as wide as its longest entry; the second, of numbers, aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{'>' if i == 1 else '<'}{widths[i]}}" for i, cell in enumerate(row)).rstrip() for row in rows
    ]


def as_html(rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return an HTML table of rows, for notebooks."""
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption>{body}</table>"
