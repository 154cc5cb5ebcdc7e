"""Pictures of single planes: what was measured, what is predicted, what is true, and the difference."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.colours import DIFFERENCE, INTENSITY
from dsfu.model.evaluation.tables import shown_ranks
from dsfu.model.problems.disorder.evaluation.metrics import normalise_roots
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.predictors import Predictor
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, Scores, ask
from dsfu.pages.pictures import coloured, pixels_address
from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanePictures:
    """One plane on the square-root scale, from −1 to +1.

    Attributes
    ----------
    place
        Why it was chosen: "best", "median", …
    """

    place: str
    index: int
    scattering: Float32Array
    live: BoolArray
    predicted: dict[str, Float32Array]
    truth: dict[str, Float32Array]


def overall_error(scores: Scores) -> FloatArray:
    """By which planes are put in order: mean square error on the linear scale, both factors together."""
    return np.asarray(sum(scores[f"{factor}.linear.mse.all"] for factor in FACTORS))


def chosen_places(scores: Scores) -> dict[str, int]:
    """The best plane, the median, that at 90 %, and the worst: place in the scores by name."""
    order = np.argsort(overall_error(scores), kind="stable")
    return {name: int(order[place]) for name, place in shown_ranks(len(order)).items()}


def pictures_of(
    predict: Predictor, planes: EvaluationPlanes, scores: Scores, device: torch.device | str = "cpu"
) -> list[PlanePictures]:
    """Predict the chosen planes again, to be drawn."""
    pictures = []
    for name, place in chosen_places(scores).items():
        index = int(scores.indices[place])
        batch = planes.batch([index], device)
        predicted = ask(predict, batch, [index])
        pictures.append(
            PlanePictures(
                place=name,
                index=index,
                scattering=_drawn(batch.intensity[:, 0].clamp(min=0).sqrt()),
                live=batch.live[0, 0].cpu().numpy(),
                predicted={factor: _drawn(getattr(predicted, factor)) for factor in FACTORS},
                truth={factor: _drawn(getattr(batch, factor)[:, 0].sqrt()) for factor in FACTORS},
            )
        )
    return pictures


def plane_image(values: Float32Array, live: BoolArray | None = None) -> str:
    """A plane as an image's address that holds the image; dead pixels are see-through."""
    colours = coloured((values + 1) / 2, INTENSITY)
    if live is not None:
        colours[~live, 3] = 0
    return pixels_address(colours)


def difference_image(predicted: Float32Array, truth: Float32Array, largest: float) -> str:
    """Prediction minus truth; colours end at ± ``largest``."""
    return pixels_address(coloured((predicted - truth) / (2 * largest) + 0.5, DIFFERENCE))


def _drawn(roots: Tensor) -> Float32Array:
    return np.asarray(normalise_roots(roots, "sqrt")[0].cpu().numpy())
