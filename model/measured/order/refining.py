"""α of a file of factors, for the verb and for Python: refined from I_SRO, or as analyse has them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dsfu.errors import InputError
from dsfu.model.measured.order.input import SroInput
from dsfu.model.measured.order.notes import doubts_of
from dsfu.model.measured.order.planes import SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.order.sums import sums_on_plane
from dsfu.model.measured.volume.reading import read_volume_order


def settings_for(given: SroInput, laue: str, wanted: Mapping[str, Any]) -> SroSettings:
    """Settings of a refinement: as wanted, and else as the planes were factorised."""
    own = {"own_scales": given.own_scales, "negative": "clipped" if given.clipped else "forbidden"}
    return SroSettings(symmetry=laue, **{**own, **wanted})


def refinements_of(given: SroInput, settings: SroSettings) -> list[SroRefinement]:
    """That of I_SRO, and the solver's own where there is one; a warning of the factors is the first note of each."""
    found = [refine_sro(given.planes, settings), *_from_solver(given, settings)]
    return [replace(each, notes=(given.warning, *each.notes)) for each in found] if given.warning else found


def recommended(given: SroInput, refinements: Sequence[SroRefinement]) -> int:
    """Which to use: of one plane that of I_SRO, of several the solver's, which knows how I_FF hangs together."""
    return len(refinements) - 1 if len(given.planes) > 1 else 0


def _from_solver(given: SroInput, settings: SroSettings) -> list[SroRefinement]:
    if given.vectors is None or given.alpha is None or given.covariance is None:
        return []
    together = sums_on_plane(given.planes[0], given.vectors) if len(given.planes) == 1 else None
    found = SroRefinement.from_solver(
        given.vectors,
        given.alpha,
        given.covariance,
        cell=given.planes[0].cell,
        symmetry=settings.symmetry,
        together=together,
    )
    return [replace(found, notes=(*found.notes, *doubts_of(found.shells)))]


def order_of_analysis(file: Path, laue: str) -> SroRefinement:
    """The order that analyse refined together with I_FF, which no later fit betters; averaged over a Laue class.

    Raises
    ------
    InputError
        If it was refined in another Laue class.
    """
    found = read_volume_order(file)
    if laue in ("-1", found.symmetry):
        return found
    if found.symmetry != "-1" or any(shell.together_with for shell in found.shells):
        raise InputError(
            f"its α were refined in the Laue class {found.symmetry}, and cannot be averaged over {laue}",
            where=str(file),
            remedy=f"dsfu-model analyse with --laue {laue}",
        )
    vectors = [shell.vector for shell in found.shells]
    averaged = SroRefinement.from_solver(
        vectors, found.values, found.covariance, cell=found.cell, symmetry=laue, notes=found.notes
    )
    return replace(averaged, source=found.source)
