"""How noisy data are, told from what the residuals of neighbouring pixels have in common and what they have not."""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.optimize import nnls

from dsfu.model.measured.reconstruction import RealArray
from dsfu.simulate.contract import BoolArray, FloatArray

_AVERAGED = 5
"""Side of the squares of pixels over which stated variances are averaged."""

_BINS = 12
_FEWEST = 50
_ROOT_FLOOR = 1e-3
"""Intensity, relative to the maximum, at which √I stops being resolved."""


def variance_of(residual: FloatArray, model: FloatArray, live: BoolArray) -> FloatArray:
    """Variance of the noise on every pixel, as c₀ + c₁ · model with c₀, c₁ ≥ 0.

    Estimated from differences of residuals between neighbours, in which whatever is smooth drops out.
    """
    both = live[:, 1:] & live[:, :-1]
    squared = np.square(residual[:, 1:] - residual[:, :-1])[both] / 2
    mean = (model[:, 1:] + model[:, :-1])[both] / 2
    if len(squared) < _FEWEST * 2:
        return np.full_like(model, squared.mean() if len(squared) else 0.0)
    order = np.argsort(mean)
    parts = np.array_split(order, min(_BINS, len(order) // _FEWEST))
    levels = np.array([mean[part].mean() for part in parts])
    values = np.array([squared[part].mean() for part in parts])
    relative = 1 / np.maximum(values, 1e-3 * values.max() + 1e-30)
    design = np.column_stack([np.ones_like(levels), levels])
    (constant, slope), _ = nnls(design * relative[:, None], values * relative)
    return np.asarray(constant + slope * np.maximum(model, 0))


def stated_variance(sigma: RealArray | None, live: BoolArray) -> FloatArray | None:
    """σ² of the data as they state it, averaged over neighbours, as σ is often estimated from the very counts whose
    noise it describes; None if they state nothing."""
    if sigma is None:
        return None
    values = np.asarray(sigma, np.float64)
    known = live & np.isfinite(values) & (values >= 0)
    if not known.any():
        return None
    return smoothed(np.square(np.where(known, values, 0.0)), known, _AVERAGED)


def structured_misfit(residual: FloatArray, model: FloatArray, live: BoolArray) -> float:
    """Root mean square of residual / 2√I as far as pixels share it with their neighbours along x and y."""
    reduced = np.where(live, residual, 0) / (2 * np.sqrt(np.maximum(model, 0) + _ROOT_FLOOR))
    shared, count = 0.0, 0
    for axis in (0, 1):
        before = [slice(None)] * 2
        after = [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        both = live[tuple(before)] & live[tuple(after)]
        shared += float((reduced[tuple(before)] * reduced[tuple(after)])[both].sum())
        count += int(both.sum())
    return float(np.sqrt(max(shared, 0.0) / max(count, 1)))


def smoothed(values: FloatArray, live: BoolArray, size: int) -> FloatArray:
    """Mean of the live pixels in a square of ``size`` pixels around each pixel; 0 where there are none."""
    total = uniform_filter(np.where(live, values, 0.0), size, mode="constant")
    share = uniform_filter(live.astype(np.float64), size, mode="constant")
    return np.asarray(np.where(share > 1e-9, total / np.maximum(share, 1e-9), 0.0))
