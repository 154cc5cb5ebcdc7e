"""Particles, behind the model's contract: from G(r) to the atoms of a nanoparticle, or to what can be said of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problem import Labels, Learner, RecipeEntry
from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.learning.data import ParticleData
from dsfu.model.problems.particles.learning.recipe_cvae import CvaeLoss
from dsfu.model.store import StoreSplit
from dsfu.simulate.arrays import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from dsfu.model.training.epochs import BatchShare
    from dsfu.model.training.sources import BatchSource
    from dsfu.panels import Panel

_FOLDER: Final = "dsfu.model.problems.particles"
_SIZES: Final = (30, 60, 120, 200)


class ParticlesLearner(Learner[ParticleBatch]):
    """Networks that read particles from pair distribution functions."""

    name = "particles"
    noun = "particle"
    nouns = "particles"
    data = ParticleData
    recipes: ClassVar[Mapping[str, RecipeEntry]] = {
        "cvae": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_cvae:CvaeRecipe",
            network=f"{_FOLDER}.networks.cvae:Cvae",
            settings=CvaeLoss,
            defaults={
                "batch_size": 64,
                "limits": {"epochs": 1000},
                "optimiser": {
                    "learning_rate": 1e-3, "beta_2": 0.999, "weight_decay": 0.0, "schedule": "constant",
                    "warm_up_steps": 0, "ema_decay": 0.0,
                },
            },
        ),
        "reader": RecipeEntry(
            recipe=f"{_FOLDER}.learning.recipe_reader:ReaderRecipe",
            network=f"{_FOLDER}.networks.reader:Reader",
            defaults={
                "batch_size": 128,
                "limits": {"steps": 40_000},
                "data": {"source": "drawn", "r_step": 0.05, "strangers": 0.1},
                "optimiser": {"learning_rate": 1e-3, "ema_decay": 0.998},
            },
        ),
    }  # fmt: skip

    def batch(
        self, split: StoreSplit, indices: Sequence[int], data: ParticleData, device: "torch.device | str"
    ) -> ParticleBatch:
        import torch

        from dsfu.model.problems.particles.learning.samples import batch_of

        return batch_of(split, indices, data, torch.device(device))

    def source(
        self, url: str, split: str, data: ParticleData, part: "BatchShare", seed: int, device: "torch.device"
    ) -> "BatchSource[ParticleBatch]":
        if data.source == "drawn":
            from dsfu.model.problems.particles.learning.sources import DrawnSource

            return DrawnSource(url, split, data, part, seed, device)
        return super().source(url, split, data, part, seed, device)

    def scores(self, answer: Any, batch: ParticleBatch) -> "Mapping[str, Tensor]":
        from dsfu.model.problems.particles.learning.scores import scores_of

        return scores_of(answer, batch)

    def labels(self, split: StoreSplit, indices: IntArray) -> Mapping[str, Labels]:
        from dsfu.model.problems.particles.learning.samples import shapes_of

        shapes = shapes_of(split.store.url)
        rows = split.column("shape")[indices]
        families = np.array(FAMILIES)[shapes.family[rows]]
        names = [f"up to {most} atoms" for most in _SIZES] + [f"over {_SIZES[-1]} atoms"]
        sizes = np.array(names)[np.searchsorted(_SIZES, shapes.atoms[rows])]
        return {
            "family": Labels(values=families, order=FAMILIES),
            "size": Labels(values=sizes, order=names),
        }

    def title(self, split: StoreSplit, index: int) -> str:
        from dsfu.model.problems.particles.learning.samples import shapes_of

        name = shapes_of(split.store.url).names[int(split.column("shape")[index])]
        return f"{name}, b {float(split.column('bond_length')[index]):.2f} Å"

    def sample_panels(self, sample: Mapping[str, Any]) -> "Sequence[Panel] | None":
        from dsfu.simulate.particles.sample_panels import sample_panels

        return sample_panels(sample)

    def panels(self, answer: Any, batch: ParticleBatch) -> "Sequence[Sequence[Panel]]":
        from dsfu.model.problems.particles.learning.scores import panels_of

        return panels_of(answer, batch)

    def told(self, errors: Mapping[str, float]) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in errors.items())

    def data_for(self, url: str, data: ParticleData) -> ParticleData:
        from dsfu.model.problems.particles.learning.samples import end_of_store

        if data.source == "drawn" or "r_max" in data.model_fields_set:
            return data
        return data.model_copy(update={"r_max": min(data.r_max, end_of_store(url))})

    def network_for(self, data: ParticleData) -> Mapping[str, Any]:
        return {"points": data.points, "r_min": data.r_min, "r_step": data.r_step}

    def check_fits(self, network: "nn.Module", data: ParticleData, device: "torch.device") -> None:
        wanted = next(
            (weights.shape[1] for name, weights in network.named_parameters() if name in _INPUT_LAYERS), data.points
        )
        if wanted != data.points:
            raise InputError(
                f"the network takes {wanted} values of r, and the data have {data.points}",
                where="network.points",
                expected="as many as there are from data.r_min to data.r_max in steps of data.r_step",
                remedy=f"network.points={data.points}",
            )


_INPUT_LAYERS: Final = ("first.weight", "prior_reader.values.0.weight")

LEARNER: Final = ParticlesLearner()
