"""Data sets of the phase problem, from manifest to report, against gemmi's structure factors."""

import json
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
import zarr
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.pipeline.cli import app
from dsfu.pipeline.kinds import every_kind
from dsfu.pipeline.making import Stopwatch
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problem import problem_called
from dsfu.simulate.phases.sources import contents_of_cif

HEAD = "version: 1\nproblem: phases\nname: p\nseed: 3\nstore: unused\n"
CIF = """data_{name}
_cell_length_a {a}
_cell_length_b 4.1
_cell_length_c 5.7
_cell_angle_alpha 90
_cell_angle_beta 97
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1 21/c 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
{one}1 {one} .12 .31 .07 .011
{two}1 {two} .37 .05 .41 .017
"""


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, [*arguments])
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of crystals, and a store of it with grids, noise and gaps."""
    folder = tmp_path_factory.mktemp("phases")
    pairs = [("Na", "Cl"), ("Mg", "O"), ("Fe", "S"), ("Ti", "N"), ("Ca", "F"), ("Zn", "Se")]
    rows = [CIF.format(name=f"c{i}", a=6.2 + 0.1 * i, one=one, two=two) for i, (one, two) in enumerate(pairs)]
    (folder / "table.csv").write_text("cif\n" + "".join(f'"{row}"\n' for row in rows))
    (folder / "p.yaml").write_text(
        HEAD
        + "samples: {train: 10, validation: 0, test: 0}\ncrystals: {source: table, file: table.csv}\n"
        + "grid: {n: 10, form: IT92, noise: 0.05, completeness: 0.8}\nstorage: {grids: true}\n"
    )
    run("run", str(folder / "p.yaml"), "--store", str(folder / "store"), "--scheduler", "sync")
    return folder


def test_amplitudes_are_those_of_gemmi_within_the_noise(folder: Path) -> None:
    train: Any = zarr.open_group(folder / "store", mode="r")["train"]
    amplitude, known = np.asarray(train["amplitude"]), np.asarray(train["known"]).astype(bool)
    ratios = []
    for row in range(6):
        text = (folder / "table.csv").read_text().split('"')[2 * row + 1]
        structure = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text)[0])
        structure.setup_cell_images()
        calculator = gemmi.StructureFactorCalculatorX(structure.cell)
        for hkl in ((1, 0, 0), (2, 1, 3), (-3, 2, 4), (0, 4, 0), (1, -2, 3), (4, 4, 1), (2, 0, -4), (3, 3, 3)):
            true = abs(calculator.calculate_sf_from_small_structure(structure, hkl))
            if known[row][hkl] and true > 0.5:
                ratios.append(amplitude[row][hkl] / true)
    assert len(ratios) > 20
    assert abs(np.mean(ratios) - 1) < 0.03
    assert 0.03 < np.std(ratios) < 0.08
    assert 0.76 < known[train["kept"][...]].mean() < 0.84


def test_a_sample_is_computed_again_from_the_store_alone(folder: Path) -> None:
    group: Any = zarr.open_group(folder / "store", mode="r")
    again = problem_called("phases").again(group, "train", 4)
    for name in ("amplitude", "known", "density"):
        np.testing.assert_array_equal(again[name], np.asarray(group[f"train/{name}"][4]))


def test_the_report_shows_sections_and_volumes(folder: Path) -> None:
    run("report", str(folder / "store"), "--out", str(folder / "report.html"))
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png") >= 6
    assert "volume of the cell" in page
    assert "number of the crystal" not in page  # a running number has no distribution
    assert "The same in every sample: " in page  # a histogram of a constant says nothing
    assert page.count("Histogram of") == page.count('class="chart"') > 0
    assert json.loads(run("inspect", str(folder / "store"), "--json"))["splits"][0]["kept"] == 6


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("random", "atoms: [3, 7]"),
        ("symmetric", "atoms: [4, 24], space_groups: [P 1 21/c 1, P n m a]"),
        ("molecules", "atoms: [8, 30]"),
    ],
)
def test_crystals_are_made_in_the_range_and_the_same_in_any_shard(source: str, more: str) -> None:
    text = HEAD + f"samples: {{train: 6, validation: 3, test: 0}}\ncrystals: {{source: {source}, {more}}}\n"
    loaded = parse_manifest(text)
    train, validation = problem_called("phases").plan(loaded).specs
    make = every_kind()["phase_crystals"].maker()
    columns = make(train.parameters, None, Stopwatch())
    low, high = loaded.manifest.crystals.atoms
    assert ((columns["atom_count"] >= min(low, 4)) & (columns["atom_count"] <= high)).all()
    assert len(np.unique(columns["positions"][:, 0, 0])) == 6
    part = make({**train.parameters, "first": 2, "count": 2, "per_shard": 2}, None, Stopwatch())
    for name in ("positions", "numbers", "cell", "number"):
        np.testing.assert_array_equal(part[name], columns[name][2:4])
    other = make(validation.parameters, None, Stopwatch())
    assert not np.isin(other["positions"][:, 0, 0], columns["positions"][:, 0, 0]).any()


def test_a_formula_is_in_one_split_only(folder: Path) -> None:
    crystals = [contents_of_cif(CIF.format(name=f"x{i}", a=6 + i, one="Na", two="Cl")) for i in range(3)]
    assert len({each.group for each in crystals}) == 1
    rows = "".join(f'"{CIF.format(name=f"c{i}", a=6 + i % 7, one="Na", two="Cl")}"\n' for i in range(9))
    (folder / "same.csv").write_text("cif\n" + rows)
    text = HEAD + "samples: {train: 9, validation: 9, test: 9}\ncrystals: {source: table, file: same.csv}\n"
    specs = problem_called("phases").plan(parse_manifest(text, folder=folder)).specs
    assert len({spec.split for spec in specs}) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("crystals: {source: table}\n", "a table without a file"),
        ("crystals: {file: nowhere.csv}\n", "nowhere.csv"),
        ("crystals: {source: symmetric, space_groups: [P 99]}\n", "P 99 is no space group"),
        ("crystals: {source: symmetric, atoms: [2, 16]}\n", "a general position"),
        ("crystals: {source: molecules, atoms: [2, 3]}\n", "no molecule makes a cell"),
        ("samples: {train: 0, validation: 0, test: 0}\n", "no crystals at all"),
        ("grid: {n: 2000}\n", "n"),
        ("crystals: {source: table, file: p.yaml}\n", "no column 'cif'"),
    ],
)
def test_what_cannot_be_made_is_refused(folder: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        problem_called("phases").check(parse_manifest(HEAD + text, folder=folder))
    assert told in " ".join(str(caught.value).split())


def test_the_template_and_the_example_are_manifests() -> None:
    example = Path(__file__).parents[4] / "examples" / "phase-problem.yaml"
    for text in (problem_called("phases").template, example.read_text()):
        loaded = parse_manifest(text)
        assert sum(number for _, number in loaded.manifest.samples) == 12_000
