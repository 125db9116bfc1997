"""The table [domain]: any shape of em.mesh with its own arguments, or a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from emfem import mesh
from emfem.errors import ParameterError, require
from emfem.studies import docstrings
from emfem.studies.tables.base import SIMPLE, Arguments, Key, keys_from, keys_of, table_of
from emfem.studies.units import File, Length, Unit, Yes
from emfem.technology import read_technology

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Tag

Lengths = Annotated[Any, Unit("m", scaled=True)]
# Types by the annotation of arguments whose docstring has no unit but that of lengths; others are as they are written.
TYPES: Mapping[str, Any] = {
    **SIMPLE,
    **dict.fromkeys(("float", "float | None", "Refine"), Length),
    **dict.fromkeys(("ArrayLike", "PerLayer", "PerLayer | None", "Sequence[float]", "Sequence[ArrayLike]"), Lengths),
    "Mapping[str, Boundary]": Lengths,
    **dict.fromkeys(("Path_", "Path_ | None", "str | os.PathLike[str]", "str | os.PathLike[str] | ArrayLike"), File),
}
NUMBERS = ("from_image.threshold", "network.segments")  # which are no lengths

NO_KEYS = ("comm", "geometry")  # arguments of makers that a text cannot be


@keys_from(mesh.grains, left_out=("domain",))
class GrainsTable(Arguments):
    """Random grains as regions of the mesh."""


class BoxTable(Arguments):
    """A box with its edges along the axes; without a bound where one is left out, everywhere without both.

    Attributes:
        lower: its smallest coordinates, a list.
        upper: its largest coordinates, a list.
    """

    lower: Lengths = None
    upper: Lengths = None

    def bounds(self, name: str, dim: int, *, flat: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the smallest and the largest coordinates, shape (dim,).

        Args:
            name: of the box, with that of its table, for messages.
            dim: number of axes.
            flat: a box may have no thickness.

        Raises:
            ParameterError: for as many numbers as there are no axes, or an empty box.
        """
        sides = []
        for key, free in (("lower", -np.inf), ("upper", np.inf)):
            value = getattr(self, key)
            side = np.full(dim, free) if value is None else np.atleast_1d(np.asarray(value, dtype=float))
            require(side.shape == (dim,), f"{name}.{key} = {value}, must be a list of {dim} lengths")
            sides.append(side)
        low, high = sides
        words = f"{name} from {low.tolist()} to {high.tolist()}, must have upper above lower"
        require(bool((low <= high if flat else low < high).all()), words)
        return low, high


class FineTable(BoxTable):
    """A box whose cells, of triangles or tetrahedra, are halved until they are small.

    Attributes:
        size: the width of a cell there, its diameter over the root of the dimension, is at most this.
    """

    size: Length

    def refined(self, domain: mesh.Domain, finer: int) -> mesh.Domain:
        """Return the refined domain. Collective."""
        low, high = (side[:, None] for side in self.bounds("fine", domain.dim))

        def distance(x: NDArray[np.float64]) -> Any:
            x = x[: domain.dim]
            return np.linalg.norm(np.maximum(np.maximum(low - x, x - high), 0.0), axis=0)

        size = self.size / finer
        return mesh.refined(domain, distance, within=1e-6 * size, size=size)


class ShapeTable(Arguments):
    """A domain of any shape.

    Attributes:
        shape: its name.
        random_grains: random grains as regions of the mesh, a table.
        axisymmetric: true: a body of revolution, the half plane y > 0 turned about the x axis.
        regions: boxes by name, tables with lower and upper; a cell is in the first that has it, and `{}` has all.
        boundaries: boxes by name, which may be flat: the boundary in each, such as a via in a face, has its name.
        fine: a box with small cells, a table.
        thickness: of a plane domain, so that currents are in A, not A/m; of wires a key of their own.
    """

    shape: str
    random_grains: GrainsTable | None = None
    axisymmetric: Yes = False
    regions: dict[str, BoxTable] | None = None
    boundaries: dict[str, BoxTable] | None = None
    fine: FineTable | None = None
    thickness: Length | None = None

    def make(self, finer: int = 1) -> mesh.Domain:
        """Make the domain, on cells as they are or halved (`finer` = 2). Collective.

        Raises:
            ParameterError: for cells that cannot be halved.
        """
        common = self.common()
        values = {self.argument(key): value for key, value in self.values(*common).items()}
        if "technology" in values:
            values["technology"] = read_technology(values["technology"])
        if finer == 1:
            domain: mesh.Domain = self.maker(**values)
        elif self.maker is mesh.read and values.get("size") is None:
            domain = mesh.halved(self.maker(**values))
        else:
            domain = self.maker(**values | halved_cells(values, inspect.signature(self.maker).parameters))
        if self.random_grains is not None:
            domain = mesh.grains(domain, **self.random_grains.values())
        if self.regions is not None:
            require(self.random_grains is None, "regions and random_grains are given, must be one of them")
            domain = with_boxes(domain, self.regions)
        if self.fine is not None:
            domain = self.fine.refined(domain, finer)
        for name, box in (self.boundaries or {}).items():
            domain = with_boundary(domain, name, box)
        domain = mesh.axisymmetric(domain) if self.axisymmetric else domain
        plate = self.thickness if "thickness" in common else None  # of wires it is an argument
        return domain if plate is None else domain.with_thickness(plate)

    @classmethod
    def common(cls) -> tuple[str, ...]:
        """Return the keys of every shape, but for those that are arguments of this one, as the thickness of wires."""
        own = inspect.signature(cls.maker).parameters
        return tuple(name for name in ShapeTable.model_fields if name not in own)

    @classmethod
    def argument(cls, key: str) -> str:
        """Return the argument of a key: the path of `read` is "file" in a case."""
        return "path" if key == "file" and cls.maker is mesh.read else key


