"""Compute any plane of a store again, from what the store itself holds: species, sets, cells and planes."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import zarr
from ase import Atoms

from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.disorder.scattering import Scattering, simulate_plane
from dsfu.simulate.lattice import Cell


def recompute(store: str | Path | zarr.Group, split: str, index: int) -> Scattering:
    """Plane number ``index`` of a split of a closed store; for many planes use one `Recomputer`."""
    return Recomputer(store)(split, index)


class Recomputer:
    """Computes planes of a closed store, whether they are stored too or not.

    It is what `dsfu.model.shards.open_store` wants as ``planes_from`` for a store that holds parameters only.
    """

    def __init__(self, store: str | Path | zarr.Group, storage_options: Mapping[str, Any] | None = None) -> None:
        self._source = store if isinstance(store, zarr.Group) else str(store)
        self._storage_options = dict(storage_options or {})
        self._columns: dict[str, npt.NDArray[Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Recomputer, (self._source, self._storage_options)

    def __call__(self, split: str, index: int) -> Scattering:
        return simulate_plane(
            self._atoms(int(self._row(split, "species_a", index))),
            self._atoms(int(self._row(split, "species_b", index))),
            float(self._row(split, "fraction_a", index)),
            Cell(*self._row(split, "cell", index).tolist()),
            self.alpha(split, index),
            self.plane(split, index),
        )

    def plane(self, split: str, index: int) -> Plane:
        """Where in reciprocal space the plane lies."""
        return Plane(
            centre=self._row(split, "centre", index),
            axis_x=self._row(split, "axis_x", index),
            axis_y=self._row(split, "axis_y", index),
            q_max=float(self._row(split, "q_max", index)),
            pixels=self._array(f"{split}/x").shape[0],
        )

    def alpha(self, split: str, index: int) -> npt.NDArray[np.float32]:
        """The Warren–Cowley parameters that the plane was made with."""
        number = int(self._row(split, "sro_set", index))
        return np.asarray(self._array("sro_sets/alpha")[number], np.float32)

    @cached_property
    def _group(self) -> zarr.Group:
        if isinstance(self._source, zarr.Group):
            return self._source
        return zarr.open_group(self._source, mode="r", zarr_format=3, storage_options=self._storage_options or None)

    def _array(self, path: str) -> "zarr.Array[Any]":
        return cast("zarr.Array[Any]", self._group[path])

    def _row(self, split: str, name: str, index: int) -> npt.NDArray[Any]:
        return np.asarray(self._column(f"{split}/{name}")[index])

    def _column(self, path: str) -> npt.NDArray[Any]:
        """A whole array that is small, read once."""
        if path not in self._columns:
            self._columns[path] = np.asarray(self._array(path)[...])
        return self._columns[path]

    def _atoms(self, species: int) -> Atoms:
        first, count = (int(self._column(f"species/{name}")[species]) for name in ("first_atom", "atoms"))
        rows = slice(first, first + count)
        return Atoms(
            numbers=self._column("species/atomic_number")[rows], positions=self._column("species/position")[rows]
        )
