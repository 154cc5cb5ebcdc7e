"""Fréchet and kernel inception distance between predicted and true planes.

Both compare features of one certain network with certain weights, Inception of 5 December 2015. The weights are not
part of this package: whoever has the file names it. Numbers from any other features would be something else, and are
not given under these names.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.evaluation.metrics import normalise_roots
from dsfu.model.problems.disorder.evaluation.paper import Factor
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, Prediction

WEIGHTS_NAME: Final = "weights-inception-2015-12-05-6726825d.pth"
WEIGHTS_SHA256: Final = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

NO_WEIGHTS: Final = "not computed: no Inception weights were named (--inception-weights)"

_KID_SUBSET: Final = 1000


@dataclass(frozen=True, kw_only=True)
class FeatureDistances:
    """FID and KID of one factor on the linear scale, or why there are none."""

    fid: float | None = None
    kid: float | None = None
    note: str = NO_WEIGHTS


class FeatureMeter:
    """Collects the features of planes, batch by batch; given to `score_planes` as ``also``."""

    def __init__(self, weights: Path, planes: int, device: torch.device | str = "cpu") -> None:
        check_weights(weights)
        extractor = _inception(weights)
        subset = min(_KID_SUBSET, planes)
        self._meters = {factor: _meters(extractor, subset, device) for factor in FACTORS}
        self._subset = subset

    def __call__(self, predicted: Prediction, batch: Batch) -> None:
        for factor, meters in self._meters.items():
            truth = _as_images(getattr(batch, factor)[:, 0].sqrt())
            ours = _as_images(getattr(predicted, factor))
            for meter in meters.values():
                meter.update(truth, real=True)
                meter.update(ours, real=False)

    def distances(self) -> dict[Factor, FeatureDistances]:
        note = f"linear scale, 8 bits; KID from subsets of {self._subset} planes"
        return {
            factor: FeatureDistances(
                fid=float(meters["fid"].compute()), kid=float(meters["kid"].compute()[0]), note=note
            )
            for factor, meters in self._meters.items()
        }


def not_computed() -> dict[Factor, FeatureDistances]:
    return {factor: FeatureDistances() for factor in FACTORS}


def check_weights(file: Path) -> None:
    """Make sure that a file holds the weights that FID and KID are defined with.

    Also because the package that reads it later unpickles whatever it finds.
    """
    if not file.is_file():
        raise InputError("there is no such file", where=f"--inception-weights {file}", expected=WEIGHTS_NAME)
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise InputError(
            f"these are other weights: their SHA-256 begins with {found[:8]}",
            where=f"--inception-weights {file}",
            expected=f"{WEIGHTS_NAME}, SHA-256 {WEIGHTS_SHA256}",
            remedy="name that file; distances of other features are not comparable",
        )


def _inception(weights: Path) -> Any:
    from torchmetrics.image.fid import NoTrainInceptionV3

    return NoTrainInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))


def _meters(extractor: Any, subset: int, device: torch.device | str) -> Mapping[str, Any]:
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    return {
        "fid": FrechetInceptionDistance(feature=extractor).to(device),
        "kid": KernelInceptionDistance(feature=extractor, subset_size=subset).to(device),
    }


def _as_images(roots: Tensor) -> Tensor:
    """Planes on the linear scale as grey pictures of 8 bits: (planes, 3, y, x)."""
    grey = (normalise_roots(roots, "linear") + 1) / 2
    return (255 * grey).round().to(torch.uint8)[:, None].expand(-1, 3, -1, -1)
