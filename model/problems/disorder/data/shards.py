"""Read a closed store: samples as a network sees them, physical intensities, and whole shards at once.

Needs numpy and zarr only: neither dask nor numba, nor anything of the pipeline.

>>> store = open_store("STORE")                                                                   # doctest: +SKIP
>>> train = store.split("train")                                                                  # doctest: +SKIP
>>> sample = train.sample(train.kept_indices[0])                                                  # doctest: +SKIP
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.disorder.data.normalise import Scale
from dsfu.model.problems.disorder.data.plane_reader import CodeArray, PlaneReader
from dsfu.model.problems.disorder.data.samples import IntensityPlanes, Sample, StoredPlanes
from dsfu.model.store import ClosedStore, Column, StoreSplit
from dsfu.simulate.arrays import BoolArray, Float32Array
from dsfu.simulate.disorder.encoding import encode_plane
from dsfu.simulate.disorder.fields import SAMPLE_FIELDS, STORE_FIELDS

COORDINATES: Final = tuple(field.name for field in (*SAMPLE_FIELDS, *STORE_FIELDS))
"""Names of what is known of each sample; `dsfu.simulate.disorder.fields` says what they mean."""


class TwoFactors(Protocol):
    """Form factor and short-range order of one plane, in physical units."""

    @property
    def form_factor(self) -> Float32Array: ...
    @property
    def sro(self) -> Float32Array: ...


class PlaneSource(Protocol):
    """Computes a plane of a store that holds parameters only, from the name of its split and its index there."""

    def __call__(self, split: str, index: int, /) -> TwoFactors: ...


class Store(ClosedStore):
    """A closed store of planes. Opens on first use, and again after it was sent to another process."""

    def __init__(
        self,
        url: str | Path,
        planes_from: PlaneSource | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(url, storage_options)
        self._planes_from = planes_from

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.url, self._planes_from, self._storage_options)

    def split(self, name: str) -> "Split":
        self.check_split(name)
        return Split(self, name)

    @cached_property
    def _mask_bits(self) -> npt.NDArray[np.uint8]:
        return np.asarray(self.read("masks/bits"), np.uint8)

    def live_pixels(self, masks: npt.ArrayLike, pixels: int) -> BoolArray:
        """Masks (..., y, x) by number, True where live; −1 is none, all live."""
        numbers = np.asarray(masks, np.int64)
        if numbers.ndim == 0 and numbers >= 0:
            return np.unpackbits(self._mask_bits[numbers], axis=-1, count=pixels).view(np.bool_)
        live = np.ones((*numbers.shape, pixels, pixels), np.bool_)
        used = numbers >= 0
        if used.any():
            live[used] = np.unpackbits(self._mask_bits[numbers[used]], axis=-1, count=pixels)
        return live

    def planes_from(self, split: str, index: int) -> TwoFactors:
        """A plane that is not stored."""
        if self._planes_from is None:
            raise ValueError(
                f"{self.url} holds parameters only; expected open_store(url, planes_from=...) to compute planes with, "
                "such as dsfu.pipeline.problems.disorder.recompute.Recomputer(url)"
            )
        return self._planes_from(split, index)


def open_store(
    url: str | Path,
    *,
    planes_from: PlaneSource | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Store:
    """Open a closed store.

    Parameters
    ----------
    url
        A folder, or a URL that fsspec knows (``s3://bucket/store``).
    planes_from
        Computes planes of a store that holds parameters only.
    storage_options
        For fsspec.
    """
    store = Store(url, planes_from, storage_options)
    _ = store.group
    return store


class Split(StoreSplit):
    """The samples of one split. Coordinates are read when they are asked for, once; planes every time."""

    store: Store

    def __init__(self, store: Store, name: str) -> None:
        super().__init__(store, name)
        self.pairs = int(self.attribute("pairs"))
        self.planes_per_pair = int(self.attribute("planes_per_pair"))
        self.pixels = int(self.array("x").shape[0])
        self.coordinates: Mapping[str, Column] = _Coordinates(self)

    def __len__(self) -> int:
        return self.pairs * self.planes_per_pair

    @property
    def samples_per_shard(self) -> int:
        return self.planes_per_pair

    @cached_property
    def materialised(self) -> bool:
        """Whether planes are stored; otherwise they are computed."""
        return "form_factor" in self

    def sample(self, index: int, scale: Scale = "sqrt") -> Sample:
        """One sample as a network sees it, (y, x)."""
        index = self._checked(index)
        live = self.store.live_pixels(self.coordinates["mask"][index], self.pixels)
        return self._stored(index).sample(live, scale)

    def planes(self, index: int) -> IntensityPlanes:
        """Physical intensities of one sample, (y, x)."""
        return self._stored(self._checked(index)).physical()

    def shard(self, pair: int) -> StoredPlanes:
        """All planes of a pair, (planes, y, x), as they are stored: one object of each array is read, and read once."""
        rows = self._rows(pair)
        if not self.materialised:
            return _stacked([self._computed(index) for index in range(rows.start, rows.stop)])
        number = rows.start // self.planes_per_pair
        form_factor, sro = self._readers
        return self._with_scales(form_factor.shard(number), sro.shard(number), rows)

    def samples_of_shard(self, pair: int, scale: Scale = "sqrt") -> Sample:
        """All samples of a pair as a network sees them, (planes, y, x)."""
        live = self.store.live_pixels(self.coordinates["mask"][self._rows(pair)], self.pixels)
        shard = self.shard(pair)
        stack = Sample(
            scattering=np.empty(live.shape, np.float32),
            form_factor=np.empty(live.shape, np.float32),
            sro=np.empty(live.shape, np.float32),
            mask=live,
        )
        # One by one: a plane stays in the processor's cache from step to step, and a whole shard does not.
        for number in range(self.planes_per_pair):
            sample = shard.plane(number).sample(live[number], scale)
            stack.scattering[number], stack.form_factor[number] = sample.scattering, sample.form_factor
            stack.sro[number] = sample.sro
        return stack

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index = {index}: expected less than {len(self)}, the samples of {self.name}")
        return range(len(self))[index]

    def _rows(self, pair: int) -> slice:
        if not -self.pairs <= pair < self.pairs:
            raise IndexError(f"pair = {pair}: expected less than {self.pairs}, the pairs of {self.name}")
        first = range(self.pairs)[pair] * self.planes_per_pair
        return slice(first, first + self.planes_per_pair)

    @cached_property
    def _readers(self) -> tuple[PlaneReader, PlaneReader]:
        return PlaneReader(self.array("form_factor")), PlaneReader(self.array("sro"))

    def _stored(self, index: int) -> StoredPlanes:
        if not self.materialised:
            return self._computed(index)
        form_factor, sro = self._readers
        return self._with_scales(form_factor.plane(index), sro.plane(index), index)

    def _with_scales(self, form_factor: CodeArray, sro: CodeArray, rows: int | slice) -> StoredPlanes:
        stored = StoredPlanes(
            form_factor=form_factor,
            sro=sro,
            form_factor_scale=self.coordinates["form_factor_scale"][rows],
            sro_scale=self.coordinates["sro_scale"][rows],
        )
        _check_there(stored.form_factor, stored.form_factor_scale, f"{self.store.url}/{self.name}/form_factor")
        _check_there(stored.sro, stored.sro_scale, f"{self.store.url}/{self.name}/sro")
        return stored

    def _computed(self, index: int) -> StoredPlanes:
        planes = self.store.planes_from(self.name, index)
        form_factor, form_factor_scale = encode_plane(planes.form_factor)
        sro, sro_scale = encode_plane(planes.sro)
        return StoredPlanes(
            form_factor=form_factor,
            sro=sro,
            form_factor_scale=np.asarray(form_factor_scale),
            sro_scale=np.asarray(sro_scale),
        )


class _Coordinates(Mapping[str, Column]):
    """Arrays over the samples by name, each read once."""

    def __init__(self, split: StoreSplit) -> None:
        self._split = split

    def __getitem__(self, name: str) -> Column:
        if name not in COORDINATES:
            raise KeyError(f"{name!r}: expected one of {', '.join(COORDINATES)}")
        return self._split.column(name)

    def __iter__(self) -> Any:
        return iter(COORDINATES)

    def __len__(self) -> int:
        return len(COORDINATES)


def _check_there(stored: CodeArray, scale: Float32Array, what: str) -> None:
    """Zarr takes what is missing for zeros; a plane that has a scale has its maximum somewhere."""
    if stored.ndim == 2 and stored[stored.shape[0] // 2].any():
        return  # a look at one row spares most planes that are read alone the look at all
    if (stored.max(axis=(-2, -1)) < (scale > 0)).any():
        raise FileNotFoundError(f"{what}: a plane is missing; `dsfu-pipeline run` makes it again")


def _stacked(planes: list[StoredPlanes]) -> StoredPlanes:
    return StoredPlanes(
        form_factor=np.stack([each.form_factor for each in planes]),
        sro=np.stack([each.sro for each in planes]),
        form_factor_scale=np.stack([each.form_factor_scale for each in planes]),
        sro_scale=np.stack([each.sro_scale for each in planes]),
    )
