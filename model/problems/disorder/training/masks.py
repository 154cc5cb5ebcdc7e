"""The masks of a store, for batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.augment_draws import Effects


class MaskBank:
    """All masks of a store, at the size that is wanted."""

    def __init__(self, parameters: StoreParameters, pixels: int) -> None:
        self._store, self._stored_pixels = parameters.split.store, parameters.split.pixels
        self._every = self._stored_pixels // pixels
        self._count = parameters.masks

    def __len__(self) -> int:
        return self._count

    def live(self, effects: Sequence[Effects]) -> Tensor:
        """The masks of some samples, turned as they say: (planes, y, x), True where live."""
        numbers = np.array([each.mask for each in effects])
        whole = self._store.live_pixels(numbers, self._stored_pixels)[:, :: self._every, :: self._every]
        return torch.from_numpy(
            np.stack([turned(mask, each.mask_turn) for mask, each in zip(whole, effects, strict=True)])
        )


def turned(mask: npt.NDArray[Any], turn: int) -> npt.NDArray[Any]:
    """A mask reflected and transposed as `Effects.mask_turn` says."""
    mask = mask[:, ::-1] if turn & 1 else mask
    mask = mask[::-1] if turn & 2 else mask
    return mask.T if turn & 4 else mask
