"""How noisy data are, told from what the residuals of neighbouring pixels have in common and what they have not."""

import numpy as np
from scipy.ndimage import binary_erosion, uniform_filter
from scipy.optimize import nnls

from dsfu.model.measured.data.plane import Grain
from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.simulate.arrays import BoolArray, FloatArray

FINEST = Grain()

INDEPENDENT = 1 / 16
"""Share of the pixels that count as independent where the tolerance, and not noise, sets the weights."""

_AVERAGED = 5
"""Side of the squares of pixels over which stated variances are averaged."""

_BINS = 12
_FEWEST = 50
_FEWEST_PRODUCTS = 9
_ROOT_FLOOR = 1e-3
"""Intensity, relative to the maximum, at which √I stops being resolved."""


def variance_of(residual: FloatArray, model: FloatArray, live: BoolArray, grain: Grain = FINEST) -> FloatArray:
    """Variance of the noise on every pixel, as c₀ + c₁ · model with c₀, c₁ ≥ 0.

    Estimated from differences of residuals between the nearest pixels that share no noise, in which whatever is smooth
    drops out.
    """
    lag = min(grain.lag_x, live.shape[1] - 1)
    both = live[:, lag:] & live[:, :-lag]
    # The difference of two pixels has twice the variance of one.
    squared = np.square(residual[:, lag:] - residual[:, :-lag])[both] / 2
    mean = (model[:, lag:] + model[:, :-lag])[both] / 2
    if len(squared) < _FEWEST * 2:
        return np.full_like(model, squared.mean() if len(squared) else 0.0)
    order = np.argsort(mean)
    parts = np.array_split(order, min(_BINS, len(order) // _FEWEST))
    levels = np.array([mean[part].mean() for part in parts])
    values = np.array([squared[part].mean() for part in parts])
    # A mean square is known to a share of itself, the same for all bins: relative misfits count alike.
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


def structured_misfit(residual: FloatArray, model: FloatArray, live: BoolArray, grain: Grain = FINEST) -> float:
    """Root mean square of residual / 2√I as far as pixels share it with their neighbours along x and y."""
    products = neighbour_products(of_root(residual, model, live), live, grain)
    return float(np.sqrt(max(float(products.sum()), 0.0) / max(len(products), 1)))


def certain_misfit(residual: FloatArray, model: FloatArray, live: BoolArray, grain: Grain = FINEST) -> float:
    """The structured misfit that is there for certain: of the mean, two standard errors are taken off."""
    return float(
        np.sqrt(max(less_two_errors(neighbour_products(of_root(residual, model, live), live, grain), grain), 0))
    )


def less_two_errors(products: FloatArray, grain: Grain) -> float:
    """Mean of products of neighbours less two standard errors; 0 if there are too few."""
    independent = len(products) * grain.independent
    if independent < _FEWEST_PRODUCTS:
        return 0.0
    return float(products.mean() - 2 * products.std() / np.sqrt(independent))


def of_root(residual: FloatArray, model: FloatArray, live: BoolArray) -> FloatArray:
    """Residuals of √I, from those of I; 0 where dead."""
    return np.asarray(np.where(live, residual, 0.0) / (2 * np.sqrt(np.maximum(model, 0) + _ROOT_FLOOR)))


def neighbour_products(values: FloatArray, live: BoolArray, grain: Grain = FINEST) -> FloatArray:
    """Products of live pixels and the nearest live ones a voxel away, along y and along x: (pairs,).

    The average of what noise they still share is taken off. Beside dead voxels pixels are interpolated linearly and
    share noise farther out: those are left out.
    """
    x, y = grain.lag_x, grain.lag_y
    if max(x, y) > 1:
        live = binary_erosion(live, np.ones((2 * y + 1, 2 * x + 1)), border_value=1)
    pairs = ((np.s_[:-y], np.s_[y:], grain.shared_y), (np.s_[:, :-x], np.s_[:, x:], grain.shared_x))
    products = []
    for one, other, share in pairs:
        both = live[one] & live[other]
        first, second = values[one][both], values[other][both]
        # Of neighbours that have a share of their noise in common the product is that share of its variance.
        products.append(first * second - share / 2 * (first**2 + second**2))
    return np.concatenate(products)


def tolerated_variance(model: FloatArray, tolerance: float) -> FloatArray:
    """What a fit allows a pixel besides noise: √I may be off by ``tolerance``, relative to the plane's maximum."""
    return np.asarray(4 * tolerance**2 / INDEPENDENT * (model + _ROOT_FLOOR))


def smoothed(values: FloatArray, live: BoolArray, size: int) -> FloatArray:
    """Mean of the live pixels in a square of ``size`` pixels around each pixel; 0 where there are none."""
    total = uniform_filter(np.where(live, values, 0.0), size, mode="constant")
    share = uniform_filter(live.astype(np.float64), size, mode="constant")
    return np.asarray(np.where(share > 1e-9, total / np.maximum(share, 1e-9), 0.0))
