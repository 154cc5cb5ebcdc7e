"""A small network that reads family, size, bond length and B from G(r), each with how sure it is."""

import torch
from torch import Tensor, nn

from dsfu.model.problems.particles.fit_space import slow_waves
from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.learning.families import CENTRES, Q_SLOW, QUANTITIES, SCALES


class Reader(nn.Module):
    """Linear layers on G(r) less its slow waves, over its root mean square.

    Parameters
    ----------
    r_min, r_step, points
        The r on which G is given, in Å.
    width, blocks
        Of the layers, and how many pairs of them there are.
    """

    slow: Tensor
    reach: Tensor
    centres: Tensor
    scales: Tensor

    def __init__(
        self, r_min: float = 2.0, r_step: float = 0.05, points: int = 560, width: int = 512, blocks: int = 3
    ) -> None:
        super().__init__()
        slow = slow_waves((r_min + r_step * torch.arange(points, dtype=torch.float64)).numpy(), Q_SLOW)
        self.register_buffer("slow", torch.tensor(slow, dtype=torch.float32), persistent=False)
        self.first = nn.Linear(points, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.family = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(FAMILIES)))
        self.numbers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * len(QUANTITIES)))
        # Half the width of a 90 % interval over the predicted deviation: 1.64 for a normal distribution. Followed while
        # training on samples that were not seen before.
        self.register_buffer("reach", torch.full((len(QUANTITIES),), 1.645))
        self.register_buffer("centres", torch.tensor(CENTRES), persistent=False)
        self.register_buffer("scales", torch.tensor(SCALES), persistent=False)

    def forward(self, pdf: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the families, means and ln(standard deviations) of the logarithms of `QUANTITIES`."""
        less = pdf - (pdf @ self.slow.T) @ self.slow
        less = less / less.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-9)
        hidden = torch.nn.functional.silu(self.first(less))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        mean, width = self.numbers(hidden).chunk(2, dim=1)
        return self.family(hidden), self.centres + self.scales * mean, width.clamp(-7, 3) + self.scales.log()


def truth_of(batch: ParticleBatch) -> Tensor:
    """Logarithms of the true `QUANTITIES`, (samples, 3)."""
    return torch.stack([batch.atoms.float(), batch.bond_length, batch.b_iso], dim=1).log()
