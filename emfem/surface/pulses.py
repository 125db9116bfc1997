"""Pulses of current that are averaged: a surface moves by their mean, not by each of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from emfem.errors import PACKAGE, ResolutionWarning, number
from emfem.gate import checked
from emfem.materials.validity import TEMPERATURE

RARE = 1e-6  # of the time: no more may be a time [s]


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

        Warns:
            ResolutionWarning: for numbers that are hardly meant: a duty up to 1e-6, a temperature below 100 K.
        """
        duty = number("duty", self.duty, above=0.0, at_most=1.0)
        if duty <= RARE:
            message = f"duty = {duty:g}, is at most {RARE:g}: it is the part of the time that current flows, not a time"
            warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)
        TEMPERATURE.check("temperature", self.temperature)
