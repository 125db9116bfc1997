"""Cards of a netlist: resistors and sources between named nodes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emfem.errors import ParameterError
from emfem.mesh.expressions import Parameters, value_of
from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.paths import check_file

import numpy as np

GROUND = ("0", "gnd")
SETTINGS = (".option", ".options", ".print", ".plot", ".probe", ".save", ".temp", ".width", ".global")
SKIPPED = (".op", ".dc", ".tran", ".title", *SETTINGS)
INCLUDES = (".include", ".inc")
KINDS = {"r": "Ohm", "v": "V", "i": "A"}
KEYS = {"r": "r=", "v": "dc=", "i": "dc="}  # before the value of a card
QUOTED = re.compile(r"'([^']*)'|\{([^{}]*)\}")
EQUALS = re.compile(r"\s*=\s*")
LONGEST = 300  # characters of a message
MOST = 100  # files that a netlist includes
Place = tuple[int, int]  # number of a file, and of a line in it, from 1
Line = tuple[Place, list[str]]


@dataclass(frozen=True, eq=False)
class Cards:
    """Cards of a netlist.

    Attributes:
        files: names of the netlist and of those that it includes.
        nodes: number of each node by its name; ground is not among them, its number is -1.
        names: of the cards.
        letters: "r", "v" or "i" of each card, shape (n,).
        ends: nodes of each card, shape (n, 2).
        values: of each card [Ohm, V or A], shape (n,).
        places: file and line of each card, shape (n, 2).
    """

    files: tuple[str, ...]
    nodes: dict[str, int]
    names: list[str]
    letters: np.ndarray
    ends: Numbers
    values: Floats
    places: Numbers

    @property
    def file(self) -> str:
        """Name of the netlist."""
        return self.files[0]

    def of(self, letter: str) -> tuple[Numbers, Floats, Numbers]:
        """Return ends, values and numbers of the cards of one kind."""
        chosen = np.flatnonzero(self.letters == letter)
        return self.ends[chosen], self.values[chosen], chosen

    def where(self, card: int) -> str:
        """Return file and line of a card."""
        file, line = self.places[card]
        return f"{self.files[file]}, line {line}"

    def error(self, card: int, message: str) -> ParameterError:
        """Return an error in the line of a card."""
        return ParameterError(f"{self.where(card)}: {_short(message)}")


def read_cards(path: Path) -> Cards:
    """Return the cards of a netlist.

    Raises:
        ParameterError: with the number of the line that is wrong.
    """
    check_file("path", path)
    return _Reader(path).cards()


class _Reader:
    """Reader of a netlist and the files that it includes."""

    def __init__(self, path: Path) -> None:
        """Take the netlist."""
        self.folder = path.parent.resolve()
        self.paths = [path.resolve()]
        self.files = [path.name]
        self.parameters = Parameters()
        self.open: list[tuple[int, Place, list[str]]] = []  # cards whose value needs the parameters

    def cards(self) -> Cards:
        """Return the cards.

        Raises:
            ParameterError: with the number of the line that is wrong.
        """
        numbers = dict.fromkeys(GROUND, -1)  # of all words for nodes
        nodes: dict[str, int] = {}
        names: list[str] = []
        ends: list[tuple[int, int]] = []
        places: list[Place] = []
        values: list[float] = []
        letters = bytearray()
        for place, words in self._statements():
            name, first, second, *rest = words
            for word in (first, second):
                if word not in numbers:
                    numbers[word] = -1 if word.lower() in GROUND else nodes.setdefault(word, len(nodes))
            pair = numbers[first], numbers[second]
            if pair[0] == pair[1]:
                raise self.error(place, f"{name} from {first!r} to itself, must join two nodes")
            letter = name[0].lower()
            value = value_of(rest[0].lower().removeprefix(KEYS[letter])) if len(rest) == 1 else None
            if value is None:
                self.open.append((len(names), place, words))
            names.append(name)
            ends.append(pair)
            places.append(place)
            values.append(math.nan if value is None else value)
            letters += letter.encode()
        self._check_names(names, places)
        known = self.parameters.values(self.error)
        for i, place, words in self.open:
            values[i] = self._value(place, words, known)
        table = np.array(values)
        kinds = np.frombuffer(bytes(letters), dtype="S1").astype("U1")
        for i in np.flatnonzero((kinds == "r") & (table < 0))[:1]:
            raise self.error(places[i], f"{names[i]} = {table[i]:g} Ohm, must be at least 0")
        pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
        where = np.array(places, dtype=np.int64).reshape(-1, 2)
        return Cards(tuple(self.files), nodes, names, kinds, pairs, table, where)

    def error(self, place: Place, message: str) -> ParameterError:
        """Return an error in a line."""
        return ParameterError(f"{self.files[place[0]]}, line {place[1]}: {_short(message)}")

    def _statements(self) -> Iterator[Line]:
        """Yield the cards; commands are executed."""
        stack = [self._lines(0)]
        while stack:
            for place, words in stack[-1]:
                name = words[0].lower()
                if name[0] in KINDS and len(words) >= 4:
                    if place == (0, 1) and self._is_title(words):
                        continue
                    yield place, words
                elif name == ".end":
                    stack.pop()
                    break
                elif name in INCLUDES:
                    stack.append(self._lines(self._included(place, words)))
                    break
                elif name[0] == ".":
                    self._command(place, words)
                elif place != (0, 1):  # else the title
                    card = "a card of two nodes and a value" if name[0] in KINDS else "an R, V or I card"
                    raise self.error(place, f"{' '.join(words)!r}, must be {card}")
            else:
                stack.pop()

    def _command(self, place: Place, words: list[str]) -> None:
        """Take the parameters of a .param line, and skip settings.

        Raises:
            ParameterError: for another command.
        """
        name = words[0].lower()
        if name in (".param", ".parameter", ".parameters"):
            self.parameters.define(place, words[1:], self.error)
        elif name not in SKIPPED:
            raise self.error(place, f"{words[0]!r}, must be R, V and I cards only: flatten the netlist first")

    def _included(self, place: Place, words: list[str]) -> int:
        """Return the number of the file that a line includes.

        Raises:
            ParameterError: for one that is missing, outside of the folder of the netlist, or included already.
        """
        word = " ".join(words[1:]).strip("'\"")
        message = f".include {word!r}, must be a file in the folder of {self.files[0]}"
        try:
            path = (self.paths[place[0]].parent / word).resolve()
            inside, exists = path.is_relative_to(self.folder), path.is_file()
        except (OSError, ValueError, RuntimeError):  # a name too long, a zero byte, links in a circle
            raise self.error(place, message) from None
        if not word or not inside:
            raise self.error(place, message)
        if not exists:
            raise self.error(place, f"{message}: there is none")
        if path in self.paths:
            raise self.error(place, f".include {word!r}, must be a file that is not included already")
        if len(self.paths) > MOST:
            raise self.error(place, f".include {word!r}, must be one of at most {MOST} files")
        self.paths.append(path)
        self.files.append(path.relative_to(self.folder).as_posix())
        return len(self.paths) - 1

    def _lines(self, file: int) -> Iterator[Line]:
        """Yield the lines with content, without comments and with continued ones joined."""
        last: Line | None = None
        path = self.paths[file]
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            msg = f"path = {str(path)!r}, must be a file that can be read: {error.strerror}"
            raise ParameterError(msg) from None
        for i, line in enumerate(text.split("\n"), start=1):
            words = _words(line)
            if not words or words[0][0] == "*":
                continue
            if words[0][0] != "+":
                if last is not None:
                    yield last
                last = (file, i), words
            elif last is None:
                raise self.error((file, i), "'+', must continue a card")
            else:
                words[0] = words[0][1:]
                last[1].extend(words if words[0] else words[1:])
        if last is not None:
            yield last

    def _is_title(self, words: list[str]) -> bool:
        """Return True for a first line that begins like a card but has no value."""
        value = words[4:] if words[3].lower() == "dc" else words[3:]
        return not any(char in word for word in words[3:] for char in "={'") and (
            len(value) != 1 or value_of(value[0]) is None
        )

    def _check_names(self, names: list[str], places: list[Place]) -> None:
        """Check that each name is that of one card; case does not matter."""
        if len(set(map(str.lower, names))) == len(names):
            return
        first: dict[str, int] = {}
        for i, name in enumerate(names):
            j = first.setdefault(name.lower(), i)
            if j != i:
                file, line = places[j]
                there = f"line {line}" if file == places[i][0] else f"{self.files[file]}, line {line}"
                raise self.error(places[i], f"{name!r} is there already in {there}, must be one name a card")

    def _value(self, place: Place, card: list[str], parameters: dict[str, float]) -> float:
        """Return the number of a card; `R=`, `DC` and `DC=` may stand before it."""
        letter, text = card[0][0].lower(), EQUALS.sub("=", " ".join(card[3:]))
        word = text.removeprefix("DC ").removeprefix("dc ").strip() if letter != "r" else text
        if word.lower().startswith(KEYS[letter]):
            word = word[len(KEYS[letter]) :]
        number = value_of(word)
        if number is None:
            quoted = QUOTED.fullmatch(word)
            expression = word if quoted is None else quoted[1] or quoted[2] or ""
            bare = quoted is None and not word.isidentifier()
            if bare or (quoted is None and word.lower() not in parameters):
                message = f"{card[0]} = {text!r}, must be one number, as in 1.5, 20m or 3.3e-3"
                raise self.error(place, message)
            try:
                number = self.parameters.evaluate(expression, parameters)
            except ValueError as error:
                raise self.error(place, f"{card[0]} = {text!r}, {error}") from None
        if not math.isfinite(number):
            raise self.error(place, f"{card[0]} = {number} {KINDS[letter]}, must be finite")
        return number


def _words(line: str) -> list[str]:
    """Return the words of a line, without the comment at its end."""
    words = (line.partition(";")[0] if ";" in line else line).split()
    if "$" in line:
        for i, word in enumerate(words):
            if word[0] == "$":
                return words[:i]
    return words


def _short(message: str) -> str:
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
