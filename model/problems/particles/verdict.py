"""Whether to believe the best candidate: no family explains the data, or it does, or its size cannot be told."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import noise_floor
from dsfu.model.problems.particles.formula import (
    against_formula,
    elements_of,
    expected_bond,
    may_hold_light_atoms,
    metal_share,
)
from dsfu.model.problems.particles.gaps import light_atoms
from dsfu.model.problems.particles.ranking import diameter_of, lattice_of
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED

NO_FAMILY: Final = "no family explains this"
BULK: Final = "larger than the data can tell"
NOT_JUDGED: Final = "not judged: too little order"
NOT_TOLD: Final = "not judged: rock salt or SC"
OTHER_BOND: Final = "not judged: not the bond length of this metal"
HOSTED: Final = "not judged: light atoms in the metal"

MOST_RW: Final = 0.42
"""Of what noise does not explain. Forty pretended particles of gold and platinum with ligands and mixtures of sizes
came to 0.38 at most, pieces of CdSe, rutile and WO₃ to 0.53 at least (tests/benchmarks/measured_particles.py)."""

_FEW: Final = ((13, 0.12), (20, 0.25), (10**9, MOST_RW))
"""Most R_w of fewer atoms than these. They have some distances only, which disordered metals have as well: a glass came
to 0.33 with 8 and 12 atoms, relaxed clusters to 0.14–0.24 with 8."""

_LINDEMANN: Final = 0.13
"""Root mean square displacement, in units of b, at which crystals melt (Lindemann 1910: 0.1 to 0.13 by metal). A glass
is fitted by a few atoms so smeared out: B came to 3.2 to 6 Å² in five of five, to 1.7 at most in eight particles."""

_SHORT_ORDER: Final = 12.0
"""In Å: diameter of the ordered range up to which a disordered cluster may look like a particle."""

_STRAINED, _MOST_DISORDER_IF_STRAINED, _MOST_DISORDER = 0.016, 0.45, 0.6
"""Of `disorder`, the lower limit where b varies by more than the strain: both together are rare in particles. Set on 16
disordered clusters of gold relaxed by EMT (0.50–0.88 of what melts it, strain .016–.029 in 14) and on 40 particles of
33–273 atoms (0.50 at most, strain at most .014); on others see BENCHMARKS.md."""

_LEAST_EXPLAINED: Final = 0.3
"""Share of the data's square, of what particles reach, that the best has to explain. Noise alone came to .05, a single
spike to less. Chosen."""

_SHORT_BONDS: Final = (1.3, 2.1, 0.3)
"""From, to in Å, and share of the first metal peak: bonds of oxygen to a metal are there, none of metals. The same
forty particles came to 0.07 at most, an α-Keggin cluster to 0.52."""

_TETRAHEDRAL: Final = (0.612, 0.08, 0.3, 0.18)
"""From a metal to an atom in the middle of four, in units of b; half width of the mean taken there, and how far to both
sides its background is, in Å; most share of the first metal peak. 101 files of gold and platinum (`unusual_particles`:
ripples, ligands) came to .07 at most, wurtzite GaN to .25–.38."""

_CARBON: Final = 1.65
"""In Å: a peak at .61 b that is nearer may be that of ligands' carbon atoms, 1.54 Å apart, in nickel or cobalt."""

_AS_GOOD, _AS_GOOD_AT_LARGE, _LARGE_RW = 0.06, 0.14, 0.10
"""Difference of scores below which two families are as good as each other: 6 % of R_w, and up to 14 % where this much
or more is left beyond noise, by what no model has. Chosen; of 103 right answers of an independent program one came less
far ahead of another family at an R_w of .05 or more, and of 9 wrong ones six."""

_TIED: Final = 3.0
EXACT_RW: Final = 0.0015
"""What rounding of the table leaves of a fit that is exact."""

_ROCK_SALT: Final = (
    "no metal but polonium is SC: rock salt of two elements that scatter alike (NaCl) looks the same; "
    "if it is one metal, name it with --element or as the file's composition"
)

_LIGHT_ATOMS: Final = (
    "a carbide, nitride or hydride by its formula, whose light atoms hardly show beside the metal's: "
    "if it is a metal, name it with --element"
)

_OFF: Final = (-0.04, 0.025)
"""How much shorter or longer than in crystals b may be: small particles contract by up to 3 %, and none is known to
expand by 2.5 %. The hydride of palladium is 3.5 % longer; alloys and other metals are further off. Chosen."""

