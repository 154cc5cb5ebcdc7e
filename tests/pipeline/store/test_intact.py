"""Nothing is told of a store that is damaged but that it is damaged, and what to do."""

import json
from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from dsfu.pipeline.problems.disorder.report.page import write_report
from dsfu.pipeline.problems.disorder.report.store_summary import store_summary
from dsfu.pipeline.store.placement import PLACEMENT
from dsfu.pipeline.store.state import STATE
from tests.pipeline.fake_store import FakeStore

pytestmark = pytest.mark.usefixtures("fast_disk")


@pytest.mark.parametrize(
    "path",
    [
        "zarr.json",
        "train/zarr.json",
        "train/kept/c/0",
        "train/kept/zarr.json",
        "species/name/c/0",
        "sro_sets/kind/c/0",
        "masks/live_fraction/c/0",
        STATE,
    ],
)
@pytest.mark.parametrize("damage", ["flip", "lost", "garbage"])
def test_numbers_of_a_damaged_store_are_refused(closed: tuple[FakeStore, ClosingSpec], path: str, damage: str):
    store, _ = closed
    file = Path(store.files.url) / path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(data if damage == "flip" else b"garbage")
    with pytest.raises(InputError, match=r"(?s)damaged.*dsfu-pipeline verify|not closed.*start it again"):
        store_summary(store.files.url)


@pytest.mark.parametrize("damage", ["flip", "lost", "placement", "entries"])
def test_pictures_of_damaged_planes_are_refused(closed: tuple[FakeStore, ClosingSpec], tmp_path: Path, damage: str):
    store, _ = closed
    root = Path(store.files.url)
    for file in root.glob("*/form_factor/c/*/0/0"):
        if damage == "lost":
            file.unlink()
        elif damage == "flip":
            data = bytearray(file.read_bytes())
            data[100] ^= 1
            file.write_bytes(data)
    if damage == "placement":
        (root / PLACEMENT).write_text(json.dumps({"arrays": {"../x": ["y"]}}))
    if damage == "entries":
        for entry in root.glob("ledger/??/*.json"):
            entry.unlink()
    with pytest.raises(InputError, match=r"(?s)the store is damaged.*dsfu-pipeline verify"):
        write_report(root, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
