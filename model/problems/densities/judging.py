"""How far the first candidate may be trusted: it explains the pattern, and nothing else does nearly as well."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

import gemmi
import numpy as np

from dsfu.model.problems.densities.fitting import B_LIMITS, Fit
from dsfu.simulate.densities.structure_types import StructureType, from_crystal, operations
from dsfu.simulate.densities.substitutions import SHORTEST, shortest_distance

GOOD: Final = 0.20
"""R without noise up to which a fit explains a pattern, of background-subtracted counts. Chosen: of 18 simulated
patterns whose type was not in the pool one fitted another type with .22, one its own subgroup with .09."""

LEAD: Final = 0.85
"""The first candidate must have an R at most this times that of the next other type. Chosen, not calibrated."""

LEAD_ON_SIMPLER: Final = 0.6
"""The same for rivals with fewer parameters in a cell of the same size: what moves more always fits better. Chosen:
LuOF, which is tetragonal, fits in an orthorhombic supercell with .7 of the R."""

EXPLAINED: Final = 0.25
"""R without noise up to which a simpler structure may come before one that fits better. Chosen with LuOF in view."""

AS_GOOD: Final = 1.05
"""Times what the first leaves beyond the noise up to which the same structure in a smaller cell comes before it: lines
of the larger cell that would tell are not there. Chosen with barium titanate in view."""

NEARLY: Final = 0.15
"""Å by which atoms may be away from a higher symmetry that is tried, too. Chosen."""

DISTORTED: Final = 0.4
"""Å by which atoms of a rival may be away from the first candidate's symmetry to be the same, distorted: overlapping
lines hold such shifts badly, so that it always fits as well. Chosen."""

RAISED: Final = 0.5
"""Å by which atoms may be away from a symmetry that is tried: light atoms beside heavy ones run far in a fit. Chosen;
the fit that follows decides, not the distance."""

LEAD_ON_VARIANT: Final = 0.6
"""What R (without noise) must be, at most, beside that of the same structure in higher symmetry. Chosen."""

ALIKE: Final = 0.12
"""Relative difference of atomic numbers below which two elements scatter alike: copper and iron, oxygen and fluorine.
Chosen."""

_HYDROGEN: Final = 1

_DISPLACEMENTS: Final = (B_LIMITS[0] + 0.05, B_LIMITS[1] - 0.1)
"""Å²; beyond these a displacement parameter has run to its limit."""

_PER_PARAMETER: Final = 0.02
"""A parameter more must lower what is left by this share: lower symmetry always fits a little better. Chosen."""

_FITTED_NOISE: Final = 16.0
"""By how much a parameter more must lower the weighted squares: four standard deviations of noise. Chosen."""

_AT_THE_NOISE: Final = 1.1
"""Times the noise up to which the weighted squares are noise alone: it is known to a few per cent. Chosen."""

_HIDDEN: Final = 2.0
"""Standard deviations of the squares of noise up to which something else may hide in them. Chosen, with a rutile and
3 % of another phase in view, which were called solved as its orthorhombic distortion."""

_ASKED_FOR: Final = 2.0
"""Weighted squares that each parameter of a displacement must take away for the pattern to ask for it (Akaike 1974)."""

_SAME_SIZE: Final = 0.02
"""Relative difference of volumes per atom up to which two cells are of one size."""


def rank(found: Fit, noise: float = np.inf) -> float:
    """What is left beyond the noise, raised for each parameter: by a share, as models are wrong, and for fitted noise.

    ``noise``: weighted squares that another fit left, where that is less.
    """
    squares, parameters = found.agreement, found.parameters
    beyond = max(squares.left - min(squares.noise, noise), 0.0)
    raised = beyond * (1 + _PER_PARAMETER * parameters) ** 2
    return float(np.sqrt((raised + _FITTED_NOISE * parameters) / squares.whole))


def fits_as_well(simpler: Fit, other: Fit, times: float) -> bool:
    """Whether one fit ranks at most so many times another."""
    noise = min(simpler.agreement.left, other.agreement.left)
    return rank(simpler, noise) < times * rank(other, noise)


def is_out(rival: Fit, best: Fit) -> bool:
    """Whether noise alone decides against a rival: the best leaves nothing else, and the rival far more.

    More than what may hide in the noise's own uncertainty, too: lines of an impurity, widths that differ by direction.
    """
    squares, parameters = best.agreement, max(best.parameters - rival.parameters, 1)
    more = max(_FITTED_NOISE * parameters, _HIDDEN * squares.spread)
    return squares.left < _AT_THE_NOISE * squares.noise and rival.agreement.left > squares.left + more


def ordered(fits: Sequence[Fit]) -> list[Fit]:
    """By rank; but first one of higher symmetry that explains the pattern as well as can be told.

    What is wrong with every model of a measured pattern, a structure with more parameters takes up. It has to fit
    much better to be believed.
    """
    noise = min((each.agreement.left for each in fits), default=0.0)
    ranked = sorted(fits, key=lambda each: rank(each, noise))
    for each in ranked[1:]:
        best = ranked[0]
        if each.excess > EXPLAINED or best.excess < LEAD_ON_SIMPLER * each.excess or is_out(each, best):
            continue
        if is_simpler(each.kind, best.kind):
            ranked.remove(each)
            ranked.insert(0, each)
    return _smallest_first(ranked)


def _smallest_first(ranked: list[Fit]) -> list[Fit]:
    """Of one structure in several slight distortions that fit alike, the one with the fewest atoms comes first."""
    best = ranked[0]
    alike = [each for each in ranked[1:] if each.excess < min(EXPLAINED, AS_GOOD * best.excess)]
    # Lines of the larger cell that are there take squares away without a parameter more.
    alike = [
        each
        for each in alike
        if each.parameters < best.parameters or each.agreement.left < best.agreement.left + _ASKED_FOR
    ]
    alike = [each for each in alike if independent_volume(each.kind) < 1.1 * independent_volume(best.kind)]
    alike = [each for each in alike if _primitive_atoms(each.kind) < _primitive_atoms(ranked[0].kind)]
    alike = [each for each in alike if identity(each.kind, DISTORTED) == identity(ranked[0].kind, DISTORTED)]
    if not alike:
        return ranked
    first = min(alike, key=lambda each: _primitive_atoms(each.kind))
    return [first, *(each for each in ranked if each is not first)]


def _primitive_atoms(kind: StructureType) -> int:
    """Atoms in the smallest cell of the lattice."""
    return kind.atoms // len(gemmi.symops_from_hall(kind.hall).cen_ops)


def judge(ranked: Sequence[Fit], complete: bool = True) -> tuple[str, str]:
    """A word and a sentence: solved, uncertain or not explained. ``complete``: the search was not cut short."""
    if not ranked and not complete:
        return "uncertain", "time was up before a type with lines where the pattern has peaks was found"
    if not ranked:
        return "not explained", "no candidate has lines where the pattern has peaks"
    best = ranked[0]
    told = f"R = {best.r:.2f} ({best.excess:.2f} without noise)"
    if best.excess > 3 * GOOD:
        return "not explained", f"the best candidate leaves {told}; its type is probably not in the pool"
    if best.excess > GOOD:
        return "uncertain", f"{told}; a pattern that is explained has {GOOD:.2f} at most"
    doubt = _of_the_structure(ranked) or _of_the_centre(ranked)
    if doubt:
        return "uncertain", f"{told}, but {doubt}"
    own = identity(best.kind)
    for each in ranked[1:]:
        if own in (identity(each.kind), identity(each.kind, DISTORTED)) or is_out(each, best):
            continue
        more = each.parameters > best.parameters
        if more and is_simpler(best.kind, each.kind) and each.excess > LEAD * best.excess:
            continue  # more parameters in a cell of the same size, and hardly a better fit
        simpler = is_simpler(each.kind, best.kind)
        if best.excess > (LEAD_ON_SIMPLER if simpler else LEAD) * each.excess:
            what = "of higher symmetry in a cell of the same size" if simpler else "of another type"
            return "uncertain", f"{told}, and a candidate {what} fits nearly as well ({each.excess:.2f})"
    if not complete:
        return "uncertain", f"{told}, but time was up before all types had been tried"
    return "solved", f"{told}, and no other type of the pool comes near{_of_distortions(ranked)}"


def _of_the_structure(ranked: Sequence[Fit]) -> str:
    """What is odd about the first candidate itself; nothing where nothing is."""
    best = ranked[0]
    if shortest_distance(best.kind.crystal()) < SHORTEST:
        return "two of its atoms are closer than their covalent radii allow"
    if not _DISPLACEMENTS[0] < best.b_iso < _DISPLACEMENTS[1]:
        return f"its displacement parameter ran to {best.b_iso:.1f} Å²"
    alike = _ordered_alike(best.kind)
    if alike:
        return f"{alike} scatter alike, and with one of them on the sites of both its symmetry would be higher"
    bare = _without_hydrogen(best.kind)
    if bare is not None:
        return f"without hydrogen, of which X-rays see little, its symmetry would be {_group(bare)}"
    for each in ranked[1:]:
        if each.excess > best.excess / LEAD_ON_VARIANT or is_out(each, best):
            continue
        if is_simpler(each.kind, best.kind) and _alike(each, best):
            return (
                f"the same structure in the higher symmetry {_group(each.kind)} fits nearly as well ({each.excess:.2f})"
            )
    return ""


def _of_the_centre(ranked: Sequence[Fit]) -> str:
    """Words on the first candidate without its centre of symmetry, where the pattern asks for that a little."""
    best = ranked[0]
    for each in ranked[1:]:
        gain = best.agreement.left - each.agreement.left
        if _loses_centre(each.kind, best.kind) and gain > _ASKED_FOR * (each.parameters - best.parameters):
            return f"without a centre of symmetry, in {_group(each.kind)}, it fits a little better"
    return ""


def _loses_centre(kind: StructureType, centric: StructureType) -> bool:
    """Whether a type is another without centre, in the same cell and with fewer operations, however far atoms moved."""
    lengths = np.sort(kind.cell[:3]) / np.sort(centric.cell[:3])
    fewer = len(operations(kind.hall)[0]) < len(operations(centric.hall)[0])
    same = kind.atoms == centric.atoms and bool(np.abs(lengths - 1).max() < _SAME_SIZE)
    return same and fewer and _is_centric(centric) and not _is_centric(kind)


def _is_centric(kind: StructureType) -> bool:
    return bool(gemmi.symops_from_hall(kind.hall).is_centrosymmetric())


def _group(kind: StructureType) -> str:
    return str(gemmi.find_spacegroup_by_number(kind.number).hm).replace(" ", "")


def _ordered_alike(kind: StructureType) -> str:
    """Two elements that scatter alike and whose order makes the symmetry: a pattern hardly holds which order it is."""
    for lighter, heavier in combinations(sorted(kind.composition), 2):
        near = heavier - lighter < ALIKE * heavier
        if near and higher_symmetry(kind.substituted({lighter: heavier})) is not None:
            return f"{gemmi.Element(lighter).name} and {gemmi.Element(heavier).name}"
    return ""


def _without_hydrogen(kind: StructureType) -> StructureType | None:
    """The rest in its higher symmetry, where that makes the cell smaller or of another system; else nothing.

    Other atoms may be as far away as in manganite, which is right: with .25 Å LiOH was called solved as Pca2₁.
    """
    rest = tuple(site for site in kind.sites if site[0] != _HYDROGEN)
    if len(rest) in (0, len(kind.sites)):
        return None
    bare = replace(kind, sites=rest)
    higher = higher_symmetry(bare, DISTORTED)
    if higher is None or higher_symmetry(kind, DISTORTED) is not None:
        return None
    same_cell = higher.system == kind.system and _primitive_atoms(higher) == _primitive_atoms(bare)
    return None if same_cell else higher


def _alike(higher: Fit, lower: Fit) -> bool:
    """Whether one structure becomes the other as its atoms move a little."""
    return identity(lower.kind, RAISED) == identity(higher.kind, RAISED)


def _of_distortions(ranked: Sequence[Fit]) -> str:
    """Words on the first candidate's structure in lower symmetry, slightly distorted, where that fits as well."""
    best = ranked[0]
    own = identity(best.kind, DISTORTED)
    alike = [
        _group(each.kind)
        for each in ranked[1:]
        if each.kind.number != best.kind.number
        and each.excess < best.excess / LEAD
        and (identity(each.kind, DISTORTED) == own or _loses_centre(each.kind, best.kind))
    ]
    if not alike:
        return ""
    groups = ", ".join(dict.fromkeys(alike))
    return f"; the same structure slightly distorted, in space group {groups}, fits as well"


