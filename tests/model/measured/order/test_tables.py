"""Tables: the notation of uncertainties, and files that other programs read."""

import csv
import io
import json
from dataclasses import replace

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.measured.order.planes import SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.model.measured.order.result import WARNED, SroRefinement
from dsfu.model.measured.order.tables import as_cif, as_json, table_csv, table_text, with_uncertainty
from dsfu.simulate.lattice import Cell
from tests.model.measured.order.cases import lattice_gas, plane_of

CELL = Cell(5.0, 6.0, 7.0)


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.1234, 0.004, "0.123(4)"),
        (-0.2516, 0.0012, "-0.2516(12)"),
        (0.12345, 0.00195, "0.123(2)"),
        (0.12345, 0.0019, "0.1235(19)"),
        (0.0001, 0.02, "0.00(2)"),
        (-0.0001, 0.02, "0.00(2)"),
        (12.3, 3.0, "12(3)"),
        (1234.0, 160.0, "1230(160)"),
        (0.5, 0.0, "0.500000"),
        (0.5, float("nan"), "0.500000"),
        (float("nan"), 0.1, "nan"),
    ],
)
def test_the_notation_of_uncertainties(value, uncertainty, text):
    assert with_uncertainty(value, uncertainty) == text


@given(st.floats(-1e3, 1e3), st.floats(1e-5, 1e3))
def test_the_notation_says_what_it_was_given(value, uncertainty):
    text = with_uncertainty(value, uncertainty)
    number, _, digits = text.rstrip(")").partition("(")
    unit = 10.0 ** -len(number.partition(".")[2])
    assert float(number) == pytest.approx(value, abs=0.51 * max(unit, uncertainty))
    assert int(digits) * unit == pytest.approx(uncertainty, rel=0.26)


def refined():
    rng = np.random.default_rng(0)
    plane = plane_of(lattice_gas(), CELL, "c", 0.0, pixels=40, q_max=2.0)
    plane.sro[:] += 0.1 * rng.normal(size=plane.sro.shape)
    return refine_sro([plane], SroSettings(symmetry="mmm", cutoff=2))


def solved():
    vectors = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]])
    covariance = np.diag([4.0, 4.0, 1.0, 0.0, 9.0]) * 1e-6 + 3e-7
    covariance[3], covariance[:, 3] = 0, 0
    return SroRefinement.from_solver(
        vectors, [-0.25, -0.23, 0.31, 1.0, 0.1], covariance, cell=CELL, symmetry="mmm", notes=["χ² of α in Å"]
    )


def test_parameters_of_a_solver_are_averaged_over_symmetry():
    found = solved()
    assert [shell.vector for shell in found.shells] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert found.values == pytest.approx([-0.24, 0.31, 0.1])
    assert found.uncertainties[0] == pytest.approx(np.sqrt((4 + 4 + 4 * 0.3) / 4 * 1e-6))
    assert sorted(found.members[0].tolist()) == [[-1, 0, 0], [1, 0, 0]]


def test_both_sources_stand_side_by_side():
    first, second = refined(), solved()
    lines = table_text([first, second]).splitlines()
    assert "α from I_SRO" in lines[0]
    assert "α from the solver" in lines[0]
    row = next(line for line in lines if line.split()[:3] == ["1", "0", "0"])
    assert "-0.240(2)" in row or "-0.2400(15)" in row
    assert "Σ" in row
    assert next(line for line in lines if line.split()[:3] == ["2", "2", "0"]).endswith("–")
    assert "cannot be told apart" in "\n".join(lines)


def test_csv_and_json_give_everything_back():
    first, second = refined(), solved()
    rows = list(csv.DictReader(io.StringIO(table_csv([first, second]))))
    assert len(rows) == len(first.shells) + len(second.shells)
    assert float(rows[0]["alpha"]) == pytest.approx(first.shells[0].alpha)
    assert rows[0]["together_with"].startswith("2 * (1 0 1)")
    record = json.loads(as_json([first, second]))["refinements"]
    np.testing.assert_allclose(record[0]["covariance"], first.covariance)
    assert record[0]["fit"]["pixels"] == 1600
    assert record[1]["source"] == "solver"


def test_a_bad_verdict_and_the_recommendation_are_in_the_files():
    first, second = refined(), solved()
    bad = replace(first, notes=(f"{WARNED} Two sites.", *first.notes))
    rows = list(csv.DictReader(io.StringIO(table_csv([bad, second], 1))))
    assert rows[0]["warning"] == f"{WARNED} Two sites."
    assert (rows[0]["recommended"], rows[-1]["recommended"], rows[-1]["warning"]) == ("no", "yes", "")
    assert json.loads(as_json([bad]))["verdict"] == f"{WARNED} Two sites."
    assert "verdict" not in json.loads(as_json([second]))


def test_the_cif_is_one_for_gemmi():
    first, second = refined(), solved()
    document = gemmi.cif.read_string(as_cif([first, second]))
    assert [block.name for block in document] == ["sro_i_sro", "sro_solver"]
    cell = gemmi.make_small_structure_from_block(document[0]).cell
    assert cell.parameters == pytest.approx(CELL.constants)
    for block, refinement in zip(document, (first, second), strict=True):
        table = block.find("_dsfu_sro_shell_", ["u", "v", "w", "alpha"])
        assert len(table) == len(refinement.shells)
        for row, shell in zip(table, refinement.shells, strict=True):
            assert tuple(int(row[i]) for i in range(3)) == shell.vector
            assert gemmi.cif.as_number(row[3]) == pytest.approx(shell.alpha, abs=shell.uncertainty)
    assert len(document[0].find("_dsfu_sro_together_", ["shell_id", "factor"])) > 0
    assert r"chi-squared of \a in \%A" in document[1].find_value("_dsfu_sro_details")


def test_what_is_not_determined_is_named_and_has_no_number():
    """Neither the table nor any file has a number that says nothing."""
    vectors = np.array([[1, 0, 0], [0, 1, 0]])
    found = SroRefinement.from_solver(vectors, [0.1, 2.7e11], np.diag([1e-6, 1e22]), cell=CELL)
    assert "not determined" in table_text([found])
    record = json.loads(as_json([found]))["refinements"][0]
    assert record["shells"][1]["alpha"] is None
    assert record["covariance"][1] == [None, None]
    assert list(csv.DictReader(io.StringIO(table_csv([found]))))[1]["alpha"] == ""
    texts = table_text([found]) + as_json([found]) + table_csv([found]) + as_cif([found])
    assert "e+" not in texts
    assert "00000(" not in texts
    assert " ? no" in as_cif([found])
