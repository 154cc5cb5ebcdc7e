"""Graph attention (Veličković et al., 2018) on the atoms of particles: one head, and atoms attend to themselves too.

A batch is padded to its largest particle for sums over neighbours only; all that is done atom by atom is done for the
atoms that are there.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsfu.model.problems.particles.learning.batch import ParticleBatch

NEIGHBOURS: float = 1.02
"""Atoms up to this distance, in units of b, are connected, as published."""

_SLOPE = 0.2


class GraphAttention(nn.Module):
    """One layer: each atom gets a mean of what its neighbours are mapped to, weighted by how they match."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.map = nn.Linear(inputs, outputs, bias=False)
        self.sender, self.receiver = nn.Linear(outputs, 1, bias=False), nn.Linear(outputs, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.map.weight)

    def forward(self, atoms: Tensor, there: Tensor, connected: Tensor) -> Tensor:
        """(all atoms, inputs) → (all atoms, outputs), by `graph_of`."""
        mapped: Tensor = self.map(atoms)
        match = functional.leaky_relu(
            _padded(self.receiver(mapped), there) + _padded(self.sender(mapped), there).transpose(1, 2), _SLOPE
        )
        weights = match.masked_fill(~connected, -torch.inf).softmax(dim=2)
        weights = weights.masked_fill(~there[:, :, None], 0.0)  # atoms that are not there have no neighbours at all
        if atoms.shape[1] < mapped.shape[1]:  # the mean of what is mapped is the map of the mean, which is narrower
            mapped = self.map((weights @ _padded(atoms, there))[there])
        else:
            mapped = (weights @ _padded(mapped, there))[there]
        return mapped + self.bias


def _padded(values: Tensor, there: Tensor) -> Tensor:
    """(all atoms, …) → (samples, most, …), 0 where there is no atom."""
    out = values.new_zeros((*there.shape, values.shape[-1]))
    out[there] = values
    return out


class AttentionPooling(nn.Module):
    """One vector for a particle: a mean over atoms, weighted by a gate."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.gate, self.value = nn.Linear(width, 1), nn.Linear(width, outputs)

    def forward(self, atoms: Tensor, there: Tensor) -> Tensor:
        """(all atoms, width) → (samples, outputs)."""
        gate = _padded(self.gate(atoms), there)[..., 0].masked_fill(~there, -torch.inf).softmax(dim=1)
        pooled: Tensor = (gate[:, None] @ _padded(self.value(atoms), there))[:, 0]
        return pooled


def graph_of(batch: ParticleBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Positions of all atoms (all atoms, 3), which are there (samples, most), and which are connected."""
    most = int(batch.atoms.max())
    positions = batch.positions[:, :most]
    there = torch.arange(most, device=positions.device) < batch.atoms[:, None]
    distances = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    connected = distances <= NEIGHBOURS * batch.bond_length[:, None, None]
    connected = connected & there[:, None, :]
    connected |= torch.eye(most, dtype=torch.bool, device=positions.device)
    return positions[there], there, connected
