"""Samples of a store of any problem in the viewer: chosen by a column, drawn by their panels."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import dsfu
from dsfu.errors import InputError
from dsfu.model.view.opening import page_of
from dsfu.model.view.samples import SampleBrowser, whole_sample
from dsfu.model.view.space import surfaces
from dsfu.model.view.volumes import place_words
from dsfu.pipeline.cli import app
from tests.model.problems.densities.test_learning import MANIFEST as DENSITIES
from tests.model.problems.particles.test_learning import MANIFEST as PARTICLES
from tests.model.problems.phases.test_learning import MANIFEST as PHASES


def made(folder: Path, manifest: str) -> Path:
    (folder / "few.yaml").write_text(manifest)
    words = ["run", str(folder / "few.yaml"), "--store", str(folder / "store"), "--scheduler", "sync"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    return folder / "store"


@pytest.mark.parametrize(
    ("manifest", "column", "drawn"),
    [
        (PARTICLES, "atoms", ["scatter", "scatter3d"]),
        (PHASES, "atom_count", ["heatmap", "isosurface", "scatter3d"]),
        (DENSITIES, "atoms", ["scatter", "isosurface"]),
    ],
    ids=["particles", "phases", "densities"],
)
def test_samples_are_chosen_and_drawn(tmp_path: Path, manifest: str, column: str, drawn: list[str]) -> None:
    store = dsfu.open_store(made(tmp_path, manifest))
    browser = SampleBrowser(store)
    browser.column.value = column
    values = store.to_xarray(store.splits[0])[column].values
    kept = store.to_xarray(store.splits[0]).kept.values.astype(bool)
    browser.least.value = float(np.median(values))
    assert browser.sample.options == np.flatnonzero(kept & (values >= np.median(values))).tolist()
    assert [pane.object.data[0].type for pane in browser.drawn.objects] == drawn
    sorted_names = [line.split(" |")[0] for line in browser.told.object.splitlines()[2:]]
    assert sorted_names == sorted(sorted_names)
    assert f"| {column} | {values[browser.sample.options[0]]} |" in browser.told.object
    browser.least.value = 1e9
    assert browser.said.object == "No sample passes these filters."
    assert page_of(store.data.url)() is not None


def test_numbers_have_units_and_what_is_nothing_is_zero(tmp_path: Path) -> None:
    browser = SampleBrowser(dsfu.open_store(made(tmp_path, PARTICLES)))
    assert "| bond_length (angstrom) | " in browser.told.object
    assert "| noise | " in browser.told.object
    axis = np.linspace(-2, 2, 81)
    assert place_words(-7.1e-15, axis) == "0"
    assert place_words(-0.05, axis) == "-0.05"


def test_a_sample_has_its_row_of_the_table_of_shapes(tmp_path: Path) -> None:
    sample = whole_sample(dsfu.open_store(made(tmp_path, PARTICLES)), "train", 1)
    atoms = int(sample["atoms"])
    assert sample["shapes/atoms"] == atoms
    assert str(sample["shapes/name"]).startswith(str(sample["shapes/family"]))
    assert np.abs(sample["shapes/positions"][:atoms]).sum() > 0
    assert not sample["shapes/positions"][atoms:].any()


def test_surfaces_go_to_the_far_faces_of_the_cell_and_are_closed_there() -> None:
    values = np.zeros((40, 9, 8))
    values[0, 0, 0] = 1.0  # an atom on the origin is on all eight corners
    vectors = np.array([[4.0, 0, 0], [1, 5, 0], [0, 1, 6]])
    surface, _ = surfaces(values, vectors)
    points = np.stack([surface.x, surface.y, surface.z], axis=-1)
    corners = points[np.asarray(surface.value) == 1.0]
    assert len(corners) == 8
    np.testing.assert_allclose(corners.max(axis=0), vectors.sum(axis=0))
    assert surface.caps.x.show is not False, "plotly closes what its sides cut, unless told not to"


def test_a_file_without_atoms_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.cif").write_text("data_x\n_cell_length_a 5\n")
    with pytest.raises(InputError, match="cannot be read as atoms: [a-z]"):
        page_of(str(tmp_path / "empty.cif"))
