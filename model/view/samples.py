"""A store's samples, whatever the problem: chosen by the range of one of their columns, drawn by their panels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problem import learner_of
from dsfu.model.view.panel_figures import panel_figure
from dsfu.simulate.field_panels import panels_of_fields
from dsfu.simulate.fields import Field
from dsfu.words import grouped

if TYPE_CHECKING:
    import xarray

    from dsfu.model.front_door.stores import DataSet

_ALL: Final = "number of the sample"
_MOST_TOLD: Final = 40
"""Letters of a text that are shown of a sample."""


def told_of(store: "DataSet") -> str:
    """Where a store is, and how many samples of each split are to be used."""
    splits = ", ".join(f"{name} {grouped(len(store.split(name).kept_indices))}" for name in store.splits)
    return f"Data set {store.data.url}: samples of {store.data.problem} to use: {splits}"


class SampleBrowser:
    """Filters, the samples that pass them, and the panels of one of these."""

    def __init__(self, store: "DataSet") -> None:
        import panel

        self._store, self._learner = store, learner_of(store.data.problem)
        self.split = panel.widgets.Select(label="Split", options=list(store.splits), width=150)
        self.column = panel.widgets.Select(label="Choose by", options=[_ALL], width=200)
        self.least = panel.widgets.FloatInput(label="from", width=110)
        self.most = panel.widgets.FloatInput(label="to", width=110)
        self.kept = panel.widgets.Checkbox(label="only samples to use", value=True)
        self.sample = panel.widgets.DiscreteSlider(label="Sample", options=[0], width=300)
        self.said, self.told = panel.pane.Markdown(""), panel.pane.Markdown("")
        self.drawn = panel.FlexBox()
        self._still = False
        self.split.param.watch(lambda _: self._open(), "value")
        self.column.param.watch(lambda _: self._reset(), "value")
        for each in (self.least, self.most, self.kept):
            each.param.watch(lambda _: self._filter(), "value")
        self.sample.param.watch(lambda _: self._draw(), "value")
        self._open()

    @property
    def page(self) -> Any:
        import panel

        filters = panel.FlexBox(self.split, self.column, self.least, self.most, self.kept)
        head = panel.pane.Markdown(told_of(self._store))
        return panel.Column(head, filters, self.sample, self.said, self.drawn, self.told, sizing_mode="stretch_width")

    def _open(self) -> None:
        self._dataset: xarray.Dataset = self._store.to_xarray(self.split.value)
        numbers = [
            str(name)
            for name, each in self._dataset.variables.items()
            if each.dims == ("sample",) and each.dtype.kind in "iuf" and name != "kept"
        ]
        self.column.options = [_ALL, *numbers]
        self._reset()

    def _values(self) -> npt.NDArray[Any]:
        if self.column.value == _ALL:
            return np.arange(self._dataset.sizes["sample"])
        found: npt.NDArray[Any] = self._dataset[self.column.value].values
        return found

    def _reset(self) -> None:
        """All of another column."""
        values = self._values()
        self._still = True
        self.least.value, self.most.value = float(np.min(values)), float(np.max(values))
        self._still = False
        self._filter()

    def _filter(self) -> None:
        if self._still:
            return
        values = self._values()
        passes = (values >= self.least.value) & (values <= self.most.value)
        if self.kept.value and "kept" in self._dataset:
            passes &= self._dataset.kept.values.astype(bool)
        found = [int(each) for each in np.flatnonzero(passes)]
        if not found:
            self.said.object = "No sample passes these filters."
            return
        self.said.object = f"{grouped(len(found))} samples pass."
        self.sample.options = found
        self.sample.value = found[0]
        self._draw()

    def _draw(self) -> None:
        import panel

        sample = whole_sample(self._store, self.split.value, int(self.sample.value))
        panels = self._learner.sample_panels(sample)
        if panels is None:
            panels = panels_of_fields(sample, [_field(str(n), v) for n, v in self._dataset.variables.items()])
        look: dict[str, Any] = {"config": {"responsive": True, "displayModeBar": False}, "height": 400}
        self.drawn.objects = [panel.pane.Plotly(panel_figure(each), width=350, **look) for each in panels]
        self.told.object = _facts(
            sample, {str(n): v.attrs.get("units", "1") for n, v in self._dataset.variables.items()}
        )


def whole_sample(store: "DataSet", split: str, number: int) -> dict[str, Any]:
    """All that a store holds of a sample; of its row in a table that a column is called after, as ``table/column``."""
    one = store.to_xarray(split).isel(sample=number)
    found = {str(name): one[name].values[()] for name in one.variables}
    for table in sorted(set(store.data.group.group_keys()) - set(store.splits)):
        for name, values in store.table(table).variables.items():
            row = found.get(str(values.dims[0])) if values.dims else None
            if row is not None:
                found[f"{table}/{name}"] = values[int(row)].values[()]
    return found


def _field(name: str, values: "xarray.Variable") -> Field:
    return Field(
        name=name,
        dtype=str(values.dtype),
        dims=tuple(map(str, values.dims)),
        units=str(values.attrs.get("units", "")),
        long_name=str(values.attrs.get("long_name", "")),
        kept_as="array" if values.ndim > 1 else "column",
    )


def _facts(sample: Mapping[str, Any], units: Mapping[str, str]) -> str:
    """Its numbers and names as a table."""
    rows = [(name, np.asarray(sample[name])) for name in sorted(sample) if name != "kept"]
    of = {name: "" if units.get(name, "1") == "1" else f" ({units[name]})" for name, _ in rows}
    told = [f"| {name.replace('/', ': ')}{of[name]} | {_word(value)} |" for name, value in rows if value.ndim == 0]
    return "\n".join(["| what | value |", "|---|---|", *told])


def _word(value: npt.NDArray[Any]) -> str:
    one = value.item()
    text = f"{one:.5g}" if isinstance(one, float) else str(one)
    return text[:_MOST_TOLD].replace("|", "\\|")
