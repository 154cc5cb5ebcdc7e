"""The toy problem behind the model's contract: from a sine of some points to its amplitude and phase."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from dsfu.model.problem import Labels, Learner, RecipeEntry
from dsfu.model.training.recipes import Recipe, adam
from dsfu.panels import Curve
from dsfu.settings.section import Section
from dsfu_sines.physics import MOST_POINTS


class SineData(Section):
    noise: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class SineBatch:
    """Curves (samples, 48), how many of their points there are, and A cos φ, A sin φ: (samples, 2)."""

    curve: Tensor
    points: Tensor
    truth: Tensor

    def __len__(self):
        return len(self.curve)

    def to(self, device):
        return SineBatch(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})


class SineNetwork(nn.Module):
    def __init__(self, width: int = 32):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(MOST_POINTS + 1, width), nn.SiLU(), nn.Linear(width, 2))

    def forward(self, curve, points):
        return self.layers(torch.cat([curve, points[:, None] / MOST_POINTS], 1))


class SineRecipe(Recipe[SineBatch]):
    def __init__(self, *given):
        super().__init__(*given)
        self.optimisers["network"] = adam(self.network.parameters(), self.config, self.engine.device)

    def training_step(self, batch):
        loss = (self.network(batch.curve, batch.points) - batch.truth).square().mean()
        self.engine.update(loss, self.optimisers["network"])
        return {"loss": loss.detach()}

    @staticmethod
    def answer(network, batch):
        return network(batch.curve, batch.points)


class SineLearner(Learner[SineBatch]):
    name, noun, nouns, data = "sines", "sine", "sines", SineData
    defaults = {"limits": {"epochs": 2}, "optimiser": {"learning_rate": 3e-3, "warm_up_steps": 0}}  # noqa: RUF012
    places = {"recipe": f"{__name__}:SineRecipe", "network": f"{__name__}:SineNetwork"}  # noqa: RUF012
    recipes = {"mlp": RecipeEntry(**places, defaults=defaults)}  # noqa: RUF012

    def batch(self, split, indices, data, device):
        curve = split.rows("curve", indices)
        curve = curve + data.noise * np.random.default_rng([*indices]).normal(size=curve.shape)
        amplitude, phase, points = (split.column(name)[list(indices)] for name in ("amplitude", "phase", "points"))
        truth = np.stack([amplitude * np.cos(phase), amplitude * np.sin(phase)], 1)
        arrays = {"curve": curve, "points": points, "truth": truth}
        return SineBatch(**{name: torch.tensor(x, dtype=torch.float32, device=device) for name, x in arrays.items()})

    def scores(self, answer, batch):
        amplitude = (answer.norm(dim=1) - batch.truth.norm(dim=1)).abs()
        return {"score": (answer - batch.truth).norm(dim=1), "amplitude": amplitude}

    def labels(self, split, indices):
        few = split.column("points")[indices] < MOST_POINTS // 2
        return {"number of points": Labels(values=np.where(few, "few", "many"), order=("few", "many"))}

    def panels(self, answer, batch):
        x, pairs = np.linspace(0, 2 * np.pi, 100), zip(answer.cpu().numpy(), batch.truth.cpu().numpy(), strict=True)
        named = ({"ours": ours, "true": truth} for ours, truth in pairs)
        lines = ({name: a * np.sin(x) + b * np.cos(x) for name, (a, b) in each.items()} for each in named)
        return [[Curve(title="sine", x=x, lines=each, x_label="x (radian)")] for each in lines]


LEARNER = SineLearner()
