"""Known compounds as powders of an independent program: is the structure right in the first answer, and in five?

    python tests/benchmarks/densities_powders.py [--count 30] [--seed 1] [--unseen]

Cells, space groups and coordinates are those of handbooks; |F|² are gemmi's (its own summation, form factors of
International Tables C); peak shapes, doublet, zero shift, displacement of the specimen, texture, background and noise
are written here and share no code with the solver. A type counts as right where the space group is, and every axis
of the conventional cell within 1 %. Seconds are of the processor. With --unseen, types of the space group and with the
sites of the compound are taken out of the pool.
"""

import argparse
import time

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.model.problems.densities.powder import PowderPattern
from dsfu.model.problems.densities.solve import solve
from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.structure_types import StructureType, from_crystal, shipped_types

Array = npt.NDArray[np.float64]

COMPOUNDS = """
NaCl|F m -3 m|5.6402 5.6402 5.6402 90 90 90|Na 0 0 0; Cl .5 .5 .5
CsCl|P m -3 m|4.123 4.123 4.123 90 90 90|Cs 0 0 0; Cl .5 .5 .5
ZnS|F -4 3 m|5.4093 5.4093 5.4093 90 90 90|Zn 0 0 0; S .25 .25 .25
CaF2|F m -3 m|5.4631 5.4631 5.4631 90 90 90|Ca 0 0 0; F .25 .25 .25
ZnO|P 63 m c|3.2498 3.2498 5.2066 90 90 120|Zn .33333 .66667 0; O .33333 .66667 .3821
TiO2|P 42/m n m|4.5937 4.5937 2.9587 90 90 90|Ti 0 0 0; O .3048 .3048 0
TiO2|I 41/a m d:1|3.7852 3.7852 9.5139 90 90 90|Ti 0 0 0; O 0 0 .2081
SrTiO3|P m -3 m|3.905 3.905 3.905 90 90 90|Sr .5 .5 .5; Ti 0 0 0; O .5 0 0
PbTiO3|P 4 m m|3.904 3.904 4.152 90 90 90|Pb 0 0 0; Ti .5 .5 .539; O .5 .5 .114; O .5 0 .617
Al2O3|R -3 c:H|4.7589 4.7589 12.991 90 90 120|Al 0 0 .35216; O .30624 0 .25
CaCO3|R -3 c:H|4.9896 4.9896 17.061 90 90 120|Ca 0 0 0; C 0 0 .25; O .2568 0 .25
CaCO3|P m c n|4.9614 7.9671 5.7404 90 90 90|Ca .25 .415 .7597; C .25 .7622 -.0862; O .25 .9225 -.0962;\
 O .4736 .681 -.0862
SiO2|P 32 2 1|4.9134 4.9134 5.4052 90 90 120|Si .4697 0 .66667; O .4135 .2669 .7858
MgAl2O4|F d -3 m:2|8.0831 8.0831 8.0831 90 90 90|Mg .125 .125 .125; Al .5 .5 .5; O .2624 .2624 .2624
FeS2|P a -3|5.4166 5.4166 5.4166 90 90 90|Fe 0 0 0; S .385 .385 .385
FeS2|P n n m|4.443 5.425 3.387 90 90 90|Fe 0 0 0; S .2 .378 0
Cu2O|P n -3 m:1|4.2696 4.2696 4.2696 90 90 90|O 0 0 0; Cu .25 .25 .25
LaB6|P m -3 m|4.1569 4.1569 4.1569 90 90 90|La 0 0 0; B .1975 .5 .5
MoS2|P 63/m m c|3.1604 3.1604 12.295 90 90 120|Mo .33333 .66667 .25; S .33333 .66667 .621
NiAs|P 63/m m c|3.619 3.619 5.034 90 90 120|Ni 0 0 0; As .33333 .66667 .25
MgB2|P 6/m m m|3.0864 3.0864 3.5215 90 90 120|Mg 0 0 0; B .33333 .66667 .5
CuFeS2|I -4 2 d|5.289 5.289 10.423 90 90 90|Cu 0 0 0; Fe 0 0 .5; S .2574 .25 .125
ZrSiO4|I 41/a m d:2|6.607 6.607 5.982 90 90 90|Zr 0 .75 .125; Si 0 .25 .375; O 0 .0661 .1953
CaWO4|I 41/a:2|5.243 5.243 11.376 90 90 90|Ca 0 .25 .625; W 0 .25 .125; O .1507 .0086 .2106
BaSO4|P n m a|8.879 5.454 7.154 90 90 90|Ba .1845 .25 .1585; S .4373 .75 .1908; O .5870 .75 .1060;\
 O .3176 .75 .0498; O .4194 .9702 .3118
Mg2SiO4|P b n m|4.756 10.207 5.980 90 90 90|Mg 0 0 0; Mg .9915 .2774 .25; Si .4262 .094 .25; O .7657 .0913 .25;\
 O .2215 .4474 .25; O .2777 .1628 .0331
CaTiO3|P b n m|5.388 5.447 7.654 90 90 90|Ca .9925 .035 .25; Ti 0 .5 0; O .071 .484 .25; O .7108 .2888 .0371
ZrO2|P 1 21/c 1|5.1505 5.2116 5.3173 90 99.23 90|Zr .2754 .0395 .2083; O .07 .3317 .3447; O .4496 .7569 .4792
Y3Al5O12|I a -3 d|12.009 12.009 12.009 90 90 90|Y .125 0 .25; Al 0 0 0; Al .375 0 .25; O -.0306 .0512 .1500
In2O3|I a -3|10.117 10.117 10.117 90 90 90|In .25 .25 .25; In .4664 0 .25; O .3905 .1529 .382
BiOCl|P 4/n m m:2|3.8870 3.8870 7.354 90 90 90|Bi .25 .25 .1717; O .25 .75 0; Cl .25 .25 .6459
BaFe2As2|I 4/m m m|3.9625 3.9625 13.0168 90 90 90|Ba 0 0 0; Fe 0 .5 .25; As 0 0 .3545
K2PtCl6|F m -3 m|9.755 9.755 9.755 90 90 90|K .25 .25 .25; Pt 0 0 0; Cl .24 0 0
LiCoO2|R -3 m:H|2.816 2.816 14.052 90 90 120|Li 0 0 .5; Co 0 0 0; O 0 0 .2605
LiFePO4|P n m a|10.332 6.010 4.692 90 90 90|Li 0 0 0; Fe .2822 .25 .9747; P .0949 .25 .4182; O .0968 .25 .7428;\
 O .4571 .25 .2060; O .1656 .0465 .2848
Sr2FeMoO6|I 4/m|5.575 5.575 7.893 90 90 90|Sr 0 .5 .25; Fe 0 0 .5; Mo 0 0 0; O 0 0 .25; O .265 .235 0
"""
"""Formula, space group, cell, sites; from Wyckoff's Crystal Structures and refinements quoted in textbooks."""

