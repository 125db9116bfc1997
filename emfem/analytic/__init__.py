"""Closed-form solutions, in NumPy, to compare simulations with."""

from emfem.analytic.films import (
    film_fastest_wave,
    film_neutral_waves,
    film_selected_wave,
    kink,
    logistic_profile,
)
from emfem.analytic.heat import heated_line, isothermal_electrodes, runaway_current_density
from emfem.analytic.heights import height_composition_matrix, height_composition_rates
from emfem.analytic.mechanics import (
    confined_line_modulus,
    embedded_line_modulus,
    heated_hole,
    kirsch,
    plastic_radius,
    thick_cylinder,
)
from emfem.analytic.migration import blocked_drift, cancellation_temperature, kirkendall_marker, wall_accumulation
from emfem.analytic.stress import (
    blech_product,
    korhonen_half_line,
    korhonen_line,
    korhonen_void,
    nucleation_time,
    pulse_ripple,
    void_growth,
    void_saturation,
)
from emfem.analytic.surface import (
    circle_decay_rate,
    flat_growth_rate,
    mullins_coefficient,
    mullins_groove,
    rayleigh_conductivity,
    rayleigh_plateau_wavelength,
    stressed_growth_rate,
    surface_drift,
    void_drift_velocity,
    wire_growth_rate,
    wulff,
)
from emfem.analytic.voids import critical_wind_number, stressed_void_rate, void_growth_rates, void_mode
from emfem.public import dir_of

__all__ = [
    "blech_product",
    "blocked_drift",
    "cancellation_temperature",
    "circle_decay_rate",
    "confined_line_modulus",
    "critical_wind_number",
    "embedded_line_modulus",
    "film_fastest_wave",
    "film_neutral_waves",
    "film_selected_wave",
    "flat_growth_rate",
    "heated_hole",
    "heated_line",
    "height_composition_matrix",
    "height_composition_rates",
    "isothermal_electrodes",
    "kink",
    "kirkendall_marker",
    "kirsch",
    "korhonen_half_line",
    "korhonen_line",
    "korhonen_void",
    "logistic_profile",
    "mullins_coefficient",
    "mullins_groove",
    "nucleation_time",
    "plastic_radius",
    "pulse_ripple",
    "rayleigh_conductivity",
    "rayleigh_plateau_wavelength",
    "runaway_current_density",
    "stressed_growth_rate",
    "stressed_void_rate",
    "surface_drift",
    "thick_cylinder",
    "void_drift_velocity",
    "void_growth",
    "void_growth_rates",
    "void_mode",
    "void_saturation",
    "wall_accumulation",
    "wire_growth_rate",
    "wulff",
]

__dir__ = dir_of(__all__)
