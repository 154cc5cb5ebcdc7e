"""Whether a volume is a product of two factors at all: sums of residuals that noise alone would leave at one.

Residuals on the reconstruction's own voxels, divided by their standard deviation, are summed with patterns that known
departures leave: over bins of |Q|, over each reciprocal cell, odd and even about each lattice point. The mean square of
such sums is 1, or a little less as the fit takes some, if nothing but noise is left. As it grows with counts, each is
paired with the size of what it found relative to the diffuse scattering; a check fails if both are beyond limits.

Limits: from a dozen crystals of tests/benchmarks/crystal_maker.py, with and without what breaks the assumptions.
"""

from dataclasses import dataclass, replace
from typing import Final

from dsfu.model.measured.judgement import Judgement
from dsfu.model.measured.volume.displacements import shifts_sentence
from dsfu.model.measured.volume.likelier_causes import likelier_causes, several_sites
from dsfu.model.measured.volume.look_ahead import LEAST_CELLS
from dsfu.model.measured.volume.molecule_ends import molecule_ends
from dsfu.model.measured.volume.residual_sums import MEASURES, good_cells, residuals_of
from dsfu.model.measured.volume.solve import VolumeSolution

LEAST_AMPLITUDE: Final = 0.005
"""What is less than this of the diffuse scattering is not held against the data: good crystals leave .003."""

_LEAST_AMPLITUDES: Final = {"order varies": 0.001, "lattice": 0.002, "size effect": 0.003, "displacements": 0.003}
"""Of the first two the amplitude is the change of α, and of the lattice's constants, relatively."""

_DISPLACED: Final = ("size effect", "displacements")

_LIMITS: Final = {
    "|Q|": (2.0, "what is left depends on |Q|: rings of a powder or glass, or a background that is not smooth"),
    "cell by cell": (
        1.3,
        "the order differs from one reciprocal cell to the next: a second disordered site, or a wrong lattice",
    ),
    "near lattice points": (
        2.9,
        "more is left near lattice points: Bragg peaks, or thermal diffuse scattering",
    ),
    "even within cells": (1.3, "the order changes from cell to cell: a second disordered site, or displacements"),
    "odd within cells": (1.3, "intensities are not even about lattice points: displacements, a size effect"),
    "thermal": (25.0, "tails of Bragg peaks grow with |Q|² as thermal diffuse scattering does"),
    "order varies": (2.6, "α differ from one part of reciprocal space to another: a second disordered site"),
    "lattice": (8.0, "the order repeats with another lattice than h, k and l say: the cell or orientation is wrong"),
    "size effect": (3.2, "displacements that depend on which species the neighbours are, a size effect"),
    "displacements": (1.9, "displacements that depend on which species the neighbours are, a size effect"),
}
"""Largest mean square in good data, by check, and what it means if it is larger.

Near lattice points 144 good crystals had 2.64 at most, and 6 with Bragg residue of .1 had 3.1 at least.
"""

_COARSE_VOXEL: Final = 0.065
_COARSE_LIMITS: Final = {"near lattice points": 4.5}
"""Where voxels are coarser than this, in reciprocal lattice units, what one holds of a narrow peak depends on where its
middle lies: of good crystals with voxels of .08 two of twenty had 2.8 and 3.5, with .1 of Bragg residue it was 9."""

_WIDTH: Final = "width of I_FF's Patterson"
WIDTH_LIMIT: Final = 0.385
"""In cells: where the evidence wants a wider Patterson function, I_FF varies faster than molecules make it. Good
crystals wanted .26 to .35; those with 10 % of thermal diffuse scattering or of a second site, with a size effect of
.02 Å or with Bragg residue .39 to .50. Molecules that differ at two ends nearly a cell apart can want as much:
p-dibromobenzene in p-dichlorobenzene, 6.6 Å in a cell of 6.8, 7.7 and 8.4 Å, .40 and .43 in two orientations."""

_WIDE_PLANE: Final = (
    "Not judged: I_FF varies faster over this plane than most molecules make it, and a single plane does not tell "
    "whether that is so in the crystal: give the volume, or several layers."
)
"""Of 36 good planes of 101² voxels, 3 wanted .41 to .5, all at 25 counts; of 20 with faults 4 had nothing but that."""

_LEAST_GOOD: Final = 6
_NOISY: Final = (0.5, 4.0)
"""χ² per voxel beyond this: the noise is not what the data say, and sums cannot be judged by it."""


@dataclass(frozen=True, kw_only=True)
class VolumeCheck:
    """One pattern looked for in the residuals.

    Attributes
    ----------
    ratio, limit
        Mean square of the standardised sums, about one for noise alone, and what is too large.
    amplitude
        What was found relative to the diffuse scattering, noise taken off; negative if there is less than noise.
    meaning
        What it says if the check fails.
    least_amplitude
        What is less than this of the diffuse scattering does not count.
    """

    name: str
    ratio: float
    limit: float
    amplitude: float
    meaning: str
    least_amplitude: float = LEAST_AMPLITUDE

    @property
    def passed(self) -> bool:
        return not (self.ratio > self.limit and self.amplitude > self.least_amplitude)


