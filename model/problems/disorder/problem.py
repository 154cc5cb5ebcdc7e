"""Diffuse scattering of disordered crystals: planes in, form factor and short-range order out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problem import Labels, Learner, OnnxForm, RecipeEntry
from dsfu.model.problems.disorder.training.data_config import NAMED_AUGMENTATIONS, DataConfig
from dsfu.model.problems.disorder.training.recipe_settings import DEFAULTS, DsfuLoss, Pix2PixLoss
from dsfu.model.store import StoreSplit
from dsfu.simulate.arrays import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from dsfu.model.evaluation.options import Evaluated, EvaluationOptions, Watch
    from dsfu.model.problems.disorder.batch import Batch
    from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
    from dsfu.model.training.epochs import BatchShare
    from dsfu.model.training.sources import BatchSource
    from dsfu.panels import Panel

_FOLDER: Final = "dsfu.model.problems.disorder"


class DisorderLearner(Learner["Batch"]):
    """Networks that take planes of diffuse scattering apart into form factor and short-range order."""

    name = "disorder"
    noun = "plane"
    nouns = "planes"
    recipes: ClassVar[Mapping[str, RecipeEntry]] = {
        "dsfu": RecipeEntry(
            recipe=f"{_FOLDER}.training.recipe_dsfu:DsfuRecipe",
            network=f"{_FOLDER}.networks.dsfu:Dsfu",
            settings=DsfuLoss,
            defaults=DEFAULTS["dsfu"],
        ),
        "pix2pix": RecipeEntry(
            recipe=f"{_FOLDER}.training.recipe_pix2pix:Pix2PixRecipe",
            network=f"{_FOLDER}.networks.pix2pix:Pix2Pix",
            settings=Pix2PixLoss,
            defaults=DEFAULTS["pix2pix"],
        ),
    }
    data = DataConfig
    named_data: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "augment": {name: config.model_dump() for name, config in NAMED_AUGMENTATIONS.items()}
    }
    older_settings: ClassVar[Mapping[str, str]] = {"watching.validation_planes": "watching.validation_samples"}

    def batch(
        self, split: StoreSplit, indices: Sequence[int], data: DataConfig, device: "torch.device | str"
    ) -> "Batch":
        return self.samples(split.store.url, split.name, data, 0, 0).batch(indices, device)

    def source(
        self, url: str, split: str, data: DataConfig, part: "BatchShare", seed: int, device: "torch.device"
    ) -> "BatchSource[Batch]":
        from dsfu.model.problems.disorder.training.sources import open_source

        return open_source(
            url,
            split,
            data,
            batch_size=part.batch_size,
            seed=seed,
            rank=part.rank,
            world_size=part.world_size,
            device=device,
        )

    def samples(self, url: str, split: str, data: DataConfig, limit: int, seed: int) -> "EvaluationPlanes":
        from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes
        from dsfu.model.problems.disorder.data.shards import open_store
        from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes, PlaneSettings

        settings = PlaneSettings(pixels=data.pixels, limit=limit, seed=seed)
        return EvaluationPlanes(open_store(url).split(split), ComputedPlanes(url), settings)

    def scores(self, answer: "tuple[Tensor, Tensor]", batch: "Batch") -> "Mapping[str, Tensor]":
        from dsfu.model.problems.disorder.training.watching import square_errors

        return square_errors(*answer, batch)

    def panels(self, answer: "tuple[Tensor, Tensor]", batch: "Batch") -> "Sequence[Sequence[Panel]]":
        from dsfu.model.problems.disorder.training.watching import panels_of

        return panels_of(*answer, batch)

    def labels(self, split: StoreSplit, indices: IntArray) -> Mapping[str, Labels]:
        from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes

        kinds = ComputedPlanes(split.store.url).sro_kinds(split.name)[indices]
        return {"short-range order": Labels(values=np.array([kind.replace("_", " ") for kind in kinds]))}

    def told(self, errors: Mapping[str, float]) -> str:
        sro, form_factor = errors["sro.linear"], errors["form_factor.linear"]
        return f"MSE of I_SRO {sro:.4f}, of I_FF {form_factor:.4f} on the linear scale"

    def check_fits(self, network: "nn.Module", data: DataConfig, device: "torch.device") -> None:
        import torch

        pixels = data.pixels
        if not pixels:
            return  # those of a store that is not known here
        plane = torch.zeros(1, 1, pixels, pixels, device=device)
        try:
            with torch.inference_mode():
                network(plane, torch.ones_like(plane, dtype=torch.bool))
        except (ValueError, RuntimeError) as error:
            if isinstance(error, torch.cuda.OutOfMemoryError):
                raise
            raise InputError(
                f"it is {pixels}, and the network does not take planes of this size: {str(error).splitlines()[0]}",
                where="data.pixels",
                expected="a number that can be halved as often as network.channels has levels, with some pixels left",
            ) from error

    def data_for(self, url: str, data: DataConfig) -> DataConfig:
        from dsfu.model.problems.disorder.data.shards import open_store

        return data if data.pixels else data.of_store(open_store(url).split("train").pixels)

    def card(self, data: DataConfig) -> Mapping[str, Any]:
        return {"pixels": data.pixels}

    def onnx(self, network: "nn.Module", card: Mapping[str, Any]) -> OnnxForm:
        from dsfu.model.problems.disorder.networks.loading import pixels_of
        from dsfu.model.problems.disorder.networks.onnx_form import form_of

        return form_of(network, pixels_of(card))

    def evaluation_name(self, chosen: Mapping[str, Any]) -> str:
        method = chosen.get("method", "network")
        return "evaluation" if method == "network" else f"evaluation-{method}"

    def evaluate(
        self,
        run: Path,
        store: str,
        out: Path,
        options: "EvaluationOptions",
        chosen: Mapping[str, Any],
        watch: "Watch",
    ) -> "Evaluated":
        from dsfu.model.evaluation.options import Evaluated
        from dsfu.model.evaluation.tables import as_text
        from dsfu.model.problems.disorder.evaluation.evaluate import EvaluationSettings, evaluate
        from dsfu.model.problems.disorder.evaluation.planes import PlaneSettings
        from dsfu.model.problems.disorder.evaluation.tables import tables_of

        of_planes = {name: chosen[name] for name in ("pixels", "poisson") if name in chosen}
        settings = EvaluationSettings(
            split=options.split,
            batch_size=options.batch_size,
            device=options.device,
            planes=PlaneSettings(limit=options.limit, seed=options.seed, **of_planes),
            **{name: chosen[name] for name in ("method", "inception_weights") if name in chosen},
        )
        found = evaluate(run, store, out, settings, watch)
        text = "\n\n".join(as_text(table) for table in tables_of(found.summary))
        return Evaluated(summary=found.summary.to_dict(), text=text, files=found.files)


LEARNER: Final = DisorderLearner()
