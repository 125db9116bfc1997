"""Evaluations of a forward model: each once, remembered in memory and on disk, one after the other or side by side."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emfem.errors import EmfemError, ParameterError, count, real_array, shown
from emfem.files import LineFile, writable
from emfem.gate import collective
from emfem.lock import FolderLock
from emfem.studies.workers import cluster_client

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Forward = Callable[[dict[str, float], dict[str, Array]], Any]
type Request = tuple[int, dict[str, float]]

SAME = 1e-6  # relative difference of values on two ranks that is rounding
FILE = "evaluations.jsonl"


class EvaluationWarning(UserWarning):
    """Evaluations that failed and were left out; the message has their number and the first reason."""


class Evaluator:
    """A forward model under several sets of conditions. A context: workers and the folder are free again after it.

    Attributes:
        count: evaluations that were computed, not remembered.
        broken: those that an error of emfem, an arithmetic error or a NaN ended.
        reason: of the first of them.
    """

    def __init__(
        self,
        model: Forward,
        conditions: Sequence[Mapping[str, Array]],
        sizes: Sequence[int | None],
        *,
        folder: os.PathLike[str] | str | None = None,
        workers: int = 1,
        scheduler: str | None = None,
    ) -> None:
        """Take the model, the conditions and the number of values under each, None for any.

        Raises:
            ParameterError: for a model of other arguments, workers on several ranks, or a folder that cannot be
                written.
        """
        check_arguments(model)
        self.model, self.sizes = model, sizes
        self.conditions = [{name: np.array(x, dtype=float) for name, x in each.items()} for each in conditions]
        self.workers, self.scheduler = count("workers", workers, at_least=1), scheduler
        self._comm = MPI.COMM_WORLD
        self._client: Any = None
        if self._beside and self._comm.size > 1:
            msg = f"workers = {workers} on {self._comm.size} ranks, must be 1: more are started on one rank only"
            raise ParameterError(msg)
        self._path = None if folder is None else writable(Path(folder) / FILE)
        self._known: dict[tuple[Any, ...], Array | None] = {}
        self._file: LineFile | None = None
        self._stack = ExitStack()
        self.count, self.broken, self.reason = 0, 0, ""

    @property
    def _beside(self) -> bool:
        return self.workers > 1 or self.scheduler is not None

    def __enter__(self) -> Self:
        """Lock the folder and read what is in it, and start workers."""
        if self._path is not None:
            self._stack.enter_context(FolderLock(self._path.parent))
            try:
                self._read(self._path)
            except BaseException:
                self._stack.close()
                raise
        if self._beside:
            self._client = self._stack.enter_context(cluster_client(self.workers, self.scheduler))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free folder and workers."""
        self._client = None
        self._stack.close()

    def __call__(self, requests: Sequence[Request]) -> list[Array | None]:
        """Return the values of the model for each request, a number of conditions and constants; None where it broke.

        Raises:
            ParameterError: if the model returns something else than the number of values that it must.
        """
        keys = [(index, *sorted(constants.items())) for index, constants in requests]
        todo = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._known}
        with collective(self._comm) as same:  # of a distribution that differs between ranks
            same["number of evaluations"] = len(todo)
        for (key, request), (values, error) in zip(todo.items(), self._answers(list(todo.values())), strict=True):
            self.count += 1
            if error:
                self.broken += 1
                self.reason = self.reason or error
                self._known[key] = None
                continue
            self._known[key] = self._checked(values, request[0])
            if self._known[key] is not None:
                self._write(key)
        return [self._known[key] for key in keys]

    def _checked(self, values: Any, index: int) -> Array | None:
        """Return the values as an array; None, and count it, if one is not a number."""
        array, size = real_array(values), self.sizes[index]
        if array is None or (size is not None and array.shape != (size,)):
            expected = "numbers" if size is None else f"{size} numbers, one for each point"
            form = shown(values) if array is None else f"an array of shape {array.shape}"
            msg = f"the model returns {form}, must return {expected}"
            raise ParameterError(msg)
        if np.isnan(array).any():
            self.broken += 1
            self.reason = self.reason or "the model returns values that are not a number"
            return None
        return array

    def _answers(self, requests: Sequence[Request]) -> Iterator[tuple[Any, str]]:
        """Yield values and error of each request as soon as they are there, so that each is saved at once."""
        if self._client is not None and requests:
            jobs = [(self.model, constants, self.conditions[index]) for index, constants in requests]
            futures = self._client.map(lambda job: attempt(*job), jobs, pure=False)
            yield from map(_of_worker, futures)
        else:
            yield from (self._together(*request) for request in requests)

    def _together(self, index: int, constants: dict[str, float]) -> tuple[Any, str]:
        """Return values and error of one request, those of rank 0 on all ranks. Collective."""
        if self._comm.size == 1:
            return attempt(self.model, constants, self.conditions[index])
        with collective(self._comm) as same:
            same.update(constants)
        crash: Exception | None = None
        values, error = None, ""
        try:
            values, error = attempt(self.model, constants, self.conditions[index])
        except Exception as raised:  # on one rank perhaps: the others must not wait
            crash = raised
        crashes, errors = self._comm.allgather(repr(crash) if crash else ""), self._comm.allgather(error)
        if any(crashes):
            if crash:
                raise crash
            msg = f"the model fails on another rank: {next(filter(None, crashes))}"
            raise EmfemError(msg)
        error = next(filter(None, errors), "")
        first = self._comm.bcast(values if not error else None, root=0)
        if not self._comm.allreduce(bool(error) or _alike(values, first), op=MPI.LAND):
            msg = "the model returns other values on other ranks, must return the same"
            raise ParameterError(msg)
        return first, error

    def _fingerprint(self) -> str:
        """Return a name for the model and its conditions, the same in the next process.

        Raises:
            ParameterError: for a model without a text.
        """
        code = getattr(self.model, "fingerprint", None)
        if code is None:
            code = source_of(self.model)
        conditions = [{name: x.tolist() for name, x in each.items()} for each in self.conditions]
        return hashlib.sha256(json.dumps([str(code), conditions], sort_keys=True).encode()).hexdigest()

    def _read(self, path: Path) -> None:
        """Read the evaluations that are there; half a line at the end is cut off. Collective.

        Raises:
            ParameterError: if they are of another model, or of other conditions.
        """
        self._file = LineFile(path, self._comm)
        first, *lines = self._file.lines or [""]
        header = json.dumps({"model": self._fingerprint()})
        if first and first != header:
            msg = (
                f"folder = {str(path.parent)!r}, must be another one: it has evaluations of another model or of others"
            )
            raise ParameterError(msg)
        for number, line in enumerate(lines, 2):
            try:
                index, constants, values = json.loads(line)
                key = (int(index), *((str(name), float(value)) for name, value in constants))
                array, size = np.array(values, dtype=float), self.sizes[index]
                if size is not None and array.shape != (size,):
                    raise ValueError
                self._known[key] = array
            except (ValueError, TypeError, IndexError):
                msg = f"{path}, line {number}, must be an evaluation: remove the line or the file"
                raise ParameterError(msg) from None
        if not first:
            self._file.add(header)

    def _write(self, key: tuple[Any, ...]) -> None:
        values = self._known[key]
        if self._file is not None and values is not None:
            self._file.add(json.dumps([key[0], [list(pair) for pair in key[1:]], values.tolist()]))


