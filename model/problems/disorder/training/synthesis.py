"""Samples made on the fly: nothing is read twice, and nothing repeats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.devices import through_pinned_memory
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.forward import Atoms, PlaneBatch, form_factor, short_range_order
from dsfu.model.problems.disorder.training.augment import Places, as_measured
from dsfu.model.problems.disorder.training.augment_draws import EffectsOfBatch, draw_effects
from dsfu.model.problems.disorder.training.data_config import DataConfig
from dsfu.model.problems.disorder.training.masks import MaskBank
from dsfu.model.problems.disorder.training.sampling import Sampler, Specimen
from dsfu.model.training.draws import AUGMENTATION, SAMPLE, Draws
from dsfu.model.training.epochs import BatchShare, EpochSource

_AT_ONCE: Final = {"cpu": 8}
_MOST_AT_ONCE: Final = 64
"""How many planes are computed at once, by kind of device: as many as its cache, or its memory, is good for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """Specimens as tensors, padded to one number of atoms."""

    atom_counts: list[int]
    atoms: Atoms
    weight: Tensor
    alpha: Tensor
    places: Places

    @classmethod
    def of(cls, specimens: Sequence[Specimen]) -> "Packed":
        counts = [max(1, len(each.numbers_a) + len(each.numbers_b)) for each in specimens]
        most = max(counts)
        positions = np.zeros((len(specimens), most, 3))
        numbers, signs = np.ones((len(specimens), most), np.int64), np.zeros((len(specimens), most))
        for row, each in enumerate(specimens):
            first, both = len(each.numbers_a), len(each.numbers_a) + len(each.numbers_b)
            positions[row, :first], positions[row, first:both] = each.positions_a, each.positions_b
            numbers[row, :first], numbers[row, first:both] = each.numbers_a, each.numbers_b
            signs[row, :first], signs[row, first:both] = 1, -1
        return cls(
            atom_counts=counts,
            atoms=Atoms(
                positions=torch.from_numpy(positions), numbers=torch.from_numpy(numbers), signs=torch.from_numpy(signs)
            ),
            weight=torch.tensor([each.fraction_a * (1 - each.fraction_a) for each in specimens], dtype=torch.float64),
            alpha=torch.from_numpy(np.stack([each.alpha for each in specimens])),
            places=Places(
                planes=PlaneBatch.of([each.plane for each in specimens]),
                vectors=torch.from_numpy(np.stack([each.cell.vectors for each in specimens])),
            ),
        )

    def to(self, device: torch.device) -> "Packed":
        """The same on another device, through pinned memory where that is a GPU."""
        moved = partial(through_pinned_memory, device=device)
        return Packed(
            atom_counts=self.atom_counts,
            atoms=Atoms(
                positions=moved(self.atoms.positions), numbers=moved(self.atoms.numbers), signs=moved(self.atoms.signs)
            ),
            weight=moved(self.weight),
            alpha=moved(self.alpha),
            places=self.places.to(device),
        )

    def order(self) -> Tensor:
        """I_SRO alone."""
        return short_range_order(self.alpha, self.places.vectors, self.places.planes)

    def factors(self) -> tuple[Tensor, Tensor]:
        """I_FF and I_SRO in physical units, each (planes, y, x).

        Some planes at once, those of like numbers of atoms together: less padding, and a processor's cache holds them.
        """
        planes = self.places.planes
        at_once = _AT_ONCE.get(planes.q_max.device.type, _MOST_AT_ONCE)
        order = torch.argsort(torch.tensor(self.atom_counts), stable=True)
        form_factors, orders = [], []
        for chosen in torch.split(order, at_once):
            most = max(self.atom_counts[i] for i in chosen.tolist())
            on_device = chosen.to(planes.q_max.device)
            some = planes[on_device]
            form_factors.append(form_factor(_first(self.atoms[on_device], most), self.weight[on_device], some))
            orders.append(short_range_order(self.alpha[on_device], self.places.vectors[on_device], some))
        back = torch.argsort(order).to(planes.q_max.device)
        return torch.cat(form_factors)[back], torch.cat(orders)[back]


def _first(atoms: Atoms, count: int) -> Atoms:
    """The first atoms of each plane; the rest is padding."""
    return Atoms(positions=atoms.positions[:, :count], numbers=atoms.numbers[:, :count], signs=atoms.signs[:, :count])


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedSpecimens:
    """All that a batch of computed planes needs."""

    packed: Packed
    live: Tensor
    effects: EffectsOfBatch

    def batch(self, device: torch.device) -> Batch:
        packed = self.packed.to(device)
        return as_measured(*packed.factors(), self.live.to(device, non_blocking=True), packed.places, self.effects)


class SynthesisSource(EpochSource[PreparedSpecimens, Batch]):
    """Fresh samples of a split. Sample n of a run depends on the seed and on n, whatever process makes it."""

    def __init__(
        self, parameters: StoreParameters, config: DataConfig, part: BatchShare, seed: int, device: torch.device
    ):
        wanted = config.samples_per_epoch or max(len(parameters.split.kept_indices), part.of_all)
        if wanted < part.of_all:
            raise InputError(
                f"an epoch of {wanted} samples is less than the {part.of_all} of one batch on every process",
                where="data.samples_per_epoch",
                expected=f"{part.of_all} or more",
            )
        ahead = config.batches_ahead if config.workers else 0
        super().__init__(part, seed, wanted // part.of_all, ahead)
        self._samples_per_epoch, self._augment, self._device = wanted, config.augment, device
        self._masks = MaskBank(parameters, config.pixels)
        self._sampler = Sampler(parameters, config.synthesis, config.pixels)

    def numbers(self, epoch: int, batch: int) -> range:
        """Numbers of the samples of one batch of this process."""
        first = epoch * self._samples_per_epoch + batch * self.part.of_all + self.part.rank * self.part.batch_size
        return range(first, first + self.part.batch_size)

    def prepared(self, epoch: int, first: int) -> Iterator[PreparedSpecimens]:
        for batch in range(first, self.batches_per_epoch):
            yield self._prepared_samples(self.numbers(epoch, batch))

    def finished(self, prepared: PreparedSpecimens) -> Batch:
        return prepared.batch(self._device)

    def _prepared_samples(self, numbers: range) -> PreparedSpecimens:
        draws = [Draws(self.seed, AUGMENTATION, number) for number in numbers]
        effects = [draw_effects(each, self._augment, len(self._masks)) for each in draws]
        specimens = [
            self._sampler.draw(Draws(self.seed, SAMPLE, number), each.strain)
            for number, each in zip(numbers, effects, strict=True)
        ]
        return PreparedSpecimens(
            packed=Packed.of(specimens), live=self._masks.live(effects), effects=EffectsOfBatch.of(effects)
        )
