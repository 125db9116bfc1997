"""PETSc options that stay on one solver, and PETSc's errors and reasons in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from emfem.errors import ParameterError, UnknownName, kind, shown
from emfem.solve.presets import DIRECT, KRYLOV, Options

import numpy as np
from petsc4py import PETSc

PREFIX = "emfem_"
FACTORISATIONS = ("lu", "cholesky")  # preconditioners that solve
SOLVES = ("algebraic_", "followers_")  # beginnings of options that are for one kind of solve only
LATE = re.compile("mat_|vec_|pc_mg_|.*_view")  # options that PETSc reads only while it solves
# Solvers inside solvers.
INSIDE = "mg|sub|fieldsplit|factor|profile|coarse|mass|displacement|stress|npc|esteig|redundant|telescope"
INNER = re.compile(f"((?:{INSIDE})_(?:.*?_)?)((?:snes|ksp|pc|mat)_.*)")
TYPES = (("gmres", "ilu"), ("chebyshev", "sor"), ("richardson", "jacobi"))  # of solvers inside solvers, by default
COMMON = (
    "ksp_atol", "ksp_gmres_restart", "ksp_max_it", "ksp_monitor", "ksp_norm_type", "ksp_pc_side", "ksp_rtol",
    "ksp_type", "pc_asm_overlap", "pc_factor_levels", "pc_factor_mat_ordering_type", "pc_factor_mat_solver_type",
    "pc_factor_shift_type", "pc_fieldsplit_type", "pc_gamg_threshold", "pc_gamg_type", "pc_hypre_type", "pc_type",
    "snes_atol", "snes_linesearch_type", "snes_max_it", "snes_monitor", "snes_rtol", "snes_stol", "snes_type",
    "ts_adapt_type", "ts_bdf_order", "ts_monitor", "ts_rosw_type",
)  # fmt: skip
MINIMUM_FILL = 2  # of MUMPS' ICNTL(7)
# Product of the diagonal as large as can be, with that scaling; threshold of pivots; percent of memory in reserve.
MATCHED: Options = {"mat_mumps_icntl_6": 5, "mat_mumps_cntl_1": 1e-4, "mat_mumps_icntl_14": 100}
HUGE = 2**63  # integers of PETSc are smaller
NAME = re.compile(r"[A-Za-z][\w.-]*")


def check_options(name: str, options: object) -> None:
    """Check that options are a mapping of names, without a dash, to texts, numbers or None: PETSc reads no others.

    Raises:
        ParameterError: if they are not.
    """
    example = 'a mapping such as {"ksp_type": "cg"}'
    kind(name, options, Mapping, example)
    items = dict(options).items()  # type: ignore[call-overload]
    if not all(isinstance(key, str) and NAME.fullmatch(key) for key, _ in items):
        msg = f"{name} = {options!r}, must be {example}, names without a dash"
        raise ParameterError(msg)
    for key, value in items:
        parts = value if isinstance(value, list | tuple) else [value]
        if not all(map(_simple, parts)):
            msg = f"{name}[{shown(key)}] = {shown(value)}, must be a text, a number, a list of numbers, or None"
            raise ParameterError(msg)


def _simple(value: object) -> bool:
    """Return True for a value that PETSc's database can take."""
    if isinstance(value, str):
        return value.isprintable()
    return value is None or isinstance(value, float | np.generic) or (isinstance(value, int) and abs(value) < HUGE)


def merge(settings: Options, options: Options | None, solve: str = "") -> dict[str, object]:
    """Return a direct solve, `settings` and the user's options, later ones first; those for `solve` come last.

    With another preconditioner than a factorisation the solve is iterative, by GMRES if the options have no `ksp_type`.

    Args:
        settings: of emfem.
        options: of the user.
        solve: one of `SOLVES`; options that begin with another are left out.
    """
    return _complete(combined(settings, options, solve))


def combined(settings: Options, options: Options | None, solve: str = "") -> dict[str, object]:
    """Return `settings` and the user's options, later ones first; those for `solve` come last."""
    user = dict(options or {})
    of_solves = {key for key in user if str(key).startswith(SOLVES)}
    own = {key.removeprefix(solve): user[key] for key in of_solves if solve and key.startswith(solve)}
    return {**settings, **{key: value for key, value in user.items() if key not in of_solves}, **own}


