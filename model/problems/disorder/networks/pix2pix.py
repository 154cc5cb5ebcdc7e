"""The recipe ``pix2pix``: the published network, one U-Net for each factor."""

from collections.abc import Sequence

from torch import Tensor

from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range
from dsfu.model.problems.disorder.networks.unet import UNet


class Pix2Pix(Factoriser):
    """Parameters
    ----------
    channels
        Of the levels of each U-Net, the finest first: six from 256 pixels down to 4.
    dropout, dropped_levels
        Probability, and in how many of the deepest levels on the way up.
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 128, 256, 512, 512, 512),
        dropout: float = 0.5,
        dropped_levels: int = 3,
    ) -> None:
        super().__init__()
        self.form_factor = UNet(channels, dropout, dropped_levels)
        self.sro = UNet(channels, dropout, dropped_levels)

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        form_factor, sro = self.unit_range(measured_to_unit_range(intensity, live))
        return (form_factor.float() + 1) / 2, (sro.float() + 1) / 2

    def unit_range(self, scattering: Tensor) -> tuple[Tensor, Tensor]:
        """From √I between −1 and +1 to both factors in the same range."""
        return self.form_factor(scattering), self.sro(scattering)
