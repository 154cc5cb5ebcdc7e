"""Crystals for tests whose reflections gemmi calculates: its own form factors, symmetry and sums, none of ours."""

from pathlib import Path

import gemmi
import numpy as np
from ase.build import molecule

from dsfu.simulate.phases.packing import pack


def packed(name: str, group: str, seed: int = 1) -> gemmi.SmallStructure:
    """A molecule of ase packed in a group."""
    what = molecule(name)
    contents = pack(what.numbers, what.positions, seed=seed, space_group=group)
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*contents.cell)
    structure.spacegroup_hm = contents.space_group
    structure.determine_and_set_spacegroup("2")
    for i in range(len(what.numbers)):
        site = gemmi.SmallStructure.Site()
        site.element = gemmi.Element(int(contents.numbers[i]))
        site.fract = gemmi.Fractional(*contents.positions[i])
        site.u_iso = contents.b_iso[i] / (8 * np.pi**2)
        site.occ = 1.0
        structure.add_site(site)
    structure.setup_cell_images()
    return structure


def cubic(symbol: str, a: float, sites: list[tuple[str, tuple[float, float, float]]]) -> gemmi.SmallStructure:
    """An inorganic crystal: elements and places of its asymmetric unit."""
    crystal = gemmi.SmallStructure()
    crystal.cell = gemmi.UnitCell(a, a, a, 90, 90, 90)
    crystal.spacegroup_hm = symbol
    crystal.determine_and_set_spacegroup("2")
    for name, place in sites:
        site = gemmi.SmallStructure.Site()
        site.element, site.occ, site.u_iso, site.fract = gemmi.Element(name), 1.0, 0.02, gemmi.Fractional(*place)
        crystal.add_site(site)
    crystal.setup_cell_images()
    crystal.change_occupancies_to_crystallographic()
    return crystal


def calculated(structure: gemmi.SmallStructure, hkl: np.ndarray) -> np.ndarray:
    """F by gemmi."""
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    return np.array([calculator.calculate_sf_from_small_structure(structure, [int(i) for i in h]) for h in hkl])


def write_hkl(
    path: Path, structure: gemmi.SmallStructure, d_min: float, *, seed: int = 0, missing: float = 0.05
) -> None:
    """HKLF 4 of unique reflections with noise, some missing, absences among them; .ins with cell and formula."""
    rng = np.random.default_rng(seed)
    hkl = np.array(gemmi.make_miller_array(structure.cell, structure.spacegroup, d_min, 0.0, True))
    intensity = np.abs(calculated(structure, hkl)) ** 2
    intensity *= 9000 / intensity.max()
    sigma = np.sqrt((0.03 * intensity) ** 2 + (0.05 * np.median(intensity)) ** 2)
    operations = structure.spacegroup.operations()
    lines = [
        "".join(f"{index:4d}" for index in h) + f"{i + s * rng.standard_normal():8.2f}{s:8.2f}"
        for h, i, s in zip(hkl, intensity, sigma, strict=True)
        if rng.random() > missing
    ]
    weak = float(sigma.min())
    lines += [
        "".join(f"{i:4d}" for i in h) + f"{weak * rng.standard_normal():8.2f}{weak:8.2f}"
        for h in np.ndindex(6, 6, 6)
        if any(h) and operations.is_systematically_absent(list(h)) and structure.cell.calculate_d(list(h)) >= d_min
    ]
    path.write_text("\n".join([*lines, "   0   0   0    0.00    0.00", ""]))
    counts: dict[str, int] = {}
    for site in structure.get_all_unit_cell_sites():
        counts[site.element.name] = counts.get(site.element.name, 0) + 1
    cell = " ".join(f"{x:.5f}" for x in structure.cell.parameters)
    path.with_suffix(".ins").write_text(
        f"TITL made\nCELL 0.71073 {cell}\nSFAC {' '.join(counts)}\nUNIT {' '.join(map(str, counts.values()))}\nHKLF 4\n"
    )


def correlation(density: np.ndarray, structure: gemmi.SmallStructure, d_min: float) -> float:
    """Of a map with the structure's at the same resolution, best over shifts by half voxels and inversion."""
    hkl = np.array(gemmi.make_miller_array(structure.cell, gemmi.SpaceGroup("P 1"), d_min, 0.0, True))
    hkl = np.concatenate([hkl, -hkl])
    values = calculated(structure, hkl)
    transform = np.fft.fftn(density - density.mean())
    ours = np.conj(transform[tuple((hkl % np.array(density.shape)).T)])
    finer = 2 * np.array(density.shape)
    best = 0.0
    for each in (ours, np.conj(ours)):
        products = np.zeros(finer, dtype=complex)
        products[tuple((hkl % finer).T)] = np.conj(each) * values
        best = max(best, np.fft.fftn(products).real.max())
    return float(best / (np.linalg.norm(transform) * np.linalg.norm(values)))
