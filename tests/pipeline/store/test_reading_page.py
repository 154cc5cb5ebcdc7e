"""The examples of docs/reading.md run, one after the other, and say the truth."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell
from tests.pipeline.fake_store import PIXELS, fake_store

PAGE = Path(__file__).parents[3] / "docs" / "reading.md"


def _examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the examples leave behind."""
    folder = tmp_path_factory.mktemp("reading")
    store = fake_store(folder / "STORE")
    store.close(store.spec(threshold=0.02))
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.chdir(folder)
        for number, block in enumerate(_examples()):
            exec(compile(block, f"{PAGE.name}, example {number + 1}", "exec"), found)
        found["sample"].load()
    return found


def test_intensities_are_those_of_the_reader(names: dict[str, Any]):
    physical = names["physical"]
    np.testing.assert_allclose(names["i_ff"], physical.form_factor, rtol=1e-5)
    np.testing.assert_allclose(names["i_sro"], physical.sro, rtol=1e-5)
    np.testing.assert_allclose(names["i_d"], physical.intensity, rtol=1e-5)


def test_dead_pixels_are_hidden(names: dict[str, Any]):
    live = names["live"]
    assert live.shape == (PIXELS, PIXELS)
    assert 0 < live.mean() < 1
    np.testing.assert_array_equal(np.isfinite(names["seen"]), live)


def test_kept_samples_and_pairs(names: dict[str, Any]):
    assert 0 < names["kept"].sizes["sample"] < names["train"].sizes["sample"]
    assert names["first_pair"].sizes["sample"] == 6
    assert names["whole_pair"].sro.shape == (6, PIXELS, PIXELS)


def test_scattering_vectors_and_hkl(names: dict[str, Any]):
    sample = names["sample"]
    plane = Plane(sample.centre.values, sample.axis_x.values, sample.axis_y.values, float(sample.q_max), PIXELS)
    np.testing.assert_allclose(names["q"].transpose("y", "x", "xyz"), plane.q, atol=1e-12)
    np.testing.assert_allclose(names["hkl"], plane.hkl(Cell(*sample.cell.values)), atol=1e-12)
    np.testing.assert_allclose(names["vectors"], Cell(*sample.cell.values).vectors, atol=1e-12)


def test_hkl_in_a_hexagonal_cell(names: dict[str, Any]):
    (block,) = (block for block in _examples() if "vectors =" in block)
    hexagonal = names["sample"].copy(deep=True)
    hexagonal.cell.values[:] = [5.0, 4.0, 6.0, 90.0, 120.0, 90.0]
    found = names | {"sample": hexagonal}
    exec(block, found)
    np.testing.assert_allclose(found["vectors"], Cell(5.0, 4.0, 6.0, 90.0, 120.0, 90.0).vectors, atol=1e-12)


def test_species_and_sets(names: dict[str, Any]):
    assert (names["name_a"], names["name_b"]) == ("train_0", "train_1")
    assert len(names["elements"]) == len(names["positions"]) > 0
    assert names["alpha"].shape == (11, 11, 11)
    assert abs(names["alpha_100"]) < 1


def test_samples_of_the_reader(names: dict[str, Any]):
    assert (names["x"].min(), names["y_sro"].max(), names["is_live"].dtype) == (-1, 1, np.bool_)
    assert len(names["split"]) == 18
