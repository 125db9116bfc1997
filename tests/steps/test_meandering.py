"""Steps that meander: linear theory against diffusion on a wavy terrace in the plane, and closed forms."""

import re
from typing import Any

import emfem as em
from emfem.units import boltzmann, nm

import numpy as np
import pytest
import ufl
from dolfinx import default_scalar_type, fem, mesh
from dolfinx.fem.petsc import LinearProblem
from mpi4py import MPI

T, D, WIDTH = 900.0, 1e-10, 5 * nm
KT = boltzmann * T
LOWER, UPPER, GAMMA = 0.6, 1.6, 0.02  # D/k of both sides and the capillary length, in widths
FLOW = D * 2e16 * 6.6e-20 / WIDTH**2  # D n0 Omega over the square of a width [1/s]


def steps(**other: Any) -> em.steps.Surface:
    """Slow attachment, slower from above: an Ehrlich-Schwoebel barrier."""
    given: dict[str, Any] = {
        "temperature": T,
        "diffusivity": D,
        "adatom_density": 2e16,
        "atom_area": 6.6e-20,
        "force": 0.0,
        "attachment_lower": D / (LOWER * WIDTH),
        "attachment_upper": D / (UPPER * WIDTH),
        "line_stiffness": GAMMA * WIDTH * KT / 6.6e-20,
    }
    return em.steps.Surface(**given | other)


class Terrace:
    """Adatoms between two wavy steps, half a wave of them; lengths in widths, densities in n0."""

    def __init__(self, q: float, f: float, loss: float, deposition: float):
        """Set up the equations on a rectangle whose nodes `flux` moves."""
        self.q, self.wave, cells = q, np.pi / q, (12, 40)
        corners = [np.zeros(2), np.array([1.0, self.wave])]
        self.mesh = mesh.create_rectangle(MPI.COMM_SELF, corners, cells, mesh.CellType.quadrilateral)
        self.flat = self.mesh.geometry.x.copy()
        ends = [mesh.locate_entities_boundary(self.mesh, 1, lambda x, end=end: np.isclose(x[0], end)) for end in (0, 1)]
        values = np.repeat(np.arange(2, dtype=np.int32), [len(facets) for facets in ends])
        tags = mesh.meshtags(self.mesh, 1, np.concatenate(ends), values)
        self.ds = ufl.Measure("ds", self.mesh, subdomain_data=tags)
        space = fem.functionspace(self.mesh, ("Lagrange", 2))
        n, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        self.excess = [fem.Constant(self.mesh, default_scalar_type(0.0)) for _ in range(2)]
        pull = fem.Constant(self.mesh, default_scalar_type((f, 0.0)))
        a = ufl.inner(ufl.grad(n) - pull * n, ufl.grad(v)) * ufl.dx
        a += fem.Constant(self.mesh, default_scalar_type(loss)) * n * v * ufl.dx
        self.wavy = ufl.cos(fem.Constant(self.mesh, default_scalar_type(q)) * ufl.SpatialCoordinate(self.mesh)[1])
        rhs = fem.Constant(self.mesh, default_scalar_type(deposition)) * v * ufl.dx
        for end, rate in enumerate((1 / LOWER, 1 / UPPER)):
            a += rate * n * v * self.ds(end)
            rhs += rate * (1 + self.excess[end] * self.wavy) * v * self.ds(end)
        options = {"ksp_type": "preonly", "pc_type": "lu"}
        self.problem = LinearProblem(a, rhs, petsc_options=options, petsc_options_prefix="terrace_")

    def flux(self, left: float, right: float) -> tuple[float, float]:
        """Return the waves of atoms that join the left and the right step, each of this amplitude."""
        x = self.mesh.geometry.x
        x[:] = self.flat
        shift = left * (1 - self.flat[:, 0]) + right * self.flat[:, 0]
        x[:, 0] += shift * np.cos(self.q * self.flat[:, 1])
        for excess, amplitude in zip(self.excess, (left, right), strict=True):
            excess.value = GAMMA * self.q**2 * amplitude
        n = self.problem.solve()
        joins = (
            rate * (n - 1 - excess * self.wavy) * self.wavy * self.ds(end)
            for end, (rate, excess) in enumerate(zip((1 / LOWER, 1 / UPPER), self.excess, strict=True))
        )
        at_left, at_right = (2 / self.wave * fem.assemble_scalar(fem.form(form)) for form in joins)
        return float(at_left), float(at_right)


