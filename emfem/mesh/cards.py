"""Cards of a netlist: resistors and sources between named nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from emfem.errors import ParameterError
from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.paths import check_file

import numpy as np

GROUND = ("0", "gnd")
VALUE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpf])?[a-z]*", re.IGNORECASE)
SUFFIX = {
    **{"": 1.0, "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6},
    **{"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15},
}
SETTINGS = (".option", ".options", ".print", ".plot", ".probe", ".save", ".temp", ".width")
SKIPPED = (".op", ".dc", ".title", *SETTINGS)
LONGEST = 300  # characters of a message
Line = tuple[int, list[str]]  # its number, from 1, and its words


@dataclass(frozen=True, eq=False)
class Cards:
    """Cards of a netlist.

    Attributes:
        file: name of the file.
        nodes: number of each node by its name; ground is not among them, its number is -1.
        letters: "r", "v" or "i" of each card, shape (n,).
        ends: nodes of each card, shape (n, 2).
        values: of each card [Ohm, V or A], shape (n,).
        lines: number of the line of each card, shape (n,).
    """

    file: str
    nodes: dict[str, int]
    letters: np.ndarray
    ends: Numbers
    values: Floats
    lines: Numbers

    def of(self, letter: str) -> tuple[Numbers, Floats, Numbers]:
        """Return ends, values and lines of the cards of one kind."""
        chosen = self.letters == letter
        return self.ends[chosen], self.values[chosen], self.lines[chosen]

    def error(self, line: int, message: str) -> ParameterError:
        """Return an error in a line."""
        return _error(self.file, line, message)


def read_cards(path: Path) -> Cards:
    """Return the cards of a netlist.

    Raises:
        ParameterError: with the number of the line that is wrong.
    """
    check_file("path", path)
    file = path.name
    numbers = dict.fromkeys(GROUND, -1)  # of all words for nodes
    nodes: dict[str, int] = {}
    names: dict[str, int] = {}
    cards: list[tuple[str, tuple[int, ...], float, int]] = []
    for line, words in _logical_lines(file, path.read_text(encoding="utf-8", errors="replace")):
        name = words[0].lower()
        if name[0] == ".":
            if name == ".end":
                break
            if name not in SKIPPED:
                raise _error(file, line, f"{words[0]!r}, must be R, V and I cards only: flatten the netlist first")
            continue
        if name[0] not in "rvi" or len(words) < 4:
            if line == 1:
                continue  # the title
            card = "a card of two nodes and a value" if name[0] in "rvi" else "an R, V or I card"
            raise _error(file, line, f"{' '.join(words)!r}, must be {card}")
        if name in names:
            message = f"{words[0]!r} is there already in line {names[name]}, must be one name a card"
            raise _error(file, line, message)
        names[name] = line
        for word in words[1:3]:
            if word not in numbers:
                numbers[word] = -1 if word.lower() in GROUND else nodes.setdefault(word, len(nodes))
        ends = numbers[words[1]], numbers[words[2]]
        value = _value(file, line, words)
        if name[0] == "r" and value < 0:
            raise _error(file, line, f"{words[0]} = {value:g} Ohm, must be at least 0")
        if ends[0] == ends[1]:
            raise _error(file, line, f"{words[0]} from {words[1]!r} to itself, must join two nodes")
        cards.append((name[0], ends, value, line))
    table = np.array(cards, dtype=[("letter", "U1"), ("ends", np.int64, 2), ("value", float), ("line", np.int64)])
    return Cards(file, nodes, *(table[column] for column in table.dtype.names or ()))


def _error(file: str, line: int, message: str) -> ParameterError:
    message = message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    return ParameterError(f"{file}, line {line}: {message}")


def _logical_lines(file: str, text: str) -> list[Line]:
    """Return the lines with content, without comments and with continued ones joined."""
    lines: list[Line] = []
    for i, line in enumerate(text.splitlines(), start=1):
        words = line.split(";", 1)[0].split()
        if not words or words[0][0] in "*$":
            continue
        if words[0][0] != "+":
            lines.append((i, words))
        elif lines:
            lines[-1][1].extend([words[0][1:], *words[1:]] if len(words[0]) > 1 else words[1:])
        else:
            raise _error(file, i, "'+', must continue a card")
    return lines


def _value(file: str, line: int, card: list[str]) -> float:
    """Return the number of a card."""
    words = card[4:] if len(card) == 5 and card[3].lower() == "dc" else card[3:]
    match = VALUE.fullmatch(words[0]) if len(words) == 1 else None
    if match is None:
        message = f"{card[0]} = {' '.join(words)!r}, must be one number, as in 1.5, 20m or 3.3e-3"
        raise _error(file, line, message)
    return float(match[1]) * SUFFIX[(match[2] or "").lower()]
