"""Which space groups are tried: by the spread of intensities, and by mirror planes, on which molecules seldom lie."""

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases import in_group
from dsfu.model.problems.phases.choosing import choose, likeliest
from dsfu.model.problems.phases.groups import candidate_of, candidates
from dsfu.model.problems.phases.intensity_statistics import spread_of_intensities
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.merging import merge
from dsfu.model.problems.phases.origin import SymmetryOfMap
from dsfu.model.problems.phases.polishing import sphere_indices
from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import solve
from tests.model.problems.phases.made_elsewhere import calculated, packed, write_hkl


def group(symbol):
    return candidate_of(gemmi.find_spacegroup_by_name(symbol))


@pytest.mark.parametrize(
    ("symbol", "mirrors"),
    [("P 1 21/m 1", True), ("P 1 21/c 1", False), ("P n m a", True), ("P c a 21", False), ("C 1 2/c 1", False),
     ("C 1 m 1", True), ("F d d 2", False), ("P -1", False), ("R -3 m", True), ("I 4 c m", True)],
)  # fmt: skip
def test_mirror_planes_are_told_from_glide_planes(symbol, mirrors):
    assert group(symbol).mirrors == mirrors


@pytest.mark.parametrize(("symbol", "free", "restricted"), [("P 1 21 1", "P 1 21 1", "P 1 21/m 1"),
                                                            ("P -1", "P 1", "P -1"),
                                                            ("P c a 21", "P c a 21", "P c a m")])  # fmt: skip
def test_intensities_tell_whether_there_is_an_inversion_centre(tmp_path, symbol, free, restricted):
    structure = packed("CH3CH2NH2", symbol)
    write_hkl(tmp_path / "x.hkl", structure, 1.0)
    data = read_reflections(tmp_path / "x.hkl")
    merged = merge(data, find_laue_class(data))
    with_centre = spread_of_intensities(merged, group(restricted))
    without = spread_of_intensities(merged, group(free))
    assert (with_centre > without) == structure.spacegroup.is_centrosymmetric()
    assert abs(with_centre - without) > 3
    if symbol == "P 1 21 1":
        assert likeliest(merged, candidates(merged))[0].name == "P21"


def test_a_flat_molecule_beside_a_mirror_is_also_tried_without_the_centre(tmp_path):
    # Half of the atoms of a true Pca2₁ crystal reflected: a map that has the mirror of Pcam but for some of its atoms.
    structure = packed("CH3CH2NH2", "P c a 21")
    write_hkl(tmp_path / "x.hkl", structure, 1.0)
    data = read_reflections(tmp_path / "x.hkl")
    merged = merge(data, find_laue_class(data))
    hkl = sphere_indices(merged)
    waves = np.asarray(calculated(structure, hkl), dtype=np.complex128)
    mirrored = calculated(structure, hkl * [1, 1, -1])
    higher, lower = group("P c a m"), group("P c a 21")
    symmetry = SymmetryOfMap(hkl, np.asarray(waves + 0.7 * mirrored, dtype=np.complex128))
    found = choose(merged, symmetry, [higher, lower], None)
    assert found.first.candidate is higher
    assert [each.candidate for each in found.by_intensities] == [lower]
    assert choose(merged, symmetry, [higher, lower], higher.group).by_intensities == ()
    assert np.isclose(found.by_intensities[0].worst, 1, atol=0.02)


def test_what_is_too_fine_to_be_phased_still_tells_the_group(tmp_path, monkeypatch):
    monkeypatch.setattr(in_group, "_LOW_STARTS", 4)
    monkeypatch.setattr(in_group, "_AGAIN_STARTS", 2)
    structure = packed("C4H4NH", "P 1 21/c 1")
    write_hkl(tmp_path / "x.hkl", structure, 0.9)
    operations = structure.spacegroup.operations()
    lines = []
    for line in (tmp_path / "x.hkl").read_text().splitlines():
        h = [int(line[i : i + 4]) for i in (0, 4, 8)]
        coarse = any(h) and structure.cell.calculate_d(h) >= 1.6
        if not (coarse and operations.is_systematically_absent(h)):
            lines.append(line)
    (tmp_path / "x.hkl").write_text("\n".join(lines))  # absences are among the finer reflections only
    crystal = solve(read_reflections(tmp_path / "x.hkl"), resolution=1.6)
    assert crystal.data.d_min >= 1.6
    assert crystal.candidate.group.number == 14
