"""Point of view of a picture: the same for `em.plot` and the viewer, where the mouse moves it."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.plot.simplices import Floats

import numpy as np
import pyvista

NEAREST, FARTHEST = 200.0, 0.5
MARGIN = 1.03  # of the window over the domain
DEGREES = 0.5  # a pixel of the mouse


@dataclass
class Camera:
    """Centre, zoom and direction of view; lengths in parts of the domain, so that one camera serves several.

    Attributes:
        x: centre of the picture along the screen, in parts of the domain's width from its centre.
        y: the same upwards.
        zoom: 1 shows the whole domain.
        azimuth: angle from x to the camera in the x-y plane [degree].
        elevation: angle of the camera above that plane [degree].
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    azimuth: float = -58.0
    elevation: float = 30.0

    def opposite(self) -> Camera:
        """Return the camera that sees the other side."""
        return Camera(self.x, self.y, self.zoom, self.azimuth + 180.0, -self.elevation)

    def pan(self, across: float, up: float) -> None:
        """Move the scene by parts of the picture's width and height."""
        self.x -= across / self.zoom
        self.y -= up / self.zoom

    def turn(self, dx: float, dy: float) -> None:
        """Turn a body by pixels of the mouse."""
        self.azimuth = (self.azimuth - DEGREES * dx) % 360
        self.elevation = float(np.clip(self.elevation + DEGREES * dy, -89.0, 89.0))

    def zoom_in(self, notches: float) -> None:
        """Zoom in, by notches of the wheel."""
        self.zoom = float(np.clip(self.zoom * 1.2**notches, FARTHEST, NEAREST))

    def window(self, bounds: Floats) -> Floats:
        """Return the visible part of a plane domain: lower left and upper right corner, shape (2, 2)."""
        lower, upper = bounds[:, :2]
        extent = upper - lower
        extent = np.maximum(extent, 1e-3 * extent.max())
        centre = (lower + upper) / 2 + np.array([self.x, self.y]) * MARGIN * extent
        half = MARGIN * extent / 2 / self.zoom
        return np.array([centre - half, centre + half])

    def direction(self) -> Floats:
        """Return the unit vector from a body to the camera."""
        around, above = np.radians([self.azimuth, self.elevation])
        return np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])

    def screen(self) -> tuple[Floats, Floats]:
        """Return the unit vectors to the right and upwards on the screen."""
        right = np.cross([0.0, 0.0, 1.0], self.direction())
        right /= np.linalg.norm(right)
        return right, np.cross(self.direction(), right)

    def look_down(self, plotter: pyvista.Plotter, bounds: Floats) -> None:
        """Show the window of a plane domain, whose bounds are of shape (2, 3)."""
        window = self.window(bounds)
        centre, height = np.append(window.mean(axis=0), 0.0), float(window[1, 1] - window[0, 1])
        _aim(plotter, bounds, centre, np.eye(3)[2], np.eye(3)[1], height)

    def look_at(self, plotter: pyvista.Plotter, bounds: Floats, margin: float = 1.08) -> None:
        """Show a body with bounds of shape (2, 3); at zoom 1 the picture is `margin` times as large as the body."""
        width, height = plotter.window_size
        centre, shown = self.frame(bounds, width / height, margin)
        _aim(plotter, bounds, centre, self.direction(), self.screen()[1], shown)

    def frame(self, bounds: Floats, aspect: float, margin: float = 1.08) -> tuple[Floats, float]:
        """Return centre and height of the picture of a body in its own lengths, by its width over height."""
        right, up = self.screen()
        corners = np.array(np.meshgrid(*bounds.T)).reshape(3, -1).T
        centre = bounds.mean(axis=0)
        wide, tall = (2 * np.abs((corners - centre) @ axis).max() for axis in (right, up))
        shown = float(max(tall, wide / aspect) * margin / self.zoom)
        return centre + self.x * wide * right + self.y * tall * up, shown


def _aim(plotter: pyvista.Plotter, bounds: Floats, centre: Floats, towards: Floats, up: Floats, height: float) -> None:
    """Place VTK's camera outside of a domain, without perspective; the picture is `height` high."""
    camera = plotter.camera
    camera.focal_point, camera.up, camera.parallel_projection = centre, up, True
    camera.position = centre + 3 * float(np.linalg.norm(bounds[1] - bounds[0])) * towards
    camera.parallel_scale = height / 2
    plotter.renderer.ResetCameraClippingRange()
