from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from dsfu.colours import MISSING
from dsfu.errors import InputError
from dsfu.model.measured.data.pictures import write_sections
from dsfu.model.measured.data.sections import VoxelSection, central_sections
from tests.model.measured.data.test_sections import reconstruction


@pytest.fixture
def sections() -> list[VoxelSection]:
    return central_sections(reconstruction())


@pytest.mark.parametrize("name", ["a.png", "a.PDF", "a.svg"])
def test_formats(tmp_path: Path, sections: list[VoxelSection], name: str):
    write_sections(tmp_path / name, sections, "title")
    assert (tmp_path / name).stat().st_size > 5000
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_what_was_not_measured_is_grey_and_only_that(tmp_path: Path, sections: list[VoxelSection]):
    def grey(section: VoxelSection) -> float:
        write_sections(tmp_path / "a.png", [section])
        pixels = imread(tmp_path / "a.png")[..., :3]
        return float((np.abs(pixels - to_rgb(MISSING)).max(axis=-1) < 0.01).mean())

    whole = sections[0]
    live = whole.live.copy()
    live[:, :3] = False
    assert grey(whole) < 0.005
    assert grey(replace(whole, live=live)) > 0.1


def test_odd_intensities_can_be_drawn(tmp_path: Path, sections: list[VoxelSection]):
    odd = [replace(sections[0], intensity=values) for values in (-np.ones((9, 7)), np.full((9, 7), 1e30))]
    dead = replace(sections[0], live=np.zeros((9, 7), np.bool_))
    write_sections(tmp_path / "a.png", [*odd, dead, odd[0]])
    write_sections(tmp_path / "a.png", [dead])


def test_bad_names(tmp_path: Path, sections: list[VoxelSection]):
    with pytest.raises(InputError, match=r"suffix '.gif'(.|\n)*.png or .pdf or .svg"):
        write_sections(tmp_path / "a.gif", sections)
    with pytest.raises(InputError, match="cannot be written"):
        write_sections(tmp_path / "nowhere" / "a.png", sections)
