"""Closed stores at the front door, and what xarray offers of them as ``ds.dsfu``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import INTENSITY
from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.given import path_of
from dsfu.model.store import ClosedStore, StoreSplit, opened_store

if TYPE_CHECKING:
    import xarray


class DataSet(Answer):
    """A closed store. ``data`` is a `ClosedStore`; ``split(name)`` gives its reader."""

    data: ClosedStore

    def __init__(self, data: ClosedStore, storage_options: Mapping[str, Any]) -> None:
        self.data = data
        self._storage_options = dict(storage_options)

    @property
    def splits(self) -> tuple[str, ...]:
        return self.data.splits

    def split(self, name: str) -> StoreSplit:
        """The reader of a split, the fastest way to its samples."""
        return self.data.split(name)

    def facts(self) -> Mapping[str, str]:
        splits = {name: self.data.split(name) for name in self.splits}
        told = ", ".join(f"{name} {len(each)} ({len(each.kept_indices)} kept)" for name, each in splits.items())
        return {"store": self.data.url, "problem": self.data.problem, "samples": told}

    def plot(self, split: str = "", count: int = 4) -> Drawing:
        """I_D, I_FF and I_SRO of the first samples that are kept."""
        return sheet(self.to_xarray(split), count)

    def to_xarray(self, split: str = "") -> "xarray.Dataset":
        """A split, read when it is used, with ``ds.dsfu``; the first split if none is named."""
        import dsfu.model.front_door.accessor  # noqa: F401  (offers ds.dsfu)

        name = split or self.splits[0]
        if name not in self.splits:
            raise InputError(f"split {name!r}", where=self.data.url, expected=", ".join(self.splits))
        dataset = self.table(name)
        dataset.attrs |= {"store": self.data.url, "split": name}
        return dataset

    def table(self, name: str) -> "xarray.Dataset":
        """A group of the store, such as what several samples share: shapes of particles, sets of order."""
        import xarray

        found: xarray.Dataset = xarray.open_zarr(
            self.data.url, group=name, chunks=None, consolidated=False, storage_options=self._storage_options or None
        )
        return found

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """A copy of every array and record, in a folder."""
        import shutil

        if "://" in self.data.url:
            raise InputError("is not on this machine", where=self.data.url, remedy="copy it with the tools of its host")
        folder = free_folder(path, overwrite=overwrite)
        shutil.copytree(self.data.url, folder, dirs_exist_ok=True)
        return folder


def open_store(url: str | Path, *, storage_options: Mapping[str, Any] | None = None) -> DataSet:
    """Open what ``dsfu-pipeline run`` has finished.

    Parameters
    ----------
    url
        A folder, or a URL that fsspec knows (``s3://bucket/store``).
    storage_options
        For fsspec.
    """
    from dsfu.model.problems.disorder.data.shards import open_store as open_planes

    url = path_of(url, "a folder, or a URL, of a closed store") if not isinstance(url, str) else url
    store = ClosedStore(url, storage_options) if storage_options else opened_store(str(url))
    if store.problem == "disorder":
        store = open_planes(url, storage_options=storage_options)
    return DataSet(store, storage_options or {})


def sheet(dataset: "xarray.Dataset", count: int = 4) -> Drawing:
    """Scattering and both factors of the first samples that are kept, on square-root scales."""
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    chosen = np.flatnonzero(dataset.kept.values)[:count]
    figure = Figure(figsize=(2.4 * len(chosen) + 0.5, 7), layout="constrained")
    panels = figure.subplots(3, len(chosen), squeeze=False)
    for column, sample in enumerate(chosen):
        door: Any = dataset.dsfu
        for row, (name, values) in enumerate(
            (
                ("I_D", door.intensity(sample)),
                ("I_FF", door.form_factor(sample)),
                ("I_SRO", door.sro(sample)),
            )
        ):
            top = float(np.nanquantile(values, 0.998)) or 1.0
            reach = float(values.qx.max())
            panels[row][column].imshow(
                values,
                origin="lower",
                cmap=INTENSITY,
                norm=PowerNorm(0.5, 0, top, clip=True),
                extent=(-reach, reach, -reach, reach),
            )
            panels[row][column].set_title(f"{name}, sample {sample}", fontsize=8)
            panels[row][column].tick_params(labelsize=6)
    return Drawing.of(figure)
