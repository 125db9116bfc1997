"""Analysis of composition patterns: stripes, their number, direction, spacing and defects.

The direction and its sharpness come from the structure tensor, the spacing and the count from the Fourier spectrum, and
the defects from the free ends of the skeletons of the high and of the low bands. Where a low band ends, the two high
bands beside it merge: each end of a low band is one fork of a high one, so the ends count all dislocations.
"""

from emfem.patterns.analysis import Pattern
from emfem.patterns.graph import Skeleton, skeleton
from emfem.patterns.measures import (
    Defects,
    Errors,
    Spectrum,
    defects,
    direction,
    errors,
    measure,
    measure_grid,
    structure_factor,
)
from emfem.patterns.waiting import Survival, survival
from emfem.public import dir_of

__all__ = [
    "Defects",
    "Errors",
    "Pattern",
    "Skeleton",
    "Spectrum",
    "Survival",
    "defects",
    "direction",
    "errors",
    "measure",
    "measure_grid",
    "skeleton",
    "structure_factor",
    "survival",
]
__dir__ = dir_of(__all__)
