"""Cells as pixels: VTK draws them, on one stage for all pictures."""

from __future__ import annotations

from functools import cache
from typing import Any

from emfem.plot import style
from emfem.plot.pieces import Floats
from emfem.view.eye import Eye
from emfem.view.look import Look
from emfem.view.scene import Scene

import numpy as np
import pyvista
from numpy.typing import NDArray

AXES = ("x", "y", "z")


@cache
def _stage() -> pyvista.Plotter:
    """One stage for all pictures: another one would cost a quarter of a second each time."""
    plotter = style.stage()
    plotter.enable_anti_aliasing("msaa")
    plotter.show(auto_close=False)  # the first picture resets the camera
    plotter.suppress_rendering = True  # else each thing that is put on it is drawn at once
    return plotter


def _coloured(look: Look) -> dict[str, Any]:
    """How VTK colours a field."""
    return {"scalars": "value", "clim": look.limits, "cmap": look.colours, "show_scalar_bar": False}


def plane(scene: Scene, t: float, look: Look, window: Floats, pixels: tuple[int, int]) -> NDArray[np.uint8]:
    """The cells of a plane domain inside a window, as pixels."""
    plotter = _cleared(pixels)
    wires = scene.shape.dim == 1
    data = scene.dataset(look.field, t)
    plotter.add_mesh(data, lighting=False, line_width=5 if wires else None, **_coloured(look))
    if look.edges and not wires:
        plotter.add_mesh(scene.edges, color=style.INK, opacity=0.35, line_width=1)
    middle, depth = window.mean(axis=0), float(np.ptp(window))
    camera = plotter.camera
    camera.focal_point, camera.position, camera.up = (*middle, 0.0), (*middle, depth), (0.0, 1.0, 0.0)
    camera.parallel_projection = True
    camera.parallel_scale = float(window[1, 1] - window[0, 1]) / 2
    plotter.renderer.ResetCameraClippingRange()
    return _pixels(plotter)


def body(scene: Scene, t: float, look: Look, eye: Eye, pixels: tuple[int, int]) -> NDArray[np.uint8]:
    """A body from where the eye is, as pixels."""
    plotter = _cleared(pixels)
    solid = scene.shape.dim == 3
    data = scene.solid(look.field, t)
    if look.cut:
        normal = np.eye(3)[AXES.index(look.cut)]
        place = scene.bounds[0] + look.place * np.ptp(scene.bounds, axis=0)
        data = data.clip(normal=normal, origin=place)
    clear = 0.35 if solid and look.arrows and scene.fields[look.field].vector else 1.0
    if data.n_cells:
        shine = {"lighting": False} if scene.shape.dim < 3 else {"ambient": 0.55, "diffuse": 0.5, "specular": 0.0}
        wide = 4 if scene.shape.dim == 1 else None
        plotter.add_mesh(data, line_width=wide, opacity=clear, **shine, **_coloured(look))
    if look.edges and scene.shape.dim > 1:
        edges = data.extract_all_edges() if look.cut and data.n_cells else scene.edges
        plotter.add_mesh(edges, color=style.INK, opacity=0.35, line_width=1)
    if look.boundaries:
        for tag, rim in scene.rims.items():
            dots = {"point_size": 12, "render_points_as_spheres": True} if scene.shape.dim == 1 else {}
            plotter.add_mesh(rim, color=style.named_colour(tag - 1), lighting=False, **dots)
    if solid and not look.edges:
        sharp = data.extract_surface(algorithm="dataset_surface") if data.n_cells else data
        plotter.add_mesh(sharp.extract_feature_edges(30), color=style.GREY, line_width=1.5) if sharp.n_cells else None
    if look.arrows and scene.fields[look.field].vector:
        _cones(plotter, scene, t, look)
    plotter.add_axes(color="black", line_width=2, viewport=(0, 0, 0.16, 0.16))
    eye.look_at(plotter, scene.bounds, 1.25 if clear < 1 else 1.08)
    return _pixels(plotter)


def _cleared(pixels: tuple[int, int]) -> pyvista.Plotter:
    """The stage, empty, of a size."""
    plotter = _stage()
    plotter.clear()
    plotter.hide_axes()
    plotter.enable_lightkit()
    if tuple(plotter.window_size) != pixels:
        plotter.window_size = list(pixels)
    return plotter


def _pixels(plotter: pyvista.Plotter) -> NDArray[np.uint8]:
    """What is on the stage."""
    plotter.suppress_rendering = False
    plotter.render()
    image = np.asarray(plotter.screenshot(return_img=True))
    plotter.suppress_rendering = True
    return image


def shortened(vectors: Floats) -> Floats:
    """Vectors over the length that a tenth of them exceeds, those cut to 1: a sharp corner does not dwarf the rest."""
    lengths = np.linalg.norm(vectors, axis=1)
    usual = float(np.quantile(lengths, 0.9)) or float(lengths.max()) or 1.0
    return vectors / np.maximum(lengths, usual)[:, None]


def _cones(plotter: pyvista.Plotter, scene: Scene, t: float, look: Look) -> None:
    """A vector in space as arrows."""
    places, vectors = scene.arrows(look.field, t, 14)
    cloud = pyvista.PolyData(places)
    cloud.point_data["vector"] = shortened(vectors)
    size = float(np.ptp(scene.bounds, axis=0).max()) / 14
    cloud.set_active_vectors("vector")
    plotter.add_mesh(cloud.glyph(orient="vector", scale="vector", factor=1.3 * size), color=style.INK, lighting=False)
