"""Whether light atoms sit in the gaps of an FCC metal: carbides, nitrides and oxides whose metal is FCC.

Peak by peak they hardly show beside the metal's atoms. All their distances together do, in what its fit leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from dsfu.model.problems.particles.envelope import common_volume, lattice_distances
from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.lattices import LATTICES
from dsfu.model.problems.particles.ranking import diameter_of
from dsfu.model.problems.particles.solving import Candidate
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED

_GAPS: Final[Mapping[str, FloatArray]] = {
    "six": np.array([[np.sqrt(0.5), 0.0, 0.0]]),
    "four": np.full((1, 3), np.sqrt(0.125)),
}
"""Where they are from an atom of the metal, in b, by how many atoms of it are around them."""

_WIDER: Final = 1.0
"""In Å²: B of their distances beyond the metal's: light atoms move more, and their form factors fall sooner."""

_STEPS: Final = (1.002, 1.1)


@dataclass(frozen=True, kw_only=True)
class LightAtoms:
    """How many metal atoms are around each; its amplitude over the metal's; how much of the misfit it explains."""

    neighbours: str
    amplitude: float
    share: float


def light_atoms(space: FitSpace, best: Candidate) -> LightAtoms:
    """What explains most of the misfit of an FCC particle: light atoms amid six of the metal, or amid four.

    A sphere with the particle's number of atoms stands for its shape. What other b and B would explain is left out.
    """
    fit = best.refined
    diameter = diameter_of(best.family, best.atoms, fit.bond)

    def coordinates(site: str, bond: float, b_iso: float) -> FloatArray:
        distances, counts = _distances(site)
        # Debye's sum over pairs, Σ n sin(Qd)/d, each distance as often as it is found within the particle.
        d = distances * bond
        sums = (counts / d * common_volume(d, diameter)) @ np.sin(np.outer(d, space.q))
        return np.asarray((sums * np.exp(-b_iso / EIGHT_PI_SQUARED * space.q**2)) @ space.exact_transform)

    metal = coordinates("", fit.bond, fit.b_iso)
    longer = coordinates("", fit.bond * _STEPS[0], fit.b_iso)
    softer = coordinates("", fit.bond, fit.b_iso * _STEPS[1])
    # What a change of the scale, of b or of B explains is no sign of light atoms: work in what is normal to these.
    known, _ = np.linalg.qr(np.stack([fit.fit, metal, longer, softer], axis=1))
    scale = float(fit.fit @ metal) / float(metal @ metal)

    def beyond(curve: FloatArray) -> FloatArray:
        return np.asarray(curve - known @ (known.T @ curve))

    left, found = beyond(space.data - fit.fit), []
    for neighbours in _GAPS:
        own = beyond(coordinates(neighbours, fit.bond, fit.b_iso + _WIDER))
        # Least squares with one unknown, and the share of the misfit's square that it takes away.
        amplitude = float(own @ left) / float(own @ own)
        share = amplitude**2 * float(own @ own) / max(float(left @ left), 1e-30)
        found.append(LightAtoms(neighbours=neighbours, amplitude=amplitude / scale, share=share))
    return max(found, key=lambda each: each.share if each.amplitude > 0 else -1.0)


@cache
def _distances(site: str) -> tuple[FloatArray, FloatArray]:
    """From a metal atom to those of the metal, or to all gaps of a kind."""
    return lattice_distances("FCC", _GAPS[site] if site else LATTICES["FCC"].basis)
