"""What a run leaves behind beside checkpoints: weights with their card, and pictures."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn

from dsfu.model.networks.build import options_of
from dsfu.model.problem import Learner
from dsfu.model.training.config import Config
from dsfu.model.training.recipes import Recipe, asked
from dsfu.model.training.schedule import Progress
from dsfu.model.training.validation import Validation
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import OF_A_RUN, save_weights
from dsfu.panels import Panel
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
    learner: Learner[Any]
    data: Mapping[str, Any]

    def write_weights(
        self, network: nn.Module, progress: Progress, errors: Mapping[str, float], *, is_best: bool
    ) -> None:
        card = self.card(progress, errors)
        best, last = OF_A_RUN
        save_weights(self.run / last, network, card)
        if is_best:
            save_weights(self.run / best, network, card)

    def card(self, progress: Progress, errors: Mapping[str, float]) -> Card:
        return Card(
            problem=self.learner.name,
            recipe=self.config.recipe,
            network=options_of(self.config.recipe, self.config.network, self.learner),
            more=self.learner.card(self.config.data),
            data={**self.data, "settings": self.config.data.model_dump()},
            metrics=dict(errors),
            versions={"python": platform.python_version(), **{name: version(name) for name in ("dsfu", "torch")}},
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            steps=progress.step,
            samples=progress.samples,
            hours=round(progress.seconds / 3600, 4),
        )

    def draw(self, recipe: Recipe[Any], validation: Validation[Any], progress: Progress) -> Float32Array | None:
        """Draw some samples of the validation as RUN/pictures/step-….png, if pictures are wanted."""
        from dsfu.model.training.pictures import draw_panels

        rows: list[Sequence[Panel]] = []
        wanted = self.config.watching.pictures
        for batch in validation.batches:
            if len(rows) >= wanted:
                break
            moved = batch.to(recipe.engine.device)
            rows += self.learner.panels(asked(recipe.answer, recipe.result, moved), moved)
        rows = [row for row in rows[:wanted] if row]
        if not rows:
            return None
        path = self.run / "pictures" / f"step-{progress.step:07d}.png"
        return draw_panels(rows, path, f"step {progress.step}, epoch {progress.epoch}")
