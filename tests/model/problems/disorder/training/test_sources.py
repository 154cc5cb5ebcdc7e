from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.problems.disorder.training.data_config import DataConfig, Source
from dsfu.model.problems.disorder.training.sources import open_source
from dsfu.model.problems.disorder.training.streaming import StreamingSource
from dsfu.model.problems.disorder.training.synthesis import SynthesisSource
from tests.model.training.stores import library_store


@pytest.mark.parametrize(
    ("source", "materialise", "expected"),
    [
        ("auto", True, StreamingSource),
        ("auto", False, SynthesisSource),
        ("store", False, StreamingSource),
        ("synthesis", True, SynthesisSource),
    ],
)
def test_samples_are_read_or_made(tmp_path: Path, source: Source, materialise: bool, expected: type):
    url = library_store(tmp_path / "store", materialise=materialise)
    opened = open_source(url, "train", DataConfig(source=source, pixels=8, workers=1), batch_size=5, seed=0)
    assert isinstance(opened, expected)
    batches = list(opened.batches())
    assert len(batches) == opened.batches_per_epoch
    assert batches[0].intensity.shape == (5, 1, 8, 8)


def test_pixels_that_do_not_divide_those_of_the_store_are_refused(tmp_path: Path):
    url = library_store(tmp_path / "store", materialise=False)
    with pytest.raises(InputError, match="16, 8, 4, 2") as refused:
        open_source(url, "train", DataConfig(pixels=12), batch_size=5, seed=0)
    assert refused.value.where == "data.pixels"


def test_the_stores_own_pixels_are_taken_unless_others_are_wanted(tmp_path: Path):
    url = library_store(tmp_path / "store", materialise=True)
    opened = open_source(url, "train", DataConfig(workers=0), batch_size=5, seed=0)
    assert next(iter(opened.batches())).intensity.shape == (5, 1, 16, 16)
    assert [LEARNER.data_for(url, DataConfig(pixels=wanted)).pixels for wanted in (0, 8)] == [16, 8]
