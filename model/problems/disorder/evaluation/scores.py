"""Every number about every plane: what a method says of it, against the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.normalise import Scale
from dsfu.model.problems.disorder.evaluation.metrics import (
    mean_square_errors,
    normalise_roots,
    peak_signal_to_noise,
    regions_of,
    structural_similarity,
)
from dsfu.model.problems.disorder.evaluation.paper import Factor
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.predictors import Predictor
from dsfu.model.problems.disorder.evaluation.projected_alpha import ProjectedSeries, alpha_errors
from dsfu.simulate.arrays import FloatArray, IntArray

FACTORS: Final[tuple[Factor, ...]] = ("sro", "form_factor")
SCALES: Final[tuple[Scale, ...]] = ("linear", "sqrt")


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """√I_FF and √I_SRO of some planes as a method gives them, not negative: (planes, y, x)."""

    form_factor: Tensor
    sro: Tensor

    @property
    def product(self) -> Tensor:
        """The root of what they say that I_D is."""
        return self.form_factor * self.sro


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Numbers (planes,) by name, such as ``sro.linear.mse.live``; NaN where a plane has none."""

    indices: IntArray
    columns: dict[str, FloatArray]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, name: str) -> FloatArray:
        return self.columns[name]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """Some of the planes."""
        return type(self)(
            indices=self.indices[chosen], columns={name: values[chosen] for name, values in self.columns.items()}
        )


def score_planes(
    predict: Predictor,
    planes: EvaluationPlanes,
    *,
    batch_size: int,
    device: torch.device | str = "cpu",
    watch: Callable[[int], None] = lambda done: None,
    also: Callable[[Prediction, Batch], None] = lambda predicted, batch: None,
) -> Scores:
    """Ask a method about all planes.

    Parameters
    ----------
    watch
        Called after each batch with the number of planes that are done.
    also
        Called with each batch and what was predicted, to do more with it.
    """
    found: list[dict[str, FloatArray]] = []
    all_indices: list[int] = []
    for indices, batch in planes.batches(batch_size, device):
        predicted = ask(predict, batch, indices)
        found.append(_scores_of(predicted, batch, indices, planes))
        also(predicted, batch)
        all_indices += indices
        watch(len(all_indices))
    columns = {name: np.concatenate([each[name] for each in found]) for name in found[0]} if found else {}
    return Scores(indices=np.array(all_indices, np.int64), columns=columns)


def ask(predict: Predictor, batch: Batch, indices: Sequence[int]) -> Prediction:
    """Ask a method about a batch, and make sure that its answer is one."""
    form_factor, sro = predict(batch.intensity, batch.live, indices)
    for name, roots in (("form factor", form_factor), ("short-range order", sro)):
        if roots.shape != batch.intensity.shape:
            raise ValueError(
                f"{name}: the method answers with shape {tuple(roots.shape)}; expected {tuple(batch.intensity.shape)}"
            )
        finite = torch.isfinite(roots).all(-1).all(-1).flatten().tolist()
        if not all(finite):
            raise InputError(
                f"the {name} of sample {indices[finite.index(False)]} comes out as NaN or infinite",
                expected="finite numbers",
                remedy="take weights of an earlier checkpoint",
            )
    return Prediction(form_factor=_roots(form_factor), sro=_roots(sro))


def _roots(values: Tensor) -> Tensor:
    return values[:, 0].detach().float().clamp(min=0)


def _scores_of(
    predicted: Prediction, batch: Batch, indices: Sequence[int], planes: EvaluationPlanes
) -> dict[str, FloatArray]:
    live = batch.live[:, 0]
    regions = regions_of(live)
    columns = {"live_share": live.double().mean((-2, -1))}
    for factor in FACTORS:
        truth = getattr(batch, factor)[:, 0].sqrt()
        errors = _errors_of(getattr(predicted, factor), truth, regions)
        columns |= {f"{factor}.{name}": values for name, values in errors.items()}
        baseline = noise_errors(truth, indices, planes.settings.seed)
        columns |= {f"noise.{factor}.{name}": values for name, values in baseline.items()}
    measured = {name: regions[name] for name in ("all", "live")}
    for scale in SCALES:
        ours, its = normalise_roots(predicted.product, scale), normalise_roots(batch.clean[:, 0].sqrt(), scale)
        errors = mean_square_errors(ours, its, measured)
        columns |= {f"product.{scale}.mse.{name}": values for name, values in errors.items()}
    errors = _alpha_errors(predicted.sro, batch, indices, planes)
    columns |= {f"alpha.{name}": values for name, values in errors.items()}
    return {name: values.cpu().numpy() for name, values in columns.items()}


def _errors_of(roots: Tensor, truth: Tensor, regions: dict[str, Tensor]) -> dict[str, Tensor]:
    """Errors of a factor, from √I as predicted and as it is."""
    columns: dict[str, Tensor] = {}
    for scale in SCALES:
        ours, its = normalise_roots(roots, scale), normalise_roots(truth, scale)
        errors = mean_square_errors(ours, its, regions)
        columns |= {f"{scale}.mse.{name}": values for name, values in errors.items()}
        columns[f"{scale}.psnr"] = peak_signal_to_noise(errors["all"])
        columns[f"{scale}.ssim"] = structural_similarity(ours, its)
    return columns


def noise_errors(truth: Tensor, indices: Sequence[int], seed: int) -> dict[str, Tensor]:
    """The paper's baseline: noise that is uniform from −1 to +1, against √I on either scale."""
    draws = [np.random.default_rng([seed, 3, index]).random(truth.shape[-2:], np.float32) for index in indices]
    noise = torch.tensor(np.stack(draws), device=truth.device) * 2 - 1
    everywhere = {"all": torch.ones_like(truth, dtype=torch.bool)}
    return {
        f"{scale}.mse.all": mean_square_errors(noise, normalise_roots(truth, scale), everywhere)["all"]
        for scale in SCALES
    }


def _alpha_errors(roots: Tensor, batch: Batch, indices: Sequence[int], planes: EvaluationPlanes) -> dict[str, Tensor]:
    crystals, split, device = planes.crystals, planes.split.name, roots.device
    series = ProjectedSeries.of(
        crystals.vectors(split, indices, device),
        crystals.planes(split, indices, pixels=planes.pixels, device=device),
        torch.tensor(crystals.normals(split)[list(indices)], device=device),
    )
    return alpha_errors(series.fit(roots.square()), series.fit(batch.sro[:, 0]))
