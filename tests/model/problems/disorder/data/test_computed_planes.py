import pickle

import numpy as np
import pytest
import torch

from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes
from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.pipeline.problems.disorder.recompute import Recomputer
from tests.model.training.stores import library_store
from tests.pipeline.fake_store import PIXELS


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library_store(tmp_path_factory.mktemp("computed") / "store", materialise=False)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_planes_are_those_of_the_kernels(store: str, split: str):
    computed, reference = ComputedPlanes(store), Recomputer(store)
    indices = list(range(0, len(open_store(store).split(split)), 3))
    form_factor, sro = computed.factors(split, indices)
    assert form_factor.shape == (len(indices), PIXELS, PIXELS)
    for number, index in enumerate(indices):
        truth = reference(split, index)
        np.testing.assert_allclose(form_factor[number], truth.form_factor, atol=1e-5 * truth.form_factor.max())
        np.testing.assert_allclose(sro[number], truth.sro, atol=1e-5 * truth.sro.max())


def test_fewer_pixels_are_some_of_the_same(store: str):
    computed = ComputedPlanes(store)
    for coarse, fine in zip(
        computed.factors("train", [3, 14], pixels=PIXELS // 2), computed.factors("train", [3, 14]), strict=True
    ):
        torch.testing.assert_close(coarse, fine[:, ::2, ::2], rtol=0, atol=1e-5 * float(fine.max()))


def test_a_store_of_parameters_is_read_like_any_other(store: str):
    split = open_store(store, planes_from=ComputedPlanes(store)).split("train")
    sample = split.sample(11)
    assert (sample.form_factor.min(), sample.form_factor.max()) == (-1, 1)
    np.testing.assert_allclose(
        split.planes(11).sro, Recomputer(store)("train", 11).sro, atol=2e-4 * split.planes(11).sro.max()
    )


def test_it_says_what_a_sample_is_of(store: str):
    computed = pickle.loads(pickle.dumps(ComputedPlanes(store)))
    split = open_store(store).split("train")
    names = {str(name) for name in np.asarray(open_store(store).group["species/name"][...])}  # type: ignore[index]
    assert set(computed.species_names("train", 0)) <= names
    assert set(computed.sro_kinds("train")) == {"monte_carlo", "oscillator"}
    assert set(computed.groups("train")) == {0, 1, 2, 3}
    assert computed.cell("train", 5).constants == tuple(split.coordinates["cell"][5])
    np.testing.assert_array_equal(computed.normals("train"), split.coordinates["plane_axis"])
    assert computed.alphas("train", [0])[0, 5, 5, 5] == 1
