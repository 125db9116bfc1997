"""The tables [time], [steady] and [output]: how far a case is marched, and what is kept of it."""

from __future__ import annotations

from typing import Any, ClassVar

from emfem import watch
from emfem.errors import ParameterError, choice, number
from emfem.evolution import COUPLINGS
from emfem.solve import METHODS
from emfem.solve.steady import STEADY
from emfem.studies.door import Anything, Number, Time, Times
from emfem.studies.tables.base import Table


class Stop(Table):
    """An event that ends the run: a quantity that passes a limit.

    Attributes:
        quantity: its name, as in the first line of series.csv.
        above: the limit, if the value rises to it.
        below: the limit, if the value falls to it.
    """

    tried: ClassVar[bool] = True

    quantity: str
    above: Anything | None = None
    below: Anything | None = None

    def make(self) -> watch.Event:
        """The observer."""
        return watch.event(self.quantity, above=self.above, below=self.below)


class March(Table):
    """How the models are marched; see `em.evolve`.

    Attributes:
        stop: events that end the run, a list of tables.
        conserved: quantities that must not change but by what is let in; a run that loses any ends with an error.
    """

    tried: ClassVar[bool] = True

    until: Time
    first_step: Time | None = None
    rtol: Number = 1e-4
    atol: Number = 1e-6
    method: str = "rosenbrock"
    fixed_step: Time | None = None
    coupling: str = "monolithic"
    stop: tuple[Stop, ...] = ()
    conserved: tuple[str, ...] = ()

    def make(self) -> dict[str, Any]:
        """The arguments of `em.evolve`."""
        for name in ("until", "first_step", "rtol", "atol", "fixed_step"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), above=0.0)
        choice("method", self.method, METHODS)
        choice("coupling", self.coupling, COUPLINGS)
        return self.given("stop", "conserved")

    def observers(self) -> list[Any]:
        """What stops the run."""
        return [*(stop.make() for stop in self.stop), *(watch.conserved(name) for name in self.conserved)]


class Rest(Table):
    """How steady states are found; see `em.solve_steady`."""

    tried: ClassVar[bool] = True

    method: str | None = None
    rtol: Number = 1e-10
    atol: Number = 1e-12

    def make(self) -> dict[str, Any]:
        """The arguments of `em.solve_steady`."""
        if self.method is not None:
            choice("method", self.method, STEADY)
        number("rtol", self.rtol, above=0.0)
        number("atol", self.atol, above=0.0)
        return self.given()


class Output(Table):
    """What is kept: rows of the series, states to come back to, fields for ParaView, pictures of the end.

    Attributes:
        every: period of the rows of the series; each step when left out.
        states_every: period of the states, from which fields can be had later; only the end when left out.
        states_at: times of the states, instead.
        fields: those that are written for ParaView at the times of the states.
        pictures: the fields drawn at the end; the first unknown when left out.
    """

    tried: ClassVar[bool] = True

    every: Time | None = None
    states_every: Time | None = None
    states_at: Times | None = None
    fields: tuple[str, ...] = ()
    pictures: tuple[str, ...] | None = None

    def make(self) -> None:
        """Check the times."""
        for name in ("every", "states_every"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), above=0.0)
        times = self.states_at or ()
        if list(times) != sorted(set(times)):
            msg = f"states_at = {list(times)}, must be times that increase"
            raise ParameterError(msg)
        if self.states_at is not None and self.states_every is not None:
            msg = "states_at and states_every are given, must be one of them"
            raise ParameterError(msg)
