"""The picture sheet draws every species in its cell."""

import numpy as np
import pytest
from matplotlib.collections import PatchCollection

from dsfu.simulate.species import load_library, vacancy
from tools.species_sheet import draw_species_sheet

LIBRARY = load_library()


def drawn_shapes(figure):
    return [len(one.get_paths()) for one in figure.axes[0].collections if isinstance(one, PatchCollection)]


def test_every_species_is_named_and_every_group_titled(tmp_path):
    figure = draw_species_sheet(LIBRARY)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {name.replace("_", " ") for name in LIBRARY} <= set(words)
    assert sum(word.startswith("Group ") for word in words) == 5
    figure.savefig(tmp_path / "sheet.png", dpi=20)
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_each_view_holds_the_cell_three_discs_for_a_ball_and_two_halves_of_each_bond():
    assert drawn_shapes(draw_species_sheet({"water": LIBRARY["water"]})) == [2 * (1 + 3 * 3 + 2 * 2)]
    assert drawn_shapes(draw_species_sheet({"Al": LIBRARY["Al"]})) == [2 * (1 + 3)]
    assert drawn_shapes(draw_species_sheet({"hole": vacancy(LIBRARY["Al"], "hole")})) == [2]


@pytest.mark.parametrize("columns", [1, 3])
def test_all_stays_on_the_sheet(columns):
    some = {name: LIBRARY[name] for name in ("cymene_R", "hexachlorobenzene", "CaZrO3", "diethyl_ether", "benzene")}
    axes = draw_species_sheet(some, columns).axes[0]
    corners = np.vstack([path.vertices for one in axes.collections for path in one.get_paths()])
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < corners[:, 0].min() < corners[:, 0].max() < right
    assert bottom < corners[:, 1].min() < corners[:, 1].max() < top
