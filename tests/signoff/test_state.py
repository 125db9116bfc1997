"""States of runs on disk."""

import signal
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import RecoveryWarning, Terminated
from emfem.signoff.state import SavedState

import numpy as np
import pytest

STATE: dict[str, Any] = {
    "t": 1.5e7,
    "infinite": np.inf,
    "count": np.int64(3),
    "done": np.bool_(True),
    "why": "a \N{GREEK SMALL LETTER SIGMA}",
    "none": None,
    "voids": [{"node": 3, "volume": np.arange(4.0)}, {"node": 4, "volume": np.zeros((0, 2))}],
    "stress": np.array([[1.0, np.nan], [np.inf, -0.0]]),
    "open": np.array([True, False]),
    "array": {"array": {"table": 1}},
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return bool(one == other)


def test_a_state_comes_back_bit_by_bit(tmp_path: Path):
    SavedState(tmp_path / "state.npz", "key").write(STATE)
    read = SavedState(tmp_path / "state.npz", "key").read()
    assert same(STATE, read)
    assert read is not None
    read["stress"][0] = 0.0  # it is a copy
    assert not list(tmp_path.glob("*.part*"))


def test_there_is_none_at_first(tmp_path: Path):
    state = SavedState(tmp_path / "state.npz", "key")
    assert state.read() is None
    state.remove()


def test_the_state_of_another_run_is_refused(tmp_path: Path):
    SavedState(tmp_path / "state.npz", "key").write(STATE)
    with pytest.raises(em.ParameterError, match="is the state of another run"):
        SavedState(tmp_path / "state.npz", "other").read()


def test_a_state_of_a_former_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.signoff.state.FORMAT", 1)
    SavedState(tmp_path / "state.npz", "key").write(STATE)
    monkeypatch.undo()
    with pytest.raises(em.ParameterError, match="has format 1, must be 3: it is of a former emfem; remove it to begin"):
        SavedState(tmp_path / "state.npz", "key").read()


@pytest.mark.parametrize("cut", [0, 10, -200, -1])
def test_a_damaged_state_is_a_warning(tmp_path: Path, cut: int):
    state = SavedState(tmp_path / "state.npz", "key")
    state.write(STATE)
    state.path.write_bytes(state.path.read_bytes()[:cut])
    with pytest.warns(RecoveryWarning, match="cannot be read: .*; the corner begins anew"):
        assert state.read() is None


def test_a_flipped_bit_is_seen(tmp_path: Path):
    state = SavedState(tmp_path / "state.npz", "key")
    state.write(STATE)
    content = bytearray(state.path.read_bytes())
    content[content.index(np.arange(4.0).tobytes()) + 9] ^= 1
    state.path.write_bytes(content)
    with pytest.warns(RecoveryWarning, match="is damaged"):
        assert state.read() is None


@pytest.mark.parametrize("value", [object(), {1: 2}, np.array([object()]), {"deep": [lambda: 0]}])
def test_other_values_are_refused(tmp_path: Path, value: Any):
    with pytest.raises(TypeError, match="must be numbers, texts, arrays"):
        SavedState(tmp_path / "state.npz", "key").write({"value": value})


def test_it_is_due_by_the_clock_or_by_a_signal(tmp_path: Path):
    stopped: list[signal.Signals] = []
    state = SavedState(tmp_path / "state.npz", "key", stop=lambda: stopped[0] if stopped else None)
    assert not state.due()
    stopped.append(signal.SIGINT)
    assert state.due()
    with pytest.raises(Terminated) as end:
        state.write(STATE)
    assert end.value.signal == signal.SIGINT
    assert same(STATE, SavedState(tmp_path / "state.npz", "key").read())
    assert SavedState(tmp_path / "state.npz", "key", every=0.0).due()


def test_a_state_that_cannot_be_written_is_a_warning(tmp_path: Path):
    state = SavedState(tmp_path / "missing" / "state.npz", "key")
    with pytest.warns(RecoveryWarning, match="state not written"):
        state.write(STATE)
