"""What a phased crystal leaves: a CCP4 map, peaks as .res and CIF, F with phases, a report, and a record in JSON."""

import json
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.files import write_text
from dsfu.model.problems.phases.elements import VOLUME_PER_ATOM
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.model.problems.phases.peaks import PeakList, find_peaks
from dsfu.model.problems.phases.report import report_of
from dsfu.model.problems.phases.solve import PhasedCrystal
from dsfu.simulate.constants import MO_KALPHA
from dsfu.simulate.structures.ccp4 import write_ccp4


def files_of(folder: Path, source: str | Path) -> dict[str, Path]:
    """Every file that is written, named after the one with the reflections, by the names of the record."""
    stem = Path(source).name.removesuffix(".gz").rsplit(".", 1)[0] or "crystal"
    ends = {
        "map": ".ccp4",
        "res": ".res",
        "cif": "-peaks.cif",
        "reflections": "-phases.cif",
        "report": ".html",
        "record": ".json",
    }
    return {name: folder / f"{stem}{end}" for name, end in ends.items()}


def write_all(folder: Path, crystal: PhasedCrystal) -> dict[str, Any]:
    """Write every file, and give the record that ``--json`` prints."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder), expected="a folder") from error
    peaks, paths = peak_rows(crystal), files_of(folder, crystal.source)
    record: dict[str, Any] = {
        "verdict": crystal.verdict.outcome,
        "reasons": list(crystal.verdict.reasons),
        "r": round(crystal.r, 4),
        "space_group": crystal.candidate.name,
        "space_group_number": crystal.candidate.group.number,
        "space_group_hall": crystal.candidate.group.hall,
        "space_group_stated": crystal.stated,
        "cell": list(crystal.data.cell),
        "d_min": round(crystal.data.d_min, 4),
        "completeness": round(crystal.data.completeness, 4),
        "twin": {"law": crystal.twin.text, "fraction": round(crystal.twin.fraction, 2)} if crystal.twin else None,
        "elements_by_formula": crystal.named,
        "peaks": peaks,
        "seconds": round(crystal.seconds, 2),
        **{name: str(path) for name, path in paths.items()},
    }
    # On the scale of the data; F(000) is left out.
    write_ccp4(paths["map"], crystal.density, crystal.data.cell)
    write_text(paths["res"], res_of(crystal, peaks))
    write_text(paths["cif"], cif_of(crystal, peaks))
    write_text(paths["reflections"], phases_of(crystal))
    write_text(paths["report"], report_of(crystal, peaks))
    write_text(paths["record"], json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return record


def peak_rows(crystal: PhasedCrystal) -> list[dict[str, Any]]:
    """Atoms, or peaks where there are none, most electrons or highest first."""
    model = crystal.model
    if model is None:
        peaks = _plain_peaks(crystal)
        return [
            {"label": f"Q{i + 1}", "element": None, "x": _r(x[0]), "y": _r(x[1]), "z": _r(x[2]), "height": _r(h)}
            for i, (x, h) in enumerate(zip(peaks.positions, peaks.heights, strict=True))
        ]
    rows: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    for i in np.argsort(-model.electrons):
        symbol = gemmi.Element(int(model.numbers[i])).name if crystal.named else "Q"
        numbers[symbol] = numbers.get(symbol, 0) + 1
        x, y, z = (float(v) for v in model.positions[i])
        rows.append(
            {
                "label": f"{symbol}{numbers[symbol]}",
                "element": symbol if crystal.named else None,
                "x": _r(x),
                "y": _r(y),
                "z": _r(z),
                "height": _r(float(model.electrons[i])),
                "u_iso": _r(float(model.u_iso[i])),
                "multiplicity": int(model.multiplicity[i]) * len(crystal.candidate.lattice),
            }
        )
    return rows


def _plain_peaks(crystal: PhasedCrystal) -> PeakList:
    volume = gemmi.UnitCell(*crystal.data.cell).volume
    return find_peaks(
        crystal.density,
        crystal.candidate,
        crystal.data.cell,
        atoms_in_cell=volume / VOLUME_PER_ATOM,
    )


def res_of(crystal: PhasedCrystal, peaks: list[dict[str, Any]]) -> str:
    """SHELX instructions with the peaks, to go on with in SHELXL, Olex2 or ShelXle."""
    group = crystal.candidate.group
    lattice = "PIRFABC".index(crystal.data.laue.centring) + 1
    generators, inverted = _symm_cards(crystal.candidate)
    lines = [
        f"TITL {Path(crystal.source).name} in {crystal.candidate.name}, {crystal.verdict.outcome}, R {crystal.r:.3f}",
        f"CELL {MO_KALPHA} " + " ".join(f"{x:.5f}" for x in crystal.data.cell),
        f"ZERR {len(list(group.operations()))} 0 0 0 0 0 0",
        f"LATT {lattice if inverted else -lattice}",
        *(f"SYMM {text}" for text in generators),
    ]
    elements = sorted({p["element"] or "C" for p in peaks}) or ["C"]
    lines += [f"SFAC {' '.join(elements)}", "UNIT " + " ".join(_unit(peaks, e) for e in elements), "FVAR 1.0"]
    for peak in peaks:
        kind = elements.index(peak["element"] or "C") + 1
        share = 10 + peak.get("multiplicity", len(list(group.operations()))) / len(list(group.operations()))
        lines.append(
            f"{peak['label'][:4]:4s} {kind} {peak['x']:.5f} {peak['y']:.5f} {peak['z']:.5f} {share:.5f} "
            f"{peak.get('u_iso', 0.05):.4f}"
        )
    return "\n".join([*lines, "HKLF 4", "END", ""])


def _unit(peaks: list[dict[str, Any]], element: str) -> str:
    return str(round(sum(p.get("multiplicity", 1) for p in peaks if (p["element"] or "C") == element)))


def _symm_cards(candidate: CandidateGroup) -> tuple[list[str], bool]:
    """Operators without the identity, and without those that an inversion at the origin makes, and if there is one."""
    inversion = any(
        (t == -np.eye(3)).all() and not s.any() for t, s in zip(candidate.turns, candidate.shifts, strict=True)
    )
    cards: list[str] = []
    seen: set[bytes] = set()
    for op, turn in zip(candidate.group.operations().sym_ops, candidate.turns, strict=True):
        if (turn == np.eye(3)).all() or turn.tobytes() in seen or (inversion and (turn == -np.eye(3)).all()):
            continue
        seen |= {turn.tobytes(), (-turn).tobytes()} if inversion else {turn.tobytes()}
        cards.append(op.triplet())
    return cards, inversion


def cif_of(crystal: PhasedCrystal, peaks: list[dict[str, Any]]) -> str:
    """Cell, symmetry and peaks."""
    lines = ["data_peaks", *_cell_lines(crystal), "loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"] + ["_atom_site_U_iso_or_equiv", "_atom_site_occupancy"]
    for p in peaks:
        lines.append(
            f"{p['label']} {p['element'] or '?'} {p['x']:.5f} {p['y']:.5f} {p['z']:.5f} {p.get('u_iso', 0.05):.4f} 1"
        )
    return "\n".join([*lines, ""])


def phases_of(crystal: PhasedCrystal) -> str:
    """|F| and phase of one of each set of equivalents, as a CIF that Coot and gemmi turn into maps."""
    keys = crystal.hkl
    index = {tuple(h): i for i, h in enumerate(keys.tolist())}
    lines = ["data_phases", *_cell_lines(crystal), "loop_", "_refln_index_h", "_refln_index_k", "_refln_index_l"]
    lines += ["_refln_F_meas", "_refln_F_sigma", "_refln_phase_calc"]
    for h, amplitude, sigma in zip(crystal.data.hkl.tolist(), crystal.data.amplitude, crystal.data.sigma, strict=True):
        i = index.get(tuple(h))
        if i is not None:
            phase = np.degrees(np.angle(crystal.waves[i]))
            lines.append(f"{h[0]} {h[1]} {h[2]} {amplitude:.4f} {sigma:.4f} {phase:.2f}")
    return "\n".join([*lines, ""])


def _cell_lines(crystal: PhasedCrystal) -> list[str]:
    a, b, c, alpha, beta, gamma = crystal.data.cell
    group = crystal.candidate.group
    return [
        f"_space_group_name_H-M_alt '{group.hm}'",
        f"_space_group_name_Hall '{group.hall}'",
        f"_space_group_IT_number {group.number}",
        *(f"_cell_length_{name} {value:.5f}" for name, value in zip("abc", (a, b, c), strict=True)),
        *(
            f"_cell_angle_{name} {value:.4f}"
            for name, value in zip(("alpha", "beta", "gamma"), (alpha, beta, gamma), strict=True)
        ),
        "loop_",
        "_space_group_symop_operation_xyz",
        *(f"'{op.triplet()}'" for op in group.operations()),
    ]


def _r(value: float) -> float:
    return round(float(value), 5)
