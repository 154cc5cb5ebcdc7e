"""Planes of a store computed again in torch, from what the store itself holds: species, sets, cells and planes.

For stores that hold parameters only, where neither numba nor the pipeline is installed; and for whoever needs to know
which crystal a sample is of.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dsfu.model.problems.disorder.data.samples import IntensityPlanes as TwoPlanes
from dsfu.model.problems.disorder.forward import Atoms, PlaneBatch, form_factor, short_range_order
from dsfu.model.store import ClosedStore
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.disorder.sro_set import order_at_cutoff
from dsfu.simulate.lattice import Cell

Device = torch.device | str


class ComputedPlanes:
    """Computes planes of a closed store, whether they are stored too or not.

    It is what `dsfu.model.shards.open_store` wants as ``planes_from``. Opens the store on first use, and again after it
    was sent to another process.
    """

    def __init__(self, url: str | Path, storage_options: Mapping[str, Any] | None = None) -> None:
        self.url = str(url)
        self._storage_options = dict(storage_options or {})
        self._store = ClosedStore(url, storage_options)
        self._columns: dict[str, npt.NDArray[Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return ComputedPlanes, (self.url, self._storage_options)

    def __call__(self, split: str, index: int) -> TwoPlanes:
        form, order = (each[0].numpy() for each in self.factors(split, [index]))
        return TwoPlanes(form_factor=form, sro=order)

    def factors(
        self, split: str, indices: Sequence[int], *, pixels: int | None = None, device: Device = "cpu"
    ) -> tuple[Tensor, Tensor]:
        """I_FF in electrons² per unit cell and I_SRO of some samples, each (samples, y, x), float32.

        ``pixels`` is how many along each side, of the same extent; those of the store if it is not given.
        """
        planes = self.planes(split, indices, pixels=pixels, device=device)
        fractions = torch.tensor([float(self._row(split, "fraction_a", index)) for index in indices], device=device)
        form = form_factor(self._atoms(split, indices, device), fractions * (1 - fractions), planes)
        alpha, vectors = self.alphas(split, indices, device), self.vectors(split, indices, device)
        return form, short_range_order(alpha, vectors, planes)

    def planes(
        self, split: str, indices: Sequence[int], *, pixels: int | None = None, device: Device = "cpu"
    ) -> PlaneBatch:
        """Where in reciprocal space some planes lie."""
        return PlaneBatch.of([self.plane(split, index, pixels) for index in indices], device)

    def vectors(self, split: str, indices: Sequence[int], device: Device = "cpu") -> Tensor:
        """Lattice vectors a, b, c of some samples as rows, in Å: (samples, 3, 3)."""
        return torch.tensor(np.array([self.cell(split, index).vectors for index in indices]), device=device)

    def alphas(self, split: str, indices: Sequence[int], device: Device = "cpu") -> Tensor:
        """The Warren–Cowley parameters that some samples were made with: (samples, 11, 11, 11)."""
        rows = self._column(f"{split}/sro_set")[list(indices)]
        return torch.tensor(self._column("sro_sets/alpha")[rows], device=device)

    def plane(self, split: str, index: int, pixels: int | None = None) -> Plane:
        """Where in reciprocal space the plane of a sample lies."""
        return Plane(
            centre=self._row(split, "centre", index),
            axis_x=self._row(split, "axis_x", index),
            axis_y=self._row(split, "axis_y", index),
            q_max=float(self._row(split, "q_max", index)),
            pixels=pixels or self._store.array(f"{split}/x").shape[0],
        )

    def cell(self, split: str, index: int) -> Cell:
        """The lattice of the mixed crystal."""
        return Cell(*self._row(split, "cell", index).tolist())

    def normals(self, split: str) -> npt.NDArray[np.int64]:
        """Number of the direct lattice vector that is normal to the plane of every sample: 0 a, 1 b, 2 c."""
        return self._column(f"{split}/plane_axis").astype(np.int64)

    def groups(self, split: str) -> npt.NDArray[np.int64]:
        """Number of the group of shapes that the species of every sample are of."""
        return np.asarray(self._column("species/group")[self._column(f"{split}/species_a")], np.int64)

    def sro_kinds(self, split: str) -> npt.NDArray[Any]:
        """How the short-range order of every sample was made: "monte_carlo" or "oscillator"."""
        kinds = np.array([str(kind) for kind in self._column("sro_sets/kind")])
        return np.asarray(kinds[self._column(f"{split}/sro_set")])

    def orders_at_cutoff(self, split: str) -> npt.NDArray[np.float64]:
        """Order that every sample has at the outermost vectors: `dsfu.simulate.disorder.sro_set.order_at_cutoff`."""
        of_sets = np.array([order_at_cutoff(np.asarray(each, np.float64)) for each in self._column("sro_sets/alpha")])
        return np.asarray(of_sets[self._column(f"{split}/sro_set")])

    def species_names(self, split: str, index: int) -> tuple[str, str]:
        """Names of A and B."""
        names = self._column("species/name")
        a, b = (str(names[int(self._row(split, f"species_{each}", index))]) for each in "ab")
        return a, b

    def _atoms(self, split: str, indices: Sequence[int], device: Device) -> Atoms:
        crystals = [[self._rows_of(int(self._row(split, f"species_{each}", i))) for each in "ab"] for i in indices]
        most = max(sum(rows.stop - rows.start for rows in both) for both in crystals)
        positions = np.zeros((len(indices), most, 3))
        numbers = np.zeros((len(indices), most), np.int64)
        signs = np.zeros((len(indices), most))
        for i, both in enumerate(crystals):
            first = 0
            for rows, sign in zip(both, (1, -1), strict=True):
                here = slice(first, first + rows.stop - rows.start)
                positions[i, here] = self._column("species/position")[rows]
                numbers[i, here] = self._column("species/atomic_number")[rows]
                signs[i, here] = sign
                first = here.stop
        return Atoms(
            positions=torch.tensor(positions, device=device),
            numbers=torch.tensor(numbers, device=device),
            signs=torch.tensor(signs, device=device),
        )

    def _rows_of(self, species: int) -> slice:
        """Where the atoms of a species are."""
        first, count = (int(self._column(f"species/{name}")[species]) for name in ("first_atom", "atoms"))
        return slice(first, first + count)

    def _row(self, split: str, name: str, index: int) -> npt.NDArray[Any]:
        return np.asarray(self._column(f"{split}/{name}")[index])

    def _column(self, path: str) -> npt.NDArray[Any]:
        """A whole array, read once; the largest, all sets of the paper's data, takes 90 MB."""
        if path not in self._columns:
            self._columns[path] = self._store.read(path)
        return self._columns[path]
