"""PETSc options that stay on one solver, and PETSc's errors and reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from emfem.errors import ParameterError, UnknownName, kind
from emfem.solve.presets import DIRECT, KRYLOV, Options

from petsc4py import PETSc

PREFIX = "emfem_"
FACTORISATIONS = ("lu", "cholesky")  # preconditioners that solve
SOLVES = ("algebraic_", "followers_")  # beginnings of options that are for one kind of solve only


def check_options(name: str, options: object) -> None:
    """Check that options are a mapping whose keys are texts without a dash: PETSc would never read others.

    Raises:
        ParameterError: if they are not.
    """
    example = 'a mapping such as {"ksp_type": "cg"}'
    kind(name, options, Mapping, example)
    if not all(isinstance(key, str) and key[:1].isalpha() for key in options):  # type: ignore[attr-defined]
        msg = f"{name} = {options!r}, must be {example}, names without a dash"
        raise ParameterError(msg)


def merge(settings: Options, options: Options | None, solve: str = "") -> dict[str, object]:
    """Return a direct solve, `settings` and the user's options, later ones first; those for `solve` come last.

    With another preconditioner than a factorisation the solve is iterative, by GMRES if the options have no `ksp_type`.

    Args:
        settings: of emfem.
        options: of the user.
        solve: one of `SOLVES`; options that begin with another are left out.
    """
    user = dict(options or {})
    of_solves = {key for key in user if str(key).startswith(SOLVES)}
    own = {key.removeprefix(solve): user[key] for key in of_solves if solve and key.startswith(solve)}
    return _complete({**settings, **{key: value for key, value in user.items() if key not in of_solves}, **own})


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


def set_options(solver: PETSc.Object, chosen: Options, source: str) -> None:
    """Let a solver take the `chosen` options.

    Raises:
        ParameterError: if PETSc refuses one; the message names their source.
    """
    with option_scope(chosen):
        trouble = attempt(solver.setFromOptions)
    if trouble:
        msg = f"{source}, must be options that this PETSc has: {trouble}"
        raise ParameterError(msg)


@contextmanager
def option_scope(options: Options) -> Iterator[None]:
    """Put options into PETSc's global database, and out again; solvers inside a solver read theirs when first used."""
    database = PETSc.Options(PREFIX)
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
