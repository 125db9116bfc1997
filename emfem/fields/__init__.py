"""Values of finite-element functions on any mesh and any number of ranks.

`functions`: starts, extremes, integrals, interpolation, components. `sampling`: values at points, lines and grids.
"""

from emfem.fields.functions import (
    Cells,
    Interpolation,
    Symbol,
    component,
    component_meaning,
    components,
    copied,
    discontinuous,
    extremes,
    gather,
    integral,
    is_function,
    meaning_of,
    place_outside,
    positive,
    refresh,
    sampled,
    set_initial,
)
from emfem.fields.sampling import Grid, Pixels, Sampler, evaluate, line_cut, probe, sample_grid, to_xarray
from emfem.public import dir_of

__all__ = [
    "Cells",
    "Grid",
    "Interpolation",
    "Pixels",
    "Sampler",
    "Symbol",
    "component",
    "component_meaning",
    "components",
    "copied",
    "discontinuous",
    "evaluate",
    "extremes",
    "gather",
    "integral",
    "is_function",
    "line_cut",
    "meaning_of",
    "place_outside",
    "positive",
    "probe",
    "refresh",
    "sample_grid",
    "sampled",
    "set_initial",
    "to_xarray",
]
__dir__ = dir_of(__all__)
