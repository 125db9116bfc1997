"""Errors and values of one rank that concern all: they are compared, and raised on all ranks alike."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from emfem.errors import EmfemError, ParameterError, shown

import numpy as np
from mpi4py import MPI

ENTRIES = 1000  # of collections and arrays that are compared
DIGEST = 16  # bytes
DEPTH = 8  # of nested collections that are compared
COMMUNICATORS = (("comm",), ("mesh", "comm"), ("function_space", "mesh", "comm"))  # attributes of what has one
SAME = "must be the same on all ranks"


def comm_of(value: Any) -> MPI.Comm | None:
    """Return the communicator of a value, or of the first in a list that has one; None if none has."""
    if isinstance(value, MPI.Comm):
        return value if value != MPI.COMM_NULL else None
    if isinstance(value, list | tuple):
        return next((comm for item in value[:ENTRIES] if (comm := comm_of(item)) is not None), None)
    for names in COMMUNICATORS:
        member = value
        try:
            for name in names:
                member = getattr(member, name, None)
        except Exception:  # a property that raises: it has none
            continue
        if isinstance(member, MPI.Comm):
            return member
    return None


@contextmanager
def collective(comm: MPI.Comm) -> Iterator[dict[str, Any]]:
    """Run a block, which must not communicate, on all ranks: an error on one of them is one on all. Collective.

    Yields a dict: values that the block puts there must be the same on all ranks at its end.

        with collective(comm) as same:
            same["stop_when"] = stop_when(models, t)

    Raises:
        ParameterError: with the message of the first rank that failed, on ranks where the block did not; on all ranks
            if values differ.
    """
    values: dict[str, Any] = {}
    try:
        yield values
    except BaseException as error:  # whatever it is, the other ranks must know before they wait
        disagreement(comm, values, error)
        raise
    sentence = disagreement(comm, values)
    if sentence:
        raise ParameterError(sentence)


def disagreement(
    comm: MPI.Comm, values: Mapping[str, Any], error: BaseException | None = None, function: str = "a block"
) -> str | None:
    """Return the sentence on an error of any rank, or on the first value that differs; None if all is well. Collective.

    One short exchange if all is well.

    Args:
        comm: of the ranks.
        values: by name; functions, UFL, large arrays and the like are not compared.
        error: of this rank.
        function: name of what is called, compared too.
    """
    if comm.size == 1:
        return None if error is None else _sentence(error)
    every_value = {"": function, **values}
    mine = np.frombuffer(digest_of(every_value) if error is None else bytes(DIGEST), dtype=np.uint8)
    every = np.empty((comm.size, len(mine)), dtype=np.uint8)
    comm.Allgather(mine, every)
    if error is None and (every == every[0]).all():
        return None
    sentences = comm.allgather(_sentence(error) if error else None)
    failed = [rank for rank, sentence in enumerate(sentences) if sentence is not None]
    if failed:
        alike = len(set(sentences)) == 1
        return sentences[failed[0]] if alike else f"{sentences[failed[0]]} (on rank {failed[0]})"
    return difference(comm, every_value)


def digest_of(values: Mapping[str, Any]) -> bytes:
    """Return bytes that are the same for equal values."""
    return blake2b(repr(_codes(values)).encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()


def _codes(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _code(value) for name, value in values.items()}


def _sentence(error: BaseException) -> str:
    """Return the message of an error, with its type if it is not one of emfem."""
    return str(error) if isinstance(error, EmfemError) else f"{type(error).__name__}: {error}"


def difference(comm: MPI.Comm, values: Mapping[str, Any]) -> str:
    """Return the sentence on the first value that differs between ranks. Collective."""
    shows = {name: value if name == "" else shown(value) for name, value in values.items()}
    ranks = comm.allgather((_codes(values), shows))
    codes, texts = ranks[0]
    for other, (theirs, shows) in enumerate(ranks):
        for name in (*codes, *theirs):
            if codes.get(name) != theirs.get(name):
                first, second = texts.get(name, "left out"), shows.get(name, "left out")
                return f"{name or 'call'} = {first} on rank 0 and {second} on rank {other}, {SAME}"
    return f"order of the values, {SAME}"


def _code(value: Any, depth: int = 0) -> str:
    """Return a text that is the same for equal values; of what is not compared only its kind."""
    if value is None or isinstance(value, str | bytes | bool | np.bool_):
        return repr(value)
    if isinstance(value, float | int | complex | np.number):
        plain: Any = value.item() if isinstance(value, np.number) else value
        whole = isinstance(plain, int) or (isinstance(plain, float) and plain.is_integer())
        return f"{int(plain):x}" if whole else repr(plain)
    if isinstance(value, list | tuple | Mapping | np.ndarray):
        return _code_of_entries(value, depth + 1)
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and comm_of(value) is None:
        parts = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
        return type(value).__name__ + _code(parts, depth)
    return "function" if callable(value) else "object"


def _code_of_entries(value: Any, depth: int) -> str:
    """Return the code of a collection."""
    if isinstance(value, np.ndarray):
        if value.size > ENTRIES or value.dtype.kind not in "biufcU":
            return "array"
        value = value.tolist()
        return _code(value, depth - 1)
    if len(value) > ENTRIES or depth > DEPTH:
        return "collection"
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{_code(k, depth)}:{_code(v, depth)}' for k, v in value.items()))}}}"
    return f"[{','.join(_code(item, depth) for item in value)}]"
