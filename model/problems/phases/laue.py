"""Which symmetry the intensities themselves have: lattice centring, and Laue class by agreement of equivalents."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.crystal_data import CellNumbers, IntArray, ReflectionList
from dsfu.simulate.phases.atoms import orthogonalisation

METRIC_TOLERANCE: Final = 0.006
"""How far a cell may be from a symmetric one, relative; chosen: cells are measured to 0.1 %, powders' are exact. With
twice as much β-PtO2 (a and b 1.1 % apart) was tetragonal, and platinum, which nearly is, had R1 .025 so."""

_WORST_R_INT: Final = 0.18
_FACTOR_R_INT: Final = 2.0
_ADDED_R_INT: Final = 0.05
"""A class is refused if its equivalents disagree by more than the first, and by more than factor and addend allow
relative to the lowest class that has equivalents. Chosen; twins and poor absorption corrections reach .15."""

FEWEST_PAIRS: Final = 8
_FEW_PAIRS: Final = 3
"""Pairs that refuse a class if they disagree grossly: of merged data only the zones tell which axis is unique."""

_CENTRED: Final = 0.04
"""Mean intensity of reflections that a centring forbids, relative to the others, below which it is taken as present."""

SIGNIFICANT: Final = 4.0
"""Standard uncertainties above which an intensity is there."""

_PSEUDO_CENTRED: Final = 0.02
"""Share of them that are there, less those as far below 0, from which they are weak and not absent: heavy atoms alone
have the centring. Chosen; two such crystals had .10 and .44 (mean intensities .018 and .033), Ag2O, AgO and CuO .03 to
.04, true centrings 0.00."""

_MOST_HALVED, _HALVED_ERROR, _FEWEST_HALVED = 0.02, 0.2, 20
"""Of radiation of half the wavelength: its largest share of intensity, how far that may differ from reflection to
reflection, and how many of these have to be seen. Chosen: detectors and filters leave .001 to .005 of it."""

_FEW_INDICES: Final = np.stack(np.meshgrid(*(np.arange(6),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)

CENTRINGS: Final = ("F", "I", "R", "A", "B", "C", "P")
_VIOLATES: Final[dict[str, Callable[[IntArray, IntArray, IntArray], npt.NDArray[np.bool_]]]] = {
    "A": lambda h, k, l: (k + l) % 2 != 0,  # noqa: E741
    "B": lambda h, k, l: (h + l) % 2 != 0,  # noqa: E741
    "C": lambda h, k, l: (h + k) % 2 != 0,  # noqa: E741
    "I": lambda h, k, l: (h + k + l) % 2 != 0,  # noqa: E741
    "F": lambda h, k, l: ((h + k) % 2 != 0) | ((k + l) % 2 != 0),  # noqa: E741
    "R": lambda h, k, l: (-h + k + l) % 3 != 0,  # noqa: E741
    "P": lambda h, k, l: np.zeros(h.shape, dtype=bool),  # noqa: E741
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LaueClass:
    """Symmetry of the intensities.

    Parameters
    ----------
    rotations
        Matrices R of the class, −1 included, (operators, 3, 3); h and hR are equivalent.
    name
        Hermann–Mauguin symbol of the class.
    centring
        One of `CENTRINGS`.
    r_int
        As `r_of_equivalents` gives it; NaN if nothing was measured more than once.
    """

    rotations: IntArray
    name: str
    centring: str
    r_int: float


def find_laue_class(data: ReflectionList) -> LaueClass:
    """Highest Laue class that cell and intensities allow.

    Where the list holds one of each set of equivalents only, nothing speaks against a class that the cell allows and
    that makes the data complete, and it is taken. What the file states is taken if its equivalents agree.
    """
    centring = find_centring(data)
    if data.space_group is not None:
        stated = _class_of(data.space_group)
        r_int, pairs = r_of_equivalents(data, stated)
        if pairs < FEWEST_PAIRS or r_int < 2 * _WORST_R_INT:
            return LaueClass(
                rotations=stated,
                name=data.space_group.laue_str(),
                centring=data.space_group.centring_type(),
                r_int=r_int,
            )
    allowed = [(name, group) for name, group in laue_classes() if allowed_by_cell(data.cell, centring, group)]
    low, low_pairs = r_of_equivalents(data, allowed[0][1])
    best_name, best = allowed[0]
    best_r = low
    reference = low if low_pairs >= FEWEST_PAIRS else None
    for name, group in sorted(allowed[1:], key=lambda each: len(each[1])):
        r_int, pairs = r_of_equivalents(data, group)
        if pairs >= FEWEST_PAIRS:
            if r_int > worst_r_int(reference):
                continue
        elif pairs >= _FEW_PAIRS and r_int > 2 * _WORST_R_INT:
            continue
        if len(group) > len(best) or (len(group) == len(best) and not r_int >= best_r):
            best_name, best, best_r = name, group, r_int
    return LaueClass(rotations=best, name=best_name, centring=centring, r_int=best_r)


def worst_r_int(reference: float | None) -> float:
    """R of equivalents up to which they agree, where those of a class that is certain have ``reference``, if any."""
    limit = _WORST_R_INT if reference is None else max(_FACTOR_R_INT * reference, reference + _ADDED_R_INT)
    return max(min(limit, 2 * _WORST_R_INT), 0.06)


def find_centring(data: ReflectionList) -> str:
    """The centring whose forbidden reflections are absent: not listed at all, or weak."""
    h, k, l = data.hkl.T  # noqa: E741
    for centring in CENTRINGS:
        forbidden = _VIOLATES[centring](h, k, l)
        if forbidden.all():
            continue
        if centring == "R" and not _hexagonal(data):
            continue
        if not forbidden.any():
            return centring
        if forbidden.sum() < 4:
            continue
        intensity, sigma = data.intensity[forbidden], SIGNIFICANT * data.sigma[forbidden]
        known = sigma > 0  # where none is given, a small intensity may be nothing
        significant = float((np.sign(intensity) * (known & (np.abs(intensity) > sigma))).mean())
        weak = intensity.mean() < _CENTRED * data.intensity[~forbidden].mean()
        if weak and (significant < _PSEUDO_CENTRED or _is_half_wavelength(data, forbidden)):
            return centring
    return "P"


def _is_half_wavelength(data: ReflectionList, forbidden: npt.NDArray[np.bool_]) -> bool:
    """Whether what is at forbidden h is a share of what is at 2h, as radiation of half the wavelength brings it there.

    Only those whose 2h was measured tell. The share is from least squares; it leaves nearly all of a superstructure.
    """
    friedel = np.stack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    measured, first = np.unique(_codes(canonical(data.hkl, friedel)), return_index=True)
    wanted = _codes(canonical(2 * data.hkl[forbidden], friedel))
    place = np.minimum(np.searchsorted(measured, wanted), len(measured) - 1)
    seen = measured[place] == wanted
    here, there = np.flatnonzero(forbidden)[seen], first[place[seen]]
    intensity, sigma, source = data.intensity[here], data.sigma[here], data.intensity[there]
    if len(here) < _FEWEST_HALVED or not (sigma > 0).all() or not (source > 0).any():
        return False
    # I(h) = share · I(2h), weighted by 1/σ².
    share = float((intensity * source / sigma**2).sum() / (source**2 / sigma**2).sum())
    if not 0 < share < _MOST_HALVED:
        return False
    allowed = np.hypot(sigma, share * (data.sigma[there] + _HALVED_ERROR * np.abs(source)))
    return bool((intensity - share * source > SIGNIFICANT * allowed).mean() < _PSEUDO_CENTRED)


def forbidden_by(centring: str, hkl: IntArray) -> npt.NDArray[np.bool_]:
    """Which reflections a centring forbids."""
    return np.asarray(_VIOLATES.get(centring, _VIOLATES["P"])(*hkl.T))


def canonical(hkl: IntArray, rotations: IntArray) -> IntArray:
    """The same indices for all equivalents of each reflection: the largest of them by h, then k, then l."""
    images = np.einsum("nj,gjk->gnk", hkl, rotations)
    return np.asarray(images[_codes(images).argmax(axis=0), np.arange(len(hkl))])


def _codes(hkl: IntArray) -> IntArray:
    """One whole number for three indices, each below 4096, in the order of h, then k, then l."""
    return np.asarray(((hkl[..., 0] + 4096) * 8192 + hkl[..., 1] + 4096) * 8192 + hkl[..., 2])


def r_of_equivalents(data: ReflectionList, rotations: IntArray) -> tuple[float, int]:
    """Σ √(n/(n−1)) |I − mean| / ΣI over sets of n > 1 members, and how many members beyond the first there are.

    Sets count whose mean is above the noise: of merged lists often only absent reflections have equivalents.

    Without the root, of two members it would be too small by √2 and of many by nothing: a class with larger sets would
    look worse by that alone (Diederichs & Karplus, Nature Struct. Biol. 4, 269, 1997; they call it R_meas).
    """
    keys = canonical(data.hkl, rotations)
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    mean = np.bincount(inverse, data.intensity) / counts
    counted = (counts > 1) & (mean > SIGNIFICANT * np.bincount(inverse, data.sigma) / counts)
    many = counted[inverse]
    total = data.intensity[many].sum()
    if not many.any() or total <= 0:
        return float("nan"), 0
    deviations = np.abs(data.intensity - mean[inverse])[many]
    unbiased = np.sqrt(counts[inverse][many] / (counts[inverse][many] - 1))
    return float((deviations * unbiased).sum() / total), int((counts[counted] - 1).sum())


@lru_cache(maxsize=1)
def laue_classes() -> list[tuple[str, IntArray]]:
    """Every Laue class in every orientation that settings of space groups use; −1 first."""
    found: dict[bytes, tuple[str, IntArray]] = {}
    for group in gemmi.spacegroup_table():
        rotations = _class_of(group)
        found.setdefault(rotations.tobytes(), (group.laue_str(), rotations))
    return sorted(found.values(), key=lambda each: len(each[1]))


def _class_of(group: gemmi.SpaceGroup) -> IntArray:
    """Rotations of the Laue class of a space group, in the order of their numbers."""
    every = {tuple(np.array(op.rot).ravel() // gemmi.Op.DEN) for op in group.operations().sym_ops}
    every |= {tuple(-x for x in rotation) for rotation in every}
    return np.array(sorted(every), dtype=np.int64).reshape(-1, 3, 3)


laue_rotations = _class_of


def laws_of_cell(cell: CellNumbers, laue: LaueClass) -> list[IntArray]:
    """One rotation of each coset of a class among the symmetries of cell and lattice: the twin laws it allows."""
    known = {turn.tobytes() for turn in laue.rotations}
    laws = []
    for _, group in laue_classes():
        if not allowed_by_cell(cell, laue.centring, group):
            continue
        for turn in group:
            if turn.tobytes() not in known:
                laws.append(turn)
                known |= {(own @ turn).tobytes() for own in laue.rotations}
    return laws


def allowed_by_cell(cell: CellNumbers, centring: str, rotations: IntArray) -> bool:
    """Whether cell and lattice have these rotations."""
    return _keeps_metric(cell, rotations) and _keeps_lattice(centring, rotations)


def _keeps_metric(cell: CellNumbers, rotations: IntArray) -> bool:
    orth = orthogonalisation(cell)
    metric = orth.T @ orth
    lengths = np.sqrt(np.diag(metric))
    # Rᵀ G R = G for a rotation that keeps all lengths.
    images = np.einsum("gji,jk,gkl->gil", rotations, metric, rotations)
    return bool((np.abs(images - metric) / np.outer(lengths, lengths)).max() < 2 * METRIC_TOLERANCE)


def _keeps_lattice(centring: str, rotations: IntArray) -> bool:
    """Whether equivalents of what a centring allows are allowed, too: R has no sixfold axis."""
    hkl = _FEW_INDICES[~forbidden_by(centring, _FEW_INDICES)]
    images = np.einsum("nj,gjk->gnk", hkl, rotations).reshape(-1, 3)
    return not forbidden_by(centring, images).any()


def _hexagonal(data: ReflectionList) -> bool:
    a, b, _, alpha, beta, gamma = data.cell
    return abs(a / b - 1) < METRIC_TOLERANCE and abs(gamma - 120) < 1 and abs(alpha - 90) < 1 and abs(beta - 90) < 1
