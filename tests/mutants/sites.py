"""Mutants of emfem: every small change of its code by an operator of cosmic-ray, and a random sample of them."""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PACKAGES = (
    *("mesh", "materials", "waveforms", "analytic", "fields", "spaces", "model"),
    *("film", "conduction", "heat", "migration", "stress", "surface", "steps", "observe"),
)

# One or two changes of each kind of expression. Others, such as + to >>, would raise the share of the killed.
BINARY = (
    *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "FloorDiv_Mul", "Mod_Mul"),
    *("BitOr_BitAnd", "BitAnd_BitOr"),
)
COMPARISONS = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
OPERATORS = (
    *(f"ReplaceBinaryOperator_{name}" for name in BINARY),
    *(f"ReplaceComparisonOperator_{name}" for name in COMPARISONS),
    *(f"ReplaceUnaryOperator_Delete_{name}" for name in ("USub", "Not", "Invert")),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ExceptionReplacer", "NumberReplacer", "RemoveDecorator"),
)
WITHOUT_EFFECT = re.compile(r"@(functools\.)?(lru_)?cache\b|@(typing\.)?overload\b|@dataclass\b")

type Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        path: file, from the root of the project.
        operator: of cosmic-ray.
        occurrence: number of the place among those of the operator in the file.
        line: where it is, from 1.
        column: where it is, from 0.
    """

    path: str
    operator: str
    occurrence: int
    line: int
    column: int

    @property
    def package(self) -> str:
        """Package or module of emfem."""
        return Path(self.path).parts[1].removesuffix(".py")

    def definition(self, source: str) -> str:
        """Return the name of the function or class that it is in, with those around it."""
        names = []
        for node in ast.walk(ast.parse(source)):  # from the outermost inwards
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if first <= self.line <= (node.end_lineno or first):
                    names.append(node.name)
        return ".".join(names)

    def code(self, source: str) -> str | None:
        """Return the mutated source, or None if it means the same or the operator fails there."""
        try:
            mutated: str = mutate_code(source, get_operator(f"core/{self.operator}")(), self.occurrence)
        except AttributeError:  # an exception with a dot in its name
            return None
        return None if ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source)) else mutated


def files(root: Path, package: str) -> list[Path]:
    """Return the files of a package or module."""
    folder = root / "emfem" / package
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def mutants(root: Path, package: str) -> list[Mutant]:
    """Return all mutants of a package that can matter."""
    return [mutant for path in files(root, package) for mutant in _of_file(path, path.relative_to(root).as_posix())]


def sample(
    root: Path, size: int, seed: int, packages: tuple[str, ...] = PACKAGES
) -> tuple[list[Mutant], dict[str, int]]:
    """Return mutants drawn at random, by package in proportion to all that it has, and the numbers of these."""
    everything = {package: mutants(root, package) for package in packages}
    counts = {package: len(found) for package, found in everything.items()}
    drawn: list[Mutant] = []
    for package, number in _shares(counts, size).items():
        found = random.Random(f"{seed} {package}").sample(everything[package], counts[package])
        drawn += itertools.islice(
            (mutant for mutant in found if mutant.code((root / mutant.path).read_text("utf-8"))), number
        )
    random.Random(seed).shuffle(drawn)  # a run that is stopped early is a sample too
    return drawn, counts


def _shares(counts: dict[str, int], size: int) -> dict[str, int]:
    """Return the part of the sample for each package, by largest remainders."""
    size = min(size, sum(counts.values()))
    exact = {package: size * count / sum(counts.values()) for package, count in counts.items()}
    shares = {package: int(value) for package, value in exact.items()}
    for package in sorted(exact, key=lambda name: shares[name] - exact[name])[: size - sum(shares.values())]:
        shares[package] += 1
    return shares


def _of_file(path: Path, name: str) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    places = _Places(source)
    nodes = list(ast_nodes(get_ast(source)))
    for operator_name in OPERATORS:
        operator = get_operator(f"core/{operator_name}")()
        binary = operator_name.startswith("ReplaceBinary")
        positions = (position for node in nodes for position in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(positions):
            if places.matter(start, binary=binary):
                yield Mutant(name, operator_name, occurrence, *start)


class _Places:
    """Parts of a source whose change has an effect."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        tree = ast.parse(source)
        self.without: list[tuple[Position, Position]] = []
        self.operators: list[tuple[Position, Position]] = []
        for node in ast.walk(tree):
            self.without += [self._span(part) for part in _without_effect(node)]
            if isinstance(node, ast.BinOp):
                self.operators.append((self._end(node.left), self._start(node.right)))

    def matter(self, start: Position, *, binary: bool) -> bool:
        """Return whether a change there may have an effect; a binary operator must be one, not the * of a signature."""
        if any(first <= start < last for first, last in self.without):
            return False
        if WITHOUT_EFFECT.match(self.lines[start[0] - 1].strip()):
            return False
        return not binary or any(first <= start < last for first, last in self.operators)

    def _span(self, node: ast.AST) -> tuple[Position, Position]:
        return self._start(node), self._end(node)

    def _start(self, node: ast.AST) -> Position:
        return self._position(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> Position:
        return self._position(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _position(self, line: int, column: int) -> Position:
        """Return a position in characters; that of ast is in bytes."""
        return line, len(self.lines[line - 1].encode()[:column].decode())


def _without_effect(node: ast.AST) -> Iterator[ast.AST]:
    """Return parts of a node that are not executed, or only make a message."""
    match node:
        case ast.FunctionDef(returns=ast.AST() as returns):
            yield returns
        case ast.arg(annotation=ast.AST() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.If(test=ast.Name("TYPE_CHECKING")) | ast.TypeAlias() | ast.Raise() | ast.JoinedStr():
            yield node
        case ast.Assign(targets=[ast.Name("__all__" | "msg" | "message")]):
            yield node
        case ast.Call(func=ast.Attribute(attr="warn")):
            yield node
