"""Draws micrograph.png: a bright film with pores on a dark ground, noisy, as an electron microscope shows it."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

ROWS, COLUMNS, SEED = 96, 144, 7
HERE = Path(__file__).parent


def draw() -> NDArray[np.uint8]:
    """Return the image, shape (rows, columns): pores where a smooth random field is low, dark above and below."""
    random = np.random.default_rng(SEED)
    rough = gaussian_filter(random.standard_normal((ROWS, COLUMNS)), 5.0, mode="nearest")
    height = np.abs(np.arange(ROWS) - (ROWS - 1) / 2)[:, None]
    metal = (rough / rough.std() > -1.2) & (height < 0.4 * ROWS)
    bright = gaussian_filter(np.where(metal, 190.0, 45.0), 0.7)
    return np.clip(bright + 8.0 * random.standard_normal(bright.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    imageio.imwrite(HERE / "micrograph.png", draw())