SOURCES = ((1.540593, 2 / 3), (1.544427, 1 / 3)), ((0.70930, 2 / 3), (0.71359, 1 / 3)), ((0.41328, 1.0),)
"""Tubes of copper and molybdenum, and a synchrotron: wavelengths in Å and shares."""


def structure_of(line: str) -> tuple[str, gemmi.SmallStructure]:
    formula, group, cell, sites = line.split("|")
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*map(float, cell.split()))
    structure.spacegroup_hm = group
    structure.spacegroup = gemmi.find_spacegroup_by_name(group)
    for number, text in enumerate(sites.split(";")):
        name, *xyz = text.split()
        site = gemmi.SmallStructure.Site()
        site.label, site.type_symbol, site.element = f"{name}{number}", name, gemmi.Element(name)
        site.fract, site.occ, site.u_iso = gemmi.Fractional(*map(float, xyz)), 1.0, 0.008
        structure.add_site(site)
    structure.setup_cell_images()
    structure.change_occupancies_to_crystallographic()
    return formula, structure


def lines_of(structure: gemmi.SmallStructure, d_min: float) -> tuple[Array, Array, Array]:
    """d in Å, multiplicity · |F|², and the angle with the axis 001, of unique reflections."""
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    operations = structure.spacegroup.operations()
    hkls = gemmi.make_miller_array(structure.cell, structure.spacegroup, d_min)
    d = structure.cell.calculate_d_array(hkls)
    along = np.array([0, 0, 1.0])
    orthogonal = np.array(structure.cell.frac.mat.tolist())
    squares, tilts = [], []
    for hkl in hkls:
        multiplicity = 2 * len(operations.sym_ops) / operations.epsilon_factor_without_centering(hkl)
        if operations.is_reflection_centric(hkl):
            multiplicity /= 2
        squares.append(multiplicity * abs(calculator.calculate_sf_from_small_structure(structure, hkl)) ** 2)
        normal, axis = hkl @ orthogonal, along @ orthogonal
        tilts.append((normal @ axis) ** 2 / (normal @ normal) / (axis @ axis))
    return d, np.array(squares), np.array(tilts)


