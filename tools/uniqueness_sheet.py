"""Pictures to judge a threshold of uniqueness by: planes just nearer and just further than it, and all distances."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.plane_rules import PlaneRules
from dsfu.simulate.disorder.samples import SetChoice, simulate_pair
from dsfu.simulate.disorder.sro_set import SroSet
from dsfu.simulate.disorder.uniqueness import (
    METRICS,
    EmbeddingArray,
    MetricName,
    embed_plane,
    embedding_distances,
    select_by_distances,
)
from dsfu.simulate.random_stream import RandomStream
from dsfu.simulate.species import SPLITS, Species, load_library, pairs

MONTE_CARLO_SETS, OSCILLATOR_SETS = 12, 14
"""Sets with which a pair is simulated, as for the paper's data; a validation pair has no oscillator sets."""

_ROWS, _COLUMNS = 4, 5

_AXES: dict[MetricName, str] = {
    "sliced_wasserstein": "sliced W₂, in widths of the plane",
    "wasserstein": "bound of W₂, in widths of the plane",
    "appearance": "√(1 − r) of √I",
}

_BOX = 32
"""Edge in sites of the boxes that the sets are made in: small, as it is only a picture that they are for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairPlanes:
    """The planes of a molecule pair: as small pictures of √I, in words, and as vectors by metric."""

    name: str
    pictures: npt.NDArray[np.uint8]
    labels: list[str]
    vectors: dict[MetricName, EmbeddingArray]

    def distances(self, metric: MetricName) -> FloatArray:
        return embedding_distances(self.vectors[metric], metric=metric)


@dataclass(frozen=True, eq=False)
class Case:
    """Two planes of a pair and their distance."""

    distance: float
    pair: PairPlanes
    first: int
    second: int


def draw_borderline(path: Path, planes: Sequence[PairPlanes], metric: MetricName, threshold: float) -> None:
    """Write a sheet of cases on either side of the threshold, each the nearest to it of its molecule pair."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 15))
    for cases, title, top in zip(
        borderline_cases(planes, metric, threshold),
        (f"Nearer than {threshold:g}: one of each two would be left out", "Further apart: both stay"),
        (0.965, 0.475),
        strict=True,
    ):
        figure.text(0.01, top + 0.01, title, fontsize=12, fontweight="bold")
        places = figure.add_gridspec(
            _ROWS, _COLUMNS, left=0.01, right=0.99, top=top, bottom=top - 0.445, wspace=0.06, hspace=0.3
        )
        for number, case in enumerate(cases[: _ROWS * _COLUMNS]):
            _draw_case(figure.add_subplot(places[divmod(number, _COLUMNS)]), case)
    figure.savefig(path, dpi=120)


def borderline_cases(
    planes: Sequence[PairPlanes], metric: MetricName, threshold: float
) -> tuple[list[Case], list[Case]]:
    """Cases nearer and further than the threshold, in falling and rising order of distance, one of each pair."""
    nearer: list[Case] = []
    further: list[Case] = []
    for pair in planes:
        distances = pair.distances(metric)
        first, second = np.triu_indices(len(distances), k=1)
        between = distances[first, second]
        under = between < threshold
        if under.any():
            nearer.append(_case(pair, first, second, between, np.where(under, between, -np.inf).argmax()))
        if not under.all():
            further.append(_case(pair, first, second, between, np.where(under, np.inf, between).argmin()))
    return sorted(nearer, key=lambda case: -case.distance), sorted(further, key=lambda case: case.distance)


def _case(pair: PairPlanes, first: IntArray, second: IntArray, between: FloatArray, picked: np.intp) -> Case:
    return Case(float(between[picked]), pair, int(first[picked]), int(second[picked]))


