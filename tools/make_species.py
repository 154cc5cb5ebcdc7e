"""Make the species library, ``simulate/library/*.xyz``. Run once, result kept: installing dsfu needs no RDKit.

    pip install rdkit
    python tools/make_species.py

writes the five files and prints their digests, which tests/simulate/test_library.py holds.

Where geometries come from, `species_geometries` says.

How they lie
------------
Centroid of all atoms at the origin, principal axes on the cell's (`dsfu.simulate.shapes.laid_on_axes`); ideal ions of
cubic symmetry and adamantane as built, their two- or four-fold axes on the cell's. ``_R`` is the laid molecule turned
once by angles that its name determines, and is not laid again.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from species_geometries import (
    OCTAHEDRON,
    TETRAHEDRON,
    TRIANGLE,
    Geometry,
    adamantane,
    from_smiles,
    g2,
    ideal_ion,
    perovskite,
    single_atom,
    triflate,
    trifluoroacetate,
)

from dsfu.simulate.lattice import Cell
from dsfu.simulate.shapes import GROUPS, cell_lengths_by_rule, laid_on_axes, rotation_angles_of, rotation_matrix
from dsfu.simulate.species import LIBRARY_FILES

DIGITS = 8


@dataclass(frozen=True)
class Entry:
    """One line of the tables below; ``turned``: it has an ``_R`` too."""

    name: str
    label: str
    make: Callable[[], Geometry]
    turned: bool = True


TRAINING: tuple[tuple[Entry, ...], ...] = (
    (
        Entry("Al", "aluminium atom", single_atom("Al"), turned=False),
        Entry("Cu", "copper atom", single_atom("Cu"), turned=False),
        Entry("Ag", "silver atom", single_atom("Ag"), turned=False),
        Entry("perchlorate", "perchlorate, ClO4-", ideal_ion("Cl", "O", TETRAHEDRON, 1.44, "[O-]Cl(=O)(=O)=O")),
        Entry("sulfate", "sulfate, SO4 2-", ideal_ion("S", "O", TETRAHEDRON, 1.48, "[O-]S(=O)(=O)[O-]")),
        Entry("hexafluorophosphate", "PF6-", ideal_ion("P", "F", OCTAHEDRON, 1.60, "F[P-](F)(F)(F)(F)F")),
        Entry("norbornene", "bicyclo[2.2.1]hept-2-ene", from_smiles("C1CC2CC1C=C2")),
        Entry("hexafluoroantimonate", "SbF6-", ideal_ion("Sb", "F", OCTAHEDRON, 1.88, "F[Sb-](F)(F)(F)(F)F")),
        Entry("adamantane", "adamantane", adamantane),
        Entry("ammonium", "ammonium, NH4+", ideal_ion("N", "H", TETRAHEDRON, 1.03, "[NH4+]"), turned=False),
    ),
    (
        Entry("diethyl_ether", "diethyl ether", from_smiles("CCOCC")),
        Entry("dimethylammonium", "dimethylammonium, (CH3)2NH2+", from_smiles("C[NH2+]C")),
        Entry("dimethyl_carbonate", "dimethyl carbonate", from_smiles("COC(=O)OC")),
        Entry("ethanol", "ethanol, anti", g2("CH3CH2OH", "CCO")),
        Entry(
            "dichloroethane_anti",
            "1,2-dichloroethane, Cl-C-C-Cl 180°",
            from_smiles("ClCCCl", (0, 1, 2, 3, 180.0)),
        ),
        Entry("ethylammonium", "ethylammonium, C2H5NH3+", from_smiles("CC[NH3+]")),
        Entry(
            "dichloroethane_syn",
            "1,2-dichloroethane, synclinal (gauche), Cl-C-C-Cl 60°",
            from_smiles("ClCCCl", (0, 1, 2, 3, 60.0)),
        ),
        Entry("DMSO", "dimethyl sulfoxide", g2("C2H6SO", "CS(=O)C")),
        Entry("triflate", "trifluoromethanesulfonate", triflate),
        Entry("trifluoroacetate", "trifluoroacetate", trifluoroacetate),
    ),
    (
        Entry("dimethylpyrazolate", "3,5-dimethylpyrazolate", from_smiles("Cc1cc(C)[n-]n1")),
        Entry("water", "water", g2("H2O", "O")),
        Entry("DMF", "N,N-dimethylformamide", from_smiles("CN(C)C=O")),
        Entry("nitromethane", "nitromethane", g2("CH3NO2", "C[N+](=O)[O-]")),
        Entry("tert_butanol", "tert-butanol", from_smiles("CC(C)(C)O")),
        Entry("THF", "tetrahydrofuran", from_smiles("C1CCOC1")),
        Entry("nitrate", "nitrate, NO3-", ideal_ion("N", "O", TRIANGLE, 1.25, "[O-][N+](=O)[O-]")),
        Entry("dithiolane", "1,3-dithiolane", from_smiles("C1CSCS1")),
        Entry("chloroform", "chloroform", g2("HCCl3", "ClC(Cl)Cl")),
        Entry("cyclohexane", "cyclohexane, chair", from_smiles("C1CCCCC1")),
        Entry("dioxane", "1,4-dioxane, chair", from_smiles("C1COCCO1")),
        Entry("acetone", "acetone", g2("CH3COCH3", "CC(=O)C")),
        Entry("imidazole", "imidazole", from_smiles("c1c[nH]cn1")),
        Entry("thiophene", "thiophene", g2("C4H4S", "c1ccsc1")),
        Entry("dimethylacetamide", "N,N-dimethylacetamide", from_smiles("CC(=O)N(C)C")),
    ),
    (
        Entry("aniline", "aniline", from_smiles("Nc1ccccc1")),
        Entry("chlorobenzene", "chlorobenzene", from_smiles("Clc1ccccc1")),
        Entry("pyridine", "pyridine", g2("C5H5N", "c1ccncc1")),
        Entry("hexachlorobenzene", "hexachlorobenzene", from_smiles("Clc1c(Cl)c(Cl)c(Cl)c(Cl)c1Cl")),
        Entry("benzoate", "benzoate", from_smiles("[O-]C(=O)c1ccccc1")),
        Entry("benzoquinone", "1,4-benzoquinone", from_smiles("O=C1C=CC(=O)C=C1")),
        Entry("cymene", "p-cymene", from_smiles("Cc1ccc(C(C)C)cc1")),
        Entry("dichlorobenzene", "1,2-dichlorobenzene", from_smiles("Clc1ccccc1Cl")),
        Entry("fluorobenzene", "fluorobenzene", from_smiles("Fc1ccccc1")),
        Entry("hydroxyquinoline", "8-hydroxyquinoline", from_smiles("Oc1cccc2cccnc12")),
        Entry("naphthalene", "naphthalene", from_smiles("c1ccc2ccccc2c1")),
        Entry("toluene", "toluene", from_smiles("Cc1ccccc1")),
    ),
    (
        Entry("CaTiO3", "CaTiO3", perovskite("Ti", 1.95, 1.95, (3.90, 3.90, 3.90)), turned=False),
        Entry("CaMnO3", "CaMnO3", perovskite("Mn", 1.90, 1.90, (3.89, 3.89, 3.89)), turned=False),
        Entry("CaMoO3", "CaMoO3", perovskite("Mo", 2.00, 2.00, (4.00, 4.00, 4.00)), turned=False),
        Entry("CaZrO3", "CaZrO3", perovskite("Zr", 2.10, 2.10, (4.20, 4.20, 4.20)), turned=False),
        Entry("CaFeO3", "CaFeO3", perovskite("Fe", 1.92, 1.92, (3.89, 3.89, 3.89)), turned=False),
        # Half the cell of burtite, CaSn(OH)6 (8.13 Å); each OH points into the empty B site.
        Entry(
            "Ca_vacant_B_OH", "Ca(OH)3, B vacant", perovskite("", 2.03, 2.03, (4.06, 4.06, 4.06), True), turned=False
        ),
        # CuO2 sheets normal to b as in infinite-layer CaCuO2 (Cu-O 1.93 Å), in the cell of its neighbours.
        Entry("CaCuO_square_planar", "CaCuO2", perovskite("Cu", 1.93, None, (3.89, 3.89, 3.89)), turned=False),
        # Elongated along b: four Cu-O of 1.945 Å and two of 2.32 Å.
        Entry("CaCuO_Jahn_Teller", "CaCuO3", perovskite("Cu", 1.945, 2.32, (3.89, 4.64, 3.89)), turned=False),
    ),
)

VALIDATION: tuple[tuple[Entry, ...], ...] = (
    (
        Entry("Au", "gold atom", single_atom("Au"), turned=False),
        Entry("DABCO", "1,4-diazabicyclo[2.2.2]octane", from_smiles("C1CN2CCN1CC2")),
        Entry("tetrafluoroborate", "tetrafluoroborate, BF4-", ideal_ion("B", "F", TETRAHEDRON, 1.39, "F[B-](F)(F)F")),
    ),
    (
        Entry("isobutanol", "isobutanol", from_smiles("CC(C)CO")),
        Entry("dichloromethane", "dichloromethane", g2("H2CCl2", "ClCCl")),
        Entry("acetonitrile", "acetonitrile", g2("CH3CN", "CC#N")),
    ),
    (
        Entry("guanidinium", "diaminomethaniminium, C(NH2)3+", from_smiles("NC(N)=[NH2+]")),
        Entry("guanylthiourea", "guanylthiourea", from_smiles("NC(=S)N=C(N)N")),
        Entry("methylimidazole", "1-methylimidazole", from_smiles("Cn1ccnc1")),
        Entry("piperazine", "piperazine, chair", from_smiles("C1CNCCN1")),
    ),
    (
        Entry("methylindole", "3-methylindole", from_smiles("Cc1c[nH]c2ccccc12")),
        Entry("methylbenzoxazine", "2-methyl-4H-3,1-benzoxazine", from_smiles("CC1=Nc2ccccc2CO1")),
        Entry("methylquinolinol", "2-methylquinolin-8-ol", from_smiles("Cc1ccc2cccc(O)c2n1")),
        Entry("cresol", "p-cresol", from_smiles("Cc1ccc(O)cc1")),
        Entry("benzene", "benzene", g2("C6H6", "c1ccccc1")),
    ),
    (),
)


def frames_of(entry: Entry, group: int, split: str) -> list[str]:
    """Extended XYZ of a species, and of its ``_R`` if it has one."""
    made = entry.make()
    atoms = made.atoms
    if GROUPS[group].principal_axes is not None:
        atoms.positions -= atoms.positions.mean(axis=0)
        if not made.laid:
            atoms.positions = laid_on_axes(atoms.positions, atoms.numbers, group)
    info = {"label": entry.label, "source": made.source, "smiles": made.smiles}
    frames = [frame(entry.name, group, split, atoms, info, made.cell_lengths)]
    if entry.turned:
        angles = rotation_angles_of(entry.name)
        turned = Atoms(numbers=atoms.numbers, positions=atoms.positions @ rotation_matrix(angles).T)
        info |= {"label": f"{entry.label}, turned", "rotation": " ".join(f"{angle:.3f}" for angle in angles)}
        frames.append(frame(f"{entry.name}_R", group, split, turned, info, None))
    return frames


def frame(
    name: str,
    group: int,
    split: str,
    atoms: Atoms,
    info: dict[str, str],
    own_cell: tuple[float, float, float] | None,
) -> str:
    positions = atoms.positions.round(DIGITS) + 0.0  # + 0.0 turns -0.0 into 0.0
    lengths = own_cell or tuple(round(x, DIGITS) for x in cell_lengths_by_rule(group, positions))
    vectors = Cell(*lengths, beta=GROUPS[group].beta).vectors.ravel().round(DIGITS) + 0.0
    texts = {"cell_lengths": " ".join(f"{x:.{DIGITS}f}" for x in lengths)} | info
    fields = " ".join(f'{key}="{text}"' for key, text in texts.items() if text)
    lattice = " ".join(f"{x:.{DIGITS}f}" for x in vectors)
    keys = f"Properties=species:S:1:pos:R:3 name={name} group={group} split={split}"
    head = f'Lattice="{lattice}" {keys} {fields} pbc="T T T"'
    rows = (
        f"{symbol:2s}" + "".join(f"{x:{DIGITS + 7}.{DIGITS}f}" for x in row)
        for symbol, row in zip(atoms.symbols, positions, strict=True)
    )
    return "\n".join([str(len(atoms)), head, *rows]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the species library.")
    default = Path(__file__).resolve().parents[1] / "simulate" / "library"
    parser.add_argument("--out", type=Path, default=default, help="folder for the files (default: %(default)s)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for group, file in enumerate(LIBRARY_FILES):
        tables = (("train", TRAINING[group]), ("validation", VALIDATION[group]))
        text = "".join("".join(frames_of(entry, group, split)) for split, table in tables for entry in table)
        (out / file).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{file}  {hashlib.sha256(text.encode()).hexdigest()}\n")


if __name__ == "__main__":
    main()
