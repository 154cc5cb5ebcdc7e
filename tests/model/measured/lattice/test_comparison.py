"""A lattice that is given a little wrong is told from one that is right: on intensities written out as waves."""

import numpy as np
import pytest

from dsfu.model.front_door import factors
from dsfu.model.measured.factorise import blind
from dsfu.model.measured.lattice.comparison import GivenLattice, given_lattice
from dsfu.model.measured.lattice.placing import on_lattice
from tests.model.measured.lattice.test_search import measured

BASIS = np.array([[5.2, 3.1], [-3.9, 6.5]])


def test_the_lattice_that_is_right_is_not_called_wrong():
    given = given_lattice(on_lattice(measured(BASIS, 0.05), BASIS))
    assert not given.is_off
    np.testing.assert_allclose(given.change, np.eye(2), atol=0.002)


def test_how_far_a_wrong_one_is_off_is_told():
    change = np.array([[1.01, 0.004], [0.001, 0.998]])
    given = given_lattice(on_lattice(measured(BASIS, 0.05), BASIS @ np.linalg.inv(change)))
    assert given.is_off
    np.testing.assert_allclose(given.change, change, atol=0.002)
    assert given.words.startswith(("+0.9", "+1.0"))


@pytest.mark.parametrize(
    ("change", "misfit", "is_off"),
    [
        (np.eye(2), 0.002, False),
        (np.diag([1.004, 0.996]), 0.002, False),
        (np.diag([1.0, 0.994]), 0.002, True),
        (np.diag([1.0, 0.994]), 0.2, False),
        (np.array([[1.0, 0.006], [-0.006, 1.0]]), 0.002, True),
    ],
)
def test_what_is_called_off(change: np.ndarray, misfit: float, is_off: bool):
    assert GivenLattice(misfit=misfit, change=change).is_off is is_off


def test_a_turn_is_anticlockwise():
    cosine, sine = np.cos(0.01), np.sin(0.01)
    given = GivenLattice(misfit=0.0, change=np.array([[cosine, sine], [-sine, cosine]]))
    assert given.turn == pytest.approx(np.degrees(0.01))
    assert given.stretches == pytest.approx([0, 0], abs=1e-12)


def test_the_verb_tells_how_the_given_lattice_would_have_to_change(monkeypatch: pytest.MonkeyPatch):
    plane = on_lattice(measured(BASIS), BASIS)
    told: list[str] = []
    for change in (np.eye(2), np.diag([1.01, 1.0])):
        given = GivenLattice(misfit=0.002, change=change)
        monkeypatch.setattr(blind, "better_lattice", lambda *_, given=given: (None, given))
        factors._compare_lattices([plane], None, told.append)
    right, wrong, remedy = told
    assert right.endswith("the data show no other lattice than the one given")
    assert "if it is changed: +1.00% along x and +0.00% along y" in wrong
    assert "--stretch" in remedy
