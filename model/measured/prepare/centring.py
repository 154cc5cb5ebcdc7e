"""Where Q = 0 lies on the grid: Friedel's law makes the intensity the same at Q and −Q, so the data show it.

A plane of an image, or a reconstruction made with a wrong beam centre, is often off by a part of a voxel. The intensity
is compared with itself turned inside out about every point near the stated centre, all at once by Fourier transforms.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter
from scipy.optimize import minimize

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.readers.hints import finite_numbers
from dsfu.simulate.arrays import BoolArray, FloatArray

CENTRED: Final = "centred"
"""The step that moves Q = 0."""

REACH, _REACH_RLU = 6, 0.2
"""Voxels, and r.l.u., from the stated centre within which the true one is looked for.

Order alone is symmetric about half a lattice vector, too, so 0.5 must stay out of reach.
"""

NOTABLE: Final = 0.2
"""Voxels by which a centre has to be off to be spoken of. Centres of simulated crystals were found within 0.11."""

_HALF_SIDE: Final = {1: 2000, 2: 400, 3: 60}
"""Voxels around the centre that are looked at, by how many axes have more than one: more would not be more precise."""

_LOCAL: Final = 8.0
"""Voxels over which the local mean is taken: what varies more slowly says little of the centre.

Where the centre may be anywhere it is a quarter of the array instead, as only the form factor tells 0 from half a
lattice vector.
"""

_BRIGHTEST: Final = 99.5
"""Percentile at which values are cut: otherwise a few Bragg peaks, and the pixels they happen to fall on, decide."""

_LEAST_OVERLAP: Final = 0.2
"""Share of the most pairs of voxels that a centre must have to be looked at."""

_AROUND, _ORDER = 6, 3
"""Entries to every side, and order, of the spline through them that tells the centre between them."""

_LEAST_AGREEMENT: Final = 0.2
"""Correlation of Friedel pairs below which nothing is found. Chosen."""


_SURELY, _NEXT_TO = 0.5, 1.5
"""Correlation, and voxels from the middle, at which the centre of an image is taken without being asked for. Of an even
number of voxels the middle is between two; what differs by more may be another point of symmetry. Chosen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundCentre:
    """Where the intensity is the same after inversion.

    Attributes
    ----------
    hkl
        (3,), in the indices that the file states: zero if the file is right. Along an axis of one voxel, as stated.
    voxels
        (3,), how far that is from where the file has it, in steps of the array's axes.
    agreement, stated_agreement
        Correlation of voxels with their Friedel mates about this centre and about the stated one.
    """

    hkl: FloatArray
    voxels: FloatArray
    agreement: float
    stated_agreement: float

    @property
    def is_off(self) -> bool:
        """Whether the stated centre is so far away that a fit would notice."""
        return bool(np.abs(self.voxels).max() > NOTABLE)

    @property
    def words(self) -> str:
        """One line for people."""
        off = ", ".join(f"{each:+.2f}" for each in self.voxels)
        return (
            f"Friedel pairs agree best about a point {off} voxels from the stated centre "
            f"(correlation {self.agreement:.3f}, {self.stated_agreement:.3f} about the stated one)"
        )


def find_centre(reconstruction: Reconstruction) -> FoundCentre | None:
    """The centre that the data show; None where they show none, or where Q = 0 is not in the plane or the volume.

    A plane that does not go through Q = 0 has no Friedel mates of its own. Where nothing says how the array lies in
    reciprocal space, the middle of the array is taken for the stated centre, and the whole array is looked at.
    """
    shape = np.array(reconstruction.shape)
    wide = shape > 1
    stated = reconstruction.voxels_of_hkl(np.zeros(3))
    thin = np.abs(stated[~wide])
    if not wide.any() or (reconstruction.indexed and (thin > 0.1).any()):
        return None
    # How far, in voxels, the centre may lie from the stated one.
    near = np.minimum(REACH, _REACH_RLU / np.abs(reconstruction.steps).max(axis=1))
    reach = np.where(wide, near if reconstruction.indexed else shape / 4, 0.0)
    if ((stated < -reach) | (stated > shape - 1 + reach))[wide].any():
        return None
    local = _LOCAL if reconstruction.indexed else shape.max() / 4
    values, live, corner = _surroundings(reconstruction, stated, wide, local)
    agreement, overlap = _agreement_about(values, live)
    # Entry s of both belongs to the centre s / 2.
    nearest = 2 * (stated - corner)
    window = tuple(
        slice(max(0, round(at - 2 * far)), min(2 * n - 1, round(at + 2 * far) + 1))
        for at, far, n in zip(nearest, reach, values.shape, strict=True)
    )
    # The best of those about which enough voxels have a mate.
    looked_at = np.where(overlap[window] > _LEAST_OVERLAP * overlap.max(), agreement[window], -1.0)
    if looked_at.size == 0 or looked_at.max() < _LEAST_AGREEMENT:
        return None
    best = np.array(np.unravel_index(looked_at.argmax(), looked_at.shape)) + [each.start for each in window]
    place = corner + _top_of(agreement, best) / 2
    voxels = np.where(wide, place - stated, 0.0)
    return FoundCentre(
        hkl=voxels @ reconstruction.steps,
        voxels=voxels,
        agreement=float(agreement[tuple(best)]),
        stated_agreement=_at(agreement, nearest),
    )


def centred(reconstruction: Reconstruction, hkl: FloatArray) -> Reconstruction:
    """The same data with Q = 0 where the file has ``hkl``."""
    step = Step(name=CENTRED, parameters={"was_at_hkl": np.asarray(hkl).tolist()})
    return reconstruction.after(step, origin=reconstruction.origin - hkl)


def parse_centre(text: str) -> FloatArray | None:
    """hkl of a centre as people give it; None for "find"."""
    if text.strip().lower() == "find":
        return None
    return np.array(finite_numbers(text, "--centre", 3, expected="find, or h,k,l such as 0.02,-0.01,0"))


def with_own_centre(image: Reconstruction) -> Reconstruction:
    """An image whose middle was taken for Q = 0, with Q = 0 where Friedel pairs agree best, if that is next to it."""
    found = find_centre(image)
    if found is None or not found.is_off:
        return image
    if found.agreement < _SURELY or np.abs(found.voxels).max() > _NEXT_TO:
        return image
    return centred(image, found.hkl)


def centred_as_found(reconstruction: Reconstruction) -> tuple[Reconstruction, FoundCentre]:
    """The same data with Q = 0 where Friedel pairs agree best."""
    found = find_centre(reconstruction)
    if found is None:
        raise InputError(
            "no centre is seen: there is no point near Q = 0 about which the intensity is the same after inversion",
            where=reconstruction.source or "reconstruction",
            expected="a volume, or a plane through Q = 0; others have no Friedel pairs in them",
            remedy="give --centre H,K,L, what the file's axes say where Q = 0 is",
        )
    return centred(reconstruction, found.hkl), found


def _surroundings(
    reconstruction: Reconstruction, stated: FloatArray, wide: BoolArray, local: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Roots without their local mean, live voxels as ones, and the voxel that the first of them is."""
    half = _HALF_SIDE[int(wide.sum())]
    shape = np.array(reconstruction.shape)
    low = np.clip(np.rint(stated).astype(int) - half, 0, shape - 1)
    high = np.clip(np.rint(stated).astype(int) + half + 1, low + 1, shape)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    live = reconstruction.live[part] & np.isfinite(reconstruction.intensity[part])
    weight = live.astype(np.float64)
    root = np.sqrt(np.maximum(np.where(live, reconstruction.intensity[part], 0), 0)).astype(np.float64)
    if live.any():
        root = np.minimum(root, np.percentile(root[live], _BRIGHTEST))
    sigma = np.where(wide, local, 0.0)
    mean = gaussian_filter(root * weight, sigma) / np.maximum(gaussian_filter(weight, sigma), 1e-6)
    return np.where(live, root - mean, 0.0), weight, low.astype(np.float64)


def _agreement_about(values: FloatArray, live: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlation of f(x) with f(s − x) over the x where both are live, for every s, and how many these are.

    Σ f(x) g(s − x) is a convolution. Means and variances are taken over the same pairs, so they are convolutions, too:
    Σ f m, Σ f² m with the live voxels m.
    """
    shape = tuple(2 * n - 1 for n in values.shape)
    padded = tuple(next_fast_len(n, real=True) for n in shape)
    axes = tuple(range(values.ndim))
    own, mask, square = (rfftn(each, padded, axes=axes) for each in (values, live, values**2))
    here = tuple(slice(0, n) for n in shape)

    def both(one: Any, other: Any) -> FloatArray:
        return np.asarray(irfftn(one * other, padded, axes=axes)[here], np.float64)

    pairs = np.maximum(np.rint(both(mask, mask)), 1.0)
    # Σ f(x) m(s − x) counts each pair from one side; x ↦ s − x exchanges the sides, so that one mean does for both.
    mean = both(own, mask) / pairs
    variance = both(square, mask) / pairs - mean**2
    floor = 1e-9 * max(float(np.mean(values**2)), 1e-300)
    return (both(own, own) / pairs - mean**2) / np.maximum(variance, floor), pairs


def _top_of(agreement: FloatArray, best: FloatArray) -> FloatArray:
    """Where a spline through the entries around the best one has its top."""
    low = np.maximum(best - _AROUND, 0)
    near = agreement[tuple(slice(a, b) for a, b in zip(low, best + _AROUND + 1, strict=True))]
    free = np.array(near.shape) > 1
    coefficients = spline_filter(near, order=_ORDER, mode="mirror")
    start = (best - low).astype(np.float64)

    def depth(move: FloatArray) -> float:
        place = start.copy()
        place[free] += move
        return -float(map_coordinates(coefficients, place[:, None], order=_ORDER, mode="mirror", prefilter=False)[0])

    top = minimize(depth, np.zeros(free.sum()), method="Powell", bounds=[(-1.0, 1.0)] * int(free.sum()))
    found = best.astype(np.float64)
    found[free] += top.x
    return found


def _at(agreement: FloatArray, entry: FloatArray) -> float:
    place = tuple(int(np.clip(round(at), 0, n - 1)) for at, n in zip(entry, agreement.shape, strict=True))
    return float(agreement[place])
