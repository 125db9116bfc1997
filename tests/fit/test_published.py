"""Published measurements, fitted: the numbers are those of their authors."""

import emfem as em
from emfem.units import eV, hour

import numpy as np
import pytest
from scipy import optimize


def test_lives_of_conductors_have_the_estimates_of_others():
    """f = a l exp(l x) exp(-a exp(l x)) has l = 0.6059935, a = 0.0088741 in the manual of reliaR, by another search."""
    curve = em.fit.published("conductors")
    x = curve.y / hour
    assert len(x) == 59

    def loss(rate: float) -> float:
        return -float(np.log(rate / np.exp(rate * x).sum()) + rate * x.mean())

    rate = optimize.minimize_scalar(loss, bounds=(0.1, 2.0), method="bounded", options={"xatol": 1e-9}).x
    assert rate == pytest.approx(0.6059935, rel=3e-4)
    assert 59 / np.exp(rate * x).sum() == pytest.approx(0.0088741, rel=2e-3)


def test_both_fits_of_lives_agree():
    """`em.fit` with the scatter of the data, and the lognormal of `em.lifetime`: same median, same interval."""
    curve = em.fit.published("conductors")
    unknown = em.fit.Unknown("t50", (1 * hour, 100 * hour), logarithmic=True, unit="s")
    fit = em.fit.fit(lambda c, x: np.full(59, c["t50"]), [curve], [unknown], starts=1)
    median, other = fit.estimates["t50"], em.lifetime.fit_lognormal(curve.y)
    assert [median.value, median.low, median.high] == pytest.approx(
        [other.t50.value, other.t50.low, other.t50.high], rel=1e-6
    )
    assert fit.scatter == pytest.approx(np.std(np.log(curve.y), ddof=1), rel=1e-6)


def test_gradients_tell_the_ratio_of_two_forces_only():
    """Both lives of Ding et al. follow from one ratio of two forces, within the percent they are rounded to."""

    def life(c: dict[str, float], x: dict[str, np.ndarray]) -> np.ndarray:
        return 1 / (1 + c["Q"] / 398.15 * x["gradient"] / c["F"])

    curve = em.fit.published("gradients")
    force = em.fit.Unknown("F", (100 * eV, 1e5 * eV), logarithmic=True, unit="J/m")
    both = em.fit.fit(life, [curve], [force, em.fit.Unknown("Q", (0.01 * eV, 1 * eV), unit="J")], starts=1)
    assert "only F/Q is determined: F and Q are not determined one by one" in both.undetermined
    alone = em.fit.fit(lambda c, x: life(c | {"Q": 0.16 * eV}, x), [curve], [force], starts=1)
    assert alone.misfit is not None
    assert alone.misfit > 0.3
    assert 3400 < alone.values["F"] / eV < 3750


def test_other_data_are_refused():
    with pytest.raises(em.UnknownName, match="conductors"):
        em.fit.published("conductor")
