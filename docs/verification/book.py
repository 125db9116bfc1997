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
    """The report: that of EMFEM_VERIFY_REPORT, the one kept for this state of the code, or a new one."""
    given = os.environ.get("EMFEM_VERIFY_REPORT")
    kept = Path(given) if given else HERE.parent / "_build" / "verify" / f"{state()}.json"
    if not kept.is_file() and not given:
        em.write.text(kept, verify.run(verify.checks()).json())
    return json.loads(kept.read_text(encoding="utf-8"))


def state() -> str:
    """A name for emfem's code and data, and what it stands on."""
    told = hashlib.sha256(json.dumps(em.studies.versions()).encode())
    for path in sorted((ROOT / "emfem").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            told.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return told.hexdigest()[:16]


def summary() -> HTML:
    """Number of checks that passed, with the date and the versions."""
    told = report()
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    date = datetime.fromisoformat(told["date"]).strftime("%d %B %Y, %H:%M UTC")
    count = f"{told['passed']} of {len(told['checks'])} checks passed"
    form = "the long form" if told["full"] else "the short form"
    how = f"on {date}, in {told['wall']:.0f} s, ranks: {told['ranks']} ({form})."
    failed = f" Failed: {html.escape(', '.join(told['failed']))}." if told["failed"] else ""
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
    found, off = (one["result"], one["error"]) if len(one["result"]) == len(broken) else (broken, broken)
    numbers = zip(one["target"], found, off, one["units"], strict=True)
    parts = [(_number(t, u), _number(r, u), _part(one, e)) for t, r, e, u in numbers]
    columns = ["<br>".join(column) for column in zip(*parts, strict=True)]
    order = "" if one["order"] is None else f"{one['order']:.2f}"
    bounds = f"<br>({one['order_bounds'][0]:g} to {one['order_bounds'][1]:g})" if order else ""
    cells = [f"<strong>{html.escape(one['name'])}</strong>", *columns, _part(one, one["tolerance"]), order + bounds]
    first = "".join(f'<td style="border-bottom:none">{cell}</td>' for cell in cells)
    source = f"{html.escape(one['shows'])} <em>Target: {html.escape(one['source'])}.</em>"
    return f'<tr>{first}</tr><tr><td colspan="6" style="border-top:none;padding-top:0">{source}</td></tr>'


def _number(value: float | None, unit: str) -> str:
    told = "–" if value is None else f"{value:.7g}"
    return told.replace("-", "−") if unit == "-" else f"{told.replace('-', '−')}&nbsp;{html.escape(unit)}"


def _part(one: dict[str, Any], value: float | None) -> str:
    """An error: relative ones as percentages."""
    if value is None:
        return "–"
    told = f"{100 * value:.2g}&nbsp;%" if one["relative"] else f"{value:.2g}"
    return told.replace("-", "−")
