"""A network drawn as a layout in the plane: the currents and stresses of the network model are those of the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.materials import Material
from emfem.units import um

import numpy as np
import pytest

REF = Material(
    "reference",
    temperature=400.0,
    diffusivity=2e-19,
    bulk_modulus=50e9,
    atomic_volume=1.2e-29,
    resistivity=2.5e-8,
    effective_charge=-3.0,
)
ARMS = {"stem": 20 * um, "up": 12 * um, "down": 25 * um}  # from the crossing of the centre lines to the end
WIDTHS = {"stem": 0.8 * um, "up": 0.5 * um, "down": 0.7 * um}
VOLTS = {"stem": 6e-3, "up": 0.0, "down": 1e-3}
TIME = 3e6  # s: stress has spread over 16 um, 2 sqrt(kappa t)


@dataclass
class Found:
    """Values of a model of the T, in the order of ARMS.

    Attributes:
        current: into the metal, over its thickness [A/m].
        soon: stress at the ends after TIME [Pa].
        steady: stress at the ends in the steady state [Pa].
    """

    current: Any
    soon: Any
    steady: Any


def evolved(model: em.Model) -> em.Model:
    em.evolve(model, until=TIME, rtol=1e-4, progress=False)
    return model


def drawn(part: float) -> Found:
    """A T of wires as a polygon, `part` times as wide as WIDTHS, with 2-D conduction and stress."""
    stem, up, down = (part * WIDTHS[name] / 2 for name in ARMS)
    x, y, low = ARMS["stem"], ARMS["up"], -ARMS["down"]
    outline = [(0, -stem), (x - down, -stem), (x - down, low), (x + down, low), (x + down, 0)]
    outline += [(x + up, 0), (x + up, y), (x - up, y), (x - up, stem), (0, stem)]
    ends = {
        "stem": [(0, stem), (0, -stem)],
        "up": [(x - up, y), (x + up, y)],
        "down": [(x - down, low), (x + down, low)],
    }
    domain = em.mesh.polygon(outline, electrodes=ends, size=part * 0.4 * um)
    on = {name: em.fixed(volts) for name, volts in VOLTS.items()}
    current = em.conduction.model(domain, conductivity=1 / REF.resistivity, on=on)
    em.solve_steady(current)
    model = em.stress.model(domain, REF, current=current)
    at = [(1e-9, 0.0), (x, y - 1e-9), (x, low + 1e-9)]
    steady = em.fields.evaluate(em.stress.steady(model), at)
    soon = em.fields.evaluate(evolved(model)["sigma"], at)
    return Found(np.array([-em.conduction.current(current, name) for name in ARMS]), soon, steady)


def modelled(part: float) -> Found:
    """The same T as a network of three wires, its currents from Kirchhoff's laws."""
    nodes = [(0, 0), (ARMS["stem"], ARMS["up"]), (ARMS["stem"], -ARMS["down"]), (ARMS["stem"], 0)]
    width = [part * WIDTHS[name] for name in ARMS]
    net = em.mesh.network(
        nodes, [(0, 3), (1, 3), (2, 3)], width=width, thickness=um, pads=dict(enumerate(VOLTS.values()))
    )
    found = em.conduction.kirchhoff(net, REF.resistivity)
    model = em.stress.model(net, REF, current_density=found.current_density)
    steady = em.stress.at_nodes(em.stress.steady(model))[:3]
    return Found(found.current / um, em.stress.at_nodes(evolved(model))[:3], steady)


@pytest.fixture(scope="module")
def off() -> list[Found]:
    """The drawing less the network, over the largest of each, at full and at half width."""
    found = []
    for part in (1.0, 0.5):
        plane, net = drawn(part), modelled(part)
        parts = [(getattr(plane, n) - getattr(net, n)) / np.abs(getattr(net, n)).max() for n in vars(net)]
        found.append(Found(*parts))
    return found


@pytest.mark.parametrize("name", ["current", "soon", "steady"])
def test_a_layout_agrees_with_its_network(name: str, off: list[Found]):
    """To a third of a width over a length, 0.8 um of 20: where wires meet there is less metal and a shorter way."""
    assert np.abs(getattr(off[0], name)).max() < 0.015
    assert np.abs(getattr(off[1], name)).max() < 0.0075


@pytest.mark.parametrize("name", ["current", "soon", "steady"])
def test_the_difference_is_that_of_the_width(name: str, off: list[Found]):
    """Wires half as wide differ half as much: what is left is where they meet, not an error of either model."""
    wide, narrow = (np.abs(getattr(f, name)).max() for f in off)
    assert 1.6 < wide / narrow < 2.4
