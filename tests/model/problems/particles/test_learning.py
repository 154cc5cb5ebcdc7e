"""Networks that read particles: layers against their formulas, batches against Debye's sum, trainings from a store."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.problem import learner_of
from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.learning.data import ParticleData
from dsfu.model.problems.particles.learning.drawing import drawer_of
from dsfu.model.problems.particles.learning.recipe_cvae import Beta, CvaeLoss, DecodedParticles
from dsfu.model.problems.particles.learning.scores import scores_of
from dsfu.model.problems.particles.networks.cvae import Cvae, latent_of
from dsfu.model.problems.particles.networks.graph_attention import GraphAttention, graph_of
from dsfu.model.store import opened_store

MANIFEST = """version: 1
problem: particles
name: small
seed: 3
store: unused
shapes: {collections: [published], bond_lengths: [2.5, 2.7], most_atoms: 20}
split: {by: shape}
samples_per_shard: 16
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made(tmp_path_factory.mktemp("learning"), MANIFEST)


@pytest.fixture(scope="module")
def short_store(tmp_path_factory):
    """G ends at 20 Å."""
    return made(tmp_path_factory.mktemp("short"), MANIFEST + "experiment: {r_step: 0.02, points: 1000}\n")


def made(folder, manifest):
    from dsfu.pipeline.cli import app as pipeline

    (folder / "small.yaml").write_text(manifest)
    told = CliRunner().invoke(
        pipeline, ["run", str(folder / "small.yaml"), "--store", str(folder / "store"), "--scheduler", "sync"]
    )
    assert told.exit_code == 0, told.output
    return folder / "store"


@pytest.fixture(scope="module")
def batch(store):
    split = opened_store(str(store)).split("train")
    return learner_of("particles").batch(split, split.kept_indices[:6].tolist(), ParticleData(), "cpu")


def test_a_batch_is_what_the_store_says(store, batch):
    split = opened_store(str(store)).split("train")
    assert batch.pdf.shape == (6, 2800)
    assert batch.pdf.max(dim=1).values == pytest.approx(1.0)
    i, atoms = 0, int(batch.atoms[0])
    positions = batch.positions[i, :atoms].double().numpy()
    assert positions.min() == 0
    assert not batch.positions[i, atoms:].any()
    d = np.linalg.norm(positions[:, None] - positions, axis=-1)[np.triu_indices(atoms, 1)]
    shortest = d.min() / float(batch.bond_length[i])
    assert shortest == pytest.approx(0.866 if FAMILIES[batch.family[i]] == "BCC" else 1.0, abs=0.06)
    first_peak = 2.0 + 0.01 * int(batch.pdf[i, :100].argmax())
    assert first_peak == pytest.approx(d.min(), abs=0.15)
    assert split.column("atoms")[split.kept_indices[0]] == atoms


def test_graph_attention_is_its_formula(batch):
    torch.manual_seed(1)
    layer = GraphAttention(3, 5)
    atoms, there, connected = graph_of(batch)
    out = layer(atoms, there, connected)
    n = int(batch.atoms[0])
    x, h = atoms[:n], layer.map(atoms[:n])
    for i in range(n):
        near = [j for j in range(n) if torch.dist(x[i], x[j]) <= 1.02 * batch.bond_length[0]]
        assert i in near
        match = torch.stack([layer.receiver(h[i]) + layer.sender(h[j]) for j in near])[:, 0]
        weights = torch.softmax(torch.where(match > 0, match, 0.2 * match), 0)
        assert torch.allclose(out[i], weights @ h[near] + layer.bias, atol=1e-5)


def test_the_divergence_is_that_of_normal_distributions():
    one, other = latent_of(torch.randn(4, 4)), latent_of(torch.randn(4, 4))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(one.mean, one.deviation), torch.distributions.Normal(other.mean, other.deviation)
    )
    assert torch.allclose(one.divergence_from(other), expected.sum(dim=1), atol=1e-5)
    assert (one.deviation > 1).all()


def test_the_network_has_the_published_sizes():
    network = Cvae()
    weights = sum(each.numel() for each in network.parameters())
    assert weights == pytest.approx(7.2e6, rel=0.05)
    assert network.decode(torch.zeros(1, 2)).shape == (1, 200, 3)


def test_beta_grows_by_steps_when_reconstructions_are_good():
    settings = CvaeLoss(beta_every=2)
    beta = Beta(0.0)
    for value in (1.0, 1.0, 1e-5, 1e-5, 1e-5):
        beta.seen(torch.tensor(value), settings)
    assert float(beta.value) == pytest.approx(0.001)


