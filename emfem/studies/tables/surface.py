"""The table [surface]: a surface that its curvature and a current move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from emfem import surface
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.studies.door import Angle, Metres, Number, Temperature, Whole, Yes, through
from emfem.studies.in_time import VoltageInTime, follows
from emfem.studies.tables.base import Parts, Table, made

FORMS: Mapping[str, Callable[..., surface.Shape]] = {
    name: getattr(surface, name) for name in ("void", "wire", "strip", "flat", "bridge")
}
Places = Annotated[Any, through("m")]


class Form(Table):
    """What the metal looks like at the start; see the function of that name in em.surface.

    Attributes:
        kind: "void", "wire", "strip", "flat" or "bridge"; which of the keys below it takes is told by `emfem check`.
    """

    tried: ClassVar[bool] = True

    kind: str
    centre: Places = None
    radius: Metres | None = None
    axis: Places = None
    width: Metres | None = None
    height: Metres | None = None
    length: Metres | None = None
    middle: Metres | None = None
    fillet: Metres | None = None
    amplitude: Metres | None = None
    wavelength: Metres | None = None
    phase: Angle | None = None

    def make(self) -> surface.Shape:
        """The shape."""
        if self.kind not in FORMS:
            msg = f"kind = {self.kind!r}, must be one of {', '.join(FORMS)}"
            raise ParameterError(msg)
        return made(FORMS[self.kind], self.given("kind"))


class Facets(Table):
    """A mobility that follows the direction of the surface."""

    tried: ClassVar[bool] = True

    strength: Number
    fold: Whole = 4
    angle: Angle = 0.0

    def make(self) -> surface.MobilityAnisotropy:
        """The anisotropy."""
        return surface.MobilityAnisotropy(**self.given())


class Surface(Table):
    """The surface.

    Attributes:
        shape: what the metal looks like at the start, a table.
        current_density: mean over the whole cross-section, vacuum too, positive along x or from the first to the last
            of `on`; give at most one of it, voltage and current.
        on: names of the boundaries where the current enters and leaves; left out where the domain is periodic along x.
        anisotropy: of the mobility, a table.
        temperature: that of the material when left out.
        heat: true: that of [heat].
    """

    shape: Form
    interface_width: Metres
    current_density: Annotated[Any, follows("A/m2")] = None
    voltage: VoltageInTime = None
    current: Annotated[Any, follows("A")] = None
    on: tuple[str, ...] | None = None
    anisotropy: Facets | None = None
    temperature: Temperature | None = None
    heat: Yes = False
    conductivity_ratio: Number = 1e-3
    degree: Whole = 1

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        return surface.model(
            parts.domain,
            parts.material(),
            shape=self.shape.make(),
            interface_width=self.interface_width,
            current_density=self.current_density,
            voltage=self.voltage,
            current=self.current,
            on=self.on,
            anisotropy=None if self.anisotropy is None else self.anisotropy.make(),
            temperature=parts.model("heat")["T"] if self.heat else self.temperature,
            conductivity_ratio=self.conductivity_ratio,
            degree=self.degree,
        )
