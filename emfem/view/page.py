"""Layout of the page: choices on the left, panes in the middle, series and tables on the right."""

from __future__ import annotations

from typing import Any

from emfem.plot import style
from emfem.view.display_options import MAPS, RANGES
from emfem.view.runs import MOST

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import trame as parts
from trame.widgets import vuetify3 as v

STYLE = f"""
html, body {{ overflow: hidden !important; font-size: 14px; color: {style.INK}; }}
.page {{ display: flex; flex-direction: column; height: 100vh; background: #f4f4f2; }}
.head {{ display: flex; align-items: center; gap: 10px; padding: 0 14px; height: 44px; background: {style.INK};
  color: white; flex: none; }}
.head .name {{ font-weight: 600; letter-spacing: .04em; }}
.head .heading {{ color: #cfcfcf; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
.main {{ display: flex; flex: 1; min-height: 0; gap: 10px; padding: 10px; }}
.card {{ background: white; border: 1px solid #dedede; border-radius: 4px; }}
.left {{ width: 216px; flex: none; padding: 12px; overflow-y: auto; display: flex; flex-direction: column; gap: 10px; }}
.left > * {{ flex: none !important; }}
.left .about {{ margin-top: auto; font-size: 12px; line-height: 1.45; color: #6d6d6d; overflow-wrap: anywhere; }}
.left .about b {{ color: {style.INK}; font-weight: 500; }}
.middle {{ flex: 1; min-width: 0; display: flex; flex-direction: column; gap: 10px; }}
.right {{ width: 392px; flex: none; display: flex; flex-direction: column; gap: 10px; min-height: 0; }}
.panes {{ flex: 1; min-height: 0; display: grid; gap: 10px; grid-auto-rows: minmax(0, 1fr); }}
.pane {{ position: relative; overflow: hidden; min-width: 0; min-height: 0; }}
.pane img {{ width: 100%; height: 100%; display: block; object-fit: contain; user-select: none; cursor: grab; }}
.pane img:active {{ cursor: grabbing; }}
.pane .tools {{ position: absolute; top: 4px; right: 6px; display: flex; gap: 2px; }}
.profile {{ flex: none; height: 230px; }}
.profile img {{ cursor: default; }}
.message {{ padding: 48px 32px; color: {style.WARNING}; overflow-wrap: anywhere; white-space: pre-line; }}
.notes {{ position: absolute; left: 14px; top: 27px; font-size: 12px; color: {style.WARNING}; }}
.time {{ display: flex; align-items: center; gap: 12px; padding: 2px 16px 2px 8px; flex: none; height: 52px; }}
.time .when {{ width: 130px; flex: none; font-variant-numeric: tabular-nums; }}
.series {{ padding: 10px 10px 4px; flex: 1 1 300px; min-height: 240px; display: flex; flex-direction: column; }}
.series > .v-input {{ flex: none; }}
.series img {{ width: 100%; height: 100%; object-fit: contain; display: block; }}
.rows {{ flex: 0 1 auto; min-height: 120px; overflow: auto; padding: 6px 0; }}
.rows table {{ border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }}
.rows td, .rows th {{ padding: 3px 10px; text-align: right; white-space: nowrap; }}
.rows th {{ font-weight: 500; color: #6d6d6d; position: sticky; top: -6px; background: white; }}
.rows th {{ white-space: normal; vertical-align: bottom; }}
.rows td:first-child, .rows th:first-child {{ text-align: left; white-space: normal; }}
.rows tr:nth-child(even) td {{ background: #f7f7f5; }}
.runs tr.row {{ cursor: pointer; }}
.runs tr.row:hover td {{ background: #e8eef3; }}
.runs tr.open td {{ background: #dbe7f3 !important; }}
.caption {{ font-size: 12px; color: #6d6d6d; padding: 6px 10px 2px; }}
.case {{ font: 12px/1.45 monospace; white-space: pre; overflow: auto; max-height: 60vh; }}
.v-label, .v-field {{ font-size: 14px !important; }}
"""
BLUE = style.NAMED[0]
DENSE: dict[str, Any] = {"density": "compact", "hide_details": True, "variant": "outlined"}


def build(server: Any) -> Any:
    """Build the page of a server; names and actions are those of `emfem.view.server.Page`."""
    with VAppLayout(server) as layout:
        client.Style(STYLE)
        with html.Div(classes="page", raw_attrs=[':data-drawn="drawn"', ':data-busy="busy || !!trame__busy"']):
            _head()
            busy = "{ opacity: busy || trame__busy ? 1 : 0, flex: 'none' }"
            v.VProgressLinear(indeterminate=True, color=BLUE, height=3, style=(busy,))
            with html.Div(classes="main"):
                _choices()
                with html.Div(classes="middle"):
                    _panes()
                    _profile()
                    _time()
                _beside()
        _details()
    return layout


def _head() -> None:
    """Add the line on top."""
    buttons = (
        ("reload", "mdi-reload", "Reload", "trigger('reload')"),
        ("details", "mdi-text-box-outline", "Case and report", "details = true"),
    )
    with html.Div(classes="head"):
        html.Span("emfem", classes="name")
        html.Span("{{ heading }}", classes="heading")
        v.VSpacer()
        for name, icon, text, click in buttons:
            with v.VBtn(click=click, size="small", variant="text", id=name):
                v.VIcon(icon, start=True)
                html.Span(text)


