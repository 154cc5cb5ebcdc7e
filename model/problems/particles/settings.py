"""What the user may say of a measured G(r), and the limits of r, Q and b that follow from it and from the file."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.particles.fit_space import FitLimits
from dsfu.model.problems.particles.formula import expected_bond
from dsfu.model.problems.particles.matching import BOND_RANGE
from dsfu.model.problems.particles.q_limits import visible_q_max
from dsfu.model.problems.particles.reading import MeasuredPdf

R_MIN: Final = 2.0
"""In Å: below the shortest bond of a metal by more than its peak's half width; as in the published fits."""

R_MAX: Final = 30.0
Q_DAMPS: Final = (0.0, 0.025, 0.05)
"""In 1/Å: what instruments have. Tried when neither file nor user says; the spacing changes G by 4 % at 20 Å."""

_NEAR_B: Final = (0.95, 1.05)


@dataclass(frozen=True, kw_only=True)
class SolveSettings:
    """What the user may say; None: from the file, or found."""

    q_max: float | None = None
    q_min: float | None = None
    q_damp: float | None = None
    r_min: float = R_MIN
    r_max: float | None = None
    bond_length: float | None = None


UNTOLD: Final = SolveSettings()


def bonds_of(measured: MeasuredPdf, settings: SolveSettings) -> tuple[float, float]:
    """In Å: where b is sought. Lead, and the like, are beyond the usual range, and sought where the formula says it."""
    if settings.bond_length:
        return settings.bond_length * _NEAR_B[0], settings.bond_length * _NEAR_B[1]
    named = expected_bond(measured.composition, "FCC") or BOND_RANGE[0] / _NEAR_B[0]
    return min(BOND_RANGE[0], named * _NEAR_B[0]), max(BOND_RANGE[1], named * _NEAR_B[1])


def limits_of(measured: MeasuredPdf, settings: SolveSettings, notes: list[str]) -> FitLimits:
    """Of the fit; notes say what was neither in the file nor given."""
    q_max = settings.q_max or measured.q_max
    if not q_max:
        q_max = visible_q_max(measured.r, measured.g)
        if not q_max:
            raise InputError(
                "Q_max is neither in the file nor to be seen in the data",
                expected="a line such as 'qmax = 25.0' among the first ones",
                remedy="give it with --qmax",
            )
        notes.append(f"Q_max is not in the file; the transform of G ends at {q_max:.1f} Å⁻¹, which was taken")
    if not 6 <= q_max <= 60:
        raise InputError(f"Q_max = {q_max:g}", expected="6 to 60 in Å⁻¹", remedy="is it in nm⁻¹? give it with --qmax")
    nyquist = np.pi / float(np.median(np.diff(measured.r)))
    r_max = min(settings.r_max or R_MAX, float(measured.r[-1]))
    if r_max - settings.r_min < 6:
        raise InputError(
            f"G from r = {settings.r_min:g} to {r_max:g} Å is too short",
            expected="6 Å or more to fit",
            remedy="--rmin, --rmax",
        )
    q_damp = settings.q_damp if settings.q_damp is not None else measured.q_damp
    return FitLimits(
        r_min=max(settings.r_min, float(measured.r[0])),
        r_max=r_max,
        q_min=settings.q_min if settings.q_min is not None else min(measured.q_min or 0.0, 2.0),
        q_max=min(q_max, nyquist),
        q_damp=Q_DAMPS[1] if q_damp is None else q_damp,
    )