_SEEN: Final = (0.06, 0.35)
"""Least amplitude of light atoms over the metal's, and share of the misfit that they explain. Set between balls of HfC,
TaC, TiC, Fe4N, PtN and Cu2O (.14–.7 and .60–.84) and 29 files of FCC metals with ligands (at most .02 and .02)."""

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
    if reasons := _disordered(solution, best):
        return ParticleVerdict(words=NOT_JUDGED, accepted=False, reasons=reasons)
    if best.family == "SC" and len(elements_of(solution.measured.composition)) != 1:
        return ParticleVerdict(words=NOT_TOLD, accepted=False, reasons=[_ROCK_SALT])
    if may_hold_light_atoms(solution.measured.composition):
        reason = f"{solution.measured.composition}: {_LIGHT_ATOMS}"
        return ParticleVerdict(words=HOSTED, accepted=False, reasons=[reason])
    if reasons := _other_bond(solution, best):
        return ParticleVerdict(words=OTHER_BOND, accepted=False, reasons=reasons)
    if reasons := _light_atoms_seen(solution, best):
        return ParticleVerdict(words=HOSTED, accepted=False, reasons=reasons)
    diameter = diameter_of(best.family, best.atoms, best.refined.bond)
    if solution.envelope.endless or max(diameter, solution.envelope.diameter) > _LARGE:
        lattice = lattice_of(best.family)
        reasons = [
            f"{lattice} to the end of the data: a crystal of {_LARGE:.0f} Å or more, or bulk; the shape is not known"
        ]
        return ParticleVerdict(words=f"{BULK}: {lattice}", accepted=True, reasons=reasons)
    others = [each for each in solution.candidates if lattice_of(each.family) != lattice_of(best.family)]
    alike = tied(solution)
    as_good = _AS_GOOD + (_AS_GOOD_AT_LARGE - _AS_GOOD) * min(net_rw(solution, best) / _LARGE_RW, 1.0)
    rivals = [each.family for each in others if each.score - best.score < as_good or each in alike]
    if rivals:
        names = " or ".join(dict.fromkeys([best.family, *rivals]))
        reasons = [f"fits within {as_good:.0%} of R_w, or that the data do not tell apart"]
        return ParticleVerdict(words=f"{names}: equally likely", accepted=True, reasons=reasons)
    return ParticleVerdict(words=best.family, accepted=True, reasons=[])


def _other_bond(solution: ParticleSolution, best: Candidate) -> list[str]:
    """Whether the sample is named as one metal, and b is not that of this metal."""
    composition, bond = solution.measured.composition, best.refined.bond
    expected = expected_bond(composition, best.family)
    if expected is None or _OFF[0] <= bond / expected - 1 <= _OFF[1]:
        return []
    side = "longer" if bond > expected else "shorter"
    return [
        f"b is {abs(bond / expected - 1):.1%} {side} than the {expected:.3f} Å of {composition} in crystals: "
        "a hydride, an alloy or another metal; correct the composition, or leave it out, if it is wrong"
    ]


def _light_atoms_seen(solution: ParticleSolution, best: Candidate) -> list[str]:
    """Whether the data show them, unless the sample is named as a metal."""
    if lattice_of(best.family) != "FCC" or metal_share(solution.measured.composition) == 1:
        return []
    found = light_atoms(solution.space, best)
    if found.amplitude < _SEEN[0] or found.share < _SEEN[1]:
        return []
    return [
        f"light atoms amid {found.neighbours} of the metal explain {found.share:.0%} of what the fit leaves: "
        "a carbide, nitride or oxide whose metal is FCC; if it is a metal, name it with --element"
    ]


def tied(solution: ParticleSolution) -> list[Candidate]:
    """Candidates that the data do not tell from the best one, itself first; one only: it is told from all others.

    A fit is as likely as the best within a factor of e³, where the noise of a coordinate is what the best leaves.
    """
    best, *others = solution.candidates
    noise = noise_floor(solution.space) ** 2
    left = max(best.refined.rw**2 - solution.space.outside, noise, EXACT_RW**2)
    most = _TIED * 2 * left / len(solution.space.data)
    return [best, *(each for each in others if each.refined.rw**2 - best.refined.rw**2 < most)]


def net_rw(solution: ParticleSolution, candidate: Candidate) -> float:
    """R_w less the share that white noise explains."""
    noise = solution.space.outside + noise_floor(solution.space) ** 2
    return float(np.sqrt(max(candidate.refined.rw**2 - noise, 0.0)))


