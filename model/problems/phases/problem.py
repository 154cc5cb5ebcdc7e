"""The phase problem, behind the model's contract: from |F|² on a grid to the density, by the published networks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problem import Labels, Learner, RecipeEntry
from dsfu.model.problems.phases.learning.batch import PhaseBatch
from dsfu.model.problems.phases.learning.data import PhaseData
from dsfu.model.store import StoreSplit, opened_store
from dsfu.simulate.arrays import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dsfu.panels import Panel

_FOLDER: Final = "dsfu.model.problems.phases"
_SIZES: Final = (4, 8, 16)

_AS_PUBLISHED: Final = {
    "batch_size": 200,
    "limits": {"epochs": 100},
    "optimiser": {
        "learning_rate": 1e-3, "beta_2": 0.999, "weight_decay": 0.0, "warm_up_steps": 0, "clip_norm": 0.0,
        "ema_decay": 0.0,
    },
}  # fmt: skip
"""Adam with a batch of 200 and a rate of 1e-3: defaults of the program that the published work names."""


class PhasesLearner(Learner[PhaseBatch]):
    """Networks that read a density from moduli: the replication of the published case."""

    name = "phases"
    noun = "crystal"
    nouns = "crystals"
    data = PhaseData
    recipes: ClassVar[Mapping[str, RecipeEntry]] = {
        "mlp20": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_grids:GridRecipe",
            network=f"{_FOLDER}.networks.mlp:mlp20",
            defaults=_AS_PUBLISHED,
        ),
        "mlp10": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_grids:GridRecipe",
            network=f"{_FOLDER}.networks.mlp:mlp10",
            defaults=_AS_PUBLISHED,
        ),
        "unet3d": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_grids:GridRecipe",
            network=f"{_FOLDER}.networks.unet3d:GridUNet",
            defaults={**_AS_PUBLISHED, "batch_size": 8},
        ),
    }

    def batch(
        self, split: StoreSplit, indices: Sequence[int], data: PhaseData, device: "torch.device | str"
    ) -> PhaseBatch:
        import torch

        from dsfu.model.problems.phases.learning.samples import batch_of

        return batch_of(split, indices, torch.device(device))

    def scores(self, answer: Any, batch: PhaseBatch) -> "Mapping[str, Tensor]":
        from dsfu.model.problems.phases.learning.scores import scores_of

        return scores_of(answer, batch)

    def labels(self, split: StoreSplit, indices: IntArray) -> Mapping[str, Labels]:
        names = [f"up to {most} atoms" for most in _SIZES] + [f"over {_SIZES[-1]} atoms"]
        sizes = np.array(names)[np.searchsorted(_SIZES, split.column("atom_count")[indices])]
        return {"size": Labels(values=sizes, order=names)}

    def title(self, split: StoreSplit, index: int) -> str:
        atoms, group = int(split.column("atom_count")[index]), int(split.column("space_group")[index])
        return f"crystal {index}, {atoms} atoms, space group {group}"

    def sample_panels(self, sample: Mapping[str, Any]) -> "Sequence[Panel] | None":
        from dsfu.simulate.phases.sample_panels import sample_panels

        return sample_panels(sample)

    def panels(self, answer: Any, batch: PhaseBatch) -> "Sequence[Sequence[Panel]]":
        from dsfu.model.problems.phases.learning.scores import panels_of

        return panels_of(answer, batch)

    def told(self, errors: Mapping[str, float]) -> str:
        return f"correlation {errors['correlation']:.4f}, atoms found {errors['peaks_found']:.3f}"

    def data_for(self, url: str, data: PhaseData) -> PhaseData:
        from dsfu.model.problems.phases.learning.samples import check_computable

        store = opened_store(url)
        check_computable(store.split(store.splits[0]))
        side = int(store.settings["grid"]["n"])
        if data.grid not in (0, side):
            raise InputError(f"it is {data.grid}", where="data.grid", expected=f"{side}, as in the store {url}")
        return data.model_copy(update={"grid": side})

    def check_fits(self, network: Any, data: PhaseData, device: "torch.device") -> None:
        wanted = getattr(network, "n", data.grid)
        if data.grid and wanted != data.grid:
            raise InputError(
                f"its network is for grids of {wanted}³, the store has {data.grid}³",
                where="recipe",
                expected="mlp10 for grid.n = 10, mlp20 for 20, unet3d for any",
            )


LEARNER: Final = PhasesLearner()