def _complete(options: Options) -> dict[str, object]:
    """Return options after those of a direct solve, or of an iterative one if they have another preconditioner."""
    return {**(DIRECT if options.get("pc_type", "lu") in FACTORISATIONS else KRYLOV), **options}


def split_fields(options: dict[str, object], names: Sequence[str], known: Sequence[str]) -> dict[str, list[str]]:
    """Return the unknowns in each block of `pc_type` fieldsplit: one a block, or as `pc_fieldsplit_NAME_fields` say.

    Each block is solved directly unless its options `fieldsplit_NAME_...` say otherwise. A solve with one block has
    nothing to split: it takes the options of that block.

    Args:
        options: of the solve; completed in place.
        names: of the unknowns of the solve.
        known: of all unknowns of the models.

    Raises:
        UnknownName: for a name that is no unknown's.
        ParameterError: for an unknown in two blocks, or a block with the name of an unknown that is not in it.
    """
    begin, end = "pc_fieldsplit_", "_fields"
    blocks: dict[str, list[str]] = {}
    used: set[str] = set()
    for key in [key for key in options if key.startswith(begin) and key.endswith(end)]:
        label = key.removeprefix(begin).removesuffix(end)
        members = [name.strip() for name in str(options.pop(key)).split(",")]
        for name in members:
            if name not in known:
                raise UnknownName(name, f"{key}, among the unknowns of these models,", known)
        if used & set(members) or (label in known and label not in members):
            msg = f"{key} = {', '.join(members)!r}, must have unknowns of no other block"
            raise ParameterError(msg)
        used |= set(members)
        blocks[label] = [name for name in names if name in members]
    grouped = [name for members in blocks.values() for name in members]
    blocks = {label: members for label, members in blocks.items() if members}
    blocks |= {name: [name] for name in names if name not in grouped}
    for label in blocks:
        own = f"fieldsplit_{label}_"
        of_block = {key.removeprefix(own): options[key] for key in options if key.startswith(own)}
        if len(blocks) == 1:
            options |= _complete({"pc_type": "lu"} | of_block)
        else:
            options |= {f"{own}{key}": value for key, value in (dict(DIRECT) | of_block).items()}
    return blocks


def prefer_mumps(options: dict[str, object]) -> None:
    """Choose MUMPS for factorisations of whole matrices and of fieldsplit's blocks where PETSc has it, in place."""
    if PETSc.Sys.hasExternalPackage("mumps"):
        for key in [key for key in options if key == "pc_type" or key.startswith("fieldsplit_")]:
            nested = "_sub_" in key or "_mg_" in key
            if key.endswith("pc_type") and not nested and options[key] in FACTORISATIONS:
                options.setdefault(f"{key.removesuffix('type')}factor_mat_solver_type", "mumps")


def prefer_minimum_fill(options: dict[str, object]) -> None:
    """Let MUMPS order a matrix by approximate minimum fill, unless the options choose an order, in place.

    It is as good as nested dissection in the plane, and computed fifteen times faster.
    """
    factorised = options.get("pc_type") in FACTORISATIONS and options.get("pc_factor_mat_solver_type") == "mumps"
    if factorised and "pc_factor_mat_ordering_type" not in options:
        options.setdefault("mat_mumps_icntl_7", MINIMUM_FILL)


def prefer_matching(options: dict[str, object]) -> None:
    """Let MUMPS match rows and columns by size before it factorises, unless the options say otherwise, in place.

    Where coefficients of coupled equations differ by orders of magnitude from place to place it else puts off most of
    its pivots, and runs out of the memory that it planned. On several ranks it cannot match: there a lower threshold
    of pivots helps.
    """
    if options.get("pc_type") in FACTORISATIONS and options.get("pc_factor_mat_solver_type") == "mumps":
        for name, value in MATCHED.items():
            options.setdefault(name, value)


