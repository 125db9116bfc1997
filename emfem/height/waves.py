"""Growth of small waves of height and composition on a flat, uniform surface."""

from __future__ import annotations

from collections.abc import Sequence

from emfem import analytic
from emfem.arrays import finite
from emfem.errors import ParameterError, floats
from emfem.gate import checked
from emfem.height.alloy import Alloy

import numpy as np
from numpy.typing import ArrayLike, NDArray


@checked
@finite
def growth_matrix(
    wavevector: ArrayLike, alloy: Alloy, *, mean: float, field: float | Sequence[float] | None = None
) -> NDArray[np.complex128]:
    """Return A of d(h, c)/dt = A (h, c) for a small wave exp(i k.x), see `em.analytic.height_composition_matrix`.

    Args:
        wavevector: k, shape (dim,) or (n, dim), dim 1 or 2 [1/m].
        alloy: the constants.
        mean: composition of the flat layer [-].
        field: E, dim numbers; none when left out [V/m].

    Returns:
        A, complex, shape (2, 2) or (n, 2, 2): rows and columns h [m] and c [-], by time [s].

    Raises:
        ParameterError: for a mean outside (0, 1), or a wrong shape.
    """
    k = floats("wavevector", wavevector)
    dim = k.shape[-1] if k.ndim in (1, 2) else 0
    if dim not in (1, 2):
        msg = f"wavevector of shape {k.shape}, must be numbers of shape (dim,) or (n, dim), dim 1 or 2"
        raise ParameterError(msg)
    words = f"{dim} finite numbers"
    vector = np.zeros(dim) if field is None else floats("field", np.atleast_1d(field), (dim,), words, finite=True)
    return analytic.height_composition_matrix(
        k,
        mean=mean,
        thermal_energy=alloy.thermal_energy,
        atomic_volume=alloy.atomic_volume,
        layer=alloy.layer,
        diffusivities=[one.diffusivity for one in alloy.species],
        surface_energies=[one.surface_energy for one in alloy.species],
        interaction_energy=alloy.interaction_energy,
        gradient_coefficient=alloy.gradient_coefficient,
        forces=np.multiply.outer(alloy.charges, vector),
        tensors=[one.tensor(dim) for one in alloy.species],
        slopes=[one.steepening * one.direction(dim) for one in alloy.species],
    )


@checked
@finite
def growth_rates(
    wavevector: ArrayLike, alloy: Alloy, *, mean: float, field: float | Sequence[float] | None = None
) -> NDArray[np.complex128]:
    """Return both growth rates of a small wave, the faster one first: the eigenvalues of `growth_matrix`.

    Args:
        wavevector: as in `growth_matrix`, and so what follows.
        alloy: the constants.
        mean: composition of the flat layer [-].
        field: E [V/m].

    Returns:
        omega of exp(i k.x + omega t), complex, shape (2,) or (n, 2) [1/s].

    Raises:
        ParameterError: as in `growth_matrix`.
    """
    return analytic.height_composition_rates(growth_matrix(wavevector, alloy, mean=mean, field=field))
