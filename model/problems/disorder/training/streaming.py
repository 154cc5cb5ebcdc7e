"""The samples of a store as batches: read where planes are stored, else computed from what is recorded of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.forward import PlaneBatch
from dsfu.model.problems.disorder.training.augment import Places, as_measured, relative
from dsfu.model.problems.disorder.training.augment_draws import Effects, EffectsOfBatch, draw_effects
from dsfu.model.problems.disorder.training.data_config import DataConfig
from dsfu.model.problems.disorder.training.masks import MaskBank
from dsfu.model.problems.disorder.training.sampling import Recorded
from dsfu.model.problems.disorder.training.streaming_planes import CodeArray, planes_in_order
from dsfu.model.problems.disorder.training.synthesis import Packed, PreparedSpecimens
from dsfu.model.training.draws import AUGMENTATION, Draws
from dsfu.model.training.epochs import BatchShare, EpochSource
from dsfu.model.training.streaming_plan import StreamingPlan
from dsfu.simulate.arrays import IntArray
from dsfu.simulate.disorder.encoding import LEVELS
from dsfu.simulate.lattice import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedCodes:
    """All that a batch of stored planes needs.

    Attributes
    ----------
    codes
        (planes, 2, y, x): the 16 bits of what is stored, as int16.
    strained
        The samples with a strained lattice, whose short-range order is computed and not read; None if there are none.
    """

    codes: Tensor
    live: Tensor
    places: Places
    effects: EffectsOfBatch
    strained: Packed | None

    def batch(self, device: torch.device) -> Batch:
        # Torch does little with 16 bits without sign, and less on some devices, so they travel as signed ones.
        codes = self.codes.to(device, non_blocking=True).to(torch.int32) & 0xFFFF
        roots = codes.to(torch.float32) / LEVELS
        form_factor, sro = roots.square().unbind(1)
        if self.strained is not None:
            at = torch.from_numpy(self.effects.where("strain")).to(device)
            sro = sro.index_copy(0, at, relative(self.strained.to(device).order()))
        live = self.live.to(device, non_blocking=True)
        return as_measured(form_factor, sro, live, self.places.to(device), self.effects)


class StreamingSource(EpochSource[PreparedCodes | PreparedSpecimens, Batch]):
    """The samples of a split that are kept, each once in an epoch over all processes."""

    def __init__(
        self, parameters: StoreParameters, config: DataConfig, part: BatchShare, seed: int, device: torch.device
    ):
        split = parameters.split
        self._plan = StreamingPlan(
            samples=split.kept_indices,
            samples_per_shard=split.planes_per_pair,
            buffer_samples=config.buffer_planes,
            shuffle=config.shuffle,
            last_batch=config.last_batch,
            part=part,
            seed=seed,
        )
        super().__init__(part, seed, self._plan.batches_per_epoch, config.batches_ahead if config.workers else 0)
        self._split, self._config, self._device = split, config, device
        self._masks = MaskBank(parameters, config.pixels)
        self._recorded = Recorded(parameters, config.pixels)

    def prepared(self, epoch: int, first: int) -> Iterator[PreparedCodes | PreparedSpecimens]:
        batches = self._plan.batches(epoch)[first:]
        if not self._split.materialised:
            for indices in batches:
                yield self._to_compute(epoch, indices)
            return
        stream = planes_in_order(self._split, batches, self._config.pixels, self._config.workers)
        for indices, codes in zip(batches, stream, strict=True):
            yield self._to_decode(epoch, indices, codes)

    def finished(self, prepared: PreparedCodes | PreparedSpecimens) -> Batch:
        return prepared.batch(self._device)

    def _to_compute(self, epoch: int, indices: IntArray) -> PreparedSpecimens:
        effects = self._effects(epoch, indices)
        specimens = [
            self._recorded.specimen(index, each.strain) for index, each in zip(indices.tolist(), effects, strict=True)
        ]
        return PreparedSpecimens(
            packed=Packed.of(specimens), live=self._masks.live(effects), effects=EffectsOfBatch.of(effects)
        )

    def _to_decode(self, epoch: int, indices: IntArray, codes: CodeArray) -> PreparedCodes:
        effects = self._effects(epoch, indices)
        codes_, live = torch.from_numpy(codes.view(np.int16)), self._masks.live(effects)
        if self._device.type == "cuda":
            codes_, live = codes_.pin_memory(), live.pin_memory()
        of_batch = EffectsOfBatch.of(effects)
        where = of_batch.where("strain").tolist()
        strained = [self._recorded.specimen(int(indices[i]), effects[i].strain) for i in where]
        return PreparedCodes(
            codes=codes_,
            live=live,
            places=self._places(indices),
            effects=of_batch,
            strained=Packed.of(strained) if strained else None,
        )

    def _effects(self, epoch: int, indices: IntArray) -> list[Effects]:
        stored = self._split.coordinates["mask"]
        return [
            draw_effects(
                Draws(self.seed, AUGMENTATION, epoch * len(self._split) + index),
                self._config.augment,
                len(self._masks),
                int(stored[index]) if self._config.masks == "stored" else None,
            )
            for index in indices.tolist()
        ]

    def _places(self, indices: IntArray) -> Places:
        columns = self._split.coordinates
        vectors = np.stack([Cell(*constants).vectors for constants in columns["cell"][indices].tolist()])
        centre, axis_x, axis_y, q_max = (
            torch.from_numpy(columns[name][indices]) for name in ("centre", "axis_x", "axis_y", "q_max")
        )
        planes = PlaneBatch(centre=centre, axis_x=axis_x, axis_y=axis_y, q_max=q_max, pixels=self._config.pixels)
        return Places(planes=planes, vectors=torch.from_numpy(vectors))
