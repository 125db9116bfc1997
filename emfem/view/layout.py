"""Layout of a picture: the place of its axes on the page, and the places of the domain in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from emfem.plot.camera import Camera
from emfem.plot.simplices import Floats
from emfem.view import rendering
from emfem.view.display_options import DisplayOptions, Size
from emfem.view.scene import Scene

import numpy as np

LEFT, RIGHT, TOP, BOTTOM, ROW = 68, 96, 34, 50, 20  # margins around a field, a row of the legend [pixel]
FLAT = 140  # height of a field below which its colour bar lies under it [pixel]
SMALLEST = (240, 180)
NARROW, FINE = 480, 0.85  # width below which letters and margins are smaller, and their factor
CATCH = 10.0  # distance from a line within which the mouse meets it [pixel]
INSIDE = 1e-6  # depth of a place in a body below the face that the mouse meets, in parts of the body

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Layout:
    """Picture of a run, measured in pixels of the page from its lower left corner.

    Attributes:
        scene: the run.
        options: the choices on the page.
        camera: point of view.
        size: of the pane.
    """

    scene: Scene
    options: DisplayOptions
    camera: Camera
    size: Size

    @property
    def fine(self) -> float:
        """Size of letters and margins over the usual one."""
        return FINE if self._whole[0] < NARROW else 1.0

    @property
    def _whole(self) -> tuple[int, int]:
        """Width and height of the picture on the page; a pane that is smaller shows it smaller."""
        return max(self.size.width, SMALLEST[0]), max(self.size.height, SMALLEST[1])

    @property
    def width(self) -> int:
        """Width in pixels of usual letters."""
        return round(self._whole[0] / self.fine)

    @property
    def height(self) -> int:
        """Height in pixels of usual letters."""
        return round(self._whole[1] / self.fine)

    @property
    def ratio(self) -> float:
        """Pixels of the screen for each of the others."""
        return self.size.ratio * self.fine

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the legend below everything."""
        return self.scene.names if self.options.boundaries else ()

    @property
    def rows(self) -> int:
        """Rows of the legend."""
        if not self.names:
            return 0
        across = int(np.clip(self.width // (7 * max(map(len, self.names)) + 56), 1, len(self.names)))
        return -(-len(self.names) // across)

    @property
    def legend(self) -> int:
        """Height of the legend."""
        return ROW * self.rows + 6 if self.rows else 0

    @cached_property
    def axes(self) -> tuple[Box, bool]:
        """Left, bottom, width and height of the axes, and True if the colour bar lies under them."""
        if self.scene.kind == "curve":
            return (LEFT + 14, BOTTOM, self.width - LEFT - 40, self.height - TOP - BOTTOM - 4), False
        if self.scene.kind == "body":
            below = self.legend + 22
            return (12, below, self.width - 22 - RIGHT, self.height - TOP - below - 4), False
        return self._plane

    @property
    def _plane(self) -> tuple[Box, bool]:
        """Axes of a plane."""
        window = self.camera.window(self.scene.bounds)
        extent = window[1] - window[0]
        below = BOTTOM + self.legend
        for flat in (False, True):  # a low field has its colour bar under it
            under, beside = (64, 24) if flat else (0, RIGHT)
            room = np.array([self.width - LEFT - beside, self.height - TOP - below - under])
            across, tall = np.maximum(np.round((room / extent).min() * extent), 2)
            if tall >= FLAT:
                break
        left, bottom = LEFT + (room[0] - across) / 2, below + under + (room[1] - tall) / 2
        return (float(left), float(bottom), float(across), float(tall)), flat

    def _frame(self) -> tuple[Floats, Floats]:
        """Return the place at the middle of the axes, and the vectors along their width and height, shape (2, 3)."""
        (_, _, width, height), _ = self.axes
        if self.scene.kind == "body":
            margin = rendering.margin(self.scene, self.options)
            centre, tall = self.camera.frame(self.scene.bounds, width / height, margin)
            return centre, np.array(self.camera.screen()) * [[tall * width / height], [tall]]
        window = self.camera.window(self.scene.bounds)
        return np.append(window.mean(axis=0), 0.0), np.diag([*np.ptp(window, axis=0), 0.0])[:2]

    def projected(self, places: Floats) -> Floats:
        """Return places of shape (n, 3) in parts of the width and height of the axes, shape (n, 2)."""
        centre, sides = self._frame()
        return (np.asarray(places) - centre) @ (sides / (sides**2).sum(axis=1)[:, None]).T + 0.5

    def place(self, x: float, y: float) -> Floats | None:
        """Return the place of the domain under the mouse, shape (3,).

        On a body it lies on the face that is seen, or on the cut; on wires at the nearest of them.

        Args:
            x: of the mouse, from the left end of the pane.
            y: from its upper end.

        Returns:
            None beside the axes, beside a body, or far from all wires.
        """
        (left, bottom, width, height), _ = self.axes
        wide, tall = self._whole
        small = min(self.size.width / wide, self.size.height / tall)
        across = self.width * (0.5 + (x - self.size.width / 2) / (wide * small))
        up = self.height * (0.5 - (y - self.size.height / 2) / (tall * small))
        parts = np.array([(across - left) / width, (up - bottom) / height])
        if not ((parts >= 0) & (parts <= 1)).all():
            return None
        centre, sides = self._frame()
        place = centre + (parts - 0.5) @ sides
        if self.scene.kind == "curve":
            return np.array([place[0], 0.0, 0.0])
        if self.scene.shape.dim == 1:
            return self._on_wire(parts)
        if self.scene.kind == "plane":
            return place
        ray = 3 * float(np.linalg.norm(np.ptp(self.scene.bounds, axis=0))) * self.camera.direction()
        hit = rendering.first_hit(self.scene, self.options, place + ray, place - ray)
        return hit if hit is None or self.scene.shape.dim < 3 else hit - INSIDE / 3 * ray

    def _on_wire(self, parts: Floats) -> Floats | None:
        """Return the place on wires that is nearest on the page, None if it is not near."""
        (_, _, width, height), _ = self.axes
        ends = self.scene.shape.points[self.scene.shape.simplices]
        flat = ((self.projected(ends.reshape(-1, 3)) - parts) * [width, height]).reshape(-1, 2, 2)
        along = flat[:, 1] - flat[:, 0]
        share = np.clip(-(flat[:, 0] * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-30), 0.0, 1.0)
        distance = np.linalg.norm(flat[:, 0] + share[:, None] * along, axis=1)
        at = int(np.argmin(distance))
        if distance[at] > CATCH:
            return None
        return np.asarray(ends[at, 0] + share[at] * (ends[at, 1] - ends[at, 0]))
