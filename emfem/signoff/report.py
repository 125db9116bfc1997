"""One-page report of a sign-off in HTML: one file that needs no other, nor a network."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.plot.labels import prefixed
from emfem.quantities import duration
from emfem.signoff.pictures import KINDS
from emfem.units import MPa, mA, mV, nm, um, year

SHOWN = 10  # rows of a list of violations on the page
ASSUMPTIONS = (
    "Currents obey Kirchhoff's laws in the netlist's resistors; loads are constant in time, and what a void takes "
    "from a wire goes through its liner or another way.",
    "Each tree is a piece of metal that no atom leaves: vias and barriers stop atoms, not currents.",
    "Stress in a tree obeys Korhonen's equation, one value a cross-section; it begins at the residual stress.",
    "A void opens at a node whose tension reaches the critical stress, and holds the stress there at 0. A tree whose "
    "steady tension stays below it is immortal.",
    "Each constant has one value: no spread from wire to wire, no grains, no early failures. Times are those of the "
    "mean wire, not of the weakest of many.",
    "The IR drop of a node is its distance from the voltage of the nearest pad.",
)
STRESS_FREE = (
    "The residual stress is 0: times are too long where the metal is under tension without current, as passivated "
    "lines are. A table [passivation] or a residual_stress in the technology gives it."
)
WIDEN = "Which wires to widen, and by how much, em.signoff.repair finds: with the least extra metal no tree has a void."
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #262626; background: #fff;
  max-width: 1180px; margin: 2em auto; padding: 0 1.5em; }
h1 { font-size: 1.5em; margin: 0 0 .3em; } h2 { font-size: 1.15em; margin: 2em 0 .5em; }
h3 { font-size: 1em; margin: 1.2em 0 .3em; }
table { border-collapse: collapse; margin: .4em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .22em .8em; text-align: left; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
td.n, th.n { text-align: right; } th { font-weight: 600; }
.wrap { overflow-x: auto; }
.maps td, .maps th { font-size: .87em; padding: .15em .5em; }
td { overflow-wrap: anywhere; max-width: 34em; }
.verdict { display: inline-block; padding: .15em .7em; border-radius: .3em; color: #fff; font-weight: 700; }
.lasts { background: #006b4f; } .fails { background: #8b0a3d; }
.bad { color: #8b0a3d; font-weight: 600; } .small { color: #595959; font-size: .87em; }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); gap: 1em; }
figure { margin: 0; } figure img { max-width: 100%; height: auto; } figcaption { color: #595959; }
code { font-size: .92em; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } figure, tr { break-inside: avoid; } }
"""

Summary = Mapping[str, Any]
Cell = tuple[str, bool]  # its text, and whether it is a number


def report(content: Summary, pictures: Mapping[str, Sequence[tuple[str, Path]]]) -> str:
    """Return the page.

    Args:
        content: of `verdict.json`.
        pictures: of each kind, the corner's name and the file of each.
    """
    corners = content["corners"]
    parts = [
        _head(content),
        _corners(corners),
        _columns("Violations", [_violations(corner) for corner in corners if not corner["lasts"]]),
        _columns("Voids that the criterion allows", [_violations(corner) for corner in corners if corner["lasts"]]),
        *_maps(pictures),
        _columns("Densest wires", [_densest(corner) for corner in corners]),
        _assumptions(content),
        _constants(content),
        _inputs(content),
    ]
    title = text(f"Sign-off of {content['title']}")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n{'\n'.join(filter(None, parts))}\n</body>\n</html>\n"
    )


def text(value: object) -> str:
    """Return a value as text of HTML: nothing in it is markup, and control characters are shown as boxes."""
    printable = "".join(c if c.isprintable() or c == " " else "\N{WHITE SQUARE}" for c in str(value))
    return html.escape(printable)


def number(value: float | None, scale: float = 1.0, unit: str = "", digits: int = 4) -> str:
    """Return a number in another unit as text; a dash for none."""
    return "\N{EN DASH}" if value is None else f"{value / scale:.{digits}g} {unit}".strip()


