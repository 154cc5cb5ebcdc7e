"""What is said of a whole evaluation: means, medians and percentiles, by region, by group, and beside the paper's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.disorder.data.normalise import Scale
from dsfu.model.problems.disorder.evaluation.feature_distances import FeatureDistances
from dsfu.model.problems.disorder.evaluation.metrics import REGIONS
from dsfu.model.problems.disorder.evaluation.paper import PAPER, SCALE_NOTE, Factor
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, SCALES, Scores
from dsfu.simulate.arrays import FloatArray

_CLIPPED: Final = {"none": 0.0, "up to 5 %": 0.05, "5 to 20 %": 0.2, "over 20 %": 1.0}
"""Shares of a plane at which the series of I_SRO was negative, each up to and with the number."""

_ORDERED: Final = 0.02
"""Root mean square of α over the outermost vectors from which on a set is ordered beyond them. Chosen."""

_SHAPES: Final = ("globular", "rod", "flat", "flat ring", "perovskite")


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One number of all planes that have it."""

    mean: float
    median: float
    percentile_90: float
    planes: int

    @classmethod
    def of(cls, values: FloatArray) -> "Statistic":
        known = values[np.isfinite(values)]
        if not known.size:
            return cls(mean=np.nan, median=np.nan, percentile_90=np.nan, planes=0)
        return cls(
            mean=float(known.mean()),
            median=float(np.median(known)),
            percentile_90=float(np.quantile(known, 0.9)),
            planes=len(known),
        )


@dataclass(frozen=True, kw_only=True)
class FactorOnScale:
    """How one factor came out on one scale.

    Attributes
    ----------
    mse
        By region, see `dsfu.model.problems.disorder.evaluation.metrics.REGIONS`.
    share_below_paper
        Share of the planes with an error below what 90 % of the paper's stay below.
    noise_mse
        Of uniform noise against the same planes.
    """

    mse: Mapping[str, Statistic]
    psnr: Statistic
    ssim: Statistic
    share_below_paper: float
    noise_mse: float


@dataclass(frozen=True, kw_only=True)
class SummaryPart:
    """The planes of one kind: their mean square errors by factor and scale."""

    label: str
    planes: int
    mse: Mapping[Factor, Mapping[Scale, Statistic]]


@dataclass(frozen=True, kw_only=True)
class EvaluationSummary:
    """Everything that the reports show.

    Attributes
    ----------
    about
        What was evaluated, on what, and how.
    alpha
        Error of α / α₀ fitted to the predicted I_SRO, against those of the truth.
    product
        Mean square error of the product of both factors against I_D, by scale and region.
    parts
        The same planes divided in several ways.
    """

    about: Mapping[str, Any]
    planes: int
    live_share: float
    factors: Mapping[Factor, Mapping[Scale, FactorOnScale]]
    features: Mapping[Factor, FeatureDistances]
    product: Mapping[Scale, Mapping[str, Statistic]]
    alpha: Mapping[str, Statistic]
    parts: Mapping[str, Sequence[SummaryPart]]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers that there are none of are null."""
        paper = {factor: asdict(figures) for factor, figures in PAPER.items()}
        whole: dict[str, Any] = _finite(asdict(self) | {"paper": paper, "paper_scale": SCALE_NOTE})
        return whole


def summarise(
    scores: Scores,
    planes: EvaluationPlanes,
    features: Mapping[Factor, FeatureDistances],
    about: Mapping[str, Any],
) -> EvaluationSummary:
    """Put together what is known of all planes."""
    return EvaluationSummary(
        about=about,
        planes=len(scores),
        live_share=float(scores["live_share"].mean()),
        factors={factor: {scale: _factor_on_scale(scores, factor, scale) for scale in SCALES} for factor in FACTORS},
        features=features,
        product={
            scale: {region: Statistic.of(scores[f"product.{scale}.mse.{region}"]) for region in ("all", "live")}
            for scale in SCALES
        },
        alpha={which: Statistic.of(scores[f"alpha.{which}"]) for which in ("all", "nearest")},
        parts={name: _parts(scores, labels) for name, labels in labels_of(scores, planes).items()},
    )


def labels_of(scores: Scores, planes: EvaluationPlanes) -> dict[str, npt.NDArray[Any]]:
    """What kind each plane is of, by the way of dividing them."""
    split, crystals, rows = planes.split.name, planes.crystals, scores.indices
    groups = crystals.groups(split)[rows]
    clipped = planes.split.coordinates["clipped_fraction"][rows]
    bins = np.searchsorted(list(_CLIPPED.values()), clipped)
    return {
        "group of species": np.array([_group_name(number) for number in groups]),
        "short-range order": np.array([kind.replace("_", " ") for kind in crystals.sro_kinds(split)[rows]]),
        "order at the cut-off": np.where(crystals.orders_at_cutoff(split)[rows] < _ORDERED, "little", "much"),
        "share of I_SRO that was clipped": np.array(list(_CLIPPED))[bins],
    }


def _group_name(number: int) -> str:
    return f"{number} {_SHAPES[number]}" if number < len(_SHAPES) else str(number)


def _factor_on_scale(scores: Scores, factor: Factor, scale: Scale) -> FactorOnScale:
    errors = {region: scores[f"{factor}.{scale}.mse.{region}"] for region in REGIONS}
    return FactorOnScale(
        mse={region: Statistic.of(values) for region, values in errors.items()},
        psnr=Statistic.of(scores[f"{factor}.{scale}.psnr"]),
        ssim=Statistic.of(scores[f"{factor}.{scale}.ssim"]),
        share_below_paper=float((errors["all"] < PAPER[factor].percentile_90).mean()),
        noise_mse=float(scores[f"noise.{factor}.{scale}.mse.all"].mean()),
    )


def _parts(scores: Scores, labels: npt.NDArray[Any]) -> list[SummaryPart]:
    parts = []
    for label in sorted(set(labels.tolist()), key=_rank):
        some = scores.where(labels == label)
        errors = {
            factor: {scale: Statistic.of(some[f"{factor}.{scale}.mse.all"]) for scale in SCALES} for factor in FACTORS
        }
        parts.append(SummaryPart(label=str(label), planes=len(some), mse=errors))
    return parts


def _rank(label: str) -> tuple[int, str]:
    """Clipped shares in their order, all else by the alphabet."""
    return list(_CLIPPED).index(label) if label in _CLIPPED else 0, label


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
