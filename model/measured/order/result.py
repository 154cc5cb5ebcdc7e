"""Refined Warren–Cowley parameters by shell, whatever they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.symmetry.orbits import symmetrise
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

Vector = tuple[int, int, int]

DETERMINED: Final = 0.5
"""Standard uncertainty of α beyond which the data are said not to determine it; chosen, as |α| cannot be above 1."""


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Equivalent lattice vectors and their Warren–Cowley parameter.

    Attributes
    ----------
    vector
        One of them, as (u, v, w).
    length_angstrom
        Its length.
    multiplicity
        How many there are.
    alpha, uncertainty
        The parameter and its standard uncertainty.
    together_with
        Other shells that the planes cannot tell from this one, each (vector, factor): what is given as ``alpha`` is
        α + Σ factor · α'.
    """

    vector: Vector
    length_angstrom: float
    multiplicity: int
    alpha: float
    uncertainty: float
    together_with: tuple[tuple[Vector, float], ...] = ()

    @property
    def determined(self) -> bool:
        """Whether the data say anything of it."""
        return bool(isfinite(self.alpha) and self.uncertainty <= DETERMINED)

    @property
    def possible(self) -> bool:
        """Whether a crystal can have it: no |α| is above 1."""
        largest = 1 + sum(abs(factor) for _, factor in self.together_with)
        return not self.determined or abs(self.alpha) <= largest


WARNED: Final = "DO NOT RELY ON THESE VALUES."
"""How the note begins that a bad verdict on the data puts before all others."""


@dataclass(frozen=True, kw_only=True)
class SroFit:
    """How a refinement went.

    Attributes
    ----------
    pixels, effective_pixels
        Pixels used, and how many independent ones would determine the parameters as well.
    weak
        Live pixels that were left out because I_FF is weak.
    scales
        For each plane, what α_0 = 1 is in the units of its I_SRO.
    r_value, weighted_r
        Σ|obs − calc| / Σ|obs|, and √(Σ w (obs − calc)² / Σ w obs²).
    goodness_of_fit
        √(χ² / (pixels − parameters)); None without standard uncertainties of the data.
    touching
        At how many points of the grid I_SRO is held at zero.
    cost_of_conditions
        Share of χ² that is owed to the conditions on I_SRO and α.
    """

    pixels: int
    effective_pixels: float
    weak: int
    scales: tuple[float, ...]
    r_value: float
    weighted_r: float
    goodness_of_fit: float | None
    touching: int
    cost_of_conditions: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SroRefinement:
    """Warren–Cowley parameters with their uncertainties.

    Attributes
    ----------
    source
        "I_SRO", "solver", or "volume" for a fit of all voxels.
    cell, symmetry
        The direct cell, and the name of the symmetry.
    shells
        By length, without the origin.
    members
        The vectors of each shell, (multiplicity, 3).
    covariance
        (shells, shells).
    fit
        How it went; None if the parameters were given.
    asymmetry
        χ² per degree of freedom of the differences between equivalent vectors, where those were known.
    notes
        What a reader of the table must know.
    """

    source: str
    cell: Cell
    symmetry: str
    shells: tuple[Shell, ...]
    members: tuple[IntArray, ...]
    covariance: FloatArray
    fit: SroFit | None = None
    asymmetry: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """What a bad verdict says against the values; empty if there is none."""
        return next((note for note in self.notes if note.startswith(WARNED)), "")

    @property
    def values(self) -> FloatArray:
        return np.array([shell.alpha for shell in self.shells])

    @property
    def uncertainties(self) -> FloatArray:
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlations(self) -> FloatArray:
        """(shells, shells); 0 beside a parameter without uncertainty."""
        root = np.where(self.uncertainties > 0, self.uncertainties, np.inf)
        return np.asarray(self.covariance / np.outer(root, root))

    @classmethod
    def from_solver(
        cls,
        vectors: npt.ArrayLike,
        values: npt.ArrayLike,
        covariance: npt.ArrayLike,
        *,
        cell: Cell,
        symmetry: str = "-1",
        notes: Sequence[str] = (),
        together: Mapping[Vector, tuple[tuple[Vector, float], ...]] | None = None,
    ) -> Self:
        """Parameters that were determined elsewhere, averaged over symmetry.

        Parameters
        ----------
        vectors, values, covariance
            (n, 3), (n,), (n, n). Of ±v one is enough; the origin, if it is there, is left out.
        cell, symmetry
            As in a refinement.
        together
            Of vectors whose value is a sum: the others in it, each (vector, factor).
        """
        sums = together or {}
        given = np.asarray(vectors, np.int64).reshape(-1, 3)
        kept = given.any(axis=1)
        chosen = np.asarray(values, np.float64)[kept], np.asarray(covariance, np.float64)[np.ix_(kept, kept)]
        mean = symmetrise(given[kept], *chosen, laue_operators(symmetry, cell), cell)
        deviations = np.sqrt(np.diag(mean.covariance))
        shells = tuple(
            Shell(
                vector=as_vector(name),
                length_angstrom=float(length),
                multiplicity=len(orbit),
                alpha=float(value),
                uncertainty=float(deviation),
                together_with=sums.get(as_vector(name), ()),
            )
            for name, length, orbit, value, deviation in zip(
                mean.orbits.representatives,
                mean.orbits.lengths,
                mean.orbits.members,
                mean.values,
                deviations,
                strict=True,
            )
        )
        return cls(
            source="solver",
            cell=cell,
            symmetry=symmetry,
            shells=shells,
            members=mean.orbits.members,
            covariance=mean.covariance,
            asymmetry=mean.asymmetry,
            notes=tuple(notes),
        )

    def series_at(self, hkl: npt.ArrayLike) -> FloatArray:
        """I_SRO at points (..., 3), with α_0 = 1; where shells were refined together, on the planes only."""
        points = np.asarray(hkl, np.float64)
        total = np.ones(points.shape[:-1])
        for shell, vectors in zip(self.shells, self.members, strict=True):
            total += shell.alpha * np.cos(2 * np.pi * points @ vectors.T).sum(axis=-1)
        return total


def as_vector(indices: npt.ArrayLike) -> Vector:
    u, v, w = (int(each) for each in np.asarray(indices))
    return u, v, w
