"""The lattice that a plane shows, and how a fit on it betters its lengths."""

from dataclasses import dataclass, replace

import numpy as np

from dsfu.model.measured.lattice.bases import Kind, idealised
from dsfu.simulate.arrays import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundLattice:
    """The lattice that a plane shows.

    Attributes
    ----------
    basis
        (2, 2), rows in Å along the plane's x and y: the two shortest vectors.
    kind
        "rectangular", "hexagonal" or "oblique".
    misfit
        Structured misfit of the coarse fit with it.
    agreement
        Correlation of the fit's I_SRO with the network's, both as roots; 1 is the same. NaN without a network.
    one_dimensional
        Whether order is along one direction only: the second vector is then not determined.
    tried
        How many lattices were fitted.
    """

    basis: FloatArray
    kind: Kind
    misfit: float
    agreement: float
    one_dimensional: bool
    tried: int

    @property
    def lengths(self) -> tuple[float, float]:
        """Of the basis, in Å."""
        first, second = np.hypot(*self.basis.T)
        return float(first), float(second)

    @property
    def angle(self) -> float:
        """Between the vectors of the basis, in degrees."""
        return float(np.degrees(np.arccos(self.basis[0] @ self.basis[1] / np.prod(self.lengths))))

    @property
    def orientation(self) -> float:
        """Degrees from the plane's x to the first vector, anticlockwise."""
        return float(np.degrees(np.arctan2(self.basis[0, 1], self.basis[0, 0])))

    @property
    def words(self) -> str:
        """One line for people."""
        first, second = self.lengths
        line = (
            f"{self.kind} lattice, {first:.3f} and {second:.3f} Å, {self.angle:.1f}°, at {self.orientation:.1f}° from x"
        )
        return f"{line}; order along one direction only" if self.one_dimensional else line


def refined(found: FoundLattice, axis_scales: FloatArray) -> FoundLattice:
    """The lattice with the stretches (2,) that a full fit on it has found, along the plane's x and y."""
    basis, kind = idealised(found.basis * axis_scales)
    return (
        replace(found, basis=basis, kind=kind)
        if kind == found.kind
        else replace(found, basis=found.basis * axis_scales)
    )
