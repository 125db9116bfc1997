"""Tables of a file of TOML, whose values are checked as they are taken; messages name file and key."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, require, shown
from emfem.materials.reading import constant
from emfem.materials.validity import VALIDITY
from emfem.quantities import in_si

BARE = re.compile(r"[\w-]{1,60}")  # keys that stand in a message as they are


@dataclass(frozen=True)
class FileTable:
    """A table of a file.

    Attributes:
        file: its name.
        path: keys that lead to the table, "" for the whole file.
        values: by key.
    """

    file: str
    path: str
    values: Mapping[str, Any]

    def where(self, key: str) -> str:
        """Return file and key, for messages."""
        return f"{self.file}: {self.key(key)}"

    def key(self, key: str) -> str:
        """Return the keys that lead to one of the table, which a message can have."""
        word = key if BARE.fullmatch(key) else reprlib.repr(key)
        return f"{self.path}.{word}" if self.path else word

    def check_keys(self, known: tuple[str, ...]) -> None:
        """Check that there are no other keys.

        Raises:
            ParameterError: for a key that does not exist, with the nearest that does.
        """
        for key in self.values:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
                msg = f"{self.where(key)}, must be a key that exists; {hint}"
                raise ParameterError(msg)

    def table(self, key: str) -> FileTable:
        """Return the table of a key.

        Raises:
            ParameterError: if it is missing, or no table.
        """
        value = self.values.get(key)
        require(isinstance(value, Mapping), f"{self.where(key)}, must be a table")
        return FileTable(self.file, self.key(key), value or {})

    def text(self, key: str) -> str:
        """Return the text of a key.

        Raises:
            ParameterError: for something else.
        """
        value = self.values[key]
        if not isinstance(value, str) or not value:
            msg = f"{self.where(key)} = {shown(value)}, must be a text"
            raise ParameterError(msg)
        return value

    def beside(self, key: str) -> str:
        """Return the name of a file beside this one.

        Raises:
            ParameterError: for one elsewhere.
        """
        word = self.text(key)
        beside = Path(word).name == word
        require(beside, f"{self.where(key)} = {shown(word)}, must be the name of a file beside {self.file}")
        return word

    def number(
        self,
        key: str,
        unit: str,
        check: Callable[[str, object], float] | None = None,
        default: float | None = None,
    ) -> float:
        """Return a number in SI, or the text with a unit, of a key; the default if it is left out.

        Raises:
            ParameterError: if it is missing, or out of its bounds.
        """
        if key not in self.values and default is not None:
            return default
        require(key in self.values, f"{self.where(key)} is missing, must be a number in {unit}")
        value = in_si(self.where(key), self.values[key], unit)
        return check(self.where(key), value) if check else value

    def constant(self, key: str) -> Any:
        """Return a constant of a metal: a number, with or without a unit, or the table of a law."""
        value = self.values[key]
        if isinstance(value, Mapping):
            return constant(f"{self.file}: {self.path}", key, value)
        return self.number(key, VALIDITY[key].unit, VALIDITY[key].check)

    def made[T](self, make: Callable[[], T]) -> T:
        """Return what `make` returns, with file and table in front of its errors.

        Raises:
            ParameterError: as `make` raises it.
        """
        try:
            return make()
        except ParameterError as error:
            if str(error).startswith(self.file):
                raise
            start = f"{self.file}: {self.path}".removesuffix(": ")
            msg = f"{start}: {error}"
            raise ParameterError(msg) from None
