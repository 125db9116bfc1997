"""The steady stress without integration in time: atoms rest where the stress balances the drive."""

from __future__ import annotations

from typing import Any

from emfem import fields
from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.model import Model
from emfem.spaces import connected_components
from emfem.stress.field import Stress
from emfem.stress.graph import at_rest
from emfem.stress.voids import open_nodes

import numpy as np
import ufl
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray

SAME = 1e-9  # of the range of stresses: Dirichlet values that differ from balance by less are in balance

Values = NDArray[np.float64]


@checked(collective=True)
def steady(model: Model) -> Stress:
    """Return the steady stress of a model of stress, whose state does not change. Collective.

    Where atoms rest, sigma = Psi + const with Psi = (Z* e/Omega) phi + (Q*/Omega) ln T, whatever the shape of the
    conductor, the paths of the atoms and rho(T). The constant keeps the mean of the present stress in each piece of
    metal; a fixed stress or an open void determines it. With the potential of a conduction model of the same degree it
    is the steady state of the discrete equations, to rounding. On networks where atoms circulate, because their
    currents have no potential or stress is fixed at several nodes, it solves sum of A (dsigma/ds + f) = 0 at each node,
    which is exact too.

    Args:
        model: of `em.stress.model`.

    Returns:
        sigma, a Function of the space of the model's [Pa].

    Raises:
        ParameterError: where it takes a solve, `em.solve_steady(model)`; the message has the reason.
    """
    fixed = _dirichlet_values(model)
    if any(balance.out for balance in model.balances.values()):
        msg = "atoms are let in and flow, must rest for a stress without a solve: em.solve_steady(model) finds it"
        raise ParameterError(msg)
    result = Stress(model.domain, model["sigma"].function_space)
    result.meaning = fields.meaning_of(model["sigma"])
    if "balancing_stress" in model.names:
        _check_solved(model)
        fields.refresh(result, model["balancing_stress"])
    elif model.domain.network is not None:
        fields.refresh(result, _on_network(model, fixed))
    else:
        msg = (
            "the drive of this model is not known to be a gradient, must be of current=..., or of numbers with uniform "
            "resistivity, Z*, Omega and Q*, on a domain that is not periodic: em.solve_steady(model) finds the state"
        )
        raise ParameterError(msg)
    _shift(model, result, fixed)
    return result


def _dirichlet_values(model: Model) -> Values:
    """Return the stress of conditions and open voids, NaN at other nodes, for the nodes of this rank. Collective."""
    fixed = fem.Function(model["sigma"].function_space)
    fixed.x.array[:] = np.nan
    for condition in model.conditions:
        fixed.x.array[condition.dofs] = float(condition.value)
    fixed.x.scatter_forward()
    fixed.x.array[open_nodes(model, fixed.function_space)] = 0.0
    return fixed.x.array


def _check_solved(model: Model) -> None:
    """Refuse a potential or a temperature that is not known yet."""
    for c in ufl.algorithms.extract_coefficients(model["balancing_stress"]):
        if not getattr(c, "known", True):
            msg = f"the stress depends on {c.name}, which is not solved yet: em.solve_steady(...) its model first"
            raise ParameterError(msg)


def _on_network(model: Model, dirichlet: Values) -> Any:
    """Return the steady stress along the segments of a network, linear between the nodes, as UFL. Collective."""
    domain = model.domain
    network, comm = domain.wires(), model.mesh.comm
    force = _along_segments(model)
    nodes, dofs = domain.node_dofs(model["sigma"].function_space)
    known = np.full(len(network.nodes), -np.inf)
    known[nodes] = np.where(np.isnan(dirichlet[dofs]), -np.inf, dirichlet[dofs])
    comm.Allreduce(MPI.IN_PLACE, known, op=MPI.MAX)
    fixed = np.where(np.isinf(known), np.nan, known)
    at = on_root("steady stress", lambda: at_rest(network, force, fixed), comm)
    start, end = network.segments.T
    slope = (at[end] - at[start]) / network.lengths
    foot = at[start] - slope * (network.nodes[start] * network.directions).sum(axis=1)
    place = ufl.dot(domain.along("direction", 1.0), ufl.SpatialCoordinate(domain.mesh))
    return domain.per_segment("foot", foot) + domain.per_segment("slope", slope) * place


