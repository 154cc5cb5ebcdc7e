"""Small stores to train on: species of the library, planes of 16 pixels, and the sets and masks of the fake store."""

from pathlib import Path
from typing import Any

from dsfu.model.problems.disorder.data.shards import Split, open_store
from dsfu.pipeline.store.files import open_files
from dsfu.simulate.species import load_library
from tests.pipeline.fake_store import FakeStore

TRAIN = ("ammonium", "sulfate_R", "ethanol", "diethyl_ether", "water", "thiophene_R", "pyridine", "toluene")
VALIDATION = ("benzene", "cresol_R")
PLANES_PER_PAIR = 6


def library_store(
    folder: Path | str, *, materialise: bool = True, options: dict[str, Any] | None = None, threshold: float = 0.0
) -> str:
    """Close a store with one pair of each of the groups 0 to 3 for training, and one of group 3 for validation."""
    library = load_library()
    species = tuple(library[name] for name in (*TRAIN, *VALIDATION))
    store = FakeStore(open_files(folder, storage_options=options), materialise, species)
    pairs = tuple((2 * number, 2 * number + 1) for number in range(len(TRAIN) // 2))
    store.close(store.spec(train=pairs, validation=((len(TRAIN), len(TRAIN) + 1),), threshold=threshold))
    return store.files.url


def train(url: str) -> Split:
    return open_store(url).split("train")
