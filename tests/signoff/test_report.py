"""Folders and reports of sign-offs, from verdicts made by hand."""

import json
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import Terminated
from emfem.lock import FolderLock
from emfem.quantities import duration
from emfem.signoff import Corner, folder, pictures, signing
from emfem.signoff.report import number, report, text
from emfem.signoff.state import SavedState
from emfem.signoff.summary import summarize
from emfem.units import year
from tests.signoff.verdict_case import HOSTILE, MadeRun, ladder, technology, verdict, wire

import numpy as np
import pandas as pd
import pytest

TEN = 10 * year
ALLOWED = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "span", "div", "table", "thead"} | {
    *("tbody", "tr", "th", "td", "br", "code", "figure", "figcaption", "img", "ul", "li")
}


class Page(HTMLParser):
    """Elements and texts of a page; every element that is opened has to be closed."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.images: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(content)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag == "img":
            self.images.append(str(dict(attrs)["src"]))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def __contains__(self, words: str) -> bool:
        return words in " ".join(" ".join(self.texts).split())


PNG = b"\x89PNG"


def blank_pictures(network: Any, corners: Any, folders: dict[str, Path], **limits: Any) -> dict[str, list[Path]]:
    """Files in the place of pictures, which take a third of a second a corner."""
    for path in folders.values():
        (path / "drop.png").write_bytes(PNG)
    return {"drop": [path / "drop.png" for path in folders.values()]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., MadeRun]:
    """Put verdicts made by hand in the place of the computation, and empty files in that of pictures."""

    def make(nucleation: Any = None, *, drawn: bool = False, **values: Any) -> MadeRun:
        stand_in = MadeRun(nucleation, **values)
        monkeypatch.setattr(signing, "run", stand_in)
        if not drawn:
            monkeypatch.setattr(folder, "draw", blank_pictures)
        return stand_in

    return make


def sign_off(path: Path, network: Any = None, **options: Any) -> em.signoff.SignOff:
    arguments: dict[str, Any] = {"technology": technology(), "folder": path, "until": TEN} | options
    return em.signoff.sign_off(ladder() if network is None else network, **arguments)


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_a_grid_that_lasts(made: Callable[..., MadeRun], tmp_path: Path):
    made(drawn=True)
    outcome = sign_off(tmp_path, title="grid.sp")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert outcome.lasts
    assert "grid.sp: 10 years LASTS" in page
    assert "Violations" not in page
    assert page.elements <= ALLOWED
    assert len(page.images) == 5
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in page.images)
    content = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert content["lasts"] is True
    corner = content["corners"][0]
    assert (corner["first void [s]"], corner["failure [s]"], corner["mortal"], corner["low"]) == (None, None, [], [])
    assert str(outcome).startswith("nominal: lasts. 2 trees, 2 immortal at first, 0 with a void; IR drop ")


def test_a_page_needs_no_other_file(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, np.inf])
    sign_off(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"https?:|\bsrc=\"(?!data:)|href|@import|url\(", page)
    assert "default-src 'none'" in page


def test_violations_come_first_and_by_time(made: Callable[..., MadeRun], tmp_path: Path):
    made([4 * year, 2 * year])
    outcome = sign_off(tmp_path, drop_limit=5e-3)
    assert not outcome.lasts
    corner = outcome.corners[0]
    assert [row["tree"] for row in corner["mortal"]] == [1, 0]
    assert corner["first void [s]"] == pytest.approx(2 * year)
    drops = [row["drop [V]"] for row in corner["low"]]
    assert drops == sorted(drops, reverse=True)
    assert min(drops) > 5e-3
    assert corner["nodes over the limit"] == len(drops) == (np.abs(verdict(ladder()).currents.drop) > 5e-3).sum()
    assert corner["reasons"][0] == "it fails after 2 years: a void opened, in tree 1 of layer 2 at node b3 (wire 5)"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.index("<h2>Violations") < page.index("<h2>Maps") < page.index("<h2>Densest")


@pytest.mark.parametrize("residual", [0.0, 1e8])
@pytest.mark.parametrize("voids", [[year, np.inf], None])
def test_the_page_says_at_its_top_what_is_optimistic_and_what_helps(
    made: Callable[..., MadeRun], tmp_path: Path, residual: float, voids: list[float] | None
):
    made(voids)
    sign_off(tmp_path, technology=replace(technology(), residual_stress=residual))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    head, _, _ = page.partition("<h2>")
    assert ("times are too long" in head) == (residual == 0)
    assert ("of it residual stress 0 (none given)" in Page(page)) == (residual == 0)
    assert ("em.signoff.repair" in head) == (voids is not None)


def test_voids_that_the_criterion_allows_are_no_violations(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, np.inf], failure=np.inf, why="survived")
    outcome = sign_off(tmp_path, fails=em.failure.Drop(0.9))
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert outcome.lasts
    assert "Voids that the criterion allows" in page
    assert "Violations" not in page
    assert outcome.corners[0]["drop limit [V]"] == 0.9


def test_densest_wires_are_those_at_the_pad(made: Callable[..., MadeRun], tmp_path: Path):
    made()
    densest = sign_off(tmp_path).corners[0]["densest"]
    network = ladder()
    largest = np.abs(verdict(network).currents.current_density)
    assert densest[0]["current density [A/m2]"] == largest.max()
    assert (densest[0]["from"], densest[0]["to"]) == ("b0", "b1")
    assert len(densest) == len(network.segments)


def test_nothing_in_a_name_is_markup(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, year])
    network = ladder(names=tuple(f"{HOSTILE}{i}" for i in range(8)))
    netlist = tmp_path / "<b>grid&.sp"
    netlist.write_text("", encoding="utf-8")
    sign_off(tmp_path / "out", network, title=f"</title>{HOSTILE}", inputs={"<i>netlist": netlist}, drop_limit=0.01)
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert page.elements <= ALLOWED
    assert "<script>alert('x')</script>&\"\N{WHITE SQUARE}7" in page
    assert "<b>grid&.sp" in page
    table = pd.read_csv(tmp_path / "out" / "corners" / "nominal" / "nodes.csv")
    assert table["node"][3] == f"{HOSTILE}3"


@pytest.mark.parametrize("character", ["\N{RIGHT-TO-LEFT OVERRIDE}", "\x00", "\x1b", "\n", "\u2028"])
def test_characters_that_change_what_is_read_are_boxes(character: str):
    assert text(f"a{character}b") == "a\N{WHITE SQUARE}b"


def test_numbers_that_are_none_have_a_dash():
    assert number(None) == "\N{EN DASH}"
    assert number(2.5e-6, 1e-6, "µm") == "2.5 µm"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "never"), (np.inf, "never"), (2.5 * year, "2.5 years"), (86400.0 * 20, "20 days"), (7200.0, "2 hours")],
)
def test_times_are_in_words(seconds: float | None, words: str):
    assert duration(seconds) == words


def test_numbers_that_are_not_finite_are_null(made: Callable[..., MadeRun], tmp_path: Path):
    """A node that nothing feeds has no drop; JSON has no NaN, and a picture no colour for it."""
    broken = verdict(ladder())
    drop = broken.currents.drop.copy()
    drop[2] = np.nan
    currents = em.conduction.Currents(**{**vars(broken.currents), "drop": drop, "power": np.nan})
    made(drawn=True, currents=currents, resistance_rise=np.full(5, np.nan), drop=np.full(5, np.inf))
    corner = sign_off(tmp_path, drop_limit=1e-3).corners[0]
    assert corner["power [W]"] is None
    assert corner["drop [V]"] == np.nanmax(np.abs(drop))
    assert corner["drop at the end [V]"] is None
    assert corner["nodes over the limit"] == (np.abs(drop) > 1e-3).sum()
    assert "NaN" not in (tmp_path / "verdict.json").read_text(encoding="utf-8")
    nodes = pd.read_parquet(tmp_path / "corners" / "nominal" / "nodes.parquet")
    assert nodes["drop [V]"].isna().tolist() == np.isnan(drop).tolist()
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_one_wire_is_a_grid(made: Callable[..., MadeRun], tmp_path: Path):
    made([year], drawn=True)
    one = technology(layers={"1": technology().layers["1"]})
    corner = sign_off(tmp_path, wire(), technology=one).corners[0]
    assert (corner["trees"], corner["wires"], corner["first void at"]) == (1, 1, "1")
    assert len(Page((tmp_path / "report.html").read_text(encoding="utf-8")).images) == 5


def test_tables_are_the_same_in_both_forms(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, np.inf])
    sign_off(tmp_path)
    for name, rows in (("trees", 2), ("wires", 6), ("nodes", 8)):
        base = tmp_path / "corners" / "nominal" / name
        read = pd.read_csv(base.with_suffix(".csv"), dtype={"layer": str})
        stored = pd.read_parquet(base.with_suffix(".parquet")).replace("", np.nan)
        pd.testing.assert_frame_equal(read, stored, check_dtype=False)
        assert len(read) == rows
    history = pd.read_csv(tmp_path / "corners" / "nominal" / "history.csv")
    assert list(history) == ["t [s]", "largest drop [V]", "largest rise of resistance"]


# ---- corners


def test_corners_scale_loads_and_heat_the_metal(made: Callable[..., MadeRun], tmp_path: Path):
    stand_in = made([year, np.inf], drawn=True)
    map_ = np.linspace(370.0, 390.0, 8)
    corners = [Corner("nominal"), Corner("hot", current=1.25, temperature=400.0)]
    outcome = sign_off(tmp_path, corners=corners, temperature=map_)
    nominal, hot = stand_in.calls
    assert hot["loads"] == pytest.approx(1.25 * nominal["loads"])
    assert hot["technology"].temperature == 400.0
    assert hot["technology"].material.diffusivity > nominal["technology"].material.diffusivity
    shifted = map_ + 400.0 - technology().temperature
    assert hot["temperature"].end == pytest.approx(shifted[ladder().segments[:, 1]])
    first, second = outcome.corners
    assert second["drop [V]"] == pytest.approx(1.25 * first["drop [V]"])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "0 of 2 corners last" in page
    assert len(page.images) == 10


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "../up"}, "name of a corner = '../up', must be up to 40 letters"),
        ({"name": ""}, "name of a corner = '', must be"),
        ({"name": "a."}, "name of a corner = 'a.', must be"),
        ({"name": "NUL"}, "name of a corner = 'NUL', must be"),
        ({"name": "a", "current": 0.0}, "current of corner a = 0, must be greater than 0"),
        ({"name": "a", "current": np.nan}, "current of corner a = nan, must be finite"),
        ({"name": "a", "temperature": -5.0}, "temperature of corner a = -5 K, must be greater than 0 K"),
    ],
)
def test_wrong_corners_are_refused(values: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=f"^{re.escape(message)}"):
        Corner(**values)


def test_corners_have_names_of_their_own(made: Callable[..., MadeRun], tmp_path: Path):
    made()
    with pytest.raises(em.ParameterError, match="the name 'HOT' comes twice"):
        sign_off(tmp_path, corners=[Corner("hot"), Corner("HOT")])
    with pytest.raises(em.ParameterError, match="must be at least one"):
        sign_off(tmp_path, corners=[])


# ---- folders, and runs that go on


def test_the_same_run_makes_the_same_report(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, np.inf])
    for name in ("a", "b"):
        sign_off(tmp_path / name)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_an_interrupted_run_goes_on_to_the_same_report(
    made: Callable[..., MadeRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The signal comes in the second corner: the first is not computed again, the second goes on from its state."""
    corners = [Corner("nominal"), Corner("hot", temperature=400.0)]
    stand_in = made([year, np.inf])
    sign_off(tmp_path / "whole", corners=corners)
    inner = folder.Folder.state

    def interrupted(self: Any, corner: Corner, stop: Any) -> Any:
        state = inner(self, corner, stop)
        if corner.name == "hot":
            signal.raise_signal(signal.SIGTERM)
        return state

    with monkeypatch.context() as patch:
        patch.setattr(folder.Folder, "state", interrupted)
        with pytest.raises(Terminated) as end:
            sign_off(tmp_path / "parts", corners=corners)
    assert end.value.code == 128 + signal.SIGTERM
    assert not (tmp_path / "parts" / "report.html").exists()
    with pytest.raises(em.ParameterError, match="one that did not end: resume goes on with it"):
        sign_off(tmp_path / "parts", corners=corners)
    calls = len(stand_in.calls)
    sign_off(tmp_path / "parts", corners=corners, resume=True)
    assert len(stand_in.calls) == calls + 1
    assert stand_in.states[-1]["stress"].tolist() == [0.0, 1.0, 2.0]
    assert files(tmp_path / "whole") == files(tmp_path / "parts")


