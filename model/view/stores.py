"""A store's samples, chosen by group, composition and order."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dsfu.model.view.images import Images, Scene
from dsfu.model.view.samples import SampleBrowser, told_of

if TYPE_CHECKING:
    import xarray

    from dsfu.model.front_door.stores import DataSet

NAMES = ("I_D", "I_FF", "I_SRO")


def store_page(store: "DataSet") -> Callable[[], Any]:
    """A closed store of any problem; one of planes of disorder with images that are zoomed together."""
    store.to_xarray()
    if store.data.problem != "disorder":
        return lambda: SampleBrowser(store).page
    return lambda: StoreBrowser(store).page


class StoreBrowser:
    """Filters, the samples that pass them, and one of these as images."""

    def __init__(self, store: "DataSet") -> None:
        import panel

        self._store = store
        self.images = Images(NAMES)
        self.split = panel.widgets.Select(label="Split", options=list(store.splits), width=150)
        self.group = panel.widgets.Select(label="Shape group", options=["all"], width=150)
        self.fraction = panel.widgets.RangeSlider(label="Fraction of A", start=0, end=1, step=0.01, value=(0, 1))
        self.order = panel.widgets.RangeSlider(
            label="α of the nearest vector", start=-1, end=1, step=0.01, value=(-1, 1)
        )
        self.kept = panel.widgets.Checkbox(label="without repetitions", value=True)
        self.sample = panel.widgets.DiscreteSlider(label="Sample", options=[0], width=300)
        self.said = panel.pane.Markdown("")
        self.split.param.watch(lambda _: self._open(), "value")
        for each in (self.group, self.fraction, self.order, self.kept):
            each.param.watch(lambda _: self._filter(), "value")
        self.sample.param.watch(lambda _: self._draw(), "value")
        self._open()

    @property
    def page(self) -> Any:
        import panel

        filters = panel.FlexBox(self.split, self.group, self.fraction, self.order, self.kept)
        return panel.Column(panel.pane.Markdown(told_of(self._store)), filters, self.sample, self.said, self.images.row)

    def _open(self) -> None:
        self._dataset: xarray.Dataset = self._store.to_xarray(self.split.value)
        self._groups, self._nearest = groups_of(self._dataset), nearest_order(self._dataset)
        self.group.options = ["all", *(str(each) for each in np.unique(self._groups))]
        self._filter()

    def _filter(self) -> None:
        fraction = self._dataset.fraction_a.values
        passes = (fraction >= self.fraction.value[0]) & (fraction <= self.fraction.value[1])
        passes &= (self._nearest >= self.order.value[0]) & (self._nearest <= self.order.value[1])
        if self.kept.value:
            passes &= self._dataset.kept.values.astype(bool)
        if self.group.value != "all":
            passes &= self._groups == int(self.group.value)
        found = [int(each) for each in np.flatnonzero(passes)]
        self._count = len(found)
        if not found:
            self.said.object = "No sample passes these filters."
            return
        self.sample.options = found
        self.sample.value = found[0]
        self._draw()

    def _draw(self) -> None:
        number, door = int(self.sample.value), self._dataset.dsfu
        one = self._dataset.isel(sample=number)
        values = door.intensity(number, masked=True), door.form_factor(number), door.sro(number)
        ends = float(values[0].qx[0]), float(values[0].qx[-1])
        images = {name: each.values for name, each in zip(NAMES, values, strict=True)}
        self.images.show(Scene(x=ends, y=ends, labels=("Qx (1/Å)", "Qy (1/Å)")), images)
        species = door.species
        axis, offset = "hkl"[int(one.plane_axis)], float(one.plane_offset)
        self.said.object = (
            f"{self._count} samples pass. Sample {number}: {species[int(one.species_a)]} with "
            f"{species[int(one.species_b)]}, fraction {float(one.fraction_a):.2f}, {axis} = {offset:.2f}, "
            f"α of the nearest vector {self._nearest[number]:.2f}"
        )


def groups_of(dataset: "xarray.Dataset") -> npt.NDArray[Any]:
    """The shape group of each sample's species."""
    found: npt.NDArray[Any] = _table(dataset, "species")["group"].values[dataset.species_a.values]
    return found


def nearest_order(dataset: "xarray.Dataset") -> npt.NDArray[Any]:
    """Of α(100), α(010) and α(001), the one that is furthest from zero, by sample."""
    alpha = _table(dataset, "sro_sets").alpha
    middle = alpha.shape[1] // 2
    first = np.stack(
        [
            alpha[:, middle + 1, middle, middle].values,
            alpha[:, middle, middle + 1, middle].values,
            alpha[:, middle, middle, middle + 1].values,
        ],
        axis=1,
    )
    strongest = np.take_along_axis(first, np.abs(first).argmax(1)[:, None], axis=1)[:, 0]
    found: npt.NDArray[Any] = strongest[dataset.sro_set.values]
    return found


def _table(dataset: "xarray.Dataset", name: str) -> "xarray.Dataset":
    import xarray

    found: xarray.Dataset = xarray.open_zarr(dataset.attrs["store"], group=name, chunks=None, consolidated=False)
    return found
