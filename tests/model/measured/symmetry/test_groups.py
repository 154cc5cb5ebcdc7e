"""Operators that are groups, leave metrics alone, and come in the setting that fits."""

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.measured.symmetry.groups import fitting_laue_classes, laue_operators, symmetry_of
from dsfu.simulate.lattice import Cell

TRICLINIC = Cell(5, 6, 7, 80, 95, 110)
MONOCLINIC = {"a": Cell(5, 6, 7, 105, 90, 90), "b": Cell(5, 6, 7, 90, 105, 90), "c": Cell(5, 6, 7, 90, 90, 105)}
ORTHORHOMBIC = Cell(5, 6, 7)
TETRAGONAL = {"a": Cell(7, 5, 5), "b": Cell(5, 7, 5), "c": Cell(5, 5, 7)}
HEXAGONAL = {"a": Cell(7, 5, 5, 120), "b": Cell(5, 7, 5, 90, 120), "c": Cell(5, 5, 7, 90, 90, 120)}
RHOMBOHEDRAL = Cell(5, 5, 5, 80, 80, 80)
CUBIC = Cell(5, 5, 5)

ORDERS = {
    "-1": 2, "2/m": 4, "mmm": 8, "4/m": 8, "4/mmm": 16, "-3": 6, "-3m1": 12, "-31m": 12, "-3m": 12, "6/m": 12,
    "6/mmm": 24, "m-3": 24, "m-3m": 48, "-3:R": 6, "-3m:R": 12,
    "p1": 1, "p2": 2, "pm": 2, "p11m": 2, "pmm": 4, "p4": 4, "p4m": 8, "p3": 3, "p3m1": 6, "p31m": 6, "p6": 6,
    "p6m": 12, "cmm": 4, "p4g": 8, "P 21/c": 4, "194": 24, "Pnma": 8,
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_operators_form_a_group_of_the_right_order(name: str) -> None:
    operators = symmetry_of(name, None).operators
    assert len(operators) == ORDERS[name]
    np.testing.assert_array_equal(operators[0], np.eye(3))
    members = {each.tobytes() for each in operators}
    assert len(members) == len(operators)
    assert {(a @ b).tobytes() for a in operators for b in operators} == members
    has_inversion = (-np.eye(3, dtype=np.int64)).tobytes() in members
    assert has_inversion == (not name.startswith(("p", "c")))


@pytest.mark.parametrize(
    ("name", "cell", "setting"),
    [
        ("2/m", MONOCLINIC["b"], "2/m:b"),
        ("2/m", MONOCLINIC["c"], "2/m:c"),
        ("2/m", MONOCLINIC["a"], "2/m:a"),
        ("112/m", MONOCLINIC["c"], "2/m:c"),
        ("2/m", ORTHORHOMBIC, "2/m:b"),
        ("4/mmm", TETRAGONAL["c"], "4/mmm:c"),
        ("4/mmm", TETRAGONAL["b"], "4/mmm:b"),
        ("4/mmm", CUBIC, "4/mmm:c"),
        ("4/mmm:a", CUBIC, "4/mmm:a"),
        ("6/mmm", HEXAGONAL["b"], "6/mmm:b"),
        ("6/m", HEXAGONAL["a"], "6/m:a"),
        ("-3", HEXAGONAL["c"], "-3:c"),
        ("-3", RHOMBOHEDRAL, "-3:R"),
        ("-3m", HEXAGONAL["c"], "-3m1:c"),
        ("-3m", RHOMBOHEDRAL, "-3m:R"),
        ("-3m:R", RHOMBOHEDRAL, "-3m:R"),
        ("-3m:H", HEXAGONAL["c"], "-3m1:c"),
        ("m-3m", CUBIC, "m-3m"),
        ("p6m", HEXAGONAL["b"], "p6m:b"),
        ("R -3 m", HEXAGONAL["c"], "Laue class of R -3 m:H"),
        ("P 21/c", MONOCLINIC["b"], "Laue class of P 1 21/c 1"),
    ],
)
def test_the_setting_is_the_one_that_fits(name: str, cell: Cell, setting: str) -> None:
    found = symmetry_of(name, cell)
    assert found.name == setting
    assert found.mismatch(cell) < 1e-9


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("2/m", TRICLINIC),
        ("2/m:c", MONOCLINIC["b"]),
        ("mmm", MONOCLINIC["b"]),
        ("4/m", ORTHORHOMBIC),
        ("4/mmm:c", TETRAGONAL["b"]),
        ("-3", TETRAGONAL["c"]),
        ("-3:R", HEXAGONAL["c"]),
        ("6/mmm", CUBIC),
        ("m-3", TETRAGONAL["c"]),
        ("m-3m", Cell(5, 5, 5.06)),
        ("P 21/c", MONOCLINIC["c"]),
        ("p4", HEXAGONAL["c"]),
    ],
)
def test_a_cell_without_the_symmetry_is_refused(name: str, cell: Cell) -> None:
    with pytest.raises(InputError, match="does not have this symmetry"):
        symmetry_of(name, cell)


