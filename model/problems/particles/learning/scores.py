"""How good an answer of each recipe is, and what is shown of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.learning.recipe_cvae import DecodedParticles
from dsfu.model.problems.particles.learning.recipe_reader import Reading
from dsfu.model.problems.particles.networks.reader import truth_of
from dsfu.panels import Curve, Panel, Points


def scores_of(answer: DecodedParticles | Reading, batch: ParticleBatch) -> Mapping[str, Tensor]:
    """Tensors (samples,) by name; ``score`` is made small."""
    return _of_atoms(answer, batch) if isinstance(answer, DecodedParticles) else _of_reading(answer, batch)


def _of_atoms(answer: DecodedParticles, batch: ParticleBatch) -> Mapping[str, Tensor]:
    """Mean |Δ| of a coordinate in Å, atom by atom in the order of the store, both around the centre of these atoms."""
    most = min(batch.positions.shape[1], answer.positions.shape[1])
    there = torch.arange(most, device=batch.atoms.device) < batch.atoms[:, None]
    weight = there[..., None] / there.sum(dim=1)[:, None, None]
    ours, true = (
        each[:, :most] - (each[:, :most] * weight).sum(dim=1, keepdim=True)
        for each in (answer.positions, batch.positions)
    )
    error = ((ours - true).abs() * weight).sum(dim=1).mean(dim=1)
    found = answer.there.sum(dim=1)
    return {
        "score": error,
        "atoms_off": (found - batch.atoms).abs() / batch.atoms,
        "atoms_exact": (found == batch.atoms).float(),
    }


def _of_reading(answer: Reading, batch: ParticleBatch) -> Mapping[str, Tensor]:
    known = batch.family < len(FAMILIES) - 1
    right = answer.chances.argmax(dim=1) == batch.family
    truth = truth_of(batch)
    error = (answer.mean - truth).abs()
    inside = ((answer.low <= truth) & (truth <= answer.high)).float()

    def of_known(values: Tensor) -> Tensor:  # numbers of strangers mean nothing
        return torch.where(known, values, 0.0)

    return {
        "score": -answer.chances.gather(1, batch.family[:, None])[:, 0].clamp_min(1e-9).log() + of_known(error[:, 0]),
        "family_right": right.float(),
        "atoms_off": of_known(error[:, 0].expm1()),
        "bond_length_off": of_known(error[:, 1].expm1() * batch.bond_length),
        "b_iso_off": of_known(error[:, 2].expm1() * batch.b_iso),
        "atoms_inside": inside[:, 0],
        "bond_length_inside": inside[:, 1],
        "b_iso_inside": inside[:, 2],
    }


def panels_of(answer: DecodedParticles | Reading, batch: ParticleBatch) -> Sequence[Sequence[Panel]]:
    """G(r), and atoms or chances."""
    return [_panels(answer, batch, number) for number in range(len(batch))]


def _panels(answer: DecodedParticles | Reading, batch: ParticleBatch, number: int) -> Sequence[Panel]:
    pdf = batch.pdf[number].cpu().double().numpy()
    curve = Curve(title="G(r)", x=np.arange(len(pdf), dtype=np.float64), lines={"G": pdf}, x_label="point")
    atoms = batch.positions[number, : int(batch.atoms[number])].cpu().double().numpy()
    if isinstance(answer, DecodedParticles):
        ours = answer.positions[number][answer.there[number]].cpu().double().numpy()
        points = {"true": atoms - atoms.mean(axis=0), "ours": ours - ours.mean(axis=0) if len(ours) else ours}
        return [curve, Points(title="atoms", points=points, unit="Å")]
    chances = answer.chances[number].cpu().double().numpy()
    places = np.arange(len(chances), dtype=np.float64)
    bars = Curve(title="chances of " + ", ".join(FAMILIES), x=places, lines={"chance": chances}, x_label="family")
    return [curve, bars]
