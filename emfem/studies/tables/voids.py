"""The table [voids]: voids in stressed metal, there from the start or opened by tension."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from emfem import conduction, stress, surface, voids
from emfem import model as models
from emfem.errors import count, number, require
from emfem.mesh import Domain, bounds
from emfem.model import Model, OfTime
from emfem.solve import solve_steady
from emfem.stress.inputs import FAINT
from emfem.studies.tables.base import Arguments, BuildContext, Key, Table, keys_from
from emfem.studies.tables.physics import Physics
from emfem.studies.tables.surface import SurfaceShapeTable
from emfem.studies.units import Length, Unit
from emfem.voids.opening import check_made
from emfem.waveforms import as_waveform

import dolfinx
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Pressure = Annotated[float, Unit("Pa")]
DRIVES = ("current_density", "voltage", "current")


class FlawTable(Table):
    """A flaw: a place around which the critical stress is lower, and rises with the square of the distance.

    Attributes:
        place: its coordinates, a list.
        critical_stress: at that place.
        radius: distance at which it is that of the rest.
    """

    place: Annotated[tuple[float, ...], Unit("m")]
    critical_stress: Pressure
    radius: Length

    def make(self) -> FlawTable:
        """Check the numbers."""
        number("flaws.critical_stress", self.critical_stress, at_least=FAINT, unit="Pa")
        number("flaws.radius", self.radius, above=0.0, unit="m")
        return self

    def check_place(self, domain: Domain) -> None:
        """Refuse a place that is no point of the domain's box. Collective.

        Raises:
            ParameterError: with it.
        """
        low, high = (bound[: domain.dim] for bound in bounds(domain.mesh))
        where, slack = np.array(self.place), 1e-6 * (high - low)
        inside = where.shape == low.shape and bool(((where >= low - slack) & (where <= high + slack)).all())
        words = f"{domain.dim} coordinates from {low.tolist()} to {high.tolist()} m"
        require(inside, f"nucleation.flaws.place = {where.tolist()} m, must be {words}")

    def stress(self, x: NDArray[np.float64], far: float) -> NDArray[np.float64]:
        """Return the critical stress at points x, shape (3, n), of a flaw in metal of another one."""
        away = np.linalg.norm(x[: len(self.place)].T - self.place, axis=1) / self.radius
        return self.critical_stress + (far - self.critical_stress) * np.minimum(away, 1.0) ** 2


@keys_from(
    voids.run,
    left_out=("stress", "make", "until", "rtol", "solver", "watch", "before", "checkpoint", "progress", "wall_time"),
    keys={
        "critical_stress": Key(Pressure, "tension that opens a void, at least 1e4 Pa."),
        "extrusion_stress": Key(Pressure, "compression that presses metal out, which is failure.", None),
    },
)
class NucleationTable(Arguments):
    """Opening of voids by tension, before which stress is integrated without them; see `em.voids.run`.

    Attributes:
        flaws: places of lower critical stress, a list of tables.
    """

    flaws: tuple[FlawTable, ...] = ()

    validate_by_building = True

    def make(self) -> None:
        """Check the numbers that need no model."""
        values = self.values()
        for name in ("critical_stress", "extrusion_stress"):
            number(name, values.get(name, FAINT), at_least=FAINT, unit="Pa")
        for name in ("seed_radius", "rise"):
            number(name, values.get(name, 1.0), above=0.0)
        count("most", values.get("most", 1), at_least=1)
        for flaw in self.flaws:
            words = (
                f"flaws.critical_stress = {flaw.critical_stress:g} Pa, must be at most {values['critical_stress']:g} Pa"
            )
            require(flaw.critical_stress <= values["critical_stress"], f"{words}, that of the rest")

    def critical(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the critical stress at points x, shape (3, n) [Pa]."""
        far = float(self.values()["critical_stress"])
        return np.min([np.full(x.shape[1], far), *(flaw.stress(x, far) for flaw in self.flaws)], axis=0)


@dataclass(frozen=True)
class Opening:
    """Life of voids that open in a case: what `em.voids.run` needs besides the settings of a run.

    Attributes:
        make: makes the model of voids from a shape and a stress.
        stress: makes the models before a void opens; solves for a current that does not follow time. Collective.
        options: of `em.voids.run`.
    """

    make: Callable[[Any, Any], Model]
    stress: Callable[[], Sequence[Model]]
    options: Mapping[str, Any] = field(default_factory=dict)