def test_a_slightly_wrong_cell_is_not() -> None:
    assert symmetry_of("m-3m", Cell(5, 5, 5.005)).name == "m-3m"


def test_the_refusal_names_what_would_fit() -> None:
    with pytest.raises(InputError) as error:
        symmetry_of("m-3m", TETRAGONAL["b"])
    assert "-1, 2/m:b, mmm, 4/m:b, 4/mmm:b" in str(error.value)
    assert fitting_laue_classes(TRICLINIC) == ("-1",)
    assert fitting_laue_classes(HEXAGONAL["c"])[-2:] == ("6/m:c", "6/mmm:c")


@pytest.mark.parametrize(("wrong", "word"), [("4/mm", "4/mmm"), ("m-3n", "m-3"), ("foo", "4/mmm"), ("-1:b", "setting")])
def test_unknown_names_are_refused_with_what_was_meant(wrong: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        symmetry_of(wrong, CUBIC)


@given(
    st.sampled_from(["P 21/c", "C m c m", "P 4 2 2", "R 3 c:H", "P 6 2 2", "P a -3", "F d -3 m"]), st.integers(0, 99)
)
def test_equivalent_reflections_of_a_structure_are_equally_strong(name: str, seed: int) -> None:
    """Structure factors of a random structure with that space group do not change along an operator."""
    rng = np.random.default_rng(seed)
    group = gemmi.find_spacegroup_by_name(name)
    atoms = np.array([op.apply_to_xyz(x.tolist()) for x in rng.random((3, 3)) for op in group.operations()])
    hkl = rng.integers(-6, 7, 3)
    strengths = np.abs(np.exp(2j * np.pi * (hkl @ symmetry_of(name, None).operators) @ atoms.T).sum(axis=-1))
    np.testing.assert_allclose(strengths, strengths[0], atol=1e-9)


def test_three_fold_axes_turn_indices_not_coordinates() -> None:
    """On hexagonal axes (h, k, i) turns to (k, i, h) with i = −h − k, and not to what coordinates x, y do."""
    images = {tuple(np.array([1, 2, 5]) @ each) for each in symmetry_of("p3", HEXAGONAL["c"]).operators}
    assert images == {(1, 2, 5), (2, -3, 5), (-3, 1, 5)}
    images = {tuple(np.array([1, 5, 2]) @ each) for each in symmetry_of("p3", HEXAGONAL["b"]).operators}
    assert images == {(1, 5, 2), (2, 5, -3), (-3, 5, 1)}


@pytest.mark.parametrize(
    ("name", "same"), [("−3m", "-3m1"), ("P63/m", "6/m"), ("m3m", "m-3m"), ("p6mm", "6/mmm"), ("17", "mmm")]
)
def test_names_that_one_of_two_modules_once_knew_are_known(name: str, same: str) -> None:
    found, expected = (sorted(each.ravel().tolist() for each in laue_operators(every)) for every in (name, same))
    assert found == expected


@pytest.mark.parametrize("name", [*ORDERS])
def test_what_is_the_same_along_v_and_minus_v_has_the_inversion_once(name: str) -> None:
    operators = laue_operators(name)
    assert len({each.tobytes() for each in operators}) == len(operators)
    assert (operators == -np.eye(3, dtype=np.int64)).all(axis=(1, 2)).sum() == 1


@pytest.mark.parametrize(("stretch", "fits"), [(1.004, True), (1.007, False)])
def test_half_a_per_cent_of_an_axis_is_the_limit(stretch: float, fits: bool) -> None:
    assert ("m-3m" in fitting_laue_classes(Cell(5, 5, 5 * stretch))) == fits
