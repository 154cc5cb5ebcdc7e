"""α over distance, and the background over |Q| beside what was measured, as charts."""

from typing import Final

import numpy as np

from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.pages.charts import Band, Chart, Dots, Line
from dsfu.pages.scales import Linear
from dsfu.simulate.arrays import FloatArray

_SIZE: Final = (480.0, 250.0)
_BINS: Final = 40


def alpha_chart(refinement: SroRefinement) -> Chart:
    """Warren–Cowley parameters of all shells with their standard uncertainties."""
    shells = refinement.shells
    lengths = np.array([shell.length_angstrom for shell in shells])
    values, errors = np.asarray(refinement.values), np.asarray(refinement.uncertainties)
    low, high = float((values - errors).min(initial=0.0)), float((values + errors).max(initial=0.0))
    room = 0.06 * (high - low) or 0.1
    tips = [f"{' '.join(map(str, shell.vector))}: {shell.alpha:.4f}" for shell in shells]
    top = float(lengths.max(initial=0.0)) * 1.03 or 1.0
    return Chart(
        x=Linear(0.0, top),
        y=Linear(low - room, high + room),
        marks=[Line([0.0, top], [0.0, 0.0], "thin faint"), Dots(lengths, values, errors, tips=tips)],
        description="Warren–Cowley parameters over the length of the lattice vector",
        x_label="length of the lattice vector (Å)",
        y_label="α",
        size=_SIZE,
    )


def background_chart(solution: VolumeSolution) -> Chart:
    """The background that was found, with its standard uncertainty, below the mean of what was measured."""
    columns, gain = solution.fit.columns, solution.voxels.gain
    q = columns.q_inv_angstrom
    curve = columns.curve(solution.fit.parts()[2]) * gain
    spread = columns.curve_uncertainty(solution.column_covariance) * gain
    middle, mean = _measured(solution, float(q[0]), float(q[-1]))
    top = 1.05 * max(float(mean.max(initial=0.0)), float((curve + spread).max()), 1e-12)
    drawn = [np.clip(values, 0.0, top) for values in (curve - spread, curve + spread, curve)]
    return Chart(
        x=Linear(float(q[0]), float(q[-1])),
        y=Linear(0.0, top),
        marks=[
            Band(q, drawn[0], drawn[1]),
            Line(middle, mean, "line1", "measured, mean"),
            Line(q, drawn[2], "line0", "background found"),
        ],
        description="Mean intensity and background over |Q|",
        x_label="|Q| (1/Å)",
        y_label="intensity",
        size=_SIZE,
    )


def _measured(solution: VolumeSolution, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """The mean of the voxels in each of some ranges of |Q|, those without voxels left out."""
    voxels, gain = solution.fit.voxels, solution.voxels.gain
    place = (voxels.lengths()[voxels.live] - low) / (high - low) * _BINS
    number = np.clip(place.astype(int), 0, _BINS - 1)
    voxels_in = np.bincount(number, minlength=_BINS)
    mean = np.bincount(number, voxels.counts[voxels.live], _BINS) / np.maximum(voxels_in, 1) * gain
    middle = low + (np.arange(_BINS) + 0.5) / _BINS * (high - low)
    return middle[voxels_in > 0], mean[voxels_in > 0]
