"""A closed store as the pipeline's own reports see it: its splits, what is known of each sample, and single planes.

`dsfu.model.shards` is the reader for training. This one needs nothing of the model, and names things for people.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import zarr

from dsfu.pipeline.problems.disorder.recompute import Recomputer
from dsfu.pipeline.report.opening import state_of
from dsfu.pipeline.store.files import Files, open_files
from dsfu.pipeline.store.intact import IntactFiles
from dsfu.pipeline.store.ledger import Ledger
from dsfu.simulate.arrays import BoolArray, Float32Array, IntArray
from dsfu.simulate.disorder.encoding import decode_plane

Column = npt.NDArray[Any]

_NORMAL: Final = (("k", "l", "h"), ("h", "l", "k"), ("h", "k", "l"))
"""By the axis that a plane is normal to: the indices that grow along x and along y, and the one that is constant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleView:
    """One sample, with its planes in physical units and the names of what it was made from.

    Attributes
    ----------
    form_factor, sro
        I_FF (electrons² per unit cell) and I_SRO, [y, x].
    live
        [y, x], False in dead zones.
    q_max
        Half the side of the plane, in 1/Å.
    axis, offset
        Direct lattice vector normal to the plane (0 a, 1 b, 2 c), and the index that is constant on it.
    set_kind
        How its set of Warren–Cowley parameters was made.
    """

    split: str
    index: int
    species_a: str
    species_b: str
    group: int
    fraction_a: float
    axis: int
    offset: float
    q_max: float
    set_kind: str
    form_factor: Float32Array
    sro: Float32Array
    live: BoolArray

    @property
    def scattering(self) -> Float32Array:
        """I_D, the product of the two factors, also where it is not seen."""
        return self.form_factor * self.sro

    @property
    def pair(self) -> str:
        return f"{readable(self.species_a)} + {readable(self.species_b)}"

    @property
    def along_x(self) -> str:
        """The index that grows along x."""
        return _NORMAL[self.axis][0]

    @property
    def along_y(self) -> str:
        """The index that grows along y (and, where axes are oblique, along x too)."""
        return _NORMAL[self.axis][1]

    @property
    def constant(self) -> str:
        """The index that is constant on the plane."""
        return _NORMAL[self.axis][2]


def readable(species: str) -> str:
    """A species' name as a person writes it."""
    return species.replace("_", " ")


class StoreView:
    """A closed store. Columns are read when they are asked for, once; planes every time.

    Raises
    ------
    InputError
        If there is no store, one that is not closed, or, now or later, if what is read is damaged.
    """

    def __init__(self, url: str | Path) -> None:
        self.files: Files = open_files(url)
        self.url = self.files.url
        self._intact = IntactFiles(self.files, state_of(self.files))
        self._intact.check_documents()
        self.group = zarr.open_group(self.files.zarr_store(read_only=True), mode="r", zarr_format=3)
        self.attributes = cast("dict[str, Any]", self.group.attrs.asdict())
        self.splits = {str(name): SplitView(self, str(name)) for name in self.attributes["splits"]}
        self._columns: dict[str, Column] = {}

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.files)

    @property
    def materialised(self) -> bool:
        """Whether planes are stored; otherwise they are computed."""
        return bool(self.attributes["materialised"])

    @property
    def manifest_text(self) -> str:
        return str(self.attributes["manifest"])

    def array(self, path: str) -> "zarr.Array[Any]":
        """An array that is too large to be read whole."""
        return cast("zarr.Array[Any]", self.group[path])

    def column(self, path: str) -> Column:
        """A whole array, read once."""
        if path not in self._columns:
            self._intact.check_array(path)
            self._columns[path] = np.asarray(self.array(path)[...])
        return self._columns[path]

    def check_plane(self, array: str, sample: int, planes_per_pair: int) -> None:
        """Raise InputError unless the Zarr shard in which the plane of a sample lies is what was written."""
        self._intact.check_place(array, sample // planes_per_pair)

    @cached_property
    def recomputer(self) -> Recomputer:
        return Recomputer(self.group)


class SplitView:
    """The samples of one split."""

    def __init__(self, store: StoreView, name: str) -> None:
        self.store = store
        self.name = name
        self.attributes = cast("dict[str, Any]", cast("zarr.Group", store.group[name]).attrs.asdict())
        self.pairs = int(self.attributes["pairs"])
        self.planes_per_pair = int(self.attributes["planes_per_pair"])
        self.pixels = int(store.array(f"{name}/x").shape[0])

    def __len__(self) -> int:
        return self.pairs * self.planes_per_pair

    def column(self, name: str) -> Column:
        """What is known of each sample, by the names of `dsfu.simulate.disorder.fields`."""
        return self.store.column(f"{self.name}/{name}")

    @cached_property
    def kept(self) -> BoolArray:
        return self.column("kept").astype(np.bool_)

    @cached_property
    def groups(self) -> IntArray:
        """Number of the shape group of each sample."""
        return self.store.column("species/group")[self.column("species_a")].astype(np.int64)

    def species_pairs(self) -> list[tuple[str, str]]:
        """Names of the species of each pair, in order."""
        names = self.store.column("species/name")
        a, b = (self.column(name)[:: self.planes_per_pair] for name in ("species_a", "species_b"))
        return [(str(names[one]), str(names[other])) for one, other in zip(a, b, strict=True)]

    def coverage(self) -> npt.NDArray[np.float64]:
        """Share of live pixels of each sample's mask; 1 without one."""
        masks = self.column("mask")
        live = np.append(self.store.column("masks/live_fraction"), 1.0)
        return live[np.where(masks < 0, len(live) - 1, masks)].astype(np.float64)

    def sample(self, index: int) -> SampleView:
        """One sample with its planes."""
        form_factor, sro = self.planes(index)
        return SampleView(
            split=self.name,
            index=index,
            species_a=self._species_name("species_a", index),
            species_b=self._species_name("species_b", index),
            group=int(self.groups[index]),
            fraction_a=float(self.column("fraction_a")[index]),
            axis=int(self.column("plane_axis")[index]),
            offset=float(self.column("plane_offset")[index]),
            q_max=float(self.column("q_max")[index]),
            set_kind=str(self.store.column("sro_sets/kind")[self.column("sro_set")[index]]),
            form_factor=form_factor,
            sro=sro,
            live=self.live(index),
        )

    def _species_name(self, column: str, index: int) -> str:
        return str(self.store.column("species/name")[self.column(column)[index]])

    def planes(self, index: int) -> tuple[Float32Array, Float32Array]:
        """I_FF and I_SRO of one sample, read if they are stored and computed if not."""
        if not self.store.materialised:
            scattering = self.store.recomputer(self.name, index)
            return scattering.form_factor, scattering.sro
        return self._stored("form_factor", index), self._stored("sro", index)

    def _stored(self, name: str, index: int) -> Float32Array:
        self.store.check_plane(f"{self.name}/{name}", index, self.planes_per_pair)
        codes = np.asarray(self.store.array(f"{self.name}/{name}")[index], np.uint16)
        return decode_plane(codes, self.column(f"{name}_scale")[index])

    def live(self, index: int) -> BoolArray:
        """The mask of one sample, True where live."""
        number = int(self.column("mask")[index])
        if number < 0:
            return np.ones((self.pixels, self.pixels), np.bool_)
        bits = np.asarray(self.store.array("masks/bits")[number], np.uint8)
        return np.unpackbits(bits, axis=-1, count=self.pixels).astype(np.bool_)
