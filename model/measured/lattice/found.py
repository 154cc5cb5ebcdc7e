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
    voxels_per_q
        Of an image whose scale is made up: so many of its voxels count as 1/Å. None where Å are Å.
    """

    basis: FloatArray
    kind: Kind
    misfit: float
    agreement: float
    one_dimensional: bool
    tried: int
    voxels_per_q: float | None = None

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
    def points_apart(self) -> FloatArray | None:
        """(2, 2), rows along the image's x and y: from one lattice point to the next, in voxels of the image."""
        if self.voxels_per_q is None:
            return None
        return np.asarray(2 * np.pi * self.voxels_per_q * np.linalg.inv(self.basis).T, np.float64)

    @property
    def words(self) -> str:
        """One line for people."""
        points = self.points_apart
        if points is None:
            lengths = "{:.3f} and {:.3f} Å".format(*self.lengths)
            line = f"{self.kind} lattice, {lengths}, {self.angle:.1f}°, at {self.orientation:.1f}° from x"
        else:
            apart = "{:.2f} and {:.2f} voxels".format(*np.hypot(*points.T))
            turned = np.degrees(np.arctan2(points[0, 1], points[0, 0]))
            line = f"{self.kind} lattice, its points {apart} apart, {180 - self.angle:.1f}°, at {turned:.1f}° from x"
        return f"{line}; order along one direction only" if self.one_dimensional else line


def refined(found: FoundLattice, axis_scales: FloatArray) -> FoundLattice:
    """The lattice with the stretches (2,) that a full fit on it has found, along the plane's x and y."""
    basis, kind = idealised(found.basis * axis_scales)
    return (
        replace(found, basis=basis, kind=kind)
        if kind == found.kind
        else replace(found, basis=found.basis * axis_scales)
    )
