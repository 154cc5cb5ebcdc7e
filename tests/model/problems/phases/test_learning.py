"""The published networks for phases: sizes, scores that know no origin, and from the store to weights by commands."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.problems.phases.learning.batch import PhaseBatch
from dsfu.model.problems.phases.learning.data import PhaseData
from dsfu.model.problems.phases.learning.samples import check_computable
from dsfu.model.problems.phases.learning.scores import laid_over_truth, scores_of
from dsfu.model.problems.phases.networks.mlp import mlp10, mlp20
from dsfu.model.problems.phases.networks.unet3d import GridUNet
from dsfu.model.problems.phases.problem import LEARNER
from dsfu.model.store import opened_store
from dsfu.simulate.phases.fields import PARAMETER_FIELDS, crystal_of
from dsfu.simulate.phases.random_crystals import random_p1
from dsfu.simulate.phases.samples import PhaseSettings, simulate_phases

MANIFEST = """\
version: 1
problem: phases
name: few
seed: 3
store: unused
samples: {train: 12, validation: 4, test: 4}
crystals: {source: random, atoms: [2, 4]}
grid: {n: 10}
"""


def batch_of_random(n=12, atoms=3):
    samples = [simulate_phases(random_p1(3, i, atoms), PhaseSettings(n=n)) for i in range(3)]
    return PhaseBatch(
        amplitude=torch.tensor(np.array([each.amplitude for each in samples])),
        density=torch.tensor(np.array([each.density for each in samples])),
        atoms=torch.full((3,), atoms),
    )


def test_perceptrons_have_as_many_weights_as_published():
    assert sum(each.numel() for each in mlp20().parameters()) / 1e6 == pytest.approx(1.61, abs=0.01)
    assert sum(each.numel() for each in mlp10().parameters()) / 1e6 == pytest.approx(0.2, abs=0.01)
    assert mlp10()(torch.rand(2, 10, 10, 10)).shape == (2, 10, 10, 10)


@pytest.mark.parametrize("n", [9, 10, 16])
def test_the_unet_takes_grids_of_any_size(n):
    torch.manual_seed(1)
    assert GridUNet(width=2)(torch.rand(2, n, n, n)).shape == (2, n, n, n)


def test_the_unet_has_as_many_weights_as_published():
    assert sum(each.numel() for each in GridUNet().parameters()) / 1e6 == pytest.approx(19.1, abs=0.3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_shift_and_inversion_leave_every_score_but_that_in_place(mirrored):
    batch = batch_of_random()
    answer = torch.roll(batch.density, (3, -2, 5), (1, 2, 3))
    if mirrored:
        answer = answer.flip(1, 2, 3)
    scores = scores_of(answer, batch)
    assert torch.allclose(scores["correlation"], torch.ones(3), atol=1e-5)
    assert torch.allclose(scores["peaks_found"], torch.ones(3))
    assert (scores["correlation_in_place"] < 0.6).all()
    assert torch.allclose(laid_over_truth(answer, batch.density)[1], batch.density, atol=1e-6)


def test_a_map_of_noise_scores_low():
    batch = batch_of_random()
    torch.manual_seed(2)
    scores = scores_of(torch.rand_like(batch.density), batch)
    assert (scores["correlation"] < 0.3).all()
    assert (scores["above_0.8"] == 0).all()


def command(program, *words):
    return subprocess.run(
        [Path(sys.executable).with_name(program), *map(str, words)], capture_output=True, text=True, check=False
    )


def made(folder):
    (folder / "few.yaml").write_text(MANIFEST)
    done = command("dsfu-pipeline", "run", folder / "few.yaml", "--scheduler", "sync", "--store", folder / "few")
    assert done.returncode == 0, done.stderr
    return folder / "few"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made(tmp_path_factory.mktemp("phases"))


def test_grids_are_computed_as_the_pipeline_makes_them(store):
    split = opened_store(str(store)).split("train")
    batch = LEARNER.batch(split, [1, 5], PhaseData(), "cpu")
    row = {field.name: split.rows(field.name, [5])[0] for field in PARAMETER_FIELDS}
    sample = simulate_phases(crystal_of(row), PhaseSettings(n=10))
    np.testing.assert_allclose(batch.amplitude[1], sample.amplitude, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(batch.density[1], sample.density, atol=1e-4)
    assert int(batch.atoms[1]) == len(crystal_of(row).numbers)


def test_from_the_store_to_weights(store, tmp_path):
    words = ("--recipe", "mlp10", "limits.epochs=1", "batch_size=6", "device=cpu", "watching.validation_samples=2")
    done = command("dsfu-model", "train", store, "-o", tmp_path / "run", *words, "watching.pictures=1")
    assert done.returncode == 0, done.stderr
    assert "correlation" in done.stdout + done.stderr
    assert any((tmp_path / "run").rglob("*.safetensors"))


def test_the_unet_trains_with_the_settings_that_it_comes_with(store, tmp_path):
    words = ("--recipe", "unet3d", "network.width=2", "limits.steps=1", "batch_size=1", "watching.validation_samples=0")
    done = command("dsfu-model", "train", store, "-o", tmp_path / "run", *words, "device=cpu")
    assert done.returncode == 0, done.stderr


def test_a_report_has_maps_and_divides_by_size(store):
    split = opened_store(str(store)).split("test")
    batch = LEARNER.batch(split, [0, 2], PhaseData(), "cpu")
    panels = LEARNER.panels(batch.sought, batch)
    assert [panel.title for panel in panels[1]][1:] == ["found, at its best shift", "true"]
    assert set(LEARNER.labels(split, np.arange(4))["size"].values) == {"up to 4 atoms"}
    assert "atoms, space group 1" in LEARNER.title(split, 2)


def test_a_network_for_another_grid_is_refused(store):
    data = LEARNER.data_for(str(store), PhaseData())
    assert data.grid == 10
    with pytest.raises(InputError, match="mlp10 for grid.n = 10"):
        LEARNER.check_fits(mlp20(), data, torch.device("cpu"))
    LEARNER.check_fits(GridUNet(width=1), data, torch.device("cpu"))
    with pytest.raises(InputError, match="as in the store"):
        LEARNER.data_for(str(store), PhaseData(grid=20))


def test_noise_that_is_not_stored_is_refused():
    grid = {"noise": 0.05, "d_min": 0, "sharpness": 0, "completeness": 1}

    class Split(dict[str, bool]):
        store = SimpleNamespace(url="few", settings={"grid": grid})

    with pytest.raises(InputError, match="grids: true"):
        check_computable(Split())  # type: ignore[arg-type]
    check_computable(Split(amplitude=True))  # type: ignore[arg-type]
