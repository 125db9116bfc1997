"""Growth of the longest wave of a field in a run."""

from __future__ import annotations

from emfem import fields
from emfem.evolution import evolve
from emfem.model import Model

import numpy as np

__all__ = ["amplitude", "growth_rate"]

POINTS = 16  # of the grid along each axis


def growth_rate(model: Model, name: str, until: float) -> complex:
    """Return omega of the wave of a field that fits once into the model's domain, `log(a(until)/a(0))/until`.

    Steps are fixed: the error that adaptive ones allow is relative to the field, not to the wave.
    """
    before = amplitude(model, name)
    evolve(model, until, fixed_step=until / 16, progress=False)
    return complex(np.log(amplitude(model, name) / before) / until)


def amplitude(model: Model, name: str) -> complex:
    """Return the Fourier amplitude at one wave along each axis, up to a phase that stays the same."""
    dim = model.domain.dim
    return complex(np.fft.fftn(fields.sample_grid(model[name], (POINTS,) * dim).values)[(1,) * dim])
