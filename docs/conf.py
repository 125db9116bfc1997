"""Configuration of the site, which `make docs` builds, or `sphinx-build -W --keep-going docs docs/_build/html`."""

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.append(str(HERE))

import emfem  # noqa: E402 after the path

# Cells run in processes of their own: one thread each, and `import joule_line` finds the demo of that name.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("PETSC_OPTIONS", "-no_signal_handler")  # or a cell process that is ended cries out
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "demos"), os.environ.get("PYTHONPATH", "")])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def state() -> str:
    """A name for what executed pages depend on besides their own text: the code of emfem and of its demos."""
    digest = hashlib.sha256()
    for folder in ("emfem", "demos", "docs/developers", "docs/verification"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml", ".csv", ".json"):
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


# Figures appear below the cells, at 220 dots an inch; a page shows them at half their dots.
profile = HERE / "_build" / "ipython" / "profile_default"
profile.mkdir(parents=True, exist_ok=True)
(profile / "ipython_kernel_config.py").write_text(
    'c.IPKernelApp.matplotlib = "inline"\n'
    'c.InlineBackend.print_figure_kwargs = {"dpi": 220, "bbox_inches": None}\n'
    "c.Application.log_level = 40\n",
    encoding="utf-8",
)
os.environ["IPYTHONDIR"] = str(profile.parent)

project = "emfem"
author = "The emfem authors"
version = release = emfem.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "extensions.demos",
    "extensions.docstrings",
    "extensions.excerpts",
    "extensions.formulas",
    "extensions.generated",
    "extensions.notebooks",
    "extensions.sizes",
]
exclude_patterns = ["_build", "extensions", "jupyter_execute"]
smartquotes = False
nitpicky = True
# Names of emfem must be found. Types of other packages have their documentation elsewhere, and the build asks no
# network for it; what emfem only names in signatures has no page of its own.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!emfem\.).*"),
    (r"py:.*", r"emfem\..*\.(Array|Boundary|Integers|Mask)"),
    (
        r"py:.*",
        r"emfem\.(film\.tensors\.HasTensor|fit\.(\w+\.(Forward|Simulation)|problem\.(Minimum|Problem))|lifetime\.black\._Design|lifetime\.sample\.Lifetime|studies\.(validation\.Source|case\.Frame|tables\..*))",
    ),
]

# ---- pages, some of them executed ----
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "cells" / state())
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "remove"  # progress, which is for a terminal

# ---- the reference ----
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

# ---- how it looks ----
html_theme = "furo"
html_math_renderer = "pictures"  # extensions.formulas
copybutton_exclude = ".linenos, .gp, .go"
html_title = f"emfem {release}"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["emfem.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

# ---- links, by `make links` ----
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_anchors = False
linkcheck_ignore = [r"tutorials/\w+\.html"]  # pages of the site, checked when it is built
