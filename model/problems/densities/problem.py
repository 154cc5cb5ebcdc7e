"""Densities, behind the model's contract: from a powder pattern and a composition to an electron density."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problem import Labels, Learner, RecipeEntry
from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.problems.densities.learning.data import DensityData
from dsfu.model.problems.densities.learning.recipe_crystalnet import CrystalNetLoss
from dsfu.model.store import StoreSplit
from dsfu.simulate.arrays import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dsfu.panels import Panel

_FOLDER: Final = "dsfu.model.problems.densities"
_SIZES: Final = (8, 16, 32)


class DensitiesLearner(Learner[DensityBatch]):
    """Networks that read densities from powder patterns."""

    name = "densities"
    noun = "crystal"
    nouns = "crystals"
    data = DensityData
    recipes: ClassVar[Mapping[str, RecipeEntry]] = {
        "crystalnet": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_crystalnet:CrystalNetRecipe",
            network=f"{_FOLDER}.networks.crystalnet:CrystalNet",
            settings=CrystalNetLoss,
            defaults={
                "batch_size": 128,
                "limits": {"epochs": 1500},
                "optimiser": {
                    "learning_rate": 1e-3, "beta_2": 0.999, "weight_decay": 0.0, "warm_up_steps": 0, "clip_norm": 0.0,
                    "ema_decay": 0.0,
                },
            },
        )
    }  # fmt: skip

    def batch(
        self, split: StoreSplit, indices: Sequence[int], data: DensityData, device: "torch.device | str"
    ) -> DensityBatch:
        import torch

        from dsfu.model.problems.densities.learning.samples import batch_of

        return batch_of(split, indices, data, torch.device(device))

    def scores(self, answer: Any, batch: DensityBatch) -> "Mapping[str, Tensor]":
        from dsfu.model.problems.densities.learning.scores import scores_of

        return scores_of(answer, batch)

    def labels(self, split: StoreSplit, indices: IntArray) -> Mapping[str, Labels]:
        groups = split.column("space_group")[indices].astype(int)
        names = [f"up to {most} atoms" for most in _SIZES] + [f"over {_SIZES[-1]} atoms"]
        sizes = np.array(names)[np.searchsorted(_SIZES, split.column("atoms")[indices])]
        return {
            "space group": Labels(
                values=np.array([str(each) for each in groups]), order=[str(each) for each in sorted({*groups})]
            ),
            "size": Labels(values=sizes, order=names),
        }

    def title(self, split: StoreSplit, index: int) -> str:
        from dsfu.simulate.densities.structure_types import shipped_types

        kind = shipped_types()[int(split.column("type")[index])]
        return f"{kind.name}, space group {int(split.column('space_group')[index])}"

    def sample_panels(self, sample: Mapping[str, Any]) -> "Sequence[Panel] | None":
        from dsfu.simulate.densities.sample_panels import sample_panels

        return sample_panels(sample)

    def panels(self, answer: Any, batch: DensityBatch) -> "Sequence[Sequence[Panel]]":
        from dsfu.model.problems.densities.learning.scores import panels_of

        return panels_of(answer, batch)

    def told(self, errors: Mapping[str, float]) -> str:
        return f"SSIM {errors['ssim']:.4f}, PSNR {errors['psnr']:.2f}"

    def check_fits(self, network: Any, data: DensityData, device: "torch.device") -> None:
        if network.draws < 1:
            raise InputError(f"it is {network.draws}", where="network.draws", expected="1 or more; published: 5")


LEARNER: Final = DensitiesLearner()
