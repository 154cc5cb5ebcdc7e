"""Planes of one crystal: what was observed beside both factors, the model and what it leaves."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dsfu.model.view.images import Images, Scene

if TYPE_CHECKING:
    from dsfu.model.measured.data.plane import MeasuredPlane
    from dsfu.model.measured.factorise.factors import PlaneFactors


def factors_page(path: Path) -> Callable[[], Any]:
    """What `dsfu-model factorise` wrote."""
    from dsfu.model.measured.factorise.files import read_factors

    factors = read_factors(path)
    parts = [_parts(each) for each in factors.planes]
    names = [name for name in parts[0] if all(name in each for each in parts)]
    titles = [f"{each.name.partition(' of ')[0]}, misfit {100 * each.misfit:.2f} %" for each in factors.planes]
    measured = [each.measured for each in factors.planes]
    return lambda: _page(measured, parts, names, titles, factors.verdict.sentence)


def planes_page(path: Path) -> Callable[[], Any]:
    """What `dsfu-model prepare` wrote."""
    from dsfu.model.measured.readers.plane_files import read_planes

    planes = read_planes(path)
    parts = [{"intensity": np.where(each.live, each.intensity, np.nan)} for each in planes]
    titles = [each.name.partition(" of ")[0] for each in planes]
    return lambda: _page(planes, parts, ["intensity"], titles, f"{path.name}: {len(planes)} planes")


def _parts(plane: "PlaneFactors") -> dict[str, npt.NDArray[Any]]:
    observed = np.where(plane.live, plane.measured.intensity, np.nan)
    found = {
        "observed": observed,
        "model": plane.model,
        "difference": observed - plane.model,
        "form_factor": plane.form_factor,
        "sro": plane.sro,
        "sigma_form_factor": plane.sigma_form_factor,
        "sigma_sro": plane.sigma_sro,
        "from_data": plane.from_data.astype(np.float32),
    }
    return {name: values for name, values in found.items() if values is not None}


def _page(
    planes: "list[MeasuredPlane]",
    parts: list[Mapping[str, npt.NDArray[Any]]] | list[dict[str, npt.NDArray[Any]]],
    names: list[str],
    titles: list[str],
    said: str,
) -> Any:
    import panel

    images = Images(names, ["difference"])
    chosen = panel.widgets.Select(
        label="Plane", options={title: number for number, title in enumerate(titles)}, value=0, width=300
    )
    brightest = panel.widgets.FloatSlider(
        label="Brightest (percentile)", start=80.0, end=100.0, step=0.1, value=99.5, width=300
    )

    def draw(*_: object) -> None:
        plane = planes[chosen.value]
        offsets = plane.plane.offsets
        unit = plane.unit
        ends = float(offsets[0]), float(offsets[-1])
        scene = Scene(x=ends, y=ends, labels=(f"Qx ({unit})", f"Qy ({unit})"))
        images.show(scene, parts[chosen.value], brightest.value)

    for each in (chosen, brightest):
        each.param.watch(draw, "value")
    draw()
    return panel.Column(panel.pane.Markdown(said), panel.FlexBox(chosen, brightest), images.row)
