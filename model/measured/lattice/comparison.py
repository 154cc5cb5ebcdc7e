"""A lattice that was given, compared with the data: how it would have to be stretched, sheared and turned to fit best.

A misfit alone does not tell: a fit that may stretch the lattice hides one that is wrong by a per cent, and one that may
not bends the form factor.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.lattice.refinement import OrderSeries, moved
from dsfu.model.measured.lattice.search import COARSE
from dsfu.model.measured.solver.lattice_terms import lattice_terms
from dsfu.model.measured.solver.solve import solve
from dsfu.simulate.arrays import FloatArray

NOTICEABLE: Final = 0.005
"""Relative change of a length above which a lattice is called wrong. Chosen; BENCHMARKS.md says what it finds."""

NOTICEABLE_TURN: Final = 0.3
"""The same for a turn, in degrees: half a per cent of a radian."""

BELIEVED_MISFIT: Final = 0.025
"""Structured misfit above which the lattice does not fit at all, and how it would have to change means nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenLattice:
    """How the lattice of a plane's cell fits.

    Attributes
    ----------
    misfit
        Structured, of a coarse fit that may stretch it along x and y.
    change
        (2, 2), that a lattice vector in Å along the plane's x and y, a row, is to be multiplied with to fit best.
    """

    misfit: float
    change: FloatArray

    @property
    def stretches(self) -> FloatArray:
        """The largest and the smallest relative change of a length, in whatever direction it is."""
        return np.asarray(np.linalg.svd(self.change, compute_uv=False), np.float64) - 1

    @property
    def turn(self) -> float:
        """Degrees, anticlockwise."""
        first, second = self.change
        return float(np.degrees(np.arctan2(first[1] - second[0], first[0] + second[1])))

    @property
    def is_off(self) -> bool:
        """Whether it fits, but better when changed by more than is due to chance."""
        far = np.abs(self.stretches).max() > NOTICEABLE or abs(self.turn) > NOTICEABLE_TURN
        return bool(far and self.misfit <= BELIEVED_MISFIT)

    @property
    def words(self) -> str:
        """One line for people."""
        (xx, xy), (yx, yy) = self.change
        return (
            f"{xx - 1:+.2%} along x and {yy - 1:+.2%} along y, angles between them {-np.degrees(xy + yx):+.2f}°, "
            f"turned by {self.turn:+.2f}°"
        )


def given_lattice(plane: MeasuredPlane) -> GivenLattice:
    """Fit a plane on the lattice of its cell, and see how that would have to change."""
    assert plane.cell is not None
    solution = solve([plane], COARSE)
    terms = lattice_terms(plane.plane, plane.cell, COARSE.cutoff).terms
    cosines, sines = 2 * solution.alpha_values, 2 * solution.alpha_sines
    # a cos(φ + θ) + b sin(φ + θ), of the phase φ that the plane's distance from Q = 0 makes, as a series in θ alone
    phases = terms.phases - terms.vectors @ plane.plane.centre_in_plane
    series = OrderSeries(
        indices=terms.vectors,
        cosines=cosines * np.cos(phases) + sines * np.sin(phases),
        sines=sines * np.cos(phases) - cosines * np.sin(phases),
    )
    found = solution.planes[0]
    scales = np.diag(np.asarray(solution.axis_scales)[0])
    return GivenLattice(
        misfit=solution.misfit.structured, change=moved(plane, scales, series, found.form_factor, found.sro)
    )
