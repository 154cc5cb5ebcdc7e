"""What every network is, seen from outside: intensities and a mask in, two factors out."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Factoriser(nn.Module, ABC):
    """Takes planes of diffuse scattering apart. How it scales what it sees is its own business."""

    @abstractmethod
    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        """Factorise planes, each on its own: what else is in a batch makes no difference.

        Parameters
        ----------
        intensity
            (planes, 1, y, x): I_D in any unit; whatever stands where it is dead is not looked at.
        live
            (planes, 1, y, x), bool or 0 and 1: where measured.

        Returns
        -------
        √I_FF and √I_SRO, each (planes, 1, y, x), from 0 to 1 relative to its maximum on the plane (approximately: they
        are estimates, and may stick out a little). Squared, they are the factors on the linear scale.
        """
