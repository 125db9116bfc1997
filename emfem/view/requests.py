"""Checks of what a browser sends: calls of actions, sizes of panes and choices; anything can come."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from inspect import signature
from typing import Any

from emfem.errors import EmfemError, ParameterError, number, real, shown
from emfem.view.display_options import Size
from emfem.view.runs import error_message
from emfem.view.state import Viewer

import numpy as np

__all__ = ["bounded", "guarded", "like", "pane_size", "whole"]

LEAST, MOST = 40, 8192  # width and height of a pane [pixel]
RATIO = (0.25, 4.0)  # pixels of the screen for each of the page
PIXELS = 2**25  # of a picture, as many as a screen of 7680 x 4320 has
FARTHEST = 1e5  # way or place of the mouse [pixel]


def guarded(action: Callable[..., Any], viewer: Viewer) -> Callable[..., Any]:
    """Return an action that does nothing with wrong arguments, and answers with one sentence."""

    @functools.wraps(action)
    def act(*arguments: Any, **_: Any) -> Any:
        try:
            names = list(signature(action).parameters)
            if len(arguments) != len(names):
                msg = f"{len(arguments)} arguments, must be {len(names)}"
                raise ParameterError(msg)
            by_name = dict(zip(names, arguments, strict=True))
            for name, value in by_name.items():
                _check(name, value, viewer)
            if "sweep" in by_name:
                _check_row(viewer, by_name["sweep"], by_name["name"])
        except EmfemError as error:
            return f"{action.__name__}: {error}"
        return action(*arguments)

    return act


def pane_size(event: Any) -> Size | None:
    """Return the size of a pane of which a browser tells; None for none, or one that is too small."""
    size = event.get("size") if isinstance(event, dict) else None
    sides = [real(size.get(name)) for name in ("width", "height")] if isinstance(size, dict) else []
    if not sides or any(side is None or not math.isfinite(side) or round(side) <= LEAST for side in sides):
        return None
    width, height = (min(round(side or 0.0), MOST) for side in sides)
    ratio = real(event.get("pixelRatio")) or 1.0
    return bounded(width, height, ratio if math.isfinite(ratio) else 1.0)


def bounded(width: int, height: int, ratio: float) -> Size:
    """Return a size of so many pixels, or of the most that are drawn."""
    return Size(width, height, min(float(np.clip(ratio, *RATIO)), math.sqrt(PIXELS / (width * height))))


def whole(value: Any, most: int) -> int:
    """Return the whole number from 0 to `most` next to a value, 0 for one that is no number."""
    result = real(value)
    return 0 if result is None or math.isnan(result) else int(min(max(result, 0), most))


def like(default: Any, value: Any) -> Any:
    """Return a choice if it is one of the kind of the default, and otherwise this."""
    if isinstance(default, float):
        result = real(value)
        return default if result is None or not 0.0 <= result <= 1.0 else result
    if not isinstance(default, tuple):
        return value if isinstance(value, type(default)) else default
    try:
        marks = [[number("mark", each) for each in mark] for mark in value]
    except (TypeError, ParameterError):
        return default
    return marks if 1 <= len(marks) <= 2 and all(len(mark) == 3 for mark in marks) else default


def _check(name: str, value: Any, viewer: Viewer) -> None:
    """Check an argument of an action.

    Raises:
        ParameterError: for another kind of value, a pane or a sweep that there is not, or a mouse that is far away.
    """
    if name in ("pane", "sweep"):
        there = len(viewer.panes if name == "pane" else viewer.sweeps)
        if type(value) is not int or not 0 <= value < there:
            msg = f"{name} = {shown(value)}, must be a whole number from 0 to {there - 1}"
            raise ParameterError(msg)
    elif name in ("line", "turning", "name"):
        if not isinstance(value, str if name == "name" else bool):
            msg = f"{name} = {shown(value)}, must be {'a text' if name == 'name' else 'True or False'}"
            raise ParameterError(msg)
    else:
        number(name, value, at_least=-FARTHEST, at_most=FARTHEST)


def _check_row(viewer: Viewer, sweep: int, name: str) -> None:
    """Check that a sweep has a run.

    Raises:
        ParameterError: if it has not.
    """
    known: list[str] = []
    message = error_message(lambda: known.extend(row["hash"] for row in viewer.sweeps[sweep].rows()[1]))
    if message or not name or name not in known:
        msg = message or f"name = {shown(name)}, must be the hash of a run of the sweep"
        raise ParameterError(msg)
