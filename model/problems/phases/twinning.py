"""Whether a crystal is a twin whose lattices coincide: by a law fitted with the atoms, and without atoms by the L-test.

A twin of fraction α shows (1 − α) I(h) + α I(hR), R a symmetry of the cell that the structure does not have. With atoms
both terms are calculated, and α is a fit of one number. Without, the local differences of intensities tell: of pairs
with nearly the same 1/d, L = (I₁ − I₂) / (I₁ + I₂), the mean of |L| is ½ where phases are free and 2/π where there is
an inversion centre; of a twin of two equal parts ⅜ and ½ (Padilla & Yeates, Acta Cryst. D59, 1124, 2003). So ½ is that
of either kind, and only less is evidence. Lattices that coincide in part only are not looked for.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.atom_model import AtomModel, structure_factors_of
from dsfu.model.problems.phases.crystal_data import FloatArray, IntArray
from dsfu.model.problems.phases.laue import laws_of_cell
from dsfu.model.problems.phases.merging import MergedData
from dsfu.simulate.phases.atoms import inverse_d_squared

_LEAST_FRACTION: Final = 0.06
_LEAST_GAIN: Final = 0.1
"""A law must take up so much of the crystal and lower R1 by so much of itself; chosen, see BENCHMARKS.md."""

_STEP: Final = 2
"""Indices of a pair differ by this along one axis: by an odd number they may differ by a pseudo-translation, too."""

_FEWEST_PAIRS: Final = 300
_OF_A_SHELL: Final = 60
_SIGNAL: Final = 5.0
"""Mean I over mean σ of a shell that is used, chosen: noise makes |L| larger."""


@dataclass(frozen=True, kw_only=True)
class TwinLaw:
    """A second domain: its indices are h · law, its share is ``fraction``; R1 without and with it."""

    law: tuple[tuple[int, ...], ...]
    fraction: float
    before: float
    after: float

    @property
    def text(self) -> str:
        """The matrix as SHELXL's TWIN has it, row by row."""
        return " ".join(str(each) for row in np.array(self.law).T for each in row)

    @property
    def told(self) -> str:
        """A sentence for the verdict."""
        return (
            f"The crystal is probably a twin: with a second domain of {100 * self.fraction:.0f} % by the law "
            f"{self.text} (TWIN in SHELXL) R1 falls from {self.before:.3f} to {self.after:.3f}; refine it as one."
        )


def twin_law_of(data: MergedData, model: AtomModel) -> TwinLaw | None:
    """The law and fraction that make the atoms explain the intensities much better; None if none does."""
    laws = laws_of_cell(data.cell, data.laue)
    if not laws:
        return None
    own = np.abs(structure_factors_of(model, data.hkl)) ** 2
    fits = [_fitted(data.intensity, own, np.abs(structure_factors_of(model, data.hkl @ law)) ** 2) for law in laws]
    best = int(np.argmin([after for _, _, after in fits]))
    fraction, before, after = fits[best]
    if fraction < _LEAST_FRACTION or after > (1 - _LEAST_GAIN) * before:
        return None
    law = tuple(tuple(int(x) for x in row) for row in laws[best])
    return TwinLaw(law=law, fraction=fraction, before=before, after=after)


def _fitted(intensity: FloatArray, own: FloatArray, other: FloatArray) -> tuple[float, float, float]:
    """Fraction of the second domain, R1 without and with it."""
    observed = np.sqrt(np.maximum(intensity, 0.0))
    fractions = np.linspace(0, 0.5, 51)
    r = np.array([_r1(observed, np.sqrt((1 - a) * own + a * other)) for a in fractions])
    best = int(r.argmin())
    return float(fractions[best]), float(r[0]), float(r[best])


def _r1(observed: FloatArray, calculated: FloatArray) -> float:
    scale = (observed @ calculated) / max(float(calculated @ calculated), 1e-12)
    return float(np.abs(observed - scale * calculated).sum() / max(float(observed.sum()), 1e-12))


def mean_local_difference(data: MergedData) -> float:
    """Mean of |L|; NaN of fewer pairs than are worth a mean."""
    kept = _well_measured(data) & _general(data.hkl, data.laue.rotations)
    hkl, intensity = data.hkl[kept], data.intensity[kept]
    place = {tuple(each): number for number, each in enumerate(hkl.tolist())}
    pairs = [
        (number, place[other])
        for number, (h, k, l) in enumerate(hkl.tolist())  # noqa: E741
        for other in ((h + _STEP, k, l), (h, k + _STEP, l), (h, k, l + _STEP))
        if other in place
    ]
    if len(pairs) < _FEWEST_PAIRS:
        return float("nan")
    first, second = np.maximum(intensity[np.array(pairs)], 0.0).T
    return float((np.abs(first - second) / np.maximum(first + second, 1e-12)).mean())


def _well_measured(data: MergedData) -> npt.NDArray[np.bool_]:
    """Of shells of 1/d² whose mean I is well above σ, all reflections: without the weak ones |L| would be smaller."""
    kept = np.zeros(len(data.hkl), dtype=bool)
    order = np.argsort(inverse_d_squared(data.cell, data.hkl))
    for shell in np.array_split(order, max(1, len(order) // _OF_A_SHELL)):
        kept[shell] = data.intensity[shell].mean() > _SIGNAL * data.intensity_sigma[shell].mean()
    return kept


def _general(hkl: IntArray, rotations: IntArray) -> npt.NDArray[np.bool_]:
    """Reflections that no rotation but ±1 takes to ±h: others have another mean, or only two phases."""
    images = np.einsum("nj,gjk->gnk", hkl, rotations)
    return np.asarray(((images == hkl).all(axis=2) | (images == -hkl).all(axis=2)).sum(axis=0) == 2)
