import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.problems.particles.q_limits import visible_q_max
from dsfu.model.problems.particles.reading import read_pdf
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape
from tests.base.looking import browser, complaints

EXPERIMENT = PdfExperiment(q_max=22.0)


@pytest.fixture(scope="module")
def rows():
    pdf = simulate(ParticleSpec(shape=Shape("Octahedron", (4,)), bond_length=2.8, experiment=EXPERIMENT)).pdf
    return "".join(f"{r:.2f} {g:.7f}\n" for r, g in zip(EXPERIMENT.r, pdf, strict=True))


HEADS = {
    "pdfgetx3": "[DEFAULT]\nqmaxinst = 24\n"
    "qmin = 0.7\nqmax = 22.0\ncomposition = Pt\n#### start data\n#S 1\n#L r($\\AA$) G\n",
    "pdfgetx2": "## S(q)  qmin=0.7    qmax=22.0    qgrid=0\n"
    "optqmax=40.0\n##### start data\n#F a.gr\n#L r(A) G(r) d_r d_Gr\n",
    "plain": "",
}


@pytest.mark.parametrize("kind", list(HEADS))
def test_heads_are_read(tmp_path, rows, kind):
    path = tmp_path / "a.gr"
    path.write_text(HEADS[kind] + rows)
    measured = read_pdf(path)
    assert len(measured.r) == 3000
    assert measured.q_max == (None if kind == "plain" else 22.0)
    assert visible_q_max(measured.r, measured.g) == pytest.approx(22, abs=0.6)


def test_solve_particle_writes_json_and_files(tmp_path, rows):
    path, out = tmp_path / "a.gr", tmp_path / "out"
    path.write_text(HEADS["pdfgetx3"] + rows)
    done = CliRunner().invoke(
        app, ["solve-particle", str(path), "-o", str(out), "--json", "--figure", str(tmp_path / "a.pdf")]
    )
    assert done.exit_code == 0
    record = json.loads(done.stdout)
    best = record["candidates"][0]
    assert (best["family"], best["parameters"], best["atoms"]) == ("Octahedron", [4], 44)
    assert best["bond_length"] == pytest.approx(2.8, abs=1e-3)
    assert best["rw"] < 0.01
    assert {"family", "parameters", "atoms", "bond_length", "b_iso", "rw", "file"} <= set(best)
    assert {each["family"] for each in record["candidates"]} >= {"FCC", "HCP", "BCC", "SC", "Decahedron", "Icosahedron"}
    lines = (out / best["file"]).read_text().splitlines()
    assert lines[0] == "44"
    assert lines[2].startswith("Pt ")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert record == json.loads((out / "result.json").read_text())
    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert " leaves <i>R</i><sub>w</sub> = 0.00" in page
    if browser:
        assert complaints(out / "report.html", tmp_path) == ""
    assert (out / best["file"]).with_suffix(".cif").exists()


GOOD_R = np.arange(0, 20, 0.02)


def _columns(r, g):
    return "".join(f"{a:g} {b:g}\n" for a, b in zip(r, g, strict=True)).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (_columns(GOOD_R, np.sin(9 * GOOD_R)).replace(b".", b","), "decimal commas"),
        (b"\x00\x01\x02" * 100, "not a text file"),
        (b"nothing\nhere\n", "no numbers"),
        (_columns(GOOD_R / 10, np.sin(9 * GOOD_R)), "nm"),
        (_columns(GOOD_R - 1, np.sin(9 * GOOD_R)), "begins at -1"),
        (_columns(GOOD_R[::-1], np.sin(9 * GOOD_R)), "does not rise"),
        (_columns(GOOD_R, 0 * GOOD_R), "the same everywhere"),
        (_columns(GOOD_R, 50 + 900 * np.sin(9 * GOOD_R) ** 8), "powder pattern"),
        (b"# Q S(Q)\n" + _columns(GOOD_R, np.sin(9 * GOOD_R)), "the columns are called 'Q S"),
        (b"#### start data\n#S 1\n#L r R(r)\n" + _columns(GOOD_R, np.sin(9 * GOOD_R)), "the columns are called 'r R"),
        (_columns(GOOD_R, (GOOD_R > 2) * (1 + np.sin(9 * GOOD_R) / (1 + GOOD_R))), "ends near 1 .1.00., as g.r. and S"),
        (_columns(GOOD_R, GOOD_R**2 * (1 + np.sin(9 * GOOD_R) / (1 + GOOD_R))), "as R.r. does"),
        (_columns(GOOD_R, np.sin(9 * GOOD_R)) * 2, "does not rise at data line 1001"),
        (_columns(GOOD_R, np.where(GOOD_R > 5, np.nan, 1)), "NaN"),
    ],
)
def test_bad_files_are_refused(tmp_path, content, message):
    path = tmp_path / "bad.gr"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_pdf(path)


def test_columns_that_are_swapped_and_files_of_two_sets_of_data_are_told(tmp_path):
    path = tmp_path / "bad.gr"
    for columns, remedy in (((np.sin(9 * GOOD_R), GOOD_R), "swapped"), ((GOOD_R[::-1], GOOD_R * 0), "one set of data")):
        path.write_bytes(_columns(*columns))
        with pytest.raises(InputError) as caught:
            read_pdf(path)
        assert remedy in caught.value.remedy
    one = b"qmax = 20\n#### start data\n" + _columns(GOOD_R, np.sin(9 * GOOD_R))
    path.write_bytes(one + one)
    assert read_pdf(path).notes == ["the file has 2 tables of numbers; the first of the longest was taken"]


def test_a_file_of_f_of_q_is_known_by_its_name(tmp_path):
    path = tmp_path / "gold.fq"
    path.write_bytes(_columns(GOOD_R, np.sin(9 * GOOD_R)))
    with pytest.raises(InputError, match=r"a file \.fq"):
        read_pdf(path)


def test_limits_of_q_may_stand_side_by_side(tmp_path):
    path = tmp_path / "gold.gr"
    path.write_bytes(b"# Qmin,Qmax: 0.70,24.00\n# r, G(r)\n" + _columns(GOOD_R, np.sin(9 * GOOD_R)))
    measured = read_pdf(path)
    assert (measured.q_min, measured.q_max) == (0.7, 24.0)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.gr", tmp_path):
        with pytest.raises(InputError):
            read_pdf(path)


def test_a_particle_is_solved_without_the_imports_that_take_longer_than_its_fit():
    modules = (
        "dsfu.model.front_door.particle, dsfu.model.problems.particles.solving, dsfu.model.problems.particles.files"
    )
    code = f"import sys, {modules}; print([name for name in sys.modules if name in ('scipy', 'ase.cluster', 'torch')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
