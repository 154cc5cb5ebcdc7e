import numpy as np
import pytest
import torch
from torch import Tensor

from dsfu.model.problems.disorder.data.normalise import normalise
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.problems.disorder.training.recipe_dsfu import DsfuRecipe
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.pictures import draw_panels
from dsfu.model.training.recipes import asked
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.validation import Validation
from tests.model.training.made import batch_of


class Guess(Factoriser):
    """Says that both factors are the scattering, a little below zero in places."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.was_training: list[bool] = []

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        self.was_training.append(self.training)
        root = intensity.sqrt() * self.weight
        return root - 0.1, root.clone()


def test_errors_are_those_of_the_paper_plane_by_plane():
    batches = [batch_of(1, planes=3), batch_of(2, planes=2)]
    errors = Validation(batches=batches, learner=LEARNER, recipe=DsfuRecipe).errors(
        Guess(), torch.device("cpu"), Ranks(), StopRequests()
    )
    assert errors is not None
    expected: dict[str, list[float]] = {name: [] for name in errors}
    for batch in batches:
        root = batch.intensity.sqrt().numpy()
        answers = {"form_factor": np.maximum(root - 0.1, 0) ** 2, "sro": root**2}
        for factor, answer in answers.items():
            truth = getattr(batch, factor).numpy()
            for scale in ("linear", "sqrt"):
                off = normalise(answer, scale) - normalise(truth, scale)
                expected[f"{factor}.{scale}"] += (off.astype(np.float64) ** 2).mean((1, 2, 3)).tolist()
    for name in ("form_factor.linear", "form_factor.sqrt", "sro.linear", "sro.sqrt"):
        assert errors[name] == pytest.approx(np.mean(expected[name]), rel=1e-5)
    assert errors["score"] == pytest.approx(errors["form_factor.linear"] + errors["sro.linear"])


def test_looking_changes_nothing():
    network = Guess().train()
    before = torch.get_rng_state()
    form_factor, _ = asked(DsfuRecipe.answer, network, batch_of(1))
    assert network.was_training == [False]
    assert network.training
    assert (form_factor >= 0).all()
    assert torch.equal(before, torch.get_rng_state())


def test_a_picture_has_a_row_for_each_plane(tmp_path):
    path = tmp_path / "pictures" / "some.png"
    pictures = [
        draw_panels(
            LEARNER.panels(asked(DsfuRecipe.answer, Guess(), batch_of(1, planes=planes)), batch_of(1, planes=planes)),
            path,
            "title",
        )
        for planes in (1, 3)
    ]
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert pictures[1].shape[0] > 2 * pictures[0].shape[0]
    assert pictures[0].shape[2] == 3
    assert 0 <= pictures[0].min() < 0.5 < pictures[0].max() <= 1
