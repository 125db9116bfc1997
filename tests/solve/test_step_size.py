"""Size of the steps in time: pieces of the way, growth where it pays, cuts, and the age of the Jacobian."""

from emfem.solve.step_size import AFTER_CUT, CUT, FALL, FOLLOWED, LASTING, LEAST_FALL, SAFETY, SHORTER, WORTH, StepSize

import pytest


def rosenbrock(step_size: float = 1.0) -> StepSize:
    """Sizes of a method that keeps its Jacobian for 20 steps, which is not known to age."""
    size = StepSize(step_size, fixed=False, reuse=20)
    size.first_fall = 1.0
    return size


def suggested(allowed: float) -> float:
    """Return what PETSc suggests where the error allows a step."""
    return CUT / SAFETY * allowed


def accept(size: StepSize, allowed: float, *, left: float = 1e3) -> None:
    """Accept a step of the present size, after which the error allows another one."""
    size.accept(size.step_size, halved=False, left=left, suggested=suggested(allowed))


@pytest.mark.parametrize(
    ("left", "pieces"), [(1.0, 1), (1.0 + 1e-7, 1), (1.001, 2), (3.0, 3), (0.2, 1), (1e6 + 5e-4, 10**6)]
)
def test_steps_divide_the_way_evenly_and_rounding_makes_no_step(left: float, pieces: int):
    assert rosenbrock().pieces(left) == pieces


def test_a_size_stays_until_a_change_pays_for_a_factorisation():
    size = rosenbrock()
    for _ in range(WORTH - 1):
        accept(size, 1.5)
        assert size.step_size == 1.0
    accept(size, 1.5)
    assert size.step_size == pytest.approx(1.5, rel=1e-3)


def test_a_much_longer_step_is_taken_at_once_but_not_just_after_a_cut():
    size = rosenbrock(2.0)
    size.cut(2.0)
    for _ in range(AFTER_CUT - 1):
        accept(size, 4.0)
        assert size.step_size == 1.0
    accept(size, 4.0)
    assert size.step_size == pytest.approx(4.0, rel=1e-2)


def test_a_jacobian_is_renewed_before_its_age_rejects_a_step_and_the_size_falls_if_it_did_not_last():
    size = rosenbrock()
    for _ in range(LASTING):
        accept(size, 1.0)
    assert size.stale
    accept(size, 0.8)
    assert (size.age, size.step_size) == (size.reuse, 1.0)
    size.age = LASTING - 1
    size.renew(1.0, 0.0)
    assert size.step_size == SHORTER


def test_a_jacobian_is_renewed_before_the_next_step_would_be_rejected():
    """The room falls by the same factor in each step: 1.4, 1.1, and 0.86 would be to come."""
    size = rosenbrock()
    accept(size, 1.4)
    assert size.age == 1
    accept(size, 1.1)
    assert (size.age, size.step_size) == (size.reuse, 1.0)
    size.age = 0  # as the stepper sets it with the new Jacobian
    accept(size, 1.1)  # which is known to lose as much
    assert (size.age, size.step_size) == (size.reuse, SHORTER)


def test_a_rejected_second_step_tells_how_fast_a_jacobian_ages():
    size = rosenbrock()
    accept(size, 1.2)
    size.renew(1.0, suggested(0.72))
    assert size.first_fall == pytest.approx(0.72 / 1.2)
    size.age = 0
    accept(size, 1.45 * SHORTER)
    assert size.age == size.reuse  # 1.45 * 0.6 is no room


def test_what_a_jacobian_loses_is_believed_at_once_and_forgotten_slowly():
    size = rosenbrock()
    for second, fall in ((0.64, 0.64), (1.0, 0.8), (0.1, LEAST_FALL)):
        size.age = 0
        accept(size, 1.0 / size.first_fall)
        size.room, size.age = 1.0, 1
        accept(size, second)
        assert size.first_fall == pytest.approx(fall)


def test_steps_do_not_shrink_for_ever_where_one_lost_all_its_room():
    """A kink took 6.4 times its room from a second step; the next ones have as much again."""
    size = rosenbrock()
    accept(size, 6.4)
    size.renew(1.0, 0.0)
    before = size.step_size
    for _ in range(3):
        size.age = min(size.age, 1) if size.stale else 0
        accept(size, 6.4 * size.step_size)
    assert size.step_size > before


def test_steps_do_not_shrink_for_ever_where_shorter_ones_have_no_smaller_error():
    size, falls = rosenbrock(), []
    size.first_fall = LEAST_FALL
    for _ in range(20):
        size.age = 0
        accept(size, size.step_size)
        falls.append(size.age == size.reuse)
    assert falls[0]
    assert not falls[-1]


def test_growth_leaves_room_for_the_second_step_with_a_jacobian():
    size = rosenbrock()
    size.first_fall = 0.6
    accept(size, 2.0)
    assert size.step_size == 1.0  # 2.0 at once would be followed by a rejected step
    size.age = 0
    accept(size, 3.0, left=1e6)
    assert size.step_size == pytest.approx(0.6 * 3.0, rel=1e-3)


def test_a_jacobian_is_taken_to_age_until_one_has_served_twice():
    size = StepSize(1.0, fixed=False, reuse=20)
    accept(size, 1.05)
    assert (size.age, size.step_size) == (size.reuse, SHORTER)
    size = rosenbrock()
    accept(size, 2.0)
    assert size.step_size == pytest.approx(2.0, rel=1e-3)
    assert size.first_fall == FALL  # such a size has no history


@pytest.mark.parametrize(("error", "factor"), [(1.1, 0.5), (8.0, 0.4), (64.0, 0.2), (1e9, 0.1)])
def test_a_step_is_cut_to_what_its_error_allows_but_to_half_at_least(error: float, factor: float):
    """A method of third order: the step that the error e allows is e^(-1/3) of the one tried."""
    size = rosenbrock()
    size.cut(2.0, suggested(SAFETY * error ** (-1 / 3) * 2.0))
    assert size.step_size == pytest.approx(2.0 * factor)


def test_a_fixed_size_never_changes():
    size = StepSize(0.5, fixed=True, reuse=20)
    size.shorten(0.1)
    accept(size, 100.0)
    size.renew(0.5, 0.25)
    assert size.step_size == 0.5
    assert size.too_small  # nothing else can be tried


def test_it_goes_on_from_its_state():
    size, other = rosenbrock(), rosenbrock(7.0)
    size.cut(1.0)
    accept(size, 3.0)
    size.smallest = 1e-9
    other.restore(size.state())
    assert vars(other) == vars(size)


def test_steps_after_one_that_failed_shrink_with_what_is_left_to_a_singularity_but_not_for_ever():
    """The error allows half of what is left to t = 1; a step longer than 1 / SAFETY of that would be rejected."""
    size, t = rosenbrock(0.3), 0.0
    size.cut(0.6)
    for _ in range(FOLLOWED):
        took, size.age = size.step_size, 0
        size.accept(took, halved=False, left=1e9, suggested=suggested(0.5 * (1 - t)))
        t += took
        assert size.step_size <= 0.5 * (1 - t) / SAFETY
    assert size.follow == 1  # of the first step no slope was known
    size.follow, took, size.age = 0, size.step_size, 0
    size.accept(took, halved=False, left=1e9, suggested=suggested(0.5 * (1 - t)))
    assert size.step_size >= SHORTER * took
