"""State of a run on disk, from which it goes on after whatever ended it."""

from __future__ import annotations

import json
import signal
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, RecoveryWarning, Terminated
from emfem.files import READ_ERRORS, Arrays, reason, save_arrays

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

FORMAT = 3
EVERY = 30.0  # seconds between two files
ABOUT = "about"

Stop = Callable[[], signal.Signals | None]


class SavedState:
    """One file with the newest state of a run: nested tables and lists of numbers, texts and arrays.

    Attributes:
        path: the file; at any moment the old or the new one is there, all of it.
    """

    def __init__(self, path: Path, key: str, *, every: float = EVERY, stop: Stop = lambda: None) -> None:
        """Take the file.

        Args:
            path: a .npz file.
            key: text that is the same for the same run; a state of another one is refused.
            every: wall time between two files [s].
            stop: returns the signal that asks to stop, or None.
        """
        self.path, self._key, self._every, self._stop = path, key, every, stop
        self._written = time.monotonic()

    def read(self) -> dict[str, Any] | None:
        """Return the state; None without one, or with a warning for a damaged one.

        Raises:
            ParameterError: for the state of another run, or of another format.
        """
        if not self.path.exists():
            return None
        try:
            stored = Arrays(self.path)
            about = json.loads(bytes(stored[ABOUT]).decode())
            kind, key = int(about["format"]), about["key"]
            state = _unpacked(about["state"], stored) if kind == FORMAT and key == self._key else {}
        except READ_ERRORS as error:
            msg = f"{self.path} cannot be read: {reason(error)}; the corner begins anew"
            warnings.warn(msg, RecoveryWarning, stacklevel=3)
            return None
        if kind > FORMAT:
            msg = f"{self.path} has format {kind}, must be at most {FORMAT}: take emfem {about.get('emfem')} or newer"
            raise ParameterError(msg)
        if kind < FORMAT:
            msg = f"{self.path} has format {kind}, must be {FORMAT}: it is of a former emfem; remove it to begin anew"
            raise ParameterError(msg)
        if key != self._key:
            msg = f"{self.path} is the state of another run, must be of the same files and options: begin anew"
            raise ParameterError(msg)
        return state

    def due(self) -> bool:
        """Return True if the state is to be written now."""
        return self._stop() is not None or time.monotonic() - self._written >= self._every

    def write(self, state: Mapping[str, Any]) -> None:
        """Write the state; a file that cannot be written is a warning.

        Raises:
            Terminated: afterwards, if a signal has asked to stop.
            TypeError: for a state of other values.
        """
        arrays: dict[str, NDArray[Any]] = {}
        about = {"format": FORMAT, "emfem": version("emfem"), "key": self._key, "state": _packed(state, arrays)}
        shared = {ABOUT: np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)} | arrays
        try:
            save_arrays(self.path, {}, shared, comm=MPI.COMM_SELF)
        except (ParameterError, OSError) as error:
            warnings.warn(f"state not written: {error}", RecoveryWarning, stacklevel=2)
        self._written = time.monotonic()
        number = self._stop()
        if number is not None:
            raise Terminated(number)

    def remove(self) -> None:
        """Remove the file: the run has ended."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _packed(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return a value as JSON takes it; its arrays are put into `arrays`.

    Raises:
        TypeError: for something else.
    """
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"table": {key: _packed(item, arrays) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return [_packed(item, arrays) for item in value]
    msg = f"a state with a {type(value).__name__}, must be numbers, texts, arrays, and lists and tables of them"
    raise TypeError(msg)


def _unpacked(value: Any, stored: Arrays) -> Any:
    """Return what `_packed` has packed."""
    if isinstance(value, list):
        return [_unpacked(item, stored) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return np.array(stored[value["array"]])
    return {key: _unpacked(item, stored) for key, item in value["table"].items()}