def _along_segments(model: Model) -> Values:
    """Return the drive along each segment, shape (m,) [Pa/m]. Collective.

    Raises:
        ParameterError: if it is not the same all along a segment.
    """
    domain, comm = model.domain, model.mesh.comm
    along = fields.discontinuous(ufl.dot(model["drive"], domain.along("direction", 1.0)), domain.mesh, 1)
    cells = along.x.array[along.function_space.dofmap.list]
    low, high = np.full((2, len(domain.wires().segments)), np.inf)
    assert domain.segment is not None
    np.minimum.at(low, domain.segment, cells.min(axis=1))
    np.minimum.at(high, domain.segment, -cells.max(axis=1))
    for array in (low, high):
        comm.Allreduce(MPI.IN_PLACE, array, op=MPI.MIN)
    if (-high - low > SAME * np.abs(low).max()).any():
        worst = int((-high - low).argmax())
        msg = (
            f"the drive along {domain.wires().wire(worst)} is from {low[worst]:.4g} to {-high[worst]:.4g} Pa/m, must "
            "be uniform in each segment for a steady stress without a solve: em.solve_steady(model) finds it"
        )
        raise ParameterError(msg)
    return (low - high) / 2


def _shift(model: Model, profile: Stress, dirichlet: Values) -> None:
    """Add to a profile the constant of each piece of metal. Collective.

    Raises:
        ParameterError: if Dirichlet values do not balance.
    """
    space, comm = profile.function_space, model.mesh.comm
    owned = space.dofmap.index_map.size_local
    piece = connected_components(space)
    count = comm.allreduce(int(piece.max(initial=-1)) + 1, op=MPI.MAX)
    mine, weight = piece[:owned], _weights(model)[:owned]
    off = model["sigma"].x.array[:owned] - profile.x.array[:owned]
    total, size = np.bincount(mine, weight * off, count), np.bincount(mine, weight, count)
    low, high = np.full((2, count), np.inf)
    at = np.flatnonzero(~np.isnan(dirichlet[:owned]))
    needed = dirichlet[at] - profile.x.array[at]
    np.minimum.at(low, mine[at], needed)
    np.minimum.at(high, mine[at], -needed)
    for array, op in ((total, MPI.SUM), (size, MPI.SUM), (low, MPI.MIN), (high, MPI.MIN)):
        comm.Allreduce(MPI.IN_PLACE, array, op=op)
    tied = np.isfinite(low)
    spread = float(np.max(-high[tied] - low[tied], initial=0.0))
    extremes = fields.extremes(profile)
    if spread > SAME * max(extremes[1] - extremes[0], np.abs(low[tied]).max(initial=0.0)):
        msg = f"the fixed stress differs by up to {spread:.4g} Pa from balance: atoms flow; em.solve_steady(model)"
        raise ParameterError(msg)
    constant = np.where(tied, (np.where(tied, low, 0.0) - np.where(tied, high, 0.0)) / 2, total / size)
    profile.x.array[:] += constant[piece]


def _weights(model: Model) -> Values:
    """Return `int v/B dx` of each node of this rank, in some unit: the balance of a rate of 1."""
    first = model.unknowns[0]
    residual = model.residual if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)[0]
    one = fem.Function(first.function.function_space)
    one.x.array[:] = 1.0
    vector = fem.assemble_vector(fem.form(ufl.derivative(residual, first.rate, one)))
    vector.scatter_reverse(la.InsertMode.add)
    vector.scatter_forward()
    return vector.array
