"""Values of functions at points, on lines and on regular grids, the same on all ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, count, floats, require, shown
from emfem.fields.functions import meaning_of, sampled
from emfem.gate import checked
from emfem.mesh import bounds, period

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd
    import xarray

MOST_POINTS, MOST_PIXELS = 10**7, 10**8  # a gigabyte or two


@checked
@dataclass(frozen=True)
class Grid:
    """A function sampled at the pixel centres of a regular grid over the box around its mesh; the same on all ranks.

    Attributes:
        values: samples, shape of the grid, of a vector with its components last; NaN outside the mesh.
        lower: lower corner of the box, shape (dim,).
        lengths: edges of the box, shape (dim,).
        periodic: for each axis, whether the mesh continues across it.
    """

    values: NDArray[np.float64]
    lower: NDArray[np.float64]
    lengths: NDArray[np.float64]
    periodic: tuple[bool, ...]


@checked
def evaluate(field: Any, points: ArrayLike) -> NDArray[np.float64]:
    """Return values at points, the same on all ranks. Collective.

    Where a field jumps between cells, as a gradient does, the value is the mean of those of the cells that meet there.

    Args:
        field: a Function or a UFL expression, scalar, vector or tensor; see `sampled`.
        points: shape (n, dim) with the dim of the mesh, on every rank the same.

    Returns:
        shape (n,), of a vector (n, components); NaN where a point lies outside the mesh.

    Raises:
        ParameterError: if the points have another shape, or the field is none.
    """
    function = sampled(field)
    return Sampler(function.function_space.mesh, points).values(function)


@checked
class Sampler:
    """Points of a mesh whose cells are searched once; values there of any function on the mesh, again and again."""

    def __init__(self, mesh: dolfinx.mesh.Mesh, points: ArrayLike) -> None:
        """Find the cells of points of shape (n, dim), the same on all ranks. Collective.

        Raises:
            ParameterError: if the points have another shape.
        """
        self.mesh, self.points = mesh, floats("points", points)
        dim = mesh.geometry.dim
        if self.points.ndim != 2 or self.points.shape[1] != dim:
            msg = f"points of shape {self.points.shape}, must be (n, {dim})"
            raise ParameterError(msg)
        self._padded = np.zeros((len(self.points), 3))
        self._padded[:, :dim] = self.points
        with _about_one_large(mesh) as scale:
            tree = dolfinx.geometry.bb_tree(mesh, mesh.topology.dim)
            candidates = dolfinx.geometry.compute_collisions_points(tree, self._padded * scale)
            colliding = dolfinx.geometry.compute_colliding_cells(mesh, candidates, self._padded * scale)
        which = np.repeat(np.arange(len(self.points)), np.diff(colliding.offsets))
        owned = colliding.array < mesh.topology.index_map(mesh.topology.dim).size_local
        self._all = which[owned], colliding.array[owned]  # all cells of this rank that hold a point
        number = mesh.topology.original_cell_index[self._all[1]]  # the same on any number of ranks
        lowest = np.full(len(self.points), np.iinfo(np.int64).max)
        np.minimum.at(lowest, self._all[0], number)
        mesh.comm.Allreduce(MPI.IN_PLACE, lowest, op=MPI.MIN)
        mine = number == lowest[self._all[0]]
        self._one = self._all[0][mine], self._all[1][mine]  # over all ranks one cell a point

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{type(self).__name__} of {len(self.points)} points>"

    @checked
    def values(self, function: fem.Function) -> NDArray[np.float64]:
        """Return values as `evaluate` does. Collective.

        Raises:
            ParameterError: for a Function on another mesh.
        """
        x = self.mesh.geometry.x
        same = not len(x) or np.may_share_memory(function.function_space.mesh.geometry.x, x)  # a rank may have no cell
        same = self.mesh.comm.allreduce(same, op=MPI.LAND)
        require(same, f"function = {shown(function.name)} on another mesh, must be on the mesh of the points")
        element = function.function_space.element.basix_element
        which, cells = self._all if element.discontinuous and element.degree > 0 else self._one
        values = np.zeros((len(self.points), int(np.prod(function.ufl_shape, dtype=int))))
        with _about_one_large(self.mesh) as scale:
            if len(which):
                np.add.at(values, which, function.eval(self._padded[which] * scale, cells).reshape(len(which), -1))
        number_of = np.bincount(which, minlength=len(values)).astype(float)
        for array in (values, number_of):
            self.mesh.comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)
        with np.errstate(invalid="ignore"):  # 0 / 0 outside of the mesh
            values /= number_of[:, None]
        return values.reshape(len(values), *function.ufl_shape)


@contextmanager
def _about_one_large(mesh: dolfinx.mesh.Mesh) -> Iterator[float]:
    """Scale the mesh by a power of two, so that it is about 1 large, and back again; yield the factor.

    DOLFINx finds cells to an absolute tolerance: in a mesh of micrometres it takes a neighbour for the cell.
    """
    lower, upper = bounds(mesh)
    scale = 2.0 ** -np.round(np.log2((upper - lower).max()))
    x = mesh.geometry.x
    x *= scale
    try:
        yield float(scale)
    finally:
        x /= scale


@checked
class Pixels(Sampler):
    """The pixel centres of a regular grid over the box around a mesh, indexed [ix, iy, ...].

    Attributes:
        axes: coordinates of the pixels along each axis.
        spacing: their distance along each axis, shape (dim,).
    """

    def __init__(self, mesh: dolfinx.mesh.Mesh, shape: Sequence[int]) -> None:
        """Lay a grid of `shape` pixels over the mesh. Collective.

        Raises:
            ParameterError: if the shape does not fit the dimension of the mesh.
        """
        if len(shape) != mesh.geometry.dim:
            msg = f"shape = {shown(shape)}, this mesh has {mesh.geometry.dim} dimensions"
            raise ParameterError(msg)
        self.shape = tuple(count(f"shape[{i}]", n, at_least=1) for i, n in enumerate(shape))
        fits = np.prod(self.shape, dtype=float) <= MOST_PIXELS
        require(fits, f"shape = {self.shape}, must have at most {MOST_PIXELS:.0e} pixels")
        self._lower, upper = bounds(mesh)
        self._lengths = upper - self._lower
        self.spacing = self._lengths / np.array(self.shape)
        pairs = zip(self._lower, self.shape, self.spacing, strict=True)
        self.axes = [low + (np.arange(n) + 0.5) * h for low, n, h in pairs]
        super().__init__(mesh, np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(-1, len(self.shape)))

    @checked
    def sample(self, function: fem.Function) -> Grid:
        """Return a function at the pixels. Collective."""
        values = self.values(function).reshape(*self.shape, *function.ufl_shape)
        return Grid(values, self._lower, self._lengths, tuple(bool(p) for p in period(self.mesh)))


@checked
def sample_grid(field: Any, shape: Sequence[int]) -> Grid:
    """Return a field on a regular grid of `shape` pixels, indexed [ix, iy, ...], of a vector its components last.

    Args:
        field: a Function or a UFL expression; see `evaluate`.
        shape: pixels along each axis.

    Raises:
        ParameterError: if the shape does not fit the dimension of the mesh.
    """
    function = sampled(field)
    return Pixels(function.function_space.mesh, shape).sample(function)


@checked
def to_xarray(field: Any, shape: Sequence[int]) -> xarray.DataArray:
    """Return a field on a regular grid as a labelled array: axes x, y, z and `component`, with units. Collective.

    Args:
        field: a Function, a UFL expression or one of `model.fields`.
        shape: pixels along each axis.

    Raises:
        ParameterError: if the shape does not fit the dimension of the mesh.
    """
    import xarray  # slow to import, and most runs have no labelled arrays

    function = sampled(field)
    pixels, meaning = Pixels(function.function_space.mesh, shape), meaning_of(function)
    coordinates: dict[str, Any] = {
        axis: (axis, places, {"units": meaning.system.length}) for axis, places in zip("xyz", pixels.axes, strict=False)
    }
    suffixes = _components(function)
    if len(suffixes) > 1:
        coordinates["component"] = [suffix.removeprefix("_") for suffix in suffixes]
    values = pixels.sample(function).values.reshape(*pixels.shape, *([len(suffixes)] if len(suffixes) > 1 else ()))
    attributes = {"units": meaning.unit, "long_name": meaning.label or meaning.symbol}
    return xarray.DataArray(values, coordinates, tuple(coordinates), meaning.symbol, attributes)


@checked
def probe(field: Any, points: ArrayLike) -> pd.DataFrame:
    """Return a table of points and the values there, one row a point; `.attrs["units"]` by column. Collective.

    Args:
        field: a Function, a UFL expression or one of `model.fields`; of a vector each component has a column.
        points: shape (n, dim), on every rank the same; values outside of the mesh are NaN.

    Raises:
        ParameterError: if the points have another shape, or the field is none.
    """
    import pandas as pd  # half a second that most runs can do without

    function = sampled(field)
    values, meaning, places = evaluate(function, points), meaning_of(function), floats("points", points)
    columns = dict(zip("xyz", places.T, strict=False))
    units = dict.fromkeys(columns, meaning.system.length)
    suffixes = _components(function)
    for suffix, part in zip(suffixes, values.reshape(-1, len(suffixes)).T, strict=True):
        columns[meaning.symbol + suffix] = part
        units[meaning.symbol + suffix] = meaning.unit
    table = pd.DataFrame(columns)
    table.attrs["units"] = units
    return table


@checked
def line_cut(field: Any, a: ArrayLike, b: ArrayLike, n: int = 200) -> pd.DataFrame:
    """Return a table of values at n points, equally far apart, from a to b: `probe` with the distance "s" from a.

    Args:
        field: as in `probe`.
        a: where the line begins, shape (dim,), or a number in one dimension.
        b: where it ends.
        n: number of points, 2 to 10^7.

    Raises:
        ParameterError: for ends of another shape, or the same ends; for fewer points, or more.
    """
    ends = floats("a", np.atleast_1d(floats("a", a))), floats("b", np.atleast_1d(floats("b", b)))
    span = ends[1] - ends[0] if ends[0].shape == ends[1].shape else np.zeros(0)
    if ends[0].ndim != 1 or not np.linalg.norm(span) > 0:
        msg = f"a = {ends[0].tolist()} and b = {ends[1].tolist()}, must be two different points"
        raise ParameterError(msg)
    parts = np.linspace(0.0, 1.0, count("n", n, at_least=2, at_most=MOST_POINTS))
    table = probe(field, ends[0] + parts[:, None] * span)
    units = table.attrs["units"]
    table.insert(0, "s", parts * np.linalg.norm(span))
    table.attrs["units"] = {"s": units["x"], **units}
    return table


def _components(function: fem.Function) -> list[str]:
    """Return suffixes of the components of a field: "_x", "_xy"; an empty one for a scalar."""
    return ["_" * bool(i) + "".join("xyz"[j] for j in i) for i in np.ndindex(function.ufl_shape)]
