"""A stress field with its domain, and its values at the nodes of a network."""

from __future__ import annotations

from typing import Any

from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Model

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray


@checked
class Stress(fem.Function):
    """The stress on a domain [Pa], tension positive."""

    domain: Domain

    def __new__(cls, *_: Any, **__: Any) -> Stress:
        """Pass by that of UFL's coefficients, which takes the first argument for the space."""
        return object.__new__(cls)

    def __init__(self, domain: Domain, space: fem.FunctionSpace, name: str = "sigma") -> None:
        """Make a stress of 0."""
        super().__init__(space, name=name)
        self.domain = domain


@checked(collective=True)
def at_nodes(stress: Model | Stress) -> NDArray[np.float64]:
    """Return the stress at the nodes of a network [Pa], shape (n,), on all ranks; NaN without metal. Collective.

    Args:
        stress: a model of stress, as it is now, or the result of `steady`.

    Raises:
        ParameterError: for something else, or a domain that is no network.
    """
    if isinstance(stress, Model):
        return stress.domain.at_nodes(stress["sigma"])
    return stress.domain.at_nodes(stress)
