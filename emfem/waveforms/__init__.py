"""Waveforms: values that follow time, with the times at which they jump or bend.

A waveform stands wherever a function of time may stand: boundary values, fluxes, voltages, currents, drifts, sources.
Time steps end exactly at its breakpoints, so that no pulse is too short to be seen. At a jump its value is that after
the jump.
"""

from emfem.public import dir_of
from emfem.waveforms.kinds import Waveform
from emfem.waveforms.kinds import margin as margin
from emfem.waveforms.makers import BETWEEN as BETWEEN
from emfem.waveforms.makers import as_waveform as as_waveform
from emfem.waveforms.makers import combined, constant, function, piecewise_linear, pulses, steps, table

__all__ = [
    "Waveform",
    "combined",
    "constant",
    "function",
    "piecewise_linear",
    "pulses",
    "steps",
    "table",
]
__dir__ = dir_of(__all__)
