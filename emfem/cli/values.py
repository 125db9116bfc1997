"""What is typed on the command line."""

from __future__ import annotations

import ast
import operator
import tomllib
from typing import Any

from emfem import units
from emfem.errors import ParameterError


def value(text: str) -> Any:
    """What `text` says: a Python literal, in which a number may be a product with units, 50*um; else the text itself.

    Nothing in it is run: names are those of emfem.units, operators * and /.
    """
    try:
        return _literal(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return text


def _literal(node: ast.expr) -> Any:
    """The value of a literal with units.

    Raises:
        ValueError: if it is something else.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        left, right = float(_literal(node.left)), float(_literal(node.right))
        return (operator.mul if isinstance(node.op, ast.Mult) else operator.truediv)(left, right)
    if isinstance(node, ast.Name) and isinstance(getattr(units, node.id, None), float):
        return getattr(units, node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    if isinstance(node, ast.Tuple):
        return tuple(map(_literal, node.elts))
    if isinstance(node, ast.List):
        return list(map(_literal, node.elts))
    if isinstance(node, ast.Dict) and None not in node.keys:
        pairs = zip(node.keys, node.values, strict=True)
        return {_literal(key): _literal(item) for key, item in pairs if key is not None}
    return ast.literal_eval(node)


def settings(typed: list[str]) -> dict[str, Any]:
    """Values by dotted key, of texts KEY=VALUE: a value as in a TOML file, or else a text, such as 45deg.

    Raises:
        ParameterError: for what is no KEY=VALUE, or twice the same key.
    """
    found: dict[str, Any] = {}
    for text in typed:
        key, equals, said = (part.strip() for part in text.partition("="))
        if not equals or not key or key in found:
            msg = f"{text!r}, must be KEY=VALUE" + (", each key once" if key in found else "")
            raise ParameterError(msg)
        try:
            found[key] = tomllib.loads(f"value = {said}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = said
    return found