def powder_of(
    structure: gemmi.SmallStructure, rng: np.random.Generator, source: int, texture: float | None = None
) -> PowderPattern:
    """A measured pattern: pseudo-Voigt peaks on a curved background with counting noise.

    texture: March's r about the axis 001, drawn if none is given.
    """
    scale = SOURCES[source][0][0] / SOURCES[0][0][0]
    step = 0.02 * (1 if source == 0 else 0.5)
    angles = np.arange(10 * max(scale, 0.4), 100 * (1 if source == 0 else 0.55 if source == 1 else 0.38), step)
    zero, offset = rng.uniform(-0.05, 0.05), rng.uniform(-0.06, 0.06) if source < 2 else 0.0
    width, mixing = rng.uniform(0.06, 0.14) * (1 if source == 0 else 0.6), rng.uniform(0.3, 0.7)
    counts = np.zeros(len(angles))
    d_min = SOURCES[source][0][0] / 2 / np.sin(np.radians(angles[-1] / 2 + 1))
    d, squares, tilts = lines_of(structure, d_min)
    drawn = rng.uniform(0.85, 1.15)
    r = drawn if texture is None else texture
    squares = squares * (r**2 * tilts + (1 - tilts) / r) ** -1.5
    for wavelength, share in SOURCES[source]:
        sine = wavelength / 2 / d
        theta = np.arcsin(np.minimum(sine, 1))
        polarisation = (1 + np.cos(2 * theta) ** 2) / 2 if source < 2 else 1.0
        areas = share * squares * polarisation / (np.sin(theta) * np.sin(2 * theta))
        centres = np.degrees(2 * theta) + zero + offset * np.cos(theta)
        widths = width * (1 + 0.8 * np.tan(theta))
        for centre, area, fwhm in zip(centres, areas, widths, strict=True):
            near = np.abs(angles - centre) < 40 * fwhm
            x = (angles[near] - centre) / (fwhm / 2)
            gauss = np.exp(-np.log(2) * x**2) * np.sqrt(np.log(2) / np.pi)
            counts[near] += area / (fwhm / 2) * (mixing / (np.pi * (1 + x**2)) + (1 - mixing) * gauss)
    span = (angles - angles[0]) / np.ptp(angles)
    level = 0.05 + 0.1 * np.exp(-5 * span) + 0.03 * np.exp(-0.5 * ((span - 0.2) / 0.07) ** 2)
    counts = rng.poisson(rng.uniform(2000, 8000) * (counts / counts.max() + level)).astype(np.float64)
    return PowderPattern(two_theta=angles, counts=counts, wavelength=SOURCES[source][0][0])


def right(structure: gemmi.SmallStructure, kind: object) -> bool:
    number, cell = kind.number, np.sort(kind.cell[:3])  # type: ignore[attr-defined]
    wanted = np.sort([structure.cell.a, structure.cell.b, structure.cell.c])
    mirror = {92: 96, 152: 154, 169: 170, 171: 172, 178: 179, 180: 181, 144: 145, 76: 78, 91: 95, 212: 213}
    mates = {*mirror.items(), *((b, a) for a, b in mirror.items())}
    group = structure.spacegroup.number
    return (group == number or (group, number) in mates) and bool(np.abs(cell / wanted - 1).max() < 0.01)


def unseen(structure: gemmi.SmallStructure) -> list[StructureType]:
    """The shipped types without the compound's own."""
    atoms = structure.get_all_unit_cell_sites()
    places = [each.fract.tolist() for each in atoms]
    crystal = unit_cell(structure.cell.parameters, places, [each.element.atomic_number for each in atoms])
    own = from_crystal(crystal, "its own")
    return [each for each in shipped_types() if (each.number, _sites(each)) != (own.number, _sites(own))]


def _sites(kind: StructureType) -> list[tuple[int, int]]:
    return sorted((multiplicity, free) for _, multiplicity, free in kind.wyckoff_counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unseen", action="store_true")
    options = parser.parse_args()
    rows = []
    compounds = [line for line in COMPOUNDS.splitlines() if line][: options.count]
    for number, line in enumerate(compounds):
        formula, structure = structure_of(line)
        source = (0, 0, 1, 2)[number % 4]
        pattern = powder_of(structure, np.random.default_rng([options.seed, number]), source)
        start = time.process_time()
        try:
            answer = solve(pattern, parse_formula(formula), kinds=unseen(structure) if options.unseen else None)
        except InputError as error:
            print(f"{formula:10s} {error}")
            continue
        seconds = time.process_time() - start
        hits = [right(structure, each.kind) for each in answer.candidates]
        rows.append((bool(hits[:1] == [True]), any(hits), answer.verdict, seconds))
        best = answer.candidates[0].kind if answer.candidates else None
        print(
            f"{formula:10s} {structure.spacegroup.number:4d} λ {pattern.wavelength:.4f}  first {rows[-1][0]!s:5} "
            f"five {rows[-1][1]!s:5} {answer.verdict:13s} {seconds:5.1f} s  found {best.number if best else '-'} "
            f"{best.name if best else ''}",
            flush=True,
        )
    solved = [each for each in rows if each[2] == "solved"]
    print(
        f"{len(rows)} powders: first {sum(r[0] for r in rows)}, five {sum(r[1] for r in rows)}; called solved "
        f"{len(solved)}, of these right {sum(r[0] for r in solved)}; seconds median "
        f"{np.median([r[3] for r in rows]):.1f}, most {max(r[3] for r in rows):.1f}"
    )


if __name__ == "__main__":
    main()
