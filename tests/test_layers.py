"""Imports go one way: a module of emfem imports only from lower layers, and PETSc stays behind solve.py."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "emfem"

# A new module gets its line here; a module that becomes a package keeps its name and its layer.
LAYERS = {
    "dimensions": 0,
    "errors": 0,
    "libraries": 0,
    "units": 0,
    "analytic": 1,
    "files": 1,
    "materials": 1,
    "mesh": 1,
    "waveforms": 1,
    "fields": 2,
    "spaces": 2,
    "model": 3,
    "conduction": 4,
    "film": 4,
    "heat": 4,
    "migration": 4,
    "observe": 4,
    "steps": 4,
    "stress": 4,
    "surface": 4,
    "checkpoint": 5,
    "patterns": 5,
    "plot": 5,
    "solve": 5,
    "watch": 5,
    "vtk": 5,
    "write": 6,
    "evolution": 6,
    "storage": 6,
    "studies": 7,
    "failure": 7,
    "lifetime": 7,
    "moving": 7,
    "results": 8,
    "verify": 8,
    "view": 9,
    "cli": 10,
}
PETSC = ("petsc4py", "dolfinx.fem.petsc", "dolfinx.nls.petsc")
PETSC_ALLOWED = {"solve"}


def sources() -> dict[str, list[Path]]:
    """The files of each module; a subpackage counts as one module under its top name."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            found.setdefault(parts[0], []).append(path)
    return found


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
    """What the source of `module` imports and must not, one sentence each."""
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
