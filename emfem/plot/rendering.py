"""Meshes in space as pixels: VTK draws them off the screen, for `em.plot` and for the viewer."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from emfem.plot import style
from emfem.plot.camera import Camera
from emfem.plot.simplices import Floats, SimplexMesh, Whole

import numpy as np
import pyvista
from numpy.typing import NDArray

RIM = 0.006  # radius of the tubes round a shell's boundaries over the size of the shell
SHARP = 30  # angle between faces from which on their edge is drawn [degree]


def blank() -> pyvista.Plotter:
    """Return a plotter without a window.

    Raises:
        OSError: if VTK cannot draw.
    """
    _check_screen()
    plotter = pyvista.Plotter(off_screen=True, window_size=(1100, 860))
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    return plotter


def _check_screen() -> None:
    """Check that VTK can draw: without a display and without EGL it would end the program.

    Raises:
        OSError: if it cannot.
    """
    if os.environ.get("DISPLAY"):
        return
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # else VTK warns of X, each time
    for library in ("libEGL.so.1", "libOSMesa.so.8"):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return
    msg = "there is no display and no libEGL: install the system package libegl1"
    raise OSError(msg)


def screenshot(plotter: pyvista.Plotter, bounds: Floats, camera: Camera) -> NDArray[np.uint8]:
    """Return the picture of a body with bounds of shape (2, 3) as pixels without empty margins."""
    camera.look_at(plotter, bounds)
    image = np.asarray(plotter.screenshot(return_img=True))
    rows, columns = (np.flatnonzero((image < 250).any(axis=2).any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def add_field(
    plotter: pyvista.Plotter,
    data: pyvista.DataSet,
    limits: tuple[float, float],
    colours: Any,
    *,
    opacity: float = 1.0,
    sharp: bool = True,
    log: bool = False,
) -> None:
    """Add point data "value" of wires, a shell or a body whose points are joined; a body is shaded and has edges.

    Args:
        plotter: where.
        data: the cells.
        limits: ends of the colour scale.
        colours: the colour map.
        opacity: 1 for an opaque body.
        sharp: True to draw the sharp edges of a body.
        log: True for a logarithmic scale between positive limits.
    """
    if not data.n_cells:
        return
    dim = data.get_cell(0).dimension
    light: dict[str, Any] = {"ambient": 0.55, "diffuse": 0.5, "specular": 0.0} if dim == 3 else {"lighting": False}
    scale = {"scalars": "value", "clim": limits, "cmap": colours, "log_scale": log, "show_scalar_bar": False}
    plotter.add_mesh(data, opacity=opacity, line_width=4 if dim == 1 else None, **light, **scale)
    edges = sharp_edges(data) if sharp and dim == 3 else None
    if edges is not None and edges.n_cells:
        plotter.add_mesh(edges, color=style.GREY, line_width=1.5)


def dataset(mesh: SimplexMesh, values: Floats | None = None, *, joined: bool = False) -> pyvista.DataSet:
    """Return lines, triangles or tetrahedra with point data "value".

    Args:
        mesh: the simplices.
        values: at its points, shape (n,).
        joined: True for one point at each place, so that faces inside a body are not drawn.
    """
    first, place = mesh.joined if joined else (slice(None), np.arange(len(mesh.points)))
    simplices, points = place[mesh.simplices], mesh.points[first]
    if mesh.dim == 3:
        cells = np.insert(simplices, 0, 4, axis=1).ravel()
        data = pyvista.UnstructuredGrid(cells, np.full(len(simplices), pyvista.CellType.TETRA), points)
    else:
        data = lines(points, simplices) if mesh.dim == 1 else pyvista.PolyData.from_regular_faces(points, simplices)
    if values is not None:
        data.point_data["value"] = values[first]
    return data


def lines(points: Floats, edges: Whole) -> pyvista.PolyData:
    """Return straight lines between pairs of points, shape (l, 2)."""
    return pyvista.PolyData(points, lines=np.insert(edges, 0, 2, axis=1).ravel())


def sharp_edges(data: pyvista.DataSet) -> pyvista.PolyData:
    """Return the sharp edges and the rims of a surface or a body whose points are joined."""
    surface = data if isinstance(data, pyvista.PolyData) else data.extract_surface(algorithm="dataset_surface")
    turned = surface.compute_normals(consistent_normals=True, split_vertices=False)
    return turned.extract_feature_edges(SHARP, non_manifold_edges=False, manifold_edges=False)


def rim(mesh: SimplexMesh, tag: int, radius: float = RIM) -> pyvista.PolyData:
    """Return the outline of a named boundary: points of wires, tubes along a shell's edges or round faces of a body."""
    facets, tags = mesh.skin
    part = facets[tags == tag]
    if mesh.dim == 1:
        return pyvista.PolyData(mesh.points[part[:, 0]])
    if mesh.dim == 2:
        edges = lines(mesh.points, part)
    else:
        first, place = mesh.joined
        edges = sharp_edges(pyvista.PolyData.from_regular_faces(mesh.points[first], place[part]))
    return edges.tube(radius=radius * float(np.linalg.norm(np.ptp(mesh.points, axis=0))))
