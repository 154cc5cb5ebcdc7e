"""The toy problem behind the model's contract: from a sine of some points to its amplitude and phase."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dsfu.model.problem import Labels, Learner, RecipeEntry
from dsfu.model.training.recipes import Recipe, adam
from dsfu.panels import Curve
from dsfu.settings.section import Section

MOST_POINTS = 48


class SineData(Section):
    """Standard deviation of the noise that is added to a curve."""

    noise: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class SineBatch:
    """Curves (samples, 48), how many of their points there are, and A cos φ, A sin φ: (samples, 2)."""

    curve: Tensor
    points: Tensor
    truth: Tensor

    def __len__(self) -> int:
        return len(self.curve)

    def to(self, device: Any) -> "SineBatch":
        return SineBatch(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})


class SineNetwork(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(MOST_POINTS + 1, width), nn.SiLU(), nn.Linear(width, 2))

    def forward(self, curve: Tensor, points: Tensor) -> Tensor:
        answer: Tensor = self.layers(torch.cat([curve, points[:, None] / MOST_POINTS], 1))
        return answer


class SineRecipe(Recipe[SineBatch]):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.optimisers["network"] = adam(self.network.parameters(), self.config, self.engine.device)

    def training_step(self, batch: SineBatch) -> dict[str, Tensor]:
        loss = (self.network(batch.curve, batch.points) - batch.truth).square().mean()
        self.engine.update(loss, self.optimisers["network"])
        return {"loss": loss.detach()}

    @staticmethod
    def answer(network: nn.Module, batch: SineBatch) -> Tensor:
        answer: Tensor = network(batch.curve, batch.points)
        return answer


class SineLearner(Learner[SineBatch]):
    name, noun, nouns, data = "sines", "sine", "sines", SineData
    recipes = {  # noqa: RUF012
        "mlp": RecipeEntry(
            recipe="dsfu_sines.learner:SineRecipe",
            network="dsfu_sines.learner:SineNetwork",
            defaults={"limits": {"epochs": 2}, "optimiser": {"learning_rate": 3e-3, "warm_up_steps": 0}},
        )
    }

    def batch(self, split: Any, indices: Any, data: SineData, device: Any) -> SineBatch:
        curve = split.rows("curve", indices)
        curve = curve + data.noise * np.random.default_rng([*indices]).normal(size=curve.shape)
        amplitude, phase, points = (split.column(name)[list(indices)] for name in ("amplitude", "phase", "points"))
        arrays = (curve, points, np.stack([amplitude * np.cos(phase), amplitude * np.sin(phase)], 1))
        on_device = (torch.tensor(each, dtype=torch.float32, device=device) for each in arrays)
        return SineBatch(**dict(zip(("curve", "points", "truth"), on_device, strict=True)))

    def scores(self, answer: Tensor, batch: SineBatch) -> dict[str, Tensor]:
        amplitude = (answer.norm(dim=1) - batch.truth.norm(dim=1)).abs()
        return {"score": (answer - batch.truth).norm(dim=1), "amplitude": amplitude}

    def labels(self, split: Any, indices: Any) -> dict[str, Labels]:
        few = split.column("points")[indices] < MOST_POINTS // 2
        return {"number of points": Labels(values=np.where(few, "few", "many"), order=("few", "many"))}

    def panels(self, answer: Tensor, batch: SineBatch) -> list[list[Curve]]:
        x = np.linspace(0, 2 * np.pi, 100)
        rows = []
        for ours, truth in zip(answer.cpu().numpy(), batch.truth.cpu().numpy(), strict=True):
            lines = {
                name: each[0] * np.sin(x) + each[1] * np.cos(x) for name, each in (("ours", ours), ("true", truth))
            }
            rows.append([Curve(title="sine", x=x, lines=lines, x_label="x (radian)")])
        return rows


LEARNER = SineLearner()