CUTS = [{"title": "no cut", "value": ""}, *({"title": f"across {axis}", "value": axis} for axis in "xyz")]
LISTS: tuple[tuple[str, Any, str, str, str], ...] = (  # name and items in the state, label, id, condition
    ("field", ("fields", []), "Quantity", "field", "true"),
    ("component", ("components", []), "Component", "component", "components.length > 1"),
    ("colours", ("maps", list(MAPS)), "Colours", "map", "true"),
    ("range", ("ranges", list(RANGES)), "Range", "range", "true"),
    ("streams", ("flows", []), "Stream lines", "streams", "flows.length > 1"),
)
SWITCHES = (
    ("edges", "Mesh", ""),
    ("isolines", "Isolines", ""),
    ("log", "Logarithmic", ""),
    ("boundaries", "Boundaries", "has_names"),
    ("arrows", "Arrows", "has_vectors"),
    ("difference", "Less the first run", "panes.length > 1"),
)


def _choices() -> None:
    """Add the choices."""
    slim: dict[str, Any] = {"density": "compact", "hide_details": True}
    with html.Div(classes="left card", id="choices"):
        for name, items, label, place, condition in LISTS:
            v.VSelect(v_model=(name,), items=items, label=label, id=place, v_if=condition, **DENSE)
        for name, label in (("low", "Lowest"), ("high", "Highest")):
            title = (f"'{label}' + (unit ? ' [' + unit + ']' : '')",)
            v.VTextField(v_model=(name, ""), label=title, v_if="range === 'typed'", id=name, **DENSE)
        html.Div("{{ range_message }}", v_if="range_message", style=f"color: {style.WARNING}; font-size: 12px")
        v.VDivider()
        for name, label, needed in SWITCHES:
            disabled = (f"!({needed})",) if needed else False
            v.VSwitch(v_model=(name, False), label=label, color=BLUE, id=name, disabled=disabled, **slim)
        with html.Div(v_if="in_space"):
            opacity: dict[str, Any] = {"min": 0.1, "max": 1.0, "step": 0.1, "label": "Opacity", "id": "opacity"}
            v.VSlider(v_model=("opacity", 1.0), **opacity, **slim)
            v.VSelect(v_model=("cut", ""), items=("cuts", CUTS), label="Cut", **DENSE)
            v.VSlider(v_model=("place", 0.5), min=0.02, max=0.98, step=0.02, v_if="cut", **slim)
        v.VDivider()
        html.Div("Drag to move or turn, wheel to zoom, double click to see all.", classes="caption", style="padding: 0")
        hint = "Click for the values there, Shift and click for those along the line to that place."
        html.Div(hint, classes="caption", style="padding: 0")
        with html.Div(classes="about"), html.Div(v_for="run in about", key="run.name", style="margin-top: 8px"):
            html.B("{{ run.name }}")
            html.Div("{{ line }}", v_for="line in run.lines", key="line")


def _panes() -> None:
    """Add the runs side by side."""
    columns = "{ 'grid-template-columns': columns > 1 ? 'minmax(0, 1fr) minmax(0, 1fr)' : 'minmax(0, 1fr)' }"
    wide = "{ 'grid-column': columns > 1 && panes.length === 3 ? 'span 2' : 'auto' }"
    with html.Div(classes="panes", style=(columns,)):
        for i in range(MOST):
            place = {"id": f"pane_{i}", "style": (wide,) if i == 2 else ""}
            with html.Div(classes="pane card", v_if=f"panes.length > {i}", **place):
                _pane(f"panes[{i}]", i)


def _pane(run: str, i: int) -> None:
    """Add a run: its picture or message, the mouse, and the buttons."""
    dragged = "$event.movementX, $event.movementY, $event.buttons === 1 && !$event.shiftKey"
    mouse = [
        "@mousedown=\"trigger('press')\"",
        f"@click=\"$event.detail === 1 && trigger('mark', [{i}, $event.offsetX, $event.offsetY, $event.shiftKey])\"",
        f"@mousemove=\"$event.buttons && trigger('move', [{dragged}, {i}])\"",
        "@wheel.prevent=\"trigger('wheel', [$event.deltaY])\"",
        "@dblclick=\"trigger('whole')\"",
    ]
    save = f"utils.download({run}.file, trigger('picture', [{i}]), 'image/png')"
    with parts.SizeObserver(f"size_{i}"):
        html.Img(src=(f"image_{i}",), v_if=f"image_{i}", draggable="false", raw_attrs=mouse)
        html.Div(f"{{{{ {run}.name }}}}: {{{{ {run}.message }}}}", classes="message", v_if=f"{run}.message")
        html.Div(f"{{{{ {run}.notes }}}}", classes="notes", v_if=f"{run}.notes && !{run}.message")
    with html.Div(classes="tools"):
        small = {"size": "x-small", "variant": "text"}
        title = "Download the picture"
        v.VBtn(icon="mdi-download", title=title, classes="save", v_if=f"image_{i}", click=save, **small)
        film = f"utils.download({run}.movie, trigger('movie', [{i}]), 'video/mp4')"
        shown = f"image_{i} && last_step > 0"
        v.VBtn(icon="mdi-movie", title="Download a movie", classes="movie", v_if=shown, click=film, **small)
        close = f"trigger('close', [{i}])"
        v.VBtn(icon="mdi-close", title="Close this run", v_if="panes.length > 1", click=close, **small)