def opening(table: Any, context: BuildContext) -> Opening | None:
    """Return how voids open in a case, None if they are there from the start.

    Args:
        table: [voids].
        context: with domain and material.
    """
    if table.nucleation is None:
        return None
    arguments = table.values("shape", "nucleation", "residual_stress")
    options = table.nucleation.values("flaws") | {"critical_stress": table.nucleation.critical}

    def make(shape: Any, sigma: Any) -> Model:
        return voids.model(context.domain, context.material(), shape=shape, residual_stress=sigma, **arguments)

    return Opening(make, lambda: _stressed(table, context), options)


def _stressed(table: Any, context: BuildContext) -> list[Model]:
    """Return the model of stress without a void, and before it that of its current where this follows time."""
    domain, metal = context.domain, context.material()
    drive = table.one_of(*DRIVES, optional=True)
    common = {"residual_stress": table.residual_stress, "degree": table.degree}
    if drive is None:
        return [stress.model(domain, metal, **common)]
    value: OfTime = getattr(table, drive)
    if table.on is None:
        return [stress.model(domain, metal, current_density=value * np.eye(domain.dim)[0], **common)]
    first, last = table.on
    if drive == "current_density":
        face = models.measure_size(domain, domain.ds(first))
        value = as_waveform(value).scaled(face) if callable(value) else value * face
    volts, amperes = (value, None) if drive == "voltage" else (None, value)
    ends: dict[str, Any] = {first: conduction.electrode(voltage=volts, current=amperes), last: models.fixed(0.0)}
    current = conduction.model(domain, metal, on=ends, degree=table.degree)
    stressed = stress.model(domain, metal, current=current, **common)
    if callable(value):
        return [current, stressed]
    solve_steady(current)
    return [stressed]


def _shape(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return the shape of the metal at the start; of voids that open later that with the first seed, as far as known.

    Raises:
        ParameterError: for neither or both, other tables beside voids that open, a seed that closes or cuts the line.
    """
    which = table.one_of("shape", "nucleation")
    if which == "shape":
        return {}
    names = [f"[{name}]" for name in context.tables if name != "voids"]
    require(not names, f"{' and '.join(names)} beside [voids.nucleation], must be left out: [voids] has the drive")
    alone = table.one_of(*DRIVES, optional=True) in (None, DRIVES[0]) and not callable(table.current_density)
    words = "on is missing, must be two boundaries, unless [voids.nucleation] has a constant current_density along x"
    require(table.on is not None or alone, words)
    for flaw in table.nucleation.flaws:
        flaw.check_place(context.domain)
    nucleation, (place, least) = table.nucleation, _likely(table, context)
    shape = surface.void(place, nucleation.seed_radius)
    made = voids.model(context.domain, context.material(), shape=shape, **table.values("shape", "nucleation"))
    check_made(made, context.domain, nucleation.seed_radius, least, nucleation.rise)
    return {"shape": shape}


def _likely(table: Any, context: BuildContext) -> tuple[NDArray[np.float64], float]:
    """Return the place where the first void will open, as far as known without a solution, and its critical stress.

    It is the vertex of the least critical stress, of equal ones the first of those nearest to where electrons enter.
    Collective.
    """
    domain, drive = context.domain, table.one_of(*DRIVES, optional=True)
    x, comm = domain.mesh.geometry.x, domain.mesh.comm
    critical = table.nucleation.critical(x.T)
    least = min(comm.allgather(float(critical.min(initial=np.inf))))
    near = x[critical <= least * (1 + 1e-9)]
    away = np.zeros(len(near))
    if drive is not None and table.on is not None:
        value = getattr(table, drive)
        first, last = (_corners(domain, name) for name in table.on)
        away = cKDTree(last if (value(0.0) if callable(value) else value) > 0 else first).query(near)[0]
    rows = np.column_stack([np.round(away / domain.extent()[0], 9), near])
    row = min(np.concatenate(comm.allgather(rows)).tolist())
    return np.array(row[1 : 1 + domain.dim]), least


def _corners(domain: Domain, name: str) -> NDArray[np.float64]:
    """Return the vertices of a boundary, shape (n, 3). Collective."""
    facets, mesh = domain.facets.find(domain.tag(name)), domain.mesh
    nodes = dolfinx.mesh.entities_to_geometry(mesh, domain.dim - 1, facets).ravel()
    return np.concatenate(mesh.comm.allgather(mesh.geometry.x[nodes]))


VOIDS = Physics(
    "voids",
    voids.model,
    keys={
        "shape": Key(SurfaceShapeTable, "of the metal at the start, a table; or", None),
        "nucleation": Key(NucleationTable, "voids that open where tension reaches the critical one, a table.", None),
        "on": "names of the boundaries where the current enters and leaves; none where it flows along x.",
        "residual_stress": Key(Pressure, "sigma of the metal at the start.", 0.0),
    },
    arguments=_shape,
    opening=opening,
)