def set_options(solver: PETSc.Object, chosen: Options, source: str) -> set[str]:
    """Let a solver take the `chosen` options; return the names of those that it does not read.

    Raises:
        ParameterError: if PETSc refuses one; the message names their source.
    """
    with option_scope(chosen):
        trouble = attempt(solver.setFromOptions)
        unread = _unread(chosen)
    if trouble:
        msg = f"{source}, must be options that this PETSc has: {trouble}"
        raise ParameterError(msg)
    heads = {match[1] for match in map(INNER.fullmatch, unread) if match}
    return {key for key in unread if not LATE.match(key)} - {
        key for head in heads for key in _read_inside(head, chosen)
    }


def _unread(names: Collection[str]) -> set[str]:
    """Return the names of options in the database that no solver has read."""
    database = PETSc.Options()
    return {name for name in names if not database.used(f"{PREFIX}{name}")}


def _read_inside(head: str, chosen: Options) -> set[str]:
    """Return the names of options, all beginning with `head`, that a solver inside a solver would read.

    PETSc makes that only while it solves; another one, without a matrix, reads the same options.
    """
    own = {key: value for key, value in chosen.items() if key.startswith(head)}
    unread = {key for key in own if not LATE.match(key.removeprefix(head))}
    for ksp_type, pc_type in TYPES:
        scratch = PETSc.SNES().create(PETSc.COMM_SELF)
        scratch.setOptionsPrefix(f"{PREFIX}{head}")
        with option_scope({f"{head}ksp_type": ksp_type, f"{head}pc_type": pc_type} | own):
            attempt(scratch.setFromOptions)
            unread &= _unread(own)
        scratch.destroy()
    return set(own) - unread


def check_read(options: Options | None, unread: Mapping[str, Collection[str]]) -> None:
    """Refuse options that no solver of a run reads: a misspelt one would change nothing, without a word.

    Args:
        options: of the user.
        unread: the names that each solve of the run left unread, by "" or one of `SOLVES`; options for one that the run
            does not have are no error.

    Raises:
        ParameterError: with the nearest name.
    """
    for key, value in (options or {}).items():
        solve = next((each for each in SOLVES if key.startswith(each)), "")
        if solve in unread and all(key in names for names in unread.values()):
            inner = INNER.fullmatch(key.removeprefix(solve))
            tail = inner[2] if inner else key.removeprefix(solve)
            near = next((key.removesuffix(tail) + each for each in get_close_matches(tail, COMMON, n=1)), "")
            hint = "which takes another ksp_type, pc_type or snes_type" if near == key else f"such as {near}"
            msg = f"petsc_options[{key!r}] = {value!r}, must be an option that a solver of this run reads"
            msg += f", {hint}" if near else ""
            raise ParameterError(msg)


@contextmanager
def option_scope(options: Options, prefix: str = PREFIX) -> Iterator[None]:
    """Put options into PETSc's global database, and out again; solvers inside a solver read theirs when first used."""
    database = PETSc.Options(prefix)
    for key, value in options.items():
        database[key] = value
    try:
        yield
    finally:
        for key in options:
            del database[key]


def attempt(action: Callable[[], None]) -> str | None:
    """Let PETSc act; return its error, or None. An exception of the user's own function is raised as it is."""
    try:
        action()
    except PETSc.Error as error:
        if error.__cause__ is not None:
            raise error.__cause__ from None
        return f"PETSc error {error.ierr}, {str(error).splitlines()[-1].split('] ')[-1]}"
    return None


def reason(code: int, reasons: type) -> str:
    """Return PETSc's name for a convergence reason."""
    names = {v: k for k, v in vars(reasons).items() if isinstance(v, int) and not k.startswith("_")}
    return names.get(code, str(code))


def inner_solver(pc: PETSc.PC, name: str, matrix: PETSc.Mat) -> PETSc.KSP:
    """Return a solver inside a preconditioner, with the options that begin with its name."""
    ksp = PETSc.KSP().create(pc.comm)
    ksp.setOptionsPrefix(f"{pc.getOptionsPrefix() or ''}{name}")
    ksp.setOperators(matrix)
    ksp.setFromOptions()
    return ksp
