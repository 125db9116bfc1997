"""The site is built without a warning, says everything there is, and every piece of code on it runs."""

import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import emfem as em
import emfem.cli

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("myst_nb", reason="the site is built with the extra docs")
import nbclient
import nbformat
from sphinx.util.inventory import InventoryFile

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SITE = DOCS / "_build" / "html"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)

# Code that is shown and not run, by how it begins, and why.
NOT_RUN = {
    "sudo apt": "changes the machine",
    "make": "makes an environment of its own, or is run by another test",
    "python mine.py": "a file of the reader's",
    "OMP_NUM_THREADS=1 mpiexec -n 4 python mine.py": "a file of the reader's",
    "mpiexec -n 8": "more processes than a machine of tests has",
    "export ": "a setting of the reader's shell",
    "conda ": "makes an environment of its own",
    "module load": "modules of a cluster",
    "python -m venv": "makes an environment of its own",
    "python -m tests.fuzz": "tests/fuzz/test_fuzz.py makes such calls",
    "python -m tests.mutants": "takes hours; tests/mutants/test_mutants.py tries what it does",
    "python tests/checkpoints": "tests/checkpoints/test_resume.py starts it",
    "~/emfem-env/bin/pip": "makes an environment of its own",
    "emfem verify": "tests/verify/test_verify.py runs the checks",
    "emfem view": "tests/view/test_view.py opens it in a browser",
    "emfem --physics": "tests/test_new_physics.py runs them",
}


@dataclass(frozen=True)
class Block:
    """A fenced piece of code: where it stands, in which language, and what it says."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced pieces of a page, also those in containers; directives, {name}, are not among them."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^(?P<fence>`{3,})(?P<language>[^`\n]*)\n(?P<text>.*?)^(?P=fence)$", text, re.M | re.S):
        language = found["language"].strip()
        if not language.startswith("{"):
            number = text[: found.start()].count("\n") + 1
            yield Block(page.relative_to(DOCS).as_posix(), number, language, found["text"])


BLOCKS = [block for page in PAGES for block in blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = [block for block in BLOCKS if block.language == "sh"]


# ---- the site ---------------------------------------------------------------------------------------------------


def built() -> subprocess.CompletedProcess[str]:
    """`make docs`, by the Python of the tests: its command is read from the Makefile. A warning makes it fail (-W).

    Its pages are executed by `make docs` and `make soak`; here their text alone is built, unless EMFEM_SOAK is set, and
    without the functions in the contents of pages, which take a quarter of the time.
    """
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    flags = re.search(r"^sphinx := (.+)$", makefile, re.M)
    target = re.search(r"^\t\$\(bin\)/python \$\(sphinx\) (docs/_build/html)$", makefile, re.M)
    assert flags
    assert "-W" in flags[1].split()
    assert target
    short = ("nb_execution_mode=off", "suppress_warnings=myst-nb.lexer", "toc_object_entries=0")
    options = [] if "EMFEM_SOAK" in os.environ else [part for each in short for part in ("-D", each)]
    command = [sys.executable, *flags[1].split(), *options, target[1]]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built without a warning."""
    done = built()
    assert done.returncode == 0, done.stderr[-4000:]
    return SITE


