"""Numbers of SPICE with suffixes, and parameters that are arithmetic of numbers and of each other."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
VALUE = re.compile(rf"([+-]?{NUMBER})(meg|mil|[tgkmunpf])?[a-z]*", re.IGNORECASE | re.ASCII)
TOKEN = re.compile(rf"\s*(?:(?P<value>{NUMBER}[a-zA-Z]*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*/()]))", re.ASCII)
SUFFIX = {
    **{"": 1.0, "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6},
    **{"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15},
}
OPERATORS: dict[type, Callable[[float, float], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
BEYOND = "1e999"  # a number out of range, infinite for Python
LONGEST = 1000  # characters of an expression
DEFINITION = re.compile(r"([A-Za-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|[^\s=']+(?=\s|$))\s*", re.ASCII)
Place = Any
Refuse = Callable[[Place, str], Exception]


def value_of(word: str) -> float | None:
    """Return the number of a word such as 1.5, 20m, 3.3e-3 or 5kOhm; None for another word, or one out of range."""
    match = VALUE.fullmatch(word)
    if match is None:
        return None
    value = float(match[1]) * SUFFIX[(match[2] or "").lower()]
    return value if math.isfinite(value) else None


class Parameters:
    """Parameters of a netlist, by name; case does not matter, and order does not either."""

    def __init__(self) -> None:
        """Begin without parameters."""
        self._expressions: dict[str, tuple[str, Place]] = {}

    def define(self, place: Place, words: list[str], refuse: Refuse) -> None:
        """Take the definitions of a line: a=1.5 b='2*a' c={a + b}.

        Raises:
            ParameterError: for a line that is none, or a name that is defined already, by `refuse`.
        """
        text = " ".join(words)
        at = 0
        while at < len(text):
            match = DEFINITION.match(text, at)
            if match is None:
                raise refuse(place, f".param {text[at:]!r}, must be name=number or name='expression'")
            name = match[1].lower()
            if name in self._expressions:
                raise refuse(place, f".param {match[1]!r}, must be defined once")
            self._expressions[name] = match[2].strip("'{}"), place
            at = match.end()

    def values(self, refuse: Refuse) -> dict[str, float]:
        """Return the value of each parameter.

        Raises:
            ParameterError: for an expression that is none, or parameters that need each other, by `refuse`.
        """
        needed = {
            name: {word.lower() for word in _names(expression)} & self._expressions.keys()
            for name, (expression, _) in self._expressions.items()
        }
        values: dict[str, float] = {}
        try:
            order = list(TopologicalSorter(needed).static_order())
        except CycleError as error:
            circle = error.args[1]
            expression, place = self._expressions[circle[0]]
            raise refuse(place, f".param {circle[0]}={expression!r}, must not need itself") from None
        for name in order:
            expression, place = self._expressions[name]
            try:
                values[name] = self.evaluate(expression, values)
            except ValueError as error:
                raise refuse(place, f".param {name}={expression!r}, {error}") from None
        return values

    @staticmethod
    def evaluate(expression: str, values: Mapping[str, float]) -> float:
        """Return the value of an expression of numbers, parameters, + - * / ** and parentheses.

        Raises:
            ValueError: for another expression, or a value that is not finite; the message begins with "must".
        """
        try:
            value = _evaluated(_tree(expression), values)
        except ZeroDivisionError:
            msg = "must not be divided by 0"
            raise ValueError(msg) from None
        except (OverflowError, RecursionError):
            value = math.inf
        if not math.isfinite(value):
            msg = f"must be finite, not {value}"
            raise ValueError(msg)
        return value


def _names(expression: str) -> Iterator[str]:
    """Yield the names in an expression, and in what is none."""
    at = 0
    while match := TOKEN.match(expression, at):
        if match["name"]:
            yield match["name"]
        at = match.end()


def _tree(text: str) -> ast.expr:
    """Return the syntax tree of an expression, which is never executed as Python.

    Raises:
        ValueError: for another text, or one that is too long.
    """
    if len(text) > LONGEST:
        msg = f"must be at most {LONGEST} characters"
        raise ValueError(msg)
    words, at, text = [], 0, text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            msg = f"must be numbers and parameters with + - * / ** and parentheses, not {text[at:]!r}"
            raise ValueError(msg)
        if match["value"]:
            number = value_of(match["value"])
            words.append(BEYOND if number is None else repr(number))
        else:
            words.append(f"p_{match['name'].lower()}" if match["name"] else match["sign"])
        at = match.end()
    try:
        return ast.parse(" ".join(words), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):  # the last two for parentheses too deep in each other
        msg = "must be an expression"
        raise ValueError(msg) from None


def _evaluated(tree: ast.expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression.

    Raises:
        ValueError: for another expression, or a parameter that does not exist.
        ArithmeticError: where Python has no value.
    """
    if isinstance(tree, ast.Constant):
        return float(str(tree.value))
    if isinstance(tree, ast.Name):
        name = tree.id.removeprefix("p_")
        if name not in values:
            msg = f"must be of parameters that exist: there is no {name!r}"
            raise ValueError(msg)
        return values[name]
    if isinstance(tree, ast.UnaryOp):
        value = _evaluated(tree.operand, values)
        return -value if isinstance(tree.op, ast.USub) else value
    if isinstance(tree, ast.BinOp):
        result = OPERATORS[type(tree.op)](_evaluated(tree.left, values), _evaluated(tree.right, values))
        return math.nan if isinstance(result, complex) else float(result)
    msg = "must be an expression"  # such as a call: a name before parentheses
    raise ValueError(msg)
