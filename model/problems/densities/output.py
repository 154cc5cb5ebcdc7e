"""Files of an answer: CIF, density as a CCP4 map, JSON, and a page."""

import json
from pathlib import Path
from typing import Any

import gemmi

from dsfu.files import write_text
from dsfu.model.problems.densities.fitting import Fit
from dsfu.model.problems.densities.report import page, space_group_name
from dsfu.model.problems.densities.solve import DensityAnswer
from dsfu.simulate.densities.structure_types import StructureType
from dsfu.simulate.structures.ccp4 import write_ccp4


def answer_files(folder: Path) -> list[Path]:
    """Files in a folder that an answer would, or could, replace."""
    return [folder / "answer.json", folder / "report.html", *sorted(folder.glob("candidate-*.*"))]


def write_answer(answer: DensityAnswer, folder: Path, title: str) -> dict[str, Any]:
    """Write everything into a folder and return what the JSON says."""
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for number, found in enumerate(answer.candidates, 1):
        cif, density = folder / f"candidate-{number}.cif", folder / f"candidate-{number}.ccp4"
        write_text(cif, cif_text(found))
        write_map(found.kind, density)
        told.append(summary(found) | {"cif": str(cif), "map": str(density)})
    result = {
        "candidates": told, "verdict": answer.verdict, "reason": answer.reason,
        "wavelength": answer.wavelength, "tried": answer.tried, "possible": answer.possible,
    }  # fmt: skip
    write_text(folder / "answer.json", json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    write_text(folder / "report.html", page(answer, title))
    return result


def summary(found: Fit) -> dict[str, Any]:
    """A candidate in numbers."""
    return {
        "type": found.kind.name,
        "prototype": found.kind.prototype,
        "space_group": space_group_name(found.kind),
        "space_group_number": found.kind.number,
        "cell": [round(value, 5) for value in found.kind.cell],
        "r": round(found.r, 4),
        "r_of_noise": round(found.noise, 4),
        "r_without_noise": round(found.excess, 4),
        "zero": round(found.zero, 4),
        "fwhm": round(found.fwhm, 4),
        "b_iso": round(found.b_iso, 3),
        "texture": found.texture,
    }


def cif_text(found: Fit) -> str:
    """A CIF with symmetry and one atom of each site."""
    kind = found.kind
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = ["data_candidate", f"_chemical_name_structure_type '{kind.name}'"]
    lines += [f"_space_group_name_H-M_alt '{space_group_name(kind)}'", f"_space_group_name_Hall '{kind.hall}'"]
    lines += [f"_space_group_IT_number {kind.number}"]
    lines += [f"_cell_{name} {value:.5f}" for name, value in zip(names, kind.cell, strict=True)]
    lines += ["loop_", "_space_group_symop_operation_xyz"]
    lines += [f"'{op.triplet()}'" for op in gemmi.symops_from_hall(kind.hall)]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"] + ["_atom_site_B_iso_or_equiv"]
    for number, (z, xyz) in enumerate(kind.sites, 1):
        name = gemmi.Element(z).name
        lines.append(f"{name}{number} {name} " + " ".join(f"{x:.5f}" for x in xyz) + f" {found.b_iso:.2f}")
    return "\n".join(lines) + "\n"


def write_map(kind: StructureType, path: Path) -> None:
    """The density of all electrons, e/Å³ on 50³ points of the cell, as a CCP4 map."""
    from dsfu.simulate.densities.density import density

    write_ccp4(path, density(kind.crystal()), kind.cell)