@pytest.mark.parametrize("q", [0.8, pytest.param(2.5, marks=pytest.mark.soak)])
def test_meandering_grows_as_diffusion_on_wavy_terraces(q: float):
    """In phase and in opposite ones, each cause alone and all of them; nothing is linear or one-dimensional there."""
    small = 1e-2
    for f, loss, deposition in ((0.0, 0.0, 0.0), (0.0, 0.0, 2.0), (0.7, 0.0, 0.0), (-0.4, 0.3, 1.5)):
        terrace = Terrace(q, f, loss, deposition)
        on = steps(
            force=KT * f / WIDTH,
            evaporation_time=WIDTH**2 / (D * loss) if loss else np.inf,
            deposition=deposition * D * 2e16 / WIDTH**2,
        )
        for phase, sign in ((0.0, 1.0), (np.pi, -1.0)):
            seen = terrace.flux(sign * small, small)[1] + terrace.flux(small, sign * small)[0]
            omega = em.steps.growth_rate(phase, on, width=WIDTH, wave_number=q / WIDTH)
            assert seen / small == pytest.approx(complex(omega).real / FLOW, rel=2e-3, abs=0)


@pytest.mark.parametrize("cause", ["deposition", "force", "line_stiffness"])
def test_long_waves_have_the_rate_of_the_closed_form(cause: str):
    """Bales and Zangwill's instability, that of a force down the steps, and their line tension; of order q^2."""
    value = {"deposition": 1e20, "force": KT * 1e4, "line_stiffness": 1e-11}
    on = steps(**{"line_stiffness": 0.0, cause: value[cause]})
    h_lower, h_upper = on.kinetic_lengths
    h, errors = h_lower + h_upper, []
    for ql in (0.1, 0.05):
        q = ql / WIDTH
        barrier = on.deposition * WIDTH**2 * (h_upper - h_lower) / (2 * (WIDTH + h))
        drift = D * 2e16 * on.drift * WIDTH * h / (WIDTH + h)
        exact = on.atom_area * q**2 * (barrier + drift - D * 2e16 * WIDTH * on.capillary_length * q**2)
        errors.append(complex(em.steps.growth_rate(0.0, on, width=WIDTH, wave_number=q)).real / exact - 1)
    assert abs(errors[1]) < 3e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_barriers_make_growing_steps_meander_and_line_tension_keeps_short_waves_straight():
    """Without a barrier, or one for atoms from below, growth heals; fastest at 1/sqrt 2 of the neutral wave."""
    growing: dict[str, Any] = {"deposition": 1e20, "line_stiffness": 2e-11}
    q = np.linspace(1e6, 6e7, 500)
    rates = np.asarray(em.steps.growth_rate(0.0, steps(**growing), width=WIDTH, wave_number=q)).real
    neutral = q[np.flatnonzero(rates > 0)[-1]]
    assert rates[0] > 0 > rates[-1]
    assert q[rates.argmax()] == pytest.approx(neutral / np.sqrt(2), rel=0.03)
    swapped = {"attachment_lower": D / (UPPER * WIDTH), "attachment_upper": D / (LOWER * WIDTH)}
    healing = em.steps.growth_rate(0.0, steps(**growing, **swapped), width=WIDTH, wave_number=q)
    assert np.asarray(healing).real.max() < 0


def test_no_step_moves_faster_for_being_moved_whole():
    """A train that is shifted as a whole is the same train."""
    on = steps(force=KT * 1e6, deposition=1e22, evaporation_time=1e-6, repulsion=1e-30)
    whole, pairs = (abs(complex(em.steps.growth_rate(phase, on, width=WIDTH))) for phase in (0.0, np.pi))
    assert whole < 1e-10 * pairs


def test_what_cannot_be_is_refused():
    with pytest.raises(em.ParameterError, match="wave_number = nan, must be"):
        em.steps.growth_rate(0.0, steps(), width=WIDTH, wave_number=np.nan)
    words = "wave_number of shape (2,), must go with that of phase, (3,)"
    with pytest.raises(em.ParameterError, match=re.escape(words)):
        em.steps.growth_rate([0.0, 1.0, 2.0], steps(), width=WIDTH, wave_number=[1e7, 2e7])
    with pytest.raises(em.ParameterError, match="line_stiffness = -1 J/m, must be at least 0"):
        steps(line_stiffness=-1.0)
