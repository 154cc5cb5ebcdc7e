"""Geometries of the species library: how each kind is made, for `make_species`.

Where geometries come from
--------------------------
- "g2": ASE's own library, `ase.build.molecule`, MP2(full)/6-31G(d) geometries of the G2 set (Curtiss, Raghavachari,
  Redfern & Pople, J. Chem. Phys. 106, 1063 (1997)), distributed with ASE under the LGPL. Coordinates are facts.
- "ideal": ideal symmetry and bond lengths typical of crystal structures (International Tables for Crystallography C,
  ch. 9.5 and 9.6: averages over published structures, to which 0.01 to 0.02 Å is added for libration). For small ions
  and adamantane, where a force field is either unreliable or beside the point.
- "RDKit": from SMILES by ETKDGv3 and MMFF94 (UFF where MMFF94 lacks parameters), 20 conformers from a fixed seed, the
  lowest in energy. RDKit is under the BSD licence; what it computes belongs to this project.
- "perovskite": cells as described at `perovskite`.
No geometry is taken from another program for diffuse scattering, nor from a database of crystal structures. The files
are part of dsfu and under its licence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import molecule
from rdkit import Chem
from rdkit.Chem import AllChem, rdMolTransforms

SEED = 20240229
CONFORMERS = 20
SAME_ENERGY = 1e-3  # kcal/mol

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
OCTAHEDRON = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
TRIANGLE = np.array([[1, 0, 0], [-0.5, 0, np.sqrt(0.75)], [-0.5, 0, -np.sqrt(0.75)]])


@dataclass(frozen=True)
class Geometry:
    """Atoms as they come from their source; ``laid`` where they already lie as they should."""

    atoms: Atoms
    source: str
    smiles: str = ""
    laid: bool = False
    cell_lengths: tuple[float, float, float] | None = None


def single_atom(symbol: str) -> Callable[[], Geometry]:
    return lambda: Geometry(Atoms(symbol), "atom", laid=True)


def g2(key: str, smiles: str) -> Callable[[], Geometry]:
    def make() -> Geometry:
        found = molecule(key)
        return Geometry(Atoms(numbers=found.numbers, positions=found.positions), f"g2: ASE's {key}", smiles)

    return make


def ideal_ion(centre: str, ligand: str, directions: np.ndarray, length: float, smiles: str) -> Callable[[], Geometry]:
    positions = np.vstack([[0.0, 0.0, 0.0], length * directions])
    symbols = [centre] + [ligand] * len(directions)
    return lambda: Geometry(Atoms(symbols, positions), f"ideal: {centre}-{ligand} {length} Å", smiles, laid=True)


def three_around(axis_angle: float, length: float, phase: float) -> np.ndarray:
    """Three bonds at an angle to +y, spread evenly about it; degrees and Å."""
    polar, around = np.radians(axis_angle), np.radians(phase + np.array([0.0, 120.0, 240.0]))
    return length * np.stack(
        [np.sin(polar) * np.cos(around), np.full(3, np.cos(polar)), np.sin(polar) * np.sin(around)], 1
    )


def triflate() -> Geometry:
    """Staggered, C3v: C-S 1.82, S-O 1.44, C-F 1.33 Å; C-S-O 103.5° (so O-S-O 115°), S-C-F 111.3° (F-C-F 108°)."""
    carbon = np.array([0.0, 1.82, 0.0])
    fluorine = carbon + three_around(180.0 - 111.3, 1.33, 60.0)
    positions = np.vstack([[0.0, 0.0, 0.0], carbon, three_around(103.5, 1.44, 0.0), fluorine])
    return Geometry(Atoms("SCO3F3", positions), "ideal: C-S 1.82, S-O 1.44, C-F 1.33 Å", "[O-]S(=O)(=O)C(F)(F)F")


def trifluoroacetate() -> Geometry:
    """Cs, one F in the plane of CO2: C-C 1.54, C-O 1.25, C-F 1.34 Å; O-C-O 128°, C-C-F 112°."""
    carbon = np.array([0.0, 1.54, 0.0])
    half = np.radians(64.0)
    oxygen = 1.25 * np.array([[np.sin(half), -np.cos(half), 0.0], [-np.sin(half), -np.cos(half), 0.0]])
    fluorine = carbon + three_around(180.0 - 112.0, 1.34, 0.0)
    positions = np.vstack([[0.0, 0.0, 0.0], carbon, oxygen, fluorine])
    return Geometry(Atoms("C2O2F3", positions), "ideal: C-C 1.54, C-O 1.25, C-F 1.34 Å", "[O-]C(=O)C(F)(F)F")


def adamantane() -> Geometry:
    """A piece of diamond, Td: C-C 1.54, C-H 1.10 Å."""
    step = 1.54 / np.sqrt(3)
    bridgeheads = step * np.sqrt(3) * TETRAHEDRON
    bridges = 2 * step * OCTAHEDRON
    hydrogens = [carbon * (1 + 1.10 / 1.54) for carbon in bridgeheads]
    for bridge, outward in zip(bridges, OCTAHEDRON, strict=True):
        # From a bridge, carbons lie inwards along tetrahedral directions, hydrogens outwards along the inverse ones.
        hydrogens += [bridge + 1.10 * direction for direction in -TETRAHEDRON if direction @ outward > 0]
    positions = np.vstack([bridgeheads, bridges, hydrogens])
    return Geometry(Atoms("C10H16", positions), "ideal: C-C 1.54, C-H 1.10 Å", "C1C2CC3CC1CC(C2)C3", laid=True)


def from_smiles(smiles: str, torsion: tuple[int, int, int, int, float] | None = None) -> Callable[[], Geometry]:
    """Lowest of 20 conformers; ``torsion`` fixes one dihedral angle: four atoms of the SMILES, and degrees."""

    def make() -> Geometry:
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        settings = AllChem.ETKDGv3()
        settings.randomSeed = SEED
        ids = list(AllChem.EmbedMultipleConfs(mol, CONFORMERS, settings))
        method = "MMFF94" if AllChem.MMFFHasAllMoleculeParams(mol) else "UFF"
        energies = [relaxed_energy(mol, method, conformer, torsion) for conformer in ids]
        best = next(i for i, energy in zip(ids, energies, strict=True) if energy < min(energies) + SAME_ENERGY)
        numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
        source = f"RDKit: ETKDGv3, {method}" + (f", torsion held at {torsion[4]:g}°" if torsion else "")
        return Geometry(Atoms(numbers=numbers, positions=mol.GetConformer(best).GetPositions()), source, smiles)

    return make


def relaxed_energy(
    mol: Chem.Mol, method: str, conformer: int, torsion: tuple[int, int, int, int, float] | None
) -> float:
    """Relax one conformer in place; energy in kcal/mol."""
    if torsion:
        rdMolTransforms.SetDihedralDeg(mol.GetConformer(conformer), *torsion)
    if method == "MMFF94":
        field = AllChem.MMFFGetMoleculeForceField(mol, AllChem.MMFFGetMoleculeProperties(mol), confId=conformer)
    else:
        field = AllChem.UFFGetMoleculeForceField(mol, confId=conformer)
    if torsion:
        add = field.MMFFAddTorsionConstraint if method == "MMFF94" else field.UFFAddTorsionConstraint
        add(*torsion[:4], False, torsion[4], torsion[4], 1e4)
    for _ in range(20):
        if field.Minimize(maxIts=2000, forceTol=1e-7, energyTol=1e-10) == 0:
            break
    else:
        raise RuntimeError(f"{Chem.MolToSmiles(mol)}: {method} did not converge")
    return float(field.CalcEnergy())


def perovskite(
    centre: str, across: float | None, along: float | None, cell: tuple[float, float, float], hydroxide: bool = False
) -> Callable[[], Geometry]:
    """One cell of ABX3, its B site at the origin, A at one corner and X at three faces, each counted once.

    ``across`` and ``along`` are the distances in Å from the B site to X on the a and c axes and on b; None leaves that
    X out. Octahedra do not tilt, and their bonds are those of the real, tilted, compounds (to 0.01 or 0.02 Å), so that
    a cell is twice the bond; but no shorter than 3.89 Å, where a small B pulls its X a little inwards off the faces.
    """
    a, b, c = cell
    symbols, positions = ["Ca"], [[-a / 2, -b / 2, -c / 2]]
    if centre:
        symbols, positions = [*symbols, centre], [*positions, [0.0, 0.0, 0.0]]
    for axis, distance in enumerate((across, along, across)):
        for symbol, inwards in (("O", 0.0), ("H", 0.97)) if hydroxide else (("O", 0.0),):
            if distance is not None:
                symbols.append(symbol)
                positions.append([inwards - distance if i == axis else 0.0 for i in range(3)])
    return lambda: Geometry(Atoms(symbols, positions), "perovskite", laid=True, cell_lengths=cell)