@dataclass(frozen=True, kw_only=True)
class VolumeVerdict:
    """Whether to believe what was fitted."""

    judgement: Judgement
    sentence: str
    checks: tuple[VolumeCheck, ...]


def judge_volume(solution: VolumeSolution) -> VolumeVerdict:
    """The verdict on a solution."""
    found = residuals_of(solution)
    checks: list[VolumeCheck] = []
    own_limits = _COARSE_LIMITS if solution.voxels.longest_edge > _COARSE_VOXEL else {}
    for name, (usual_limit, meaning) in _LIMITS.items():
        measure = MEASURES[name](found, solution)
        if measure is not None:
            ratio, amplitude = measure
            limit = own_limits.get(name, usual_limit)
            least = _LEAST_AMPLITUDES.get(name, LEAST_AMPLITUDE)
            checks.append(
                VolumeCheck(
                    name=name,
                    ratio=ratio,
                    limit=limit,
                    amplitude=amplitude,
                    meaning=meaning,
                    least_amplitude=least,
                )
            )
    meaning = (
        "I_FF varies faster over reciprocal space than most molecules in the cell make it: thermal diffuse scattering, "
        "displacements, a second disordered site or Bragg residue"
    )
    if solution.settings.prior is None:
        width = solution.width
        checks.append(
            VolumeCheck(
                name=_WIDTH,
                ratio=width,
                limit=WIDTH_LIMIT,
                amplitude=1.0,
                meaning=meaning,
                least_amplitude=0.0,
            )
        )
    return _verdict(solution, tuple(checks), int(good_cells(found).sum()))


def _thin_slab(solution: VolumeSolution) -> VolumeVerdict | None:
    """What is said of several layers that span less than a reciprocal cell, whatever the checks are; of others nothing.

    Of such slabs of good crystals most had a χ² of 27 to 160. With I_FF as wide as in small volumes it was .9 to 1.3,
    and the first 20 α of nine slabs were wrong by 1 to 44 standard uncertainties all the same.
    """
    voxels = solution.voxels
    ranges = [reach for reach, count in zip(voxels.ranges(), voxels.shape, strict=True) if count > 1]
    if min(ranges, default=1.0) >= 1:
        return None
    slab = f"the layers of this slab span {min(ranges):.2f} of a reciprocal cell"
    remedy = "Give a single layer, or a thicker volume."
    if solution.chi_square > _NOISY[1]:
        words = (
            f"The fit does not describe the data (χ² per voxel {solution.chi_square:.3g}), and its α are not to be "
            f"believed. That need not be the crystal's fault: {slab}, where fits are known to end too early. {remedy}"
        )
        return VolumeVerdict(judgement="contradicts", sentence=words, checks=())
    words = f"Not judged: {slab}, too little to tell α from the form factor, and α may be far off. {remedy}"
    return VolumeVerdict(judgement="not judged", sentence=words, checks=())


def _verdict(solution: VolumeSolution, checks: tuple[VolumeCheck, ...], cells: int) -> VolumeVerdict:
    failed = [check for check in checks if not check.passed]
    measured = solution.voxels.cells_measured()
    if measured < LEAST_CELLS:
        words = (
            f"Not judged: what was measured fills {measured:.1f} reciprocal cells, and {LEAST_CELLS:g} are needed to "
            "compare them and to find the width of I_FF; standard uncertainties allow for widths from .24 to .40 cells."
        )
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if any(solution.voxels.smoothed):
        words = (
            "Not judged: neighbouring voxels share noise, as smoothing or interpolation makes them. That changes α by "
            "more than their standard uncertainties: give the volume as it was before."
        )
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    only_width = [check.name for check in failed] == [_WIDTH]
    if only_width and 1 in solution.voxels.shape:
        words = f"{_WIDE_PLANE} {likelier_causes(solution)}".strip()
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if thin := _thin_slab(solution):
        return replace(thin, checks=checks)
    ends = molecule_ends(solution.fit, solution.factor) if only_width else None
    if failed and not ends:
        first = max(failed, key=lambda check: check.ratio / check.limit)
        words = f"The data contradict the model of two species on one site without displacements: {first.meaning}."
        shifts = ""
        if first.name in _DISPLACED:
            shifts = shifts_sentence(solution.fit, solution.factor, solution.more_noise)
        words = " ".join(each for each in (words, shifts, likelier_causes(solution)) if each)
        return VolumeVerdict(judgement="contradicts", sentence=words, checks=checks)
    if cells < _LEAST_GOOD:
        words = f"Not judged: only {cells} reciprocal cells were measured well enough to compare them."
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if not _NOISY[0] < solution.chi_square < _NOISY[1]:
        words = f"Not judged: χ² per voxel is {solution.chi_square:.2f}, so the noise is not what it seems."
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if several := several_sites(solution):
        return VolumeVerdict(judgement="not judged", sentence=f"Not judged: {several}", checks=checks)
    if ends:
        return VolumeVerdict(judgement="not judged", sentence=ends.sentence(), checks=checks)
    words = "The data agree with two species that share one site. That does not prove it: what is weak may not show."
    return VolumeVerdict(judgement="agrees", sentence=words, checks=checks)
