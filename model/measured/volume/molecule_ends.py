"""Whether I_FF varies fast because molecules differ at two ends, nearly a cell apart: a sharp maximum of its Patterson.

Faults make I_FF vary fast too, but spread over many Patterson vectors, none of which is large and sure at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.simulate.arrays import FloatArray

_FAR: Final = 0.5
"""In cells along a, b or c: nearer ones are within the width that all good crystals have."""

_SHARE: Final = 0.1
_SURE: Final = 8.0
"""Least maximum relative to the origin's, and in its standard uncertainty. Pairs that differ at two ends had .21 at 14
and .24 at 24; of five faulty crystals those with .1 or more had 1.7 at most, and what was sure had .02 at most."""


@dataclass(frozen=True, kw_only=True)
class MoleculeEnds:
    """A maximum of I_FF's Patterson function at `vector`, in cells, relative to that at the origin."""

    vector: tuple[float, float, float]
    share: float

    def sentence(self) -> str:
        place = ", ".join(f"{x:.2f}" for x in self.vector)
        return (
            f"Not judged: I_FF varies as fast as with a fault, but its Patterson function has a sharp maximum at "
            f"({place}) cells, {self.share:.0%} of that at the origin: molecules that differ at two ends so far apart "
            "make it. If yours do, nothing else speaks against α; if not, displacements, a second disordered site or "
            "Bragg residue do."
        )


def molecule_ends(fit: VolumeFit, factor: FloatArray) -> MoleculeEnds | None:
    """The largest sure maximum far from the origin, if there is one; with the factor of the fit's normal matrix."""
    coefficients = fit.parts()[0]
    places = fit.vectors / fit.periods
    far = (np.abs(places) > _FAR).any(axis=1)
    far &= coefficients > _SURE * fit.form_factor_uncertainties(factor)
    if not far.any():
        return None
    largest = int(np.where(far, coefficients, -np.inf).argmax())
    # Relative to an origin that is not positive, the share would say nothing.
    if coefficients[0] <= 0 or coefficients[largest] < _SHARE * coefficients[0]:
        return None
    u, v, w = places[largest].tolist()
    return MoleculeEnds(vector=(u, v, w), share=float(coefficients[largest] / coefficients[0]))
