"""What has to be said beside a table of refined parameters: what could not be told apart, what is not to be trusted."""

from collections.abc import Sequence
from typing import Final

from dsfu.model.measured.order.planes import SroSettings
from dsfu.model.measured.order.result import DETERMINED, Shell, SroFit, Vector, as_vector
from dsfu.model.measured.order.series import Determined
from dsfu.model.measured.symmetry.orbits import Orbits

_COSTLY: Final = 0.05
"""Share of χ² owed to the conditions from which they are said to be at odds with the data."""

_POOR_FIT: Final = 0.5
_TOO_GOOD: Final = 1e-3


def companions(orbits: Orbits, known: Determined, number: int) -> tuple[tuple[Vector, float], ...]:
    """The orbits that are refined together with one of the basis, with their factors."""
    return tuple(
        (as_vector(orbits.representatives[other]), float(part))
        for other, part in zip(known.others, known.parts[number], strict=True)
        if part
    )


def notes_on(
    settings: SroSettings, orbits: Orbits, known: Determined, shells: Sequence[Shell], fit: SroFit
) -> tuple[str, ...]:
    """Sentences for people."""
    found = [
        *_what_cannot_be_told_apart(settings, orbits, known),
        *doubts_of(shells),
        *_about_the_conditions(settings, fit),
    ]
    if orbits.left_out:
        found.append(
            f"{orbits.left_out} vectors within the cutoff were left out, as some of their equivalents are beyond it; "
            "a cutoff in Å does not cut shells."
        )
    if fit.r_value > _POOR_FIT:
        found.append(
            f"R = {fit.r_value:.2f}: much of I_SRO is not in the series. Is it noise? Look at the picture first."
        )
    if fit.weighted_r < _TOO_GOOD:
        found.append(
            "I_SRO is such a series itself, all but exactly. The uncertainties say how well the series is known from "
            "its picture, and nothing about the measurement: use those of the solver that made it."
        )
    return tuple(found)


def _what_cannot_be_told_apart(settings: SroSettings, orbits: Orbits, known: Determined) -> list[str]:
    if not len(known.others):
        return []
    sums = int((~known.alone[1:]).sum())
    found = [
        f"{len(orbits)} shells have only {len(known.basis)} different cosines on these planes: "
        f"{sums} of the values are sums over shells that cannot be told apart."
    ]
    unseen = known.others[~known.parts.any(axis=0)]
    if len(unseen):
        names = ", ".join(f"({' '.join(map(str, orbits.representatives[i]))})" for i in unseen)
        found.append(f"These planes do not depend on α of {len(unseen)} shells: {names}.")
    if not known.alone[0]:
        with_origin = [f"({' '.join(map(str, vector))})" for vector, _ in companions(orbits, known, 0)]
        listed = ", ".join(with_origin[:3]) + (", …" if len(with_origin) > 3 else "")
        found.append(
            f"The origin cannot be told from {listed}, so the scale is not fixed by α_0 = 1: all values are relative "
            "to the sum at the origin."
        )
    if not settings.no_order_along:
        found.append("More planes, of other layers, separate them; so does --no-order-along, if that is so.")
    return found


def doubts_of(shells: Sequence[Shell]) -> list[str]:
    """What is not determined, and what no crystal can have."""
    found = []
    bad = [shell for shell in shells if not shell.determined]
    if bad:
        found.append(
            f"{len(bad)} of {len(shells)} parameters are not determined by these data (s.u. above {DETERMINED}) and "
            f"not given: {_listed(bad)}. Use a shorter cutoff, a higher symmetry or more planes."
        )
    impossible = [shell for shell in shells if not shell.possible]
    if impossible:
        found.append(
            f"{len(impossible)} of {len(shells)} parameters are beyond ±1, which no crystal can have: "
            f"{_listed(impossible)}. The scale or the model is wrong; do not use them."
        )
    return found


def _listed(shells: Sequence[Shell]) -> str:
    return ", ".join(f"({' '.join(map(str, shell.vector))})" for shell in shells)


def _about_the_conditions(settings: SroSettings, fit: SroFit) -> list[str]:
    if fit.cost_of_conditions <= _COSTLY:
        return []
    return [
        f"{100 * fit.cost_of_conditions:.0f} % of χ² is owed to keeping I_SRO from being negative"
        f"{', and α feasible' if settings.fraction_a is not None else ''}. If order goes on beyond the cutoff, that "
        "biases α: use a longer cutoff, or --no-positivity."
    ]
