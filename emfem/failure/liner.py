"""Liner that carries the current past a void, and the resistance that this adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from emfem.errors import ParameterError, floats, number
from emfem.gate import checked
from emfem.materials import Material

import numpy as np
from numpy.typing import ArrayLike


@checked
@dataclass(frozen=True)
class Liner:
    """A barrier under and beside the metal of a line, through which the current passes a void that cuts the metal.

    Attributes:
        resistivity: of the liner [Ohm m].
        thickness: h_l, of the bottom and of both sides [m].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    resistivity: float
    thickness: float
    maker: ClassVar[str] = "em.failure.Liner"

    def __post_init__(self) -> None:
        """Check every value."""
        number("resistivity", self.resistivity, above=0.0, unit="Ohm m")
        number("thickness", self.thickness, above=0.0, at_most=1e-5, unit="m")

    def resistance_per_length(self, *, width: ArrayLike, thickness: ArrayLike, resistivity: ArrayLike) -> Any:
        """Return the rise of resistance with each metre of metal that a void has cut [Ohm/m].

        rho_l / (h_l (2 H + W)) - rho / (H W): the liner takes over from the metal. A liner that conducts so well that
        this is not above 0 is refused: nobody would notice that a line has failed.

        Args:
            width: W of the metal, a number or one for each segment [m].
            thickness: H of the metal, as well [m].
            resistivity: rho of the metal, as well [Ohm m].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        across, high, rho = floats("width", width), floats("thickness", thickness), floats("resistivity", resistivity)
        for name, values, unit in (("width", across, "m"), ("thickness", high, "m"), ("resistivity", rho, "Ohm m")):
            if not np.all(np.isfinite(values) & (values > 0)):
                msg = f"{name} = {np.min(values):g} {unit}, must be greater than 0 {unit} and finite"
                raise ParameterError(msg)
        with np.errstate(divide="ignore", over="ignore"):  # a rise that is not finite is refused below
            rise = self.resistivity / (self.thickness * (2 * high + across)) - rho / (high * across)
        if np.any(rise <= 0):
            msg = (
                f"liner of {self.resistivity:g} Ohm m conducts as well as the metal, {rho.min():g} Ohm m: no void shows"
            )
            raise ParameterError(msg)
        if not np.isfinite(rise).all():
            msg = f"rise of resistance = {np.max(rise):g} Ohm/m, must be finite: the liner or the metal is too thin"
            raise ParameterError(msg)
        return rise[()]

    def void_length(self, material: Material, *, rise: float, length: float, width: float, thickness: float) -> float:
        """Return the length of metal cut by a void that raised the resistance of a line by a part of it [m].

        Args:
            material: the metal, at its temperature.
            rise: of the resistance over that at the start, above 0 [-].
            length: L of the line [m].
            width: W of the metal [m].
            thickness: H of the metal [m].

        Raises:
            ParameterError: for a value out of its bounds, or a void that would be longer than the line.
        """
        each = self.resistance_per_length(width=width, thickness=thickness, resistivity=material.resistivity)
        start = material.resistivity * number("length", length, above=0.0, unit="m") / (width * thickness)
        cut = float(number("rise", rise, above=0.0) * start / each)
        if cut >= length:
            msg = f"rise = {rise:g} would take a void of {cut:.4g} m, must be less than with all of {length:g} m cut"
            raise ParameterError(msg)
        return cut
