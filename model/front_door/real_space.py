"""Difference pair distribution functions at the front door."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_file
from dsfu.model.front_door.factors import Factors
from dsfu.model.front_door.given import check_kinds, settings_of
from dsfu.model.front_door.reconstructions import Volume, volume_of
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.deltapdf.compute import DeltaPdf
from dsfu.progress import Tell, waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.measured.deltapdf.compute import DeltaPdfSettings
    from dsfu.model.measured.order.input import SroInput


class RealSpace(Answer):
    """A difference pair distribution function on a grid in u, v, w. ``data`` is a `DeltaPdf`."""

    data: DeltaPdf

    def __init__(self, data: DeltaPdf, source: str, warning: str = "") -> None:
        self.data = data
        self._source, self._warning = source, warning

    @property
    def verdict(self) -> str:
        """What the verdict on the factors says against it; empty if nothing, and for data."""
        return self._warning

    def facts(self) -> Mapping[str, str]:
        shape = " × ".join(map(str, self.data.values.shape))
        return {"what": f"3D-ΔPDF of {self._source}", "points": f"{shape} points"}

    def plot(self) -> Drawing:
        """The sections through the origin, in Å."""
        from dsfu.model.measured.deltapdf.picture import draw_sections

        return Drawing.of(draw_sections(self.data))

    def to_xarray(self) -> "xarray.Dataset":
        """P over u, v, w in fractions of the cell."""
        import xarray

        from dsfu.model.measured.deltapdf.files import in_order

        values, steps = in_order(self.data)
        axes = {
            name: (name, (np.arange(count) - count // 2) * step, {"units": "cells"})
            for name, count, step in zip("uvw", values.shape, steps, strict=True)
        }
        return xarray.Dataset({"delta_pdf": (("u", "v", "w"), values)}, axes)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As Yell 1.0 does, HDF5; what speaks against it is its attribute ``verdict``."""
        from dsfu.model.measured.deltapdf.files import write_yell

        path = free_file(path, overwrite=overwrite)
        write_yell(path, self.data, self.verdict)
        return path


def delta_pdf(
    source: "Volume | Factors | Reconstruction | str | Path",
    *,
    of: Literal["data", "sro"] = "data",
    plane: int = 1,
    bragg: str = "none",
    hints: Mapping[str, Any] = MappingProxyType({}),
    tell: Tell = lambda text: None,
    **settings: Any,
) -> RealSpace:
    """Difference pair distribution function (3D-ΔPDF) of the data, or of the I_SRO of factors.

    Parameters
    ----------
    source
        What `read` or `factorise` gave, or the file of a reconstruction.
    of
        "sro" where the source is a file of factors.
    plane
        Which plane of the factors, from 1.
    bragg
        How Bragg peaks are taken out of data first: "none", "auto", "punch:0.15"; the holes are filled.
    hints
        What a file does not say, as for `read`.
    tell
        Is given a sentence on the Bragg peaks that were found.
    settings
        ``window`` ("none", "hann", "gauss") and ``subtract_mean``, see `DeltaPdfSettings`.
    """
    from dsfu.model.measured.deltapdf.compute import DeltaPdfSettings, deltapdf
    from dsfu.model.measured.order.input import read_sro, sro_of_factors

    check_kinds("delta_pdf", bragg=(bragg, str), of=(of, Literal["data", "sro"]))
    chosen = settings_of(DeltaPdfSettings, settings, "delta_pdf")
    if isinstance(source, Factors):
        return _of_order(sro_of_factors(source.data), "", plane, chosen)
    if of == "sro" and isinstance(source, str | Path):
        return _of_order(read_sro(Path(source)), str(source), plane, chosen)
    with waiting("deltapdf"):
        reconstruction = _without_bragg(volume_of(source, **hints), bragg, tell)
        return RealSpace(deltapdf(reconstruction, chosen), Path(reconstruction.source).name)


def _without_bragg(reconstruction: Reconstruction, bragg: str, tell: Tell) -> Reconstruction:
    from dsfu.model.measured.prepare.bragg_search import find_bragg_peaks
    from dsfu.model.measured.prepare.recipe import CleaningRecipe

    if not reconstruction.live.any():
        raise InputError("not a single voxel was measured", where=reconstruction.source)
    peaks = find_bragg_peaks(reconstruction) if bragg in ("none", "auto") else None
    if bragg == "auto":
        bragg = "none" if peaks is None else f"punch:{peaks.radius:.2f}"
        tell("no Bragg peaks were found" if peaks is None else f"{peaks.sentence}: {bragg}, filled")
    elif peaks is not None:
        tell(
            f"WARNING: {peaks.sentence}; they make most of this map: --bragg auto, or punch:{peaks.radius:.2f}, "
            "takes them out first"
        )
    if bragg == "none":
        return reconstruction
    return CleaningRecipe(hot_pixels=0, bragg=bragg, fill=True).apply(reconstruction)


def _of_order(given: "SroInput", where: str, number: int, settings: "DeltaPdfSettings") -> RealSpace:
    from dsfu.model.measured.order.realspace import deltapdf_of_order

    if not 1 <= number <= len(given.planes):
        names = ", ".join(f"{i} {each.name}" for i, each in enumerate(given.planes, start=1))
        raise InputError(f"--plane is {number}", where=where, expected=f"one of its planes: {names}")
    chosen = given.planes[number - 1]
    found = deltapdf_of_order(chosen, settings, where or chosen.name)
    return RealSpace(found, f"I_SRO, {chosen.name}", given.warning)
