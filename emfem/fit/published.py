"""Published measurements, each in a file that says where it was read."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

from emfem.errors import choice
from emfem.fit.curves import Curve, read_curves
from emfem.gate import checked

from mpi4py import MPI

DATA: dict[str, dict[str, Any]] = {
    "conductors": {"measured": "t", "inputs": [], "scale": "log"},
    "gradients": {"measured": "life", "inputs": ["gradient"], "error": 0.003},
}


@checked(collective=MPI.COMM_WORLD)
def published(name: str) -> Curve:
    """Return published data in SI. Collective: rank 0 reads.

    ==============  ========================================================================  =======================
    name            data                                                                      of
    ==============  ========================================================================  =======================
    "conductors"    lives of 59 conductors of microcircuits [s], without errors               Schafft et al. 1987
    "gradients"     life of copper lines over that without a gradient of the temperature [-]  Ding et al. 2025
    ==============  ========================================================================  =======================

    The first lines of `emfem/fit/data/NAME.csv` say where each was read, and what was checked.

    Args:
        name: of the data.

    Raises:
        UnknownName: for a name that does not exist.
    """
    with as_file(files("emfem.fit") / "data" / f"{choice('name', name, DATA)}.csv") as path:
        (curve,) = read_curves(path, **DATA[name])
    return curve
