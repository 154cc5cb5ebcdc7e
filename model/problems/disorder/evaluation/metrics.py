"""How far planes are from the truth: mean square error by region, peak signal-to-noise ratio, structural similarity.

All take planes (planes, y, x) from −1 to +1 on any device, and answer with one number for each, float64.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from dsfu.model.problems.disorder.data.normalise import Scale
from dsfu.model.problems.disorder.networks.scaling import to_unit_range

REGIONS: Final = ("all", "live", "dead", "gaps", "corners")
"""Every pixel; those measured; those not, and of these the ones within the inscribed circle and the ones outside."""

PEAK: Final = 2.0
"""From the lowest value of a plane to the highest."""

_LEAST_MSE: Final = 1e-12
"""Single precision tells no smaller error apart; it bounds the signal-to-noise ratio at 126 dB."""

_WINDOW_SIGMA: Final = 1.5
_WINDOW: Final = 11
_K1, _K2 = 0.01, 0.03


def normalise_roots(roots: Tensor, scale: Scale) -> Tensor:
    """`data.normalise.normalise_roots` in torch: √I in any unit, not negative, to −1 … +1."""
    return to_unit_range(roots if scale == "sqrt" else roots.square())


def regions_of(live: Tensor) -> dict[str, Tensor]:
    """The pixels of each region, for masks (planes, y, x)."""
    inside, dead = inscribed_circle(live.shape[-1], live.device), ~live
    return {
        "all": torch.ones_like(live),
        "live": live,
        "dead": dead,
        "gaps": dead & inside,
        "corners": dead & ~inside,
    }


def inscribed_circle(pixels: int, device: torch.device | str = "cpu") -> Tensor:
    """Pixels no further from the plane's centre than its edge is: (pixels, pixels)."""
    along = torch.arange(-(pixels // 2), pixels - pixels // 2, device=device).double()
    return along[:, None] ** 2 + along[None, :] ** 2 <= (pixels / 2) ** 2


def mean_square_errors(predicted: Tensor, truth: Tensor, regions: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean square error of each plane over each region; NaN where a region of a plane has no pixels."""
    squares = (predicted.double() - truth.double()).square()
    return {name: (squares * region).sum((-2, -1)) / region.sum((-2, -1)) for name, region in regions.items()}


def peak_signal_to_noise(mse: Tensor) -> Tensor:
    """10 log₁₀(peak² / MSE) in dB; 126 dB where there is no error."""
    return 10 * torch.log10(PEAK**2 / mse.clamp(min=_LEAST_MSE))


def structural_similarity(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean structural similarity of each plane (Wang et al., IEEE Trans. Image Process. 13 (2004) 600–612).

    Gaussian window of 11 pixels and σ = 1.5, K₁ = 0.01, K₂ = 0.03, windows that lie within the plane as a whole. The
    measure is made for values that are not negative, so planes are taken from 0 to 1.
    """
    if truth.shape[-1] < _WINDOW:
        raise ValueError(f"planes of {truth.shape[-1]} pixels: expected at least {_WINDOW}")
    one, other = ((1 + each.double()) / 2 for each in (predicted, truth))
    mean_one, mean_other, square, product = (
        _window_mean(each) for each in (one, other, one.square() + other.square(), one * other)
    )
    squares_of_means = mean_one.square() + mean_other.square()
    # Variances and covariance are means of products less products of means; K₁, K₂ are in units of the range, 1.
    luminance = (2 * mean_one * mean_other + _K1**2) / (squares_of_means + _K1**2)
    structure = (2 * (product - mean_one * mean_other) + _K2**2) / (square - squares_of_means + _K2**2)
    return (luminance * structure).mean((-2, -1))


def _window_mean(values: Tensor) -> Tensor:
    """Mean under the window, at every place where it fits."""
    along = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    weights = torch.exp(-0.5 * (along / _WINDOW_SIGMA).square())
    weights = weights / weights.sum()
    for dim in (-2, -1):
        length = values.shape[dim] - _WINDOW + 1
        total = values.narrow(dim, 0, length) * float(weights[0])
        for shift in range(1, _WINDOW):
            total.add_(values.narrow(dim, shift, length), alpha=float(weights[shift]))
        values = total
    return values
