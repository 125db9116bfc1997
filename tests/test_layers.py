"""Imports go one way: between the modules of emfem, by layers, and between the files of each package, without circles.

PETSc stays inside `emfem/solve/`.
"""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "emfem"

# A new module gets its line here; a module that becomes a package keeps its name and its layer.
LAYERS = {
    "public": -3,  # below the others: all of them may use it
    "errors": -2,
    "libraries": -2,
    "versions": -2,
    "gate": -1,
    "arrays": 0,
    "dimensions": 0,
    "files": 0,
    "lock": 0,
    "signals": 0,
    "units": 0,
    "analytic": 1,
    "materials": 1,
    "mesh": 1,
    "quantities": 1,
    "waveforms": 1,
    "fields": 2,
    "spaces": 2,
    "model": 3,
    "mechanics": 3.5,
    "conduction": 4,
    "film": 4,
    "heat": 4,
    "height": 4,
    "migration": 4,
    "observe": 4,
    "steps": 4,
    "stress": 3.25,  # mechanics uses its forces on atoms
    "surface": 4,  # may use mechanics
    "checkpoints": 5,
    "patterns": 5,
    "plot": 5,
    "solve": 5,
    "watch": 5,
    "vtk": 5,
    "write": 6,
    "progress": 5.5,
    "integration": 6,
    "evolution": 6.5,
    "storage": 6,
    "adjoint": 7,
    "confinement": 7,
    "failure": 7,
    "lifetime": 7,
    "moving": 7,
    "resolution": 7,
    "technology": 7.5,  # has the liners of failure
    "voids": 7.5,  # failure names the time, voids the shape
    "signoff": 8,
    "studies": 8,
    "fit": 9,
    "results": 9,
    "verify": 9,
    "uncertainty": 10,
    "view": 10,
    "": 10.5,  # `import emfem`: each name of it is loaded on its first use
    "cli": 11,
    "__main__": 12,
}
PETSC = ("petsc4py", "dolfinx.fem.petsc", "dolfinx.nls.petsc")
PETSC_ALLOWED = {"solve", "versions"}  # versions asks PETSc for its own


def sources() -> dict[str, list[Path]]:
    """Files of each module; a subpackage counts as one module under its top name."""
    files: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            files.setdefault(parts[0], []).append(path)
    return files


