"""Process that executes calls as text, one a line, and answers each with its outcome; started by pool.py."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import emfem as em

import numpy as np

CALL = "<call>"  # name of the file of a call in a traceback
PACKAGE = str(Path(em.__file__).parent) + os.sep
HERE = Path(__file__).parent
MEMORY = 3 * 2**30  # more than the imports take
REFRESH = 50  # calls after which models and files are made anew


def has_nan(value: Any, depth: int = 4) -> bool:
    """Return True if a number that is not one is in a result: in its items, fields and arrays."""
    if isinstance(value, float | complex | np.number):
        return bool(value != value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and value.size < 10**6 and bool(np.isnan(value).any())
    if depth == 0 or isinstance(value, str | bytes | type):
        return False
    if isinstance(value, Mapping):
        return any(has_nan(each, depth - 1) for each in list(value.values())[:100])
    if isinstance(value, list | tuple):
        return any(has_nan(each, depth - 1) for each in value[:100])
    if is_dataclass(value):
        return any(has_nan(getattr(value, each.name, None), depth - 1) for each in fields(value))
    array = getattr(getattr(value, "x", None), "array", None)
    return isinstance(array, np.ndarray) and has_nan(array)


def frames(tb: TracebackType | None) -> list[tuple[str, int, str]]:
    """Return file, line and function of a traceback, from the call on."""
    listed = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(tb)]
    return listed[1:]  # without this file


def raised(error: BaseException) -> dict[str, str]:
    """Return the outcome of a call that raised."""
    places = frames(error.__traceback__)
    kind = type(error).__name__
    message = f"{kind}: {_words(error)}"[:300]
    inside = [place for place in places if place[0].startswith(PACKAGE)]
    if isinstance(error, em.EmfemError):
        return {"kind": "refused", "message": message}
    if isinstance(error, TypeError) and (_at_call(places) or _of_operand(places)):
        return {"kind": "call", "message": message}
    if not inside:
        last = places[-1] if places else (CALL, 0, "")
        if kind == "Accepted":
            return {"kind": "raw", "type": kind, "place": last[2], "message": "a damaged state is taken"}
        where = (
            "harness"
            if last[0] == CALL or Path(last[0]).parent == HERE
            else f"{Path(last[0]).name}:{last[1]} {last[2]}"
        )
        return {"kind": "raw", "type": kind, "place": where, "message": message}
    file, line, name = inside[-1]
    return {"kind": "raw", "type": kind, "place": f"{file.removeprefix(PACKAGE)}:{line} {name}", "message": message}


def _words(error: BaseException) -> str:
    """Return the message of an error, which some cannot write."""
    try:
        return str(error)
    except Exception as failure:
        return f"no message: {type(failure).__name__}"


def _of_operand(places: list[tuple[str, int, str]]) -> bool:
    """Return True for an error of another library in an argument, such as a table of texts times a number."""
    return not any(file.startswith(PACKAGE) or Path(file).parent == HERE for file, _, _ in places[1:])


def _at_call(places: list[tuple[str, int, str]]) -> bool:
    """Return True for an error that Python raises where arguments meet parameters, the decorator of checks included."""
    last = places[-1][0]
    decorators = (f"{PACKAGE}gate", f"{PACKAGE}arrays.py")
    return last == CALL or last.startswith(decorators) or last.endswith("inspect.py")


def executed(text: str, namespace: dict[str, Any], nan_allowed: bool) -> dict[str, str]:
    """Return the outcome of one call."""
    try:
        code = compile(text, CALL, "eval")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(code, namespace)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return raised(error)
    if not nan_allowed and has_nan(result):
        return {"kind": "nan", "type": "nan", "place": text.partition("(")[0], "message": repr(result)[:200]}
    return {"kind": "ok", "message": ""}


def serve(requests: Any, answers: Any) -> None:
    """Execute the calls of `requests` until they end."""
    from tests.fuzz import damage, fixtures

    namespace = {name: value for name, value in vars(fixtures).items() if not name.startswith("_")}
    namespace |= {name: getattr(damage, name) for name in damage.__all__}
    answers.write(json.dumps({"kind": "ready"}) + "\n")
    answers.flush()
    for count, line in enumerate(requests, start=1):
        request = json.loads(line)
        outcome = executed(request["text"], namespace, request["nan_allowed"])
        answers.write(json.dumps(outcome) + "\n")
        answers.flush()
        if request["fresh"] or count % REFRESH == 0:
            fixtures.refresh()


def main() -> None:
    """Serve on the file descriptors of the arguments, in a folder of its own, with limited memory."""
    requests, answers = (int(text) for text in sys.argv[1:3])
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=False)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix="emfem-fuzz-")
    place = Path(folder, "a", "b")  # ".." of it is in the folder too
    place.mkdir(parents=True)
    os.chdir(place)
    try:
        with os.fdopen(requests) as source, os.fdopen(answers, "w") as target, contextlib.suppress(BrokenPipeError):
            serve(source, target)
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
