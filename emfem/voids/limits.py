"""Limits of a void's life: critical stress, the seed, what ends it; checked, and the same in a run that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem import watch as watching
from emfem.checkpoints import alike, owned
from emfem.errors import ParameterError, count, number, require
from emfem.model import Model
from emfem.observe import Observer
from emfem.stress.inputs import FAINT, critical_tension
from emfem.voids.opening import highest

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

__all__ = ["EXTRUDED", "Limits", "limits_of"]

EXTRUDED = "extruded"


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits of a life, checked.

    Attributes:
        critical: critical stress at the nodes of the stress model [Pa].
        least: the least of it [Pa].
        pressed: compression that presses metal out, as the user has it, or None [Pa].
        radius: of the seed [m].
        rise: of the resistance, or None [-].
    """

    critical: fem.Function
    least: float
    pressed: Any
    radius: float
    rise: float | None
    most: int | None

    def extrusion(self, model: Model) -> Observer | None:
        """Return the event that compression in metal reaches its limit, or None without one."""
        if self.pressed is None:
            return None
        limit = _pressed(model["sigma"], self.pressed)
        return watching.event(lambda _, __: _compression(model, limit)[0], above=0.0, reason=EXTRUDED)

    def check_relief(self, relief: float, sigma: fem.Function) -> None:
        """Refuse a seed whose atoms alone compress the metal beyond its limit [Pa]. Collective.

        Raises:
            ParameterError: with both.
        """
        least = np.inf if self.pressed is None else fields.extremes(_pressed(sigma, self.pressed))[0]
        words = f"its atoms take {relief:.4g} Pa out of the metal, which extrudes at {least:.4g} Pa"
        require(relief < least, f"seed_radius = {self.radius:g} m, must be smaller: {words}")

    def extruded(self, model: Model) -> NDArray[np.float64]:
        """Return the place where compression is highest over its limit."""
        return _compression(model, _pressed(model["sigma"], self.pressed))[1]

    def observer(self) -> _Settings:
        """Return what refuses a checkpoint of a run with other limits."""
        pressed = None if self.pressed is None else _sum(_pressed(self.critical, self.pressed))
        total = _sum(self.critical)
        settings = {"critical_stress": [self.least, total], "seed_radius": self.radius, "rise": self.rise}
        settings["most"] = self.most
        return _Settings(settings | {"extrusion_stress": pressed})


def limits_of(
    sigma: fem.Function, critical_stress: Any, extrusion_stress: Any, radius: float, rise: Any, most: int | None
) -> Limits:
    """Return the limits, checked. Collective.

    Raises:
        ParameterError: for one out of its bounds.
    """
    critical = fem.Function(sigma.function_space, name="critical stress")
    fields.set_initial(critical, critical_stress, "critical_stress")
    if extrusion_stress is not None:
        _pressed(sigma, extrusion_stress)
    return Limits(
        critical,
        critical_tension(fields.extremes(critical)[0]),
        extrusion_stress,
        number("seed_radius", radius, above=0.0, unit="m"),
        None if rise is None else number("rise", rise, above=0.0),
        None if most is None else count("most", most, at_least=1),
    )


def _pressed(sigma: fem.Function, limit: Any) -> fem.Function:
    """Return the compression that presses metal out at the nodes of a stress. Collective.

    Raises:
        ParameterError: for one that is not finite, or below that of an atmosphere.
    """
    pressed = fem.Function(sigma.function_space, name="extrusion stress")
    fields.set_initial(pressed, limit, "extrusion_stress")
    number("extrusion_stress", fields.extremes(pressed)[0], at_least=FAINT, unit="Pa")
    return pressed


def _compression(model: Model, limit: fem.Function) -> tuple[float, NDArray[np.float64], float]:
    """Return the highest compression of metal over its limit, less 1, its place, and the stress. Collective."""
    count = model["sigma"].function_space.dofmap.index_map.size_local
    metal = model["c"].x.array[:count] > 0.5 if "c" in model.names else slice(None)
    return highest(model["sigma"], limit, inside=metal, sign=-1.0)


def _sum(function: fem.Function) -> float:
    """Return the sum of all nodes. Collective."""
    return float(function.function_space.mesh.comm.allreduce(float(np.sum(owned(function)))))


class _Settings(Observer):
    """Observer that does nothing but refuse a checkpoint of other settings."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Take them."""
        super().__init__()
        self.settings = dict(settings)

    def state(self) -> dict[str, Any]:
        """Return the settings."""
        return super().state() | {"settings": self.settings}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Refuse others.

        Raises:
            ParameterError: with their names.
        """
        super().restore(state)
        theirs = state["settings"]  # those left out by an earlier version are None
        different = [name for name, value in self.settings.items() if not alike(value, theirs.get(name))]
        if different:
            msg = f"{' and '.join(different)} of another value, must be as in the run of the checkpoint"
            raise ParameterError(msg)

    def record(self, t: float) -> None:
        """Do nothing."""