def with_boxes(domain: mesh.Domain, boxes: Mapping[str, BoxTable]) -> mesh.Domain:
    """Return a domain with boxes as regions, whose edges are those of cells. Collective.

    Raises:
        ParameterError: for a box that cuts cells, or has none of its own.
    """
    sides = {name: box.bounds(f"regions.{name}", domain.dim) for name, box in boxes.items()}
    for name, (low, high) in sides.items():
        _check_cut(domain, name, low, high)

    def inside(low: Any, high: Any) -> Callable[[NDArray[np.float64]], Any]:
        return lambda x: ((x >= low[:, None]) & (x <= high[:, None])).all(axis=0)

    return domain.with_regions({name: inside(*box) for name, box in sides.items()})


def with_boundary(domain: mesh.Domain, name: str, box: BoxTable) -> mesh.Domain:
    """Return a domain with a part of its boundary as one of its own: the facets in a box. Collective."""
    low, high = box.bounds(f"boundaries.{name}", domain.dim, flat=True)
    slack = 1e-6 * np.subtract(*reversed(mesh.bounds(domain.mesh)))[: domain.dim]
    low, high = (low - slack)[:, None], (high + slack)[:, None]
    return domain.with_boundary(name, lambda x: ((x[: domain.dim] >= low) & (x[: domain.dim] <= high)).all(axis=0))


def _check_cut(domain: mesh.Domain, name: str, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Refuse a box with sides inside cells: its material would be elsewhere than the file says. Collective.

    Raises:
        ParameterError: naming the first side.
    """
    geometry, comm = domain.mesh.geometry, domain.mesh.comm
    corners = geometry.x[geometry.dofmaps[0]][:, :, : domain.dim]
    least, most = corners.min(axis=1, initial=np.inf), corners.max(axis=1, initial=-np.inf)
    slack = 1e-6 * (most - least)
    touched = ((most - slack > low) & (least + slack < high)).all(axis=1)
    for key, side in (("lower", low), ("upper", high)):
        cut = touched[:, None] & (least + slack < side) & (most - slack > side)
        for axis, number in enumerate(comm.allreduce(cut.sum(axis=0))):
            words = (
                f"regions.{name}.{key}[{axis}] = {side[axis]:g}, must be on edges of cells: it goes through {number} "
                "of them; choose other cells, or read a mesh with regions from a file"
            )
            require(number == 0, words)


def halved_cells(values: Mapping[str, Any], arguments: Iterable[str]) -> dict[str, Any]:
    """Return the arguments of a shape that halve its cells: twice as many, or half their size.

    Raises:
        ParameterError: for graded cells.
    """
    sized = values.get("size") is not None
    if "cells" not in arguments or (values.get("cells") is None and sized):
        refine = values.get("refine")
        return {"size": values["size"] / 2, **({} if refine is None else {"refine": _half(refine)})}
    cells = values.get("cells")
    if cells is None or isinstance(cells, str):
        msg = f"cells = {cells or 'graded'!r}, must be a number to be halved, or a size of the cells be given"
        raise ParameterError(msg)
    return {"cells": (2 * np.asarray(cells)).tolist()}


def _half(refine: Any) -> Any:
    """Return half of the size of cells at some points: a number, or one for each point."""
    return {point: size / 2 for point, size in refine.items()} if isinstance(refine, Mapping) else refine / 2


def _shape_table(name: str, maker: Callable[..., mesh.Domain]) -> Any:
    """Return the table of a shape: a key for each of its arguments."""
    texts, keys = docstrings.arguments(maker), keys_of(maker, left_out=NO_KEYS)
    for key, (type_, words, default) in keys.items():
        annotation = str(inspect.signature(maker).parameters[key].annotation)
        if f"{name}.{key}" in NUMBERS:
            type_ = Annotated[Any, Unit("")]
        elif key == "technology":
            type_, words = File, "layers, metal and unit: a file as em.signoff.read_technology reads it."
        elif key not in texts or texts[key].unit in (None, "", "m"):
            type_ = TYPES.get(annotation, Any)
        keys[key] = Key(type_, words, default)
    if maker is mesh.read:
        keys["file"] = keys.pop("path")
    table = table_of(maker, name=f"Shape_{name}", base=ShapeTable, left_out=(*NO_KEYS, "path"), keys=keys)
    table.tag = "file" if maker is mesh.read else name
    return table


SHAPES: dict[str, Any] = {
    "file" if maker is mesh.read else name: _shape_table(name, maker) for name, maker in sorted(mesh.makers().items())
}


def _named(value: Any) -> Any:
    """Return a table with `file` and no shape as one of a file."""
    if isinstance(value, Mapping) and "file" in value and "shape" not in value:
        return {"shape": "file", **value}
    return value


def _shape(value: Any) -> Any:
    """Return the name that tells the tables apart."""
    return value.get("shape") if isinstance(value, Mapping) else getattr(value, "shape", None)


_ANY: Any = Union[tuple(Annotated[table, Tag(name)] for name, table in SHAPES.items())]  # noqa: UP007 made of data
if TYPE_CHECKING:
    DomainTable = ShapeTable
else:
    DomainTable = Annotated[_ANY, Discriminator(_shape), BeforeValidator(_named)]
