"""Draws serpentine.gds: a meander of a line between two pads, as for a lithography mask."""

from pathlib import Path

import gdstk

WIDTH, PITCH, LENGTH, TURNS = 2.0, 5.0, 30.0, 5  # [um]
LINE, ANODE, CATHODE = 1, 10, 11  # layers

HERE = Path(__file__).parent


def draw() -> gdstk.Library:
    """Return the layout, in micrometres on a grid of a nanometre."""
    library = gdstk.Library("serpentine", unit=1e-6, precision=1e-9)
    cell = library.new_cell("SERPENTINE")
    corners = [(0.0, 0.0)]
    for turn in range(TURNS):
        x = LENGTH if turn % 2 == 0 else 0.0
        corners += [(x, turn * PITCH), (x, (turn + 1) * PITCH)]
    corners = corners[:-1]
    cell.add(gdstk.FlexPath(corners, WIDTH, layer=LINE))
    last = corners[-1][1]
    cell.add(gdstk.rectangle((-6.0, -3.0), (0.0, 3.0), layer=ANODE))  # abuts the line
    cell.add(gdstk.rectangle((LENGTH - 1.0, last - 3.0), (LENGTH + 6.0, last + 3.0), layer=CATHODE))  # overlaps it
    return library


if __name__ == "__main__":
    draw().write_gds(HERE / "serpentine.gds")
