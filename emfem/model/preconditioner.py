"""Structure of a model's linear systems, for preconditioners: UFL only, `emfem/solve/` makes solvers of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import require, shown
from emfem.gate import checked
from emfem.model.unknowns import Unknown

import numpy as np
import ufl
from numpy.typing import NDArray


@checked
@dataclass(frozen=True, eq=False)
class Multigrid:
    """Unknowns whose operators are elliptic or parabolic, of second order, each alone: algebraic multigrid fits.

    Attributes:
        symmetric: the Jacobian of each is a symmetric matrix, or nearly so; False where a drift is part of it.
        singular: the Jacobian of each alone has the constants in its kernel: another unknown determines them.
        unknowns: the unknowns; all of the model's that no other preconditioner of it has, when left out.
        modes: fields that the operator of each nearly takes to 0 beside constants, such as the rigid motions of a
            displacement: values of this rank, shape (values of an unknown, modes).
    """

    symmetric: bool = True
    singular: bool = False
    unknowns: tuple[Unknown, ...] = ()
    modes: Any = None

    def replaced(self, _: Mapping[Any, Any]) -> Multigrid:
        """Return the same with other coefficients: it has none."""
        return self


@checked
@dataclass(frozen=True, eq=False)
class PhaseField:
    """Two unknowns of a fourth-order equation, `k dc/dt = k div(M D grad mu)`, `g mu = f'(c) - div(eps grad c)`.

    Attributes:
        evolving: c.
        potential: mu.
        mobility: M at the present c, a UFL scalar; where it is negative it counts as none.
        root: matrix root of the tensor D, UFL of shape (dim, dim).
        gradient_energy: eps, a UFL scalar.
        dx: measure of the domain.
        weight: g, a UFL scalar; 1 when left out.
        factor: k, of all terms of the equation of c in the residual, a UFL constant; 1 when left out.
        well: f'' in phases at rest, for surfaces between them that stay thin: g is then as the slope of c across one.
    """

    evolving: Unknown
    potential: Unknown
    mobility: Any
    root: Any
    gradient_energy: Any
    dx: ufl.Measure
    weight: Any = None
    factor: Any = None
    well: float | None = None

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The two unknowns."""
        return self.evolving, self.potential

    def replaced(self, substitutions: Mapping[Any, Any]) -> PhaseField:
        """Return the same with other fields in place of some."""
        names = ("mobility", "root", "gradient_energy", "weight", "factor")
        values = {name: ufl.as_ufl(getattr(self, name)) for name in names if getattr(self, name) is not None}
        return replace(self, **{name: ufl.replace(value, substitutions) for name, value in values.items()})


@checked
@dataclass(frozen=True, eq=False)
class UnknownStress:
    """A stress that is an unknown p of its own, with the row `int (tr(E) - p/K) q dx`, beside a displacement.

    Attributes:
        unknown: p.
        modulus: B, by which atoms of the volume theta make stress in a solid that may move, p = -B theta [Pa].
        bulk: K [Pa].
    """

    unknown: Unknown
    modulus: float
    bulk: float


@checked
@dataclass(frozen=True, eq=False)
class ElasticSaddle:
    """Displacement of elastic solids, stress that is an unknown, and atoms that move in it.

    Attributes:
        displacement: u, with its rigid motions.
        stresses: all that are unknowns; the first moves the atoms, if there are any.
        atoms: theta, their volume, with the row `int dtheta/dt q - M grad p . grad q dx`; None where none move.
    """

    displacement: Multigrid
    stresses: tuple[UnknownStress, ...]
    atoms: Unknown | None = None

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """All of them."""
        moving = () if self.atoms is None else (self.atoms,)
        return (*self.displacement.unknowns, *(each.unknown for each in self.stresses), *moving)

    def replaced(self, _: Mapping[Any, Any]) -> ElasticSaddle:
        """Return the same with other coefficients: it has none."""
        return self


Preconditioner = Multigrid | PhaseField | ElasticSaddle


@checked
def as_preconditioners(value: Any) -> tuple[Preconditioner, ...]:
    """Return one description of a linear system, several or None as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Sequence) else (value,)


def matrix_root(tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix root of the symmetric part of a positive definite tensor of numbers, of the same shape."""
    values, axes = np.linalg.eigh((tensor + tensor.T) / 2)
    return (axes * np.sqrt(values)) @ axes.T


@checked
def tensor_root(tensor: Any) -> Any:
    """Return the matrix root of the symmetric part of a positive definite tensor in UFL.

    It is exact in one and two dimensions, `(D + sqrt(det D) I) / sqrt(tr D + 2 sqrt(det D))`; in three it is that of
    an isotropic tensor, `D / sqrt(tr D / 3)`.

    Raises:
        ParameterError: if it is no square tensor.
    """
    shape: tuple[int, ...] = getattr(tensor, "ufl_shape", ())
    require(len(shape) == 2 and shape[0] == shape[1], f"tensor = {shown(tensor)}, must be a square tensor of UFL")
    dim, tensor = tensor.ufl_shape[0], ufl.sym(tensor)
    if dim == 2:
        area = ufl.sqrt(ufl.det(tensor))
        return (tensor + area * ufl.Identity(2)) / ufl.sqrt(ufl.tr(tensor) + 2 * area)
    return tensor / ufl.sqrt(ufl.tr(tensor) / dim)