def test_a_signal_between_corners_ends_the_run_there(
    made: Callable[..., MadeRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It came when the computation had no more use for it; the corner is done all the same."""
    stand_in = made([year, np.inf])
    inner = folder.Folder.write

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return inner(*arguments)

    corners = [Corner("a"), Corner("b")]
    with monkeypatch.context() as patch:
        patch.setattr(folder.Folder, "write", interrupted)
        with pytest.raises(Terminated):
            sign_off(tmp_path, corners=corners)
    assert (tmp_path / "corners" / "a" / "verdict.json").exists()
    assert not (tmp_path / "corners" / "b" / "verdict.json").exists()
    sign_off(tmp_path, corners=corners, resume=True)
    assert len(stand_in.calls) == 2


def test_a_signal_during_the_report_does_not_lose_it(
    made: Callable[..., MadeRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made()

    def interrupted(*arguments: Any, **more: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return blank_pictures(*arguments, **more)

    monkeypatch.setattr(folder, "draw", interrupted)
    assert sign_off(tmp_path).lasts
    assert (tmp_path / "verdict.json").exists()


def test_a_finished_folder_is_replaced_only_by_force(made: Callable[..., MadeRun], tmp_path: Path):
    stand_in = made()
    sign_off(tmp_path, corners=[Corner("old")])
    before = files(tmp_path)
    with pytest.raises(em.ParameterError, match="a finished sign-off: force replaces it"):
        sign_off(tmp_path)
    assert files(tmp_path) == before
    sign_off(tmp_path, corners=[Corner("old")], resume=True)
    assert len(stand_in.calls) == 1
    assert files(tmp_path) == before
    sign_off(tmp_path, corners=[Corner("new")], force=True)
    assert [path.name for path in (tmp_path / "corners").iterdir()] == ["new"]


@pytest.mark.parametrize("change", ["load", "until", "fails", "technology", "option"])
def test_what_was_computed_otherwise_is_not_taken(made: Callable[..., MadeRun], tmp_path: Path, change: str):
    made()
    sign_off(tmp_path)
    arguments: dict[str, Any] = {"network": ladder(), "technology": technology(), "until": TEN}
    others: dict[str, dict[str, Any]] = {
        "load": {"network": ladder(load=1.1e-3)},
        "until": {"until": 9 * year},
        "fails": {"fails": em.failure.Drop(0.9)},
        "technology": {"technology": technology(critical_stress=4e8)},
        "option": {"rtol": 1e-3},
    }
    with pytest.raises(em.ParameterError, match="is of another run, must be of the same files"):
        em.signoff.sign_off(folder=tmp_path, resume=True, **arguments | others[change])


def test_two_runs_in_one_folder_are_refused(made: Callable[..., MadeRun], tmp_path: Path):
    made()
    script = tmp_path / "run.lock"
    with FolderLock(tmp_path):
        assert script.exists()
        owner = json.loads(script.read_text(encoding="utf-8"))
        script.write_text(json.dumps(owner | {"process": "another"}), encoding="utf-8")
        with pytest.raises(em.ParameterError, match="must not be in use"):
            sign_off(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 0.0}, "until = 0 s, must be at least 0.001 s"),
        ({"drop_limit": -1.0}, "drop_limit = -1 V, must be greater than 0 V"),
        ({"inputs": {"netlist": "nowhere.sp"}}, "path = 'nowhere.sp', must be a file that can be read"),
        (
            {"temperature": 85.0},
            "temperature of segment 0 ('a0' to 'a1') = 85 K, must be between 150 and 3700 K: degrees Celsius written",
        ),
    ],
)
def test_wrong_values_are_refused_before_a_folder_is_made(
    made: Callable[..., MadeRun], tmp_path: Path, options: dict[str, Any], message: str
):
    made()
    with pytest.raises(em.ParameterError, match=f"^{re.escape(message)}"):
        em.signoff.sign_off(ladder(), technology(), tmp_path / "out", **{"until": TEN} | options)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused(made: Callable[..., MadeRun], tmp_path: Path):
    made()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(em.ParameterError, match="must be a file that can be written"):
        sign_off(tmp_path / "file" / "out")


def test_progress_never_falls(made: Callable[..., MadeRun], tmp_path: Path):
    made()
    parts: list[tuple[float, str]] = []
    sign_off(tmp_path, corners=[Corner("a"), Corner("b")], progress=lambda *each: parts.append(each))
    assert [part for part, _ in parts] == [0.25, 0.5, 0.75, 1.0]
    assert parts[0][1] == "a: trees"


# ---- parts


def test_immortal_trees_with_voids_are_counted_once(made: Callable[..., MadeRun], tmp_path: Path):
    """A tree that is immortal at the currents of the start may get a void when others have turned these away."""
    made([year, 2 * year], immortal=np.array([False, True]), failure=0.0, why="a node dropped")
    corner = sign_off(tmp_path).corners[0]
    names = ("trees", "immortal trees", "immortal trees with voids", "surviving trees", "trees with voids")
    assert [corner[name] for name in names] == [2, 1, 1, 0, 2]
    assert corner["reasons"] == ["it fails at the start: a node dropped"]
    assert "1, but 1 get a void as currents change" in Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_the_summary_counts_only_voids_of_the_years():
    """One void opens after the time that counts, though the run found it."""
    made = verdict(ladder(), [12 * year, 3 * year], failure=12 * year)
    summary = summarize(made, Corner("nominal"), until=TEN)
    assert summary["trees with voids"] == 1
    assert summary["lasts"]
    assert sum(summary["times"]["trees"]) == 1


def test_pictures_of_corners_have_one_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    network, limits = ladder(), []
    monkeypatch.setattr(pictures, "_map", lambda *arguments, **more: limits.append(arguments[2]))
    cold, hot = verdict(network), verdict(network, loads=2 * network.loads)
    arrays = {"cold": pictures.Arrays.of(cold), "hot": pictures.Arrays.of(hot)}
    folders = dict.fromkeys(arrays, tmp_path)
    pictures.draw(network, arrays, folders, until=TEN, critical=5e8)
    assert limits[0] == limits[1] == (0.0, pytest.approx(1e3 * np.abs(hot.currents.drop).max()))


@pytest.mark.parametrize(("first", "words"), [(5, "first void of each tree"), (1, "the first 1 of 2 trees")])
def test_the_map_of_stress_ends_at_the_critical_one_and_that_of_voids_tells_how_many_are_marked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: int, words: str
):
    network, drawn = ladder(), []
    monkeypatch.setattr(pictures, "FIRST", first)
    monkeypatch.setattr(pictures, "_map", lambda *arguments, **more: drawn.append((arguments, more)))
    along = np.full((len(network.segments), 3), -2e9)
    each = replace(pictures.Arrays.of(verdict(network, [year, 2 * year])), along=along)
    pictures.draw(network, {"hot": each}, {"hot": tmp_path}, until=TEN, critical=5e8)
    assert len(drawn) == 4  # no map of a temperature that is the same everywhere
    (_, _, limits, _), _ = drawn[2]
    assert limits == pytest.approx((-500.0, 500.0))
    assert [len(at) for at in drawn[3][1]["marks"].values()] == [min(first, 2)]
    assert list(drawn[3][1]["marks"]) == [words]


def test_maps_of_temperature_have_one_scale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    network, drawn = ladder(), []
    monkeypatch.setattr(pictures, "_map", lambda *arguments, **more: drawn.append(arguments))
    kelvin = np.linspace(373.15, 383.15, len(network.nodes))
    one = replace(pictures.Arrays.of(verdict(network)), temperature=kelvin)
    corners = {"one": one, "hot": replace(one, temperature=kelvin + 20.0)}
    pictures.draw(network, corners, dict.fromkeys(corners, tmp_path), until=TEN, critical=5e8)
    (_, first, *ends), (_, second, *other) = drawn[-2:]
    assert ends == other == [pytest.approx((100.0, 130.0)), "temperature [°C]"]
    assert first.mean(axis=1) == pytest.approx(kelvin[network.segments].mean(axis=1) - 273.15)
    assert np.ptp(first, axis=1) == pytest.approx(15 / 16 * np.ptp(kelvin[network.segments], axis=1))
    assert second == pytest.approx(first + 20.0)


def test_the_map_of_voids_marks_those_that_opened_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The second void of a tree within the years, once; not one after them, nor the first ones again."""
    network, drawn = ladder(), list[dict[str, Any]]()
    monkeypatch.setattr(pictures, "_map", lambda *arguments, **more: drawn.append(more))
    one = verdict(network, [year, 2 * year])
    first = [int(node) for node in one.nucleation_node]
    voids = [*one.voids, *(em.failure.Void(node, t * year, 0.0, 0.0) for node, t in ((1, 3), (1, 4), (2, 11)))]
    each = pictures.Arrays.of(replace(one, voids=tuple(voids)))
    pictures.draw(network, {"hot": each}, {"hot": tmp_path}, until=TEN, critical=5e8)
    marks = drawn[3]["marks"]
    assert {name: list(at) for name, at in marks.items()} == {
        "first void of each tree": first,
        "later void of a tree": [1],
    }


def test_a_failure_of_the_whole_grid_names_the_first_void():
    one = verdict(ladder(), [2 * year, year], tree_failure=np.full(2, np.inf), failure=3 * year, why="a node dropped")
    network = replace(one.network, wire_names=tuple(f"R{i}" for i in range(6)))
    one = replace(one, network=network, nucleation_node=np.array([1, 7]), nucleation=np.array([year, 2 * year]))
    reasons = summarize(one, Corner("nominal"), until=TEN)["reasons"]
    assert reasons == [
        "it fails after 3 years: a node dropped; the first void opened after 1 years, "
        "in tree 0 of layer 1 at node a1 (wires R0, R1)"
    ]


@pytest.mark.parametrize(("t", "tolerance"), [(0.02, 2e-3), (0.3, 5e-4)])  # cells far from nodes are coarse
def test_stress_along_a_wire_is_that_of_korhonen(t: float, tolerance: float):
    """In time and amid pieces of the wire, far from its ends too, where the mean of its ends would be 0."""
    network, metal = replace(wire(4e-4), layers=("1",)), technology(residual_stress=0.0, passivation=None)
    metal = replace(metal, layers={"1": replace(metal.layers["1"], resistivity=metal.material.resistivity)})
    copper, length, density = metal.material, float(network.lengths[0]), 4e-4 / float(network.cross_sections[0])
    kappa = copper.diffusivity * copper.bulk_modulus * copper.atomic_volume / (em.units.boltzmann * metal.temperature)
    until = t * length**2 / kappa
    reached = em.analytic.blech_product(copper, critical_stress=1.0)  # A/m of 1 Pa at the ends
    metal = replace(metal, critical_stress=0.99 * density * length / reached)  # mortal, but no void yet
    found = em.signoff.run(network, metal, until=until)
    assert not found.voids
    x = (np.arange(16) + 0.5) / 16 * length
    line: dict[str, Any] = {"length": length, "current_density": density, "material": copper}
    exact = np.ravel([em.analytic.korhonen_line(each, until, **line) for each in x])
    assert found.along[0] == pytest.approx(exact, rel=0, abs=tolerance * np.max(np.abs(exact)))


def test_a_page_is_made_of_what_is_on_disk_alone(made: Callable[..., MadeRun], tmp_path: Path):
    made([year, np.inf])
    sign_off(tmp_path)
    content = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    files_ = {kind: [("nominal", tmp_path / "corners" / "nominal" / f"{kind}.png")] for kind in pictures.KINDS}
    files_ = {kind: each for kind, each in files_.items() if each[0][1].exists()}
    assert report(content, files_) == written


# ---- with the computation itself


def test_a_computation_in_pieces_makes_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Stopped at every tenth event, with two voids; a drop of the history may differ by rounding."""
    monkeypatch.setattr(folder, "draw", blank_pictures)

    def go(name: str, **more: Any) -> em.signoff.SignOff:
        fails = em.failure.Drop(0.5)
        return sign_off(tmp_path / name, ladder(5, load=0.04), fails=fails, corners=[Corner("a")], **more)

    def stopped(state: Any) -> bool:
        asked.append(1)
        if len(asked) % 10 == 0:
            state._stop = lambda: signal.SIGTERM
        return len(asked) % 10 == 0

    whole, asked, stops = go("whole"), list[int](), 0
    monkeypatch.setattr(SavedState, "due", stopped)
    parts = None
    while parts is None:
        try:
            parts = go("parts", resume=True)
        except Terminated:
            stops += 1
    assert stops > 3
    corner = whole.corners[0]
    assert corner["voids"] == 2
    assert not whole.lasts
    assert corner["first void [s]"] < corner["failure [s]"] < TEN
    assert parts.corners == whole.corners
    for name in (
        "report.html",
        "verdict.json",
        "corners/a/trees.csv",
        "corners/a/wires.csv",
        "corners/a/nodes.parquet",
    ):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    histories = [pd.read_csv(tmp_path / name / "corners" / "a" / "history.csv") for name in ("whole", "parts")]
    pd.testing.assert_frame_equal(*histories, rtol=1e-12)
    assert not (tmp_path / "parts" / "corners" / "a" / "state.npz").exists()


def test_corners_are_those_of_the_computation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """More current is more drop in proportion; hotter metal has more resistance, by its own law, and earlier voids."""
    monkeypatch.setattr(folder, "draw", blank_pictures)
    hot = technology().temperature + 20.0
    corners = [Corner("nominal"), Corner("current", current=1.1), Corner("hot", temperature=hot)]
    found = sign_off(tmp_path, ladder(5, load=0.04), corners=corners, voids=False).corners
    nominal, more, hotter = (corner["drop [V]"] for corner in found)
    ratio = technology().at(hot).material.resistivity / technology().material.resistivity
    assert more == pytest.approx(1.1 * nominal, rel=1e-12)
    assert 1 + 0.9 * (ratio - 1) < hotter / nominal < ratio  # vias are not heated
    assert found[0]["first void [s]"] > found[1]["first void [s]"]
    assert found[0]["first void [s]"] > found[2]["first void [s]"]
