"""Fields of runs as pixels: VTK draws them with one plotter for all pictures."""

from __future__ import annotations

from functools import cache
from typing import Any

from emfem.plot import rendering, style
from emfem.plot.camera import Camera
from emfem.plot.simplices import Floats
from emfem.view.display_options import DisplayOptions
from emfem.view.scene import HALF, Scene
from emfem.view.streams import heads, polylines

import numpy as np
import pyvista
from numpy.typing import NDArray

LEVELS = 9  # isolines between the ends of the scale
HEAD, RIM = (
    0.02,
    2e-3,
)  # length of the heads of stream lines, radius of the lines in a body, over the size of the domain


@cache
def _plotter() -> pyvista.Plotter:
    """Return the plotter: another one would cost a quarter of a second each time."""
    plotter = rendering.blank()
    plotter.enable_anti_aliasing("msaa")
    plotter.show(auto_close=False)  # the first picture resets the camera
    plotter.suppress_rendering = True  # else each added mesh is drawn at once
    return plotter


def draw(scene: Scene, t: float, options: DisplayOptions, camera: Camera, pixels: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a field in a plane or in space as pixels, shape (height, width, 3)."""
    plotter = _plotter()
    plotter.clear()
    plotter.hide_axes()
    plotter.enable_lightkit()
    if tuple(plotter.window_size) != pixels:
        plotter.window_size = list(pixels)
    if scene.kind == "body":
        _add_body(plotter, scene, t, options)
        camera.look_at(plotter, scene.bounds, margin(scene, options))
    else:
        data = _dataset(scene, t, options)
        rendering.add_field(plotter, data, options.limits, options.colours, log=options.log)
        _add_isolines(plotter, data, options)
        _add_streams(plotter, scene, t, options)
        if options.edges and scene.shape.dim > 1:
            plotter.add_mesh(scene.edges, color=style.INK, opacity=0.35, line_width=1)
        camera.look_down(plotter, scene.bounds)
    plotter.suppress_rendering = False
    plotter.render()
    image = np.asarray(plotter.screenshot(return_img=True))
    plotter.suppress_rendering = True
    return image


def _dataset(scene: Scene, t: float, options: DisplayOptions, *, joined: bool = False) -> pyvista.DataSet:
    """Return the values that are drawn, where there is metal; on a logarithmic scale none below its end."""
    values, metal = scene.values(options.field, t, options.component), scene.metal(options.field, t)
    shown = np.maximum(values, options.limits[0]) if options.log else values
    data = rendering.dataset(scene.shape, shown, joined=joined)
    if metal is None:
        return data
    data.point_data["metal"] = rendering.dataset(scene.shape, metal, joined=joined).point_data["value"]
    clipped = data.clip_scalar(scalars="metal", value=HALF, invert=False)
    if clipped.n_points:  # without metal there are no values
        clipped.set_active_scalars("value")
    return clipped


def _add_isolines(plotter: pyvista.Plotter, data: pyvista.DataSet, options: DisplayOptions) -> None:
    """Add lines of equal values in a plane or on the surface of a body, evenly apart on the scale of colours."""
    if not (options.isolines and data.n_cells and data.get_cell(0).dimension > 1):
        return
    levels = (np.geomspace if options.log else np.linspace)(*options.limits, LEVELS + 2)[1:-1]
    contours = data.extract_surface(algorithm=None).contour(levels.tolist(), scalars="value")
    if contours.n_points:
        if data.get_cell(0).dimension == 3:  # lines in a face would vanish in it here and there
            contours = contours.tube(radius=1.5e-3 * data.length)
        plotter.add_mesh(contours, color=style.INK, line_width=1, lighting=False)


def _add_streams(plotter: pyvista.Plotter, scene: Scene, t: float, options: DisplayOptions) -> None:
    """Add stream lines with their heads, in a body as tubes."""
    streams = scene.streams(options.streams, t) if options.streams else []
    if not streams:
        return
    size, paths = float(np.ptp(scene.bounds, axis=0).max()), polylines(streams)
    tips = heads(streams, HEAD * size)
    if scene.kind != "body":  # a light rim tells them from isolines
        rim = paths.translate((0.0, 0.0, RIM * size))
        plotter.add_mesh(rim, color="white", line_width=3, lighting=False)
        plotter.add_mesh(paths.translate((0.0, 0.0, 2 * RIM * size)), color=style.INK, line_width=1.2, lighting=False)
        plotter.add_mesh(tips, color=style.INK, lighting=False)
        return
    for part in (paths.tube(radius=RIM * size), tips):
        seen = _cut(scene, options, part)
        if seen.n_points:
            plotter.add_mesh(seen, color=style.INK, lighting=False)


def margin(scene: Scene, options: DisplayOptions) -> float:
    """Return the height of the picture of a body at zoom 1 over that of the body."""
    return 1.25 if _translucent(scene, options) else 1.08


def first_hit(scene: Scene, options: DisplayOptions, start: Floats, end: Floats) -> Floats | None:
    """Return the first place at which a straight line meets the visible surface of a body or a shell; None for none."""
    data = _cut(scene, options, rendering.dataset(scene.shape, joined=True))
    surface = data.extract_surface(algorithm="dataset_surface").triangulate() if data.n_cells else None
    if surface is None:
        return None
    size = float(np.ptp(scene.bounds, axis=0).max())
    surface.points /= size  # VTK's tolerance is absolute: it misses triangles of a micrometre
    places: Floats = np.reshape(surface.ray_trace(start / size, end / size)[0], (-1, 3))
    return places[0] * size if len(places) else None


def _cut(scene: Scene, options: DisplayOptions, data: pyvista.DataSet) -> pyvista.DataSet:
    """Return the part of something in a body that is not cut off."""
    if not options.cut:
        return data
    place = scene.bounds[0] + options.place * np.ptp(scene.bounds, axis=0)
    return data.clip(normal=np.eye(3)["xyz".index(options.cut)], origin=place)


def _translucent(scene: Scene, options: DisplayOptions) -> bool:
    """Return True for a body with arrows or stream lines inside."""
    arrows = options.arrows and scene.fields[options.field].vector
    return scene.shape.dim == 3 and (arrows or bool(options.streams))


def _add_body(plotter: pyvista.Plotter, scene: Scene, t: float, options: DisplayOptions) -> None:
    """Add a body, a shell or wires in space."""
    dim, extent = scene.shape.dim, np.ptp(scene.bounds, axis=0)
    data = _cut(scene, options, _dataset(scene, t, options, joined=True))
    opacity = min(options.opacity, 0.35 if _translucent(scene, options) else 1.0)
    shown: dict[str, Any] = {"opacity": opacity, "sharp": not options.edges, "log": options.log}
    rendering.add_field(plotter, data, options.limits, options.colours, **shown)
    _add_isolines(plotter, data, options)
    _add_streams(plotter, scene, t, options)
    if options.edges and dim > 1:
        edges = data.extract_all_edges() if options.cut and data.n_cells else scene.edges
        plotter.add_mesh(edges, color=style.INK, opacity=0.35, line_width=1)
    if options.boundaries:
        for tag, rim in scene.rims.items():
            dots = {"point_size": 12, "render_points_as_spheres": True} if dim == 1 else {}
            plotter.add_mesh(rim, color=style.named_colour(tag - 1), lighting=False, **dots)
    if options.arrows and scene.fields[options.field].vector:
        places, vectors = scene.arrows(options.field, t, 14)
        cloud = pyvista.PolyData(places)
        cloud.point_data["vector"] = shortened(vectors)
        cloud.set_active_vectors("vector")
        cones = cloud.glyph(orient="vector", scale="vector", factor=1.3 * float(extent.max()) / 14)
        plotter.add_mesh(cones, color=style.INK, lighting=False)
    plotter.add_axes(color="black", line_width=2, viewport=(0, 0, 0.16, 0.16))


def shortened(vectors: Floats) -> Floats:
    """Return vectors over the length that a tenth of them exceeds, at most 1 long, as a sharp corner has long ones."""
    lengths = np.linalg.norm(vectors, axis=1)
    usual = float(np.quantile(lengths, 0.9)) or float(lengths.max()) or 1.0
    return vectors / np.maximum(lengths, usual)[:, None]
