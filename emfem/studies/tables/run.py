"""The tables [time], [steady] and [output]: time steps and output of a case."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import watch
from emfem.errors import ParameterError, choice, number
from emfem.evolution import COUPLINGS, evolve
from emfem.solve import METHODS, SOLVERS, solve_steady
from emfem.solve.steady import STEADY
from emfem.studies.tables.base import Key, Table, keys_from
from emfem.studies.units import Time, Unit

SOLVER = Key(str, default=None)  # left out it is "auto", and the case keeps the hash that it had without the key


class Stop(Table):
    """An event that ends the run: a quantity that passes a limit.

    Attributes:
        quantity: its name, as in the first line of series.csv.
        above: the limit, if the value rises to it.
        below: the limit, if the value falls to it.
    """

    quantity: str
    above: Annotated[float, Unit("SI")] | None = None
    below: Annotated[float, Unit("SI")] | None = None

    def make(self) -> watch.Event:
        """Make the observer."""
        return watch.event(self.quantity, above=self.above, below=self.below)


@keys_from(
    evolve,
    left_out=("models", "until", "watch", "checkpoint", "progress", "petsc_options", "wall_time"),
    keys={"first_step": Key(Time), "fixed_step": Key(Time), "method": Key(str), "solver": SOLVER},
)
class TimeTable(Table):
    """Integration of the models in time; see `em.evolve`.

    Attributes:
        until: the time to reach, hit exactly.
        stop: events that end the run, a list of tables.
        conserved: quantities that must not change but by fluxes in; a run that loses any ends with an error.
    """

    until: Time
    stop: tuple[Stop, ...] = ()
    conserved: tuple[str, ...] = ()

    def make(self) -> dict[str, Any]:
        """Return the arguments of `em.evolve`."""
        values: dict[str, Any] = self.values("stop", "conserved")
        for name in values.keys() - {"method", "coupling", "solver"}:
            number(name, values[name], above=0.0)
        choice("method", values["method"], METHODS)
        choice("coupling", values["coupling"], COUPLINGS)
        choice("solver", values.get("solver", "auto"), SOLVERS)
        return values

    def observers(self) -> list[Any]:
        """Return the observers that stop the run."""
        return [*(stop.make() for stop in self.stop), *(watch.conserved(name) for name in self.conserved)]


@keys_from(solve_steady, left_out=("models", "petsc_options"), keys={"solver": SOLVER})
class SteadyTable(Table):
    """The search of steady states; see `em.solve_steady`."""

    def make(self) -> dict[str, Any]:
        """Return the arguments of `em.solve_steady`."""
        values: dict[str, Any] = self.values()
        if "method" in values:
            choice("method", values["method"], STEADY)
        choice("solver", values.get("solver", "auto"), SOLVERS)
        number("rtol", values["rtol"], above=0.0)
        number("atol", values["atol"], above=0.0)
        return values


class OutputTable(Table):
    """Output of a run: rows of the series, states to come back to, fields for ParaView, pictures of the end.

    Attributes:
        every: period of the rows of the series; each step when left out.
        states_every: period of the states, from which fields can be had later; only the end when left out.
        states_at: times of the states, instead.
        fields: those that are written for ParaView at the times of the states.
        pictures: the fields drawn at the end; the first unknown when left out.
        checkpoint_every: wall time between two checkpoints, from which the run can go on; 10 minutes when left out.
    """

    every: Time | None = None
    states_every: Time | None = None
    states_at: Annotated[tuple[float, ...], Unit("s", scaled=True)] | None = None
    fields: tuple[str, ...] = ()
    pictures: tuple[str, ...] | None = None
    checkpoint_every: Annotated[float, Unit("s")] | None = None

    def make(self) -> None:
        """Check the times."""
        for name in ("every", "states_every", "checkpoint_every"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), above=0.0)
        times = self.states_at or ()
        if list(times) != sorted(set(times)):
            msg = f"states_at = {list(times)}, must be times that increase"
            raise ParameterError(msg)
        if self.states_at is not None and self.states_every is not None:
            msg = "states_at and states_every are given, must be one of them"
            raise ParameterError(msg)