def table(names: Sequence[Cell], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the cells of `rows` are HTML."""
    kinds = [' class="n"' if numeric else "" for _, numeric in names]
    head = "".join(f"<th{kind}>{text(name)}</th>" for (name, _), kind in zip(names, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f'<div class="wrap"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def badge(lasts: bool) -> str:
    """Return the verdict in a word, in colour."""
    return '<span class="verdict lasts">LASTS</span>' if lasts else '<span class="verdict fails">FAILS</span>'


def _head(content: Summary) -> str:
    """Return title and verdict."""
    corners = content["corners"]
    failed = [corner for corner in corners if not corner["lasts"]]
    years = number(content["until [s]"], year)
    words = "" if len(corners) == 1 else f"{len(corners) - len(failed)} of {len(corners)} corners last. "
    return (
        f"<h1>Sign-off of {text(content['title'])}: {years} years {badge(not failed)}</h1>\n"
        f"<p>{words}The grid is a {text(corners[0]['network'])}. It counts as failed when "
        f"{text(content['criterion'])}.</p>"
        f"{''.join(f'<p>{text(sentence)}</p>' for sentence in _advice(corners))}"
    )


def _advice(corners: Sequence[Summary]) -> list[str]:
    """Return what makes the times too long, and what helps a grid with voids."""
    stress_free = all(corner["residual stress [Pa]"] == 0 for corner in corners)
    voids = any(corner["trees with voids"] for corner in corners if not corner["lasts"])
    return [STRESS_FREE] * stress_free + [WIDEN] * voids


def _corners(corners: Sequence[Summary]) -> str:
    """Return the table with a column for each corner."""
    rows: list[tuple[str, Callable[[Summary], str]]] = [
        ("verdict", lambda corner: badge(corner["lasts"])),
        ("why", lambda corner: "<br>".join(text(reason) for reason in corner["reasons"]) or text(corner["why"])),
        ("loads", lambda corner: f"\N{MULTIPLICATION SIGN} {number(corner['current'])}"),
        ("temperature", lambda corner: _span(corner["temperature [K]"])),
        ("time to failure", lambda corner: _time(corner["failure [s]"], corner)),
        ("trees of metal", lambda corner: text(corner["trees"])),
        ("\N{EN DASH} immortal at the first currents", lambda corner: text(_immortal(corner))),
        ("\N{EN DASH} with a void in this time", lambda corner: text(corner["trees with voids"])),
        ("\N{EN DASH} others without a void", lambda corner: text(corner["surviving trees"])),
        ("first void", lambda corner: _first(corner)),
        ("highest steady tension", lambda corner: _tension(corner)),
        ("\N{EN DASH} of it residual stress", lambda corner: _residual(corner["residual stress [Pa]"])),
        (
            "largest IR drop at the start",
            lambda corner: f"{number(corner['drop [V]'], mV, 'mV')} at {_code(corner['drop at'])}",
        ),
        ("largest IR drop at the end", lambda corner: number(corner["drop at the end [V]"], mV, "mV")),
        ("nodes over the limit of the drop", lambda corner: _over(corner)),
        ("densest current", lambda corner: number(corner["densest current [A/m2]"], 1e10, "MA/cm²")),
        ("widths of the wires", lambda corner: " to ".join(number(w, um) for w in corner["widths [m]"]) + " µm"),
        ("heat of the grid", lambda corner: _power(corner["power [W]"])),
    ]
    names: list[Cell] = [("", False), *((corner["name"], False) for corner in corners)]
    return "<h2>Corners</h2>\n" + table(names, [[text(name), *map(make, corners)] for name, make in rows])


def _span(kelvin: Sequence[float | None]) -> str:
    low, high = kelvin
    if low is None or high is None:
        return number(None)
    degrees = number(low - 273.15, 1.0, "°C")
    return degrees if high - low < 0.005 else f"{number(low - 273.15)} to {number(high - 273.15)} °C"


def _time(seconds: float | None, corner: Summary) -> str:
    return f"beyond {number(corner['until [s]'], year)} years" if seconds is None else duration(seconds)


def _immortal(corner: Summary) -> str:
    """Return the number of immortal trees, and of those that changed currents have made mortal."""
    lost = corner["immortal trees with voids"]
    return f"{corner['immortal trees']}{f', but {lost} get a void as currents change' if lost else ''}"


def _first(corner: Summary) -> str:
    if corner["first void [s]"] is None:
        return "none"
    return f"{duration(corner['first void [s]'])} at {_code(corner['first void at'])}"


def _tension(corner: Summary) -> str:
    critical = corner["critical stress [Pa]"]
    return f"{number(corner['highest steady stress [Pa]'], MPa)} of {number(critical, MPa, 'MPa')}"


def _residual(stress: float) -> str:
    return number(stress, MPa, "MPa") if stress else "0 (none given)"


def _power(watts: float | None) -> str:
    """Return a power with a prefix."""
    return number(watts) if watts is None else number(watts, *prefixed(watts, "W"))


def _over(corner: Summary) -> str:
    limit = corner["drop limit [V]"]
    return "no limit" if limit is None else f"{corner['nodes over the limit']} over {number(limit, mV, 'mV')}"


def _code(name: object) -> str:
    return f"<code>{text(name)}</code>"


def _columns(heading: str, blocks: Sequence[str]) -> str:
    """Return blocks of corners side by side under a heading; an empty text for empty ones."""
    blocks = list(filter(None, blocks))
    if not blocks:
        return ""
    return f'<h2>{text(heading)}</h2>\n<div class="maps">\n{"\n".join(blocks)}\n</div>'


def _violations(corner: Summary) -> str:
    """Return the lists of trees with voids and of nodes too far from the pads; an empty text if both are empty."""
    parts = []
    if corner["trees with voids"]:
        rows = [
            [
                duration(row["first void [s]"]),
                number(row["first void over critical stress [%/%]"], digits=2),
                _code(row["node"]),
                _place(row["place [m]"]),
                text(row["layer"]),
                text(row["tree"]),
                number(row["length [m]"], um),
                number(row["steady stress [Pa]"], MPa),
            ]
            for row in corner["mortal"][:SHOWN]
        ]
        names = [
            ("first void after", False),
            ("± % with 1 % of critical stress", True),
            ("at node", False),
            ("x, y [µm]", False),
            ("layer", False),
            ("tree", True),
            ("of [µm]", True),
            ("steady [MPa]", True),
        ]
        parts += [table(names, rows), _more(len(rows), corner["trees with voids"], "trees with voids", "trees.csv")]
    if corner["nodes over the limit"]:
        rows = [
            [_code(row["node"]), _place(row["place [m]"]), number(row["drop [V]"], mV)] for row in corner["low"][:SHOWN]
        ]
        names = [("node over the limit of the drop", False), ("x, y [µm]", False), ("IR drop [mV]", True)]
        parts += [table(names, rows), _more(len(rows), corner["nodes over the limit"], "nodes", "nodes.csv")]
    return f"<div>\n<h3>{text(corner['name'])}</h3>\n{'\n'.join(parts)}\n</div>" if parts else ""


def _place(point: Sequence[float]) -> str:
    return ", ".join(number(x, um) for x in point[:2])


def _more(shown: int, total: int, words: str, file: str) -> str:
    return f'<p class="small">The first {shown} of {total} {words}; {file} has all.</p>' if total > shown else ""


def _maps(pictures: Mapping[str, Sequence[tuple[str, Path]]]) -> list[str]:
    """Return the pictures: those of a kind side by side; of one corner alone all kinds."""
    figures = {
        kind: [
            _figure(path, KINDS[kind], name if len(pictures[kind]) > 1 else KINDS[kind])
            for name, path in pictures[kind]
        ]
        for kind in KINDS
        if kind in pictures
    }
    if all(len(each) == 1 for each in figures.values()):
        return [_columns("Maps", [each[0] for each in figures.values()])]
    return [_columns(KINDS[kind], each) for kind, each in figures.items()]


def _figure(path: Path, kind: str, caption: str) -> str:
    """Return a picture with its caption."""
    data = base64.b64encode(path.read_bytes()).decode()
    words = text(kind if kind == caption else f"{kind}, {caption}")
    below = f"<figcaption>{text(caption)}</figcaption>"
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}">{below}</figure>'


def _densest(corner: Summary) -> str:
    """Return the wires of the densest currents."""
    rows = [
        [
            f"{_code(row['from'])} to {_code(row['to'])}",
            text(row["layer"]),
            number(row["width [m]"], nm),
            number(row["length [m]"], um),
            number(row["current [A]"], mA),
            number(row["current density [A/m2]"], 1e10),
            text(row["tree"]),
        ]
        for row in corner["densest"]
    ]
    names = [
        ("wire", False),
        ("layer", False),
        ("width [nm]", True),
        ("length [µm]", True),
        ("[mA]", True),
        ("[MA/cm²]", True),
        ("tree", True),
    ]
    return f"<div>\n<h3>{text(corner['name'])}</h3>\n{table(names, rows)}\n</div>"


def _assumptions(content: Summary) -> str:
    """Return what the numbers rest on."""
    items = "".join(f"<li>{text(sentence)}</li>\n" for sentence in [*ASSUMPTIONS, *content["assumptions"]])
    return f"<h2>What this rests on</h2>\n<ul>\n{items}</ul>"


def _constants(content: Summary) -> str:
    """Return the constants of the metal and the layers."""
    technology = content["technology"]
    rows = [
        [
            text(row["name"].replace("_", " ")),
            number(row["value"], digits=5),
            text(row["unit"]),
            text(row["confidence"]),
            text("; ".join(filter(None, (row["law"], row["source"])))),
        ]
        for row in technology["constants"]
    ]
    names = [("", False), ("value", True), ("unit", False), ("confidence", False), ("law and source", False)]
    layers = [
        [
            text(row["name"]),
            number(row["thickness [m]"], nm),
            number(row["resistivity [Ohm m]"], 1e-9),
            "from each wire" if row["width [m]"] is None else number(row["width [m]"], nm),
            "none"
            if row["liner thickness [m]"] is None
            else f"{number(row['liner resistivity [Ohm m]'], 1e-9)} nΩ m, {number(row['liner thickness [m]'], nm)} nm",
        ]
        for row in technology["layers"]
    ]
    heads = [("layer", False), ("thickness [nm]", True), ("resistivity [nΩ m]", True), ("width [nm]", True)]
    return (
        f"<h2>Constants of {text(technology['material'])} at {number(technology['temperature [K]'], 1.0, 'K')}</h2>\n"
        f"{table(names, rows)}\n{table([*heads, ('liner', False)], layers)}"
    )


def _inputs(content: Summary) -> str:
    """Return files and versions."""
    files = [
        [text(name), _code(each["file"]), f"<code>{text(each['sha256'])}</code>"]
        for name, each in content["inputs"].items()
    ]
    versions = ", ".join(f"{text(name)} {text(value)}" for name, value in content["versions"].items())
    listed = table([("input", False), ("file", False), ("SHA-256", False)], files) if files else ""
    return f'<h2>Made from</h2>\n{listed}\n<p class="small">{versions}</p>'
