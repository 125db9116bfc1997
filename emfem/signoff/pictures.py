"""Pictures of a sign-off: maps of drop, stress and first voids, and times, of all corners on the same scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem import plot
from emfem.mesh import Network
from emfem.plot import style
from emfem.signoff.outcome import MOST, PIECES
from emfem.signoff.summary import BINS
from emfem.units import MPa, mV, um, year

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from mpi4py import MPI
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emfem.signoff.verdict import Verdict

Floats = NDArray[np.float64]

WIDTH = 4.6  # of a picture [inch]
DPI = 160  # of a picture in the report
FIRST, LATER = 5, 200  # voids that are marked: first ones of trees, later ones
PADS = 200  # pads that are marked at most
GREY = "#c8c8c8"  # of trees without voids
KINDS = {  # of pictures, with their titles
    "drop": "IR drop at the start",
    "steady": "Highest steady tension of each tree over the critical stress",
    "stress": "Stress along the wires at the end (of immortal trees: the steady stress)",
    "voids": "First void of each tree, and where more opened",
    "times": "Trees with voids, and the drop, over the years",
    "temperature": "Temperature of the metal",
}


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays of a verdict that its pictures need, as `arrays.npz` has them.

    Attributes:
        drop: of each node at the start [V], shape (n,).
        along: stress amid pieces of each wire at the end [Pa], shape (m, pieces), steady where it was not integrated.
        tree: tree of each wire, shape (m,).
        steady: highest steady stress of each tree [Pa], shape (trees,).
        nucleation: first void of each tree [s], shape (trees,); infinity for none.
        node: where, shape (trees,).
        void_node: node of each void, the first of its tree or not, shape (v,).
        void_opened: when it opened [s], shape (v,).
        t: times of the history [s], shape (k,).
        drops: largest drop at these times [V], shape (k,).
        temperature: of each node [K], shape (n,).
    """

    drop: Floats
    along: Floats
    tree: NDArray[np.int64]
    steady: Floats
    nucleation: Floats
    node: NDArray[np.int64]
    void_node: NDArray[np.int64]
    void_opened: Floats
    t: Floats
    drops: Floats
    temperature: Floats

    @classmethod
    def of(cls, verdict: Verdict) -> Arrays:
        """Return those of a verdict."""
        return cls(
            np.asarray(verdict.currents.drop, dtype=float),
            np.asarray(verdict.along, dtype=float),
            np.asarray(verdict.tree, dtype=np.int64),
            np.asarray(verdict.steady_stress, dtype=float),
            np.asarray(verdict.nucleation, dtype=float),
            np.asarray(verdict.nucleation_node, dtype=np.int64),
            np.array([void.node for void in verdict.voids], dtype=np.int64),
            np.array([void.nucleated for void in verdict.voids], dtype=float),
            np.asarray(verdict.t, dtype=float),
            np.asarray(verdict.drop, dtype=float),
            np.asarray(verdict.temperature, dtype=float),
        )


def draw(
    network: Network, corners: Mapping[str, Arrays], folders: Mapping[str, Path], *, until: float, critical: float
) -> dict[str, list[Path]]:
    """Draw every kind of picture of every corner into its folder, and return the files by kind.

    Args:
        network: of the wires.
        corners: arrays by the name of the corner.
        folders: by the name of the corner.
        until: the time that the grid has to last [s].
        critical: stress at which voids open [Pa].
    """
    largest, tension, rise = (
        max((_largest(getattr(each, name)) for each in corners.values()), default=0.0)
        for name in ("drop", "along", "drops")
    )
    degrees = [each.temperature[np.isfinite(each.temperature)] - 273.15 for each in corners.values()]
    span = min(map(np.min, degrees)), max(map(np.max, degrees))
    makers: dict[str, Callable[[Arrays], Figure | None]] = {
        "drop": lambda each: _drop(network, each, largest),
        "steady": lambda each: _steady(network, each, critical),
        "stress": lambda each: _stress(network, each, min(tension, critical)),
        "voids": lambda each: _voids(network, each, until),
        "times": lambda each: _times(each, until, max(rise, largest)),
        "temperature": lambda each: _temperature(network, each, span),
    }
    files: dict[str, list[Path]] = {}
    for kind, make in makers.items():
        for name, each in corners.items():
            figure = make(each)
            if figure is not None:
                path = folders[name] / f"{kind}.png"
                figure.savefig(path, dpi=DPI, bbox_inches="tight", pad_inches=0.04)
                files.setdefault(kind, []).append(path)
    return files