def dotted(path: Path) -> str:
    """Dotted name of a file of emfem; that of a package's `__init__.py` is the package's own."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a source imports; `package` is what its relative imports start from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*base, *((node.module,) if node.module else ())))
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def violations(source: str, module: str, package: tuple[str, ...] = ("emfem",)) -> list[str]:
    """One sentence for each import of the source that `module` must not have."""
    wrong = []
    for line, name in imported(ast.parse(source), package):
        if module not in PETSC_ALLOWED and any(f"{name}.".startswith(f"{petsc}.") for petsc in PETSC):
            wrong.append(f"{module}, line {line}: imports {name}, which only solve may")
        top, _, rest = name.partition(".")
        if top != "emfem":
            continue
        target = rest.partition(".")[0]
        if target == module:
            continue  # inside a subpackage
        if target not in LAYERS:
            wrong.append(f"{module}, line {line}: imports {name}, which is no module with a layer")
        elif LAYERS[target] >= LAYERS[module]:
            wrong.append(f"{module} (layer {LAYERS[module]}), line {line}: imports {target} (layer {LAYERS[target]})")
    return wrong


def import_circles(files: dict[str, str]) -> list[str]:
    """Import circles among files, as "a imports b imports a"; `files` has each file's source by its dotted name.

    Every import counts, also one inside a function or for type checkers only: either is how a circle is hidden. A file
    that imports its own package from which it takes a name of a file depends on that file, not on the package.
    """
    graph: dict[str, set[str]] = {}
    packages = {name.rpartition(".")[0] for name in files}
    for name, source in files.items():
        package = tuple((name if name in packages else name.rpartition(".")[0]).split("."))
        graph[name] = {file for _, target in imported(ast.parse(source), package) if (file := file_of(target, files))}
        graph[name].discard(name)
    circles = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]  # each file is imported by the one after it
            circles.append(" imports ".join(circle))
            graph[circle[0]].discard(circle[1])  # cut, so that the next circle is found
        else:
            return circles


def file_of(name: str, files: Iterable[str]) -> str | None:
    """Find the file that an import of `name` reads: the file itself, or the one whose name of that kind it is."""
    return next((file for file in (name, name.rpartition(".")[0]) if file in files), None)


def test_every_module_has_a_layer():
    unknown = set(sources()) - set(LAYERS)
    assert sources(), "no module found: the test looks in the wrong place"
    assert not unknown, f"not in LAYERS: {sorted(unknown)}"


@pytest.mark.parametrize("module", sources())
def test_imports_go_down(module: str):
    wrong = []
    for path in sources()[module]:
        package = ("emfem", *path.relative_to(PACKAGE).parts[:-1])
        wrong += violations(path.read_text(encoding="utf-8"), module, package)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", [module for module, paths in sources().items() if len(paths) > 1])
def test_no_import_circle_inside_a_package(module: str):
    circles = import_circles({dotted(path): path.read_text(encoding="utf-8") for path in sources()[module]})
    assert not circles, "\n".join(circles)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from emfem.heat.b import g", "from emfem.heat.a import f"),
        ("from emfem.heat import b", "import emfem.heat.a"),
        ("from .b import g", "from . import a"),
        ("def f():\n    from emfem.heat.b import g", "from emfem.heat.a import f"),  # late
        ("if TYPE_CHECKING:\n    from emfem.heat.b import G", "from emfem.heat.a import f"),
        ("from emfem.heat import c", "from emfem.heat.a import f"),  # by way of a third
    ],
)
def test_an_import_circle_is_reported(first: str, second: str):
    files = {"emfem.heat.a": first, "emfem.heat.b": second, "emfem.heat.c": "from emfem.heat.b import g"}
    (circle,) = import_circles(files)
    assert {"emfem.heat.a", "emfem.heat.b"} <= set(circle.split(" imports "))


def test_two_import_circles_are_both_reported():
    files = {"p.a": "import p.b", "p.b": "import p.a", "p.c": "import p.d", "p.d": "import p.c\nimport p.a"}
    assert len(import_circles(files)) == 2


def test_a_file_that_imports_its_package_makes_a_circle():
    files = {"p": "from p.a import f", "p.a": "from p import f"}
    assert import_circles(files) in (["p imports p.a imports p"], ["p.a imports p imports p.a"])


def test_imports_without_a_circle_are_not_reported():
    files = {
        "p": "from p import a, b\nfrom p.a import f",
        "p.a": "from p import b",
        "p.b": "import numpy\nimport other.a",
    }
    assert import_circles(files) == []


@pytest.mark.parametrize(
    "source",
    [
        "import emfem.evolution",
        "import numpy, emfem.evolution as later",
        "from emfem import units, evolution",
        "from emfem.evolution import Run",
        "from . import evolution",
        "from .evolution import Run",
        "from emfem import conduction",  # its own layer
        "def late():\n    from emfem.evolution import Run",
        "if True:\n    import emfem.evolution",
        "import emfem",  # the root imports everything, so this goes up too
        "from emfem import *",
        "from petsc4py import PETSc",
        "import petsc4py.PETSc",
        "import dolfinx.fem.petsc",
        "from dolfinx.fem import petsc",
        "from dolfinx.fem.petsc import assemble_matrix",
        "from dolfinx.nls.petsc import NewtonSolver",
    ],
)
def test_a_wrong_import_is_reported(source: str):
    assert len(violations(source, "film")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import emfem.units",
        "from emfem import errors, model",
        "from .model import Model",
        "from dolfinx.fem import Function",
        "import emfem_plugin",
        "import petsc4pyx",
    ],
)
def test_a_right_import_is_not_reported(source: str):
    assert violations(source, "film") == []


def test_a_subpackage_may_import_itself():
    package = ("emfem", "mesh")
    inside = "from .shapes import disk\nfrom . import shapes\nfrom emfem.mesh import shapes"
    assert violations(inside, "mesh", package) == []
    assert violations("from ..units import um", "mesh", package) == []
    assert len(violations("from ..model import Model", "mesh", package)) == 1
    assert len(violations("from .. import model", "mesh", package)) == 1


def test_only_solve_may_import_petsc():
    source = "from petsc4py import PETSc\nimport dolfinx.fem.petsc"
    assert violations(source, "solve") == []
    assert len(violations(source, "evolve")) == 2
