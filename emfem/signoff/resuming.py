"""State of a simulation, all that the rest of it depends on, as numbers, texts and arrays; and going on from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from operator import attrgetter
from typing import Any

from emfem.errors import kind, require
from emfem.signoff.circuit import Course
from emfem.signoff.followed import FollowedTree, Legs, OpenVoid
from emfem.signoff.simulation import Simulation

import numpy as np

NUMBERS = ("t", "failure", "why", "begun", "look")
ARRAYS = {  # of the parts of a simulation; "" is itself
    "": ("nucleation", "nucleation_node", "sensitivity", "tree_failure"),
    "bounds": ("immortal",),
    "planner": ("extra", "highest", "seen"),
    "planner.currents": ("used", "since", "behind"),
}


def state_of(run: Simulation) -> dict[str, Any]:
    """Return the state of a simulation."""
    arrays = {name: getattr(_part(run, part), name).copy() for part, names in ARRAYS.items() for name in names}
    return {name: getattr(run, name) for name in NUMBERS} | arrays | {
        "voids": [list(astuple(void)) for void in run.voids],
        "course": list(astuple(run.circuit.course)),
        "updates": run.circuit.updates(),
        "rows": np.array(run.rows),
        "trees": [_tree(tree) for tree in run.followed.values()],
    }  # fmt: skip


def restore(run: Simulation, state: Mapping[str, Any]) -> None:
    """Let a simulation that has not begun go on from a state of the same run.

    Raises:
        ParameterError: for a state without all that a state has, naming what is missing.
    """
    kind("state", state, Mapping, "what the checkpoint was given to write")
    missing = [name for name in state_of(run) if name not in state]
    words = f"state of the checkpoint without {', '.join(missing)}, must be of this version of emfem: begin anew"
    require(not missing, words)
    if state["begun"]:
        run.begin()  # the same legs as at the start
    for name in NUMBERS:
        setattr(run, name, state[name])
    for part, names in ARRAYS.items():
        for name in names:
            setattr(_part(run, part), name, np.array(state[name]))
    run.voids = [OpenVoid(int(node), *rest) for node, *rest in state["voids"]]
    run.circuit.course = Course(*state["course"])
    run.circuit.restore_updates(state["updates"])
    run.rows = [tuple(row) for row in np.asarray(state["rows"]).reshape(-1, 3).tolist()]
    run.resume([_restored(each, run.legs, run.followed) for each in state["trees"]])


def _restored(each: Mapping[str, Any], legs: Legs, first: Mapping[int, FollowedTree]) -> FollowedTree:
    """Return a tree of a state; the leg of one that is still on its first is that of `first`."""
    number, own = int(each["number"]), each["state"]
    nodes, segments = legs.bounds.members(number)
    tree = FollowedTree(number, nodes, segments, each["began"], np.array(each["density"]), None,
                        np.array(each["sizes"]), open=[int(node) for node in each["open"]])  # fmt: skip
    if own is None and number in first:
        tree.leg = first[number].leg
    elif own is not None:
        volumes = {} if each["volumes"] is None else dict(zip(tree.open, each["volumes"], strict=True))
        legs.remake(tree, np.array(own), volumes, each["sources"])
        if each["released"] and tree.leg is not None:
            tree.leg = tree.leg.released()
    tree.failed, tree.joins, tree.change = bool(each["failed"]), float(each["joins"]), float(each["change"])
    tree.event = (float(each["event"][0]), str(each["event"][1]))
    tree.own_events = [(float(t), str(what)) for t, what in each["own_events"]]
    return tree


def _part(run: Simulation, name: str) -> Any:
    return attrgetter(name)(run) if name else run


def _tree(tree: FollowedTree) -> dict[str, Any]:
    """Return what the state has of a tree."""
    names = ("number", "began", "state", "joins", "change", "density", "sizes", "failed")
    return {name: getattr(tree, name) for name in names} | {
        "released": tree.leg is None or tree.leg.basis is None,
        "sources": [list(each) for each in tree.sources],
        "open": list(tree.open),
        "volumes": None if tree.growth is None else tree.growth.volumes,
        "event": list(tree.event),
        "own_events": [list(event) for event in tree.own_events],
    }
