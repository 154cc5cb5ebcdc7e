"""What trainings end with must outlast any rebuilding of the house, too: weights, errors in validation, settings kept.

The numbers in `frozen_training.json` were taken before the folders of the model were moved. Whoever changes what is
learnt writes them anew: ``python -m tests.integration.test_frozen_training``.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
import yaml

from dsfu.model.training.checkpoint import load_checkpoint
from dsfu.model.training.config_file import load_config
from dsfu.model.training.loop import Outcome
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.train import Job, train
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import Wanted, what_is_wanted
from tests.pipeline.tiny import manifest_text

FROZEN: Final = Path(__file__).with_name("frozen_training.json")

_COMMON: Final = (
    "device=cpu",
    "batch_size=4",
    "limits.steps=6",
    "data.pixels=32",
    "data.workers=0",
    "data.buffer_planes=8",
    "data.augment=as_measured",
    "watching.pictures=0",
    "watching.validation_planes=4",
    "optimiser.warm_up_steps=2",
)

TRAININGS: Final = {
    "dsfu on the store": ("dsfu", "network.channels=[8,12]", "network.blocks=[1,1]", "data.source=store"),
    "dsfu on fresh planes": ("dsfu", "network.channels=[8,12]", "network.blocks=[1,1]", "data.source=synthesis"),
    "pix2pix on the store": ("pix2pix", "network.channels=[8,12]", "pix2pix.discriminator_channels=4"),
}


_SAME: Final = 2e-4
"""The third kind of processor that this ran on ended 6·10⁻⁵ off, on fresh planes."""

_SAME_ERROR: Final = 1e-3
"""There it was 1.5·10⁻⁴ off in an error."""


def told_apart(weights: dict[str, torch.Tensor]) -> list[float]:
    """Sums over all weights that tell any change of one of them."""
    flat = torch.cat([weights[name].double().flatten() for name in sorted(weights)]).numpy()
    return [
        float(flat @ np.linspace(1, 2, flat.size)),
        float(np.abs(flat).sum()),
        float(flat @ np.cos(0.1 * np.arange(flat.size))),
    ]


def ended(store: Path, run: Path, recipe: str, *settings: str) -> dict[str, Any]:
    with StopRequests() as requests:
        job = Job(store=str(store), run=run, config=load_config(recipe, None, [*_COMMON, *settings]))
        assert train(job, requests) is Outcome.DONE
    checkpoint = load_checkpoint(run / "checkpoints" / "last.pt")
    recipes_state = checkpoint["recipe"]
    return {
        "weights": {name: told_apart(state) for name, state in recipes_state["modules"].items()},
        "average": None if recipes_state["ema"] is None else told_apart(recipes_state["ema"]),
        "errors": checkpoint["errors"],
        "settings": yaml.safe_load((run / "config.yaml").read_text()),
    }


def _larger() -> Wanted:
    """The tiny data set with planes as large as both networks need."""
    return what_is_wanted(parse_manifest(manifest_text().replace("pixels: 16", "pixels: 32")))


def made(folder: Path) -> dict[str, Any]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run_store(_larger(), open_files(folder / "store"), engine=InThisProcess, reporter=SilentReporter())
        return {
            name: ended(folder / "store", folder / str(number), *settings)
            for number, (name, settings) in enumerate(TRAININGS.items())
        }
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("frozen"))


@pytest.fixture(scope="module")
def then() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FROZEN.read_text())
    return loaded


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings_end_with_the_weights_that_they_ended_with(now, then, name: str):
    assert now[name]["weights"].keys() == then[name]["weights"].keys()
    for module, sums in then[name]["weights"].items():
        np.testing.assert_allclose(now[name]["weights"][module], sums, rtol=_SAME, atol=_SAME, err_msg=module)
    if then[name]["average"] is not None:
        np.testing.assert_allclose(now[name]["average"], then[name]["average"], rtol=_SAME, atol=_SAME)


@pytest.mark.parametrize("name", TRAININGS)
def test_errors_in_validation_are_those_that_they_were(now, then, name: str):
    assert now[name]["errors"] == pytest.approx(then[name]["errors"], rel=_SAME_ERROR)


@pytest.mark.parametrize("name", TRAININGS)
def test_settings_that_a_run_keeps_can_be_given_again(then, tmp_path, name: str):
    """The ``config.yaml`` of an earlier release."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(then[name]["settings"]))
    recipe, *settings = TRAININGS[name]
    assert load_config(None, file) == load_config(recipe, None, [*_COMMON, *settings])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FROZEN.write_text(json.dumps(made(Path(folder)), indent=1, sort_keys=True) + "\n")
    sys.exit(0)
