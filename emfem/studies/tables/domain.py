"""The table [domain]: any shape of em.mesh with its own arguments, or a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

from emfem import mesh
from emfem.studies.door import Angle, Angles, File, Length, Lengths, Number, Numbers, Voltage, Whole, Yes, through
from emfem.studies.tables.base import Table

from pydantic import BeforeValidator, Discriminator, Tag, create_model

# What a parameter is, by its annotation in em.mesh; numbers with a fraction are lengths there, but for those below.
TYPES: Mapping[str, Any] = {
    "int": Whole,
    "bool": Yes,
    "str": str,
    "float": Length,
    "float | None": Length | None,
    "Refine": Length | None,
    "ArrayLike": Lengths,
    "Sequence[float]": Lengths,
    "Sequence[ArrayLike]": Lengths,
    "Mapping[str, Boundary]": Lengths,
    "Sequence[int]": tuple[Whole, ...],
    "Sequence[str]": tuple[str, ...],
}
SPECIAL: Mapping[str, Any] = {
    "annulus.angle": Angle | None,
    "disk.electrodes": Angles,
    "disk.width": Angle | None,
    "from_gds.path": File,
    "from_image.image": File,
    "from_image.threshold": Number | None,
    "from_image.smooth": Number,
    "from_image.simplify": Number,
    "from_netlist.path": File,
    "from_netlist.resistivity": Annotated[Any, through("Ohm m")],
    "from_netlist.thickness": Annotated[Any, through("m")],
    "grid_network.load": Annotated[Any, through("A")],
    "grid_network.supply": Voltage,
    "grid_network.via_resistance": Annotated[float, through("Ohm")],
    "network.segments": Numbers,
    "read.path": File,
    "read_network.path": File,
    "read_network.segments": File | None,
    "read_network.vias": File | None,
}


def makers() -> dict[str, Callable[..., mesh.Domain]]:
    """The makers of domains by name: the public functions of em.mesh that return one and need none."""
    found = {name: getattr(mesh, name) for name in mesh.__all__}
    return {
        name: maker
        for name, maker in found.items()
        if inspect.isfunction(maker)
        and inspect.signature(maker).return_annotation in ("Domain", mesh.Domain)
        and "domain" not in inspect.signature(maker).parameters
    }


class Grains(Table):
    """Random grains as regions of the mesh."""

    count: Whole
    seed: Whole = 0


class Shape(Table):
    """A domain of any shape.

    Attributes:
        shape: its name.
        random_grains: random grains as regions of the mesh, a table.
        axisymmetric: true: a body of revolution, the half plane y > 0 turned about the x axis.
        thickness: of a plane domain, so that currents are in A, not A/m; of wires a key of their own.
    """

    maker: ClassVar[Callable[..., mesh.Domain]]

    shape: str
    random_grains: Grains | None = None
    axisymmetric: Yes = False
    thickness: Length | None = None

    def make(self) -> mesh.Domain:
        """The domain. Collective."""
        common = self.common()
        arguments = {self.renamed().get(name, name): value for name, value in self.given(*common).items()}
        domain = type(self).maker(**arguments)
        if self.random_grains is not None:
            domain = mesh.grains(domain, self.random_grains.count, seed=self.random_grains.seed)
        domain = mesh.axisymmetric(domain) if self.axisymmetric else domain
        plate = self.thickness is not None and "thickness" in common
        return domain.with_thickness(self.thickness) if plate else domain  # type: ignore[arg-type]

    @classmethod
    def common(cls) -> tuple[str, ...]:
        """The keys of every shape, but for those that are arguments of this one, as the thickness of wires is."""
        own = inspect.signature(cls.maker).parameters
        return tuple(name for name in Shape.model_fields if name not in own)

    @classmethod
    def renamed(cls) -> dict[str, str]:
        """Keys that are called otherwise than the argument: the file of `read` is "file" here."""
        return {"file": "path"} if cls.maker is mesh.read else {}


def _table(name: str, maker: Callable[..., mesh.Domain]) -> type[Shape]:
    """The table of a shape: a key for each of its parameters."""
    fields: dict[str, Any] = {}
    for key, parameter in inspect.signature(maker).parameters.items():
        if key != "comm":
            kind = SPECIAL.get(f"{name}.{key}", TYPES.get(str(parameter.annotation), Any))
            default = ... if parameter.default is parameter.empty else parameter.default
            fields["file" if maker is mesh.read and key == "path" else key] = (kind, default)
    made = create_model(f"Shape_{name}", __base__=Shape, **fields)
    made.maker = staticmethod(maker)
    made.tag = "file" if maker is mesh.read else name
    return made


SHAPES: dict[str, type[Shape]] = {
    "file" if maker is mesh.read else name: _table(name, maker) for name, maker in makers().items()
}


def _named(value: Any) -> Any:
    """A table with `file` and no shape is one of a file."""
    if isinstance(value, Mapping) and "file" in value and "shape" not in value:
        return {"shape": "file", **value}
    return value


def _shape(value: Any) -> Any:
    """The name that tells the tables apart."""
    return value.get("shape") if isinstance(value, Mapping) else getattr(value, "shape", None)


_ANY: Any = Union[tuple(Annotated[table, Tag(name)] for name, table in SHAPES.items())]  # noqa: UP007 made of data
if TYPE_CHECKING:
    Domain = Shape
else:
    Domain = Annotated[_ANY, Discriminator(_shape), BeforeValidator(_named)]
