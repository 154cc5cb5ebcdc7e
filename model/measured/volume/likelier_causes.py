"""What to look at first where data contradict the model: causes that lie in the file or in the settings."""

from typing import Final

import numpy as np

from dsfu.model.measured.volume.bragg import Peaks, lattice_points
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.arrays import BoolArray, IntArray

_CENTRINGS: Final[dict[str, tuple[tuple[tuple[int, int, int], int], ...]]] = {
    "F": (((1, 1, 0), 2), ((0, 1, 1), 2)),
    "R (obverse)": (((-1, 1, 1), 3),),
    "R (reverse)": (((1, -1, 1), 3),),
    "I": (((1, 1, 1), 2),),
    "C": (((1, 1, 0), 2),),
    "A": (((0, 1, 1), 2),),
    "B": (((1, 0, 1), 2),),
}
"""Reflection conditions: products with hkl that have to be multiples of a number. The strictest come first."""

_LEAST_POINTS: Final = 10
_PRESENT, _ABSENT = 0.5, 0.05
"""Shares of lattice points with a peak: least where one is allowed, most where none is. Chosen, not calibrated."""

_BRIGHT: Final = 8.0
"""Median counts from which hardly any voxel is empty by chance: e⁻⁸ is .0003."""
_MANY: Final = 0.01


def likelier_causes(solution: VolumeSolution) -> str:
    """Sentences for people; empty if there is nothing."""
    found = [_filled(solution.voxels), several_sites(solution)]
    if not solution.cutoff_enough:
        found.append(
            f"The order reaches beyond the {solution.cutoff} cells that were fitted, and what is left out of it looks "
            "like other faults: try a larger --cutoff, up to 8."
        )
    return " ".join(each for each in found if each)


def _filled(voxels: Voxels) -> str:
    """Whether one number stands in many voxels where intensities should not be below some counts."""
    counts = voxels.counts[voxels.live]
    if float(np.median(counts)) < _BRIGHT:
        return ""
    values, numbers = np.unique(counts[counts <= 0], return_counts=True)
    if not len(values) or numbers.max() < _MANY * counts.size:
        return ""
    value = float(values[numbers.argmax()]) * voxels.gain
    share = 100 * float(numbers.max()) / counts.size
    remedy = "--zeros dead" if value == 0 else "NaN in these voxels"
    return f"{share:.0f} % of the voxels are exactly {value:.4g}: if they were not measured, give {remedy}."


def several_sites(solution: VolumeSolution) -> str:
    """What Bragg peaks say against one site in a cell; empty if nothing."""
    if solution.peaks is None:
        return ""
    letter = centring_of(solution.peaks, lattice_points(solution.voxels.axes, len(solution.peaks.seen)))
    if not letter:
        return ""
    return (
        f"Bragg peaks are only where a cell with centring {letter} has them, so that it holds several sites; this "
        "model has one in a cell: reconstruct the data with a primitive cell."
    )


def centring_of(peaks: Peaks, points: IntArray) -> str:
    """Letter of the centring by which peaks are absent; empty if it is primitive or cannot be told."""
    for letter, conditions in _CENTRINGS.items():
        allowed = np.logical_and.reduce([points @ np.array(row) % number == 0 for row, number in conditions])
        if _share(peaks, allowed) > _PRESENT and _share(peaks, ~allowed) < _ABSENT:
            return letter
    return ""


def _share(peaks: Peaks, chosen: BoolArray) -> float:
    """Of lattice points that were seen, those with a peak; not a number where there are too few."""
    seen = peaks.seen & chosen
    return float(peaks.strong[seen].mean()) if seen.sum() >= _LEAST_POINTS else np.nan
