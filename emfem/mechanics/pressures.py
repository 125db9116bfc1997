"""Stress as an unknown of its own: the hydrostatic one where displacements alone would lock, that of atoms for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.errors import ParameterError, floats, require, shown
from emfem.mechanics.solids import MIXED, Solids, outside
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Unknown, UnknownStress

import numpy as np
import ufl
from dolfinx import fem

TRACE = 1e-9  # by which the trace of a deposit may differ from 1


@dataclass(frozen=True, eq=False)
class Pressures:
    """Unknown stress of some regions, one degree below the displacement (Taylor-Hood).

    Attributes:
        elastic: the solids.
        by_region: the unknowns.
        atoms_in: region whose atoms move, or None.
        deposit: region and eigenstrain N of atoms by their volume, if it is not I/3: there the unknown is N : s.
    """

    elastic: Solids
    by_region: Mapping[str, Unknown]
    atoms_in: str | None = None
    deposit: tuple[str, Any] | None = None

    @property
    def unknowns(self) -> list[Unknown]:
        """All of them."""
        return list(self.by_region.values())

    @property
    def hydrostatic_regions(self) -> dict[str, Unknown]:
        """The unknowns that are the hydrostatic stress."""
        other = self.deposit[0] if self.deposit else None
        return {region: unknown for region, unknown in self.by_region.items() if region != other}

    def hydrostatic(self, e: Any) -> Any:
        """`p` in regions where it is an unknown, `K tr(E)` in the others."""
        sigma: Any = self.elastic.bulk * ufl.tr(e)
        mixed = self.hydrostatic_regions
        if set(mixed) == set(self.elastic.by_region) and len(mixed) == 1:
            return next(iter(mixed.values())).function
        for region, unknown in mixed.items():
            within = self._within(region)
            sigma = within * unknown.function + (1 - within) * sigma
        return sigma

    def residual(self, e: Any, s: Any, tests: Mapping[int, Any], dx: Any) -> Any:
        """`int (tr(E) - p/K) q dx` over the regions; `int (N : s - p)/K q dx` for a deposit N."""
        total: Any = 0
        for region, unknown in self.by_region.items():
            q, p = tests[id(unknown)], unknown.function
            if self.deposit and region == self.deposit[0]:
                change = ufl.inner(self.deposit[1], s) / self.elastic.bulk
            else:
                change = ufl.tr(e)
            total += self._within(region) * (change - p / self.elastic.bulk) * q * dx
        return total

    def conditions(self) -> list[DirichletCondition]:
        """Return the conditions that there is no such stress outside of the regions."""
        domain = self.elastic.domain
        return [each for region, unknown in self.by_region.items() for each in outside(domain, unknown, {region})]

    def structure(self) -> tuple[UnknownStress, ...]:
        """Return the stress that an eigenstrain makes where the body may move: 1/B = 1/K + 3/(4 mu) of long waves."""
        order = sorted(self.by_region, key=lambda region: region != self.atoms_in)  # that of the atoms first
        return tuple(self._response(region) for region in order)

    def _response(self, region: str) -> UnknownStress:
        """Return the response of the stress of a region."""
        solid = self.elastic.by_region[region]
        modulus = 1 / (1 / solid.bulk_modulus + 0.75 / solid.shear_modulus)
        return UnknownStress(self.by_region[region], modulus, solid.bulk_modulus)

    def _within(self, region: str) -> Any:
        """Return 1 in a region, 0 elsewhere."""
        return self.elastic.indicator(f"in {region}" if region else "inside", {region})


def pressures_of(elastic: Solids, atoms_in: str | None, degree: int, deposit: Any) -> Pressures:
    """Return the unknown stress of each region that has one.

    Raises:
        ParameterError: for linear elements, or a deposit in a solid that would lock.
    """
    ratios = {name: each.poisson_ratio for name, each in elastic.by_region.items()}
    regions = [name for name, ratio in ratios.items() if name == atoms_in or ratio > MIXED]
    require(
        degree > 1 or not regions,
        f"degree = {degree}, must be at least 2 with atoms or a Poisson's ratio above {MIXED}",
    )
    if deposit is not None:
        ratio = ratios[atoms_in or ""]
        require(ratio <= MIXED, f"deposit with poisson_ratio = {ratio:g}, must be in a metal with at most {MIXED}")
    names = ["p"] if len(regions) == 1 else [f"p {region}" for region in regions]
    space = fem.functionspace(elastic.domain.mesh, ("Lagrange", max(degree - 1, 1)))
    unknowns = {region: models.algebraic(name, space) for region, name in zip(regions, names, strict=True)}
    return Pressures(elastic, unknowns, atoms_in, None if deposit is None else (atoms_in or "", deposit))


def deposit_of(domain: Domain, value: Any, inside: Any) -> Any:
    """Return the eigenstrain of atoms by their volume, a symmetric tensor of trace 1; None for I/3. Collective.

    Raises:
        ParameterError: for something else, naming it.
    """
    if value is None:
        return None
    if models.is_ufl(value):
        require(value.ufl_shape == (3, 3), f"deposit = {shown(value)}, must be 3 x 3 in UFL")
        wrong = models.mean_value(domain, inside * abs(ufl.tr(value) - 1), unknown=0.0)
        share = models.mean_value(domain, inside)
        require(wrong <= TRACE * share, f"deposit with a trace off by {wrong / share:.3g}, must have a trace of 1")
        skew = ufl.skew(value)
        skew = models.mean_value(domain, inside * ufl.sqrt(ufl.inner(skew, skew)), unknown=0.0)
        require(
            skew <= TRACE * share, f"deposit with a part of {skew / share:.3g} that is not symmetric, must have none"
        )
        return ufl.sym(value)
    array = floats("deposit", value)
    if array.shape in ((domain.dim,), (3,)):
        normal = np.zeros(3)
        normal[: len(array)] = array
        size = float(np.linalg.norm(normal))
        require(np.isfinite(size) and size > 0, f"deposit = {shown(value)}, must be a direction: not all 0, and finite")
        array = np.outer(normal, normal) / size**2
    good = array.shape == (3, 3) and np.isfinite(array).all() and np.abs(array - array.T).max() <= TRACE
    if not good or abs(np.trace(array) - 1) > TRACE:
        msg = f"deposit = {shown(value)}, must be a direction, or a symmetric tensor, 3 x 3, with a trace of 1"
        raise ParameterError(msg)
    return fem.Constant(domain.mesh, array)