def _largest(values: Floats) -> float:
    """Return the largest of the absolute values that are finite; 0 without any."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _map(network: Network, values: Floats, limits: tuple[float, float], label: str, **more: Any) -> Figure | None:
    """Draw wires in the colours of values within limits, shape (m,) or (m, pieces)."""
    values = np.where(np.isfinite(values), values, limits[0])
    return plot.network(network, values=values, limits=limits, label=label, width=WIDTH, length=um, unit="µm", **more)


def _wires(network: Network, of_nodes: Floats) -> Floats:
    """Return values amid pieces of each wire, on a straight line between those of its ends, shape (m, pieces)."""
    pieces = int(np.clip(MOST // len(network.segments), 1, PIECES))
    start, end = of_nodes[network.segments].T[..., None]
    return start + (end - start) * (np.arange(pieces) + 0.5) / pieces


def _drop(network: Network, each: Arrays, largest: float) -> Figure | None:
    """Draw the drop along each wire; pads are marked."""
    values = _wires(network, np.abs(each.drop)) / mV
    pads = [pad for pad in network.pads if network.degree[pad]] or _beside(network)
    marks = {"pad": pads} if 0 < len(pads) <= PADS else None
    return _map(network, values, (0.0, largest / mV or 1.0), "IR drop [mV]", marks=marks)


def _beside(network: Network) -> list[int]:
    """Return the nodes with metal that vias join to pads without."""
    pads = np.isin(network.vias, list(network.pads))
    nodes = network.vias[pads[:, ::-1]]
    return np.unique(nodes[network.degree[nodes] > 0]).tolist()


def _steady(network: Network, each: Arrays, critical: float) -> Figure | None:
    """Draw the steady tension of each tree over the critical one: below 1 it never gets a void."""
    values = (each.steady / critical)[each.tree]
    return _map(network, np.minimum(values, 2.0), (0.0, 2.0), "steady tension / critical", colours=style.SIGNED)


def _stress(network: Network, each: Arrays, largest: float) -> Figure | None:
    """Draw the stress along each wire; beyond the critical stress the colours are those of the ends."""
    reach = largest / MPa or 1.0
    return _map(network, each.along / MPa, (-reach, reach), "stress, tension positive [MPa]", colours=style.SIGNED)


def _temperature(network: Network, each: Arrays, span: tuple[float, float]) -> Figure | None:
    """Draw the temperature along each wire; nothing where it is the same everywhere."""
    values = _wires(network, each.temperature) - 273.15
    return _map(network, values, span, "temperature [°C]") if np.ptp(values) > 1e-6 else None


def _voids(network: Network, each: Arrays, until: float) -> Figure | None:
    """Draw when each tree gets its first void, those without in grey; the first ones and all later ones are marked."""
    opened = np.isfinite(each.nucleation) & (each.nucleation <= until)
    colours = ListedColormap(mpl.colormaps["YlOrRd_r"](np.linspace(0.0, 0.8, 256))).with_extremes(under=GREY)
    values = np.where(opened, each.nucleation / year, -1.0)[each.tree]
    order = np.flatnonzero(opened)[np.argsort(each.nucleation[opened], kind="stable")][:FIRST]
    words = "first void of each tree" if len(order) == opened.sum() else f"the first {FIRST} of {opened.sum()} trees"
    marks = {words: each.node[order]} if len(order) else {}
    later = np.unique(each.void_node[(each.void_opened <= until) & ~np.isin(each.void_node, each.node[opened])])
    if len(later):
        few = len(later) <= LATER
        marks["later void of a tree" if few else f"{LATER} of {len(later)} later voids"] = later[:LATER]
    label = "first void [years]; grey: none"
    return _map(network, values, (0.0, until / year), label, colours=colours, marks=marks)


def _times(each: Arrays, until: float, largest: float) -> Figure | None:
    """Draw the number of trees with a void, and the largest drop, over time."""
    times = np.sort(each.nucleation[np.isfinite(each.nucleation) & (each.nucleation <= until)]) / year

    def render() -> Figure:
        figure = style.blank(WIDTH, 2.6)
        axes = figure.subplots()
        end = until / year
        axes.step([0.0, *times, end], [0, *range(1, len(times) + 1), len(times)], where="post", color=style.NAMED[0])
        axes.hist(times, bins=BINS, range=(0.0, end), color=style.TINTS[0], edgecolor="white", linewidth=0.5)
        axes.set(xlim=(0.0, end), ylim=(0.0, max(1.0, 1.08 * len(times))), xlabel="time [years]")
        axes.set_ylabel("trees with a void", color=style.NAMED[0])
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        handles: list[Any] = [
            Line2D([], [], color=style.NAMED[0], label="trees with a void"),
            Patch(color=style.TINTS[0], label="in each bin"),
        ]
        if len(each.t):
            other = axes.twinx()
            other.plot(each.t / year, np.abs(each.drops) / mV, color=style.NAMED[1], linestyle=style.DASHES[1])
            other.set(ylim=(0.0, 1.08 * largest / mV or 1.0))
            other.set_ylabel("largest IR drop [mV]", color=style.NAMED[1])
            other.spines["right"].set_visible(True)
            handles.append(Line2D([], [], color=style.NAMED[1], linestyle="--", label="largest IR drop"))
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        return figure

    return style.draw(MPI.COMM_SELF, render)
