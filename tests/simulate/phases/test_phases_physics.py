"""Structure factors against plain sums, gemmi's own calculator, and transforms of the maps."""

import gemmi
import numpy as np
import pytest
from numpy.testing import assert_allclose

from dsfu.simulate.phases.atoms import CellContents
from dsfu.simulate.phases.point_kernels import points_on_grid
from dsfu.simulate.phases.random_crystals import random_in_group, random_p1
from dsfu.simulate.phases.samples import PhaseSettings, simulate_phases
from dsfu.simulate.phases.structure_factors import density, full_sphere, indices, structure_factors


def plain_sum(contents, n, grid):
    """Σ Z exp(2πi h·x), written out."""
    along = indices(n, grid)
    hkl = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1)
    return np.exp(2j * np.pi * hkl @ contents.positions.T) @ contents.numbers


@pytest.mark.parametrize("n", [7, 10])
def test_a_plain_sum_gives_the_same(n):
    contents = random_p1(1, 3, 5)
    whole = plain_sum(contents, n, "centred")
    half = structure_factors(contents, n)
    inside = np.abs(indices(n)) < n / 2  # all but the planes that ±n/2 share
    block = np.ix_(inside, inside, np.flatnonzero(inside[: n // 2 + 1]))
    assert_allclose(half[block], whole[block], atol=1e-10)
    assert_allclose(structure_factors(contents, n, grid="octant"), plain_sum(contents, n, "octant"), atol=1e-10)


@pytest.mark.parametrize("n", [2, 7, 10])
def test_points_atom_by_atom_are_those_of_transforms(n):
    contents = random_p1(4, 2, 9)
    size, found = points_on_grid(contents, n, sigma=0.9)
    assert_allclose(size, np.abs(structure_factors(contents, n)), atol=1e-10)
    expected = density(contents, n, sigma=0.9)
    assert_allclose(found, expected, atol=2e-6 * np.abs(expected).max())


def test_form_factors_and_thermal_motion_are_those_of_gemmi():
    contents = random_in_group(2, 0, "P 21/c", 20)
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*contents.cell)
    structure.spacegroup_hm = "P 1"
    structure.determine_and_set_spacegroup("1")
    for number, position, b_iso in zip(contents.numbers, contents.positions, contents.b_iso, strict=True):
        site = gemmi.SmallStructure.Site()
        site.element = gemmi.Element(int(number))
        site.fract = gemmi.Fractional(*position)
        site.u_iso = b_iso / (8 * np.pi**2)
        site.occ = 1
        structure.add_site(site)
    structure.setup_cell_images()
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    ours = structure_factors(contents, 12, form="IT92")
    for hkl in [(1, 0, 0), (-2, 3, 1), (4, -4, 5), (0, 0, 3)]:
        assert_allclose(ours[hkl], calculator.calculate_sf_from_small_structure(structure, hkl), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("n", [9, 12])
def test_the_transform_of_the_map_is_the_amplitude(n):
    contents = random_p1(5, 0, 6)
    sample = simulate_phases(contents, PhaseSettings(n=n, sigma=0.8, sharpness=0.8))
    assert_allclose(
        np.abs(np.fft.fftn(sample.density)), sample.amplitude, rtol=1e-3, atol=1e-3 * sample.amplitude.max()
    )


def test_a_map_has_its_atoms_where_they_are():
    contents = CellContents(numbers=np.array([8]), positions=np.array([[0.25, 0.5, 0.75]]))
    voxels = density(contents, 20, sigma=1.2)
    assert voxels[5, 10, 15] == voxels.max()
    assert_allclose(voxels.sum(), 8, rtol=1e-5)
    profile = voxels[:, 10, 15]
    assert_allclose(profile[7] / profile[5], np.exp(-0.5 * (2 / 1.2) ** 2), rtol=0.02)  # two voxels away


def test_round_in_space_means_narrow_along_long_axes():
    contents = CellContents(
        numbers=np.array([8]), positions=np.array([[0.5, 0.5, 0.5]]), cell=(5.0, 10.0, 5.0, 90.0, 90.0, 90.0)
    )
    voxels = density(contents, 20, sigma=0.5, cartesian=True)
    assert_allclose(voxels[14, 10, 10], voxels[10, 12, 10], rtol=0.02)  # 1 Å either way


def test_friedel_pairs_are_equal_in_the_whole_sphere():
    rng = np.random.default_rng(0)
    n = 6
    want = np.abs(np.fft.fftn(rng.random((n, n, n))))
    assert_allclose(full_sphere(want[:, :, : n // 2 + 1], n), want)


def test_gaps_and_noise_come_in_pairs_and_are_as_large_as_declared():
    contents = random_p1(1, 0, 12)
    clean = simulate_phases(contents, PhaseSettings(n=20))
    noisy = simulate_phases(contents, PhaseSettings(n=20, completeness=0.8, noise=0.05), seed=4)
    back = -np.arange(20) % 20
    assert (noisy.known == noisy.known[back][:, back][:, :, back]).all()
    assert_allclose(noisy.amplitude, noisy.amplitude[back][:, back][:, :, back])
    assert noisy.known.mean() == pytest.approx(0.8, abs=0.02)
    ratio = noisy.amplitude[noisy.known] / clean.amplitude[noisy.known]
    assert ratio.std() == pytest.approx(0.05, rel=0.05)
    again = simulate_phases(contents, PhaseSettings(n=20, completeness=0.8, noise=0.05), seed=4)
    assert (again.amplitude == noisy.amplitude).all()


def test_resolution_cuts_by_d():
    contents = random_in_group(1, 0, "P -1", 12)
    sample = simulate_phases(contents, PhaseSettings(n=12, d_min=1.5))
    cell = gemmi.UnitCell(*contents.cell)
    along = indices(12)
    for place in [(1, 2, 3), (5, 5, 5), (3, 0, 9), (6, 6, 6)]:
        d = cell.calculate_d([int(along[i]) for i in place])
        assert sample.known[place] == (d >= 1.5)


@pytest.mark.parametrize("kwargs", [{"sigma": -1}, {"completeness": 0}, {"noise": float("nan")}])
def test_settings_that_make_no_sense_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        PhaseSettings(**kwargs)
