"""Which structure types, with which elements on which sites, a formula allows."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from math import gcd

from dsfu.model.problems.densities.colourings import coloured
from dsfu.model.problems.densities.formulas import STAND_INS, UNKNOWN, Formula
from dsfu.simulate.densities.structure_types import StructureType


def decorations(
    formula: Formula, kinds: Sequence[StructureType], *, anew: bool = True
) -> Iterator[StructureType]:  # fmt: skip
    """Every type of the formula's stoichiometry with the formula's elements, in every order that fits.

    Then, with ``anew`` and where ratios are known, types of fewer or more elements whose sites can be coloured to give
    the formula.
    """
    fitting = [kind for kind in kinds if fits_formula(formula, kind.composition)]
    for counts in _known(formula):
        elements = sorted(counts)
        for kind in fitting:
            divisor = gcd(*kind.composition.values())
            ratios = {z: n // divisor for z, n in kind.composition.items()}
            sites = list(ratios)
            for order in permutations(elements):
                put = dict(zip(sites, order, strict=True))
                if not formula.ratios or all(ratios[site] == counts[z] for site, z in put.items()):
                    yield kind.substituted(put)
        if anew and formula.ratios:
            for kind in kinds:
                yield from coloured(kind, counts)


def fits_formula(formula: Formula, composition: Mapping[int, int]) -> bool:
    """Whether amounts of some elements are those of the formula, whichever elements they are."""
    if len(composition) != len(formula.counts):
        return False
    divisor = gcd(*composition.values())
    return not formula.ratios or sorted(n // divisor for n in composition.values()) == sorted(formula.counts.values())


def _known(formula: Formula) -> Iterator[dict[int, int]]:
    """The formula, with stand-ins for what is not known."""
    counts = dict(formula.counts)
    if UNKNOWN not in counts:
        yield counts
        return
    amount = counts.pop(UNKNOWN)
    for z in STAND_INS:
        if z not in counts:
            yield {**counts, z: amount}
