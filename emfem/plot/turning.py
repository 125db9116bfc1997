"""Fields in a notebook that are turned and zoomed by the mouse."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from emfem import fields
from emfem.errors import EmfemError, ParameterError
from emfem.gate import checked
from emfem.plot import cells, labels, rendering
from emfem.plot.camera import Camera
from emfem.plot.fields import field_options
from emfem.signals import restored_handlers

import numpy as np
import pyvista
from matplotlib.colors import Colormap

__all__ = ["interactive"]

BACKEND = "trame_pyvista"
BAR: dict[str, Any] = {"color": "black", "vertical": True, "position_x": 0.86, "height": 0.7, "position_y": 0.15}


@checked(collective=True)
def interactive(
    function: Any,
    *,
    component: str | None = None,
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    edges: bool = False,
) -> Any:
    """Show a field of a plane, a shell or a body in a notebook, to be turned and zoomed with the mouse. Collective.

    PyVista's backend for notebooks draws it, of the extra `notebook`: `pip install "emfem[notebook]"`.

    Args:
        function: as in `em.plot.field`.
        component: as in `em.plot.field`; the magnitude of a vector when left out.
        label: as in `em.plot.field`.
        scale: as in `em.plot.field`.
        limits: as in `em.plot.field`.
        colours: as in `em.plot.field`.
        edges: True to draw the cells.

    Returns:
        The widget on rank 0, None on other ranks.

    Raises:
        ParameterError: for a field on a line, or of a component that does not exist.
        EmfemError: without that backend.
    """
    if find_spec(BACKEND) is None:
        msg = (
            'em.plot.interactive needs trame-pyvista: pip install "emfem[notebook]", in the folder of emfem '
            'pip install -e ".[notebook]"; em.plot.field draws without it'
        )
        raise EmfemError(msg)
    function = fields.component(function, component or ("magnitude" if len(function.ufl_shape) == 1 else None))
    if function.function_space.mesh.geometry.dim == 1:
        msg = f"field {function.name!r} on a line, must be in a plane or in space: em.plot.field draws a curve"
        raise ParameterError(msg)
    options = field_options([function], "column", None, None, limits, colours, label, scale)
    return cells.gathered([function], lambda parts: _shown(plotter_of(parts[0], options, edges=edges)))


def plotter_of(part: fields.Cells, options: cells.FieldOptions, *, edges: bool = False) -> pyvista.Plotter:
    """Return a plotter with a field, its colour bar and the directions of the axes; a plane is seen from above."""
    by = labels.lengths(part.points, options.meaning.system.length)
    shown, colours = options.quantity(), labels.colours(options.meaning, options.colours)
    data = cells.joined(cells.grid_of(cells.divided(part, by.scale, shown.scale)))
    plotter = rendering.blank()
    rendering.add_field(plotter, data, options.ends(shown.scale, colours), colours, sharp=not edges)
    if edges:
        plotter.add_mesh(data.extract_all_edges(), color="black", line_width=1, opacity=0.4)
    plotter.add_scalar_bar(title=str(shown), **BAR)
    plotter.add_axes(color="black")
    bounds = np.array([data.points.min(axis=0), data.points.max(axis=0)])
    if np.ptp(bounds[:, 2]):
        Camera().look_at(plotter, bounds, 1.3)
    else:
        plotter.view_xy()
        plotter.enable_parallel_projection()
        plotter.camera.zoom(0.8)  # room for the colour bar
    return plotter


def _shown(plotter: pyvista.Plotter) -> Any:
    """Return the widget of a plotter."""
    plotter.notebook = True
    with restored_handlers():  # the server of the widget would keep those by which a cell is interrupted
        return plotter.show(jupyter_backend="trame", return_viewer=True)
