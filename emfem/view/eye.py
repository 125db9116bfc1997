"""From where a scene is seen: moved by the mouse, the same for all panes, so in parts of each domain."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.plot.pieces import Floats

import numpy as np
import pyvista

NEAREST, FARTHEST = 200.0, 0.5
ROOM = 1.03  # of the window over the domain
TURN = 0.5  # degrees a pixel


@dataclass
class Eye:
    """Where the middle of the picture is, how near, and from which side a body is seen.

    Attributes:
        x: middle of the picture along the screen, in parts of the domain's width from its middle.
        y: the same upwards.
        zoom: 1 shows all of it.
        azimuth: angle from x to the eye in the x-y plane [degree].
        elevation: angle of the eye above that plane [degree].
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    azimuth: float = -58.0
    elevation: float = 30.0

    def pan(self, across: float, up: float) -> None:
        """Move the scene by parts of the picture's width and height."""
        self.x -= across / self.zoom
        self.y -= up / self.zoom

    def turn(self, dx: float, dy: float) -> None:
        """Turn a body by pixels of the mouse."""
        self.azimuth = (self.azimuth - TURN * dx) % 360
        self.elevation = float(np.clip(self.elevation + TURN * dy, -89.0, 89.0))

    def nearer(self, notches: float) -> None:
        """Zoom in, by notches of the wheel."""
        self.zoom = float(np.clip(self.zoom * 1.2**notches, FARTHEST, NEAREST))

    def window(self, bounds: Floats) -> Floats:
        """What is seen of a plane domain: lower left and upper right corner, shape (2, 2)."""
        lower, upper = bounds[:, :2]
        extent = upper - lower
        extent = np.maximum(extent, 1e-3 * extent.max())
        middle = (lower + upper) / 2 + np.array([self.x, self.y]) * ROOM * extent
        half = ROOM * extent / 2 / self.zoom
        return np.array([middle - half, middle + half])

    def direction(self) -> Floats:
        """From a body to the eye, of length 1."""
        around, above = np.radians([self.azimuth, self.elevation])
        return np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])

    def look_at(self, plotter: pyvista.Plotter, bounds: Floats, room: float) -> None:
        """Put the camera before a body so that the picture is `room` times as large as it at zoom 1."""
        towards = self.direction()
        right = np.cross([0.0, 0.0, 1.0], towards)
        right /= np.linalg.norm(right)
        up = np.cross(towards, right)
        corners = np.array(np.meshgrid(*bounds.T)).reshape(3, -1).T
        middle, size = bounds.mean(axis=0), float(np.linalg.norm(bounds[1] - bounds[0]))
        wide, tall = (2 * np.abs((corners - middle) @ axis).max() for axis in (right, up))
        width, height = plotter.window_size
        middle = middle + self.x * wide * right + self.y * tall * up
        camera = plotter.camera
        camera.focal_point, camera.position, camera.up = middle, middle + 3 * size * towards, up
        camera.parallel_projection = True
        camera.parallel_scale = max(tall, wide * height / width) / 2 * room / self.zoom
        plotter.renderer.ResetCameraClippingRange()
