"""What a run leaves behind beside checkpoints: weights with their card, and pictures."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dsfu.model.networks.options import options_of
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.training.config import Config
from dsfu.model.training.recipes import Recipe
from dsfu.model.training.schedule import Progress
from dsfu.model.training.validation import Validation
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import OF_A_RUN, save_weights
from dsfu.simulate.arrays import Float32Array


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Attributes
    ----------
    data
        What the card says about the data.
    """

    run: Path
    config: Config
    data: Mapping[str, Any]

    def write_weights(
        self, network: Factoriser, progress: Progress, errors: Mapping[str, float], *, is_best: bool
    ) -> None:
        card = self.card(progress, errors)
        best, last = OF_A_RUN
        save_weights(self.run / last, network, card)
        if is_best:
            save_weights(self.run / best, network, card)

    def card(self, progress: Progress, errors: Mapping[str, float]) -> Card:
        return Card(
            recipe=self.config.recipe,
            network=options_of(self.config.recipe, self.config.network),
            pixels=self.config.data.pixels,
            data={**self.data, "settings": asdict(self.config.data)},
            metrics=dict(errors),
            versions={"python": platform.python_version(), **{name: version(name) for name in ("dsfu", "torch")}},
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            steps=progress.step,
            samples=progress.samples,
            hours=round(progress.seconds / 3600, 4),
        )

    def draw(self, recipe: Recipe, validation: Validation, progress: Progress) -> Float32Array | None:
        """Draw some planes of the validation as RUN/pictures/step-….png, if pictures are wanted."""
        from dsfu.model.problems.disorder.training.pictures import draw_pictures

        wanted = self.config.watching.pictures
        if not wanted:
            return None
        batch = _first_planes(validation, wanted).to(recipe.engine.device)
        path = self.run / "pictures" / f"step-{progress.step:07d}.png"
        return draw_pictures(recipe.result, batch, path, f"step {progress.step}, epoch {progress.epoch}")


def _first_planes(validation: Validation, count: int) -> Batch:
    joined = {
        name: torch.cat([getattr(batch, name) for batch in validation.batches[:count]])[:count]
        for name in ("intensity", "live", "clean", "form_factor", "sro")
    }
    return Batch(**joined)
