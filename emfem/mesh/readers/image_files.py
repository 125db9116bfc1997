"""Images, by imageio."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the values of the pixels, shape (rows, columns) or (rows, columns, colours), as array "pixels"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated readers that were tried
        pixels = importlib.import_module("imageio.v3").imread(path, index=0)  # of a moving picture the first
    return {"pixels": np.asarray(pixels, dtype=float)}, {}
