"""What somebody who has just got a reconstruction should know before anything is fitted to it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.data.summary import MeasuredSummary
from dsfu.model.measured.prepare.bragg_search import BraggPeaks, find_bragg_peaks
from dsfu.model.measured.prepare.centring import FoundCentre, find_centre

SMALLEST_CELL: Final = 10.0
"""Å³. No cell of atoms is smaller: that of diamond's primitive cell is 11.3 Å³."""

_LARGEST_Q: Final = 25.0
"""1/Å: beyond what X-rays of 50 keV reach in a reconstruction."""

_FRAMES: Final = {
    (195, 487), (407, 487), (619, 487), (1043, 981), (1679, 1475), (2527, 2463),
    (514, 1030), (1065, 1030), (1028, 1062), (2167, 2070), (2162, 2068), (3269, 3110), (3262, 3108), (4371, 4150),
    (4362, 4148), (1024, 1024), (2048, 2048), (3072, 3072), (4096, 4096),
}  # fmt: skip
"""Pixels of common area detectors (Pilatus, Eiger, CCDs)."""

_SPAN_OF_VOLUME: Final = 1.0
_STEP_OF_VOLUME: Final = 0.13

_GRID: Final = "--cell a,b,c,alpha,beta,gamma --limits h,h,k,k,l,l"
"""Options that say where voxels lie."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Warnings and suggestions, as sentences.

    Attributes
    ----------
    bragg
        Bragg peaks that were found; None if none.
    centre
        The centre that Friedel pairs show; None if they show none.
    """

    bragg: BraggPeaks | None
    centre: FoundCentre | None
    warnings: tuple[str, ...]
    suggestions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        found = None
        if self.bragg is not None:
            found = {
                "radius_rlu": self.bragg.radius,
                "height": self.bragg.height,
                "classes": [
                    {"parity": list(c.parity), "looked_at": c.looked_at, "with_peak": c.with_peak, "radius": c.radius}
                    for c in self.bragg.classes
                ],
            }
        centre = None
        if self.centre is not None:
            centre = {"hkl": self.centre.hkl.tolist(), "voxels_off": self.centre.voxels.tolist()}
        return {
            "bragg_peaks": found,
            "centre": centre,
            "warnings": list(self.warnings),
            "suggestions": list(self.suggestions),
        }


def advice_on(reconstruction: Reconstruction, summary: MeasuredSummary, given: str = "") -> Advice:
    """What to look out for, and what to do next.

    ``given`` is how a command line names the file, with the options that it needs; its source alone unless said.
    """
    bragg = find_bragg_peaks(reconstruction)
    warnings = [*_of_units(summary), *_of_frames(reconstruction)]
    if bragg is not None:
        warnings.append(
            f"{bragg.sentence}; analyse leaves them out by itself, prepare with --bragg punch:{bragg.radius:.2f}"
        )
    centre = find_centre(reconstruction)
    if centre is not None and centre.is_off and (reconstruction.indexed or reconstruction.is_image):
        warnings.append(f"{centre.words}. Move it: dsfu-model prepare {given or summary.name} --centre find …")
    suggestions = tuple(_next(reconstruction, summary, bragg, given))
    return Advice(bragg=bragg, centre=centre, warnings=tuple(warnings), suggestions=suggestions)


def _of_units(summary: MeasuredSummary) -> list[str]:
    found = []
    if summary.volume is not None and summary.volume < SMALLEST_CELL:
        found.append(
            f"the cell has only {summary.volume:.3g} Å³: is it in nm? Multiply its edges by 10 and give --cell."
        )
    elif summary.q_largest is not None and summary.q_largest > _LARGEST_Q:
        found.append(
            f"|Q| goes up to {summary.q_largest:.3g} 1/Å, more than is usually measured: is the cell right (in Å), and "
            "are the axes in r.l.u.? See --cell and --limits."
        )
    return found


def _of_frames(reconstruction: Reconstruction) -> list[str]:
    """Frames of a detector come without a lattice, all of them of a size that detectors have."""
    sizes = {tuple(np.delete(reconstruction.shape, axis).tolist()) for axis in (0, 2)}
    turned = sizes | {size[::-1] for size in sizes}
    if reconstruction.indexed or 1 in reconstruction.shape or not turned & _FRAMES:
        return []
    shape = " × ".join(map(str, reconstruction.shape))
    return [
        f"{shape} is what a stack of detector frames looks like, not a reconstruction of reciprocal space: "
        "reconstruct it first (Meerkat, CrysAlis, NXrefine, Mantid)."
    ]


def _next(reconstruction: Reconstruction, summary: MeasuredSummary, bragg: BraggPeaks | None, given: str) -> list[str]:
    name = given or summary.name
    if reconstruction.is_image:
        apart = f"dsfu-model factorise {name} -o factors.h5"
        return [f"find its lattice, and take it apart: {apart}; or say where its voxels lie, with {_GRID}"]
    if not reconstruction.indexed or summary.range_hkl is None:
        stack = _of_frames(reconstruction)
        say = f"dsfu-model inspect {name} {_GRID} --axes hkl"
        return [] if stack else [f"say where its voxels lie, and which index runs along each axis: {say}"]
    if summary.cell is None:
        return [f"give the cell: dsfu-model inspect {name} --cell a,b,c,alpha,beta,gamma"]
    spans = [high - low for low, high in summary.range_hkl]
    steps = np.abs(reconstruction.steps).max(axis=0)
    if min(spans) >= _SPAN_OF_VOLUME and steps.max() <= _STEP_OF_VOLUME:
        return [f"fit all voxels at once: dsfu-model analyse {name} -o OUT"]
    planes = _planes(reconstruction, summary)
    if not planes:
        return []
    punch = f" --bragg punch:{bragg.radius:.2f}" if bragg is not None else ""
    wanted = " ".join(f"--plane {each}" for each in planes)
    return [f"take planes: dsfu-model prepare {name} {wanted}{punch} -o planes.h5"]


def _planes(reconstruction: Reconstruction, summary: MeasuredSummary) -> list[str]:
    """Whole layers across the axis that has the fewest voxels, those with the most measured voxels first."""
    across = int(np.argmin(reconstruction.shape))
    direction = reconstruction.steps[across]
    axis = int(np.argmax(np.abs(direction)))
    if np.abs(np.delete(direction, axis)).max() > 1e-9 or summary.range_hkl is None:
        return []
    low, high = summary.range_hkl[axis]
    layers = np.arange(np.ceil(low - 1e-6), np.floor(high + 1e-6) + 1) + 0.0
    number = np.rint((layers - reconstruction.origin[axis]) / direction[axis]).astype(int)
    inside = (number >= 0) & (number < reconstruction.shape[across])
    shares = [float(np.take(reconstruction.live, i, axis=across).mean()) for i in number[inside]]
    order = sorted(range(len(shares)), key=lambda i: (-round(shares[i], 2), abs(layers[inside][i])))[:3]
    letters = ["h", "k", "l"]
    names = []
    for i in sorted(order, key=lambda i: layers[inside][i]):
        letters[axis] = f"{layers[inside][i] + 0.0:g}"
        names.append("".join(letters))
    return names
