"""The cards of a netlist: resistors and sources between named nodes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError

GROUND = ("0", "gnd")
VALUE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpf])?[a-z]*", re.IGNORECASE)
SUFFIX = {
    **{"": 1.0, "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6},
    **{"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15},
}
SETTINGS = (".option", ".options", ".print", ".plot", ".probe", ".save", ".temp", ".width")
SKIPPED = (".op", ".dc", ".title", *SETTINGS)


def file_path(name: str, path: Any) -> Path:
    """`path` as one.

    Raises:
        ParameterError: if it is none.
    """
    if not isinstance(path, str | os.PathLike):
        msg = f"{name} = {path!r}, must be the name of a file"
        raise ParameterError(msg)
    return Path(path)


@dataclass
class Cards:
    """What a netlist holds: nodes by number, ground is -1; each card's nodes, value and line."""

    file: str
    nodes: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {"r": [], "v": [], "i": []})
    values: dict[str, list[float]] = field(default_factory=lambda: {"r": [], "v": [], "i": []})
    lines: dict[str, list[int]] = field(default_factory=lambda: {"r": [], "v": [], "i": []})

    def error(self, line: int, told: str) -> ParameterError:
        """What is wrong in a line."""
        return ParameterError(f"{self.file}, line {line}: {told}")


def read_cards(path: Path) -> Cards:
    """The cards of a netlist.

    Raises:
        ParameterError: with the number of the line that cannot be understood.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be read: {error.strerror}"
        raise ParameterError(msg) from None
    cards, seen = Cards(path.name), dict.fromkeys(GROUND, -1)
    known: dict[str, int] = {}
    for line, words in _logical(cards, text):
        if words[0][0] == ".":
            if words[0].lower() == ".end":
                break
            if words[0].lower() not in SKIPPED:
                raise cards.error(line, f"{words[0]!r}, must be R, V and I cards only: flatten the netlist first")
            continue
        letter = words[0][0].lower()
        if letter not in cards.pairs or len(words) < 4:
            if line == 1:
                continue  # the title
            told = "a card of two nodes and a value" if letter in cards.pairs else "an R, V or I card"
            raise cards.error(line, f"{' '.join(words)!r}, must be {told}")
        _add(cards, line, letter, words, seen, known)
    return cards


def _logical(cards: Cards, text: str) -> list[tuple[int, list[str]]]:
    """The lines that say something, by their numbers, comments off and continued ones joined."""
    found: list[tuple[int, list[str]]] = []
    for i, line in enumerate(text.splitlines(), start=1):
        words = line.split(";", 1)[0].split()
        if not words or words[0][0] in "*$":
            continue
        if words[0][0] != "+":
            found.append((i, words))
        elif found:
            found[-1][1].extend([words[0][1:], *words[1:]] if len(words[0]) > 1 else words[1:])
        else:
            raise cards.error(i, "'+', must continue a card")
    return found


def _add(cards: Cards, line: int, letter: str, words: list[str], seen: dict[str, int], known: dict[str, int]) -> None:
    """Take one card in."""
    name = words[0].lower()
    if name in known:
        raise cards.error(line, f"{words[0]!r} is there already in line {known[name]}, must be one name a card")
    known[name] = line
    ends = []
    for word in words[1:3]:
        at = seen.get(word)
        if at is None:
            at = seen[word] = -1 if word.lower() in GROUND else cards.nodes.setdefault(word, len(cards.nodes))
        ends.append(at)
    value = _value(cards, line, words[0], words[3:])
    if letter == "r" and value < 0:
        raise cards.error(line, f"{words[0]} = {value:g} Ohm, must be at least 0")
    if ends[0] == ends[1]:
        raise cards.error(line, f"{words[0]} from {words[1]!r} to itself, must join two nodes")
    cards.pairs[letter].append((ends[0], ends[1]))
    cards.values[letter].append(value)
    cards.lines[letter].append(line)


def _value(cards: Cards, line: int, name: str, words: list[str]) -> float:
    """The number of a card."""
    if len(words) == 2 and words[0].lower() == "dc":
        words = words[1:]
    match = VALUE.fullmatch(words[0]) if len(words) == 1 else None
    if match is None:
        raise cards.error(line, f"{name} = {' '.join(words)!r}, must be one number, as in 1.5, 20m or 3.3e-3")
    return float(match[1]) * SUFFIX[(match[2] or "").lower()]
