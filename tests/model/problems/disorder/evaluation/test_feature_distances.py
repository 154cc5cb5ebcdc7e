import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.evaluation import feature_distances
from dsfu.model.problems.disorder.evaluation.feature_distances import FeatureMeter, check_weights, not_computed
from dsfu.model.problems.disorder.evaluation.scores import Prediction


def test_without_weights_there_is_no_number():
    for each in not_computed().values():
        assert (each.fid, each.kid) == (None, None)
        assert each.note.startswith("not computed")


def test_a_file_that_is_missing_or_another_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"there is no such file\n.*6726825d"):
        check_weights(tmp_path / "nothing.pth")
    other = tmp_path / "other.pth"
    other.write_bytes(b"other weights")
    with pytest.raises(InputError, match=hashlib.sha256(b"other weights").hexdigest()[:8]):
        check_weights(other)


class RecordingMetric:
    """Stands in for a metric of torchmetrics: remembers what it is given."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.given: dict[bool, list[Tensor]] = {True: [], False: []}

    def to(self, device: torch.device | str) -> "RecordingMetric":
        return self

    def update(self, images: Tensor, real: bool) -> None:
        assert images.dtype == torch.uint8
        self.given[real].append(images)

    def compute(self) -> Any:
        real, ours = (torch.cat(self.given[each]).double().mean() for each in (True, False))
        return torch.stack([ours - real, real]) if "subset_size" in self.options else ours - real


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that passes for the weights, and metrics that record."""
    modules: dict[str, dict[str, Any]] = {
        "torchmetrics": {},
        "torchmetrics.image": {},
        "torchmetrics.image.fid": {
            "FrechetInceptionDistance": RecordingMetric,
            "NoTrainInceptionV3": lambda name, layers, feature_extractor_weights_path: (name, layers),
        },
        "torchmetrics.image.kid": {"KernelInceptionDistance": RecordingMetric},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    file = tmp_path / "weights.pth"
    file.write_bytes(b"the weights")
    monkeypatch.setattr(feature_distances, "WEIGHTS_SHA256", hashlib.sha256(b"the weights").hexdigest())
    return file


def test_predictions_and_truth_go_to_both_metrics_as_grey_pictures(weights: Path):
    roots = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    batch = Batch(
        intensity=roots, live=torch.ones_like(roots) > 0, clean=roots, form_factor=roots.square(), sro=roots.square()
    )
    meter = FeatureMeter(weights, planes=4)
    for _ in range(2):
        meter(Prediction(form_factor=roots[:, 0] * 3, sro=roots[:, 0].sqrt()), batch)
    found = meter.distances()
    assert found["form_factor"].fid == pytest.approx(0)  # the scale of a factor makes no difference
    assert found["form_factor"].kid == pytest.approx(0)
    linear = (roots.square() - roots.square().amin((-2, -1), keepdim=True)) / (
        roots.square().amax((-2, -1), keepdim=True) - roots.square().amin((-2, -1), keepdim=True)
    )
    root = (roots - roots.amin((-2, -1), keepdim=True)) / (
        roots.amax((-2, -1), keepdim=True) - roots.amin((-2, -1), keepdim=True)
    )
    assert found["sro"].fid == pytest.approx(255 * float((root - linear).mean()), abs=0.5)
    assert "subsets of 4 planes" in found["sro"].note


def test_where_the_packages_are_missing_that_is_what_is_said(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    with pytest.raises(ModuleNotFoundError):
        FeatureMeter(weights, planes=4)
