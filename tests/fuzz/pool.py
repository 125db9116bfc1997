"""Calls in a process of their own, with limits of time and memory; findings, grouped by place."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 10.0  # s of processor time for a call; of the clock, PATIENCE times as much: the machine may be busy
PATIENCE = 4.0
START = 120.0  # s for the imports
PLACE = re.compile(r'File "(?:[^"]*/emfem/)?([^"]+)", line (\d+) in (\S+)')
FINE = ("ok", "refused", "call")


def key(outcome: Mapping[str, Any]) -> str:
    """Return type and place of a finding without the line, which changes with every edit."""
    return f"{outcome['type']} {re.sub(r':[0-9]+', '', outcome['place'])}"


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        text: an expression of Python, in the names of fixtures.py.
        owner: name of the function, class or file that is called, for the report.
        nan_allowed: True if a NaN was put in.
        fresh: True if it changes models, which are then made anew.
    """

    text: str
    owner: str
    nan_allowed: bool = False
    fresh: bool = False


@dataclass
class Group:
    """Findings of one type at one place."""

    type: str
    place: str
    message: str
    text: str
    count: int = 0
    owners: dict[str, int] = field(default_factory=dict)


@dataclass
class Tally:
    """Outcomes of many calls."""

    calls: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    def add(self, call: Call, outcome: dict[str, Any]) -> None:
        """Count an outcome; of a finding that is seen for the first time, store the call."""
        kind = outcome["kind"]
        self.calls += 1
        self.outcomes[kind] = self.outcomes.get(kind, 0) + 1
        if kind in FINE:
            return
        key = (outcome["type"], outcome["place"])
        group = self.groups.setdefault(key, Group(*key, outcome["message"], call.text))
        group.count += 1
        group.owners[call.owner] = group.owners.get(call.owner, 0) + 1
        if len(call.text) < len(group.text):  # the shortest reproduces best
            group.text, group.message = call.text, outcome["message"]

    @property
    def findings(self) -> int:
        """Number of calls whose outcome is not fine."""
        return sum(group.count for group in self.groups.values())

    def packages(self) -> dict[str, int]:
        """Return findings by package of the place, or of the callable if the place is not in emfem."""
        counts: dict[str, int] = {}
        for group in self.groups.values():
            owner = next(iter(group.owners))
            package = re.split(r"[/.:]", group.place if ".py:" in group.place else owner.removeprefix("em."))[0]
            counts[package] = counts.get(package, 0) + group.count
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def text(self) -> str:
        """Return the report, the most frequent finding first."""
        groups = sorted(self.groups.values(), key=lambda group: -group.count)
        lines = [
            f"{self.calls} calls in {self.seconds:.0f} s ({self.calls / max(self.seconds, 1e-9):.0f}/s): "
            + ", ".join(f"{count} {kind}" for kind, count in sorted(self.outcomes.items())),
            f"{self.findings} findings at {len(groups)} places: "
            + (", ".join(f"{name} {count}" for name, count in self.packages().items()) or "none"),
        ]
        for group in groups:
            lines += [f"{group.count:5} {group.type} at {group.place}", f"      {group.text}", f"      {group.message}"]
        return "\n".join(lines)

    def json(self) -> str:
        """Return the report as JSON."""
        groups = [asdict(group) for group in self.groups.values()]
        return json.dumps(
            {"calls": self.calls, "seconds": self.seconds, "outcomes": self.outcomes, "groups": groups}, indent=1
        )


class Worker:
    """Process that executes calls; replaced after a crash or a hang."""

    def __init__(self) -> None:
        """Leave the start to the first call."""
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()
        self._buffer = b""

    def __enter__(self) -> Self:
        """Return the worker."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()
        self._log.close()

    def execute(self, call: Call) -> dict[str, Any]:
        """Return the outcome of a call: that of worker.py, or a crash or a hang."""
        if self._process is None:
            self._start()
        request = {"text": call.text, "nan_allowed": call.nan_allowed, "fresh": call.fresh}
        try:
            os.write(self._requests, json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            return self._crashed(call)
        answer = self._answer(LIMIT)
        if answer is not None:
            return answer if answer else self._crashed(call)
        return self._hung(call)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            os.close(self._requests)
            os.close(self._answers)
            self._process = None
            self._buffer = b""

    def _start(self) -> None:
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", str(theirs_in), str(theirs_out)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs_in, theirs_out),
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        if not self._answer(START):
            msg = f"no worker:\n{self._tail(3000)}"
            raise RuntimeError(msg)

    def _answer(self, limit: float) -> dict[str, Any] | None:
        """Return the next answer; an empty one if the process has ended, None if it takes longer than the limit."""
        begin, used = time.monotonic(), self._processor_time()
        while b"\n" not in self._buffer:
            if select.select([self._answers], [], [], 0.5)[0]:
                piece = os.read(self._answers, 65536)
                if not piece:
                    return {}
                self._buffer += piece
                continue
            waited = time.monotonic() - begin
            if waited > PATIENCE * limit or (waited > limit and self._processor_time() - used > limit):
                return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _processor_time(self) -> float:
        """Return the processor time of the process [s]."""
        assert self._process is not None
        try:
            parts = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def _hung(self, call: Call) -> dict[str, Any]:
        assert self._process is not None
        mark = os.fstat(self._log.fileno()).st_size
        self._process.send_signal(signal.SIGUSR2)  # faulthandler writes the traceback into the log
        time.sleep(1.0)
        trace = os.pread(self._log.fileno(), 20000, mark).decode(errors="replace")
        self.close()
        return {
            "kind": "hang",
            "type": "hang",
            "place": self._place(trace, call),
            "message": f"more than {LIMIT:.0f} s",
        }

    def _crashed(self, call: Call) -> dict[str, Any]:
        assert self._process is not None
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            code = 0
        tail = self._tail(20000)
        self.close()
        message = f"exit code {code}: {' '.join(tail[-300:].split())}"
        return {"kind": "crash", "type": "crash", "place": self._place(tail, call), "message": message}

    def _tail(self, size: int) -> str:
        end = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, max(0, end - size)).decode(errors="replace")

    @staticmethod
    def _place(trace: str, call: Call) -> str:
        """Return the innermost place of emfem in a traceback of faulthandler, which lists it first."""
        last = trace.rpartition("most recent call first")[2]
        inside = [match for match in PLACE.finditer(last) if "/emfem/" in match[0]]
        return f"{inside[0][1]}:{inside[0][2]} {inside[0][3]}" if inside else call.owner


def executed(calls: Iterable[Call], *, until: float | None = None, progress: bool = False) -> Tally:
    """Return the outcomes of calls in one worker.

    Args:
        calls: to execute.
        until: time of `time.monotonic` after which no call begins.
        progress: print findings at new places, and the number of calls now and then.
    """
    tally, begin = Tally(), time.monotonic()
    shown = begin
    with Worker() as worker:
        for call in calls:
            now = time.monotonic()
            if until is not None and now > until:
                break
            places = len(tally.groups)
            tally.add(call, outcome := worker.execute(call))
            if progress and len(tally.groups) > places:
                print(f"{key(outcome)}\n      {call.text}", file=sys.stderr, flush=True)
            tally.seconds = time.monotonic() - begin
            if progress and now - shown > 10:
                shown = now
                print(f"{tally.calls} calls, {tally.findings} findings", file=sys.stderr, flush=True)
    return tally
