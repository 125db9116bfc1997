"""Size of the steps in time, and the age of the Jacobian that serves them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

GROWTH = 4.0  # largest factor from one step to the next
CUT = 0.5  # PETSc's safety factor, and its lowest factor: a step it rejects is always halved
SAFETY = 0.8  # of the step that the error estimate would allow
LARGEST_CUT = 0.1  # smallest factor of a step that failed
MOST_ROOM = 0.999 * GROWTH * SAFETY / CUT  # PETSc tells no more
MIN_GROWTH = 1.2  # smallest growth of a step that is worth a factorisation
WORTH, LARGE_GROWTH = 6, 1.6  # steps after which a factorisation has paid for itself; growth that is worth a new one
NEAR = 0.9  # part of the present step below which the next step that the error will allow asks for a new Jacobian
FALL = 0.85  # factor of the room from the first step with a Jacobian to the second, of steps longer than ever
LEAST_FALL, FORGET = 0.5, 0.9  # of it: what falls by more has a kink; power that is left of it where nothing was seen
LEAST_PART = 0.25  # of the step that the error allowed, as the next one: slopes are not that exact
LASTING, SHORTER = 2, 0.9  # steps that a Jacobian should serve; factor of the step where it did not
AFTER_CUT, AFTER_HALVING = 3, 2  # steps without growth after a step that failed, and after one that PETSc halved
FOLLOWED = 8  # steps after one that failed which shrink as fast as the error tells
# In a checkpoint, each as _NAME.
SAVED = ("age", "no_growth_steps", "step_size", "smallest", "room", "first_fall", "allowed", "took", "follow")


def _allowed(suggested: float) -> float:
    """Return the step that an error estimate allows, with the safety factor of these steps in place of PETSc's."""
    return SAFETY / CUT * suggested


