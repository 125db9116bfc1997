"""The film whose surface is not flat: height and composition of a binary alloy under surface electromigration.

    one = em.height.Species(diffusivity=1e-12, surface_energy=1.5, effective_charge=10, strength=1, misorientation=-0.4)
    two = em.height.Species(diffusivity=3e-12, surface_energy=1.4, effective_charge=5)
    alloy = em.height.Alloy(one, two, temperature=700.0, atomic_volume=1.7e-29, layer=0.5 * nm)
    rough = em.film.noise(1 * nm).on(line)
    film = em.height.model(line, alloy, thickness=100 * nm, mean=0.3, field=[3e3], height=rough)
    em.height.growth_rates([k], alloy, mean=0.3, field=[3e3])      # of small waves, in the linear theory

Both species diffuse and drift in a surface layer of constant thickness, each with a mobility of its own; what the
surface buries stays below it until the surface falls again. The model is of the kind of M. Khenner and M. Bandegi,
Math. Model. Nat. Phenom. 10(4), 83 (2015), doi:10.1051/mmnp/201510405, and of B. J. Spencer, P. W. Voorhees and
J. Tersoff, Phys. Rev. B 64, 235318 (2001); its equations were derived anew: docs/physics/film_height.md.
"""

from emfem.height.alloy import Alloy, Species
from emfem.height.equations import model
from emfem.height.waves import growth_matrix, growth_rates
from emfem.public import dir_of

__all__ = ["Alloy", "Species", "growth_matrix", "growth_rates", "model"]
__dir__ = dir_of(__all__)
