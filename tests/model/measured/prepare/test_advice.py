"""What inspect finds in reconstructions of an independent simulation, and what it says of units and frames."""

import re
import shlex
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.data.summary import MeasuredSummary
from dsfu.model.measured.prepare.advice import Advice, advice_on
from dsfu.model.measured.prepare.bragg_search import find_bragg_peaks
from dsfu.simulate.lattice import Cell
from tests.benchmarks.crystal_maker import CLEAN, Wrongs, make, recipes
from tests.benchmarks.crystals import reconstruction_of


@cache
def crystal(kind: str, with_peaks: bool) -> Reconstruction:
    wrongs = Wrongs() if with_peaks else CLEAN
    return reconstruction_of(make(recipes()[kind], (28, 28, 28), wrongs, ideal=True, seed=4))


def advice(of: Reconstruction) -> Advice:
    return advice_on(of, MeasuredSummary.of(of))


@pytest.mark.parametrize("kind", ["orthorhombic", "hexagonal", "triclinic", "alloy"])
def test_bragg_peaks_are_found_where_there_are_some_and_only_there(kind: str) -> None:
    assert find_bragg_peaks(crystal(kind, False)) is None
    found = find_bragg_peaks(crystal(kind, True))
    assert found is not None
    assert found.height > 100
    assert 0.08 < found.radius < 0.4  # spots of .024 r.l.u., tails of .06
    assert all(each.with_peak <= each.looked_at for each in found.classes)


def test_absent_classes_have_no_peak() -> None:
    """Peaks of a body-centred crystal: half of the classes have none."""
    plain = crystal("alloy", False)
    hkl = plain.hkl_of_voxels(np.moveaxis(np.indices(plain.shape), 0, -1))
    nearest = np.rint(hkl)
    spot = 1e4 * np.exp(-0.5 * (np.linalg.norm(hkl - nearest, axis=-1) / 0.03) ** 2) * (nearest.sum(axis=-1) % 2 == 0)
    found = find_bragg_peaks(replace(plain, intensity=plain.intensity + spot))
    assert found is not None
    assert {sum(each.parity) % 2 for each in found.classes} == {0}


def test_what_to_do_next_is_told_with_the_options_that_the_file_needs(tmp_path) -> None:
    path = tmp_path / "my volume.npz"
    np.savez(path, intensity=np.random.default_rng(1).random((21, 21, 21)))
    said = ["--cell", "5,6,7,90,90,90", "--limits", "-1,1,-1,1,-1,1"]
    told = CliRunner().invoke(app, ["inspect", str(path), *said]).output
    (command,) = re.findall(r"dsfu-model analyse (.+) -o OUT", told)
    assert shlex.split(command) == [str(path), *said]


def test_a_cell_in_nm_is_refused_before_a_long_fit(tmp_path) -> None:
    path = tmp_path / "volume.npz"
    np.savez(path, intensity=np.random.default_rng(1).random((21, 21, 21)))
    said = ["--cell", "0.5,0.6,0.7,90,90,90", "--limits", "-1,1,-1,1,-1,1"]
    error = CliRunner().invoke(app, ["analyse", str(path), "-o", str(tmp_path / "out"), *said]).exception
    assert isinstance(error, InputError)
    assert "in nm" in str(error)
    assert not (tmp_path / "out").exists()


def test_a_volume_is_sent_to_analyse_and_a_slab_to_prepare() -> None:
    whole = crystal("orthorhombic", True)
    assert "dsfu-model analyse" in advice(whole).suggestions[0]
    slab = replace(
        whole,
        intensity=whole.intensity[:, :, 26:31],
        live=whole.live[:, :, 26:31],
        origin=whole.origin + np.array([0, 0, 1.3]),
    )
    told = advice(slab).suggestions[0]
    assert "--plane hk0" in told
    assert "--bragg punch:" in told


def test_a_cell_in_nm_is_warned_of() -> None:
    whole = crystal("orthorhombic", False)
    assert not advice(whole).warnings
    told = advice(replace(whole, cell=Cell(0.76, 0.63, 0.84))).warnings
    assert any("nm" in each for each in told)
    far = replace(whole, cell=Cell(2.5, 2.5, 2.5), steps=10 * whole.steps, origin=10 * whole.origin)
    assert any("|Q| goes up to" in each for each in advice(far).warnings)


def test_frames_of_a_detector_are_no_reconstruction() -> None:
    frames = np.random.default_rng(0).poisson(3.0, (4, 195, 487)).astype(np.float32)
    stack = Reconstruction(
        intensity=frames,
        live=np.ones(frames.shape, np.bool_),
        origin=np.zeros(3),
        steps=np.eye(3),
        cell=None,
        indexed=False,
    )
    assert any("detector frames" in each for each in advice(stack).warnings)
    other = replace(stack, intensity=frames[:, :194], live=stack.live[:, :194])
    assert not advice(other).warnings
