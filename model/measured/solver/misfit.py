"""What is minimised at every pixel, and its derivatives, in one pass.

The model is I = E · G · max(S, 0) + b. With J = I − b, F = E · G, and weights w:

    ½ w (F S − J)²             where S ≥ 0
    ½ w J (J − 2 F⁺ S)         where S < 0 and J > 0: continued by its tangent: intensity draws S up
    ½ w J²                     where S < 0 and J ≤ 0: the series was clipped there, and says nothing more

and, on every pixel, dead ones too, G < 0 costs ½ k (E G)², and S < 0 costs ½ d S². Without the latter nothing would
hold S where it was clipped, and as its mean is fixed, its scale would go astray. F⁺ is F where that is positive, and 0
elsewhere: with F itself the misfit would have no lower bound where both factors are negative.
"""

from typing import Any

import torch
from torch import Tensor


class PixelMisfit(torch.autograd.Function):
    """(planes,) from G, S (planes, y, x), b (planes, 1, 1), and constants: E, I, w (planes, y, x), k, d as b."""

    @staticmethod
    def forward(
        ctx: Any,
        smooth: Tensor,
        order: Tensor,
        background: Tensor,
        falloff: Tensor,
        data: Tensor,
        weight: Tensor,
        price: Tensor,
        depth_price: Tensor,
    ) -> Tensor:
        form_factor = falloff * smooth
        clipped = order.clamp_min(0)
        target = data - background
        # ½ Σ w (I_FF · max(I_SRO, 0) + b − I)², and two costs that keep the model where it means something: I_FF < 0 is
        # priced quadratically, and I_SRO < 0, which the product does not see, costs what the data there leave
        # unexplained.
        residual = form_factor * clipped - target
        weighted = weight * residual
        below = order - clipped
        pull = weight * target.clamp_min(0) * below
        negative = form_factor.clamp_max(0)
        positive = form_factor - negative
        priced = price * negative
        deep = depth_price * below
        value = 0.5 * (weighted * residual + priced * negative + deep * below).sum((1, 2))
        value -= (pull * positive).sum((1, 2))
        inside = order >= 0
        # Derivatives written out: three planes are kept for the way back, and not every one in between.
        d_form_factor = weighted * clipped + priced - pull * (form_factor > 0)
        d_order = torch.where(inside, weighted * form_factor, -weight * target.clamp_min(0) * positive) + deep
        d_background = torch.where(inside | (target <= 0), weighted, weighted + weight * positive * below)
        d_background = d_background.sum((1, 2))[:, None, None]
        ctx.save_for_backward(d_form_factor * falloff, d_order, d_background)
        return value

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        d_smooth, d_order, d_background = ctx.saved_tensors
        scale = outer[0][:, None, None]
        return scale * d_smooth, scale * d_order, scale * d_background, None, None, None, None, None