def words(page: Path) -> str:
    """Text of a page of the site."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_every_page_is_in_the_site(site: Path):
    assert len(PAGES) > 20
    assert [page.name for page in PAGES if not (site / page.relative_to(DOCS).with_suffix(".html")).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_site_needs_no_network_and_its_formulas_are_pictures(site: Path):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+"', text) == [], page
        assert r"\(" not in text, page
    film = (site / "physics" / "film.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<span class="formula"><svg [^>]*aria-label=', film)) > 10


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_every_picture_of_the_site_is_there(site: Path):
    for page in site.rglob("*.html"):
        for source in re.findall(r'<img[^>]*? src="([^"]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / source).is_file(), f"{page.name}: {source}"


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_page_of_commands_has_every_option(site: Path):
    told = words(site / "cli.html")

    def check(path: str, command: Any) -> None:
        for name, one in getattr(command, "commands", {}).items():
            check(f"{path} {name}", one)
        if not hasattr(command, "commands"):
            part = told.split(f" {path} ", 1)[1]
            for parameter in command.params:
                if parameter.param_type_name == "option":
                    assert all(name in part for name in parameter.opts), f"{path} {parameter.opts}"
                assert not parameter.help or parameter.help.split("`")[0] in part.replace("&lt;", "<")

    check("emfem", typer.main.get_command(emfem.cli.app))


def modules() -> Iterator[tuple[str, ModuleType]]:
    """The modules that users name: em and em.NAME."""
    yield "emfem", em
    for module in pkgutil.iter_modules(em.__path__):
        if module.name not in ("cli", "view"):
            yield f"emfem.{module.name}", importlib.import_module(f"emfem.{module.name}")


def public(name: str, module: ModuleType) -> list[str]:
    """Public names of a module: __all__, or those defined in it without an underscore."""
    defined = [key for key, one in vars(module).items() if getattr(one, "__module__", None) == name]
    # an alias for a type is shown where it is used
    offered = [key for key in defined if key[0] != "_" and not key.startswith(("Array", "Mask"))]
    return list(getattr(module, "__all__", offered))


def resolved(name: str) -> Any:
    """The object of a dotted name; None if there is none, such as of an attribute of objects."""
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            continue
        try:
            for part in parts[i:]:
                found = getattr(found, part)
        except AttributeError:
            continue
        return found
    return None


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_reference_has_every_public_name(site: Path):
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    names = {name for kind, found in inventory.data.items() if kind.startswith("py:") for name in found}
    shown = {id(found) for found in map(resolved, names) if found is not None}
    missing = [
        f"{where}.{name}"
        for where, module in modules()
        for name in public(where, module)
        if f"{where}.{name}" not in names and id(getattr(module, name)) not in shown
    ]
    assert missing == []
    assert len(names) > 500


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_every_key_of_a_case_is_explained(site: Path):
    told = words(site / "cases.html")
    tables = importlib.import_module("emfem.studies.tables")
    for table in (*(each.table for each in tables.PHYSICS), *tables.SHAPES.values(), tables.MaterialTable):
        assert all(key in told for key in table.model_fields)
    rows = re.findall(r"<tr.*?</tr>", (site / "cases.html").read_text(encoding="utf-8"), re.S)
    keys = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.S) for row in rows]
    assert len(keys) > 250
    assert [re.sub("<[^>]+>", "", key[0]) for key in keys if not re.sub("<[^>]+>", "", key[-1]).strip()] == []


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_picture_of_the_gallery_leads_to_its_script(site: Path):
    gallery = (site / "gallery.html").read_text(encoding="utf-8")
    for path in (ROOT / "demos").glob("*.py"):
        assert f'href="gallery/{path.stem}.html"' in gallery
        page = (site / "gallery" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f'href="{path.stem}.py" download' in page
        assert (site / "gallery" / f"{path.stem}.py").read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_titles_of_pages_differ(site: Path):
    texts = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    titles = [found[1] for text in texts.values() if (found := re.search("<title>(.*?)</title>", text, re.S))]
    assert len(titles) > 50
    assert [title for title in set(titles) if titles.count(title) > 1] == []


# ---- the site in a browser, opened as files, without a network --------------------------------------------------


@pytest.fixture(scope="module")
def reader(site: Path) -> Iterator[Any]:
    """A page of a headless Chromium that has no network; what goes wrong in it is in `reader.wrong`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no browser is installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport={"width": 1300, "height": 900})
        page.context.set_offline(True)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("requestfailed", lambda request: page.wrong.append(f"{request.failure} {request.url}"))
        yield page
        opened.close()


