"""Sign-off of grids: voids and currents against the coupled solution, closed forms of one wire and of many trees."""

from __future__ import annotations

from emfem import signoff
from emfem.analytic import blech_product
from emfem.failure import Liner, VoidLength
from emfem.mesh import Network
from emfem.mesh.wires import build
from emfem.units import MPa, boltzmann, elementary_charge, nm, um
from emfem.verify import reference
from emfem.verify.registry import check

import numpy as np

METAL, LONG, WIDE, HIGH = reference.METAL, 50 * um, 0.2 * um, 0.1 * um
CRITICAL, START = 500 * MPa, 100 * MPa
TREES, SAMPLES, SPREAD = 8, 8000, 0.4
RING = np.array([(0, 0), (40, 0), (40, 40), (0, 40), (60, 0)]) * um, [(0, 1), (1, 2), (2, 3), (3, 0), (1, 4)]


def _technology() -> signoff.Technology:
    """Return one layer of the reference metal, with 5 nm of liner."""
    layer = signoff.Layer("metal", HIGH, float(METAL.resistivity), liner=Liner(2e-6, 5 * nm))
    return signoff.Technology({"metal": layer}, METAL, float(METAL.temperature), CRITICAL)


def _wire(load: float) -> Network:
    """Return one wire from a pad to a load [A]."""
    points = np.array([(0.0, 0.0), (LONG, 0.0)])
    return build(points, [(0, 1)], width=WIDE, thickness=HIGH, loads={1: load}, pads={0: 1.0})


@check(
    "signoff",
    source="em.failure.run on 16 cells of the elements of each wire, at rtol = 1e-6 and the same update",
    target=(4.06684e8, 6.78258e8),
    rtol=3e-4,
    unit="s",
)
def ring_whose_void_turns_the_current_away(full: bool) -> tuple[float, float]:
    """Void of a ring with a side arm opens, and is 300 nm long; its current has fallen to a part by then."""
    net = build(*RING, width=WIDE, thickness=HIGH, pads={0: 0.1, 2: 0.0})
    verdict = signoff.run(net, _technology(), until=1e9, fails=VoidLength(300 * nm), stop_at_failure=True)
    return verdict.voids[0].nucleated, verdict.failure


@check(
    "signoff",
    source="the steady state sigma = -G x from the void: V = A (sigma_T L + G L^2/2)/B, by hand",
    target=1.0,
    rtol=1e-4,
)
def saturated_void(full: bool) -> float:
    """Volume of a void of one wire after all stress has settled, over the closed form."""
    charge = abs(float(METAL.effective_charge)) * elementary_charge
    density = 1.5 * blech_product(METAL, critical_stress=CRITICAL) / LONG
    gradient = charge * float(METAL.resistivity) * density / float(METAL.atomic_volume)
    exact = WIDE * HIGH * (START * LONG + gradient * LONG**2 / 2) / float(METAL.bulk_modulus)
    kappa = float(METAL.diffusivity * METAL.bulk_modulus * METAL.atomic_volume / (boltzmann * METAL.temperature))
    wire = _wire(density * WIDE * HIGH)
    verdict = signoff.run(
        wire, _technology(), until=50 * LONG**2 / kappa, residual_stress=START, fails=VoidLength(LONG)
    )
    return sum(void.volume for void in verdict.voids) / exact


@check(
    "signoff",
    source="least and greatest of 8 independent lognormal lives: 1 - (1 - F)^8 and F^8, at the medians of both",
    target=(0.5, 0.5),
    atol=0.019,
)
def series_and_parallel_lognormal_lives(full: bool) -> tuple[float, float]:
    """Part of 8000 systems that has failed by the median in closed form, of chains and of bundles; 3.4 deviations."""
    from scipy import stats

    draws = np.random.default_rng(18).standard_normal((SAMPLES, TREES))
    lives, half = np.exp(SPREAD * draws), 0.5 ** (1 / TREES)
    chain, bundle = (float(np.exp(SPREAD * stats.norm.ppf(part))) for part in (1 - half, half))
    failed = (signoff.system_life(lives).failed_by(chain), signoff.system_life(lives, fails=TREES).failed_by(bundle))
    return failed[0].value, failed[1].value


@check(
    "signoff",
    source="a wire at 3 times Blech's product: the density falls as 1/w, so w is 3 times as large",
    target=(1.0, 2.0),
    rtol=1e-3,
)
def repair_of_a_wire(full: bool) -> tuple[float, float]:
    """Tension after a repair over its limit, and the extra metal over the metal."""
    density = 3 * blech_product(METAL, critical_stress=CRITICAL) / LONG
    result = signoff.repair(_wire(density * WIDE * HIGH), _technology())
    return float(result.steady.max()) / CRITICAL, result.part