def is_simpler(rival: StructureType, kind: StructureType) -> bool:
    """Whether a rival has a smaller asymmetric unit in a cell of about the same size per atom."""
    ratio = (rival.volume / rival.atoms) / (kind.volume / kind.atoms)
    return abs(ratio - 1) < _SAME_SIZE and independent_volume(rival) < 0.9 * independent_volume(kind)


def independent_volume(kind: StructureType) -> float:
    """Å³ of the asymmetric unit: the smaller, the higher the symmetry of one and the same structure."""
    return kind.volume / len(operations(kind.hall)[0])


def higher_symmetry(kind: StructureType, tolerance: float = NEARLY) -> StructureType | None:
    """The description with a smaller asymmetric unit that a type has once its atoms move by so many Å."""
    try:
        higher = from_crystal(kind.crystal(), kind.name, tolerance, kind.source)
    except (ValueError, TypeError):
        return None
    if independent_volume(higher) > 0.9 * independent_volume(kind):
        return None
    return replace(higher, prototype=f"{kind.prototype}, in its higher symmetry")


def identity(kind: StructureType, tolerance: float = NEARLY) -> object:
    """Equal for descriptions of one structure: sites and elements, in the highest symmetry that it nearly has."""
    highest = higher_symmetry(kind, tolerance) or kind
    return highest.number, highest.wyckoff_counts