def unaborted(reader: Any) -> list[str]:
    """Failures of the page, but for requests that a reader left by going to another page."""
    return [text for text in reader.wrong if not text.startswith("net::ERR_ABORTED")]


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_reader_searches_and_sees_excerpts(site: Path, reader: Any):
    """Each page that is found has a piece of its text with the word in it."""
    reader.goto(f"{(site / 'search.html').as_uri()}?q=immortal")
    reader.wait_for_function("document.querySelectorAll('ul.search li p.context').length > 5")  # one by one
    found = [item.inner_text() for item in reader.locator("ul.search li:has(p.context)").all()]
    assert len(found) > 5
    assert sum("immortal" in text.lower() for text in found) > 0.7 * len(found)
    reader.locator("ul.search li a", has_text="Glossary").first.click()
    reader.wait_for_url("**/glossary.html*")
    assert unaborted(reader) == []


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_reader_clicks_through_the_gallery(site: Path, reader: Any):
    """From a picture to the script, to its download and to a notebook that writes, runs and shows it."""
    reader.goto((site / "gallery.html").as_uri())
    reader.locator('figure a[href="gallery/star.html"]').first.click()
    reader.wait_for_url("**/gallery/star.html")
    assert reader.evaluate("document.querySelector('article img').naturalWidth") > 400
    assert "import emfem as em" in reader.locator("article pre").inner_text()
    script = (ROOT / "demos" / "star.py").read_text(encoding="utf-8")
    files = {
        name: reader.get_by_role("link", name=name).evaluate("link => link.href") for name in ("script", "notebook")
    }
    texts = {name: Path(unquote(urlsplit(href).path)).read_text(encoding="utf-8") for name, href in files.items()}
    assert texts["script"] == script
    cells = json.loads(texts["notebook"])["cells"]
    assert ["".join(cell["source"]) for cell in cells][1:3] == [
        f"%%writefile star.py\n{script.rstrip()}",
        "%run star.py",
    ]
    assert unaborted(reader) == []


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_reader_sees_formulas_and_copies_code(site: Path, reader: Any):
    """A formula has a size, and the copied text is that of the block: it is pasted into the search."""
    reader.goto((site / "physics" / "film.html").as_uri())
    box = reader.locator("div.formula svg").first.bounding_box()
    assert box["width"] > 100
    assert box["height"] > 15
    reader.goto((site / "howto.html").as_uri())
    block = reader.locator("div.highlight").first
    block.hover()
    block.locator("button.copybtn").click()
    assert "success" in block.locator("button.copybtn").get_attribute("class")
    field = reader.locator("input.sidebar-search")
    field.focus()
    reader.keyboard.press("Control+V")
    assert field.input_value().startswith("import emfem as em")
    assert reader.locator("img.sidebar-logo").evaluate("image => image.naturalWidth") > 0
    assert unaborted(reader) == []


# ---- notebooks --------------------------------------------------------------------------------------------------


NOTEBOOKS = [page for page in PAGES if page.parent.name == "tutorials" and page.stem != "index"] + [DOCS / "start.md"]


