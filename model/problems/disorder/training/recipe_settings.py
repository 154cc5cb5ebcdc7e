"""What can be set about each recipe alone, and what recipes set differently. docs/training.md explains it to users."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from dsfu.model.training.config import AtLeastOne
from dsfu.settings.section import Section

Weight = Annotated[float, Field(ge=0, le=1_000_000)]


class DsfuLoss(Section):
    """Weights of what the recipe ``dsfu`` is trained on; each is a mean over pixels, 0 leaves it out.

    Attributes
    ----------
    root, linear
        Charbonnier distance of each factor on the square-root and on the linear scale.
    linear_squares
        Mean square error on the linear scale.
    product
        Charbonnier distance of the product of both, on the square-root scale, where live.
    form_factor, sro
        Weight of each factor in the first three.
    width
        Where the Charbonnier distance √(x² + width²) − width turns from quadratic to linear.
    """

    root: Weight = 1.0
    linear: Weight = 0.5
    linear_squares: Weight = 1.0
    product: Weight = 0.25
    form_factor: Weight = 1.0
    sro: Weight = 1.0
    width: Weight = 0.01


class Pix2PixLoss(Section):
    """Weights of what the recipe ``pix2pix`` is trained on, and its discriminators.

    Attributes
    ----------
    l1
        Of the mean absolute error beside the adversarial loss.
    product
        Of the product step, in which the smooth L1 loss between products of both factors is followed; 0: no such step.
    discriminator_channels
        Of the discriminators' first level.
    """

    l1: Weight = 100.0
    product: Weight = 1.0
    discriminator_channels: AtLeastOne = 64


DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dsfu": {"limits": {"epochs": 20}},
    "pix2pix": {
        "batch_size": 64,
        "limits": {"epochs": 200},
        "optimiser": {
            "learning_rate": 2e-4,
            "beta_1": 0.5,
            "beta_2": 0.999,
            "weight_decay": 0.0,
            "warm_up_steps": 0,
            "schedule": "constant",
            "clip_norm": 0.0,
            "ema_decay": 0.0,
        },
    },
}
"""What recipes set differently."""