def explained_share(solution: ParticleSolution, candidate: Candidate) -> float:
    """How much a fit explains of what particles could explain, noise included; of squares."""
    reached = max(1.0 - solution.space.outside, 1e-9)
    return 1.0 - max(candidate.refined.rw**2 - solution.space.outside, 0.0) / reached


def _against(solution: ParticleSolution, best: Candidate) -> list[str]:
    reasons = []
    rw = net_rw(solution, best)
    most = next(most for atoms, most in _FEW if best.atoms < atoms)
    if rw > most:
        reasons.append(f"the best particle, of {best.atoms} atoms, leaves R_w {rw:.2f} (at most {most})")
    if (explained := explained_share(solution, best)) < _LEAST_EXPLAINED:
        reasons.append(
            f"the best particle explains {explained:.0%} of the data only: the rest is noise, or no particle's"
        )
    if best.refined.b_iso > (molten := melting_b_iso(best.refined.bond)):
        reasons.append(
            f"its B of {best.refined.b_iso:.1f} Å² is that of a melt (over {molten:.1f} Å²): no order is seen"
        )
    low, high = solution.bonds
    if not low * 1.005 < best.refined.bond < high / 1.005:
        where = f"{low:.2f}–{high:.2f} Å, where it was sought"
        reasons.append(f"its b of {best.refined.bond:.2f} Å is at the edge of {where}: --bond-length, if it is known")
    if rw > MOST_RW / 2 and (peak := short_bonds(solution, best)) > _SHORT_BONDS[2]:
        reasons.append(
            f"a peak at {_SHORT_BONDS[0]}–{_SHORT_BONDS[1]} Å, {peak:.0%} of the metal's first, is no metal's"
        )
    if best.family not in ("SC", "BCC") and (peak := tetrahedral_bonds(solution, best)) > _TETRAHEDRAL[3]:
        reasons.append(f"a peak at {_TETRAHEDRAL[0]} b, {peak:.0%} of the metal's first: atoms between four others")
    return reasons + against_formula(solution.measured.composition)


def _disordered(solution: ParticleSolution, best: Candidate) -> list[str]:
    """Whether a disordered cluster could fit as well: order ends soon, and distances are smeared out before that."""
    diameter, share, strain = solution.envelope.diameter, disorder(best), best.refined.strain
    most = _MOST_DISORDER_IF_STRAINED if strain > _STRAINED else _MOST_DISORDER
    if diameter > _SHORT_ORDER or share <= most:
        return []
    return [
        f"order is seen over {diameter:.0f} Å only, and two bonds away atoms move by {share:.0%} of what melts a "
        f"metal (at most {most:.0%}; b varies by {strain:.1%}): a disordered cluster would look the same"
    ]


def disorder(best: Candidate) -> float:
    """Mean square of what distances of 2 b vary by, B and spread of b together, over that of a metal that melts."""
    fit = best.refined
    spread = EIGHT_PI_SQUARED / 2 * (fit.strain * 2 * fit.bond) ** 2  # as a B: that of each of two atoms
    return (fit.b_iso + spread) / melting_b_iso(fit.bond)


def melting_b_iso(bond: float) -> float:
    """B in Å² at which a metal of this nearest distance melts: 8π² ⟨u²⟩ along one direction."""
    return EIGHT_PI_SQUARED / 3 * (_LINDEMANN * bond) ** 2


def short_bonds(solution: ParticleSolution, best: Candidate) -> float:
    """The highest peak where oxides have their bonds, over that of the nearest metal atoms."""
    r, g = solution.measured.r, solution.measured.g
    bond = best.refined.bond * (0.866 if best.family == "BCC" else 1.0)
    low, high, _ = _SHORT_BONDS
    first = g[np.abs(r - bond) < 0.3].max(initial=0.0)
    short = g[(r > low) & (r < min(high, bond - 0.45))].max(initial=0.0)
    return float(short / first) if first > 0 else 9.0


def tetrahedral_bonds(solution: ParticleSolution, best: Candidate) -> float:
    """How far G rises over both sides where atoms amid four metal atoms have bonds, over that at b; 0: not seen."""
    r, g, bond = solution.measured.r, solution.measured.g, best.refined.bond
    share, half, aside, _ = _TETRAHEDRAL
    if share * bond < _CARBON:
        return 0.0

    def rise(middle: float) -> float:
        here, low, high = (np.abs(r - at) < half for at in (middle, middle - aside, middle + aside))
        seen = here.any() and low.any() and high.any()
        return float(g[here].mean() - (g[low].mean() + g[high].mean()) / 2) if seen else 0.0

    first = rise(bond)
    return max(rise(share * bond), 0.0) / first if first > 0 else 0.0
