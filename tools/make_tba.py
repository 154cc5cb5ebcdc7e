"""Make examples/tba/up.xyz and down.xyz: columns of N,N′,N″-tri-tert-butyl-benzene-1,3,5-tricarboxamide.

    python tools/make_tba.py

An idealised geometry, built from standard values; no published coordinates are used. What it is and is not:
examples/tba/README.md.

Bond lengths are typical of crystal structures (International Tables for Crystallography C, ch. 9.5): C-C aromatic 1.39,
C(ar)-C(=O) 1.50, C=O 1.24, C-N amide 1.33, N-C(tert) 1.48, C-CH3 1.52 Å; hydrogen as riding models of X-ray
refinements have it: aromatic 0.95, N-H 0.88, methyl 0.98 Å. Amides are planar and Z, and turned out of the plane of the
ring by TWIST; one methyl is anti to the carbonyl carbon. Molecules of a column lie c/2 apart, turned by 60°,
so N comes to lie 2.8 Å from the O of the next molecule, as in a hydrogen bond.
"""

import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.files import write_xyz
from dsfu.simulate.structures.structure import Structure

CELL = Cell(14.1, 14.1, 6.92, 90.0, 90.0, 120.0)
TWIST = 40.0
OUT = Path(__file__).parents[1] / "examples" / "tba"


def main() -> None:
    azimuth, contact = best_azimuth()
    up, down = column(azimuth), column(azimuth, upwards=False)
    sys.stdout.write(f"columns turned by {azimuth:.0f}° about c: shortest H...H between columns {contact:.2f} Å\n")
    sys.stdout.write(f"N...O in a column {hydrogen_bond(up):.2f} Å\n")
    OUT.mkdir(parents=True, exist_ok=True)
    write_xyz(OUT / "up.xyz", up)
    write_xyz(OUT / "down.xyz", down)


def column(azimuth_deg: float, upwards: bool = True) -> Structure:
    """Both molecules of a column's repeat, by their six arms; C=O upwards, or each mirrored in its ring's plane."""
    mirror = np.array([1.0, 1.0, 1.0 if upwards else -1.0])
    symbols: list[str] = []
    labels: list[str] = []
    parts: list[np.ndarray] = []
    for molecule in (0, 1):
        for third in range(3):
            arm_number = 1 + 3 * molecule + third
            turn = about_z(azimuth_deg + 60.0 * molecule + 120.0 * third)
            names, places = arm()
            parts.append(places @ turn.T * mirror + [0.0, 0.0, molecule * CELL.c / 2])
            symbols += [name[0] for name in names]
            labels += [name.replace("#", str(arm_number)) for name in names]
    atoms = Atoms(symbols, np.concatenate(parts))
    return Structure(
        numbers=np.array(atoms.numbers, np.int64),
        positions=np.array(atoms.positions),
        occupancies=np.ones(len(atoms)),
        labels=tuple(labels),
    )


def arm() -> tuple[list[str], np.ndarray]:
    """A third of a molecule, its arm along x: names with # for the number of the arm, and positions in Å."""
    twist = np.radians(TWIST)
    along, across = np.array([1.0, 0.0, 0.0]), np.array([0.0, np.cos(twist), np.sin(twist)])

    def in_amide(angle_deg: float, length: float) -> np.ndarray:
        return length * (np.cos(np.radians(angle_deg)) * along + np.sin(np.radians(angle_deg)) * across)

    ipso = 1.39 * along
    carbonyl = ipso + 1.50 * along
    oxygen = carbonyl + in_amide(180 - 120.5, 1.24)
    nitrogen = carbonyl + in_amide(-(180 - 116.5), 1.33)
    towards_tert = in_amide(-63.5 + 180 - 124.5, 1.0)
    hydrogen = nitrogen + in_amide(-63.5 + 180 - 124.5 - 117.75, 0.88)
    tert = nitrogen + 1.48 * towards_tert
    ring = about_z(60.0) @ along
    names = ["C#1", "C#2", "H#2", "C#3", "O#", "N#", "H#", "C#4"]
    places = [ipso, 1.39 * ring, (1.39 + 0.95) * ring, carbonyl, oxygen, nitrogen, hydrogen, tert]
    for number, phase in enumerate((180.0, 300.0, 60.0), 5):
        methyl = tert + bond(towards_tert, carbonyl - nitrogen, 109.5, phase, 1.52)
        names.append(f"C#{number}")
        places.append(methyl)
        for letter, around in zip("ABC", (180.0, 300.0, 60.0), strict=True):
            names.append(f"H#{number}{letter}")
            places.append(methyl + bond((methyl - tert) / 1.52, nitrogen - tert, 109.5, around, 0.98))
    return names, np.array(places)


def bond(axis: np.ndarray, reference: np.ndarray, angle_deg: float, dihedral_deg: float, length: float) -> np.ndarray:
    """A bond from the end of ``axis``, at an angle to it and a dihedral angle to the bond before it."""
    side = reference - (reference @ axis) * axis
    side /= np.linalg.norm(side)
    angle, dihedral = np.radians(angle_deg), np.radians(dihedral_deg)
    around = np.cos(dihedral) * side + np.sin(dihedral) * np.cross(axis, side)
    return length * (-np.cos(angle) * axis + np.sin(angle) * around)


def about_z(angle_deg: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def best_azimuth() -> tuple[float, float]:
    """How columns are turned about c: so that the closest atoms of neighbours, up or down, are as far as can be."""
    contacts = {float(azimuth): closest_between_columns(float(azimuth)) for azimuth in range(60)}
    azimuth = max(contacts, key=contacts.__getitem__)
    return azimuth, contacts[azimuth]


def closest_between_columns(azimuth_deg: float) -> float:
    up, down = column(azimuth_deg), column(azimuth_deg, upwards=False)
    period = np.array([0.0, 0.0, CELL.c])
    shortest = np.inf
    for other in (up.positions, down.positions):
        for neighbour in (CELL.vectors[0], CELL.vectors[1], CELL.vectors[0] + CELL.vectors[1]):
            for repeat in (-1, 0, 1):
                there = other + neighbour + repeat * period
                apart = np.linalg.norm(up.positions[:, None] - there[None], axis=-1)
                shortest = min(shortest, float(apart.min()))
    return shortest


def hydrogen_bond(up: Structure) -> float:
    atoms = Atoms(numbers=up.numbers, positions=up.positions, cell=[60, 60, CELL.c], pbc=[False, False, True])
    first, second, distance = neighbor_list("ijd", atoms, 4.0)
    between = (up.numbers[first] == 7) & (up.numbers[second] == 8) & (distance > 2.5)
    return float(distance[between].min())


if __name__ == "__main__":
    main()
