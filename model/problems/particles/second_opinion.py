"""What the network that ships reads from the same data: shown beside the answer, and not used for it.

It runs in numpy, since importing torch takes longer than solving. See `networks.reader` for the network.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from safetensors.numpy import load_file

from dsfu.model.problems.particles.fit_space import FitSpace, slow_waves
from dsfu.model.problems.particles.learning.families import CENTRES, FAMILIES, NONE, Q_SLOW, QUANTITIES, SCALES
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from dsfu.model.problems.particles.solving import Candidate

READER_FILE: Final = Path(__file__).with_name("reader.safetensors")
_R: Final[FloatArray] = np.asarray(2.0 + 0.05 * np.arange(560), np.float64)
_SURE: Final = 0.6
"""Chance of a family below which the network does not contradict another. Chosen."""

_WORDS: Final = {"atoms": "atoms", "bond_length": "b in Å", "b_iso": "B in Å²"}
_LATTICES: Final = {"Octahedron": "FCC"}


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """Chances of the families, and the middle and the ends of 90 % intervals of atoms, b and B."""

    chances: dict[str, float]
    atoms: tuple[float, float, float]
    bond_length: tuple[float, float, float]
    b_iso: tuple[float, float, float]

    @property
    def family(self) -> str:
        """The likeliest; "none" for what is no particle of a metal."""
        return max(self.chances, key=lambda each: self.chances[each])

    def words(self) -> str:
        """In one line."""
        low, middle, high = self.atoms
        b_low, b, b_high = self.bond_length
        return (
            f"{self.family} ({self.chances[self.family]:.0%}), {middle:.0f} atoms ({low:.0f} to {high:.0f}), "
            f"b {b:.3f} Å ({b_low:.3f} to {b_high:.3f})"
        )

    def against(self, best: "Candidate") -> list[str]:
        """Where it disagrees with a candidate: the lattice, or numbers outside of its intervals."""
        found = []
        ours, theirs = (_LATTICES.get(each, each) for each in (best.family, self.family))
        if ours != theirs and self.chances[self.family] >= _SURE:
            found.append(f"family: {self.family} for {best.family}")
        values = {"atoms": best.atoms, "bond_length": best.refined.bond}
        for name, value in values.items():
            low, _, high = getattr(self, name)
            if not low <= value <= high:
                found.append(f"{_WORDS[name]}: {low:.4g} to {high:.4g} for {value:.4g}")
        return found


def second_opinion(space: FitSpace) -> SecondOpinion | None:
    """The network's answer to the data of a fit, or None if they do not reach from 2 to 30 Å."""
    if space.r[0] > _R[0] + 0.02 or space.r[-1] < _R[-1] - 0.02:
        return None
    curve = space.data.astype(np.float64) @ space.basis  # without what no particle has: most of the noise
    chances, middle, half = _read(np.interp(_R, space.r, curve))
    ends = np.exp(np.stack([middle - half, middle, middle + half]))
    numbers = {
        name: (float(low), float(mid), float(high)) for name, (low, mid, high) in zip(QUANTITIES, ends.T, strict=True)
    }
    shares = {name: float(each) for name, each in zip((*FAMILIES, NONE), chances, strict=True)}
    return SecondOpinion(chances=shares, **numbers)


@cache
def _weights() -> dict[str, FloatArray]:
    return {name: value.astype(np.float64) for name, value in load_file(READER_FILE).items()}


def _read(pdf: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chances, and of the logarithms of `QUANTITIES` the means and half the width of 90 % intervals."""
    weights = _weights()

    def linear(name: str, x: FloatArray) -> FloatArray:
        return np.asarray(weights[f"{name}.weight"] @ x + weights[f"{name}.bias"])

    def normed(name: str, x: FloatArray) -> FloatArray:
        return np.asarray(
            (x - x.mean()) / np.sqrt(x.var() + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        )

    slow = slow_waves(_R, Q_SLOW)
    # What waves slower than Q_SLOW can make is background, and is left out.
    less = pdf - slow.T @ (slow @ pdf)
    hidden = _silu(linear("first", less / max(float(np.sqrt((less**2).mean())), 1e-9)))
    for block in sorted({name.split(".")[1] for name in weights if name.startswith("blocks.")}):
        inside = _silu(linear(f"blocks.{block}.1", normed(f"blocks.{block}.0", hidden)))
        hidden = hidden + linear(f"blocks.{block}.3", inside)
    logits = linear("family.1", normed("family.0", hidden))
    mean, width = np.split(linear("numbers.1", normed("numbers.0", hidden)), 2)
    chances = np.exp(logits - logits.max())
    half = weights["reach"] * np.exp(np.clip(width, -7, 3)) * SCALES
    return chances / chances.sum(), CENTRES + np.asarray(SCALES) * mean, half


def _silu(x: FloatArray) -> FloatArray:
    return np.asarray(x / (1 + np.exp(-x)))