@pytest.fixture(scope="module")
def notebooks() -> Iterator[ModuleType]:
    """The extension that makes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield importlib.import_module("extensions.notebooks")


def test_every_tutorial_is_a_notebook_that_brings_its_scripts(notebooks: ModuleType):
    assert sorted(notebooks.pages()) == sorted(NOTEBOOKS)
    for page in NOTEBOOKS:
        cells = notebooks.notebook(page).cells
        words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        assert not re.search(r"\{(doc|ref|literalinclude|figure)\}|\]\(\.\.", words), page
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        scripts = [one.split("\n", 1) for one in code if one.startswith("%%writefile ")]
        for line, text in scripts:
            name = line.removeprefix("%%writefile ")
            assert text == (ROOT / "demos" / name).read_text(encoding="utf-8").rstrip()
        for one in code[len(scripts) :]:
            compile(one, str(page), "exec")
    heat = notebooks.notebook(DOCS / "tutorials" / "heat.md")
    assert heat.cells[1].source.startswith("%%writefile joule_line.py\n")
    assert "```python\ndef wire(" in heat.cells[0].source


@pytest.mark.soak  # each starts a kernel and compiles forms; the pages are executed by `make docs` too
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.stem)
def test_a_notebook_runs_anywhere(page: Path, notebooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In an empty folder, by nbclient, with nothing but emfem; figures appear without a magic word."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = notebooks.notebook(page)
    nbclient.NotebookClient(made, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [kind for cell in made.cells for one in cell.get("outputs", []) for kind in one.get("data", {})]
    assert "image/png" in kinds


QUICK = [page for page in NOTEBOOKS if page.stem in ("electrodes", "stripes")]


@pytest.mark.parametrize("some", ["quick", "others"])
def test_tutorials_run_in_one_kernel(some: str, notebooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By nbclient, as they are, each in a folder of its own: half of what they cost alone is to start a kernel."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    joined = nbformat.v4.new_notebook()
    pages = QUICK if some == "quick" else [page for page in NOTEBOOKS if page not in QUICK]
    for page in pages:
        cells = [cell for cell in notebooks.notebook(page).cells if cell.cell_type == "code"]
        folder = tmp_path / page.stem
        folder.mkdir()
        forget = r"%reset_selective -f ^(?!_|get_ipython|exit|quit|open|In$|Out$)"
        joined.cells += [nbformat.v4.new_code_cell(f"{forget}\n%cd -q {folder}"), *cells]
    nbclient.NotebookClient(joined, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [one for cell in joined.cells for one in cell.get("outputs", []) if "image/png" in one.get("data", {})]
    assert len(drawn) >= len(pages)


def test_formulas_can_be_drawn(monkeypatch: pytest.MonkeyPatch):
    """Those on lines of their own; the drawing of a page refuses them too, after minutes."""
    monkeypatch.syspath_prepend(str(DOCS))
    drawn = importlib.import_module("extensions.formulas").picture
    found = [
        each for page in PAGES for each in re.findall(r"^\$\$\n(.+?)\n\$\$$", page.read_text("utf-8"), re.M | re.S)
    ]
    assert len(found) > 50
    assert all(drawn(formula, inline=False).startswith("<svg") for formula in found)


def test_the_number_of_checks_is_that_of_emfem_verify():
    (count,) = re.findall(r"in (\d+) checks", (DOCS / "trust.md").read_text(encoding="utf-8"))
    assert int(count) == len(em.verify.checks())


def test_the_gallery_has_every_demo():
    demos = {path.stem for path in (ROOT / "demos").glob("*.py")}
    assert {path.stem for path in (DOCS / "pictures" / "gallery").glob("*.png")} == demos


def test_pictures_are_small():
    assert sum(path.stat().st_size for path in (DOCS / "pictures").rglob("*")) < 6e6


# ---- the code on it ---------------------------------------------------------------------------------------------


def test_every_language_is_known():
    """A block in another language would be shown untested; `text` is for output and messages."""
    assert {block.language for block in BLOCKS} <= {"python", "sh", "bash", "toml", "text"}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml"], ids=str)
def test_cases_can_be_run(block: Block) -> None:
    """Mesh and models are made, as by `emfem check`."""
    assert em.studies.Case.from_dict(tomllib.loads(block.text), folder=ROOT).build()


def alike(text: str) -> str:
    """A sentence without its numbers, of which solvers' differ in the last digits."""
    return re.sub(r"[-+]?\d[\d.]*(e[-+]?\d+)?", "#", " ".join(text.split()))


def said_below(block: Block) -> str | None:
    """The message that stands right below a piece of code."""
    after = BLOCKS[BLOCKS.index(block) + 1 :][:1]
    end = block.line + block.text.count("\n") + 1
    return after[0].text if after and after[0].language == "text" and after[0].line == end + 2 else None


@pytest.mark.parametrize("page", sorted({block.page for block in PYTHON}))
def test_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pieces of a page in their order, for a shorter time; or they end with the message below them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    names: dict[str, Any] = vars(em.units) | {"em": em, "__name__": "page"}  # whose warnings are not of emfem
    for block in (block for block in PYTHON if block.page == page):
        message = said_below(block)
        text = block.text if message else re.sub(r"until=[\d.]+", "until=0.5", block.text)
        code = compile("\n" * block.line + text, block.page, "exec")
        if message is None:
            exec(code, names)
            continue
        with pytest.raises(em.EmfemError) as refused:
            exec(code, names)
        assert alike(str(refused.value)) == alike(message), str(block)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_run(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of emfem, in a folder of its own; what else there is must be listed with a reason."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    for line in block.text.splitlines():
        command = line.split("#")[0].strip()
        if not command or any(command.startswith(start) for start in NOT_RUN):
            continue
        assert command.startswith("emfem "), f"{block}: {command!r} is not run, and not listed"
        words, _, file = command.removeprefix("emfem ").partition(" > ")
        done = CliRunner().invoke(emfem.cli.app, words.split(), catch_exceptions=False)
        assert done.exit_code == 0, f"{block}: {command}: {done.output}"
        if file:
            Path(file).write_text(done.stdout, encoding="utf-8")


def test_jobs_are_reported_as_jobs():
    """A script in bash is one for Slurm, which is not here to run it."""
    assert all("#SBATCH" in block.text for block in BLOCKS if block.language == "bash")


def test_what_is_not_run_is_there():
    """No entry of the list outlives its code."""
    lines = [line.strip() for block in SHELL for line in block.text.splitlines()]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []
