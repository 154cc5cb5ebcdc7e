"""Bragg peaks, punched out where the lattice says that they are."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.filling import without_voxels
from dsfu.model.measured.prepare.slabs import slabs
from dsfu.model.measured.symmetry.groups import find_space_group
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

Allowed = Callable[[IntArray], BoolArray]

_CENTRINGS: Final[dict[str, Allowed]] = {
    "P": lambda hkl: np.ones(hkl.shape[:-1], np.bool_),
    "A": lambda hkl: (hkl[..., 1] + hkl[..., 2]) % 2 == 0,
    "B": lambda hkl: (hkl[..., 0] + hkl[..., 2]) % 2 == 0,
    "C": lambda hkl: (hkl[..., 0] + hkl[..., 1]) % 2 == 0,
    "I": lambda hkl: hkl.sum(axis=-1) % 2 == 0,
    "F": lambda hkl: ((hkl[..., 0] + hkl[..., 1]) % 2 == 0) & ((hkl[..., 0] + hkl[..., 2]) % 2 == 0),
    "R": lambda hkl: (-hkl[..., 0] + hkl[..., 1] + hkl[..., 2]) % 3 == 0,
}


def without_bragg_peaks(
    reconstruction: Reconstruction,
    *,
    radius: float | Sequence[float] = 0.15,
    per_angstrom: bool = False,
    conditions: str = "P",
    fill: bool = False,
) -> Reconstruction:
    """Voxels near the lattice points of hkl are not live, or filled.

    Parameters
    ----------
    radius
        Of the holes, to the voxels' centres: in reciprocal lattice units, one for all axes or one each for h, k and l;
        with ``per_angstrom`` one radius in 1/Å.
    conditions
        Where there are peaks: a centring (P for all integers, A, B, C, I, F, R in the obverse setting) or a space
        group ("P 21/c", "Fm-3m", 14), whose glide planes and screw axes count.
    fill
        Fill the holes (see `filling`); otherwise they are left dead, and a fit does not look there.
    """
    allowed = allowed_reflections(conditions)
    metric = _metric(reconstruction, radius, per_angstrom)
    holes = np.zeros(reconstruction.shape, np.bool_)
    for slab in slabs(reconstruction.shape, 500_000):
        indices = np.stack(
            np.meshgrid(np.arange(slab.start, slab.stop), *map(np.arange, reconstruction.shape[1:]), indexing="ij"), -1
        )
        hkl = reconstruction.hkl_of_voxels(indices)
        nearest = np.rint(hkl)
        hkl -= nearest
        near = np.einsum("...i,ij,...j->...", hkl, metric, hkl, optimize=True) <= 1 + 1e-9
        near[near] = allowed(nearest[near].astype(np.int64))
        holes[slab] = near
    punched = int(np.count_nonzero(holes & reconstruction.live))
    changes, filled = without_voxels(reconstruction, holes, fill=fill)
    step = Step(
        name="without Bragg peaks",
        parameters={
            "radius": radius if isinstance(radius, float | int) else list(radius),
            "per_angstrom": per_angstrom,
            "conditions": conditions,
            "fill": fill,
            "voxels": punched,
            "filled": filled,
        },
    )
    return reconstruction.after(step, **changes)


def allowed_reflections(conditions: str) -> Allowed:
    """What says of hkl (..., 3), whole numbers, whether there can be Bragg peaks."""
    if conditions.strip().upper() in _CENTRINGS:
        return _CENTRINGS[conditions.strip().upper()]
    group = find_space_group(conditions)
    if group is None:
        raise InputError(
            "neither a centring nor a space group",
            where=f"reflection conditions {conditions!r}",
            expected=f"{', '.join(_CENTRINGS)}, or a space group such as P21/c, Fm-3m or 14",
        )
    operations = group.operations()

    def allowed(hkl: IntArray) -> BoolArray:
        flat, back = np.unique(hkl.reshape(-1, 3), axis=0, return_inverse=True)
        absent = np.asarray(operations.systematic_absences(flat.astype(np.int32)), np.bool_)
        return np.asarray(~absent[back.reshape(-1)].reshape(hkl.shape[:-1]))

    return allowed


def _metric(reconstruction: Reconstruction, radius: float | Sequence[float], per_angstrom: bool) -> FloatArray:
    """Matrix M for which hkl (relative to a peak) is inside if hkl · M · hkl ≤ 1."""
    radii = (
        np.broadcast_to(np.asarray(radius, np.float64), (3,))
        if np.ndim(radius) < 2 and np.size(radius) in (1, 3)
        else None
    )
    if radii is None or not (np.isfinite(radii).all() and (radii > 0).all()):
        raise InputError(f"radius {radius} of the holes", expected="one length above 0, or three for h, k and l")
    if not per_angstrom:
        metric, half_widths = np.diag(radii**-2.0), radii
    else:
        if reconstruction.cell is None:
            raise InputError(
                "the cell is unknown, so a radius in 1/Å has no meaning", remedy="give --cell, or a radius in hkl"
            )
        if np.ptp(radii) > 0:
            raise InputError(f"radii {radius} in 1/Å", expected="one length")
        metric = reconstruction.cell.reciprocal @ reconstruction.cell.reciprocal.T / radii[0] ** 2
        half_widths = radii[0] * np.linalg.norm(reconstruction.cell.vectors, axis=1) / (2 * np.pi)
    if half_widths.max() >= 0.5:
        raise InputError(
            f"holes of radius {radius} overlap: {half_widths.max():.3g} reciprocal lattice units",
            expected="less than half the distance of neighbouring peaks",
        )
    return metric
