"""The evaluation of a run, from its best plane to its worst."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.view.images import Images, Scene
from dsfu.model.view.stores import groups_of, nearest_order

PLANES: Final = "planes.csv"
ABOUT: Final = "evaluation.json"

DIFFERENCE: Final = "I_SRO, answer − truth"

_RANKED: Final = ("sro", "form_factor", "product", "alpha")
"""Beginnings of the columns by which planes are put in order."""

_WORDS: Final = {
    **{"sro": "I_SRO", "form_factor": "I_FF", "product": "I_D", "alpha": "α"},
    **{"mse": "mean square error", "psnr": "PSNR", "ssim": "SSIM", "sqrt": "square roots"},
}
"""Of the names of columns."""

_MORE_IS_BETTER: Final = ("psnr", "ssim")


def is_evaluation(folder: Path) -> bool:
    return (folder / PLANES).is_file() and (folder / ABOUT).is_file()


def evaluation_page(folder: Path) -> Callable[[], Any]:
    """Planes of an evaluation by one of its errors, and what the network says of each."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))["about"]
        with (folder / PLANES).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        ranked = [name for name in rows[0] if name.partition(".")[0] in _RANKED]
        columns = {name: np.array([float(row[name]) for row in rows]) for name in ranked}
        samples = np.array([int(row["sample"]) for row in rows])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"is no evaluation that can be read ({error})", where=str(folder), remedy="dsfu-model evaluate RUN STORE"
        ) from error
    home, store = Path(about.get("folder", "")), str(about["store"])  # older ones do not say where they were made
    answers = Answers(home / about["run"], store if "://" in store else str(home / store), str(about["split"]))
    title = f"{about['name']} on {about['split']} of {about['store']}: {about['conditions']}, by {about['method']}"
    groups, order = answers.groups[samples], answers.order[samples]
    return lambda: Ranked(columns, samples, answers, title, groups=groups, order=order).page


def told(column: str) -> str:
    """The name of a column of errors in words."""
    return ", ".join(_WORDS.get(each, each) for each in column.split("."))


class Answers:
    """Samples of the store that was evaluated, with the truth and what the network says."""

    NAMES = ("measured", "I_FF, answer", "I_FF, truth", "I_SRO, answer", "I_SRO, truth", DIFFERENCE)

    def __init__(self, run: Path, store: str, split: str) -> None:
        import dsfu
        from dsfu.model.problems.disorder.networks.loading import load_factoriser, pixels_of
        from dsfu.model.weights.files import weights_file

        self._dataset = dsfu.open_store(store).to_xarray(split)
        self.groups, self.order = groups_of(self._dataset), nearest_order(self._dataset)
        self._network, card = load_factoriser(weights_file(run))
        self._pixels = pixels_of(card.more)

    def of(self, sample: int) -> tuple[Scene, dict[str, Any]]:
        """Images by name, each relative to its maximum; the last is a difference."""
        import torch

        door = self._dataset.dsfu
        step = max(1, self._dataset.sizes["x"] // self._pixels)
        intensity, live = door.intensity(sample)[::step, ::step], door.live(sample).values[::step, ::step]
        seen = torch.tensor(np.where(live, intensity.values, 0), dtype=torch.float32)[None, None]
        with torch.inference_mode():
            roots = self._network(seen, torch.tensor(live)[None, None])
        form, sro = (np.square(np.clip(root[0, 0].numpy(), 0, None)) for root in roots)
        true = [door.form_factor(sample).values[::step, ::step], door.sro(sample).values[::step, ::step]]
        form, sro, *true = (each / (each.max() or 1.0) for each in (form, sro, *true))
        values = (np.where(live, intensity.values, np.nan), form, true[0], sro, true[1], sro - true[1])
        ends = float(intensity.qx[0]), float(intensity.qx[-1])
        return Scene(x=ends, y=ends, labels=("Qx (1/Å)", "Qy (1/Å)")), dict(zip(self.NAMES, values, strict=True))


class Ranked:
    """A slider from the best plane to the worst by a column of errors, and the images of the one chosen."""

    def __init__(
        self, columns: dict[str, Any], samples: Any, answers: Answers, title: str, *, groups: Any, order: Any
    ) -> None:
        import panel
        from bokeh.models import ColumnDataSource
        from bokeh.plotting import figure

        self._columns, self._samples, self._answers, self._title = columns, samples, answers, title
        self._groups, self._order = groups, order
        self._images = Images(Answers.NAMES, [DIFFERENCE])
        words = {told(name): name for name in columns}
        self.column = panel.widgets.Select(label="In order of", options=words, value=next(iter(columns)), width=300)
        self.rank = panel.widgets.IntSlider(
            label="From best to worst", start=1, end=max(2, len(samples)), value=1, width=300
        )
        kinds = ["all", *(str(each) for each in np.unique(groups))]
        self.group = panel.widgets.Select(label="Shape group", options=kinds, width=150)
        self.reach = panel.widgets.RangeSlider(
            label="α of the nearest vector", start=-1, end=1, step=0.01, value=(-1, 1)
        )
        self.said = panel.pane.Markdown("")
        self._curve = ColumnDataSource({"rank": [], "error": []})
        self._here = ColumnDataSource({"rank": [], "error": []})
        self._figure = figure(width=340, height=220, x_axis_label="planes, from best to worst", toolbar_location=None)
        self._figure.line("rank", "error", source=self._curve)
        self._figure.scatter("rank", "error", source=self._here, size=9, color="#c2452d")
        for each in (self.column, self.rank, self.group, self.reach):
            each.param.watch(lambda _: self._draw(), "value")
        self._draw()

    @property
    def page(self) -> Any:
        import panel

        controls = panel.Column(panel.FlexBox(self.column, self.group, self.reach), self.rank, self.said)
        top = panel.FlexBox(controls, panel.pane.Bokeh(self._figure))
        return panel.Column(panel.pane.Markdown(self._title), top, self._images.row)

    def _draw(self) -> None:
        passes = (self._order >= self.reach.value[0]) & (self._order <= self.reach.value[1])
        if self.group.value != "all":
            passes &= self._groups == int(self.group.value)
        errors = self._columns[self.column.value]
        badness = -errors if self.column.value.endswith(_MORE_IS_BETTER) else errors
        order = np.argsort(np.where(np.isnan(errors), np.inf, badness), kind="stable")
        order = order[passes[order]]
        if not len(order):
            self.said.object = "No plane passes these filters."
            return
        rank = min(int(self.rank.value), len(order))
        which = order[rank - 1]
        self._curve.data = {"rank": np.arange(1, len(order) + 1), "error": errors[order]}
        self._here.data = {"rank": [rank], "error": [errors[which]]}
        sample = int(self._samples[which])
        self.said.object = f"Sample {sample}, {rank} of {len(order)}: {told(self.column.value)} = {errors[which]:.4g}"
        self._images.show(*self._answers.of(sample))
