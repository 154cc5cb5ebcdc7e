"""``ds.dsfu`` on splits of a store that xarray has opened: intensities in physical units, axes, and selection."""

from typing import Any

import numpy as np
import xarray

from dsfu.errors import InputError, did_you_mean
from dsfu.simulate.disorder.encoding import decode_plane


@xarray.register_dataset_accessor("dsfu")  # type: ignore[no-untyped-call]
class StoreAccessor:
    """What a split of planes offers beyond its arrays.

    >>> ds = dsfu.open_store("STORE").to_xarray("train")                                          # doctest: +SKIP
    >>> ds.dsfu.intensity(3).plot()                                                               # doctest: +SKIP
    """

    def __init__(self, dataset: xarray.Dataset) -> None:
        self._dataset = dataset

    def intensity(self, sample: int, *, masked: bool = False) -> xarray.DataArray:
        """I_D, the product of the two factors, over y and x; NaN in dead zones if ``masked``."""
        found = self.form_factor(sample) * self.sro(sample)
        found = found.rename("intensity").assign_attrs(units="electrons² per unit cell", long_name="I_D")
        return found.where(self.live(sample)) if masked else found

    def form_factor(self, sample: int) -> xarray.DataArray:
        """I_FF over y and x, in electrons² per unit cell."""
        return self._decoded("form_factor", sample, "electrons² per unit cell", "I_FF")

    def sro(self, sample: int) -> xarray.DataArray:
        """I_SRO over y and x, without a unit."""
        return self._decoded("sro", sample, "1", "I_SRO")

    def live(self, sample: int) -> xarray.DataArray:
        """True where not in a dead zone, over y and x."""
        one = self._one(sample)
        number, side = int(one["mask"]), one.sizes["x"]
        values = np.ones((side, side), np.bool_)
        if number >= 0:
            masks = xarray.open_zarr(self._store, group="masks", chunks=None, consolidated=False)
            values = np.unpackbits(masks.bits[number].values, axis=-1, count=side).astype(np.bool_)
        return xarray.DataArray(values, dims=("y", "x"), coords=self._axes(one), name="live")

    def hkl(self, sample: int) -> xarray.DataArray:
        """h, k, l of every pixel, in r.l.u., over y, x and hkl."""
        from dsfu.simulate.lattice import Cell

        one = self._one(sample)
        step = 2 * float(one.q_max) / one.sizes["x"]
        x, y = one.x.values * step, one.y.values * step
        q = one.centre.values + y[:, None, None] * one.axis_y.values + x[None, :, None] * one.axis_x.values
        cell = Cell(*(float(each) for each in one.cell.values))
        values = q @ cell.vectors.T / (2 * np.pi)
        axes = {**self._axes(one), "hkl": list("hkl")}
        return xarray.DataArray(values, dims=("y", "x", "hkl"), coords=axes, attrs={"units": "r.l.u."}, name="hkl")

    def select(self, *, kept: bool = True, **wanted: Any) -> xarray.Dataset:
        """Samples with these values, such as ``species_a="toluene"`` or ``fraction_a=slice(0.2, 0.4)``.

        Parameters
        ----------
        kept
            Whether to leave out planes that repeat others.
        wanted
            By column: a value, a list of values, or a slice, of which both ends are included; species by name.
        """
        chosen = self._dataset.kept.values.astype(bool) if kept else np.ones(self._dataset.sizes["sample"], bool)
        for name, value in wanted.items():
            chosen = chosen & self._matching(name, value)
        return self._dataset.isel(sample=np.flatnonzero(chosen))

    @property
    def species(self) -> list[str]:
        """Names of the species, in the order of their numbers in ``species_a`` and ``species_b``."""
        table = xarray.open_zarr(self._store, group="species", chunks=None, consolidated=False)
        return [str(name) for name in table.name.values]

    @property
    def _store(self) -> str:
        if "store" not in self._dataset.attrs:
            raise InputError(
                "it is not known which store this is of", remedy='open it with dsfu.open_store(URL).to_xarray("train")'
            )
        return str(self._dataset.attrs["store"])

    def _matching(self, name: str, value: Any) -> Any:
        known = sorted(str(each) for each in self._dataset.variables if self._dataset[each].dims == ("sample",))
        if name not in known:
            raise InputError(f"there is no column {name!r}{did_you_mean(name, known)}", expected=", ".join(known))
        column = self._dataset[name].values
        if isinstance(value, slice):
            low = -np.inf if value.start is None else value.start
            high = np.inf if value.stop is None else value.stop
            return (column >= low) & (column <= high)
        values = value if isinstance(value, list | tuple | set) else [value]
        if name in ("species_a", "species_b"):
            values = [self._species_number(each) for each in values]
        return np.isin(column, list(values))

    def _species_number(self, name: Any) -> int:
        if not isinstance(name, str):
            return int(name)
        names = self.species
        if name not in names:
            raise InputError(f"there is no species {name!r}{did_you_mean(name, names)}", expected=", ".join(names))
        return names.index(name)

    def _one(self, sample: int) -> xarray.Dataset:
        count = self._dataset.sizes.get("sample")
        if count is None or not isinstance(sample, int | np.integer):
            what = f"sample {sample!r}" if count is not None else "this is no split of a store: it has no samples"
            raise InputError(
                what, expected="the number of a sample, on what dsfu.open_store(URL).to_xarray(SPLIT) gave"
            )
        if not -count <= sample < count:
            raise InputError(f"sample {sample}", expected=f"less than {count}")
        return self._dataset.isel(sample=sample)

    def _axes(self, one: xarray.Dataset) -> dict[str, Any]:
        step, unit = 2 * float(one.q_max) / one.sizes["x"], {"units": "1/Å"}
        return {
            "qx": ("x", one.x.values * step, {**unit, "long_name": "Qx"}),
            "qy": ("y", one.y.values * step, {**unit, "long_name": "Qy"}),
        }

    def _decoded(self, name: str, sample: int, units: str, long_name: str) -> xarray.DataArray:
        one = self._one(sample)
        if name not in one:
            raise InputError(
                "the store holds parameters only, no planes",
                remedy="dsfu.pipeline.problems.disorder.recompute computes them",
            )
        values = decode_plane(one[name].values, one[f"{name}_scale"].values)
        attributes = {"units": units, "long_name": long_name}
        return xarray.DataArray(values, dims=("y", "x"), coords=self._axes(one), attrs=attributes, name=name)
