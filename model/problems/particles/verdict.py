"""Whether to believe the best candidate: no family explains the data, or it does, or its size cannot be told."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.matching import BOND_RANGE
from dsfu.model.problems.particles.ranking import diameter_of
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution, noise_floor

NO_FAMILY: Final = "no family explains this"
BULK: Final = "larger than the data can tell"

MOST_RW: Final = 0.42
"""Of what noise does not explain. Forty pretended particles of gold and platinum with ligands and mixtures of sizes
came to 0.38 at most, pieces of CdSe, rutile and WO₃ to 0.53 at least (tests/benchmarks/measured_particles.py)."""

_FEW_ATOMS, _MOST_RW_OF_FEW = 20, 0.25
"""Fewer atoms have some distances only, which a metallic glass has as well: it came to 0.33 with 8 and 12 atoms."""

_SHORT_BONDS: Final = (1.3, 2.1, 0.3)
"""From, to in Å, and share of the first metal peak: bonds of oxygen to a metal are there, none of metals. The same
forty particles came to 0.07 at most, an α-Keggin cluster to 0.52."""

_METAL_SHARE: Final = 0.95
_NOT_METALS: Final = {
    "H": 1, "B": 5, "C": 6, "N": 7, "O": 8, "F": 9, "Si": 14, "P": 15, "S": 16, "Cl": 17, "As": 33, "Se": 34, "Br": 35,
    "Te": 52, "I": 53,
}  # fmt: skip
_AS_GOOD: Final = 0.06
"""Difference of scores below which two families are as good as each other. Chosen: 6 % of R_w."""

_TIED: Final = 3.0
_EXACT_RW: Final = 0.0015
"""What rounding of the table leaves of a fit that is exact."""

_LARGE: Final = 42.0
"""In Å: over 30 Å of r, size beyond this and the damping of the instrument cannot be told apart. Chosen."""


@dataclass(frozen=True, kw_only=True)
class ParticleVerdict:
    """In a few words, whether a particle of the list is an answer, and why."""

    words: str
    accepted: bool
    reasons: list[str]


def judge(solution: ParticleSolution) -> ParticleVerdict:
    """Judge the best candidate against the data."""
    best = solution.candidates[0]
    reasons = _against(solution, best)
    if reasons:
        return ParticleVerdict(words=NO_FAMILY, accepted=False, reasons=reasons)
    diameter = diameter_of(best.family, best.atoms, best.refined.bond)
    if solution.envelope.endless or max(diameter, solution.envelope.diameter) > _LARGE:
        lattice = lattice_of(best.family)
        reasons = [
            f"{lattice} to the end of the data: a crystal of {_LARGE:.0f} Å or more, or bulk; the shape is not known"
        ]
        return ParticleVerdict(words=f"{BULK}: {lattice}", accepted=True, reasons=reasons)
    others = [each for each in solution.candidates if lattice_of(each.family) != lattice_of(best.family)]
    rivals = [each.family for each in others if each.score - best.score < _AS_GOOD]
    if rivals:
        names = " or ".join(dict.fromkeys([best.family, *rivals]))
        return ParticleVerdict(words=f"{names}: equally likely", accepted=True, reasons=["fits within 6 % of R_w"])
    return ParticleVerdict(words=best.family, accepted=True, reasons=[])


def lattice_of(family: str) -> str:
    """FCC and Octahedron are shapes of one lattice."""
    return "FCC" if family == "Octahedron" else family


def tied(solution: ParticleSolution) -> list[Candidate]:
    """Candidates that the data do not tell from the best one, itself first; one only: it is told from all others.

    A fit is as likely as the best within a factor of e³, where the noise of a coordinate is what the best leaves.
    """
    best, *others = solution.candidates
    noise = noise_floor(solution.space) ** 2
    left = max(best.refined.rw**2 - solution.space.outside, noise, _EXACT_RW**2)
    most = _TIED * 2 * left / len(solution.space.data)
    return [best, *(each for each in others if each.refined.rw**2 - best.refined.rw**2 < most)]


def net_rw(solution: ParticleSolution, candidate: Candidate) -> float:
    """R_w less the share that white noise explains."""
    noise = solution.space.outside + noise_floor(solution.space) ** 2
    return float(np.sqrt(max(candidate.refined.rw**2 - noise, 0.0)))


def _against(solution: ParticleSolution, best: Candidate) -> list[str]:
    reasons = []
    rw = net_rw(solution, best)
    most = MOST_RW if best.atoms >= _FEW_ATOMS else _MOST_RW_OF_FEW
    if rw > most:
        reasons.append(f"the best particle, of {best.atoms} atoms, leaves R_w {rw:.2f} (at most {most})")
    low, high = BOND_RANGE
    if not low * 1.005 < best.refined.bond < high / 1.005:
        reasons.append(f"its b of {best.refined.bond:.2f} Å is at the edge of what metals have")
    if rw > MOST_RW / 2 and (peak := short_bonds(solution, best)) > _SHORT_BONDS[2]:
        reasons.append(
            f"a peak at {_SHORT_BONDS[0]}–{_SHORT_BONDS[1]} Å, {peak:.0%} of the metal's first, is no metal's"
        )
    share = metal_share(solution.measured.composition)
    if is_compound(solution.measured.composition):
        reasons.append(f"{solution.measured.composition}: a compound of metals and others without carbon, no metal")
    elif share is not None and share < _METAL_SHARE:
        reasons.append(f"{solution.measured.composition}: metals scatter {share:.0%} of it only (Z²)")
    return reasons


def short_bonds(solution: ParticleSolution, best: Candidate) -> float:
    """The highest peak where oxides have their bonds, over that of the nearest metal atoms."""
    r, g = solution.measured.r, solution.measured.g
    bond = best.refined.bond * (0.866 if best.family == "BCC" else 1.0)
    low, high, _ = _SHORT_BONDS
    first = g[np.abs(r - bond) < 0.3].max(initial=0.0)
    short = g[(r > low) & (r < min(high, bond - 0.45))].max(initial=0.0)
    return float(short / first) if first > 0 else 9.0


def is_compound(composition: str) -> bool:
    """Whether a formula is that of an oxide, a halide or the like: a third or more are no metals, and none is carbon.

    Ligands of particles hold carbon. Oxides of heavy metals scatter as metals do, by `metal_share`.
    """
    numbers = _formula(composition)
    others = sum(number for symbol, number in numbers.items() if symbol in _NOT_METALS)
    total = sum(numbers.values())
    return "C" not in numbers and 0 < others < total and others >= total / 3


def metal_share(composition: str) -> float | None:
    """Share of Z² that metals have in a formula, or None if it is none."""
    from ase.data import atomic_numbers

    power = {symbol: number * atomic_numbers[symbol] ** 2 for symbol, number in _formula(composition).items()}
    total = sum(power.values())
    return sum(value for symbol, value in power.items() if symbol not in _NOT_METALS) / total if total else None


def _formula(composition: str) -> dict[str, float]:
    """Elements and how many there are, or nothing if it is no formula."""
    from ase.data import atomic_numbers

    parts = re.findall(r"([A-Z][a-z]?)([0-9]*\.?[0-9]*)", composition)
    whole = "".join(a + b for a, b in parts) == re.sub(r"[\s()\[\]]", "", composition)
    if not whole or any(symbol not in atomic_numbers for symbol, _ in parts):
        return {}
    found: dict[str, float] = {}
    for symbol, number in parts:
        found[symbol] = found.get(symbol, 0.0) + float(number or 1)
    return found
