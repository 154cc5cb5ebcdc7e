"""How well a volume tells its background from I_FF, in two numbers that a reader can compare."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.linalg as linalg

if TYPE_CHECKING:
    from dsfu.model.measured.volume.solve import VolumeSolution

CONFUSED: Final = 0.05
"""Relative standard uncertainty of the mean background from which on the result says why it is so large. Chosen."""


@dataclass(frozen=True, kw_only=True)
class BackgroundFound:
    """The mean of a background over |Q|, beyond the first knot of its splines, in the data's unit.

    Attributes
    ----------
    uncertainty
        Standard uncertainty of the mean, I_FF and α marginalised.
    if_form_factor_known
        The same if I_FF were known: what noise alone leaves.
    """

    mean: float
    uncertainty: float
    if_form_factor_known: float

    @property
    def confused(self) -> bool:
        """Whether I_FF, and not noise, decides how well it is known."""
        return self.uncertainty > max(CONFUSED * abs(self.mean), 2 * self.if_form_factor_known)

    def sentence(self) -> str:
        mean, wide, narrow = (f"{each:.3g}" for each in (self.mean, self.uncertainty, self.if_form_factor_known))
        words = f"The background is {mean} in the mean, with a standard uncertainty of {wide}"
        if not self.confused:
            return f"{words}."
        return (
            f"{words}; with I_FF known it would be {narrow}: I_FF can imitate a background, and these data hardly "
            "tell them apart. The uncertainties of α contain it. A measured empty scan, more counts or a larger volume "
            "would tell."
        )


def background_found(solution: "VolumeSolution") -> BackgroundFound | None:
    """The background of a solution; None where none was fitted."""
    fit, gain = solution.fit, solution.voxels.gain
    columns = fit.columns
    if not columns.splines:
        return None
    form_factors, alphas, amplitudes = fit.sizes
    weights = np.zeros(amplitudes)
    weights[: columns.splines] = columns.basis[columns.beyond_first_knot].mean(axis=0)
    # the factor's rows below those of I_FF, times themselves, are the normal matrix of the rest with I_FF held
    rows = np.tril(solution.factor, 0)[form_factors:]
    held = linalg.cho_factor(rows @ rows.T, lower=True)
    direction = np.concatenate([np.zeros(alphas), weights])
    variance = float(direction @ linalg.cho_solve(held, direction)) * max(solution.chi_square, 1.0)
    return BackgroundFound(
        mean=gain * float(weights @ fit.parts()[2]),
        uncertainty=gain * float(np.sqrt(weights @ solution.column_covariance @ weights)),
        if_form_factor_known=gain * float(np.sqrt(variance)),
    )