def _profile() -> None:
    """Add the chart of the field along a line."""
    save = "utils.download(profile_file, trigger('profile'), 'text/csv')"
    with html.Div(classes="profile pane card", v_if="marks.length > 1", id="profile"):
        with parts.SizeObserver("size_profile"):
            html.Img(src=("profile",), v_if="profile")
            html.Div("No run has a value on this line.", classes="message", v_if="!profile")
        with html.Div(classes="tools", v_if="profile"):
            title = "Download the numbers"
            small = {"size": "x-small", "variant": "text"}
            v.VBtn(icon="mdi-download", title=title, id="save_profile", click=save, **small)


def _time() -> None:
    """Add the slider of times."""
    icon = ("playing ? 'mdi-pause' : 'mdi-play'",)
    steps: dict[str, Any] = {"v_model": ("step", 0), "min": 0, "max": ("last_step", 0), "step": 1}
    with html.Div(classes="time card", v_if="last_step > 0"):
        v.VBtn(icon=icon, size="small", variant="text", click="playing = !playing", id="play")
        v.VSlider(hide_details=True, density="compact", color=BLUE, id="slider", **steps)
        html.Div("{{ when }}", classes="when", id="when")


def _beside() -> None:
    """Add series, numbers, and the tables of sweeps."""
    with html.Div(classes="right", v_if="quantities.length || sweeps.length || numbers.length || values.length"):
        with html.Div(classes="series card", v_if="quantities.length"):
            v.VSelect(v_model=("quantity", ""), items=("quantities", []), label="Series", id="series", **DENSE)
            with html.Div(style="flex: 1; min-height: 0; padding-top: 4px"), parts.SizeObserver("size_chart"):
                html.Img(src=("chart",), v_if="chart", id="chart")
        with html.Div(classes="card rows", v_if="values.length", id="values", style="flex: none; min-height: 0"):
            html.Div("{{ field }} at {{ values_title }}", classes="caption")
            _table("values")
        with html.Div(classes="card rows runs", v_for="(sweep, s) in sweeps", key="s", id="sweep"):
            html.Div("{{ sweep.title }}", classes="caption")
            html.Div("{{ sweep.message }}", classes="message", v_if="sweep.message")
            with html.Table(v_if="!sweep.message"):
                with html.Thead(), html.Tr():
                    html.Th("{{ sweep.heads[c] || c }}", v_for="c in sweep.columns", key="c")
                with (
                    html.Tbody(),
                    html.Tr(
                        v_for="row in sweep.rows",
                        key="row.hash",
                        classes=("'row' + (open.includes(row.hash) ? ' open' : '')",),
                        click="row.hash && trigger('toggle', [s, row.hash])",
                    ),
                ):
                    html.Td("{{ row[c] }}", v_for="c in sweep.columns", key="c")
        with html.Div(
            classes="card rows",
            v_if="numbers.length",
            id="numbers",
            style=("quantities.length ? 'flex-grow: 0; max-height: 46%' : 'flex-grow: 1'",),
        ):
            html.Div("{{ numbers_title }}", classes="caption")
            _table("numbers")


def _table(rows: str) -> None:
    """Add a table of rows of the state: a name, and a text for each open run."""
    with html.Table():
        with html.Thead(v_if="panes.length > 1"), html.Tr():
            html.Th("")
            html.Th("{{ pane.name }}", v_for="pane in panes", key="pane.name")
        with html.Tbody(), html.Tr(v_for=f"row in {rows}", key="row[0]"):
            html.Td("{{ value }}", v_for="(value, i) in row", key="i")


def _details() -> None:
    """Add the case and the report of each run."""
    with v.VDialog(v_model=("details", False), max_width=1100), v.VCard():
        v.VCardTitle("Case and report")
        with v.VCardText(), html.Div(v_for="run in reports", key="run.name", style="margin-bottom: 16px"):
            html.Div("{{ run.name }}", style="font-weight: 600; margin-bottom: 6px")
            with html.Div(style="display: flex; gap: 24px"):
                with (
                    html.Div(classes="rows", style="flex: none; max-width: 480px"),
                    html.Table(),
                    html.Tr(v_for="line in run.lines", key="line[0]"),
                ):
                    html.Td("{{ line[0] }}")
                    html.Td("{{ line[1] }}", style="white-space: normal; text-align: left; overflow-wrap: anywhere")
                html.Div("{{ run.case }}", classes="case", style="flex: 1; min-width: 0")
        with v.VCardActions():
            v.VSpacer()
            v.VBtn("Close", click="details = false", id="close_details")
