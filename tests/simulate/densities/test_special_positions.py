"""Special positions of space groups, against the lists of International Tables A."""

import gemmi
import pytest

from dsfu.simulate.densities.special_positions import special_positions

TABLES = {
    "F m -3 m": ([4, 4, 8, 24], [24, 32, 48, 48, 48]),
    "P m -3 m": ([1, 1, 3, 3], [6, 6, 8, 12, 12, 12]),
    "F d -3 m": ([8, 8, 16, 16], [32, 48, 96]),
    "F -4 3 m": ([4, 4, 4, 4], [16, 24, 24]),
    "I a -3 d": ([16, 16, 24, 24], [32, 48, 48]),
    "P a -3": ([4, 4], [8]),
    "P 21 3": ([], [4]),
    "I 4/m m m": ([2, 2, 4, 4, 8], [4, 8, 8, 8, 8, 16]),
    "P 42/m n m": ([2, 2, 4, 4], [4, 4, 4, 8]),
    "P 63/m m c": ([2, 2, 2, 2, 6], [4, 4, 6, 12]),
    "R -3 m": ([3, 3, 9, 9], [6, 18, 18]),
    "P n m a": ([4, 4], []),
}
"""Multiplicities of the positions without a free coordinate, and with one."""


@pytest.mark.parametrize("name", TABLES)
def test_multiplicities_are_those_of_the_tables(name):
    places = special_positions(gemmi.SpaceGroup(name).hall)
    fixed = [each.multiplicity for each in places if each.line is None]
    assert (fixed, [each.multiplicity for each in places if each.line is not None]) == TABLES[name]