def check_arguments(model: Callable[..., Any], name: str = "model", words: str = "constants and conditions") -> None:
    """Refuse a function of the user that does not take two arguments, such as constants and conditions.

    Raises:
        ParameterError: with the arguments that it takes.
    """
    try:
        arguments = inspect.signature(model)
    except (TypeError, ValueError):  # one without a signature, as some written in C
        return
    try:
        arguments.bind({}, {})
    except TypeError as error:
        called = getattr(model, "__name__", type(model).__name__)
        msg = f"{name} = {called}{arguments}, must take two arguments, {words}: {error}"
        raise ParameterError(msg) from None


def source_of(model: Callable[..., Any]) -> str:
    """Return the text of a function with the numbers and texts that it takes from outside.

    Raises:
        ParameterError: for an object that has none, such as that of `functools.partial`.
    """
    try:
        text = inspect.getsource(model)
        outer = inspect.getclosurevars(model) if inspect.isfunction(model) else None
    except (OSError, TypeError, ValueError):
        msg = f"folder, must be left out for {shown(model)}: it has no text to compare; give it a `fingerprint`"
        raise ParameterError(msg) from None
    outside = {} if outer is None else {**outer.globals, **outer.nonlocals}
    values = {name: getattr(value, "fingerprint", value) for name, value in sorted(outside.items())}
    return text + "".join(f"{name} = {value!r}\n" for name, value in values.items() if _is_plain(value))


def _is_plain(value: Any) -> bool:
    """Return True for numbers and texts, and for tuples and tables of them."""
    if isinstance(value, Mapping | tuple):
        return all(map(_is_plain, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, float | int | str | np.number)


def _of_worker(future: Any) -> tuple[Any, str]:
    """Return the answer of a worker; an evaluation that kills its workers, of memory for one, is a broken one."""
    from dask.distributed import KilledWorker

    try:
        values, error = future.result()
    except KilledWorker:
        return None, "the processes of its workers died: out of memory, or killed from outside"
    return values, error


def _alike(values: Any, others: Any) -> bool:
    """Return True if values of a model are those of another rank but for rounding, or are none."""
    mine, theirs = real_array(values), real_array(others)
    if mine is None or theirs is None:
        return mine is theirs
    size = SAME * float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0))
    return mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=SAME, atol=size, equal_nan=True)


def attempt(model: Forward, constants: dict[str, float], conditions: dict[str, Array]) -> tuple[Any, str]:
    """Return the values of a model and "", or None and the reason for which it broke."""
    try:
        with np.errstate(all="ignore"):
            return model(dict(constants), {name: x.copy() for name, x in conditions.items()}), ""
    except (EmfemError, ArithmeticError) as error:
        return None, f"{type(error).__name__}: {error}".splitlines()[0]
