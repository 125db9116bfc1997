"""Pulses of current that are averaged: a surface moves by their mean, not by each of them."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.errors import number
from emfem.gate import checked

COLDEST = 1.0  # K


@checked
@dataclass(frozen=True)
class Pulses:
    """Train of pulses, each long for the heat of the wire and short for the motion of its surface.

    With it the drive of an `em.surface.model`, its voltage, current, power, fields and temperature are those during a
    pulse. Atoms move by the mean over pulses and pauses,

        B = f B(T) + (1 - f) B(T_off),   B Z* = f B(T) Z*(T)

    f the duty, T the temperature during a pulse: curvature acts always, the field only for the part f of the time. It
    is the limit of pulses that are short against `em.surface.scales(...).levelling_time` at T and long against
    L^2 c / k, in which a wire of length L warms, 0.1 ns for tungsten of 80 nm. Other pulses take a drive that is a
    waveform, such as `em.waveforms.pulses(...)`, and a heat model.

    Attributes:
        duty: f, part of the time that the current flows, above 0 and at most 1 [-].
        temperature: T_off, of the whole wire between pulses, at least 1 [K].
    """

    duty: float
    temperature: float

    def __post_init__(self) -> None:
        """Check both numbers.

        Raises:
            ParameterError: for one out of its bounds.
        """
        number("duty", self.duty, above=0.0, at_most=1.0)
        number("temperature", self.temperature, at_least=COLDEST, unit="K")
