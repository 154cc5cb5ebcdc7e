"""The combination of α that the data know much worse than all others, if there is one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.linalg as linalg

from dsfu.simulate.arrays import FloatArray

_STANDS_OUT: Final = 3.0
"""Standard uncertainty of the worst combination over that of the next: below, none is worth a name. Chosen."""

_WORTH: Final = 0.005
"""Standard uncertainty below which no α suffers from it."""

_SHARE: Final = 0.5
"""Of all variances together, in it alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftCombination:
    """A sum of α, with coefficients whose squares add up to one.

    Attributes
    ----------
    uncertainty
        Standard uncertainty of the sum.
    others
        Root mean square of the standard uncertainties that are left if the sum is held.
    """

    coefficients: FloatArray
    uncertainty: float
    others: float

    def text(self, names: list[str]) -> str:
        """The sum, its largest terms first."""
        largest = np.argsort(-np.abs(self.coefficients), kind="stable")[:4]
        terms = " ".join(f"{self.coefficients[i]:+.2f} α({names[i]})" for i in largest)
        return (
            f"One combination is known much worse than all others, {terms} and smaller terms: standard uncertainty "
            f"{self.uncertainty:.2g}. It is in the uncertainties of all α above; were it known, they would be "
            f"{self.others:.1g} (root mean square)."
        )


def soft_combination(covariance: FloatArray) -> SoftCombination | None:
    """The worst known combination, if it stands out."""
    if len(covariance) < 3:
        return None
    variances, axes = linalg.eigh(covariance)
    if variances[-1] < max(_WORTH**2, _SHARE * variances.sum()) or variances[-1] < _STANDS_OUT**2 * variances[-2]:
        return None
    worst = axes[:, -1] * np.sign(axes[np.abs(axes[:, -1]).argmax(), -1])
    rest = covariance - variances[-1] * np.outer(worst, worst)
    return SoftCombination(
        coefficients=worst,
        uncertainty=float(np.sqrt(variances[-1])),
        others=float(np.sqrt(max(np.diag(rest).mean(), 0.0))),
    )
