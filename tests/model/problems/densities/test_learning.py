"""The published network for densities: its size, its parts by hand, and from the store to a page by the commands."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.problems.densities.learning.recipe_crystalnet import (
    DrawnDensities,
    augmented,
    drawn_points,
    grid_points,
    restarted_rate,
)
from dsfu.model.problems.densities.learning.samples import composition_told
from dsfu.model.problems.densities.learning.scores import scores_of
from dsfu.model.problems.densities.networks.crystalnet import CrystalNet, Encoded
from dsfu.model.problems.densities.problem import LEARNER
from dsfu.model.store import opened_store

MANIFEST = """\
version: 1
problem: densities
name: few
seed: 3
store: unused
crystals: {systems: [cubic], most_atoms: 12}
samples: {train: 12, validation: 4, test: 4}
"""


def test_it_has_as_many_weights_as_published() -> None:
    weights = sum(each.numel() for each in CrystalNet().parameters())
    assert weights / 1e6 == pytest.approx(14.8, abs=0.1)


def test_the_divergence_is_least_where_the_draws_are_normal_numbers() -> None:
    zeros, ones = torch.zeros(3, 512), torch.ones(3, 512)
    least, _ = Encoded(zeros, ones, zeros, ones).divergences()
    assert float(least) == pytest.approx(0, abs=2e-4)
    for mean, spread in ((zeros, 0.5 * ones), (zeros, 2 * ones), (ones, ones)):
        assert float(Encoded(mean, spread, zeros, ones).divergences()[0]) > float(least) + 0.1
    assert torch.equal(Encoded(zeros, zeros, zeros, zeros).draw(), torch.zeros(3, 1024))


def test_rates_begin_anew_after_periods_that_double() -> None:
    rates = [restarted_rate(step, 10, 1e-3, 1e-6) for step in range(70)]
    assert [n for n, rate in enumerate(rates) if rate == pytest.approx(1e-3)] == [0, 10, 30]
    assert rates[5] == pytest.approx((1e-3 + 1e-6) / 2)
    assert all(b < a for a, b in pairwise(rates[10:30]))


def test_points_lie_on_the_grid_one_in_each_box_with_the_density_that_is_there() -> None:
    density = torch.arange(2 * 50**3, dtype=torch.float32).reshape(2, 50, 50, 50)
    points, values = drawn_points(density, 10)
    index = (points * 50).round()
    assert torch.allclose(points * 50, index, atol=1e-4)
    boxes = (index // 5).long()
    assert torch.equal(boxes[0], (grid_points(10, "cpu") * 10).round().long())
    at = index.long()
    assert torch.equal(values[1], density[1, at[1, :, 0], at[1, :, 1], at[1, :, 2]])


def test_augmented_patterns_are_shifted_by_three_bins_at_most() -> None:
    torch.manual_seed(1)
    pattern = torch.zeros(400, 1024)
    pattern[:, 500], pattern[:, 1] = 1, 0.5
    moved, composition = augmented(pattern, torch.full((400, 119), 0.5))
    places = moved.argmax(dim=1) - 500
    assert set(places.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    assert float(moved[places < -1][:, -4:].max()) < 0.01  # what leaves at one end does not come back at the other
    assert float((moved.amax(dim=1) - 1).std()) == pytest.approx(1e-3, rel=0.2)
    assert float((composition - 0.5).std()) == pytest.approx(1e-3, rel=0.1)
    assert float(moved.min()) == 0


def test_what_is_told_of_a_composition() -> None:
    numbers = np.array([38, 22, 8, 8, 8])
    assert composition_told(numbers, "all")[[8, 22, 38]] == pytest.approx([0.6, 0.2, 0.2])
    assert composition_told(numbers, "no ratios")[[8, 22, 38]] == pytest.approx([1 / 3] * 3)
    assert composition_told(numbers, "one element missing")[[8, 22, 38]] == pytest.approx([0.75, 0.25, 0])
    assert not composition_told(numbers, "nothing").any()


def test_scores_are_the_best_of_draws_and_rotations() -> None:
    truth = torch.rand(1, 12, 12, 12, generator=torch.Generator().manual_seed(2))
    turned = truth.transpose(2, 3).flip(3).roll(1, 3)
    wrong = truth.flatten()[torch.randperm(12**3)].reshape(truth.shape)
    batch = DensityBatch(pattern=torch.zeros(1, 1024), composition=torch.zeros(1, 119), density=truth)
    scores = scores_of(DrawnDensities(torch.stack([wrong, turned], dim=1)), batch)
    assert float(scores["ssim"]) == pytest.approx(1, abs=1e-6)
    assert float(scores["score"]) == pytest.approx(0, abs=1e-6)
    assert float(scores["ssim_first_draw"]) < 0.5
    assert float(scores["ssim_above_0.9"]) == 1


def test_densities_of_points_do_not_depend_on_how_many_are_asked_for_together() -> None:
    torch.manual_seed(3)
    network = CrystalNet().eval()
    embedding, points = torch.randn(2, 1024), torch.rand(2, 30, 3)
    with torch.inference_mode():
        whole = network.at(embedding, points)
        part = network.at(embedding, points[:, 10:20])
    assert torch.allclose(whole[:, 10:20], part, atol=1e-5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("densities")
    (folder / "few.yaml").write_text(MANIFEST)
    run("pipeline", "run", "few.yaml", "--store", str(folder / "store"), "--scheduler", "sync", folder=folder)
    return folder / "store"


def run(program: str, *words: str, folder: Path | None = None, status: int = 0) -> str:
    command = [sys.executable, "-m", f"dsfu.{program}.cli", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_batch_has_the_densities_of_its_crystals(store: Path) -> None:
    split = opened_store(str(store), "train").split("train")
    batch = LEARNER.batch(split, [0, 5], LEARNER.data(grid=20), "cpu")
    assert batch.density.shape == (2, 20, 20, 20)
    for row, index in enumerate((0, 5)):
        atoms = int(split.column("atoms")[index])
        electrons = split.column("numbers")[index][:atoms].sum()
        volume = float(split.column("volume")[index])
        assert float(batch.density[row].mean()) * volume == pytest.approx(electrons, rel=2e-3)
    assert batch.composition.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert batch.pattern.amax(dim=1).tolist() == pytest.approx([1, 1])


def test_from_the_store_to_a_page(store: Path) -> None:
    out = store.parent / "run"
    options = [
        "limits.steps=3", "batch_size=4", "crystalnet.points=3", "network.draws=1", "data.grid=10", "device=cpu",
        "watching.validation_samples=2", "watching.pictures=1",
    ]  # fmt: skip
    run("model", "train", str(store), "--out", str(out), "--recipe", "crystalnet", *options)
    run("model", "evaluate", str(out), str(store), "--limit", "3")
    page = next(out.rglob("evaluation*/*.json"))
    text = json.dumps(json.loads(page.read_text()))
    assert all(word in text for word in ("ssim", "psnr", "space group"))


@pytest.mark.parametrize(
    "given", [{"grid": 3}, {"grid": 20.5}, {"composition": "some"}, {"electrons": "core"}, {"girl": 20}]
)
def test_bad_settings_are_told(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        LEARNER.data(**given)
