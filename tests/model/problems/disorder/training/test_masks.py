from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.masks import MaskBank, turned
from tests.model.problems.disorder.training.test_augment import NONE
from tests.model.training.stores import library_store, train
from tests.pipeline.fake_store import MASKS


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> StoreParameters:
    return StoreParameters(train(library_store(tmp_path_factory.mktemp("masks") / "store", materialise=False)))


def test_masks_are_those_of_the_store(parameters: StoreParameters):
    bank, store = MaskBank(parameters, 16), parameters.split.store
    assert len(bank) == MASKS
    live = bank.live([replace(NONE, mask=number) for number in (3, -1, 0)]).numpy()
    np.testing.assert_array_equal(live, store.live_pixels([3, -1, 0], 16))
    assert live[1].all()


def test_fewer_pixels_are_every_second_one(parameters: StoreParameters):
    effects = [replace(NONE, mask=number, mask_turn=5) for number in range(MASKS)]
    whole, half = (MaskBank(parameters, pixels).live(effects).numpy() for pixels in (16, 8))
    turned_half = [turned(parameters.split.store.live_pixels(number, 16)[::2, ::2], 5) for number in range(MASKS)]
    np.testing.assert_array_equal(half, turned_half)
    assert whole.shape == (MASKS, 16, 16)


def test_turns_are_the_eight_of_a_square():
    mask = np.arange(9).reshape(3, 3)
    images = [turned(mask, turn) for turn in range(8)]
    assert len({image.tobytes() for image in images}) == 8
    square = {np.rot90(each, k).tobytes() for each in (mask, mask.T) for k in range(4)}
    assert {np.ascontiguousarray(image).tobytes() for image in images} == square
    np.testing.assert_array_equal(images[1], mask[:, ::-1])
    np.testing.assert_array_equal(images[2], mask[::-1])
    np.testing.assert_array_equal(images[4], mask.T)
