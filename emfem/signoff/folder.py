"""Folder of a sign-off: tables, pictures, summaries and states of its corners, and the report.

out/report.html  verdict.json           the page, and the same for programs
out/corners/NAME/trees.csv  .parquet    a row a tree of metal
                 wires.csv  .parquet    a row a wire
                 nodes.csv  .parquet    a row a node
                 history.csv            largest drop and rise of resistance over time
                 arrays.npz             what the pictures are made of
                 verdict.json           the summary of the corner; it is there when the corner is done
                 state.npz              from which an interrupted corner goes on
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError
from emfem.files import READ_ERRORS, reason, replace_text, save_arrays, writable
from emfem.files import Arrays as StoredArrays
from emfem.lock import FolderLock
from emfem.mesh import Network
from emfem.signoff.corners import Corner
from emfem.signoff.pictures import Arrays, draw
from emfem.signoff.report import report
from emfem.signoff.state import SavedState, Stop
from emfem.signoff.summary import node_name, plain

import numpy as np
import pandas as pd
from mpi4py import MPI

if TYPE_CHECKING:
    from emfem.signoff.verdict import Verdict

__all__ = ["Folder"]

VERDICT, REPORT, CORNERS, ARRAYS, STATE = "verdict.json", "report.html", "corners", "arrays.npz", "state.npz"


class Folder:
    """Folder of a sign-off.

    Attributes:
        path: of the folder.
    """

    def __init__(self, path: Path, network: Network, keys: Mapping[str, str]) -> None:
        """Take the folder; `keys` are texts by corner, the same for the same run."""
        self.path, self._network, self._keys = path, network, keys

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder.

        Raises:
            ParameterError: if one is there, or it cannot be written to.
        """
        writable(self.path / REPORT, comm=MPI.COMM_SELF)
        with FolderLock(self.path, comm=MPI.COMM_SELF):
            yield

    def prepare(self, *, resume: bool, force: bool) -> None:
        """Make the folders of the corners, without what is not to stay.

        Raises:
            ParameterError: for a folder with a sign-off, unless it is to go on or to be replaced.
        """
        finished, old = (self.path / VERDICT).exists(), sorted((self.path / CORNERS).glob("*/"))
        if not (resume or force) and (finished or old):
            kind = "a finished sign-off: force" if finished else "one that did not end: resume goes on with it, force"
            msg = f"folder = {str(self.path)!r}, must be another folder, for it holds {kind} replaces it"
            raise ParameterError(msg)
        try:
            for path in (self.path / VERDICT, self.path / REPORT):
                path.unlink(missing_ok=True)
            for folder in old:
                if not resume or folder.name not in self._keys:
                    _clear(folder)
            for name in self._keys:
                self._of(name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"folder = {str(self.path)!r}, must be a folder that can be written: {reason(error)}"
            raise ParameterError(msg) from None

    def _of(self, name: str) -> Path:
        return self.path / CORNERS / name

    def summary(self, corner: Corner) -> dict[str, Any] | None:
        """Return the summary of a corner that is done; None for others.

        Raises:
            ParameterError: for one of other files or options.
        """
        path = self._of(corner.name) / VERDICT
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            key, summary = content["key"], content["summary"]
            stored = StoredArrays(path.parent / ARRAYS)
            for field in fields(Arrays):
                stored[field.name]
        except READ_ERRORS:  # half a corner, or one without an array of today: it is computed again
            return None
        if key != self._keys[corner.name]:
            msg = f"{path} is of another run, must be of the same files, options and versions: begin anew"
            raise ParameterError(msg)
        return dict(summary)

    def state(self, corner: Corner, stop: Stop) -> SavedState:
        """Return the state of a corner on disk."""
        return SavedState(self._of(corner.name) / STATE, self._keys[corner.name], stop=stop)

    def write(self, corner: Corner, verdict: Verdict, summary: dict[str, Any]) -> dict[str, Any]:
        """Write the tables of a corner, then its summary, and return that as it is on disk."""
        folder = self._of(corner.name)
        with _writing(folder):
            nodes, history = node_table(verdict), history_table(verdict)
            for name, table in (("trees", verdict.trees()), ("wires", verdict.wires()), ("nodes", nodes)):
                table.to_csv(folder / f"{name}.csv", index=False)
                table.to_parquet(folder / f"{name}.parquet", index=False)
            history.to_csv(folder / "history.csv", index=False)
            arrays = Arrays.of(verdict)
            save_arrays(
                folder / ARRAYS, {}, {f.name: getattr(arrays, f.name) for f in fields(Arrays)}, comm=MPI.COMM_SELF
            )
            _write_json(folder / VERDICT, {"key": self._keys[corner.name], "summary": summary})
        SavedState(folder / STATE, "").remove()
        return summary

    def finish(self, content: Mapping[str, Any], *, until: float, critical: float) -> None:
        """Draw the pictures, and write the report and the summary."""
        corners, folders = {}, {}
        for name in self._keys:
            folders[name] = self._of(name)
            stored = StoredArrays(folders[name] / ARRAYS)
            corners[name] = Arrays(**{f.name: np.array(stored[f.name]) for f in fields(Arrays)})
        with _writing(self.path):
            drawn = draw(self._network, corners, folders, until=until, critical=critical)
            pictures = {kind: [(path.parent.name, path) for path in files] for kind, files in drawn.items()}
            replace_text(self.path / REPORT, report(content, pictures))
            _write_json(self.path / VERDICT, content)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Report a file that cannot be written.

    Raises:
        ParameterError: with the reason.
    """
    try:
        yield
    except OSError as error:
        msg = f"folder = {str(folder)!r}, must be a folder that can be written: {reason(error)}"
        raise ParameterError(msg) from None


def _clear(folder: Path) -> None:
    """Remove the files of a corner, and its folder if nothing else is there."""
    for pattern in ("*.csv", "*.parquet", "*.png", ARRAYS, STATE, VERDICT):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    replace_text(path, json.dumps(plain(content), indent=1, allow_nan=False) + "\n")


def node_table(verdict: Verdict) -> pd.DataFrame:
    """Return a row a node: its name, place, voltage, drop, temperature and stress."""
    network, currents = verdict.network, verdict.currents
    columns: dict[str, Any] = {"node": [node_name(network, i) for i in range(len(network.nodes))]}
    columns |= {f"{axis} [m]": values for axis, values in zip("xyz", network.nodes.T, strict=False)}
    columns |= {"potential [V]": currents.potential, "drop [V]": currents.drop}
    columns |= {"temperature [K]": verdict.temperature, "steady stress [Pa]": verdict.steady}
    columns |= {"stress at the end [Pa]": verdict.stress, "drop at the end [V]": verdict.currents_end.drop}
    return pd.DataFrame(columns)


def history_table(verdict: Verdict) -> pd.DataFrame:
    """Return a row a time: the largest drop and the largest rise of resistance."""
    return pd.DataFrame(
        {"t [s]": verdict.t, "largest drop [V]": verdict.drop, "largest rise of resistance": verdict.resistance_rise}
    )
