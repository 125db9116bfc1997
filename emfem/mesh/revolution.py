"""Bodies of revolution."""

from __future__ import annotations

from dataclasses import replace

from emfem.errors import require
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.extents import bounds

import numpy as np
import ufl


@checked(collective=True)
def axisymmetric(domain: Domain) -> Domain:
    """Return the body of revolution of a plane domain about the x axis: y >= 0 is the distance to the axis.

    Every physics on it is that of the body: volumes, currents and fluxes are those of the full circumference. A field
    is a function of x and y, its vectors have no component around the axis.

    Raises:
        ParameterError: for a domain that is not plane, or has points below the axis.
    """
    require(
        domain.mesh.topology.dim == 2 and domain.dim == 2 and domain.weight is None,
        f"domain = {domain.shape} in {domain.dim} dimensions, must be plane to be turned about the x axis",
    )
    require(not domain.period[1], "domain is periodic in y, must not be: y is the distance to the axis")
    lower, upper = bounds(domain.mesh)
    message = f"domain from y = {lower[1]:g}, must not reach below 0: y is the distance to the axis"
    require(lower[1] >= -1e-12 * upper[1], message)
    circumference = 2 * np.pi * ufl.SpatialCoordinate(domain.mesh)[1]
    return replace(domain, shape=f"{domain.shape} about the x axis", weight=circumference, weight_lengths=1)
