"""Whether two structures explain an observed I_FF: what is left of it beyond its noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.judgement import Judgement
from dsfu.model.measured.molecules.refine import Refinement

UNEXPLAINED: Final = 0.25
"""Share of I_FF (root mean square, weighted) beyond its noise that right structures do not leave. Chosen between right
pairs (below .1) and pairs of other molecules (above .8) on crystals of tests/benchmarks/crystal_maker.py."""

_WITHOUT_SIGMA: Final = 0.5
"""The same where the noise is not known and counts as unexplained."""

_ALL_NOISE: Final = 0.7
"""Share of noise in I_FF above which nothing can be said."""


@dataclass(frozen=True, kw_only=True)
class MoleculesVerdict:
    """Whether to believe the refined structures.

    Attributes
    ----------
    unexplained
        √(wR² − noise²): the share of I_FF that is neither calculated nor noise.
    noise
        Share of I_FF that is noise; None where no standard uncertainties are known.
    """

    judgement: Judgement
    sentence: str
    unexplained: float
    noise: float | None


def judge_molecules(refinement: Refinement) -> MoleculesVerdict:
    """The verdict on a refinement."""
    model = refinement.model
    wr = refinement.weighted_residual
    known = all(each.sigma is not None for each in model.observations)
    noise = float(np.sqrt(len(model.observed) / (model.weights * model.observed**2).sum())) if known else None
    unexplained = float(np.sqrt(max(wr**2 - (noise or 0.0) ** 2, 0.0)))
    limit = UNEXPLAINED if known else _WITHOUT_SIGMA
    if noise is not None and noise > _ALL_NOISE:
        words = f"Not judged: {100 * noise:.0f} % of I_FF is noise."
        return MoleculesVerdict(judgement="not judged", sentence=words, unexplained=unexplained, noise=noise)
    if unexplained > limit:
        words = (
            f"The data contradict these structures: {100 * unexplained:.0f} % of I_FF is left beyond its noise "
            f"(limit {100 * limit:.0f} %). Other molecules, another site (--site), orientations or torsions?"
        )
        return MoleculesVerdict(judgement="contradicts", sentence=words, unexplained=unexplained, noise=noise)
    words = (
        f"The structures explain I_FF but for {100 * unexplained:.1f} %. That does not prove them: "
        "what scatters little, such as hydrogen, may be wrong and not show."
    )
    return MoleculesVerdict(judgement="agrees", sentence=words, unexplained=unexplained, noise=noise)