class StepSize:
    """Size of the next steps: they divide the time to the next target evenly.

    The size grows only where that is worth a factorisation, and is cut to half or less: while it does not change, a
    method that allows it keeps its factorisation.

    Attributes:
        step_size: longest next step.
        fixed: True if all steps have this size.
        reuse: steps that one Jacobian may serve; 0 for a method that needs a new one each time.
        age: steps that the present Jacobian has served; `reuse` asks for a new one.
        smallest: size below which a run gives up.
        no_growth_steps: steps to come that may not be longer.
        room: step that the error allowed after the last one, over that one.
        first_fall: factor of the room from the first step with a Jacobian to the second, of those that had two.
        allowed: step that the error allowed in the place of the last one, if that had a new Jacobian; 0 if not known.
        took: the last one.
        follow: steps to come that may shrink as fast as the error tells.
    """

    def __init__(self, step_size: float, *, fixed: bool, reuse: int) -> None:
        """Begin with a first step; its smallest size is not known yet."""
        self.step_size, self.fixed, self.reuse = step_size, fixed, reuse
        self.age = self.no_growth_steps = 0
        self.smallest = 0.0
        self.room, self.first_fall = 1.0, FALL
        self.allowed, self.took, self.follow = 0.0, 1.0, 0

    def state(self) -> dict[str, Any]:
        """Return the numbers that decide on the steps to come."""
        return {f"_{name}": getattr(self, name) for name in SAVED}

    def restore(self, numbers: Mapping[str, Any]) -> None:
        """Take them back."""
        for name in SAVED:
            setattr(self, name, numbers.get(f"_{name}", getattr(self, name)))  # earlier versions had fewer

    @property
    def stale(self) -> bool:
        """True if the present Jacobian is not new, and serves on."""
        return 0 < self.age < self.reuse

    @property
    def too_small(self) -> bool:
        """True if no step of the present size can be tried."""
        return self.fixed or self.step_size < self.smallest

    def pieces(self, left: float) -> int:
        """Return the number of equal steps to the target, none longer than the present size."""
        ratio = left / self.step_size
        slack = 1e-6 * min(ratio, 1e3)  # a thousandth of a step at most, or it would skip steps and change their size
        return max(1, math.ceil(ratio - slack))

    def shorten(self, longest: float) -> None:
        """Make the next step no longer than that."""
        if not self.fixed:
            self.step_size = min(self.step_size, longest)

    def cut(self, dt: float, suggested: float = math.inf) -> None:
        """Halve a step that failed, or cut it to what PETSc's estimate of its error allows if that is less."""
        self.step_size = min(CUT * dt, max(LARGEST_CUT * dt, _allowed(suggested)))
        self.no_growth_steps, self.first_fall, self.follow = AFTER_CUT, FALL, FOLLOWED

    def approach(self, dt: float) -> None:
        """Go on in tenths of a step on which the solution left its bounds, until it does so again."""
        self.step_size, self.no_growth_steps = LARGEST_CUT * dt, round(1 / LARGEST_CUT)

    def accept(self, took: float, *, halved: bool, left: float, suggested: float) -> None:
        """Choose the next step after one that succeeded.

        Args:
            took: its size.
            halved: True if PETSc tried a longer one before.
            left: time to the target.
            suggested: next step that PETSc's error estimate allows, with its safety factor.
        """
        self.age += 1
        self.no_growth_steps = AFTER_HALVING if halved else max(0, self.no_growth_steps - 1)
        if not self.fixed:
            self.step_size, room = took, _allowed(suggested) / took
            falling, ahead = self._falling(took, room), took * self._room_ahead(room)
            if falling < took:
                self.step_size, self.age = falling, self.reuse
            else:
                self._adapt(left, ahead)

    def _falling(self, took: float, room: float) -> float:
        """Return the step that the error will allow with a new Jacobian, a + h da/dt, if that falls; else infinity.

        Near a singularity in time a is a part of what is left to it. Only some steps after each that failed follow
        it: where the error does not fall with the step they would shrink for ever. The slope is that between two steps
        with a new Jacobian each; smaller falls than to `FALL` are noise.
        """
        before, before_took, allowed = self.allowed, self.took, room * took
        self.allowed, self.took = allowed if room < MOST_ROOM and self.age == 1 else 0.0, took
        if not self.follow or not self.allowed or allowed >= FALL * before:
            return math.inf
        self.follow -= 1
        return max(LEAST_PART * allowed, allowed + took * (allowed - before) / before_took)

    def _room_ahead(self, room: float) -> float:
        """Return the room that the next step will leave, r_(n+1) = r_n min(1, r_n / r_(n-1)): a Jacobian ages.

        After the first step with a Jacobian the ratio is that of the one before.
        """
        fall = self.first_fall if self.age == 1 else min(1.0, room / self.room)
        if self.age == 2:
            self._learn(fall)
        self.room = room
        return room * fall

    def _learn(self, fall: float) -> None:
        """Follow the factor of the room from the first step with a Jacobian to the second: down at once, up by half."""
        self.first_fall = max(LEAST_FALL, min(fall, math.sqrt(self.first_fall * fall)))

    def _adapt(self, left: float, allowed: float) -> None:
        """Choose the size of the next step, and the age of its Jacobian, from the size that the error will allow.

        Each change of size is a factorisation, which costs about two steps. A method that reuses one renews it before
        the error is too large with the old one, and takes longer steps if it is due anyway or they are much longer.
        """
        if self.age < self.reuse and allowed < NEAR * self.step_size:
            if self.age == 1:  # else what is not tried would be believed for ever, and steps would shrink for ever
                self.first_fall **= FORGET
            self._renew(self.step_size)
        elif not self.reuse or self.age >= WORTH or allowed > LARGE_GROWTH * self.step_size:
            self._grow(left, allowed)

    def renew(self, dt: float, suggested: float) -> None:
        """Ask for a new Jacobian after a step that failed, of whose error PETSc says what step it allows."""
        if self.age == 1:
            self._learn(min(1.0, _allowed(suggested) / dt / self.room))
        self.follow = FOLLOWED
        self._renew(dt)

    def _renew(self, dt: float) -> None:
        """Ask for a new Jacobian in the next step, which is shorter if the present one did not last."""
        if not self.fixed:
            self.step_size = SHORTER * dt if self.age < LASTING else dt
        self.age = self.reuse

    def _grow(self, left: float, allowed: float) -> None:
        """Take longer steps if the error allows enough of it to be worth a factorisation, but not just after a cut."""
        longer = left / math.ceil(left / allowed) if left > 0 else allowed
        if not self.no_growth_steps and longer >= MIN_GROWTH * self.step_size:
            self.step_size, self.first_fall = longer, min(self.first_fall, FALL)
