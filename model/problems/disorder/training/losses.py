"""What networks are trained on. Planes are (planes, 1, y, x); losses are single numbers."""

import torch
from torch import Tensor
from torch.nn import functional

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.training.recipe_settings import DsfuLoss


def charbonnier(difference: Tensor, width: float) -> Tensor:
    """√(x² + width²) − width: the absolute value, smooth where it is small."""
    return (difference.square() + width**2).sqrt() - width


def dsfu_losses(form_factor: Tensor, sro: Tensor, batch: Batch, settings: DsfuLoss) -> dict[str, Tensor]:
    """The weighted parts of the loss of the recipe ``dsfu``, by name; their sum is what is made small.

    Everything is relative to the maximum of a plane, which needs no contrast: a plane without order has I_SRO = 1.
    """
    parts: dict[str, Tensor] = {}
    factors = {
        "form_factor": (form_factor.float(), batch.form_factor, settings.form_factor),
        "sro": (sro.float(), batch.sro, settings.sro),
    }
    for name, (roots, truth, weight) in factors.items():
        root = charbonnier(roots - truth.sqrt(), settings.width).mean()
        off = roots.square() - truth
        linear = charbonnier(off, settings.width).mean()
        parts[name] = weight * (
            settings.root * root + settings.linear * linear + settings.linear_squares * off.square().mean()
        )
    if settings.product:
        off = form_factor.float() * sro.float() - (batch.form_factor * batch.sro).sqrt()
        parts["product"] = settings.product * _mean_where(batch.live, charbonnier(off, settings.width))
    return parts


def adversarial(log_odds: Tensor, *, is_true: bool) -> Tensor:
    """Binary cross-entropy of a discriminator's answer."""
    wanted = torch.ones_like(log_odds) if is_true else torch.zeros_like(log_odds)
    return functional.binary_cross_entropy_with_logits(log_odds, wanted)


def product_loss(form_factor: Tensor, sro: Tensor, true_form_factor: Tensor, true_sro: Tensor) -> Tensor:
    """Smooth L1 loss between the products of planes from −1 to +1.

    They are shifted to 1 … 3 first, as published: the product of two minima, (−1)², would be a maximum otherwise.
    """
    return functional.smooth_l1_loss(
        _shifted_product(form_factor.float(), sro.float()), _shifted_product(true_form_factor, true_sro)
    )


def _shifted_product(one: Tensor, other: Tensor) -> Tensor:
    return (one + 2) * (other + 2) - 2


def _mean_where(live: Tensor, values: Tensor) -> Tensor:
    return (values * live).sum() / live.sum().clamp(min=1)
