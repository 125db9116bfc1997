"""The terms of a surface that moves: each function's docstring is the term. Energies are in k T."""

from __future__ import annotations

from typing import Any

from emfem.model.mixing import FLOOR, x_ln_x

import ufl


def mixing_energy(c: Any, interaction: Any) -> Any:
    """`g = c ln c + (1 - c) ln(1 - c) + w c (1 - c)`, of an atom of the layer."""
    return x_ln_x(c) + x_ln_x(1 - c) + interaction * c * (1 - c)


def steepness(h: Any) -> Any:
    """`q = sqrt(1 + |grad h|^2)`, the area of the surface over that of the plane below it."""
    return ufl.sqrt(1 + ufl.inner(ufl.grad(h), ufl.grad(h)))


def surface_energy(c: Any, h: Any, capillary: Any, interaction: Any, layer: Any, gradient: Any) -> Any:
    """`l(c) q + delta g(c) + (K/2) |grad c|^2`: of surface and layer by area of the plane, l = Omega gamma/kT."""
    local = capillary(c) * steepness(h) + layer * mixing_energy(c, interaction)
    return local + gradient / 2 * ufl.inner(ufl.grad(c), ufl.grad(c))


def metric(h: Any) -> Any:
    """`P = q I - grad h (x) grad h / q`: int P grad u . grad v dx is that of surface gradients on the surface."""
    q = steepness(h)
    return q * ufl.Identity(len(ufl.grad(h))) - ufl.outer(ufl.grad(h), ufl.grad(h)) / q


def inclination_factor(h: Any, direction: Any, strength: Any, folds: Any, misorientation: Any) -> Any:
    """`M = (1 + b cos^2(N (theta + phi))) / (1 + b cos^2(N phi))`, tan theta = e . grad h."""
    theta = ufl.atan(ufl.inner(direction, ufl.grad(h)))
    inclined, flat = (1 + strength * ufl.cos(folds * (angle + misorientation)) ** 2 for angle in (theta, 0 * theta))
    return inclined / flat


def fraction(c: Any) -> Any:
    """`c`, at least FLOOR: some mobility is left where a strong field has used a species up."""
    return ufl.max_value(c, FLOOR)


def volume_flux(share: Any, mobility: Any, root: Any, h: Any, mu: Any, force: Any) -> Any:
    """`Omega J = -delta D x M R P R (grad mu - F)`, x the fraction of the species, R the root of its tensor."""
    return -share * mobility * ufl.dot(root, ufl.dot(metric(h), ufl.dot(root, ufl.grad(mu) - force)))


def growth(rate: Any, flux: Any, v: Any, dx: Any) -> ufl.Form:
    """`int h_t v - Omega (J_A + J_B) . grad v dx`: atoms that arrive raise the surface, walls are blocked."""
    return rate * v * dx - ufl.inner(flux, ufl.grad(v)) * dx


def taken_up(rate: Any, above: Any, below: Any) -> Any:
    """`x h_t`: of what is at the surface where that rises and buries it, of what lies below where it falls."""
    rise = ufl.max_value(rate, 0)
    return above * rise + below * (rate - rise)


def layer_balance(c_rate: Any, buried_rate: Any, layer: Any, flux: Any, w: Any, dx: Any) -> ufl.Form:
    """`int (delta c_t + b_t) w - Omega J_B . grad w dx`: what arrives stays in the layer or is buried."""
    return (layer * c_rate + buried_rate) * w * dx - ufl.inner(flux, ufl.grad(w)) * dx
