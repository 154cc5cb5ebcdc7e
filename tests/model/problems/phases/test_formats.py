"""The same unmerged measurement in every kind of file: what is read agrees with gemmi's merging, and it is solved."""

from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.merging import merge
from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import solve
from tests.model.problems.phases.made_elsewhere import calculated, correlation, packed

ZEROS = "   0   0   0    0.00    0.00"


@dataclass(frozen=True)
class Measured:
    """Equivalents and Friedel mates with noise, absences among them; I and σ by row."""

    structure: gemmi.SmallStructure
    hkl: np.ndarray
    intensity: np.ndarray
    sigma: np.ndarray

    @property
    def cell(self) -> str:
        return ",".join(f"{x:.5f}" for x in self.structure.cell.parameters)

    def merged(self) -> gemmi.Intensities:
        """By gemmi, in the true group."""
        table = gemmi.Intensities()
        table.set_data(
            self.structure.cell, self.structure.spacegroup, self.hkl.astype(np.int32), self.intensity, self.sigma
        )
        table.merge_in_place(gemmi.DataType.Mean)
        return table


@pytest.fixture(scope="module")
def measured() -> Measured:
    structure = packed("C4H4NH", "P 1 21/c 1")
    rng = np.random.default_rng(5)
    unique = np.array(gemmi.make_miller_array(structure.cell, structure.spacegroup, 0.85, 0.0, False))
    true = np.abs(calculated(structure, unique)) ** 2
    true *= 5000 / true.max()
    turns = np.array([np.array(op.rot) // gemmi.Op.DEN for op in structure.spacegroup.operations().sym_ops])
    hkl = np.concatenate([unique @ turn for turn in turns[[0, 1]]] + [-unique @ turn for turn in turns[[0, 1]]])
    sigma = np.tile(np.sqrt((0.04 * true) ** 2 + (0.08 * np.median(true)) ** 2), 4)
    value = np.tile(true, 4) + sigma * rng.standard_normal(len(sigma))
    keep = rng.random(len(value)) > 0.1
    hkl, value, sigma = hkl[keep], np.round(value[keep], 2), np.maximum(np.round(sigma[keep], 2), 0.01)
    assert (value < 0).sum() > 20
    return Measured(structure, hkl, value, sigma)


def shelx_lines(what: Measured, form: str = "{:4d}{:4d}{:4d}{:8.2f}{:8.2f}") -> list[str]:
    rows = zip(what.hkl.tolist(), what.intensity, what.sigma, strict=True)
    return [form.format(*h, i, s) for h, i, s in rows]


def cif_head(what: Measured) -> list[str]:
    cell = what.structure.cell
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"_cell_{name} {value:.5f}" for name, value in zip(names, cell.parameters, strict=True)]
    return ["data_x", *lines, "loop_", "_space_group_symop_operation_xyz"] + [
        f"'{op.triplet()}'" for op in what.structure.spacegroup.operations()
    ]


def merged_rows(what: Measured) -> list[tuple[list[int], float, float]]:
    table = what.merged()
    return list(zip(table.miller_array.tolist(), table.value_array, table.sigma_array, strict=True))


def write_hkl(folder: Path, what: Measured) -> Path:
    (folder / "x.hkl").write_text("\n".join([*shelx_lines(what), ZEROS, ""]))
    (folder / "x.ins").write_text(f"TITL x\nCELL 0.71073 {what.cell.replace(',', ' ')}\nHKLF 4\nEND\n")
    return folder / "x.hkl"


def write_hkl_with_cif_beside(folder: Path, what: Measured) -> Path:
    (folder / "x.hkl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*shelx_lines(what), ZEROS, ""]).encode())
    (folder / "x.cif").write_text(
        "\n".join([*cif_head(what), "_exptl_crystal_colour red", "_exptl_crystal_colour red"])
    )
    return folder / "x.hkl"


def write_hkl_with_lines_behind(folder: Path, what: Measured) -> Path:
    behind = [
        "",
        "_exptl_absorpt_process_details 'SADABS 2016/2'",
        f"CELL 0.71073 {what.cell.replace(',', ' ')}",
        "END",
    ]
    (folder / "x.hkl").write_text("\n".join([*shelx_lines(what), ZEROS, *behind]))
    return folder / "x.hkl"


def write_free_columns(folder: Path, what: Measured) -> Path:
    lines = shelx_lines(what, "{} {} {} {:.2f}     {:.2f} 1")
    (folder / "x.txt").write_text("\n".join(["# h k l I sigma", *lines]))
    write_hkl(folder, what)
    return folder / "x.txt"


def write_separated(folder: Path, what: Measured, between: str) -> Path:
    write_hkl(folder, what)
    rows = shelx_lines(what, between.join(["{}", "{}", "{}", "{:.2f}", "{:.2f}"]))
    (folder / "x.csv").write_text("\n".join([between.join(["h", "k", "l", "I", "sigma"]), *rows]))
    return folder / "x.csv"


def write_commas(folder: Path, what: Measured) -> Path:
    return write_separated(folder, what, ",")


def write_fcf_list_4(folder: Path, what: Measured) -> Path:
    lines = [*cif_head(what), "_shelx_refln_list_code 4", "loop_"]
    lines += [f"_refln_{n}" for n in ("index_h", "index_k", "index_l", "F_squared_calc", "F_squared_meas")]
    lines += ["_refln_F_squared_sigma", "_refln_observed_status"]
    lines += [f"{h[0]} {h[1]} {h[2]} 7.00 {i:.2f} {s:.2f} {'<' if i < 2 * s else 'o'}" for h, i, s in merged_rows(what)]
    (folder / "x.fcf").write_text("\n".join(lines))
    return folder / "x.fcf"


def write_fcf_list_6(folder: Path, what: Measured) -> Path:
    lines = [*cif_head(what), "_shelx_refln_list_code 6", "loop_"]
    lines += [f"_refln_{n}" for n in ("index_h", "index_k", "index_l", "F_squared_meas", "F_squared_sigma")]
    lines += ["_refln_F_calc", "_refln_phase_calc"]
    lines += [f"{h[0]} {h[1]} {h[2]} {i:.2f} {s:.2f} 3.00 180.0" for h, i, s in merged_rows(what)]
    (folder / "x.fcf").write_text("\n".join(lines))
    return folder / "x.fcf"


def write_cif_of_amplitudes(folder: Path, what: Measured) -> Path:
    lines = [*cif_head(what), "loop_"]
    lines += [f"_refln_{n}" for n in ("index_h", "index_k", "index_l", "F_meas", "F_sigma")]
    for h, i, s in merged_rows(what):
        size = np.sqrt(max(i, 0.0))
        lines.append(f"{h[0]} {h[1]} {h[2]} {size:.4f} {s / (2 * max(size, np.sqrt(s))):.4f}")
    (folder / "x.cif").write_text("\n".join(lines))
    return folder / "x.cif"


def write_embedded(folder: Path, what: Measured) -> Path:
    lines = [*cif_head(what), "_shelx_hkl_file", ";", *shelx_lines(what), ZEROS, ";", ""]
    (folder / "x.cif").write_text("\n".join(lines))
    return folder / "x.cif"


def anomalous(what: Measured) -> gemmi.Mtz:
    """I(+) and I(−) in one row, as gemmi merges and writes them."""
    table = gemmi.Intensities()
    table.set_data(
        what.structure.cell, what.structure.spacegroup, what.hkl.astype(np.int32), what.intensity, what.sigma
    )
    table.merge_in_place(gemmi.DataType.Anomalous)
    return table.prepare_merged_mtz(with_nobs=False)


def write_mtz(folder: Path, what: Measured) -> Path:
    what.merged().prepare_merged_mtz(with_nobs=False).write_to_file(str(folder / "x.mtz"))
    return folder / "x.mtz"


def write_mtz_pairs(folder: Path, what: Measured) -> Path:
    anomalous(what).write_to_file(str(folder / "x.mtz"))
    return folder / "x.mtz"


def write_mtz_amplitudes(folder: Path, what: Measured) -> Path:
    mtz = what.merged().prepare_merged_mtz(with_nobs=False)
    rows = np.array(mtz, copy=True)
    rows[:, 3] = np.sqrt(np.maximum(rows[:, 3], 0))
    rows[:, 4] = rows[:, 4] / (2 * np.maximum(rows[:, 3], np.sqrt(rows[:, 4])))
    mtz.set_data(rows)
    for column, label, kind in ((mtz.columns[3], "FP", "F"), (mtz.columns[4], "SIGFP", "Q")):
        column.label, column.type = label, kind
    mtz.write_to_file(str(folder / "x.mtz"))
    return folder / "x.mtz"


def write_mmcif_pairs(folder: Path, what: Measured) -> Path:
    (folder / "x.cif").write_text(gemmi.MtzToCif().write_cif_to_string(anomalous(what)))
    return folder / "x.cif"


def write_mtz_in_p1(folder: Path, what: Measured) -> Path:
    """Not merged by the program that wrote it, which knew no group."""
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup("P 1")
    mtz.set_cell_for_all(what.structure.cell)
    mtz.add_dataset("x")
    mtz.add_column("I", "J")
    mtz.add_column("SIGI", "Q")
    mtz.set_data(np.column_stack([what.hkl, what.intensity, what.sigma]).astype(np.float32))
    mtz.write_to_file(str(folder / "x.mtz"))
    return folder / "x.mtz"


def write_mmcif_unmerged(folder: Path, what: Measured) -> Path:
    lines = [line.replace("_cell_", "_cell.") for line in cif_head(what)]
    lines += ["loop_", *(f"_diffrn_refln.{n}" for n in ("id", "index_h", "index_k", "index_l", "intensity_net"))]
    lines += ["_diffrn_refln.intensity_sigma", *(f"1 {row}" for row in shelx_lines(what, "{} {} {} {:.2f} {:.2f}"))]
    (folder / "x.cif").write_text("\n".join(lines))
    return folder / "x.cif"


def write_cif_with_brackets(folder: Path, what: Measured) -> Path:
    lines = [*cif_head(what), "loop_"]
    lines += [f"_refln_{n}" for n in ("index_h", "index_k", "index_l", "F_squared_meas")]
    lines += [f"{h[0]} {h[1]} {h[2]} {i:.2f}({round(100 * s)})" for h, i, s in merged_rows(what)]
    (folder / "x.cif").write_text("\n".join(lines))
    return folder / "x.cif"


def write_semicolons(folder: Path, what: Measured) -> Path:
    return write_separated(folder, what, ";")


def write_numbers_with_points(folder: Path, what: Measured) -> Path:
    write_hkl(folder, what)
    (folder / "x.txt").write_text("\n".join(shelx_lines(what, "{:.1f} {:.1f} {:.1f} {:.6E} {:.6E}")))
    return folder / "x.txt"


def write_xds(folder: Path, what: Measured) -> Path:
    """With a misfit, which XDS marks by a negative uncertainty, and the group of integration."""
    head = ["!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE", "!SPACE_GROUP_NUMBER=    3"]
    head += [f"!UNIT_CELL_CONSTANTS= {what.cell.replace(',', ' ')}", "!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=6"]
    head += [f"!ITEM_{name}={i}" for i, name in enumerate(("H", "K", "L", "IOBS", "SIGMA(IOBS)", "XD"), 1)]
    rows = shelx_lines(what, "{:6d}{:6d}{:6d} {:10.3E} {:10.3E} 512.0")
    lines = [*head, "!END_OF_HEADER", *rows, "     1     0     2  9.000E+04 -1.000E+01 512.0", "!END_OF_DATA"]
    (folder / "XDS_ASCII.HKL").write_text("\n".join(lines))
    return folder / "XDS_ASCII.HKL"


def write_sca(folder: Path, what: Measured) -> Path:
    """I(+) and I(−) in one row; every third row has I(−) only."""
    cell = "".join(f"{x:10.5f}" for x in what.structure.cell.parameters)
    lines = ["    1", " -987", f"{cell} p2"]
    for number, (h, i, s) in enumerate(merged_rows(what)):
        pairs = (0, -1, i, s) if number % 3 == 0 else (i, s, i, s)
        lines.append("".join(f"{x:4d}" for x in h) + "".join(f"{x:8.2f}" for x in pairs) + " " * 8)
    (folder / "x.sca").write_text("\n".join(lines))
    return folder / "x.sca"


WRITERS = [
    write_xds,
    write_sca,
    write_hkl,
    write_hkl_with_cif_beside,
    write_hkl_with_lines_behind,
    write_free_columns,
    write_commas,
    write_fcf_list_4,
    write_fcf_list_6,
    write_cif_of_amplitudes,
    write_embedded,
    write_mtz,
    write_mtz_pairs,
    write_mtz_amplitudes,
    write_mmcif_pairs,
    write_mtz_in_p1,
    write_mmcif_unmerged,
    write_cif_with_brackets,
    write_semicolons,
    write_numbers_with_points,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda each: each.__name__[6:])
def test_what_is_read_is_what_gemmi_merges(tmp_path, measured, write):
    data = read_reflections(write(tmp_path, measured))
    assert data.cell == pytest.approx(measured.structure.cell.parameters, abs=1e-4)
    merged = merge(data, find_laue_class(data))
    assert merged.laue.name == "2/m"
    theirs = measured.merged()
    table = {tuple(h): v for h, v in zip(theirs.miller_array.tolist(), theirs.value_array, strict=True)}
    group = measured.structure.spacegroup
    asu = gemmi.ReciprocalAsu(group)
    pairs = []
    for h, value in zip(merged.hkl.tolist(), merged.intensity, strict=True):
        place, _ = asu.to_asu(h, group.operations())
        if tuple(place) in table:
            pairs.append((value, table[tuple(place)]))
    ours, other = np.array(pairs).T
    assert len(pairs) > 0.99 * len(table)
    other = np.maximum(other, 0) if "amplitudes" in write.__name__ else other
    assert np.abs(ours - other).sum() < 0.02 * np.abs(other).sum()  # weights differ, not more
    assert np.corrcoef(ours, other)[0, 1] > 0.999


@pytest.mark.parametrize("write", [write_fcf_list_6, write_mtz_pairs, write_free_columns], ids=lambda e: e.__name__[6:])
def test_it_is_solved_from_any_of_them(tmp_path, measured, write):
    crystal = solve(read_reflections(write(tmp_path, measured)))
    assert crystal.verdict.outcome == "solved"
    assert crystal.candidate.group.number == 14
    assert correlation(crystal.density, measured.structure, 0.85) > 0.97


def test_without_sigma_and_with_sigma_of_some_it_is_solved_too(tmp_path, measured):
    write_hkl(tmp_path, measured)
    lines = [line if i % 3 else f"{line[:20]}    0.00" for i, line in enumerate(shelx_lines(measured))]
    (tmp_path / "x.hkl").write_text("\n".join(lines))
    assert solve(read_reflections(tmp_path / "x.hkl")).verdict.outcome == "solved"
    (tmp_path / "x.hkl").write_text("\n".join(line[:20] for line in shelx_lines(measured)))
    data = read_reflections(tmp_path / "x.hkl")
    assert len(data.hkl) == len(measured.hkl)
    assert not data.sigma.any()


def test_columns_that_touch_are_not_taken_for_words(tmp_path):
    lines = ["  -1-102-103 1234.56   10.00", "   1   2   312345.67  123.45", "   2   0   0-1234.56   10.00   1"]
    (tmp_path / "x.hkl").write_text("\n".join(lines))
    data = read_reflections(tmp_path / "x.hkl", (40.0, 41.0, 42.0, 90.0, 90.0, 90.0))
    assert data.hkl.tolist() == [[-1, -102, -103], [1, 2, 3], [2, 0, 0]]
    assert data.intensity.tolist() == [1234.56, 12345.67, -1234.56]
    assert data.sigma.tolist() == [10.0, 123.45, 10.0]


def test_what_integration_programs_write_but_phases_cannot_use_is_refused(tmp_path):
    unmerged = (
        "    2 p2\n"
        + "  1  0  0  0  1  0  0  0  1\n  0  0  0\n"
        + "   1   2   3   1   2   3   7 0 0 1  90.0   9.0\n" * 9
    )
    damaged = "    1\n -987\n    5.0  6.0  7.0 90.0 90.0 90.0 p2\n   1   2   3   rubbish\n"
    headless = "!FORMAT=XDS_ASCII MERGE=FALSE\n!ITEM_H=1\n 1 2 3 4.0 5.0\n"
    touching = damaged.replace("    5.0  6.0", "5.00000106.00000")
    cases = ((unmerged, "not merged"), (damaged, "line 4 is"), (touching, "line 3 is"))
    for text, words in (*cases, (headless, "no ITEM_K in the head")):
        (tmp_path / "x.sca").write_text(text)
        with pytest.raises(InputError, match=words):
            read_reflections(tmp_path / "x.sca")


def test_an_impossible_cell_is_refused_and_doubtful_ones_are_told(tmp_path, measured):
    path = write_hkl(tmp_path, measured)
    a, b, c, *angles = measured.structure.cell.parameters
    small = f"{a / 8:.4f},{b},{c},90,90,90"
    result = CliRunner().invoke(app, ["solve-phases", str(path), "-o", str(tmp_path / "out"), "--cell", small])
    assert isinstance(result.exception, InputError)
    assert "the indices reach d = 0.1" in str(result.exception)
    assert not (tmp_path / "out").exists()
    exchanged = read_reflections(path, (3 * a, b / 2, c, *angles))
    assert "in their order" in " ".join(exchanged.notes)
    assert not read_reflections(path).notes[1:]
    (tmp_path / "x.ins").write_text((tmp_path / "x.ins").read_text() + "SFAC C N\nUNIT 160 40\n")
    assert "Å³ each, too little" in " ".join(read_reflections(path).notes)


def test_reflections_that_are_all_noise_around_zero_are_refused_with_a_word_why(tmp_path, measured):
    path = write_hkl(tmp_path, measured)
    path.write_text("\n".join(f"{line[:12]}{-1.0:8.2f}{1.0:8.2f}" for line in shelx_lines(measured)))
    with pytest.raises(InputError, match="intensity above 0"):
        read_reflections(path)
