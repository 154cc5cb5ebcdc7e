"""A size effect found with its sign and size: atoms and vacancies, occupied at random, drawn to occupied neighbours."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume import displacements
from dsfu.model.measured.volume.departures import Departure
from dsfu.model.measured.volume.displacements import nearest_vectors, shifts_sentence, size_effect
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.solve import VolumeSolution, solve_volume
from dsfu.model.measured.volume.verdict import judge_volume
from dsfu.simulate.lattice import Cell

BOX, HALF, EDGE, PULL = 16, 24, 5.0, 0.03
CELL = Cell(EDGE, EDGE + 0.5, EDGE + 1, 90, 90, 90)


def _solved(pull: float) -> tuple[VolumeSolution, float]:
    """The solution, and the mean shift along a beside an occupied site less that beside an empty one, in Å."""
    rng = np.random.default_rng(5)
    wave = np.zeros((2, 2, BOX, BOX, BOX), complex)
    shift, boxes = 0.0, 60
    for _ in range(boxes):
        occupied = (rng.random((BOX,) * 3) < 0.5).astype(float)
        moved = pull * (np.roll(occupied, -1, 0) - np.roll(occupied, 1, 0))
        deviation = occupied - occupied.mean()
        shift += float((deviation * np.roll(occupied * moved, -1, 0)).mean() / deviation.var()) / boxes
        spectra = np.fft.fftn(np.stack([deviation, occupied * moved]), axes=(1, 2, 3))
        wave += np.einsum("ixyz,jxyz->ijxyz", spectra, spectra.conj()) / BOX**3 / boxes
    wave[..., 0, 0, 0] = wave[..., 1, 0, 0]
    h = np.arange(-HALF, HALF + 1) / BOX
    place = np.ix_(*(np.arange(-HALF, HALF + 1) % BOX,) * 3)
    grid = np.meshgrid(h, h, h, indexing="ij")
    q = CELL.q_of_hkl(np.stack(grid, axis=-1))
    # Σ_n f_n exp(−iQ·(r_n + u_n)) to first order
    first = wave[0, 0].real[place] + 2 * (-1j * q[..., 0] * wave[1, 0][place]).real
    intensity = rng.poisson(400 * np.exp(-0.1 * (q**2).sum(axis=-1)) * np.maximum(first, 0)).astype(np.float32)
    reconstruction = Reconstruction(
        intensity=intensity,
        live=np.ones(intensity.shape, bool),
        origin=np.full(3, h[0]),
        steps=np.eye(3) / BOX,
        cell=CELL,
    )
    return solve_volume(reconstruction, VolumeSettings(background=False, bragg=False)), shift


def test_it_is_found_and_told():
    solution, shift = _solved(PULL)
    found = size_effect(solution.fit, solution.factor)
    assert found is not None
    along_a = 3 * nearest_vectors(CELL).tolist().index([1, 0, 0])
    assert shift < 0
    assert abs(found.values[along_a] * EDGE - shift) < 4 * found.uncertainties[along_a] * EDGE
    others = np.delete(found.values / found.uncertainties, along_a)
    assert np.abs(others).max() < 4.5
    verdict = judge_volume(solution)
    assert verdict.judgement == "contradicts"
    assert "size effect" in verdict.sentence
    assert "Å nearer to the species that scatters more" in verdict.sentence


def test_it_is_not_found_where_there_is_none():
    solution, _ = _solved(0.0)
    found = size_effect(solution.fit, solution.factor)
    assert found is not None
    assert found.chi_square < 2.5
    assert (np.abs(found.values) < 4 * found.uncertainties).all()


@pytest.mark.parametrize(("shift", "told"), [(0.02, "farther from"), (-40000.0, "")])
def test_no_neighbour_is_told_to_move_farther_than_can_be(monkeypatch: pytest.MonkeyPatch, shift: float, told: str):
    """A slab that was not fitted well said 41220.2(18) Å."""
    along_a = nearest_vectors(CELL).tolist().index([1, 0, 0])
    values = np.zeros(3 * len(nearest_vectors(CELL)))
    values[3 * along_a] = shift / EDGE
    found = Departure(chi_square=9.0, amplitude=0.1, values=values, covariance=1e-8 * np.eye(len(values)))
    monkeypatch.setattr(displacements, "size_effect", lambda *_: found)
    fit: Any = SimpleNamespace(voxels=SimpleNamespace(cell=CELL))
    sentence = shifts_sentence(fit, np.zeros(0))
    assert (told in sentence) if told else sentence == ""
