"""A line heated by its own current, up to thermal runaway.

A copper line of 10 um between ends at 300 K. Its resistivity rises with temperature, so the current heats it more the
hotter it is: the temperature is a cosine, and from j L = pi sqrt(k/(rho0 a)) on there is no steady one. The steady
solve then says so; what it finds below is compared with the closed form, in the middle and along the line. Close to the
limit it follows the law of the resistivity beyond melting, where no copper does: with `em.materials.copper()` as its
material the model would refuse that.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
from matplotlib.figure import Figure

RHO, SLOPE, K, CAPACITY, ENDS = 1.68e-8, 3.93e-3, 400.0, 3.45e6, 300.0  # Ohm m, 1/K, W/(m K), J/(m3 K), K
MELTING = 1357.8  # K
LENGTH = 10 * um
CURRENTS = (1e11, 2e11, 3e11, 4e11, 5e11, 6e11, 7e11, 7.5e11, 7.65e11)  # A/m2
DRAWN = CURRENTS[:6]
LAW: dict[str, Any] = {
    "length": LENGTH,
    "resistivity": RHO,
    "conductivity": K,
    "temperature_coefficient": SLOPE,
}


def wire(cells: int, current_density: float) -> em.Model:
    """The line, not yet solved."""
    line = em.mesh.interval(LENGTH, cells=cells, names=("a", "b"))
    return em.heat.model(
        line,
        current_density=current_density,
        resistivity=lambda temperature: RHO * (1 + SLOPE * (temperature - ENDS)),
        conductivity=K,
        heat_capacity=CAPACITY,
        on={"a": em.fixed(ENDS), "b": em.fixed(ENDS)},
    )


def rise(x: Any, current_density: float) -> Any:
    """Rise of the line above its ends, in closed form [K]."""
    return em.analytic.heated_line(x, current_density=current_density, temperature=ENDS, **LAW) - ENDS


def draw(figure: Figure, profiles: dict[float, Any], hottest: dict[float, float], limit: float) -> None:
    """Profiles, and the hottest place against the current: lines are the closed form, dots the computation."""
    style = em.plot.style
    fine = np.linspace(0.0, LENGTH, 201)
    near = limit * np.concatenate([np.linspace(0.02, 0.9, 80), 1 - np.geomspace(0.1, 1e-3, 80)])
    along, against = figure.subplots(1, 2)
    for i, (j, (x, computed)) in enumerate(profiles.items()):
        along.plot(fine / um, rise(fine, j), color=style.named_colour(i))
        along.plot(x / um, computed, "o", color=style.named_colour(i), markersize=3.5, label=f"{j / 1e11:g}")
    along.set(xlabel="x [µm]", ylabel="T − 300 K [K]", xlim=(0, LENGTH / um), ylim=(0, 640))
    along.legend(loc="upper center", ncols=6, title="current density [10¹¹ A/m²]", columnspacing=1.0, handletextpad=0.1)
    along.set_title("lines: closed form, dots: computed")
    against.semilogy(near / 1e11, [rise(LENGTH / 2, j) for j in near], color=style.INK)
    solid = {j: top for j, top in hottest.items() if ENDS + top < MELTING}
    molten = {j: top for j, top in hottest.items() if j not in solid}
    for tops, inside, name in ((solid, style.named_colour(0), "computed"), (molten, "white", "would have molten")):
        against.semilogy(
            np.array(list(tops)) / 1e11,
            list(tops.values()),
            "o",
            color=style.named_colour(0),
            markerfacecolor=inside,
            label=name,
        )
    against.legend(loc="lower center")
    against.axvline(limit / 1e11, color=style.WARNING, linestyle="dashed")
    against.text(0.985 * limit / 1e11, 0.3, "runaway", color=style.WARNING, rotation=90, ha="right")
    against.axhline(MELTING - ENDS, color=style.GREY, linestyle="dotted")
    against.text(0.2, 1.2 * (MELTING - ENDS), "copper melts", color=style.GREY)
    against.set(xlabel="current density [10¹¹ A/m²]", ylabel="highest T − 300 K [K]", ylim=(0.1, 3e5), xlim=(0, 8.1))


def main(cells: int = 100, out: str = "results/joule_line") -> dict[str, Any]:
    """The highest rise at each current [K], error of the profiles [-], the limit [A/m2], the message beyond."""
    limit = em.analytic.runaway_current_density(**LAW)
    points = np.linspace(0.0, LENGTH, 21)
    profiles, hottest, error = {}, {}, 0.0
    for j in CURRENTS:
        model = wire(cells, j)
        em.solve_steady(model)
        computed = em.fields.evaluate(model["T"], points[:, None]) - ENDS
        error = max(error, float(abs(computed - rise(points, j)).max() / rise(LENGTH / 2, j)))
        hottest[j] = model.quantity("T_max") - ENDS
        if j in DRAWN:
            profiles[j] = (points, computed)
    message = ""
    try:
        em.solve_steady(wire(cells, 1.01 * limit))
    except em.ConvergenceError as runaway:
        message = str(runaway)
    em.plot.figure(lambda figure: draw(figure, profiles, hottest, limit), Path(out) / "line.png", height=3.0)
    em.write.print_root(*(f"j = {j:.2e} A/m2: {top:10.4f} K" for j, top in hottest.items()))
    em.write.print_root(f"limit {limit:.6e} A/m2, profiles within {error:.1e}; 1 % beyond: {message}")
    return {"hottest": hottest, "error": error, "limit": limit, "message": message}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=100, help="along the line")
    options.add_argument("--out", default="results/joule_line", help="folder for the results")
    main(**vars(options.parse_args()))
