"""Checks as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from emfem.verify.registry import Check
from emfem.verify.running import Report, Result

from rich.markup import escape
from rich.table import Table


def table(report: Report) -> Table:
    """What came of each check; of one with several values, that which is farthest off."""
    made = Table("physics", "check", box=None, pad_edge=False)
    for name in ("target", "result", "error", "tolerance", "order"):
        made.add_column(name, justify="right")
    made.add_column("ok")
    before = ""
    for result in report.results:
        one = result.check
        made.add_row(
            one.physics if one.physics != before else "", escape(one.name), *_numbers(result), _verdict(result)
        )
        before = one.physics
    return made


def listing(chosen: Iterable[Check]) -> Table:
    """What each check shows, and where its target is from."""
    made = Table("physics", "check", "shows", "source", box=None, pad_edge=False)
    before = ""
    for one in chosen:
        made.add_row(one.physics if one.physics != before else "", *map(escape, (one.name, one.shows, one.source)))
        before = one.physics
    return made


def troubles(report: Report) -> list[str]:
    """One line for each check that failed: its name, what it shows, and why."""
    lines = []
    for result in report.failed:
        one, worst = result.check, result.worst
        if result.trouble:
            why = result.trouble
        elif len(result.values) != len(one.target):
            why = f"{len(result.values)} values, must be {len(one.target)}"
        elif result.errors[worst] > one.tolerance:
            why = f"{_told(one, result.values[worst], worst)}, must be {_told(one, one.target[worst], worst)}"
        else:
            low, high = one.order or (0.0, 0.0)
            why = f"order {result.order:.3g}, must be from {low:g} to {high:g}"
        lines.append(f"FAILED {one.physics}: {one.name}: {why}. {one.shows} ({one.source})")
    return lines


def _numbers(result: Result) -> tuple[str, str, str, str, str]:
    """Target, result, error, tolerance and order."""
    one = result.check
    tolerance = _part(one, one.tolerance)
    if len(result.values) != len(one.target):
        return _told(one, one.target[0], 0), "-", "-", tolerance, ""
    worst = result.worst
    order = "" if result.order is None else f"{result.order:.2f}"
    wanted, found = (_told(one, numbers[worst], worst) for numbers in (one.target, result.values))
    return wanted, found, _part(one, result.errors[worst]), tolerance, order


def _told(one: Check, number: float, which: int) -> str:
    """A value of a check with its unit."""
    unit = one.units[which]
    return f"{number:.7g}" if unit == "-" else f"{number:.7g} {unit}"


def _part(one: Check, number: float) -> str:
    """An error: relative ones are percentages."""
    return f"{100 * number:.2g} %" if one.relative else f"{number:.2g}"


def _verdict(result: Result) -> str:
    return "[green]yes[/green]" if result.ok else "[bold red]NO[/bold red]"
