"""What must outlive any rebuilding of the house: keys of shards, bytes of a closed store, and batches made from it.

The numbers in `frozen.json` were taken before the folders were moved. Whoever changes the science raises its version
and writes them anew: ``python -m tests.integration.test_frozen``.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from dsfu.model.problems.disorder.training.data_config import DataConfig, Source
from dsfu.model.problems.disorder.training.sources import open_source
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import Wanted
from tests.pipeline.tiny import checksums, tiny

FROZEN: Final = Path(__file__).with_name("frozen.json")

SOURCES: Final[tuple[Source, ...]] = ("store", "synthesis")


def keys_of(wanted: Wanted) -> dict[str, str]:
    return {spec.identity: spec.key for stage in wanted.stages for spec in stage}


def bytes_of(store: Path) -> dict[str, str]:
    """Chunks of arrays and records of shards."""
    return {name: digest for name, digest in checksums(store).items() if not name.endswith((".json", ".yaml"))}


def batch_of(store: Path, source: Source) -> dict[str, list[float]]:
    """A few sums over the first batch: they tell any change of order, draws or planes."""
    config = DataConfig(source=source, pixels=16, buffer_planes=8, workers=0)
    batch = next(iter(open_source(str(store), "train", config, batch_size=4, seed=1).batches()))
    weights = np.linspace(1, 2, 16 * 16).reshape(16, 16)
    found = {}
    for name in ("intensity", "live", "clean", "form_factor", "sro"):
        planes = getattr(batch, name)[:, 0].double().numpy()
        found[name] = [round(float((plane * weights).sum()), 4) for plane in planes]
    return found


def made(folder: Path) -> dict[str, Any]:
    store, wanted = folder / "store", tiny()
    run_store(wanted, open_files(store), engine=InThisProcess, reporter=SilentReporter())
    return {
        "keys": keys_of(wanted),
        "bytes": bytes_of(store),
        "batches": {source: batch_of(store, source) for source in SOURCES},
    }


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("frozen"))


@pytest.fixture(scope="module")
def then() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FROZEN.read_text())
    return loaded


def test_shards_have_the_keys_that_they_had(now, then):
    assert now["keys"] == then["keys"]


def test_a_closed_store_has_the_bytes_that_it_had(now, then):
    assert now["bytes"] == then["bytes"]


@pytest.mark.parametrize("source", ["store", "synthesis"])
def test_batches_are_those_that_they_were(now, then, source: str):
    for name, sums in then["batches"][source].items():
        np.testing.assert_allclose(now["batches"][source][name], sums, rtol=1e-4, atol=1e-3, err_msg=name)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FROZEN.write_text(json.dumps(made(Path(folder)), indent=1, sort_keys=True) + "\n")
    sys.exit(0)
