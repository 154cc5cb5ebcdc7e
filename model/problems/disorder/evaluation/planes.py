"""The planes that are evaluated: as they would be measured, with the truth about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.problem import Samples
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes
from dsfu.model.problems.disorder.data.shards import Split
from dsfu.model.training.stored import drawn
from dsfu.simulate.arrays import Float32Array, IntArray


@dataclass(frozen=True, kw_only=True)
class PlaneSettings:
    """Which planes, and as how they are measured.

    Attributes
    ----------
    pixels
        Pixels along each side, a divisor of the store's: every so many of its pixels; 0: as in the store.
    limit
        At most so many planes, drawn at random; 0: all that are unique.
    poisson
        Counting noise: its standard deviation where the intensity is the plane's mean, relative to that mean; 0: none.
    """

    pixels: int = 0
    limit: int = 0
    poisson: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, most in (("pixels", 8192), ("limit", 10**9), ("poisson", 10.0)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise InputError(f"{name} = {value}", expected=f"0 to {most:g}", where=f"--{name}")


class EvaluationPlanes(Samples[Batch]):
    """Unique planes of a split under their own masks. The same plane is the same in every batch."""

    split: Split

    def __init__(self, split: Split, crystals: ComputedPlanes, settings: PlaneSettings) -> None:
        self.split, self.crystals, self.settings = split, crystals, settings
        self.pixels = settings.pixels or split.pixels
        if split.pixels % self.pixels:
            divisors = [str(split.pixels // each) for each in (1, 2, 4) if split.pixels % each == 0]
            raise InputError(
                f"pixels = {self.pixels}: the store's planes have {split.pixels}",
                where="--pixels",
                expected=f"a divisor, such as {', '.join(divisors)}",
            )
        self._every = split.pixels // self.pixels

    @property
    def indices(self) -> IntArray:
        """Which samples of the split, in their order."""
        return drawn(self.split.kept_indices, self.settings.limit, self.settings.seed)

    def batches(self, size: int, device: torch.device | str = "cpu") -> Iterator[tuple[list[int], Batch]]:
        """All planes, some at a time: their indices, and the batch."""
        indices = self.indices.tolist()
        for first in range(0, len(indices), size):
            some = indices[first : first + size]
            yield some, self.batch(some, device)

    def batch(self, indices: Sequence[int], device: torch.device | str = "cpu") -> Batch:
        """Some planes, by their indices in the split."""
        form_factor, sro = (_relative(each) for each in self._factors(indices, device))
        clean = _relative(form_factor * sro)
        masks = self.split.coordinates["mask"][list(indices)]
        stored = self.split.store.live_pixels(masks, self.split.pixels)[:, None, :: self._every, :: self._every]
        live = torch.tensor(stored, device=device)
        return Batch(
            intensity=self._measured(clean, indices) * live, live=live, clean=clean, form_factor=form_factor, sro=sro
        )

    def _factors(self, indices: Sequence[int], device: torch.device | str) -> tuple[Tensor, Tensor]:
        """Both factors, (planes, 1, y, x)."""
        if not self.split.materialised:
            factors = self.crystals.factors(self.split.name, indices, pixels=self.pixels, device=device)
            return factors[0][:, None], factors[1][:, None]
        stored = [self.split.planes(index) for index in indices]
        form_factor, sro = (
            torch.tensor(np.stack(each)[:, None, :: self._every, :: self._every], device=device)
            for each in ([plane.form_factor for plane in stored], [plane.sro for plane in stored])
        )
        return form_factor, sro

    def _measured(self, clean: Tensor, indices: Sequence[int]) -> Tensor:
        if not self.settings.poisson:
            return clean
        values = clean.cpu().numpy()
        noisy = [self._counted(plane, index) for plane, index in zip(values, indices, strict=True)]
        return torch.tensor(np.stack(noisy), device=clean.device)

    def _counted(self, plane: Float32Array, index: int) -> Float32Array:
        """With the noise of counting; it depends on the seed and the sample, not on what else is in a batch."""
        counts = self.settings.poisson**-2 / plane.mean()
        drawn = np.random.default_rng([self.settings.seed, 2, index]).poisson(plane * counts)
        return np.asarray(drawn / counts, np.float32)


def _relative(planes: Tensor) -> Tensor:
    """Each plane relative to its maximum; one without intensity stays zero."""
    highest = planes.amax((-2, -1), keepdim=True)
    return planes / torch.where(highest > 0, highest, torch.ones_like(highest))
