"""Fields in a notebook that are turned by the mouse."""

import subprocess
import sys
from typing import Any

import emfem as em
from emfem.plot import turning

import numpy as np
import pytest
from dolfinx import fem


def field_on(domain: em.mesh.Domain, shape: tuple[int, ...] = ()) -> fem.Function:
    """x on a domain, or a vector of x and others."""
    function = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1, shape)), name="u")
    function.interpolate(lambda x: x[: shape[0]] if shape else x[0])
    return function


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend is there, and what it would show is returned as pixels."""
    monkeypatch.setattr(turning, "find_spec", lambda name: name)
    monkeypatch.setattr(turning, "_shown", lambda plotter: np.asarray(plotter.screenshot(return_img=True)))


@pytest.mark.parametrize("dim", [2, pytest.param(3, marks=pytest.mark.soak)])
def test_a_field_of_a_plane_or_a_body_is_drawn(dim: int, shown: None):
    """Colours of both ends of the scale; edges and a vector's component change the picture."""
    make: dict[int, Any] = {2: em.mesh.rectangle, 3: em.mesh.box}
    domain = make[dim]((2e-6, 1e-6, 1e-6)[:dim], cells=(4, 2, 2)[:dim])
    first = em.plot.interactive(field_on(domain)) / 255.0
    for end in ((0.27, 0.0, 0.33), (0.99, 0.91, 0.14)) if dim == 2 else ():
        assert np.abs(first[:, : first.shape[1] // 5 * 4] - end).max(axis=2).min() < 0.06
    assert (first < 0.97).any(axis=2).mean() > 0.1
    edges = em.plot.interactive(field_on(domain), edges=True) / 255.0
    assert (np.abs(edges - first) > 0.1).any(axis=2).mean() > 0.001
    vector = field_on(domain, (dim,))
    whole, part = (em.plot.interactive(vector, component=name) for name in (None, "y"))
    assert (np.abs(1.0 * whole - part) > 25).any(axis=2).mean() > 0.02


def test_what_cannot_be_turned(shown: None, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(em.ParameterError, match=r"on a line, must be in a plane or in space"):
        em.plot.interactive(field_on(em.mesh.interval(1.0, cells=4)))
    plane = field_on(em.mesh.rectangle((1.0, 1.0), cells=(1, 1)), (2,))
    with pytest.raises(em.UnknownName, match="'z'"):
        em.plot.interactive(plane, component="z")
    monkeypatch.setattr(turning, "find_spec", lambda name: None)
    with pytest.raises(em.EmfemError, match=r'pip install "emfem\[notebook\]"'):
        em.plot.interactive(plane)


NOTEBOOK = """
import signal
import emfem as em
from dolfinx import fem
domain = em.mesh.rectangle((1.0, 1.0), cells=(1, 1))
before = signal.getsignal(signal.SIGINT)
widget = em.plot.interactive(fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)), name="u"))
print("<iframe" in widget.value, signal.getsignal(signal.SIGINT) == before)
"""


def test_the_widget_of_a_notebook():
    """Show a frame that a server fills, if the extra is installed; in a process of its own: its asyncio is replaced."""
    pytest.importorskip("trame_pyvista", reason="the extra notebook is not installed")
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], check=False, capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["True", "True"], done.stderr
