"""One simulated box: it is run for so many scans, and its Warren–Cowley parameters are read."""

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.couplings import initial_steering
from dsfu.simulate.disorder.metropolis_kernels import Box, run_scans
from dsfu.simulate.disorder.pair_correlations import pair_counts_of_rows
from dsfu.simulate.disorder.site_bits import WordArray, count_bonds
from dsfu.simulate.random_stream import RandomStream


class Replica:
    """A box of sites on its way to, and then at, its targets.

    Parameters
    ----------
    rows
        The box at the start, as bits (see ``site_bits``); it is changed in place.
    targets
        (3,) α of the nearest neighbours along the axes.
    stream
        Names the random numbers; none is drawn from the object itself.
    """

    def __init__(self, rows: WordArray, sites_a: int, targets: FloatArray, stream: RandomStream) -> None:
        self.edge = rows.shape[0]
        self.sites = self.edge**3
        self.sites_a = sites_a
        self._box = Box(
            rows=rows,
            bonds=count_bonds(rows),
            stream=np.array([stream.key, 0], dtype=np.uint64),
            tally=np.zeros(2, dtype=np.int64),
        )
        self._steering = initial_steering(self.sites, sites_a, targets)

    def run(self, scans: int) -> FloatArray:
        """Run so many scans; return the α of the three nearest neighbours, averaged over them."""
        bonds = np.zeros(3, dtype=np.int64)
        run_scans(self._box, self._steering, scans, bonds)
        return self._alpha(bonds / scans)

    def alpha_now(self) -> FloatArray:
        """α of the three nearest neighbours in the box as it is."""
        return self._alpha(self._box.bonds)

    def _alpha(self, bonds: npt.NDArray[np.number]) -> FloatArray:
        sites_b = self.sites - self.sites_a
        return np.asarray((self.sites * bonds - self.sites_a**2) / (self.sites_a * sites_b), dtype=np.float64)

    def pair_counts(self) -> IntArray:
        return np.asarray(pair_counts_of_rows(self._box.rows, self.edge))

    @property
    def couplings(self) -> FloatArray:
        """A–A attractions along the axes, in kT, as they are now."""
        return self._steering.couplings.copy()

    @property
    def moves(self) -> tuple[int, int]:
        """Moves proposed (pairs of unlike sites) and accepted, since the start."""
        return int(self._box.tally[0]), int(self._box.tally[1])
