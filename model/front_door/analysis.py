"""A whole volume taken apart at once, at the front door."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.given import settings_of
from dsfu.model.front_door.one_thread import one_thread
from dsfu.model.front_door.order import Order
from dsfu.model.front_door.reconstructions import Volume, volume_of
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.progress import Tell, waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.measured.order.result import SroRefinement
    from dsfu.model.measured.volume.solve import VolumeSolution
    from dsfu.model.measured.volume.verdict import VolumeVerdict


Source = Volume | Reconstruction | str | Path


class Analysis(Answer):
    """A whole volume taken apart at once. ``data`` is a `VolumeSolution`; ``order`` its α."""

    data: "VolumeSolution"

    def __init__(self, data: "VolumeSolution", verdict: "VolumeVerdict", order: "SroRefinement") -> None:
        self.data = data
        self.judged = verdict
        self.order = Order([order], verdict=verdict.sentence)

    @property
    def verdict(self) -> str:
        return self.judged.sentence

    def facts(self) -> Mapping[str, str]:
        shape = " × ".join(map(str, self.data.reconstruction.shape))
        return {
            "what": f"{Path(self.data.reconstruction.source).name}, {shape} voxels",
            "judgement": self.judged.judgement,
            **self.order.facts(),
        }

    def plot(self) -> Drawing:
        """Observed, model, difference, I_FF and I_SRO on sections through the middle."""
        from dsfu.model.measured.volume.pictures import sections_figure

        return Drawing.of(sections_figure(self.data))

    def to_xarray(self) -> "xarray.Dataset":
        """I_FF, I_SRO, background and what was observed, over h, k, l."""
        import xarray

        from dsfu.model.measured.volume.files import factors_on_grid

        voxels = self.data.voxels
        grids = factors_on_grid(self.data)
        arrays = {name: (("h", "k", "l"), values) for name, values in grids.items() if np.ndim(values) == 3}
        arrays["observed"] = (("h", "k", "l"), np.where(voxels.live, voxels.counts * voxels.gain, np.nan))
        axes = {name: (name, axis, {"units": "r.l.u."}) for name, axis in zip("hkl", voxels.axes, strict=True)}
        return xarray.Dataset(arrays, axes, {"verdict": self.verdict})

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """report.html, factors.h5, sro.json and verdict.json in a folder, as ``dsfu-model analyse`` does."""
        from dsfu.model.measured.volume.output import write_analysis

        folder = free_folder(path, overwrite=overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        write_analysis(folder, self.data, self.judged, self.order.best)
        return folder


def readable(source: Source | Sequence[Source], laue: str, **hints: Any) -> Reconstruction:
    """The reconstruction behind anything that stands for one or several, with a cell in Å that suits the Laue class."""
    from dsfu.model.measured.prepare.advice import SMALLEST_CELL
    from dsfu.model.measured.symmetry.groups import laue_operators
    from dsfu.model.measured.volume.merging import merged

    several = [source] if isinstance(source, (Volume, Reconstruction, str, Path)) else source
    reconstruction = merged([volume_of(each, **hints) for each in several])
    if reconstruction.cell is not None:
        if reconstruction.cell.volume < SMALLEST_CELL:
            raise InputError(
                f"its cell has only {reconstruction.cell.volume:.3g} Å³",
                where=reconstruction.source,
                expected=f"{SMALLEST_CELL:g} Å³ or more, as every cell of atoms has",
                remedy="is it in nm? Give --cell with lengths in Å",
            )
        laue_operators(laue, reconstruction.cell)
    return reconstruction


def analyse(
    source: Source | Sequence[Source], *, laue: str = "-1", tell: Tell | None = None, **settings: Any
) -> Analysis:
    """From a reconstruction to form factor, Warren–Cowley parameters and a verdict, all voxels fitted at once.

    Parameters
    ----------
    source
        What `read` gave, or a file; or a list of those of one crystal on one grid, which are merged first.
    laue
        Laue class or space group; equivalent vectors have one α.
    tell
        Is given lines of progress; without it they are shown where somebody looks.
    settings
        ``cutoff``, ``no_order_along``, ``background``, ``bragg``, ``box``, ``stretch``, as the options of
        ``dsfu-model analyse``.
    """
    from dsfu.model.measured.volume.order import order_of
    from dsfu.model.measured.volume.settings import VolumeSettings
    from dsfu.model.measured.volume.stretch import solve_with_stretch

    chosen = settings_of(VolumeSettings, {"laue": laue, **settings}, "analyse")
    reconstruction = readable(source, laue)
    with waiting("analyse", tell) as telling, one_thread():
        solution, verdict = solve_with_stretch(reconstruction, chosen, telling)
        return Analysis(solution, verdict, order_of(solution, verdict))