def test_what_is_drawn_is_debyes_sum():
    random = np.random.default_rng(0)
    positions = random.normal(size=(9, 3)) * 1.5
    d = np.linalg.norm(positions[:, None] - positions, axis=-1)[np.triu_indices(9, 1)]
    drawer = drawer_of([d], np.array([9]))
    ends: Any = {"b_iso": (0.5, 0.5), "q_min": (0.8, 0.8), "q_max": (20.0, 20.0), "q_damp": (0.02, 0.02)}
    data = ParticleData(r_step=0.05, noise=(0.0, 0.0), bond_length=(2.5, 2.5), **ends)
    pdf, bonds, _ = drawer(np.array([0]), data, random)
    q, r = np.arange(0.8, 20.0, 0.005), 2 + 0.05 * np.arange(data.points)
    f = 2 / 9 * (np.sin(np.outer(q, d * 2.5)) / (d * 2.5)).sum(axis=1) * np.exp(-0.5 * q**2 / (8 * np.pi**2))
    expected = (f @ np.sin(np.outer(q, r))) * np.exp(-((r * 0.02) ** 2) / 2)
    assert bonds[0] == 2.5
    assert np.abs(pdf[0] - expected / expected.max()).max() < 0.03


def test_exact_positions_have_no_error_whatever_their_origin(batch):
    exact = DecodedParticles(
        batch.positions + 1.7, batch.positions.new_ones(batch.positions.shape[:2]) > 0, batch.bond_length
    )
    assert scores_of(exact, batch)["score"].max() < 1e-5
    moved = DecodedParticles(batch.positions * 1.1, exact.there, batch.bond_length)
    assert scores_of(moved, batch)["score"].min() > 0.01


def train(store, folder, recipe, *options):
    told = CliRunner().invoke(app, ["train", str(store), "--out", str(folder), "--recipe", recipe,
                                    "watching.validation_samples=8", "watching.pictures=0", *options])  # fmt: skip
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in (folder / "validation.jsonl").read_text().splitlines()]


def test_the_cvae_learns_and_goes_on(store, tmp_path):
    options = ("batch_size=8", "cvae.beta_first=1e-4", "watching.validation_steps=12")
    scores = train(store, tmp_path, "cvae", *options, "limits.steps=24")
    assert scores[-1]["score"] < scores[0]["score"]
    train(store, tmp_path, "cvae", *options, "limits.steps=25")
    told = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(store), "--split", "test"])
    assert "Score by family" in told.output


def test_the_reader_learns_from_drawn_samples(store, tmp_path):
    options = ("batch_size=16", "network.width=48", "optimiser.warm_up_steps=20", "watching.validation_steps=30")
    scores = train(store, tmp_path, "reader", *options, "limits.steps=150")
    assert scores[-1]["bond_length_off"] < 0.7 * scores[0]["bond_length_off"]
    summary = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(store), "--split", "validation"])
    assert summary.exit_code == 0, summary.output
    found = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())["scores"]
    assert {"family_right", "atoms_inside", "bond_length_off"} <= found.keys()


def test_drawn_batches_follow_from_the_seed(store):
    from dsfu.model.problems.particles.learning.sources import DrawnSource
    from dsfu.model.training.epochs import BatchShare

    data = ParticleData(source="drawn", r_step=0.05, strangers=0.3, batches_ahead=0)
    part = BatchShare(batch_size=8, rank=0, world_size=1)
    one, other = (DrawnSource(str(store), "train", data, part, 4, torch.device("cpu")) for _ in range(2))
    batches: list[ParticleBatch] = list(one.batches())
    next(iter(other.batches()))
    other.load_state_dict(other.state_dict())
    second = next(iter(other.batches()))
    assert torch.equal(batches[1].pdf, second.pdf)
    assert len(FAMILIES) - 1 in torch.cat([each.family for each in batches])


def test_a_grid_that_does_not_fit_is_told(store, tmp_path):
    with pytest.raises(InputError, match=r"network.points=1800"):
        CliRunner().invoke(
            app, ["train", str(store), "--out", str(tmp_path), "data.r_max=20", "network.points=2800"],
            catch_exceptions=False,
        )  # fmt: skip


def test_distances_beyond_the_store_are_told_with_what_would_fit(store):
    split = opened_store(str(store)).split("train")
    with pytest.raises(InputError) as told:
        learner_of("particles").batch(split, [0, 1], ParticleData(r_max=40, r_step=0.02), "cpu")
    assert told.value.remedy == "data.r_max=30 network.points=1400"


@pytest.mark.parametrize(
    ("wanted", "points", "r_max"),
    [({}, 900, 20.0), ({"r_max": 15.0}, 650, 15.0), ({"source": "drawn"}, 1400, 30.0)],
)
def test_data_and_network_end_where_the_store_does_unless_told(short_store, wanted, points, r_max):
    learner, data = learner_of("particles"), ParticleData(r_step=0.02, **wanted)
    found = learner.data_for(str(short_store), data)
    assert (found.r_max, learner.network_for(found)["points"]) == (r_max, points)
