"""Widths of the wires of a netlist: their own, those of a layout or a layer, or those of their resistance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import UnknownName, kind, number, require
from emfem.mesh.cards import Cards
from emfem.mesh.graph import Floats, Numbers, extent
from emfem.mesh.lefdef import Geometry
from emfem.mesh.wires import first_of_pair

import numpy as np
from numpy.typing import NDArray

PerLayer = float | Mapping[str | int, float]

ATOM = 1e-10  # m; no wire is narrower
DIFFERENT = 0.1  # part of a resistance: more is another wire than that of the netlist
NARROW, MANY = 0.2, 10  # of the median width of a layer; wires of a layer that has a median


@dataclass(frozen=True, eq=False)
class Metal:
    """Numbers of the layers.

    Attributes:
        resistivity: of a layer by its name [Ohm m].
        thickness: of a layer by its name [m].
        widths: of layers and of wires, by the name of the layer or the resistor [m].
        width: of a layer by its name, None where it follows from the resistance [m].
        unit: length of 1 in the coordinates [m]; None if it is not known.
    """

    resistivity: Callable[[str], float]
    thickness: Callable[[str], float]
    width: Callable[[str], float | None]
    widths: Mapping[str, float]
    unit: float | None


def metal_of(
    technology: Any,
    resistivity: PerLayer | None,
    thickness: PerLayer | None,
    width: PerLayer | None,
    unit: float | None,
) -> Metal:
    """Return the numbers of the layers, from the arguments and the technology.

    Raises:
        ParameterError: for a number out of bounds, or one that neither the arguments nor the technology have.
    """
    layers: Mapping[str, Any] = {}
    if technology is not None:
        layers = getattr(technology, "layers", {})
        kind("technology", layers or technology, Mapping, "that of em.signoff.read_technology")
        unit = getattr(technology, "unit", None) if unit is None else unit
    of: list[Callable[[str], float]] = []
    for name, value, si in (("resistivity", resistivity, "Ohm m"), ("thickness", thickness, "m")):
        require(value is not None or layers, f"{name} = None, must be a number or one a layer, or come of technology=")
        own: Any = {key: getattr(layer, name) for key, layer in layers.items()} if value is None else value
        of.append(_per_layer("technology" if value is None else name, own, si))
    widths = {}
    if isinstance(width, Mapping):
        widths = {str(key): number(f"width[{key!r}]", each, above=0.0, unit="m") for key, each in width.items()}
    same = None if width is None or isinstance(width, Mapping) else number("width", width, above=0.0, unit="m")
    scale = None if unit is None else number("unit", unit, above=0.0, unit="m")

    def width_of(layer: str) -> float | None:
        return widths.get(layer, getattr(layers.get(layer), "width", None)) if same is None else same

    return Metal(of[0], of[1], width_of, widths, scale)


def _per_layer(name: str, value: PerLayer, unit: str) -> Callable[[str], float]:
    """Return a function that returns the value of a layer."""
    if not isinstance(value, Mapping):
        same = number(name, value, above=0.0, unit=unit)
        return lambda _: same
    known = {str(layer): number(f"{name}[{layer!r}]", each, above=0.0, unit=unit) for layer, each in value.items()}

    def of(layer: str) -> float:
        if layer not in known:
            raise UnknownName(layer, f"{name}, by the layer in names of nodes,", known)
        return known[layer]

    return of


@dataclass(frozen=True, eq=False)
class Resistors:
    """Resistors of a netlist that are wires, or vias.

    Attributes:
        pairs: nodes, shape (m, 2).
        ohms: resistance [Ohm], shape (m,).
        cards: numbers of the cards, shape (m,).
        layer: index of the layer, shape (m,); empty for vias.
        width: [m], shape (m,); empty until it is known.
        thickness: [m], shape (m,); empty until it is known.
    """

    pairs: Numbers
    ohms: Floats
    cards: Numbers
    layer: Numbers
    width: Floats
    thickness: Floats

    def chosen(self, which: Any) -> Resistors:
        """Return some of them."""
        columns = {name: values[which] for name, values in vars(self).items() if len(values)}
        return replace(self, **columns)


def sized(
    cards: Cards,
    wires: Resistors,
    points: Floats,
    layers: tuple[str, ...],
    metal: Metal,
    geometry: Geometry | None,
    notes: list[str],
) -> Resistors:
    """Return the wires with width and thickness; a width that is not that of the resistance is noted.

    Raises:
        ParameterError: for a wire that is wider than the grid, or narrower than an atom.
        UnknownName: for a width of something that does not exist.
    """
    a, b = wires.pairs.T
    length = np.linalg.norm(points[b] - points[a], axis=1)
    used = np.unique(wires.layer)
    rho, height, of_layer = np.zeros(len(layers)), np.zeros(len(layers)), np.full(len(layers), np.nan)
    for i in used:
        try:
            rho[i], height[i] = metal.resistivity(layers[i]), metal.thickness(layers[i])
        except UnknownName as error:
            where = cards.where(wires.cards[np.flatnonzero(wires.layer == i)[0]])
            raise UnknownName(error.name, f"{where}: {error.owner}", error.known) from None
        of_layer[i] = metal.width(layers[i]) or np.nan
    thickness = height[wires.layer]
    with np.errstate(divide="ignore", over="ignore"):  # a width that is not finite is refused below
        inferred = rho[wires.layer] * length / (wires.ohms * thickness)
    width = of_layer[wires.layer]
    if geometry is not None:
        for i in used:
            here = wires.layer == i
            true = geometry.widths(layers[i], points[a[here]], points[b[here]])
            width[here] = np.where(np.isnan(true), width[here], true)
    own = {name: each for name, each in metal.widths.items() if name not in layers}
    if own:
        number_of = {cards.names[card]: i for i, card in enumerate(wires.cards.tolist())}
        for name, each in own.items():
            if name not in number_of:
                raise UnknownName(name, f"width, of layers and wires of {cards.file},", [*layers, *number_of])
            width[number_of[name]] = each
    free = np.isnan(width)
    across = extent(points[~np.isnan(points[:, 0])])
    chosen = wires.chosen(free)
    _check_width(cards, inferred[free], length[free], chosen, across)
    width = np.where(free, inferred, width)
    _note_stubs(cards, wires, width, free, notes)
    ratio = inferred / width  # of the resistance by the width to that of the netlist
    off = np.abs(ratio - 1) > DIFFERENT
    if off.any():
        i = int(np.abs(np.log(np.where(off, ratio, 1.0))).argmax())
        card = int(wires.cards[i])
        notes.append(
            f"{cards.file}: {off.sum()} wires have another resistance by their width than in the netlist, "
            f"{cards.names[card]} of {cards.where(card)} {ratio[i]:.3g} times that of "
            "the netlist: resistances, currents and current densities are those of the width"
        )
    return replace(wires, width=width, thickness=thickness)


def _note_stubs(cards: Cards, wires: Resistors, width: Floats, free: NDArray[np.bool_], notes: list[str]) -> None:
    """Note wires that their resistance makes far narrower than the others of their layer: pieces to a pin, mostly."""
    medians = np.zeros(wires.layer.max(initial=0) + 1)
    for i in np.flatnonzero(np.bincount(wires.layer[free], minlength=len(medians)) >= MANY):
        medians[i] = np.median(width[free & (wires.layer == i)])
    narrow = np.flatnonzero(free & (width < NARROW * medians[wires.layer]))
    if len(narrow):
        worst = narrow[width[narrow].argmin()]
        card = int(wires.cards[worst])
        notes.append(
            f"{cards.file}: {len(narrow)} wires are less than {NARROW:g} times as wide as the median of their layer by "
            f"their resistance, {cards.names[card]} of {cards.where(card)} {width[worst]:.3g} m. Is it a short piece, "
            "with a resistance of its own? Give its width"
        )


def joined(cards: Cards, wires: Resistors, nodes: tuple[str, ...], notes: list[str]) -> Resistors:
    """Return the wires with those between the same two nodes joined into one of their summed width, and note that."""
    first = first_of_pair(wires.pairs, len(nodes))
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return wires
    i = int(again[0])
    between = " and ".join(repr(nodes[node]) for node in wires.pairs[i])
    pair = " and ".join(cards.names[wires.cards[each]] for each in (int(first[i]), i))
    notes.append(
        f"{cards.file}: wires side by side, such as {pair} between {between} ({len(again)} more than one a pair), are "
        "each one wire of the summed width, which a void must cut as a whole"
    )
    width = np.bincount(first, wires.width, len(first))
    return replace(wires, width=width).chosen(first == np.arange(len(first)))


def _check_width(cards: Cards, width: Floats, length: Floats, wires: Resistors, across: float) -> None:
    """Check that no wire is wider than the grid, or narrower than an atom."""
    for wrong, bound in (
        (width > across, f"at most {across:.3g} m, the grid's extent"),
        (width < ATOM, "an atom's at least"),
    ):
        for i in np.flatnonzero(wrong)[:1]:
            made = f"{wires.ohms[i]:g} Ohm over {length[i]:.4g} m make a wire {width[i]:.3g} m wide"
            raise cards.error(wires.cards[i], f"{made}, must be {bound}: check unit, resistivity and thickness")
