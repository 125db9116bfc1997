"""Settings of the libraries below emfem, made once before anything is built with them."""

from __future__ import annotations

from typing import Any

import ufl


def prepare_ufl() -> None:
    """Make NumPy leave arithmetic with UFL expressions to UFL, and make a field refuse to be a number.

    NumPy takes an expression for a sequence, entry by entry, and UFL looks for the number that a Function stands for in
    a recursion that doubles at each level: neither `np.float64(8.0) * E` nor `float(c)` would return.
    """
    ufl.core.expr.Expr.__array_ufunc__ = None  # NumPy's own switch: a number works, an array raises TypeError
    look_up = ufl.core.terminal.Terminal.evaluate

    def evaluate(self: Any, x: Any, mapping: Any, component: Any, index_values: Any, derivatives: Any = ()) -> Any:
        """Return the value that the mapping has for it; there is no other."""
        if self not in mapping:
            msg = f"{self} is a field, not a number: values at points are em.fields.evaluate(...)"
            raise TypeError(msg)
        return look_up(self, x, mapping, component, index_values, derivatives)

    ufl.Coefficient.evaluate = evaluate