def _draw_case(axes: Any, case: Case) -> None:
    left, right = (case.pair.pictures[number] for number in (case.first, case.second))
    gap = np.full((len(left), len(left) // 24), np.nan)
    axes.set_axis_off()
    axes.imshow(np.hstack([left / 255, gap, right / 255]), cmap="viridis", origin="lower", interpolation="nearest")
    labels = case.pair.labels[case.first], case.pair.labels[case.second]
    text = f"{case.distance:.3g}: {case.pair.name}\n{labels[0]}; {labels[1]}"
    axes.text(0, -4, text, fontsize=6, va="top")


def draw_distances(path: Path, planes: Sequence[PairPlanes]) -> None:
    """Write how the distances within pairs are spread, by metric, and what share of the planes a threshold removes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (metric, kind) in zip(figure.subplots(1, len(METRICS)), METRICS.items(), strict=True):
        matrices = [pair.distances(metric) for pair in planes]
        between = np.concatenate([matrix[np.triu_indices(len(matrix), k=1)] for matrix in matrices])
        edges = np.geomspace(max(between[between > 0].min(), kind.threshold / 10), between.max(), 60)
        axes.hist(between, bins=edges.tolist(), color="0.75")
        axes.set(xscale="log", yscale="log", xlabel=_AXES[metric], ylabel="pairs of planes")
        axes.axvline(kind.threshold, color="C3", linewidth=1)
        thresholds = edges[edges < np.quantile(between, 0.2)]
        shares = [np.mean([select_by_distances(m, float(t)).share_removed for m in matrices]) for t in thresholds]
        right = axes.twinx()
        right.plot(thresholds, shares, color="C0")
        right.set_ylabel("share of planes removed", color="C0")
        right.set_ylim(0, 0.3)
    figure.savefig(path, dpi=150)


def simulate_planes_of(pair: tuple[Species, Species], seed: int) -> PairPlanes:
    """Simulate a molecule pair with random sets: as many, of as many kinds, as in the paper's data."""
    one, other = pair
    pictures: list[npt.NDArray[np.uint8]] = []
    vectors: dict[MetricName, list[EmbeddingArray]] = {metric: [] for metric in METRICS}

    def look_at(intensity: Float32Array) -> Float32Array:
        root = np.sqrt(intensity[::2, ::2])
        pictures.append((255 * (root / root.max())).astype(np.uint8))
        for metric, found in vectors.items():
            found.append(embed_plane(intensity, metric))
        return np.empty(0, np.float32)

    samples = simulate_pair(
        atoms_a=one.atoms,
        cell_a=one.cell,
        atoms_b=other.atoms,
        cell_b=other.cell,
        sets=[
            SetChoice(kind=each.kind, fraction_a=each.fraction_a, alpha=each.alpha) for each in _random_sets(one, seed)
        ],
        q_max_range=(6.0, 8.0),
        rules=PlaneRules(),
        embed=look_at,
        random=RandomStream(seed, "uniqueness sheet"),
    )
    placed = zip(samples.set_number, samples.fields["plane_axis"], samples.fields["plane_offset"], strict=True)
    return PairPlanes(
        name=f"{one.name} + {other.name}",
        pictures=np.stack(pictures),
        labels=[f"set {number}, {'hkl'[int(axis)]} = {offset:.2f}" for number, axis, offset in placed],
        vectors={metric: np.stack(found) for metric, found in vectors.items()},
    )


def _random_sets(species: Species, seed: int) -> list[SroSet]:
    monte_carlo = [draw_monte_carlo_set(MONTE_CARLO_SETS * seed + n, box=_BOX) for n in range(MONTE_CARLO_SETS)]
    if species.split == "validation":
        return monte_carlo
    return monte_carlo + [
        draw_oscillator_set(OSCILLATOR_SETS * seed + n, species.shape.lattice) for n in range(OSCILLATOR_SETS)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--pairs", type=int, default=36, help="molecule pairs, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    every = pairs(load_library(), options.split)
    chosen = np.random.default_rng(options.seed).permutation(len(every))[: options.pairs]
    planes = [simulate_planes_of(every[number], int(number)) for number in chosen]
    options.out.mkdir(parents=True, exist_ok=True)
    for metric, kind in METRICS.items():
        draw_borderline(options.out / f"borderline_{metric}.png", planes, metric, kind.threshold)
    draw_distances(options.out / "distances.png", planes)


if __name__ == "__main__":
    main()
