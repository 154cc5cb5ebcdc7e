"""Figures for papers: their width in print, true shape, and bars that say what they show."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.factorise.methods import factorise
from dsfu.model.measured.factorise.paper_figure import paper_figure, write_figure
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.paper import WIDTHS
from tests.model.measured.factorise.crystals import clean_plane


@pytest.fixture(scope="module")
def plane():
    return factorise([clean_plane()], "solver", settings=SolverSettings(cutoff=2)).planes[0]


@pytest.mark.parametrize("columns", [1, 2])
def test_it_is_as_wide_as_its_columns_in_print(plane, tmp_path: Path, columns: int) -> None:
    write_figure(tmp_path / "f.pdf", plane, columns)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", (tmp_path / "f.pdf").read_bytes())
    assert box is not None
    assert float(box[1]) / 72 == pytest.approx(WIDTHS[columns], abs=0.02)


def test_panels_are_in_true_shape_with_named_bars_and_one_colour_map(plane) -> None:
    figure = paper_figure(plane)
    figure.canvas.draw()
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 4
    for axes in panels:
        box = axes.get_window_extent()
        assert box.width == pytest.approx(box.height, rel=0.02)
    labels = [axes.get_xlabel() for axes in figure.axes if not axes.images]
    assert len([label for label in labels if label]) == 4
    assert len({axes.images[0].get_cmap().name for axes in panels[:3]}) == 1


def test_the_difference_is_not_saturated(plane) -> None:
    figure = paper_figure(plane)
    image = [axes for axes in figure.axes if axes.images][3].images[0]
    values: Any = image.get_array()
    shown = np.ma.compressed(values)
    assert float((np.abs(shown) > image.get_clim()[1]).mean()) < 0.005


def test_other_formats_are_refused_before_anything_is_written(plane, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png or \.pdf or \.svg"):
        write_figure(tmp_path / "f.doc", plane)
    assert not (tmp_path / "f.doc").exists()
