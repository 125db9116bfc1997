"""The report of `emfem verify` as tables of the verification book.

It is the file that EMFEM_VERIFY_REPORT names; without one the checks run, once for each state of emfem's code.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import emfem as em
from emfem import verify

from IPython.display import HTML

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHOWN: list[str] = []  # physics that have a table


@cache
def report() -> dict[str, Any]:
    """The report: that of EMFEM_VERIFY_REPORT, the one stored for this state of the code, or a new one."""
    name = os.environ.get("EMFEM_VERIFY_REPORT")
    path = Path(name) if name else stored()
    if not path.is_file() and not name:
        em.write.text(path, verify.run(verify.checks()).json())
    return json.loads(path.read_text(encoding="utf-8"))


def stored() -> Path:
    """Path of the report for this state of the code, which the tests of the checks write too."""
    return HERE.parent / "_build" / "verify" / f"{state()}.json"


def state() -> str:
    """A name for emfem's code and data, and what it stands on."""
    digest = hashlib.sha256(json.dumps(em.studies.versions()).encode())
    for path in sorted((ROOT / "emfem").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def summary() -> HTML:
    """Number of checks that passed, with the date and the versions."""
    result = report()
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    date = datetime.fromisoformat(result["date"]).strftime("%d %B %Y, %H:%M UTC")
    count = f"{result['passed']} of {len(result['checks'])} checks passed"
    form = "the long form" if result["full"] else "the short form"
    how = f"on {date}, in {result['wall']:.0f} s, ranks: {result['ranks']} ({form})."
    failed = f" Failed: {html.escape(', '.join(result['failed']))}." if result["failed"] else ""
    return HTML(
        f"<p><strong>{count}</strong> {how}{failed}</p>\n<p>With {html.escape(' '.join(versions.split()))}.</p>"
    )


def table(physics: str) -> HTML:
    """The checks of one physics, two rows each: the numbers; then what it shows, and where the target is from."""
    SHOWN.append(physics)
    rows = "".join(_rows(one) for one in report()["checks"] if one["physics"] == physics)
    heads = "".join(f"<th>{name}</th>" for name in ("check", "target", "result", "error", "tolerance", "order"))
    return HTML(
        '<div class="table-wrapper docutils container"><table class="docutils align-default">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def complete() -> None:
    """Raise unless every physics there is has a table, and every check passed."""
    missing, failed = sorted(set(verify.PHYSICS) ^ set(SHOWN)), report()["failed"]
    if missing or failed:
        msg = f"physics without a table: {missing}; checks that failed: {failed}"
        raise RuntimeError(msg)


def _rows(one: dict[str, Any]) -> str:
    """One check: values one under the other."""
    broken = [None] * len(one["target"])
    values, off = (one["result"], one["error"]) if len(one["result"]) == len(broken) else (broken, broken)
    numbers = zip(one["target"], values, off, one["units"], strict=True)
    parts = [(_number(t, u), _number(r, u), _part(one, e)) for t, r, e, u in numbers]
    columns = ["<br>".join(column) for column in zip(*parts, strict=True)]
    order = "" if one["order"] is None else f"{one['order']:.2f}"
    bounds = f"<br>({one['order_bounds'][0]:g} to {one['order_bounds'][1]:g})" if order else ""
    cells = [f"<strong>{html.escape(one['name'])}</strong>", *columns, _part(one, one["tolerance"]), order + bounds]
    first = "".join(f'<td style="border-bottom:none">{cell}</td>' for cell in cells)
    source = f"{html.escape(one['shows'])} <em>Target: {html.escape(one['source'])}.</em>"
    return f'<tr>{first}</tr><tr><td colspan="6" style="border-top:none;padding-top:0">{source}</td></tr>'


def _number(value: float | None, unit: str) -> str:
    text = "–" if value is None else f"{value:.7g}"
    return text.replace("-", "−") if unit == "-" else f"{text.replace('-', '−')}&nbsp;{html.escape(unit)}"


def _part(one: dict[str, Any], value: float | None) -> str:
    """An error: relative ones as percentages."""
    if value is None:
        return "–"
    text = f"{100 * value:.2g}&nbsp;%" if one["relative"] else f"{value:.2g}"
    return text.replace("-", "−")
