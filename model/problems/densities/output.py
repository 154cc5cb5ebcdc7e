"""Files of an answer: CIF, density as a CCP4 map, JSON, and a page."""

import json
from html import escape
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from dsfu.files import write_text
from dsfu.model.problems.densities.fitting import Fit
from dsfu.model.problems.densities.solve import DensityAnswer
from dsfu.pages.frame import Table, document, section
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.structure_types import StructureType
from dsfu.simulate.structures.ccp4 import write_ccp4


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
        "zero": round(found.zero, 4),
        "fwhm": round(found.fwhm, 4),
        "b_iso": round(found.b_iso, 3),
        "texture": found.texture,
    }


def space_group_name(kind: StructureType) -> str:
    """Hermann-Mauguin symbol of the setting."""
    group = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(kind.hall))
    return str(group.hm) if group else f"number {kind.number}"


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


def page(answer: DensityAnswer, title: str) -> str:
    """A page that shows the fit of the first candidate and the list of all."""
    header = (
        f"<header><h1>{escape(title)}</h1><p><b>{escape(answer.verdict)}</b>: {escape(answer.reason)}.</p></header>"
    )
    rows = [
        [
            str(number), each.kind.prototype, space_group_name(each.kind),
            " ".join(f"{value:.4f}" for value in each.kind.cell[:3]) + "; "
            + " ".join(f"{value:.2f}" for value in each.kind.cell[3:]),
            f"{each.r:.3f}",
        ]
        for number, each in enumerate(answer.candidates, 1)
    ]  # fmt: skip
    table = Table(
        title="Candidates", heads=("", "Structure type of", "Space group", "Cell (Å, degrees)", ">R"), rows=rows,
        note=f"{answer.tried} of {answer.possible} decorated structure types were tried. "
        "R = Σ|net − calculated| / Σ|net|. "
        "Like elements on exchanged sites give like patterns; densities are of spherical atoms.",
    )  # fmt: skip
    picture = _picture(answer.candidates[0]) if answer.candidates else ""
    return document(title, [header, picture, section(table)])


def _picture(found: Fit) -> str:
    """Measured and calculated curves of the best candidate, and their difference, as SVG."""
    width, height = 1000.0, 320.0
    x = (found.two_theta - found.two_theta[0]) / (found.two_theta[-1] - found.two_theta[0]) * width
    top = max(float(found.net.max()), 1e-12)

    def line(values: FloatArray, style: str, base: float) -> str:
        y = base - np.clip(values / top, -0.3, 1.05) * 230
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        return f'<polyline class="{style}" style="stroke-width:1" points="{points}"/>'

    curves = line(found.net, "line0", 245) + line(found.calculated, "line1", 245)
    curves += line(found.net - found.calculated, "line0", 290)
    labels = f'<text x="0" y="{height - 4}">{found.two_theta[0]:.1f}°</text>'
    labels += f'<text x="{width}" y="{height - 4}" text-anchor="end">{found.two_theta[-1]:.1f}°</text>'
    caption = "Net intensity against 2θ: measured (blue), first candidate (orange); below: difference."
    return (
        f'<section><h2>Fit</h2><figure><svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{caption}">'
        f"{curves}{labels}</svg><figcaption>{caption}</figcaption></figure></section>"
    )
